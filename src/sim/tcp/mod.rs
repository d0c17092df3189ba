// SPDX-License-Identifier: Apache-2.0
//! TCP, packet by packet: what fills lines, and what a shaper has to slow down.
//!
//! Sequence numbers count full segments. Not modelled: the handshake, byte streams, and the peer's receive window
//! beyond a constant.

pub mod bbr;
pub mod cubic;
pub mod law;
pub mod receiver;
pub mod reno;
pub mod sender;

pub use law::{Kind, Window};
pub use receiver::Receiver;
pub use sender::Sender;
