// SPDX-License-Identifier: Apache-2.0
//! The part of the daemon that concerns lines that steer themselves: who is steered, when, and how rates reach the
//! kernel. The controllers are `control`'s, a line with its controller is `steer`'s.

use super::{Action, Daemon, End, Level, News, Phase};
use crate::config::steer::Probing;
use crate::config::{Config, Wan};
use crate::control;
use crate::measure::counters::Counters;
use crate::steer::{Pilot, Tap};
use crate::tc::diff::Op;
use crate::tc::plan::{Line, Plan, Tune};
use crate::tc::shape::guaranteed;
use crate::tc::speed::{Speed, Speeds};
use crate::units::{Micros, Permille, Time, Way};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// How often what was learnt is written down at most: the file may be on flash.
const LEARN: Micros = Micros::secs(6 * 3600);
/// The first time after a start, it is sooner: a line nothing was known of is known by then.
const LEARN_FIRST: Micros = Micros::secs(900);

impl Daemon {
    /// Chooses who is steered, and where a new one begins.
    pub(super) fn man(&mut self, config: &Config) {
        if self.end != End::No {
            return;
        }
        let of = |(place, line): (usize, &Line)| {
            (line.name.clone(), Way::ALL.map(|way| self.speeds.get(place, way)))
        };
        let before: Vec<(String, [Option<Speed>; 2])> = self.plan.lines.iter().enumerate().map(of).collect();
        self.pilots = Pilot::all(config, core::mem::take(&mut self.pilots), &self.learnt);
        self.speeds = Speeds::default();
        self.held.retain(|held| config.wans.iter().any(|wan| wan.name == held.name));
        for (place, wan) in config.wans.iter().enumerate() {
            let is_held = self.held.iter().any(|held| held.name == wan.name);
            let known = before.iter().find(|(name, _)| *name == wan.name).filter(|_| is_held);
            for (way, speed) in Way::ALL.into_iter().zip(known.map(|(_, speeds)| *speeds).unwrap_or_default())
            {
                self.speeds.set(place, way, speed);
            }
        }
        for pilot in &self.pilots {
            let known = before.iter().find(|(name, _)| *name == pilot.name).map(|(_, speeds)| *speeds);
            for (way, known) in Way::ALL.into_iter().zip(known.unwrap_or_default()) {
                let Some(begin) = pilot.begins(way) else { continue };
                // A line that was steered a moment ago goes on from there, within its bounds; a held one stays.
                let is_held = self.held.iter().any(|held| held.name == pilot.name);
                let rate = known
                    .map_or(begin, |speed| if is_held { speed.line } else { pilot.within(way, speed.line) });
                let speed = known.filter(|speed| speed.line == rate).unwrap_or(Speed::fixed(rate));
                self.speeds.set(pilot.place, way, Some(speed));
            }
        }
    }

    /// The queues stand: lines that were waiting for theirs are steered from now on, those that lost theirs no more.
    pub(super) fn board(&mut self, now: Time) {
        self.follow(now);
        let Some(config) = &self.config else { return };
        for pilot in &mut self.pilots {
            let Some(wan) = config.wans.get(pilot.place) else { continue };
            if self.held.iter().any(|held| held.name == pilot.name) {
                continue;
            }
            let tap = Tap::of(&self.plan, pilot.place).filter(|_| wan.enabled);
            let line = pilot.place;
            let has_changed = match tap {
                Some(tap) => pilot.stand(now, tap, counters(&self.plan, wan, line)),
                None => pilot.rest(),
            };
            if has_changed {
                self.learn_at.get_or_insert(now + LEARN_FIRST);
                self.actions.push_back(tap.map_or(hush(line), |tap| Action::Listen {
                    line,
                    device: Some(tap.line),
                    far: pilot.far.clone(),
                    probe: wan.steer.probe,
                }));
            }
        }
        self.pilots.iter_mut().for_each(|pilot| perform(pilot, &mut self.actions));
    }

    /// Tells pilots whose moment has come, and does what they say.
    pub(super) fn wake(&mut self, now: Time) {
        self.let_go(now);
        self.let_up(now, None);
        self.read(now);
        for pilot in &mut self.pilots {
            if pilot.deadline().is_some_and(|at| at <= now) {
                pilot.handle(now, control::Event::Deadline);
            }
            perform(pilot, &mut self.actions);
            if let Some((level, text)) = pilot.news(now) {
                let text = format!("{}: {text}", pilot.name);
                self.actions.push_back(Action::Say(level, text));
            }
        }
        if self.learn_at.is_some_and(|at| now >= at) {
            self.learn(now);
        }
        self.keep_now_and_then(now);
        if self.phase == Phase::Idle {
            self.go_on(now);
        }
    }

    /// The pilot of the line at a place.
    pub(super) fn pilot_at(&self, place: usize) -> Option<&Pilot> {
        self.pilots.iter().find(|pilot| pilot.place == place).map(|pilot| &**pilot)
    }

    /// Tells one pilot something, and does what it says.
    pub(super) fn pilot(&mut self, now: Time, line: usize, tell: impl FnOnce(&mut Pilot)) {
        if let Some(pilot) = at(&mut self.pilots, line) {
            tell(pilot);
            perform(pilot, &mut self.actions);
        }
        if self.phase == Phase::Idle {
            self.go_on(now);
        }
    }

