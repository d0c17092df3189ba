// SPDX-License-Identifier: Apache-2.0
//! What the user wants, as checked types: text was checked once, at the door, and is not looked at again.
//!
//! `uci` knows the grammar, `options` knows every option there is, `read` makes a [`Config`] of both,
//! `link` knows the link layers, `network` which device a network of the system is, `suggest` which link layer fits it.
//! Read `/etc/config/weir`'s table in the README before adding an option.

pub mod altered;
mod check;
mod check_rule;
pub mod describe;
pub mod error;
pub mod link;
pub mod network;
pub mod options;
mod place;
pub mod read;
mod read_rule;
pub mod rule;
pub mod schedule;
pub mod service;
pub mod steer;
pub mod suggest;
pub mod threshold;
pub mod uci;
pub mod value;

use link::Cells;
use place::Place;
use read::Checked;
use steer::Probing;
pub use steer::Steer;
use threshold::{Deed, Gravity, Metric, Operator};

use crate::units::{Bytes, DeviceName, Dscp, Micros, Permille, Rate, Way};
use alloc::string::String;
use alloc::vec::Vec;

pub use error::{Fault, Severity};
pub use link::LinkLayer;
pub use rule::Rule;
pub use schedule::Schedule;
pub use threshold::Threshold;

/// Everything `/etc/config/weir` says, with the defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Settings of the whole program.
    pub globals: Globals,
    /// The lines to look after, in the order of the file.
    pub wans: Vec<Wan>,
    /// The traffic classes of every line and direction, in the order they are shown.
    pub classes: Vec<Class>,
    /// Which packets go to which class, in the order they are looked at: the user's own and those that are there anyway.
    pub rules: Vec<Rule>,
    /// When something is otherwise, in the order of the file.
    pub schedules: Vec<Schedule>,
    /// The service levels of the file.
    pub thresholds: Vec<Threshold>,
}

/// Settings of the whole program (section `globals`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Globals {
    /// Off: weir takes down what it set up and waits for a reload.
    pub enabled: bool,
    /// The least important messages that are written.
    pub log_level: LogLevel,
    /// Whether rules for well-known services hold.
    pub services: bool,
    /// Whether classes have service levels by themselves.
    pub levels: bool,
    /// How often at most what lines did is written down besides at the end; zero: never.
    pub keep_history: Micros,
}

/// How much is written to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the syslog levels of these names")]
pub enum LogLevel {
    Error,
    Warning,
    Info,
    Debug,
}

/// One internet line (section `wan`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wan {
    /// The section's name; what status and messages call this line.
    pub name: String,
    /// Off: this line is left alone.
    pub enabled: bool,
    /// The device packets leave by. `None`: found through `network`, or the default route's.
    pub device: Option<DeviceName>,
    /// The network of `/etc/config/network` this line is.
    pub network: Option<String>,
    /// Speed of arriving traffic. `None`: not known, not shaped.
    pub download: Option<Rate>,
    /// Speed of leaving traffic. `None`: not known, not shaped.
    pub upload: Option<Rate>,
    /// Where arriving traffic is shaped.
    pub download_on: DownloadOn,
    /// The LAN device for `download_on 'lan'`.
    pub lan: Option<DeviceName>,
    /// What one packet costs on this line beyond its bytes.
    pub link: LinkLayer,
    /// Whether the file says so.
    pub is_link_given: bool,
    /// Which queues do the shaping.
    pub engine: Engine,
    /// Replace another program's root qdisc.
    pub takeover: bool,
    /// Mark instead of drop where the sender can (fq_codel's `ecn`).
    pub ecn: bool,
    /// Whether super-packets (GRO, TSO) are switched off where HTB counts bytes.
    pub offloads: Offloads,
    /// In which directions the packets' own DSCP chooses the class.
    pub trust_dscp: Ways,
    /// In which directions the DSCP is cleared once packets are classified.
    pub wash: Ways,
    /// Whether IPv4 addresses of the LAN are replaced by the line's own.
    pub nat: bool,
    /// What only the CAKE engine knows.
    pub cake: CakeOptions,
    /// Whether and how its rates follow the line.
    pub steer: Steer,
}

/// Where arriving traffic is shaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DownloadOn {
    /// On an IFB device of ours, fed from the WAN's ingress.
    Ifb,
    /// On the LAN device's egress; traffic that did not come from the line stays unshaped.
    Lan,
    /// Not at all.
    None,
}

