// SPDX-License-Identifier: Apache-2.0
//! weir's end of the bus over real sockets, with the broker of the crate ubusd between: one peer serves, one follows it.

mod broker;

use broker::Bus;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};
use weir::scribe::Scribe;
use weir::ubus::{Heard, Inbox, Method, Object, Peer, Status, Type};
use weir::units::Time;

static OBJECT: Object = Object {
    path: "weir",
    methods: &[Method { name: "hold", arguments: &[("wan", Type::Text), ("on", Type::Flag)] }],
};

/// A peer on a socket.
struct Client {
    peer: Peer,
    inbox: Inbox,
    socket: Option<UnixStream>,
    said: Vec<String>,
}

impl Client {
    fn new(peer: Peer) -> Self {
        Self { peer, inbox: Inbox::default(), socket: None, said: Vec::new() }
    }

    fn connect(&mut self, path: &Path) {
        let socket = UnixStream::connect(path).expect("the broker listens");
        socket.set_nonblocking(true).expect("a socket");
        (self.socket, self.inbox) = (Some(socket), Inbox::default());
        self.peer.open(Time(0));
    }

    /// Reads what there is, in pieces of an odd size, serves calls, writes what fits.
    fn turn(&mut self) {
        let Self { peer, inbox, socket, said } = self;
        let Some(stream) = socket else { return };
        let mut piece = [0; 13];
        loop {
            let count = match stream.read(&mut piece) {
                Ok(0) => {
                    peer.close();
                    said.push("closed".into());
                    *socket = None;
                    return;
                }
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("{error}"),
            };
            let mut rest = piece.get(..count).expect("a read fits");
            while let Some(message) = inbox.take(&mut rest).expect("well-formed") {
                match peer.hear(message, Time(0)) {
                    Heard::Nothing => {}
                    Heard::Call(call, _, given) => {
                        let (wan, on) = (given.text("wan").unwrap_or("none"), given.flag("on"));
                        peer.answer(call, |out| out.text("held", &format_args!("{wan} {on:?}")));
                    }
                    Heard::Answer(_, given) => said.push(format!("held {:?}", given.text("held"))),
                    Heard::Done(_, status) => said.push(format!("done {}", status.0)),
                    Heard::Told(n, what, given) => said.push(format!("{n} {what} {:?}", given.number("bps"))),
                    other => said.push(format!("{other:?}")),
                }
            }
        }
        let out = peer.output().expect("room");
        let count = if out.is_empty() { 0 } else { stream.write(out).expect("writes") };
        peer.sent(count);
    }
}

/// Turns both until `one` (of the two) has said `what`, and forgets what it said up to that.
fn until(clients: &mut [Client; 2], one: usize, what: &str) {
    let begun = Instant::now();
    loop {
        let said = &mut clients.get_mut(one).expect("one of the two").said;
        if let Some(at) = said.iter().position(|said| said == what) {
            said.drain(..=at);
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}? {said:?}");
        clients.iter_mut().for_each(Client::turn);
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn an_object_is_found_called_heard_and_found_again_when_the_bus_has_begun_anew() {
    const SERVER: usize = 0;
    const FOLLOWER: usize = 1;
    let path = std::env::temp_dir().join(format!("weir-ubus-{}", std::process::id()));
    let mut clients = [Client::new(Peer::new(Some(&OBJECT), &[])), Client::new(Peer::new(None, &["weir"]))];
    for _ in 0..2 {
        let bus = Bus::begin(&path);
        // The follower comes first: it finds the object by the news of it.
        clients[FOLLOWER].connect(&path);
        for _ in 0..50 {
            clients[FOLLOWER].turn();
            std::thread::sleep(Duration::from_millis(1));
        }
        clients[SERVER].connect(&path);
        if std::fs::metadata("/proc/self").expect("a process").uid() != 0 {
            // The bus lets nobody but root name an object without a file of rights, which must be root's, too.
            until(&mut clients, SERVER, &format!("{:?}", Heard::Unnamed(Status::INVALID_ARGUMENT)));
            return;
        }
        assert!(!clients[SERVER].peer.is_watched());
        until(&mut clients, FOLLOWER, "Here(0)");
        until(&mut clients, SERVER, "Watched(true)");

        let call = |client: &mut Client, method: &str, flag: bool| {
            let ticket = client.peer.call(0, method, Time(0), |out| {
                out.text("wan", &"wan");
                if flag {
                    out.flag("on", true);
                } else {
                    out.number("on", 1);
                }
                out.text("ubus_rpc_session", &"00000000000000000000000000000000");
            });
            assert!(ticket.is_some());
        };
        call(&mut clients[FOLLOWER], "hold", true);
        until(&mut clients, FOLLOWER, "held Some(\"wan Some(true)\")");
        until(&mut clients, FOLLOWER, "done 0");
        call(&mut clients[FOLLOWER], "hold", false);
        until(&mut clients, FOLLOWER, "done 2");
        until(&mut clients, SERVER, "Refused(\"hold\", Some(\"on\"))");
        call(&mut clients[FOLLOWER], "nothing", true);
        until(&mut clients, FOLLOWER, "done 3");

        clients[SERVER].peer.notify("rate", |out| out.count("bps", 90_000_000_000));
        clients[SERVER].peer.send("weir.alert", |out| out.text("what", &"test"));
        until(&mut clients, FOLLOWER, "0 rate Some(90000000000)");

        // The object goes alone, then comes again.
        clients[SERVER].socket = None;
        clients[SERVER].peer.close();
        until(&mut clients, FOLLOWER, "Gone(0)");
        clients[SERVER].connect(&path);
        until(&mut clients, FOLLOWER, "Here(0)");

        clients.iter_mut().for_each(|client| client.said.clear());
        drop(bus);
        until(&mut clients, SERVER, "closed");
        until(&mut clients, FOLLOWER, "closed");
    }
}
