// SPDX-License-Identifier: Apache-2.0
//! What the kernel counted: `TCA_STATS2` and the kinds' own statistics.
//!
//! HTB's class bytes include the size table's overhead (bytes on the *wire*), leaves and CAKE count *frames*; HTB's
//! drops omit CoDel's. So each number says in its row where it comes from, and the two are never added.

use super::attr::{Attr, Attrs, field};

const TCA_XSTATS: u16 = 4;
const TCA_STATS2: u16 = 7;
const BASIC: u16 = 1;
const QUEUE: u16 = 3;
const APP: u16 = 4;
const PKT64: u16 = 8;
/// `TCA_CAKE_STATS_TIN_STATS`: a nest of tins, numbered from 1.
const CAKE_TINS: u16 = 10;

/// Counters of one qdisc or class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes sent.
    pub bytes: u64,
    /// Packets sent.
    pub packets: u64,
    /// Packets dropped.
    pub drops: u32,
    /// How often a packet had to wait for its turn.
    pub overlimits: u32,
    /// How often the device took a packet and gave it back.
    pub requeues: u32,
    /// Bytes waiting.
    pub backlog_bytes: u32,
    /// Packets waiting.
    pub backlog_packets: u32,
    /// Packets marked (ECN) instead of dropped, where the kind counts them.
    pub marks: u32,
    /// Bytes per second from which on a tin of CAKE yields to the others; zero for everything else.
    pub threshold: u64,
}

impl Counters {
    /// Of a tin of CAKE. It counts what comes in, so what it lost and what waits is taken off again; how many bytes it
    /// lost it does not say.
    pub fn of_tin(tin: &Tin) -> Self {
        let lost = tin.drops.wrapping_add(tin.acks_dropped);
        Self {
            bytes: tin.bytes.saturating_sub(tin.backlog_bytes.into()),
            packets: tin.packets.wrapping_sub(lost).wrapping_sub(tin.backlog_packets).into(),
            drops: lost,
            backlog_bytes: tin.backlog_bytes,
            backlog_packets: tin.backlog_packets,
            marks: tin.marks,
            threshold: tin.threshold,
            ..Self::default()
        }
    }
}

/// Reads the counters of an object of kind `name`.
pub fn read(name: &str, attrs: &Attrs<'_>) -> Counters {
    let Some(stats) = attrs.get(TCA_STATS2).map(|a| a.nested()) else { return Counters::default() };
    let mut counters = Counters::default();
    if let Some(basic) = stats.get(BASIC).map(|a| a.payload) {
        counters.bytes = field(basic, 0).map_or(0, u64::from_ne_bytes);
        counters.packets = field(basic, 8).map_or(0, |b| u64::from(u32::from_ne_bytes(b)));
    }
    if let Some(packets) = stats.get(PKT64).as_ref().and_then(Attr::u64) {
        counters.packets = packets;
    }
    if let Some(queue) = stats.get(QUEUE).map(|a| a.payload) {
        let word = |offset| field(queue, offset).map_or(0, u32::from_ne_bytes);
        // struct gnet_stats_queue: qlen, backlog, drops, requeues, overlimits
        counters.backlog_packets = word(0);
        counters.backlog_bytes = word(4);
        counters.drops = word(8);
        counters.requeues = word(12);
        counters.overlimits = word(16);
    }
    counters.marks = own(attrs).map_or(0, |own| marks(name, &own));
    counters
}

fn marks(name: &str, own: &Attr<'_>) -> u32 {
    match name {
        "fq_codel" => Codel::read(own.payload).map_or(0, |codel| codel.marks),
        "cake" => tins_in(own).fold(0, |sum, tin| sum.saturating_add(tin.marks)),
        _ => 0,
    }
}

/// What an fq_codel counts beyond [`Counters`] (`struct tc_fq_codel_qd_stats`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Codel {
    /// Packets dropped because the queue was full, not because CoDel chose them.
    pub overlimit_drops: u32,
    /// Packets marked (ECN) instead of dropped.
    pub marks: u32,
    /// How often a packet found its flow empty.
    pub new_flow_count: u32,
    /// Flows now in the list of those served first.
    pub new_flows: u32,
    /// Flows now backlogged.
    pub old_flows: u32,
    /// Bytes of memory the queued packets take; zero before Linux 4.6.
    pub memory: u32,
    /// Packets dropped because they took too much memory; zero before Linux 4.6.
    pub overmemory_drops: u32,
}

