// SPDX-License-Identifier: Apache-2.0
//! What the daemon keeps of its lines, and what it costs to know it.

use super::*;
use crate::config::Engine;
use crate::control::State;
use crate::measure::counters::{Count, Queue};
use crate::watch::history::{CLASS, COLUMNS};
use crate::watch::page::Page;

/// The counters of an upload that has sent this much in all, three quarters of it in the second class.
fn sent(bytes: u64) -> Sample {
    let mut queue = Queue { is_wire: true, drops: (bytes / 100_000) as u32, ..Queue::default() };
    queue.sent = Count { bytes, packets: bytes / 1000 };
    queue.classes[1].sent = (bytes / 4 * 3) as u32;
    Sample { queues: [Some(queue), None], received: None, is_whole: true }
}

impl Machine {
    /// Lets seconds pass in which so many bytes are sent each; gives how often the daemon woke.
    pub(super) fn send(&mut self, seconds: u64, each: u64) -> usize {
        let mut wakes = 0;
        let until = self.now + Micros::secs(seconds);
        while let Some(at) = self.daemon.deadline().filter(|at| *at <= until) {
            let before = self.sample.and_then(|sample| sample.queues[0]).map_or(0, |queue| queue.sent.bytes);
            self.sample = Some(sent(before + each * (at - self.now).0 / 1_000_000));
            self.wait();
            wakes += 1;
        }
        self.now = until;
        wakes
    }

    pub(super) fn page(&mut self, line: &str, seconds: u64) -> Page {
        let answer = self.ask(&format!("history {line} {seconds} 0"));
        let page = answer.strip_prefix("ok\n").and_then(Page::from_text);
        page.unwrap_or_else(|| panic!("{answer}"))
    }
}

/// What an upload's column says of the last points.
pub(super) fn last(page: &Page, name: &str, count: usize) -> Vec<Option<u64>> {
    let column = COLUMNS.iter().position(|column| column.0 == name).expect("a column");
    (page.rows.len() - count..page.rows.len()).map(|row| page.cell(row, 0, column)).collect()
}

/// About so much.
pub(super) fn is_near(value: Option<u64>, wanted: u64) -> bool {
    value.is_some_and(|value| value.abs_diff(wanted) <= wanted / 4096 + 8)
}

#[test]
fn a_line_with_a_fixed_speed_is_read_once_a_second_and_has_a_history() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.now = Time(5_300_000);
    machine.tell(Event::Start);
    let wakes = machine.send(60, 250_000);
    assert!((59..=60).contains(&wakes) && machine.samples == wakes, "{wakes} {}", machine.samples);
    let page = machine.page("wan", 300);
    assert_eq!((page.wan.as_str(), page.step, page.has), ("wan", Micros::secs(1), [true, false]));
    assert_eq!((page.last, page.next), (65, 55), "a page is of 50 points, and the first begins in second 5");
    let since = machine.ask("history - 300 55");
    let page = since.strip_prefix("ok\n").and_then(Page::from_text).expect("a page");
    assert_eq!(
        (page.rows.len(), page.next, &page.classes[..2]),
        (10, 65, &["critical".into(), "high".into()][..])
    );
    assert!(last(&page, "sent_bps", 4).into_iter().all(|bits| is_near(bits, 2_000_000)), "{page:?}");
    assert!(last(&page, "rate_bps", 4).into_iter().all(|bits| is_near(bits, 5_000_000)));
    assert!(is_near(page.cell(9, 0, CLASS + 1), 1_500_000) && page.cell(9, 0, CLASS) == Some(0));
    for name in ["wait_us", "capacity_bps", "state", "reason"] {
        assert_eq!(last(&page, name, 4), [None; 4], "{name}: nobody steers it");
    }
    let page = machine.page("wan", 7200);
    assert_eq!(last(&page, "drops", 2), [Some(25); 2]);
}

