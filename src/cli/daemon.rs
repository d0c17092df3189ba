// SPDX-License-Identifier: Apache-2.0
//! `weir daemon`.

use super::{Options, exit_code};
use crate::daemon::{Daemon, Event, Level};
use crate::io::{log, privileges, run};

/// Runs until told to end.
pub(crate) fn run(options: &Options) -> u8 {
    log::start(!options.is_foreground);
    // The two capabilities for queues and probes are all a daemon that listens to packets should have.
    if let Err(why) = privileges::give_up() {
        log::say(Level::Warning, &format!("cannot give up privileges: {why}"));
    }
    let daemon = Daemon::new(run::lacks(&options.places)).knowing(run::learnt(&options.places));
    run::run(daemon, Event::Start, &options.places, options.is_kept).unwrap_or_else(|error| {
        eprintln!("weir: {error}");
        exit_code::FAILED
    })
}
