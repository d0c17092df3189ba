// SPDX-License-Identifier: Apache-2.0
//! The part of the daemon that lets histories outlive it: when they are written down, when they are recalled, and where
//! what was recalled belongs.
//!
//! Points are numbered by a clock that begins with each boot; how long ago they were only the clock on the wall tells, and
//! on a router without a battery that is wrong until somebody sets it. So nothing is recalled while it cannot be right, and
//! what was recalled moves, out of the same file, when the clock is set within the first hour.

use super::history::Kept;
use super::{Action, Daemon, End, Level, steering};
use crate::calendar::believed;
use crate::units::{Micros, Time};
use crate::watch::archive::{self, Kept as Packed};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// How often the clock is looked at while it may be set.
const LOOK: Micros = Micros::secs(60);
/// And how long after the start.
const UNSETTLED: Micros = Micros::secs(3600);
/// By so many seconds a clock that is set well is corrected now and then.
const DRIFT: u64 = 5;
/// Ended and begun again and again, it does not write each time; less than a coarse point is missing then.
const LEAST: Micros = Micros::secs(120);

/// What became of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Recall {
    /// Nobody asked for it.
    #[default]
    No,
    /// It is asked for, or there is none, or none that can be read.
    Over,
    /// The clock is not right yet.
    Waits,
    /// It is recalled as it belongs when the clock on the wall is so many seconds ahead of ours.
    Placed(u64),
}

/// How histories outlive the daemon.
#[derive(Debug, Default)]
pub(super) struct Archive {
    recall: Recall,
    /// When to look at the clock.
    pub(super) look_at: Option<Time>,
    /// Until when it may be set.
    until: Time,
    /// When to write.
    write_at: Option<Time>,
    /// When it was written last, if that is known.
    written: Option<Time>,
}

impl Archive {
    /// When there is something to be done.
    pub(super) fn due(&self) -> Option<Time> {
        self.look_at.into_iter().chain(self.write_at).min()
    }
}

impl Daemon {
    /// The configuration was read.
    pub(super) fn archive_anew(&mut self, now: Time) {
        let every = self.config.as_ref().map_or(Micros(0), |config| config.globals.keep_history);
        if every == Micros(0) || self.end != End::No {
            self.archive = Archive::default();
            return;
        }
        if self.archive.recall == Recall::No {
            self.archive.recall = Recall::Over;
            self.archive.until = now + UNSETTLED;
            self.act(Action::Recall);
        }
        // A reload puts nothing off.
        let at = self.archive.written.unwrap_or(now) + every;
        self.archive.write_at = Some(self.archive.write_at.map_or(at, |before| before.min(at)));
    }

    /// The file was read.
    pub(super) fn archive_read(&mut self, now: Time, file: Result<Vec<u8>, String>, seconds: u64) {
        let before = core::mem::replace(&mut self.archive.recall, Recall::Over);
        let file = match file {
            Ok(file) if file.is_empty() => return,
            Ok(file) => file,
            Err(why) => return self.say(Level::Warning, format!("{why}; histories begin anew")),
        };
        let Some(read) = archive::Archive::read(&file) else {
            let why = "what was kept of the lines makes no sense; histories begin anew";
            return self.say(Level::Warning, why.into());
        };
        self.archive.look_at = Some(now + LOOK);
        let Some(gap) = believed(seconds).and_then(|seconds| seconds.checked_sub(read.seconds)) else {
            if before == Recall::Over {
                let why =
                    "the clock is not set yet; what was kept of the lines before the start waits for that";
                self.say(Level::Info, why.into());
            }
            self.archive.recall = Recall::Waits;
            return;
        };
        self.archive.recall = Recall::Placed(ahead(now, seconds));
        self.archive.written = now.0.checked_sub(gap.saturating_mul(1_000_000)).map(Time);
        self.kept.iter_mut().for_each(|kept| kept.history.clear_recalled());
        let Some(config) = &self.config else { return };
        let mut lines = 0;
        for (place, wan) in config.wans.iter().enumerate() {
            let mut pieces = read.pieces.iter().filter(|piece| piece.wan == wan.name).peekable();
            let Some(first) = pieces.peek() else { continue };
            let at = self.kept.iter().position(|kept| kept.name == wan.name).unwrap_or(self.kept.len());
            if at == self.kept.len() {
                let mut kept = Kept::new(wan.name.clone(), now, steering::counters(&self.plan, wan, place));
                kept.place = place;
                kept.classes = first.classes.iter().map(|name| String::from(*name)).collect();
                kept.history.clear_recalled();
                self.kept.push(kept);
            }
            let Some(kept) = self.kept.get_mut(at) else { continue };
            kept.history.pass(now);
            for piece in pieces {
                let has_classes = kept.classes == piece.classes;
                piece.place(&mut kept.history, now, gap, has_classes);
            }
            lines += 1;
        }
        let gap = Micros::secs(gap);
        let text = match lines {
            1 => format!("what 1 line did until {gap} ago is there again"),
            n => format!("what {n} lines did until {gap} ago is there again"),
        };
        self.say(Level::Info, text);
    }

    /// The clock was read.
    pub(super) fn archive_clock(&mut self, now: Time, seconds: u64) {
        let is_other = match self.archive.recall {
            Recall::No | Recall::Over => return,
            Recall::Waits => believed(seconds).is_some(),
            Recall::Placed(before) => ahead(now, seconds).abs_diff(before) > DRIFT,
        };
        if is_other {
            self.act(Action::Recall);
        }
        let may_be_set = self.archive.recall == Recall::Waits || now < self.archive.until;
        self.archive.look_at = may_be_set.then_some(now + LOOK);
    }

    /// Writes histories down when it is time.
    pub(super) fn keep_now_and_then(&mut self, now: Time) {
        if self.archive.write_at.is_some_and(|at| now >= at) {
            let every = self.config.as_ref().map_or(Micros(0), |config| config.globals.keep_history);
            self.archive.write_at = Some(now + every);
            self.write(now);
        }
    }

    /// Writes histories down as the daemon ends, unless it has just begun.
    pub(super) fn keep_at_the_end(&mut self, now: Time) {
        let is_news = self.archive.written.is_none_or(|at| now - at >= LEAST);
        if self.end == End::No && self.archive.recall != Recall::No && is_news {
            self.write(now);
        }
        self.archive = Archive::default();
    }

    fn write(&mut self, now: Time) {
        self.kept.iter_mut().for_each(|kept| kept.history.pass(now));
        let packed: Vec<Packed<'_>> = self
            .kept
            .iter()
            .map(|kept| (kept.name.as_str(), kept.classes.as_slice(), &kept.history))
            .collect();
        let Some(packed) = archive::pack(&packed, now) else { return };
        self.archive.written = Some(now);
        // From now on there is no other file that what was recalled could move by.
        if let Recall::Placed(_) = self.archive.recall {
            (self.archive.recall, self.archive.look_at) = (Recall::Over, None);
        }
        self.act(Action::Keep(packed));
    }
}

/// How many seconds the clock on the wall is ahead of ours.
const fn ahead(now: Time, seconds: u64) -> u64 {
    seconds.saturating_sub(now.0 / 1_000_000)
}
