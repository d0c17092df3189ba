// SPDX-License-Identifier: Apache-2.0
//! The part of the daemon that watches service levels: what each second of a line looked like, and what is said of it.

use super::history::Kept;
use super::{Action, Daemon, Level, News};
use crate::config::threshold::Gravity;
use crate::config::{Class, DownloadOn};
use crate::control::State;
use crate::limits::CLASSES;
use crate::measure::counters::{Queue, SLOTS, Sample, WayCounters};
use crate::report::{Delay, Fact};
use crate::tc::classifier::{cake_tin, tin};
use crate::tc::plan::Plan;
use crate::tc::shape::{class_handle, class_place};
use crate::units::{Micros, Permille, Rate, Time, Way};
use crate::watch::alert::{Alert, Alerts, Evidence};
use crate::watch::checks::Cores;
use crate::watch::deed::{Deeds, Doing};
use crate::watch::sla::{Judge, Load, Look, Spot, Verdict};
use alloc::format;
use alloc::vec::Vec;

/// How often the processor is looked at while something seems to be wrong.
const BUSY: Micros = Micros::secs(3);
/// What it did longer ago says nothing about now.
const STALE: Micros = Micros::secs(20);

/// What is watched, and what is wrong.
#[derive(Debug, Default)]
pub(super) struct Watch {
    judge: Judge,
    alerts: Alerts,
    pub(super) deeds: Deeds,
    /// When the processor was looked at, and what it had done.
    cores: Option<(Time, Cores)>,
    asked: Option<Time>,
    busy: Option<(Time, Permille)>,
}

/// A look at the whole of a line, to which the next is compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whole {
    at: Time,
    pub(super) queues: [Option<Queue>; 2],
    pub(super) all: [WayCounters; 2],
    rates: [Rate; 2],
}

impl Daemon {
    /// What is wrong now, the oldest first.
    #[cfg(test)]
    pub(super) fn alerts(&self) -> &[Alert] {
        self.watch.alerts.list()
    }

    /// How long packets of each class wait, where that is known.
    pub(super) fn delays(&self, now: Time) -> Vec<Delay> {
        let mut known = Vec::new();
        for kept in &self.kept {
            if kept.whole.as_ref().is_none_or(|whole| now - whole.at > LONGEST) {
                continue;
            }
            for (way, look) in Way::ALL.into_iter().zip(&kept.looks) {
                let Some(look) = look else { continue };
                let rows = kept.classes.iter().enumerate().map(|(n, name)| (look.delay(n), name.as_str()));
                for (time, name) in rows.chain([(look.delay_of_all(), "all")]) {
                    let (place, name) = (kept.place, name.into());
                    known.extend(time.map(|time| Delay { place, way, time, name }));
                }
            }
        }
        known
    }

    /// The same for everybody else, and what is done about it.
    pub fn facts(&self, now: Time) -> Vec<Fact> {
        let Watch { alerts, deeds, .. } = &self.watch;
        let alerts = alerts.list().iter().map(|alert| Fact::alert(alert, now));
        alerts.chain(deeds.list().iter().map(|doing| Fact::action(doing, now))).collect()
    }

    /// Watches what the configuration that was just read says. What is judged as before goes on.
    pub(super) fn watch_anew(&mut self, now: Time) {
        let Some(config) = &self.config else { return };
        let judge = Judge::new(config);
        if judge.is_like(&self.watch.judge) {
            return;
        }
        self.watch.judge = judge;
        let over = self.watch.alerts.clear();
        over.into_iter().for_each(|alert| self.over(now, &alert, "no longer watched"));
        self.undo(now, None);
    }

    /// Nothing is known of a line any more, so nothing is wrong with it.
    pub(super) fn lose(&mut self, now: Time, line: usize) {
        let mut kept = Vec::new();
        self.watch.judge.forget(line, &mut |spot| kept.push(spot));
        kept.into_iter().for_each(|spot| self.kept_again(now, spot));
        self.undo(now, Some(line));
    }

