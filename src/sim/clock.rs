// SPDX-License-Identifier: Apache-2.0
//! Virtual time: moments and spans in nanoseconds.
//!
//! The router's own types count microseconds, which is too coarse here: at 100 Mbit/s a packet takes 120 of them and
//! the rounding alone would move a rate by half a per cent.

use crate::units::{Micros, Time};
use core::ops::{Add, AddAssign, Sub};

/// A length of virtual time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub u64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// Makes a span from microseconds.
    pub const fn us(n: u64) -> Self {
        Self(n * 1_000)
    }

    /// Makes a span from milliseconds.
    pub const fn ms(n: u64) -> Self {
        Self(n * 1_000_000)
    }

    /// Makes a span from seconds.
    pub const fn secs(n: u64) -> Self {
        Self(n * 1_000_000_000)
    }

    /// Makes a span from a fractional number of seconds; nothing below zero.
    pub fn from_secs(n: f64) -> Self {
        Self((n * 1e9).max(0.0) as u64)
    }

    /// The length in seconds.
    pub const fn as_secs(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The length in milliseconds.
    pub const fn as_ms(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The length as the router counts it.
    pub const fn micros(self) -> Micros {
        Micros(self.0 / 1_000)
    }

    /// `n` times as long.
    pub const fn times(self, n: u64) -> Self {
        Self(self.0 * n)
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

/// A moment of virtual time, counted from the beginning of the world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub u64);

impl Moment {
    /// The beginning.
    pub const START: Self = Self(0);
    /// Later than anything that happens.
    pub const NEVER: Self = Self(u64::MAX);

    /// The same moment on the router's clock.
    pub const fn time(self) -> Time {
        Time(self.0 / 1_000)
    }

    /// The moment the router's clock calls `time`.
    pub const fn at(time: Time) -> Self {
        Self(time.0.saturating_mul(1_000))
    }
}

impl Add<Span> for Moment {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Moment {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Sub for Moment {
    type Output = Span;
    fn sub(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}
