// SPDX-License-Identifier: Apache-2.0
//! netifd's object `network.interface` on the bus, as far as weir asks it: a dump, and hints that something changed.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use weir::scribe::Scribe;
use weir::ubus::{Heard, Inbox, Method, Object, Peer};
use weir::units::Time;

static OBJECT: Object =
    Object { path: "network.interface", methods: &[Method { name: "dump", arguments: &[] }] };

/// One network: its name, protocol, whether it is up, and the device it has then.
pub(crate) type Row = (&'static str, &'static str, bool, &'static str);

#[derive(Default)]
struct Desk {
    rows: Vec<Row>,
    hints: usize,
    dumps: usize,
    is_over: bool,
}

/// It, in a thread of its own; ends when it is dropped.
pub(crate) struct Netifd {
    desk: Arc<Mutex<Desk>>,
    thread: Option<JoinHandle<()>>,
}

impl Netifd {
    pub(crate) fn begin(path: &Path, rows: &[Row]) -> Self {
        let desk = Arc::new(Mutex::new(Desk { rows: rows.to_vec(), ..Desk::default() }));
        let mut socket = UnixStream::connect(path).expect("the broker listens");
        let shared = Arc::clone(&desk);
        let thread = std::thread::spawn(move || serve(&mut socket, &shared));
        Self { desk, thread: Some(thread) }
    }

    /// From now on this is how things are; it is told so many times.
    pub(crate) fn tell(&self, rows: &[Row], hints: usize) {
        let mut desk = self.desk.lock().expect("nobody panicked");
        desk.rows = rows.to_vec();
        desk.hints += hints;
    }

    /// How often it was asked.
    pub(crate) fn dumps(&self) -> usize {
        self.desk.lock().expect("nobody panicked").dumps
    }
}

impl Drop for Netifd {
    fn drop(&mut self) {
        if let Ok(mut desk) = self.desk.lock() {
            desk.is_over = true;
        }
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn serve(socket: &mut UnixStream, desk: &Mutex<Desk>) {
    socket.set_read_timeout(Some(Duration::from_millis(5))).expect("a socket");
    let (mut peer, mut inbox) = (Peer::new(Some(&OBJECT), &[]), Inbox::default());
    peer.open(Time(0));
    loop {
        let mut piece = [0; 4096];
        let count = match socket.read(&mut piece) {
            Ok(0) => return,
            Ok(count) => count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
            Err(error) => panic!("{error}"),
        };
        let mut rest = piece.get(..count).expect("a read fits");
        let mut desk = desk.lock().expect("nobody panicked");
        if desk.is_over {
            return;
        }
        while let Some(message) = inbox.take(&mut rest).expect("well-formed") {
            if let Heard::Call(call, ..) = peer.hear(message, Time(0)) {
                desk.dumps += 1;
                peer.answer(call, |out| {
                    out.array("interface", |out| desk.rows.iter().for_each(|row| write(out, row)));
                });
            }
        }
        for _ in 0..std::mem::take(&mut desk.hints) {
            peer.notify("interface.update", |out| out.text("interface", &"wan"));
        }
        let waiting = peer.output().expect("room").to_vec();
        socket.write_all(&waiting).expect("the broker reads");
        peer.sent(waiting.len());
    }
}

/// As `netifd_dump_status` does, of what matters.
fn write(out: &mut weir::ubus::Writer<'_>, (name, proto, is_up, device): &Row) {
    out.table("", |out| {
        out.text("interface", name);
        out.flag("up", *is_up);
        out.flag("pending", !*is_up);
        out.flag("available", true);
        out.text("proto", proto);
        if *is_up {
            out.text("l3_device", device);
        }
    });
}
