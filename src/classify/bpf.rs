// SPDX-License-Identifier: Apache-2.0
//! An assembler for classic BPF with labels, and the interpreter that says what a program does.
//!
//! Read `Documentation/networking/filter.rst` of the kernel before editing. Offsets count from where the device's
//! link header starts. A load outside the packet ends the program with 0, in the kernel and here.

use super::Insn;
#[cfg(test)]
use alloc::string::String;
use alloc::vec::Vec;

/// A = the word at k.
pub const LD_W_ABS: u16 = 0x20;
/// A = the half word at k.
pub const LD_H_ABS: u16 = 0x28;
/// A = the byte at k.
pub const LD_B_ABS: u16 = 0x30;
/// A = the word at X + k.
pub const LD_W_IND: u16 = 0x40;
/// A = the half word at X + k.
pub const LD_H_IND: u16 = 0x48;
/// A = the byte at X + k.
pub const LD_B_IND: u16 = 0x50;
/// A = k.
pub const LD_IMM: u16 = 0x00;
/// A = `M[k]`.
pub const LD_MEM: u16 = 0x60;
/// A = the packet's length.
pub const LD_LEN: u16 = 0x80;
/// X = k.
pub const LDX_IMM: u16 = 0x01;
/// X = `M[k]`.
pub const LDX_MEM: u16 = 0x61;
/// `M[k]` = A.
pub const ST: u16 = 0x02;
/// X = A.
pub const TAX: u16 = 0x07;
/// A = X.
pub const TXA: u16 = 0x87;
/// A += k.
pub const ADD_K: u16 = 0x04;
/// A += X.
pub const ADD_X: u16 = 0x0c;
/// A -= X.
pub const SUB_X: u16 = 0x1c;
/// A &= k.
pub const AND_K: u16 = 0x54;
/// A <<= k.
pub const LSH_K: u16 = 0x64;
/// A >>= k.
pub const RSH_K: u16 = 0x74;
/// Go k further.
pub const JA: u16 = 0x05;
/// Whether A == k.
pub const JEQ_K: u16 = 0x15;
/// Whether A == X.
pub const JEQ_X: u16 = 0x1d;
/// Whether A > k.
pub const JGT_K: u16 = 0x25;
/// Whether A >= k.
pub const JGE_K: u16 = 0x35;
/// Whether A & k is not zero.
pub const JSET_K: u16 = 0x45;
/// The program's answer is k.
pub const RET_K: u16 = 0x06;
/// Words of scratch memory (`BPF_MEMWORDS`).
pub const MEMORY: usize = 16;

/// A place to jump to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Label(usize);

/// One line of the program before its jumps have numbers.
enum Line {
    Plain(Insn),
    /// A conditional jump; a target more than 255 instructions off needs a `ja` behind it.
    Branch {
        code: u16,
        k: u32,
        yes: Label,
        no: Label,
    },
    Jump(Label),
    Mark(Label),
}

/// Collects instructions; all jumps go forward, as classic BPF demands.
#[derive(Default)]
pub struct Assembler {
    lines: Vec<Line>,
    labels: usize,
}

