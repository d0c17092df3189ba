// SPDX-License-Identifier: Apache-2.0
//! Traffic for the lab: UDP flows whose latency, loss and rate are measured. One file, no crates: `rustc -O flow.rs`.
//!
//! flow echo PORT                                          answers every packet
//! flow probe ADDR:PORT PPS SIZE SECONDS TOS [PRIORITY]    round trips of a paced flow, as JSON
//! flow blast ADDR:PORT PPS SIZE SECONDS TOS [PRIORITY]    a paced flow, numbered
//! flow count PORT SECONDS                                 what arrives of it, as JSON
//! flow serve PORT                                         sends as many bytes as it is asked for
//! flow web ADDR:PORT BYTES SECONDS                        fetches one page after the other, as JSON

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

unsafe extern "C" {
    fn setsockopt(fd: i32, level: i32, name: i32, value: *const i32, len: u32) -> i32;
}

fn set(socket: &UdpSocket, level: i32, name: i32, value: i32) {
    // SAFETY: the kernel reads four bytes of `value`, which lives until the call returns.
    unsafe { setsockopt(socket.as_raw_fd(), level, name, &value, 4) };
}

fn mark(socket: &UdpSocket, tos: i32, priority: i32) {
    set(socket, 0, 1, tos); // IP_TOS
    set(socket, 41, 67, tos); // IPV6_TCLASS
    if priority > 0 {
        set(socket, 1, 12, priority); // SO_PRIORITY, after the TOS, which sets it too
    }
}

struct Flow {
    socket: UdpSocket,
    gap: Duration,
    size: usize,
    count: u64,
}

