// SPDX-License-Identifier: Apache-2.0
//! Capacity traces: what a line could carry, step by step.
//!
//! A trace is a CSV file with the head `time_ms,capacity_kbit` and a row per step of equal length (100 ms as a rule).
//! The capacity is constant within a step; zero is an outage. tests/traces/README.md says where ours come from.

use super::clock::{Moment, Span};
use core::fmt;

/// A capacity that changes with time; at its end it begins anew, or stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// What people call it: the file's name without its ending.
    pub name: String,
    step: u64,
    kbit: Vec<u32>,
    is_held: bool,
}

/// Why a text is no trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotATrace {
    /// The line that is wrong, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

impl fmt::Display for NotATrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// A capacity of 1 kbit/s moves one unit of work per nanosecond: the unit is 10⁻⁶ bit, and all sums are exact.
const WORK_PER_BYTE: u64 = 8_000_000;
/// So long without anything is an outage.
const OUTAGE: Span = Span::secs(2);

impl Trace {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// The first line that is not as the module's documentation says, or a trace that never carries anything.
    pub fn parse(name: &str, text: &str) -> Result<Self, NotATrace> {
        let mut kbit = Vec::new();
        let mut times = Vec::new();
        for (line, row) in (1..).zip(text.lines()) {
            let fault = |what| NotATrace { line, what };
            if line == 1 {
                if row.trim() != "time_ms,capacity_kbit" {
                    return Err(fault("the head must be time_ms,capacity_kbit"));
                }
                continue;
            }
            let (time, capacity) = row.trim().split_once(',').ok_or(fault("must be TIME,CAPACITY"))?;
            let time: u64 = time.parse().map_err(|_| fault("the time is no whole number of milliseconds"))?;
            kbit.push(capacity.parse().map_err(|_| fault("the capacity is no whole number of kbit/s"))?);
            times.push(time);
        }
        let step = match times.get(..2) {
            Some([first, second]) if second > first => second - first,
            _ => return Err(NotATrace { line: 2, what: "needs two rows or more, in order of time" }),
        };
        if let Some(at) = times.windows(2).position(|pair| pair[1] != pair[0] + step) {
            return Err(NotATrace { line: at + 3, what: "the steps must be of equal length" });
        }
        if kbit.iter().all(|&c| c == 0) {
            return Err(NotATrace { line: 2, what: "the line never carries anything" });
        }
        Ok(Self { name: name.into(), step: Span::ms(step).0, kbit, is_held: false })
    }

    /// A line that never changes; at least 1 kbit/s.
    pub fn constant(name: &str, kbit: u32) -> Self {
        Self { name: name.into(), step: Span::secs(1).0, kbit: vec![kbit.max(1)], is_held: false }
    }

    /// A trace from its steps, for tests and made-up lines; all zero becomes 1 kbit/s.
    pub fn of_steps(name: &str, step: Span, mut kbit: Vec<u32>) -> Self {
        if kbit.iter().all(|&c| c == 0) {
            kbit = vec![1];
        }
        Self { name: name.into(), step: step.0.max(1), kbit, is_held: false }
    }

    /// The same trace, but its last value stays; at least 1 kbit/s, or what waits would wait for ever.
    pub fn held(mut self) -> Self {
        if let Some(last) = self.kbit.last_mut() {
            *last = (*last).max(1);
        }
        self.is_held = true;
        self
    }

    /// The same trace, begun in its middle.
    pub fn from_its_middle(&self) -> Self {
        let mut kbit = self.kbit.clone();
        kbit.rotate_left(self.kbit.len() / 2);
        Self { kbit, ..self.clone() }
    }

    /// How long it lasts before it repeats.
    pub fn length(&self) -> Span {
        Span(self.step * self.kbit.len() as u64)
    }

    /// The length of a step.
    pub fn step(&self) -> Span {
        Span(self.step)
    }

    fn step_kbit(&self, index: u64) -> u64 {
        let steps = self.kbit.len() as u64;
        let index = if self.is_held { index.min(steps - 1) } else { index % steps };
        u64::from(self.kbit[index as usize])
    }

    /// The capacity at `now`, in kbit/s.
    pub fn kbit_at(&self, now: Moment) -> u32 {
        self.step_kbit(now.0 / self.step) as u32
    }

    /// When the last bit of `bytes` is through, if the line is theirs alone from `start`.
    pub fn finish(&self, start: Moment, bytes: u64) -> Moment {
        let mut work = bytes * WORK_PER_BYTE;
        let mut at = start.0;
        let mut index = at / self.step;
        loop {
            let capacity = self.step_kbit(index);
            let end = (index + 1) * self.step;
            let room = capacity * (end - at);
            if capacity > 0 && work <= room {
                return Moment(at + work.div_ceil(capacity));
            }
            work -= room;
            at = end;
            index += 1;
        }
    }

