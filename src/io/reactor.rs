// SPDX-License-Identifier: Apache-2.0
//! Our own reactor: one epoll, one deadline, readers in a fixed table, one thread.
//!
//! It wakes when something happened and never else. A file's reader is a closure that is called when there is something
//! to read: an executor and a task around each were 8 KB of code on MIPS and said nothing more.

use crate::units::Time;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use std::cell::RefCell;
use std::io;
use std::os::fd::BorrowedFd;

/// Files waited for: the monitor, signals, and room for ubus and probes.
const SLOTS: usize = 24;

/// Reads a file until there is nothing left.
pub type Reader<'a> = Box<dyn FnMut() + 'a>;

#[derive(Default)]
struct Slot<'a> {
    is_used: bool,
    is_ready: bool,
    reader: Option<Reader<'a>>,
}

/// Waits for files and for one moment.
pub struct Reactor<'a> {
    epoll: Epoll,
    slots: RefCell<[Slot<'a>; SLOTS]>,
}

/// A file the reactor watches.
#[derive(Clone, Copy, Debug)]
pub struct Watched(usize);

impl<'a> Reactor<'a> {
    /// Makes a reactor that watches nothing yet.
    ///
    /// # Errors
    /// The system's, when it has no epoll for us.
    pub fn new() -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        Ok(Self { epoll, slots: RefCell::default() })
    }

    /// Watches `file` for something to read, as long as it is open.
    ///
    /// # Errors
    /// The system's, or when all slots are taken.
    pub fn watch(&self, file: BorrowedFd) -> io::Result<Watched> {
        self.watch_for(file, EpollFlags::EPOLLIN)
    }

    /// Wakes when the other end of `file` is gone, and for nothing else; then it must be closed.
    ///
    /// # Errors
    /// The system's, or when all slots are taken.
    pub fn watch_end(&self, file: BorrowedFd) -> io::Result<Watched> {
        // EPOLLHUP comes unasked. The caller has ended its own writing, so EPOLLIN would come for ever.
        self.watch_for(file, EpollFlags::empty())
    }

    fn watch_for(&self, file: BorrowedFd, what: EpollFlags) -> io::Result<Watched> {
        let mut slots = self.slots.borrow_mut();
        let free = slots.iter_mut().enumerate().find(|(_, slot)| !slot.is_used);
        let (place, slot) = free.ok_or_else(|| io::Error::other("too many files to wait for"))?;
        self.epoll.add(file, EpollEvent::new(what, place as u64))?;
        *slot = Slot { is_used: true, ..Slot::default() };
        Ok(Watched(place))
    }

    /// Wakes for something to read, for room to write, for both, or (with neither) for the end alone.
    ///
    /// # Errors
    /// The system's.
    pub fn change(&self, watched: Watched, file: BorrowedFd, reads: bool, writes: bool) -> io::Result<()> {
        let mut what = EpollFlags::empty();
        what.set(EpollFlags::EPOLLIN, reads);
        what.set(EpollFlags::EPOLLOUT, writes);
        Ok(self.epoll.modify(file, &mut EpollEvent::new(what, watched.0 as u64))?)
    }

    /// Whether something has happened to a file that has no reader; asked once.
    pub fn take_ready(&self, watched: Watched) -> bool {
        let mut slots = self.slots.borrow_mut();
        slots.get_mut(watched.0).is_some_and(|slot| std::mem::take(&mut slot.is_ready))
    }

    /// Gives up a place whose file is closed, or will be at once: the kernel forgets a closed file by itself.
    pub fn forget(&self, file: Watched) {
        // What a reader owns is dropped after the table is free again.
        let _reader = self.slots.borrow_mut().get_mut(file.0).and_then(|slot| std::mem::take(slot).reader);
    }

    /// From now on [`Self::serve`] calls `reader` whenever there is something to read.
    pub fn read_with(&self, file: Watched, reader: Reader<'a>) {
        if let Some(slot) = self.slots.borrow_mut().get_mut(file.0) {
            slot.reader = Some(reader);
        }
    }

    /// Calls the readers of the files that something has happened to.
    pub fn serve(&self) {
        for place in 0..SLOTS {
            // Out of the table meanwhile, so that a reader may ask the reactor for more.
            let Some(mut reader) = self.take_reader(place) else { continue };
            reader();
            if let Some(slot) = self.slots.borrow_mut().get_mut(place)
                && slot.is_used
                && slot.reader.is_none()
            {
                slot.reader = Some(reader);
            }
        }
    }

    fn take_reader(&self, place: usize) -> Option<Reader<'a>> {
        let mut slots = self.slots.borrow_mut();
        let slot = slots.get_mut(place).filter(|slot| slot.is_ready)?;
        let reader = slot.reader.take()?;
        slot.is_ready = false;
        Some(reader)
    }

    /// Sleeps until a watched file can be read or `deadline` has come, and notes which.
    ///
    /// # Errors
    /// The system's.
    pub fn wait(&self, now: Time, deadline: Option<Time>) -> io::Result<()> {
        let timeout = deadline.map_or(EpollTimeout::NONE, |at| {
            // Rounded up: waking a moment early would mean waking twice.
            let millis = (at - now).0.div_ceil(1000).min(3_600_000);
            EpollTimeout::try_from(millis as i32).unwrap_or(EpollTimeout::ZERO)
        });
        let mut events = [EpollEvent::empty(); SLOTS];
        let count = match self.epoll.wait(&mut events, timeout) {
            Err(nix::errno::Errno::EINTR) => 0,
            other => other?,
        };
        for event in events.iter().take(count) {
            let mut slots = self.slots.borrow_mut();
            if let Some(slot) = slots.get_mut(event.data() as usize) {
                slot.is_ready = true;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_reader_is_called_once_for_what_came_and_no_more_when_its_file_is_forgotten() {
        let called = Cell::new(0);
        let (mut far, mut near) = UnixStream::pair().expect("a pair");
        let (mut ours, mut piece) = (near.try_clone().expect("a second handle"), [0; 8]);
        let reactor = Reactor::new().expect("an epoll");
        let watched = reactor.watch(near.as_fd()).expect("a place");
        reactor.read_with(
            watched,
            Box::new(|| {
                assert!(ours.read(&mut piece).is_ok_and(|count| count == 3), "whole");
                called.set(called.get() + 1);
            }),
        );
        let mut turn = |text: &[u8]| {
            far.write_all(text).expect("written");
            reactor.wait(Time(0), Some(Time(1000))).expect("waited");
            reactor.serve();
            called.get()
        };
        assert_eq!([turn(b""), turn(b"one"), turn(b""), turn(b"two")], [0, 1, 1, 2]);
        reactor.forget(watched);
        assert_eq!(turn(b"end"), 2);
        assert!(near.read(&mut [0; 8]).is_ok_and(|count| count == 3), "left where it was");
    }
}
