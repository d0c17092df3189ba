// SPDX-License-Identifier: Apache-2.0
//! What `cls_u32` sees of a packet, read plainly from its bytes: the second opinion on the tables of `u32`, as `packet`
//! is on programs. For tests and the lab.

use super::packet::{self, ICMPV6, Packet, Seen, TCP};

/// Reads a frame of a device with `header` bytes of link header; `asks_bare`: whether any rule asks for TCP without
/// payload.
pub fn parse(frame: &[u8], header: u16, asks_bare: bool) -> Seen {
    let seen = packet::parse(frame, header);
    match ip(frame, header) {
        Some((true, ip)) => v6(ip, seen, asks_bare),
        Some((false, ip)) => v4(ip, seen, asks_bare),
        None => seen,
    }
}

/// The IP packet of a frame, if its first header is whole, and whether it is IPv6.
fn ip(frame: &[u8], header: u16) -> Option<(bool, &[u8])> {
    let mut at = usize::from(header);
    let is_v6 = if header == 0 {
        match frame.first()? >> 4 {
            4 => false,
            6 => true,
            _ => return None,
        }
    } else {
        let kind = |at: usize| Some(u16::from_be_bytes(*frame.get(at..)?.first_chunk()?));
        for _ in 0..2 {
            if matches!(kind(at - 2)?, 0x8100 | 0x88a8) {
                at += 4;
            }
        }
        let mut protocol = kind(at - 2)?;
        if protocol == 0x8864 {
            at += 8;
            protocol = match kind(at - 2)? {
                0x0021 => 0x0800,
                0x0057 => 0x86dd,
                _ => return None,
            };
        }
        match protocol {
            0x0800 => false,
            0x86dd => true,
            _ => return None,
        }
    };
    let ip = frame.get(at..)?;
    (ip.len() >= if is_v6 { 40 } else { 20 }).then_some((is_v6, ip))
}

fn v4(ip: &[u8], seen: Seen, asks_bare: bool) -> Seen {
    if !matches!(ip.first(), Some(0x46..=0x4f)) {
        return tcp(ip, 20, seen, asks_bare);
    }
    // Behind options nothing is seen, as if it were a later fragment.
    let mut alone = ip.to_vec();
    if let Some(fragment) = alone.get_mut(7) {
        *fragment |= 1;
    }
    packet::parse(&alone, 0)
}

fn v6(ip: &[u8], seen: Seen, asks_bare: bool) -> Seen {
    let (next, size) = (ip.get(6).copied().unwrap_or(0), ip.len());
    match next {
        0 => {
            // A listener's message behind one short option is known for what it is.
            let is_icmp = ip.get(40..42) == Some(&[ICMPV6, 0]);
            if size < if is_icmp { 52 } else { 44 } {
                return Seen::Odd;
            }
            if is_icmp && matches!(ip.get(48), Some(130..=137 | 143)) {
                return Seen::Control;
            }
            first_header(ip, next)
        }
        43 | 44 | 51 | 60 => first_header(ip, next),
        // Its kind is the first byte of a word that is read whole.
        ICMPV6 if size < 44 => Seen::Odd,
        _ => tcp(ip, 40, seen, asks_bare),
    }
}

/// An IPv6 packet with extension headers.
fn first_header(ip: &[u8], next: u8) -> Seen {
    const NOTHING_FOLLOWS: u8 = 59;
    let mut alone = ip.to_vec();
    alone.truncate(40);
    if let [version, _, _, _, _, _, protocol, ..] = alone.as_mut_slice() {
        // Where a frame says what it is, its version does not count.
        *version = 0x60 | *version & 15;
        *protocol = NOTHING_FOLLOWS;
    }
    match packet::parse(&alone, 0) {
        Seen::Ip(packet) => Seen::Ip(Packet { protocol: next, ..packet }),
        other => other,
    }
}

/// The size of TCP's header is in a word that is read whole; `at`: where it begins.
fn tcp(ip: &[u8], at: usize, seen: Seen, asks_bare: bool) -> Seen {
    let is_tcp = matches!(seen, Seen::Ip(Packet { protocol: TCP, ports: Some(_), .. }));
    if is_tcp && asks_bare && ip.len() < at + 16 { Seen::Odd } else { seen }
}
