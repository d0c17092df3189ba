// SPDX-License-Identifier: Apache-2.0
//! How well a line was used and how long packets waited on it.
//!
//! The delay is that of a marker which comes to the line's buffer every 10 ms: what a packet of anybody's would wait
//! behind our shaper (upload) or in front of it (download). Our own queues, which are fair, are not in it.

use super::clock::{Moment, Span};
use super::trace::Trace;

/// From one marker to the next.
pub const MARKER: Span = Span::ms(10);
/// From one sample of the series to the next.
pub const SAMPLE: Span = Span::ms(100);
/// What a person on a call begins to notice.
const NOTICED: u32 = 30_000;
const BAD: u32 = 100_000;

/// One direction at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    /// What the line could carry, in kbit/s.
    pub capacity: f64,
    /// What our shaper lets through, in kbit/s; infinite while it is not limited.
    pub rate: f64,
    /// What arrived, in kbit/s.
    pub delivered: f64,
    /// The longest wait of a marker, in milliseconds.
    pub delay: f64,
}

/// What is recorded about one direction while the world runs.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Every marker's wait, in microseconds.
    pub waits: Vec<u32>,
    /// Ten samples a second.
    pub series: Vec<Sample>,
    /// What could have been carried while somebody wanted to send, in bytes.
    pub capacity: f64,
    /// What was carried then.
    pub delivered: f64,
    /// How often the rate changed.
    pub changes: u32,
}

/// A fall of the capacity and what became of the queue it made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fall {
    /// How long until packets waited less than 30 ms and kept doing so for a second, in seconds.
    pub drain: f64,
    /// The longest wait on the way there, in milliseconds.
    pub peak: f64,
}

/// The score of one direction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WayScore {
    /// What was carried of what could have been, 0 to 1.
    pub used: f64,
    /// The wait that half of the markers did not exceed, in milliseconds.
    pub p50: f64,
    /// 95 in a hundred.
    pub p95: f64,
    /// 99 in a hundred.
    pub p99: f64,
    /// The mean wait in milliseconds.
    pub mean: f64,
    /// The share of time above 30 ms.
    pub above_30: f64,
    /// The share of time above 100 ms.
    pub above_100: f64,
    /// Every time the capacity fell to half or less, and stayed there.
    pub falls: Vec<Fall>,
    /// Every time it doubled or more, and stayed there: how long until nine tenths of it were carried, in seconds.
    pub rises: Vec<f64>,
    /// Rate changes per second.
    pub changes: f64,
}

/// The value that a share `q` of `sorted` does not exceed, in thousandths of its unit.
pub fn percentile(sorted: &[u32], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    f64::from(sorted[(last as f64 * q).round() as usize]) / 1000.0
}

fn share_above(sorted: &[u32], limit: u32) -> f64 {
    (sorted.len() - sorted.partition_point(|&wait| wait <= limit)) as f64 / sorted.len().max(1) as f64
}

impl Record {
    /// Adds it all up; `trace` is the line's capacity and `length` how long it ran.
    pub fn score(&self, trace: &Trace, length: Span) -> WayScore {
        let mut sorted = self.waits.clone();
        sorted.sort_unstable();
        let mean = sorted.iter().map(|&wait| f64::from(wait)).sum::<f64>() / sorted.len().max(1) as f64;
        let steps = steps(trace, length);
        let until = |n: usize| steps.get(n + 1).map_or(length, |next: &Step| next.at - Moment::START);
        let mut score = WayScore {
            used: if self.capacity > 0.0 { self.delivered / self.capacity } else { 0.0 },
            p50: percentile(&sorted, 0.50),
            p95: percentile(&sorted, 0.95),
            p99: percentile(&sorted, 0.99),
            mean: mean / 1000.0,
            above_30: share_above(&sorted, NOTICED),
            above_100: share_above(&sorted, BAD),
            falls: Vec::new(),
            rises: Vec::new(),
            changes: f64::from(self.changes) / length.as_secs().max(1e-9),
        };
        for (n, step) in steps.iter().enumerate() {
            if step.is_fall {
                score.falls.push(self.fall(step.at, until(n)));
            } else {
                score.rises.push(self.rise(step.at, until(n)));
            }
        }
        score
    }

    fn fall(&self, at: Moment, until: Span) -> Fall {
        let index = |span: Span| (span.0 / MARKER.0) as usize;
        let from = index(at - Moment::START);
        let waits = self.waits.get(from..index(until).min(self.waits.len())).unwrap_or_default();
        let calm = index(Span::secs(1));
        let is_calm = |n: &usize| waits[*n..].iter().take(calm).all(|&wait| wait <= NOTICED);
        // A queue needs a moment to build up: look for the calm behind its peak, if there was one.
        let onset = waits.iter().take(calm).position(|&wait| wait > NOTICED).unwrap_or(0);
        let drained = (onset..waits.len()).find(is_calm).unwrap_or(waits.len());
        let peak = waits.iter().take(drained.max(1)).copied().max().unwrap_or(0);
        Fall {
            drain: if peak <= NOTICED { 0.0 } else { drained as f64 * MARKER.as_secs() },
            peak: f64::from(peak) / 1000.0,
        }
    }

