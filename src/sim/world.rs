// SPDX-License-Identifier: Apache-2.0
//! The world: a household, weir's shaper, the line and those at its other end, in virtual time.
//!
//! ```text
//!  home ──▶ shaper (up) ──▶ line's buffer(s) ──▶ propagation ──▶ far ends, reflectors
//!  home ◀── shaper (down) ◀── line's buffer(s) ◀── propagation ◀──┘
//! ```
//!
//! The download shaper stands behind the line's buffer, so there it can only slow the senders down by its drops. The
//! same seed gives the same world, to the last packet.

use super::agenda::Agenda;
use super::clock::{Moment, Span};
use super::flow::{App, Flow, Spec};
use super::link::{self, Fate, Link};
use super::packet::{Ecn, FlowId, Handle, Kind, Packet, Pool};
use super::pilot::{Action, Event, Pilot, Question, WayCounters};
use super::random::Random;
use super::reflector::{self, Reflector};
use super::score::{MARKER, Record, SAMPLE, Sample, WayScore, percentile};
use super::shaper::{Engine, Shaper};
use super::trace::Trace;
use crate::units::{Bytes, Rate, Way};
use std::sync::Arc;

/// A probe on the wire: ping's 56 bytes of data.
const PROBE: u32 = 98;

/// One direction of the line: the buffers a packet passes, in its order.
pub type Path = Vec<(Arc<Trace>, link::Character)>;

/// What a world is made of.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The line outwards; the first buffer is the one that is measured.
    pub up: Path,
    /// The line inwards.
    pub down: Path,
    /// The traffic.
    pub flows: Vec<Spec>,
    /// Those who answer probes.
    pub reflectors: Vec<reflector::Character>,
    /// Which qdisc.
    pub engine: Engine,
    /// Which world of all that are like this.
    pub seed: u64,
    /// How long it runs.
    pub length: Span,
}

/// How calls and games fared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calls {
    /// How long half of the datagrams were held up at most, in milliseconds.
    pub p50: f64,
    /// 95 in a hundred.
    pub p95: f64,
    /// 99 in a hundred.
    pub p99: f64,
    /// The share that did not arrive.
    pub lost: f64,
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Upload's score, where there was something to upload.
    pub up: Option<WayScore>,
    /// Download's score.
    pub down: Option<WayScore>,
    /// How calls and games fared, if there were any.
    pub calls: Option<Calls>,
    /// How long the median page or piece of film took, in milliseconds, if there were any.
    pub pages: Option<f64>,
    /// Probes per second.
    pub probes: f64,
    /// What was recorded, outwards and inwards.
    pub records: [Record; 2],
    /// How many events it took.
    pub events: u64,
}

#[derive(Clone, Copy, Debug)]
enum Happening {
    /// A packet comes to a buffer of the line.
    Line(Way, u8, Handle),
    /// A packet comes out of the line at our router.
    Router(Handle),
    /// A packet has come to the far end.
    Far(Handle),
    /// A shaper may let something out.
    Shaper(Way),
    /// A flow wants to be woken.
    Flow(FlowId),
    /// A probe is back.
    Answer(Handle),
    /// The pilot wants to be woken.
    Pilot,
    /// A marker comes to the line's buffers.
    Marker,
}

/// What one direction consists of.
struct Side {
    links: Vec<Link>,
    shaper: Shaper,
    /// For when the shaper's next packet is entered.
    shaper_at: Moment,
    record: Record,
    has_bulk: bool,
    /// Bytes that came out of the line.
    line: u64,
    delivered_before: u64,
    sample: Sample,
    sample_delivered: u64,
}

/// The world.
pub struct World {
    now: Moment,
    agenda: Agenda<Happening>,
    pool: Pool,
    sides: [Side; 2],
    flows: Vec<Flow>,
    reflectors: Vec<Reflector>,
    out: Vec<Packet>,
    pilot_at: Moment,
    probes: u64,
    length: Span,
}

const fn side(way: Way) -> usize {
    match way {
        Way::Up => 0,
        Way::Down => 1,
    }
}

const fn opposite(way: Way) -> Way {
    match way {
        Way::Up => Way::Down,
        Way::Down => Way::Up,
    }
}

