// SPDX-License-Identifier: Apache-2.0
//! From a decision list to the hash tables of `cls_u32`, for kernels without `cls_bpf`.
//!
//! Read `u32_classify` (cls_u32.c) before editing: a node's keys are compared in order, the first node of a bucket whose
//! keys all hold decides or leads to another table, and a table in which nothing holds leads back to the node behind the
//! one that led there. What cannot be read ends the search: the packet takes HTB's default class. So the lines of a list
//! stay in order, each as its nodes, and stretches of lines about ports become tables that are entered by the port.
//!
//! A field's range is cut into prefixes, a key each. What stands behind IPv4 options or IPv6 extension headers is not
//! seen: it could be, but no table can be entered by a port there, and a list of its own would cost every rule as many
//! nodes again. What is seen of a packet is said by `sight`, and `decide` on that is what this must agree with.

use super::list::{BARE, DSCP, Field, LENGTH, LOCAL, LOCAL_PORT, Line, PROTOCOL, REMOTE, REMOTE_PORT, list};
use super::packet::{ICMPV6, TCP};
use super::scheme::{Scheme, Verdict};
use crate::config::Rule;
use crate::config::rule::PORT_PROTOCOLS;
use crate::limits;
use crate::units::{Handle, Way};
use alloc::vec::Vec;

/// Four bytes of a packet compared under a mask, both as numbers in network order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The bits that count; none: the bytes need only be there.
    pub mask: u32,
    /// What they must be.
    pub value: u32,
    /// Where, from the network header or from where a link led.
    pub off: i16,
}

/// What follows when all keys hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// This class.
    Class(Handle),
    /// Another table is asked.
    Table {
        /// Which.
        table: u16,
        /// So many bytes further in the packet, a multiple of four.
        eat: u16,
        /// The bucket is chosen by these bits, whose lowest one makes bucket 1; none: bucket 0.
        hash: (i16, u32),
    },
}

/// One entry of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The table; 0 is the filter's own, where the search begins.
    pub table: u16,
    /// The bucket.
    pub bucket: u8,
    /// Its place there, from 1.
    pub number: u16,
    /// All must hold.
    pub keys: Vec<Key>,
    /// What then.
    pub then: Then,
}

/// Tables and nodes, and what is not among them.
#[derive(Clone, Debug)]
pub struct Made<'a> {
    /// The tables but the first: `(number, buckets)`.
    pub tables: Vec<(u32, u32)>,
    /// The nodes, those of a bucket in their order.
    pub nodes: Vec<Node>,
    /// Rules that need too many nodes and are not asked.
    pub left_out: Vec<&'a Rule>,
}

/// Makes the tables; `returns` says the class of a verdict. `None` if the decision list would be too long.
///
/// Rules that need too many nodes are left out, as if they were not there: those behind them are asked instead.
pub fn compile<'a>(scheme: &Scheme<'a>, returns: &dyn Fn(Verdict) -> Handle) -> Option<Made<'a>> {
    let mut scheme = scheme.clone();
    let mut left_out: Vec<&Rule> = Vec::new();
    loop {
        let list = list(&scheme)?;
        let mut builder = Builder {
            way: scheme.way,
            asks_bare: list.asks_bare,
            odd: returns(scheme.of_odd()),
            rest: returns(list.default),
            control: returns(scheme.of_control()),
            lines: list.lines.iter().map(|line| (line, returns(line.verdict))).collect(),
            tables: Vec::new(),
            filled: alloc::vec![alloc::vec![0]],
            nodes: Vec::new(),
            costs: Vec::new(),
            unwritten: 0,
        };
        builder.root(scheme.header);
        let Builder { tables, nodes, mut costs, unwritten, .. } = builder;
        let mut excess = (nodes.len() + unwritten).saturating_sub(limits::U32_NODES);
        if excess == 0 || costs.is_empty() {
            return Some(Made { tables, nodes, left_out });
        }
        // The rules that need most go, as few of them as can be.
        costs.sort_unstable();
        while let Some((cost, rule)) = costs.pop().filter(|_| excess > 0) {
            excess = excess.saturating_sub(cost as usize);
            left_out.extend(scheme.rules.get(rule as usize));
        }
        scheme.rules.retain(|rule| !is_among(rule, &left_out));
    }
}

/// Whether `rule` itself is one of these.
pub fn is_among(rule: &Rule, rules: &[&Rule]) -> bool {
    rules.iter().any(|other| core::ptr::eq(*other, rule))
}

/// Where the ports are; `None`: nowhere.
type Ports = Option<i16>;

/// Keys that must all hold for one of the ways to meet a condition; where one is enough, it stands there three times.
type Alternative = [Key; 3];

