// SPDX-License-Identifier: Apache-2.0
//! How often to look: as often as it matters, and hardly at all while nobody uses the line.
//!
//! ```text
//!            traffic, seen in the counters           a direction is worked hard
//!   Idle ──────────────────────────────▶ Light ─────────────────────────────────▶ Loaded
//!   counters 1/s, a probe every 4 s      both 5/s                                  both 20/s, probes 1 % of the line
//!        ◀──────────────────────────────       ◀────────────────────────────────
//!            quiet for 5 s                            not worked hard for 1 s
//!
//!   Blind: we send and nobody has answered for 2 s and eight probes: as Light, until somebody answers
//! ```

use super::view::State;
use crate::units::{Micros, Time};

/// From one look to the next while the line is worked hard.
const LOADED: Micros = Micros::ms(50);
/// While there is some traffic.
const LIGHT: Micros = Micros::ms(200);
/// While there is none.
const IDLE: Micros = Micros::secs(1);
/// In idleness one look of so many asks.
const IDLE_ASKS: u32 = 4;
/// A state is left for a calmer one after so long.
const AFTER_LOAD: Micros = Micros::secs(1);
const AFTER_TRAFFIC: Micros = Micros::secs(5);
/// Nobody answers: for so long, and so many probes.
const SILENCE: Micros = Micros::secs(2);
const UNANSWERED: u32 = 8;
/// A probe on the wire, in bits, times a hundred: it shall take one per cent of the line.
const PROBE: u64 = 98 * 8 * 100;

/// When to look, and how much can be seen.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    state: State,
    loaded_at: Time,
    busy_at: Time,
    answered_at: Time,
    unanswered: u32,
    /// There is nobody to ask.
    is_alone: bool,
    looks: u32,
}

impl Pace {
    /// Where there is nobody to ask.
    pub fn alone() -> Self {
        Self { is_alone: true, ..Self::default() }
    }

    /// Begins as if the line were worked hard, which nobody knows yet.
    pub fn begin(&mut self, now: Time) {
        let is_alone = self.is_alone;
        *self = Self {
            state: State::Loaded,
            loaded_at: now,
            busy_at: now,
            answered_at: now,
            is_alone,
            ..Self::default()
        };
    }

    /// How much can be seen.
    pub fn state(&self) -> State {
        if self.is_blind() { State::Blind } else { self.state }
    }

    fn is_blind(&self) -> bool {
        let is_unheard = self.unanswered >= UNANSWERED && self.busy_at.0 > self.answered_at.0 + SILENCE.0;
        is_unheard || self.is_alone && self.state != State::Idle
    }

    /// The counters were read: there is some traffic (`is_busy`), or a direction is worked hard (`is_loaded`). Gives
    /// whether that is more than there was, so that the next look should come soon.
    pub fn counted(&mut self, now: Time, is_busy: bool, is_loaded: bool) -> bool {
        let before = self.state;
        if is_loaded {
            self.loaded_at = now;
        }
        if is_loaded || is_busy {
            self.busy_at = now;
        }
        self.state = match before {
            _ if is_loaded => State::Loaded,
            State::Loaded if now - self.loaded_at < AFTER_LOAD => State::Loaded,
            State::Loaded | State::Light if now - self.busy_at < AFTER_TRAFFIC => State::Light,
            _ if is_busy => State::Light,
            _ => State::Idle,
        };
        (before == State::Idle && self.state != State::Idle) || (before == State::Light && is_loaded)
    }

    /// A probe was sent.
    pub fn asked(&mut self, now: Time) {
        if self.unanswered == 0 {
            self.answered_at = now;
        }
        self.unanswered = self.unanswered.saturating_add(1);
    }

    /// Somebody answered. Gives whether nobody had for long.
    pub fn answered(&mut self, now: Time) -> bool {
        let was_blind = self.is_blind();
        (self.answered_at, self.unanswered) = (now, 0);
        was_blind
    }

    /// How long to the next look, on a line that carries `bits` per second in its slower direction.
    pub fn gap(&self, bits: u64) -> Micros {
        let least = match self.state {
            State::Loaded if !self.is_blind() => LOADED,
            State::Loaded | State::Light | State::Blind => LIGHT,
            State::Idle => return IDLE,
        };
        Micros((PROBE * 1_000_000 / bits.max(1)).clamp(least.0, IDLE.0))
    }

    /// Whether this look asks somebody.
    pub fn asks(&mut self) -> bool {
        self.looks = self.looks.wrapping_add(1);
        self.state != State::Idle || self.looks.is_multiple_of(IDLE_ASKS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idleness_is_left_at_once_and_comes_slowly() {
        let mut pace = Pace::default();
        let at = |ms: u64| Time(10_000_000 + ms * 1000);
        assert!(!pace.counted(at(0), false, false) && pace.gap(10_000_000) == IDLE);
        assert!(pace.counted(at(1000), true, false) && pace.gap(10_000_000) == LIGHT);
        assert!(pace.counted(at(1200), true, true) && pace.gap(10_000_000) == LOADED);
        pace.counted(at(1900), false, false);
        assert_eq!(pace.state(), State::Loaded);
        pace.counted(at(2300), false, false);
        assert_eq!(pace.state(), State::Light);
        pace.counted(at(7000), false, false);
        assert_eq!(pace.state(), State::Idle);
    }

    #[test]
    fn probes_take_one_per_cent_of_a_slow_line() {
        let mut pace = Pace::default();
        pace.counted(Time(0), true, true);
        let per_second = |bits| 1_000_000 / pace.gap(bits).0;
        assert_eq!((per_second(100_000_000), per_second(1_000_000), per_second(300_000)), (20, 12, 3));
    }

    #[test]
    fn who_sends_and_hears_nothing_is_blind_until_somebody_answers() {
        let mut pace = Pace::default();
        for n in 0..60 {
            let now = Time(1_000_000 + n * 50_000);
            pace.counted(now, true, true);
            pace.asked(now);
        }
        assert_eq!(pace.state(), State::Blind);
        assert!(pace.answered(Time(5_000_000)) && !pace.answered(Time(5_000_001)));
        assert_eq!(pace.state(), State::Loaded);
    }
}
