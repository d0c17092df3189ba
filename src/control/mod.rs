// SPDX-License-Identifier: Apache-2.0
//! The controller: keeps the shaper at what the line carries.
//!
//! Pure: it is told what happened and when, and says what to do; integers only, nothing allocated after the start.
//!
//! ```text
//!  answers ──▶ above the least of a minute ──▶ whose wait is it? ──▶ Way ──▶ Law ──▶ worth a change? ──▶ SetRates
//!  (probe.rs)  (baseline.rs)                   (one-way, or who      │  ▲     (rate.rs)
//!                                               carries the data)    │  │ overdue: what is not back bounds
//!  counters ─▶ Meter: what passed, what waits, ──────────────────────┘  │ the capacity before it is (flight.rs)
//!              what is no reading (meter.rs)        Capacity: trains of bytes between two probes (up),
//!                 │                                 arrivals while a queue stands (down) (capacity.rs)
//!                 └─▶ Pace: Idle, Light, Loaded, Blind: how often to look and to ask (pace.rs)
//!                      Blind: nobody answers, the counters alone decide (blind.rs)
//!
//!  a wait that stays flat though less is sent is a longer way, not a queue: it becomes the baseline (route.rs)
//! ```
//!
//! The law of a direction is at the top of rate.rs, the states are at the top of pace.rs, [`View`] tells the reason of
//! every decision with its inputs. Before editing: `weir-sim` (sim/) runs it on measured lines, and `./dev test sim`
//! holds it against a golden table.

pub mod blind;
pub mod capacity;
pub mod event;
pub mod flight;
pub mod meter;
pub mod pace;
pub mod queue;
pub mod rate;
pub mod route;
pub mod view;
pub mod way;

pub use event::{Action, Bounds, Event, Memory, Setup, WayCounters};
pub use view::{Reason, State, View};

use crate::limits::REFLECTORS;
use crate::measure::baseline::Baseline;
use crate::measure::probe::{Prober, Sent};
use crate::units::{self, Micros, Time};
use flight::Flight;
use pace::Pace;
use queue::Queue;
use way::{ACKS, QUIET, Way};

/// More than this many bits per second are traffic; our own probes are less.
const BUSY: u64 = 40_000;
/// When traffic has appeared, the next look is this near.
const SOON: Micros = Micros::ms(50);

/// Suspicions that differ by less are alike.
const ALIKE: u64 = 100;

/// Both directions of a line.
#[derive(Clone, Debug)]
pub struct Controller {
    up: Way,
    down: Way,
    prober: Prober,
    flight: Flight,
    /// Baselines of the whole trip.
    whole: [Baseline; REFLECTORS],
    pace: Pace,
    next: Time,
    todo: Queue<Action, 8>,
}

impl Controller {
    /// For a line of which this is known.
    pub fn new(setup: &Setup) -> Self {
        Self {
            up: Way::new(units::Way::Up, setup.up, setup.target),
            down: Way::new(units::Way::Down, setup.down, setup.target),
            prober: Prober::new(setup.reflectors).only(setup.questions),
            flight: Flight::default(),
            whole: core::array::from_fn(|_| Baseline::default()),
            pace: if setup.reflectors == 0 { Pace::alone() } else { Pace::default() },
            next: Time(0),
            todo: Queue::default(),
        }
    }

    /// Takes what happened.
    pub fn handle(&mut self, now: Time, event: Event) {
        match event {
            Event::Start => {
                self.next = now;
                self.pace.begin(now);
                self.apply(now);
            }
            Event::Counters { at, up, down } => {
                self.up.count(at, &up);
                self.down.count(at, &down);
                self.prober.counted(at, up.released);
                self.flight.counted(at, up.released);
                self.look(now);
                if self.pace.state() == State::Blind {
                    self.grope(now);
                } else {
                    self.overdue(now);
                }
                self.apply(now);
            }
            Event::Answer { id, sent, received, one_way, .. } => {
                if let Some(probe) = self.prober.answered(now, id) {
                    if self.pace.answered(now) {
                        self.up.resume();
                        self.down.resume();
                    }
                    self.answer(now, probe, received - sent, one_way);
                    self.apply(now);
                }
            }
            Event::Deadline => {
                if now >= self.next {
                    self.beat(now);
                }
            }
        }
    }

    /// The next thing to do.
    pub fn poll(&mut self) -> Option<Action> {
        self.todo.pop()
    }

    /// When it wants to hear [`Event::Deadline`].
    pub fn deadline(&self) -> Option<Time> {
        Some(self.next)
    }

    /// What it thinks of a direction.
    pub fn view(&self, way: units::Way) -> View {
        match way {
            units::Way::Up => self.up.view(self.pace.state()),
            units::Way::Down => self.down.view(self.pace.state()),
        }
    }

