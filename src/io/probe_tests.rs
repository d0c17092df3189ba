// SPDX-License-Identifier: Apache-2.0
//! Probes against the kernel itself, in a network of their own. As anybody but root they are skipped, with a word.

use super::*;
use nix::net::if_::if_nametoindex;
use std::fs;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, UdpSocket};
use std::process::Command;
use std::time::Duration;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// Runs the test of this name again in a network of its own, where nothing but the loopback is; gives `true` inside.
pub(in crate::io) fn is_inside(module: &str, test: &str) -> bool {
    const INSIDE: &str = "WEIR_TEST_INSIDE";
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let enter = "ip link set lo up && exec \"$0\" --exact \"$1\" --nocapture --test-threads=1";
    let name = format!("io::{module}::tests::{test}");
    let program = std::env::current_exe().expect("this test has a file");
    let has_network = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    // Under user emulation the kernel cannot start this very program again.
    if !has_network(Command::new(&program).arg("--list")) {
        println!("{test}: skipped: this machine's kernel cannot start the program by itself");
        return false;
    }
    if !has_network(Command::new("unshare").args(["-n", "ip", "link", "set", "lo", "up"])) {
        println!("{test}: skipped: needs root, unshare and ip");
        return false;
    }
    let mut command = Command::new("unshare");
    let output = command.args(["-n", "sh", "-c", enter]).arg(program).arg(name).env(INSIDE, "1").output();
    let output = output.expect("unshare was there a moment ago");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    false
}

fn open() -> Probes {
    Probes::open(&DeviceName::new("lo").expect("a name"), Some(5)).expect("root may")
}

/// Everything heard within a fifth of a second.
fn hear(probes: &mut Probes) -> Vec<Heard> {
    std::thread::sleep(Duration::from_millis(200));
    std::iter::from_fn(|| probes.read()).collect()
}

#[test]
fn echo_and_timestamp_are_answered_in_both_families_and_timed_by_the_kernel() {
    if !is_inside("probe", "echo_and_timestamp_are_answered_in_both_families_and_timed_by_the_kernel") {
        return;
    }
    let mut probes = open();
    let reactor = crate::io::reactor::Reactor::new().expect("epoll");
    reactor.watch(probes.as_fd()).expect("a place");
    let began = clock::now();
    let asked =
        [(V4, Question::Echo), (V4, Question::Timestamp), (V6, Question::Echo), (V6, Question::Timestamp)];
    for (id, (to, question)) in (1..).zip(asked) {
        assert!(probes.send(id as u16, to, question, id).expect("sent"));
    }
    // Were it not readable, this would last for a minute.
    reactor.wait(clock::now(), Some(clock::now() + Micros::secs(60))).expect("wakes");
    assert!(clock::now() - began < Micros::secs(5));
    let mut heard = hear(&mut probes);
    heard.sort_by_key(|heard| heard.id);
    assert_eq!(heard.iter().map(|heard| heard.id).collect::<Vec<_>>(), [1, 2, 3, 4]);
    for heard in &heard {
        let trip = heard.received - heard.sent;
        // We slept for 200 ms before reading; the kernel was faster.
        assert!(heard.sent <= heard.received && trip < Micros::ms(50), "{}: {trip}", heard.id);
        assert_eq!(heard.one_way.is_some(), heard.id == 2);
        assert_eq!(u32::from(heard.reflector), heard.id);
    }
    assert_eq!((probes.forged, probes.late), (0, 0));
}

