// SPDX-License-Identifier: Apache-2.0
//! What people do with a line: downloads, uploads, pages, films, calls, games.

use super::clock::{Moment, Span};
use super::packet::{BARE, Ecn, FULL, FlowId, Kind, PAYLOAD, Packet};
use super::random::Random;
use super::tcp::{self, Receiver, Sender, sender::News};
use crate::units::Way;

/// What runs over a flow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum App {
    /// As much as the line carries, from a moment on.
    Bulk {
        /// When it begins.
        from: Moment,
    },
    /// As much as the line carries for a while, then nothing, each time with a new connection.
    OnOff {
        /// When it begins first.
        from: Moment,
        /// How long it sends.
        on: Span,
        /// How long it does not.
        off: Span,
    },
    /// One connection of a page: every page brings something to fetch over a new connection.
    Pages {
        /// The mean time from one page to the next; all connections of a page have the same `reader`.
        think: Span,
        /// The median of what is fetched, in bytes.
        median: u32,
        /// Who reads: readers open their pages at different moments.
        reader: u64,
    },
    /// A film in pieces: every piece is fetched as fast as possible, then comes a pause.
    Video {
        /// The film's rate in kbit/s.
        kbit: u32,
        /// How long a piece plays.
        piece: Span,
    },
    /// Datagrams at a fixed pace: a call or a game.
    Stream {
        /// From one sending to the next.
        every: Span,
        /// How many packets at a time.
        packets: u32,
        /// How large each of them is on the wire.
        size: u32,
    },
}

/// One flow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spec {
    /// Where its data go.
    pub way: Way,
    /// What runs over it.
    pub app: App,
    /// Who decides how fast, where it is TCP.
    pub law: tcp::Kind,
    /// Whether it understands marks.
    pub has_ecn: bool,
    /// How far the other end is behind the line: there and back.
    pub distance: Span,
}

/// A flow and both its ends.
pub struct Flow {
    /// What it is.
    pub spec: Spec,
    /// When the world will wake it; kept by the world.
    pub wake_at: Moment,
    id: FlowId,
    life: u16,
    random: Random,
    sender: Sender,
    receiver: Receiver,
    app_due: Moment,
    is_on: bool,
    sent: u32,
    delays: Vec<u32>,
    began: Option<Moment>,
    waits: Vec<u32>,
}

impl Flow {
    /// The flow `id` of the world `seed`.
    pub fn new(id: FlowId, spec: Spec, seed: u64) -> Self {
        // The connections of one reader open together: they draw the moments from the same stream.
        let part = match spec.app {
            App::Pages { reader, .. } => 0x4000 + reader,
            App::Bulk { .. } | App::OnOff { .. } | App::Video { .. } | App::Stream { .. } => {
                0x1000 + u64::from(id)
            }
        };
        let mut random = Random::new(seed, part);
        let app_due = match spec.app {
            App::Bulk { from } | App::OnOff { from, .. } => from,
            App::Pages { think, .. } => Moment::START + random.exponential(think),
            App::Video { piece, .. } => Moment::START + Span::from_secs(random.unit() * piece.as_secs()),
            App::Stream { every, .. } => Moment::START + Span::from_secs(random.unit() * every.as_secs()),
        };
        Self {
            spec,
            wake_at: Moment::NEVER,
            id,
            life: 0,
            random,
            sender: Sender::new(spec.law, Moment::START, 0),
            receiver: Receiver::default(),
            app_due,
            is_on: false,
            sent: 0,
            delays: Vec::new(),
            began: None,
            waits: Vec::new(),
        }
    }

    /// Whether it has something to send that has not arrived.
    pub fn has_demand(&self) -> bool {
        !matches!(self.spec.app, App::Stream { .. }) && !self.sender.is_done()
    }

    /// How many segments have arrived, as far as the sender knows.
    #[cfg(test)]
    pub(crate) const fn arrived(&self) -> u64 {
        self.sender.delivered()
    }

    /// When it wants to be woken.
    pub fn due(&self) -> Moment {
        let ends = self.sender.due().into_iter().chain(self.receiver.due());
        ends.fold(self.app_due, Moment::min)
    }

    /// Does what is due; what it sends goes to `out`.
    pub fn wake(&mut self, now: Moment, out: &mut Vec<Packet>) {
        if now >= self.app_due {
            self.next_act(now, out);
        }
        if let Some(number) = self.sender.wake(now) {
            out.push(self.data(now, number));
        }
        if let Some(answer) = self.receiver.wake(now) {
            out.push(self.ack(now, answer));
        }
        self.transmit(now, out);
    }

