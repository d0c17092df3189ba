// SPDX-License-Identifier: Apache-2.0
//! What the kernel's counters grew by, on the wire and without jumps.
//!
//! HTB counts bytes on the *wire* (its size table adds what the line adds), CAKE and devices count *frames*; here all
//! become wire bytes. A counter that goes back belongs to a new object: what it says first is where it begins.

use crate::config::link::LinkLayer;
use crate::limits::CLASSES;
use crate::units::Bytes;

/// What the counters of one direction say, all since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WayCounters {
    /// The bytes our shaper has let out.
    pub released: Bytes,
    /// The bytes on the line's interface: in front of our download shaper, behind our upload shaper.
    pub line: Bytes,
    /// The bytes waiting in our shaper now.
    pub backlog: Bytes,
    /// The packets waiting in our shaper now.
    pub packets: u32,
    /// The packets our shaper has dropped.
    pub drops: u64,
    /// The packets our shaper has marked.
    pub marks: u64,
}

/// Bytes and the packets they were in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Bytes.
    pub bytes: u64,
    /// Packets.
    pub packets: u64,
}

/// Places of classes: four with fixed ones, and one for each.
pub const SLOTS: usize = CLASSES + 4;

/// What the kernel says of one class, or of one tin of CAKE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// The lowest bits of what it sent, in bytes; of a class on the wire.
    pub sent: u32,
    /// The lowest bits of the packets that were.
    pub packets: u32,
    /// The bytes that wait.
    pub waiting: u32,
    /// Packets dropped, where the whole was looked at.
    pub drops: u32,
    /// Packets marked, likewise.
    pub marks: u32,
    /// How long packets wait of late, in microseconds, likewise: of a tin its average; of a class whose flows were looked at
    /// what most of those met that wait. Zero: it is not known.
    pub delay: u32,
}

/// What the kernel says of one direction's queues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// What was sent.
    pub sent: Count,
    /// Whether its bytes are those on the wire.
    pub is_wire: bool,
    /// What waits.
    pub backlog: Count,
    /// Packets dropped, where the whole was looked at.
    pub drops: u32,
    /// Packets marked, likewise.
    pub marks: u32,
    /// The class at each place; of a CAKE whose whole was looked at, its tins.
    pub classes: [Slot; SLOTS],
}

/// One look at a line's counters; what could not be read is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Upload's queues, then download's.
    pub queues: [Option<Queue>; 2],
    /// What the line's device has received.
    pub received: Option<Count>,
    /// Whether the queues below the classes were looked at, which count what is lost and marked.
    pub is_whole: bool,
}

/// A counter that is read again and again.
#[derive(Clone, Copy, Debug, Default)]
struct Meter(Option<Count>);

impl Meter {
    /// What it grew by since the last reading.
    fn grew(&mut self, now: Count) -> Count {
        let before = self.0.replace(now).unwrap_or(now);
        let bytes = now.bytes.checked_sub(before.bytes);
        // The number of packets may be of 32 bits.
        let packets = (now.packets as u32).wrapping_sub(before.packets as u32);
        let is_sane = |bytes: &u64| u64::from(packets) <= *bytes;
        bytes.filter(is_sane).map_or(Count::default(), |bytes| Count { bytes, packets: packets.into() })
    }
}

/// One direction.
#[derive(Clone, Copy, Debug, Default)]
struct Way {
    sent: Meter,
    lost: Option<(u32, u32)>,
    all: WayCounters,
}

/// The counters of one line.
#[derive(Clone, Copy, Debug)]
pub struct Counters {
    layer: LinkLayer,
    header: u16,
    ways: [Way; 2],
    received: Meter,
}

impl Counters {
    /// Of a line that costs `layer`, on a device that counts `header` bytes with each packet.
    pub fn new(layer: LinkLayer, header: u16) -> Self {
        Self { layer, header, ways: [Way::default(); 2], received: Meter::default() }
    }

    /// From now on packets cost what they cost `other`.
    pub fn weigh_like(&mut self, other: &Self) {
        (self.layer, self.header) = (other.layer, other.header);
    }

    /// Takes a look at the counters; gives upload and download since the start.
    pub fn add(&mut self, sample: &Sample) -> [WayCounters; 2] {
        let received = sample.received.map(|now| self.received.grew(now));
        let received = received.map(|frames| self.wire(frames));
        let (layer, header) = (self.layer, self.header);
        for (place, (way, queue)) in self.ways.iter_mut().zip(&sample.queues).enumerate() {
            if let Some(queue) = queue {
                way.add(queue, layer, header);
                if sample.is_whole {
                    way.lose(queue);
                }
            }
            if place == 1
                && let Some(bytes) = received
            {
                way.all.line.0 += bytes;
            }
        }
        // What our shaper lets out is on the line.
        if let Some(up) = self.ways.first_mut() {
            up.all.line = up.all.released;
        }
        self.ways.map(|way| way.all)
    }

    fn wire(&self, frames: Count) -> u64 {
        wire(frames, self.layer, self.header)
    }
}

