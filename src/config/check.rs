// SPDX-License-Identifier: Apache-2.0
//! What only shows when a whole file is understood: options that contradict each other, lines and classes that clash.
//!
//! What KERNEL facts a rule stands on is said beside it. A rule about an option whose own value was refused is silent.

use super::check_rule::check_rules;
use super::error::Faults;
use super::uci::Section;
use super::{Config, DownloadOn, Engine, LinkLayer, Wan};
use crate::text::joined;
use crate::units::Permille;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// A configuration and the sections it was made of.
pub(super) struct Understood<'a> {
    pub(super) config: Config,
    /// The section of each line; none for the line that is there without a file.
    pub(super) wans: Vec<&'a Section>,
    /// The section of each class; `None` for a default one that the file does not mention.
    pub(super) classes: Vec<Option<&'a Section>>,
    /// Where the last of the default classes was switched off; 0 if none was.
    pub(super) switched_off: u32,
    /// The lines of rules' options `local`, by the rule's name.
    pub(super) locals: Vec<(String, u32)>,
    /// The section of each schedule.
    pub(super) schedules: Vec<&'a Section>,
    /// The section of each threshold.
    pub(super) thresholds: Vec<&'a Section>,
}

impl Understood<'_> {
    /// One no section of which is read yet.
    pub(super) fn of(config: Config) -> Self {
        Self {
            classes: config.classes.iter().map(|_| None).collect(),
            config,
            wans: Vec::new(),
            switched_off: 0,
            locals: Vec::new(),
            schedules: Vec::new(),
            thresholds: Vec::new(),
        }
    }
}

/// The shortest packet there is: a bare IPv4 header.
const SHORTEST: i16 = 20;

/// Chooses the default class and finds what does not go together.
pub(super) fn check(understood: &mut Understood<'_>, faults: &mut Faults) {
    choose_default(understood, faults);
    check_shares(understood, faults);
    check_rules(understood, faults);
    super::schedule::check(understood, faults);
    super::threshold::check(&understood.config, &understood.thresholds, faults);
    let wans = &understood.config.wans;
    for (n, (wan, section)) in wans.iter().zip(&understood.wans).enumerate() {
        check_names(wan, section, wans.get(..n).unwrap_or_default(), faults);
        check_device(wan, section, faults);
        check_download(wan, section, wans, faults);
        check_engine(wan, section, &understood.classes, faults);
        super::steer::check(wan, section, faults);
    }
}

/// The line of an option, else of its section.
pub(super) fn line_of(section: &Section, option: &str) -> u32 {
    section.option(option).map_or(section.line, |option| option.line)
}

/// The class whose section says so is the default one, else `normal`.
fn choose_default(understood: &mut Understood<'_>, faults: &mut Faults) {
    let Understood { config, classes: sections, switched_off, .. } = understood;
    let says_so = |section: &Option<&Section>| section.is_some_and(|s| s.option("default").is_some());
    let claims = config.classes.iter().zip(sections.iter()).enumerate();
    let mut claims = claims.filter(|(_, (class, section))| class.is_default && says_so(section));
    if let Some((chosen, (class, _))) = claims.next() {
        for (_, (other, section)) in claims {
            let Some(section) = section else { continue };
            let text =
                format!("class '{}': '{}' is the default already; only one can be", other.name, class.name);
            faults.fault(line_of(section, "default"), "default", text);
        }
        for (n, class) in config.classes.iter_mut().enumerate() {
            class.is_default = n == chosen;
        }
    }
    if config.classes.is_empty() {
        return faults.fault(*switched_off, "", "all classes are switched off; at least one must be enabled");
    }
    if !config.classes.iter().any(|class| class.is_default) {
        let says_no = sections.iter().flatten().find_map(|section| section.option("default"));
        let names: Vec<&str> = config.classes.iter().map(|class| class.name.as_str()).collect();
        let text =
            format!("no class is the default; set option 'default' in one of {}", joined(&names, ", "));
        faults.fault(says_no.map_or(*switched_off, |option| option.line), "", text);
    }
}

fn check_shares(understood: &Understood<'_>, faults: &mut Faults) {
    let classes = &understood.config.classes;
    let mut is_sum_known = true;
    let mut last = 0;
    for (class, section) in classes.iter().zip(&understood.classes) {
        let Some(section) = section else { continue };
        let (guarantee, limit) = (line_of(section, "guarantee"), line_of(section, "limit"));
        last = last.max(if section.option("guarantee").is_some() { guarantee } else { 0 });
        if faults.is_refused(guarantee, "guarantee") {
            is_sum_known = false;
            continue;
        }
        if faults.is_refused(limit, "limit") {
            continue;
        }
        let name = &class.name;
        if class.limit == Permille(0) {
            let text =
                format!("class '{name}': with 0 % nothing would ever pass; option 'enabled' switches it off");
            faults.fault(limit, "limit", text);
        } else if class.limit < class.guarantee {
            let (limit_text, guarantee_text) = (class.limit, class.guarantee);
            let (line, option, text) = if section.option("limit").is_some() {
                let what = format!("the limit, {limit_text}, is below the guarantee, {guarantee_text}");
                (limit, "limit", what)
            } else {
                let what =
                    format!("the guarantee, {guarantee_text}, is above the limit, {limit_text} by default");
                (guarantee, "guarantee", what)
            };
            faults.fault(line, option, format!("class '{name}': {text}"));
        }
    }
    let sum: u32 = classes.iter().map(|class| u32::from(class.guarantee.0)).sum();
    if sum > u32::from(Permille::ALL.0) && is_sum_known {
        let parts: Vec<String> = classes.iter().map(|c| format!("{} {}", c.name, c.guarantee)).collect();
        let sum = Permille(u16::try_from(sum).unwrap_or(u16::MAX));
        faults.fault(last, "guarantee", format!("the guarantees add up to {sum}: {}", joined(&parts, ", ")));
    }
}

