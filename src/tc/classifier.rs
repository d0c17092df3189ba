// SPDX-License-Identifier: Apache-2.0
//! From rules to the filters of one direction, by engine.
//!
//! HTB: one program at the root whose answer is the class. Packets that are given a DSCP go to an *entry* first, an
//! inner class whose filters rewrite and then name the leaf; `htb_classify` asks an inner class's filters wherever in
//! the tree it is. CAKE: one program for each tin with `skbedit priority`; a returned class id would be a flow override
//! (sch_cake.c, cake_classify) and ruin fairness.

use super::shape::{self, class_handle};
use super::{Action, Bpf, Class, Filter, FilterKind, PREFERENCE};
use crate::classify::bpf::RET_K;
use crate::classify::compile::Framing;
use crate::classify::list::List;
use crate::classify::scheme::{Place, Scheme};
use crate::classify::{Insn, Program};
use crate::config::{Config, Rule, Wan};
use crate::limits;
use crate::units::{Dscp, Handle, Prefix, Way};
use alloc::string::String;
use alloc::vec::Vec;

mod cake;
mod htb;
mod verify;

pub use cake::{cake_tin, for_cake, tin};
pub use htb::{FIRST_ENTRY, for_htb, for_htb_by_u32};
pub use verify::{out_of_reach, verify};

/// `ETH_P_ALL`.
pub const ALL_PROTOCOLS: u16 = 3;

/// The rules, classes and choices of one direction of a line. `marks`: whether the kernel can rewrite DSCPs.
pub fn scheme<'a>(
    config: &'a Config,
    wan: &Wan,
    way: Way,
    header: u16,
    local: Option<&'a [Prefix]>,
    marks: bool,
) -> Scheme<'a> {
    let classes = &config.classes;
    let holds = |rule: &&Rule| {
        let is_about = rule.way.is_none_or(|only| only == way) && !rule.is_off;
        is_about && (!rule.is_trust || wan.trust_dscp.has(way))
    };
    let places = classes.iter().enumerate().map(|(n, class)| Place {
        name: class.name.as_str(),
        leaf: class_handle(classes, n),
        set_dscp: class.set_dscp(way).filter(|_| marks),
    });
    let first = shape::first_class(classes);
    Scheme {
        way,
        header,
        rules: config.rules.iter().filter(holds).collect(),
        classes: places.collect(),
        default: classes.iter().position(|class| class.is_default).unwrap_or(0),
        first,
        icmp: Some(shape::icmp_handle(classes)),
        wash: marks && wan.wash.has(way),
        marks,
        local: local.map(|prefixes| (prefixes, shape::UNSHAPED)),
    }
}

/// What a classifier adds to a direction's tree.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// Entries, each with the class below it that makes it an inner one.
    pub classes: Vec<Class>,
    /// Filters, those of entries before what leads to them.
    pub filters: Vec<Filter>,
    /// What people should know of it.
    pub note: Option<String>,
}

/// Why there is no classifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooMuch {
    /// The decision list or its program is too long.
    Program,
    /// More pairs of class and DSCP than [`crate::limits::MARKS`].
    Marks,
}

fn framing(scheme: &Scheme<'_>) -> Framing {
    Framing { way: scheme.way, header: scheme.header, control: scheme.of_control(), only: None }
}

/// The leaves whose packets are given a DSCP, with it, each pair once, in the order of the list.
fn marked(list: &List) -> Vec<(Handle, Dscp)> {
    let mut marked: Vec<(Handle, Dscp)> = Vec::new();
    for verdict in list.lines.iter().map(|line| line.verdict).chain([list.default]) {
        if let Some(pair) = verdict.mark.map(|mark| (verdict.leaf, mark))
            && !marked.contains(&pair)
        {
            marked.push(pair);
            if marked.len() > limits::MARKS {
                break;
            }
        }
    }
    marked
}

/// Always this answer.
fn answer(k: u32) -> Program {
    Program { insns: [Insn { code: RET_K, jt: 0, jf: 0, k }].into(), default: Handle(k) }
}

