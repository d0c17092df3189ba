// SPDX-License-Identifier: Apache-2.0
//! What is otherwise for a while: by the clock on the wall, and by somebody else's word.

use super::*;
use crate::config::altered::Alteration;
use crate::config::read;
use crate::units::Permille;

const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// Friday, 28 March 2025, 0:00 in Berlin: the clock is changed on Sunday.
const FRIDAY: u64 = 1_743_116_400;

const WAN: &str = "config wan 'wan'\n option device 'eth0'\n option upload '5mbit'\n";
const NIGHT: &str =
    "config schedule 'night'\n option from '22:00'\n option to '06:00'\n option upload '2mbit'\n";

/// A machine that has begun with this file when the clock showed this.
fn begun(file: &str, clock: u64) -> Machine {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    (machine.clock, machine.zone) = (clock, BERLIN);
    machine.reload(file);
    machine
}

impl Machine {
    fn reload(&mut self, file: &str) -> &mut Self {
        self.file = Ok(read::load(file.as_bytes()).expect("a right file"));
        let is_first = self.daemon.config().is_none();
        self.tell(if is_first { Event::Start } else { Event::Reload })
    }

    fn seconds(&self) -> u64 {
        self.clock + self.now.0 / 1_000_000
    }

    /// Lets time pass until the clock shows this.
    fn until(&mut self, clock: u64) -> &mut Self {
        self.pass(Micros::secs(clock - self.seconds()));
        self
    }

    fn upload(&self) -> u64 {
        line_rate(self, "eth0").map_or(0, |rate| rate.bits_per_sec() / 1_000_000)
    }

    fn alter(&mut self, source: &str, alterations: Vec<Alteration>) -> &mut Self {
        self.daemon.alter(self.now, source, alterations);
        self.perform()
    }
}

fn upload(mbit: u32) -> Alteration {
    Alteration::Speed { line: None, way: Way::Up, rate: Rate::mbit(mbit) }
}

#[test]
fn a_night_begins_and_ends_on_the_minute_over_midnight_and_when_the_clock_is_changed() {
    let mut machine = begun(&format!("{WAN}{NIGHT}"), FRIDAY + 12 * HOUR);
    assert_eq!((machine.upload(), machine.applied), (5, 1));
    // What the wall shows at 22:00 and 6:00, in hours from Friday's 0:00: the night to Sunday has seven hours.
    for (hour, rate, applied) in [(22, 2, 2), (30, 5, 3), (46, 2, 4), (53, 5, 5), (69, 2, 6), (77, 5, 7)] {
        let before = machine.until(FRIDAY + hour * HOUR - 1).upload();
        assert_eq!(before, 7 - rate, "before hour {hour}");
        assert_eq!(machine.until(FRIDAY + hour * HOUR + 1).upload(), rate, "hour {hour}");
        assert_eq!(machine.applied, applied, "sent once at hour {hour}");
    }
    let said = |word: &str| machine.said.iter().filter(|text| text.contains(word)).count();
    assert_eq!(
        [said("schedule 'night' holds now: every day, 22:00 to 06:00: upload 2 Mbit/s"), said("is over")],
        [3, 3]
    );
    assert!(!machine.heard("putting them back"), "what a schedule changes is nobody's meddling");
    let minutes = (machine.now.0 / 60_000_000) as usize;
    assert!((minutes..minutes + 20).contains(&machine.clocks), "{} in {minutes} minutes", machine.clocks);
}

#[test]
fn a_start_within_the_hours_installs_once_what_holds_then() {
    let mut machine = begun(&format!("{WAN}{NIGHT}"), FRIDAY + 2 * HOUR);
    assert_eq!((machine.upload(), machine.applied), (2, 1));
    let [night] = &machine.daemon.schedules()[..] else { panic!("one") };
    assert_eq!((night.now.is_on, night.now.until), (true, Some(FRIDAY + 6 * HOUR)));
    assert!(night.text.starts_with("holds until fri 06:00; every day, "), "{}", night.text);
    let told = machine.ask("speeds");
    assert!(told.contains("alter 0 0 2000000 \n"), "{told}");
    let mut once = Machine::new(Daemon::once(Lacks::default()));
    (once.clock, once.zone) = (FRIDAY + 2 * HOUR, BERLIN);
    once.reload(&format!("{WAN}{NIGHT}"));
    assert_eq!((once.upload(), once.exit), (2, Some(0)));
    assert!(once.heard("while no 'weir daemon' runs nothing changes with the hour"));
}

