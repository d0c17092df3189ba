// SPDX-License-Identifier: Apache-2.0
//! weir keeps a home router's internet line fast *and* responsive.
//!
//! The library is the pure middle of the program and, with feature `std`, its thin edges:
//!
//! ```text
//!  /etc/config/weir ──uci──▶ config ──plan──▶ tc::Tree ──diff──▶ Ops ──▶ io::netlink ──▶ kernel
//!                                                ▲                            │
//!                                                └────────── dump ◀───────────┘
//! ```
//!
//! What decides is a function of what it is given, the time included. What was decided is done in [`io`] alone.
//! Desired, dumped and previous kernel state are one type, [`tc::Tree`]; a roll-back is a diff turned round.
//!
//! Arrows between modules go down only:
//! `io`, `cli` → `daemon` → `tc`, `classify` → `config` → `calendar`, `units`, `limits`. `ubus` and `netifd` are OpenWrt's bus and what
//! comes over it; `netifd` fills the networks of `config`.
#![cfg_attr(not(feature = "std"), no_std)]
extern crate alloc;

pub mod calendar;
pub mod classify;
pub mod config;
pub mod control;
pub mod daemon;
pub mod door;
mod index;
pub mod json;
pub mod limits;
pub mod measure;
pub mod netifd;
pub mod order;
pub mod report;
pub mod scribe;
pub mod steer;
pub mod tape;
pub mod tc;
pub mod text;
pub mod ubus;
pub mod units;
pub mod watch;

#[cfg(feature = "std")]
pub mod cli;
#[cfg(feature = "export")]
pub mod export;
#[cfg(feature = "std")]
pub mod io;
#[cfg(feature = "sim")]
pub mod sim;
