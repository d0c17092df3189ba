// SPDX-License-Identifier: Apache-2.0
//! The part of the daemon that keeps what lines did: whose counters are read for it, and what a reading means.
//!
//! A line that steers itself is read by its pilot, at least once a second, and nothing more is needed. All others are read
//! together, on the second.

use super::steering::counters;
use super::watch::{NOWHERE, Whole, grown};
use super::{Action, Daemon};
use crate::control::State;
use crate::limits;
use crate::measure::counters::{Counters, SLOTS, Sample, Slot, WayCounters};
use crate::steer::Tap;
use crate::tc::Cake;
use crate::tc::QdiscKind;
use crate::tc::cake::tin_names;
use crate::tc::plan::{Direction, Plan};
use crate::tc::speed::Speeds;
use crate::units::{Micros, Rate, Time, Way};
use crate::watch::history::{CLASSES, History};
use crate::watch::mini::NONE;
use crate::watch::page::Page;
use crate::watch::sla::Look;
use alloc::string::String;
use alloc::vec::Vec;

/// How often lines are read that nobody steers.
const EACH: Micros = Micros::secs(1);
/// How often the queues below the classes are read, a little less than a second as readings come when they can.
const WHOLE: Micros = Micros::ms(950);

/// A line and what it did.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) name: String,
    /// Its place in the configuration.
    pub(super) place: usize,
    /// Where its counters are; `None` while nothing is shaped.
    pub(super) tap: Option<Tap>,
    counters: Counters,
    /// When all of them were read.
    whole_at: Option<Time>,
    /// What they said then.
    pub(super) whole: Option<Whole>,
    /// What each direction did in the last second, and how much it lost and marked since its queues were made.
    pub(super) looks: [Option<Look>; 2],
    /// Where the counters of each class are.
    pub(super) slots: [u8; limits::CLASSES],
    /// Which classes' delays are to be looked at closer, a bit for each place, by direction.
    pub(super) doubts: [u16; 2],
    /// The bits the line received in the last second.
    pub(super) received: Option<u64>,
    /// What they said last.
    before: [Before; 2],
    /// The classes, or the tins of its CAKEs.
    pub(super) classes: Vec<String>,
    /// How many tins.
    pub(super) tins: usize,
    pub(super) history: History,
}

/// What was read last of a direction.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    all: WayCounters,
    classes: [Slot; SLOTS],
    changes: u32,
    packets: u32,
}

impl Kept {
    pub(super) fn new(name: String, now: Time, counters: Counters) -> Self {
        let history = History::new(now);
        let (before, classes) = (Default::default(), Vec::new());
        Self {
            name,
            place: 0,
            tap: None,
            counters,
            whole_at: None,
            whole: None,
            looks: [None; 2],
            slots: NOWHERE,
            doubts: [0; 2],
            received: None,
            before,
            classes,
            tins: 0,
            history,
        }
    }
}

impl Daemon {
    /// Where the counters of each line are now. Lines that are new begin, those that are gone are forgotten.
    pub(super) fn follow(&mut self, now: Time) {
        let Some(config) = &self.config else { return };
        let mut lost = Vec::new();
        self.kept.retain(|kept| config.wans.iter().any(|wan| wan.name == kept.name));
        for (place, wan) in config.wans.iter().enumerate() {
            let tap = Tap::of(&self.plan, place).filter(|_| wan.enabled);
            let counters = counters(&self.plan, wan, place);
            let known = self.kept.iter().position(|kept| kept.name == wan.name);
            let at = known.unwrap_or(self.kept.len());
            if known.is_none() && tap.is_some() {
                self.kept.push(Kept::new(wan.name.clone(), now, counters));
            }
            let Some(kept) = self.kept.get_mut(at) else { continue };
            kept.place = place;
            kept.counters.weigh_like(&counters);
            if kept.tap != tap {
                kept.tap = tap;
                kept.counters = counters;
                kept.before = Default::default();
                (kept.whole, kept.looks) = (None, [None; 2]);
                kept.doubts = [0; 2];
                kept.history.pause();
                lost.push(place);
            }
            let tins = tins(&self.plan, place);
            let mut classes: Vec<String> = tins.iter().rev().map(|name| (*name).into()).collect();
            if tins.is_empty() && tap.is_some_and(|tap| !tap.is_cake()) {
                classes.extend(config.classes.iter().map(|class| class.name.clone()));
            }
            if kept.classes != classes {
                kept.history.forget_classes();
            }
            (kept.classes, kept.tins) = (classes, tins.len());
            kept.place_classes(&config.classes, &self.plan);
        }
        self.read_at = next(now);
        lost.into_iter().for_each(|place| self.lose(now, place));
    }

