// SPDX-License-Identifier: Apache-2.0
//! CoDel: drops or marks packets when what leaves a queue has waited above `target` for longer than `interval`.
//!
//! Line by line after Linux's include/net/codel_impl.h (codel_dequeue), which RFC 8289 describes. One difference: the
//! kernel approximates the inverse square root by one Newton step per drop, here it is exact.

use super::clock::{Moment, Span};
use super::packet::{Ecn, Handle, Pool, Queue, memory_of};

/// What CoDel aims at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aim {
    /// A standing queue up to this is fine.
    pub target: Span,
    /// How long it takes to see that it stands: a round trip.
    pub interval: Span,
    /// As much may always wait.
    pub mtu: u64,
}

impl Aim {
    /// The defaults.
    pub const DEFAULT: Self = Self { target: Span::ms(5), interval: Span::ms(100), mtu: 1514 };
}

/// What happened to packets that were not simply sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many were dropped.
    pub drops: u64,
    /// How many were marked.
    pub marks: u64,
}

/// The state of one queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct Codel {
    count: u32,
    last_count: u32,
    is_dropping: bool,
    /// When the sojourn time will have been above target for an interval; at the start: it is not.
    first_above: Moment,
    drop_next: Moment,
}

/// `backlog` is that of all queues sharing the line: CoDel leaves the last packet alone.
pub struct Source<'a> {
    /// Where the packets live.
    pub pool: &'a mut Pool,
    /// The queue to take from.
    pub queue: &'a mut Queue,
    /// The bytes of all queues together, which is kept up to date.
    pub backlog: &'a mut u64,
    /// What was dropped and marked, which is added to.
    pub tally: &'a mut Tally,
    /// The kernel's memory that all of them take, which is kept up to date.
    pub memory: &'a mut u64,
}

impl Source<'_> {
    fn pop(&mut self) -> Option<Handle> {
        let handle = self.queue.pop(self.pool)?;
        let size = self.pool.get(handle).size;
        *self.backlog -= u64::from(size);
        *self.memory = self.memory.saturating_sub(memory_of(size));
        Some(handle)
    }

    fn drop(&mut self, handle: Handle) {
        self.pool.take(handle);
        self.tally.drops += 1;
    }

    fn mark(&mut self, handle: Handle) -> bool {
        let packet = self.pool.get_mut(handle);
        let is_able = packet.ecn != Ecn::Unable;
        if is_able {
            packet.ecn = Ecn::Marked;
            self.tally.marks += 1;
        }
        is_able
    }
}

impl Codel {
    /// Takes the next packet to send at `now`, dropping those that have to go.
    pub fn dequeue(&mut self, now: Moment, aim: &Aim, mut source: Source<'_>) -> Option<Handle> {
        let Some(mut handle) = source.pop() else {
            self.is_dropping = false;
            return None;
        };
        let must_drop = self.should_drop(now, aim, handle, &source);
        if self.is_dropping {
            if !must_drop {
                self.is_dropping = false;
            }
            while self.is_dropping && now >= self.drop_next {
                self.count += 1;
                if source.mark(handle) {
                    self.drop_next = self.control_law(self.drop_next, aim);
                    break;
                }
                source.drop(handle);
                let Some(next) = source.pop() else {
                    self.first_above = Moment::START;
                    self.is_dropping = false;
                    return None;
                };
                handle = next;
                if self.should_drop(now, aim, handle, &source) {
                    self.drop_next = self.control_law(self.drop_next, aim);
                } else {
                    self.is_dropping = false;
                }
            }
        } else if must_drop {
            let mut sent = Some(handle);
            if !source.mark(handle) {
                source.drop(handle);
                sent = source.pop();
                match sent {
                    Some(next) => _ = self.should_drop(now, aim, next, &source),
                    None => self.first_above = Moment::START,
                }
            }
            self.is_dropping = true;
            // Back soon after the last time: go on about where it was.
            let delta = self.count.wrapping_sub(self.last_count);
            let is_recent = now.0.saturating_sub(self.drop_next.0) < 16 * aim.interval.0;
            self.count = if delta > 1 && is_recent { delta } else { 1 };
            self.last_count = self.count;
            self.drop_next = self.control_law(now, aim);
            return sent;
        }
        Some(handle)
    }

