// SPDX-License-Identifier: Apache-2.0
//! A configuration as understood, for `weir check -v`: every option with its unit, and whether it is the default.

use super::{Class, Config, Engine, Globals, LinkLayer, Rule, Wan, value};
use crate::units::{Micros, Rate, Way};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{Display, Write};

/// Every line and class. What no line of the file chose is marked `(default)`.
pub fn describe(config: &Config) -> String {
    let mut out = String::new();
    let usual = Globals::default();
    let globals = &config.globals;
    out.push_str("globals\n");
    row(&mut out, "enabled", yes(globals.enabled), globals.enabled == usual.enabled);
    row(&mut out, "log_level", globals.log_level.word(), globals.log_level == usual.log_level);
    row(&mut out, "levels", yes(globals.levels), globals.levels == usual.levels);
    let history = match globals.keep_history {
        Micros(0) => String::from("no"),
        span => format!("every {span} and at the end"),
    };
    row(&mut out, "keep_history", history, globals.keep_history == usual.keep_history);
    row(&mut out, "services", yes(globals.services), globals.services == usual.services);
    for wan in &config.wans {
        let _ = writeln!(out, "\nwan {}", wan.name);
        line(&mut out, wan);
    }
    classes(&mut out, &config.classes);
    rules(&mut out, &config.rules);
    if !config.schedules.is_empty() {
        out.push_str("\nschedules\n");
    }
    for schedule in &config.schedules {
        let _ = writeln!(out, "  {:<16} {schedule}", schedule.name);
    }
    for level in &config.thresholds {
        let way = level.way.map_or("both directions".into(), |way| way.to_string());
        let class = level.class.as_deref().unwrap_or("all classes");
        let wan = level.wan.as_deref().unwrap_or("each line");
        let _ = writeln!(
            out,
            "\nthreshold {}: {level}; {wan}, {way}, {class}; {}",
            level.name,
            level.deed.word()
        );
    }
    out
}

/// The rules of the file, in the order they are looked at; those that are built in are counted.
fn rules(out: &mut String, rules: &[Rule]) {
    let own: Vec<&Rule> = rules.iter().filter(|rule| rule.line > 0).collect();
    let rest = rules.len() - own.len();
    if own.is_empty() {
        let _ = writeln!(out, "\nno rules of its own, {rest} built in ('weir rules' shows all)");
        return;
    }
    let widest = |texts: &mut dyn Iterator<Item = &String>| texts.map(|text| text.chars().count()).max();
    let width = widest(&mut own.iter().map(|rule| &rule.name)).unwrap_or(0).clamp(5, 32);
    let place = widest(&mut own.iter().map(|rule| &rule.class)).unwrap_or(0).clamp(12, 32);
    let head = ("rules", "class", "direction", "packets");
    let _ = writeln!(out, "\n{:<width$}  {:<place$} {:<9}  {}", head.0, head.1, head.2, head.3);
    for rule in &own {
        let way = match rule.way {
            None => "both",
            Some(Way::Up) => "up",
            Some(Way::Down) => "down",
        };
        for (n, one) in rule.matches.iter().enumerate() {
            let (name, class, way) =
                if n == 0 { (rule.name.as_str(), rule.class.as_str(), way) } else { ("", "", "or") };
            let dscp = rule.set_dscp.filter(|_| n == 0).map(value::dscp_name);
            let dscp = dscp.map_or(String::new(), |dscp| format!("; set_dscp {dscp}"));
            let _ = writeln!(out, "{name:<width$}  {class:<place$} {way:<9}  {one}{dscp}");
        }
    }
    let _ = writeln!(out, "and {rest} built in ('weir rules' shows all)");
}

