// SPDX-License-Identifier: Apache-2.0
//! What `plan` and `status` begin with: the configuration, the system as it is, and how the daemon steers.

use super::complaint::complain;
use super::document::{Document, of_file};
use super::exit_code;
use crate::calendar::{Zone, believed};
use crate::config::Config;
use crate::config::altered::Alteration;
use crate::config::schedule;
use crate::daemon::{AT_WORK, Observation};
use crate::io::bus;
use crate::io::clock;
use crate::io::desk;
use crate::io::netlink::observe::{Seen, observe};
use crate::io::netlink::socket::Connection;
use crate::io::run::{Places, lacks, learnt, live_or_filed};
use crate::report::Told;
use crate::report::scheduled::Scheduled;
use crate::steer::{Pilot, Standing};
use crate::tc::memo::Memo;
use crate::tc::plan::{Plan, World, plan_with};
use crate::tc::speed::{Speed, Speeds};
use crate::units::{Rate, Way};
use std::time::Duration;

/// Rates move many times a second; so often is looked again until none moved while it was done.
const TRIES: usize = 5;
/// While the daemon is at work on what is wanted, it is looked again after a moment, so often at most: two seconds.
const MOMENTS: usize = 40;
const MOMENT: Duration = Duration::from_millis(50);

/// What was seen.
pub(crate) struct Looked {
    pub(crate) config: Config,
    pub(crate) observation: Observation,
    pub(crate) seen: Seen,
    /// What the running daemon says; nothing if none runs.
    pub(crate) told: Told,
    /// How schedules stand.
    pub(crate) schedules: Vec<Scheduled>,
    /// How what is in force differs from the file.
    pub(crate) note: Option<String>,
    speeds: Speeds,
    /// Why the kernel's word is all there is; `None`: the daemon answers.
    silence: Option<&'static str>,
}

impl Looked {
    /// What is wanted in `world`, at the speeds of the daemon.
    pub(crate) fn plan(&self, world: &World) -> Plan {
        plan_with(&self.config, world, &self.speeds, &mut Memo::default())
    }

    /// From now on steered lines whose daemon is gone have the speeds it left in the kernel.
    pub(crate) fn find_speeds(&mut self) {
        let Some(why) = self.silence else { return };
        self.told.standings = Standing::left(&self.config, &self.observation.world, &self.seen.tree, why);
        self.speeds = speeds(&self.told.standings);
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
    look_at(places, of_file(places)?)
}

/// The same with what was read. What goes wrong is printed.
///
/// # Errors
/// The exit code.
pub(crate) fn look_at(places: &Places, document: Document) -> Result<Looked, u8> {
    let Document { mut config, note, lines, .. } = document;
    let mut asked = ask(places);
    if let Err(error) = &asked
        && config.wans.iter().any(|wan| Way::ALL.iter().any(|way| wan.steers(*way)))
    {
        complain(format_args!("weir: {error}"));
    }
    let networks = live_or_filed(bus::networks(&places.buses).as_ref(), &places.state);
    let look = || Connection::open().and_then(|mut connection| observe(&mut connection, networks.clone()));
    let (mut tries, mut moments) = (0, 0);
    loop {
        let (mut observation, seen) = told(look())?;
        observation.world.lacks = lacks(places);
        let before = core::mem::replace(&mut asked, ask(places));
        let is_at_work = |asked: &std::io::Result<Option<String>>| match asked {
            Ok(Some(answer)) => answer.lines().any(|line| line == AT_WORK),
            _ => false,
        };
        if moments < MOMENTS && (is_at_work(&before) || is_at_work(&asked)) {
            moments += 1;
            std::thread::sleep(MOMENT);
            continue;
        }
        let [before, after] = [&before, &asked].map(|asked| match asked {
            Ok(Some(answer)) => speeds(&Told::from_text(answer).standings),
            _ => Speeds::default(),
        });
        if tries < TRIES && before != after {
            tries += 1;
            continue;
        }
        let (silence, answer) = match asked {
            Ok(Some(answer)) => (None, answer),
            Ok(None) => (Some("no daemon runs: it stays at the rate that was left"), String::new()),
            Err(_) => (Some("the daemon does not answer: this is what the kernel has"), String::new()),
        };
        let schedules = take_effect(&mut config, Some(answer.as_str()).filter(|_| silence.is_none()));
        let mut told = Told::from_text(&answer);
        // The daemon numbers its lines; what is looked at may have others, or another order.
        told.place(&|of: usize| match lines.get(of) {
            Some(name) => config.wans.iter().position(|wan| wan.name == *name),
            None => Some(of).filter(|_| lines.is_empty()),
        });
        let speeds = speeds(&told.standings);
        return Ok(Looked { config, observation, seen, told, schedules, note, speeds, silence });
    }
}

/// How the schedules of a configuration stand by the clock, and what they alter.
pub(crate) fn by_the_clock(config: &Config) -> (Vec<Scheduled>, Vec<Alteration>) {
    if config.schedules.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let (seconds, zone) = clock::wall();
    let (at, zone) = (believed(seconds), Zone::parse(&zone).unwrap_or_default());
    let states = schedule::states(config, at, &zone);
    (Scheduled::all(config, &states, at, &zone), schedule::alterations(&config.schedules, &states))
}

/// The configuration becomes the one in force, by what the daemon answered; without an answer schedules are taken as they
/// stand by the clock, which is said. Gives how they stand.
fn take_effect(config: &mut Config, answer: Option<&str>) -> Vec<Scheduled> {
    let (schedules, mut alterations) = by_the_clock(config);
    if let Some(answer) = answer {
        let told = answer.lines().filter_map(|line| line.strip_prefix("alter "));
        alterations = told.filter_map(Alteration::from_text).collect();
    } else if !schedules.is_empty() {
        complain(format_args!(
            "weir: no daemon says what holds now; schedules are shown as they stand by the clock"
        ));
    }
    let by: Vec<&Alteration> = alterations.iter().collect();
    config.alter(&by, &mut Vec::new());
    schedules
}

/// The same configuration as it is altered now.
pub(crate) fn altered(places: &Places, mut config: Config) -> Config {
    take_effect(&mut config, ask(places).ok().flatten().as_deref());
    config
}

fn told<T>(result: std::io::Result<T>) -> Result<T, u8> {
    result.map_err(|error| {
        complain(format_args!("weir: cannot look at the system: {error}"));
        exit_code::FAILED
    })
}

/// How the running daemon steers lines; `None`: none runs.
fn ask(places: &Places) -> std::io::Result<Option<String>> {
    desk::ask(&places.state, "speeds")
}

fn speeds(standings: &[Standing]) -> Speeds {
    let mut speeds = Speeds::default();
    // What is held without a device has none.
    let known = standings.iter().filter(|one| one.speed.line > Rate::ZERO);
    known.for_each(|one| speeds.set(one.place, one.way, Some(one.speed)));
    speeds
}
