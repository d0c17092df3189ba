// SPDX-License-Identifier: Apache-2.0
//! Everything that is told, in one table: it feeds InfluxDB, Prometheus, MQTT, the documentation and the test of the
//! dashboard. Names are stable, and say their unit.
//!
//! A field's name is the one it has in the documents of the daemon (`docs/status.schema.json`), where it has one there.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

/// Whether a number only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It grows, and begins anew at 0 when what counts begins anew.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// How a number is shown where units are seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// As it is.
    Plain,
    /// Microseconds, for Prometheus as seconds.
    Micros,
    /// Bits per second, for Prometheus as bytes per second.
    Bits,
}

/// One number.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// For InfluxDB and MQTT, and in the daemon's documents.
    pub field: &'static str,
    /// For Prometheus.
    pub name: &'static str,
    /// Whether it only grows.
    pub kind: Kind,
    /// What it counts.
    pub unit: Unit,
    /// What it is, in one sentence.
    pub help: &'static str,
}

/// What has numbers: a line, a class, …
#[derive(Debug, PartialEq, Eq)]
pub struct Measure {
    /// For InfluxDB; empty: it is for Prometheus alone, InfluxDB has the same as a text.
    pub name: &'static str,
    /// What tells one from another.
    pub labels: &'static [&'static str],
    /// Its numbers.
    pub metrics: &'static [Metric],
}

