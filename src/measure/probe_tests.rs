// SPDX-License-Identifier: Apache-2.0
//! Reflectors of every kind, asked by a [`Prober`] every 50 ms.

use super::*;
use crate::classify::random::Random;
use alloc::vec::Vec;

const BEAT: Micros = Micros::ms(50);

/// What a reflector does.
#[derive(Clone, Copy)]
struct Far {
    /// Which of [`QUESTIONS`] it answers.
    kinds: [bool; 4],
    trip: u64,
    /// It gives at most one answer in this time.
    limit: u64,
    /// One probe of so many is lost; zero: none.
    loss: u64,
    /// One answer of so many takes 60 ms longer; zero: none.
    spikes: u64,
    free_at: u64,
    asked: u32,
    answered: u32,
}

const QUESTIONS: [Question; 4] = [Question::Echo, Question::Timestamp, Question::Tcp, Question::Dns];
const ALL: [bool; 4] = [true; 4];
const ICMP: [bool; 4] = [true, true, false, false];
const ECHO: [bool; 4] = [true, false, false, false];
const TCP: [bool; 4] = [false, false, true, false];
const DNS: [bool; 4] = [false, false, false, true];
const TCP_AND_DNS: [bool; 4] = [false, false, true, true];
const NONE: [bool; 4] = [false; 4];

fn far(kinds: [bool; 4]) -> Far {
    Far { kinds, trip: 20_000, limit: 0, loss: 0, spikes: 0, free_at: 0, asked: 0, answered: 0 }
}

struct Net {
    prober: Prober,
    now: Time,
    fars: Vec<Far>,
    random: Random,
    /// Answers under way: when, which.
    answers: Vec<(u64, u32)>,
    /// Whether the line carries anything.
    is_up: bool,
    heard: Vec<Sent>,
}

impl Net {
    fn new(fars: Vec<Far>) -> Self {
        let prober = Prober::new(fars.len() as u16);
        let random = Random::seeded(1);
        Self { prober, now: Time(1), fars, random, answers: Vec::new(), is_up: true, heard: Vec::new() }
    }

    fn run(&mut self, millis: u64) {
        for _ in 0..millis / 50 {
            self.now = self.now + BEAT;
            self.answers.sort_unstable();
            while let Some(&(at, id)) = self.answers.first().filter(|(at, _)| *at <= self.now.0) {
                self.answers.remove(0);
                self.heard.extend(self.prober.answered(Time(at), id));
            }
            let Some(sent) = self.prober.ask(self.now, Bytes(0)) else { continue };
            let far = &mut self.fars[usize::from(sent.reflector)];
            far.asked += 1;
            let kind = QUESTIONS.iter().position(|question| *question == sent.question).expect("one of them");
            let is_lost = far.loss > 0 && self.random.below(far.loss) == 0;
            if !self.is_up || !far.kinds[kind] || is_lost || self.now.0 < far.free_at {
                continue;
            }
            far.free_at = self.now.0 + far.limit;
            far.answered += 1;
            let spike = if far.spikes > 0 && self.random.below(far.spikes) == 0 { 60_000 } else { 0 };
            let noise = self.random.below(2_000);
            self.answers.push((self.now.0 + far.trip + noise + spike, sent.id));
        }
    }

    /// Runs and says how many were asked and answered of each.
    fn share(&mut self, millis: u64) -> Vec<(u32, u32)> {
        let before = self.fars.clone();
        self.run(millis);
        let pairs = self.fars.iter().zip(&before);
        pairs.map(|(now, then)| (now.asked - then.asked, now.answered - then.answered)).collect()
    }
}

#[test]
fn six_are_asked_in_turn_and_the_others_are_left_alone() {
    let mut net = Net::new(alloc::vec![far(ALL); 10]);
    let share = net.share(30_000);
    assert!(share[..6].iter().all(|(asked, answered)| *asked == 100 && asked == answered), "{share:?}");
    assert!(share[6..].iter().all(|(asked, _)| *asked == 0), "{share:?}");
    let counts = net.prober.counts();
    assert_eq!((counts.sent, counts.late, counts.duplicate, counts.unanswered), (600, 0, 0, 0));
    assert!(net.heard.iter().all(|sent| sent.question == Question::Timestamp));
}

