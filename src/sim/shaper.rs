// SPDX-License-Identifier: Apache-2.0
//! weir's shaper in one direction: a rate in front of an fq_codel, changeable at any moment.
//!
//! HTB's token bucket (net/sched/sch_htb.c) and CAKE's schedule (sch_cake.c, cake_advance_shaper) are one law: nothing
//! leaves before `next`, each packet moves `next` by its time at the rate, and an idle shaper saves up at most `burst`.
//! CAKE saves up nothing. What is not modelled: HTB's classes, CAKE's tins, host isolation and Cobalt's BLUE half.

use super::clock::{Moment, Span};
use super::codel::Aim;
use super::fq::{FqCodel, Room};
use super::packet::{FULL, Handle, Pool};
use crate::units::{Micros, Rate};

/// Which qdisc it stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Engine {
    /// HTB with fq_codel: bursts of a millisecond, or a packet where that is more.
    #[default]
    Htb,
    /// CAKE: a packet at a time.
    Cake,
}

/// HTB's burst.
const BURST: Span = Span::ms(1);
/// Above this weir's fq_codel hands out full packets in turn.
const SMALL_QUANTUM_UP_TO: Rate = Rate::mbit(50);
/// Up to a rate: the packets and the memory weir gives fq_codel (tc/shape.rs).
const ROOM: [(Rate, u32, u64); 3] =
    [(Rate::mbit(10), 1024, 1 << 20), (Rate::mbit(100), 4096, 4 << 20), (Rate::mbit(1000), 10_240, 8 << 20)];
const LARGEST_ROOM: (u32, u64) = (10_240, 16 << 20);

/// A shaper.
pub struct Shaper {
    engine: Engine,
    rate: Option<Rate>,
    next: Moment,
    burst: Span,
    fq: FqCodel,
    released: u64,
}

impl Shaper {
    /// A shaper that lets everything through until it is given a rate.
    pub fn new(engine: Engine, flows: usize) -> Self {
        Self {
            engine,
            rate: None,
            next: Moment::START,
            burst: Span::ZERO,
            fq: FqCodel::new(flows),
            released: 0,
        }
    }

    /// Changes the rate; what is queued stays. A rate of zero counts as 1 kbit/s.
    pub fn set_rate(&mut self, rate: Rate) {
        let rate = rate.max(Rate::kbit(1));
        self.rate = Some(rate);
        let packet = duration(rate, FULL);
        self.burst = match self.engine {
            Engine::Htb => BURST.max(packet),
            Engine::Cake => Span::ZERO,
        };
        // Below a packet's own time CoDel would drop from a queue that is as short as a queue can be.
        let (slowest, room) = match self.engine {
            Engine::Htb => (packet, htb_room(rate)),
            Engine::Cake => (Span(packet.0 * 3 / 2), cake_room(rate)),
        };
        let target = Aim::DEFAULT.target.max(slowest);
        let interval = Span(Aim::DEFAULT.interval.0 + target.0 - Aim::DEFAULT.target.0);
        self.fq.aim = Aim { target, interval, ..Aim::DEFAULT };
        self.fq.room = room;
    }

    /// The rate, if it has one.
    pub const fn rate(&self) -> Option<Rate> {
        self.rate
    }

    /// Takes a packet in.
    pub fn enqueue(&mut self, now: Moment, pool: &mut Pool, handle: Handle) {
        self.fq.enqueue(now, pool, handle);
    }

    /// Gives a packet out, if one may leave now.
    pub fn dequeue(&mut self, now: Moment, pool: &mut Pool) -> Option<Handle> {
        if self.rate.is_some() && now < self.next {
            return None;
        }
        let handle = self.fq.dequeue(now, pool)?;
        let size = pool.get(handle).size;
        self.released += u64::from(size);
        if let Some(rate) = self.rate {
            self.next = self.next.max(now - self.burst) + duration(rate, size);
        }
        Some(handle)
    }

    /// When the next packet may leave; `None` when there is none.
    pub fn ready(&self) -> Option<Moment> {
        (self.fq.packets > 0).then_some(self.next)
    }

    /// The bytes that have left it.
    pub const fn released(&self) -> u64 {
        self.released
    }

