// SPDX-License-Identifier: Apache-2.0
//! The clock, read nowhere else.

use crate::units::Time;
use nix::time::{ClockId, clock_gettime};

/// The monotonic clock, which also counts while the machine sleeps.
pub fn now() -> Time {
    let spec = clock_gettime(ClockId::CLOCK_BOOTTIME).or_else(|_| clock_gettime(ClockId::CLOCK_MONOTONIC));
    let micros = |spec: nix::sys::time::TimeSpec| {
        u64::try_from(spec.tv_sec()).unwrap_or(0) * 1_000_000
            + u64::try_from(spec.tv_nsec()).unwrap_or(0) / 1_000
    };
    Time(spec.map_or(0, micros))
}
