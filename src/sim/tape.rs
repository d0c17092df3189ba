// SPDX-License-Identifier: Apache-2.0
//! Recordings read back: `replay` lets a controller hear again what one heard on a router, `drive` lets it hear what
//! another program tells it.

use super::pilot::{Action, Event, WayCounters};
use crate::control::{Bounds, Controller, Setup};
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
        let text = text.map_err(|error| error.to_string())?;
        found.lines += 1;
        let (now, line) =
            read(&text).ok_or_else(|| format!("line {}: not understood: {text}", found.lines))?;
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
    for (number, text) in (1..).zip(input.lines()) {
        let text = text.map_err(|error| error.to_string())?;
        let (now, line) = read(&text).ok_or_else(|| format!("line {number}: not understood: {text}"))?;
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

/// Reads one line; these have no nested objects, so that a value is what follows its key.
fn read(text: &str) -> Option<(Time, Line)> {
    let now = Time(number(text, "t")?);
    let line = match (word(text, "event"), word(text, "action")) {
        (Some("start"), _) => Line::Start(Setup {
            up: bounds(text, "up"),
            down: bounds(text, "down"),
            target: number(text, "target").map(Micros),
            reflectors: u16::try_from(number(text, "reflectors")?).ok()?,
            ..Setup::default()
        }),
        (Some("counters"), _) => Line::Event(Event::Counters {
            at: number(text, "at").map_or(now, Time),
            up: counters(text, "up")?,
            down: counters(text, "down")?,
        }),
        (Some("answer"), _) => Line::Event(Event::Answer {
            reflector: u16::try_from(number(text, "reflector")?).ok()?,
            id: u32::try_from(number(text, "id")?).ok()?,
            sent: Time(number(text, "sent")?),
            received: Time(number(text, "received")?),
            one_way: number(text, "out").map(Micros).zip(number(text, "back").map(Micros)),
        }),
        (Some("deadline"), _) => Line::Event(Event::Deadline),
        (None, Some("rates")) => Line::Rates(["up", "down"].map(|key| number(text, key).map(Rate::bits))),
        (None, Some("probe")) => Line::Probe(u32::try_from(number(text, "id")?).ok()?),
        (None, Some("counters")) => Line::Other,
        _ => return None,
    };
    Some((now, line))
}

/// What follows `"key":`.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("\"{key}\":"))?;
    Some(rest.trim_start())
}

fn number(text: &str, key: &str) -> Option<u64> {
    let rest = value(text, key)?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn word<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    value(text, key)?.strip_prefix('"')?.split('"').next()
}

fn array<'a>(text: &'a str, key: &str) -> Option<impl Iterator<Item = Option<u64>> + use<'a>> {
    let inside = value(text, key)?.strip_prefix('[')?.split(']').next()?;
    Some(inside.split(',').map(|number| number.trim().parse().ok()))
}

fn bounds(text: &str, key: &str) -> Option<Bounds> {
    let mut rates = array(text, key)?.map(|bits| bits.map(Rate::bits));
    Some(Bounds { least: rates.next()?, start: rates.next()?, most: rates.next()? })
}

fn counters(text: &str, key: &str) -> Option<WayCounters> {
    let mut numbers = array(text, key)?;
    let mut next = || numbers.next().flatten();
    Some(WayCounters {
        released: Bytes(next()?),
        line: Bytes(next()?),
        backlog: Bytes(next()?),
        packets: u32::try_from(next()?).ok()?,
        drops: next()?,
        marks: next()?,
    })
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
        assert_eq!(read(&out), Some((now, Line::Start(setup))));
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
            assert_eq!(read(&out), Some((now, Line::Event(event))), "{out}");
        }
        let mut out = String::new();
        tape::action(now, &Action::SetRates { up: None, down: Some(Rate::mbit(7)) }, &mut out)
            .expect("written");
        assert_eq!(read(&out), Some((now, Line::Rates([None, Some(Rate::mbit(7))]))));
        let mut out = String::new();
        let probe = Action::Probe { reflector: 1, id: 2, question: Question::Dns };
        tape::action(now, &probe, &mut out).expect("written");
        assert_eq!(read(&out), Some((now, Line::Probe(2))));
    }

    #[test]
    fn what_is_no_line_is_named_with_its_number() {
        for bad in [
            "",
            "{}",
            "{\"t\":1}",
            "{\"t\":1,\"event\":\"sing\"}",
            "{\"t\":1,\"event\":\"counters\",\"up\":[1,2]}",
        ] {
            let text = format!("{{\"t\":0,\"event\":\"deadline\"}}\n{bad}\n");
            let error = replay(text.as_bytes(), |_| ()).expect_err("not understood");
            assert!(error.starts_with("line 2: not understood"), "{error}");
        }
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
