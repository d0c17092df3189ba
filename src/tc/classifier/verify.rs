// SPDX-License-Identifier: Apache-2.0
//! What is wrong with the rules of a checked configuration, as faults with their places.

use super::{TooMuch, for_cake, for_htb, scheme};
use crate::classify::check;
use crate::classify::list::list_within;
use crate::classify::scheme::Scheme;
use crate::classify::steps::Steps;
use crate::config::{Config, Engine, Fault, Rule, Severity, Wan};
use crate::limits;
use crate::order;
use crate::units::Way;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Steps for all directions of lines together that differ; most are alike and take a small part of it.
const ALL: usize = 3 * limits::STEPS;
/// Steps of the search for the first rule that does not fit.
const SEARCH: usize = 4 * limits::STEPS;

/// What is wrong with the rules of a checked configuration: rules out of reach, programs too large. Where they are, it is
/// searched for the first rule that does not fit, unless that `is_glance`.
///
/// # Errors
/// Every fault and warning, `warnings` among them, when there is a fault.
pub fn verify(config: &Config, warnings: Vec<Fault>, is_glance: bool) -> Result<Vec<Fault>, Vec<Fault>> {
    let search = if is_glance { 0 } else { SEARCH };
    verify_within(config, warnings, &Steps::new(ALL), &Steps::new(search))
}

fn verify_within(
    config: &Config,
    warnings: Vec<Fault>,
    all: &Steps,
    search: &Steps,
) -> Result<Vec<Fault>, Vec<Fault>> {
    let mut found: Vec<Fault> = Vec::new();
    // Without a rule of one's own, everything is known to be in order.
    if config.rules.iter().all(|rule| rule.line == 0) {
        return Ok(warnings);
    }
    let lines = kinds(config);
    let mut hidden: Vec<Hidden<'_>> = config.rules.iter().map(|_| (0, None)).collect();
    'lines: for wan in &lines {
        for way in Way::ALL {
            let scheme = scheme(config, wan, way, 14, None, true);
            let begun = limits::STEPS.min(all.left());
            let steps = Steps::new(begun);
            let made = made(config, wan, &scheme, &steps, &mut hidden);
            let _ = all.take(begun - steps.left());
            match made {
                Ok(()) => {}
                // One is named: the others' rules are mostly the same, and what is left to be done is no measure for them.
                Err(TooMuch::Program) => {
                    let is_work = steps.left() == 0;
                    let fits = |most: usize| do_fit(&with_own(&scheme, most), begun, search);
                    found.push(check::too_large(&scheme, is_work, &fits));
                    break 'lines;
                }
                Err(TooMuch::Marks) => {
                    let text =
                        format!("more than {} pairs of class and DSCP to set for {way}", limits::MARKS);
                    found.push(Fault { severity: Severity::Fault, line: 0, option: String::new(), text });
                }
            }
        }
    }
    for (rule, (count, other)) in config.rules.iter().zip(hidden) {
        let ways = Way::ALL.iter().filter(|way| rule.way.is_none_or(|only| only == **way)).count();
        // What is built in may well be overruled: that is what rules are for.
        if let Some(other) = other.filter(|_| rule.line > 0 && count == ways * lines.len()) {
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

/// Lines whose rules make programs of their own: of those that are alike, as most are, the first.
fn kinds(config: &Config) -> Vec<&Wan> {
    let mut kinds: Vec<&Wan> = Vec::new();
    for wan in config.wans.iter().filter(|wan| wan.enabled) {
        let of = |wan: &Wan| (wan.engine == Engine::Cake, wan.cake.diffserv, wan.trust_dscp, wan.wash);
        if !kinds.iter().any(|known| of(known) == of(wan)) {
            kinds.push(wan);
        }
    }
    kinds
}

/// Whether these rules make a program with so many steps, as long as there are such for the search.
fn do_fit(scheme: &Scheme<'_>, steps: usize, search: &Steps) -> bool {
    let begun = steps.min(search.left());
    let steps = Steps::new(begun);
    let does_fit = list_within(scheme, &steps).is_some_and(|list| {
        let made = for_htb(scheme, &list);
        steps.follow(&list.steps);
        made.is_ok()
    });
    let _ = search.take(begun - steps.left());
    does_fit
}

/// For each rule of a scheme its place in the configuration.
fn places<'a>(config: &'a Config, scheme: &Scheme<'a>) -> impl Iterator<Item = usize> {
    let mut all = (0..).zip(&config.rules);
    scheme
        .rules
        .clone()
        .into_iter()
        .filter_map(move |rule| all.find(|(_, known)| core::ptr::eq(*known, rule)).map(|(place, _)| place))
}

/// How often a rule is out of reach, and behind which.
type Hidden<'a> = (usize, Option<&'a Rule>);

