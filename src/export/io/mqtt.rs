// SPDX-License-Identifier: Apache-2.0
//! A connection to an MQTT server: made, kept alive, made again.
//!
//! With quality 0 nobody says that a message arrived; so a PINGREQ goes behind each batch, and its answer says that the
//! server has read all before it.

use super::files::why;
use super::outlet::{Outlet, Pace};
use crate::export::backoff::{self, Chance};
use crate::export::config::Mqtt;
use crate::export::limits::REQUEST;
use crate::export::mqtt::{GOODBYE, Hello, PING, Said, connect, publish, refusal, take};
use crate::export::web::Outcome;
use crate::io::clock;
use crate::units::{Micros, Time};
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// How long we may be silent; we ask after half of it.
const ALIVE: u16 = 60;

struct Line {
    stream: TcpStream,
    read: Vec<u8>,
    timeout: Duration,
}

impl Line {
    fn open(settings: &Mqtt, client: &str, password: Option<&str>) -> Result<Self, String> {
        let timeout = Duration::from_micros(settings.timeout.0);
        let addresses = (settings.host.as_str(), settings.port)
            .to_socket_addrs()
            .map_err(|_| "nobody knows this host")?;
        let mut last = String::from("nobody knows this host");
        for address in addresses {
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    let mut line = Self { stream, read: Vec::new(), timeout };
                    line.greet(settings, client, password)?;
                    return Ok(line);
                }
                Err(error) => last = why(&error),
            }
        }
        Err(last)
    }

    fn greet(&mut self, settings: &Mqtt, client: &str, password: Option<&str>) -> Result<(), String> {
        let will = format!("{}/online", settings.topic);
        let user =
            (!settings.username.is_empty()).then(|| (settings.username.as_str(), password.unwrap_or("")));
        self.write(&connect(&Hello { client, will: &will, user, alive: ALIVE }))?;
        match self.hear(Instant::now() + self.timeout)? {
            Said::Connected(0) => self.write(&publish(&will, "1", true, None)),
            Said::Connected(code) => Err(format!("the server does not take us: {}", refusal(code))),
            said => Err(format!("the server does not greet ({said:?})")),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.stream.set_write_timeout(Some(self.timeout)).map_err(|error| why(&error))?;
        self.stream.write_all(bytes).map_err(|error| why(&error))
    }

    fn hear(&mut self, end: Instant) -> Result<Said, String> {
        let mut piece = [0; 512];
        loop {
            if let Some(said) = take(&mut self.read)? {
                return Ok(said);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err("no answer in time".into());
            }
            self.stream.set_read_timeout(Some(left)).map_err(|error| why(&error))?;
            match self.stream.read(&mut piece) {
                Ok(0) => return Err("the server hung up".into()),
                Ok(count) => self.read.extend(piece.iter().take(count)),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error)
                    if matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                    ) =>
                {
                    return Err("no answer in time".into());
                }
                Err(error) => return Err(why(&error)),
            }
        }
    }

    /// Publishes the messages of a batch, and knows of all that they arrived.
    fn publish(&mut self, text: &str, settings: &Mqtt) -> Result<(), String> {
        let alert = format!("{}/alert", settings.topic);
        let mut out = Vec::new();
        let mut missing = 0u16;
        for (topic, body) in text.lines().filter_map(|line| line.split_once('\t')) {
            let number = settings.is_sure.then(|| {
                missing += 1;
                missing
            });
            out.extend(publish(topic, body, settings.is_retained && topic != alert, number));
        }
        out.extend(PING);
        self.write(&out)?;
        let end = Instant::now() + self.timeout;
        let mut is_there = false;
        while missing > 0 || !is_there {
            match self.hear(end)? {
                Said::Acknowledged(_) => missing = missing.saturating_sub(1),
                Said::Pong => is_there = true,
                Said::Connected(_) | Said::Other => {}
            }
        }
        Ok(())
    }

    fn ping(&mut self) -> Result<(), String> {
        self.write(&PING)?;
        let end = Instant::now() + self.timeout;
        while self.hear(end)? != Said::Pong {}
        Ok(())
    }
}

/// Delivers until nothing comes any more.
pub fn run(outlet: &Outlet, settings: &Mqtt, client: &str, password: Option<&str>, mut chance: Chance) {
    let pace = Pace { points: 1000, bytes: REQUEST, interval: Micros(0) };
    let (mut line, mut at, mut failures) = (None::<Line>, Time(0), 0u32);
    loop {
        // Without a connection only what there is to say is a reason to make one.
        let until = line.as_ref().map(|_| clock::now() + Micros::secs(u64::from(ALIVE / 2)));
        let Ok(batch) = outlet.next(at, until, &pace) else { break };
        let begun = clock::now();
        let done = match &mut line {
            Some(_) => Ok(()),
            None => Line::open(settings, client, password).map(|open| line = Some(open)),
        };
        let done = done.and_then(|()| match (&mut line, &batch) {
            (Some(line), Some(batch)) => line.publish(&batch.text, settings),
            (Some(line), None) => line.ping(),
            (None, _) => Ok(()),
        });
        let now = clock::now();
        match (done, batch) {
            (Ok(()), batch) => {
                (at, failures) = (now, 0);
                if let Some(batch) = batch {
                    outlet.tell(&batch, Outcome::Done, now - begun);
                }
            }
            (Err(why), batch) => {
                line = None;
                failures = failures.saturating_add(1);
                at = now + backoff::pause(failures, chance.roll(), None);
                match batch {
                    Some(batch) => outlet.tell(&batch, Outcome::Later(None, why), now - begun),
                    None => outlet.failed(&why),
                }
            }
        }
    }
    if let Some(mut line) = line {
        // We go, and that is known; the will would say the same.
        let will = format!("{}/online", settings.topic);
        let _ = line.write(&[publish(&will, "0", true, None), GOODBYE.to_vec()].concat());
    }
}
