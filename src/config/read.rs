// SPDX-License-Identifier: Apache-2.0
//! From sections and options to a [`Config`], or every fault at once.
//!
//! Defaults first, then what the file says, then `check`: what each line says for itself is judged where it is read,
//! what only shows when everything is known is judged there.

use super::check::{Understood, check};
use super::error::{Fault, Faults, Severity};
use super::link::{self, Cells, LinkLayer};
use super::options::{self, Kind, OPTIONS, Row, SectionType, did_you_mean, guess};
use super::service::{self, Service};
use super::steer::{self, Far};
use super::uci::{self, Opt, Package, Section};
use super::value::{self, Quoted};
use super::{CakeTin, Class, Config, Wan, place};
use crate::limits;
use crate::order;
use crate::text::joined;
use crate::units::{Bytes, DeviceName, Dscp, Micros, Permille, Prefix, Rate};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Reads a file.
///
/// # Errors
/// Every fault and warning, when there is at least one fault.
pub fn load(bytes: &[u8]) -> Result<(Config, Vec<Fault>), Vec<Fault>> {
    let fault =
        |line, text| alloc::vec![Fault { severity: Severity::Fault, line, option: String::new(), text }];
    // What a power cut leaves of a file on flash; UCI takes a zero for the end of its line.
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        let line = 1 + bytes.iter().take(at).filter(|byte| **byte == b'\n').count() as u32;
        return Err(fault(line, "is no text: it has zero bytes, as files have after a power cut".into()));
    }
    match uci::parse(bytes) {
        Ok(package) => read(&package),
        Err(error) => {
            let advice = advice(error.reason).map(|advice| format!(": {advice}")).unwrap_or_default();
            Err(fault(error.begins, format!("{} (byte {}){advice}", error.reason, error.byte)))
        }
    }
}

/// What to do about libuci's words.
fn advice(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "too many arguments" => "a value with blanks needs quotes around it",
        "invalid command" => "lines begin with config, option, list or #",
        "invalid character in name field" => "names have letters, digits and _ only",
        "option/list command found before the first section" => "a line 'config wan' belongs in front",
        reason if reason.starts_with("EOF with unterminated") => "the quote that begins here is never closed",
        _ => return None,
    })
}

/// Reads a package.
///
/// # Errors
/// Every fault and warning, when there is at least one fault.
pub fn read(package: &Package) -> Result<(Config, Vec<Fault>), Vec<Fault>> {
    let mut config = Config::default();
    // The line that is there without any file makes room for the file's.
    if package.sections.iter().any(|section| section.kind == SectionType::Wan.name()) {
        config.wans.clear();
    }
    let mut reader =
        Reader { faults: Faults::default(), understood: Understood::of(config), too_many: (0, 0) };
    for section in &package.sections {
        reader.section(section);
    }
    let Reader { mut faults, mut understood, too_many: (line, beyond) } = reader;
    if beyond > 0 {
        let builtin = understood.config.rules.iter().filter(|rule| rule.is_builtin).count();
        let own = understood.config.rules.len() - builtin + beyond;
        let text = format!("{own} rules and {builtin} built in; {} at most", limits::RULES);
        faults.fault(line, "", text);
    }
    check(&mut understood, &mut faults);
    let faults = faults.finish();
    let is_refused = faults.iter().any(|fault| fault.severity == Severity::Fault);
    if is_refused { Err(faults) } else { Ok((understood.config, faults)) }
}

/// A value whose text has been checked against its row of the table.
pub(super) enum Checked {
    Bool(bool),
    Rate(Rate),
    Share(Permille),
    Span(Micros),
    Integer(i64),
    Mask(u32),
    Size(Bytes),
    Device(DeviceName),
    Word(String),
    /// The place of the word among those there are.
    Choice(usize),
    Link(LinkLayer),
    Protocols(Vec<u8>),
    Ports(Vec<(u16, u16)>),
    Prefixes(Vec<Prefix>),
    Dscp(Dscp),
    Dscps(u64),
    Length((u16, u16)),
    Services(Vec<Service>),
    Fars(Vec<Far>),
    Names(Vec<String>),
}

