// SPDX-License-Identifier: Apache-2.0
//! Random rules and packets, for tests and for the lab: every mix of link, network and transport header there is, whole
//! and mangled, with a good share that the rules at hand are about.
#![expect(
    clippy::indexing_slicing,
    reason = "every index was drawn below the length; it never runs on a router"
)]

use crate::config::Rule;
use crate::config::rule::Match;
use crate::config::value;
use crate::units::{Dscp, Prefix};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

/// xorshift: the same numbers for the same seed, on every machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Starts somewhere that depends on every bit of `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self((seed.wrapping_add(1)).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn of<T: Copy>(&mut self, values: &[T]) -> Option<T> {
        values.get(self.below(values.len() as u64) as usize).copied()
    }
}

const CLASSES: [&str; 4] = ["critical", "high", "normal", "low"];
/// Ports that rules and packets meet at.
const PORTS: [u16; 8] = [53, 443, 5060, 5061, 27_015, 8801, 1, 65_535];
const PROTOCOLS: [u8; 14] = [6, 17, 6, 17, 1, 58, 132, 33, 136, 47, 50, 2, 0, 255];

/// Some rules, now and then many.
pub fn rules(random: &mut Random) -> Vec<Rule> {
    let count = match random.below(8) {
        0 => 0,
        1 => 60 + random.below(120),
        _ => 1 + random.below(12),
    };
    (0..count).map(|n| rule(random, n, count < 20)).collect()
}

fn rule(random: &mut Random, n: u64, is_mixed: bool) -> Rule {
    let mut matches: Vec<Match> = Vec::new();
    for _ in 0..1 + random.below(2) {
        matches.push(conditions(random, is_mixed));
    }
    Rule {
        name: format!("r{n}"),
        class: random.of(&CLASSES).unwrap_or("low").into(),
        way: None,
        matches,
        set_dscp: if random.one_in(6) { Dscp::new(random.below(64) as u8) } else { None },
        priority: 100,
        is_trust: false,
        is_builtin: false,
        is_off: false,
        line: n as u32 + 1,
    }
}

fn conditions(random: &mut Random, is_mixed: bool) -> Match {
    let mut one = Match::default();
    // Long lists of rules are about ports, as people's are; short ones about anything at once.
    let kinds = if is_mixed { 1 + random.below(3) } else { 1 };
    for _ in 0..kinds {
        match if is_mixed { random.below(9) } else { 1 + random.below(2) * random.below(2) } {
            0 => {
                one.protocols = (0..1 + random.below(3)).filter_map(|_| random.of(&PROTOCOLS)).collect();
                one.protocols.sort_unstable();
                one.protocols.dedup();
            }
            1 => one.remote_ports = ports(random, is_mixed),
            2 => one.local_ports = ports(random, is_mixed),
            3 => one.dscps = random.next() & random.next() | 1 << random.below(64),
            4 => {
                let (a, b) = (random.below(1600) as u16, random.below(1600) as u16);
                one.length = Some((a.min(b), if random.one_in(3) { u16::MAX } else { a.max(b) }));
            }
            5 | 6 => one.remote = prefixes(random),
            7 => one.local = prefixes(random),
            _ => {
                one.is_bare = true;
                one.protocols = alloc::vec![6];
            }
        }
    }
    one
}

fn ports(random: &mut Random, is_mixed: bool) -> Vec<(u16, u16)> {
    let mut ranges: Vec<(u16, u16)> = (0..1 + random.below(if is_mixed { 4 } else { 1 }))
        .map(|_| {
            let first = match random.below(3) {
                0 => random.of(&PORTS).unwrap_or(1),
                _ => 1 + random.below(65_535) as u16,
            };
            let last = if random.one_in(2) { first } else { first.saturating_add(random.below(5000) as u16) };
            (first, last)
        })
        .collect();
    value::join(&mut ranges);
    ranges
}

fn prefixes(random: &mut Random) -> Vec<Prefix> {
    (0..1 + random.below(3))
        .filter_map(|_| {
            let address = address(random);
            if random.one_in(2) {
                let [a, b, c, d, ..] = address;
                Prefix::v4([a, b, c, d], random.below(33) as u8)
            } else {
                Prefix::v6(address, random.below(129) as u8)
            }
        })
        .collect()
}

/// One of a few, with its last bits changed now and then, so that prefixes of every length tell some apart.
fn address(random: &mut Random) -> [u8; 16] {
    let mut address = [[10u8; 16], [0x20; 16], [0xfd; 16]][random.below(3) as usize];
    if random.one_in(2) {
        let n = random.below(16) as usize;
        address[n] ^= 1 << random.below(8);
    }
    address
}

