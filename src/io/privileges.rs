// SPDX-License-Identifier: Apache-2.0
//! What the daemon may: two capabilities, and never more. What was given up is checked, not believed.

use super::files::{read_bounded, why};
use super::sys;
use std::path::Path;

/// How `proc_pid_status(5)` shows `CAP_NET_ADMIN` and `CAP_NET_RAW` alone, and that no program can give more.
const WANTED: [&str; 4] = [
    "\nCapPrm:\t0000000000003000\n",
    "\nCapEff:\t0000000000003000\n",
    "\nCapBnd:\t0000000000003000\n",
    "\nNoNewPrivs:\t1\n",
];

/// Gives up everything that queues and probes do not need.
///
/// # Errors
/// That the kernel refuses, or that something is left all the same.
pub fn give_up() -> Result<(), String> {
    sys::drop_capabilities().map_err(|error| why(&error))?;
    let status = read_bounded(Path::new("/proc/self/status")).map_err(|error| why(&error))?;
    let status = String::from_utf8_lossy(&status);
    match WANTED.iter().find(|line| !status.contains(**line)) {
        None => Ok(()),
        Some(line) => Err(format!("/proc/self/status has no line '{}'", line.trim().replace('\t', " "))),
    }
}
