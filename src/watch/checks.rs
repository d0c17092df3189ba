// SPDX-License-Identifier: Apache-2.0
//! The checks of the doctor's table: each looks at the evidence and says what it found, or nothing when all is well.
//!
//! Why each thing defeats shaping is said where it is checked.

use super::doctor::{Findings, Line, Verdict};
use super::evidence::{Evidence, FILES, File, Lines};
use crate::config::uci::{self, Package};
use crate::config::value::boolean;
use crate::config::{DownloadOn, Offloads, Severity};
use crate::report::DirectionReport;
use crate::tc::plan::Direction;
use crate::tc::{PREFERENCE, ROOT_MAJOR};
use crate::text;
use crate::units::{Bytes, Handle, Rate};
use Verdict::{Fault, Note, Ok as Well, Unknown, Warning};
use alloc::string::String;

/// The configuration's own faults: what is refused is not in force.
pub(super) fn config(evidence: &Evidence<'_>, found: &mut Findings) {
    for fault in evidence.faults {
        let verdict = if fault.severity == Severity::Fault { Fault } else { Warning };
        found.say(verdict, format_args!("{}:{fault}", evidence.path));
    }
}

/// Every direction with a speed, against the kernel.
pub(super) fn shaped(_: &Evidence<'_>, line: &Line<'_>, found: &mut Findings) {
    let report = line.report;
    for (way, word) in [(&report.upload, "upload"), (&report.download, "download")] {
        let verdict = match (way.is_wanted, line.wan.enabled) {
            (true, _) => Fault,
            // With the other direction alone this one is left as it is.
            (false, true) if !report.upload.is_wanted && !report.download.is_wanted => Warning,
            (false, _) => Note,
        };
        if let Some(trouble) = &way.trouble {
            found.say(verdict, format_args!("{} {word} is not shaped: {trouble}", report.name));
        }
    }
}

/// Offloaded flows do not pass the kernel's forwarding. A switch that forwards by itself passes no queue at all. In software
/// packets leave by the lowest port of a bridge (`nft_dev_path_info`, `FLOW_OFFLOAD_XMIT_DIRECT`), past the queues of the
/// bridge; other devices keep their queues.
pub(super) fn flow_offload(evidence: &Evidence<'_>, lines: &Lines<'_>, found: &mut Findings) {
    let firewall = evidence.package(File::Firewall);
    let is_on = |option| is(value(&firewall, "defaults", option), true);
    let has = |words| text::find(evidence.text(File::Flows), words).is_some();
    // The firewall takes the second option only with the first.
    let is_soft = is_on("flow_offloading");
    let is_hard = is_soft && is_on("flow_offloading_hw");
    if is_hard || has("[HW_OFFLOAD]") {
        return found.say(
            Fault,
            format_args!("the hardware forwards known flows, past every queue ({})", source(is_hard)),
        );
    }
    if is_soft || has("[OFFLOAD]") {
        let is_past = lines.config.wans.iter().any(|wan| wan.download_on == DownloadOn::Lan);
        let verdict = if is_past { Fault } else { Warning };
        found.say(verdict, format_args!("known flows pass by the queues of bridges ({})", source(is_soft)));
    } else if firewall.sections.is_empty() && !evidence.has(File::Flows) {
        let (firewall, flows) = (source(true), source(false));
        found.say(Unknown, format_args!("neither {firewall} nor {flows} can be read"));
    }
}

/// Who says that flows are offloaded: the firewall's file, or the flows themselves.
fn source(is_file: bool) -> &'static str {
    path(if is_file { File::Firewall } else { File::Flows })
}

/// A service that starts at boot takes the root of the device whenever it starts.
pub(super) fn shapers(evidence: &Evidence<'_>, found: &mut Findings) {
    if !evidence.has(File::Release) {
        return found.tell(Unknown, NO_RC);
    }
    let mut places = File::Shapers as usize..FILES.len();
    while let (Some(start), Some(config)) = (places.next(), places.next()) {
        let text = |place: usize| evidence.files.get(place).map_or("", String::as_str);
        if !text(start).is_empty() && is_enabled(text(config)) {
            let file = FILES.get(config).copied().unwrap_or_default();
            found.say(Warning, format_args!("one starts at boot and is switched on: {file}"));
        }
    }
}

