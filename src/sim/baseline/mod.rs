// SPDX-License-Identifier: Apache-2.0
//! Those to beat: no shaper, fixed rates, the two programs people use, and two who know the capacity.

pub mod cake_autorate;
pub mod fixed;
pub mod oracle;
pub mod sqm_autorate;

use super::clock::Span;
use super::roster::Entry;
use super::world::Setup;
use crate::units::Rate;

/// The rates someone has set by hand, in kbit/s: here from the trace itself, so better than anybody could.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandSet {
    /// A tenth of the median capacity.
    pub min: u64,
    /// Six tenths of it.
    pub base: u64,
    /// What is exceeded a twentieth of the time, and a twentieth more.
    pub max: u64,
}

impl HandSet {
    /// The rates for both ways.
    pub fn of(setup: &Setup) -> [Self; 2] {
        [&setup.up, &setup.down].map(|path| {
            let quantile = |q| path.first().map_or(0.0, |(trace, _)| trace.quantile(q));
            let part = |share: f64, q| ((share * quantile(q)) as u64).max(100);
            Self { min: part(0.1, 0.5), base: part(0.6, 0.5), max: part(1.05, 0.95) }
        })
    }
}

const fn kbit(n: u64) -> Rate {
    Rate::bits(n * 1000)
}

/// All of them, in the order of the table.
pub const BASELINES: &[Entry] = &[
    Entry { name: "none", help: "no shaper at all", make: |_| Box::new(fixed::Fixed::none()) },
    Entry {
        name: "fixed-p10",
        help: "the rate the line exceeds nine tenths of the time",
        make: |setup| Box::new(fixed::Fixed::of(setup, |trace| trace.quantile(0.1))),
    },
    Entry {
        name: "fixed-0.8mean",
        help: "eight tenths of the mean capacity",
        make: |setup| Box::new(fixed::Fixed::of(setup, |trace| 0.8 * trace.mean())),
    },
    Entry {
        name: "cake-autorate",
        help: "cake-autorate with fping: half the round trip counts for each way",
        make: |setup| Box::new(cake_autorate::CakeAutorate::new(setup, false)),
    },
    Entry {
        name: "cake-autorate-owd",
        help: "cake-autorate with true one-way delays",
        make: |setup| Box::new(cake_autorate::CakeAutorate::new(setup, true)),
    },
    Entry {
        name: "sqm-autorate",
        help: "sqm-autorate, which needs true one-way delays",
        make: |setup| Box::new(sqm_autorate::SqmAutorate::new(setup)),
    },
    Entry {
        name: "oracle",
        help: "knows the capacity: 98 per cent of it at every moment",
        make: |setup| Box::new(oracle::Oracle::new(setup, Span::ZERO)),
    },
    Entry {
        name: "oracle-late",
        help: "knows what the capacity was 100 ms ago",
        make: |setup| Box::new(oracle::Oracle::new(setup, Span::ms(100))),
    },
];
