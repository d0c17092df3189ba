// SPDX-License-Identifier: Apache-2.0
//! A device's root qdisc as a line of a certain speed: tbf over a byte-limited queue, changed by netlink, for starting
//! `tc` ten times a second would be more work than all the rest of the lab.
//!
//! Read `sch_tbf.c` before editing: a change keeps the queue and fills the bucket, so the bucket is one packet.

use crate::socket::raw_socket;
use std::fs::File;
use std::io::{Read as _, Write as _};

const AF_NETLINK: i32 = 16;
const SOCK_RAW: i32 = 3;
const NEW_QDISC: u16 = 36;
const REQUEST: u16 = 1;
const ACKNOWLEDGE: u16 = 4;
const REPLACE: u16 = 0x100;
const CREATE: u16 = 0x400;
const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_TBF_PARMS: u16 = 1;
const TCA_TBF_BURST: u16 = 6;
const ETHERNET: u8 = 1;
/// The largest frame without VLAN tags. A smaller bucket would let none of them through.
pub const BURST: u32 = 1514;
/// What an outage carries: tbf has no zero.
const LEAST: u32 = 1000;

/// The line that leaves by one device.
pub struct Line {
    netlink: File,
    index: u32,
}

fn attribute(out: &mut Vec<u8>, kind: u16, payload: &[u8]) {
    out.extend((payload.len() as u16 + 4).to_ne_bytes());
    out.extend(kind.to_ne_bytes());
    out.extend(payload);
    out.resize(out.len().next_multiple_of(4), 0);
}

impl Line {
    /// Makes `device` a line.
    pub fn open(device: &str, kbit: u32, buffer: u32) -> Result<Self, String> {
        let index = std::fs::read_to_string(format!("/sys/class/net/{device}/ifindex"))
            .map_err(|e| format!("{device}: {e}"))?;
        let index = index.trim().parse().map_err(|_| format!("{device}: no number"))?;
        let mut line = Self { netlink: raw_socket(AF_NETLINK, SOCK_RAW)?.into(), index };
        line.send(CREATE | REPLACE, kbit, buffer)?;
        Ok(line)
    }

    /// From now on it carries this much, and holds `buffer` bytes.
    pub fn carry(&mut self, kbit: u32, buffer: u32) -> Result<(), String> {
        self.send(0, kbit, buffer)
    }

    fn send(&mut self, flags: u16, kbit: u32, buffer: u32) -> Result<(), String> {
        // struct tc_tbf_qopt: two struct tc_ratespec, limit, bucket and MTU; the bucket comes as an attribute, in bytes.
        let mut options = vec![0; 36];
        options[1] = ETHERNET;
        options[8..12].copy_from_slice(&(kbit * 125).max(LEAST).to_ne_bytes());
        options[24..28].copy_from_slice(&buffer.to_ne_bytes());
        let mut nested = Vec::new();
        attribute(&mut nested, TCA_TBF_PARMS, &options);
        attribute(&mut nested, TCA_TBF_BURST, &BURST.to_ne_bytes());
        // struct tcmsg: the root of this device, handle 1:0.
        let mut message = vec![0; 4];
        for word in [self.index, 0x0001_0000, u32::MAX, 0] {
            message.extend(word.to_ne_bytes());
        }
        attribute(&mut message, TCA_KIND, b"tbf\0");
        attribute(&mut message, TCA_OPTIONS, &nested);
        let mut request = (message.len() as u32 + 16).to_ne_bytes().to_vec();
        request.extend(NEW_QDISC.to_ne_bytes());
        request.extend((REQUEST | ACKNOWLEDGE | flags).to_ne_bytes());
        request.extend([0; 8]);
        request.extend(message);
        self.netlink.write_all(&request).map_err(|e| format!("netlink: {e}"))?;
        let mut answer = [0; 4096];
        let length = self.netlink.read(&mut answer).map_err(|e| format!("netlink: {e}"))?;
        let code = answer.get(16..20.min(length)).and_then(|code| code.first_chunk());
        match code.map(|code| i32::from_ne_bytes(*code)) {
            Some(0) => Ok(()),
            code => Err(format!("the kernel refused {kbit} kbit/s: {code:?}")),
        }
    }
}
