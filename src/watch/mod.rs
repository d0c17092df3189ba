// SPDX-License-Identifier: Apache-2.0
//! Watching over what weir stands on: what silently defeats shaping, and how to tell others of it.
//!
//! `evidence` is what was read, `doctor` the table of checks and what they found, `checks` the checks themselves, `blank`
//! takes addresses and names out of a text that others will read. Reading is `io::evidence`'s.
//!
//! `history` is what a line did lately, `page` a part of it for readers, `mini` the numbers it is kept in, `archive` the
//! file that keeps it over a reboot. `moment` is how everything stands, `top` what of both is shown in a
//! window, `picture` what a browser shows.

pub mod alert;
pub mod archive;
pub mod blank;
pub mod checks;
pub mod deed;
pub mod doctor;
pub mod evidence;
pub mod history;
pub mod mini;
pub mod moment;
pub mod page;
pub mod picture;
pub mod sla;
#[cfg(test)]
mod tests;
pub mod top;
