// SPDX-License-Identifier: Apache-2.0
//! A line that steers itself, as the daemon sees it: a controller, where its counters are, and what it is held to.
//!
//! ```text
//!            its queues stand           somebody holds it
//!   waiting ────────────────▶ steering ───────────────────▶ held
//!      ▲     its queues go   │        ◀─────────────────────┘
//!      └─────────────────────┘        the time is over: begins from what was learnt
//! ```

use crate::config::steer::{Far, Probing};
use crate::config::{Config, Wan};
use crate::control::{self, Bounds, Controller, Setup, State, View};
use crate::measure::counters::{Counters, Sample};
use crate::measure::probe::Questions;
use crate::measure::reflectors::BUILT_IN;
use crate::report::about;
use crate::tc::plan::{Plan, Tune};
use crate::tc::speed::Speed;
use crate::units::{DeviceName, Micros, Rate, Time, Way};
use crate::{limits, tape};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

/// Where the queues of one direction are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// On this device.
    pub device: DeviceName,
    /// A CAKE, not HTB classes.
    pub is_cake: bool,
}

/// Where a line's counters are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tap {
    /// The line's device.
    pub line: DeviceName,
    /// Upload's queues.
    pub up: Option<Side>,
    /// Download's queues.
    pub down: Option<Side>,
}

impl Tap {
    /// Where the counters of the line at `place` are, if it is shaped.
    pub fn of(plan: &Plan, place: usize) -> Option<Self> {
        let line = plan.lines.get(place)?.device?;
        let side = |way: Way| {
            let tune = plan.tunes.iter().find(|tune| tune.line == place && tune.way == way)?;
            Some(Side { device: tune.device, is_cake: tune.kit.is_none() })
        };
        let tap = Self { line, up: side(Way::Up), down: side(Way::Down) };
        (tap.up.is_some() || tap.down.is_some()).then_some(tap)
    }
}

/// The rates a line had when it was last steered, by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learnt(Vec<(String, [Option<Rate>; 2])>);

impl Learnt {
    /// The first line of the file; another version's is not read.
    const HEAD: &'static str = "weir learnt 1";

    /// Reads a file; what is not understood was not learnt.
    pub fn from_text(text: &str) -> Self {
        let mut lines = text.lines();
        if lines.next() != Some(Self::HEAD) {
            return Self::default();
        }
        let line = |line: &str| {
            let mut words = line.split(' ');
            let name = words.next()?.into();
            let mut rate = || {
                let kbit: u32 = words.next()?.parse().ok()?;
                (kbit > 0).then_some(Rate::kbit(kbit))
            };
            Some((name, [rate(), rate()]))
        };
        Self(lines.filter_map(line).take(limits::WANS).collect())
    }

    /// Writes a file.
    pub fn to_text(&self) -> String {
        let mut out = String::from(Self::HEAD);
        for (name, rates) in &self.0 {
            let kbit = |rate: Option<Rate>| rate.map_or(0, |rate| rate.bits_per_sec() / 1000);
            let [up, down] = rates.map(kbit);
            let _ = write!(out, "\n{name} {up} {down}");
        }
        out.push('\n');
        out
    }

    /// What is known of a line.
    pub fn get(&self, name: &str) -> [Option<Rate>; 2] {
        let line = self.0.iter().find(|(known, _)| known == name);
        line.map(|(_, rates)| *rates).unwrap_or_default()
    }

    /// Whether a line has moved so far from what is written down that it is worth a new writing.
    pub fn is_far_from(&self, other: &Self) -> bool {
        let is_near = |a: Option<Rate>, b: Option<Rate>| {
            let [a, b] = [a, b].map(|rate| rate.map_or(0, Rate::bits_per_sec));
            a.abs_diff(b) <= a.max(b) / 5
        };
        self.0.iter().any(|(name, [up, down])| {
            let [other_up, other_down] = other.get(name);
            !is_near(*up, other_up) || !is_near(*down, other_down)
        })
    }

    /// Takes what a line has learnt.
    pub fn set(&mut self, name: &str, rates: [Option<Rate>; 2]) {
        if let Some(line) = self.0.iter_mut().find(|(known, _)| known == name) {
            line.1 = rates;
        } else if self.0.len() < limits::WANS {
            self.0.push((name.into(), rates));
        }
    }
}

