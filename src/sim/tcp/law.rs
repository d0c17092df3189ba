// SPDX-License-Identifier: Apache-2.0
//! What congestion control laws have in common: a window, and what an acknowledgement tells them.

use super::bbr::Bbr;
use super::cubic::Cubic;
use super::reno::Reno;
use crate::sim::clock::{Moment, Span};

/// What a sender begins with (RFC 6928).
pub const INITIAL_WINDOW: f64 = 10.0;
/// No window gets smaller.
pub const SMALLEST_WINDOW: f64 = 2.0;

/// A congestion window, in segments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// How many segments may be under way.
    pub size: f64,
    /// Below this it is slow start.
    pub threshold: f64,
}

impl Default for Window {
    fn default() -> Self {
        Self { size: INITIAL_WINDOW, threshold: f64::INFINITY }
    }
}

impl Window {
    /// Whether it still doubles every round trip.
    pub fn is_slow_start(&self) -> bool {
        self.size < self.threshold
    }
}

/// What an acknowledgement tells.
#[derive(Clone, Copy, Debug)]
pub struct Ack {
    /// When it came.
    pub now: Moment,
    /// How many segments have newly arrived.
    pub delivered: u32,
    /// How many have in all.
    pub delivered_in_all: u64,
    /// A round trip, if one could be measured.
    pub rtt: Option<Span>,
    /// The smoothed round trip.
    pub smooth: Span,
    /// The shortest round trip so far.
    pub least: Span,
    /// How many segments are under way behind it.
    pub pipe: u32,
    /// The first acknowledgement of a new round trip.
    pub is_round: bool,
    /// Segments per second between the sending of what arrived and now, and whether the application held it back.
    pub rate: Option<(f64, bool)>,
    /// Whether the window, and not the application, limits the sender; and nothing is being repaired.
    pub may_grow: bool,
}

/// Which law.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// CUBIC, RFC 9438: what nearly everybody runs.
    #[default]
    Cubic,
    /// NewReno, RFC 5681: a halved window, one segment per round trip.
    Reno,
    /// A model of the path's rate and round trip, after BBR version 1.
    Bbr,
}

/// A law and what it remembers.
#[derive(Clone, Debug)]
pub enum Law {
    /// See [`Kind::Cubic`].
    Cubic(Cubic),
    /// See [`Kind::Reno`].
    Reno(Reno),
    /// See [`Kind::Bbr`].
    Bbr(Bbr),
}

impl Law {
    /// A law that knows nothing yet.
    pub fn new(kind: Kind) -> Self {
        match kind {
            Kind::Cubic => Self::Cubic(Cubic::default()),
            Kind::Reno => Self::Reno(Reno),
            Kind::Bbr => Self::Bbr(Bbr::default()),
        }
    }

    /// Lets the window follow an acknowledgement.
    pub fn acked(&mut self, window: &mut Window, ack: &Ack) {
        match self {
            Self::Cubic(law) => law.acked(window, ack),
            Self::Reno(law) => law.acked(window, ack),
            Self::Bbr(law) => law.acked(window, ack),
        }
    }

    /// Sets the threshold on the first loss or mark of a round trip.
    pub fn lost(&mut self, window: &mut Window) {
        match self {
            Self::Cubic(law) => law.lost(window),
            Self::Reno(law) => law.lost(window),
            Self::Bbr(_) => {}
        }
    }

    /// How fast it may send at most, in segments per second.
    pub fn pace(&self) -> Option<f64> {
        match self {
            Self::Cubic(_) | Self::Reno(_) => None,
            Self::Bbr(law) => law.pace(),
        }
    }

    /// Whether repairs follow the threshold; BBR keeps to its model.
    pub const fn follows_losses(&self) -> bool {
        !matches!(self, Self::Bbr(_))
    }
}
