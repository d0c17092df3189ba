// SPDX-License-Identifier: Apache-2.0
//! The socket options std does not know, and the clock both ends share.

use std::ffi::{c_int, c_void};
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::AsRawFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const IPPROTO_IP: c_int = 0;
const IP_TOS: c_int = 1;
const IPPROTO_IPV6: c_int = 41;
const IPV6_TCLASS: c_int = 67;
// MIPS kept its own numbers for the socket level.
const SOL_SOCKET: c_int = if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 0xffff } else { 1 };
const SO_PRIORITY: c_int = 12;

unsafe extern "C" {
    fn setsockopt(fd: c_int, level: c_int, name: c_int, value: *const c_void, length: u32) -> c_int;
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
