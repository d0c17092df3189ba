// SPDX-License-Identifier: Apache-2.0
//! What `plan` and `status` begin with: the configuration, and the system as it is.

use super::{configuration, exit_code};
use crate::config::Config;
use crate::daemon::Observation;
use crate::io::netlink::observe::{Seen, observe};
use crate::io::netlink::socket::Connection;
use crate::io::run::{Places, lacks, networks};

/// Reads the file and looks at the kernel, with what earlier runs found it to lack. What goes wrong is printed.
///
/// # Errors
/// The exit code.
pub(crate) fn look(places: &Places) -> Result<(Config, Observation, Seen), u8> {
    let (config, _) = configuration(places)?;
    let seen = Connection::open().and_then(|mut connection| observe(&mut connection, networks()));
    let (mut observation, seen) = seen.map_err(|error| {
        eprintln!("weir: cannot look at the system: {error}");
        exit_code::FAILED
    })?;
    observation.world.lacks = lacks(places);
    Ok((config, observation, seen))
}
