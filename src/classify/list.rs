// SPDX-License-Identifier: Apache-2.0
//! From rules to a decision list: lines of ranges, the first that holds decides.
//!
//! A field's number is the slot of scratch memory (`M[]`) the program keeps it in, and the order in which `diagram`
//! asks. An address is up to four words, so a prefix is a range of its last word behind equal words before.

use super::scheme::{Scheme, Verdict};
use super::steps::Steps;
use crate::config::rule::{Match, PORT_PROTOCOLS};
use crate::limits;
use crate::units::Prefix;
use alloc::vec::Vec;
use core::fmt::{self, Write};

/// What a packet is asked for.
pub type Field = u8;
/// The transport protocol.
pub const PROTOCOL: Field = 0;
/// The far end's port.
pub const REMOTE_PORT: Field = 1;
/// The near end's port.
pub const LOCAL_PORT: Field = 2;
/// The code point.
pub const DSCP: Field = 3;
/// Bytes of the IP packet.
pub const LENGTH: Field = 4;
/// 1: TCP without payload.
pub const BARE: Field = 5;
/// The first of four words of the far end's address.
pub const REMOTE: Field = 8;
/// The first of four words of the near end's address.
pub const LOCAL: Field = 12;

/// Ranges of one field, rising and disjoint.
pub type Ranges = Vec<(u32, u32)>;

/// One line: all its conditions hold, or the next line is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which family it is about; `None`: both.
    pub is_v6: Option<bool>,
    /// A field and what it may be, by rising field; fields that are not here may be anything.
    pub conditions: Vec<(Field, Ranges)>,
    /// What is decided.
    pub verdict: Verdict,
    /// The rule it comes from, by its place; `None` for what is not the user's to say.
    pub rule: Option<usize>,
}

impl Line {
    /// What `field` may be; `None`: anything.
    pub fn ranges(&self, field: Field) -> Option<&Ranges> {
        self.conditions.iter().find(|(known, _)| *known == field).map(|(_, ranges)| ranges)
    }

    /// How many ranges it has, and one more.
    pub fn cost(&self) -> usize {
        self.conditions.iter().fold(1, |sum, (_, ranges)| sum + ranges.len())
    }

    /// Whether it has no condition on `field` or any behind it.
    pub fn is_done(&self, field: Field) -> bool {
        self.conditions.last().is_none_or(|(last, _)| *last < field)
    }

    /// Whether it holds for every packet `other` holds for; counts the ranges that are looked at for this.
    fn covers(&self, other: &Self, looked_at: &mut usize) -> bool {
        let has_family = self.is_v6.is_none() || self.is_v6 == other.is_v6;
        has_family
            && self.conditions.iter().all(|(field, wide)| {
                let narrow = other.ranges(*field);
                *looked_at += wide.len() + narrow.map_or(0, Vec::len);
                narrow.is_some_and(|narrow| is_within(narrow, wide))
            })
    }
}

/// Whether every value of `narrow` is one of `wide`; each range is looked at once.
fn is_within(narrow: &Ranges, wide: &Ranges) -> bool {
    let mut wide = wide.iter().peekable();
    narrow.iter().all(|n| {
        while wide.next_if(|w| w.1 < n.0).is_some() {}
        wide.peek().is_some_and(|w| w.0 <= n.0 && n.1 <= w.1)
    })
}

/// What says of most pairs of lines at a glance that neither covers the other; every pair is looked at.
struct Outline {
    /// A bit for each field with a condition.
    fields: u16,
    /// The outermost values of the fields in which rules differ most.
    spans: [(u32, u32); 6],
}

impl Outline {
    fn of(line: &Line) -> Self {
        const FIELDS: [Field; 6] = [REMOTE_PORT, LOCAL_PORT, REMOTE, REMOTE + 1, LOCAL, LOCAL + 1];
        let span = |field| {
            let ranges = line.ranges(field)?;
            Some((ranges.first()?.0, ranges.last()?.1))
        };
        Self {
            fields: line.conditions.iter().fold(0, |set, (field, _)| set | 1 << field),
            spans: FIELDS.map(|field| span(field).unwrap_or((0, u32::MAX))),
        }
    }

    fn may_cover(&self, other: &Self) -> bool {
        self.fields & !other.fields == 0
            && self
                .spans
                .iter()
                .zip(&other.spans)
                .all(|(wide, narrow)| wide.0 <= narrow.0 && narrow.1 <= wide.1)
    }
}

/// The decision list of one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The lines, in order.
    pub lines: Vec<Line>,
    /// What holds when none does.
    pub default: Verdict,
    /// Whether any rule asks for TCP without payload: a packet cut off before that is odd then.
    pub asks_bare: bool,
    /// Rules of which no packet reaches any line, by their place, with the place of one that is in the way.
    pub shadowed: Vec<(usize, usize)>,
    /// What may be done to make programs of it.
    pub steps: Steps,
}

/// Makes the list; `None` if it had more than [`limits::LINES`] lines, or were too much work.
pub fn list(scheme: &Scheme<'_>) -> Option<List> {
    list_within(scheme, &Steps::default())
}

