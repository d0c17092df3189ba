// SPDX-License-Identifier: Apache-2.0
//! What the daemon watches, and what it says when a level is broken and kept again.

use super::*;
use crate::measure::counters::{Count, Queue};
use crate::units::Permille;

/// One second of an upload at 20 Mbit/s: bytes each class sends, and what waits in the first.
#[derive(Clone, Copy, Default)]
struct Second {
    sent: [u64; 4],
    waiting: u32,
    drops: u32,
    /// What its flows say, in microseconds.
    median: u32,
}

/// `critical` waits behind itself, or behind `low`.
const SELF: Second = Second { sent: [1_900_000, 0, 0, 100_000], waiting: 200_000, drops: 50, median: 0 };
const OTHERS: Second =
    Second { sent: [100_000, 0, 200_000, 2_000_000], waiting: 40_000, drops: 0, median: 0 };
const QUIET: Second = Second { sent: [10_000, 0, 20_000, 5_000], waiting: 0, drops: 0, median: 0 };

impl Machine {
    /// So many seconds like this one.
    fn live(&mut self, seconds: u64, second: Second) {
        for _ in 0..seconds {
            self.now = self.now + Micros::secs(1);
            let mut sample = self.sample.unwrap_or(Sample { is_whole: true, ..Sample::default() });
            let queue = sample.queues[0].get_or_insert(Queue { is_wire: true, ..Queue::default() });
            for (slot, sent) in queue.classes.iter_mut().zip(second.sent) {
                slot.sent = slot.sent.wrapping_add(sent as u32);
                slot.packets += (sent / 1000) as u32;
                slot.waiting = 0;
            }
            queue.classes[0].waiting = second.waiting;
            queue.classes[0].delay = second.median;
            queue.classes[0].drops += second.drops;
            let sent: u64 = second.sent.iter().sum();
            queue.sent = Count { bytes: queue.sent.bytes + sent, packets: queue.sent.packets + sent / 1000 };
            queue.backlog = Count { bytes: second.waiting.into(), packets: 1 };
            queue.drops += second.drops;
            self.sample = Some(sample);
            let (now, at) = (self.now, self.now);
            self.daemon.handle(now, Event::Sampled { line: 0, at, sample });
            self.perform();
        }
    }

    /// What it has said since it was last asked.
    fn said_since(&mut self) -> Vec<String> {
        core::mem::take(&mut self.said)
    }
}

fn machine() -> Machine {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.file = Ok((config(20), Vec::new()));
    machine.tell(Event::Start);
    machine.said_since();
    machine
}

#[test]
fn a_class_that_waits_too_long_is_one_alert_with_its_reason_and_its_end() {
    let mut machine = machine();
    machine.live(10, OTHERS);
    assert_eq!(machine.said_since(), Vec::<String>::new());
    machine.live(25, OTHERS);
    let said = machine.said_since();
    let [first] = said.as_slice() else { panic!("{said:?}") };
    // 40 kB at 0.8 Mbit/s are 400 ms.
    assert_eq!(
        first,
        "wan: upload latency of critical is 400 ms, > 50 ms for 10 s; class low takes 16 Mbit/s of 20 Mbit/s: give it a 'limit', or a threshold with action 'throttle'"
    );
    // By now it has had less than its guarantee for long, too: the same cause.
    assert_eq!((machine.daemon.alerts().len(), machine.daemon.alerts()[0].count()), (1, 2));
    machine.live(60, QUIET);
    assert_eq!(machine.said_since(), ["wan: critical latency: all is well again, after 54 s"]);
    assert_eq!(machine.daemon.alerts(), []);
}

