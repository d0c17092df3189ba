// SPDX-License-Identifier: Apache-2.0
//! `weir services`: what is known by its ports without any rule, and what the configuration makes of it.

use super::{Options, configuration, document, exit_code, print};
use crate::config::rule::of_service;
use crate::config::service::{self, Service};
use crate::config::{Config, read, uci, value};
use crate::io::files::read_bounded;
use crate::io::run::Places;
use crate::text::joined;
use std::fmt::Write;

/// Prints the built-in services, or those named, then what the configuration changes.
pub(crate) fn run(options: &Options) -> u8 {
    let mut chosen = Vec::new();
    for word in &options.words {
        match read::service(word) {
            Ok(service) => chosen.push(service),
            Err(text) => {
                eprintln!("weir: {text}");
                return exit_code::USAGE;
            }
        }
    }
    let places = &document::meant(&options.places);
    let file = match File::read(places) {
        Ok(file) => file,
        Err(code) => return code,
    };
    let mut out = if chosen.is_empty() { service::list() } else { String::new() };
    for service in &chosen {
        out.push_str(&service::detail(service));
        if let Some(text) = file.as_ref().and_then(|file| file.changes(service)) {
            let _ = writeln!(out, "  here     {text} of {}", places.config.display());
        }
    }
    if chosen.is_empty() {
        for service in service::services() {
            if let Some(text) = file.as_ref().and_then(|file| file.changes(&service)) {
                let _ = writeln!(out, "{}: {text} of {}", service.name, places.config.display());
            }
        }
    }
    print(&out);
    exit_code::OK
}

/// The configuration, and its sections: what is switched off is in these alone.
struct File {
    config: Config,
    package: uci::Package,
}

impl File {
    /// `None`: nobody named a file, and there is none where it usually is.
    fn read(places: &Places) -> Result<Option<Self>, u8> {
        if !places.is_named && !places.config.exists() {
            return Ok(None);
        }
        let (config, _) = configuration(places)?;
        let package = read_bounded(&places.config).ok().and_then(|bytes| uci::parse(&bytes).ok());
        Ok(Some(Self { config, package: package.unwrap_or_default() }))
    }

    /// What it makes of a service, ending in the line; `None`: nothing.
    fn changes(&self, service: &Service) -> Option<String> {
        let is_off = |section: &uci::Section, option| {
            let text = section.option(option).and_then(|option| option.value.text());
            text.is_some_and(|text| value::boolean(text) == Ok(false))
        };
        let Some(rule) = self.config.rules.iter().find(|rule| rule.name == service.name) else {
            let its_own = |section: &&uci::Section| {
                section.kind == "rule" && section.name == service.name && is_off(section, "enabled")
            };
            let all = |section: &&uci::Section| section.kind == "globals" && is_off(section, "services");
            let sections = &self.package.sections;
            let section = sections.iter().find(its_own).or_else(|| sections.iter().find(all))?;
            return Some(format!("off by line {}", section.line));
        };
        if rule.line == 0 {
            return None;
        }
        let mut text = rule.class.clone();
        if rule.matches != of_service(service) {
            let packets: Vec<String> = rule.matches.iter().map(ToString::to_string).collect();
            let _ = write!(text, ", {}", joined(&packets, " or "));
        }
        Some(format!("{text} by line {}", rule.line))
    }
}