impl World {
    /// A world in which nothing has happened yet.
    pub fn new(setup: &Setup) -> Self {
        let queues = setup.flows.len() + setup.reflectors.len();
        let make_side = |way: Way, path: &Path| {
            let links = (0..).zip(path).map(|(n, (trace, character))| {
                let random = Random::new(setup.seed, 0x100 + 0x10 * side(way) as u64 + n);
                Link::new(Arc::clone(trace), character.clone(), random)
            });
            let is_bulk = |spec: &Spec| spec.way == way && !matches!(spec.app, App::Stream { .. });
            Side {
                links: links.collect(),
                shaper: Shaper::new(setup.engine, queues),
                shaper_at: Moment::NEVER,
                record: Record::default(),
                has_bulk: setup.flows.iter().any(is_bulk),
                line: 0,
                delivered_before: 0,
                sample: Sample::default(),
                sample_delivered: 0,
            }
        };
        let flows = (0..).zip(&setup.flows).map(|(id, spec)| Flow::new(id, *spec, setup.seed));
        let reflectors = (0..)
            .zip(&setup.reflectors)
            .map(|(n, character)| Reflector::new(*character, Random::new(setup.seed, 0x200 + n)));
        Self {
            now: Moment::START,
            agenda: Agenda::default(),
            pool: Pool::default(),
            sides: [make_side(Way::Up, &setup.up), make_side(Way::Down, &setup.down)],
            flows: flows.collect(),
            reflectors: reflectors.collect(),
            out: Vec::with_capacity(64),
            pilot_at: Moment::NEVER,
            probes: 0,
            length: setup.length,
        }
    }

    /// Lets everything happen, with `pilot` steering.
    pub fn run(mut self, pilot: &mut dyn Pilot) -> Outcome {
        self.live(pilot);
        self.outcome()
    }

    /// The same, but says how many segments of each flow have arrived.
    #[cfg(test)]
    pub(crate) fn run_and_count(mut self, pilot: &mut dyn Pilot) -> Vec<u64> {
        self.live(pilot);
        self.flows.iter().map(Flow::arrived).collect()
    }

    fn live(&mut self, pilot: &mut dyn Pilot) {
        self.agenda.enter(Moment::START + MARKER, Happening::Marker);
        for id in 0..self.flows.len() as FlowId {
            self.schedule(id);
        }
        self.steer(pilot, Event::Start);
        let end = Moment::START + self.length;
        while let Some((at, happening)) = self.agenda.take() {
            if at > end {
                break;
            }
            self.now = at;
            self.happen(pilot, happening);
        }
    }

    fn happen(&mut self, pilot: &mut dyn Pilot, happening: Happening) {
        match happening {
            Happening::Line(way, hop, packet) => self.offer(way, hop, packet),
            Happening::Router(packet) => {
                let down = &mut self.sides[side(Way::Down)];
                down.line += u64::from(self.pool.get(packet).size);
                down.shaper.enqueue(self.now, &mut self.pool, packet);
                self.kick(Way::Down);
            }
            Happening::Far(packet) => self.at_far_end(packet),
            Happening::Shaper(way) => {
                let side = &mut self.sides[side(way)];
                if side.shaper_at <= self.now {
                    side.shaper_at = Moment::NEVER;
                }
                self.kick(way);
            }
            Happening::Flow(id) => self.wake(id),
            Happening::Answer(packet) => {
                let answer = self.answer(packet);
                self.steer(pilot, answer);
            }
            Happening::Pilot => {
                self.pilot_at = Moment::NEVER;
                let is_due = pilot.deadline().is_some_and(|at| Moment::at(at) <= self.now);
                if is_due {
                    self.steer(pilot, Event::Deadline);
                } else {
                    self.expect(pilot);
                }
            }
            Happening::Marker => self.mark(),
        }
    }

    /// A packet comes to the buffer `hop`.
    fn offer(&mut self, way: Way, hop: u8, handle: Handle) {
        let packet = self.pool.get(handle);
        let reflector = usize::from(packet.flow).checked_sub(self.flows.len());
        let reflector = reflector.and_then(|n| self.reflectors.get(n));
        let is_favoured = reflector.is_some_and(Reflector::is_favoured);
        let side = &mut self.sides[side(way)];
        let Some(link) = side.links.get_mut(usize::from(hop)) else { return };
        let fate =
            if is_favoured { link.favour(self.now, packet.size) } else { link.offer(self.now, packet.size) };
        let Fate::Arrives(at) = fate else {
            self.pool.take(handle);
            return;
        };
        let is_last = usize::from(hop) + 1 == side.links.len();
        let (at, next) = match way {
            _ if !is_last => (at, Happening::Line(way, hop + 1, handle)),
            Way::Down => (at, Happening::Router(handle)),
            Way::Up => (at + self.propagation(packet.flow), Happening::Far(handle)),
        };
        self.agenda.enter(at, next);
    }

    /// How long from our line's end to the flow's far end.
    fn propagation(&self, flow: FlowId) -> Span {
        // Probes travel as far as their reflector says.
        self.flows.get(usize::from(flow)).map_or(Span::ZERO, |flow| Span(flow.spec.distance.0 / 2))
    }

