// SPDX-License-Identifier: Apache-2.0
//! What weir does and when: a state machine that is told what happened and says what to do.
//!
//! ```text
//!            Start, Reload                Observed            Applied
//!   (idle) ───ReadConfig──▶ ConfigRead ──Observe──▶ diff ──Apply──▶ Observe again ──▶ settled
//!                                          ▲  ▲       │                  │ differs
//!      links or our qdiscs changed ────────┘  └───────┴── retry, later ◀─┘
//! ```
//!
//! `io::run` performs the actions and brings back the events; the simulator does the same in virtual time. Nothing
//! here reads a clock. One action is under way at a time, so the state is what the last one was for. What concerns
//! lines that steer themselves is in `steering`; what they did is kept in `history`, and outlives the daemon by `archive`.

mod archive;
mod asked;
mod events;
mod history;
mod moment;
mod news;
mod schedule;
mod steering;
mod watch;

pub use asked::AT_WORK;
pub use events::Events;
pub use news::{News, Wanted};

use crate::config::steer::{Far, Probing};
use crate::config::{Config, Fault, Severity};
use crate::control::{self, event::Question};
use crate::door::{Reading, Refusal};
use crate::measure::counters::Sample;
use crate::report::Taken;
use crate::steer::{Learnt, Pilot, Tap};
use crate::tc::diff::{Op, Ops, diff};
use crate::tc::memo::Memo;
use crate::tc::plan::{Direction, Lacks, Plan, World, plan_with};
use crate::tc::retune::Retune;
use crate::tc::speed::Speeds;
use crate::tc::{Origin, Tree};
use crate::units::{DeviceName, Micros, Time, Way};
use crate::watch::checks::Cores;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Changes come in showers (a PPPoE device makes a dozen messages): look once, when they have stopped for this long.
const CALM: Micros = Micros::ms(100);
/// The first pause after a failure; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Micros = Micros::secs(1);
const LONGEST_PAUSE: Micros = Micros::secs(60);
/// Putting back what somebody removed is given this long to hold before it counts as settled again.
const HEALED_AFTER: Micros = Micros::secs(30);

/// What the kernel says to those who may not.
const EPERM: i32 = 1;

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the syslog levels of these names")]
pub enum Level {
    Error,
    Warning,
    Info,
    Debug,
}

/// What has happened.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a sample comes five times a second and is not to be allocated"
)]
pub enum Event {
    /// The program began.
    Start,
    /// The configuration was read: usable with these warnings, or refused.
    ConfigRead(Reading),
    /// The system was looked at.
    Observed(Observation),
    /// Looking at the system failed.
    ObserveFailed(String),
    /// All requests were accepted.
    Applied,
    /// A request was refused and what was done before it is undone.
    ApplyFailed(Failure),
    /// A network device, an address or a route changed.
    LinksChanged,
    /// A qdisc, class or filter was changed by someone else.
    TcChanged,
    /// The user asks to read the configuration again.
    Reload,
    /// The user asks to end; with `keep` the shaper stays.
    Stop {
        /// Leave everything standing.
        keep: bool,
    },
    /// A line's counters were read.
    Sampled {
        /// The line's place in the configuration.
        line: usize,
        /// When they were read.
        at: Time,
        /// What they said.
        sample: Sample,
    },
    /// A line's probe was answered.
    Answered {
        /// The line's place in the configuration.
        line: usize,
        /// Which probe, and when.
        answer: control::Event,
    },
    /// The answer to [`Action::ReadBusy`].
    LookedBusy(Cores),
    /// The requests of [`Action::Retune`] were accepted, or not; the buffer comes back.
    Retuned {
        /// The requests.
        ops: Vec<Op>,
        /// Why one was refused.
        refused: Option<String>,
    },
    /// What the clock on the wall shows.
    Clock {
        /// Seconds since 1970.
        seconds: u64,
        /// The time zone, as POSIX writes it.
        zone: String,
    },
    /// The answer to [`Action::Recall`].
    Recalled {
        /// The file, or why it cannot be read, for people; an empty one: there is none.
        file: Result<Vec<u8>, String>,
        /// What the clock on the wall shows: seconds since 1970.
        seconds: u64,
    },
    /// The moment [`Daemon::deadline`] named has come.
    Deadline,
}

/// The system as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// Devices, routes and addresses; what the kernel lacks is the daemon's to know.
    pub world: World,
    /// The traffic control on all devices.
    pub tree: Tree,
}

