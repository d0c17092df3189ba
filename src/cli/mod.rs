// SPDX-License-Identifier: Apache-2.0
//! The command line: one table of commands feeds the parser, the help, the man page and the completion.

mod apply;
mod check;
mod complaint;
mod daemon;
mod doctor;
mod document;
mod explain;
mod help;
mod history;
mod hold;
mod look;
mod plan;
mod record;
mod rules;
mod services;
mod status;
mod top;
mod uci;
mod watch_rules;

use crate::config::{Config, Fault, value};
use crate::door::{Reading, Refusal};
use crate::io::bus;
use crate::io::files::{STATE, StateDir, why};
use crate::io::run::{Places, read_config};
use crate::text::joined;
use crate::units::Micros;
use complaint::complain;
use document::Document;
use lexopt::{Arg, Error, Parser, ValueExt};
use std::ffi::OsStr;
use std::fmt::Write;
use std::path::{Path, PathBuf};
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
    pub(crate) is_csv: bool,
    pub(crate) is_once: bool,
    pub(crate) is_ascii: bool,
    pub(crate) is_diff: bool,
    #[cfg(feature = "extras")]
    pub(crate) is_followed: bool,
    pub(crate) is_bundle: bool,
    pub(crate) is_kept: bool,
    pub(crate) is_foreground: bool,
    pub(crate) is_man: bool,
    pub(crate) is_completion: bool,
    wants_help: bool,
    wants_version: bool,
    /// Where the system's files are.
    pub(crate) root: String,
    /// The line to look at.
    pub(crate) line: Option<String>,
    /// Where to draw.
    pub(crate) svg: Option<String>,
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
    /// The commands that have it; none named: all.
    pub(crate) of: &'static [&'static str],
    pub(crate) help: &'static str,
    sets: Sets,
}

/// What an option sets.
enum Sets {
    Flag(fn(&mut Options) -> &mut bool),
    Config,
    StateDir,
    Bus,
    Text(fn(&mut Options) -> &mut Option<String>),
    Root,
    Span,
}

impl Switch {
    /// What it does, with the commands that have it in front where it is not all.
    pub(crate) fn help(&self) -> String {
        if self.of.is_empty() {
            self.help.into()
        } else {
            format!("{}: {}", joined(self.of, ", "), self.help)
        }
    }

    pub(crate) fn is_of(&self, command: &str) -> bool {
        self.of.is_empty() || self.of.contains(&command)
    }
}

const fn switch(
    name: &'static str,
    short: Option<char>,
    value: &'static str,
    of: &'static [&'static str],
    help: &'static str,
    sets: Sets,
) -> Switch {
    Switch { name, short, value, of, help, sets }
}

