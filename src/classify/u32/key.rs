// SPDX-License-Identifier: Apache-2.0
//! Keys of nodes, and the keys that hold for a range of a field.

use alloc::vec::Vec;

/// Four bytes of a packet compared under a mask, both as numbers in network order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The bits that count; none: the bytes need only be there.
    pub mask: u32,
    /// What they must be.
    pub value: u32,
    /// Where, from the network header or from where a link led.
    pub off: i16,
}

/// Keys that must all hold for one of the ways to meet a condition; where one is enough, it stands there three times.
pub(super) type Alternative = [Key; 3];

pub(super) const fn key(off: i16, mask: u32, value: u32) -> Key {
    Key { mask, value, off }
}

/// The bytes must be there.
pub(super) const fn present(off: i16) -> Key {
    key(off, 0, 0)
}

/// A field's place in a word.
pub(super) struct Slot {
    pub(super) off: i16,
    pub(super) shift: u8,
    pub(super) bits: u8,
    /// What the packet says is less than the field by this.
    pub(super) less: u32,
}

impl Slot {
    /// The keys that hold for any of `ranges`.
    pub(super) fn ways(&self, ranges: &[(u32, u32)]) -> Vec<Alternative> {
        let most = u32::MAX >> (32 - self.bits);
        let mut ways = Vec::new();
        for (low, high) in ranges {
            let low = low.saturating_sub(self.less);
            let Some(high) =
                high.checked_sub(self.less).map(|high| high.min(most)).filter(|high| low <= *high)
            else {
                continue;
            };
            let (mut at, end) = (u64::from(low), u64::from(high) + 1);
            while at < end {
                // The largest power of two that begins here and fits.
                let mut size = if at == 0 { 1 << 32 } else { at & at.wrapping_neg() };
                while at + size > end {
                    size >>= 1;
                }
                let mask = !(size - 1) as u32 & most;
                let (mask, value) = (mask << self.shift, (at as u32) << self.shift);
                ways.push([key(self.off, mask, value); 3]);
                at += size;
            }
        }
        ways
    }
}

/// Keys with those about the same word as one, in the order given; `None`: they contradict each other.
pub(super) fn merged(keys: &[Key]) -> Option<Vec<Key>> {
    let mut merged: Vec<Key> = Vec::new();
    for key in keys {
        match merged.iter_mut().find(|known| known.off == key.off) {
            Some(known) => {
                if (known.value ^ key.value) & known.mask & key.mask != 0 {
                    return None;
                }
                known.mask |= key.mask;
                known.value |= key.value;
            }
            None => merged.push(*key),
        }
    }
    Some(merged)
}
