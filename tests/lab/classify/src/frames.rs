// SPDX-License-Identifier: Apache-2.0
//! The packets that are sent: random ones, and those a random generator would hardly make: laid out in pages, larger than
//! any device's MTU, behind long chains of headers, with right checksums.

use crate::checksum;
use crate::socket::Layout;
use weir::classify::packet::{self, Packet, Seen};
use weir::classify::random::{self, Random};
use weir::config::Rule;

/// `VIRTIO_NET_HDR_GSO_TCPV4`, `_UDP` (fragments), `_TCPV6`.
const GSO: [u8; 3] = [1, 3, 4];
/// Where the kernel begins to keep a packet in pages: longer than this with its head room.
const PAGES: usize = 4200;
/// The longest packet of a device of the lab, link header included.
const LONGEST: usize = 9000;

/// A packet to be sent.
#[derive(Clone)]
pub struct Frame {
    /// What it is.
    pub bytes: Vec<u8>,
    /// How it lies in memory.
    pub layout: Layout,
    /// What it was made for.
    pub kind: &'static str,
}

/// Draws one for a device with `header` bytes of link header.
pub fn draw(random: &mut Random, header: u16, rules: &[Rule]) -> Frame {
    let plain = |kind, bytes| Frame { bytes, layout: Layout::default(), kind };
    match random.below(20) {
        0..=9 => plain("random", random::packet(random, header, rules)),
        10..=12 => {
            let bytes = random::packet(random, header, rules);
            in_pages(random, bytes)
        }
        13 => {
            let chain = chain(random, header, rules);
            in_pages(random, chain)
        }
        14 => plain("chain", chain(random, header, rules)),
        15 | 16 => super_packet(random, header, rules),
        17 => {
            let bytes = right(random, header, rules);
            unsummed(bytes, header)
        }
        _ => {
            let bytes = right(random, header, rules);
            if random.below(4) == 0 { in_pages(random, bytes) } else { plain("right", bytes) }
        }
    }
}

/// The same packet, filled up at its end until it lies in pages, with its first part cut off at a random place.
fn in_pages(random: &mut Random, mut bytes: Vec<u8>) -> Frame {
    let wanted = PAGES + random.below((LONGEST - PAGES) as u64) as usize;
    if bytes.len() < wanted {
        bytes.resize(wanted, 0x55);
    }
    bytes.truncate(LONGEST);
    let linear = 14 + random.below(120) as u16;
    Frame { bytes, layout: Layout { linear, ..Layout::default() }, kind: "in pages" }
}

/// A random TCP or UDP packet whose addresses and ports are taken over; nearly every tenth will do.
fn like(random: &mut Random, rules: &[Rule], header: u16) -> Packet {
    loop {
        if let Seen::Ip(packet) = packet::parse(&random::packet(random, header, rules), header)
            && packet.ports.is_some()
            && matches!(packet.protocol, 6 | 17)
        {
            return packet;
        }
    }
}

/// IPv6 with up to eight extension headers, together longer than any driver's first buffer, now and then cut off.
fn chain(random: &mut Random, header: u16, rules: &[Rule]) -> Vec<u8> {
    let mut bytes = right(random, header, rules);
    let at = usize::from(header);
    while bytes.get(at).is_none_or(|byte| byte >> 4 != 6) {
        bytes = right(random, header, rules);
    }
    let transport = bytes.split_off(at + 40);
    let mut next = bytes[at + 6];
    let mut extensions = Vec::new();
    for _ in 0..1 + random.below(8) {
        let kind = [0u8, 43, 60, 60][random.below(4) as usize];
        let eights = [0, 1, 20, 80, 255][random.below(5) as usize];
        let mut one = vec![next, eights];
        one.resize(8 * (usize::from(eights) + 1), 0);
        one.extend(extensions);
        extensions = one;
        next = kind;
    }
    bytes[at + 6] = next;
    bytes.extend(extensions);
    bytes.extend(transport);
    let length = (bytes.len() - at - 40) as u16;
    bytes[at + 4..at + 6].copy_from_slice(&length.to_be_bytes());
    if random.below(4) == 0 {
        bytes.truncate(at + 20 + random.below((bytes.len() - at - 20) as u64) as usize);
    }
    bytes.truncate(LONGEST);
    bytes
}