fn rewrite(dscp: Dscp, is_v6: bool) -> Vec<Action> {
    let edit = Action::SetDscp { dscp, is_v6 };
    // The header of IPv6 has no checksum, and no other counts the traffic class.
    if is_v6 { alloc::vec![edit] } else { alloc::vec![edit, Action::HeaderChecksum] }
}

fn filter(parent: Handle, step: u16, program: Program, actions: Vec<Action>) -> Filter {
    Filter {
        parent,
        pref: PREFERENCE + step,
        protocol: ALL_PROTOCOLS,
        kind: FilterKind::Bpf(Bpf { program, actions }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::list::list;
    use crate::config::{Diffserv, read};
    use crate::limits;

    const VOICE: &str =
        "config rule 'voice'\n option class 'high'\n list remote_port '5060'\n option set_dscp '46'\n";
    const BEFORE: &str =
        "config rule 'before'\n option class 'low'\n list remote_port '7'\n option set_dscp '8'\n";

    fn config(rules: &[&str]) -> Config {
        let text = format!("config wan 'w'\n option upload '5mbit'\n{}", rules.concat());
        read::load(text.as_bytes()).expect("a right file").0
    }

    fn filters(config: &Config, is_cake: bool) -> Vec<Filter> {
        let wan = config.wans.first().expect("one");
        let scheme = scheme(config, wan, Way::Up, 14, None, true);
        let list = list(&scheme).expect("a short list");
        let made = match is_cake {
            true => for_cake(&scheme, &list, config, Diffserv::Diffserv4),
            false => for_htb(&scheme, &list),
        };
        made.expect("few marks").filters
    }

    #[test]
    fn a_reload_with_another_mark_in_front_changes_no_filter_of_the_packets_behind() {
        let (old, new) = (config(&[VOICE]), config(&[BEFORE, VOICE]));
        for is_cake in [false, true] {
            let new = filters(&new, is_cake);
            let old = filters(&old, is_cake);
            assert!(new.len() > old.len());
            for filter in &old {
                let same = new.iter().find(|new| (new.parent, new.pref) == (filter.parent, filter.pref));
                let same = same.expect("nothing of it goes");
                let (FilterKind::Bpf(was), FilterKind::Bpf(is)) = (&filter.kind, &same.kind) else {
                    panic!()
                };
                // What is done stays; programs at the root know more packets than before.
                assert_eq!(was.actions, is.actions, "{:x}", filter.pref);
                assert!(filter.parent.minor() == 0 || was.program == is.program, "{}", filter.parent);
            }
        }
    }

    #[test]
    fn the_services_and_400_rules_beside_them_fit_into_u32() {
        let ports = (0..400).map(|n| {
            let class = if n % 2 == 0 { "high" } else { "low" };
            let port = 20_000 + 3 * n;
            format!("config rule 'r{n}'\n option class '{class}'\n option proto 'udp'\n list remote_port '{port}'\n")
        });
        let ports: Vec<String> = ports.collect();
        let ports: Vec<&str> = ports.iter().map(String::as_str).collect();
        for (rules, most) in [(&[][..], limits::U32_NODES / 2), (&ports, limits::U32_NODES)] {
            let config = config(rules);
            let wan = config.wans.first().expect("one");
            for way in Way::ALL {
                let scheme = scheme(&config, wan, way, 14, None, true);
                let list = list(&scheme).expect("a short list");
                let made = for_htb_by_u32(&scheme, &list).expect("few marks");
                assert_eq!(made.note, None);
                let [Filter { kind: FilterKind::U32(kind), .. }] = &made.filters[..] else {
                    panic!("{:?}", made.filters)
                };
                assert!((most / 2..most).contains(&kind.nodes.len()), "{way}: {} nodes", kind.nodes.len());
            }
        }
    }

    #[test]
    fn no_filter_has_a_preference_that_is_not_ours() {
        let marks = (0..6).map(|n| {
            format!(
                "config rule 'r{n}'\n option class 'low'\n list remote_port '{}'\n option set_dscp '{}'\n",
                n + 7,
                63 - n
            )
        });
        let texts: Vec<String> = marks.collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        for is_cake in [false, true] {
            let filters = filters(&config(&texts), is_cake);
            assert!(filters.iter().all(super::super::diff::is_own_filter));
        }
    }
}
