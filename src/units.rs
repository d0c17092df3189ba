// SPDX-License-Identifier: Apache-2.0
//! The vocabulary every other file speaks: rates, sizes, times, shares, handles and names as types.
//!
//! Imports nothing of ours. A unit is a type, so bits per second cannot be added to bytes or to milliseconds.

use core::fmt;
use core::num::NonZeroU8;
use core::ops::{Add, Sub};

/// A link speed in bits per second, as users and providers speak of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(u64);

impl Rate {
    /// No rate at all.
    pub const ZERO: Self = Self(0);

    /// Makes a rate from bits per second.
    pub const fn bits(n: u64) -> Self {
        Self(n)
    }

    /// Makes a rate from kilobits (1000 bits) per second.
    pub const fn kbit(n: u32) -> Self {
        Self(n as u64 * 1_000)
    }

    /// Makes a rate from megabits per second.
    pub const fn mbit(n: u32) -> Self {
        Self(n as u64 * 1_000_000)
    }

    /// Makes a rate from bytes per second, which is what the kernel stores.
    pub const fn from_bytes_per_sec(n: u64) -> Self {
        Self(n.saturating_mul(8))
    }

    /// The speed in bits per second.
    pub const fn bits_per_sec(self) -> u64 {
        self.0
    }

    /// The same speed in bytes per second, which is what the kernel stores.
    pub const fn bytes_per_sec(self) -> u64 {
        self.0 / 8
    }

    /// The largest rate not above this one that the kernel can hold exactly (whole bytes per second).
    pub const fn whole_bytes(self) -> Self {
        Self(self.0 / 8 * 8)
    }

    /// `share` of this rate, rounded down.
    pub const fn share(self, share: Permille) -> Self {
        // Split so that a 64-bit product cannot overflow at any rate a link can have.
        Self(self.0 / 1000 * share.0 as u64 + self.0 % 1000 * share.0 as u64 / 1000)
    }

    /// How long `bytes` take at this rate; [`Micros::MAX`] at rate zero.
    pub const fn time_for(self, bytes: u64) -> Micros {
        if self.0 == 0 {
            return Micros::MAX;
        }
        Micros(bytes.saturating_mul(8_000_000) / self.0)
    }

    /// How many bytes pass in `span` at this rate.
    pub const fn bytes_in(self, span: Micros) -> u64 {
        (self.0 / 8).saturating_mul(span.0) / 1_000_000
    }

    /// The sum, stopping at the largest rate there is.
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, stopping at zero.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// Written as people say it: `80 Mbit/s`, `1.5 Mbit/s`, `640 kbit/s`, with at most three decimals.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            1_000_000_000.. => (1_000_000_000, "Gbit/s"),
            1_000_000.. => (1_000_000, "Mbit/s"),
            1_000.. => (1_000, "kbit/s"),
            _ => (1, "bit/s"),
        };
        decimal(f, self.0, unit)?;
        write!(f, " {name}")
    }
}

/// Writes `value / unit` with up to three decimals and no trailing zeros; `unit` is a power of ten.
fn decimal(f: &mut fmt::Formatter<'_>, value: u64, unit: u64) -> fmt::Result {
    let thousandths = if unit >= 1000 { value % unit / (unit / 1000) } else { value % unit * (1000 / unit) };
    write!(f, "{}", value / unit)?;
    match thousandths {
        0 => Ok(()),
        t if t % 100 == 0 => write!(f, ".{}", t / 100),
        t if t % 10 == 0 => write!(f, ".{:02}", t / 10),
        t => write!(f, ".{t:03}"),
    }
}

/// A number of bytes: a burst, a queue, a memory limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

impl Bytes {
    /// Makes a size from KiB.
    pub const fn kib(n: u32) -> Self {
        Self(n as u64 * 1024)
    }
}

