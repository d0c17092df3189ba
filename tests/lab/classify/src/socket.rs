// SPDX-License-Identifier: Apache-2.0
//! Packets as bytes into the kernel and out of it: packet(7) sockets and a tun device. Read `packet_snd` (af_packet.c) and
//! `tun_get_user` (tun.c) for what they make of `struct virtio_net_hdr`.

use std::ffi::{CString, c_int, c_void};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Every packet, to a listening socket.
pub const ALL: u16 = 3;
/// `struct virtio_net_hdr`.
pub const OFFLOAD_HEADER: usize = 10;
/// Larger than any packet.
const BUFFER: usize = 70_000;

/// How the kernel is to lay out a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Bytes that lie together at its beginning; the rest is in pages, if the whole is longer than one.
    pub linear: u16,
    /// `VIRTIO_NET_HDR_GSO_*`, 0: none.
    pub gso: u8,
    /// Where the checksum that is still to be made begins, and where it goes from there.
    pub checksum: Option<(u16, u16)>,
}

impl Layout {
    /// The bytes before the packet.
    fn header(self) -> [u8; OFFLOAD_HEADER] {
        const SEGMENT: u16 = 1000;
        let mut out = [0; OFFLOAD_HEADER];
        let (start, offset) = self.checksum.unwrap_or_default();
        out[0] = u8::from(self.checksum.is_some());
        out[1] = self.gso;
        let size = if self.gso == 0 { 0 } else { SEGMENT };
        for (at, word) in [(2, self.linear), (4, size), (6, start), (8, offset)] {
            out[at..at + 2].copy_from_slice(&word.to_ne_bytes());
        }
        out
    }
}

/// A packet socket on one device.
pub struct Socket {
    file: OwnedFd,
    index: c_int,
    buffer: Vec<u8>,
}

fn checked(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// The index of a device.
pub fn index_of(device: &str) -> io::Result<u32> {
    let name = CString::new(device)?;
    // SAFETY: `name` is a C string that lives until the call returns.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(io::Error::last_os_error()),
        index => Ok(index),
    }
}

impl Socket {
    /// One that only sends.
    pub fn sender(device: &str) -> io::Result<Self> {
        let socket = Self::open(device)?;
        socket.set(libc::PACKET_VNET_HDR)?;
        Ok(socket)
    }

    /// One that hears what arrives on `device` with this EtherType.
    pub fn listener(device: &str, protocol: u16) -> io::Result<Self> {
        let socket = Self::open(device)?;
        // PACKET_IGNORE_OUTGOING
        socket.set(23)?;
        let address = socket.address(protocol);
        // SAFETY: the address lives until the call returns, and its size is given.
        let result = unsafe {
            libc::bind(socket.file.as_raw_fd(), (&raw const address).cast(), size_of_val(&address) as u32)
        };
        checked(result)?;
        Ok(socket)
    }

    fn open(device: &str) -> io::Result<Self> {
        let index = index_of(device)? as c_int;
        // SAFETY: socket takes numbers and touches no memory.
        let file = checked(unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) })?;
        // SAFETY: `file` was just opened and belongs to nobody else.
        Ok(Self { file: unsafe { OwnedFd::from_raw_fd(file) }, index, buffer: vec![0; BUFFER] })
    }

    fn set(&self, name: c_int) -> io::Result<()> {
        let one: c_int = 1;
        // SAFETY: the kernel reads the four bytes of `one`.
        let result = unsafe {
            libc::setsockopt(self.file.as_raw_fd(), libc::SOL_PACKET, name, (&raw const one).cast(), 4)
        };
        checked(result).map(|_| ())
    }

    fn address(&self, protocol: u16) -> libc::sockaddr_ll {
        // SAFETY: an all-zero sockaddr_ll is a valid value of a plain C struct.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = protocol.to_be();
        address.sll_ifindex = self.index;
        address
    }

    /// Sends one packet out of the device; with protocol 0 the kernel reads it from the frame.
    pub fn send(&self, packet: &[u8], layout: Layout, protocol: u16) -> io::Result<()> {
        let bytes = [&layout.header()[..], packet].concat();
        let address = self.address(protocol);
        // SAFETY: the kernel reads `bytes` and `address`, whose sizes are given.
        let sent = unsafe {
            libc::sendto(
                self.file.as_raw_fd(),
                bytes.as_ptr().cast(),
                bytes.len(),
                0,
                (&raw const address).cast(),
                size_of_val(&address) as u32,
            )
        };
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// What has arrived, if anything has.
    pub fn receive(&mut self) -> Option<Vec<u8>> {
        // SAFETY: the kernel writes at most `buffer.len()` bytes into `buffer`.
        let got = unsafe {
            libc::recv(
                self.file.as_raw_fd(),
                self.buffer.as_mut_ptr().cast::<c_void>(),
                self.buffer.len(),
                libc::MSG_DONTWAIT,
            )
        };
        self.buffer.get(..usize::try_from(got).ok()?).map(Vec::from)
    }
}

/// A tun device: raw IP without link header. It is there as long as this is.
pub struct Tun {
    file: File,
    buffer: Vec<u8>,
}

impl Tun {
    /// Makes it.
    pub fn open(name: &str) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open("/dev/net/tun")?;
        // SAFETY: an all-zero ifreq is a valid value of a plain C struct.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes().take(15)) {
            *to = from as libc::c_char;
        }
        request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_VNET_HDR) as i16;
        // SAFETY: TUNSETIFF reads and writes one ifreq, which lives until the call returns.
        checked(unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF as _, &raw mut request) })?;
        // SAFETY: F_SETFL takes numbers and touches no memory.
        checked(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, libc::O_RDWR | libc::O_NONBLOCK) })?;
        Ok(Self { file, buffer: vec![0; BUFFER] })
    }

    /// Lets a packet arrive on the device.
    pub fn send(&self, packet: &[u8], layout: Layout) -> io::Result<()> {
        let bytes = [&layout.header()[..], packet].concat();
        // One packet is one write: a second one would be another packet.
        match io::Write::write(&mut &self.file, &bytes)? {
            written if written == bytes.len() => Ok(()),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }

    /// What has left by the device, if anything has.
    pub fn receive(&mut self) -> Option<Vec<u8>> {
        let got = io::Read::read(&mut &self.file, &mut self.buffer).ok()?;
        self.buffer.get(OFFLOAD_HEADER..got).map(Vec::from)
    }
}
