// SPDX-License-Identifier: Apache-2.0
//! What the user says about a line that steers itself: whether, within which bounds, and who is asked how long an
//! answer takes.

use super::check::line_of;
use super::error::Faults;
use super::uci::Section;
use super::{DownloadOn, Wan, value};
use crate::units::{Micros, Rate, Way};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

/// What concerns steering, of one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steer {
    /// Whether rates follow the line. `None`: where no speed is given, or bounds are.
    pub adapt: Option<bool>,
    /// The wait in the line that is aimed at; `None`: found out.
    pub target: Option<Micros>,
    /// Upload's bounds.
    pub up: Limits,
    /// Download's bounds.
    pub down: Limits,
    /// Whom to ask, before the built-in ones; these alone if there are any.
    pub reflectors: Vec<Far>,
    /// How they are asked.
    pub probe: Probing,
}

/// The bounds of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Never below this.
    pub min: Option<Rate>,
    /// Never above this; `None`: the configured speed, if there is one.
    pub max: Option<Rate>,
}

/// Somebody to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Far {
    /// By address.
    Address(IpAddr),
    /// By name.
    Name(String),
}

/// How reflectors are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Probing {
    /// ICMP, where that is not answered TCP, and DNS at last.
    #[default]
    Auto,
    /// ICMP alone.
    Icmp,
    /// TCP connections alone.
    Tcp,
    /// DNS alone.
    Dns,
    /// Nobody is asked: counters alone steer.
    None,
}

impl fmt::Display for Far {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// An address, or a name as the DNS has them.
pub(super) fn far(text: &str) -> Result<Far, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        let is_nobody = address.is_unspecified() || address.is_multicast() || address.is_loopback();
        if is_nobody || address == IpAddr::from([255; 4]) {
            return Err(format!("{address} is nobody out there who could answer"));
        }
        return Ok(Far::Address(address));
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_name = name.len() <= 253 && name.contains('.') && name.split('.').all(is_label);
    // What ends in a number is a mistyped address (RFC 3696 has no such domain).
    let is_address = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    if is_name && !is_address {
        return Ok(Far::Name(name.into()));
    }
    Err(format!("{} is neither an address nor a name such as dns.example.net", value::Quoted(text)))
}

impl Wan {
    /// The configured speed of a direction.
    pub const fn speed(&self, way: Way) -> Option<Rate> {
        match way {
            Way::Up => self.upload,
            Way::Down => self.download,
        }
    }

    /// The bounds of a direction.
    pub const fn limits(&self, way: Way) -> Limits {
        match way {
            Way::Up => self.steer.up,
            Way::Down => self.steer.down,
        }
    }

    /// Whether the rate of a direction follows the line.
    pub fn steers(&self, way: Way) -> bool {
        let can = way == Way::Up || self.download_on != DownloadOn::None;
        let has_limits = self.limits(way) != Limits::default();
        let is_unknown = self.upload.is_none() && self.download.is_none();
        can && self.steer.adapt.unwrap_or(has_limits || is_unknown)
    }

    /// Whether a direction is to be shaped.
    pub fn is_wanted(&self, way: Way) -> bool {
        self.speed(way).is_some() || self.steers(way)
    }
}

/// Bounds that contradict each other, and options that do nothing.
pub(super) fn check(wan: &Wan, section: &Section, faults: &mut Faults) {
    for (way, [min_name, max_name, speed_name]) in [
        (Way::Up, ["upload_min", "upload_max", "upload"]),
        (Way::Down, ["download_min", "download_max", "download"]),
    ] {
        let Limits { min, max } = wan.limits(way);
        let pairs = [
            (min, min_name, max, max_name),
            (min, min_name, wan.speed(way), speed_name),
            (wan.speed(way), speed_name, max, max_name),
        ];
        for (low, low_name, high, high_name) in pairs {
            if let (Some(low), Some(high)) = (low, high)
                && low > high
            {
                let text = format!("{low} is above option '{high_name}', {high}");
                faults.fault(line_of(section, low_name), low_name, text);
                break;
            }
        }
    }
    const ALL: [&str; 7] =
        ["latency_target", "upload_min", "upload_max", "download_min", "download_max", "reflector", "probe"];
    let is_fixed = Way::ALL.iter().all(|way| !wan.steers(*way));
    for option in ALL.iter().filter_map(|name| section.option(name)) {
        if wan.download_on == DownloadOn::None && option.name.starts_with("download") {
            faults.warn(option.line, &option.name, "not used: 'download_on' is 'none'");
        } else if is_fixed {
            let text = "not used: the line keeps its speeds; set option 'adapt' to 1 to let them follow it";
            faults.warn(option.line, &option.name, text);
        }
    }
    if is_fixed {
        if wan.enabled && Way::ALL.iter().all(|way| wan.speed(*way).is_none()) {
            let text =
                "nothing is shaped: there is no speed to keep; set 'download' and 'upload', or 'adapt' to 1";
            faults.warn(line_of(section, "adapt"), "adapt", text);
        }
    } else if wan.steer.probe == Probing::None && !wan.steer.reflectors.is_empty() {
        faults.warn(line_of(section, "reflector"), "reflector", "not used: 'probe' is 'none'");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reflectors_are_addresses_or_names() {
        for good in ["9.9.9.9", "2620:fe::fe", "dns.example.net", "a-b.example.", "_x.example.org"] {
            assert!(far(good).is_ok(), "{good}");
        }
        for bad in [
            "0.0.0.0",
            "::1",
            "224.0.0.1",
            "255.255.255.255",
            "",
            ".",
            "9.9.9",
            "9.9.9.999",
            "host",
            "a..b",
            "-a.example",
            "a b.example",
            "a.example:53",
            "ä.example",
        ] {
            assert!(far(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_line_without_speeds_steers_itself_and_one_with_speeds_when_told() {
        let steers = |wan: &Wan| [wan.steers(Way::Up), wan.steers(Way::Down)];
        let mut wan = Wan::new("wan");
        assert_eq!(steers(&wan), [true, true]);
        wan.upload = Some(Rate::mbit(10));
        assert_eq!(steers(&wan), [false, false], "what has a speed keeps it, what has none is not shaped");
        wan.steer.down.max = Some(Rate::mbit(50));
        assert_eq!(steers(&wan), [false, true], "bounds are for a line that moves");
        wan.steer.adapt = Some(true);
        assert_eq!(steers(&wan), [true, true]);
        wan.download_on = DownloadOn::None;
        assert_eq!(steers(&wan), [true, false]);
        wan.steer.adapt = Some(false);
        assert_eq!(steers(&wan), [false, false]);
    }
}
