// SPDX-License-Identifier: Apache-2.0
//! What weir's object answers: `docs/ubus.md` for people, and a schema for the largest of the documents.
//!
//! Whatever is asked, the answer is bounded: lists come in pages, and what does not fit is refused as a whole.

use super::super::files::why;
use super::super::hits::{self, Asked};
use super::super::log;
use super::super::netlink::observe;
use super::super::netlink::socket::Connection;
use super::super::run::{Places, lacks, live_or_filed, read_with};
use super::super::{bundle, evidence, offload};
use crate::classify::flow;
use crate::config::network::Networks;
use crate::config::{Fault, LogLevel, Wan, value};
use crate::daemon::{Daemon, Event};
use crate::door::{self, Reading};
use crate::report::{LineReport, Seen, Snapshot, planned, ruled, snapshot, write_fault};
use crate::scribe::{Scribe, Shape};
use crate::tc::Link;
use crate::tc::explain::explain;
use crate::text::joined;
use crate::ubus::{Fields, Refusal, Status};
use crate::units::{Micros, Time};
use crate::watch::doctor::{self, Finding};
use crate::watch::evidence::{Evidence, Lines};
use crate::watch::page::POINTS;
use std::cell::RefCell;

/// The most of a list that is sent at once, and what is sent unless told otherwise.
const PAGE: usize = 64;

/// The largest configuration that is checked for a caller, in bytes.
const CHECKED: usize = 16 * 1024;

/// How far back unless told otherwise.
const SPAN: Micros = Micros::secs(300);

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
    /// What netifd says of the networks.
    pub networks: &'a RefCell<Networks>,
    /// The devices there are.
    pub links: &'a RefCell<Vec<Link>>,
    /// Who counts which rules packets meet.
    pub hits: &'a mut Asked,
}

type Done = Result<(), Refusal>;

/// Answers a question whose arguments are of the right types.
///
/// # Errors
/// What is wrong with it, or that the kernel cannot be asked.
pub(super) fn answer(room: &mut Room<'_>, method: &str, given: Fields<'_>, out: &mut dyn Scribe) -> Done {
    match method {
        "status" => {
            let mut report = look(room)?;
            if report.shorten() {
                out.leave_out();
            }
            report.write(out);
        }
        "wan" => one(look(room)?, given.text("name"))?.write(out),
        "classes" => {
            let line = one(look(room)?, given.text("wan"))?;
            out.text("wan", &line.name);
            for (key, way) in [("upload", &line.upload), ("download", &line.download)] {
                out.open(key, Shape::Table);
                way.write_classes(out);
                out.close();
            }
        }
        "rules" => {
            let config = room.daemon.config().ok_or_else(unconfigured)?;
            let name = given.text("wan");
            let is_it = |wan: &Wan| name.is_none_or(|name| wan.name == name);
            let place =
                config.wans.iter().position(is_it).ok_or_else(|| no_line(name.unwrap_or_default()))?;
            let (since, limit) = page(given);
            ruled::write(config, place, room.daemon.plan(), since, limit, out);
        }
        "hits" => {
            let name = given.text("wan");
            let links = room.links.borrow();
            let told = room.hits.ask(room.now, room.daemon, &links, name, out);
            return told.map_err(|refused| match refused {
                hits::Refusal::NoLine => no_line(name.unwrap_or_default()),
                hits::Refusal::NoDevice(line) => {
                    refusal(Status::NOT_FOUND, format!("line '{line}' has no device now"))
                }
                hits::Refusal::Unseen(error) => {
                    refusal(Status::UNKNOWN, format!("cannot look at packets: {}", why(&error)))
                }
            });
        }
        "history" => {
            let name = given.text("wan");
            let span = long(given, "span")?.unwrap_or(SPAN);
            let (since, limit) = page(given);
            let page = room.daemon.history(room.now, name, span, since as u64, limit.min(POINTS));
            page.ok_or_else(|| no_line(name.unwrap_or_default()))?.write(out);
        }
        "events" => {
            let (since, limit) = page(given);
            room.daemon.events().write(room.now, since as u64, limit, out);
        }
        "explain" => {
            let flow = flow::parse(given.text("flow").unwrap_or_default()).map_err(wrong)?;
            let config = room.daemon.config().ok_or_else(unconfigured)?;
            fitting(&explain(config, &flow), out);
        }
        "plan" => {
            let mut told = String::new();
            if given.flag("diff") == Some(true) {
                let seen = seen(room)?;
                planned::differences(room.daemon.plan(), &seen.tree, &mut told);
            } else {
                planned::whole(room.daemon.plan(), &mut told);
            }
            fitting(&planned::shortened(&told), out);
        }
        "check" => {
            // Whoever may only look must not be able to keep the daemon from its work: a closer look is for the command.
            let read = match given.text("config") {
                Some(file) if file.len() > CHECKED => {
                    return Err(wrong(format!("config: more than {CHECKED} bytes; 'weir check' takes any")));
                }
                Some(file) => door::glance(file.as_bytes()).map_err(door::Refusal::Faults),
                None => read_with(room.places, door::load),
            };
            verdict(&read, out);
        }
        "doctor" => examine(room, &mut |_, findings, _, _| doctor::write(findings, out))?,
        "bundle" => examine(room, &mut |room, findings, seen, report| {
            let (mut told, mut plan) = (String::new(), String::new());
            // A String takes everything.
            let _ = doctor::write_text(findings, &mut told);
            planned::whole(room.daemon.plan(), &mut plan);
            let plan = planned::shortened(&plan);
            let parts = bundle::Parts { seen, findings: &told, report: Some(report), plan: Some(&plan) };
            fitting(&bundle::text(room.places, &parts), out);
        })?,
        "reload" => {
            // Whoever is refused sees why at once; the daemon comes to the same end by itself, and says so in the log.
            verdict(&read_with(room.places, door::load), out);
            room.daemon.handle(room.now, Event::Reload);
        }
        "set_rate" => {
            let bits = value::rate(given.text("rate").unwrap_or_default()).map_err(wrong)?.bits_per_sec();
            let rates = match given.text("direction") {
                Some("up" | "upload") => format!("{bits} -"),
                Some("down" | "download") => format!("- {bits}"),
                _ => return Err(wrong("direction: 'up' or 'down'".into())),
            };
            let request = format!("rate {} {rates} {}", line(given)?, seconds(given)?);
            return asked(room, &request, out);
        }
        "hold" => {
            let request = match given.flag("on") {
                Some(false) => format!("release {}", line(given)?),
                _ => format!("hold {} {}", line(given)?, seconds(given)?),
            };
            return asked(room, &request, out);
        }
        "log_level" => {
            let levels = [LogLevel::Error, LogLevel::Warning, LogLevel::Info, LogLevel::Debug];
            let named = |level: &LogLevel| given.text("level") == Some(level.word());
            let Some(level) = levels.into_iter().find(named) else {
                return Err(wrong(format!("level: one of {}", joined(LogLevel::WORDS, ", "))));
            };
            log::set_level(level);
        }
        _ => return Err(refusal(Status::METHOD_NOT_FOUND, String::new())),
    }
    Ok(())
}

