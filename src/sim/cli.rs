// SPDX-License-Identifier: Apache-2.0
//! The command line of `weir-sim`: one table of commands, one of options.

use super::clock::Span;
use super::golden::{self, CHOSEN_ON, CIRCUMSTANCES, Figures};
use super::plot;
use super::roster::{self, Entry, by_name};
use super::scenario::{ANSWERS, Case, DIRECTIONS, ENGINES, LAWS, LOADS};
use super::sweep::{self, Job, Speed};
use super::table::{self, Row};
use super::tape;
use super::trace::Trace;
use super::world::Outcome;
use lexopt::{Arg, Parser, ValueExt};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

struct Command {
    name: &'static str,
    help: &'static str,
    run: fn(&Options) -> Result<(), String>,
}

const COMMANDS: &[Command] = &[
    Command { name: "run", help: "score one pilot on each TRACE, a line for each", run: run_each },
    Command {
        name: "compare",
        help: "score all pilots, or those named, on the mean of all TRACEs",
        run: compare,
    },
    Command { name: "plot", help: "draw one run as SVG: capacity, rate, delivered, delay", run: draw },
    Command { name: "bench", help: "say how fast the simulator is: 20 Mbit/s, four flows", run: bench },
    Command {
        name: "golden",
        help: "weir in all circumstances against tests/golden/sim.txt: fails where it has lost",
        run: check_golden,
    },
    Command { name: "pilots", help: "list the pilots", run: list },
    Command {
        name: "replay",
        help: "let the controller hear what 'weir record' wrote to TRACE; --json: what it says, line by line",
        run: replay,
    },
    Command {
        name: "drive",
        help: "a controller on standard input and output, for another simulator (docs/drive.md)",
        run: drive,
    },
];

/// The switches: name, value, help.
const SWITCHES: &[(&str, &str, &str)] = &[
    ("pilot", "NAME", "steer with this; may be repeated (compare)"),
    ("way", "up|down|both", "which way the trace limits and the load goes (up)"),
    ("load", "bulk|bursty|household", "what runs over the line (bulk)"),
    ("flows", "N", "bulk flows per direction, 1 to 64 (4)"),
    ("law", "cubic|reno|bbr", "their congestion control (cubic)"),
    ("ecn", "", "they understand congestion marks"),
    ("engine", "htb|cake", "the shaper's qdisc (htb)"),
    ("seconds", "N", "virtual time per run (90)"),
    ("rtt", "MS", "mean round trip (40)"),
    ("buffer", "MS", "the line's buffer at its mean capacity (500)"),
    ("jitter", "MS", "mean delay behind the line that varies by packet (0)"),
    ("grant", "MS", "a radio's grant period (0: none)"),
    ("second", "KBIT,MS", "a second buffer behind the first, at a fixed rate"),
    (
        "answers",
        "usual|echo|tcp|dns|noisy|limited|dying|moving|blind|silent",
        "what the reflectors are like (usual)",
    ),
    ("loss", "PERCENT", "packets lost behind the line (0)"),
    ("reorder", "PERCENT", "packets that arrive late (0)"),
    ("seed", "N", "which of all worlds like this (1)"),
    ("seeds", "N", "so many worlds of each, from the seed on (1)"),
    ("hold", "", "a trace keeps its last value instead of beginning anew; give it before the TRACE"),
    ("each", "", "compare: a line per trace too"),
    ("bless", "", "golden: write the table instead of checking it"),
    ("json", "", "for programs"),
    ("output", "FILE", "plot: write there instead of to standard output"),
];

struct Options {
    traces: Vec<Arc<Trace>>,
    pilots: Vec<&'static Entry>,
    case: Case,
    seeds: u64,
    is_hold: bool,
    is_each: bool,
    is_json: bool,
    is_blessed: bool,
    output: Option<PathBuf>,
    recordings: Vec<PathBuf>,
}

/// Runs `weir-sim`.
pub fn main() -> ExitCode {
    match read(Parser::from_env()) {
        Ok(None) => {
            print!("{}", usage());
            ExitCode::SUCCESS
        }
        Ok(Some((command, options))) => match (command.run)(&options) {
            Ok(()) => ExitCode::SUCCESS,
            Err(fault) => {
                eprintln!("weir-sim: {fault}");
                ExitCode::FAILURE
            }
        },
        Err(fault) => {
            eprintln!("weir-sim: {fault}\nTry: weir-sim --help");
            ExitCode::from(64)
        }
    }
}

