// SPDX-License-Identifier: Apache-2.0
//! Program and rules say the same: random rules, random packets, three opinions (the third is the kernel's, in the lab).

use super::Program;
use super::bpf::{kernel_takes, run};
use super::compile::{Framing, compile, in_pieces};
use super::list::list;
use super::packet::parse;
use super::random::{Random, packet, rules};
use super::scheme::{Place, Reason, Scheme, Verdict};
use crate::config::Rule;
use crate::config::rule::Match;
use crate::units::{Dscp, Handle, Way};
use alloc::vec::Vec;
use alloc::{format, vec};

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
        let Some(program) = compiled(&scheme, 1) else { continue };
        longest = longest.max(program.insns.len());
        agree_on(&scheme, &program, &rules, (seed, packets), &mut random, &mut decided);
    }
    (decided, longest)
}

/// The program of a scheme, from as few pieces as that takes, but not fewer than `pieces`.
fn compiled(scheme: &Scheme<'_>, pieces: usize) -> Option<Program> {
    let list = list(scheme).expect("a short list");
    let framing =
        Framing { way: scheme.way, header: scheme.header, control: scheme.of_control(), only: None };
    match pieces {
        1 => compile(&list, &framing, &returns),
        _ => in_pieces(&list, &framing, &returns, pieces),
    }
}

/// So many packets, on each of which the program says what the rules say.
fn agree_on(
    scheme: &Scheme<'_>,
    program: &Program,
    rules: &[Rule],
    (seed, packets): (u64, u64),
    random: &mut Random,
    decided: &mut [u64; 5],
) {
    if let Err(text) = kernel_takes(&program.insns) {
        panic!("seed {seed}: {text}");
    }
    for n in 0..packets {
        let frame = packet(random, scheme.header, rules);
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
        decided[place(reason)] += 1;
    }
}

/// Where decisions are counted by their reason.
pub(super) fn place(reason: Reason<'_>) -> usize {
    match reason {
        Reason::Rule(_) => 0,
        Reason::Default => 1,
        Reason::Control => 2,
        Reason::Odd => 3,
        Reason::Local => 4,
    }
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

/// Rules about ports of TCP and UDP, and behind them the services, which tell the two apart.
fn rules_and_services(count: u16) -> Vec<Rule> {
    let own = (0..count).map(|n| Rule {
        name: format!("r{n}"),
        class: ["critical", "high", "low"][usize::from(n % 3)].into(),
        matches: vec![Match {
            protocols: vec![6, 17],
            remote_ports: vec![(10_000 + 37 * n, 10_000 + 37 * n)],
            ..Match::default()
        }],
        ..Rule::builtin()[0].clone()
    });
    own.chain(Rule::builtin()).collect()
}

#[test]
fn a_list_too_long_for_one_diagram_is_cut_in_pieces_and_decides_the_same() {
    for (count, fits, pieces) in [(0, true, 1), (0, true, 4), (400, false, 1), (400, true, 2), (400, true, 4)]
    {
        let rules = rules_and_services(count);
        let scheme = Scheme {
            way: Way::Up,
            header: 14,
            rules: rules.iter().collect(),
            classes: places(),
            default: 2,
            first: 0,
            icmp: Some(handle(0x11)),
            wash: false,
            marks: true,
            local: None,
        };
        let list = list(&scheme).expect("a short list");
        let framing = Framing { way: Way::Up, header: 14, control: scheme.of_control(), only: None };
        assert_eq!(
            in_pieces(&list, &framing, &returns, pieces).is_some(),
            fits,
            "{count} rules, {pieces} pieces"
        );
        let (mut random, mut decided) = (Random::seeded(u64::from(count)), [0; 5]);
        let program = compiled(&scheme, pieces).expect("it fits");
        agree_on(&scheme, &program, &rules, (0, 20_000), &mut random, &mut decided);
        assert!(decided[0] > 5_000 && decided[1] > 1_000, "{decided:?}");
    }
}
