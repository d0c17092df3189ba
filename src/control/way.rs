// SPDX-License-Identifier: Apache-2.0
//! One direction of the line: what its answers and counters say, and the rate that follows.

use super::blind::{Blind, Seen};
use super::capacity::{Capacity, median};
use super::event::{Bounds, WayCounters};
use super::meter::{Meter, time};
use super::rate::{LEAST, Law, MOST, Sight, TARGET, Temper};
use super::route::Route;
use super::view::{Reason, State, View};
use crate::limits::REFLECTORS;
use crate::measure::baseline::Baseline;
use crate::units::{Bytes, Micros, Rate, Time, Way as Direction};

/// A wait on a line that is hardly used is noise up to here.
const MINOR: u64 = 30_000;
/// Less than this many bits per second make no queue.
pub const QUIET: u64 = 50_000;
/// A direction that has less than this part of what the other has carries its acknowledgements only.
pub const ACKS: u64 = 6;
/// The suspicion of a line on which nothing has ever queued,
const UNKNOWN: u64 = 700;
/// and the highest.
const HIGHEST: u64 = 2000;
/// A full packet.
pub const PACKET: u64 = 1514;
/// Nobody can aim at less.
const LEAST_AIM: u64 = 1_000;
/// How far an answer must be above the jitter to have waited.
const WAITED: u64 = 3_000;
/// A download's answers say that a queue stands only from this share of the target on, in thousandths.
const QUEUED: u64 = 800;
/// How far an answer may be off, beside the jitter that was seen.
const BLUR: u64 = 2_000;
/// How late an answer may be in each direction, beside the jitter that was seen.
const LATE: u64 = 10_000;
/// Arrivals are counted over this.
const WINDOW: Micros = Micros::ms(100);
/// Over this where they are a bound only.
const LONG_WINDOW: Micros = Micros::ms(150);
/// Our shaper holds packets back if it did so within this.
const PRESSED: Micros = Micros::ms(200);
/// A changed rate is sent when it is higher by this many thousandths,
const STEP_UP: u64 = 80;
/// or lower by so many.
const STEP_DOWN: u64 = 60;
/// Increases are sent at most this often, once the line is known.
const CALM: Micros = Micros::ms(100);
/// Counters farther apart than this were not read in time.
const LOST: Micros = Micros::secs(4);

/// Where nobody answers counters are looked at over this,
const GROPED: Micros = Micros::ms(500);
/// and this many bits per second are a sign of life: a few acknowledgements.
const ALIVE: u64 = 2_000;

/// One direction.
#[derive(Clone, Debug)]
pub struct Way {
    direction: Direction,
    /// Whether its rate is ours to set.
    is_steered: bool,
    bounds: Bounds,
    aim: Option<Micros>,
    /// The law.
    pub law: Law,
    baselines: [Baseline; REFLECTORS],
    /// The counters.
    pub meter: Meter,
    applied: u64,
    applied_at: Time,
    changes: u32,
    /// The last waits, the newest first.
    waits: [u64; 3],
    /// How far an answer is off from those around it, on average.
    jitter: u64,
    wait: u64,
    target: u64,
    route: Route,
    blind: Blind,
    is_blind: bool,
    /// By how much the way has just become longer.
    pub moved: Option<Micros>,
}

impl Way {
    /// A direction of which this is known.
    pub fn new(direction: Direction, bounds: Option<Bounds>, aim: Option<Micros>) -> Self {
        let (is_steered, bounds) = (bounds.is_some(), bounds.unwrap_or_default());
        // Where it would begin without anything learnt says nothing of the line.
        let blank = Bounds { start: None, ..bounds }.begin(direction);
        let known = bounds.start.filter(|start| *start != blank).map_or(0, Rate::bits_per_sec);
        let mut way = Self {
            direction,
            is_steered,
            bounds,
            aim,
            law: Law::new(Temper::of(direction), bounds.begin(direction).bits_per_sec(), known),
            baselines: core::array::from_fn(|_| Baseline::default()),
            meter: Meter::default(),
            applied: 0,
            applied_at: Time(0),
            changes: 0,
            waits: [0; 3],
            jitter: 0,
            wait: 0,
            target: TARGET,
            route: Route::default(),
            blind: Blind::default(),
            is_blind: false,
            moved: None,
        };
        way.bound();
        way
    }

    /// The counters were read.
    pub fn count(&mut self, at: Time, counters: &WayCounters) {
        if !self.meter.count(at, counters, LOST) {
            self.law.capacity.forget_trains();
        }
    }

    const fn is_up(&self) -> bool {
        matches!(self.direction, Direction::Up)
    }

    /// Whether the line is hardly used.
    pub fn is_light(&self) -> bool {
        !self.meter.has_backlog() && self.at_work() < self.law.rate / 10
    }

    /// Bits per second over the line.
    pub fn at_work(&self) -> u64 {
        self.meter.arriving(WINDOW).unwrap_or(0)
    }

    /// Whether it is used so much that a queue can come of it.
    pub fn is_loaded(&self) -> bool {
        self.meter.has_backlog() || self.at_work() > self.known_rate() / 4
    }

