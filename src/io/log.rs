// SPDX-License-Identifier: Apache-2.0
//! Where messages go: syslog for the daemon in the background, standard error otherwise, with the same words.

use super::run::Places;
use crate::config::{Fault, LogLevel, Severity};
use crate::daemon::Level;
use std::fmt::Display;
use std::io::{self, Write};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::sync::Mutex;
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
        let priority = Facility::LOG_DAEMON as u8 | severity as u8;
        // Whole, as each write is a message. OpenWrt's logd takes the first 16 bytes for a time when the last of them is a
        // blank, and cuts them off; with so long a number that one is the message's first.
        let text = format!("<{priority}>weir[{:07}]: {message}", std::process::id());
        out.write_all(text.as_bytes()).map_err(syslog::Error::Write)
    }
}

/// Where a syslogd listens.
const SOCKETS: [&str; 3] = ["/dev/log", "/var/run/syslog", "/var/run/log"];

/// Its socket: of datagrams, except where syslog-ng was told otherwise. The crate's own can also be TCP and UDP, with
/// buffers, for 4 KB.
enum Socket {
    Datagram(UnixDatagram),
    Stream(UnixStream),
}

impl Socket {
    /// Connects to the first that is there.
    fn open() -> Option<Self> {
        let results = SOCKETS.iter().map(|path| Self::connect(path));
        let mut found = results
            .skip_while(|result| result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound));
        found.next()?.ok()
    }

    fn connect(path: &str) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        match socket.connect(path) {
            Ok(()) => Ok(Self::Datagram(socket)),
            Err(error) if error.raw_os_error() == Some(libc::EPROTOTYPE) => {
                UnixStream::connect(path).map(Self::Stream)
            }
            Err(error) => Err(error),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        match self {
            Self::Datagram(socket) => socket.send(message),
            // A zero ends a message here, as with glibc's syslog(3).
            Self::Stream(socket) => {
                socket.write_all(message).and_then(|()| socket.write_all(&[0])).map(|()| message.len())
            }
        }
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
        // A syslogd that is gone takes the message with it; there is nobody left to tell.
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
    let syslog = wants_syslog.then(Socket::open).flatten();
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
    use std::os::unix::net::UnixListener;

    #[test]
    fn a_syslogd_gets_each_message_whole_on_either_kind_of_socket() {
        let dir = std::env::temp_dir().join(format!("weir-log-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a directory");
        let path = |name: &str| dir.join(name).to_string_lossy().into_owned();
        let datagrams = UnixDatagram::bind(path("datagrams")).expect("a socket");
        let streams = UnixListener::bind(path("streams")).expect("a socket");
        let say = |name: &str| {
            let mut logger = Logger::new(Socket::connect(&path(name)).expect("connected"), Format);
            logger.warning("one").and_then(|()| logger.err("two")).expect("sent");
        };
        let me = std::process::id();
        say("datagrams");
        let mut buffer = [0; 100];
        for text in [format!("<28>weir[{me:07}]: one"), format!("<27>weir[{me:07}]: two")] {
            let len = datagrams.recv(&mut buffer).expect("a message");
            assert_eq!(buffer[..len], *text.as_bytes());
        }
        say("streams");
        let mut all = String::new();
        streams.accept().expect("a connection").0.read_to_string(&mut all).expect("text");
        assert_eq!(all, format!("<28>weir[{me:07}]: one\0<27>weir[{me:07}]: two\0"));
        let absent = Socket::connect(&path("absent")).err().map(|error| error.kind());
        assert_eq!(absent, Some(io::ErrorKind::NotFound));
        std::fs::remove_dir_all(&dir).expect("removed");
    }
}
