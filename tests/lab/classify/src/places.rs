// SPDX-License-Identifier: Apache-2.0
//! The four ways of a packet through the lab: where it is sent, which root classifies it, where it comes out.
//!
//! Packets that arrive lose their outer VLAN tag before anything sees them (`skb_vlan_untag`), so the IFB's root does not
//! see it either; what leaves has all its tags. Behind the IFB a packet is heard by sockets of its own EtherType alone:
//! those for all packets heard it before it was redirected.

use crate::socket::{ALL, Layout, Socket, Tun, index_of};
use std::io;
use std::time::{Duration, Instant};
use weir::units::Way;

/// One of the four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The section of its line.
    pub line: &'static str,
    /// Which way packets go.
    pub way: Way,
    /// Bytes of link header.
    pub header: u16,
    /// The device whose root classifies.
    pub root: &'static str,
    /// What it is called in reports.
    pub name: &'static str,
}

/// Uploads and downloads of an Ethernet and of a raw IP device.
pub const ALL_PLACES: [Place; 4] = [
    Place { line: "a", way: Way::Up, header: 14, root: "eth7", name: "ethernet up" },
    Place { line: "a", way: Way::Down, header: 14, root: "weir-a", name: "ethernet down (ifb)" },
    Place { line: "b", way: Way::Up, header: 0, root: "tun7", name: "tun up" },
    Place { line: "b", way: Way::Down, header: 0, root: "weir-b", name: "tun down (ifb)" },
];

impl Place {
    /// The frame as it is behind the device it arrives at; `None` if the kernel drops it there.
    pub fn untagged(&self, frame: &[u8]) -> Option<Vec<u8>> {
        // struct vlan_hdr and two bytes more are asked for.
        const LEAST: usize = 20;
        if self.header == 0 || !matches!(frame.get(12..14), Some([0x81, 0] | [0x88, 0xa8])) {
            return Some(frame.to_vec());
        }
        (frame.len() >= LEAST).then(|| [&frame[..12], &frame[16..]].concat())
    }

    /// The frame as the root sees it.
    pub fn at_root(&self, frame: &[u8]) -> Option<Vec<u8>> {
        match self.way {
            Way::Up => Some(frame.to_vec()),
            Way::Down => self.untagged(frame),
        }
    }

    /// The frame from where u32 begins to look: the kernel says that the network header of what leaves stands behind all
    /// tags it can read (`packet_parse_headers`).
    pub fn at_network_header(&self, frame: &[u8]) -> Vec<u8> {
        let is_tag = |two: &[u8]| matches!(two, [0x81, 0] | [0x88, 0xa8]);
        let mut at = 12;
        while (self.header, self.way) == (14, Way::Up) && frame.get(at..at + 2).is_some_and(is_tag) {
            at += 4;
            if frame.len() < at + 2 {
                return frame.to_vec();
            }
        }
        [frame.get(..12).unwrap_or(frame), frame.get(at..).unwrap_or_default()].concat()
    }

    /// Whether a frame does not get to the IFB: `match u32 0 0`, which redirects, wants four bytes to look at
    /// (`skb_header_pointer` in u32_classify). No IP packet is that short.
    pub fn is_passed_by(&self, frame: &[u8]) -> bool {
        self.way == Way::Down && frame.len() < usize::from(self.header) + 4
    }

    /// The EtherType the kernel has for a frame at the root; 0: none.
    pub fn protocol(&self, frame: &[u8]) -> u16 {
        match (self.header, frame) {
            (0, [first, ..]) => match first >> 4 {
                4 => 0x0800,
                6 => 0x86dd,
                _ => 0,
            },
            (0, []) => 0,
            _ => frame.get(12..14).map_or(0, |two| u16::from_be_bytes([two[0], two[1]])),
        }
    }
}

/// Sockets that send to and listen at every place.
pub struct Wires {
    near: Socket,
    far: Socket,
    raw: Socket,
    tun: Tun,
    heard: [Vec<Socket>; 4],
}

impl Wires {
    /// Opens them; the devices `eth7`, `p-eth7` and `tun7` are there.
    pub fn open() -> io::Result<Self> {
        let tun = Tun::open("tun7")?;
        let ip = |device| -> io::Result<Vec<Socket>> {
            Ok(vec![Socket::listener(device, 0x0800)?, Socket::listener(device, 0x86dd)?])
        };
        Ok(Self {
            near: Socket::sender("eth7")?,
            far: Socket::sender("p-eth7")?,
            raw: Socket::sender("tun7")?,
            tun,
            heard: [vec![Socket::listener("p-eth7", ALL)?], ip("eth7")?, Vec::new(), ip("tun7")?],
        })
    }

    /// Sends one frame.
    pub fn send(&self, place: &Place, frame: &[u8], layout: Layout) -> io::Result<()> {
        match (place.header, place.way) {
            (0, Way::Down) => self.tun.send(frame, layout),
            (0, Way::Up) => self.raw.send(frame, layout, place.protocol(frame)),
            (_, Way::Up) => self.near.send(frame, layout, 0),
            (_, Way::Down) => self.far.send(frame, layout, 0),
        }
    }

    /// What has come out, if anything has.
    pub fn receive(&mut self, place: &Place) -> Option<Vec<u8>> {
        let at = ALL_PLACES.iter().position(|known| known == place)?;
        if self.heard[at].is_empty() {
            return self.tun.receive();
        }
        self.heard[at].iter_mut().find_map(Socket::receive)
    }

    /// Forgets what has come out.
    pub fn drain(&mut self, place: &Place) {
        while self.receive(place).is_some() {}
    }

    /// What comes out until `is_done` says so, or until it has been waited for long enough.
    pub fn hear(&mut self, place: &Place, mut is_done: impl FnMut(&[Vec<u8>]) -> bool) -> Vec<Vec<u8>> {
        let mut heard = Vec::new();
        let mut until = None;
        while !is_done(&heard) {
            match self.receive(place) {
                Some(bytes) => heard.push(bytes),
                None if Instant::now() > *until.get_or_insert_with(|| Instant::now() + PATIENCE) => break,
                None => std::thread::yield_now(),
            }
        }
        heard
    }
}

/// How long what was sent may take to come out or to be counted; it takes microseconds.
pub const PATIENCE: Duration = Duration::from_millis(300);

/// The index of a place's root device.
pub fn root_index(place: &Place) -> io::Result<u32> {
    index_of(place.root)
}
