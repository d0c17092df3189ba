// SPDX-License-Identifier: Apache-2.0
//! rtnetlink: one socket for requests, one that listens.

pub mod apply;
pub mod monitor;
pub mod observe;
pub mod sample;
pub mod socket;
