// SPDX-License-Identifier: Apache-2.0
//! Super-packets off where HTB counts bytes, and back on afterwards.
//!
//! Read the note on super-packets in `tc/stab`: their bytes are charged rightly, but HTB sends them whole, and 64 KB
//! hold a 10 Mbit/s line for 52 ms. What arrives merged is switched off by ethtool (GRO, LRO), what the router builds
//! itself by `gso_max_segs`, for TCP ignores the device's own GSO switch. What was on is written down first, so that it
//! comes back also after a crash.

use super::files::StateDir;
use super::netlink::socket::Connection;
use super::sys;
use crate::tc::{Link, message};
use crate::units::DeviceName;
use netlink_sys::{Socket, protocols::NETLINK_ROUTE};
use std::fmt::Write;
use std::io;

/// The state file: a line for each thing switched off, `gro DEVICE`, `lro DEVICE` or `segs DEVICE NUMBER`.
const FILE: &str = "offloads";

/// One thing that was on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Was {
    Gro,
    Lro,
    Segs(u32),
}

/// What is switched off at the moment.
pub struct Offloads {
    state: StateDir,
    off: Vec<(DeviceName, Was)>,
}

impl Offloads {
    /// Takes up what an earlier process switched off.
    pub fn load(state: StateDir) -> Self {
        let mut off = Vec::new();
        state.read(FILE).lines().for_each(|line| off.extend(parse(line)));
        Self { state, off }
    }

    /// Switches super-packets off on `devices`, and back on where they no longer need to be off. Gives what could not be
    /// done, for people.
    pub fn set(
        &mut self,
        devices: &[DeviceName],
        links: &[Link],
        connection: &mut Connection,
    ) -> Vec<String> {
        let mut troubles = Vec::new();
        let Ok(socket) = Socket::new(NETLINK_ROUTE) else { return troubles };
        let (keep, back): (Vec<_>, Vec<_>) =
            self.off.iter().partition(|(device, _)| devices.contains(device));
        for (device, was) in back {
            // A device that is gone needs nothing back.
            let _ = switch(&socket, connection, links, &device, was, true);
        }
        let mut off: Vec<(DeviceName, Was)> = keep;
        for device in devices {
            for was in found_on(&socket, links, device) {
                if off.contains(&(*device, was)) {
                    continue;
                }
                off.push((*device, was));
                let _ = self.state.write(FILE, text(&off).as_bytes()); // before the switch, so that a crash cannot lose it
                if let Err(error) = switch(&socket, connection, links, device, was, false) {
                    off.pop();
                    troubles.push(format!(
                        "{device}: super-packets stay on ({error}); latency suffers on slow lines"
                    ));
                }
            }
        }
        self.off = off;
        if let Err(error) = self.state.write(FILE, text(&self.off).as_bytes()) {
            troubles.push(format!("cannot remember which offloads were on: {error}"));
        }
        troubles
    }
}

/// Those of `devices` on which super-packets are on although they should be off.
pub fn still_on(devices: &[DeviceName], links: &[Link]) -> Vec<DeviceName> {
    let Ok(socket) = Socket::new(NETLINK_ROUTE) else { return Vec::new() };
    let mut on = devices.to_vec();
    on.retain(|device| !found_on(&socket, links, device).is_empty());
    on
}

/// What is on and should be off.
fn found_on(socket: &Socket, links: &[Link], device: &DeviceName) -> Vec<Was> {
    let mut on = Vec::new();
    if sys::ethtool(socket, device, sys::GRO.0, 0).is_ok_and(|gro| gro != 0) {
        on.push(Was::Gro);
    }
    if sys::ethtool(socket, device, sys::FLAGS.0, 0).is_ok_and(|flags| flags & sys::LRO != 0) {
        on.push(Was::Lro);
    }
    let link = links.iter().find(|link| link.name == *device);
    on.extend(link.filter(|link| link.gso_max_segs > 1).map(|link| Was::Segs(link.gso_max_segs)));
    on
}

fn switch(
    socket: &Socket,
    connection: &mut Connection,
    links: &[Link],
    device: &DeviceName,
    was: Was,
    is_on: bool,
) -> io::Result<()> {
    match was {
        Was::Gro => sys::ethtool(socket, device, sys::GRO.1, u32::from(is_on)).map(|_| ()),
        Was::Lro => {
            let flags = sys::ethtool(socket, device, sys::FLAGS.0, 0)?;
            let flags = if is_on { flags | sys::LRO } else { flags & !sys::LRO };
            sys::ethtool(socket, device, sys::FLAGS.1, flags).map(|_| ())
        }
        Was::Segs(before) => {
            let Some(link) = links.iter().find(|link| link.name == *device) else { return Ok(()) };
            let segs = if is_on { before } else { 1 };
            let refused = connection.batch(1, &mut |_, seq, out| {
                message::set_gso_max_segs(link.index, segs, seq, out);
                Ok(())
            })?;
            refused.first().map_or(Ok(()), |refused| Err(io::Error::from_raw_os_error(refused.errno)))
        }
    }
}

fn parse(line: &str) -> Option<(DeviceName, Was)> {
    let mut words = line.split(' ');
    let (what, device) = (words.next()?, DeviceName::new(words.next()?)?);
    let was = match what {
        "gro" => Was::Gro,
        "lro" => Was::Lro,
        "segs" => Was::Segs(words.next()?.parse().ok()?),
        _ => return None,
    };
    Some((device, was))
}

fn text(off: &[(DeviceName, Was)]) -> String {
    let mut text = String::new();
    for (device, was) in off {
        let _ = match was {
            Was::Gro => writeln!(text, "gro {device}"),
            Was::Lro => writeln!(text, "lro {device}"),
            Was::Segs(segs) => writeln!(text, "segs {device} {segs}"),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_on_is_read_back_and_nonsense_is_ignored() {
        let eth0 = DeviceName::new("eth0").expect("valid");
        let off = vec![(eth0, Was::Gro), (eth0, Was::Segs(65_535))];
        assert_eq!(text(&off).lines().filter_map(parse).collect::<Vec<_>>(), off);
        for nonsense in ["", "gro", "gro a/b", "segs eth0", "segs eth0 x", "tso eth0"] {
            assert_eq!(parse(nonsense), None, "{nonsense}");
        }
    }
}