fn usage() -> String {
    let mut text = String::from("weir-sim COMMAND [OPTION…] TRACE…\n\n");
    for Command { name, help, .. } in COMMANDS {
        text.push_str(&format!("  {name:10} {help}\n"));
    }
    text.push('\n');
    for (name, value, help) in SWITCHES {
        let switch = format!("--{name} {value}");
        // Long ones have their help below.
        let gap = if switch.len() > 32 { format!("\n  {:32}", "") } else { String::new() };
        text.push_str(&format!("  {switch:32}{gap} {help}\n"));
    }
    text.push_str(
        "\nA TRACE is a CSV file: time_ms,capacity_kbit in equal steps; at its end it begins anew.\n",
    );
    text
}

/// Finds a word in a table of names.
fn pick<T: Copy>(word: &str, from: &[(&'static str, T)]) -> Result<T, String> {
    let found = from.iter().find(|(name, _)| *name == word);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = from.iter().map(|(name, _)| *name).collect();
        format!("'{word}' is none of: {}", names.join(", "))
    })
}

fn read(mut parser: Parser) -> Result<Option<(&'static Command, Options)>, String> {
    let blank = Case::new(Arc::new(Trace::constant("20 Mbit/s", 20_000)));
    let mut options = Options {
        traces: Vec::new(),
        pilots: Vec::new(),
        case: blank,
        seeds: 1,
        is_hold: false,
        is_each: false,
        is_json: false,
        is_blessed: false,
        output: None,
        recordings: Vec::new(),
    };
    let mut command = None;
    while let Some(arg) = parser.next().map_err(|fault| fault.to_string())? {
        match arg {
            Arg::Short('h') => return Ok(None),
            Arg::Short(short) => return Err(format!("there is no option -{short}")),
            Arg::Long("help") => return Ok(None),
            Arg::Long(name) => {
                let name = name.to_owned();
                set(&mut options, &name, &mut parser)?;
            }
            Arg::Value(word) if command.is_none() => {
                let word = word.to_string_lossy().into_owned();
                let found = COMMANDS.iter().find(|command| command.name == word);
                command = Some(found.ok_or_else(|| format!("there is no command '{word}'"))?);
            }
            Arg::Value(file) if command.is_some_and(|command: &Command| command.name == "replay") => {
                options.recordings.push(file.into());
            }
            Arg::Value(file) => {
                let trace = load(Path::new(&file))?;
                options.traces.push(Arc::new(if options.is_hold { trace.held() } else { trace }));
            }
        }
    }
    Ok(command.map(|command| (command, options)))
}

fn set(options: &mut Options, name: &str, parser: &mut Parser) -> Result<(), String> {
    let Some((_, takes, _)) = SWITCHES.iter().find(|(switch, ..)| *switch == name) else {
        return Err(format!("there is no option --{name}"));
    };
    let word = if takes.is_empty() {
        String::new()
    } else {
        let value = parser.value().map_err(|fault| fault.to_string())?;
        value.string().map_err(|fault| fault.to_string())?
    };
    let number = || -> Result<f64, String> {
        let number: Result<f64, _> = word.parse();
        number
            .ok()
            .filter(|n| (0.0..1e9).contains(n))
            .ok_or_else(|| format!("--{name}: '{word}' is no number"))
    };
    let span = || number().map(|ms| Span::from_secs(ms / 1000.0));
    let case = &mut options.case;
    match name {
        "pilot" => {
            let pilot =
                by_name(&word).ok_or_else(|| format!("there is no pilot '{word}': see weir-sim pilots"))?;
            options.pilots.push(pilot);
        }
        "way" => case.direction = pick(&word, &DIRECTIONS)?,
        "load" => case.load = pick(&word, &LOADS)?,
        "law" => case.law = pick(&word, &LAWS)?,
        "engine" => case.engine = pick(&word, &ENGINES)?,
        "answers" => case.answers = pick(&word, &ANSWERS)?,
        "second" => {
            let parts =
                word.split_once(',').and_then(|(kbit, ms)| Some((kbit.parse().ok()?, ms.parse().ok()?)));
            let (kbit, ms): (u32, u32) = parts.ok_or_else(|| format!("--second: '{word}' is not KBIT,MS"))?;
            case.second = Some((kbit, Span::ms(u64::from(ms))));
        }
        "flows" => case.flows = number()?.clamp(1.0, 64.0) as u16,
        "ecn" => case.has_ecn = true,
        "seconds" => case.length = Span::from_secs(number()?.max(1.0)),
        "rtt" => case.rtt = span()?,
        "buffer" => case.line.buffer = span()?,
        "jitter" => case.line.jitter = span()?,
        "grant" => case.line.grant = span()?,
        "loss" => case.line.loss = number()? / 100.0,
        "reorder" => case.line.reorder = number()? / 100.0,
        "seed" => case.seed = number()? as u64,
        "seeds" => options.seeds = number()?.max(1.0) as u64,
        "hold" => options.is_hold = true,
        "each" => options.is_each = true,
        "json" => options.is_json = true,
        "bless" => options.is_blessed = true,
        "output" => options.output = Some(word.into()),
        _ => return Err(format!("--{name} is not implemented")),
    }
    Ok(())
}

