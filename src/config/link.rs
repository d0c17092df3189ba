// SPDX-License-Identifier: Apache-2.0
//! Link layers: what a packet costs on the line beyond the bytes the kernel counts.
//!
//! A preset counts from the *IP packet*, as CAKE does (`tc-cake(8)`, "Link layer adaptation"). The kernel counts the
//! device's own link header too (14 bytes on Ethernet, 0 on PPP and raw IP); `tc::stab` takes that into account.

/// How the line cuts packets into cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cells {
    /// Not at all.
    #[default]
    None,
    /// 48 payload bytes in a cell of 53 (ADSL; the last cell padded).
    Atm,
    /// 64 payload bytes in 65 (VDSL2).
    Ptm,
}

impl Cells {
    /// What `bytes` (overhead included) take on the line: `cake_calc_overhead`'s arithmetic.
    pub const fn wire_bytes(self, bytes: u32) -> u32 {
        match self {
            Self::None => bytes,
            Self::Atm => bytes.div_ceil(48).saturating_mul(53),
            Self::Ptm => bytes.saturating_add(bytes.div_ceil(64)),
        }
    }
}

/// What a packet costs on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkLayer {
    /// The preset's name, or `custom` where numbers were given one by one.
    pub name: &'static str,
    /// Bytes the line adds to each IP packet; negative where it carries less than the kernel counts.
    pub overhead: i16,
    /// The fewest bytes a packet takes on the line, overhead included.
    pub mpu: u16,
    /// The cell rule, applied after overhead and mpu.
    pub cells: Cells,
}

impl LinkLayer {
    /// Whatever the system suggests ([`super::suggest`]); counted as Ethernet while it suggests nothing.
    pub const AUTO: Self = Self { name: "auto", overhead: 38, mpu: 84, cells: Cells::None };

    /// What an IP packet of `ip_bytes` takes on the line: overhead, then at least mpu, then cells.
    pub fn wire_bytes(&self, ip_bytes: u32) -> u32 {
        let framed = ip_bytes.saturating_add_signed(i32::from(self.overhead)).max(u32::from(self.mpu));
        self.cells.wire_bytes(framed)
    }
}

/// A link layer by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its numbers and the name users write.
    pub link: LinkLayer,
    /// What it is for.
    pub title: &'static str,
    /// What the overhead is made of.
    pub source: &'static str,
}

const fn preset(
    name: &'static str,
    overhead: i16,
    mpu: u16,
    cells: Cells,
    title: &'static str,
    source: &'static str,
) -> Preset {
    Preset { link: LinkLayer { name, overhead, mpu, cells }, title, source }
}

