// SPDX-License-Identifier: Apache-2.0
//! Pictures against a golden file, which was looked at in a browser, light and dark.
//! `BLESS=1 cargo test --features sim --lib watch::picture` rewrites it.

use super::*;
use crate::units::Time;
use crate::watch::history::COLUMNS;
use crate::watch::mini::pack;
use std::path::Path;

/// 30 November 2026, 21:20 UTC.
const WHEN: u64 = 1_795_996_800 + 21 * 3600 + 20 * 60;

/// An hour, ten seconds each: an evening that gets busier, with five minutes of which nobody knows anything and ten of which
/// nobody knows the waits.
fn page(name: &str) -> Page {
    let mut page =
        Page { wan: name.into(), now: Time(7_205_000_000), step: Micros::secs(10), ..Page::default() };
    (page.last, page.next, page.has) = (720, 720, [true, true]);
    page.classes = ["critical", "high", "normal", "low", "(others)"].map(String::from).into();
    for n in 0..360u64 {
        let row = |most: u64| {
            let wave = |period: u64| (n % period).min(period - n % period) * 2 * 100 / period;
            let rate = most - most / 5 * wave(140) / 100;
            let classes =
                [rate / 50, rate / 10 * wave(30) / 100, rate / 2 * n / 360, rate / 5 * wave(90) / 100];
            let sent = classes.iter().sum::<u64>() + rate / 25;
            let mut row = [NONE; COLUMNS.len()];
            (row[RATE], row[CAPACITY], row[SENT]) = (rate, rate + rate / 12, sent);
            row.iter_mut().skip(CLASS).zip(classes).for_each(|(cell, sent)| *cell = sent);
            if !(200..260).contains(&n) {
                (row[WAIT], row[WAIT_MAX]) =
                    (1_000 + n * 15, 2_000 + n * 30 + 9_000 * u64::from(n % 37 == 0));
            }
            row.map(pack)
        };
        page.rows.push(if (90..120).contains(&n) {
            Default::default()
        } else {
            [row(10_000_000), row(80_000_000)]
        });
    }
    page
}

fn drawn(page: &Page, clock: Option<Clock>) -> String {
    let mut out = String::new();
    draw(page, [Some(Micros::ms(10)), None], clock, &mut out).expect("a String takes everything");
    out
}

fn berlin() -> Zone {
    Zone::parse("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone")
}

/// Holds it to what XML asks of every document: one element around all, each ended in its order, attributes quoted, nothing
/// bare that should be escaped. Gives how many elements there are.
fn elements(text: &str) -> usize {
    let (mut open, mut count, mut rest) = (Vec::new(), 0, text);
    while let Some((before, tag)) = rest.split_once('<') {
        assert!(!before.contains('>') || before.contains("{"), "bare: {before:?}");
        assert!(before.trim().is_empty() || !open.is_empty(), "outside: {before:?}");
        for part in before.split('&').skip(1) {
            assert!(["amp;", "lt;", "gt;"].iter().any(|name| part.starts_with(name)), "bare &: {part:?}");
        }
        let (tag, after) = tag.split_once('>').expect("it ends");
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{text}");
            continue;
        }
        count += 1;
        assert!(!tag.contains('<') && tag.matches('"').count() % 2 == 0, "{tag:?}");
        let name = tag.split([' ', '/']).next().expect("a name");
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest:?}");
    count
}

#[test]
fn an_hour_of_a_line_looks_as_it_always_did() {
    let text = drawn(&page("wan"), Some((WHEN, berlin())));
    assert!(elements(&text) > 50);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/history.svg");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &text).expect("written");
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == text,
        "{} is another picture",
        path.display()
    );
    assert!(
        text.contains(">wan: 1 h, to 2026-11-30 22:19<"),
        "local time, as the newest point ended 5 s ago"
    );
    for mark in [">22:10<", ">10 Mbit/s<", ">80 Mbit/s<", ">20 ms<", ">upload<", ">(others)<"] {
        assert!(text.contains(mark), "{mark}");
    }
}

#[test]
fn a_gap_in_what_is_known_is_a_gap_in_each_curve() {
    let text = drawn(&page("wan"), None);
    let starts = |line: &str| line.split(" d=\"").nth(1).map_or(0, |d| d.matches('M').count());
    let curves: Vec<&str> =
        text.lines().filter(|line| line.contains(" d=\"") && !line.contains("grid")).collect();
    let of = |colour: &str| {
        curves
            .iter()
            .filter(|line| line.contains(colour) && line.contains('L'))
            .map(|line| starts(line))
            .collect::<Vec<_>>()
    };
    assert_eq!((of(RATE_COLOUR), of(CAPACITY_COLOUR)), (alloc::vec![2, 2], alloc::vec![2, 2]));
    assert_eq!(of(CLASS_COLOURS[0]), [2, 2]);
    assert_eq!(
        of(LONGEST_COLOUR).iter().filter(|starts| **starts == 3).count(),
        2,
        "the waits have one more"
    );
    assert_eq!(of(TEXT_COLOUR), [3], "one direction has an aim, where its waits are known");
    assert!(text.contains(">now<") && text.contains(">30 min ago<"), "without a clock");
}

#[test]
fn whatever_there_is_to_draw_is_a_picture() {
    let mut strange = page("<&\"'>\u{1b}\u{fffe}");
    strange.classes[0] = "</svg><script>".repeat(9);
    let mut full = page("wan");
    full.rows.iter_mut().for_each(|row| *row = [[u16::MAX; COLUMNS.len()]; 2]);
    let mut long = page("wan");
    (0..3).for_each(|_| long.rows.extend(long.rows.clone()));
    let mut one = page("wan");
    one.rows.truncate(1);
    let bare = Page { has: [true, false], classes: Vec::new(), ..page("wan") };
    let empty = Page { rows: Vec::new(), ..page("wan") };
    let unshaped = Page { has: [false; 2], ..page("wan") };
    for page in [&strange, &full, &long, &one, &bare, &empty, &unshaped, &Page::default()] {
        for clock in [None, Some((WHEN, berlin())), Some((0, Zone::default()))] {
            let text = drawn(page, clock);
            assert!(elements(&text) > 3 && !text.contains("<script"), "{text}");
            assert!(text.len() < 200_000, "{}", text.len());
        }
    }
    assert!(drawn(&unshaped, None).contains("nothing was shaped"));
    let four = Page { classes: page("wan").classes[..4].into(), ..page("wan") };
    assert!(drawn(&four, None).contains(">in no class<"));
    assert!(drawn(&bare, None).contains(">sent<") && !drawn(&bare, None).contains(">download<"));
}

#[test]
fn a_line_of_many_gigabits_has_as_few_marks_on_32_bits() {
    let mut fast = page("wan");
    fast.rows.iter_mut().for_each(|row| *row = [[pack(40_000_000_000); COLUMNS.len()]; 2]);
    let text = drawn(&fast, None);
    assert!(text.matches("class=\"grid\"").count() < 60, "{}", text.matches("class=\"grid\"").count());
}

#[test]
fn what_is_highest_is_below_the_top_edge() {
    for most in [1_000, 19_400, 19_900, 20_000_000, 99_999_999, 10_000_000_000] {
        let panel = Panel::new(100, RATES, most, 1);
        assert!(panel.y(most, 1) > 102, "{most}: {}", panel.y(most, 1));
    }
}

#[test]
fn marks_stand_at_round_numbers() {
    assert_eq!([0, 1, 3, 12, 26, 130, u64::MAX].map(nice), [1, 1, 5, 20, 50, 200, u64::MAX]);
}