    /// What has been learnt and is worth keeping: [`Setup::recall`] begins with it.
    pub fn memory(&self) -> Memory {
        Memory { up: self.up.learnt(), down: self.down.learnt() }
    }

    /// Goes on where another controller stood, in directions of which it learnt nothing to recall.
    pub fn go_on(&mut self, up: &View, down: &View) {
        self.up.go_on(up);
        self.down.go_on(down);
    }

    /// The counters are read and perhaps somebody is asked.
    fn beat(&mut self, now: Time) {
        self.todo.push(Action::ReadCounters);
        // Of a direction in which nothing has ever queued it is not known how slow it is.
        let slower = [&self.up, &self.down].into_iter().filter_map(Way::carries).min();
        let unknown = self.up.law.rate.max(self.down.law.rate);
        self.next = now + self.pace.gap(slower.unwrap_or(unknown));
        if !self.pace.asks() {
            return;
        }
        let released = self.up.released(now);
        if let Some(Sent { reflector, id, question, .. }) = self.prober.ask(now, released) {
            self.pace.asked(now);
            self.flight.leave(id, reflector, now, released);
            self.todo.push(Action::Probe { reflector, id, question });
        }
    }

    /// How much the line is used, and so how soon to look again.
    fn look(&mut self, now: Time) {
        let is_busy = self.up.at_work().max(self.down.at_work()) > BUSY;
        let is_loaded = self.up.is_loaded() || self.down.is_loaded();
        if self.pace.counted(now, is_busy, is_loaded) {
            self.next = self.next.min(now + SOON);
        }
    }

    fn answer(&mut self, now: Time, probe: Sent, trip: Micros, one_way: Option<(Micros, Micros)>) {
        self.flight.back(probe.id);
        let sent = (probe.at, probe.released);
        let is_light = self.up.is_light() && self.down.is_light();
        let Some(whole) = self.whole.get_mut(usize::from(probe.reflector)) else { return };
        let above = whole.add(now, trip, is_light);
        let (up, down) = match one_way {
            Some((out, back)) => {
                (self.up.above(now, probe.reflector, out), self.down.above(now, probe.reflector, back))
            }
            None => self.attribute(above),
        };
        let (up_carries, down_carries) =
            (self.up.carries_beside(&self.down), self.down.carries_beside(&self.up));
        self.up.answer(now, sent, up, up_carries);
        self.down.answer(now, sent, down, down_carries);
        for by in [self.up.moved.take(), self.down.moved.take()].into_iter().flatten() {
            self.whole.iter_mut().for_each(|whole| whole.raise(by));
        }
    }

    /// Whose a wait is that was seen on the whole trip only: of the direction that carries the data while the other
    /// carries acknowledgements; where both carry data, of the one more under suspicion. Who is blamed wrongly sends
    /// less for it, so that the next blame is the other's. If that does not tell, half of it each.
    fn attribute(&self, above: Micros) -> (Micros, Micros) {
        let half = Micros(above.0 / 2);
        let (up, down) = (self.up.at_work(), self.down.at_work());
        if up.max(down) < QUIET {
            return (Micros(0), Micros(0));
        }
        let is_up = if up > ACKS * down || down > ACKS * up {
            up > down
        } else {
            let (up, down) = (self.up.suspicion(), self.down.suspicion());
            if up.abs_diff(down) < ALIKE {
                return (half, half);
            }
            up > down
        };
        if is_up { (above, Micros(0)) } else { (Micros(0), above) }
    }

    /// Nobody answers: counters alone.
    fn grope(&mut self, now: Time) {
        let (up, down) = (self.up.is_alive(), self.down.is_alive());
        self.up.grope(now, down);
        self.down.grope(now, up);
    }

    /// What is not back yet and should be.
    fn overdue(&mut self, now: Time) {
        let margin = self.up.margin() + self.down.margin();
        let base = |reflector: u16| Some(self.whole.get(usize::from(reflector))?.get()?.0);
        let Some(probe) = self.flight.overdue(now, |reflector| Some(Micros(base(reflector)? + margin)))
        else {
            return;
        };
        let late = (now - probe.sent).0.saturating_sub(base(probe.reflector).unwrap_or(0) + margin / 2);
        let exit = probe.sent + Micros(late);
        let (is_up, is_down) = self.attribute(Micros(late));
        let (is_up, is_down) = (
            is_up.0 > 0 && self.up.carries_beside(&self.down),
            is_down.0 > 0 && self.down.carries_beside(&self.up),
        );
        if is_up {
            self.up.overdue(now, probe.released, exit, late);
        }
        if is_down {
            self.down.overdue(now, probe.released, exit, late);
        }
    }

    fn apply(&mut self, now: Time) {
        let (up, down) = (self.up.change(now), self.down.change(now));
        if up.is_some() || down.is_some() {
            self.todo.push(Action::SetRates { up, down });
        }
    }
}

#[cfg(test)]
mod tests;
