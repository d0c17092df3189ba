// SPDX-License-Identifier: Apache-2.0
//! Every option there is, in one table: it feeds the parser, `weir help config`, the README and the forms.

use super::link::Cells;
use super::read::LEAST_KEPT;
use super::steer::Probing;
use super::threshold::{Deed, Gravity, Metric, Operator};
use super::{AckFilter, CakeTin, Diffserv, DownloadOn, Engine, LogLevel, Offloads, Ways, value};
use crate::order;
use crate::units::Micros;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

/// A type of section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SectionType {
    /// Settings of the whole program.
    Globals,
    /// One internet line.
    Wan,
    /// One traffic class.
    Class,
    /// One rule.
    Rule,
    /// Hours of the week in which something is otherwise.
    Schedule,
    /// One service level.
    Threshold,
}

impl SectionType {
    /// Each, in the order they are shown.
    pub const ALL: [Self; 6] =
        [Self::Globals, Self::Wan, Self::Class, Self::Rule, Self::Schedule, Self::Threshold];

    /// What stands behind `config` in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Globals => "globals",
            Self::Wan => "wan",
            Self::Class => "class",
            Self::Rule => "rule",
            Self::Schedule => "schedule",
            Self::Threshold => "threshold",
        }
    }

    /// What a section of this type is for.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Globals => "settings of the whole program",
            Self::Wan => "one internet line; several are allowed",
            Self::Class => "one traffic class; without any there are critical, high, normal and low",
            Self::Rule => "which packets go to which class; the first rule that matches decides",
            Self::Schedule => {
                "what is otherwise in some hours; where two set the same, the later in the file"
            }
            Self::Threshold => "one service level: what is measured, when that is wrong, and what is done",
        }
    }
}

/// What an option may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 1 or 0.
    Bool,
    /// A line speed.
    Rate,
    /// Per cent of the line.
    Share,
    /// A span of time between two others, in microseconds.
    Span(u64, u64),
    /// A whole number between two others.
    Integer(i64, i64),
    /// A bit mask.
    Mask,
    /// A number of bytes.
    Size,
    /// A network device.
    Device,
    /// A network of `/etc/config/network`.
    Network,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A link layer preset.
    Link,
    /// The name of a class.
    ClassName,
    /// Any words.
    Text,
    /// A list of protocols.
    Protocols,
    /// A list of ports and ranges.
    Ports,
    /// A list of addresses and prefixes.
    Prefixes,
    /// One DSCP.
    Dscp,
    /// A list of DSCPs.
    Dscps,
    /// A range of packet sizes.
    Length,
    /// A list of built-in services.
    Services,
    /// A list of addresses and names.
    Fars,
    /// The name of a line.
    LineName,
    /// Days of the week.
    Days,
    /// A time of the day.
    Clock,
    /// A list of names of rules, which may hold blanks.
    Rules,
}

/// One option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The type of section it belongs to.
    pub section: SectionType,
    /// Its name.
    pub name: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// What holds without it, for people.
    pub default: &'static str,
    /// What it does, in one sentence.
    pub help: &'static str,
}

const fn row(
    section: SectionType,
    name: &'static str,
    kind: Kind,
    default: &'static str,
    help: &'static str,
) -> Row {
    Row { section, name, kind, default, help }
}

use Kind::{
    Bool, Choice, ClassName, Clock, Days, Device, Dscp, Dscps, Fars, Integer, Length, LineName, Link, Mask,
    Network, Ports, Prefixes, Protocols, Rate, Rules, Services, Share, Size, Span, Text,
};
use SectionType::{Class, Globals, Rule, Schedule, Threshold, Wan};

/// A choice that CAKE makes by itself, or the user.
const AUTO_OR_BOOL: &[&str] = &["auto", "1", "0"];
/// `auto`, or one of [`super::Isolation::WORDS`].
const AUTO_OR_ISOLATION: &[&str] = &[
    "auto",
    "flowblind",
    "srchost",
    "dsthost",
    "hosts",
    "flows",
    "dual-srchost",
    "dual-dsthost",
    "triple-isolate",
];

