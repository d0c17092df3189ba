// SPDX-License-Identifier: Apache-2.0
//! The controller as a whole, on lines so simple that a sentence describes them; the simulator knows the others.

use super::*;
use crate::units::Rate;
use crate::units::{Bytes, Way as Direction};

/// A line on which nothing queues by itself: answers take 20 ms, and what a test says on top.
struct Line {
    controller: Controller,
    now: Time,
    up: WayCounters,
    down: WayCounters,
    flying: Vec<(Time, u16, u32, Time)>,
    wakes: u32,
    probes: u32,
    rates: [Option<Rate>; 2],
    answers: bool,
}

impl Line {
    fn new(setup: &Setup) -> Self {
        let mut line = Self {
            controller: Controller::new(setup),
            now: Time(5_000_000),
            up: WayCounters::default(),
            down: WayCounters::default(),
            flying: Vec::new(),
            wakes: 0,
            probes: 0,
            rates: [None; 2],
            answers: true,
        };
        line.tell(Event::Start, Micros(0));
        line
    }

    fn tell(&mut self, event: Event, wait: Micros) {
        self.controller.handle(self.now, event);
        while let Some(action) = self.controller.poll() {
            match action {
                Action::ReadCounters => {
                    let counters = Event::Counters { at: self.now, up: self.up, down: self.down };
                    self.controller.handle(self.now, counters);
                }
                Action::Probe { reflector, id, .. } => {
                    self.probes += 1;
                    if self.answers {
                        self.flying.push((self.now + Micros::ms(20) + wait, reflector, id, self.now));
                    }
                }
                Action::SetRates { up, down } => {
                    self.rates = [up.or(self.rates[0]), down.or(self.rates[1])];
                }
            }
        }
    }

    /// Lets `ms` pass, with uploads of `kbit` that fill the shaper if they can, and answers that wait for `wait`.
    fn pass(&mut self, ms: u64, kbit: u64, wait: Micros) {
        for _ in 0..ms {
            self.now = self.now + Micros::ms(1);
            let rate = self.rates[0].map_or(u64::MAX, |rate| rate.bits_per_sec() / 1000);
            self.up.released = Bytes(self.up.released.0 + kbit.min(rate) / 8);
            self.up.line = self.up.released;
            self.up.packets = if kbit > rate { 20 } else { 0 };
            while let Some(at) = self.flying.iter().position(|&(back, ..)| back <= self.now) {
                let (_, reflector, id, sent) = self.flying.remove(at);
                let trip = self.now - sent;
                let one_way = Some((Micros(trip.0 - 10_000), Micros::ms(10)));
                self.tell(Event::Answer { reflector, id, sent, received: self.now, one_way }, wait);
            }
            if self.controller.deadline().is_some_and(|at| at <= self.now) {
                self.wakes += 1;
                self.tell(Event::Deadline, wait);
            }
        }
    }

    fn rate(&self, way: Direction) -> u64 {
        self.controller.view(way).rate.bits_per_sec()
    }
}

#[test]
fn an_idle_line_lets_the_router_sleep_and_its_reflectors_too() {
    let mut line = Line::new(&Setup::default());
    line.pass(20_000, 0, Micros(0));
    (line.wakes, line.probes) = (0, 0);
    line.pass(60_000, 0, Micros(0));
    assert!(line.wakes <= 61, "{} times in a minute", line.wakes);
    assert!((5..=20).contains(&line.probes), "{} probes in a minute", line.probes);
    assert_eq!(line.controller.view(Direction::Up).state, State::Idle);
}

#[test]
fn traffic_on_an_idle_line_is_noticed_within_a_second_and_a_bit() {
    let mut line = Line::new(&Setup::default());
    line.pass(30_000, 0, Micros(0));
    line.pass(1_300, 200_000, Micros(0));
    assert_eq!(line.controller.view(Direction::Up).state, State::Loaded);
}

