// SPDX-License-Identifier: Apache-2.0
//! What is to be written to the bus: whole messages in a queue that never outgrows its limit.
//!
//! Framing as in [`super::attr`] and [`super::field`], the other way round.

use super::attr::{EXTENDED, LENGTH_MASK, word};
use super::field::kind;
use crate::limits::{UBUS_IDLE, UBUS_OUTPUT};
use crate::scribe::{Scribe, Shape};
use alloc::vec::Vec;
use core::fmt::{self, Write};

/// The queue. All messages weir sends are multiples of four bytes long, so its beginning stays aligned.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    /// Bytes at the beginning that have gone out.
    sent: usize,
    /// Something of the message being written did not fit.
    is_full: bool,
    /// Something was left out of it, so that it does fit.
    is_cut: bool,
    /// A whole message was lost.
    is_lossy: bool,
}

/// Where a message began.
#[derive(Clone, Copy)]
pub(super) struct Begun(usize);

impl Outbox {
    /// What is to be written next.
    pub(super) fn waiting(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    /// Forgets `count` bytes that have been written.
    pub(super) fn sent(&mut self, count: usize) {
        self.sent = self.bytes.len().min(self.sent.saturating_add(count));
        let whole = self.sent & !3; // what is left stays aligned
        self.bytes.drain(..whole);
        self.sent -= whole;
        if self.bytes.is_empty() && self.bytes.capacity() > UBUS_IDLE {
            self.bytes = Vec::new();
        }
    }

    /// Whether a message was lost because the reader is slow: the connection is of no use any more.
    pub(super) fn is_lossy(&self) -> bool {
        self.is_lossy
    }

    /// Gives the connection up.
    pub(super) fn lose(&mut self) {
        self.is_lossy = true;
    }

    /// Begins a message.
    pub(super) fn begin(&mut self, kind: u8, seq: u16, peer: u32) -> Begun {
        let begun = Begun(self.bytes.len());
        self.is_cut = false;
        let [seq0, seq1] = seq.to_be_bytes();
        self.put(&[0, kind, seq0, seq1]);
        self.put(&peer.to_be_bytes());
        self.open(0);
        begun
    }

    /// Ends the message; `false` if there was no room, then nothing of it is sent.
    pub(super) fn end(&mut self, Begun(start): Begun) -> bool {
        if !self.is_full {
            self.close(start + 8);
            return true;
        }
        self.cancel(Begun(start));
        // To blame is the message if it does not fit in half of the queue, else the slow reader.
        self.is_lossy |= start > UBUS_OUTPUT / 2;
        false
    }

    /// Takes the message back.
    pub(super) fn cancel(&mut self, Begun(start): Begun) {
        self.bytes.truncate(start);
        self.is_full = false;
    }

    pub(super) fn put(&mut self, bytes: &[u8]) {
        if self.is_full || self.bytes.len() + bytes.len() > UBUS_OUTPUT {
            self.is_full = true;
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// Begins an attribute; give the result to [`Self::close`].
    pub(super) fn open(&mut self, id: u8) -> usize {
        let start = self.bytes.len();
        self.put(&[id, 0, 0, 0]);
        start
    }

    pub(super) fn close(&mut self, start: usize) {
        let length = (self.bytes.len() - start) as u32 & LENGTH_MASK; // UBUS_OUTPUT is far less
        let head = u32::from_be_bytes(word(&self.bytes, start).unwrap_or_default()) | length;
        for (to, from) in self.bytes.iter_mut().skip(start).zip(head.to_be_bytes()) {
            *to = from;
        }
        self.pad();
    }

    fn pad(&mut self) {
        while !self.bytes.len().is_multiple_of(4) && !self.is_full {
            self.put(&[0]);
        }
    }

    pub(super) fn attr(&mut self, id: u8, payload: &[u8]) {
        let start = self.open(id);
        self.put(payload);
        self.close(start);
    }

    pub(super) fn number(&mut self, id: u8, number: u32) {
        self.attr(id, &number.to_be_bytes());
    }

    pub(super) fn text(&mut self, id: u8, text: &str) {
        let start = self.open(id);
        self.put(text.as_bytes());
        self.put(&[0]);
        self.close(start);
    }

    /// Writes the fields that `write` gives as attribute `id`.
    pub(super) fn fields(&mut self, id: u8, write: impl FnOnce(&mut Writer<'_>)) {
        let start = self.open(id);
        write(&mut Writer { out: self, starts: [0; DEPTH], depth: 0 });
        self.close(start);
    }
}

impl Write for Outbox {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes());
        Ok(())
    }
}

/// Bytes that are left free behind rows that fit, for what ends a document.
const TAIL: usize = 512;

/// How deep answers nest, and then some.
const DEPTH: usize = 12;

/// Writes the fields of a table, or the elements of an array (whose names are empty), into the queue.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Outbox,
    /// Where those began that are open.
    starts: [usize; DEPTH],
    depth: usize,
}

impl Writer<'_> {
    /// Says that something was left out, if it was.
    pub(super) fn tell_cut(&mut self) {
        if self.out.is_cut {
            self.flag("truncated", true);
        }
    }

