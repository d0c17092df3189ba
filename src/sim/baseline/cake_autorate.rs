// SPDX-License-Identifier: Apache-2.0
//! cake-autorate as people run it: its signals, its law, its defaults.
//!
//! Written from a description of the script at commit 94238be (github.com/lynxthecat/cake-autorate, 3.3.0-PRERELEASE),
//! not from its text. All arithmetic is in whole microseconds, kbit/s and thousandths and truncates, as the shell's
//! does. Not modelled: the random exchange of a reflector every hour, time spent in bash and tc (a few milliseconds
//! per step), and the restart of a pinger that died.

use super::{HandSet, kbit};
use crate::sim::pilot::{Action, Event, Pilot, Question, WayCounters};
use crate::sim::world::Setup;
use crate::units::{Micros, Time};
use std::collections::VecDeque;

/// no_pingers and reflector_ping_interval_s: a probe every 50 ms.
const PINGERS: usize = 6;
const PING_EVERY: Micros = Micros::ms(50);
/// monitor_achieved_rates_interval_ms.
const RATES_EVERY: Micros = Micros::ms(200);
/// avg_owd_delta_max_adjust_up_thr_ms, owd_delta_delay_thr_ms, avg_owd_delta_max_adjust_down_thr_ms; microseconds.
const UP_LIMIT: i64 = 10_000;
const DELAY_LIMIT: i64 = 30_000;
const DOWN_LIMIT: i64 = 60_000;
/// bufferbloat_detection_window and bufferbloat_detection_thr.
const WINDOW: usize = 6;
const ENOUGH: usize = 3;
/// alpha_baseline_increase, alpha_baseline_decrease, alpha_delta_ewma; millionths.
const BASELINE_UP: i64 = 1_000;
const BASELINE_DOWN: i64 = 900_000;
const DELTA: i64 = 95_000;
/// high_load_thr in per cent, connection_active_thr_kbps.
const HIGH_LOAD: u64 = 75;
const ACTIVE: u64 = 2_000;
/// shaper_rate_{min,max}_adjust_down_bufferbloat and shaper_rate_max_adjust_up_load_high, in thousandths.
const LEAST_CUT: i64 = 990;
const DEEPEST_CUT: i64 = 750;
const HIGHEST_RAISE: i64 = 40;
/// bufferbloat_refractory_period_ms and decay_refractory_period_ms.
const AFTER_CUT: Micros = Micros::ms(300);
const AFTER_DECAY: Micros = Micros::ms(1_000);
/// sustained_idle_sleep_thr_s.
const SLEEP_AFTER: Micros = Micros::secs(60);
/// stall_detection_thr times the response interval, and connection_stall_thr_kbps.
const STALL_AFTER: Micros = Micros::ms(250);
const STALLED: u64 = 10;
/// Reflector health: an answer is due within a second, three offences in the last minute are too many.
const HEALTH_EVERY: Micros = Micros::secs(1);
const HEALTH_DUE: Micros = Micros::secs(1);
const OFFENCES: u32 = 3;
/// Reflectors are compared every minute: their baseline and the drift of their deltas, microseconds.
const COMPARE_EVERY: Micros = Micros::secs(60);
const BASELINE_APART: i64 = 20_000;
const DELTA_APART: i64 = 10_000;
/// A full packet with Ethernet's header, in bits.
const PACKET_BITS: u64 = 1_514 * 8;
const START_BASELINE: i64 = 100_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Load {
    Idle,
    Low,
    High,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    Stalled,
    Asleep,
}

/// One direction.
struct Side {
    limits: HandSet,
    rate: u64,
    achieved: u64,
    bytes: u64,
    load: Load,
    load_percent: u64,
    is_achieved_new: bool,
    last_cut: Time,
    last_decay: Time,
    deltas: [i64; WINDOW],
    delays: [bool; WINDOW],
}

impl Side {
    const fn new(limits: HandSet) -> Self {
        Self {
            limits,
            rate: limits.base,
            achieved: 0,
            bytes: 0,
            load: Load::Idle,
            load_percent: 0,
            is_achieved_new: false,
            last_cut: Time(0),
            last_decay: Time(0),
            deltas: [0; WINDOW],
            delays: [false; WINDOW],
        }
    }

    /// What a full packet takes at the rate, which all limits allow for; microseconds.
    fn packet_time(&self) -> i64 {
        (1_000 * PACKET_BITS / self.rate.max(1)) as i64
    }

