// SPDX-License-Identifier: Apache-2.0
//! What became of a stream of numbered packets.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;

/// One stream as its receiver saw it.
#[derive(Default)]
pub struct Stream {
    seen: Vec<bool>,
    highest: Option<u32>,
    reordered: u64,
    last_arrival: u64,
    gap: u64,
    /// Microseconds each packet took.
    delays: Vec<u32>,
    /// When each arrived, milliseconds since the start.
    times: Vec<u32>,
    /// Packets and bytes (IP) inside the counted time.
    window: (u64, u64),
}

/// When counting starts and ends, and since when time is told.
#[derive(Clone, Copy)]
pub struct Window {
    pub start: u64,
    pub from: u64,
    pub to: u64,
}

impl Stream {
    /// Takes note of packet `number`, `ip_bytes` long, that left at `sent` and arrived at `now`.
    pub fn arrived(&mut self, number: u32, ip_bytes: usize, sent: u64, now: u64, window: &Window) {
        let at = number as usize;
        if at >= 50_000_000 {
            return; // not a number of ours
        }
        if self.seen.len() <= at {
            self.seen.resize(at + 1, false);
        }
        self.seen[at] = true;
        match self.highest {
            Some(highest) if number < highest => self.reordered += 1,
            _ => self.highest = Some(number),
        }
        if self.last_arrival != 0 {
            self.gap = self.gap.max(now.saturating_sub(self.last_arrival));
        }
        self.last_arrival = now;
        if now < window.to {
            self.delays.push(u32::try_from(now.saturating_sub(sent) / 1000).unwrap_or(u32::MAX));
            self.times.push(u32::try_from(now.saturating_sub(window.start) / 1_000_000).unwrap_or(u32::MAX));
        }
        if (window.from..window.to).contains(&now) {
            self.window = (self.window.0 + 1, self.window.1 + ip_bytes as u64);
        }
    }

    /// Delays of the packets that arrived in the last `ms` milliseconds before `now_ms`, sorted.
    pub fn recent(&self, now_ms: u32, ms: u32) -> Vec<u32> {
        let old = now_ms.saturating_sub(ms);
        let first = self.times.partition_point(|at| *at < old);
        let mut delays = self.delays[first..].to_vec();
        delays.sort_unstable();
        delays
    }

    /// The stream as one JSON object. `sent`: how many were sent, where that is known.
    pub fn json(&self, name: &str, sent: Option<u64>, window: &Window) -> String {
        let received = self.seen.iter().filter(|seen| **seen).count() as u64;
        let expected = sent.unwrap_or(self.seen.len() as u64);
        // A tail that never arrived is a burst as well.
        let missing_tail = expected.saturating_sub(self.seen.len() as u64);
        let (mut run, mut burst) = (0, 0);
        for seen in &self.seen {
            run = if *seen { 0 } else { run + 1 };
            burst = burst.max(run);
        }
        burst = burst.max(run + missing_tail);
        // The picture shows the start, the numbers leave it out.
        let from = u32::try_from(window.from.saturating_sub(window.start) / 1_000_000).unwrap_or(u32::MAX);
        let mut sorted = self.delays[self.times.partition_point(|at| *at < from)..].to_vec();
        sorted.sort_unstable();
        let mut out = format!("{{\"stream\":\"{name}\",\"sent\":{expected},\"received\":{received}");
        let _ = write!(out, ",\"lost\":{},\"burst\":{burst}", expected.saturating_sub(received));
        let _ = write!(out, ",\"reordered\":{},\"gap_us\":{}", self.reordered, self.gap / 1000);
        for (key, of_1000) in [("p50_us", 500), ("p95_us", 950), ("p99_us", 990), ("max_us", 1000)] {
            let _ = write!(out, ",\"{key}\":{}", percentile(&sorted, of_1000));
        }
        let us = window.to.saturating_sub(window.from).max(1) / 1000;
        let (packets, bytes) = self.window;
        let _ = write!(out, ",\"packets\":{packets},\"ip_bytes\":{bytes},\"window_us\":{us}");
        let _ = write!(out, ",\"ip_kbit\":{}}}", bytes * 8000 / us.max(1));
        out
    }

    /// Writes `milliseconds microseconds` lines, for `svg`.
    pub fn write_series(&self, path: &str) -> Result<(), String> {
        let write = || -> std::io::Result<()> {
            let mut file = std::io::BufWriter::new(File::create(path)?);
            for (at, delay) in self.times.iter().zip(&self.delays) {
                writeln!(file, "{at} {delay}")?;
            }
            file.flush()
        };
        write().map_err(|e| format!("{path}: {e}"))
    }
}

/// The value below which `of_1000` thousandths of the sorted values lie; 0 of none.
pub fn percentile(sorted: &[u32], of_1000: usize) -> u32 {
    let at = (sorted.len() * of_1000).div_ceil(1000).saturating_sub(1);
    sorted.get(at).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALWAYS: Window = Window { start: 0, from: 0, to: u64::MAX };

    #[test]
    fn the_longest_run_of_lost_packets_includes_the_tail_that_was_never_seen() {
        let mut stream = Stream::default();
        for number in [0, 1, 4, 5, 7] {
            stream.arrived(number, 100, 0, 1000, &ALWAYS);
        }
        assert!(stream.json("x", None, &ALWAYS).contains("\"lost\":3,\"burst\":2"));
        assert!(stream.json("x", Some(12), &ALWAYS).contains("\"lost\":7,\"burst\":4"));
    }

    #[test]
    fn a_packet_behind_a_later_one_is_reordered_not_lost() {
        let mut stream = Stream::default();
        for number in [0, 2, 1, 3] {
            stream.arrived(number, 100, 0, 1000, &ALWAYS);
        }
        assert!(stream.json("x", None, &ALWAYS).contains("\"lost\":0,\"burst\":0,\"reordered\":1"));
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<u32> = (1..=200).collect();
        assert_eq!([500, 950, 990, 1000].map(|p| percentile(&values, p)), [100, 190, 198, 200]);
        assert_eq!(percentile(&[], 500), 0);
        assert_eq!(percentile(&[7], 990), 7);
    }
}
