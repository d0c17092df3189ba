// SPDX-License-Identifier: Apache-2.0
//! Echo and timestamp of ICMP, echo of ICMPv6, as bytes and back (RFC 792, 4443).
//!
//! An answer is ours only if it carries the cookie of the probe it names: echo has eight bytes of it in its data,
//! a timestamp four where the sender's own time belongs, which the far end returns unread.

/// Which question is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// ICMP echo over IPv4.
    Echo4,
    /// ICMP timestamp over IPv4: tells when the far end received and answered, in milliseconds of its day.
    Timestamp,
    /// ICMPv6 echo.
    Echo6,
}

/// What names a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Which question.
    pub kind: Kind,
    /// The identifier, one for each weir on this machine.
    pub id: u16,
    /// The sequence number.
    pub seq: u16,
    /// What an answer has to return.
    pub cookie: u64,
}

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The probe it claims to answer; of a timestamp only the low half of the cookie comes back.
    pub probe: Probe,
    /// When the far end received the probe and when it answered, milliseconds since midnight UTC as it counts them.
    pub stamps: Option<(u32, u32)>,
}

/// Bytes of an echo: eight of header, eight of cookie.
pub const ECHO_BYTES: usize = 16;
/// Bytes of a timestamp.
pub const TIMESTAMP_BYTES: usize = 20;

const ECHO_REPLY: u8 = 0;
const ECHO: u8 = 8;
const TIMESTAMP: u8 = 13;
const TIMESTAMP_REPLY: u8 = 14;
const ECHO6: u8 = 128;
const ECHO6_REPLY: u8 = 129;
/// "Not milliseconds since midnight", or not even a clock (RFC 792).
const NOT_STANDARD: u32 = 0x8000_0000;

impl Answer {
    /// Whether it is the answer to `probe`.
    pub fn is_to(&self, probe: &Probe) -> bool {
        match probe.kind {
            Kind::Timestamp => self.probe == Probe { cookie: probe.cookie & 0xffff_ffff, ..*probe },
            Kind::Echo4 | Kind::Echo6 => self.probe == *probe,
        }
    }
}

/// Writes a probe; gives how many bytes it has. Of ICMPv6 the kernel fills in the checksum, which covers addresses.
pub fn encode(probe: &Probe, out: &mut [u8; TIMESTAMP_BYTES]) -> usize {
    *out = [0; TIMESTAMP_BYTES];
    let (kind, length) = match probe.kind {
        Kind::Echo4 => (ECHO, ECHO_BYTES),
        Kind::Echo6 => (ECHO6, ECHO_BYTES),
        Kind::Timestamp => (TIMESTAMP, TIMESTAMP_BYTES),
    };
    out[0] = kind;
    out[4..6].copy_from_slice(&probe.id.to_be_bytes());
    out[6..8].copy_from_slice(&probe.seq.to_be_bytes());
    match probe.kind {
        Kind::Timestamp => out[8..12].copy_from_slice(&(probe.cookie as u32).to_be_bytes()),
        Kind::Echo4 | Kind::Echo6 => out[8..16].copy_from_slice(&probe.cookie.to_be_bytes()),
    }
    if probe.kind != Kind::Echo6 {
        // The zeros behind the message add nothing.
        let sum = checksum(out);
        out[2..4].copy_from_slice(&sum.to_be_bytes());
    }
    length
}

/// Reads what a raw socket of IPv4 received, the IP header in front; `None` for anything but an answer.
pub fn read_v4(packet: &[u8]) -> Option<Answer> {
    let first = *packet.first()?;
    let message = packet.get(usize::from(first & 15) * 4..)?;
    if first >> 4 != 4 || checksum(message) != 0 {
        return None;
    }
    read(message)
}

/// Reads what a raw socket of ICMPv6 received, which begins with the message; the kernel has checked the checksum.
pub fn read_v6(message: &[u8]) -> Option<Answer> {
    read(message).filter(|answer| answer.probe.kind == Kind::Echo6)
}

