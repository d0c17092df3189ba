// SPDX-License-Identifier: Apache-2.0
//! Files: the configuration, the state directory and its lock.

use crate::limits;
use crate::text;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::ffi::OsStr;
use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Reads a file that must not be larger than a configuration can be.
///
/// # Errors
/// The system's; a larger file is `FileTooLarge`.
pub fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let bytes = read_all(File::open(path)?.as_fd(), limits::CONFIG_BYTES + 1)?;
    if bytes.len() > limits::CONFIG_BYTES {
        let text = format!("larger than {} KiB, so it is not a configuration", limits::CONFIG_BYTES / 1024);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}

/// Reads to the end, `most` bytes at most. By descriptor: std's own way is compiled anew for each type that is read, and
/// asks each file how large it is.
///
/// # Errors
/// The system's.
pub(super) fn read_all(from: BorrowedFd, most: usize) -> io::Result<Vec<u8>> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 2048]);
    while bytes.len() < most {
        match nix::unistd::read(from, &mut piece) {
            Ok(0) => break,
            Ok(count) => bytes.extend(piece.get(..count.min(most - bytes.len())).unwrap_or_default()),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(bytes)
}

/// The same path from the root on, whatever directory others are in.
pub fn absolute(path: &Path) -> PathBuf {
    std::env::current_dir().unwrap_or_default().join(path)
}

/// Why something failed, in words alone: `Permission denied`, with what helps against it.
pub fn why(error: &io::Error) -> String {
    let text = match error.raw_os_error() {
        Some(number) => meaning(number),
        None => error.to_string(),
    };
    let hint = if error.kind() == io::ErrorKind::PermissionDenied { "; run as root" } else { "" };
    format!("{text}{hint}")
}

/// What the C library says an error means. nix has a table of its own, which would be a second one: 3 KB.
pub(crate) fn meaning(errno: i32) -> String {
    let mut text = io::Error::from_raw_os_error(errno).to_string();
    text.truncate(text::find(&text, " (os error").unwrap_or(text.len()));
    text
}

/// What the daemon answered instead of `ok`.
pub(super) fn refused(answer: &str) -> io::Error {
    let text = answer.strip_prefix("error: ").unwrap_or(answer);
    io::Error::other(text.trim_end().to_owned())
}

/// The same error, saying what failed.
pub(crate) fn naming(what: impl Display) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{what}: {}", why(&error)))
}

/// Where state is kept unless told otherwise.
pub const STATE: &str = "/var/run/weir";
/// The file whose lock only one process has.
const LOCK: &str = "lock";

/// That a network is this process's to change. Its file goes with it: networks come and go where there are namespaces.
pub struct NetworkLock {
    path: PathBuf,
    _lock: Flock<File>,
}

impl Drop for NetworkLock {
    fn drop(&mut self) {
        // While it is locked yet.
        let _ = fs::remove_file(&self.path);
    }
}

/// The name of the lock of the network this process sees.
fn network_file() -> Option<String> {
    let network = fs::metadata("/proc/self/ns/net").ok()?;
    Some(format!("network-{}", network.ino()))
}

/// The process that holds the lock of the file with this number, by the kernel's list.
fn locked_by(list: &str, number: u64) -> Option<u32> {
    let end = format!(":{number}");
    list.lines().find_map(|line| {
        // `1: FLOCK  ADVISORY  WRITE 1234 00:19:56 0 EOF`; who waits has an arrow in front and is at no such place.
        let mut words = line.split_whitespace().skip(1);
        let (kind, process) = (words.next()?, words.nth(2)?);
        let is_it = kind == "FLOCK" && words.next()?.ends_with(&end);
        is_it.then(|| process.parse().ok())?
    })
}

