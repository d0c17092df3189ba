// SPDX-License-Identifier: Apache-2.0
//! A look at netifd's networks, for commands that end before they could follow them.

use super::NEIGHBOURS;
use super::wire::Wire;
use crate::config::network::Networks;
use crate::io::clock;
use crate::ubus::{Heard, Peer};
use crate::units::Micros;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::os::fd::AsFd;
use std::path::PathBuf;

/// Whoever may not see netifd is told nothing at all, so this is what it costs them.
const PATIENCE: Micros = Micros::ms(300);

/// The networks as netifd has them; `None`: there is no bus, or no netifd on it for us.
pub fn networks(paths: &[PathBuf]) -> Option<Networks> {
    let mut wire = Wire::new(Wire::open(paths)?);
    let mut peer = Peer::new(None, &NEIGHBOURS);
    let begun = clock::now();
    peer.open(begun);
    loop {
        let now = clock::now();
        wire.write(&mut peer).ok()?;
        let left = (begun + PATIENCE - now).0 / 1000;
        let timeout = PollTimeout::try_from(left as i32).ok().filter(|_| left > 0)?;
        poll(&mut [PollFd::new(wire.as_fd(), PollFlags::POLLIN)], timeout).ok()?;
        wire.read().ok()?;
        while let Some(message) = wire.next().ok()? {
            match peer.hear(message, now) {
                Heard::Here(_) => {
                    peer.call(0, "dump", now, |_| {})?;
                }
                Heard::Answer(_, dump) => {
                    let mut networks = Networks::default();
                    networks.take_dump(dump);
                    return Some(networks).filter(|networks| networks.is_live);
                }
                Heard::Done(..) => return None,
                _ => {}
            }
        }
    }
}
