// SPDX-License-Identifier: Apache-2.0
//! fq_codel: a queue for every flow, served in turn, new flows first, each kept short by CoDel.
//!
//! After Linux's net/sched/sch_fq_codel.c (fq_codel_enqueue, fq_codel_dequeue, fq_codel_drop) and RFC 8290. Every flow
//! has a queue of its own here; the kernel's 1024 hashed ones collide for two flows out of 64 about once in eight
//! worlds, and CAKE's 8-way set practically never.

use super::clock::Moment;
use super::codel::{Aim, Codel, Source, Tally};
use super::packet::{Handle, Pool, Queue, memory_of};
use std::collections::VecDeque;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Idle,
    New,
    Old,
}

struct Flow {
    queue: Queue,
    codel: Codel,
    deficit: i64,
    turn: Turn,
}

/// An fq_codel.
pub struct FqCodel {
    /// What CoDel aims at, in every flow.
    pub aim: Aim,
    /// What was dropped and marked.
    pub tally: Tally,
    /// All packets in it.
    pub packets: u32,
    /// All bytes in it.
    pub backlog: u64,
    /// How much it may hold and gives out in turn.
    pub room: Room,
    memory: u64,
    flows: Vec<Flow>,
    new: VecDeque<u16>,
    old: VecDeque<u16>,
}

/// How much an fq_codel may hold and gives out in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// What a flow may send per turn, in bytes.
    pub quantum: u32,
    /// How many packets it holds.
    pub packets: u32,
    /// How much of the kernel's memory they may take.
    pub memory: u64,
}

impl Room {
    /// sch_fq_codel.c's defaults.
    pub const DEFAULT: Self = Self { quantum: 1514, packets: 10_240, memory: 32 << 20 };
}

/// How many packets of the fattest flow go at once when the limit is reached, at most half of them.
const BATCH: u32 = 64;

impl FqCodel {
    /// Queues for `flows` flows.
    pub fn new(flows: usize) -> Self {
        let flow = || Flow { queue: Queue::default(), codel: Codel::default(), deficit: 0, turn: Turn::Idle };
        Self {
            aim: Aim::DEFAULT,
            tally: Tally::default(),
            packets: 0,
            backlog: 0,
            room: Room::DEFAULT,
            memory: 0,
            flows: (0..flows).map(|_| flow()).collect(),
            new: VecDeque::with_capacity(flows),
            old: VecDeque::with_capacity(flows),
        }
    }

    /// Takes a packet in.
    pub fn enqueue(&mut self, now: Moment, pool: &mut Pool, handle: Handle) {
        let packet = pool.get_mut(handle);
        packet.queued = now;
        let id = packet.flow;
        self.backlog += u64::from(packet.size);
        self.packets += 1;
        self.memory += memory_of(packet.size);
        let flow = &mut self.flows[usize::from(id)];
        flow.queue.push(pool, handle);
        if flow.turn == Turn::Idle {
            flow.turn = Turn::New;
            flow.deficit = i64::from(self.room.quantum);
            self.new.push_back(id);
        }
        if self.packets > self.room.packets || self.memory > self.room.memory {
            self.drop_from_fattest(pool);
        }
    }

    fn drop_from_fattest(&mut self, pool: &mut Pool) {
        let Some(flow) = self.flows.iter_mut().max_by_key(|flow| flow.queue.bytes) else { return };
        let threshold = flow.queue.bytes / 2;
        let mut bytes = 0;
        for _ in 0..BATCH {
            let Some(handle) = flow.queue.pop(pool) else { break };
            let size = pool.take(handle).size;
            bytes += u64::from(size);
            self.memory -= memory_of(size);
            self.packets -= 1;
            self.tally.drops += 1;
            if bytes >= threshold {
                break;
            }
        }
        self.backlog -= bytes;
    }

