// SPDX-License-Identifier: Apache-2.0
//! How long a reflector takes to answer when nothing queues, and what is above that.
//!
//! ```text
//!  round trip
//!     │            ┌──·─·──·─·   flat, high and the line hardly used for RECENT answers: a new route, learnt at once
//!     │   ·  · ·   │
//!     │─·─·───·─·──┘             the least of the last minute, in slots: a shorter way is learnt by one answer
//!     └───────────────▶ time
//! ```
//!
//! A queue is high as well, but it is there because the line is used, and it grows or falls. Averages would learn a
//! standing queue as the baseline, or need minutes for a route; a minimum with a test for a step does neither.

use crate::units::{Micros, Time};

/// Slots of the minute.
const SLOTS: usize = 6;
/// How long each is.
const SLOT: Micros = Micros::secs(10);
/// Answers that have to agree on a new route.
const RECENT: usize = 5;
/// The least time they have to span.
const SPAN: Micros = Micros::ms(2000);
/// A step smaller than this is not worth a name.
const STEP: Micros = Micros::ms(3);
/// How much the answers that agree may differ, beside the noise.
const FLAT: Micros = Micros::ms(2);
/// The least noise that is believed: clocks and schedulers make this much.
const LEAST_NOISE: Micros = Micros(200);

/// The most noise that excuses a difference between early and late answers.
const MOST_NOISE: Micros = Micros::ms(8);

/// One answer.
#[derive(Clone, Copy, Debug)]
struct Answer {
    at: Time,
    trip: Micros,
}

/// The baseline of one reflector.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// The least of each slot, the newest first; `MAX`: none.
    slots: [Micros; SLOTS],
    slot_began: Time,
    /// The last answers while the line was hardly used, the newest first.
    light: [Answer; RECENT],
    light_count: usize,
    /// What most answers stay below, above the baseline, while the line is hardly used.
    noise: Micros,
    /// How often a new route was learnt.
    routes: u32,
}

impl Default for Baseline {
    fn default() -> Self {
        Self {
            slots: [Micros::MAX; SLOTS],
            slot_began: Time(0),
            light: [Answer { at: Time(0), trip: Micros(0) }; RECENT],
            light_count: 0,
            noise: LEAST_NOISE,
            routes: 0,
        }
    }
}

impl Baseline {
    /// The baseline; `None` before the first answer.
    pub fn get(&self) -> Option<Micros> {
        self.slots.iter().min().copied().filter(|least| *least < Micros::MAX)
    }

    /// What four answers of five stay below, above the baseline, while the line is hardly used.
    pub fn noise(&self) -> Micros {
        self.noise
    }

    /// How often a longer route was learnt.
    pub fn routes(&self) -> u32 {
        self.routes
    }

    /// Takes an answer and gives how far it is above the baseline. `is_light`: the line is hardly used, so that nothing
    /// of ours can queue on it.
    pub fn add(&mut self, now: Time, trip: Micros, is_light: bool) -> Micros {
        self.turn(now);
        if let Some(newest) = self.slots.first_mut() {
            *newest = trip.min(*newest);
        }
        if is_light {
            self.remember(now, trip);
        } else {
            self.light_count = 0;
        }
        let above = Micros(trip.0 - self.get().unwrap_or(trip).0.min(trip.0));
        if is_light {
            self.learn_noise(above);
        }
        above
    }

    /// What is seen is the baseline from now on: the queue that was cut for has not become shorter, so it is none.
    pub fn restart(&mut self, now: Time, trip: Micros) {
        self.slots = [Micros::MAX; SLOTS];
        (self.slots[0], self.slot_began) = (trip, now);
        self.light_count = 0;
        self.routes = self.routes.saturating_add(1);
    }

    /// The way has become longer by `by`: what was flat while the line was drained is no queue.
    pub fn raise(&mut self, by: Micros) {
        self.slots.iter_mut().filter(|slot| **slot < Micros::MAX).for_each(|slot| slot.0 += by.0);
        self.light_count = 0;
        self.routes = self.routes.saturating_add(1);
    }

    /// Ends slots whose time is over. One in which nothing was heard says nothing, so the last that said something
    /// stays however long the silence is.
    fn turn(&mut self, now: Time) {
        if self.slots[0] == Micros::MAX {
            self.slot_began = now;
        } else if now - self.slot_began >= SLOT {
            self.slots.rotate_right(1);
            (self.slots[0], self.slot_began) = (Micros::MAX, now);
        }
    }

    fn remember(&mut self, now: Time, trip: Micros) {
        self.light.rotate_right(1);
        self.light[0] = Answer { at: now, trip };
        self.light_count = (self.light_count + 1).min(RECENT);
        let oldest = self.light[RECENT - 1].at;
        if self.light_count < RECENT || now - oldest < SPAN {
            return;
        }
        let least = self.light.iter().map(|answer| answer.trip).min().unwrap_or(trip);
        let known = self.slots.iter().skip(1).chain([&self.before_light()]).min().copied().unwrap_or(least);
        let is_step = known < Micros::MAX && least.0 > known.0 + STEP.0.max(2 * self.noise.0);
        if is_step && self.is_flat(least) {
            self.restart(now, least);
        }
    }

