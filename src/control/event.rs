// SPDX-License-Identifier: Apache-2.0
//! What a controller is told and what it says: no clock, no socket.

pub use crate::measure::counters::WayCounters;
pub use crate::measure::probe::{Question, Questions};
use crate::units::{Micros, Rate, Time, Way};

/// Where an upload begins of which nothing is known: what is too much for it fills the modem's buffer;
const UNKNOWN_UP: Rate = Rate::kbit(1_500);
/// and a download: what is too little lasts, for a sender that was stopped early takes long to come back.
const UNKNOWN_DOWN: Rate = Rate::mbit(12);

/// What is known of one direction before anything is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Never below this.
    pub least: Option<Rate>,
    /// Where to begin: what was learnt before.
    pub start: Option<Rate>,
    /// Never above this.
    pub most: Option<Rate>,
}

impl Bounds {
    /// Where a line nothing has been measured of begins.
    pub fn begin(&self, way: Way) -> Rate {
        let unknown = match way {
            Way::Up => UNKNOWN_UP,
            Way::Down => UNKNOWN_DOWN,
        };
        let begin = self.start.or(self.most).unwrap_or(unknown);
        let begin = begin.min(self.most.unwrap_or(begin));
        begin.max(self.least.unwrap_or(begin))
    }
}

/// What is known of a line before anything is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Upload; `None`: it is not steered.
    pub up: Option<Bounds>,
    /// Download; `None`: it is not steered.
    pub down: Option<Bounds>,
    /// The wait that is aimed at, where the user has an opinion.
    pub target: Option<Micros>,
    /// How many can be asked.
    pub reflectors: u16,
    /// What they can be asked.
    pub questions: Questions,
}

/// Nothing configured: both directions, from nowhere to everywhere.
impl Default for Setup {
    fn default() -> Self {
        Self {
            up: Some(Bounds::default()),
            down: Some(Bounds::default()),
            target: None,
            reflectors: 6,
            questions: Questions::All,
        }
    }
}

/// What a controller has learnt of a line that outlives it: nothing of distances, which change with the route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// What upload carried lately.
    pub up: Option<Rate>,
    /// What download carried.
    pub down: Option<Rate>,
}

impl Memory {
    /// Upload, download.
    pub const fn rates(self) -> [Option<Rate>; 2] {
        [self.up, self.down]
    }
}

impl Setup {
    /// The same, beginning where another controller has ended.
    #[must_use]
    pub fn recall(mut self, memory: Memory) -> Self {
        for (bounds, learnt) in [(&mut self.up, memory.up), (&mut self.down, memory.down)] {
            if let Some(bounds) = bounds {
                bounds.start = learnt.or(bounds.start);
            }
        }
        self
    }
}

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The program began.
    Start,
    /// The counters were read.
    Counters {
        /// When.
        at: Time,
        /// Upload.
        up: WayCounters,
        /// Download.
        down: WayCounters,
    },
    /// A probe was answered.
    Answer {
        /// Who answered.
        reflector: u16,
        /// Which probe.
        id: u32,
        /// When it was sent.
        sent: Time,
        /// When the answer came.
        received: Time,
        /// How long it took there and back, where the reflector tells the time.
        one_way: Option<(Micros, Micros)>,
    },
    /// The moment the controller named has come.
    Deadline,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read the counters; answered with [`Event::Counters`].
    ReadCounters,
    /// Send a probe; answered with [`Event::Answer`], or never.
    Probe {
        /// Whom to ask.
        reflector: u16,
        /// What to call it.
        id: u32,
        /// How.
        question: Question,
    },
    /// Change the shaper's rates.
    SetRates {
        /// Upload, if that is to change.
        up: Option<Rate>,
        /// Download, if that is to change.
        down: Option<Rate>,
    },
}