/// The same with so many steps; the list has those that are left.
pub fn list_within(scheme: &Scheme<'_>, steps: &Steps) -> Option<List> {
    let mut lines: Vec<Line> = Vec::new();
    all_lines(scheme, steps, &mut lines)?;
    let default = scheme.of_default(false);
    if scheme.of_default(true) != default {
        let all = Line { is_v6: None, conditions: Vec::new(), verdict: default, rule: None };
        lines.extend(icmp_of(&all, scheme.of_default(true)));
    }
    let (lines, shadowed) = reached(lines, steps)?;
    let asks_bare = scheme.asks_bare();
    let mut list = List { lines, default, asks_bare, shadowed, steps: steps.clone() };
    while list.lines.last().is_some_and(|line| line.verdict == default) {
        list.lines.pop();
    }
    Some(list)
}

/// Every line of every rule, also those that nothing reaches; `None` where they are too many, or too much work, with
/// those up to there.
pub fn all_lines(scheme: &Scheme<'_>, steps: &Steps, lines: &mut Vec<Line>) -> Option<()> {
    let mut add = |line: Line| {
        steps.take(line.cost())?;
        lines.push(line);
        (lines.len() <= limits::LINES).then_some(())
    };
    if let Some((prefixes, leaf)) = scheme.local.filter(|(prefixes, _)| !prefixes.is_empty()) {
        let verdict = Verdict { leaf, mark: None };
        let near = Match { remote: prefixes.to_vec(), ..Match::default() };
        expand(&near, &mut |is_v6, conditions| add(Line { is_v6, conditions, verdict, rule: None }))?;
    }
    for (n, rule) in scheme.rules.iter().enumerate() {
        let (icmp, other) = (scheme.of_rule(rule, true), scheme.of_rule(rule, false));
        for one in &rule.matches {
            expand(one, &mut |is_v6, conditions| {
                let line = Line { is_v6, conditions, verdict: other, rule: Some(n) };
                if icmp != other {
                    icmp_of(&line, icmp).try_for_each(&mut add)?;
                }
                add(line)
            })?;
        }
    }
    Some(())
}

/// The lines that are reached, and the rules that have none.
type Reached = (Vec<Line>, Vec<(usize, usize)>);

/// The lines no earlier one covers, and the rules that have none left; both in the order of the rules.
fn reached(lines: Vec<Line>, steps: &Steps) -> Option<Reached> {
    let mut kept: Vec<Line> = Vec::new();
    let mut outlines: Vec<Outline> = Vec::new();
    let mut dropped: Vec<(usize, usize)> = Vec::new();
    for line in lines {
        let outline = Outline::of(&line);
        steps.take(1 + kept.len())?;
        let is_last = |rule: Option<&(usize, usize)>| rule.is_some_and(|(rule, _)| line.rule == Some(*rule));
        let mut in_the_way = None;
        let near = outlines.iter().zip(&kept).filter(|(wide, _)| wide.may_cover(&outline));
        for (_, earlier) in near {
            let mut looked_at = 0;
            let does_cover = earlier.covers(&line, &mut looked_at);
            steps.take(looked_at)?;
            if does_cover {
                in_the_way = Some(earlier);
                break;
            }
        }
        match in_the_way {
            Some(earlier) => {
                // A rule can be in its own way; what lies nearby is no rule. A rule's lines stand together.
                let others = line.rule.zip(earlier.rule).filter(|(rule, other)| rule != other);
                let is_met = kept.last().is_some_and(|kept| kept.rule == line.rule);
                dropped.extend(others.filter(|_| !is_met && !is_last(dropped.last())));
            }
            None => {
                dropped.pop_if(|(rule, _)| line.rule == Some(*rule));
                outlines.push(outline);
                kept.push(line);
            }
        }
    }
    Some((kept, dropped))
}

/// The part of a line that is about ICMP: its own protocol in each family.
fn icmp_of(line: &Line, verdict: Verdict) -> impl Iterator<Item = Line> {
    [(false, 1), (true, 58)].into_iter().filter_map(move |(is_v6, protocol)| {
        let is_in = |ranges: &Ranges| ranges.iter().any(|(low, high)| (*low..=*high).contains(&protocol));
        if line.is_v6.is_some_and(|family| family != is_v6) || !line.ranges(PROTOCOL).is_none_or(is_in) {
            return None;
        }
        let mut conditions = alloc::vec![(PROTOCOL, alloc::vec![(protocol, protocol)])];
        conditions.extend(line.conditions.iter().filter(|(field, _)| *field != PROTOCOL).cloned());
        Some(Line { is_v6: Some(is_v6), conditions, verdict, rule: line.rule })
    })
}

