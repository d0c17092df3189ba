// SPDX-License-Identifier: Apache-2.0
//! Which rule places a flow, in which class, and why, in the words of the configuration.

use super::cake::tin_names;
use super::classifier::{cake_tin, scheme, tin};
use crate::classify::flow::Flow;
use crate::classify::packet::Seen;
use crate::classify::scheme::{Reason, Scheme};
use crate::config::rule::{Match, PORT_PROTOCOLS};
use crate::config::{Config, DownloadOn, Engine, Rule, Wan, value};
use crate::text::joined;
use crate::units::Way;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

/// What happens to `flow` on every line and way, for people.
pub fn explain(config: &Config, flow: &Flow) -> String {
    let mut out = format!("{flow}\n");
    if PORT_PROTOCOLS.contains(&flow.protocol) && (flow.remote.port == 0 || flow.local.port == 0) {
        out.push_str("any: a port that no rule names\n");
    }
    for wan in config.wans.iter().filter(|wan| wan.enabled) {
        behind_nat(wan, flow, &mut out);
        for way in Way::ALL.into_iter().filter(|way| flow.way.is_none_or(|only| only == *way)) {
            one_way(config, wan, way, flow, &mut out);
        }
    }
    out
}

/// Says what the line sees in place of the address of a computer at home.
fn behind_nat(wan: &Wan, flow: &Flow, out: &mut String) {
    let near = flow.local.address;
    let [a, b, ..] = near.address;
    // RFC 1918.
    let is_private = !near.is_v6 && matches!((a, b), (10, _) | (172, 16..=31) | (192, 168));
    if !wan.nat || !is_private {
        return;
    }
    let ways = match wan.download_on {
        DownloadOn::Ifb => "upload and download",
        DownloadOn::Lan | DownloadOn::None => "upload",
    };
    let whole = near.to_string();
    let host = whole.split('/').next().unwrap_or_default();
    let _ = writeln!(
        out,
        "\n{}: behind NAT (option 'nat') the line sees its own address in place of {host}, on {ways}: no rule on it holds",
        wan.name
    );
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
    if let Some(tin_of) = config.classes.iter().find(|known| known.name == class)
        && wan.engine == Engine::Cake
    {
        let mode = wan.cake.diffserv;
        let place = tin(mode, cake_tin(tin_of)).map_or(0, |handle| usize::from(handle.minor()));
        let _ = match tin_names(mode).get(place.wrapping_sub(1)) {
            Some(name) => write!(out, ", CAKE's tin {}", name.strip_prefix("tin ").unwrap_or(name)),
            None => write!(out, ", in CAKE's only tin"),
        };
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
    if !wan.is_wanted(way) {
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
        let _ = writeln!(out, "  {} would match next", joined(&late, ", "));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::flow::parse;
    use crate::door::load;

    fn told(file: &str, flow: &str) -> String {
        let (config, _) = load(file.as_bytes()).expect("no faults");
        explain(&config, &parse(flow).expect("a flow"))
    }

    #[test]
    fn the_tin_that_is_named_is_one_that_cake_has() {
        for (mode, wanted) in [
            ("besteffort", "class low, in CAKE's only tin\n"),
            ("diffserv3", "class low, CAKE's tin bulk\n"),
            ("diffserv4", "class low, CAKE's tin bulk\n"),
            ("diffserv8", "class low, CAKE's tin 2\n"),
        ] {
            let file = format!("config wan 'w'\n option engine 'cake'\n option cake_diffserv '{mode}'\n");
            let told = told(&file, "tcp :6881");
            assert!(told.contains(wanted), "{mode}: {told}");
        }
        let file = "config wan 'w'\n option engine 'cake'\n option cake_diffserv 'diffserv3'\n";
        assert!(told(file, "tcp :22").contains("class high, CAKE's tin besteffort\n"), "it has no tin video");
    }

    #[test]
    fn an_address_the_line_cannot_see_behind_nat_is_said_to_be_one() {
        let line = "behind NAT (option 'nat') the line sees its own address in place of 192.168.1.7";
        assert!(
            told("", "tcp :443 local 192.168.1.7")
                .contains(&format!("\nwan: {line}, on upload and download: no rule"))
        );
        let lan = "config wan 'w'\n option download_on 'lan'\n option lan 'br-lan'\n";
        assert!(told(lan, "tcp :443 local 192.168.1.7").contains(&format!("{line}, on upload: no rule")));
        assert!(!told("config wan 'w'\n option nat '0'\n", "tcp :443 local 192.168.1.7").contains("NAT"));
        assert!(!told("", "tcp :443 local 203.0.113.9").contains("NAT"));
        assert!(!told("", "tcp :443").contains("NAT"));
    }

    #[test]
    fn a_flow_with_a_local_port_alone_meets_rules_about_that_port() {
        let told = told("", "tcp local :51413");
        assert!(told.contains("any: a port that no rule names\n"), "{told}");
        assert!(told.contains("rule 'torrents' (built in): tcp/udp, local_port"), "{told}");
    }
}