/// Which queues do the shaping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// HTB where the kernel has it with a fair leaf, else CAKE, else HTB with what there is.
    Auto,
    /// HTB classes with fq_codel (or sfq, or a plain fifo) leaves.
    Htb,
    /// CAKE, the classes mapped onto its tins.
    Cake,
}

/// What to do about super-packets, which HTB can only send whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offloads {
    /// Switched off on the WAN (and the LAN device) while HTB shapes at up to 100 Mbit/s; put back on stop.
    Auto,
    /// Always switched off while HTB shapes; put back on stop.
    Off,
    /// Never touched.
    Keep,
}

/// Some of the two directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the directions are their own explanation")]
pub enum Ways {
    None,
    Up,
    Down,
    Both,
}

/// One traffic class (section `class`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// The section's name.
    pub name: String,
    /// The share of the line this class always gets when it wants it.
    pub guarantee: Permille,
    /// The share of the line this class never exceeds.
    pub limit: Permille,
    /// Who is served first of what is left over; 0 is first, 7 last.
    pub priority: u8,
    /// The delay this class should stay below; shown and watched.
    pub target: Micros,
    /// Takes the packets no rule and no DSCP places elsewhere. Exactly one class does.
    pub is_default: bool,
    /// The DSCP its leaving packets are given.
    pub set_dscp_up: Option<Dscp>,
    /// The DSCP its arriving packets are given.
    pub set_dscp_down: Option<Dscp>,
    /// The CAKE tin that serves it.
    pub cake_tin: CakeTin,
}

/// The CAKE tin that serves a class, by diffserv4's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "CAKE's own words, see tc-cake(8)")]
pub enum CakeTin {
    Auto,
    Bulk,
    BestEffort,
    Video,
    Voice,
}

/// What only CAKE knows; `None` and `Auto` leave the choice to `tc::plan`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CakeOptions {
    /// The tins.
    pub diffserv: Diffserv,
    /// Look up addresses behind NAT for host fairness.
    pub nat: bool,
    /// Whom CAKE is fair to.
    pub isolation: Option<Isolation>,
    /// Drop superseded TCP ACKs (upload).
    pub ack_filter: AckFilter,
    /// Split super-packets. CAKE's own default below 1 Gbit/s is yes.
    pub split_gso: Option<bool>,
    /// The round trip CAKE expects of the internet.
    pub rtt: Micros,
    /// Most memory for queued packets; `None`: by the rate.
    pub memlimit: Option<Bytes>,
    /// Count dropped packets too, as a shaper on the receiving side should; `None`: on for download.
    pub ingress: Option<bool>,
    /// Take the tin from the firewall mark under this mask; 0: do not.
    pub fwmark: u32,
}

/// CAKE's tins (`diffserv` keyword).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "CAKE's own keywords, see tc-cake(8)")]
pub enum Diffserv {
    Diffserv3,
    Diffserv4,
    Diffserv8,
    Besteffort,
    Precedence,
}

/// Whom CAKE is fair to (flow isolation keyword).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "CAKE's own keywords, see tc-cake(8)")]
pub enum Isolation {
    Flowblind,
    Srchost,
    Dsthost,
    Hosts,
    Flows,
    DualSrchost,
    DualDsthost,
    TripleIsolate,
}

/// CAKE's ACK filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "CAKE's own keywords, see tc-cake(8)")]
pub enum AckFilter {
    Off,
    Filter,
    Aggressive,
}

/// Names for people and files, both ways; the table of options, the reader and the printer all take them from here.
macro_rules! words {
    ($type:ident: $($word:literal $value:ident),+) => {
        impl $type {
            /// What a file may say.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// As a file says it.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$value => $word),+ }
            }

            /// The one whose word stands at this place.
            fn at(n: usize) -> Option<Self> {
                [$(Self::$value),+].get(n).copied()
            }
        }

        impl Place for $type {
            fn put(&mut self, value: &mut Checked) {
                if let Checked::Choice(n) = value
                    && let Some(value) = Self::at(*n)
                {
                    *self = value;
                }
            }
        }
    };
}

