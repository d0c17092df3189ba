// SPDX-License-Identifier: Apache-2.0
//! The doctor: one table of checks, each of which looks at the evidence and says what silently defeats shaping.
//!
//! A check that finds nothing says nothing; the table has the words for that, and what to do about what is found.

use super::checks;
use super::evidence::{Evidence, File, Lines};
use crate::config::Wan;
use crate::report::LineReport;
use crate::scribe::Scribe;
use crate::tc::{Link, plan};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

/// What became of a check; what matters most comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Packets are not shaped as wanted.
    Fault,
    /// They may not be, or will not be for long.
    Warning,
    /// Worth knowing.
    Note,
    /// What it takes to know could not be read.
    Unknown,
    /// All is well.
    Ok,
}

impl Verdict {
    /// A word for people and programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Warning => "warning",
            Self::Note => "note",
            Self::Unknown => "unknown",
            Self::Ok => "ok",
        }
    }
}

/// What a check found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Which check.
    pub check: &'static Check,
    /// What became of it.
    pub verdict: Verdict,
    /// What was seen, and where.
    pub evidence: String,
    /// It was found on a router with OpenWrt, whose words the remedies of the table are.
    pub is_openwrt: bool,
}

impl Finding {
    /// What to do about it; empty: nothing.
    pub fn remedy(&self) -> &'static str {
        if self.verdict >= Verdict::Unknown {
            return "";
        }
        let elsewhere = ELSEWHERE.iter().find(|(name, _)| !self.is_openwrt && *name == self.check.name);
        elsewhere.map_or(self.check.remedy, |(_, remedy)| remedy)
    }
}

/// The remedies that are others on systems without OpenWrt's services, packages and pages.
const ELSEWHERE: [(&str, &str); 8] = [
    ("config", "mend the lines named ('weir check' shows them all), then send the daemon a SIGHUP"),
    ("flow_offload", "take the flowtable out of the firewall's rules ('nft list flowtables' shows it)"),
    ("shapers", "only one can have the line: end the other, then apply weir again"),
    (
        "modules",
        "install what has it, or load it with modprobe; then end the daemon and start it again, which asks the kernel anew",
    ),
    ("mtu", "few lines carry more than 1500 bytes: 'ip link set DEVICE mtu 1500' unless yours does"),
    (
        "processor",
        "lower the speeds, or try engine 'htb' or 'cake', receive packet steering (rps_cpus) or irqbalance",
    ),
    ("daemon", "start 'weir daemon', and look into the system's log if it does not stay"),
    (
        "privileges",
        "start it as root without other restrictions; it gives up what it does not need by itself",
    ),
];

/// One check.
#[derive(Debug)]
pub struct Check {
    /// Its name for programs.
    pub name: &'static str,
    /// What is looked at.
    pub title: &'static str,
    /// What is said when nothing was found.
    pub fine: &'static str,
    /// What to do about what was found, on OpenWrt.
    pub remedy: &'static str,
    look: Look,
}

