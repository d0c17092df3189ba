// SPDX-License-Identifier: Apache-2.0
//! What the line carries, from what came through it.
//!
//! Upload: while a queue stands in the modem, what leaves it is the line's capacity. Two probes that both waited there
//! enclose a train of our bytes: released between their sending, they took from one's leaving to the other's.
//! Download: while a queue stands at the provider, what arrives is the capacity.

use crate::units::{Bytes, Micros, Time};

/// Probes remembered.
const PROBES: usize = 32;
/// A train this long says something: shorter ones are noise of the probes.
const TRAIN: Micros = Micros::ms(120);
/// Longer ones say what was.
const LONGEST: Micros = Micros::ms(1500);
/// A sample older than this says what was.
pub const FRESH: Micros = Micros::ms(400);

/// A probe that came back.
#[derive(Clone, Copy, Debug, Default)]
struct Passed {
    sent: Time,
    /// How long it waited.
    wait: Micros,
    /// What our shaper had let out when it was sent.
    released: Bytes,
    /// Whether it found a queue.
    has_waited: bool,
}

impl Passed {
    /// When it left the modem.
    fn exit(&self) -> Time {
        self.sent + self.wait
    }
}

/// Capacity in bits per second; 0: not known yet.
#[derive(Clone, Debug, Default)]
pub struct Capacity {
    /// The last samples, the newest first.
    samples: [u64; 3],
    /// When the newest was taken.
    pub at: Time,
    /// Over some twenty seconds of measuring.
    pub slow: u64,
    ring: [Passed; PROBES],
    next: usize,
}

impl Capacity {
    /// Lately: the median of three samples.
    pub fn now(&self) -> u64 {
        let [a, b, c] = self.samples;
        a.max(b).min(a.min(b).max(c))
    }

    /// Whether it has been measured lately.
    pub fn is_fresh(&self, now: Time) -> bool {
        self.now() > 0 && now - self.at < FRESH
    }

    /// An upload probe came back after it had waited for `wait`.
    pub fn passed(&mut self, now: Time, sent: Time, wait: Micros, released: Bytes, has_waited: bool) {
        let probe = Passed { sent, wait, released, has_waited };
        if has_waited {
            // Back as long as all of them waited.
            for n in 1..PROBES {
                let Some(earlier) = self.ring.get((self.next + PROBES - n) % PROBES) else { break };
                let train = probe.exit() - earlier.exit();
                if !earlier.has_waited || earlier.released > released || train > LONGEST {
                    break;
                }
                if train >= TRAIN {
                    let bits = (released.0 - earlier.released.0) * 8;
                    self.learn(now, bits.saturating_mul(1_000_000) / train.0);
                    break;
                }
            }
        }
        if let Some(place) = self.ring.get_mut(self.next) {
            *place = probe;
        }
        self.next = (self.next + 1) % PROBES;
    }

    /// How long a packet sent now would wait, by each of the last three probes: what it found, and what has been let out
    /// since beyond what the line carries. The median of them, in microseconds.
    pub fn wait(&self, now: Time, released: Bytes) -> u64 {
        let carried = self.now().max(1);
        let mut waits = [0; 3];
        for (n, wait) in (1..).zip(&mut waits) {
            let Some(probe) = self.ring.get((self.next + PROBES - n) % PROBES) else { continue };
            let sent = released.0.saturating_sub(probe.released.0).saturating_mul(8_000_000) / carried;
            let found = if probe.has_waited { probe.wait.0 } else { 0 };
            *wait = (found + sent).saturating_sub((now - probe.sent).0);
        }
        let [a, b, c] = waits;
        a.max(b).min(a.min(b).max(c))
    }

    /// A sample of the capacity.
    pub fn learn(&mut self, now: Time, bits: u64) {
        self.samples = if self.now() == 0 { [bits; 3] } else { [bits, self.samples[0], self.samples[1]] };
        self.at = now;
        let middle = self.now();
        self.slow = if self.slow == 0 { middle } else { towards(self.slow, middle, 10) };
    }

    /// The line carries at least this much: our own queue was the only one.
    pub fn at_least(&mut self, bits: u64) {
        if bits > self.now() {
            self.samples = [bits; 3];
        }
        self.slow = if self.slow == 0 { bits } else { towards(self.slow, bits.max(self.slow), 10) };
    }
}

/// `share` thousandths of the way from `from` to `to`.
pub fn towards(from: u64, to: u64, share: u64) -> u64 {
    if to >= from { from + (to - from) / 1000 * share } else { from - (from - to) / 1000 * share }
}