#[test]
fn an_unknown_line_that_carries_everything_is_used_within_seconds() {
    let mut line = Line::new(&Setup::default());
    line.pass(5_000, 100_000, Micros(0));
    assert!(line.rate(Direction::Up) >= 100_000_000, "{}", line.rate(Direction::Up));
}

#[test]
fn a_queue_cuts_the_way_it_stands_on_and_not_the_idle_one() {
    let setup = Setup::default().recall(Memory { up: Some(Rate::mbit(20)), down: Some(Rate::mbit(50)) });
    let mut line = Line::new(&setup);
    line.pass(3_000, 15_000, Micros(0));
    let before = line.rate(Direction::Up);
    line.pass(700, 100_000, Micros::ms(90));
    assert!(line.rate(Direction::Up) < before / 10 * 8, "{} of {before}", line.rate(Direction::Up));
    assert_eq!(line.rate(Direction::Down), 50_000_000);
}

#[test]
fn a_way_that_has_become_longer_is_not_cut_for_long() {
    let setup = Setup::default().recall(Memory { up: Some(Rate::mbit(20)), down: None });
    let mut line = Line::new(&setup);
    line.pass(10_000, 19_000, Micros(0));
    line.pass(8_000, 100_000, Micros::ms(80));
    let rate = line.rate(Direction::Up);
    assert!(rate > 15_000_000, "{rate} {:?}", line.controller.view(Direction::Up));
}

#[test]
fn what_is_configured_bounds_what_is_measured() {
    let bounds = |least, most| {
        Some(Bounds { least: Some(Rate::mbit(least)), most: Some(Rate::mbit(most)), start: None })
    };
    let mut line = Line::new(&Setup { up: bounds(4, 8), down: None, ..Setup::default() });
    line.pass(5_000, 100_000, Micros(0));
    assert_eq!((line.rate(Direction::Up), line.rates[1]), (8_000_000, None));
    for n in 0..40 {
        line.pass(100, 100_000, Micros::ms(60 + 40 * (n % 5)));
        assert!(line.rate(Direction::Up) >= 4_000_000);
    }
}

#[test]
fn while_nobody_answers_the_rate_is_held_and_the_state_says_so() {
    let setup = Setup::default().recall(Memory { up: Some(Rate::mbit(20)), down: None });
    let mut line = Line::new(&setup);
    line.pass(5_000, 100_000, Micros::ms(5));
    line.answers = false;
    line.pass(5_000, 100_000, Micros(0));
    let held = line.rate(Direction::Up);
    line.pass(20_000, 100_000, Micros(0));
    assert_eq!(line.rate(Direction::Up), held);
    let view = line.controller.view(Direction::Up);
    assert_eq!((view.state, view.reason), (State::Blind, Reason::Silent));
    line.answers = true;
    line.pass(5_000, 100_000, Micros(0));
    assert_eq!(line.controller.view(Direction::Up).state, State::Loaded);
}

#[test]
fn lost_time_and_counters_that_begin_anew_move_nothing() {
    let setup = Setup::default().recall(Memory { up: Some(Rate::mbit(20)), down: Some(Rate::mbit(50)) });
    let mut line = Line::new(&setup);
    line.pass(5_000, 15_000, Micros(0));
    let before = [Direction::Up, Direction::Down].map(|way| line.rate(way));
    line.now = line.now + Micros::secs(3600);
    line.flying.clear();
    line.pass(200, 15_000, Micros(0));
    (line.up, line.down) = (WayCounters::default(), WayCounters::default());
    line.pass(200, 15_000, Micros(0));
    assert_eq!([Direction::Up, Direction::Down].map(|way| line.rate(way)), before);
}

#[test]
fn what_was_learnt_outlives_the_controller() {
    let mut line = Line::new(&Setup::default());
    line.pass(4_000, 30_000, Micros(0));
    line.pass(1_000, 100_000, Micros::ms(40));
    let memory = line.controller.memory();
    let learnt = memory.up.expect("a queue was seen").bits_per_sec();
    let again = Line::new(&Setup::default().recall(memory));
    assert_eq!(again.rate(Direction::Up), learnt);
    assert_eq!(memory.down, None);
}