fn flow(args: &[String]) -> Flow {
    let number = |n: usize| args.get(n).and_then(|a| a.parse::<u64>().ok()).unwrap_or(0);
    let to: SocketAddr = args[0].parse().expect("ADDR:PORT");
    let socket = UdpSocket::bind(if to.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" }).expect("a socket");
    socket.connect(to).expect("a route");
    mark(&socket, number(4) as i32, number(5) as i32);
    Flow { socket, gap: Duration::from_nanos(1_000_000_000 / number(1).max(1)), size: number(2) as usize, count: number(1) * number(3) }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest = args.get(1..).unwrap_or_default();
    match args.first().map(String::as_str) {
        Some("echo") => echo(&rest[0]),
        Some("probe") => probe(&flow(rest)),
        Some("blast") => blast(&flow(rest)),
        Some("serve") => serve(&rest[0]),
        Some("web") => web(&rest[0], rest[1].parse().expect("bytes"), rest[2].parse().expect("seconds")),
        Some("count") => count(&rest[0], rest[1].parse().expect("seconds")),
        _ => panic!("flow echo|probe|blast|count|serve|web"),
    }
}

fn echo(port: &str) {
    let socket = UdpSocket::bind(format!("[::]:{port}")).expect("a socket");
    let mut buffer = [0; 2048];
    while let Ok((size, from)) = socket.recv_from(&mut buffer) {
        let _ = socket.send_to(&buffer[..size], from);
    }
}

fn probe(flow: &Flow) {
    let (start, mut sent, mut trips, mut late) = (Instant::now(), 0u64, Vec::new(), 0u64);
    let (mut packet, mut buffer) = (vec![0; flow.size.max(16)], [0; 2048]);
    let (mut seen, mut last) = (vec![false; flow.count as usize], 0);
    let end = flow.gap * flow.count as u32 + Duration::from_secs(2);
    while start.elapsed() < end {
        let due = flow.gap * sent as u32;
        if sent < flow.count && start.elapsed() >= due {
            packet[..8].copy_from_slice(&sent.to_le_bytes());
            packet[8..16].copy_from_slice(&(start.elapsed().as_nanos() as u64).to_le_bytes());
            let _ = flow.socket.send(&packet);
            sent += 1;
            continue;
        }
        let next = if sent < flow.count { due } else { end };
        let wait = next.saturating_sub(start.elapsed()).max(Duration::from_micros(50));
        flow.socket.set_read_timeout(Some(wait)).expect("a timeout");
        if let Ok(size) = flow.socket.recv(&mut buffer)
            && size >= 16
        {
            let n = u64::from_le_bytes(buffer[..8].try_into().unwrap());
            let at = u64::from_le_bytes(buffer[8..16].try_into().unwrap());
            trips.push((start.elapsed().as_nanos() as u64).saturating_sub(at) / 1000);
            late += u64::from(n < last);
            last = last.max(n);
            seen[n as usize] = true;
        }
    }
    trips.sort_unstable();
    let at = |share: usize| trips.get(trips.len() * share / 100).or(trips.last()).copied().unwrap_or(0);
    println!(
        "{{\"sent\":{sent},\"received\":{},\"longest_loss\":{},\"reordered\":{late},\"p50_us\":{},\"p95_us\":{},\"p99_us\":{},\"max_us\":{}}}",
        trips.len(), longest_gap(&seen), at(50), at(95), at(99), at(100)
    );
}

fn blast(flow: &Flow) {
    let (start, mut packet) = (Instant::now(), vec![0; flow.size.max(16)]);
    for n in 0..flow.count {
        let due = flow.gap * n as u32;
        if let Some(wait) = due.checked_sub(start.elapsed()) {
            std::thread::sleep(wait);
        }
        packet[..8].copy_from_slice(&n.to_le_bytes());
        let _ = flow.socket.send(&packet);
    }
}

fn count(port: &str, seconds: u64) {
    let socket = UdpSocket::bind(format!("[::]:{port}")).expect("a socket");
    set(&socket, 1, 8, 4 << 20); // SO_RCVBUF
    let (mut buffer, mut seen, mut bytes, mut packets) = ([0; 2048], Vec::new(), 0u64, 0u64);
    let (mut first, mut last, mut late, mut highest) = (None, Instant::now(), 0u64, 0);
    let end = Instant::now() + Duration::from_secs(seconds);
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        socket.set_read_timeout(Some(left)).expect("a timeout");
        let Ok(size) = socket.recv(&mut buffer) else { continue };
        let n = u64::from_le_bytes(buffer[..8].try_into().unwrap()) as usize;
        if n < 10_000_000 {
            if n >= seen.len() {
                seen.resize(n + 1, false);
            }
            seen[n] = true;
            late += u64::from(n < highest);
            highest = highest.max(n);
        }
        // The first packet starts the clock and is not counted: n packets are n - 1 gaps.
        match first {
            None => first = Some(Instant::now()),
            Some(_) => (packets, bytes) = (packets + 1, bytes + size as u64),
        }
        last = Instant::now();
    }
    let micros = first.map_or(0, |first| last.duration_since(first).as_micros() as u64).max(1);
    println!(
        "{{\"packets\":{packets},\"bytes\":{bytes},\"us\":{micros},\"packets_per_1000s\":{},\"bps\":{},\"longest_loss\":{},\"reordered\":{late}}}",
        packets * 1_000_000_000 / micros, bytes * 8_000_000 / micros, longest_gap(&seen)
    );
}

fn serve(port: &str) {
    let listener = TcpListener::bind(format!("[::]:{port}")).expect("a socket");
    for mut stream in listener.incoming().flatten() {
        std::thread::spawn(move || {
            let mut wanted = [0; 8];
            if stream.read_exact(&mut wanted).is_ok() {
                let _ = stream.write_all(&vec![7; u64::from_le_bytes(wanted) as usize]);
            }
        });
    }
}

fn web(to: &str, bytes: u64, seconds: u64) {
    let (end, mut times) = (Instant::now() + Duration::from_secs(seconds), Vec::new());
    while Instant::now() < end {
        let start = Instant::now();
        let Ok(mut stream) = TcpStream::connect(to) else { continue };
        let _ = stream.set_nodelay(true);
        let _ = stream.write_all(&bytes.to_le_bytes());
        let mut page = Vec::new();
        if stream.read_to_end(&mut page).is_ok() && page.len() as u64 == bytes {
            times.push(start.elapsed().as_micros() as u64);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).or(times.last()).copied().unwrap_or(0);
    println!("{{\"received\":{},\"p50_us\":{},\"p95_us\":{},\"p99_us\":{}}}", times.len(), at(50), at(95), at(99));
}

/// The longest run of packets that never arrived, between ones that did.
fn longest_gap(seen: &[bool]) -> usize {
    seen.split(|arrived| *arrived).map(<[bool]>::len).max().unwrap_or(0)
}
