// SPDX-License-Identifier: Apache-2.0
//! What is in force when that is not what the file says: a configuration with alterations that hold for a while, of
//! schedules and of whoever else has a reason.
//!
//! Alterations are taken in their order, so of two that set the same thing the later one counts. What they make is
//! always a configuration that could stand in a file.

use super::steer::Limits;
use super::{Class, Config, Wan};
use crate::units::{Permille, Rate, Way};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Something that is otherwise than the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alteration {
    /// A direction of a line, or of every line, has this speed; where rates follow the line, this is the most.
    Speed {
        /// The line's name; `None`: every line.
        line: Option<String>,
        /// Which direction.
        way: Way,
        /// The speed.
        rate: Rate,
    },
    /// A direction of a line, or of every line, has at most this speed.
    Cap {
        /// The line's name; `None`: every line.
        line: Option<String>,
        /// Which direction.
        way: Way,
        /// The most.
        rate: Rate,
    },
    /// A class has other shares, on all lines; `None`: as they are.
    Share {
        /// The class's name.
        class: String,
        /// What it always gets.
        guarantee: Option<Permille>,
        /// What it never exceeds.
        limit: Option<Permille>,
    },
    /// A rule does not hold.
    RuleOff {
        /// The rule's name.
        rule: String,
    },
    /// A rule holds, though an earlier alteration says that it does not.
    RuleOn {
        /// The rule's name.
        rule: String,
    },
}

/// What it was before it was altered.
#[derive(Debug, Default)]
pub struct Undo {
    /// Speed and bounds of each line's directions, up before down.
    ways: Vec<(Option<Rate>, Limits)>,
    /// Guarantee and limit of each class.
    shares: Vec<(Permille, Permille)>,
}

impl Config {
    /// Alters it; gives what leads back, and adds what could not be altered to `left_out`, in words.
    pub fn alter(&mut self, by: &[&Alteration], left_out: &mut Vec<String>) -> Undo {
        let mut undo = Undo::default();
        for wan in &self.wans {
            undo.ways.extend([(wan.upload, wan.steer.up), (wan.download, wan.steer.down)]);
        }
        for class in &self.classes {
            undo.shares.push((class.guarantee, class.limit));
        }
        for one in by {
            let done = match one {
                Alteration::Speed { line, way, rate } | Alteration::Cap { line, way, rate } => {
                    let is_cap = matches!(one, Alteration::Cap { .. });
                    lines(&mut self.wans, line.as_deref(), *way, *rate, is_cap)
                }
                Alteration::Share { class, guarantee, limit } => {
                    shares(&self.classes, class, *guarantee, *limit).map(|(at, guarantee, limit)| {
                        if let Some(class) = self.classes.get_mut(at) {
                            (class.guarantee, class.limit) = (guarantee, limit);
                        }
                    })
                }
                Alteration::RuleOff { rule } | Alteration::RuleOn { rule } => {
                    if let Some(known) = self.rules.iter_mut().find(|known| known.name == *rule) {
                        known.is_off = matches!(one, Alteration::RuleOff { .. });
                    }
                    Ok(())
                }
            };
            if let Err(why) = done {
                left_out.push(format!("{one}: {why}"));
            }
        }
        undo
    }

    /// Makes it again what it was.
    pub fn restore(&mut self, undo: &Undo) {
        let mut ways = undo.ways.iter();
        for wan in &mut self.wans {
            if let (Some(up), Some(down)) = (ways.next(), ways.next()) {
                ((wan.upload, wan.steer.up), (wan.download, wan.steer.down)) = (*up, *down);
            }
        }
        for (class, before) in self.classes.iter_mut().zip(&undo.shares) {
            (class.guarantee, class.limit) = *before;
        }
        for rule in &mut self.rules {
            rule.is_off = false;
        }
    }
}

