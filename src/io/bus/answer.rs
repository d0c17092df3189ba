// SPDX-License-Identifier: Apache-2.0
//! What weir's object answers: `docs/ubus.md` for people, and a schema for the largest of the documents.
//!
//! Whatever is asked, the answer is bounded: lists come in pages, and what does not fit is refused as a whole.

use super::super::log;
use super::super::netlink::observe::dump;
use super::super::netlink::socket::Connection;
use super::super::run::{Places, read_with};
use crate::classify::flow;
use crate::config::{LogLevel, Severity, value};
use crate::daemon::{Daemon, Event};
use crate::door::{self, Reading, Refusal};
use crate::report::{LineReport, Seen, Snapshot, planned, ruled, snapshot};
use crate::scribe::Scribe;
use crate::tc::explain::explain;
use crate::text::joined;
use crate::ubus::{Fields, Status, Writer};
use crate::units::{Micros, Time};

/// The most of a list that is sent at once, and what is sent unless told otherwise.
const PAGE: usize = 64;

/// What answers are made from.
pub struct Room<'a> {
    /// The time.
    pub now: Time,
    /// Who decides.
    pub daemon: &'a mut Daemon,
    /// The kernel.
    pub connection: &'a mut Connection,
    /// Where the configuration is.
    pub places: &'a Places,
}

/// Writes an answer.
pub(super) type Document<'a> = Box<dyn FnOnce(&mut Writer<'_>) + 'a>;

/// Why there is none: for the bus, and in words.
type Refused = (Status, String);

/// Answers a question whose arguments are of the right types.
///
/// # Errors
/// What is wrong with it, or that the kernel cannot be asked.
pub(super) fn answer<'r>(
    room: &'r mut Room<'_>,
    method: &str,
    given: Fields<'_>,
) -> Result<Document<'r>, Refused> {
    match method {
        "status" => {
            let report = look(room)?;
            Ok(Box::new(move |out| report.write(out)))
        }
        "wan" => {
            let line = one(look(room)?, given.text("name"))?;
            Ok(Box::new(move |out| line.write(out)))
        }
        "classes" => {
            let line = one(look(room)?, given.text("wan"))?;
            Ok(Box::new(move |out| {
                out.text("wan", &line.name);
                for (key, way) in [("upload", &line.upload), ("download", &line.download)] {
                    (out as &mut dyn Scribe).table(key, |out| way.write_classes(out));
                }
            }))
        }
        "rules" => {
            let (since, limit) = page(given);
            let daemon = &*room.daemon;
            let Some(config) = daemon.config() else { return Err(unconfigured()) };
            let wan = match given.text("wan") {
                Some(name) => config.wans.iter().find(|wan| wan.name == name).ok_or_else(|| no_line(name))?,
                None => config.wans.first().ok_or_else(unconfigured)?,
            };
            let place = config.wans.iter().position(|known| known.name == wan.name).unwrap_or(0);
            Ok(Box::new(move |out| ruled::write(config, place, daemon.plan(), since, limit, out)))
        }
        "events" => {
            let (since, limit) = page(given);
            let (events, now) = (room.daemon.events(), room.now);
            Ok(Box::new(move |out| events.write(now, since as u64, limit, out)))
        }
        "explain" => {
            let flow = flow::parse(given.text("flow").unwrap_or_default()).map_err(wrong)?;
            let Some(config) = room.daemon.config() else { return Err(unconfigured()) };
            let told = explain(config, &flow);
            Ok(text(told))
        }
        "plan" => {
            let mut told = String::new();
            if given.flag("diff") == Some(true) {
                let seen = dump(room.connection).map_err(|error| unseen(&error))?;
                planned::differences(room.daemon.plan(), &seen.tree, &mut told);
            } else {
                planned::whole(room.daemon.plan(), &mut told);
            }
            Ok(text(planned::shortened(&told)))
        }
        "check" => Ok(verdict(match given.text("config") {
            Some(file) => door::check(file.as_bytes()).map_err(Refusal::Faults),
            None => read_with(room.places, door::check),
        })),
        "reload" => {
            let read = read_with(room.places, door::load);
            // Whoever is refused sees why at once; the daemon comes to the same end by itself, and says so in the log.
            room.daemon.handle(room.now, Event::Reload);
            Ok(verdict(read))
        }
        "set_rate" => {
            let bits = value::rate(given.text("rate").unwrap_or_default()).map_err(wrong)?.bits_per_sec();
            let rates = match given.text("direction") {
                Some("up" | "upload") => format!("{bits} -"),
                Some("down" | "download") => format!("- {bits}"),
                _ => return Err(wrong("direction: 'up' or 'down'".into())),
            };
            let request = format!("rate {} {rates} {}", line(given)?, seconds(given)?);
            asked(room, &request)
        }
        "hold" if given.flag("on") == Some(false) => {
            let request = format!("release {}", line(given)?);
            asked(room, &request)
        }
        "hold" => {
            let request = format!("hold {} {}", line(given)?, seconds(given)?);
            asked(room, &request)
        }
        "log_level" => {
            let levels = [LogLevel::Error, LogLevel::Warning, LogLevel::Info, LogLevel::Debug];
            let named = |level: &LogLevel| given.text("level") == Some(level.word());
            let Some(level) = levels.into_iter().find(named) else {
                return Err(wrong(format!("level: one of {}", joined(LogLevel::WORDS, ", "))));
            };
            log::set_level(level);
            Ok(Box::new(|_| {}))
        }
        _ => Err((Status::METHOD_NOT_FOUND, String::new())),
    }
}

