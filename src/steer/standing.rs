// SPDX-License-Identifier: Apache-2.0
//! How a steered or held line stands, as the daemon tells `status` and `plan`: a line of text for each direction.

use super::Pilot;
use crate::config::Config;
use crate::control::{State, View};
use crate::report::about;
use crate::tc::Tree;
use crate::tc::memo::Memo;
use crate::tc::plan::{World, plan_with};
use crate::tc::speed::{Speed, Speeds};
use crate::units::{Micros, Rate, Way};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Waits for its queues; somebody else holds it; no daemon is there; or what its controller sees.
const STATES: [&str; 7] = ["waiting", "held", "left", "idle", "light", "loaded", "blind"];

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
    /// How long they may.
    pub aim: Option<Micros>,
    /// How long it is held yet.
    pub held: Option<Micros>,
    /// Waiting for its queues, held, left behind, or what its controller sees (`STATES`).
    pub state: &'static str,
    /// All of it for people.
    pub text: String,
}

impl Standing {
    /// Of a direction with its pilot, if it is steered, or the time it is still held.
    pub fn new(place: usize, way: Way, speed: Speed, pilot: Option<&Pilot>, held: Option<Micros>) -> Self {
        let view = pilot.and_then(|pilot| pilot.view(way));
        let (state, text) = match (held, view) {
            (Some(left), _) => ("held", format!("held, for {left} more")),
            (None, Some(view)) => (view.state.text(), following(&view)),
            (None, None) => ("waiting", "waits for its queues".into()),
        };
        let capacity = view.map(|view| view.level).filter(|rate| *rate > Rate::ZERO);
        let wait = view.filter(|view| view.state != State::Blind && view.level > Rate::ZERO);
        let (wait, aim) = (wait.map(|view| view.wait), view.map(|view| view.target));
        Self { place, way, speed, capacity, wait, aim, held, state, text }
    }

    /// How the steered directions of `config` stand that a daemon left behind, by the kernel's word; `why` there is no other.
    pub fn left(config: &Config, world: &World, tree: &Tree, why: &str) -> Vec<Self> {
        let mut steered = Speeds::default();
        for (place, wan) in config.wans.iter().enumerate() {
            for way in Way::ALL.into_iter().filter(|way| wan.steers(*way)) {
                // Any speed: what is asked is where the queues would be.
                steered.set(place, way, Some(Speed::fixed(Rate::mbit(1))));
            }
        }
        let plan = plan_with(config, world, &steered, &mut Memo::default());
        let mut left = Vec::new();
        for tune in &plan.tunes {
            let (place, way) = (tune.line, tune.way);
            let device = tree.device(&tune.device).filter(|_| steered.get(place, way).is_some());
            if let Some(speed) = device.and_then(|device| Speed::of(device, tune.kit, &config.classes)) {
                let (capacity, wait, aim, held, state) = (None, None, None, None, "left");
                left.push(Self { place, way, speed, capacity, wait, aim, held, state, text: why.into() });
            }
        }
        left
    }

    /// One line of text.
    pub fn to_text(&self) -> String {
        let Self { place, way, speed, capacity, wait, aim, held, state, text } = self;
        let bits = |rate: Option<Rate>| rate.map_or(0, Rate::bits_per_sec);
        let [line, shares] = [speed.line, speed.shares].map(Rate::bits_per_sec);
        let [wait, aim, held] = [wait, aim, held].map(|time| time.map_or(0, |time| time.0 + 1));
        let capacity = bits(*capacity);
        format!("{place} {} {line} {shares} {capacity} {wait} {aim} {held} {state} {text}", *way as usize)
    }

    /// Reads such a line.
    pub fn from_text(line: &str) -> Option<Self> {
        let mut words = line.splitn(10, ' ');
        let mut number = || words.next()?.parse::<u64>().ok();
        let (place, way) = (number()?, number()?);
        let speed = Speed { line: Rate::bits(number()?), shares: Rate::bits(number()?) };
        let capacity = Some(number()?).filter(|bits| *bits > 0).map(Rate::bits);
        let mut time = || Some(number()?.checked_sub(1).map(Micros));
        let (wait, aim, held) = (time()?, time()?, time()?);
        let state = words.next()?;
        Some(Self {
            place: usize::try_from(place).ok()?,
            way: Way::ALL.get(usize::try_from(way).ok()?).copied()?,
            speed,
            capacity,
            wait,
            aim,
            held,
            state: STATES.into_iter().find(|known| *known == state)?,
            text: words.next()?.into(),
        })
    }
}

