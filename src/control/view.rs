// SPDX-License-Identifier: Apache-2.0
//! What a controller thinks, for people.

use crate::units::{Micros, Rate};

/// Why a rate is what it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reason {
    /// Nothing has been measured yet.
    #[default]
    Start,
    /// Nothing presses against the rate, so nothing is learnt.
    Hold,
    /// No queue anywhere but ours: it searches upwards.
    Grow,
    /// No queue anywhere but ours, below what the line carried lately: back to there.
    Recall,
    /// A short queue stands on the line: just what the line carries.
    Track,
    /// A queue on the line is drained.
    Drain,
    /// Something waits on the line, and its capacity is not known.
    Cut,
    /// Probes that should be back are not.
    Overdue,
    /// Nobody answers.
    Silent,
}

impl Reason {
    /// Each, in the order histories number them.
    pub const ALL: [Self; 9] = [
        Self::Start,
        Self::Hold,
        Self::Grow,
        Self::Recall,
        Self::Track,
        Self::Drain,
        Self::Cut,
        Self::Overdue,
        Self::Silent,
    ];

    /// A few words for people.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Start => "nothing measured yet",
            Self::Hold => "the rate holds nobody back, nothing to learn",
            Self::Grow => "no queue on the line, trying more",
            Self::Recall => "no queue on the line, back to what it carried lately",
            Self::Track => "a short queue on the line, just what it carries",
            Self::Drain => "draining a queue on the line",
            Self::Cut => "packets wait on the line, trying less",
            Self::Overdue => "answers are overdue",
            Self::Silent => "nobody answers, counters alone decide",
        }
    }
}

/// How much can be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Hardly any traffic.
    #[default]
    Idle,
    /// Some traffic.
    Light,
    /// The line is worked hard.
    Loaded,
    /// Nobody answers although we send: counters only.
    Blind,
}

impl State {
    /// A word for people.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Light => "light",
            Self::Loaded => "loaded",
            Self::Blind => "blind",
        }
    }
}

/// What the controller thinks of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// The rate it has asked for.
    pub rate: Rate,
    /// What the line carries, by the last measurement; zero: not measured.
    pub capacity: Rate,
    /// What it carried in the last half minute of measuring.
    pub level: Rate,
    /// Nothing has waited on the line yet, so that it may carry more.
    pub is_least: bool,
    /// How long a packet sent now would wait on the line.
    pub wait: Micros,
    /// The wait aimed at.
    pub target: Micros,
    /// How much answers differ for no reason of ours.
    pub jitter: Micros,
    /// Why the rate is what it is.
    pub reason: Reason,
    /// How much can be seen.
    pub state: State,
    /// How often the rate was changed.
    pub changes: u32,
}
