// SPDX-License-Identifier: Apache-2.0
//! From rules to the filters of one direction, by engine.
//!
//! HTB: one program at the root whose answer is the class. Packets that are given a DSCP go to an *entry* first, an
//! inner class whose filters rewrite and then name the leaf; `htb_classify` asks an inner class's filters wherever in
//! the tree it is. CAKE: one program for each tin with `skbedit priority`; a returned class id would be a flow override
//! (sch_cake.c, cake_classify) and ruin fairness.

use super::shape::{self, class_handle};
use super::{Action, Bpf, Class, Filter, FilterKind, PREFERENCE, ROOT_MAJOR, Ticks, U32, u32 as cls_u32};
use crate::classify::bpf::{Assembler, JEQ_K, LD_W_ABS, RET_K};
use crate::classify::compile::{Framing, KERNEL_PROTOCOL, compile};
use crate::classify::list::{List, list};
use crate::classify::scheme::{Place, Scheme, Verdict};
use crate::classify::u32::{self as tables, Key, Node, Then};
use crate::classify::{Insn, Program, check};
use crate::config::{self, CakeTin, Config, Diffserv, Engine, Fault, Rule, Severity, Wan};
use crate::limits;
use crate::order;
use crate::units::{Dscp, Handle, Prefix, Rate, Way};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

/// `ETH_P_ALL`.
pub const ALL_PROTOCOLS: u16 = 3;
/// "This filter, with the class it has itself", which is none.
const MATCHED: u32 = u32::MAX;
/// The first entry's class; others follow in steps of 16, by leaf and DSCP.
pub const FIRST_ENTRY: u16 = 0x1000;
/// How far behind the first preference CAKE's filters begin that set a DSCP: two for each, behind those of the tins.
const FIRST_MARK: u16 = 16;

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
    let holds =
        |rule: &&Rule| rule.way.is_none_or(|only| only == way) && (!rule.is_trust || wan.trust_dscp.has(way));
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
    /// More pairs of class and DSCP than [`limits::MARKS`].
    Marks,
}

/// The filters of an HTB direction.
///
/// # Errors
/// When it would be more than the kernel or weir takes.
pub fn for_htb(scheme: &Scheme<'_>, list: &List) -> Result<Made, TooMuch> {
    let marked = marked(list);
    if marked.len() > limits::MARKS {
        return Err(TooMuch::Marks);
    }
    let mut made = Made::default();
    for (leaf, mark) in marked {
        let entry = entry(leaf, mark);
        made.classes.extend(entry_classes(entry));
        for (step, is_v6) in [(0, false), (1, true)] {
            let program = of_family(is_v6, leaf);
            made.filters.push(filter(entry, step, program, rewrite(mark, is_v6)));
        }
        // What is neither keeps its bytes and goes on.
        made.filters.push(filter(entry, 2, answer(leaf.0), Vec::new()));
    }
    let program =
        compile(list, &framing(scheme), &|verdict| destination(verdict).0).ok_or(TooMuch::Program)?;
    made.filters.push(filter(Handle::new(ROOT_MAJOR, 0), 0, program, Vec::new()));
    Ok(made)
}

/// The entry of packets for `leaf` that are given `mark`: always the same one. Were entries numbered as they come, a
/// reload would give the first ones another meaning while the old program still leads to them.
fn entry(leaf: Handle, mark: Dscp) -> Handle {
    // Leaves are 57e1:10 to 57e1:100, and one more for ICMP.
    let slot = (leaf.minor() >> 4).saturating_sub(1) & 0xf;
    let place = slot << 7 | (leaf.minor() & 1) << 6 | u16::from(mark.get());
    Handle::new(ROOT_MAJOR, FIRST_ENTRY + 0x10 * place)
}

