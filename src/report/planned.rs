// SPDX-License-Identifier: Apache-2.0
//! A plan for people: whole, or what would change.

use crate::tc::diff::diff;
use crate::tc::plan::{Direction, Plan};
use crate::tc::{Qdisc, QdiscKind, ROOT_MAJOR, Tree, shape, show};
use crate::text;
use crate::units::Handle;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

/// What is wanted, as tc would be told.
pub fn whole(plan: &Plan, out: &mut String) {
    for line in &plan.lines {
        let _ = writeln!(out, "# {}: upload {}", line.name, line.upload);
        let _ = writeln!(out, "# {}: download {}", line.name, line.download);
    }
    for (line, note) in &plan.notes {
        let _ = writeln!(out, "# {line}: {note}");
    }
    let _ = show::tree(&plan.tree, out);
}

/// What would be done to come there from `have`.
pub fn differences(plan: &Plan, have: &Tree, out: &mut String) {
    for line in &plan.lines {
        for (way, direction) in [("upload", &line.upload), ("download", &line.download)] {
            if let Direction::Off(reason) | Direction::Blocked(reason) = direction {
                let _ = writeln!(out, "# {} {way}: not shaped: {reason}", line.name);
            }
        }
    }
    for theirs in plan.takes_over(have) {
        let _ = writeln!(
            out,
            "# takeover: {} {} at the root of {} is lost",
            theirs.kind, theirs.handle, theirs.device
        );
    }
    let _ = show::ops(&diff(have, &plan.tree), out);
}

/// What of weir's stands on which device, where nobody knows what is wanted.
pub fn standing(tree: &Tree) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for device in &tree.devices {
        let ours = |qdisc: &&Qdisc| qdisc.handle == Handle::new(ROOT_MAJOR, 0);
        let Some(root) = device.qdiscs.iter().find(ours) else { continue };
        let rate = match &root.kind {
            QdiscKind::Cake(cake) => Some(cake.bandwidth),
            _ => device.classes.iter().find(|class| class.handle == shape::LINE).map(|line| line.ceil),
        };
        let rate = rate.map(|rate| format!(" at {rate}")).unwrap_or_default();
        all.push((device.name.to_string(), format!("{} {}{rate}", root.kind.name(), root.handle)));
    }
    if all.is_empty() {
        all.push(("weir".into(), "nothing of weir's stands in the kernel".into()));
    }
    all
}

/// Programs by their size alone: whole, one is a line of some ten thousand characters.
pub fn shortened(text: &str) -> String {
    const BEFORE: &str = " bytecode '";
    let mut out = String::new();
    for line in text.lines() {
        let (front, rest) = line.split_at(text::find(line, BEFORE).unwrap_or(line.len()));
        let rest = rest.strip_prefix(BEFORE).and_then(|rest| rest.split_once('\''));
        let _ = match rest.and_then(|(code, end)| Some((code.split_once(',')?.0, end))) {
            Some((count, end)) => writeln!(
                out,
                "{front}{BEFORE}{count},…'{end}  # {count} instructions; all of it with -v, or in a pipe"
            ),
            None => writeln!(out, "{line}"),
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_shortened_to_its_size_and_all_else_stays() {
        let plan = "tc qdisc add dev eth0 clsact\n\
                    tc filter add dev eth0 parent 57e1: protocol all pref 22497 handle 1 bpf bytecode '2,40 0 0 12,6 0 0 \
                    0' action skbedit priority 57e1:4 pipe\n+ tc filter add dev w handle 1 bpf bytecode '1,6 0 0 0'\n";
        assert_eq!(
            shortened(plan),
            "tc qdisc add dev eth0 clsact\n\
             tc filter add dev eth0 parent 57e1: protocol all pref 22497 handle 1 bpf bytecode '2,…' action skbedit \
             priority 57e1:4 pipe  # 2 instructions; all of it with -v, or in a pipe\n\
             + tc filter add dev w handle 1 bpf bytecode '1,…'  # 1 instructions; all of it with -v, or in a pipe\n"
        );
    }
}
