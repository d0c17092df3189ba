// SPDX-License-Identifier: Apache-2.0
//! What to try: a trace, a load and the circumstances, turned into a world.

use super::clock::{Moment, Span};
use super::flow::{App, Spec};
use super::link;
use super::reflector;
use super::shaper::Engine;
use super::tcp;
use super::trace::Trace;
use super::world::{Path, Setup};
use crate::units::Way;
use std::sync::Arc;

/// Which way the trace's line carries the load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Upload; download is ample.
    #[default]
    Up,
    /// Download; upload is ample.
    Down,
    /// Both at once; upload has the trace from its middle on.
    Both,
}

/// What runs over the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Load {
    /// Flows that take all they can get.
    #[default]
    Bulk,
    /// The same, ten seconds on and five off.
    Bursty,
    /// A household: a bulk flow, a film, someone reading, a call and a game.
    Household,
}

/// What those who answer probes are like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answers {
    /// 2 ms of noise, one answer in a hundred 15 to 60 ms late, and they tell the time.
    #[default]
    Usual,
    /// The same, but they only echo.
    Echo,
    /// The same, but they answer TCP alone.
    Tcp,
    /// The same, but they answer DNS alone.
    Dns,
    /// 8 ms of noise, one answer in twenty late.
    Noisy,
    /// One answer in ten is lost, and none gives more than one per second.
    Limited,
    /// Half of them stop for good after 20 s.
    Dying,
    /// From 30 s on all are 80 ms farther away: a new route.
    Moving,
    /// The line lets probes pass every queue, so that they never wait: a priority of their own, a proxy.
    Blind,
    /// Nobody answers.
    Silent,
}

/// See [`DIRECTIONS`].
pub const ANSWERS: [(&str, Answers); 10] = [
    ("usual", Answers::Usual),
    ("echo", Answers::Echo),
    ("tcp", Answers::Tcp),
    ("dns", Answers::Dns),
    ("noisy", Answers::Noisy),
    ("limited", Answers::Limited),
    ("dying", Answers::Dying),
    ("moving", Answers::Moving),
    ("blind", Answers::Blind),
    ("silent", Answers::Silent),
];

impl Answers {
    /// The `n`th reflector, at this distance.
    fn character(self, n: u64, distance: Span) -> reflector::Character {
        let usual = reflector::Character::at(distance);
        let at = |seconds| Moment::START + Span::secs(seconds);
        match self {
            Self::Usual => usual,
            Self::Echo => reflector::Character { tells_time: false, ..usual },
            Self::Tcp => reflector::Character { answers_icmp: false, answers_dns: false, ..usual },
            Self::Dns => reflector::Character { answers_icmp: false, answers_tcp: false, ..usual },
            Self::Noisy => reflector::Character { noise: Span::ms(8), spikes: 0.05, ..usual },
            Self::Limited => reflector::Character { loss: 0.1, pause: Span::secs(1), ..usual },
            Self::Dying if n.is_multiple_of(2) => reflector::Character { dies: at(20), ..usual },
            Self::Dying => usual,
            Self::Moving => reflector::Character { moves: Some((at(30), Span::ms(80))), ..usual },
            Self::Blind => reflector::Character { is_favoured: true, ..usual },
            Self::Silent => reflector::Character { dies: Moment::START, ..usual },
        }
    }
}

/// Names and what they stand for, for the command line.
pub const DIRECTIONS: [(&str, Direction); 3] =
    [("up", Direction::Up), ("down", Direction::Down), ("both", Direction::Both)];
/// See [`DIRECTIONS`].
pub const LOADS: [(&str, Load); 3] =
    [("bulk", Load::Bulk), ("bursty", Load::Bursty), ("household", Load::Household)];
/// See [`DIRECTIONS`].
pub const LAWS: [(&str, tcp::Kind); 3] =
    [("cubic", tcp::Kind::Cubic), ("reno", tcp::Kind::Reno), ("bbr", tcp::Kind::Bbr)];
/// See [`DIRECTIONS`].
pub const ENGINES: [(&str, Engine); 2] = [("htb", Engine::Htb), ("cake", Engine::Cake)];

/// One thing to try.
#[derive(Clone, Debug)]
pub struct Case {
    /// The capacity.
    pub trace: Arc<Trace>,
    /// Which way.
    pub direction: Direction,
    /// What runs over it.
    pub load: Load,
    /// How many bulk flows per direction.
    pub flows: u16,
    /// Who decides how fast they go.
    pub law: tcp::Kind,
    /// Whether they understand marks.
    pub has_ecn: bool,
    /// The mean round trip of flows and reflectors; each has its own within a quarter of it.
    pub rtt: Span,
    /// The line's buffers, propagation and losses.
    pub line: link::Character,
    /// A second buffer that packets pass behind the first: its rate in kbit/s, and how much it holds at that rate.
    pub second: Option<(u32, Span)>,
    /// What those who answer probes are like.
    pub answers: Answers,
    /// Which qdisc.
    pub engine: Engine,
    /// How long.
    pub length: Span,
    /// Which world.
    pub seed: u64,
}

