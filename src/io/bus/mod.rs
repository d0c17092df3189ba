// SPDX-License-Identifier: Apache-2.0
//! The connection to ubus: its socket, and what comes of what is heard. Nothing here ever waits.
//!
//! A bus that is absent, full, slow or gone costs an attempt now and then: 1 s after it went, then ever more rarely. The
//! protocol is [`crate::ubus`]'s; what weir's object answers is `answer`'s.

mod answer;
mod object;

use super::files::{meaning, why};
use super::log;
use super::reactor::{Reactor, Watched};
use crate::daemon::{Daemon, Level, News, Wanted};
use crate::ubus::{Fault, Heard, Inbox, Peer};
use crate::units::{Micros, Time};
pub use answer::Room;
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, connect, send, socket};
pub use object::OBJECT;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::PathBuf;

/// Where OpenWrt has the bus, and where it had it before 21.02.
pub const SOCKETS: [&str; 2] = ["/var/run/ubus/ubus.sock", "/var/run/ubus.sock"];

/// The first pause between attempts; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Micros = Micros::secs(1);
const LONGEST_PAUSE: Micros = Micros::secs(30);
/// Refused calls are worth a line in the log so often at most: anybody can make them.
const SELDOM: Micros = Micros::secs(10);
/// What is read at once.
const PIECE: usize = 2048;

/// A connection that stands.
struct Line {
    socket: OwnedFd,
    watched: Watched,
    /// What the reactor waits for: something to read, room to write.
    waits: (bool, bool),
    inbox: Inbox,
    /// What was read and not heard yet.
    piece: [u8; PIECE],
    rest: std::ops::Range<usize>,
}

/// weir's end of the bus.
pub struct Bus {
    paths: Vec<PathBuf>,
    peer: Peer,
    line: Option<Line>,
    /// When to try again; `None`: nobody wants a bus.
    try_at: Option<Time>,
    pause: Micros,
    complained: Option<Time>,
}

impl Bus {
    /// Will connect to the first of `paths` that somebody listens on.
    pub fn new(paths: Vec<PathBuf>) -> Self {
        let try_at = (!paths.is_empty()).then_some(Time(0));
        let peer = Peer::new(Some(&OBJECT), &[]);
        Self { paths, peer, line: None, try_at, pause: FIRST_PAUSE, complained: None }
    }

    /// When [`Self::turn`] is due, if nothing comes before.
    pub fn due(&self) -> Option<Time> {
        match &self.line {
            Some(line) if !line.rest.is_empty() && self.peer.is_ready() => Some(Time(0)),
            // Somebody is to be told something, and it was not tried yet.
            Some(line) if !line.waits.1 && self.peer.output().map_or(true, |out| !out.is_empty()) => {
                Some(Time(0))
            }
            Some(_) => self.peer.due(),
            None => self.try_at,
        }
    }

    /// What it is worth telling anybody.
    pub fn wanted(&self) -> Wanted {
        Wanted { all: self.peer.is_watched(), seldom: self.line.is_some() }
    }

    /// Tells those who listen.
    pub fn tell(&mut self, news: &News, daemon: &Daemon) {
        self.peer.notify(news.kind(), |out| news.write(daemon, out));
        if let Some(event) = news.event() {
            self.peer.send(event, |out| news.write(daemon, out));
        }
    }

    /// Hears, answers and writes what can be without waiting; of questions one at a time, so that nobody who asks a lot
    /// keeps the lines from being steered.
    pub fn turn(&mut self, now: Time, reactor: &Reactor, room: &mut Room<'_>) {
        if self.line.is_none() {
            if self.try_at.is_some_and(|at| at <= now) {
                self.connect(now, reactor);
            }
            return;
        }
        if let Err(why) = self.exchange(now, reactor, room) {
            self.hang_up(now, reactor, &why);
        }
    }

    fn connect(&mut self, now: Time, reactor: &Reactor) {
        let opened = self.paths.iter().find_map(|path| open(path).ok());
        let line = opened.and_then(|socket| {
            let watched = reactor.watch(socket.as_fd()).ok()?;
            let (inbox, piece) = (Inbox::default(), [0; PIECE]);
            Some(Line { socket, watched, waits: (true, false), inbox, piece, rest: 0..0 })
        });
        match line {
            Some(line) => {
                self.line = Some(line);
                self.peer.open(now);
            }
            None => self.later(now),
        }
    }

