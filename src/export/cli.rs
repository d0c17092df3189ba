// SPDX-License-Identifier: Apache-2.0
//! The command line of `weir-export`.

use super::config::{self, Config, HAS_TLS};
use super::io::run::{self, STATUS, Source};
use super::io::{files, log};
use super::tree::Tree;
use super::{metrics, options, status, template};
use crate::cli::exit_code::{CONFIG, FAILED, NO_INPUT, OK, USAGE};
use crate::config::Severity;
use crate::io::bus::SOCKETS;
use crate::io::clock;
use crate::io::files::{StateDir, read_bounded};
use lexopt::{Arg, Parser, ValueExt};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "weir-export: what weir knows, for InfluxDB, Prometheus, webhooks and MQTT

usage: weir-export COMMAND [options]

  run         read the daemon and deliver, until told to end
  check [FILE]  check the configuration: exit code 0, or 78 with each fault as FILE:LINE
  status      how the outlets do: what arrived, failed, waits, was dropped; and who scrapes
  outlets     the names of those that are switched on, a line each
  help [config | template | metrics]  every option, what a template may hold, all numbers there are
  version     the version, and whether TLS is built in

  --config FILE, -c FILE  read this file instead of /etc/config/weir-export
  --state-dir DIR         keep the status here instead of /var/run/weir-export/state
  --ubus SOCKET           run: where the system bus is
  --stdin                 run: read lines of JSON, as 'weir status --json' prints them, instead of the bus
  --foreground            run: log to standard error instead of syslog
  --json                  status: for programs
  --help, -h              this
";

struct Options {
    config: PathBuf,
    state: StateDir,
    buses: Vec<PathBuf>,
    is_stdin: bool,
    is_foreground: bool,
    is_json: bool,
    words: Vec<String>,
}

/// Runs the command line.
pub fn main() -> ExitCode {
    ExitCode::from(match parse() {
        Ok(Some(options)) => command(&options),
        Ok(None) => print(HELP),
        Err(text) => {
            eprintln!("weir-export: {text}\nTry 'weir-export help'.");
            USAGE
        }
    })
}

fn parse() -> Result<Option<Options>, String> {
    let told = |error: lexopt::Error| error.to_string();
    let mut options = Options {
        config: "/etc/config/weir-export".into(),
        state: StateDir::new("/var/run/weir-export/state".into()),
        buses: SOCKETS.map(PathBuf::from).into(),
        is_stdin: false,
        is_foreground: false,
        is_json: false,
        words: Vec::new(),
    };
    let mut parser = Parser::from_env();
    while let Some(arg) = parser.next().map_err(told)? {
        match arg {
            Arg::Long("config") | Arg::Short('c') => options.config = parser.value().map_err(told)?.into(),
            Arg::Long("state-dir") => options.state = StateDir::new(parser.value().map_err(told)?.into()),
            Arg::Long("ubus") => options.buses = vec![parser.value().map_err(told)?.into()],
            Arg::Long("stdin") => options.is_stdin = true,
            Arg::Long("foreground") => options.is_foreground = true,
            Arg::Long("json") => options.is_json = true,
            Arg::Long("help") | Arg::Short('h') => return Ok(None),
            Arg::Long("version") | Arg::Short('V') => options.words = vec!["version".into()],
            Arg::Value(word) => options.words.push(word.string().map_err(told)?),
            other => return Err(told(other.unexpected())),
        }
    }
    Ok(Some(options))
}

fn command(options: &Options) -> u8 {
    let words: Vec<&str> = options.words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["run"] => run(options),
        ["check"] => check(&options.config),
        ["check", file] => check(Path::new(file)),
        ["status"] => tell(options),
        ["outlets"] => match load(&options.config, false) {
            Ok(config) => print(&config.outlets().iter().map(|name| format!("{name}\n")).collect::<String>()),
            Err(code) => code,
        },
        [] | ["help"] => print(HELP),
        ["help", "config"] => print(&options::help()),
        ["help", "template"] => print(&fields()),
        ["help", "metrics"] => print(&metrics::readme()),
        ["version"] => {
            let tls = if HAS_TLS { "TLS built in" } else { "https:// by uclient-fetch" };
            print(&format!("weir-export {} ({tls})\n", env!("CARGO_PKG_VERSION")))
        }
        _ => {
            eprintln!("weir-export: there is no such command\nTry 'weir-export help'.");
            USAGE
        }
    }
}

/// Prints; that nobody reads it is no error.
fn print(text: &str) -> u8 {
    let _ = std::io::stdout().write_all(text.as_bytes());
    OK
}

fn fields() -> String {
    let mut out = String::from("Fields of a webhook's template, written as {{name}}:\n");
    for (name, help) in template::FIELDS {
        // A String takes everything.
        let _ = writeln!(out, "  {name:<14} {help}");
    }
    let _ = writeln!(
        out,
        "\nWithin a text a field is its characters; elsewhere a JSON value of its own. Without a template:\n{}",
        template::DEFAULT
    );
    out
}

/// Reads the configuration and tells of what is wrong with it.
fn load(path: &Path, wants_warnings: bool) -> Result<Config, u8> {
    let bytes = read_bounded(path).map_err(|error| {
        eprintln!("weir-export: cannot read {}: {}", path.display(), files::why(&error));
        NO_INPUT
    })?;
    let (config, list) = match config::load(&bytes) {
        Ok((config, list)) => (Ok(config), list),
        Err(list) => (Err(CONFIG), list),
    };
    for fault in list.iter().filter(|fault| wants_warnings || fault.severity == Severity::Fault) {
        eprintln!("{}:{fault}", path.display());
    }
    config
}

fn check(path: &Path) -> u8 {
    let config = match load(path, true) {
        Ok(config) => config,
        Err(code) => return code,
    };
    // Whoever runs this is often root, who may read what we may not; so only what nobody can read is told.
    for webhook in &config.webhooks {
        if let Err(file) = &webhook.template
            && let Err(why) = files::text(file).and_then(|text| template::Template::parse(&text).map(drop))
        {
            eprintln!("{}: {}: {file}: {why}", path.display(), webhook.web.name);
            return CONFIG;
        }
    }
    let outlets = config.outlets();
    match outlets.is_empty() {
        true => print("nothing is switched on, so nothing is exported\n"),
        false => print(&format!("{}\n", config.told())),
    }
}

fn run(options: &Options) -> u8 {
    if !options.is_foreground {
        log::to_syslog();
    }
    let config = match load(&options.config, true) {
        Ok(config) => config,
        Err(code) => return code,
    };
    if config.outlets().is_empty() {
        eprintln!(
            "weir-export: nothing is switched on in {}, so there is nothing to do",
            options.config.display()
        );
        return CONFIG;
    }
    let source = if options.is_stdin { Source::Stdin } else { Source::Bus(options.buses.clone()) };
    match run::run(&config, source, options.state.clone()) {
        Ok(()) => OK,
        Err(why) => {
            log::say(log::Level::Warning, &why);
            FAILED
        }
    }
}

fn tell(options: &Options) -> u8 {
    let text = options.state.read(STATUS);
    let Ok(tree) = Tree::parse(text.trim()) else {
        eprintln!("weir-export: it has not run yet: {} is not there", options.state.path(STATUS).display());
        return FAILED;
    };
    if options.is_json {
        return print(&text);
    }
    let mut out = String::new();
    let is_running = status::show(&tree, clock::wall().0, &mut out);
    print(&out);
    if is_running { OK } else { FAILED }
}
