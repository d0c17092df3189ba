// SPDX-License-Identifier: Apache-2.0
//! What only shows of rules when the whole file is understood: classes that are not there, places that cannot see what
//! a rule asks for. Then the rules are put in the order they are looked at.

use super::check::Understood;
use super::error::Faults;
use super::options::did_you_mean;
use super::value::Quoted;
use super::{Config, Diffserv, DownloadOn, Engine, Rule, Wan};
use crate::order;
use crate::text::joined;
use crate::units::Way;
use alloc::format;
use alloc::vec::Vec;

/// Checks and sorts.
pub(super) fn check_rules(understood: &mut Understood<'_>, faults: &mut Faults) {
    let config = &mut understood.config;
    if !config.globals.services {
        config.rules.retain(|rule| rule.is_trust || !rule.is_builtin || rule.line > 0);
    }
    // A built-in rule whose class was switched off says nothing any more.
    let classes = &config.classes;
    let exists = |name: &str| classes.iter().any(|class| class.name == name);
    config.rules.retain(|rule| rule.line > 0 || exists(&rule.class));
    for rule in config.rules.iter().filter(|rule| !exists(&rule.class)) {
        let names = || classes.iter().map(|class| class.name.as_str());
        let hint = match did_you_mean(&rule.class, names()) {
            Some(word) => format!("did you mean '{word}'?"),
            None => format!("there are {}", joined(&names().collect::<Vec<_>>(), ", ")),
        };
        let text = format!("rule '{}': there is no class {}; {hint}", rule.name, Quoted(&rule.class));
        faults.fault(rule.line, "class", text);
    }
    // Stable: rules of one priority keep the order of the file, the user's own before what is built in.
    order::by_key(&mut config.rules, |rule| (rule.priority, rule.is_builtin));
    let Understood { config, locals, .. } = understood;
    for rule in config.rules.iter().filter(|rule| rule.line > 0) {
        let line = locals.iter().find(|(name, _)| *name == rule.name).map_or(rule.line, |(_, line)| *line);
        check_local(rule, line, config, faults);
    }
    let has_own = config.rules.iter().find(|rule| rule.line > 0);
    if let Some(rule) = has_own
        && config
            .wans
            .iter()
            .any(|wan| wan.engine == Engine::Cake && wan.cake.diffserv == Diffserv::Besteffort)
    {
        let text = "cake_diffserv 'besteffort' has one tin: rules tell nothing apart there";
        faults.warn(rule.line, "", text);
    }
}

/// Where a line is watched, IPv4 addresses of the LAN are hidden behind the line's own.
fn check_local(rule: &Rule, line: u32, config: &Config, faults: &mut Faults) {
    let near = rule.matches.iter().flat_map(|one| &one.local).find(|prefix| !prefix.is_v6);
    let Some(near) = near else { return };
    let ways = Way::ALL.into_iter().filter(|way| rule.way.is_none_or(|only| only == *way));
    let wans = || config.wans.iter().filter(|wan| wan.enabled);
    let is_shaped = |wan: &Wan, way: Way| wan.is_wanted(way);
    let sees = |wan: &Wan, way: Way| {
        !is_shaped(wan, way) || !wan.nat || (way == Way::Down && wan.download_on == DownloadOn::Lan)
    };
    for way in ways {
        if wans().all(|wan| sees(wan, way)) {
            continue;
        }
        let other = match way {
            Way::Up => Way::Down,
            Way::Down => Way::Up,
        };
        let is_one_way = rule.way.is_none() && wans().all(|wan| is_shaped(wan, other) && sees(wan, other));
        let advice = match (is_one_way, way) {
            (true, Way::Up) => "let it hold for direction 'down' alone",
            (true, Way::Down) => "let it hold for direction 'up' alone",
            (false, Way::Down) => {
                "shape downloads on the LAN (option 'download_on') or set option 'nat' to 0 if there is none"
            }
            (false, Way::Up) => {
                "have that device or this router's firewall set a DSCP and make a rule for it, or set option 'nat' to 0 if \
                 there is none"
            }
        };
        let text = format!(
            "rule '{}': the {way} is told apart on the line, where NAT hides IPv4 addresses such as {near}; {advice}",
            rule.name
        );
        if wans().any(|wan| sees(wan, way)) {
            faults.warn(line, "local", text);
        } else {
            faults.fault(line, "local", text);
        }
        return;
    }
}
