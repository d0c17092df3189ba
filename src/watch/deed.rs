// SPDX-License-Identifier: Apache-2.0
//! What is done about a broken level for a while: a class is throttled, protected or blocked, a direction capped.
//!
//! Each is an alteration of the configuration in force, so it reaches the kernel like a reload and is undone like one. It
//! ends when its time is over; before that, when its level is kept again and what it holds back no longer presses against
//! it. While it presses the level is kept *because* of it, and undoing it would break the level at once.

use super::sla::{Look, Spot, WANTS};
use crate::config::Config;
use crate::config::altered::Alteration;
use crate::config::threshold::{Deed, Threshold};
use crate::units::{Micros, Permille, Time};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What is left to a class that is blocked: HTB cannot give nothing.
const NEXT_TO_NOTHING: Permille = Permille(1);
/// After a day without one, a class is no repeat offender.
const FORGIVEN: Micros = Micros::secs(86_400);
/// The longest penalty.
const LONGEST: Micros = Micros::secs(86_400);

/// Something that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doing {
    /// For which level.
    pub spot: Spot,
    /// Its name.
    pub level: String,
    /// The line's name.
    pub wan: String,
    /// What.
    pub deed: Deed,
    /// When it ends at last.
    pub until: Time,
    /// In words.
    pub text: String,
    alteration: Alteration,
    /// The class it is done to.
    pub class_name: Option<String>,
    class: Option<usize>,
    is_kept: bool,
}

/// How often something was done lately.
#[derive(Debug)]
struct Record {
    level: String,
    spot: Spot,
    count: u32,
    last: Time,
}

/// All that is done.
#[derive(Debug, Default)]
pub struct Deeds {
    now: Vec<Doing>,
    records: Vec<Record>,
}

impl Deeds {
    /// What is done now, the oldest first.
    pub fn list(&self) -> &[Doing] {
        &self.now
    }

    /// What that alters.
    pub fn alterations(&self) -> Vec<Alteration> {
        self.now.iter().map(|doing| doing.alteration.clone()).collect()
    }

    /// A level of this configuration is broken; what is done about it from now on, if anything is.
    pub fn begin(&mut self, now: Time, spot: Spot, level: &Threshold, config: &Config) -> Option<&Doing> {
        let wan = &config.wans.get(spot.line)?.name;
        let name = level.deed_class.as_ref().or(level.class.as_ref());
        let at = name.and_then(|name| config.classes.iter().position(|class| class.name == *name));
        let class = at.and_then(|at| config.classes.get(at));
        let share = level.share.unwrap_or(NEXT_TO_NOTHING);
        let shares = |guarantee: Permille, limit: Permille| {
            let class = class?.name.clone();
            Some(Alteration::Share { class, guarantee: Some(guarantee), limit: Some(limit) })
        };
        let alteration = match level.deed {
            Deed::Notify => None,
            Deed::Throttle => shares(class?.guarantee.min(share), share),
            Deed::Block => shares(Permille(0), NEXT_TO_NOTHING),
            Deed::Protect => shares(class?.guarantee.max(share), class?.limit.max(share)),
            Deed::Cap => Some(Alteration::Cap { line: Some(wan.clone()), way: spot.way, rate: level.rate? }),
        }?;
        let span = self.span(now, spot, level);
        let named = name.map_or("", String::as_str);
        let what = match (level.deed, level.rate) {
            (Deed::Throttle, _) => format!("class {named} is held to {share}"),
            (Deed::Protect, _) => format!("class {named} is guaranteed {share}"),
            (Deed::Block, _) => format!("class {named} is BLOCKED"),
            (_, rate) => format!("the {} is held to {}", spot.way, rate.unwrap_or_default()),
        };
        self.now.retain(|doing| doing.spot != spot);
        self.now.push(Doing {
            spot,
            level: level.name.clone(),
            wan: wan.clone(),
            deed: level.deed,
            until: now + span,
            text: what,
            alteration,
            class_name: name.cloned(),
            class: at,
            is_kept: false,
        });
        self.now.last()
    }

