// SPDX-License-Identifier: Apache-2.0
//! What a classifier of one direction is to decide, and the decision itself, straight from the rules.
//!
//! `decide` is what `compile` must agree with, and what `weir explain` tells. It is written to be read, not to be fast.

use super::packet::{ICMP, ICMPV6, Packet, Seen, TCP};
use crate::config::Rule;
use crate::config::rule::Match;
use crate::units::{Dscp, Handle, Prefix, Way};
use alloc::vec::Vec;

/// Where the packets of a class go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The class's name.
    pub name: &'a str,
    /// Its leaf.
    pub leaf: Handle,
    /// The DSCP its packets are given.
    pub set_dscp: Option<Dscp>,
}

/// What one direction's classifier is to decide.
#[derive(Clone, Debug)]
pub struct Scheme<'a> {
    /// Which way the packets go.
    pub way: Way,
    /// Bytes of link header in front of the packet: 14 (Ethernet) or 0 (PPP, raw IP).
    pub header: u16,
    /// The rules that hold here, in the order they are looked at.
    pub rules: Vec<&'a Rule>,
    /// The classes.
    pub classes: Vec<Place<'a>>,
    /// Which of them takes what nothing else places.
    pub default: usize,
    /// Which of them is served first: what the line lives on goes there.
    pub first: usize,
    /// The leaf of the first class's ICMP, if it has one.
    pub icmp: Option<Handle>,
    /// The DSCP is cleared where nothing sets one.
    pub wash: bool,
    /// Rules' DSCPs are set.
    pub marks: bool,
    /// Packets from these addresses did not come over the line: `(prefixes, leaf)`.
    pub local: Option<(&'a [Prefix], Handle)>,
}

/// What is decided of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Verdict {
    /// The class's leaf.
    pub leaf: Handle,
    /// The DSCP the packet is given.
    pub mark: Option<Dscp>,
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason<'a> {
    /// This rule matched first.
    Rule(&'a Rule),
    /// No rule did.
    Default,
    /// The line itself needs it.
    Control,
    /// It is cut off or contradicts itself.
    Odd,
    /// It did not come over the line.
    Local,
}

impl<'a> Scheme<'a> {
    /// The verdict on what `rule` places, ICMP told apart from the rest.
    pub fn of_rule(&self, rule: &Rule, is_icmp: bool) -> Verdict {
        let n = self.classes.iter().position(|class| class.name == rule.class).unwrap_or(self.default);
        self.of_class(n, rule.set_dscp.filter(|_| self.marks), is_icmp)
    }

    /// The verdict on what nothing else places.
    pub fn of_default(&self, is_icmp: bool) -> Verdict {
        self.of_class(self.default, None, is_icmp)
    }

    /// The verdict on what the line lives on; it is never marked.
    pub fn of_control(&self) -> Verdict {
        let leaf = self.classes.get(self.first).map_or(Handle::NONE, |class| class.leaf);
        Verdict { leaf, mark: None }
    }

    fn of_class(&self, n: usize, set_dscp: Option<Dscp>, is_icmp: bool) -> Verdict {
        let Some(class) = self.classes.get(n) else { return Verdict { leaf: Handle::NONE, mark: None } };
        let leaf = self.icmp.filter(|_| is_icmp && n == self.first).unwrap_or(class.leaf);
        let washed = if self.wash { Dscp::new(0) } else { None };
        Verdict { leaf, mark: set_dscp.or(class.set_dscp).or(washed) }
    }

    /// Whether any rule asks for TCP without payload.
    pub fn asks_bare(&self) -> bool {
        self.rules.iter().any(|rule| rule.matches.iter().any(|one| one.is_bare))
    }

    /// Decides.
    pub fn decide(&self, seen: &Seen) -> (Verdict, Reason<'a>) {
        let packet = match seen {
            Seen::Ip(packet) => packet,
            Seen::Control => return (self.of_control(), Reason::Control),
            Seen::Odd => return (self.of_odd(), Reason::Odd),
        };
        if packet.protocol == TCP && packet.is_bare.is_none() && self.asks_bare() {
            return (self.of_odd(), Reason::Odd);
        }
        if let Some((prefixes, leaf)) = self.local
            && is_in(packet.is_v6, packet.remote(self.way), prefixes)
        {
            return (Verdict { leaf, mark: None }, Reason::Local);
        }
        let is_icmp = packet.protocol == if packet.is_v6 { ICMPV6 } else { ICMP };
        let first = self.rules.iter().find(|rule| rule.matches.iter().any(|one| one.holds(packet, self.way)));
        match first {
            Some(rule) => (self.of_rule(rule, is_icmp), Reason::Rule(rule)),
            None => (self.of_default(is_icmp), Reason::Default),
        }
    }

    /// Whatever could not be read takes the default class as it is.
    pub fn of_odd(&self) -> Verdict {
        Verdict { leaf: self.of_class(self.default, None, false).leaf, mark: None }
    }
}

impl Match {
    /// Whether `packet` meets all of it.
    pub fn holds(&self, packet: &Packet, way: Way) -> bool {
        let ports = packet.remote_and_local_port(way);
        let has = |ranges: &[(u16, u16)], port: Option<u16>| {
            ranges.is_empty()
                || port.is_some_and(|port| ranges.iter().any(|(low, high)| (*low..=*high).contains(&port)))
        };
        let at = |prefixes: &[Prefix], address| prefixes.is_empty() || is_in(packet.is_v6, address, prefixes);
        (self.protocols.is_empty() || self.protocols.contains(&packet.protocol))
            && has(&self.remote_ports, ports.map(|(remote, _)| remote))
            && has(&self.local_ports, ports.map(|(_, local)| local))
            && at(&self.remote, packet.remote(way))
            && at(&self.local, packet.local(way))
            && (self.dscps == 0 || self.dscps >> packet.dscp & 1 == 1)
            && self.length.is_none_or(|(low, high)| {
                // The largest size there is to write stands for "and more".
                packet.length >= u32::from(low) && (packet.length <= u32::from(high) || high == u16::MAX)
            })
            && (!self.is_bare || packet.is_bare == Some(true))
    }
}

fn is_in(is_v6: bool, address: &[u8; 16], prefixes: &[Prefix]) -> bool {
    let whole = Prefix { address: *address, len: if is_v6 { 128 } else { 32 }, is_v6 };
    prefixes.iter().any(|prefix| prefix.contains(&whole))
}