fn seen(room: &mut Room<'_>) -> Result<observe::Seen, Refusal> {
    observe::dump(room.connection).map_err(|error| unseen(&error))
}

/// Everything as it is now, by the kernel's word and the daemon's.
fn look(room: &mut Room<'_>) -> Result<Snapshot, Refusal> {
    let seen = seen(room)?;
    Ok(told(room, &seen))
}

/// The same, of what was seen already.
fn told(room: &Room<'_>, seen: &observe::Seen) -> Snapshot {
    let daemon = &*room.daemon;
    let Some(config) = daemon.config() else {
        let why = "no configuration is in force; 'check' tells what is wrong with the file";
        let mut report = Snapshot::empty(why);
        report.add(daemon.told(room.now));
        report.path = path(room.places);
        return report;
    };
    let seen = Seen { links: &seen.links, tree: &seen.tree, counters: &seen.counters };
    let mut report = snapshot(config, daemon.plan(), &seen);
    report.add(daemon.told(room.now));
    report.schedules = daemon.schedules();
    report.path = path(room.places);
    if daemon.is_refused() {
        let path = &report.path;
        let text = format!("{path} was refused and is not in force ('check' tells why); the one before is");
        report.notes.push(("weir".into(), text));
    }
    report
}

/// Where the configuration is.
fn path(places: &Places) -> String {
    places.config.display().to_string()
}

/// Writes as many lines of a text as there is room for in any answer.
fn fitting(text: &str, out: &mut dyn Scribe) {
    const MOST: usize = 32 * 1024;
    let mut end = text.len().min(MOST);
    while end < text.len() && text.as_bytes().get(end - 1).is_some_and(|byte| *byte != b'\n') {
        end -= 1;
    }
    if end < text.len() {
        out.leave_out();
    }
    out.text("text", &text.get(..end).unwrap_or_default());
}

