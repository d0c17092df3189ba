// SPDX-License-Identifier: Apache-2.0
//! Files of histories: there and back, broken in every way, and how large they get.

use super::*;
use crate::units::Micros;
use crate::watch::history::tests::{Reading, next};
use crate::watch::history::{CLASS, Row, SENT};
use crate::watch::mini::NONE;

const DAYS: Micros = Micros::secs(2 * 86_400);
const HOURS: Micros = Micros::secs(7200);
const SECOND: u64 = 1_000_000;
/// 1 May 2026.
const WHEN: u64 = 1_777_593_600;
/// What nobody knows anything of.
const GAP: [Point; 2] = [[0; COLUMNS.len()]; 2];

/// Two days of a line of 50 Mbit/s that follows what it carries and on which somebody is busy in some hours; `noise`: all the
/// time, and no number is like the one before.
fn household(until: u64, noise: bool) -> History {
    let mut history = History::new(Time(0));
    let (mut random, mut rate, mut busy) = (7, 40_000_000, false);
    for second in 0..=until {
        if second % 600 == 0 {
            busy = noise || next(&mut random, 5) == 0;
        }
        let row = |random: &mut u64, rate: u64| -> Row {
            let most = if busy { rate / 8 } else { 3_000 };
            let (a, b, c) = (next(random, most / 20), next(random, most / 4), next(random, most / 2));
            let sent = a + b + c;
            let wait = if busy { 2_000 + next(random, 9_000) } else { 1_000 };
            let (drops, marks) = if busy { (next(random, 9), next(random, 3)) } else { (0, 0) };
            let state = if busy { 3 } else { 1 };
            let changes = u64::from(busy) * next(random, 4);
            let classes = [a, b, c, 0].map(Some);
            let (capacity, wait, state, reason) = (Some(42_000_000), Some(wait), Some(state), Some(5));
            let counts = [sent / 8000, drops, marks, changes];
            Reading { rate, capacity, sent, classes, wait, state, counts, reason }.row()
        };
        if busy {
            rate = (rate + next(&mut random, 800_000)).saturating_sub(400_000).clamp(10_000_000, 50_000_000);
        }
        let mut rows = [Some(row(&mut random, rate / 4)), Some(row(&mut random, rate))];
        history.add(Time(second * SECOND), &mut rows);
    }
    history
}

fn names(all: &[&str]) -> Vec<String> {
    all.iter().map(|name| String::from(*name)).collect()
}

/// The file of one line.
fn file(history: &History, now: u64) -> Vec<u8> {
    let classes = names(&["critical", "high", "normal", "low"]);
    let packed = pack(&[("wan", &classes, history)], Time(now * SECOND)).expect("something");
    seal(packed, WHEN).expect("a clock that is right")
}

/// A history that began at `now` and recalls a file `gap` seconds after it was written.
fn recalled(file: &[u8], now: u64, gap: u64) -> History {
    assert_eq!(check(file), Ok(()));
    let mut history = History::new(Time(now * SECOND));
    history.clear_recalled();
    let read = Archive::read(file).expect("a file of ours");
    assert_eq!(read.seconds, WHEN);
    read.pieces.iter().for_each(|piece| piece.place(&mut history, Time(now * SECOND), gap, true));
    history
}

/// As they come back: to 0.8 %.
fn rounded(rows: &[[Point; 2]]) -> Vec<[Point; 2]> {
    let mut all = rows.to_vec();
    for cell in all.as_flattened_mut().as_flattened_mut() {
        let before = unpack(*cell);
        *cell = long(short(*cell));
        let (before, after) = (before.unwrap_or(0), unpack(*cell).unwrap_or(0));
        assert!(
            before.abs_diff(after) * 120 <= before && (before >= 128 || before == after),
            "{before} {after}"
        );
    }
    all
}

#[test]
fn what_comes_back_from_the_file_is_what_went_into_it_as_long_ago_as_it_was() {
    let before = household(7_230, false);
    // Ten minutes later, in another boot.
    let after = recalled(&file(&before, 7_230), 20, 600);
    let (old, new) = (before.page(HOURS, 0, 999), after.page(HOURS, 0, 999));
    // It ended 30 s before a point of two minutes would have, and nothing of it is later than it was.
    assert_eq!((old.rows.len(), new.rows.len()), (720, 720));
    let gap = new.rows.iter().rev().take_while(|row| **row == GAP).count();
    assert_eq!(gap, 60, "ten minutes");
    assert_eq!(new.rows[..720 - gap], rounded(&old.rows[gap..]));
    let (old, new) = (before.page(DAYS, 0, 9999), after.page(DAYS, 0, 9999));
    let known: Vec<[Point; 2]> = new.rows.iter().filter(|row| **row != GAP).copied().collect();
    assert_eq!((known.len(), known), (60, rounded(&old.rows)));
    assert_eq!(after.clock(Time(0)), Time(DAYS.0), "what was before the boot has numbers");
}

