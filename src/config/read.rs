// SPDX-License-Identifier: Apache-2.0
//! From sections and options to a [`Config`], or every fault at once.
//!
//! Defaults first, then what the file says, then [`check`]: what each line says for itself is judged where it is read,
//! what only shows when everything is known is judged at the end.

use super::error::{Fault, Severity};
use super::link::{self, Cells, LinkLayer};
use super::options::{self, Kind, OPTIONS, Row, SectionType, did_you_mean};
use super::uci::{self, Opt, Package, Section};
use super::{
    AckFilter, Class, Config, Diffserv, DownloadOn, Engine, Isolation, LogLevel, Offloads, TrustDscp, Wan,
    value,
};
use crate::limits;
use crate::units::{Bytes, DeviceName, Micros, Permille, Rate};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Reads a file.
///
/// # Errors
/// Every fault and warning, when there is at least one fault.
pub fn load(bytes: &[u8]) -> Result<(Config, Vec<Fault>), Vec<Fault>> {
    match uci::parse(bytes) {
        Ok(package) => read(&package),
        Err(error) => {
            let text = format!("{} (byte {})", error.reason, error.byte);
            Err(alloc::vec![Fault {
                severity: Severity::Fault,
                line: error.line,
                option: String::new(),
                text
            }])
        }
    }
}

/// Reads a package.
///
/// # Errors
/// Every fault and warning, when there is at least one fault.
pub fn read(package: &Package) -> Result<(Config, Vec<Fault>), Vec<Fault>> {
    let mut reader = Reader {
        faults: Vec::new(),
        config: Config::default(),
        wan_lines: Vec::new(),
        class_lines: Vec::new(),
    };
    // The line that is there without any file makes room for the file's.
    if package.sections.iter().any(|section| section.kind == SectionType::Wan.name()) {
        reader.config.wans.clear();
    }
    reader.class_lines = reader.config.classes.iter().map(|_| 0).collect();
    for section in &package.sections {
        reader.section(section);
    }
    reader.check();
    let Reader { mut faults, config, .. } = reader;
    faults.sort_by_key(|fault| fault.line);
    let is_refused = faults.iter().any(|fault| fault.severity == Severity::Fault);
    if is_refused { Err(faults) } else { Ok((config, faults)) }
}

/// A value whose text has been checked against its row of the table.
enum Checked {
    Bool(bool),
    Rate(Rate),
    Share(Permille),
    Span(Micros),
    Integer(i64),
    Mask(u32),
    Size(Bytes),
    Device(DeviceName),
    Word(String),
    Link(LinkLayer),
}

struct Reader {
    faults: Vec<Fault>,
    config: Config,
    /// Where each line's section stands.
    wan_lines: Vec<u32>,
    /// Where each class's section stands; 0 for a default one without a section.
    class_lines: Vec<u32>,
}

impl Reader {
    fn add(&mut self, severity: Severity, line: u32, option: &str, text: String) {
        if self.faults.len() < limits::FAULTS {
            self.faults.push(Fault { severity, line, option: option.into(), text });
        } else if let Some(last) = self.faults.last_mut().filter(|_| severity == Severity::Fault) {
            // The list is full; what matters is that a fault among the rest still refuses the file.
            *last =
                Fault { severity, line, option: String::new(), text: "and more; mend these first".into() };
        }
    }

    fn fault(&mut self, line: u32, option: &str, text: impl Into<String>) {
        self.add(Severity::Fault, line, option, text.into());
    }

    fn warn(&mut self, line: u32, option: &str, text: impl Into<String>) {
        self.add(Severity::Warning, line, option, text.into());
    }

    fn section(&mut self, section: &Section) {
        match SectionType::ALL.into_iter().find(|known| known.name() == section.kind) {
            Some(SectionType::Globals) => self.globals(section),
            Some(SectionType::Wan) => self.wan(section),
            Some(SectionType::Class) => self.class(section),
            None => {
                let known = SectionType::ALL.iter().map(|known| known.name());
                let hint = did_you_mean(&section.kind, known.clone());
                let hint = match hint {
                    Some(word) => format!("did you mean '{word}'?"),
                    None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
                };
                self.warn(
                    section.line,
                    "",
                    format!("section '{}' is not known and ignored; {hint}", section.kind),
                );
            }
        }
    }