/// How a check looks.
#[derive(Debug)]
enum Look {
    /// At the evidence alone.
    Alone(fn(&Evidence<'_>, &mut Findings)),
    /// At what is wanted and seen, which may not be known.
    Lines(fn(&Evidence<'_>, &Lines<'_>, &mut Findings)),
    /// At each line of it.
    Each(fn(&Evidence<'_>, &Line<'_>, &mut Findings)),
}

/// One line.
pub(super) struct Line<'a> {
    pub(super) all: &'a Lines<'a>,
    pub(super) wan: &'a Wan,
    pub(super) plan: &'a plan::Line,
    pub(super) report: &'a LineReport,
    /// Its device, if there is one.
    pub(super) link: Option<&'a Link>,
}

const fn check(
    name: &'static str,
    title: &'static str,
    look: Look,
    fine: &'static str,
    remedy: &'static str,
) -> Check {
    Check { name, title, fine, remedy, look }
}

/// The checks, in the order in which equal verdicts are shown.
pub static CHECKS: [Check; 20] = [
    check(
        "config",
        "the configuration",
        Look::Alone(checks::config),
        "no faults, no warnings",
        "mend the lines named ('weir check' shows them all), then 'service weir reload'",
    ),
    check(
        "shaped",
        "what is wanted",
        Look::Each(checks::shaped),
        "the kernel has every queue that is wanted",
        "see 'weir plan --diff' and the log; without speeds set 'download' and 'upload', or start the daemon",
    ),
    check(
        "flow_offload",
        "flow offloading",
        Look::Lines(checks::flow_offload),
        "not asked for in /etc/config/firewall, and no flow is",
        "switch it off: LuCI, Network, Firewall, Flow offloading; or set flow_offloading and flow_offloading_hw of the \
         section 'defaults' to 0 in /etc/config/firewall, then 'service firewall restart'",
    ),
    check(
        "shapers",
        "other shapers",
        Look::Alone(checks::shapers),
        "none starts at boot",
        "only one can have the line: 'service NAME stop; service NAME disable', then 'service weir restart'",
    ),
    check(
        "foreign",
        "others' queues and filters",
        Look::Each(checks::foreign),
        "none on the lines' devices",
        "stop the program that made it, or set option 'takeover' to replace a queue",
    ),
    check(
        "modules",
        "what the kernel has",
        Look::Lines(checks::modules),
        "everything that was asked for",
        "install the package ('opkg install NAME', or 'apk add NAME'), then 'weir stop' and 'service weir restart', which \
         ask the kernel anew",
    ),
    check("plan", "steps down", Look::Each(checks::plan), "none", "nothing, if you can live with it"),
    check(
        "device",
        "the line's device",
        Look::Lines(checks::device),
        "as the default route says",
        "name the device that packets to the internet leave by: option 'network' or 'device' of the line",
    ),
    check(
        "direction",
        "up and down",
        Look::Each(checks::direction),
        "speeds and counters agree with the directions",
        "'upload' is what leaves the house: swap the two speeds, or name the line's own device if it is the LAN's",
    ),
    check(
        "overhead",
        "what a packet costs",
        Look::Each(checks::overhead),
        "'link' does not contradict the protocol",
        "set option 'link' to what the line is, such as pppoe-vdsl2, pppoe-adsl-llc or pppoe-ethernet ('weir help config')",
    ),
    check(
        "super_packets",
        "super-packets",
        Look::Each(checks::super_packets),
        "off where they hold a line too long",
        "leave option 'offloads' at 'auto' and the daemon running; what the driver refuses stays as it is",
    ),
    check(
        "mtu",
        "packet size",
        Look::Each(checks::mtu),
        "no line takes more than 1500 bytes",
        "few lines carry more than 1500 bytes: set the device's mtu in /etc/config/network unless yours does",
    ),
    check(
        "probes",
        "answers to probes",
        Look::Each(checks::probes),
        "no line asks in vain",
        "name others with option 'reflector', or another way with option 'probe'; counters alone steer meanwhile",
    ),
    check(
        "marks",
        "firewall marks",
        Look::Each(checks::marks),
        "weir's (option 'cake_fwmark') are nobody else's",
        "choose other bits: option 'cake_fwmark' here, mmx_mask in /etc/config/mwan3, fw_mask in /etc/config/pbr",
    ),
    check(
        "processor",
        "the processor",
        Look::Alone(checks::processor),
        "",
        "lower the speeds, or try engine 'htb' or 'cake', packet steering (Network, Interfaces, Global) or irqbalance",
    ),
    check(
        "daemon",
        "the daemon",
        Look::Alone(checks::daemon),
        "runs and answers",
        "'service weir start', and 'logread -e weir' if it does not stay",
    ),
    check(
        "privileges",
        "the daemon's privileges",
        Look::Alone(checks::privileges),
        "CAP_NET_ADMIN and CAP_NET_RAW, no new ones",
        "start it by 'service weir restart', not by hand with other privileges",
    ),
    check("boot", "start at boot", Look::Alone(checks::boot), "in /etc/rc.d", "'service weir enable'"),
    check(
        "clock",
        "the clock",
        Look::Alone(checks::clock),
        "not before weir was made",
        "let the time be set: System, System, Time synchronization; or 'service sysntpd enable'",
    ),
    check(
        "bus",
        "ubus and LuCI",
        Look::Alone(checks::bus),
        "the bus is there, and who may ask weir",
        "install the package weir again, and rpcd for LuCI; then 'service rpcd restart'",
    ),
];

/// What the check at hand has found, behind what others have.
pub(super) struct Findings {
    list: Vec<Finding>,
    check: &'static Check,
    /// Whether it has found nothing yet.
    is_silent: bool,
    is_openwrt: bool,
}

impl Findings {
    /// One thing; what matters more stands in front of it.
    #[inline(never)]
    pub(super) fn say(&mut self, verdict: Verdict, evidence: fmt::Arguments<'_>) {
        let at = self.list.iter().position(|finding| finding.verdict > verdict).unwrap_or(self.list.len());
        let (check, is_openwrt) = (self.check, self.is_openwrt);
        let evidence = alloc::fmt::format(evidence);
        self.list.insert(at, Finding { check, verdict, evidence, is_openwrt });
        self.is_silent = false;
    }

