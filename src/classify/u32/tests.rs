// SPDX-License-Identifier: Apache-2.0
//! What the tables decide is what `decide` does, with the buckets walked as the kernel walks them.

use super::super::random::{Random, packet, rules};
use super::super::scheme::Place;
use super::super::sight;
use super::super::tests::place;
use super::*;
use crate::config::rule::Match;
use crate::units::{Dscp, Prefix, Way};
use alloc::collections::BTreeMap;

/// The buckets as the kernel has them: nodes by table and bucket.
struct Walk<'a> {
    made: &'a Made<'a>,
    buckets: BTreeMap<(u16, u8), Vec<&'a Node>>,
    /// Nodes looked at in the last walk.
    looked_at: usize,
}

impl<'a> Walk<'a> {
    fn new(made: &'a Made<'a>) -> Self {
        let mut buckets: BTreeMap<(u16, u8), Vec<&Node>> = BTreeMap::new();
        for node in &made.nodes {
            let bucket = buckets.entry((node.table, node.bucket)).or_default();
            bucket.push(node);
            assert_eq!(usize::from(node.number), bucket.len());
            assert!(
                u32::from(node.bucket)
                    < if node.table == 0 { 1 } else { made.tables[node.table as usize - 1].1 }
            );
        }
        Self { made, buckets, looked_at: 0 }
    }

    /// `u32_classify`, line by line; the network header is at `off`.
    fn classify(&mut self, frame: &[u8], off: usize) -> Option<Handle> {
        let word = |at: i64| -> Option<u32> {
            let at = usize::try_from(at).ok()?;
            Some(u32::from_be_bytes(*frame.get(at..)?.first_chunk()?))
        };
        self.looked_at = 0;
        let mut off = off as i64;
        let (mut table, mut bucket) = (0u16, 0u8);
        let mut next = 0usize;
        let mut stack: Vec<(u16, u8, usize, i64)> = Vec::new();
        'node: loop {
            let Some(node) = self.buckets.get(&(table, bucket)).and_then(|nodes| nodes.get(next)) else {
                // Back to the node that led here; it is no end itself.
                (table, bucket, next, off) = stack.pop()?;
                next += 1;
                continue;
            };
            self.looked_at += 1;
            for key in &node.keys {
                let at = off + i64::from(key.off);
                if (word(at)? ^ key.value) & key.mask != 0 {
                    next += 1;
                    continue 'node;
                }
            }
            let (to, eat, hash) = match node.then {
                Then::Class(class) => return Some(class),
                Then::Table { table, eat, hash } => (table, eat, hash),
            };
            assert!(stack.len() < 8, "dead loop");
            stack.push((table, bucket, next, off));
            (table, next, bucket) = (to, 0, 0);
            let divisor = self.made.tables[usize::from(to) - 1].1;
            assert!(divisor.is_power_of_two() && divisor <= 256);
            if divisor > 1 {
                let shift = if hash.1 == 0 { 0 } else { hash.1.trailing_zeros() };
                bucket = ((word(off + i64::from(hash.0))? & hash.1) >> shift & (divisor - 1)) as u8;
            }
            if eat == 0 {
                continue;
            }
            off += i64::from((eat + 3) & !3);
            if off >= frame.len() as i64 {
                (table, bucket, next, off) = stack.pop()?;
                next += 1;
            }
        }
    }
}

const CLASSES: [(&str, u16); 4] = [("critical", 0x10), ("high", 0x20), ("normal", 0x30), ("low", 0x40)];

fn handle(minor: u16) -> Handle {
    Handle::new(0x57e1, minor)
}

fn places() -> Vec<Place<'static>> {
    CLASSES.iter().map(|(name, minor)| Place { name, leaf: handle(*minor), set_dscp: None }).collect()
}

fn scheme<'a>(random: &mut Random, rules: &'a [Rule], local: &'a [Prefix]) -> Scheme<'a> {
    let mut classes = places();
    if random.below(4) == 0 {
        classes[random.below(4) as usize].set_dscp = Dscp::new(random.below(64) as u8);
    }
    let way = if random.below(2) == 0 { Way::Up } else { Way::Down };
    Scheme {
        way,
        header: if random.below(3) == 0 { 0 } else { 14 },
        rules: rules.iter().collect(),
        classes,
        default: random.below(4) as usize,
        first: 0,
        icmp: (random.below(2) == 0).then_some(handle(0x11)),
        wash: random.below(4) == 0,
        marks: true,
        local: (way == Way::Down && random.below(4) == 0).then_some((local, handle(2))),
    }
}

fn returns(verdict: Verdict) -> Handle {
    Handle(verdict.leaf.0 | verdict.mark.map_or(0, |mark| (u32::from(mark.get()) + 1) << 8))
}