/// Why a change did not happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The request that was refused first, if it was one.
    pub op: Option<Box<Op>>,
    /// The kernel's error number, positive.
    pub errno: i32,
    /// The kernel's own words, if it had any.
    pub extack: String,
    /// All of it for people: what was refused and why.
    pub text: String,
    /// Whether the tree is again what it was before.
    pub is_restored: bool,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read the configuration; answer with [`Event::ConfigRead`].
    ReadConfig,
    /// Read the clock on the wall and the time zone; answer with [`Event::Clock`].
    ReadClock,
    /// Look at the system; answer with [`Event::Observed`] or [`Event::ObserveFailed`].
    Observe,
    /// Send `ops`; on any refusal bring back `before`. Answer with [`Event::Applied`] or [`Event::ApplyFailed`].
    Apply {
        /// What there is now.
        before: Tree,
        /// What to send.
        ops: Ops,
        /// Devices whose foreign root is about to be replaced: what is wanted on them is tried on a scratch device
        /// first, and nothing is touched if that fails.
        try_first: Tree,
    },
    /// Send these requests, which alter rates of what stands; answer with [`Event::Retuned`].
    Retune(Vec<Op>),
    /// Read a line's counters; answer with [`Event::Sampled`], or not at all.
    Sample {
        /// The line's place in the configuration.
        line: usize,
        /// Where they are.
        tap: Tap,
        /// Those of the queues below the classes, too.
        is_whole: bool,
        /// The flows of these classes, too: a bit for each place, by direction.
        flows: [u16; 2],
    },
    /// Read how busy the processor is (the beginning of `/proc/stat`); answer with [`Event::LookedBusy`], or not at all.
    ReadBusy,
    /// Begin to ask on a line's device, or (without a device) stop.
    Listen {
        /// The line's place in the configuration.
        line: usize,
        /// Its device.
        device: Option<DeviceName>,
        /// Whom to ask; nobody named: the built-in ones.
        far: Vec<Far>,
        /// How.
        probe: Probing,
    },
    /// Ask; answer with [`Event::Answered`] when somebody does.
    Probe {
        /// The line's place in the configuration.
        line: usize,
        /// Who is asked, by number.
        reflector: u16,
        /// The probe's number.
        id: u32,
        /// How.
        question: Question,
    },
    /// Keep what was learnt over a restart.
    Learn(String),
    /// Keep what lines did over a restart, once [`archive::seal`](crate::watch::archive::seal) has said when that was.
    Keep(Vec<u8>),
    /// Read what was kept of what lines did, and check it; answer with [`Event::Recalled`].
    Recall,
    /// Switch super-packets off on these devices and back on where weir had switched them off and no longer wants to.
    Split(Vec<DeviceName>),
    /// Keep what the kernel turned out to lack until the next boot, so that no later start has to find out again by
    /// failing.
    Remember(Lacks),
    /// Write a message.
    Say(Level, String),
    /// Write what is wrong with the configuration; whoever read it knows its file's name.
    Tell(Fault),
    /// Tell those who listen.
    Tidings(News),
    /// End with this exit code.
    Exit(u8),
}

/// Where the daemon is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing under way.
    Idle,
    /// Waiting for the configuration.
    Reading,
    /// Waiting for a look at the system, before a change or (`is_check`) after one.
    Observing { is_check: bool },
    /// Waiting for requests to be answered.
    Applying,
    /// Waiting for another rate to be answered.
    Retuning,
}

/// What the daemon was asked to end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Go on.
    No,
    /// `weir apply`: end when the wanted state is there.
    WhenSettled,
    /// Remove what is ours and end.
    Removing,
}