    fn measure(&mut self, counters: WayCounters) {
        let bytes = counters.released.0;
        // Divided by the time that should have passed, not by the time that has.
        self.achieved = 8_000 * (bytes - self.bytes) / RATES_EVERY.0;
        self.bytes = bytes;
        self.load_percent = 100 * self.achieved / self.rate.max(1);
        self.load = match self.load_percent {
            percent if percent > HIGH_LOAD => Load::High,
            _ if self.achieved > ACTIVE => Load::Low,
            _ => Load::Idle,
        };
        self.is_achieved_new = true;
    }

    /// Takes a reflector's delta into the window and decides.
    fn decide(&mut self, now: Time, slot: usize, delta: i64) {
        let (up, delay, down) = {
            let packet = self.packet_time();
            (UP_LIMIT + packet, DELAY_LIMIT + packet, DOWN_LIMIT + packet)
        };
        self.deltas[slot] = delta;
        self.delays[slot] = delta > delay;
        let mean = self.deltas.iter().sum::<i64>() / WINDOW as i64;
        let is_bloated = self.delays.iter().filter(|&&is_delayed| is_delayed).count() >= ENOUGH;
        let has_rested = now - self.last_cut > AFTER_CUT;
        if is_bloated {
            if has_rested {
                let depth = (1_000 * (mean - delay) / (down - delay)).clamp(0, 1_000);
                let factor = LEAST_CUT - depth * (LEAST_CUT - DEEPEST_CUT) / 1_000;
                self.rate = self.rate * factor as u64 / 1_000;
                (self.last_cut, self.last_decay) = (now, now);
            }
        } else if self.load == Load::High {
            if self.is_achieved_new && has_rested {
                let height = (1_000 * (delay - mean) / (delay - up)).clamp(0, 1_000);
                let factor = 1_000 + height * HIGHEST_RAISE / 1_000;
                self.rate = self.rate * factor as u64 / 1_000;
                self.is_achieved_new = false;
                self.last_decay = now;
            }
        } else if now - self.last_decay > AFTER_DECAY {
            let base = self.limits.base;
            self.rate = if self.rate > base {
                (self.rate * 990 / 1_000).max(base)
            } else {
                (self.rate * 1_010 / 1_000).min(base)
            };
            self.last_decay = now;
        }
        self.rate = self.rate.clamp(self.limits.min, self.limits.max.max(self.limits.min));
    }
}

/// What is known of a reflector, outwards and inwards.
struct Reflector {
    id: u16,
    baselines: [i64; 2],
    drifts: [i64; 2],
    last_answer: Time,
    /// The last minute's offences, a bit for every second.
    offences: u64,
}

/// The script.
pub struct CakeAutorate {
    is_one_way: bool,
    state: State,
    sides: [Side; 2],
    /// The active ones first, spares behind.
    reflectors: VecDeque<Reflector>,
    slot: usize,
    ping: usize,
    sent: u32,
    next_ping: Time,
    next_rates: Time,
    next_health: Time,
    next_comparison: Time,
    last_answer: Time,
    idle_since: Option<Time>,
    rates_set: [u64; 2],
    todo: VecDeque<Action>,
}

impl CakeAutorate {
    /// The script with its rates set by hand; with fping, or with a pinger that measures each way.
    pub fn new(setup: &Setup, is_one_way: bool) -> Self {
        let reflector = |id| Reflector {
            id,
            baselines: [START_BASELINE; 2],
            drifts: [0; 2],
            last_answer: Time(0),
            offences: 0,
        };
        Self {
            is_one_way,
            state: State::Running,
            sides: HandSet::of(setup).map(Side::new),
            reflectors: (0..setup.reflectors.len() as u16).map(reflector).collect(),
            slot: 0,
            ping: 0,
            sent: 0,
            next_ping: Time(0),
            next_rates: Time(0) + RATES_EVERY,
            next_health: Time(0) + HEALTH_EVERY,
            next_comparison: Time(0) + COMPARE_EVERY,
            last_answer: Time(0),
            idle_since: None,
            rates_set: [0; 2],
            todo: VecDeque::new(),
        }
    }

    fn active(&self) -> usize {
        PINGERS.min(self.reflectors.len())
    }

