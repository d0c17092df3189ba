// SPDX-License-Identifier: Apache-2.0
//! Prometheus' text format (0.0.4): each metric with its help and type, then all that have it.

use super::metrics::{Kind, MEASURES, Metric, Row, Unit};
use alloc::string::String;
use core::fmt::Write;

/// What a scraper is told the text is.
pub const TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes rows, by metric as the format wants them.
pub fn write(rows: &[Row], out: &mut String) {
    for measure in MEASURES {
        for metric in measure.metrics {
            let mut is_first = true;
            for row in rows.iter().filter(|row| row.measure == measure) {
                let Some((_, value)) = row.values.iter().find(|(known, _)| *known == metric) else {
                    continue;
                };
                if core::mem::take(&mut is_first) {
                    head(metric, out);
                }
                sample(metric, row, *value, out);
            }
        }
    }
}

fn head(metric: &Metric, out: &mut String) {
    let kind = if metric.kind == Kind::Counter { "counter" } else { "gauge" };
    // A String takes everything.
    let _ = write!(out, "# HELP {0} {1}\n# TYPE {0} {kind}\n", metric.name, metric.help);
}

fn sample(metric: &Metric, row: &Row, value: u64, out: &mut String) {
    out.push_str(metric.name);
    let mut gap = '{';
    for (key, label) in row.measure.labels.iter().zip(&row.labels) {
        let _ = write!(out, "{gap}{key}=\"");
        for c in label.chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                '"' => out.push_str("\\\""),
                '\n' => out.push_str("\\n"),
                c => out.push(c),
            }
        }
        out.push('"');
        gap = ',';
    }
    if gap == ',' {
        out.push('}');
    }
    let _ = match metric.unit {
        Unit::Plain => writeln!(out, " {value}"),
        // promtool wants bytes, and they can be eighths.
        Unit::Bits => match value % 8 {
            0 => writeln!(out, " {}", value / 8),
            rest => writeln!(out, " {}.{:03}", value / 8, rest * 125),
        },
        Unit::Micros => writeln!(out, " {}.{:06}", value / 1_000_000, value % 1_000_000),
    };
}

#[cfg(test)]
mod tests {
    use super::super::gather::{self, Past};
    use super::super::metrics::{CLASS, EXPORT, LINE};
    use super::*;

    #[test]
    fn each_metric_has_its_head_once_and_then_all_that_have_it() {
        let rows = gather::rows(&gather::tests::status(), &mut Past::default());
        let mut out = String::new();
        write(&rows, &mut out);
        for text in [
            "# HELP weir_wait_seconds How long packets wait in the line.\n# TYPE weir_wait_seconds gauge\nweir_wait_seconds{wan=\"home\",direction=\"upload\"} 0.012345\n#",
            "# TYPE weir_class_sent_bytes_total counter\nweir_class_sent_bytes_total{wan=\"home\",direction=\"upload\",class=\"critical\"} 18446744\n",
            "weir_rate_bytes_per_second{wan=\"home\",direction=\"upload\"} 2500000\n",
            "weir_state{wan=\"home\",direction=\"upload\",state=\"loaded\"} 1\n",
        ] {
            assert!(out.contains(text), "{text}\nis not in\n{out}");
        }
        assert_eq!(out.matches("# TYPE weir_state ").count(), 1);
        assert!(!out.contains("weir_held_seconds"), "what is not known is not told");
    }

    #[test]
    fn hostile_names_stay_within_their_quotes() {
        let mut out = String::new();
        write(&[Row::new(&LINE, &["a\"} 1\nb\\"]).with("up", Some(1))], &mut out);
        assert!(out.ends_with("weir_line_up{wan=\"a\\\"} 1\\nb\\\\\"} 1\n"), "{out}");
    }

    #[test]
    fn without_labels_there_are_no_braces_and_large_numbers_are_whole() {
        let mut out = String::new();
        let rows = [
            Row::new(&EXPORT, &[]).with("up", Some(1)),
            Row::new(&CLASS, &["a", "b", "c"])
                .with("sent_bytes", Some(u64::MAX))
                .with("rate_bps", Some(1001)),
        ];
        write(&rows, &mut out);
        assert!(out.contains("\nweir_up 1\n") && out.contains("} 18446744073709551615\n"), "{out}");
        assert!(out.contains("} 125.125\n"), "{out}");
    }
}