    /// Gives the next packet out.
    pub fn dequeue(&mut self, now: Moment, pool: &mut Pool) -> Option<Handle> {
        loop {
            let is_new = !self.new.is_empty();
            let list = if is_new { &mut self.new } else { &mut self.old };
            let id = *list.front()?;
            let flow = &mut self.flows[usize::from(id)];
            if flow.deficit <= 0 {
                flow.deficit += i64::from(self.room.quantum);
                flow.turn = Turn::Old;
                list.pop_front();
                self.old.push_back(id);
                continue;
            }
            let before = flow.queue.packets;
            let source = Source {
                pool,
                queue: &mut flow.queue,
                backlog: &mut self.backlog,
                tally: &mut self.tally,
                memory: &mut self.memory,
            };
            let handle = flow.codel.dequeue(now, &self.aim, source);
            self.packets -= before - flow.queue.packets;
            if let Some(handle) = handle {
                flow.deficit -= i64::from(pool.get(handle).size);
                return Some(handle);
            }
            list.pop_front();
            // A new flow that ran empty goes through the old ones once, or it could stay ahead of them for ever.
            if is_new && !self.old.is_empty() {
                flow.turn = Turn::Old;
                self.old.push_back(id);
            } else {
                flow.turn = Turn::Idle;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::clock::Span;
    use super::super::packet::Packet;
    use super::*;

    fn put(fq: &mut FqCodel, pool: &mut Pool, flow: u16, size: u32, n: u32) {
        for number in 0..n {
            let handle = pool.put(Packet { flow, size, number, ..Packet::default() });
            fq.enqueue(Moment::START, pool, handle);
        }
    }

    #[test]
    fn flows_share_by_bytes_and_not_by_packets() {
        let (mut fq, mut pool) = (FqCodel::new(2), Pool::default());
        put(&mut fq, &mut pool, 0, 1514, 300);
        put(&mut fq, &mut pool, 1, 100, 4000);
        let mut bytes = [0u32; 2];
        for _ in 0..2000 {
            let handle = fq.dequeue(Moment::START, &mut pool).expect("more is there");
            let packet = pool.take(handle);
            bytes[usize::from(packet.flow)] += packet.size;
        }
        let ratio = f64::from(bytes[0]) / f64::from(bytes[1]);
        assert!((0.98..1.02).contains(&ratio), "{bytes:?}");
    }

    #[test]
    fn a_flow_that_just_began_goes_first() {
        let (mut fq, mut pool) = (FqCodel::new(3), Pool::default());
        put(&mut fq, &mut pool, 0, 1514, 20);
        put(&mut fq, &mut pool, 1, 1514, 20);
        for _ in 0..4 {
            let handle = fq.dequeue(Moment::START, &mut pool).expect("40 are there");
            pool.take(handle);
        }
        put(&mut fq, &mut pool, 2, 66, 1);
        let handle = fq.dequeue(Moment::START, &mut pool).expect("37 are there");
        assert_eq!(pool.get(handle).flow, 2);
    }

    #[test]
    fn a_full_fq_codel_drops_from_the_fattest_flow() {
        let (mut fq, mut pool) = (FqCodel::new(2), Pool::default());
        put(&mut fq, &mut pool, 1, 1514, 10);
        put(&mut fq, &mut pool, 0, 1514, Room::DEFAULT.packets);
        assert_eq!(fq.flows[1].queue.packets, 10);
        assert!(fq.packets <= Room::DEFAULT.packets && fq.tally.drops >= 10);
        let left: u64 = fq.flows.iter().map(|flow| flow.queue.bytes).sum();
        assert_eq!(left, fq.backlog);
    }

    #[test]
    fn memory_counts_what_the_kernel_takes_and_not_what_the_line_carries() {
        let (mut fq, mut pool) = (FqCodel::new(1), Pool::default());
        fq.room.memory = 1 << 20;
        put(&mut fq, &mut pool, 0, 1514, (1 << 20) / 2304);
        assert_eq!(fq.tally.drops, 0);
        put(&mut fq, &mut pool, 0, 1514, 1);
        assert_eq!(fq.tally.drops, 64);
    }

    #[test]
    fn counts_agree_when_everything_has_left_or_was_dropped() {
        let (mut fq, mut pool) = (FqCodel::new(2), Pool::default());
        put(&mut fq, &mut pool, 0, 1514, 500);
        put(&mut fq, &mut pool, 1, 500, 500);
        let mut sent = 0;
        for ms in 0.. {
            let Some(handle) = fq.dequeue(Moment::START + Span::ms(ms), &mut pool) else { break };
            pool.take(handle);
            sent += 1;
        }
        assert_eq!((fq.packets, fq.backlog, fq.memory, sent + fq.tally.drops), (0, 0, 0, 1000));
        assert!(fq.tally.drops > 0);
    }
}
