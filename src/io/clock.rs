// SPDX-License-Identifier: Apache-2.0
//! The clock, read nowhere else.

use super::files::read_bounded;
use crate::units::Time;
use nix::time::{ClockId, clock_gettime};
use std::path::Path;

/// The monotonic clock, which also counts while the machine sleeps.
pub fn now() -> Time {
    let spec = clock_gettime(ClockId::CLOCK_BOOTTIME).or_else(|_| clock_gettime(ClockId::CLOCK_MONOTONIC));
    let micros = |spec: nix::sys::time::TimeSpec| {
        u64::try_from(spec.tv_sec()).unwrap_or(0) * 1_000_000
            + u64::try_from(spec.tv_nsec()).unwrap_or(0) / 1_000
    };
    Time(spec.map_or(0, micros))
}

/// Where a system says which time zone it is in: OpenWrt, its `/etc/TZ` where that is out of sight, others, whose file
/// ends with the same text (RFC 9636, the footer).
const ZONES: [&str; 3] = ["/etc/TZ", "/tmp/TZ", "/etc/localtime"];

/// What the clock on the wall shows: seconds since 1970, and the time zone.
pub fn wall() -> (u64, String) {
    let spec = clock_gettime(ClockId::CLOCK_REALTIME);
    (spec.map_or(0, |spec| u64::try_from(spec.tv_sec()).unwrap_or(0)), zone())
}

fn zone() -> String {
    zone_of(&std::env::var("TZ").unwrap_or_default())
}

/// What `TZ` says: a zone, or the name of one, whose file then says it; nothing is the system's.
fn zone_of(told: &str) -> String {
    let told = told.strip_prefix(':').unwrap_or(told);
    let named = Path::new("/usr/share/zoneinfo").join(told);
    let mut text = if told.is_empty() { String::new() } else { last_line(&named) };
    if text.is_empty() {
        text.push_str(told);
    }
    for path in ZONES {
        if text.is_empty() {
            text = last_line(Path::new(path));
        }
    }
    if text.is_empty() { "UTC0".into() } else { text }
}

fn last_line(path: &Path) -> String {
    let bytes = read_bounded(path).unwrap_or_default();
    let last = bytes.trim_ascii_end().rsplit(|byte| *byte == b'\n').next();
    last.and_then(|last| std::str::from_utf8(last).ok()).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_may_be_named_by_its_file() {
        let path = std::env::temp_dir().join(format!("weir-zone-{}", std::process::id()));
        std::fs::write(&path, b"TZif2\0\0\nCET-1CEST,M3.5.0,M10.5.0/3\n").expect("a file");
        let name = path.to_str().expect("text");
        assert_eq!(zone_of(name), "CET-1CEST,M3.5.0,M10.5.0/3");
        assert_eq!(zone_of(&format!(":{name}")), "CET-1CEST,M3.5.0,M10.5.0/3");
        std::fs::remove_file(&path).expect("removed");
        assert_eq!(zone_of("EET-2EEST,M3.5.0/3,M10.5.0/4"), "EET-2EEST,M3.5.0/3,M10.5.0/4");
        assert_eq!(zone_of("No/Such"), "No/Such", "so that it can be told of");
        assert!(!zone_of("").is_empty());
    }
}