    /// Ends what is done, for a line or all of them.
    pub(super) fn undo(&mut self, now: Time, line: Option<usize>) -> usize {
        let over = self.watch.deeds.end(line);
        over.iter().for_each(|doing| self.undone(doing));
        if !over.is_empty() {
            self.enact(now);
        }
        over.len()
    }

    /// What is over is no longer done: by its time, or as nothing presses any more where a line was looked at.
    pub(super) fn let_up(&mut self, now: Time, seen: Option<(usize, Way, &Look)>) {
        let mut is_other = false;
        while let Some(doing) = self.watch.deeds.over(now, seen) {
            self.undone(&doing);
            is_other = true;
        }
        if is_other {
            self.enact(now);
        }
    }

    fn undone(&mut self, doing: &Doing) {
        let text = format!("{}: no longer so: {}, for '{}'", doing.wan, doing.text, doing.level);
        self.spread(News::Undone(text.clone()));
        self.say(Level::Info, text);
    }

    /// What is done comes into force.
    fn enact(&mut self, now: Time) {
        let alterations = self.watch.deeds.alterations();
        self.alter(now, "thresholds", alterations);
    }

    /// The whole of a line was looked at: each direction of it is judged by what it did since the look before.
    pub(super) fn judge(&mut self, now: Time, line: usize, sample: &Sample, all: [WayCounters; 2]) {
        let Some(kept) = self.kept.iter_mut().find(|kept| kept.place == line) else { return };
        let rates = Way::ALL.map(|way| super::history::rate(&self.speeds, &self.plan, line, way));
        let whole = Whole { at: now, queues: sample.queues, all, rates };
        let Some(before) = kept.whole.replace(whole).filter(|before| now - before.at <= LONGEST) else {
            kept.looks = [None; 2];
            return;
        };
        let ([_, then], [_, down]) = (before.all, all);
        let bits = (down.line.0 - then.line.0).saturating_mul(8_000_000);
        kept.received = bits.checked_div((whole.at - before.at).0);
        for way in Way::ALL {
            let look = self.look(line, way, &before, &whole);
            self.doubt(line, way, look.as_ref());
            let mut verdicts = Vec::new();
            self.watch.judge.look(now, line, way, look.as_ref(), &mut |spot, verdict| {
                verdicts.push((spot, verdict));
            });
            for (spot, verdict) in verdicts {
                match (verdict, look) {
                    (Verdict::Broken(got), Some(look)) => self.broken(now, spot, got, &look),
                    (Verdict::Kept, _) => self.kept_again(now, spot),
                    (Verdict::Broken(_), None) => {}
                }
            }
            if let Some(look) = &look {
                self.let_up(now, Some((line, way, look)));
            }
            let kept = self.kept.iter_mut().find(|kept| kept.place == line);
            kept.and_then(|kept| kept.looks.get_mut(way as usize)).into_iter().for_each(|last| *last = look);
        }
        if self.watch.judge.has_doubts() && self.watch.asked.is_none_or(|at| now - at >= BUSY) {
            self.watch.asked = Some(now);
            self.act(Action::ReadBusy);
        }
    }

    /// Which classes are to be looked at closer the next time.
    fn doubt(&mut self, line: usize, way: Way, look: Option<&Look>) {
        let classes = look.map_or(0, |look| self.watch.judge.doubts(line, way, look));
        let Some(kept) = self.kept.iter_mut().find(|kept| kept.place == line) else { return };
        let mut places = 0;
        for (class, place) in kept.slots.iter().enumerate() {
            let bit = 1u16.checked_shl(u32::from(*place)).unwrap_or(0);
            places |= if classes >> class & 1 == 1 { bit } else { 0 };
        }
        if let Some(doubts) = kept.doubts.get_mut(way as usize) {
            *doubts = places;
        }
    }

    /// What the kernel says of the processor.
    pub(super) fn looked_busy(&mut self, now: Time, cores: Cores) {
        if let Some((at, before)) = self.watch.cores.replace((now, cores))
            && now - at <= STALE
        {
            let share = cores.busiest(&before).min(100);
            self.watch.busy = Some((now, Permille::percent(share as u16)));
        }
    }