/// Every preset. Where CAKE has a keyword for the line, overhead and cells are the keyword's (`tc-cake(8)`, iproute2
/// 6.1), and the mpu of Ethernet and DOCSIS too. PTM carries whole Ethernet frames: 64 bytes at least, and its own 4.
pub const PRESETS: &[Preset] = &[
    preset("ethernet", 38, 84, Cells::None, "Ethernet, fibre (IPoE)", "14 header, 4 FCS, 8 preamble, 12 gap"),
    preset("ethernet-vlan", 42, 84, Cells::None, "Ethernet with a VLAN tag", "ethernet + 4 tag"),
    preset(
        "pppoe-ethernet",
        46,
        84,
        Cells::None,
        "PPPoE over Ethernet or fibre",
        "ethernet + 8 PPPoE and PPP",
    ),
    preset(
        "pppoe-ethernet-vlan",
        50,
        84,
        Cells::None,
        "PPPoE with a VLAN tag",
        "ethernet-vlan + 8 PPPoE and PPP",
    ),
    preset("docsis", 18, 64, Cells::None, "Cable (DOCSIS)", "14 header, 4 FCS: what the cable modem counts"),
    preset("ipoe-vdsl2", 22, 68, Cells::Ptm, "VDSL2 without PPPoE", "14 header, 4 FCS, 4 PTM; 64/65"),
    preset("ipoe-vdsl2-vlan", 26, 72, Cells::Ptm, "VDSL2 without PPPoE, VLAN", "ipoe-vdsl2 + 4 tag"),
    preset("pppoe-vdsl2", 30, 68, Cells::Ptm, "PPPoE over VDSL2", "ipoe-vdsl2 + 8 PPPoE and PPP"),
    preset("pppoe-vdsl2-vlan", 34, 72, Cells::Ptm, "PPPoE over VDSL2, VLAN", "pppoe-vdsl2 + 4 tag"),
    preset("ipoa-adsl-vc", 8, 0, Cells::Atm, "ADSL, IPoA, VC multiplexing", "8 AAL5; 48/53"),
    preset("ipoa-adsl-llc", 16, 0, Cells::Atm, "ADSL, IPoA, LLC", "8 AAL5, 8 LLC/SNAP; 48/53"),
    preset("pppoa-adsl-vc", 10, 0, Cells::Atm, "ADSL, PPPoA, VC multiplexing", "8 AAL5, 2 PPP; 48/53"),
    preset("pppoa-adsl-llc", 14, 0, Cells::Atm, "ADSL, PPPoA, LLC", "8 AAL5, 4 LLC, 2 PPP; 48/53"),
    preset(
        "bridged-adsl-vc",
        24,
        0,
        Cells::Atm,
        "ADSL, bridged, VC multiplexing",
        "8 AAL5, 2 pad, 14 header; 48/53",
    ),
    preset(
        "bridged-adsl-llc",
        32,
        0,
        Cells::Atm,
        "ADSL, bridged, LLC",
        "8 AAL5, 8 LLC, 2 pad, 14 header; 48/53",
    ),
    preset(
        "pppoe-adsl-vc",
        32,
        0,
        Cells::Atm,
        "ADSL, PPPoE, VC multiplexing",
        "bridged-adsl-vc + 8 PPPoE and PPP",
    ),
    preset("pppoe-adsl-llc", 40, 0, Cells::Atm, "ADSL, PPPoE, LLC", "bridged-adsl-llc + 8 PPPoE and PPP"),
    preset("lte", 0, 0, Cells::None, "LTE, 5G, any raw IP line", "the radio counts IP packets"),
    preset("none", 0, 0, Cells::None, "No overhead known", "the bytes of the IP packet alone"),
];

impl Default for LinkLayer {
    /// Full Ethernet framing: a little too much costs a little speed, too little costs the queue.
    fn default() -> Self {
        Self { name: "ethernet", overhead: 38, mpu: 84, cells: Cells::None }
    }
}

