// SPDX-License-Identifier: Apache-2.0
//! One end of a PPPoE session in the kernel, without the talk that sets one up: both ends are told the session's number.
//!
//! Read `pppoe_connect` (pppoe.c) and `ppp_ioctl` (ppp_generic.c) of the kernel before editing.

use crate::Options;
use crate::socket::raw_socket;
use std::ffi::{c_int, c_ulong, c_void};
use std::fs::{File, OpenOptions};
use std::io::Error;
use std::os::fd::AsRawFd;

const AF_PPPOX: u16 = 24;
const SOCK_STREAM: c_int = 1;
const PPPIOCGCHAN: c_ulong = 0x8004_7437;
const PPPIOCATTCHAN: c_ulong = 0x4004_7438;
const PPPIOCCONNECT: c_ulong = 0x4004_743a;
const PPPIOCNEWUNIT: c_ulong = 0xc004_743e;

unsafe extern "C" {
    fn connect(fd: c_int, address: *const c_void, length: u32) -> c_int;
    fn ioctl(fd: c_int, request: c_ulong, argument: *mut c_int) -> c_int;
}

/// Asks with a number and gives what the kernel left there.
fn ask(what: &str, fd: &impl AsRawFd, request: c_ulong, mut number: c_int) -> Result<c_int, String> {
    // SAFETY: the descriptor is open as long as `fd` is borrowed; each of these requests reads or writes one int.
    if unsafe { ioctl(fd.as_raw_fd(), request, &raw mut number) } < 0 {
        return Err(format!("{what}: {}", Error::last_os_error()));
    }
    Ok(number)
}

fn open() -> Result<File, String> {
    let file = OpenOptions::new().read(true).write(true).open("/dev/ppp");
    file.map_err(|error| format!("/dev/ppp: {error}"))
}

/// `pppoe DEVICE MAC SESSION`: a device of PPP, named on standard output, is there until this ends.
pub fn pppoe(options: &Options) -> Result<(), String> {
    let device = options.word(0, "the device")?;
    let mac = options.word(1, "the other end's address")?;
    let session: u16 = options.word(2, "the session's number")?.parse().map_err(|_| "no session number")?;
    let bytes: Result<Vec<u8>, _> = mac.split(':').map(|byte| u8::from_str_radix(byte, 16)).collect();
    let bytes = bytes.ok().filter(|bytes| bytes.len() == 6).ok_or("no Ethernet address")?;
    if device.len() > 15 {
        return Err("no name of a device".into());
    }
    // struct sockaddr_pppox, packed: family, protocol (PPPoE is 0), session, address, device.
    let mut address = [0u8; 30];
    address[..2].copy_from_slice(&AF_PPPOX.to_ne_bytes());
    address[6..8].copy_from_slice(&session.to_be_bytes());
    address[8..14].copy_from_slice(&bytes);
    address[14..14 + device.len()].copy_from_slice(device.as_bytes());
    let socket = raw_socket(c_int::from(AF_PPPOX), SOCK_STREAM)?;
    // SAFETY: the descriptor is open and the kernel copies the 30 bytes of `address`.
    if unsafe { connect(socket.as_raw_fd(), address.as_ptr().cast(), 30) } != 0 {
        return Err(format!("session {session} on {device}: {}", Error::last_os_error()));
    }
    let channel = ask("channel", &socket, PPPIOCGCHAN, 0)?;
    let (channel_file, unit_file) = (open()?, open()?);
    ask("attach", &channel_file, PPPIOCATTCHAN, channel)?;
    let unit = ask("unit", &unit_file, PPPIOCNEWUNIT, -1)?;
    ask("connect", &channel_file, PPPIOCCONNECT, unit)?;
    println!("ppp{unit}");
    loop {
        std::thread::park();
    }
}