/// Written with binary units: `1514 B`, `256 KiB`, `1.5 MiB`.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            0x4000_0000.. => (0x4000_0000, "GiB"),
            0x10_0000.. => (0x10_0000, "MiB"),
            0x2800.. => (0x400, "KiB"),
            _ => return write!(f, "{} B", self.0),
        };
        match self.0 % unit * 10 / unit {
            0 => write!(f, "{} {name}", self.0 / unit),
            tenth => write!(f, "{}.{tenth} {name}", self.0 / unit),
        }
    }
}

/// A span of time in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub u64);

impl Micros {
    /// The longest span there is.
    pub const MAX: Self = Self(u64::MAX);

    /// Makes a span from milliseconds.
    pub const fn ms(n: u64) -> Self {
        Self(n * 1_000)
    }

    /// Makes a span from seconds.
    pub const fn secs(n: u64) -> Self {
        Self(n * 1_000_000)
    }
}

/// Written in the unit that fits: `800 us`, `12.5 ms`, `3 s`; from a minute on to the second: `1 min 30 s`, `1 h`.
impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 >= 60_000_000 {
            let seconds = self.0 / 1_000_000;
            let parts = [
                (seconds / 86_400, "d"),
                (seconds / 3600 % 24, "h"),
                (seconds / 60 % 60, "min"),
                (seconds % 60, "s"),
            ];
            let mut gap = "";
            for (count, unit) in parts.into_iter().filter(|(count, _)| *count > 0) {
                write!(f, "{gap}{count} {unit}")?;
                gap = " ";
            }
            return Ok(());
        }
        let (unit, name) = match self.0 {
            1_000_000.. => (1_000_000, "s"),
            1_000.. => (1_000, "ms"),
            _ => (1, "us"),
        };
        decimal(f, self.0, unit)?;
        write!(f, " {name}")
    }
}

/// A moment: microseconds on the monotonic clock. Only `io` reads that clock; everyone else is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

impl Add<Micros> for Time {
    type Output = Self;
    fn add(self, span: Micros) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub for Time {
    type Output = Micros;
    fn sub(self, earlier: Self) -> Micros {
        Micros(self.0.saturating_sub(earlier.0))
    }
}

/// A share in thousandths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permille(pub u16);

impl Permille {
    /// The whole.
    pub const ALL: Self = Self(1000);

    /// Makes a share from whole per cent.
    pub const fn percent(n: u16) -> Self {
        Self(n * 10)
    }
}

/// Written in per cent: `30 %`, `12.5 %`.
impl fmt::Display for Permille {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal(f, u64::from(self.0), 10)?;
        f.write_str(" %")
    }
}

/// A DiffServ code point, 0 to 63.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dscp(u8);

