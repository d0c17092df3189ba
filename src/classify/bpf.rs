// SPDX-License-Identifier: Apache-2.0
//! An assembler for classic BPF with labels, and the interpreter that says what a program does.
//!
//! Read `Documentation/networking/filter.rst` of the kernel before editing. Offsets count from where the device's
//! link header starts. A load outside the packet ends the program with 0, in the kernel and here.

use super::Insn;
use alloc::vec::Vec;

/// `BPF_LD | BPF_W | BPF_IND`: A = the word at X + k.
pub const LD_W_IND: u16 = 0x40;
/// `BPF_LD | BPF_H | BPF_IND`.
pub const LD_H_IND: u16 = 0x48;
/// `BPF_LD | BPF_B | BPF_IND`.
pub const LD_B_IND: u16 = 0x50;
/// `BPF_LD | BPF_H | BPF_ABS`: A = the half word at k.
pub const LD_H_ABS: u16 = 0x28;
/// `BPF_LD | BPF_B | BPF_ABS`.
pub const LD_B_ABS: u16 = 0x30;
/// `BPF_LDX | BPF_W | BPF_IMM`: X = k.
pub const LDX_IMM: u16 = 0x01;
/// `BPF_ALU | BPF_AND | BPF_K`.
pub const AND_K: u16 = 0x54;
/// `BPF_ALU | BPF_RSH | BPF_K`.
pub const RSH_K: u16 = 0x74;
/// `BPF_JMP | BPF_JA`: go k further.
pub const JA: u16 = 0x05;
/// `BPF_JMP | BPF_JEQ | BPF_K`.
pub const JEQ_K: u16 = 0x15;
/// `BPF_JMP | BPF_JGT | BPF_K`.
pub const JGT_K: u16 = 0x25;
/// `BPF_JMP | BPF_JGE | BPF_K`.
pub const JGE_K: u16 = 0x35;
/// `BPF_RET | BPF_K`.
pub const RET_K: u16 = 0x06;

/// A place to jump to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(usize);

/// One line of the program before its jumps have numbers.
enum Line {
    Plain(Insn),
    /// A conditional jump; `is_far` when a target is more than 255 instructions off and needs `ja` steps.
    Branch {
        code: u16,
        k: u32,
        yes: Label,
        no: Label,
        is_far: bool,
    },
    Jump(Label),
    Mark(Label),
}

impl Line {
    /// How many instructions the line becomes.
    fn len(&self) -> usize {
        match self {
            Self::Plain(_) | Self::Jump(_) => 1,
            Self::Branch { is_far, .. } => {
                if *is_far {
                    3
                } else {
                    1
                }
            }
            Self::Mark(_) => 0,
        }
    }
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

    /// Appends a conditional jump.
    pub fn branch(&mut self, code: u16, k: u32, yes: Label, no: Label) {
        self.lines.push(Line::Branch { code, k, yes, no, is_far: false });
    }

    /// Appends a jump to `yes` when the condition holds; goes on with the next instruction when not.
    pub fn when(&mut self, code: u16, k: u32, yes: Label) {
        let next = self.label();
        self.branch(code, k, yes, next);
        self.place(next);
    }

    /// Appends an unconditional jump.
    pub fn jump(&mut self, to: Label) {
        self.lines.push(Line::Jump(to));
    }

    /// Turns labels into distances. `None` if a jump goes backward or to a label that was never placed.
    pub fn finish(mut self) -> Option<Vec<Insn>> {
        // Making one branch far moves others, so repeat until nothing changes; each round can only add.
        loop {
            let places = self.places();
            let mut at = 0;
            let mut has_grown = false;
            for line in &mut self.lines {
                if let Line::Branch { yes, no, is_far, .. } = line {
                    let beyond =
                        |label: &Label| places.get(label.0).copied().flatten().is_none_or(|p| p > at + 256);
                    if !*is_far && (beyond(yes) || beyond(no)) {
                        *is_far = true;
                        has_grown = true;
                    }
                }
                at += line.len();
            }
            if !has_grown {
                return self.emit(&places);
            }
        }
    }

    /// Where each label stands.
    fn places(&self) -> Vec<Option<usize>> {
        let mut places = alloc::vec![None; self.labels];
        let mut at = 0;
        for line in &self.lines {
            if let Line::Mark(label) = line
                && let Some(place) = places.get_mut(label.0)
            {
                *place = Some(at);
            }
            at += line.len();
        }
        places
    }

    fn emit(&self, places: &[Option<usize>]) -> Option<Vec<Insn>> {
        let mut out = Vec::new();
        let distance = |from: usize, label: &Label| {
            let to = places.get(label.0).copied().flatten()?;
            u32::try_from(to.checked_sub(from + 1)?).ok()
        };
        for line in &self.lines {
            let at = out.len();
            match line {
                Line::Mark(_) => {}
                Line::Plain(insn) => out.push(*insn),
                Line::Jump(to) => out.push(Insn { code: JA, jt: 0, jf: 0, k: distance(at, to)? }),
                Line::Branch { code, k, yes, no, is_far: false } => {
                    let jt = u8::try_from(distance(at, yes)?).ok()?;
                    let jf = u8::try_from(distance(at, no)?).ok()?;
                    out.push(Insn { code: *code, jt, jf, k: *k });
                }
                Line::Branch { code, k, yes, no, is_far: true } => {
                    out.push(Insn { code: *code, jt: 0, jf: 1, k: *k });
                    out.push(Insn { code: JA, jt: 0, jf: 0, k: distance(at + 1, yes)? });
                    out.push(Insn { code: JA, jt: 0, jf: 0, k: distance(at + 2, no)? });
                }
            }
        }
        Some(out)
    }
}

/// Runs `program` over `packet` and gives what it returns; the oracle for what the kernel does.
///
/// An instruction the assembler cannot make ends the program with 0, as does running off its end.
pub fn run(program: &[Insn], packet: &[u8]) -> u32 {
    let (mut a, mut x, mut at) = (0u32, 0u32, 0usize);
    while let Some(insn) = program.get(at) {
        at += 1;
        let k = insn.k;
        let indirect = (x as usize).checked_add(k as usize);
        let is_true = match insn.code {
            RET_K => return k,
            LDX_IMM => {
                x = k;
                continue;
            }
            AND_K => {
                a &= k;
                continue;
            }
            RSH_K => {
                a = a.checked_shr(k).unwrap_or(0);
                continue;
            }
            JA => {
                at = at.saturating_add(k as usize);
                continue;
            }
            LD_H_ABS | LD_B_ABS | LD_W_IND | LD_H_IND | LD_B_IND => {
                let (start, size) = match insn.code {
                    LD_H_ABS => (Some(k as usize), 2),
                    LD_B_ABS => (Some(k as usize), 1),
                    LD_W_IND => (indirect, 4),
                    LD_H_IND => (indirect, 2),
                    _ => (indirect, 1),
                };
                let Some(bytes) = start.and_then(|s| packet.get(s..s.checked_add(size)?)) else { return 0 };
                a = bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
                continue;
            }
            JEQ_K => a == k,
            JGT_K => a > k,
            JGE_K => a >= k,
            _ => return 0,
        };
        at += usize::from(if is_true { insn.jt } else { insn.jf });
    }
    0
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
