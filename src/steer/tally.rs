// SPDX-License-Identifier: Apache-2.0
//! What became of a line's probes, for people: who was asked lately and who answered, and how many were lost. What the
//! controller makes of each is `measure::probe`'s.

use alloc::format;
use alloc::string::String;
use core::fmt::Write;

/// "Lately" is so many probes: three seconds at the fastest, and each reflector is among them several times.
const LATELY: usize = 64;

/// The last probes, and all of them as numbers.
#[derive(Debug)]
pub(super) struct Tally {
    /// Who was asked, by the probe's number.
    whom: [u16; LATELY],
    /// Which of them are answered.
    heard: u64,
    /// The last one's number, which is how many there were.
    sent: u32,
    /// Those that were not answered while so many others were sent.
    lost: u32,
    /// Answers that came later than that, and answers that are to no probe.
    pub(super) odd: [u32; 2],
}

impl Default for Tally {
    fn default() -> Self {
        Self { whom: [0; LATELY], heard: 0, sent: 0, lost: 0, odd: [0; 2] }
    }
}

impl Tally {
    /// A probe was sent.
    pub(super) fn asked(&mut self, id: u32, reflector: u16) {
        let place = id as usize % LATELY;
        let is_lost = self.sent as usize >= LATELY && self.heard & (1 << place) == 0;
        self.lost = self.lost.saturating_add(u32::from(is_lost));
        self.heard &= !(1 << place);
        self.sent = id;
        if let Some(whom) = self.whom.get_mut(place) {
            *whom = reflector;
        }
    }

    /// One was answered.
    pub(super) fn answered(&mut self, id: u32) {
        if (self.sent.wrapping_sub(id) as usize) < LATELY {
            self.heard |= 1 << (id as usize % LATELY);
        }
    }

    /// `5 of 6 reflectors answer; 1203 sent, 12 lost`.
    pub(super) fn text(&self) -> String {
        let (mut used, mut answering) = (0u64, 0u64);
        for id in self.sent.saturating_sub(LATELY as u32 - 1).max(1)..=self.sent {
            let place = id as usize % LATELY;
            let bit = 1 << (self.whom.get(place).copied().unwrap_or_default() % 64);
            used |= bit;
            answering |= if self.heard & (1 << place) == 0 { 0 } else { bit };
        }
        let (answering, used) = (answering.count_ones(), used.count_ones());
        let mut text = format!("{answering} of {used} reflectors answer; {} sent", self.sent);
        let [late, forged] = self.odd;
        for (count, what) in [(self.lost.saturating_sub(late), "lost"), (late, "late"), (forged, "forged")] {
            if count > 0 {
                let _ = write!(text, ", {count} {what}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_who_answers_and_what_became_of_the_rest() {
        let mut tally = Tally::default();
        assert_eq!(tally.text(), "0 of 0 reflectors answer; 0 sent");
        for id in 1..=240 {
            let reflector = (id % 6) as u16;
            tally.asked(id, reflector);
            if reflector != 5 {
                tally.answered(id);
                tally.answered(id);
            }
        }
        // Of 40 that went to the silent one, those among the last 64 may still be answered.
        assert_eq!(tally.text(), "5 of 6 reflectors answer; 240 sent, 29 lost");
        tally.answered(5);
        tally.odd = [1, 2];
        assert_eq!(tally.text(), "5 of 6 reflectors answer; 240 sent, 28 lost, 1 late, 2 forged");
        (241..=304).for_each(|id| {
            tally.asked(id, 7);
            tally.answered(id);
        });
        assert_eq!(tally.text(), "1 of 1 reflectors answer; 304 sent, 39 lost, 1 late, 2 forged");
    }
}
