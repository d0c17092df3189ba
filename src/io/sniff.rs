// SPDX-License-Identifier: Apache-2.0
//! The beginnings of a device's packets, for as long as somebody watches: one AF_PACKET socket, bounded in every way.

use crate::classify::Insn;
use crate::classify::bpf::RET_K;
use crate::limits;
use crate::units::Way;
use nix::sys::socket::{AddressFamily, LinkAddr, SockFlag, SockType, recvfrom, setsockopt, socket, sockopt};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// `PACKET_OUTGOING`.
const OUTGOING: u8 = 4;

/// A socket that sees both ways of one device.
pub struct Sniffer {
    socket: OwnedFd,
    buffer: [u8; limits::SAMPLE_BYTES],
}

impl Sniffer {
    /// Begins to listen.
    ///
    /// # Errors
    /// What the kernel says; without `CAP_NET_RAW` that is EPERM.
    pub fn open(index: u32) -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        // For no protocol until it is bound: nothing of other devices gets in.
        let socket = socket(AddressFamily::Packet, SockType::Raw, flags, None)?;
        // Only the headers leave the kernel, and only as many as the small buffer holds.
        let head = Insn { code: RET_K, jt: 0, jf: 0, k: limits::SAMPLE_BYTES as u32 };
        super::sys::attach_filter(&socket, &[head])?;
        // The kernel counts a packet as 2 to 3 KB, and doubles this.
        setsockopt(&socket, sockopt::RcvBuf, &(128 * 1024))?;
        super::sys::bind_to_device(&socket, index)?;
        Ok(Self { socket, buffer: [0; limits::SAMPLE_BYTES] })
    }

    /// The next packet that has come: its beginning, and which way it goes; `None`: none has.
    ///
    /// # Errors
    /// The socket's; a device that went down is one.
    pub fn receive(&mut self) -> io::Result<Option<(&[u8], Way)>> {
        match recvfrom::<LinkAddr>(self.socket.as_raw_fd(), &mut self.buffer) {
            Ok((size, from)) => {
                let is_outgoing = from.is_some_and(|from| from.pkttype() == OUTGOING);
                let way = if is_outgoing { Way::Up } else { Way::Down };
                Ok(Some((self.buffer.get(..size).unwrap_or_default(), way)))
            }
            Err(nix::errno::Errno::EAGAIN) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// How many packets have come since this was last asked, and how many of them the kernel had to leave out.
    pub fn passed(&self) -> [u32; 2] {
        super::sys::packets_passed(&self.socket).unwrap_or_default()
    }
}