    /// The checked value of each known option of a section.
    fn options<'a>(
        &mut self,
        kind: SectionType,
        section: &'a Section,
    ) -> Vec<(&'static Row, &'a Opt, Checked)> {
        let mut checked = Vec::new();
        for option in &section.options {
            let Some(row) = options::find(kind, &option.name) else {
                let names = OPTIONS.iter().filter(|row| row.section == kind).map(|row| row.name);
                let hint = did_you_mean(&option.name, names).map(|word| format!("; did you mean '{word}'?"));
                let text =
                    format!("not known in section {} and ignored{}", kind.name(), hint.unwrap_or_default());
                self.warn(option.line, &option.name, text);
                continue;
            };
            if let uci::Value::List(entries) = &option.value
                && entries.len() > 1
            {
                self.fault(option.line, row.name, "takes one value, not a list");
                continue;
            }
            let result = option.value.text().ok_or_else(|| "is not text (UTF-8)".to_string());
            match result.and_then(|text| check_text(row.kind, text)) {
                Ok(value) => checked.push((row, option, value)),
                Err(text) => self.fault(option.line, row.name, text),
            }
        }
        checked
    }

    fn globals(&mut self, section: &Section) {
        for (row, _, value) in self.options(SectionType::Globals, section) {
            let globals = &mut self.config.globals;
            match (row.name, value) {
                ("enabled", Checked::Bool(yes)) => globals.enabled = yes,
                ("log_level", Checked::Word(word)) => {
                    globals.log_level = match word.as_str() {
                        "error" => LogLevel::Error,
                        "warning" => LogLevel::Warning,
                        "debug" => LogLevel::Debug,
                        _ => LogLevel::Info,
                    };
                }
                _ => {}
            }
        }
    }

    fn wan(&mut self, section: &Section) {
        if self.config.wans.len() == limits::WANS {
            return self.fault(section.line, "", format!("more than {} lines (sections wan)", limits::WANS));
        }
        let mut wan = Wan::new(&section.name);
        let mut custom = (None, None, None);
        for (row, option, value) in self.options(SectionType::Wan, section) {
            match (row.name, value) {
                ("enabled", Checked::Bool(yes)) => wan.enabled = yes,
                ("network", Checked::Word(word)) => wan.network = Some(word),
                ("device", Checked::Device(device)) => wan.device = Some(device),
                ("download" | "upload", Checked::Rate(rate)) => {
                    self.suspicious(option, rate);
                    *(if row.name == "upload" { &mut wan.upload } else { &mut wan.download }) = Some(rate);
                }
                ("download_on", Checked::Word(word)) => {
                    wan.download_on = match word.as_str() {
                        "lan" => DownloadOn::Lan,
                        "none" => DownloadOn::None,
                        _ => DownloadOn::Ifb,
                    };
                }
                ("lan", Checked::Device(device)) => wan.lan = Some(device),
                ("link", Checked::Link(link)) => wan.link = link,
                ("overhead", Checked::Integer(n)) => custom.0 = Some(n as i16),
                ("mpu", Checked::Integer(n)) => custom.1 = Some(n as u16),
                ("cells", Checked::Word(word)) => {
                    custom.2 = Some(match word.as_str() {
                        "atm" => Cells::Atm,
                        "ptm" => Cells::Ptm,
                        _ => Cells::None,
                    });
                }
                ("engine", Checked::Word(word)) => {
                    wan.engine = match word.as_str() {
                        "htb" => Engine::Htb,
                        "cake" => Engine::Cake,
                        _ => Engine::Auto,
                    };
                }
                ("takeover", Checked::Bool(yes)) => wan.takeover = yes,
                ("ecn", Checked::Bool(yes)) => wan.ecn = yes,
                ("offloads", Checked::Word(word)) => {
                    wan.offloads = match word.as_str() {
                        "off" => Offloads::Off,
                        "keep" => Offloads::Keep,
                        _ => Offloads::Auto,
                    };
                }
                ("trust_dscp", Checked::Word(word)) => {
                    wan.trust_dscp = match word.as_str() {
                        "none" => TrustDscp::None,
                        "down" => TrustDscp::Down,
                        "both" => TrustDscp::Both,
                        _ => TrustDscp::Up,
                    };
                }
                (name, value) => cake(&mut wan, name, &value),
            }
        }
        let (overhead, mpu, cells) = custom;
        let link = wan.link;
        wan.link = LinkLayer {
            name: link.name,
            overhead: overhead.unwrap_or(link.overhead),
            mpu: mpu.unwrap_or(link.mpu),
            cells: cells.unwrap_or(link.cells),
        };
        if wan.link != link {
            wan.link.name = "custom";
        }
        if section.is_anonymous
            && let Some(network) = &wan.network
        {
            wan.name.clone_from(network);
        }
        self.config.wans.push(wan);
        self.wan_lines.push(section.line);
    }

    /// A number without a unit that would be an absurdly slow line.
    fn suspicious(&mut self, option: &Opt, rate: Rate) {
        let text = option.value.text().unwrap_or_default();
        if rate < Rate::kbit(1000) && text.trim().bytes().all(|byte| byte.is_ascii_digit()) {
            self.warn(
                option.line,
                &option.name,
                format!("a number alone is kbit/s; did you mean {}mbit?", text.trim()),
            );
        }
    }

    fn class(&mut self, section: &Section) {
        if section.is_anonymous {
            return self.fault(section.line, "", "a class needs a name: config class 'gaming'");
        }
        let classes = &mut self.config.classes;
        let at = classes.iter().position(|class| class.name == section.name).unwrap_or(classes.len());
        let is_new = at == classes.len();
        if is_new && classes.len() == limits::CLASSES {
            return self.fault(section.line, "", format!("more than {} classes", limits::CLASSES));
        }
        let mut class = classes.get(at).cloned().unwrap_or_else(|| Class {
            name: section.name.clone(),
            guarantee: Permille(0),
            limit: Permille::ALL,
            priority: 1,
            target: Micros::ms(200),
            is_default: false,
        });
        let mut is_enabled = true;
        for (row, _, value) in self.options(SectionType::Class, section) {
            match (row.name, value) {
                ("enabled", Checked::Bool(yes)) => is_enabled = yes,
                ("guarantee", Checked::Share(share)) => class.guarantee = share,
                ("limit", Checked::Share(share)) => class.limit = share,
                ("priority", Checked::Integer(n)) => class.priority = n as u8,
                ("target", Checked::Span(span)) => class.target = span,
                ("default", Checked::Bool(yes)) => class.is_default = yes,
                _ => {}
            }
        }
        let has_guarantee = section.option("guarantee").is_some();
        if is_new && is_enabled && !has_guarantee {
            let text = "a new class has no guarantee and can starve; set option 'guarantee'";
            self.warn(section.line, "", format!("class '{}': {text}", section.name));
        }
        if class.limit < class.guarantee {
            let text = format!("the limit, {}, is below the guarantee, {}", class.limit, class.guarantee);
            let line =
                section.option("limit").or(section.option("guarantee")).map_or(section.line, |o| o.line);
            self.fault(line, "limit", text);
        }
        // Only one class is the default: the last section that says so.
        if class.is_default && section.option("default").is_some() {
            self.config.classes.iter_mut().for_each(|other| other.is_default = false);
        }
        match (is_enabled, self.config.classes.get_mut(at)) {
            (true, Some(old)) => {
                *old = class;
                self.class_lines.iter_mut().skip(at).take(1).for_each(|line| *line = section.line);
            }
            (true, None) => {
                self.config.classes.push(class);
                self.class_lines.push(section.line);
            }
            (false, Some(_)) => {
                self.config.classes.remove(at);
                self.class_lines.remove(at);
            }
            (false, None) => {}
        }
    }

    /// What only shows when everything is known.
    fn check(&mut self) {
        self.check_classes();
        let wans = self.config.wans.clone();
        let lines = self.wan_lines.clone();
        let line_of = |n: usize| lines.get(n).copied().unwrap_or(0);
        let active = wans.iter().filter(|wan| wan.enabled).count();
        for (n, wan) in wans.iter().enumerate() {
            let line = line_of(n);
            if wan.device.is_some() && wan.network.is_some() {
                self.warn(
                    line,
                    "network",
                    format!("line '{}': option 'device' is given too and is what counts", wan.name),
                );
            }
            match (wan.download_on, wan.lan) {
                (DownloadOn::Lan, None) => {
                    self.fault(
                        line,
                        "download_on",
                        format!("line '{}': 'lan' needs the device, option 'lan'", wan.name),
                    );
                }
                (DownloadOn::Lan, Some(_)) if wan.enabled && active > 1 => {
                    let text = "on the LAN device one line cannot be told from another; use 'ifb' with several lines";
                    self.fault(line, "download_on", format!("line '{}': {text}", wan.name));
                }
                (DownloadOn::Lan, Some(lan)) if wan.device == Some(lan) => {
                    self.fault(line, "lan", format!("line '{}': {lan} is the line's own device", wan.name));
                }
                _ => {}
            }
            let earlier = wans.iter().take(n).find(|other| is_same_line(other, wan));
            if let Some(other) = earlier.filter(|other| other.enabled && wan.enabled) {
                self.fault(
                    line,
                    "",
                    format!("line '{}' is on the same device as line '{}'", wan.name, other.name),
                );
            }
            if earlier.is_none() && wans.iter().take(n).any(|other| other.name == wan.name) {
                self.fault(line, "", format!("there is another line called '{}'", wan.name));
            }
            let has_class_sections = self.class_lines.iter().any(|line| *line != 0);
            if wan.engine == Engine::Cake && has_class_sections {
                let text =
                    "CAKE has thresholds of its own; guarantees and limits of classes do not apply to it";
                self.warn(line, "engine", format!("line '{}': {text}", wan.name));
            }
        }
    }

    fn check_classes(&mut self) {
        let classes = &self.config.classes;
        let line = self.class_lines.iter().copied().max().unwrap_or(0);
        let sum: u32 = classes.iter().map(|class| u32::from(class.guarantee.0)).sum();
        if sum > 1000 {
            let parts: Vec<String> =
                classes.iter().map(|class| format!("{} {}", class.name, class.guarantee)).collect();
            let sum = Permille(sum.min(65_535) as u16);
            return self.fault(
                line,
                "guarantee",
                format!("the guarantees add up to {sum}: {}", parts.join(", ")),
            );
        }
        if classes.is_empty() {
            return self.fault(line, "", "there is no class left; at least one must be enabled");
        }
        if !classes.iter().any(|class| class.is_default) {
            let names: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
            let text =
                format!("no class is the default; set option 'default' in one of {}", names.join(", "));
            self.fault(line, "default", text);
        }
    }
}