impl Way {
    fn add(&mut self, queue: &Queue, layer: LinkLayer, header: u16) {
        let grown = self.sent.grew(queue.sent);
        let backlog = queue.backlog;
        let (grown, waiting) = if queue.is_wire {
            (grown.bytes, backlog.bytes)
        } else {
            (wire(grown, layer, header), wire(backlog, layer, header))
        };
        self.all.released.0 += grown;
        self.all.backlog = Bytes(waiting);
        self.all.packets = u32::try_from(backlog.packets).unwrap_or(u32::MAX);
    }

    fn lose(&mut self, queue: &Queue) {
        let (drops, marks) =
            self.lost.replace((queue.drops, queue.marks)).unwrap_or((queue.drops, queue.marks));
        self.all.drops += u64::from(queue.drops.saturating_sub(drops));
        self.all.marks += u64::from(queue.marks.saturating_sub(marks));
    }
}

/// What frames take on the wire, taken to be of one size.
fn wire(frames: Count, layer: LinkLayer, header: u16) -> u64 {
    let bytes = frames.bytes.saturating_sub(frames.packets * u64::from(header));
    let each = bytes.checked_div(frames.packets).unwrap_or(0);
    let each = u32::try_from(each).unwrap_or(u32::MAX);
    let more = i64::from(layer.wire_bytes(each)) - i64::from(each);
    bytes.saturating_add_signed(more * i64::from(u32::try_from(frames.packets).unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::link;

    fn layer() -> LinkLayer {
        link::by_name("docsis").expect("a preset")
    }

    fn htb(bytes: u64, packets: u64) -> Sample {
        let sent = Count { bytes, packets };
        let queue = Queue { sent, is_wire: true, ..Queue::default() };
        Sample { queues: [Some(queue), None], ..Sample::default() }
    }

    #[test]
    fn what_was_counted_before_the_start_is_no_growth() {
        let mut counters = Counters::new(layer(), 14);
        assert_eq!(counters.add(&htb(1_000_000, 900))[0].released, Bytes(0));
        assert_eq!(counters.add(&htb(1_002_000, 902))[0].released, Bytes(2000));
    }

    #[test]
    fn a_counter_that_goes_back_is_a_new_one() {
        let mut counters = Counters::new(layer(), 14);
        counters.add(&htb(1_000_000, 900));
        counters.add(&htb(1_001_000, 901));
        assert_eq!(counters.add(&htb(500, 1))[0].released, Bytes(1000));
        assert_eq!(counters.add(&htb(1500, 2))[0].released, Bytes(2000));
    }

    #[test]
    fn packets_of_32_bits_wrap() {
        let mut counters = Counters::new(layer(), 0);
        let frames =
            |bytes, packets| Sample { received: Some(Count { bytes, packets }), ..Sample::default() };
        counters.add(&frames(u64::from(u32::MAX) * 1000, u64::from(u32::MAX)));
        let [_, down] = counters.add(&frames(u64::from(u32::MAX) * 1000 + 2000, 1));
        assert_eq!(down.line, Bytes(2 * u64::from(layer().wire_bytes(1000))));
    }

    #[test]
    fn frames_become_what_they_take_on_the_wire() {
        let mut counters = Counters::new(layer(), 14);
        let look = |packets: u64| Sample {
            queues: [
                None,
                Some(Queue {
                    sent: Count { bytes: packets * 1514, packets },
                    backlog: Count { bytes: 3028, packets: 2 },
                    drops: 7,
                    ..Queue::default()
                }),
            ],
            received: Some(Count { bytes: packets * 1514, packets }),
            is_whole: true,
        };
        counters.add(&look(10));
        let [up, down] = counters.add(&look(20));
        assert_eq!(up, WayCounters::default());
        let one = u64::from(layer().wire_bytes(1500));
        assert_eq!(
            (down.released, down.line, down.backlog),
            (Bytes(10 * one), Bytes(10 * one), Bytes(2 * one))
        );
        assert_eq!((down.packets, down.drops), (2, 0));
    }

    #[test]
    fn a_line_whose_packets_cost_otherwise_now_is_counted_so_from_then_on() {
        let mut counters = Counters::new(layer(), 14);
        let frames = |packets: u64| Sample {
            received: Some(Count { bytes: packets * 114, packets }),
            ..Sample::default()
        };
        let adsl = link::by_name("pppoe-adsl-llc").expect("a preset");
        counters.add(&frames(0));
        let [_, before] = counters.add(&frames(10));
        counters.weigh_like(&Counters::new(adsl, 14));
        let [_, after] = counters.add(&frames(20));
        assert_eq!(after.line.0 - before.line.0, 10 * u64::from(adsl.wire_bytes(100)));
        assert_ne!(adsl.wire_bytes(100), layer().wire_bytes(100));
    }

    #[test]
    fn what_could_not_be_read_stays_as_it_was() {
        let mut counters = Counters::new(layer(), 14);
        counters.add(&htb(1000, 1));
        counters.add(&htb(2000, 2));
        assert_eq!(counters.add(&Sample::default())[0].released, Bytes(1000));
        assert_eq!(counters.add(&htb(3000, 3))[0].released, Bytes(2000));
    }
}
