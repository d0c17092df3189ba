// SPDX-License-Identifier: Apache-2.0
//! Whom to ask, and which answers count: probes under way and those who answer them.

use crate::units::{Bytes, Time};

/// Probes under way; the oldest gives way.
const FLYING: usize = 64;

/// How a reflector is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Question {
    /// ICMP echo: how long it took there and back.
    #[default]
    Echo,
    /// ICMP timestamp: tells both ways apart. Over IPv6 there is none, so it is an echo there.
    Timestamp,
    /// A DNS question: for those who do not answer ICMP.
    Dns,
}

/// A probe that was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Its number.
    pub id: u32,
    /// Who was asked.
    pub reflector: u16,
    /// How.
    pub question: Question,
    /// When.
    pub at: Time,
    /// What the upload shaper had let out by then.
    pub released: Bytes,
    is_open: bool,
}

/// Whom to ask and what is under way.
#[derive(Clone, Debug)]
pub struct Prober {
    reflectors: u16,
    flying: [Sent; FLYING],
    sent: u32,
}

impl Prober {
    /// For this many reflectors.
    pub fn new(reflectors: u16) -> Self {
        Self { reflectors, flying: [Sent::default(); FLYING], sent: 0 }
    }

    /// The next probe to be sent; `None` when there is nobody to ask now.
    pub fn ask(&mut self, now: Time, released: Bytes) -> Option<Sent> {
        self.sent = self.sent.wrapping_add(1);
        let reflector = u16::try_from(self.sent.checked_rem(u32::from(self.reflectors))?).ok()?;
        let probe = Sent { id: self.sent, reflector, at: now, released, is_open: true, ..Sent::default() };
        *self.flying.get_mut(self.sent as usize % FLYING)? = probe;
        Some(probe)
    }

    /// The counters were read at `at`, when a probe was sent.
    pub fn counted(&mut self, at: Time, released: Bytes) {
        let open = self.flying.iter_mut().filter(|probe| probe.is_open && probe.at == at);
        open.for_each(|probe| probe.released = released);
    }

    /// An answer to probe `id` came; `None` if it does not count.
    pub fn answered(&mut self, _now: Time, id: u32) -> Option<Sent> {
        let probe = self.flying.iter_mut().find(|probe| probe.is_open && probe.id == id)?;
        probe.is_open = false;
        Some(*probe)
    }
}