/// One line in one place: what each node of it has, and the conditions that can be met in several ways.
struct Row {
    keys: Vec<Key>,
    choices: Vec<Vec<Alternative>>,
    class: Handle,
    rule: Option<usize>,
}

struct Builder<'a> {
    way: Way,
    asks_bare: bool,
    odd: Handle,
    rest: Handle,
    control: Handle,
    lines: Vec<(&'a Line, Handle)>,
    tables: Vec<(u32, u32)>,
    /// How many nodes each bucket of each table has, the root's among them.
    filled: Vec<Vec<u16>>,
    nodes: Vec<Node>,
    /// How many nodes each rule takes.
    costs: Vec<(u32, u32)>,
    /// Nodes of lines that alone are too many.
    unwritten: usize,
}

const fn key(off: i16, mask: u32, value: u32) -> Key {
    Key { mask, value, off }
}

/// The bytes must be there.
const fn present(off: i16) -> Key {
    key(off, 0, 0)
}

/// Stretches of fewer lines are not worth a table.
const SHORTEST_RUN: usize = 4;
/// A line about more ports than this stays out of tables that are entered by the port.
const PORTS_IN_TABLE: u32 = 64;
/// Ways to meet several conditions that are written out rather than split over tables.
const WRITTEN_OUT: usize = 8;
/// Tables behind one another a line's conditions may be split over; cls_u32 goes eight deep, the way there takes six.
const DEEPEST: u8 = 2;