const NO_RC: &str = "there is no /etc/rc.d of OpenWrt's";

/// Whether a shaper's file leaves anything of it switched on.
fn is_enabled(file: &str) -> bool {
    let package = uci::parse(file.as_bytes()).unwrap_or_default();
    let (mut has_switch, mut is_on) = (false, false);
    for section in &package.sections {
        for option in &section.options {
            let name = option.name.as_str();
            if name.ends_with("enable") || name.ends_with("abled") {
                has_switch = true;
                is_on |= is(option.value.text().unwrap_or_default(), name != "disabled");
            }
        }
    }
    is_on || !has_switch
}

/// Queues in the place of ours, and filters that may keep arriving packets from ours: one that ends with ok or drop.
pub(super) fn foreign(_: &Evidence<'_>, line: &Line<'_>, found: &mut Findings) {
    let Some(link) = line.link else { return found.tell(Unknown, "the line's device is not there") };
    let Some(device) = line.all.tree.device(&link.name) else { return };
    let name = device.name;
    for qdisc in &device.qdiscs {
        if qdisc.parent == Handle::ROOT && !qdisc.is_kernel_default() && qdisc.handle.major() != ROOT_MAJOR {
            found.say(Fault, format_args!("{} {} at the root of {name}", qdisc.kind.name(), qdisc.handle));
        }
    }
    for filter in &device.filters {
        let (pref, kind) = (filter.placed(), filter.kind.name());
        if filter.parent == Handle::INGRESS_FILTERS && pref < PREFERENCE {
            found.say(
                Note,
                format_args!("a {kind} filter (pref {pref}) sees what arrives on {name} before weir's"),
            );
        }
    }
}

/// What the kernel refused when it was asked; in which package OpenWrt has it, or which module others.
pub(super) fn modules(evidence: &Evidence<'_>, lines: &Lines<'_>, found: &mut Findings) {
    /// Behind the words of `tc::plan::Lacks`.
    const KINDS: [(&str, &str, &str); 9] = [
        ("htb", "kmod-sched-core", "sch_htb"),
        ("fq_codel", "part of its kernel", "sch_fq_codel"),
        ("sfq", "kmod-sched", "sch_sfq"),
        ("cake", "kmod-sched-cake", "sch_cake"),
        ("bpf", "kmod-sched-bpf", "cls_bpf"),
        ("u32", "kmod-sched-core", "cls_u32"),
        ("ifb", "kmod-ifb and kmod-sched-core", "ifb, act_mirred"),
        ("pedit", "kmod-sched", "act_pedit, act_csum"),
        ("skbedit", "kmod-sched-core", "act_skbedit"),
    ];
    let lacks = lines.world.lacks.to_text();
    for word in lacks.split_whitespace() {
        for (kind, package, module) in KINDS.iter().filter(|(kind, ..)| *kind == word) {
            let has_it = if evidence.has(File::Release) { package } else { module };
            found.say(Warning, format_args!("the kernel has no {kind}: {has_it}"));
        }
    }
    if lacks.is_empty() && !lines.report.is_shaping() {
        found.tell(Unknown, "it has not been asked for everything yet, for not all is shaped");
    }
}

/// What the plan itself has to say.
pub(super) fn plan(_: &Evidence<'_>, line: &Line<'_>, found: &mut Findings) {
    for (name, note) in &line.all.plan.notes {
        if *name == line.wan.name {
            found.say(Note, format_args!("{name}: {note}"));
        }
    }
}