/// A TCP or UDP packet as a host sends it: every length and checksum right, any DSCP and ECN, now and then options.
pub fn right(random: &mut Random, header: u16, rules: &[Rule]) -> Vec<u8> {
    let like = like(random, rules, header);
    let (source, destination) = like.ports.unwrap_or((1, 443));
    let payload: Vec<u8> = (0..random.below(1200)).map(|n| n as u8).collect();
    let mut transport: Vec<u8> = [source, destination].iter().flat_map(|port| port.to_be_bytes()).collect();
    let at = match like.protocol {
        6 => {
            transport.extend([0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 1, 0, 0, 0, 0, 0]);
            16
        }
        _ => {
            transport.extend((payload.len() as u16 + 8).to_be_bytes());
            transport.extend([0, 0]);
            6
        }
    };
    transport.extend(payload);
    let tos = random.below(256) as u8;
    let mut ip;
    if like.is_v6 {
        ip = vec![0x60 | tos >> 4, tos << 4 | 3, 2, 1];
        ip.extend((transport.len() as u16).to_be_bytes());
        ip.extend([like.protocol, 64]);
        ip.extend(like.source);
        ip.extend(like.destination);
    } else {
        let options = if random.below(4) == 0 { 1 + random.below(10) as usize } else { 0 };
        let size = 20 + options * 4;
        ip = vec![0x40 | (size / 4) as u8, tos];
        ip.extend(((size + transport.len()) as u16).to_be_bytes());
        ip.extend([0, 7, 0x40, 0, 64, like.protocol, 0, 0]);
        ip.extend(&like.source[..4]);
        ip.extend(&like.destination[..4]);
        ip.resize(size, 1);
        checksum::write_header(&mut ip);
    }
    let sum = checksum::of_transport(&like, &transport);
    transport[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    ip.extend(transport);
    let mut frame = link(header, like.is_v6);
    frame.extend(ip);
    frame
}

/// A small UDP packet over Ethernet and IPv4 with this port at both ends.
pub fn udp4(port: u16) -> Vec<u8> {
    let mut frame = link(14, false);
    let mut ip = vec![0x45, 0, 0, 128, 0, 7, 0x40, 0, 64, 17, 0, 0, 198, 51, 100, 1, 198, 51, 100, 2];
    checksum::write_header(&mut ip);
    frame.extend(ip);
    // No checksum is a right one.
    frame.extend([port, port, 108, 0].iter().flat_map(|word| word.to_be_bytes()));
    frame.resize(14 + 128, 0);
    frame
}

fn link(header: u16, is_v6: bool) -> Vec<u8> {
    let mut frame = vec![2; 12];
    frame.extend(if is_v6 { [0x86, 0xdd] } else { [8, 0] });
    frame.truncate(usize::from(header));
    frame
}

/// Where the transport header of a packet that is right begins, its protocol, and where its checksum is from there.
fn transport(bytes: &[u8], header: u16) -> (usize, u8, u16) {
    let ip = usize::from(header);
    let (size, protocol) = match bytes[ip] >> 4 {
        6 => (40, bytes[ip + 6]),
        _ => (usize::from(bytes[ip] & 15) * 4, bytes[ip + 9]),
    };
    (ip + size, protocol, if protocol == 6 { 16 } else { 6 })
}

/// Leaves the transport checksum to the device, as every host does.
fn unsummed(mut bytes: Vec<u8>, header: u16) -> Frame {
    let (start, _, field) = transport(&bytes, header);
    if let Seen::Ip(packet) = packet::parse(&bytes, header) {
        let at = start + usize::from(field);
        let seed = checksum::seed(&packet, bytes.len() - start);
        bytes[at..at + 2].copy_from_slice(&seed.to_be_bytes());
    }
    let layout = Layout { checksum: Some((start as u16, field)), ..Layout::default() };
    Frame { bytes, layout, kind: "checksum to be made" }
}

/// Several packets in one, as a host hands them to its network card.
fn super_packet(random: &mut Random, header: u16, rules: &[Rule]) -> Frame {
    let mut bytes = right(random, header, rules);
    let ip = usize::from(header);
    let is_v6 = bytes[ip] >> 4 == 6;
    let (start, protocol, _) = transport(&bytes, header);
    let headers = if protocol == 6 { 20 } else { 8 };
    bytes.resize(start + headers, 0);
    bytes.extend((0..2000 + random.below(28_000)).map(|n| (n ^ n >> 8) as u8));
    let length = bytes.len() - ip;
    let (at, value) = if is_v6 { (ip + 4, length - 40) } else { (ip + 2, length) };
    bytes[at..at + 2].copy_from_slice(&(value as u16).to_be_bytes());
    if !is_v6 {
        checksum::write_header(&mut bytes[ip..]);
    }
    if protocol == 17 {
        let size = (bytes.len() - start) as u16;
        bytes[start + 4..start + 6].copy_from_slice(&size.to_be_bytes());
    }
    let place = match (protocol, is_v6) {
        (6, false) => 0,
        (6, true) => 2,
        _ => 1,
    };
    let mut frame = unsummed(bytes, header);
    frame.layout.linear = 14 + random.below(60) as u16;
    frame.layout.gso = GSO[place];
    frame.kind = ["gso tcp4", "gso udp fragments", "gso tcp6"][place];
    frame
}

/// What a packet shows of itself, for the count of what was tried.
pub fn shapes(frame: &Frame, header: u16) -> Vec<&'static str> {
    let mut out = vec![frame.kind];
    let bytes = &frame.bytes;
    let half = |at: usize| bytes.get(at..at + 2).map_or(0, |two| u16::from_be_bytes([two[0], two[1]]));
    let (kind, ip) = match (header, half(12)) {
        (0, _) => (if bytes.first().is_some_and(|byte| byte >> 4 == 6) { 0x86dd } else { 0x0800 }, 0),
        (_, 0x8100 | 0x88a8) => {
            let is_double = matches!(half(16), 0x8100 | 0x88a8);
            out.push(if is_double { "two or three tags" } else { "one tag" });
            let at = if is_double { 20 } else { 16 };
            (half(at), at + 2)
        }
        (_, kind) => (kind, 14),
    };
    let (kind, ip) = match (kind, half(ip + 6)) {
        (0x8864, 0x21) => (0x0800, ip + 8),
        (0x8864, 0x57) => (0x86dd, ip + 8),
        other => (other.0, ip),
    };
    if ip >= 22 {
        out.push("pppoe");
    }
    match kind {
        0x0800 => {
            out.push("ipv4");
            if bytes.get(ip).is_some_and(|byte| byte & 15 > 5) {
                out.push("ipv4 options");
            }
            if half(ip + 6) & 0x3fff != 0 {
                out.push("ipv4 fragment");
            }
        }
        0x86dd => {
            out.push("ipv6");
            match bytes.get(ip + 6) {
                Some(44) => out.push("ipv6 fragment"),
                Some(0 | 43 | 60 | 51) => out.push("ipv6 extension"),
                _ => {}
            }
        }
        _ => out.push("not ip"),
    }
    out
}
