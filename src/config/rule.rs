// SPDX-License-Identifier: Apache-2.0
//! Rules as checked types: what a packet must be like, and where it then goes.
//!
//! A rule holds its conditions as alternatives ([`Match`]): any of them, all of each. Read `service` for the rules that
//! are there without any file. What "remote" means depends on the way: the destination out, the source in.

use super::service::{Service, services};
use super::value;
use crate::order;
use crate::text::joined;
use crate::units::{Dscp, Prefix, Way};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

/// The protocols that have ports: TCP, UDP, DCCP, SCTP, UDP-Lite.
pub const PORT_PROTOCOLS: [u8; 5] = [6, 17, 33, 132, 136];
/// Where the user's own rules stand unless they say otherwise: before everything that is built in.
pub const OWN_PRIORITY: u16 = 100;
/// Where trusted DSCPs are looked at.
pub const DSCP_PRIORITY: u16 = 500;
/// Where the built-in services stand.
pub const SERVICE_PRIORITY: u16 = 1000;

/// One rule (section `rule`, or built in).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it is called in `weir rules` and messages.
    pub name: String,
    /// The name of the class packets go to.
    pub class: String,
    /// On which way it holds; `None`: both.
    pub way: Option<Way>,
    /// Any of these; a rule without conditions has one that is met by every packet.
    pub matches: Vec<Match>,
    /// The DSCP the packets leave with.
    pub set_dscp: Option<Dscp>,
    /// Smaller is looked at earlier.
    pub priority: u16,
    /// It holds only where the line trusts DSCPs (option `trust_dscp`).
    pub is_trust: bool,
    /// A rule of this name is there without any file.
    pub is_builtin: bool,
    /// It does not hold for the time being ([`super::altered`]).
    pub is_off: bool,
    /// The line of its section; 0 for one that no file mentions.
    pub line: u32,
}

/// Conditions that must all be met; an empty one is met by everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// Protocol numbers, rising.
    pub protocols: Vec<u8>,
    /// Ports of the far end: ranges, rising and disjoint.
    pub remote_ports: Vec<(u16, u16)>,
    /// Ports of the near end.
    pub local_ports: Vec<(u16, u16)>,
    /// Addresses of the far end.
    pub remote: Vec<Prefix>,
    /// Addresses of the near end.
    pub local: Vec<Prefix>,
    /// A bit for each code point; 0: any.
    pub dscps: u64,
    /// Bytes of the IP packet.
    pub length: Option<(u16, u16)>,
    /// TCP without payload.
    pub is_bare: bool,
}

impl Match {
    /// Both at once; `None` if no packet can meet both.
    pub fn and(&self, other: &Self) -> Option<Self> {
        let dscps = match (self.dscps, other.dscps) {
            (0, only) | (only, 0) => only,
            (a, b) if a & b != 0 => a & b,
            _ => return None,
        };
        let length = match (self.length, other.length) {
            (None, only) | (only, None) => only,
            (Some(a), Some(b)) => Some((a.0.max(b.0), a.1.min(b.1))).filter(|(low, high)| low <= high),
        };
        if length.is_none() && self.length.is_some() {
            return None;
        }
        Some(Self {
            protocols: both(&self.protocols, &other.protocols, |a, b| (a == b).then_some(*a))?,
            remote_ports: both(&self.remote_ports, &other.remote_ports, overlap)?,
            local_ports: both(&self.local_ports, &other.local_ports, overlap)?,
            remote: both(&self.remote, &other.remote, narrower)?,
            local: both(&self.local, &other.local, narrower)?,
            dscps,
            length,
            is_bare: self.is_bare || other.is_bare,
        })
    }
}

/// `udp, remote_port 53, 5000-5100`; `any packet`.
impl fmt::Display for Match {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Words { f, count: 0 };
        if self.is_bare {
            words.add("tcp without payload")?;
        } else if !self.protocols.is_empty() {
            let names: Vec<String> = self.protocols.iter().map(|n| value::protocol_name(*n)).collect();
            let names = if self.protocols == [1, 58] { "icmp".into() } else { joined(&names, "/") };
            words.add(&names)?;
        }
        words.list("remote_port", &mut self.remote_ports.iter().map(range))?;
        words.list("local_port", &mut self.local_ports.iter().map(range))?;
        words.list("remote", &mut self.remote.iter().map(Prefix::to_string))?;
        words.list("local", &mut self.local.iter().map(Prefix::to_string))?;
        let points = (0..64).filter(|n| self.dscps >> n & 1 == 1).filter_map(Dscp::new);
        words.list("dscp", &mut points.map(value::dscp_name))?;
        words.list(
            "length",
            &mut self.length.iter().map(|length| match *length {
                (low, u16::MAX) => format!("{low}-"),
                _ => range(length),
            }),
        )?;
        if words.count == 0 { f.write_str("any packet") } else { Ok(()) }
    }
}

fn range((low, high): &(u16, u16)) -> String {
    if low == high { low.to_string() } else { format!("{low}-{high}") }
}

/// Conditions written one behind another.
struct Words<'a, 'b> {
    f: &'a mut fmt::Formatter<'b>,
    count: usize,
}

impl Words<'_, '_> {
    fn add(&mut self, text: &str) -> fmt::Result {
        self.f.write_str(if self.count > 0 { ", " } else { "" })?;
        self.count += 1;
        self.f.write_str(text)
    }