/// The filters of an HTB direction where there is no `cls_bpf`, with what is to be said about them.
///
/// # Errors
/// When it would be more than the kernel or weir takes.
pub fn for_htb_by_u32(scheme: &Scheme<'_>, list: &List) -> Result<Made, TooMuch> {
    let marked = marked(list);
    if marked.len() > limits::MARKS {
        return Err(TooMuch::Marks);
    }
    let tables = tables::compile(scheme, &destination).ok_or(TooMuch::Program)?;
    let mut made = Made { note: left_out(scheme.way, &tables.left_out), ..Made::default() };
    let mut add = |parent, pref, kind| {
        made.filters.push(Filter { parent, pref, protocol: ALL_PROTOCOLS, kind: FilterKind::U32(kind) });
    };
    for (leaf, mark) in marked {
        let entry = entry(leaf, mark);
        made.classes.extend(entry_classes(entry));
        add(entry, cls_u32::ENTRY_PREFERENCE, rewriter(leaf, mark, scheme.header));
    }
    let nodes: Vec<_> = tables.nodes.iter().map(|node| cls_u32::node(node, Vec::new())).collect();
    let mut whole = U32 { tables: tables.tables, nodes: nodes.into(), ..U32::default() };
    whole.sort();
    add(Handle::new(ROOT_MAJOR, 0), cls_u32::ROOT_PREFERENCE, whole);
    Ok(made)
}

/// What an entry does by u32: each family's DSCP is rewritten, what is neither keeps its bytes. So does what has a tag in
/// front of its network header, or `act_csum` would look for the packet in the wrong place and leave its checksum wrong.
/// (What is taken for a tag may be the middle of a sender's address, of one in 32768: nothing of it is marked, then.)
fn rewriter(leaf: Handle, mark: Dscp, header: u16) -> U32 {
    // EtherType or version, and the family whose DSCP is rewritten.
    const ETHERNET: [(Key, Option<bool>); 4] = [
        (Key { mask: 0xffff, value: 0x8100, off: -8 }, None),
        (Key { mask: 0xffff, value: 0x88a8, off: -8 }, None),
        (Key { mask: 0xffff, value: 0x0800, off: -4 }, Some(false)),
        (Key { mask: 0xffff, value: 0x86dd, off: -4 }, Some(true)),
    ];
    const RAW: [(Key, Option<bool>); 2] = [
        (Key { mask: 0xf000_0000, value: 0x4000_0000, off: 0 }, Some(false)),
        (Key { mask: 0xf000_0000, value: 0x6000_0000, off: 0 }, Some(true)),
    ];
    let rows = if header == 0 { &RAW[..] } else { &ETHERNET };
    let rows = rows.iter().map(|(key, family)| (alloc::vec![*key], *family)).chain([(Vec::new(), None)]);
    let nodes = (1..).zip(rows).map(|(number, (keys, family))| {
        let node = Node { table: 0, bucket: 0, number, keys, then: Then::Class(leaf) };
        cls_u32::node(&node, family.map_or(Vec::new(), |is_v6| rewrite(mark, is_v6)))
    });
    U32 { nodes: nodes.collect::<Vec<_>>().into(), ..U32::default() }
}

/// Rules that are left out, as people should be told.
fn left_out(way: Way, rules: &[&Rule]) -> Option<String> {
    const NAMED: usize = 12;
    let mut text = format!(
        "the rules for {way} need more than {} nodes of u32; these are not asked:",
        limits::U32_NODES
    );
    for rule in rules.iter().take(NAMED) {
        let _ = write!(text, " '{}'", rule.name);
    }
    if rules.len() > NAMED {
        let _ = write!(text, " and {} more", rules.len() - NAMED);
    }
    (!rules.is_empty()).then_some(text)
}

