// SPDX-License-Identifier: Apache-2.0
//! `weir status`: what the kernel has, against what is wanted.

use super::{Options, exit_code, print, print_faults};
use crate::io::netlink::observe::observe;
use crate::io::netlink::socket::Connection;
use crate::io::run::{networks, read_config};
use crate::report::{Seen, snapshot};
use crate::tc::plan::{Lacks, plan};
use crate::tc::{QdiscKind, ROOT_MAJOR, Tree};
use crate::units::Handle;

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
    observation.world.lacks = lacks(&seen.tree);
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

/// What the daemon found the kernel to lack, read from what it installed instead: status must not call a step down that
/// was taken on purpose a difference.
fn lacks(tree: &Tree) -> Lacks {
    let mut lacks = Lacks::default();
    let root = Handle::new(ROOT_MAJOR, 0);
    for device in &tree.devices {
        let is_htb = device.qdiscs.iter().any(|q| q.handle == root && matches!(q.kind, QdiscKind::Htb(_)));
        if !is_htb {
            continue;
        }
        let leaves = || device.qdiscs.iter().filter(|q| q.parent.major() == ROOT_MAJOR);
        lacks.fq_codel |= leaves().any(|q| matches!(q.kind, QdiscKind::Sfq(_) | QdiscKind::Bfifo(_)));
        lacks.sfq |= leaves().any(|q| matches!(q.kind, QdiscKind::Bfifo(_)));
        let has_classifier = device.filters.iter().any(|f| f.parent == root);
        lacks.bpf |= leaves().next().is_some() && !has_classifier;
        lacks.cake |= lacks.fq_codel; // `auto` would have taken CAKE
    }
    lacks
}
