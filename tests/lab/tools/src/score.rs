// SPDX-License-Identifier: Apache-2.0
//! How well a line was used and how long packets waited on it, by the simulator's definitions (`src/sim/score.rs`), so
//! that both can be put side by side.

use crate::stats::percentile;
use crate::trace::{Change, STEP, Trace};
use std::fmt::Write as _;

/// What a person on a call begins to notice, in microseconds.
const NOTICED: u32 = 30_000;
const BAD: u32 = 100_000;

/// What was measured of one direction.
pub struct Record<'a> {
    pub trace: &'a Trace,
    /// The wait of each marker, in microseconds, in the order of their sending; `None`: it was lost.
    pub waits: Vec<Option<u32>>,
    /// From one marker to the next, in milliseconds.
    pub marker: u64,
    /// Bytes the line let out in each step.
    pub carried: Vec<u64>,
    /// Bytes it could have let out beyond the trace: a refilled bucket each time the speed changed.
    pub extra: u64,
}

impl Record<'_> {
    /// The share of markers above `limit`, in tenths of a percent.
    fn above(sorted: &[u32], limit: u32) -> usize {
        (sorted.len() - sorted.partition_point(|wait| *wait <= limit)) * 1000 / sorted.len().max(1)
    }

    /// Lost markers found a full queue: they waited as long as the last one that came through.
    fn filled(&self) -> Vec<u32> {
        let mut last = 0;
        let waits = self.waits.iter().map(|wait| {
            last = wait.unwrap_or(last);
            last
        });
        waits.collect()
    }

    /// Everything as one JSON object.
    pub fn json(&self, label: &str) -> String {
        let waits = self.filled();
        let mut sorted = waits.clone();
        sorted.sort_unstable();
        let capacity: u64 = (0..self.carried.len()).map(|n| u64::from(self.trace.at(n)) * STEP / 8).sum();
        let carried: u64 = self.carried.iter().sum();
        let mut out = format!("{{\"who\":\"{label}\",\"markers\":{}", waits.len());
        let _ = write!(out, ",\"lost\":{}", self.waits.iter().filter(|wait| wait.is_none()).count());
        let _ = write!(out, ",\"used_permille\":{}", carried * 1000 / capacity.max(1));
        let _ = write!(out, ",\"refill_permille\":{}", self.extra * 1000 / capacity.max(1));
        let mean = waits.iter().map(|wait| u64::from(*wait)).sum::<u64>() / waits.len().max(1) as u64;
        let _ = write!(out, ",\"mean_us\":{mean}");
        for (key, of_1000) in [("p50_us", 500), ("p95_us", 950), ("p99_us", 990), ("max_us", 1000)] {
            let _ = write!(out, ",\"{key}\":{}", percentile(&sorted, of_1000));
        }
        let _ = write!(out, ",\"above_30_permille\":{}", Self::above(&sorted, NOTICED));
        let _ = write!(out, ",\"above_100_permille\":{}", Self::above(&sorted, BAD));
        let changes = self.trace.changes(self.carried.len());
        let end = |n: usize| changes.get(n + 1).map_or(self.carried.len(), |next| next.at);
        let (mut falls, mut rises) = (Vec::new(), Vec::new());
        for (n, Change { at, is_fall }) in changes.iter().enumerate() {
            if *is_fall {
                falls.push(self.fall(&waits, *at, end(n)));
            } else {
                rises.push(self.rise(*at, end(n)));
            }
        }
        let (peaks, drains): (Vec<_>, Vec<_>) = falls.into_iter().unzip();
        let _ = write!(out, ",\"peak_us\":{peaks:?},\"drain_ms\":{drains:?},\"rise_ms\":{rises:?}}}");
        out
    }

    /// The longest wait after a fall, and how long until none exceeded what is noticed for a second.
    fn fall(&self, waits: &[u32], from: usize, to: usize) -> (u32, u64) {
        let index = |step: usize| (step as u64 * STEP / self.marker) as usize;
        let waits = waits.get(index(from)..index(to).min(waits.len())).unwrap_or_default();
        let calm = (1000 / self.marker) as usize;
        let is_calm = |n: &usize| waits[*n..].iter().take(calm).all(|wait| *wait <= NOTICED);
        // A queue needs a moment to build up: the calm is behind its peak, if there was one.
        let onset = waits.iter().take(calm).position(|wait| *wait > NOTICED).unwrap_or(0);
        let drained = (onset..waits.len()).find(is_calm).unwrap_or(waits.len());
        let peak = waits.iter().take(drained.max(1)).copied().max().unwrap_or(0);
        (peak, if peak <= NOTICED { 0 } else { drained as u64 * self.marker })
    }

    /// How long until half a second carried nine tenths.
    fn rise(&self, from: usize, to: usize) -> u64 {
        const WINDOW: usize = 5;
        let carried = self.carried.get(from..to.min(self.carried.len())).unwrap_or_default();
        let risen = carried.windows(WINDOW).enumerate().position(|(n, window)| {
            let capacity: u64 = (0..WINDOW).map(|m| u64::from(self.trace.at(from + n + m)) * STEP / 8).sum();
            window.iter().sum::<u64>() * 10 >= capacity * 9
        });
        risen.map_or(carried.len(), |n| n + WINDOW) as u64 * STEP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace() -> Trace {
        let rows: String = (0..300)
            .map(|n| format!("{},{}\n", n * 100, if (100..200).contains(&n) { 8_000 } else { 40_000 }))
            .collect();
        Trace::parse(&format!("time_ms,capacity_kbit\n{rows}")).expect("is one")
    }

    #[test]
    fn a_fall_is_over_when_calm_has_lasted_and_a_rise_when_nine_tenths_are_carried() {
        let trace = trace();
        let mut waits = vec![Some(5_000); 1500];
        waits[503..530].fill(Some(250_000));
        waits[540..545].fill(Some(40_000));
        waits[600] = None;
        // 8 Mbit/s are 100 kB a step; the rise is carried from its tenth step on.
        let carried = (0..300).map(|n| if (100..210).contains(&n) { 100_000 } else { 480_000 }).collect();
        let record = Record { trace: &trace, waits, marker: 20, carried, extra: 0 };
        let json = record.json("x");
        assert!(json.contains("\"peak_us\":[250000],\"drain_ms\":[900],\"rise_ms\":[1500]"), "{json}");
        assert!(json.contains("\"lost\":1,\"used_permille\":929"), "{json}");
        assert!(json.contains("\"p50_us\":5000") && json.contains("\"above_30_permille\":21"), "{json}");
    }
}
