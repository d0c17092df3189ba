// SPDX-License-Identifier: Apache-2.0
//! From a decision list to one classic BPF program.
//!
//! The program finds the IP header (Ethernet with up to one VLAN tag in the payload, PPPoE, PPP and raw IP), then asks
//! whether the packet is local traffic on a LAN device, then its DSCP. The last instruction always names a class, so
//! nothing falls through to HTB's own default.

use super::bpf::{
    AND_K, Assembler, JEQ_K, JGT_K, LD_B_ABS, LD_B_IND, LD_H_ABS, LD_H_IND, LD_W_IND, LDX_IMM, Label, RET_K,
    RSH_K,
};
use super::{Program, dscp};
use crate::units::{Dscp, Handle, Prefix};
use alloc::vec::Vec;

/// What a classifier is to decide.
pub struct Wanted<'a> {
    /// Bytes of link header in front of the packet: 14 (Ethernet) or 0 (PPP, raw IP).
    pub header: u16,
    /// Class of each name.
    pub classes: &'a [(&'a str, Handle)],
    /// The class of what nothing else places.
    pub default: Handle,
    /// Class of what is not IP: ARP, EAPOL, PPPoE discovery and LCP. The line depends on it.
    pub control: Handle,
    /// Whether a packet's own DSCP chooses its class.
    pub trust_dscp: bool,
    /// Packets from these addresses did not come over the line: `(prefixes, class)`.
    pub local: Option<(&'a [Prefix], Handle)>,
}

/// Compiles; `None` if the program would exceed [`crate::limits::PROGRAM`].
pub fn compile(wanted: &Wanted<'_>) -> Option<Program> {
    let mut asm = Assembler::default();
    let (v4, v6, control) = (asm.label(), asm.label(), asm.label());
    find_ip(&mut asm, wanted.header, v4, v6, control);

    let decide = asm.label();
    asm.place(v4);
    local_sources(&mut asm, wanted, false);
    asm.plain(LD_B_IND, 1);
    asm.plain(RSH_K, 2);
    asm.jump(decide);

    asm.place(v6);
    local_sources(&mut asm, wanted, true);
    asm.plain(LD_H_IND, 0);
    asm.plain(RSH_K, 6);
    asm.plain(AND_K, 0x3f);

    asm.place(decide);
    if wanted.trust_dscp {
        let ranges = ranges(wanted);
        search(&mut asm, &ranges);
    } else {
        asm.plain(RET_K, wanted.default.0);
    }
    asm.place(control);
    asm.plain(RET_K, wanted.control.0);
    // Never reached; it keeps the promise that the last instruction returns the default class.
    asm.plain(RET_K, wanted.default.0);
    let insns = asm.finish()?;
    (insns.len() <= crate::limits::PROGRAM).then_some(Program { insns, default: wanted.default })
}

/// Leaves the offset of the IP header in X and goes to `v4` or `v6`; what is not IP goes to `control`.
fn find_ip(asm: &mut Assembler, header: u16, v4: Label, v6: Label, control: Label) {
    if header == 0 {
        // PPP and raw IP devices show qdiscs the bare IP packet.
        asm.plain(LDX_IMM, 0);
        asm.plain(LD_B_ABS, 0);
        asm.plain(RSH_K, 4);
        asm.when(JEQ_K, 4, v4);
        asm.branch(JEQ_K, 6, v6, control);
        return;
    }
    let pppoe = asm.label();
    asm.plain(LDX_IMM, 14);
    asm.plain(LD_H_ABS, 12);
    asm.when(JEQ_K, 0x0800, v4);
    asm.when(JEQ_K, 0x86dd, v6);
    asm.when(JEQ_K, 0x8864, pppoe);
    let vlan = asm.label();
    asm.branch(JEQ_K, 0x8100, vlan, control);
    asm.place(vlan);
    asm.plain(LDX_IMM, 18);
    asm.plain(LD_H_ABS, 16);
    asm.when(JEQ_K, 0x0800, v4);
    asm.branch(JEQ_K, 0x86dd, v6, control);
    asm.place(pppoe);
    asm.plain(LDX_IMM, 22);
    asm.plain(LD_H_ABS, 20);
    asm.when(JEQ_K, 0x0021, v4);
    asm.branch(JEQ_K, 0x0057, v6, control);
}