words!(LogLevel: "error" Error, "warning" Warning, "info" Info, "debug" Debug);
words!(DownloadOn: "ifb" Ifb, "lan" Lan, "none" None);
words!(Engine: "auto" Auto, "htb" Htb, "cake" Cake);
words!(Offloads: "auto" Auto, "off" Off, "keep" Keep);
words!(Ways: "none" None, "up" Up, "down" Down, "both" Both);
words!(CakeTin: "auto" Auto, "bulk" Bulk, "besteffort" BestEffort, "video" Video, "voice" Voice);
words!(Diffserv: "besteffort" Besteffort, "precedence" Precedence, "diffserv3" Diffserv3, "diffserv4" Diffserv4,
    "diffserv8" Diffserv8);
words!(Isolation: "flowblind" Flowblind, "srchost" Srchost, "dsthost" Dsthost, "hosts" Hosts, "flows" Flows,
    "dual-srchost" DualSrchost, "dual-dsthost" DualDsthost, "triple-isolate" TripleIsolate);
words!(Cells: "none" None, "atm" Atm, "ptm" Ptm);
words!(Probing: "auto" Auto, "icmp" Icmp, "tcp" Tcp, "dns" Dns, "none" None);
words!(Metric: "latency" Latency, "loss" Loss, "share" Share, "utilisation" Utilisation, "drops" Drops, "marks" Marks,
    "throughput" Throughput, "capacity" Capacity);
words!(Operator: ">" Over, "<" Under, ">=" AtLeast, "<=" AtMost, "==" Equal);
words!(Gravity: "info" Info, "warning" Warning, "error" Error);
words!(Deed: "notify" Notify, "throttle" Throttle, "protect" Protect, "cap" Cap, "block" Block);
words!(AckFilter: "off" Off, "filter" Filter, "aggressive" Aggressive);

impl Default for Globals {
    fn default() -> Self {
        Self {
            enabled: true,
            log_level: LogLevel::Info,
            services: true,
            levels: true,
            keep_history: Micros(0),
        }
    }
}

impl Default for CakeOptions {
    fn default() -> Self {
        Self {
            diffserv: Diffserv::Diffserv4,
            nat: true,
            isolation: None,
            ack_filter: AckFilter::Off,
            split_gso: None,
            rtt: Micros::ms(100),
            memlimit: None,
            ingress: None,
            fwmark: 0,
        }
    }
}

impl Wan {
    /// A line of this name with every option at its default.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            enabled: true,
            device: None,
            network: None,
            download: None,
            upload: None,
            download_on: DownloadOn::Ifb,
            lan: None,
            link: LinkLayer::default(),
            is_link_given: false,
            engine: Engine::Auto,
            takeover: false,
            ecn: true,
            offloads: Offloads::Auto,
            trust_dscp: Ways::Up,
            wash: Ways::None,
            nat: true,
            cake: CakeOptions::default(),
            steer: Steer::default(),
        }
    }
}

impl Ways {
    /// Whether `way` is among them.
    pub const fn has(self, way: Way) -> bool {
        match self {
            Self::None => false,
            Self::Up => matches!(way, Way::Up),
            Self::Down => matches!(way, Way::Down),
            Self::Both => true,
        }
    }
}

impl Class {
    /// The DSCP its packets are given on this way.
    pub const fn set_dscp(&self, way: Way) -> Option<Dscp> {
        match way {
            Way::Up => self.set_dscp_up,
            Way::Down => self.set_dscp_down,
        }
    }

    /// The four classes there are without any `class` section.
    pub fn defaults() -> Vec<Self> {
        // Critical goes first but never takes more than half the line, so that nobody starves the house by marking
        // everything EF; the other three share what is left in proportion to their guarantees.
        let row = |name: &str, guarantee, limit, priority, target, is_default| Self {
            name: name.into(),
            guarantee: Permille::percent(guarantee),
            limit: Permille::percent(limit),
            priority,
            target: Micros::ms(target),
            is_default,
            set_dscp_up: None,
            set_dscp_down: None,
            cake_tin: CakeTin::Auto,
        };
        alloc::vec![
            row("critical", 30, 50, 0, 50, false),
            row("high", 20, 100, 1, 100, false),
            row("normal", 10, 100, 1, 200, true),
            row("low", 5, 100, 1, 500, false),
        ]
    }
}

/// What there is without any file: one line, the default route's device, no speeds yet, the four classes.
impl Default for Config {
    fn default() -> Self {
        Self {
            globals: Globals::default(),
            wans: alloc::vec![Wan::new("wan")],
            classes: Class::defaults(),
            rules: Rule::builtin(),
            schedules: Vec::new(),
            thresholds: Vec::new(),
        }
    }
}
