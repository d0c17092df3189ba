// SPDX-License-Identifier: Apache-2.0
//! What `weir top` shows, as a function of what the daemon told and of the window: no row is wider, there are no more rows,
//! and what matters most comes first.
//!
//! ```text
//!  head · what is wrong · lines (numbers, below them five minutes of them) · classes · decisions · what was said
//! ```
//!
//! Names and texts come from files and from others: what is not plainly one character wide is shown as `?`.

mod marks;

pub use marks::Marks;

use super::history::{COLUMNS, RATE, SENT, WAIT_MAX};
use super::moment::{Class, Direction, Line, Load, Moment};
use super::page::Page;
use crate::control::Reason;
use crate::order;
use crate::units::{Micros, Rate};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use marks::Width::{Left, Right};

/// What is to be shown.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// How everything stands.
    pub moment: &'a Moment,
    /// The last five minutes of lines, a second each.
    pub pages: &'a [Page],
    /// The only line to show, if there is one.
    pub line: Option<&'a str>,
}

/// The window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How wide it is.
    pub columns: usize,
    /// How high it is; `None`: as high as need be.
    pub rows: Option<usize>,
    /// What may be drawn in it.
    pub marks: Marks,
}

/// Seconds that small charts show.
const SECONDS: usize = 300;
/// In windows of fewer columns numbers stand closer, and directions below each other.
const WIDE: usize = 76;
/// Waits are drawn against this at least, in microseconds, or a line on which nothing waits would look full.
const HIGHEST: u64 = 10_000;
const WAYS: [&str; 2] = ["up", "down"];

/// The rows.
pub fn compose(view: &View<'_>, window: &Window) -> Vec<String> {
    let mut paper = Paper { window, rows: Vec::new() };
    let wanted = |line: &&Line| view.line.is_none_or(|name| name == line.name);
    let lines: Vec<&Line> = view.moment.lines.iter().filter(wanted).collect();
    paper.head(&view.moment.version);
    if lines.is_empty() {
        let why = match view.line {
            Some(name) => format!("there is no line '{name}'"),
            None => "no configuration is in force, so there is no line".into(),
        };
        paper.wrap("", &why, 3);
    }
    for (n, fact) in view.moment.facts.iter().enumerate() {
        if n > 0 && window.rows.is_some_and(|rows| paper.left() * 4 < rows * 3) {
            paper.row(&format!("and {} more: weir status", view.moment.facts.len() - n));
            break;
        }
        paper.wrap("", &fact.sentence(), 3);
    }
    paper.lines(&lines, view.pages);
    let decisions = decisions(&lines, view.pages, window);
    let said: Vec<(Micros, String)> = view.moment.said.iter().rev().map(said).collect();
    // A table that is cut off says little; what was decided and said goes on as long as there is room.
    let least = (decisions.len() + said.len()).min(4) + 1;
    for line in &lines {
        let table = classes(line, window);
        if table.len() + least.min(paper.left() / 2) <= paper.left() {
            paper.rows.extend(table);
        }
    }
    paper.part("decided (commonest reason per second)", &decisions, if said.is_empty() { 0 } else { 3 });
    paper.part("said", &said, 0);
    paper.rows.truncate(window.rows.unwrap_or(usize::MAX));
    paper.rows
}

/// What is shown when there is nothing to show.
pub fn notice(text: &str, window: &Window) -> Vec<String> {
    let mut paper = Paper { window, rows: Vec::new() };
    paper.head(env!("CARGO_PKG_VERSION"));
    paper.wrap("", text, 9);
    paper.rows.truncate(window.rows.unwrap_or(usize::MAX));
    paper.rows
}

/// What is written on.
struct Paper<'a> {
    window: &'a Window,
    rows: Vec<String>,
}