/// Makes a directory and those it is in. std asks the paths for their parents: 2 KB.
fn make_dirs(path: &Path) -> io::Result<()> {
    let path = path.as_os_str().as_bytes();
    let ends = (1..=path.len()).filter(|at| path.get(*at).is_none_or(|byte| *byte == b'/'));
    for dir in ends.filter_map(|end| path.get(..end)) {
        match fs::create_dir(OsStr::from_bytes(dir)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => other?,
        }
    }
    Ok(())
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
        self.lock_file(LOCK).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => {
                io::Error::new(error.kind(), format!("weir is already at work ({error})"))
            }
            _ => error,
        })
    }

    /// Takes the lock of the network this process sees: two with state directories of their own would undo what the other
    /// does, for ever. Where there is no place for it, as in somebody's own namespaces, it goes without.
    ///
    /// # Errors
    /// Who holds it.
    pub fn lock_network() -> io::Result<Option<NetworkLock>> {
        let Some(name) = network_file() else { return Ok(None) };
        let state = Self::new(STATE.into());
        match state.lock_file(&name) {
            Ok(lock) => Ok(Some(NetworkLock { path: state.path(&name), _lock: lock })),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(io::Error::other(format!(
                "weir is already at work here with another state directory ({error}), and one network has one; \
                 name that directory by --state-dir, or end that process"
            ))),
            Err(_) => Ok(None),
        }
    }

    /// The process that is at work on this network with another state directory than this. The lock is looked at and not
    /// tried, which would keep whoever just begins from getting it; what a process that was killed left is nobody's.
    pub fn elsewhere(&self) -> Option<u32> {
        let file = fs::metadata(Self::new(STATE.into()).path(&network_file()?)).ok()?;
        let list = read_bounded(Path::new("/proc/locks")).ok()?;
        locked_by(&String::from_utf8_lossy(&list), file.ino()).filter(|holder| self.holder() != Some(*holder))
    }

    /// Takes the lock of a file; whoever holds it is in the error.
    fn lock_file(&self, name: &str) -> io::Result<Flock<File>> {
        let named = |path: &Path| naming(format!("cannot write {}", path.display()));
        make_dirs(&self.0).map_err(named(&self.0))?;
        let path = self.0.join(name);
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .map_err(named(&path))?;
        // flock ends with the process that held it, so a crash leaves nothing stale.
        let mut lock =
            Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| match errno {
                Errno::EWOULDBLOCK => {
                    let holder = self.held_by(name).map_or("unknown".into(), |pid| pid.to_string());
                    io::Error::new(io::ErrorKind::WouldBlock, format!("process {holder}"))
                }
                other => io::Error::from(other),
            })?;
        // Whoever had it may have removed it meanwhile: then it is nobody's, and others make a new one.
        if fs::metadata(&path).ok().map(|now| now.ino()) != Some(lock.metadata()?.ino()) {
            return self.lock_file(name);
        }
        lock.set_len(0)?;
        write!(lock, "pid {}", std::process::id())?;
        Ok(lock)
    }

    /// The process that holds the lock, or held it last.
    pub fn holder(&self) -> Option<u32> {
        self.held_by(LOCK)
    }

    fn held_by(&self, name: &str) -> Option<u32> {
        self.read(name).strip_prefix("pid ")?.trim().parse().ok()
    }

    /// Where a file of this name is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Reads a state file; a missing one is empty.
    pub fn read(&self, name: &str) -> String {
        read_bounded(&self.0.join(name))
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .unwrap_or_default()
    }

    /// Writes a state file whole or not at all; an empty one is removed.
    ///
    /// # Errors
    /// The system's.
    pub fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.put(name, bytes, 0o644)
    }

    /// The same of what only root may read.
    ///
    /// # Errors
    /// The system's.
    pub fn write_private(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.put(name, bytes, 0o600)
    }

    fn put(&self, name: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
        make_dirs(&self.0)?;
        let path = self.0.join(name);
        if bytes.is_empty() {
            return match fs::remove_file(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                other => other,
            };
        }
        let fresh = self.0.join(format!(".{name}.new"));
        // What an earlier try left may be anybody's to read.
        let _ = fs::remove_file(&fresh);
        let mut file = OpenOptions::new().create_new(true).write(true).mode(mode).open(&fresh)?;
        file.write_all(bytes)?;
        drop(file);
        fs::rename(fresh, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_made_with_those_it_is_in_and_may_be_there() {
        let top = std::env::temp_dir().join(format!("weir-dirs-{}", std::process::id()));
        for path in [top.join("a/b"), top.join("a//b/"), top.join("a/c")] {
            make_dirs(&path).expect("a directory");
            assert!(path.is_dir(), "{}", path.display());
        }
        fs::write(top.join("file"), "").expect("a file");
        assert!(make_dirs(&top.join("file/b")).is_err());
        fs::remove_dir_all(&top).expect("removed");
    }

    #[test]
    fn who_holds_a_lock_is_the_kernels_word_and_not_what_a_killed_process_left() {
        let list = "1: FLOCK  ADVISORY  WRITE 1234 00:19:56 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 99 00:19:57 0 EOF\n\
                    2: POSIX  ADVISORY  READ 77 fe:00:58 0 EOF\nx\n3: FLOCK  ADVISORY  WRITE -1 00:19:59 0 EOF\n";
        assert_eq!(locked_by(list, 56), Some(1234));
        assert_eq!([6, 57, 58, 59, 60].map(|number| locked_by(list, number)), [None; 5]);
    }

    #[test]
    fn what_needs_root_says_so_and_names_the_file() {
        let denied = || io::Error::from(Errno::EACCES);
        assert_eq!(why(&denied()), "Permission denied; run as root");
        assert_eq!(why(&io::Error::from(Errno::EPERM)), "Operation not permitted; run as root");
        assert_eq!(why(&io::Error::from(Errno::ENOENT)), "No such file or directory");
        let named = naming("cannot write /var/run/weir/lock")(denied());
        assert_eq!(named.to_string(), "cannot write /var/run/weir/lock: Permission denied; run as root");
    }
}
