// SPDX-License-Identifier: Apache-2.0
//! From a decision list to one classic BPF program.
//!
//! The program finds the IP header, puts what the rules ask about into scratch memory, one load each, and then only
//! compares. Where the header's place is certain (an untagged frame, no IP options, no extension headers) loads are
//! absolute, which the kernel makes direct accesses; the rest takes a slower way to the same comparisons. A load beyond
//! the packet ends the program with 0, which is the default class. Read `packet` for what each odd packet is.

use super::Program;
use super::bpf::{
    ADD_K, ADD_X, AND_K, Assembler, JEQ_K, JEQ_X, JGE_K, JGT_K, JSET_K, LD_B_ABS, LD_B_IND, LD_H_ABS,
    LD_H_IND, LD_IMM, LD_LEN, LD_MEM, LD_W_ABS, LD_W_IND, LDX_IMM, LDX_MEM, LSH_K, Label, RET_K, RSH_K, ST,
    SUB_X, TAX, TXA,
};
use super::diagram::{Diagram, Target};
use super::list::{BARE, DSCP, Field, LENGTH, LOCAL, LOCAL_PORT, Line, List, PROTOCOL, REMOTE, REMOTE_PORT};
use super::packet::{ICMPV6, TCP};
use super::scheme::Verdict;
use super::steps::Steps;
use crate::config::rule::PORT_PROTOCOLS;
use crate::limits;
use crate::units::{Handle, Way};
use alloc::vec::Vec;

/// The slot that keeps where the IP header begins.
const BASE: u32 = 6;
/// A slot for sums; between segments, the root the packet came by.
const SPARE: u32 = 7;
/// The four ways to a decision: each family with and without ports.
const ROOTS: [(bool, bool); 4] = [(false, true), (false, false), (true, true), (true, false)];

/// What a program is made of beside its list.
pub struct Framing {
    /// Which way packets go.
    pub way: Way,
    /// Bytes of link header: 14 (Ethernet) or 0 (PPP, raw IP).
    pub header: u16,
    /// The verdict on what the line lives on.
    pub control: Verdict,
    /// Only packets whose network header the kernel knows to be of this family are answered for.
    pub only: Option<bool>,
}

/// `SKF_AD_OFF + SKF_AD_PROTOCOL`: the packet's EtherType as the kernel knows it.
pub const KERNEL_PROTOCOL: u32 = 0xffff_f000;

/// Compiles; `returns` says what the program returns for a verdict. `None` if it would exceed [`limits::PROGRAM`].
///
/// Packets nothing is known of leave with 0; the caller's hook takes that for the default.
pub fn compile(list: &List, framing: &Framing, returns: &dyn Fn(Verdict) -> u32) -> Option<Program> {
    // One diagram is the fastest. Where TCP and UDP part only at the end of a long list, it has all that stands before
    // twice; cut in pieces, what is alike for both is there once.
    [1, 2, 4].into_iter().find_map(|pieces| in_pieces(list, framing, returns, pieces))
}

/// The same from a list cut in so many pieces, each asked when those before it say nothing.
pub(super) fn in_pieces(
    list: &List,
    framing: &Framing,
    returns: &dyn Fn(Verdict) -> u32,
    pieces: usize,
) -> Option<Program> {
    let rest = returns(list.default);
    let lines: Vec<(&Line, u32)> = list.lines.iter().map(|line| (line, returns(line.verdict))).collect();
    let segments = segments(&lines, rest, pieces, &list.steps)?;
    // What is odd depends on what is asked; a rule that no packet reaches asks, too.
    let bare = if list.asks_bare { 1 << BARE } else { 0 };
    let mut compiler = Compiler {
        asm: Assembler::default(),
        framing,
        uses: uses(&segments) | bare,
        is_split: segments.len() > 1,
        roots: [Label::default(); 4],
        control: Label::default(),
    };
    compiler.prologue();
    compiler.decide(&segments, rest);
    compiler.asm.place(compiler.control);
    compiler.asm.plain(RET_K, returns(framing.control));
    // Never reached; it keeps the promise that the last instruction returns the default class.
    compiler.asm.plain(RET_K, rest);
    let insns = compiler.asm.finish()?;
    (insns.len() <= limits::PROGRAM).then(|| Program { insns: insns.into(), default: Handle(rest) })
}

