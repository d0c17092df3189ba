// SPDX-License-Identifier: Apache-2.0
//! Which alerts came and which went between two readings.

use super::limits::ALERTS;
use super::template::FIELDS;
use super::tree::Tree;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// An alert that came or went, as the fields of [`FIELDS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whether it came; else it went.
    pub is_raised: bool,
    /// How grave it is: a place in [`super::metrics::SEVERITIES`].
    pub gravity: usize,
    /// The fields, in the order of [`FIELDS`].
    pub values: Vec<Tree>,
}

/// The alerts that stood at the last reading.
#[derive(Debug, Default)]
pub struct Standing {
    alerts: Vec<Tree>,
}

impl Standing {
    /// Takes a reading. Those that stand when we begin count as raised: better told twice than never. Of an answer that was
    /// shortened nothing counts as gone.
    pub fn take(&mut self, status: &Tree, router: &str, seconds: u64) -> Vec<Change> {
        let now: Vec<&Tree> = status.get("alerts").list().iter().take(ALERTS).collect();
        let is_whole = status.get("truncated") == &Tree::Null;
        let mut changes = Vec::new();
        for alert in &now {
            if !self.alerts.iter().any(|known| is_same(known, alert)) {
                changes.push(change(alert, true, router, seconds));
            }
        }
        let mut kept = Vec::new();
        for known in core::mem::take(&mut self.alerts) {
            if now.iter().any(|alert| is_same(&known, alert)) {
                continue;
            }
            if is_whole {
                changes.push(change(&known, false, router, seconds));
            } else if kept.len() + now.len() < ALERTS {
                kept.push(known);
            }
        }
        self.alerts = kept;
        self.alerts.extend(now.into_iter().cloned());
        changes
    }
}

/// Numbers begin anew with the daemon, so what it is about counts, too.
fn is_same(one: &Tree, other: &Tree) -> bool {
    ["id", "wan", "direction", "level", "class"].iter().all(|key| one.get(key) == other.get(key))
}

fn change(alert: &Tree, is_raised: bool, router: &str, seconds: u64) -> Change {
    let severity = alert.get("severity").text().unwrap_or_default();
    let gravity = super::metrics::SEVERITIES.iter().position(|known| *known == severity).unwrap_or(1);
    let number = |count: u64| Tree::Number(i64::try_from(count).unwrap_or(i64::MAX));
    let values = FIELDS.iter().map(|(name, _)| match *name {
        "event" => Tree::Text(if is_raised { "raise" } else { "clear" }.into()),
        "router" => Tree::Text(router.into()),
        "time" => Tree::Text(iso(seconds)),
        "time_seconds" => number(seconds),
        "since_seconds" => number(alert.get("since_us").count().unwrap_or(0) / 1_000_000),
        name => alert.get(name).clone(),
    });
    Change { is_raised, gravity, values: values.collect() }
}

/// `2026-11-30T21:04:05Z`, after Howard Hinnant's `civil_from_days`.
pub fn iso(seconds: u64) -> String {
    let (day, rest) = (seconds / 86_400, seconds % 86_400);
    let shifted = day + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{:02}T{:02}:{:02}:{:02}Z",
        of_year - (153 * from_march + 2) / 5 + 1,
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

impl Change {
    /// One of its fields, as a text.
    pub fn field(&self, name: &str) -> String {
        let at = FIELDS.iter().position(|(known, _)| *known == name);
        match at.and_then(|at| self.values.get(at)) {
            Some(Tree::Text(text)) => text.clone(),
            Some(Tree::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(ids: &[u64]) -> Tree {
        let alerts: Vec<String> = ids
            .iter()
            .map(|id| {
                format!(r#"{{"id":{id},"since_us":5000000,"wan":"home","severity":"error","text":"a"}}"#)
            })
            .collect();
        Tree::parse(&format!(r#"{{"alerts":[{}]}}"#, alerts.join(","))).expect("JSON")
    }

    #[test]
    fn an_alert_is_told_once_when_it_comes_and_once_when_it_goes() {
        let mut standing = Standing::default();
        let mut told = |ids: &[u64]| -> Vec<(bool, String)> {
            let changes = standing.take(&status(ids), "attic", 7);
            changes.iter().map(|change| (change.is_raised, change.field("id"))).collect()
        };
        assert_eq!(told(&[1, 2]), [(true, "1".into()), (true, "2".into())]);
        assert_eq!(told(&[1, 2]), []);
        assert_eq!(told(&[2, 3]), [(true, "3".into()), (false, "1".into())]);
        assert_eq!(told(&[]), [(false, "2".into()), (false, "3".into())]);
        assert_eq!(told(&[1]), [(true, "1".into())], "a daemon that was started anew");
    }

    #[test]
    fn of_a_shortened_answer_nothing_is_gone() {
        let mut standing = Standing::default();
        standing.take(&status(&[1]), "", 7);
        let cut = Tree::parse(r#"{"truncated":true,"alerts":[]}"#).expect("JSON");
        assert_eq!(standing.take(&cut, "", 8), []);
        assert_eq!(standing.take(&status(&[]), "", 9).len(), 1);
    }

    #[test]
    fn a_change_has_all_fields_and_the_time_as_people_and_as_programs_want_it() {
        let change = Standing::default().take(&status(&[1]), "attic", 1_796_072_645).remove(0);
        assert_eq!(change.gravity, 2);
        for (name, wanted) in [
            ("event", "raise"),
            ("router", "attic"),
            ("time", "2026-11-30T21:04:05Z"),
            ("time_seconds", "1796072645"),
            ("since_seconds", "5"),
            ("wan", "home"),
            ("class", ""),
        ] {
            assert_eq!(change.field(name), wanted, "{name}");
        }
        assert_eq!(iso(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(iso(0), "1970-01-01T00:00:00Z");
    }
}