#[test]
fn without_schedules_the_clock_is_read_with_the_file_and_never_again() {
    let mut machine = begun(WAN, FRIDAY);
    machine.until(FRIDAY + DAY);
    assert_eq!(machine.clocks, 1);
    let off = NIGHT.replace("'night'\n", "'night'\n option enabled '0'\n");
    machine.reload(&format!("{WAN}{off}")).until(FRIDAY + 2 * DAY);
    let all_off = format!("config globals 'g'\n option enabled '0'\n{WAN}{NIGHT}");
    machine.reload(&all_off).until(FRIDAY + 3 * DAY);
    assert_eq!((machine.clocks, machine.daemon.schedules()), (3, Vec::new()));
}

#[test]
fn a_clock_that_nobody_has_set_is_not_believed_and_one_that_is_set_is_noticed_within_a_minute() {
    let mut machine = begun(&format!("{WAN}{NIGHT}"), 23 * HOUR);
    machine.pass(Micros::secs(600));
    assert_eq!((machine.upload(), machine.applied), (5, 1));
    let said = machine.said.iter().filter(|text| text.contains("schedules wait")).count();
    assert_eq!(said, 1, "{:?}", machine.said);
    let [night] = &machine.daemon.schedules()[..] else { panic!("one") };
    assert!(!night.now.is_on && night.text.starts_with("waits until the clock is set"), "{}", night.text);
    // NTP.
    machine.clock = FRIDAY;
    machine.pass(Micros::secs(60));
    assert_eq!(machine.upload(), 2);
    // Somebody sets it by hand: forth into the day, back into the night, and to where it began.
    machine.clock = FRIDAY + 10 * HOUR;
    machine.pass(Micros::secs(60));
    assert_eq!(machine.upload(), 5);
    machine.clock = FRIDAY - 20 * DAY;
    machine.pass(Micros::secs(60));
    assert_eq!(machine.upload(), 2);
    machine.clock = 0;
    machine.pass(Micros::secs(60));
    assert_eq!(machine.upload(), 5);
}

#[test]
fn another_time_zone_is_noticed_within_a_minute_and_nonsense_is_utc_and_said() {
    // 5:30 in Berlin, 4:30 in London, and 13:30 in Tokyo.
    let mut machine = begun(&format!("{WAN}{NIGHT}"), FRIDAY + 5 * HOUR + HOUR / 2);
    assert_eq!(machine.upload(), 2);
    for (zone, rate) in [("JST-9", 5), ("GMT0BST,M3.5.0/1,M10.5.0", 2), ("<-07>7", 5), ("Moon", 2)] {
        machine.zone = zone;
        machine.pass(Micros::secs(61));
        assert_eq!(machine.upload(), rate, "{zone}");
    }
    machine.pass(Micros::secs(300));
    assert_eq!(machine.said.iter().filter(|text| text.contains("'Moon' is not understood")).count(), 1);
}

#[test]
fn a_reload_sends_nothing_where_nothing_differs_and_without_the_schedule_brings_back_the_files_speed() {
    let file = format!("{WAN}{NIGHT}");
    let mut machine = begun(&file, FRIDAY);
    assert_eq!((machine.upload(), machine.applied), (2, 1));
    let said = machine.said.len();
    machine.reload(&file);
    assert_eq!((machine.upload(), machine.applied, machine.said.len()), (2, 1, said));
    machine.reload(&file.replace("2mbit", "3mbit"));
    assert_eq!((machine.upload(), machine.applied), (3, 2), "the same hours, but another speed");
    machine.file = Err(Refusal::Unreadable("gone".into()));
    machine.tell(Event::Reload).until(FRIDAY + 6 * HOUR + 1);
    assert_eq!((machine.upload(), machine.applied), (5, 3), "the earlier file goes by its hours");
    machine.until(FRIDAY + 22 * HOUR + 1).reload(WAN);
    assert_eq!((machine.upload(), machine.ask("speeds").contains("alter ")), (5, false));
}

