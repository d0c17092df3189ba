// SPDX-License-Identifier: Apache-2.0
//! What `plan` and `status` begin with: the configuration, the system as it is, and how the daemon steers.

use super::{configuration, exit_code};
use crate::config::Config;
use crate::daemon::Observation;
use crate::io::desk;
use crate::io::netlink::observe::{Seen, observe};
use crate::io::netlink::socket::Connection;
use crate::io::run::{Places, lacks, learnt, networks};
use crate::steer::{Pilot, Standing};
use crate::tc::memo::Memo;
use crate::tc::plan::{Plan, World, plan_with};
use crate::tc::speed::{Speed, Speeds};
use crate::units::Way;

/// Rates move many times a second; so often is looked again until none moved while it was done.
const TRIES: usize = 5;

/// What was seen.
pub(crate) struct Looked {
    pub(crate) config: Config,
    pub(crate) observation: Observation,
    pub(crate) seen: Seen,
    /// How the running daemon steers lines; none if none runs.
    pub(crate) standings: Vec<Standing>,
    speeds: Speeds,
}

impl Looked {
    /// What is wanted in `world`, at the speeds of the daemon.
    pub(crate) fn plan(&self, world: &World) -> Plan {
        plan_with(&self.config, world, &self.speeds, &mut Memo::default())
    }

    /// From now on steered lines that no daemon steers have the speeds it would begin with.
    pub(crate) fn assume_speeds(&mut self, places: &Places) {
        for pilot in Pilot::all(&self.config, Vec::new(), &learnt(places)) {
            for way in Way::ALL {
                let known = self.speeds.get(pilot.place, way);
                let speed = known.or(pilot.begins(way).map(Speed::fixed));
                self.speeds.set(pilot.place, way, speed);
            }
        }
    }
}

/// Reads the file and looks at the kernel, with what earlier runs found it to lack. What goes wrong is printed.
///
/// # Errors
/// The exit code.
pub(crate) fn look(places: &Places) -> Result<Looked, u8> {
    let (config, _) = configuration(places)?;
    let asked = ask(places);
    if let Err(error) = &asked
        && config.wans.iter().any(|wan| Way::ALL.iter().any(|way| wan.steers(*way)))
    {
        eprintln!("weir: {error}");
    }
    let (mut standings, mut speeds) = asked.unwrap_or_default();
    let look = || Connection::open().and_then(|mut connection| observe(&mut connection, networks()));
    for _ in 1..TRIES {
        let (observation, seen) = told(look())?;
        let (later, speeds_later) = ask(places).unwrap_or_default();
        let is_still = speeds == speeds_later;
        (standings, speeds) = (later, speeds_later);
        if is_still {
            return Ok(Looked::new(config, places, (observation, seen), standings, speeds));
        }
    }
    Ok(Looked::new(config, places, told(look())?, standings, speeds))
}

impl Looked {
    fn new(
        config: Config,
        places: &Places,
        (mut observation, seen): (Observation, Seen),
        standings: Vec<Standing>,
        speeds: Speeds,
    ) -> Self {
        observation.world.lacks = lacks(places);
        Self { config, observation, seen, standings, speeds }
    }
}

fn told<T>(result: std::io::Result<T>) -> Result<T, u8> {
    result.map_err(|error| {
        eprintln!("weir: cannot look at the system: {error}");
        exit_code::FAILED
    })
}

/// How the running daemon steers lines; nothing if none runs.
fn ask(places: &Places) -> std::io::Result<(Vec<Standing>, Speeds)> {
    let answer = desk::ask(&places.state, "speeds")?.unwrap_or_default();
    let standings: Vec<Standing> = answer.lines().filter_map(Standing::from_text).collect();
    let mut speeds = Speeds::default();
    standings.iter().for_each(|one| speeds.set(one.place, one.way, Some(one.speed)));
    Ok((standings, speeds))
}
