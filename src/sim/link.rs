// SPDX-License-Identifier: Apache-2.0
//! A line: a tail-drop buffer in front of a capacity that changes, then propagation with all that can go wrong on it.
//!
//! The buffer is first in, first out, and the capacity to come is known to the simulator (not to anybody in it). So the
//! moment a packet leaves is known when it arrives, and a line costs one event per packet.

use super::clock::{Moment, Span};
use super::random::Random;
use super::trace::Trace;
use std::collections::VecDeque;
use std::sync::Arc;

/// What a line is like beside its capacity.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Character {
    /// How much the buffer holds, as time at the mean capacity.
    pub buffer: Span,
    /// A radio's grants: what was sent since the last grant arrives together at the next one. Zero: at once.
    pub grant: Span,
    /// The mean of an exponential delay on top, which never changes the order.
    pub jitter: Span,
    /// The share of packets that are lost behind the buffer.
    pub loss: f64,
    /// The share of packets that arrive late, by up to 10 ms, and so behind later ones.
    pub reorder: f64,
}

/// How late a reordered packet comes at most.
const LATE: Span = Span::ms(10);
/// A buffer holds at least this many bytes: ten full packets.
const SMALLEST: u64 = 15_140;

/// A line in one direction.
pub struct Link {
    trace: Arc<Trace>,
    character: Character,
    random: Random,
    limit: u64,
    /// What is in the buffer: when it will have left, and its size.
    queue: VecDeque<(Moment, u32)>,
    backlog: u64,
    /// When the buffer is empty, if nothing more comes.
    busy_until: Moment,
    /// No packet that keeps its order arrives before this.
    last_out: Moment,
    sent: u64,
    drops: u64,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It comes out at the far end then.
    Arrives(Moment),
    /// The buffer was full.
    Dropped,
    /// It was sent and is lost.
    Lost,
}

impl Link {
    /// A line of this capacity and character; its chance is `random`.
    pub fn new(trace: Arc<Trace>, character: Character, random: Random) -> Self {
        let limit = (trace.mean() * 125.0 * character.buffer.as_secs()) as u64;
        Self {
            trace,
            character,
            random,
            limit: limit.max(SMALLEST),
            queue: VecDeque::with_capacity(1024),
            backlog: 0,
            busy_until: Moment::START,
            last_out: Moment::START,
            sent: 0,
            drops: 0,
        }
    }

    /// Takes a packet of `size` bytes that arrives at `now`.
    pub fn offer(&mut self, now: Moment, size: u32) -> Fate {
        self.advance(now);
        if self.backlog + u64::from(size) > self.limit {
            self.drops += 1;
            return Fate::Dropped;
        }
        let left = self.trace.finish(self.busy_until.max(now), u64::from(size));
        self.busy_until = left;
        self.backlog += u64::from(size);
        self.queue.push_back((left, size));
        if self.random.happens(self.character.loss) {
            return Fate::Lost;
        }
        let out = self.emerges(left);
        if self.random.happens(self.character.reorder) {
            return Fate::Arrives(out + Span::from_secs(self.random.between(0.0, LATE.as_secs())));
        }
        self.last_out = self.last_out.max(out);
        Fate::Arrives(self.last_out)
    }

    /// Takes a packet that passes everything that waits; it is too small to hold that up.
    pub fn favour(&mut self, now: Moment, size: u32) -> Fate {
        let left = self.trace.finish(now, u64::from(size));
        if self.random.happens(self.character.loss) { Fate::Lost } else { Fate::Arrives(self.emerges(left)) }
    }

    /// When a packet that has left the buffer at `left` comes out at the far end.
    fn emerges(&mut self, left: Moment) -> Moment {
        let grant = self.character.grant.0;
        let granted = if grant == 0 { left } else { Moment(left.0.div_ceil(grant) * grant) };
        granted + self.random.exponential(self.character.jitter)
    }

    /// Forgets what has left by `now`.
    fn advance(&mut self, now: Moment) {
        while let Some(&(left, size)) = self.queue.front() {
            if left > now {
                break;
            }
            self.queue.pop_front();
            self.backlog -= u64::from(size);
            self.sent += u64::from(size);
        }
    }

    /// How long the first byte of a packet that arrives at `now` would wait.
    pub fn wait(&self, now: Moment) -> Span {
        self.trace.finish(self.busy_until.max(now), 1) - now
    }

    /// How many bytes have left the buffer by `now`.
    pub fn sent(&mut self, now: Moment) -> u64 {
        self.advance(now);
        self.sent
    }

