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
            Self::Atm => bytes.div_ceil(48) * 53,
            Self::Ptm => bytes + bytes.div_ceil(64),
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

/// Every preset. Where CAKE has a keyword for the line, the numbers are the keyword's.
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

    #[test]
    fn packets_cost_what_the_line_takes() {
        let cases = [
            ("ethernet", 1500, 1538),
            ("ethernet", 40, 84),
            ("docsis", 28, 64),
            ("pppoe-vdsl2", 1492, 1546),    // 1522 + 24
            ("pppoe-adsl-llc", 1492, 1696), // 1532 bytes are 32 cells
            ("pppoe-adsl-llc", 40, 106),    // 80 bytes are 2 cells
            ("ipoa-adsl-vc", 40, 53),       // exactly one cell
            ("lte", 1500, 1500),
        ];
        for (name, ip, wire) in cases {
            assert_eq!(by_name(name).map(|link| link.wire_bytes(ip)), Some(wire), "{name} {ip}");
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
