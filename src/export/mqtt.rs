// SPDX-License-Identifier: Apache-2.0
//! MQTT 3.1.1 as far as somebody needs it who only tells: packets as bytes, and topics.
//!
//! Before editing: OASIS MQTT 3.1.1, chapters 2 and 3.

use super::limits::MQTT_PACKET;
use super::metrics::Row;
use super::template::quoted;
use crate::json::Json;
use crate::scribe::Scribe;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What the server is told first.
#[derive(Clone, Copy, Debug)]
pub struct Hello<'a> {
    /// Who we are.
    pub client: &'a str,
    /// Where it says that we are gone, once we are.
    pub will: &'a str,
    /// User and password.
    pub user: Option<(&'a str, &'a str)>,
    /// How long we may be silent, in seconds.
    pub alive: u16,
}

/// What a server says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// We are in, or why not.
    Connected(u8),
    /// A message with this number arrived.
    Acknowledged(u16),
    /// It is there.
    Pong,
    /// What nobody has asked for.
    Other,
}

/// Why a server's answer to [`connect`] is no yes.
pub fn refusal(code: u8) -> &'static str {
    match code {
        1 => "it does not speak MQTT 3.1.1",
        2 => "it does not take our client_id",
        3 => "it is not ready",
        4 => "user or password is wrong",
        5 => "we may not",
        _ => "for a reason nobody knows",
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    // Names and passwords are bounded far below.
    let bytes = text.as_bytes().get(..text.len().min(usize::from(u16::MAX))).unwrap_or_default();
    out.extend((bytes.len() as u16).to_be_bytes());
    out.extend(bytes);
}

fn packet(first: u8, inside: &[u8]) -> Vec<u8> {
    let mut out = alloc::vec![first];
    let mut left = inside.len();
    loop {
        let more = left >= 128;
        out.push((left % 128) as u8 | if more { 128 } else { 0 });
        left /= 128;
        if !more {
            break;
        }
    }
    out.extend(inside);
    out
}

/// CONNECT, with a retained will of `0`.
pub fn connect(hello: &Hello<'_>) -> Vec<u8> {
    let mut inside = Vec::new();
    text(&mut inside, "MQTT");
    // Level 4; clean session, a will of QoS 0 that is retained, user and password.
    inside.extend([4, 0b10_0110 | if hello.user.is_some() { 0b1100_0000 } else { 0 }]);
    inside.extend(hello.alive.to_be_bytes());
    text(&mut inside, hello.client);
    text(&mut inside, hello.will);
    text(&mut inside, "0");
    if let Some((user, password)) = hello.user {
        text(&mut inside, user);
        text(&mut inside, password);
    }
    packet(0x10, &inside)
}

/// PUBLISH; with a number of quality 1, else 0. What is sent once more is so on another connection, where it is new.
pub fn publish(topic: &str, body: &str, is_retained: bool, number: Option<u16>) -> Vec<u8> {
    let mut inside = Vec::new();
    text(&mut inside, topic);
    inside.extend(number.into_iter().flat_map(u16::to_be_bytes));
    inside.extend(body.as_bytes());
    packet(0x30 | if number.is_some() { 2 } else { 0 } | u8::from(is_retained), &inside)
}

/// PINGREQ.
pub const PING: [u8; 2] = [0xc0, 0];
/// DISCONNECT: the will is not told.
pub const GOODBYE: [u8; 2] = [0xe0, 0];

/// Takes what a server said off the front of what was read; `None`: more has to come.
///
/// # Errors
/// That is no MQTT.
pub fn take(read: &mut Vec<u8>) -> Result<Option<Said>, &'static str> {
    let (mut length, mut at) = (0usize, 1);
    loop {
        let Some(byte) = read.get(at) else {
            return if at > 4 { Err("a packet without end") } else { Ok(None) };
        };
        length |= usize::from(byte & 127) << (7 * (at - 1));
        at += 1;
        if byte & 128 == 0 {
            break;
        }
        if at > 4 {
            return Err("a packet without end");
        }
    }
    if length > MQTT_PACKET {
        return Err("a packet larger than any that is meant for us");
    }
    let Some(inside) = read.get(at..at + length) else { return Ok(None) };
    let said = match (read.first().map(|first| first >> 4), inside) {
        (Some(2), [_, code]) => Said::Connected(*code),
        (Some(4), [high, low]) => Said::Acknowledged(u16::from_be_bytes([*high, *low])),
        (Some(13), []) => Said::Pong,
        (Some(2 | 4 | 13), _) => return Err("a packet of the wrong length"),
        _ => Said::Other,
    };
    read.drain(..at + length);
    Ok(Some(said))
}

/// One level of a topic: what separates, stands for others or cannot be there becomes an underscore.
fn level(name: &str) -> String {
    let level: String = name
        .chars()
        .map(|c| if matches!(c, '/' | '+' | '#' | '$') || c.is_control() { '_' } else { c })
        .collect();
    if level.is_empty() { "_".into() } else { level }
}

