// SPDX-License-Identifier: Apache-2.0
//! How everything stands, out of what the daemon knows anyway: nothing is read for it.

use super::Daemon;
use super::history::{Kept, rate};
use crate::config::Class;
use crate::measure::counters::Slot;
use crate::steer::Standing;
use crate::tc::plan;
use crate::units::{Permille, Time, Way};
use crate::watch::moment::{self, Direction, Line, Load, Moment};
use crate::watch::sla::Look;
use alloc::string::ToString;

/// As much of what was said fits in a window.
const SAID: usize = 16;

impl Daemon {
    /// How everything stands.
    pub(super) fn moment(&self, now: Time) -> Moment {
        let told = self.told(now);
        let line = |(place, line): (usize, &plan::Line)| {
            let probing = told.probing.iter().find(|(at, _)| *at == place);
            Line {
                name: line.name.clone(),
                device: line.device.map(|device| device.to_string()),
                probes: probing.map(|(_, probing)| probing.to_string()).unwrap_or_default(),
                ways: Way::ALL.map(|way| {
                    let planned = if way == Way::Up { &line.upload } else { &line.download };
                    let standing = told.standings.iter().find(|one| one.place == place && one.way == way);
                    self.direction(place, way, planned, standing)
                }),
            }
        };
        Moment {
            version: env!("CARGO_PKG_VERSION").into(),
            lines: self.plan.lines.iter().enumerate().map(line).collect(),
            said: self.events.last(now, SAID),
            facts: told.facts,
        }
    }

    fn direction(
        &self,
        place: usize,
        way: Way,
        planned: &plan::Direction,
        standing: Option<&Standing>,
    ) -> Direction {
        let (state, text) = match (planned, standing) {
            (plan::Direction::Off(why), _) => ("off", why.as_str()),
            (plan::Direction::Blocked(why), _) => ("blocked", why.as_str()),
            (plan::Direction::Shaped { .. }, Some(standing)) => (standing.state, standing.text.as_str()),
            (plan::Direction::Shaped { .. }, None) => ("fixed", ""),
        };
        let mut direction = Direction { state: state.into(), text: text.into(), ..Direction::default() };
        if let plan::Direction::Shaped { .. } = planned {
            direction.rate = Some(rate(&self.speeds, &self.plan, place, way));
        }
        if let Some(standing) = standing {
            (direction.capacity, direction.wait, direction.aim) =
                (standing.capacity, standing.wait, standing.aim);
        }
        let kept = self.kept.iter().find(|kept| kept.place == place && kept.tap.is_some());
        let look = kept.and_then(|kept| Some((kept, kept.looks.get(way as usize)?.as_ref()?)));
        if let Some((kept, look)) = look {
            let classes = self.config.as_ref().map_or(&[][..], |config| &config.classes);
            direction.tell(kept, way, look, classes);
        }
        direction
    }
}

impl Direction {
    /// What it did in the last second.
    fn tell(&mut self, kept: &Kept, way: Way, look: &Look, classes: &[Class]) {
        let whole = kept.whole.as_ref();
        let all = whole.and_then(|whole| whole.all.get(way as usize)).copied().unwrap_or_default();
        self.all =
            Load { sent: look.all.sent, waiting: look.all.waiting, drops: all.drops, marks: all.marks };
        let queue = whole.and_then(|whole| whole.queues.get(way as usize)?.as_ref());
        let slot = |n: usize| -> Option<&Slot> { queue?.classes.get(usize::from(*kept.slots.get(n)?)) };
        for (n, (class, load)) in classes.iter().zip(&look.classes).enumerate() {
            let Some(Slot { drops, marks, .. }) = slot(n) else { continue };
            let share = if look.is_shared { class.guarantee } else { Permille(0) };
            let (drops, marks) = (u64::from(*drops), u64::from(*marks));
            let load = Load { sent: load.sent, waiting: load.waiting, drops, marks };
            let delay = look.classes.get(n).and_then(|load| load.delay);
            self.classes.push(moment::Class { name: class.name.clone(), share, delay, load });
        }
    }
}
