// SPDX-License-Identifier: Apache-2.0
//! Trees and requests in the words of `tc` and `ip`, so that people can read them, and run them.

use super::diff::{Op, Ops, Verb};
use super::{Action, Bpf, Cake, Class, Filter, FilterKind, GROUP, Origin, Qdisc, QdiscKind, Stab, Tree};
use crate::classify::Program;
use crate::config::link::Cells;
use crate::config::{AckFilter, Diffserv, Isolation};
use crate::units::{DeviceName, Handle, Rate};
use alloc::format;
use alloc::string::String;
use core::fmt::{self, Write};

/// Writes the commands that would build `tree`, a line each.
///
/// # Errors
/// The writer's.
pub fn tree(tree: &Tree, out: &mut impl Write) -> fmt::Result {
    for device in &tree.devices {
        if device.origin != Origin::System {
            writeln!(out, "{}", command(&Op::AddIfb(device.name)))?;
        }
        let root = |qdisc: &&Qdisc| qdisc.parent == Handle::ROOT;
        for qdisc in device.qdiscs.iter().filter(root) {
            writeln!(out, "{}", qdisc_command("replace", &device.name, qdisc, true))?;
        }
        for class in &device.classes {
            writeln!(out, "{}", class_command("add", &device.name, class))?;
        }
        for qdisc in device.qdiscs.iter().filter(|qdisc| !root(qdisc)) {
            writeln!(out, "{}", qdisc_command("add", &device.name, qdisc, true))?;
        }
        if device.origin != Origin::System {
            writeln!(out, "{}", command(&Op::SetUp(device.name)))?;
        }
        for filter in &device.filters {
            writeln!(out, "{}", filter_command("add", &device.name, filter))?;
        }
    }
    Ok(())
}

/// Writes what `ops` would change, a line each: `+` makes, `~` alters in place, `-` removes.
///
/// # Errors
/// The writer's.
pub fn ops(ops: &Ops, out: &mut impl Write) -> fmt::Result {
    if ops.is_empty() {
        return writeln!(out, "nothing to change");
    }
    if super::diff::is_rebuild(ops) {
        writeln!(
            out,
            "# The kernel cannot make all of this in place: what is removed and made anew loses its queue."
        )?;
    }
    for op in [&ops.links, &ops.create, &ops.turn, &ops.delete].into_iter().flatten() {
        let sign = match op {
            Op::AddIfb(_) => '+',
            Op::SetUp(_) => '~',
            Op::DeleteLink(_) => '-',
            Op::Qdisc { verb, .. } | Op::Class { verb, .. } | Op::Filter { verb, .. } => match verb {
                Verb::Create | Verb::Replace => '+',
                Verb::Change => '~',
                Verb::Delete => '-',
            },
        };
        writeln!(out, "{sign} {}", command(op))?;
    }
    Ok(())
}

/// One request as a command; of a u32 classifier, which takes thousands, only how many.
pub fn command(op: &Op) -> String {
    match op {
        Op::AddIfb(name) => format!("ip link add {name} group {GROUP} type ifb"),
        Op::SetUp(name) => format!("ip link set {name} up"),
        Op::DeleteLink(name) => format!("ip link del {name}"),
        Op::Qdisc { device, verb, qdisc, options } => qdisc_command(word(*verb), device, qdisc, *options),
        Op::Class { device, verb, class } => class_command(word(*verb), device, class),
        Op::Filter { device, verb, filter } => filter_command(word(*verb), device, filter),
    }
}

/// One request in a sentence: `add fq_codel at 57e1:10 of eth0`.
pub fn describe(op: &Op) -> String {
    let doing = |verb: &Verb| match verb {
        Verb::Create | Verb::Replace => "add",
        Verb::Change => "change",
        Verb::Delete => "remove",
    };
    match op {
        Op::AddIfb(name) => format!("add the IFB device {name}"),
        Op::SetUp(name) => format!("bring {name} up"),
        Op::DeleteLink(name) => format!("remove the device {name}"),
        Op::Qdisc { device, verb, qdisc, .. } => {
            format!("{} qdisc {} at {} of {device}", doing(verb), qdisc.kind.name(), qdisc.parent)
        }
        Op::Class { device, verb, class } => format!("{} class {} of {device}", doing(verb), class.handle),
        Op::Filter { device, verb, filter } => {
            format!("{} the {} filter at {} of {device}", doing(verb), filter.kind.name(), filter.parent)
        }
    }
}

