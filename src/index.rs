// SPDX-License-Identifier: Apache-2.0
//! Finding again what was seen before, by any bytes that tell it apart.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Numbers by their keys. The only type of map there is, for each one more is compiled anew: 3 KB on MIPS.
pub(crate) type Index = BTreeMap<Vec<u8>, u32>;

/// Numbers as bytes of a key.
pub(crate) fn key(numbers: impl Iterator<Item = u32>) -> Vec<u8> {
    numbers.flat_map(u32::to_ne_bytes).collect()
}
