// SPDX-License-Identifier: Apache-2.0
//! The few bytes of a DNS question, and what comes back (RFC 1035 section 4; RFC 3596 for AAAA).
//!
//! Asked for two ends: how long a resolver takes to answer, where it does not answer pings, and the address of a
//! reflector the user gave by name. An answer is ours if it repeats the number and the question to the bit; the case of
//! each letter is part of that, drawn from the cookie (draft-vixie-dnsext-dns0x20).

use core::net::IpAddr;

/// What a probe asks: in every cache, small, and with fifteen letters to hide bits in.
pub const PROBE_NAME: &[u8] = b"a.root-servers.net";
/// Bytes of a name of the greatest length, as text.
const NAME: usize = 253;
/// Bytes of the longest question: header, a name, type and class.
pub const QUERY_BYTES: usize = 12 + NAME + 2 + 4;
/// Bytes of an answer over UDP.
pub const ANSWER_BYTES: usize = 512;
/// The port.
pub const PORT: u16 = 53;

/// What is asked of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// Its IPv4 addresses.
    A = 1,
    /// Its IPv6 addresses.
    Aaaa = 28,
}

/// A question.
pub struct Query {
    bytes: [u8; QUERY_BYTES],
    length: usize,
}

impl Query {
    /// Asks for a record of `name`, which is text with dots; `None`: it is no name. Number and case are the cookie's.
    pub fn new(name: &[u8], record: Record, cookie: u64) -> Option<Self> {
        let name = name.strip_suffix(b".").unwrap_or(name);
        if name.len() > NAME {
            return None;
        }
        let mut query = Self { bytes: [0; QUERY_BYTES], length: 0 };
        // The number; recursion desired; one question.
        query.put(&[(cookie >> 8) as u8, cookie as u8, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
        let mut case = cookie >> 16;
        for label in name.split(|byte| *byte == b'.') {
            if label.is_empty() || label.len() > 63 {
                return None;
            }
            query.put(&[label.len() as u8])?;
            for byte in label {
                let is_letter = byte.is_ascii_alphabetic();
                if !is_letter && !byte.is_ascii_digit() && !b"-_".contains(byte) {
                    return None;
                }
                let turn = if is_letter { (case as u8 & 1) << 5 } else { 0 };
                case = case.rotate_right(u32::from(is_letter));
                query.put(&[byte ^ turn])?;
            }
        }
        query.put(&[0, 0, record as u8, 0, 1])?;
        Some(query)
    }

    /// The question a probe asks.
    pub fn probe(cookie: u64) -> Option<Self> {
        Self::new(PROBE_NAME, Record::A, cookie)
    }

    /// What to send.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Whether `message` answers it, whatever it says.
    pub fn is_answered_by(&self, message: &[u8]) -> bool {
        let question = self.bytes();
        let (Some(number), Some(kind), Some(count)) = (message.get(..2), message.get(2), message.get(4..6))
        else {
            return false;
        };
        // A response to a plain query, with the one question repeated.
        kind & 0xf8 == 0x80
            && count == [0, 1]
            && question.get(..2) == Some(number)
            && question.get(12..) == message.get(12..question.len())
    }

    /// The addresses `message` gives, if it answers this; at the end of an alias the answer names them as well.
    pub fn addresses<'a>(&self, message: &'a [u8]) -> Addresses<'a> {
        let is_good = self.is_answered_by(message) && message.get(3).is_some_and(|code| code & 15 == 0);
        let rest = message.get(self.length..).filter(|_| is_good).unwrap_or_default();
        let count = message.get(6..8).and_then(|count| count.try_into().ok()).map_or(0, u16::from_be_bytes);
        Addresses { rest, count }
    }

    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.length + bytes.len();
        self.bytes.get_mut(self.length..end)?.copy_from_slice(bytes);
        self.length = end;
        Some(())
    }
}

/// The addresses of an answer.
pub struct Addresses<'a> {
    rest: &'a [u8],
    /// Records that are left.
    count: u16,
}

impl Iterator for Addresses<'_> {
    type Item = IpAddr;

    fn next(&mut self) -> Option<IpAddr> {
        while self.count > 0 {
            self.count -= 1;
            let fixed = skip_name(self.rest)?;
            let (head, rest) = fixed.split_first_chunk::<10>()?;
            let length = usize::from(head[8]) << 8 | usize::from(head[9]);
            let (data, rest) = rest.split_at_checked(length)?;
            self.rest = rest;
            if head[2..4] != [0, 1] || head[0] != 0 {
                continue;
            }
            if head[1] == Record::A as u8
                && let Ok(bytes) = <[u8; 4]>::try_from(data)
            {
                return Some(bytes.into());
            }
            if head[1] == Record::Aaaa as u8
                && let Ok(bytes) = <[u8; 16]>::try_from(data)
            {
                return Some(bytes.into());
            }
        }
        None
    }
}

/// What is behind a name: labels up to an empty one or to a pointer, which is the last.
fn skip_name(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        let (length, rest) = bytes.split_first()?;
        match length >> 6 {
            0 => bytes = rest.get(usize::from(*length)..)?,
            3 => return rest.get(1..),
            _ => return None,
        }
        if *length == 0 {
            return Some(bytes);
        }
    }
}