fn word(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "add",
        Verb::Replace => "replace",
        Verb::Change => "change",
        Verb::Delete => "del",
    }
}

fn qdisc_command(verb: &str, device: &DeviceName, qdisc: &Qdisc, has_options: bool) -> String {
    let mut out = format!("tc qdisc {verb} dev {device}");
    if qdisc.parent == Handle::INGRESS {
        let _ = write!(out, " {}", qdisc.kind.name());
        return out;
    }
    match qdisc.parent {
        Handle::ROOT => out.push_str(" root"),
        parent => drop(write!(out, " parent {parent}")),
    }
    let _ = write!(out, " handle {}", qdisc.handle);
    if verb == "del" {
        return out;
    }
    if let Some(stab) = &qdisc.stab {
        let _ = write!(out, " {}", Table(stab));
    }
    let _ = write!(out, " {}", qdisc.kind.name());
    if has_options {
        let _ = options(&qdisc.kind, &mut out);
    }
    out
}

fn options(kind: &QdiscKind, out: &mut impl Write) -> fmt::Result {
    match kind {
        QdiscKind::Htb(htb) => write!(out, " default {:#x} direct_qlen {}", htb.default, htb.direct_qlen),
        QdiscKind::FqCodel(leaf) => {
            let ecn = if leaf.ecn { "ecn" } else { "noecn" };
            write!(
                out,
                " limit {} flows {} target {}us interval {}us quantum {} memory_limit {} {ecn}",
                leaf.limit,
                leaf.flows,
                leaf.target_us + 1, // what has to be said to get it: see `fq_codel::canonical`
                leaf.interval_us + 1,
                leaf.quantum,
                leaf.memory_limit
            )
        }
        QdiscKind::Sfq(sfq) => {
            write!(out, " quantum {} perturb {} limit {}", sfq.quantum, sfq.perturb_period, sfq.limit)
        }
        QdiscKind::Bfifo(fifo) => write!(out, " limit {}", fifo.limit),
        QdiscKind::Cake(cake) => cake_options(cake, out),
        QdiscKind::Clsact | QdiscKind::Ingress | QdiscKind::Foreign(_) => Ok(()),
    }
}

fn cake_options(cake: &Cake, out: &mut impl Write) -> fmt::Result {
    let diffserv = match cake.diffserv {
        Diffserv::Diffserv3 => "diffserv3",
        Diffserv::Diffserv4 => "diffserv4",
        Diffserv::Diffserv8 => "diffserv8",
        Diffserv::Besteffort => "besteffort",
        Diffserv::Precedence => "precedence",
    };
    let isolation = match cake.isolation {
        Isolation::Flowblind => "flowblind",
        Isolation::Srchost => "srchost",
        Isolation::Dsthost => "dsthost",
        Isolation::Hosts => "hosts",
        Isolation::Flows => "flows",
        Isolation::DualSrchost => "dual-srchost",
        Isolation::DualDsthost => "dual-dsthost",
        Isolation::TripleIsolate => "triple-isolate",
    };
    let ack_filter = match cake.ack_filter {
        AckFilter::Off => "no-ack-filter",
        AckFilter::Filter => "ack-filter",
        AckFilter::Aggressive => "ack-filter-aggressive",
    };
    let cells = match cake.cells {
        Cells::None => "noatm",
        Cells::Atm => "atm",
        Cells::Ptm => "ptm",
    };
    let or = |is: bool, yes, no| if is { yes } else { no };
    write!(out, " bandwidth {} {diffserv} {isolation}", bits(cake.bandwidth))?;
    write!(out, " {} {}", or(cake.nat, "nat", "nonat"), or(cake.wash, "wash", "nowash"))?;
    write!(out, " {ack_filter} {}", or(cake.split_gso, "split-gso", "no-split-gso"))?;
    write!(out, " rtt {}us {}", cake.rtt_us, or(cake.ingress, "ingress", "egress"))?;
    write!(out, " overhead {} mpu {} {cells}", cake.overhead, cake.mpu)?;
    if cake.memory > 0 {
        write!(out, " memlimit {}", cake.memory)?;
    }
    if cake.fwmark > 0 { write!(out, " fwmark {:#x}", cake.fwmark) } else { Ok(()) }
}

