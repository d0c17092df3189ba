// SPDX-License-Identifier: Apache-2.0
//! Size tables (`TCA_STAB`): what each packet length costs on the line, exactly, for ATM, PTM, mpu and any overhead.
//!
//! Read `__qdisc_calculate_pkt_len` (sch_api.c) before editing. The kernel adds the base's overhead to the length and
//! looks the sum up; beyond the table's `tsize` entries it takes `data[tsize-1] * (sum / tsize) + data[sum % tsize]`.
//! The table has one entry per byte and is two TCP payloads long, and its last entry costs two full packets: so a
//! super-packet (GRO, TSO), whose header the kernel counts once, is charged for nearly every packet it becomes.
//! The kernel dumps the base only; what it does not use (`mtu`) carries what the table was made from.

use super::Stab;
use super::attr::{self, Attrs, field};
use crate::config::link::Cells;
use alloc::vec::Vec;

const BASE: u16 = 1;
const DATA: u16 = 2;
/// `TC_LINKLAYER_ETHERNET` and `TC_LINKLAYER_ATM`, as `tc` shows them.
const ETHERNET: u32 = 1;
const ATM: u32 = 2;
/// IPv4 and TCP headers with timestamps: what each packet of a stream repeats.
const TCP_HEADERS: u32 = 52;

impl Stab {
    /// The bytes of TCP in a full packet.
    fn payload(&self) -> u32 {
        u32::from(self.mtu).saturating_sub(TCP_HEADERS).max(1)
    }

    /// The length of a full packet as the table is asked for it.
    fn full(&self) -> u32 {
        (u32::from(self.mtu) + u32::from(self.header)).saturating_add_signed(self.overhead)
    }

    /// What `sum` bytes (overhead included) cost on the line.
    fn cost(&self, sum: u32) -> u32 {
        self.cells.wire_bytes(sum.max(u32::from(self.mpu))).max(1)
    }

    /// The table's entries, by packet length plus overhead.
    pub fn table(&self) -> Vec<u16> {
        let (payload, full) = (self.payload(), self.full());
        let two_packets = 2 * payload;
        let entry = |sum| match sum {
            _ if sum + 1 == two_packets => 2 * self.cost(full),
            // Longer than any packet: two of them, the first one full.
            _ if sum > full => self.cost(full) + self.cost(sum - payload),
            _ => self.cost(sum),
        };
        (0..two_packets).map(|sum| u16::try_from(entry(sum)).unwrap_or(u16::MAX)).collect()
    }

    /// What the kernel makes of a packet it counts `len` bytes long.
    pub fn charge(&self, table: &[u16], len: u32) -> u32 {
        let sum = len.saturating_add_signed(self.overhead) as usize;
        let entry = |n: usize| table.get(n).copied().map_or(0, u32::from);
        let size = table.len().max(1);
        if sum < size { entry(sum) } else { entry(size - 1) * (sum / size) as u32 + entry(sum % size) }
    }

    /// Appends the payload of `TCA_STAB`.
    pub fn put(&self, out: &mut Vec<u8>) {
        let table = self.table();
        let mut base = Vec::with_capacity(24);
        base.extend_from_slice(&[0, 0, 0, 0]); // cell_log, size_log, cell_align
        base.extend_from_slice(&self.overhead.to_ne_bytes());
        let linklayer = if self.cells == Cells::Atm { ATM } else { ETHERNET };
        for word in [linklayer, u32::from(self.mpu), self.made_from(), table.len() as u32] {
            base.extend_from_slice(&word.to_ne_bytes());
        }
        attr::put(out, BASE, &base);
        let data: Vec<u8> = table.iter().flat_map(|entry| entry.to_ne_bytes()).collect();
        attr::put(out, DATA, &data);
    }

