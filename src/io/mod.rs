// SPDX-License-Identifier: Apache-2.0
//! The thin edge with the outside: sockets, files, clocks, signals. Nothing here decides anything.
//!
//! `run` performs the actions of [`crate::daemon::Daemon`] and brings back events; `netlink` talks to the kernel;
//! `sys` holds the only unsafe code.

pub mod bundle;
pub mod bus;
pub mod clock;
pub mod count;
pub mod desk;
pub mod ears;
pub mod errno;
pub mod evidence;
pub mod files;
pub mod hits;
pub mod log;
pub mod netlink;
pub mod offload;
pub mod privileges;
pub mod probe;
pub mod reactor;
pub mod resolve;
pub mod run;
pub mod sniff;
pub mod sys;
pub mod terminal;
