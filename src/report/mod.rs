// SPDX-License-Identifier: Apache-2.0
//! The one structure that everything shows: command line, ubus, exporters, web page.
//!
//! `text` writes it for people, `document` for programs. It claims nothing that was not looked at: a direction is
//! "shaped" only when the kernel has every piece of it now.

mod document;
mod fact;
pub mod hits;
pub mod planned;
pub mod ruled;
pub mod scheduled;
mod size;
mod text;
mod told;

pub use fact::Fact;
#[cfg(feature = "std")]
pub(crate) use told::write_fault;
pub use told::{Delay, Taken, Told};

use crate::config::{self, Config};
use crate::limits;
use crate::steer::{Probed, Standing};
use crate::tc::Cake;
use crate::tc::cake::tin_names;
use crate::tc::classifier::{cake_tin, tin};
use crate::tc::diff::{Op, diff};
use crate::tc::plan::{Direction, Line, Plan};
use crate::tc::shape::class_handle;
use crate::tc::stats::Counters;
use crate::tc::{self, FilterKind, Link, QdiscKind, ROOT_MAJOR, Tree, shape, show};
use crate::text::joined;
use crate::units::{DeviceName, Handle, Micros, Permille, Rate, Way};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use scheduled::Scheduled;
use size::Size;

/// How everything stands at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The program's version.
    pub version: &'static str,
    /// For how long the daemon has been running; `None`: none does.
    pub uptime: Option<Micros>,
    /// The configuration's path.
    pub path: String,
    /// What the daemon made of it; `None`: none has read it.
    pub taken: Option<Taken>,
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
    pub probing: Option<Probed>,
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
    /// What it is promised and the most it gets, of the whole; `None`: it is no class of the configuration.
    pub shares: Option<(Permille, Permille)>,
    /// How long its packets may wait.
    pub target: Option<Micros>,
    /// How long they wait, in its queue and on the line; `None`: nothing came, or it is not known.
    pub delay: Option<Micros>,
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
        probing: None,
        upload: direction(config, plan, line, &line.upload, seen),
        download: direction(config, plan, line, &line.download, seen),
    });
    Snapshot {
        version: env!("CARGO_PKG_VERSION"),
        uptime: None,
        path: String::new(),
        taken: None,
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
            shares: None,
            target: None,
            delay: None,
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
                shares: None,
                target: tin_target(config, cake, n),
                delay: None,
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
        .map(|(n, class)| (class.name.as_str(), class_handle(&config.classes, n), Some(class)));
    let beside = [("(icmp)", shape::icmp_handle(&config.classes), None), ("(local)", shape::UNSHAPED, None)];
    let rows = named.chain(beside).filter_map(|(name, handle, configured)| {
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
            shares: configured.map(|class| (class.guarantee, class.limit)),
            target: configured.map(|class| class.target),
            delay: None,
        })
    });
    rows.collect()
}

/// How long packets of a tin may wait: as long as those of its most impatient class.
fn tin_target(config: &Config, cake: &Cake, number: u16) -> Option<Micros> {
    let is_in =
        |class: &&config::Class| tin(cake.diffserv, cake_tin(class)).is_some_and(|tin| tin.minor() == number);
    config.classes.iter().filter(is_in).map(|class| class.target).min()
}

impl LineReport {
    fn way(&mut self, way: Way) -> &mut DirectionReport {
        match way {
            Way::Up => &mut self.upload,
            Way::Down => &mut self.download,
        }
    }
}

impl Snapshot {
    /// Of no line at all; `why`.
    pub fn empty(why: &str) -> Self {
        let notes = alloc::vec![("weir".into(), why.into())];
        let (lines, schedules, facts) = (Vec::new(), Vec::new(), Vec::new());
        let (version, path) = (env!("CARGO_PKG_VERSION"), String::new());
        Self { version, uptime: None, path, taken: None, lines, notes, schedules, facts }
    }

    /// Adds what the daemon says.
    pub fn add(&mut self, told: Told) {
        let Told { standings, probing, delays, facts, uptime, taken } = told;
        (self.facts, self.uptime, self.taken) = (facts, uptime, taken);
        for (place, probing) in probing {
            if let Some(line) = self.lines.get_mut(place) {
                line.probing = Some(probing);
            }
        }
        for Delay { place, way, time, name } in delays {
            let rows = self.lines.get_mut(place).map(|line| &mut line.way(way).classes);
            if let Some(row) = rows.and_then(|rows| rows.iter_mut().find(|row| row.name == name)) {
                row.delay = Some(time);
            }
        }
        for standing in standings {
            let Some(line) = self.lines.get_mut(standing.place) else { continue };
            let way = line.way(standing.way);
            // What was planned may be older than the last rate.
            if way.rate.is_some() {
                way.rate = Some(standing.speed.line);
            }
            way.steering = Some(standing);
        }
    }

    /// Leaves the classes out if no answer on the bus has room for them; says whether it did.
    pub fn shorten(&mut self) -> bool {
        let mut size = Size::default();
        self.write_first(&mut size);
        let is_long = size.0 > limits::UBUS_ANSWER;
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
    Rate::bits(three_digits(rate.bits_per_sec()))
}

/// That there is no line of this name, with those there are.
pub fn no_line(line: &str, names: &[&str]) -> String {
    match names {
        [] => format!("there is no line '{line}', for no configuration is in force"),
        _ => format!("there is no line '{line}'; there is: {}", joined(names, ", ")),
    }
}

/// A number to three digits.
pub(crate) fn three_digits(number: u64) -> u64 {
    let unit = 10u64.pow(number.checked_ilog10().unwrap_or(0).saturating_sub(2));
    number.saturating_add(unit / 2) / unit * unit
}
