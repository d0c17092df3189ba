// SPDX-License-Identifier: Apache-2.0
//! Probes against the kernel itself, in a network of their own. As anybody but root they are skipped, with a word.

use super::*;
use std::net::{Ipv4Addr, Ipv6Addr, UdpSocket};
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
        std::fs::write(format!("/proc/sys/net/{}", name.replace('.', "/")), "1").expect("root may");
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