/// Where a row is told, behind the prefix: `home/upload/class/critical`. The last word is the measure's kind where lines
/// and directions have several.
fn place(row: &Row) -> Option<String> {
    let mut levels: Vec<String> = row.labels.iter().map(|label| level(label)).collect();
    match row.measure.name {
        "weir" => return Some("status".into()),
        "weir_line" => levels.insert(1.min(levels.len()), "line".into()),
        "weir_direction" => {}
        "weir_class" => levels.insert(2.min(levels.len()), "class".into()),
        "weir_schedule" => levels.insert(0, "schedule".into()),
        // Alerts are told one by one, what is of ourselves not at all.
        _ => return None,
    }
    Some(crate::text::joined(&levels, "/"))
}

/// The messages of a reading: a line each of `topic`, a tabulator, and JSON.
pub fn messages(rows: &[Row], prefix: &str, out: &mut String) -> u32 {
    let mut count = 0;
    for row in rows {
        let Some(place) = place(row) else { continue };
        let mut body = String::new();
        let mut json = Json::new(&mut body);
        let scribe: &mut dyn Scribe = &mut json;
        scribe.table("", |out| {
            row.values.iter().for_each(|(metric, value)| out.count(metric.field, *value));
            row.words.iter().for_each(|(key, word)| out.text(key, word));
        });
        // A String takes everything.
        let _ = json.end();
        out.push_str(&format!("{prefix}/{place}\t{body}\n"));
        count += 1;
    }
    count
}

/// The message of an alert that came or went.
pub fn alert(change: &super::alerts::Change, prefix: &str) -> String {
    let mut body = String::from("{");
    for (n, ((name, _), value)) in super::template::FIELDS.iter().zip(&change.values).enumerate() {
        let value = match value {
            super::tree::Tree::Text(text) => quoted(text),
            super::tree::Tree::Number(number) => format!("{number}"),
            _ => "null".into(),
        };
        body.push_str(&format!("{}\"{name}\":{value}", if n > 0 { "," } else { "" }));
    }
    format!("{prefix}/alert\t{body}}}\n")
}

#[cfg(test)]
mod tests {
    use super::super::gather::{self, Past};
    use super::super::metrics::CLASS;
    use super::super::tree::Tree;
    use super::*;

    #[test]
    fn packets_are_as_the_standard_has_them() {
        let hello = Hello { client: "w", will: "weir/online", user: Some(("u", "p")), alive: 60 };
        assert_eq!(
            connect(&hello),
            b"\x10\x23\x00\x04MQTT\x04\xe6\x00\x3c\x00\x01w\x00\x0bweir/online\x00\x010\x00\x01u\x00\x01p"
        );
        assert_eq!(connect(&Hello { user: None, ..hello })[9], 0x26);
        assert_eq!(publish("a/b", "x", false, None), b"\x30\x06\x00\x03a/bx");
        assert_eq!(publish("a", "", true, Some(0x102)), b"\x33\x05\x00\x01a\x01\x02");
        let long = publish("a", &"x".repeat(200), false, None);
        assert_eq!((&long[..3], long.len()), (&[0x30, 0xcb, 1][..], 206));
    }

    #[test]
    fn what_a_server_says_is_taken_piece_by_piece() {
        let mut read = Vec::new();
        let mut heard = Vec::new();
        for byte in b"\x20\x02\x00\x05\x40\x02\x01\x02\xd0\x00\x90\x03\x00\x01\x00" {
            read.push(*byte);
            heard.extend(take(&mut read).expect("MQTT"));
        }
        assert_eq!(heard, [Said::Connected(5), Said::Acknowledged(258), Said::Pong, Said::Other]);
        assert!(read.is_empty());
        for nonsense in
            [&b"\x20\x03\x00\x00\x00"[..], b"\x30\xff\xff\xff\xff", b"\x30\xff\xff\x7f", b"HTTP/1.1 400"]
        {
            let mut read = nonsense.to_vec();
            let is_refused = take(&mut read).is_err() || take(&mut read) == Ok(None);
            assert!(is_refused, "{nonsense:?}");
        }
    }

    #[test]
    fn a_reading_is_a_topic_for_each_thing_and_json_for_its_numbers() {
        let mut out = String::new();
        let count = messages(&gather::rows(&gather::tests::status(), &mut Past::default()), "weir", &mut out);
        assert_eq!(count as usize, out.lines().count());
        let topics: Vec<&str> = out.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(
            topics,
            [
                "weir/status",
                "weir/home/line",
                "weir/home/upload",
                "weir/home/upload/class/critical",
                "weir/home/download",
                "weir/schedule/night"
            ]
        );
        for line in out.lines() {
            Tree::parse(line.split_once('\t').expect("a body").1).expect("JSON");
        }
    }

    #[test]
    fn hostile_names_are_one_level_of_a_topic() {
        let mut out = String::new();
        messages(&[Row::new(&CLASS, &["a/b#", "", "+\t$\n"])], "w", &mut out);
        assert_eq!(out, "w/a_b_/_/class/____\t{}\n");
    }
}