impl Dscp {
    /// Makes a code point; `None` above 63.
    pub const fn new(n: u8) -> Option<Self> {
        if n < 64 { Some(Self(n)) } else { None }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// A traffic control handle: a qdisc's `major:` or a class's `major:minor`.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(pub u32);

impl Handle {
    /// No handle given; as a qdisc's own handle: the kernel made it by default (`0:`).
    pub const NONE: Self = Self(0);
    /// `TC_H_ROOT`: the place of a device's root qdisc.
    pub const ROOT: Self = Self(0xffff_ffff);
    /// `TC_H_INGRESS` = `TC_H_CLSACT`: the place of the ingress and clsact qdiscs.
    pub const INGRESS: Self = Self(0xffff_fff1);
    /// `TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)`: parent of filters on arriving packets; works on both kinds.
    pub const INGRESS_FILTERS: Self = Self(0xffff_fff2);

    /// Makes `major:minor`.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self((major as u32) << 16 | minor as u32)
    }

    /// The qdisc's part.
    pub const fn major(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// The class's part.
    pub const fn minor(self) -> u16 {
        self.0 as u16
    }
}

/// Written as `tc` does: `root`, `ingress`, `57e1:`, `57e1:10`, `none`.
impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (*self, self.major(), self.minor()) {
            (Self::ROOT, ..) => f.write_str("root"),
            (Self::INGRESS, ..) => f.write_str("ingress"),
            (Self::NONE, ..) => f.write_str("none"),
            (_, major, 0) => write!(f, "{major:x}:"),
            (_, 0, minor) => write!(f, ":{minor:x}"),
            (_, major, minor) => write!(f, "{major:x}:{minor:x}"),
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The longest device name the kernel has (`IFNAMSIZ` less its NUL).
const DEVICE_NAME_MAX: usize = 15;

/// A network device's name: 1 to 15 bytes the kernel would accept (`dev_valid_name`), without `%` and quotes.
// In whole words, whose copies are half as long on MIPS, and none is no larger than one: 2 KB of the packed program.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(align(4))]
pub struct DeviceName {
    bytes: [u8; DEVICE_NAME_MAX],
    len: NonZeroU8,
}

impl DeviceName {
    /// Checks `text` and makes a name of it.
    pub fn new(text: &str) -> Option<Self> {
        let source = text.as_bytes();
        let fits = (1..=DEVICE_NAME_MAX).contains(&source.len()) && text != "." && text != "..";
        let allowed = |b: &u8| b.is_ascii_graphic() && !b"/:%'\"\\`".contains(b);
        if !fits || !source.iter().all(allowed) {
            return None;
        }
        let mut bytes = [0; DEVICE_NAME_MAX];
        bytes.iter_mut().zip(source).for_each(|(to, from)| *to = *from);
        Some(Self { bytes, len: NonZeroU8::new(source.len() as u8)? })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.len.get())).unwrap_or_default();
        core::str::from_utf8(bytes).unwrap_or_default() // ASCII by construction
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether packets leave by the line or arrive over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// They leave: upload.
    Up,
    /// They arrive: download.
    Down,
}

impl Way {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Up, Self::Down];
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Up => "upload",
            Self::Down => "download",
        })
    }
}

/// An IPv4 or IPv6 prefix; IPv4 lives in the first four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(align(4))]
pub struct Prefix {
    /// The address, network order, with the bits behind `len` zero.
    pub address: [u8; 16],
    /// How many leading bits count.
    pub len: u8,
    /// Whether it is an IPv6 prefix.
    pub is_v6: bool,
}

impl Prefix {
    /// Makes an IPv4 prefix; bits behind `len` are cleared. `None` above 32.
    pub fn v4(address: [u8; 4], len: u8) -> Option<Self> {
        let [a, b, c, d] = address;
        let mut all = [0; 16];
        [all[0], all[1], all[2], all[3]] = [a, b, c, d];
        (len <= 32).then(|| Self { address: masked(all, len), len, is_v6: false })
    }

    /// Makes an IPv6 prefix; bits behind `len` are cleared. `None` above 128.
    pub fn v6(address: [u8; 16], len: u8) -> Option<Self> {
        (len <= 128).then(|| Self { address: masked(address, len), len, is_v6: true })
    }
}

impl Prefix {
    /// Whether all of it is of networks that are not the internet's: RFC 1918, 3927, 4193, 4291 (link-local), loopback.
    pub fn is_of_a_site(&self) -> bool {
        let sites: &[([u8; 2], u8)] = match self.is_v6 {
            false => &[([10, 0], 8), ([172, 16], 12), ([192, 168], 16), ([169, 254], 16), ([127, 0], 8)],
            true => &[([0xfc, 0], 7), ([0xfe, 0x80], 10)],
        };
        sites.iter().any(|([first, second], len)| {
            let mut address = [0; 16];
            [address[0], address[1]] = [*first, *second];
            Self { address, len: *len, is_v6: self.is_v6 }.contains(self)
        })
    }

    /// Whether every address of `other` is one of these.
    pub fn contains(&self, other: &Self) -> bool {
        self.is_v6 == other.is_v6 && self.len <= other.len && masked(other.address, self.len) == self.address
    }
}

