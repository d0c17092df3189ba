// SPDX-License-Identifier: Apache-2.0
//! How everything stands at a moment, as the daemon tells `weir top`: numbers it has anyway, a line of text for each thing.
//!
//! Before adding to it: the daemon makes all of it once a second while somebody looks, and must not ask the kernel for it.

use crate::report::Fact;
use crate::units::{Micros, Permille, Rate, Way};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use core::str::SplitN;

/// How everything stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// The daemon's version.
    pub version: String,
    /// The lines, as in the configuration.
    pub lines: Vec<Line>,
    /// What was said lately: how long ago, how much it matters, and what; the newest last.
    pub said: Vec<(Micros, String, String)>,
    /// Alerts, and what is done about them.
    pub facts: Vec<Fact>,
}

/// One line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Its device, if one was found.
    pub device: Option<String>,
    /// What became of its probes; empty: none are sent.
    pub probes: String,
    /// Upload, download.
    pub ways: [Direction; 2],
}

/// One direction of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Direction {
    /// A word: `fixed`, `off`, or how it is steered.
    pub state: String,
    /// The same in a sentence, if there is more to be said.
    pub text: String,
    /// What it is shaped to, if it is.
    pub rate: Option<Rate>,
    /// What it carries, where that is known.
    pub capacity: Option<Rate>,
    /// How long packets wait on the line, where that is known.
    pub wait: Option<Micros>,
    /// How long they may.
    pub aim: Option<Micros>,
    /// All of it, in the last second.
    pub all: Load,
    /// Its classes.
    pub classes: Vec<Class>,
}

/// What passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// In bits a second.
    pub sent: u64,
    /// Bytes that wait.
    pub waiting: u64,
    /// Packets dropped since the queue was made.
    pub drops: u64,
    /// Packets marked since then.
    pub marks: u64,
}

/// One class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// What it is promised.
    pub share: Permille,
    /// How long its packets wait in its queue, where that is known and there are any.
    pub delay: Option<Micros>,
    /// What passed.
    pub load: Load,
}

impl Moment {
    /// As lines of text.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        // A String takes everything.
        let _ = writeln!(out, "weir {}", self.version);
        for line in &self.lines {
            let _ = writeln!(out, "line {} {}", line.device.as_deref().unwrap_or("-"), line.name);
            if !line.probes.is_empty() {
                let _ = writeln!(out, "probes {}", line.probes);
            }
            for (direction, way) in line.ways.iter().zip(Way::ALL) {
                let Direction { state, text, rate, capacity, wait, aim, all, classes } = direction;
                let [rate, capacity] = [rate, capacity].map(|rate| rate.map_or(0, Rate::bits_per_sec));
                let [wait, aim] = [wait, aim].map(more);
                let _ = writeln!(
                    out,
                    "way {} {rate} {capacity} {wait} {aim} {} {state} {text}",
                    way as usize,
                    all.text()
                );
                for Class { name, share, delay, load } in classes {
                    let _ = writeln!(out, "class {} {} {} {name}", share.0, more(delay), load.text());
                }
            }
        }
        for (ago, level, text) in &self.said {
            let _ = writeln!(out, "said {} {level} {}", ago.0, text.replace('\n', " "));
        }
        for fact in &self.facts {
            let _ = writeln!(out, "{}", fact.to_text());
        }
        out
    }

    /// Reads such lines; `None`: they are of another version.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut all = Self { version: lines.next()?.strip_prefix("weir ")?.into(), ..Self::default() };
        let mut way = None;
        for text in lines {
            if let Some(fact) = Fact::from_text(text) {
                all.facts.push(fact);
                continue;
            }
            let (kind, rest) = text.split_once(' ')?;
            match kind {
                "line" => {
                    let (device, name) = rest.split_once(' ')?;
                    let device = Some(device.into()).filter(|device| device != "-");
                    all.lines.push(Line { name: name.into(), device, ..Line::default() });
                }
                "probes" => all.lines.last_mut()?.probes = rest.into(),
                "way" => {
                    let mut words = rest.splitn(11, ' ');
                    let place = usize::try_from(number(&mut words)?).ok()?;
                    let direction = Direction::from_words(&mut words)?;
                    *all.lines.last_mut()?.ways.get_mut(place)? = direction;
                    way = Some(place);
                }
                "class" => {
                    let class = Class::from_words(&mut rest.splitn(7, ' '))?;
                    all.lines.last_mut()?.ways.get_mut(way?)?.classes.push(class);
                }
                "said" => {
                    let mut words = rest.splitn(3, ' ');
                    all.said.push((Micros(number(&mut words)?), words.next()?.into(), words.next()?.into()));
                }
                // Of a later version.
                _ => {}
            }
        }
        Some(all)
    }
}

