// SPDX-License-Identifier: Apache-2.0
//! What the line carries, from what came through it.
//!
//! Upload: while a queue stands in the modem, what leaves it is the line's capacity. Two probes that both waited there
//! enclose a train of our bytes: released between their sending, they took from one's leaving to the other's. A probe
//! that should be back and is not bounds the capacity before it comes.
//! Download: while a queue stands at the provider, what arrives is the capacity.

use super::meter::time;
use crate::units::{Bytes, Micros, Time};
use core::ops::RangeInclusive;

/// Probes remembered.
const PROBES: usize = 24;
/// Trains shorter than this say little,
const TRAIN: Micros = Micros::ms(120);
/// and longer ones say what was.
const LONGEST: Micros = Micros::ms(1500);
/// What passed in a while of this length is the least the line carries.
const PASSAGE: RangeInclusive<Micros> = Micros::ms(150)..=Micros::ms(400);
/// A sample older than this says what was.
pub const FRESH: Micros = Micros::ms(400);

/// Older ones have no voice beside a new one.
const OLD: Micros = Micros::ms(1500);

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

    /// How fast what was sent between the two left it, in bits per second.
    fn pace_since(&self, earlier: &Self) -> Option<u64> {
        let bytes = self.released.0.checked_sub(earlier.released.0)?;
        Some(bytes.saturating_mul(8_000_000) / (self.exit() - earlier.exit()).0.max(1))
    }
}

/// Capacity in bits per second; 0: not known yet.
#[derive(Clone, Debug, Default)]
pub struct Capacity {
    /// The last samples, the newest first.
    samples: [u64; 3],
    /// When the newest was taken, or a bound.
    pub at: Time,
    learnt_at: Time,
    ring: [Passed; PROBES],
    count: usize,
    /// What the probes still out say it carries at most.
    bound: Option<u64>,
}

impl Capacity {
    /// Begins with what was known before.
    pub fn known(bits: u64) -> Self {
        Self { samples: [bits; 3], ..Self::default() }
    }

    /// Lately: the median of three samples.
    pub fn now(&self) -> u64 {
        let known = median(self.samples);
        self.bound.map_or(known, |bound| bound.min(known))
    }

    /// Whether it has been measured lately.
    pub fn is_fresh(&self, now: Time) -> bool {
        self.now() > 0 && self.at > Time(0) && now - self.at < FRESH
    }

    /// The trains begin anew: the counters have.
    pub fn forget_trains(&mut self) {
        self.count = 0;
    }

    /// The `n`th probe back, from 1, in the order of their sending.
    fn back(&self, n: usize) -> Option<&Passed> {
        if n > self.count { None } else { self.ring.get(n - 1) }
    }

    /// Enters a probe at its place: answers overtake each other.
    fn enter(&mut self, probe: Passed) {
        let place = self
            .ring
            .iter()
            .take(self.count)
            .position(|known| known.sent <= probe.sent)
            .unwrap_or(self.count);
        self.count = (self.count + 1).min(PROBES);
        let Some(behind) = self.ring.get_mut(place..self.count) else { return };
        if let Some(last) = behind.last_mut() {
            *last = probe;
            behind.rotate_right(1);
        }
    }

    /// The waits of the last three probes: the middle one.
    pub fn found(&self) -> u64 {
        let [a, b, c, ..] = &self.ring;
        median([a.wait.0, b.wait.0, c.wait.0])
    }

    /// An upload probe came back after it had waited for `wait`; waits are off by `blur` microseconds.
    pub fn passed(&mut self, now: Time, probe: (Time, Bytes), wait: Micros, has_waited: bool, blur: u64) {
        let (sent, released) = probe;
        let probe = Passed { sent, wait, released, has_waited };
        self.bound = None;
        if has_waited {
            if let Some(bits) = self.train(&probe, blur) {
                self.learn(now, bits);
            }
        } else if let Some(bits) = self.passage(&probe, blur) {
            self.at_least(bits);
        }
        self.enter(probe);
    }