fn load(file: &Path) -> Result<Trace, String> {
    let text = std::fs::read_to_string(file).map_err(|fault| format!("{}: {fault}", file.display()))?;
    let name = file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    Trace::parse(&name, &text).map_err(|fault| format!("{}: {fault}", file.display()))
}

impl Options {
    fn needs_traces(&self) -> Result<(), String> {
        if self.traces.is_empty() { Err("name a trace".into()) } else { Ok(()) }
    }

    /// Every pilot on every trace in every world, in this order of nesting.
    fn jobs(&self, pilots: &[&'static Entry]) -> Vec<Job> {
        let mut jobs = Vec::new();
        for &pilot in pilots {
            for trace in &self.traces {
                for n in 0..self.seeds {
                    let case =
                        Case { trace: Arc::clone(trace), seed: self.case.seed + n, ..self.case.clone() };
                    jobs.push(Job { case, pilot });
                }
            }
        }
        jobs
    }
}

/// Runs the jobs with a bar on a terminal.
fn sweep(jobs: &[Job]) -> (Vec<Outcome>, Speed) {
    let is_shown = std::io::stderr().is_terminal() && jobs.len() > 1;
    let result = sweep::run(jobs, |done| {
        if is_shown {
            let filled = 40 * done / jobs.len();
            let bar = "#".repeat(filled) + &"-".repeat(40 - filled);
            let _ = write!(std::io::stderr(), "\r[{bar}] {done}/{}", jobs.len());
        }
    });
    if is_shown {
        let _ = write!(std::io::stderr(), "\r{:60}\r", "");
    }
    result
}

fn show(options: &Options, rows: &[Row], speed: Speed) -> Result<(), String> {
    let mut out = String::new();
    let written = if options.is_json { table::json(&mut out, rows) } else { table::text(&mut out, rows) };
    written.map_err(|fault| fault.to_string())?;
    print!("{out}");
    say_speed(speed);
    Ok(())
}

fn say_speed(speed: Speed) {
    let Speed { per_core, in_all, events } = speed;
    eprintln!(
        "{per_core:.0} x real time per core, {in_all:.0} x in all; {:.1} million events/s per core",
        events / 1e6
    );
}

fn run_each(options: &Options) -> Result<(), String> {
    options.needs_traces()?;
    let pilots = or_all(&options.pilots, &["cake-autorate"]);
    let jobs = options.jobs(&pilots);
    let (outcomes, speed) = sweep(&jobs);
    let mut rows = Vec::new();
    for (job, outcome) in jobs.iter().zip(&outcomes) {
        for &way in job.case.ways() {
            rows.extend(Row::of(job.pilot.name, &job.case.trace.name, way, &[(outcome, None)]));
        }
    }
    show(options, &rows, speed)
}

fn replay(options: &Options) -> Result<(), String> {
    if options.recordings.is_empty() {
        return Err("name a recording, made by 'weir record'".into());
    }
    for path in &options.recordings {
        let named = |fault: String| format!("{}: {fault}", path.display());
        let file = std::fs::File::open(path).map_err(|fault| named(fault.to_string()))?;
        let found = tape::replay(std::io::BufReader::new(file), |line| {
            if options.is_json {
                print!("{line}");
            }
        });
        let tape::Replay { lines, span, answers, rates: [then, now], apart: [up, down] } =
            found.map_err(named)?;
        let seconds = span.0 as f64 / 1e6;
        eprintln!("{}: {lines} lines, {seconds:.1} s, {answers} answers", path.display());
        eprintln!("  rates set: {then} then, {now} by this controller");
        let (up, down) = (up * 100.0, down * 100.0);
        eprintln!("  apart on average: upload {up:.1} %, download {down:.1} % of the rate then");
    }
    Ok(())
}

fn drive(_: &Options) -> Result<(), String> {
    tape::drive(std::io::stdin().lock(), std::io::stdout().lock())
}

fn or_all(chosen: &[&'static Entry], names: &[&str]) -> Vec<&'static Entry> {
    if !chosen.is_empty() {
        return chosen.to_vec();
    }
    roster::all().filter(|entry| names.is_empty() || names.contains(&entry.name)).collect()
}

fn compare(options: &Options) -> Result<(), String> {
    options.needs_traces()?;
    let mut pilots = or_all(&options.pilots, &[]);
    if !pilots.iter().any(|pilot| pilot.name == "oracle") {
        pilots.extend(by_name("oracle"));
    }
    let jobs = options.jobs(&pilots);
    let (outcomes, speed) = sweep(&jobs);
    let per_pilot = options.traces.len() * options.seeds as usize;
    let oracle_at = pilots.iter().position(|pilot| pilot.name == "oracle").unwrap_or(0) * per_pilot;
    let pairs: Vec<(&Outcome, Option<&Outcome>)> =
        outcomes.iter().enumerate().map(|(n, own)| (own, outcomes.get(oracle_at + n % per_pilot))).collect();
    let mut rows = Vec::new();
    if options.is_each {
        for (t, trace) in options.traces.iter().enumerate() {
            for (p, pilot) in pilots.iter().enumerate() {
                let from = p * per_pilot + t * options.seeds as usize;
                let own = &pairs[from..from + options.seeds as usize];
                rows.extend(
                    options.case.ways().iter().filter_map(|&way| Row::of(pilot.name, &trace.name, way, own)),
                );
            }
        }
    }
    let calm: Vec<bool> =
        jobs.iter().take(per_pilot).map(|job| !job.case.trace.has_outage(job.case.length)).collect();
    let counted = calm.iter().filter(|&&is_calm| is_calm).count() / options.seeds as usize;
    let place = format!("mean of {counted}");
    for (pilot, own) in pilots.iter().zip(pairs.chunks(per_pilot)) {
        let own: Vec<(&Outcome, Option<&Outcome>)> =
            own.iter().zip(&calm).filter(|&(_, &is_calm)| is_calm).map(|(&pair, _)| pair).collect();
        rows.extend(options.case.ways().iter().filter_map(|&way| Row::of(pilot.name, &place, way, &own)));
    }
    show(options, &rows, speed)?;
    if counted < options.traces.len() {
        eprintln!(
            "{} with outages of two seconds and more are not in the mean: nobody can help there",
            options.traces.len() - counted
        );
    }
    Ok(())
}

fn draw(options: &Options) -> Result<(), String> {
    let [trace] = options.traces.as_slice() else { return Err("name one trace".into()) };
    let pilots = or_all(&options.pilots, &["cake-autorate"]);
    let [pilot] = pilots.as_slice() else { return Err("name one pilot".into()) };
    let case = Case { trace: Arc::clone(trace), ..options.case.clone() };
    let job = Job { case, pilot };
    let outcome = job.run();
    let mut svg = String::new();
    plot::svg(&mut svg, &job, &outcome).map_err(|fault| fault.to_string())?;
    match &options.output {
        Some(file) => std::fs::write(file, svg).map_err(|fault| format!("{}: {fault}", file.display())),
        None => {
            print!("{svg}");
            Ok(())
        }
    }
}

fn bench(options: &Options) -> Result<(), String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    for (what, names) in [("shaped at 20 Mbit/s", "oracle"), ("with cake-autorate", "cake-autorate")] {
        let Some(pilot) = by_name(names) else { continue };
        let job = |seed| Job { case: Case { length: Span::secs(300), seed, ..options.case.clone() }, pilot };
        let jobs: Vec<Job> = (0..cores * 2).map(job).collect();
        let (_, speed) = sweep(&jobs);
        eprint!("{what}: ");
        say_speed(speed);
    }
    Ok(())
}

/// The golden table, from the project's root.
const GOLDEN: &str = "tests/golden/sim.txt";

fn check_golden(options: &Options) -> Result<(), String> {
    options.needs_traces()?;
    let pilots = or_all(&options.pilots, &["weir"]);
    let [pilot] = pilots.as_slice() else { return Err("name one pilot".into()) };
    let length = Case::new(Arc::new(Trace::constant("any", 1))).length;
    let calm: Vec<&Arc<Trace>> = options.traces.iter().filter(|trace| !trace.has_outage(length)).collect();
    let (mut groups, mut jobs) = (Vec::new(), Vec::new());
    for circumstance in &CIRCUMSTANCES {
        for (load, direction) in golden::DIRECTIONS {
            for (half, is_chosen) in [("chosen", true), ("judging", false)] {
                let from = jobs.len();
                for trace in calm.iter().filter(|trace| CHOSEN_ON.contains(&trace.name.as_str()) == is_chosen)
                {
                    let blank = Case { trace: Arc::clone(trace), ..options.case.clone() };
                    jobs.push(Job { case: circumstance.case(blank, direction), pilot });
                }
                groups.push((circumstance.name, load, half, from..jobs.len()));
            }
        }
    }
    let (outcomes, speed) = sweep(&jobs);
    let mut figures = Vec::new();
    for (circumstance, load, half, range) in groups {
        let (Some(job), Some(own)) = (jobs.get(range.start), outcomes.get(range)) else { continue };
        let own: Vec<(&Outcome, Option<&Outcome>)> = own.iter().map(|outcome| (outcome, None)).collect();
        for &way in job.case.ways() {
            let row = Row::of(pilot.name, half, way, &own);
            figures.extend(row.map(|row| Figures::of(circumstance, load, half, way, &row)));
        }
    }
    say_speed(speed);
    let table: String = figures.iter().map(|figures| format!("{figures}\n")).collect();
    if options.is_blessed {
        let text = format!("{}\n{table}", golden::HEAD);
        return std::fs::write(GOLDEN, text).map_err(|fault| format!("{GOLDEN}: {fault}"));
    }
    let known = std::fs::read_to_string(GOLDEN).map_err(|fault| format!("{GOLDEN}: {fault}"))?;
    let known: Vec<Figures> = known.lines().filter_map(Figures::parse).collect();
    let mut losses = Vec::new();
    for figures in &figures {
        match known.iter().find(|known| known.name == figures.name) {
            Some(known) => losses.extend(figures.losses(known)),
            None => losses.push(format!("{} is not in the table", figures.name)),
        }
    }
    if losses.is_empty() {
        eprintln!("golden: {} rows, none has lost", figures.len());
        return Ok(());
    }
    losses.push("if that is meant: ./dev sim golden --bless tests/traces/*.csv".into());
    Err(losses.join("\n"))
}

fn list(_options: &Options) -> Result<(), String> {
    roster::all().for_each(|entry| println!("{:18} {}", entry.name, entry.help));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::scenario::{Direction, Load};

    fn told(words: &str) -> Result<Option<(&'static Command, Options)>, String> {
        read(Parser::from_args(words.split_whitespace()))
    }

    #[test]
    fn options_set_what_they_say() {
        let words =
            "compare --way both --load bursty --flows 16 --buffer 150 --loss 2 --seeds 3 --second 8000,20";
        let (command, options) = told(words).expect("is right").expect("is a command");
        assert_eq!(command.name, "compare");
        let case = &options.case;
        assert_eq!((case.direction, case.load, case.flows), (Direction::Both, Load::Bursty, 16));
        assert_eq!((case.line.buffer, case.line.loss), (Span::ms(150), 0.02));
        assert_eq!((options.seeds, case.second), (3, Some((8_000, Span::ms(20)))));
    }

    #[test]
    fn every_switch_of_the_table_is_known_to_the_parser() {
        for (name, value, _) in SWITCHES {
            let word = match *value {
                "" => "",
                "N" | "MS" | "PERCENT" => "3",
                "FILE" => "out.svg",
                "KBIT,MS" => "1000,10",
                "NAME" => "oracle",
                words => words.split('|').next().unwrap_or_default(),
            };
            assert!(told(&format!("run --{name} {word}")).is_ok(), "--{name} {word}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_would() {
        let fault = |words| told(words).err().unwrap_or_default();
        assert_eq!(fault("fly"), "there is no command 'fly'");
        assert_eq!(fault("run --speed 9"), "there is no option --speed");
        assert_eq!(fault("run --way out"), "'out' is none of: up, down, both");
        assert_eq!(fault("run --flows many"), "--flows: 'many' is no number");
        assert_eq!(fault("run --pilot nobody"), "there is no pilot 'nobody': see weir-sim pilots");
        assert!(fault("run none.csv").starts_with("none.csv: "));
    }
}
