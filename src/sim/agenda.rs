// SPDX-License-Identifier: Apache-2.0
//! What is going to happen, in order of time; what was entered first comes first among equals.

use super::clock::Moment;
use core::cmp::Ordering;
use std::collections::BinaryHeap;

struct Entry<E> {
    at: Moment,
    order: u64,
    what: E,
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}
impl<E> Eq for Entry<E> {}
impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<E> Ord for Entry<E> {
    /// The heap gives the greatest first, so the earliest is the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

/// The events to come.
pub struct Agenda<E> {
    heap: BinaryHeap<Entry<E>>,
    entered: u64,
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Self { heap: BinaryHeap::with_capacity(4096), entered: 0 }
    }
}

impl<E> Agenda<E> {
    /// Enters `what` for the moment `at`.
    pub fn enter(&mut self, at: Moment, what: E) {
        self.entered += 1;
        self.heap.push(Entry { at, order: self.entered, what });
    }

    /// Takes the next event.
    pub fn take(&mut self) -> Option<(Moment, E)> {
        self.heap.pop().map(|entry| (entry.at, entry.what))
    }

    /// How many events were ever entered.
    pub const fn entered(&self) -> u64 {
        self.entered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_order_of_time_and_then_of_entry() {
        let mut agenda = Agenda::default();
        for (at, name) in [(5, 'a'), (3, 'b'), (5, 'c'), (3, 'd'), (0, 'e')] {
            agenda.enter(Moment(at), name);
        }
        let order: String = core::iter::from_fn(|| agenda.take().map(|(_, name)| name)).collect();
        assert_eq!(order, "ebdac");
    }
}