impl Builder<'_> {
    fn table(&mut self, buckets: u32) -> u16 {
        let number = self.tables.len() as u16 + 1;
        self.tables.push((number.into(), buckets));
        self.filled.push(alloc::vec![0; buckets as usize]);
        number
    }

    fn node(&mut self, (table, bucket): (u16, u8), keys: &[Key], then: Then) {
        let mut filled = self.filled.get_mut(usize::from(table)).into_iter().flatten();
        if let Some(keys) = merged(keys)
            && let Some(count) = filled.nth(bucket.into())
        {
            *count += 1;
            self.nodes.push(Node { table, bucket, number: *count, keys, then });
        }
    }

    fn link(&mut self, from: u16, keys: &[Key], table: u16, eat: u16) {
        self.node((from, 0), keys, Then::Table { table, eat, hash: (0, 0) });
    }

    /// Everything, from the first byte that is looked at.
    fn root(&mut self, header: u16) {
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
    fn v4(&mut self) -> u16 {
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
    fn v6(&mut self) -> u16 {
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

    /// The lines that can hold for packets of one family with their ports there; the rest takes the default.
    fn list(&mut self, is_v6: bool, ports: Ports) -> u16 {
        let table = self.table(1);
        let rows: Vec<(Row, &Line)> = self
            .lines
            .iter()
            .filter_map(|(line, class)| Some((self.row(line, *class, is_v6, ports)?, *line)))
            .collect();
        let mut at = 0;
        while let Some((row, _)) = rows.get(at) {
            let (run, field) = match ports {
                Some(_) => run(rows.get(at..).unwrap_or_default()),
                None => (0, REMOTE_PORT),
            };
            if run < SHORTEST_RUN {
                let choices: Vec<&[Alternative]> = row.choices.iter().map(Vec::as_slice).collect();
                match choices.split_first() {
                    Some((first, others)) => self.emit((table, 0), first, row, others, &mut None, 0),
                    None => {
                        self.node((table, 0), &row.keys, Then::Class(row.class));
                        self.cost(row, 1);
                    }
                }
                at += 1;
            } else {
                let stretch = rows.get(at..at + run).unwrap_or_default();
                self.hashed(table, stretch, field, is_v6, ports);
                at += run;
            }
        }
        self.node((table, 0), &[], Then::Class(self.rest));
        table
    }

    /// A stretch of lines in a table that is entered by the low bits of the port.
    fn hashed(&mut self, from: u16, rows: &[(Row, &Line)], field: Field, is_v6: bool, ports: Ports) {
        let count: u32 = rows.iter().filter_map(|(_, line)| spread(line, field)).sum();
        let buckets = count.next_power_of_two().clamp(8, 256);
        let Some(slot) = self.slot(field, is_v6, ports) else { return };
        let table = self.table(buckets);
        let hash = (slot.off, (buckets - 1) << slot.shift);
        self.node((from, 0), &[], Then::Table { table, eat: 0, hash });
        for (row, line) in rows {
            let mut tail = None;
            let all = slot.ways(line.ranges(field).map_or(&[][..], Vec::as_slice));
            // The choice of ports stands in the bucket; the others come behind it.
            let others: Vec<&[Alternative]> =
                row.choices.iter().map(Vec::as_slice).filter(|choice| *choice != all).collect();
            for bucket in 0..buckets {
                let is_here = |way: &&Alternative| {
                    way.iter().all(|key| {
                        ((key.value >> slot.shift) ^ bucket) & (key.mask >> slot.shift) & (buckets - 1) == 0
                    })
                };
                let here: Vec<Alternative> = all.iter().filter(is_here).copied().collect();
                self.emit((table, bucket as u8), &here, row, &others, &mut tail, 0);
            }
        }
    }

    /// The nodes of a line: `first` and the other `choices` written out, or split over a table for those.
    fn emit(
        &mut self,
        at: (u16, u8),
        first: &[Alternative],
        row: &Row,
        choices: &[&[Alternative]],
        tail: &mut Option<u16>,
        depth: u8,
    ) {
        let before = self.nodes.len() + self.unwritten;
        let others = choices.iter().fold(1usize, |product, choice| product.saturating_mul(choice.len()));
        let product = others.saturating_mul(first.len());
        let fixed = if depth == 0 { row.keys.as_slice() } else { &[] };
        let is_split = first.len() > 1 || choices.len() > 1;
        if product > WRITTEN_OUT && others > 1 && is_split && depth < DEEPEST {
            let table = match *tail {
                Some(table) => table,
                None => {
                    let table = self.table(1);
                    *tail = Some(table);
                    if let Some((next, behind)) = choices.split_first() {
                        self.emit((table, 0), next, row, behind, &mut None, depth + 1);
                    }
                    table
                }
            };
            for way in first {
                self.node(at, &[way, fixed].concat(), Then::Table { table, eat: 0, hash: (0, 0) });
            }
        } else if product <= limits::U32_NODES {
            for way in first {
                self.written_out(at, &mut [way, fixed].concat(), choices, row.class);
            }
        } else {
            self.unwritten += product;
        }
        if depth == 0 {
            self.cost(row, (self.nodes.len() + self.unwritten - before) as u32);
        }
    }

    fn written_out(&mut self, at: (u16, u8), keys: &mut Vec<Key>, choices: &[&[Alternative]], class: Handle) {
        let Some((next, behind)) = choices.split_first() else {
            return self.node(at, keys, Then::Class(class));
        };
        for way in *next {
            let length = keys.len();
            keys.extend(way);
            self.written_out(at, keys, behind, class);
            keys.truncate(length);
        }
    }

    fn cost(&mut self, row: &Row, nodes: u32) {
        let Some(rule) = row.rule.map(|rule| rule as u32) else { return };
        match self.costs.iter_mut().find(|(_, known)| *known == rule) {
            Some((cost, _)) => *cost += nodes,
            None => self.costs.push((nodes, rule)),
        }
    }

    /// A line for packets of one family; `None`: it never holds for them.
    fn row(&self, line: &Line, class: Handle, is_v6: bool, ports: Ports) -> Option<Row> {
        if line.is_v6.is_some_and(|family| family != is_v6) {
            return None;
        }
        let mut row = Row { keys: Vec::new(), choices: Vec::new(), class, rule: line.rule };
        for (field, ranges) in &line.conditions {
            let ways = match *field {
                BARE => self.bare(is_v6, ports)?,
                PROTOCOL if ports.is_some() => {
                    let is_in =
                        |n: &u8| ranges.iter().any(|(low, high)| (*low..=*high).contains(&u32::from(*n)));
                    let wanted: Vec<(u32, u32)> = PORT_PROTOCOLS
                        .iter()
                        .filter(|n| is_in(n))
                        .map(|n| (u32::from(*n), u32::from(*n)))
                        .collect();
                    if wanted.len() == PORT_PROTOCOLS.len() {
                        continue;
                    }
                    self.slot(PROTOCOL, is_v6, ports)?.ways(&wanted)
                }
                field => self.slot(field, is_v6, ports)?.ways(ranges),
            };
            match ways.len() {
                0 => return None,
                1 => row.keys.extend(ways.concat()),
                _ => row.choices.push(ways),
            }
        }
        Some(row)
    }

    /// TCP without payload: for each size of its header the packet's length that leaves none.
    fn bare(&self, is_v6: bool, ports: Ports) -> Option<Vec<Alternative>> {
        let at = ports?;
        let length = |words: u32| match is_v6 {
            true => key(4, 0xffff_0000, (words * 4) << 16),
            false => key(0, 0xffff, 20 + words * 4),
        };
        // First what it is: the others may be behind the end of another protocol's packet, which ends the search.
        let [tcp, ..] =
            *self.slot(PROTOCOL, is_v6, ports)?.ways(&[(u32::from(TCP), u32::from(TCP))]).first()?;
        Some((0..16).map(|words| [tcp, key(at + 12, 0xf000_0000, words << 28), length(words)]).collect())
    }

    /// Where a field is in packets of one family; `None`: they have none.
    fn slot(&self, field: Field, is_v6: bool, ports: Ports) -> Option<Slot> {
        let slot = |off, shift, bits| Some(Slot { off, shift, bits, less: 0 });
        let is_source = match self.way {
            Way::Up => [LOCAL_PORT, LOCAL],
            Way::Down => [REMOTE_PORT, REMOTE],
        };
        match (field, is_v6) {
            (PROTOCOL, false) => slot(8, 16, 8),
            (PROTOCOL, true) => slot(4, 8, 8),
            (DSCP, false) => slot(0, 18, 6),
            (DSCP, true) => slot(0, 22, 6),
            (LENGTH, false) => slot(0, 0, 16),
            (LENGTH, true) => slot(4, 16, 16).map(|slot| Slot { less: 40, ..slot }),
            (REMOTE_PORT | LOCAL_PORT, _) => {
                let shift = if is_source.contains(&field) { 16 } else { 0 };
                slot(ports?, shift, 16)
            }
            (REMOTE.., _) => {
                let (word, is_source) = (i16::from(field & 3), is_source.contains(&(field & !3)));
                let first = match (is_v6, is_source) {
                    (false, true) => 12,
                    (false, false) => 16,
                    (true, true) => 8,
                    (true, false) => 24,
                };
                slot(first + 4 * word, 0, 32)
            }
            _ => None,
        }
    }
}

/// A field's place in a word.
struct Slot {
    off: i16,
    shift: u8,
    bits: u8,
    /// What the packet says is less than the field by this.
    less: u32,
}

impl Slot {
    /// The keys that hold for any of `ranges`.
    fn ways(&self, ranges: &[(u32, u32)]) -> Vec<Alternative> {
        let most = u32::MAX >> (32 - self.bits);
        let mut ways = Vec::new();
        for (low, high) in ranges {
            let low = low.saturating_sub(self.less);
            let Some(high) =
                high.checked_sub(self.less).map(|high| high.min(most)).filter(|high| low <= *high)
            else {
                continue;
            };
            let (mut at, end) = (u64::from(low), u64::from(high) + 1);
            while at < end {
                // The largest power of two that begins here and fits.
                let mut size = if at == 0 { 1 << 32 } else { at & at.wrapping_neg() };
                while at + size > end {
                    size >>= 1;
                }
                let mask = !(size - 1) as u32 & most;
                let (mask, value) = (mask << self.shift, (at as u32) << self.shift);
                ways.push([key(self.off, mask, value); 3]);
                at += size;
            }
        }
        ways
    }
}

/// How many lines from here on are about few ports of the same end, and which end.
fn run(rows: &[(Row, &Line)]) -> (usize, Field) {
    let length = |field| rows.iter().take_while(|(_, line)| spread(line, field).is_some()).count();
    let (remote, local) = (length(REMOTE_PORT), length(LOCAL_PORT));
    if local > remote { (local, LOCAL_PORT) } else { (remote, REMOTE_PORT) }
}

/// How many ports a line is about, if they are few.
fn spread(line: &Line, field: Field) -> Option<u32> {
    let count: u32 = line.ranges(field)?.iter().map(|(low, high)| high - low + 1).sum();
    (count <= PORTS_IN_TABLE).then_some(count)
}

/// Keys with those about the same word as one, in the order given; `None`: they contradict each other.
fn merged(keys: &[Key]) -> Option<Vec<Key>> {
    let mut merged: Vec<Key> = Vec::new();
    for key in keys {
        match merged.iter_mut().find(|known| known.off == key.off) {
            Some(known) => {
                if (known.value ^ key.value) & known.mask & key.mask != 0 {
                    return None;
                }
                known.mask |= key.mask;
                known.value |= key.value;
            }
            None => merged.push(*key),
        }
    }
    Some(merged)
}

#[cfg(test)]
mod tests {
    use super::super::random::{Random, packet, rules};
    use super::super::scheme::Place;
    use super::super::sight;
    use super::super::tests::place;
    use super::*;
    use crate::config::rule::Match;
    use crate::units::{Dscp, Prefix};
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
                assert_eq!(
                    walk.classify(&tagged, 18),
                    walk.classify(&frame, 14),
                    "seed {seed}: {frame:02x?}"
                );
            }
        }
    }
}