#[test]
fn a_line_that_is_steered_is_read_by_its_pilot_alone_and_one_that_is_held_is_read_on() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.file = Ok((steered(), Vec::new()));
    machine.tell(Event::Start);
    assert_eq!(machine.daemon.read_due(), None);
    machine.send(30, 0);
    let wakes = machine.send(20, 0);
    assert!(wakes <= 2 * 20, "{wakes} times in 20 s that nobody uses it");
    let page = machine.page("wan", 20);
    assert!(last(&page, "rate_bps", 9).iter().all(Option::is_some), "{page:?}");
    assert_eq!(last(&page, "state", 1), [Some(State::Idle as u64 + 1)]);
    machine.ask("rate wan 7000000 - 600");
    machine.samples = 0;
    let wakes = machine.send(20, 125_000);
    assert!((19..=21).contains(&wakes) && machine.samples == wakes, "{wakes} {}", machine.samples);
    let page = machine.page("wan", 20);
    assert!(last(&page, "rate_bps", 9).into_iter().all(|bits| is_near(bits, 7_000_000)), "{page:?}");
    assert!(last(&page, "sent_bps", 9).into_iter().all(|bits| is_near(bits, 1_000_000)));
    assert_eq!(last(&page, "state", 9), [None; 9]);
    machine.ask("release wan");
    machine.send(2, 0);
    assert_eq!(machine.daemon.read_due(), None);
}

#[test]
fn a_device_that_is_gone_leaves_a_gap_and_costs_nothing() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.tell(Event::Start);
    machine.send(20, 1000);
    machine.world.links.clear();
    machine.tree.devices.clear();
    machine.tell(Event::LinksChanged).pass(Micros::secs(1));
    assert_eq!(machine.daemon.deadline(), None);
    machine.pass(Micros::secs(19));
    let page = machine.page("wan", 300);
    assert_eq!((page.last, page.rows.len()), (40, 40));
    assert_eq!(last(&page, "rate_bps", 18), [None; 18]);
    machine.world = world();
    machine.tree = Tree { devices: alloc::vec![Device::system(name("eth0"))] };
    machine.tell(Event::LinksChanged);
    machine.send(10, 125_000);
    let page = machine.page("wan", 300);
    assert!(last(&page, "sent_bps", 8).into_iter().all(|bits| is_near(bits, 1_000_000)), "{page:?}");
    assert_eq!(page.cell(30, 0, 0), None, "the gap stays");
}

#[test]
fn a_reload_keeps_the_history_of_lines_that_stay_and_forgets_the_others() {
    let line = |name: &str, device: &str| Wan {
        device: DeviceName::new(device),
        upload: Some(Rate::mbit(5)),
        ..Wan::new(name)
    };
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.world.links.push(Link::ethernet(3, name("eth1")));
    machine.tree.devices.push(Device::system(name("eth1")));
    let both = Config { wans: alloc::vec![line("lte", "eth1"), line("wan", "eth0")], ..Config::default() };
    machine.file = Ok((both.clone(), Vec::new()));
    machine.tell(Event::Start);
    let wakes = machine.send(30, 250_000);
    assert!(wakes <= 31 && machine.samples == 2 * wakes, "both at once");
    assert_eq!((machine.page("lte", 300).rows.len(), machine.page("wan", 300).rows.len()), (30, 30));
    machine.file = Ok((Config { wans: alloc::vec![line("wan", "eth0")], ..both.clone() }, Vec::new()));
    machine.tell(Event::Reload);
    machine.send(10, 125_000);
    assert_eq!(machine.ask("history lte 300 0"), "error: there is no line 'lte'; there is: wan\n");
    let page = machine.page("wan", 300);
    assert!(last(&page, "sent_bps", 30)[..18].iter().all(|bits| is_near(*bits, 2_000_000)), "{page:?}");
    assert!(last(&page, "sent_bps", 8).into_iter().all(|bits| is_near(bits, 1_000_000)));
    // Another class at the place of one is not that one.
    let mut renamed = Config { wans: alloc::vec![line("wan", "eth0")], ..both };
    renamed.classes[1].name = "games".into();
    machine.file = Ok((renamed, Vec::new()));
    machine.tell(Event::Reload);
    let page = machine.page("wan", 300);
    assert_eq!((page.classes[1].as_str(), page.cell(20, 0, CLASS + 1)), ("games", None));
    assert!(page.cell(20, 0, 0).is_some());
}