impl Direction {
    fn from_words(words: &mut SplitN<'_, char>) -> Option<Self> {
        let mut rate = || Some(Some(number(words)?).filter(|bits| *bits > 0).map(Rate::bits));
        let (rate, capacity) = (rate()?, rate()?);
        let (wait, aim) = (less(words)?, less(words)?);
        let all = Load::from_words(words)?;
        let (state, text) = (words.next()?.into(), words.next()?.into());
        Some(Self { state, text, rate, capacity, wait, aim, all, classes: Vec::new() })
    }
}

impl Class {
    fn from_words(words: &mut SplitN<'_, char>) -> Option<Self> {
        let share = Permille(u16::try_from(number(words)?).ok()?);
        let (delay, load) = (less(words)?, Load::from_words(words)?);
        Some(Self { name: words.next()?.into(), share, delay, load })
    }
}

impl Load {
    fn text(&self) -> String {
        alloc::format!("{} {} {} {}", self.sent, self.waiting, self.drops, self.marks)
    }

    fn from_words(words: &mut SplitN<'_, char>) -> Option<Self> {
        let mut next = || number(words);
        Some(Self { sent: next()?, waiting: next()?, drops: next()?, marks: next()? })
    }
}

/// A time that may not be known, as a number.
fn more(time: &Option<Micros>) -> u64 {
    time.map_or(0, |time| time.0.saturating_add(1))
}

fn less(words: &mut SplitN<'_, char>) -> Option<Option<Micros>> {
    Some(number(words)?.checked_sub(1).map(Micros))
}

fn number(words: &mut SplitN<'_, char>) -> Option<u64> {
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_the_same_behind_the_socket_and_nonsense_is_none() {
        let load = Load { sent: 1, waiting: 2, drops: 3, marks: 4 };
        let class = Class { name: "a name".into(), share: Permille(125), delay: Some(Micros(0)), load };
        let full = Direction {
            state: "loaded".into(),
            text: "loaded: a short queue".into(),
            rate: Some(Rate::mbit(9)),
            capacity: Some(Rate::mbit(10)),
            wait: Some(Micros(7)),
            aim: Some(Micros(8)),
            all: load,
            classes: alloc::vec![class.clone(), Class { name: "b".into(), ..Class::default() }],
        };
        let off = Direction { state: "off".into(), ..Direction::default() };
        let moment = Moment {
            version: "1.2.3".into(),
            lines: alloc::vec![
                Line {
                    name: "wan".into(),
                    device: Some("eth0".into()),
                    probes: "6 of 6".into(),
                    ways: [full.clone(), off.clone()]
                },
                Line { name: "lte".into(), ways: [off, full], ..Line::default() },
            ],
            said: alloc::vec![(Micros(5), "info".into(), "wan: follows the line".into())],
            facts: alloc::vec![Fact::longest()],
        };
        assert_eq!(Moment::from_text(&moment.to_text()), Some(moment.clone()));
        assert_eq!(
            Moment::from_text("weir 2\nnews of later versions\n").map(|moment| moment.lines.len()),
            Some(0)
        );
        for text in [
            "",
            "ok\n",
            "weir 1\nclass 1 2 3 4 5 6 x\n",
            "weir 1\nline x\n",
            "weir 1\nline - x\nway 7 1 2 3 4 5 6 7 8 a b\n",
        ] {
            assert_eq!(Moment::from_text(text), None, "{text}");
        }
        // What is said is one line, whatever is said.
        let said = Moment { said: alloc::vec![(Micros(5), "info".into(), "a\nline x y".into())], ..moment };
        assert_eq!(Moment::from_text(&said.to_text()).map(|moment| moment.lines.len()), Some(2));
    }
}
