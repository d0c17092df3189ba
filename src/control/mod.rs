// SPDX-License-Identifier: Apache-2.0
//! The controller: keeps the shaper at what the line carries.

pub mod capacity;
pub mod event;
pub mod rate;

pub use event::{Action, Bounds, Event, Setup, WayCounters};

use crate::measure::baseline::Baseline;
use crate::measure::probe::{Prober, Sent};
use crate::units::{Bytes, Micros, Rate, Time};
use alloc::collections::VecDeque;
use rate::Law;

/// Reflectors asked.
const REFLECTORS: usize = 6;
/// From one probe to the next, under load.
const BEAT: Micros = Micros::ms(50);
/// How far an answer must be above the noise to have waited.
const WAITED: u64 = 3_000;
/// Where an unknown line begins.
const BEGIN: u64 = 3_000_000;
/// A changed rate is sent when it differs by this many thousandths.
const STEP: u64 = 15;
/// Increases are sent at most this often.
const CALM: Micros = Micros::ms(100);

/// One direction.
#[derive(Clone, Debug)]
struct Way {
    law: Law,
    baselines: [Baseline; REFLECTORS],
    counters: WayCounters,
    /// Arrivals on the line at each beat, the newest first.
    arrivals: [(Time, Bytes); 8],
    applied: u64,
    applied_at: Time,
    waits: [u64; 3],
}

impl Way {
    fn new() -> Self {
        Self {
            law: Law::new(BEGIN),
            baselines: core::array::from_fn(|_| Baseline::default()),
            counters: WayCounters::default(),
            arrivals: [(Time(0), Bytes(0)); 8],
            applied: 0,
            applied_at: Time(0),
            waits: [0; 3],
        }
    }

    fn count(&mut self, at: Time, counters: WayCounters) {
        self.counters = counters;
        self.arrivals.rotate_right(1);
        self.arrivals[0] = (at, counters.line);
    }

    /// What came over the line in the last hundred milliseconds and a bit, in bits per second.
    fn arriving(&self) -> u64 {
        let (now, bytes) = self.arrivals[0];
        let Some((then, before)) = self.arrivals.iter().find(|(at, _)| now - *at >= Micros::ms(100)) else {
            return 0;
        };
        let span = now - *then;
        if span.0 == 0 { 0 } else { (bytes.0 - before.0) * 8_000_000 / span.0 }
    }

    fn has_backlog(&self) -> bool {
        self.counters.packets > 2
    }

    /// Whether the line is hardly used.
    fn is_light(&self) -> bool {
        self.counters.packets == 0 && self.arriving() < self.law.rate / 3
    }

    /// The rate to be sent, if it is.
    fn change(&mut self, now: Time) -> Option<Rate> {
        let (want, have) = (self.law.rate, self.applied);
        if want.abs_diff(have) * 1000 < have * STEP || (want > have && now - self.applied_at < CALM) {
            return None;
        }
        (self.applied, self.applied_at) = (want, now);
        Some(Rate::bits(want))
    }
}

/// Both directions of a line.
#[derive(Clone, Debug)]
pub struct Controller {
    up: Way,
    down: Way,
    prober: Prober,
    next: Time,
    todo: VecDeque<Action>,
}

impl Controller {
    /// For a line of which this is known.
    pub fn new(setup: &Setup) -> Self {
        Self {
            up: Way::new(),
            down: Way::new(),
            prober: Prober::new(setup.reflectors),
            next: Time(0),
            todo: VecDeque::with_capacity(8),
        }
    }

    /// Takes what happened.
    pub fn handle(&mut self, now: Time, event: Event) {
        match event {
            Event::Start => {
                self.next = now;
                self.apply(now);
            }
            Event::Counters { at, up, down } => {
                self.up.count(at, up);
                self.down.count(at, down);
                self.prober.counted(at, up.released);
            }
            Event::Answer { id, sent, received, one_way, .. } => {
                if let Some(probe) = self.prober.answered(now, id) {
                    self.answer(now, probe, received - sent, one_way);
                    self.apply(now);
                }
            }
            Event::Deadline => {
                if now >= self.next {
                    self.next = now + BEAT;
                    self.beat(now);
                }
            }
        }
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Action> {
        self.todo.pop_front()
    }

    /// When it wants to hear [`Event::Deadline`].
    pub fn deadline(&self) -> Option<Time> {
        Some(self.next)
    }

    /// The rates worth knowing after a restart.
    pub fn learnt(&self) -> [Option<Rate>; 2] {
        [&self.up, &self.down]
            .map(|way| Some(Rate::bits(way.law.capacity.slow)).filter(|rate| *rate > Rate::ZERO))
    }

    fn beat(&mut self, now: Time) {
        self.todo.push_back(Action::ReadCounters);
        if let Some(Sent { reflector, id, question, .. }) = self.prober.ask(now, self.up.counters.released) {
            self.todo.push_back(Action::Probe { reflector, id, question });
        }
    }

    fn answer(&mut self, now: Time, probe: Sent, trip: Micros, one_way: Option<(Micros, Micros)>) {
        let (out, back) = one_way.unwrap_or((Micros(trip.0 / 2), Micros(trip.0 / 2)));
        for (way, trip, is_up) in [(&mut self.up, out, true), (&mut self.down, back, false)] {
            let is_light = way.is_light();
            let Some(baseline) = way.baselines.get_mut(usize::from(probe.reflector)) else { continue };
            let above = baseline.add(now, trip, is_light);
            let wait = above.0.saturating_sub(baseline.noise().0);
            way.waits.rotate_right(1);
            way.waits[0] = wait;
            let has_waited = wait >= WAITED;
            let mut wait = wait;
            if is_up {
                way.law.capacity.passed(now, probe.at, Micros(wait), probe.released, has_waited);
                if way.law.capacity.is_fresh(now) {
                    wait = way.law.capacity.wait(now, way.counters.released);
                }
            } else if has_waited {
                let arriving = way.arriving();
                way.law.capacity.learn(now, arriving);
            }
            if !has_waited && way.has_backlog() {
                way.law.capacity.at_least(way.applied);
            }
            let has_backlog = way.has_backlog();
            way.law.judge(now, wait, has_waited, has_backlog);
        }
    }

    fn apply(&mut self, now: Time) {
        let (up, down) = (self.up.change(now), self.down.change(now));
        if up.is_some() || down.is_some() {
            self.todo.push_back(Action::SetRates { up, down });
        }
    }
}
