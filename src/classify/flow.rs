// SPDX-License-Identifier: Apache-2.0
//! A flow as people name it: `udp 192.0.2.7:8801 dscp EF len 200`. The far end is named; the near end may be.
//!
//! `weir explain` and tables of test cases read this; what is left out is assumed and told.

use super::packet::{ICMP, ICMPV6, Packet, TCP};
use crate::config::rule::PORT_PROTOCOLS;
use crate::config::value::{self, Quoted};
use crate::units::{Dscp, Prefix, Way};
use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

/// A flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// One way only.
    pub way: Option<Way>,
    /// The transport protocol.
    pub protocol: u8,
    /// The far end.
    pub remote: End,
    /// The near end.
    pub local: End,
    /// The code point.
    pub dscp: Dscp,
    /// Bytes of each packet.
    pub length: u16,
    /// TCP without payload.
    pub is_bare: bool,
}

/// One end of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Its address; whole.
    pub address: Prefix,
    /// Its port; 0 where the protocol has none, and for any: one no rule names.
    pub port: u16,
}

/// What a flow looks like that does not say.
const LENGTH: u16 = 500;
/// A bare TCP packet: 20 bytes of IP, 20 of TCP and 12 of time stamps.
const BARE_LENGTH: u16 = 52;
/// A port that is nobody's: the first the IANA calls dynamic.
const NEAR_PORT: u16 = 49_152;

/// The words for the two ways.
const WAYS: [(&str, Way); 2] = [("up", Way::Up), ("down", Way::Down)];
/// The port of an end that may have any.
const ANY_PORT: &str = "any";

/// What to write.
pub const USAGE: &str =
    "[up|down] PROTOCOL [ADDRESS][:PORT] [local [ADDRESS][:PORT]] [dscp DSCP] [len BYTES] [ack]";

/// Reads a flow.
///
/// # Errors
/// What is wrong with it, for people.
pub fn parse(text: &str) -> Result<Flow, String> {
    let mut words = text.split_whitespace().peekable();
    let mut way = None;
    if let Some(word) = words.next_if(|word| WAYS.iter().any(|(name, _)| name == word)) {
        set_way(&mut way, word)?;
    }
    let first = words.next().ok_or_else(|| format!("name a flow: {USAGE}"))?;
    let protocols = value::protocols(first)?;
    let mut ends: Ends = [None, None];
    let (mut dscp, mut length, mut is_bare) = (None, None, false);
    while let Some(word) = words.next() {
        let mut argument = || words.next().ok_or_else(|| format!("'{word}' needs a value: {USAGE}"));
        match word {
            "dscp" => dscp = Some(value::dscp(argument()?)?),
            "len" | "length" => {
                let text = argument()?;
                let wrong = || format!("{} is not a number of bytes from 20 to 65535", Quoted(text));
                length = Some(text.parse::<u16>().ok().filter(|n| *n >= 20).ok_or_else(wrong)?);
            }
            "ack" => is_bare = true,
            "up" | "down" => set_way(&mut way, word)?,
            "local" | "from" => set_end(&mut ends, 1, argument()?)?,
            "remote" | "to" => set_end(&mut ends, 0, argument()?)?,
            end => set_end(&mut ends, 0, end)?,
        }
    }
    let [far, near] = ends.map(|end| end.unwrap_or((None, None)));
    let family = |end: &(Option<Prefix>, _)| end.0.map(|address| address.is_v6);
    let is_v6 = family(&far).or(family(&near)).unwrap_or(first == "icmpv6");
    if family(&near).is_some_and(|near| near != is_v6) {
        return Err("one end is IPv4, the other IPv6".into());
    }
    let protocol = match protocols.as_slice() {
        [only] => *only,
        [ICMP, ICMPV6] => {
            if is_v6 {
                ICMPV6
            } else {
                ICMP
            }
        }
        _ => return Err(format!("{} is more than one protocol", Quoted(first))),
    };
    let has_ports = PORT_PROTOCOLS.contains(&protocol);
    match (has_ports, far.1, near.1) {
        (true, None, None) => {
            let example = far.0.map_or("192.0.2.7:8801".into(), |address| port_at_end(address, 8801));
            return Err(format!("{first} needs the port of the far end: {first} {example}"));
        }
        (false, None, None) | (true, ..) => {}
        (false, ..) => return Err(format!("{first} has no ports")),
    }
    if is_bare && protocol != TCP {
        return Err(format!("'ack' is TCP without payload; this is {first}"));
    }
    let usual = if is_bare { BARE_LENGTH } else { LENGTH };
    let end = |(address, port): (Option<Prefix>, Option<u16>), last: u8, usual_port: u16| End {
        address: address.unwrap_or_else(|| example(is_v6, last)),
        port: if has_ports { port.unwrap_or(usual_port) } else { 0 },
    };
    Ok(Flow {
        way,
        protocol,
        remote: end(far, 1, 0),
        local: end(near, 2, NEAR_PORT),
        dscp: dscp.unwrap_or_default(),
        length: length.unwrap_or(usual),
        is_bare,
    })
}

type Ends = [Option<(Option<Prefix>, Option<u16>)>; 2];

