// SPDX-License-Identifier: Apache-2.0
//! The request socket: batches with an acknowledgement each, and dumps. Read netlink(7) before editing.

use crate::limits;
use crate::tc::message::{self, Message, Messages};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use std::io;

/// A request the kernel refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its place in the batch.
    pub place: usize,
    /// The error number, positive.
    pub errno: i32,
    /// The kernel's own words, empty if it had none.
    pub extack: String,
}

/// A connection to rtnetlink.
pub struct Connection {
    socket: Socket,
    /// Our port id, by which the monitor knows our own changes.
    pub port: u32,
    seq: u32,
    receive: Vec<u8>,
    send: Vec<u8>,
    /// System calls made, for `bench` and the curious.
    pub calls: u32,
    /// Messages sent that alter something.
    pub changes: u32,
    #[cfg(debug_assertions)]
    refuse: Option<u32>,
}

/// Appends the request of a place in a batch, with a sequence number, to a buffer.
pub type Put<'a> = dyn FnMut(usize, u32, &mut Vec<u8>) -> io::Result<()> + 'a;

impl Connection {
    /// Opens the socket.
    ///
    /// # Errors
    /// The system's, when sockets are not to be had.
    pub fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        let port = socket.bind_auto()?.port_number();
        socket.connect(&SocketAddr::new(0, 0))?;
        // Each is a help on kernels that have it and no loss on those that do not.
        let _ = socket.set_cap_ack(true);
        let _ = socket.set_ext_ack(true);
        let _ = socket.set_netlink_get_strict_chk(true);
        Ok(Self {
            socket,
            port,
            seq: 1,
            receive: Vec::with_capacity(limits::NETLINK_RECEIVE),
            send: Vec::with_capacity(4096),
            calls: 0,
            changes: 0,
            #[cfg(debug_assertions)]
            refuse: std::env::var("WEIR_TEST_REFUSE").ok().and_then(|n| n.parse().ok()),
        })
    }

    /// Sends one request made by `put(seq, buffer)` and gives every message of the dump to `each`. Says whether the dump
    /// is of one moment.
    ///
    /// # Errors
    /// The socket's, or the kernel's refusal of the dump.
    pub fn dump(
        &mut self,
        put: &dyn Fn(u32, &mut Vec<u8>),
        each: &mut dyn FnMut(&Message<'_>),
    ) -> io::Result<bool> {
        let seq = self.next_seq();
        self.send.clear();
        put(seq, &mut self.send);
        self.calls += 1;
        self.socket.send(&self.send, 0)?;
        let mut is_whole = true;
        loop {
            self.receive()?;
            for message in Messages::new(&self.receive).filter(|message| message.seq == seq) {
                is_whole &= message.flags & message::DUMP_INTERRUPTED == 0;
                match message.kind {
                    // A dump can end with an error in its last message: what was too large for any buffer is missing.
                    message::DONE => {
                        return match message::end_of_dump(&message) {
                            Some((errno, _)) if errno != 0 => Err(io::Error::from_raw_os_error(errno)),
                            _ => Ok(is_whole),
                        };
                    }
                    message::ERROR => {
                        let (errno, _) = message::answer(&message).unwrap_or((libc::EPROTO, None));
                        if errno == 0 {
                            return Ok(is_whole); // the end of what is no dump
                        }
                        return Err(io::Error::from_raw_os_error(errno));
                    }
                    _ => each(&message),
                }
            }
        }
    }

    /// Sends `count` requests in one message, each made by `put(place, seq, buffer)`, and waits for every answer. The kernel
    /// goes on after a refused one, so all refusals come back, in order.
    ///
    /// # Errors
    /// The socket's; what the kernel refuses is the `Ok` value.
    pub fn batch(&mut self, count: usize, put: &mut Put<'_>) -> io::Result<Vec<Refused>> {
        let mut refused = Vec::new();
        let mut place = 0;
        while place < count {
            let (first, first_seq) = (place, self.seq.wrapping_add(1));
            let mut send = std::mem::take(&mut self.send);
            send.clear();
            while place < count && (place == first || send.len() < limits::NETLINK_SEND) && place - first < 64
            {
                let seq = self.next_seq();
                let start = send.len();
                put(place, seq, &mut send)?;
                self.spoil(&mut send, start);
                place += 1;
            }
            self.calls += 1;
            self.changes += (place - first) as u32;
            let sent = self.socket.send(&send, 0);
            self.send = send;
            sent?;
            self.answers(first, first_seq, place - first, &mut refused)?;
        }
        Ok(refused)
    }

    /// Takes the answers to `count` requests beginning with `first_seq`.
    fn answers(
        &mut self,
        first: usize,
        first_seq: u32,
        count: usize,
        refused: &mut Vec<Refused>,
    ) -> io::Result<()> {
        let mut left = count;
        while left > 0 {
            self.receive()?;
            for message in Messages::new(&self.receive) {
                let place = message.seq.wrapping_sub(first_seq) as usize;
                let Some((errno, words)) = message::answer(&message).filter(|_| place < count) else {
                    continue;
                };
                left -= 1;
                if errno != 0 {
                    let extack = words.unwrap_or_default().to_owned();
                    refused.push(Refused { place: first + place, errno, extack });
                }
            }
        }
        Ok(())
    }

    fn receive(&mut self) -> io::Result<()> {
        loop {
            self.receive.clear();
            self.calls += 1;
            match self.socket.recv(&mut self.receive, 0) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result.map(|_| ()),
            }
        }
    }

    fn next_seq(&mut self) -> u32 {
        self.seq = self.seq.wrapping_add(1);
        self.seq
    }

    /// Debug builds make the kernel refuse the message `WEIR_TEST_REFUSE` counts to, so that roll-back is proven at
    /// every position: a device index nobody has, or a creation that may not create.
    #[cfg(debug_assertions)]
    fn spoil(&mut self, send: &mut [u8], start: usize) {
        let Some(left) = &mut self.refuse else { return };
        *left = left.wrapping_sub(1);
        if *left != 0 {
            return;
        }
        self.refuse = None;
        let is_link = send.get(start + 4..start + 6) == Some(&message::NEW_LINK.to_ne_bytes());
        let (at, bytes) = if is_link { (start + 6, 5u32) } else { (start + 20, 0x7fff_fffe) };
        let width = if is_link { 2 } else { 4 };
        let bytes =
            if is_link { (bytes as u16).to_ne_bytes().to_vec() } else { bytes.to_ne_bytes().to_vec() };
        send.iter_mut().skip(at).take(width).zip(bytes).for_each(|(to, from)| *to = from);
        if is_link {
            // An existing device would be altered after all: ask for one that does not exist.
            send.iter_mut()
                .skip(start + 20)
                .take(4)
                .zip(0x7fff_fffeu32.to_ne_bytes())
                .for_each(|(to, from)| *to = from);
        }
    }

    #[cfg(not(debug_assertions))]
    fn spoil(&mut self, _: &mut [u8], _: usize) {}
}
