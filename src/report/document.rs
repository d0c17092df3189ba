// SPDX-License-Identifier: Apache-2.0
//! A report for programs: stable names with their units, described in `docs/status.schema.json`.

use super::told::write_fault;
use super::{ClassReport, DirectionReport, Fact, LineReport, Snapshot};
use crate::json::Json;
use crate::scribe::Scribe;
use crate::units::{Permille, Rate};
use alloc::vec::Vec;
use core::fmt::{self, Display, Write};

impl Snapshot {
    /// As JSON.
    ///
    /// # Errors
    /// The writer's.
    pub fn write_json(&self, out: &mut dyn Write) -> fmt::Result {
        let mut json = Json::new(out);
        let scribe: &mut dyn Scribe = &mut json;
        scribe.table("", |out| self.write(out));
        json.end()
    }

    /// As fields; what comes last ends sooner where there is no room.
    pub fn write(&self, out: &mut dyn Scribe) {
        self.write_first(out);
        out.tables("notes", &self.notes, |out, (line, text)| {
            out.text("line", line);
            out.text("text", text);
        });
        out.tables("schedules", &self.schedules, |out, schedule| schedule.write(out));
    }

    /// All but the notes and the schedules.
    pub(super) fn write_first(&self, out: &mut dyn Scribe) {
        out.text("version", &self.version);
        out.maybe_count("uptime_us", self.uptime.map(|time| time.0));
        out.flag("shaping", self.is_shaping());
        out.table("config", |out| {
            out.text("path", &self.path);
            match &self.taken {
                Some(taken) => out.flag("taken", taken.is_taken),
                None => out.null("taken"),
            }
            let faults = self.taken.as_ref().map_or(&[][..], |taken| &taken.faults);
            out.tables("faults", faults, |out, fault| write_fault(fault, out));
        });
        out.tables("lines", &self.lines, |out, line| line.write(out));
        for (key, is_alert) in [("alerts", true), ("actions", false)] {
            let facts: Vec<&Fact> = self.facts.iter().filter(|fact| fact.is_alert() == is_alert).collect();
            out.tables(key, &facts, |out, fact| fact.write(out));
        }
    }
}

impl LineReport {
    /// As fields.
    pub fn write(&self, out: &mut dyn Scribe) {
        out.text("name", &self.name);
        out.maybe_text("device", shown(&self.device));
        match self.is_up {
            Some(is_up) => out.flag("up", is_up),
            None => out.null("up"),
        }
        let (name, overhead, mpu) = self.link;
        out.table("link", |out| {
            out.text("name", &name);
            out.number("overhead_bytes", overhead.into());
            out.number("mpu_bytes", mpu.into());
        });
        out.maybe_text("probes", shown(&self.probing));
        match &self.probing {
            Some(probing) => out.table("probing", |out| probing.write(out)),
            None => out.null("probing"),
        }
        for (key, way) in [("upload", &self.upload), ("download", &self.download)] {
            out.table(key, |out| {
                way.write(out);
                way.write_classes(out);
            });
        }
    }
}

impl DirectionReport {
    /// As fields, without its classes.
    fn write(&self, out: &mut dyn Scribe) {
        out.flag("wanted", self.is_wanted);
        out.flag("shaped", self.rate.is_some() && self.trouble.is_none());
        out.maybe_text("reason", shown(&self.trouble));
        out.maybe_text("device", shown(&self.device));
        out.maybe_text("engine", shown(&self.engine));
        out.maybe_count("rate_bps", self.rate.map(Rate::bits_per_sec));
        let Some(steering) = &self.steering else { return out.null("steering") };
        out.table("steering", |out| {
            out.text("state", &steering.state);
            out.text("text", &steering.text);
            out.maybe_count("capacity_bps", steering.capacity.map(Rate::bits_per_sec));
            for (key, time) in
                [("wait_us", steering.wait), ("aim_us", steering.aim), ("held_us", steering.held)]
            {
                out.maybe_count(key, time.map(|time| time.0));
            }
        });
    }

    /// Its classes.
    pub fn write_classes(&self, out: &mut dyn Scribe) {
        out.tables("classes", &self.classes, |out, row| row.write(out));
    }
}

impl ClassReport {
    fn write(&self, out: &mut dyn Scribe) {
        out.text("name", &self.name);
        let (class, leaf) = (&self.class, &self.leaf);
        for (key, count) in [
            ("rate_bps", self.rate.bits_per_sec()),
            ("ceil_bps", self.ceil.bits_per_sec()),
            ("sent_bytes", class.bytes),
            ("sent_packets", class.packets),
            ("dropped_packets", self.drops()),
            ("marked_packets", leaf.marks.into()),
            ("overlimits", class.overlimits.into()),
            ("backlog_bytes", class.backlog_bytes.max(leaf.backlog_bytes).into()),
            ("backlog_packets", class.backlog_packets.max(leaf.backlog_packets).into()),
        ] {
            out.count(key, count);
        }
        let share = |share: fn(&(Permille, Permille)) -> Permille| self.shares.as_ref().map(share);
        for (key, share) in
            [("guarantee_permille", share(|(least, _)| *least)), ("limit_permille", share(|(_, most)| *most))]
        {
            match share {
                Some(Permille(thousandths)) => out.number(key, thousandths.into()),
                None => out.null(key),
            }
        }
        out.maybe_count("target_us", self.target.map(|time| time.0));
        out.maybe_count("delay_us", self.delay.map(|time| time.0));
    }
}

fn shown<T: Display>(value: &Option<T>) -> Option<&dyn Display> {
    value.as_ref().map(|value| value as &dyn Display)
}
