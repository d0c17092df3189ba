// SPDX-License-Identifier: Apache-2.0
//! A running daemon in a network namespace of its own, and the folder everything of it is in. Needs root.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// The process, which ends with this, and its folder, which goes with it. In the folder are its `state` and its `log`.
pub(crate) struct Daemon {
    pub(crate) dir: PathBuf,
    pub(crate) child: Child,
}

impl Daemon {
    /// A folder for one; `None`: there is no network of our own to be had.
    pub(crate) fn folder(name: &str) -> Option<PathBuf> {
        if std::fs::metadata("/proc/self").expect("a process").uid() != 0 {
            println!("{name}: skipped: needs root");
            return None;
        }
        let dir = std::env::temp_dir().join(format!("weir-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(dir.join("state")).expect("a directory");
        Some(dir)
    }

    /// What goes on in its network.
    pub(crate) fn enter(&self) -> Command {
        let mut command = Command::new("nsenter");
        command.arg("-n").arg("-t").arg(self.child.id().to_string());
        command
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the daemon said:\n{}", self.log());
        }
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Waits until it is so, for a minute at most.
pub(crate) fn patiently(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < end, "{what}: not within a minute");
        std::thread::sleep(Duration::from_millis(50));
    }
}
