// SPDX-License-Identifier: Apache-2.0
//! Requests that wait for their answer: the bus itself never gives up on one, and forgets those whose answerer is gone.

use crate::limits::UBUS_PENDING;
use crate::units::Time;

/// Tells the answers to weir's calls apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(pub(super) u16);

/// What a request is for; the numbers are those of neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// Not a request: the bus speaks first.
    Hello,
    /// Not a request: the path was taken, and is tried again.
    Retry,
    /// Weir's own object.
    Name,
    /// The nameless object that hears a neighbour.
    Ear(usize),
    /// The news of objects that come.
    News(usize),
    /// Where a neighbour is.
    Lookup(usize),
    /// To hear a neighbour's notifications, and its number.
    Subscribe(usize, u32),
    /// A call the daemon made.
    Call,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    pub(super) seq: u16,
    pub(super) peer: u32,
    pub(super) until: Time,
    pub(super) about: About,
    /// The object's number an answer has told, 0 before.
    pub(super) found: u32,
}

#[derive(Debug, Default)]
pub(super) struct Pending {
    slots: [Option<Request>; UBUS_PENDING],
    last: u16,
}

impl Pending {
    /// The next sequence number that no request waits under.
    pub(super) fn next_seq(&mut self) -> u16 {
        loop {
            self.last = self.last.wrapping_add(1);
            if self.last != 0 && !self.slots.iter().flatten().any(|request| request.seq == self.last) {
                return self.last;
            }
        }
    }

    /// Keeps a request; `None` if too many wait already.
    pub(super) fn add(&mut self, peer: u32, about: About, until: Time) -> Option<u16> {
        let free = self.slots.iter().position(Option::is_none)?;
        let seq = match about {
            About::Hello | About::Retry => 0, // no answer has this number
            _ => self.next_seq(),
        };
        *self.slots.get_mut(free)? = Some(Request { seq, peer, until, about, found: 0 });
        Some(seq)
    }

    /// The request an answer belongs to. The answer must come from where the request went: a number is used again.
    pub(super) fn find(&mut self, seq: u16, peer: u32) -> Option<&mut Request> {
        self.slots.iter_mut().flatten().find(|request| seq != 0 && (request.seq, request.peer) == (seq, peer))
    }

    /// Takes out the request an answer ends.
    pub(super) fn take(&mut self, seq: u16, peer: u32) -> Option<Request> {
        self.remove(|request| seq != 0 && (request.seq, request.peer) == (seq, peer))
    }

    pub(super) fn count(&self, about: About) -> usize {
        self.slots.iter().flatten().filter(|request| request.about == about).count()
    }

    /// Takes out the first request `is_it` accepts.
    pub(super) fn remove(&mut self, is_it: impl Fn(&Request) -> bool) -> Option<Request> {
        self.slots.iter_mut().find(|slot| slot.as_ref().is_some_and(&is_it))?.take()
    }

    /// When the first of them has waited long enough.
    pub(super) fn due(&self) -> Option<Time> {
        self.slots.iter().flatten().map(|request| request.until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_use_is_not_given_again_when_the_numbers_wrap() {
        let mut pending = Pending { last: u16::MAX - 1, ..Pending::default() };
        assert_eq!(pending.add(7, About::Call, Time(9)), Some(u16::MAX));
        assert_eq!(pending.add(7, About::Call, Time(5)), Some(1));
        pending.last = u16::MAX - 1;
        assert_eq!(pending.next_seq(), 2);
        assert_eq!(pending.due(), Some(Time(5)));
    }

    #[test]
    fn an_answer_from_elsewhere_or_under_the_number_zero_is_none() {
        let mut pending = Pending::default();
        pending.add(0, About::Hello, Time(9));
        assert_eq!(pending.add(7, About::Call, Time(9)), Some(1));
        assert!(pending.find(0, 0).is_none());
        assert!(pending.find(1, 8).is_none());
        assert!(pending.find(1, 7).is_some());
    }

    #[test]
    fn no_more_wait_than_there_is_room_for() {
        let mut pending = Pending::default();
        let added = (0..100).filter_map(|_| pending.add(7, About::Call, Time(9))).count();
        assert_eq!(added, UBUS_PENDING);
        assert!(pending.remove(|request| request.seq == 3).is_some());
        assert!(pending.add(7, About::Call, Time(9)).is_some());
    }
}