fn read(message: &[u8]) -> Option<Answer> {
    let word = |at: usize| message.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    let (kind, code) = (*message.first()?, *message.get(1)?);
    let ids = word(4)?;
    let kind = match (kind, code) {
        (ECHO_REPLY, 0) => Kind::Echo4,
        (TIMESTAMP_REPLY, 0) => Kind::Timestamp,
        (ECHO6_REPLY, 0) => Kind::Echo6,
        _ => return None,
    };
    let probe = |cookie| Probe { kind, id: (ids >> 16) as u16, seq: ids as u16, cookie };
    Some(match kind {
        Kind::Timestamp => {
            let (received, answered) = (word(12)?, word(16)?);
            let is_standard = (received | answered) & NOT_STANDARD == 0;
            Answer { probe: probe(word(8)?.into()), stamps: is_standard.then_some((received, answered)) }
        }
        Kind::Echo4 | Kind::Echo6 => {
            Answer { probe: probe(u64::from(word(8)?) << 32 | u64::from(word(12)?)), stamps: None }
        }
    })
}

/// RFC 1071: zero for a message that carries its own.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|two| {
        let low = two.get(1).copied().unwrap_or(0);
        u32::from(two.first().copied().unwrap_or(0)) << 8 | u32::from(low)
    });
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn probe(kind: Kind) -> Probe {
        Probe { kind, id: 0x57e1, seq: 7, cookie: 0x0123_4567_89ab_cdef }
    }

    fn sent(kind: Kind) -> Vec<u8> {
        let mut out = [0; TIMESTAMP_BYTES];
        let length = encode(&probe(kind), &mut out);
        out[..length].to_vec()
    }

    /// What a raw socket gets: twenty bytes of IP header in front.
    fn received(mut message: Vec<u8>, kind: u8) -> Vec<u8> {
        message[0] = kind;
        message[2..4].fill(0);
        let sum = checksum(&message);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
        let mut packet = alloc::vec![0x45];
        packet.resize(20, 0);
        packet.extend(message);
        packet
    }

    #[test]
    fn an_echo_is_what_the_rfc_says() {
        let wanted = [8, 0, 0x1d, 0x87, 0x57, 0xe1, 0, 7, 1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
        let bytes = sent(Kind::Echo4);
        assert_eq!((&bytes[..2], &bytes[4..]), (&wanted[..2], &wanted[4..]));
        assert_eq!(checksum(&bytes), 0);
        assert_eq!(sent(Kind::Echo6)[..4], [128, 0, 0, 0]);
    }

    #[test]
    fn an_answer_is_that_of_its_probe_alone() {
        for (kind, reply) in [(Kind::Echo4, ECHO_REPLY), (Kind::Timestamp, TIMESTAMP_REPLY)] {
            let answer = read_v4(&received(sent(kind), reply)).expect("an answer");
            assert!(answer.is_to(&probe(kind)));
            assert!(!answer.is_to(&Probe { seq: 8, ..probe(kind) }));
            assert!(!answer.is_to(&Probe { id: 1, ..probe(kind) }));
            assert!(!answer.is_to(&Probe { cookie: 1, ..probe(kind) }));
        }
        let mut six = sent(Kind::Echo6);
        assert_eq!(read_v6(&six), None, "a question is no answer");
        six[0] = ECHO6_REPLY;
        assert!(read_v6(&six).expect("an answer").is_to(&probe(Kind::Echo6)));
        assert_eq!(read_v4(&received(sent(Kind::Echo4), ECHO)), None, "nor is that of another program");
    }

    #[test]
    fn a_timestamps_answer_tells_the_far_ends_times_if_they_are_of_this_day() {
        let mut message = sent(Kind::Timestamp);
        message[12..16].copy_from_slice(&1234u32.to_be_bytes());
        message[16..20].copy_from_slice(&1235u32.to_be_bytes());
        let answer = read_v4(&received(message.clone(), TIMESTAMP_REPLY)).expect("an answer");
        assert_eq!(answer.stamps, Some((1234, 1235)));
        message[12] = 0x80;
        let answer = read_v4(&received(message, TIMESTAMP_REPLY)).expect("an answer");
        assert_eq!(answer.stamps, None);
    }

    #[test]
    fn what_is_cut_off_or_damaged_is_no_answer() {
        let whole = received(sent(Kind::Timestamp), TIMESTAMP_REPLY);
        for length in 0..whole.len() {
            assert_eq!(read_v4(&whole[..length]), None, "{length} bytes");
        }
        for byte in 20..whole.len() {
            let mut damaged = whole.clone();
            damaged[byte] ^= 0x10;
            assert_eq!(read_v4(&damaged), None, "byte {byte}");
        }
        let six: Vec<u8> = sent(Kind::Echo6);
        for length in 0..six.len() {
            assert_eq!(read_v6(&six[..length]), None);
        }
    }
}
