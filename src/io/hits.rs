// SPDX-License-Identifier: Apache-2.0
//! Which rules packets meet, for somebody who asks the daemon: counted from the first question on, and no longer than a
//! moment after the last one. While nobody asks there is no socket, no timer and no memory of it.

use super::count::Count;
use crate::classify::scheme::Scheme;
use crate::config::Wan;
use crate::daemon::Daemon;
use crate::limits;
use crate::report::hits::Hits;
use crate::scribe::Scribe;
use crate::tc::{Link, classifier};
use crate::units::{DeviceName, Micros, Time, Way};
use std::io;

/// How long is counted after somebody asked.
const SPAN: Micros = Micros::secs(10);
/// How often what came is looked at.
const TURN: Micros = Micros::ms(50);
/// Packets a turn looks at, on all lines together.
const LIMIT: u32 = limits::HITS / 20;

/// A line that is counted.
struct Line {
    name: String,
    device: DeviceName,
    index: u32,
    /// The configuration whose rules are counted.
    edition: u32,
    began: Time,
    until: Time,
    count: Count,
}

/// All that are.
#[derive(Default)]
pub struct Asked {
    lines: Vec<Line>,
    turn_at: Time,
}

/// Why nothing is counted.
pub enum Refusal {
    /// There is no such line.
    NoLine,
    /// It has no device now.
    NoDevice(String),
    /// The system's.
    Unseen(io::Error),
}

impl Asked {
    /// When [`Self::turn`] is due.
    pub fn due(&self) -> Option<Time> {
        (!self.lines.is_empty()).then_some(self.turn_at)
    }

    /// Looks at what came, and ends what nobody asks for any more.
    pub fn turn(&mut self, now: Time, daemon: &Daemon) {
        if self.lines.is_empty() || now < self.turn_at {
            return;
        }
        self.turn_at = now + TURN;
        // Rules that are others now are counted from the next question on.
        self.lines.retain(|line| now < line.until && line.edition == daemon.edition());
        let limit = (LIMIT / self.lines.len().max(1) as u32).max(1);
        for line in &mut self.lines {
            if let Some((_, schemes)) = schemes(daemon, Some(&line.name)) {
                line.count.turn(&schemes, limit);
            }
        }
    }

    /// Counts on, or from now on, the first line if none is named; tells what was counted so far.
    ///
    /// # Errors
    /// Why it cannot be.
    pub fn ask(
        &mut self,
        now: Time,
        daemon: &Daemon,
        links: &[Link],
        name: Option<&str>,
        out: &mut dyn Scribe,
    ) -> Result<(), Refusal> {
        let (place, schemes) = schemes(daemon, name).ok_or(Refusal::NoLine)?;
        let line = daemon.plan().lines.get(place).ok_or(Refusal::NoLine)?;
        let link = links.iter().find(|link| Some(link.name) == line.device);
        let link = link.ok_or_else(|| Refusal::NoDevice(line.name.clone()))?;
        // A device that came anew is another one, and so is its socket.
        let is_it = |known: &Line| known.name == line.name && known.edition == daemon.edition();
        let is_same = |known: &Line| is_it(known) && known.index == link.index;
        self.lines.retain(|known| known.name != line.name || is_same(known));
        if !self.lines.iter().any(is_it) {
            let count = Count::begin(link.index, link.header_bytes(), &schemes).map_err(Refusal::Unseen)?;
            if self.lines.is_empty() {
                self.turn_at = now + TURN;
            }
            self.lines.push(Line {
                name: line.name.clone(),
                device: link.name,
                index: link.index,
                edition: daemon.edition(),
                began: now,
                until: now,
                count,
            });
        }
        let Some(known) = self.lines.iter_mut().find(|known| is_it(known)) else { return Ok(()) };
        known.until = now + SPAN;
        let ([up, down], [went, came]) = (&schemes, &known.count.tallies);
        let hits = Hits {
            wan: &known.name,
            device: known.device,
            span: now - known.began,
            left: known.until - now,
            passed: known.count.passed,
            is_limited: known.count.is_limited,
            ways: [(up, went), (down, came)],
        };
        hits.write(out);
        Ok(())
    }
}

/// The place of a line, and what is decided of its packets in each direction.
fn schemes<'a>(daemon: &'a Daemon, name: Option<&str>) -> Option<(usize, [Scheme<'a>; 2])> {
    let config = daemon.config()?;
    let is_it = |wan: &Wan| name.is_none_or(|name| wan.name == name);
    let place = config.wans.iter().position(is_it)?;
    let wan = config.wans.get(place)?;
    let device = daemon.plan().lines.get(place)?.device;
    let header = daemon.plan().headers.iter().find(|(known, _)| Some(*known) == device);
    let header = header.map_or(14, |(_, bytes)| *bytes);
    Some((place, Way::ALL.map(|way| classifier::scheme(config, wan, way, header, None, true))))
}
