// SPDX-License-Identifier: Apache-2.0
//! Hours of the week in which something is otherwise (section `schedule`): what a section says, whether it makes sense,
//! and what it comes to at a moment.
//!
//! When hours are, `calendar` says; what alterations do, `altered`.

use super::altered::{Alteration, shares};
use super::check::{Understood, line_of};
use super::error::Faults;
use super::options::{SectionType, did_you_mean};
use super::read::{Checked, Reader, called};
use super::uci::Section;
use super::value::Quoted;
use super::{Config, DownloadOn, Engine, place};
use crate::calendar::{EVERY_DAY, Hours, Now, Zone};
use crate::limits;
use crate::text::joined;
use crate::units::{Permille, Rate, Way};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Rules that are named where a schedule is told in words, which answers on the bus have room for.
const SHOWN: usize = 4;

/// What is otherwise, and when (section `schedule`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The section's name.
    pub name: String,
    /// Off: as if it were not there.
    pub enabled: bool,
    /// When it holds.
    pub hours: Hours,
    /// What is then otherwise.
    pub alterations: Vec<Alteration>,
    /// The rules that hold then, and at no other time unless another schedule says so.
    pub rules: Vec<String>,
    /// The line of its section.
    pub line: u32,
}

/// What a section says.
pub(super) struct Said {
    pub(super) enabled: bool,
    pub(super) wan: Option<String>,
    pub(super) days: u32,
    pub(super) from: Option<u16>,
    pub(super) to: Option<u16>,
    pub(super) upload: Option<Rate>,
    pub(super) download: Option<Rate>,
    pub(super) class: Option<String>,
    pub(super) guarantee: Option<Permille>,
    pub(super) limit: Option<Permille>,
    pub(super) rules: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn schedule(&mut self, section: &'a Section) {
        if self.understood.config.schedules.len() == limits::SCHEDULES {
            let text = format!("more than {} schedules", limits::SCHEDULES);
            return self.faults.fault(section.line, "", text);
        }
        let mut said = Said {
            enabled: true,
            wan: None,
            days: EVERY_DAY,
            from: None,
            to: None,
            upload: None,
            download: None,
            class: None,
            guarantee: None,
            limit: None,
            rules: Vec::new(),
        };
        for (row, option, mut value) in self.options(SectionType::Schedule, section) {
            if let ("download" | "upload", Checked::Rate(rate)) = (row.name, &value) {
                self.suspicious(option, *rate);
            }
            place::put(place::SCHEDULE, &mut said, row.name, &mut value);
        }
        let mut alterations = Vec::new();
        for (way, rate) in Way::ALL.into_iter().zip([said.upload, said.download]) {
            alterations.extend(rate.map(|rate| Alteration::Speed { line: said.wan.clone(), way, rate }));
        }
        if let Some(class) = said.class {
            let (guarantee, limit) = (said.guarantee, said.limit);
            alterations.push(Alteration::Share { class, guarantee, limit });
        }
        let hours = Hours { days: said.days, from: said.from.unwrap_or(0), to: said.to.unwrap_or(0) };
        self.understood.config.schedules.push(Schedule {
            name: called(section),
            enabled: said.enabled,
            hours,
            alterations,
            rules: said.rules,
            line: section.line,
        });
        self.understood.schedules.push(section);
    }
}

/// Names that nobody has, shares that could not be kept, schedules that change nothing.
pub(super) fn check(understood: &Understood<'_>, faults: &mut Faults) {
    let config = &understood.config;
    let wans: Vec<&str> = config.wans.iter().map(|wan| wan.name.as_str()).collect();
    let classes: Vec<&str> = config.classes.iter().map(|class| class.name.as_str()).collect();
    let rules: Vec<&str> = config.rules.iter().map(|rule| rule.name.as_str()).collect();
    let sum: u32 = config.classes.iter().map(|class| u32::from(class.guarantee.0)).sum();
    for (schedule, section) in config.schedules.iter().zip(&understood.schedules) {
        let before = faults.count();
        let is_refused = section.options.iter().any(|option| faults.is_refused(option.line, &option.name));
        let given = |option: &str| section.option(option).is_some();
        for one in &schedule.alterations {
            match one {
                Alteration::Speed { line: Some(line), way, .. } => {
                    let option = if given("wan") { "wan" } else { name_of(*way) };
                    unknown(section, option, "line", line, &wans, faults);
                }
                Alteration::Share { class, .. } => {
                    unknown(section, "class", "class", class, &classes, faults);
                }
                _ => {}
            }
        }
        schedule.rules.iter().for_each(|rule| unknown(section, "rule", "rule", rule, &rules, faults));
        let mut fault = |option: &str, text: &str| faults.fault(line_of(section, option), option, text);
        if is_refused {
            continue;
        }
        let share = if given("guarantee") { "guarantee" } else { "limit" };
        if given(share) != given("class") {
            fault("class", "'class' and its 'guarantee' or 'limit' need each other");
        } else if schedule.alterations.is_empty() && schedule.rules.is_empty() {
            fault("", "changes nothing; give it 'upload', 'download', a 'class' with its share, or a 'rule'");
        }
        if faults.count() > before || sum > u32::from(Permille::ALL.0) {
            continue;
        }
        for one in &schedule.alterations {
            if let Alteration::Share { class, guarantee, limit } = one
                && let Err(why) = shares(&config.classes, class, *guarantee, *limit)
            {
                faults.fault(line_of(section, share), share, why);
            }
        }
        useless(understood, schedule, section, faults);
    }
}

