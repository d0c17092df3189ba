// SPDX-License-Identifier: Apache-2.0
//! The part of the daemon that concerns what is otherwise than the file says: which schedules hold by the clock on the
//! wall, and what others alter.
//!
//! The clock is read with the configuration, then at the next boundary but at least once a minute, as somebody may set
//! it; without schedules never again.

use super::{Action, Daemon, End, Level, Phase};
use crate::calendar::{Now, Zone, believed};
use crate::config::altered::{Alteration, Undo};
use crate::config::value::Quoted;
use crate::config::{Config, schedule};
use crate::report::scheduled::Scheduled;
use crate::units::{Micros, Time};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The longest time until the clock is read again, in seconds.
const MINUTE: u64 = 60;
/// Who alters what schedules do; before all others, so that those have the last word.
const SCHEDULES: &str = "schedules";

/// The schedules and the clock they go by.
#[derive(Debug, Default)]
pub(super) struct Timetable {
    /// Seconds since 1970 when it was read last; `None`: not yet, or it cannot be right.
    clock: Option<u64>,
    zone: Zone,
    /// As it was read.
    zone_text: String,
    /// When to read the clock again; `None`: it is being read, or there is no need.
    pub(super) read_at: Option<Time>,
    /// How each schedule stands, in the order of the configuration.
    states: Vec<Now>,
    /// That they wait for the clock was said.
    is_doubted: bool,
}

/// What somebody has altered.
#[derive(Debug, Default)]
pub(super) struct Altered {
    /// By whom, and what.
    by: Vec<(String, Vec<Alteration>)>,
    /// It is not in force yet.
    pub(super) is_new: bool,
    /// What leads back to the configuration as it was read.
    pub(super) undo: Undo,
    /// What could not be altered, which was said.
    said: Vec<String>,
}

impl Altered {
    /// All of it, in the order it is to be taken.
    pub(super) fn all(&self) -> Vec<&Alteration> {
        let mut all = Vec::new();
        self.by.iter().for_each(|(_, by)| all.extend(by));
        all
    }

    /// Takes what `source` alters from now on, in place of what it altered before; says whether that is another thing.
    fn set(&mut self, source: &str, by: Vec<Alteration>) -> bool {
        let at = self.by.iter().position(|(known, _)| known == source);
        match at.and_then(|at| self.by.get_mut(at)) {
            Some((_, known)) if *known == by => return false,
            Some((_, known)) => *known = by,
            None if by.is_empty() => return false,
            None if source == SCHEDULES => self.by.insert(0, (source.into(), by)),
            None => self.by.push((source.into(), by)),
        }
        self.by.retain(|(_, by)| !by.is_empty());
        self.is_new = true;
        true
    }

    /// Nobody alters anything any more.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Daemon {
    /// From now on `source` alters this and nothing else; with nothing it no longer does. What it altered holds over
    /// reloads until it says otherwise.
    pub(super) fn alter(&mut self, now: Time, source: &str, alterations: Vec<Alteration>) {
        if self.altered.set(source, alterations) {
            self.go_on(now);
        }
    }

    /// Makes what was read, with all alterations, the configuration in force.
    pub(super) fn enforce(&mut self) {
        self.altered.is_new = false;
        self.edition = self.edition.wrapping_add(1);
        let Some(mut config) = self.config.take() else { return };
        config.restore(&self.altered.undo);
        let mut left_out = Vec::new();
        self.altered.undo = config.alter(&self.altered.all(), &mut left_out);
        for text in &left_out {
            if !self.altered.said.contains(text) {
                self.say(Level::Warning, format!("left out for the time being: {text}"));
            }
        }
        self.altered.said = left_out;
        self.man(&config);
        self.config = Some(config);
    }

    /// The clock was read.
    pub(super) fn clock_read(&mut self, now: Time, seconds: u64, zone: String) {
        self.times.clock = believed(seconds);
        if zone != self.times.zone_text {
            let read = Zone::parse(&zone);
            self.times.zone = read.unwrap_or_default();
            self.times.zone_text = zone;
            if read.is_none() && self.has_schedules() {
                let zone = Quoted(&self.times.zone_text);
                let text = format!("the time zone {zone} is not understood; schedules go by UTC");
                self.say(Level::Warning, text);
            }
        }
        self.archive_clock(now, seconds);
        // What is being read may have other schedules.
        if self.phase != Phase::Reading {
            self.reckon(now);
        }
    }

    fn has_schedules(&self) -> bool {
        let config = self.config.as_ref().filter(|config| config.globals.enabled);
        config.is_some_and(|config| config.schedules.iter().any(|schedule| schedule.enabled))
    }

    /// The schedules are others now; those that hold go on.
    pub(super) fn adopt_schedules(&mut self, new: &Config) {
        self.altered.undo = Undo::default();
        let old = self.config.as_ref().map_or(&[][..], |old| &old.schedules);
        let holds = |name: &String| {
            let mut known = old.iter().zip(&self.times.states);
            known.any(|(schedule, state)| schedule.name == *name && state.is_on)
        };
        let states = new.schedules.iter().map(|schedule| Now { is_on: holds(&schedule.name), until: None });
        self.times.states = states.collect();
        // What they alter may be another thing though the same ones hold.
        self.altered.by.retain(|(by, _)| by != SCHEDULES);
    }

    /// Sees which schedules hold, and when to look again.
    pub(super) fn reckon(&mut self, now: Time) {
        self.times.read_at = None;
        if self.end == End::Removing || !self.has_schedules() {
            return self.alter(now, SCHEDULES, Vec::new());
        }
        let Some(config) = &self.config else { return };
        let Timetable { clock, zone, states, .. } = &mut self.times;
        let new = schedule::states(config, *clock, zone);
        let (mut next, mut has_changed) = (MINUTE, !self.altered.by.iter().any(|(by, _)| by == SCHEDULES));
        for (schedule, (new, old)) in config.schedules.iter().zip(new.iter().zip(states.iter())) {
            if let Some((at, until)) = clock.zip(new.until) {
                next = next.min(until.saturating_sub(at)).max(1);
            }
            if new.is_on != old.is_on {
                has_changed = true;
                let word = if new.is_on { "holds now" } else { "is over" };
                let text = format!("schedule '{}' {word}: {schedule}", schedule.name);
                self.actions.push_back(Action::Say(Level::Info, text));
            }
        }
        *states = new;
        let by = has_changed.then(|| schedule::alterations(&config.schedules, states));
        self.times.read_at = Some(now + Micros::secs(next));
        let is_doubted = self.times.clock.is_none();
        if is_doubted && !self.times.is_doubted {
            let text =
                "the clock is in the past, as nobody has set it since the start; schedules wait for that";
            self.say(Level::Warning, text.into());
        }
        self.times.is_doubted = is_doubted;
        if let Some(by) = by {
            self.alter(now, SCHEDULES, by);
        }
    }

    /// How schedules stand.
    pub fn schedules(&self) -> Vec<Scheduled> {
        let Some(config) = self.config.as_ref().filter(|_| self.has_schedules()) else { return Vec::new() };
        let Timetable { clock, zone, states, .. } = &self.times;
        Scheduled::all(config, states, *clock, zone)
    }
}