/// Makes the programs of one direction, and notes which rules are out of reach there.
fn made<'a>(
    config: &'a Config,
    wan: &Wan,
    scheme: &Scheme<'a>,
    steps: &Steps,
    hidden: &mut [Hidden<'a>],
) -> Result<(), TooMuch> {
    let list = list_within(scheme, steps).ok_or(TooMuch::Program)?;
    let mut places = (0..).zip(places(config, scheme));
    for (n, m) in &list.shadowed {
        let place = places.find(|(at, _)| at == n).and_then(|(_, place)| hidden.get_mut(place));
        // What waits for its hours leaves the packets to others meanwhile.
        let before = scheme.rules.get(*m).copied().filter(|before| !is_scheduled(config, before));
        if let (Some((count, other)), Some(_)) = (place, before) {
            *count += 1;
            *other = other.or(before);
        }
    }
    let made = match wan.engine {
        Engine::Cake => for_cake(scheme, &list, config, wan.cake.diffserv).map(|_| ()),
        Engine::Auto | Engine::Htb => for_htb(scheme, &list).map(|_| ()),
    };
    steps.follow(&list.steps);
    made
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

/// Whether a rule holds at some hours only.
fn is_scheduled(config: &Config, rule: &Rule) -> bool {
    config.schedules.iter().any(|schedule| schedule.enabled && schedule.rules.contains(&rule.name))
}

/// Rules of a checked configuration that can never match although no single one is in front of them, as warnings.
///
/// Costs more than a router should spend at each reload: for whoever asks. What would be too much work is not said.
pub fn out_of_reach(config: &Config) -> Vec<Fault> {
    out_of_reach_within(config, &Steps::default())
}

fn out_of_reach_within(config: &Config, steps: &Steps) -> Vec<Fault> {
    let is_met = |rule: &Rule| rule.line == 0 || is_scheduled(config, rule);
    let mut is_met: Vec<bool> = config.rules.iter().map(is_met).collect();
    if is_met.iter().all(|is_met| *is_met) {
        return Vec::new();
    }
    for wan in kinds(config) {
        for way in Way::ALL {
            let mut scheme = scheme(config, wan, way, 14, None, true);
            scheme.rules.retain(|rule| !is_scheduled(config, rule));
            let Some(met) = check::reached(&scheme, steps) else { return Vec::new() };
            for (place, is_one) in places(config, &scheme).zip(met) {
                is_met.get_mut(place).into_iter().for_each(|is_met| *is_met |= is_one);
            }
        }
    }
    config
        .rules
        .iter()
        .zip(is_met)
        .filter(|(_, is_met)| !is_met)
        .map(|(rule, _)| check::never(rule))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read;

    /// What a file takes: its programs, the search for what does not fit, and what a closer look does.
    fn taken(file: &str) -> ([usize; 3], Result<Vec<Fault>, Vec<Fault>>) {
        assert!(file.len() <= limits::CONFIG_BYTES, "{} bytes", file.len());
        let (config, warnings) = read::load(file.as_bytes()).expect("no fault");
        let (steps, search, look) = (Steps::new(ALL), Steps::new(SEARCH), Steps::default());
        let found = verify_within(&config, warnings, &steps, &search);
        if found.is_ok() {
            out_of_reach_within(&config, &look);
        }
        ([ALL - steps.left(), SEARCH - search.left(), limits::STEPS - look.left()], found)
    }

    /// A rule with lists of so many entries each.
    fn rule(n: usize, ports: usize, remote: usize, local: usize) -> String {
        let mut text = format!("config rule 'r{n}'\n option class '{}'\n", ["low", "high"][n % 2]);
        for (name, count) in [("remote_port", ports), ("local_port", ports)] {
            (0..count).for_each(|m| text += &format!(" list {name} '{}'\n", 2 * m + 500 * (n % 100) + 1));
        }
        for (name, count) in [("remote", remote), ("local", local)] {
            (0..count).for_each(|m| text += &format!(" list {name} '2a00::{n:x}:{m:x}:0/112'\n"));
        }
        text
    }

    fn file(rules: usize, make: &dyn Fn(usize) -> String) -> String {
        (0..rules).map(make).fold(String::from("config wan 'w'\n option nat '0'\n"), |all, one| all + &one)
    }

    #[test]
    fn rules_as_people_write_them_take_a_small_part_of_the_steps() {
        let own =
            |n: usize| format!("config rule 'r{n}'\n option class 'low'\n list remote_port '{}'\n", n + 1);
        // As many rules as there may be; some thousand prefixes among the built-in rules, which are all asked first.
        for (text, most, look) in [
            (file(1, &own), 100_000, 200_000),
            (file(560, &own), 1_000_000, 500_000),
            (file(40, &|n| rule(n, 0, 24, 0)), limits::STEPS, limits::STEPS),
        ] {
            let ([steps, search, looked], found) = taken(&text);
            assert_eq!((found.map(|_| ()), search), (Ok(()), 0));
            assert!(steps < most && looked <= look, "{steps} {looked}");
        }
    }

    #[test]
    fn no_crafted_file_keeps_a_router_busy_for_more_than_the_steps_there_are() {
        let narrow = |text: &str| text.replace("2a00::", "2a00::7:").replace(":0/112", ":7/128");
        // Lists multiplied with each other, each line with all ports; prefixes that only differ at their end; lists that
        // are compared range by range. Before there were steps, the second made 65,536 lines of 512 ranges, and the third
        // compared each pair of 2304 lines range by range with each other: 87 billion.
        for (text, is_work) in [
            (file(1, &|n| rule(n, 256, 64, 64)), false),
            (file(1, &|n| rule(n, 256, 256, 256)), false),
            (file(9, &|n| rule(n, 256, 256, 1)), true),
            (narrow(&file(100, &|n| rule(n, 0, 24, 0))), true),
            (file(60, &|n| rule(n, 64, 1, 1)), false),
        ] {
            let ([steps, search, _], found) = taken(&text);
            let found = found.expect_err("too much");
            let words =
                if is_work { "are so mixed that" } else { "make a program of more than 4000 instructions" };
            assert!(found.iter().any(|fault| fault.text.contains(words)), "{found:?}");
            assert!(steps <= limits::STEPS && (steps == limits::STEPS) == is_work, "{steps} {search}");
        }
    }

    #[test]
    fn lines_that_are_alike_are_looked_at_once() {
        let line = |name: &str| format!("config wan '{name}'\n option device '{name}'\n");
        let rule = "config rule\n option class 'low'\n list remote_port '7'\n";
        let ([one, ..], _) = taken(&(line("a") + rule));
        let ([two, ..], _) = taken(&(line("a") + &line("b") + rule));
        let ([other, ..], _) = taken(&(line("a") + &line("b") + " option trust_dscp 'both'\n" + rule));
        assert!(one == two && other > 3 * one / 2, "{one} {two} {other}");
    }
}