    /// When lines are to be read that nobody steers, if there are any.
    pub(super) fn read_due(&self) -> Option<Time> {
        self.kept.iter().find(|kept| self.is_unread(kept)).map(|_| self.read_at)
    }

    /// Reads them when it is time.
    pub(super) fn read(&mut self, now: Time) {
        if now < self.read_at {
            return;
        }
        self.read_at = next(now);
        for at in 0..self.kept.len() {
            if let Some(kept) = self.kept.get(at).filter(|kept| self.is_unread(kept))
                && let Some(tap) = kept.tap
            {
                self.actions.push_back(Action::Sample {
                    line: kept.place,
                    tap,
                    is_whole: false,
                    flows: [0; 2],
                });
            }
        }
    }

    /// Whether it is time to read the queues below the classes of a line, too.
    pub(super) fn looks_whole(&mut self, place: usize) -> bool {
        let now = self.now;
        let kept = self.kept.iter_mut().find(|kept| kept.place == place);
        let Some(kept) = kept.filter(|kept| kept.whole_at.is_none_or(|at| now - at >= WHOLE)) else {
            return false;
        };
        kept.whole_at = Some(now);
        true
    }

    /// Which classes' delays are to be looked at closer.
    pub(super) fn doubts(&self, place: usize) -> [u16; 2] {
        self.kept.iter().find(|kept| kept.place == place).map_or([0; 2], |kept| kept.doubts)
    }

    /// Whether it has counters that nobody else reads.
    fn is_unread(&self, kept: &Kept) -> bool {
        let is_read = || self.pilot_at(kept.place).is_some_and(|pilot| pilot.tap().is_some());
        kept.tap.is_some() && !is_read()
    }