    /// The rate, or what the line carries where that is known and less.
    fn known_rate(&self) -> u64 {
        if self.law.is_new { self.law.rate } else { self.law.rate.min(self.law.level) }
    }

    /// Whether it carries data and not only the acknowledgements of the other direction's, or is held back by us.
    pub fn carries_beside(&self, other: &Self) -> bool {
        self.meter.has_backlog() || self.at_work() > QUIET.max(other.at_work() / 4)
    }

    /// What it carries about, once something has queued on it.
    pub fn carries(&self) -> Option<u64> {
        (!self.law.is_new).then(|| self.law.level.max(self.law.rate))
    }

    /// How likely a queue stands on it: by how much is sent of what it carried lately, in thousandths. Where our shaper
    /// does not hold back and much passes, the line may.
    pub fn suspicion(&self) -> u64 {
        let level = self.law.level.max(1);
        if self.law.is_new {
            UNKNOWN
        } else if !self.is_pressed() && self.at_work() > level / 2 {
            HIGHEST
        } else {
            (self.applied * 1000 / level).min(HIGHEST / 4 * 3)
        }
    }

    /// What the shaper has let out by now.
    pub fn released(&self, now: Time) -> Bytes {
        self.meter.released(now, self.applied)
    }

    /// What it carried lately, if that was measured.
    pub fn learnt(&self) -> Option<Rate> {
        (self.law.level > 0 && !self.law.is_new).then(|| Rate::bits(self.law.level))
    }

    /// Goes on where another one stood, of which nothing was learnt: the line has carried so much at least.
    pub fn go_on(&mut self, from: &View) {
        if self.is_steered && self.law.is_new && from.rate > Rate::ZERO {
            (self.law.rate, self.law.level) = (from.rate.bits_per_sec(), from.level.bits_per_sec());
            self.bound();
        }
    }

    /// Answers come again after a long silence: on from memory.
    pub fn resume(&mut self) {
        self.is_blind = false;
        self.law.rate = self.law.rate.max(self.law.level / 2);
        self.law.capacity.forget_trains();
        self.bound();
    }

    /// Whether anything at all came this way lately.
    pub fn is_alive(&self) -> bool {
        self.meter.arriving(GROPED).is_some_and(|pace| pace > ALIVE)
    }

    /// Nobody answers; `is_alive`: something comes the other way, so the line carries what goes this one.
    pub fn grope(&mut self, now: Time, is_alive: bool) {
        let Some(passed) = self.meter.arriving(GROPED) else { return };
        if !self.is_blind {
            // What was cut for missing answers was no queue.
            self.is_blind = true;
            self.law.rate = self
                .law
                .rate
                .max(self.law.level / 4 * 3)
                .max(self.bounds.begin(self.direction).bits_per_sec());
        }
        let has_backlog = self.meter.has_waited(GROPED);
        let before = self.law.rate;
        self.law.rate = self.blind.judge(now, before, Seen { passed, has_backlog, is_alive });
        if let Some(found) = self.blind.found
            && self.law.rate < before
        {
            (self.law.level, self.law.is_new) = (found, false);
        }
        self.bound();
    }

    /// Whether the shaper is what holds the traffic back.
    pub fn is_pressed(&self) -> bool {
        self.meter.is_pressed(PRESSED, self.applied)
    }

    /// What the law is told.
    fn sight(&self, is_queued: bool) -> Sight {
        Sight {
            wait: self.wait,
            target: self.target,
            is_queued,
            is_pressed: self.is_pressed(),
            passed: self.meter.leaving(PRESSED).unwrap_or(0),
        }
    }

    /// A full packet's time at the rate, in microseconds.
    fn packet_time(&self) -> u64 {
        time(PACKET, self.applied.max(self.law.rate).max(LEAST))
    }

    /// The wait aimed at: what answers are off by, by themselves, is no queue.
    fn target(&self) -> u64 {
        self.aim.map_or(TARGET, |aim| aim.0.max(LEAST_AIM)) + self.jitter
    }

    /// How far `trip` is above what this way takes when nothing waits.
    pub fn above(&mut self, now: Time, reflector: u16, trip: Micros) -> Micros {
        let is_light = self.is_light();
        let baseline = self.baselines.get_mut(usize::from(reflector));
        baseline.map_or(Micros(0), |baseline| baseline.add(now, trip, is_light))
    }

