// SPDX-License-Identifier: Apache-2.0
//! The probes of one line: sockets that ask reflectors and hear their answers. Who is asked when is decided in
//! [`crate::measure::probe`].
//!
//! Read raw(7), tcp(7), RFC 792, `net/ipv4/raw.c` and `tcp_input.c`. Nothing is allocated after `open`. An answer's time
//! is the kernel's, taken when the packet came in, so that our own scheduling is not in the measurement; only of a RST
//! it is when we woke up. Only answers with our number wake us: a classic BPF program on the socket drops the others.
//!
//! A connection ends with its first answer, SYN/ACK or RST, and is reset before the reflector's program hears of it:
//! SYN, answer, RST, nothing else and nothing in TIME_WAIT. It has no cookie: TCP believes an answer only if it
//! acknowledges the initial sequence number, 32 bits the kernel draws by a secret (RFC 6528), at a port it draws as well.
//! TCP sends a SYN again after a second; whatever comes later answers nobody knows which, so it does not count. A longer
//! wait shows by the probes that are still out ([`crate::measure::probe::Prober::oldest`]).
//!
//! Probes carry no mark of urgency: the provider might then let them pass the queue that is to be measured. Our own
//! shaper has a class for ICMP (`tc::shape`), which is never full, so they pass it at once; DNS goes where DNS goes, and
//! a connection where web pages go.

use super::{clock, sys};
use crate::classify::Insn;
use crate::classify::bpf::{JEQ_K, LD_B_ABS, LD_B_IND, LD_H_ABS, LD_H_IND, RET_K};
use crate::limits;
use crate::measure::cookie::Key;
use crate::measure::dns::{self, Query};
use crate::measure::icmp::{self, Kind};
use crate::measure::probe::Question;
use crate::measure::stamps::FarClock;
use crate::units::{DeviceName, Micros, Time};
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrStorage, connect, getsockopt, sendto,
    setsockopt, socket, sockopt,
};
use nix::sys::time::TimeValLike;
use nix::time::{ClockId, clock_gettime};
use std::ffi::OsString;
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// `BPF_LDX | BPF_B | BPF_MSH`: the length of an IPv4 header.
const LDX_MSH: u16 = 0xb1;
/// Datagrams looked at before somebody else has a turn; what is left wakes us again.
const AT_ONCE: usize = 64;
/// Where connections go: HTTPS, which all built-in reflectors' providers serve for DNS over HTTPS. Neither 53, where a
/// provider's own resolver may answer for them all, nor 80, where its proxy may; a port that is closed answers as well.
const HTTPS: u16 = 443;
/// TCP sends a SYN again after so long (RFC 6298 section 2).
const RESENT: Micros = Micros::secs(1);
/// An answer that waited longer than this in the socket has a clock that was set meanwhile.
const LONGEST_WAIT: i64 = 1_000_000;

/// An answer that was heard.
#[derive(Clone, Copy)]
pub struct Heard {
    /// Who answered.
    pub reflector: u16,
    /// Which probe.
    pub id: u32,
    /// When it was sent.
    pub sent: Time,
    /// When the answer came.
    pub received: Time,
    /// How long it took there and back, where the reflector tells the time.
    pub one_way: Option<(Micros, Micros)>,
}

/// A probe under way.
#[derive(Clone, Copy)]
struct Flight {
    id: u32,
    reflector: u16,
    question: Question,
    sent: Time,
    cookie: u64,
    to: IpAddr,
}

/// A connection under way.
struct Handshake {
    socket: OwnedFd,
    flight: Flight,
}

/// How sockets of a line are opened.
struct Opener {
    device: OsString,
    mark: Option<u32>,
}

/// The sockets of one family, and the error the last sending ended with.
struct Family {
    ping: OwnedFd,
    dns: OwnedFd,
    trouble: i32,
}

/// The probes of one line.
pub struct Probes {
    families: [Option<Family>; 2],
    handshakes: [Option<Handshake>; limits::HANDSHAKES],
    epoll: Epoll,
    opener: Opener,
    id: u16,
    key: Key,
    has_asked_dns: bool,
    flights: [Option<Flight>; limits::PROBES],
    clocks: [FarClock; limits::REFLECTORS],
    /// Answers with our number that nobody was asked for.
    pub forged: u32,
    /// Answers to probes that were forgotten long ago.
    pub late: u32,
}

