// SPDX-License-Identifier: Apache-2.0
//! All that somebody who helps needs, as one text for a forum: `weir doctor --bundle`, and `bundle` on the bus.

use super::files::read_bounded;
use super::run::{LEARNT, Places};
use crate::config::uci;
use crate::report::Snapshot;
use crate::watch::blank;
use crate::watch::evidence::{Evidence, File};
use std::fmt::Write;

/// What a bundle is made of besides the files of the configuration and of what was learnt.
pub struct Parts<'a> {
    /// What the doctor read.
    pub seen: &'a Evidence<'a>,
    /// What it found, in words.
    pub findings: &'a str,
    /// How things stand, where that is known.
    pub report: Option<&'a Snapshot>,
    /// The wanted tree, where there is one.
    pub plan: Option<&'a str>,
}

/// Its text, without addresses, names, passwords and comments.
pub fn text(places: &Places, parts: &Parts<'_>) -> String {
    let Parts { seen, findings, report, plan } = parts;
    let mut out = format!("weir {}\n", env!("CARGO_PKG_VERSION"));
    for (label, file) in [("kernel", File::Kernel), ("router", File::Model), ("system", File::Release)] {
        for line in seen.text(file).lines().filter(|line| !line.is_empty()) {
            let _ = writeln!(out, "{label}: {line}");
        }
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
    if let Some(plan) = plan {
        part(&mut out, "plan", plan);
    }
    blank::blank(&out)
}

fn part(out: &mut String, title: &str, text: &str) {
    let _ = writeln!(out, "== {title}\n{}\n", text.trim_end());
}