/// How often each reason decided, the most nodes, and how many rule sets had rules left out.
fn agree(first_seed: u64, sets: u64, packets: u64) -> ([u64; 5], usize, usize) {
    let (mut decided, mut most, mut shortened) = ([0; 5], 0, 0);
    let local = [Prefix::v4([10, 0, 0, 0], 8).expect("valid")];
    for seed in first_seed..first_seed + sets {
        let mut random = Random::seeded(seed);
        let rules = rules(&mut random);
        let whole = scheme(&mut random, &rules, &local);
        let made = compile(&whole, &returns).expect("a short list");
        assert!(made.nodes.len() <= limits::U32_NODES && made.tables.len() < 0x400, "seed {seed}");
        most = most.max(made.nodes.len());
        shortened += usize::from(!made.left_out.is_empty());
        let is_asked = |rule: &&Rule| !is_among(rule, &made.left_out);
        let asked = whole.rules.iter().copied().filter(is_asked).collect();
        let asked = Scheme { rules: asked, ..whole.clone() };
        let mut walk = Walk::new(&made);
        for n in 0..packets {
            let frame = packet(&mut random, whole.header, &rules);
            if whole.header == 0 && frame.len() < 4 {
                continue; // no packet
            }
            let seen = sight::parse(&frame, whole.header, asked.asks_bare());
            let (verdict, reason) = asked.decide(&seen);
            let answer = walk.classify(&frame, usize::from(whole.header));
            let answer = answer.unwrap_or(returns(whole.of_odd()));
            assert_eq!(
                answer,
                returns(verdict),
                "seed {seed}, packet {n}: {frame:02x?}\n{seen:?}\n{reason:?}\n{rules:#?}"
            );
            decided[place(reason)] += 1;
        }
    }
    (decided, most, shortened)
}

#[test]
fn tables_and_rules_agree_on_random_packets() {
    let sets = if cfg!(target_arch = "x86_64") { 3_600 } else { 60 };
    let (decided, most, shortened) = agree(1, sets, 300);
    assert!(decided.iter().sum::<u64>() > sets * 280, "{decided:?}");
    assert!(decided.iter().all(|n| *n > sets * 3), "{decided:?}");
    // Both large tables and those that had to be cut short were among them.
    assert!(most > limits::U32_NODES / 2 && shortened > 0, "{most} {shortened}");
}

/// Rules about a port each, high and low in turn.
fn ports(count: u16) -> Vec<Rule> {
    let one = (1..).find_map(|seed| rules(&mut Random::seeded(seed)).pop()).expect("some seed has rules");
    let rule = |n: u16| Rule {
        name: alloc::format!("r{n}"),
        class: if n % 2 == 1 { "high" } else { "low" }.into(),
        set_dscp: None,
        matches: alloc::vec![Match {
            protocols: alloc::vec![17],
            remote_ports: alloc::vec![(20_000 + n, 20_000 + n)],
            ..Match::default()
        }],
        ..one.clone()
    };
    (1..=count).map(rule).collect()
}

#[test]
fn hundreds_of_ports_cost_no_more_nodes_than_ten() {
    for (is_v6, count) in [(false, 10), (false, 100), (false, 400), (true, 100), (true, 400)] {
        let rules = ports(count);
        let whole = Scheme {
            way: Way::Up,
            header: 14,
            rules: rules.iter().collect(),
            classes: places(),
            default: 2,
            first: 0,
            icmp: None,
            wash: false,
            marks: false,
            local: None,
        };
        let made = compile(&whole, &returns).expect("a short list");
        assert!(made.left_out.is_empty());
        let mut walk = Walk::new(&made);
        for (port, class) in [(20_000 + count, 0x40), (30_000, 0x30)] {
            let [high, low] = port.to_be_bytes();
            let mut frame = alloc::vec![0; 14];
            frame[12..].copy_from_slice(if is_v6 { &[0x86, 0xdd] } else { &[8, 0] });
            if is_v6 {
                frame.extend([0x60, 0, 0, 0, 0, 8, 17, 64]);
                frame.extend([0xfd; 32]);
            } else {
                frame.extend([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
            }
            frame.extend([0xea, 0x60, high, low, 0, 8, 0, 0]);
            assert_eq!(walk.classify(&frame, 14), Some(handle(class)), "{count} rules, port {port}");
            assert!(walk.looked_at <= 10, "{count} rules, port {port}: {} nodes", walk.looked_at);
        }
    }
}

#[test]
fn a_tag_the_kernel_has_stepped_over_changes_nothing() {
    for seed in 1..200 {
        let mut random = Random::seeded(seed);
        let rules = rules(&mut random);
        let whole = Scheme { header: 14, ..scheme(&mut random, &rules, &[]) };
        let made = compile(&whole, &returns).expect("a short list");
        let mut walk = Walk::new(&made);
        for _ in 0..100 {
            let frame = packet(&mut random, 14, &rules);
            let Some((addresses, rest)) = frame.split_at_checked(12) else { continue };
            let tagged = [addresses, &[0x81, 0, 0x60, 7], rest].concat();
            assert_eq!(walk.classify(&tagged, 18), walk.classify(&frame, 14), "seed {seed}: {frame:02x?}");
        }
    }
}
