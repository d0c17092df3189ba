// SPDX-License-Identifier: Apache-2.0
//! What the daemon says besides of what it watches: alerts, and what is done about them. As everything shows it, and as a
//! line of text from the daemon to the other commands.

use crate::scribe::Scribe;
use crate::units::{Micros, Time};
use crate::watch::alert::Alert;
use crate::watch::deed::Doing;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{Display, Write};

/// What a fact is about, by the names of its numbers and words.
#[derive(Debug, PartialEq, Eq)]
struct Kind {
    name: &'static str,
    counts: &'static [&'static str],
    words: &'static [&'static str],
}

const ALERT: Kind = Kind {
    name: "alert",
    counts: &["id", "levels", "since_us"],
    words: &["wan", "direction", "class", "level", "metric", "severity", "cause", "text", "advice"],
};
const ACTION: Kind = Kind {
    name: "action",
    counts: &["left_us"],
    words: &["wan", "direction", "class", "level", "action", "text"],
};
/// Where the class is, which may be none.
const CLASS: usize = 2;

/// Something the daemon says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    kind: &'static Kind,
    counts: Vec<u64>,
    words: Vec<String>,
}

impl Fact {
    /// Something that is wrong.
    pub fn alert(alert: &Alert, now: Time) -> Self {
        let level = &alert.level;
        let counts = alloc::vec![alert.id.into(), alert.count() as u64, (now - alert.since).0];
        let class = level.class.as_deref().unwrap_or_default();
        let (metric, gravity) = (level.metric.word(), level.gravity.word());
        let words: [&dyn Display; 9] = [
            &alert.wan,
            &alert.way,
            &class,
            &level.name,
            &metric,
            &gravity,
            &alert.cause.word(),
            &alert.text,
            &alert.advice,
        ];
        Self { kind: &ALERT, counts, words: words.iter().map(ToString::to_string).collect() }
    }

    /// Something that is done about it.
    pub fn action(doing: &Doing, now: Time) -> Self {
        let class = doing.class_name.as_deref().unwrap_or_default();
        let words: [&dyn Display; 6] =
            [&doing.wan, &doing.spot.way, &class, &doing.level, &doing.deed.word(), &doing.text];
        let counts = alloc::vec![(doing.until - now).0];
        Self { kind: &ACTION, counts, words: words.iter().map(ToString::to_string).collect() }
    }

    /// Whether it is something that is wrong; else it is something that is done.
    pub fn is_alert(&self) -> bool {
        *self.kind == ALERT
    }

    /// As fields.
    pub fn write(&self, out: &mut dyn Scribe) {
        for (key, count) in self.kind.counts.iter().zip(&self.counts) {
            out.count(key, *count);
        }
        for (n, (key, word)) in self.kind.words.iter().zip(&self.words).enumerate() {
            let is_there = n != CLASS || !word.is_empty();
            out.maybe_text(key, Some(word as &dyn Display).filter(|_| is_there));
        }
    }

    /// For people.
    pub fn sentence(&self) -> String {
        let span = Micros::secs(self.counts.last().unwrap_or(&0) / 1_000_000);
        match self.words.as_slice() {
            [wan, .., severity, _, text, advice] if self.is_alert() => {
                format!("{severity}: {wan}: {text}, since {span}: {advice}")
            }
            [wan, _, _, level, _, text] => format!("action: {wan}: {text} for {span} more, for '{level}'"),
            _ => String::new(),
        }
    }

    /// One line of text.
    pub fn to_text(&self) -> String {
        let mut line = String::from(self.kind.name);
        for count in &self.counts {
            // A String takes everything.
            let _ = write!(line, "\t{count}");
        }
        self.words.iter().for_each(|word| line.extend(["\t", word]));
        line
    }

    /// Reads such a line.
    pub fn from_text(line: &str) -> Option<Self> {
        let mut rest = line.split('\t');
        let name = rest.next()?;
        let kind = [&ALERT, &ACTION].into_iter().find(|kind| kind.name == name)?;
        let mut counts = Vec::new();
        for _ in kind.counts {
            counts.push(rest.next()?.parse().ok()?);
        }
        let words: Vec<String> = rest.map(String::from).collect();
        (words.len() == kind.words.len()).then_some(Self { kind, counts, words })
    }

    /// An alert about which everything is as long as it may be.
    #[cfg(test)]
    pub(crate) fn longest() -> Self {
        let long = |word: &&str| "n".repeat(if *word == "advice" { 300 } else { crate::limits::NAME });
        let words = ALERT.words.iter().map(long).collect();
        Self { kind: &ALERT, counts: alloc::vec![u64::MAX; ALERT.counts.len()], words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_the_same_behind_the_socket_and_nonsense_is_none() {
        let fact = |kind: &'static Kind| {
            let word = |word: &&str| if *word == "class" { String::new() } else { format!("a {word}") };
            let counts = (1..).map(|n| n * 61_000_000).take(kind.counts.len()).collect();
            Fact { kind, counts, words: kind.words.iter().map(word).collect() }
        };
        let (alert, action) = (fact(&ALERT), fact(&ACTION));
        assert_eq!(Fact::from_text(&alert.to_text()), Some(alert.clone()));
        assert_eq!(Fact::from_text(&action.to_text()), Some(action.clone()));
        assert_eq!(alert.sentence(), "a severity: a wan: a text, since 3 min 3 s: a advice");
        assert_eq!(action.sentence(), "action: a wan: a text for 1 min 1 s more, for 'a level'");
        for line in
            ["", "alert", "alert\t1\t2", "action\t1\ta\tb\tc\td\te", "action\tx\ta\tb\tc\td\te\tf", "x\t1"]
        {
            assert_eq!(Fact::from_text(line), None, "{line}");
        }
    }
}
