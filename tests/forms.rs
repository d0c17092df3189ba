// SPDX-License-Identifier: Apache-2.0
//! What the web pages know of the options and of the doctor's checks, made of the daemon's own tables.
//! `BLESS=1 cargo test --test forms` rewrites it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use weir::calendar::WEEKDAYS;
use weir::config::options::{Kind, OPTIONS, SectionType};
use weir::config::rule::{OWN_PRIORITY, PORT_PROTOCOLS, Rule};
use weir::config::value::{self, DSCPS, PROTOCOLS, RATES, SIZES};
use weir::config::{Class, LinkLayer, link, service};
use weir::limits;
use weir::units::Micros;
use weir::watch::doctor::CHECKS;

const FORMS: &str = "openwrt/luci-app-weir/htdocs/luci-static/resources/weir/options.js";
const CHECKED: &str = "openwrt/luci-app-weir/htdocs/luci-static/resources/weir/checks.js";

/// A text as JavaScript writes it, in the single quotes that LuCI's own files have.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// A text that catalogues translate.
fn said(text: &str) -> String {
    format!("_({})", quoted(text))
}

fn list<T>(all: impl IntoIterator<Item = T>, one: impl Fn(T) -> String) -> String {
    let all: Vec<String> = all.into_iter().map(one).collect();
    format!("[ {} ]", all.join(", "))
}

/// The kind of a value: its word, and what is allowed.
fn kind(kind: Kind) -> String {
    let word = |word: &str| format!("kind: '{word}'");
    match kind {
        Kind::Bool => word("bool"),
        Kind::Rate => word("rate"),
        Kind::Share => word("share"),
        // Never, or no more often than that.
        Kind::Span(0, max) => {
            format!("{}, min: 0, least: {}, max: {max}", word("span"), weir::config::read::LEAST_KEPT.0)
        }
        Kind::Span(min, max) => format!("{}, min: {min}, max: {max}", word("span")),
        Kind::Integer(min, max) => format!("{}, min: {min}, max: {max}", word("integer")),
        Kind::Mask => word("mask"),
        Kind::Size => word("size"),
        Kind::Device => word("device"),
        Kind::Network => word("network"),
        Kind::Choice(words) => format!("{}, choices: {}", word("choice"), list(words, |word| quoted(word))),
        Kind::Link => word("link"),
        Kind::ClassName => word("class"),
        Kind::Text => word("text"),
        Kind::Protocols => word("protocols"),
        Kind::Ports => word("ports"),
        Kind::Prefixes => word("prefixes"),
        Kind::Dscp => word("dscp"),
        Kind::Dscps => word("dscps"),
        Kind::Length => word("length"),
        Kind::Services => word("services"),
        Kind::Fars => word("fars"),
        Kind::LineName => word("line"),
        Kind::Days => word("days"),
        Kind::Clock => word("clock"),
        Kind::Rules => word("rules"),
    }
}

/// Whether what holds without the option is a value the file could have, not words about it.
fn is_value(kind: Kind, text: &str) -> bool {
    match kind {
        Kind::Bool => matches!(text, "0" | "1"),
        Kind::Choice(words) => words.contains(&text),
        Kind::Span(min, max) => value::long_span(text, Micros(min), Micros(max)).is_ok(),
        Kind::Integer(min, max) => value::integer(text, min, max).is_ok(),
        Kind::Mask => value::mask(text).is_ok(),
        Kind::Link => link::by_name(text).is_some(),
        Kind::Clock => value::clock(text).is_ok(),
        _ => false,
    }
}

/// Every option, by section and name.
fn options(out: &mut String) {
    for section in SectionType::ALL {
        let _ = writeln!(out, "\t\t{}: {{", section.name());
        for row in OPTIONS.iter().filter(|row| row.section == section) {
            let default = match row.default {
                "" => String::new(),
                text if is_value(row.kind, text) => format!(", value: {}", quoted(text)),
                text => format!(", said: {}", said(text)),
            };
            let list = if row.kind.is_list() { ", list: true" } else { "" };
            let _ = writeln!(
                out,
                "\t\t\t{}: {{ {}{list}{default},\n\t\t\t\thelp: {} }},",
                if row.name == "for" || row.name == "default" || row.name == "class" {
                    quoted(row.name)
                } else {
                    row.name.to_string()
                },
                kind(row.kind),
                said(row.help)
            );
        }
        out.push_str("\t\t},\n");
    }
}

