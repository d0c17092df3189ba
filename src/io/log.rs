// SPDX-License-Identifier: Apache-2.0
//! Where messages go: syslog for the daemon in the background, standard error otherwise, with the same words.

use super::run::Places;
use crate::config::{Fault, LogLevel, Severity};
use crate::daemon::Level;
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, connect, send, socket};
use std::fmt::Display;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use syslog::{Facility, LogFormat, Logger};

/// The target of messages about the configuration: they begin with their file and line, on a terminal as in a syslog.
const FILE: &str = "file";

/// Standard error, with the level in front as syslog would have it.
struct Stderr;

impl log::Log for Stderr {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            if record.target() == FILE {
                return eprintln!("{}", record.args());
            }
            let level = match record.level() {
                log::Level::Error => "error: ",
                log::Level::Warn => "warning: ",
                log::Level::Info => "",
                log::Level::Debug | log::Level::Trace => "debug: ",
            };
            eprintln!("weir: {level}{}", record.args());
        }
    }

    fn flush(&self) {}
}

/// RFC 3164 as `/dev/log` takes it, without a time: every syslogd writes its own, in the router's zone. The crate's own
/// format adds UTC, panics when the clock cannot be read, and costs 25 KB.
struct Format;

impl<T: Display> LogFormat<T> for Format {
    fn format<W: Write>(&self, out: &mut W, severity: syslog::Severity, message: T) -> syslog::Result<()> {
        let text = line(severity as u8, &message);
        out.write_all(text.as_bytes()).map_err(syslog::Error::Write)
    }
}

/// One message, whole, as each write is one. OpenWrt's logd takes the first 16 bytes for a time when the last of them is
/// a blank, and cuts them off; with so long a number that one is the message's first.
fn line(severity: u8, message: &dyn Display) -> String {
    let priority = Facility::LOG_DAEMON as u8 | severity;
    format!("<{priority}>weir[{:07}]: {message}", std::process::id())
}

/// Where a syslogd listens.
const SOCKETS: &[&str] = &["/dev/log", "/var/run/syslog", "/var/run/log"];

/// How often a syslogd that is gone is looked for: a start of logd's takes less.
const PAUSE: Duration = Duration::from_secs(1);

/// Its socket, which never makes anybody wait: a message that finds no room, or nobody, is lost and counted. The
/// crate's own waits, and stays with a syslogd that is gone.
struct Socket {
    paths: &'static [&'static str],
    /// The connection, and whether it is of streams: where syslog-ng was told so.
    line: Option<(OwnedFd, bool)>,
    /// When to look for a syslogd again.
    try_at: Instant,
    /// How many messages were lost since the last that was not.
    lost: u32,
}

impl Socket {
    /// Connects to the first of `paths` that is there.
    fn open(paths: &'static [&'static str]) -> Option<Self> {
        let mut socket = Self { paths, line: None, try_at: Instant::now(), lost: 0 };
        socket.connect();
        socket.line.is_some().then_some(socket)
    }

    /// Looks for a syslogd, unless that was done a moment ago.
    fn connect(&mut self) {
        let now = Instant::now();
        if self.line.is_some() || now < self.try_at {
            return;
        }
        self.try_at = now + PAUSE;
        let mut results = self.paths.iter().map(|path| reach(path));
        self.line = results.find(|result| !matches!(result, Err(Errno::ENOENT))).and_then(Result::ok);
    }

    /// Sends one message; says whether it went.
    fn send(&mut self, message: &[u8]) -> bool {
        let Some((socket, is_stream)) = &self.line else { return false };
        let mut message = message.to_vec();
        // A zero ends a message here, as with glibc's syslog(3).
        message.extend(is_stream.then_some(0));
        match send(socket.as_raw_fd(), &message, MsgFlags::MSG_NOSIGNAL) {
            Ok(sent) if sent == message.len() => true,
            Err(Errno::EAGAIN | Errno::ENOBUFS | Errno::EINTR) => false,
            // Nobody is there any more, or has half a message, behind which no other can begin.
            _ => {
                self.line = None;
                false
            }
        }
    }
}

