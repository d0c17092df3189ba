// SPDX-License-Identifier: Apache-2.0
//! The addresses of reflectors the user gave by name, asked for without waiting: `getaddrinfo` waits, and its code is
//! larger than all of this.
//!
//! Nothing here repeats by itself: whoever owns it calls [`Resolver::ask`] until nothing is left to find, with pauses.

use super::files::read_bounded;
use super::probe::is_resolver;
use super::sys;
use crate::measure::cookie::Key;
use crate::measure::dns::{self, Query, Record};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, SockaddrStorage, sendto, socket};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Where the provider's resolvers are written, on OpenWrt and elsewhere.
const FILES: [&str; 3] = ["/tmp/resolv.conf.d/resolv.conf.auto", "/tmp/resolv.conf.auto", "/etc/resolv.conf"];

/// Names, and the addresses found for them.
pub struct Resolver {
    /// A name that was found is empty.
    names: Vec<String>,
    files: Vec<PathBuf>,
    key: Key,
    epoll: Epoll,
    /// What the last questions were sent from and to, and which time that was.
    asked: Option<(OwnedFd, IpAddr)>,
    times: u16,
}

impl Resolver {
    /// For these names.
    ///
    /// # Errors
    /// The system's.
    pub fn new(names: Vec<String>) -> io::Result<Self> {
        Self::with(names, FILES.iter().map(PathBuf::from).collect())
    }

    fn with(names: Vec<String>, files: Vec<PathBuf>) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        Ok(Self { names, files, key: super::probe::random()?.0, epoll, asked: None, times: 0 })
    }

    /// Whether all names are found.
    pub fn is_done(&self) -> bool {
        self.names.iter().all(String::is_empty)
    }

    /// Asks for all names not found yet: each time another of the resolvers, and every third time for IPv6.
    ///
    /// # Errors
    /// The system's; there being no resolver yet is one.
    pub fn ask(&mut self) -> io::Result<()> {
        self.times = self.times.wrapping_add(1);
        let server = self.server().ok_or(io::ErrorKind::NotFound)?;
        let family = if server.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet };
        // A new socket each time: another port, and what was asked before is no longer believed.
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(family, SockType::Datagram, flags, None)?;
        self.epoll.add(&socket, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
        let to = SockaddrStorage::from(SocketAddr::new(server, dns::PORT));
        for n in 0..self.names.len() {
            if let Some(query) = self.query(n) {
                sendto(socket.as_raw_fd(), query.bytes(), &to, MsgFlags::empty())?;
            }
        }
        self.asked = Some((socket, server));
        Ok(())
    }

    /// The next address that was found, and the number of its name.
    pub fn read(&mut self) -> Option<(usize, IpAddr)> {
        let mut buffer = [0; dns::ANSWER_BYTES];
        loop {
            let (socket, server) = self.asked.as_ref()?;
            let received = sys::receive(socket, &mut buffer).ok()?;
            if !is_resolver(&received.from, *server) {
                continue;
            }
            let message = buffer.get(..received.size).unwrap_or_default();
            let found =
                (0..self.names.len()).find_map(|n| Some((n, self.query(n)?.addresses(message).next()?)));
            if let Some((n, _)) = found {
                self.names.get_mut(n)?.clear();
                return found;
            }
        }
    }

    fn query(&self, n: usize) -> Option<Query> {
        let record = if self.times.is_multiple_of(3) { Record::Aaaa } else { Record::A };
        Query::new(self.names.get(n)?.as_bytes(), record, self.key.of(n as u8, self.times))
    }

    fn server(&self) -> Option<IpAddr> {
        let read = |path: &PathBuf| read_bounded(Path::new(path)).ok();
        let texts: Vec<Vec<u8>> = self.files.iter().filter_map(read).collect();
        let mut servers = texts.iter().map(|text| dns::nameservers(text).collect::<Vec<_>>());
        let servers = servers.find(|servers| !servers.is_empty())?;
        servers.get(usize::from(self.times) % servers.len()).copied()
    }
}

/// Readable when an answer has come.
impl AsFd for Resolver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::probe::tests::is_inside;
    use std::net::UdpSocket;

    #[test]
    fn names_are_found_by_whatever_resolver_answers() {
        if !is_inside("resolve", "names_are_found_by_whatever_resolver_answers") {
            return;
        }
        let file = std::env::temp_dir().join(format!("weir-resolv-{}", std::process::id()));
        std::fs::write(&file, "nameserver 127.0.0.1\nnameserver ::1\n").expect("room");
        let names = ["a.example", "", "b.example"].map(String::from).to_vec();
        let mut resolver = Resolver::with(names, vec!["/nowhere".into(), file.clone()]).expect("epoll");
        let servers = ["127.0.0.1:53", "[::1]:53"].map(|address| UdpSocket::bind(address).expect("root may"));
        let mut found = Vec::new();
        let mut asked = Vec::new();
        while !resolver.is_done() && asked.len() < 6 {
            resolver.ask().expect("sent");
            let at = usize::from(resolver.times) % 2;
            for _ in 0..resolver.names.iter().filter(|name| !name.is_empty()).count() {
                let mut bytes = [0; 512];
                let (size, from) = servers[at].recv_from(&mut bytes).expect("a question");
                let (is_a, is_six) = (bytes[13] | 32 == b'a', bytes[size - 3] == 28);
                asked.push((at, is_a, is_six));
                // Only the second server knows the first name, and the other name has IPv6 alone.
                if is_a && at == 1 && !is_six || !is_a && is_six {
                    (bytes[2], bytes[7]) = (0x80, 1);
                    let data: &[u8] = if is_six { &[0xfd; 16] } else { &[192, 0, 2, 1] };
                    let mut answer = bytes[..size].to_vec();
                    answer.extend([0xc0, 12, 0, bytes[size - 3], 0, 1, 0, 0, 0, 9, 0, data.len() as u8]);
                    answer.extend(data);
                    servers[at].send_to(&answer, from).expect("sent");
                }
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
            found.extend(std::iter::from_fn(|| resolver.read()));
        }
        let _ = std::fs::remove_file(file);
        let six: IpAddr = [0xfd; 16].into();
        assert_eq!(found, [(0, [192, 0, 2, 1].into()), (2, six)]);
        assert_eq!(asked, [(1, true, false), (1, false, false), (0, false, false), (1, false, true)]);
    }
}
