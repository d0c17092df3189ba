// SPDX-License-Identifier: Apache-2.0
//! The daemon on OpenWrt's bus: asked how it stands, and heard when it tells of an alert.
//!
//! Who is not root may not hear that an object came back (`ubus.object.add`), so a daemon that is gone is looked for by
//! connecting anew.

use crate::export::tree::Tree;
use crate::io::bus::wire::Wire;
use crate::io::clock;
use crate::io::files::meaning;
use crate::scribe::Scribe;
use crate::ubus::{Heard, Peer, Status, Ticket, Writer};
use crate::units::{Micros, Time};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::os::fd::AsFd;
use std::path::PathBuf;

/// Whom we follow.
const NEIGHBOURS: [&str; 1] = ["weir"];
/// How long the bus may take to say that the daemon is there.
const PATIENCE: Micros = Micros::secs(3);

/// Our end of the bus.
pub struct Bus {
    paths: Vec<PathBuf>,
    peer: Peer,
    wire: Option<Wire>,
    is_here: bool,
    /// The daemon told something that is worth asking for at once.
    is_told: bool,
}

/// What a message meant to a call.
enum Step {
    Nothing,
    Answer(Tree),
    Done(Status),
}

impl Bus {
    /// Will connect to the first of these that somebody listens on.
    pub fn new(paths: Vec<PathBuf>) -> Self {
        Self { paths, peer: Peer::new(None, &NEIGHBOURS), wire: None, is_here: false, is_told: false }
    }

    fn hang_up(&mut self) {
        self.wire = None;
        self.is_here = false;
        self.peer.close();
        // Calls of this life are over; nobody waits for them.
        while let Ok(Some(_)) = self.peer.expire(clock::now()) {}
    }

    /// Writes, waits until `end` at most for something to read, and hears it all; what concerns the call is given on.
    fn turn(&mut self, end: Time, call: Option<Ticket>) -> Result<Step, String> {
        let Some(wire) = &mut self.wire else { return Err("there is no bus".into()) };
        wire.write(&mut self.peer)?;
        if wire.is_empty() {
            let left = (end - clock::now()).0.div_ceil(1000).min(i32::MAX as u64) as i32;
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
            let mut sockets = [PollFd::new(wire.as_fd(), PollFlags::POLLIN)];
            match poll(&mut sockets, timeout) {
                Ok(0) | Err(nix::errno::Errno::EINTR) => {}
                Ok(_) => wire.read()?,
                Err(error) => return Err(meaning(error as i32)),
            }
        }
        let now = clock::now();
        while let Some(message) = wire.next()? {
            match self.peer.hear(message, now) {
                Heard::Here(_) => self.is_here = true,
                Heard::Gone(_) => {
                    self.is_here = false;
                    return Err("the daemon left the bus".into());
                }
                Heard::Told(_, what, _) => self.is_told |= matches!(what, "alert" | "state"),
                Heard::Answer(ticket, fields) if call == Some(ticket) => {
                    return Ok(Step::Answer(Tree::of_fields(fields)));
                }
                Heard::Done(ticket, status) if call == Some(ticket) => return Ok(Step::Done(status)),
                _ => {}
            }
        }
        while let Some(heard) = self.peer.expire(now).map_err(|fault| fault.to_string())? {
            if let Heard::Done(ticket, status) = heard
                && call == Some(ticket)
            {
                return Ok(Step::Done(status));
            }
        }
        Ok(Step::Nothing)
    }

    fn connect(&mut self) -> Result<(), String> {
        if self.is_here {
            return Ok(());
        }
        self.hang_up();
        let socket = Wire::open(&self.paths).ok_or("there is no bus (ubusd)")?;
        self.wire = Some(Wire::new(socket));
        let begun = clock::now();
        self.peer.open(begun);
        while !self.is_here {
            if clock::now() - begun >= PATIENCE {
                return Err("there is no 'weir' on the bus, or we may not see it".into());
            }
            self.turn(begun + PATIENCE, None)?;
        }
        Ok(())
    }

    fn call(&mut self, method: &str, write: impl FnOnce(&mut Writer<'_>)) -> Result<Tree, String> {
        let ticket = self.peer.call(0, method, clock::now(), write).ok_or("the daemon cannot be asked")?;
        let mut answer = None;
        loop {
            match self.turn(clock::now() + Micros::secs(1), Some(ticket))? {
                Step::Nothing => {}
                Step::Answer(tree) => answer = Some(tree),
                Step::Done(Status::OK) => return answer.ok_or("the daemon answered nothing".into()),
                Step::Done(Status::PERMISSION_DENIED) => {
                    return Err(format!("we may not ask for '{method}': /usr/share/acl.d/weir.json"));
                }
                Step::Done(status) => return Err(format!("'{method}' failed with code {}", status.0)),
            }
        }
    }

    /// How everything stands.
    ///
    /// # Errors
    /// Why that cannot be told.
    pub fn status(&mut self) -> Result<Tree, String> {
        let told = self.connect().and_then(|()| self.call("status", |_| {}));
        self.hang_up_if(told)
    }

    /// The classes of a line, where a status had no room for them.
    ///
    /// # Errors
    /// Why that cannot be told.
    pub fn line(&mut self, wan: &str) -> Result<Tree, String> {
        let told = self.call("wan", |out| out.text("name", &wan));
        self.hang_up_if(told)
    }

    /// A page of what a line did, after second `since`.
    ///
    /// # Errors
    /// Why that cannot be told.
    pub fn history(&mut self, wan: &str, since: u64) -> Result<Tree, String> {
        let told = self.call("history", |out| {
            out.text("wan", &wan);
            out.count("since", since);
        });
        self.hang_up_if(told)
    }

    fn hang_up_if(&mut self, told: Result<Tree, String>) -> Result<Tree, String> {
        if told.is_err() {
            self.hang_up();
        }
        told
    }

    /// Waits until `at`, or after `soonest` until the daemon tells of something.
    pub fn wait(&mut self, at: Time, soonest: Time) {
        loop {
            let now = clock::now();
            let end = if self.is_told { soonest.min(at) } else { at };
            if now >= end {
                break self.is_told = false;
            }
            if self.wire.is_none() {
                std::thread::sleep(std::time::Duration::from_micros((end - now).0));
            } else if self.turn(end, None).is_err() {
                // Whoever asks next connects anew.
                self.hang_up();
            }
        }
    }
}