/// All state of the program between two events.
#[derive(Debug)]
pub struct Daemon {
    /// The configuration in force.
    config: Option<Config>,
    /// What makes it another one than was read.
    altered: schedule::Altered,
    /// The schedules and their clock.
    times: schedule::Timetable,
    plan: Plan,
    memo: Memo,
    /// What the lines are steered to.
    speeds: Speeds,
    /// The lines that are steered.
    pilots: Vec<Box<Pilot>>,
    /// What was learnt before the start, or written down since.
    learnt: Learnt,
    /// When to see again whether there is something to be written down; `None`: nobody has been steered yet.
    learn_at: Option<Time>,
    retune: Retune,
    /// The lines that are held.
    held: Vec<asked::Held>,
    /// What lines did.
    kept: Vec<history::Kept>,
    /// How that outlives the daemon.
    archive: archive::Archive,
    /// When to read those that nobody steers.
    read_at: Time,
    /// What is watched of them.
    watch: watch::Watch,
    lacks: Lacks,
    phase: Phase,
    end: End,
    actions: VecDeque<Action>,
    /// Look at the system when this moment comes.
    observe_at: Option<Time>,
    /// A look was asked for while something else was under way.
    has_news: bool,
    /// Read the configuration again when what is under way is done.
    wants_reload: bool,
    /// How long the next failure makes us wait.
    pause: Micros,
    /// When the wanted state was last reached; `None`: not since the last configuration.
    settled_at: Option<Time>,
    /// What was said last about the lines, so that it is said once.
    said: Vec<String>,
    /// The last notes on each of them, `(line, text)`, also while it is gone: that it returns makes none of them news.
    noted: Vec<(String, String)>,
    /// Whether anything was sent since the start, or since the user asked to end.
    has_changed: bool,
    /// When it was told something last.
    now: Time,
    /// What it has said lately.
    events: Events,
    /// What somebody listens for.
    wanted: Wanted,
    /// When it began.
    began: Option<Time>,
    /// What it made of the configuration it read last.
    taken: Option<Taken>,
    /// Which configuration in force it is: each time there is another one, the number is.
    edition: u32,
}

impl Daemon {
    /// A daemon that looks after the lines until told to stop; `lacks` is what an earlier one remembered.
    pub fn new(lacks: Lacks) -> Self {
        Self::with(End::No, lacks)
    }

    /// One that ends as soon as the wanted state is there (`weir apply`).
    pub fn once(lacks: Lacks) -> Self {
        Self::with(End::WhenSettled, lacks)
    }

    /// The same, knowing what was learnt before.
    pub fn knowing(self, learnt: Learnt) -> Self {
        Self { learnt, ..self }
    }

    fn with(end: End, lacks: Lacks) -> Self {
        Self {
            config: None,
            altered: schedule::Altered::default(),
            times: schedule::Timetable::default(),
            plan: Plan::default(),
            memo: Memo::default(),
            speeds: Speeds::default(),
            pilots: Vec::new(),
            learnt: Learnt::default(),
            learn_at: None,
            retune: Retune::default(),
            held: Vec::new(),
            kept: Vec::new(),
            archive: archive::Archive::default(),
            read_at: Time(0),
            watch: watch::Watch::default(),
            lacks,
            phase: Phase::Idle,
            end,
            actions: VecDeque::new(),
            observe_at: None,
            has_news: false,
            wants_reload: false,
            pause: FIRST_PAUSE,
            settled_at: None,
            said: Vec::new(),
            noted: Vec::new(),
            has_changed: false,
            now: Time(0),
            events: Events::default(),
            wanted: Wanted::default(),
            began: None,
            taken: None,
            edition: 0,
        }
    }

    /// Whether it ends as soon as the wanted state is there.
    pub fn is_once(&self) -> bool {
        self.end == End::WhenSettled
    }

    /// What is planned at the moment.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The configuration in force.
    pub fn config(&self) -> Option<&Config> {
        self.config.as_ref()
    }

    /// Whether the file was refused when it was read last, so that what is in force does not stand in it.
    pub fn is_refused(&self) -> bool {
        self.taken.as_ref().is_some_and(|taken| !taken.is_taken)
    }

    /// Which configuration it is that is in force, by a number that is another one each time.
    pub fn edition(&self) -> u32 {
        self.edition
    }

    /// The next thing to do, if any.
    pub fn poll(&mut self) -> Option<Action> {
        let mut action = self.actions.pop_front()?;
        match &mut action {
            Action::Sample { line, is_whole, flows, .. } => {
                *is_whole = self.looks_whole(*line);
                if *is_whole {
                    *flows = self.doubts(*line);
                }
            }
            Action::Say(level, text) => self.events.add(self.now, *level, text),
            Action::Tell(fault) if fault.severity == Severity::Fault => {
                self.events.add(self.now, Level::Error, &fault.sentence());
            }
            Action::Tell(fault) => self.events.add(self.now, Level::Warning, &fault.sentence()),
            _ => {}
        }
        if let Action::Say(level @ (Level::Error | Level::Warning), text) = &action
            && self.wanted.seldom
        {
            let news = self.broken_news(*level, text);
            self.actions.push_front(Action::Tidings(news));
        }
        Some(action)
    }

