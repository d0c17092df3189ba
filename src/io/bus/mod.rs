// SPDX-License-Identifier: Apache-2.0
//! The connection to ubus: its socket, and what comes of what is heard. Nothing here ever waits.
//!
//! A bus that is absent, full, slow or gone costs an attempt now and then: 1 s after it went, then ever more rarely. The
//! protocol is [`crate::ubus`]'s; what weir's object answers is `answer`'s.

mod answer;
mod glance;
mod object;
pub(crate) mod wire;

use super::files::why;
use super::log;
use super::reactor::{Reactor, Watched};
use crate::config::network::Networks;
use crate::daemon::{Daemon, Event, Level, News, Wanted};
use crate::netifd::Follow;
use crate::scribe::Scribe;
use crate::ubus::{Fault, Heard, Peer, Status, Ticket};
use crate::units::{Micros, Time};
pub use answer::Room;
pub use glance::networks;
pub use object::OBJECT;
use std::os::fd::AsFd;
use std::path::PathBuf;
use wire::Wire;

/// Where OpenWrt has the bus, and where it had it before 21.02.
pub const SOCKETS: [&str; 2] = ["/var/run/ubus/ubus.sock", "/var/run/ubus.sock"];

/// Whom weir follows: netifd, who knows which device a network is.
const NEIGHBOURS: [&str; 1] = ["network.interface"];

/// The first pause between attempts; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Micros = Micros::secs(1);
const LONGEST_PAUSE: Micros = Micros::secs(30);
/// Refused calls are worth a line in the log so often at most: anybody can make them.
const SELDOM: Micros = Micros::secs(10);
/// The most of it.
const LONGEST: usize = 200;

/// A connection that stands.
struct Line {
    wire: Wire,
    watched: Watched,
    /// What the reactor waits for: something to read, room to write.
    waits: (bool, bool),
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
    /// The bus has refused weir's object, which was said.
    is_nameless: bool,
    /// When to ask netifd, and that it was asked.
    follow: Follow,
    asked: Option<Ticket>,
    /// Of this netifd a dump is too large, so the lines' networks are asked for one by one: what it said so far, and of
    /// how many lines.
    singly: Option<(Networks, usize)>,
}

impl Bus {
    /// Will connect to the first of `paths` that somebody listens on.
    pub fn new(paths: Vec<PathBuf>) -> Self {
        let try_at = (!paths.is_empty()).then_some(Time(0));
        let peer = Peer::new(Some(&OBJECT), &NEIGHBOURS);
        Self {
            paths,
            peer,
            line: None,
            try_at,
            pause: FIRST_PAUSE,
            complained: None,
            is_nameless: false,
            follow: Follow::default(),
            asked: None,
            singly: None,
        }
    }