/// The table.
pub const OPTIONS: &[Row] = &[
    row(Globals, "enabled", Bool, "1", "Off: weir removes what it set up and waits."),
    row(
        Globals,
        "log_level",
        Choice(LogLevel::WORDS),
        "info",
        "The least important messages that are written.",
    ),
    row(
        Globals,
        "services",
        Bool,
        "1",
        "Rules for well-known services ('weir services') apply after the rules of the file.",
    ),
    row(
        Globals,
        "levels",
        Bool,
        "1",
        "Watch each class: its delay against its target, and what it gets against its guarantee.",
    ),
    row(
        Globals,
        "keep_history",
        Span(0, 604_800_000_000),
        "0",
        "Histories outlive a reboot: written when weir ends and as often as this at most, such as 6h; 0: never.",
    ),
    row(Wan, "enabled", Bool, "1", "Off: this line is left alone."),
    row(Wan, "network", Network, "the default route's", "The line's network in /etc/config/network."),
    row(
        Wan,
        "device",
        Device,
        "the network's",
        "The device packets leave by, where there is no network to name.",
    ),
    row(
        Wan,
        "download",
        Rate,
        "found out",
        "Speed of arriving traffic, a little below what the line carries; the most it is given where it is adapted.",
    ),
    row(
        Wan,
        "upload",
        Rate,
        "found out",
        "The same for leaving traffic. With one of the two alone the other is not shaped.",
    ),
    row(
        Wan,
        "adapt",
        Choice(AUTO_OR_BOOL),
        "auto",
        "Rates follow what the line carries at the moment; auto: where there are no speeds, or a min or max.",
    ),
    row(Wan, "download_min", Rate, "none", "Adapted, arriving traffic is never given less."),
    row(Wan, "download_max", Rate, "download, or none", "Adapted, arriving traffic is never given more."),
    row(Wan, "upload_min", Rate, "none", "Adapted, leaving traffic is never given less."),
    row(Wan, "upload_max", Rate, "upload, or none", "Adapted, leaving traffic is never given more."),
    row(
        Wan,
        "latency_target",
        Span(1_000, 500_000),
        "found out",
        "Adapted: the wait in the line that is allowed under load.",
    ),
    row(
        Wan,
        "reflector",
        Fars,
        "well-known resolvers",
        "Adapted: who is asked how long an answer takes; with any given, these alone.",
    ),
    row(
        Wan,
        "probe",
        Choice(Probing::WORDS),
        "auto",
        "Adapted: how reflectors are asked; auto is ICMP, where that is not answered TCP, then DNS.",
    ),
    row(
        Wan,
        "download_on",
        Choice(DownloadOn::WORDS),
        "ifb",
        "Where arriving traffic is shaped: on an IFB fed by the line, on the LAN device, or not.",
    ),
    row(Wan, "lan", Device, "", "The LAN device for download_on 'lan'."),
    row(
        Wan,
        "link",
        Link,
        "ethernet",
        "What a packet costs on the line: a link layer of those below, or auto: the one protocol and device suggest.",
    ),
    row(
        Wan,
        "overhead",
        Integer(-64, 256),
        "the link's",
        "Bytes the line adds to each IP packet, instead of the link's.",
    ),
    row(
        Wan,
        "mpu",
        Integer(0, 256),
        "the link's",
        "The fewest bytes a packet takes on the line, instead of the link's.",
    ),
    row(
        Wan,
        "cells",
        Choice(Cells::WORDS),
        "the link's",
        "How the line cuts packets: 48/53 (ADSL), 64/65 (VDSL2), instead of the link's.",
    ),
    row(
        Wan,
        "engine",
        Choice(Engine::WORDS),
        "auto",
        "Which queues shape: HTB with fq_codel, or CAKE; auto takes what the kernel has.",
    ),
    row(Wan, "takeover", Bool, "0", "Replace another program's root qdisc; it cannot be brought back."),
    row(Wan, "ecn", Bool, "1", "Mark packets instead of dropping them, where the sender understands it."),
    row(
        Wan,
        "offloads",
        Choice(Offloads::WORDS),
        "auto",
        "Super-packets (GRO, TSO): off while HTB shapes at up to 100 Mbit/s, always off, or never touched.",
    ),
    row(
        Wan,
        "trust_dscp",
        Choice(Ways::WORDS),
        "up",
        "In which directions a packet's own DSCP chooses its class.",
    ),
    row(
        Wan,
        "wash",
        Choice(Ways::WORDS),
        "none",
        "Clear the DSCP of packets once they are classified, by direction.",
    ),
    row(
        Wan,
        "nat",
        Bool,
        "1",
        "IPv4 addresses of the LAN are replaced by the line's own; off: rules can tell them apart on the line.",
    ),
    row(
        Wan,
        "cake_diffserv",
        Choice(Diffserv::WORDS),
        "diffserv4",
        "CAKE: its tins; besteffort where the DSCP is not trusted.",
    ),
    row(Wan, "cake_nat", Bool, "1", "CAKE: look behind NAT to be fair to hosts."),
    row(
        Wan,
        "cake_isolation",
        Choice(AUTO_OR_ISOLATION),
        "auto",
        "CAKE: whom it is fair to; auto is dual-srchost up, dual-dsthost down.",
    ),
    row(Wan, "cake_ack_filter", Choice(AckFilter::WORDS), "off", "CAKE: drop superseded TCP ACKs on upload."),
    row(
        Wan,
        "cake_split_gso",
        Choice(AUTO_OR_BOOL),
        "auto",
        "CAKE: split super-packets; auto does below 1 Gbit/s.",
    ),
    row(Wan, "cake_rtt", Span(100, 10_000_000), "100ms", "CAKE: the round trip it expects of the internet."),
    row(Wan, "cake_memlimit", Size, "by the rate", "CAKE: most memory for queued packets."),
    row(
        Wan,
        "cake_ingress",
        Choice(AUTO_OR_BOOL),
        "auto",
        "CAKE: count dropped packets too; auto does on download.",
    ),
    row(Wan, "cake_fwmark", Mask, "0", "CAKE: take the tin from the firewall mark under this mask."),
    row(Class, "enabled", Bool, "1", "Off: there is no such class; its packets go to the default class."),
    row(
        Class,
        "guarantee",
        Share,
        "30, 20, 10, 5; a new class needs it",
        "Share of the line this class always gets when it wants it.",
    ),
    row(Class, "limit", Share, "100 (critical 50)", "Share of the line this class never exceeds."),
    row(
        Class,
        "priority",
        Integer(0, 7),
        "1 (critical 0)",
        "Who is served first of what is left over; within a priority the guarantees decide.",
    ),
    row(
        Class,
        "target",
        Span(1_000, 10_000_000),
        "50, 100, 200, 500 ms",
        "The delay this class should stay below.",
    ),
    row(
        Class,
        "default",
        Bool,
        "0 (normal 1)",
        "Takes the packets that nothing places elsewhere; exactly one class does.",
    ),
    row(Class, "set_dscp_up", Dscp, "", "The DSCP its leaving packets are given."),
    row(Class, "set_dscp_down", Dscp, "", "The DSCP its arriving packets are given."),
    row(Class, "cake_tin", Choice(CakeTin::WORDS), "auto", "CAKE: the tin that serves this class."),
    row(Rule, "enabled", Bool, "1", "Off: this rule is left out; a service of its name, too."),
    row(Rule, "name", Text, "the section's name", "What the rule is called."),
    row(Rule, "class", ClassName, "the service's", "The class its packets go to."),
    row(
        Rule,
        "priority",
        Integer(0, 65_535),
        "100",
        "Smaller is looked at first, then the order of the file; trusted DSCPs stand at 500, services at 1000.",
    ),
    row(Rule, "direction", Choice(WAYS), "both", "In which direction the rule applies."),
    row(Rule, "proto", Protocols, "any", "Protocols; with ports and none given: tcp and udp."),
    row(Rule, "remote_port", Ports, "any", "Ports of the far end: destination out, source in."),
    row(Rule, "local_port", Ports, "any", "Ports of the near end, as the line sees them."),
    row(Rule, "remote", Prefixes, "any", "Addresses of the far end."),
    row(
        Rule,
        "local",
        Prefixes,
        "any",
        "Addresses of the near end; behind NAT the line does not see those of IPv4.",
    ),
    row(Rule, "dscp", Dscps, "any", "DSCPs the packets carry, trusted or not."),
    row(Rule, "length", Length, "any", "Bytes of the whole IP packet; both ends of the range belong to it."),
    row(Rule, "service", Services, "", "Ports of well-known services; the other conditions must hold, too."),
    row(Rule, "set_dscp", Dscp, "the class's", "The DSCP its packets are given."),
    row(Schedule, "enabled", Bool, "1", "Off: as if it were not there; its rules then hold always."),
    row(Schedule, "days", Days, "every day", "The days it begins on."),
    row(Schedule, "from", Clock, "00:00", "When it begins, by the router's time zone."),
    row(
        Schedule,
        "to",
        Clock,
        "00:00",
        "When it ends; not later than 'from': on the next day, so with both alike it holds for 24 hours.",
    ),
    row(Schedule, "wan", LineName, "every line", "The line whose speeds are meant: the name of its section."),
    row(
        Schedule,
        "download",
        Rate,
        "as it is",
        "Speed of arriving traffic meanwhile; adapted, the most it is given.",
    ),
    row(Schedule, "upload", Rate, "as it is", "The same for leaving traffic."),
    row(Schedule, "class", ClassName, "", "The class whose shares are meant, on all lines."),
    row(Schedule, "guarantee", Share, "as it is", "What that class always gets meanwhile."),
    row(Schedule, "limit", Share, "as it is", "What that class never exceeds meanwhile."),
    row(
        Schedule,
        "rule",
        Rules,
        "",
        "Rules that hold in the hours of schedules that name them, and at no other time.",
    ),
    row(Threshold, "enabled", Bool, "1", "Off: it is not watched."),
    row(Threshold, "wan", LineName, "each", "The line it is about."),
    row(Threshold, "direction", Choice(WAYS), "both", "The direction it is about."),
    row(Threshold, "class", ClassName, "all of the line", "The class it is about."),
    row(Threshold, "metric", Choice(Metric::WORDS), "", "What is measured, each second."),
    row(
        Threshold,
        "operator",
        Choice(Operator::WORDS),
        "> (share, capacity <)",
        "How it stands to the value when something is wrong.",
    ),
    row(
        Threshold,
        "value",
        Text,
        "",
        "latency: ms; loss, share, utilisation: %; drops, marks: packets in a second; throughput, capacity: a speed.",
    ),
    row(
        Threshold,
        "for",
        Span(1_000_000, 3_600_000_000),
        "10s",
        "So long without a pause, then there is an alert.",
    ),
    row(Threshold, "severity", Choice(Gravity::WORDS), "warning", "How the alert is logged."),
    row(
        Threshold,
        "action",
        Choice(Deed::WORDS),
        "notify",
        "What is done besides telling; it is undone by itself.",
    ),
    row(
        Threshold,
        "action_class",
        ClassName,
        "the class",
        "The class that is throttled, protected or blocked.",
    ),
    row(
        Threshold,
        "action_share",
        Share,
        "",
        "Throttled: the most it gets of the line; protected: what it is guaranteed.",
    ),
    row(Threshold, "action_rate", Rate, "", "Capped: the most the direction is shaped to."),
    row(Threshold, "action_time", Span(1_000_000, 86_400_000_000), "5m", "How long it lasts at most."),
    row(
        Threshold,
        "penalty",
        Bool,
        "0",
        "Each time within a day it lasts twice as long as the time before, up to a day.",
    ),
];

