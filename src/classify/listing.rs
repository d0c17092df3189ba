// SPDX-License-Identifier: Apache-2.0
//! A program as people read it, in the notation of `bpf_asm` and `tcpdump -d`.

use super::Insn;
use super::bpf::{
    ADD_K, ADD_X, AND_K, JA, JEQ_K, JEQ_X, JGE_K, JGT_K, JSET_K, LD_B_ABS, LD_B_IND, LD_H_ABS, LD_H_IND,
    LD_IMM, LD_LEN, LD_MEM, LD_W_ABS, LD_W_IND, LDX_IMM, LDX_MEM, LSH_K, RET_K, RSH_K, ST, SUB_X, TAX, TXA,
};
use crate::units::Handle;
use core::fmt;

/// A program, one numbered instruction a line.
pub struct Listing<'a>(pub &'a [Insn]);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, insn) in self.0.iter().enumerate() {
            write!(f, "{n:>4}  ")?;
            line(*insn, n, f)?;
            writeln!(f)?;
        }
        Ok(())
    }
}

fn line(insn: Insn, at: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let k = insn.k;
    match insn.code {
        LD_W_ABS => write!(f, "ld   [{k}]"),
        LD_H_ABS => write!(f, "ldh  [{k}]"),
        LD_B_ABS => write!(f, "ldb  [{k}]"),
        LD_W_IND => write!(f, "ld   [x + {k}]"),
        LD_H_IND => write!(f, "ldh  [x + {k}]"),
        LD_B_IND => write!(f, "ldb  [x + {k}]"),
        LD_IMM => write!(f, "ld   #{k}"),
        LD_MEM => write!(f, "ld   M[{k}]"),
        LD_LEN => f.write_str("ld   #len"),
        LDX_IMM => write!(f, "ldx  #{k}"),
        LDX_MEM => write!(f, "ldx  M[{k}]"),
        ST => write!(f, "st   M[{k}]"),
        TAX => f.write_str("tax"),
        TXA => f.write_str("txa"),
        ADD_K => write!(f, "add  #{k}"),
        ADD_X => f.write_str("add  x"),
        SUB_X => f.write_str("sub  x"),
        AND_K => write!(f, "and  #{k:#x}"),
        LSH_K => write!(f, "lsh  #{k}"),
        RSH_K => write!(f, "rsh  #{k}"),
        JA => write!(f, "ja   {}", at + 1 + k as usize),
        RET_K if k == u32::MAX => f.write_str("ret  matched"),
        RET_K if k == 0 => f.write_str("ret  not matched"),
        RET_K => write!(f, "ret  {}", Handle(k)),
        JEQ_X => {
            write!(f, "jeq  x  jt {}  jf {}", at + 1 + usize::from(insn.jt), at + 1 + usize::from(insn.jf))
        }
        code => {
            let name = match code {
                JEQ_K => "jeq",
                JGT_K => "jgt",
                JGE_K => "jge",
                JSET_K => "jset",
                _ => return write!(f, "? {code:#x} {k:#x}"),
            };
            let (yes, no) = (at + 1 + usize::from(insn.jt), at + 1 + usize::from(insn.jf));
            write!(f, "{name:<4} #{k:#x}  jt {yes}  jf {no}")
        }
    }
}