    /// How many bytes the line could carry from `start` to `end`.
    pub fn bytes_between(&self, start: Moment, end: Moment) -> f64 {
        let mut at = start.0;
        let mut work = 0.0;
        while at < end.0 {
            let index = at / self.step;
            let until = ((index + 1) * self.step).min(end.0);
            work += self.step_kbit(index) as f64 * (until - at) as f64;
            at = until;
        }
        work / WORK_PER_BYTE as f64
    }

    /// The mean capacity of the whole trace in kbit/s.
    pub fn mean(&self) -> f64 {
        self.kbit.iter().map(|&c| f64::from(c)).sum::<f64>() / self.kbit.len() as f64
    }

    /// The capacity that a share `q` of the steps does not exceed, in kbit/s.
    pub fn quantile(&self, q: f64) -> f64 {
        let mut sorted = self.kbit.clone();
        sorted.sort_unstable();
        f64::from(sorted[((sorted.len() - 1) as f64 * q.clamp(0.0, 1.0)).round() as usize])
    }

    /// Whether there are two seconds within the first `length` that carry less than a hundredth of what they do in the
    /// mean.
    pub fn has_outage(&self, length: Span) -> bool {
        let least = self.mean() / 100.0 * 125.0 * OUTAGE.as_secs();
        let steps = (length.0.saturating_sub(OUTAGE.0)) / self.step;
        let carried = |n: u64| self.bytes_between(Moment(n * self.step), Moment(n * self.step) + OUTAGE);
        length >= OUTAGE && (0..=steps).any(|n| carried(n) < least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace() -> Trace {
        Trace::parse("t", "time_ms,capacity_kbit\n0,8000\n100,0\n200,16000\n").expect("is one")
    }

    #[test]
    fn work_is_carried_over_steps_outages_and_the_end() {
        // 8000 kbit/s carry 100 kB per step, 16000 carry 200 kB.
        assert_eq!(trace().finish(Moment::START, 50_000), Moment::START + Span::ms(50));
        assert_eq!(trace().finish(Moment::START, 100_000), Moment::START + Span::ms(100));
        assert_eq!(trace().finish(Moment::START, 120_000), Moment::START + Span::ms(210));
        assert_eq!(trace().finish(Moment::START, 301_000), Moment::START + Span::ms(301));
        assert_eq!(trace().finish(Moment::START + Span::ms(150), 0), Moment::START + Span::ms(200));
    }

    #[test]
    fn at_its_end_a_trace_begins_anew_or_stays() {
        let at = |trace: Trace, ms| trace.kbit_at(Moment::START + Span::ms(ms));
        assert_eq!([0, 100, 299, 300, 450].map(|ms| at(trace(), ms)), [8_000, 0, 16_000, 8_000, 0]);
        assert_eq!(
            [0, 100, 299, 300, 450].map(|ms| at(trace().held(), ms)),
            [8_000, 0, 16_000, 16_000, 16_000]
        );
        let ends_in_outage = Trace::of_steps("t", Span::ms(100), vec![8_000, 0]).held();
        assert!(ends_in_outage.finish(Moment::START + Span::ms(200), 1_000) < Moment::START + Span::secs(9));
    }

    #[test]
    fn the_integral_matches_the_steps() {
        assert_eq!(trace().bytes_between(Moment::START, Moment::START + Span::ms(300)), 300_000.0);
        assert_eq!(
            trace().bytes_between(Moment::START + Span::ms(50), Moment::START + Span::ms(250)),
            150_000.0
        );
        assert_eq!((trace().mean(), trace().quantile(0.5)), (8000.0, 8000.0));
    }

    #[test]
    fn a_text_that_is_no_trace_is_refused_with_its_line() {
        let told = |text| Trace::parse("t", text).expect_err("is none").to_string();
        assert_eq!(told("time,rate\n"), "line 1: the head must be time_ms,capacity_kbit");
        assert_eq!(told("time_ms,capacity_kbit\n0,1\n"), "line 2: needs two rows or more, in order of time");
        assert_eq!(
            told("time_ms,capacity_kbit\n0,1\n100,x\n"),
            "line 3: the capacity is no whole number of kbit/s"
        );
        assert_eq!(
            told("time_ms,capacity_kbit\n0,1\n100,1\n300,1\n"),
            "line 4: the steps must be of equal length"
        );
        assert_eq!(told("time_ms,capacity_kbit\n0,0\n100,0\n"), "line 2: the line never carries anything");
    }

    #[test]
    fn an_outage_is_two_seconds_without_anything() {
        let line = |zeros| {
            let steps = [vec![5000; 10], vec![0; zeros], vec![5000; 10]].concat();
            Trace::of_steps("t", Span::ms(100), steps)
        };
        assert!(line(20).has_outage(Span::secs(4)));
        assert!(!line(19).has_outage(Span::secs(4)));
        assert!(!line(20).has_outage(Span::ms(2_900)), "what lies behind the end does not count");
    }
}