impl Probes {
    /// Opens the sockets for the line on `device`; what they send carries `mark`, for rules that choose a routing table.
    ///
    /// # Errors
    /// What the kernel says; without `CAP_NET_RAW` that is EPERM. A machine without IPv6 is fine.
    pub fn open(device: &DeviceName, mark: Option<u32>) -> io::Result<Self> {
        let (key, id) = random()?;
        let opener = Opener { device: OsString::from(device.as_str()), mark };
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let open = |is_v6| Family::open(is_v6, id, &opener, &epoll);
        let families = [Some(open(false)?), open(true).ok()];
        Ok(Self {
            families,
            handshakes: [const { None }; limits::HANDSHAKES],
            epoll,
            opener,
            id,
            key,
            has_asked_dns: false,
            flights: [None; limits::PROBES],
            clocks: [FarClock::default(); limits::REFLECTORS],
            forged: 0,
            late: 0,
        })
    }

    /// Asks `to`, the reflector of that number, and calls the probe `id`. Whether it was sent.
    ///
    /// # Errors
    /// What the kernel says, when it is not what it said before: nobody wants to read that for every probe.
    pub fn send(&mut self, reflector: u16, to: IpAddr, question: Question, id: u32) -> io::Result<bool> {
        let seq = id as u16;
        let cookie = self.key.of(reflector as u8, seq);
        let Some(Some(family)) = self.families.get_mut(usize::from(to.is_ipv6())) else { return Ok(false) };
        let flight = Flight { id, reflector, question, sent: clock::now(), cookie, to };
        if let Some(slot) = self.flights.get_mut(usize::from(seq) % limits::PROBES) {
            *slot = Some(flight);
        }
        let kind = kind(question, to);
        let mut message = [0; icmp::TIMESTAMP_BYTES];
        let query;
        let ask = |socket: &OwnedFd, port, bytes: &[u8]| {
            let address = SockaddrStorage::from(SocketAddr::new(to, port));
            sendto(socket.as_raw_fd(), bytes, &address, MsgFlags::empty()).map(drop)
        };
        let sent = match (question, Query::probe(cookie)) {
            (Question::Tcp, _) => Handshake::begin(flight, &self.opener).and_then(|handshake| {
                let place = id as usize % limits::HANDSHAKES;
                self.epoll.add(&handshake.socket, EpollEvent::new(EpollFlags::EPOLLOUT, place as u64 + 1))?;
                if let Some(slot) = self.handshakes.get_mut(place) {
                    // What is still there is older than RESENT, and closed by this.
                    *slot = Some(handshake);
                }
                Ok(())
            }),
            (Question::Dns, Some(made)) => {
                query = made;
                self.has_asked_dns = true;
                ask(&family.dns, dns::PORT, query.bytes())
            }
            (Question::Echo | Question::Timestamp | Question::Dns, _) => {
                let length = icmp::encode(&icmp::Probe { kind, id: self.id, seq, cookie }, &mut message);
                ask(&family.ping, 0, message.get(..length).unwrap_or_default())
            }
        };
        match sent {
            Ok(()) => {
                family.trouble = 0;
                Ok(true)
            }
            Err(error) => {
                // A device that went and came back has another number; the sockets are bound to that.
                for socket in [&family.ping, &family.dns] {
                    let _ = setsockopt(socket, sockopt::BindToDevice, &self.opener.device);
                }
                let is_known = core::mem::replace(&mut family.trouble, error as i32) == error as i32;
                if is_known { Ok(false) } else { Err(error.into()) }
            }
        }
    }

    /// The next answer that was heard; `None`: there is none now.
    pub fn read(&mut self) -> Option<Heard> {
        let mut buffer = [0; dns::ANSWER_BYTES];
        // No DNS socket has a port before the first question.
        let kinds = if self.has_asked_dns { 2 } else { 1 };
        for (is_dns, is_v6) in
            [(false, false), (false, true), (true, false), (true, true)].into_iter().take(2 * kinds)
        {
            for _ in 0..AT_ONCE {
                let Some(Some(family)) = self.families.get(usize::from(is_v6)) else { break };
                let socket = if is_dns { &family.dns } else { &family.ping };
                // A device that went down is an error here too, once; sending meets it as well.
                let Ok(received) = sys::receive(socket, &mut buffer) else { break };
                let message = buffer.get(..received.size).unwrap_or_default();
                let found = if is_dns {
                    self.answered_query(message, &received.from).map(|flight| (flight, None))
                } else {
                    self.answered_ping(message, is_v6)
                };
                if let Some((flight, stamps)) = found {
                    return Some(self.hear(&flight, when(received.stamp), stamps));
                }
            }
        }
        self.shaken()
    }

