// SPDX-License-Identifier: Apache-2.0
//! How much room a document takes on the bus, before any of it is written: read `ubus/outbox` before editing.

use crate::scribe::{Scribe, Shape};
use core::fmt::{self, Display, Write};

/// Bytes, a few more than will be written.
#[derive(Debug, Default)]
pub(super) struct Size(pub(super) usize);

impl Size {
    /// A header, a name with its length and its end, and a value; both are filled up to a multiple of four.
    fn field(&mut self, key: &str, bytes: usize) {
        self.0 += 4 + (key.len() + 3).next_multiple_of(4) + bytes.next_multiple_of(4);
    }
}

impl Write for Size {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

impl Scribe for Size {
    fn text(&mut self, key: &str, value: &dyn Display) {
        self.field(key, 4);
        let _ = write!(self, "{value}"); // counting never fails
    }
    fn count(&mut self, key: &str, _: u64) {
        self.field(key, 8);
    }
    fn number(&mut self, key: &str, _: i64) {
        self.field(key, 8);
    }
    fn flag(&mut self, key: &str, _: bool) {
        self.field(key, 1);
    }
    fn null(&mut self, key: &str) {
        self.field(key, 0);
    }
    fn open(&mut self, key: &str, _: Shape) {
        self.field(key, 0);
    }
    fn close(&mut self) {}
}
