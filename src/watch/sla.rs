// SPDX-License-Identifier: Apache-2.0
//! Whether lines keep their service levels: what was measured in each second, against every level.
//!
//! A level is broken when it was wrong in every second of its span, and kept again when it was right, with a tenth to
//! spare, for as long. What could not be measured, or nobody wanted, is not wrong. `alert` makes one alert of what has one
//! cause.
//!
//! How long a packet of a class waits is its own queue's delay and what the line adds. The first is CAKE's own average of
//! the class's tin; of HTB it is the bytes that wait, by what left the queue in the last second, sent or
//! dropped (fq_codel drops at the head, so a flood that is dropped by half waits for half as long). That is a guess: what
//! waits is seen at one moment, and a class that sends in bursts drained faster than in the second on average. So where
//! it matters ([`Judge::doubts`]) the kernel is asked how long the last packet of each of its flows waited, and where the
//! guess is off by more than twice the median counts. The second is what the line's probes measured, where there are any.

use crate::config::threshold::{Metric, Threshold};
use crate::config::{Class, Config};
use crate::limits;
use crate::units::{Micros, Rate, Time, Way};
use alloc::vec::Vec;

/// What one class, or all of a direction, did in a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Bits sent.
    pub sent: u64,
    /// Packets sent.
    pub packets: u32,
    /// Packets dropped.
    pub drops: u32,
    /// Packets marked.
    pub marks: u32,
    /// Bytes that wait at its end.
    pub waiting: u64,
    /// How long they wait; `None`: nothing came, or it is not known.
    pub delay: Option<Micros>,
    /// The same by what waits and drains alone, where that is only a guess.
    pub guess: Option<Micros>,
}

/// What one direction of a line did in a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// What it is shaped to.
    pub rate: Rate,
    /// What the line carries, where that is measured.
    pub capacity: Option<Rate>,
    /// How long packets wait on the line, where that is measured.
    pub wait: Option<Micros>,
    /// All of it.
    pub all: Load,
    /// Its classes, in the order of the configuration.
    pub classes: [Load; limits::CLASSES],
    /// Whether classes are promised a share: CAKE shares in its own way.
    pub is_shared: bool,
    /// How long packets wait in a CAKE's tins, in the order a snapshot has them in.
    pub tins: [Option<Micros>; limits::CLASSES],
}

/// A class that has less than two full packets waiting may have all it wants.
pub(super) const WANTS: u64 = 3000;
/// Of fewer packets in a second no loss is told: one of three is not a third.
const ENOUGH: u32 = 20;

impl Load {
    /// Bits that left its queue, sent or dropped; those dropped are taken to be as large as those sent.
    pub fn left(self) -> u64 {
        let dropped = self.sent.saturating_mul(self.drops.into()).checked_div(self.packets.into());
        self.sent.saturating_add(dropped.unwrap_or(0))
    }

    /// A guess of how long packets wait, and what its flows say, if they were asked. Flows that nothing was taken from in the
    /// second cannot say.
    pub const fn guessed(self, guess: Option<Micros>, median: Micros) -> Self {
        let delay = match guess {
            Some(Micros(guess)) if median.0 > 0 && self.packets > 0 => {
                let is_off = guess > median.0.saturating_mul(2) || median.0 > guess.saturating_mul(2);
                Some(if is_off { median } else { Micros(guess) })
            }
            other => other,
        };
        Self { delay, guess, ..self }
    }

    /// How long bytes wait that leave at this speed.
    pub fn delay_of(waiting: u64, speed: Rate) -> Option<Micros> {
        let micros = waiting.saturating_mul(8_000_000).checked_div(speed.bits_per_sec())?;
        Some(Micros(micros).min(LONGEST))
    }
}

/// More than any level is about.
const LONGEST: Micros = Micros::secs(100);

impl Look {
    fn load(&self, class: Option<usize>) -> Option<&Load> {
        class.map_or(Some(&self.all), |n| self.classes.get(n))
    }

    /// How long packets of a class or tin wait, queue and line, in the order a snapshot has them in.
    pub fn delay(&self, n: usize) -> Option<Micros> {
        if self.is_shared {
            return self.measure(Metric::Latency, Some(n)).map(Micros);
        }
        let delay = (*self.tins.get(n)?)?;
        Some(Micros(delay.0 + self.wait.map_or(0, |wait| wait.0)))
    }

