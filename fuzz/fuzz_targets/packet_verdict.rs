// SPDX-License-Identifier: Apache-2.0
//! No packet stops the classifier, and its program says of every packet what the rules say: eight bytes choose a rule set,
//! two the direction and the kind of device, the rest is the packet.
//!
//! Read `src/classify/tests.rs`, which asks the same of random packets, before changing what is expected here.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use weir::classify::compile::{Framing, compile};
use weir::classify::random::{Random, rules};
use weir::classify::scheme::{Place, Scheme, Verdict};
use weir::classify::{bpf, list, packet};
use weir::units::{Handle, Way};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((seed, bytes)) = bytes.split_first_chunk::<8>() else { return Corpus::Reject };
    let Some((way, bytes)) = bytes.split_first() else { return Corpus::Reject };
    let Some((header, frame)) = bytes.split_first() else { return Corpus::Reject };
    // Few rule sets, so that packets are what is looked for.
    let rules = rules(&mut Random::seeded(u64::from_le_bytes(*seed) % 64));
    let way = Way::ALL[usize::from(way % 2)];
    let place = |(name, minor)| Place { name, leaf: Handle::new(0x57e1, minor), set_dscp: None };
    let scheme = Scheme {
        way,
        header: if header % 2 == 0 { 14 } else { 0 },
        rules: rules.iter().collect(),
        classes: [("critical", 0x10), ("high", 0x20), ("normal", 0x30), ("low", 0x40)].map(place).into(),
        default: 2,
        first: 0,
        icmp: Some(Handle::new(0x57e1, 0x11)),
        wash: header & 2 != 0,
        marks: true,
        local: None,
    };
    let returns = |verdict: Verdict| verdict.leaf.0 | verdict.mark.map_or(0, |mark| (u32::from(mark.get()) + 1) << 8);
    let framing = Framing { way, header: scheme.header, control: scheme.of_control(), only: None };
    let Some(list) = list::list(&scheme) else { return Corpus::Reject };
    let Some(program) = compile(&list, &framing, &returns) else { return Corpus::Reject };
    let answer = match bpf::run(&program.insns, frame) {
        0 => returns(scheme.of_odd()),
        answer => answer,
    };
    let (verdict, reason) = scheme.decide(&packet::parse(frame, scheme.header));
    assert_eq!(answer, returns(verdict), "{reason:?}");
    Corpus::Keep
});