/// Everything as it is now, by the kernel's word and the daemon's.
fn look(room: &mut Room<'_>) -> Result<Snapshot, Refused> {
    let seen = dump(room.connection).map_err(|error| unseen(&error))?;
    let daemon = &*room.daemon;
    let Some(config) = daemon.config() else {
        return Ok(Snapshot::empty(
            "no configuration is in force; 'check' tells what is wrong with the file",
        ));
    };
    let seen = Seen { links: &seen.links, tree: &seen.tree, counters: &seen.counters };
    let mut report = snapshot(config, daemon.plan(), &seen);
    report.steered(daemon.standings(room.now), daemon.probes());
    Ok(report)
}

/// The line that is named; without a name the first.
fn one(report: Snapshot, name: Option<&str>) -> Result<LineReport, Refused> {
    let mut lines = report.lines.into_iter();
    match name {
        Some(name) => lines.find(|line| line.name == name).ok_or_else(|| no_line(name)),
        None => lines.next().ok_or_else(unconfigured),
    }
}

/// From where in a list, and how much of it.
fn page(given: Fields<'_>) -> (usize, usize) {
    let number = |name| given.number(name).and_then(|number| usize::try_from(number).ok());
    (number("since").unwrap_or(0), number("limit").unwrap_or(PAGE).min(PAGE))
}

/// The line's name as a word of a request; a dash for all.
fn line(given: Fields<'_>) -> Result<&str, Refused> {
    let name = given.text("wan").unwrap_or("-");
    // A name is one word; anything else would make another request of it.
    let is_word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    if is_word { Ok(name) } else { Err(no_line(name)) }
}

fn seconds(given: Fields<'_>) -> Result<String, Refused> {
    let Some(span) = given.text("for") else { return Ok("-".into()) };
    let span = value::span(span, Micros::secs(1), Micros::secs(7 * 24 * 3600)).map_err(wrong)?;
    Ok(span.0.div_ceil(1_000_000).to_string())
}

fn asked<'r>(room: &mut Room<'_>, request: &str) -> Result<Document<'r>, Refused> {
    let answer = room.daemon.asked(room.now, request);
    match answer.strip_prefix("ok\n") {
        Some(told) => Ok(text(told.trim_end().into())),
        None => Err(wrong(answer.strip_prefix("error: ").unwrap_or(&answer).trim_end().into())),
    }
}

fn text<'r>(told: String) -> Document<'r> {
    Box::new(move |out| out.text("text", &told))
}

/// What is wrong with a configuration, if anything.
fn verdict<'r>(read: Reading) -> Document<'r> {
    let (is_usable, faults, why) = match read {
        Ok((_, warnings)) => (true, warnings, None),
        Err(Refusal::Faults(faults)) => (false, faults, None),
        Err(Refusal::Unreadable(why)) => (false, Vec::new(), Some(why)),
    };
    Box::new(move |out| {
        out.flag("ok", is_usable);
        let out: &mut dyn Scribe = out;
        if let Some(why) = why {
            out.text("error", &why);
        }
        out.tables("faults", faults.get(..PAGE).unwrap_or(&faults), |out, fault| {
            out.count("line", fault.line.into());
            out.text("severity", &if fault.severity == Severity::Fault { "fault" } else { "warning" });
            out.text("text", fault);
        });
    })
}

fn wrong(text: String) -> Refused {
    (Status::INVALID_ARGUMENT, text)
}

fn no_line(name: &str) -> Refused {
    (Status::NOT_FOUND, format!("there is no line '{name}'"))
}

fn unconfigured() -> Refused {
    (Status::NOT_FOUND, "no configuration is in force".into())
}

fn unseen(error: &std::io::Error) -> Refused {
    (Status::UNKNOWN, format!("cannot look at the system: {error}"))
}
