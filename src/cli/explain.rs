// SPDX-License-Identifier: Apache-2.0
//! `weir explain`: which rule places a flow, in which class, and why. Asks the configuration alone, never the kernel.

use super::{Options, configuration, exit_code, print};
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
    match configuration(&options.places) {
        Ok((config, _)) => {
            print(&explain(&config, &flow));
            exit_code::OK
        }
        Err(code) => code,
    }
}
