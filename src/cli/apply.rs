// SPDX-License-Identifier: Apache-2.0
//! `weir apply` and `weir stop`: the daemon's own work, once.

use super::{Options, exit_code, is_openwrt};
use crate::daemon::{Daemon, Event};
use crate::io::run::Places;
use crate::io::{desk, log, run};
use std::io;

/// Brings the kernel to the wanted state.
pub(crate) fn apply(options: &Options) -> u8 {
    let Places { config, is_named, state, .. } = &options.places;
    // Of one that runs it is said how it takes a file.
    let is_alone = || matches!(desk::ask(state, "file"), Ok(None)) && state.elsewhere().is_none();
    if !is_named && !config.exists() && is_alone() {
        // Without speeds there is nothing to shape, and what stands would be removed.
        eprintln!(
            "weir: there is no {}, and without a file only 'weir daemon' can find a line's speed; name one by --config. \
             Nothing is changed; 'weir stop' removes what stands",
            config.display()
        );
        return exit_code::NO_INPUT;
    }
    once(options, Event::Start)
}

/// Removes everything that is ours.
pub(crate) fn stop(options: &Options) -> u8 {
    once(options, Event::Stop { keep: false })
}

fn once(options: &Options, first: Event) -> u8 {
    log::start(false);
    let places = &options.places;
    let is_stop = matches!(first, Event::Stop { .. });
    run::run(Daemon::once(run::lacks(places)), first, places, false).unwrap_or_else(|error| {
        eprintln!("weir: {error}");
        if error.kind() == io::ErrorKind::WouldBlock {
            // One that applies or removes is over in a moment.
            let is_daemon = !matches!(desk::ask(&places.state, "file"), Ok(None));
            let holder = places.state.holder().filter(|_| is_daemon);
            eprintln!("weir: {}", instead(is_stop, holder));
        }
        exit_code::FAILED
    })
}

/// What to do where the daemon is at work: it would put back what another process removed, and takes changes itself.
fn instead(is_stop: bool, daemon: Option<u32>) -> String {
    let Some(holder) = daemon else {
        return "it is not the daemon, so it ends by itself; try again then".into();
    };
    match (is_stop, is_openwrt()) {
        (true, true) => {
            "it would put back what is removed; to end it, which removes everything: service weir stop".into()
        }
        (true, false) => {
            format!(
                "it would put back what is removed; to end it, which removes everything: kill {holder}, or stop its service"
            )
        }
        (false, true) => "it takes a changed configuration with: service weir reload".into(),
        (false, false) => format!("it takes a changed configuration with: kill -HUP {holder}"),
    }
}
