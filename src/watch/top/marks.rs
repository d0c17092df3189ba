// SPDX-License-Identifier: Apache-2.0
//! What can be drawn in a window: blocks where it shows UTF-8, else what every terminal has.

use alloc::string::String;

/// Which characters a window shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marks {
    /// Blocks, and the letters of Latin alphabets.
    Utf8,
    /// Nothing but ASCII.
    Ascii,
}

/// How wide a cell is, and where its text stands in it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Width {
    /// At its left.
    Left(usize),
    /// At its right.
    Right(usize),
}

/// From nearly nothing to all.
const HEIGHTS: [[char; 8]; 2] =
    [['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'], ['_', '.', '-', '~', '+', '=', '*', '#']];
/// Eighths of a character.
const PARTS: [[char; 8]; 2] =
    [[' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'], ['.', '.', '.', '.', '#', '#', '#', '#']];

impl Marks {
    fn of<T: Copy>(self, both: &[T; 2]) -> T {
        let [blocks, plain] = *both;
        if self == Self::Utf8 { blocks } else { plain }
    }

    /// Between what was and what is.
    pub(super) fn arrow(self) -> &'static str {
        self.of(&["→", ">"])
    }

    /// A text in so many columns: nothing in it moves the cursor, and each character is one column wide.
    pub(super) fn clean(self, text: &str, columns: usize) -> String {
        let shown = |c: char| match c {
            ' '..='~' => c,
            // Blocks and the arrow are our own; of letters those that nothing is combined with.
            '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{24f}' | '▁'..='█' | '▉'..='▏' | '→'
                if self == Self::Utf8 =>
            {
                c
            }
            _ => '?',
        };
        let mut out: String = text.chars().take(columns).map(shown).collect();
        if text.chars().nth(columns).is_some() && out.pop().is_some() {
            out.push('~');
        }
        out.truncate(out.trim_end_matches(' ').len());
        out
    }

    /// Cells beside each other; a text that is too long for its own is cut off.
    pub(super) fn cells(self, cells: &[(&str, Width)], columns: usize) -> String {
        let mut out = String::new();
        for (text, width) in cells {
            // One column stays free before what stands at the right.
            let (text, gap) = match *width {
                Width::Left(room) => (self.clean(text, room), room),
                Width::Right(room) => (self.clean(text, room.saturating_sub(1)), room),
            };
            let gap = core::iter::repeat_n(' ', gap.saturating_sub(text.chars().count()));
            if let Width::Right(_) = width {
                out.extend(gap);
                out.push_str(&text);
            } else {
                out.push_str(&text);
                out.extend(gap);
            }
        }
        self.clean(&out, columns)
    }

    /// How much of `most` a value is.
    pub(super) fn bar(self, value: u64, most: u64, width: usize) -> String {
        let eighths = part(value, most, 8 * width as u64) as usize;
        let [_, .., full] = self.of(&HEIGHTS);
        let mut out: String = core::iter::repeat_n(full, eighths / 8).collect();
        if eighths / 8 < width {
            out.extend(self.of(&PARTS).get(eighths % 8));
            out.extend(core::iter::repeat_n(
                if self == Self::Utf8 { ' ' } else { '.' },
                width - eighths / 8 - 1,
            ));
        }
        out
    }

    /// Values one after the other, the largest of those that share a column; what nobody knows is blank.
    pub(super) fn chart(self, values: &[Option<u64>], most: u64, width: usize) -> String {
        let heights = self.of(&HEIGHTS);
        let column = |n: usize| {
            let (from, to) = (n * values.len() / width, ((n + 1) * values.len()).div_ceil(width));
            let value = values.get(from..to).into_iter().flatten().flatten().max()?;
            heights.get(part(*value, most, 7) as usize).copied()
        };
        (0..width).map(|n| column(n).unwrap_or(' ')).collect()
    }
}

/// `value` of `most`, in `steps`; not more than all of them.
fn part(value: u64, most: u64, steps: u64) -> u64 {
    (value.saturating_mul(steps).saturating_add(most / 2)).checked_div(most).unwrap_or(0).min(steps)
}
