// SPDX-License-Identifier: Apache-2.0
//! What rules were seen to take on a line since somebody began to ask, for programs.

use crate::classify::scheme::Scheme;
use crate::classify::tally::{Row, Tally};
use crate::config::value::protocol_name;
use crate::scribe::{Scribe, Shape};
use crate::units::{DeviceName, Micros};
use alloc::vec::Vec;

/// The ports no rule knows that are told, of each direction.
const TOP: usize = 8;

/// What was counted on one line.
#[derive(Debug)]
pub struct Hits<'a> {
    /// The line's name.
    pub wan: &'a str,
    /// Where its packets are looked at.
    pub device: DeviceName,
    /// For how long they have been, and will be yet.
    pub span: Micros,
    /// See `span`.
    pub left: Micros,
    /// The packets that passed, of which as many were looked at as there are in the tallies.
    pub passed: u64,
    /// Some passed unseen: there were too many.
    pub is_limited: bool,
    /// What is decided of each direction, and what was.
    pub ways: [(&'a Scheme<'a>, &'a Tally); 2],
}

impl Hits<'_> {
    /// As fields; in the order the rules are looked at, as far as there is room.
    pub fn write(&self, out: &mut dyn Scribe) {
        out.text("wan", &self.wan);
        out.text("device", &self.device);
        out.count("span_us", self.span.0);
        out.count("left_us", self.left.0);
        out.count("packets", self.ways.iter().map(|(_, tally)| tally.total()).sum());
        out.count("passed_packets", self.passed);
        out.flag("limited", self.is_limited);
        out.open("unknown", Shape::Array);
        for (scheme, tally) in self.ways {
            for (protocol, port, packets) in tally.top(TOP) {
                out.table("", |out| {
                    out.text("direction", &scheme.way);
                    out.text("protocol", &protocol_name(protocol));
                    out.maybe_count("remote_port", Some(u64::from(port)).filter(|port| *port > 0));
                    out.count("packets", packets);
                });
            }
        }
        out.close();
        // Numbered as the rules are, those of both directions in a row.
        let (mut rows, mut before) = (Vec::new(), 0);
        for (scheme, tally) in self.ways {
            let hit = tally.rows(scheme).into_iter().filter(|row| row.packets > 0);
            rows.extend(hit.map(|row| (scheme.way, row.place.map(|place| before + place + 1), row)));
            before += scheme.rules.len();
        }
        out.tables("rules", &rows, |out, (way, number, Row { name, class, packets, .. })| {
            out.maybe_count("number", number.map(|number| number as u64));
            out.text("direction", way);
            out.text("rule", name);
            out.text("class", class);
            out.count("packets", *packets);
        });
    }
}
