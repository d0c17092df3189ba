// SPDX-License-Identifier: Apache-2.0
//! The internet checksum (RFC 1071), written for the lab alone.

use weir::classify::packet::Packet;

fn sum(bytes: &[u8]) -> u32 {
    let words = bytes.chunks(2).map(|two| u32::from(two[0]) << 8 | u32::from(*two.get(1).unwrap_or(&0)));
    words.sum()
}

fn folded(mut sum: u32) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Writes the checksum of an IPv4 header of the length it names, if so much is there.
pub fn write_header(ip: &mut [u8]) {
    let size = usize::from(ip[0] & 15) * 4;
    let Some(header) = ip.get_mut(..size) else { return };
    header[10..12].copy_from_slice(&[0, 0]);
    let made = folded(sum(header));
    header[10..12].copy_from_slice(&made.to_be_bytes());
}

/// Whether an IPv4 header's checksum is right.
pub fn is_header_right(ip: &[u8]) -> bool {
    ip.get(..usize::from(ip[0] & 15) * 4).is_some_and(|header| folded(sum(header)) == 0)
}

fn pseudo(packet: &Packet, size: usize) -> u32 {
    let address = if packet.is_v6 { 16 } else { 4 };
    sum(&packet.source[..address])
        + sum(&packet.destination[..address])
        + u32::from(packet.protocol)
        + size as u32
}

/// The checksum of a TCP or UDP packet over its pseudo header, its own field being zero; over one that is right it is 0.
pub fn of_transport(packet: &Packet, transport: &[u8]) -> u16 {
    folded(pseudo(packet, transport.len()) + sum(transport))
}

/// What is in the field of a checksum that a device is still to make: the sum of the pseudo header alone.
pub fn seed(packet: &Packet, size: usize) -> u16 {
    !folded(pseudo(packet, size))
}
