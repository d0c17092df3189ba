// SPDX-License-Identifier: Apache-2.0
//! The outside of `weir-export`: the bus, standard input, HTTP, MQTT, files and clocks. Nothing here decides anything.

pub mod bus;
pub mod fetch;
pub mod files;
pub mod http;
pub mod log;
pub mod mqtt;
pub mod outlet;
pub mod run;
pub mod serve;