#[test]
fn what_the_daemon_saw_itself_is_not_written_over_and_what_is_too_old_is_left_out() {
    let file = file(&household(3_600, false), 3_600);
    // The clock is wrong: it claims that the file is of this moment, though the daemon has run for an hour.
    let mut history = household(3_600, true);
    let own = history.page(HOURS, 0, 999).rows;
    history.clear_recalled();
    let read = Archive::read(&file).expect("a file of ours");
    read.pieces.iter().for_each(|piece| piece.place(&mut history, Time(3_600 * SECOND), 0, true));
    assert_eq!(history.page(HOURS, 0, 999).rows, own);
    for (gap, hours, days) in [(3_000, true, true), (7_300, false, true), (3 * 86_400, false, false)] {
        let history = recalled(&file, 5, gap);
        let knows = |span| history.page(span, 0, 9999).rows.iter().any(|row| *row != GAP);
        assert_eq!((knows(HOURS), knows(DAYS)), (hours, days), "{gap}");
    }
    assert!(recalled(&file, 5, u64::MAX).page(DAYS, 0, 9999).rows.is_empty());
}

#[test]
fn other_classes_than_those_of_the_file_get_nothing_of_theirs() {
    let file = file(&household(600, true), 600);
    let mut history = History::new(Time(0));
    history.clear_recalled();
    let read = Archive::read(&file).expect("a file of ours");
    assert_eq!(read.pieces[0].classes, ["critical", "high", "normal", "low"]);
    read.pieces.iter().for_each(|piece| piece.place(&mut history, Time(0), 60, false));
    let page = history.page(HOURS, 0, 999);
    let known = |column| (0..page.rows.len()).filter_map(|row| page.cell(row, 1, column)).count();
    assert_eq!((known(SENT), known(CLASS)), (60, 0));
}

#[test]
fn a_file_that_is_broken_anywhere_is_refused_and_says_how() {
    let whole = file(&household(1_200, true), 1_200);
    for at in 0..whole.len() {
        let mut broken = whole.clone();
        broken[at] ^= 0x10;
        assert!(check(&broken).is_err(), "byte {at} of {}", whole.len());
        assert!(check(&whole[..at]).is_err(), "cut at {at}");
    }
    assert_eq!(check(b"weir history 2\nwhatever"), Err("of another version of weir"));
    assert_eq!(
        (check(b"\x7fELF"), check(b"weir history 1\n")),
        (Err("not what weir writes"), Err("damaged"))
    );
}

#[test]
fn no_file_with_a_right_checksum_stops_the_reader_or_is_read_in_part() {
    let whole = file(&household(1_200, false), 1_200);
    let mut random = 1;
    let mut refused = 0;
    for _ in 0..20_000 {
        let mut broken = whole.clone();
        for _ in 0..=next(&mut random, 3) {
            let at = PIECES + next(&mut random, (whole.len() - PIECES) as u64) as usize;
            broken[at] = next(&mut random, 256) as u8;
        }
        broken.truncate(whole.len() - next(&mut random, 2) as usize * next(&mut random, 300) as usize);
        match Archive::read(&broken) {
            None => refused += 1,
            Some(read) => {
                let mut history = History::new(Time(9 * SECOND));
                history.clear_recalled();
                read.pieces.iter().for_each(|piece| piece.place(&mut history, Time(9 * SECOND), 5, true));
            }
        }
    }
    assert!(refused > 10_000, "{refused}");
}

#[test]
fn two_days_of_a_household_are_a_third_of_their_points_and_no_file_is_larger_than_flash_can_bear() {
    let usual = file(&household(172_800, false), 172_800).len();
    // Both directions have 1440 and 720 points of 42 bytes.
    let raw = 2 * 2160 * size_of::<Point>();
    assert!(usual < raw / 3, "{usual} of {raw}");
    let noise = household(172_800, true);
    let one = file(&noise, 172_800).len();
    assert!(one < raw / 2, "{one} of {raw}");
    println!("{usual} bytes as usual, {one} when it is always busy, of {raw}");
    // Eight lines that are always busy: what does not fit is the fine points.
    let lines: Vec<Kept<'_>> = core::iter::repeat_n(("wan", &[][..], &noise), limits::WANS).collect();
    let packed = pack(&lines, Time(172_800 * SECOND)).expect("something");
    let all = seal(packed, WHEN).expect("a clock that is right");
    assert!(all.len() <= HISTORY_BYTES && all.len() > HISTORY_BYTES * 3 / 4, "{}", all.len());
    let read = Archive::read(&all).expect("a file of ours");
    let levels: Vec<usize> = read.pieces.iter().map(|piece| piece.level).collect();
    let fine = levels.iter().filter(|level| **level == 1).count();
    assert!(levels.is_sorted_by(|one, other| one >= other) && fine < levels.len() / 2, "{levels:?}");
}

#[test]
fn a_file_is_the_same_bytes_on_every_machine() {
    let mut history = History::new(Time(0));
    for second in 0..=240 {
        let mut row = [NONE; COLUMNS.len()];
        (row[0], row[SENT]) = (8_000_000, second * 1000);
        history.add(Time(second * SECOND), &mut [Some(row), None]);
    }
    let packed = pack(&[("wan", &names(&["a"]), &history)], Time(241 * SECOND)).expect("something");
    let file = seal(packed, WHEN).expect("a clock that is right");
    // The head, 1 May 2026, 21 columns, "wan", class "a", upload every two minutes, a second old, two points in 51 bytes.
    assert_eq!(file[..35], *b"weir history 1\n\0\0\0\0\x69\xf3\xed\x00\x15\x03wan\x01\x01a\x04\x01\x02\x33");
    assert_eq!(crc(b"123456789"), 0xcbf4_3926, "the check value of CRC-32/ISO-HDLC");
    assert_eq!(file[file.len() - 4..], crc(&file[..file.len() - 4]).to_be_bytes());
    assert_eq!(seal(Vec::new(), 86_400), None, "a clock that nobody has set");
}
