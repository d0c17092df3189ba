// SPDX-License-Identifier: Apache-2.0
//! The socket options std does not know, and the clock both ends share.

use std::ffi::{c_int, c_void};
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::{AsRawFd, FromRawFd as _, OwnedFd};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const IPPROTO_IP: c_int = 0;
const IP_TOS: c_int = 1;
const IPPROTO_IPV6: c_int = 41;
const IPV6_TCLASS: c_int = 67;
// MIPS kept its own numbers for the socket level.
const SOL_SOCKET: c_int = if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 0xffff } else { 1 };
const SO_PRIORITY: c_int = 12;
const AF_PACKET: u16 = 17;
const SOCK_RAW: c_int = 3;

unsafe extern "C" {
    fn setsockopt(fd: c_int, level: c_int, name: c_int, value: *const c_void, length: u32) -> c_int;
    fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int;
    fn bind(fd: c_int, address: *const c_void, length: u32) -> c_int;
    fn send(fd: c_int, bytes: *const c_void, length: usize, flags: c_int) -> isize;
}

fn set(socket: &impl AsRawFd, level: c_int, name: c_int, value: c_int) -> bool {
    // SAFETY: the descriptor is open as long as `socket` is borrowed, and the kernel copies the four bytes of `value`.
    unsafe { setsockopt(socket.as_raw_fd(), level, name, (&raw const value).cast(), 4) == 0 }
}

/// Marks what the socket sends; an IPv6 socket may also speak IPv4, so both marks are tried.
pub fn set_dscp(socket: &impl AsRawFd, dscp: u8) -> Result<(), String> {
    let tos = c_int::from(dscp) << 2;
    let four = set(socket, IPPROTO_IP, IP_TOS, tos);
    let six = set(socket, IPPROTO_IPV6, IPV6_TCLASS, tos);
    if four || six { Ok(()) } else { Err(format!("cannot set DSCP {dscp}")) }
}

/// Sets `SO_PRIORITY`, which the qdiscs of the same network namespace see.
pub fn set_priority(socket: &impl AsRawFd, priority: u64) -> Result<(), String> {
    let value = u32::try_from(priority).map_err(|e| e.to_string())? as c_int;
    if set(socket, SOL_SOCKET, SO_PRIORITY, value) {
        Ok(())
    } else {
        Err(format!("cannot set priority {priority:#x}"))
    }
}

/// A socket of a family std does not know, for no protocol.
pub fn raw_socket(family: c_int, kind: c_int) -> Result<OwnedFd, String> {
    // SAFETY: takes numbers only.
    let fd = unsafe { socket(family, kind, 0) };
    if fd < 0 {
        return Err(format!("a socket of family {family}: {}", std::io::Error::last_os_error()));
    }
    // SAFETY: the kernel has just made this descriptor and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// A packet socket (packet(7)) that sends whole Ethernet frames of IPv4 on one device and receives nothing.
pub struct PacketSocket(OwnedFd);

impl PacketSocket {
    /// Opens one on `device`.
    pub fn open(device: &str) -> Result<Self, String> {
        let index = std::fs::read_to_string(format!("/sys/class/net/{device}/ifindex"))
            .map_err(|e| format!("{device}: {e}"))?;
        let index: i32 = index.trim().parse().map_err(|_| format!("{device}: no number"))?;
        // Opened for no protocol, so that nothing arrives.
        let fd = raw_socket(c_int::from(AF_PACKET), SOCK_RAW)?;
        // struct sockaddr_ll; the rest of it is for receiving.
        let mut address = [0u8; 20];
        address[..2].copy_from_slice(&AF_PACKET.to_ne_bytes());
        address[4..8].copy_from_slice(&index.to_ne_bytes());
        // SAFETY: the descriptor is open and the kernel copies the 20 bytes of `address`.
        if unsafe { bind(fd.as_raw_fd(), address.as_ptr().cast(), 20) } != 0 {
            return Err(format!("{device}: {}", std::io::Error::last_os_error()));
        }
        Ok(Self(fd))
    }

    /// Sends one frame.
    pub fn send(&self, frame: &[u8]) -> Result<(), String> {
        // SAFETY: the descriptor is open as long as `self` lives, and the kernel copies `frame`, of this length.
        let sent = unsafe { send(self.0.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
        if sent < 0 { Err(format!("sending: {}", std::io::Error::last_os_error())) } else { Ok(()) }
    }
}

/// The address a word names.
pub fn address(word: &str) -> Result<SocketAddr, String> {
    word.to_socket_addrs()
        .map_err(|e| format!("{word}: {e}"))?
        .next()
        .ok_or_else(|| format!("{word}: no address"))
}

/// IP and UDP header bytes of a packet to `to`.
pub fn header_bytes(to: &SocketAddr) -> usize {
    if to.is_ipv4() { 28 } else { 48 }
}

/// Nanoseconds of the clock that every process of the kernel sees alike.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Sleeps until that clock shows `at`.
pub fn sleep_until(at: u64) {
    let left = at.saturating_sub(now());
    if left > 0 {
        std::thread::sleep(Duration::from_nanos(left));
    }
}
