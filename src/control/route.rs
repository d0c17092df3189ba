// SPDX-License-Identifier: Apache-2.0
//! Whether a wait is none: a longer way looks like a queue, but it does not get shorter when less is sent.

use crate::units::{Micros, Time};

/// It has to be flat for this long.
const FLAT: Micros = Micros::ms(1000);

/// A wait that is watched.
#[derive(Clone, Debug, Default)]
pub struct Route {
    began: Time,
    last: Time,
    least: u64,
    most: u64,
    /// What the line carried when the watch began.
    carried: u64,
    /// How much of a queue must have gone since, in microseconds.
    drained: u64,
}

impl Route {
    /// An answer has waited for `wait` while the shaper was at `rate`; waits below `minor` are not worth a name.
    /// Gives by how much the way has become longer, once that is sure.
    pub fn hear(&mut self, now: Time, wait: u64, rate: u64, carried: u64, minor: u64) -> Option<Micros> {
        let (least, most) = (self.least.min(wait), self.most.max(wait));
        let is_flat = most - least <= minor.max(least / 4);
        if wait <= minor || self.carried == 0 || !is_flat {
            *self = Self { began: now, last: now, least: wait, most: wait, carried, drained: 0 };
            return None;
        }
        let since = (now - self.last).min(Micros::ms(200)).0;
        self.drained += since * (self.carried.saturating_sub(rate) * 1000 / self.carried) / 1000;
        (self.last, self.least, self.most) = (now, least, most);
        if now - self.began < FLAT || self.drained < self.least * 3 / 2 + 100_000 {
            return None;
        }
        let by = Micros(self.least);
        *self = Self::default();
        Some(by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(route: &mut Route, seconds: u64, wait: impl Fn(u64) -> u64, rate: u64) -> Option<Micros> {
        (0..seconds * 20).find_map(|n| route.hear(Time(n * 50_000), wait(n), rate, 10_000_000, 8_000))
    }

    #[test]
    fn a_wait_that_stays_though_less_is_sent_is_a_longer_way() {
        let found = hear(&mut Route::default(), 3, |n| 80_000 + n % 3 * 1_000, 4_000_000);
        assert_eq!(found, Some(Micros(80_000)));
    }

    #[test]
    fn a_queue_that_drains_is_none() {
        assert_eq!(
            hear(&mut Route::default(), 3, |n| 300_000_u64.saturating_sub(n * 30_000), 4_000_000),
            None
        );
    }

    #[test]
    fn a_queue_that_stands_because_as_much_is_sent_is_none() {
        assert_eq!(hear(&mut Route::default(), 30, |_| 80_000, 10_000_000), None);
    }
}
