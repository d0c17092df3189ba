// SPDX-License-Identifier: Apache-2.0
//! The filters of an HTB direction: one program at the root whose answer is the class, and the entries of packets that
//! are given a DSCP; by u32 where there is no `cls_bpf`.

use super::{ALL_PROTOCOLS, Made, TooMuch, answer, filter, framing, marked, rewrite};
use crate::classify::Program;
use crate::classify::bpf::{Assembler, JEQ_K, LD_W_ABS, RET_K};
use crate::classify::compile::{KERNEL_PROTOCOL, compile};
use crate::classify::list::List;
use crate::classify::scheme::{Scheme, Verdict};
use crate::classify::u32::{self as tables, Key, Node, Then};
use crate::config::Rule;
use crate::limits;
use crate::tc::{Class, Filter, FilterKind, ROOT_MAJOR, Ticks, U32, u32 as cls_u32};
use crate::units::{Dscp, Handle, Rate, Way};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

/// The first entry's class; others follow in steps of 16, by leaf and DSCP.
pub const FIRST_ENTRY: u16 = 0x1000;

/// The filters of an HTB direction.
///
/// # Errors
/// When it would be more than the kernel or weir takes.
pub fn for_htb(scheme: &Scheme<'_>, list: &List) -> Result<Made, TooMuch> {
    let marked = marked(list);
    if marked.len() > limits::MARKS {
        return Err(TooMuch::Marks);
    }
    let mut made = Made::default();
    for (leaf, mark) in marked {
        let entry = entry(leaf, mark);
        made.classes.extend(entry_classes(entry));
        for (step, is_v6) in [(0, false), (1, true)] {
            let program = of_family(is_v6, leaf);
            made.filters.push(filter(entry, step, program, rewrite(mark, is_v6)));
        }
        // What is neither keeps its bytes and goes on.
        made.filters.push(filter(entry, 2, answer(leaf.0), Vec::new()));
    }
    let program =
        compile(list, &framing(scheme), &|verdict| destination(verdict).0).ok_or(TooMuch::Program)?;
    made.filters.push(filter(Handle::new(ROOT_MAJOR, 0), 0, program, Vec::new()));
    Ok(made)
}

/// The entry of packets for `leaf` that are given `mark`: always the same one. Were entries numbered as they come, a
/// reload would give the first ones another meaning while the old program still leads to them.
fn entry(leaf: Handle, mark: Dscp) -> Handle {
    // Leaves are 57e1:10 to 57e1:100, and one more for ICMP.
    let slot = (leaf.minor() >> 4).saturating_sub(1) & 0xf;
    let place = slot << 7 | (leaf.minor() & 1) << 6 | u16::from(mark.get());
    Handle::new(ROOT_MAJOR, FIRST_ENTRY + 0x10 * place)
}

/// The filters of an HTB direction where there is no `cls_bpf`, with what is to be said about them.
///
/// # Errors
/// When it would be more than the kernel or weir takes.
pub fn for_htb_by_u32(scheme: &Scheme<'_>, list: &List) -> Result<Made, TooMuch> {
    let marked = marked(list);
    if marked.len() > limits::MARKS {
        return Err(TooMuch::Marks);
    }
    let tables = tables::compile(scheme, &destination).ok_or(TooMuch::Program)?;
    let mut made = Made { note: left_out(scheme.way, &tables.left_out), ..Made::default() };
    let mut add = |parent, pref, kind| {
        made.filters.push(Filter { parent, pref, protocol: ALL_PROTOCOLS, kind: FilterKind::U32(kind) });
    };
    for (leaf, mark) in marked {
        let entry = entry(leaf, mark);
        made.classes.extend(entry_classes(entry));
        add(entry, cls_u32::ENTRY_PREFERENCE, rewriter(leaf, mark, scheme.header));
    }
    let nodes: Vec<_> = tables.nodes.iter().map(|node| cls_u32::node(node, Vec::new())).collect();
    let mut whole = U32 { tables: tables.tables, nodes: nodes.into(), ..U32::default() };
    whole.sort();
    add(Handle::new(ROOT_MAJOR, 0), cls_u32::ROOT_PREFERENCE, whole);
    Ok(made)
}