/// One line that is steered.
#[derive(Debug)]
pub struct Pilot {
    /// Its place in the configuration.
    pub place: usize,
    /// Its name.
    pub name: String,
    /// Whom it asks.
    pub far: Vec<Far>,
    setup: Setup,
    controller: Controller,
    counters: Counters,
    /// Where its counters are; `None` while nothing is shaped.
    tap: Option<Tap>,
    /// What the controller wants and has not got yet.
    wants: [Option<Rate>; 2],
    /// What it was told and said since somebody last looked, while it is recorded.
    tape: Option<String>,
    /// When it was last told something.
    now: Time,
    /// Whether nobody answered when it was last looked at.
    is_blind: bool,
}

impl Pilot {
    /// For a line of the configuration, if it is one that is steered.
    fn new(config: &Config, place: usize, learnt: &Learnt) -> Option<Self> {
        let wan = config.wans.get(place)?;
        let setup = setup(wan, learnt.get(&wan.name))?;
        Some(Self {
            place,
            name: wan.name.clone(),
            far: wan.steer.reflectors.clone(),
            controller: Controller::new(&setup),
            setup,
            counters: Counters::new(wan.link, 0),
            tap: None,
            wants: [None; 2],
            tape: None,
            now: Time(0),
            is_blind: false,
        })
    }

    /// The lines of `config` that are steered. Those that were before go on as they are.
    pub fn all(config: &Config, mut before: Vec<Self>, learnt: &Learnt) -> Vec<Self> {
        let pilots = (0..config.wans.len()).filter_map(|place| Self::new(config, place, learnt));
        let mut kept = |new: Self| {
            let is_same = |old: &Self| old.is_like(&new);
            let old = before.iter().position(is_same).map(|at| before.swap_remove(at));
            let place = new.place;
            old.map_or(new, |old| Self { place, ..old })
        };
        pilots.map(&mut kept).collect()
    }

    /// What was learnt in the meantime is no difference.
    fn is_like(&self, new: &Self) -> bool {
        let bounds = |bounds: Option<Bounds>| bounds.map(|bounds| Bounds { start: None, ..bounds });
        let (old, setup) = (&self.setup, &new.setup);
        self.name == new.name
            && self.far == new.far
            && bounds(old.up) == bounds(setup.up)
            && bounds(old.down) == bounds(setup.down)
            && old.target == setup.target
            && old.questions == setup.questions
    }

    /// Where a direction begins; `None`: it is not steered.
    pub fn begins(&self, way: Way) -> Option<Rate> {
        self.bounds(way).map(|bounds| bounds.begin(way))
    }

    /// `rate` within the bounds of a direction.
    pub fn within(&self, way: Way, rate: Rate) -> Rate {
        let Bounds { least, most, .. } = self.bounds(way).unwrap_or_default();
        rate.min(most.unwrap_or(rate)).max(least.unwrap_or(rate))
    }

    /// What is worth knowing after a restart.
    pub fn learnt(&self) -> [Option<Rate>; 2] {
        self.controller.memory().rates()
    }

    fn bounds(&self, way: Way) -> Option<Bounds> {
        match way {
            Way::Up => self.setup.up,
            Way::Down => self.setup.down,
        }
    }

    /// Its queues stand, here; says whether they did not before. It goes on from what was learnt, whatever rates somebody
    /// else has set meanwhile.
    pub fn stand(&mut self, now: Time, tap: Tap, counters: Counters) -> bool {
        if self.tap == Some(tap) {
            return false;
        }
        self.setup = self.setup.recall(self.controller.memory());
        self.tap = Some(tap);
        self.counters = counters;
        self.controller = Controller::new(&self.setup);
        self.wants = [None; 2];
        self.handle(now, control::Event::Start);
        true
    }

    /// Its queues are gone, or somebody else holds them; says whether they were there.
    pub fn rest(&mut self) -> bool {
        self.wants = [None; 2];
        self.tap.take().is_some()
    }

    /// Where its counters are.
    pub fn tap(&self) -> Option<&Tap> {
        self.tap.as_ref()
    }

    /// The counters were read.
    pub fn sampled(&mut self, at: Time, sample: &Sample) {
        let [up, down] = self.counters.add(sample);
        self.handle(at, control::Event::Counters { at, up, down });
    }

    /// Something happened.
    pub fn handle(&mut self, now: Time, event: control::Event) {
        if self.tap.is_none() {
            return;
        }
        self.now = now;
        if let Some(tape) = &mut self.tape {
            let written = match event {
                control::Event::Start => tape::start(now, &self.setup, tape),
                _ => tape::event(now, &event, tape),
            };
            written.expect("a String takes everything");
        }
        self.controller.handle(now, event);
    }

