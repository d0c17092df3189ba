// SPDX-License-Identifier: Apache-2.0
//! How much work rules may be before they are too many: a count of steps, so that no file keeps a router busy for long.
//!
//! A step is a range copied, a line compared with another, or a line looked at in a diagram. Whoever does them takes
//! them first; when there are none left, the rules are refused as those of too large a program are.

use crate::limits;
use core::cell::Cell;

/// Steps that may still be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps(Cell<usize>);

impl Default for Steps {
    /// As many as one look at a configuration may take.
    fn default() -> Self {
        Self::new(limits::STEPS)
    }
}

impl Steps {
    /// So many.
    pub const fn new(count: usize) -> Self {
        Self(Cell::new(count))
    }

    /// How many are left.
    pub fn left(&self) -> usize {
        self.0.get()
    }

    /// Takes some; `None`, and none are left, if there are not enough.
    pub fn take(&self, count: usize) -> Option<()> {
        let left = self.left().checked_sub(count);
        self.0.set(left.unwrap_or(0));
        left.map(|_| ())
    }

    /// Goes on where another one is.
    pub fn follow(&self, other: &Self) {
        self.0.set(other.left());
    }
}
