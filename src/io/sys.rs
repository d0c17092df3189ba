// SPDX-License-Identifier: Apache-2.0
//! The only unsafe code: system calls that no crate we use offers. Each function is safe to call.
#![expect(
    unsafe_code,
    reason = "ioctl(SIOCETHTOOL, TIOCGWINSZ), termios, SO_ATTACH_FILTER, PACKET_STATISTICS, TCP_INFO, a lean recvmsg, capset, prctl are in no crate weir uses"
)]

use crate::classify::Insn;
use crate::units::{DeviceName, Micros};
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

/// How many columns and rows a terminal has, if it is one and knows.
pub fn window(terminal: &impl AsRawFd) -> Option<(u16, u16)> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the kernel writes one `winsize`, which lives until the call returns.
    let result = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    (result == 0 && size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

/// How a terminal was set.
pub struct TerminalMode(libc::termios);

/// From now on keys are read as they are pressed, are not shown, and none of them stops the program for a while; gives how
/// it was.
///
/// # Errors
/// What the kernel says: it is no terminal.
pub fn hush_terminal(terminal: &impl AsRawFd) -> io::Result<TerminalMode> {
    // SAFETY: an all-zero termios is a valid value of a plain C struct.
    let mut mode: libc::termios = unsafe { std::mem::zeroed() };
    // SAFETY: the C library writes one `termios`, which lives until the call returns.
    if unsafe { libc::tcgetattr(terminal.as_raw_fd(), &raw mut mode) } < 0 {
        return Err(io::Error::last_os_error());
    }
    let before = TerminalMode(mode);
    mode.c_lflag &= !(libc::ICANON | libc::ECHO);
    for (at, value) in [(libc::VSUSP, 0), (libc::VMIN, 0), (libc::VTIME, 0)] {
        mode.c_cc.iter_mut().skip(at).take(1).for_each(|key| *key = value);
    }
    set_terminal(terminal, &TerminalMode(mode)).map(|()| before)
}

/// Sets a terminal as it was.
///
/// # Errors
/// What the kernel says.
pub fn set_terminal(terminal: &impl AsRawFd, mode: &TerminalMode) -> io::Result<()> {
    // SAFETY: the C library reads one `termios`, which lives until the call returns.
    let result = unsafe { libc::tcsetattr(terminal.as_raw_fd(), libc::TCSANOW, &raw const mode.0) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Lets a classic BPF program choose which packets, and how much of each, a socket gets.
///
/// # Errors
/// What the kernel says of the program.
pub fn attach_filter(socket: &impl AsRawFd, program: &[Insn]) -> io::Result<()> {
    let filters: Vec<libc::sock_filter> = program
        .iter()
        .map(|insn| libc::sock_filter { code: insn.code, jt: insn.jt, jf: insn.jf, k: insn.k })
        .collect();
    let len = u16::try_from(filters.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog { len, filter: filters.as_ptr().cast_mut() };
    // SAFETY: the kernel reads `program` and the `len` filters it points to, and keeps neither; both live until then.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const program).cast(),
            size_of::<libc::sock_fprog>() as libc::socklen_t,
        )
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Binds a packet socket to all packets of the device `index`.
///
/// # Errors
/// What the kernel says: no such device.
pub fn bind_to_device(socket: &impl AsRawFd, index: u32) -> io::Result<()> {
    // SAFETY: an all-zero sockaddr_ll is a valid value of a plain C struct.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = i32::try_from(index).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the kernel reads as many bytes of `address` as it has.
    let result = unsafe {
        libc::bind(
            socket.as_raw_fd(),
            (&raw const address).cast(),
            size_of::<libc::sockaddr_ll>() as libc::socklen_t,
        )
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// How many packets came to a packet socket since this was last asked, and for how many of them it had no room.
///
/// # Errors
/// What the kernel says.
pub fn packets_passed(socket: &impl AsRawFd) -> io::Result<[u32; 2]> {
    let mut stats = [0; 2]; // struct tpacket_stats: all, and those of them that were dropped
    if get_option(socket, libc::SOL_PACKET, libc::PACKET_STATISTICS, &mut stats) {
        Ok(stats)
    } else {
        Err(io::Error::last_os_error())
    }
}

/// How long TCP itself measured from its first SYN to the SYN/ACK; `None`: that has not come, or a SYN was sent again.
pub fn handshake(socket: &impl AsRawFd) -> Option<Micros> {
    let mut info = [0; 26]; // struct tcp_info up to tcpi_total_retrans; tcpi_rtt is the 18th word
    let is_known = get_option(socket, libc::IPPROTO_TCP, libc::TCP_INFO, &mut info);
    let [.., rtt, _, _, _, _, _, _, _, resent] = info;
    (is_known && rtt > 0 && resent == 0).then_some(Micros(rtt.into()))
}

/// Reads an option of a socket, as many of its words as there is room for. Whether it has it.
fn get_option(socket: &impl AsRawFd, level: i32, option: i32, words: &mut [u32]) -> bool {
    let mut size = size_of_val(words) as libc::socklen_t;
    // SAFETY: the kernel writes at most `size` bytes to `words`, and the size to `size`.
    let result = unsafe {
        libc::getsockopt(socket.as_raw_fd(), level, option, words.as_mut_ptr().cast(), &raw mut size)
    };
    result == 0
}

/// Lets a connection be of as few packets as it can. What the kernel does not know it leaves as it is.
pub fn shorten_connection(socket: &impl AsRawFd) {
    const OPTIONS: [(i32, i32, [u32; 2]); 3] = [
        // Closed, it is reset (struct linger: on, 0 seconds).
        (libc::SOL_SOCKET, libc::SO_LINGER, [1, 0]),
        // The ACK of a SYN/ACK waits for data to go with (tcp_rcv_synsent_state_process), and is overtaken by the reset.
        (libc::IPPROTO_TCP, libc::TCP_QUICKACK, [0, 0]),
        // Given up a millisecond after its SYN was sent again, not a minute (tcp_clamp_rto_to_user_timeout).
        (libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT, [1, 0]),
    ];
    for (level, option, value) in &OPTIONS {
        let size = size_of_val(value) as libc::socklen_t;
        // SAFETY: the kernel reads at most the `size` bytes `value` has.
        unsafe { libc::setsockopt(socket.as_raw_fd(), *level, *option, value.as_ptr().cast(), size) };
    }
}

/// What a socket received.
#[derive(Clone, Copy, Default)]
pub struct Received {
    /// How many bytes.
    pub size: usize,
    /// From whom: the beginning of a `sockaddr_in` or `sockaddr_in6`.
    pub from: [u8; 28],
    /// When the kernel got it, on the clock of the day, if the socket asks for that: seconds and nanoseconds.
    pub stamp: Option<(i64, i64)>,
}

/// Receives one datagram; what does not fit in `buffer` is cut off.
///
/// # Errors
/// What the kernel says; [`io::ErrorKind::WouldBlock`] when there is none.
pub fn receive(socket: &impl AsRawFd, buffer: &mut [u8]) -> io::Result<Received> {
    let mut received = Received::default();
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // Aligned as a cmsghdr has to be; two timespecs with their headers fit.
    let mut control = [0u64; 8];
    // SAFETY: an all-zero msghdr is a valid value of a plain C struct.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_name = received.from.as_mut_ptr().cast();
    message.msg_namelen = size_of_val(&received.from) as libc::socklen_t;
    (message.msg_iov, message.msg_iovlen) = (&raw mut part, 1);
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control) as _;
    // SAFETY: the kernel writes to the name, the one part and the control buffer no more than the sizes given; all of
    // them live until the call returns.
    let size = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, 0) };
    received.size = usize::try_from(size).map_err(|_| io::Error::last_os_error())?;
    // SAFETY: the kernel has set msg_controllen to what it wrote; the macro's function gives null or a header in it.
    let header = unsafe { libc::CMSG_FIRSTHDR(&raw const message).as_ref() };
    if let Some(header) = header
        && (header.cmsg_level, header.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS)
    {
        // SAFETY: a message of this type has a timespec behind its header, or the two halves of one of 64 bits.
        let data = unsafe { libc::CMSG_DATA(&raw const *header) };
        // SAFETY: CMSG_LEN does arithmetic alone.
        let is_wide = header.cmsg_len >= unsafe { libc::CMSG_LEN(16) } as _;
        received.stamp = if is_wide {
            // SAFETY: the length says that there are sixteen bytes, of any alignment.
            let [seconds, nanos] = unsafe { data.cast::<[i64; 2]>().read_unaligned() };
            Some((seconds, nanos))
        } else {
            // SAFETY: a timespec of 32 bits is the smallest there is.
            let [seconds, nanos] = unsafe { data.cast::<[u32; 2]>().read_unaligned() };
            Some((i64::from(seconds), i64::from(nanos)))
        };
    }
    Ok(received)
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