#[test]
fn a_forged_answer_is_counted_and_not_believed() {
    if !is_inside("probe", "a_forged_answer_is_counted_and_not_believed") {
        return;
    }
    let mut probes = open();
    // Nobody there answers by itself, so what is heard is forged.
    for name in ["ipv4.icmp_echo_ignore_all", "ipv6.icmp.echo_ignore_all"] {
        fs::write(format!("/proc/sys/net/{}", name.replace('.', "/")), "1").expect("root may");
    }
    let forge = |is_v6: bool, bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let (family, protocol, to) = if is_v6 {
            (AddressFamily::Inet6, SockProtocol::IcmpV6, V6)
        } else {
            let sum = bytes.chunks(2).map(|two| u32::from(two[0]) << 8 | u32::from(two[1])).sum::<u32>();
            let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
            bytes[2..4].copy_from_slice(&sum.to_be_bytes());
            (AddressFamily::Inet, SockProtocol::Icmp, V4)
        };
        let raw = socket(family, SockType::Raw, SockFlag::empty(), protocol).expect("root may");
        let to = SockaddrStorage::from(SocketAddr::new(to, 0));
        sendto(raw.as_raw_fd(), &bytes, &to, MsgFlags::empty()).expect("sent");
    };
    for (is_v6, to, reply) in [(false, V4, 0), (true, V6, 129)] {
        assert!(probes.send(3, to, Question::Echo, 7).expect("sent"));
        let [a, b] = probes.id.to_be_bytes();
        let mut right = vec![reply, 0, 0, 0, a, b, 0, 7];
        right.extend(probes.key.of(3, 7).to_be_bytes());
        assert!(hear(&mut probes).is_empty());
        let before = probes.forged;

        let mut wrong = right.clone();
        wrong[12] ^= 1;
        forge(is_v6, &wrong);
        wrong = right.clone();
        wrong[7] = 8;
        forge(is_v6, &wrong);
        assert!(hear(&mut probes).is_empty());
        assert_eq!(probes.forged - before, 2);

        // Another program's number does not even wake us, nor does another kind of message.
        wrong = right.clone();
        wrong[5] ^= 1;
        forge(is_v6, &wrong);
        wrong = right.clone();
        wrong[0] = if is_v6 { 1 } else { 3 };
        forge(is_v6, &wrong);
        assert!(hear(&mut probes).is_empty());
        assert_eq!(probes.forged - before, 2);

        forge(is_v6, &right);
        assert_eq!(hear(&mut probes).len(), 1, "the right cookie is believed");
    }
    // One that was true once, but whose probe was forgotten.
    assert!(probes.send(3, V4, Question::Echo, 7 + limits::PROBES as u32).expect("sent"));
    let [a, b] = probes.id.to_be_bytes();
    let mut old = vec![0, 0, 0, 0, a, b, 0, 7];
    old.extend(probes.key.of(3, 7).to_be_bytes());
    forge(false, &old);
    assert!(hear(&mut probes).is_empty());
    assert_eq!(probes.late, 1);
}

#[test]
fn a_resolver_answers_in_both_families_and_nobody_for_it() {
    if !is_inside("probe", "a_resolver_answers_in_both_families_and_nobody_for_it") {
        return;
    }
    let mut probes = open();
    for (to, id) in [(V4, 1), (V6, 2)] {
        let server = UdpSocket::bind((to, dns::PORT)).expect("root may");
        assert!(probes.send(9, to, Question::Dns, id).expect("sent"));
        let mut bytes = [0; 512];
        let (size, from) = server.recv_from(&mut bytes).expect("a question");
        bytes[2] |= 0x80;
        let other = UdpSocket::bind((to, 5353)).expect("free");
        other.send_to(&bytes[..size], from).expect("sent");
        assert!(hear(&mut probes).is_empty(), "from another port");
        bytes[13] ^= 0x20;
        server.send_to(&bytes[..size], from).expect("sent");
        assert!(hear(&mut probes).is_empty(), "in another case");
        assert_eq!(probes.forged, id * 2);
        bytes[13] ^= 0x20;
        server.send_to(&bytes[..size], from).expect("sent");
        let heard = hear(&mut probes);
        assert_eq!(heard.iter().map(|heard| (heard.id, heard.reflector)).collect::<Vec<_>>(), [(id, 9)]);
    }
}

#[test]
fn what_cannot_be_sent_is_told_once() {
    if !is_inside("probe", "what_cannot_be_sent_is_told_once") {
        return;
    }
    let mut probes = open();
    let nowhere: IpAddr = "2001:db8::1".parse().expect("an address");
    assert!(probes.send(0, nowhere, Question::Echo, 1).is_err(), "there is no route");
    assert!(!probes.send(0, nowhere, Question::Echo, 2).expect("known"));
    assert!(probes.send(0, V4, Question::Echo, 3).expect("the other family"));
    assert!(!probes.send(0, nowhere, Question::Echo, 4).expect("still known"));
    assert!(probes.send(0, V6, Question::Echo, 5).expect("sent"));
    assert!(probes.send(0, nowhere, Question::Echo, 6).is_err(), "again");
}

