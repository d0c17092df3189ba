// SPDX-License-Identifier: Apache-2.0
//! What became of a line's probes: who was asked lately and who answered, and how many were lost. What the
//! controller makes of each is `measure::probe`'s.

use crate::scribe::Scribe;
use crate::units::{Micros, Time};
use alloc::format;
use alloc::string::String;
use core::fmt;

/// "Lately" is so many probes: three seconds at the fastest, and each reflector is among them several times.
const LATELY: usize = 64;

/// Nobody answers when so many probes in a row were in vain, for at least so long: a busy line sends them within half a
/// second, which an answer may take, and one that nobody uses in half a minute.
const IN_VAIN: u32 = 8;
const PATIENCE: Micros = Micros::secs(10);
/// What became of a line's probes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Probed {
    /// Who was asked lately, and how many of them answered.
    reflectors: u32,
    answering: u32,
    sent: u32,
    /// Those that were never answered, answers that came too late to count, and answers that are to no probe.
    lost: u32,
    late: u32,
    forged: u32,
}

/// `5 of 6 reflectors answer; 1203 sent, 12 lost`.
impl fmt::Display for Probed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} reflectors answer; {} sent", self.answering, self.reflectors, self.sent)?;
        for (count, what) in [(self.lost, "lost"), (self.late, "late"), (self.forged, "forged")] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
}

impl Probed {
    /// Whether somebody was asked and nobody answers.
    pub fn is_unheard(&self) -> bool {
        self.reflectors > 0 && self.answering == 0
    }

    /// As fields.
    pub fn write(&self, out: &mut dyn Scribe) {
        for (key, count) in [
            ("reflectors", self.reflectors),
            ("answering", self.answering),
            ("sent", self.sent),
            ("lost", self.lost),
            ("late", self.late),
            ("forged", self.forged),
        ] {
            out.count(key, count.into());
        }
    }

    /// One line of text.
    pub fn to_text(&self) -> String {
        let Self { reflectors, answering, sent, lost, late, forged } = self;
        format!("{reflectors} {answering} {sent} {lost} {late} {forged}")
    }

    /// Reads such a line.
    pub fn from_text(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let mut number = || words.next()?.parse().ok();
        let (reflectors, answering, sent) = (number()?, number()?, number()?);
        let (lost, late, forged) = (number()?, number()?, number()?);
        Some(Self { reflectors, answering, sent, lost, late, forged })
    }
}

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
    /// How many were sent since the last answer, and when the first of them was.
    in_vain: u32,
    since: Time,
}

impl Default for Tally {
    fn default() -> Self {
        Self { whom: [0; LATELY], heard: 0, sent: 0, lost: 0, odd: [0; 2], in_vain: 0, since: Time(0) }
    }
}

impl Tally {
    /// A probe was sent.
    pub(super) fn asked(&mut self, now: Time, id: u32, reflector: u16) {
        if self.in_vain == 0 {
            self.since = now;
        }
        self.in_vain = self.in_vain.saturating_add(1);
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
            self.in_vain = 0;
        }
    }

    /// Whether nobody has answered for a while, although somebody was asked.
    pub(super) fn is_unheard(&self, now: Time) -> bool {
        self.in_vain >= IN_VAIN && now - self.since >= PATIENCE
    }

    /// How they stand.
    pub(super) fn probing(&self) -> Probed {
        let (mut used, mut answering) = (0u64, 0u64);
        for id in self.sent.saturating_sub(LATELY as u32 - 1).max(1)..=self.sent {
            let place = id as usize % LATELY;
            let bit = 1 << (self.whom.get(place).copied().unwrap_or_default() % 64);
            used |= bit;
            answering |= if self.heard & (1 << place) == 0 { 0 } else { bit };
        }
        let (answering, reflectors) = (answering.count_ones(), used.count_ones());
        let [late, forged] = self.odd;
        let lost = self.lost.saturating_sub(late);
        Probed { reflectors, answering, sent: self.sent, lost, late, forged }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    /// As people read it; the same behind the socket.
    fn text(tally: &Tally) -> String {
        let probing = tally.probing();
        assert_eq!(Probed::from_text(&probing.to_text()), Some(probing));
        probing.to_string()
    }

    #[test]
    fn it_says_who_answers_and_what_became_of_the_rest() {
        let mut tally = Tally::default();
        assert_eq!(text(&tally), "0 of 0 reflectors answer; 0 sent");
        for id in 1..=240 {
            let reflector = (id % 6) as u16;
            tally.asked(Time(0), id, reflector);
            if reflector != 5 {
                tally.answered(id);
                tally.answered(id);
            }
        }
        // Of 40 that went to the silent one, those among the last 64 may still be answered.
        assert_eq!(text(&tally), "5 of 6 reflectors answer; 240 sent, 29 lost");
        tally.answered(5);
        tally.odd = [1, 2];
        assert_eq!(text(&tally), "5 of 6 reflectors answer; 240 sent, 28 lost, 1 late, 2 forged");
        (241..=304).for_each(|id| {
            tally.asked(Time(0), id, 7);
            tally.answered(id);
        });
        assert_eq!(text(&tally), "1 of 1 reflectors answer; 304 sent, 39 lost, 1 late, 2 forged");
    }

    #[test]
    fn nobody_answers_only_when_several_were_asked_in_vain_for_a_while() {
        let mut tally = Tally::default();
        let at = |seconds: u64| Time(seconds * 1_000_000);
        assert!(!tally.is_unheard(at(999)), "nobody was asked");
        (1..=7).for_each(|id| tally.asked(at(5 * u64::from(id)), id, 0));
        assert!(!tally.is_unheard(at(60)));
        tally.asked(at(40), 8, 0);
        assert!(tally.is_unheard(at(40)));
        tally.answered(8);
        assert!(!tally.is_unheard(at(40)));
        (9..=40).for_each(|id| tally.asked(at(41), id, 0));
        assert!(!tally.is_unheard(at(50)) && tally.is_unheard(at(51)), "a busy line asks many at once");
    }
}
