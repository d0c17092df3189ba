// SPDX-License-Identifier: Apache-2.0
//! What the log says of rates: a steered one moves all day, which is nobody's business; that it has come to rest far from
//! where it was said to be is.

use crate::units::{Micros, Rate, Time};

/// At rest: so long within so much, in permille, of where it was when it came there.
const REST: Micros = Micros::secs(60);
const WITHIN: u64 = 200;
/// Far: more than so much, in permille, from what was said last.
const FAR: u64 = 300;
/// Said so often at most.
const SELDOM: Micros = Micros::secs(600);

/// One direction's rate.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Settled {
    /// What was said last, and when.
    said: Option<(Rate, Time)>,
    /// Around what it rests, and since when.
    around: Rate,
    since: Time,
}

impl Settled {
    /// Takes the rate at `now`; gives what was said before when the new one is worth saying.
    pub(super) fn news(&mut self, now: Time, rate: Rate) -> Option<Rate> {
        if is_off(rate, self.around, WITHIN) {
            (self.around, self.since) = (rate, now);
        }
        // Where a line begins is no news.
        let (before, at) = *self.said.get_or_insert((rate, now));
        if now - self.since < REST || now - at < SELDOM || !is_off(rate, before, FAR) {
            return None;
        }
        self.said = Some((rate, now));
        Some(before)
    }
}

/// Whether `rate` is more than `permille` from `other`.
fn is_off(rate: Rate, other: Rate, permille: u64) -> bool {
    let (rate, other) = (rate.bits_per_sec(), other.bits_per_sec());
    rate.abs_diff(other).saturating_mul(1000) > other.saturating_mul(permille)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// What is said of a rate, in Mbit/s, over so many seconds: when, what, and what before.
    fn said(seconds: u64, rate: fn(u64) -> u32) -> Vec<(u64, u32, Rate)> {
        let mut settled = Settled::default();
        let said = (0..seconds).filter_map(|second| {
            let rate = rate(second);
            Some((second, rate, settled.news(Time(second * 1_000_000), Rate::mbit(rate))?))
        });
        said.collect()
    }

    #[test]
    fn a_rate_is_said_when_it_rests_far_from_what_was_said_and_not_while_it_moves() {
        assert_eq!(said(3600, |_| 50), []);
        assert_eq!(said(3600, |second| 50 + (second % 10) as u32), [], "not far");
        assert_eq!(said(3600, |second| if second % 40 < 20 { 50 } else { 20 }), [], "never at rest");
        let fell = said(3600, |second| if second < 1000 { 50 } else { 20 });
        assert_eq!(fell, [(1060, 20, Rate::mbit(50))]);
    }

    #[test]
    fn a_line_that_changes_every_few_minutes_is_said_every_ten_at_most() {
        let said = said(7200, |second| if second / 180 % 2 == 0 { 50 } else { 20 });
        let times: Vec<u64> = said.iter().map(|(second, ..)| *second).collect();
        assert!(times.len() > 5 && times.windows(2).all(|pair| pair[1] - pair[0] >= 600), "{times:?}");
    }
}