#[test]
fn sockets_follow_their_device_when_it_comes_back_with_another_number() {
    if !is_inside("probe", "sockets_follow_their_device_when_it_comes_back_with_another_number") {
        return;
    }
    let run = |line: &str| {
        let done = Command::new("ip").args(line.split(' ')).status().expect("ip was there a moment ago");
        assert!(done.success(), "ip {line}");
    };
    let make = || {
        run("link add weir0 type veth peer name weir1");
        run("link set weir0 up");
        run("link set weir1 up");
        run("addr add 192.0.2.1/24 dev weir0");
    };
    make();
    let far: IpAddr = "192.0.2.2".parse().expect("an address");
    let mut probes = Probes::open(&DeviceName::new("weir0").expect("a name"), None).expect("root may");
    assert!(probes.send(0, far, Question::Echo, 1).expect("sent"));
    run("link del weir0");
    assert!(probes.send(0, far, Question::Echo, 2).is_err());
    make();
    let _ = probes.send(0, far, Question::Echo, 3);
    assert!(probes.send(0, far, Question::Echo, 4).expect("sent"));
}

/// How many files this process has open.
fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").expect("a kernel of ours").count()
}

/// A number of `/proc/net/snmp`, of TCP.
fn tcp_count(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/net/snmp").expect("a kernel of ours");
    let [names, values] = [0, 1].map(|n| text.lines().filter(|line| line.starts_with("Tcp:")).nth(n));
    let mut pairs = names.expect("names").split(' ').zip(values.expect("values").split(' '));
    pairs.find(|(known, _)| *known == name).expect("a name").1.parse().expect("a number")
}

/// The program of a socket that hears nothing, and of one that hears everything.
const DEAF: [Insn; 1] = [insn(RET_K, 0, 0, 0)];
const HEARING: [Insn; 1] = [insn(RET_K, 0, 0, 0xffff)];

#[test]
fn a_connection_is_answered_by_an_open_port_and_a_closed_one_in_three_packets_and_two() {
    let name = "a_connection_is_answered_by_an_open_port_and_a_closed_one_in_three_packets_and_two";
    if !is_inside("probe", name) {
        return;
    }
    let mut probes = open();
    let reactor = crate::io::reactor::Reactor::new().expect("epoll");
    reactor.watch(probes.as_fd()).expect("a place");
    for (id, to) in [(1, V4), (2, V6)] {
        for is_open in [true, false] {
            let server = is_open.then(|| TcpListener::bind((to, HTTPS)).expect("root may"));
            let [out, resets] = ["OutSegs", "OutRsts"].map(tcp_count);
            assert!(probes.send(4, to, Question::Tcp, id).expect("sent"));
            reactor.wait(clock::now(), Some(clock::now() + Micros::secs(60))).expect("wakes");
            if is_open {
                // TCP's own measurement does not grow while nobody reads it; its ACK waits for 200 ms.
                std::thread::sleep(Duration::from_millis(100));
            }
            let heard: Vec<_> = std::iter::from_fn(|| probes.read()).collect();
            assert_eq!(heard.iter().map(|heard| (heard.id, heard.reflector)).collect::<Vec<_>>(), [(id, 4)]);
            let trip = heard[0].received - heard[0].sent;
            assert!(heard[0].sent < heard[0].received && trip < Micros::ms(50), "{to} {is_open}: {trip}");
            assert_eq!(heard[0].one_way, None);
            std::thread::sleep(Duration::from_millis(300));
            // SYN, SYN/ACK, RST of ours; or SYN and RST of theirs.
            assert_eq!(tcp_count("OutSegs") - out, if is_open { 3 } else { 2 }, "{to} {is_open}");
            assert_eq!(tcp_count("OutRsts") - resets, 1, "{to} {is_open}");
            if let Some(server) = server {
                server.set_nonblocking(true).expect("may");
                assert!(server.accept().is_err(), "the program there hears nothing of it");
            }
        }
    }
    let table = fs::read_to_string("/proc/net/tcp").expect("a table");
    assert_eq!(table.lines().count(), 1, "nothing is left, in no state: {table}");
}

