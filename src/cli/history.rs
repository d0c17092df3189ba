// SPDX-License-Identifier: Apache-2.0
//! `weir history`: what a line did, as the daemon has kept it.

use super::document::tell_of_others;
use super::{Options, exit_code, print};
use crate::calendar::{Zone, believed};
use crate::io::files::{StateDir, naming};
use crate::io::{clock, desk};
use crate::json::Json;
use crate::report::about;
use crate::scribe::Scribe;
use crate::units::{Micros, Rate};
use crate::watch::history::{COLUMNS, KEPT, Point, RATE, SENT, WAIT_MAX};
use crate::watch::mini::NONE;
use crate::watch::moment::Moment;
use crate::watch::page::Page;
use crate::watch::picture;
use std::fmt::Write;
use std::io;

/// How far back unless told otherwise.
const USUAL: Micros = Micros::secs(300);
const SECOND: u64 = 1_000_000;
/// Rows of the table for people; what is more is put together.
const ROWS: usize = 30;
/// The longest bar.
const BAR: &str = "##########";

/// Prints the history of a line.
pub(crate) fn run(options: &Options) -> u8 {
    if let Some(why) = unclear(options) {
        eprintln!("weir: {why}");
        return exit_code::USAGE;
    }
    let line = options.words.first().map_or("-", String::as_str);
    if let Some(span) = options.span.filter(|span| *span > KEPT) {
        eprintln!("weir: asked for {span}, but no more than {KEPT} is kept");
    }
    let seconds = options.span.unwrap_or(USUAL).0.div_ceil(SECOND);
    let state = &options.places.state;
    let page = match whole(state, line, seconds, 0) {
        // Programs get what they ask for.
        Ok(Some(page)) if seconds <= USUAL.0 / SECOND && !options.is_json && !options.is_csv => {
            // Points of ten seconds, which are kept for longer than five minutes.
            let coarse = whole(state, line, USUAL.0 / SECOND + 1, 0).ok().flatten();
            longer(page, coarse, seconds)
        }
        Ok(Some(page)) => page,
        Ok(None) => {
            tell_of_others(state);
            eprintln!("weir: no daemon is running here, so nothing is kept: start 'weir daemon'");
            return exit_code::FAILED;
        }
        Err(error) => {
            eprintln!("weir: {error}");
            return exit_code::FAILED;
        }
    };
    let mut out = String::new();
    if let Some(file) = &options.svg {
        return picture(&page, file, options);
    }
    if options.is_json {
        let mut json = Json::new(&mut out);
        let scribe: &mut dyn Scribe = &mut json;
        scribe.table("", |out| page.write(out));
        json.end().expect("a String takes everything");
        out.push('\n');
    } else if options.is_csv {
        sheet(&page, &mut out);
    } else {
        table(&page, &mut out);
    }
    print(&out);
    exit_code::OK
}

/// Why nobody can tell in which form, if so.
fn unclear(options: &Options) -> Option<String> {
    let forms = [("--csv", options.is_csv), ("--json", options.is_json), ("--svg", options.svg.is_some())];
    let mut forms = forms.into_iter().filter(|(_, is_wanted)| *is_wanted);
    let ((one, _), (other, _)) = (forms.next()?, forms.next()?);
    Some(format!("{one} and {other} exclude each other; choose one"))
}

/// All pages as one: the last seconds of a line, or what is after point number `since`; `None`: no daemon runs.
pub(super) fn whole(state: &StateDir, line: &str, seconds: u64, mut since: u64) -> io::Result<Option<Page>> {
    let mut whole: Option<Page> = None;
    loop {
        let Some(answer) = desk::ask(state, &format!("history {line} {seconds} {since}"))? else {
            return Ok(None);
        };
        let mut page =
            Page::from_text(&answer).ok_or_else(|| io::Error::other("the daemon is of another version"))?;
        let is_last = page.next <= since || page.next >= page.last;
        since = page.next;
        if let Some(before) = whole.take() {
            page.rows.splice(..0, before.rows);
        }
        if is_last {
            return Ok(Some(page));
        }
        whole = Some(page);
    }
}

/// The last seconds of a line, or of the same time coarser points, if those are known for longer: what is recalled of before
/// a restart (`archive`) has no seconds.
fn longer(page: Page, coarse: Option<Page>, seconds: u64) -> Page {
    let Some(mut coarse) = coarse else { return page };
    let count = seconds.div_ceil((coarse.step.0 / SECOND).max(1)) as usize;
    coarse.rows.drain(..coarse.rows.len().saturating_sub(count));
    let is_known = |row: &[Point; 2]| *row != <[Point; 2]>::default();
    let begun = |page: &Page| page.rows.iter().position(is_known).map(|row| age(page, row));
    if begun(&coarse) > begun(&page) { coarse } else { page }
}

/// Draws what a line did, into a file or (`-`) to standard output.
fn picture(page: &Page, file: &str, options: &Options) -> u8 {
    let (seconds, zone) = clock::wall();
    let zone = Zone::parse(&zone).unwrap_or_default();
    // The aim is how it is steered now; a daemon that does not tell it leaves a line out of the picture.
    let moment = desk::ask(&options.places.state, "top").ok().flatten();
    let moment = moment.and_then(|text| Moment::from_text(&text)).unwrap_or_default();
    let line = moment.lines.iter().find(|line| line.name == page.wan);
    let aims = line.map_or([None; 2], |line| line.ways.each_ref().map(|way| way.aim));
    let mut out = String::new();
    let drawn = picture::draw(page, aims, believed(seconds).map(|seconds| (seconds, zone)), &mut out);
    drawn.expect("a String takes everything");
    if file == "-" {
        print(&out);
    } else if let Err(error) = std::fs::write(file, out).map_err(naming(format!("cannot write {file}"))) {
        eprintln!("weir: {error}");
        return exit_code::FAILED;
    }
    exit_code::OK
}

