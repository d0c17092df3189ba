// SPDX-License-Identifier: Apache-2.0
//! Objects of others on the bus: found, heard, called, and found again when they have gone and come.

use super::Status;
use super::field::Fields;
use super::heard::Heard;
use super::inbox::{Message, attr, kind};
use super::outbox::Writer;
use super::peer::Peer;
use super::pending::{About, Ticket};
use crate::scribe::Scribe;
use crate::units::Time;

/// The object of the bus itself that takes and gives events (`UBUS_SYSTEM_OBJECT_EVENT`).
pub(super) const EVENTS: u32 = 1;
/// The event by which a neighbour is found that was not there.
const OBJECT_ADDED: &str = "ubus.object.add";

/// An object of somebody else: where it is in this life of the connection.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Neighbour {
    /// The nameless object that hears it, as a notification does not say from whom it is.
    pub(super) ear: u32,
    /// Its number; 0 while it is not there.
    pub(super) target: u32,
}

impl Peer {
    /// Calls a method of a neighbour; `None` if the neighbour is not there, the question is too large,
    /// or too many wait already.
    pub fn call(
        &mut self,
        neighbour: usize,
        method: &str,
        now: Time,
        write: impl FnOnce(&mut Writer<'_>),
    ) -> Option<Ticket> {
        let target = self.neighbours.get(neighbour).map(|one| one.target).filter(|target| *target != 0)?;
        if self.pending.count(About::Call) >= Self::CALLS {
            return None;
        }
        let seq = self.pending.add(target, About::Call, now + Self::PATIENCE)?;
        if !self.invoke(seq, target, method, write) {
            self.pending.take(seq, target); // too large, or one too many
            return None;
        }
        Some(Ticket(seq))
    }

    pub(super) fn heard_event(&mut self, n: usize, message: Message<'_>, now: Time) -> Heard<'static> {
        let event = Fields::new(message.bytes(attr::DATA).unwrap_or_default());
        if message.text(attr::METHOD) == Some(OBJECT_ADDED)
            && event.text("path") == self.paths.get(n).copied()
            && let Some(id) = event.number("id")
        {
            self.follow(n, id as u32, now); // 32 bits, which the field reads with a sign
        }
        Heard::Nothing
    }

    pub(super) fn unsubscribed(&mut self, message: Message<'_>) -> Heard<'static> {
        let Some(target) = message.number(attr::TARGET).filter(|target| *target != 0) else {
            return Heard::Nothing;
        };
        match self.neighbours.iter().position(|one| one.target == target) {
            Some(n) => {
                self.place(n, 0);
                Heard::Gone(n)
            }
            None => Heard::Nothing,
        }
    }

    fn place(&mut self, n: usize, target: u32) {
        if let Some(one) = self.neighbours.get_mut(n) {
            one.target = target;
        }
    }

    /// Has an ear: first asks for news of objects, then looks, so that none comes between unseen.
    pub(super) fn listen(&mut self, n: usize, ear: u32, now: Time) {
        let (Some(one), Some(path)) = (self.neighbours.get_mut(n), self.paths.get(n)) else {
            return;
        };
        one.ear = ear;
        let Some(seq) = self.pending.add(EVENTS, About::News(n), now + Self::PATIENCE) else {
            return self.out.lose();
        };
        self.invoke(seq, EVENTS, "register", |out| {
            out.number("object", i64::from(ear.cast_signed()));
            out.text("pattern", &OBJECT_ADDED);
        });
        self.ask(kind::LOOKUP, About::Lookup(n), now, |out| out.text(attr::PATH, path));
    }

    /// Has found a neighbour at `target`, unless it is 0. Twice the same would be told everything twice.
    pub(super) fn follow(&mut self, n: usize, target: u32, now: Time) {
        let Some(one) = self.neighbours.get_mut(n).filter(|one| target != 0 && one.target != target) else {
            return;
        };
        one.target = target;
        let ear = one.ear;
        self.ask(kind::SUBSCRIBE, About::Subscribe(n, target), now, |out| {
            out.number(attr::OBJECT, ear);
            out.number(attr::TARGET, target);
        });
    }

    pub(super) fn subscribed(&mut self, n: usize, target: u32, status: Status) -> Heard<'static> {
        if self.neighbours.get(n).is_none_or(|one| one.target != target) {
            return Heard::Nothing; // another one has come meanwhile
        }
        if status == Status::OK {
            return Heard::Here(n);
        }
        self.place(n, 0); // gone before we could
        Heard::Nothing
    }

    pub(super) fn invoke(
        &mut self,
        seq: u16,
        target: u32,
        method: &str,
        write: impl FnOnce(&mut Writer<'_>),
    ) -> bool {
        let begun = self.out.begin(kind::INVOKE, seq, target);
        self.out.number(attr::OBJECT, target);
        self.out.text(attr::METHOD, method);
        self.out.fields(attr::DATA, write);
        self.out.end(begun)
    }
}