pub(crate) const SWITCHES: &[Switch] = &[
    switch(
        "config",
        Some('c'),
        "FILE",
        &[],
        "read this file instead of the running daemon's, or of /etc/config/weir",
        Sets::Config,
    ),
    switch(
        "state-dir",
        None,
        "DIR",
        &[],
        "keep state here instead of /var/run/weir, and of /etc/weir or /var/lib/weir",
        Sets::StateDir,
    ),
    switch(
        "diff",
        None,
        "",
        &["plan"],
        "what would change now, instead of the whole tree",
        Sets::Flag(|options| &mut options.is_diff),
    ),
    switch(
        "json",
        None,
        "",
        &["status", "doctor", "history"],
        "for programs",
        Sets::Flag(|options| &mut options.is_json),
    ),
    #[cfg(feature = "extras")]
    switch(
        "follow",
        None,
        "",
        &["status"],
        "again and again, for programs: a line of JSON each",
        Sets::Flag(|options| &mut options.is_followed),
    ),
    #[cfg(feature = "extras")]
    switch(
        "every",
        None,
        "SPAN",
        &["status"],
        "with --follow: how often; 10 s unless told otherwise",
        Sets::Span,
    ),
    switch(
        "bundle",
        None,
        "",
        &["doctor"],
        "everything somebody who helps wants to know, without addresses and names",
        Sets::Flag(|options| &mut options.is_bundle),
    ),
    switch("csv", None, "", &["history"], "for spreadsheets", Sets::Flag(|options| &mut options.is_csv)),
    switch(
        "svg",
        None,
        "FILE",
        &["history"],
        "a picture; - for standard output",
        Sets::Text(|options| &mut options.svg),
    ),
    switch("line", None, "NAME", &["top"], "this line alone", Sets::Text(|options| &mut options.line)),
    switch(
        "once",
        None,
        "",
        &["top"],
        "all of it once, for scripts",
        Sets::Flag(|options| &mut options.is_once),
    ),
    switch(
        "ascii",
        None,
        "",
        &["top"],
        "no blocks, also where the locale says UTF-8",
        Sets::Flag(|options| &mut options.is_ascii),
    ),
    switch(
        "span",
        None,
        "SPAN",
        &["history"],
        "how far back, such as 5m, 2h or 2d; 5m unless told otherwise",
        Sets::Span,
    ),
    switch("root", None, "DIR", &["doctor"], "look at the system's files below this directory", Sets::Root),
    switch(
        "for",
        None,
        "SPAN",
        &["watch-rules", "record", "hold", "set-rate"],
        "how long, such as 30s or 90m; a number alone is seconds; to watch 10 s, to record 60 s, to hold an hour unless told otherwise",
        Sets::Span,
    ),
    switch(
        "keep",
        None,
        "",
        &["daemon"],
        "leave the shaper standing when told to end",
        Sets::Flag(|options| &mut options.is_kept),
    ),
    switch(
        "foreground",
        None,
        "",
        &["daemon"],
        "log to standard error instead of syslog",
        Sets::Flag(|options| &mut options.is_foreground),
    ),
    switch(
        "ubus",
        None,
        "SOCKET",
        &["daemon", "apply", "stop", "status", "plan", "rules", "doctor"],
        "where the system bus is, instead of /var/run/ubus/ubus.sock",
        Sets::Bus,
    ),
    switch(
        "verbose",
        Some('v'),
        "",
        &["check", "plan"],
        "more: the configuration as understood, every program whole",
        Sets::Flag(|options| &mut options.is_verbose),
    ),
    switch("man", None, "", &["help"], "the manual page, as roff", Sets::Flag(|options| &mut options.is_man)),
    switch(
        "completion",
        None,
        "",
        &["help"],
        "completion for bash",
        Sets::Flag(|options| &mut options.is_completion),
    ),
    switch("help", Some('h'), "", &[], "what a command does", Sets::Flag(|options| &mut options.wants_help)),
    switch("version", Some('V'), "", &[], "the version", Sets::Flag(|options| &mut options.wants_version)),
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
        more: "Everything or nothing: if the kernel refuses a part, what was there before comes back. A daemon that runs takes a \
               changed file at a SIGHUP instead ('service weir reload' on OpenWrt).",
        run: apply::apply,
    },
    Command {
        name: "stop",
        arguments: "",
        help: "remove everything that is weir's from the kernel",
        more: "What others installed stays. Switched-off offloads are switched on again. While a daemon runs it does nothing \
               but say how to end that, for it would put everything back; a daemon that ends removes everything itself.",
        run: apply::stop,
    },
    Command {
        name: "plan",
        arguments: "[--diff]",
        help: "print the wanted state as the tc commands that would build it",
        more: "Needs no privileges. With --diff: what would change now, as + (made), ~ (altered in place), - (removed). On \
               a terminal programs are shortened; with -v, in a file or a pipe they are whole, so that it can be run.",
        run: plan::run,
    },
    Command {
        name: "status",
        arguments: "[--json]",
        help: "show whether packets are being shaped, and how",
        more: "Looks at the kernel, not at what weir believes, for what the running daemon has in force; a file that was \
               changed or spoilt since is told of. Exit code 0 if every wanted direction is shaped, else 1; without a \
               daemon 78 if the file has faults, and what the kernel has is shown.",
        run: status::run,
    },
    Command {
        name: "top",
        arguments: "[--line NAME] [--once] [--ascii]",
        help: "watch lines live: rates, waits, classes, decisions, alerts; q ends it",
        more: "Asks the running daemon each second. Of each direction: its state, what was sent of the rate it is shaped to, \
               what the line carries and how long packets wait on it; below that the last five minutes of what was sent and \
               of the longest wait. Of each class: its share, what it sent, its queue's delay, drops and marks since the \
               queue was made, bytes that wait. With --once, or into a file or a pipe, all of it once.",
        run: top::run,
    },
    Command {
        name: "history",
        arguments: "[LINE] [--span SPAN] [--csv | --json | --svg FILE]",
        help: "show what a line did in the last minutes, hours or days",
        more: "Asks the running daemon, which keeps each second for 5 minutes, 10 seconds for 2 hours and 2 minutes for 2 days. \
               A full bar is the line's highest rate in that time, a dot less than a tenth of it. Without a line the first \
               one. With --csv or --json every point and all that is known of it: rates, capacity, classes, waits, drops, \
               marks. With --svg a picture for a browser: classes above each other below rate and capacity, and the waits.",
        run: history::run,
    },
    Command {
        name: "doctor",
        arguments: "[--json] [--bundle]",
        help: "find what silently defeats shaping, and say what to do about it",
        more: "Looks for offloaded flows, other shapers, missing modules, the wrong device, wrong overhead, a busy processor \
               and the like, for a second. Exit code 0 if there is no fault and no warning, else 1. With --bundle all of it \
               as one text for a forum: with the configuration, the status and the plan, without addresses, names and \
               passwords. Read it before you publish it.",
        run: doctor::run,
    },
    Command {
        name: "check",
        arguments: "[FILE] [-v]",
        help: "check a configuration: exit code 0, or 78 with each fault as FILE:LINE",
        more: "Says in a line what the configuration asks for. Without a file the one that --config names. With -v the \
               configuration as understood.",
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
               address and port are the far end's; with a local port alone, the far one may be any. 'ack' means TCP \
               packets without payload, such as acknowledgements. Needs no privileges and no kernel: the configuration decides, with what \
               the daemon says that schedules make of it.",
        run: explain::run,
    },
    Command {
        name: "watch-rules",
        arguments: "[--for SPAN]",
        help: "look at live packets for a while and count which rules they meet",
        more: "Looks for 10 s unless told otherwise; Ctrl-C ends it earlier and shows what was seen. Also lists the far \
               ends' ports no rule knows. Looks at headers only, at most 2000 packets a second, and costs nothing \
               before and after. (line control) is what the line itself lives on, such as ARP, PPP's own packets and \
               IPv6's neighbour discovery: it goes to the first class, before any rule. (unreadable) is what is cut off \
               or contradicts itself.",
        run: watch_rules::run,
    },
    Command {
        name: "hold",
        arguments: "[LINE] [--for SPAN]",
        help: "keep the rates as they are for a while, and send no probes",
        more: "Asks the running daemon. Without a line: all of them. For an hour unless told otherwise, at most a week; a \
               line that is held already keeps its end without --for. It ends with 'weir release', and with the daemon.",
        run: hold::hold,
    },
    Command {
        name: "set-rate",
        arguments: "[LINE] [up RATE] [down RATE] [--for SPAN]",
        help: "give a line these rates for a while: weir set-rate up 20mbit --for 10m",
        more: "Asks the running daemon; also for lines with fixed speeds. With several lines name one. For an hour unless \
               told otherwise, at most a week; a line that is held already keeps its end without --for. Then the line has its speed again or is steered on.",
        run: hold::set_rate,
    },
    Command {
        name: "release",
        arguments: "[LINE]",
        help: "end what 'hold' or 'set-rate' began",
        more: "",
        run: hold::release,
    },
    Command {
        name: "record",
        arguments: "[LINE] [--for SPAN]",
        help: "write down what steers a line, as it happens: counters, answers, rates",
        more: "A line of JSON each, on standard output, for a minute unless told otherwise; for 'weir-sim replay', and \
               for a report of what went wrong. No addresses and no packets are in it.",
        run: record::run,
    },
    Command {
        name: "services",
        arguments: "[NAME]",
        help: "list the built-in services: their ports and their classes",
        more: "With a name: why it is in its class, what its ports cannot tell, and what the configuration makes of it. A rule can name services (list \
               service 'dns'); a rule of a service's name changes it.",
        run: services::run,
    },
    Command {
        name: "help",
        arguments: "[COMMAND | config | SECTION | OPTION] [--man | --completion]",
        help: "explain a command, or options of the configuration",
        more: if HAS_EXTRAS {
            ""
        } else {
            "This program is a router's and has neither --man nor --completion."
        },
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

/// Whether what no router needs is in this program (Cargo.toml, `extras`); elsewhere the compiler leaves it out.
const HAS_EXTRAS: bool = cfg!(feature = "extras");

/// Runs the command line.
pub fn main() -> ExitCode {
    let mut parser = Parser::from_env();
    ExitCode::from(match parse(&mut parser) {
        Ok(Parsed::Run(command, options)) => (command.run)(&options),
        Ok(Parsed::Uci) if HAS_EXTRAS => uci::run(&mut parser),
        Ok(Parsed::Uci) => exit_code::USAGE,
        Err(text) => {
            eprintln!("weir: {text}\nTry 'weir help'.");
            exit_code::USAGE
        }
    })
}

#[expect(clippy::large_enum_variant, reason = "there is one, for as long as the program runs")]
enum Parsed {
    Run(&'static Command, Options),
    /// The hidden stand-in for the `uci` tool has options of its own.
    Uci,
}

fn parse(parser: &mut Parser) -> Result<Parsed, String> {
    let state = StateDir::new(STATE.into());
    let lasting = StateDir::new(lasting_dir().into());
    let buses = bus::SOCKETS.map(PathBuf::from).into();
    let places = Places { config: "/etc/config/weir".into(), is_named: false, state, lasting, buses };
    let mut options = Options {
        places,
        is_verbose: false,
        is_json: false,
        is_csv: false,
        is_once: false,
        is_ascii: false,
        is_diff: false,
        #[cfg(feature = "extras")]
        is_followed: false,
        is_bundle: false,
        is_kept: false,
        is_foreground: false,
        is_man: false,
        is_completion: false,
        wants_help: false,
        wants_version: false,
        root: String::new(),
        line: None,
        svg: None,
        span: None,
        words: Vec::new(),
    };
    let mut command: Option<&'static Command> = None;
    let mut used: Vec<&'static Switch> = Vec::new();
    while let Some(arg) = parser.next().map_err(words)? {
        let switch = SWITCHES.iter().find(|switch| match arg {
            Arg::Long(name) => name == switch.name,
            Arg::Short(letter) => Some(letter) == switch.short,
            Arg::Value(_) => false,
        });
        used.extend(switch);
        match (arg, switch.map(|switch| &switch.sets)) {
            (Arg::Value(word), _) if command.is_none() => {
                let word = word.string().map_err(words)?;
                if HAS_EXTRAS && word == "uci" {
                    return Ok(Parsed::Uci);
                }
                command = Some(find(&word)?);
            }
            (Arg::Value(word), _) => options.words.push(word.string().map_err(words)?),
            (_, Some(Sets::Flag(flag))) => *flag(&mut options) = true,
            (_, Some(Sets::Config)) => {
                options.places.config = PathBuf::from(parser.value().map_err(words)?);
                options.places.is_named = true;
            }
            (_, Some(Sets::Text(text))) => {
                *text(&mut options) = Some(parser.value().and_then(ValueExt::string).map_err(words)?);
            }
            (_, Some(Sets::Root)) => {
                options.root = parser.value().and_then(ValueExt::string).map_err(words)?;
            }
            (_, Some(Sets::StateDir)) => {
                let path = PathBuf::from(parser.value().map_err(words)?);
                options.places.state = StateDir::new(path.clone());
                options.places.lasting = StateDir::new(path);
            }
            (_, Some(Sets::Bus)) => {
                options.places.buses = vec![PathBuf::from(parser.value().map_err(words)?)];
            }
            (_, Some(Sets::Span)) => {
                let text = parser.value().and_then(ValueExt::string).map_err(words)?;
                options.span = Some(span(switch.map_or("", |switch| switch.name), &text)?);
            }
            (Arg::Long(other), None) => {
                let hint =
                    crate::config::options::did_you_mean(other, SWITCHES.iter().map(|switch| switch.name));
                let hint = hint.map(|word| format!("; did you mean --{word}?")).unwrap_or_default();
                return Err(format!("there is no option --{other}{hint}"));
            }
            (Arg::Short(other), None) => return Err(format!("there is no option -{other}")),
        }
    }
    let named = |name: &str| find(name);
    if options.wants_version {
        return Ok(Parsed::Run(named("version")?, options));
    }
    if let Some(command) = command
        && let Some(switch) = used.iter().find(|switch| !switch.is_of(command.name))
    {
        let owners = joined(switch.of, "' and '");
        return Err(format!("'{}' has no option --{} ('{owners}' has)", command.name, switch.name));
    }
    #[cfg(feature = "extras")]
    if command.is_some_and(|command| command.name == "status")
        && options.span.is_some()
        && !options.is_followed
    {
        return Err("--every is for --follow".into());
    }
    match command {
        Some(command) if options.wants_help => {
            options.words = vec![command.name.into()];
            Ok(Parsed::Run(named("help")?, options))
        }
        Some(command) => {
            let most = match command.name {
                "help" | "check" | "hold" | "release" | "record" | "history" => 1,
                "explain" | "services" | "set-rate" => usize::MAX,
                _ => 0,
            };
            if let Some(word) = options.words.get(most) {
                let count = if most == 0 { "no" } else { "one" };
                return Err(format!("weir {} takes {count} argument, so '{word}' is too much", command.name));
            }
            Ok(Parsed::Run(command, options))
        }
        None if options.wants_help => Ok(Parsed::Run(named("help")?, options)),
        None => Err("what shall I do? Name a command".into()),
    }
}

/// Whether this is OpenWrt, where procd keeps the daemon.
pub(crate) fn is_openwrt() -> bool {
    Path::new("/etc/openwrt_release").exists()
}

/// Where what outlives a reboot is kept: OpenWrt has its /var in memory.
fn lasting_dir() -> &'static str {
    if is_openwrt() { "/etc/weir" } else { "/var/lib/weir" }
}

/// What lexopt says is wrong, except that it shows values by `Debug`, which the router's build leaves out.
fn words(error: Error) -> String {
    match error {
        Error::UnexpectedValue { option, value } => {
            format!("unexpected argument for option '{option}': {}", quoted(&value))
        }
        Error::NonUnicodeValue(value) => format!("argument is invalid unicode: {}", quoted(&value)),
        error => error.to_string(),
    }
}

/// A word as a programmer would write it, bytes that are no text as `\xFF`.
fn quoted(word: &OsStr) -> String {
    let mut out = String::from('"');
    for chunk in word.as_encoded_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => out.extend(['\\', c]),
                _ if c.is_control() => out.extend(c.escape_default()),
                _ => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02X}");
        }
    }
    out.push('"');
    out
}

