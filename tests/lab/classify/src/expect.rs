// SPDX-License-Identifier: Apache-2.0
//! What should become of a packet, by the rules themselves and by the interpreter of the programs; and whether it did.

use crate::checksum;
use crate::counters::Engine;
use crate::frames::Frame;
use crate::places::Place;
use crate::rules::Set;
use weir::classify::bpf;
use weir::classify::list::list;
use weir::classify::packet::{self, Seen};
use weir::classify::scheme::{Reason, Scheme, Verdict};
use weir::classify::{sight, u32};
use weir::config::Diffserv;
use weir::tc::{Action, Bpf, Filter, FilterKind, ROOT_MAJOR, classifier};
use weir::units::{Dscp, Handle};

/// IPv4 and IPv6, as the kernel calls them.
const IP: [u16; 2] = [0x0800, 0x86dd];

/// What `random::rules` calls the first one.
const FIRST_RULE: &str = "r0";

/// A deliberate error, to prove that errors are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// None.
    No,
    /// The first rule's class is another one.
    Class,
    /// Every DSCP that is set is one more.
    Dscp,
}

/// What one place is to do with packets, under one rule set.
pub struct Judge<'a> {
    place: Place,
    engine: Engine,
    set: &'a Set,
    mode: Diffserv,
    scheme: Scheme<'a>,
    filters: Vec<Filter>,
    washes: bool,
    wrong: Wrong,
}

/// What should become of one packet.
pub struct Expected {
    /// The leaf or tin.
    pub at: Handle,
    /// What is decided.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
}

impl<'a> Judge<'a> {
    /// Of a place; `None` if the line is not there or its rules make no filters.
    pub fn new(set: &'a Set, place: Place, engine: Engine, wrong: Wrong) -> Option<Self> {
        let wan = set.wan(place.line)?;
        let scheme = set.scheme(wan, place.way, place.header);
        let mode = wan.cake.diffserv;
        let list = list(&scheme)?;
        let scheme = if engine == Engine::U32 { without_left_out(scheme)? } else { scheme };
        let mut filters = match engine {
            // Its interpreter is part of weir's own tests.
            Engine::U32 => Vec::new(),
            Engine::Htb => classifier::for_htb(&scheme, &list).ok()?.filters,
            Engine::Cake => classifier::for_cake(&scheme, &list, &set.config, mode).ok()?.filters,
        };
        filters.sort_by_key(|filter| filter.pref);
        let washes = engine == Engine::Cake && set.cake_washes(wan, place.way);
        Some(Self { place, engine, set, mode, scheme, filters, washes, wrong })
    }

    /// What is to become of a frame as the root sees it.
    pub fn expect(&self, frame: &[u8]) -> Expected {
        let seen = match self.engine {
            Engine::U32 => {
                let frame = self.place.at_network_header(frame);
                sight::parse(&frame, self.place.header, self.scheme.asks_bare())
            }
            Engine::Htb | Engine::Cake => packet::parse(frame, self.place.header),
        };
        let (mut verdict, reason) = self.scheme.decide(&seen);
        if self.wrong == Wrong::Dscp {
            verdict.mark = verdict.mark.and_then(|mark| Dscp::new(mark.get() ^ 1));
        }
        if self.wrong == Wrong::Class && matches!(reason, Reason::Rule(rule) if rule.name == FIRST_RULE) {
            let other = self.scheme.classes.iter().find(|place| place.leaf != verdict.leaf);
            verdict.leaf = other.map_or(verdict.leaf, |place| place.leaf);
        }
        let reason = match reason {
            Reason::Rule(rule) => format!("rule {}", rule.name),
            other => format!("{other:?}"),
        };
        let at = match self.engine {
            Engine::Htb | Engine::U32 => verdict.leaf,
            Engine::Cake => self.tin(verdict),
        };
        Expected { at, verdict, reason }
    }

    fn tin(&self, verdict: Verdict) -> Handle {
        let at = self.scheme.classes.iter().position(|place| place.leaf == verdict.leaf);
        // The leaf of ICMP is part of the first class here.
        let class = self.set.config.classes.get(at.unwrap_or(self.scheme.first));
        let tin = class.and_then(|class| classifier::tin(self.mode, classifier::cake_tin(class)));
        tin.unwrap_or(Handle::new(ROOT_MAJOR, 1))
    }

