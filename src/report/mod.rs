// SPDX-License-Identifier: Apache-2.0
//! The one structure that everything shows: command line, ubus, exporters, web page.
//!
//! `text` writes it for people, `document` for programs. It claims nothing that was not looked at: a direction is
//! "shaped" only when the kernel has every piece of it now.

mod document;
mod fact;
pub mod planned;
pub mod ruled;
pub mod scheduled;
mod text;

pub use fact::Fact;

use crate::config::Config;
use crate::limits;
use crate::steer::Standing;
use crate::tc::cake::tin_names;
use crate::tc::diff::{Op, diff};
use crate::tc::plan::{Direction, Line, Plan};
use crate::tc::shape::class_handle;
use crate::tc::stats::Counters;
use crate::tc::{self, FilterKind, Link, QdiscKind, ROOT_MAJOR, Tree, shape, show};
use crate::units::{DeviceName, Handle, Rate, Way};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use scheduled::Scheduled;

/// How everything stands at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The program's version.
    pub version: &'static str,
    /// The lines, as in the configuration.
    pub lines: Vec<LineReport>,
    /// What the user should know, `(line, text)`.
    pub notes: Vec<(String, String)>,
    /// How schedules stand.
    pub schedules: Vec<Scheduled>,
    /// What is wrong now and what is done about it, as the daemon says.
    pub facts: Vec<Fact>,
}

/// How one line stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineReport {
    /// Its name.
    pub name: String,
    /// Its device.
    pub device: Option<DeviceName>,
    /// Whether the device is up; `None` if it is not there.
    pub is_up: Option<bool>,
    /// What a packet costs on it: the preset's name, overhead and mpu.
    pub link: (&'static str, i16, u16),
    /// What became of its probes; `None`: none are sent.
    pub probes: Option<String>,
    /// Leaving traffic.
    pub upload: DirectionReport,
    /// Arriving traffic.
    pub download: DirectionReport,
}

/// How one direction of a line stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectionReport {
    /// Where its queues are.
    pub device: Option<DeviceName>,
    /// What it is shaped to, if it can be.
    pub rate: Option<Rate>,
    /// Whether it has a speed, so that it should be shaped.
    pub is_wanted: bool,
    /// `htb` or `cake`.
    pub engine: Option<&'static str>,
    /// Why packets are *not* being shaped as wanted; `None`: they are.
    pub trouble: Option<String>,
    /// How the daemon steers it, if it does.
    pub steering: Option<Standing>,
    /// Packets that went out past all classes.
    pub direct_packets: u64,
    /// The classes, in the order of the configuration; with CAKE its tins and a row for all of it.
    pub classes: Vec<ClassReport>,
}

/// How one class of one direction stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassReport {
    /// Its name.
    pub name: String,
    /// Its guaranteed rate.
    pub rate: Rate,
    /// Its limit.
    pub ceil: Rate,
    /// What the class itself counted, bytes on the wire.
    pub class: Counters,
    /// What its leaf counted: drops and marks are CoDel's.
    pub leaf: Counters,
}

impl ClassReport {
    /// Packets lost, wherever they were lost.
    pub fn drops(&self) -> u64 {
        // HTB's own drops are those its leaf refused to take, which the leaf counts too.
        u64::from(self.leaf.drops.max(self.class.drops))
    }
}

/// What the kernel was seen to have.
pub struct Seen<'a> {
    /// The devices there are.
    pub links: &'a [Link],
    /// The traffic control on them.
    pub tree: &'a Tree,
    /// Counters by device index and handle.
    pub counters: &'a [(u32, Handle, Counters)],
}

/// Compares what is wanted with what was seen.
pub fn snapshot(config: &Config, plan: &Plan, seen: &Seen<'_>) -> Snapshot {
    let lines = plan.lines.iter().map(|line| LineReport {
        name: line.name.clone(),
        device: line.device,
        is_up: line.device.and_then(|device| seen.link(&device)).map(|link| link.is_up),
        link: (line.link.name, line.link.overhead, line.link.mpu),
        probes: None,
        upload: direction(config, plan, line, &line.upload, seen),
        download: direction(config, plan, line, &line.download, seen),
    });
    Snapshot {
        version: env!("CARGO_PKG_VERSION"),
        lines: lines.collect(),
        notes: plan.notes.clone(),
        schedules: Vec::new(),
        facts: Vec::new(),
    }
}

