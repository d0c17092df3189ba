// SPDX-License-Identifier: Apache-2.0
//! Lines and words as libuci cuts them, with its positions.
//!
//! libuci works in one C string that it shortens in place, and its oddities follow from that: a word that lost its
//! quotes leaves a gap behind which a `;` still separates commands, while an unquoted word overwrites the `;` behind it
//! with its own end; a NUL in the file ends the line where it stands; the byte in an error is a place in that buffer.
//! So this keeps the same buffer, with the same growth, and is checked against the real tool's verdicts.

use alloc::vec::Vec;

/// The buffer's size at first (libuci's `LINEBUF`); where a line with a NUL is cut depends on it.
const FIRST_SIZE: usize = 32;
/// The largest buffer libuci can still read into: `fgets` takes an `int`. Every line with a NUL doubles the buffer, and
/// past this libuci runs out of memory or reads nothing for ever.
const MOST_SIZE: usize = 1 << 30;

/// A reason to refuse the file, in libuci's words.
pub(super) type Reason = &'static str;

/// The buffer of one file being read.
pub(super) struct Words<'a> {
    input: &'a [u8],
    read: usize,
    is_eof: bool,
    buffer: Vec<u8>,
    size: usize,
    filled: usize,
    /// The place of the next byte in the buffer.
    pub(super) pos: usize,
    /// Newlines read so far, which is what libuci calls the line.
    pub(super) line: u32,
    /// Whether the last line read ended with a newline.
    is_line_whole: bool,
}