/// Gives a line, or all, another speed; says why not.
fn lines(wans: &mut [Wan], name: Option<&str>, way: Way, rate: Rate, is_cap: bool) -> Result<(), String> {
    let (mut is_known, mut is_done) = (false, false);
    for wan in wans.iter_mut().filter(|wan| name.is_none_or(|name| wan.name == name)) {
        is_known = true;
        if is_cap && !wan.is_wanted(way) {
            continue;
        }
        is_done = true;
        let steers = wan.steers(way);
        let (speed, limits) = match way {
            Way::Up => (&mut wan.upload, &mut wan.steer.up),
            Way::Down => (&mut wan.download, &mut wan.steer.down),
        };
        let most = limits.max.filter(|_| steers).or(*speed).filter(|_| is_cap).unwrap_or(rate);
        let rate = rate.min(most);
        if steers {
            // A speed where there was none would be one to keep; and bounds must not cross.
            *speed = speed.map(|speed| speed.min(rate));
            limits.max = Some(rate);
            limits.min = limits.min.map(|min| min.min(rate));
        } else {
            *speed = Some(rate);
        }
    }
    let why = if is_known { "it is not shaped" } else { "there is no such line" };
    if is_done { Ok(()) } else { Err(why.into()) }
}

/// The place of a class and the shares it would have, unless all of them together could not be kept then.
pub(super) fn shares(
    classes: &[Class],
    name: &str,
    guarantee: Option<Permille>,
    limit: Option<Permille>,
) -> Result<(usize, Permille, Permille), String> {
    let mut found = None;
    let mut sum = 0;
    for (at, class) in classes.iter().enumerate() {
        if class.name == name {
            found = Some((at, guarantee.unwrap_or(class.guarantee), limit.unwrap_or(class.limit)));
        } else {
            sum += class.guarantee.0;
        }
    }
    let (at, guarantee, limit) = found.ok_or("there is no such class")?;
    sum += guarantee.0;
    if limit == Permille(0) {
        return Err("with 0 % nothing would ever pass".into());
    }
    if guarantee > limit {
        return Err(format!("the limit, {limit}, is below the guarantee, {guarantee}"));
    }
    if sum > Permille::ALL.0 {
        return Err(format!("the guarantees add up to {}", Permille(sum)));
    }
    Ok((at, guarantee, limit))
}

/// `upload 5 Mbit/s on wan`, `class low: limit 10 %`, `rule 'x' off`.
impl fmt::Display for Alteration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Speed { line, way, rate } | Self::Cap { line, way, rate } => {
                let most = if matches!(self, Self::Cap { .. }) { "at most " } else { "" };
                let line = line.as_deref().unwrap_or("every line");
                write!(f, "{way} {most}{rate} on {line}")
            }
            Self::Share { class, guarantee, limit } => {
                write!(f, "class {class}:")?;
                let mut between = "";
                for (word, share) in [("guarantee", guarantee), ("limit", limit)] {
                    if let Some(share) = share {
                        write!(f, "{between} {word} {share}")?;
                        between = ",";
                    }
                }
                Ok(())
            }
            Self::RuleOff { rule } => write!(f, "rule '{rule}' off"),
            Self::RuleOn { rule } => write!(f, "rule '{rule}' on"),
        }
    }
}

/// A share that is as it is, where numbers are wanted.
const AS_IT_IS: u64 = u16::MAX as u64;

impl Alteration {
    /// As one line of text for [`Self::from_text`]: three numbers, and a name that may be empty.
    pub fn to_text(&self) -> String {
        let share = |share: &Option<Permille>| share.map_or(AS_IT_IS, |share| share.0.into());
        let (kind, one, other, name) = match self {
            Self::Speed { line, way, rate } => (0, *way as u64, rate.bits_per_sec(), line.as_deref()),
            Self::Cap { line, way, rate } => (1, *way as u64, rate.bits_per_sec(), line.as_deref()),
            Self::Share { class, guarantee, limit } => {
                (2, share(guarantee), share(limit), Some(class.as_str()))
            }
            Self::RuleOff { rule } => (3, 0, 0, Some(rule.as_str())),
            Self::RuleOn { rule } => (4, 0, 0, Some(rule.as_str())),
        };
        format!("{kind} {one} {other} {}", name.unwrap_or_default())
    }