pub(super) struct Reader<'a> {
    pub(super) faults: Faults,
    pub(super) understood: Understood<'a>,
    /// The line of the first rule there is no room for, and how many there are.
    pub(super) too_many: (u32, usize),
}

impl<'a> Reader<'a> {
    fn section(&mut self, section: &'a Section) {
        if section.again > 0 {
            let text = format!(
                "section '{}' is opened again in line {}: both are one, and what is set twice is as it was set last",
                section.name, section.again
            );
            self.faults.warn(section.line, "", text);
        }
        if section.name.len() > limits::NAME {
            let text =
                format!("section {} has a name of more than {} bytes", Quoted(&section.name), limits::NAME);
            return self.faults.fault(section.line, "", text);
        }
        match SectionType::ALL.into_iter().find(|known| known.name() == section.kind) {
            Some(SectionType::Globals) => self.globals(section),
            Some(SectionType::Wan) => self.wan(section),
            Some(SectionType::Class) => self.class(section),
            Some(SectionType::Rule) => self.rule(section),
            Some(SectionType::Schedule) => self.schedule(section),
            Some(SectionType::Threshold) => self.threshold(section),
            None => {
                let known = SectionType::ALL.iter().map(|known| known.name());
                let kind = Quoted(&section.kind);
                // What was meant would not be shaped, classified or watched; what nobody knows may be a newer weir's.
                if let Some(word) = did_you_mean(&section.kind, known.clone()) {
                    let text = format!("there are no sections {kind}; did you mean 'config {word}'?");
                    return self.faults.fault(section.line, "", text);
                }
                let known = joined(&known.collect::<Vec<_>>(), ", ");
                let text = format!("section {kind} is not known and ignored; there are {known}");
                self.faults.warn(section.line, "", text);
            }
        }
    }

