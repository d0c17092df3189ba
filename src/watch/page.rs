// SPDX-License-Identifier: Apache-2.0
//! Some points of a history, as readers get them: columns for programs (`docs/history.schema.json`), lines of text from
//! the daemon to the other commands.

use super::history::{CLASS, CLASSES, COLUMNS, Fold, Point, Row, SENT, cell};
use super::mini::NONE;
use crate::scribe::{Scribe, Shape};
use crate::units::{Micros, Time};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;
use core::ops::Range;

/// The most points of a page: with the widest numbers it is less than half of what may wait for the bus
/// ([`crate::limits::UBUS_OUTPUT`]).
pub const POINTS: usize = 50;

/// Some points of a line, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The line's name.
    pub wan: String,
    /// The time.
    pub now: Time,
    /// From one point to the next.
    pub step: Micros,
    /// The number of the newest point there is.
    pub last: u64,
    /// The number of the newest point here, after which to ask for others.
    pub next: u64,
    /// How many of those asked for are no longer kept.
    pub lost: u64,
    /// The names of the first classes, and behind them one for what the others sent, if there are any.
    pub classes: Vec<String>,
    /// Which directions there are.
    pub has: [bool; 2],
    /// Upload's point and download's.
    pub rows: Vec<[Point; 2]>,
}

impl Page {
    /// As fields.
    pub fn write(&self, out: &mut dyn Scribe) {
        out.text("wan", &self.wan);
        out.count("now_us", self.now.0);
        out.count("step_us", self.step.0);
        out.count("last", self.last);
        out.count("next", self.next);
        out.count("lost", self.lost);
        for (way, key) in ["upload", "download"].into_iter().enumerate() {
            if !self.has.get(way).is_some_and(|has| *has) {
                out.null(key);
                continue;
            }
            out.open(key, Shape::Table);
            for (n, (name, _)) in COLUMNS.iter().enumerate().filter(|(_, (name, _))| !name.is_empty()) {
                self.column(name, &|row| self.cell(row, way, n), out);
            }
            out.open("classes", Shape::Table);
            for (n, name) in self.classes.iter().enumerate() {
                self.column(name, &|row| self.class(row, way, n), out);
            }
            out.close();
            out.close();
        }
    }

    fn column(&self, name: &str, cell: &dyn Fn(usize) -> Option<u64>, out: &mut dyn Scribe) {
        out.open(name, Shape::Array);
        for row in 0..self.rows.len() {
            match cell(row) {
                Some(value) => out.number("", value as i64), // four tera at most
                None => out.null(""),
            }
        }
        out.close();
    }

    /// What a column of a direction says in a row.
    pub fn cell(&self, row: usize, way: usize, column: usize) -> Option<u64> {
        cell(self.rows.get(row)?.get(way)?, column)
    }

    /// What a direction did in some rows together.
    pub fn together(&self, rows: Range<usize>, way: usize) -> Row {
        let mut fold = Fold::default();
        for row in rows {
            let mut cells = Row::default();
            for (n, cell) in cells.iter_mut().enumerate() {
                *cell = self.cell(row, way, n).unwrap_or(NONE);
            }
            fold.add(&mut cells, 1, 1);
        }
        fold.take().0
    }

    /// What a class sent; behind the classes that are kept, all others.
    pub fn class(&self, row: usize, way: usize, class: usize) -> Option<u64> {
        let kept = |n| self.cell(row, way, CLASS + n);
        if class < CLASSES {
            return kept(class);
        }
        let all = self.cell(row, way, SENT)?;
        (0..CLASSES).try_fold(all, |rest, n| Some(rest.saturating_sub(kept(n)?)))
    }

    /// As lines of text: what it is, then a line for each row.
    pub fn to_text(&self) -> String {
        let Self { wan, now, step, last, next, lost, classes, has, rows } = self;
        let [up, down] = has.map(u8::from);
        let mut text = String::new();
        // A String takes everything.
        let _ = write!(text, "{} {} {last} {next} {lost} {up} {down} {wan}", now.0, step.0);
        classes.iter().for_each(|class| text.extend([" ", class]));
        for row in rows {
            let mut gap = '\n';
            for number in row.as_flattened() {
                let _ = write!(text, "{gap}{number}");
                gap = ' ';
            }
        }
        text
    }

    /// Reads such lines.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut words = lines.next()?.split(' ');
        let mut number = || words.next()?.parse().ok();
        let mut page = Self {
            now: Time(number()?),
            step: Micros(number()?),
            last: number()?,
            next: number()?,
            lost: number()?,
            has: [number()? != 0, number()? != 0],
            ..Self::default()
        };
        page.wan = words.next()?.into();
        page.classes = words.map(String::from).collect();
        for line in lines {
            let mut row = [Point::default(); 2];
            let mut words = line.split(' ');
            for cell in row.as_flattened_mut() {
                *cell = words.next()?.parse().ok()?;
            }
            page.rows.push(row);
        }
        Some(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;
    use crate::watch::mini::pack;

    fn page() -> Page {
        let row = |n: u64| {
            let point = core::array::from_fn(|column| pack(1000 * n + 10 * column as u64));
            [point, Point::default()]
        };
        let mut page =
            Page { wan: "home".into(), now: Time(95_000_001), step: Micros::secs(10), ..Page::default() };
        page.classes = ["a", "b", "c", "d", "(others)"].map(String::from).into();
        (page.last, page.next, page.lost, page.has) = (9, 8, 3, [true, false]);
        page.rows = alloc::vec![row(1), [Point::default(); 2], row(3)];
        page
    }

    #[test]
    fn what_goes_over_the_socket_as_text_is_the_same_behind_it() {
        assert_eq!(Page::from_text(&page().to_text()), Some(page()));
        assert_eq!(Page::from_text(&Page::default().to_text()).map(|page| page.rows), Some(Vec::new()));
        for text in ["", "1 2 3", "1 2 3 4 5 1 1 home\n1 2", "1 2 3 4 5 1 x home"] {
            assert_eq!(Page::from_text(text), None, "{text}");
        }
    }

    #[test]
    fn programs_get_columns_and_a_gap_is_null_in_each() {
        let mut text = String::new();
        let mut json = Json::new(&mut text);
        let scribe: &mut dyn Scribe = &mut json;
        let mut small = page();
        small
            .rows
            .iter_mut()
            .flatten()
            .for_each(|point| point[SENT] = pack(cell(point, SENT).map_or(NONE, |n| n * 9)));
        scribe.table("", |out| small.write(out));
        json.end().expect("a String takes everything");
        let begins = r#"{"wan":"home","now_us":95000001,"step_us":10000000,"last":9,"next":8,"lost":3,"upload":{"rate_bps":[1000,null,3000],"rate_min_bps":[1010,null,3010],"#;
        assert!(text.starts_with(begins), "{text}");
        // 9 * 1040 - 1070 - 1080 - 1090 - 1100
        let ends = r#""classes":{"a":[1070,null,3070],"b":[1080,null,3080],"c":[1090,null,3090],"d":[1100,null,3100],"(others)":[5020,null,15020]}},"download":null}"#;
        assert!(text.ends_with(ends), "{text}");
    }
}
