// SPDX-License-Identifier: Apache-2.0
//! [`Peer`] in the place of the recorded callers and subscribers, the recorded answers played to it.

use super::*;
use crate::units::Micros;

/// A bus that answers from a recording where it can, numbers adapted, and by itself where the recorded client did not ask.
struct Bus {
    lines: Vec<Line>,
}

impl Bus {
    fn of(number: &str, name: &str) -> Self {
        Self { lines: connection(number, name) }
    }

    /// The answers to `asked`: those recorded after the first message of its kind, which is then used up.
    fn answers(&mut self, asked: &[u8]) -> Vec<Vec<u8>> {
        let [kind, seq] = [asked[1], asked[3]];
        let found = self
            .lines
            .iter()
            .position(|line| !line.is_from_bus && line.bytes[1] == kind && line.bytes[4..8] == asked[4..8]);
        let ok = |peer: u32| message(1, seq.into(), peer, &[(1, &[0; 4])]);
        let Some(found) = found else {
            return match kind {
                6 => vec![message(2, seq.into(), 0, &[(3, &EAR)]), ok(0)],
                8 => vec![ok(0)],
                5 if asked[4..8] == [0, 0, 0, 1] => vec![ok(1)],
                _ => Vec::new(),
            };
        };
        let recorded = self.lines.remove(found);
        let is_of_all = kind == 4 && recorded.bytes.len() == 12; // a lookup of everything
        if kind != 6 && kind != 8 && !is_of_all && recorded.bytes[4..8] != [0, 0, 0, 1] {
            assert_eq!(with_seq(asked, 0), with_seq(&recorded.bytes, 0), "asked as recorded");
        }
        let answers: Vec<usize> = (found..self.lines.len())
            .take_while(|n| self.lines[*n].is_from_bus)
            .filter(|n| seq_of(&self.lines[*n].bytes) == seq_of(&recorded.bytes))
            .collect();
        let bytes = answers.iter().map(|n| with_seq(&self.lines[*n].bytes, seq.into())).collect();
        for n in answers.into_iter().rev() {
            self.lines.remove(n);
        }
        bytes
    }

    fn greeting(&mut self) -> Vec<u8> {
        self.lines.remove(0).bytes
    }
}

/// A peer with the bus it talks to.
struct Talk {
    peer: Peer,
    inbox: Inbox,
    bus: Bus,
    /// What was heard, and what was asked that the recorded client did not.
    heard: Vec<String>,
    asked: Vec<Vec<u8>>,
}

impl Talk {
    fn begin(number: &str, name: &str, paths: &'static [&'static str]) -> Self {
        let (bus, inbox) = (Bus::of(number, name), Inbox::default());
        let mut talk =
            Self { peer: Peer::new(None, paths), inbox, bus, heard: Vec::new(), asked: Vec::new() };
        talk.peer.open(NOW);
        let greeting = talk.bus.greeting();
        talk.hear(&greeting);
        talk.go_on();
        talk
    }

    fn hear(&mut self, bytes: &[u8]) {
        let Self { peer, inbox, heard, .. } = self;
        give(peer, inbox, bytes, 1, |_, one| match one {
            Heard::Nothing => {}
            Heard::Told(n, what, fields) => heard.push(format!("Told {n} {what} {}", shown(fields))),
            Heard::Answer(ticket, fields) => heard.push(format!("Answer {} {}", ticket.0, shown(fields))),
            Heard::Done(ticket, status) => heard.push(format!("Done {} {}", ticket.0, status.0)),
            other => heard.push(format!("{other:?}")),
        })
        .expect("the real bus is understood");
    }

    /// Lets the bus answer until nothing more is asked.
    fn go_on(&mut self) {
        loop {
            let asked = written(&mut self.peer);
            if asked.is_empty() {
                return;
            }
            for one in asked {
                for answer in self.bus.answers(&one) {
                    self.hear(&answer);
                }
                self.asked.push(one);
            }
        }
    }

    /// Plays what the bus said by itself.
    fn hear_the_rest(&mut self) {
        for line in core::mem::take(&mut self.bus.lines) {
            if line.is_from_bus {
                self.hear(&line.bytes);
            }
        }
    }

    fn kinds(&self) -> Vec<u8> {
        self.asked.iter().map(|asked| asked[1]).collect()
    }
}

