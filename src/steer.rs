// SPDX-License-Identifier: Apache-2.0
//! A line that steers itself, as the daemon sees it: a controller, where its counters are, and what it is held to.
//!
//! ```text
//!            its queues stand           somebody holds it
//!   waiting ────────────────▶ steering ───────────────────▶ held
//!      ▲     its queues go   │        ◀─────────────────────┘
//!      └─────────────────────┘        the time is over: begins from what was learnt
//! ```

mod learnt;
mod settled;
mod silence;
mod standing;
mod tally;
mod tap;

pub use learnt::Learnt;
pub use standing::Standing;
pub use tally::Probed;
pub use tap::{Side, Tap};

use settled::Settled;
use silence::Silence;
use tally::Tally;

use crate::config::steer::{Far, Probing};
use crate::config::{Config, Wan};
use crate::control::{self, Bounds, Controller, Setup, State, View};
use crate::daemon::Level;
use crate::measure::counters::{Counters, Sample};
use crate::measure::probe::Questions;
use crate::measure::reflectors::BUILT_IN;
use crate::report::about;
use crate::tape;
use crate::units::{Rate, Time, Way};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

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
    /// What was said of nobody answering.
    silence: Silence,
    /// What was said of its rates.
    settled: [Settled; 2],
    /// What became of its probes.
    tally: Tally,
}

impl Pilot {
    /// For a line of the configuration, if it is one that is steered.
    fn new(config: &Config, place: usize, learnt: &Learnt) -> Option<Box<Self>> {
        let wan = config.wans.get(place)?;
        let setup = setup(wan, learnt.get(&wan.name))?;
        Some(Box::new(Self {
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
            silence: Silence::default(),
            settled: Default::default(),
            tally: Tally::default(),
        }))
    }

