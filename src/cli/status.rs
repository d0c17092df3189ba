// SPDX-License-Identifier: Apache-2.0
//! `weir status`: what the kernel has, against what is wanted.

use super::look::{Looked, look_at};
use super::{Options, document, exit_code, print, told};
use crate::io::desk;
use crate::io::netlink::observe;
use crate::io::netlink::socket::Connection;
use crate::io::run::Places;
use crate::report::{Seen, Snapshot, Told, planned, snapshot};
use crate::tc::plan::Plan;

/// Prints the status; the exit code says whether every wanted direction is shaped.
pub(crate) fn run(options: &Options) -> u8 {
    #[cfg(feature = "extras")]
    if options.is_followed {
        return follow(options);
    }
    let places = &document::meant(&options.places);
    let looked = told(places, document::in_force(places)).and_then(|document| look_at(places, document));
    let (report, code) = match looked {
        Ok(mut looked) => {
            let (_, report) = report(&mut looked, places);
            let code = if report.is_shaping() { exit_code::OK } else { exit_code::FAILED };
            (report, code)
        }
        Err(code @ (exit_code::CONFIG | exit_code::NO_INPUT)) => (alone(places), code),
        Err(code) => return code,
    };
    let mut out = String::new();
    let written = if options.is_json { report.write_json(&mut out) } else { report.write_text(&mut out) };
    written.expect("a String takes everything");
    if options.is_json {
        out.push('\n');
    }
    print(&out);
    code
}

/// What the kernel has, where nothing says what is wanted.
fn alone(places: &Places) -> Snapshot {
    let mut report =
        Snapshot::empty("no configuration is in force, so this is what the kernel has and no more");
    if let Ok(Some(answer)) = desk::ask(&places.state, "speeds") {
        report.add(Told::from_text(&answer));
    }
    report.path = places.config.display().to_string();
    let seen = Connection::open().and_then(|mut connection| observe::dump(&mut connection));
    match &seen {
        Ok(seen) => report.notes.extend(planned::standing(&seen.tree)),
        Err(error) => report.notes.push(("weir".into(), format!("cannot look at the system: {error}"))),
    }
    report
}

/// Prints it again and again, a line each, until nobody reads it. A moment in which it cannot be told is passed over. Not in
/// a router's program: there the bus tells it.
#[cfg(feature = "extras")]
fn follow(options: &Options) -> u8 {
    use std::io::Write;
    let places = &document::meant(&options.places);
    let pause = options.span.unwrap_or(crate::units::Micros::secs(10));
    loop {
        super::complaint::anew();
        let looked = told(places, document::in_force(places)).and_then(|document| look_at(places, document));
        if let Ok(mut looked) = looked {
            let mut out = String::new();
            report(&mut looked, places).1.write_json(&mut out).expect("a String takes everything");
            out.push('\n');
            let mut stdout = std::io::stdout();
            if stdout.write_all(out.as_bytes()).and_then(|()| stdout.flush()).is_err() {
                return exit_code::OK;
            }
        }
        std::thread::sleep(std::time::Duration::from_micros(pause.0));
    }
}

/// What is wanted, and how that stands; what the daemon said goes into it.
pub(super) fn report(looked: &mut Looked, places: &Places) -> (Plan, Snapshot) {
    looked.find_speeds();
    let seen = &looked.seen;
    let mut plan = looked.plan(&looked.observation.world);
    plan.yield_to_others(&seen.tree);
    let seen = Seen { links: &seen.links, tree: &seen.tree, counters: &seen.counters };
    let mut report = snapshot(&looked.config, &plan, &seen);
    report.add(std::mem::take(&mut looked.told));
    report.schedules = std::mem::take(&mut looked.schedules);
    report.notes.extend(looked.note.take().map(|note| ("weir".into(), note)));
    report.path = places.config.display().to_string();
    (plan, report)
}