    /// For how long, which is twice as long each time where the file says so.
    fn span(&mut self, now: Time, spot: Spot, level: &Threshold) -> Micros {
        self.records.retain(|record| now - record.last < FORGIVEN);
        let at = self.records.iter().position(|record| record.spot == spot && record.level == level.name);
        let Some(record) = at.and_then(|at| self.records.get_mut(at)) else {
            self.records.push(Record { level: level.name.clone(), spot, count: 1, last: now });
            return level.time;
        };
        let times = if level.is_growing { 1 << record.count.min(20) } else { 1 };
        (record.count, record.last) = (record.count.saturating_add(1), now);
        Micros(level.time.0.saturating_mul(times)).min(LONGEST.max(level.time))
    }

    /// A level is kept again, or not.
    pub fn kept(&mut self, spot: Spot, is_kept: bool) {
        self.now.iter_mut().filter(|doing| doing.spot == spot).for_each(|doing| doing.is_kept = is_kept);
    }

    /// When the first of them ends at last.
    pub fn until(&self) -> Option<Time> {
        self.now.iter().map(|doing| doing.until).min()
    }

    /// Takes what a direction did; `None`: only time has passed. Gives the next that is over, and takes it off the list.
    pub fn over(&mut self, now: Time, seen: Option<(usize, crate::units::Way, &Look)>) -> Option<Doing> {
        let is_over = |doing: &Doing| {
            let looked = seen.filter(|(line, way, _)| (doing.spot.line, doing.spot.way) == (*line, *way));
            doing.until <= now || looked.is_some_and(|(_, _, look)| doing.is_kept && !doing.presses(look))
        };
        let at = self.now.iter().position(is_over)?;
        Some(self.now.remove(at))
    }

    /// Nothing is done any more, for any line or this one; what was done.
    pub fn end(&mut self, line: Option<usize>) -> Vec<Doing> {
        let is_meant = |doing: &Doing| line.is_none_or(|line| doing.spot.line == line);
        let (over, rest) = core::mem::take(&mut self.now).into_iter().partition(is_meant);
        self.now = rest;
        over
    }
}

/// A direction that uses less than this of its rate, in thousandths, needs nobody protected.
const FULL: u64 = 850;

