// SPDX-License-Identifier: Apache-2.0
//! Numbered UDP packets, one way or there and back.
//!
//! A packet starts with stream (4 bytes), number (4), time sent (8) and DSCP (1); the rest is filling.

use crate::Options;
use crate::socket::{address, header_bytes, now, set_dscp, set_priority, sleep_until};
use crate::stats::{Stream, Window, percentile};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};
use std::net::UdpSocket;
use std::time::Duration;

const HEAD: usize = 17;

fn bind(port: u16) -> Result<UdpSocket, String> {
    UdpSocket::bind(("::", port))
        .or_else(|_| UdpSocket::bind(("0.0.0.0", port)))
        .map_err(|e| format!("port {port}: {e}"))
}

fn connect(options: &Options) -> Result<(UdpSocket, Vec<u8>), String> {
    let to = address(options.word(0, "HOST:PORT")?)?;
    let socket = bind(0)?;
    socket.connect(to).or_else(|_| {
        // An IPv6 socket reaches IPv4 by mapped addresses.
        let mapped = format!("[::ffff:{}]:{}", to.ip(), to.port());
        address(&mapped).and_then(|a| socket.connect(a).map_err(|e| e.to_string()))
    })?;
    set_dscp(&socket, options.dscp()?)?;
    set_priority(&socket, options.number("priority", 0)?)?;
    let size = usize::try_from(options.number("size", 200)?).unwrap_or(200);
    let mut packet = vec![0; size.saturating_sub(header_bytes(&to)).clamp(HEAD, 65_000)];
    packet[16] = options.dscp()?;
    Ok((socket, packet))
}

fn stamp(packet: &mut [u8], stream: u32, number: u32, at: u64) {
    packet[..4].copy_from_slice(&stream.to_be_bytes());
    packet[4..8].copy_from_slice(&number.to_be_bytes());
    packet[8..16].copy_from_slice(&at.to_be_bytes());
}

fn read(packet: &[u8]) -> Option<(u32, u32, u64)> {
    let (stream, rest) = packet.split_first_chunk()?;
    let (number, rest) = rest.split_first_chunk()?;
    let at = rest.first_chunk()?;
    Some((u32::from_be_bytes(*stream), u32::from_be_bytes(*number), u64::from_be_bytes(*at)))
}

/// Nanoseconds between two packets.
fn interval(options: &Options, size: usize) -> Result<u64, String> {
    if let Some(kbit) = options.text("kbit") {
        let kbit: u64 = kbit.parse().map_err(|_| format!("--kbit {kbit}: not a number"))?;
        return Ok(size as u64 * 8 * 1_000_000 / kbit.max(1));
    }
    Ok(1_000_000_000 / options.number("pps", 50)?.max(1))
}

/// Sends until the time is over; packets that are late are sent at once, so that the rate holds. Gives how many.
fn pump(socket: &UdpSocket, packet: &mut [u8], stream: u32, interval: u64, end: u64) -> u64 {
    let (mut next, mut number) = (now(), 0u32);
    while next < end {
        sleep_until(next);
        stamp(packet, stream, number, now());
        // Full buffers and unreachable hosts are what is measured.
        let _ = socket.send(packet);
        number = number.wrapping_add(1);
        next += interval;
    }
    u64::from(number)
}

/// `flow send`
pub fn send(options: &Options) -> Result<(), String> {
    let (socket, mut packet) = connect(options)?;
    let size = usize::try_from(options.number("size", 200)?).unwrap_or(200);
    let stream = u32::try_from(options.number("stream", 1)?).map_err(|e| e.to_string())?;
    let end = now() + options.seconds("seconds", 5.0)?.as_nanos() as u64;
    let sent = pump(&socket, &mut packet, stream, interval(options, size)?, end);
    println!("{{\"stream\":\"{stream}\",\"sent\":{sent}}}");
    Ok(())
}

fn window(options: &Options) -> Result<Window, String> {
    let start = now();
    Ok(Window {
        start,
        from: start + options.seconds("skip", 0.0)?.as_nanos() as u64,
        to: start + options.seconds("seconds", 5.0)?.as_nanos() as u64,
    })
}

/// `flow recv`
pub fn recv(options: &Options) -> Result<(), String> {
    let port: u16 = options.word(0, "PORT")?.parse().map_err(|_| "PORT: not a number".to_owned())?;
    let socket = bind(port)?;
    socket.set_read_timeout(Some(Duration::from_millis(50))).map_err(|e| e.to_string())?;
    let window = window(options)?;
    let mut streams = BTreeMap::<u32, Stream>::new();
    let mut buffer = vec![0; 65_536];
    while now() < window.to {
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        // Mapped addresses are IPv4 on the wire.
        let is_four =
            from.is_ipv4() || matches!(from.ip(), std::net::IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some());
        let size = length + if is_four { 28 } else { 48 };
        if let Some((stream, number, sent)) = read(&buffer[..length])
            && (streams.contains_key(&stream) || streams.len() < 64)
        {
            streams.entry(stream).or_default().arrived(number, size, sent, now(), &window);
        }
    }
    for (name, stream) in &streams {
        println!("{}", stream.json(&name.to_string(), None, &window));
    }
    if let (Some(path), Some(stream)) = (options.text("series"), streams.values().next()) {
        stream.write_series(path)?;
    }
    Ok(())
}