fn row(out: &mut String, name: &str, value: impl Display, is_default: bool) {
    let mark = if is_default { "  (default)" } else { "" };
    let _ = writeln!(out, "  {name:<16} {value}{mark}");
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

fn line(out: &mut String, wan: &Wan) {
    let usual = Wan::new(&wan.name);
    let device = match (&wan.device, &wan.network) {
        (Some(device), _) => device.to_string(),
        (None, Some(network)) => format!("that of network '{network}'"),
        (None, None) => "that of the default route".into(),
    };
    let speed = |way: Way| match wan.speed(way) {
        Some(rate) if wan.steers(way) => {
            format!("follows the line, at most {}", wan.limits(way).max.unwrap_or(rate))
        }
        Some(rate) => rate.to_string(),
        None if wan.steers(way) => match wan.limits(way).max {
            Some(most) => format!("follows the line, at most {most}"),
            None => "follows the line".into(),
        },
        None => "not known, not shaped".into(),
    };
    row(out, "enabled", yes(wan.enabled), wan.enabled);
    row(out, "device", device, wan.device.is_none() && wan.network.is_none());
    row(out, "download", speed(Way::Down), wan.download.is_none());
    row(out, "upload", speed(Way::Up), wan.upload.is_none());
    let lan = wan.lan.map_or(String::new(), |lan| format!(", {lan}"));
    row(
        out,
        "download_on",
        format!("{}{lan}", wan.download_on.word()),
        wan.download_on == usual.download_on && wan.lan.is_none(),
    );
    let link = wan.link;
    let numbers = format!("overhead {}, mpu {}, cells {}", link.overhead, link.mpu, link.cells.word());
    let full = link.wire_bytes(1500);
    let text = match link {
        LinkLayer::AUTO => "auto: the one protocol and device suggest".into(),
        _ => format!("{}: {numbers}; a packet of 1500 bytes takes {full}", link.name),
    };
    row(out, "link", text, link == usual.link);
    row(out, "engine", wan.engine.word(), wan.engine == usual.engine);
    row(out, "takeover", yes(wan.takeover), wan.takeover == usual.takeover);
    row(out, "ecn", yes(wan.ecn), wan.ecn == usual.ecn);
    row(out, "offloads", wan.offloads.word(), wan.offloads == usual.offloads);
    row(out, "trust_dscp", wan.trust_dscp.word(), wan.trust_dscp == usual.trust_dscp);
    row(out, "wash", wan.wash.word(), wan.wash == usual.wash);
    row(out, "nat", yes(wan.nat), wan.nat == usual.nat);
    if Way::ALL.iter().any(|way| wan.steers(*way)) {
        steer(out, wan);
    }
    if wan.engine != Engine::Htb {
        cake(out, wan);
    }
}

fn steer(out: &mut String, wan: &Wan) {
    let found = |text: Option<String>| text.unwrap_or_else(|| "found out".into());
    let rate = |rate: Option<Rate>| rate.map_or("none".into(), |rate| rate.to_string());
    let steer = &wan.steer;
    for (name, limit) in [
        ("download_min", steer.down.min),
        ("download_max", steer.down.max),
        ("upload_min", steer.up.min),
        ("upload_max", steer.up.max),
    ] {
        row(out, name, rate(limit), limit.is_none());
    }
    row(out, "latency_target", found(steer.target.map(|span| span.to_string())), steer.target.is_none());
    let names: Vec<String> = steer.reflectors.iter().map(ToString::to_string).collect();
    let names = if names.is_empty() { "well-known resolvers".into() } else { names.join(", ") };
    row(out, "reflector", names, steer.reflectors.is_empty());
    row(out, "probe", steer.probe.word(), steer.probe == Default::default());
}

fn cake(out: &mut String, wan: &Wan) {
    let (cake, usual) = (&wan.cake, super::CakeOptions::default());
    let auto = |choice: Option<bool>| choice.map_or("auto", yes);
    let memlimit = cake.memlimit.map_or("by the rate".to_string(), |bytes| bytes.to_string());
    row(out, "cake_diffserv", cake.diffserv.word(), cake.diffserv == usual.diffserv);
    row(out, "cake_nat", yes(cake.nat), cake.nat == usual.nat);
    row(
        out,
        "cake_isolation",
        cake.isolation.map_or("auto", super::Isolation::word),
        cake.isolation.is_none(),
    );
    row(out, "cake_ack_filter", cake.ack_filter.word(), cake.ack_filter == usual.ack_filter);
    row(out, "cake_split_gso", auto(cake.split_gso), cake.split_gso.is_none());
    row(out, "cake_rtt", cake.rtt, cake.rtt == usual.rtt);
    row(out, "cake_memlimit", memlimit, cake.memlimit.is_none());
    row(out, "cake_ingress", auto(cake.ingress), cake.ingress.is_none());
    row(out, "cake_fwmark", format!("{:#x}", cake.fwmark), cake.fwmark == usual.fwmark);
}

fn classes(out: &mut String, classes: &[Class]) {
    let usual = Class::defaults();
    // A name is as long as its user likes; the numbers beside it stay in their columns.
    let width = classes.iter().map(|class| class.name.len()).max().unwrap_or(0).clamp(5, 32);
    let head = ("class", "guarantee", "limit", "priority", "target");
    let _ = writeln!(out, "\n{:<width$}{:>11}{:>9}{:>10}{:>9}", head.0, head.1, head.2, head.3, head.4);
    for class in classes {
        let (guarantee, limit) = (class.guarantee.to_string(), class.limit.to_string());
        let (priority, target) = (class.priority, class.target.to_string());
        let rest = if class.is_default { "  takes the rest" } else { "" };
        let mark = if usual.contains(class) { "  (default)" } else { "" };
        let name = &class.name;
        let _ = writeln!(out, "{name:<width$}{guarantee:>11}{limit:>9}{priority:>10}{target:>9}{rest}{mark}");
    }
}