/// The filters of a CAKE direction with these tins.
///
/// What a filter does goes by its preference, whatever the rules are: a reload then exchanges programs that are about
/// the same packets, one by one, and what both files want of a packet holds all the while. They are told in the order
/// in which they are to be sent: the usual tin changes when those that need not be usual any more have a filter.
///
/// # Errors
/// When it would be more than the kernel or weir takes.
pub fn for_cake(scheme: &Scheme<'_>, list: &List, config: &Config, mode: Diffserv) -> Result<Made, TooMuch> {
    let root = Handle::new(ROOT_MAJOR, 0);
    let Some(rest) = tin(mode, CakeTin::BestEffort) else { return Ok(Made::default()) };
    let tin_of = |verdict: Verdict| {
        let at = scheme.classes.iter().position(|place| place.leaf == verdict.leaf);
        // The leaf of ICMP is no class of its own here.
        let class = config.classes.get(at.unwrap_or(scheme.first));
        class.and_then(|class| tin(mode, cake_tin(class))).unwrap_or(rest)
    };
    let marks = marked(list);
    let mut tins: Vec<Handle> =
        list.lines.iter().map(|line| line.verdict).chain([scheme.of_control()]).map(tin_of).collect();
    tins.push(tin_of(list.default));
    order::rising(&mut tins);
    tins.dedup();
    let usual = tin_of(list.default);
    let mut filters: Vec<Filter> = Vec::new();
    // With marks to set behind them, filters only leave a note on the packet and let the next one see it.
    let is_last_word = marks.is_empty();
    for special in tins.into_iter().rev().filter(|one| *one != usual) {
        let returns = |verdict: Verdict| if tin_of(verdict) == special { MATCHED } else { 0 };
        let program = compile(list, &framing(scheme), &returns).ok_or(TooMuch::Program)?;
        let action = Action::Priority { priority: special, is_last_word };
        filters.push(filter(root, special.minor(), program, alloc::vec![action]));
    }
    let mut points: Vec<Dscp> = marks.iter().map(|(_, mark)| *mark).collect();
    order::rising(&mut points);
    points.dedup();
    for point in points {
        for is_v6 in [false, true] {
            let returns = |verdict: Verdict| if verdict.mark == Some(point) { MATCHED } else { 0 };
            let framing = Framing { only: Some(is_v6), ..framing(scheme) };
            let program = compile(list, &framing, &returns).ok_or(TooMuch::Program)?;
            let step = FIRST_MARK + 2 * u16::from(point.get()) + u16::from(is_v6);
            filters.push(filter(root, step, program, rewrite(point, is_v6)));
        }
    }
    // The usual tin's note comes before all others, which overwrite it where they match.
    let action = Action::Priority { priority: usual, is_last_word: false };
    filters.push(filter(root, 0, answer(MATCHED), alloc::vec![action]));
    if filters.len() > limits::MARKS {
        return Err(TooMuch::Marks);
    }
    Ok(Made { filters, ..Made::default() })
}

/// The tin of a class.
pub fn cake_tin(class: &config::Class) -> CakeTin {
    match (class.cake_tin, class.name.as_str()) {
        (CakeTin::Auto, "critical") => CakeTin::Voice,
        (CakeTin::Auto, "high") => CakeTin::Video,
        (CakeTin::Auto, "low") => CakeTin::Bulk,
        (CakeTin::Auto, _) if class.priority == 0 && !class.is_default => CakeTin::Voice,
        (CakeTin::Auto, _) => CakeTin::BestEffort,
        (chosen, _) => chosen,
    }
}