    /// What it has said lately.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// What somebody listens for from now on.
    pub fn want(&mut self, wanted: Wanted) {
        self.wanted = wanted;
    }

    /// When to send [`Event::Deadline`] if nothing happens before.
    pub fn deadline(&self) -> Option<Time> {
        let look = self.observe_at.filter(|_| self.phase == Phase::Idle);
        let pilots = self.pilots.iter().filter_map(|pilot| pilot.deadline());
        pilots
            .chain(look)
            .chain(self.held_until())
            .chain(self.read_due())
            .chain(self.times.read_at)
            .chain(self.archive.due())
            .chain(self.watch.deeds.until())
            .min()
    }

    /// The lines that are steered.
    pub fn pilots(&self) -> &[Box<Pilot>] {
        &self.pilots
    }

    /// What the lines are steered to.
    pub fn speeds(&self) -> &Speeds {
        &self.speeds
    }

    /// Takes what happened at `now`.
    pub fn handle(&mut self, now: Time, event: Event) {
        self.now = now;
        self.began.get_or_insert(now);
        match event {
            Event::Start | Event::Reload if self.end == End::Removing => {}
            Event::Start | Event::Reload => {
                self.wants_reload = true;
                self.go_on(now);
            }
            Event::ConfigRead(result) => self.config_read(now, result),
            Event::Observed(seen) => self.observed(now, seen),
            Event::ObserveFailed(text) => {
                self.say(Level::Error, format!("cannot look at the system: {text}"));
                self.fail(now);
            }
            Event::Applied => {
                self.phase = Phase::Observing { is_check: true };
                self.act(Action::Observe);
            }
            Event::ApplyFailed(failure) => self.apply_failed(now, failure),
            Event::LinksChanged | Event::TcChanged => {
                if self.config.is_some() || self.end == End::Removing {
                    self.has_news = true;
                    self.go_on(now);
                }
            }
            Event::Sampled { line, at, sample } => {
                self.keep(line, at, &sample);
                self.pilot(now, line, |pilot| pilot.sampled(at, &sample));
            }
            Event::Answered { line, answer } => self.pilot(now, line, |pilot| pilot.handle(now, answer)),
            Event::LookedBusy(stat) => self.looked_busy(now, stat),
            Event::Retuned { ops, refused } => self.retuned(now, ops, refused),
            Event::Clock { seconds, zone } => self.clock_read(now, seconds, zone),
            Event::Recalled { file, seconds } => self.archive_read(now, file, seconds),
            Event::Stop { keep: true } => {
                self.learn(now);
                self.keep_at_the_end(now);
                self.say(Level::Info, "ending; the shaper stays as it is".into());
                self.act(Action::Exit(0));
            }
            Event::Stop { keep: false } => {
                self.keep_at_the_end(now);
                self.end = End::Removing;
                self.has_changed = false;
                self.learn(now);
                self.config = None;
                self.altered.clear();
                self.watch = watch::Watch::default();
                self.times.read_at = None;
                self.pilots.clear();
                self.kept.clear();
                self.wants_reload = false;
                if self.phase == Phase::Idle {
                    self.observe();
                }
            }
            Event::Deadline => {
                if self.phase == Phase::Idle && self.observe_at.is_some_and(|at| at <= now) {
                    self.observe();
                }
                let times = [&mut self.times.read_at, &mut self.archive.look_at];
                let due = times.into_iter().filter_map(|at| at.take_if(|at| *at <= now));
                if due.count() > 0 {
                    self.act(Action::ReadClock);
                }
                self.wake(now);
            }
        }
    }

    /// Starts what was asked for while something else was under way.
    fn go_on(&mut self, now: Time) {
        if self.phase != Phase::Idle {
            return;
        }
        if self.end == End::Removing {
            self.observe();
        } else if self.wants_reload {
            self.wants_reload = false;
            self.phase = Phase::Reading;
            self.act(Action::ReadClock);
            self.act(Action::ReadConfig);
        } else if self.altered.is_new && self.config.is_some() {
            self.enforce();
            self.observe();
        } else if self.has_news {
            self.has_news = false;
            let at = now + CALM;
            self.observe_at = Some(self.observe_at.map_or(at, |earlier| earlier.max(at)));
        } else {
            self.retune();
        }
    }

