// SPDX-License-Identifier: Apache-2.0
//! [`Peer`] in the place of the recorded objects: what it writes is what they wrote, byte for byte.

use super::*;

static LAB_C: Object = Object {
    path: "lab.c",
    methods: &[
        Method { name: "poke", arguments: &[] },
        Method { name: "takefd", arguments: &[] },
        Method { name: "givefd", arguments: &[] },
    ],
};

static NO_ARGUMENTS: Object =
    Object { path: "lab.noargs", methods: &[Method { name: "now", arguments: &[] }] };

fn echo(fields: Fields<'_>, out: &mut Writer<'_>) {
    for Field { name, value } in fields {
        match value {
            Value::Null => out.null(name),
            Value::Array(inside) => out.array(name, |out| echo(inside, out)),
            Value::Table(inside) => out.table(name, |out| echo(inside, out)),
            Value::Text(text) => out.text(name, &text),
            Value::Number(number) => out.number(name, number),
            Value::Flag(flag) => out.flag(name, flag),
            Value::Double(bits) => out.double(name, bits),
            Value::Malformed => panic!("{name} is malformed"),
        }
    }
}

fn types(out: &mut Writer<'_>) {
    out.null("null");
    out.flag("bool", true);
    out.flag("no", false);
    out.number("i", -7);
    out.count("big", 5_000_000_000);
    out.number("neg", -5_000_000_000);
    out.double("d", 1.5f64.to_bits());
    out.text("str", &"héllo");
    out.text("empty", &"");
    out.array("arr", |out| {
        out.number("", 1);
        out.text("", &"two");
        out.flag("", false);
        out.null("");
        out.array("", |out| out.double("", 2.5f64.to_bits()));
        out.table("", |out| out.text("k", &"v"));
    });
    out.array("earr", |_| {});
    out.table("tab", |out| out.table("x", |out| out.table("y", |out| out.number("z", 1))));
    out.table("etab", |_| {});
}

/// Does what the recorded objects did; a deferred call goes to `kept`.
fn serve(peer: &mut Peer, kept: &mut Vec<(Call, i64)>, heard: Heard<'_>) {
    let Heard::Call(call, method, fields) = heard else {
        return;
    };
    match method {
        "echo" => peer.answer(call, |out| echo(fields, out)),
        "types" => peer.answer(call, types),
        "later" => kept.push((call, fields.number("ms").expect("a number"))),
        "fail" => peer.finish(call, Status(fields.number("code").expect("a number") as u32)),
        "multi" => {
            assert!(peer.reply(&call, |out| out.number("part", 1)));
            assert!(peer.reply(&call, |out| out.number("part", 2)));
            peer.finish(call, Status::OK);
        }
        "ping" => {
            peer.notify("pinged", |out| out.number("n", 7));
            assert!(peer.reply(&call, |out| {
                out.flag("sent", true);
                out.flag("watched", true);
            }));
            peer.finish(call, Status::OK);
        }
        "poke" => {
            peer.notify("poked", |out| {
                out.number("level", 3);
                out.text("why", &"poked");
            });
            let is_watched = peer.is_watched();
            peer.answer(call, |out| {
                out.number("rc", 0);
                out.flag("watched", is_watched);
            });
        }
        "takefd" => peer.answer(call, |out| {
            out.number("n", 15);
            out.text("data", &"from the caller");
        }),
        "givefd" => peer.answer(call, |out| out.text("note", &"fd follows in STATUS")),
        other => panic!("no method {other} is recorded"),
    }
}