/// Lines that became one diagram, with where each root begins.
struct Segment<'a> {
    diagram: Diagram<'a>,
    roots: [Target; 4],
}

/// Makes diagrams of a list: one of each piece if that stays small, else of its halves. The last knows what holds in the
/// end.
fn segments<'a>(
    lines: &[(&Line, u32)],
    rest: u32,
    pieces: usize,
    steps: &'a Steps,
) -> Option<Vec<Segment<'a>>> {
    let mut done: Vec<Segment<'_>> = Vec::new();
    let size = lines.len().div_ceil(pieces).max(1);
    let mut waiting: Vec<_> = lines.chunks(size).rev().collect();
    if waiting.is_empty() {
        waiting.push(lines);
    }
    let mut parts = 0;
    while let Some(lines) = waiting.pop() {
        let last = if waiting.is_empty() { Target::Answer(rest) } else { Target::Fall };
        // A few parts for each range is what lists of one kind need; rules that mix all fields freely need thousands.
        let ranges = lines.iter().flat_map(|(line, _)| &line.conditions).map(|(_, ranges)| ranges.len());
        let budget = 96 + 2 * lines.len() + 6 * ranges.sum::<usize>();
        // What no work is left for is not tried in smaller pieces.
        let budget = if lines.len() < 2 { usize::MAX } else { budget };
        let made = segment(lines, last, Diagram::new(budget, steps));
        match made {
            Some(segment) => {
                parts += segment.diagram.nodes.iter().map(|node| node.parts.len()).sum::<usize>();
                done.push(segment);
            }
            None if steps.left() == 0 => return None,
            None => {
                let (first, second) = lines.split_at(lines.len() / 2);
                waiting.extend([second, first]);
            }
        }
        if parts > 2 * limits::PROGRAM {
            return None;
        }
    }
    Some(done)
}

fn segment<'a>(lines: &[(&Line, u32)], last: Target, mut diagram: Diagram<'a>) -> Option<Segment<'a>> {
    let mut roots = [Target::Fall; 4];
    for (root, (is_v6, has_ports)) in roots.iter_mut().zip(ROOTS) {
        let can_hold = |line: &Line| {
            let needs_ports =
                [REMOTE_PORT, LOCAL_PORT, BARE].iter().any(|field| line.ranges(*field).is_some());
            line.is_v6.is_none_or(|family| family == is_v6) && (has_ports || !needs_ports)
        };
        let active: Vec<u32> =
            (0u32..).zip(lines).filter(|(_, (line, _))| can_hold(line)).map(|(n, _)| n).collect();
        *root = diagram.add(lines, &active, last)?;
    }
    Some(Segment { diagram, roots })
}

/// A bit for each field some node asks for.
fn uses(segments: &[Segment<'_>]) -> u16 {
    segments.iter().flat_map(|s| &s.diagram.nodes).fold(0, |set, node| set | 1 << node.field)
}

struct Compiler<'a> {
    asm: Assembler,
    framing: &'a Framing,
    /// A bit for each field that is asked for.
    uses: u16,
    /// Whether there are several segments, so that every root must leave every slot filled.
    is_split: bool,
    roots: [Label; 4],
    control: Label,
}

