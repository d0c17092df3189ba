// SPDX-License-Identifier: Apache-2.0
//! Recordings read back: `replay` lets a controller hear again what one heard on a router, `drive` lets it hear what
//! another program tells it.

use super::object::Object;
use super::pilot::{Action, Event, WayCounters};
use crate::control::{Bounds, Controller, Setup};
use crate::limits;
use crate::tape;
use crate::units::{Bytes, Micros, Rate, Time};
use std::io::{BufRead, Write};

/// One line of a recording.
#[derive(Clone, Debug, PartialEq)]
enum Line {
    Start(Setup),
    Event(Event),
    /// Rates that were set then.
    Rates([Option<Rate>; 2]),
    /// A probe that was sent then.
    Probe(u32),
    Other,
}

/// What a replay found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Replay {
    /// Lines read.
    pub lines: usize,
    /// How long it was.
    pub span: Micros,
    /// Answers heard.
    pub answers: usize,
    /// Rates set by the one that was recorded, and by this one.
    pub rates: [usize; 2],
    /// The mean difference of their upload rates, and of their download rates, each as a part of the recorded one.
    pub apart: [f64; 2],
}

/// Probes under way at once, in a recording.
const NUMBERS: usize = 256;

/// Tells a controller all of a recording; `each` hears what it says, as lines.
///
/// # Errors
/// What is wrong with the recording, with its line.
pub fn replay(input: impl BufRead, mut each: impl FnMut(&str)) -> Result<Replay, String> {
    let mut controller = Controller::new(&Setup::default());
    let (mut found, mut began) = (Replay::default(), None);
    let mut rates: [[Option<Rate>; 2]; 2] = [[None; 2]; 2];
    let (mut asked, mut numbers) = (None, [(0, 0); NUMBERS]);
    let (mut sums, mut samples) = ([0.0; 2], [0u32; 2]);
    for text in input.lines() {
        found.lines += 1;
        let (now, line) = text
            .map_err(|error| error.to_string())
            .and_then(|text| read(&text))
            .map_err(|error| format!("line {}: {error}", found.lines))?;
        found.span = now - *began.get_or_insert(now);
        let event = match line {
            Line::Start(setup) => {
                controller = Controller::new(&setup);
                Event::Start
            }
            Line::Event(event) => event,
            Line::Rates(set) => {
                found.rates[0] += 1;
                keep(&mut rates[0], set);
                continue;
            }
            // What was asked then is what this one asked at the same moment, by another number.
            Line::Probe(id) => {
                let own = asked.filter(|(at, _)| *at == now).map(|(_, own)| own);
                if let (Some(own), Some(place)) = (own, numbers.get_mut(id as usize % NUMBERS)) {
                    *place = (id, own);
                }
                continue;
            }
            Line::Other => continue,
        };
        let event = match event {
            Event::Answer { reflector, id, sent, received, one_way } => {
                let own = numbers.get(id as usize % NUMBERS).filter(|(then, _)| *then == id);
                let Some((_, own)) = own else { continue };
                Event::Answer { reflector, id: *own, sent, received, one_way }
            }
            other => other,
        };
        found.answers += usize::from(matches!(event, Event::Answer { .. }));
        controller.handle(now, event);
        while let Some(action) = controller.poll() {
            if let Action::Probe { id, .. } = action {
                asked = Some((now, id));
            }
            if let Action::SetRates { up, down } = action {
                found.rates[1] += 1;
                keep(&mut rates[1], [up, down]);
            }
            let mut out = String::new();
            tape::action(now, &action, &mut out).expect("a String takes everything");
            each(&out);
        }
        for way in 0..2 {
            if let (Some(then), Some(now)) = (rates[0][way], rates[1][way]) {
                let [then, now] = [then, now].map(|rate| rate.bits_per_sec() as f64);
                sums[way] += (then - now).abs() / then;
                samples[way] += 1;
            }
        }
    }
    found.apart = [0, 1].map(|way| sums[way] / f64::from(samples[way].max(1)));
    Ok(found)
}

