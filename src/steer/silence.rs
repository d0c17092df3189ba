// SPDX-License-Identifier: Apache-2.0
//! What the log says when nobody answers probes: a line that flaps is worth a word now and then, not one each time.

use crate::daemon::Level;
use crate::units::{Micros, Time};
use alloc::format;
use alloc::string::String;

/// Nobody answering and being answered again is said so often at most.
const SELDOM: Micros = Micros::secs(600);

/// What was said, and what has happened since.
#[derive(Debug, Default)]
pub(super) struct Silence {
    /// Whether nobody answered when it was last looked at.
    is_blind: bool,
    /// Whether that was said, so that its end is to be.
    is_said: bool,
    /// When it was said last.
    said: Option<Time>,
    /// How often it has begun since.
    times: u32,
}

impl Silence {
    /// What is to be said now; the end of it only while the line is steered.
    pub(super) fn news(&mut self, now: Time, is_blind: bool, is_steered: bool) -> Option<(Level, String)> {
        self.times += u32::from(is_blind && !self.is_blind);
        self.is_blind = is_blind;
        if !is_blind {
            let is_over = core::mem::take(&mut self.is_said) && is_steered;
            return is_over.then(|| (Level::Info, "probes are answered again".into()));
        }
        if self.is_said || self.said.is_some_and(|said| now - said < SELDOM) {
            return None;
        }
        (self.is_said, self.said) = (true, Some(now));
        let times = match core::mem::take(&mut self.times) {
            0 | 1 => String::new(),
            times => format!("; {times} times since this was said"),
        };
        let text = "nobody answers probes: counters alone steer (see options 'reflector' and 'probe')";
        Some((Level::Warning, format!("{text}{times}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// What is said in so many seconds, where nobody answers in those `is_blind` names.
    fn said(seconds: u64, is_blind: fn(u64) -> bool) -> Vec<(u64, Level, String)> {
        let mut silence = Silence::default();
        let said = (0..seconds).filter_map(|second| {
            let (level, text) = silence.news(Time(second * 1_000_000), is_blind(second), true)?;
            Some((second, level, text))
        });
        said.collect()
    }

    #[test]
    fn a_line_that_flaps_does_not_fill_the_log() {
        let said = said(3600, |second| second % 20 < 10);
        assert_eq!(said.len(), 12, "{said:?}");
        let began: Vec<u64> = said.iter().map(|(second, ..)| *second).collect();
        assert_eq!(began[..4], [0, 10, 600, 610]);
        assert!(
            !said[0].2.contains("times") && said[2].2.ends_with("; 30 times since this was said"),
            "{said:?}"
        );
        assert!(said.iter().all(|(_, level, text)| (*level == Level::Info) == text.contains("again")));
    }

    #[test]
    fn a_silence_that_lasts_is_said_even_if_one_was_said_lately() {
        let said = said(3600, |second| !(5..30).contains(&second));
        let began: Vec<u64> = said.iter().map(|(second, ..)| *second).collect();
        assert_eq!(began, [0, 5, 600]);
    }
}