/// A size table as near as `tc` can come to it: `tc` builds tables of its own, without PTM.
struct Table<'a>(&'a Stab);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stab { overhead, mpu, cells, .. } = *self.0;
        let linklayer = if cells == Cells::Atm { "atm" } else { "ethernet" };
        write!(f, "stab overhead {overhead} mpu {mpu} mtu 2047 tsize 512 linklayer {linklayer}")
    }
}

fn class_command(verb: &str, device: &DeviceName, class: &Class) -> String {
    let Class { parent, handle, rate, ceil, burst, cburst, quantum, prio } = *class;
    if verb == "del" {
        return format!("tc class del dev {device} classid {handle}");
    }
    format!(
        "tc class {verb} dev {device} parent {parent} classid {handle} htb rate {} ceil {} burst {}b cburst {}b quantum {quantum} prio {prio}",
        bits(rate),
        bits(ceil),
        burst.bytes(rate),
        cburst.bytes(ceil)
    )
}

fn bits(rate: Rate) -> String {
    format!("{}bit", rate.bits_per_sec())
}

fn filter_command(verb: &str, device: &DeviceName, filter: &Filter) -> String {
    let mut out = format!("tc filter {verb} dev {device}");
    match filter.parent {
        Handle::INGRESS_FILTERS => out.push_str(" ingress"),
        parent => drop(write!(out, " parent {parent}")),
    }
    let _ = write!(out, " protocol all pref {}", filter.placed());
    if verb == "del" {
        return out;
    }
    let _ = match &filter.kind {
        FilterKind::Redirect { to } => {
            write!(out, " u32 match u32 0 0 action mirred egress redirect dev {to}")
        }
        FilterKind::Bpf(Bpf { program, actions }) => {
            let _ = write!(out, " handle 1 bpf bytecode '{}'", Bytecode(program));
            actions.iter().try_for_each(|action| write!(out, " action {}", ActionText(*action)))
        }
        // Thousands of commands, that nobody would read.
        FilterKind::U32(kind) => {
            let _ = write!(out, " u32 # {} tables with {} nodes", kind.tables.len(), kind.nodes.len());
            let mut actions = kind.nodes.iter().flat_map(|node| &node.actions);
            actions.try_for_each(|action| write!(out, " action {}", ActionText(*action)))
        }
        FilterKind::Foreign(foreign) => write!(out, " {}", foreign.kind),
    };
    out
}

/// An action as `tc` takes it.
struct ActionText(Action);

impl fmt::Display for ActionText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Action::Priority { priority, is_last_word } => {
                write!(f, "skbedit priority {priority} {}", if is_last_word { "pipe" } else { "continue" })
            }
            Action::SetDscp { dscp, is_v6: false } => {
                write!(f, "pedit ex munge ip dsfield set {:#x} retain 0xfc pipe", dscp.get() << 2)
            }
            Action::SetDscp { dscp, is_v6: true } => {
                write!(f, "pedit ex munge ip6 traffic_class set {:#x} retain 0xfc pipe", dscp.get() << 2)
            }
            Action::HeaderChecksum => f.write_str("csum ip4h pipe"),
        }
    }
}

/// A program as `tc` takes it: the number of instructions, then `code jt jf k` of each.
struct Bytecode<'a>(&'a Program);

impl fmt::Display for Bytecode<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.insns.len())?;
        self.0.insns.iter().try_for_each(|i| write!(f, ",{} {} {} {}", i.code, i.jt, i.jf, i.k))
    }
}
