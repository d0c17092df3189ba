// SPDX-License-Identifier: Apache-2.0
//! What `weir-export` tells of itself, for people.

use super::tree::Tree;
use crate::units::{Micros, Time};
use alloc::format;
use alloc::string::String;
use core::fmt::Write;

/// Shows the status as it was told, looked at `now`, in seconds since 1970; says whether weir-export runs.
pub fn show(told: &Tree, now: u64, out: &mut String) -> bool {
    let interval = Micros(count(told, "interval_us"));
    let at = count(told, "time_seconds");
    let is_running = !is_stale(now, at, interval);
    if !is_running {
        let age = Micros::secs(now.saturating_sub(at));
        // A String takes everything.
        let _ = writeln!(out, "weir-export does not run: it told this {age} ago");
    }
    let daemon = match told.get("trouble").text() {
        Some(why) => format!("cannot be read: {why}"),
        None => format!("read {} times, each {interval}", count(told, "readings")),
    };
    let _ = writeln!(out, "daemon: {daemon}");
    told.get("outlets").list().iter().for_each(|one| outlet(one, out));
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

fn count(tree: &Tree, name: &str) -> u64 {
    tree.get(name).count().unwrap_or(0)
}

/// Whether what was told is older than it can be while weir-export runs: three readings are missing.
fn is_stale(now: u64, told: u64, interval: Micros) -> bool {
    Time(now.saturating_mul(1_000_000)) - Time(told.saturating_mul(1_000_000))
        > Micros(3 * interval.0 + 5_000_000)
}