/// A bridge or its ports are the LAN; and one of the lines should have the default route.
pub(super) fn device(_: &Evidence<'_>, lines: &Lines<'_>, found: &mut Findings) {
    let Lines { world, plan, .. } = lines;
    let is_line = |name| plan.lines.iter().any(|line| line.device == Some(name));
    for link in &world.links {
        if (link.kind == "bridge" || link.master != 0) && is_line(link.name) {
            found.say(
                Warning,
                format_args!("{} is a bridge or part of one, as the LAN usually is", link.name),
            );
        }
    }
    match world.default_route {
        None => found.tell(Unknown, "there is no default route now"),
        Some(route) if !is_line(route) => {
            found.say(Warning, format_args!("packets to the internet leave by {route}, which no line is on"));
        }
        Some(_) => {}
    }
}

/// Speeds that were swapped, and a LAN device that was taken for the line's.
pub(super) fn direction(_: &Evidence<'_>, line: &Line<'_>, found: &mut Findings) {
    /// Below this the counters say nothing.
    const ENOUGH: u64 = 256 << 20;
    let (wan, report, kind) = (line.wan, line.report, line.wan.link.name);
    let is_uneven = text::find(kind, "dsl").is_some() || matches!(kind, "docsis" | "lte");
    if let (Some(up), Some(down)) = (wan.upload, wan.download)
        && is_uneven
        && up > down
    {
        found.say(
            Note,
            format_args!("{}: upload {up} is more than download {down}, odd for {kind}", wan.name),
        );
    }
    let (up, down) = (sent(&report.upload), sent(&report.download));
    if up > ENOUGH && up / 4 > down && !report.download.classes.is_empty() {
        let (up, down) = (Bytes(up), Bytes(down));
        found.say(Note, format_args!("{}: {up} were sent and only {down} received", wan.name));
    }
}

fn sent(way: &DirectionReport) -> u64 {
    way.classes.iter().map(|class| class.class.bytes).sum()
}

/// PPPoE adds 8 bytes that plain Ethernet has not; a queue forms in the modem when they are not counted.
pub(super) fn overhead(evidence: &Evidence<'_>, line: &Line<'_>, found: &mut Findings) {
    const PPP: u16 = 512;
    let (wan, kind) = (line.wan, line.wan.link.name);
    if !matches!(kind, "ethernet" | "none") {
        return;
    }
    let network = evidence.package(File::Network);
    let section = network.sections.iter().find(|section| Some(&section.name) == wan.network.as_ref());
    let proto = section.and_then(|section| section.option("proto")?.value.text());
    let from = match proto {
        Some("pppoe" | "pppoa") => path(File::Network),
        _ if line.link.is_some_and(|link| link.hardware == PPP) => "its device",
        _ => return,
    };
    let overhead = wan.link.overhead;
    found.say(
        Warning,
        format_args!("{}: PPP by {from}, but link is '{kind}' (overhead {overhead})", wan.name),
    );
}

/// HTB sends a super-packet whole: 64 KB hold 10 Mbit/s for 52 ms.
pub(super) fn super_packets(evidence: &Evidence<'_>, line: &Line<'_>, found: &mut Findings) {
    let is_slow = |way: &Direction| matches!(way, Direction::Shaped { rate, engine: "htb", .. } if *rate <= Rate::mbit(100));
    let name = &line.wan.name;
    if line.link.is_some_and(|link| evidence.merging.contains(&link.name)) {
        found.say(Warning, format_args!("{name}: its device still has them (GRO, LRO, TSO)"));
    }
    if line.wan.offloads == Offloads::Keep && (is_slow(&line.plan.upload) || is_slow(&line.plan.download)) {
        found.say(Note, format_args!("{name}: option 'offloads' keeps them, at 100 Mbit/s or less"));
    }
}

/// Jumbo frames hold a line as super-packets do.
pub(super) fn mtu(_: &Evidence<'_>, line: &Line<'_>, found: &mut Findings) {
    if let Some(link) = line.link
        && link.mtu > 1500
    {
        found.say(Note, format_args!("{} has an MTU of {}", link.name, link.mtu));
    }
}