/// The priority that chooses a tin (`cake_select_tin`: minor n is the nth of `tin_order`); `None`: there is only one.
pub fn tin(mode: Diffserv, tin: CakeTin) -> Option<Handle> {
    let minor = match (mode, tin) {
        (Diffserv::Besteffort, _) => return None,
        (Diffserv::Diffserv3 | Diffserv::Diffserv4, CakeTin::Bulk) => 1,
        (Diffserv::Diffserv3 | Diffserv::Diffserv4, CakeTin::BestEffort | CakeTin::Auto) => 2,
        (Diffserv::Diffserv3, CakeTin::Video) => 2,
        (Diffserv::Diffserv3, CakeTin::Voice) | (Diffserv::Diffserv4, CakeTin::Video) => 3,
        (Diffserv::Diffserv4, CakeTin::Voice) => 4,
        (Diffserv::Diffserv8, CakeTin::Bulk) => 2,
        (Diffserv::Diffserv8, CakeTin::BestEffort | CakeTin::Auto) => 3,
        (Diffserv::Diffserv8, CakeTin::Video) => 4,
        (Diffserv::Diffserv8, CakeTin::Voice) => 7,
        // By IP precedence, 0 to 7.
        (Diffserv::Precedence, CakeTin::Bulk | CakeTin::BestEffort | CakeTin::Auto) => 1,
        (Diffserv::Precedence, CakeTin::Video) => 5,
        (Diffserv::Precedence, CakeTin::Voice) => 6,
    };
    Some(Handle::new(ROOT_MAJOR, minor))
}

/// What is wrong with the rules of a checked configuration: rules out of reach, programs too large.
///
/// # Errors
/// Every fault and warning, `warnings` among them, when there is a fault.
pub fn verify(config: &Config, warnings: Vec<Fault>) -> Result<Vec<Fault>, Vec<Fault>> {
    let mut found: Vec<Fault> = Vec::new();
    // Without a rule of one's own, everything is known to be in order.
    if config.rules.iter().all(|rule| rule.line == 0) {
        return Ok(warnings);
    }
    let mut out_of_reach: Vec<(&Rule, &Rule, Way)> = Vec::new();
    for wan in config.wans.iter().filter(|wan| wan.enabled) {
        for way in Way::ALL {
            let scheme = scheme(config, wan, way, 14, None, true);
            let made = list(&scheme).ok_or(TooMuch::Program).and_then(|list| {
                for (n, m) in &list.shadowed {
                    // What is built in may well be overruled: that is what rules are for.
                    let rule = scheme.rules.get(*n).filter(|rule| rule.line != 0);
                    out_of_reach
                        .extend(rule.zip(scheme.rules.get(*m)).map(|(rule, other)| (*rule, *other, way)));
                }
                match wan.engine {
                    Engine::Cake => for_cake(&scheme, &list, config, wan.cake.diffserv).map(|_| ()),
                    Engine::Auto | Engine::Htb => for_htb(&scheme, &list).map(|_| ()),
                }
            });
            match made {
                Ok(()) => {}
                Err(TooMuch::Program) => {
                    let fits = |most: usize| {
                        let fewer = with_own(&scheme, most);
                        list(&fewer).is_some_and(|list| for_htb(&fewer, &list).is_ok())
                    };
                    found.push(check::too_large(&scheme, &fits));
                }
                Err(TooMuch::Marks) => {
                    let text =
                        format!("more than {} pairs of class and DSCP to set for {way}", limits::MARKS);
                    found.push(Fault { severity: Severity::Fault, line: 0, option: String::new(), text });
                }
            }
        }
    }
    for (n, (rule, other, _)) in out_of_reach.iter().enumerate() {
        let is_first = !out_of_reach.iter().take(n).any(|(known, ..)| known.line == rule.line);
        let holds = |way: &Way| rule.way.is_none_or(|only| only == *way);
        let lines = config.wans.iter().filter(|wan| wan.enabled).count();
        let wanted = Way::ALL.iter().filter(|way| holds(way)).count() * lines;
        let is_everywhere =
            out_of_reach.iter().filter(|(known, ..)| known.line == rule.line).count() == wanted;
        if is_first && is_everywhere {
            found.push(check::warning(rule, other));
        }
    }
    // The door has room for so many; what is wrong with rules is said first where it refuses the file.
    found.dedup();
    let is_refused = found.iter().any(|fault| fault.severity == Severity::Fault);
    found.extend(warnings);
    found.truncate(limits::FAULTS);
    order::by_key(&mut found, |fault| fault.line);
    if is_refused { Err(found) } else { Ok(found) }
}

