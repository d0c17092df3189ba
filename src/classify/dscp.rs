// SPDX-License-Identifier: Apache-2.0
//! Which of the four default classes a packet's own DSCP asks for.
//!
//! After RFC 4594 (service classes), RFC 8325 (their use on Wi-Fi) and RFC 8622 (LE). What is not named here says
//! nothing about haste and goes where everything else goes.

use crate::units::Dscp;

/// A run of code points and the class that serves them.
pub struct Row {
    /// The first code point.
    pub first: u8,
    /// The last code point.
    pub last: u8,
    /// The class's name; without a class of this name the default class serves them.
    pub class: &'static str,
}

/// The table, in rising order of code points.
pub const TABLE: &[Row] = &[
    Row { first: 1, last: 1, class: "low" },        // LE
    Row { first: 8, last: 8, class: "low" },        // CS1
    Row { first: 18, last: 18, class: "high" },     // AF21: low-latency data
    Row { first: 20, last: 20, class: "high" },     // AF22
    Row { first: 22, last: 22, class: "high" },     // AF23
    Row { first: 24, last: 24, class: "high" },     // CS3: broadcast video
    Row { first: 26, last: 26, class: "high" },     // AF31: multimedia streaming
    Row { first: 28, last: 28, class: "high" },     // AF32
    Row { first: 30, last: 30, class: "high" },     // AF33
    Row { first: 32, last: 32, class: "high" },     // CS4: real-time interactive
    Row { first: 34, last: 34, class: "high" },     // AF41: video calls
    Row { first: 36, last: 36, class: "high" },     // AF42
    Row { first: 38, last: 38, class: "high" },     // AF43
    Row { first: 40, last: 40, class: "critical" }, // CS5: signalling
    Row { first: 44, last: 44, class: "critical" }, // VA: admitted voice
    Row { first: 45, last: 45, class: "high" },     // NQB: sparse, non-queue-building
    Row { first: 46, last: 46, class: "critical" }, // EF: voice
    Row { first: 48, last: 48, class: "critical" }, // CS6: network control
    Row { first: 56, last: 56, class: "critical" }, // CS7
];

/// The name of the class for `dscp`; `None`: it asks for nothing.
pub fn class_of(dscp: Dscp) -> Option<&'static str> {
    TABLE.iter().find(|row| (row.first..=row.last).contains(&dscp.get())).map(|row| row.class)
}
