// SPDX-License-Identifier: Apache-2.0
//! The probes of all lines: sockets that come and go with the lines, and a reader for each that tells of answers.
//!
//! Reflectors given by name are resolved meanwhile; whoever has no address yet is asked for one instead of for an answer.

use super::files::why;
use super::probe::{Heard, Probes};
use super::reactor::{Reactor, Reader, Watched};
use super::resolve::Resolver;
use super::{clock, log};
use crate::config::steer::{Far, Probing};
use crate::control::event::{self, Question};
use crate::daemon::{Event, Level};
use crate::measure::reflectors::BUILT_IN;
use crate::units::{DeviceName, Micros, Time};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;

/// Names are asked for this often at most.
const PAUSE: Micros = Micros::secs(2);

/// So many times without an answer are worth a word.
const UNFOUND: u8 = 4;

/// A file that is watched as long as this lives.
struct Watch<'r, 'a> {
    reactor: &'r Reactor<'a>,
    watched: Watched,
}

impl Drop for Watch<'_, '_> {
    fn drop(&mut self) {
        self.reactor.forget(self.watched);
    }
}

/// Names that have no address yet.
struct Names<'r, 'a> {
    resolver: Rc<RefCell<Resolver>>,
    asked: Time,
    tries: u8,
    _watch: Watch<'r, 'a>,
}

/// What is heard on one line.
struct Ear<'r, 'a> {
    line: usize,
    /// By the number the controller has for each.
    addresses: Rc<RefCell<Vec<Option<IpAddr>>>>,
    probes: Rc<RefCell<Probes>>,
    names: Option<Names<'r, 'a>>,
    _watch: Watch<'r, 'a>,
}

/// The ears of all lines.
pub struct Ears<'r, 'a> {
    reactor: &'r Reactor<'a>,
    events: &'a RefCell<VecDeque<Event>>,
    ears: Vec<Ear<'r, 'a>>,
}

impl<'r, 'a> Ears<'r, 'a> {
    /// None yet.
    pub fn new(reactor: &'r Reactor<'a>, events: &'a RefCell<VecDeque<Event>>) -> Self {
        Self { reactor, events, ears: Vec::new() }
    }

    /// What was heard besides answers that count, by line: those that came too late, and those nobody was asked for.
    pub fn besides(&self) -> impl Iterator<Item = (usize, u32, u32)> {
        self.ears.iter().map(|ear| {
            let probes = ear.probes.borrow();
            (ear.line, probes.late, probes.forged)
        })
    }

    /// Nobody listens on this line any more.
    pub fn close(&mut self, line: usize) {
        self.ears.retain(|ear| ear.line != line);
    }

    /// Listens on a line's device, in place of whoever listened there.
    ///
    /// # Errors
    /// The system's.
    pub fn open(&mut self, line: usize, device: &DeviceName, far: &[Far], probe: Probing) -> io::Result<()> {
        self.close(line);
        if probe == Probing::None {
            return Ok(());
        }
        let addresses = Rc::new(RefCell::new(known(far)));
        let probes = Rc::new(RefCell::new(Probes::open(device, None)?));
        let (events, ours) = (self.events, Rc::clone(&probes));
        let watch = self.watch(
            probes.borrow().as_fd(),
            Box::new(move || {
                while let Some(heard) = ours.borrow_mut().read() {
                    events.borrow_mut().push_back(told(line, &heard));
                }
            }),
        )?;
        let names = self.names(far, &addresses)?;
        self.ears.push(Ear { line, addresses, probes, names, _watch: watch });
        Ok(())
    }

    /// Looks for the addresses of those who have only a name.
    fn names(
        &self,
        far: &[Far],
        addresses: &Rc<RefCell<Vec<Option<IpAddr>>>>,
    ) -> io::Result<Option<Names<'r, 'a>>> {
        let (places, names): (Vec<usize>, Vec<String>) = far
            .iter()
            .enumerate()
            .filter_map(|(place, far)| match far {
                Far::Name(name) => Some((place, name.clone())),
                Far::Address(_) => None,
            })
            .unzip();
        if names.is_empty() {
            return Ok(None);
        }
        let resolver = Rc::new(RefCell::new(Resolver::new(names)?));
        let (ours, addresses) = (Rc::clone(&resolver), Rc::clone(addresses));
        let watch = self.watch(
            resolver.borrow().as_fd(),
            Box::new(move || {
                while let Some((n, address)) = ours.borrow_mut().read() {
                    let mut addresses = addresses.borrow_mut();
                    if let Some(slot) = places.get(n).and_then(|place| addresses.get_mut(*place)) {
                        *slot = Some(address);
                    }
                }
            }),
        )?;
        Ok(Some(Names { resolver, asked: Time(0), tries: 0, _watch: watch }))
    }

    /// Calls `read` whenever `file` can be read.
    fn watch(&self, file: BorrowedFd, read: Reader<'a>) -> io::Result<Watch<'r, 'a>> {
        let reactor = self.reactor;
        let watched = reactor.watch(file)?;
        reactor.read_with(watched, read);
        Ok(Watch { reactor, watched })
    }

    /// Asks.
    pub fn ask(&mut self, line: usize, reflector: u16, id: u32, question: Question) {
        let Some(ear) = self.ears.iter_mut().find(|ear| ear.line == line) else { return };
        let to = ear.addresses.borrow().get(usize::from(reflector)).copied();
        let asked = match (to, &mut ear.names) {
            (Some(Some(to)), _) => {
                let sent = ear.probes.borrow_mut().send(reflector, to, question, id);
                sent.map(drop).map_err(|error| format!("asking {to} failed: {}", why(&error)))
            }
            (Some(None), Some(names)) if names.asked == Time(0) || clock::now() - names.asked >= PAUSE => {
                names.asked = clock::now();
                // There is no resolver before the line is up.
                let _ = names.resolver.borrow_mut().ask();
                names.tries = names.tries.saturating_add(1);
                if names.tries == UNFOUND {
                    Err("no address found yet for a reflector that is given by name; looking on".into())
                } else {
                    Ok(())
                }
            }
            _ => Ok(()),
        };
        if let Err(text) = asked {
            log::say(Level::Info, &text);
        }
    }
}

/// The addresses that are known already.
fn known(far: &[Far]) -> Vec<Option<IpAddr>> {
    if far.is_empty() {
        return BUILT_IN.iter().copied().map(Some).collect();
    }
    let address = |far: &Far| match far {
        Far::Address(address) => Some(*address),
        Far::Name(_) => None,
    };
    far.iter().map(address).collect()
}

fn told(line: usize, heard: &Heard) -> Event {
    let Heard { reflector, id, sent, received, one_way } = *heard;
    let received = received.min(clock::now());
    Event::Answered { line, answer: event::Event::Answer { reflector, id, sent, received, one_way } }
}
