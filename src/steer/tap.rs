// SPDX-License-Identifier: Apache-2.0
//! Where a line's counters are: its device, and the queues of each direction.

use crate::tc::plan::Plan;
use crate::units::{DeviceName, Way};

/// Where the queues of one direction are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// On this device.
    pub device: DeviceName,
    /// A CAKE, not HTB classes.
    pub is_cake: bool,
}

/// Where a line's counters are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tap {
    /// The line's device.
    pub line: DeviceName,
    /// Upload's queues.
    pub up: Option<Side>,
    /// Download's queues.
    pub down: Option<Side>,
}

impl Tap {
    /// Where the counters of the line at `place` are, if it is shaped.
    pub fn of(plan: &Plan, place: usize) -> Option<Self> {
        let line = plan.lines.get(place)?.device?;
        let side = |way: Way| {
            let tune = plan.tunes.iter().find(|tune| tune.line == place && tune.way == way)?;
            Some(Side { device: tune.device, is_cake: tune.kit.is_none() })
        };
        let tap = Self { line, up: side(Way::Up), down: side(Way::Down) };
        (tap.up.is_some() || tap.down.is_some()).then_some(tap)
    }

    /// Whether a CAKE shapes it.
    pub fn is_cake(&self) -> bool {
        [self.up, self.down].into_iter().flatten().any(|side| side.is_cake)
    }
}