/// Without answers a line is steered by its counters alone.
pub(super) fn probes(_: &Evidence<'_>, line: &Line<'_>, found: &mut Findings) {
    let probing = line.report.probing.unwrap_or_default();
    let is_blind = [&line.report.upload, &line.report.download]
        .iter()
        .any(|way| way.steering.as_ref().is_some_and(|steering| steering.state == "blind"));
    if is_blind || probing.is_unheard() {
        found.say(Warning, format_args!("{}: nobody answers: {probing}", line.wan.name));
    }
}

/// Two programs that write the same bits of a packet's mark undo each other.
pub(super) fn marks(evidence: &Evidence<'_>, line: &Line<'_>, found: &mut Findings) {
    /// The file, where in it the mask is, and what holds without it.
    const OTHERS: &[(File, &str, &str, &str)] =
        &[(File::Mwan3, "globals", "mmx_mask", "3f00"), (File::Pbr, "pbr", "fw_mask", "00ff0000")];
    for (file, kind, option, usual) in OTHERS {
        let package = evidence.package(*file);
        let word = value(&package, kind, option);
        let digits = word.strip_prefix("0x").unwrap_or(word);
        let digits = if digits.is_empty() { usual } else { digits };
        let ours = line.wan.cake.fwmark;
        if ours & hexadecimal(digits) != 0 && !package.sections.is_empty() {
            let (name, path) = (&line.wan.name, path(*file));
            let text =
                format_args!("{name}: cake_fwmark 0x{ours:x} has bits of {option} 0x{digits} ({path})");
            found.say(Warning, text);
        }
    }
}

/// What std has too, larger. A digit that is none counts as nothing.
fn hexadecimal(digits: &str) -> u32 {
    digits.chars().fold(0, |sum, digit| sum << 4 | digit.to_digit(16).unwrap_or(0))
}

/// A processor that has no time left drops packets before any queue of ours sees them.
pub(super) fn processor(evidence: &Evidence<'_>, found: &mut Findings) {
    let [after, own] = evidence.later.as_slice() else {
        return found
            .tell(Unknown, "not measured: it takes a second, which only the command 'weir doctor' waits");
    };
    let share = Cores::read(after).busiest(&Cores::read(evidence.text(File::Stat)));
    // `PID (weir) STATE …`. A tick is a hundredth of a second everywhere (USER_HZ).
    let own = ticks(own, 13, 2).saturating_sub(ticks(evidence.text(File::Own), 13, 2));
    let verdict = if share > 80 { Warning } else { Well };
    found.say(
        verdict,
        format_args!("its busiest core is {share} % busy with packets, weir itself takes {own} %"),
    );
}

/// Cores that are told apart; routers have four.
const CORES: usize = 8;

/// What each core has done since the boot: ticks spent on packets, and all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cores([[u32; 2]; CORES]);

impl Cores {
    /// Reads `/proc/stat`, or the beginning of it.
    pub fn read(stat: &str) -> Self {
        let mut cores = Self::default();
        // `cpu0 USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL …`; without a number all of them together.
        let lines = stat.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu "));
        for (core, line) in cores.0.iter_mut().zip(lines) {
            *core = [ticks(line, 6, 2), ticks(line, 1, 8)];
        }
        cores
    }

    /// How busy with packets the busiest core has been since `before`, in per cent.
    pub fn busiest(&self, before: &Self) -> u32 {
        let mut share = 0;
        for (now, then) in self.0.iter().zip(&before.0) {
            let ([busy, all], [was_busy, was_all]) = (now, then);
            share = share.max(busy.saturating_sub(*was_busy) * 100 / all.saturating_sub(*was_all).max(1));
        }
        share
    }
}

