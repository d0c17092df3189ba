// SPDX-License-Identifier: Apache-2.0
//! The run loop: performs what the [`Daemon`] decides and tells it what happened.

use super::bus::{self, Bus, Room};
use super::desk::{Desk, Recorder};
use super::ears::Ears;
use super::files::{StateDir, absolute, naming, read_bounded, why};
use super::hits::Asked;
use super::netlink::apply::{apply, retune};
use super::netlink::monitor::Monitor;
use super::netlink::observe::observe;
use super::netlink::sample::sample;
use super::netlink::socket::Connection;
use super::offload::Offloads;
use super::reactor::Reactor;
use super::{clock, evidence, log};
use crate::config::network::Networks;
use crate::config::{self, Config, Fault};
use crate::daemon::{Action, Daemon, Event, Level};
use crate::door::{self, Reading, Refusal, Verdict};
use crate::steer::Learnt;
use crate::tc::Link;
use crate::tc::plan::Lacks;
use crate::watch::archive;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// Where OpenWrt says which device a network is.
const NETWORKS: &str = "/etc/config/network";

/// The state file with what the kernel turned out to lack.
const LACKS: &str = "lacks";
/// The state file with the devices of lines' networks.
const NETWORKS_SEEN: &str = "networks";
/// The state file with the configuration a running daemon took, for commands that tell what is in force.
pub const IN_FORCE: &str = "in-force";
/// The lasting file with the rates lines were steered to.
pub const LEARNT: &str = "learnt";
/// The lasting file with what lines did.
const HISTORY: &str = "history";

/// What earlier runs found the kernel to lack, since boot or the last `weir stop`.
pub fn lacks(places: &Places) -> Lacks {
    Lacks::from_text(&places.state.read(LACKS))
}

/// What was learnt of the lines, before a reboot or after it.
pub fn learnt(places: &Places) -> Learnt {
    let path = places.lasting.path(LEARNT);
    let warn = |text: &str| log::say(Level::Warning, &format!("{}{text}", path.display()));
    match read_bounded(&path) {
        Ok(bytes) => {
            let (learnt, damage) = Learnt::from_text(&String::from_utf8_lossy(&bytes));
            if let Some((line, why)) = damage {
                warn(&format!(":{line}: {why}"));
            }
            learnt
        }
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                warn(&format!(": {}", why(&error)));
            }
            Learnt::default()
        }
    }
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
    /// The directory of what outlives a reboot.
    pub lasting: StateDir,
    /// Where the system bus may be.
    pub buses: Vec<PathBuf>,
}

impl Places {
    /// What is wrong with the configuration, with its place as editors and compilers write it: `FILE:LINE: fault: …`.
    pub fn located(&self, fault: &Fault) -> String {
        let text = fault.to_string();
        let text = if fault.line == 0 { text.strip_prefix("0: ").unwrap_or(&text) } else { &text };
        let blank = if fault.line == 0 { " " } else { "" };
        format!("{}:{blank}{text}", self.config.display())
    }
}

/// What the readers share. One thread, so a `RefCell` is all the locking there is.
#[derive(Default)]
struct Shared {
    /// Who asks, and what.
    asked: RefCell<VecDeque<(UnixStream, String)>>,
    events: RefCell<VecDeque<Event>>,
    known: RefCell<Vec<Link>>,
    /// What netifd says of the networks.
    networks: RefCell<Networks>,
}

