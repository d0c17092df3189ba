// SPDX-License-Identifier: Apache-2.0
//! `weir check`: the configuration's faults, or in a line what it asks for, or the configuration as understood.

use super::look::by_the_clock;
use super::{Options, document, exit_code, print, tell};
use crate::config::describe::describe;
use crate::config::{Class, Config, Rule, Wan, uci};
use crate::door;
use crate::io::run::{read_bytes, read_with};
use crate::text::joined;
use crate::units::Way;
use std::fmt::Write;

/// Checks the file.
pub(crate) fn run(options: &Options) -> u8 {
    let mut places = options.places.clone();
    if let Some(file) = options.words.first() {
        places.config = file.into();
        places.is_named = true;
    }
    let path = places.config.display();
    let (config, warnings) = match tell(&places, read_with(&places, door::check)) {
        Ok(all) => all,
        Err(code) => return code,
    };
    // That nothing is wrong with nothing is not what somebody wants to know who has the wrong file in mind.
    let verdict = match read_bytes(&places) {
        Ok(None) => "there is no such file, so the default holds",
        Ok(Some(bytes)) if uci::parse(&bytes).is_ok_and(|package| package.sections.is_empty()) => {
            "nothing is in it, so the default holds"
        }
        _ => "no faults",
    };
    let mut out = format!("{path}: {}\n", summary(verdict, &config, warnings));
    let running = document::meant(&places);
    if running.config != places.config {
        let _ = writeln!(out, "the running daemon has another file: weir check {}", running.config.display());
    }
    for schedule in by_the_clock(&config).0 {
        let _ = writeln!(out, "schedule {}: {}", schedule.name, schedule.text);
    }
    if options.is_verbose {
        let _ = write!(out, "\n{}", describe(&config));
        beside(&config, &mut out);
    }
    print(&out);
    exit_code::OK
}

/// `no faults; wan: 80 Mbit/s down, 20 Mbit/s up on eth0; 3 rules of its own, 55 built in`.
fn summary(verdict: &str, config: &Config, warnings: usize) -> String {
    let mut out = String::from(verdict);
    let _ = match warnings {
        0 => Ok(()),
        1 => write!(out, ", 1 warning"),
        _ => write!(out, ", {warnings} warnings"),
    };
    if !config.globals.enabled {
        out.push_str("; weir is switched off (option 'enabled')");
    }
    for wan in &config.wans {
        let _ = write!(out, "; {}: {}", wan.name, line(wan));
    }
    let own = config.rules.iter().filter(|rule| rule.line > 0 && !rule.is_builtin).count();
    let built_in = config.rules.iter().filter(|rule| rule.is_builtin).count();
    let rules = if own == 1 { "rule" } else { "rules" };
    let _ = write!(out, "; {own} {rules} of its own, {built_in} built in");
    out
}

fn line(wan: &Wan) -> String {
    if !wan.enabled {
        return "switched off".into();
    }
    let device = match (&wan.device, &wan.network) {
        (Some(device), _) => device.to_string(),
        (None, Some(network)) => format!("network '{network}'"),
        (None, None) => "the default route's network".into(),
    };
    let speed = |way: Way, word: &str| match wan.speed(way) {
        Some(rate) if wan.steers(way) => format!("up to {} {word}", wan.limits(way).max.unwrap_or(rate)),
        Some(rate) => format!("{rate} {word}"),
        None if wan.steers(way) => match wan.limits(way).max {
            Some(most) => format!("up to {most} {word}"),
            None => format!("{word} as the line carries"),
        },
        None => format!("{word} not shaped"),
    };
    format!("{}, {} on {device}", speed(Way::Down, "down"), speed(Way::Up, "up"))
}

/// What the tables do not show: DSCPs that classes set, and what the file switched off of that which is built in.
fn beside(config: &Config, out: &mut String) {
    for class in &config.classes {
        let marks: Vec<String> = Way::ALL
            .into_iter()
            .filter_map(|way| {
                let dscp = crate::config::value::dscp_name(class.set_dscp(way)?);
                Some(format!("set_dscp_{} {dscp}", if way == Way::Up { "up" } else { "down" }))
            })
            .collect();
        if !marks.is_empty() {
            let _ = writeln!(out, "class {}: {}", class.name, joined(&marks, ", "));
        }
    }
    let classes = Class::defaults().into_iter().map(|class| class.name);
    let classes = classes.filter(|name| !config.classes.iter().any(|class| class.name == *name));
    let rules = Rule::builtin().into_iter().map(|rule| (rule.name, rule.is_trust));
    let rules = rules.filter(|(name, is_trust)| {
        // With the option off all are off, which is said above.
        (config.globals.services || *is_trust) && !config.rules.iter().any(|rule| rule.name == *name)
    });
    for (what, names) in [
        ("classes switched off", classes.collect::<Vec<String>>()),
        ("switched off", rules.map(|(name, _)| name).collect::<Vec<String>>()),
    ] {
        if !names.is_empty() {
            let _ = writeln!(out, "{what}: {}", joined(&names, ", "));
        }
    }
}
