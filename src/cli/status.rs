// SPDX-License-Identifier: Apache-2.0
//! `weir status`: what the kernel has, against what is wanted.

use super::{Options, exit_code, print, print_faults};
use crate::io::netlink::observe::observe;
use crate::io::netlink::socket::Connection;
use crate::io::run::{lacks, networks, read_config};
use crate::report::{Seen, snapshot};
use crate::tc::plan::plan;

/// Prints the status; the exit code says whether every wanted direction is shaped.
pub(crate) fn run(options: &Options) -> u8 {
    let (config, warnings) = match read_config(&options.places) {
        Ok(read) => read,
        Err(faults) => {
            print_faults(&options.places, &faults);
            return exit_code::CONFIG;
        }
    };
    print_faults(&options.places, &warnings);
    let (mut observation, seen) =
        match Connection::open().and_then(|mut connection| observe(&mut connection, networks())) {
            Ok(both) => both,
            Err(error) => {
                eprintln!("weir: cannot look at the system: {error}");
                return exit_code::FAILED;
            }
        };
    observation.world.lacks = lacks(&options.places);
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