/// A name that nobody has.
fn unknown(section: &Section, option: &str, what: &str, name: &str, all: &[&str], faults: &mut Faults) {
    let line = line_of(section, option);
    if all.contains(&name) || faults.is_refused(line, option) {
        return;
    }
    let hint = match did_you_mean(name, all.iter().copied()) {
        Some(word) => format!("; did you mean '{word}'?"),
        None if what == "rule" => "; 'weir rules' lists them".into(),
        None => format!("; there are {}", joined(all, ", ")),
    };
    faults.fault(line, option, format!("there is no {what} {}{hint}", Quoted(name)));
}

/// What is said and does nothing.
fn useless(understood: &Understood<'_>, schedule: &Schedule, section: &Section, faults: &mut Faults) {
    let wans = &understood.config.wans;
    for one in &schedule.alterations {
        match one {
            Alteration::Speed { line, way: Way::Down, .. } => {
                let mut meant = wans.iter().filter(|wan| line.as_ref().is_none_or(|line| wan.name == *line));
                if meant.all(|wan| wan.download_on == DownloadOn::None) {
                    let text = "not used: 'download_on' is 'none'";
                    faults.warn(line_of(section, "download"), "download", text);
                }
            }
            Alteration::Share { .. } if wans.iter().all(|wan| wan.engine == Engine::Cake) => {
                let text = "not used: CAKE has thresholds of its own, shares of classes do not apply to it";
                faults.warn(line_of(section, "class"), "class", text);
            }
            _ => {}
        }
    }
    let is_about_a_line =
        schedule.alterations.iter().any(|one| matches!(one, Alteration::Speed { line: Some(_), .. }));
    if section.option("wan").is_some() && !is_about_a_line {
        faults.warn(
            line_of(section, "wan"),
            "wan",
            "not used: only 'upload' and 'download' are about a line",
        );
    }
}

const fn name_of(way: Way) -> &'static str {
    match way {
        Way::Up => "upload",
        Way::Down => "download",
    }
}

/// How schedules stand when a clock shows `at`, if anybody knows.
pub fn states(config: &Config, at: Option<u64>, zone: &Zone) -> Vec<Now> {
    let now = |schedule: &Schedule| {
        let at = at.filter(|_| schedule.enabled && config.globals.enabled);
        at.map_or(Now::default(), |at| schedule.hours.at(zone, at))
    };
    config.schedules.iter().map(now).collect()
}

/// What schedules come to while they stand so: what they alter, in the order of the file,
/// and the rules that wait for their hours.
pub fn alterations(schedules: &[Schedule], states: &[Now]) -> Vec<Alteration> {
    let mut all = Vec::new();
    for (schedule, state) in schedules.iter().zip(states).filter(|(schedule, _)| schedule.enabled) {
        if state.is_on {
            all.extend_from_slice(&schedule.alterations);
        }
        for rule in &schedule.rules {
            let off = Alteration::RuleOff { rule: rule.clone() };
            let mut others = schedules.iter().zip(states);
            let has_its_hour = others.any(|(other, state)| state.is_on && other.rules.contains(rule));
            if !has_its_hour && !all.contains(&off) {
                all.push(off);
            }
        }
    }
    all
}

/// `every day, 22:00 to 06:00: upload 5 Mbit/s on every line, rule 'x'`.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hours.fmt(f)?;
        let mut between = ": ";
        for one in &self.alterations {
            f.write_str(between)?;
            one.fmt(f)?;
            between = ", ";
        }
        for rule in self.rules.iter().take(SHOWN) {
            write!(f, "{between}rule '{rule}'")?;
            between = ", ";
        }
        if self.rules.len() > SHOWN {
            write!(f, " and {} more", self.rules.len() - SHOWN)?;
        }
        f.write_str(if self.enabled { "" } else { " (switched off)" })
    }
}
