// SPDX-License-Identifier: Apache-2.0
//! A system bus of our own: the broker of the crate ubusd.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use ubusd::{Broker, Config};

/// A broker in a thread of its own; ends when it is dropped.
pub(crate) struct Bus {
    path: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Bus {
    /// Begins at `path`, in place of one that is gone.
    pub(crate) fn begin(path: &Path) -> Self {
        Self::with_rights(path, None)
    }

    /// The same, with the files of rights in a folder.
    pub(crate) fn with_rights(path: &Path, folder: Option<&Path>) -> Self {
        let acl_dir = folder.map(|folder| folder.to_string_lossy().into_owned());
        let _ = std::fs::remove_file(path);
        let (stop, path) = (Arc::new(AtomicBool::new(false)), path.to_path_buf());
        let (is_over, socket_path) = (Arc::clone(&stop), path.clone());
        let thread = std::thread::spawn(move || {
            let mut broker = Broker::bind(Config {
                socket_path: socket_path.to_string_lossy().into_owned(),
                acl_dir,
                ..Config::default()
            })
            .expect("binds");
            while !is_over.load(Ordering::Relaxed) {
                broker.poll_once(10).expect("polls");
            }
        });
        let begun = Instant::now();
        while UnixStream::connect(&path).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(10), "the broker does not begin");
            std::thread::sleep(Duration::from_millis(5));
        }
        Self { path, stop, thread: Some(thread) }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
        let _ = std::fs::remove_file(&self.path);
    }
}
