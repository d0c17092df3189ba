// SPDX-License-Identifier: Apache-2.0
//! `weir record`: what a line's controller hears and says, for `weir-sim replay`.

use super::document::tell_of_others;
use super::{Options, exit_code};
use crate::io::{desk, run::signals};
use crate::units::Micros;
use nix::sys::signal::Signal;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// Unless told otherwise.
const USUAL: Micros = Micros::secs(60);

/// Writes to standard output.
pub(crate) fn run(options: &Options) -> u8 {
    let line = options.words.first().map_or("-", String::as_str);
    let span = options.span.unwrap_or(USUAL);
    let began = Instant::now();
    // From here on to be told to end means to say how much there is.
    let recorded = signals(&[Signal::SIGINT, Signal::SIGTERM]).and_then(|signals| {
        let (state, out) = (&options.places.state, &mut std::io::stdout().lock());
        desk::record(state, line, Duration::from_micros(span.0), signals.as_fd(), out)
    });
    match recorded {
        Ok(Some(lines)) => {
            let span = Micros::ms(began.elapsed().as_millis() as u64);
            eprintln!("weir: lines recorded: {lines}, in {span}");
            exit_code::OK
        }
        Ok(None) => {
            tell_of_others(&options.places.state);
            eprintln!("weir: no daemon is running here, so there is nothing to record");
            exit_code::FAILED
        }
        Err(error) => {
            eprintln!("weir: {error}");
            exit_code::FAILED
        }
    }
}
