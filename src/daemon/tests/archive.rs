// SPDX-License-Identifier: Apache-2.0
//! Histories that outlive the daemon: when they are written, and what the next one makes of them.

use super::history::{is_near, last};
use super::*;
use crate::watch::history::CLASS;
use crate::watch::page::Page;

/// 1 May 2026.
const MAY: u64 = 1_777_593_600;

/// A daemon whose file says that histories are kept, and whose clock shows this.
fn keeping(clock: u64) -> Machine {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    let mut config = config(5);
    config.globals.keep_history = Micros::secs(6 * 3600);
    machine.file = Ok((config, Vec::new()));
    machine.clock = clock;
    machine
}

/// The next daemon, in another boot, that finds the file of the one before.
fn after(before: &Machine, clock: u64) -> Machine {
    let mut machine = keeping(clock);
    machine.archive = before.archive.clone();
    machine.now = Time(30_000_000);
    machine.tell(Event::Start);
    machine
}

/// One that has run for a while and was told to end.
fn over(seconds: u64) -> Machine {
    let mut machine = keeping(MAY);
    machine.tell(Event::Start);
    machine.send(seconds, 250_000);
    machine.tell(Event::Stop { keep: false });
    assert_eq!((machine.written, machine.exit), (1, Some(0)));
    machine
}

/// What was sent in each point of the last seconds.
fn sent_of(machine: &mut Machine, seconds: u64) -> Vec<Option<u64>> {
    let (mut all, mut since) = (Vec::new(), 0);
    loop {
        let answer = machine.ask(&format!("history wan {seconds} {since}"));
        let page = answer.strip_prefix("ok\n").and_then(Page::from_text).expect("a page");
        assert_eq!(page.now.0 / page.step.0, page.last, "the newest point has just ended");
        all.extend(last(&page, "sent_bps", page.rows.len()));
        since = page.next;
        if page.next == page.last {
            return all;
        }
    }
}

/// What is about as it was before it was rounded for the file.
fn is_like(value: Option<u64>, wanted: u64) -> bool {
    value.is_some_and(|value| value.abs_diff(wanted) <= wanted / 100)
}

#[test]
fn what_a_line_did_before_a_reboot_is_there_again_with_a_gap_for_the_time_between() {
    let before = over(1200);
    // It began again ten minutes after it ended.
    let mut machine = after(&before, MAY + 1200 + 600 - 30);
    assert!(machine.heard("what 1 line did until 10 min ago is there again"), "{:?}", machine.said);
    machine.send(100, 125_000);
    let known = sent_of(&mut machine, 7200);
    let known = &known[known.len() - 190..];
    let (old, gap, new) = (&known[..120], &known[120..181], &known[181..]);
    assert!(old.iter().all(|bits| is_like(*bits, 2_000_000)), "{known:?}");
    assert!(
        gap[..60].iter().all(Option::is_none) && new.iter().all(|bits| is_near(*bits, 1_000_000)),
        "{known:?}"
    );
    let page = machine.page("wan", 2 * 86_400);
    assert!(page.rows.len() > 15 && is_like(last(&page, "sent_bps", 15)[0], 2_000_000), "{page:?}");
    assert_eq!(page.classes[1], "high");
    assert!(is_like(page.cell(page.rows.len() - 15, 0, CLASS + 1), 1_500_000), "the classes are the same");
}

#[test]
fn nothing_is_recalled_while_the_clock_is_not_set_and_all_of_it_once_it_is() {
    let before = over(1200);
    let mut machine = after(&before, 0);
    assert!(machine.heard("waits for that") && !machine.heard("is there again"), "{:?}", machine.said);
    machine.send(130, 125_000);
    let page = machine.page("wan", 2 * 86_400);
    assert!(page.rows.len() <= 2, "{page:?}");
    assert_eq!(machine.said.iter().filter(|text| text.contains("waits for that")).count(), 1);
    machine.clock = MAY + 1200 + 3600;
    machine.send(60, 125_000);
    assert!(machine.heard("is there again"), "{:?}", machine.said);
    let sent = sent_of(&mut machine, 2 * 86_400);
    // Twenty minutes, an hour of nothing but what this daemon saw at the end of it.
    let known: Vec<bool> = sent.iter().map(Option::is_some).collect();
    assert_eq!(known.iter().filter(|known| **known).count(), 10 + 1, "{known:?}");
    assert!(!known[known.len() - 20] && known[known.len() - 1], "{known:?}");
    // Without a clock that is right nothing is written either: what is there is better.
    let mut machine = after(&before, 0);
    machine.send(600, 125_000);
    machine.tell(Event::Stop { keep: true });
    assert_eq!((machine.written, &machine.archive, machine.exit), (0, &before.archive, Some(0)));
}