    /// The same of all of a CAKE.
    pub fn delay_of_all(&self) -> Option<Micros> {
        let is_used = !self.is_shared && (self.all.packets > 0 || self.all.waiting > 0);
        self.measure(Metric::Latency, None).filter(|_| is_used).map(Micros)
    }

    /// What a metric says, of a class or of all; `None`: nothing.
    pub fn measure(&self, metric: Metric, class: Option<usize>) -> Option<u64> {
        let load = self.load(class)?;
        let of_rate = |bits: u64| bits.saturating_mul(1000).checked_div(self.rate.bits_per_sec());
        match metric {
            Metric::Latency => Some(load.delay?.0 + self.wait.map_or(0, |wait| wait.0)),
            Metric::Loss => {
                let all = load.packets.saturating_add(load.drops);
                let lost = u64::from(load.drops) * 1000;
                (all >= ENOUGH).then(|| lost.div_ceil(u64::from(all)))
            }
            Metric::Share => of_rate(load.sent).filter(|_| self.is_shared && load.waiting >= WANTS),
            Metric::Utilisation => of_rate(load.sent),
            Metric::Drops => Some(load.drops.into()),
            Metric::Marks => Some(load.marks.into()),
            Metric::Throughput => Some(load.sent),
            Metric::Capacity => self.capacity.map(Rate::bits_per_sec),
        }
    }
}

/// Which level, of which line and direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The level's place in [`Judge::levels`].
    pub level: usize,
    /// The line's place in the configuration.
    pub line: usize,
    /// The direction.
    pub way: Way,
    /// The class's place in the configuration.
    pub class: Option<usize>,
}

/// How long a level is broken, or kept again.
#[derive(Clone, Copy, Debug)]
struct State {
    spot: Spot,
    /// Since when it has been wrong while it was kept, right while it was broken.
    since: Option<Time>,
    is_broken: bool,
}

/// What became of a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is broken, by this measurement.
    Broken(u64),
    /// It is kept again.
    Kept,
}

/// All levels of all lines.
#[derive(Debug, Default)]
pub struct Judge {
    levels: Vec<Threshold>,
    states: Vec<State>,
}

impl Judge {
    /// Of a configuration.
    pub fn new(config: &Config) -> Self {
        let levels = Threshold::all(config);
        let mut states = Vec::new();
        for (n, level) in levels.iter().enumerate() {
            let class = level.class.as_ref().and_then(|name| place(&config.classes, name));
            if level.class.is_some() && class.is_none() {
                continue;
            }
            let is_meant = |name: &str| level.wan.as_deref().is_none_or(|only| only == name);
            let wans = config.wans.iter().enumerate().filter(|(_, wan)| wan.enabled && is_meant(&wan.name));
            for (line, _) in wans {
                let ways = Way::ALL.into_iter().filter(|way| level.way.is_none_or(|only| only == *way));
                states.extend(ways.map(|way| State {
                    spot: Spot { level: n, line, way, class },
                    since: None,
                    is_broken: false,
                }));
            }
        }
        Self { levels, states }
    }

    /// The levels, the classes' first.
    pub fn levels(&self) -> &[Threshold] {
        &self.levels
    }

    /// Whether it judges by the same levels on the same lines.
    pub fn is_like(&self, other: &Self) -> bool {
        self.levels == other.levels
            && self.states.iter().map(|state| state.spot).eq(other.states.iter().map(|state| state.spot))
    }

    /// Whether some level has been wrong for a while and is not broken yet.
    pub fn has_doubts(&self) -> bool {
        self.states.iter().any(|state| !state.is_broken && state.since.is_some())
    }

    /// Which classes' delays are to be looked at closer, as a bit for each of their places in the configuration: by the guess
    /// they come near a level, by a factor of two, or they have broken it.
    pub fn doubts(&self, line: usize, way: Way, look: &Look) -> u16 {
        let mut doubts = 0;
        for State { spot, is_broken, .. } in &self.states {
            let level = self.levels.get(spot.level).filter(|level| level.metric == Metric::Latency);
            let guess = spot.class.and_then(|class| look.classes.get(class)).and_then(|load| load.guess);
            if let (Some(class), Some(level), Some(guess)) = (spot.class, level, guess)
                && (spot.line, spot.way) == (line, way)
                && (*is_broken || (guess.0 + look.wait.map_or(0, |wait| wait.0)) * 2 > level.value)
            {
                doubts |= 1 << class;
            }
        }
        doubts
    }