    /// The checked value of each known option of a section.
    pub(super) fn options<'b>(
        &mut self,
        kind: SectionType,
        section: &'b Section,
    ) -> Vec<(&'static Row, &'b Opt, Checked)> {
        let mut checked = Vec::new();
        for option in &section.options {
            if option.earlier > 0 {
                let text = format!("is set twice: this value counts, not that of line {}", option.earlier);
                self.faults.warn(option.line, &shortened(&option.name), text);
            }
            let Some(row) = options::find(kind, &option.name) else {
                let names = OPTIONS.iter().filter(|row| row.section == kind).map(|row| row.name);
                let hint = guess(&option.name, names);
                let text = format!("not known in section {} and ignored{hint}", kind.name());
                self.faults.warn(option.line, &shortened(&option.name), text);
                continue;
            };
            if let uci::Value::List(entries) = &option.value
                && entries.len() > 1
                && !row.kind.is_list()
            {
                self.faults.fault(option.line, row.name, "takes one value, not a list");
                continue;
            }
            let not_text = || "is not text (UTF-8)".to_string();
            let result = if row.kind.is_list() {
                // Names may hold blanks.
                words(&option.value, row.kind != Kind::Rules)
                    .ok_or_else(not_text)
                    .and_then(|words| check_list(row.kind, &words))
            } else {
                option.value.text().ok_or_else(not_text).and_then(|text| check_text(row.kind, text))
            };
            match result {
                Ok(value) => checked.push((row, option, value)),
                Err(text) => self.faults.fault(option.line, row.name, text),
            }
        }
        checked
    }

    fn globals(&mut self, section: &'a Section) {
        for (row, option, mut value) in self.options(SectionType::Globals, section) {
            if let (true, Checked::Span(span)) = (row.name == "keep_history", &value)
                && (Micros(1)..LEAST_KEPT).contains(span)
            {
                let text =
                    format!("{span} would wear flash out; {LEAST_KEPT} at least, such as 6h, or 0 for never");
                self.faults.fault(option.line, row.name, text);
                continue;
            }
            let globals = &mut self.understood.config.globals;
            place::put(place::GLOBALS, globals, row.name, &mut value);
        }
    }

    fn wan(&mut self, section: &'a Section) {
        if self.understood.config.wans.len() == limits::WANS {
            let text = format!("more than {} lines (sections wan)", limits::WANS);
            return self.faults.fault(section.line, "", text);
        }
        let mut said = SaidOfWan { wan: Wan::new(&section.name), overhead: None, mpu: None, cells: None };
        for (row, option, mut value) in self.options(SectionType::Wan, section) {
            if let ("download" | "upload", Checked::Rate(rate)) = (row.name, &value) {
                self.suspicious(option, *rate);
            }
            place::put(place::WAN, &mut said, row.name, &mut value);
        }
        let mut wan = said.wan();
        let mut tells = ["link", "overhead", "mpu", "cells"].iter();
        wan.is_link_given = tells.any(|name| section.option(name).is_some());
        // A generated name tells nobody anything.
        let spoken = || wan.network.clone().or_else(|| wan.device.map(|device| device.to_string()));
        if let Some(name) = spoken().filter(|_| section.is_anonymous) {
            wan.name = name;
        }
        self.understood.config.wans.push(wan);
        self.understood.wans.push(section);
    }

    /// A number without a unit that would be an absurdly slow line.
    pub(super) fn suspicious(&mut self, option: &Opt, rate: Rate) {
        let text = option.value.text().unwrap_or_default().trim();
        if rate < Rate::kbit(1000) && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            let text = format!("a number alone is kbit/s: {rate}; did you mean {text}mbit?");
            self.faults.warn(option.line, &option.name, text);
        }
    }

    fn class(&mut self, section: &'a Section) {
        if section.is_anonymous {
            return self.faults.fault(section.line, "", "a class needs a name: config class 'gaming'");
        }
        let classes = &self.understood.config.classes;
        let at = classes.iter().position(|class| class.name == section.name).unwrap_or(classes.len());
        let known = classes.get(at).cloned();
        let is_full = classes.len() == limits::CLASSES;
        let class = known.clone().unwrap_or_else(|| Class {
            name: section.name.clone(),
            guarantee: Permille(0),
            limit: Permille::ALL,
            priority: 1,
            target: Micros::ms(200),
            is_default: false,
            set_dscp_up: None,
            set_dscp_down: None,
            cake_tin: CakeTin::Auto,
        });
        let mut said = SaidOfClass { class, is_enabled: true };
        for (row, _, mut value) in self.options(SectionType::Class, section) {
            place::put(place::CLASS, &mut said, row.name, &mut value);
        }
        let SaidOfClass { class, is_enabled } = said;
        let Understood { config, classes: sections, switched_off, .. } = &mut self.understood;
        match (is_enabled, config.classes.get_mut(at), sections.get_mut(at)) {
            (true, Some(old), Some(old_section)) => (*old, *old_section) = (class, Some(section)),
            (true, ..) if is_full => {
                let text = format!("class '{}': more than {} classes", section.name, limits::CLASSES);
                self.faults.fault(section.line, "", text);
            }
            (true, ..) => {
                if section.option("guarantee").is_none() {
                    let text = "a new class needs option 'guarantee', its share of the line in per cent";
                    self.faults.fault(section.line, "", format!("class '{}': {text}", section.name));
                }
                config.classes.push(class);
                sections.push(Some(section));
            }
            (false, ..) if known.is_some() => {
                config.classes.remove(at);
                sections.remove(at);
                *switched_off = section.line;
            }
            (false, ..) => {}
        }
    }
}

/// What a section is called; a generated name tells nobody anything.
pub(super) fn called(section: &Section) -> String {
    if section.is_anonymous { format!("of line {}", section.line) } else { section.name.clone() }
}

