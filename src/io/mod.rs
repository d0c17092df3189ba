// SPDX-License-Identifier: Apache-2.0
//! The thin edge with the outside: sockets, files, clocks, signals. Nothing here decides anything.
//!
//! `run` performs the actions of [`crate::daemon::Daemon`] and brings back events; `netlink` talks to the kernel;
//! `sys` holds the only unsafe code.

pub mod clock;
pub mod errno;
pub mod files;
pub mod log;
pub mod netlink;
pub mod offload;
pub mod reactor;
pub mod run;
pub mod sniff;
pub mod sys;
