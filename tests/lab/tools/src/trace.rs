// SPDX-License-Identifier: Apache-2.0
//! What a line could carry, in equal steps of time: a file of `tests/traces`, as the simulator reads it.

/// Capacities in kbit/s, one per [`STEP`].
pub struct Trace {
    kbit: Vec<u32>,
}

/// From one row of a trace to the next, in milliseconds.
pub const STEP: u64 = 100;

/// Where the capacity halves or doubles and stays there.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    /// Which step of the trace.
    pub at: usize,
    pub is_fall: bool,
}

impl Trace {
    /// Reads `time_ms,capacity_kbit` rows.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.lines();
        if lines.next() != Some("time_ms,capacity_kbit") {
            return Err("the head must be time_ms,capacity_kbit".to_owned());
        }
        let mut kbit = Vec::new();
        for (line, due) in lines.zip((0..).step_by(STEP as usize)) {
            let (time, capacity) = line.split_once(',').ok_or_else(|| format!("'{line}': not a row"))?;
            if time.parse() != Ok(due) {
                return Err(format!("'{line}': the time should be {due}"));
            }
            kbit.push(capacity.parse().map_err(|_| format!("'{line}': no capacity in whole kbit/s"))?);
        }
        if kbit.iter().all(|kbit| *kbit == 0) {
            return Err("the line never carries anything".to_owned());
        }
        Ok(Self { kbit })
    }

    /// The capacity of a step; at its end a trace begins anew.
    pub fn at(&self, step: usize) -> u32 {
        self.kbit.get(step % self.kbit.len()).copied().unwrap_or(0)
    }

    /// The mean of all of it, kbit/s.
    pub fn mean(&self) -> u64 {
        self.kbit.iter().map(|kbit| u64::from(*kbit)).sum::<u64>() / self.kbit.len() as u64
    }

    /// What is exceeded `1 - of_1000 / 1000` of the time, kbit/s.
    pub fn quantile(&self, of_1000: usize) -> u32 {
        let mut sorted = self.kbit.clone();
        sorted.sort_unstable();
        crate::stats::percentile(&sorted, of_1000)
    }

    /// Steps to half or double, steady for two seconds before and three after: the simulator's definition.
    pub fn changes(&self, steps: usize) -> Vec<Change> {
        const BEFORE: usize = 20;
        const AFTER: usize = 30;
        let range = |from: usize, to: usize| {
            (from..to).map(|n| self.at(n)).fold((u32::MAX, 0), |(low, high), c| (low.min(c), high.max(c)))
        };
        let is_steady = |(low, high): (u32, u32)| u64::from(low) * 10 >= u64::from(high) * 7;
        let (mut changes, mut n) = (Vec::new(), BEFORE);
        while n + AFTER <= steps {
            let (before, after) = (range(n - BEFORE, n), range(n, n + AFTER));
            let (is_fall, is_rise) = (after.1 <= before.0 / 2, before.0 > 0 && after.0 / 2 >= before.1);
            if is_steady(before) && is_steady(after) && after.0 > 0 && (is_fall || is_rise) {
                changes.push(Change { at: n, is_fall });
                n += BEFORE;
            } else {
                n += 1;
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(kbit: &[(u32, usize)]) -> Trace {
        Trace { kbit: kbit.iter().flat_map(|(kbit, count)| vec![*kbit; *count]).collect() }
    }

    #[test]
    fn a_fall_and_a_rise_are_found_and_a_wobble_is_neither() {
        let trace = steps(&[(50_000, 100), (10_000, 100), (50_000, 100), (30_000, 100)]);
        let wanted = [Change { at: 100, is_fall: true }, Change { at: 200, is_fall: false }];
        assert_eq!(trace.changes(400), wanted);
        assert_eq!(trace.changes(220), wanted[..1], "three seconds must follow");
    }

    #[test]
    fn rows_out_of_step_are_refused() {
        assert!(Trace::parse("time_ms,capacity_kbit\n0,5\n100,6\n").is_ok());
        for bad in ["0,5\n", "time_ms,capacity_kbit\n0,5\n150,6\n", "time_ms,capacity_kbit\n0,0\n"] {
            assert!(Trace::parse(bad).is_err(), "{bad}");
        }
    }
}