    fn begin(&mut self, kind: u8, name: &str) -> usize {
        let start = self.out.open(kind | EXTENDED);
        let length = name.len() as u16; // names are weir's own words
        self.out.put(&length.to_be_bytes());
        self.out.put(name.as_bytes());
        self.out.put(&[0]);
        self.out.pad();
        start
    }

    fn field(&mut self, kind: u8, name: &str, value: &[u8]) {
        let start = self.begin(kind, name);
        self.out.put(value);
        self.out.close(start);
    }

    /// Writes a floating-point number by its bits, for echoes of recorded calls.
    #[cfg(test)]
    pub(super) fn double(&mut self, name: &str, bits: u64) {
        self.field(kind::DOUBLE, name, &bits.to_be_bytes());
    }

    /// Writes a table of what `inside` writes.
    pub fn table(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.open(name, Shape::Table);
        inside(self);
        self.close();
    }

    /// Writes an array of what `inside` writes.
    pub fn array(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.open(name, Shape::Array);
        inside(self);
        self.close();
    }
}

impl Scribe for Writer<'_> {
    fn text(&mut self, name: &str, value: &dyn fmt::Display) {
        let start = self.begin(kind::STRING, name);
        let _ = write!(self.out, "{value}"); // what does not fit is noted by the queue
        self.out.put(&[0]);
        self.out.close(start);
    }

    /// Always 64 bits, so that readers see one type whatever it has come to.
    fn count(&mut self, name: &str, value: u64) {
        self.field(kind::INT64, name, &value.to_be_bytes());
    }

    /// In 32 bits if it fits, as everybody on the bus does.
    fn number(&mut self, name: &str, value: i64) {
        match i32::try_from(value) {
            Ok(short) => self.field(kind::INT32, name, &short.to_be_bytes()),
            Err(_) => self.field(kind::INT64, name, &value.to_be_bytes()),
        }
    }

    fn flag(&mut self, name: &str, value: bool) {
        self.field(kind::INT8, name, &[value.into()]);
    }

    fn null(&mut self, name: &str) {
        self.field(kind::NULL, name, &[]);
    }

    fn open(&mut self, name: &str, shape: Shape) {
        let kind = if shape == Shape::Array { kind::ARRAY } else { kind::TABLE };
        let start = self.begin(kind, name);
        match self.starts.get_mut(self.depth) {
            Some(place) => *place = start,
            None => self.out.is_full = true, // so that none of it is sent
        }
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if let Some(start) = self.starts.get(self.depth) {
            self.out.close(*start);
        }
    }

    fn mark(&self) -> usize {
        if self.out.is_full { usize::MAX } else { self.out.bytes.len() }
    }

    fn keep(&mut self, mark: usize) -> bool {
        if !self.out.is_full && self.out.bytes.len() + TAIL <= UBUS_OUTPUT {
            return true;
        }
        self.leave_out();
        // What was full before stays so.
        if mark <= self.out.bytes.len() {
            self.out.cancel(Begun(mark));
        }
        false
    }

    fn leave_out(&mut self) {
        self.out.is_cut = true;
    }
}

/// What is sent of an answer while half of the queue waits, as its fields; `None`: nothing, for it is too large.
#[cfg(test)]
pub(crate) fn in_half(write: &mut dyn FnMut(&mut dyn Scribe)) -> Option<Vec<u8>> {
    let mut out = Outbox::default();
    out.put(&[0; UBUS_OUTPUT / 2 - 4]);
    let begun = out.begin(2, 1, 1);
    out.fields(7, |out| {
        write(out);
        out.tell_cut();
    });
    let Begun(start) = begun;
    out.end(begun).then(|| out.bytes[start + 16..].to_vec())
}