impl Paper<'_> {
    /// How many rows there is room for yet.
    fn left(&self) -> usize {
        self.window.rows.map_or(usize::MAX / 4, |rows| rows.saturating_sub(self.rows.len()))
    }

    fn row(&mut self, text: &str) {
        let row = self.window.marks.clean(text, self.window.columns);
        self.rows.push(row);
    }

    /// A text in so many rows at most, behind what stands before its first one.
    fn wrap(&mut self, head: &str, text: &str, most: usize) {
        let columns = self.window.columns;
        let indent = head.len().max(2);
        let (mut row, mut rows) = (String::from(head), 0);
        let mut gap = "";
        for word in text.split(' ') {
            let is_full = row.chars().count() + gap.len() + word.chars().count() > columns;
            if is_full && !gap.is_empty() && rows + 1 < most {
                self.row(&row);
                rows += 1;
                row = format!("{:indent$}", "");
                gap = "";
            }
            row.push_str(gap);
            row.push_str(word);
            gap = " ";
        }
        self.row(&row);
    }

    fn head(&mut self, version: &str) {
        let (left, right) = (format!("weir {version}"), "charts: the last 5 min");
        let gap = self.window.columns.saturating_sub(left.chars().count() + right.len()).max(2);
        self.row(&format!("{left}{:gap$}{right}", ""));
    }

    /// Every line, with as much of it as there is room for.
    fn lines(&mut self, lines: &[&Line], pages: &[Page]) {
        let of = |name: &str| pages.iter().find(|page| page.wan == name);
        let is_shaped = |way: &&Direction| way.rate.is_some();
        let rows = |line: &&Line| 3 + line.ways.iter().filter(is_shaped).count();
        let has_charts = lines.iter().map(rows).sum::<usize>() <= self.left();
        for (n, line) in lines.iter().enumerate() {
            let more = lines.len() - n;
            if self.left() < if more > 1 { 4 } else { 3 } {
                return self.row(&format!("and {more} more: weir top --line NAME shows one"));
            }
            let device = line.device.as_deref().unwrap_or("no device");
            let gap = if line.probes.is_empty() { "" } else { "; " };
            self.row(&format!("{}: {device}{gap}{}", line.name, line.probes));
            for (n, (way, name)) in line.ways.iter().zip(WAYS).enumerate() {
                self.direction(way, name);
                if has_charts && way.rate.is_some() {
                    self.charts(way, n, of(&line.name));
                }
            }
        }
    }

    fn direction(&mut self, way: &Direction, name: &str) {
        let Direction { state, text, rate, capacity, wait, aim, all, .. } = way;
        let columns = self.window.columns;
        let Some(rate) = rate else { return self.row(&format!(" {name:<5}{state:<8}{text}")) };
        let (sent, shaped) = (brief(all.sent), brief(rate.bits_per_sec()));
        let wait = wait.map(time);
        if columns < WIDE {
            let wait = wait.map_or(String::new(), |wait| format!(" {wait:>8}"));
            return self.row(&format!(" {name:<5}{state:<8}{sent:>6} of {shaped:<5}{wait}"));
        }
        // The longest of what stands behind it is of 42 columns.
        let length = (columns - 71).min(columns / 5);
        let bar = self.window.marks.bar(all.sent, rate.bits_per_sec(), length);
        let mut tail: Vec<String> = Vec::new();
        tail.extend(capacity.map(|capacity| format!("carries {}", brief(capacity.bits_per_sec()))));
        let aim = aim.filter(|_| wait.is_some()).map_or(String::new(), |aim| format!(" (aim {})", time(aim)));
        tail.extend(wait.map(|wait| format!("waits {wait}{aim}")));
        if tail.is_empty() {
            tail.push(text.clone());
        }
        let tail = crate::text::joined(&tail, ", ");
        self.row(&format!(" {name:<5}{state:<8}{sent:>6} {bar} {shaped:<6} {tail}"));
    }

    /// Five minutes of what was sent, and of how long it waited.
    fn charts(&mut self, way: &Direction, n: usize, page: Option<&Page>) {
        let last = |column: usize| {
            let count = page.map_or(0, |page| page.rows.len());
            let cell = |row: usize| page?.cell((count + row).checked_sub(SECONDS)?, n, column);
            (0..SECONDS).map(cell).collect::<Vec<Option<u64>>>()
        };
        let (sent, waits) = (last(SENT), last(WAIT_MAX));
        let most = |values: &[Option<u64>]| values.iter().flatten().max().copied().unwrap_or(0);
        let rate = way.rate.map_or(0, Rate::bits_per_sec).max(most(&last(RATE)));
        let aim = way.aim.map_or(0, |aim| aim.0.saturating_mul(2)).max(HIGHEST);
        let title = if self.window.columns < WIDE { "wait" } else { "longest wait" };
        let width = self.window.columns.saturating_sub(9 + title.len()) / 2;
        let marks = self.window.marks;
        let sent = marks.chart(&sent, rate.max(most(&sent)), width);
        let waits = marks.chart(&waits, aim.max(most(&waits)), width);
        self.row(&format!(" sent {sent}  {title} {waits}"));
    }

    /// A part with a heading; leaves so many rows for others.
    fn part(&mut self, heading: &str, texts: &[(Micros, String)], others: usize) {
        let others = others.min(self.left() / 2);
        if texts.is_empty() || self.left() <= 1 + others {
            return;
        }
        self.row(heading);
        for (when, text) in texts {
            let room = self.left().saturating_sub(others);
            if room > 0 {
                self.wrap(&format!(" {:>6} ", ago(*when)), text, room.min(2));
            }
        }
    }
}