    /// Begins to record, from what it would start with now.
    pub fn record(&mut self, now: Time) {
        let setup = self.setup.recall(self.controller.memory());
        let mut tape = String::new();
        tape::start(now, &setup, &mut tape).expect("a String takes everything");
        self.tape = Some(tape);
    }

    /// Ends the recording.
    pub fn record_no_more(&mut self) {
        self.tape = None;
    }

    /// What was recorded since the last call; `None`: it is not recorded.
    pub fn tape(&mut self) -> Option<&mut String> {
        self.tape.as_mut()
    }

    /// What it wants done, but for rates, which are kept for [`Self::take`].
    pub fn poll(&mut self) -> Option<control::Action> {
        self.tap?;
        loop {
            let action = self.controller.poll()?;
            if let Some(tape) = &mut self.tape {
                tape::action(self.now, &action, tape).expect("a String takes everything");
            }
            match action {
                control::Action::SetRates { up, down } => {
                    for (want, rate) in self.wants.iter_mut().zip([up, down]) {
                        *want = rate.or(*want);
                    }
                }
                other => return Some(other),
            }
        }
    }

    /// What has become of the answers, when that is news.
    pub fn news(&mut self) -> Option<&'static str> {
        let is_blind = self.tap.is_some()
            && self.setup.reflectors > 0
            && self.controller.view(Way::Up).state == State::Blind;
        if core::mem::replace(&mut self.is_blind, is_blind) == is_blind || self.tap.is_none() {
            return None;
        }
        Some(if is_blind {
            "nobody answers probes: counters alone steer (see options 'reflector' and 'probe')"
        } else {
            "probes are answered again"
        })
    }

    /// The rate it wants for a direction, once.
    pub fn take(&mut self, way: Way) -> Option<Rate> {
        self.wants.get_mut(way as usize)?.take()
    }

    /// When it wants to hear of the time.
    pub fn deadline(&self) -> Option<Time> {
        self.tap.and_then(|_| self.controller.deadline())
    }

    /// Whether it is this direction's.
    pub fn owns(&self, tune: &Tune) -> bool {
        tune.line == self.place
    }
}

/// How one direction of a steered or held line stands, as the daemon tells the other commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The line's place in the configuration.
    pub place: usize,
    /// Which direction.
    pub way: Way,
    /// What it is steered to.
    pub speed: Speed,
    /// What it carries, as far as is known.
    pub capacity: Option<Rate>,
    /// How long packets wait in the line.
    pub wait: Option<Micros>,
    /// All of it for people.
    pub text: String,
}

impl Standing {
    /// Of a direction with its pilot, if it is steered, or the time it is still held.
    pub fn new(place: usize, way: Way, speed: Speed, pilot: Option<&Pilot>, held: Option<Micros>) -> Self {
        let view = pilot.filter(|pilot| pilot.tap().is_some()).map(|pilot| pilot.controller.view(way));
        let text = match (held, view) {
            (Some(left), _) => format!("held, for {left} more"),
            (None, Some(view)) => following(&view),
            (None, None) => "waits for its queues".into(),
        };
        let capacity = view.map(|view| view.level).filter(|rate| *rate > Rate::ZERO);
        let wait = view.filter(|view| view.state != State::Blind && view.level > Rate::ZERO);
        Self { place, way, speed, capacity, wait: wait.map(|view| view.wait), text }
    }

    /// One line of text.
    pub fn to_text(&self) -> String {
        let Self { place, way, speed, capacity, wait, text } = self;
        let bits = |rate: Option<Rate>| rate.map_or(0, Rate::bits_per_sec);
        let [line, shares] = [speed.line, speed.shares].map(Rate::bits_per_sec);
        let (capacity, wait) = (bits(*capacity), wait.map_or(0, |wait| wait.0 + 1));
        format!("{place} {} {line} {shares} {capacity} {wait} {text}", *way as usize)
    }

