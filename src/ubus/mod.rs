// SPDX-License-Identifier: Apache-2.0
//! weir on the system bus of OpenWrt (ubus): its object, its callers, and the objects it asks.
//!
//! After `ubusmsg.h`, `ubusd_proto.c` (ubus) and `blob.h`, `blobmsg.h` (libubox). No socket and no clock in here:
//! [`Inbox`] cuts what was read into messages, [`Peer`] takes them with the time, says what they mean, and holds what
//! is to be written.
//!
//! ```text
//!  read() ─▶ Inbox ─▶ Message ─▶ Peer ─▶ Heard: a call, an answer, a notification, …
//!                                 │ ▲
//!                     write() ◀───┘ └─── reply, finish, notify, send, call
//! ```
//!
//! Why not the codec of the crate ubus-zero (0.5.0): it takes the first eight bytes of a message for a whole one when
//! no more have come yet, ends the stream at a type it does not know, copies each message it interprets, and
//! allocates for each text and each message it writes. All of this here is as large, with one object and one
//! neighbour, as that codec alone with a loop that answers calls: 7.4 and 7.2 KB packed on x86_64; here on MIPS, 5.8.

mod attr;
mod field;
mod heard;
mod inbox;
mod neighbour;
mod object;
mod outbox;
mod peer;
mod pending;
#[cfg(test)]
mod tests;

pub use field::{Field, Fields, Value};
pub use heard::{Call, Fault, Heard, Refusal};
pub use inbox::{Inbox, Message};
pub use object::{Method, Object, Type};
pub use outbox::Writer;
#[cfg(test)]
pub(crate) use outbox::in_half;
pub use peer::Peer;
pub use pending::Ticket;

/// How a request ended (`enum ubus_msg_status`); values beyond the list pass through the bus and are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u32);

impl Status {
    /// Done.
    pub const OK: Self = Self(0);
    /// An argument is missing or wrong; also: the path is taken.
    pub const INVALID_ARGUMENT: Self = Self(2);
    /// The object has no such method.
    pub const METHOD_NOT_FOUND: Self = Self(3);
    /// There is no such object.
    pub const NOT_FOUND: Self = Self(4);
    /// The caller may not do this.
    pub const PERMISSION_DENIED: Self = Self(6);
    /// No answer came in time.
    pub const TIMEOUT: Self = Self(7);
    /// An answer that does not say how it ended.
    pub const UNKNOWN: Self = Self(9);
    /// The connection ended before the answer came.
    pub const CONNECTION_FAILED: Self = Self(10);
    /// The question or the answer is larger than is kept.
    pub const NO_MEMORY: Self = Self(11);
}