/// What the peer wrote in the place of `name`, and what the recorded client did.
fn replayed(number: &str, name: &str, object: &'static Object, step: usize) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let mut peer = Peer::new(Some(object), &[]);
    let (mut inbox, mut kept) = (Inbox::default(), Vec::new());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    peer.open(NOW);
    for line in connection(number, name) {
        if line.is_from_bus {
            give(&mut peer, &mut inbox, &line.bytes, step, |peer, heard| serve(peer, &mut kept, heard))
                .expect("the real bus is understood");
        } else {
            if ours.len() == theirs.len() && !kept.is_empty() {
                let (call, ms) = kept.remove(0);
                match ms {
                    5000 => peer.finish(call, Status::TIMEOUT),
                    _ => peer.answer(call, |out| out.flag("late", true)),
                }
            }
            theirs.push(line.bytes);
        }
        ours.append(&mut written(&mut peer));
    }
    (ours, theirs)
}

#[test]
fn an_object_answers_every_recorded_call_as_the_recorded_one_did() {
    for (number, object) in
        [("06", &DEMO), ("07", &DEMO), ("08", &DEMO), ("12", &DEMO), ("13", &LAB_C), ("04", &NO_ARGUMENTS)]
    {
        for step in [1, 2, 7, 12, 100_000] {
            let (mut ours, mut theirs) = replayed(number, "c1", object, step);
            match number {
                // Its first object has types weir does not use, its second comes as number two, the first is removed.
                "04" => {
                    theirs = vec![with_seq(&theirs[1], 1)];
                    assert_eq!(theirs[0][..2], [0, 6]);
                }
                // These objects' signatures have types weir does not use.
                "06" | "07" | "08" | "12" => {
                    ours.remove(0);
                    theirs.remove(0);
                }
                _ => {}
            }
            assert!(!theirs.is_empty());
            assert_eq!(ours, theirs, "recording {number} in pieces of {step}");
        }
    }
}

#[test]
fn typed_signatures_are_those_of_libubus() {
    static THREE: Object = Object {
        path: "lab.three",
        methods: &[
            Method { name: "get", arguments: &[("key", Type::Text)] },
            Method {
                name: "set",
                arguments: &[("key", Type::Text), ("value", Type::Number), ("force", Type::Flag)],
            },
        ],
    };
    let (ours, theirs) = replayed("04", "c1", &THREE, 100);
    // Header, path and the head of the signature; then two of the three methods they had.
    assert_eq!(ours[0][32..], theirs[0][32..ours[0].len()]);
    assert_eq!(ours[0].len(), 32 + 0x1c + 0x3c);
}

#[test]
fn listeners_are_told_and_without_them_nothing_is_written() {
    let (ours, mut theirs) = replayed("11", "c1", &LAB_C, 5);
    // The recorded program notified even when nobody listened any more.
    let needless = theirs.remove(4);
    assert_eq!(needless[..4], [0, 10, 0, 3]);
    assert_eq!(ours, theirs);
}

#[test]
fn a_notification_wants_no_replies() {
    let (ours, theirs) = replayed("10", "c1", &DEMO, 5);
    let [_, notification, rest @ ..] = &ours[..] else { panic!("{ours:?}") };
    let mut wanted = theirs[1].clone();
    wanted[11] += 8;
    wanted.extend_from_slice(&[10, 0, 0, 5, 1, 0, 0, 0]);
    assert_eq!(*notification, wanted);
    assert_eq!(rest, &theirs[2..], "replies of subscribers nobody asked for disturb nothing");
}

#[test]
fn a_path_that_is_taken_or_forbidden_is_code_2_and_tried_again_later() {
    for (number, name, object) in [("05", "c2", &DEMO), ("17", "c13", &NO_ARGUMENTS)] {
        let mut peer = Peer::new(Some(object), &[]);
        let (mut inbox, mut heard_all) = (Inbox::default(), Vec::new());
        peer.open(NOW);
        for line in connection(number, name).iter().filter(|line| line.is_from_bus).take(2) {
            give(&mut peer, &mut inbox, &line.bytes, 1, |_, heard| heard_all.push(format!("{heard:?}")))
                .expect("the real bus is understood");
        }
        assert_eq!(heard_all, ["Nothing", "Unnamed(Status(2))"]);
        assert_eq!(written(&mut peer).len(), 1);
        assert_eq!(peer.due(), Some(NOW + Peer::RETRY));
        assert_eq!(peer.expire(NOW), Ok(None));
        assert_eq!(peer.expire(NOW + Peer::RETRY), Ok(Some(Heard::Nothing)));
        let again = written(&mut peer);
        assert_eq!((again.len(), seq_of(&again[0])), (1, 2));
        let data = message(2, 2, 0, &[(3, &[9, 9, 9, 9])]);
        let status = message(1, 2, 0, &[(1, &[0; 4])]);
        give(&mut peer, &mut inbox, &[data, status].concat(), 99, |_, heard| {
            heard_all.push(format!("{heard:?}"));
        })
        .expect("well-formed");
        assert_eq!(heard_all[2..], ["Nothing", "Named"]);
    }
}

