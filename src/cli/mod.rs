// SPDX-License-Identifier: Apache-2.0
//! The command line: one table of commands feeds the parser, the help, the man page and the completion.

mod apply;
mod check;
mod daemon;
mod explain;
mod help;
mod look;
mod plan;
mod rules;
mod status;
mod uci;
mod watch_rules;

use crate::config::value;
use crate::io::files::StateDir;
use crate::io::run::Places;
use crate::units::Micros;
use lexopt::{Arg, Parser, ValueExt};
use std::path::PathBuf;
use std::process::ExitCode;

/// How a command ends; after sysexits(3) where it says something more than "failed".
pub mod exit_code {
    /// It did what was asked.
    pub const OK: u8 = 0;
    /// It could not.
    pub const FAILED: u8 = 1;
    /// The command line makes no sense.
    pub const USAGE: u8 = 64;
    /// A file that was named is not there.
    pub const NO_INPUT: u8 = 66;
    /// The configuration has faults.
    pub const CONFIG: u8 = 78;
}

/// One command.
pub(crate) struct Command {
    pub(crate) name: &'static str,
    /// What may follow it.
    pub(crate) arguments: &'static str,
    /// What it does, in one line.
    pub(crate) help: &'static str,
    /// More about it.
    pub(crate) more: &'static str,
    run: fn(&Options) -> u8,
}

/// What stands on the command line, read once.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) places: Places,
    pub(crate) is_verbose: bool,
    pub(crate) is_json: bool,
    pub(crate) is_diff: bool,
    pub(crate) is_kept: bool,
    pub(crate) is_foreground: bool,
    pub(crate) is_man: bool,
    pub(crate) is_completion: bool,
    /// How long to watch.
    pub(crate) span: Option<Micros>,
    /// What is neither a command nor an option.
    pub(crate) words: Vec<String>,
}

/// One option.
pub(crate) struct Switch {
    pub(crate) name: &'static str,
    pub(crate) short: Option<char>,
    pub(crate) value: &'static str,
    pub(crate) help: &'static str,
}

const fn switch(name: &'static str, short: Option<char>, value: &'static str, help: &'static str) -> Switch {
    Switch { name, short, value, help }
}

pub(crate) const SWITCHES: &[Switch] = &[
    switch("config", Some('c'), "FILE", "read this file instead of /etc/config/weir"),
    switch("state-dir", None, "DIR", "keep runtime state here instead of /var/run/weir"),
    switch("diff", None, "", "plan: what would change now, instead of the whole tree"),
    switch("json", None, "", "status: for programs"),
    switch("for", None, "SPAN", "watch-rules: how long, such as 10s"),
    switch("keep", None, "", "daemon: leave the shaper standing when told to end"),
    switch("foreground", None, "", "daemon: log to standard error instead of syslog"),
    switch("verbose", Some('v'), "", "check: print the configuration as understood"),
    switch("man", None, "", "help: the manual page, as roff"),
    switch("completion", None, "", "help: completion for bash"),
    switch("help", Some('h'), "", "what a command does"),
    switch("version", Some('V'), "", "the version"),
];

pub(crate) const COMMANDS: &[Command] = &[
    Command {
        name: "daemon",
        arguments: "[--foreground] [--keep]",
        help: "shape, and keep shaping: watches devices, heals, reloads",
        more: "SIGHUP reads the configuration again and changes only what differs; SIGTERM removes everything that is \
               weir's (with --keep it stays). A shaper that an earlier weir left standing is adopted.",
        run: daemon::run,
    },
    Command {
        name: "apply",
        arguments: "",
        help: "bring the kernel to the wanted state once, and end",
        more: "Everything or nothing: if the kernel refuses a part, what was there before comes back.",
        run: apply::apply,
    },
    Command {
        name: "stop",
        arguments: "",
        help: "remove everything that is weir's from the kernel",
        more: "What others installed stays. Switched-off offloads are switched on again.",
        run: apply::stop,
    },
    Command {
        name: "plan",
        arguments: "[--diff]",
        help: "print the wanted state as the tc commands that would build it",
        more: "Needs no privileges. With --diff: what would change now, as + (made), ~ (altered in place), - (removed).",
        run: plan::run,
    },
    Command {
        name: "status",
        arguments: "[--json]",
        help: "show whether packets are being shaped, and how",
        more: "Looks at the kernel, not at what weir believes. Exit code 0 if every wanted direction is shaped, else 1.",
        run: status::run,
    },
    Command {
        name: "check",
        arguments: "[FILE] [-v]",
        help: "check a configuration: exit code 0, or 78 with each fault as FILE:LINE",
        more: "Without a file the one that --config names. With -v the configuration as understood.",
        run: check::run,
    },
    Command {
        name: "rules",
        arguments: "",
        help: "list the rules in force, per direction, in order, and what they cost",
        more: "The first rule that matches decides. Built-in rules are there without any file; 'weir services' explains \
               them, and a section of the same name changes one.",
        run: rules::run,
    },
    Command {
        name: "explain",
        arguments: "FLOW",
        help: "say which rule places a flow in which class: weir explain udp 192.0.2.7:8801 dscp EF",
        more: "FLOW is [up|down] PROTOCOL [ADDRESS][:PORT] [local [ADDRESS][:PORT]] [dscp DSCP] [len BYTES] [ack]. The \
               address and port are the far end's. Needs no privileges and no kernel: the configuration decides.",
        run: explain::run,
    },
    Command {
        name: "watch-rules",
        arguments: "[--for SPAN]",
        help: "look at live packets for a while and count which rules they meet",
        more: "Also lists the far ends' ports no rule knows. Looks at headers only, at most 2000 packets a second, and \
               costs nothing before and after.",
        run: watch_rules::run,
    },
    Command {
        name: "services",
        arguments: "[NAME]",
        help: "list the built-in services: their ports and their classes",
        more: "With a name: why it is in its class, and what its ports cannot tell. A rule can name services (list \
               service 'dns'); a rule of a service's name changes it.",
        run: rules::services,
    },
    Command {
        name: "help",
        arguments: "[COMMAND | config] [--man | --completion]",
        help: "explain a command, or every option of the configuration",
        more: "",
        run: help::run,
    },
    Command {
        name: "version",
        arguments: "",
        help: "print the version",
        more: "",
        run: |_| {
            print(&format!("weir {}\n", env!("CARGO_PKG_VERSION")));
            exit_code::OK
        },
    },
];

