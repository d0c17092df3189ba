// SPDX-License-Identifier: Apache-2.0
//! How long to wait before what failed is tried again.

use crate::units::Micros;

/// After the first failure; it doubles with each.
const FIRST: Micros = Micros::secs(1);
/// No pause of our own is longer.
pub const LONGEST: Micros = Micros::secs(300);
/// A server may ask for a longer one, but not for more than this.
pub const OBEYED: Micros = Micros::secs(3600);

/// The pause after so many `failures` in a row: twice as long with each, and somewhere between half of that and all of it as
/// `chance` has it, so that many routers do not come back at once. What the server asked for is waited for at least.
pub fn pause(failures: u32, chance: u32, asked: Option<Micros>) -> Micros {
    let whole = FIRST.0.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST.0);
    let half = whole / 2;
    let own = half + half * u64::from(chance) / u64::from(u32::MAX);
    Micros(own.max(asked.unwrap_or(Micros(0)).min(OBEYED).0))
}

/// Chance good enough to keep routers apart: xorshift, which needs a seed that is not 0.
#[derive(Clone, Copy, Debug)]
pub struct Chance(pub u32);

impl Chance {
    /// The next number.
    pub fn roll(&mut self) -> u32 {
        let mut x = self.0.max(1);
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        self.0 = x;
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_five_minutes_and_chance_takes_half_at_most() {
        for (failures, whole) in [(0, 1), (1, 1), (2, 2), (3, 4), (9, 256), (10, 300), (u32::MAX, 300)] {
            assert_eq!(pause(failures, u32::MAX, None), Micros::secs(whole), "{failures}");
            assert_eq!(pause(failures, 0, None), Micros(whole * 500_000), "{failures}");
        }
    }

    #[test]
    fn what_the_server_asked_for_is_waited_for_but_no_more_than_an_hour() {
        assert_eq!(pause(1, 0, Some(Micros::secs(30))), Micros::secs(30));
        assert_eq!(pause(10, u32::MAX, Some(Micros::secs(30))), LONGEST);
        assert_eq!(pause(1, 0, Some(Micros::MAX)), OBEYED);
    }

    #[test]
    fn chance_moves_on_from_any_seed() {
        let mut chance = Chance(0);
        let first = chance.roll();
        assert!(first != 0 && chance.roll() != first);
    }
}
