// SPDX-License-Identifier: Apache-2.0
//! What the daemon has said lately, numbered, for whoever comes later than the syslog's reader.

use super::Level;
use crate::limits::EVENTS;
use crate::scribe::{Scribe, Shape};
use crate::units::{Micros, Time};
use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Display;

/// The longest text that is kept.
const TEXT: usize = 400;

/// One thing that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    /// Its number; they begin at 1 and never come twice.
    number: u64,
    at: Time,
    level: Level,
    text: String,
}

/// The last things that were said.
#[derive(Debug, Default)]
pub struct Events {
    said: VecDeque<Said>,
    count: u64,
}

impl Level {
    /// As syslog has it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

impl Events {
    /// Takes note of what was said at `now`; what only a developer wants to know is not kept.
    pub(crate) fn add(&mut self, now: Time, level: Level, text: &dyn Display) {
        if level == Level::Debug {
            return;
        }
        if self.said.len() >= EVENTS {
            self.said.pop_front();
        }
        self.count += 1;
        let text: String = text.to_string().chars().take(TEXT).collect();
        self.said.push_back(Said { number: self.count, at: now, level, text });
    }

    /// The last ones, the oldest first: how long ago, how much each matters, and what.
    pub(super) fn last(&self, now: Time, count: usize) -> Vec<(Micros, String, String)> {
        let first = self.said.len().saturating_sub(count);
        let told = |said: &Said| (now - said.at, said.level.word().into(), said.text.clone());
        self.said.iter().skip(first).map(told).collect()
    }

    /// Those after number `since`, the oldest first, at most `limit` of them, and as many as there is room for. The page
    /// after it begins behind `next`.
    pub fn write(&self, now: Time, since: u64, limit: usize, out: &mut dyn Scribe) {
        let oldest = self.said.front().map_or(self.count, |said| said.number - 1);
        // Of an earlier daemon, so there is nothing to be left out.
        let since = if since > self.count { 0 } else { since };
        out.count("last", self.count);
        out.count("lost", oldest.saturating_sub(since));
        out.open("events", Shape::Array);
        let mut next = since;
        for said in self.said.iter().filter(|said| said.number > since).take(limit) {
            let mark = out.mark();
            out.table("", |out| {
                out.count("number", said.number);
                out.count("age_us", (now - said.at).0);
                out.text("level", &said.level.word());
                out.text("text", &said.text);
            });
            if !out.keep(mark) {
                break;
            }
            next = said.number;
        }
        out.close();
        out.count("next", next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;
    use alloc::format;

    fn written(events: &Events, since: u64, limit: usize) -> String {
        let mut text = String::new();
        let mut json = Json::new(&mut text);
        let scribe: &mut dyn Scribe = &mut json;
        scribe.table("", |out| events.write(Time(9_000_000), since, limit, out));
        json.end().expect("a String takes everything");
        text
    }

    #[test]
    fn a_reader_gets_what_is_new_to_it_and_knows_what_it_missed() {
        let mut events = Events::default();
        assert_eq!(written(&events, 0, 9), r#"{"last":0,"lost":0,"events":[],"next":0}"#);
        for n in 1..=EVENTS as u64 + 3 {
            events.add(Time(n), Level::Info, &format_args!("number {n}"));
            events.add(Time(n), Level::Debug, &"nobody keeps this");
        }
        let last = EVENTS + 3;
        let text = written(&events, 1, 1);
        assert_eq!(
            text,
            format!(
                r#"{{"last":{last},"lost":2,"events":[{{"number":4,"age_us":8999996,"level":"info","text":"number 4"}}],"next":4}}"#
            )
        );
        assert_eq!(
            written(&events, last as u64, 9),
            format!(r#"{{"last":{last},"lost":0,"events":[],"next":{last}}}"#)
        );
        assert!(written(&events, last as u64 + 1, 1).contains(r#""lost":3,"#), "the daemon is another one");
        assert_eq!(events.said.len(), EVENTS);
    }
}
