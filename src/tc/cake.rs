// SPDX-License-Identifier: Apache-2.0
//! CAKE's options as bytes and back. Read `sch_cake.c` (cake_change, cake_dump) and `tc-cake(8)` before editing.
//!
//! Everything changes in place, except that a smaller diffserv mode empties the tins it removes.

use super::Cake;
use super::attr::{self, Attr, Attrs};
use crate::config::link::Cells;
use crate::config::{AckFilter, Diffserv, Isolation};
use crate::units::Rate;
use alloc::vec::Vec;

const BASE_RATE64: u16 = 2;
const DIFFSERV_MODE: u16 = 3;
const ATM: u16 = 4;
const FLOW_MODE: u16 = 5;
const OVERHEAD: u16 = 6;
const RTT: u16 = 7;
const TARGET: u16 = 8;
const AUTORATE: u16 = 9;
const MEMORY: u16 = 10;
const NAT: u16 = 11;
const RAW: u16 = 12;
const WASH: u16 = 13;
const MPU: u16 = 14;
const INGRESS: u16 = 15;
const ACK_FILTER: u16 = 16;
const SPLIT_GSO: u16 = 17;
const FWMARK: u16 = 18;

/// Each keyword with its number in the kernel's enum, which is its place here.
const DIFFSERV: [Diffserv; 5] = [
    Diffserv::Diffserv3,
    Diffserv::Diffserv4,
    Diffserv::Diffserv8,
    Diffserv::Besteffort,
    Diffserv::Precedence,
];
const ISOLATION: [Isolation; 8] = [
    Isolation::Flowblind,
    Isolation::Srchost,
    Isolation::Dsthost,
    Isolation::Hosts,
    Isolation::Flows,
    Isolation::DualSrchost,
    Isolation::DualDsthost,
    Isolation::TripleIsolate,
];
const ACK_FILTERS: [AckFilter; 3] = [AckFilter::Off, AckFilter::Filter, AckFilter::Aggressive];
const CELLS: [Cells; 3] = [Cells::None, Cells::Atm, Cells::Ptm];

/// The target `tc` derives from a round trip: a twentieth.
pub fn target_for(rtt_us: u32) -> u32 {
    (rtt_us / 20).max(1)
}

/// What people call the tins of a mode, in the kernel's order; none where there is only one.
pub fn tin_names(mode: Diffserv) -> &'static [&'static str] {
    match mode {
        Diffserv::Besteffort => &[],
        Diffserv::Diffserv3 => &["bulk", "besteffort", "voice"],
        Diffserv::Diffserv4 => &["bulk", "besteffort", "video", "voice"],
        Diffserv::Diffserv8 | Diffserv::Precedence => {
            &["tin 1", "tin 2", "tin 3", "tin 4", "tin 5", "tin 6", "tin 7", "tin 8"]
        }
    }
}

fn number<T: PartialEq>(table: &[T], value: &T) -> u32 {
    table.iter().position(|entry| entry == value).unwrap_or(0) as u32
}

/// Appends the `TCA_OPTIONS` payload, every setting in the order in which `tc` sends them.
pub fn put(cake: &Cake, out: &mut Vec<u8>) {
    attr::put_u64(out, BASE_RATE64, cake.bandwidth.bytes_per_sec());
    let words = [
        (DIFFSERV_MODE, number(&DIFFSERV, &cake.diffserv)),
        (ATM, number(&CELLS, &cake.cells)),
        (FLOW_MODE, number(&ISOLATION, &cake.isolation)),
        // Sending an overhead also ends `raw` mode.
        (OVERHEAD, u32::from_ne_bytes(cake.overhead.to_ne_bytes())),
        (MPU, cake.mpu),
        (RTT, cake.rtt_us),
        (TARGET, cake.target_us),
        // With a bandwidth: or a CAKE somebody gave `autorate-ingress` would go on choosing its own.
        (AUTORATE, 0),
        (MEMORY, cake.memory),
        (FWMARK, cake.fwmark),
        (NAT, u32::from(cake.nat)),
        (WASH, u32::from(cake.wash)),
        (INGRESS, u32::from(cake.ingress)),
        (SPLIT_GSO, u32::from(cake.split_gso)),
        (ACK_FILTER, number(&ACK_FILTERS, &cake.ack_filter)),
    ];
    words.iter().for_each(|(kind, word)| attr::put_u32(out, *kind, *word));
}

/// Reads the `TCA_OPTIONS` payload; `None` where a mode is newer than this table or overhead is `raw`.
pub fn read(options: Attrs<'_>) -> Option<Cake> {
    let get = |kind| options.get(kind).as_ref().and_then(Attr::u32);
    let place = |kind| get(kind).map(|n| n as usize);
    if options.get(RAW).is_some() {
        return None;
    }
    Some(Cake {
        bandwidth: Rate::from_bytes_per_sec(options.get(BASE_RATE64)?.u64()?),
        diffserv: *DIFFSERV.get(place(DIFFSERV_MODE)?)?,
        isolation: *ISOLATION.get(place(FLOW_MODE)?)?,
        nat: get(NAT)? != 0,
        ack_filter: *ACK_FILTERS.get(place(ACK_FILTER)?)?,
        wash: get(WASH)? != 0,
        split_gso: get(SPLIT_GSO)? != 0,
        rtt_us: get(RTT)?,
        target_us: get(TARGET)?,
        memory: get(MEMORY)?,
        ingress: get(INGRESS)? != 0,
        fwmark: get(FWMARK).unwrap_or(0),
        overhead: i32::from_ne_bytes(get(OVERHEAD)?.to_ne_bytes()),
        mpu: get(MPU)?,
        cells: *CELLS.get(place(ATM)?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_is_read_back_as_it_was_written() {
        for n in 0..40usize {
            let wanted = Cake {
                bandwidth: Rate::mbit(20),
                diffserv: DIFFSERV[n % 5],
                isolation: ISOLATION[n % 8],
                nat: n % 2 == 0,
                ack_filter: ACK_FILTERS[n % 3],
                wash: n % 3 == 0,
                split_gso: n % 5 == 0,
                rtt_us: 100_000 + n as u32,
                target_us: 5000,
                memory: n as u32 * 1024,
                ingress: n % 7 == 0,
                fwmark: n as u32,
                overhead: n as i32 - 20,
                mpu: 64,
                cells: CELLS[n % 3],
            };
            let mut out = Vec::new();
            put(&wanted, &mut out);
            assert_eq!(read(Attrs::new(&out)), Some(wanted));
        }
    }

    #[test]
    fn a_raw_overhead_is_not_mistaken_for_ours() {
        let mut out = Vec::new();
        attr::put_u32(&mut out, RAW, 0);
        assert_eq!(read(Attrs::new(&out)), None);
    }
}
