// SPDX-License-Identifier: Apache-2.0
//! The way out and the way back, told apart by a far end whose clock shows another time than ours.
//!
//! An ICMP timestamp says when the far end received a probe, in milliseconds of its day (RFC 792). How its clock differs
//! from ours nobody knows, but neither way is ever faster than it was in the fastest round trip:
//!
//! ```text
//!   |-------------------- round trip ---------------------|        of which both halves of the fastest are spent,
//!   |--- half ---|.......... the queue ........|--- half ---|      so what the far end shows lies somewhere between
//! ```
//!
//! Where it does not, its clock went: the difference is moved until it does. Round trips need only our own clock, so a
//! queue cannot move it; on an idle line it is held to within a millisecond, and so learns how fast that clock goes.
//! How the fastest round trip divides cannot be known: it counts as halves, and a baseline for each way forgives that.

use crate::units::{Micros, Time};

/// A day in microseconds.
const DAY: i64 = 86_400_000_000;
/// Milliseconds of a day: no stamp is above.
const DAY_MS: u32 = 86_400_000;
/// A stamp is a whole number of milliseconds, and the far end's scheduler is not perfect either.
const SLACK: i64 = 700;
/// A clock that is off by this much was set, and did not drift.
const JUMP: i64 = 10_000;
/// The fastest round trip is that of this time and the one before.
const SLOT: Micros = Micros::secs(120);
/// The speed of a clock is believed after about this many seconds.
const PATIENCE: i64 = 16;
/// No clock is worse than this many millionths.
const WORST: i64 = 500;

/// A far end's clock, against ours.
#[derive(Clone, Copy, Debug, Default)]
pub struct FarClock {
    /// What the far end's shows more than ours at `at`, in microseconds modulo a day.
    ahead: i64,
    at: Time,
    /// How much faster it goes, in millionths of 2^-10.
    drift: i64,
    /// The fastest round trips of this slot and of the one before; zero: none yet.
    fastest: [Micros; 2],
    slot_began: Time,
}

impl FarClock {
    /// How long a probe took there and back: it was sent and its answer received at these times of ours, and the far
    /// end received and answered it at these of its own. `None`: it does not tell, or its clock was set just now.
    pub fn ways(&mut self, sent: Time, received: Time, stamps: (u32, u32)) -> Option<(Micros, Micros)> {
        let trip = (received - sent).0 as i64;
        let stay = i64::from(stamps.1) - i64::from(stamps.0);
        // What is no time of day, and what was answered before it came.
        if stamps.0.max(stamps.1) >= DAY_MS || near(stay * 1000).abs() > trip + 1000 || trip > DAY / 2 {
            return None;
        }
        let is_first = self.fastest == [Micros(0); 2];
        let half = self.fastest(received, Micros(trip as u64)) / 2;
        let millis = (sent - self.at).0 as i64 / 1000;
        let ahead = self.ahead + ((self.drift * millis.min(DAY / 1000)) >> 10) / 1000;
        // The middle of the millisecond the stamp names.
        let shown = i64::from(stamps.0) * 1000 + 500 - sent.0 as i64 % DAY;
        let out = near(shown - ahead);
        let least = (half - SLACK).max(0);
        let possible = out.clamp(least, (trip - least).max(least));
        let off = out - possible;
        (self.ahead, self.at) = ((ahead + off).rem_euclid(DAY), sent);
        if is_first || off.abs() > JUMP {
            (self.ahead, self.drift) = ((shown - trip / 2).rem_euclid(DAY), 0);
            return is_first.then_some((Micros((trip / 2) as u64), Micros((trip - trip / 2) as u64)));
        }
        if off.abs() <= 2 * SLACK {
            self.drift = (self.drift + off * (1 << 10) / PATIENCE).clamp(-WORST << 10, WORST << 10);
        }
        let out = possible.min(trip) as u64;
        Some((Micros(out), Micros(trip as u64 - out)))
    }

    /// The fastest round trip of the last minute or two, `trip` among them.
    fn fastest(&mut self, now: Time, trip: Micros) -> i64 {
        let [this, before] = self.fastest;
        if this.0 == 0 || now - self.slot_began >= SLOT {
            (self.fastest, self.slot_began) = ([trip, this], now);
        } else {
            self.fastest = [trip.min(this), before];
        }
        let [this, before] = self.fastest;
        if before.0 == 0 { this.0 as i64 } else { this.min(before).0 as i64 }
    }
}

