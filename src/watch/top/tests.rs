// SPDX-License-Identifier: Apache-2.0
//! Windows of every size against golden files. `BLESS=1 cargo test --features sim --lib watch::top` rewrites them.

use super::*;
use crate::report::Fact;
use crate::units::{Permille, Time};
use crate::watch::history::CLASS;
use crate::watch::mini::{NONE, pack};
use std::path::Path;

/// Where the number of changes is, and behind it their reason.
const CHANGES: usize = 19;

/// A line with five minutes behind it: a download that fills it since two minutes ago, with half a minute missing before.
fn page(name: &str) -> Page {
    let mut page =
        Page { wan: name.into(), now: Time(900_000_000), step: Micros::secs(1), ..Page::default() };
    (page.last, page.next, page.has) = (900, 900, [true, true]);
    page.classes = ["critical", "high", "normal", "low"].map(String::from).into();
    let mut before = 42_000_000;
    for n in 0..300u64 {
        let is_busy = n >= 180;
        // Changes, and why: draining, then just what it carries, then none.
        let (changes, reason, rate) = match n % 40 {
            0..3 if is_busy => (2, 6, before - 1_200_000),
            3..6 if is_busy => (2, 5, before + 855_000),
            _ => (0, NONE, before),
        };
        let row = |part: u64, sent: u64, wait: u64| {
            let mut row = [NONE; COLUMNS.len()];
            row[RATE] = (before + rate) / 2 / part;
            (row[RATE + 1], row[RATE + 2]) = (before.min(rate) / part, before.max(rate) / part);
            (row[SENT], row[CLASS + 2], row[WAIT_MAX]) = (sent, sent, wait);
            (row[CHANGES], row[CHANGES + 1]) = (changes, reason);
            row.map(pack)
        };
        let sent = if is_busy { rate * 97 / 100 } else { n * 20_000 };
        let wait = if is_busy { 4_000 + n % 40 * 200 } else { 900 };
        let both = [row(4, sent / 20, 1_200), row(1, sent, wait)];
        page.rows.push(if (150..180).contains(&n) { Default::default() } else { both });
        before = rate;
    }
    page
}

fn direction(state: &str, rate: u32, sent: u64, names: &[&str]) -> Direction {
    let load = |share: u64| Load {
        sent: sent * share / 100,
        waiting: share * 1_234,
        drops: share * share,
        marks: share,
    };
    let class = |(n, name): (usize, &&str)| Class {
        name: (*name).into(),
        share: Permille([300, 200, 125, 50][n]),
        delay: [None, Some(Micros(0)), Some(Micros(12_345)), Some(Micros(1_234_567))][n],
        load: load([0, 2, 90, 8][n]),
    };
    Direction {
        state: state.into(),
        rate: Some(Rate::kbit(rate)),
        all: load(100),
        classes: names.iter().enumerate().map(class).collect(),
        ..Direction::default()
    }
}

/// Two lines, of which one follows what it carries.
fn moment() -> Moment {
    let classes = ["critical", "high", "normal", "low"];
    let steered = |state: &str, rate: u32, sent: u64| Direction {
        capacity: Some(Rate::kbit(rate + rate / 40)),
        wait: Some(Micros(9_345)),
        aim: Some(Micros::ms(10)),
        ..direction(state, rate, sent, &classes)
    };
    let wan = Line {
        name: "wan".into(),
        device: Some("wwan0".into()),
        probes: "6 of 6 reflectors answer; 4711 sent, 12 lost".into(),
        ways: [steered("light", 9_500, 1_900_000), steered("loaded", 38_900, 37_700_000)],
    };
    let off = Direction {
        state: "off".into(),
        text: "no speed is given for it, so it is not shaped".into(),
        ..Direction::default()
    };
    let dsl = Line {
        name: "dsl".into(),
        device: Some("pppoe-dsl".into()),
        probes: String::new(),
        ways: [direction("fixed", 10_000, 2_300, &classes), off],
    };
    let said = |seconds: u64, level: &str, text: &str| (Micros::secs(seconds), level.into(), text.into());
    Moment {
        version: "9.8.7".into(),
        lines: alloc::vec![wan, dsl],
        said: alloc::vec![
            said(
                200_000,
                "info",
                "wan: upload follows the line on wwan0 (htb), download follows the line on weir-wan (htb)"
            ),
            said(5_400, "warning", "wan: nobody answers; counters alone steer"),
            said(42, "info", "wan: download has come to rest at 38.9 Mbit/s, it was 42 Mbit/s"),
        ],
        facts: Vec::new(),
    }
}