/// What a section says of a line.
pub(super) struct SaidOfWan {
    pub(super) wan: Wan,
    /// The numbers of its link layer that were given one by one.
    pub(super) overhead: Option<i16>,
    pub(super) mpu: Option<u16>,
    pub(super) cells: Option<Cells>,
}

/// What a section says of a class.
pub(super) struct SaidOfClass {
    pub(super) class: Class,
    pub(super) is_enabled: bool,
}

impl SaidOfWan {
    /// The line, its numbers in place of the preset's; a preset that is no longer one loses its name.
    fn wan(mut self) -> Wan {
        let preset = self.wan.link;
        let link = LinkLayer {
            name: preset.name,
            overhead: self.overhead.unwrap_or(preset.overhead),
            mpu: self.mpu.unwrap_or(preset.mpu),
            cells: self.cells.unwrap_or(preset.cells),
        };
        let is_numbered = self.overhead.is_some() || self.mpu.is_some() || self.cells.is_some();
        if link != preset || (is_numbered && preset == LinkLayer::AUTO) {
            self.wan.link = LinkLayer { name: "custom", ..link };
        }
        self.wan
    }
}

/// Histories are not written down more often, if at all.
pub const LEAST_KEPT: Micros = Micros::secs(600);

fn check_text(kind: Kind, text: &str) -> Result<Checked, String> {
    Ok(match kind {
        Kind::Bool => Checked::Bool(value::boolean(text)?),
        Kind::Rate => Checked::Rate(value::rate(text)?),
        Kind::Share => Checked::Share(value::share(text)?),
        Kind::Span(min, max) if kind.is_long() => {
            Checked::Span(value::long_span(text, Micros(min), Micros(max))?)
        }
        Kind::Span(min, max) => Checked::Span(value::span(text, Micros(min), Micros(max))?),
        Kind::Integer(min, max) => Checked::Integer(value::integer(text, min, max)?),
        Kind::Mask => Checked::Mask(value::mask(text)?),
        Kind::Size => Checked::Size(value::size(text)?),
        Kind::Device => Checked::Device(value::device(text)?),
        Kind::Network => Checked::Word(network(text)?),
        Kind::Choice(words) => Checked::Choice(choice(text, words)?),
        Kind::Link => Checked::Link(link_layer(text)?),
        Kind::ClassName => Checked::Word(class_name(text)?),
        Kind::Text => Checked::Word(free_text(text)?),
        Kind::LineName => Checked::Word(any_name(text)?),
        Kind::Clock => Checked::Integer(value::clock(text)?.into()),
        Kind::Dscp => Checked::Dscp(value::dscp(text)?),
        Kind::Length => Checked::Length(value::length(text)?),
        Kind::Protocols
        | Kind::Ports
        | Kind::Prefixes
        | Kind::Dscps
        | Kind::Services
        | Kind::Fars
        | Kind::Days
        | Kind::Rules => return check_list(kind, &[text]),
    })
}

/// The words of a list, or of an option with several in one; `None` if they are not UTF-8.
pub(super) fn words(value: &uci::Value, is_split: bool) -> Option<Vec<&str>> {
    let entries = match value {
        uci::Value::Text(bytes) => core::slice::from_ref(bytes),
        uci::Value::List(entries) => entries.as_slice(),
    };
    let mut words = Vec::new();
    for entry in entries {
        let text = core::str::from_utf8(entry).ok()?;
        let is_gap = |c: char| is_split && matches!(c, ' ' | '\t' | '\n' | ',');
        words.extend(text.split(is_gap).filter(|word| !word.is_empty()));
    }
    Some(words)
}

