// SPDX-License-Identifier: Apache-2.0
//! A line whose speed follows a trace, and how long packets wait on it.
//!
//! Run it where the line begins: it changes the speed of its device every 100 ms, counts what leaves by it, and sends
//! markers of its own by the same device to an echo behind it. They pass no shaper: what they measure is the line's queue.

use crate::Options;
use crate::score::Record;
use crate::socket::{address, now, sleep_until};
use crate::tbf::{BURST, Line};
use crate::trace::{STEP, Trace};
use std::io::Write as _;
use std::net::UdpSocket;
use std::time::Duration;

/// From one marker to the next, in milliseconds; 45 bytes of IP each are 24 kbit/s on the line.
const MARKER: u64 = 20;
const MS: u64 = 1_000_000;

/// Reads the trace a command names.
fn trace(options: &Options, at: usize) -> Result<Trace, String> {
    let path = options.word(at, "TRACE")?;
    std::fs::read_to_string(path)
        .map_err(|e| e.to_string())
        .and_then(|text| Trace::parse(&text))
        .map_err(|e| format!("{path}: {e}"))
}

/// `flow trace`: what a shell wants to know of one.
pub fn tell(options: &Options) -> Result<(), String> {
    let trace = trace(options, 0)?;
    let [p50, p95, max] = [500, 950, 1000].map(|q| trace.quantile(q));
    println!("{{\"mean_kbit\":{},\"p50_kbit\":{p50},\"p95_kbit\":{p95},\"max_kbit\":{max}}}", trace.mean());
    Ok(())
}

/// `flow play`
pub fn play(options: &Options) -> Result<(), String> {
    let device = options.word(0, "DEVICE")?;
    let trace = trace(options, 1)?;
    let to = address(options.word(2, "HOST:PORT")?)?;
    let steps = (options.seconds("seconds", 90.0)?.as_millis() as u64 / STEP) as usize;
    let buffer = trace.mean() * options.number("buffer", 500)? / 8;
    let buffer = u32::try_from(buffer).map_err(|e| e.to_string())?;
    let socket = UdpSocket::bind(("0.0.0.0", 0)).map_err(|e| e.to_string())?;
    socket.connect(to).map_err(|e| e.to_string())?;
    let reader = socket.try_clone().map_err(|e| e.to_string())?;

    let start = now() + 50 * MS;
    let end = start + steps as u64 * STEP * MS;
    let mut line = Line::open(device, trace.at(0), buffer)?;
    let sender = std::thread::spawn(move || {
        for number in 0..(end - start) / (MARKER * MS) {
            sleep_until(start + number * MARKER * MS);
            let mut marker = [0; 17];
            marker[4..8].copy_from_slice(&(number as u32).to_be_bytes());
            marker[8..16].copy_from_slice(&now().to_be_bytes());
            // A full line drops it, which is what is measured.
            let _ = socket.send(&marker);
        }
    });
    let listener = std::thread::spawn(move || listen(&reader, ((end - start) / (MARKER * MS)) as usize, end));
    let (carried, extra) = follow(&trace, &mut line, device, buffer, start, steps)?;
    sender.join().map_err(|_| "the sender panicked".to_owned())?;
    let waits = listener.join().map_err(|_| "the listener panicked".to_owned())?;
    let record = Record { trace: &trace, waits, marker: MARKER, carried, extra };
    println!("{}", record.json(options.text("label").unwrap_or("line")));
    options.text("series").map_or(Ok(()), |path| write_series(path, &record))
}

/// Changes the speed from step to step; gives what left in each, and how much the refilled bucket added.
fn follow(
    trace: &Trace,
    line: &mut Line,
    device: &str,
    buffer: u32,
    start: u64,
    steps: usize,
) -> Result<(Vec<u64>, u64), String> {
    let path = format!("/sys/class/net/{device}/statistics/tx_bytes");
    let count = || -> Result<u64, String> {
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
        text.trim().parse().map_err(|_| format!("{path}: no number"))
    };
    let (mut carried, mut extra) = (Vec::with_capacity(steps), 0);
    sleep_until(start);
    let mut before = count()?;
    for step in 0..steps {
        let is_same = step == 0 || trace.at(step) == trace.at(step - 1);
        if !is_same {
            line.carry(trace.at(step), buffer)?;
            extra += u64::from(BURST);
        }
        sleep_until(start + (step as u64 + 1) * STEP * MS);
        let after = count()?;
        carried.push(after - before);
        before = after;
    }
    Ok((carried, extra))
}

/// The wait of each marker beyond the shortest of all, in microseconds.
fn listen(socket: &UdpSocket, count: usize, end: u64) -> Vec<Option<u32>> {
    let mut waits = vec![None; count];
    let mut buffer = [0; 64];
    let _ = socket.set_read_timeout(Some(Duration::from_millis(100)));
    // Longer than is sent, for what is still under way in a bloated buffer.
    while now() < end + 2_000 * MS {
        let Ok(length) = socket.recv(&mut buffer) else { continue };
        let marker = buffer.get(..length).unwrap_or_default();
        let number = marker.get(4..8).and_then(|n| n.first_chunk()).map(|n| u32::from_be_bytes(*n) as usize);
        let sent = marker.get(8..16).and_then(|n| n.first_chunk()).map(|n| u64::from_be_bytes(*n));
        if let (Some(Some(wait)), Some(sent)) = (number.map(|n| waits.get_mut(n)), sent) {
            *wait = u32::try_from(now().saturating_sub(sent) / 1000).ok();
        }
    }
    let least = waits.iter().flatten().copied().min().unwrap_or(0);
    waits.iter().map(|wait| wait.map(|wait| wait - least)).collect()
}

/// Writes `milliseconds capacity-kbit carried-kbit longest-wait-us` lines, one per step.
fn write_series(path: &str, record: &Record) -> Result<(), String> {
    let per_step = (STEP / record.marker) as usize;
    let write = || -> std::io::Result<()> {
        let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
        for (n, carried) in record.carried.iter().enumerate() {
            let waits = record.waits.iter().skip(n * per_step).take(per_step);
            let wait = waits.flatten().max().map_or(-1, |wait| i64::from(*wait));
            writeln!(file, "{} {} {} {wait}", n as u64 * STEP, record.trace.at(n), carried * 8 / STEP)?;
        }
        file.flush()
    };
    write().map_err(|e| format!("{path}: {e}"))
}
