// SPDX-License-Identifier: Apache-2.0
//! Where the running daemon can be asked: a socket in the state directory, for root alone. One line in, some lines out.
//!
//! What may be asked, and the answers, are `daemon/asked`'s.

use super::files::{StateDir, naming};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

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

    /// Whom to record, if that is what is asked.
    pub fn wants_record(request: &str) -> Option<&str> {
        request.strip_prefix("record ").map(str::trim)
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

/// Somebody a line's recording goes to.
pub struct Recorder {
    /// The line's place in the configuration.
    pub place: usize,
    stream: UnixStream,
}

impl Recorder {
    /// Tells that the recording begins.
    pub fn new(place: usize, mut stream: UnixStream) -> Self {
        let _ = stream.write_all(b"ok\n");
        Self { place, stream }
    }

    /// Passes on what was recorded; says whether anybody still takes it.
    pub fn take(&mut self, tape: &mut String) -> bool {
        let is_taken = tape.is_empty() || self.stream.write_all(tape.as_bytes()).is_ok();
        tape.clear();
        is_taken
    }
}

/// Copies a line's recording to `out` until `out` takes no more, the daemon ends it, or the time is over.
///
/// # Errors
/// Why there is none; `None`: no daemon runs.
pub fn record(state: &StateDir, line: &str, span: Duration, out: &mut impl Write) -> io::Result<Option<()>> {
    let Ok(mut stream) = UnixStream::connect(state.path(SOCKET)) else { return Ok(None) };
    let end = Instant::now() + span;
    stream.write_all(format!("record {line}").as_bytes())?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut reader = BufReader::new(stream);
    let mut text = String::new();
    reader.read_line(&mut text)?;
    if text != "ok\n" {
        return Err(io::Error::other(text.trim_start_matches("error: ").trim_end().to_owned()));
    }
    loop {
        let left = end.saturating_duration_since(Instant::now());
        text.clear();
        if left.is_zero() {
            return Ok(Some(()));
        }
        reader.get_ref().set_read_timeout(Some(left))?;
        match reader.read_line(&mut text) {
            Ok(0) => return Ok(Some(())),
            Ok(_) => out.write_all(text.as_bytes())?,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Some(())),
            Err(error) => return Err(error),
        }
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
