// SPDX-License-Identifier: Apache-2.0
//! The fallbacks for fq_codel, sfq and bfifo: their options are plain structs, not attributes.
//!
//! Read `sch_sfq.c` (sfq_change, sfq_dump) and `sch_fifo.c` before editing.

use super::attr::field;
use super::{Bfifo, Sfq};
use alloc::vec::Vec;

/// Appends `struct tc_sfq_qopt`: quantum, perturb_period, limit, divisor, flows. The last two are left to the kernel.
pub fn put_sfq(sfq: &Sfq, out: &mut Vec<u8>) {
    out.extend_from_slice(&sfq.quantum.to_ne_bytes());
    out.extend_from_slice(&sfq.perturb_period.to_ne_bytes());
    out.extend_from_slice(&sfq.limit.to_ne_bytes());
    out.extend_from_slice(&[0; 8]);
}

/// Reads what begins as `struct tc_sfq_qopt` (the kernel dumps the longer `_v1`).
pub fn sfq(options: &[u8]) -> Option<Sfq> {
    Some(Sfq {
        quantum: u32::from_ne_bytes(field(options, 0)?),
        perturb_period: i32::from_ne_bytes(field(options, 4)?),
        limit: u32::from_ne_bytes(field(options, 8)?),
    })
}

/// Appends `struct tc_fifo_qopt`.
pub fn put_bfifo(fifo: &Bfifo, out: &mut Vec<u8>) {
    out.extend_from_slice(&fifo.limit.to_ne_bytes());
}

/// Reads `struct tc_fifo_qopt`.
pub fn bfifo(options: &[u8]) -> Option<Bfifo> {
    Some(Bfifo { limit: u32::from_ne_bytes(field(options, 0)?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let wanted = Sfq { quantum: 1538, perturb_period: 10, limit: 127 };
        let mut out = Vec::new();
        put_sfq(&wanted, &mut out);
        assert_eq!((out.len(), sfq(&out)), (20, Some(wanted)));
        let wanted = Bfifo { limit: 125_000 };
        let mut out = Vec::new();
        put_bfifo(&wanted, &mut out);
        assert_eq!(bfifo(&out), Some(wanted));
        assert_eq!(bfifo(&[0; 3]), None);
    }
}
