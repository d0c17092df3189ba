// SPDX-License-Identifier: Apache-2.0
//! What only shows when rules become a program: rules that can never match, programs that grow too large.
//!
//! Called at the door, beside `config::read`, so that `weir check` says it before anything is touched.

use super::diagram::{Diagram, Target};
use super::list::{self, Line};
use super::scheme::Scheme;
use super::steps::Steps;
use crate::config::{Fault, Rule, Severity};
use crate::limits;
use crate::order;
use crate::text::joined;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What every warning about a rule out of reach says, so that each rule has one.
pub const NEVER: &str = "can never match";

/// The warnings about `found` rules, which are out of reach on every way they hold.
pub fn warning(rule: &Rule, other: &Rule) -> Fault {
    let place = match other.line {
        0 => String::from("built in"),
        line => format!("line {line}"),
    };
    let text = format!(
        "rule '{}' {NEVER}: rule '{}' ({place}) takes all its packets first; option 'priority' puts it in front",
        rule.name, other.name
    );
    Fault { severity: Severity::Warning, line: rule.line, option: String::new(), text }
}

/// Which rules some packet reaches, by their place; those before the others take all there is between them. `None`: it
/// would take more `steps` to say.
///
/// What no single rule covers shows only in a diagram in which every rule has an answer of its own.
pub fn reached(scheme: &Scheme<'_>, steps: &Steps) -> Option<Vec<bool>> {
    /// A hundred times what the built-in rules need; a moment's work.
    const PARTS: usize = 60_000;
    let mut all: Vec<Line> = Vec::new();
    list::all_lines(scheme, steps, &mut all)?;
    let lines: Vec<(&Line, u32)> =
        all.iter().map(|line| (line, line.rule.map_or(u32::MAX, |n| n as u32))).collect();
    let mut is_met = alloc::vec![false; scheme.rules.len()];
    let mut meet = |target: &Target| {
        if let Target::Answer(n) = target
            && let Some(met) = is_met.get_mut(*n as usize)
        {
            *met = true;
        }
    };
    for is_v6 in [false, true] {
        let is_about = |line: &Line| line.is_v6.is_none_or(|family| family == is_v6);
        let active: Vec<u32> = (0..).zip(&all).filter(|(_, line)| is_about(line)).map(|(n, _)| n).collect();
        let mut diagram = Diagram::new(PARTS, steps);
        meet(&diagram.add(&lines, &active, Target::Fall)?);
        diagram.nodes.iter().flat_map(|node| &node.parts).for_each(|(_, target)| meet(target));
    }
    Some(is_met)
}

/// The warning about a rule that [`reached`] says no packet reaches.
pub fn never(rule: &Rule) -> Fault {
    let text = format!(
        "rule '{}' {NEVER}: rules before it take every packet that meets its conditions, or none can; option \
         'priority' puts it in front",
        rule.name
    );
    Fault { severity: Severity::Warning, line: rule.line, option: String::new(), text }
}

/// The fault of rules that make too large a program, or are too much work to make one of, naming those that cost most; `fits` says whether the first so many
/// of the file's own would make one.
pub fn too_large(scheme: &Scheme<'_>, is_work: bool, fits: &dyn Fn(usize) -> bool) -> Fault {
    let own: Vec<&Rule> = scheme.rules.iter().copied().filter(|rule| rule.line > 0).collect();
    // The most that fit, by halves.
    let (mut most, mut too_many) = (0, own.len());
    while too_many - most > 1 {
        let middle = most.midpoint(too_many);
        *(if fits(middle) { &mut most } else { &mut too_many }) = middle;
    }
    // Where none is known to fit, none is to blame.
    let first = own.get(most).filter(|_| most > 0);
    let beyond = first.map(|rule| format!("from rule '{}' on they do not fit; ", rule.name));
    let beyond = beyond.unwrap_or_default();
    let without = match scheme.rules.iter().any(|rule| rule.line == 0 && !rule.is_trust) {
        true => "; option 'services' 0 in section globals leaves out what is built in",
        false => "",
    };
    let mut lines: Vec<Line> = Vec::new();
    // Of too many lines, the first; what comes behind them is not to blame.
    let _ = list::all_lines(scheme, &Steps::default(), &mut lines);
    let mut costs: Vec<(usize, &Rule)> = scheme.rules.iter().map(|rule| (0, *rule)).collect();
    for line in &lines {
        if let Some((cost, _)) = line.rule.and_then(|n| costs.get_mut(n)) {
            *cost += line.cost() - 1;
        }
    }
    order::by_key(&mut costs, |(cost, _)| core::cmp::Reverse(*cost));
    let names: Vec<String> =
        costs.iter().take(3).map(|(cost, rule)| format!("'{}' ({cost} conditions)", rule.name)).collect();
    let line = first.map_or(0, |rule| rule.line);
    let what = match is_work {
        true => "are so mixed that making a program of them would keep a router too long".into(),
        false => {
            format!(
                "make a program of more than {} instructions, which the kernel does not take",
                limits::PROGRAM
            )
        }
    };
    let text = format!(
        "the rules for {} {what}; {beyond}those that \
         cost most: {}. Ranges instead of single ports, fewer mixed conditions or option 'priority' to keep rules about \
         the same things together make it smaller{without}",
        scheme.way,
        joined(&names, ", ")
    );
    Fault { severity: Severity::Fault, line, option: String::new(), text }
}