    /// The least of the newest slot, which is the light answers' own if they are all it has.
    fn before_light(&self) -> Micros {
        self.slots[0]
    }

    /// Whether early and late ones of the light answers are near the least of them alike: a queue grows or falls.
    fn is_flat(&self, least: Micros) -> bool {
        let most = Micros(least.0 + FLAT.0 + self.noise.min(MOST_NOISE).0);
        let (late, early) = self.light.split_at(RECENT / 2);
        [late, early].iter().all(|half| half.iter().any(|answer| answer.trip <= most))
    }

    /// Up by four steps, down by one: where both balance, four of five are below.
    fn learn_noise(&mut self, above: Micros) {
        // What is far off may be a queue: it moves the noise, but slowly.
        let is_far = above.0 > 4 * self.noise.0 + STEP.0;
        let step = if is_far { 25 } else { (self.noise.0 / 32).max(25) };
        let noise =
            if above > self.noise { self.noise.0 + 4 * step } else { self.noise.0.saturating_sub(step) };
        self.noise = Micros(noise).max(LEAST_NOISE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::random::Random;

    /// A reflector heard `per_second` times a second.
    struct Line {
        baseline: Baseline,
        now: Time,
        random: Random,
    }

    impl Line {
        fn new() -> Self {
            Self { baseline: Baseline::default(), now: Time(0), random: Random::seeded(1) }
        }

        /// Noise of an exponential kind, with 2 ms on average.
        fn noise(&mut self) -> u64 {
            let n = (1u32 << 15) | self.random.below(1 << 15) as u32;
            u64::from((n & 0x7fff).leading_zeros() - 17) * 2000
        }

        /// Answers for `seconds`, three in two of them; gives how far the last was above the baseline.
        fn hear(&mut self, seconds: u64, trip: impl Fn(u64) -> u64, is_light: bool) -> Micros {
            let mut above = Micros(0);
            for n in 0..seconds * 3 / 2 {
                self.now = self.now + Micros::ms(667);
                let trip = trip(n) + self.noise();
                above = self.baseline.add(self.now, Micros(trip), is_light);
            }
            above
        }

        fn base_ms(&self) -> u64 {
            self.baseline.get().expect("something was heard").0 / 1000
        }
    }

    #[test]
    fn the_baseline_is_the_least_of_the_last_minute() {
        let mut line = Line::new();
        line.hear(30, |_| 20_000, true);
        assert_eq!(line.base_ms(), 20);
        line.hear(1, |_| 15_000, true);
        assert!(line.base_ms() < 20, "a shorter way is learnt at once");
    }

    #[test]
    fn a_longer_route_is_learnt_within_five_seconds_while_the_line_is_hardly_used() {
        let mut line = Line::new();
        line.hear(60, |_| 20_000, true);
        let mut seconds = 0;
        while line.base_ms() < 70 {
            line.hear(2, |_| 80_000, true);
            seconds += 2;
            assert!(seconds <= 6, "still at {} ms after {seconds} s", line.base_ms());
        }
        assert_eq!(line.baseline.routes(), 1);
    }

    #[test]
    fn a_standing_queue_of_ours_is_not_learnt_for_a_minute() {
        let mut line = Line::new();
        line.hear(60, |_| 20_000, true);
        line.hear(50, |_| 120_000, false);
        assert_eq!(line.base_ms(), 20);
        assert_eq!(line.baseline.routes(), 0);
    }

    #[test]
    fn a_queue_that_grows_while_the_line_is_hardly_used_is_none_of_a_route() {
        let mut line = Line::new();
        line.hear(60, |_| 20_000, true);
        line.hear(20, |n| 20_000 + n * 25_000, true);
        assert_eq!(line.base_ms(), 20);
    }

    #[test]
    fn noise_is_what_four_of_five_stay_below() {
        let mut line = Line::new();
        line.hear(600, |_| 20_000, true);
        let (mut below, mut all) = (0, 0);
        for _ in 0..500 {
            let above = line.hear(1, |_| 20_000, true);
            below += u32::from(above <= line.baseline.noise());
            all += 1;
        }
        assert!((all * 6 / 10..all * 95 / 100).contains(&below), "{below} of {all}");
    }

    #[test]
    fn silence_forgets_nothing() {
        let mut line = Line::new();
        line.hear(60, |_| 20_000, true);
        line.now = line.now + Micros::secs(3600);
        assert_eq!(line.baseline.get().map(|base| base.0 / 1000), Some(20));
        assert!(line.hear(1, |_| 90_000, false) > Micros::ms(60));
    }
}