impl Assembler {
    /// A label to be placed later with [`Self::place`].
    pub fn label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels - 1)
    }

    /// Puts `label` here.
    pub fn place(&mut self, label: Label) {
        self.lines.push(Line::Mark(label));
    }

    /// Appends an instruction that does not jump.
    pub fn plain(&mut self, code: u16, k: u32) {
        self.lines.push(Line::Plain(Insn { code, jt: 0, jf: 0, k }));
    }

    /// Appends instructions that do not jump.
    pub fn all(&mut self, insns: &[(u16, u32)]) {
        insns.iter().for_each(|(code, k)| self.plain(*code, *k));
    }

    /// Appends a conditional jump.
    pub fn branch(&mut self, code: u16, k: u32, yes: Label, no: Label) {
        self.lines.push(Line::Branch { code, k, yes, no });
    }

    /// Appends a jump to `yes` when the condition holds; goes on with the next instruction when not.
    pub fn when(&mut self, code: u16, k: u32, yes: Label) {
        let next = self.label();
        self.branch(code, k, yes, next);
        self.place(next);
    }

    /// Appends a jump to `no` when the condition does not hold; goes on with the next instruction when it does.
    pub fn unless(&mut self, code: u16, k: u32, no: Label) {
        let next = self.label();
        self.branch(code, k, next, no);
        self.place(next);
    }

    /// Appends an unconditional jump.
    pub fn jump(&mut self, to: Label) {
        self.lines.push(Line::Jump(to));
    }

    /// Turns labels into distances. `None` if a jump goes backward or to a label that was never placed.
    pub fn finish(self) -> Option<Vec<Insn>> {
        // From the end, for all jumps go forward: where they lead to is known by then, and what is put behind a branch
        // moves nothing that has been measured. Places count from the program's end.
        let mut places = alloc::vec![usize::MAX; self.labels];
        let mut out: Vec<Insn> = Vec::new();
        let jump = |k: usize| Some(Insn { code: JA, jt: 0, jf: 0, k: u32::try_from(k).ok()? });
        for line in self.lines.iter().rev() {
            let here = out.len();
            let distance = |label: &Label| here.checked_sub(*places.get(label.0)?);
            match line {
                Line::Mark(label) => *places.get_mut(label.0)? = here,
                Line::Plain(insn) => out.push(*insn),
                Line::Jump(to) => out.push(jump(distance(to)?)?),
                Line::Branch { code, k, yes, no } => {
                    let (yes, no) = (distance(yes)?, distance(no)?);
                    // A far target's `ja` stands right behind, that of `yes` first, and puts the other one further off.
                    let (mut is_yes_far, mut is_no_far) = (yes > 255, no > 255);
                    is_yes_far |= yes + usize::from(is_no_far) > 255;
                    is_no_far |= no + usize::from(is_yes_far) > 255;
                    let more = usize::from(is_yes_far) + usize::from(is_no_far);
                    if is_no_far {
                        out.push(jump(no)?);
                    }
                    if is_yes_far {
                        out.push(jump(yes + usize::from(is_no_far))?);
                    }
                    let jt = if is_yes_far { 0 } else { u8::try_from(yes + more).ok()? };
                    let jf = if is_no_far { u8::from(is_yes_far) } else { u8::try_from(no + more).ok()? };
                    out.push(Insn { code: *code, jt, jf, k: *k });
                }
            }
        }
        out.reverse();
        Some(out)
    }
}

/// Runs `program` over `packet` and gives what it returns; the oracle for what the kernel does.
///
/// An instruction the assembler cannot make ends the program with 0, as does running off its end.
pub fn run(program: &[Insn], packet: &[u8]) -> u32 {
    trace(program, packet).0
}

/// What [`run`] gives, and how many instructions that took.
pub fn trace(program: &[Insn], packet: &[u8]) -> (u32, usize) {
    let mut steps = 0;
    (execute(program, packet, &mut steps), steps)
}

fn execute(program: &[Insn], packet: &[u8], steps: &mut usize) -> u32 {
    let (mut a, mut x, mut at) = (0u32, 0u32, 0usize);
    let mut memory = [0u32; MEMORY];
    while let Some(insn) = program.get(at) {
        at += 1;
        *steps += 1;
        let k = insn.k;
        let slot = k as usize;
        let is_true = match insn.code {
            RET_K => return k,
            JA => {
                at = at.saturating_add(slot);
                continue;
            }
            JEQ_K => a == k,
            JEQ_X => a == x,
            JGT_K => a > k,
            JGE_K => a >= k,
            JSET_K => a & k != 0,
            ST => {
                let Some(word) = memory.get_mut(slot) else { return 0 };
                *word = a;
                continue;
            }
            LDX_IMM => {
                x = k;
                continue;
            }
            LDX_MEM => {
                let Some(word) = memory.get(slot) else { return 0 };
                x = *word;
                continue;
            }
            TAX => {
                x = a;
                continue;
            }
            code => {
                let Some(value) = load_or_compute(code, a, x, k, &memory, packet) else { return 0 };
                a = value;
                continue;
            }
        };
        at += usize::from(if is_true { insn.jt } else { insn.jf });
    }
    0
}

