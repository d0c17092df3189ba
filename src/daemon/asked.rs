// SPDX-License-Identifier: Apache-2.0
//! What the daemon answers to the other commands: how lines are steered, and holding them for a while.
//!
//! A request is one line of words: `speeds`, `hold LINE SECONDS`, `rate LINE UP DOWN SECONDS` (bits per second),
//! `release LINE`, `history LINE SECONDS SINCE`, `top`. A dash stands for "all lines", "as it is", or "as long as it is held already, else an hour". The
//! answer begins with `ok`, what to tell the user behind it, or with `error: why`.

use super::{Action, CALM, Daemon, End, Level, Phase, steering};
use crate::report::{Told, no_line};
use crate::steer::{Pilot, Standing};
use crate::tc::plan::{Direction, Tune};
use crate::tc::speed::Speed;
use crate::units::{Micros, Rate, Time, Way};
use crate::watch::page::POINTS;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

/// How long rates are held unless told otherwise.
const USUAL: Micros = Micros::secs(3600);

/// What it says while what is wanted is on its way to the kernel.
pub const AT_WORK: &str = "at work";

/// A line whose rates are somebody else's decision for a while.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) name: String,
    until: Time,
}

impl Held {
    /// How long it will be yet, in whole seconds.
    fn left(&self, now: Time) -> Micros {
        Micros::secs((self.until - now).0.div_ceil(1_000_000))
    }
}

impl Daemon {
    /// Answers a request.
    pub fn asked(&mut self, now: Time, request: &str) -> String {
        self.now = now;
        let words: Vec<&str> = request.split_whitespace().collect();
        let result = match words.as_slice() {
            _ if self.end != End::No => Err("weir is about to end".into()),
            ["speeds"] => return self.steered(now),
            ["hold", line, seconds] => self.hold(now, line, [None; 2], seconds),
            ["rate", line, up, down, seconds] => self.hold(now, line, [up, down].map(rate), seconds),
            ["release", line] => self.release(now, line),
            ["top"] => Ok(self.moment(now).to_text()),
            ["history", line, seconds, since] => self.recalled(now, line, seconds, since),
            _ => Err(format!("not understood: {}", words.first().copied().unwrap_or("(nothing)"))),
        };
        self.wake(now);
        match result {
            Ok(text) => format!("ok\n{text}"),
            Err(text) => format!("error: {text}\n"),
        }
    }

    /// Begins to record the line a request `record LINE` names; gives its place, or the error to answer with.
    ///
    /// # Errors
    /// Why it cannot be recorded.
    pub fn record(&mut self, now: Time, line: &str) -> Result<usize, String> {
        let places = self.places(line)?;
        let mut pilots = self.pilots.iter_mut().filter(|pilot| places.contains(&pilot.place));
        let pilot = pilots.next().ok_or("the line is not steered, so there is nothing to record")?;
        if pilots.next().is_some() {
            return Err("several lines are steered; name one".into());
        }
        if pilot.tape().is_some() {
            return Err("somebody records it already".into());
        }
        pilot.record(now);
        Ok(pilot.place)
    }

    /// The pilot of a line, for whoever records it, or heard something.
    pub fn recorded(&mut self, place: usize) -> Option<&mut Pilot> {
        steering::at(&mut self.pilots, place)
    }

    /// How every steered or held direction stands.
    fn standings(&self, now: Time) -> Vec<Standing> {
        let mut all = Vec::new();
        for (place, line) in self.plan.lines.iter().enumerate() {
            let held = self.held.iter().find(|held| held.name == line.name).map(|held| held.left(now));
            for way in Way::ALL {
                let direction = if way == Way::Up { &line.upload } else { &line.download };
                // What is held has its end also while its device is gone.
                let is_gone = held.is_some() && matches!(direction, Direction::Blocked(_));
                let speed = self.speeds.get(place, way).or(is_gone.then_some(Speed::fixed(Rate::ZERO)));
                let Some(speed) = speed else { continue };
                all.push(Standing::new(place, way, speed, self.pilot_at(place), held));
            }
        }
        all
    }

    /// Everything it says besides of what the kernel shows.
    pub fn told(&self, now: Time) -> Told {
        let probing = self.pilots.iter().filter_map(|pilot| Some((pilot.place, pilot.probing()?)));
        Told {
            standings: self.standings(now),
            probing: probing.collect(),
            delays: self.delays(now),
            facts: self.facts(now),
            uptime: self.began.map(|began| now - began),
            taken: self.taken.clone(),
        }
    }

    /// All that, and what is altered, a line each.
    fn steered(&self, now: Time) -> String {
        let mut out = format!("ok\n{}", self.told(now).to_text());
        for alteration in self.altered.all() {
            let _ = writeln!(out, "alter {}", alteration.to_text());
        }
        if self.is_at_work(now) {
            let _ = writeln!(out, "{AT_WORK}");
        }
        out
    }

    /// Whether what is wanted is on its way to the kernel, so that a look at both would find them apart.
    fn is_at_work(&self, now: Time) -> bool {
        let looks_soon = self.observe_at.is_some_and(|at| at <= now + CALM);
        let lets_go = self.held_until().is_some_and(|until| until <= now);
        self.phase != Phase::Idle || self.has_news || looks_soon || lets_go || !self.retune.ops.is_empty()
    }