impl Doing {
    /// Whether it still holds something back, or somebody up.
    fn presses(&self, look: &Look) -> bool {
        let waits = |class: Option<usize>| {
            class.map_or(&look.all, |n| look.classes.get(n).unwrap_or(&look.all)).waiting
        };
        match self.deed {
            Deed::Protect => {
                look.all.sent.saturating_mul(1000) >= look.rate.bits_per_sec().saturating_mul(FULL)
            }
            Deed::Cap => look.all.waiting >= WANTS,
            _ => waits(self.class) >= WANTS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Class;
    use crate::units::{Rate, Way};

    const SPOT: Spot = Spot { level: 0, line: 0, way: Way::Up, class: Some(0) };

    fn throttle(is_growing: bool) -> Threshold {
        Threshold {
            name: "calls".into(),
            class: Some("critical".into()),
            deed: Deed::Throttle,
            deed_class: Some("low".into()),
            share: Some(Permille::percent(3)),
            is_growing,
            ..Threshold::default()
        }
    }

    fn seconds(n: u64) -> Time {
        Time(n * 1_000_000)
    }

    fn look(waiting: u64) -> Look {
        let mut look = Look { rate: Rate::mbit(20), ..Look::default() };
        look.classes[3].waiting = waiting;
        look
    }

    #[test]
    fn a_class_is_throttled_while_it_presses_and_not_longer() {
        let (config, mut deeds) = (Config::default(), Deeds::default());
        let doing = deeds.begin(seconds(0), SPOT, &throttle(false), &config).expect("something is done");
        assert_eq!((doing.text.as_str(), doing.until), ("class low is held to 3 %", seconds(300)));
        let wanted = Alteration::Share {
            class: "low".into(),
            // Its guarantee, 5 %, would be above its limit.
            guarantee: Some(Permille::percent(3)),
            limit: Some(Permille::percent(3)),
        };
        assert_eq!(deeds.alterations(), [wanted]);
        let over = |deeds: &mut Deeds, at, waiting| {
            deeds.over(seconds(at), Some((0, Way::Up, &look(waiting)))).is_some()
        };
        assert!(!over(&mut deeds, 10, 0), "its level is not kept yet");
        deeds.kept(SPOT, true);
        assert!(!over(&mut deeds, 20, 50_000), "it presses");
        deeds.kept(SPOT, false);
        assert!(!over(&mut deeds, 30, 0));
        deeds.kept(SPOT, true);
        assert!(deeds.over(seconds(31), Some((0, Way::Down, &look(0)))).is_none(), "another direction");
        assert!(over(&mut deeds, 32, 0));
        assert_eq!(deeds.alterations(), []);
    }

    #[test]
    fn what_is_done_ends_when_its_time_is_over_whatever_happens() {
        let (config, mut deeds) = (Config::default(), Deeds::default());
        deeds.begin(seconds(0), SPOT, &throttle(false), &config);
        assert_eq!(deeds.until(), Some(seconds(300)));
        assert_eq!(deeds.over(seconds(299), None), None);
        assert_eq!(deeds.over(seconds(300), None).map(|doing| doing.level), Some("calls".into()));
        assert_eq!(deeds.until(), None);
    }

    #[test]
    fn who_offends_again_is_held_longer_only_where_that_is_wanted_and_is_forgiven_after_a_day() {
        let config = Config::default();
        for (is_growing, wanted) in [(false, [300, 300, 300]), (true, [300, 600, 1200])] {
            let mut deeds = Deeds::default();
            let level = throttle(is_growing);
            let mut spans = [0; 3];
            for (span, at) in spans.iter_mut().zip([0, 5000, 10_000]) {
                let doing = deeds.begin(seconds(at), SPOT, &level, &config).expect("something");
                *span = (doing.until - seconds(at)).0 / 1_000_000;
            }
            assert_eq!(spans, wanted);
            let late = seconds(10_000 + 86_400);
            let doing = deeds.begin(late, SPOT, &level, &config).expect("something");
            assert_eq!(doing.until - late, Micros::secs(300));
        }
    }

    #[test]
    fn each_deed_alters_what_it_says_and_telling_alone_alters_nothing() {
        let (config, mut deeds) = (Config::default(), Deeds::default());
        let mut of = |deed| {
            let level = Threshold {
                deed,
                share: Some(Permille::percent(60)),
                rate: Some(Rate::mbit(3)),
                ..throttle(false)
            };
            let doing = deeds.begin(seconds(0), SPOT, &level, &config);
            doing.map(|doing| (doing.text.clone(), doing.alteration.clone()))
        };
        let share = |guarantee: u16, limit: u16| Alteration::Share {
            class: "low".into(),
            guarantee: Some(Permille(guarantee)),
            limit: Some(Permille(limit)),
        };
        assert_eq!(of(Deed::Notify), None);
        assert_eq!(of(Deed::Throttle), Some(("class low is held to 60 %".into(), share(50, 600))));
        assert_eq!(of(Deed::Protect), Some(("class low is guaranteed 60 %".into(), share(600, 1000))));
        assert_eq!(of(Deed::Block), Some(("class low is BLOCKED".into(), share(0, 1))));
        let cap = Alteration::Cap { line: Some("wan".into()), way: Way::Up, rate: Rate::mbit(3) };
        assert_eq!(of(Deed::Cap), Some(("the upload is held to 3 Mbit/s".into(), cap)));
        let lost = Config { classes: Vec::<Class>::new(), ..Config::default() };
        assert_eq!(
            Deeds::default().begin(seconds(0), SPOT, &throttle(false), &lost),
            None,
            "the class is gone"
        );
    }
}