#[test]
fn a_full_processor_comes_before_every_other_reason() {
    let mut machine = machine();
    machine.stat = "cpu  1 0 0 0 0 0 0 0\ncpu0 100 0 0 500 0 0 0 0\n".into();
    machine.live(5, SELF);
    machine.stat = "cpu  1 0 0 0 0 0 0 0\ncpu0 105 0 0 505 0 0 190 0\n".into();
    machine.live(10, SELF);
    let said = machine.said_since();
    assert!(said[0].contains("the processor was 95 % busy"), "{said:?}");
}

#[test]
fn what_the_file_no_longer_watches_is_over_and_what_it_watches_as_before_goes_on() {
    let mut machine = machine();
    machine.live(15, SELF);
    assert_eq!((machine.said_since().len(), machine.daemon.alerts().len()), (1, 1));
    let mut config = config(20);
    config.wans[0].ecn = false;
    machine.file = Ok((config.clone(), Vec::new()));
    machine.tell(Event::Reload);
    assert_eq!(machine.daemon.alerts().len(), 1);
    config.globals.levels = false;
    machine.file = Ok((config, Vec::new()));
    machine.tell(Event::Reload);
    assert_eq!(machine.daemon.alerts(), []);
    assert!(
        machine.said_since().contains(&"wan: critical latency: no longer watched, after 4 s".to_string())
    );
    machine.live(60, SELF);
    assert_eq!(machine.daemon.alerts(), []);
}

#[test]
fn with_its_device_an_alert_is_gone() {
    let mut machine = machine();
    machine.live(15, SELF);
    assert_eq!(machine.daemon.alerts().len(), 1);
    machine.world.links.clear();
    machine.tree = Tree::default();
    machine.tell(Event::LinksChanged);
    machine.pass(Micros::secs(1));
    assert_eq!(machine.daemon.alerts(), []);
}

#[test]
fn a_threshold_of_the_file_is_judged_by_its_own_numbers() {
    let mut machine = machine();
    let file = "config globals 'globals'\n option levels '0'\nconfig wan 'wan'\n option device 'eth0'\n\
        option upload '20mbit'\nconfig threshold 'losses'\n option metric 'loss'\n option class 'critical'\n\
        option value '20'\n option for '2s'\n option severity 'error'\n";
    let (config, _) = crate::config::read::load(file.as_bytes()).expect("no fault");
    assert_eq!(config.thresholds[0].value, u64::from(Permille::percent(20).0));
    machine.file = Ok((config, Vec::new()));
    machine.tell(Event::Reload);
    machine.said_since();
    machine.live(5, SELF);
    assert_eq!(machine.said_since(), Vec::<String>::new(), "50 of 1950 are no fifth");
    machine.live(5, Second { drops: 800, ..SELF });
    let said = machine.said_since();
    assert!(said[0].starts_with("wan: upload loss of critical is 29.7 %, > 20 % for 2 s; "), "{said:?}");
}

const THROTTLED: &str = "config globals 'globals'\n option levels '0'\nconfig wan 'wan'\n option device 'eth0'\n\
    option upload '20mbit'\nconfig threshold 'calls'\n option metric 'latency'\n option class 'critical'\n\
    option value '50'\n option for '3s'\n option action 'throttle'\n option action_class 'low'\n\
    option action_share '3'\n option action_time '60s'\n";

/// What `low` may have of the line, as the kernel has it.
fn limit_of_low(machine: &Machine) -> Rate {
    let device = machine.tree.device(&name("eth0")).expect("it is shaped");
    let low = device.classes.iter().find(|class| class.handle.minor() == 0x40).expect("a class");
    low.ceil
}

fn throttling() -> Machine {
    let mut machine = machine();
    let (config, _) = crate::config::read::load(THROTTLED.as_bytes()).expect("no fault");
    machine.file = Ok((config, Vec::new()));
    machine.tell(Event::Reload);
    assert_eq!(limit_of_low(&machine), Rate::mbit(20));
    machine.said_since();
    machine.live(6, OTHERS);
    assert_eq!(limit_of_low(&machine), Rate::kbit(600));
    let said = machine.said_since();
    assert!(said[1].starts_with("wan: class low is held to 3 % for 1 min at most, for 'calls'"), "{said:?}");
    machine
}

