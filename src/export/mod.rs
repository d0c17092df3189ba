// SPDX-License-Identifier: Apache-2.0
//! `weir-export`: what the daemon knows, for InfluxDB, Prometheus, webhooks and MQTT. A program of its own, so that HTTP, TLS
//! and their memory stay out of the daemon, and so that whoever talks to the network has no privileges.
//!
//! ```text
//!  ubus, or lines of JSON ─▶ tree ─▶ gather ─▶ rows ─┬─▶ influx ─────▶ queue ─▶ io::outlet ─▶ io::http
//!                                      │             ├─▶ prometheus ──────────▶ io::serve
//!                                      └─▶ alerts ───┼─▶ template ───▶ queue ─▶ io::outlet ─▶ io::http
//!                                                    └─▶ mqtt ───────▶ queue ─▶ io::mqtt
//! ```
//!
//! What decides takes the time and chance as arguments; sockets, files and clocks are in [`io`] alone. Each outlet that is
//! configured has a thread and a queue of its own, as HTTP by `ureq` waits: an InfluxDB that is slow then keeps neither
//! Prometheus nor a webhook waiting. `metrics` is the one table of all that is told.

pub mod alerts;
pub mod backoff;
pub mod cli;
pub mod config;
pub mod gather;
pub mod gzip;
pub mod health;
pub mod influx;
pub mod io;
pub mod limits;
pub mod metrics;
pub mod mqtt;
pub mod options;
pub mod prometheus;
pub mod queue;
pub mod status;
pub mod template;
pub mod tree;
pub mod web;
