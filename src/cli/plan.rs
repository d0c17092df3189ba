// SPDX-License-Identifier: Apache-2.0
//! `weir plan`: what is wanted, or what would change.

use super::look::look;
use super::{Options, document, exit_code, print};
use crate::config::Config;
use crate::config::network::Network;
use crate::report::planned;
use crate::tc::Link;
use crate::tc::plan::World;
use crate::units::DeviceName;
use std::fmt::Write;
use std::io::IsTerminal;

/// Prints the plan or the difference.
pub(crate) fn run(options: &Options) -> u8 {
    let places = &document::meant(&options.places);
    let mut looked = match look(places) {
        Ok(looked) => looked,
        Err(code) => return code,
    };
    if let Some(note) = &looked.note {
        eprintln!("weir: {note}");
    }
    let mut out = String::new();
    if options.is_diff {
        let seen = &looked.observation;
        let mut plan = looked.plan(&seen.world);
        plan.yield_to_others(&seen.tree);
        planned::differences(&plan, &seen.tree, &mut out);
    } else {
        looked.assume_speeds(places);
        let mut world = looked.observation.world.clone();
        assume(&looked.config, &mut world, &mut out);
        planned::whole(&looked.plan(&world), &mut out);
    }
    let is_for_people = !options.is_verbose && std::io::stdout().is_terminal();
    print(&if is_for_people { planned::shortened(&out) } else { out });
    exit_code::OK
}

/// A plan is worth looking at on any machine: devices that are not here are taken to be Ethernet.
pub(crate) fn assume(config: &Config, world: &mut World, out: &mut String) {
    for wan in &config.wans {
        let mut wanted: Vec<DeviceName> = wan.device.into_iter().chain(wan.lan).collect();
        if wan.device.is_none()
            && let Some(network) = &wan.network
            && world.networks.find(network).is_none()
            && let Some(device) = DeviceName::new(network)
        {
            let _ =
                writeln!(out, "# the device of network '{network}' is not known here; taken to be {device}");
            let name = network.clone();
            world.networks.all.push(Network { name, device: Some(device), ..Network::default() });
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