/// The same of a line and classes that are called as nobody should call them, with more to be said than there is room for.
fn hostile() -> (Moment, Vec<Page>) {
    let mut moment = moment();
    let name = format!("\u{1b}[2J{}\r\n\u{202e}漢字\u{301}é", "n".repeat(80));
    let mut pages = alloc::vec![page("wan"), page("dsl")];
    (pages[0].wan, moment.lines[0].name) = (name.clone(), name.clone());
    moment.lines[0].ways[1].classes[2].name = name.clone();
    moment.lines[0].ways[1].all.sent = u64::MAX;
    moment.lines[0].ways[1].classes[3].load =
        Load { sent: u64::MAX, waiting: u64::MAX, drops: u64::MAX, marks: u64::MAX };
    moment.lines[0].ways[1].wait = Some(Micros::MAX);
    moment.said.push((Micros(0), "error".into(), name.repeat(9)));
    moment.facts = alloc::vec![Fact::longest(), Fact::longest(), Fact::longest()];
    (moment, pages)
}

const SIZES: [(usize, usize); 3] = [(80, 24), (40, 20), (132, 50)];

fn window(columns: usize, rows: Option<usize>, marks: Marks) -> Window {
    Window { columns, rows, marks }
}

/// Whether a page keeps to its window, and nothing in it moves the cursor.
fn fits(rows: &[String], window: &Window) {
    assert!(rows.len() <= window.rows.unwrap_or(usize::MAX), "{rows:#?}");
    for row in rows {
        assert!(row.chars().count() <= window.columns, "{}: {row}", window.columns);
        let is_ours = |c: char| {
            matches!(c, ' '..='~') || window.marks == Marks::Utf8 && matches!(c, 'é' | '→' | '▁'..='▏')
        };
        assert!(row.chars().all(is_ours), "{row:?}");
    }
}

fn golden(name: &str, rows: &[String]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/top").join(name);
    let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, &text).expect("written");
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), text, "{}", path.display());
}

#[test]
fn two_lines_are_shown_in_windows_of_three_sizes_as_they_always_were() {
    let moment = moment();
    let pages = [page("wan"), page("dsl")];
    let view = View { moment: &moment, pages: &pages, line: None };
    for (columns, rows) in SIZES {
        for (marks, ending) in [(Marks::Utf8, ""), (Marks::Ascii, "-ascii")] {
            let window = window(columns, Some(rows), marks);
            let shown = compose(&view, &window);
            fits(&shown, &window);
            golden(&format!("{columns}x{rows}{ending}.txt"), &shown);
        }
    }
    let once = window(80, None, Marks::Ascii);
    golden("once.txt", &compose(&view, &once));
}

#[test]
fn nothing_anybody_is_called_or_says_leaves_its_row_or_its_window() {
    let (moment, pages) = hostile();
    let view = View { moment: &moment, pages: &pages, line: None };
    golden("hostile.txt", &compose(&view, &window(80, Some(24), Marks::Utf8)));
    for marks in [Marks::Utf8, Marks::Ascii] {
        for columns in [0, 1, 7, 8, 20, 39, 75, 76, 77, 200, 999] {
            for rows in [0, 1, 2, 3, 5, 9, 24, 200] {
                let window = window(columns, Some(rows), marks);
                fits(&compose(&view, &window), &window);
                fits(&notice(&moment.lines[0].name, &window), &window);
            }
        }
    }
}

/// The rows of a part of the page, each as one text.
fn part(rows: &[String], heading: &str) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for row in rows.iter().skip_while(|row| !row.starts_with(heading)).skip(1) {
        match row.strip_prefix("        ") {
            Some(more) => texts.last_mut().expect("one begun").push_str(&format!(" {more}")),
            None if row.starts_with(' ') => texts.push(row.trim_start().into()),
            None => break,
        }
    }
    texts
}

#[test]
fn a_decision_goes_on_from_where_the_one_before_it_ended() {
    let moment = moment();
    let view = View { moment: &moment, pages: &[page("wan")], line: Some("wan") };
    let told = part(&compose(&view, &window(80, None, Marks::Ascii)), "decided");
    let down: Vec<&str> =
        told.iter().rev().filter_map(|text| text.split_once(" s wan down ")).map(|(_, text)| text).collect();
    let [drain, track] = ["draining a queue on the line", "a short queue on the line, just what it carries"];
    let wanted = [
        format!("42M>38.4M in 6 steps: {drain}"),
        format!("38.4M>41M in 6 steps: {track}"),
        format!("41M>37.4M in 6 steps: {drain}"),
        format!("37.4M>39.9M in 6 steps: {track}"),
        format!("39.9M>36.3M in 6 steps: {drain}"),
        format!("36.3M>38.9M in 6 steps: {track}"),
    ];
    assert_eq!(down, wanted);
}

#[test]
fn no_decision_is_shown_without_its_heading() {
    let moment = moment();
    let pages = [page("wan"), page("dsl")];
    let view = View { moment: &moment, pages: &pages, line: None };
    for rows in 0..60 {
        let rows = compose(&view, &window(80, Some(rows), Marks::Ascii));
        let decisions = rows.iter().filter(|row| row.contains(" in 6 steps: ")).count();
        assert_eq!(decisions > 0, rows.iter().any(|row| row.starts_with("decided ")), "{rows:#?}");
        assert!(rows.last().is_none_or(|row| row != "said" && !row.starts_with("decided ")), "{rows:#?}");
    }
}