const WAYS: [&str; 2] = ["upload", "download"];

/// A line for each point.
fn sheet(page: &Page, out: &mut String) {
    out.push_str("age_s");
    for way in WAYS {
        for (name, _) in COLUMNS.iter().filter(|(name, _)| !name.is_empty()) {
            out.extend([",", way, "_", name]);
        }
        page.classes.iter().for_each(|name| out.extend([",", way, "_", name, "_bps"]));
    }
    for row in 0..page.rows.len() {
        let _ = write!(out, "\n{}", age(page, row));
        for way in 0..WAYS.len() {
            for n in 0..COLUMNS.len() + page.classes.len() {
                let value = match COLUMNS.get(n) {
                    Some(("", _)) => continue,
                    Some(_) => page.cell(row, way, n),
                    None => page.class(row, way, n - COLUMNS.len()),
                };
                out.push(',');
                if let Some(value) = value {
                    let _ = write!(out, "{value}");
                }
            }
        }
    }
    out.push('\n');
}

/// How many seconds ago the point of a row ended.
fn age(page: &Page, row: usize) -> u64 {
    let later = (page.rows.len() - 1 - row) as u64;
    page.now.0.saturating_sub((page.next - later) * page.step.0) / 1_000_000
}

/// A few lines for people.
fn table(page: &Page, out: &mut String) {
    let count = page.rows.len();
    let each = count.div_ceil(ROWS).max(1);
    let _ = writeln!(out, "{}, {} each", page.wan, Micros(page.step.0 * each as u64));
    let _ = writeln!(out, "{:>8}  {:<22} {:>9}  {:<22} {:>9}", "ago", WAYS[0], "waits", WAYS[1], "waits");
    let mut row = 0;
    while row < count {
        // From the newest back, so that all but the oldest are of equal length.
        let size = if (count - row).is_multiple_of(each) { each } else { (count - row) % each };
        let ago = age(page, row + size - 1);
        let _ = write!(out, "{:>2}:{:02}:{:02}", ago / 3600, ago / 60 % 60, ago % 60);
        for way in 0..WAYS.len() {
            direction(page, row, size, way, out);
        }
        out.push('\n');
        row += size;
    }
}

/// How much of `most` a value is: a mark for each whole tenth, so that only all of it is a full bar.
fn bar(value: u64, most: u64) -> &'static str {
    match (value * BAR.len() as u64).checked_div(most).unwrap_or(0) {
        0 if value > 0 => ".",
        tenths => BAR.get(..tenths as usize).unwrap_or(BAR),
    }
}

/// What a direction did in some rows.
fn direction(page: &Page, row: usize, size: usize, way: usize, out: &mut String) {
    let all = page.together(row..row + size, way);
    let mut most = 1;
    for row in 0..page.rows.len() {
        most = most.max(page.cell(row, way, RATE).max(page.cell(row, way, SENT)).unwrap_or(0));
    }
    let (sent, wait) = (all[SENT], all[WAIT_MAX]);
    let bar = if sent == NONE { "" } else { bar(sent, most) };
    let sent = if sent == NONE { "-".into() } else { about(Rate::bits(sent)).to_string() };
    let wait = if wait == NONE { "-".into() } else { Micros((wait + 50) / 100 * 100).to_string() };
    let _ = write!(out, "  {sent:>11} {bar:<10} {wait:>9}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Time;

    /// A line that is known since so many points, of so many seconds each.
    fn page(step: u64, count: usize, known: usize) -> Page {
        let next = 10_000 / step;
        let mut page = Page { step: Micros::secs(step), last: next, next, ..Page::default() };
        page.now = Time(10_000 * SECOND);
        page.rows = vec![Default::default(); count - known];
        page.rows.extend(vec![[[9; COLUMNS.len()]; 2]; known]);
        page
    }

    #[test]
    fn what_is_kept_of_before_a_restart_is_shown_though_it_has_no_seconds() {
        let coarse = || Some(page(10, 31, 20));
        for (fine, seconds, wanted) in [
            (page(1, 300, 40), 300, (10, 30)),
            (page(1, 30, 3), 30, (10, 3)),
            (page(1, 300, 300), 300, (1, 300)),
            (page(1, 7, 0), 300, (10, 30)),
            (page(1, 200, 200), 300, (1, 200)),
        ] {
            let page = longer(fine, coarse(), seconds);
            assert_eq!((page.step.0 / SECOND, page.rows.len()), wanted);
        }
        assert_eq!(longer(page(1, 40, 40), None, 300), page(1, 40, 40));
        assert_eq!(longer(page(1, 40, 40), Some(Page::default()), 300), page(1, 40, 40));
    }

    #[test]
    fn a_bar_is_full_only_for_all_of_it() {
        for (value, wanted) in [
            (0, ""),
            (1, "."),
            (99, "."),
            (100, "#"),
            (991, "#########"),
            (999, "#########"),
            (1000, BAR),
            (1200, BAR),
        ] {
            assert_eq!(bar(value, 1000), wanted, "{value}");
        }
        assert_eq!(bar(5, 0), ".");
    }
}