    /// The counters of a line were read; what its pilot thinks is what it thought until now.
    pub(super) fn keep(&mut self, place: usize, at: Time, sample: &Sample) {
        let pilot = self.pilots.iter().find(|pilot| pilot.place == place);
        let Some(kept) = self.kept.iter_mut().find(|kept| kept.place == place && kept.tap.is_some()) else {
            return;
        };
        let all = kept.counters.add(sample);
        let mut rows = [None; 2];
        let ways = Way::ALL.into_iter().zip(&mut kept.before).zip(all).zip(&sample.queues);
        for ((((way, before), all), queue), row) in ways.zip(&mut rows) {
            let Some(queue) = queue else { continue };
            let rate = rate(&self.speeds, &self.plan, place, way).bits_per_sec();
            let sent = all.released.0 - before.all.released.0;
            let mut left = sent;
            let mut classes = [NONE; CLASSES];
            let is_told = queue.is_wire || sample.is_whole;
            for (n, bytes) in classes.iter_mut().enumerate().take(kept.classes.len()) {
                // Tins are counted from the last to the first, as classes are.
                let place = match kept.tins {
                    0 => kept.slots.get(n).map_or(SLOTS, |place| usize::from(*place)),
                    tins => tins.checked_sub(n + 1).unwrap_or(SLOTS),
                };
                let (Some(now), Some(then)) = (queue.classes.get(place), before.classes.get(place)) else {
                    continue;
                };
                *bytes = 0;
                if is_told {
                    *bytes = u64::from(now.sent.wrapping_sub(then.sent));
                }
                if queue.is_wire {
                    // A class that was made anew began at zero; it has not sent more than all together.
                    *bytes = (*bytes).min(left);
                    left -= *bytes;
                }
            }
            let (mut capacity, mut wait, mut state, mut reason, mut changes) = (NONE, NONE, NONE, NONE, 0);
            if let Some(view) = pilot.and_then(|pilot| pilot.view(way)).filter(|view| view.rate > Rate::ZERO)
            {
                (state, reason) = (view.state as u64 + 1, view.reason as u64 + 1);
                changes = view.changes.saturating_sub(before.changes).into();
                if view.level > Rate::ZERO {
                    capacity = view.level.bits_per_sec();
                    wait = if view.state == State::Blind { NONE } else { view.wait.0 };
                }
                before.changes = view.changes;
            }
            let (drops, marks) = (all.drops - before.all.drops, all.marks - before.all.marks);
            let sent_by_now = queue.sent.packets as u32;
            let packets = grown(sent_by_now, before.packets).into();
            let [a, b, c, d] = classes;
            *row = Some([
                rate, rate, rate, capacity, sent, sent, sent, a, b, c, d, wait, wait, NONE, NONE, state,
                packets, drops, marks, changes, reason,
            ]);
            before.all = all;
            before.packets = sent_by_now;
            if is_told {
                before.classes = queue.classes;
            }
        }
        kept.history.add(at, &mut rows);
        if sample.is_whole {
            self.judge(at, place, sample, all);
        }
    }

    /// What a line did, the first one if none is named: of the last `span`, or after point number `since`. `None`: there
    /// is no such line, or it has never been shaped.
    pub fn history(
        &mut self,
        now: Time,
        name: Option<&str>,
        span: Micros,
        since: u64,
        limit: usize,
    ) -> Option<Page> {
        let kept = self.kept.iter_mut().find(|kept| name.is_none_or(|name| kept.name == name))?;
        kept.history.pass(now);
        let mut page = kept.history.page(span, since, limit);
        (page.now, page.wan) = (kept.history.clock(now), kept.name.clone());
        page.classes.clone_from(&kept.classes);
        if page.classes.len() > CLASSES {
            page.classes.truncate(CLASSES);
            page.classes.push("(others)".into());
        }
        Some(page)
    }
}

/// The CAKE of a line, one of both if each direction has one.
pub(super) fn cake_of(plan: &Plan, place: usize) -> Option<&Cake> {
    let tune = plan.tunes.iter().find(|tune| tune.line == place && tune.kit.is_none())?;
    plan.tree.device(&tune.device)?.qdiscs.iter().find_map(|qdisc| match &qdisc.kind {
        QdiscKind::Cake(cake) => Some(cake),
        _ => None,
    })
}

/// The tins of a line's CAKEs, as the kernel counts them; none: it has no CAKE, or one without tins.
fn tins(plan: &Plan, place: usize) -> &'static [&'static str] {
    cake_of(plan, place).map_or(&[], |cake| tin_names(cake.diffserv))
}

/// The next whole second.
fn next(now: Time) -> Time {
    Time((now.0 / EACH.0 + 1) * EACH.0)
}

/// The rate of a direction: what it is steered to, else the one it keeps.
pub(super) fn rate(speeds: &Speeds, plan: &Plan, place: usize, way: Way) -> Rate {
    if let Some(speed) = speeds.get(place, way) {
        return speed.line;
    }
    let way = plan.lines.get(place).map(|line| if way == Way::Up { &line.upload } else { &line.download });
    match way {
        Some(Direction::Shaped { rate, .. }) => *rate,
        Some(Direction::Off(_) | Direction::Blocked(_)) | None => Rate::ZERO,
    }
}