#[test]
fn the_tins_of_a_cake_are_told_like_classes_whenever_the_whole_was_read() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    let mut config = config(20);
    config.wans[0].engine = Engine::Cake;
    machine.file = Ok((config, Vec::new()));
    machine.tell(Event::Start);
    let cake = |bytes: u64, is_whole| {
        let mut sample = sent(bytes);
        let queue = sample.queues[0].as_mut().expect("an upload");
        (queue.is_wire, sample.is_whole) = (false, is_whole);
        // The kernel counts the tin for bulk first; only a look at the whole shows tins.
        let waiting = if is_whole { bytes as u32 } else { 0 };
        queue.classes = Default::default();
        queue.classes[0].sent = waiting / 4;
        queue.classes[3].sent = waiting / 2;
        sample
    };
    for n in 1..=25 {
        let now = machine.now + Micros::ms(200);
        machine.now = now;
        machine
            .daemon
            .handle(now, Event::Sampled { line: 0, at: now, sample: cake(n * 100_000, n % 5 == 0) });
    }
    let page = machine.page("wan", 300);
    assert_eq!(page.classes, ["voice", "video", "besteffort", "bulk"]);
    let row = page.rows.len() - 1;
    for (class, wanted) in [(0, 2_000_000), (1, 0), (2, 0), (3, 1_000_000)] {
        let got = page.cell(row, 0, CLASS + class);
        assert!(is_near(got, wanted), "{class}: {got:?}");
    }
}

#[test]
fn what_is_lost_below_the_classes_is_read_once_a_second_however_often_a_line_is() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.tell(Event::Start);
    let mut whole = 0;
    for _ in 0..50 {
        machine.now = machine.now + Micros::ms(200);
        machine.daemon.now = machine.now;
        whole += usize::from(machine.daemon.looks_whole(0));
    }
    assert_eq!((whole, machine.daemon.looks_whole(1)), (10, false));
}

#[test]
fn what_is_no_line_no_time_and_no_number_is_refused() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    assert_eq!(machine.ask("history - 300 0"), "error: nothing is kept of a line '-'\n");
    machine.tell(Event::Start);
    machine.send(3, 0);
    assert_eq!(machine.ask("history lte 300 0"), "error: there is no line 'lte'; there is: wan\n");
    for request in ["history wan long 0", "history wan 300 -1"] {
        assert!(machine.ask(request).starts_with("error: no"), "{request}");
    }
    assert_eq!(machine.page("-", 300).wan, "wan");
    machine.tell(Event::Stop { keep: false });
    assert_eq!(machine.daemon.read_due(), None);
}

#[test]
fn what_a_line_did_is_kept_over_hours_that_begin_and_change_its_speed() {
    let file = "config wan 'wan'\n option device 'eth0'\n option upload '5mbit'\n\
                config schedule 'night'\n option from '22:00'\n option to '06:00'\n option upload '2mbit'\n";
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.file = Ok(crate::config::read::load(file.as_bytes()).expect("a right file"));
    // Shortly before 22:00 UTC.
    machine.clock = 1_743_112_800 - 20;
    machine.tell(Event::Start);
    machine.send(42, 100_000);
    let page = machine.page("wan", 300);
    let (rates, sent) = (last(&page, "rate_bps", 38), last(&page, "sent_bps", 38));
    assert!(is_near(rates[0], 5_000_000) && is_near(rates[37], 2_000_000), "{rates:?}");
    assert!(sent.iter().all(|bits| is_near(*bits, 800_000)), "no second is missing: {sent:?}");
}