#[test]
fn a_connection_nobody_answers_is_closed_and_one_answered_after_a_second_syn_does_not_count() {
    let name = "a_connection_nobody_answers_is_closed_and_one_answered_after_a_second_syn_does_not_count";
    if !is_inside("probe", name) {
        return;
    }
    let mut probes = open();
    let server = TcpListener::bind((V4, HTTPS)).expect("root may");
    sys::attach_filter(&server, &DEAF).expect("one instruction");
    let (files, resent) = (open_files(), tcp_count("RetransSegs"));
    for id in 1..=3 {
        assert!(probes.send(0, V4, Question::Tcp, id).expect("sent"));
    }
    assert!(hear(&mut probes).is_empty());
    assert_eq!(open_files(), files + 3);
    std::thread::sleep(Duration::from_millis(1200));
    assert!(hear(&mut probes).is_empty());
    assert_eq!(open_files(), files, "waited for no longer");
    assert_eq!(tcp_count("RetransSegs") - resent, 3, "once each");

    // The first SYN is lost, the second one is answered.
    assert!(probes.send(0, V4, Question::Tcp, 4).expect("sent"));
    assert!(hear(&mut probes).is_empty());
    sys::attach_filter(&server, &HEARING).expect("one instruction");
    let accepted = tcp_count("InSegs");
    std::thread::sleep(Duration::from_millis(1200));
    assert!(tcp_count("InSegs") > accepted + 1, "it was answered");
    assert!(hear(&mut probes).is_empty(), "but to which of the two?");
    assert_eq!(open_files(), files);
    // The same by a RST.
    sys::attach_filter(&server, &DEAF).expect("one instruction");
    assert!(probes.send(0, V4, Question::Tcp, 5).expect("sent"));
    assert!(hear(&mut probes).is_empty());
    drop(server);
    std::thread::sleep(Duration::from_millis(1200));
    assert!(hear(&mut probes).is_empty(), "but to which of the two?");
    assert_eq!(open_files(), files - 1);
    assert!(probes.send(0, V4, Question::Tcp, 6).expect("sent"));
    assert_eq!(hear(&mut probes).len(), 1, "it is a closed port");
}

#[test]
fn no_connection_keeps_its_file_and_no_more_than_the_table_holds_are_open() {
    if !is_inside("probe", "no_connection_keeps_its_file_and_no_more_than_the_table_holds_are_open") {
        return;
    }
    let mut probes = open();
    let files = open_files();
    let _server = TcpListener::bind((V4, HTTPS)).expect("root may");
    // Nobody listens at the other one, and nobody reads for a while.
    for id in 1..=200 {
        let to = if id % 3 == 0 { V6 } else { V4 };
        assert!(probes.send(0, to, Question::Tcp, id).expect("sent"));
        assert!(open_files() <= files + 1 + limits::HANDSHAKES);
        if id % 50 == 49 {
            // Soon: an ACK, which waits for 200 ms, would leave them in the server's queue.
            std::thread::sleep(Duration::from_millis(50));
            assert_eq!(std::iter::from_fn(|| probes.read()).count(), limits::HANDSHAKES);
        }
    }
    assert_eq!(hear(&mut probes).len(), 1);
    assert_eq!(open_files(), files + 1);
    // One that cannot be sent keeps none either.
    let nowhere: IpAddr = "2001:db8::1".parse().expect("an address");
    assert!(probes.send(0, nowhere, Question::Tcp, 201).is_err(), "there is no route");
    assert!(!probes.send(0, nowhere, Question::Tcp, 202).expect("known"));
    assert_eq!(open_files(), files + 1);
}

/// A reflector made of bytes at the other end of a veth, which answers connections as it is told.
struct Wire {
    socket: OwnedFd,
}

impl Wire {
    const FAR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