impl Seen<'_> {
    fn link(&self, name: &DeviceName) -> Option<&Link> {
        self.links.iter().find(|link| link.name == *name)
    }

    fn counters(&self, device: &DeviceName, handle: Handle) -> Counters {
        let index = self.link(device).map(|link| link.index);
        let is_it = |(i, h, _): &&(u32, Handle, Counters)| Some(*i) == index && *h == handle;
        self.counters.iter().find(is_it).map(|(.., counters)| *counters).unwrap_or_default()
    }
}

fn direction(config: &Config, plan: &Plan, line: &Line, way: &Direction, seen: &Seen<'_>) -> DirectionReport {
    match way {
        Direction::Off(reason) | Direction::Blocked(reason) => DirectionReport {
            device: None,
            rate: None,
            is_wanted: matches!(way, Direction::Blocked(_)),
            engine: None,
            trouble: Some(reason.clone()),
            steering: None,
            direct_packets: 0,
            classes: Vec::new(),
        },
        Direction::Shaped { device, rate, engine } => DirectionReport {
            device: Some(*device),
            rate: Some(*rate),
            is_wanted: true,
            engine: Some(engine),
            trouble: trouble(plan, line, device, seen),
            steering: None,
            direct_packets: 0,
            classes: classes(config, device, seen),
        },
    }
}

/// What keeps packets from being shaped as planned, if anything.
fn trouble(plan: &Plan, line: &Line, device: &DeviceName, seen: &Seen<'_>) -> Option<String> {
    let Some(link) = seen.link(device) else { return Some(format!("the device {device} is not there")) };
    let wan = line.device.and_then(|wan| seen.link(&wan));
    if let Some(down) = [Some(link), wan].into_iter().flatten().find(|link| !link.is_up) {
        return Some(format!("the device {} is down", down.name));
    }
    // The IFB's own tree, and the redirect that feeds it, are both part of this direction.
    let is_ours = |op: &&Op| match op {
        Op::AddIfb(name) | Op::SetUp(name) | Op::DeleteLink(name) => name == device,
        Op::Filter { filter, .. } if matches!(&filter.kind, FilterKind::Redirect { to } if to == device) => {
            true
        }
        Op::Qdisc { device: on, qdisc, .. } => on == device && !matches!(qdisc.kind, QdiscKind::Clsact),
        Op::Class { device: on, .. } => on == device,
        Op::Filter { device: on, filter, .. } => on == device && filter.parent != Handle::INGRESS_FILTERS,
    };
    let ops = diff(seen.tree, &plan.tree);
    let missing: Vec<&Op> =
        [&ops.links, &ops.create, &ops.turn, &ops.delete].into_iter().flatten().filter(is_ours).collect();
    let first = missing.first()?;
    let more = if missing.len() > 1 { format!(" and {} more", missing.len() - 1) } else { String::new() };
    Some(format!("not as planned: weir would {}{more}", show::describe(first)))
}