/// The addresses in a `resolv.conf`: lines `nameserver ADDRESS`, in their order.
pub fn nameservers(text: &[u8]) -> impl Iterator<Item = IpAddr> {
    text.split(|byte| *byte == b'\n').filter_map(|line| {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let is_server = words.next() == Some(b"nameserver");
        let word = words.next().filter(|_| is_server)?;
        core::str::from_utf8(word).ok()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::random::Random;
    use alloc::vec;
    use alloc::vec::Vec;

    const COOKIE: u64 = 0x5555_5555_5555_beef;

    fn query() -> Query {
        Query::new(b"dns.google", Record::A, COOKIE).expect("a name")
    }

    /// A resolver's answer: an alias, then an address of each kind.
    fn answer(query: &Query) -> Vec<u8> {
        let mut bytes = query.bytes().to_vec();
        bytes[2..4].copy_from_slice(&[0x81, 0x80]);
        bytes[7] = 3;
        bytes.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, b'x', 0xc0, 16]);
        bytes.extend([1, b'x', 0xc0, 16, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 8, 8, 4, 4]);
        bytes.extend([0xc0, 12, 0, 28, 0, 1, 0, 0, 0, 60, 0, 16]);
        bytes.extend([0x20, 1, 0x48, 0x60, 0x48, 0x60, 0, 0, 0, 0, 0, 0, 0, 0, 0x88, 0x44]);
        bytes
    }

    #[test]
    fn a_question_is_what_the_rfc_says() {
        let query = Query::new(b"dns.google.", Record::Aaaa, 0xbeef).expect("a name");
        let wanted = b"\xbe\xef\x01\0\0\x01\0\0\0\0\0\0\x03dns\x06google\0\0\x1c\0\x01";
        assert_eq!(query.bytes(), wanted);
        assert!(self::query().bytes()[12..].starts_with(b"\x03DnS\x06gOoGlE\0"));
    }

    #[test]
    fn what_is_no_name_is_not_asked_for() {
        let long = [b'a'; 64];
        let longer = vec![b'a'; NAME + 1];
        for name in [b"".as_slice(), b".", b"a..b", b"a b", b"\xff", &long, &longer] {
            assert!(Query::new(name, Record::A, 0).is_none(), "{name:?}");
        }
        let longest = [[b'a'; 63].as_slice(), &[b'b'; 63], &[b'c'; 63], &[b'd'; 61]].join(&b'.');
        assert_eq!(longest.len(), NAME);
        assert!(Query::new(&longest, Record::A, 0).is_some());
    }

    #[test]
    fn an_answer_gives_the_addresses_behind_an_alias() {
        let query = query();
        let bytes = answer(&query);
        let found: Vec<IpAddr> = query.addresses(&bytes).collect();
        let wanted: [IpAddr; 2] = ["8.8.4.4", "2001:4860:4860::8844"].map(|text| text.parse().expect("one"));
        assert_eq!(found, wanted);
    }

    #[test]
    fn an_answer_has_to_repeat_number_question_and_case() {
        let query = query();
        let bytes = answer(&query);
        let question = query.bytes().len();
        assert!(query.is_answered_by(&bytes));
        for byte in (0..2).chain(4..6).chain(12..question) {
            let mut damaged = bytes.clone();
            damaged[byte] ^= 0x20;
            assert!(!query.is_answered_by(&damaged), "byte {byte}");
            assert_eq!(query.addresses(&damaged).count(), 0, "byte {byte}");
        }
        assert!(!query.is_answered_by(query.bytes()), "a question is no answer");
        let other = Query::new(b"dns.google", Record::A, COOKIE ^ 1 << 20).expect("a name");
        assert!(!other.is_answered_by(&bytes), "another case");
    }

    #[test]
    fn a_refusal_is_an_answer_without_addresses() {
        let query = query();
        let mut bytes = answer(&query);
        bytes[3] |= 5;
        assert!(query.is_answered_by(&bytes));
        assert_eq!(query.addresses(&bytes).count(), 0);
    }

    #[test]
    fn nothing_cut_off_or_damaged_is_read_beyond_its_end() {
        let query = query();
        let bytes = answer(&query);
        for length in 0..=bytes.len() {
            let found = query.addresses(&bytes[..length]).count();
            assert_eq!(found, usize::from(length >= 62) + usize::from(length == bytes.len()), "{length}");
        }
        for byte in 0..bytes.len() {
            for value in 0..=255 {
                let mut damaged = bytes.clone();
                damaged[byte] = value;
                assert!(query.addresses(&damaged).count() <= 3);
            }
        }
        let mut random = Random::seeded(5);
        for _ in 0..20_000 {
            let mut damaged = bytes.clone();
            for _ in 0..4 {
                let at = random.below((damaged.len() - query.length) as u64) as usize;
                damaged[query.length + at] = random.below(256) as u8;
            }
            assert!(query.addresses(&damaged).count() <= 3);
        }
    }

    #[test]
    fn nameservers_are_read_as_resolvers_do() {
        let text =
            b"# x\nsearch lan\nnameserver 192.0.2.1\n  nameserver\t2001:db8::1 # y\nnameserver fe80\nnameserver";
        let found: Vec<IpAddr> = nameservers(text).collect();
        assert_eq!(found, ["192.0.2.1", "2001:db8::1"].map(|text| text.parse::<IpAddr>().expect("one")));
    }
}