/// What a rule's direction may be.
pub const WAYS: &[&str] = &["both", "up", "down"];

/// The row of an option.
pub fn find(section: SectionType, name: &str) -> Option<&'static Row> {
    OPTIONS.iter().find(|row| row.section == section && row.name == name)
}

impl Kind {
    /// What a number alone counts.
    pub const fn unit(self) -> &'static str {
        match self {
            Rate => "kbit/s",
            Share => "%",
            Span(..) if self.is_long() => "seconds",
            Span(..) => "ms",
            Size => "bytes",
            Length => "bytes",
            Bool | Integer(..) | Mask | Device | Network | Choice(_) | Link | ClassName | Text
            | Protocols | Ports | Prefixes | Dscp | Dscps | Services | Fars | LineName | Days | Clock
            | Rules => "",
        }
    }

    /// Whether it is a span that may be said in minutes and hours; a number alone is seconds then.
    pub const fn is_long(self) -> bool {
        const HOUR: u64 = 3_600_000_000;
        matches!(self, Span(_, HOUR..))
    }

    /// Whether the option may be a list, or several words in one.
    pub const fn is_list(self) -> bool {
        matches!(self, Protocols | Ports | Prefixes | Dscps | Services | Fars | Days | Rules)
    }
}

/// What an option may hold, in few words.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bool => f.write_str("0, 1"),
            Rate => write!(f, "{} to {}", value::RATES.0, value::RATES.1),
            Share => f.write_str("0 to 100 %"),
            // The only long one from 0 is how often histories are written down, which is never or seldom.
            Span(0, max) if self.is_long() => write!(f, "0, or {LEAST_KEPT} to {}", Micros(*max)),
            Span(min, max) => write!(f, "{} to {}", Micros(*min), Micros(*max)),
            Integer(min, max) => write!(f, "{min} to {max}"),
            Mask => f.write_str("bit mask"),
            Size => write!(f, "{} to {}", value::SIZES.0, value::SIZES.1),
            Device => f.write_str("device"),
            Network => f.write_str("network"),
            Choice(words) => {
                for (n, word) in words.iter().enumerate() {
                    f.write_str(if n > 0 { ", " } else { "" })?;
                    f.write_str(word)?;
                }
                Ok(())
            }
            Link => f.write_str("link layer"),
            ClassName => f.write_str("class"),
            Text => f.write_str("text"),
            Protocols => f.write_str("list: tcp, udp, icmp, igmp, gre, esp, … or numbers"),
            Ports => f.write_str("list: 443, 5000-5100"),
            Prefixes => f.write_str("list: 192.0.2.0/24, 2001:db8::/32"),
            Dscp => f.write_str("EF, AF41, CS1, … or 0 to 63"),
            Dscps => f.write_str("list: EF, AF41, CS1, … or 0 to 63"),
            Length => f.write_str("0-200, 1000-"),
            Services => f.write_str("list of services"),
            Fars => f.write_str("list: 9.9.9.9, 2620:fe::fe, dns.example.net"),
            LineName => f.write_str("line"),
            Days => f.write_str("list: mon, tue, wed, thu, fri, sat, sun"),
            Clock => f.write_str("00:00 to 24:00"),
            Rules => f.write_str("list of rules"),
        }
    }
}

