// SPDX-License-Identifier: Apache-2.0
//! What to send so that the kernel has the wanted tree: `diff(have, want) -> Ops`.

use super::{Class, Filter, Qdisc};
use crate::units::DeviceName;
use alloc::vec::Vec;

/// How a request treats what is there (`NLM_F_*` of the new-message, or the delete message).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Make it; it must not exist (`CREATE | EXCL`).
    Create,
    /// Make it in place of what hangs there (`CREATE | REPLACE`).
    Replace,
    /// Alter what exists (no flags).
    Change,
    /// Remove it.
    Delete,
}

/// One request to the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Create an IFB device in our group.
    AddIfb(DeviceName),
    /// Bring a device up.
    SetUp(DeviceName),
    /// Remove a device of ours with everything on it.
    DeleteLink(DeviceName),
    /// A qdisc. With [`Verb::Change`] and `options: false` only the size table is sent: HTB's root refuses its own
    /// options on a change (sch_htb has no `.change`), while a stab alone is replaced in place.
    Qdisc {
        /// On which device.
        device: DeviceName,
        /// What to do with it.
        verb: Verb,
        /// The whole qdisc as wanted (or, to delete, as it is).
        qdisc: Qdisc,
        /// Whether `TCA_OPTIONS` is sent.
        options: bool,
    },
    /// An HTB class.
    Class {
        /// On which device.
        device: DeviceName,
        /// What to do with it.
        verb: Verb,
        /// The whole class as wanted (or, to delete, as it is).
        class: Class,
    },
    /// A filter.
    Filter {
        /// On which device.
        device: DeviceName,
        /// What to do with it.
        verb: Verb,
        /// The whole filter as wanted (or, to delete, as it is).
        filter: Filter,
    },
}

/// Requests in the order the kernel must see them. Each stage is sent whole and awaited whole, for the kernel goes on
/// after a refused message; a failed stage is followed by a roll-back, never by the next stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ops {
    /// Devices first (their index must be known before anything is put on them).
    pub links: Vec<Op>,
    /// What is new and carries no traffic yet, and changes in place.
    pub create: Vec<Op>,
    /// Filters that turn traffic onto it.
    pub turn: Vec<Op>,
    /// What is no longer wanted.
    pub delete: Vec<Op>,
}

impl Ops {
    /// Whether nothing has to be sent.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many requests there are.
    pub fn len(&self) -> usize {
        self.links.len() + self.create.len() + self.turn.len() + self.delete.len()
    }
}