/// `address` with everything behind the first `len` bits zero.
fn masked(mut address: [u8; 16], len: u8) -> [u8; 16] {
    for (byte, start) in address.iter_mut().zip((0u16..).step_by(8)) {
        let kept = u16::from(len).saturating_sub(start).min(8);
        *byte &= (0xff00u16 >> kept) as u8;
    }
    address
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_v6 {
            write!(f, "{}/{}", core::net::Ipv6Addr::from(self.address), self.len)
        } else {
            let [a, b, c, d, ..] = self.address;
            write!(f, "{a}.{b}.{c}.{d}/{}", self.len)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn rates_read_as_people_say_them() {
        let cases = [
            (Rate::mbit(80), "80 Mbit/s"),
            (Rate::kbit(1_500), "1.5 Mbit/s"),
            (Rate::kbit(640), "640 kbit/s"),
            (Rate::bits(1_234_567), "1.234 Mbit/s"),
            (Rate::bits(1_010_000_000), "1.01 Gbit/s"),
            (Rate::bits(7), "7 bit/s"),
        ];
        for (rate, text) in cases {
            assert_eq!(rate.to_string(), text);
        }
    }

    #[test]
    fn a_share_of_the_largest_rate_does_not_overflow() {
        assert_eq!(Rate::bits(u64::MAX).share(Permille(1000)), Rate::bits(u64::MAX));
        assert_eq!(Rate::kbit(999).share(Permille(50)), Rate::bits(49_950));
    }

    #[test]
    fn spans_shares_and_sizes_carry_their_unit() {
        assert_eq!(Micros(12_500).to_string(), "12.5 ms");
        for (seconds, text) in [
            (59, "59 s"),
            (60, "1 min"),
            (90, "1 min 30 s"),
            (3600, "1 h"),
            (3601, "1 h 1 s"),
            (7 * 24 * 3600 - 1, "6 d 23 h 59 min 59 s"),
        ] {
            assert_eq!(Micros::secs(seconds).to_string(), text);
        }
        assert_eq!(Permille(125).to_string(), "12.5 %");
        assert_eq!(Bytes(1514).to_string(), "1514 B");
        assert_eq!(Bytes::kib(1536).to_string(), "1.5 MiB");
    }

    #[test]
    fn handles_read_as_tc_writes_them() {
        assert_eq!(Handle::new(0x57e1, 0x10).to_string(), "57e1:10");
        assert_eq!(Handle::new(0x57e1, 0).to_string(), "57e1:");
        assert_eq!(Handle::ROOT.to_string(), "root");
        assert_eq!(Handle::INGRESS_FILTERS.to_string(), "ffff:fff2");
    }

    #[test]
    fn a_device_name_is_what_the_kernel_accepts() {
        assert_eq!(DeviceName::new("weir-verylongna").map(|n| n.to_string()), Some("weir-verylongna".into()));
        for bad in ["", "sixteen-letters-", "a b", "a/b", "a:b", ".", "..", "a'b", "é"] {
            assert_eq!(DeviceName::new(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_prefix_forgets_the_bits_behind_its_length() {
        let show = |p: Option<Prefix>| p.map(|p| p.to_string());
        assert_eq!(show(Prefix::v4([192, 168, 255, 9], 20)), Some("192.168.240.0/20".into()));
        assert_eq!(show(Prefix::v4([10, 0, 0, 1], 32)), Some("10.0.0.1/32".into()));
        assert_eq!(show(Prefix::v4([10, 0, 0, 1], 33)), None);
        assert_eq!(show(Prefix::v6([0xfe; 16], 7)), Some("fe00::/7".into()));
        assert_eq!(show(Prefix::v6([1; 16], 0)), Some("::/0".into()));
    }

    #[test]
    fn an_earlier_moment_is_never_in_the_future() {
        assert_eq!(Time(5) - Time(9), Micros(0));
        assert_eq!(Time(u64::MAX) + Micros::secs(1), Time(u64::MAX));
    }
}