#[test]
fn a_neighbour_is_found_subscribed_to_and_heard() {
    let mut talk = Talk::begin("11", "c2", &["lab.c"]);
    assert_eq!(talk.heard, ["Here(0)"]);
    assert_eq!(talk.kinds(), [6, 5, 4, 8], "an ear, the news, a look, a subscription");
    talk.hear_the_rest();
    assert_eq!(talk.heard[1..], ["Told 0 poked level:3, why:'poked'"]);
    assert!(written(&mut talk.peer).is_empty(), "netifd's kind wants no answer");
}

#[test]
fn a_notification_that_wants_an_answer_gets_the_recorded_one() {
    let mut talk = Talk::begin("10", "c2", &["lab.demo"]);
    let wanted = talk.bus.lines.iter().find(|line| !line.is_from_bus).expect("an answer").bytes.clone();
    talk.hear_the_rest();
    assert_eq!(talk.heard, ["Here(0)", "Told 0 pinged n:7"]);
    assert_eq!(written(&mut talk.peer), [wanted]);
}

#[test]
fn a_neighbour_that_goes_is_gone_until_it_comes_again() {
    let mut talk = Talk::begin("12", "c2", &["lab.demo"]);
    talk.hear_the_rest();
    assert_eq!(talk.heard, ["Here(0)", "Gone(0)"]);
    assert_eq!(talk.peer.call(0, "echo", NOW, |_| {}), None);
}

#[test]
fn a_neighbour_that_was_not_there_is_found_when_it_comes() {
    let mut talk = Talk::begin("15", "c1", &["lab.demo"]);
    assert_eq!(
        talk.asked[1][12..],
        connection("15", "c1")[4].bytes[12..],
        "registered as the ubus tool does"
    );
    assert_eq!(talk.heard, [""; 0], "not there yet");
    talk.hear_the_rest();
    talk.go_on();
    assert_eq!(talk.heard, ["Here(0)"]);
    assert_eq!(talk.asked.last().expect("asked")[12..], hex("030000087834ffcb080000086616a02f"));
}

#[test]
fn a_lookup_hidden_by_rights_ends_well_without_data_and_finds_nothing() {
    let talk = Talk::begin("17", "c11", &["lab.c"]);
    assert_eq!(talk.heard, [""; 0]);
    assert_eq!(talk.kinds(), [6, 5, 4], "and nothing is subscribed to");
    let seen = Talk::begin("17", "c10", &["lab.demo"]);
    assert_eq!(seen.heard, ["Here(0)"]);
}

/// Calls as recorded, and says what came of it.
fn called(
    number: &str,
    name: &str,
    path: &'static [&'static str],
    method: &str,
    args: &[(&str, i64)],
) -> Vec<String> {
    let mut talk = Talk::begin(number, name, path);
    let ticket = talk.peer.call(0, method, NOW, |out| {
        for (name, value) in args {
            out.number(name, *value);
        }
    });
    assert!(ticket.is_some());
    talk.go_on();
    if talk.heard.len() == 1 {
        assert_eq!(talk.peer.expire(NOW + Micros::ms(9_999)), Ok(None));
        let expired = talk.peer.expire(NOW + Peer::PATIENCE);
        assert_eq!(expired, Ok(ticket.map(|ticket| Heard::Done(ticket, Status::TIMEOUT))));
        talk.heard.push("nothing came".into());
    }
    assert_eq!(talk.peer.due(), None);
    talk.heard.split_off(1)
}