    /// Sends the rates that pilots want.
    pub(super) fn retune(&mut self) {
        if self.config.is_none() {
            return;
        }
        for n in 0..self.plan.tunes.len() {
            let Some(tune) = self.plan.tunes.get(n).copied() else { continue };
            let Some(pilot) = at(&mut self.pilots, tune.line) else { continue };
            if let (Some(rate), Some(have)) = (pilot.take(tune.way), self.speeds.get(tune.line, tune.way)) {
                let guaranteed =
                    self.config.as_ref().map_or(Permille(0), |config| guaranteed(&config.classes));
                self.turn(&tune, have, have.follow(rate, guaranteed));
            }
        }
        if !self.retune.ops.is_empty() {
            self.phase = Phase::Retuning;
            let ops = core::mem::take(&mut self.retune.ops);
            self.act(Action::Retune(ops));
        }
    }

    /// Gives a direction that has this speed another, or its own anew; [`Self::retune`] sends what that takes.
    pub(super) fn turn(&mut self, tune: &Tune, have: Speed, speed: Speed) {
        let Some(config) = &self.config else { return };
        self.speeds.set(tune.line, tune.way, Some(speed));
        self.retune.add(&mut self.plan.tree, tune, &config.classes, speed);
        if self.wanted.all && have.line != speed.line {
            let news = News::Rate { line: tune.line, way: tune.way, old: have.line, new: speed.line };
            self.act(Action::Tidings(news));
        }
    }

    /// Tells listeners which rates another plan than the old one changes: by a reload, by the end of a hold, by an hour.
    pub(super) fn tell_rates(&mut self, old: &Plan) {
        fn name<'a>(plan: &'a Plan, tune: &Tune) -> Option<&'a str> {
            plan.lines.get(tune.line).map(|line| line.name.as_str())
        }
        let Some(config) = self.config.as_ref().filter(|_| self.wanted.all) else { return };
        let rate = |plan: &Plan, tune: &Tune| {
            Some(Speed::of(plan.tree.device(&tune.device)?, tune.kit, &config.classes)?.line)
        };
        for tune in &self.plan.tunes {
            let is_same = |was: &&Tune| was.way == tune.way && name(old, was) == name(&self.plan, tune);
            let before = old.tunes.iter().find(is_same).and_then(|was| rate(old, was));
            if let (Some(old), Some(new)) = (before, rate(&self.plan, tune))
                && old != new
            {
                let news = News::Rate { line: tune.line, way: tune.way, old, new };
                self.actions.push_back(Action::Tidings(news));
            }
        }
    }

    /// The kernel has the new rates, or something is not as it was left, which a look will show.
    pub(super) fn retuned(&mut self, now: Time, mut ops: Vec<Op>, refused: Option<String>) {
        ops.clear();
        self.retune.ops = ops;
        self.phase = Phase::Idle;
        if let Some(text) = refused {
            self.say(Level::Warning, format!("another rate was refused: {text}; looking again"));
            self.has_news = true;
        }
        self.go_on(now);
    }

    /// Writes down what was learnt, if it is news.
    pub(super) fn learn(&mut self, now: Time) {
        self.learn_at = Some(now + LEARN);
        let mut learnt = self.learnt.clone();
        for pilot in &self.pilots {
            let rates = pilot.learnt();
            if rates != [None; 2] {
                learnt.set(&pilot.name, rates);
            }
        }
        if learnt.is_far_from(&self.learnt) {
            self.act(Action::Learn(learnt.to_text()));
            self.learnt = learnt;
        }
    }
}

/// The pilot of the line at a place, to be told something.
pub(super) fn at(pilots: &mut [Box<Pilot>], place: usize) -> Option<&mut Pilot> {
    pilots.iter_mut().find(|pilot| pilot.place == place).map(|pilot| &mut **pilot)
}

/// The counters of the line at a place, none of them read yet.
pub(super) fn counters(plan: &Plan, wan: &Wan, place: usize) -> Counters {
    let line = plan.lines.get(place);
    let device = line.and_then(|line| line.device);
    let header = plan.headers.iter().find(|(known, _)| Some(*known) == device);
    Counters::new(line.map_or(wan.link, |line| line.link), header.map_or(14, |(_, bytes)| *bytes))
}

/// Ends the listening on a line.
pub(super) const fn hush(line: usize) -> Action {
    Action::Listen { line, device: None, far: Vec::new(), probe: Probing::None }
}

/// What a pilot says, as the daemon's own actions.
fn perform(pilot: &mut Pilot, actions: &mut VecDeque<Action>) {
    let line = pilot.place;
    while let Some(action) = pilot.poll() {
        match (action, pilot.tap()) {
            (control::Action::ReadCounters, Some(tap)) => {
                actions.push_back(Action::Sample { line, tap: *tap, is_whole: false, flows: [0; 2] });
            }
            (control::Action::Probe { reflector, id, question }, _) => {
                actions.push_back(Action::Probe { line, reflector, id, question });
            }
            _ => {}
        }
    }
}
