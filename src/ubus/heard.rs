// SPDX-License-Identifier: Apache-2.0
//! What a connection to the bus has to tell the daemon.

use super::Status;
use super::field::Fields;
use super::pending::Ticket;
use alloc::string::String;
use core::fmt;

/// Why a connection is of no use any more: close it, [`super::Peer::close`], and begin anew in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A message of another version of the protocol.
    Version(u8),
    /// A message whose length cannot be.
    Length(u32),
    /// What is to be written is not taken.
    Slow,
    /// The bus does not answer.
    Silent,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(f, "ubus: message of version {version}"),
            Self::Length(length) => write!(f, "ubus: message of {length} bytes"),
            Self::Slow => f.write_str("ubus: does not read"),
            Self::Silent => f.write_str("ubus: does not answer"),
        }
    }
}

/// A question to weir's object. It must be answered once: now or, if kept, later, in any order.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a caller waits for the answer"]
pub struct Call {
    pub(super) client: u32,
    pub(super) seq: u16,
    pub(super) object: u32,
    /// Not so with `NO_REPLY`.
    pub(super) wants_answer: bool,
    /// The connection it came by: numbers mean nothing on the next one.
    pub(super) life: u32,
}

/// Why weir does not do what it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For the bus.
    pub status: Status,
    /// For people.
    pub text: String,
}

/// What a message means to the daemon.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// Nothing; it was the connection's own business.
    Nothing,
    /// Weir's object is on the bus.
    Named,
    /// It is not: the path is taken, or may not be. It is tried again.
    Unnamed(Status),
    /// A question, its arguments of the right types.
    Call(Call, &'static str, Fields<'a>),
    /// A question with an argument of the wrong type, or (`None`) none at all; it has been refused.
    Refused(&'static str, Option<&'static str>),
    /// Whether anybody listens to weir's notifications has changed.
    Watched(bool),
    /// The neighbour can be called, and its notifications are heard from now on. It may be another one than before.
    Here(usize),
    /// The neighbour is gone.
    Gone(usize),
    /// A neighbour tells something. A hint to ask it: any client of root's can send the same.
    Told(usize, &'a str, Fields<'a>),
    /// Part of the answer to a call.
    Answer(Ticket, Fields<'a>),
    /// The end of the answer to a call.
    Done(Ticket, Status),
}
