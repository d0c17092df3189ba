// SPDX-License-Identifier: Apache-2.0
//! `weir status`: what the kernel has, against what is wanted.

use super::look::{Looked, look};
use super::{Options, exit_code, print};
use crate::report::{Seen, Snapshot, snapshot};
use crate::tc::plan::Plan;

/// Prints the status; the exit code says whether every wanted direction is shaped.
pub(crate) fn run(options: &Options) -> u8 {
    let mut looked = match look(&options.places) {
        Ok(looked) => looked,
        Err(code) => return code,
    };
    let (_, report) = report(&mut looked);
    let mut out = String::new();
    let written = if options.is_json { report.write_json(&mut out) } else { report.write_text(&mut out) };
    written.expect("a String takes everything");
    if options.is_json {
        out.push('\n');
    }
    print(&out);
    if report.is_shaping() { exit_code::OK } else { exit_code::FAILED }
}

/// What is wanted, and how that stands; what the daemon said goes into it.
pub(super) fn report(looked: &mut Looked) -> (Plan, Snapshot) {
    looked.find_speeds();
    let seen = &looked.seen;
    let mut plan = looked.plan(&looked.observation.world);
    plan.yield_to_others(&seen.tree);
    let seen = Seen { links: &seen.links, tree: &seen.tree, counters: &seen.counters };
    let mut report = snapshot(&looked.config, &plan, &seen);
    report.steered(std::mem::take(&mut looked.standings), std::mem::take(&mut looked.probes));
    report.schedules = std::mem::take(&mut looked.schedules);
    report.facts = std::mem::take(&mut looked.facts);
    (plan, report)
}
