// SPDX-License-Identifier: Apache-2.0
//! Service levels: what is measured, when it is too much, and what is done then.
//!
//! Each class has two that hold without a word (its delay stays below its target, and it gets its guarantee when it wants
//! it); a section `threshold` is one more. The judge is `watch::sla`.

use super::check::line_of;
use super::error::Faults;
use super::options::{SectionType, guess};
use super::read::{Reader, called};
use super::uci::Section;
use super::value::{self, Quoted};
use super::{Class, Config, place};
use crate::limits;
use crate::units::{Micros, Permille, Rate, Way};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// What is measured, each second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metric {
    /// How long a packet waits: in its class's queue and on the line.
    #[default]
    Latency,
    /// Packets our queues dropped, of all that came to them.
    Loss,
    /// What a class was given of the line, while it has packets waiting.
    Share,
    /// What was sent of what the line is shaped to.
    Utilisation,
    /// Packets dropped in a second.
    Drops,
    /// Packets marked in a second.
    Marks,
    /// What was sent.
    Throughput,
    /// What the line carries, where that is measured.
    Capacity,
}

/// How what is measured stands to the value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the signs say it")]
pub enum Operator {
    #[default]
    Over,
    Under,
    AtLeast,
    AtMost,
    Equal,
}

/// How much an alert matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "levels of the log")]
pub enum Gravity {
    Info,
    #[default]
    Warning,
    Error,
}

/// What is done besides telling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deed {
    /// Nothing.
    #[default]
    Notify,
    /// A class is held to a share.
    Throttle,
    /// A class is guaranteed a share.
    Protect,
    /// The direction is held to a rate.
    Cap,
    /// A class gets next to nothing.
    Block,
}

/// One service level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// The section's name, or what the level of a class is called.
    pub name: String,
    /// The line it is about; `None`: each.
    pub wan: Option<String>,
    /// The direction; `None`: each.
    pub way: Option<Way>,
    /// The class; `None`: all of the direction.
    pub class: Option<String>,
    /// What is measured.
    pub metric: Metric,
    /// How it stands to the value when something is wrong.
    pub operator: Operator,
    /// In the metric's unit: microseconds, thousandths, packets in a second, bits in a second.
    pub value: u64,
    /// For so long without a pause.
    pub span: Micros,
    /// How much it matters.
    pub gravity: Gravity,
    /// What is done.
    pub deed: Deed,
    /// The class it is done to.
    pub deed_class: Option<String>,
    /// To what share.
    pub share: Option<Permille>,
    /// To what rate.
    pub rate: Option<Rate>,
    /// For how long at most.
    pub time: Micros,
    /// Each time within a day it is done for twice as long as the last time.
    pub is_growing: bool,
}

impl Default for Threshold {
    fn default() -> Self {
        Self {
            name: String::new(),
            wan: None,
            way: None,
            class: None,
            metric: Metric::default(),
            operator: Operator::default(),
            value: 0,
            span: Micros::secs(10),
            gravity: Gravity::default(),
            deed: Deed::default(),
            deed_class: None,
            share: None,
            rate: None,
            time: Micros::secs(300),
            is_growing: false,
        }
    }
}

/// What a class must not stay below, of its guarantee.
const FAIR: u64 = 75;
/// For so long it may: a burst of another class is over by then.
const PATIENCE: Micros = Micros::secs(30);

impl Threshold {
    /// The levels each class has anyway.
    pub fn of_class(class: &Class) -> [Self; 2] {
        let level = |word: &str, metric, operator, value, span| Self {
            name: format!("{} {word}", class.name),
            class: Some(class.name.clone()),
            metric,
            operator,
            value,
            span,
            ..Self::default()
        };
        let fair = u64::from(class.guarantee.0) * FAIR / 100;
        [
            level("latency", Metric::Latency, Operator::Over, class.target.0, Micros::secs(10)),
            level("share", Metric::Share, Operator::Under, fair, PATIENCE),
        ]
    }

    /// All there are: the classes', then the file's.
    pub fn all(config: &Config) -> Vec<Self> {
        let of_classes = config.classes.iter().filter(|_| config.globals.levels).flat_map(Self::of_class);
        of_classes.chain(config.thresholds.iter().cloned()).collect()
    }

