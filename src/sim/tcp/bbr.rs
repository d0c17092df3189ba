// SPDX-License-Identifier: Apache-2.0
//! A sender that follows a model of its path instead of losses, after BBR version 1 (draft-cardwell-iccrg-bbr-00).
//!
//! The model: the highest delivery rate of the last ten rounds, and the shortest round trip of the last ten seconds.

use super::law::{Ack, INITIAL_WINDOW, Window};
use crate::sim::clock::{Moment, Span};

const STARTUP_GAIN: f64 = 2.885;
const CYCLE: [f64; 8] = [1.25, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
const WINDOW_GAIN: f64 = 2.0;
const RATE_ROUNDS: u64 = 10;
const LEAST_HOLDS: Span = Span::secs(10);
const PROBE_WINDOW: f64 = 4.0;
const PROBE_TIME: Span = Span::ms(200);
/// Startup ends when the rate has not grown by a quarter in three rounds.
const FULL_ROUNDS: u32 = 3;
const FULL_GROWTH: f64 = 1.25;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    Startup,
    Drain,
    Cruise { step: usize, since: Moment },
    ProbeRtt { until: Moment },
}

/// The model and what is being tried.
#[derive(Clone, Debug)]
pub struct Bbr {
    phase: Phase,
    round: u64,
    /// The best rate of each of the last rounds.
    rates: [f64; RATE_ROUNDS as usize],
    least: Option<(Span, Moment)>,
    full_rate: f64,
    full_rounds: u32,
}

impl Default for Bbr {
    fn default() -> Self {
        Self {
            phase: Phase::Startup,
            round: 0,
            rates: [0.0; RATE_ROUNDS as usize],
            least: None,
            full_rate: 0.0,
            full_rounds: 0,
        }
    }
}

impl Bbr {
    fn rate(&self) -> f64 {
        self.rates.iter().copied().fold(0.0, f64::max)
    }

    /// How much fits the path.
    fn product(&self) -> Option<f64> {
        let (least, _) = self.least?;
        (self.rate() > 0.0).then(|| self.rate() * least.as_secs())
    }

    /// Updates the model and sets the window by it.
    pub fn acked(&mut self, window: &mut Window, ack: &Ack) {
        if ack.is_round {
            self.round += 1;
            self.rates[(self.round % RATE_ROUNDS) as usize] = 0.0;
        }
        if let Some((rate, is_held_back)) = ack.rate
            && (!is_held_back || rate > self.rate())
        {
            let slot = &mut self.rates[(self.round % RATE_ROUNDS) as usize];
            *slot = slot.max(rate);
        }
        let is_stale = self.least.is_some_and(|(_, at)| ack.now - at > LEAST_HOLDS);
        if let Some(rtt) = ack.rtt
            && (is_stale || self.least.is_none_or(|(least, _)| rtt <= least))
        {
            self.least = Some((rtt, ack.now));
        }
        self.next_phase(ack, is_stale);
        let Some(product) = self.product() else { return };
        window.threshold = 0.0;
        window.size = match self.phase {
            Phase::ProbeRtt { .. } => PROBE_WINDOW,
            Phase::Startup => (product * STARTUP_GAIN).max(INITIAL_WINDOW),
            Phase::Drain | Phase::Cruise { .. } => (product * WINDOW_GAIN).max(PROBE_WINDOW),
        };
    }

    fn next_phase(&mut self, ack: &Ack, is_stale: bool) {
        match self.phase {
            Phase::Startup => {
                if ack.is_round && ack.rate.is_some_and(|(_, is_held_back)| !is_held_back) {
                    if self.rate() >= self.full_rate * FULL_GROWTH {
                        (self.full_rate, self.full_rounds) = (self.rate(), 0);
                    } else {
                        self.full_rounds += 1;
                    }
                }
                if self.full_rounds >= FULL_ROUNDS {
                    self.phase = Phase::Drain;
                }
            }
            Phase::Drain => {
                if self.product().is_some_and(|product| f64::from(ack.pipe) <= product) {
                    // Anywhere in the cycle but where the rate is lowered.
                    let step = 2 + (self.round % 6) as usize;
                    self.phase = Phase::Cruise { step, since: ack.now };
                }
            }
            Phase::Cruise { step, since } => {
                let least = self.least.map_or(Span::ms(10), |(least, _)| least);
                let is_drained =
                    step == 1 && self.product().is_some_and(|product| f64::from(ack.pipe) <= product);
                if ack.now - since > least || is_drained {
                    self.phase = Phase::Cruise { step: (step + 1) % CYCLE.len(), since: ack.now };
                }
            }
            Phase::ProbeRtt { until } => {
                if ack.now >= until {
                    self.phase = Phase::Cruise { step: 2, since: ack.now };
                }
                return;
            }
        }
        if is_stale && self.phase != Phase::Startup {
            self.phase = Phase::ProbeRtt { until: ack.now + PROBE_TIME + ack.smooth };
        }
    }

    /// How fast it sends, in segments per second; `None` before the first round.
    pub fn pace(&self) -> Option<f64> {
        let gain = match self.phase {
            Phase::Startup => STARTUP_GAIN,
            Phase::Drain => 1.0 / STARTUP_GAIN,
            Phase::Cruise { step, .. } => CYCLE[step],
            Phase::ProbeRtt { .. } => 1.0,
        };
        let rate = self.rate();
        (rate > 0.0).then_some(rate * gain)
    }
}
