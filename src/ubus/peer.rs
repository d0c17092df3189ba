// SPDX-License-Identifier: Apache-2.0
//! One connection to the bus, as a state machine: weir's object, its callers, and the neighbours it follows.
//!
//! Before editing: `ubusd_proto.c` for what the bus checks and what it does not (it keeps no state of calls, gives up on
//! none, and answers nothing at all to a notification that went well).

use super::Status;
use super::field::Fields;
use super::heard::{Call, Fault, Heard, Refusal};
use super::inbox::{Message, attr, kind};
use super::neighbour::{EVENTS, Neighbour};
use super::object::Object;
use super::outbox::{Outbox, Writer};
use super::pending::{About, Pending, Ticket};
use crate::limits::{UBUS_NEIGHBOURS, UBUS_OUTPUT, UBUS_PENDING};
use crate::scribe::Scribe;
use crate::units::{Micros, Time};

/// One client of the bus.
#[derive(Debug)]
pub struct Peer {
    object: Option<&'static Object>,
    pub(super) paths: &'static [&'static str],
    life: u32,
    is_open: bool,
    /// Our numbers on the bus, 0 while we have none.
    client: u32,
    named: u32,
    is_watched: bool,
    pub(super) neighbours: [Neighbour; UBUS_NEIGHBOURS],
    pub(super) pending: Pending,
    pub(super) out: Outbox,
    /// When what waits in the queue must have moved.
    stalled: Option<Time>,
}

impl Peer {
    /// How long an answer may take.
    pub const PATIENCE: Micros = Micros::secs(10);
    /// How long a path that was taken is left alone.
    pub const RETRY: Micros = Micros::secs(30);

    /// How many calls may wait at once; the other places are the connection's own.
    pub(super) const CALLS: usize = UBUS_PENDING - 1 - 3 * UBUS_NEIGHBOURS;

    /// Makes a client that puts `object` on the bus and follows the objects at `paths`, at most [`UBUS_NEIGHBOURS`].
    pub fn new(object: Option<&'static Object>, paths: &'static [&'static str]) -> Self {
        Self {
            object,
            paths,
            life: 0,
            is_open: false,
            client: 0,
            named: 0,
            is_watched: false,
            neighbours: Default::default(),
            pending: Pending::default(),
            out: Outbox::default(),
            stalled: None,
        }
    }

    /// Begins a life: the socket has been connected at `now`.
    pub fn open(&mut self, now: Time) {
        let life = self.life.wrapping_add(1);
        *self = Self { life, is_open: true, ..Self::new(self.object, self.paths) };
        self.pending.add(0, About::Hello, now + Self::PATIENCE);
    }

    /// Ends a life: the socket is closed. [`Self::expire`] then tells which calls have failed.
    pub fn close(&mut self) {
        self.is_open = false;
        self.client = 0;
        self.named = 0;
        self.is_watched = false;
        self.neighbours = Default::default();
        self.out = Outbox::default();
        self.stalled = None;
        while self.pending.remove(|request| request.about != About::Call).is_some() {}
    }

    /// What is to be written; tell [`Self::sent`] how much of it was.
    ///
    /// # Errors
    /// Something had to be left out.
    pub fn output(&self) -> Result<&[u8], Fault> {
        if self.out.is_lossy() { Err(Fault::Slow) } else { Ok(self.out.waiting()) }
    }

    /// Takes note that `count` bytes have been written.
    pub fn sent(&mut self, count: usize) {
        self.out.sent(count);
        if count > 0 {
            self.stalled = None;
        }
    }

    /// Whether further messages may be heard: not while half of the queue waits, as each may need an answer. What is not
    /// read then waits in the bus, which does not wait for us.
    pub fn is_ready(&self) -> bool {
        self.out.waiting().len() < UBUS_OUTPUT / 2
    }

    /// When [`Self::expire`] is to be asked, if nothing comes before.
    pub fn due(&self) -> Option<Time> {
        self.pending.due().into_iter().chain(self.stalled).min()
    }

    /// Says what has waited too long at `now`: a call, or the connection itself. Ask until it says nothing, whenever
    /// something was written, heard or due.
    ///
    /// # Errors
    /// The bus does not answer, or does not read.
    pub fn expire(&mut self, now: Time) -> Result<Option<Heard<'static>>, Fault> {
        if self.out.waiting().is_empty() {
            self.stalled = None;
        } else if *self.stalled.get_or_insert(now + Self::PATIENCE) <= now {
            return Err(Fault::Slow);
        }
        let is_open = self.is_open;
        let Some(request) = self.pending.remove(|request| !is_open || request.until <= now) else {
            return Ok(None);
        };
        match request.about {
            About::Call if is_open => Ok(Some(Heard::Done(Ticket(request.seq), Status::TIMEOUT))),
            About::Call => Ok(Some(Heard::Done(Ticket(request.seq), Status::CONNECTION_FAILED))),
            About::Retry => {
                self.register(now);
                Ok(Some(Heard::Nothing))
            }
            About::Hello
            | About::Name
            | About::Ear(_)
            | About::News(_)
            | About::Lookup(_)
            | About::Subscribe(..) => Err(Fault::Silent),
        }
    }

