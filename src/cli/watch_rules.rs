// SPDX-License-Identifier: Apache-2.0
//! `weir watch-rules`: does my rule match? Looks at the headers of live packets for a while and counts.

use super::look::look;
use super::{Options, exit_code, print};
use crate::classify::packet::parse;
use crate::classify::scheme::Scheme;
use crate::classify::tally::Tally;
use crate::config::value;
use crate::io::sniff::Sniffer;
use crate::limits;
use crate::tc::classifier;
use crate::tc::plan::plan;
use crate::units::{Micros, Way};
use std::fmt::Write;
use std::time::{Duration, Instant};

/// How long without `--for`.
pub(crate) const USUAL: Micros = Micros::secs(10);
/// How often the sockets are emptied; between two turns their buffer holds some fifty packets.
const TURN: Duration = Duration::from_millis(20);

/// One direction that is watched.
struct Watched<'a> {
    name: &'a str,
    scheme: Scheme<'a>,
    tally: Tally,
}

/// Watches, then prints.
pub(crate) fn run(options: &Options) -> u8 {
    let (config, observation, _) = match look(&options.places) {
        Ok(all) => all,
        Err(code) => return code,
    };
    let world = observation.world;
    let plan = plan(&config, &world);
    let mut lines: Vec<(Sniffer, [Watched<'_>; 2], u16)> = Vec::new();
    for (line, wan) in plan.lines.iter().zip(&config.wans) {
        let Some(link) = world.links.iter().find(|link| Some(link.name) == line.device) else {
            eprintln!("weir: {}: no device to look at", line.name);
            continue;
        };
        let header = link.header_bytes();
        let sniffer = match Sniffer::open(link.index) {
            Ok(sniffer) => sniffer,
            Err(error) => {
                eprintln!("weir: cannot look at packets of {}: {error} (this needs root)", link.name);
                return exit_code::FAILED;
            }
        };
        let ways = Way::ALL.map(|way| {
            let scheme = classifier::scheme(&config, wan, way, header, None, true);
            Watched { name: &line.name, tally: Tally::new(scheme.rules.len()), scheme }
        });
        lines.push((sniffer, ways, header));
    }
    if lines.is_empty() {
        return exit_code::FAILED;
    }
    let span = options.span.unwrap_or(USUAL);
    eprintln!("weir: looking at packets for {span}");
    let end = Instant::now() + Duration::from_micros(span.0);
    let turn_limit = limits::SAMPLES / (1000 / TURN.as_millis() as u32);
    let mut is_cut = false;
    while Instant::now() < end {
        std::thread::sleep(TURN.min(end.saturating_duration_since(Instant::now())));
        for (sniffer, ways, header) in &mut lines {
            is_cut |= !take(sniffer, ways, *header, turn_limit) | sniffer.has_missed();
        }
    }
    let mut out = String::new();
    for (_, ways, _) in &lines {
        ways.iter().for_each(|watched| show(watched, &mut out));
    }
    if is_cut {
        let _ = writeln!(
            out,
            "There was more traffic than is looked at ({} packets/s): this is a sample.",
            limits::SAMPLES
        );
    }
    print(&out);
    exit_code::OK
}

/// Counts what has come, up to `limit`; `false`: there was more.
fn take(sniffer: &mut Sniffer, ways: &mut [Watched<'_>; 2], header: u16, limit: u32) -> bool {
    for _ in 0..limit {
        match sniffer.receive() {
            Ok(Some((frame, way))) => {
                let seen = parse(frame, header);
                if let Some(watched) = ways.iter_mut().find(|watched| watched.scheme.way == way) {
                    watched.tally.add(&watched.scheme, &seen);
                }
            }
            // A device that goes down comes back; what was counted stays.
            Ok(None) | Err(_) => return true,
        }
    }
    sniffer.skip();
    false
}

fn show(watched: &Watched<'_>, out: &mut String) {
    let Watched { name, scheme, tally } = watched;
    let total = tally.total();
    let _ = writeln!(out, "{name} {}: {total} packets", scheme.way);
    if total == 0 {
        out.push('\n');
        return;
    }
    let share = |count: u64| crate::units::Permille((count * 1000 / total.max(1)) as u16).to_string();
    let mut row = |label: &str, class: &str, count: u64| {
        if count > 0 {
            let _ = writeln!(out, "  {label:<24} {class:<12} {count:>9} {:>8}", share(count));
        }
    };
    for (rule, count) in scheme.rules.iter().zip(&tally.rules) {
        row(&rule.name, &rule.class, *count);
    }
    let class = |n: usize| scheme.classes.get(n).map_or("", |class| class.name);
    row("(line control)", class(scheme.first), tally.control);
    row("(unreadable)", class(scheme.default), tally.odd);
    row("(no rule)", class(scheme.default), tally.default);
    let silent: Vec<&str> = scheme
        .rules
        .iter()
        .zip(&tally.rules)
        .filter(|(rule, count)| rule.line > 0 && **count == 0)
        .map(|(rule, _)| rule.name.as_str())
        .collect();
    if !silent.is_empty() {
        let _ = writeln!(out, "  rules of the file without a packet: {}", silent.join(", "));
    }
    let top = tally.top(8);
    if !top.is_empty() {
        out.push_str("  far ends no rule knows:");
        for (n, (protocol, port, count)) in top.into_iter().enumerate() {
            let port = if port == 0 { String::new() } else { format!(" {port}") };
            let comma = if n > 0 { "," } else { "" };
            let _ = write!(out, "{comma} {}{port} ({})", value::protocol_name(protocol), share(count));
        }
        out.push('\n');
    }
    out.push('\n');
}
