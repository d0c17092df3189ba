// SPDX-License-Identifier: Apache-2.0
//! Program and rules say the same: random rules, random packets, three opinions (the third is the kernel's, in the lab).

use super::bpf::{kernel_takes, run};
use super::compile::{Framing, compile};
use super::list::list;
use super::packet::parse;
use super::random::{Random, packet, rules};
use super::scheme::{Place, Reason, Scheme, Verdict};
use crate::units::{Dscp, Handle, Way};

const CLASSES: [(&str, u16); 4] = [("critical", 0x10), ("high", 0x20), ("normal", 0x30), ("low", 0x40)];

fn handle(minor: u16) -> Handle {
    Handle::new(0x57e1, minor)
}

fn places() -> Vec<Place<'static>> {
    CLASSES.iter().map(|(name, minor)| Place { name, leaf: handle(*minor), set_dscp: None }).collect()
}

/// What the tests' programs return: the leaf, and the mark above it.
fn returns(verdict: Verdict) -> u32 {
    verdict.leaf.0 | verdict.mark.map_or(0, |mark| (u32::from(mark.get()) + 1) << 8)
}

/// So many rule sets, so many packets for each: how often each reason decided, and the longest program.
fn agree(first_seed: u64, sets: u64, packets: u64) -> ([u64; 5], usize) {
    let (mut decided, mut longest) = ([0; 5], 0);
    for seed in first_seed..first_seed + sets {
        let mut random = Random::seeded(seed);
        let rules = rules(&mut random);
        let local = [crate::units::Prefix::v4([10, 0, 0, 0], 8).expect("valid")];
        let mut places = places();
        if random.below(4) == 0 {
            places[random.below(4) as usize].set_dscp = Dscp::new(random.below(64) as u8);
        }
        let way = if random.below(2) == 0 { Way::Up } else { Way::Down };
        let scheme = Scheme {
            way,
            header: if random.below(3) == 0 { 0 } else { 14 },
            rules: rules.iter().collect(),
            classes: places,
            default: random.below(4) as usize,
            first: 0,
            icmp: (random.below(2) == 0).then_some(handle(0x11)),
            wash: random.below(4) == 0,
            marks: true,
            local: (way == Way::Down && random.below(4) == 0).then_some((&local[..], handle(2))),
        };
        let list = list(&scheme).expect("a short list");
        let framing = Framing { way, header: scheme.header, control: scheme.of_control(), only: None };
        let Some(program) = compile(&list, &framing, &returns) else { continue };
        if let Err(text) = kernel_takes(&program.insns) {
            panic!("seed {seed}: {text}");
        }
        longest = longest.max(program.insns.len());
        for n in 0..packets {
            let frame = packet(&mut random, scheme.header, &rules);
            let seen = parse(&frame, scheme.header);
            let (verdict, reason) = scheme.decide(&seen);
            let answer = match run(&program.insns, &frame) {
                0 => returns(scheme.of_odd()),
                answer => answer,
            };
            assert_eq!(
                answer,
                returns(verdict),
                "seed {seed}, packet {n}: {frame:02x?}\n{seen:?}\n{reason:?}\n{rules:#?}"
            );
            decided[match reason {
                Reason::Rule(_) => 0,
                Reason::Default => 1,
                Reason::Control => 2,
                Reason::Odd => 3,
                Reason::Local => 4,
            }] += 1;
        }
    }
    (decided, longest)
}

/// A million; fewer where an emulated processor runs this.
#[test]
fn program_and_rules_agree_on_a_million_random_packets() {
    let sets = if cfg!(target_arch = "x86_64") { 3_600 } else { 120 };
    let (decided, longest) = agree(1, sets, 300);
    assert!(decided.iter().sum::<u64>() > sets * 280 && longest > 1_000, "{decided:?} {longest}");
    // Nothing is agreed on for want of cases.
    assert!(decided.iter().all(|n| *n > sets * 3), "{decided:?}");
}