/// What an instruction that only changes A makes of it; `None` ends the program.
fn load_or_compute(code: u16, a: u32, x: u32, k: u32, memory: &[u32; MEMORY], packet: &[u8]) -> Option<u32> {
    let load = |start: Option<u32>, size: usize| {
        let start = start? as usize;
        let bytes = packet.get(start..start.checked_add(size)?)?;
        Some(bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)))
    };
    match code {
        LD_W_ABS => load(Some(k), 4),
        LD_H_ABS => load(Some(k), 2),
        LD_B_ABS => load(Some(k), 1),
        LD_W_IND => load(x.checked_add(k), 4),
        LD_H_IND => load(x.checked_add(k), 2),
        LD_B_IND => load(x.checked_add(k), 1),
        LD_IMM => Some(k),
        LD_MEM => memory.get(k as usize).copied(),
        LD_LEN => u32::try_from(packet.len()).ok(),
        TXA => Some(x),
        ADD_K => Some(a.wrapping_add(k)),
        ADD_X => Some(a.wrapping_add(x)),
        SUB_X => Some(a.wrapping_sub(x)),
        AND_K => Some(a & k),
        LSH_K => Some(a.checked_shl(k).unwrap_or(0)),
        RSH_K => Some(a.checked_shr(k).unwrap_or(0)),
        _ => None,
    }
}

/// What the kernel checks before it takes a program (bpf_check_classic, check_load_and_stores), for the codes above:
/// jumps within the program, a return at its end, no word of memory read that may not have been written.
#[cfg(test)]
pub(super) fn kernel_takes(program: &[Insn]) -> Result<(), String> {
    let mut known = alloc::vec![u16::MAX; program.len()];
    let mut valid = 0u16;
    for (at, insn) in program.iter().enumerate() {
        valid &= known[at];
        let bit = 1u16.checked_shl(insn.k).unwrap_or(0);
        let mut reaches = |distance: usize, valid: u16| {
            let target = known.get_mut(at + 1 + distance);
            target.map(|mask| *mask &= valid).ok_or_else(|| alloc::format!("{at}: a jump out of the program"))
        };
        match insn.code {
            ST => valid |= bit,
            LD_MEM | LDX_MEM if valid & bit == 0 => {
                return Err(alloc::format!("{at}: word {} may not have been written", insn.k));
            }
            JA => {
                reaches(insn.k as usize, valid)?;
                valid = u16::MAX;
            }
            JEQ_K | JEQ_X | JGT_K | JGE_K | JSET_K => {
                reaches(insn.jt.into(), valid)?;
                reaches(insn.jf.into(), valid)?;
                valid = u16::MAX;
            }
            _ => {}
        }
    }
    let ends = program.last().is_some_and(|last| last.code == RET_K);
    if ends { Ok(()) } else { Err("no return at the end".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_over_more_than_255_instructions_still_arrives() {
        let mut asm = Assembler::default();
        let (far, near) = (asm.label(), asm.label());
        asm.plain(LD_B_ABS, 0);
        asm.branch(JEQ_K, 7, far, near);
        asm.place(near);
        (0..400).for_each(|_| asm.plain(AND_K, 0xff));
        asm.plain(RET_K, 1);
        asm.place(far);
        asm.plain(RET_K, 2);
        let program = asm.finish().expect("all labels are placed");
        assert_eq!(run(&program, &[7]), 2);
        assert_eq!(run(&program, &[8]), 1);
    }

    #[test]
    fn a_jump_backward_is_refused() {
        let mut asm = Assembler::default();
        let start = asm.label();
        asm.place(start);
        asm.plain(AND_K, 1);
        asm.jump(start);
        assert_eq!(asm.finish(), None);
    }

    #[test]
    fn a_load_outside_the_packet_ends_with_zero() {
        let program =
            [Insn { code: LD_H_ABS, jt: 0, jf: 0, k: 12 }, Insn { code: RET_K, jt: 0, jf: 0, k: 9 }];
        assert_eq!(run(&program, &[0; 13]), 0);
        assert_eq!(run(&program, &[0; 14]), 9);
    }
}
