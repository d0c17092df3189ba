// SPDX-License-Identifier: Apache-2.0
//! Where the running daemon can be asked: a socket in the state directory, for root alone. One line in, some lines out.
//!
//! What may be asked, and the answers, are `daemon/asked`'s.

use super::files::{StateDir, naming};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

/// The socket's name.
const SOCKET: &str = "socket";
/// The longest request.
const REQUEST: u64 = 256;
/// A caller that says nothing for this long is left alone: nothing else is done meanwhile.
const PATIENCE: Duration = Duration::from_millis(50);
/// A daemon that applies a configuration answers later.
const LONG_PATIENCE: Duration = Duration::from_secs(5);

/// The daemon's side.
pub struct Desk {
    listener: UnixListener,
    state: StateDir,
}

impl Desk {
    /// Opens the socket, in place of one that a dead daemon left; only the holder of the lock may.
    ///
    /// # Errors
    /// The system's.
    pub fn open(state: StateDir) -> io::Result<Self> {
        let path = state.path(SOCKET);
        let failed = naming(format!("cannot make {}", path.display()));
        let _ = std::fs::remove_file(&path);
        let open = || {
            let listener = UnixListener::bind(&path)?;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
            listener.set_nonblocking(true)?;
            Ok(listener)
        };
        Ok(Self { listener: open().map_err(failed)?, state })
    }

    /// Who asks next and what; `None`: nobody now.
    pub fn next(&self) -> Option<(UnixStream, String)> {
        let (mut stream, _) = self.listener.accept().ok()?;
        let mut request = String::new();
        // Accepted sockets block, whatever the listener does.
        let read = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| {
            stream.set_write_timeout(Some(PATIENCE))?;
            Read::by_ref(&mut stream).take(REQUEST).read_to_string(&mut request)
        });
        if read.is_err() {
            request.clear();
        }
        Some((stream, request))
    }

    /// Answers; a caller that has gone is no error.
    pub fn answer(mut stream: UnixStream, text: &str) {
        let _ = stream.write_all(text.as_bytes());
    }
}

impl std::os::fd::AsFd for Desk {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.state.path(SOCKET));
    }
}

/// Asks the running daemon; `None` if none is running.
///
/// # Errors
/// Why it did not answer, or its own refusal.
pub fn ask(state: &StateDir, request: &str) -> io::Result<Option<String>> {
    let mut stream = match UnixStream::connect(state.path(SOCKET)) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(naming("cannot ask the daemon")(error)),
    };
    let mut text = String::new();
    stream.set_read_timeout(Some(LONG_PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    stream.shutdown(std::net::Shutdown::Write)?;
    stream.read_to_string(&mut text).map_err(naming("the daemon does not answer"))?;
    match text.strip_prefix("ok\n") {
        Some(rest) => Ok(Some(rest.into())),
        None => Err(io::Error::other(text.trim_start_matches("error: ").trim_end().to_owned())),
    }
}
