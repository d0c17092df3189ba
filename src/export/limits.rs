// SPDX-License-Identifier: Apache-2.0
//! Every capacity of `weir-export`, with its reason.

/// Outlets of each kind: one at home, one elsewhere, and two to spare; each is a thread.
pub const OUTLETS: usize = 4;
/// Bytes of a document that is read: twice what the daemon can tell of eight lines at once.
pub const DOCUMENT: usize = 512 * 1024;
/// How deep values may be in each other: the daemon's documents are six deep.
pub const DEPTH: usize = 24;
/// Rows that are kept of one reading: eight lines with twelve classes in both directions, and what is told besides.
pub const ROWS: usize = 512;
/// Bytes a queue holds unless told otherwise: ten minutes of one line, with readings in 10 s. A server that is started anew
/// loses nothing by it, and four of them take no more than a router can spare.
pub const QUEUE: usize = 256 * 1024;
/// Portions a queue holds, whatever their size: alerts of a week, readings of hours.
pub const PORTIONS: usize = 4096;
/// Bytes of one request before it is packed: InfluxDB 2 takes 50 MB, a router has none to spare; 120 readings of one line.
pub const REQUEST: usize = 512 * 1024;
/// Bytes of a body below which packing saves less than it costs: it would be one packet anyway.
pub const GZIP: usize = 1024;
/// Bytes that are read of an answer: enough of a sentence that says what is wrong.
pub const ANSWER: usize = 1024;
/// Bytes of an HTTP request to our own door, with its headers.
pub const ASKED: usize = 8 * 1024;
/// Deliveries whose duration is known for p95: a ring of five minutes at one in five seconds.
pub const DURATIONS: usize = 64;
/// Alerts that are remembered: the daemon has sixteen at once.
pub const ALERTS: usize = 64;
/// Bytes of a token, password or secret, and of what one is sent with.
pub const SECRET: usize = 4096;
/// Bytes of a file of certificates: all the authorities that Debian knows are 220 KB.
pub const CERTIFICATES: usize = 1024 * 1024;
/// Headers of one webhook.
pub const HEADERS: usize = 16;
/// Bytes of one MQTT packet that is read: a server sends acknowledgements alone.
pub const MQTT_PACKET: usize = 1024;
/// Bytes of a thread's stack: deflate moves its 200 KB over it where the compiler does not optimise; only what is touched
/// is taken.
pub const STACK: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::health::Health;
    use crate::export::metrics::{EXPORT, Row};
    use crate::export::{config, gather, influx, mqtt, options};

    /// Bytes of a reading for InfluxDB and for MQTT, of one line with four classes in both directions.
    fn reading() -> [usize; 2] {
        let (status, mut past) = gather::tests::busy();
        let told = gather::rows(&status, &mut past);
        let counts = ["up", "readings", "failed_readings"];
        let mut rows =
            vec![counts.iter().fold(Row::new(&EXPORT, &[]), |row, name| row.with(name, Some(123_456)))];
        let mut health = Health::default();
        (health.sent, health.body_bytes, health.saved_bytes) = (12_345_678, 1_234_567_890, 1_123_456_789);
        health.took(crate::units::Micros(123_456));
        rows.push(health.row("influx"));
        rows.extend(told.iter().cloned());
        let [mut points, mut messages] = [String::new(), String::new()];
        assert_eq!(influx::write(&rows, "OpenWrt", 1_796_072_645_000, &mut points), 20);
        mqtt::messages(&told, "weir", &mut messages);
        [points.len(), messages.len()]
    }

    #[test]
    fn an_outage_is_bridged_for_as_long_as_the_documentation_says_and_not_for_15_minutes() {
        let (config, _) = config::load(b"").expect("no faults");
        let seconds = (config.interval.0 / 1_000_000) as usize;
        let [influx, mqtt] = reading().map(|bytes| QUEUE / bytes * seconds / 60);
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/export.md");
        let text = std::fs::read_to_string(path).expect("the documentation");
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let claim = format!(
            "(`queue`, {} KB: {influx} minutes of one line with four classes for InfluxDB, {mqtt} for MQTT)",
            QUEUE / 1024
        );
        assert!(words.contains(&claim), "docs/export.md does not say: {claim}");
        assert!(REQUEST / reading()[0] >= 120, "{:?}", reading());
    }

    #[test]
    fn the_default_that_is_shown_is_the_one_that_holds() {
        let row = options::OPTIONS.iter().find(|row| row.name == "queue").expect("the option");
        assert_eq!(row.default, format!("{}k", QUEUE / 1024));
    }
}