    /// The next connection that was answered; those that were and do not count are closed.
    fn shaken(&mut self) -> Option<Heard> {
        if self.handshakes.iter().all(Option::is_none) {
            return None;
        }
        // The four other sockets may be among them.
        let mut events = [EpollEvent::empty(); 8];
        let count = self.epoll.wait(&mut events, EpollTimeout::ZERO).unwrap_or(0);
        events.iter().take(count).find_map(|event| {
            let place = (event.data() as usize).checked_sub(1)?;
            let handshake = self.handshakes.get_mut(place)?.take()?;
            let Flight { id, reflector, sent, .. } = handshake.flight;
            Some(Heard { reflector, id, sent, received: handshake.answered()?, one_way: None })
        })
    }

    fn hear(&mut self, flight: &Flight, received: Time, stamps: Option<(u32, u32)>) -> Heard {
        let Flight { id, reflector, sent, .. } = *flight;
        let clock = self.clocks.get_mut(usize::from(reflector));
        let one_way = stamps.zip(clock).and_then(|(stamps, clock)| clock.ways(sent, received, stamps));
        Heard { reflector, id, sent, received, one_way }
    }

    /// The probe this answers. The filter has seen that it is an answer and carries our number.
    fn answered_ping(&mut self, message: &[u8], is_v6: bool) -> Option<(Flight, Option<(u32, u32)>)> {
        let answer = if is_v6 { icmp::read_v6(message) } else { icmp::read_v4(message) }?;
        let seq = answer.probe.seq;
        let flight = self.flights.get(usize::from(seq) % limits::PROBES).copied().flatten();
        let probe = |kind, cookie| icmp::Probe { kind, id: self.id, seq, cookie };
        let flight = flight.filter(|flight| {
            flight.to.is_ipv6() == is_v6
                && answer.is_to(&probe(kind(flight.question, flight.to), flight.cookie))
        });
        if let Some(flight) = flight {
            return Some((flight, answer.stamps));
        }
        let mut all = 0..limits::REFLECTORS as u8;
        let was_ours =
            all.any(|reflector| answer.is_to(&probe(answer.probe.kind, self.key.of(reflector, seq))));
        *if was_ours { &mut self.late } else { &mut self.forged } += 1;
        None
    }

    /// The same for DNS, where the sender's address counts as well.
    fn answered_query(&mut self, message: &[u8], from: &[u8; 28]) -> Option<Flight> {
        let found = self.flights.iter().flatten().find(|flight| {
            let is_number = message.first_chunk() == Some(&(flight.cookie as u16).to_be_bytes());
            let is_asked = flight.question == Question::Dns && is_number && is_resolver(from, flight.to);
            is_asked && Query::probe(flight.cookie).is_some_and(|query| query.is_answered_by(message))
        });
        self.forged += u32::from(found.is_none());
        found.copied()
    }
}

/// Readable when an answer has come.
impl AsFd for Probes {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }
}

impl Family {
    fn open(is_v6: bool, id: u16, opener: &Opener, epoll: &Epoll) -> io::Result<Self> {
        let protocol = if is_v6 { SockProtocol::IcmpV6 } else { SockProtocol::Icmp };
        let open = |kind, protocol| {
            let socket = opener.open(is_v6, kind, protocol)?;
            setsockopt(&socket, sockopt::ReceiveTimestampns, &true).map(|()| socket)
        };
        let ping = open(SockType::Raw, Some(protocol))?;
        if is_v6 {
            sys::attach_filter(&ping, &filter_v6(id))
        } else {
            sys::attach_filter(&ping, &filter_v4(id))
        }?;
        let family = Self { ping, dns: open(SockType::Datagram, None)?, trouble: 0 };
        for socket in [&family.ping, &family.dns] {
            epoll.add(socket, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
        }
        Ok(family)
    }
}

impl Opener {
    fn open(&self, is_v6: bool, kind: SockType, protocol: Option<SockProtocol>) -> nix::Result<OwnedFd> {
        let family = if is_v6 { AddressFamily::Inet6 } else { AddressFamily::Inet };
        let socket = socket(family, kind, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, protocol)?;
        setsockopt(&socket, sockopt::BindToDevice, &self.device)?;
        if let Some(mark) = self.mark {
            setsockopt(&socket, sockopt::Mark, &mark)?;
        }
        Ok(socket)
    }
}

impl Handshake {
    /// Sends the SYN.
    fn begin(mut flight: Flight, opener: &Opener) -> nix::Result<Self> {
        let socket = opener.open(flight.to.is_ipv6(), SockType::Stream, None)?;
        sys::shorten_connection(&socket);
        flight.sent = clock::now();
        match connect(socket.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(flight.to, HTTPS))) {
            Ok(()) | Err(Errno::EINPROGRESS) => Ok(Self { socket, flight }),
            Err(error) => Err(error),
        }
    }

