// SPDX-License-Identifier: Apache-2.0
//! What only shows when rules become a program: rules that can never match, programs that grow too large.
//!
//! Called at the door, beside `config::read`, so that `weir check` says it before anything is touched.

use super::list;
use super::scheme::Scheme;
use crate::config::{Fault, Rule, Severity};
use crate::limits;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The warnings about `found` rules, which are out of reach on every way they hold.
pub fn warning(rule: &Rule, other: &Rule) -> Fault {
    let place = match other.line {
        0 => String::from("built in"),
        line => format!("line {line}"),
    };
    let text = format!(
        "rule '{}' can never match: rule '{}' ({place}) takes all its packets first; option 'priority' puts it in front",
        rule.name, other.name
    );
    Fault { severity: Severity::Warning, line: rule.line, option: String::new(), text }
}

/// The fault of rules that make too large a program, naming those that cost most.
pub fn too_large(scheme: &Scheme<'_>) -> Fault {
    let lines = list::all_lines(scheme);
    let mut costs: Vec<(usize, &Rule)> = Vec::new();
    for (n, rule) in scheme.rules.iter().enumerate() {
        let own = lines.iter().filter(|line| line.rule == Some(n));
        let ranges = own.flat_map(|line| &line.conditions).map(|(_, ranges)| ranges.len());
        costs.push((ranges.sum(), rule));
    }
    costs.sort_by_key(|(cost, _)| core::cmp::Reverse(*cost));
    let names: Vec<String> =
        costs.iter().take(3).map(|(cost, rule)| format!("'{}' ({cost} conditions)", rule.name)).collect();
    let line = costs.first().map_or(0, |(_, rule)| rule.line);
    let text = format!(
        "the rules for {} make a program of more than {} instructions, which the kernel does not take; those that cost \
         most: {}. Ranges instead of single ports, fewer mixed conditions or option 'priority' to keep rules about the \
         same things together make it smaller",
        scheme.way,
        limits::PROGRAM,
        names.join(", ")
    );
    Fault { severity: Severity::Fault, line, option: String::new(), text }
}
