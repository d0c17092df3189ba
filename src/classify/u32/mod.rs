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

mod builder;
mod key;
mod rows;
#[cfg(test)]
mod tests;

use super::list::list;
use super::scheme::{Scheme, Verdict};
use crate::config::Rule;
use crate::limits;
use crate::units::Handle;
use alloc::vec::Vec;
use builder::Builder;

pub use key::Key;

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
