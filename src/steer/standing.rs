// SPDX-License-Identifier: Apache-2.0
//! How a steered or held line stands, as the daemon tells `status` and `plan`: a line of text for each direction.

use super::Pilot;
use crate::control::{State, View};
use crate::report::about;
use crate::tc::speed::Speed;
use crate::units::{Micros, Rate, Way};
use alloc::format;
use alloc::string::String;

/// How one direction of a steered or held line stands, as the daemon tells the other commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The line's place in the configuration.
    pub place: usize,
    /// Which direction.
    pub way: Way,
    /// What it is steered to.
    pub speed: Speed,
    /// What it carries, as far as is known.
    pub capacity: Option<Rate>,
    /// How long packets wait in the line.
    pub wait: Option<Micros>,
    /// All of it for people.
    pub text: String,
}

impl Standing {
    /// Of a direction with its pilot, if it is steered, or the time it is still held.
    pub fn new(place: usize, way: Way, speed: Speed, pilot: Option<&Pilot>, held: Option<Micros>) -> Self {
        let view = pilot.and_then(|pilot| pilot.view(way));
        let text = match (held, view) {
            (Some(left), _) => format!("held, for {left} more"),
            (None, Some(view)) => following(&view),
            (None, None) => "waits for its queues".into(),
        };
        let capacity = view.map(|view| view.level).filter(|rate| *rate > Rate::ZERO);
        let wait = view.filter(|view| view.state != State::Blind && view.level > Rate::ZERO);
        Self { place, way, speed, capacity, wait: wait.map(|view| view.wait), text }
    }

    /// One line of text.
    pub fn to_text(&self) -> String {
        let Self { place, way, speed, capacity, wait, text } = self;
        let bits = |rate: Option<Rate>| rate.map_or(0, Rate::bits_per_sec);
        let [line, shares] = [speed.line, speed.shares].map(Rate::bits_per_sec);
        let (capacity, wait) = (bits(*capacity), wait.map_or(0, |wait| wait.0 + 1));
        format!("{place} {} {line} {shares} {capacity} {wait} {text}", *way as usize)
    }

    /// Reads such a line.
    pub fn from_text(line: &str) -> Option<Self> {
        let mut words = line.splitn(7, ' ');
        let mut number = || words.next()?.parse::<u64>().ok();
        let (place, way) = (number()?, number()?);
        let speed = Speed { line: Rate::bits(number()?), shares: Rate::bits(number()?) };
        let (capacity, wait) = (Some(number()?).filter(|bits| *bits > 0), number()?.checked_sub(1));
        Some(Self {
            place: usize::try_from(place).ok()?,
            way: Way::ALL.get(usize::try_from(way).ok()?).copied()?,
            speed,
            capacity: capacity.map(Rate::bits),
            wait: wait.map(Micros),
            text: words.next()?.into(),
        })
    }
}

/// What a controller thinks, in a line of text.
fn following(view: &View) -> String {
    let (state, reason) = (view.state.text(), view.reason.text());
    match (view.level, view.state) {
        (Rate::ZERO, _) => format!("{state}: {reason}"),
        (rate, State::Blind) => format!("{state}: {reason}; last seen to carry {}", about(rate)),
        (rate, _) => {
            let (carries, wait) = (about(rate), view.wait);
            format!("{state}: {reason}; last seen to carry {carries}, waits {wait} (aim {})", view.target)
        }
    }
}
