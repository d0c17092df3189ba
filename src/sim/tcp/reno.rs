// SPDX-License-Identifier: Apache-2.0
//! NewReno (RFC 5681, RFC 6582): a segment more per round trip, half the window per loss.

use super::law::{Ack, SMALLEST_WINDOW, Window};

/// Reno remembers nothing but its window.
#[derive(Clone, Copy, Debug)]
pub struct Reno;

impl Reno {
    /// Grows the window.
    pub fn acked(&mut self, window: &mut Window, ack: &Ack) {
        if !ack.may_grow {
            return;
        }
        let n = f64::from(ack.delivered);
        window.size += if window.is_slow_start() { n } else { n / window.size };
    }

    /// Halves it.
    pub fn lost(&mut self, window: &mut Window) {
        window.threshold = (window.size / 2.0).max(SMALLEST_WINDOW);
    }
}
