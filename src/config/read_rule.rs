// SPDX-License-Identifier: Apache-2.0
//! From a section `rule` to a [`Rule`].
//!
//! A rule with the name of one that is there anyway changes that one and keeps its place; others are the user's own.

use super::error::Faults;
use super::options::{self, Kind, Row, SectionType, did_you_mean, guess};
use super::read::{Checked, Reader, called, shortened, words};
use super::rule::{self, Match, OWN_PRIORITY, PORT_PROTOCOLS, Rule};
use super::service::{self, Service};
use super::uci::{Opt, Section};
use super::{place, value};
use crate::limits;
use crate::units::{Dscp, Prefix, Way};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What a section says, before it is clear what rule that makes.
#[derive(Default)]
pub(super) struct Said {
    pub(super) is_on: bool,
    pub(super) name: Option<String>,
    pub(super) class: Option<String>,
    pub(super) way: Option<Option<Way>>,
    pub(super) priority: Option<u16>,
    pub(super) set_dscp: Option<Dscp>,
    pub(super) services: Vec<Service>,
    pub(super) own: Match,
    /// The line of the first option about ports.
    ports_line: u32,
    /// Whether it says itself which protocols or ports it is about.
    has_ports: bool,
}

impl Reader<'_> {
    /// Addresses that are read as something else than they look like, or that no packet on a line has.
    fn check_prefixes(&mut self, row: &Row, option: &Opt, prefixes: &[Prefix]) {
        for word in words(&option.value, true).unwrap_or_default() {
            if let Some(prefix) = value::widened(word) {
                let text = format!("{word} is read as {prefix}, all of that network; one address has no /");
                self.faults.warn(option.line, row.name, text);
            }
        }
        if let Some(prefix) = prefixes.iter().find(|prefix| prefix.is_v6 && prefix.is_of_a_site()) {
            let text = format!("{prefix} is of a network at home: the line never sees such addresses");
            self.faults.warn(option.line, row.name, text);
        } else if row.name == "remote"
            && let Some(prefix) = prefixes.iter().find(|prefix| prefix.is_of_a_site())
        {
            let text = format!(
                "{prefix} is of a network at home: only one between this router and its provider has such addresses"
            );
            self.faults.warn(option.line, row.name, text);
        }
    }

    pub(super) fn rule(&mut self, section: &Section) {
        let mut said = Said { is_on: true, ..Said::default() };
        let options = self.options(SectionType::Rule, section);
        let is_whole = options.len() == section.options.len();
        let mut local_line = 0;
        for (row, option, mut value) in options {
            if let Checked::Prefixes(prefixes) = &value {
                self.check_prefixes(row, option, prefixes);
            }
            if row.name == "local" {
                local_line = option.line;
            }
            if row.kind == Kind::Ports {
                said.ports_line = option.line;
            }
            said.has_ports |= matches!(row.kind, Kind::Ports | Kind::Protocols);
            place::put(place::RULE, &mut said, row.name, &mut value);
        }
        let name = said.name.take().unwrap_or_else(|| called(section));
        let rules = &self.understood.config.rules;
        let same = |rule: &&Rule| rule.is_builtin && (rule.name == name || rule.name == section.name);
        let known = rules.iter().find(same).cloned();
        // Its words are kept: `weir rules` then shows which section changed it.
        let name = known.as_ref().map_or(name, |rule| rule.name.clone());
        if known.is_none() && rules.iter().any(|rule| rule.name == name) {
            let text = format!("there is another rule called '{name}'");
            return self.faults.fault(section.line, "", text);
        }
        if !said.is_on {
            if known.is_none() && said.is_bare() {
                let hint = guess(&name, service::services().map(|service| service.name));
                let text = format!("there is no service '{name}' that could be switched off{hint}");
                self.faults.warn(section.line, "", text);
            }
            self.understood.config.rules.retain(|rule| rule.name != name);
            return;
        }
        if known.is_none() && rules.len() >= limits::RULES {
            let (line, beyond) = self.too_many;
            self.too_many = (if beyond == 0 { section.line } else { line }, beyond + 1);
            return;
        }
        // A condition that is not understood is one that is missing: the rule would take what it was not meant for.
        let is_unknown = |option: &&Opt| options::find(SectionType::Rule, &option.name).is_none();
        if let Some(unknown) = section.options.iter().find(is_unknown) {
            let text = format!(
                "rule '{name}' is left out: without option '{}' it could take packets it is not meant for",
                shortened(&unknown.name)
            );
            return self.faults.warn(section.line, "", text);
        }
        if known.is_none() {
            self.understood.locals.extend((local_line > 0).then(|| (name.clone(), local_line)));
        }
        let Some(rule) = said.rule(name, section, known.as_ref(), is_whole, &mut self.faults) else { return };
        let rules = &mut self.understood.config.rules;
        match rules.iter_mut().find(|old| old.name == rule.name) {
            Some(old) => *old = rule,
            None => rules.push(rule),
        }
    }
}

