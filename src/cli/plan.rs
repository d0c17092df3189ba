// SPDX-License-Identifier: Apache-2.0
//! `weir plan`: what is wanted, or what would change.

use super::look::{Looked, look};
use super::{Options, exit_code, print};
use crate::config::Config;
use crate::tc::diff::diff;
use crate::tc::plan::{Direction, World};
use crate::tc::{Link, show};
use crate::text;
use crate::units::DeviceName;
use std::fmt::Write;
use std::io::IsTerminal;

/// Prints the plan or the difference.
pub(crate) fn run(options: &Options) -> u8 {
    let mut looked = match look(&options.places) {
        Ok(looked) => looked,
        Err(code) => return code,
    };
    let mut out = String::new();
    if options.is_diff {
        differences(&looked, &mut out);
    } else {
        looked.assume_speeds(&options.places);
        whole(&looked, &mut out);
    }
    let is_for_people = !options.is_verbose && std::io::stdout().is_terminal();
    print(&if is_for_people { shortened(&out) } else { out });
    exit_code::OK
}

/// Programs by their size alone: whole, one is a line of some ten thousand characters.
fn shortened(text: &str) -> String {
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

fn differences(looked: &Looked, out: &mut String) {
    let seen = &looked.observation;
    let mut plan = looked.plan(&seen.world);
    plan.yield_to_others(&seen.tree);
    for line in &plan.lines {
        for (way, direction) in [("upload", &line.upload), ("download", &line.download)] {
            if let Direction::Off(reason) | Direction::Blocked(reason) = direction {
                let _ = writeln!(out, "# {} {way}: not shaped: {reason}", line.name);
            }
        }
    }
    for theirs in plan.takes_over(&seen.tree) {
        let _ = writeln!(
            out,
            "# takeover: {} {} at the root of {} is lost",
            theirs.kind, theirs.handle, theirs.device
        );
    }
    let _ = show::ops(&diff(&seen.tree, &plan.tree), out);
}

fn whole(looked: &Looked, out: &mut String) {
    let mut world = looked.observation.world.clone();
    assume(&looked.config, &mut world, out);
    let plan = looked.plan(&world);
    for line in &plan.lines {
        let _ = writeln!(out, "# {}: upload {}", line.name, line.upload);
        let _ = writeln!(out, "# {}: download {}", line.name, line.download);
    }
    for (line, note) in &plan.notes {
        let _ = writeln!(out, "# {line}: {note}");
    }
    let _ = show::tree(&plan.tree, out);
}

/// A plan is worth looking at on any machine: devices that are not here are taken to be Ethernet.
pub(crate) fn assume(config: &Config, world: &mut World, out: &mut String) {
    for wan in &config.wans {
        let mut wanted: Vec<DeviceName> = wan.device.into_iter().chain(wan.lan).collect();
        if wan.device.is_none()
            && let Some(network) = &wan.network
            && !world.networks.iter().any(|(name, _)| name == network)
            && let Some(device) = DeviceName::new(network)
        {
            let _ =
                writeln!(out, "# the device of network '{network}' is not known here; taken to be {device}");
            world.networks.push((network.clone(), device));
            wanted.push(device);
        }
        for name in wanted {
            if world.links.iter().any(|link| link.name == name) {
                continue;
            }
            let _ =
                writeln!(out, "# there is no device {name} here; taken to be Ethernet with an MTU of 1500");
            world.links.push(Link::ethernet(0, name));
        }
    }
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
