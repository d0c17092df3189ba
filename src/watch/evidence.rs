// SPDX-License-Identifier: Apache-2.0
//! What the doctor looks at, as it was read: texts of files, and what the other commands know already.
//!
//! Nothing here is required. What could not be read is empty, and the check that needs it says so.

use crate::config::uci::{self, Package};
use crate::config::{Config, Fault};
use crate::report::Snapshot;
use crate::tc::Tree;
use crate::tc::plan::{Plan, World};
use crate::units::DeviceName;
use alloc::string::String;
use alloc::vec::Vec;

/// A file that is read, by its place in [`FILES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "FILES says which each is")]
pub enum File {
    Stat,
    Own,
    Status,
    Firewall,
    Network,
    Mwan3,
    Pbr,
    Flows,
    Bus,
    OldBus,
    Acl,
    Release,
    Model,
    Kernel,
    Memory,
    Boot,
    Sysntpd,
    Chronyd,
    /// The first of the other shapers' starts and configurations; they are the last of all.
    Shapers,
}

/// Which files are read. A question mark is the daemon's process where a slash follows, else any two digits.
pub const FILES: [&str; 32] = [
    "/proc/stat",
    "/proc/?/stat",
    "/proc/?/status",
    "/etc/config/firewall",
    "/etc/config/network",
    "/etc/config/mwan3",
    "/etc/config/pbr",
    "/proc/net/nf_conntrack",
    "/var/run/ubus/ubus.sock",
    "/var/run/ubus.sock",
    "/usr/share/rpcd/acl.d/weir.json",
    "/etc/openwrt_release",
    "/tmp/sysinfo/model",
    "/proc/sys/kernel/osrelease",
    "/proc/meminfo",
    "/etc/rc.d/S?weir",
    "/etc/rc.d/S?sysntpd",
    "/etc/rc.d/S?chronyd",
    "/etc/rc.d/S?sqm",
    "/etc/config/sqm",
    "/etc/rc.d/S?qosify",
    "/etc/config/qosify",
    "/etc/rc.d/S?qosmate",
    "/etc/config/qosmate",
    "/etc/rc.d/S?qos",
    "/etc/config/qos",
    "/etc/rc.d/S?nft-qos",
    "/etc/config/nft-qos",
    "/etc/rc.d/S?cake-autorate",
    "/etc/config/cake-autorate",
    "/etc/rc.d/S?qos_gargoyle",
    "/etc/config/qos_gargoyle",
];

/// The first files of [`FILES`] again, a second later: they tell how busy the processor was meanwhile.
pub const SAMPLED: usize = 2;

/// What is wanted, and what the kernel has.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is what its type says")]
pub struct Lines<'a> {
    pub config: &'a Config,
    pub plan: &'a Plan,
    pub world: &'a World,
    pub tree: &'a Tree,
    pub report: &'a Snapshot,
}

/// All of it. What is not the files' is known to whoever calls the doctor.
#[derive(Clone, Debug, Default)]
pub struct Evidence<'a> {
    /// The configuration's file.
    pub path: String,
    /// What is wrong with it.
    pub faults: &'a [Fault],
    /// Whether a daemon runs; `None`: one does, and does not answer.
    pub is_running: Option<bool>,
    /// Its process.
    pub pid: Option<u32>,
    /// Devices that still merge packets although they should not.
    pub merging: Vec<DeviceName>,
    /// The lines, unless the configuration is refused or the kernel could not be asked.
    pub lines: Option<Lines<'a>>,
    /// The texts of [`FILES`].
    pub files: Vec<String>,
    /// The texts of the first [`SAMPLED`] of them, a second later; none: nobody waited.
    pub later: Vec<String>,
    /// The clock of the day, in seconds since 1970.
    pub seconds: u64,
}

impl Evidence<'_> {
    /// The text of a file; empty: it is not there, or cannot be read.
    pub fn text(&self, file: File) -> &str {
        self.files.get(file as usize).map_or("", String::as_str)
    }

    /// Whether there is such a file.
    pub fn has(&self, file: File) -> bool {
        !self.text(file).is_empty()
    }

    /// A file of UCI; without sections: it is not there, or is none.
    pub fn package(&self, file: File) -> Package {
        uci::parse(self.text(file).as_bytes()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_a_file_is_that_files() {
        for (file, part) in [
            (File::Stat, "/proc/stat"),
            (File::Status, "/?/status"),
            (File::Firewall, "firewall"),
            (File::Network, "network"),
            (File::Mwan3, "mwan3"),
            (File::Pbr, "pbr"),
            (File::Flows, "conntrack"),
            (File::Bus, "ubus/ubus.sock"),
            (File::OldBus, "run/ubus.sock"),
            (File::Acl, "acl.d"),
            (File::Release, "release"),
            (File::Model, "model"),
            (File::Kernel, "osrelease"),
            (File::Memory, "meminfo"),
            (File::Boot, "S?weir"),
            (File::Sysntpd, "sysntpd"),
            (File::Chronyd, "chronyd"),
            (File::Shapers, "S?sqm"),
        ] {
            assert!(FILES[file as usize].contains(part), "{file:?}");
        }
        assert_eq!((File::Stat as usize, File::Own as usize), (0, SAMPLED - 1));
        for pair in FILES[File::Shapers as usize..].chunks(2) {
            let [start, config] = pair else { panic!("not two of {pair:?}") };
            assert_eq!(start.strip_prefix("/etc/rc.d/S?"), config.strip_prefix("/etc/config/"));
        }
    }
}