    /// Where the interpreter of the programs sends a frame; `None` if no filter says anything.
    pub fn interpreted(&self, frame: &[u8]) -> Option<Handle> {
        if self.wrong != Wrong::No || self.engine == Engine::U32 {
            return None;
        }
        let root = Handle::new(ROOT_MAJOR, 0);
        let of = |parent: Handle| self.filters.iter().filter(move |filter| filter.parent == parent);
        let mut found = None;
        for filter in of(root) {
            let FilterKind::Bpf(Bpf { program, actions }) = &filter.kind else { continue };
            let answer = bpf::run(&program.insns, frame);
            match (self.engine, actions.first(), answer) {
                (.., 0) => {}
                (Engine::Htb | Engine::U32, ..) => {
                    // An entry's last filter has no action and names the leaf.
                    let last = of(Handle(answer)).next_back().map(|filter| &filter.kind);
                    return match last {
                        Some(FilterKind::Bpf(below)) => Some(Handle(bpf::run(&below.program.insns, frame))),
                        _ => Some(Handle(answer)),
                    };
                }
                (Engine::Cake, Some(Action::Priority { priority, is_last_word }), _) => {
                    found = Some(*priority);
                    if *is_last_word {
                        return found;
                    }
                }
                (Engine::Cake, ..) => {}
            }
        }
        found.or_else(|| (self.engine == Engine::Htb).then(|| self.scheme.of_odd().leaf))
    }

    /// Whether somebody listens where it comes out.
    pub fn is_heard(&self, frame: &Frame) -> bool {
        let Some(untagged) = self.place.untagged(&frame.bytes) else { return false };
        match (self.place.header, self.place.way) {
            // Sockets for all packets listen where uploads come out.
            (_, weir::units::Way::Up) => true,
            _ => IP.contains(&self.place.protocol(&untagged)),
        }
    }

    /// Whether what was heard is all of what was sent.
    pub fn is_whole(&self, frame: &Frame, heard: &[Vec<u8>]) -> bool {
        match (frame.layout.gso, heard) {
            (_, []) => false,
            (0, _) => true,
            (_, [one]) if one.len() == frame.bytes.len() => true,
            _ => {
                let wanted = self.payload(frame, &frame.bytes);
                wanted.is_some_and(|wanted| {
                    let got: usize =
                        heard.iter().filter_map(|one| self.payload(frame, one)).map(<[u8]>::len).sum();
                    got >= wanted.len()
                })
            }
        }
    }