fn set_way(way: &mut Option<Way>, word: &str) -> Result<(), String> {
    let known = WAYS.iter().find(|(name, _)| *name == word).map(|(_, way)| *way);
    match way {
        Some(_) => Err(format!("{}: the direction was named already; both hold without one", Quoted(word))),
        None => {
            *way = known;
            Ok(())
        }
    }
}

/// An address with a port, as this reads it. Where the address itself ends in what was meant as a port, that is it.
fn port_at_end(address: Prefix, example: u16) -> String {
    let host = host(&address);
    if !address.is_v6 {
        return format!("{host}:{example}");
    }
    let meant =
        host.rsplit_once(':').filter(|(front, _)| value::prefix(front).is_ok_and(|front| front.is_v6));
    match meant.map(|(front, last)| (front, value::ports(last))) {
        Some((front, Ok((port, _)))) => format!("[{front}]:{port}, if {port} is the port"),
        _ => format!("[{host}]:{example}"),
    }
}

/// An address without the length of its prefix.
fn host(address: &Prefix) -> String {
    let whole = address.to_string();
    whole.split('/').next().unwrap_or_default().into()
}

fn set_end(ends: &mut Ends, which: usize, text: &str) -> Result<(), String> {
    let Some(place) = ends.get_mut(which) else { return Ok(()) };
    if let Some((Some(address), None)) = place
        && let Ok((port, end)) = value::ports(text)
        && port == end
    {
        let host = host(address);
        let host = if address.is_v6 { format!("[{host}]") } else { host };
        return Err(format!("{}: a port stands behind its address: {host}:{port}", Quoted(text)));
    }
    if place.is_some() {
        return Err(format!("{}: this end was named already; write: {USAGE}", Quoted(text)));
    }
    *place = Some(end(text)?);
    Ok(())
}

/// `192.0.2.7:8801`, `[2001:db8::1]:443`, `2001:db8::1`, `:443`.
fn end(text: &str) -> Result<(Option<Prefix>, Option<u16>), String> {
    let wrong = || {
        format!(
            "{} is neither an address nor a port; write 192.0.2.7:8801, [2001:db8::1]:443 or :443",
            Quoted(text)
        )
    };
    let port = |text: &str| match text {
        ANY_PORT => Some(0),
        _ => value::ports(text).ok().filter(|(low, high)| low == high).map(|(port, _)| port),
    };
    let address = |text: &str| value::prefix(text).ok().filter(|p| p.len == if p.is_v6 { 128 } else { 32 });
    if let Some(inside) = text.strip_prefix('[') {
        let (inside, rest) = inside.split_once(']').ok_or_else(wrong)?;
        let host = address(inside).filter(|host| host.is_v6).ok_or_else(wrong)?;
        return match rest {
            "" => Ok((Some(host), None)),
            rest => Ok((Some(host), Some(rest.strip_prefix(':').and_then(port).ok_or_else(wrong)?))),
        };
    }
    if let Some(host) = address(text) {
        return Ok((Some(host), None));
    }
    let (host, number) = text.split_once(':').ok_or_else(wrong)?;
    let number = port(number).ok_or_else(wrong)?;
    match host {
        "" => Ok((None, Some(number))),
        host => Ok((Some(address(host).ok_or_else(wrong)?), Some(number))),
    }
}

/// An address of documentation (RFC 5737, 3849): nobody's, so that only rules about all addresses match.
fn example(is_v6: bool, last: u8) -> Prefix {
    let mut address = [0; 16];
    let [a, b, c, d, .., end] = &mut address;
    if is_v6 {
        [*a, *b, *c, *d, *end] = [0x20, 0x01, 0x0d, 0xb8, last];
    } else {
        [*a, *b, *c, *d] = [192, 0, 2, last];
    }
    Prefix { address, len: if is_v6 { 128 } else { 32 }, is_v6 }
}

impl Flow {
    /// A packet of it on this way.
    pub fn packet(&self, way: Way) -> Packet {
        let (from, to) = match way {
            Way::Up => (self.local, self.remote),
            Way::Down => (self.remote, self.local),
        };
        Packet {
            is_v6: self.remote.address.is_v6,
            protocol: self.protocol,
            ports: PORT_PROTOCOLS.contains(&self.protocol).then_some((from.port, to.port)),
            source: from.address.address,
            destination: to.address.address,
            dscp: self.dscp.get(),
            length: u32::from(self.length),
            is_bare: Some(self.is_bare),
        }
    }
}