    /// When it was answered; `None`: it was not, or nobody can tell when.
    fn answered(&self) -> Option<Time> {
        let (now, sent) = (clock::now(), self.flight.sent);
        if let Some(trip) = sys::handshake(&self.socket) {
            return Some(sent + trip);
        }
        // Of a RST the kernel keeps no time.
        let is_refused = getsockopt(&self.socket, sockopt::SocketError) == Ok(libc::ECONNREFUSED);
        (is_refused && now - sent < RESENT).then_some(now)
    }
}

/// A key nobody knows, and a number of sixteen bits. As the kernel's other randomness, this never waits.
pub(super) fn random() -> io::Result<(Key, u16)> {
    let mut random = [0; 18];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
    let [key @ .., a, b] = random;
    Ok((Key::new(key), u16::from_be_bytes([a, b])))
}

/// Whether an answer is from `server` and its port for DNS.
pub(super) fn is_resolver(from: &[u8; 28], server: IpAddr) -> bool {
    let is_from = match server {
        IpAddr::V4(to) => from.get(4..8) == Some(&to.octets()),
        IpAddr::V6(to) => from.get(8..24) == Some(&to.octets()),
    };
    is_from && from.get(2..4) == Some(&dns::PORT.to_be_bytes())
}

/// How a question is put in ICMP; IPv6 has no timestamps.
fn kind(question: Question, to: IpAddr) -> Kind {
    match question {
        _ if to.is_ipv6() => Kind::Echo6,
        Question::Timestamp => Kind::Timestamp,
        Question::Echo | Question::Tcp | Question::Dns => Kind::Echo4,
    }
}

/// When a datagram came in, on our clock.
fn when(stamp: Option<(i64, i64)>) -> Time {
    let now = clock::now();
    let Some(((seconds, nanos), today)) = stamp.zip(clock_gettime(ClockId::CLOCK_REALTIME).ok()) else {
        return now;
    };
    let wait = today.num_microseconds() - seconds.wrapping_mul(1_000_000) - nanos / 1000;
    let wait = if (0..LONGEST_WAIT).contains(&wait) { wait as u64 } else { 0 };
    Time(now.0.saturating_sub(wait))
}

const fn insn(code: u16, jt: u8, jf: u8, k: u32) -> Insn {
    Insn { code, jt, jf, k }
}

/// Lets through echo and timestamp replies with this number; a raw socket of IPv4 sees the IP header.
fn filter_v4(id: u16) -> [Insn; 8] {
    [
        insn(LDX_MSH, 0, 0, 0),
        insn(LD_B_IND, 0, 0, 0),
        insn(JEQ_K, 1, 0, 0),
        insn(JEQ_K, 0, 3, 14),
        insn(LD_H_IND, 0, 0, 4),
        insn(JEQ_K, 0, 1, id.into()),
        insn(RET_K, 0, 0, 0xffff),
        insn(RET_K, 0, 0, 0),
    ]
}

/// Lets through echo replies with this number; a raw socket of ICMPv6 sees none of the IP header.
fn filter_v6(id: u16) -> [Insn; 6] {
    [
        insn(LD_B_ABS, 0, 0, 0),
        insn(JEQ_K, 0, 3, 129),
        insn(LD_H_ABS, 0, 0, 4),
        insn(JEQ_K, 0, 1, id.into()),
        insn(RET_K, 0, 0, 0xffff),
        insn(RET_K, 0, 0, 0),
    ]
}

#[cfg(test)]
#[path = "probe_tests.rs"]
pub(super) mod tests;