    /// The same of words that stand.
    #[inline(never)]
    pub(super) fn tell(&mut self, verdict: Verdict, evidence: &str) {
        self.say(verdict, format_args!("{evidence}"));
    }
}

/// Makes every check; faults come first.
pub fn examine(evidence: &Evidence<'_>) -> Vec<Finding> {
    let [first, ..] = &CHECKS;
    let is_openwrt = evidence.has(File::Release);
    let mut found = Findings { list: Vec::new(), check: first, is_silent: true, is_openwrt };
    for check in &CHECKS {
        (found.check, found.is_silent) = (check, true);
        match (&check.look, &evidence.lines) {
            (Look::Alone(look), _) => look(evidence, &mut found),
            (Look::Lines(look), Some(all)) => look(evidence, all, &mut found),
            (Look::Each(look), Some(all)) => {
                for ((wan, plan), report) in
                    all.config.wans.iter().zip(&all.plan.lines).zip(&all.report.lines)
                {
                    let link = all.world.links.iter().find(|link| Some(link.name) == plan.device);
                    look(evidence, &Line { all, wan, plan, report, link }, &mut found);
                }
            }
            (_, None) => {
                found.tell(Verdict::Unknown, "no configuration in force, or no answer of the kernel");
            }
        }
        if found.is_silent {
            found.tell(Verdict::Ok, check.fine);
        }
    }
    found.list
}

/// Whether nothing is a fault or a warning.
pub fn is_well(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.verdict > Verdict::Warning)
}

/// For people, in rows that are still to be broken.
///
/// # Errors
/// The writer's.
pub fn write_text(findings: &[Finding], out: &mut impl Write) -> fmt::Result {
    for (n, finding) in findings.iter().enumerate() {
        let (word, remedy) = (finding.verdict.word(), finding.remedy());
        writeln!(out, "  {word:<8} {}: {}", finding.check.title, finding.evidence)?;
        // Once behind all that a check found.
        let is_last = findings.get(n + 1).is_none_or(|next| !core::ptr::eq(next.check, finding.check));
        if is_last && !remedy.is_empty() {
            writeln!(out, "{:11}-> {remedy}", "")?;
        }
    }
    Ok(())
}

/// For programs, as `docs/doctor.schema.json` describes it.
pub fn write(findings: &[Finding], out: &mut dyn Scribe) {
    out.tables("findings", findings, |out, finding| {
        let Finding { check, verdict, evidence, .. } = finding;
        let fields = [
            ("check", check.name),
            ("verdict", verdict.word()),
            ("title", check.title),
            ("evidence", evidence),
            ("remedy", finding.remedy()),
        ];
        fields.iter().for_each(|(key, value)| out.text(key, value));
    });
}