impl Codel {
    /// Reads `struct tc_fq_codel_xstats` of a qdisc; `None` for a class's.
    fn read(xstats: &[u8]) -> Option<Self> {
        const QDISC: u32 = 0; // TCA_FQ_CODEL_XSTATS_QDISC
        let word = |place: usize| field(xstats, place * 4).map(u32::from_ne_bytes);
        (word(0)? == QDISC).then_some(())?;
        Some(Self {
            overlimit_drops: word(2)?,
            marks: word(3)?,
            new_flow_count: word(4)?,
            new_flows: word(5)?,
            old_flows: word(6)?,
            memory: word(8).unwrap_or(0),
            overmemory_drops: word(9).unwrap_or(0),
        })
    }
}

/// What an fq_codel says of one of its flows that are in use (`struct tc_fq_codel_cl_stats`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Packets waiting.
    pub waiting: u32,
    /// How long the packet waited that was taken out last, microseconds; zero before any was. Another flow may have left it,
    /// for flows share their places by chance.
    pub last_delay_us: u32,
}

/// Reads that, from the attributes of the `RTM_NEWTCLASS` of a flow; `None` for anything else.
pub fn flow(attrs: &Attrs<'_>) -> Option<Flow> {
    const CLASS: u32 = 1; // TCA_FQ_CODEL_XSTATS_CLASS
    let own = own(attrs)?.payload;
    // type, deficit, ldelay
    let word = |place: usize| field(own, place * 4).map(u32::from_ne_bytes);
    (word(0)? == CLASS).then_some(())?;
    Some(Flow { waiting: read("", attrs).backlog_packets, last_delay_us: word(2)? })
}

/// What one of CAKE's tins counts. Bytes are of *frames*, without the overhead CAKE shapes for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tin {
    /// Bytes per second from which on this tin yields to the others.
    pub threshold: u64,
    /// Bytes sent.
    pub bytes: u64,
    /// Packets sent.
    pub packets: u32,
    /// Packets dropped, superseded ACKs not counted.
    pub drops: u32,
    /// Superseded ACKs dropped.
    pub acks_dropped: u32,
    /// Packets marked (ECN) instead of dropped.
    pub marks: u32,
    /// Bytes waiting.
    pub backlog_bytes: u32,
    /// Packets waiting.
    pub backlog_packets: u32,
    /// The highest delay of late, microseconds.
    pub peak_delay_us: u32,
    /// The average delay of late, microseconds.
    pub average_delay_us: u32,
    /// The delay of sparse flows, microseconds.
    pub base_delay_us: u32,
    /// Flows now sparse.
    pub sparse_flows: u32,
    /// Flows now backlogged.
    pub bulk_flows: u32,
}

impl Tin {
    fn read(tin: &Attr<'_>) -> Self {
        let word = |kind| tin.nested().get(kind).as_ref().and_then(Attr::u32).unwrap_or(0);
        let wide = |kind| tin.nested().get(kind).as_ref().and_then(Attr::u64).unwrap_or(0);
        // TCA_CAKE_TIN_STATS_*; numbers are gaps where the kernel has none to tell.
        Self {
            threshold: wide(12),
            bytes: wide(3),
            packets: word(2),
            drops: word(4),
            acks_dropped: word(6),
            marks: word(8),
            backlog_bytes: word(11),
            backlog_packets: word(10),
            peak_delay_us: word(18),
            average_delay_us: word(19),
            base_delay_us: word(20),
            sparse_flows: word(21),
            bulk_flows: word(22),
        }
    }
}

/// The kind's own statistics: in `TCA_STATS2`, or outside of it on old kernels.
fn own<'a>(attrs: &Attrs<'a>) -> Option<Attr<'a>> {
    attrs.get(TCA_STATS2).and_then(|stats| stats.nested().get(APP)).or_else(|| attrs.get(TCA_XSTATS))
}

/// Reads what an fq_codel counts, from the attributes of its `RTM_NEWQDISC`.
pub fn codel(attrs: &Attrs<'_>) -> Option<Codel> {
    Codel::read(own(attrs)?.payload)
}

