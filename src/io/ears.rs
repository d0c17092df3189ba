// SPDX-License-Identifier: Apache-2.0
//! The probes of all lines: sockets that come and go with the lines, and a task for each that tells of answers.

use super::probe::{Heard, Probes};
use super::reactor::{Reactor, Watched};
use super::{clock, log};
use crate::control::event::{self, Question};
use crate::daemon::{Event, Level};
use crate::units::DeviceName;
use smol::{LocalExecutor, Task};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::rc::Rc;

/// What is heard on one line.
struct Ear<'a> {
    line: usize,
    /// By the number the controller has for each; `None`: the name is not resolved.
    addresses: Vec<Option<IpAddr>>,
    probes: Rc<RefCell<Probes>>,
    watched: Watched,
    reactor: &'a Reactor,
    /// Ends with it.
    _task: Task<()>,
}

impl Drop for Ear<'_> {
    fn drop(&mut self) {
        self.reactor.forget(self.watched);
    }
}

/// The ears of all lines.
pub struct Ears<'t, 'a> {
    tasks: &'t LocalExecutor<'a>,
    reactor: &'a Reactor,
    events: &'a RefCell<VecDeque<Event>>,
    ears: Vec<Ear<'a>>,
}

impl<'t, 'a> Ears<'t, 'a> {
    /// None yet.
    pub fn new(
        tasks: &'t LocalExecutor<'a>,
        reactor: &'a Reactor,
        events: &'a RefCell<VecDeque<Event>>,
    ) -> Self {
        Self { tasks, reactor, events, ears: Vec::new() }
    }

    /// Nobody listens on this line any more.
    pub fn close(&mut self, line: usize) {
        self.ears.retain(|ear| ear.line != line);
    }

    /// Listens on a line's device, in place of whoever listened there.
    ///
    /// # Errors
    /// The system's.
    pub fn open(
        &mut self,
        line: usize,
        device: &DeviceName,
        addresses: Vec<Option<IpAddr>>,
    ) -> std::io::Result<()> {
        self.close(line);
        let probes = Probes::open(device, None)?;
        let watched = self.reactor.watch(&probes)?;
        let probes = Rc::new(RefCell::new(probes));
        let (reactor, events, ours) = (self.reactor, self.events, Rc::clone(&probes));
        let task = self.tasks.spawn(async move {
            loop {
                reactor.readable(watched).await;
                while let Some(heard) = ours.borrow_mut().read() {
                    events.borrow_mut().push_back(told(line, &heard));
                }
            }
        });
        self.ears.push(Ear { line, addresses, probes, watched, reactor, _task: task });
        Ok(())
    }

    /// Asks.
    pub fn ask(&mut self, line: usize, reflector: u16, id: u32, question: Question) {
        let Some(ear) = self.ears.iter().find(|ear| ear.line == line) else { return };
        let Some(to) = ear.addresses.get(usize::from(reflector)).copied().flatten() else { return };
        if let Err(error) = ear.probes.borrow_mut().send(reflector, to, question, id) {
            log::say(Level::Info, &format!("asking {to} failed: {}", super::files::why(&error)));
        }
    }
}

fn told(line: usize, heard: &Heard) -> Event {
    let Heard { reflector, id, sent, received, one_way } = *heard;
    let received = received.min(clock::now());
    Event::Answered { line, answer: event::Event::Answer { reflector, id, sent, received, one_way } }
}