impl<'a> Words<'a> {
    /// Begins at the start of `input`.
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self {
            input,
            read: 0,
            is_eof: false,
            buffer: Vec::new(),
            size: FIRST_SIZE,
            filled: 0,
            pos: 0,
            line: 0,
            is_line_whole: true,
        }
    }

    /// Takes the next line into an empty buffer; `false` at the end of the file.
    pub(super) fn next_line(&mut self) -> Result<bool, Reason> {
        if self.is_eof {
            return Ok(false);
        }
        self.pos = 0;
        self.get_line(0)?;
        Ok(true)
    }

    /// The line people would say this is, from 1.
    pub(super) fn line_for_people(&self) -> u32 {
        self.line + u32::from(!self.is_line_whole)
    }

    /// Whether the line holds anything.
    pub(super) fn is_empty(&self) -> bool {
        self.byte(0) == 0
    }

    fn byte(&self, at: usize) -> u8 {
        self.buffer.get(at).copied().unwrap_or(0)
    }

    fn set(&mut self, at: usize, byte: u8) {
        if at >= self.buffer.len() {
            self.buffer.resize(at + 1, 0);
        }
        if let Some(place) = self.buffer.get_mut(at) {
            *place = byte;
        }
    }

    fn current(&self) -> u8 {
        self.byte(self.pos)
    }

    /// Reads a line to `offset` of the buffer, which grows as libuci's does.
    fn get_line(&mut self, offset: usize) -> Result<(), Reason> {
        if offset + 1 >= self.size {
            self.grow()?;
        }
        let mut at = offset;
        loop {
            self.set(at, 0);
            let room = self.size.saturating_sub(at).saturating_sub(1);
            let (chunk, is_end) = self.take(room);
            if is_end {
                return Ok(());
            }
            for (n, byte) in chunk.iter().enumerate() {
                self.set(at + n, *byte);
            }
            self.set(at + chunk.len(), 0);
            let length = chunk.iter().position(|byte| *byte == 0).unwrap_or(chunk.len());
            if length == 0 {
                return Ok(());
            }
            at += length;
            self.filled = at;
            self.is_line_whole = self.byte(at - 1) == b'\n';
            if self.is_line_whole {
                self.line += 1;
                return Ok(());
            }
            self.grow()?;
        }
    }

    /// Doubles what the buffer may hold; nothing is allocated before it is filled.
    fn grow(&mut self) -> Result<(), Reason> {
        if self.size >= MOST_SIZE {
            return Err("too many NUL bytes");
        }
        self.size *= 2;
        Ok(())
    }

    /// At most `room` bytes up to and with the next newline; whether the file had already ended.
    fn take(&mut self, room: usize) -> (&'a [u8], bool) {
        let rest = self.input.get(self.read..).unwrap_or_default();
        if room == 0 {
            return (&[], false);
        }
        if rest.is_empty() {
            self.is_eof = true;
            return (&[], true);
        }
        let window = rest.get(..room.min(rest.len())).unwrap_or(rest);
        let length = match window.iter().position(|byte| *byte == b'\n') {
            Some(newline) => newline + 1,
            None => {
                self.is_eof = rest.len() < room; // asked for more than there was
                window.len()
            }
        };
        self.read += length;
        (window.get(..length).unwrap_or(window), false)
    }

    /// Moves to the next byte that is not white space.
    pub(super) fn skip_space(&mut self) {
        while is_space(self.current()) {
            self.pos += 1;
        }
    }

    /// The command word here, up to a blank or tab; `None` when the line is used up. The blank behind it becomes its end.
    pub(super) fn command(&mut self) -> Option<&[u8]> {
        let is_blank = |byte| byte == b' ' || byte == b'\t';
        let mut start = self.pos;
        while is_blank(self.byte(start)) {
            start += 1;
        }
        if self.byte(start) == 0 {
            return None;
        }
        let mut end = start;
        while self.byte(end) != 0 && !is_blank(self.byte(end)) {
            end += 1;
        }
        if self.byte(end) != 0 {
            self.set(end, 0);
        }
        self.buffer.get(start..end)
    }

    /// Steps over the command word, or says that nothing follows it.
    pub(super) fn skip_command(&mut self) -> Option<()> {
        let after = self.pos + self.text(self.pos).len() + 1;
        if after > self.filled {
            return None;
        }
        self.pos = after;
        Some(())
    }

    /// The C string at `at`.
    pub(super) fn text(&self, at: usize) -> &[u8] {
        let rest = self.buffer.get(at..).unwrap_or_default();
        let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    /// The place of the next word, which may be empty.
    pub(super) fn word(&mut self) -> Result<usize, Reason> {
        self.skip_space();
        let start = self.pos;
        if self.current() == b';' {
            self.set(self.pos, 0);
            self.pos += 1;
        } else {
            self.cut(start)?;
        }
        Ok(start)
    }

    /// Cuts a word: quoted and bare pieces, glued, moved together from `end` on.
    fn cut(&mut self, mut end: usize) -> Result<(), Reason> {
        let mut is_separated = false;
        loop {
            match self.current() {
                b'\'' => self.single_quoted(&mut end)?,
                b'"' => self.double_quoted(&mut end)?,
                b'#' => {
                    self.set(self.pos, 0);
                    break;
                }
                0 => break,
                b';' => {
                    is_separated = true;
                    break;
                }
                b'\\' => {
                    if self.backslash()? {
                        self.keep(&mut end);
                    }
                }
                _ => self.keep(&mut end),
            }
            if self.current() == 0 || is_space(self.current()) {
                break;
            }
        }
        // The white space here is about to be overwritten by the word's end, if the word is as long as it was.
        if self.current() != 0 && !is_separated {
            self.pos += 1;
        }
        self.set(end, 0);
        Ok(())
    }

    fn single_quoted(&mut self, end: &mut usize) -> Result<(), Reason> {
        self.pos += 1;
        loop {
            match self.current() {
                b'\'' => {
                    self.pos += 1;
                    return Ok(());
                }
                0 => self.next_quoted_line("EOF with unterminated '")?,
                _ => self.keep(end),
            }
        }
    }

    fn double_quoted(&mut self, end: &mut usize) -> Result<(), Reason> {
        self.pos += 1;
        loop {
            match self.current() {
                b'"' => {
                    self.pos += 1;
                    return Ok(());
                }
                0 => self.next_quoted_line("EOF with unterminated \"")?,
                b'\\' => {
                    if self.backslash()? {
                        self.keep(end);
                    }
                }
                _ => self.keep(end),
            }
        }
    }

    fn next_quoted_line(&mut self, reason: Reason) -> Result<(), Reason> {
        self.get_line(self.pos)?;
        if self.current() == 0 { Err(reason) } else { Ok(()) }
    }

    /// Steps over a backslash; at the end of the line it fetches the next one and there is nothing to keep.
    fn backslash(&mut self) -> Result<bool, Reason> {
        self.pos += 1;
        let is_line_end = match self.current() {
            0 | b'\n' => true,
            b'\r' => self.byte(self.pos + 1) == b'\n' && self.byte(self.pos + 2) == 0,
            _ => false,
        };
        if is_line_end {
            self.get_line(self.pos)?;
        }
        Ok(!is_line_end)
    }

    fn keep(&mut self, end: &mut usize) {
        self.set(*end, self.current());
        *end += 1;
        self.pos += 1;
    }
}

/// C's `isspace`.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}