    fn should_drop(&mut self, now: Moment, aim: &Aim, handle: Handle, source: &Source<'_>) -> bool {
        let sojourn = now - source.pool.get(handle).queued;
        if sojourn < aim.target || *source.backlog <= aim.mtu {
            self.first_above = Moment::START;
            return false;
        }
        if self.first_above == Moment::START {
            self.first_above = now + aim.interval;
            return false;
        }
        now > self.first_above
    }

    fn control_law(&self, from: Moment, aim: &Aim) -> Moment {
        from + Span((aim.interval.0 as f64 / f64::from(self.count).sqrt()) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::packet::Packet;
    use super::*;

    /// Serves one packet per millisecond from a queue that always holds 50 packets, as if 50 ms stood in it.
    fn drop_times(ecn: Ecn, milliseconds: u64) -> (Vec<u64>, Tally) {
        let (mut pool, mut queue, mut backlog) = (Pool::default(), Queue::default(), 0);
        let (mut codel, mut tally, mut times) = (Codel::default(), Tally::default(), Vec::new());
        for ms in 1..=milliseconds {
            let now = Moment::START + Span::ms(1000 + ms);
            while queue.packets < 50 {
                let packet = Packet { size: 1500, ecn, queued: now - Span::ms(50), ..Packet::default() };
                let handle = pool.put(packet);
                queue.push(&mut pool, handle);
                backlog += 1500;
            }
            let before = tally;
            let source = Source {
                pool: &mut pool,
                queue: &mut queue,
                backlog: &mut backlog,
                tally: &mut tally,
                memory: &mut 0,
            };
            let handle = codel.dequeue(now, &Aim::DEFAULT, source).expect("there are 50");
            pool.take(handle);
            (before.drops + before.marks..tally.drops + tally.marks).for_each(|_| times.push(ms));
        }
        (times, tally)
    }

    #[test]
    fn drops_come_at_the_moments_the_control_law_names() {
        // Above target since 1 ms, so the first drop is at 102 (after 101); then 100/sqrt(1), /sqrt(2), … later each,
        // added up exactly and taken at the next whole millisecond: 202, 272.71, 330.45, 380.45, 425.17, 465.99,
        // 503.79, 539.15, 572.48.
        let (times, tally) = drop_times(Ecn::Unable, 540);
        assert_eq!(times, [102, 202, 273, 331, 381, 426, 466, 504, 540]);
        assert_eq!(tally, Tally { drops: 9, marks: 0 });
    }

    #[test]
    fn packets_that_understand_marks_are_marked_at_the_same_moments() {
        let (times, tally) = drop_times(Ecn::Able, 540);
        assert_eq!(times, [102, 202, 273, 331, 381, 426, 466, 504, 540]);
        assert_eq!(tally, Tally { drops: 0, marks: 9 });
    }

    #[test]
    fn the_last_packet_is_left_alone() {
        let (mut pool, mut queue, mut tally) = (Pool::default(), Queue::default(), Tally::default());
        let mut codel = Codel::default();
        for ms in 1..1000 {
            let handle = pool.put(Packet { size: 1500, ..Packet::default() });
            queue.push(&mut pool, handle);
            let mut backlog = 1500;
            let source = Source {
                pool: &mut pool,
                queue: &mut queue,
                backlog: &mut backlog,
                tally: &mut tally,
                memory: &mut 0,
            };
            let now = Moment::START + Span::secs(9) + Span::ms(ms);
            assert!(codel.dequeue(now, &Aim::DEFAULT, source).is_some());
        }
        assert_eq!(tally.drops, 0);
    }
}