/// The sum of some words of a line, all of them numbers.
#[inline(never)]
fn ticks(line: &str, skip: usize, take: usize) -> u32 {
    let mut sum = 0u32;
    for (place, word) in line.split_whitespace().enumerate() {
        if (skip..skip + take).contains(&place) {
            let digit = |n: u32, digit| n.wrapping_mul(10).wrapping_add(u32::from(digit & 15));
            sum = sum.wrapping_add(word.bytes().fold(0, digit));
        }
    }
    sum
}

/// Without the daemon nothing heals, steers or reloads.
pub(super) fn daemon(evidence: &Evidence<'_>, found: &mut Findings) {
    match evidence.is_running {
        Some(true) => {}
        Some(false) => found.tell(Warning, "none runs: what stands stays, but nothing is steered or mended"),
        None => found.tell(Fault, "it runs, but does not answer"),
    }
}

/// With fewer it cannot work, with more it may do what it never needs to.
pub(super) fn privileges(evidence: &Evidence<'_>, found: &mut Findings) {
    let status = evidence.text(File::Status);
    if status.is_empty() {
        return found.tell(Unknown, "no /proc/PID/status of a daemon can be read");
    }
    for (name, wanted) in [("CapEff:", "CapEff:\t0000000000003000"), ("NoNewPrivs:", "NoNewPrivs:\t1")] {
        let from = text::find(status, name).and_then(|at| status.get(at..));
        let line = from.and_then(|from| from.lines().next()).unwrap_or_default();
        if line != wanted {
            found.say(Warning, format_args!("'{line}' in /proc/PID/status, not '{wanted}'"));
        }
    }
}

/// Enabled for the next boot.
pub(super) fn boot(evidence: &Evidence<'_>, found: &mut Findings) {
    if !evidence.has(File::Release) {
        found.tell(Unknown, NO_RC);
    } else if !evidence.has(File::Boot) {
        found.tell(Warning, "weir is not in /etc/rc.d: after a reboot nothing is shaped");
    }
}

/// A router without a battery begins in the past; history and certificates then make no sense.
pub(super) fn clock(evidence: &Evidence<'_>, found: &mut Findings) {
    /// 2026-01-01.
    const EARLIEST: u64 = 1_767_225_600;
    if evidence.seconds < EARLIEST {
        found.tell(Warning, "it says a day before 2026, when weir was made");
    }
    if evidence.has(File::Release) && !evidence.has(File::Sysntpd) && !evidence.has(File::Chronyd) {
        found.tell(Note, "neither sysntpd nor chronyd is in /etc/rc.d, so perhaps nobody sets it");
    }
}

/// How LuCI reaches weir: ubusd's socket, and rpcd's list of who may ask.
pub(super) fn bus(evidence: &Evidence<'_>, found: &mut Findings) {
    if !evidence.has(File::Release) {
        return found.tell(Well, "none needed: this is not OpenWrt");
    }
    if !evidence.has(File::Bus) && !evidence.has(File::OldBus) {
        found.say(Warning, format_args!("neither {} nor {} is there", path(File::Bus), path(File::OldBus)));
    }
    let (acl, path) = (evidence.text(File::Acl), path(File::Acl));
    let depth = acl.bytes().fold(0, |depth, byte| depth + i32::from(byte == b'{') - i32::from(byte == b'}'));
    if acl.is_empty() {
        found.say(Note, format_args!("{path} is not there: LuCI may not ask weir"));
    } else if depth != 0 || text::find(acl, "\"weir\"").is_none() {
        found.say(Warning, format_args!("{path} is damaged"));
    }
}

/// Whether a text means this.
fn is(text: &str, wanted: bool) -> bool {
    matches!(boolean(text), Ok(is_on) if is_on == wanted)
}

/// The first value of an option in sections of this type, or nothing.
fn value<'a>(package: &'a Package, kind: &str, option: &str) -> &'a str {
    let mut sections = package.sections.iter().filter(|section| section.kind == kind);
    sections.find_map(|section| section.option(option)?.value.text()).unwrap_or_default()
}

fn path(file: File) -> &'static str {
    FILES.get(file as usize).copied().unwrap_or_default()
}
