// SPDX-License-Identifier: Apache-2.0
//! Histories as a file, which outlives the daemon and a reboot: as small as flash wants it, and the same on every machine.
//!
//! ```text
//! "weir history 1\n" · when (8 bytes, seconds since 1970) · columns (1) · pieces … · CRC-32 (4)
//! piece: line · classes · direction and level (1) · age of its newest point (s) · points · bytes · cells by column
//! cell:  0 and a number: so many more as foretold · else its distance from what is foretold, 1 2 3 … for -1 +1 -2 …
//! ```
//!
//! Numbers without a size are of seven bits a byte, the lowest first (LEB128); the others have their highest byte first. A
//! cell is foretold to be the one before it; the least and the most of something, to be its mean. Cells are rounded: exact
//! below 128, to 0.8 % above, which is half the file. Seconds are not written: five minutes are over before anybody looks.
//! Coarse points come first, so that a file that is full lacks fine ones.

use super::history::{COLUMNS, History, Kind, LEVELS, Point};
use super::mini::{self, NONE, pack_with, unpack, unpack_with};
use crate::calendar::believed;
use crate::limits::{self, HISTORY_BYTES};
use crate::units::Time;
use alloc::string::String;
use alloc::vec::Vec;

/// The first line of a file; the number is the format's.
const HEAD: &[u8] = b"weir history 1\n";
/// Where the pieces begin.
const PIECES: usize = HEAD.len() + 8 + 1;
/// The checksum.
const CRC: usize = 4;
/// Levels that are written, in this order.
const WRITTEN: [usize; 2] = [2, 1];

/// A line that is written down.
pub type Kept<'a> = (&'a str, &'a [String], &'a History);

/// The histories of some lines at `now`, but for what [`seal`] adds; `None`: nothing is known of any.
pub fn pack(lines: &[Kept<'_>], now: Time) -> Option<Vec<u8>> {
    let mut out = HEAD.to_vec();
    out.resize(PIECES, COLUMNS.len() as u8);
    for level in WRITTEN {
        for (name, classes, history) in lines {
            for way in 0..2 {
                let Some((points, age)) = history.points(now, way, level) else { continue };
                let end = out.len();
                words(&mut out, core::iter::once(*name));
                number(&mut out, classes.len() as u64);
                words(&mut out, classes.iter().map(String::as_str));
                out.push((way | level << 1) as u8);
                number(&mut out, age.into());
                number(&mut out, points.len() as u64);
                let cells = cells(&points);
                number(&mut out, cells.len() as u64);
                out.extend(cells);
                let is_known = points.iter().any(|point| **point != Point::default());
                if !is_known || out.len() + CRC > HISTORY_BYTES {
                    out.truncate(end);
                }
            }
        }
    }
    (out.len() > PIECES).then_some(out)
}

/// The whole file of what [`pack`] gave, at `seconds` since 1970; `None`: that is no time, so nobody could tell later when
/// it was.
pub fn seal(mut packed: Vec<u8>, seconds: u64) -> Option<Vec<u8>> {
    let when = believed(seconds)?.to_be_bytes();
    packed.iter_mut().skip(HEAD.len()).zip(when).for_each(|(to, byte)| *to = byte);
    let sum = crc(&packed).to_be_bytes();
    packed.extend(sum);
    Some(packed)
}

/// Whether a file is whole and of this format.
///
/// # Errors
/// Why not.
pub fn check(bytes: &[u8]) -> Result<(), &'static str> {
    if !bytes.starts_with(HEAD) {
        let is_ours = bytes.starts_with(b"weir history ");
        return Err(if is_ours { "of another version of weir" } else { "not what weir writes" });
    }
    let (rest, sum) = bytes.split_at(bytes.len().saturating_sub(CRC));
    if sum == crc(rest).to_be_bytes() { Ok(()) } else { Err("damaged") }
}

/// What a file says.
#[derive(Debug)]
pub struct Archive<'a> {
    /// When it was written, in seconds since 1970.
    pub seconds: u64,
    /// What it holds.
    pub pieces: Vec<Piece<'a>>,
}

/// What is kept of one direction of a line at one level.
#[derive(Debug)]
pub struct Piece<'a> {
    /// The line's name.
    pub wan: &'a str,
    /// Its classes.
    pub classes: Vec<&'a str>,
    way: usize,
    level: usize,
    age: u64,
    count: u32,
    cells: &'a [u8],
}

impl<'a> Archive<'a> {
    /// Reads a file that was checked; `None`: it makes no sense all the same.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = Rest(bytes.get(..bytes.len().checked_sub(CRC)?)?.strip_prefix(HEAD)?);
        let seconds = u64::from_be_bytes(*rest.0.first_chunk()?);
        rest.take(8)?;
        (usize::from(rest.byte()?) == COLUMNS.len()).then_some(())?;
        let mut pieces = Vec::new();
        while !rest.0.is_empty() && pieces.len() < 2 * WRITTEN.len() * limits::WANS {
            pieces.push(Piece::read(&mut rest)?);
        }
        Some(Self { seconds, pieces })
    }
}

