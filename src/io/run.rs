// SPDX-License-Identifier: Apache-2.0
//! The run loop: performs what the [`Daemon`] decides and tells it what happened.

use super::files::{StateDir, read_bounded};
use super::netlink::apply::apply;
use super::netlink::monitor::Monitor;
use super::netlink::observe::observe;
use super::netlink::socket::Connection;
use super::offload::Offloads;
use super::reactor::Reactor;
use super::{clock, log};
use crate::config::{self, Config, Fault, Severity};
use crate::daemon::{Action, Daemon, Event, Level};
use crate::door;
use crate::tc::Link;
use crate::tc::plan::Lacks;
use crate::units::DeviceName;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use smol::LocalExecutor;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

/// Where OpenWrt says which device a network is.
const NETWORKS: &str = "/etc/config/network";

/// The state file with what the kernel turned out to lack.
const LACKS: &str = "lacks";

/// What earlier runs found the kernel to lack, since boot or the last `weir stop`.
pub fn lacks(places: &Places) -> Lacks {
    Lacks::from_text(&places.state.read(LACKS))
}

/// Where things are.
#[derive(Clone, Debug)]
pub struct Places {
    /// The configuration.
    pub config: PathBuf,
    /// Whether the user named it: then it must exist.
    pub is_named: bool,
    /// The state directory.
    pub state: StateDir,
}

/// What the tasks share. One thread, so a `RefCell` is all the locking there is.
#[derive(Default)]
struct Shared {
    events: RefCell<VecDeque<Event>>,
    known: RefCell<Vec<Link>>,
}

/// Runs `daemon` until it says to end; gives the exit code. `keep` is what SIGTERM means for the shaper.
///
/// # Errors
/// When sockets, signals or the lock cannot be had.
pub fn run(mut daemon: Daemon, first: Event, places: &Places, keep: bool) -> io::Result<u8> {
    let _lock = places.state.lock()?;
    let mut hands = Hands {
        connection: Connection::open()?,
        offloads: Offloads::load(places.state.clone()),
        places: places.clone(),
    };
    let shared = Shared::default();
    let reactor = Reactor::new()?;
    let tasks = LocalExecutor::new();
    let mut monitor = Monitor::open(hands.connection.port)?;
    let signals = signals()?;
    let (monitored, signalled) = (reactor.watch(&monitor)?, reactor.watch(&signals)?);
    let (shared_ref, reactor_ref) = (&shared, &reactor);
    tasks
        .spawn(async move {
            loop {
                reactor_ref.readable(monitored).await;
                match monitor.read(&shared_ref.known.borrow()) {
                    Ok(events) => shared_ref.events.borrow_mut().extend(events),
                    Err(error) => log::say(Level::Error, &format!("listening to the kernel failed: {error}")),
                }
            }
        })
        .detach();
    tasks
        .spawn(async move {
            loop {
                reactor_ref.readable(signalled).await;
                while let Ok(Some(signal)) = signals.read_signal() {
                    let event = match Signal::try_from(signal.ssi_signo as i32) {
                        Ok(Signal::SIGHUP) => Event::Reload,
                        _ => Event::Stop { keep },
                    };
                    shared_ref.events.borrow_mut().push_back(event);
                }
            }
        })
        .detach();

    daemon.handle(clock::now(), first);
    loop {
        while let Some(action) = daemon.poll() {
            if let Action::Exit(code) = action {
                return Ok(code);
            }
            if let Some(event) = hands.perform(action, &shared) {
                daemon.handle(clock::now(), event);
            }
        }
        while tasks.try_tick() {}
        let event = shared.events.borrow_mut().pop_front();
        if let Some(event) = event {
            daemon.handle(clock::now(), event);
            continue;
        }
        let deadline = daemon.deadline();
        reactor.wait(clock::now(), deadline)?;
        if deadline.is_some_and(|at| at <= clock::now()) {
            daemon.handle(clock::now(), Event::Deadline);
        }
    }
}

/// SIGHUP reloads; SIGTERM and SIGINT end. They arrive as reads, so that nothing is interrupted half way.
fn signals() -> io::Result<SignalFd> {
    let mut set = SigSet::empty();
    [Signal::SIGHUP, Signal::SIGTERM, Signal::SIGINT].into_iter().for_each(|signal| set.add(signal));
    set.thread_block()?;
    Ok(SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?)
}

/// What does things.
struct Hands {
    connection: Connection,
    offloads: Offloads,
    places: Places,
}

impl Hands {
    fn perform(&mut self, action: Action, shared: &Shared) -> Option<Event> {
        match action {
            Action::ReadConfig => {
                let result = read_config(&self.places);
                if let Ok((config, _)) = &result {
                    log::set_level(config.globals.log_level);
                }
                Some(Event::ConfigRead(result))
            }
            Action::Observe => Some(match observe(&mut self.connection, networks()) {
                Ok((observation, seen)) => {
                    *shared.known.borrow_mut() = seen.links;
                    Event::Observed(observation)
                }
                Err(error) => Event::ObserveFailed(error.to_string()),
            }),
            Action::Apply { before, ops, try_first } => {
                Some(match apply(&mut self.connection, &before, &ops, &try_first) {
                    Ok(()) => Event::Applied,
                    Err(failure) => Event::ApplyFailed(failure),
                })
            }
            Action::Split(devices) => {
                let links = shared.known.borrow().clone();
                for trouble in self.offloads.set(&devices, &links, &mut self.connection) {
                    log::say(Level::Warning, &trouble);
                }
                None
            }
            Action::Remember(lacks) => {
                if let Err(error) = self.places.state.write(LACKS, &lacks.to_text()) {
                    log::say(Level::Warning, &format!("cannot remember what the kernel lacks: {error}"));
                }
                None
            }
            Action::Say(level, text) => {
                log::say(level, &text);
                None
            }
            Action::Exit(_) => None,
        }
    }
}

/// Reads the configuration; without a file there are the defaults.
///
/// # Errors
/// The faults of the file, the one that it cannot be read among them.
pub fn read_config(places: &Places) -> Result<(Config, Vec<Fault>), Vec<Fault>> {
    match read_bounded(&places.config) {
        Ok(bytes) => door::load(&bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !places.is_named => {
            Ok((Config::default(), Vec::new()))
        }
        Err(error) => {
            let text = format!("cannot read {}: {error}", places.config.display());
            Err(vec![Fault { severity: Severity::Fault, line: 0, option: String::new(), text }])
        }
    }
}

/// The devices of the networks OpenWrt knows; none elsewhere.
pub fn networks() -> Vec<(String, DeviceName)> {
    let package = read_bounded(Path::new(NETWORKS)).ok().and_then(|bytes| config::uci::parse(&bytes).ok());
    package.map(|package| config::network::devices(&package)).unwrap_or_default()
}