/// Runs `daemon` until it says to end; gives the exit code. `keep` is what SIGTERM means for the shaper.
///
/// # Errors
/// When sockets, signals or the lock cannot be had.
pub fn run(mut daemon: Daemon, first: Event, places: &Places, keep: bool) -> io::Result<u8> {
    let _locks = (places.state.lock()?, StateDir::lock_network()?);
    let shared = Shared::default();
    let reactor = Reactor::new()?;
    let mut hands = Hands {
        connection: Connection::open().map_err(naming("cannot talk to the kernel (netlink)"))?,
        offloads: Offloads::load(places.state.clone()),
        places: places.clone(),
        ears: Ears::new(&reactor, &shared.events),
        is_lasting: !daemon.is_once(),
    };
    let listening = naming("cannot listen to the kernel (netlink)");
    let mut monitor = Monitor::open(hands.connection.port).map_err(listening)?;
    let signals = signals(&[Signal::SIGHUP, Signal::SIGTERM, Signal::SIGINT])?;
    let (monitored, signalled) = (reactor.watch(monitor.as_fd())?, reactor.watch(signals.as_fd())?);
    let shared = &shared;
    reactor.read_with(
        monitored,
        Box::new(move || match monitor.read(&shared.known.borrow()) {
            Ok(events) => shared.events.borrow_mut().extend(events),
            Err(error) => log::say(Level::Error, &format!("listening to the kernel failed: {error}")),
        }),
    );
    reactor.read_with(
        signalled,
        Box::new(move || {
            while let Ok(Some(signal)) = signals.read_signal() {
                let event = match Signal::try_from(signal.ssi_signo as i32) {
                    Ok(Signal::SIGHUP) => Event::Reload,
                    _ => Event::Stop { keep },
                };
                shared.events.borrow_mut().push_back(event);
            }
        }),
    );

    // A single apply is over before anybody can ask.
    if !daemon.is_once() {
        let desk = Desk::open(places.state.clone())?;
        let called = reactor.watch(desk.as_fd())?;
        reactor.read_with(
            called,
            Box::new(move || {
                while let Some(asked) = desk.next() {
                    shared.asked.borrow_mut().push_back(asked);
                }
            }),
        );
    }

    // What stands may stand on a device that netifd alone knows, and who does not know it would remove it. So this once
    // the bus is waited for, for a moment.
    if let Some(networks) = bus::networks(&places.buses) {
        shared.networks.replace(networks);
    }
    let mut recorders: Vec<Recorder> = Vec::new();
    let mut bus = Bus::new(if daemon.is_once() { Vec::new() } else { places.buses.clone() });
    let mut hits = Asked::default();
    daemon.handle(clock::now(), first);
    loop {
        while let Some(action) = daemon.poll() {
            match action {
                Action::Exit(code) => {
                    let _ = places.state.write(IN_FORCE, &[]);
                    return Ok(code);
                }
                Action::Tidings(news) => bus.tell(&news, &daemon),
                action => {
                    if action == Action::Observe {
                        keep_networks(&shared.networks.borrow(), daemon.config(), &places.state);
                    }
                    if let Some(event) = hands.perform(action, shared) {
                        daemon.handle(clock::now(), event);
                    }
                }
            }
        }
        reactor.serve();
        let asked = shared.asked.borrow_mut().pop_front();
        if let Some((stream, request)) = asked {
            let now = clock::now();
            match Desk::wants_record(&request).map(|line| daemon.record(now, line)) {
                None if request.trim() == "file" => {
                    let word = if daemon.config().is_some() { "taken" } else { "none" };
                    let path = absolute(&places.config);
                    Desk::answer(stream, &format!("ok\n{word} {}\n", path.display()));
                }
                None => Desk::answer(stream, &daemon.asked(now, &request)),
                Some(Ok(place)) => recorders.push(Recorder::new(place, stream, &reactor)),
                Some(Err(text)) => Desk::answer(stream, &format!("error: {text}\n")),
            }
            continue;
        }
        recorders.retain_mut(|recorder| {
            let pilot = daemon.recorded(recorder.place);
            let is_taken = pilot.is_some_and(|pilot| {
                let is_taken = pilot.tape().is_some_and(|tape| recorder.take(tape));
                if !is_taken {
                    pilot.record_no_more();
                }
                is_taken
            });
            if !is_taken {
                recorder.watched.into_iter().for_each(|watched| reactor.forget(watched));
            }
            is_taken
        });
        let event = shared.events.borrow_mut().pop_front();
        if let Some(event) = event {
            daemon.handle(clock::now(), event);
            continue;
        }
        let deadline = daemon.deadline();
        reactor.wait(clock::now(), deadline.into_iter().chain(bus.due()).chain(hits.due()).min())?;
        let now = clock::now();
        if deadline.is_some_and(|at| at <= now) {
            daemon.handle(now, Event::Deadline);
        }
        for (line, late, forged) in hands.ears.besides() {
            if let Some(pilot) = daemon.recorded(line) {
                pilot.heard_besides(late, forged);
            }
        }
        hits.turn(now, &daemon);
        let mut room = Room {
            now,
            daemon: &mut daemon,
            connection: &mut hands.connection,
            places,
            networks: &shared.networks,
            links: &shared.known,
            hits: &mut hits,
        };
        bus.turn(now, &reactor, &mut room);
        daemon.want(bus.wanted());
    }
}

