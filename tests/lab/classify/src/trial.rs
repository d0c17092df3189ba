// SPDX-License-Identifier: Apache-2.0
//! What is tried: random packets, reloads while packets arrive, many flows at once.

use crate::Options;
use crate::counters::{self, Counts, Engine};
use crate::expect::{Expected, FRAGMENTS, Judge, Wrong};
use crate::frames::{self, Frame};
use crate::places::{ALL_PLACES, PATIENCE, Place, Wires, root_index};
use crate::rules::{self, Set};
use crate::socket::{Layout, Socket, index_of};
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};
use weir::classify::random::Random;
use weir::io::netlink::socket::Connection;
use weir::units::Handle;

/// Mismatches that are shown in full; the rest is counted.
const SHOWN: u64 = 4;

fn engine(options: &Options) -> Result<Engine, String> {
    match options.text("engine", "htb") {
        "htb" => Ok(Engine::Htb),
        "u32" => Ok(Engine::U32),
        "cake" => Ok(Engine::Cake),
        other => Err(format!("--engine {other}: htb, u32 or cake")),
    }
}

/// Puts a rule set in force, as people do.
fn apply(options: &Options, text: &str) -> Result<(), String> {
    let file = options.text("config", "/run/weir.conf");
    fs::write(file, text).map_err(|error| format!("{file}: {error}"))?;
    let weir = options.text("weir", "weir");
    let arguments = ["--config", file, "--state-dir", options.text("state-dir", "/run/weir"), "apply"];
    let done = Command::new(weir).args(arguments).output().map_err(|error| format!("{weir}: {error}"))?;
    let said = [done.stdout, done.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    if done.status.success() { Ok(()) } else { Err(format!("weir apply: {said}\n{text}")) }
}

fn failed(error: std::io::Error) -> String {
    error.to_string()
}

/// What random packets showed.
#[derive(Default)]
struct Tally {
    /// Packets by place, and by what they are.
    kinds: BTreeMap<String, u64>,
    /// By what the kernel says of them.
    refused: BTreeMap<String, u64>,
    /// Packets by leaf: expected and seen.
    leaves: BTreeMap<Handle, (u64, u64)>,
    sent: u64,
    compared: u64,
    rewritten: u64,
    mismatches: u64,
}

/// One rule set in force, and what is left of the last packet.
struct Trial<'a> {
    set: &'a Set,
    engine: Engine,
    connection: &'a mut Connection,
    wires: &'a mut Wires,
    tally: &'a mut Tally,
}

impl Trial<'_> {
    /// One packet: sent, counted, heard.
    fn packet(
        &mut self,
        judge: &Judge<'_>,
        place: &Place,
        index: u32,
        counts: &mut Counts,
        frame: &Frame,
    ) -> Result<(), String> {
        let Some(at_root) = place.at_root(&frame.bytes) else {
            *self.tally.refused.entry("ends within its tag".into()).or_default() += 1;
            return Ok(());
        };
        let expected = judge.expect(&at_root);
        if let Some(interpreted) = judge.interpreted(&at_root)
            && interpreted != expected.at
        {
            self.mismatch(place, frame, &expected, &format!("the interpreter says {interpreted}"));
        }
        self.wires.drain(place);
        if let Err(error) = self.wires.send(place, &frame.bytes, frame.layout) {
            *self.tally.refused.entry(format!("{}: {error}", frame.kind)).or_default() += 1;
            return Ok(());
        }
        self.tally.sent += 1;
        for kind in frames::shapes(frame, place.header).into_iter().chain([place.name]) {
            *self.tally.kinds.entry(kind.to_owned()).or_default() += 1;
        }
        let is_passed_by = place.is_passed_by(&at_root);
        let until = Instant::now() + if is_passed_by { Duration::ZERO } else { PATIENCE };
        let (after, moved) = loop {
            let after = counters::read(self.connection, index, self.engine).map_err(failed)?;
            let moved = counters::moved(counts, &after);
            if !moved.is_empty() || Instant::now() > until {
                break (after, moved);
            }
            std::thread::yield_now();
        };
        *counts = after;
        if is_passed_by {
            *self.tally.kinds.entry("too short for the IFB".into()).or_default() += 1;
        } else {
            self.tally.leaves.entry(expected.at).or_default().0 += 1;
        }
        match moved.as_slice() {
            [] if is_passed_by => {}
            // A super-packet counts as many as its sender says, and some say none.
            [(at, count)] if *at == expected.at && (*count == 1 || frame.layout.gso != 0) => {
                self.tally.leaves.entry(*at).or_default().1 += 1;
            }
            [] => self.mismatch(place, frame, &expected, "no counter moved"),
            other => self.mismatch(place, frame, &expected, &format!("counters moved: {other:?}")),
        }
        if !judge.is_heard(frame) {
            return Ok(());
        }
        let heard = self.wires.hear(place, |heard| judge.is_whole(frame, heard));
        match judge.compare(frame, &expected, &heard) {
            Ok(was_compared) => {
                self.tally.compared += u64::from(was_compared);
                self.tally.rewritten += u64::from(was_compared && expected.verdict.mark.is_some());
            }
            Err(text) => {
                let out: Vec<String> = heard.iter().take(2).map(|one| hex(one, 120)).collect();
                self.mismatch(place, frame, &expected, &format!("{text}\n#   came out: {}", out.join(" | ")));
            }
        }
        Ok(())
    }

    fn mismatch(&mut self, place: &Place, frame: &Frame, expected: &Expected, text: &str) {
        self.tally.mismatches += 1;
        if self.tally.mismatches > SHOWN {
            return;
        }
        println!(
            "# MISMATCH, seed {}, {}, {}, {} bytes, {:?}",
            self.set.seed,
            place.name,
            frame.kind,
            frame.bytes.len(),
            frame.layout
        );
        println!("#   packet: {}", hex(&frame.bytes, 400));
        println!("#   expected: {} ({}), {}", expected.at, expected.verdict, expected.reason);
        println!("#   seen: {text}");
        for line in self.set.text.lines() {
            println!("#   | {line}");
        }
    }
}

