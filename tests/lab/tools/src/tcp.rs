// SPDX-License-Identifier: Apache-2.0
//! Bulk TCP and small fetches, and the server for all of it.
//!
//! A connection starts with what is wanted (1 byte), DSCP (1), and two numbers (8 each): for a fetch its size, for bulk
//! the times between which bytes are counted. Who receives counts; of an upload the server tells at the end.

use crate::socket::{address, now, set_dscp, set_priority, sleep_until};
use crate::stats::percentile;
use crate::{Options, udp};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

const FETCH: u8 = 1;
const TAKE: u8 = 2;
const GIVE: u8 = 3;
const HEAD: usize = 18;

fn head(what: u8, dscp: u8, one: u64, two: u64) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[0] = what;
    head[1] = dscp;
    head[2..10].copy_from_slice(&one.to_be_bytes());
    head[10..18].copy_from_slice(&two.to_be_bytes());
    head
}

fn number(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |b| u64::from_be_bytes(*b))
}

/// `flow serve`
pub fn serve(options: &Options) -> Result<(), String> {
    let port: u16 = options.word(0, "PORT")?.parse().map_err(|_| "PORT: not a number".to_owned())?;
    std::thread::spawn(move || udp::echo(port));
    let listener = TcpListener::bind(("::", port))
        .or_else(|_| TcpListener::bind(("0.0.0.0", port)))
        .map_err(|e| e.to_string())?;
    for connection in listener.incoming().flatten() {
        std::thread::spawn(move || answer(connection));
    }
    Ok(())
}

fn answer(mut connection: TcpStream) -> Option<()> {
    let mut head = [0; HEAD];
    connection.read_exact(&mut head).ok()?;
    set_dscp(&connection, head[1]).ok()?;
    let (one, two) = (number(&head[2..]), number(&head[10..]));
    match head[0] {
        FETCH => {
            let page = vec![b'x'; usize::try_from(one.min(64 << 20)).ok()?];
            connection.write_all(&page).ok()
        }
        TAKE => {
            let counted = take(&mut connection, one, two);
            connection.write_all(&counted.to_be_bytes()).ok()?;
            // Read on until the other end closes: closing with bytes unread would reset the answer away.
            let mut rest = [0; 16_384];
            while now() < two + 3_000_000_000 && connection.read(&mut rest).is_ok_and(|n| n > 0) {}
            Some(())
        }
        _ => give(&mut connection, two),
    }
}

/// Reads until `to`; gives the bytes that came after `from`.
fn take(connection: &mut TcpStream, from: u64, to: u64) -> u64 {
    let mut buffer = [0; 65_536];
    let mut counted = 0;
    let _ = connection.set_read_timeout(Some(Duration::from_millis(100)));
    while now() < to {
        match connection.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) if (from..to).contains(&now()) => counted += length as u64,
            _ => {}
        }
    }
    counted
}

/// Writes until `to`.
fn give(connection: &mut TcpStream, to: u64) -> Option<()> {
    let _ = connection.set_write_timeout(Some(Duration::from_millis(200)));
    let chunk = [b'x'; 16_384];
    while now() < to {
        match connection.write(&chunk) {
            Ok(_) => {}
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(_) => return None,
        }
    }
    Some(())
}

fn dial(to: SocketAddr, dscp: u8, priority: u64) -> Result<TcpStream, String> {
    let connection =
        TcpStream::connect_timeout(&to, Duration::from_secs(10)).map_err(|e| format!("{to}: {e}"))?;
    set_dscp(&connection, dscp)?;
    set_priority(&connection, priority)?;
    Ok(connection)
}

fn one_bulk(mut connection: TcpStream, is_up: bool, dscp: u8, from: u64, to: u64) -> Result<u64, String> {
    connection
        .write_all(&head(if is_up { TAKE } else { GIVE }, dscp, from, to))
        .map_err(|e| e.to_string())?;
    if !is_up {
        return Ok(take(&mut connection, from, to));
    }
    give(&mut connection, to);
    let _ = connection.set_read_timeout(Some(Duration::from_secs(5)));
    let mut counted = [0; 8];
    connection.read_exact(&mut counted).map_err(|e| format!("no count from the server: {e}"))?;
    Ok(u64::from_be_bytes(counted))
}

