// SPDX-License-Identifier: Apache-2.0
//! `weir explain`: which rule places a flow, in which class, and why. Asks the configuration alone, never the kernel.

use super::{Options, exit_code, print, print_faults};
use crate::classify::flow;
use crate::io::run::read_config;
use crate::tc::explain::explain;

/// Explains one flow.
pub(crate) fn run(options: &Options) -> u8 {
    let flow = match flow::parse(&options.words.join(" ")) {
        Ok(flow) => flow,
        Err(text) => {
            eprintln!("weir: {text}");
            return exit_code::USAGE;
        }
    };
    let config = match read_config(&options.places) {
        Ok((config, warnings)) => {
            print_faults(&options.places, &warnings);
            config
        }
        Err(faults) => {
            print_faults(&options.places, &faults);
            return exit_code::CONFIG;
        }
    };
    print(&explain(&config, &flow));
    exit_code::OK
}
