// SPDX-License-Identifier: Apache-2.0
//! The simulator: a household, weir's shaper and a changing line, packet by packet in virtual time.
//!
//! Host only (feature `sim`). [`world::World`] runs a [`world::Setup`] with a [`pilot::Pilot`] steering; what comes out
//! is judged by [`score`]. [`scenario`] makes worlds of capacity traces, [`baseline`] holds those to beat. Everything
//! repeats for the same seed. `src/bin/weir-sim.rs` is the command.
//!
//! Floats are fine here: nothing of this runs on a router. They make the last digit a matter of the machine's
//! mathematical library, so figures repeat on one machine, and nearly so on another.
#![expect(clippy::float_arithmetic, reason = "never runs on a router")]
#![expect(
    clippy::indexing_slicing,
    reason = "indices come from the simulator's own tables; a panic here ends a simulation, not a router"
)]

pub mod agenda;
pub mod baseline;
pub mod cli;
pub mod clock;
pub mod codel;
pub mod flow;
pub mod fq;
pub mod link;
pub mod packet;
pub mod pilot;
pub mod plot;
pub mod random;
pub mod ranges;
pub mod reflector;
pub mod roster;
pub mod scenario;
pub mod score;
pub mod shaper;
pub mod sweep;
pub mod table;
pub mod tcp;
pub mod trace;
pub mod world;

#[cfg(test)]
mod tests;
