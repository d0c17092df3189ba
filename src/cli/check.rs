// SPDX-License-Identifier: Apache-2.0
//! `weir check`: the configuration's faults, or the configuration as understood.

use super::{Options, exit_code, print, print_faults};
use crate::config::describe::describe;
use crate::door::check;
use crate::io::files::read_bounded;
use crate::io::run::read_config;

/// Checks the file.
pub(crate) fn run(options: &Options) -> u8 {
    let mut places = options.places.clone();
    if let Some(file) = options.words.first() {
        places.config = file.into();
        places.is_named = true;
    }
    let path = places.config.display();
    let result = match read_bounded(&places.config) {
        Ok(bytes) => check(&bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !places.is_named => {
            eprintln!("weir: there is no {path}: the defaults hold");
            read_config(&places)
        }
        Err(error) => {
            eprintln!("weir: cannot read {path}: {error}");
            return exit_code::NO_INPUT;
        }
    };
    match result {
        Ok((config, warnings)) => {
            print_faults(&places, &warnings);
            if options.is_verbose {
                print(&describe(&config));
            }
            exit_code::OK
        }
        Err(faults) => {
            print_faults(&places, &faults);
            exit_code::CONFIG
        }
    }
}
