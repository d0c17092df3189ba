// SPDX-License-Identifier: Apache-2.0
//! Where the running daemon can be asked: a socket in the state directory, for root alone. One line in, some lines out.
//!
//! What may be asked, and the answers, are `daemon/asked`'s.

use super::files::{StateDir, naming, read_all, refused};
use super::reactor::{Reactor, Watched};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{MsgFlags, send};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The socket's name.
const SOCKET: &str = "socket";
/// The longest request.
const REQUEST: usize = 256;
/// A caller that says nothing for this long is left alone: nothing else is done meanwhile.
const PATIENCE: Duration = Duration::from_millis(50);
/// A daemon that applies a configuration answers later.
const LONG_PATIENCE: Duration = Duration::from_secs(5);
/// So soon after one that did not answer it is not waited for again: a command has several questions.
const SOON: Duration = Duration::from_secs(2);
/// When it did not answer last.
static SILENT: Mutex<Option<Instant>> = Mutex::new(None);

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
        let (stream, _) = self.listener.accept().ok()?;
        // Accepted sockets block, whatever the listener does.
        let read = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| {
            stream.set_write_timeout(Some(PATIENCE))?;
            read_all(stream.as_fd(), REQUEST)
        });
        let request = read.ok().and_then(|bytes| String::from_utf8(bytes).ok());
        Some((stream, request.unwrap_or_default()))
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

impl AsFd for Desk {
    fn as_fd(&self) -> BorrowedFd<'_> {
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
    /// Where the reactor says that they are gone, if it had a place.
    pub watched: Option<Watched>,
    stream: UnixStream,
}

impl Recorder {
    /// Tells that the recording begins.
    pub fn new(place: usize, mut stream: UnixStream, reactor: &Reactor<'_>) -> Self {
        let watched = reactor.watch_end(stream.as_fd()).ok();
        let _ = stream.write_all(b"ok\n");
        Self { place, watched, stream }
    }

    /// Passes on what was recorded; says whether anybody still takes it, even when there is nothing.
    pub fn take(&mut self, tape: &mut String) -> bool {
        let is_there = send(self.stream.as_raw_fd(), &[], MsgFlags::MSG_NOSIGNAL).is_ok();
        let is_taken = is_there && self.stream.write_all(tape.as_bytes()).is_ok();
        tape.clear();
        is_taken
    }
}

/// Copies a line's recording to `out` until nobody reads that, a signal comes, the daemon ends it, or the time is over;
/// gives how many lines it was.
///
/// # Errors
/// Why there is none; `None`: no daemon runs.
pub fn record(
    state: &StateDir,
    line: &str,
    span: Duration,
    signals: BorrowedFd,
    out: &mut (impl Write + AsFd),
) -> io::Result<Option<usize>> {
    let Ok(mut stream) = UnixStream::connect(state.path(SOCKET)) else { return Ok(None) };
    let end = Instant::now() + span;
    stream.set_read_timeout(Some(LONG_PATIENCE))?;
    stream.write_all(format!("record {line}").as_bytes())?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut text = [0; 3];
    if stream.read_exact(&mut text).is_err() || text != *b"ok\n" {
        let rest = [&text[..], &read_all(stream.as_fd(), usize::MAX)?].concat();
        return Err(refused(&String::from_utf8_lossy(&rest)));
    }
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
    epoll.add(signals, EpollEvent::new(EpollFlags::EPOLLIN, 1))?;
    // A pipe tells when its reader is gone; a file cannot be waited for, and has none.
    let _ = epoll.add(out.as_fd(), EpollEvent::new(EpollFlags::empty(), 1));
    let (mut pending, mut lines, mut buffer) = (Vec::new(), 0, [0; 4096]);
    loop {
        let left = end.saturating_duration_since(Instant::now()).as_millis().min(i32::MAX as u128);
        let mut events = [EpollEvent::empty(); 3];
        let timeout = EpollTimeout::try_from(left as i32).unwrap_or(EpollTimeout::ZERO);
        let count = epoll.wait(&mut events, timeout)?;
        if left == 0 || events.iter().take(count).any(|event| event.data() != 0) {
            return Ok(Some(lines));
        }
        if count == 0 {
            continue;
        }
        let read = stream.read(&mut buffer)?;
        pending.extend(buffer.iter().take(read));
        let whole = pending.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let done: Vec<u8> = pending.drain(..whole).collect();
        match out.write_all(&done).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Some(lines)),
            other => other?,
        }
        lines += done.iter().filter(|byte| **byte == b'\n').count();
        if read == 0 {
            return Ok(Some(lines));
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
    let mut silent = SILENT.lock().unwrap_or_else(PoisonError::into_inner);
    if silent.is_some_and(|at| at.elapsed() < SOON) {
        return Err(silence());
    }
    stream.set_read_timeout(Some(LONG_PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let answer = read_all(stream.as_fd(), usize::MAX).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => {
            *silent = Some(Instant::now());
            silence()
        }
        _ => naming("the daemon does not answer")(error),
    })?;
    let text = String::from_utf8_lossy(&answer);
    match text.strip_prefix("ok\n") {
        Some(rest) => Ok(Some(rest.into())),
        None => Err(refused(&text)),
    }
}