#[test]
fn what_was_recalled_moves_when_the_clock_is_set_in_the_first_hour() {
    let before = over(1200);
    // As OpenWrt does without a battery: the clock goes on where the newest file was written.
    let mut machine = after(&before, MAY + 1200);
    machine.send(90, 125_000);
    let newest = |sent: &[Option<u64>]| {
        let at = sent.iter().rposition(|bits| is_like(*bits, 2_000_000)).expect("recalled");
        sent.len() - at
    };
    let sent = sent_of(&mut machine, 2 * 86_400);
    assert!(newest(&sent) <= 3, "{sent:?}");
    machine.clock += 7200;
    machine.send(61, 125_000);
    let sent = sent_of(&mut machine, 2 * 86_400);
    assert!((60..=63).contains(&newest(&sent)), "two hours ago: {sent:?}");
    assert_eq!(sent.iter().flatten().count(), 10 + 1, "each once");
    // A clock that is corrected by a second is no other one, and after an hour nobody looks at it any more.
    let (said, clocks) = (machine.said.len(), machine.clocks);
    machine.clock += 1;
    machine.send(3600, 125_000);
    assert_eq!(machine.said.len(), said);
    assert!((55..=62).contains(&(machine.clocks - clocks)), "{}", machine.clocks - clocks);
    let clocks = machine.clocks;
    machine.send(600, 125_000);
    assert_eq!(machine.clocks, clocks);
}

#[test]
fn it_is_written_as_often_as_the_option_allows_and_not_by_reloads_or_by_beginning_again_and_again() {
    let mut machine = keeping(MAY);
    machine.tell(Event::Start);
    for _ in 0..24 {
        machine.send(1800, 1000);
        machine.tell(Event::Reload);
    }
    assert_eq!(machine.written, 2, "in twelve hours, with a reload every half an hour");
    let sent = sent_of(&mut machine, 2 * 86_400);
    assert!(sent.len() == 360 && sent.iter().all(Option::is_some), "no reload loses anything of it");
    assert!(!machine.heard("is there again"), "and none recalls anything");
    machine.tell(Event::Stop { keep: true });
    assert_eq!(machine.written, 2, "it was written a moment ago");
    let mut next = after(&machine, MAY + 12 * 3600 - 20);
    next.send(30, 1000);
    next.tell(Event::Stop { keep: true });
    assert_eq!(next.written, 0, "nor by the next one, which began a moment ago");
    let mut next = after(&machine, MAY + 12 * 3600 - 20);
    next.send(300, 1000);
    next.tell(Event::Stop { keep: true });
    assert_eq!(next.written, 1);
}

#[test]
fn without_the_option_nothing_is_read_or_written_and_what_is_broken_is_said_and_left_alone() {
    let before = over(600);
    let mut machine = keeping(MAY + 700);
    machine.file = Ok((config(5), Vec::new()));
    machine.archive = before.archive.clone();
    machine.tell(Event::Start);
    machine.send(7 * 3600, 1000);
    assert_eq!(machine.page("wan", 2 * 86_400).last, 210, "it began with its boot");
    machine.tell(Event::Stop { keep: true });
    assert_eq!((machine.written, machine.clocks), (0, 1));

    let mut machine = keeping(MAY);
    machine.tell(Event::Start);
    machine.tell(Event::Recalled { file: Err("/etc/weir/history: damaged".into()), seconds: MAY });
    assert!(machine.heard("/etc/weir/history: damaged; histories begin anew"), "{:?}", machine.said);
    machine.archive = b"weir history 1\nnonsense".to_vec();
    machine.tell(Event::Recalled { file: Ok(machine.archive.clone()), seconds: MAY });
    assert!(machine.heard("makes no sense"), "{:?}", machine.said);
    machine.send(30, 250_000);
    assert!(machine.page("wan", 300).rows.len() >= 29, "it goes on without");
}

#[test]
fn a_line_that_is_not_there_yet_has_its_history_and_one_the_file_no_longer_names_has_none() {
    let before = over(600);
    let mut machine = keeping(MAY + 600 + 30);
    machine.archive = before.archive.clone();
    machine.world.links.clear();
    machine.tree.devices.clear();
    machine.tell(Event::Start);
    let page = machine.page("wan", 7200);
    assert!(is_like(page.cell(page.rows.len() - 10, 0, crate::watch::history::SENT), 2_000_000), "{page:?}");
    let mut machine = keeping(MAY + 600 + 30);
    machine.archive = before.archive.clone();
    if let Ok((config, _)) = &mut machine.file {
        config.wans[0].name = "lte".into();
    }
    machine.tell(Event::Start);
    machine.send(5, 0);
    assert!(machine.page("lte", 2 * 86_400).rows.is_empty());
    assert_eq!(machine.ask("history wan 300 0"), "error: there is no line 'wan'; there is: lte\n");
}
