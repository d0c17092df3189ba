// SPDX-License-Identifier: Apache-2.0
//! fq_codel's options as bytes and back. Read `sch_fq_codel.c` (fq_codel_change, fq_codel_dump) before editing.

use super::FqCodel;
use super::attr::{self, Attr, Attrs};
use crate::units::Micros;
use alloc::vec::Vec;

const TARGET: u16 = 1;
const LIMIT: u16 = 2;
const INTERVAL: u16 = 3;
const ECN: u16 = 4;
const FLOWS: u16 = 5;
const QUANTUM: u16 = 6;
const CE_THRESHOLD: u16 = 7;
const MEMORY_LIMIT: u16 = 9;

/// What the kernel will dump for `span`: CoDel counts time in units of 1024 ns and rounds down twice.
pub fn canonical(span: Micros) -> u32 {
    let units = (span.0.min(u64::from(u32::MAX)) * 1000) >> 10;
    u32::try_from((units << 10) / 1000).unwrap_or(u32::MAX)
}

/// Appends the `TCA_OPTIONS` payload. A change leaves the number of flows out: sending it is refused, even unchanged.
pub fn put(leaf: &FqCodel, is_new: bool, out: &mut Vec<u8>) {
    // One microsecond more than what is dumped is the smallest value that rounds to it again; see `canonical`.
    attr::put_u32(out, LIMIT, leaf.limit);
    if is_new {
        attr::put_u32(out, FLOWS, leaf.flows);
    }
    attr::put_u32(out, QUANTUM, leaf.quantum);
    attr::put_u32(out, INTERVAL, leaf.interval_us.saturating_add(1));
    attr::put_u32(out, TARGET, leaf.target_us.saturating_add(1));
    attr::put_u32(out, ECN, u32::from(leaf.ecn));
    attr::put_u32(out, MEMORY_LIMIT, leaf.memory_limit);
}

/// Reads the `TCA_OPTIONS` payload; `None` with a `ce_threshold`, which can be set on a leaf but never unset, so that
/// only a new leaf is again as planned.
pub fn read(options: Attrs<'_>) -> Option<FqCodel> {
    if options.get(CE_THRESHOLD).is_some() {
        return None;
    }
    let get = |kind| options.get(kind).as_ref().and_then(Attr::u32);
    Some(FqCodel {
        limit: get(LIMIT)?,
        flows: get(FLOWS)?,
        target_us: get(TARGET)?,
        interval_us: get(INTERVAL)?,
        quantum: get(QUANTUM)?,
        ecn: get(ECN)? != 0,
        memory_limit: get(MEMORY_LIMIT).unwrap_or(32 << 20),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kernel's arithmetic: `(us * NSEC_PER_USEC) >> CODEL_SHIFT` when told, `<< CODEL_SHIFT / NSEC_PER_USEC` back.
    fn kernel_keeps(us: u32) -> u32 {
        ((((u64::from(us) * 1000) >> 10) << 10) / 1000) as u32
    }

    #[test]
    fn what_is_sent_is_dumped_as_the_canonical_value() {
        assert_eq!(canonical(Micros::ms(5)), 4999);
        for us in (1..300_000).step_by(7) {
            let wanted = canonical(Micros(us));
            assert_eq!(kernel_keeps(wanted + 1), wanted, "{us}");
        }
    }

    #[test]
    fn a_change_never_sends_the_number_of_flows() {
        let leaf = FqCodel {
            limit: 1024,
            flows: 1024,
            target_us: 4999,
            interval_us: 99_999,
            quantum: 300,
            ecn: true,
            memory_limit: 1 << 20,
        };
        let mut out = Vec::new();
        put(&leaf, false, &mut out);
        assert_eq!(Attrs::new(&out).get(FLOWS), None);
        assert_eq!(read(Attrs::new(&out)), None);
    }

    #[test]
    fn a_leaf_with_a_ce_threshold_is_not_as_planned() {
        let mut out = Vec::new();
        for (kind, value) in
            [(LIMIT, 1024), (FLOWS, 1024), (TARGET, 4999), (INTERVAL, 99_999), (QUANTUM, 300), (ECN, 1)]
        {
            attr::put_u32(&mut out, kind, value);
        }
        assert!(read(Attrs::new(&out)).is_some());
        attr::put_u32(&mut out, CE_THRESHOLD, 999);
        assert_eq!(read(Attrs::new(&out)), None);
    }
}