/// What an entry does by u32: each family's DSCP is rewritten, what is neither keeps its bytes. So does what has a tag in
/// front of its network header, or `act_csum` would look for the packet in the wrong place and leave its checksum wrong.
/// (What is taken for a tag may be the middle of a sender's address, of one in 32768: nothing of it is marked, then.)
fn rewriter(leaf: Handle, mark: Dscp, header: u16) -> U32 {
    // EtherType or version, and the family whose DSCP is rewritten.
    const ETHERNET: [(Key, Option<bool>); 4] = [
        (Key { mask: 0xffff, value: 0x8100, off: -8 }, None),
        (Key { mask: 0xffff, value: 0x88a8, off: -8 }, None),
        (Key { mask: 0xffff, value: 0x0800, off: -4 }, Some(false)),
        (Key { mask: 0xffff, value: 0x86dd, off: -4 }, Some(true)),
    ];
    const RAW: [(Key, Option<bool>); 2] = [
        (Key { mask: 0xf000_0000, value: 0x4000_0000, off: 0 }, Some(false)),
        (Key { mask: 0xf000_0000, value: 0x6000_0000, off: 0 }, Some(true)),
    ];
    let rows = if header == 0 { &RAW[..] } else { &ETHERNET };
    let rows = rows.iter().map(|(key, family)| (alloc::vec![*key], *family)).chain([(Vec::new(), None)]);
    let nodes = (1..).zip(rows).map(|(number, (keys, family))| {
        let node = Node { table: 0, bucket: 0, number, keys, then: Then::Class(leaf) };
        cls_u32::node(&node, family.map_or(Vec::new(), |is_v6| rewrite(mark, is_v6)))
    });
    U32 { nodes: nodes.collect::<Vec<_>>().into(), ..U32::default() }
}

/// Rules that are left out, as people should be told.
fn left_out(way: Way, rules: &[&Rule]) -> Option<String> {
    const NAMED: usize = 12;
    let mut text = format!(
        "the rules for {way} need more than {} nodes of u32; these are not asked:",
        limits::U32_NODES
    );
    for rule in rules.iter().take(NAMED) {
        let _ = write!(text, " '{}'", rule.name);
    }
    if rules.len() > NAMED {
        let _ = write!(text, " and {} more", rules.len() - NAMED);
    }
    (!rules.is_empty()).then_some(text)
}

/// Where an HTB's packets of a verdict go: to their leaf, or by the entry that marks them.
fn destination(verdict: Verdict) -> Handle {
    verdict.mark.map_or(verdict.leaf, |mark| entry(verdict.leaf, mark))
}

/// An inner class is one with a class below it; nothing is ever sent by either.
fn entry_classes(entry: Handle) -> [Class; 2] {
    let class = |parent, handle| {
        let rate = Rate::kbit(8);
        let burst = Ticks::for_bytes(rate, 1600);
        Class { parent, handle, rate, ceil: rate, burst, cburst: burst, quantum: 1600, prio: 7 }
    };
    let below = Handle::new(ROOT_MAJOR, entry.minor() + 1);
    [class(Handle::new(ROOT_MAJOR, 0), entry), class(entry, below)]
}

/// Matches the packets whose network header the kernel knows to be of one family.
fn of_family(is_v6: bool, leaf: Handle) -> Program {
    let mut asm = Assembler::default();
    let (yes, no) = (asm.label(), asm.label());
    asm.plain(LD_W_ABS, KERNEL_PROTOCOL);
    asm.branch(JEQ_K, if is_v6 { 0x86dd } else { 0x0800 }, yes, no);
    asm.place(yes);
    asm.plain(RET_K, leaf.0);
    asm.place(no);
    asm.plain(RET_K, 0);
    Program { insns: asm.finish().unwrap_or_default().into(), default: Handle(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_and_dscp_has_an_entry_of_its_own() {
        let leaves = (1..=limits::CLASSES as u16 + 4).flat_map(|slot| [slot * 0x10, slot * 0x10 + 1]);
        let pairs = leaves.flat_map(|leaf| (0..64).map(move |n| (Handle::new(ROOT_MAJOR, leaf), n)));
        let mut entries: Vec<Handle> =
            pairs.map(|(leaf, n)| entry(leaf, Dscp::new(n).expect("below 64"))).collect();
        let count = entries.len();
        entries.sort_unstable();
        entries.dedup();
        assert_eq!(entries.len(), count);
        assert!(entries.iter().all(|entry| entry.minor() >= FIRST_ENTRY && entry.minor() % 0x10 == 0));
    }
}
