// SPDX-License-Identifier: Apache-2.0
//! Scores as a table for people and as JSON for programs.

use super::score::WayScore;
use super::world::{Calls, Outcome};
use crate::json::Json;
use crate::scribe::{Scribe, Shape};
use crate::units::Way;
use core::fmt::{self, Write};

/// A line of the table: one pilot, one direction, the mean over some worlds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// Who steered.
    pub pilot: String,
    /// Where: a trace's name, or over how many of them this is the mean.
    pub place: String,
    /// Which direction.
    pub way: &'static str,
    /// What was carried of what could have been.
    pub used: f64,
    /// The same, of what the one carried who knew the capacity.
    pub of_oracle: Option<f64>,
    /// Waits in milliseconds.
    pub p50: f64,
    /// 95 in a hundred.
    pub p95: f64,
    /// 99 in a hundred.
    pub p99: f64,
    /// The mean.
    pub mean: f64,
    /// The share of time above 30 ms.
    pub above_30: f64,
    /// The share of time above 100 ms.
    pub above_100: f64,
    /// The mean time to drain the queue that a fall of the capacity made, in seconds; its mean peak in milliseconds.
    pub drain: Option<(f64, f64)>,
    /// The mean time to use a rise of the capacity, in seconds.
    pub rise: Option<f64>,
    /// Rate changes per second.
    pub changes: f64,
    /// Probes per second.
    pub probes: f64,
    /// How calls and games fared.
    pub calls: Option<Calls>,
    /// How long a page or a piece of film took, in milliseconds.
    pub pages: Option<f64>,
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// The score of a direction, if the outcome has one.
pub const fn score(outcome: &Outcome, way: Way) -> Option<&WayScore> {
    match way {
        Way::Up => outcome.up.as_ref(),
        Way::Down => outcome.down.as_ref(),
    }
}

impl Row {
    /// The mean of some outcomes; each may have the outcome of the one who knew the capacity beside it.
    pub fn of(pilot: &str, place: &str, way: Way, outcomes: &[(&Outcome, Option<&Outcome>)]) -> Option<Self> {
        let scores: Vec<&WayScore> = outcomes.iter().filter_map(|(outcome, _)| score(outcome, way)).collect();
        let all = |of: fn(&WayScore) -> f64| mean(scores.iter().map(|score| of(score)));
        let ratio = |(own, oracle): &(&Outcome, Option<&Outcome>)| {
            Some(score(own, way)?.used / score((*oracle)?, way)?.used.max(1e-9))
        };
        let falls = || scores.iter().flat_map(|score| &score.falls);
        let drain = mean(falls().map(|fall| fall.drain));
        let calls = outcomes.iter().filter_map(|(outcome, _)| outcome.calls);
        let call = |of: fn(Calls) -> f64| mean(calls.clone().map(of));
        Some(Self {
            pilot: pilot.into(),
            place: place.into(),
            way: match way {
                Way::Up => "up",
                Way::Down => "down",
            },
            used: all(|score| score.used)?,
            of_oracle: mean(outcomes.iter().filter_map(ratio)),
            p50: all(|score| score.p50)?,
            p95: all(|score| score.p95)?,
            p99: all(|score| score.p99)?,
            mean: all(|score| score.mean)?,
            above_30: all(|score| score.above_30)?,
            above_100: all(|score| score.above_100)?,
            drain: drain.zip(mean(falls().map(|fall| fall.peak))),
            rise: mean(scores.iter().flat_map(|score| score.rises.iter().copied())),
            changes: all(|score| score.changes)?,
            probes: mean(outcomes.iter().map(|(outcome, _)| outcome.probes))?,
            calls: call(|calls| calls.p50).map(|p50| Calls {
                p50,
                p95: call(|calls| calls.p95).unwrap_or_default(),
                p99: call(|calls| calls.p99).unwrap_or_default(),
                lost: call(|calls| calls.lost).unwrap_or_default(),
            }),
            pages: mean(outcomes.iter().filter_map(|(outcome, _)| outcome.pages)),
        })
    }
}

