// SPDX-License-Identifier: Apache-2.0
//! The recorded traffic of the real bus (`tests/ubus`), with [`Peer`] in the place of one of its clients, and what the
//! recordings have not: silence, slowness, hostility.

mod callee;
mod caller;
mod hostile;
mod stream;

use super::*;
use crate::scribe::Scribe;
use crate::units::Time;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

/// The recordings by their numbers.
const RECORDINGS: [(&str, &str); 17] = [
    ("01", include_str!("../../tests/ubus/01-hello-lookup-all-empty.hex")),
    ("02", include_str!("../../tests/ubus/02-lookup-all.hex")),
    ("03", include_str!("../../tests/ubus/03-lookup-one.hex")),
    ("04", include_str!("../../tests/ubus/04-add-object.hex")),
    ("05", include_str!("../../tests/ubus/05-add-object-duplicate.hex")),
    ("06", include_str!("../../tests/ubus/06-invoke-args.hex")),
    ("07", include_str!("../../tests/ubus/07-invoke-deferred.hex")),
    ("08", include_str!("../../tests/ubus/08-invoke-errors.hex")),
    ("09", include_str!("../../tests/ubus/09-events.hex")),
    ("10", include_str!("../../tests/ubus/10-subscribe-notify.hex")),
    ("11", include_str!("../../tests/ubus/11-notify-noreply.hex")),
    ("12", include_str!("../../tests/ubus/12-object-gone.hex")),
    ("13", include_str!("../../tests/ubus/13-fd-passing.hex")),
    ("14", include_str!("../../tests/ubus/14-monitor.hex")),
    ("15", include_str!("../../tests/ubus/15-wait-for.hex")),
    ("16", include_str!("../../tests/ubus/16-big-message.hex")),
    ("17", include_str!("../../tests/ubus/17-acl-denied.hex")),
];

/// One recorded message.
#[derive(Clone, Debug)]
struct Line {
    connection: &'static str,
    is_from_bus: bool,
    bytes: Vec<u8>,
}

fn recording(number: &str) -> Vec<Line> {
    let (_, text) = RECORDINGS.iter().find(|(name, _)| *name == number).expect("a recording");
    text.lines().skip(1).map(line).collect()
}

fn line(text: &'static str) -> Line {
    let mut words = text.split_whitespace();
    let connection = words.next().expect("a connection");
    let is_from_bus = words.next().expect("a direction") == "<";
    let bytes = words.flat_map(|word| match word.split_once('*') {
        Some((unit, count)) => hex(unit).repeat(count.parse().expect("a count")),
        None => hex(word),
    });
    Line { connection, is_from_bus, bytes: bytes.collect() }
}

fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|n| u8::from_str_radix(&digits[n..n + 2], 16).expect("hex")).collect()
}

/// The messages of one connection.
fn connection(number: &str, name: &str) -> Vec<Line> {
    recording(number).into_iter().filter(|line| line.connection == name).collect()
}

/// Makes a message by hand.
fn message(kind: u8, seq: u16, peer: u32, attrs: &[(u8, &[u8])]) -> Vec<u8> {
    let mut out = outbox::Outbox::default();
    let begun = out.begin(kind, seq, peer);
    for (id, payload) in attrs {
        out.attr(*id, payload);
    }
    out.end(begun);
    out.waiting().to_vec()
}

/// Fields as the payload of an attribute.
fn fields(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = outbox::Outbox::default();
    out.fields(0, write);
    out.waiting()[4..].to_vec()
}

/// The event that an object has come, to the ear 0x11223344.
fn added(id: u32, path: &str) -> Vec<u8> {
    let data = fields(|out| {
        out.number("id", i64::from(id.cast_signed()));
        out.text("path", &path);
    });
    message(5, 9, 0, &[(3, &EAR), (4, b"ubus.object.add\0"), (7, &data)])
}

const EAR: [u8; 4] = [0x11, 0x22, 0x33, 0x44];

fn hello(id: u32) -> Vec<u8> {
    message(inbox::kind::HELLO, 0, id, &[])
}

/// What a peer has written, message by message, as if the socket had taken it.
fn written(peer: &mut Peer) -> Vec<Vec<u8>> {
    let mut rest = peer.output().expect("not lossy").to_vec();
    peer.sent(rest.len());
    let mut all = Vec::new();
    while !rest.is_empty() {
        let length = 8 + u32::from_be_bytes(attr::word(&rest, 8).expect("a head")) as usize;
        assert!(length.is_multiple_of(4), "weir's messages end on a word");
        let later = rest.split_off(length);
        all.push(core::mem::replace(&mut rest, later));
    }
    all
}

fn seq_of(message: &[u8]) -> u16 {
    u16::from_be_bytes(attr::word(message, 2).expect("a header"))
}

fn with_seq(message: &[u8], seq: u16) -> Vec<u8> {
    let mut message = message.to_vec();
    message[2..4].copy_from_slice(&seq.to_be_bytes());
    message
}

/// Fields in one line, to compare and to read.
fn shown(fields: Fields<'_>) -> String {
    let mut out = String::new();
    for (n, Field { name, value }) in fields.enumerate() {
        let comma = if n > 0 { ", " } else { "" };
        let colon = if name.is_empty() { "" } else { ":" };
        write!(out, "{comma}{name}{colon}").expect("a String takes everything");
        match value {
            Value::Array(inside) => write!(out, "[{}]", shown(inside)),
            Value::Table(inside) => write!(out, "{{{}}}", shown(inside)),
            Value::Text(text) => write!(out, "'{text}'"),
            Value::Number(number) => write!(out, "{number}"),
            Value::Flag(flag) => write!(out, "{flag}"),
            Value::Double(bits) => write!(out, "{}", f64::from_bits(bits)),
            Value::Null => write!(out, "null"),
            Value::Malformed => write!(out, "?"),
        }
        .expect("a String takes everything");
    }
    out
}

/// Gives `bytes` to a peer, `step` at a time, and each thing heard to `act`.
fn give(
    peer: &mut Peer,
    inbox: &mut Inbox,
    bytes: &[u8],
    step: usize,
    mut act: impl FnMut(&mut Peer, Heard<'_>),
) -> Result<(), Fault> {
    for mut piece in bytes.chunks(step) {
        while let Some(message) = inbox.take(&mut piece)? {
            let heard = peer.hear(message, NOW);
            act(peer, heard);
        }
    }
    Ok(())
}

const NOW: Time = Time(5_000_000);

/// The object of most recordings.
static DEMO: Object = Object {
    path: "lab.demo",
    methods: &[
        Method {
            name: "echo",
            arguments: &[
                ("s", Type::Text),
                ("i", Type::Number),
                ("b", Type::Flag),
                ("a", Type::Array),
                ("t", Type::Table),
                ("i64", Type::Number),
            ],
        },
        Method { name: "types", arguments: &[] },
        Method { name: "later", arguments: &[("ms", Type::Number)] },
        Method { name: "fail", arguments: &[("code", Type::Number)] },
        Method { name: "multi", arguments: &[] },
        Method { name: "ping", arguments: &[("n", Type::Number)] },
    ],
};
