// SPDX-License-Identifier: Apache-2.0
//! The stream itself: where messages end, what ends the connection, and a bus that is silent or slow.

use super::*;
use crate::limits::{UBUS_KEPT, UBUS_MESSAGE, UBUS_OUTPUT};
use crate::units::Micros;

/// The messages in `bytes`, given `step` at a time.
fn cut(bytes: &[u8], step: usize) -> Result<Vec<(u8, u16, u32, bool)>, Fault> {
    let (mut inbox, mut all) = (Inbox::default(), Vec::new());
    for mut piece in bytes.chunks(step) {
        while let Some(one) = inbox.take(&mut piece)? {
            all.push((one.kind, one.seq, one.peer, one.is_cut));
        }
    }
    Ok(all)
}

/// Writes attributes and fields again as they were read.
fn again(bytes: &[u8], is_fields: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for attr in (attr::Attrs { rest: bytes }) {
        let id = attr.id | if attr.is_extended { attr::EXTENDED } else { 0 };
        let head = u32::from_be_bytes([id, 0, 0, 0]) | (4 + attr.payload.len() as u32);
        let nests = if is_fields { [1, 2].contains(&attr.id) } else { [6, 7].contains(&attr.id) };
        let name = match attr.payload {
            [n0, n1, ..] if is_fields => {
                (usize::from(u16::from_be_bytes([*n0, *n1])) + 3).next_multiple_of(4)
            }
            _ => 0,
        };
        out.extend_from_slice(&head.to_be_bytes());
        out.extend_from_slice(&attr.payload[..name]);
        let value = &attr.payload[name..];
        if nests {
            out.append(&mut again(value, true));
        } else {
            out.extend_from_slice(value);
        }
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out
}

#[test]
fn every_recorded_message_is_cut_out_and_read_whole_in_pieces_of_any_size() {
    for (number, _) in RECORDINGS {
        let lines = recording(number);
        let all: Vec<u8> = lines.iter().flat_map(|line| line.bytes.clone()).collect();
        let wanted: Vec<_> = lines
            .iter()
            .map(|line| {
                let peer = u32::from_be_bytes(attr::word(&line.bytes, 4).expect("a header"));
                (line.bytes[1], seq_of(&line.bytes), peer, line.bytes.len() > UBUS_KEPT)
            })
            .collect();
        for step in [1, 8, 12, 13, 4096, all.len()] {
            assert_eq!(cut(&all, step).as_ref(), Ok(&wanted), "recording {number} in pieces of {step}");
        }
        // Monitor's messages have attributes of their own, and the tool's request to it is junk.
        for line in lines.iter().filter(|_| !["14", "17"].contains(&number)) {
            assert_eq!(again(&line.bytes[12..], false), line.bytes[12..], "recording {number}");
        }
    }
}

#[test]
fn the_next_message_begins_right_behind_an_unpadded_length() {
    let odd = hex("00010002000000000000000701020304"); // 7 of 4: fifteen bytes, and the next one's first
    let bytes = [&odd[..15], &hello(9)].concat();
    for step in [1, 15, 16, 99] {
        assert_eq!(cut(&bytes, step), Ok(vec![(1, 2, 0, false), (0, 0, 9, false)]), "in pieces of {step}");
    }
}

#[test]
fn lengths_that_cannot_be_and_other_versions_end_the_connection() {
    for (bytes, fault, text) in [
        ("000000000000000900000003", Fault::Length(3), "ubus: message of 3 bytes"),
        ("000000000000000900000000", Fault::Length(0), "ubus: message of 0 bytes"),
        ("000000000000000900100001", Fault::Length(1_048_577), "ubus: message of 1048577 bytes"),
        ("010000000000000900000004", Fault::Version(1), "ubus: message of version 1"),
    ] {
        assert_eq!(cut(&hex(bytes), 1), Err(fault));
        assert_eq!(format!("{fault}"), text);
    }
}

#[test]
fn what_is_announced_costs_nothing_and_what_is_too_large_is_read_past() {
    let mut inbox = Inbox::default();
    assert!(inbox.take(&mut &hex("00050001000000070010000003000008")[..]).expect("allowed").is_none());
    assert!(inbox.capacity() < 100);
    let rest = vec![0; UBUS_MESSAGE];
    let mut bytes = &rest[..UBUS_MESSAGE - 8];
    assert!(inbox.take(&mut bytes).expect("allowed").expect("whole").is_cut);
    assert!(bytes.is_empty() && inbox.capacity() <= 2 * UBUS_KEPT);
    assert!(!inbox.take(&mut &hello(9)[..]).expect("allowed").expect("whole").is_cut);
    assert!(inbox.capacity() < 100, "the room is given back");
}

#[test]
fn a_question_too_large_to_keep_is_refused_with_code_11() {
    let mut peer = Peer::new(Some(&DEMO), &[]);
    let mut inbox = Inbox::default();
    peer.open(NOW);
    callee::named(&mut peer, &mut inbox);
    let [_, _, _, _, call, ..] = &connection("16", "c1")[..] else { panic!("recorded") };
    let mut call = call.bytes.clone();
    call[16..20].copy_from_slice(&[0, 0, 9, 9]);
    let small = message(5, 4, 7, &[(3, &[0, 0, 9, 9]), (4, b"nope\0"), (7, &[])]);
    give(&mut peer, &mut inbox, &[call, small].concat(), 4096, |_, heard| assert_eq!(heard, Heard::Nothing))
        .expect("well-formed");
    let codes: Vec<u8> = written(&mut peer).iter().map(|status| status[19]).collect();
    assert_eq!(codes, [11, 3]);
}

#[test]
fn unknown_messages_and_attributes_are_passed_over() {
    let mut peer = Peer::new(Some(&DEMO), &[]);
    let mut inbox = Inbox::default();
    peer.open(NOW);
    callee::named(&mut peer, &mut inbox);
    let call = message(5, 4, 7, &[(99, b"x"), (3, &[0, 0, 9, 9]), (4, b"types\0"), (3, &[1]), (7, &[])]);
    let bytes = [message(200, 1, 1, &[]), hello(1), message(11, 1, 1, &[(0, &[1])]), call].concat();
    let mut calls = 0;
    give(&mut peer, &mut inbox, &bytes, 1, |_, heard| calls += usize::from(matches!(heard, Heard::Call(..))))
        .expect("well-formed");
    assert_eq!(calls, 1);
}

#[test]
fn a_bus_that_does_not_greet_or_answer_is_given_up() {
    let mut peer = Peer::new(Some(&DEMO), &[]);
    peer.open(NOW);
    assert_eq!(peer.due(), Some(NOW + Peer::PATIENCE));
    assert_eq!(peer.expire(NOW + Micros::secs(9)), Ok(None));
    assert_eq!(peer.expire(NOW + Peer::PATIENCE), Err(Fault::Silent));
    peer.close();
    assert_eq!((peer.due(), peer.expire(NOW)), (None, Ok(None)));

    peer.open(NOW);
    give(&mut peer, &mut Inbox::default(), &hello(9), 99, |_, _| {}).expect("a greeting");
    peer.sent(usize::MAX);
    assert_eq!(peer.expire(NOW + Peer::PATIENCE), Err(Fault::Silent));
}

#[test]
fn a_bus_that_does_not_read_is_given_up_and_never_grows_the_queue() {
    let mut peer = Peer::new(Some(&DEMO), &[]);
    let mut inbox = Inbox::default();
    peer.open(NOW);
    callee::named(&mut peer, &mut inbox);
    assert_eq!(peer.expire(NOW), Ok(None));
    peer.send("weir.alert", |_| {});
    assert_eq!(peer.expire(NOW), Ok(None));
    assert_eq!(peer.due(), Some(NOW + Peer::PATIENCE));
    peer.sent(1);
    assert_eq!(peer.expire(NOW + Micros::secs(5)), Ok(None), "some of it was read");
    assert_eq!(peer.expire(NOW + Micros::secs(15)), Err(Fault::Slow));
    let mut sent = 0;
    while peer.output().is_ok() {
        peer.send("weir.alert", |out| out.text("what", &"the line is down"));
        sent += 1;
        assert!(
            peer.output().is_err() || peer.is_ready() == (peer.output().expect("ok").len() < UBUS_OUTPUT / 2)
        );
    }
    assert!((400..1000).contains(&sent), "{sent}");
    assert_eq!(peer.output(), Err(Fault::Slow));
    peer.sent(usize::MAX);
    assert_eq!(peer.output(), Err(Fault::Slow), "an event is missing, so the connection is of no use");
}

#[test]
fn an_answer_that_is_too_large_is_taken_back_and_code_11_sent() {
    let mut peer = Peer::new(Some(&DEMO), &[]);
    let mut inbox = Inbox::default();
    peer.open(NOW);
    callee::named(&mut peer, &mut inbox);
    let call = message(5, 4, 7, &[(3, &[0, 0, 9, 9]), (4, b"types\0"), (7, &[])]);
    give(&mut peer, &mut inbox, &call, 99, |peer, heard| {
        let Heard::Call(call, ..) = heard else { panic!("{heard:?}") };
        peer.answer(call, |out| {
            for n in 0..100_000 {
                out.array("rows", |out| out.count("", n));
            }
        });
    })
    .expect("well-formed");
    assert_eq!(written(&mut peer), [message(1, 4, 7, &[(1, &[0, 0, 0, 11]), (3, &[0, 0, 9, 9])])]);
}

#[test]
fn what_is_written_in_pieces_of_any_size_stays_whole() {
    for step in 1..24 {
        let mut peer = Peer::new(Some(&DEMO), &["network.interface"]);
        peer.open(NOW);
        give(&mut peer, &mut Inbox::default(), &hello(9), 99, |_, _| {}).expect("a greeting");
        let mut all = Vec::new();
        let mut events = 10;
        while let Some(piece) = peer.output().ok().filter(|out| !out.is_empty()) {
            let piece = &piece[..step.min(piece.len())];
            all.extend_from_slice(piece);
            let count = piece.len();
            peer.sent(count);
            if events > 0 {
                events -= 1;
                peer.send("weir.alert", |out| out.flag("f", true));
            }
        }
        let kinds: Vec<u8> = cut(&all, 5).expect("well-formed").iter().map(|one| one.0).collect();
        assert_eq!(kinds, [6, 6, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5], "in pieces of {step}");
    }
}