impl<'a> Piece<'a> {
    fn read(rest: &mut Rest<'a>) -> Option<Self> {
        let wan = rest.word()?;
        let mut classes = Vec::new();
        for _ in 0..rest.number()?.min(limits::CLASSES as u64) {
            classes.push(rest.word()?);
        }
        let code = usize::from(rest.byte()?);
        let (way, level) = (code & 1, code >> 1);
        let (_, most, _) = LEVELS.get(level)?;
        let age = rest.number()?;
        let count = u32::try_from(rest.number()?).ok().filter(|count| count <= most)?;
        let bytes = usize::try_from(rest.number()?).ok()?;
        let piece = Self { wan, classes, way, level, age, count, cells: rest.take(bytes)? };
        piece.cells(&mut |_, _, _| {}).map(|()| piece)
    }

    /// Gives a history what it did so many seconds before `now` it was written; its classes' part only if it has those.
    pub fn place(&self, history: &mut History, now: Time, gap: u64, has_classes: bool) {
        let place = (self.way, self.level, self.count, gap.saturating_add(self.age));
        history.recall(now, place, &mut |put| {
            let is_class = |column: usize| COLUMNS.get(column).is_some_and(|(name, _)| name.is_empty());
            self.cells(&mut |column, n, cell| {
                if has_classes || !is_class(column) {
                    put(column, n, cell);
                }
            });
        });
    }

    /// Each cell: its column, the number of its point, its value. `None`: they end too soon, or not.
    fn cells(&self, each: &mut dyn FnMut(usize, u32, u16)) -> Option<()> {
        let mut rest = Rest(self.cells);
        let mut means = alloc::vec![0; self.count as usize];
        for (column, (_, kind)) in COLUMNS.iter().enumerate() {
            let (mut before, mut run) = (0u16, 0);
            for (mean, n) in means.iter_mut().zip(0..) {
                let foretold = if is_of_mean(*kind) { *mean } else { before };
                let mut cell = foretold;
                if run > 0 {
                    run -= 1;
                } else {
                    match u16::try_from(rest.number()?).ok()? {
                        0 => run = rest.number()?.checked_sub(1)?,
                        code => cell = foretold.wrapping_add(code >> 1 ^ (code & 1).wrapping_neg()),
                    }
                }
                each(column, n, long(cell));
                before = cell;
                if *kind == Kind::Mean {
                    *mean = cell;
                }
            }
            (run == 0).then_some(())?;
        }
        rest.0.is_empty().then_some(())
    }
}

/// The cells of points, by column.
fn cells(points: &[&Point]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut base = 0;
    for (column, (_, kind)) in COLUMNS.iter().enumerate() {
        if *kind == Kind::Mean {
            base = column;
        }
        let (mut before, mut run) = (0u16, 0);
        let end = |run: &mut u64, out: &mut Vec<u8>| {
            if *run > 0 {
                out.push(0);
                number(out, core::mem::take(run));
            }
        };
        for point in points {
            let [cell, mean] =
                [column, base].map(|column| short(point.get(column).copied().unwrap_or_default()));
            let distance = cell.wrapping_sub(if is_of_mean(*kind) { mean } else { before }) as i16;
            before = cell;
            if distance == 0 {
                run += 1;
                continue;
            }
            end(&mut run, &mut out);
            number(&mut out, u64::from((distance << 1 ^ distance >> 15) as u16));
        }
        end(&mut run, &mut out);
    }
    out
}

/// Bits of the fraction of a number in the file.
const FRACTION: u32 = 6;

/// A cell as it is written.
fn short(cell: u16) -> u16 {
    pack_with(FRACTION, unpack(cell).unwrap_or(NONE))
}

/// A cell as it was written.
fn long(short: u16) -> u16 {
    mini::pack(unpack_with(FRACTION, short).unwrap_or(NONE))
}

/// Whether it is near the mean of the same, which is the last one before it.
const fn is_of_mean(kind: Kind) -> bool {
    matches!(kind, Kind::Least | Kind::Most | Kind::Quantile(_))
}

/// Writes a number, seven bits a byte.
fn number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Writes each with its length before it.
fn words<'a>(out: &mut Vec<u8>, words: impl Iterator<Item = &'a str>) {
    for word in words {
        number(out, word.len() as u64);
        out.extend(word.as_bytes());
    }
}

/// CRC-32 as Ethernet has it. By the bit: a table would be larger than the whole of this file is as a program.
fn crc(bytes: &[u8]) -> u32 {
    let mut sum = !0u32;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = sum >> 1 ^ (0xedb8_8320 & (sum & 1).wrapping_neg());
        }
    }
    !sum
}

/// What is left to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn word(&mut self) -> Option<&'a str> {
        let count = usize::try_from(self.number()?).ok()?;
        core::str::from_utf8(self.take(count)?).ok()
    }
}

#[cfg(test)]
mod tests;