/// Returns the local class for packets whose source lies in a local prefix of this family.
fn local_sources(asm: &mut Assembler, wanted: &Wanted<'_>, is_v6: bool) {
    let Some((prefixes, class)) = wanted.local else { return };
    let source = if is_v6 { 8 } else { 12 };
    for prefix in prefixes.iter().filter(|p| p.is_v6 == is_v6) {
        let next = asm.label();
        let mut bits = u32::from(prefix.len);
        for (word, offset) in prefix.address.chunks_exact(4).zip((source..).step_by(4)) {
            if bits == 0 {
                break;
            }
            let kept = bits.min(32);
            bits -= kept;
            let value = word.iter().fold(0, |v, b| v << 8 | u32::from(*b));
            asm.plain(LD_W_IND, offset);
            if kept < 32 {
                asm.plain(AND_K, u32::MAX << (32 - kept));
            }
            let same = asm.label();
            asm.branch(JEQ_K, value, same, next);
            asm.place(same);
        }
        asm.plain(RET_K, class.0);
        asm.place(next);
    }
}

/// All 64 code points as runs `(last, class)` in rising order.
fn ranges(wanted: &Wanted<'_>) -> Vec<(u8, Handle)> {
    let mut runs: Vec<(u8, Handle)> = Vec::new();
    for n in 0..64 {
        let named = Dscp::new(n).and_then(dscp::class_of);
        let class = wanted
            .classes
            .iter()
            .find(|(name, _)| Some(*name) == named)
            .map_or(wanted.default, |(_, handle)| *handle);
        match runs.last_mut() {
            Some((last, same)) if *same == class => *last = n,
            _ => runs.push((n, class)),
        }
    }
    runs
}

