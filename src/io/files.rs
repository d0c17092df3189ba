// SPDX-License-Identifier: Apache-2.0
//! Files: the configuration, the state directory and its lock.

use crate::limits;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Reads a file that must not be larger than a configuration can be.
///
/// # Errors
/// The system's; a larger file is `FileTooLarge`.
pub fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limits::CONFIG_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limits::CONFIG_BYTES {
        let text = format!("larger than {} KiB, so it is not a configuration", limits::CONFIG_BYTES / 1024);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}

/// The directory for what must outlive a process but not a reboot.
#[derive(Clone, Debug)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// Uses `path`, which is made when first needed.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Takes the lock that only one process may hold while it changes the kernel.
    ///
    /// # Errors
    /// Who holds it, or why there is no lock to be had.
    pub fn lock(&self) -> io::Result<Flock<File>> {
        fs::create_dir_all(&self.0)?;
        let path = self.0.join("lock");
        let file = OpenOptions::new().create(true).read(true).write(true).truncate(false).open(&path)?;
        // flock ends with the process that held it, so a crash leaves nothing stale.
        let mut lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| match errno {
            Errno::EWOULDBLOCK => {
                let holder = fs::read_to_string(&path).unwrap_or_default();
                let holder = holder.trim();
                io::Error::other(format!(
                    "weir is already at work ({}); to change something, edit the configuration and send it a SIGHUP",
                    if holder.is_empty() { "holder unknown" } else { holder }
                ))
            }
            other => io::Error::from(other),
        })?;
        lock.set_len(0)?;
        write!(lock, "pid {}", std::process::id())?;
        Ok(lock)
    }

    /// Reads a state file; a missing one is empty.
    pub fn read(&self, name: &str) -> String {
        read_bounded(&self.0.join(name))
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .unwrap_or_default()
    }

    /// Writes a state file whole or not at all; an empty text removes it.
    ///
    /// # Errors
    /// The system's.
    pub fn write(&self, name: &str, text: &str) -> io::Result<()> {
        fs::create_dir_all(&self.0)?;
        let path = self.0.join(name);
        if text.is_empty() {
            return match fs::remove_file(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                other => other,
            };
        }
        let fresh = self.0.join(format!(".{name}.new"));
        fs::write(&fresh, text)?;
        fs::rename(fresh, path)
    }
}
