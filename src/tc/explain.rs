// SPDX-License-Identifier: Apache-2.0
//! Which rule places a flow, in which class, and why, in the words of the configuration.

use super::classifier::{cake_tin, scheme};
use crate::classify::flow::Flow;
use crate::classify::packet::Seen;
use crate::classify::scheme::{Reason, Scheme};
use crate::config::rule::Match;
use crate::config::{Config, Engine, Rule, Wan, value};
use crate::units::Way;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

/// What happens to `flow` on every line and way, for people.
pub fn explain(config: &Config, flow: &Flow) -> String {
    let mut out = format!("{flow}\n");
    for wan in config.wans.iter().filter(|wan| wan.enabled) {
        for way in Way::ALL.into_iter().filter(|way| flow.way.is_none_or(|only| only == *way)) {
            one_way(config, wan, way, flow, &mut out);
        }
    }
    out
}

fn one_way(config: &Config, wan: &Wan, way: Way, flow: &Flow, out: &mut String) {
    let scheme = scheme(config, wan, way, 14, None, true);
    let seen = Seen::Ip(flow.packet(way));
    let (verdict, reason) = scheme.decide(&seen);
    let class = match reason {
        Reason::Rule(rule) => rule.class.as_str(),
        _ => scheme.classes.get(scheme.default).map_or("", |class| class.name),
    };
    let _ = write!(out, "\n{} {way}: class {class}", wan.name);
    if Some(verdict.leaf) == scheme.icmp && wan.engine != Engine::Cake {
        out.push_str(", in its leaf for ICMP, which has a limit");
    }
    if let Some(tin) = config.classes.iter().find(|known| known.name == class)
        && wan.engine == Engine::Cake
    {
        let _ = write!(out, ", CAKE's tin {}", cake_tin(tin).word());
    }
    if let Some(mark) = verdict.mark {
        let _ = write!(out, ", and leaves with dscp {}", value::dscp_name(mark));
    }
    out.push('\n');
    match reason {
        Reason::Rule(rule) => {
            let _ = writeln!(out, "  rule '{}' ({}): {}", rule.name, place(rule), why(rule, &seen, way));
        }
        _ => {
            let _ = writeln!(out, "  no rule matches; '{class}' takes the rest");
        }
    }
    behind(&scheme, reason, &seen, out);
    let distrusted = config
        .rules
        .iter()
        .find(|rule| rule.is_trust && !wan.trust_dscp.has(way) && matches(rule, &seen, way).is_some());
    if let Some(rule) = distrusted {
        let dscp = value::dscp_name(flow.dscp);
        let _ = writeln!(
            out,
            "  its dscp {dscp} is not trusted on {way} (option 'trust_dscp'); it would mean '{}'",
            rule.class
        );
    }
    let speed = if way == Way::Up { wan.upload } else { wan.download };
    if speed.is_none() {
        let _ = writeln!(out, "  but {way} is not shaped: no speed known (option '{way}')");
    }
}

/// Rules that match, too, and come too late.
fn behind(scheme: &Scheme<'_>, reason: Reason<'_>, seen: &Seen, out: &mut String) {
    let Reason::Rule(first) = reason else { return };
    let later = scheme.rules.iter().skip_while(|rule| !core::ptr::eq(**rule, first)).skip(1);
    let late: Vec<String> = later
        .filter(|rule| matches(rule, seen, scheme.way).is_some())
        .map(|rule| format!("'{}' ({})", rule.name, rule.class))
        .collect();
    if !late.is_empty() {
        let _ = writeln!(out, "  behind it would match {}", late.join(", "));
    }
}

fn matches<'a>(rule: &'a Rule, seen: &Seen, way: Way) -> Option<&'a Match> {
    let Seen::Ip(packet) = seen else { return None };
    rule.matches.iter().find(|one| one.holds(packet, way))
}

fn why(rule: &Rule, seen: &Seen, way: Way) -> String {
    matches(rule, seen, way).map_or(String::new(), ToString::to_string)
}

/// Where a rule comes from.
pub fn place(rule: &Rule) -> String {
    match (rule.line, rule.is_builtin) {
        (0, _) => "built in".into(),
        (line, true) => format!("built in, changed in line {line}"),
        (line, false) => format!("line {line}"),
    }
}
