// SPDX-License-Identifier: Apache-2.0
//! Who can steer in the simulator, by name: those to beat, and our own.

use super::baseline::BASELINES;
use super::pilot::Pilot;
use super::whole::Whole;
use super::world::Setup;
use crate::control::{self, Controller};

/// A pilot by its name.
pub struct Entry {
    /// What it is called.
    pub name: &'static str,
    /// What it is, in one line.
    pub help: &'static str,
    /// Makes one for a world.
    pub make: fn(&Setup) -> Box<dyn Pilot>,
}

/// weir's own; they stand above the others in a comparison.
const OURS: &[Entry] = &[
    Entry {
        name: "weir",
        help: "weir's daemon, with nothing configured",
        make: |setup| Box::new(Whole::new(setup.reflectors.len())),
    },
    Entry {
        name: "controller",
        help: "weir's controller without the daemon around it",
        make: |_| Box::new(Controller::new(&control::Setup::default())),
    },
];

/// All of them, in the order of the table.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    OURS.iter().chain(BASELINES)
}

/// Finds one.
pub fn by_name(name: &str) -> Option<&'static Entry> {
    all().find(|entry| entry.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_own_pilot() {
        for entry in all() {
            assert!(by_name(entry.name).is_some_and(|found| core::ptr::eq(found, entry)), "{}", entry.name);
        }
    }
}
