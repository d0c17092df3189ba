// SPDX-License-Identifier: Apache-2.0
//! What a controller was told and what it said, a line of JSON each: `weir record` writes it, `weir-sim replay` and
//! `drive` read it.
//!
//! ```text
//! {"t":0,"event":"start","up":[null,3000000,null],"down":null,"target":null,"reflectors":6}
//! {"t":5,"event":"counters","at":5,"up":[released,line,backlog,packets,drops,marks],"down":[…]}
//! {"t":9,"event":"answer","reflector":1,"id":7,"sent":1,"received":9,"out":4,"back":4}
//! {"t":50000,"event":"deadline"}
//! {"t":50000,"action":"counters"}
//! {"t":50000,"action":"probe","reflector":1,"id":8,"question":"echo"}
//! {"t":50000,"action":"rates","up":3100000,"down":null}
//! ```
//!
//! Times are microseconds since some moment, rates bits per second, counters bytes and packets since the start; bounds
//! are least, start, most. `out` and `back` are `null` where the reflector does not tell the time.

use crate::control::event::Question;
use crate::control::{Action, Bounds, Event, Setup, WayCounters};
use crate::json::Json;
use crate::units::{Rate, Time};
use core::fmt::{self, Write};

/// Writes what a controller begins with, in place of [`Event::Start`].
///
/// # Errors
/// The writer's.
pub fn start(now: Time, setup: &Setup, out: &mut impl Write) -> fmt::Result {
    line(now, "event", "start", out, |json| {
        for (key, bounds) in [("up", setup.up), ("down", setup.down)] {
            match bounds {
                None => json.plain(key, "null")?,
                Some(Bounds { least, start, most }) => json.array(key, |json| {
                    [least, start, most].into_iter().try_for_each(|rate| json.maybe("", bits(rate)))
                })?,
            }
        }
        json.maybe("target", setup.target.map(|target| target.0))?;
        json.plain("reflectors", setup.reflectors)
    })
}

/// Writes what a controller is told; a start is [`start`]'s.
///
/// # Errors
/// The writer's.
pub fn event(now: Time, event: &Event, out: &mut impl Write) -> fmt::Result {
    match event {
        Event::Start => Ok(()),
        Event::Counters { at, up, down } => line(now, "event", "counters", out, |json| {
            json.plain("at", at.0)?;
            for (key, way) in [("up", up), ("down", down)] {
                let WayCounters { released, line, backlog, packets, drops, marks } = *way;
                let numbers = [released.0, line.0, backlog.0, packets.into(), drops, marks];
                json.array(key, |json| numbers.iter().try_for_each(|number| json.plain("", number)))?;
            }
            Ok(())
        }),
        Event::Answer { reflector, id, sent, received, one_way } => {
            line(now, "event", "answer", out, |json| {
                json.plain("reflector", reflector)?;
                json.plain("id", id)?;
                json.plain("sent", sent.0)?;
                json.plain("received", received.0)?;
                json.maybe("out", one_way.map(|(out, _)| out.0))?;
                json.maybe("back", one_way.map(|(_, back)| back.0))
            })
        }
        Event::Deadline => line(now, "event", "deadline", out, |_| Ok(())),
    }
}

/// Writes what a controller says.
///
/// # Errors
/// The writer's.
pub fn action(now: Time, action: &Action, out: &mut impl Write) -> fmt::Result {
    match action {
        Action::ReadCounters => line(now, "action", "counters", out, |_| Ok(())),
        Action::Probe { reflector, id, question } => line(now, "action", "probe", out, |json| {
            json.plain("reflector", reflector)?;
            json.plain("id", id)?;
            json.text("question", word(*question))
        }),
        Action::SetRates { up, down } => line(now, "action", "rates", out, |json| {
            json.maybe("up", bits(*up))?;
            json.maybe("down", bits(*down))
        }),
    }
}

fn line<W: Write>(
    now: Time,
    key: &str,
    what: &str,
    out: &mut W,
    rest: impl FnOnce(&mut Json<'_, W>) -> fmt::Result,
) -> fmt::Result {
    Json::new(out).object("", |json| {
        json.plain("t", now.0)?;
        json.text(key, what)?;
        rest(json)
    })?;
    out.write_char('\n')
}

fn bits(rate: Option<Rate>) -> Option<u64> {
    rate.map(Rate::bits_per_sec)
}

const fn word(question: Question) -> &'static str {
    match question {
        Question::Echo => "echo",
        Question::Timestamp => "timestamp",
        Question::Tcp => "tcp",
        Question::Dns => "dns",
    }
}
