// SPDX-License-Identifier: Apache-2.0
//! Which configuration a command is about: the one the running daemon has in force, else the file's.
//!
//! Somebody may have begun the daemon with a file of its own, and a file may have been changed since it was taken, or
//! spoilt: what is in force is then another one than what stands there, and both are told.

use super::{configuration, is_openwrt};
use crate::config::{Config, Fault};
use crate::door::{self, Refusal};
use crate::io::desk;
use crate::io::files::{StateDir, absolute, read_bounded};
use crate::io::run::{IN_FORCE, Places, read_bytes, read_config};
use std::path::PathBuf;
use std::sync::Once;

/// A configuration and what else is known of it.
pub(crate) struct Document {
    /// It.
    pub(crate) config: Config,
    /// What is wrong with it, where it is the file's.
    pub(crate) warnings: Vec<Fault>,
    /// How it differs from what stands in the file, in words; `None`: not at all.
    pub(crate) note: Option<String>,
    /// The lines of the running daemon in its order, which its answers speak of by number; empty: none runs.
    pub(crate) lines: Vec<String>,
}

/// What the running daemon says of its file.
struct Running {
    file: PathBuf,
    /// What it took of that, if it is not without a configuration.
    taken: Option<Vec<u8>>,
}

impl Running {
    /// `None`: no daemon runs, or it may not be asked, or is of an earlier version.
    fn ask(places: &Places) -> Option<Self> {
        let answer = desk::ask(&places.state, "file").ok()?;
        if answer.is_none() {
            tell_of_others(&places.state);
        }
        let answer = answer?;
        let (word, file) = answer.trim_end().split_once(' ')?;
        // An empty file is not kept, and is what there is without one.
        let taken = || read_bounded(&places.state.path(IN_FORCE)).unwrap_or_default();
        Some(Self { file: file.into(), taken: (word == "taken").then(taken) })
    }

    /// What it has in force.
    fn config(&self) -> Option<(Config, Vec<Fault>)> {
        door::load(self.taken.as_ref()?).ok()
    }

    /// Whether the file is the one that is meant.
    fn is_meant(&self, places: &Places) -> bool {
        !places.is_named || absolute(&places.config) == self.file
    }
}

/// Says once that a daemon is at work here that keeps its state elsewhere, so that nobody takes it for gone.
pub(crate) fn tell_of_others(state: &StateDir) {
    static SAID: Once = Once::new();
    if let Some(process) = state.elsewhere() {
        SAID.call_once(|| {
            eprintln!(
                "weir: process {process} is at work here with another state directory; name that by --state-dir to ask it"
            );
        });
    }
}

/// Where the running daemon has its configuration, where no other was named.
pub(crate) fn meant(places: &Places) -> Places {
    let mut places = places.clone();
    if !places.is_named
        && let Some(running) = Running::ask(&places)
        && running.file != places.config
    {
        (places.config, places.is_named) = (running.file, true);
    }
    places
}

/// What is in force, if a daemon runs whose file is the one that is meant; else what the file says.
///
/// # Errors
/// Why there is none.
pub(crate) fn in_force(places: &Places) -> Result<Document, Refusal> {
    let running = Running::ask(places);
    let lines = lines(running.as_ref());
    if let Some(running) = running.filter(|running| running.is_meant(places))
        && let Some((config, warnings)) = running.config()
    {
        let note = difference(places, &running.taken.unwrap_or_default(), &config);
        let warnings = if note.is_none() { warnings } else { Vec::new() };
        return Ok(Document { config, warnings, note, lines });
    }
    let (config, warnings) = read_config(places)?;
    Ok(Document { config, warnings, note: without_file(places), lines })
}

/// What the file says, whatever is in force. What is wrong with it is printed.
///
/// # Errors
/// The exit code.
pub(crate) fn of_file(places: &Places) -> Result<Document, u8> {
    let lines = lines(Running::ask(places).as_ref());
    let (config, _) = configuration(places)?;
    Ok(Document { config, warnings: Vec::new(), note: without_file(places), lines })
}

/// The same as a command prints it that has no place for notes: what is named is read, else it is what is in force.
///
/// # Errors
/// The exit code.
pub(crate) fn chosen(places: &Places) -> Result<(Places, Document), u8> {
    if places.is_named {
        return Ok((places.clone(), of_file(places)?));
    }
    let places = meant(places);
    let document = super::told(&places, in_force(&places))?;
    if let Some(note) = &document.note {
        eprintln!("weir: {note}");
    }
    Ok((places, document))
}

/// That there is no file, so that nobody takes the defaults for what they wrote.
fn without_file(places: &Places) -> Option<String> {
    let is_there = places.is_named || places.config.exists();
    let path = places.config.display();
    (!is_there).then(|| {
        format!("there is no {path}: this is what holds without one, for the default route's network")
    })
}

fn lines(running: Option<&Running>) -> Vec<String> {
    let config = running.and_then(Running::config).map(|(config, _)| config);
    config.into_iter().flat_map(|config| config.wans).map(|wan| wan.name).collect()
}

/// What became of the file since it was taken, if that matters.
fn difference(places: &Places, taken: &[u8], config: &Config) -> Option<String> {
    let path = places.config.display();
    let now = match read_bytes(places) {
        Ok(bytes) => bytes.unwrap_or_default(),
        Err(Refusal::Unreadable(text)) => {
            return Some(format!("{text}; what was read of it before is in force"));
        }
        Err(Refusal::Faults(_)) => return None,
    };
    if now == taken {
        return None;
    }
    match door::load(&now) {
        Err(_) => Some(format!(
            "{path} has faults and is not in force ('weir check {path}' tells them); what the daemon took before is"
        )),
        Ok((other, _)) if other != *config => {
            let reload = if is_openwrt() {
                "'service weir reload' takes it"
            } else {
                "the daemon takes it at a SIGHUP"
            };
            Some(format!("{path} was changed and is not in force yet; {reload}"))
        }
        Ok(_) => None,
    }
}