#[test]
fn a_call_is_refused_before_it_is_heard_when_an_argument_has_the_wrong_type() {
    let mut peer = Peer::new(Some(&DEMO), &[]);
    let mut inbox = Inbox::default();
    peer.open(NOW);
    named(&mut peer, &mut inbox);
    let unknown = hex("8500000c00017a0000000001");
    let (wrong, unended) = (hex("8500000c0001730000000001"), hex("8300000a0001730068690000"));
    for (data, heard_as, status) in [
        (Some(unknown), "Call", None),
        (Some(hex("8400001000016900000000012a05f200")), "Call", None), // i: 64 bits
        (Some(hex("8600000a00016900ffff0000")), "Call", None),         // i: 16 bits
        (Some(wrong), "Refused(\"echo\", Some(\"s\"))", Some(2)),
        (Some(unended), "Refused(\"echo\", Some(\"s\"))", Some(2)),
        (None, "Refused(\"echo\", None)", Some(2)),
    ] {
        let mut attrs: Vec<(u8, &[u8])> = vec![(3, &[0, 0, 9, 9]), (4, b"echo\0")];
        attrs.extend(data.as_ref().map(|data| (7, &data[..])));
        let call = message(5, 8, 0x7777, &attrs);
        let mut heard_all = Vec::new();
        give(&mut peer, &mut inbox, &call, 3, |_, heard| heard_all.push(format!("{heard:?}")))
            .expect("well-formed");
        assert!(heard_all[0].starts_with(heard_as), "{heard_all:?} should be {heard_as} ({data:02x?})");
        let wanted = status.map(|code| message(1, 8, 0x7777, &[(1, &[0, 0, 0, code]), (3, &[0, 0, 9, 9])]));
        assert_eq!(written(&mut peer), wanted.into_iter().collect::<Vec<_>>());
    }
}

/// Puts the peer's object on the bus as number 0x909.
pub(super) fn named(peer: &mut Peer, inbox: &mut Inbox) {
    let data = message(2, 1, 0, &[(3, &[0, 0, 9, 9])]);
    let status = message(1, 1, 0, &[(1, &[0; 4])]);
    let mut is_named = false;
    give(peer, inbox, &[hello(0x5555), data, status].concat(), 99, |_, heard| {
        is_named |= heard == Heard::Named;
    })
    .expect("well-formed");
    assert!(is_named);
    written(peer);
}