fn hex(bytes: &[u8], most: usize) -> String {
    let shown: String = bytes.iter().take(most).map(|byte| format!("{byte:02x}")).collect();
    if bytes.len() > most { shown + "…" } else { shown }
}

/// `classify random`
pub fn random(options: &Options) -> Result<bool, String> {
    let engine = engine(options)?;
    let first = options.number("seed", 1)?;
    let (sets, packets) = (options.number("sets", 10)?, options.number("packets", 400)?);
    let wrong = match options.text("wrong", "") {
        "" => Wrong::No,
        "class" => Wrong::Class,
        "dscp" => Wrong::Dscp,
        other => return Err(format!("--wrong {other}: class or dscp")),
    };
    let mut connection = Connection::open().map_err(failed)?;
    let mut wires = Wires::open().map_err(|error| format!("the devices: {error}"))?;
    let mut tally = Tally::default();
    let (mut done, mut rule_count, mut seed) = (0, 0, first.wrapping_mul(1_000_000));
    let began = Instant::now();
    let mut applying = Duration::ZERO;
    while done < sets {
        seed += 1;
        let Some(set) = rules::draw(seed, engine) else { continue };
        let start = Instant::now();
        apply(options, &set.text)?;
        applying += start.elapsed();
        done += 1;
        rule_count += set.rules.len();
        let mut random = Random::seeded(!seed);
        let mut trial =
            Trial { set: &set, engine, connection: &mut connection, wires: &mut wires, tally: &mut tally };
        for place in ALL_PLACES {
            let judge = Judge::new(&set, place, engine, wrong)
                .ok_or_else(|| format!("seed {seed}: no filters for {}", place.name))?;
            let index = root_index(&place).map_err(|error| format!("{}: {error}", place.root))?;
            let mut counts = counters::read(trial.connection, index, engine).map_err(failed)?;
            for _ in 0..packets / 4 {
                let frame = frames::draw(&mut random, place.header, &set.rules);
                // An Ethernet device would send the fragments one by one.
                if frame.kind != FRAGMENTS || place.name != ALL_PLACES[1].name {
                    trial.packet(&judge, &place, index, &mut counts, &frame)?;
                }
            }
        }
    }
    report(&tally, engine, first, done, rule_count, began.elapsed(), applying);
    let refused: u64 = tally.refused.values().sum();
    // More than those that no device takes, such as frames without a whole header, is a fault of this test.
    Ok(tally.mismatches == 0 && refused * 8 < tally.sent)
}

fn report(
    tally: &Tally,
    engine: Engine,
    seed: u64,
    sets: u64,
    rules: usize,
    took: Duration,
    applying: Duration,
) {
    let engine = format!("{engine:?}").to_lowercase();
    for (kind, count) in &tally.kinds {
        println!("KIND {engine} {count} {kind}");
    }
    for (why, count) in &tally.refused {
        println!("REFUSED {engine} {count} {why}");
    }
    for (leaf, (expected, seen)) in &tally.leaves {
        println!("LEAF {engine} {leaf} expected={expected} seen={seen}");
    }
    println!(
        "NUMBER classify/{engine} seed={seed} sets={sets} rules={rules} packets={} compared={} rewritten={} refused={} mismatches={} ms={} applying_ms={}",
        tally.sent,
        tally.compared,
        tally.rewritten,
        tally.refused.values().sum::<u64>(),
        tally.mismatches,
        took.as_millis(),
        applying.as_millis()
    );
}

