// SPDX-License-Identifier: Apache-2.0
//! How a schedule stands, as the daemon tells `status`: a line of text for each, and fields for programs.

use crate::calendar::{Clock, Now, WEEKDAYS, Zone, believed, weekday};
use crate::config::altered::Alteration;
use crate::config::{Config, Schedule, schedule};
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
    pub fn new(schedule: &Schedule, now: Now, at: Option<u64>, zone: &Zone) -> Self {
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

    /// How those of a configuration stand by a clock that shows `seconds` since 1970, and what they alter.
    pub fn all(config: &Config, seconds: u64, zone: &Zone) -> (Vec<Self>, Vec<Alteration>) {
        let at = believed(seconds).filter(|_| config.globals.enabled);
        let now = |schedule: &Schedule| {
            at.filter(|_| schedule.enabled).map(|at| schedule.hours.at(zone, at)).unwrap_or_default()
        };
        let states: Vec<Now> = config.schedules.iter().map(now).collect();
        let is_on = |n: usize| states.get(n).is_some_and(|state: &Now| state.is_on);
        let known = config.schedules.iter().zip(&states).filter(|(schedule, _)| schedule.enabled);
        let all = known.map(|(schedule, state)| Self::new(schedule, *state, at, zone)).collect();
        (all, schedule::alterations(&config.schedules, &is_on))
    }

    /// One line of text.
    pub fn to_text(&self) -> String {
        let until = self.now.until.unwrap_or(0);
        format!("{} {until} {}: {}", u8::from(self.now.is_on), self.name, self.text)
    }

    /// Reads such a line.
    pub fn from_text(line: &str) -> Option<Self> {
        let mut words = line.splitn(3, ' ');
        let is_on = words.next()? == "1";
        let until = Some(words.next()?.parse().ok()?).filter(|until| *until > 0);
        let (name, text) = words.next()?.split_once(": ")?;
        Some(Self { name: name.into(), now: Now { is_on, until }, text: text.into() })
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
    use crate::config::read;

    #[test]
    fn a_schedule_is_told_in_words_and_its_line_is_understood() {
        let file = "config schedule 'night'\n option from '22:00'\n option to '06:00'\n option upload '5mbit'\n\
                    config schedule\n option download '9mbit'\nconfig schedule 'off'\n option enabled '0'\n list rule 'dns'\n";
        let (config, _) = read::load(file.as_bytes()).expect("a right file");
        let zone = Zone::parse("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
        let told = |at| {
            let (all, alterations) = Scheduled::all(&config, at, &zone);
            for one in &all {
                assert_eq!(Scheduled::from_text(&one.to_text()).as_ref(), Some(one));
            }
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
        assert_eq!((told(5).1, Scheduled::from_text("1 x")), (0, None));
    }
}