/// How long to watch, to hold or to look back.
fn span(option: &str, text: &str) -> Result<Micros, String> {
    const LONGEST: Micros = Micros::secs(7 * 24 * 3600);
    value::long_span(text, Micros::ms(100), LONGEST).map_err(|why| format!("--{option}: {why}"))
}

fn find(word: &str) -> Result<&'static Command, String> {
    let known = COMMANDS.iter().find(|command| command.name == word);
    known.ok_or_else(|| {
        let hint = crate::config::options::guess(word, COMMANDS.iter().map(|command| command.name));
        format!("there is no command '{word}'{hint}")
    })
}

/// Writes to standard output; a reader that went away (`weir plan | head`) is no error, a full disk is the end.
pub(crate) fn print(text: &str) {
    use std::io::{ErrorKind, Write, stdout};
    if let Err(error) = stdout().write_all(text.as_bytes()).and_then(|()| stdout().flush())
        && error.kind() != ErrorKind::BrokenPipe
    {
        eprintln!("weir: cannot write: {}", why(&error));
        std::process::exit(exit_code::FAILED.into());
    }
}

/// Reads the configuration, with the number of its warnings. What is wrong with it is printed, as `FILE:LINE: …`.
///
/// # Errors
/// The exit code.
pub(crate) fn configuration(places: &Places) -> Result<(Config, usize), u8> {
    tell(places, read_config(places))
}