/// From now on these signals arrive as reads, so that nothing is interrupted half way.
///
/// # Errors
/// The system's.
pub fn signals(wanted: &[Signal]) -> io::Result<SignalFd> {
    let mut set = SigSet::empty();
    wanted.iter().for_each(|signal| set.add(*signal));
    set.thread_block()?;
    Ok(SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?)
}

/// What does things.
struct Hands<'r, 'a> {
    connection: Connection,
    offloads: Offloads,
    places: Places,
    ears: Ears<'r, 'a>,
    /// It goes on when the wanted state is there, so that others can ask what is in force.
    is_lasting: bool,
}

impl Hands<'_, '_> {
    // Apart, and so are its larger parts: `run` keeps its registers for the loop.
    #[inline(never)]
    fn perform(&mut self, action: Action, shared: &Shared) -> Option<Event> {
        match action {
            Action::ReadConfig => {
                let (result, bytes) = match read_bytes(&self.places) {
                    Ok(bytes) => {
                        if bytes.is_none() {
                            let path = self.places.config.display();
                            let text = format!("there is no {path}: the default route's network is shaped");
                            log::say(Level::Info, &text);
                        }
                        let bytes = bytes.unwrap_or_default();
                        (door::load(&bytes).map_err(Refusal::Faults), bytes)
                    }
                    Err(refusal) => (Err(refusal), Vec::new()),
                };
                if let Ok((config, _)) = &result {
                    log::set_level(config.globals.log_level);
                    if let Some(Err(error)) =
                        self.is_lasting.then(|| self.places.state.write_private(IN_FORCE, &bytes))
                    {
                        log::say(Level::Warning, &format!("cannot keep what is in force: {}", why(&error)));
                    }
                }
                Some(Event::ConfigRead(result))
            }
            Action::ReadClock => {
                let (seconds, zone) = clock::wall();
                Some(Event::Clock { seconds, zone })
            }
            Action::Observe => {
                let networks = live_or_filed(Some(&shared.networks.borrow()), &self.places.state);
                Some(match observe(&mut self.connection, networks) {
                    Ok((observation, seen)) => {
                        *shared.known.borrow_mut() = seen.links;
                        Event::Observed(observation)
                    }
                    Err(error) => Event::ObserveFailed(error.to_string()),
                })
            }
            Action::Apply { before, ops, try_first } => {
                Some(match apply(&mut self.connection, &before, &ops, &try_first) {
                    Ok(()) => Event::Applied,
                    Err(failure) => Event::ApplyFailed(failure),
                })
            }
            Action::Retune(ops) => {
                let refused = retune(&mut self.connection, &ops, &shared.known.borrow());
                Some(Event::Retuned { ops, refused })
            }
            Action::Sample { line, tap, is_whole, flows } => {
                let at = clock::now();
                // Queues that are gone are looked for as soon as the kernel tells that they went.
                let known = shared.known.borrow();
                let sample = sample(&mut self.connection, &tap, &known, is_whole, flows).ok()?;
                Some(Event::Sampled { line, at, sample })
            }
            Action::ReadBusy => evidence::cores().map(Event::LookedBusy),
            Action::Listen { line, device: None, .. } => {
                self.ears.close(line);
                None
            }
            Action::Listen { line, device: Some(device), far, probe } => {
                if let Err(error) = self.ears.open(line, &device, &far, probe) {
                    let text =
                        format!("cannot ask anybody on {device}: {}; counters alone steer", why(&error));
                    log::say(Level::Warning, &text);
                }
                None
            }
            Action::Probe { line, reflector, id, question } => {
                self.ears.ask(line, reflector, id, question);
                None
            }
            Action::Learn(text) => {
                if let Err(error) = self.places.lasting.write(LEARNT, text.as_bytes()) {
                    log::say(Level::Warning, &format!("cannot keep what was learnt: {}", why(&error)));
                }
                None
            }
            Action::Keep(packed) => {
                let (seconds, _) = clock::wall();
                let sealed = archive::seal(packed, seconds);
                if let Some(Err(error)) = sealed.map(|file| self.places.lasting.write(HISTORY, &file)) {
                    log::say(Level::Warning, &format!("cannot keep what lines did: {}", why(&error)));
                }
                None
            }
            Action::Recall => {
                let path = self.places.lasting.path(HISTORY);
                let file = match read_bounded(&path) {
                    Ok(bytes) => archive::check(&bytes).map(|()| bytes).map_err(String::from),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
                    Err(error) => Err(why(&error)),
                };
                let file = file.map_err(|why| format!("{}: {why}", path.display()));
                let (seconds, _) = clock::wall();
                Some(Event::Recalled { file, seconds })
            }
            Action::Split(devices) => {
                let links = shared.known.borrow().clone();
                for trouble in self.offloads.set(&devices, &links, &mut self.connection) {
                    log::say(Level::Warning, &trouble);
                }
                None
            }
            Action::Remember(lacks) => {
                if let Err(error) = self.places.state.write(LACKS, lacks.to_text().as_bytes()) {
                    log::say(Level::Warning, &format!("cannot remember what the kernel lacks: {error}"));
                }
                None
            }
            Action::Say(level, text) => {
                log::say(level, &text);
                None
            }
            Action::Tell(fault) => {
                log::tell(&self.places, &fault);
                None
            }
            Action::Tidings(_) | Action::Exit(_) => None,
        }
    }
}

