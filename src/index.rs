// SPDX-License-Identifier: Apache-2.0
//! Finding again what was seen before, by any bytes that tell it apart.

use alloc::vec::Vec;

/// So many places for keys: a file or a diagram has some hundred.
const PLACES: usize = 256;

/// Numbers by their keys. std's tree is 4 KB of code on MIPS; this one says where to look by a hash of the key.
#[derive(Debug)]
pub(crate) struct Index([Vec<(Vec<u8>, u32)>; PLACES]);

impl Default for Index {
    fn default() -> Self {
        Self(core::array::from_fn(|_| Vec::new()))
    }
}

impl Index {
    /// The number of a key.
    pub(crate) fn get(&self, key: &[u8]) -> Option<u32> {
        let mut same = self.0.get(place(key))?.iter().filter(|(known, _)| known == key);
        same.next().map(|(_, number)| *number)
    }

    /// Gives a key its number, unless it has one.
    pub(crate) fn add(&mut self, key: Vec<u8>, number: u32) {
        let is_new = self.get(&key).is_none();
        if let Some(keys) = self.0.get_mut(place(&key)).filter(|_| is_new) {
            keys.push((key, number));
        }
    }
}

/// Where a key is looked for: FNV-1a, folded.
fn place(key: &[u8]) -> usize {
    let mix = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    let hash = key.iter().fold(0x811c_9dc5, mix);
    (hash ^ hash >> 16) as usize % PLACES
}

/// Numbers as bytes of a key.
pub(crate) fn key(numbers: impl Iterator<Item = u32>) -> Vec<u8> {
    numbers.flat_map(u32::to_ne_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_the_number_it_was_given_first() {
        let mut index = Index::default();
        let numbers = || 0..3 * PLACES as u32;
        numbers().for_each(|n| index.add(key([n].into_iter()), n));
        numbers().for_each(|n| index.add(key([n].into_iter()), n + 1));
        assert!(numbers().all(|n| index.get(&key([n].into_iter())) == Some(n)));
        assert_eq!([index.get(b""), index.get(&key([1, 2].into_iter()))], [None, None]);
    }

    #[test]
    fn keys_are_spread_over_the_places() {
        let mut index = Index::default();
        (0..4 * PLACES as u32).for_each(|n| index.add(key([n, 7].into_iter()), n));
        assert!(index.0.iter().all(|keys| keys.len() < 16));
    }
}