    /// The base's `mtu`: header length, cell rule and the line's MTU.
    fn made_from(&self) -> u32 {
        let cells = match self.cells {
            Cells::None => 0,
            Cells::Atm => 1,
            Cells::Ptm => 2,
        };
        u32::from(self.header) << 24 | cells << 16 | u32::from(self.mtu)
    }

    /// Reads the payload of `TCA_STAB`; `None` for a table that is not of our making.
    pub fn read(options: Attrs<'_>) -> Option<Self> {
        let base = options.get(BASE)?.payload;
        let word = |offset| field(base, offset).map(u32::from_ne_bytes);
        let made_from = word(16)?;
        let cells = match made_from >> 16 & 0xff {
            0 => Cells::None,
            1 => Cells::Atm,
            2 => Cells::Ptm,
            _ => return None,
        };
        let stab = Self {
            overhead: i32::from_ne_bytes(field(base, 4)?),
            mpu: u16::try_from(word(12)?).ok()?,
            cells,
            mtu: made_from as u16,
            header: (made_from >> 24) as u16,
        };
        (word(20)? == 2 * stab.payload() && field(base, 0)? == [0u8; 4]).then_some(stab)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::link::PRESETS;

    fn stab(preset: &str, header: u16) -> Stab {
        let link = crate::config::link::by_name(preset).expect("a preset");
        let overhead = i32::from(link.overhead) - i32::from(header);
        Stab { overhead, mpu: link.mpu, cells: link.cells, mtu: 1500, header }
    }

    #[test]
    fn every_single_packet_costs_exactly_what_the_line_takes() {
        for preset in PRESETS {
            for header in [0, 14] {
                let stab = stab(preset.link.name, header);
                let table = stab.table();
                for ip in 20..=1500 {
                    let wire = preset.link.wire_bytes(ip);
                    assert_eq!(
                        stab.charge(&table, ip + u32::from(header)),
                        wire,
                        "{} {ip}",
                        preset.link.name
                    );
                }
            }
        }
    }

    /// Super-packets of `n` TCP segments with `headers` bytes of IP and TCP: the error in thousandths.
    fn worst_error(preset: &str, header: u32, headers: u32, n: core::ops::RangeInclusive<u32>) -> (i64, i64) {
        let stab = stab(preset, header as u16);
        let link = crate::config::link::by_name(preset).expect("a preset");
        let table = stab.table();
        let errors = n.map(|n| {
            let payload = 1500 - headers;
            let truth = i64::from(n * link.wire_bytes(1500));
            let charged = i64::from(stab.charge(&table, header + headers + n * payload));
            (charged - truth) * 1000 / truth
        });
        let all: Vec<i64> = errors.collect();
        (*all.iter().min().expect("not empty"), *all.iter().max().expect("not empty"))
    }

    #[test]
    fn super_packets_are_charged_for_what_they_become() {
        for preset in ["ethernet", "docsis", "pppoe-vdsl2", "pppoe-adsl-llc", "lte"] {
            for header in [0, 14] {
                let (low, high) = worst_error(preset, header, 52, 3..=44);
                assert!(low > -20 && high < 25, "{preset} {header}, IPv4: {low} to {high}");
                let (low, high) = worst_error(preset, header, 72, 3..=44);
                assert!(low > -25 && high < 25, "{preset} {header}, IPv6: {low} to {high}");
            }
        }
    }

    #[test]
    fn the_base_alone_tells_what_the_table_was_made_from() {
        for preset in PRESETS {
            let wanted = stab(preset.link.name, 14);
            let mut out = Vec::new();
            wanted.put(&mut out);
            let mut base = Vec::new();
            attr::put(&mut base, BASE, Attrs::new(&out).get(BASE).expect("just written").payload);
            assert_eq!(Stab::read(Attrs::new(&base)), Some(wanted));
        }
        let mut foreign = Vec::new();
        attr::put(&mut foreign, BASE, &[0; 24]);
        assert_eq!(Stab::read(Attrs::new(&foreign)), None);
    }
}