    /// Reads such a line.
    pub fn from_text(line: &str) -> Option<Self> {
        let mut words = line.splitn(7, ' ');
        let mut number = || words.next()?.parse::<u64>().ok();
        let (place, way) = (number()?, number()?);
        let speed = Speed { line: Rate::bits(number()?), shares: Rate::bits(number()?) };
        let (capacity, wait) = (Some(number()?).filter(|bits| *bits > 0), number()?.checked_sub(1));
        Some(Self {
            place: usize::try_from(place).ok()?,
            way: Way::ALL.get(usize::try_from(way).ok()?).copied()?,
            speed,
            capacity: capacity.map(Rate::bits),
            wait: wait.map(Micros),
            text: words.next()?.into(),
        })
    }
}

/// What a controller thinks, in a line of text.
fn following(view: &View) -> String {
    let (state, reason) = (view.state.text(), view.reason.text());
    match (view.level, view.state) {
        (Rate::ZERO, _) => format!("{state}: {reason}"),
        (rate, State::Blind) => format!("{state}: {reason}; last seen to carry {}", about(rate)),
        (rate, _) => {
            let (carries, wait) = (about(rate), view.wait);
            format!("{state}: {reason}; last seen to carry {carries}, waits {wait} (aim {})", view.target)
        }
    }
}

/// What the configuration and the past say of a line; `None`: it is not steered.
fn setup(wan: &Wan, learnt: [Option<Rate>; 2]) -> Option<Setup> {
    if !wan.enabled || !Way::ALL.iter().any(|way| wan.steers(*way)) {
        return None;
    }
    let bounds = |way: Way| {
        let limits = wan.limits(way);
        wan.steers(way).then(|| Bounds {
            least: limits.min,
            start: learnt.get(way as usize).copied().flatten(),
            most: limits.max.or(wan.speed(way)),
        })
    };
    let reflectors = match wan.steer.probe {
        Probing::None => 0,
        _ if wan.steer.reflectors.is_empty() => BUILT_IN.len() as u16,
        _ => wan.steer.reflectors.len() as u16,
    };
    let questions = match wan.steer.probe {
        Probing::Auto | Probing::None => Questions::All,
        Probing::Icmp => Questions::Icmp,
        Probing::Dns => Questions::Dns,
    };
    let target = wan.steer.target;
    Some(Setup { up: bounds(Way::Up), down: bounds(Way::Down), target, reflectors, questions })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learnt_survives_its_file_and_nothing_else_does() {
        let mut learnt = Learnt::default();
        learnt.set("lte", [Some(Rate::mbit(12)), None]);
        learnt.set("wan", [None, Some(Rate::mbit(90))]);
        assert_eq!(Learnt::from_text(&learnt.to_text()), learnt);
        for broken in ["", "weir learnt 2\nlte 1 2\n", "x", "\u{0}weir learnt 1\nlte 1 2"] {
            assert_eq!(Learnt::from_text(broken), Learnt::default(), "{broken}");
        }
        let half = Learnt::from_text("weir learnt 1\nlte 12000 x\nwan\n\n- -1 99999999999\n");
        assert_eq!(half.get("lte"), [Some(Rate::mbit(12)), None]);
        assert_eq!(half.get("-"), [None, None]);
    }

    #[test]
    fn it_is_written_again_when_a_line_has_moved_by_a_fifth() {
        let at = |mbit| {
            let mut learnt = Learnt::default();
            learnt.set("lte", [Some(Rate::mbit(mbit)), None]);
            learnt
        };
        assert!(!at(11).is_far_from(&at(10)));
        assert!(at(13).is_far_from(&at(10)) && at(7).is_far_from(&at(10)));
        assert!(at(1).is_far_from(&Learnt::default()));
    }

    #[test]
    fn a_reload_that_changes_nothing_lets_a_line_go_on() {
        let mut config = Config::default();
        let mut pilots = Pilot::all(&config, Vec::new(), &Learnt::default());
        let name = DeviceName::new("eth0").expect("a name");
        let tap = Tap { line: name, up: Some(Side { device: name, is_cake: false }), down: None };
        let counters = Counters::new(config.wans[0].link, 14);
        assert!(pilots[0].stand(Time(5), tap, counters));
        let mut pilots = Pilot::all(&config, pilots, &Learnt::default());
        assert!(!pilots[0].stand(Time(6), tap, counters), "it stands already");
        config.wans[0].steer.up.max = Some(Rate::mbit(5));
        let mut pilots = Pilot::all(&config, pilots, &Learnt::default());
        assert!(pilots[0].stand(Time(7), tap, counters), "another setup begins anew");
        config.wans[0].steer.adapt = Some(false);
        assert!(Pilot::all(&config, pilots, &Learnt::default()).is_empty());
    }
}