/// Gives each way to meet `one`, until one is not taken: a list of prefixes longer than a word has one for each of them.
fn expand(one: &Match, give: &mut dyn FnMut(Option<bool>, Vec<(Field, Ranges)>) -> Option<()>) -> Option<()> {
    let mut common: Vec<(Field, Ranges)> = Vec::new();
    let mut condition = |field, ranges: Ranges| {
        if !ranges.is_empty() {
            common.push((field, ranges));
        }
    };
    let wide = |ranges: &[(u16, u16)]| ranges.iter().map(|(a, b)| (u32::from(*a), u32::from(*b))).collect();
    let has_ports = !one.remote_ports.is_empty() || !one.local_ports.is_empty();
    // A packet has ports only if its protocol does, so asking for both alike is free.
    let protocols: Vec<u8> = match one.protocols.as_slice() {
        [] if has_ports => PORT_PROTOCOLS.to_vec(),
        _ => one.protocols.clone(),
    };
    condition(PROTOCOL, points(protocols.iter().map(|p| u32::from(*p))));
    condition(REMOTE_PORT, wide(&one.remote_ports));
    condition(LOCAL_PORT, wide(&one.local_ports));
    condition(DSCP, points((0..64).filter(|point| one.dscps >> point & 1 == 1)));
    if let Some((low, high)) = one.length {
        let high = if high == u16::MAX { u32::MAX } else { u32::from(high) };
        condition(LENGTH, alloc::vec![(u32::from(low), high)]);
    }
    if one.is_bare {
        condition(BARE, alloc::vec![(1, 1)]);
    }
    let families: &[Option<bool>] = match (one.remote.is_empty(), one.local.is_empty()) {
        (true, true) => &[None],
        _ => &[Some(false), Some(true)],
    };
    for is_v6 in families {
        let remote = addresses(REMOTE, &one.remote, *is_v6);
        let local = addresses(LOCAL, &one.local, *is_v6);
        for far in &remote {
            for near in &local {
                let mut conditions = common.clone();
                conditions.extend(far.iter().cloned());
                conditions.extend(near.iter().cloned());
                give(*is_v6, conditions)?;
            }
        }
    }
    Some(())
}

/// The conditions of each prefix of one family; those within the first word share one.
fn addresses(field: Field, prefixes: &[Prefix], is_v6: Option<bool>) -> Vec<Vec<(Field, Ranges)>> {
    if prefixes.is_empty() {
        return alloc::vec![Vec::new()];
    }
    let mut ways = Vec::new();
    let mut short: Ranges = Vec::new();
    for prefix in prefixes.iter().filter(|prefix| Some(prefix.is_v6) == is_v6) {
        let mut words = Vec::new();
        let mut bits = u32::from(prefix.len);
        for (n, word) in (field..).zip(prefix.address.as_chunks::<4>().0) {
            if bits == 0 {
                break;
            }
            let kept = bits.min(32);
            bits -= kept;
            let low = u32::from_be_bytes(*word);
            words.push((n, alloc::vec![(low, low | u32::MAX.checked_shr(kept).unwrap_or(0))]));
        }
        match words.as_slice() {
            // A prefix of no length is all of its family.
            [] => ways.push(words),
            [(_, ranges)] => short.extend(ranges),
            _ => ways.push(words),
        }
    }
    if !short.is_empty() {
        ways.push(alloc::vec![(field, joined(short))]);
    }
    ways
}

fn points(values: impl Iterator<Item = u32>) -> Ranges {
    joined(values.map(|value| (value, value)).collect())
}

/// Sorts ranges and joins those that touch.
fn joined(mut ranges: Ranges) -> Ranges {
    ranges.sort_unstable();
    let mut out: Ranges = Vec::new();
    for (low, high) in ranges {
        match out.last_mut() {
            Some((_, end)) if low <= end.saturating_add(1) => *end = high.max(*end),
            _ => out.push((low, high)),
        }
    }
    out
}

/// One line for people: `udp remote_port 53 → 57e1:11 (dns)`.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_v6 {
            Some(true) => f.write_str("ipv6 ")?,
            Some(false) => f.write_str("ipv4 ")?,
            None => {}
        }
        for (field, ranges) in &self.conditions {
            let name = match *field {
                PROTOCOL => "proto",
                REMOTE_PORT => "remote_port",
                LOCAL_PORT => "local_port",
                DSCP => "dscp",
                LENGTH => "length",
                BARE => "bare",
                REMOTE..LOCAL => "remote",
                _ => "local",
            };
            f.write_str(name)?;
            let is_address = *field >= REMOTE;
            if is_address {
                write!(f, "[{}]", field & 3)?;
            }
            for (n, (low, high)) in ranges.iter().enumerate() {
                f.write_char(if n > 0 { ',' } else { ' ' })?;
                match (is_address, low == high) {
                    (true, true) => write!(f, "{low:#x}")?,
                    (true, false) => write!(f, "{low:#x}-{high:#x}")?,
                    (false, true) => write!(f, "{low}")?,
                    (false, false) if *high == u32::MAX => write!(f, "{low}-")?,
                    (false, false) => write!(f, "{low}-{high}")?,
                }
            }
            f.write_char(' ')?;
        }
        write!(f, "→ {}", self.verdict)
    }
}

/// `57e1:10`, `57e1:10 dscp 46`.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.leaf)?;
        self.mark.map_or(Ok(()), |mark| write!(f, " dscp {}", mark.get()))
    }
}
