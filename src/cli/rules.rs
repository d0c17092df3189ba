// SPDX-License-Identifier: Apache-2.0
//! `weir rules`: what is in force, per direction, in the order it is looked at, with what it costs.

use super::document::chosen;
use super::look::look_at;
use super::plan::assume;
use super::{Options, exit_code, print};
use crate::classify::bpf;
use crate::classify::scheme::Scheme;
use crate::config::{Config, Wan, value};
use crate::tc::explain::place;
use crate::tc::plan::{Direction, Line};
use crate::tc::{Device, FilterKind, ROOT_MAJOR, Tree, classifier};
use crate::units::{DeviceName, Handle, Way};
use std::fmt::Write;

/// Prints the rules of every direction.
pub(crate) fn run(options: &Options) -> u8 {
    let looked =
        chosen(&options.places).and_then(|(places, document)| Ok((look_at(&places, document)?, places)));
    let (mut looked, places) = match looked {
        Ok(looked) => looked,
        Err(code) => return code,
    };
    looked.assume_speeds(&places);
    let mut world = looked.observation.world.clone();
    let mut out = String::new();
    assume(&looked.config, &mut world, &mut out);
    let plan = looked.plan(&world);
    let (config, seen) = (&looked.config, &looked.seen);
    for (line, wan) in plan.lines.iter().zip(&config.wans) {
        for way in Way::ALL {
            let header = world.links.iter().find(|link| Some(link.name) == line.device);
            let header = header.map_or(14, crate::tc::Link::header_bytes);
            let scheme = classifier::scheme(config, wan, way, header, None, !world.lacks.pedit);
            head(line, wan, way, &plan.tree, &seen.tree, header, &mut out);
            // A line that is switched off has rules as little as queues; one without a speed yet may get one.
            if config.globals.enabled && wan.enabled {
                table(config, &scheme, &mut out);
            } else {
                out.push('\n');
            }
        }
    }
    for (line, note) in &plan.notes {
        let _ = writeln!(out, "note: {line}: {note}");
    }
    print(&out);
    exit_code::OK
}

/// Where the rules hold, whether they are in force, what they cost.
fn head(line: &Line, wan: &Wan, way: Way, want: &Tree, have: &Tree, header: u16, out: &mut String) {
    let direction = if way == Way::Up { &line.upload } else { &line.download };
    let _ = write!(out, "{} {way}: ", wan.name);
    let Direction::Shaped { device, engine, .. } = direction else {
        let _ = writeln!(out, "{direction}");
        return;
    };
    let programs = programs(want, device);
    let state = match programs {
        [] => "no program".to_string(),
        _ if programs == self::programs(have, device) => "in force".to_string(),
        _ if self::programs(have, device).is_empty() => "not applied yet".to_string(),
        _ => "not in force: the kernel still has others ('weir apply' exchanges them)".to_string(),
    };
    let _ = write!(out, "{engine} on {device}, {state}");
    let sizes: Vec<usize> = programs.iter().filter_map(|filter| Some(program(filter)?.len())).collect();
    for filter in programs {
        if let FilterKind::U32(kind) = &filter.kind {
            let _ = write!(out, ", by {} nodes of u32", kind.nodes.len());
        }
    }
    if let Some(most) = sizes.iter().max() {
        let of =
            if sizes.len() > 1 { format!("{} programs of at most ", sizes.len()) } else { String::new() };
        let steps: usize = programs.iter().filter_map(program).map(|insns| steps(insns, header)).sum();
        let _ = write!(
            out,
            ", {of}{most} instructions, of which a UDP packet that matches no rule takes {steps}"
        );
    }
    out.push('\n');
}

type Filters<'a> = &'a [crate::tc::Filter];

/// The filters at the root of a device.
fn programs<'a>(tree: &'a Tree, device: &DeviceName) -> Filters<'a> {
    let filters = tree.device(device).map_or(&[][..], |device: &Device| &device.filters);
    // Those of entries stand before them, those of the hook elsewhere: only the root's decide.
    let is_root = |filter: &crate::tc::Filter| filter.parent == Handle::new(ROOT_MAJOR, 0);
    let first = filters.iter().position(is_root).unwrap_or(filters.len());
    let rest = filters.get(first..).unwrap_or_default();
    let count = rest.iter().take_while(|filter| is_root(filter)).count();
    rest.get(..count).unwrap_or_default()
}

fn program(filter: &crate::tc::Filter) -> Option<&[crate::classify::Insn]> {
    match &filter.kind {
        FilterKind::Bpf(bpf) => Some(&bpf.program.insns),
        FilterKind::Redirect { .. } | FilterKind::U32(_) | FilterKind::Foreign(_) => None,
    }
}

/// How many instructions a plain packet runs.
fn steps(program: &[crate::classify::Insn], header: u16) -> usize {
    let mut frame = vec![0u8; usize::from(header) + 48];
    if let [.., a, b] = frame.split_at_mut(usize::from(header)).0 {
        (*a, *b) = (8, 0);
    }
    if let Some(ip) = frame.get_mut(usize::from(header)..) {
        // IPv4, 48 bytes, UDP from and to port 1 of nobody.
        ip.iter_mut()
            .zip([0x45, 0, 0, 48, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 0, 1, 0, 1])
            .for_each(|(to, from)| *to = from);
    }
    bpf::trace(program, &frame).1
}

fn table(config: &Config, scheme: &Scheme<'_>, out: &mut String) {
    let width = |names: &mut dyn Iterator<Item = usize>, least| names.max().unwrap_or(0).clamp(least, 32);
    let name = width(&mut scheme.rules.iter().map(|rule| rule.name.chars().count()), 4);
    let class = width(&mut config.classes.iter().map(|class| class.name.len()), 5);
    let _ = writeln!(out, "    #  {:<name$}  {:<class$}  packets", "rule", "class");
    for (n, rule) in (1..).zip(&scheme.rules) {
        for (m, one) in rule.matches.iter().enumerate() {
            if m > 0 {
                let _ = writeln!(out, "       {:<name$}  {:<class$}  or {one}", "", "");
                continue;
            }
            let marked = rule.set_dscp.map(|dscp| format!("; set dscp {}", value::dscp_name(dscp)));
            let marked = marked.unwrap_or_default();
            let origin = if rule.line > 0 { format!("  ({})", place(rule)) } else { String::new() };
            let _ = writeln!(
                out,
                "  {n:>3}  {:<name$}  {:<class$}  {one}{marked}{origin}",
                rule.name, rule.class
            );
        }
    }
    let rest = scheme.classes.get(scheme.default).map_or("", |class| class.name);
    let _ = writeln!(out, "       {:<name$}  {rest:<class$}  everything else\n", "");
}
