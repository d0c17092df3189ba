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
/// The MTUs a table is made for: below, two payloads no longer hold every packet; above, the table would outgrow an
/// attribute (64 KiB) and its entries their 16 bits.
pub const MTU: core::ops::RangeInclusive<u16> = 576..=9000;
/// The overheads a table is made for, as `config` allows them less the link header.
const OVERHEAD: core::ops::RangeInclusive<i32> = -1024..=1024;
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
        let entry = |sum: u32| match sum {
            _ if sum + 1 == two_packets => 2 * self.cost(full),
            // Longer than any packet: two of them, the first one full.
            _ if sum > full => self.cost(full) + self.cost(sum.saturating_sub(payload)),
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
        if !MTU.contains(&stab.mtu) || !OVERHEAD.contains(&stab.overhead) {
            return None;
        }
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
            for (header, mtu) in [(0, 576), (14, 1280), (0, 1492), (14, 1500), (0, 1500), (14, 9000)] {
                let stab = Stab { mtu, ..stab(preset.link.name, header) };
                let table = stab.table();
                for ip in 20..=u32::from(mtu) {
                    let wire = preset.link.wire_bytes(ip);
                    let charged = stab.charge(&table, ip + u32::from(header));
                    assert_eq!(charged, wire, "{} {ip} of {mtu}", preset.link.name);
                }
            }
        }
    }

    #[test]
    fn the_smallest_and_largest_overheads_there_are_cost_what_they_say() {
        for overhead in [-64, 256] {
            for (mtu, header) in [(576, 14), (1500, 14), (1500, 0), (9000, 0)] {
                let stab =
                    Stab { overhead: overhead - i32::from(header), mpu: 0, cells: Cells::Ptm, mtu, header };
                let table = stab.table();
                for ip in 64..=u32::from(mtu) {
                    let wire = Cells::Ptm.wire_bytes(ip.saturating_add_signed(overhead)).max(1);
                    assert_eq!(stab.charge(&table, ip + u32::from(header)), wire, "{ip} of {mtu} {overhead}");
                }
            }
        }
    }

    /// A TCP stream's super-packet of `n` full segments with `headers` bytes of IP and TCP each, of which the kernel
    /// counts one: the error in thousandths of what the line takes.
    fn error(stab: &Stab, table: &[u16], headers: u32, n: u32) -> i64 {
        let (mtu, header) = (u32::from(stab.mtu), u32::from(stab.header));
        let truth = i64::from(n * stab.charge(table, header + mtu));
        let charged = i64::from(stab.charge(table, header + headers + n * (mtu - headers)));
        (charged - truth) * 1000 / truth
    }

    #[test]
    fn super_packets_are_charged_for_what_they_become() {
        // Worst errors in thousandths: preset, device header, n = 2, n = 3, n = 4..=45, each IPv4 (52 bytes of headers
        // with timestamps) and IPv6 (72). Two segments are the worst: their header costs a smallest packet of its own.
        type Row = (&'static str, u16, [(i64, i64); 3]);
        let measured = |preset: &'static str, header| -> Row {
            let stab = stab(preset, header);
            let table = stab.table();
            let worst = |headers, n: core::ops::RangeInclusive<u32>| {
                n.map(|n| error(&stab, &table, headers, n))
                    .max_by_key(|error| error.abs())
                    .expect("not empty")
            };
            let both = |n: core::ops::RangeInclusive<u32>| (worst(52, n.clone()), worst(72, n));
            (preset, header, [both(2..=2), both(3..=3), both(4..=45)])
        };
        let rows: Vec<Row> = ["ethernet", "docsis", "pppoe-vdsl2", "pppoe-adsl-llc", "lte"]
            .into_iter()
            .flat_map(|preset| [measured(preset, 14), measured(preset, 0)])
            .collect();
        // The device's own header changes nothing: the table knows it.
        let wanted = [
            ("ethernet", [(29, 27), (0, -8), (14, 13)]),
            ("docsis", [(23, 21), (0, -8), (11, -12)]),
            ("pppoe-vdsl2", [(27, 22), (0, -8), (13, -12)]),
            ("pppoe-adsl-llc", [(30, 30), (0, -10), (15, -15)]),
            ("lte", [(17, 10), (0, -8), (8, -13)]),
        ];
        let wanted: Vec<Row> = wanted
            .into_iter()
            .flat_map(|(preset, worst)| [(preset, 14, worst), (preset, 0, worst)])
            .collect();
        assert_eq!(rows, wanted);
    }

    #[test]
    fn a_table_outside_the_mtus_there_are_is_not_ours() {
        for (mtu, is_ours) in [(575, false), (576, true), (9000, true), (9001, false)] {
            let wanted = Stab { mtu, ..stab("ethernet", 14) };
            let mut out = Vec::new();
            wanted.put(&mut out);
            assert_eq!(Stab::read(Attrs::new(&out)).is_some(), is_ours, "{mtu}");
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