/// The classes of a line, both directions beside each other if there is room.
fn classes(line: &Line, window: &Window) -> Vec<String> {
    let mut rows = Vec::new();
    let mut row = |cells: &[(&str, marks::Width)]| rows.push(window.marks.cells(cells, window.columns));
    let [up, down] = &line.ways;
    if window.columns < WIDE {
        let name = Left(window.columns.saturating_sub(26));
        for (way, word) in [up, down].into_iter().zip(WAYS).filter(|(way, _)| !way.classes.is_empty()) {
            let title = format!("{} {word}", line.name);
            row(&[
                (&title, name),
                ("sent", Right(6)),
                ("delay", Right(8)),
                ("drops", Right(6)),
                ("waits", Right(6)),
            ]);
            for class in &way.classes {
                let [_, sent, delay, drops, _, waits] = numbers(Some(class));
                row(&[
                    (&class.name, name),
                    (&sent, Right(6)),
                    (&delay, Right(8)),
                    (&drops, Right(6)),
                    (&waits, Right(6)),
                ]);
            }
        }
        return rows;
    }
    const WIDTHS: [usize; 6] = [6, 6, 8, 5, 5, 5];
    let name = Left((window.columns - 70).min(24));
    let mut table = |title: &str, up: [&str; 6], down: [&str; 6]| {
        let mut cells = alloc::vec![(title, name)];
        for numbers in [up, down] {
            cells.extend(numbers.into_iter().zip(WIDTHS.map(Right)));
        }
        row(&cells);
    };
    let names: &[Class] = if up.classes.len() > down.classes.len() { &up.classes } else { &down.classes };
    if !names.is_empty() {
        let heads = |share| [share, "sent", "delay", "drop", "mark", "wait"];
        table(&line.name, heads("up"), heads("down"));
    }
    for (n, class) in names.iter().enumerate() {
        let (up, down) = (numbers(up.classes.get(n)), numbers(down.classes.get(n)));
        table(&class.name, up.each_ref().map(String::as_str), down.each_ref().map(String::as_str));
    }
    rows
}

/// A class's numbers as they are shown.
fn numbers(class: Option<&Class>) -> [String; 6] {
    let Some(Class { share, delay, load, .. }) = class else { return Default::default() };
    let Load { sent, waiting, drops, marks } = load;
    let share = if share.0 == 0 { "-".into() } else { share.to_string().replace(' ', "") };
    let delay = delay.map_or("-".into(), time);
    [share, brief(*sent), delay, few(*drops), few(*marks), few(*waiting)]
}

/// Changes of the same direction for the same reason, one after the other.
struct Decision {
    /// Its last one was so many seconds ago.
    ago: u64,
    from: Option<u64>,
    to: Option<u64>,
    reason: usize,
    changes: u64,
}

