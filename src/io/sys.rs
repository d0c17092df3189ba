// SPDX-License-Identifier: Apache-2.0
//! The only unsafe code: system calls that no crate we use offers. Each function is safe to call.
#![expect(unsafe_code, reason = "ioctl(SIOCETHTOOL), capset and prctl are not in nix or netlink-sys")]

use crate::units::DeviceName;
use std::io;
use std::os::fd::AsRawFd;

/// `ETHTOOL_GGRO`, `ETHTOOL_SGRO`: generic receive offload.
pub const GRO: (u32, u32) = (0x2b, 0x2c);
/// `ETHTOOL_GFLAGS`, `ETHTOOL_SFLAGS`: among them large receive offload.
pub const FLAGS: (u32, u32) = (0x25, 0x26);
/// `ETH_FLAG_LRO`.
pub const LRO: u32 = 1 << 15;

/// `struct ethtool_value`.
#[repr(C)]
struct EthtoolValue {
    command: u32,
    data: u32,
}

/// Runs one ethtool command that takes and gives a number.
///
/// # Errors
/// What the kernel says: no such device, not supported, not permitted.
pub fn ethtool(socket: &impl AsRawFd, device: &DeviceName, command: u32, data: u32) -> io::Result<u32> {
    const SIOCETHTOOL: u64 = 0x8946;
    let mut value = EthtoolValue { command, data };
    // SAFETY: an all-zero ifreq is a valid value of a plain C struct.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(device.as_str().bytes()) {
        *to = from as libc::c_char; // at most 15 bytes of 16, so a NUL remains
    }
    request.ifr_ifru.ifru_data = (&raw mut value).cast();
    // SAFETY: the kernel reads `request`, and reads and writes the `ethtool_value` it points to; both live until the
    // call returns, and the commands passed here use no more than that struct.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCETHTOOL as _, &raw mut request) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(value.data) }
}

/// Gives up every privilege but `CAP_NET_ADMIN` and `CAP_NET_RAW`, for good.
///
/// # Errors
/// What the kernel says; the caller checks `/proc/self/status` anyway.
pub fn drop_capabilities() -> io::Result<()> {
    const NET_ADMIN: u32 = 12;
    const NET_RAW: u32 = 13;
    const VERSION_3: u32 = 0x2008_0522;
    const LAST_CAPABILITY: u32 = 63;
    let keep = 1u32 << NET_ADMIN | 1 << NET_RAW;
    // The bounding set first: afterwards we no longer may.
    for capability in (0..=LAST_CAPABILITY).filter(|c| *c >= 32 || keep & 1 << c == 0) {
        // SAFETY: PR_CAPBSET_DROP takes a number and touches no memory; unknown capabilities are refused.
        unsafe { libc::prctl(libc::PR_CAPBSET_DROP, libc::c_ulong::from(capability), 0, 0, 0) };
    }
    let header = [VERSION_3, 0];
    let data = [keep, keep, 0, 0, 0, 0]; // effective, permitted, inheritable; low words then high words
    // SAFETY: capset reads a header of two and data of six words, which live until the call returns.
    let result = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), data.as_ptr()) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: PR_SET_NO_NEW_PRIVS takes a number and touches no memory.
    let result = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1 as libc::c_ulong, 0, 0, 0) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