/// Reads CAKE's tins, lowest first, from the attributes of its `RTM_NEWQDISC`; empty for another kind's.
pub fn tins<'a>(attrs: &Attrs<'a>) -> impl Iterator<Item = Tin> + use<'a> {
    own(attrs).into_iter().flat_map(|own| tins_in(&own))
}

fn tins_in<'a>(own: &Attr<'a>) -> impl Iterator<Item = Tin> + use<'a> {
    own.nested().get(CAKE_TINS).into_iter().flat_map(|tins| tins.nested()).map(|tin| Tin::read(&tin))
}

#[cfg(test)]
mod tests {
    use super::super::attr;
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn counters_come_from_the_places_the_kernel_writes_them() {
        let mut out = Vec::new();
        let nest = attr::open(&mut out, TCA_STATS2);
        let basic: Vec<u8> = 5_000_000_000u64.to_ne_bytes().into_iter().chain(7u32.to_ne_bytes()).collect();
        attr::put(&mut out, BASIC, &basic);
        let queue: Vec<u8> = [3u32, 4542, 11, 5, 99].iter().flat_map(|w| w.to_ne_bytes()).collect();
        attr::put(&mut out, QUEUE, &queue);
        let own: Vec<u8> = [0u32, 1514, 6, 42, 9, 1, 2, 0, 7].iter().flat_map(|w| w.to_ne_bytes()).collect();
        attr::put(&mut out, APP, &own);
        attr::close(&mut out, nest);
        let wanted = Counters {
            bytes: 5_000_000_000,
            packets: 7,
            drops: 11,
            overlimits: 99,
            requeues: 5,
            backlog_bytes: 4542,
            backlog_packets: 3,
            marks: 42,
            ..Counters::default()
        };
        assert_eq!(read("fq_codel", &Attrs::new(&out)), wanted);
        let own = Codel {
            overlimit_drops: 6,
            marks: 42,
            new_flow_count: 9,
            new_flows: 1,
            old_flows: 2,
            memory: 7,
            overmemory_drops: 0, // an older kernel ends before it
        };
        assert_eq!(codel(&Attrs::new(&out)), Some(own));
    }

    #[test]
    fn a_flow_says_what_waits_and_how_long_its_last_packet_did_and_a_qdisc_is_none() {
        // deficit, ldelay, count, lastcount, dropping, drop_next behind the type
        for (kind, wanted) in [(1u32, Some(Flow { waiting: 9, last_delay_us: 41_237 })), (0, None)] {
            let mut out = Vec::new();
            let nest = attr::open(&mut out, TCA_STATS2);
            let queue: Vec<u8> = [9u32, 13_626, 0, 0, 0].iter().flat_map(|w| w.to_ne_bytes()).collect();
            attr::put(&mut out, QUEUE, &queue);
            let own: Vec<u8> =
                [kind, 300, 41_237, 5, 4, 1, 77].iter().flat_map(|w| w.to_ne_bytes()).collect();
            attr::put(&mut out, APP, &own);
            attr::close(&mut out, nest);
            assert_eq!(flow(&Attrs::new(&out)), wanted);
        }
    }

    #[test]
    fn cakes_marks_are_those_of_all_its_tins() {
        let mut out = Vec::new();
        let stats = attr::open(&mut out, TCA_STATS2);
        let own = attr::open(&mut out, APP);
        attr::put_u32(&mut out, 4, 768); // memory used, which is no tin
        let tins_nest = attr::open(&mut out, CAKE_TINS);
        for (number, marks) in [(1u16, 5u32), (2, 37)] {
            let tin = attr::open(&mut out, number);
            attr::put_u32(&mut out, 8, marks);
            attr::put_u64(&mut out, 9, 999_999); // marked bytes
            attr::put_u32(&mut out, 19, 300 * u32::from(number));
            attr::close(&mut out, tin);
        }
        for nest in [tins_nest, own, stats] {
            attr::close(&mut out, nest);
        }
        assert_eq!(read("cake", &Attrs::new(&out)).marks, 42);
        let delays: Vec<u32> = tins(&Attrs::new(&out)).map(|tin| tin.average_delay_us).collect();
        assert_eq!(delays, [300, 600]);
    }
}