/// The same with only the first `most` of the file's own rules.
fn with_own<'a>(scheme: &Scheme<'a>, most: usize) -> Scheme<'a> {
    let mut left = most;
    let mut rules = scheme.rules.clone();
    rules.retain(|rule| {
        let is_kept = rule.line == 0 || left > 0;
        left -= usize::from(rule.line > 0 && left > 0);
        is_kept
    });
    Scheme { rules, ..scheme.clone() }
}

/// Rules of a checked configuration that can never match although no single one is in front of them, as warnings.
///
/// Costs more than a router should spend at each reload: for whoever asks.
pub fn out_of_reach(config: &Config) -> Vec<Fault> {
    let mut own: Vec<(&Rule, bool)> =
        config.rules.iter().filter(|rule| rule.line > 0).map(|rule| (rule, false)).collect();
    if own.is_empty() {
        return Vec::new();
    }
    for wan in config.wans.iter().filter(|wan| wan.enabled) {
        for way in Way::ALL {
            let scheme = scheme(config, wan, way, 14, None, true);
            let Some(unreached) = check::unreached(&scheme) else { return Vec::new() };
            let met = scheme.rules.iter().enumerate().filter(|(n, _)| !unreached.contains(n));
            for (_, rule) in met {
                own.iter_mut()
                    .filter(|(one, _)| one.name == rule.name)
                    .for_each(|(_, is_met)| *is_met = true);
            }
        }
    }
    own.iter().filter(|(_, is_met)| !is_met).map(|(rule, _)| check::never(rule)).collect()
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
        }
    }
    marked
}

/// Where an HTB's packets of a verdict go: to their leaf, or by the entry that marks them.
fn destination(verdict: Verdict) -> Handle {
    verdict.mark.map_or(verdict.leaf, |mark| entry(verdict.leaf, mark))
}

/// An inner class is one with a class below it; nothing is ever sent by either.
fn entry_classes(entry: Handle) -> [Class; 2] {
    let class = |parent, handle| {
        let rate = Rate::kbit(8);
        let burst = Ticks::for_bytes(rate, 1600);
        Class { parent, handle, rate, ceil: rate, burst, cburst: burst, quantum: 1600, prio: 7 }
    };
    let below = Handle::new(ROOT_MAJOR, entry.minor() + 1);
    [class(Handle::new(ROOT_MAJOR, 0), entry), class(entry, below)]
}

/// Matches the packets whose network header the kernel knows to be of one family.
fn of_family(is_v6: bool, leaf: Handle) -> Program {
    let mut asm = Assembler::default();
    let (yes, no) = (asm.label(), asm.label());
    asm.plain(LD_W_ABS, KERNEL_PROTOCOL);
    asm.branch(JEQ_K, if is_v6 { 0x86dd } else { 0x0800 }, yes, no);
    asm.place(yes);
    asm.plain(RET_K, leaf.0);
    asm.place(no);
    asm.plain(RET_K, 0);
    Program { insns: asm.finish().unwrap_or_default().into(), default: Handle(0) }
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
    use crate::config::read;

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
    fn every_leaf_and_dscp_has_an_entry_of_its_own() {
        let leaves = (1..=limits::CLASSES as u16 + 4).flat_map(|slot| [slot * 0x10, slot * 0x10 + 1]);
        let pairs = leaves.flat_map(|leaf| (0..64).map(move |n| (Handle::new(ROOT_MAJOR, leaf), n)));
        let mut entries: Vec<Handle> =
            pairs.map(|(leaf, n)| entry(leaf, Dscp::new(n).expect("below 64"))).collect();
        let count = entries.len();
        entries.sort_unstable();
        entries.dedup();
        assert_eq!(entries.len(), count);
        assert!(entries.iter().all(|entry| entry.minor() >= FIRST_ENTRY && entry.minor() % 0x10 == 0));
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