/// `weir help config`: every option, aligned.
pub fn help() -> String {
    let mut out = String::from(UNITS);
    for section in SectionType::ALL {
        list_section(section, &mut out);
    }
    list_links(&mut out);
    out
}

const UNITS: &str = "Options of /etc/config/weir (UCI). Speeds: 80mbit, 1.5gbit, 640 kbit/s; times: 50ms, 1s; sizes: 512k, 4mb.\n";

/// The options of the section of this name, and those that have the name themselves, also as `SECTION.OPTION`; else the
/// option a link layer is of; nothing if there are none.
pub fn help_on(word: &str) -> String {
    let (of, word) = word.split_once('.').map_or((None, word), |(section, word)| (Some(section), word));
    let word = if super::link::by_name(word).is_some() { "link" } else { word };
    let mut out = String::new();
    for section in SectionType::ALL.into_iter().filter(|section| of.is_none() && section.name() == word) {
        out.push_str(UNITS);
        list_section(section, &mut out);
    }
    let is_meant = |row: &&Row| row.name == word && of.is_none_or(|of| row.section.name() == of);
    for row in OPTIONS.iter().filter(is_meant) {
        let _ = writeln!(out, "{}config {}", if out.is_empty() { "" } else { "\n" }, row.section.name());
        list_row(row, &mut out);
        if row.kind == Link {
            list_links(&mut out);
        }
    }
    out
}