/// A balanced search for the run that holds A.
fn search(asm: &mut Assembler, runs: &[(u8, Handle)]) {
    match runs {
        [] => {}
        [(_, class)] => asm.plain(RET_K, class.0),
        _ => {
            let (low, high) = runs.split_at(runs.len() / 2);
            let Some((last, _)) = low.last() else { return };
            let (above, below) = (asm.label(), asm.label());
            asm.branch(JGT_K, u32::from(*last), above, below);
            asm.place(below);
            search(asm, low);
            asm.place(above);
            search(asm, high);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::bpf::run;

    const CRITICAL: Handle = Handle::new(0x57e1, 0x10);
    const HIGH: Handle = Handle::new(0x57e1, 0x20);
    const NORMAL: Handle = Handle::new(0x57e1, 0x30);
    const LOW: Handle = Handle::new(0x57e1, 0x40);
    const LOCAL: Handle = Handle::new(0x57e1, 2);
    const CLASSES: &[(&str, Handle)] =
        &[("critical", CRITICAL), ("high", HIGH), ("normal", NORMAL), ("low", LOW)];

    fn wanted(header: u16) -> Wanted<'static> {
        Wanted { header, classes: CLASSES, default: NORMAL, control: CRITICAL, trust_dscp: true, local: None }
    }

    fn v4(dscp: u8) -> Vec<u8> {
        let mut p =
            alloc::vec![0x45, dscp << 2 | 1, 0, 40, 0, 0, 0, 0, 64, 17, 0, 0, 192, 168, 1, 7, 192, 0, 2, 1];
        p.extend([0; 20]);
        p
    }

    fn v6(dscp: u8) -> Vec<u8> {
        let mut p = alloc::vec![0x60 | dscp >> 2, dscp << 6 | 0x2f, 0, 0, 0, 0, 17, 64];
        p.extend([0xfd; 16]);
        p.extend([0x20; 16]);
        p
    }

    fn ethernet(inner: &[u16], packet: &[u8]) -> Vec<u8> {
        let mut p = alloc::vec![2; 12];
        inner.iter().for_each(|half| p.extend(half.to_be_bytes()));
        p.extend(packet);
        p
    }

    #[test]
    fn every_code_point_finds_the_class_of_the_table_on_every_framing() {
        let on_ethernet = compile(&wanted(14)).expect("a short program");
        let on_raw = compile(&wanted(0)).expect("a short program");
        for n in 0..64 {
            let named = Dscp::new(n).and_then(dscp::class_of).unwrap_or("normal");
            let class = CLASSES.iter().find(|c| c.0 == named).map(|c| c.1.0).expect("all four exist");
            for (packet, ether, ppp) in [(v4(n), 0x0800, 0x21), (v6(n), 0x86dd, 0x57)] {
                assert_eq!(run(&on_raw.insns, &packet), class, "raw {n}");
                assert_eq!(run(&on_ethernet.insns, &ethernet(&[ether], &packet)), class, "ethernet {n}");
                assert_eq!(
                    run(&on_ethernet.insns, &ethernet(&[0x8100, 5, ether], &packet)),
                    class,
                    "vlan {n}"
                );
                let pppoe = [0x8864, 0x1100, 7, 42, ppp];
                assert_eq!(run(&on_ethernet.insns, &ethernet(&pppoe, &packet)), class, "pppoe {n}");
            }
        }
    }

    #[test]
    fn what_is_not_ip_is_served_as_critical() {
        let program = compile(&wanted(14)).expect("a short program");
        for ether in [0x0806, 0x888e, 0x8863] {
            assert_eq!(run(&program.insns, &ethernet(&[ether], &[0; 40])), CRITICAL.0);
        }
        assert_eq!(run(&program.insns, &ethernet(&[0x8864, 0x1100, 7, 42, 0xc021], &[0; 40])), CRITICAL.0);
    }

    #[test]
    fn an_untrusted_dscp_changes_nothing() {
        let program = compile(&Wanted { trust_dscp: false, ..wanted(0) }).expect("a short program");
        assert!(
            (0..64)
                .all(|n| run(&program.insns, &v4(n)) == NORMAL.0 && run(&program.insns, &v6(n)) == NORMAL.0)
        );
    }

    #[test]
    fn packets_from_local_prefixes_stay_out_of_the_lines_classes() {
        let prefixes = [
            Prefix::v4([10, 0, 0, 0], 8).expect("valid"),
            Prefix::v4([192, 168, 1, 0], 24).expect("valid"),
            Prefix::v6([0xfd; 16], 52).expect("valid"),
        ];
        let local = Wanted { local: Some((&prefixes, LOCAL)), ..wanted(14) };
        let program = compile(&local).expect("a short program");
        assert_eq!(run(&program.insns, &ethernet(&[0x0800], &v4(46))), LOCAL.0);
        assert_eq!(run(&program.insns, &ethernet(&[0x86dd], &v6(0))), LOCAL.0);
        let mut remote = v4(46);
        remote[14] = 2; // 192.168.2.7
        assert_eq!(run(&program.insns, &ethernet(&[0x0800], &remote)), CRITICAL.0);
        let mut remote = v6(0);
        remote[15] = 0xee; // bits 56 to 63, beyond /52: still local
        assert_eq!(run(&program.insns, &ethernet(&[0x86dd], &remote)), LOCAL.0);
        remote[13] = 0; // bits 40 to 47
        assert_eq!(run(&program.insns, &ethernet(&[0x86dd], &remote)), NORMAL.0);
    }

    #[test]
    fn the_last_instruction_names_the_default_class() {
        let program = compile(&wanted(14)).expect("a short program");
        assert_eq!(program.insns.last().map(|i| (i.code, i.k)), Some((RET_K, NORMAL.0)));
    }
}