/// What becomes of an examination: who was asked, what was found, what was read for it, and how things stand.
type Tell<'a> = &'a mut dyn FnMut(&Room<'_>, &[Finding], &Evidence<'_>, &Snapshot);

/// What the doctor finds, without waiting to see how busy the processor is.
fn examine(room: &mut Room<'_>, tell: Tell<'_>) -> Done {
    let faults = match read_with(room.places, door::load) {
        Ok((_, faults)) | Err(door::Refusal::Faults(faults)) => faults,
        Err(door::Refusal::Unreadable(why)) => return Err(refusal(Status::UNKNOWN, why)),
    };
    let networks = live_or_filed(Some(&room.networks.borrow()), &room.places.state);
    let (mut world, seen) = match observe::observe(room.connection, networks) {
        Ok((observation, seen)) => (observation.world, seen),
        Err(error) => return Err(unseen(&error)),
    };
    world.lacks = lacks(room.places);
    let report = told(room, &seen);
    let daemon = &*room.daemon;
    let plan = daemon.plan();
    let mut known = Evidence {
        path: path(room.places),
        faults: &faults,
        is_running: Some(true),
        pid: Some(std::process::id()),
        merging: offload::still_on(&plan.split, &seen.links),
        ..Evidence::default()
    };
    known.lines = daemon.config().map(|config| Lines {
        config,
        plan,
        world: &world,
        tree: &seen.tree,
        report: &report,
    });
    let seen = evidence::collect("", known);
    tell(room, &doctor::examine(&seen), &seen, &report);
    Ok(())
}

/// The line that is named; without a name the first.
fn one(report: Snapshot, name: Option<&str>) -> Result<LineReport, Refusal> {
    let mut lines = report.lines.into_iter();
    match name {
        Some(name) => lines.find(|line| line.name == name).ok_or_else(|| no_line(name)),
        None => lines.next().ok_or_else(unconfigured),
    }
}

/// From where in a list, and how much of it.
fn page(given: Fields<'_>) -> (usize, usize) {
    let number = |name| given.number(name).and_then(|number| usize::try_from(number).ok());
    // A page of nothing would never come to an end.
    (number("since").unwrap_or(0), number("limit").unwrap_or(PAGE).clamp(1, PAGE))
}

/// The line's name as a word of a request; a dash for all.
fn line(given: Fields<'_>) -> Result<&str, Refusal> {
    let name = given.text("wan").unwrap_or("-");
    // A name is one word; anything else would make another request of it.
    let is_word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    if is_word { Ok(name) } else { Err(no_line(name)) }
}

fn seconds(given: Fields<'_>) -> Result<String, Refusal> {
    let span = long(given, "for")?;
    Ok(span.map_or("-".into(), |span| span.0.div_ceil(1_000_000).to_string()))
}

/// A span of time from a second to a week, if it is given.
fn long(given: Fields<'_>, name: &str) -> Result<Option<Micros>, Refusal> {
    let Some(text) = given.text(name) else { return Ok(None) };
    value::long_span(text, Micros::secs(1), Micros::secs(7 * 24 * 3600)).map(Some).map_err(wrong)
}

fn asked(room: &mut Room<'_>, request: &str, out: &mut dyn Scribe) -> Done {
    let answer = room.daemon.asked(room.now, request);
    match answer.strip_prefix("ok\n") {
        Some(told) => out.text("text", &told.trim_end()),
        None => return Err(wrong(answer.strip_prefix("error: ").unwrap_or(&answer).trim_end().into())),
    }
    Ok(())
}

/// What is wrong with a configuration, if anything.
fn verdict(read: &Reading, out: &mut dyn Scribe) {
    out.flag("ok", read.is_ok());
    let faults: &[Fault] = match read {
        Ok((_, faults)) | Err(door::Refusal::Faults(faults)) => faults,
        Err(door::Refusal::Unreadable(why)) => {
            out.text("error", why);
            &[]
        }
    };
    out.tables("faults", faults.get(..PAGE).unwrap_or(faults), |out, fault| write_fault(fault, out));
}

fn refusal(status: Status, text: String) -> Refusal {
    Refusal { status, text }
}

fn wrong(text: String) -> Refusal {
    refusal(Status::INVALID_ARGUMENT, text)
}

fn no_line(name: &str) -> Refusal {
    refusal(Status::NOT_FOUND, format!("there is no line {}", value::Quoted(name)))
}

fn unseen(error: &std::io::Error) -> Refusal {
    refusal(Status::UNKNOWN, format!("cannot look at the system: {}", why(error)))
}

fn unconfigured() -> Refusal {
    refusal(Status::NOT_FOUND, "no configuration is in force".into())
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