    fn observe(&mut self) {
        self.observe_at = None;
        self.has_news = false;
        self.phase = Phase::Observing { is_check: false };
        self.act(Action::Observe);
    }

    fn config_read(&mut self, now: Time, result: Reading) {
        match result {
            Ok((config, warnings)) => {
                self.taken = Some(Taken::new(true, &warnings));
                warnings.into_iter().for_each(|warning| self.act(Action::Tell(warning)));
                self.adopt_schedules(&config);
                self.config = Some(config);
                self.watch_anew(now);
                self.archive_anew(now);
                self.reckon(now);
                self.enforce();
                self.pause = FIRST_PAUSE;
                self.settled_at = None;
                self.noted = self.plan.notes.clone();
                self.spread(News::Config { is_taken: true });
                self.observe();
            }
            Err(refusal) => {
                self.phase = Phase::Idle;
                let code = match refusal {
                    Refusal::Unreadable(text) => {
                        let (severity, option) = (Severity::Fault, String::new());
                        let fault = Fault { severity, line: 0, option, text: text.clone() };
                        self.taken = Some(Taken::new(false, &[fault]));
                        self.say(Level::Error, text);
                        66 // EX_NOINPUT
                    }
                    Refusal::Faults(faults) => {
                        self.taken = Some(Taken::new(false, &faults));
                        faults.into_iter().for_each(|fault| self.act(Action::Tell(fault)));
                        78 // EX_CONFIG
                    }
                };
                let kept = if self.config.is_some() {
                    "the earlier one stays in force"
                } else {
                    "nothing is changed"
                };
                self.say(Level::Error, format!("the configuration is refused; {kept}"));
                self.spread(News::Config { is_taken: false });
                if self.end == End::WhenSettled {
                    self.act(Action::Exit(code));
                }
                self.go_on(now);
            }
        }
    }

    fn observed(&mut self, now: Time, mut seen: Observation) {
        let is_check = self.phase == (Phase::Observing { is_check: true });
        self.phase = Phase::Idle;
        seen.world.lacks = self.lacks;
        let plan = match &self.config {
            Some(config) => plan_with(config, &seen.world, &self.speeds, &mut self.memo),
            None => Plan::default(),
        };
        let old = core::mem::replace(&mut self.plan, plan);
        self.tell_rates(&old);
        let mut before = old.tree;
        self.plan.yield_to_others(&seen.tree);
        let ops = diff(&seen.tree, &self.plan.tree);
        if ops.is_empty() {
            return self.settled(now);
        }
        if is_check {
            self.say(
                Level::Error,
                format!("the kernel does not keep what it accepted: {} differences", ops.len()),
            );
            return self.fail(now);
        }
        // What differs from what was wanted until now is not our doing; what is wanted may be another thing now.
        // A device that went took its queues along, which is nobody's meddling.
        before
            .devices
            .retain(|device| device.origin != Origin::System || seen.tree.device(&device.name).is_some());
        if self.settled_at.is_some() && !diff(&seen.tree, &before).is_empty() {
            self.say(Level::Warning, "somebody changed or removed weir's queues; putting them back".into());
            // Whoever does that again and again wins less often each time.
            if self.settled_at.is_some_and(|at| now - at < HEALED_AFTER) {
                self.pause = Micros(self.pause.0 * 2).min(LONGEST_PAUSE);
            } else {
                self.pause = FIRST_PAUSE;
            }
        }
        let mut try_first = Tree::default();
        for theirs in self.plan.takes_over(&seen.tree) {
            self.say(
                Level::Warning,
                format!(
                    "{}: replacing {} {} of another program (takeover)",
                    theirs.device, theirs.kind, theirs.handle
                ),
            );
            try_first.devices.extend(self.plan.tree.device(&theirs.device).cloned());
        }
        self.phase = Phase::Applying;
        self.has_changed = true;
        self.act(Action::Apply { before: seen.tree, ops, try_first });
    }

    /// Whether a direction is not shaped because only a running daemon could.
    fn leaves_to_the_daemon(&self) -> bool {
        let Some(config) = self.config.as_ref().filter(|config| config.globals.enabled) else { return false };
        let lines = self.plan.lines.iter().zip(&config.wans).filter(|(_, wan)| wan.enabled);
        lines.into_iter().any(|(line, wan)| {
            let off = |way: Way, direction: &Direction| {
                wan.steers(way) && wan.speed(way).is_none() && matches!(direction, Direction::Off(_))
            };
            off(Way::Up, &line.upload) || off(Way::Down, &line.download)
        })
    }