#[test]
fn one_that_stops_is_replaced_within_five_seconds_and_tried_again_ever_more_rarely() {
    let mut net = Net::new(alloc::vec![far(ALL); 8]);
    net.run(20_000);
    net.fars[2].kinds = NONE;
    net.run(5_000);
    assert_eq!(net.prober.asked(2), None);
    assert!(net.prober.asked(6).is_some());
    // Another one stops: the seventh reflector is there, and the first one's turn comes only when it is rested.
    net.fars[3].kinds = NONE;
    let share = net.share(3_600_000);
    assert!(share[2].0 + share[3].0 < 300, "{share:?}");
    net.fars[2].kinds = ALL;
    net.fars[0].kinds = NONE;
    net.fars[1].kinds = NONE;
    net.run(3_700_000);
    assert!(net.prober.asked(2).is_some(), "it is well again");
}

#[test]
fn with_nobody_to_replace_it_a_dead_one_rests_all_the_same() {
    let mut fars = alloc::vec![far(ALL); 6];
    fars[4].kinds = NONE;
    let mut net = Net::new(fars);
    net.run(10_000);
    let share = net.share(600_000);
    assert!(share[4].0 < 100, "{share:?}");
    assert!(share[0].0 > 2_000, "{share:?}");
}

#[test]
fn each_is_asked_in_the_best_way_it_answers() {
    let mut net = Net::new([ALL, ICMP, ECHO, DNS, TCP, TCP_AND_DNS].map(far).to_vec());
    net.run(10_000);
    let ways: Vec<Question> = (0..6).map(|n| net.prober.asked(n).expect("asked")).collect();
    use Question::{Dns, Echo, Tcp, Timestamp};
    assert_eq!(ways, [Timestamp, Timestamp, Echo, Dns, Tcp, Tcp]);
    let share = net.share(600_000);
    let (asked, answered) = share.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    assert!(answered * 100 >= asked * 97, "trying better ways costs little: {share:?}");
}

#[test]
fn where_icmp_is_blocked_tcp_is_found_within_four_seconds_and_dns_within_six() {
    for (kinds, within, found) in
        [(TCP_AND_DNS, 4_000, Question::Tcp), (TCP, 4_000, Question::Tcp), (DNS, 6_000, Question::Dns)]
    {
        let mut net = Net::new(alloc::vec![far(kinds); 6]);
        net.run(within);
        assert!(!net.heard.is_empty(), "{found:?}");
        net.run(1_000);
        assert!(!net.prober.is_silent(net.now));
        let share = net.share(60_000);
        let (asked, answered) = share.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        assert!(answered * 100 >= asked * 95, "{share:?}");
        assert!(net.heard.iter().all(|sent| sent.question == found), "{found:?}");
        // The block is lifted: the best way is back after some minutes.
        net.fars.iter_mut().for_each(|far| far.kinds = ALL);
        net.run(300_000);
        assert!((0..6).all(|n| net.prober.asked(n) == Some(Question::Timestamp)));
    }
}

#[test]
fn one_that_answers_dns_alone_is_tried_by_tcp_now_and_then() {
    let mut net = Net::new(alloc::vec![far(DNS); 6]);
    net.run(10_000);
    assert!((0..6).all(|n| net.prober.asked(n) == Some(Question::Dns)));
    net.fars.iter_mut().for_each(|far| far.kinds = TCP_AND_DNS);
    net.run(300_000);
    assert!((0..6).all(|n| net.prober.asked(n) == Some(Question::Tcp)));
}

#[test]
fn connections_take_no_more_of_the_line_than_other_probes() {
    let bytes = |kinds, each: u32| {
        let mut net = Net::new(alloc::vec![far(kinds); 6]);
        net.run(10_000);
        let share = net.share(60_000);
        // Nobody is asked more often than by other probes, and all are.
        assert!(share.iter().all(|(asked, _)| (100..=300).contains(asked)), "{share:?}");
        share.iter().map(|(asked, _)| asked * each).sum::<u32>()
    };
    // Bytes sent for one over IPv4, on Ethernet: what the pace counts, and those of a SYN and a RST.
    let (echoes, connections) = (bytes(ECHO, 98), bytes(TCP, 74 + 54));
    assert!(connections <= echoes && connections * 10 >= echoes * 9, "{connections} and {echoes}");
}

