// SPDX-License-Identifier: Apache-2.0
//! `weir doctor`: what silently defeats shaping, and what to do about it; with `--bundle` all that somebody who helps needs.

use super::help::wrapped;
use super::look::{Looked, look_at};
use super::plan::assume;
use super::{Options, document, exit_code, print, status, tell};
use crate::door::{self, Refusal};
use crate::io::run::read_with;
use crate::io::{bundle, desk, evidence, offload};
use crate::json::Json;
use crate::report::planned;
use crate::scribe::Scribe;
use crate::watch::doctor::{self, Finding};
use crate::watch::evidence::{Evidence, Lines};
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
        // The texts alone: what else was known may be moved on from now on.
        let seen = Evidence { files: seen.files, ..Evidence::default() };
        let plan = looked.as_mut().map(|looked| {
            looked.assume_speeds(places);
            let mut plan = String::new();
            let mut world = looked.observation.world.clone();
            assume(&looked.config, &mut world, &mut plan);
            planned::whole(&looked.plan(&world), &mut plan);
            planned::shortened(&plan)
        });
        let report = report.as_ref().map(|(_, report)| report);
        let parts = bundle::Parts { seen: &seen, findings: &out, report, plan: plan.as_deref() };
        out = bundle::text(places, &parts);
    }
    print(&out);
    if doctor::is_well(&findings) { exit_code::OK } else { exit_code::FAILED }
}

fn told(findings: &[Finding]) -> String {
    let mut out = String::new();
    doctor::write_text(findings, &mut out).expect("a String takes everything");
    wrapped(&out)
}