    fn hold(
        &mut self,
        now: Time,
        line: &str,
        rates: [Option<Rate>; 2],
        seconds: &str,
    ) -> Result<String, String> {
        let places = self.places(line)?;
        let span = match seconds {
            "-" => None,
            _ => Some(seconds.parse().map(Micros::secs).map_err(|_| format!("no time: {seconds}"))?),
        };
        let Some(config) = &self.config else { return Err("there is no configuration yet".into()) };
        if rates != [None; 2] && places.len() > 1 {
            return Err("there are several lines; name one".into());
        }
        for (way, rate) in Way::ALL.into_iter().zip(rates) {
            let is_shaped = self.plan.tunes.iter().any(|tune| places.contains(&tune.line) && tune.way == way);
            if let Some(rate) = rate
                && !is_shaped
            {
                return Err(format!("the {way} is not shaped, so it cannot have {rate}"));
            }
        }
        let mut turns: Vec<(Tune, Speed, Option<Rate>)> = Vec::new();
        for tune in self.plan.tunes.iter().filter(|tune| places.contains(&tune.line)) {
            let Some(wan) = config.wans.get(tune.line) else { continue };
            let have = self.speeds.get(tune.line, tune.way);
            let have = have.or(wan.speed(tune.way).map(Speed::fixed));
            let rate = rates.get(tune.way as usize).copied().flatten();
            turns.extend(have.map(|have| (*tune, have, rate)));
        }
        for (tune, have, rate) in turns {
            // What a person asks for is for once, and is had to the bit: classes follow what is measured in steps alone.
            self.turn(&tune, have, rate.map_or(have, Speed::fixed));
        }
        let mut told = String::new();
        let Some(config) = &self.config else { return Ok(told) };
        for place in places {
            let Some(name) = config.wans.get(place).map(|wan| wan.name.clone()) else { continue };
            let before = self.held.iter().position(|held| held.name == name);
            let before = before.map(|at| self.held.swap_remove(at).until);
            // A time that somebody gave ends when it was said to, unless there is a new one.
            let (until, word) = match (span, before) {
                (None, Some(until)) => (until, "still "),
                _ => (now + span.unwrap_or(USUAL), ""),
            };
            let mut text = format!("{name}: ");
            for way in Way::ALL {
                if let Some(speed) = self.speeds.get(place, way) {
                    let _ = write!(text, "{way} {}, ", speed.line);
                }
            }
            let held = Held { name, until };
            let _ = write!(text, "{word}held for {}", held.left(now));
            let _ = writeln!(told, "{text}");
            self.actions.push_back(Action::Say(Level::Info, text));
            self.held.push(held);
            if steering::at(&mut self.pilots, place).is_some_and(Pilot::rest) {
                self.actions.push_back(steering::hush(place));
            }
        }
        Ok(told)
    }

    fn release(&mut self, now: Time, line: &str) -> Result<String, String> {
        let places = self.places(line)?;
        let mut told = String::new();
        for place in &places {
            if self.undo(now, Some(*place)) > 0 {
                let _ = writeln!(told, "what thresholds did is undone");
            }
        }
        for held in &mut self.held {
            let place = self.plan.lines.iter().position(|line| line.name == held.name);
            if place.is_some_and(|place| places.contains(&place)) {
                held.until = Time(0);
                let _ = writeln!(told, "{}: rates are no longer held", held.name);
            }
        }
        Ok(if told.is_empty() { "nothing was held\n".into() } else { told })
    }

    /// A page of what a line did.
    fn recalled(&mut self, now: Time, line: &str, seconds: &str, since: &str) -> Result<String, String> {
        let (Ok(seconds), Ok(since)) = (seconds.parse().map(Micros::secs), since.parse()) else {
            return Err(format!("no time: {seconds}, or no number: {since}"));
        };
        let name = Some(line).filter(|line| *line != "-");
        let page = self.history(now, name, seconds, since, POINTS);
        if name.is_some() {
            self.places(line)?;
        }
        page.map(|page| page.to_text()).ok_or_else(|| format!("nothing is kept of a line '{line}'"))
    }

    /// Lets go what was held long enough; steered lines go on by themselves, others get their speeds back.
    pub(super) fn let_go(&mut self, now: Time) {
        let over: Vec<String> =
            self.held.iter().filter(|held| held.until <= now).map(|held| held.name.clone()).collect();
        if over.is_empty() {
            return;
        }
        self.held.retain(|held| held.until > now);
        for (place, line) in self.plan.lines.iter().enumerate() {
            let wan = self.config.as_ref().and_then(|config| config.wans.get(place));
            let Some(wan) = wan.filter(|_| over.contains(&line.name)) else { continue };
            for way in Way::ALL.into_iter().filter(|way| !wan.steers(*way)) {
                self.speeds.set(place, way, None);
            }
            self.actions
                .push_back(Action::Say(Level::Info, format!("{}: rates are no longer held", line.name)));
        }
        self.has_news = true;
        self.board(now);
    }

    /// When the first of the held lines is let go.
    pub(super) fn held_until(&self) -> Option<Time> {
        self.held.iter().map(|held| held.until).min()
    }

    /// That there is no such line, with those there are.
    fn no_line(&self, line: &str) -> String {
        let names: Vec<&str> = self.plan.lines.iter().map(|line| line.name.as_str()).collect();
        no_line(line, &names)
    }

    /// The places of a line that is named, or of all.
    fn places(&self, line: &str) -> Result<Vec<usize>, String> {
        let lines = self.plan.lines.iter().enumerate();
        let places: Vec<usize> =
            lines.filter(|(_, known)| line == "-" || known.name == line).map(|(place, _)| place).collect();
        match (places.is_empty(), line) {
            (false, _) => Ok(places),
            (true, "-") => Err("no configuration is in force".into()),
            (true, _) => Err(self.no_line(line)),
        }
    }
}

fn rate(word: &&str) -> Option<Rate> {
    word.parse().ok().map(Rate::bits)
}
