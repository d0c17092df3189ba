// SPDX-License-Identifier: Apache-2.0
//! `weir explain`: which rule places a flow, in which class, and why. Asks the configuration and the
//! daemon, for what it has altered, never the kernel.

use super::document::chosen;
use super::look::altered;
use super::{Options, exit_code, print};
use crate::classify::flow;
use crate::tc::explain::explain;
use crate::text::joined;

/// Explains one flow.
pub(crate) fn run(options: &Options) -> u8 {
    let flow = match flow::parse(&joined(&options.words, " ")) {
        Ok(flow) => flow,
        Err(text) => {
            eprintln!("weir: {text}");
            return exit_code::USAGE;
        }
    };
    match chosen(&options.places) {
        Ok((places, document)) => {
            print(&explain(&altered(&places, document.config), &flow));
            exit_code::OK
        }
        Err(code) => code,
    }
}
