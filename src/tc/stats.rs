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
    /// Bytes waiting.
    pub backlog_bytes: u32,
    /// Packets waiting.
    pub backlog_packets: u32,
    /// Packets marked (ECN) instead of dropped, where the kind counts them.
    pub marks: u32,
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
        counters.overlimits = word(16);
    }
    let own = stats.get(APP).or_else(|| attrs.get(TCA_XSTATS));
    counters.marks = own.map_or(0, |own| marks(name, &own));
    counters
}

fn marks(name: &str, own: &Attr<'_>) -> u32 {
    match name {
        // struct tc_fq_codel_xstats: type 0 (qdisc), then maxpacket, drop_overlimit, ecn_mark
        "fq_codel" => {
            let word = |offset| field(own.payload, offset).map_or(0, u32::from_ne_bytes);
            if word(0) == 0 { word(12) } else { 0 }
        }
        "cake" => {
            const TIN_STATS: u16 = 4; // TCA_CAKE_STATS_TIN_STATS
            const ECN_MARKED: u16 = 9; // TCA_CAKE_TIN_STATS_ECN_MARKED_PACKETS
            let Some(tins) = own.nested().get(TIN_STATS) else { return 0 };
            tins.nested().filter_map(|tin| tin.nested().get(ECN_MARKED)?.u32()).fold(0, u32::saturating_add)
        }
        _ => 0,
    }
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
        let queue: Vec<u8> = [3u32, 4542, 11, 0, 99].iter().flat_map(|w| w.to_ne_bytes()).collect();
        attr::put(&mut out, QUEUE, &queue);
        let own: Vec<u8> = [0u32, 1514, 0, 42].iter().flat_map(|w| w.to_ne_bytes()).collect();
        attr::put(&mut out, APP, &own);
        attr::close(&mut out, nest);
        let wanted = Counters {
            bytes: 5_000_000_000,
            packets: 7,
            drops: 11,
            overlimits: 99,
            backlog_bytes: 4542,
            backlog_packets: 3,
            marks: 42,
        };
        assert_eq!(read("fq_codel", &Attrs::new(&out)), wanted);
    }
}
