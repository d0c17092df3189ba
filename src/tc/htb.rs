// SPDX-License-Identifier: Apache-2.0
//! HTB's options as bytes and back. Read `sch_htb.c` (htb_init, htb_change_class, htb_dump) before editing.
//!
//! Three things that look wrong and are not: no rate tables are sent, for with a link layer in the ratespec the
//! kernel asks for none; the overhead of the ratespec stays zero, for it cannot be negative and the stab does it
//! better; and the root's options are never sent again, for HTB has no `.change`.

use super::attr::{self, Attr, Attrs, field};
use super::{Class, Htb, Ticks};
use crate::units::{Handle, Rate};
use alloc::vec::Vec;

const PARMS: u16 = 1;
const INIT: u16 = 2;
const DIRECT_QLEN: u16 = 5;
const RATE64: u16 = 6;
const CEIL64: u16 = 7;
/// `HTB_VER >> 16`.
const VERSION: u32 = 3;
/// HTB's default `r2q`; unused, as every class carries its quantum.
const R2Q: u32 = 10;
/// `TC_LINKLAYER_ETHERNET`.
const ETHERNET: u8 = 1;
/// Nanoseconds in a tick (`PSCHED_SHIFT` 6).
const TICK_NS: u64 = 64;
const SECOND_NS: u64 = 1_000_000_000;

impl Ticks {
    /// The time `bytes` take at `rate`, as the kernel keeps bursts; stops at the largest it can hold (274 s).
    pub fn for_bytes(rate: Rate, bytes: u64) -> Self {
        // Stops growing at a terabyte, far above any burst.
        let ticks = bytes.saturating_mul(SECOND_NS / TICK_NS) / rate.bytes_per_sec().max(1);
        Self(u32::try_from(ticks).unwrap_or(u32::MAX))
    }

    /// The bytes this burst holds at `rate`, rounded up to what was asked for.
    pub fn bytes(self, rate: Rate) -> u64 {
        let ns = u64::from(self.0) * TICK_NS;
        let per_second = rate.bytes_per_sec();
        // In parts that fit: whole seconds, then what is left of whole and of broken bytes per nanosecond.
        let (seconds, left) = (ns / SECOND_NS, ns % SECOND_NS);
        let broken = (left * (per_second % SECOND_NS)).div_ceil(SECOND_NS);
        seconds
            .saturating_mul(per_second)
            .saturating_add(left * (per_second / SECOND_NS))
            .saturating_add(broken)
    }
}

/// Appends the root's `TCA_OPTIONS` payload.
pub fn put_root(htb: &Htb, out: &mut Vec<u8>) {
    let glob: Vec<u8> =
        [VERSION, R2Q, u32::from(htb.default), 0, 0].iter().flat_map(|word| word.to_ne_bytes()).collect();
    attr::put(out, INIT, &glob);
    attr::put_u32(out, DIRECT_QLEN, htb.direct_qlen);
}

/// Reads the root's `TCA_OPTIONS` payload.
pub fn root(options: Attrs<'_>) -> Option<Htb> {
    let glob = options.get(INIT)?.payload;
    let default = u32::from_ne_bytes(field(glob, 8)?);
    // Kernels before 3.9 do not report the length; what cannot be read cannot differ.
    let direct_qlen = options.get(DIRECT_QLEN).and_then(|a| a.u32()).unwrap_or(1000);
    Some(Htb { default: u16::try_from(default).ok()?, direct_qlen })
}

/// How many packets went out unclassified (`direct_packets_stat`), from the root's options.
pub fn direct_packets(options: Attrs<'_>) -> Option<u32> {
    field(options.get(INIT)?.payload, 16).map(u32::from_ne_bytes)
}

/// Appends a class's `TCA_OPTIONS` payload.
pub fn put_class(class: &Class, out: &mut Vec<u8>) {
    let parms = attr::open(out, PARMS);
    put_ratespec(class.rate, out);
    put_ratespec(class.ceil, out);
    for word in [class.burst.0, class.cburst.0, class.quantum, 0, class.prio] {
        out.extend_from_slice(&word.to_ne_bytes());
    }
    attr::close(out, parms);
    for (kind, rate) in [(RATE64, class.rate), (CEIL64, class.ceil)] {
        if rate.bytes_per_sec() > u64::from(u32::MAX) {
            attr::put_u64(out, kind, rate.bytes_per_sec());
        }
    }
}

