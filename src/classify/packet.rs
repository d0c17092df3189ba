// SPDX-License-Identifier: Apache-2.0
//! What a packet says of itself, read plainly from its bytes: the second opinion on what `compile` makes the kernel do.
//!
//! RFC 791, 8200 (extension headers), 2516 (PPPoE). Every choice for odd packets is made here and in `compile` alike:
//! what ends before its headers do is [`Seen::Odd`], and the default class takes it.

use crate::config::rule::PORT_PROTOCOLS;
use crate::limits;
use crate::units::Way;

/// TCP.
pub const TCP: u8 = 6;
/// ICMP.
pub const ICMP: u8 = 1;
/// ICMPv6.
pub const ICMPV6: u8 = 58;

/// What a frame turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// An IP packet.
    Ip(Packet),
    /// What the line itself lives on: ARP, EAPOL, PPPoE discovery, LCP, neighbour discovery, multicast listeners.
    Control,
    /// Cut off or contradicting itself.
    Odd,
}

/// An IP packet, as far as rules can ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// IPv6, else IPv4.
    pub is_v6: bool,
    /// The transport protocol; of a later fragment what its header names.
    pub protocol: u8,
    /// Source and destination port; `None` for protocols without ports and for later fragments.
    pub ports: Option<(u16, u16)>,
    /// Source address, IPv4 in the first four bytes.
    pub source: [u8; 16],
    /// Destination address.
    pub destination: [u8; 16],
    /// The code point.
    pub dscp: u8,
    /// Bytes of the whole packet, as its header says.
    pub length: u32,
    /// Whether it is TCP without payload; `None`: cut off before that can be known.
    pub is_bare: Option<bool>,
}

impl Packet {
    /// The address of the far end.
    pub fn remote(&self, way: Way) -> &[u8; 16] {
        match way {
            Way::Up => &self.destination,
            Way::Down => &self.source,
        }
    }

    /// The address of the near end.
    pub fn local(&self, way: Way) -> &[u8; 16] {
        match way {
            Way::Up => &self.source,
            Way::Down => &self.destination,
        }
    }

    /// The ports, far end first.
    pub fn remote_and_local_port(&self, way: Way) -> Option<(u16, u16)> {
        let (source, destination) = self.ports?;
        Some(match way {
            Way::Up => (destination, source),
            Way::Down => (source, destination),
        })
    }
}

/// Reads a frame of a device with `header` bytes of link header: 14 (Ethernet) or 0 (PPP, raw IP).
pub fn parse(frame: &[u8], header: u16) -> Seen {
    read(frame, header).unwrap_or(Seen::Odd)
}

fn byte(frame: &[u8], at: usize) -> Option<u8> {
    frame.get(at).copied()
}

fn half(frame: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*frame.get(at..)?.first_chunk()?))
}

/// `None`: it ends too early.
fn read(frame: &[u8], header: u16) -> Option<Seen> {
    if header == 0 {
        return match byte(frame, 0)? >> 4 {
            4 => v4(frame),
            6 => v6(frame),
            _ => Some(Seen::Control),
        };
    }
    let mut at = 12;
    // One tag of the provider and one of the house.
    for _ in 0..2 {
        if matches!(half(frame, at)?, 0x8100 | 0x88a8) {
            at += 4;
        }
    }
    let mut kind = half(frame, at)?;
    let mut ip = at + 2;
    if kind == 0x8864 {
        kind = match half(frame, ip + 6)? {
            0x0021 => 0x0800,
            0x0057 => 0x86dd,
            _ => return Some(Seen::Control),
        };
        ip += 8;
    }
    match kind {
        0x0800 => v4(frame.get(ip..)?),
        0x86dd => v6(frame.get(ip..)?),
        _ => Some(Seen::Control),
    }
}

fn v4(ip: &[u8]) -> Option<Seen> {
    if ip.len() < 20 {
        return None;
    }
    let size = usize::from(byte(ip, 0)? & 0xf) * 4;
    if byte(ip, 0)? >> 4 != 4 || size < 20 {
        return None;
    }
    let (mut source, mut destination) = ([0; 16], [0; 16]);
    source[..4].copy_from_slice(ip.get(12..16)?);
    destination[..4].copy_from_slice(ip.get(16..20)?);
    let mut packet = Packet {
        is_v6: false,
        protocol: byte(ip, 9)?,
        ports: None,
        source,
        destination,
        dscp: byte(ip, 1)? >> 2,
        length: u32::from(half(ip, 2)?),
        is_bare: Some(false),
    };
    if half(ip, 6)? & 0x1fff == 0 {
        transport(ip, size, &mut packet)?;
    }
    Some(Seen::Ip(packet))
}

fn v6(ip: &[u8]) -> Option<Seen> {
    if ip.len() < 40 {
        return None;
    }
    let mut packet = Packet {
        is_v6: true,
        protocol: byte(ip, 6)?,
        ports: None,
        source: *ip.get(8..)?.first_chunk()?,
        destination: *ip.get(24..)?.first_chunk()?,
        dscp: (half(ip, 0)? >> 6) as u8 & 0x3f,
        length: u32::from(half(ip, 4)?) + 40,
        is_bare: Some(false),
    };
    let mut at = 40;
    for _ in 0..limits::EXTENSIONS {
        let size = match packet.protocol {
            // Hop-by-hop, routing, destination options.
            0 | 43 | 60 => (usize::from(byte(ip, at + 1)?) + 1) * 8,
            // Authentication.
            51 => (usize::from(byte(ip, at + 1)?) + 2) * 4,
            // Fragment.
            44 => 8,
            _ => break,
        };
        let is_later = packet.protocol == 44 && half(ip, at + 2)? & 0xfff8 != 0;
        packet.protocol = byte(ip, at)?;
        at += size;
        if is_later {
            return Some(Seen::Ip(packet));
        }
    }
    // Multicast listeners, router and neighbour discovery: without them there is no line.
    if packet.protocol == ICMPV6 && matches!(byte(ip, at)?, 130..=137 | 143) {
        return Some(Seen::Control);
    }
    transport(ip, at, &mut packet)?;
    Some(Seen::Ip(packet))
}

/// Ports, and whether TCP carries anything; the transport header begins at `at`.
fn transport(ip: &[u8], at: usize, packet: &mut Packet) -> Option<()> {
    if PORT_PROTOCOLS.contains(&packet.protocol) {
        // One load takes both: half a pair is none.
        packet.ports = Some((half(ip, at)?, half(ip, at + 2)?));
    }
    if packet.protocol == TCP {
        let headers = byte(ip, at + 12).map(|offset| at as u32 + u32::from(offset >> 4) * 4);
        packet.is_bare = headers.map(|headers| headers == packet.length);
    }
    Some(())
}