#[test]
fn of_two_schedules_at_once_the_later_in_the_file_counts() {
    let evening =
        "config schedule 'evening'\n option from '20:00'\n option to '23:00'\n option upload '3mbit'\n";
    let mut machine = begun(&format!("{WAN}{NIGHT}{evening}"), FRIDAY + 19 * HOUR);
    for (hour, rate) in [(19, 5), (20, 3), (22, 3), (23, 2)] {
        assert_eq!(machine.until(FRIDAY + hour * HOUR + 60).upload(), rate, "{hour}");
    }
}

#[test]
fn a_rule_that_a_schedule_names_holds_in_its_hours_alone_and_shares_are_others_meanwhile() {
    let file = format!(
        "{WAN}config rule 'mine'\n option class 'low'\n option remote_port '7'\n\
         config schedule 'work'\n option days 'fri'\n option from '08:00'\n option to '16:00'\n list rule 'mine'\n \
         option class 'low'\n option guarantee '1'\n option limit '10'\n"
    );
    let mut machine = begun(&file, FRIDAY + 7 * HOUR);
    let low = |machine: &Machine| {
        let config = machine.daemon.config().expect("one");
        let class = config.classes.iter().find(|class| class.name == "low").expect("it is there");
        (config.rules.iter().any(|rule| rule.name == "mine" && !rule.is_off), class.guarantee, class.limit)
    };
    let usual = (false, Permille::percent(5), Permille::ALL);
    assert_eq!(low(&machine), usual);
    let before = machine.tree.clone();
    machine.until(FRIDAY + 8 * HOUR + 1);
    assert_eq!(low(&machine), (true, Permille::percent(1), Permille::percent(10)));
    assert_ne!(machine.tree, before);
    machine.until(FRIDAY + 16 * HOUR + 1);
    assert_eq!((low(&machine), machine.tree.clone()), (usual, before));
}

#[test]
fn a_held_line_stays_held_and_then_has_the_speed_of_the_hour() {
    let mut machine = begun(&format!("{WAN}{NIGHT}"), FRIDAY + 21 * HOUR);
    machine.ask(&format!("rate wan 1000000 - {}", 3 * HOUR));
    machine.until(FRIDAY + 23 * HOUR);
    assert_eq!(machine.upload(), 1);
    machine.until(FRIDAY + 24 * HOUR + 2);
    assert_eq!(machine.upload(), 2);
}

#[test]
fn a_line_that_follows_itself_goes_on_over_hours_of_others_and_within_its_own_bound() {
    let wans = "config wan 'wan'\n option device 'eth0'\nconfig wan 'other'\n option device 'eth1'\n option upload '9mbit'\n";
    let night = NIGHT.replace("2mbit", "1mbit");
    for (of, goes_on) in [("other", true), ("wan", false)] {
        let file = format!("{wans}{night} option wan '{of}'\n");
        let mut machine = Machine::new(Daemon::new(Lacks::default()));
        machine.world.links.push(Link::ethernet(3, name("eth1")));
        machine.tree.devices.push(Device::system(name("eth1")));
        (machine.clock, machine.zone) = (FRIDAY + 21 * HOUR, BERLIN);
        machine.reload(&file);
        machine.until(FRIDAY + 22 * HOUR - 1);
        let place = |machine: &Machine| &raw const *machine.daemon.pilots()[0];
        let (before, began) = (place(&machine), line_rate(&machine, "eth0"));
        machine.until(FRIDAY + 22 * HOUR + 2);
        assert_eq!(place(&machine) == before, goes_on, "{of}");
        assert_eq!(machine.daemon.pilots().len(), 1);
        let rate = line_rate(&machine, "eth0");
        if goes_on {
            assert_eq!((rate, line_rate(&machine, "eth1")), (began, Some(Rate::mbit(1))));
        } else {
            assert!(rate <= Some(Rate::mbit(1)) && began > rate, "{rate:?} {began:?}");
            assert!(line_rate(&machine, "weir-wan").is_some(), "the other direction is steered on");
        }
    }
}