    /// What the line carries, by the longest train of probes that all waited, the last of them `probe`; a shorter one
    /// counts instead where it differs by more than both are off.
    fn train(&self, probe: &Passed, blur: u64) -> Option<u64> {
        let mut best: Option<(u64, u64)> = None;
        let earlier = self.ring.iter().take(self.count).filter(|earlier| earlier.sent < probe.sent);
        for earlier in earlier.take_while(|earlier| earlier.has_waited) {
            let took = probe.exit() - earlier.exit();
            if took > LONGEST {
                break;
            }
            if took >= TRAIN {
                let bits = probe.pace_since(earlier)?;
                let off = bits / 1000 * (blur * 1000 / took.0).min(1000);
                if best.is_some_and(|(best, spread)| bits.abs_diff(best) > off + spread) {
                    break;
                }
                best = Some((bits, off));
            }
        }
        best.map(|(bits, _)| bits)
    }

    /// What the line carries at least: what passed in a while.
    fn passage(&self, probe: &Passed, blur: u64) -> Option<u64> {
        let earlier = self.ring.iter().take(self.count).filter(|earlier| earlier.sent < probe.sent);
        let known = |earlier: &Passed| {
            let took = probe.exit() - earlier.exit();
            let bits = probe.pace_since(earlier)?;
            Some(bits / 1000 * (1000 - (blur * 1000 / took.0).min(1000)))
        };
        let is_apt = |earlier: &&Passed| PASSAGE.contains(&(probe.exit() - earlier.exit()));
        earlier.filter(is_apt).filter_map(known).max()
    }

    /// How long a packet sent now would wait, by each of the last three probes: what it found, and what has been let out
    /// since beyond what the line carries. The median of them, in microseconds.
    pub fn wait(&self, now: Time, released: Bytes) -> u64 {
        let carried = self.now();
        let mut waits = [0; 3];
        for (n, wait) in (1..).zip(&mut waits) {
            let Some(probe) = self.back(n) else { continue };
            let sent = time(released.0.saturating_sub(probe.released.0), carried);
            *wait = (probe.wait.0 + sent).saturating_sub((now - probe.sent).0);
        }
        median(waits)
    }

    /// What the line carries at most, as what was sent behind the last answered probe with the probe that let out
    /// `released` by then has not left it by `exit`.
    pub fn bound(&self, released: Bytes, exit: Time) -> Option<u64> {
        let last = self.back(1)?;
        let took = exit - last.exit();
        (took.0 > 0 && released >= last.released)
            .then(|| (released.0 - last.released.0).saturating_mul(8_000_000) / took.0)
    }

    /// A sample of the capacity.
    pub fn learn(&mut self, now: Time, bits: u64) {
        let is_old = self.learnt_at == Time(0) || now - self.learnt_at > OLD;
        self.samples = if is_old { [bits; 3] } else { [bits, self.samples[0], self.samples[1]] };
        (self.at, self.learnt_at) = (now, now);
    }

    /// The line carries at most this much, by probes still out.
    pub fn at_most(&mut self, now: Time, bits: u64) {
        if bits < self.now() {
            self.bound = Some(bits);
            self.at = now;
        }
    }

    /// Nothing is out that should be back.
    pub fn unbound(&mut self) {
        self.bound = None;
    }

    /// The line carries at least this much: our own queue was the only one.
    pub fn at_least(&mut self, bits: u64) {
        if bits > self.now() {
            self.samples = [bits; 3];
        }
    }
}

/// The middle one.
pub fn median([a, b, c]: [u64; 3]) -> u64 {
    a.max(b).min(a.min(b).max(c))
}

/// `share` thousandths of the way from `from` to `to`.
pub fn towards(from: u64, to: u64, share: u64) -> u64 {
    if to >= from { from + (to - from) / 1000 * share } else { from - (from - to) / 1000 * share }
}
