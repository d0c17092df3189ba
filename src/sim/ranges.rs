// SPDX-License-Identifier: Apache-2.0
//! A set of numbers kept as ranges: which segments a receiver has, which ones a sender knows to have arrived.

/// Ranges `from..to`, in order, that do not touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges(Vec<(u32, u32)>);

impl Ranges {
    /// Adds `from..to` and calls `added` with each part that was not there.
    pub fn add(&mut self, from: u32, to: u32, mut added: impl FnMut(u32, u32)) {
        if from >= to {
            return;
        }
        let first = self.0.partition_point(|&(_, end)| end < from);
        let (mut low, mut high, mut at, mut behind) = (from, to, from, first);
        while let Some(&(start, end)) = self.0.get(behind) {
            if start > to {
                break;
            }
            if at < start {
                added(at, start.min(to));
            }
            at = at.max(end);
            (low, high) = (low.min(start), high.max(end));
            behind += 1;
        }
        if at < to {
            added(at, to);
        }
        self.0.splice(first..behind, [(low, high)]);
    }

    /// Forgets all numbers below `to`.
    pub fn forget_below(&mut self, to: u32) {
        let gone = self.0.partition_point(|&(_, end)| end <= to);
        self.0.drain(..gone);
        if let Some(first) = self.0.first_mut() {
            first.0 = first.0.max(to);
        }
    }

    /// Takes the first range if it begins at or below `at`, and gives its end.
    pub fn take_from(&mut self, at: u32) -> Option<u32> {
        let &(from, to) = self.0.first()?;
        (from <= at).then(|| {
            self.0.remove(0);
            to
        })
    }

    /// The range that holds `number`.
    pub fn around(&self, number: u32) -> Option<(u32, u32)> {
        let at = self.0.partition_point(|&(_, end)| end <= number);
        self.0.get(at).copied().filter(|&(from, _)| from <= number)
    }

    /// The ranges, last first.
    pub fn from_the_last(&self) -> impl Iterator<Item = (u32, u32)> {
        self.0.iter().rev().copied()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::random::Random;
    use std::collections::BTreeSet;

    #[test]
    fn ranges_hold_what_a_set_holds_and_report_what_is_new() {
        let mut random = Random::new(9, 9);
        let (mut ranges, mut set) = (Ranges::default(), BTreeSet::new());
        for _ in 0..2000 {
            let from = random.below(400) as u32;
            let to = from + random.below(30) as u32;
            let mut new = Vec::new();
            ranges.add(from, to, |from, to| new.extend(from..to));
            let expected: Vec<u32> = (from..to).filter(|n| set.insert(*n)).collect();
            assert_eq!(new, expected);
            if random.below(20) == 0 {
                let below = random.below(200) as u32;
                ranges.forget_below(below);
                set.retain(|&n| n >= below);
            }
            if random.below(40) == 0 {
                ranges.clear();
                set.clear();
            }
            let held: BTreeSet<u32> = ranges.0.iter().flat_map(|&(from, to)| from..to).collect();
            assert_eq!(held, set);
            assert!(ranges.0.windows(2).all(|pair| pair[0].1 < pair[1].0), "{ranges:?}");
        }
    }
}