/// How many reflectors there are.
const REFLECTORS: u64 = 10;
/// Bulk flows begin one after another within this.
const BEGIN: Span = Span::ms(400);
/// What an ample line carries at least, in kbit/s.
const AMPLE: f64 = 100_000.0;

impl Case {
    /// Four CUBIC uploads for 90 s over a line with a buffer of 500 ms, round trips of 30 to 50 ms.
    pub fn new(trace: Arc<Trace>) -> Self {
        Self {
            trace,
            direction: Direction::Up,
            load: Load::Bulk,
            flows: 4,
            law: tcp::Kind::Cubic,
            has_ecn: false,
            rtt: Span::ms(40),
            line: link::Character { buffer: Span::ms(500), ..link::Character::default() },
            second: None,
            answers: Answers::Usual,
            engine: Engine::Htb,
            length: Span::secs(90),
            seed: 1,
        }
    }

    /// The directions the trace limits.
    pub fn ways(&self) -> &'static [Way] {
        match self.direction {
            Direction::Up => &[Way::Up],
            Direction::Down => &[Way::Down],
            Direction::Both => &Way::ALL,
        }
    }

    /// Builds the world's description.
    pub fn setup(&self) -> Setup {
        let path = |way: Way| -> Path {
            let trace = match (self.direction, way) {
                (Direction::Both, Way::Up) => Arc::new(self.trace.from_its_middle()),
                (Direction::Up, Way::Up) | (Direction::Down | Direction::Both, Way::Down) => {
                    Arc::clone(&self.trace)
                }
                (Direction::Up, Way::Down) | (Direction::Down, Way::Up) => {
                    let kbit = (4.0 * self.trace.quantile(1.0)).max(AMPLE);
                    return vec![(Arc::new(Trace::constant("ample", kbit as u32)), self.ample())];
                }
            };
            let mut path = vec![(trace, self.line.clone())];
            if let Some((kbit, buffer)) = self.second {
                let behind = Arc::new(Trace::constant("second", kbit));
                path.push((behind, link::Character { buffer, ..link::Character::default() }));
            }
            path
        };
        // Near and far ones mixed, so that any six of them are like all.
        let distance = |n| self.distance(n * 7 % REFLECTORS, REFLECTORS);
        let reflectors = (0..REFLECTORS).map(|n| self.answers.character(n, distance(n)));
        Setup {
            up: path(Way::Up),
            down: path(Way::Down),
            flows: self.traffic(),
            reflectors: reflectors.collect(),
            engine: self.engine,
            seed: self.seed,
            length: self.length,
        }
    }

    /// The way nobody measures loses and delays nothing but by its grants.
    fn ample(&self) -> link::Character {
        link::Character { jitter: Span::ZERO, loss: 0.0, reorder: 0.0, ..self.line.clone() }
    }

    /// The `n`th of `of` round trips around the mean.
    fn distance(&self, n: u64, of: u64) -> Span {
        let place = if of > 1 { n as f64 / (of - 1) as f64 } else { 0.5 };
        Span::from_secs(self.rtt.as_secs() * (0.75 + 0.5 * place))
    }

    fn traffic(&self) -> Vec<Spec> {
        let mut flows = Vec::new();
        for &way in self.ways() {
            let count = if self.load == Load::Household { 1 } else { self.flows };
            for n in 0..u64::from(count) {
                let from = Moment::START + Span(BEGIN.0 * n / u64::from(count.max(1)));
                let app = match self.load {
                    Load::Bulk | Load::Household => App::Bulk { from },
                    Load::Bursty => App::OnOff { from, on: Span::secs(10), off: Span::secs(5) },
                };
                flows.push(self.spec(way, app, self.distance(n, u64::from(count))));
            }
        }
        if self.load == Load::Household {
            self.add_household(&mut flows);
        }
        flows
    }

    fn add_household(&self, flows: &mut Vec<Spec>) {
        let film = App::Video { kbit: (self.trace.mean() / 5.0).min(5_000.0) as u32, piece: Span::secs(4) };
        flows.push(self.spec(Way::Down, film, self.rtt));
        for _ in 0..6 {
            let page = App::Pages { think: Span::secs(8), median: 60_000, reader: 1 };
            flows.push(self.spec(Way::Down, page, self.rtt));
        }
        for way in Way::ALL {
            // A voice every 20 ms, a picture of five packets thirty times a second, a game sixty times.
            let streams = [(20, 1, 214), (33, 5, 1_100), (16, 1, 140)];
            for (ms, packets, size) in streams {
                // A line that a picture alone would fill has no video call.
                let kbit = f64::from(packets * size * 8) / f64::from(ms as u32);
                if kbit < self.trace.mean() / 10.0 || packets == 1 {
                    let app = App::Stream { every: Span::ms(ms), packets, size };
                    flows.push(self.spec(way, app, self.rtt));
                }
            }
        }
    }

    fn spec(&self, way: Way, app: App, distance: Span) -> Spec {
        Spec { way, app, law: self.law, has_ecn: self.has_ecn, distance }
    }
}
