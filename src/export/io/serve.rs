// SPDX-License-Identifier: Apache-2.0
//! The door for Prometheus: one caller at a time, each with a moment to ask and a moment to take the answer.

use super::run::Known;
use crate::export::limits::ASKED;
use crate::export::web::{Asked, asked};
use crate::export::{gzip, prometheus};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// A caller that has not asked by then is left alone.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answers for ever.
pub fn run(listener: &TcpListener, known: &Known) {
    loop {
        match listener.accept() {
            Ok((stream, _)) => match answer(stream, known) {
                Ok(wanted) => known.called(Some(wanted)),
                // Who connects and goes has asked for nothing.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {}
                Err(_) => known.called(None),
            },
            // Too many files are open, or the like: it passes.
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// Answers a caller; gives what it wanted.
fn answer(mut stream: TcpStream, known: &Known) -> std::io::Result<Asked> {
    let end = Instant::now() + PATIENCE;
    let left = || end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    let mut read = Vec::new();
    let mut piece = [0; 1024];
    let wanted = loop {
        if let Some(wanted) = asked(&read) {
            break wanted;
        }
        if read.len() > ASKED || Instant::now() >= end {
            break Asked::Nonsense;
        }
        stream.set_read_timeout(Some(left()))?;
        match stream.read(&mut piece)? {
            0 if read.is_empty() => return Err(ErrorKind::UnexpectedEof.into()),
            0 => break Asked::Nonsense,
            count => read.extend(piece.iter().take(count)),
        }
    };
    let (status, kind, body) = match wanted {
        Asked::Metrics(_) => ("200 OK", prometheus::TYPE, known.metrics()),
        Asked::Root => ("200 OK", "text/plain", "weir-export: the metrics are at /metrics\n".into()),
        Asked::Nothing => ("404 Not Found", "text/plain", "there are / and /metrics\n".into()),
        Asked::Method => ("405 Method Not Allowed", "text/plain", "GET alone\n".into()),
        Asked::Nonsense => ("400 Bad Request", "text/plain", "that is no request\n".into()),
    };
    let packed = if wanted == Asked::Metrics(true) { gzip::pack(body.as_bytes()) } else { None };
    let encoding = if packed.is_some() { "Content-Encoding: gzip\r\n" } else { "" };
    let bytes = packed.as_deref().unwrap_or(body.as_bytes());
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{encoding}Connection: close\r\n\r\n",
        bytes.len()
    );
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&[head.as_bytes(), bytes].concat())?;
    // Who has all of it need not wait for the end.
    let _ = stream.shutdown(std::net::Shutdown::Write);
    Ok(wanted)
}
