// SPDX-License-Identifier: Apache-2.0
//! The system bus of the lab's routers: the broker of the crate ubusd, netifd's object on it, and a small client.
//!
//! One program, so that a static one for another processor is one build: `cross/build mipsel --example lab-bus`.

// The tests' own handle of it is not wanted here.
#[expect(dead_code, reason = "netifd here reads a file; the tests tell it otherwise")]
#[path = "../../broker/netifd.rs"]
mod netifd;

use netifd::{Desk, Network};
use serde_json::{Value, json};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use ubus::client::UbusClient;
use ubus::json::{blobmsg_to_json, json_to_blobmsg};
use ubus::wire::{Codec, Frame, HEADER_SIZE};
use ubus::{Transport, UbusError};
use ubusd::{Broker, Config};

const USAGE: &str = "usage:
  lab-bus broker SOCKET [ACL-DIRECTORY]       the bus itself, until it is killed
  lab-bus netifd SOCKET FILE                  network.interface; FILE has a line `NAME PROTO up|down [DEVICE]` for each network,
                                              and whenever it changes this is told
  lab-bus call SOCKET PATH METHOD [JSON]      prints the answer; the exit code is the status
  lab-bus listen SOCKET PATH                  prints what PATH tells its subscribers, a line each, until the bus ends";

/// How often the file of the networks is looked at, and a bus that is gone is looked for.
const PAUSE: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["broker", socket, rights @ ..] => broker(socket, rights.first().copied()),
        ["netifd", socket, file] => netifd(socket, file),
        ["call", socket, path, method, given @ ..] => {
            call(socket, path, method, given.first().unwrap_or(&"{}"))
        }
        ["listen", socket, path] => listen(socket, path),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(64);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(UbusError::Status(code)) => {
            eprintln!("status {code}");
            ExitCode::from(u8::try_from(code).unwrap_or(1))
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn broker(socket: &str, rights: Option<&str>) -> Result<(), UbusError> {
    let config = Config { socket_path: socket.into(), acl_dir: rights.map(Into::into), ..Config::default() };
    let run = || Broker::bind(config)?.run();
    run().map_err(failed)
}

/// As netifd does, it outlives the bus and comes back to it.
fn netifd(socket: &str, file: &str) -> Result<(), UbusError> {
    let desk = Arc::new(Mutex::new(Desk::default()));
    let (shared, file) = (Arc::clone(&desk), file.to_string());
    std::thread::spawn(move || {
        let mut before = None;
        loop {
            let now = std::fs::read_to_string(&file).ok();
            // Half of a file that is being written does not end a line.
            if now != before && now.as_ref().is_some_and(|text| text.ends_with('\n')) {
                let networks = now.iter().flat_map(|text| text.lines().filter_map(network)).collect();
                shared.lock().expect("nobody panicked").change(networks, 1);
                before = now;
            }
            std::thread::sleep(PAUSE);
        }
    });
    loop {
        if let Ok(mut stream) = UnixStream::connect(socket) {
            netifd::serve(&mut stream, &desk);
        }
        std::thread::sleep(PAUSE);
    }
}

fn network(line: &str) -> Option<Network> {
    let mut words = line.split_whitespace();
    let (name, proto, state) = (words.next()?, words.next()?, words.next()?);
    Some(Network::from((name, proto, state == "up", words.next().unwrap_or_default())))
}

/// A connection that is read only when its client has nothing else to do.
///
/// ubus-zero 0.5.0 has one of its own, but on 32-bit MIPS with musl each of its waits is over at once, so that it gives up on
/// an answer after some milliseconds.
struct Wire {
    stream: UnixStream,
    bytes: Vec<u8>,
    is_over: bool,
}

/// How long a client waits at once. It gives up after 200 waits, which is enough for a slow processor.
const WAIT: Duration = Duration::from_millis(150);

fn connect(socket: &str) -> Result<UbusClient<Wire>, UbusError> {
    let stream = UnixStream::connect(socket).map_err(failed)?;
    stream.set_read_timeout(Some(WAIT)).map_err(failed)?;
    UbusClient::connect(Wire { stream, bytes: Vec::new(), is_over: false })
}

fn failed(error: impl std::fmt::Display) -> UbusError {
    UbusError::Io(error.to_string())
}

impl Transport for Wire {
    fn send(&mut self, frame: &Frame) -> Result<(), UbusError> {
        self.stream.write_all(&Codec::write_frame(frame)).map_err(failed)
    }

    fn recv(&mut self) -> Result<Option<Frame>, UbusError> {
        // Less than a header and the outer attribute's own may be taken for a frame without content.
        if self.bytes.len() >= HEADER_SIZE + 4 {
            match Codec::read_frame(&self.bytes) {
                Ok((frame, size)) => {
                    self.bytes.drain(..size);
                    return Ok(Some(frame));
                }
                Err(UbusError::Short { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        if self.is_over { Err(UbusError::Closed) } else { Ok(None) }
    }

    fn wait_recv(&mut self) {
        let mut piece = [0; 4096];
        match self.stream.read(&mut piece) {
            Ok(count) => {
                self.is_over |= count == 0;
                self.bytes.extend(piece.iter().take(count));
            }
            Err(error) => {
                let is_early = matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                );
                self.is_over |= !is_early;
            }
        }
    }
}

fn call(socket: &str, path: &str, method: &str, given: &str) -> Result<(), UbusError> {
    let given: Value = serde_json::from_str(given).map_err(|error| UbusError::Method(error.to_string()))?;
    let mut client = connect(socket)?;
    let id = client.lookup(path)?;
    println!("{}", blobmsg_to_json(&client.invoke(id, method, &json_to_blobmsg(&given)?)?)?);
    Ok(())
}

fn listen(socket: &str, path: &str) -> Result<(), UbusError> {
    let mut client = connect(socket)?;
    let id = client.lookup(path)?;
    let ear = client.add_anonymous_object()?;
    client.subscribe(ear, id)?;
    client.transport_mut().stream.set_read_timeout(None).map_err(failed)?;
    loop {
        let Some(frame) = client.recv_frame()? else {
            client.transport_mut().wait_recv();
            continue;
        };
        let find = |attr| ubus::envelope::try_find(&frame.payload, attr);
        let Some(method) = find(ubus::envelope::UbusAttr::Method)? else { continue };
        let data = find(ubus::envelope::UbusAttr::Data)?.map(|data| data.payload).unwrap_or_default();
        println!("{}", json!({"told": method.as_str(), "data": blobmsg_to_json(data)?}));
    }
}
