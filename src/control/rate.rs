// SPDX-License-Identifier: Apache-2.0
//! The rate law of one direction.
//!
//! ```text
//!  wait ▲            what the line carries, less what drains the queue in time
//!       │   ───────────────────────────── target
//!       │            a little more than it carries: a short queue stands, and every probe measures
//!       │   ───────────────────────────── nothing waited lately
//!       │            grow: ever faster while it stays calm, if the shaper is what holds packets back
//!       └──▶
//! ```

use super::capacity::{Capacity, towards};
use super::view::Reason;
use crate::units::{Micros, Time, Way};

/// The wait that is aimed at.
pub const TARGET: u64 = 6_000;
/// Bits per second below which nobody goes.
pub const LEAST: u64 = 200_000;
/// And above.
pub const MOST: u64 = 10_000_000_000;
/// A drain goes no deeper than this share of what the line carries, in thousandths.
const DEEPEST: u64 = 850;
/// An answer without a capacity cuts by this many thousandths at most,
const BLIND_CUT: u64 = 360;

/// reached at a wait that is so many thousandths of a drain's time above the target.
const MOST_BLIND: u64 = 600;
/// A rate that is tried stays up to so many thousandths of what the line seems to carry while the wait is below the
/// target.
const TRIED: u64 = 1200;
/// Growth is so many thousandths per [`BEAT`] at most;
const FASTEST: u64 = 180;
/// back to what it carried lately, so many.
const RECALL: u64 = 250;
/// The time that growth is told for, in microseconds.
const BEAT: u64 = 50_000;
/// Back by memory up to so many per cent of what it carried lately.
const USUAL: u64 = 85;
/// A rate is used up when so many per cent of it pass.
const USED: u64 = 90;
/// Never below the so manyth part of what it carried lately.
const FLOOR: u64 = 20;
/// The level falls by a thousandth per so many microseconds: two seconds in all.
const LEVEL: u64 = 2_000;

/// So many answers in a row that find a queue are sure.
const SURE: u8 = 4;

/// What an answer tells the law.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sight {
    /// How long a packet sent now would wait, in microseconds.
    pub wait: u64,
    /// The wait aimed at.
    pub target: u64,
    /// A queue stands on the line.
    pub is_queued: bool,
    /// Our own shaper holds packets back.
    pub is_pressed: bool,
    /// Bits per second that passed lately.
    pub passed: u64,
}

/// How bold a direction is: what is sent too much into a modem waits there at once, and senders far away take a round
/// trip to follow.
#[derive(Clone, Copy, Debug)]
pub struct Temper {
    /// A queue is to be gone after so many microseconds. Senders far away heed a cut late, so it has to be deeper.
    drain: u64,
    /// Growth is so many thousandths per [`BEAT`] more with each clean answer.
    step: u64,
    /// As long as what a queue told is fresh, growth back to what was carried lately.
    back: u64,
    /// Growth where nothing is known of the line yet, in thousandths: faster than new senders would, or our own queue
    /// is the one they stop at.
    unknown: u64,
    /// The level rises by a thousandth per so many microseconds.
    rising: u64,
}

impl Temper {
    /// That of a direction.
    pub const fn of(way: Way) -> Self {
        match way {
            Way::Up => Self { drain: 160_000, step: 10, back: 120, unknown: 500, rising: 2_000 },
            Way::Down => Self { drain: 100_000, step: 24, back: 250, unknown: 1000, rising: 500 },
        }
    }
}

/// One direction.
#[derive(Clone, Debug)]
pub struct Law {
    temper: Temper,
    /// Bits per second.
    pub rate: u64,
    /// What is known of the line.
    pub capacity: Capacity,
    /// Why the rate is what it is.
    pub reason: Reason,
    /// Answers in a row that found no queue.
    clean: u64,
    /// The capacity of the last seconds.
    pub level: u64,
    /// When the last answer was judged.
    last: Time,
    /// Answers in a row that found a queue.
    seen: u8,
    /// No queue has been seen for sure yet.
    pub is_new: bool,
}

impl Law {
    /// Begins at `rate`.
    pub fn new(temper: Temper, rate: u64, known: u64) -> Self {
        let capacity = Capacity::known(known);
        Self {
            temper,
            rate,
            capacity,
            reason: Reason::Start,
            clean: 0,
            level: known,
            last: Time(0),
            seen: 0,
            is_new: known == 0,
        }
    }

    /// Judges what an answer says.
    pub fn judge(&mut self, now: Time, sight: &Sight) {
        let Sight { wait, target, is_queued, is_pressed, passed } = *sight;
        let since = (now - self.last).min(Micros::ms(200)).0;
        self.last = now;
        let is_fresh = self.capacity.is_fresh(now);
        let known = self.capacity.now();
        if is_queued || wait > target {
            self.seen = self.seen.saturating_add(1);
            self.is_new &= self.seen < SURE;
        } else if self.is_new {
            self.seen = 0;
        }
        if is_fresh && (is_queued || wait > target) {
            self.clean = 0;
            self.rate = if wait > target {
                self.reason = Reason::Drain;
                let over = ((wait - target) * 1000 / self.temper.drain).min(DEEPEST);
                known / 1000 * (1000 - over)
            } else {
                self.reason = Reason::Track;
                let track = known / 1000 * (1000 + (target - wait) * 1000 / self.temper.drain);
                // What is tried stays a while: so short a queue speaks hardly against it.
                track.max(self.rate.min(known / 1000 * TRIED))
            };
        } else if wait > target {
            // Something waits, and nothing is known yet.
            self.reason = Reason::Cut;
            self.clean = 0;
            let over = ((wait - target) * 1000 / self.temper.drain).min(MOST_BLIND);
            self.rate = self.rate / 1000 * (1000 - over * BLIND_CUT / MOST_BLIND);
        } else if is_pressed {
            self.clean += 1;
            // Up to half the target nothing speaks against more.
            let calm = (2000 - wait * 2000 / target).min(1000);
            let share = calm * since / BEAT;
            // Up to where it was a moment ago by memory, beyond by search.
            let is_below = self.rate < self.level / 100 * USUAL;
            self.reason = if is_below { Reason::Recall } else { Reason::Grow };
            let grow = match (self.is_new, is_below) {
                (true, _) => self.temper.unknown,
                (_, true) if is_fresh => self.temper.back,
                (_, true) => RECALL,
                _ => (self.temper.step * (1 + self.clean)).min(FASTEST),
            };
            self.rate += self.rate / 1000 * (grow * share / 1000);
        } else {
            // Nothing speaks against what it carried lately.
            self.reason = Reason::Hold;
            let usual = self.level / 4 * 3;
            self.rate += usual.saturating_sub(self.rate) / 8;
        }
        self.rate = self.rate.clamp(LEAST.max(self.level / FLOOR), MOST);
        if is_queued || is_pressed {
            // Without a queue the rate is only a bound of it.
            // Nor is a rate that is not used up.
            let carried = self.rate.min(passed / USED * 100).max(self.level);
            let known = if is_queued && is_fresh { known } else { carried };
            let pace = if known > self.level { self.temper.rising } else { LEVEL };
            let share = (since / pace).min(1000);
            self.level = if self.level == 0 { known } else { towards(self.level, known, share) };
        }
    }
}
