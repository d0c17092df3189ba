// SPDX-License-Identifier: Apache-2.0
//! What those who listen are told as it happens. While nobody does, nothing of it is made.

use super::{Daemon, Level};
use crate::report::{Fact, about};
use crate::scribe::Scribe;
use crate::units::{Rate, Way};
use alloc::string::String;

/// What somebody may listen for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// All there is, every change of a rate too: somebody has subscribed.
    pub all: bool,
    /// What is seldom: there is a bus, and nobody knows who hears its events.
    pub seldom: bool,
}

/// Something that has just happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A rate is another.
    Rate {
        /// The line's place in the configuration.
        line: usize,
        /// Which direction.
        way: Way,
        /// What it was.
        old: Rate,
        /// What it is.
        new: Rate,
    },
    /// A line stands otherwise than before; in words.
    State(String),
    /// Something is wrong that is no service level.
    Alert(Level, String),
    /// What was done about a service level is undone.
    Undone(String),
    /// A service level is broken, or kept again.
    Broken {
        /// How loud it was said.
        level: Level,
        /// In words.
        text: String,
        /// What status tells of it, while it is broken.
        alert: Fact,
        /// It is over.
        is_over: bool,
    },
    /// The configuration was read: taken, or refused.
    Config {
        /// It is in force.
        is_taken: bool,
    },
}

impl News {
    /// What listeners know it by.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Rate { .. } => "rate",
            Self::State(_) => "state",
            Self::Alert(..) | Self::Undone(_) | Self::Broken { .. } => "alert",
            Self::Config { .. } => "config",
        }
    }

    /// The event that is sent besides, for those who follow no object.
    pub const fn event(&self) -> Option<&'static str> {
        match self {
            Self::State(_) => Some("weir.state"),
            Self::Alert(..) | Self::Undone(_) | Self::Broken { .. } => Some("weir.alert"),
            Self::Rate { .. } | Self::Config { .. } => None,
        }
    }

    /// As fields.
    pub fn write(&self, daemon: &Daemon, out: &mut dyn Scribe) {
        match self {
            Self::Rate { line, way, old, new } => {
                out.text("wan", &daemon.plan.lines.get(*line).map_or("", |line| line.name.as_str()));
                out.text("direction", &way);
                out.count("old_bps", old.bits_per_sec());
                out.count("new_bps", new.bits_per_sec());
                let Some(view) = daemon.pilot_at(*line).and_then(|pilot| pilot.view(*way)) else { return };
                out.text("reason", &view.reason.text());
                out.text("state", &view.state.text());
                out.count("capacity_bps", about(view.level).bits_per_sec());
                out.count("wait_us", view.wait.0);
                out.count("aim_us", view.target.0);
            }
            Self::State(text) => out.text("text", text),
            Self::Alert(level, text) => {
                out.text("level", &level.word());
                out.text("text", text);
                out.flag("cleared", false);
                out.null("alert");
            }
            Self::Undone(text) => {
                out.text("level", &Level::Info.word());
                out.text("text", text);
                out.flag("cleared", true);
                out.null("alert");
            }
            Self::Broken { level, text, alert, is_over } => {
                out.text("level", &level.word());
                out.text("text", text);
                out.flag("cleared", *is_over);
                out.table("alert", |out| alert.write(out));
            }
            Self::Config { is_taken } => {
                out.flag("taken", *is_taken);
                out.flag("enabled", daemon.config.as_ref().is_some_and(|config| config.globals.enabled));
            }
        }
    }
}
