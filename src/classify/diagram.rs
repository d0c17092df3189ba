// SPDX-License-Identifier: Apache-2.0
//! From a decision list to a decision diagram: each node splits one field into ranges, equal parts are one node.
//!
//! Asking field after field instead of line after line is what makes the time a packet takes grow with the logarithm
//! of the number of rules. It may need many nodes where rules mix fields freely; the caller gives a budget and falls
//! back to shorter lists.

use super::list::{Field, Line};
use super::steps::Steps;
use crate::index::{self, Index};
use alloc::vec::Vec;

/// Where a range of values leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// No line holds.
    Fall,
    /// This is the answer.
    Answer(u32),
    /// Another field is asked.
    Node(u32),
}

impl Target {
    /// Two numbers no other has.
    fn numbers(self) -> [u32; 2] {
        match self {
            Self::Fall => [0, 0],
            Self::Answer(n) => [1, n],
            Self::Node(n) => [2, n],
        }
    }
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The field that is looked at.
    pub field: Field,
    /// `(last value, where it leads)`, rising; the last one's value is the greatest there is.
    pub parts: Vec<(u32, Target)>,
}

/// Nodes, each after all it leads to.
#[derive(Debug)]
pub struct Diagram<'a> {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// What has been built from which lines, so that nothing is built twice.
    built: Index,
    /// What that became.
    targets: Vec<Target>,
    /// The nodes by their content, so that equal ones are one.
    known: Index,
    /// How many more parts there may be.
    budget: usize,
    /// How much work it may be.
    steps: &'a Steps,
}

impl<'a> Diagram<'a> {
    /// An empty diagram that may grow by so many parts, with so much work.
    pub fn new(budget: usize, steps: &'a Steps) -> Self {
        let (built, known) = Default::default();
        Self { nodes: Vec::new(), built, targets: Vec::new(), known, budget, steps }
    }

    /// Adds what decides among those `lines` that are named, and `last` where none holds; `None` if it would grow
    /// beyond its budget, or be too much work.
    pub fn add(&mut self, lines: &[(&Line, u32)], active: &[u32], last: Target) -> Option<Target> {
        self.build(lines, active, last, 0)
    }

    /// `last` is what holds when no line does; the fields below `from` have been asked.
    fn build(&mut self, lines: &[(&Line, u32)], active: &[u32], last: Target, from: Field) -> Option<Target> {
        self.steps.take(1 + active.len())?;
        let line = |n: &u32| lines.get(*n as usize).map(|(line, _)| *line);
        let answer = |n: &u32| lines.get(*n as usize).map_or(Target::Fall, |(_, n)| Target::Answer(*n));
        // What is behind a line that holds anyway is never asked.
        let end = active.iter().position(|n| line(n).is_none_or(|line| line.is_done(from)));
        let (mut active, last) = match end.and_then(|end| Some((active.get(..end)?, active.get(end)?))) {
            Some((before, end)) => (before, answer(end)),
            None => (active, last),
        };
        // Nor need be what would decide the same as what holds anyway.
        while let Some((_, before)) = active.split_last().filter(|(n, _)| answer(n) == last) {
            active = before;
        }
        let next = |line: &Line| line.conditions.iter().map(|(field, _)| *field).find(|field| *field >= from);
        let Some(field) = active.iter().filter_map(line).filter_map(next).min() else { return Some(last) };
        let key =
            index::key([u32::from(field)].into_iter().chain(last.numbers()).chain(active.iter().copied()));
        if let Some(target) = self.built.get(&key).and_then(|n| self.targets.get(n as usize)) {
            return Some(*target);
        }
        let mut parts: Vec<(u32, Target)> = Vec::new();
        let edges = edges(lines, active, field);
        self.steps.take(edges.len())?;
        let mut edges = edges.as_slice();
        // Those that still can hold: without a condition here always, with one between its edges.
        let free = |n: &&u32| line(n).is_none_or(|line| line.ranges(field).is_none());
        let mut still: Vec<u32> = active.iter().filter(free).copied().collect();
        let mut previous: Vec<u32> = Vec::new();
        let mut first = 0;
        loop {
            while let Some(((_, n), others)) = edges.split_first().filter(|((at, _), _)| *at == first) {
                match still.binary_search(n) {
                    Ok(at) => drop(still.remove(at)),
                    Err(at) => still.insert(at, *n),
                }
                edges = others;
            }
            self.steps.take(1 + still.len())?;
            let end = edges.first().map_or(u32::MAX, |(next, _)| next - 1);
            let target = match parts.last() {
                Some((_, target)) if still == previous => *target,
                _ => self.build(lines, &still, last, field + 1)?,
            };
            previous.clone_from(&still);
            match parts.last_mut() {
                Some((old, same)) if *same == target => *old = end,
                _ => {
                    self.budget = self.budget.checked_sub(1)?;
                    parts.push((end, target));
                }
            }
            match end.checked_add(1) {
                Some(next) => first = next,
                None => break,
            }
        }
        let target = match parts.as_slice() {
            [(_, only)] => *only,
            _ => self.node(field, parts),
        };
        self.built.add(key, self.targets.len() as u32);
        self.targets.push(target);
        Some(target)
    }

    fn node(&mut self, field: Field, parts: Vec<(u32, Target)>) -> Target {
        let leads = parts.iter().flat_map(|(end, target)| [*end].into_iter().chain(target.numbers()));
        let new = self.nodes.len() as u32;
        let n = self.known.add(index::key([u32::from(field)].into_iter().chain(leads)), new);
        if n == new {
            self.nodes.push(Node { field, parts });
        }
        Target::Node(n)
    }
}

/// Where ranges of `field` begin or end behind, rising, each with the line whose they are.
fn edges(lines: &[(&Line, u32)], active: &[u32], field: Field) -> Vec<(u32, u32)> {
    let mut edges: Vec<(u32, u32)> = Vec::new();
    for n in active {
        for (low, high) in
            lines.get(*n as usize).and_then(|(line, _)| line.ranges(field)).into_iter().flatten()
        {
            edges.push((*low, *n));
            edges.extend(high.checked_add(1).map(|behind| (behind, *n)));
        }
    }
    edges.sort_unstable();
    edges
}
