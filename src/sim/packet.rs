// SPDX-License-Identifier: Apache-2.0
//! Packets and where they live: one pool for the whole world, so that an event or a queue holds a small number only.

use super::clock::Moment;
use crate::measure::probe::Question;

/// Whose packet it is: an index into the world's flows; probes come behind them.
pub type FlowId = u16;
/// A packet's place in the [`Pool`].
pub type Handle = u32;
/// No packet.
pub const NONE: Handle = u32::MAX;
/// A full TCP segment on the wire: 1448 bytes of data, TCP with timestamps, IPv4, Ethernet.
pub const FULL: u32 = 1514;
/// What of it is the user's.
pub const PAYLOAD: u32 = 1448;
/// A bare acknowledgement on the wire.
pub const BARE: u32 = 66;

/// What a packet takes of the kernel's memory: a buffer of 2 KiB or half a KiB, and the 256 bytes that describe it.
pub const fn memory_of(size: u32) -> u64 {
    if size > 448 { 2304 } else { 768 }
}

/// What a packet is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A TCP segment.
    #[default]
    Data,
    /// A TCP acknowledgement.
    Ack,
    /// A datagram of a call or a game.
    Datagram,
    /// A latency probe, on its way out or back.
    Probe,
}

/// What is said about congestion in the header (RFC 3168).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ecn {
    /// The sender does not understand marks.
    #[default]
    Unable,
    /// It does.
    Able,
    /// A queue has marked it.
    Marked,
}

/// A packet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Packet {
    /// What it is for.
    pub kind: Kind,
    /// Its congestion mark.
    pub ecn: Ecn,
    /// An acknowledgement that tells the sender of marks.
    pub has_echo: bool,
    /// Whose it is.
    pub flow: FlowId,
    /// Which life of the flow it belongs to: a connection opened anew ignores what is left of the earlier one.
    pub life: u16,
    /// How much of the line it takes, in bytes.
    pub size: u32,
    /// Segment, datagram or probe number; of an acknowledgement: the first segment still missing.
    pub number: u32,
    /// When it was sent, or the probe it answers was.
    pub sent: Moment,
    /// When it came to the queue it is in.
    pub queued: Moment,
    /// What arrived beyond `number`: from, up to and without; the block with the newest first (RFC 2018).
    pub sacks: [(u32, u32); 3],
    /// How a probe asks.
    pub question: Question,
    /// What the reflector's clock showed when the probe came, in milliseconds of its day.
    pub shown: u32,
}

struct Slot {
    packet: Packet,
    next: Handle,
}

/// All packets there are.
pub struct Pool {
    slots: Vec<Slot>,
    free: Handle,
}

impl Default for Pool {
    fn default() -> Self {
        Self { slots: Vec::with_capacity(4096), free: NONE }
    }
}

impl Pool {
    /// Keeps a packet.
    pub fn put(&mut self, packet: Packet) -> Handle {
        let handle = self.free;
        if handle == NONE {
            self.slots.push(Slot { packet, next: NONE });
            return (self.slots.len() - 1) as Handle;
        }
        let slot = &mut self.slots[handle as usize];
        self.free = slot.next;
        *slot = Slot { packet, next: NONE };
        handle
    }

    /// Gives a packet up and its place free.
    pub fn take(&mut self, handle: Handle) -> Packet {
        let slot = &mut self.slots[handle as usize];
        slot.next = self.free;
        self.free = handle;
        slot.packet
    }

    /// Looks at a packet.
    pub fn get(&self, handle: Handle) -> &Packet {
        &self.slots[handle as usize].packet
    }

    /// Writes on a packet.
    pub fn get_mut(&mut self, handle: Handle) -> &mut Packet {
        &mut self.slots[handle as usize].packet
    }
}

/// A first-in first-out queue of packets of a [`Pool`].
#[derive(Clone, Debug)]
pub struct Queue {
    head: Handle,
    tail: Handle,
    /// How many packets it holds.
    pub packets: u32,
    /// How many bytes they are.
    pub bytes: u64,
}

impl Default for Queue {
    fn default() -> Self {
        Self { head: NONE, tail: NONE, packets: 0, bytes: 0 }
    }
}

impl Queue {
    /// Adds a packet at the end.
    pub fn push(&mut self, pool: &mut Pool, handle: Handle) {
        pool.slots[handle as usize].next = NONE;
        match self.tail {
            NONE => self.head = handle,
            tail => pool.slots[tail as usize].next = handle,
        }
        self.tail = handle;
        self.packets += 1;
        self.bytes += u64::from(pool.get(handle).size);
    }

    /// Takes the first packet.
    pub fn pop(&mut self, pool: &Pool) -> Option<Handle> {
        let handle = self.head;
        if handle == NONE {
            return None;
        }
        self.head = pool.slots[handle as usize].next;
        if self.head == NONE {
            self.tail = NONE;
        }
        self.packets -= 1;
        self.bytes -= u64::from(pool.get(handle).size);
        Some(handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_keep_their_order_while_places_are_used_again() {
        let mut pool = Pool::default();
        let (mut one, mut two) = (Queue::default(), Queue::default());
        let put = |pool: &mut Pool, queue: &mut Queue, number| {
            let handle = pool.put(Packet { number, size: 10, ..Packet::default() });
            queue.push(pool, handle);
        };
        (0..4).for_each(|n| put(&mut pool, if n % 2 == 0 { &mut one } else { &mut two }, n));
        let first = one.pop(&pool).expect("two are in it");
        assert_eq!(pool.take(first).number, 0);
        put(&mut pool, &mut two, 9);
        let rest: Vec<u32> = core::iter::from_fn(|| two.pop(&pool)).map(|h| pool.get(h).number).collect();
        assert_eq!((rest, two.bytes, one.packets), (vec![1, 3, 9], 0, 1));
        assert_eq!(pool.slots.len(), 4, "the freed place was used");
    }
}