#[test]
fn an_outage_is_nobodys_fault() {
    let mut net = Net::new(alloc::vec![far(ALL); 10]);
    net.run(20_000);
    net.is_up = false;
    net.run(3_500);
    assert!(net.prober.is_silent(net.now));
    assert!(net.prober.oldest(net.now).expect("all wait").at < net.now);
    net.run(26_500);
    let before: Vec<_> = (0..10).map(|n| net.prober.asked(n)).collect();
    net.is_up = true;
    net.run(1_000);
    assert!(!net.prober.is_silent(net.now));
    net.run(30_000);
    let after: Vec<_> = (0..10).map(|n| net.prober.asked(n)).collect();
    assert_eq!(before, after);
    assert_eq!(after.iter().flatten().filter(|question| **question == Question::Timestamp).count(), 6);
}

#[test]
fn one_that_limits_its_answers_is_asked_as_often_as_it_answers() {
    let mut fars = alloc::vec![far(ALL); 6];
    fars[1].limit = 1_000_000;
    let mut net = Net::new(fars);
    net.run(30_000);
    let share = net.share(60_000);
    let (asked, answered) = share[1];
    assert!((40..=60).contains(&asked) && answered + 2 >= asked, "{share:?}");
    assert!(share[0].0 >= 200, "the others are asked instead: {share:?}");
}

#[test]
fn where_all_limit_their_answers_more_are_asked_each_more_rarely() {
    let mut fars = alloc::vec![far(ALL); 12];
    for far in &mut fars {
        (far.limit, far.loss) = (1_000_000, 10);
    }
    let mut net = Net::new(fars);
    net.run(60_000);
    let heard = net.heard.len();
    let share = net.share(60_000);
    let (asked, answered) = share.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    assert!(answered * 100 >= asked * 80, "{share:?}");
    assert!(net.heard.len() - heard >= 400, "seven in a second: {}", net.heard.len() - heard);
}

#[test]
fn a_lossy_line_is_no_limit_and_nobody_is_replaced() {
    let mut fars = alloc::vec![far(ALL); 12];
    fars.iter_mut().for_each(|far| far.loss = 4);
    let mut net = Net::new(fars);
    net.run(120_000);
    let share = net.share(120_000);
    assert!(share[..6].iter().all(|(asked, _)| *asked > 380), "{share:?}");
}

#[test]
fn one_whose_answers_are_late_by_itself_is_replaced_and_a_queue_replaces_nobody() {
    let mut fars = alloc::vec![far(ALL); 8];
    fars[5].spikes = 3;
    let mut net = Net::new(fars);
    net.run(30_000);
    assert_eq!(net.prober.asked(5), None);
    assert!(net.prober.asked(6).is_some());
    // It comes at once and goes half as fast as time.
    for _ in 0..20 {
        for queue in (0..=500).rev().step_by(25) {
            net.fars.iter_mut().for_each(|far| far.trip = 20_000 + queue * 1000);
            net.run(if queue == 0 { 5_000 } else { 50 });
        }
    }
    assert_eq!((0..8).filter(|n| net.prober.asked(*n).is_some()).count(), 6);
    assert!([0, 1, 2, 3, 4, 6].iter().all(|n| net.prober.asked(*n).is_some()));
}

#[test]
fn the_second_of_the_same_answer_and_those_given_up_do_not_count() {
    let mut prober = Prober::new(2);
    let ms = |n| Time(0) + Micros::ms(n);
    let mut ask = |at| prober.ask(ms(at), Bytes(9)).expect("somebody").id;
    let ids = [ask(1000), ask(1100), ask(1200), ask(1300), ask(2300)];
    assert!(prober.answered(ms(1020), ids[0]).is_some());
    assert!(prober.answered(ms(1021), ids[0]).is_none());
    assert!(prober.answered(ms(2350), ids[4]).is_some());
    // A second after it another one was answered, so this one was lost.
    let _ = prober.ask(ms(2500), Bytes(9));
    assert!(prober.answered(ms(2501), ids[1]).is_none());
    assert!(prober.answered(ms(2501), 4711).is_none());
    let wanted = Counts { sent: 6, answered: 2, late: 2, duplicate: 1, unanswered: 3 };
    assert_eq!(prober.counts(), wanted);
}

