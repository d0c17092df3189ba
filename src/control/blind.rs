// SPDX-License-Identifier: Apache-2.0
//! The law where nobody answers: what counters alone tell of a line.
//!
//! ```text
//!            our shaper holds back          no: the line holds back
//!   resting ───────────────────────▶ trying ──────────────────────▶ below what passed; rest, each time longer
//!      ▲     a little more               │ yes, or all of it passed
//!      └─────────────────────────────────┘ so the line carries it
//! ```
//!
//! If packets wait in our shaper, the line carries at least the rate. If they stopped waiting when the rate rose, and
//! less passed than that, they wait on the line instead. If none wait in ours and much passes, it may be the line or the
//! users that hold it back: a little less for a moment tells, for then they wait in ours again.

use crate::units::{Micros, Time};

/// A try and its verdict: long enough for our queue to empty into the line.
const TRY: Micros = Micros::ms(1500);
/// The first rest after a try that failed; it doubles up to [`LONGEST`], which is how long users who want more again
/// have to wait.
const REST: Micros = Micros::secs(4);
const LONGEST: Micros = Micros::secs(16);
/// Looks downwards are this far apart.
const DIP: Micros = Micros::secs(10);
/// A rate of which this share passed has passed, in per cent.
const ALL: u64 = 98;
/// Less of what passed before a try than this, in per cent, and the line has become slower.
const SLOWER: u64 = 85;
/// Below what passed, in per cent.
const BELOW: u64 = 92;

/// What is known of one direction.
#[derive(Clone, Debug, Default)]
pub struct Blind {
    next: Time,
    /// The rate before the try that is under way.
    tried_from: Option<u64>,
    rest: Micros,
    rests_until: Time,
    dips_at: Time,
    /// What passed when the line held back.
    pub found: Option<u64>,
}

/// What the counters say.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Bits per second that passed lately.
    pub passed: u64,
    /// Packets waited in our shaper lately.
    pub has_backlog: bool,
    /// Something comes back from the other end.
    pub is_alive: bool,
}

impl Blind {
    /// The next rate after `rate`.
    pub fn judge(&mut self, now: Time, rate: u64, seen: Seen) -> u64 {
        if now < self.next {
            return rate;
        }
        self.next = now + TRY;
        if !seen.is_alive {
            // Nothing gets through at all: no verdict.
            self.tried_from = None;
            return rate;
        }
        let carries = seen.has_backlog || seen.passed >= rate / 100 * ALL;
        let before = self.tried_from.take();
        if carries && before.is_some() {
            self.rest = Micros(0);
        } else if let Some(before) = before {
            self.found = Some(seen.passed.max(before));
            self.rest = Micros((self.rest.0 * 2).clamp(REST.0, LONGEST.0));
            self.rests_until = now + self.rest;
            self.dips_at = now + DIP;
            return match seen.passed {
                // It has become slower.
                passed if passed < before / 100 * SLOWER => (passed / 100 * BELOW).max(rate / 2),
                // Nobody followed: what was carried a moment ago still is.
                passed if passed < before / 50 * 51 => before,
                passed => passed / 100 * BELOW,
            };
        }
        if carries && now >= self.rests_until {
            self.tried_from = Some(rate);
            // Faster as long as nothing has been found.
            return rate + if self.found.is_none() { rate / 4 } else { rate / 8 };
        }
        if !carries && seen.passed > rate / 16 && now >= self.dips_at {
            (self.dips_at, self.rests_until) = (now + DIP, now);
            return (seen.passed / 100 * BELOW).max(rate / 2);
        }
        rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// A line and its users; gives the rate every quarter of a second.
    fn run(seconds: u64, line: impl Fn(u64) -> u64, wanted: impl Fn(u64) -> u64, mut rate: u64) -> Vec<u64> {
        let mut blind = Blind::default();
        let mut rates = Vec::new();
        for n in 0..seconds * 4 {
            let (line, wanted) = (line(n / 4), wanted(n / 4));
            let seen = Seen {
                passed: rate.min(line).min(wanted),
                has_backlog: wanted > rate && line >= rate,
                is_alive: line > 0,
            };
            rate = blind.judge(Time(1 + n * 250_000), rate, seen);
            rates.push(rate);
        }
        rates
    }

    #[test]
    fn a_line_nobody_answers_on_is_found_and_kept_below() {
        for mbit in [2, 10, 100] {
            let line = mbit * 1_000_000;
            let rates = run(120, |_| line, |_| u64::MAX, 1_000_000);
            let late = &rates[240..];
            let above = late.iter().filter(|rate| **rate > line).count();
            assert!(above * 100 < late.len() * 12, "{mbit} Mbit/s: {above} of {} above", late.len());
            assert!(late.iter().all(|rate| *rate > line / 100 * 80), "{mbit} Mbit/s: {late:?}");
        }
    }

    #[test]
    fn a_line_that_became_slower_is_noticed() {
        let rates = run(120, |s| if s < 60 { 20_000_000 } else { 4_000_000 }, |_| u64::MAX, 1_000_000);
        let late = &rates[90 * 4..];
        assert!(late.iter().filter(|rate| **rate < 4_000_000).count() * 10 > late.len() * 8, "{late:?}");
    }

    #[test]
    fn users_who_want_less_lose_little_and_get_it_back() {
        let wanted = |s| {
            if s < 60 {
                u64::MAX
            } else if s < 80 {
                5_000_000
            } else {
                u64::MAX
            }
        };
        let rates = run(130, |_| 20_000_000, wanted, 1_000_000);
        assert!(rates[60 * 4..80 * 4].iter().all(|rate| *rate > 4_500_000));
        assert!(rates[120 * 4] > 15_000_000, "{:?}", rates[320..].iter().step_by(8).collect::<Vec<_>>());
    }

    #[test]
    fn while_nothing_gets_through_nothing_is_concluded() {
        let rates = run(60, |s| if s < 20 { 8_000_000 } else { 0 }, |_| u64::MAX, 7_000_000);
        assert_eq!(rates[21 * 4], rates[239]);
    }
}