/// Two lines cannot share a device; two without any are both the default route's.
fn is_same_line(a: &Wan, b: &Wan) -> bool {
    match (a.device, b.device) {
        (Some(a), Some(b)) => a == b,
        (None, None) => a.network == b.network,
        _ => false,
    }
}

fn cake(wan: &mut Wan, name: &str, value: &Checked) {
    let cake = &mut wan.cake;
    match (name, value) {
        ("cake_diffserv", Checked::Word(word)) => {
            cake.diffserv = match word.as_str() {
                "besteffort" => Diffserv::Besteffort,
                "precedence" => Diffserv::Precedence,
                "diffserv3" => Diffserv::Diffserv3,
                "diffserv8" => Diffserv::Diffserv8,
                _ => Diffserv::Diffserv4,
            };
        }
        ("cake_nat", Checked::Bool(yes)) => cake.nat = *yes,
        ("cake_isolation", Checked::Word(word)) => {
            cake.isolation = match word.as_str() {
                "flowblind" => Some(Isolation::Flowblind),
                "srchost" => Some(Isolation::Srchost),
                "dsthost" => Some(Isolation::Dsthost),
                "hosts" => Some(Isolation::Hosts),
                "flows" => Some(Isolation::Flows),
                "dual-srchost" => Some(Isolation::DualSrchost),
                "dual-dsthost" => Some(Isolation::DualDsthost),
                "triple-isolate" => Some(Isolation::TripleIsolate),
                _ => None,
            };
        }
        ("cake_ack_filter", Checked::Word(word)) => {
            cake.ack_filter = match word.as_str() {
                "filter" => AckFilter::Filter,
                "aggressive" => AckFilter::Aggressive,
                _ => AckFilter::Off,
            };
        }
        ("cake_wash", Checked::Bool(yes)) => cake.wash = *yes,
        ("cake_split_gso", Checked::Word(word)) => cake.split_gso = tristate(word),
        ("cake_rtt", Checked::Span(span)) => cake.rtt = *span,
        ("cake_memlimit", Checked::Size(bytes)) => cake.memlimit = Some(*bytes),
        ("cake_ingress", Checked::Word(word)) => cake.ingress = tristate(word),
        ("cake_fwmark", Checked::Mask(mask)) => cake.fwmark = *mask,
        _ => {}
    }
}

