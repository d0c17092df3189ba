// SPDX-License-Identifier: Apache-2.0
//! The one structure that everything shows: command line, ubus, exporters, web page.
//!
//! It claims nothing that was not looked at: a direction is "shaped" only when the kernel has every piece of it now.

use crate::config::Config;
use crate::json::Json;
use crate::steer::Standing;
use crate::tc::cake::tin_names;
use crate::tc::diff::{Op, diff};
use crate::tc::plan::{Direction, Line, Plan};
use crate::tc::shape::class_handle;
use crate::tc::stats::Counters;
use crate::tc::{FilterKind, Link, QdiscKind, ROOT_MAJOR, Tree, shape, show};
use crate::units::{DeviceName, Handle, Rate, Way};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write};

/// How everything stands at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The program's version.
    pub version: &'static str,
    /// The lines, as in the configuration.
    pub lines: Vec<LineReport>,
    /// What the user should know, `(line, text)`.
    pub notes: Vec<(String, String)>,
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
    let lines = plan.lines.iter().zip(&config.wans).map(|(line, wan)| LineReport {
        name: line.name.clone(),
        device: line.device,
        is_up: line.device.and_then(|device| seen.link(&device)).map(|link| link.is_up),
        link: (wan.link.name, wan.link.overhead, wan.link.mpu),
        probes: None,
        upload: direction(config, plan, line, &line.upload, seen),
        download: direction(config, plan, line, &line.download, seen),
    });
    Snapshot { version: env!("CARGO_PKG_VERSION"), lines: lines.collect(), notes: plan.notes.clone() }
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
        Some(ClassReport {
            name: name.to_string(),
            rate: class.rate,
            ceil: class.ceil,
            class: seen.counters(device, handle),
            leaf: seen.counters(device, shape::leaf_handle(handle)),
        })
    });
    rows.collect()
}

impl Snapshot {
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
            way.steering = Some(standing);
        }
    }

    /// Whether every direction that should be shaped is, and there is at least one.
    pub fn is_shaping(&self) -> bool {
        let ways = || self.lines.iter().flat_map(|line| [&line.upload, &line.download]);
        ways().any(|way| way.is_wanted) && ways().all(|way| !way.is_wanted || way.trouble.is_none())
    }

    /// For people: at most 80 columns, units written, columns aligned.
    ///
    /// # Errors
    /// The writer's.
    pub fn write_text(&self, out: &mut impl Write) -> fmt::Result {
        for (n, line) in self.lines.iter().enumerate() {
            if n > 0 {
                writeln!(out)?;
            }
            write_line(line, out)?;
        }
        for (line, text) in &self.notes {
            writeln!(out, "\nnote: {line}: {text}")?;
        }
        Ok(())
    }

    /// For programs: stable names with their units, described in `docs/status.schema.json`.
    ///
    /// # Errors
    /// The writer's.
    pub fn write_json(&self, out: &mut impl Write) -> fmt::Result {
        Json::new(out).object("", |json| {
            json.text("version", self.version)?;
            json.plain("shaping", self.is_shaping())?;
            json.array("lines", |json| self.lines.iter().try_for_each(|line| json_line(line, json)))?;
            json.array("notes", |json| {
                self.notes.iter().try_for_each(|(line, text)| {
                    json.object("", |json| {
                        json.text("line", line)?;
                        json.text("text", text)
                    })
                })
            })
        })
    }
}

fn write_line(line: &LineReport, out: &mut impl Write) -> fmt::Result {
    let device = line.device.map_or("no device".to_string(), |device| device.to_string());
    let state = match line.is_up {
        Some(true) => "up",
        Some(false) => "down",
        None => "not there",
    };
    let (name, overhead, mpu) = line.link;
    writeln!(out, "{}: {device} ({state}), link {name}: overhead {overhead}, mpu {mpu}", line.name)?;
    if let Some(probes) = &line.probes {
        writeln!(out, "  probes   {probes}")?;
    }
    for (label, way) in [("upload", &line.upload), ("download", &line.download)] {
        write!(out, "  {label:<9}")?;
        match (&way.rate, &way.trouble) {
            (Some(rate), None) => {
                let (engine, device) = (way.engine.unwrap_or_default(), way.device.map(|d| d.to_string()));
                writeln!(out, "shaped to {rate} by {engine} on {}", device.unwrap_or_default())?;
            }
            (Some(rate), Some(trouble)) => writeln!(out, "NOT SHAPED (wanted {rate}): {trouble}")?,
            (None, trouble) => {
                let word = if way.is_wanted { "NOT SHAPED" } else { "not shaped" };
                writeln!(out, "{word}: {}", trouble.as_deref().unwrap_or_default())?;
            }
        }
        if let Some(steering) = &way.steering {
            writeln!(out, "            {}", steering.text)?;
        }
        if way.classes.is_empty() {
            continue;
        }
        let heads = ["class", "guaranteed", "limit", "sent", "packets", "dropped", "marked", "waiting"];
        let [class, rate, limit, sent, packets, dropped, marked, waiting] = heads;
        // Both directions alike, so that their columns stand below each other.
        let ways = [&line.upload, &line.download].into_iter();
        let names = ways.flat_map(|way| &way.classes).map(|row| shown(&row.name).chars().count() + 1);
        let width = names.max().unwrap_or(0).max(9);
        writeln!(
            out,
            "    {class:<width$}{rate:>12}{limit:>12}{sent:>10}{packets:>9}{dropped:>8}{marked:>7}{waiting:>9}"
        )?;
        for row in &way.classes {
            writeln!(
                out,
                "    {:<width$}{:>12}{:>12}{:>10}{:>9}{:>8}{:>7}{:>9}",
                shown(&row.name),
                about(row.rate).to_string(),
                about(row.ceil).to_string(),
                crate::units::Bytes(row.class.bytes).to_string(),
                row.class.packets,
                row.drops(),
                row.leaf.marks,
                crate::units::Bytes(u64::from(row.class.backlog_bytes.max(row.leaf.backlog_bytes)))
                    .to_string(),
            )?;
        }
    }
    Ok(())
}