/// Reads the configuration; without a file there are the defaults.
///
/// # Errors
/// Why there is none.
pub fn read_config(places: &Places) -> Reading {
    read_with(places, door::load)
}

/// The same through `door`, which may look closer.
///
/// # Errors
/// Why there is none.
pub fn read_with(places: &Places, door: fn(&[u8]) -> Verdict) -> Reading {
    // Nothing at all says what no file says.
    door(&read_bytes(places)?.unwrap_or_default()).map_err(Refusal::Faults)
}

/// The file's bytes; `None`: nobody named a file, and there is none where it usually is.
///
/// # Errors
/// Why it cannot be read.
pub fn read_bytes(places: &Places) -> Result<Option<Vec<u8>>, Refusal> {
    match read_bounded(&places.config) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !places.is_named => Ok(None),
        Err(error) => {
            Err(Refusal::Unreadable(format!("cannot read {}: {}", places.config.display(), why(&error))))
        }
    }
}

/// The networks as netifd has them, if that is known, else as OpenWrt's file has them; none elsewhere.
///
/// What netifd said before the bus went, or before this daemon began, holds for networks the file tells no device of:
/// what stands there would be removed otherwise.
pub fn live_or_filed(live: Option<&Networks>, state: &StateDir) -> Networks {
    if let Some(live) = live.filter(|networks| networks.is_live) {
        return live.clone();
    }
    let package = read_bounded(Path::new(NETWORKS)).ok().and_then(|bytes| config::uci::parse(&bytes).ok());
    let mut networks = package.map(|package| config::network::networks(&package)).unwrap_or_default();
    networks.recall(&state.read(NETWORKS_SEEN));
    networks
}

/// Keeps which devices the networks of lines have, for a start while the bus is away.
fn keep_networks(networks: &Networks, config: Option<&Config>, state: &StateDir) {
    let names = config.into_iter().flat_map(|config| &config.wans).filter_map(|wan| wan.network.as_deref());
    let text = networks.to_text(&mut { names });
    // Where it cannot be written the next start knows less, which is what it costs.
    if networks.is_live && text != state.read(NETWORKS_SEEN) {
        let _ = state.write(NETWORKS_SEEN, text.as_bytes());
    }
}
