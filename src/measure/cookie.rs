// SPDX-License-Identifier: Apache-2.0
//! Numbers nobody off the path can guess, so that nobody there can answer our probes: SipHash-2-4 under a key drawn at
//! the start (Aumasson, Bernstein 2012).

/// The key: sixteen random bytes.
#[derive(Clone, Copy)]
pub struct Key([u64; 2]);

impl Key {
    /// Takes random bytes.
    pub fn new(bytes: [u8; 16]) -> Self {
        let word = |n: usize| {
            let half = bytes.as_chunks::<8>().0.get(n).copied().unwrap_or_default();
            u64::from_le_bytes(half)
        };
        Self([word(0), word(1)])
    }

    /// The cookie of probe `seq` to `reflector`.
    pub fn of(&self, reflector: u8, seq: u16) -> u64 {
        let [low, high] = seq.to_le_bytes();
        self.hash(&[reflector, low, high])
    }

    /// SipHash-2-4 of up to seven bytes.
    fn hash(&self, bytes: &[u8]) -> u64 {
        let Self([k0, k1]) = *self;
        let mut state = [
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ];
        let mut last = (bytes.len() as u64) << 56;
        for (n, byte) in bytes.iter().take(7).enumerate() {
            last |= u64::from(*byte) << (8 * n);
        }
        state[3] ^= last;
        rounds(&mut state, 2);
        state[0] ^= last;
        state[2] ^= 0xff;
        rounds(&mut state, 4);
        state.iter().fold(0, |all, word| all ^ word)
    }
}

/// A key is nobody's business.
impl core::fmt::Debug for Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Key(…)")
    }
}

fn rounds(v: &mut [u64; 4], count: usize) {
    for _ in 0..count {
        v[0] = v[0].wrapping_add(v[1]);
        v[1] = v[1].rotate_left(13) ^ v[0];
        v[0] = v[0].rotate_left(32);
        v[2] = v[2].wrapping_add(v[3]);
        v[3] = v[3].rotate_left(16) ^ v[2];
        v[0] = v[0].wrapping_add(v[3]);
        v[3] = v[3].rotate_left(21) ^ v[0];
        v[2] = v[2].wrapping_add(v[1]);
        v[1] = v[1].rotate_left(17) ^ v[2];
        v[2] = v[2].rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first of the authors' test vectors (`vectors_sip64`): key 00..0f, inputs of 0, 1, 2, … bytes 00, 01, ….
    #[test]
    fn it_is_siphash_of_the_authors() {
        let key = Key::new(core::array::from_fn(|n| n as u8));
        let vectors: [u64; 8] = [
            0x726f_db47_dd0e_0e31,
            0x74f8_39c5_93dc_67fd,
            0x0d6c_8009_d9a9_4f5a,
            0x8567_6696_d7fb_7e2d,
            0xcf27_94e0_2771_87b7,
            0x1876_5564_cd99_a68d,
            0xcbc9_466e_58fe_e3ce,
            0xab02_00f5_8b01_d137,
        ];
        for (n, wanted) in vectors.iter().enumerate() {
            let input: [u8; 7] = core::array::from_fn(|n| n as u8);
            assert_eq!(key.hash(&input[..n]), *wanted, "{n} bytes");
        }
    }

    #[test]
    fn every_probe_has_another_cookie_and_every_start_other_ones() {
        let (one, other) = (Key::new([1; 16]), Key::new([2; 16]));
        assert_ne!(one.of(0, 1), one.of(0, 2));
        assert_ne!(one.of(0, 1), one.of(1, 1));
        assert_ne!(one.of(0, 1), other.of(0, 1));
    }
}
