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
    let mut text = std::env::var("TZ").unwrap_or_default();
    for path in ZONES {
        if !text.is_empty() {
            break;
        }
        let bytes = read_bounded(Path::new(path)).unwrap_or_default();
        let last = bytes.trim_ascii_end().rsplit(|byte| *byte == b'\n').next();
        text = last.and_then(|last| std::str::from_utf8(last).ok()).unwrap_or_default().into();
    }
    if text.is_empty() { "UTC0".into() } else { text }
}
