// SPDX-License-Identifier: Apache-2.0
//! Chance that repeats: splitmix64, one stream for every part of the world, so that a part that draws more often does
//! not change what another one draws.

use super::clock::Span;

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The stream of part `part` in the world `seed`.
    pub fn new(seed: u64, part: u64) -> Self {
        let mut random =
            Self(seed.wrapping_mul(0xd134_2543_de82_ef95) ^ part.wrapping_mul(0xa076_1d64_78bd_642f));
        random.bits();
        random
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number of [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number of [`low`, `high`).
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + self.unit() * (high - low)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n.max(1) as u64) as usize
    }

    /// Whether something of this probability happens.
    pub fn happens(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.unit() < probability
    }

    /// An exponentially distributed span.
    pub fn exponential(&mut self, mean: Span) -> Span {
        if mean == Span::ZERO {
            return Span::ZERO;
        }
        Span::from_secs(-(1.0 - self.unit()).ln() * mean.as_secs())
    }

    /// A log-normal number with this median and this standard deviation of its logarithm.
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        // Box-Muller, one of the pair.
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        median * (sigma * radius * (core::f64::consts::TAU * self.unit()).cos()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_repeats_and_differs_from_the_others() {
        let draw = |seed, part| {
            let mut random = Random::new(seed, part);
            [random.bits(), random.bits()]
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(2, 1));
        assert_ne!(draw(1, 2), draw(1, 3));
    }

    #[test]
    fn distributions_have_the_mean_they_promise() {
        let mut random = Random::new(7, 0);
        let n = 100_000;
        let exponential: f64 =
            (0..n).map(|_| random.exponential(Span::ms(2)).as_ms()).sum::<f64>() / f64::from(n);
        assert!((1.98..2.02).contains(&exponential), "{exponential}");
        let mut log_normal: Vec<f64> = (0..n).map(|_| random.log_normal(300.0, 1.0)).collect();
        log_normal.sort_by(f64::total_cmp);
        let median = log_normal[log_normal.len() / 2];
        assert!((295.0..305.0).contains(&median), "{median}");
    }
}