#[test]
fn every_call_gets_one_status_or_none_if_it_wants_none() {
    let mut peer = Peer::new(Some(&DEMO), &[]);
    let mut inbox = Inbox::default();
    peer.open(NOW);
    named(&mut peer, &mut inbox);
    let ours: &[u8] = &[0, 0, 9, 9];
    type Case<'a> = (u32, &'a [(u8, &'a [u8])], Option<u8>);
    let cases: [Case<'_>; 6] = [
        (7, &[(3, ours), (4, b"nope\0"), (7, &[])], Some(3)),
        (7, &[(3, ours), (7, &[])], Some(2)),
        (7, &[(3, &[0, 0, 8, 8]), (4, b"echo\0"), (7, &[])], Some(4)),
        (7, &[(10, &[1]), (3, ours), (4, b"nope\0"), (7, &[])], None),
        (0, &[(3, ours), (4, b"echo\0"), (7, &[])], None),
        (7, &[(4, b"echo\0"), (7, &[])], None),
    ];
    for (client, attrs, status) in cases {
        let call = message(5, 3, client, attrs);
        give(&mut peer, &mut inbox, &call, 99, |_, heard| assert_eq!(heard, Heard::Nothing))
            .expect("well-formed");
        let codes: Vec<u8> = written(&mut peer).iter().map(|status| status[19]).collect();
        assert_eq!(codes, status.into_iter().collect::<Vec<_>>(), "{attrs:?}");
    }
}

#[test]
fn a_call_of_an_earlier_connection_is_not_answered_on_the_next() {
    let mut peer = Peer::new(Some(&DEMO), &[]);
    let mut inbox = Inbox::default();
    let call = message(5, 3, 7, &[(3, &[0, 0, 9, 9]), (4, b"later\0"), (7, &[])]);
    let mut kept = Vec::new();
    peer.open(NOW);
    named(&mut peer, &mut inbox);
    for _ in 0..2 {
        give(&mut peer, &mut inbox, &call, 99, |_, heard| match heard {
            Heard::Call(call, "later", _) => kept.push(call),
            other => panic!("{other:?}"),
        })
        .expect("well-formed");
    }
    peer.close();
    peer.answer(kept.remove(0), |_| panic!("nobody reads this"));
    assert!(written(&mut peer).is_empty());
    assert!(!peer.is_watched());
    inbox = Inbox::default();
    peer.open(NOW);
    named(&mut peer, &mut inbox);
    peer.answer(kept.remove(0), |_| panic!("nobody reads this"));
    assert!(written(&mut peer).is_empty());
}

#[test]
fn an_event_is_sent_as_the_ubus_tool_sends_it() {
    let mut peer = Peer::new(None, &[]);
    let mut inbox = Inbox::default();
    peer.send("daemon.hello", |_| panic!("not connected"));
    peer.open(NOW);
    let lines = connection("17", "c6");
    give(&mut peer, &mut inbox, &lines[0].bytes, 1, |_, _| {}).expect("a greeting");
    peer.send("daemon.hello", |_| {});
    assert_eq!(written(&mut peer), [lines[1].bytes.clone()]);
    give(&mut peer, &mut inbox, &lines[2].bytes, 1, |_, heard| assert_eq!(heard, Heard::Nothing))
        .expect("a status");
}

#[test]
fn what_is_asked_is_done_also_for_who_wants_no_answer_and_of_a_refusal_nothing_half_written_is_sent() {
    let (mut peer, mut inbox) = (Peer::new(Some(&DEMO), &[]), Inbox::default());
    peer.open(NOW);
    named(&mut peer, &mut inbox);
    let asked =
        |silent: &[u8]| message(5, 3, 7, &[(3, &[0, 0, 9, 9]), (4, b"later\0"), (7, &[]), (10, silent)]);
    let mut done = Vec::new();
    for (silent, refuses) in [(1, false), (1, true), (0, false), (0, true)] {
        give(&mut peer, &mut inbox, &asked(&[silent]), 99, |peer, heard| {
            let Heard::Call(call, ..) = heard else { panic!("{heard:?}") };
            let served = peer.serve(call, &mut |out| {
                out.text("half", &"written");
                let refusal = Refusal { status: Status(77), text: "no".into() };
                if refuses { Err(refusal) } else { Ok(()) }
            });
            assert_eq!(served.is_err(), refuses);
        })
        .expect("well-formed");
        let sent = written(&mut peer).concat();
        let has = |text: &[u8]| sent.windows(text.len()).any(|bytes| bytes == text);
        done.push((sent.is_empty(), has(b"written\0"), has(b"error\0")));
    }
    assert_eq!(
        done,
        [(true, false, false), (true, false, false), (false, true, false), (false, false, true)]
    );
}
