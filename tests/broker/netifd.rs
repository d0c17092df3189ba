// SPDX-License-Identifier: Apache-2.0
//! netifd's object `network.interface` on the bus, as far as weir asks it: a dump, and hints that something changed.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use weir::scribe::Scribe;
use weir::ubus::{Heard, Inbox, Method, Object, Peer, Status, Type};
use weir::units::Time;

static OBJECT: Object = Object { path: "network.interface", methods: &[DUMP, STATUS] };
const DUMP: Method = Method { name: "dump", arguments: &[] };
const STATUS: Method = Method { name: "status", arguments: &[("interface", Type::Text)] };

/// One network: its name, protocol, whether it is up, and the device it has then.
pub(crate) type Row<'a> = (&'a str, &'a str, bool, &'a str);

/// The same, to be kept.
pub(crate) struct Network {
    name: String,
    proto: String,
    is_up: bool,
    device: String,
}

impl From<Row<'_>> for Network {
    fn from((name, proto, is_up, device): Row<'_>) -> Self {
        Self { name: name.into(), proto: proto.into(), is_up, device: device.into() }
    }
}

/// What it knows, and what is to be told.
#[derive(Default)]
pub(crate) struct Desk {
    networks: Vec<Network>,
    hints: usize,
    dumps: usize,
    /// How many of them are refused.
    refuses: usize,
    /// Bytes that each dump has besides.
    ballast: usize,
    is_over: bool,
}

impl Desk {
    /// From now on this is how things are; it is told so many times.
    pub(crate) fn change(&mut self, networks: Vec<Network>, hints: usize) {
        self.networks = networks;
        self.hints += hints;
    }
}

/// It, in a thread of its own; ends when it is dropped.
pub(crate) struct Netifd {
    desk: Arc<Mutex<Desk>>,
    thread: Option<JoinHandle<()>>,
}

impl Netifd {
    pub(crate) fn begin(path: &Path, rows: &[Row<'_>]) -> Self {
        let networks = rows.iter().map(|row| Network::from(*row)).collect();
        let desk = Arc::new(Mutex::new(Desk { networks, ..Desk::default() }));
        let mut socket = UnixStream::connect(path).expect("the broker listens");
        let shared = Arc::clone(&desk);
        let thread = std::thread::spawn(move || serve(&mut socket, &shared));
        Self { desk, thread: Some(thread) }
    }

    /// From now on this is how things are; it is told so many times.
    pub(crate) fn tell(&self, rows: &[Row<'_>], hints: usize) {
        let networks = rows.iter().map(|row| Network::from(*row)).collect();
        self.desk.lock().expect("nobody panicked").change(networks, hints);
    }

    /// The first dumps are refused, as long as there were no more than `count`.
    pub(crate) fn refuse(&self, count: usize) {
        self.desk.lock().expect("nobody panicked").refuses = count;
    }

    /// Dumps are larger by so many bytes.
    pub(crate) fn weigh(&self, ballast: usize) {
        self.desk.lock().expect("nobody panicked").ballast = ballast;
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

/// Answers and tells, until the bus ends.
pub(crate) fn serve(socket: &mut UnixStream, desk: &Mutex<Desk>) {
    socket.set_read_timeout(Some(Duration::from_millis(5))).expect("a socket");
    let (mut peer, mut inbox) = (Peer::new(Some(&OBJECT), &[]), Inbox::default());
    peer.open(Time(0));
    loop {
        let mut piece = [0; 4096];
        let count = match socket.read(&mut piece) {
            Ok(0) => return,
            Ok(count) => count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
            Err(_) => return,
        };
        let mut rest = piece.get(..count).expect("a read fits");
        let mut desk = desk.lock().expect("nobody panicked");
        if desk.is_over {
            return;
        }
        while let Some(message) = inbox.take(&mut rest).expect("well-formed") {
            if let Heard::Call(call, method, given) = peer.hear(message, Time(0)) {
                if method == STATUS.name {
                    let is_it = |network: &&Network| Some(network.name.as_str()) == given.text("interface");
                    match desk.networks.iter().find(is_it) {
                        Some(network) => peer.answer(call, |out| fields(out, network)),
                        None => peer.finish(call, Status::NOT_FOUND),
                    }
                    continue;
                }
                desk.dumps += 1;
                if desk.dumps <= desk.refuses {
                    peer.finish(call, Status::UNKNOWN);
                    continue;
                }
                peer.answer(call, |out| {
                    out.array("interface", |out| {
                        desk.networks.iter().for_each(|network| write(out, network));
                    });
                    out.text("ballast", &"x".repeat(desk.ballast));
                });
            }
        }
        for _ in 0..std::mem::take(&mut desk.hints) {
            peer.notify("interface.update", |out| out.text("interface", &"wan"));
        }
        let waiting = peer.output().expect("room").to_vec();
        if socket.write_all(&waiting).is_err() {
            return;
        }
        peer.sent(waiting.len());
    }
}

/// As `netifd_dump_status` does, of what matters.
fn write(out: &mut weir::ubus::Writer<'_>, network: &Network) {
    out.table("", |out| {
        out.text("interface", &network.name);
        fields(out, network);
    });
}

/// The same without its name, as `status` has it.
fn fields(out: &mut weir::ubus::Writer<'_>, network: &Network) {
    let Network { proto, is_up, device, .. } = network;
    out.flag("up", *is_up);
    out.flag("pending", !*is_up);
    out.flag("available", true);
    out.text("proto", proto);
    if *is_up {
        out.text("l3_device", device);
    }
}