/// Echoes what arrives, marked as the packet asks; the UDP half of `flow serve`.
pub fn echo(port: u16) -> Result<(), String> {
    let socket = bind(port)?;
    let mut buffer = vec![0; 65_536];
    let mut marked = 0;
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        let wanted = buffer.get(16).copied().filter(|_| length >= HEAD).unwrap_or(0) & 63;
        if wanted != marked && set_dscp(&socket, wanted).is_ok() {
            marked = wanted;
        }
        let _ = socket.send_to(&buffer[..length], from);
    }
}

/// `flow rtt`
pub fn rtt(options: &Options) -> Result<(), String> {
    let (socket, mut packet) = connect(options)?;
    let size = usize::try_from(options.number("size", 200)?).unwrap_or(200);
    let interval = interval(options, size)?;
    let window = window(options)?;
    let reader = socket.try_clone().map_err(|e| e.to_string())?;
    let to = window.to;
    let sender = std::thread::spawn(move || pump(&socket, &mut packet, 0, interval, to));
    reader.set_read_timeout(Some(Duration::from_millis(20))).map_err(|e| e.to_string())?;
    let mut live = Live::new(options)?;
    let mut stream = Stream::default();
    let mut buffer = vec![0; 65_536];
    // A second longer than is sent, for what is still under way in a bloated buffer.
    while now() < window.to + 1_000_000_000 {
        match reader.recv(&mut buffer) {
            Ok(length) => {
                if let Some((_, number, sent)) = read(&buffer[..length]) {
                    stream.arrived(number, length + 28, sent, now(), &window);
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => std::thread::sleep(Duration::from_millis(5)), // refused: the server is not there yet
        }
        if let Some(live) = &mut live {
            live.show(&stream, &window);
        }
    }
    let sent = sender.join().map_err(|_| "the sender panicked".to_owned())?;
    println!("{}", stream.json(options.text("label").unwrap_or("rtt"), Some(sent), &window));
    options.text("series").map_or(Ok(()), |path| stream.write_series(path))
}

/// One line a second: what the line carries, and how long this stream takes.
struct Live {
    device: String,
    label: String,
    next: u64,
    before: (u64, u64),
    /// The line's download and upload, Mbit/s.
    line: (u64, u64),
}

impl Live {
    fn new(options: &Options) -> Result<Option<Self>, String> {
        let Some(device) = options.text("live") else { return Ok(None) };
        let mut line = options.text("line").unwrap_or("0/0").split('/').map(|n| n.parse().unwrap_or(0));
        let mut live = Self {
            device: device.to_owned(),
            label: options.text("label").unwrap_or("call").to_owned(),
            next: now() + 1_000_000_000,
            before: (0, 0),
            line: (line.next().unwrap_or(0), line.next().unwrap_or(0)),
        };
        live.before = live.counters();
        Ok(Some(live))
    }

    fn counters(&self) -> (u64, u64) {
        let read = |which: &str| {
            std::fs::read_to_string(format!("/sys/class/net/{}/statistics/{which}", self.device))
                .ok()
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(0)
        };
        (read("rx_bytes"), read("tx_bytes"))
    }

    fn show(&mut self, stream: &Stream, window: &Window) {
        let now = now();
        if now < self.next || now > window.to + 200_000_000 {
            return;
        }
        self.next += 1_000_000_000;
        let at = self.counters();
        let kbit = |new: u64, old: u64| new.saturating_sub(old) * 8 / 1000;
        let (down, up) = (kbit(at.0, self.before.0), kbit(at.1, self.before.1));
        self.before = at;
        let second = now.saturating_sub(window.start) / 1_000_000;
        let delays = stream.recent(u32::try_from(second).unwrap_or(u32::MAX), 1000);
        let (median, worst) = (percentile(&delays, 500) / 1000, percentile(&delays, 1000) / 1000);
        // One block for 10 ms.
        let bar = "█".repeat((median as usize).div_ceil(10).min(60));
        let latency = if delays.is_empty() {
            "no answer".to_owned()
        } else {
            format!("{median:>4} ms, worst {worst:>4} {bar}")
        };
        println!(
            "{:>3} s  down {:>4}.{} of {}, up {:>3}.{} of {} Mbit/s   {} {latency}",
            (second + 500) / 1000,
            down / 1000,
            down % 1000 / 100,
            self.line.0,
            up / 1000,
            up % 1000 / 100,
            self.line.1,
            self.label,
        );
        let _ = std::io::stdout().flush();
    }
}