/// CAKE's longest name would be wider than its column.
fn shown(name: &str) -> &str {
    if name == "besteffort" { "best" } else { name }
}

/// To three digits: people compare rates, and the column stays narrow. JSON has them all.
pub fn about(rate: Rate) -> Rate {
    let bits = rate.bits_per_sec();
    let unit = 10u64.pow(bits.checked_ilog10().unwrap_or(0).saturating_sub(2));
    Rate::bits(bits.saturating_add(unit / 2) / unit * unit)
}

fn json_line<W: Write>(line: &LineReport, json: &mut Json<'_, W>) -> fmt::Result {
    json.object("", |json| {
        json.text("name", &line.name)?;
        match line.device {
            Some(device) => json.text("device", device.as_str())?,
            None => json.plain("device", "null")?,
        }
        json.maybe("up", line.is_up)?;
        let (name, overhead, mpu) = line.link;
        json.object("link", |json| {
            json.text("name", name)?;
            json.plain("overhead_bytes", overhead)?;
            json.plain("mpu_bytes", mpu)
        })?;
        match &line.probes {
            Some(probes) => json.text("probes", probes)?,
            None => json.plain("probes", "null")?,
        }
        json_direction("upload", &line.upload, json)?;
        json_direction("download", &line.download, json)
    })
}

fn json_direction<W: Write>(key: &str, way: &DirectionReport, json: &mut Json<'_, W>) -> fmt::Result {
    json.object(key, |json| {
        json.plain("wanted", way.is_wanted)?;
        json.plain("shaped", way.rate.is_some() && way.trouble.is_none())?;
        match &way.trouble {
            Some(reason) => json.text("reason", reason)?,
            None => json.plain("reason", "null")?,
        }
        match &way.device {
            Some(device) => json.text("device", device.as_str())?,
            None => json.plain("device", "null")?,
        }
        match way.engine {
            Some(engine) => json.text("engine", engine)?,
            None => json.plain("engine", "null")?,
        }
        json.maybe("rate_bps", way.rate.map(Rate::bits_per_sec))?;
        match &way.steering {
            Some(steering) => json.object("steering", |json| {
                json.text("text", &steering.text)?;
                json.maybe("capacity_bps", steering.capacity.map(Rate::bits_per_sec))?;
                json.maybe("wait_us", steering.wait.map(|wait| wait.0))
            })?,
            None => json.plain("steering", "null")?,
        }
        json.array("classes", |json| {
            way.classes.iter().try_for_each(|row| {
                json.object("", |json| {
                    json.text("name", &row.name)?;
                    json.plain("rate_bps", row.rate.bits_per_sec())?;
                    json.plain("ceil_bps", row.ceil.bits_per_sec())?;
                    json.plain("sent_bytes", row.class.bytes)?;
                    json.plain("sent_packets", row.class.packets)?;
                    json.plain("dropped_packets", row.drops())?;
                    json.plain("marked_packets", row.leaf.marks)?;
                    json.plain("overlimits", row.class.overlimits)?;
                    json.plain("backlog_bytes", row.class.backlog_bytes.max(row.leaf.backlog_bytes))?;
                    json.plain("backlog_packets", row.class.backlog_packets.max(row.leaf.backlog_packets))
                })
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_with_a_long_name_does_not_break_the_columns_and_the_usual_ones_fit_a_terminal() {
        for (name, most) in [("critical", 80), ("a_class_with_a_rather_long_name", 120)] {
            let probes = "6 of 6 reflectors answer; 123456 sent, 1234 lost, 12 late, 1 forged";
            let row = |name: &str| ClassReport {
                name: name.into(),
                rate: Rate::kbit(237),
                ceil: Rate::kbit(4750),
                class: Counters::default(),
                leaf: Counters::default(),
            };
            let way = DirectionReport {
                device: DeviceName::new("eth0"),
                rate: Some(Rate::kbit(4750)),
                is_wanted: true,
                engine: Some("htb"),
                trouble: None,
                steering: None,
                direct_packets: 0,
                classes: alloc::vec![row(name), row("low"), row("(local)")],
            };
            let link = ("ethernet", 38, 84);
            let (upload, download) =
                (way.clone(), DirectionReport { classes: alloc::vec![row("low")], ..way });
            let line = LineReport {
                name: "w".into(),
                device: None,
                is_up: None,
                link,
                probes: Some(probes.into()),
                upload,
                download,
            };
            let mut out = String::new();
            write_line(&line, &mut out).expect("a String takes everything");
            assert!(out.contains("\n  probes   6 of") && probes.len() <= 69, "{out}");
            let rows: Vec<&str> = out.lines().filter(|line| line.starts_with("    ")).collect();
            assert_eq!(rows.len(), 6, "{out}");
            assert!(rows.iter().all(|row| row.len() == rows[0].len() && row.len() <= most), "{out}");
        }
    }

    #[test]
    fn rates_are_shown_to_three_digits() {
        let shown = |bits| about(Rate::bits(bits)).to_string();
        assert_eq!(shown(2_375_000), "2.38 Mbit/s");
        assert_eq!(shown(237_496), "237 kbit/s");
        assert_eq!(shown(999_999), "1 Mbit/s");
        assert_eq!((shown(7), shown(0)), ("7 bit/s".into(), "0 bit/s".into()));
    }
}
