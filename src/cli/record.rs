// SPDX-License-Identifier: Apache-2.0
//! `weir record`: what a line's controller hears and says, for `weir-sim replay`.

use super::{Options, exit_code};
use crate::io::desk;
use std::time::Duration;

/// Unless told otherwise.
const USUAL: Duration = Duration::from_secs(60);

/// Writes to standard output.
pub(crate) fn run(options: &Options) -> u8 {
    if let Some(word) = options.words.get(1) {
        eprintln!("weir: one line at a time; '{word}' is too much");
        return exit_code::USAGE;
    }
    let line = options.words.first().map_or("-", String::as_str);
    let span = options.span.map_or(USUAL, |span| Duration::from_micros(span.0));
    match desk::record(&options.places.state, line, span, &mut std::io::stdout().lock()) {
        Ok(Some(())) => exit_code::OK,
        Ok(None) => {
            eprintln!("weir: no daemon is running here, so there is nothing to record");
            exit_code::FAILED
        }
        // Whoever reads it has enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => exit_code::OK,
        Err(error) => {
            eprintln!("weir: {error}");
            exit_code::FAILED
        }
    }
}