#[test]
fn calls_end_as_the_recorded_ones_did() {
    const DEMO: &[&str] = &["lab.demo"];
    let none: &[(&str, i64)] = &[];
    for (number, name, method, args, wanted) in [
        ("07", "c2", "later", &[("ms", 300)][..], &["Answer 5 late:true", "Done 5 0"][..]),
        ("07", "c3", "multi", none, &["Answer 5 part:1", "Answer 5 part:2", "Done 5 0"]),
        ("08", "c3", "nope", none, &["Done 5 3"]),
        ("08", "c5", "fail", &[("code", 6)], &["Done 5 6"]),
        ("08", "c7", "later", &[("ms", 1500)], &["nothing came"]),
        ("12", "c4", "later", &[("ms", 5000)], &["Done 5 7"]),
        ("17", "c3", "echo", &[("i", 1)], &["Answer 5 i:1", "Done 5 0"]),
        ("17", "c4", "fail", &[("code", 0)], &["Done 5 6"]),
    ] {
        assert_eq!(called(number, name, DEMO, method, args), wanted, "recording {number}, {name}");
    }
}

#[test]
fn an_answer_too_large_to_keep_ends_the_call_and_the_stream_goes_on() {
    let mut talk = Talk::begin("16", "c2", &["lab.demo"]);
    let text = String::from_utf8(b"abcdefghijklmnopqrstuvwxyz0123".repeat(3400)).expect("text");
    assert_eq!(talk.peer.call(0, "echo", NOW, |out| out.text("s", &text)), None, "the question is as large");
    assert_eq!(written(&mut talk.peer), [[0; 0]; 0], "and nothing of it is sent");
    let ticket = talk.peer.call(0, "echo", NOW, |_| {}).expect("there is room");
    talk.peer.sent(usize::MAX);
    let answers: Vec<Line> = talk.bus.lines.drain(..).filter(|line| line.is_from_bus).collect();
    assert!(answers[0].bytes.len() > crate::limits::UBUS_KEPT);
    for line in answers {
        talk.hear(&with_seq(&line.bytes, ticket.0));
    }
    assert_eq!(talk.heard, ["Here(0)".into(), format!("Done {} 11", ticket.0)]);
    assert!(talk.inbox.capacity() <= 2 * crate::limits::UBUS_KEPT);
}

#[test]
fn calls_fail_when_the_connection_does_and_numbers_are_new_on_the_next() {
    let mut talk = Talk::begin("07", "c2", &["lab.demo"]);
    let ticket = talk.peer.call(0, "later", NOW, |_| {}).expect("there is room");
    talk.peer.close();
    assert_eq!(talk.peer.expire(NOW), Ok(Some(Heard::Done(ticket, Status::CONNECTION_FAILED))));
    assert_eq!((talk.peer.expire(NOW), talk.peer.due()), (Ok(None), None));
    assert_eq!(talk.peer.call(0, "later", NOW, |_| {}), None);
    talk.peer.open(NOW);
    talk.inbox = Inbox::default();
    talk.bus = Bus::of("12", "c4");
    talk.heard.clear();
    let greeting = talk.bus.greeting();
    talk.hear(&greeting);
    talk.go_on();
    assert_eq!(talk.heard, ["Here(0)"]);
    talk.peer.call(0, "later", NOW, |out| out.number("ms", 5000)).expect("there is room");
    talk.go_on(); // asked as recorded, which has another number than before
    assert_eq!(talk.heard.len(), 2);
}

#[test]
fn calls_that_are_never_answered_leave_room_for_what_the_connection_needs() {
    let mut talk = Talk::begin("07", "c2", &["lab.demo"]);
    let made = (0..100).filter(|_| talk.peer.call(0, "later", NOW, |_| {}).is_some()).count();
    assert_eq!(made, 5);
    talk.peer.sent(usize::MAX);
    talk.hear(&added(0x1234, "lab.demo"));
    assert_eq!(written(&mut talk.peer)[0][1], 8);
}
