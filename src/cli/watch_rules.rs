// SPDX-License-Identifier: Apache-2.0
//! `weir watch-rules`: does my rule match? Looks at the headers of live packets for a while and counts.

use super::document::chosen;
use super::look::look_at;
use super::{Options, exit_code, print};
use crate::classify::scheme::Scheme;
use crate::classify::tally::{Row, Tally};
use crate::config::{Wan, value};
use crate::io::count::Count;
use crate::io::files::why;
use crate::io::run::signals;
use crate::limits;
use crate::tc::classifier;
use crate::text::joined;
use crate::units::{DeviceName, Micros, Way};
use nix::sys::signal::Signal;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// How long without `--for`.
pub(crate) const USUAL: Micros = Micros::secs(10);
/// How often the sockets are looked at; between two turns their buffer holds some fifty packets.
const TURN: Duration = Duration::from_millis(20);

/// One line that is watched.
struct Watched<'a> {
    name: &'a str,
    schemes: [Scheme<'a>; 2],
    count: Count,
}

/// Watches, then prints.
pub(crate) fn run(options: &Options) -> u8 {
    let looked =
        chosen(&options.places).and_then(|(places, document)| Ok((look_at(&places, document)?, places)));
    let (mut looked, places) = match looked {
        Ok(looked) => looked,
        Err(code) => return code,
    };
    looked.assume_speeds(&places);
    let (config, world) = (&looked.config, &looked.observation.world);
    let plan = looked.plan(world);
    let mut lines: Vec<Watched<'_>> = Vec::new();
    for (line, wan) in plan.lines.iter().zip(&config.wans) {
        let Some(link) = world.links.iter().find(|link| Some(link.name) == line.device) else {
            eprintln!("weir: {}: {}", line.name, no_device(line.device, wan));
            continue;
        };
        let header = link.header_bytes();
        let schemes = Way::ALL.map(|way| classifier::scheme(config, wan, way, header, None, true));
        let count = match Count::begin(link.index, header, &schemes) {
            Ok(count) => count,
            Err(error) => {
                eprintln!("weir: cannot look at packets of {}: {}", link.name, why(&error));
                return exit_code::FAILED;
            }
        };
        lines.push(Watched { name: &line.name, schemes, count });
    }
    if lines.is_empty() {
        return exit_code::FAILED;
    }
    // From here on to be told to end means to show what was seen.
    let signals = match signals(&[Signal::SIGINT, Signal::SIGTERM]) {
        Ok(signals) => signals,
        Err(error) => {
            eprintln!("weir: {error}");
            return exit_code::FAILED;
        }
    };
    let span = options.span.unwrap_or(USUAL);
    eprintln!("weir: looking at packets for {span}");
    let end = Instant::now() + Duration::from_micros(span.0);
    let turn_limit = limits::SAMPLES / (1000 / TURN.as_millis() as u32);
    while Instant::now() < end && !matches!(signals.read_signal(), Ok(Some(_))) {
        std::thread::sleep(TURN.min(end.saturating_duration_since(Instant::now())));
        lines.iter_mut().for_each(|watched| watched.count.turn(&watched.schemes, turn_limit));
    }
    let mut out = String::new();
    for Watched { name, schemes, count } in &lines {
        schemes.iter().zip(&count.tallies).for_each(|(scheme, tally)| show(name, scheme, tally, &mut out));
        if count.is_limited {
            let (seen, passed) = (count.tallies.iter().map(Tally::total).sum::<u64>(), count.passed);
            let most = limits::SAMPLES;
            let _ = writeln!(
                out,
                "{name}: there was more traffic than is looked at ({most} packets/s): this is a sample, {seen} of {passed} \
                 packets.\n"
            );
        }
    }
    print(&out);
    exit_code::OK
}

/// Which device it is that is not there.
fn no_device(device: Option<DeviceName>, wan: &Wan) -> String {
    match (device.or(wan.device), &wan.network) {
        (Some(device), _) => format!("there is no device {device} to look at"),
        (None, Some(network)) => format!("no device to look at: that of network '{network}' is not known"),
        (None, None) => "no device to look at: there is no default route".into(),
    }
}

fn show(name: &str, scheme: &Scheme<'_>, tally: &Tally, out: &mut String) {
    let total = tally.total();
    let _ = writeln!(out, "{name} {}: {total} packets", scheme.way);
    if total == 0 {
        out.push('\n');
        return;
    }
    let share = |count: u64| crate::units::Permille((count * 1000 / total.max(1)) as u16).to_string();
    let mut rows = tally.rows(scheme);
    rows.retain(|row| row.packets > 0);
    let widest = |texts: &mut dyn Iterator<Item = &str>| texts.map(|text| text.chars().count()).max();
    let label = widest(&mut rows.iter().map(|row| row.name)).unwrap_or(0).max(24);
    let place = widest(&mut rows.iter().map(|row| row.class)).unwrap_or(0).max(12);
    for Row { name, class, packets, .. } in rows {
        let _ = writeln!(out, "  {name:<label$} {class:<place$} {packets:>9} {:>8}", share(packets));
    }
    let silent: Vec<&str> = scheme
        .rules
        .iter()
        .zip(&tally.rules)
        .filter(|(rule, count)| rule.line > 0 && **count == 0)
        .map(|(rule, _)| rule.name.as_str())
        .collect();
    if !silent.is_empty() {
        let _ = writeln!(out, "  rules of the file without a packet: {}", joined(&silent, ", "));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::packet::{Packet, Seen};
    use crate::config::{Class, Config};
    use crate::door::load;

    #[test]
    fn long_names_of_rules_and_classes_do_not_break_the_columns() {
        let class = "a_class_with_a_rather_long_name";
        let rule = "a_rule_with_a_name_that_does_not_end_soon";
        let file = format!(
            "config class '{class}'\n option guarantee '5'\nconfig rule '{rule}'\n option class '{class}'\n \
             option proto 'udp'\n option remote_port '7'\n"
        );
        let (config, _): (Config, _) = load(file.as_bytes()).expect("no faults");
        assert_eq!(config.classes.len(), Class::defaults().len() + 1);
        let scheme = classifier::scheme(&config, &config.wans[0], Way::Up, 14, None, true);
        let mut tally = Tally::new(scheme.rules.len());
        for port in [7, 53, 30_000] {
            let packet = Packet {
                is_v6: false,
                protocol: 17,
                ports: Some((9, port)),
                source: [1; 16],
                destination: [2; 16],
                dscp: 0,
                length: 100,
                is_bare: Some(false),
            };
            tally.add(&scheme, &Seen::Ip(packet));
        }
        let mut out = String::new();
        show("wan", &scheme, &tally, &mut out);
        let rows: Vec<&str> = out.lines().filter(|line| line.ends_with(" %")).collect();
        assert_eq!(rows.len(), 3, "{out}");
        assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{out}");
    }

    #[test]
    fn a_device_that_is_missing_is_named() {
        let named = Wan { device: DeviceName::new("eth7"), ..Wan::new("w") };
        assert_eq!(no_device(None, &named), "there is no device eth7 to look at");
        let network = Wan { network: Some("wan6".into()), ..Wan::new("w") };
        assert_eq!(no_device(None, &network), "no device to look at: that of network 'wan6' is not known");
        assert_eq!(no_device(DeviceName::new("ppp0"), &network), "there is no device ppp0 to look at");
        assert!(no_device(None, &Wan::new("w")).contains("no default route"));
    }
}
