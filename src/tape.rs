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
use crate::scribe::Scribe;
use crate::units::{Rate, Time};
use core::fmt::{self, Write};

/// What stands in a line besides the time and what it is about.
type Rest<'a> = &'a dyn Fn(&mut dyn Scribe);

/// Writes what a controller begins with, in place of [`Event::Start`].
///
/// # Errors
/// The writer's.
pub fn start(now: Time, setup: &Setup, out: &mut dyn Write) -> fmt::Result {
    line(now, "event", "start", out, &|json| {
        for (key, bounds) in [("up", setup.up), ("down", setup.down)] {
            match bounds {
                None => json.null(key),
                Some(Bounds { least, start, most }) => json.counts(key, &[least, start, most].map(bits)),
            }
        }
        json.maybe_count("target", setup.target.map(|target| target.0));
        json.count("reflectors", setup.reflectors.into());
    })
}

/// Writes what a controller is told; a start is [`start`]'s.
///
/// # Errors
/// The writer's.
pub fn event(now: Time, event: &Event, out: &mut dyn Write) -> fmt::Result {
    let (what, rest): (_, Rest<'_>) = match event {
        Event::Start => return Ok(()),
        Event::Counters { at, up, down } => ("counters", &move |json| {
            json.count("at", at.0);
            for (key, way) in [("up", up), ("down", down)] {
                let WayCounters { released, line, backlog, packets, drops, marks } = *way;
                let numbers = [released.0, line.0, backlog.0, packets.into(), drops, marks];
                json.counts(key, &numbers.map(Some));
            }
        }),
        Event::Answer { reflector, id, sent, received, one_way } => ("answer", &move |json| {
            json.count("reflector", (*reflector).into());
            json.count("id", (*id).into());
            json.count("sent", sent.0);
            json.count("received", received.0);
            json.maybe_count("out", one_way.map(|(out, _)| out.0));
            json.maybe_count("back", one_way.map(|(_, back)| back.0));
        }),
        Event::Deadline => ("deadline", &|_| {}),
    };
    line(now, "event", what, out, rest)
}

/// Writes what a controller says.
///
/// # Errors
/// The writer's.
pub fn action(now: Time, action: &Action, out: &mut dyn Write) -> fmt::Result {
    let (what, rest): (_, Rest<'_>) = match action {
        Action::ReadCounters => ("counters", &|_| {}),
        Action::Probe { reflector, id, question } => ("probe", &move |json| {
            json.count("reflector", (*reflector).into());
            json.count("id", (*id).into());
            json.text("question", &word(*question));
        }),
        Action::SetRates { up, down } => ("rates", &move |json| {
            json.maybe_count("up", bits(*up));
            json.maybe_count("down", bits(*down));
        }),
    };
    line(now, "action", what, out, rest)
}

fn line(now: Time, key: &str, what: &str, out: &mut dyn Write, rest: Rest<'_>) -> fmt::Result {
    let mut json = Json::new(out);
    let scribe: &mut dyn Scribe = &mut json;
    scribe.table("", |json| {
        json.count("t", now.0);
        json.text(key, &what);
        rest(json);
    });
    json.end()?;
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
