// SPDX-License-Identifier: Apache-2.0
//! What goes wrong, on standard error. Who looks again and again hears of it once, until it is over or another thing.

use std::fmt::Arguments;
#[cfg(feature = "extras")]
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What was said when it was looked before, and what now.
#[cfg(feature = "extras")]
static SAID: Mutex<[Vec<String>; 2]> = Mutex::new([Vec::new(), Vec::new()]);

#[cfg(feature = "extras")]
fn said() -> MutexGuard<'static, [Vec<String>; 2]> {
    SAID.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on it is looked anew.
#[cfg(feature = "extras")]
pub(crate) fn anew() {
    let [before, now] = &mut *said();
    *before = std::mem::take(now);
}

/// Says a line.
#[cfg(feature = "extras")]
pub(crate) fn complain(line: Arguments<'_>) {
    let line = line.to_string();
    let [before, now] = &mut *said();
    if !before.contains(&line) {
        eprintln!("{line}");
    }
    now.push(line);
}

/// Says a line. Nothing in a router's program looks again.
#[cfg(not(feature = "extras"))]
pub(crate) fn complain(line: Arguments<'_>) {
    eprintln!("{line}");
}
