// SPDX-License-Identifier: Apache-2.0
//! What `weir-export` tells of itself, for people.

use super::tree::Tree;
use crate::units::{Micros, Time};
use alloc::format;
use alloc::string::String;
use core::fmt::Write;

/// Where the daemon is read from.
pub const BUS: &str = "bus";
/// The same, where lines come as somebody else sends them.
pub const STDIN: &str = "stdin";

/// Shows the status as it was told, looked at `now`, in seconds since 1970; says whether weir-export runs.
pub fn show(told: &Tree, now: u64, out: &mut String) -> bool {
    let interval = told.get("interval_us").count().map(Micros);
    let at = count(told, "time_seconds");
    let is_fed = told.get("source").text() == Some(STDIN);
    let is_running = !interval.is_some_and(|interval| is_stale(now, at, interval));
    if !is_running {
        let fed = if is_fed { ", or no line has come since" } else { "" };
        // A String takes everything.
        let _ = writeln!(out, "weir-export does not run{fed}: it told this {}", ago(now, at));
    }
    let daemon = match (told.get("trouble").text(), interval) {
        (Some(why), _) => format!("cannot be read: {why}"),
        (None, Some(interval)) if !is_fed => {
            format!("read {} times, each {interval}", count(told, "readings"))
        }
        (None, gap) => {
            let gap = gap.map(|gap| format!(", {} behind the one before", tenths(gap))).unwrap_or_default();
            let (readings, last) = (count(told, "readings"), ago(now, at));
            format!("read {readings} times from standard input, the last {last}{gap}")
        }
    };
    let _ = writeln!(out, "daemon: {daemon}");
    told.get("outlets").list().iter().for_each(|one| outlet(one, out));
    prometheus(told.get("prometheus"), now, out);
    is_running
}

fn outlet(outlet: &Tree, out: &mut String) {
    let name = outlet.get("outlet").text().unwrap_or_default();
    let target = outlet.get("target").text().unwrap_or_default();
    // A String takes everything.
    let _ = write!(out, "{name}: {target}: {} sent", count(outlet, "sent"));
    for (key, what) in [
        ("failed", "refused"),
        ("retried", "tries that failed"),
        ("dropped", "dropped"),
        ("queued", "waiting"),
    ] {
        if count(outlet, key) > 0 {
            let _ = write!(out, ", {} {what}", count(outlet, key));
        }
    }
    if let Some(p95) = outlet.get("p95_us").count() {
        let _ = write!(out, ", 95 % within {}", Micros(p95));
    }
    let (body, saved) = (count(outlet, "body_bytes"), count(outlet, "saved_bytes"));
    if saved > 0 && body > 0 {
        let _ = write!(out, ", gzip saved {} %", saved * 100 / body);
    }
    if let Some(why) = outlet.get("trouble").text() {
        let _ = write!(out, "; now: {why}");
    }
    out.push('\n');
}

fn prometheus(door: &Tree, now: u64, out: &mut String) {
    let Some(listen) = door.get("listen").text() else { return };
    let scrapes = match door.get("last_seconds").count() {
        Some(last) => {
            format!("{}, the last {}", counted(count(door, "scrapes"), "scrape"), ago(now, last))
        }
        None => "no scrape yet".into(),
    };
    // A String takes everything.
    let _ = write!(out, "prometheus: http://{listen}/metrics: {scrapes}");
    if count(door, "refused") > 0 {
        let _ = write!(out, ", {} refused", counted(count(door, "refused"), "caller"));
    }
    out.push('\n');
}

/// `1 scrape`, `2 scrapes`.
fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn count(tree: &Tree, name: &str) -> u64 {
    tree.get(name).count().unwrap_or(0)
}

/// To tenths of a second, as far as there are any.
fn tenths(span: Micros) -> Micros {
    const TENTH: u64 = 100_000;
    if span.0 < TENTH { span } else { Micros((span.0 + TENTH / 2) / TENTH * TENTH) }
}

fn ago(now: u64, then: u64) -> String {
    match now.saturating_sub(then) {
        0 => "just now".into(),
        seconds => format!("{} ago", Micros::secs(seconds)),
    }
}

/// Whether what was told is older than it can be while weir-export runs: three readings are missing.
fn is_stale(now: u64, told: u64, interval: Micros) -> bool {
    Time(now.saturating_mul(1_000_000)) - Time(told.saturating_mul(1_000_000))
        > Micros(3 * interval.0 + 5_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(told: &str, now: u64) -> (bool, String) {
        let mut out = String::new();
        let is_running = show(&Tree::parse(told).expect("JSON"), now, &mut out);
        (is_running, out)
    }

    #[test]
    fn a_daemon_on_the_bus_is_read_each_interval() {
        let told =
            r#"{"time_seconds":100,"source":"bus","interval_us":10000000,"readings":6,"trouble":null}"#;
        assert_eq!(shown(told, 110), (true, "daemon: read 6 times, each 10 s\n".into()));
        let (is_running, text) = shown(told, 136);
        assert!(
            !is_running && text.starts_with("weir-export does not run: it told this 36 s ago\n"),
            "{text}"
        );
    }

    #[test]
    fn lines_on_standard_input_come_at_their_own_pace_and_not_each_10_s() {
        let told = |gap: &str| {
            format!(
                r#"{{"time_seconds":100,"source":"stdin","interval_us":{gap},"readings":2,"trouble":null}}"#
            )
        };
        let all = "daemon: read 2 times from standard input, the last 50 s ago";
        assert_eq!(
            shown(&told("60049999"), 150),
            (true, format!("{all}, 1 min behind the one before\n")),
            "whose pace is slow runs all the same"
        );
        assert_eq!(shown(&told("null"), 150), (true, format!("{all}\n")), "of one line there is no pace");
        assert!(shown(&told("1"), 100).1.contains(", the last just now, 1 us behind"), "less than a second");
        let (is_running, text) = shown(&told("1000000"), 150);
        let gone = "weir-export does not run, or no line has come since: it told this 50 s ago\n";
        assert!(!is_running && text.starts_with(gone), "{text}");
    }

    #[test]
    fn the_door_for_prometheus_has_a_row_as_well() {
        let told = |door: &str| {
            let text = format!(
                r#"{{"time_seconds":100,"source":"bus","interval_us":10000000,"readings":6,"prometheus":{door}}}"#
            );
            shown(&text, 105).1.lines().skip(1).map(String::from).collect::<Vec<_>>()
        };
        assert!(told("null").is_empty(), "nobody listens");
        assert_eq!(
            told(r#"{"listen":"127.0.0.1:9477","scrapes":0,"last_seconds":null,"refused":0}"#),
            ["prometheus: http://127.0.0.1:9477/metrics: no scrape yet"]
        );
        assert_eq!(
            told(r#"{"listen":"[::1]:9477","scrapes":1,"last_seconds":105,"refused":1}"#),
            ["prometheus: http://[::1]:9477/metrics: 1 scrape, the last just now, 1 caller refused"]
        );
        assert_eq!(
            told(r#"{"listen":"[::1]:9477","scrapes":12,"last_seconds":98,"refused":3}"#),
            ["prometheus: http://[::1]:9477/metrics: 12 scrapes, the last 7 s ago, 3 callers refused"]
        );
    }
}
