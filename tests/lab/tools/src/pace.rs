// SPDX-License-Identifier: Apache-2.0
//! How evenly time passes: in a guest whose machine has other work, it stands still again and again.
//!
//! Run it with a real-time priority, or it measures the guest's own work as well.

use crate::Options;
use crate::socket::{now, sleep_until};

/// Between two looks at the clock.
const TICK: u64 = 2_000_000;
/// Later than this nobody wakes up in a guest that runs: its own interrupts take less.
const LATE: u64 = 5_000_000;

/// `flow pace`: sleeps from tick to tick, and says how much of the time it overslept.
pub fn pace(options: &Options) -> Result<(), String> {
    let start = now();
    let from = start + options.seconds("skip", 0.0)?.as_nanos() as u64;
    let to = start + options.seconds("seconds", 5.0)?.as_nanos() as u64;
    let (mut stalled, mut worst, mut due) = (0, 0, start + TICK);
    while due < to {
        sleep_until(due);
        let at = now();
        let late = at.saturating_sub(due);
        if due >= from {
            worst = worst.max(late);
            if late > LATE {
                stalled += late;
            }
        }
        due = at + TICK;
    }
    let permille = u128::from(stalled) * 1000 / u128::from(to.saturating_sub(from).max(1));
    println!("{{\"stream\":\"pace\",\"stalled_permille\":{permille},\"worst_us\":{}}}", worst / 1000);
    Ok(())
}
