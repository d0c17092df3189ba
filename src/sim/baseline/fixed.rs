// SPDX-License-Identifier: Apache-2.0
//! A rate set once, or none.

use crate::sim::pilot::{Action, Event, Pilot};
use crate::sim::trace::Trace;
use crate::sim::world::Setup;
use crate::units::{Rate, Time};

/// Sets its rates at the start and sleeps.
pub struct Fixed {
    todo: Option<Action>,
}

impl Fixed {
    /// No shaper at all.
    pub const fn none() -> Self {
        Self { todo: None }
    }

    /// A rate made from each way's trace, in kbit/s.
    pub fn of(setup: &Setup, rate: impl Fn(&Trace) -> f64) -> Self {
        let [up, down] = [&setup.up, &setup.down].map(|path| {
            let kbit = path.first().map(|(trace, _)| rate(trace))?;
            Some(Rate::bits((kbit * 1000.0) as u64).max(Rate::kbit(100)))
        });
        Self { todo: Some(Action::SetRates { up, down }) }
    }
}

impl Pilot for Fixed {
    fn handle(&mut self, _now: Time, _event: Event) {}

    fn poll(&mut self) -> Option<Action> {
        self.todo.take()
    }

    fn deadline(&self) -> Option<Time> {
        None
    }
}
