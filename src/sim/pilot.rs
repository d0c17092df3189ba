// SPDX-License-Identifier: Apache-2.0
//! The plug for whatever steers the shaper: it is told what happened and says what to do, and never sees the line.
//!
//! The same shape as `daemon.rs`: no clock, no socket. The world performs the actions in virtual time; a router's run
//! loop would in real time.

use crate::units::{Bytes, Micros, Rate, Time};

/// What the counters of one direction say, all since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WayCounters {
    /// The bytes our shaper has let out.
    pub released: Bytes,
    /// The bytes on the line's interface: in front of our download shaper, behind our upload shaper.
    pub line: Bytes,
    /// The bytes waiting in our shaper now.
    pub backlog: Bytes,
    /// The packets waiting in our shaper now.
    pub packets: u32,
    /// The packets our shaper has dropped.
    pub drops: u64,
    /// The packets our shaper has marked.
    pub marks: u64,
}

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The program began.
    Start,
    /// The counters were read.
    Counters {
        /// When.
        at: Time,
        /// Upload.
        up: WayCounters,
        /// Download.
        down: WayCounters,
    },
    /// A probe was answered.
    Answer {
        /// Who answered.
        reflector: u16,
        /// Which probe.
        id: u32,
        /// When it was sent.
        sent: Time,
        /// When the answer came.
        received: Time,
        /// How long it took there and back, where the reflector tells the time.
        one_way: Option<(Micros, Micros)>,
    },
    /// The moment [`Pilot::deadline`] named has come.
    Deadline,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read the counters; answered with [`Event::Counters`].
    ReadCounters,
    /// Send a probe; answered with [`Event::Answer`], or never.
    Probe {
        /// Whom to ask.
        reflector: u16,
        /// What to call it.
        id: u32,
    },
    /// Change the shaper's rates.
    SetRates {
        /// Upload, if that is to change.
        up: Option<Rate>,
        /// Download, if that is to change.
        down: Option<Rate>,
    },
}

/// Something that steers a shaper.
pub trait Pilot: Send {
    /// Takes what happened.
    fn handle(&mut self, now: Time, event: Event);
    /// The next thing to do; asked until there is none.
    fn poll(&mut self) -> Option<Action>;
    /// When it wants to hear [`Event::Deadline`].
    fn deadline(&self) -> Option<Time>;
}