    /// Reads such a line.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut words = text.splitn(4, ' ');
        let mut number = || words.next()?.parse::<u64>().ok();
        let (kind, one, other) = (number()?, number()?, number()?);
        let name: String = words.next()?.into();
        let share = |n: u64| u16::try_from(n).ok().filter(|_| n != AS_IT_IS).map(Permille);
        if kind < 2 {
            let (way, rate) = (Way::ALL.get(usize::try_from(one).ok()?).copied()?, Rate::bits(other));
            let line = Some(name).filter(|name| !name.is_empty());
            return Some(if kind == 0 {
                Self::Speed { line, way, rate }
            } else {
                Self::Cap { line, way, rate }
            });
        }
        Some(match kind {
            2 => Self::Share { class: name, guarantee: share(one), limit: share(other) },
            3 => Self::RuleOff { rule: name },
            4 => Self::RuleOn { rule: name },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::random::Random;
    use crate::config::read;

    /// Altered, with what is left out; and that there is a way back.
    fn altered(base: &Config, by: &[Alteration]) -> (Config, Vec<String>) {
        let (mut config, mut left_out) = (base.clone(), Vec::new());
        let undo = config.alter(&by.iter().collect::<Vec<_>>(), &mut left_out);
        let is = config.clone();
        config.restore(&undo);
        assert_eq!(config, *base, "{by:?}");
        (is, left_out)
    }

    fn config(wan: &str) -> Config {
        read::load(
            format!("config wan 'a'\n{wan}config wan 'b'\n option device 'eth9'\n option upload '9mbit'\n")
                .as_bytes(),
        )
        .expect("a right file")
        .0
    }

    fn speed(line: Option<&str>, way: Way, mbit: u32) -> Alteration {
        Alteration::Speed { line: line.map(String::from), way, rate: Rate::mbit(mbit) }
    }

    fn cap(line: Option<&str>, way: Way, mbit: u32) -> Alteration {
        Alteration::Cap { line: line.map(String::from), way, rate: Rate::mbit(mbit) }
    }

    fn share(class: &str, guarantee: Option<u16>, limit: Option<u16>) -> Alteration {
        let of = |percent: Option<u16>| percent.map(Permille::percent);
        Alteration::Share { class: class.into(), guarantee: of(guarantee), limit: of(limit) }
    }

    #[test]
    fn without_alterations_it_is_the_file() {
        let base = config(" option upload '5mbit'\n");
        assert_eq!(altered(&base, &[]), (base, Vec::new()));
    }

    #[test]
    fn a_speed_is_another_one_on_the_line_that_is_named_or_on_all() {
        let base = config(" option upload '5mbit'\n");
        let up = |by: &[Alteration]| {
            let (config, left_out) = altered(&base, by);
            assert_eq!(left_out, [""; 0]);
            [0, 1].map(|n| config.wans[n].upload)
        };
        let mbit = |n| Some(Rate::mbit(n));
        assert_eq!(up(&[speed(Some("a"), Way::Up, 2)]), [mbit(2), mbit(9)]);
        assert_eq!(up(&[speed(None, Way::Up, 2)]), [mbit(2), mbit(2)]);
        assert_eq!(up(&[speed(None, Way::Up, 2), speed(Some("b"), Way::Up, 3)]), [mbit(2), mbit(3)]);
        assert_eq!(up(&[cap(None, Way::Up, 7)]), [mbit(5), mbit(7)]);
        let (config, _) = altered(&base, &[speed(Some("a"), Way::Down, 30)]);
        assert_eq!(config.wans[0].download, mbit(30), "what was not shaped is");
        let (config, left_out) =
            altered(&base, &[cap(Some("a"), Way::Down, 30), speed(Some("c"), Way::Up, 1)]);
        assert_eq!((config, left_out.len()), (base.clone(), 2));
        assert_eq!(left_out[0], "download at most 30 Mbit/s on a: it is not shaped");
        assert_eq!(left_out[1], "upload 1 Mbit/s on c: there is no such line");
    }

    #[test]
    fn a_line_that_is_followed_is_followed_on_below_another_bound() {
        for (wan, way, by) in [
            ("", Way::Up, speed(None, Way::Up, 2)),
            ("", Way::Down, cap(None, Way::Down, 2)),
            (
                " option upload '20mbit'\n option download '20mbit'\n option adapt '1'\n",
                Way::Up,
                speed(None, Way::Up, 2),
            ),
            (
                " option upload '20mbit'\n option upload_min '3mbit'\n option upload_max '30mbit'\n",
                Way::Up,
                cap(None, Way::Up, 2),
            ),
            (" option upload '20mbit'\n option download_min '3mbit'\n", Way::Down, speed(None, Way::Down, 2)),
        ] {
            let base = config(wan);
            let (config, left_out) = altered(&base, core::slice::from_ref(&by));
            let (was, is) = (&base.wans[0], &config.wans[0]);
            assert_eq!(left_out, [""; 0]);
            for way in Way::ALL {
                assert_eq!(
                    (is.steers(way), is.is_wanted(way)),
                    (was.steers(way), was.is_wanted(way)),
                    "{wan}"
                );
            }
            let limits = is.limits(way);
            assert_eq!(limits.max, Some(Rate::mbit(2)), "{wan}");
            assert!(limits.min <= limits.max && is.speed(way).is_none_or(|speed| speed <= Rate::mbit(2)));
        }
        let (config, _) = altered(&config(" option upload_max '4mbit'\n"), &[cap(None, Way::Up, 6)]);
        assert_eq!(config.wans[0].steer.up.max, Some(Rate::mbit(4)), "it was less already");
    }

    #[test]
    fn shares_that_could_not_be_kept_are_left_out_and_told() {
        let base = config("");
        for (by, why) in [
            (share("low", Some(60), None), "class low: guarantee 60 %: the guarantees add up to 120 %"),
            (
                share("critical", Some(51), None),
                "class critical: guarantee 51 %: the limit, 50 %, is below the guarantee, 51 %",
            ),
            (
                share("low", None, Some(4)),
                "class low: limit 4 %: the limit, 4 %, is below the guarantee, 5 %",
            ),
            (
                share("low", Some(0), Some(0)),
                "class low: guarantee 0 %, limit 0 %: with 0 % nothing would ever pass",
            ),
            (share("lowest", None, Some(4)), "class lowest: limit 4 %: there is no such class"),
        ] {
            let (config, left_out) = altered(&base, &[by]);
            assert_eq!((config.classes, left_out), (base.classes.clone(), alloc::vec![why.into()]));
        }
        let (config, left_out) =
            altered(&base, &[share("high", Some(5), None), share("low", Some(50), Some(60))]);
        assert_eq!(
            (config.classes[3].guarantee, left_out.len()),
            (Permille::percent(50), 0),
            "one makes room"
        );
    }

    #[test]
    fn a_rule_is_off_unless_a_later_word_says_on() {
        let base = config("");
        let has = |by: &[Alteration]| {
            altered(&base, by).0.rules.iter().any(|rule| rule.name == "dns" && !rule.is_off)
        };
        let (off, on) =
            (Alteration::RuleOff { rule: "dns".into() }, Alteration::RuleOn { rule: "dns".into() });
        let only = core::slice::from_ref;
        assert!(has(only(&on)) && !has(only(&off)));
        assert!(has(&[off.clone(), on.clone()]) && !has(&[on, off]));
    }

    #[test]
    fn whatever_is_altered_shares_can_be_kept_and_classes_keep_their_order_and_the_text_is_understood() {
        let mut random = Random::seeded(5);
        let base = config(" option upload '5mbit'\n");
        let names = ["critical", "high", "normal", "low", "none"];
        let mut counts = [0; 2];
        for _ in 0..3000 {
            let mut by = Vec::new();
            for _ in 0..random.below(6) {
                let mut some = || Some(Permille(random.below(700) as u16)).filter(|share| share.0 > 50);
                let (guarantee, limit) = (some(), some());
                let class = names[random.below(5) as usize].into();
                by.push(Alteration::Share { class, guarantee, limit });
                let way = Way::ALL[random.below(2) as usize];
                by.push([speed, cap][random.below(2) as usize](
                    Some("a").filter(|_| random.below(2) == 0),
                    way,
                    7,
                ));
            }
            let (config, left_out) = altered(&base, &by);
            assert!(config.classes.iter().map(|class| class.guarantee.0).sum::<u16>() <= 1000);
            assert!(config.classes.iter().all(|class| class.guarantee <= class.limit));
            assert!(config.classes.iter().zip(&base.classes).all(|(is, was)| is.name == was.name));
            counts[usize::from(left_out.is_empty())] += 1;
            for one in &by {
                assert_eq!(Alteration::from_text(&one.to_text()).as_ref(), Some(one));
            }
        }
        assert!(counts.iter().all(|count| *count > 500), "{counts:?}");
        let rule = Alteration::RuleOff { rule: "a rule of mine".into() };
        assert_eq!(Alteration::from_text(&rule.to_text()), Some(rule));
        for bad in ["", "0", "0 2 5 a", "1 0 x a", "5 0 0 a", "2 0 5"] {
            assert_eq!(Alteration::from_text(bad), None, "{bad}");
        }
    }
}
