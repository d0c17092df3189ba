// SPDX-License-Identifier: Apache-2.0
//! What the line does, from the outside: probes and what comes back of them, counters and what they grew by.
//!
//! Everything here is told what happened and when. `io` sends, receives and reads counters.

pub mod baseline;
pub mod cookie;
pub mod counters;
pub mod dns;
pub mod icmp;
pub mod probe;
pub mod reflectors;
pub mod stamps;
