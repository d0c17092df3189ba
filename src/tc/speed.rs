// SPDX-License-Identifier: Apache-2.0
//! The speed a direction is steered to, and how its classes follow the line.
//!
//! The line's class has the speed itself. The classes below follow in steps, for each costs the kernel as much as the
//! line's own: they are made for a speed a little above the line's, within these bounds:
//!
//! ```text
//!  line ≤ shares              or a class that may take the whole line could not
//!  guarantees of shares ≤ line   or classes within their guarantee pass more than the line (HTB asks no parent then)
//!  shares ≤ 1.1 line          so that shares are what the user asked for, to 10 %
//! ```

use super::shape::{Kit, LINE, Shape};
use super::{Device, QdiscKind, ROOT_MAJOR};
use crate::config;
use crate::limits;
use crate::units::{Handle, Permille, Rate, Way};
use alloc::vec::Vec;

/// Of weir's queues.
const ROOT: Handle = Handle::new(ROOT_MAJOR, 0);

/// What the line has and what its classes are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Speed {
    /// The rate of the line's class, or of CAKE.
    pub line: Rate,
    /// The rate the classes below have their shares of.
    pub shares: Rate,
}

impl Speed {
    /// Of a line that keeps its speed.
    pub const fn fixed(rate: Rate) -> Self {
        Self { line: rate, shares: rate }
    }

    /// The line moves to `line`; its classes are `guaranteed` this much together.
    pub fn follow(self, line: Rate, guaranteed: Permille) -> Self {
        let most = |tenths: u64| {
            let room = line.bits_per_sec() / 10 * tenths;
            let all = line.bits_per_sec() / u64::from(guaranteed.0.max(1)) * 1000;
            Rate::bits(room.min(all)).max(line)
        };
        let is_near = line <= self.shares && self.shares <= most(11);
        let shares = if is_near { self.shares } else { Rate::bits(midway(line, most(11))) };
        Self { line, shares }
    }
}

/// So many speeds of shares a class's limit may be a share of: it is rounded to bytes.
const ROUNDED: u64 = 10;

impl Speed {
    /// What the queues on `device` were made for, if they are weir's and as `kit` says.
    pub fn of(device: &Device, kit: Option<Kit>, classes: &[config::Class]) -> Option<Self> {
        let Some(kit) = kit else {
            return device.qdiscs.iter().find_map(|qdisc| match &qdisc.kind {
                QdiscKind::Cake(cake) if qdisc.handle == ROOT => Some(Self::fixed(cake.bandwidth)),
                _ => None,
            });
        };
        let line = device.classes.iter().find(|class| class.handle == LINE)?.rate;
        let widest =
            device.classes.iter().filter(|class| class.parent == LINE).map(|class| class.ceil).max()?;
        let most = classes.iter().map(|class| class.limit).max()?;
        let least = widest.bits_per_sec().saturating_mul(1000).div_ceil(u64::from(most.0.max(1)));
        let mut speeds = (0..ROUNDED).map(|n| Self { line, shares: Rate::bits(least + n * 8).max(line) });
        let mut made = Vec::new();
        let is_it = |speed: &Self| {
            made.clear();
            Shape { speed: *speed, classes, kit }.classes_into(&mut made);
            made.iter().all(|class| device.classes.contains(class))
        };
        speeds.clone().find(is_it).or_else(|| speeds.next())
    }
}

/// As far to go up as down.
const fn midway(low: Rate, high: Rate) -> u64 {
    low.bits_per_sec() / 2 + high.bits_per_sec() / 2
}

/// The speeds all lines are steered to, by their place in the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Speeds([[Option<Speed>; 2]; limits::WANS]);

impl Speeds {
    /// The speed of one direction, if it is steered.
    pub fn get(&self, line: usize, way: Way) -> Option<Speed> {
        *self.0.get(line)?.get(way as usize)?
    }

    /// Steers one direction, or leaves it to the configuration.
    pub fn set(&mut self, line: usize, way: Way, speed: Option<Speed>) {
        if let Some(place) = self.0.get_mut(line).and_then(|ways| ways.get_mut(way as usize)) {
            *place = speed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_follow_the_line_in_steps_within_their_bounds() {
        let mut speed = Speed::fixed(Rate::mbit(50));
        let mut steps = 0;
        // Down to 5 Mbit/s and up again by a hundredth each time.
        let down = core::iter::successors(Some(50_000_000u64), |rate| Some(rate / 100 * 99)).take(230);
        let rates: Vec<u64> = down.collect();
        for rate in rates.iter().chain(rates.iter().rev()) {
            let next = speed.follow(Rate::bits(*rate), Permille::percent(66));
            steps += u32::from(next.shares != speed.shares);
            speed = next;
            assert!(speed.line <= speed.shares, "{speed:?}");
            assert!(speed.shares.bits_per_sec() <= speed.line.bits_per_sec() / 100 * 111, "{speed:?}");
        }
        assert!((40..120).contains(&steps), "{steps} steps of 460");
    }

    #[test]
    fn guarantees_of_the_whole_line_move_with_it() {
        let speed = Speed::fixed(Rate::mbit(50)).follow(Rate::mbit(49), Permille::ALL);
        assert_eq!(speed, Speed::fixed(Rate::mbit(49)));
    }

    #[test]
    fn what_is_guaranteed_never_exceeds_the_line() {
        for percent in [1, 50, 90, 95, 100] {
            let guaranteed = Permille::percent(percent);
            let mut speed = Speed::fixed(Rate::mbit(50));
            for mbit in [49, 45, 20, 21, 22, 30, 10, 1] {
                speed = speed.follow(Rate::mbit(mbit), guaranteed);
                let sum = speed.shares.share(guaranteed);
                assert!(sum <= speed.line, "{percent} % of {} is {sum}, line {}", speed.shares, speed.line);
            }
        }
    }
}