    /// What a direction did between two looks.
    fn look(&self, line: usize, way: Way, before: &Whole, after: &Whole) -> Option<Look> {
        let config = self.config.as_ref()?;
        let kept = self.kept.iter().find(|kept| kept.place == line)?;
        let n = way as usize;
        let (queue, then) = ((*after.queues.get(n)?)?, (*before.queues.get(n)?)?);
        let [all, all_then] = [after, before].map(|whole| whole.all.get(n).copied().unwrap_or_default());
        let micros = (after.at - before.at).0.max(1);
        let bits = |bytes: u64| bytes.saturating_mul(8_000_000) / micros;
        // What was sent before the rate fell was no more than what it was.
        let rate = [before, after].map(|whole| whole.rates.get(n).copied().unwrap_or(Rate::ZERO));
        let rate = rate.into_iter().max().unwrap_or(Rate::ZERO);
        let view = self.pilot_at(line).and_then(|pilot| pilot.view(way));
        let seen = view.filter(|view| view.level > Rate::ZERO && view.state != State::Blind);
        let mut look = Look { rate, is_shared: queue.is_wire, ..Look::default() };
        // What a line carries at least says not how little it carries.
        look.capacity = seen.filter(|view| !view.is_least).map(|view| view.level);
        look.wait = seen.map(|view| view.wait);
        let sent = bits(all.released.0 - all_then.released.0);
        look.all = Load {
            sent,
            packets: grown(queue.sent.packets as u32, then.sent.packets as u32),
            drops: (all.drops - all_then.drops) as u32,
            marks: (all.marks - all_then.marks) as u32,
            waiting: all.backlog.0,
            ..Load::default()
        };
        look.all.delay = delay(all.backlog.0, look.all.left(), rate);
        for ((load, place), class) in look.classes.iter_mut().zip(kept.slots).zip(&config.classes) {
            let (Some(slot), Some(then)) =
                (queue.classes.get(usize::from(place)), then.classes.get(usize::from(place)))
            else {
                continue;
            };
            let sent = bits(u64::from(grown(slot.sent, then.sent)));
            let packets = grown(slot.packets, then.packets);
            let waiting = u64::from(slot.waiting);
            let is_used = packets > 0 || waiting > 0;
            let measured = Micros(slot.delay.into());
            let (drops, marks) = (grown(slot.drops, then.drops), grown(slot.marks, then.marks));
            *load = Load { sent, packets, drops, marks, waiting, ..Load::default() };
            if !is_used {
                continue;
            }
            if queue.is_wire {
                // Packets are dropped at the head of their queue, which those behind them need not wait for then.
                let left = load.left();
                *load = load.guessed(delay(waiting, left, rate.share(class.guarantee)), measured);
            } else {
                load.delay = Some(measured);
            }
        }
        let tins = if queue.is_wire { 0 } else { kept.tins };
        // The last tin comes first.
        let [slots, slots_then] = [&queue, &then].map(|queue| queue.classes.iter().take(tins).rev());
        for ((delay, slot), then) in look.tins.iter_mut().zip(slots).zip(slots_then) {
            let is_used = slot.packets != then.packets || slot.waiting > 0;
            *delay = is_used.then(|| Micros(slot.delay.into()));
        }
        Some(look)
    }

    fn broken(&mut self, now: Time, spot: Spot, got: u64, look: &Look) {
        let known = self.evidence(now, spot, look);
        let Some(config) = &self.config else { return };
        let Watch { judge, alerts, deeds, .. } = &mut self.watch;
        let Some(level) = judge.levels().get(spot.level) else { return };
        let alert = alerts.broken(now, (spot, level, got), config, look, &known);
        let alert = alert.map(|alert| (log_level(alert.level.gravity), alert.sentence()));
        // What is done already goes on.
        deeds.kept(spot, false);
        let is_done = deeds.list().iter().any(|doing| doing.spot == spot);
        let doing = if is_done { None } else { deeds.begin(now, spot, level, config) };
        let doing = doing.map(|doing| {
            let span = Micros::secs((doing.until - now).0 / 1_000_000);
            format!("{}: {} for {span} at most, for '{}'", doing.wan, doing.text, doing.level)
        });
        if let Some((level, text)) = alert {
            if level == Level::Info && self.wanted.seldom {
                let news = self.broken_news(level, &text);
                self.actions.push_back(Action::Tidings(news));
            }
            self.say(level, text);
        }
        if let Some(text) = doing {
            self.say(Level::Warning, text);
            self.enact(now);
        }
    }

