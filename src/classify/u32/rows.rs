// SPDX-License-Identifier: Apache-2.0
//! The lines of the decision list as nodes: one behind another, or in a table that is entered by the port.

use super::super::list::{BARE, DSCP, Field, LENGTH, LOCAL, LOCAL_PORT, Line, PROTOCOL, REMOTE, REMOTE_PORT};
use super::super::packet::TCP;
use super::Then;
use super::builder::{Builder, Ports};
use super::key::{Alternative, Key, Slot, key};
use crate::config::rule::PORT_PROTOCOLS;
use crate::limits;
use crate::units::{Handle, Way};
use alloc::vec::Vec;

/// One line in one place: what each node of it has, and the conditions that can be met in several ways.
struct Row {
    keys: Vec<Key>,
    choices: Vec<Vec<Alternative>>,
    class: Handle,
    rule: Option<usize>,
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
    /// The lines that can hold for packets of one family with their ports there; the rest takes the default.
    pub(super) fn list(&mut self, is_v6: bool, ports: Ports) -> u16 {
        let table = self.table(1);
        let mut rows: Vec<(Row, &Line)> = Vec::new();
        for (line, class) in &self.lines {
            rows.extend(self.row(line, *class, is_v6, ports).map(|row| (row, *line)));
        }
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
