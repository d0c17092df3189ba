// SPDX-License-Identifier: Apache-2.0
//! Finding again what was seen before, by any bytes that tell it apart.
//!
//! A crit-bit tree (D. J. Bernstein, <https://cr.yp.to/critbit.html>): each node names the first bit at which the keys
//! below it part. No choice of keys makes it slow, as with a table of hashes: finding one takes no more steps than it has
//! bits, so all names of a file take as many as the file has.

use alloc::vec::Vec;

/// What a node leads to.
#[derive(Clone, Copy, Debug)]
enum Side {
    Node(u32),
    Key(u32),
}

/// Numbers by their keys. std's tree is 4 KB of code on MIPS.
#[derive(Debug, Default)]
pub(crate) struct Index {
    keys: Vec<(Vec<u8>, u32)>,
    /// The bit that is asked, and where its values lead.
    nodes: Vec<(usize, [Side; 2])>,
    /// Where the search begins, once there is a key.
    root: Option<Side>,
}

impl Index {
    /// The number of a key.
    pub(crate) fn get(&self, key: &[u8]) -> Option<u32> {
        let (known, number) = self.below(self.walk(key, usize::MAX).1)?;
        (known == key).then_some(*number)
    }

    /// Gives a key its number, unless it has one; says which it has.
    pub(crate) fn add(&mut self, key: Vec<u8>, number: u32) -> u32 {
        let mut new = Side::Key(self.keys.len() as u32);
        let mut parent = None;
        if let Some((known, old)) = self.below(self.walk(&key, usize::MAX).1) {
            let Some(bit) = parting(known, &key) else { return *old };
            // A node comes in front of the first one that asks for a later bit.
            let (before, Some(other)) = self.walk(&key, bit) else { return number };
            let sides = if value(&key, bit) == 0 { [new, other] } else { [other, new] };
            new = Side::Node(self.nodes.len() as u32);
            self.nodes.push((bit, sides));
            parent = before;
        }
        self.keys.push((key, number));
        let side = parent.and_then(|(node, side)| self.nodes.get_mut(node)?.1.get_mut(side));
        match side {
            Some(side) => *side = new,
            None => self.root = Some(new),
        }
        number
    }

    /// Goes down by the bits of `key` before `end`: the last node there, with the side that was taken, and what is below.
    fn walk(&self, key: &[u8], end: usize) -> (Option<(usize, usize)>, Option<Side>) {
        let (mut last, mut below) = (None, self.root);
        while let Some(Side::Node(node)) = below
            && let Some((bit, sides)) = self.nodes.get(node as usize).filter(|(bit, _)| *bit < end)
        {
            let side = value(key, *bit);
            last = Some((node as usize, side));
            below = sides.get(side).copied();
        }
        (last, below)
    }

    /// The key at the end of a walk.
    fn below(&self, side: Option<Side>) -> Option<&(Vec<u8>, u32)> {
        match side? {
            Side::Key(n) => self.keys.get(n as usize),
            Side::Node(_) => None,
        }
    }
}

/// Sixteen bits for each byte, of which nine are used: a byte is told from none.
fn word(key: &[u8], at: usize) -> u16 {
    key.get(at).map_or(0, |byte| 0x100 | u16::from(*byte))
}

/// A bit of a key, the highest of a word first.
fn value(key: &[u8], bit: usize) -> usize {
    usize::from(word(key, bit / 16) >> (15 - bit % 16) & 1)
}

/// The first bit in which two keys differ, if any.
fn parting(one: &[u8], other: &[u8]) -> Option<usize> {
    let at = (0..one.len().max(other.len())).find(|at| word(one, *at) != word(other, *at))?;
    Some(16 * at + (word(one, at) ^ word(other, at)).leading_zeros() as usize)
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
        assert_eq!(index.get(b""), None);
        let numbers = || 0..700;
        assert!(numbers().all(|n| index.add(key([n].into_iter()), n) == n));
        assert!(numbers().all(|n| index.add(key([n].into_iter()), n + 1) == n));
        assert!(numbers().all(|n| index.get(&key([n].into_iter())) == Some(n)));
        assert_eq!([index.get(b""), index.get(&key([1, 2].into_iter()))], [None, None]);
        // A key may be the beginning of another, or nothing.
        for (n, key) in [&b""[..], b"a", b"ab", b"\0", b"\0\0", b"a\0"].into_iter().enumerate() {
            assert_eq!([index.get(key), Some(index.add(key.into(), n as u32))], [None, Some(n as u32)]);
        }
        assert_eq!([b"" as &[u8], b"a", b"ab"].map(|key| index.get(key)), [0, 1, 2].map(Some));
        assert_eq!([b"\0" as &[u8], b"\0\0", b"a\0"].map(|key| index.get(key)), [3, 4, 5].map(Some));
    }

    #[test]
    fn no_names_take_more_steps_to_find_than_they_have_bits() {
        // What makes the tree as deep as can be: each name is the one before with a byte more.
        let mut index = Index::default();
        let names: Vec<Vec<u8>> = (1..500).map(|len| alloc::vec![b'a'; len]).collect();
        for (n, name) in names.iter().enumerate() {
            index.add(name.clone(), n as u32);
        }
        for name in &names {
            let (mut steps, mut end) = (0, usize::MAX);
            while let (Some((node, _)), _) = index.walk(name, end) {
                (steps, end) = (steps + 1, index.nodes[node].0);
            }
            assert!(steps <= name.len() + 1, "{steps} for {} bytes", name.len());
        }
        // And such as a table with 256 places had in one: some thousand names take a dozen each.
        let mut index = Index::default();
        (0..40_000u32)
            .for_each(|n| assert_eq!(index.add(key([n.wrapping_mul(0x9e37_79b1)].into_iter()), n), n));
        let mut deepest = 0;
        for n in 0..40_000u32 {
            let name = key([n.wrapping_mul(0x9e37_79b1)].into_iter());
            let (mut steps, mut end) = (0, usize::MAX);
            while let (Some((node, _)), _) = index.walk(&name, end) {
                (steps, end) = (steps + 1, index.nodes[node].0);
            }
            deepest = deepest.max(steps);
        }
        assert!((15..=36).contains(&deepest), "{deepest}");
    }
}