/// The preset called `name`.
pub fn by_name(name: &str) -> Option<LinkLayer> {
    PRESETS.iter().find(|preset| preset.link.name == name).map(|preset| preset.link)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn packets_cost_what_the_line_takes() {
        // IP packets of 28 (smallest UDP), 40 (TCP ACK), 576, 1492 and 1500 bytes.
        let cases = [
            ("ethernet", [84, 84, 614, 1530, 1538]),
            ("ethernet-vlan", [84, 84, 618, 1534, 1542]),
            ("pppoe-ethernet", [84, 86, 622, 1538, 1546]),
            ("pppoe-ethernet-vlan", [84, 90, 626, 1542, 1550]),
            ("docsis", [64, 64, 594, 1510, 1518]),
            ("ipoe-vdsl2", [70, 70, 608, 1538, 1546]), // 68 + 2, 598 + 10, 1514 + 24, 1522 + 24
            ("ipoe-vdsl2-vlan", [74, 74, 612, 1542, 1550]),
            ("pppoe-vdsl2", [70, 72, 616, 1546, 1554]), // 70 + 2, 606 + 10, 1522 + 24, 1530 + 24
            ("pppoe-vdsl2-vlan", [74, 76, 620, 1550, 1558]),
            ("ipoa-adsl-vc", [53, 53, 689, 1696, 1696]), // 36, 48, 584, 1500, 1508: 1, 1, 13, 32, 32 cells
            ("ipoa-adsl-llc", [53, 106, 689, 1696, 1696]),
            ("pppoa-adsl-vc", [53, 106, 689, 1696, 1696]),
            ("pppoa-adsl-llc", [53, 106, 689, 1696, 1696]),
            ("bridged-adsl-vc", [106, 106, 689, 1696, 1696]),
            ("bridged-adsl-llc", [106, 106, 689, 1696, 1696]),
            ("pppoe-adsl-vc", [106, 106, 689, 1696, 1696]),
            ("pppoe-adsl-llc", [106, 106, 689, 1696, 1749]), // 616 is 13 cells, 1532 is 32, 1540 is 33
            ("lte", [28, 40, 576, 1492, 1500]),
            ("none", [28, 40, 576, 1492, 1500]),
        ];
        for (name, wire) in cases {
            let link = by_name(name).expect(name);
            assert_eq!([28, 40, 576, 1492, 1500].map(|ip| link.wire_bytes(ip)), wire, "{name}");
        }
        assert_eq!(cases.map(|(name, _)| name), *PRESETS.iter().map(|p| p.link.name).collect::<Vec<_>>());
    }

    #[test]
    fn a_cell_more_begins_where_the_cell_before_is_full() {
        let wire = |cells: Cells, bytes| cells.wire_bytes(bytes);
        assert_eq!([0, 1, 48, 49, 96, 97].map(|n| wire(Cells::Atm, n)), [0, 53, 53, 106, 106, 159]);
        assert_eq!([0, 1, 64, 65, 128, 129].map(|n| wire(Cells::Ptm, n)), [0, 2, 65, 67, 130, 132]);
        assert_eq!(wire(Cells::Atm, u32::MAX), u32::MAX);
        assert_eq!(wire(Cells::Ptm, u32::MAX), u32::MAX);
    }

    #[test]
    fn overheads_and_cells_are_those_of_cakes_keywords() {
        // tc-cake(8), "Overhead compensation parameters", iproute2 6.1.
        let keywords = [
            ("pppoa-adsl-vc", 10, Cells::Atm),    // pppoa-vcmux
            ("pppoa-adsl-llc", 14, Cells::Atm),   // pppoa-llc
            ("pppoe-adsl-vc", 32, Cells::Atm),    // pppoe-vcmux
            ("pppoe-adsl-llc", 40, Cells::Atm),   // pppoe-llcsnap
            ("bridged-adsl-vc", 24, Cells::Atm),  // bridged-vcmux
            ("bridged-adsl-llc", 32, Cells::Atm), // bridged-llcsnap
            ("ipoa-adsl-vc", 8, Cells::Atm),      // ipoa-vcmux
            ("ipoa-adsl-llc", 16, Cells::Atm),    // ipoa-llcsnap
            ("pppoe-vdsl2", 30, Cells::Ptm),      // pppoe-ptm
            ("pppoe-vdsl2-vlan", 34, Cells::Ptm), // pppoe-ptm ether-vlan
            ("ipoe-vdsl2", 22, Cells::Ptm),       // bridged-ptm
            ("ipoe-vdsl2-vlan", 26, Cells::Ptm),  // bridged-ptm ether-vlan
            ("docsis", 18, Cells::None),          // docsis
            ("ethernet", 38, Cells::None),        // ethernet
            ("ethernet-vlan", 42, Cells::None),   // ethernet ether-vlan
        ];
        for (name, overhead, cells) in keywords {
            let link = by_name(name).expect(name);
            assert_eq!((link.overhead, link.cells), (overhead, cells), "{name}");
        }
    }

    #[test]
    fn a_negative_overhead_never_goes_below_the_mpu() {
        let link = LinkLayer { name: "custom", overhead: -50, mpu: 0, cells: Cells::None };
        assert_eq!((link.wire_bytes(40), link.wire_bytes(90)), (0, 40));
    }

    #[test]
    fn the_default_is_a_preset() {
        assert_eq!(by_name("ethernet"), Some(LinkLayer::default()));
    }
}
