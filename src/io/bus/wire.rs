// SPDX-License-Identifier: Apache-2.0
//! The socket to the bus: bytes in, messages out, and the other way round. It never waits.

use super::super::files::meaning;
use super::text;
use crate::ubus::{Inbox, Message, Peer};
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, UnixAddr, connect, send, socket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

/// What is read at once.
const PIECE: usize = 2048;

/// A connection.
pub(crate) struct Wire {
    socket: OwnedFd,
    inbox: Inbox,
    /// What was read and not heard yet.
    piece: [u8; PIECE],
    rest: std::ops::Range<usize>,
}

impl Wire {
    /// Connects to the first of `paths` that somebody listens on. A bus whose queue of callers is full is as good as
    /// absent.
    pub(crate) fn open(paths: &[PathBuf]) -> Option<OwnedFd> {
        let open = |path: &Path| {
            let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
            let file = socket(AddressFamily::Unix, SockType::Stream, flags, None).ok()?;
            connect(file.as_raw_fd(), &UnixAddr::new(path).ok()?).ok()?;
            Some(file)
        };
        paths.iter().find_map(|path| open(path))
    }

    pub(crate) fn new(socket: OwnedFd) -> Self {
        Self { socket, inbox: Inbox::default(), piece: [0; PIECE], rest: 0..0 }
    }

    /// Whether all that was read was heard.
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Reads a piece, when the last one was heard; descriptors that come along are dropped by read(2).
    pub(crate) fn read(&mut self) -> Result<(), String> {
        match nix::unistd::read(&self.socket, &mut self.piece) {
            Ok(0) => Err("the bus is gone".into()),
            Ok(count) => {
                self.rest = 0..count;
                Ok(())
            }
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(()),
            Err(error) => Err(meaning(error as i32)),
        }
    }

    /// The next message that is whole.
    pub(crate) fn next(&mut self) -> Result<Option<Message<'_>>, String> {
        let mut rest = self.piece.get(self.rest.clone()).unwrap_or_default();
        let message = self.inbox.take(&mut rest).map_err(text);
        self.rest.start = self.rest.end - rest.len();
        message
    }

    /// Writes what there is room for.
    pub(crate) fn write(&self, peer: &mut Peer) -> Result<(), String> {
        loop {
            let waiting = peer.output().map_err(text)?;
            if waiting.is_empty() {
                return Ok(());
            }
            match send(self.socket.as_raw_fd(), waiting, MsgFlags::MSG_NOSIGNAL) {
                Ok(count) => peer.sent(count),
                Err(Errno::EAGAIN | Errno::EINTR) => return Ok(()),
                Err(error) => return Err(meaning(error as i32)),
            }
        }
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    use std::io::{IoSlice, Read};
    use std::mem::MaybeUninit;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_descriptor_that_comes_with_a_message_is_closed_and_the_message_is_heard() {
        // HELLO of connection 7, as ubusd greets: version, type, number, peer; an empty attribute.
        const HELLO: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 4];
        let (bus, ours) = UnixStream::pair().expect("sockets");
        ours.set_nonblocking(true).expect("set");
        let mut wire = Wire::new(ours.into());
        let (mut end, sent) = std::io::pipe().expect("a pipe");
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut along = SendAncillaryBuffer::new(&mut space);
        let files = [sent.as_fd()];
        assert!(along.push(SendAncillaryMessage::ScmRights(&files)));
        let count = sendmsg(&bus, &[IoSlice::new(&HELLO)], &mut along, SendFlags::empty()).expect("sent");
        assert_eq!(count, HELLO.len());
        drop(sent);
        wire.read().expect("there is something");
        assert!(wire.next().expect("a message").is_some() && wire.is_empty());
        // Nobody has the pipe's other end any more.
        let mut rest = Vec::new();
        assert_eq!(end.read_to_end(&mut rest).expect("read"), 0);
    }
}