#[test]
fn a_class_is_throttled_like_by_a_reload_and_let_go_when_nothing_presses() {
    let mut machine = throttling();
    let facts = machine.daemon.facts(machine.now);
    assert_eq!((facts.len(), facts[0].is_alert(), facts[1].is_alert()), (2, true, false));
    assert!(machine.ask("speeds").contains("\naction\t"));
    // The same file again changes nothing of it.
    let applied = machine.applied;
    machine.tell(Event::Reload);
    assert_eq!((machine.applied, limit_of_low(&machine)), (applied, Rate::kbit(600)));
    machine.daemon.want(Wanted { all: false, seldom: true });
    machine.live(10, QUIET);
    assert_eq!((limit_of_low(&machine), machine.applied), (Rate::mbit(20), applied + 1));
    let said = machine.said_since();
    assert!(
        said.contains(&"wan: no longer so: class low is held to 3 %, for 'calls'".to_string()),
        "{said:?}"
    );
    // Who heard of the beginning on the bus hears of the end as well.
    let is_undone =
        |news: &News| matches!(news, News::Undone(text) if text.contains("no longer so: class low"));
    assert_eq!(machine.news.iter().filter(|news| is_undone(news)).count(), 1, "{:?}", machine.news);
    assert_eq!(machine.daemon.facts(machine.now), []);
}

#[test]
fn what_is_done_ends_with_its_time_with_its_threshold_at_release_and_with_its_line() {
    let mut machine = throttling();
    machine.live(70, OTHERS);
    assert_eq!(
        (limit_of_low(&machine), machine.daemon.alerts().len()),
        (Rate::mbit(20), 1),
        "its time is over"
    );
    let mut machine = throttling();
    assert!(machine.ask("release -").contains("what thresholds did is undone"));
    assert_eq!(limit_of_low(&machine), Rate::mbit(20));
    let mut machine = throttling();
    machine.file = Ok((config(20), Vec::new()));
    machine.tell(Event::Reload);
    assert_eq!(limit_of_low(&machine), Rate::mbit(20));
    let mut machine = throttling();
    machine.world.links.clear();
    machine.tree = Tree::default();
    machine.tell(Event::LinksChanged);
    machine.pass(Micros::secs(1));
    assert_eq!(machine.daemon.facts(machine.now), []);
    machine.world = world();
    machine.tell(Event::LinksChanged);
    machine.pass(Micros::secs(1));
    assert_eq!(limit_of_low(&machine), Rate::mbit(20));
}

#[test]
fn it_tells_how_long_the_packets_of_each_class_wait_while_some_come_and_it_looks() {
    let mut machine = machine();
    machine.live(2, OTHERS);
    let delays = |machine: &Machine, later: u64| {
        let told = machine.daemon.told(machine.now + Micros::secs(later));
        let rows = told.delays.into_iter();
        rows.map(|row| (row.name, row.way, row.time.0)).collect::<Vec<_>>()
    };
    let row = |name: &str, time| (name.to_string(), Way::Up, time);
    // 40 kB at 0.8 Mbit/s; nothing came for `high`.
    assert_eq!(delays(&machine, 0), [row("critical", 400_000), row("normal", 0), row("low", 0)]);
    assert!(machine.ask("speeds").contains("\ndelay 0 0 400000 critical\n"));
    assert_eq!(delays(&machine, 4), [], "nobody has looked since");
    machine.live(1, Second { sent: [0; 4], ..QUIET });
    assert_eq!(delays(&machine, 0), []);
}