fn put_ratespec(rate: Rate, out: &mut Vec<u8>) {
    let low = u32::try_from(rate.bytes_per_sec()).unwrap_or(u32::MAX);
    // cell_log, linklayer, overhead (2), cell_align (2), mpu (2), rate (4)
    out.extend_from_slice(&[0, ETHERNET, 0, 0, 0, 0, 0, 0]);
    out.extend_from_slice(&low.to_ne_bytes());
}

/// Reads a class's `TCA_OPTIONS` payload.
pub fn class(parent: Handle, handle: Handle, options: Attrs<'_>) -> Option<Class> {
    let parms = options.get(PARMS)?.payload;
    let word = |offset| field(parms, offset).map(u32::from_ne_bytes);
    let rate = |kind, offset| {
        let wide = options.get(kind).as_ref().and_then(Attr::u64);
        Some(Rate::from_bytes_per_sec(wide.unwrap_or(u64::from(word(offset)?))))
    };
    Some(Class {
        parent,
        handle,
        rate: rate(RATE64, 8)?,
        ceil: rate(CEIL64, 20)?,
        burst: Ticks(word(24)?),
        cburst: Ticks(word(28)?),
        quantum: word(32)?,
        prio: word(40)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_kept_in_ticks_of_64_ns() {
        // 1600 bytes at 10 Mbit/s take 1.28 ms, 20 000 ticks: what `tc -d class show` calls burst 1600b.
        assert_eq!(Ticks::for_bytes(Rate::mbit(10), 1600), Ticks(20_000));
        assert_eq!(Ticks(20_000).bytes(Rate::mbit(10)), 1600);
        assert_eq!(Ticks::for_bytes(Rate::bits(8), u64::MAX), Ticks(u32::MAX));
    }

    #[test]
    fn the_bytes_of_a_burst_are_exact_at_any_rate() {
        for rate in [1, 7, 1_250_000, 999_999_999, 1_000_000_000, 12_500_000_001, u64::MAX / 8] {
            for ticks in [0, 1, 20_000, 15_625_000, 15_625_001, u32::MAX] {
                let exact = (u128::from(ticks) * 64 * u128::from(rate)).div_ceil(1_000_000_000);
                let exact = u64::try_from(exact).unwrap_or(u64::MAX);
                assert_eq!(Ticks(ticks).bytes(Rate::bits(rate * 8)), exact, "{ticks} ticks at {rate}");
            }
        }
        for (rate, bytes) in [(1, 1), (3, 1_000_000), (12_500_000_000, 1_000_000_000_000)] {
            let exact = u128::from(bytes) * 1_000_000_000 / 64 / u128::from(rate);
            let exact = u32::try_from(exact).unwrap_or(u32::MAX);
            assert_eq!(Ticks::for_bytes(Rate::bits(rate * 8), bytes), Ticks(exact));
        }
    }

    #[test]
    fn what_is_written_is_read_back_also_above_4_gigabytes_per_second() {
        for mbit in [1, 50, 1_000, 34_359, 34_360, 100_000] {
            let class = Class {
                parent: Handle::new(0x57e1, 1),
                handle: Handle::new(0x57e1, 0x10),
                rate: Rate::mbit(mbit).whole_bytes(),
                ceil: Rate::mbit(mbit * 2),
                burst: Ticks(7),
                cburst: Ticks(8),
                quantum: 1538,
                prio: 1,
            };
            let mut out = Vec::new();
            put_class(&class, &mut out);
            assert_eq!(super::class(class.parent, class.handle, Attrs::new(&out)), Some(class));
        }
        let root = Htb { default: 0x30, direct_qlen: 1000 };
        let mut out = Vec::new();
        put_root(&root, &mut out);
        assert_eq!(super::root(Attrs::new(&out)), Some(root));
    }
}