/// Connects to a syslogd, without waiting.
fn reach(path: &str) -> nix::Result<(OwnedFd, bool)> {
    let address = UnixAddr::new(path)?;
    let to = |kind| {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let socket = socket(AddressFamily::Unix, kind, flags, None)?;
        connect(socket.as_raw_fd(), &address).map(|()| socket)
    };
    match to(SockType::Datagram) {
        Err(Errno::EPROTOTYPE) => to(SockType::Stream).map(|socket| (socket, true)),
        result => result.map(|socket| (socket, false)),
    }
}

impl Write for Socket {
    /// Sends a message, with a word about those that were lost in front; it counts as written even if it is lost.
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        // The second time, it is another syslogd's.
        for _ in 0..2 {
            self.connect();
            if self.lost > 0 {
                let text = format!("{} messages were lost: the log did not take them", self.lost);
                if self.send(line(syslog::Severity::LOG_WARNING as u8, &text).as_bytes()) {
                    self.lost = 0;
                }
            }
            if self.send(message) {
                return Ok(message.len());
            }
            if self.line.is_some() {
                break;
            }
        }
        self.lost = self.lost.saturating_add(1);
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// syslog.
struct Syslog(Mutex<Logger<Socket, Format>>);

impl log::Log for Syslog {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        let Ok(mut logger) = self.0.lock() else { return };
        // What is lost is counted by the socket; there is nobody else to tell.
        let _ = match record.level() {
            log::Level::Error => logger.err(record.args()),
            log::Level::Warn => logger.warning(record.args()),
            log::Level::Info => logger.info(record.args()),
            log::Level::Debug | log::Level::Trace => logger.debug(record.args()),
        };
    }

    fn flush(&self) {}
}

/// Starts logging: to syslog if `wants_syslog` and there is one, else to standard error.
pub fn start(wants_syslog: bool) {
    let syslog = wants_syslog.then(|| Socket::open(SOCKETS)).flatten();
    let logger: Box<dyn log::Log> = match syslog {
        Some(socket) => Box::new(Syslog(Mutex::new(Logger::new(socket, Format)))),
        None => Box::new(Stderr),
    };
    let _ = log::set_boxed_logger(logger); // a second start keeps the first one's
    set_level(LogLevel::Info);
}

/// Sets the least important level that is written.
pub fn set_level(level: LogLevel) {
    log::set_max_level(match level {
        LogLevel::Error => log::LevelFilter::Error,
        LogLevel::Warning => log::LevelFilter::Warn,
        LogLevel::Info => log::LevelFilter::Info,
        LogLevel::Debug => log::LevelFilter::Debug,
    });
}

/// Writes one message of the daemon.
pub fn say(level: Level, text: &str) {
    let level = match level {
        Level::Error => log::Level::Error,
        Level::Warning => log::Level::Warn,
        Level::Info => log::Level::Info,
        Level::Debug => log::Level::Debug,
    };
    log::log!(level, "{text}");
}

