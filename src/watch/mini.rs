// SPDX-License-Identifier: Apache-2.0
//! Numbers in two bytes: exact below 4096, to 0.025 % up to four tera, and one of them is "not known".
//!
//! A float without a sign: five bits of exponent, eleven of fraction. All is one more than that, so that zero bytes, which
//! cost no memory until they are written to, are what nobody knows.

/// A number that is not known, before it is packed.
pub const NONE: u64 = u64::MAX;
/// Bits of the fraction.
const FRACTION: u32 = 11;

/// The two bytes of a number; what is too large is the largest there is.
pub fn pack(value: u64) -> u16 {
    pack_with(FRACTION, value)
}

/// The number.
pub fn unpack(packed: u16) -> Option<u64> {
    unpack_with(FRACTION, packed)
}

/// The same with so many bits of fraction: exact below twice that power of two.
pub(super) fn pack_with(fraction: u32, value: u64) -> u16 {
    if value == NONE {
        return 0;
    }
    let code = if value < 2 << fraction {
        value
    } else {
        let shift = value.ilog2() - fraction;
        let rounded = ((value >> (shift - 1)) + 1) >> 1;
        // A fraction that rounds up to the next power of two carries into the exponent, which is then right.
        (u64::from(shift) << fraction) + rounded
    };
    u16::try_from(code + 1).unwrap_or(u16::MAX)
}

/// The number of such two bytes; what no number is packed to is the largest there is.
pub(super) fn unpack_with(fraction: u32, packed: u16) -> Option<u64> {
    let code = u64::from(packed.checked_sub(1)?);
    if code < 2 << fraction {
        return Some(code);
    }
    let shift = (code >> fraction) - 1;
    Some((code - (shift << fraction)).checked_shl(shift as u32).unwrap_or(NONE - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUNDED: u64 = 2 << FRACTION;

    #[test]
    fn small_numbers_are_exact_and_large_ones_to_a_quarter_of_a_thousandth() {
        assert_eq!((pack(NONE), unpack(0)), (0, None));
        for value in 0..ROUNDED {
            assert_eq!(unpack(pack(value)), Some(value));
        }
        let mut value = ROUNDED;
        while value < 4_000_000_000_000 {
            let read = unpack(pack(value)).expect("a number");
            assert!(read.abs_diff(value) * 4096 <= value, "{value} became {read}");
            value += value / 1999 + 1;
        }
        assert_eq!(unpack(pack(NONE - 1)), unpack(u16::MAX));
        assert_eq!(unpack(u16::MAX), Some(4094 << 30));
    }

    #[test]
    fn every_two_bytes_are_a_number_of_their_own_and_larger_ones_are_larger() {
        for packed in 1..u16::MAX {
            assert_eq!(pack(unpack(packed).expect("a number")), packed);
            assert!(unpack(packed) < unpack(packed + 1));
        }
    }
}
