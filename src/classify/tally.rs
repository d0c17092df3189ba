// SPDX-License-Identifier: Apache-2.0
//! Counting which rules packets meet, and which ports no rule knows: what `weir watch-rules`
//! and `hits` on the bus add up.

use super::packet::{Packet, Seen};
use super::scheme::{Reason, Scheme};
use crate::limits;
use crate::order;
use crate::units::Way;
use alloc::vec::Vec;
use core::cmp::Reverse;

/// Hits of one direction.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Packets of each rule of the scheme, by its place.
    pub rules: Vec<u64>,
    /// Packets no rule matched.
    pub default: u64,
    /// Packets the line lives on.
    pub control: u64,
    /// Packets that could not be read.
    pub odd: u64,
    /// Packets that did not come over the line.
    pub local: u64,
    /// What no rule matched, by protocol and the far end's port (0 without ports), most first in the end.
    unmatched: Vec<(u8, u16, u64)>,
}

/// What one rule took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// Its place in the scheme; `None`: it stands for what no rule took.
    pub place: Option<usize>,
    /// Its name.
    pub name: &'a str,
    /// The class of its packets.
    pub class: &'a str,
    /// How many there were.
    pub packets: u64,
}

impl Tally {
    /// Nothing yet.
    pub fn new(rules: usize) -> Self {
        let unmatched = Vec::with_capacity(limits::UNMATCHED);
        Self { rules: alloc::vec![0; rules], default: 0, control: 0, odd: 0, local: 0, unmatched }
    }

    /// Adds a packet.
    pub fn add(&mut self, scheme: &Scheme<'_>, seen: &Seen) {
        let (_, reason) = scheme.decide(seen);
        let count = match reason {
            Reason::Rule(rule) => {
                let place = scheme.rules.iter().position(|known| core::ptr::eq(*known, rule));
                match place.and_then(|place| self.rules.get_mut(place)) {
                    Some(count) => count,
                    None => return,
                }
            }
            Reason::Default => {
                if let Seen::Ip(packet) = seen {
                    self.remember(packet, scheme.way);
                }
                &mut self.default
            }
            Reason::Control => &mut self.control,
            Reason::Odd => &mut self.odd,
            Reason::Local => &mut self.local,
        };
        *count += 1;
    }

    /// Full, the rarest makes room and leaves its count as the newcomer's error (the Space-Saving algorithm): what is
    /// frequent is never lost.
    fn remember(&mut self, packet: &Packet, way: Way) {
        let port = packet.remote_and_local_port(way).map_or(0, |(remote, _)| remote);
        let is_it =
            |(protocol, known, _): &&mut (u8, u16, u64)| (*protocol, *known) == (packet.protocol, port);
        if let Some((.., count)) = self.unmatched.iter_mut().find(is_it) {
            *count += 1;
        } else if self.unmatched.len() < limits::UNMATCHED {
            self.unmatched.push((packet.protocol, port, 1));
        } else if let Some(rarest) = self.unmatched.iter_mut().min_by_key(|(.., count)| *count) {
            *rarest = (packet.protocol, port, rarest.2 + 1);
        }
    }

    /// What each rule took, and what none did: the line's own packets, those that cannot be read, and all others.
    pub fn rows<'a>(&self, scheme: &Scheme<'a>) -> Vec<Row<'a>> {
        let class = |n: usize| scheme.classes.get(n).map_or("", |class| class.name);
        let rules = scheme.rules.iter().zip(&self.rules).enumerate().map(|(place, (rule, packets))| Row {
            place: Some(place),
            name: &rule.name,
            class: &rule.class,
            packets: *packets,
        });
        let rest = [
            ("(line control)", class(scheme.first), self.control),
            ("(unreadable)", class(scheme.default), self.odd),
            ("(no rule)", class(scheme.default), self.default),
        ];
        let rest = rest.map(|(name, class, packets)| Row { place: None, name, class, packets });
        rules.chain(rest).collect()
    }

    /// The most frequent `(protocol, port, packets)` that no rule matched.
    pub fn top(&self, count: usize) -> Vec<(u8, u16, u64)> {
        let mut top = self.unmatched.clone();
        order::by_key(&mut top, |(protocol, port, count)| (Reverse(*count), *protocol, *port));
        top.truncate(count);
        top
    }

    /// All packets.
    pub fn total(&self) -> u64 {
        self.rules.iter().sum::<u64>() + self.default + self.control + self.odd + self.local
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::flow::parse;
    use crate::classify::scheme::Place;
    use crate::config::Rule;
    use crate::units::Handle;
    use alloc::format;

    #[test]
    fn frequent_ports_are_not_lost_among_a_thousand_rare_ones() {
        let dns = Rule {
            matches: crate::config::rule::of_service(&crate::config::service::find("dns").expect("known")),
            ..Rule::builtin()[0].clone()
        };
        let place = Place { name: "normal", leaf: Handle::new(1, 2), set_dscp: None };
        let scheme = Scheme {
            way: Way::Up,
            header: 14,
            rules: alloc::vec![&dns],
            classes: alloc::vec![place],
            default: 0,
            first: 0,
            icmp: None,
            wash: false,
            marks: false,
            local: None,
        };
        let mut tally = Tally::new(1);
        let mut add =
            |text: &str| tally.add(&scheme, &Seen::Ip(parse(text).expect("a flow").packet(Way::Up)));
        for n in 0..1000 {
            add(&format!("udp :{}", 1024 + n));
            add("tcp :9999");
            add("udp :53");
        }
        add("gre 192.0.2.1");
        assert_eq!((tally.rules[0], tally.default, tally.total()), (1000, 2001, 3001));
        assert_eq!(tally.top(1), [(6, 9999, 1000)]);
        tally.add(&scheme, &Seen::Odd);
        tally.add(&scheme, &Seen::Control);
        assert_eq!((tally.odd, tally.control), (1, 1));
    }
}
