// SPDX-License-Identifier: Apache-2.0
//! `weir apply` and `weir stop`: the daemon's own work, once.

use super::{Options, exit_code};
use crate::daemon::{Daemon, Event};
use crate::io::{log, run};

/// Brings the kernel to the wanted state.
pub(crate) fn apply(options: &Options) -> u8 {
    once(options, Event::Start)
}

/// Removes everything that is ours.
pub(crate) fn stop(options: &Options) -> u8 {
    once(options, Event::Stop { keep: false })
}

fn once(options: &Options, first: Event) -> u8 {
    log::start(false);
    run::run(Daemon::once(run::lacks(&options.places)), first, &options.places, false).unwrap_or_else(
        |error| {
            eprintln!("weir: {error}");
            exit_code::FAILED
        },
    )
}
