// SPDX-License-Identifier: Apache-2.0
//! Where messages go: syslog for the daemon in the background, standard error otherwise, with the same words.

use super::run::Places;
use crate::config::{Fault, LogLevel, Severity};
use crate::daemon::Level;
use std::fmt::Display;
use std::io::Write;
use std::sync::Mutex;
use syslog::{Facility, LogFormat, Logger, LoggerBackend};

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
#[derive(Clone)]
struct Format;

impl<T: Display> LogFormat<T> for Format {
    fn format<W: Write>(&self, out: &mut W, severity: syslog::Severity, message: T) -> syslog::Result<()> {
        let priority = Facility::LOG_DAEMON as u8 | severity as u8;
        write!(out, "<{priority}>weir[{}]: {message}", std::process::id()).map_err(syslog::Error::Write)
    }
}

/// syslog on `/dev/log`.
struct Syslog(Mutex<Logger<LoggerBackend, Format>>);

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
    let syslog = wants_syslog.then(|| syslog::unix(Format).ok()).flatten();
    let logger: Box<dyn log::Log> = match syslog {
        Some(logger) => Box::new(Syslog(Mutex::new(logger))),
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
