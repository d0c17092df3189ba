// SPDX-License-Identifier: Apache-2.0
//! What a person should know: syslog in the background, standard error otherwise. The daemon's own log has its name in it.

use std::os::unix::net::UnixDatagram;
use std::sync::OnceLock;

/// How much it matters, as syslog counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something does not work.
    Warning = 4,
    /// Something works again.
    Info = 6,
}

static SOCKET: OnceLock<UnixDatagram> = OnceLock::new();

/// From now on what is said goes to syslog, if there is one that takes datagrams.
pub fn to_syslog() {
    if let Ok(socket) = UnixDatagram::unbound()
        && socket.set_nonblocking(true).is_ok()
    {
        let _ = SOCKET.set(socket);
    }
}

/// Says it. A syslog that is gone or stuck holds nobody up.
pub fn say(level: Level, text: &str) {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    // Facility daemon. So long a number for the reason that `io::log` has.
    let line = format!("<{}>weir-export[{:07}]: {text}", 24 | level as u8, std::process::id());
    let is_sent = SOCKET.get().is_some_and(|socket| socket.send_to(line.as_bytes(), "/dev/log").is_ok());
    if !is_sent {
        eprintln!("weir-export: {}{text}", if level == Level::Warning { "warning: " } else { "" });
    }
}