    /// A probe that was sent at `sent`, when `released` was let out, came back `above` what it takes when nothing waits.
    /// `carries`: it is this direction that carries the data.
    pub fn answer(&mut self, now: Time, sent: (Time, Bytes), above: Micros, carries: bool) {
        // Half a packet of our own is in its way on average.
        let own = if self.meter.has_backlog() { self.packet_time() / 2 } else { 0 };
        let wait = above.0.saturating_sub(own);
        self.waits = [wait, self.waits[0], self.waits[1]];
        let middle = median(self.waits);
        // An answer off the two around it: bounded, so that a queue which comes or goes is not taken for jitter.
        let off = self.waits[1].abs_diff(middle).min(2 * self.jitter + 1_000);
        self.jitter = (self.jitter * 15 + off) / 16;
        self.target = self.target();
        let noise = WAITED + 2 * self.jitter;
        let has_waited = wait > noise;
        let is_queued = if self.is_up() {
            self.passed(now, sent, wait, has_waited, middle > noise);
            middle > noise
        } else {
            let is_queued = middle > noise.max(self.target / 1000 * QUEUED);
            self.arrived(now, has_waited, is_queued && carries);
            is_queued
        };
        // Hardly anything of ours is on its way: what little waits does not wait for us.
        if !carries || self.is_light() && middle < MINOR {
            self.wait = 0;
        }
        self.law.judge(now, &self.sight(is_queued && self.wait > 0));
        let minor = self.target + 4 * self.jitter;
        if let Some(by) = self.route.hear(now, middle, self.applied, self.law.capacity.now(), minor) {
            self.lengthen(by);
        }
        self.bound();
    }

    /// An upload's answer: its train measures, and what was let out since it was sent is still to come.
    fn passed(&mut self, now: Time, sent: (Time, Bytes), wait: u64, has_waited: bool, is_queued: bool) {
        let blur = BLUR + self.jitter + self.packet_time() / 2;
        self.law.capacity.passed(now, sent, Micros(wait), has_waited, blur);
        self.wait = if !has_waited && !is_queued {
            // The line is not full, so what it carries is not known, nor what that does to what was let out since.
            self.law.capacity.found()
        } else if self.law.capacity.now() > 0 {
            self.law.capacity.wait(now, self.released(now))
        } else {
            wait
        };
    }

    /// A download's answer: it is as old as its way home, and what arrives is what the line carries if it is full.
    fn arrived(&mut self, now: Time, has_waited: bool, is_queued: bool) {
        self.law.capacity.unbound();
        // An answer may be late by chance, but never early.
        self.wait = median(self.waits).min(self.waits[0]);
        if is_queued && let Some(arriving) = self.meter.arriving(WINDOW) {
            self.law.capacity.learn(now, arriving);
        }
        if !has_waited && let Some(arriving) = self.meter.arriving(LONG_WINDOW) {
            self.law.capacity.at_least(arriving);
        }
    }

    /// What was taken for a queue is a longer way.
    fn lengthen(&mut self, by: Micros) {
        self.baselines.iter_mut().for_each(|baseline| baseline.raise(by));
        self.moved = Some(by);
        self.waits = [0; 3];
        self.law.capacity = Capacity::known(self.law.level);
        self.law.rate = self.law.level / 4 * 3;
    }

    /// How late an answer may be for no reason of ours.
    pub fn margin(&self) -> u64 {
        LATE + 2 * self.jitter + self.packet_time()
    }

    /// A probe that was sent when `released` was let out has not left by `exit`, and has waited for `late` at least.
    pub fn overdue(&mut self, now: Time, released: Bytes, exit: Time, late: u64) {
        let bound =
            if self.is_up() { self.law.capacity.bound(released, exit) } else { self.meter.arriving(WINDOW) };
        let Some(bound) = bound else { return };
        self.law.capacity.at_most(now, bound);
        let wait = if self.is_up() {
            let sent = time(self.released(now).0.saturating_sub(released.0), self.law.capacity.now());
            sent.saturating_sub((now - exit).0)
        } else {
            late
        };
        self.wait = self.wait.max(wait);
        self.target = self.target();
        if self.wait > self.target {
            self.law.judge(now, &self.sight(true));
            self.law.reason = Reason::Overdue;
            self.bound();
        }
    }

    fn bound(&mut self) {
        let least = self.bounds.least.map_or(LEAST, Rate::bits_per_sec);
        let most = self.bounds.most.map_or(MOST, Rate::bits_per_sec);
        self.law.rate = self.law.rate.max(least).min(most);
    }

    /// The rate to be sent, if it is: a change costs a router more than a per cent of the line is worth.
    pub fn change(&mut self, now: Time) -> Option<Rate> {
        let (want, have) = (self.law.rate, self.applied);
        let is_small = want.abs_diff(have) * 1000 < have * if want > have { STEP_UP } else { STEP_DOWN };
        let is_soon = want > have && !self.law.is_new && now - self.applied_at < CALM;
        if !self.is_steered || have > 0 && (is_small || is_soon) {
            return None;
        }
        (self.applied, self.applied_at) = (want, now);
        self.changes = self.changes.saturating_add(1);
        Some(Rate::bits(want))
    }

    /// What it thinks.
    pub fn view(&self, state: State) -> View {
        View {
            rate: Rate::bits(self.applied),
            capacity: Rate::bits(self.law.capacity.now()),
            level: Rate::bits(self.law.level),
            is_least: self.law.is_new,
            wait: Micros(self.wait),
            target: Micros(self.target),
            jitter: Micros(self.jitter),
            reason: if state == State::Blind { Reason::Silent } else { self.law.reason },
            state,
            changes: self.changes,
        }
    }
}
