// SPDX-License-Identifier: Apache-2.0
//! What the running daemon says besides of what the kernel shows: of itself, of its configuration, of what it watches.
//! As a snapshot takes it, and as lines of text from the daemon to the other commands.

use super::Fact;
use crate::config::{Fault, Severity};
use crate::limits;
use crate::scribe::Scribe;
use crate::steer::{Probed, Standing};
use crate::units::{Micros, Way};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

/// What the daemon made of the configuration it read last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// It is in force; else the one before it still is, if there was one.
    pub is_taken: bool,
    /// What is wrong with it, faults before warnings; at most [`limits::TOLD_FAULTS`].
    pub faults: Vec<Fault>,
}

/// How long packets of a class wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delay {
    /// The line's place in the configuration.
    pub place: usize,
    /// Which direction.
    pub way: Way,
    /// How long.
    pub time: Micros,
    /// The class, or the tin, as a snapshot calls it.
    pub name: String,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// How lines that are steered stand.
    pub standings: Vec<Standing>,
    /// What became of their probes, by the line's place.
    pub probing: Vec<(usize, Probed)>,
    /// How long packets wait, where that is known.
    pub delays: Vec<Delay>,
    /// What is wrong now, and what is done about it.
    pub facts: Vec<Fact>,
    /// For how long it has been running; `None`: nobody says.
    pub uptime: Option<Micros>,
    /// What it made of its configuration; `None`: it has read none.
    pub taken: Option<Taken>,
}

impl Taken {
    /// Of what was found, which is shortened to what anybody is told.
    pub fn new(is_taken: bool, found: &[Fault]) -> Self {
        /// Bytes of the longest text of a fault.
        const TEXT: usize = 240;
        let short = |text: &str, most: usize| {
            let mut short = String::new();
            for c in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
                if short.len() + c.len_utf8() > most {
                    break;
                }
                short.push(c);
            }
            short
        };
        let ordered = [Severity::Fault, Severity::Warning].into_iter();
        let ordered = ordered.flat_map(|only| found.iter().filter(move |fault| fault.severity == only));
        let told = ordered.take(limits::TOLD_FAULTS).map(|fault| Fault {
            severity: fault.severity,
            line: fault.line,
            option: short(&fault.option, limits::NAME),
            text: short(&fault.text, TEXT),
        });
        Self { is_taken, faults: told.collect() }
    }
}

/// Writes the fields of what is wrong with a configuration.
pub(crate) fn write_fault(fault: &Fault, out: &mut dyn Scribe) {
    out.count("line", fault.line.into());
    out.text("severity", &fault.severity.word());
    out.text("text", &fault.words());
}

impl Told {
    /// A line for each.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        // A String takes everything.
        if let Some(up) = self.uptime {
            let _ = writeln!(out, "up {}", up.0);
        }
        if let Some(Taken { is_taken, faults }) = &self.taken {
            let _ = writeln!(out, "taken {}", u8::from(*is_taken));
            for Fault { severity, line, option, text } in faults {
                let _ = writeln!(out, "fault\t{}\t{line}\t{option}\t{text}", severity.word());
            }
        }
        for standing in &self.standings {
            let _ = writeln!(out, "{}", standing.to_text());
        }
        for (place, probing) in &self.probing {
            let _ = writeln!(out, "probes {place} {}", probing.to_text());
        }
        for Delay { place, way, time, name } in &self.delays {
            let _ = writeln!(out, "delay {place} {} {} {name}", *way as usize, time.0);
        }
        for fact in &self.facts {
            let _ = writeln!(out, "{}", fact.to_text());
        }
        out
    }

    /// Reads such lines; others are passed over.
    pub fn from_text(text: &str) -> Self {
        let mut told = Self::default();
        for line in text.lines() {
            let _ = told.hear(line);
        }
        told
    }

    /// Lines have other places than they had; `None`: they are gone.
    pub fn place(&mut self, to: &dyn Fn(usize) -> Option<usize>) {
        let turn = |place: &mut usize| to(*place).inspect(|new| *place = *new).is_some();
        self.standings.retain_mut(|one| turn(&mut one.place));
        self.probing.retain_mut(|(place, _)| turn(place));
        self.delays.retain_mut(|one| turn(&mut one.place));
    }

    /// `None`: it is no line of these.
    fn hear(&mut self, line: &str) -> Option<()> {
        if let Some(standing) = Standing::from_text(line) {
            self.standings.push(standing);
            return Some(());
        }
        if let Some(fact) = Fact::from_text(line) {
            self.facts.push(fact);
            return Some(());
        }
        let at = line.find([' ', '\t'])?;
        let (word, rest) = (line.get(..at)?, line.get(at + 1..)?);
        match word {
            "up" => self.uptime = Some(Micros(rest.parse().ok()?)),
            "taken" => self.taken = Some(Taken { is_taken: rest == "1", faults: Vec::new() }),
            "fault" => {
                let mut words = rest.splitn(4, '\t');
                let severity = if words.next()? == "fault" { Severity::Fault } else { Severity::Warning };
                let (line, option) = (words.next()?.parse().ok()?, words.next()?.to_string());
                let text = words.next()?.to_string();
                self.taken.as_mut()?.faults.push(Fault { severity, line, option, text });
            }
            "probes" => {
                let (place, rest) = rest.split_once(' ')?;
                self.probing.push((place.parse().ok()?, Probed::from_text(rest)?));
            }
            "delay" => {
                let mut words = rest.splitn(4, ' ');
                let place = words.next()?.parse().ok()?;
                let way = *Way::ALL.get(words.next()?.parse::<usize>().ok()?)?;
                let time = Micros(words.next()?.parse().ok()?);
                self.delays.push(Delay { place, way, time, name: words.next()?.to_string() });
            }
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn what_is_told_is_the_same_behind_the_socket_and_nonsense_is_passed_over() {
        let fault = |severity, line| Fault {
            severity,
            line,
            option: "upload".into(),
            text: format!("not a speed:\tfast\n{line}"),
        };
        let found: Vec<Fault> = (1..20)
            .map(|line| fault(if line > 12 { Severity::Fault } else { Severity::Warning }, line))
            .collect();
        let taken = Taken::new(false, &found);
        let lines: Vec<u32> = taken.faults.iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [13, 14, 15, 16, 17, 18, 19, 1], "faults come first");
        let told = Told {
            probing: alloc::vec![(3, Probed::from_text("6 5 1203 12 1 0").expect("six numbers"))],
            delays: alloc::vec![Delay { place: 1, way: Way::Down, time: Micros(7), name: "tin 3".into() }],
            facts: alloc::vec![Fact::longest()],
            uptime: Some(Micros(9)),
            taken: Some(taken),
            ..Told::default()
        };
        let text = told.to_text();
        assert_eq!(Told::from_text(&text), told);
        assert_eq!(text.lines().count(), 1 + 1 + 8 + 1 + 1 + 1, "{text}");
        let nonsense =
            "\nup\nup x\nfault\tfault\t1\tupload\ttext\nprobes 1 2\ndelay 0 2 7 low\nalter 0\n0 0\n";
        assert_eq!(Told::from_text(nonsense), Told::default());
    }
}