#[test]
fn of_a_cake_it_tells_how_long_the_packets_of_each_tin_wait_and_of_all() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    let mut config = config(20);
    config.wans[0].engine = crate::config::Engine::Cake;
    machine.file = Ok((config, Vec::new()));
    machine.tell(Event::Start);
    // The kernel counts the tin for bulk first.
    machine.sample = Some(Sample { is_whole: true, ..Sample::default() });
    machine.sample.as_mut().expect("one").queues[0] = Some(Queue::default());
    let delays = |machine: &Machine| {
        let told = machine.daemon.told(machine.now).delays;
        told.into_iter().map(|row| (row.name, row.time.0)).collect::<Vec<_>>()
    };
    machine.live(2, Second { sent: [10_000, 0, 0, 20_000], waiting: 250, drops: 0, median: 700 });
    // All of it by what waits and left, both with their frames.
    let wanted = [("voice", 0), ("bulk", 700), ("all", 8_919)].map(|(name, time)| (name.to_string(), time));
    assert_eq!(delays(&machine), wanted);
    // Nothing is known of the time since then.
    machine.now = machine.now + Micros::secs(10);
    machine.live(1, QUIET);
    assert_eq!(delays(&machine), []);
    assert_eq!(machine.daemon.moment(machine.now).lines[0].ways[0].all.sent, 0);
}

#[test]
fn flows_are_asked_while_a_guess_comes_near_a_level_and_what_they_say_is_what_counts() {
    let mut machine = machine();
    machine.live(2, QUIET);
    assert_eq!(machine.daemon.doubts(0), [0; 2]);
    machine.live(1, OTHERS);
    assert_eq!(machine.daemon.doubts(0), [1, 0], "400 ms of the 50 that critical may wait");
    // A flood that waits for itself: half of the flows wait for 30 ms.
    machine.live(12, Second { median: 30_000, ..OTHERS });
    assert_eq!((machine.said_since(), machine.daemon.doubts(0)), (Vec::new(), [1, 0]));
    assert!(machine.ask("speeds").contains("\ndelay 0 0 30000 critical\n"), "{}", machine.ask("speeds"));
    machine.live(12, Second { median: 900_000, ..OTHERS });
    let said = machine.said_since();
    assert!(said.iter().any(|text| text.contains("latency of critical is 900 ms, > 50 ms")), "{said:?}");
    machine.live(20, QUIET);
    assert_eq!(machine.daemon.doubts(0), [0; 2], "all is well, and nobody is asked");
}

#[test]
fn who_listens_hears_all_of_an_alert_when_it_begins_and_when_it_is_over() {
    use crate::json::Json;
    use crate::scribe::Scribe;
    let mut machine = machine();
    machine.daemon.want(Wanted { all: false, seldom: true });
    machine.live(15, OTHERS);
    machine.live(60, QUIET);
    let told: Vec<String> = machine
        .news
        .iter()
        .map(|news| {
            let mut text = String::new();
            let mut json = Json::new(&mut text);
            let scribe: &mut dyn Scribe = &mut json;
            scribe.table("", |out| news.write(&machine.daemon, out));
            json.end().expect("a String takes everything");
            format!("{} {text}", news.kind())
        })
        .collect();
    let [begun, over] = told.as_slice() else { panic!("{told:?}") };
    let fields = r#","wan":"wan","direction":"upload","class":"critical","level":"critical latency","metric":"latency","severity":"warning","cause":"other-class","text":"upload latency of critical is 400 ms, > 50 ms for 10 s","advice":"class low takes "#;
    assert!(
        begun.starts_with(r#"alert {"level":"warning","text":"wan: upload latency of critical is 400 ms, "#)
    );
    let numbers = r#""cleared":false,"alert":{"id":1,"levels":1,"since_us":0"#;
    assert!(begun.contains(&format!("{numbers}{fields}")), "{begun}");
    assert!(over.starts_with(r#"alert {"level":"info","text":"wan: critical latency: all is well again, "#));
    assert!(
        over.contains(r#""cleared":true,"alert":{"id":1,"levels":0,"since_us":"#) && over.contains(fields),
        "{over}"
    );
}
