// SPDX-License-Identifier: Apache-2.0
//! What outlives a reboot: the rates lines were steered to, as a file with a line each.

use crate::limits;
use crate::units::Rate;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

/// The rates a line had when it was last steered, by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learnt(Vec<(String, [Option<Rate>; 2])>);

impl Learnt {
    /// The first line of the file; another version's is not read.
    const HEAD: &'static str = "weir learnt 1";

    /// Reads a file; what is not understood was not learnt. If anything is not: the first such line, and what follows.
    pub fn from_text(text: &str) -> (Self, Option<(u32, &'static str)>) {
        let mut lines = (1..).zip(text.split_inclusive('\n'));
        let head = lines.next().map_or("", |(_, head)| head.trim_end());
        if head != Self::HEAD {
            let is_ours = head.starts_with("weir learnt ");
            let why = if is_ours {
                "of another version of weir; not read"
            } else {
                "not what weir writes; not read"
            };
            return (Self::default(), Some((1, why)));
        }
        let (mut all, mut damage) = (Vec::new(), None);
        for (number, line) in lines {
            // Without its end a line may lack a digit.
            let whole = line.strip_suffix('\n');
            let mut words = whole.unwrap_or_default().split(' ');
            let name = words.next().unwrap_or_default();
            let kbit = [(); 2].map(|()| words.next().and_then(|word| word.parse::<u32>().ok()));
            if name.is_empty() || kbit.contains(&None) || words.next().is_some() {
                damage.get_or_insert((number, "damaged; what else can be read is used"));
            }
            if !name.is_empty() && all.len() < limits::WANS {
                let rates = kbit.map(|kbit| kbit.filter(|kbit| *kbit > 0).map(Rate::kbit));
                all.push((name.into(), rates));
            }
        }
        (Self(all), damage)
    }

    /// Writes a file.
    pub fn to_text(&self) -> String {
        let mut out = String::from(Self::HEAD);
        for (name, rates) in &self.0 {
            let kbit = |rate: Option<Rate>| rate.map_or(0, |rate| rate.bits_per_sec() / 1000);
            let [up, down] = rates.map(kbit);
            let _ = write!(out, "\n{name} {up} {down}");
        }
        out.push('\n');
        out
    }

    /// What is known of a line.
    pub fn get(&self, name: &str) -> [Option<Rate>; 2] {
        let line = self.0.iter().find(|(known, _)| known == name);
        line.map(|(_, rates)| *rates).unwrap_or_default()
    }

    /// Whether a line has moved so far from what is written down that it is worth a new writing.
    pub fn is_far_from(&self, other: &Self) -> bool {
        let is_near = |a: Option<Rate>, b: Option<Rate>| {
            let [a, b] = [a, b].map(|rate| rate.map_or(0, Rate::bits_per_sec));
            a.abs_diff(b) <= a.max(b) / 5
        };
        self.0.iter().any(|(name, [up, down])| {
            let [other_up, other_down] = other.get(name);
            !is_near(*up, other_up) || !is_near(*down, other_down)
        })
    }

    /// Takes what a line has learnt.
    pub fn set(&mut self, name: &str, rates: [Option<Rate>; 2]) {
        if let Some(line) = self.0.iter_mut().find(|(known, _)| known == name) {
            line.1 = rates;
        } else if self.0.len() < limits::WANS {
            self.0.push((name.into(), rates));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learnt_survives_its_file_and_nothing_else_does() {
        let mut learnt = Learnt::default();
        learnt.set("lte", [Some(Rate::mbit(12)), None]);
        learnt.set("wan", [None, Some(Rate::mbit(90))]);
        assert_eq!(Learnt::from_text(&learnt.to_text()), (learnt, None));
        for broken in ["", "weir learnt 2\nlte 1 2\n", "x", "\u{0}weir learnt 1\nlte 1 2"] {
            assert_eq!(Learnt::from_text(broken).0, Learnt::default(), "{broken}");
        }
        let (half, _) = Learnt::from_text("weir learnt 1\nlte 12000 x\nwan\n\n- -1 99999999999\n");
        assert_eq!(half.get("lte"), [Some(Rate::mbit(12)), None]);
        assert_eq!(half.get("-"), [None, None]);
    }

    #[test]
    fn a_damaged_file_is_told_by_its_first_bad_line_and_the_rest_is_used() {
        const DAMAGED: Option<&str> = Some("damaged; what else can be read is used");
        for (text, line, why, wan) in [
            ("", 1, Some("not what weir writes; not read"), None),
            ("weir learnt 2\nwan 9000 0\n", 1, Some("of another version of weir; not read"), None),
            ("weir learnt 1", 0, None, None),
            ("weir learnt 1\nlte 5000 x\nwan 9000 0\nx\n", 2, DAMAGED, Some(9)),
            ("weir learnt 1\nwan 9000 0\nlte\n", 3, DAMAGED, Some(9)),
            ("weir learnt 1\nwan 9000 0\n\n", 3, DAMAGED, Some(9)),
            ("weir learnt 1\nwan 9000 0 7\n", 2, DAMAGED, Some(9)),
            // The second rate may have been a longer one.
            ("weir learnt 1\nlte 1000 0\nwan 9000 34", 3, DAMAGED, None),
        ] {
            let (learnt, damage) = Learnt::from_text(text);
            assert_eq!(damage, why.map(|why| (line, why)), "{text}");
            assert_eq!(learnt.get("wan"), [wan.map(Rate::mbit), None], "{text}");
        }
    }

    #[test]
    fn it_is_written_again_when_a_line_has_moved_by_a_fifth() {
        let at = |mbit| {
            let mut learnt = Learnt::default();
            learnt.set("lte", [Some(Rate::mbit(mbit)), None]);
            learnt
        };
        assert!(!at(11).is_far_from(&at(10)));
        assert!(at(13).is_far_from(&at(10)) && at(7).is_far_from(&at(10)));
        assert!(at(1).is_far_from(&Learnt::default()));
    }
}