    /// Whether something is wrong with what was measured.
    pub const fn is_broken_by(&self, got: u64) -> bool {
        let value = self.value;
        match self.operator {
            Operator::Over => got > value,
            Operator::Under => got < value,
            Operator::AtLeast => got >= value,
            Operator::AtMost => got <= value,
            Operator::Equal => got == value,
        }
    }

    /// Whether all is well again: by a tenth more than it must be, so that nothing flutters.
    pub const fn is_kept_by(&self, got: u64) -> bool {
        let tenth = self.value / 10;
        match self.operator {
            Operator::Over => got <= self.value - tenth,
            Operator::AtLeast => got < self.value - tenth || (got == 0 && self.value > 0),
            Operator::Under => got >= self.value + tenth,
            Operator::AtMost => got > self.value + tenth,
            Operator::Equal => got != self.value,
        }
    }
}

/// A number of a metric with its unit.
pub struct Shown(pub Metric, pub u64);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(metric, value) = *self;
        match metric {
            Metric::Latency => Micros(value).fmt(f),
            Metric::Loss | Metric::Share | Metric::Utilisation => {
                Permille(value.try_into().unwrap_or(u16::MAX)).fmt(f)
            }
            Metric::Drops | Metric::Marks => write!(f, "{value}/s"),
            Metric::Throughput | Metric::Capacity => Rate::bits(value).fmt(f),
        }
    }
}

/// `200 ms > 50 ms` as the file would say it.
impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = Shown(self.metric, self.value);
        write!(f, "{} {} {value} for {}", self.metric.word(), self.operator.word(), self.span)
    }
}

/// What a section says.
pub(super) struct Said {
    pub(super) is_enabled: bool,
    pub(super) level: Threshold,
    pub(super) metric: Option<Metric>,
    pub(super) operator: Option<Operator>,
    pub(super) value: Option<String>,
}

impl Metric {
    fn parse(self, text: &str) -> Result<u64, String> {
        Ok(match self {
            Self::Latency => value::span(text, Micros::ms(1), Micros::secs(60))?.0,
            Self::Loss | Self::Share | Self::Utilisation => value::share(text)?.0.into(),
            Self::Drops | Self::Marks => value::integer(text, 0, 1_000_000)?.unsigned_abs(),
            Self::Throughput | Self::Capacity => value::rate(text)?.bits_per_sec(),
        })
    }
}

impl<'a> Reader<'a> {
    pub(super) fn threshold(&mut self, section: &'a Section) {
        if self.understood.config.thresholds.len() == limits::THRESHOLDS {
            let text = format!("more than {} thresholds", limits::THRESHOLDS);
            return self.faults.fault(section.line, "", text);
        }
        let level = Threshold { name: called(section), ..Threshold::default() };
        let mut said = Said { is_enabled: true, level, metric: None, operator: None, value: None };
        for (row, _, mut value) in self.options(SectionType::Threshold, section) {
            place::put(place::THRESHOLD, &mut said, row.name, &mut value);
        }
        let Said { is_enabled, mut level, metric, operator, value } = said;
        let name = &level.name;
        for (option, is_missing) in [("metric", metric.is_none()), ("value", value.is_none())] {
            if is_missing && section.option(option).is_none() {
                let text = format!("threshold '{name}' needs option '{option}'");
                self.faults.fault(section.line, "", text);
            }
        }
        // What a value means is its metric's to say. Without one the rest of the section is judged all the same.
        if let (Some(metric), Some(value)) = (metric, value) {
            level.metric = metric;
            match metric.parse(&value) {
                Ok(value) => level.value = value,
                Err(text) => self.faults.fault(line_of(section, "value"), "value", text),
            }
        }
        // What is little is bad for these, what is much for the others.
        let is_low = matches!(level.metric, Metric::Share | Metric::Capacity);
        level.operator = operator.unwrap_or(if is_low { Operator::Under } else { Operator::Over });
        if is_enabled {
            self.understood.thresholds.push(section);
            self.understood.config.thresholds.push(level);
        }
    }
}

