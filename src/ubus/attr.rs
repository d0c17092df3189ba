// SPDX-License-Identifier: Apache-2.0
//! Attributes as libubox frames them: reading them by borrowing.
//!
//! `blob.h`: a big-endian word (bit 31 extended, seven bits of id, 24 of length with the word itself), the payload, and
//! padding to four bytes that the length does not count.

/// Bit 31 of an attribute's head: a name stands before the value.
pub(super) const EXTENDED: u8 = 0x80;
/// The bits of a head that are the length.
pub(super) const LENGTH_MASK: u32 = 0x00ff_ffff;

/// One attribute, borrowed from the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attr<'a> {
    /// What it is; in a field, the type of the value.
    pub(super) id: u8,
    pub(super) is_extended: bool,
    pub(super) payload: &'a [u8],
}

impl<'a> Attr<'a> {
    /// The payload as a number, if it has the size of one.
    pub(super) fn number(&self) -> Option<u32> {
        self.payload.try_into().ok().map(u32::from_be_bytes)
    }

    /// The payload as text.
    pub(super) fn text(&self) -> Option<&'a str> {
        text(self.payload)
    }
}

/// Text up to its NUL, where C ends it. `None` if the last byte is no NUL or what stands before the first is not UTF-8.
pub(super) fn text(bytes: &[u8]) -> Option<&str> {
    bytes.last().filter(|last| **last == 0)?;
    core::str::from_utf8(bytes.split(|byte| *byte == 0).next()?).ok()
}

/// `N` bytes of `bytes` from `offset`.
pub(super) fn word<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk().copied()
}

/// Iterates over attributes; what follows a malformed one is ignored, as `blob_for_each_attr` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attrs<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Iterator for Attrs<'a> {
    type Item = Attr<'a>;

    fn next(&mut self) -> Option<Attr<'a>> {
        let head = word(self.rest, 0)?;
        let length = (u32::from_be_bytes(head) & LENGTH_MASK) as usize;
        let payload = self.rest.get(4..length)?;
        // The padding must be there, too: an attribute cut short by it is no attribute (blob_pad_len).
        self.rest = self.rest.get(length.next_multiple_of(4)..)?;
        let [id, ..] = head;
        Some(Attr { id: id & !EXTENDED, is_extended: id & EXTENDED != 0, payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(bytes: &[u8]) -> Vec<u8> {
        Attrs { rest: bytes }.map(|attr| attr.id).collect()
    }

    #[test]
    fn what_follows_a_malformed_attribute_is_ignored() {
        let whole = [3, 0, 0, 8, 0, 0, 0, 9];
        for (tail, read) in [
            (&[][..], 1),
            (&[1, 0, 0], 1),
            (&[1, 0, 0, 3], 1),
            (&[1, 0, 0, 0, 2, 0, 0, 4], 1),
            (&[1, 0, 0, 9, 0, 0, 0, 0], 1),
            (&[9, 0, 0, 5, 1], 1),
            (&[9, 0, 0, 5, 1, 0, 0, 0], 2),
            (&[1, 0xff, 0xff, 0xff], 1),
        ] {
            assert_eq!(ids(&[&whole, tail].concat()).len(), read, "{tail:?}");
        }
    }

    #[test]
    fn a_text_without_its_nul_is_no_text() {
        assert_eq!(text(b"weir\0"), Some("weir"));
        assert_eq!(text(b"we\0ir\0"), Some("we"), "C ends it there");
        assert_eq!(text(b"\0"), Some(""));
        assert_eq!(text(b"weir"), None);
        assert_eq!(text(b""), None);
        assert_eq!(text(b"\xff\0"), None);
    }
}