/// Prints what is wrong with what was read.
///
/// # Errors
/// The exit code.
pub(crate) fn tell(places: &Places, reading: Reading) -> Result<(Config, usize), u8> {
    match reading {
        Ok((config, warnings)) => {
            print_faults(places, &warnings);
            Ok((config, warnings.len()))
        }
        Err(refusal) => Err(refused(places, refusal)),
    }
}

/// The same of what is in force.
///
/// # Errors
/// The exit code.
pub(crate) fn told(places: &Places, found: Result<Document, Refusal>) -> Result<Document, u8> {
    let document = found.map_err(|refusal| refused(places, refusal))?;
    print_faults(places, &document.warnings);
    Ok(document)
}

fn print_faults(places: &Places, faults: &[Fault]) {
    faults.iter().for_each(|fault| complain(format_args!("{}", places.located(fault))));
}

/// Prints why there is no configuration; gives the exit code.
fn refused(places: &Places, refusal: Refusal) -> u8 {
    match refusal {
        Refusal::Unreadable(text) => {
            complain(format_args!("weir: {text}"));
            exit_code::NO_INPUT
        }
        Refusal::Faults(faults) => {
            print_faults(places, &faults);
            exit_code::CONFIG
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn what_is_wrong_with_a_value_reads_as_lexopt_says_it() {
        for value in [
            &b"x y"[..],
            b"",
            b"\"quoted\" and \\",
            b"tab\t, line\n, \x1b[1m",
            "gr\u{fc}n".as_bytes(),
            b"\xff cut \xc3",
        ] {
            let value = || OsStr::from_bytes(value).to_owned();
            let unexpected = || Error::UnexpectedValue { option: "--json".into(), value: value() };
            assert_eq!(words(unexpected()), unexpected().to_string());
            assert_eq!(words(Error::NonUnicodeValue(value())), Error::NonUnicodeValue(value()).to_string());
        }
    }
}