    fn rise(&self, at: Moment, until: Span) -> f64 {
        const WINDOW: usize = 5;
        let index = |span: Span| (span.0 / SAMPLE.0) as usize;
        let from = index(at - Moment::START);
        let series = self.series.get(from..index(until).min(self.series.len())).unwrap_or_default();
        let is_risen = |window: &[Sample]| {
            let sum = |of: fn(&Sample) -> f64| window.iter().map(of).sum::<f64>();
            sum(|sample| sample.delivered) >= 0.9 * sum(|sample| sample.capacity)
        };
        let risen = series.windows(WINDOW).position(is_risen);
        risen.map_or(series.len(), |n| n + WINDOW) as f64 * SAMPLE.as_secs()
    }
}

struct Step {
    at: Moment,
    is_fall: bool,
}

/// Where the capacity changes to half or double and both sides are steady: two seconds before and three after.
fn steps(trace: &Trace, length: Span) -> Vec<Step> {
    const BEFORE: u64 = 20;
    const AFTER: u64 = 30;
    const STEADY: f64 = 0.7;
    let kbit = |n: u64| f64::from(trace.kbit_at(Moment(n * SAMPLE.0)));
    let range = |from: u64, to: u64| {
        (from..to).map(kbit).fold((f64::INFINITY, 0.0f64), |(low, high), c| (low.min(c), high.max(c)))
    };
    let (mut steps, mut n) = (Vec::new(), BEFORE);
    while n + AFTER <= length.0 / SAMPLE.0 {
        let (before, after) = (range(n - BEFORE, n), range(n, n + AFTER));
        let is_steady = before.0 >= STEADY * before.1 && after.0 >= STEADY * after.1 && after.0 > 0.0;
        let (is_fall, is_rise) = (after.1 <= before.0 / 2.0, after.0 >= before.1 * 2.0 && before.0 > 0.0);
        if is_steady && (is_fall || is_rise) {
            steps.push(Step { at: Moment(n * SAMPLE.0), is_fall });
            n += BEFORE;
        } else {
            n += 1;
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_and_shares_are_those_of_the_markers() {
        let waits: Vec<u32> = (1..=100).map(|n| n * 2_000).collect();
        let record = Record { waits, capacity: 4.0, delivered: 3.0, ..Record::default() };
        let score = record.score(&Trace::constant("t", 1000), Span::secs(1));
        assert_eq!((score.p50, score.p95, score.p99, score.mean), (102.0, 190.0, 198.0, 101.0));
        assert_eq!((score.above_30, score.above_100, score.used), (0.85, 0.5, 0.75));
    }

    #[test]
    fn a_fall_is_drained_when_calm_has_lasted_a_second() {
        let kbit = [vec![50_000; 100], vec![10_000; 100]].concat();
        let trace = Trace::of_steps("t", Span::ms(100), kbit);
        // The queue comes 70 ms behind the fall, is 250 ms long at most, and comes back once.
        let mut waits = vec![5_000; 2000];
        waits[1007..1060].fill(250_000);
        waits[1080..1090].fill(40_000);
        let series = vec![Sample::default(); 200];
        let record = Record { waits, series, ..Record::default() };
        let score = record.score(&trace, Span::secs(20));
        assert_eq!(score.falls, [Fall { drain: 0.9, peak: 250.0 }]);
    }

    #[test]
    fn a_rise_is_done_when_half_a_second_carries_nine_tenths() {
        let kbit = [vec![10_000; 100], vec![50_000; 100]].concat();
        let trace = Trace::of_steps("t", Span::ms(100), kbit);
        let sample = |n: usize| {
            let delivered = if n < 117 { 10_000.0 } else { 48_000.0 };
            Sample { capacity: if n < 100 { 10_000.0 } else { 50_000.0 }, delivered, ..Sample::default() }
        };
        let record = Record { series: (0..200).map(sample).collect(), ..Record::default() };
        assert_eq!(record.score(&trace, Span::secs(20)).rises, [2.2]);
    }

    #[test]
    fn a_capacity_that_only_wobbles_has_no_steps() {
        let wobble = (0..400).map(|n| 10_000 + n * 37 % 9_000).collect();
        assert!(steps(&Trace::of_steps("t", Span::ms(100), wobble), Span::secs(40)).is_empty());
    }
}
