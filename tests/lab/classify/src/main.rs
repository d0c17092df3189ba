// SPDX-License-Identifier: Apache-2.0
//! `classify`: holds the kernel's verdict on packets against the rules. Random rule sets are installed by weir from a
//! configuration file, random packets sent through real devices, and for each the class counters are read and what came
//! out on the other side is compared byte by byte.
//!
//! Read `weir::classify::scheme` for what is expected; `guest-classify` makes the devices.

mod checksum;
mod counters;
mod expect;
mod frames;
mod places;
mod rules;
mod socket;
mod trial;

use std::collections::BTreeMap;
use std::process::ExitCode;

const USAGE: &str = "usage: classify VERB ...
  random                random packets through random rule sets: --sets N, --packets N (of each), --seed N
  replace FILE FILE     reloads two files in turn while packets arrive: --times N, --port N, --leaf CLASSID
  flows DEVICE PORT     N flows through a slow CAKE: which tins have how many: --count N
options: --engine htb|u32|cake (u32: HTB in a kernel without cls_bpf)
         --wrong class|dscp (random: expects what is not so)  --wrong gap (replace: takes filters away in between)
         --weir PROGRAM  --config FILE  --state-dir DIR";

/// The command line: words, and options with a value each.
pub struct Options {
    words: Vec<String>,
    named: BTreeMap<String, String>,
}

impl Options {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut words, mut named) = (Vec::new(), BTreeMap::new());
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

    /// An option's text.
    pub fn text<'a>(&'a self, name: &str, otherwise: &'a str) -> &'a str {
        self.named.get(name).map_or(otherwise, String::as_str)
    }

    /// An option's number.
    pub fn number(&self, name: &str, otherwise: u64) -> Result<u64, String> {
        self.named
            .get(name)
            .map_or(Ok(otherwise), |text| text.parse().map_err(|error| format!("--{name}: {error}")))
    }
}

fn run() -> Result<bool, String> {
    let options = Options::read(std::env::args().skip(2))?;
    match std::env::args().nth(1).as_deref() {
        Some("random") => trial::random(&options),
        Some("replace") => trial::replace(&options),
        Some("flows") => trial::flows(&options),
        _ => Err(USAGE.to_owned()),
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(text) => {
            eprintln!("classify: {text}");
            ExitCode::from(2)
        }
    }
}