fn keep(rates: &mut [Option<Rate>; 2], set: [Option<Rate>; 2]) {
    for (rate, set) in rates.iter_mut().zip(set) {
        *rate = set.or(*rate);
    }
}

/// A controller on two pipes: for each line in, one line out with all it says and when it wants to hear of the time:
/// `{"t":…,"deadline":…,"actions":[…]}`.
///
/// # Errors
/// What is wrong with a line, or with a pipe.
pub fn drive(input: impl BufRead, mut output: impl Write) -> Result<(), String> {
    let mut controller = Controller::new(&Setup::default());
    let mut order = Order::default();
    for (number, text) in (1u64..).zip(input.lines()) {
        let (now, line) = text
            .map_err(|error| error.to_string())
            .and_then(|text| read(&text))
            .and_then(|(now, line)| order.check(now, &line).map(|()| (now, line)))
            .map_err(|error| format!("line {number}: {error}"))?;
        match line {
            Line::Start(setup) => {
                controller = Controller::new(&setup);
                controller.handle(now, Event::Start);
            }
            Line::Event(event) => controller.handle(now, event),
            Line::Rates(_) | Line::Probe(_) | Line::Other => {}
        }
        let mut actions = Vec::new();
        while let Some(action) = controller.poll() {
            let mut out = String::new();
            tape::action(now, &action, &mut out).expect("a String takes everything");
            actions.push(out.trim_end().to_string());
        }
        let deadline = controller.deadline().map_or("null".into(), |at| at.0.to_string());
        writeln!(output, "{{\"t\":{},\"deadline\":{deadline},\"actions\":[{}]}}", now.0, actions.join(","))
            .and_then(|()| output.flush())
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// What another program must keep to; a daemon does by itself.
#[derive(Default)]
struct Order {
    has_started: bool,
    /// When the last line was.
    now: Time,
    /// When the counters were read last.
    counted: Time,
}

impl Order {
    fn check(&mut self, now: Time, line: &Line) -> Result<(), String> {
        let is_before = |key: &str, at: Time, than: &str, other: Time| {
            if at >= other { Ok(()) } else { Err(format!("'{key}' {} is before {than} {}", at.0, other.0)) }
        };
        is_before("t", now, "that of the line before,", self.now)?;
        self.now = now;
        match line {
            Line::Start(_) => (self.has_started, self.counted) = (true, Time(0)),
            Line::Event(_) if !self.has_started => return Err("nothing comes before a start".into()),
            Line::Event(Event::Counters { at, .. }) => {
                is_before("t", now, "'at'", *at)?;
                is_before("at", *at, "that of the counters before,", self.counted)?;
                self.counted = *at;
            }
            Line::Event(Event::Answer { sent, received, .. }) => {
                is_before("received", *received, "'sent'", *sent)?;
                is_before("t", now, "'received'", *received)?;
            }
            Line::Event(Event::Start | Event::Deadline) | Line::Rates(_) | Line::Probe(_) | Line::Other => {}
        }
        Ok(())
    }
}

/// Reads one line.
fn read(text: &str) -> Result<(Time, Line), String> {
    let object = Object::read(text)?;
    let now = Time(object.number("t")?);
    let line = match (object.word("event"), object.word("action")) {
        (Some("start"), None) => Line::Start(Setup {
            up: bounds(&object, "up")?,
            down: bounds(&object, "down")?,
            target: object.maybe("target")?.map(Micros),
            reflectors: at_most(&object, "reflectors", limits::REFLECTORS as u64)? as u16,
            ..Setup::default()
        }),
        (Some("counters"), None) => Line::Event(Event::Counters {
            at: object.given("at")?.map_or(now, Time),
            up: counters(&object, "up")?,
            down: counters(&object, "down")?,
        }),
        (Some("answer"), None) => Line::Event(Event::Answer {
            reflector: at_most(&object, "reflector", limits::REFLECTORS as u64 - 1)? as u16,
            id: at_most(&object, "id", u32::MAX.into())? as u32,
            sent: Time(object.number("sent")?),
            received: Time(object.number("received")?),
            one_way: match (object.given("out")?, object.given("back")?) {
                (None, None) => None,
                (Some(out), Some(back)) => Some((Micros(out), Micros(back))),
                _ => return Err("'out' and 'back' come together or not at all".into()),
            },
        }),
        (Some("deadline"), None) => Line::Event(Event::Deadline),
        (None, Some("rates")) => {
            Line::Rates([object.maybe("up")?, object.maybe("down")?].map(|bits| bits.map(Rate::bits)))
        }
        (None, Some("probe")) => Line::Probe(at_most(&object, "id", u32::MAX.into())? as u32),
        (None, Some("counters")) => Line::Other,
        (Some(_), Some(_)) => return Err("both an event and an action".into()),
        (Some(other), None) => return Err(format!("there is no event '{other}'")),
        (None, Some(other)) => return Err(format!("there is no action '{other}'")),
        (None, None) => return Err("neither an event nor an action".into()),
    };
    Ok((now, line))
}

fn at_most(object: &Object<'_>, key: &str, most: u64) -> Result<u64, String> {
    let number = object.number(key)?;
    if number > most { Err(format!("'{key}' is above {most}")) } else { Ok(number) }
}

fn bounds(object: &Object<'_>, key: &str) -> Result<Option<Bounds>, String> {
    let Some(rates) = object.array(key)? else { return Ok(None) };
    let [least, start, most] = rates.map(|bits| bits.map(Rate::bits));
    if least.zip(most).is_some_and(|(least, most)| least > most) {
        return Err(format!("'{key}': the least is above the most"));
    }
    Ok(Some(Bounds { least, start, most }))
}

fn counters(object: &Object<'_>, key: &str) -> Result<WayCounters, String> {
    let wrong = || format!("'{key}' must be an array of 6 whole numbers");
    match object.array(key)?.ok_or_else(wrong)? {
        [Some(released), Some(line), Some(backlog), Some(packets), Some(drops), Some(marks)] => {
            Ok(WayCounters {
                released: Bytes(released),
                line: Bytes(line),
                backlog: Bytes(backlog),
                packets: u32::try_from(packets).map_err(|_| format!("'{key}': {packets} packets wait"))?,
                drops,
                marks,
            })
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::event::Question;

    fn counters(n: u64) -> WayCounters {
        WayCounters {
            released: Bytes(n),
            line: Bytes(n + 1),
            backlog: Bytes(n + 2),
            packets: 3,
            drops: 4,
            marks: 5,
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let now = Time(1_234_567);
        let bounds = Bounds { least: None, start: Some(Rate::mbit(3)), most: Some(Rate::mbit(90)) };
        let setup = Setup {
            up: Some(bounds),
            down: None,
            target: Some(Micros(9000)),
            reflectors: 24,
            ..Setup::default()
        };
        let mut out = String::new();
        tape::start(now, &setup, &mut out).expect("written");
        assert_eq!(read(&out), Ok((now, Line::Start(setup))));
        let answer =
            |one_way| Event::Answer { reflector: 3, id: 9, sent: Time(1), received: Time(5), one_way };
        for event in [
            Event::Counters { at: Time(7), up: counters(10), down: counters(u64::MAX / 2) },
            answer(None),
            answer(Some((Micros(2), Micros(2)))),
            Event::Deadline,
        ] {
            let mut out = String::new();
            tape::event(now, &event, &mut out).expect("written");
            assert_eq!(read(&out), Ok((now, Line::Event(event))), "{out}");
        }
        let mut out = String::new();
        tape::action(now, &Action::SetRates { up: None, down: Some(Rate::mbit(7)) }, &mut out)
            .expect("written");
        assert_eq!(read(&out), Ok((now, Line::Rates([None, Some(Rate::mbit(7))]))));
        let mut out = String::new();
        let probe = Action::Probe { reflector: 1, id: 2, question: Question::Dns };
        tape::action(now, &probe, &mut out).expect("written");
        assert_eq!(read(&out), Ok((now, Line::Probe(2))));
    }

    #[test]
    fn what_is_no_line_is_named_with_its_number() {
        for (bad, why) in [
            ("", "'{' is missing at the end"),
            ("{\"t\":1}", "neither an event nor an action"),
            ("{\"event\":\"deadline\"}", "'t' is missing"),
            ("{\"t\":1,\"event\":\"sing\"}", "there is no event 'sing'"),
            ("{\"t\":1,\"event\":\"counters\",\"up\":[1,2]}", "'up' must be an array of 6"),
            ("{\"t\":1,\"event\":\"counters\",\"up\":null}", "'up' must be an array of 6 whole numbers"),
            (
                "{\"t\":0,\"event\":\"start\",\"up\":[9,null,8],\"down\":null,\"target\":null,\"reflectors\":6}",
                "'up': the least is above the most",
            ),
        ] {
            let text = format!("{{\"t\":0,\"event\":\"deadline\"}}\n{bad}\n");
            assert_eq!(replay(text.as_bytes(), |_| ()), Err(format!("line 2: {why}")));
        }
    }

    #[test]
    fn time_that_goes_back_and_other_odd_input_is_refused_with_its_line() {
        const START: &str = "{\"t\":5,\"event\":\"start\",\"up\":[null,null,null],\"down\":null,\"target\":null,\"reflectors\":6}\n";
        let counters = |t: u32, at: u32| {
            format!(
                "{{\"t\":{t},\"event\":\"counters\",\"at\":{at},\"up\":[0,0,0,0,0,0],\"down\":[0,0,0,0,0,0]}}\n"
            )
        };
        let answer =
            |rest: &str| format!("{START}{{\"t\":9,\"event\":\"answer\",\"reflector\":1,\"id\":7,{rest}}}\n");
        let deadline = "{\"t\":4,\"event\":\"deadline\"}\n";
        for (input, why) in [
            (format!("{START}{deadline}"), "line 2: 't' 4 is before that of the line before, 5"),
            (deadline.into(), "line 1: nothing comes before a start"),
            (format!("{START}{}", counters(6, 7)), "line 2: 't' 6 is before 'at' 7"),
            (
                format!("{START}{}{}", counters(6, 6), counters(8, 5)),
                "line 3: 'at' 5 is before that of the counters before, 6",
            ),
            (answer("\"sent\":8,\"received\":7"), "line 2: 'received' 7 is before 'sent' 8"),
            (answer("\"sent\":8,\"received\":12"), "line 2: 't' 9 is before 'received' 12"),
            (
                answer("\"sent\":8,\"received\":9,\"out\":1,\"back\":null"),
                "line 2: 'out' and 'back' come together or not at all",
            ),
            (START.replace('6', "65"), "line 1: 'reflectors' is above 24"),
            (
                START.replace("null,null,null", "1e6,null,null"),
                "line 1: 'up': 1e6 is not a whole number below 2^64",
            ),
            (START.replace("\"down\":null,", ""), "line 1: 'down' is missing"),
        ] {
            assert_eq!(drive(input.as_bytes(), Vec::new()), Err(why.into()), "{input}");
        }
        let error = drive(&b"\xff\n"[..], Vec::new()).expect_err("no text");
        assert!(error.starts_with("line 1: "), "{error}");
    }

    #[test]
    fn a_driven_controller_asks_for_what_it_needs_and_answers_each_line_with_one() {
        let start = "{\"t\":0,\"event\":\"start\",\"up\":[null,null,null],\"down\":null,\"target\":null,\"reflectors\":6}";
        let input = format!("{start}\n{{\"t\":1000000,\"event\":\"deadline\"}}\n");
        let mut out = Vec::new();
        drive(input.as_bytes(), &mut out).expect("driven");
        let out = String::from_utf8(out).expect("UTF-8");
        assert_eq!(out.lines().count(), 2, "{out}");
        assert!(out.contains("\"action\":\"counters\""), "{out}");
    }
}