    /// How many packets found the buffer full.
    pub const fn drops(&self) -> u64 {
        self.drops
    }

    /// Its capacity.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(kbit: Vec<u32>, character: Character) -> Link {
        let trace = Arc::new(Trace::of_steps("t", Span::ms(100), kbit));
        Link::new(trace, character, Random::new(1, 1))
    }

    #[test]
    fn a_line_never_delivers_more_than_its_capacity() {
        let character = Character { buffer: Span::ms(300), ..Character::default() };
        let mut link = link(vec![8_000, 0, 1_000, 24_000], character);
        let mut random = Random::new(3, 3);
        let (mut now, mut offered) = (Moment::START, 0);
        while now < Moment::START + Span::secs(20) {
            now = now + random.exponential(Span::us(300));
            let size = 60 + random.below(1454) as u32;
            offered += u64::from(size);
            link.offer(now, size);
            let sent = link.sent(now);
            let capacity = link.trace().bytes_between(Moment::START, now);
            assert!(sent as f64 <= capacity, "{sent} of {capacity} at {now:?}");
        }
        let (sent, capacity) = (link.sent(now) as f64, link.trace().bytes_between(Moment::START, now));
        assert!(offered as f64 > 1.2 * capacity && sent > 0.9 * capacity, "{sent} of {capacity}");
    }

    #[test]
    fn a_full_buffer_drops_the_newcomer() {
        let mut link = link(vec![12_000], Character { buffer: Span::ms(100), ..Character::default() });
        let fates: Vec<Fate> = (0..101).map(|_| link.offer(Moment::START, 1500)).collect();
        assert_eq!(fates[99], Fate::Arrives(Moment::START + Span::ms(100)));
        assert_eq!((fates[100], link.drops()), (Fate::Dropped, 1));
        assert_eq!(link.wait(Moment::START + Span::ms(40)).0 / 1000, 60_000);
        assert_eq!(
            link.offer(Moment::START + Span::ms(1), 1500),
            Fate::Arrives(Moment::START + Span::ms(101))
        );
    }

    #[test]
    fn a_favoured_packet_passes_a_full_buffer_and_takes_no_room() {
        let mut link = link(vec![12_000], Character { buffer: Span::ms(100), ..Character::default() });
        (0..100).for_each(|_| {
            link.offer(Moment::START, 1500);
        });
        assert_eq!(link.favour(Moment::START, 1500), Fate::Arrives(Moment::START + Span::ms(1)));
        assert_eq!((link.offer(Moment::START, 1500), link.drops()), (Fate::Dropped, 1));
    }

    #[test]
    fn grants_bring_packets_together_and_jitter_keeps_their_order() {
        let mut bursty = link(
            vec![12_000],
            Character { buffer: Span::ms(100), grant: Span::ms(10), ..Character::default() },
        );
        let outs: Vec<Fate> = (0..11).map(|_| bursty.offer(Moment::START, 1500)).collect();
        assert!(outs[..10].iter().all(|&fate| fate == Fate::Arrives(Moment::START + Span::ms(10))));
        assert_eq!(outs[10], Fate::Arrives(Moment::START + Span::ms(20)));

        let jittery = Character { buffer: Span::ms(100), jitter: Span::ms(5), ..Character::default() };
        let mut jittery = link(vec![12_000], jittery);
        let outs: Vec<Moment> = (0..50)
            .filter_map(|_| match jittery.offer(Moment::START, 1500) {
                Fate::Arrives(at) => Some(at),
                Fate::Dropped | Fate::Lost => None,
            })
            .collect();
        assert!(outs.is_sorted() && outs.len() == 50);
    }

    #[test]
    fn loss_and_reordering_come_as_often_as_asked() {
        let character =
            Character { loss: 0.02, reorder: 0.05, buffer: Span::secs(60), ..Character::default() };
        let mut link = link(vec![120_000], character);
        let (mut lost, mut late, mut last) = (0, 0, Moment::START);
        for n in 0..50_000 {
            match link.offer(Moment(n * 200_000), 1500) {
                Fate::Lost => lost += 1,
                Fate::Arrives(at) if at < last => late += 1,
                Fate::Arrives(at) => last = at,
                Fate::Dropped => panic!("it was never full"),
            }
        }
        assert!((900..1100).contains(&lost), "{lost}");
        // Not every late packet is late enough to fall behind, but those behind it count then.
        assert!(late > 2000, "{late}");
    }
}