#[test]
fn somebody_elses_alterations_come_after_those_of_schedules_and_go_when_they_are_taken_back() {
    let mut machine = begun(&format!("{WAN}{NIGHT}"), FRIDAY + 21 * HOUR);
    let cap = |mbit| Alteration::Cap { line: Some("wan".into()), way: Way::Up, rate: Rate::mbit(mbit) };
    machine.alter("alarm", alloc::vec![cap(3)]);
    assert_eq!((machine.upload(), machine.applied), (3, 2));
    machine.alter("alarm", alloc::vec![cap(3)]);
    assert_eq!(machine.applied, 2, "the same again is nothing new");
    machine.until(FRIDAY + 22 * HOUR + 1);
    assert_eq!(machine.upload(), 2, "less than the cap");
    machine.alter("other", alloc::vec![upload(4)]);
    assert_eq!(machine.upload(), 4, "the last word");
    machine.reload(&format!("{WAN}{NIGHT}"));
    assert_eq!(machine.upload(), 4, "a reload does not end it");
    machine.alter("other", Vec::new()).until(FRIDAY + 30 * HOUR + 1);
    assert_eq!(machine.upload(), 3);
    let applied = machine.applied;
    machine.alter("alarm", Vec::new());
    assert_eq!((machine.upload(), machine.applied), (5, applied + 1));
}

#[test]
fn what_cannot_be_altered_is_left_out_and_said_once() {
    let mut machine = begun(WAN, FRIDAY);
    let gone = Alteration::Share { class: "gone".into(), guarantee: None, limit: Some(Permille::percent(5)) };
    machine.alter("alarm", alloc::vec![gone.clone(), upload(4)]);
    machine.alter("alarm", alloc::vec![gone, upload(3)]);
    assert_eq!((machine.upload(), machine.applied), (3, 3));
    let told = "left out for the time being: class gone: limit 5 %: there is no such class";
    assert_eq!(machine.said.iter().filter(|text| *text == told).count(), 1, "{:?}", machine.said);
}

#[test]
fn what_is_altered_while_something_is_under_way_waits_for_its_end() {
    let mut machine = begun(WAN, FRIDAY);
    machine.daemon.handle(machine.now, Event::Reload);
    machine.daemon.alter(machine.now, "alarm", alloc::vec![upload(4)]);
    machine.perform();
    assert_eq!((machine.upload(), machine.applied), (4, 2), "while the file was read");
    for action in [0, 1, 2] {
        let rate = 3 - action as u32;
        machine.daemon.alter(machine.now, "alarm", alloc::vec![upload(rate)]);
        for _ in 0..action {
            // A look, then a change.
            let answer = match machine.daemon.poll() {
                Some(Action::Observe) => {
                    Event::Observed(Observation { world: machine.world.clone(), tree: machine.tree.clone() })
                }
                Some(Action::Apply { .. }) => {
                    machine.tree = machine.daemon.plan().tree.clone();
                    Event::Applied
                }
                other => panic!("{other:?}"),
            };
            machine.daemon.handle(machine.now, answer);
        }
        machine.daemon.alter(machine.now, "alarm", alloc::vec![upload(7)]);
        machine.perform();
        assert_eq!(machine.upload(), 7, "after {action}");
        assert!(!machine.heard("does not keep what it accepted"), "{:?}", machine.said);
    }
}

#[test]
fn an_alteration_the_kernel_refuses_can_be_taken_back() {
    let mut machine = begun(WAN, FRIDAY);
    machine.refuses = Some(failure("no memory", None));
    machine.alter("alarm", alloc::vec![upload(4)]);
    assert_eq!((machine.upload(), machine.applied), (5, 1));
    machine.alter("alarm", Vec::new());
    machine.pass(Micros::secs(5));
    assert_eq!((machine.upload(), machine.applied), (5, 1));
    assert_eq!(machine.daemon.config(), machine.file.as_ref().ok().map(|(config, _)| config));
}

#[test]
fn after_a_stop_nothing_is_altered_any_more() {
    let mut machine = begun(&format!("{WAN}{NIGHT}"), FRIDAY + 21 * HOUR);
    machine.tell(Event::Stop { keep: false });
    assert_eq!((machine.exit, machine.tree.devices.len()), (Some(0), 0));
    machine.alter("alarm", alloc::vec![upload(4)]);
    let (seconds, zone) = (FRIDAY + 23 * HOUR, BERLIN.into());
    machine.tell(Event::Clock { seconds, zone });
    assert_eq!((machine.applied, machine.daemon.schedules()), (2, Vec::new()));
}
