// SPDX-License-Identifier: Apache-2.0
//! `weir plan`: what is wanted, or what would change.

use super::look::look;
use super::{Options, exit_code, print};
use crate::config::Config;
use crate::daemon::Observation;
use crate::tc::diff::diff;
use crate::tc::plan::{Direction, World, plan};
use crate::tc::{Link, show};
use crate::units::DeviceName;
use std::fmt::Write;

/// Prints the plan or the difference.
pub(crate) fn run(options: &Options) -> u8 {
    let (config, seen, _) = match look(&options.places) {
        Ok(all) => all,
        Err(code) => return code,
    };
    let mut out = String::new();
    if options.is_diff {
        differences(&config, &seen, &mut out);
    } else {
        whole(&config, seen, &mut out);
    }
    print(&out);
    exit_code::OK
}

fn differences(config: &Config, seen: &Observation, out: &mut String) {
    let mut plan = plan(config, &seen.world);
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

fn whole(config: &Config, seen: Observation, out: &mut String) {
    let mut world = seen.world;
    assume(config, &mut world, out);
    let plan = plan(config, &world);
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
            world.links.push(Link {
                index: 0,
                name,
                kind: String::new(),
                hardware: 1,
                is_up: true,
                mtu: 1500,
                group: 0,
                master: 0,
                gso_max_segs: 65_535,
            });
        }
    }
}
