// SPDX-License-Identifier: Apache-2.0
//! Link layers: what a packet costs on the line beyond the bytes the kernel counts.
//!
//! The kernel counts an IP packet plus the device's own link header (14 bytes on Ethernet, 0 on PPP and raw IP).
//! A preset is given for the *IP packet*, as the line sees it; `tc::stab` and `tc::cake` add what the device lacks.

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

/// What a packet costs on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkLayer {
    /// The preset's name, or `raw` where the numbers were given one by one.
    pub name: &'static str,
    /// Bytes the line adds to each IP packet; negative where it carries less than the kernel counts.
    pub overhead: i16,
    /// The fewest bytes a packet takes on the line, overhead included.
    pub mpu: u16,
    /// The cell rule, applied after overhead and mpu.
    pub cells: Cells,
}

impl Default for LinkLayer {
    fn default() -> Self {
        // Full Ethernet framing: 14 header + 4 FCS + 8 preamble + 12 gap.
        Self { name: "ethernet", overhead: 38, mpu: 84, cells: Cells::None }
    }
}