fn list_section(section: SectionType, out: &mut String) {
    let _ = writeln!(out, "\nconfig {}  ({})", section.name(), section.title());
    OPTIONS.iter().filter(|row| row.section == section).for_each(|row| list_row(row, out));
}

fn list_row(row: &Row, out: &mut String) {
    let _ = writeln!(out, "  {:<16} {}", row.name, row.help);
    let _ = writeln!(out, "  {:<16}   {}{}", "", values(row.kind), default_text(row));
}

fn list_links(out: &mut String) {
    out.push_str("\nLink layers\n");
    for preset in super::link::PRESETS {
        let link = preset.link;
        let _ = writeln!(
            out,
            "  {:<20} {:>3} bytes, mpu {:>2}, cells {:<4}  {}",
            link.name,
            link.overhead,
            link.mpu,
            link.cells.word(),
            preset.title
        );
    }
}

/// What an option may hold and what a number alone means.
fn values(kind: Kind) -> String {
    match kind.unit() {
        "" | "%" => alloc::format!("{kind}"),
        unit => alloc::format!("{kind}; a number alone is {unit}"),
    }
}

fn default_text(row: &Row) -> String {
    if row.default.is_empty() { String::new() } else { alloc::format!("  (default: {})", row.default) }
}

/// The README's table of options.
pub fn readme_options() -> String {
    let mut out =
        String::from("| section | option | values | default | what it does |\n|---|---|---|---|---|\n");
    for row in OPTIONS {
        let _ = writeln!(
            out,
            "| {} | `{}` | {} | {} | {} |",
            row.section.name(),
            row.name,
            values(row.kind),
            row.default,
            row.help
        );
    }
    out
}