#[test]
fn how_often_and_the_aim_are_shown_whole_in_eighty_columns() {
    let mut moment = moment();
    let way = &mut moment.lines[0].ways[1];
    (way.wait, way.aim) = (Some(Micros(12_345)), Some(Micros(12_345)));
    let view = View { moment: &moment, pages: &[page("wan")], line: Some("wan") };
    let rows = compose(&view, &window(80, Some(40), Marks::Utf8));
    fits(&rows, &window(80, Some(40), Marks::Utf8));
    let has = |part: &str| rows.iter().any(|row| row.contains(part));
    assert!(has("carries 39.9M, waits 12.3 ms (aim 12.3 ms)"), "{rows:#?}");
    assert!(part(&rows, "decided").iter().all(|text| text.contains(" in 6 steps: ")), "{rows:#?}");
    assert!(!rows.iter().any(|row| row.ends_with('~')), "{rows:#?}");
}

#[test]
fn each_chart_says_what_it_shows_and_the_head_of_how_long() {
    let moment = moment();
    let view = View { moment: &moment, pages: &[page("wan")], line: Some("wan") };
    for (columns, waits) in
        [(80, "  longest wait _"), (76, "  longest wait _"), (40, "  wait _"), (34, "  wait _")]
    {
        let rows = compose(&view, &window(columns, None, Marks::Ascii));
        assert!(rows[0].ends_with("  charts: the last 5 min"), "{rows:#?}");
        let charts: Vec<&String> = rows.iter().filter(|row| row.starts_with(" sent _")).collect();
        assert!(charts.len() == 2 && charts.iter().all(|row| row.contains(waits)), "{rows:#?}");
    }
}

#[test]
fn what_matters_most_is_shown_when_not_all_of_it_fits() {
    let mut moment = moment();
    let line = moment.lines[0].clone();
    moment.lines.extend((0..5).map(|n| Line { name: format!("lte{n}"), ..line.clone() }));
    let view = View { moment: &moment, pages: &[], line: None };
    let all = |rows| compose(&view, &window(80, Some(rows), Marks::Ascii)).join("\n");
    assert!(all(24).contains("lte4: wwan0") && !all(24).contains("critical"), "{}", all(24));
    assert!(all(12).contains("and 4 more: weir top --line NAME shows one"), "{}", all(12));
    let one = View { line: Some("dsl"), ..view };
    let shown = compose(&one, &window(80, Some(24), Marks::Ascii)).join("\n");
    assert!(shown.contains("dsl: pppoe-dsl") && !shown.contains("wan: wwan0"), "{shown}");
    let none = View { line: Some("adsl"), ..view };
    assert!(
        compose(&none, &window(80, Some(24), Marks::Ascii)).join("\n").contains("there is no line 'adsl'")
    );
    let empty = View { moment: &Moment::default(), pages: &[], line: None };
    assert!(
        compose(&empty, &window(80, None, Marks::Ascii)).join("\n").contains("no configuration is in force")
    );
}

#[test]
fn bars_and_charts_are_as_long_and_high_as_what_they_show() {
    for (value, bar, plain) in [
        (0, "    ", "...."),
        (10, "▍   ", "...."),
        (50, "██  ", "##.."),
        (63, "██▌ ", "###."),
        (200, "████", "####"),
    ] {
        assert_eq!(
            (Marks::Utf8.bar(value, 100, 4), Marks::Ascii.bar(value, 100, 4)),
            (bar.into(), plain.into())
        );
    }
    let values = [Some(0), Some(7), None, Some(3), Some(70), None];
    assert_eq!(Marks::Utf8.chart(&values, 7, 6), "▁█ ▄█ ");
    assert_eq!(Marks::Ascii.chart(&values, 7, 3), "#~#");
    assert_eq!(
        (Marks::Ascii.chart(&[], 7, 3), Marks::Ascii.chart(&values, 0, 2)),
        ("   ".into(), "__".into())
    );
}

#[test]
fn numbers_are_short_and_times_have_one_unit() {
    let rates = [0, 7, 999, 1_000, 999_499, 999_999, 4_750_000, 11_234_567, 123_456_789, u64::MAX].map(brief);
    assert_eq!(rates, ["0", "7", "999", "1k", "999k", "1M", "4.75M", "11.2M", "123M", "18400000000G"]);
    assert_eq!([0, 999, 1_234, 12_345, 999_999].map(few), ["0", "999", "1.2k", "12k", "1M"]);
    let times = [0, 999, 9_345, 123_456, 1_234_567, 90_000_000].map(|us| time(Micros(us)));
    assert_eq!(times, ["0 us", "999 us", "9.3 ms", "123 ms", "1.23 s", "1 min 30 s"]);
    let ages = [0, 99, 100, 5_999, 6_000, 400_000].map(|seconds| ago(Micros::secs(seconds)));
    assert_eq!(ages, ["0 s", "99 s", "1 min", "99 min", "1 h", "4 d"]);
}
