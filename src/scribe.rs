// SPDX-License-Identifier: Apache-2.0
//! What writes documents of named values: JSON for programs, the bus's fields for its callers. Who has something to
//! tell writes it once, for all of them.

use core::fmt::Display;

/// What holds further values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Values with names.
    Table,
    /// Values without.
    Array,
}

/// A writer of one document. What goes wrong is its own business, and told when the document ends.
pub trait Scribe {
    /// Writes a text; in an array the key is empty, as with all others.
    fn text(&mut self, key: &str, value: &dyn Display);
    /// Writes a counter, a rate, a time: never negative, and as wide as it can get.
    fn count(&mut self, key: &str, value: u64);
    /// Writes a number that is small and may be negative.
    fn number(&mut self, key: &str, value: i64);
    /// Writes yes or no.
    fn flag(&mut self, key: &str, value: bool);
    /// Writes that there is no such thing.
    fn null(&mut self, key: &str);
    /// Begins what holds the values that follow, up to its [`Self::close`].
    fn open(&mut self, key: &str, shape: Shape);
    /// Ends what was begun last.
    fn close(&mut self);
    /// Where the document is now, for [`Self::keep`].
    fn mark(&self) -> usize {
        0
    }
    /// Takes back what was written since `mark` if there is no room for it; says whether it stays.
    fn keep(&mut self, _mark: usize) -> bool {
        true
    }
    /// Takes note that something was left out for want of room.
    fn leave_out(&mut self) {}
}

impl dyn Scribe + '_ {
    /// Writes a table of what `inside` writes.
    pub fn table(&mut self, key: &str, inside: impl FnOnce(&mut Self)) {
        self.open(key, Shape::Table);
        inside(self);
        self.close();
    }

    /// Writes a table for each of `all`, as many as there is room for.
    pub fn tables<T>(&mut self, key: &str, all: &[T], mut one: impl FnMut(&mut Self, &T)) {
        self.rows(key, all.len(), &mut |out, n| all.get(n).into_iter().for_each(|each| one(out, each)));
    }

    /// One loop for all kinds of tables.
    fn rows(&mut self, key: &str, count: usize, one: &mut dyn FnMut(&mut Self, usize)) {
        self.open(key, Shape::Array);
        for n in 0..count {
            let mark = self.mark();
            self.table("", |out| one(out, n));
            if !self.keep(mark) {
                break;
            }
        }
        self.close();
    }

    /// Writes an array of counts.
    pub fn counts(&mut self, key: &str, all: &[Option<u64>]) {
        self.open(key, Shape::Array);
        all.iter().for_each(|count| self.maybe_count("", *count));
        self.close();
    }

    /// Writes a text, or that there is none.
    pub fn maybe_text(&mut self, key: &str, value: Option<&dyn Display>) {
        match value {
            Some(value) => self.text(key, value),
            None => self.null(key),
        }
    }

    /// Writes a count, or that there is none.
    pub fn maybe_count(&mut self, key: &str, value: Option<u64>) {
        match value {
            Some(value) => self.count(key, value),
            None => self.null(key),
        }
    }
}
