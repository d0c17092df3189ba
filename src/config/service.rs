// SPDX-License-Identifier: Apache-2.0
//! The built-in services: which ports speak of what, in one table.

/// TCP.
const TCP: u8 = 6;
/// UDP.
const UDP: u8 = 17;

/// Which end of a flow the ports are at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The far end: destination on the way out, source on the way in.
    Remote,
    /// Either end: peers talk to each other, or the server stands at home.
    Either,
}

/// One group of ports of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The protocols.
    pub protocols: &'static [u8],
    /// Where the ports are.
    pub side: Side,
    /// Ranges, sorted and disjoint; none: the whole protocol.
    pub ports: &'static [(u16, u16)],
}

/// One service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name in rules.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The class it goes to unless a rule of its name says otherwise.
    pub class: &'static str,
    /// What it matches: any of these.
    pub groups: &'static [Ports],
    /// TCP without payload.
    pub is_bare: bool,
    /// Why this class, and what ports cannot tell.
    pub note: &'static str,
}

/// The table; the first that matches wins.
pub const SERVICES: &[Service] = &[
    Service {
        name: "icmp",
        title: "Ping and errors",
        class: "critical",
        groups: &[Ports { protocols: &[1, 58], side: Side::Remote, ports: &[] }],
        is_bare: false,
        note: "",
    },
    Service {
        name: "dns",
        title: "DNS",
        class: "critical",
        groups: &[Ports { protocols: &[TCP, UDP], side: Side::Remote, ports: &[(53, 53), (853, 853)] }],
        is_bare: false,
        note: "",
    },
    Service {
        name: "torrents",
        title: "Torrents",
        class: "low",
        groups: &[Ports { protocols: &[TCP, UDP], side: Side::Either, ports: &[(6881, 6889)] }],
        is_bare: false,
        note: "",
    },
    Service {
        name: "tcp_ack",
        title: "TCP without payload",
        class: "high",
        groups: &[Ports { protocols: &[TCP], side: Side::Remote, ports: &[] }],
        is_bare: true,
        note: "",
    },
];

/// The service of this name.
pub fn find(name: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|service| service.name == name)
}

/// `weir services`.
pub fn help() -> alloc::string::String {
    alloc::string::String::new()
}
