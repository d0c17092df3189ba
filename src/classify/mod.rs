// SPDX-License-Identifier: Apache-2.0
//! From what a packet says to the class it belongs in.

pub mod bpf;
pub mod check;
pub mod compile;
pub mod diagram;
pub mod flow;
pub mod list;
pub mod listing;
pub mod packet;
#[cfg(any(test, feature = "sim"))]
pub mod random;
pub mod scheme;
#[cfg(any(test, feature = "sim"))]
pub mod sight;
pub mod steps;
pub mod tally;
#[cfg(test)]
mod tests;
pub mod u32;

use crate::units::Handle;
use alloc::rc::Rc;
use core::fmt;

/// One instruction of classic BPF (`struct sock_filter`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Insn {
    /// What to do.
    pub code: u16,
    /// Where to go when true, counted from the next instruction.
    pub jt: u8,
    /// Where to go when false.
    pub jf: u8,
    /// The operand.
    pub k: u32,
}

impl Insn {
    /// The bytes of `struct sock_filter`, in host order (so it also holds on big-endian MIPS).
    pub fn to_bytes(self) -> [u8; 8] {
        let [c0, c1] = self.code.to_ne_bytes();
        let [k0, k1, k2, k3] = self.k.to_ne_bytes();
        [c0, c1, self.jt, self.jf, k0, k1, k2, k3]
    }

    /// Reads the bytes of `struct sock_filter`.
    pub fn from_bytes([c0, c1, jt, jf, k0, k1, k2, k3]: [u8; 8]) -> Self {
        Self { code: u16::from_ne_bytes([c0, c1]), jt, jf, k: u32::from_ne_bytes([k0, k1, k2, k3]) }
    }
}

/// A classifier: returns the class id of every packet (`cls_bpf` without `TCA_BPF_CLASSID`).
#[derive(Clone, PartialEq, Eq)]
pub struct Program {
    /// The instructions, at most [`crate::limits::PROGRAM`]; one copy for everybody who has the same program.
    pub insns: Rc<[Insn]>,
    /// The class of what nothing else matches; the last instruction returns it.
    pub default: Handle,
}

/// Its size; a thousand instructions say nothing to anybody.
impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Program({} instructions, else {})", self.insns.len(), self.default)
    }
}
