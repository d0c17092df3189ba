// SPDX-License-Identifier: Apache-2.0
//! Recorded messages, spoilt: nothing panics, nothing grows.

use super::*;
use crate::limits::{UBUS_KEPT, UBUS_OUTPUT};

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    /// Spoils a message a little, its length with most care, so that what follows is reached.
    fn spoil(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..self.roll(4) {
            let at = self.roll(bytes.len());
            match self.roll(6) {
                0 => bytes[at] ^= 1 << self.roll(8),
                1 => bytes[at] = [0, 1, 3, 4, 5, 7, 8, 0x7f, 0x80, 0xff][self.roll(10)],
                2 => bytes.truncate(at.max(12)),
                3 => bytes.insert(at, self.roll(256) as u8),
                4 => bytes.extend_from_within(at..),
                _ => {
                    let word = at & !3;
                    bytes.drain(word..bytes.len().min(word + 4));
                }
            }
            if bytes.len() < 12 {
                *bytes = hello(7);
            }
        }
        if self.roll(20) > 0 {
            let length = bytes.len() as u32 - 8;
            bytes[0] = 0;
            bytes[8..12].copy_from_slice(&length.to_be_bytes());
        }
    }
}

#[test]
fn a_hundred_thousand_spoilt_messages_neither_panic_nor_grow_anything() {
    let messages: Vec<Vec<u8>> = RECORDINGS
        .iter()
        .flat_map(|(number, _)| recording(number))
        .map(|line| line.bytes)
        .filter(|bytes| bytes.len() < 4096)
        .collect();
    let mut dice = Dice(5);
    let mut peer = Peer::new(Some(&DEMO), &["lab.demo", "lab.c"]);
    let mut inbox = Inbox::default();
    let (mut kept, mut largest, mut ticket) = (Vec::new(), 0, 0u16);
    let [mut calls, mut refused, mut told, mut answers, mut lives] = [0u32; 5];
    peer.open(NOW);
    callee::named(&mut peer, &mut inbox);
    for n in 0..100_000u64 {
        let mut bytes = messages[dice.roll(messages.len())].clone();
        // Let it often be about an object, a request or a neighbour there is.
        if dice.roll(2) == 0 && bytes.len() >= 20 && bytes[12] == 3 {
            bytes[16..20].copy_from_slice(&[[0, 0, 9, 9], [0x11, 0x22, 0x33, 0x44]][dice.roll(2)]);
        }
        if dice.roll(2) == 0 {
            bytes[2..4].copy_from_slice(&(dice.roll(12) as u16).to_be_bytes());
        }
        if dice.roll(2) == 0 && [1, 2].contains(&bytes[1]) {
            bytes[2..8].copy_from_slice(&[&ticket.to_be_bytes()[..], &[0, 0, 0x12, 0x34]].concat());
        }
        dice.spoil(&mut bytes);
        let now = Time(n * 1000);
        let mut rest = &bytes[..];
        let fault = loop {
            match inbox.take(&mut rest) {
                Ok(None) => break None,
                Err(fault) => break Some(fault),
                Ok(Some(message)) => match peer.hear(message, now) {
                    Heard::Call(call, _, fields) => {
                        calls += 1;
                        largest = largest.max(shown(fields).len());
                        if kept.len() < 8 { kept.push(call) } else { peer.finish(call, Status::OK) }
                    }
                    Heard::Refused(..) => refused += 1,
                    Heard::Told(_, _, fields) => {
                        (told, largest) = (told + 1, largest.max(shown(fields).len()));
                    }
                    Heard::Answer(_, fields) => {
                        (answers, largest) = (answers + 1, largest.max(shown(fields).len()));
                    }
                    _ => {}
                },
            }
        };
        match dice.roll(6) {
            0 if !kept.is_empty() => {
                let call = kept.remove(dice.roll(kept.len()));
                peer.answer(call, |out| out.count("n", n));
            }
            1 => peer.notify("state", |out| out.count("n", n)),
            2 => {
                let called = peer.call(dice.roll(3), "status", now, |out| out.count("n", n));
                ticket = called.map_or(ticket, |Ticket(seq)| seq);
            }
            3 => drop(peer.output().map(<[u8]>::len).map(|length| peer.sent(dice.roll(length + 2)))),
            _ => {}
        }
        let fault = fault.or_else(|| peer.expire(now).err()).or_else(|| peer.output().err());
        let waiting = peer.output().map_or(0, <[u8]>::len);
        assert!(waiting <= UBUS_OUTPUT && inbox.capacity() <= 2 * UBUS_KEPT);
        if fault.is_some() || n % 500 == 0 {
            lives += 1;
            peer.close();
            while peer.expire(now).expect("closed").is_some() {}
            peer.open(now);
            inbox = Inbox::default();
            let ear = |seq| message(2, seq, 0, &[(3, &[0x11, 0x22, 0x33, 0x44])]);
            let ok = |seq| message(1, seq, 0, &[(1, &[0; 4])]);
            callee::named(&mut peer, &mut inbox);
            give(&mut peer, &mut inbox, &[ear(2), ok(2), added(0x1234, "lab.demo")].concat(), 99, |_, _| {})
                .expect("well-formed");
        }
    }
    // The spoilt messages got somewhere.
    for (what, count) in
        [("calls", calls), ("refused", refused), ("told", told), ("answers", answers), ("lives", lives)]
    {
        assert!(count > 100, "{what}: {count}");
    }
    assert!(largest > 100, "{largest}");
}