/// `flow tcp`
pub fn bulk(options: &Options) -> Result<(), String> {
    let to = address(options.word(0, "HOST:PORT")?)?;
    let is_up = match options.word(1, "up or down")? {
        "up" => true,
        "down" => false,
        other => return Err(format!("{other}: neither up nor down")),
    };
    let (dscp, priority) = (options.dscp()?, options.number("priority", 0)?);
    let start = now();
    let from = start + options.seconds("skip", 0.0)?.as_nanos() as u64;
    let end = start + options.seconds("seconds", 5.0)?.as_nanos() as u64;
    let streams: Vec<_> = (0..options.number("streams", 1)?.clamp(1, 64))
        .map(|_| {
            std::thread::spawn(move || {
                dial(to, dscp, priority).and_then(|c| one_bulk(c, is_up, dscp, from, end))
            })
        })
        .collect();
    let mut counts = Vec::new();
    let mut failed = 0;
    for stream in streams {
        match stream.join().map_err(|_| "a stream panicked".to_owned())? {
            Ok(bytes) => counts.push(bytes),
            Err(error) => {
                failed += 1;
                eprintln!("flow tcp: {error}");
            }
        }
    }
    let bytes: u64 = counts.iter().sum();
    let us = end.saturating_sub(from).max(1) / 1000;
    let label = options.text("label").unwrap_or("tcp");
    println!(
        "{{\"stream\":\"{label}\",\"bytes\":{bytes},\"window_us\":{us},\"kbit\":{},\"failed\":{failed},\"each\":{counts:?}}}",
        bytes * 8000 / us.max(1)
    );
    Ok(())
}

/// `flow web`
pub fn web(options: &Options) -> Result<(), String> {
    let to = address(options.word(0, "HOST:PORT")?)?;
    let size = options.number("size", 60_000)?;
    let every = options.number("every", 1000)? * 1_000_000;
    let start = now();
    let from = start + options.seconds("skip", 0.0)?.as_nanos() as u64;
    let end = start + options.seconds("seconds", 5.0)?.as_nanos() as u64;
    let (mut next, mut times, mut failed) = (start, Vec::new(), 0u64);
    while next < end {
        sleep_until(next);
        let began = now();
        match fetch(to, size, options.dscp()?) {
            Ok(()) if began >= from => times.push(u32::try_from((now() - began) / 1000).unwrap_or(u32::MAX)),
            Ok(()) => {}
            Err(_) => failed += 1,
        }
        next = (next + every).max(now().saturating_sub(every));
    }
    times.sort_unstable();
    let label = options.text("label").unwrap_or("web");
    let [p50, p95, p99] = [500, 950, 990].map(|p| percentile(&times, p));
    println!(
        "{{\"stream\":\"{label}\",\"fetches\":{},\"failed\":{failed},\"bytes\":{size},\"p50_us\":{p50},\"p95_us\":{p95},\"p99_us\":{p99}}}",
        times.len()
    );
    Ok(())
}

fn fetch(to: SocketAddr, size: u64, dscp: u8) -> Result<(), String> {
    let mut connection = dial(to, dscp, 0)?;
    let _ = connection.set_read_timeout(Some(Duration::from_secs(10)));
    connection.write_all(&head(FETCH, dscp, size, 0)).map_err(|e| e.to_string())?;
    let mut buffer = [0; 16_384];
    let mut left = size;
    while left > 0 {
        match connection.read(&mut buffer).map_err(|e| e.to_string())? {
            0 => return Err("cut off".to_owned()),
            length => left = left.saturating_sub(length as u64),
        }
    }
    Ok(())
}
