// SPDX-License-Identifier: Apache-2.0
//! A report for people.

use super::{LineReport, Snapshot, about, three_digits};
use crate::units::Micros;
use alloc::string::{String, ToString};
use core::fmt::{self, Write};

impl Snapshot {
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
        let gap = if self.schedules.is_empty() { "" } else { "\n" };
        out.write_str(gap)?;
        for schedule in &self.schedules {
            writeln!(out, "schedule {}: {}", schedule.name, schedule.text)?;
        }
        for fact in &self.facts {
            writeln!(out, "\n{}", fact.sentence())?;
        }
        for (line, text) in &self.notes {
            // What is said of all lines is of the program itself.
            let (of, gap) = if line == "weir" { ("", "") } else { (line.as_str(), ": ") };
            writeln!(out, "\nnote: {of}{gap}{text}")?;
        }
        Ok(())
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
    if let Some(probes) = &line.probing {
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
        let heads = ["class", "guaranteed", "limit", "sent", "dropped", "marked", "waiting", "delay"];
        let [class, rate, limit, sent, dropped, marked, waiting, delay] = heads;
        // Both directions alike, so that their columns stand below each other.
        let ways = [&line.upload, &line.download].into_iter();
        let names = ways.flat_map(|way| &way.classes).map(|row| shown(&row.name).chars().count() + 1);
        let width = names.max().unwrap_or(0).max(9);
        writeln!(
            out,
            "    {class:<width$}{rate:>12}{limit:>12}{sent:>10}{dropped:>8}{marked:>7}{waiting:>10}{delay:>8}"
        )?;
        for row in &way.classes {
            writeln!(
                out,
                "    {:<width$}{:>12}{:>12}{:>10}{:>8}{:>7}{:>10}{:>8}",
                shown(&row.name),
                about(row.rate).to_string(),
                about(row.ceil).to_string(),
                crate::units::Bytes(row.class.bytes).to_string(),
                row.drops(),
                row.leaf.marks,
                crate::units::Bytes(u64::from(row.class.backlog_bytes.max(row.leaf.backlog_bytes)))
                    .to_string(),
                row.delay.map_or("-".to_string(), waits),
            )?;
        }
    }
    Ok(())
}

/// To three digits, and no more than a minute: the column stays narrow.
fn waits(time: Micros) -> String {
    Micros(three_digits(time.0.min(59_900_000))).to_string()
}

/// CAKE's longest name would be wider than its column.
fn shown(name: &str) -> &str {
    if name == "besteffort" { "best" } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{ClassReport, DirectionReport};
    use crate::steer::Probed;
    use crate::tc::stats::Counters;
    use crate::units::{DeviceName, Rate};

    #[test]
    fn a_class_with_a_long_name_does_not_break_the_columns_and_the_usual_ones_fit_a_terminal() {
        for (name, most) in [("critical", 80), ("a_class_with_a_rather_long_name", 120)] {
            let probes = Probed::from_text("6 6 123456 1234 12 1").expect("six numbers");
            let row = |name: &str| ClassReport {
                name: name.into(),
                rate: Rate::kbit(237),
                ceil: Rate::kbit(4750),
                class: Counters::default(),
                leaf: Counters { backlog_bytes: 1_023_999, ..Counters::default() },
                shares: None,
                target: None,
                delay: Some(Micros(99_949_999)),
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
                probing: Some(probes),
                upload,
                download,
            };
            let mut out = String::new();
            write_line(&line, &mut out).expect("a String takes everything");
            let text = probes.to_string();
            assert!(out.contains("\n  probes   6 of") && text.len() <= 69, "{out}");
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