/// What a threshold names must be there, and its action must have what it needs.
pub(super) fn check(config: &Config, sections: &[&Section], faults: &mut Faults) {
    let classes = || config.classes.iter().map(|class| class.name.as_str());
    let wans = || config.wans.iter().map(|wan| wan.name.as_str());
    for (level, section) in config.thresholds.iter().zip(sections) {
        let (name, line) = (&level.name, |option| line_of(section, option));
        let unknown = |what: &str, word: &str, hint: String| {
            format!("threshold '{name}': there is no {what} {}{hint}", Quoted(word))
        };
        if let Some(word) = level.wan.as_deref().filter(|word| !wans().any(|known| known == *word)) {
            faults.fault(line("wan"), "wan", unknown("line", word, guess(word, wans())));
        }
        for (option, word) in [("class", &level.class), ("action_class", &level.deed_class)] {
            if let Some(word) = word.as_deref().filter(|word| !classes().any(|known| known == *word)) {
                faults.fault(line(option), option, unknown("class", word, guess(word, classes())));
            }
        }
        if config.thresholds.iter().filter(|other| other.name == *name).count() > 1 {
            faults.fault(section.line, "", format!("there is another threshold called '{name}'"));
        }
        let of_class = level.class.is_some();
        if level.metric == Metric::Share && !of_class && section.option("class").is_none() {
            let text = "share is a class's: option 'class' says which";
            faults.fault(line("metric"), "metric", text);
        }
        if level.metric == Metric::Capacity && of_class {
            let text = "capacity is the line's: leave out option 'class'";
            faults.fault(line("metric"), "metric", text);
        }
        let is_on_class = of_class || level.deed_class.is_some();
        let missing = match level.deed {
            Deed::Notify => None,
            Deed::Throttle | Deed::Protect if level.share.is_none() => Some("action_share"),
            Deed::Throttle | Deed::Protect | Deed::Block if !is_on_class => Some("action_class"),
            Deed::Cap if level.rate.is_none() => Some("action_rate"),
            _ => None,
        };
        // One whose value was refused is there.
        if let Some(option) = missing.filter(|option| section.option(option).is_none()) {
            let text = format!("threshold '{name}': action '{}' needs option '{option}'", level.deed.word());
            faults.fault(line("action"), "action", text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::load;
    use super::*;
    use alloc::string::ToString;

    fn read(file: &str) -> Result<Threshold, String> {
        let file = format!("config wan 'w'\nconfig threshold 'calls'\n{file}");
        match load(file.as_bytes()) {
            Ok((config, _)) => Ok(config.thresholds.into_iter().next().unwrap_or_default()),
            Err(faults) => Err(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
        }
    }

    #[test]
    fn a_value_is_in_its_metrics_unit() {
        for (metric, value, wanted, shown) in [
            ("latency", "80", 80_000, "80 ms"),
            ("latency", "1.5s", 1_500_000, "1.5 s"),
            ("loss", "2.5", 25, "2.5 %"),
            ("utilisation", "95%", 950, "95 %"),
            ("drops", "20", 20, "20/s"),
            ("throughput", "5mbit", 5_000_000, "5 Mbit/s"),
            ("capacity", "30mbit", 30_000_000, "30 Mbit/s"),
        ] {
            let level = read(&format!(" option metric '{metric}'\n option value '{value}'\n")).expect(metric);
            assert_eq!((level.value, Shown(level.metric, level.value).to_string().as_str()), (wanted, shown));
            let is_low = metric == "capacity";
            assert_eq!(level.operator, if is_low { Operator::Under } else { Operator::Over });
        }
        for (metric, value) in [("latency", "80mbit"), ("drops", "-1"), ("loss", "101"), ("capacity", "5ms")]
        {
            let error =
                read(&format!(" option metric '{metric}'\n option value '{value}'\n")).expect_err(value);
            assert!(error.starts_with("4: fault: option 'value': "), "{error}");
        }
    }

    #[test]
    fn what_is_missing_or_unknown_is_said_with_its_line() {
        let level = " option metric 'latency'\n option value '80'\n";
        for (more, wanted) in [
            (" option class 'critcal'\n", "there is no class 'critcal'; did you mean 'critical'?"),
            (" option wan 'x'\n", "there is no line 'x'"),
            (
                " option action 'throttle'\n option action_class 'low'\n",
                "action 'throttle' needs option 'action_share'",
            ),
            (" option action 'block'\n", "action 'block' needs option 'action_class'"),
            (" option action 'cap'\n", "action 'cap' needs option 'action_rate'"),
        ] {
            let error = read(&format!("{level}{more}")).expect_err(more);
            assert!(error.contains(wanted), "{error}");
        }
        assert!(read(" option value '5'\n").expect_err("no metric").contains("needs option 'metric'"));
        assert!(read(" option metric 'loss'\n").expect_err("no value").contains("needs option 'value'"));
        let share = read(" option metric 'share'\n option value '5'\n").expect_err("no class");
        assert!(share.contains("share is a class's"), "{share}");
    }

    #[test]
    fn a_broken_metric_hides_none_of_the_sections_other_faults() {
        let file = " option metric 'latncy'\n option wan 'wnn'\n option class 'critcal'\n option for 'soon'\n option value '8'\n \
                    option action 'throttle'\n option action_class 'lwo'\n option action_share 'x'\n option penalty 'perhaps'\n";
        let told = read(file).expect_err("faults");
        for wanted in [
            "3: fault: option 'metric': 'latncy' is not one of",
            "4: fault: option 'wan': threshold 'calls': there is no line 'wnn'",
            "5: fault: option 'class': threshold 'calls': there is no class 'critcal'; did you mean 'critical'?",
            "6: fault: option 'for': 'soon' is not a span of time",
            "9: fault: option 'action_class': threshold 'calls': there is no class 'lwo'; did you mean 'low'?",
            "10: fault: option 'action_share': ",
            "11: fault: option 'penalty': ",
        ] {
            assert!(told.contains(wanted), "{wanted} is not in {told}");
        }
        assert_eq!(told.matches("fault: ").count(), 7, "{told}");
        let bare = read(" option action 'cap'\n").expect_err("three are missing");
        assert_eq!(bare.matches("needs option").count(), 3, "{bare}");
    }

    #[test]
    fn a_number_alone_is_seconds_where_spans_are_long() {
        let level = " option metric 'latency'\n option value '80'\n";
        let level = read(&format!("{level} option for '30'\n option action_time '90'\n")).expect("no fault");
        assert_eq!((level.span, level.time, level.value), (Micros::secs(30), Micros::secs(90), 80_000));
    }

    #[test]
    fn a_level_is_broken_at_once_and_kept_again_with_a_tenth_to_spare() {
        let level = |operator, value| Threshold { operator, value, ..Threshold::default() };
        for (operator, broken, between, kept) in [
            (Operator::Over, 101, 95, 90),
            (Operator::AtLeast, 100, 90, 89),
            (Operator::Under, 99, 105, 110),
            (Operator::AtMost, 100, 110, 111),
        ] {
            let level = level(operator, 100);
            assert!(level.is_broken_by(broken) && !level.is_kept_by(broken), "{operator:?}");
            assert!(!level.is_broken_by(between) && !level.is_kept_by(between), "{operator:?}");
            assert!(!level.is_broken_by(kept) && level.is_kept_by(kept), "{operator:?}");
        }
        let zero = level(Operator::Over, 0);
        assert!(zero.is_broken_by(1) && zero.is_kept_by(0));
    }

    #[test]
    fn each_class_has_its_levels_unless_they_are_switched_off() {
        let (config, _) = load(b"").expect("no fault");
        let all = Threshold::all(&config);
        assert_eq!(all.len(), 2 * config.classes.len());
        assert_eq!(all[0].to_string(), "latency > 50 ms for 10 s");
        assert_eq!(all[1].to_string(), "share < 22.5 % for 30 s");
        let (config, _) = load(b"config globals 'globals'\n option levels '0'\n").expect("no fault");
        assert_eq!(Threshold::all(&config), []);
    }
}