fn check_list(kind: Kind, words: &[&str]) -> Result<Checked, String> {
    if words.is_empty() {
        return Err("is empty; leave it out to mean any".into());
    }
    if words.len() > limits::ENTRIES {
        return Err(format!("has {} entries; at most {} are possible", words.len(), limits::ENTRIES));
    }
    if kind == Kind::Fars && words.len() > limits::REFLECTORS {
        return Err(format!("has {} entries; at most {} are possible", words.len(), limits::REFLECTORS));
    }
    let mut all = match kind {
        Kind::Protocols => Checked::Protocols(Vec::new()),
        Kind::Ports => Checked::Ports(Vec::new()),
        Kind::Prefixes => Checked::Prefixes(Vec::new()),
        Kind::Dscps => Checked::Dscps(0),
        Kind::Services => Checked::Services(Vec::new()),
        Kind::Fars => Checked::Fars(Vec::new()),
        Kind::Days => Checked::Mask(0),
        Kind::Rules => Checked::Names(Vec::new()),
        _ => return words.last().map_or_else(|| Err(String::new()), |word| check_text(kind, word)),
    };
    for word in words {
        match &mut all {
            Checked::Protocols(all) => all.extend(value::protocols(word)?),
            Checked::Ports(all) => all.push(value::ports(word)?),
            Checked::Prefixes(all) => all.push(value::prefix(word)?),
            Checked::Dscps(all) => *all |= value::dscps(word)?,
            // Once: each is multiplied with the rule's other conditions.
            Checked::Services(all) => {
                let one = service(word)?;
                if !all.iter().any(|known| known.name == one.name) {
                    all.push(one);
                }
            }
            Checked::Fars(all) => all.push(steer::far(word)?),
            Checked::Mask(all) => *all |= value::day(word)?,
            Checked::Names(all) => all.push(any_name(word)?),
            _ => {}
        }
    }
    match &mut all {
        Checked::Protocols(all) => {
            order::rising(all);
            all.dedup();
        }
        Checked::Ports(all) => value::join(all),
        Checked::Prefixes(all) => {
            order::rising(all);
            all.dedup();
        }
        _ => {}
    }
    Ok(all)
}

/// A built-in service by its name.
pub fn service(text: &str) -> Result<Service, String> {
    service::find(text).ok_or_else(|| {
        let names = service::services().map(|service| service.name);
        let hint = did_you_mean(text, names).map(|word| format!("did you mean '{word}'? "));
        format!("{} is not a service; {}'weir services' lists them", Quoted(text), hint.unwrap_or_default())
    })
}

fn class_name(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name { Ok(text.into()) } else { Err(format!("{} is not the name of a class", Quoted(text))) }
}

/// A name for people: one line, not too long to be shown.
fn free_text(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("is empty".into()),
        text if text.chars().any(char::is_control) => Err("must not hold control characters".into()),
        text if text.chars().count() > 40 => Err("is longer than 40 characters".into()),
        text => Ok(text.into()),
    }
}

/// A name that somebody else may have.
fn any_name(text: &str) -> Result<String, String> {
    let is_name = (1..=limits::NAME).contains(&text.len()) && !text.chars().any(char::is_control);
    if is_name { Ok(text.into()) } else { Err(format!("{} is no name", Quoted(text))) }
}

/// An unknown option's name as far as it helps; UCI has made sure of its letters.
pub(super) fn shortened(name: &str) -> String {
    name.chars().take(40).collect()
}

fn network(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name && text.len() <= limits::NETWORK_NAME {
        Ok(text.into())
    } else {
        Err(format!("{} is not a network's name: letters, digits and _", Quoted(text)))
    }
}

fn choice(text: &str, words: &[&str]) -> Result<usize, String> {
    if let Some(n) = words.iter().position(|word| *word == text) {
        return Ok(n);
    }
    let hint = guess(text, words.iter().copied());
    Err(format!("{} is not one of {}{hint}", Quoted(text), joined(words, ", ")))
}

