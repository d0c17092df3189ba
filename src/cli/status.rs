// SPDX-License-Identifier: Apache-2.0
//! `weir status`: what the kernel has, against what is wanted.

use super::look::look;
use super::{Options, exit_code, print};
use crate::report::{Seen, snapshot};
use crate::tc::plan::plan;

/// Prints the status; the exit code says whether every wanted direction is shaped.
pub(crate) fn run(options: &Options) -> u8 {
    let (config, observation, seen) = match look(&options.places) {
        Ok(all) => all,
        Err(code) => return code,
    };
    let mut plan = plan(&config, &observation.world);
    plan.yield_to_others(&seen.tree);
    let report =
        snapshot(&config, &plan, &Seen { links: &seen.links, tree: &seen.tree, counters: &seen.counters });
    let mut out = String::new();
    let written = if options.is_json { report.write_json(&mut out) } else { report.write_text(&mut out) };
    written.expect("a String takes everything");
    if options.is_json {
        out.push('\n');
    }
    print(&out);
    if report.is_shaping() { exit_code::OK } else { exit_code::FAILED }
}