/// What a controller thinks, in a line of text.
fn following(view: &View) -> String {
    let (state, reason) = (view.state.text(), view.reason.text());
    match (view.level, view.state) {
        (Rate::ZERO, _) => format!("{state}: {reason}"),
        (rate, _) if view.is_least => {
            format!("{state}: {reason}; carries {} at least, nothing has waited on it yet", about(rate))
        }
        (rate, State::Blind) => format!("{state}: {reason}; last seen to carry {}", about(rate)),
        (rate, _) => {
            let (carries, wait) = (about(rate), view.wait);
            format!("{state}: {reason}; last seen to carry {carries}, waits {wait} (aim {})", view.target)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Engine;
    use crate::report::{Seen, Told, snapshot};
    use crate::tc::Link;
    use crate::tc::shape::guaranteed;
    use crate::units::{DeviceName, Permille};

    #[test]
    fn a_line_on_which_nothing_has_waited_is_not_said_to_be_known() {
        let view = View { level: Rate::mbit(20), is_least: true, ..View::default() };
        assert_eq!(
            following(&view),
            "idle: nothing measured yet; carries 20 Mbit/s at least, nothing has waited on it yet"
        );
        assert!(!following(&View { is_least: false, ..view }).contains("at least"));
    }

    #[test]
    fn no_limit_is_shown_above_a_line_whose_classes_follow_in_steps() {
        let name = DeviceName::new("eth0").expect("a name");
        let links = alloc::vec![Link::ethernet(2, name)];
        let world = World { links: links.clone(), default_route: Some(name), ..World::default() };
        let config = Config::default();
        let mut speeds = Speeds::default();
        let speed = Speed { line: Rate::mbit(20), shares: Rate::mbit(21) };
        speeds.set(0, Way::Up, Some(speed));
        let plan = plan_with(&config, &world, &speeds, &mut Memo::default());
        let widest = plan.tree.devices[0].classes.iter().map(|class| class.ceil).max();
        assert!(widest > Some(speed.line), "classes are made for more than the line has");
        let seen = Seen { links: &links, tree: &plan.tree, counters: &[] };
        let report = snapshot(&config, &plan, &seen);
        let limits: Vec<Rate> = report.lines[0].upload.classes.iter().map(|class| class.ceil).collect();
        assert_eq!(limits.iter().max(), Some(&speed.line), "{limits:?}");
    }

    #[test]
    fn queues_that_a_killed_daemon_left_are_shown_as_they_stand_and_not_called_unshaped() {
        let name = DeviceName::new("eth0").expect("a name");
        let mut links = alloc::vec![Link::ethernet(2, name)];
        let world = World { links: links.clone(), default_route: Some(name), ..World::default() };
        let mut config = Config::default();
        links.push(Link { kind: "ifb".into(), ..Link::ethernet(3, crate::tc::plan::ifb_name("wan")) });
        for (engine, most, given) in [
            (Engine::Htb, 1000, None),
            (Engine::Htb, 937, None),
            (Engine::Htb, 333, None),
            (Engine::Htb, 1000, Some(Rate::mbit(50))),
            (Engine::Cake, 1000, None),
        ] {
            config.wans[0].engine = engine;
            // Rates that follow a line with a speed are not that speed.
            (config.wans[0].upload, config.wans[0].steer.adapt) = (given, Some(true));
            config.classes.iter_mut().for_each(|class| class.limit = class.limit.min(Permille(most)));
            let mut speeds = Speeds::default();
            for (way, kbit) in Way::ALL.into_iter().zip([11_713, 77_771]) {
                let speed = Speed::fixed(Rate::kbit(kbit + 900));
                speeds.set(0, way, Some(speed.follow(Rate::kbit(kbit), guaranteed(&config.classes))));
            }
            let plan = plan_with(&config, &world, &speeds, &mut Memo::default());
            let left = Standing::left(&config, &world, &plan.tree, "no daemon runs");
            let mut found = Speeds::default();
            left.iter().for_each(|one| found.set(one.place, one.way, Some(one.speed)));
            let wanted = plan_with(&config, &world, &found, &mut Memo::default());
            let seen = Seen { links: &links, tree: &plan.tree, counters: &[] };
            let mut report = snapshot(&config, &wanted, &seen);
            report.add(Told { standings: left, ..Told::default() });
            let mut text = String::new();
            report.write_text(&mut text).expect("a String takes everything");
            assert!(report.is_shaping(), "{most} {text}");
            assert!(text.contains("upload   shaped to 11.71") && text.contains("no daemon runs"), "{text}");
            assert!(text.contains("download shaped to 77.77"), "{text}");
        }
        assert_eq!(Standing::left(&config, &world, &Tree::default(), ""), [], "nothing stands");
    }
}
