// SPDX-License-Identifier: Apache-2.0
//! Counting which rules a device's packets meet: so many at each turn, whatever comes. What waits in the socket's small
//! buffer is looked at in the next turn; what does not fit there passes unseen, which is counted.

use super::sniff::Sniffer;
use crate::classify::packet::parse;
use crate::classify::scheme::Scheme;
use crate::classify::tally::Tally;
use std::io;

/// One device whose packets are counted, both ways.
pub struct Count {
    sniffer: Sniffer,
    header: u16,
    /// What its packets met, by direction.
    pub tallies: [Tally; 2],
    /// The packets that passed.
    pub passed: u64,
    /// Some of them were not looked at.
    pub is_limited: bool,
}

impl Count {
    /// Begins.
    ///
    /// # Errors
    /// The system's.
    pub fn begin(index: u32, header: u16, schemes: &[Scheme<'_>; 2]) -> io::Result<Self> {
        let sniffer = Sniffer::open(index)?;
        let tallies = schemes.each_ref().map(|scheme| Tally::new(scheme.rules.len()));
        Ok(Self { sniffer, header, tallies, passed: 0, is_limited: false })
    }

    /// Looks at what has come, at most `limit` packets.
    pub fn turn(&mut self, schemes: &[Scheme<'_>; 2], limit: u32) {
        for _ in 0..limit {
            // A device that goes down comes back; what was counted stays.
            let Ok(Some((frame, way))) = self.sniffer.receive() else { break };
            let seen = parse(frame, self.header);
            let mut ways = schemes.iter().zip(&mut self.tallies);
            if let Some((scheme, tally)) = ways.find(|(scheme, _)| scheme.way == way) {
                tally.add(scheme, &seen);
            }
        }
        let [passed, missed] = self.sniffer.passed();
        self.passed += u64::from(passed);
        self.is_limited |= missed > 0;
    }
}
