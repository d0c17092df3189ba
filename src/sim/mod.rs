// SPDX-License-Identifier: Apache-2.0
//! The simulator: a household, weir's shaper and a changing line, packet by packet in virtual time.
//!
//! Host only (feature `sim`). [`world::World`] runs a [`world::Setup`] with a [`pilot::Pilot`] steering; what comes out
//! is judged by [`score`]. [`scenario`] makes worlds of capacity traces, [`baseline`] holds those to beat. Everything
//! repeats for the same seed. `src/bin/weir-sim.rs` is the command.
//!
//! How far to trust it: three runs were made on a real kernel, too, and are tests here (`tests.rs`). cake-autorate on
//! a line of 50, 10 and 50 Mbit/s: use 92.6 % here (mean of eight seeds) and 90.5 to 91.3 there, median wait 41 ms and
//! 38 to 40, drained after 3.2 s and 3.0 to 3.3. Two download queues behind a shaper that is cut step by step: within
//! 15 ms of the 250 and 370 there while they stand, and within a tenth of a second while they drain. What it does not
//! have: a capacity that depends on who asks for it, tenants on a shared cell, GRO and TSO, the time programs take,
//! HTB's classes.
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
pub mod golden;
pub mod link;
mod object;
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
pub mod tape;
pub mod tcp;
pub mod trace;
pub mod whole;
pub mod world;

#[cfg(test)]
mod tests;