fn silence() -> io::Error {
    let seconds = LONG_PATIENCE.as_secs();
    let text =
        format!("the daemon runs, but did not answer within {seconds} s; it may yet do what it is asked");
    io::Error::new(io::ErrorKind::TimedOut, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Time;
    use std::thread;

    /// Records for a minute from a daemon that has two lines and a half to tell and then nothing; gives how many lines
    /// there were, how long it took, and how often the daemon woke until it knew that nobody was there any more.
    fn recorded(name: &str, signals: &UnixStream, out: &mut (impl Write + AsFd)) -> (usize, Duration, usize) {
        let dir = std::env::temp_dir().join(format!("weir-desk-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a directory");
        let state = StateDir::new(dir.clone());
        let desk = Desk::open(state.clone()).expect("a socket");
        let daemon = thread::spawn(move || {
            let reactor = Reactor::new().expect("an epoll");
            reactor.watch(desk.as_fd()).expect("a place");
            let wait = || reactor.wait(Time(0), Some(Time(20_000_000))).expect("waited");
            wait();
            let (stream, request) = desk.next().expect("somebody asks");
            assert_eq!(Desk::wants_record(&request), Some("wan"));
            let mut recorder = Recorder::new(0, stream, &reactor);
            recorder.take(&mut "one\ntwo\nthr".into());
            let is_there = || {
                wait();
                recorder.take(&mut String::new())
            };
            std::iter::repeat_with(is_there).take_while(|is_there| *is_there).count()
        });
        let began = Instant::now();
        let lines = record(&state, "wan", Duration::from_secs(60), signals.as_fd(), out);
        let took = began.elapsed();
        let wakes = daemon.join().expect("the daemon lives");
        std::fs::remove_dir_all(&dir).expect("removed");
        (lines.expect("recorded").expect("a daemon runs"), took, wakes)
    }

    #[test]
    fn a_recording_ends_as_soon_as_its_reader_is_gone_though_nothing_more_is_written() {
        let (mut reader, mut writer) = io::pipe().expect("a pipe");
        let (signals, _quiet) = UnixStream::pair().expect("sockets");
        let reading = thread::spawn(move || {
            let mut text = [0; 8];
            reader.read_exact(&mut text).expect("two lines");
            text
        });
        let (lines, took, wakes) = recorded("reader", &signals, &mut writer);
        assert_eq!((lines, wakes), (2, 0));
        assert!(took < Duration::from_secs(20), "{took:?}");
        assert_eq!(reading.join().expect("read"), *b"one\ntwo\n");
    }

    #[test]
    fn a_recording_ends_as_soon_as_it_is_told_to_and_the_daemon_knows() {
        let (signals, mut sender) = UnixStream::pair().expect("sockets");
        let mut nowhere = std::fs::File::create("/dev/null").expect("there is one everywhere");
        sender.write_all(b"!").expect("sent");
        let (lines, took, wakes) = recorded("signal", &signals, &mut nowhere);
        assert!(lines <= 2 && wakes == 0 && took < Duration::from_secs(20), "{lines} {wakes} {took:?}");
    }
}