    fn counters(&mut self, now: Time, up: WayCounters, down: WayCounters) {
        let [up_side, down_side] = &mut self.sides;
        up_side.measure(up);
        down_side.measure(down);
        let are_alive = self.sides.iter().all(|side| side.achieved > STALLED);
        let is_active = self.sides.iter().any(|side| side.achieved > ACTIVE);
        match self.state {
            State::Running => {
                if now - self.last_answer > STALL_AFTER && !are_alive {
                    self.state = State::Stalled;
                }
                self.sleep_when_idle(now);
            }
            State::Stalled if are_alive => self.state = State::Running,
            State::Stalled => {}
            State::Asleep if is_active => {
                self.state = State::Running;
                self.last_answer = now + Micros::ms(600);
                self.next_ping = now;
                self.next_health = now + HEALTH_EVERY + Micros::ms(600);
                for reflector in &mut self.reflectors {
                    reflector.last_answer = self.last_answer;
                }
            }
            State::Asleep => {}
        }
    }

    fn sleep_when_idle(&mut self, now: Time) {
        if self.sides.iter().any(|side| side.load != Load::Idle) {
            self.idle_since = None;
            return;
        }
        let since = *self.idle_since.get_or_insert(now);
        if now - since > SLEEP_AFTER {
            (self.state, self.idle_since) = (State::Asleep, None);
        }
    }

    fn answer(&mut self, now: Time, id: u16, delays: [i64; 2]) {
        let active = self.active();
        let Some(reflector) = self.reflectors.iter_mut().take(active).find(|reflector| reflector.id == id)
        else {
            return;
        };
        self.last_answer = self.last_answer.max(now);
        reflector.last_answer = reflector.last_answer.max(now);
        if self.state == State::Stalled {
            self.state = State::Running;
            return;
        }
        let is_quiet = self.sides.iter().all(|side| side.load_percent < HIGH_LOAD);
        let mut deltas = [0; 2];
        for (way, (delta, delay)) in deltas.iter_mut().zip(delays).enumerate() {
            let baseline = &mut reflector.baselines[way];
            let alpha = if delay >= *baseline { BASELINE_UP } else { BASELINE_DOWN };
            *baseline = (alpha * delay + (1_000_000 - alpha) * *baseline) / 1_000_000;
            *delta = delay - *baseline;
            if is_quiet {
                let drift = &mut reflector.drifts[way];
                *drift = (DELTA * *delta + (1_000_000 - DELTA) * *drift) / 1_000_000;
            }
        }
        self.slot = (self.slot + 1) % WINDOW;
        // Download first, as the script does.
        for (side, delta) in self.sides.iter_mut().zip(deltas).rev() {
            side.decide(now, self.slot, delta);
        }
        self.set_rates();
    }

    fn set_rates(&mut self) {
        let wanted = self.sides.each_ref().map(|side| side.rate);
        if wanted == self.rates_set {
            return;
        }
        let [up, down] = [0, 1].map(|way| (wanted[way] != self.rates_set[way]).then(|| kbit(wanted[way])));
        self.rates_set = wanted;
        self.todo.push_back(Action::SetRates { up, down });
    }

    /// Looks after the reflectors: at most one is exchanged at a time.
    fn check_health(&mut self, now: Time) {
        let active = self.active();
        if now >= self.next_comparison {
            self.next_comparison = now + COMPARE_EVERY;
            let sum = |reflector: &Reflector| reflector.baselines.iter().sum::<i64>();
            let least = self.reflectors.iter().take(active).map(sum).min().unwrap_or(0);
            let least_drift = [0, 1]
                .map(|way| self.reflectors.iter().take(active).map(|r| r.drifts[way]).min().unwrap_or(0));
            let is_worse = |r: &Reflector| {
                sum(r) - least > BASELINE_APART
                    || r.drifts.iter().zip(least_drift).any(|(drift, least)| drift - least > DELTA_APART)
            };
            if let Some(at) = self.reflectors.iter().take(active).position(is_worse) {
                self.replace(now, at);
            }
            return;
        }
        for at in 0..active {
            let reflector = &mut self.reflectors[at];
            let is_late = now - reflector.last_answer > HEALTH_DUE;
            reflector.offences = (reflector.offences << 1 | u64::from(is_late)) & ((1 << 60) - 1);
        }
        let is_bad = |reflector: &Reflector| reflector.offences.count_ones() >= OFFENCES;
        if let Some(at) = self.reflectors.iter().take(active).position(is_bad) {
            self.replace(now, at);
        }
    }

