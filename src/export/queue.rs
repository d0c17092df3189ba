// SPDX-License-Identifier: Apache-2.0
//! What waits to be delivered: bounded in bytes and in number; what is full forgets its oldest and counts the loss.

use super::limits::PORTIONS;
use alloc::collections::VecDeque;
use alloc::string::String;

/// What is delivered or dropped as a whole: a reading, an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portion {
    /// How many points or messages it is.
    pub count: u32,
    /// As it is delivered.
    pub text: String,
}

/// Portions in the order they came.
#[derive(Debug)]
pub struct Queue {
    portions: VecDeque<Portion>,
    /// The number of the first one.
    first: u64,
    bytes: usize,
    count: u64,
    most: usize,
    dropped: u64,
    /// While there is no room: how many were dropped before.
    full_since: Option<u64>,
}

/// Some portions from the front of a queue, copied; they stay in it until they are known to have arrived.
#[derive(Debug, PartialEq, Eq)]
pub struct Batch {
    /// Their texts, one behind the other.
    pub text: String,
    /// How many portions it is.
    pub portions: usize,
    /// The number behind the last portion.
    end: u64,
}

impl Queue {
    /// Holds `most` bytes, and always one portion.
    pub fn new(most: usize) -> Self {
        Self { portions: VecDeque::new(), first: 0, bytes: 0, count: 0, most, dropped: 0, full_since: None }
    }

    /// How many points or messages wait.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many were dropped.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.portions.is_empty()
    }

    /// Adds a portion; the oldest ones go until there is room for it. Says whether that begins now.
    pub fn push(&mut self, portion: Portion) -> bool {
        let before = self.dropped;
        while !self.is_empty()
            && (self.portions.len() >= PORTIONS || self.bytes + portion.text.len() > self.most)
        {
            self.dropped = self.dropped.saturating_add(self.forget_first());
        }
        self.bytes += portion.text.len();
        self.count += u64::from(portion.count);
        self.portions.push_back(portion);
        let begins = self.dropped > before && self.full_since.is_none();
        if begins {
            self.full_since = Some(before);
        }
        begins
    }

    /// Once there is room again, half of all there is, how many were dropped since there was none. A queue that is
    /// emptied a little slower than it is filled would tell of it with each portion otherwise.
    pub fn relieved(&mut self) -> Option<u64> {
        if self.bytes > self.most / 2 || self.portions.len() > PORTIONS / 2 {
            return None;
        }
        Some(self.dropped - self.full_since.take()?)
    }

    fn forget_first(&mut self) -> u64 {
        let Some(portion) = self.portions.pop_front() else { return 0 };
        self.first += 1;
        self.bytes -= portion.text.len();
        self.count -= u64::from(portion.count);
        portion.count.into()
    }

    /// The oldest portions, at least one, at most so many points and bytes; `None`: nothing waits.
    pub fn batch(&self, points: u32, bytes: usize) -> Option<Batch> {
        let mut batch = Batch { text: String::new(), portions: 0, end: self.first };
        let mut count = 0u32;
        for portion in &self.portions {
            count = count.saturating_add(portion.count);
            if batch.portions > 0 && (count > points || batch.text.len() + portion.text.len() > bytes) {
                break;
            }
            batch.text.push_str(&portion.text);
            batch.portions += 1;
            batch.end += 1;
        }
        (batch.portions > 0).then_some(batch)
    }

    /// Forgets what was in a batch, and gives how many points that was. What was dropped for want of room while the batch
    /// was under way counts as dropped, although it may have arrived.
    pub fn done(&mut self, batch: &Batch) -> u64 {
        let mut count = 0;
        while self.first < batch.end && !self.is_empty() {
            count += self.forget_first();
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn portion(count: u32, text: &str) -> Portion {
        Portion { count, text: text.into() }
    }

    #[test]
    fn a_full_queue_drops_the_oldest_and_counts_points() {
        let mut queue = Queue::new(8);
        for text in ["aaa", "bbb", "ccc"] {
            queue.push(portion(2, text));
        }
        assert_eq!((queue.count(), queue.dropped()), (4, 2));
        assert_eq!(queue.batch(99, 99).map(|batch| batch.text), Some("bbbccc".into()));
        queue.push(portion(1, "larger than all of it"));
        assert_eq!((queue.count(), queue.dropped()), (1, 6));
        for _ in 0..=PORTIONS {
            queue.push(portion(1, ""));
        }
        assert_eq!((queue.count(), queue.dropped()), (PORTIONS as u64, 8));
    }

    #[test]
    fn dropping_is_news_when_it_begins_and_when_half_of_the_room_is_free_again() {
        let mut queue = Queue::new(8);
        let begins = |queue: &mut Queue, count| (0..count).filter(|_| queue.push(portion(2, "aa"))).count();
        assert_eq!((begins(&mut queue, 4), queue.relieved()), (0, None), "full, and nothing dropped");
        assert_eq!((begins(&mut queue, 9), queue.relieved()), (1, None), "once");
        // A server that takes one while two come.
        for _ in 0..9 {
            let batch = queue.batch(1, 1).expect("a batch");
            queue.done(&batch);
            assert_eq!((begins(&mut queue, 2), queue.relieved()), (0, None));
        }
        let batch = queue.batch(99, 4).expect("a batch");
        queue.done(&batch);
        assert_eq!((queue.relieved(), queue.dropped()), (Some(36), 36));
        assert_eq!(queue.relieved(), None, "once");
        assert_eq!((begins(&mut queue, 3), queue.relieved()), (1, None), "another time");
        let batch = queue.batch(99, 99).expect("a batch");
        queue.done(&batch);
        assert_eq!((queue.relieved(), queue.dropped()), (Some(2), 38), "of that time alone");
    }

    #[test]
    fn a_batch_stays_until_it_is_done_and_has_no_more_than_it_may() {
        let mut queue = Queue::new(99);
        assert_eq!(queue.batch(9, 9), None);
        for text in ["aa", "bb", "cc"] {
            queue.push(portion(2, text));
        }
        assert_eq!(queue.batch(1, 1).map(|batch| batch.text), Some("aa".into()), "at least one");
        assert_eq!(queue.batch(5, 99).map(|batch| batch.text), Some("aabb".into()), "by points");
        let batch = queue.batch(99, 5).expect("a batch");
        assert_eq!((batch.text.as_str(), batch.portions), ("aabb", 2), "by bytes");
        assert_eq!(queue.count(), 6);
        assert_eq!((queue.done(&batch), queue.count()), (4, 2));
        assert_eq!(queue.done(&batch), 0, "once");
    }

    #[test]
    fn what_was_dropped_under_way_is_not_sent_as_well() {
        let mut queue = Queue::new(4);
        queue.push(portion(1, "aa"));
        queue.push(portion(1, "bb"));
        let batch = queue.batch(9, 9).expect("a batch");
        queue.push(portion(1, "cc"));
        assert_eq!((queue.done(&batch), queue.dropped(), queue.count()), (1, 1, 1));
    }
}