    /// Makes the device `weir0` that leads to it.
    fn open() -> Self {
        for line in [
            "link add weir0 type veth peer name weir1",
            "link set weir0 address 02:00:00:00:00:01 up",
            "link set weir1 address 02:00:00:00:00:02 up",
            "addr add 192.0.2.1/24 dev weir0",
            "neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev weir0 nud permanent",
        ] {
            let done = Command::new("ip").args(line.split(' ')).status().expect("ip was there a moment ago");
            assert!(done.success(), "ip {line}");
        }
        let flags = SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Packet, SockType::Raw, flags, None).expect("root may");
        let index = if_nametoindex("weir1").expect("made a moment ago");
        sys::bind_to_device(&socket, index).expect("it is there");
        Self { socket }
    }

    /// The TCP flags of everything that came to port 443 since the last time, and the last of those frames.
    fn seen(&self) -> (Vec<u8>, Vec<u8>) {
        let (mut flags, mut last) = (Vec::new(), Vec::new());
        let mut buffer = [0; 2048];
        while let Ok(size) = nix::unistd::read(&self.socket, &mut buffer) {
            let frame = &buffer[..size];
            let is_tcp = frame.get(12..14) == Some(&[8, 0]) && frame.get(23) == Some(&6);
            if is_tcp && frame.get(36..38) == Some(&HTTPS.to_be_bytes()) {
                // A reset of ours has an ACK or not, by the kernel's age.
                let is_reset = frame[47] & RST > 0;
                flags.push(if is_reset { RST } else { frame[47] });
                last = frame.to_vec();
            }
        }
        (flags, last)
    }

    /// Answers the SYN in `frame` with these flags, and an acknowledgement that is so far off.
    fn answer(&self, frame: &[u8], flags: u8, off: u32) {
        let mut out = Vec::new();
        out.extend_from_slice(&frame[6..12]);
        out.extend_from_slice(&frame[..6]);
        out.extend_from_slice(&[8, 0]);
        let mut ip = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0];
        ip.extend_from_slice(&frame[30..34]);
        ip.extend_from_slice(&frame[26..30]);
        let sum = checksum(&ip);
        ip[10..12].copy_from_slice(&sum);
        let sequence = u32::from_be_bytes(frame[38..42].try_into().expect("four"));
        let mut tcp = Vec::new();
        tcp.extend_from_slice(&frame[36..38]);
        tcp.extend_from_slice(&frame[34..36]);
        tcp.extend_from_slice(&[0, 0, 0, 9]);
        tcp.extend(sequence.wrapping_add(1).wrapping_add(off).to_be_bytes());
        tcp.extend_from_slice(&[0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        let pseudo = [&ip[12..20], &[0, 6, 0, 20], &tcp].concat();
        tcp[16..18].copy_from_slice(&checksum(&pseudo));
        out.extend(ip);
        out.extend(tcp);
        nix::unistd::write(&self.socket, &out).expect("the device is up");
    }
}

/// The Internet checksum of an even number of bytes (RFC 1071).
fn checksum(bytes: &[u8]) -> [u8; 2] {
    let mut sum = bytes.chunks(2).map(|two| u32::from(two[0]) << 8 | u32::from(two[1])).sum::<u32>();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    (!(sum as u16)).to_be_bytes()
}

const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;

#[test]
fn a_connection_is_timed_by_tcp_and_its_sequence_number_is_its_cookie() {
    if !is_inside("probe", "a_connection_is_timed_by_tcp_and_its_sequence_number_is_its_cookie") {
        return;
    }
    let wire = Wire::open();
    let mut probes = Probes::open(&DeviceName::new("weir0").expect("a name"), None).expect("root may");
    // Who knows the port and guesses the number makes the kernel send the SYN again at once, so it does not count.
    for off in [1, 0x8000_0000, u32::MAX] {
        for flags in [SYN | ACK, RST | ACK] {
            assert!(probes.send(7, Wire::FAR.into(), Question::Tcp, 9).expect("sent"));
            wire.answer(&wire.seen().1, flags, off);
            assert!(hear(&mut probes).is_empty(), "{off} {flags}");
            wire.seen();
        }
    }
    for (id, flags) in [(1, SYN | ACK), (2, RST | ACK)] {
        assert!(probes.send(7, Wire::FAR.into(), Question::Tcp, id).expect("sent"));
        let (seen, syn) = wire.seen();
        assert_eq!(seen, [SYN]);
        std::thread::sleep(Duration::from_millis(200));
        wire.answer(&syn, flags, 0);
        // Before the ACK that waits for 200 ms.
        std::thread::sleep(Duration::from_millis(100));
        let heard: Vec<_> = std::iter::from_fn(|| probes.read()).collect();
        assert_eq!(heard.iter().map(|heard| (heard.id, heard.reflector)).collect::<Vec<_>>(), [(id, 7)]);
        let trip = heard[0].received - heard[0].sent;
        // Read a tenth of a second after it came: TCP knows better than we, but of a RST it keeps no time.
        let (within, ends) = if flags & SYN > 0 { (200..300, vec![RST]) } else { (300..400, vec![]) };
        assert!(within.contains(&(trip.0 / 1000)), "{trip}");
        assert_eq!(wire.seen().0, ends, "no ACK, no FIN");
    }
    // After it was given up, it is answered by the kernel.
    assert!(probes.send(7, Wire::FAR.into(), Question::Tcp, 3).expect("sent"));
    let (_, syn) = wire.seen();
    std::thread::sleep(Duration::from_millis(1200));
    assert!(hear(&mut probes).is_empty());
    assert_eq!(wire.seen().0, [SYN], "the second and last one");
    wire.answer(&syn, SYN | ACK, 0);
    assert!(hear(&mut probes).is_empty());
    assert_eq!(wire.seen().0, [RST]);
}