/// The built-in rule whose name looks most like this one.
fn near_service(name: &str) -> Option<&'static str> {
    did_you_mean(name, service::services().map(|service| service.name))
}

impl Said {
    /// Whether it says nothing but whether it is there.
    fn is_bare(&self) -> bool {
        self.class.is_none() && self.services.is_empty() && self.own == Match::default()
    }

    /// The rule all this makes; `known` is the one of the same name that is there anyway.
    fn rule(
        mut self,
        name: String,
        section: &Section,
        known: Option<&Rule>,
        is_whole: bool,
        faults: &mut Faults,
    ) -> Option<Rule> {
        let has_condition = self.own != Match::default() || !self.services.is_empty();
        self.check_ports(&name, faults)?;
        let class = self.class(&name, section, known, faults)?;
        let alternatives: Vec<Match> = match known {
            _ if !self.services.is_empty() => self.services.iter().flat_map(rule::of_service).collect(),
            Some(known) if !self.has_ports => known.matches.clone(),
            _ => alloc::vec![Match::default()],
        };
        let mut matches: Vec<Match> = Vec::new();
        for found in alternatives.iter().filter_map(|one| one.and(&self.own)) {
            if !matches.contains(&found) {
                matches.push(found);
            }
        }
        if matches.is_empty() {
            let text =
                format!("rule '{name}': no packet can meet the service and the other conditions at once");
            faults.fault(section.line, "service", text);
            return None;
        }
        if !has_condition && known.is_none() && is_whole {
            let hint = near_service(&name).map(|word| format!("; did you mean the service '{word}'?"));
            let text =
                format!("rule '{name}' has no condition: it takes every packet{}", hint.unwrap_or_default());
            faults.warn(section.line, "", text);
        }
        let usual = known.map_or(OWN_PRIORITY, |rule| rule.priority);
        let way = known.and_then(|rule| rule.way);
        Some(Rule {
            class,
            way: self.way.unwrap_or(way),
            matches,
            set_dscp: self.set_dscp,
            priority: self.priority.unwrap_or(usual),
            // With code points of its own it is no longer the table's row, but still asks whether they are trusted.
            is_trust: known.is_some_and(|rule| rule.is_trust),
            is_builtin: known.is_some(),
            is_off: false,
            line: section.line,
            name,
        })
    }

    /// The class it names, or that of its services, or the one it had.
    fn class(
        &self,
        name: &str,
        section: &Section,
        known: Option<&Rule>,
        faults: &mut Faults,
    ) -> Option<String> {
        if let Some(class) = &self.class {
            return Some(class.clone());
        }
        if let Some(known) = known {
            return Some(known.class.clone());
        }
        let Some((first, rest)) = self.services.split_first() else {
            if section.option("class").is_none() && section.option("service").is_none() {
                let text = format!("rule '{name}' needs option 'class': where its packets go");
                faults.fault(section.line, "", text);
            }
            return None;
        };
        if let Some(other) = rest.iter().find(|other| other.class != first.class) {
            let text = format!(
                "rule '{name}' needs option 'class': '{}' goes to {}, '{}' to {}",
                first.name, first.class, other.name, other.class
            );
            faults.fault(section.line, "", text);
            return None;
        }
        Some(first.class.into())
    }

    /// Ports alone are those of TCP and UDP; other protocols must have ports.
    fn check_ports(&mut self, name: &str, faults: &mut Faults) -> Option<()> {
        if self.own.remote_ports.is_empty() && self.own.local_ports.is_empty() {
            return Some(());
        }
        if self.own.protocols.is_empty() && self.services.is_empty() {
            self.own.protocols = alloc::vec![6, 17];
        }
        let without = self.own.protocols.iter().find(|protocol| !PORT_PROTOCOLS.contains(protocol));
        if let Some(without) = without {
            let protocol = value::protocol_name(*without);
            let text =
                format!("rule '{name}': {protocol} has no ports; ports need tcp, udp, sctp, dccp or udplite");
            faults.fault(self.ports_line, "", text);
            return None;
        }
        Some(())
    }
}