fn forms() -> String {
    let mut out = String::from(
        "'use strict';\n'require baseclass';\n\n\
         // Made of the daemon's tables by 'BLESS=1 cargo test --test forms'; do not edit.\n\n\
         return baseclass.extend({\n\
         \t// Of each option: what it may hold, what holds without it (a value, or said in words), and what it does.\n\
         \toptions: {\n",
    );
    options(&mut out);
    out.push_str("\t},\n\n\t// What a packet costs on the line: bytes added, the fewest bytes, how it is cut.\n\tlinks: [\n");
    for preset in link::PRESETS {
        let link = preset.link;
        let _ = writeln!(
            out,
            "\t\t{{ name: {}, overhead: {}, mpu: {}, cells: {}, title: {} }},",
            quoted(link.name),
            link.overhead,
            link.mpu,
            quoted(link.cells.word()),
            said(preset.title)
        );
    }
    let _ = writeln!(
        out,
        "\t],\n\t// The link that means whatever protocol and device suggest.\n\tlinkAuto: {},\n",
        quoted(LinkLayer::AUTO.name)
    );
    out.push_str("\t// The classes there are without any section; shares in thousandths, the target in microseconds.\n\tclasses: [\n");
    for class in Class::defaults() {
        let _ = writeln!(
            out,
            "\t\t{{ name: {}, guarantee: {}, limit: {}, priority: {}, target: {}, isDefault: {} }},",
            quoted(&class.name),
            class.guarantee.0,
            class.limit.0,
            class.priority,
            class.target.0,
            class.is_default
        );
    }
    out.push_str("\t],\n\n\t// The built-in services, in the order they are looked at.\n\tservices: [\n");
    for service in service::services() {
        let _ = writeln!(
            out,
            "\t\t{{ name: {}, 'class': {}, packets: {}, title: {},\n\t\t\tnote: {} }},",
            quoted(service.name),
            quoted(service.class),
            quoted(service.packets),
            said(service.title),
            said(service.note)
        );
    }
    out.push_str("\t],\n\n\t// Rules that are there anyway and are no services: packets whose code point is trusted.\n\ttrusted: [\n");
    for rule in Rule::builtin().iter().filter(|rule| rule.is_trust) {
        let _ = writeln!(out, "\t\t{{ name: {}, 'class': {} }},", quoted(&rule.name), quoted(&rule.class));
    }
    let numbers = |numbers: &[u8]| list(numbers, u8::to_string);
    let _ = writeln!(
        out,
        "\t],\n\n\tprotocols: {{ {} }},\n\t// Those that have ports.\n\tportProtocols: {},\n",
        PROTOCOLS
            .iter()
            .map(|(name, all)| format!("{}: {}", quoted(name), numbers(all)))
            .collect::<Vec<_>>()
            .join(", "),
        numbers(&PORT_PROTOCOLS)
    );
    let _ = writeln!(
        out,
        "\tdscps: {{ {} }},\n\tdays: {},\n",
        DSCPS.iter().map(|(name, n)| format!("{name}: {n}")).collect::<Vec<_>>().join(", "),
        list(WEEKDAYS, quoted)
    );
    let _ = writeln!(
        out,
        "\t// Bits in a second, bytes, and how many there may be.\n\tlimits: {{\n\t\trates: [ {}, {} ],\n\t\tsizes: [ {}, {} ],\n\t\twans: {},\n\
         \t\treflectors: {},\n\t\tclasses: {},\n\t\trules: {},\n\t\tschedules: {},\n\t\tthresholds: {},\n\t\tentries: {},\n\t\tname: {},\n\
         \t\tnetworkName: {},\n\t\tpriority: {},\n\t}},\n}});",
        RATES.0.bits_per_sec(),
        RATES.1.bits_per_sec(),
        SIZES.0.0,
        SIZES.1.0,
        limits::WANS,
        limits::REFLECTORS,
        limits::CLASSES,
        limits::RULES - Rule::builtin().len(),
        limits::SCHEDULES,
        limits::THRESHOLDS,
        limits::ENTRIES,
        limits::NAME,
        limits::NETWORK_NAME,
        OWN_PRIORITY
    );
    out
}

fn checks() -> String {
    let mut out = String::from(
        "'use strict';\n'require baseclass';\n\n\
         // Made of the daemon's tables by 'BLESS=1 cargo test --test forms'; do not edit.\n\n\
         // Of each check of the doctor's: what is looked at, what is said when all is well, and what to do about what was found.\n\
         return baseclass.extend({\n",
    );
    for check in &CHECKS {
        let fine = if check.fine.is_empty() { "null".into() } else { said(check.fine) };
        let _ = writeln!(
            out,
            "\t'{}': {{ title: {}, fine: {fine},\n\t\tremedy: {} }},",
            check.name,
            said(check.title),
            said(check.remedy)
        );
    }
    out.push_str("});\n");
    out
}

fn is_what_stands(file: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, wanted).expect("writable");
    }
    let text = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, wanted, "{file}: run BLESS=1 cargo test --test forms");
}

#[test]
fn the_forms_know_the_daemons_own_options() {
    is_what_stands(FORMS, &forms());
}

#[test]
fn the_pages_know_the_doctors_checks() {
    is_what_stands(CHECKED, &checks());
}