/// What was decided in the last minutes, the newest first.
fn decisions(lines: &[&Line], pages: &[Page], window: &Window) -> Vec<(Micros, String)> {
    let place = |name: &str| COLUMNS.iter().position(|(column, _)| *column == name).unwrap_or_default();
    let (changes, reason) = (place("changes"), place("reason"));
    let mut all: Vec<(Micros, String)> = Vec::new();
    for page in pages.iter().filter(|page| lines.iter().any(|line| line.name == page.wan)) {
        for (way, word) in WAYS.iter().enumerate() {
            let mut runs: Vec<Decision> = Vec::new();
            let count = page.rows.len();
            let cell = |row: usize, column| page.cell(row, way, column);
            let is_changed = |row| cell(row, changes).is_some_and(|made| made > 0);
            // At the end of a second, of which the mean, the least and the most are kept: what it is after that, unless it
            // is changed there at once; then what it had come to, up or down.
            let rate_after = |row: usize| {
                let [mean, least, most] = [RATE, RATE + 1, RATE + 2].map(|column| cell(row, column));
                if !is_changed(row + 1) {
                    return cell(row + 1, RATE).or(mean);
                }
                if row > 0 && cell(row - 1, RATE) > mean { least } else { most }
            };
            for row in count.saturating_sub(SECONDS)..count {
                let Some(made) = cell(row, changes).filter(|made| *made > 0) else { continue };
                let ago = (count - 1 - row) as u64;
                let why = cell(row, reason).unwrap_or(0) as usize;
                let to = rate_after(row);
                match runs.last_mut() {
                    Some(run) if run.reason == why && run.ago <= ago + TOGETHER => {
                        (run.ago, run.to, run.changes) = (ago, to, run.changes + made);
                    }
                    _ => {
                        let from = row.checked_sub(1).and_then(rate_after);
                        runs.push(Decision { ago, from, to, reason: why, changes: made });
                    }
                }
            }
            let shown = |run: Decision| {
                let rate = |rate: Option<u64>| rate.map_or("?".into(), brief);
                let (from, to, arrow) = (rate(run.from), rate(run.to), window.marks.arrow());
                let why =
                    run.reason.checked_sub(1).and_then(|n| Reason::ALL.get(n)).map_or("", |why| why.text());
                let steps =
                    if run.changes > 1 { format!(" in {} steps", run.changes) } else { String::new() };
                (Micros::secs(run.ago), format!("{} {word} {from}{arrow}{to}{steps}: {why}", page.wan))
            };
            all.extend(runs.into_iter().map(shown));
        }
    }
    order::by_key(&mut all, |(ago, _)| *ago);
    all
}

/// Seconds between changes that are one decision.
const TOGETHER: u64 = 3;

fn said((when, level, text): &(Micros, String, String)) -> (Micros, String) {
    let mark = if level == "info" { String::new() } else { format!("{level}: ") };
    (*when, format!("{mark}{text}"))
}

/// How long ago, in one unit.
fn ago(span: Micros) -> String {
    let seconds = span.0 / 1_000_000;
    match seconds {
        0..=99 => format!("{seconds} s"),
        100..=5_999 => format!("{} min", seconds / 60),
        6_000..=359_999 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A rate in five characters: `4.75M`, `950k`.
fn brief(rate: u64) -> String {
    digits(rate, 3)
}

/// A count in four.
fn few(count: u64) -> String {
    if count < 1000 { count.to_string() } else { digits(count, 2) }
}

/// As many digits of a number, and what they count.
fn digits(number: u64, digits: u32) -> String {
    let unit = 10u64.pow((number.checked_ilog10().unwrap_or(0) + 1).saturating_sub(digits));
    let mut text = Rate::bits(number.saturating_add(unit / 2) / unit * unit).to_string();
    text.retain(|c| c != ' ');
    text.truncate(text.len().saturating_sub("bit/s".len()));
    text
}

/// A time to three digits.
fn time(time: Micros) -> String {
    let digits = time.0.checked_ilog10().unwrap_or(0);
    let unit = 10u64.pow(digits.saturating_sub(2)).max(if time.0 >= 1000 { 100 } else { 1 });
    Micros(time.0.saturating_add(unit / 2) / unit * unit).to_string()
}

#[cfg(test)]
mod tests;
