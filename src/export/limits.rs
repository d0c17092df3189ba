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
/// Portions a queue holds, whatever their size: alerts of a week, readings of hours.
pub const PORTIONS: usize = 4096;
/// Bytes of one request before it is packed: InfluxDB 2 takes 50 MB, a router has none to spare; 300 readings of one line.
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
/// Headers of one webhook.
pub const HEADERS: usize = 16;
/// Bytes of one MQTT packet that is read: a server sends acknowledgements alone.
pub const MQTT_PACKET: usize = 1024;
/// Bytes of a thread's stack: deflate moves its 200 KB over it where the compiler does not optimise; only what is touched
/// is taken.
pub const STACK: usize = 1024 * 1024;
