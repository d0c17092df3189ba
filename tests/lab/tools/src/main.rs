// SPDX-License-Identifier: Apache-2.0
//! `flow`: traffic for the lab, and what became of it. One static program without dependencies, for Python is slow where
//! time is counted in instructions.
//!
//! Latency is measured by one clock: both ends run on one kernel, in network namespaces of their own.

mod chart;
mod frames;
mod pace;
mod play;
mod plot;
mod pppoe;
mod score;
mod socket;
mod stats;
mod tbf;
mod tcp;
mod trace;
mod udp;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

const USAGE: &str = "usage: flow VERB ...
  serve PORT                       the other end: echoes UDP, answers fetches, sends and takes bulk TCP
  recv PORT                        counts UDP of `send` per stream, prints JSON lines
  send HOST:PORT                   UDP one way: --pps N or --kbit N, --size IP-BYTES
  rtt HOST:PORT                    UDP to `serve` and back: --pps N, --size IP-BYTES
  tcp HOST:PORT up|down            bulk TCP: --streams N
  web HOST:PORT                    small fetches, one after the other: --size BYTES, --every MS
  frames DEVICE                    TCP segments by a packet socket, at once: --dport N, --count N, --size BYTES
  pppoe DEVICE MAC SESSION         one end of a PPPoE session, until it is killed; prints the device of PPP
  pace                             how evenly time passes: how much of it went by without this machine
  play DEVICE TRACE HOST:PORT      the line of DEVICE follows a trace, markers to the echo behind it: --buffer MS
  trace TRACE                      the mean and the quantiles of one
  svg OUT TITLE=FILE...            latency over time, of files written with --series
  chart OUT TITLE=FILE...          files of `X Y` lines, both axes logarithmic: --label TEXT, --x TEXT
options: --seconds S  --skip S (not counted at the start)  --dscp NAME|N  --priority N (SO_PRIORITY)
         --stream N  --series FILE  --live DEVICE  --label TEXT  --line DOWN/UP (Mbit/s, scales the bars)";

/// The command line: words, and options with a value each.
pub struct Options {
    words: Vec<String>,
    named: BTreeMap<String, String>,
}

impl Options {
    fn read(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut words, mut named) = (Vec::new(), BTreeMap::new());
        let mut arguments = arguments;
        while let Some(word) = arguments.next() {
            match word.strip_prefix("--") {
                Some(name) => {
                    let value = arguments.next().ok_or_else(|| format!("--{name} needs a value"))?;
                    named.insert(name.to_owned(), value);
                }
                None => words.push(word),
            }
        }
        Ok(Self { words, named })
    }

    /// The word at `at`, or what is missing.
    pub fn word(&self, at: usize, what: &str) -> Result<&str, String> {
        self.words.get(at).map(String::as_str).ok_or_else(|| format!("{what} is missing"))
    }

    /// The words from `at` on.
    pub fn rest(&self, at: usize) -> &[String] {
        self.words.get(at..).unwrap_or_default()
    }

    /// An option as text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.named.get(name).map(String::as_str)
    }

    /// An option as a number.
    pub fn number(&self, name: &str, default: u64) -> Result<u64, String> {
        self.text(name)
            .map_or(Ok(default), |text| text.parse().map_err(|_| format!("--{name} {text}: not a number")))
    }

    /// An option in seconds, with fractions.
    pub fn seconds(&self, name: &str, default: f64) -> Result<Duration, String> {
        let seconds =
            self.text(name).map_or(Ok(default), |text| text.parse::<f64>().map_err(|e| e.to_string()))?;
        Duration::try_from_secs_f64(seconds).map_err(|e| format!("--{name}: {e}"))
    }

    /// `--dscp`, by name or number.
    pub fn dscp(&self) -> Result<u8, String> {
        let Some(text) = self.text("dscp") else { return Ok(0) };
        let digit = |at: usize| text.as_bytes().get(at).map(|c| c.wrapping_sub(b'0'));
        match (text.get(..2), digit(2), digit(3)) {
            (Some("ef"), None, None) => Ok(46),
            (Some("le"), None, None) => Ok(1),
            (Some("cs"), Some(class @ 0..8), None) => Ok(class * 8),
            (Some("af"), Some(class @ 1..5), Some(drop @ 1..4)) => Ok(class * 8 + drop * 2),
            _ => text.parse().ok().filter(|n| *n < 64).ok_or_else(|| format!("--dscp {text}: not known")),
        }
    }
}

fn run() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let verb = arguments.next().ok_or(USAGE)?;
    let options = Options::read(arguments)?;
    let done = match verb.as_str() {
        "serve" => tcp::serve(&options),
        "recv" => udp::recv(&options),
        "send" => udp::send(&options),
        "rtt" => udp::rtt(&options),
        "tcp" => tcp::bulk(&options),
        "web" => tcp::web(&options),
        "chart" => chart::chart(&options),
        "frames" => frames::frames(&options),
        "pppoe" => pppoe::pppoe(&options),
        "pace" => pace::pace(&options),
        "play" => play::play(&options),
        "trace" => play::tell(&options),
        "svg" => plot::svg(&options),
        _ => return Err(USAGE.into()),
    };
    done.map_err(|error| format!("flow {verb}: {error}"))
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
