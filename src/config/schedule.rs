// SPDX-License-Identifier: Apache-2.0
//! Hours of the week in which something is otherwise (section `schedule`): what a section says, whether it makes sense,
//! and what it comes to at a moment.
//!
//! When hours are, `calendar` says; what alterations do, `altered`.

use super::altered::{Alteration, share};
use super::check::{Understood, line_of};
use super::error::Faults;
use super::options::{SectionType, did_you_mean};
use super::read::{Checked, Reader};
use super::uci::Section;
use super::value::Quoted;
use super::{DownloadOn, Engine, place};
use crate::calendar::{EVERY_DAY, Hours};
use crate::limits;
use crate::text::joined;
use crate::units::{Permille, Rate, Way};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

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
        let usual = || format!("of line {}", section.line);
        let hours = Hours { days: said.days, from: said.from.unwrap_or(0), to: said.to.unwrap_or(0) };
        self.understood.config.schedules.push(Schedule {
            name: if section.is_anonymous { usual() } else { section.name.clone() },
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
                    unknown(section, "class", "class", class, &classes, faults)
                }
                _ => {}
            }
        }
        schedule.rules.iter().for_each(|rule| unknown(section, "rule", "rule", rule, &rules, faults));
        let mut fault = |option: &str, text: String| {
            faults.fault(line_of(section, option), option, format!("schedule '{}': {text}", schedule.name));
        };
        let has_share = given("guarantee") || given("limit");
        if is_refused {
            continue;
        } else if has_share && !given("class") {
            let option = if given("guarantee") { "guarantee" } else { "limit" };
            fault(option, "needs option 'class': whose share it is".into());
        } else if given("class") && !has_share {
            fault("class", "needs option 'guarantee' or 'limit' beside it".into());
        } else if schedule.alterations.is_empty() && schedule.rules.is_empty() {
            fault("", "changes nothing; give it 'upload', 'download', a 'class' with 'guarantee' or 'limit', or a 'rule'".into());
        }
        if faults.count() > before || sum > u32::from(Permille::ALL.0) {
            continue;
        }
        for one in &schedule.alterations {
            let Alteration::Share { class, guarantee, limit } = one else { continue };
            if let Err(why) = share(&mut config.classes.clone(), class, *guarantee, *limit) {
                let option = if guarantee.is_some() { "guarantee" } else { "limit" };
                let text = format!("schedule '{}': class '{class}': {why}", schedule.name);
                faults.fault(line_of(section, option), option, text);
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

/// What schedules come to while those hold that `is_on` tells by their place: what they alter, in the order of the file,
/// and the rules that wait for their hours.
pub fn alterations(schedules: &[Schedule], is_on: &dyn Fn(usize) -> bool) -> Vec<Alteration> {
    let mut all = Vec::new();
    let enabled = || schedules.iter().enumerate().filter(|(_, schedule)| schedule.enabled);
    for (n, schedule) in enabled() {
        if is_on(n) {
            all.extend_from_slice(&schedule.alterations);
        }
        for rule in &schedule.rules {
            let off = Alteration::RuleOff { rule: rule.clone() };
            let has_its_hour = enabled().any(|(m, other)| is_on(m) && other.rules.contains(rule));
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
        let mut what: Vec<String> = self.alterations.iter().map(ToString::to_string).collect();
        what.extend(self.rules.iter().map(|rule| format!("rule '{rule}'")));
        let off = if self.enabled { "" } else { " (switched off)" };
        write!(f, "{}: {}{off}", self.hours, joined(&what, ", "))
    }
}