    /// Takes a message that came at `now` and says what it means.
    pub fn hear<'m>(&mut self, message: Message<'m>, now: Time) -> Heard<'m> {
        match message.kind {
            kind::HELLO => self.greeted(message, now),
            kind::STATUS => self.ended(message, now),
            kind::DATA => self.answered(message),
            kind::INVOKE => self.invoked(message, now),
            kind::NOTIFY => self.watched(message),
            kind::UNSUBSCRIBE => self.unsubscribed(message),
            _ => Heard::Nothing,
        }
    }

    /// Whether anybody listens to weir's notifications.
    pub fn is_watched(&self) -> bool {
        self.is_watched
    }

    /// Sends one part of an answer; `false` if it is too large to be sent.
    pub fn reply(&mut self, call: &Call, write: impl FnOnce(&mut Writer<'_>)) -> bool {
        if !self.awaits(call) {
            return true;
        }
        let begun = self.out.begin(kind::DATA, call.seq, call.client);
        self.out.number(attr::OBJECT, call.object);
        self.out.fields(attr::DATA, write);
        self.out.end(begun)
    }

    /// Ends the answer. A call of an earlier life is forgotten.
    #[expect(clippy::needless_pass_by_value, reason = "a call is answered once")]
    pub fn finish(&mut self, call: Call, status: Status) {
        if !self.awaits(&call) {
            return;
        }
        let begun = self.out.begin(kind::STATUS, call.seq, call.client);
        self.out.number(attr::STATUS, status.0);
        self.out.number(attr::OBJECT, call.object);
        self.out.end(begun);
    }

    /// Answers with what `write` writes, or says that it is too large.
    pub fn answer(&mut self, call: Call, write: impl FnOnce(&mut Writer<'_>)) {
        let status = if self.reply(&call, write) { Status::OK } else { Status::NO_MEMORY };
        self.finish(call, status);
    }

    /// Does what is asked, with `work`, and sends what it wrote, or why it refused; gives the latter back. The work is
    /// done also for a caller who wants no answer.
    ///
    /// # Errors
    /// What `work` refused with.
    pub fn serve(
        &mut self,
        call: Call,
        work: &mut dyn FnMut(&mut dyn Scribe) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let wants_answer = self.awaits(&call);
        let begun = self.out.begin(kind::DATA, call.seq, call.client);
        self.out.number(attr::OBJECT, call.object);
        let mut done = Ok(());
        self.out.fields(attr::DATA, |out| {
            done = work(out);
            out.tell_cut();
        });
        let mut status = Status::OK;
        match &done {
            Ok(()) if wants_answer => {
                if !self.out.end(begun) {
                    status = Status::NO_MEMORY;
                }
            }
            Ok(()) => self.out.cancel(begun),
            Err(refusal) => {
                self.out.cancel(begun);
                status = refusal.status;
                self.reply(&call, |out| out.text("error", &refusal.text));
            }
        }
        self.finish(call, status);
        done
    }

    /// Tells those who listen to weir's object; without listeners nothing is written, and `write` not asked.
    pub fn notify(&mut self, what: &str, write: impl FnOnce(&mut Writer<'_>)) {
        if !self.is_watched {
            return;
        }
        // The bus says nothing to it when all is well, so nothing waits under this number.
        let seq = self.pending.next_seq();
        let begun = self.out.begin(kind::NOTIFY, seq, self.named);
        self.out.number(attr::OBJECT, self.named);
        self.out.text(attr::METHOD, what);
        self.out.fields(attr::DATA, write);
        self.out.attr(attr::NO_REPLY, &[1]);
        self.out.end(begun);
    }

    /// Sends an event to whoever has registered for its name, which the bus tells nobody.
    pub fn send(&mut self, name: &str, write: impl FnOnce(&mut Writer<'_>)) {
        if self.client == 0 {
            return;
        }
        let seq = self.pending.next_seq();
        self.invoke(seq, EVENTS, "send", |out| {
            out.text("id", &name);
            out.table("data", write);
        });
    }

    fn greeted(&mut self, message: Message<'_>, now: Time) -> Heard<'static> {
        if self.client != 0 || message.peer == 0 {
            return Heard::Nothing;
        }
        self.client = message.peer;
        self.pending.remove(|request| request.about == About::Hello);
        self.register(now);
        for n in 0..self.paths.len().min(UBUS_NEIGHBOURS) {
            self.ask(kind::ADD_OBJECT, About::Ear(n), now, |_| {});
        }
        Heard::Nothing
    }

    fn ended(&mut self, message: Message<'_>, now: Time) -> Heard<'static> {
        let Some(request) = self.pending.take(message.seq, message.peer) else {
            return Heard::Nothing; // an event's, or too late
        };
        let status = Status(message.number(attr::STATUS).unwrap_or(Status::UNKNOWN.0));
        // A name without a number is as good as refused; a lookup the caller may not see into ends well without data.
        let found = if status == Status::OK { request.found } else { 0 };
        match request.about {
            About::Call => Heard::Done(Ticket(request.seq), status),
            About::Name if found == 0 => {
                self.pending.add(0, About::Retry, now + Self::RETRY);
                Heard::Unnamed(status)
            }
            About::Name => {
                self.named = found;
                Heard::Named
            }
            About::Ear(n) => {
                self.listen(n, found, now);
                Heard::Nothing
            }
            About::Lookup(n) => {
                self.follow(n, found, now);
                Heard::Nothing
            }
            About::Subscribe(n, target) => self.subscribed(n, target, status),
            About::Hello | About::Retry | About::News(_) => Heard::Nothing,
        }
    }

    fn answered<'m>(&mut self, message: Message<'m>) -> Heard<'m> {
        let Some(request) = self.pending.find(message.seq, message.peer) else {
            return Heard::Nothing;
        };
        match request.about {
            About::Call if message.is_cut => {
                self.pending.take(message.seq, message.peer);
                Heard::Done(Ticket(message.seq), Status::NO_MEMORY)
            }
            About::Call => {
                Heard::Answer(Ticket(message.seq), Fields::new(message.bytes(attr::DATA).unwrap_or_default()))
            }
            About::Name | About::Ear(_) | About::Lookup(_) => {
                request.found = message.number(attr::OBJECT).unwrap_or(request.found);
                Heard::Nothing
            }
            About::Hello | About::Retry | About::News(_) | About::Subscribe(..) => Heard::Nothing,
        }
    }

    fn invoked<'m>(&mut self, message: Message<'m>, now: Time) -> Heard<'m> {
        let Some(object) = message.number(attr::OBJECT).filter(|object| *object != 0) else {
            return Heard::Nothing;
        };
        let is_event = message.peer == 0;
        let call = Call {
            client: message.peer,
            seq: message.seq,
            object,
            wants_answer: !is_event && !message.says(attr::NO_REPLY),
            life: self.life,
        };
        match self.neighbours.iter().position(|one| one.ear == object) {
            Some(n) if is_event => self.heard_event(n, message, now),
            Some(n) => {
                self.finish(call, Status::OK);
                let data = message.bytes(attr::DATA).unwrap_or_default();
                Heard::Told(n, message.text(attr::METHOD).unwrap_or_default(), Fields::new(data))
            }
            None if is_event => Heard::Nothing,
            None if object == self.named => self.asked(call, message),
            None => {
                self.finish(call, Status::NOT_FOUND);
                Heard::Nothing
            }
        }
    }

    /// Hands a question to weir's object on, if it is one.
    fn asked<'m>(&mut self, call: Call, message: Message<'m>) -> Heard<'m> {
        if message.is_cut {
            self.finish(call, Status::NO_MEMORY);
            return Heard::Nothing;
        }
        let name = message.text(attr::METHOD);
        let Some(method) = name.and_then(|name| self.object?.method(name)) else {
            let status = if name.is_some() { Status::METHOD_NOT_FOUND } else { Status::INVALID_ARGUMENT };
            self.finish(call, status);
            return Heard::Nothing;
        };
        // libubox sends an empty table when there are no arguments, and its objects refuse a call without one.
        let given = message.bytes(attr::DATA).map(Fields::new);
        let wrong = given.and_then(|given| method.wrong(given));
        match given {
            Some(given) if wrong.is_none() => Heard::Call(call, method.name, given),
            _ => {
                self.finish(call, Status::INVALID_ARGUMENT);
                Heard::Refused(method.name, wrong)
            }
        }
    }

    fn watched(&mut self, message: Message<'_>) -> Heard<'static> {
        if self.named == 0 || message.number(attr::OBJECT) != Some(self.named) {
            return Heard::Nothing;
        }
        self.is_watched = message.says(attr::ACTIVE);
        Heard::Watched(self.is_watched)
    }

    fn awaits(&self, call: &Call) -> bool {
        call.wants_answer && call.life == self.life && self.client != 0
    }

    /// Sends a request of the connection's own.
    pub(super) fn ask(&mut self, kind: u8, about: About, now: Time, write: impl FnOnce(&mut Outbox)) {
        let Some(seq) = self.pending.add(0, about, now + Self::PATIENCE) else {
            return self.out.lose(); // the bus must be mad: begin anew
        };
        let begun = self.out.begin(kind, seq, 0);
        write(&mut self.out);
        self.out.end(begun);
    }

    fn register(&mut self, now: Time) {
        if let Some(object) = self.object {
            self.ask(kind::ADD_OBJECT, About::Name, now, |out| {
                out.text(attr::PATH, object.path);
                out.fields(attr::SIGNATURE, |out| object.sign(out));
            });
        }
    }
}