impl Compiler<'_> {
    fn uses(&self, field: Field) -> bool {
        self.uses >> field & 1 == 1
    }

    fn uses_any(&self, fields: core::ops::Range<Field>) -> bool {
        fields.into_iter().any(|field| self.uses(field))
    }

    /// Finds the header, fills the slots, and goes to one of the roots.
    fn prologue(&mut self) {
        self.control = self.asm.label();
        self.roots = [(); 4].map(|()| self.asm.label());
        let (fast4, fast6) = (self.asm.label(), self.asm.label());
        let (slow4, slow6) = (self.asm.label(), self.asm.label());
        if let Some(is_v6) = self.framing.only {
            let ours = self.asm.label();
            self.asm.plain(LD_W_ABS, KERNEL_PROTOCOL);
            self.asm.when(JEQ_K, if is_v6 { 0x86dd } else { 0x0800 }, ours);
            self.asm.plain(RET_K, 0);
            self.asm.place(ours);
        }
        if self.uses(BARE) {
            self.fill(BARE, 0);
        }
        let base = u32::from(self.framing.header);
        if base == 0 {
            // PPP and raw IP devices show qdiscs the bare IP packet.
            self.asm.all(&[(LD_B_ABS, 0), (RSH_K, 4)]);
            self.asm.when(JEQ_K, 4, fast4);
            self.asm.branch(JEQ_K, 6, fast6, self.control);
        } else {
            self.ethernet(fast4, fast6, slow4, slow6);
        }
        self.fast_v4(fast4, slow4, base);
        self.fast_v6(fast6, slow6, base);
        self.slow_v4(slow4);
        self.slow_v6(slow6);
    }

    /// An untagged frame goes the fast way; behind tags and PPPoE, X is where IP begins.
    fn ethernet(&mut self, fast4: Label, fast6: Label, slow4: Label, slow6: Label) {
        let asm = &mut self.asm;
        asm.plain(LD_H_ABS, 12);
        asm.when(JEQ_K, 0x0800, fast4);
        asm.when(JEQ_K, 0x86dd, fast6);
        let mut at = 12;
        let pppoe = asm.label();
        for _ in 0..2 {
            let tagged = asm.label();
            asm.when(JEQ_K, 0x8100, tagged);
            asm.when(JEQ_K, 0x88a8, tagged);
            asm.plain(LDX_IMM, at + 2);
            asm.when(JEQ_K, 0x0800, slow4);
            asm.when(JEQ_K, 0x86dd, slow6);
            asm.branch(JEQ_K, 0x8864, pppoe, self.control);
            asm.place(tagged);
            at += 4;
            asm.plain(LD_H_ABS, at);
        }
        asm.plain(LDX_IMM, at + 2);
        asm.when(JEQ_K, 0x0800, slow4);
        asm.when(JEQ_K, 0x86dd, slow6);
        asm.branch(JEQ_K, 0x8864, pppoe, self.control);
        asm.place(pppoe);
        // Version, code, session and length: six bytes; then the protocol of PPP.
        asm.plain(LD_H_IND, 6);
        let (pppoe4, pppoe6) = (asm.label(), asm.label());
        asm.when(JEQ_K, 0x0021, pppoe4);
        asm.branch(JEQ_K, 0x0057, pppoe6, self.control);
        for (entry, slow) in [(pppoe4, slow4), (pppoe6, slow6)] {
            asm.place(entry);
            asm.all(&[(TXA, 0), (ADD_K, 8), (TAX, 0)]);
            asm.jump(slow);
        }
    }

    fn fill(&mut self, slot: Field, value: u32) {
        self.asm.plain(LD_IMM, value);
        self.asm.plain(ST, u32::from(slot));
    }

    /// A goes into the slot of a field.
    fn keep(&mut self, field: Field) {
        self.asm.plain(ST, u32::from(field));
    }

    /// Leaves with the default class unless the packet holds `size` bytes behind X, or behind `base`.
    fn holds(&mut self, base: Option<u32>, size: u32, odd: Label) {
        self.asm.plain(LD_LEN, 0);
        if base.is_none() {
            self.asm.plain(SUB_X, 0);
        }
        self.asm.unless(JGE_K, base.unwrap_or(0) + size, odd);
    }

    fn fast_v4(&mut self, entry: Label, slow: Label, base: u32) {
        self.asm.place(entry);
        let (odd, options) = (self.asm.label(), self.asm.label());
        self.holds(Some(base), 20, odd);
        if self.uses(DSCP) || self.uses(LENGTH) || self.uses(BARE) {
            // Version, header length, DSCP and total length are one word.
            self.asm.plain(LD_W_ABS, base);
            self.asm.all(&[(TAX, 0), (RSH_K, 24)]);
            self.asm.unless(JEQ_K, 0x45, options);
            if self.uses(DSCP) {
                self.asm.all(&[(TXA, 0), (RSH_K, 18), (AND_K, 0x3f)]);
                self.keep(DSCP);
            }
            if self.uses(LENGTH) || self.uses(BARE) {
                self.asm.all(&[(TXA, 0), (AND_K, 0xffff)]);
                self.keep(LENGTH);
            }
        } else {
            self.asm.plain(LD_B_ABS, base);
            self.asm.unless(JEQ_K, 0x45, options);
        }
        self.addresses_v4(Some(base));
        self.asm.plain(LD_B_ABS, base + 9);
        self.keep(PROTOCOL);
        let later = self.no_ports(1);
        self.asm.plain(LD_H_ABS, base + 6);
        self.asm.when(JSET_K, 0x1fff, later);
        self.transport(Some(base + 20), Some(20), 0, later);
        self.asm.place(options);
        self.asm.plain(LDX_IMM, base);
        self.asm.jump(slow);
        self.asm.place(odd);
        self.asm.plain(RET_K, 0);
    }

    fn slow_v4(&mut self, entry: Label) {
        self.asm.place(entry);
        let odd = self.asm.label();
        self.holds(None, 20, odd);
        self.asm.all(&[(TXA, 0), (ST, BASE), (LD_B_IND, 0)]);
        self.asm.when(JGT_K, 0x4f, odd);
        self.asm.unless(JGE_K, 0x45, odd);
        if self.uses(DSCP) {
            self.asm.all(&[(LD_B_IND, 1), (RSH_K, 2)]);
            self.keep(DSCP);
        }
        if self.uses(LENGTH) || self.uses(BARE) {
            self.asm.plain(LD_H_IND, 2);
            self.keep(LENGTH);
        }
        self.addresses_v4(None);
        self.asm.plain(LD_B_IND, 9);
        self.keep(PROTOCOL);
        let later = self.no_ports(1);
        self.asm.plain(LD_H_IND, 6);
        self.asm.when(JSET_K, 0x1fff, later);
        self.asm.all(&[(LD_B_IND, 0), (AND_K, 0xf), (LSH_K, 2), (ADD_X, 0), (TAX, 0)]);
        self.transport(None, None, 0, later);
        self.asm.place(odd);
        self.asm.plain(RET_K, 0);
    }

    fn fast_v6(&mut self, entry: Label, slow: Label, base: u32) {
        self.asm.place(entry);
        let (odd, chain) = (self.asm.label(), self.asm.label());
        self.holds(Some(base), 40, odd);
        self.asm.plain(LD_B_ABS, base + 6);
        self.keep(PROTOCOL);
        // Extension headers go the slow way.
        for kind in [0, 43, 44, 51, 60] {
            self.asm.when(JEQ_K, kind, chain);
        }
        if self.uses(DSCP) {
            self.asm.plain(LD_H_ABS, base);
            self.asm.all(&[(RSH_K, 6), (AND_K, 0x3f)]);
            self.keep(DSCP);
        }
        if self.uses(LENGTH) || self.uses(BARE) {
            self.asm.plain(LD_H_ABS, base + 4);
            self.asm.plain(ADD_K, 40);
            self.keep(LENGTH);
        }
        self.addresses_v6(Some(base));
        let none = self.no_ports(3);
        self.transport(Some(base + 40), Some(40), 2, none);
        self.asm.place(chain);
        self.asm.plain(LDX_IMM, base);
        self.asm.jump(slow);
        self.asm.place(odd);
        self.asm.plain(RET_K, 0);
    }

    fn slow_v6(&mut self, entry: Label) {
        self.asm.place(entry);
        let odd = self.asm.label();
        self.holds(None, 40, odd);
        self.asm.all(&[(TXA, 0), (ST, BASE)]);
        if self.uses(DSCP) {
            self.asm.all(&[(LD_H_IND, 0), (RSH_K, 6), (AND_K, 0x3f)]);
            self.keep(DSCP);
        }
        if self.uses(LENGTH) || self.uses(BARE) {
            self.asm.all(&[(LD_H_IND, 4), (ADD_K, 40)]);
            self.keep(LENGTH);
        }
        self.addresses_v6(None);
        let none = self.no_ports(3);
        let done = self.asm.label();
        self.asm.plain(LD_B_IND, 6);
        self.keep(PROTOCOL);
        self.asm.all(&[(TXA, 0), (ADD_K, 40), (TAX, 0)]);
        for _ in 0..limits::EXTENSIONS {
            self.extension(done, none);
        }
        self.asm.place(done);
        self.transport(None, None, 2, none);
        self.asm.place(odd);
        self.asm.plain(RET_K, 0);
    }

    /// Steps over one extension header at X, or goes to `done`; a later fragment goes to `none`.
    fn extension(&mut self, done: Label, none: Label) {
        let asm = &mut self.asm;
        let (options, authentication, fragment, next) = (asm.label(), asm.label(), asm.label(), asm.label());
        asm.plain(LD_MEM, u32::from(PROTOCOL));
        for kind in [0, 43, 60] {
            asm.when(JEQ_K, kind, options);
        }
        asm.when(JEQ_K, 44, fragment);
        asm.branch(JEQ_K, 51, authentication, done);
        for (label, more, shift) in [(options, 1, 3), (authentication, 2, 2)] {
            asm.place(label);
            asm.plain(LD_B_IND, 1);
            asm.plain(ADD_K, more);
            asm.plain(LSH_K, shift);
            asm.all(&[(ST, SPARE), (LD_B_IND, 0)]);
            asm.plain(ST, u32::from(PROTOCOL));
            asm.all(&[(LD_MEM, SPARE), (ADD_X, 0), (TAX, 0)]);
            asm.jump(next);
        }
        asm.place(fragment);
        asm.all(&[(LD_H_IND, 2), (ST, SPARE), (LD_B_IND, 0)]);
        asm.plain(ST, u32::from(PROTOCOL));
        asm.plain(LD_MEM, SPARE);
        asm.when(JSET_K, 0xfff8, none);
        asm.all(&[(TXA, 0), (ADD_K, 8), (TAX, 0)]);
        asm.place(next);
    }

    /// Fills the slots of addresses from a header at `base`, or at X.
    fn addresses_v4(&mut self, base: Option<u32>) {
        let (far, near) = match self.framing.way {
            Way::Up => (16, 12),
            Way::Down => (12, 16),
        };
        for (first, offset) in [(REMOTE, far), (LOCAL, near)] {
            if self.uses(first) {
                self.word(base, offset);
                self.keep(first);
            }
            let others = first + 1..first + 4;
            if self.is_split && self.uses_any(others.clone()) {
                for field in others {
                    if self.uses(field) {
                        self.fill(field, 0);
                    }
                }
            }
        }
    }

    fn addresses_v6(&mut self, base: Option<u32>) {
        let (far, near) = match self.framing.way {
            Way::Up => (24, 8),
            Way::Down => (8, 24),
        };
        for (first, offset) in [(REMOTE, far), (LOCAL, near)] {
            for (n, field) in (0..4u32).zip(first..) {
                if self.uses(field) {
                    self.word(base, offset + 4 * n);
                    self.keep(field);
                }
            }
        }
    }

    fn word(&mut self, base: Option<u32>, offset: u32) {
        match base {
            Some(base) => self.asm.plain(LD_W_ABS, base + offset),
            None => self.asm.plain(LD_W_IND, offset),
        }
    }

    /// Where packets without ports go: the root itself, or what fills their slots first.
    fn no_ports(&mut self, root: usize) -> Label {
        self.roots.get(root).copied().unwrap_or_default()
    }

    /// Reads ports (and whether TCP is bare) of a header at `at`, or at X, and goes to the root with ports; what has
    /// none goes to `none`. `offset` is where the transport header is from the IP header, if that is certain.
    fn transport(&mut self, at: Option<u32>, offset: Option<u32>, root: usize, none: Label) {
        let is_v6 = root == 2;
        let (tcp, ports) = (self.asm.label(), self.asm.label());
        self.asm.plain(LD_MEM, u32::from(PROTOCOL));
        for protocol in PORT_PROTOCOLS {
            let is_asked = protocol == TCP && self.uses(BARE);
            self.asm.when(JEQ_K, u32::from(protocol), if is_asked { tcp } else { ports });
        }
        if is_v6 {
            // Multicast listeners, router and neighbour discovery: without them there is no line.
            self.asm.unless(JEQ_K, u32::from(ICMPV6), none);
            self.byte(at, 0);
            self.asm.when(JEQ_K, 143, self.control);
            self.asm.when(JGT_K, 137, none);
            self.asm.unless(JGE_K, 130, none);
            self.asm.jump(self.control);
        } else {
            self.asm.jump(none);
        }
        if self.uses(BARE) {
            self.asm.place(tcp);
            self.bare(at, offset);
        }
        self.asm.place(ports);
        let (far, near) = match self.framing.way {
            Way::Up => (LOCAL_PORT, REMOTE_PORT),
            Way::Down => (REMOTE_PORT, LOCAL_PORT),
        };
        self.word(at, 0);
        // `far` is the upper half: the source.
        if self.uses(far) || self.uses(near) {
            self.asm.all(&[(TAX, 0), (RSH_K, 16)]);
            self.keep(far);
            self.asm.all(&[(TXA, 0), (AND_K, 0xffff)]);
            self.keep(near);
        }
        let to = self.roots.get(root).copied().unwrap_or_default();
        self.asm.jump(to);
    }

    fn byte(&mut self, at: Option<u32>, offset: u32) {
        match at {
            Some(at) => self.asm.plain(LD_B_ABS, at + offset),
            None => self.asm.plain(LD_B_IND, offset),
        }
    }

    /// TCP is bare when its headers are all of the packet. X stays as it is.
    fn bare(&mut self, at: Option<u32>, offset: Option<u32>) {
        let (yes, no) = (self.asm.label(), self.asm.label());
        self.byte(at, 12);
        self.asm.all(&[(AND_K, 0xf0), (RSH_K, 2)]);
        match offset {
            Some(offset) => {
                self.asm.plain(ADD_K, offset);
                self.asm.plain(LDX_MEM, u32::from(LENGTH));
                self.asm.branch(JEQ_X, 0, yes, no);
            }
            None => {
                // Where its headers end, and where the packet does.
                self.asm.all(&[(ADD_X, 0), (ST, SPARE), (TXA, 0)]);
                self.asm.plain(ST, u32::from(BARE));
                self.asm.plain(LDX_MEM, BASE);
                self.asm.plain(LD_MEM, u32::from(LENGTH));
                self.asm.all(&[(ADD_X, 0), (LDX_MEM, SPARE), (SUB_X, 0)]);
                // X again, before the slot gets its meaning.
                self.asm.plain(LDX_MEM, u32::from(BARE));
                self.asm.branch(JEQ_K, 0, yes, no);
            }
        }
        let done = self.asm.label();
        self.asm.place(yes);
        self.fill(BARE, 1);
        self.asm.jump(done);
        self.asm.place(no);
        if offset.is_none() {
            self.fill(BARE, 0);
        }
        self.asm.place(done);
    }

    /// The comparisons of every segment; `rest` is returned where none decides.
    fn decide(&mut self, segments: &[Segment<'_>], rest: u32) {
        let mut entries = self.roots;
        if self.is_split {
            // Which root a packet came by must be known again at the next segment.
            let begin = self.asm.label();
            for (n, root) in (0u32..).zip(self.roots) {
                self.wall();
                self.asm.place(root);
                if !ROOTS.get(n as usize).is_some_and(|(_, has_ports)| *has_ports) {
                    self.fill(REMOTE_PORT, 0);
                    self.fill(LOCAL_PORT, 0);
                }
                self.asm.plain(LD_IMM, n);
                self.asm.plain(ST, SPARE);
                self.asm.jump(begin);
            }
            self.asm.place(begin);
        }
        for (n, segment) in segments.iter().enumerate() {
            let is_last = n + 1 == segments.len();
            let fall = self.asm.label();
            if self.is_split {
                entries = [(); 4].map(|()| self.asm.label());
                self.asm.plain(LD_MEM, SPARE);
                for (n, entry) in (0u32..).zip(entries).take(3) {
                    self.asm.when(JEQ_K, n, entry);
                }
                let [.., last] = entries;
                self.asm.jump(last);
            }
            self.segment(segment, &entries, if is_last { None } else { Some(fall) }, rest);
            self.wall();
            self.asm.place(fall);
        }
    }

    /// Never run. The kernel's check (check_load_and_stores) takes the line behind a return for one that is reached from
    /// it, with what was in memory there; behind a jump it asks who really comes.
    fn wall(&mut self) {
        self.asm.jump(self.control);
    }

    /// One diagram: nodes stand behind all that lead to them, for jumps only go forward.
    fn segment(&mut self, segment: &Segment<'_>, entries: &[Label; 4], fall: Option<Label>, rest: u32) {
        let labels: Vec<Label> = segment.diagram.nodes.iter().map(|_| self.asm.label()).collect();
        let to = Exits { labels: &labels, fall, rest };
        // Roots that decide at once; the others begin at their node.
        let mut at_nodes: Vec<(u32, Label)> = Vec::new();
        for (root, entry) in segment.roots.iter().zip(entries) {
            match root {
                Target::Node(n) => at_nodes.push((*n, *entry)),
                Target::Answer(answer) => {
                    self.asm.place(*entry);
                    self.asm.plain(RET_K, *answer);
                }
                Target::Fall => {
                    self.asm.place(*entry);
                    match fall {
                        Some(fall) => self.asm.jump(fall),
                        None => self.asm.plain(RET_K, rest),
                    }
                }
            }
        }
        for (n, node) in segment.diagram.nodes.iter().enumerate().rev() {
            let n = n as u32;
            self.wall();
            at_nodes.iter().filter(|(root, _)| *root == n).for_each(|(_, entry)| self.asm.place(*entry));
            if let Some(label) = labels.get(n as usize) {
                self.asm.place(*label);
            }
            self.asm.plain(LD_MEM, u32::from(node.field));
            self.search(&node.parts, &to);
        }
    }

    /// A balanced search for the part that holds A; the last part takes what is left.
    fn search(&mut self, parts: &[(u32, Target)], to: &Exits<'_>) {
        match parts {
            [] => {}
            [(_, only)] => self.exit(*only, to),
            // One value among others that all lead elsewhere.
            [(before, around), (point, other), (_, also)]
                if around == also && *point == before.wrapping_add(1) =>
            {
                self.branch(JEQ_K, *point, &[(*point, *other)], &[(*point, *around)], to);
            }
            _ => {
                let half = parts.len() / 2;
                let (low, high) = parts.split_at(half);
                let Some((last, _)) = low.last() else { return };
                // Cut inside a gap between two points rather than at its edge: both halves are then points in gaps.
                let is_gap = |n: usize| {
                    let part = |n: usize| parts.get(n);
                    n >= 2
                        && matches!((part(n - 2), part(n - 1), part(n), part(n + 2)),
                            (Some((a, x)), Some((b, _)), Some((c, y)), Some((_, z)))
                            if x == y && y == z && *b == a.wrapping_add(1) && *c > b.wrapping_add(1))
                };
                if is_gap(half) {
                    let (low, high) = (parts.get(..=half).unwrap_or_default(), high);
                    self.branch(JGT_K, last.wrapping_add(1), high, low, to);
                } else if half > 1 && is_gap(half - 1) {
                    let before = parts.get(half - 2).map_or(*last, |(last, _)| last.wrapping_add(1));
                    let high = parts.get(half - 1..).unwrap_or_default();
                    self.branch(JGT_K, before.wrapping_add(1), high, low, to);
                } else {
                    self.branch(JGT_K, *last, high, low, to);
                }
            }
        }
    }

    /// A comparison; what leads to one place only is jumped to, or returned from right here.
    fn branch(&mut self, code: u16, k: u32, yes: &[(u32, Target)], no: &[(u32, Target)], to: &Exits<'_>) {
        let sides = [no, yes].map(|parts| {
            let direct = match parts {
                [(_, Target::Node(n))] => to.labels.get(*n as usize).copied(),
                [(_, Target::Fall)] => to.fall,
                _ => None,
            };
            (direct.unwrap_or_else(|| self.asm.label()), direct.is_none(), parts)
        });
        let [(no_label, ..), (yes_label, ..)] = sides;
        self.asm.branch(code, k, yes_label, no_label);
        for (label, is_here, parts) in sides {
            if is_here {
                self.asm.place(label);
                self.search(parts, to);
            }
        }
    }

    fn exit(&mut self, target: Target, to: &Exits<'_>) {
        match (target, to.fall) {
            (Target::Node(n), _) => {
                if let Some(label) = to.labels.get(n as usize) {
                    self.asm.jump(*label);
                }
            }
            (Target::Answer(answer), _) => self.asm.plain(RET_K, answer),
            (Target::Fall, Some(fall)) => self.asm.jump(fall),
            (Target::Fall, None) => self.asm.plain(RET_K, to.rest),
        }
    }
}

/// Where the parts of a segment lead.
struct Exits<'a> {
    labels: &'a [Label],
    fall: Option<Label>,
    rest: u32,
}
