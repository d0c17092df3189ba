// SPDX-License-Identifier: Apache-2.0
//! Someone who knows the capacity, at once or a little late.
//!
//! For upload this is the bound: nobody can use more without a queue. For download it is not: 98 per cent of the
//! capacity drains what stands in front of it too slowly.

use crate::sim::clock::{Moment, Span};
use crate::sim::pilot::{Action, Event, Pilot};
use crate::sim::trace::Trace;
use crate::sim::world::Setup;
use crate::units::{Micros, Rate, Time};
use std::sync::Arc;

/// The share of the capacity it takes.
const SHARE: f64 = 0.98;
/// In an outage it goes on with this share of the mean: a packet let out at next to nothing would block the shaper
/// long after the outage has ended.
const FLOOR: f64 = 0.01;

/// Sets both rates at every step of the traces.
pub struct Oracle {
    traces: [Option<Arc<Trace>>; 2],
    lag: Span,
    step: Micros,
    next: Time,
    todo: Option<Action>,
}

impl Oracle {
    /// One that knows of everything `lag` after it has happened.
    pub fn new(setup: &Setup, lag: Span) -> Self {
        let traces = [&setup.up, &setup.down].map(|path| path.first().map(|(trace, _)| Arc::clone(trace)));
        let step = traces.iter().flatten().map(|trace| trace.step().micros()).min();
        Self { traces, lag, step: step.unwrap_or(Micros::ms(100)), next: Time(0), todo: None }
    }
}

impl Pilot for Oracle {
    fn handle(&mut self, now: Time, _event: Event) {
        if now < self.next {
            return;
        }
        self.next = now + self.step;
        let [up, down] = self.traces.each_ref().map(|trace| {
            let trace = trace.as_ref()?;
            let known = f64::from(trace.kbit_at(Moment::at(now) - self.lag));
            let kbit = (SHARE * known).max(FLOOR * trace.mean()).max(100.0);
            Some(Rate::bits((kbit * 1000.0) as u64))
        });
        self.todo = Some(Action::SetRates { up, down });
    }

    fn poll(&mut self) -> Option<Action> {
        self.todo.take()
    }

    fn deadline(&self) -> Option<Time> {
        Some(self.next)
    }
}
