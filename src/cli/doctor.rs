// SPDX-License-Identifier: Apache-2.0
//! `weir doctor`: what silently defeats shaping, and what to do about it; with `--bundle` all that somebody who helps needs.

use super::help::wrapped;
use super::look::{Looked, look_at};
use super::plan::assume;
use super::{Options, document, exit_code, print, status, tell};
use crate::config::uci;
use crate::door::{self, Refusal};
use crate::io::files::read_bounded;
use crate::io::run::{LEARNT, Places, read_with};
use crate::io::{desk, evidence, offload};
use crate::json::Json;
use crate::report::{Snapshot, planned};
use crate::scribe::Scribe;
use crate::watch::blank;
use crate::watch::doctor::{self, Finding};
use crate::watch::evidence::{Evidence, File, Lines};
use std::fmt::Write;
use std::time::Duration;

/// How long the processor is watched.
const WATCHED: Duration = Duration::from_secs(1);

/// Examines; the exit code says whether all is well.
pub(crate) fn run(options: &Options) -> u8 {
    let places = &document::meant(&options.places);
    // What stands in the file is judged, and what is in force is compared with the kernel.
    let found = document::in_force(places);
    let faults = match read_with(places, door::check) {
        Ok((_, faults)) | Err(Refusal::Faults(faults)) => faults,
        Err(_) if found.is_ok() => Vec::new(),
        Err(unreadable) => return tell(places, Err(unreadable)).err().unwrap_or(exit_code::FAILED),
    };
    let mut looked = found.ok().and_then(|document| look_at(places, document).ok());
    let report = looked.as_mut().map(|looked| status::report(looked, places));
    let is_running = desk::ask(&places.state, "speeds").ok().map(|answer| answer.is_some());
    let mut known = Evidence {
        path: places.config.display().to_string(),
        faults: &faults,
        is_running,
        pid: places.state.holder().filter(|_| is_running != Some(false)),
        ..Evidence::default()
    };
    if let (Some(looked), Some((plan, report))) = (&looked, &report) {
        let Looked { config, observation, seen, .. } = looked;
        known.merging = offload::still_on(&plan.split, &seen.links);
        known.lines = Some(Lines { config, plan, world: &observation.world, tree: &seen.tree, report });
    }
    let mut seen = evidence::collect(&options.root, known);
    std::thread::sleep(WATCHED);
    evidence::sample(&options.root, &mut seen);
    let findings = doctor::examine(&seen);
    let mut out = String::new();
    if options.is_json && !options.is_bundle {
        let mut json = Json::new(&mut out);
        let scribe: &mut dyn Scribe = &mut json;
        scribe.table("", |out| doctor::write(&findings, out));
        json.end().expect("a String takes everything");
        out.push('\n');
    } else {
        out = told(&findings);
    }
    if options.is_bundle {
        let report = report.as_ref().map(|(_, report)| report);
        let mut text = bundle(places, &seen, report, &out);
        if let Some(looked) = &mut looked {
            looked.assume_speeds(places);
            let mut plan = String::new();
            let mut world = looked.observation.world.clone();
            assume(&looked.config, &mut world, &mut plan);
            planned::whole(&looked.plan(&world), &mut plan);
            part(&mut text, "plan", &planned::shortened(&plan));
        }
        out = blank::blank(&text);
    }
    print(&out);
    if doctor::is_well(&findings) { exit_code::OK } else { exit_code::FAILED }
}

fn told(findings: &[Finding]) -> String {
    let mut out = String::new();
    doctor::write_text(findings, &mut out).expect("a String takes everything");
    wrapped(&out)
}

fn part(out: &mut String, title: &str, text: &str) {
    let _ = writeln!(out, "== {title}\n{}\n", text.trim_end());
}

/// All of it but the plan, with its addresses still in it.
fn bundle(places: &Places, seen: &Evidence<'_>, report: Option<&Snapshot>, findings: &str) -> String {
    let mut out = format!("weir {}\n", env!("CARGO_PKG_VERSION"));
    for file in [File::Kernel, File::Model, File::Release] {
        let _ = writeln!(out, "{}", seen.text(file).trim_end());
    }
    for line in [File::Memory, File::Status].into_iter().flat_map(|file| seen.text(file).lines()) {
        const SIZES: [&str; 5] = ["MemTotal", "MemAvailable", "VmHWM", "VmRSS", "Threads"];
        if SIZES.iter().any(|name| line.starts_with(name)) {
            let _ = writeln!(out, "{line}");
        }
    }
    out.push('\n');
    part(&mut out, "doctor", findings);
    let package = read_bounded(&places.config).ok().and_then(|bytes| uci::parse(&bytes).ok());
    let mut config = Vec::new();
    if let Some(mut package) = package {
        blank::secrets(&mut package);
        uci::export(&package, "weir", &mut config);
    }
    part(&mut out, "configuration, without comments", &String::from_utf8_lossy(&config));
    if let Some(report) = report {
        let mut text = String::new();
        let _ = report.write_text(&mut text);
        part(&mut out, "status", &text);
    }
    part(&mut out, "learnt", &places.lasting.read(LEARNT));
    out
}