    /// What listeners are told of something that is said: of a level all that is known of it.
    pub(super) fn broken_news(&self, level: Level, text: &str) -> News {
        let alert = self.watch.alerts.list().iter().find(|alert| alert.sentence() == text);
        let text = text.into();
        match alert {
            Some(alert) => News::Broken { level, text, alert: Fact::alert(alert, self.now), is_over: false },
            None => News::Alert(level, text),
        }
    }

    fn kept_again(&mut self, now: Time, spot: Spot) {
        self.watch.deeds.kept(spot, true);
        if let Some(alert) = self.watch.alerts.kept(spot) {
            self.over(now, &alert, "all is well again");
        }
    }

    fn over(&mut self, now: Time, alert: &Alert, why: &str) {
        let span = Micros::secs((now - alert.since).0 / 1_000_000);
        let text = format!("{}: {}: {why}, after {span}", alert.wan, alert.level.name);
        let (level, alert) = (Level::Info, Fact::alert(alert, now));
        self.spread(News::Broken { level, text: text.clone(), alert, is_over: true });
        self.say(Level::Info, text);
    }

    /// What is known besides.
    fn evidence(&self, now: Time, spot: Spot, look: &Look) -> Evidence {
        let mut known = Evidence::default();
        let wan = self.config.as_ref().and_then(|config| config.wans.get(spot.line));
        let kept = self.kept.iter().find(|kept| kept.place == spot.line);
        let (Some(wan), Some(kept)) = (wan, kept) else { return known };
        known.state = self.pilot_at(spot.line).and_then(|pilot| pilot.view(spot.way)).map(|view| view.state);
        known.usual = look.capacity.and(kept.history.usual(spot.way));
        known.busy = self.watch.busy.filter(|(at, _)| now - *at <= STALE).map(|(_, busy)| busy);
        known.floor = wan.limits(spot.way).min.filter(|_| wan.steers(spot.way));
        if spot.way == Way::Down && wan.download_on == DownloadOn::Ifb {
            known.received = kept.received;
        }
        known
    }
}

/// Looks further apart than this have nothing to do with each other.
const LONGEST: Micros = Micros::secs(3);

/// How long it takes until what waits has left, at the speed it left lately; at the one it is promised if it has not.
fn delay(waiting: u64, left: u64, promised: Rate) -> Option<Micros> {
    let speed = if left > 0 { Rate::bits(left) } else { promised };
    if waiting == 0 { Some(Micros(0)) } else { Load::delay_of(waiting, speed) }
}

/// What a counter grew by; one that went back begins anew.
pub(super) const fn grown(now: u32, then: u32) -> u32 {
    let grown = now.wrapping_sub(then);
    if grown > u32::MAX / 2 { now } else { grown }
}

const fn log_level(gravity: Gravity) -> Level {
    match gravity {
        Gravity::Info => Level::Info,
        Gravity::Warning => Level::Warning,
        Gravity::Error => Level::Error,
    }
}

impl Kept {
    /// Where the counters of each class are from now on.
    pub(super) fn place_classes(&mut self, classes: &[Class], plan: &Plan) {
        let mode = super::history::cake_of(plan, self.place).map(|cake| cake.diffserv);
        let is_cake = self.tap.is_some_and(|tap| tap.is_cake());
        for (n, slot) in self.slots.iter_mut().enumerate() {
            let place = match classes.get(n) {
                None => None,
                Some(class) if is_cake => {
                    let tin = mode.and_then(|mode| tin(mode, cake_tin(class)));
                    Some(tin.map_or(0, |tin| usize::from(tin.minor()).saturating_sub(1)))
                }
                Some(_) => class_place(class_handle(classes, n)),
            };
            *slot = place.unwrap_or(SLOTS) as u8;
        }
    }
}

/// No class is anywhere yet.
pub(super) const NOWHERE: [u8; CLASSES] = [SLOTS as u8; CLASSES];
