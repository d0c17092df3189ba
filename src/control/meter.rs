// SPDX-License-Identifier: Apache-2.0
//! The counters of one direction: how much passed lately, what waits, and readings that are none.

use super::event::WayCounters;
use crate::units::{Bytes, Micros, Time};

/// Readings remembered: at twenty a second, most of a second.
const READINGS: usize = 16;
/// This many packets waiting are a queue; fewer are on their way.
const QUEUE: u32 = 3;

/// A rate of which less than this share passes, in per cent, holds nobody back, though a burst waits for a moment.
const WORKED: u64 = 40;

/// One reading.
#[derive(Clone, Copy, Debug, Default)]
struct Reading {
    at: Time,
    released: Bytes,
    line: Bytes,
    packets: u32,
}

/// The readings of one direction.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    /// The newest first.
    readings: [Reading; READINGS],
    count: usize,
}

impl Meter {
    /// Takes a reading. `false`: it does not continue the ones before, so that nothing follows from it but where to
    /// go on: somebody began a counter anew, or time was lost.
    pub fn count(&mut self, at: Time, counters: &WayCounters, longest: Micros) -> bool {
        let WayCounters { released, line, packets, .. } = *counters;
        let last = self.readings[0];
        let continues = self.count == 0
            || (released >= last.released && line >= last.line && at > last.at && at - last.at <= longest);
        if !continues {
            self.count = 0;
        }
        self.readings.rotate_right(1);
        self.readings[0] = Reading { at, released, line, packets };
        self.count = (self.count + 1).min(READINGS);
        continues
    }

    /// When it was read.
    pub fn at(&self) -> Time {
        self.readings[0].at
    }

    /// Whether our shaper holds packets back.
    pub fn has_backlog(&self) -> bool {
        self.readings[0].packets >= QUEUE
    }

    /// Whether it did so in one of the readings of the last `span`.
    pub fn has_waited(&self, span: Micros) -> bool {
        let now = self.readings[0].at;
        self.known().take_while(|reading| now - reading.at <= span).any(|reading| reading.packets >= QUEUE)
    }

    /// Whether it did so in one of the readings of the last `span`, or is used up nearly without a queue.
    pub fn is_pressed(&self, span: Micros, rate: u64) -> bool {
        let Some(pace) = self.leaving(span) else { return self.has_waited(span) };
        pace > rate / 10 * 9 || pace > rate / 100 * WORKED && self.has_waited(span)
    }

    /// What our shaper has let out by `now`, if it goes on as it did: at `rate` while packets wait.
    pub fn released(&self, now: Time, rate: u64) -> Bytes {
        let last = self.readings[0];
        let pace =
            if self.has_backlog() { rate } else { self.leaving(Micros::ms(100)).unwrap_or(0).min(rate) };
        Bytes(last.released.0 + bytes(pace, now - last.at))
    }

    /// Bits per second over the line in the last `span` or a little more.
    pub fn arriving(&self, span: Micros) -> Option<u64> {
        self.pace(span, |reading| reading.line.0)
    }

    /// Bits per second out of our shaper in the last `span` or a little more.
    pub fn leaving(&self, span: Micros) -> Option<u64> {
        self.pace(span, |reading| reading.released.0)
    }

    fn known(&self) -> impl Iterator<Item = &Reading> {
        self.readings.iter().take(self.count)
    }

    fn pace(&self, span: Micros, of: fn(&Reading) -> u64) -> Option<u64> {
        let last = self.readings[0];
        let slack = Micros(span.0 - span.0 / 8);
        let then = self.known().find(|reading| last.at - reading.at >= slack)?;
        Some((of(&last) - of(then)).saturating_mul(8_000_000) / (last.at - then.at).0.max(1))
    }
}

/// How many bytes pass at `rate` in `span`.
pub fn bytes(rate: u64, span: Micros) -> u64 {
    (rate / 8).saturating_mul(span.0) / 1_000_000
}

/// How long `bytes` take at `rate`, in microseconds.
pub fn time(bytes: u64, rate: u64) -> u64 {
    bytes.saturating_mul(8_000_000) / rate.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(kb: u64, packets: u32) -> WayCounters {
        WayCounters { released: Bytes(kb * 1000), line: Bytes(kb * 1000), packets, ..WayCounters::default() }
    }

    fn read(meter: &mut Meter, ms: u64, kb: u64, packets: u32) -> bool {
        meter.count(Time(ms * 1000), &counters(kb, packets), Micros::secs(3))
    }

    #[test]
    fn a_pace_is_that_of_the_span_asked_for() {
        let mut meter = Meter::default();
        for n in 0..10 {
            assert!(read(&mut meter, 50 * n, if n < 8 { 10 * n } else { 70 + 50 * (n - 7) }, 5));
        }
        assert_eq!(meter.arriving(Micros::ms(100)), Some(8_000_000));
        assert_eq!(meter.arriving(Micros::ms(350)), Some(3_428_571));
        assert_eq!(meter.arriving(Micros::secs(2)), None);
        assert_eq!(meter.released(Time(500_000), 8_000_000), Bytes(170_000 + 50_000));
    }

    #[test]
    fn a_counter_that_began_anew_is_not_read() {
        let mut meter = Meter::default();
        assert!(read(&mut meter, 0, 500, 5) && read(&mut meter, 100, 600, 5));
        assert!(!read(&mut meter, 200, 10, 5));
        assert_eq!(meter.arriving(Micros::ms(100)), None);
        assert!(read(&mut meter, 300, 110, 5));
        assert_eq!(meter.arriving(Micros::ms(100)), Some(8_000_000));
    }

    #[test]
    fn lost_time_is_not_read_as_a_slow_line() {
        let mut meter = Meter::default();
        assert!(read(&mut meter, 0, 500, 5) && read(&mut meter, 100, 600, 5));
        assert!(!read(&mut meter, 60_000, 700, 5));
        assert_eq!(meter.arriving(Micros::ms(100)), None);
    }
}