    /// Nothing is known of a line any more: what was broken of it is told.
    pub fn forget(&mut self, line: usize, tell: &mut dyn FnMut(Spot)) {
        for state in self.states.iter_mut().filter(|state| state.spot.line == line) {
            state.since = None;
            if core::mem::take(&mut state.is_broken) {
                tell(state.spot);
            }
        }
    }

    /// Takes what a direction did in the second before `now`; `None`: nothing is known of it any more.
    pub fn look(
        &mut self,
        now: Time,
        line: usize,
        way: Way,
        look: Option<&Look>,
        tell: &mut dyn FnMut(Spot, Verdict),
    ) {
        for state in &mut self.states {
            let spot = state.spot;
            if (spot.line, spot.way) != (line, way) {
                continue;
            }
            let Some(level) = self.levels.get(spot.level) else { continue };
            let got = look.and_then(|look| look.measure(level.metric, spot.class));
            let turns = match (state.is_broken, got) {
                (false, got) => got.is_some_and(|got| level.is_broken_by(got)),
                (true, got) => got.is_none_or(|got| level.is_kept_by(got)),
            };
            if !turns {
                state.since = None;
                continue;
            }
            // The second that has just ended belongs to it.
            let since = *state.since.get_or_insert(now);
            if now + Micros::secs(1) - since < level.span {
                continue;
            }
            state.since = None;
            state.is_broken = !state.is_broken;
            tell(spot, if state.is_broken { Verdict::Broken(got.unwrap_or(0)) } else { Verdict::Kept });
        }
    }
}