    /// Lets out what a shaper may let out, and enters when to look again.
    fn kick(&mut self, way: Way) {
        while let Some(handle) = self.sides[side(way)].shaper.dequeue(self.now, &mut self.pool) {
            match way {
                Way::Up => self.offer(Way::Up, 0, handle),
                Way::Down => self.at_home(handle),
            }
        }
        let side = &mut self.sides[side(way)];
        if let Some(at) = side.shaper.ready()
            && at < side.shaper_at
        {
            side.shaper_at = at;
            self.agenda.enter(at.max(self.now), Happening::Shaper(way));
        }
    }

    fn at_home(&mut self, handle: Handle) {
        if self.pool.get(handle).kind == Kind::Probe {
            self.agenda.enter(self.now, Happening::Answer(handle));
            return;
        }
        let packet = self.pool.take(handle);
        self.deliver(&packet);
    }

    fn at_far_end(&mut self, handle: Handle) {
        let packet = self.pool.get_mut(handle);
        if packet.kind != Kind::Probe {
            let packet = self.pool.take(handle);
            return self.deliver(&packet);
        }
        let reflector = usize::from(packet.flow) - self.flows.len();
        let reflector = &mut self.reflectors[reflector];
        let Some((out, back)) = reflector.travel(self.now, packet.question) else {
            self.pool.take(handle);
            return;
        };
        packet.shown = reflector.shows(self.now + out);
        self.agenda.enter(self.now + out + back, Happening::Line(Way::Down, 0, handle));
    }

    /// A packet is at the end it was sent to.
    fn deliver(&mut self, packet: &Packet) {
        let mut out = core::mem::take(&mut self.out);
        if let Some(flow) = self.flows.get_mut(usize::from(packet.flow)) {
            flow.take(self.now, packet, &mut out);
        }
        self.emit(packet.flow, out);
    }

    fn wake(&mut self, id: FlowId) {
        let mut out = core::mem::take(&mut self.out);
        let flow = &mut self.flows[usize::from(id)];
        if flow.wake_at <= self.now {
            flow.wake_at = Moment::NEVER;
        }
        flow.wake(self.now, &mut out);
        self.emit(id, out);
    }

    /// Sends what a flow has sent, and enters when to wake it.
    fn emit(&mut self, id: FlowId, mut out: Vec<Packet>) {
        let (data_way, propagation) = (self.flows[usize::from(id)].spec.way, self.propagation(id));
        for packet in out.drain(..) {
            let way = if packet.kind == Kind::Ack { opposite(data_way) } else { data_way };
            let handle = self.pool.put(packet);
            match way {
                Way::Up => self.sides[side(Way::Up)].shaper.enqueue(self.now, &mut self.pool, handle),
                Way::Down => self.agenda.enter(self.now + propagation, Happening::Line(Way::Down, 0, handle)),
            }
        }
        self.out = out;
        self.kick(Way::Up);
        self.schedule(id);
    }

    fn schedule(&mut self, id: FlowId) {
        let flow = &mut self.flows[usize::from(id)];
        let due = flow.due();
        if due < flow.wake_at {
            flow.wake_at = due.max(self.now);
            self.agenda.enter(flow.wake_at, Happening::Flow(id));
        }
    }

    fn answer(&mut self, handle: Handle) -> Event {
        let packet = self.pool.take(handle);
        let reflector = packet.flow - self.flows.len() as FlowId;
        let (sent, received) = (packet.sent.time(), self.now.time());
        let asked = self.reflectors.get_mut(usize::from(reflector));
        let asked = asked.filter(|_| packet.question == Question::Timestamp);
        let one_way = asked.and_then(|reflector| reflector.ways(sent, received, packet.shown));
        Event::Answer { reflector, id: packet.number, sent, received, one_way }
    }

    /// Tells the pilot and does what it says.
    fn steer(&mut self, pilot: &mut dyn Pilot, event: Event) {
        pilot.handle(self.now.time(), event);
        while let Some(action) = pilot.poll() {
            match action {
                Action::ReadCounters => {
                    let counters = Event::Counters {
                        at: self.now.time(),
                        up: self.counters(Way::Up),
                        down: self.counters(Way::Down),
                    };
                    pilot.handle(self.now.time(), counters);
                }
                Action::Probe { reflector, id, question } => self.probe(reflector, id, question),
                Action::SetRates { up, down } => {
                    self.set_rate(Way::Up, up);
                    self.set_rate(Way::Down, down);
                }
            }
        }
        self.expect(pilot);
    }