fn link_layer(text: &str) -> Result<LinkLayer, String> {
    if text == LinkLayer::AUTO.name {
        return Ok(LinkLayer::AUTO);
    }
    link::by_name(text).ok_or_else(|| {
        let names = link::PRESETS.iter().map(|preset| preset.link.name).chain([LinkLayer::AUTO.name]);
        let hint = did_you_mean(text, names).map(|word| format!("did you mean '{word}'? "));
        let hint = hint.unwrap_or_default();
        format!("{} is not a link layer; {hint}'weir help config' lists them", Quoted(text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Rule;

    fn good(file: &str) -> Config {
        load(file.as_bytes()).unwrap_or_else(|faults| panic!("{faults:?}")).0
    }

    #[test]
    fn an_empty_file_is_the_default_configuration() {
        assert_eq!(good(""), Config::default());
        assert_eq!(good("# nothing\n"), Config::default());
    }

    #[test]
    fn five_lines_are_enough() {
        let config = good(
            "config wan 'wan'\n\toption device 'eth1'\n\toption download '80mbit'\n\toption upload '20mbit'\n",
        );
        assert_eq!(
            (config.wans[0].download, config.wans[0].upload),
            (Some(Rate::mbit(80)), Some(Rate::mbit(20)))
        );
        assert_eq!(config.classes, Class::defaults());
    }

    #[test]
    fn classes_can_be_added_changed_and_left_out() {
        let config = good(
            "config class 'gaming'\n option guarantee '15'\n option priority '0'\n\
             config class 'low'\n option enabled '0'\nconfig class 'high'\n option default '1'\n",
        );
        let names: Vec<_> = config.classes.iter().map(|c| (c.name.as_str(), c.is_default)).collect();
        assert_eq!(names, [("critical", false), ("high", true), ("normal", false), ("gaming", false)]);
    }

    #[test]
    fn numbers_of_ones_own_change_a_preset() {
        let wan = &good("config wan 'w'\n option link 'docsis'\n option overhead '22'\n").wans[0];
        assert_eq!(wan.link, LinkLayer { name: "custom", overhead: 22, mpu: 64, cells: Cells::None });
        assert!(wan.is_link_given);
        // Beside numbers `auto` guesses nothing, even where they are Ethernet's own.
        let file = "config wan 'w'\n option link 'auto'\n option overhead '38'\n";
        let (config, warnings) = load(file.as_bytes()).expect("no fault");
        assert_eq!(config.wans[0].link, LinkLayer { name: "custom", ..LinkLayer::default() });
        assert!(warnings.iter().any(|w| w.option == "link" && w.text.contains("not used")), "{warnings:?}");
        let auto = good("config wan 'w'\n option link 'auto'\n");
        assert_eq!((auto.wans[0].link, auto.wans[0].is_link_given), (LinkLayer::AUTO, true));
        assert!(!good("config wan 'w'\n option upload '5mbit'\n").wans[0].is_link_given);
    }

    #[test]
    fn rules_there_is_no_room_for_are_one_fault_that_says_how_many_are_built_in() {
        let builtin = Rule::builtin().len();
        let most = limits::RULES - builtin;
        let file = |count: usize| {
            let rule =
                |n| format!("config rule 'r{n}'\n option remote_port '{}'\n option class 'low'\n", n + 1);
            (0..count).map(rule).collect::<String>()
        };
        assert!(load(file(most).as_bytes()).is_ok(), "as many as there may be");
        let faults = load(file(most + 15).as_bytes()).expect_err("too many");
        let faults = faults.iter().filter(|fault| fault.severity == Severity::Fault);
        let told: Vec<_> = faults.map(ToString::to_string).collect();
        let line = 1 + 3 * most;
        assert_eq!(told, [format!("{line}: fault: {} rules and {builtin} built in; 640 at most", most + 15)]);
    }

    #[test]
    fn a_hostile_file_gives_a_bounded_list_and_is_still_refused() {
        let mut file = String::from("config wan 'w'\n");
        (0..500).for_each(|n| file.push_str(&format!(" option nonsense{n} '1'\n")));
        file.push_str(" option upload 'x'\n");
        let Err(faults) = load(file.as_bytes()) else { panic!("accepted") };
        assert_eq!(faults.len(), limits::FAULTS);
        assert!(faults.iter().any(|fault| fault.option == "upload"));
    }

    #[test]
    fn a_message_is_short_whatever_the_file_holds() {
        let long = "x".repeat(50_000);
        let file =
            format!("config wan 'w'\n option upload '{long}'\n option {long} '1'\nconfig {long} 'y'\n");
        let Err(faults) = load(file.as_bytes()) else { panic!("accepted") };
        assert_eq!(faults.len(), 3);
        assert!(faults.iter().all(|fault| fault.to_string().len() < 250), "{faults:?}");
    }

    #[test]
    fn histories_are_kept_at_most_every_ten_minutes_and_a_number_without_unit_is_no_such_time() {
        let kept = |value: &str| {
            let file = format!("config globals 'g'\n option keep_history '{value}'\n");
            load(file.as_bytes()).map(|(config, _)| config.globals.keep_history)
        };
        assert_eq!(kept("6h").ok(), Some(Micros::secs(21_600)));
        assert_eq!((kept("10m").ok(), kept("0").ok()), (Some(Micros::secs(600)), Some(Micros(0))));
        for (value, told) in [
            ("6", "6 s would wear flash out; 10 min at least, such as 6h, or 0 for never"),
            ("5m", "5 min would wear flash out; 10 min at least, such as 6h, or 0 for never"),
            ("8d", "must lie between 0 us and 7 d"),
        ] {
            let faults = kept(value).expect_err(value);
            assert!(faults.len() == 1 && faults[0].to_string().ends_with(told), "{faults:?}");
        }
    }

    /// A value for each option that is not its default.
    fn another(row: &Row) -> &'static str {
        match (row.section, row.name, row.kind) {
            (.., "trust_dscp", _) => "both",
            (.., Kind::Bool) if row.default.starts_with('1') => "0",
            (.., Kind::Bool) => "1",
            (.., Kind::Rate) => "80mbit",
            (.., Kind::Share) => "42",
            (SectionType::Threshold, .., Kind::Span(..)) => "77s",
            (SectionType::Globals, .., Kind::Span(..)) => "6h",
            (.., Kind::Span(..)) => "30ms",
            (.., Kind::Integer(..)) => "3",
            (.., Kind::Mask) => "0xff",
            (.., Kind::Size) => "4mb",
            (.., Kind::Device | Kind::Network) => "x",
            (.., "operator", _) => "==",
            (.., "value", _) => "7",
            (.., Kind::Choice(words)) => words.iter().rfind(|word| **word != row.default).expect("a choice"),
            (.., Kind::Link) => "docsis",
            (.., Kind::ClassName) => "high",
            (.., Kind::Text) => "x",
            (.., Kind::Protocols) => "udp",
            (.., Kind::Ports) => "443",
            (.., Kind::Prefixes) => "2001:db8::/32",
            (.., Kind::Dscp | Kind::Dscps) => "EF",
            (.., Kind::Length) => "0-100",
            (.., Kind::Services) => "icmp",
            (.., Kind::Fars) => "192.0.2.1",
            (.., Kind::LineName | Kind::Rules) => "x",
            (.., Kind::Days) => "sat",
            (.., Kind::Clock) => "22:00",
        }
    }

    fn with(row: &Row, value: &str) -> String {
        let name = match row.section {
            SectionType::Class => "high",
            SectionType::Rule => "dns",
            SectionType::Globals | SectionType::Wan | SectionType::Schedule | SectionType::Threshold => "wan",
        };
        let mut file = format!("config {} '{name}'\n option {} '{value}'\n", row.section.name(), row.name);
        for option in ["metric", "value"] {
            if row.section == SectionType::Threshold && row.name != option {
                file.push_str(&format!(
                    " option {option} '{}'\n",
                    if option == "metric" { "drops" } else { "100" }
                ));
            }
        }
        file
    }

    #[test]
    fn no_option_of_the_table_is_without_effect() {
        for row in OPTIONS {
            let file = with(row, another(row));
            let mut without = Config::default();
            if row.section == SectionType::Threshold {
                without =
                    read_anyway("config threshold 'wan'\n option metric 'drops'\n option value '100'\n");
            }
            assert_ne!(read_anyway(&file), without, "{file}");
        }
    }

    /// Before it is checked: some options are a fault alone.
    fn read_anyway(file: &str) -> Config {
        let package = uci::parse(file.as_bytes()).expect("UCI");
        let config = Config { wans: Vec::new(), ..Config::default() };
        let mut reader =
            Reader { faults: Faults::default(), understood: Understood::of(config), too_many: (0, 0) };
        package.sections.iter().for_each(|section| reader.section(section));
        assert_eq!(reader.faults.finish(), [], "{file}");
        let mut config = reader.understood.config;
        if config.wans.is_empty() {
            config.wans = Config::default().wans;
        }
        // What the link is, not whether the file said so, is an option's effect.
        config.wans.iter_mut().for_each(|wan| wan.is_link_given = false);
        config
    }

    #[test]
    fn every_word_and_default_of_the_table_is_understood() {
        let mut defaults = 0;
        for row in OPTIONS {
            if let Kind::Choice(words) = row.kind {
                words.iter().for_each(|word| drop(read_anyway(&with(row, word))));
            }
            // The rest are sentences: "the network's"; classes and rules begin with a section.
            let is_there_anyway = matches!(row.section, SectionType::Globals | SectionType::Wan);
            if is_there_anyway && check_text(row.kind, row.default).is_ok() {
                assert_eq!(read_anyway(&with(row, row.default)), Config::default(), "{}", row.name);
                defaults += 1;
            }
        }
        assert_eq!(defaults, 25);
    }

    #[test]
    fn no_mutation_of_a_good_file_makes_the_reader_panic() {
        // Each option once with a value of its own, in sections that may stand beside each other.
        let mut whole = String::from("config wan 'wan'\n option link 'docsis'\n list upload '1.5mbit'\n");
        for row in OPTIONS.iter().filter(|row| {
            row.section == SectionType::Wan && !["link", "upload", "upload_min"].contains(&row.name)
        }) {
            whole.push_str(&format!(" option {} '{}'\n", row.name, another(row)));
        }
        whole.push_str("config class 'x'\n option guarantee '5%'\n option limit '90'\n option default '1'\n");
        whole = whole.replace("download_on 'none'", "download_on 'lan'").replace("lan 'x'", "lan 'y'");
        assert!(load(whole.as_bytes()).is_ok(), "{:?}", load(whole.as_bytes()));
        let mut seed = 7u32;
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            seed
        };
        let (mut good, mut bad) = (0, 0);
        for _ in 0..20_000 {
            let mut bytes = whole.as_bytes().to_vec();
            for _ in 0..1 + next() % 4 {
                let at = next() as usize % bytes.len();
                match next() % 5 {
                    0 => bytes[at] = next() as u8,
                    1 => drop(bytes.remove(at)),
                    2 => bytes.insert(at, b"'\"\\#; \n\t\0"[next() as usize % 9]),
                    3 => bytes.insert(at, b"0123456789.-,x%"[next() as usize % 15]),
                    // A line or more is missing.
                    _ => drop(bytes.drain(at..(at + next() as usize % 80).min(bytes.len()))),
                }
            }
            match load(&bytes) {
                Ok((config, warnings)) => {
                    assert!(warnings.len() <= limits::FAULTS);
                    assert_eq!(config.classes.iter().filter(|class| class.is_default).count(), 1);
                    assert!(
                        config.classes.iter().map(|class| u32::from(class.guarantee.0)).sum::<u32>() <= 1000
                    );
                    assert!(config.classes.iter().all(|class| class.guarantee <= class.limit));
                    good += 1;
                }
                Err(faults) => {
                    assert!(!faults.is_empty() && faults.len() <= limits::FAULTS);
                    bad += 1;
                }
            }
        }
        assert!(good > 1000 && bad > 1000, "{good} {bad}");
    }
}
