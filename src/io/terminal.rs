// SPDX-License-Identifier: Apache-2.0
//! A terminal as a page that is drawn anew again and again: what the oldest of them and busybox's understand (ECMA-48), and
//! what was there before comes back at the end, however it ends.

use super::run::signals;
use super::sys::{self, TerminalMode};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::signalfd::SignalFd;
use std::io::{self, Stdin, Stdout, Write};
use std::os::fd::AsFd;

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// It is time, or the window has another size.
    Draw,
    /// The user, or the system, wants it to end.
    End,
}

/// A terminal that shows a page.
pub struct Terminal {
    input: Stdin,
    output: Stdout,
    signals: SignalFd,
    /// How it was; `None`: keys do not come from a terminal, so none is read.
    before: Option<TerminalMode>,
}

/// Another screen than the one with the commands, without a cursor; and back.
const BEGIN: &[u8] = b"\x1b[?1049h\x1b[?25l";
const END: &[u8] = b"\x1b[?25h\x1b[?1049l";

impl Terminal {
    /// Begins a page.
    ///
    /// # Errors
    /// The system's.
    pub fn begin() -> io::Result<Self> {
        // From here on to be told to end means to tidy up first.
        let signals = signals(&[Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGWINCH])?;
        let (input, output) = (io::stdin(), io::stdout());
        let before = sys::hush_terminal(&input).ok();
        let terminal = Self { input, output, signals, before };
        terminal.write(BEGIN).map(|()| terminal)
    }

    /// Draws a page.
    ///
    /// # Errors
    /// The system's.
    pub fn draw(&self, rows: &[String]) -> io::Result<()> {
        let mut page = String::from("\x1b[H");
        for (n, row) in rows.iter().enumerate() {
            // Emptied first: behind a row that is as wide as the window its last character would go.
            page.extend([if n > 0 { "\r\n" } else { "" }, "\x1b[2K", row]);
        }
        page.push_str("\x1b[J");
        self.write(page.as_bytes())
    }

    /// Waits, so many milliseconds at most.
    ///
    /// # Errors
    /// The system's.
    pub fn wait(&self, milliseconds: u16) -> io::Result<Wake> {
        let mut ready = [
            PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.input.as_fd(), PollFlags::POLLIN),
        ];
        let watched = if self.before.is_some() { 2 } else { 1 };
        match poll(ready.get_mut(..watched).unwrap_or_default(), PollTimeout::from(milliseconds)) {
            Ok(0) | Err(Errno::EINTR) => return Ok(Wake::Draw),
            result => result?,
        };
        let is_over = |signal: Option<Signal>| signal.is_some_and(|signal| signal != Signal::SIGWINCH);
        while let Ok(Some(signal)) = self.signals.read_signal() {
            if is_over(Signal::try_from(signal.ssi_signo as i32).ok()) {
                return Ok(Wake::End);
            }
        }
        let [_, keys] = &ready;
        let mut pressed = [0; 32];
        if keys.any().unwrap_or(false) {
            // Nothing to be read although there is something: the terminal has gone.
            let count = nix::unistd::read(self.input.as_fd(), &mut pressed).unwrap_or(0);
            let is_end = |key: &u8| matches!(key, b'q' | b'Q' | 0x04);
            if count == 0 || pressed.iter().take(count).any(is_end) {
                return Ok(Wake::End);
            }
        }
        Ok(Wake::Draw)
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut output = self.output.lock();
        output.write_all(bytes).and_then(|()| output.flush())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.write(END);
        if let Some(before) = &self.before {
            let _ = sys::set_terminal(&self.input, before);
        }
    }
}