    fn next_act(&mut self, now: Moment, out: &mut Vec<Packet>) {
        match self.spec.app {
            App::Bulk { .. } => {
                self.open(now, u32::MAX);
                self.app_due = Moment::NEVER;
            }
            App::OnOff { on, off, .. } => {
                self.is_on = !self.is_on;
                if self.is_on {
                    self.open(now, u32::MAX);
                } else {
                    self.sender.stop();
                }
                self.app_due = now + if self.is_on { on } else { off };
            }
            App::Pages { think, median, .. } => {
                let wait = self.random.exponential(think).max(Span::ms(200));
                let mut own = Random::new(self.random.bits(), u64::from(self.id));
                self.app_due = now + wait;
                if self.sender.is_done() {
                    let bytes = own.log_normal(f64::from(median), 1.2).min(2e7);
                    self.open(now, (bytes / f64::from(PAYLOAD)).ceil() as u32);
                    self.began = Some(now);
                }
            }
            App::Video { kbit, piece } => {
                if self.life == 0 {
                    self.open(now, 0);
                }
                // Whoever cannot keep up waits for the piece and does not ask for the next one yet.
                if self.sender.is_done() {
                    let bytes = f64::from(kbit) * 125.0 * piece.as_secs();
                    self.sender.supply(now, (bytes / f64::from(PAYLOAD)).ceil() as u32);
                    self.began = Some(now);
                }
                self.app_due = now + piece;
            }
            App::Stream { every, packets, size } => {
                for _ in 0..packets {
                    let number = self.sent;
                    self.sent += 1;
                    out.push(Packet { kind: Kind::Datagram, number, size, ..self.packet(now) });
                }
                self.app_due = now + every;
            }
        }
    }

    fn open(&mut self, now: Moment, segments: u32) {
        self.life = self.life.wrapping_add(1);
        self.sender = Sender::new(self.spec.law, now, segments);
        self.receiver = Receiver::default();
    }

    /// Takes a packet of this flow that has come to the end it was sent to.
    pub fn take(&mut self, now: Moment, packet: &Packet, out: &mut Vec<Packet>) {
        if packet.life != self.life {
            return;
        }
        match packet.kind {
            Kind::Data => {
                let is_marked = packet.ecn == Ecn::Marked;
                if let Some(answer) = self.receiver.take(now, packet.number, is_marked) {
                    out.push(self.ack(now, answer));
                }
            }
            Kind::Ack => {
                let news = News { next: packet.number, sacks: packet.sacks, has_echo: packet.has_echo };
                self.sender.take(now, &news);
                self.transmit(now, out);
                if self.sender.is_done()
                    && let Some(began) = self.began.take()
                {
                    self.waits.push((now - began).micros().0 as u32);
                }
            }
            Kind::Datagram => {
                let base = Span(self.spec.distance.0 / 2);
                let delay = Span((now - packet.sent).0.saturating_sub(base.0));
                self.delays.push(delay.micros().0 as u32);
            }
            Kind::Probe => {}
        }
    }

    fn transmit(&mut self, now: Moment, out: &mut Vec<Packet>) {
        while let Some(number) = self.sender.transmit(now) {
            out.push(self.data(now, number));
        }
    }

    fn packet(&self, now: Moment) -> Packet {
        Packet { flow: self.id, life: self.life, sent: now, ..Packet::default() }
    }

    fn data(&self, now: Moment, number: u32) -> Packet {
        let ecn = if self.spec.has_ecn { Ecn::Able } else { Ecn::Unable };
        Packet { kind: Kind::Data, number, ecn, size: FULL, ..self.packet(now) }
    }

    fn ack(&self, now: Moment, answer: tcp::receiver::Answer) -> Packet {
        let tcp::receiver::Answer { next: number, sacks, has_echo } = answer;
        Packet { kind: Kind::Ack, number, sacks, has_echo, size: BARE, ..self.packet(now) }
    }

    /// How long each datagram was held up, in microseconds, and how many were sent.
    pub fn datagrams(&self) -> (&[u32], u32) {
        (&self.delays, self.sent)
    }

    /// How long each page or piece took, in microseconds.
    pub fn waits(&self) -> &[u32] {
        &self.waits
    }
}
