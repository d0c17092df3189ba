// SPDX-License-Identifier: Apache-2.0
//! Netlink attributes: writing them into the caller's buffer, reading them by borrowing from it.
//!
//! Framing after `linux/netlink.h`: length and type as host-order u16, payload padded to four bytes. This is all of
//! netlink-packet-core and -route that weir would use; those are not no_std, allocate for each parsed attribute and
//! add 104 KB to a MIPS binary (`TcMessage`), this adds two.

use alloc::vec::Vec;

/// `NLA_F_NESTED`: newer kernels check it on new-style nests.
pub const NESTED: u16 = 0x8000;
/// The bits of an attribute's type that are the type.
const TYPE_MASK: u16 = 0x3fff;

/// Appends attribute `kind` with `payload`.
///
/// A payload over 65 531 bytes cannot be framed; nothing weir writes comes near it (the largest is a classifier of
/// `limits::PROGRAM` instructions, 32 000 bytes).
pub fn put(out: &mut Vec<u8>, kind: u16, payload: &[u8]) {
    let length = u16::try_from(payload.len() + 4).expect("attributes are bounded by limits.rs");
    out.extend_from_slice(&length.to_ne_bytes());
    out.extend_from_slice(&kind.to_ne_bytes());
    out.extend_from_slice(payload);
    pad(out);
}

/// Appends a u8 attribute.
pub fn put_u8(out: &mut Vec<u8>, kind: u16, value: u8) {
    put(out, kind, &[value]);
}

/// Appends a u16 attribute in host order.
pub fn put_u16(out: &mut Vec<u8>, kind: u16, value: u16) {
    put(out, kind, &value.to_ne_bytes());
}

/// Appends a u32 attribute in host order.
pub fn put_u32(out: &mut Vec<u8>, kind: u16, value: u32) {
    put(out, kind, &value.to_ne_bytes());
}

/// Appends a u64 attribute in host order.
pub fn put_u64(out: &mut Vec<u8>, kind: u16, value: u64) {
    put(out, kind, &value.to_ne_bytes());
}

/// Appends a text attribute with its NUL.
pub fn put_str(out: &mut Vec<u8>, kind: u16, value: &str) {
    let start = open(out, kind);
    out.extend_from_slice(value.as_bytes());
    out.push(0);
    close(out, start);
}

/// Begins an attribute whose payload is written next; give the result to [`close`].
pub fn open(out: &mut Vec<u8>, kind: u16) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(&kind.to_ne_bytes());
    start
}

/// Ends the attribute begun at `start`.
pub fn close(out: &mut Vec<u8>, start: usize) {
    let length = u16::try_from(out.len() - start).expect("attributes are bounded by limits.rs");
    for (to, from) in out.iter_mut().skip(start).zip(length.to_ne_bytes()) {
        *to = from;
    }
    pad(out);
}

/// Pads to the next multiple of four.
pub fn pad(out: &mut Vec<u8>) {
    while !out.len().is_multiple_of(4) {
        out.push(0);
    }
}

/// One attribute, borrowed from the buffer it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attr<'a> {
    /// Its type without the flag bits.
    pub kind: u16,
    /// Its payload.
    pub payload: &'a [u8],
}

impl<'a> Attr<'a> {
    /// The attributes nested in this one.
    pub fn nested(&self) -> Attrs<'a> {
        Attrs::new(self.payload)
    }

    /// The payload as u8.
    pub fn u8(&self) -> Option<u8> {
        self.payload.first().copied()
    }

    /// The payload as a host-order u16.
    pub fn u16(&self) -> Option<u16> {
        field(self.payload, 0).map(u16::from_ne_bytes)
    }

    /// The payload as a host-order u32.
    pub fn u32(&self) -> Option<u32> {
        field(self.payload, 0).map(u32::from_ne_bytes)
    }

    /// The payload as a host-order u64.
    pub fn u64(&self) -> Option<u64> {
        field(self.payload, 0).map(u64::from_ne_bytes)
    }

    /// The payload as text, up to its NUL; `None` if it is not UTF-8.
    pub fn text(&self) -> Option<&'a str> {
        let end = self.payload.iter().position(|b| *b == 0).unwrap_or(self.payload.len());
        core::str::from_utf8(self.payload.get(..end)?).ok()
    }
}

/// `N` bytes of `bytes` from `offset`, for the `from_ne_bytes` of a fixed struct's field.
pub fn field<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..offset.checked_add(N)?)?.try_into().ok()
}

/// Iterates over attributes; stops at the first malformed one, as the kernel's own `nla_for_each_attr` does.
#[derive(Clone, Copy, Debug)]
pub struct Attrs<'a> {
    rest: &'a [u8],
}

impl<'a> Attrs<'a> {
    /// Reads the attributes in `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The first attribute of type `kind`.
    pub fn get(&self, kind: u16) -> Option<Attr<'a>> {
        { *self }.find(|a| a.kind == kind)
    }
}

impl<'a> Iterator for Attrs<'a> {
    type Item = Attr<'a>;

    fn next(&mut self) -> Option<Attr<'a>> {
        let length = usize::from(u16::from_ne_bytes(field(self.rest, 0)?));
        let kind = u16::from_ne_bytes(field(self.rest, 2)?) & TYPE_MASK;
        let payload = self.rest.get(4..length)?;
        self.rest = self.rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Attr { kind, payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_framed_as_the_kernel_reads_them() {
        let mut out = Vec::new();
        put_u8(&mut out, 1, 7);
        let nest = open(&mut out, 2 | NESTED);
        put_str(&mut out, 3, "htb");
        close(&mut out, nest);
        #[cfg(target_endian = "little")]
        assert_eq!(out, [5, 0, 1, 0, 7, 0, 0, 0, 12, 0, 2, 0x80, 8, 0, 3, 0, b'h', b't', b'b', 0]);
        #[cfg(target_endian = "big")]
        assert_eq!(out, [0, 5, 0, 1, 7, 0, 0, 0, 0, 12, 0x80, 2, 0, 8, 0, 3, b'h', b't', b'b', 0]);
    }

    #[test]
    fn what_was_written_is_read_back() {
        let mut out = Vec::new();
        put_u32(&mut out, 1, 0xdead_beef);
        put_u64(&mut out, 2, u64::MAX - 1);
        let nest = open(&mut out, 3);
        put_u16(&mut out, 4, 5);
        close(&mut out, nest);
        let attrs = Attrs::new(&out);
        assert_eq!(attrs.get(1).and_then(|a| a.u32()), Some(0xdead_beef));
        assert_eq!(attrs.get(2).and_then(|a| a.u64()), Some(u64::MAX - 1));
        assert_eq!(attrs.get(3).and_then(|a| a.nested().get(4)).and_then(|a| a.u16()), Some(5));
        assert_eq!(attrs.get(9), None);
    }

    #[test]
    fn no_bytes_make_the_reader_panic_or_spin() {
        let mut seed = 1u32;
        for _ in 0..20_000 {
            let mut bytes = [0u8; 24];
            for b in &mut bytes {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *b = (seed >> 27) as u8; // small numbers, so that lengths are often plausible
            }
            assert!(Attrs::new(&bytes).count() <= 6);
        }
    }
}