    /// When [`Self::turn`] is due, if nothing comes before.
    pub fn due(&self) -> Option<Time> {
        match &self.line {
            Some(line) if !line.wire.is_empty() && self.peer.is_ready() => Some(Time(0)),
            // Somebody is to be told something, and it was not tried yet.
            Some(line) if !line.waits.1 && self.peer.output().map_or(true, |out| !out.is_empty()) => {
                Some(Time(0))
            }
            Some(_) => {
                let hint = self.follow.deadline().filter(|_| self.asked.is_none());
                self.peer.due().into_iter().chain(hint).min()
            }
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
    pub fn turn(&mut self, now: Time, reactor: &Reactor<'_>, room: &mut Room<'_>) {
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

    fn connect(&mut self, now: Time, reactor: &Reactor<'_>) {
        let opened = Wire::open(&self.paths);
        let line = opened.and_then(|socket| {
            let watched = reactor.watch(socket.as_fd()).ok()?;
            Some(Line { wire: Wire::new(socket), watched, waits: (true, false) })
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

    fn hang_up(&mut self, now: Time, reactor: &Reactor<'_>, why: &str) {
        if let Some(line) = self.line.take() {
            reactor.forget(line.watched);
        }
        self.peer.close();
        (self.asked, self.singly) = (None, None);
        // Calls of this life are over; nobody waits for them.
        while let Ok(Some(_)) = self.peer.expire(now) {}
        log::say(Level::Debug, &format!("ubus: {why}; connecting anew"));
        self.later(now);
    }

    /// Asks netifd what it is time to ask.
    fn ask(&mut self, now: Time, room: &mut Room<'_>) {
        let lines = room.daemon.config().map_or(0, |config| config.wans.len());
        let is_due = self.follow.is_due(now);
        let Some((networks, done)) = &mut self.singly else {
            if is_due {
                self.asked = self.peer.call(0, "dump", now, |_| {});
                self.again_unless_asked(now);
            }
            return;
        };
        if is_due {
            (*networks, *done) = Default::default();
        }
        while *done < lines && network(room, *done).is_none() {
            *done += 1;
        }
        if let Some(name) = network(room, *done) {
            self.asked = self.peer.call(0, "status", now, |out| out.text("interface", &name));
            self.again_unless_asked(now);
        } else if *done == lines {
            // Behind the last, for nothing is asked until the next hint.
            *done += 1;
            networks.is_live = true;
            if *networks != *room.networks.borrow() {
                room.networks.replace(networks.clone());
                room.daemon.handle(now, Event::LinksChanged);
            }
        }
    }

    fn again_unless_asked(&mut self, now: Time) {
        if self.asked.is_none() {
            self.follow.again(now);
        }
    }

    fn exchange(&mut self, now: Time, reactor: &Reactor<'_>, room: &mut Room<'_>) -> Result<(), String> {
        let Some(line) = &mut self.line else { return Ok(()) };
        if reactor.take_ready(line.watched) && line.wire.is_empty() && self.peer.is_ready() {
            line.wire.read()?;
        }
        let mut has_answered = false;
        while self.peer.is_ready() && !has_answered {
            let Some(message) = line.wire.next()? else { break };
            match self.peer.hear(message, now) {
                Heard::Call(call, method, given) => {
                    has_answered = true;
                    let done = self.peer.serve(call, &mut |out| answer::answer(room, method, given, out));
                    if let Err(refusal) = done {
                        complain(&mut self.complained, now, &refused(method, &refusal.text));
                    }
                }
                Heard::Refused(method, Some(argument)) => {
                    let why = format!("argument '{argument}' is of the wrong type");
                    complain(&mut self.complained, now, &refused(method, &why));
                }
                Heard::Named => {
                    (self.pause, self.is_nameless) = (FIRST_PAUSE, false);
                    log::say(Level::Debug, "ubus: object 'weir' is there");
                }
                // It is tried every half minute, and said once.
                Heard::Unnamed(_) => {
                    if !std::mem::replace(&mut self.is_nameless, true) {
                        let why =
                            "ubus: there is an object 'weir' already, or we may not be it; trying again";
                        log::say(Level::Warning, why);
                    }
                }
                // What it tells is a hint: of what came or went with it it says nothing.
                Heard::Here(_) | Heard::Told(..) => self.follow.hint(now),
                Heard::Answer(_, status) if self.singly.is_some() => {
                    if let Some((networks, done)) = &mut self.singly
                        && let Some(name) = network(room, *done)
                    {
                        networks.add_status(&name, status);
                    }
                }
                Heard::Answer(_, dump) => {
                    if room.networks.borrow_mut().take_dump(dump) {
                        room.daemon.handle(now, Event::LinksChanged);
                    }
                }
                Heard::Done(ticket, status) if self.asked == Some(ticket) => {
                    self.asked = None;
                    if let Some((_, done)) = &mut self.singly {
                        // One that netifd does not know is none.
                        *done += 1;
                    } else if status == Status::NO_MEMORY {
                        log::say(Level::Warning, TOO_LARGE);
                        self.singly = Some(Default::default());
                    } else if status != Status::OK {
                        self.follow.again(now);
                        let why = format!(
                            "ubus: netifd does not tell its networks (code {}); asking again",
                            status.0
                        );
                        complain(&mut self.complained, now, &why);
                    }
                }
                // Gone is not down: netifd leaves its networks as they are when it begins anew.
                Heard::Nothing
                | Heard::Refused(_, None)
                | Heard::Watched(_)
                | Heard::Gone(_)
                | Heard::Done(..) => {}
            }
        }
        // One at a time; what is hinted meanwhile is asked for behind it.
        if self.asked.is_none() {
            self.ask(now, room);
        }
        let Some(line) = &mut self.line else { return Ok(()) };
        while let Some(heard) = self.peer.expire(now).map_err(text)? {
            if matches!(heard, Heard::Done(ticket, _) if self.asked == Some(ticket)) {
                self.asked = None;
                self.follow.again(now);
            }
        }
        line.wire.write(&mut self.peer)?;
        let waits =
            (line.wire.is_empty() && self.peer.is_ready(), !self.peer.output().map_err(text)?.is_empty());
        if waits != line.waits {
            line.waits = waits;
            reactor.change(line.watched, line.wire.as_fd(), waits.0, waits.1).map_err(|error| why(&error))?;
        }
        Ok(())
    }
}

/// What is said of a netifd with too many networks.
const TOO_LARGE: &str = "ubus: netifd tells more of its networks than weir keeps of a message (64 KB): only those of \
    option 'network' are asked for, one by one; no link layer is suggested for other lines";

/// The network of the line at a place, if it has one.
fn network(room: &Room<'_>, place: usize) -> Option<String> {
    room.daemon.config()?.wans.get(place)?.network.clone()
}

fn text(fault: Fault) -> String {
    fault.to_string()
}

fn refused(method: &str, why: &str) -> String {
    format!("ubus: '{method}' refused: {why}")
}

/// Says what somebody on the bus has done wrong: anybody can, and with any text.
fn complain(said: &mut Option<Time>, now: Time, text: &str) {
    if said.is_none_or(|said| now - said >= SELDOM) {
        *said = Some(now);
        let text: String = text.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
        log::say(Level::Info, &text);
    }
}