/// Runs the command line.
pub fn main() -> ExitCode {
    let mut parser = Parser::from_env();
    ExitCode::from(match parse(&mut parser) {
        Ok(Parsed::Run(command, options)) => (command.run)(&options),
        Ok(Parsed::Uci) => uci::run(&mut parser),
        Err(text) => {
            eprintln!("weir: {text}\nTry 'weir help'.");
            exit_code::USAGE
        }
    })
}

enum Parsed {
    Run(&'static Command, Options),
    /// The hidden stand-in for the `uci` tool has options of its own.
    Uci,
}

fn parse(parser: &mut Parser) -> Result<Parsed, String> {
    let state = StateDir::new("/var/run/weir".into());
    let places = Places { config: "/etc/config/weir".into(), is_named: false, state };
    let mut options = Options {
        places,
        is_verbose: false,
        is_json: false,
        is_diff: false,
        is_kept: false,
        is_foreground: false,
        is_man: false,
        is_completion: false,
        span: None,
        words: Vec::new(),
    };
    let mut command: Option<&'static Command> = None;
    let (mut wants_help, mut wants_version) = (false, false);
    while let Some(arg) = parser.next().map_err(|error| error.to_string())? {
        match arg {
            Arg::Value(word) if command.is_none() => {
                let word = word.string().map_err(|error| error.to_string())?;
                if word == "uci" {
                    return Ok(Parsed::Uci);
                }
                command = Some(find(&word)?);
            }
            Arg::Value(word) => options.words.push(word.string().map_err(|error| error.to_string())?),
            Arg::Long("config") | Arg::Short('c') => {
                options.places.config = PathBuf::from(parser.value().map_err(|error| error.to_string())?);
                options.places.is_named = true;
            }
            Arg::Long("state-dir") => {
                let path = PathBuf::from(parser.value().map_err(|error| error.to_string())?);
                options.places.state = StateDir::new(path);
            }
            Arg::Long("for") => {
                let text = parser.value().and_then(ValueExt::string).map_err(|error| error.to_string())?;
                let span = value::span(&text, Micros::ms(100), Micros::secs(3600));
                options.span = Some(span.map_err(|text| format!("--for: {text}"))?);
            }
            Arg::Long("diff") => options.is_diff = true,
            Arg::Long("json") => options.is_json = true,
            Arg::Long("keep") => options.is_kept = true,
            Arg::Long("foreground") => options.is_foreground = true,
            Arg::Long("verbose") | Arg::Short('v') => options.is_verbose = true,
            Arg::Long("man") => options.is_man = true,
            Arg::Long("completion") => options.is_completion = true,
            Arg::Long("help") | Arg::Short('h') => wants_help = true,
            Arg::Long("version") | Arg::Short('V') => wants_version = true,
            Arg::Long(other) => {
                let hint =
                    crate::config::options::did_you_mean(other, SWITCHES.iter().map(|switch| switch.name));
                let hint = hint.map(|word| format!("; did you mean --{word}?")).unwrap_or_default();
                return Err(format!("there is no option --{other}{hint}"));
            }
            Arg::Short(other) => return Err(format!("there is no option -{other}")),
        }
    }
    let named = |name: &str| find(name);
    if wants_version {
        return Ok(Parsed::Run(named("version")?, options));
    }
    match command {
        Some(command) if wants_help => {
            options.words = vec![command.name.into()];
            Ok(Parsed::Run(named("help")?, options))
        }
        Some(command) => {
            let takes_words = ["help", "check", "explain", "services"].contains(&command.name);
            match options.words.first() {
                Some(word) if !takes_words => {
                    Err(format!("weir {} takes no argument, but got '{word}'", command.name))
                }
                _ => Ok(Parsed::Run(command, options)),
            }
        }
        None if wants_help => Ok(Parsed::Run(named("help")?, options)),
        None => Err("what shall I do? Name a command".into()),
    }
}

fn find(word: &str) -> Result<&'static Command, String> {
    let known = COMMANDS.iter().find(|command| command.name == word);
    known.ok_or_else(|| {
        let hint = crate::config::options::did_you_mean(word, COMMANDS.iter().map(|command| command.name));
        let hint = hint.map(|name| format!("; did you mean '{name}'?")).unwrap_or_default();
        format!("there is no command '{word}'{hint}")
    })
}

/// Writes to standard output; a reader that went away (`weir plan | head`) is no error.
pub(crate) fn print(text: &str) {
    use std::io::Write;
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Prints faults and warnings as `FILE:LINE: …`.
pub(crate) fn print_faults(places: &Places, faults: &[crate::config::Fault]) {
    for fault in faults {
        eprintln!("{}:{fault}", places.config.display());
    }
}
