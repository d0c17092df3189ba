// SPDX-License-Identifier: Apache-2.0
//! The receiving end: acknowledges every second segment, and at once what is out of order (RFC 5681, RFC 2018).

use crate::sim::clock::{Moment, Span};
use crate::sim::ranges::Ranges;

/// A segment alone is acknowledged after this (Linux's TCP_DELACK_MIN).
const PATIENCE: Span = Span::ms(40);
/// A new connection acknowledges so many segments one by one, to get slow start going (Linux's quick acks).
const QUICK: u32 = 16;

/// What has arrived.
#[derive(Clone, Debug, Default)]
pub struct Receiver {
    next: u32,
    beyond: Ranges,
    unsaid: u32,
    quick_left: Option<u32>,
    has_mark: bool,
    due: Option<Moment>,
}

/// An acknowledgement to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The first segment still missing.
    pub next: u32,
    /// What arrived beyond it; the newest first.
    pub sacks: [(u32, u32); 3],
    /// Whether a queue on the way marked a segment.
    pub has_echo: bool,
}

impl Receiver {
    /// Takes a segment; says what to answer at once.
    pub fn take(&mut self, now: Moment, number: u32, is_marked: bool) -> Option<Answer> {
        let is_in_order = number == self.next;
        let had_gap = !self.beyond.is_empty();
        if is_in_order {
            self.next += 1;
            if let Some(end) = self.beyond.take_from(self.next) {
                self.next = self.next.max(end);
            }
        } else if number > self.next {
            self.beyond.add(number, number + 1, |_, _| ());
        }
        self.unsaid += 1;
        let turns = is_marked != self.has_mark;
        self.has_mark = is_marked;
        let quick = self.quick_left.get_or_insert(QUICK);
        let is_quick = *quick > 0;
        *quick = quick.saturating_sub(1);
        if !is_in_order || had_gap || self.unsaid >= 2 || is_quick || turns {
            return Some(self.answer(number));
        }
        self.due = Some(now + PATIENCE);
        None
    }

    /// Answers what has waited too long.
    pub fn wake(&mut self, now: Moment) -> Option<Answer> {
        self.due.is_some_and(|due| due <= now).then(|| self.answer(self.next))
    }

    /// When it wants to be woken.
    pub const fn due(&self) -> Option<Moment> {
        self.due
    }

    fn answer(&mut self, newest: u32) -> Answer {
        (self.unsaid, self.due) = (0, None);
        let mut sacks = [(0, 0); 3];
        let first = self.beyond.around(newest);
        let others = self.beyond.from_the_last().filter(|&range| Some(range) != first);
        sacks.iter_mut().zip(first.into_iter().chain(others)).for_each(|(slot, range)| *slot = range);
        Answer { next: self.next, sacks, has_echo: self.has_mark }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warm() -> Receiver {
        Receiver { quick_left: Some(0), ..Receiver::default() }
    }

    #[test]
    fn every_second_segment_is_acknowledged_and_a_single_one_after_a_while() {
        let mut receiver = warm();
        assert_eq!(receiver.take(Moment::START, 0, false), None);
        assert_eq!(receiver.take(Moment::START, 1, false).map(|answer| answer.next), Some(2));
        assert_eq!(receiver.take(Moment::START, 2, false), None);
        assert_eq!(receiver.wake(Moment::START + Span::ms(39)), None);
        assert_eq!(receiver.wake(Moment::START + Span::ms(40)).map(|answer| answer.next), Some(3));
        assert_eq!(receiver.due(), None);
    }

    #[test]
    fn gaps_are_told_at_once_with_the_newest_block_first() {
        let mut receiver = warm();
        receiver.take(Moment::START, 0, false);
        let told: Vec<Answer> =
            [2, 4, 6, 8, 5].into_iter().filter_map(|n| receiver.take(Moment::START, n, false)).collect();
        assert_eq!(told.len(), 5);
        assert_eq!((told[3].next, told[3].sacks), (1, [(8, 9), (6, 7), (4, 5)]));
        assert_eq!(told[4].sacks, [(4, 7), (8, 9), (2, 3)]);
        let filled = receiver.take(Moment::START, 1, false).expect("fills a gap");
        assert_eq!((filled.next, filled.sacks), (3, [(8, 9), (4, 7), (0, 0)]));
    }
}