    fn list(&mut self, name: &str, entries: &mut dyn Iterator<Item = String>) -> fmt::Result {
        /// More of a list than this is counted.
        const SHOWN: usize = 8;
        for (n, entry) in entries.take(SHOWN).enumerate() {
            if n == 0 {
                self.add(name)?;
            }
            self.f.write_str(if n == 0 { " " } else { "," })?;
            self.f.write_str(&entry)?;
        }
        match entries.count() {
            0 => Ok(()),
            more => write!(self.f, " and {more} more"),
        }
    }
}

/// What meets a condition of each list; an empty list is no condition. `None` if nothing does.
fn both<T: Clone>(a: &[T], b: &[T], meet: impl Fn(&T, &T) -> Option<T>) -> Option<Vec<T>> {
    match (a, b) {
        ([], only) | (only, []) => Some(only.to_vec()),
        _ => {
            let met: Vec<T> = a.iter().flat_map(|x| b.iter().filter_map(|y| meet(x, y))).collect();
            (!met.is_empty()).then_some(met)
        }
    }
}

fn overlap(a: &(u16, u16), b: &(u16, u16)) -> Option<(u16, u16)> {
    let common = (a.0.max(b.0), a.1.min(b.1));
    (common.0 <= common.1).then_some(common)
}

fn narrower(a: &Prefix, b: &Prefix) -> Option<Prefix> {
    let (wide, narrow) = if a.len <= b.len { (a, b) } else { (b, a) };
    wide.contains(narrow).then_some(*narrow)
}

/// The alternatives of a service.
pub fn of_service(service: &Service) -> Vec<Match> {
    let mut matches = Vec::new();
    for group in service.ports() {
        let mut protocols: Vec<u8> =
            group.protocols.split('/').filter_map(|word| value::protocols(word).ok()).flatten().collect();
        order::rising(&mut protocols);
        let ports: Vec<(u16, u16)> =
            group.ports.split(',').filter_map(|word| value::ports(word).ok()).collect();
        let far = Match { protocols, is_bare: group.is_bare, ..Match::default() };
        if group.is_either {
            matches.push(Match { local_ports: ports.clone(), ..far.clone() });
        }
        matches.push(Match { remote_ports: ports, ..far });
    }
    matches
}

/// Code points that ask for a class, after RFC 4594 (service classes), RFC 8325 (their use on Wi-Fi), RFC 5865 (VA),
/// RFC 8622 (LE) and the NQB draft. What is not named says nothing about haste and goes where everything else goes.
pub const DSCP_RULES: &[(&str, &str, &[u8])] = &[
    // CS5 signalling, VA and EF voice, CS6 and CS7 network control.
    ("dscp_critical", "critical", &[40, 44, 46, 48, 56]),
    // AF2x low-latency data, CS3 broadcast video, AF3x streaming, CS4 real-time interactive, AF4x video calls, NQB.
    ("dscp_high", "high", &[18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 45]),
    // AF1x high-throughput data and CS2 operations: no haste, but not less than anybody's either.
    ("dscp_normal", "normal", &[10, 12, 14, 16]),
    // LE and CS1: less than best effort.
    ("dscp_low", "low", &[1, 8]),
];

impl Rule {
    /// The rules that are there without any file.
    pub fn builtin() -> Vec<Self> {
        let mut all = Vec::new();
        let mut add = |name: &str, class: &str, matches, priority, is_trust| {
            all.push(Self {
                name: name.into(),
                class: class.into(),
                way: None,
                matches,
                set_dscp: None,
                priority,
                is_trust,
                is_builtin: true,
                is_off: false,
                line: 0,
            });
        };
        for (name, class, points) in DSCP_RULES {
            let dscps = points.iter().fold(0, |set, point| set | 1 << point);
            add(name, class, alloc::vec![Match { dscps, ..Match::default() }], DSCP_PRIORITY, true);
        }
        for service in services() {
            add(service.name, service.class, of_service(&service), SERVICE_PRIORITY, false);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(ranges: &[(u16, u16)]) -> Match {
        Match { remote_ports: ranges.to_vec(), ..Match::default() }
    }

    #[test]
    fn conditions_of_a_service_and_of_a_rule_must_both_be_met() {
        let a = ports(&[(10, 20), (40, 50)]);
        assert_eq!(a.and(&ports(&[(15, 45)])), Some(ports(&[(15, 20), (40, 45)])));
        assert_eq!(a.and(&ports(&[(21, 39)])), None);
        assert_eq!(a.and(&Match::default()), Some(a.clone()));
        let net =
            |text| Match { remote: alloc::vec![value::prefix(text).expect("a prefix")], ..Match::default() };
        assert_eq!(net("10.0.0.0/8").and(&net("10.1.0.0/16")), Some(net("10.1.0.0/16")));
        assert_eq!(net("10.0.0.0/8").and(&net("11.1.0.0/16")), None);
        assert_eq!(net("::/0").and(&net("10.0.0.0/8")), None);
        let long = |range| Match { length: Some(range), ..Match::default() };
        assert_eq!(long((0, 100)).and(&long((50, 200))), Some(long((50, 100))));
        assert_eq!(long((0, 100)).and(&long((101, 200))), None);
        let marked = |dscps| Match { dscps, ..Match::default() };
        assert_eq!(marked(6).and(&marked(3)), Some(marked(2)));
        assert_eq!(marked(6).and(&marked(8)), None);
    }

    #[test]
    fn the_rules_that_are_there_anyway_have_names_of_their_own() {
        let rules = Rule::builtin();
        for (n, rule) in rules.iter().enumerate() {
            assert!(!rules[..n].iter().any(|other| other.name == rule.name), "{}", rule.name);
            assert!(!rule.matches.is_empty());
        }
    }
}
