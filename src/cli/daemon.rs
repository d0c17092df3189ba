// SPDX-License-Identifier: Apache-2.0
//! `weir daemon`.

use super::{Options, exit_code};
use crate::daemon::{Daemon, Event};
use crate::io::{log, run};

/// Runs until told to end.
pub(crate) fn run(options: &Options) -> u8 {
    log::start(!options.is_foreground);
    run::run(Daemon::new(run::lacks(&options.places)), Event::Start, &options.places, options.is_kept)
        .unwrap_or_else(|error| {
            eprintln!("weir: {error}");
            exit_code::FAILED
        })
}