    fn replace(&mut self, now: Time, at: usize) {
        if self.reflectors.len() <= PINGERS {
            return;
        }
        if let Some(mut spare) = self.reflectors.remove(PINGERS) {
            (spare.last_answer, spare.offences) = (now, 0);
            let bad = core::mem::replace(&mut self.reflectors[at], spare);
            self.reflectors.push_back(bad);
        }
    }

    fn deadline_passed(&mut self, now: Time) {
        if now >= self.next_rates {
            self.next_rates = self.next_rates + RATES_EVERY;
            self.todo.push_back(Action::ReadCounters);
        }
        if self.state == State::Asleep {
            return;
        }
        if now >= self.next_ping {
            self.next_ping = now + PING_EVERY;
            self.ping = (self.ping + 1) % self.active().max(1);
            if let Some(reflector) = self.reflectors.get(self.ping) {
                self.sent += 1;
                self.todo.push_back(Action::Probe {
                    reflector: reflector.id,
                    id: self.sent,
                    // fping, or tsping.
                    question: if self.is_one_way { Question::Timestamp } else { Question::Echo },
                });
            }
        }
        if now >= self.next_health && self.state == State::Running {
            self.next_health = now + HEALTH_EVERY;
            self.check_health(now);
        }
    }
}

impl Pilot for CakeAutorate {
    fn handle(&mut self, now: Time, event: Event) {
        match event {
            Event::Start => self.set_rates(),
            Event::Deadline => self.deadline_passed(now),
            Event::Counters { up, down, .. } => self.counters(now, up, down),
            Event::Answer { reflector, sent, received, one_way, .. } => {
                let half = (received - sent).0 as i64 / 2;
                let delays = match one_way {
                    Some((out, back)) if self.is_one_way => [out.0 as i64, back.0 as i64],
                    Some(_) | None => [half, half],
                };
                self.answer(now, reflector, delays);
            }
        }
    }

    fn poll(&mut self) -> Option<Action> {
        self.todo.pop_front()
    }

    fn deadline(&self) -> Option<Time> {
        let next = if self.state == State::Asleep {
            self.next_rates
        } else {
            self.next_rates.min(self.next_ping).min(self.next_health)
        };
        Some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(rate: u64) -> Side {
        Side { rate, ..Side::new(HandSet { min: 5_000, base: 20_000, max: 80_000 }) }
    }

    /// Answers every 50 ms from 1 s on, all with this delta.
    fn steer(side: &mut Side, answers: u64, delta: i64) -> Vec<u64> {
        let mut rates = Vec::new();
        for n in 0..answers {
            let now = Time(1_000_000 + n * 50_000);
            side.is_achieved_new |= n % 4 == 0;
            side.decide(now, n as usize % WINDOW, delta);
            if rates.last() != Some(&side.rate) {
                rates.push(side.rate);
            }
        }
        rates
    }

    #[test]
    fn bloat_cuts_a_quarter_every_300_ms_and_the_third_answer_is_the_first_to_count() {
        let mut side = side(52_500);
        side.load = Load::High;
        side.last_cut = Time(990_000);
        // The first two answers are too few, and 300 ms must have passed; the mean is above 60 ms then.
        // The series is the one seen from the real script on a real kernel (51 500 becomes 39 375 there by 52 500).
        let rates = steer(&mut side, 60, 200_000);
        assert_eq!(rates[..9], [52_500, 39_375, 29_531, 22_148, 16_611, 12_458, 9_343, 7_007, 5_255]);
    }

    #[test]
    fn high_load_without_delay_raises_by_four_per_cent_every_200_ms() {
        let mut side = side(20_000);
        side.load = Load::High;
        assert_eq!(steer(&mut side, 16, 0), [20_800, 21_632, 22_497, 23_396]);
    }

    #[test]
    fn low_load_decays_to_base_by_a_hundredth_per_second() {
        let mut side = side(20_300);
        side.load = Load::Low;
        assert_eq!(steer(&mut side, 61, 0), [20_300, 20_097, 20_000]);
    }

    #[test]
    fn a_delay_between_the_limits_holds_the_rate_nearly_still() {
        let mut side = side(40_000);
        side.load = Load::High;
        side.deltas = [29_000; WINDOW];
        // 30 ms and the time of a packet less 29 ms: a fifteenth of 4 per cent.
        assert_eq!(steer(&mut side, 1, 29_000), [40_080]);
    }
}