/// A difference of times of day, as the nearer of the two it can be.
fn near(difference: i64) -> i64 {
    (difference + DAY / 2).rem_euclid(DAY) - DAY / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::random::Random;

    const S: u64 = 1_000_000;

    /// A far end 15 ms away, whose clock goes `ppm` millionths faster and shows `ahead` microseconds more at our zero.
    struct Far {
        clock: FarClock,
        random: Random,
        ahead: i64,
        ppm: i64,
    }

    impl Far {
        fn new(ahead: i64, ppm: i64) -> Self {
            Self { clock: FarClock::default(), random: Random::seeded(3), ahead, ppm }
        }

        /// Asks at `now` through queues of these lengths; gives how far both ways are from the truth.
        fn ask(&mut self, now: u64, out: u64, back: u64) -> Option<(i64, i64)> {
            let (out, back) = (out + 15_000 + self.random.below(300), back + 15_000 + self.random.below(300));
            let there = (now + out) as i64;
            let shown = (there + self.ahead + there * self.ppm / 1_000_000).rem_euclid(DAY) / 1000;
            let stamps = (shown as u32, shown as u32);
            let ways = self.clock.ways(Time(now), Time(now + out + back), stamps)?;
            assert_eq!(ways.0.0 + ways.1.0, out + back);
            Some((ways.0.0 as i64 - out as i64, ways.1.0 as i64 - back as i64))
        }

        /// Asks three times a second through the same queues; gives the worst that was told.
        fn ask_for(&mut self, from: u64, seconds: u64, out: u64, back: u64) -> i64 {
            let mut worst = 0;
            for n in 0..seconds * 3 {
                if let Some((a, b)) = self.ask(from + n * S / 3, out, back) {
                    worst = worst.max(a.abs()).max(b.abs());
                }
            }
            worst
        }
    }

    #[test]
    fn a_queue_is_told_on_the_way_it_is_on_to_two_milliseconds() {
        for ahead in [0, 12_345_678, DAY - 1, DAY / 2, 7 * DAY + 5] {
            let mut far = Far::new(ahead, 0);
            assert!(far.ask_for(0, 10, 0, 0) <= 2_000);
            assert!(far.ask_for(10 * S, 60, 300_000, 0) <= 2_000);
            assert!(far.ask_for(70 * S, 60, 0, 300_000) <= 2_000);
        }
    }

    #[test]
    fn a_clock_that_drifts_does_not_look_like_a_queue() {
        for ppm in [100, -100, 20, -20, 400] {
            let mut far = Far::new(99, ppm);
            far.ask_for(0, 120, 0, 0);
            assert!(far.ask_for(120 * S, 3600, 0, 0) <= 2_000, "{ppm} ppm, idle");
            // Its speed is known by now, so a minute without one calm moment does no harm.
            let worst = far.ask_for(3720 * S, 60, 80_000, 0);
            assert!(worst <= 3_000, "{ppm} ppm, queue out: {worst}");
            let worst = far.ask_for(3780 * S, 60, 0, 80_000);
            assert!(worst <= 4_000, "{ppm} ppm, queue back: {worst}");
        }
    }

    #[test]
    fn midnight_is_like_every_other_moment() {
        let mut far = Far::new(DAY - 60 * S as i64, 0);
        assert!(far.ask_for(0, 120, 0, 0) <= 2_000, "theirs");
        let mut far = Far::new(1234, 30);
        assert!(far.ask_for(DAY as u64 - 60 * S, 120, 0, 0) <= 2_000, "our clock after a day");
    }

    #[test]
    fn a_clock_that_is_set_costs_one_answer_and_no_more() {
        let mut far = Far::new(0, 0);
        far.ask_for(0, 30, 0, 0);
        for by in [3_600 * S as i64, -20_000, 12 * 3600 * S as i64] {
            far.ahead += by;
            assert_eq!(far.ask(30 * S, 0, 0), None, "{by}");
            assert!(far.ask_for(31 * S, 5, 0, 0) <= 2_000, "{by}");
            assert!(far.clock.drift == 0);
        }
    }

    #[test]
    fn a_longer_way_back_stays_on_the_way_back() {
        let mut far = Far::new(0, 50);
        far.ask_for(0, 60, 0, 0);
        assert!(far.ask_for(60 * S, 30, 0, 80_000) <= 2_500);
    }

    #[test]
    fn stamps_that_are_no_times_are_refused() {
        let mut clock = FarClock::default();
        let mut told = |stamps| clock.ways(Time(S), Time(S + 30_000), stamps);
        assert_eq!(told((DAY_MS, 0)), None);
        assert_eq!(told((u32::MAX, u32::MAX)), None);
        assert_eq!(told((1000, 1100)), None, "it kept the probe longer than it was away");
        assert!(told((1000, 1001)).is_some());
        let mut stuck = FarClock::default();
        let count = (1..100).filter(|n| stuck.ways(Time(n * S), Time(n * S + 30_000), (0, 0)).is_some());
        assert!(count.count() <= 1, "a clock that stands");
    }

    #[test]
    fn whatever_is_said_both_ways_make_the_round_trip() {
        let mut random = Random::seeded(9);
        let mut clock = FarClock::default();
        let mut now = 0;
        for _ in 0..200_000 {
            now += random.below(20 * S);
            let bits = random.below(40);
            let trip = random.below(1 << bits);
            let stamp = random.below(u64::from(DAY_MS) + 5) as u32;
            let stamps = (stamp, stamp.wrapping_add(random.below(3) as u32));
            if let Some((out, back)) = clock.ways(Time(now), Time(now + trip), stamps) {
                assert_eq!(out.0 + back.0, trip);
            }
        }
    }
}
