// SPDX-License-Identifier: Apache-2.0
//! `cls_bpf` with a classic program: options as bytes and back. Read `cls_bpf.c` before editing.
//!
//! No `TCA_BPF_CLASSID`: the program's return value is the class, or -1 where actions alone are wanted. A program over 4030 instructions cannot be dumped
//! (EMSGSIZE), hence `limits::PROGRAM`. The kernel hands the program back as it was given.

use super::attr::{self, Attrs};
use super::{Bpf, action};
use crate::classify::{Insn, Program};
use crate::units::Handle;
use alloc::rc::Rc;
use alloc::vec::Vec;

const ACT: u16 = 1;
const POLICE: u16 = 2;
const CLASSID: u16 = 3;
const OPS_LEN: u16 = 4;
const OPS: u16 = 5;
const FLAGS: u16 = 8;

/// Appends the `TCA_OPTIONS` payload.
pub fn put(Bpf { program, actions }: &Bpf, out: &mut Vec<u8>) {
    if !actions.is_empty() {
        let list = attr::open(out, ACT);
        action::put(actions, out);
        attr::close(out, list);
    }
    attr::put_u16(out, OPS_LEN, program.insns.len() as u16); // bounded by limits::PROGRAM
    let ops = attr::open(out, OPS);
    program.insns.iter().for_each(|insn| out.extend_from_slice(&insn.to_bytes()));
    attr::close(out, ops);
}

/// Reads the `TCA_OPTIONS` payload; `None` for extended BPF and for filters that do with a packet what weir never does: a
/// class of their own, `direct-action`, other actions.
pub fn read(options: Attrs<'_>) -> Option<Bpf> {
    if [POLICE, CLASSID, FLAGS].iter().any(|kind| options.get(*kind).is_some()) {
        return None;
    }
    let (chunks, rest) = options.get(OPS)?.payload.as_chunks::<8>();
    let insns: Rc<[Insn]> = chunks.iter().map(|bytes| Insn::from_bytes(*bytes)).collect();
    let default = Handle(insns.last()?.k);
    let actions = match options.get(ACT) {
        Some(list) => action::read(list.nested())?,
        None => Vec::new(),
    };
    let program = Program { insns, default };
    (rest.is_empty() && program.insns.len() <= crate::limits::PROGRAM).then_some(Bpf { program, actions })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_read_back_as_it_was_written() {
        let insns = alloc::vec![
            Insn { code: 0x28, jt: 1, jf: 2, k: 12 },
            Insn { code: 6, jt: 0, jf: 0, k: 0x57e1_0030 }
        ];
        let program = Program { insns: insns.into(), default: Handle::new(0x57e1, 0x30) };
        let bpf = Bpf { program, actions: alloc::vec![action::Action::HeaderChecksum] };
        let mut out = Vec::new();
        put(&bpf, &mut out);
        assert_eq!(read(Attrs::new(&out)), Some(bpf));
        // tc's `direct-action` makes a verdict of what is returned.
        attr::put_u32(&mut out, FLAGS, 1);
        assert_eq!(read(Attrs::new(&out)), None);
    }
}