    /// Enters when the pilot wants to be woken.
    fn expect(&mut self, pilot: &dyn Pilot) {
        let Some(at) = pilot.deadline() else { return };
        // Time goes on, whatever it asks for.
        let at = Moment::at(at).max(self.now + Span::us(1));
        if at < self.pilot_at {
            self.pilot_at = at;
            self.agenda.enter(at, Happening::Pilot);
        }
    }

    fn probe(&mut self, reflector: u16, number: u32, question: Question) {
        if usize::from(reflector) >= self.reflectors.len() {
            return;
        }
        self.probes += 1;
        let flow = self.flows.len() as FlowId + reflector;
        let packet = Packet {
            kind: Kind::Probe,
            ecn: Ecn::Unable,
            flow,
            size: PROBE,
            number,
            question,
            sent: self.now,
            ..Packet::default()
        };
        let handle = self.pool.put(packet);
        self.sides[side(Way::Up)].shaper.enqueue(self.now, &mut self.pool, handle);
        self.kick(Way::Up);
    }

    fn set_rate(&mut self, way: Way, rate: Option<Rate>) {
        let Some(rate) = rate else { return };
        let side = &mut self.sides[side(way)];
        if side.shaper.rate() == Some(rate) {
            return;
        }
        if side.shaper.rate().is_some() {
            side.record.changes += 1;
        }
        side.shaper.set_rate(rate);
        self.kick(way);
    }

    fn counters(&self, way: Way) -> WayCounters {
        let side = &self.sides[side(way)];
        let queues = side.shaper.queues();
        let released = Bytes(side.shaper.released());
        WayCounters {
            released,
            line: match way {
                Way::Up => released,
                Way::Down => Bytes(side.line),
            },
            backlog: Bytes(queues.backlog),
            packets: queues.packets,
            drops: queues.tally.drops,
            marks: queues.tally.marks,
        }
    }

    fn mark(&mut self) {
        let now = self.now;
        for way in Way::ALL {
            let has_demand = self.flows.iter().any(|flow| flow.spec.way == way && flow.has_demand());
            let side = &mut self.sides[side(way)];
            let wait = side.links.iter().map(|link| link.wait(now)).fold(Span::ZERO, |sum, wait| sum + wait);
            let delivered = match way {
                Way::Up => side.links.last_mut().map_or(0, |link| link.sent(now)),
                Way::Down => side.shaper.released(),
            };
            let Some(link) = side.links.first() else { continue };
            if has_demand {
                side.record.capacity += link.trace().bytes_between(now - MARKER, now);
                side.record.delivered += (delivered - side.delivered_before) as f64;
            }
            side.delivered_before = delivered;
            side.record.waits.push(wait.micros().0.min(u64::from(u32::MAX)) as u32);
            side.sample.delay = side.sample.delay.max(wait.as_ms());
            if now.0.is_multiple_of(SAMPLE.0) {
                let kbit = |bytes: f64| bytes * 8.0 / 1000.0 / SAMPLE.as_secs();
                let sample = Sample {
                    capacity: kbit(link.trace().bytes_between(now - SAMPLE, now)),
                    rate: side
                        .shaper
                        .rate()
                        .map_or(f64::INFINITY, |rate| rate.bits_per_sec() as f64 / 1000.0),
                    delivered: kbit((delivered - side.sample_delivered) as f64),
                    delay: side.sample.delay,
                };
                side.record.series.push(sample);
                side.sample_delivered = delivered;
                side.sample = Sample::default();
            }
        }
        self.agenda.enter(now + MARKER, Happening::Marker);
    }

    fn outcome(self) -> Outcome {
        let score = |way: Way| {
            let side = &self.sides[side(way)];
            let link = side.links.first()?;
            side.has_bulk.then(|| side.record.score(link.trace(), self.length))
        };
        let (up, down) = (score(Way::Up), score(Way::Down));
        let mut delays: Vec<u32> = Vec::new();
        let mut waits: Vec<u32> = Vec::new();
        let mut sent = 0;
        for flow in &self.flows {
            let (held_up, of) = flow.datagrams();
            delays.extend(held_up);
            waits.extend(flow.waits());
            sent += of;
        }
        delays.sort_unstable();
        waits.sort_unstable();
        let calls = (sent > 0).then(|| Calls {
            p50: percentile(&delays, 0.50),
            p95: percentile(&delays, 0.95),
            p99: percentile(&delays, 0.99),
            lost: 1.0 - delays.len() as f64 / f64::from(sent),
        });
        let pages = (!waits.is_empty()).then(|| percentile(&waits, 0.50));
        let [up_side, down_side] = self.sides;
        Outcome {
            up,
            down,
            calls,
            pages,
            probes: self.probes as f64 / self.length.as_secs(),
            records: [up_side.record, down_side.record],
            events: self.agenda.entered(),
        }
    }
}
