// SPDX-License-Identifier: Apache-2.0
//! The golden table: how weir's controller fares in every circumstance, so that no change of it loses unnoticed.
//!
//! A row is the mean over one half of the traces without outages: the half its laws were chosen on, or the half that
//! only judges them. What is better than the table passes; `--bless` writes what is so into it.

use super::clock::Span;
use super::scenario::{Answers, Case, Direction, Load};
use super::shaper::Engine;
use super::table::Row;
use crate::units::Way;
use core::fmt;

/// The traces that the laws and their constants were chosen on, by file name; the others judge.
pub const CHOSEN_ON: [&str; 5] = [
    "fcc-mba__trace_28838_http_www_amazon_com",
    "hsdpa-norway__norway_train_13",
    "starlink-autobahn__up-seg0",
    "synth__docsis-evening-sag",
    "synth__steps-50-10-50",
];

/// How long each world runs: both steps of the trace that has steps are in it.
const LENGTH: Span = Span::secs(70);

/// A circumstance: its name and what it changes.
pub struct Circumstance {
    /// What it is called in the table.
    pub name: &'static str,
    change: fn(&mut Case),
}

/// All of them.
pub const CIRCUMSTANCES: [Circumstance; 16] = [
    Circumstance { name: "usual", change: |_| {} },
    Circumstance { name: "1-flow", change: |case| case.flows = 1 },
    Circumstance { name: "16-flows", change: |case| case.flows = 16 },
    Circumstance { name: "bursty", change: |case| case.load = Load::Bursty },
    Circumstance { name: "household", change: |case| case.load = Load::Household },
    Circumstance { name: "rtt-100", change: |case| case.rtt = Span::ms(100) },
    Circumstance { name: "buffer-150", change: |case| case.line.buffer = Span::ms(150) },
    Circumstance { name: "echo", change: |case| case.answers = Answers::Echo },
    Circumstance { name: "noisy", change: |case| case.answers = Answers::Noisy },
    Circumstance { name: "limited", change: |case| case.answers = Answers::Limited },
    Circumstance { name: "dying", change: |case| case.answers = Answers::Dying },
    Circumstance { name: "moving", change: |case| case.answers = Answers::Moving },
    Circumstance { name: "silent", change: |case| case.answers = Answers::Silent },
    Circumstance { name: "loss-20", change: |case| case.line.loss = 0.2 },
    Circumstance { name: "grant-25", change: |case| case.line.grant = Span::ms(25) },
    Circumstance { name: "cake", change: |case| case.engine = Engine::Cake },
];

/// Where the load goes.
pub const DIRECTIONS: [(&str, Direction); 3] =
    [("up", Direction::Up), ("down", Direction::Down), ("both", Direction::Both)];

impl Circumstance {
    /// A world of this circumstance.
    pub fn case(&self, blank: Case, direction: Direction) -> Case {
        let mut case = Case { direction, length: LENGTH, ..blank };
        (self.change)(&mut case);
        case
    }
}

/// A row of the table; shares in per cent, waits in milliseconds, the rest in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Circumstance, direction of the load, direction measured, half of the traces.
    pub name: String,
    /// What was carried of what could have been.
    pub used: f64,
    /// Time above 30 ms.
    pub above: f64,
    /// The wait that 95 in a hundred did not exceed.
    pub p95: f64,
    /// To drain what a fall of the capacity made.
    pub drain: Option<f64>,
    /// To use a rise of it.
    pub rise: Option<f64>,
}

/// How much each may lose: a point of use and of time; for the others more, as single worlds decide them.
const LOSES: [(&str, f64, f64); 5] =
    [("use", 1.0, 0.0), ("above", 1.0, 0.0), ("p95", 4.0, 0.05), ("drain", 0.2, 0.0), ("rise", 0.5, 0.0)];

impl Figures {
    /// Those of a row.
    pub fn of(circumstance: &str, load: &str, half: &str, way: Way, row: &Row) -> Self {
        let way = match way {
            Way::Up => "up",
            Way::Down => "down",
        };
        let name = if load == "both" {
            format!("{circumstance}/both-{way}/{half}")
        } else {
            format!("{circumstance}/{load}/{half}")
        };
        Self {
            name,
            used: 100.0 * row.used,
            above: 100.0 * row.above_30,
            p95: row.p95,
            drain: row.drain.map(|(seconds, _)| seconds),
            rise: row.rise,
        }
    }

    fn all(&self) -> [Option<f64>; 5] {
        [Some(self.used), Some(self.above), Some(self.p95), self.drain, self.rise]
    }

    /// What has become worse than `golden` says, in words.
    pub fn losses(&self, golden: &Self) -> Vec<String> {
        let pairs = self.all().into_iter().zip(golden.all());
        let both = LOSES.iter().zip(pairs).filter_map(|(limit, (is, was))| Some((limit, is?, was?)));
        let lost = both.filter(|&(&(name, least, share), is, was)| {
            // Of use more is better, of everything else less.
            let loss = if name == "use" { was - is } else { is - was };
            loss > least + share * was + 0.005
        });
        lost.map(|((name, ..), is, was)| format!("{}: {name} was {was:.2} and is {is:.2}", self.name))
            .collect()
    }

    /// Reads a line of the table.
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let name = words.next()?.to_owned();
        let mut number = || words.next().map(|word| word.parse::<f64>().ok());
        let (used, above, p95) = (number()??, number()??, number()??);
        Some(Self { name, used, above, p95, drain: number()?, rise: number()? })
    }
}

/// A line of the table.
impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_dash = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| format!("{value:.2}"));
        let (drain, rise) = (or_dash(self.drain), or_dash(self.rise));
        write!(
            f,
            "{:28} {:6.2} {:6.2} {:8.1} {drain:>6} {rise:>6}",
            self.name, self.used, self.above, self.p95
        )
    }
}

/// What stands above the table.
pub const HEAD: &str = "# circumstance/load/traces      use %  >30 %   p95 ms drain s rise s; ./dev sim golden --bless writes it";

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(used: f64, p95: f64, drain: Option<f64>) -> Figures {
        Figures { name: "usual/up/chosen".into(), used, above: 10.0, p95, drain, rise: None }
    }

    #[test]
    fn a_line_reads_as_it_was_written() {
        let written = figures(93.25, 61.5, Some(0.55));
        assert_eq!(Figures::parse(&written.to_string()), Some(written));
        assert_eq!(Figures::parse("usual/up/chosen 93.2"), None);
    }

    #[test]
    fn what_loses_more_than_a_point_is_named_and_what_wins_is_not() {
        let golden = figures(93.0, 60.0, Some(0.5));
        assert!(figures(92.1, 66.0, Some(0.65)).losses(&golden).is_empty());
        assert!(figures(99.0, 20.0, None).losses(&golden).is_empty());
        let lost = figures(91.9, 68.0, Some(0.8)).losses(&golden);
        assert_eq!(lost.len(), 3);
        assert_eq!(lost[0], "usual/up/chosen: use was 93.00 and is 91.90");
    }
}
