// SPDX-License-Identifier: Apache-2.0
//! Our own reactor: one epoll, one deadline, wakers in a fixed table, one thread.
//!
//! smol's own (async-io) starts a second thread, wakes 7 times a second for a 1 s timer and adds 90 KB on MIPS; this
//! wakes when something happened and never else. Tasks run on smol's `LocalExecutor`.

use crate::units::Time;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use smol::{LocalExecutor, Task};
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::os::fd::BorrowedFd;
use std::task::{Poll, Waker};

/// Files waited for: the monitor, signals, and room for ubus and probes.
const SLOTS: usize = 24;

#[derive(Default)]
struct Slot {
    is_used: bool,
    is_ready: bool,
    waker: Option<Waker>,
}

/// Waits for files and for one moment.
pub struct Reactor {
    epoll: Epoll,
    slots: RefCell<[Slot; SLOTS]>,
}

/// A file the reactor watches.
#[derive(Clone, Copy, Debug)]
pub struct Watched(usize);

impl Reactor {
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

    /// Whether something has happened to a file that no task waits for; asked once.
    pub fn take_ready(&self, watched: Watched) -> bool {
        let mut slots = self.slots.borrow_mut();
        slots.get_mut(watched.0).is_some_and(|slot| std::mem::take(&mut slot.is_ready))
    }

    /// Gives up a place whose file is closed, or will be at once: the kernel forgets a closed file by itself.
    pub fn forget(&self, file: Watched) {
        if let Some(slot) = self.slots.borrow_mut().get_mut(file.0) {
            *slot = Slot::default();
        }
    }

    /// A task that calls `read` whenever there is something to read; it reads until there is nothing left.
    ///
    /// The one kind of task: an executor is compiled for each kind it runs, some 3 KB on MIPS.
    pub fn serve<'a>(
        &'a self,
        tasks: &LocalExecutor<'a>,
        file: Watched,
        mut read: Box<dyn FnMut() + 'a>,
    ) -> Task<()> {
        tasks.spawn(async move {
            loop {
                self.readable(file).await;
                read();
            }
        })
    }

    /// Ends when there is something to read; the task then reads until there is nothing left.
    pub async fn readable(&self, file: Watched) {
        poll_fn(|context| {
            let mut slots = self.slots.borrow_mut();
            let Some(slot) = slots.get_mut(file.0) else { return Poll::Pending };
            if std::mem::take(&mut slot.is_ready) {
                return Poll::Ready(());
            }
            slot.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Sleeps until a watched file can be read or `deadline` has come, and wakes the tasks concerned.
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
                if let Some(waker) = slot.waker.take() {
                    waker.wake();
                }
            }
        }
        Ok(())
    }
}