    fn later(&mut self, now: Time) {
        self.try_at = Some(now + self.pause);
        self.pause = Micros(self.pause.0 * 2).min(LONGEST_PAUSE);
    }

    fn hang_up(&mut self, now: Time, reactor: &Reactor, why: &str) {
        if let Some(line) = self.line.take() {
            reactor.forget(line.watched);
        }
        self.peer.close();
        // Calls of this life are over; nobody waits for them.
        while let Ok(Some(_)) = self.peer.expire(now) {}
        log::say(Level::Debug, &format!("ubus: {why}; connecting anew"));
        self.later(now);
    }

    fn exchange(&mut self, now: Time, reactor: &Reactor, room: &mut Room<'_>) -> Result<(), String> {
        let Some(line) = &mut self.line else { return Ok(()) };
        if reactor.take_ready(line.watched) && line.rest.is_empty() && self.peer.is_ready() {
            line.read()?;
        }
        let mut has_answered = false;
        while !line.rest.is_empty() && self.peer.is_ready() && !has_answered {
            let mut rest = line.piece.get(line.rest.clone()).unwrap_or_default();
            let message = line.inbox.take(&mut rest).map_err(text)?;
            line.rest.start = line.rest.end - rest.len();
            let Some(message) = message else { break };
            match self.peer.hear(message, now) {
                Heard::Call(call, method, given) => {
                    has_answered = true;
                    let done = self.peer.serve(call, &mut |out| answer::answer(room, method, given, out));
                    if let Err(refusal) = done {
                        complain(&mut self.complained, now, method, &refusal.text);
                    }
                }
                Heard::Refused(method, Some(argument)) => {
                    let why = format!("argument '{argument}' is of the wrong type");
                    complain(&mut self.complained, now, method, &why);
                }
                Heard::Named => {
                    self.pause = FIRST_PAUSE;
                    log::say(Level::Debug, "ubus: object 'weir' is there");
                }
                Heard::Unnamed(_) => {
                    let why = "ubus: there is an object 'weir' already, or we may not be it; trying again";
                    log::say(Level::Warning, why);
                }
                Heard::Nothing
                | Heard::Refused(_, None)
                | Heard::Watched(_)
                | Heard::Here(_)
                | Heard::Gone(_)
                | Heard::Told(..)
                | Heard::Answer(..)
                | Heard::Done(..) => {}
            }
        }
        while self.peer.expire(now).map_err(text)?.is_some() {}
        line.write(&mut self.peer)?;
        let waits =
            (line.rest.is_empty() && self.peer.is_ready(), !self.peer.output().map_err(text)?.is_empty());
        if waits != line.waits {
            line.waits = waits;
            reactor
                .change(line.watched, line.socket.as_fd(), waits.0, waits.1)
                .map_err(|error| why(&error))?;
        }
        Ok(())
    }
}

impl Line {
    /// Reads a piece; descriptors that come along are dropped by read(2).
    fn read(&mut self) -> Result<(), String> {
        match nix::unistd::read(&self.socket, &mut self.piece) {
            Ok(0) => Err("the bus is gone".into()),
            Ok(count) => {
                self.rest = 0..count;
                Ok(())
            }
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(()),
            Err(error) => Err(meaning(error as i32)),
        }
    }

    fn write(&self, peer: &mut Peer) -> Result<(), String> {
        loop {
            let waiting = peer.output().map_err(text)?;
            if waiting.is_empty() {
                return Ok(());
            }
            match send(self.socket.as_raw_fd(), waiting, MsgFlags::MSG_NOSIGNAL) {
                Ok(count) => peer.sent(count),
                Err(Errno::EAGAIN | Errno::EINTR) => return Ok(()),
                Err(error) => return Err(meaning(error as i32)),
            }
        }
    }
}

/// A connection, or that there is none now: a bus whose queue of callers is full is as good as absent.
fn open(path: &std::path::Path) -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let file = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    connect(file.as_raw_fd(), &UnixAddr::new(path)?)?;
    Ok(file)
}

fn text(fault: Fault) -> String {
    fault.to_string()
}

fn complain(said: &mut Option<Time>, now: Time, method: &str, why: &str) {
    if said.is_none_or(|said| now - said >= SELDOM) {
        *said = Some(now);
        log::say(Level::Info, &format!("ubus: '{method}' refused: {why}"));
    }
}