/// Writes rows for people; times are in milliseconds unless they say otherwise.
///
/// # Errors
/// Those of `out`.
pub fn text(out: &mut impl Write, rows: &[Row]) -> fmt::Result {
    let width = rows.iter().map(|row| row.pilot.len()).max().unwrap_or(0).max(5);
    let place = rows.iter().map(|row| row.place.len()).max().unwrap_or(0);
    let has_calls = rows.iter().any(|row| row.calls.is_some());
    write!(out, "{:width$}  {:place$}  way   use %  /oracle    p50    p95    p99   mean", "pilot", "")?;
    write!(out, "  >30 %  >100 %  drain s  peak ms  rise s  chg/s  probes/s")?;
    if has_calls {
        write!(out, "  call p50   p95   p99  lost %  page ms")?;
    }
    writeln!(out)?;
    let or_dash = |value: Option<f64>, digits: usize| match value {
        Some(value) => format!("{value:.digits$}"),
        None => "-".into(),
    };
    for row in rows {
        write!(out, "{:width$}  {:place$}  {:4}", row.pilot, row.place, row.way)?;
        write!(out, " {:6.1}  {:>7}", 100.0 * row.used, or_dash(row.of_oracle, 2))?;
        write!(out, " {:6.0} {:6.0} {:6.0} {:6.0}", row.p50, row.p95, row.p99, row.mean)?;
        write!(out, " {:6.1}  {:6.1}", 100.0 * row.above_30, 100.0 * row.above_100)?;
        write!(out, "  {:>7}", or_dash(row.drain.map(|(seconds, _)| seconds), 2))?;
        write!(out, "  {:>7}", or_dash(row.drain.map(|(_, peak)| peak), 0))?;
        write!(out, "  {:>6}", or_dash(row.rise, 1))?;
        write!(out, "  {:5.1}  {:8.1}", row.changes, row.probes)?;
        if let Some(Calls { p50, p95, p99, lost }) = row.calls {
            write!(out, "  {p50:8.0} {p95:5.0} {p99:5.0}  {:6.2}", 100.0 * lost)?;
            write!(out, "  {:>7}", or_dash(row.pages, 0))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Writes rows for programs: shares from 0 to 1, times in the unit their name says.
///
/// # Errors
/// Those of `out`.
pub fn json(out: &mut impl Write, rows: &[Row]) -> fmt::Result {
    let mut json = Json::new(out);
    json.open("", Shape::Array);
    for row in rows {
        json.open("", Shape::Table);
        one(&mut json, row);
        json.close();
    }
    json.close();
    json.end()?;
    out.write_char('\n')
}

fn one(json: &mut Json<'_>, row: &Row) {
    let rounded = |value: f64| (value * 10_000.0).round() / 10_000.0;
    let maybe = |json: &mut Json<'_>, key: &str, value: Option<f64>| match value {
        Some(value) => json.plain(key, &rounded(value)),
        None => json.null(key),
    };
    json.text("pilot", &row.pilot);
    json.text("trace", &row.place);
    json.text("way", &row.way);
    json.plain("used", &rounded(row.used));
    maybe(json, "of_oracle", row.of_oracle);
    for (key, value) in [("p50_ms", row.p50), ("p95_ms", row.p95), ("p99_ms", row.p99), ("mean_ms", row.mean)]
    {
        json.plain(key, &rounded(value));
    }
    json.plain("above_30_ms", &rounded(row.above_30));
    json.plain("above_100_ms", &rounded(row.above_100));
    maybe(json, "drain_s", row.drain.map(|(seconds, _)| seconds));
    maybe(json, "peak_ms", row.drain.map(|(_, peak)| peak));
    maybe(json, "rise_s", row.rise);
    json.plain("changes_per_s", &rounded(row.changes));
    json.plain("probes_per_s", &rounded(row.probes));
    if let Some(calls) = row.calls {
        json.open("calls", Shape::Table);
        json.plain("p50_ms", &rounded(calls.p50));
        json.plain("p95_ms", &rounded(calls.p95));
        json.plain("p99_ms", &rounded(calls.p99));
        json.plain("lost", &rounded(calls.lost));
        json.close();
    }
    maybe(json, "page_ms", row.pages);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row {
            pilot: "none".into(),
            place: "lte".into(),
            way: "up",
            used: 0.998,
            of_oracle: Some(1.0),
            p50: 218.4,
            p95: 868.0,
            drain: Some((6.6, 1642.0)),
            probes: 20.0,
            ..Row::default()
        }
    }

    #[test]
    fn people_get_columns_under_their_heads() {
        let mut out = String::new();
        text(&mut out, &[row()]).expect("a string takes everything");
        assert_eq!(
            out,
            "pilot       way   use %  /oracle    p50    p95    p99   mean  >30 %  >100 %  drain s  peak ms  rise s  chg/s  probes/s\n\
             none   lte  up     99.8     1.00    218    868      0      0    0.0     0.0     6.60     1642       -    0.0      20.0\n"
        );
    }

    #[test]
    fn programs_get_every_figure_and_null_for_what_there_was_not() {
        let mut out = String::new();
        json(&mut out, &[row()]).expect("a string takes everything");
        assert_eq!(
            out,
            "[{\"pilot\":\"none\",\"trace\":\"lte\",\"way\":\"up\",\"used\":0.998,\"of_oracle\":1,\"p50_ms\":218.4,\
             \"p95_ms\":868,\"p99_ms\":0,\"mean_ms\":0,\"above_30_ms\":0,\"above_100_ms\":0,\"drain_s\":6.6,\
             \"peak_ms\":1642,\"rise_s\":null,\"changes_per_s\":0,\"probes_per_s\":20,\"page_ms\":null}]\n"
        );
    }
}