fn tristate(word: &str) -> Option<bool> {
    match word {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    }
}

fn check_text(kind: Kind, text: &str) -> Result<Checked, String> {
    Ok(match kind {
        Kind::Bool => Checked::Bool(value::boolean(text)?),
        Kind::Rate => Checked::Rate(value::rate(text)?),
        Kind::Share => Checked::Share(value::share(text)?),
        Kind::Span(min, max) => Checked::Span(value::span(text, Micros(min), Micros(max))?),
        Kind::Integer(min, max) => Checked::Integer(value::integer(text, min, max)?),
        Kind::Mask => Checked::Mask(value::mask(text)?),
        Kind::Size => Checked::Size(value::size(text)?),
        Kind::Device => Checked::Device(value::device(text)?),
        Kind::Network => Checked::Word(network(text)?),
        Kind::Choice(words) => Checked::Word(choice(text, words)?),
        Kind::Link => Checked::Link(link_layer(text)?),
    })
}

fn network(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name {
        Ok(text.into())
    } else {
        Err(format!("'{text}' is not a network's name: letters, digits and _"))
    }
}

fn choice(text: &str, words: &[&str]) -> Result<String, String> {
    if words.contains(&text) {
        return Ok(text.into());
    }
    let hint = did_you_mean(text, words.iter().copied()).map(|word| format!("; did you mean '{word}'?"));
    Err(format!("'{text}' is not one of {}{}", words.join(", "), hint.unwrap_or_default()))
}