/// All of it, also what was assumed.
impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |end: &End| {
            let host = host(&end.address);
            let has_ports = PORT_PROTOCOLS.contains(&self.protocol);
            let port = if end.port == 0 { ANY_PORT.to_string() } else { end.port.to_string() };
            match (has_ports, end.address.is_v6) {
                (false, _) => host,
                (true, true) => format!("[{host}]:{port}"),
                (true, false) => format!("{host}:{port}"),
            }
        };
        match (self.protocol, self.remote.address.is_v6) {
            // The name would mean ICMPv6 here.
            (ICMP, true) => write!(f, "{ICMP}")?,
            (known, _) => match value::protocol_name(known) {
                name if name.contains(' ') => write!(f, "{known}")?,
                name => f.write_str(&name)?,
            },
        }
        write!(f, " {} local {}", end(&self.remote), end(&self.local))?;
        write!(f, " dscp {} len {}", value::dscp_name(self.dscp), self.length)?;
        f.write_str(if self.is_bare { " ack" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_without_a_name_are_written_as_they_are_read() {
        for text in ["77 192.0.2.7", "1 2001:db8::7", "58 192.0.2.7", "0 :0 len 20"] {
            let Ok(flow) = parse(text) else { continue };
            assert_eq!(parse(&flow.to_string()), Ok(flow), "{flow}");
        }
        assert_eq!(
            parse("77 192.0.2.7").map(|flow| flow.to_string()).as_deref(),
            Ok("77 192.0.2.7 local 192.0.2.2 dscp BE len 500")
        );
    }

    #[test]
    fn flows_are_understood_as_people_write_them() {
        for (text, whole) in [
            (
                "udp 192.0.2.7:8801 dscp EF len 200",
                "udp 192.0.2.7:8801 local 192.0.2.2:49152 dscp EF len 200",
            ),
            ("tcp :443", "tcp 192.0.2.1:443 local 192.0.2.2:49152 dscp BE len 500"),
            ("tcp :443 ack", "tcp 192.0.2.1:443 local 192.0.2.2:49152 dscp BE len 52 ack"),
            ("udp [2001:db8::5]:53", "udp [2001:db8::5]:53 local [2001:db8::2]:49152 dscp BE len 500"),
            ("icmp 2001:db8::5", "icmpv6 2001:db8::5 local 2001:db8::2 dscp BE len 500"),
            ("down icmp", "icmp 192.0.2.1 local 192.0.2.2 dscp BE len 500"),
            ("gre 198.51.100.1", "gre 198.51.100.1 local 192.0.2.2 dscp BE len 500"),
            ("tcp local :51000", "tcp 192.0.2.1:any local 192.0.2.2:51000 dscp BE len 500"),
            ("udp [2001:db8::1]:any", "udp [2001:db8::1]:any local [2001:db8::2]:49152 dscp BE len 500"),
            ("udp :53 down", "udp 192.0.2.1:53 local 192.0.2.2:49152 dscp BE len 500"),
            (
                "up udp :53 local 192.168.1.7:1234 dscp 8",
                "udp 192.0.2.1:53 local 192.168.1.7:1234 dscp CS1 len 500",
            ),
        ] {
            assert_eq!(parse(text).map(|flow| flow.to_string()), Ok(whole.into()), "{text}");
            // What is printed is read again.
            let flow = parse(text).expect("understood");
            assert_eq!(parse(&flow.to_string()), Ok(Flow { way: None, ..flow }), "{text}");
        }
    }

    #[test]
    fn the_direction_may_stand_in_front_and_at_the_end() {
        for (text, way) in
            [("down udp :53", Some(Way::Down)), ("udp :53 up", Some(Way::Up)), ("udp :53", None)]
        {
            assert_eq!(parse(text).map(|flow| flow.way), Ok(way), "{text}");
        }
    }

    #[test]
    fn a_flow_that_is_none_is_told_what_to_write() {
        for (text, part) in [
            ("", "name a flow: [up|down] PROTOCOL"),
            ("quic :443", "'quic' is not a protocol"),
            ("udp 192.0.2.7", "udp needs the port of the far end: udp 192.0.2.7:8801"),
            ("udp", "udp needs the port"),
            ("tcp 192.0.2.7 443", "'443': a port stands behind its address: 192.0.2.7:443"),
            ("tcp 2001:db8::7 443", "a port stands behind its address: [2001:db8::7]:443"),
            (
                "tcp 2001:db8::1:443",
                "tcp needs the port of the far end: tcp [2001:db8::1]:443, if 443 is the port",
            ),
            ("tcp 2001:db8::1", "tcp needs the port of the far end: tcp [2001:db8::1]:8801"),
            ("tcp :443 up down", "'down': the direction was named already"),
            ("up tcp :443 up", "'up': the direction was named already"),
            ("icmp :any", "icmp has no ports"),
            ("icmp :7", "icmp has no ports"),
            ("udp :70000", "':70000' is neither an address nor a port"),
            ("udp :5-9", "neither an address nor a port"),
            ("udp 10.0.0.0/8:53", "neither an address nor a port"),
            ("udp [10.0.0.1]:53", "neither an address nor a port"),
            ("udp :53 :54", "':54': this end was named already"),
            ("udp :53 dscp", "'dscp' needs a value"),
            ("udp :53 len 7", "'7' is not a number of bytes"),
            ("udp :53 ack", "'ack' is TCP without payload; this is udp"),
            ("udp [::1]:53 local 10.0.0.1", "one end is IPv4, the other IPv6"),
            ("tcpudp :53", "is more than one protocol"),
        ] {
            match parse(text) {
                Err(told) => assert!(told.contains(part), "{text}: {told}"),
                Ok(flow) => panic!("{text}: {flow}"),
            }
        }
    }
}