    fn settled(&mut self, now: Time) {
        self.settled_at = Some(now);
        let split = self.plan.split.clone();
        self.act(Action::Split(split));
        match self.end {
            End::No => self.board(now),
            End::WhenSettled => {
                self.tell();
                if !self.schedules().is_empty() {
                    let text =
                        "schedules are as of now; while no 'weir daemon' runs nothing changes with the hour";
                    self.say(Level::Info, text.into());
                }
                // What could be done is done; that something could not be is still a failure for whoever asked.
                let is_done = self.plan.is_possible() && !self.leaves_to_the_daemon();
                self.act(Action::Exit(u8::from(!is_done)));
                return;
            }
            End::Removing => {
                // A module may be installed before the next start.
                self.act(Action::Remember(Lacks::default()));
                let text =
                    if self.has_changed { "the shaper is removed" } else { "there was nothing of weir's" };
                self.say(Level::Info, text.into());
                self.act(Action::Exit(0));
                return;
            }
        }
        self.tell();
        self.go_on(now);
    }

    /// Says how each line stands, if that is news.
    fn tell(&mut self) {
        let mut lines: Vec<String> = Vec::new();
        for (place, line) in self.plan.lines.iter().enumerate() {
            let pilot = self.pilot_at(place);
            let told = |way: Way, direction: &Direction| match direction {
                // Its rate is no news: it moves many times a second.
                Direction::Shaped { device, engine, .. }
                    if pilot.is_some_and(|p| p.begins(way).is_some()) =>
                {
                    format!("follows the line on {device} ({engine})")
                }
                _ => format!("{direction}"),
            };
            let (upload, download) = (told(Way::Up, &line.upload), told(Way::Down, &line.download));
            lines.push(format!("{}: upload {upload}, download {download}", line.name));
        }
        let mut news: Vec<String> = lines.iter().filter(|text| !self.said.contains(text)).cloned().collect();
        let notes = &self.plan.notes;
        let new = notes.iter().filter(|note| !self.noted.contains(note));
        news.extend(new.map(|(line, text)| format!("{line}: {text}")));
        // Of a line that is gone there are none, and there will be the same ones when it returns.
        self.noted.retain(|(known, _)| !notes.iter().any(|(line, _)| line == known));
        self.noted.extend_from_slice(notes);
        for text in news {
            self.spread(News::State(text.clone()));
            self.say(Level::Info, text);
        }
        self.said = lines;
    }

    fn apply_failed(&mut self, now: Time, failure: Failure) {
        self.phase = Phase::Idle;
        let Failure { op, errno, extack, text, is_restored } = failure;
        let has_learnt = op.is_some_and(|op| self.lacks.learn(&op, errno, &extack));
        if has_learnt {
            // Whatever could not be put back, the next plan begins from what there is.
            self.say(Level::Debug, format!("{text}; planning without it"));
            self.act(Action::Remember(self.lacks));
            return self.observe();
        }
        let rest =
            if is_restored { "everything is as it was before" } else { "NOT everything could be put back" };
        let hint = if errno == EPERM { "; run as root" } else { "" };
        self.say(Level::Error, format!("{text}; {rest}{hint}"));
        self.fail(now);
    }

    /// Waits before the next try; a single try ends.
    fn fail(&mut self, now: Time) {
        self.phase = Phase::Idle;
        if self.end != End::No {
            self.act(Action::Exit(1));
            return;
        }
        self.say(Level::Info, format!("trying again in {}", self.pause));
        self.observe_at = Some(now + self.pause);
        self.pause = Micros(self.pause.0 * 2).min(LONGEST_PAUSE);
        if self.wants_reload || self.altered.is_new {
            self.go_on(now);
        }
    }

    /// Tells those who listen, if there can be any.
    fn spread(&mut self, news: News) {
        if self.wanted.seldom {
            self.act(Action::Tidings(news));
        }
    }

    fn act(&mut self, action: Action) {
        self.actions.push_back(action);
    }

    fn say(&mut self, level: Level, text: String) {
        self.actions.push_back(Action::Say(level, text));
    }
}

#[cfg(test)]
mod tests;
