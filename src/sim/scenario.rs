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
            vec![(trace, self.line.clone())]
        };
        let reflectors =
            (0..REFLECTORS).map(|n| reflector::Character::at(self.distance(n * 7 % REFLECTORS, REFLECTORS)));
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