/// A section for `/etc/config/weir` that makes this rule.
pub fn section(rule: &Rule) -> Option<String> {
    // One alternative is what a section without services has.
    let [one] = rule.matches.as_slice() else { return None };
    let mut out = format!("config rule '{}'\n\toption class '{}'\n", rule.name, rule.class);
    let mut add = |name: &str, value: String| {
        let _ = writeln!(out, "\tlist {name} '{value}'");
    };
    one.protocols.iter().for_each(|n| add("proto", n.to_string()));
    one.remote_ports.iter().for_each(|(a, b)| add("remote_port", format!("{a}-{b}")));
    one.local_ports.iter().for_each(|(a, b)| add("local_port", format!("{a}-{b}")));
    one.remote.iter().for_each(|prefix| add("remote", prefix.to_string()));
    one.local.iter().for_each(|prefix| add("local", prefix.to_string()));
    (0..64).filter(|n| one.dscps >> n & 1 == 1).for_each(|n| add("dscp", n.to_string()));
    if let Some((low, high)) = one.length {
        let _ = writeln!(out, "\toption length '{low}-{high}'");
    }
    if one.is_bare {
        let _ = writeln!(out, "\toption service 'tcp_ack'");
    }
    if let Some(dscp) = rule.set_dscp {
        let _ = writeln!(out, "\toption set_dscp '{}'", dscp.get());
    }
    Some(out)
}

/// A frame for a device with `header` bytes of link header.
pub fn packet(random: &mut Random, header: u16, rules: &[Rule]) -> Vec<u8> {
    let mut frame = Vec::new();
    let is_v6 = random.one_in(2);
    let ip = if is_v6 { v6(random, rules) } else { v4(random, rules) };
    if header > 0 {
        link(random, is_v6, ip.len(), &mut frame);
    }
    frame.extend(ip);
    mangle(random, &mut frame);
    frame
}

/// A link header: mostly plain, else tagged once or twice, PPPoE, or no IP at all.
fn link(random: &mut Random, is_v6: bool, len: usize, frame: &mut Vec<u8>) {
    frame.extend([2; 12]);
    for _ in 0..if random.one_in(4) { 1 + random.below(3) } else { 0 } {
        let tag: u16 = if random.one_in(3) { 0x88a8 } else { 0x8100 };
        frame.extend(tag.to_be_bytes());
        frame.extend([0, random.below(256) as u8]);
    }
    if random.one_in(6) {
        let protocol: u16 = match random.below(8) {
            0 => 0xc021,
            _ if is_v6 => 0x57,
            _ => 0x21,
        };
        frame.extend([0x88, 0x64, 0x11, 0, 0, 7]);
        frame.extend((len as u16 + 2).to_be_bytes());
        frame.extend(protocol.to_be_bytes());
        return;
    }
    let kind: u16 = match random.below(20) {
        0 => 0x0806,
        1 => 0x8863,
        _ if is_v6 => 0x86dd,
        _ => 0x0800,
    };
    frame.extend(kind.to_be_bytes());
}

fn v4(random: &mut Random, rules: &[Rule]) -> Vec<u8> {
    let options = if random.one_in(6) { 1 + random.below(10) as usize } else { 0 };
    let protocol = random.of(&PROTOCOLS).unwrap_or(17);
    let payload = transport(random, protocol, rules);
    let fragment: u16 = match random.below(10) {
        0 => 0x2000 | random.below(0x2000) as u16,
        1 => 0x4000,
        _ => 0,
    };
    let size = 20 + options * 4;
    let mut ip = alloc::vec![0x40 | (size / 4) as u8, random.below(256) as u8];
    ip.extend(((size + payload.len()) as u16).to_be_bytes());
    ip.extend([0, 7]);
    ip.extend(fragment.to_be_bytes());
    ip.extend([64, protocol, 0, 0]);
    for _ in 0..2 {
        let near = near(random, rules, false);
        ip.extend(near.iter().take(4));
    }
    ip.extend(core::iter::repeat_n(1, options * 4));
    ip.extend(payload);
    ip
}