#[test]
fn the_oldest_is_of_the_second_reflector_and_later_than_what_was_answered() {
    let mut prober = Prober::new(3);
    let ms = |n| Time(0) + Micros::ms(n);
    prober.ask(ms(1000), Bytes(0)).expect("somebody");
    assert_eq!(prober.oldest(ms(1010)), None, "it may be lost");
    let second = prober.ask(ms(1200), Bytes(0)).expect("somebody");
    assert_eq!(prober.oldest(ms(1210)), Some(second));
    let third = prober.ask(ms(1400), Bytes(0)).expect("somebody");
    prober.answered(ms(1410), second.id);
    assert_eq!(prober.oldest(ms(1410)), None, "the first was lost, so the third tells nothing by itself");
    let fourth = prober.ask(ms(1600), Bytes(0)).expect("somebody");
    assert_eq!(prober.oldest(ms(1610)), Some(fourth));
    assert_ne!(third.reflector, fourth.reflector);
    assert_eq!(prober.oldest(ms(9000)), None, "given up");
}

#[test]
fn what_was_under_way_when_a_reflector_went_to_rest_does_not_lengthen_it() {
    let mut candidate = Candidate { is_active: true, question: Question::Dns, ..FRESH };
    (0..24).for_each(|_| candidate.miss(Time(1), true, LOWER_MISSES, Question::Dns));
    assert_eq!((candidate.rests_until, candidate.rest), (Time(1) + FIRST_REST, Micros(2 * FIRST_REST.0)));
    let mut again = Candidate { is_active: true, question: Question::Dns, ..candidate };
    (0..24).for_each(|_| again.miss(Time(1), true, LOWER_MISSES, Question::Dns));
    assert_eq!(again.rest, Micros(4 * FIRST_REST.0));
}

#[test]
fn nobody_to_ask_is_no_probe() {
    assert_eq!(Prober::new(0).ask(Time(1), Bytes(0)), None);
    assert_eq!(Prober::new(1).ask(Time(1), Bytes(0)).map(|sent| sent.reflector), Some(0));
    let mut many = Net::new(alloc::vec![far(NONE); limits::REFLECTORS]);
    many.run(600_000);
    assert!(many.prober.is_silent(many.now));
}

#[test]
fn no_other_questions_are_asked_than_may_be() {
    for (questions, kinds, allowed) in [
        (Questions::Icmp, DNS, [Question::Echo, Question::Timestamp].as_slice()),
        (Questions::Icmp, TCP, &[Question::Echo, Question::Timestamp]),
        (Questions::Icmp, ECHO, &[Question::Echo, Question::Timestamp]),
        (Questions::Tcp, ALL, &[Question::Tcp]),
        (Questions::Tcp, ICMP, &[Question::Tcp]),
        (Questions::Tcp, DNS, &[Question::Tcp]),
        (Questions::Dns, ALL, &[Question::Dns]),
        (Questions::Dns, ICMP, &[Question::Dns]),
        (Questions::Dns, TCP, &[Question::Dns]),
    ] {
        let mut fars = alloc::vec![far(kinds); 4];
        // One that answers everything, so that it is not the line.
        fars.push(far(ALL));
        let mut net = Net::new(fars);
        net.prober = Prober::new(5).only(questions);
        for _ in 0..2000 {
            net.run(50);
            let sent = net.prober.flying.iter().filter(|sent| sent.fate != Fate::None);
            sent.for_each(|sent| assert!(allowed.contains(&sent.question), "{questions:?} {sent:?}"));
        }
        assert!(!net.heard.is_empty());
        let answers =
            QUESTIONS.iter().zip(kinds).any(|(question, answers)| answers && allowed.contains(question));
        assert_eq!(net.heard.iter().any(|sent| sent.reflector < 4), answers, "{questions:?} {kinds:?}");
        if !answers {
            let [asked, others] = [net.fars[4].asked, net.fars[..4].iter().map(|far| far.asked).sum()];
            assert!(asked > others, "those who do not answer rest: {others} against {asked}");
        }
    }
}