/// Two lines can share neither a name nor a device.
fn check_names(wan: &Wan, section: &Section, earlier: &[Wan], faults: &mut Faults) {
    let mut others = earlier.iter().filter(|other| other.enabled && wan.enabled);
    if let Some(other) = others.find(|other| is_same_line(other, wan)) {
        let what = match (wan.device, &wan.network) {
            (None, None) => {
                "both are the default route's; give each its option 'device' or 'network'".to_string()
            }
            (None, Some(network)) => format!("both are network '{network}'"),
            (Some(device), _) => format!("both are on {device}"),
        };
        faults.fault(section.line, "", format!("line '{}' is line '{}' again: {what}", wan.name, other.name));
    } else if earlier.iter().any(|other| other.name == wan.name) {
        faults.fault(section.line, "", format!("there is another line called '{}'", wan.name));
    }
}

/// Two lines without a device and a network are both the default route's.
fn is_same_line(a: &Wan, b: &Wan) -> bool {
    match (a.device, b.device) {
        (Some(a), Some(b)) => a == b,
        (None, None) => a.network == b.network,
        _ => false,
    }
}

fn check_device(wan: &Wan, section: &Section, faults: &mut Faults) {
    if wan.device.is_some() && wan.network.is_some() {
        let text = "not used: option 'device' is given too and is what counts";
        faults.warn(line_of(section, "network"), "network", text);
    }
    let chosen = section.option("link").and_then(|option| option.value.text());
    if chosen == Some(LinkLayer::AUTO.name) && wan.link != LinkLayer::AUTO {
        let text = "not used: 'overhead', 'mpu' and 'cells' say what a packet costs, the rest is Ethernet's";
        faults.warn(line_of(section, "link"), "link", text);
    }
}

/// One LAN device and one line: packets for several lines cannot be told apart there.
fn check_download(wan: &Wan, section: &Section, wans: &[Wan], faults: &mut Faults) {
    let is_lan_given = section.option("lan").is_some();
    let (line, lan_line) = (line_of(section, "download_on"), line_of(section, "lan"));
    let is_several = wan.enabled && wans.iter().filter(|wan| wan.enabled).count() > 1;
    match (wan.download_on, wan.lan) {
        (DownloadOn::Ifb | DownloadOn::None, Some(_)) if !faults.is_refused(line, "download_on") => {
            let text = format!("not used: 'download_on' is '{}'", wan.download_on.word());
            faults.warn(lan_line, "lan", text);
        }
        (DownloadOn::Lan, None) if !is_lan_given => {
            faults.fault(line, "download_on", "'lan' needs the LAN's device, option 'lan'");
        }
        (DownloadOn::Lan, Some(lan)) if wan.device == Some(lan) => {
            faults.fault(lan_line, "lan", format!("{lan} is the line's own device"));
        }
        (DownloadOn::Lan, _) if is_several => {
            let text =
                "on the LAN's device one line cannot be told from another; use 'ifb' with several lines";
            faults.fault(line, "download_on", text);
        }
        _ => {}
    }
}

/// What the chosen engine makes of the other options.
fn check_engine(wan: &Wan, section: &Section, classes: &[Option<&Section>], faults: &mut Faults) {
    if faults.is_refused(line_of(section, "engine"), "engine") {
        return;
    }
    // cake_calc_overhead computes without a sign: a packet shorter than nothing is one of 4 GiB, and the line stands.
    if wan.link.overhead < -SHORTEST && wan.engine != Engine::Htb {
        let text =
            format!("below -{SHORTEST} only with engine 'htb': CAKE cannot count packets shorter than that");
        faults.fault(line_of(section, "overhead"), "overhead", text);
    }
    match wan.engine {
        Engine::Auto => {}
        Engine::Htb => {
            for option in section.options.iter().filter(|option| option.name.starts_with("cake_")) {
                if super::options::find(super::options::SectionType::Wan, &option.name).is_some() {
                    faults.warn(option.line, &option.name, "not used with engine 'htb'");
                }
            }
        }
        Engine::Cake => {
            if !wan.ecn {
                faults.warn(
                    line_of(section, "ecn"),
                    "ecn",
                    "not used with engine 'cake', which always marks",
                );
            }
            const SHARES: [&str; 4] = ["guarantee", "limit", "priority", "target"];
            let has_shares = |class: &Section| SHARES.iter().any(|name| class.option(name).is_some());
            if classes.iter().flatten().any(|class| has_shares(class)) {
                let text = "CAKE has thresholds of its own; guarantee, limit, priority and target of classes do not \
                    apply to it";
                faults.warn(line_of(section, "engine"), "engine", text);
            }
        }
    }
}
