// SPDX-License-Identifier: Apache-2.0
//! gzip: the wrapping of RFC 1952 around deflate by `miniz_oxide`.

use super::limits::GZIP;
use alloc::vec::Vec;
use miniz_oxide::deflate::compress_to_vec;

/// What zlib takes unless told otherwise: one reading becomes a fifth of itself, many become less.
const LEVEL: u8 = 6;

/// Packs a body that is large enough to be worth it; `None`: it is not.
pub fn pack(body: &[u8]) -> Option<Vec<u8>> {
    if body.len() <= GZIP {
        return None;
    }
    // Deflate, no name, no time, no operating system.
    let mut out = alloc::vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    out.extend(compress_to_vec(body, LEVEL));
    out.extend(crc32(body).to_le_bytes());
    out.extend((body.len() as u32).to_le_bytes()); // modulo 2^32, as the RFC has it
    Some(out).filter(|out| out.len() < body.len())
}

/// CRC-32 of IEEE 802.3, bit by bit: a body is some kilobytes, and a table would be one more.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn a_small_body_or_one_that_cannot_be_packed_is_left_alone() {
        assert_eq!(pack(&[b'a'; GZIP]), None);
        let mut x = 1u32;
        let noise: Vec<u8> = (0..2000)
            .map(|_| {
                x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (x >> 24) as u8
            })
            .collect();
        assert_eq!(pack(&noise), None);
    }

    #[test]
    fn a_body_comes_out_again_as_it_was() {
        let body = b"weir_class,wan=home sent_bytes=1i 1\n".repeat(100);
        let packed = pack(&body).expect("packed");
        let inside = &packed[10..packed.len() - 8];
        assert_eq!(miniz_oxide::inflate::decompress_to_vec(inside).ok(), Some(body.clone()));
        assert!(packed.len() * 10 < body.len(), "{}", packed.len());
    }
}
