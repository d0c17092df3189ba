// SPDX-License-Identifier: Apache-2.0
//! How a schedule stands, for people and for programs.

use crate::calendar::{Clock, Now, WEEKDAYS, Zone, weekday};
use crate::config::{Config, Schedule};
use crate::scribe::Scribe;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// How a schedule stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// Its name.
    pub name: String,
    /// Whether it holds.
    pub now: Now,
    /// All of it for people.
    pub text: String,
}

impl Scheduled {
    /// Of a schedule at a moment; `None`: nobody knows what time it is.
    fn new(schedule: &Schedule, now: Now, at: Option<u64>, zone: &Zone) -> Self {
        let shown = |until: u64| {
            let (day, minute) = zone.shows(until);
            format!("{} {}", WEEKDAYS.get(weekday(day)).copied().unwrap_or_default(), Clock(minute))
        };
        let state = match (at, now.is_on, now.until) {
            (None, ..) => "waits until the clock is set".into(),
            (_, true, Some(until)) => format!("holds until {}", shown(until)),
            (_, true, None) => "holds always".into(),
            (_, false, Some(until)) => format!("begins {}", shown(until)),
            (_, false, None) => "never begins".into(),
        };
        Self { name: schedule.name.clone(), now, text: format!("{state}; {schedule}") }
    }

    /// Of those of a configuration that are switched on.
    pub fn all(config: &Config, states: &[Now], at: Option<u64>, zone: &Zone) -> Vec<Self> {
        let known = config.schedules.iter().zip(states).filter(|(schedule, _)| schedule.enabled);
        known.map(|(schedule, state)| Self::new(schedule, *state, at, zone)).collect()
    }

    /// As fields.
    pub fn write(&self, out: &mut dyn Scribe) {
        out.text("name", &self.name);
        out.flag("active", self.now.is_on);
        out.maybe_count("until", self.now.until.filter(|_| self.now.is_on));
        out.maybe_count("next", self.now.until.filter(|_| !self.now.is_on));
        out.text("text", &self.text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::believed;
    use crate::config::read;
    use crate::config::schedule::{alterations, states};

    #[test]
    fn a_schedule_is_told_in_words() {
        let file = "config schedule 'night'\n option from '22:00'\n option to '06:00'\n option upload '5mbit'\n\
                    config schedule\n option download '9mbit'\nconfig schedule 'off'\n option enabled '0'\n list rule 'dns'\n";
        let (config, _) = read::load(file.as_bytes()).expect("a right file");
        let zone = Zone::parse("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
        let told = |at| {
            let at = believed(at);
            let states = states(&config, at, &zone);
            let (all, alterations) =
                (Scheduled::all(&config, &states, at, &zone), alterations(&config.schedules, &states));
            (all.into_iter().map(|one| one.text).collect::<Vec<_>>(), alterations.len())
        };
        // Saturday 22 November 2025, 21:59 and 22:00 in Berlin.
        let always = "holds always; every day, all day: download 9 Mbit/s on every line";
        let night = "every day, 22:00 to 06:00: upload 5 Mbit/s on every line";
        assert_eq!(
            told(1_763_845_140),
            (alloc::vec![format!("begins sat 22:00; {night}"), always.into()], 1)
        );
        assert_eq!(
            told(1_763_845_200),
            (alloc::vec![format!("holds until sun 06:00; {night}"), always.into()], 2)
        );
        assert_eq!(told(5).0.first(), Some(&format!("waits until the clock is set; {night}")));
        assert_eq!(told(5).1, 0);
    }
}