/// The numbers of one line, class, … at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is.
    pub measure: &'static Measure,
    /// Which one, in the order of the measure's labels.
    pub labels: Vec<String>,
    /// What is known.
    pub values: Vec<(&'static Metric, u64)>,
    /// What is a word; Prometheus has none.
    pub words: Vec<(&'static str, String)>,
}

const fn gauge(field: &'static str, name: &'static str, help: &'static str) -> Metric {
    Metric { field, name, kind: Kind::Gauge, unit: Unit::Plain, help }
}

const fn micros(field: &'static str, name: &'static str, help: &'static str) -> Metric {
    Metric { field, name, kind: Kind::Gauge, unit: Unit::Micros, help }
}

const fn bits(field: &'static str, name: &'static str, help: &'static str) -> Metric {
    Metric { field, name, kind: Kind::Gauge, unit: Unit::Bits, help }
}

const fn counter(field: &'static str, name: &'static str, help: &'static str) -> Metric {
    Metric { field, name, kind: Kind::Counter, unit: Unit::Plain, help }
}

/// All of it.
pub static WEIR: Measure = Measure {
    name: "weir",
    labels: &["version"],
    metrics: &[
        gauge(
            "shaping",
            "weir_shaping",
            "Whether every direction that has a speed is shaped (1) or not (0).",
        ),
        gauge(
            "config_taken",
            "weir_config_taken",
            "Whether the configuration that was read last is in force.",
        ),
        micros("uptime_us", "weir_uptime_seconds", "How long the daemon has been running."),
    ],
};

/// A line.
pub static LINE: Measure = Measure {
    name: "weir_line",
    labels: &["wan"],
    metrics: &[
        gauge("up", "weir_line_up", "Whether the line's device is there and up."),
        gauge("reflectors_answering", "weir_reflectors_answering", "Reflectors that answered lately."),
        gauge("reflectors_asked", "weir_reflectors_asked", "Reflectors that were asked lately."),
        counter("probes_sent", "weir_probes_sent_total", "Probes sent."),
        counter("probes_lost", "weir_probes_lost_total", "Probes that were not answered."),
        counter("probes_late", "weir_probes_late_total", "Answers that came too late to count."),
        counter("probes_forged", "weir_probes_forged_total", "Answers that were to none of the probes."),
    ],
};

/// A direction of a line.
pub static DIRECTION: Measure = Measure {
    name: "weir_direction",
    labels: &["wan", "direction"],
    metrics: &[
        gauge("wanted", "weir_wanted", "Whether the direction has a speed, so that it should be shaped."),
        gauge("shaped", "weir_shaped", "Whether the kernel has every piece of the shaper now."),
        bits("rate_bps", "weir_rate_bytes_per_second", "What the direction is shaped to."),
        bits("capacity_bps", "weir_capacity_bytes_per_second", "What the line carries, as far as is known."),
        bits("sent_bps", "weir_sent_bytes_per_second", "What was sent, on average since the reading before."),
        micros("wait_us", "weir_wait_seconds", "How long packets wait in the line."),
        micros("wait_max_us", "weir_wait_max_seconds", "The longest wait since the reading before."),
        micros("aim_us", "weir_aim_seconds", "How long packets may wait in the line."),
        micros("held_us", "weir_held_seconds", "How long the rate is held yet."),
        counter("drops", "weir_dropped_packets_total", "Packets dropped, counted since weir-export began."),
        counter(
            "marks",
            "weir_marked_packets_total",
            "Packets marked instead of dropped, counted since weir-export began.",
        ),
        counter(
            "changes",
            "weir_rate_changes_total",
            "Changes of the rate, counted since weir-export began.",
        ),
        gauge("actions", "weir_actions", "What is being done about alerts."),
    ],
};

/// How the daemon steers a direction.
pub static STATE: Measure = Measure {
    name: "",
    labels: &["wan", "direction", "state"],
    metrics: &[gauge("state", "weir_state", "Whether the direction is in this state.")],
};

/// A class in a direction.
pub static CLASS: Measure = Measure {
    name: "weir_class",
    labels: &["wan", "direction", "class"],
    metrics: &[
        bits("rate_bps", "weir_class_rate_bytes_per_second", "What the class is guaranteed."),
        bits("ceil_bps", "weir_class_ceil_bytes_per_second", "What the class never exceeds."),
        counter("sent_bytes", "weir_class_sent_bytes_total", "Bytes sent, on the wire."),
        counter("sent_packets", "weir_class_sent_packets_total", "Packets sent."),
        counter("dropped_packets", "weir_class_dropped_packets_total", "Packets dropped."),
        counter("marked_packets", "weir_class_marked_packets_total", "Packets marked instead of dropped."),
        counter("overlimits", "weir_class_overlimits_total", "Times the class had to wait for its rate."),
        gauge("backlog_bytes", "weir_class_backlog_bytes", "Bytes that wait in the class's own queue."),
        gauge("backlog_packets", "weir_class_backlog_packets", "Packets that wait in the class's own queue."),
        micros(
            "delay_us",
            "weir_class_delay_seconds",
            "How long packets that came in the last second waited, in the class's queue and on the line.",
        ),
        micros("target_us", "weir_class_target_seconds", "How long the class's packets may wait."),
    ],
};

/// Alerts of one severity on a direction.
pub static ALERTS: Measure = Measure {
    name: "weir_alerts",
    labels: &["wan", "direction", "severity"],
    metrics: &[gauge("active", "weir_alerts", "Alerts that stand.")],
};

/// A schedule.
pub static SCHEDULE: Measure = Measure {
    name: "weir_schedule",
    labels: &["schedule"],
    metrics: &[gauge("active", "weir_schedule_active", "Whether the schedule holds now.")],
};

/// weir-export itself.
pub static EXPORT: Measure = Measure {
    name: "weir_export",
    labels: &[],
    metrics: &[
        gauge("up", "weir_up", "Whether the daemon told how it stands when it was asked last."),
        counter("readings", "weir_export_readings_total", "Times the daemon told how it stands."),
        counter("failed_readings", "weir_export_failed_readings_total", "Times it was asked and did not."),
    ],
};

/// One outlet of weir-export.
pub static OUTLET: Measure = Measure {
    name: "weir_export_outlet",
    labels: &["outlet"],
    metrics: &[
        counter("sent", "weir_export_sent_total", "Points, alerts or messages that arrived."),
        counter("failed", "weir_export_failed_total", "Those that were refused for good."),
        counter("retried", "weir_export_retried_total", "Attempts that failed and were made again."),
        counter(
            "dropped",
            "weir_export_dropped_total",
            "Those that were dropped, the oldest first, as the queue was full.",
        ),
        gauge("queued", "weir_export_queued", "Those that wait."),
        micros(
            "p95_us",
            "weir_export_delivery_p95_seconds",
            "How long a delivery takes, at most, in 95 of 100 cases.",
        ),
        counter("body_bytes", "weir_export_body_bytes_total", "Bytes that were delivered, before packing."),
        counter("saved_bytes", "weir_export_gzip_saved_bytes_total", "Bytes that packing saved."),
    ],
};

/// All there are, in the order they are shown.
pub static MEASURES: [&Measure; 9] =
    [&WEIR, &LINE, &DIRECTION, &STATE, &CLASS, &ALERTS, &SCHEDULE, &EXPORT, &OUTLET];

/// What a direction's state may be.
pub const STATES: [&str; 7] = ["waiting", "held", "left", "idle", "light", "loaded", "blind"];
/// What an alert's severity may be.
pub const SEVERITIES: [&str; 3] = ["info", "warning", "error"];

impl Measure {
    /// Its number of this name.
    pub fn metric(&'static self, field: &str) -> Option<&'static Metric> {
        self.metrics.iter().find(|metric| metric.field == field)
    }
}

impl Row {
    /// A row of nothing yet.
    pub fn new(measure: &'static Measure, labels: &[&str]) -> Self {
        let labels = labels.iter().map(|label| String::from(*label)).collect();
        Self { measure, labels, values: Vec::new(), words: Vec::new() }
    }

    /// With one number more, if it is known and one of the measure's.
    #[must_use]
    pub fn with(mut self, field: &str, value: Option<u64>) -> Self {
        if let (Some(metric), Some(value)) = (self.measure.metric(field), value) {
            self.values.push((metric, value));
        }
        self
    }
}

/// The table of the documentation.
pub fn readme() -> String {
    let mut out =
        String::from("| Prometheus | labels | InfluxDB | type | what it is |\n|---|---|---|---|---|\n");
    for measure in MEASURES {
        for metric in measure.metrics {
            let influx = match measure.name {
                "" => String::from("`weir_direction` `state` (text)"),
                name => format!("`{name}` `{}`", metric.field),
            };
            let kind = if metric.kind == Kind::Counter { "counter" } else { "gauge" };
            let labels = crate::text::joined(measure.labels, ", ");
            // A String takes everything.
            let _ = writeln!(out, "| `{}` | {labels} | {influx} | {kind} | {} |", metric.name, metric.help);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_prometheus_own_kind_of_names_and_none_is_there_twice() {
        let all: Vec<&Metric> = MEASURES.iter().flat_map(|measure| measure.metrics).collect();
        for (n, metric) in all.iter().enumerate() {
            assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{}", metric.name);
            assert_eq!(metric.field.ends_with("_us"), metric.unit == Unit::Micros, "{}", metric.name);
            assert_eq!(metric.field.ends_with("_bps"), metric.unit == Unit::Bits, "{}", metric.name);
            assert_eq!(
                metric.name.ends_with("_bytes_per_second"),
                metric.unit == Unit::Bits,
                "{}",
                metric.name
            );
            assert_eq!(metric.name.ends_with("_seconds"), metric.unit == Unit::Micros, "{}", metric.name);
            assert!(metric.name.starts_with("weir_") && metric.help.ends_with('.'), "{}", metric.name);
            assert!(!all[..n].iter().any(|other| other.name == metric.name), "{}", metric.name);
        }
    }
}