    /// The lines of `config` that are steered. Those that were before go on as they are. Each in a place of its own: they
    /// are large, and whoever keeps or moves several would copy them.
    pub fn all(config: &Config, mut before: Vec<Box<Self>>, learnt: &Learnt) -> Vec<Box<Self>> {
        let mut all = Vec::new();
        for place in 0..config.wans.len() {
            let Some(mut pilot) = Self::new(config, place, learnt) else { continue };
            if let Some(at) = before.iter().position(|old| old.is_like(&pilot)) {
                pilot = before.swap_remove(at);
                pilot.place = place;
            } else if let Some(old) = before.iter().find(|old| old.name == pilot.name) {
                // Within other bounds it is the same line.
                pilot.setup = pilot.setup.recall(old.controller.memory());
                pilot.controller = Controller::new(&pilot.setup);
            }
            all.push(pilot);
        }
        all
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
            self.counters.weigh_like(&counters);
            return false;
        }
        self.setup = self.setup.recall(self.controller.memory());
        self.tap = Some(tap);
        self.counters = counters;
        let [up, down] = Way::ALL.map(|way| self.controller.view(way));
        self.controller = Controller::new(&self.setup);
        self.controller.go_on(&up, &down);
        self.wants = [None; 2];
        self.tally = Tally::default();
        self.handle(now, control::Event::Start);
        true
    }

    /// Its queues are gone, or somebody else holds them; says whether they were there.
    pub fn rest(&mut self) -> bool {
        self.wants = [None; 2];
        self.tap.take().is_some()
    }

    /// What its controller thinks of a direction, while it steers.
    pub(crate) fn view(&self, way: Way) -> Option<View> {
        self.tap.map(|_| self.controller.view(way))
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
        if let control::Event::Answer { id, .. } = event {
            self.tally.answered(id);
        }
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
            if let control::Action::Probe { reflector, id, .. } = action {
                self.tally.asked(self.now, id, reflector);
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

    /// What has become of the answers, when that is news and was not said lately.
    pub fn news(&mut self, now: Time) -> Option<(Level, String)> {
        // A line that nobody uses is not steered blindly, but whoever reads the log should know before it is used.
        let is_blind = self.setup.reflectors > 0
            && self
                .view(Way::Up)
                .is_some_and(|view| view.state == State::Blind || self.tally.is_unheard(now));
        self.silence.news(now, is_blind, self.tap.is_some()).or_else(|| self.rested(now))
    }

    /// A rate that has come to rest far from where it was.
    fn rested(&mut self, now: Time) -> Option<(Level, String)> {
        Way::ALL.into_iter().find_map(|way| {
            let view = self.view(way).filter(|view| view.rate > Rate::ZERO)?;
            let was = self.settled.get_mut(way as usize)?.news(now, view.rate)?;
            let (is, was) = (about(view.rate), about(was));
            Some((Level::Info, format!("{way} has settled at {is}, after {was}; {}", view.reason.text())))
        })
    }

    /// So many answers came too late to count, and so many were to none of its probes.
    pub fn heard_besides(&mut self, late: u32, forged: u32) {
        self.tally.odd = [late, forged];
    }

    /// What became of its probes; `None`: it asks nobody.
    pub fn probing(&self) -> Option<Probed> {
        (self.tap.is_some() && self.setup.reflectors > 0).then(|| self.tally.probing())
    }

    /// The rate it wants for a direction, once.
    pub fn take(&mut self, way: Way) -> Option<Rate> {
        self.wants.get_mut(way as usize)?.take()
    }

    /// When it wants to hear of the time.
    pub fn deadline(&self) -> Option<Time> {
        self.tap.and_then(|_| self.controller.deadline())
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
        Probing::Tcp => Questions::Tcp,
        Probing::Dns => Questions::Dns,
    };
    let target = wan.steer.target;
    Some(Setup { up: bounds(Way::Up), down: bounds(Way::Down), target, reflectors, questions })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::counters::{Count, Queue};
    use crate::units::{DeviceName, Micros};

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

    /// All of the rate passes, our queue is not empty, and everybody answers, for so many seconds; gives the rate it came to.
    fn used(pilot: &mut Pilot, from: u64, seconds: u64, mut rate: Rate) -> Rate {
        let backlog = Count { bytes: 30_000, packets: 20 };
        let mut queue = Queue { is_wire: true, backlog, ..Queue::default() };
        for step in 0..seconds * 20 {
            let now = Time(from * 1_000_000 + step * 50_000);
            if pilot.deadline().is_some_and(|at| at <= now) {
                pilot.handle(now, control::Event::Deadline);
            }
            queue.sent.bytes += rate.bits_per_sec() / 8 / 20;
            queue.sent.packets += 10;
            while let Some(action) = pilot.poll() {
                match action {
                    control::Action::ReadCounters => {
                        pilot.sampled(now, &Sample { queues: [Some(queue), None], ..Sample::default() });
                    }
                    control::Action::Probe { reflector, id, .. } => {
                        let (sent, received) = (now, now + Micros::ms(20));
                        let answer = control::Event::Answer { reflector, id, sent, received, one_way: None };
                        pilot.handle(received, answer);
                    }
                    control::Action::SetRates { .. } => {}
                }
            }
            rate = pilot.take(Way::Up).unwrap_or(rate);
        }
        rate
    }

    #[test]
    fn where_nothing_ever_queued_a_line_goes_on_from_its_rate_when_a_hold_ends_and_not_from_the_least() {
        let mut pilot = Pilot::all(&Config::default(), Vec::new(), &Learnt::default()).remove(0);
        let name = DeviceName::new("eth0").expect("a name");
        let tap = Tap { line: name, up: Some(Side { device: name, is_cake: false }), down: None };
        let counters = Counters::new(Config::default().wans[0].link, 14);
        pilot.stand(Time(0), tap, counters);
        let begun = pilot.begins(Way::Up).expect("it is steered");
        let before = used(&mut pilot, 0, 30, begun);
        assert!(before.bits_per_sec() > 2 * begun.bits_per_sec(), "{before} after {begun}");
        assert_eq!(pilot.learnt()[0], None, "no queue says how much it carries");
        let level = pilot.view(Way::Up).expect("it steers").level;
        assert!(pilot.rest());
        pilot.stand(Time(31_000_000), tap, counters);
        while pilot.poll().is_some() {}
        assert_eq!(pilot.take(Way::Up), Some(before));
        assert_eq!(pilot.view(Way::Up).map(|view| view.level), Some(level), "it is known to carry so much");
    }

    #[test]
    fn that_nobody_answers_an_idle_line_is_in_the_log_once_and_that_somebody_does_again() {
        let mut pilot = Pilot::all(&Config::default(), Vec::new(), &Learnt::default()).remove(0);
        let name = DeviceName::new("eth0").expect("a name");
        let tap = Tap { line: name, up: Some(Side { device: name, is_cake: false }), down: None };
        pilot.stand(Time(0), tap, Counters::new(Config::default().wans[0].link, 14));
        let mut said = Vec::new();
        for second in 0..600u64 {
            let now = Time(second * 1_000_000);
            if pilot.deadline().is_some_and(|at| at <= now) {
                pilot.handle(now, control::Event::Deadline);
            }
            while let Some(action) = pilot.poll() {
                match action {
                    control::Action::ReadCounters => pilot.sampled(now, &Sample::default()),
                    control::Action::Probe { reflector, id, .. } if second > 300 => {
                        let (sent, received) = (now, now + Micros::ms(20));
                        let answer = control::Event::Answer { reflector, id, sent, received, one_way: None };
                        pilot.handle(received, answer);
                    }
                    _ => {}
                }
            }
            said.extend(
                pilot.news(now).filter(|(_, text)| text.contains("probes")).map(|said| (second, said)),
            );
        }
        let [(silent, (warning, text)), (heard, (info, again))] = said.as_slice() else { panic!("{said:?}") };
        assert!(*silent >= 10 && *silent < 120 && *heard > 300 && *heard < 330, "{said:?}");
        assert_eq!((warning, info), (&Level::Warning, &Level::Info));
        assert!(
            text.starts_with("nobody answers probes") && again == "probes are answered again",
            "{said:?}"
        );
    }
}
