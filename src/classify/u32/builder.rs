// SPDX-License-Identifier: Apache-2.0
//! The tables under way: the root's, the two families' and what leads where. The lines of the list are in `rows`.

use super::super::list::Line;
use super::super::packet::{ICMPV6, TCP};
use super::key::{Key, key, merged, present};
use super::{Node, Then};
use crate::config::rule::PORT_PROTOCOLS;
use crate::units::{Handle, Way};
use alloc::vec::Vec;

/// Where the ports are; `None`: nowhere.
pub(super) type Ports = Option<i16>;

pub(super) struct Builder<'a> {
    pub(super) way: Way,
    pub(super) asks_bare: bool,
    pub(super) odd: Handle,
    pub(super) rest: Handle,
    pub(super) control: Handle,
    pub(super) lines: Vec<(&'a Line, Handle)>,
    pub(super) tables: Vec<(u32, u32)>,
    /// How many nodes each bucket of each table has, the root's among them.
    pub(super) filled: Vec<Vec<u16>>,
    pub(super) nodes: Vec<Node>,
    /// How many nodes each rule takes.
    pub(super) costs: Vec<(u32, u32)>,
    /// Nodes of lines that alone are too many.
    pub(super) unwritten: usize,
}

impl Builder<'_> {
    pub(super) fn table(&mut self, buckets: u32) -> u16 {
        let number = self.tables.len() as u16 + 1;
        self.tables.push((number.into(), buckets));
        self.filled.push(alloc::vec![0; buckets as usize]);
        number
    }

    pub(super) fn node(&mut self, (table, bucket): (u16, u8), keys: &[Key], then: Then) {
        let mut filled = self.filled.get_mut(usize::from(table)).into_iter().flatten();
        if let Some(keys) = merged(keys)
            && let Some(count) = filled.nth(bucket.into())
        {
            *count += 1;
            self.nodes.push(Node { table, bucket, number: *count, keys, then });
        }
    }

    pub(super) fn link(&mut self, from: u16, keys: &[Key], table: u16, eat: u16) {
        self.node((from, 0), keys, Then::Table { table, eat, hash: (0, 0) });
    }

    /// Everything, from the first byte that is looked at.
    pub(super) fn root(&mut self, header: u16) {
        let (v4, v6) = (self.v4(), self.v6());
        if header == 0 {
            for (version, family) in [(4, v4), (6, v6)] {
                self.link(0, &[key(0, 0xf000_0000, version << 28)], family, 0);
            }
        } else {
            let session = self.table(1);
            for (protocol, family) in [(0x0021, v4), (0x0057, v6)] {
                self.link(session, &[key(4, 0xffff, protocol), present(8)], family, 8);
            }
            self.node((session, 0), &[], Then::Class(self.control));
            // A tag that is still in the packet is where the kernel says the network header is.
            let mut tagged = 0;
            for n in 0..3 {
                let table = if n < 2 { self.table(1) } else { 0 };
                let (off, eat) = if n < 2 { (0, 4) } else { (-4, 0) };
                let mut kinds = alloc::vec![(0x0800, v4), (0x86dd, v6)];
                if tagged > 0 {
                    kinds.extend([(0x8100, tagged), (0x88a8, tagged)]);
                }
                kinds.push((0x8864, session));
                for (kind, to) in kinds {
                    self.link(table, &[key(off, 0xffff, kind), present(off + 4)], to, eat);
                }
                if n < 2 {
                    self.node((table, 0), &[], Then::Class(self.control));
                    tagged = table;
                }
            }
        }
        self.node((0, 0), &[], Then::Class(self.control));
    }

    /// The table IPv4 packets come to.
    pub(super) fn v4(&mut self) -> u16 {
        const FIRST_FRAGMENT: Key = key(4, 0x1fff, 0);
        const SIZES: [Key; 3] = [
            key(0, 0xff00_0000, 0x4500_0000),
            key(0, 0xfe00_0000, 0x4600_0000),
            key(0, 0xf800_0000, 0x4800_0000),
        ];
        let family = self.table(1);
        let [usual, ..] = SIZES;
        let (list, none) = (self.list(false, Some(20)), self.list(false, None));
        for protocol in PORT_PROTOCOLS {
            let is_protocol = key(8, 0xff_0000, u32::from(protocol) << 16);
            let last = if self.asks_bare && protocol == TCP { 12 } else { 0 };
            self.link(family, &[is_protocol, usual, FIRST_FRAGMENT, present(20 + last)], list, 0);
        }
        for size in SIZES {
            self.link(family, &[size, present(16)], none, 0);
        }
        self.node((family, 0), &[], Then::Class(self.odd));
        family
    }

    /// The table IPv6 packets come to.
    pub(super) fn v6(&mut self) -> u16 {
        const fn next(protocol: u8) -> Key {
            key(4, 0xff00, (protocol as u32) << 8)
        }
        let family = self.table(1);
        let (list, none) = (self.list(true, Some(40)), self.list(true, None));
        for protocol in PORT_PROTOCOLS {
            let last = if self.asks_bare && protocol == TCP { 12 } else { 0 };
            self.link(family, &[next(protocol), present(40 + last)], list, 0);
        }
        // Listeners, router and neighbour discovery; listeners stand behind an option of eight bytes.
        for (mask, kind) in [(0xfe, 130), (0xfc, 132), (0xfe, 136), (0xff, 143)] {
            let is_kind = |off| key(off, mask << 24, kind << 24);
            let short = key(40, 0xffff_0000, u32::from(ICMPV6) << 24);
            self.node((family, 0), &[next(ICMPV6), is_kind(40)], Then::Class(self.control));
            self.node((family, 0), &[next(0), short, is_kind(48)], Then::Class(self.control));
        }
        self.link(family, &[present(36)], none, 0);
        family
    }
}
