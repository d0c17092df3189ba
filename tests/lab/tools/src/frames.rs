// SPDX-License-Identifier: Apache-2.0
//! TCP segments of a packet socket, one after the other and as fast as they go: what pktgen does for UDP.
//!
//! They reach the device's qdisc (packet(7)) and belong to no connection; nobody needs to answer.

use crate::Options;
use crate::socket::{PacketSocket, now};

const ETHERNET: usize = 14;
const HEADERS: usize = ETHERNET + 20 + 20;

/// An Ethernet frame with an IPv4 TCP segment for `port`; checksums are left out, for nobody receives it.
fn segment(port: u16, size: usize) -> Vec<u8> {
    let mut frame = vec![0; size.max(HEADERS)];
    let total = u16::try_from(frame.len() - ETHERNET).unwrap_or(u16::MAX);
    frame[..6].copy_from_slice(&[2, 0, 0, 0, 0, 0xff]); // nobody's address
    frame[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
    frame[12..14].copy_from_slice(&[0x08, 0x00]);
    frame[14] = 0x45;
    frame[16..18].copy_from_slice(&total.to_be_bytes());
    frame[22] = 64; // time to live
    frame[23] = 6;
    frame[26..30].copy_from_slice(&[10, 0, 0, 2]);
    frame[30..34].copy_from_slice(&[198, 51, 100, 2]);
    frame[34..36].copy_from_slice(&30_000u16.to_be_bytes());
    frame[36..38].copy_from_slice(&port.to_be_bytes());
    frame[46] = 5 << 4; // header of 20 bytes
    frame[47] = 0x10; // ACK
    frame
}

/// `flow frames`
pub fn frames(options: &Options) -> Result<(), String> {
    let device = options.word(0, "DEVICE")?;
    let port = u16::try_from(options.number("dport", 0)?).map_err(|e| format!("--dport: {e}"))?;
    let size = usize::try_from(options.number("size", 128)?.min(1514)).map_err(|e| e.to_string())?;
    let count = options.number("count", 1000)?;
    let socket = PacketSocket::open(device)?;
    let frame = segment(port, size);
    let began = now();
    for _ in 0..count {
        socket.send(&frame)?;
    }
    println!("{{\"sent\":{count},\"ns\":{}}}", now() - began);
    Ok(())
}