/// Writes what is wrong with the configuration.
pub fn tell(places: &Places, fault: &Fault) {
    let level = match fault.severity {
        Severity::Fault => log::Level::Error,
        Severity::Warning => log::Level::Warn,
    };
    log::log!(target: FILE, level, "{}", places.located(fault));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::net::{UnixDatagram, UnixListener};
    use std::path::PathBuf;

    /// A directory of its own for each test, and the place of a socket in it.
    fn place(name: &str) -> (PathBuf, &'static [&'static str]) {
        let dir = std::env::temp_dir().join(format!("weir-log-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).expect("a directory");
        let path: &'static str = dir.join("log").to_string_lossy().into_owned().leak();
        (dir, vec![path].leak())
    }

    fn connected(paths: &'static [&'static str]) -> Logger<Socket, Format> {
        Logger::new(Socket::open(paths).expect("connected"), Format)
    }

    /// The next message, without its head; empty: there is none.
    fn heard(socket: &UnixDatagram) -> String {
        let mut buffer = [0; 200];
        socket.set_nonblocking(true).expect("set");
        let len = socket.recv(&mut buffer).unwrap_or(0);
        let text = String::from_utf8_lossy(&buffer[..len]).into_owned();
        text.split_once(": ").map_or(text.clone(), |(_, text)| text.into())
    }

    #[test]
    fn a_syslogd_gets_each_message_whole_on_either_kind_of_socket() {
        let me = std::process::id();
        let (dir, paths) = place("kinds");
        let datagrams = UnixDatagram::bind(paths[0]).expect("a socket");
        let mut logger = connected(paths);
        logger.warning("one").and_then(|()| logger.err("two")).expect("sent");
        let mut buffer = [0; 100];
        for text in [format!("<28>weir[{me:07}]: one"), format!("<27>weir[{me:07}]: two")] {
            let len = datagrams.recv(&mut buffer).expect("a message");
            assert_eq!(buffer[..len], *text.as_bytes());
        }
        std::fs::remove_file(paths[0]).expect("removed");
        let streams = UnixListener::bind(paths[0]).expect("a socket");
        let mut logger = connected(paths);
        logger.warning("one").and_then(|()| logger.err("two")).expect("sent");
        drop(logger);
        let mut all = String::new();
        streams.accept().expect("a connection").0.read_to_string(&mut all).expect("text");
        assert_eq!(all, format!("<28>weir[{me:07}]: one\0<27>weir[{me:07}]: two\0"));
        std::fs::remove_dir_all(&dir).expect("removed");
        assert!(Socket::open(paths).is_none(), "nobody is there");
    }

    #[test]
    fn a_syslogd_that_was_started_again_gets_the_next_message_and_hears_how_many_were_lost() {
        let (dir, paths) = place("again");
        let first = UnixDatagram::bind(paths[0]).expect("a socket");
        let mut logger = connected(paths);
        logger.info("one").expect("sent");
        assert_eq!(heard(&first), "one");
        // As logd is killed and started: its socket is refused, then gone, then another one.
        drop(first);
        logger.backend.try_at = Instant::now();
        logger.info("two").expect("lost");
        std::fs::remove_file(paths[0]).expect("removed");
        logger.backend.try_at = Instant::now();
        logger.info("three").expect("lost");
        let second = UnixDatagram::bind(paths[0]).expect("a socket");
        logger.info("four").expect("lost: somebody was looked for a moment ago");
        assert_eq!(heard(&second), "");
        logger.backend.try_at = Instant::now();
        logger.info("five").expect("sent");
        assert_eq!(heard(&second), "3 messages were lost: the log did not take them");
        assert_eq!(heard(&second), "five");
        // If that happens while nothing is said, nothing is lost.
        drop(second);
        std::fs::remove_file(paths[0]).expect("removed");
        let third = UnixDatagram::bind(paths[0]).expect("a socket");
        logger.backend.try_at = Instant::now();
        logger.info("six").expect("sent");
        assert_eq!([heard(&third), heard(&third)], ["six", ""]);
        std::fs::remove_dir_all(&dir).expect("removed");
    }

    #[test]
    fn a_syslogd_that_reads_nothing_holds_nobody_up() {
        const MESSAGES: usize = 5000;
        let (dir, paths) = place("stuck");
        let stuck = UnixDatagram::bind(paths[0]).expect("a socket");
        let (done, is_done) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut logger = connected(paths);
            (0..MESSAGES).for_each(|n| logger.info(n).expect("sent or lost"));
            done.send(logger).expect("waited for");
        });
        let mut logger = is_done.recv_timeout(Duration::from_secs(20)).expect("nobody waits for a syslogd");
        let kept = std::iter::from_fn(|| Some(heard(&stuck)).filter(|text| !text.is_empty())).count();
        assert!(kept > 0 && kept < MESSAGES, "{kept}");
        logger.info("last").expect("sent");
        let lost = MESSAGES - kept;
        assert_eq!(heard(&stuck), format!("{lost} messages were lost: the log did not take them"));
        assert_eq!(heard(&stuck), "last");
        std::fs::remove_dir_all(&dir).expect("removed");
    }
}
