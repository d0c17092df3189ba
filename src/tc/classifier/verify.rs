// SPDX-License-Identifier: Apache-2.0
//! What is wrong with the rules of a checked configuration, as faults with their places.

use super::{TooMuch, for_cake, for_htb, scheme};
use crate::classify::check;
use crate::classify::list::list;
use crate::classify::scheme::Scheme;
use crate::config::{Config, Engine, Fault, Rule, Severity};
use crate::limits;
use crate::order;
use crate::units::Way;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What is wrong with the rules of a checked configuration: rules out of reach, programs too large.
///
/// # Errors
/// Every fault and warning, `warnings` among them, when there is a fault.
pub fn verify(config: &Config, warnings: Vec<Fault>) -> Result<Vec<Fault>, Vec<Fault>> {
    let mut found: Vec<Fault> = Vec::new();
    // Without a rule of one's own, everything is known to be in order.
    if config.rules.iter().all(|rule| rule.line == 0) {
        return Ok(warnings);
    }
    let mut out_of_reach: Vec<(&Rule, &Rule, Way)> = Vec::new();
    for wan in config.wans.iter().filter(|wan| wan.enabled) {
        for way in Way::ALL {
            let scheme = scheme(config, wan, way, 14, None, true);
            let made = list(&scheme).ok_or(TooMuch::Program).and_then(|list| {
                for (n, m) in &list.shadowed {
                    // What is built in may well be overruled: that is what rules are for.
                    let rule = scheme.rules.get(*n).filter(|rule| rule.line != 0);
                    out_of_reach
                        .extend(rule.zip(scheme.rules.get(*m)).map(|(rule, other)| (*rule, *other, way)));
                }
                match wan.engine {
                    Engine::Cake => for_cake(&scheme, &list, config, wan.cake.diffserv).map(|_| ()),
                    Engine::Auto | Engine::Htb => for_htb(&scheme, &list).map(|_| ()),
                }
            });
            match made {
                Ok(()) => {}
                Err(TooMuch::Program) => {
                    let fits = |most: usize| {
                        let fewer = with_own(&scheme, most);
                        list(&fewer).is_some_and(|list| for_htb(&fewer, &list).is_ok())
                    };
                    found.push(check::too_large(&scheme, &fits));
                }
                Err(TooMuch::Marks) => {
                    let text =
                        format!("more than {} pairs of class and DSCP to set for {way}", limits::MARKS);
                    found.push(Fault { severity: Severity::Fault, line: 0, option: String::new(), text });
                }
            }
        }
    }
    for (n, (rule, other, _)) in out_of_reach.iter().enumerate() {
        let is_first = !out_of_reach.iter().take(n).any(|(known, ..)| known.line == rule.line);
        let holds = |way: &Way| rule.way.is_none_or(|only| only == *way);
        let lines = config.wans.iter().filter(|wan| wan.enabled).count();
        let wanted = Way::ALL.iter().filter(|way| holds(way)).count() * lines;
        let is_everywhere =
            out_of_reach.iter().filter(|(known, ..)| known.line == rule.line).count() == wanted;
        if is_first && is_everywhere {
            found.push(check::warning(rule, other));
        }
    }
    // The door has room for so many; what is wrong with rules is said first where it refuses the file.
    found.dedup();
    let is_refused = found.iter().any(|fault| fault.severity == Severity::Fault);
    found.extend(warnings);
    found.truncate(limits::FAULTS);
    order::by_key(&mut found, |fault| fault.line);
    if is_refused { Err(found) } else { Ok(found) }
}

/// The same with only the first `most` of the file's own rules.
fn with_own<'a>(scheme: &Scheme<'a>, most: usize) -> Scheme<'a> {
    let mut left = most;
    let mut rules = scheme.rules.clone();
    rules.retain(|rule| {
        let is_kept = rule.line == 0 || left > 0;
        left -= usize::from(rule.line > 0 && left > 0);
        is_kept
    });
    Scheme { rules, ..scheme.clone() }
}

/// Rules of a checked configuration that can never match although no single one is in front of them, as warnings.
///
/// Costs more than a router should spend at each reload: for whoever asks.
pub fn out_of_reach(config: &Config) -> Vec<Fault> {
    let mut own: Vec<(&Rule, bool)> =
        config.rules.iter().filter(|rule| rule.line > 0).map(|rule| (rule, false)).collect();
    if own.is_empty() {
        return Vec::new();
    }
    for wan in config.wans.iter().filter(|wan| wan.enabled) {
        for way in Way::ALL {
            let scheme = scheme(config, wan, way, 14, None, true);
            let Some(unreached) = check::unreached(&scheme) else { return Vec::new() };
            let met = scheme.rules.iter().enumerate().filter(|(n, _)| !unreached.contains(n));
            for (_, rule) in met {
                own.iter_mut()
                    .filter(|(one, _)| one.name == rule.name)
                    .for_each(|(_, is_met)| *is_met = true);
            }
        }
    }
    own.iter().filter(|(_, is_met)| !is_met).map(|(rule, _)| check::never(rule)).collect()
}
