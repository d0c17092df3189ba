// SPDX-License-Identifier: Apache-2.0
//! What was read from the bus, in pieces of any size, as messages.
//!
//! `ubusmsg.h`, `struct ubus_msghdr`: version, type, sequence number, peer, then one outer attribute whose *unpadded*
//! length says where the next message begins.

use super::attr::{Attr, Attrs, LENGTH_MASK, word};
use super::heard::Fault;
use crate::limits::{UBUS_IDLE, UBUS_KEPT, UBUS_MESSAGE};
use alloc::vec::Vec;

/// `enum ubus_msg_type`.
pub(super) mod kind {
    pub(in super::super) const HELLO: u8 = 0;
    pub(in super::super) const STATUS: u8 = 1;
    pub(in super::super) const DATA: u8 = 2;
    pub(in super::super) const LOOKUP: u8 = 4;
    pub(in super::super) const INVOKE: u8 = 5;
    pub(in super::super) const ADD_OBJECT: u8 = 6;
    pub(in super::super) const SUBSCRIBE: u8 = 8;
    pub(in super::super) const UNSUBSCRIBE: u8 = 9;
    pub(in super::super) const NOTIFY: u8 = 10;
}

/// `enum ubus_msg_attr`.
pub(super) mod attr {
    pub(in super::super) const STATUS: u8 = 1;
    pub(in super::super) const PATH: u8 = 2;
    pub(in super::super) const OBJECT: u8 = 3;
    pub(in super::super) const METHOD: u8 = 4;
    pub(in super::super) const SIGNATURE: u8 = 6;
    pub(in super::super) const DATA: u8 = 7;
    pub(in super::super) const TARGET: u8 = 8;
    pub(in super::super) const ACTIVE: u8 = 9;
    pub(in super::super) const NO_REPLY: u8 = 10;
}

/// Header and head of the outer attribute.
const HEAD: usize = 12;

/// Collects one message at a time.
///
/// Of a message over [`UBUS_KEPT`] the beginning is kept and the rest read past, so that it can be refused: memory grows
/// with what has come, never with what is announced. Descriptors that come with a message are closed by the kernel when
/// the socket is read with `read(2)`.
#[derive(Debug, Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    /// Bytes to come before the head, or the message, is whole.
    missing: usize,
    has_head: bool,
}

impl Inbox {
    /// Moves bytes from `input` until one message is whole; `None` if all were taken before that.
    ///
    /// # Errors
    /// A stream nobody can follow any further: close it, and begin with a new inbox.
    pub fn take(&mut self, input: &mut &[u8]) -> Result<Option<Message<'_>>, Fault> {
        if self.missing == 0 {
            self.bytes.clear();
            if self.bytes.capacity() > UBUS_IDLE {
                self.bytes = Vec::new();
            }
            (self.missing, self.has_head) = (HEAD, false);
        }
        loop {
            let (taken, rest) = input.split_at(self.missing.min(input.len()));
            let room = UBUS_KEPT.saturating_sub(self.bytes.len());
            self.bytes.extend_from_slice(taken.get(..room).unwrap_or(taken));
            self.missing -= taken.len();
            *input = rest;
            if self.missing > 0 {
                return Ok(None);
            }
            if self.has_head {
                return Ok(Message::read(&self.bytes));
            }
            self.missing = body_length(&self.bytes)?;
            self.has_head = true;
        }
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }
}

/// Bytes that follow `head`.
fn body_length(head: &[u8]) -> Result<usize, Fault> {
    let version = head.first().copied().unwrap_or_default();
    if version != 0 {
        return Err(Fault::Version(version));
    }
    let length = u32::from_be_bytes(word(head, 8).unwrap_or_default()) & LENGTH_MASK;
    // The limit is on the padded length (UBUS_MAX_MSGLEN), and divides by four.
    match (length as usize).checked_sub(4) {
        Some(body) if body <= UBUS_MESSAGE - 4 => Ok(body),
        _ => Err(Fault::Length(length)),
    }
}

/// One message, borrowed from the inbox.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    pub(super) kind: u8,
    pub(super) seq: u16,
    pub(super) peer: u32,
    /// Only its beginning was kept.
    pub(super) is_cut: bool,
    body: &'a [u8],
}

impl<'a> Message<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let [_, kind, seq0, seq1, peer @ .., _, _, _, _] = *bytes.first_chunk::<HEAD>()?;
        let length = (u32::from_be_bytes(word(bytes, 8)?) & LENGTH_MASK) as usize;
        Some(Self {
            kind,
            seq: u16::from_be_bytes([seq0, seq1]),
            peer: u32::from_be_bytes(peer),
            is_cut: bytes.len() < 8 + length,
            body: bytes.get(HEAD..)?,
        })
    }

    /// The last attribute `id` that `read` accepts: one of the wrong size is as good as absent.
    fn last<T>(&self, id: u8, read: impl Fn(&Attr<'a>) -> Option<T>) -> Option<T> {
        self.attrs().filter(|attr| attr.id == id).filter_map(|attr| read(&attr)).last()
    }

    pub(super) fn attrs(&self) -> Attrs<'a> {
        Attrs { rest: self.body }
    }

    pub(super) fn number(&self, id: u8) -> Option<u32> {
        self.last(id, Attr::number)
    }

    pub(super) fn text(&self, id: u8) -> Option<&'a str> {
        self.last(id, Attr::text)
    }

    pub(super) fn bytes(&self, id: u8) -> Option<&'a [u8]> {
        self.last(id, |attr| Some(attr.payload))
    }

    /// Whether the attribute `id` is there and says yes: nobody checks its size (`ubus_policy`).
    pub(super) fn says(&self, id: u8) -> bool {
        self.bytes(id).and_then(<[u8]>::first).is_some_and(|byte| *byte != 0)
    }
}
