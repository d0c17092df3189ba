// SPDX-License-Identifier: Apache-2.0
//! The listening socket: who else changes devices, addresses, routes and queues.

use crate::classify::Insn;
use crate::classify::bpf::{JEQ_K, LD_W_ABS, RET_K};
use crate::daemon::Event;
use crate::io::sys;
use crate::limits;
use crate::tc::Link;
use crate::tc::message::{
    self, Messages, NEW_ADDRESS, NEW_CLASS, NEW_FILTER, NEW_LINK, NEW_QDISC, NEW_ROUTE,
};
use netlink_sys::Socket;
use netlink_sys::protocols::NETLINK_ROUTE;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// `RTNLGRP_LINK`, `_TC`, `_IPV4_IFADDR`, `_IPV4_ROUTE`, `_IPV6_IFADDR`, `_IPV6_ROUTE`.
const GROUPS: [u32; 6] = [1, 4, 5, 7, 9, 11];

/// Listens to what others change.
pub struct Monitor {
    socket: Socket,
    /// Whose changes are our own.
    own_port: u32,
    receive: Vec<u8>,
}

impl Monitor {
    /// Opens the socket and joins the groups.
    ///
    /// # Errors
    /// The system's.
    pub fn open(own_port: u32) -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        for group in GROUPS {
            socket.add_membership(group)?;
        }
        socket.set_non_blocking(true)?;
        // Not to be woken by every rate of our own; without the filter `read` passes them over.
        let _ = sys::attach_filter(&socket, &not_from(own_port));
        Ok(Self { socket, own_port, receive: Vec::with_capacity(limits::NETLINK_RECEIVE) })
    }

    /// Takes everything that has arrived; `known` are the links as they were last seen, and what does not differ from
    /// them is no news (wireless devices repeat themselves every second).
    ///
    /// # Errors
    /// The socket's.
    pub fn read(&mut self, known: &[Link]) -> io::Result<Vec<Event>> {
        let (mut links, mut tc) = (false, false);
        loop {
            self.receive.clear();
            match self.socket.recv(&mut self.receive, 0) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // So much happened that some of it was not told: look at everything again.
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => (links, tc) = (true, true),
                Err(error) => return Err(error),
            }
            for message in Messages::new(&self.receive).filter(|message| message.port != self.own_port) {
                const DELETE: u16 = 1;
                match message.kind {
                    NEW_LINK => {
                        let link = message::link(message.payload);
                        links |= link.is_some_and(|link| !known.contains(&link));
                    }
                    kind if kind == NEW_LINK + DELETE => {
                        // A bridge tells of ports it loses with the same message; the device may well be there.
                        links = true;
                    }
                    kind if kind == NEW_ADDRESS || kind == NEW_ADDRESS + DELETE => links = true,
                    kind if kind == NEW_ROUTE || kind == NEW_ROUTE + DELETE => {
                        links |= message::default_route(message.payload).is_some();
                    }
                    kind if [NEW_QDISC, NEW_CLASS, NEW_FILTER]
                        .iter()
                        .any(|new| kind == *new || kind == new + DELETE) =>
                    {
                        tc = true;
                    }
                    _ => {}
                }
            }
        }
        let mut events = Vec::new();
        if links {
            events.push(Event::LinksChanged);
        }
        if tc {
            events.push(Event::TcChanged);
        }
        Ok(events)
    }
}

/// Drops messages that carry this port: `nlmsg_pid`, in the host's order, is read in the network's.
fn not_from(port: u32) -> [Insn; 4] {
    const PORT_AT: u32 = 12;
    let insn = |code, jf, k| Insn { code, jt: 0, jf, k };
    [
        insn(LD_W_ABS, 0, PORT_AT),
        insn(JEQ_K, 1, u32::from_be_bytes(port.to_ne_bytes())),
        insn(RET_K, 0, 0),
        insn(RET_K, 0, u32::MAX),
    ]
}

impl AsFd for Monitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
