// SPDX-License-Identifier: Apache-2.0
//! Probes under way: what those say that should be back and are not.

use crate::units::{Bytes, Micros, Time};

/// Probes remembered.
const PROBES: usize = 32;
/// One that is out for so long is lost.
const LOST: Micros = Micros::secs(2);

/// When so many of a thousand are lost, so many overdue ones are no chance.
const ENOUGH: [(u64, usize); 3] = [(100, 2), (200, 3), (300, 4)];

/// A probe under way.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flying {
    /// Its number.
    pub id: u32,
    /// Who was asked.
    pub reflector: u16,
    /// When it was sent.
    pub sent: Time,
    /// What the upload shaper had let out by then.
    pub released: Bytes,
    is_open: bool,
}

/// Those under way.
#[derive(Clone, Debug, Default)]
pub struct Flight {
    probes: [Flying; PROBES],
    next: usize,
    /// How many of a thousand are not answered, or long after others.
    lost: u64,
}

impl Flight {
    /// One leaves.
    pub fn leave(&mut self, id: u32, reflector: u16, sent: Time, released: Bytes) {
        if let Some(place) = self.probes.get_mut(self.next) {
            *place = Flying { id, reflector, sent, released, is_open: true };
        }
        self.next = (self.next + 1) % PROBES;
    }

    /// The counters were read when some were sent.
    pub fn counted(&mut self, at: Time, released: Bytes) {
        let those = self.probes.iter_mut().filter(|probe| probe.is_open && probe.sent == at);
        those.for_each(|probe| probe.released = released);
    }

    /// One is back: those sent before it are lost or late by themselves, not by a queue.
    pub fn back(&mut self, id: u32) {
        let Some(sent) =
            self.probes.iter().find(|probe| probe.is_open && probe.id == id).map(|probe| probe.sent)
        else {
            return;
        };
        for probe in self.probes.iter_mut().filter(|probe| probe.is_open && probe.sent <= sent) {
            probe.is_open = false;
            let is_lost = probe.id != id;
            self.lost = (self.lost * 31 + if is_lost { 1000 } else { 0 }) / 32;
        }
    }

    /// Of those that should be back by now, the one that is not alone: so many before it can only be lost by chance in
    /// one of a hundred cases. `due` says after how long a reflector's answer is overdue.
    pub fn overdue(&self, now: Time, due: impl Fn(u16) -> Option<Micros>) -> Option<Flying> {
        let needed = ENOUGH.iter().find(|(lost, _)| self.lost <= *lost)?.1;
        let is_overdue = |probe: &&Flying| {
            let age = now - probe.sent;
            probe.is_open && age < LOST && due(probe.reflector).is_some_and(|due| age > due)
        };
        let count = self.probes.iter().filter(is_overdue).count();
        // The ring is in the order of sending, from `next` on.
        let (late, early) = self.probes.split_at_checked(self.next)?;
        let mut those = early.iter().chain(late).filter(is_overdue);
        if count < needed { None } else { those.nth(needed - 1).copied() }
    }
}