/// The place of a class.
fn place(classes: &[Class], name: &str) -> Option<usize> {
    classes.iter().position(|class| class.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read::load;

    const FILE: &str = "config wan 'home'\nconfig wan 'lte'\n option device 'wwan0'\nconfig globals 'globals'\n option levels '0'\n\
        config threshold 'calls'\n option wan 'home'\n option direction 'up'\n option class 'critical'\n\
        option metric 'latency'\n option value '50'\n option for '3s'\n";

    fn judge() -> Judge {
        Judge::new(&load(FILE.as_bytes()).expect("no fault").0)
    }

    fn look(delay: u64) -> Look {
        let mut look = Look { rate: Rate::mbit(20), wait: Some(Micros::ms(10)), ..Look::default() };
        look.classes[0].delay = Some(Micros::ms(delay));
        look
    }

    /// What the judge says to these delays, a second each.
    fn told(judge: &mut Judge, from: u64, delays: &[u64]) -> Vec<(u64, Verdict)> {
        let mut all = Vec::new();
        for (now, delay) in (from..).zip(delays) {
            let seen = Some(look(*delay)).filter(|_| *delay != NOTHING);
            judge.look(Time(now * 1_000_000), 0, Way::Up, seen.as_ref(), &mut |_, verdict| {
                all.push((now, verdict));
            });
        }
        all
    }

    const NOTHING: u64 = 9999;

    #[test]
    fn a_level_is_broken_after_its_whole_span_and_kept_again_after_as_long() {
        let mut judge = judge();
        assert_eq!(told(&mut judge, 1, &[60, 60, 30, 60, 60]), [], "one good second begins anew");
        assert_eq!(told(&mut judge, 6, &[70]), [(6, Verdict::Broken(80_000))]);
        // 45 ms are allowed, but not a tenth less than 50.
        assert_eq!(told(&mut judge, 7, &[36, 36, 36, 36, 35, 35, 60, 35, 35]), []);
        assert_eq!(told(&mut judge, 16, &[35]), [(16, Verdict::Kept)]);
    }

    #[test]
    fn what_nobody_knows_of_any_more_is_not_broken() {
        let mut judge = judge();
        assert_eq!(told(&mut judge, 1, &[60, 60, 60]), [(3, Verdict::Broken(70_000))]);
        assert_eq!(told(&mut judge, 4, &[NOTHING; 3]), [(6, Verdict::Kept)]);
        assert_eq!(told(&mut judge, 7, &[60, 60, NOTHING, 60, 60]), []);
    }

    #[test]
    fn a_level_is_about_its_line_and_direction_alone() {
        let mut judge = judge();
        assert_eq!(judge.states.len(), 1);
        for (line, way) in [(0, Way::Down), (1, Way::Up)] {
            for now in 0..20 {
                judge.look(Time(now * 1_000_000), line, way, Some(&look(500)), &mut |spot, _| {
                    panic!("{spot:?}")
                });
            }
        }
        let all = Judge::new(&load(b"config wan 'a'\n").expect("no fault").0);
        assert_eq!(all.states.len(), 4 * 2 * 2, "two levels of each class, both directions");
        assert!(all.is_like(&Judge::new(&Config::default())) && !all.is_like(&judge));
    }

    #[test]
    fn a_guess_that_is_off_by_more_than_twice_is_what_the_flows_say_and_others_stay() {
        let load = Load { packets: 9, ..Load::default() };
        let delay = |guess: Option<u64>, median| load.guessed(guess.map(Micros), Micros(median)).delay;
        assert_eq!(delay(Some(400), 30), Some(Micros(30)));
        assert_eq!(delay(Some(400), 801), Some(Micros(801)));
        assert_eq!((delay(Some(400), 200), delay(Some(400), 800)), (Some(Micros(400)), Some(Micros(400))));
        assert_eq!((delay(Some(400), 0), delay(None, 30)), (Some(Micros(400)), None), "nobody was asked");
        let starved = Load { packets: 0, ..load };
        let guess = Some(Micros(400));
        assert_eq!(starved.guessed(guess, Micros(30)).delay, guess, "what it says is of long ago");
    }

    #[test]
    fn what_is_dropped_has_left_as_well() {
        let load = Load { sent: 10_000_000, packets: 1000, drops: 1000, ..Load::default() };
        assert_eq!(load.left(), 20_000_000);
        assert_eq!(Load { drops: 0, ..load }.left(), 10_000_000);
        assert_eq!(Load { packets: 0, ..load }.left(), 10_000_000, "nobody knows how large they were");
    }

    #[test]
    fn classes_are_looked_at_closer_when_they_come_near_their_level_and_while_it_is_broken() {
        let mut judge = judge();
        let guessed = |guess: u64| {
            let mut look = look(0);
            look.classes[0].guess = Some(Micros::ms(guess));
            look
        };
        // 10 ms of the line are in it.
        assert_eq!(judge.doubts(0, Way::Up, &guessed(15)), 0);
        assert_eq!(judge.doubts(0, Way::Up, &guessed(16)), 1);
        assert_eq!(
            (judge.doubts(0, Way::Down, &guessed(99)), judge.doubts(1, Way::Up, &guessed(99))),
            (0, 0)
        );
        assert_eq!(judge.doubts(0, Way::Up, &look(99)), 0, "what is no guess needs no second look");
        told(&mut judge, 1, &[60, 60, 60]);
        assert_eq!(judge.doubts(0, Way::Up, &guessed(1)), 1);
    }

    #[test]
    fn each_metric_is_measured_as_it_says() {
        let class = Load {
            sent: 5_000_000,
            packets: 97,
            drops: 3,
            marks: 4,
            waiting: 9000,
            delay: Some(Micros(7)),
            guess: None,
        };
        let mut look =
            Look { rate: Rate::mbit(20), wait: Some(Micros(5)), is_shared: true, ..Look::default() };
        look.classes[2] = class;
        look.all = Load { sent: 10_000_000, ..class };
        let of = |metric| (look.measure(metric, Some(2)), look.measure(metric, None));
        assert_eq!(of(Metric::Latency), (Some(12), Some(12)));
        assert_eq!(of(Metric::Loss), (Some(30), Some(30)));
        assert_eq!(of(Metric::Share), (Some(250), Some(500)));
        assert_eq!(of(Metric::Utilisation), (Some(250), Some(500)));
        assert_eq!(of(Metric::Drops), (Some(3), Some(3)));
        assert_eq!(of(Metric::Marks), (Some(4), Some(4)));
        assert_eq!(of(Metric::Throughput), (Some(5_000_000), Some(10_000_000)));
        assert_eq!(of(Metric::Capacity), (None, None));
        assert_eq!(look.measure(Metric::Latency, Some(0)), None, "nothing came");
        look.classes[2].waiting = 2999;
        assert_eq!(look.measure(Metric::Share, Some(2)), None, "it has all it wants");
        assert_eq!(Load::delay_of(12_500, Rate::mbit(1)), Some(Micros::ms(100)));
        assert_eq!(Load::delay_of(1, Rate::ZERO), None);
    }
}
