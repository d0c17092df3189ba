// SPDX-License-Identifier: Apache-2.0
//! The rate law of one direction.
//!
//! ```text
//!  wait ▲            what the line carries, less what drains the queue in DRAIN
//!       │   ───────────────────────────── target
//!       │            a little more than it carries: a short queue stands, and every probe measures
//!       │   ───────────────────────────── nothing waited lately
//!       │            grow: ever faster while it stays calm, if the shaper is what holds packets back
//!       └──▶
//! ```

use super::capacity::{Capacity, towards};
use crate::units::{Micros, Time};

/// The wait that is aimed at.
pub const TARGET: u64 = 8_000;
/// A queue is to be gone after this long.
const DRAIN: u64 = 160_000;
/// Bits per second below which nobody goes.
pub const LEAST: u64 = 200_000;
/// And above.
pub const MOST: u64 = 10_000_000_000;

/// One direction.
#[derive(Clone, Debug)]
pub struct Law {
    /// Bits per second.
    pub rate: u64,
    /// What is known of the line.
    pub capacity: Capacity,
    /// Answers in a row that found no queue.
    clean: u64,
    /// The capacity of the last seconds.
    level: u64,
    /// When the last answer was judged.
    last: Time,
}

impl Law {
    /// Begins at `rate`.
    pub fn new(rate: u64) -> Self {
        Self { rate, capacity: Capacity::default(), clean: 0, level: 0, last: Time(0) }
    }

    /// The wait aimed at; on a slow line one packet alone takes its time.
    pub fn target(&self) -> u64 {
        TARGET + 1514 * 8 * 500_000 / self.rate.max(LEAST)
    }

    /// A packet sent now would wait for `wait`, the last probe has waited (`has_waited`); `has_backlog`: our own shaper
    /// holds packets back.
    pub fn judge(&mut self, now: Time, wait: u64, has_waited: bool, has_backlog: bool) {
        let since = (now - self.last).min(Micros::ms(200)).0;
        self.last = now;
        let target = self.target();
        if has_waited && self.capacity.is_fresh(now) {
            self.clean = 0;
            let known = self.capacity.now();
            self.rate = if wait > target {
                let over = ((wait - target) * 1000 / DRAIN).min(900);
                known / 1000 * (1000 - over)
            } else {
                known / 1000 * (1000 + (target - wait) * 1000 / DRAIN)
            };
        } else if wait > target {
            // Something waits, and nothing is known yet.
            self.clean = 0;
            let over = ((wait - target) * 1000 / DRAIN).min(600);
            self.rate = self.rate / 1000 * (1000 - over * 6 / 10);
        } else if has_backlog {
            self.clean += 1;
            let calm = 1000 - wait * 1000 / target;
            let f = calm * since / 50_000;
            // Up to where it was a moment ago by memory, beyond by search.
            let grow = if self.rate < self.level / 100 * 85 { 250 } else { (10 + 10 * self.clean).min(120) };
            let grow = grow * f / 1000;
            self.rate += self.rate / 1000 * grow;
        }
        self.rate = self.rate.clamp(LEAST, MOST);
        if has_waited || has_backlog {
            let known =
                if has_waited && self.capacity.is_fresh(now) { self.capacity.now() } else { self.rate };
            self.level = towards(self.level, known, (since / 2000).min(1000));
        }
    }
}