fn v6(random: &mut Random, rules: &[Rule]) -> Vec<u8> {
    let protocol = random.of(&PROTOCOLS).unwrap_or(17);
    let mut payload = transport(random, protocol, rules);
    let mut next = protocol;
    let count = match random.below(6) {
        0 => 1 + random.below(9),
        1 => 1,
        _ => 0,
    };
    for _ in 0..count {
        let kind = random.of(&[0u8, 43, 60, 44, 51]).unwrap_or(0);
        let mut extension = alloc::vec![next, 0];
        match kind {
            44 => {
                let offset = if random.one_in(3) { (random.below(4) as u16) << 3 } else { 0 };
                extension.extend((offset | random.below(2) as u16).to_be_bytes());
                extension.extend([0, 0, 0, 9]);
            }
            51 => {
                let words = 1 + random.below(5);
                extension[1] = words as u8;
                extension.extend(core::iter::repeat_n(3, words as usize * 4 + 6));
            }
            _ => {
                // Now and then longer than 128 bytes: behind what drivers pull into the linear part.
                let eights = if random.one_in(4) { random.below(40) } else { random.below(3) };
                extension[1] = eights as u8;
                extension.extend(core::iter::repeat_n(1, eights as usize * 8 + 6));
            }
        }
        extension.extend(payload);
        payload = extension;
        next = kind;
    }
    let (class, label) = (random.below(256) as u8, random.below(256) as u8);
    let mut ip = alloc::vec![0x60 | class >> 4, class << 4 | label >> 4, label, label];
    ip.extend((payload.len() as u16).to_be_bytes());
    ip.extend([next, 64]);
    for _ in 0..2 {
        let near = near(random, rules, true);
        ip.extend(near);
    }
    ip.extend(payload);
    ip
}

/// An address some rule is about, or just beside.
fn near(random: &mut Random, rules: &[Rule], is_v6: bool) -> [u8; 16] {
    let one = rules.get(random.below(rules.len() as u64) as usize).and_then(|rule| rule.matches.first());
    let known = one.and_then(|one| one.remote.iter().chain(&one.local).find(|prefix| prefix.is_v6 == is_v6));
    match known {
        Some(prefix) if random.one_in(2) => {
            let mut address = prefix.address;
            let bit = random.below(u64::from(if is_v6 { 128u8 } else { 32 })) as usize;
            if random.one_in(2) {
                address[bit / 8] ^= 0x80 >> (bit % 8);
            }
            address
        }
        _ => address(random),
    }
}

fn transport(random: &mut Random, protocol: u8, rules: &[Rule]) -> Vec<u8> {
    let one = rules.get(random.below(rules.len() as u64) as usize).and_then(|rule| rule.matches.first());
    let mut port = || match random.below(4) {
        0 => random.below(65_536) as u16,
        1 => random.of(&PORTS).unwrap_or(1),
        _ => {
            let ranges =
                one.map(|one| if one.remote_ports.is_empty() { &one.local_ports } else { &one.remote_ports });
            let ranges = ranges.map_or(&[][..], |ranges| ranges.as_slice());
            let (low, high) = random.of(ranges).unwrap_or((443, 444));
            let at = if random.one_in(2) { low } else { high };
            at.wrapping_add(random.below(3) as u16).wrapping_sub(1)
        }
    };
    let mut out: Vec<u8> = [port(), port()].iter().flat_map(|port| port.to_be_bytes()).collect();
    match protocol {
        6 => {
            let words = 5 + random.below(11) as u8;
            out.extend([0, 0, 0, 1, 0, 0, 0, 2, words << 4, 0x10, 1, 0, 0, 0, 0, 0]);
            out.extend(core::iter::repeat_n(1, usize::from(words - 5) * 4));
        }
        58 if random.one_in(2) => {
            out = alloc::vec![
                random.of(&[129u8, 130, 132, 133, 137, 138, 142, 143, 144]).unwrap_or(128),
                0,
                0,
                0
            ];
            out.extend([0; 4]);
        }
        _ => out.extend([0; 4]),
    }
    if !random.one_in(3) {
        let len = if random.one_in(8) { random.below(1400) } else { random.below(40) };
        out.extend(core::iter::repeat_n(0xaa, len as usize));
    }
    out
}

/// Some are cut off, some have a byte changed.
fn mangle(random: &mut Random, frame: &mut Vec<u8>) {
    match random.below(12) {
        0 => frame.truncate(random.below(frame.len() as u64 + 1) as usize),
        1 => frame.truncate(frame.len().min(10 + random.below(70) as usize)),
        2 => {
            let at = random.below(frame.len() as u64) as usize;
            if let Some(byte) = frame.get_mut(at) {
                *byte = random.below(256) as u8;
            }
        }
        _ => {}
    }
}
