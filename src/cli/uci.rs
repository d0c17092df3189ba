// SPDX-License-Identifier: Apache-2.0
//! The hidden `weir uci show [-X] FILE` and `weir uci export FILE`: what the `uci` tool would say of a file.
//!
//! For tests against the real tool's verdicts, and for people on systems without it.

use super::exit_code;
use crate::config::uci;
use crate::io::files::read_bounded;
use lexopt::{Arg, Parser};
use std::io::Write;
use std::path::PathBuf;

/// Runs the stand-in.
pub(crate) fn run(parser: &mut Parser) -> u8 {
    let (mut command, mut file, mut by_generated_name) = (None, None, false);
    while let Ok(Some(arg)) = parser.next() {
        match arg {
            Arg::Short('X') => by_generated_name = true,
            Arg::Value(word) if command.is_none() => command = word.into_string().ok(),
            Arg::Value(word) if file.is_none() => file = Some(PathBuf::from(word)),
            _ => return usage(),
        }
    }
    let (Some(command), Some(file)) = (command, file) else { return usage() };
    let bytes = match read_bounded(&file) {
        Ok(bytes) => bytes,
        Err(error) => {
            eprintln!("uci: cannot read {}: {error}", file.display());
            return exit_code::FAILED;
        }
    };
    let package = match uci::parse(&bytes) {
        Ok(package) => package,
        Err(error) => {
            eprintln!("uci: {error}");
            return exit_code::FAILED;
        }
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let mut out = Vec::new();
    match command.as_str() {
        "show" => uci::show(&package, &name, by_generated_name, &mut out),
        "export" => uci::export(&package, &name, &mut out),
        _ => return usage(),
    }
    let _ = std::io::stdout().write_all(&out);
    exit_code::OK
}

fn usage() -> u8 {
    eprintln!("usage: weir uci show [-X] FILE | weir uci export FILE");
    exit_code::USAGE
}