fn link_layer(text: &str) -> Result<LinkLayer, String> {
    link::by_name(text).ok_or_else(|| {
        let names = link::PRESETS.iter().map(|preset| preset.link.name);
        let hint = did_you_mean(text, names).map(|word| format!("did you mean '{word}'? "));
        format!("'{text}' is not a link layer; {}'weir help config' lists them", hint.unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(file: &str) -> Config {
        load(file.as_bytes()).unwrap_or_else(|faults| panic!("{faults:?}")).0
    }

    fn faults(file: &str) -> Vec<String> {
        let all = match load(file.as_bytes()) {
            Ok((_, warnings)) => warnings,
            Err(faults) => faults,
        };
        all.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_empty_file_is_the_default_configuration() {
        assert_eq!(good(""), Config::default());
        assert_eq!(good("# nothing\n"), Config::default());
    }

    #[test]
    fn five_lines_are_enough() {
        let config = good(
            "config wan 'wan'\n\toption device 'eth1'\n\toption download '80mbit'\n\toption upload '20mbit'\n",
        );
        assert_eq!(
            (config.wans[0].download, config.wans[0].upload),
            (Some(Rate::mbit(80)), Some(Rate::mbit(20)))
        );
        assert_eq!(config.classes, Class::defaults());
    }

    #[test]
    fn all_faults_are_told_at_once_each_with_its_line() {
        let file = "config wan 'wan'\n option downlaod '80mbit'\n option upload 'fast'\n option engine 'cakke'\n option mpu '999'\n\
            config wam 'x'\nconfig class 'high'\n option guarantee '50%'\n option limit '40'\n";
        assert_eq!(
            faults(file),
            [
                "2: warning: option 'downlaod': not known in section wan and ignored; did you mean 'download'?",
                "3: fault: option 'upload': 'fast' is not a speed; write for example 80mbit, 1.5gbit or 80000 (kbit/s)",
                "4: fault: option 'engine': 'cakke' is not one of auto, htb, cake; did you mean 'cake'?",
                "5: fault: option 'mpu': must lie between 0 and 256",
                "6: warning: section 'wam' is not known and ignored; did you mean 'wan'?",
                "9: fault: option 'limit': the limit, 40 %, is below the guarantee, 50 %",
            ]
        );
    }

    #[test]
    fn guarantees_above_the_whole_line_are_a_fault_that_names_them() {
        let file = "config class 'critical'\n option guarantee '60'\n option limit '70'\nconfig class 'high'\n option guarantee '50'\n";
        assert_eq!(
            faults(file),
            [
                "4: fault: option 'guarantee': the guarantees add up to 125 %: critical 60 %, high 50 %, normal 10 %, low 5 %"
            ]
        );
    }

    #[test]
    fn classes_can_be_added_changed_and_left_out() {
        let config = good(
            "config class 'gaming'\n option guarantee '15'\n option priority '0'\n\
             config class 'low'\n option enabled '0'\nconfig class 'high'\n option default '1'\n",
        );
        let names: Vec<_> = config.classes.iter().map(|c| (c.name.as_str(), c.is_default)).collect();
        assert_eq!(names, [("critical", false), ("high", true), ("normal", false), ("gaming", false)]);
        assert_eq!(faults("config class 'normal'\n option enabled '0'\n").len(), 1);
    }

    #[test]
    fn shaping_on_the_lan_device_needs_it_and_a_single_line() {
        assert_eq!(
            faults("config wan 'a'\n option download_on 'lan'\n"),
            ["1: fault: option 'download_on': line 'a': 'lan' needs the device, option 'lan'"]
        );
        let two = "config wan 'a'\n option device 'e0'\n option download_on 'lan'\n option lan 'l0'\nconfig wan 'b'\n option device 'e1'\n";
        assert!(faults(two)[0].contains("use 'ifb' with several lines"));
    }

    #[test]
    fn two_lines_cannot_share_a_device() {
        let file = "config wan 'a'\n option device 'e0'\nconfig wan 'b'\n option device 'e0'\n";
        assert_eq!(faults(file), ["3: fault: line 'b' is on the same device as line 'a'"]);
    }

    #[test]
    fn numbers_of_ones_own_change_a_preset() {
        let wan = &good("config wan 'w'\n option link 'docsis'\n option overhead '22'\n").wans[0];
        assert_eq!(wan.link, LinkLayer { name: "custom", overhead: 22, mpu: 64, cells: Cells::None });
    }

    #[test]
    fn a_hostile_file_gives_a_bounded_list_and_is_still_refused() {
        let mut file = String::from("config wan 'w'\n");
        (0..500).for_each(|n| file.push_str(&format!(" option nonsense{n} '1'\n")));
        file.push_str(" option upload 'x'\n");
        let Err(faults) = load(file.as_bytes()) else { panic!("accepted") };
        assert_eq!(faults.len(), limits::FAULTS);
    }

    #[test]
    fn no_mutation_of_a_good_file_makes_the_reader_panic() {
        let file = b"config wan 'wan'\n option device 'eth0'\n option download '80mbit'\n list upload '1'\nconfig class 'x'\n option guarantee '5%'\n";
        let mut seed = 7u32;
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            seed
        };
        for _ in 0..20_000 {
            let mut bytes = file.to_vec();
            for _ in 0..1 + next() % 4 {
                let at = next() as usize % bytes.len();
                match next() % 3 {
                    0 => bytes[at] = next() as u8,
                    1 => drop(bytes.remove(at)),
                    _ => bytes.insert(at, b"'\"\\#; \n\t\0"[next() as usize % 9]),
                }
            }
            let _ = load(&bytes);
        }
    }
}