/// The README's table of link layers.
pub fn readme_links() -> String {
    let mut out =
        String::from("| `link` | line | overhead | mpu | cells | made of |\n|---|---|---|---|---|---|\n");
    for preset in super::link::PRESETS {
        let link = preset.link;
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} | {} | {} |",
            link.name,
            preset.title,
            link.overhead,
            link.mpu,
            link.cells.word(),
            preset.source
        );
    }
    out
}

/// No word is longer than this; what is longer is not a slip of the pen.
const LONGEST_GUESS: usize = 24;

/// The word of `words` most like `text`, if any is like it.
pub fn did_you_mean<'a>(text: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut best = None;
    words.for_each(|word| best = nearer(text, word, best));
    best.map(|(_, word)| word)
}

/// The same as the end of a message: `; did you mean 'udp'?`, or nothing.
pub fn guess<'a>(text: &str, words: impl Iterator<Item = &'a str>) -> String {
    did_you_mean(text, words).map(|word| alloc::format!("; did you mean '{word}'?")).unwrap_or_default()
}

/// `word` with its distance from `text` where that is less than the best so far, which is kept otherwise.
fn nearer<'a>(text: &str, word: &'a str, best: Option<(usize, &'a str)>) -> Option<(usize, &'a str)> {
    let most = 1 + text.len() / 4;
    let distance = match text.len() {
        0..=LONGEST_GUESS if is_shuffled(text, word) => 1,
        0..=LONGEST_GUESS => distance(text, word),
        _ => return None,
    };
    let known = best.filter(|known| *known <= (distance, word));
    known.or((distance <= most).then_some((distance, word)))
}

/// Whether they have the same letters: `upd` and `udp` are one slip apart, not two.
fn is_shuffled(a: &str, b: &str) -> bool {
    let sorted = |text: &str| {
        let mut bytes = text.as_bytes().to_vec();
        order::rising(&mut bytes);
        bytes
    };
    a.len() == b.len() && sorted(a) == sorted(b)
}

/// Levenshtein's distance, with one row.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (above, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let cost = (diagonal + usize::from(!x.eq_ignore_ascii_case(&y))).min(left + 1).min(*above + 1);
            diagonal = *above;
            *above = cost;
            left = cost;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(a.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_guessed_and_nonsense_is_not() {
        let names = || OPTIONS.iter().filter(|row| row.section == Wan).map(|row| row.name);
        assert_eq!(did_you_mean("downlaod", names()), Some("download"));
        assert_eq!(did_you_mean("uplod", names()), Some("upload"));
        assert_eq!(did_you_mean("zebra", names()), None);
    }

    #[test]
    fn every_option_is_named_once_and_ends_its_help_with_a_full_stop() {
        for (n, row) in OPTIONS.iter().enumerate() {
            assert!(row.help.ends_with('.'), "{}", row.name);
            assert!(!OPTIONS[..n].iter().any(|other| (other.section, other.name) == (row.section, row.name)));
        }
    }

    #[test]
    fn what_histories_are_kept_for_is_told_without_the_times_that_are_refused() {
        let told = help_on("keep_history");
        assert!(told.contains("0, or 10 min to 7 d; a number alone is seconds"), "{told}");
    }

    #[test]
    fn the_isolations_are_auto_and_cakes_own() {
        assert_eq!(AUTO_OR_ISOLATION.split_first(), Some((&"auto", super::super::Isolation::WORDS)));
    }

    #[test]
    fn a_text_too_long_for_a_word_is_no_slip_of_the_pen() {
        assert_eq!(did_you_mean(&"download".repeat(4), ["download"].into_iter()), None);
    }
}