    /// The queues behind it.
    pub const fn queues(&self) -> &FqCodel {
        &self.fq
    }
}

/// What weir gives the leaf of a class on a line of this rate.
fn htb_room(rate: Rate) -> Room {
    let step = ROOM.iter().find(|(top, ..)| rate <= *top);
    let (packets, memory) = step.map_or(LARGEST_ROOM, |&(_, packets, memory)| (packets, memory));
    Room { quantum: if rate <= SMALL_QUANTUM_UP_TO { 300 } else { 1514 }, packets, memory }
}

/// What CAKE takes by itself (cake_set_rate, cake_reconfigure).
fn cake_room(rate: Rate) -> Room {
    let quantum = (rate.bytes_per_sec() >> 12).clamp(300, 1514) as u32;
    let memory = rate.bytes_in(Micros::ms(400)).max(4 << 20);
    Room { quantum, packets: u32::MAX, memory }
}

fn duration(rate: Rate, bytes: u32) -> Span {
    Span(u64::from(bytes) * 8_000_000_000 / rate.bits_per_sec().max(1))
}

#[cfg(test)]
mod tests {
    use super::super::packet::Packet;
    use super::*;
    use crate::sim::random::Random;

    /// Keeps the shaper busy for `length` and returns what left it, in bits per second.
    fn busy(shaper: &mut Shaper, pool: &mut Pool, from: Moment, length: Span) -> f64 {
        let (mut random, mut now) = (Random::new(5, 5), from);
        let before = shaper.released();
        while now < from + length {
            while shaper.fq.packets < 8 {
                let packet = Packet { size: 60 + random.below(1455) as u32, ..Packet::default() };
                let handle = pool.put(packet);
                shaper.enqueue(now, pool, handle);
            }
            while let Some(handle) = shaper.dequeue(now, pool) {
                pool.take(handle);
            }
            now = shaper.ready().unwrap_or(now).max(now);
        }
        (shaper.released() - before) as f64 * 8.0 / length.as_secs()
    }

    #[test]
    fn a_busy_shaper_holds_its_rate_within_half_a_per_cent() {
        for engine in [Engine::Htb, Engine::Cake] {
            for kbit in [300, 5_000, 20_000, 900_000] {
                let (mut shaper, mut pool) = (Shaper::new(engine, 1), Pool::default());
                let mut now = Moment::START;
                for rate in [kbit, kbit / 3] {
                    shaper.set_rate(Rate::kbit(rate));
                    let off =
                        busy(&mut shaper, &mut pool, now, Span::secs(10)) / (f64::from(rate) * 1000.0) - 1.0;
                    assert!(off.abs() < 0.005, "{engine:?} {rate} kbit/s: off by {off}");
                    now = now + Span::secs(10);
                }
            }
        }
    }

    #[test]
    fn an_idle_shaper_saves_up_one_burst_and_not_more() {
        let burst = |engine| {
            let (mut shaper, mut pool) = (Shaper::new(engine, 1), Pool::default());
            shaper.set_rate(Rate::mbit(120));
            let now = Moment::START + Span::secs(3);
            (0..100).for_each(|_| {
                let handle = pool.put(Packet { size: 1500, ..Packet::default() });
                shaper.enqueue(now, &mut pool, handle);
            });
            core::iter::from_fn(|| shaper.dequeue(now, &mut pool)).count()
        };
        // 1 ms at 120 Mbit/s is ten packets, and one more may begin.
        assert_eq!((burst(Engine::Htb), burst(Engine::Cake)), (11, 1));
    }

    #[test]
    fn a_slow_shaper_gives_codel_room_for_its_packets() {
        let mut shaper = Shaper::new(Engine::Htb, 1);
        shaper.set_rate(Rate::kbit(1_000));
        assert_eq!(shaper.queues().aim.target, Span::us(12_112));
        assert_eq!(shaper.queues().aim.interval, Span::us(107_112));
        assert_eq!(shaper.queues().room, Room { quantum: 300, packets: 1024, memory: 1 << 20 });
        shaper.set_rate(Rate::mbit(60));
        assert_eq!(shaper.queues().aim, Aim::DEFAULT);
        assert_eq!(shaper.queues().room, Room { quantum: 1514, packets: 4096, memory: 4 << 20 });
    }
}
