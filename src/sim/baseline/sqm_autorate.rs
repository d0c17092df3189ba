// SPDX-License-Identifier: Apache-2.0
//! sqm-autorate (the Lua program): one-way delays, two moving averages per reflector, and a memory of rates that held.
//!
//! Written from a description of commit 87e31e2 (github.com/sqm-autorate/sqm-autorate), not from its text. The base
//! rate a user would set is taken to be the median of the trace. Its statistic is the third smallest delta of five
//! reflectors; with fewer than five fresh ones the smallest, with none it goes to its minimum.

use super::kbit;
use crate::sim::pilot::{Action, Event, Pilot, Question, WayCounters};
use crate::sim::random::Random;
use crate::sim::world::Setup;
use crate::units::{Micros, Time};
use std::collections::VecDeque;

const REFLECTORS: usize = 5;
const TICK: Micros = Micros::ms(500);
const SLOW_HALF_LIFE: f64 = 135.0;
const FAST_HALF_LIFE: f64 = 0.4;
/// upload_delay_ms and download_delay_ms.
const DELAY_LIMIT: f64 = 15.0;
const HIGH_LOAD: f64 = 0.8;
const HISTORY: usize = 100;
const MINIMUM: f64 = 0.2;
const START: f64 = 0.6;
const FRESH: Micros = Micros::secs(1);
/// After so long without an answer what was known of a reflector is worth nothing.
const FORGOTTEN: Micros = Micros::secs(30);

struct Side {
    base: f64,
    rate: f64,
    safe: Vec<f64>,
    place: usize,
    bytes: u64,
}

impl Side {
    fn new(base: f64, random: &mut Random) -> Self {
        let safe = (0..HISTORY).map(|_| (random.between(0.75, 0.95) * base).floor()).collect();
        Self { base, rate: (START * base).floor(), safe, place: 0, bytes: 0 }
    }

    fn step(&mut self, seconds: f64, bytes: u64, delta: Option<f64>, random: &mut Random) {
        let load = 8.0 / 1000.0 * (bytes - self.bytes) as f64 / seconds / self.rate;
        self.bytes = bytes;
        let least = MINIMUM * self.base;
        let Some(delta) = delta else {
            self.rate = least;
            return;
        };
        if delta < DELAY_LIMIT && load > HIGH_LOAD {
            self.safe[self.place] = (self.rate * load).floor();
            self.place = (self.place + 1) % HISTORY;
            let best = self.safe.iter().copied().fold(1.0, f64::max);
            self.rate = self.rate * (1.0 + 0.1 * (1.0 - self.rate / best).max(0.0)) + 0.03 * self.base;
        }
        if delta > DELAY_LIMIT {
            let remembered = self.safe[random.below(HISTORY)];
            self.rate = (0.9 * self.rate * load).min(remembered);
        }
        self.rate = self.rate.max(least).floor();
    }
}

/// The two averages of a reflector, outwards and inwards, in milliseconds.
#[derive(Clone, Copy, Default)]
struct Averages {
    slow: [f64; 2],
    fast: [f64; 2],
    last: Option<Time>,
}

/// The program.
pub struct SqmAutorate {
    sides: [Side; 2],
    averages: Vec<Averages>,
    random: Random,
    next_ping: Time,
    next_tick: Time,
    last_tick: Time,
    ping: usize,
    sent: u32,
    todo: VecDeque<Action>,
}

fn factor(half_life: f64) -> f64 {
    (-core::f64::consts::LN_2 * 0.5 / half_life).exp()
}

impl SqmAutorate {
    /// The program, with the median capacities as its base rates.
    pub fn new(setup: &Setup) -> Self {
        let mut random = Random::new(setup.seed, 0x300);
        let sides = [&setup.up, &setup.down].map(|path| {
            let base = path.first().map_or(1_000.0, |(trace, _)| trace.quantile(0.5));
            Side::new(base.max(500.0), &mut random)
        });
        Self {
            sides,
            averages: vec![Averages::default(); REFLECTORS.min(setup.reflectors.len())],
            random,
            next_ping: Time(0),
            next_tick: Time(0) + TICK,
            last_tick: Time(0),
            ping: 0,
            sent: 0,
            todo: VecDeque::new(),
        }
    }

