// SPDX-License-Identifier: Apache-2.0
//! The plug for whatever steers the shaper: it is told what happened and says what to do, and never sees the line.
//!
//! The same shape as `daemon.rs`: no clock, no socket. The world performs the actions in virtual time; a router's run
//! loop would in real time.

use crate::control::Controller;
use crate::units::Time;

pub use crate::control::event::Question;
pub use crate::control::{Action, Event, WayCounters};

/// Something that steers a shaper.
pub trait Pilot {
    /// Takes what happened.
    fn handle(&mut self, now: Time, event: Event);
    /// The next thing to do; asked until there is none.
    fn poll(&mut self) -> Option<Action>;
    /// When it wants to hear [`Event::Deadline`].
    fn deadline(&self) -> Option<Time>;
}

impl Pilot for Controller {
    fn handle(&mut self, now: Time, event: Event) {
        self.handle(now, event);
    }

    fn poll(&mut self) -> Option<Action> {
        self.poll()
    }

    fn deadline(&self) -> Option<Time> {
        self.deadline()
    }
}