/// `classify replace`: on the IFB, whose packets arrive in interrupts, between any two instructions of weir's requests.
pub fn replace(options: &Options) -> Result<bool, String> {
    let engine = engine(options)?;
    let files = [options.word(0, "FILE")?, options.word(1, "FILE")?];
    let read = |name: &str| fs::read_to_string(name).map_err(|error| format!("{name}: {error}"));
    let files = [read(files[0])?, read(files[1])?];
    let [_, place, ..] = ALL_PLACES;
    let port = u16::try_from(options.number("port", 5060)?).map_err(|error| error.to_string())?;
    let frame = frames::udp4(port);
    // Both files must want the same of it, or there is nothing to see.
    let wanted = files.each_ref().map(|text| {
        let set = Set::of(text)?;
        Judge::new(&set, place, engine, Wrong::No).map(|judge| judge.expect(&frame))
    });
    let [Some(one), Some(other)] = wanted else { return Err("a file is not right".into()) };
    if (one.at, one.verdict) != (other.at, other.verdict) {
        return Err(format!(
            "the files want {} ({}) and {} ({})",
            one.at, one.verdict, other.at, other.verdict
        ));
    }
    let mut connection = Connection::open().map_err(failed)?;
    apply(options, &files[0])?;
    let mut wires = Wires::open().map_err(failed)?;
    let index = root_index(&place).map_err(failed)?;
    let before = counters::read(&mut connection, index, engine).map_err(failed)?;
    let times = options.number("times", 20)?;
    let has_gap = options.text("wrong", "") == "gap";
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let (sent, heard, applied) = std::thread::scope(|scope| {
        let flood = scope.spawn(|| flood(&mut wires, &place, &frame, &is_over));
        let applied = (0..times).try_for_each(|n| {
            if has_gap {
                take_away(&place)?;
            }
            apply(options, &files[1 - (n % 2) as usize])
        });
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        let (sent, heard) = flood.join().expect("it does not panic");
        (sent, heard, applied)
    });
    applied?;
    let after = counters::read(&mut connection, index, engine).map_err(failed)?;
    let moved = counters::moved(&before, &after);
    println!(
        "# {times} reloads, {sent} packets, wanted {} ({}), counters moved: {moved:?}, DSCPs that came out: {heard:?}",
        one.at, one.verdict
    );
    let mark = one.verdict.mark.map_or(0, |mark| mark.get());
    Ok(sent > times * 20 && moved == [(one.at, sent)] && heard.keys().all(|dscp| *dscp == mark))
}

/// Removes the filters, as a program would that cannot exchange them.
fn take_away(place: &Place) -> Result<(), String> {
    let done = Command::new("tc").args(["filter", "del", "dev", place.root, "parent", "57e1:"]).status();
    done.map_err(failed)
        .and_then(|status| status.success().then_some(()).ok_or("tc filter del failed".into()))
}

/// Sends without end, a few in a millisecond; gives how many were sent and how often each DSCP came out.
fn flood(
    wires: &mut Wires,
    place: &Place,
    frame: &[u8],
    is_over: &std::sync::atomic::AtomicBool,
) -> (u64, BTreeMap<u8, u64>) {
    let (mut sent, mut heard) = (0, BTreeMap::new());
    let mut listen = |wires: &mut Wires| {
        while let Some(bytes) = wires.receive(place) {
            *heard.entry(bytes.get(15).map_or(0, |tos| tos >> 2)).or_default() += 1;
        }
    };
    while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
        for _ in 0..4 {
            sent += u64::from(wires.send(place, frame, Layout::default()).is_ok());
        }
        listen(wires);
        std::thread::sleep(Duration::from_micros(500));
    }
    // What is still under way.
    std::thread::sleep(PATIENCE);
    listen(wires);
    (sent, heard)
}

/// `classify flows`: packets of many flows at once, more than the line takes in the time it takes to look.
pub fn flows(options: &Options) -> Result<bool, String> {
    let device = options.word(0, "DEVICE")?;
    let port = options.word(1, "PORT")?.parse().map_err(|error| format!("PORT: {error}"))?;
    let count = u16::try_from(options.number("count", 200)?).map_err(|error| error.to_string())?;
    let socket = Socket::sender(device).map_err(failed)?;
    for _ in 0..3 {
        for flow in 0..count {
            let mut frame = frames::udp4(port);
            // The source port: two bytes behind Ethernet and IPv4.
            frame[34..36].copy_from_slice(&(20_000 + flow).to_be_bytes());
            socket.send(&frame, Layout::default(), 0).map_err(failed)?;
        }
    }
    let mut connection = Connection::open().map_err(failed)?;
    let index = index_of(device).map_err(failed)?;
    let tins = counters::tins(&mut connection, index).map_err(failed)?;
    for (n, tin) in (1..).zip(&tins) {
        println!(
            "TIN {n} packets={} queued={} flows={}",
            tin.packets,
            tin.backlog_packets,
            tin.sparse_flows + tin.bulk_flows
        );
    }
    Ok(!tins.is_empty())
}