    fn answer(&mut self, now: Time, reflector: u16, delays: [f64; 2]) {
        let Some(averages) = self.averages.get_mut(usize::from(reflector)) else { return };
        let is_known = averages.last.is_some_and(|last| now - last < FORGOTTEN);
        averages.last = Some(now);
        if !is_known {
            (averages.slow, averages.fast) = (delays, delays);
            return;
        }
        let (slow, fast) = (factor(SLOW_HALF_LIFE), factor(FAST_HALF_LIFE));
        for (way, delay) in delays.into_iter().enumerate() {
            averages.fast[way] = averages.fast[way] * fast + delay * (1.0 - fast);
            averages.slow[way] = (averages.slow[way] * slow + delay * (1.0 - slow)).min(averages.fast[way]);
        }
    }

    fn step(&mut self, now: Time, counters: [WayCounters; 2]) {
        let seconds = (now - self.last_tick).0 as f64 / 1e6;
        self.last_tick = now;
        if seconds <= 0.0 {
            return;
        }
        for (way, (side, counters)) in self.sides.iter_mut().zip(counters).enumerate() {
            let fresh =
                self.averages.iter().filter(|averages| averages.last.is_some_and(|last| now - last < FRESH));
            let mut deltas: Vec<f64> =
                fresh.map(|averages| averages.fast[way] - averages.slow[way]).collect();
            deltas.sort_by(f64::total_cmp);
            let delta = deltas.get(2).or(deltas.first()).copied();
            side.step(seconds, counters.line.0, delta, &mut self.random);
        }
        self.set_rates();
    }

    fn set_rates(&mut self) {
        let [up, down] = self.sides.each_ref().map(|side| Some(kbit(side.rate as u64)));
        self.todo.push_back(Action::SetRates { up, down });
    }
}

impl Pilot for SqmAutorate {
    fn handle(&mut self, now: Time, event: Event) {
        match event {
            Event::Start => self.set_rates(),
            Event::Counters { up, down, .. } => self.step(now, [up, down]),
            Event::Answer { reflector, one_way: Some((out, back)), .. } => {
                self.answer(now, reflector, [out, back].map(|way| way.0 as f64 / 1000.0));
            }
            // Type 13 alone counts.
            Event::Answer { one_way: None, .. } => {}
            Event::Deadline => {
                if now >= self.next_tick {
                    self.next_tick = self.next_tick + TICK;
                    self.todo.push_back(Action::ReadCounters);
                }
                if now >= self.next_ping && !self.averages.is_empty() {
                    self.next_ping = now + Micros(TICK.0 / self.averages.len() as u64);
                    self.ping = (self.ping + 1) % self.averages.len();
                    self.sent += 1;
                    self.todo.push_back(Action::Probe {
                        reflector: self.ping as u16,
                        id: self.sent,
                        question: Question::Timestamp,
                    });
                }
            }
        }
    }

    fn poll(&mut self) -> Option<Action> {
        self.todo.pop_front()
    }

    fn deadline(&self) -> Option<Time> {
        Some(if self.averages.is_empty() { self.next_tick } else { self.next_tick.min(self.next_ping) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_quiet_line_grows_by_three_per_cent_of_base_and_the_pull_of_the_best() {
        let mut random = Random::new(1, 1);
        let mut side = Side { safe: vec![10_000.0; HISTORY], ..Side::new(10_000.0, &mut random) };
        // Half a second at 5900 of 6000 kbit/s.
        side.step(0.5, 368_750, Some(3.0), &mut random);
        assert_eq!(side.rate, (6_000.0f64 * (1.0 + 0.1 * 0.4) + 300.0).floor());
        assert_eq!(side.safe[0], 5_900.0);
    }

    #[test]
    fn delay_sends_the_rate_to_nine_tenths_of_what_arrived_or_to_a_rate_that_held() {
        let mut random = Random::new(1, 1);
        let mut side = Side { safe: vec![9_000.0; HISTORY], ..Side::new(10_000.0, &mut random) };
        side.step(0.5, 368_750, Some(40.0), &mut random);
        assert_eq!(side.rate, 5_310.0);
        side.rate = 12_000.0;
        side.step(0.5, 368_750 + 750_000, Some(40.0), &mut random);
        assert_eq!(side.rate, 9_000.0);
        side.step(0.5, 368_750 + 750_000, None, &mut random);
        assert_eq!(side.rate, 2_000.0);
    }
}