fn classes(config: &Config, device: &DeviceName, seen: &Seen<'_>) -> Vec<ClassReport> {
    let Some(have) = seen.tree.device(device) else { return Vec::new() };
    let root = Handle::new(ROOT_MAJOR, 0);
    if let Some(cake) = have.qdiscs.iter().find_map(|qdisc| match &qdisc.kind {
        QdiscKind::Cake(cake) if qdisc.handle == root => Some(cake),
        _ => None,
    }) {
        let counters = seen.counters(device, root);
        let all = ClassReport {
            name: "all".into(),
            rate: cake.bandwidth,
            ceil: cake.bandwidth,
            class: counters,
            leaf: counters,
        };
        let names = tin_names(cake.diffserv);
        let tins = (1..=8u16).zip(names).map(|(n, name)| {
            let counters = seen.counters(device, Handle::new(ROOT_MAJOR, n));
            ClassReport {
                name: name.to_string(),
                rate: Rate::from_bytes_per_sec(counters.threshold),
                ceil: cake.bandwidth,
                class: counters,
                leaf: counters,
            }
        });
        // Who is served first comes first, as with classes.
        let mut rows: Vec<ClassReport> = tins.collect();
        rows.reverse();
        rows.push(all);
        return rows;
    }
    let named = config
        .classes
        .iter()
        .enumerate()
        .map(|(n, class)| (class.name.as_str(), class_handle(&config.classes, n)));
    let beside = [("(icmp)", shape::icmp_handle(&config.classes)), ("(local)", shape::UNSHAPED)];
    let rows = named.chain(beside).filter_map(|(name, handle)| {
        let class = have.classes.iter().find(|class| class.handle == handle)?;
        // Classes follow a line that is steered in steps (`tc::speed`) and may be made for a little more than it has now,
        // but nothing gets more than what is above it (htb_class_mode, htb_add_to_wait_tree).
        let is_line = |above: &&tc::Class| above.handle == shape::LINE && handle != shape::UNSHAPED;
        let most = have.classes.iter().find(is_line).map_or(class.ceil, |line| line.ceil);
        Some(ClassReport {
            name: name.to_string(),
            rate: class.rate.min(most),
            ceil: class.ceil.min(most),
            class: seen.counters(device, handle),
            leaf: seen.counters(device, shape::leaf_handle(handle)),
        })
    });
    rows.collect()
}

impl Snapshot {
    /// Of no line at all; `why`.
    pub fn empty(why: &str) -> Self {
        let notes = alloc::vec![("weir".into(), why.into())];
        let (lines, schedules, facts) = (Vec::new(), Vec::new(), Vec::new());
        Self { version: env!("CARGO_PKG_VERSION"), lines, notes, schedules, facts }
    }

    /// Adds what the daemon says about lines it steers: how they stand, and of some what became of their probes.
    pub fn steered(&mut self, standings: Vec<Standing>, probes: Vec<(usize, String)>) {
        for (place, text) in probes {
            if let Some(line) = self.lines.get_mut(place) {
                line.probes = Some(text);
            }
        }
        for standing in standings {
            let Some(line) = self.lines.get_mut(standing.place) else { continue };
            let way = match standing.way {
                Way::Up => &mut line.upload,
                Way::Down => &mut line.download,
            };
            // What was planned may be older than the last rate.
            if way.rate.is_some() {
                way.rate = Some(standing.speed.line);
            }
            way.steering = Some(standing);
        }
    }

    /// Leaves the classes out if there are more of them than [`limits::UBUS_ROWS`]; says whether it did.
    pub fn shorten(&mut self) -> bool {
        let ways = || self.lines.iter().flat_map(|line| [&line.upload, &line.download]);
        // A fact takes as much as three of them.
        let rows = ways().map(|way| way.classes.len()).sum::<usize>() + 3 * self.facts.len();
        let is_long = rows > limits::UBUS_ROWS;
        for line in self.lines.iter_mut().filter(|_| is_long) {
            line.upload.classes.clear();
            line.download.classes.clear();
        }
        is_long
    }

    /// Whether every direction that should be shaped is, and there is at least one.
    pub fn is_shaping(&self) -> bool {
        let ways = || self.lines.iter().flat_map(|line| [&line.upload, &line.download]);
        ways().any(|way| way.is_wanted) && ways().all(|way| !way.is_wanted || way.trouble.is_none())
    }
}

/// To three digits: people compare rates, and the column stays narrow. JSON has them all.
pub fn about(rate: Rate) -> Rate {
    let bits = rate.bits_per_sec();
    let unit = 10u64.pow(bits.checked_ilog10().unwrap_or(0).saturating_sub(2));
    Rate::bits(bits.saturating_add(unit / 2) / unit * unit)
}