    /// What a super-packet's parts carry: what is behind TCP's header, or for fragments behind IP's.
    fn payload<'b>(&self, frame: &Frame, bytes: &'b [u8]) -> Option<&'b [u8]> {
        let ip = usize::from(self.place.header);
        let first = *bytes.get(ip)?;
        let mut at = if first >> 4 == 6 { ip + 40 } else { ip + usize::from(first & 15) * 4 };
        if first >> 4 == 6 && bytes.get(ip + 6) == Some(&44) {
            at += 8;
        }
        if frame.kind != FRAGMENTS {
            at += usize::from(bytes.get(at + 12)? >> 4) * 4;
        }
        bytes.get(at..)
    }

    /// Holds what came out against what was sent; `Ok(false)`: there is nothing to compare.
    pub fn compare(&self, frame: &Frame, expected: &Expected, heard: &[Vec<u8>]) -> Result<bool, String> {
        let Some(sent) = self.place.untagged(&frame.bytes) else { return Ok(false) };
        let at_root = self.place.at_root(&frame.bytes).unwrap_or_default();
        let protocol = self.place.protocol(&at_root);
        let is_tagged = matches!(protocol, 0x8100 | 0x88a8);
        let is_ip = IP.contains(&protocol);
        if self.washes && (is_tagged || expected.reason == "Odd") {
            // CAKE looks behind tags and at whatever is there; what it clears then is not weir's to say.
            return Ok(false);
        }
        let mark = match (is_ip, self.washes) {
            (true, false) => expected.verdict.mark,
            (true, true) => Dscp::new(0),
            (false, _) => None,
        };
        let is_v6 = protocol == IP[1];
        if frame.layout.gso == 0 || matches!(heard, [one] if one.len() == sent.len()) {
            let [one] = heard else { return Err(format!("{} packets came out", heard.len())) };
            self.compare_one(frame, &sent, one, mark, is_v6)?;
        } else {
            self.compare_parts(frame, &sent, heard, mark, is_v6)?;
        }
        Ok(true)
    }

    fn compare_one(
        &self,
        frame: &Frame,
        sent: &[u8],
        got: &[u8],
        mark: Option<Dscp>,
        is_v6: bool,
    ) -> Result<(), String> {
        let ip = usize::from(self.place.header);
        let mut wanted = sent.to_vec();
        if let Some(mark) = mark {
            set_dscp(&mut wanted[ip..], mark, is_v6);
        }
        let mut got = got.to_vec();
        if got.len() != wanted.len() {
            return Err(format!("{} bytes came out, {} were sent", got.len(), wanted.len()));
        }
        if mark.is_some() && !is_v6 {
            self.check_header(frame, &sent[ip..], &got[ip..])?;
            // It has been judged.
            wanted[ip + 10..ip + 12].copy_from_slice(&[0, 0]);
            got[ip + 10..ip + 12].copy_from_slice(&[0, 0]);
        }
        if let Some((start, offset)) = frame.layout.checksum {
            let field = usize::from(start + offset);
            let is_another = got[field..field + 2] != sent[field..field + 2];
            if is_another {
                self.check_transport(&got)?;
                got[field..field + 2].copy_from_slice(&sent[field..field + 2]);
            } else if self.place.way == weir::units::Way::Up && self.check_transport(&got).is_err() {
                // One in 65,536 is made and looks as before.
                return Err("the device did not make the checksum".into());
            }
        }
        match got.iter().zip(&wanted).position(|(one, other)| one != other) {
            None => Ok(()),
            Some(at) => {
                Err(format!("byte {at} is {:02x}, not {:02x}, was {:02x}", got[at], wanted[at], sent[at]))
            }
        }
    }

    /// The header's checksum: right behind weir's actions whatever it was; CAKE only keeps it right.
    fn check_header(&self, frame: &Frame, sent: &[u8], got: &[u8]) -> Result<(), String> {
        let size = usize::from(sent[0] & 15) * 4;
        // `ip_send_check` sums up what is behind the first part of a packet without looking whether anything is there.
        let tag = frame.bytes.len() - usize::from(self.place.header) - sent.len();
        let linear = usize::from(frame.layout.linear).saturating_sub(tag);
        let is_there = size >= 20
            && sent.len() >= size
            && (frame.layout.linear == 0 || linear >= usize::from(self.place.header) + size);
        let has_to_be = if self.washes { checksum::is_header_right(sent) } else { is_there };
        match has_to_be && !checksum::is_header_right(got) {
            true => Err("the header's checksum is wrong".into()),
            false => Ok(()),
        }
    }

    fn check_transport(&self, frame: &[u8]) -> Result<(), String> {
        let Seen::Ip(packet) = packet::parse(frame, self.place.header) else {
            return Err("it is no IP any more".into());
        };
        let ip = usize::from(self.place.header);
        let at = if packet.is_v6 { ip + 40 } else { ip + usize::from(frame[ip] & 15) * 4 };
        match checksum::of_transport(&packet, &frame[at..]) {
            0 => Ok(()),
            off => Err(format!("the transport checksum is off by {off:04x}")),
        }
    }

    /// The segments or fragments the kernel made of a super-packet behind the queue.
    fn compare_parts(
        &self,
        frame: &Frame,
        sent: &[u8],
        heard: &[Vec<u8>],
        mark: Option<Dscp>,
        is_v6: bool,
    ) -> Result<(), String> {
        let ip = usize::from(self.place.header);
        let mut payload = Vec::new();
        let mut traffic_class = [sent[ip], sent[ip + 1], 0, 0];
        if let Some(mark) = mark {
            set_dscp(&mut traffic_class, mark, is_v6);
        }
        for (n, one) in heard.iter().enumerate() {
            let first = [one[ip], one[ip + 1]];
            if first != traffic_class[..2] {
                return Err(format!("part {n} begins with {first:02x?}, not {:02x?}", &traffic_class[..2]));
            }
            if !is_v6 && !checksum::is_header_right(&one[ip..]) {
                return Err(format!("part {n}: the header's checksum is wrong"));
            }
            if frame.kind != FRAGMENTS {
                self.check_transport(one).map_err(|text| format!("part {n}: {text}"))?;
            }
            payload.extend(self.payload(frame, one).ok_or("a part without payload")?);
        }
        let mut wanted = self.payload(frame, sent).unwrap_or_default().to_vec();
        if frame.kind == FRAGMENTS {
            // The datagram is whole again: with the checksum the kernel has made.
            let mut whole = sent.to_vec();
            whole.truncate(sent.len() - wanted.len());
            whole.extend(&payload);
            self.check_transport(&whole)?;
            wanted[6..8].copy_from_slice(&payload[6..8]);
        }
        if payload == wanted { Ok(()) } else { Err(format!("{} parts carry something else", heard.len())) }
    }
}

/// What is decided where u32 leaves out rules that need too many nodes.
fn without_left_out(scheme: Scheme<'_>) -> Option<Scheme<'_>> {
    let made = u32::compile(&scheme, &|verdict| verdict.leaf)?;
    let rules = scheme.rules.iter().copied().filter(|rule| !u32::is_among(rule, &made.left_out)).collect();
    Some(Scheme { rules, ..scheme })
}

/// The kind of super-packet that leaves as fragments.
pub const FRAGMENTS: &str = "gso udp fragments";

/// Writes a code point into the first two bytes of an IP header; the bits of congestion stay.
fn set_dscp(ip: &mut [u8], dscp: Dscp, is_v6: bool) {
    let n = dscp.get();
    if is_v6 {
        ip[0] = ip[0] & 0xf0 | n >> 2;
        ip[1] = ip[1] & 0x3f | n << 6;
    } else {
        ip[1] = ip[1] & 3 | n << 2;
    }
}
