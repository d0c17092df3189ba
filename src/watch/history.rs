// SPDX-License-Identifier: Apache-2.0
//! What a line did lately: a fixed block of memory for each direction, fine for minutes, coarse for days.
//!
//! ```text
//!  readings ──▶ seconds ─┬─▶ 300 points of  1 s     5 minutes
//!               (Fold)   ├─▶ 720 points of 10 s     2 hours        each rounded once, from what was read
//!                        └─▶ 1440 points of 2 min   2 days
//! ```
//!
//! Time is the daemon's clock, which never jumps: point number `n` ends at `n` steps of it. What nobody read is a gap.
//! Before adding a column: a point is of two bytes for each, and 4920 of them are kept for each line.

use super::mini::{NONE, pack, unpack};
use super::page::Page;
use crate::units::{Micros, Rate, Time, Way};
use alloc::vec::Vec;

/// What the points of a direction tell, each as two bytes.
pub type Point = [u16; COLUMNS.len()];
/// The same, not rounded yet; [`NONE`]: not known. As it is read, what was sent is in bytes since the reading before.
pub type Row = [u64; COLUMNS.len()];

/// How many become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By their mean over the time it is known.
    Mean,
    /// By the least.
    Least,
    /// By the most.
    Most,
    /// By their sum.
    Sum,
    /// By what it was mostly.
    Mostly(usize),
    /// By what the waits were no longer than for so many thousandths of the time.
    Quantile(u64),
}

/// The columns, by the names readers know them by. Those without a name are the first classes.
pub const COLUMNS: [(&str, Kind); 21] = [
    ("rate_bps", Kind::Mean),
    ("rate_min_bps", Kind::Least),
    ("rate_max_bps", Kind::Most),
    ("capacity_bps", Kind::Mean),
    ("sent_bps", Kind::Mean),
    ("sent_min_bps", Kind::Least),
    ("sent_max_bps", Kind::Most),
    ("", Kind::Mean),
    ("", Kind::Mean),
    ("", Kind::Mean),
    ("", Kind::Mean),
    ("wait_us", Kind::Mean),
    ("wait_max_us", Kind::Most),
    ("wait_p50_us", Kind::Quantile(500)),
    ("wait_p95_us", Kind::Quantile(950)),
    // By time, as it comes before the counts.
    ("state", Kind::Mostly(0)),
    ("packets", Kind::Sum),
    ("drops", Kind::Sum),
    ("marks", Kind::Sum),
    ("changes", Kind::Sum),
    // By the changes it was the reason of: the count before it.
    ("reason", Kind::Mostly(1)),
];
/// Where the rate is, its mean first.
pub const RATE: usize = 0;
/// Where what the line carries is.
pub const CAPACITY: usize = 3;
/// Where what was sent is.
pub const SENT: usize = 4;
/// Where the first classes are.
pub const CLASS: usize = 7;
/// How many of them have a column of their own.
pub const CLASSES: usize = 4;
/// Where the wait is, its mean.
pub const WAIT: usize = 11;
/// Where the longest wait is.
pub const WAIT_MAX: usize = 12;

/// Points: seconds in each, how many there are, how many of others are in front of them.
pub(super) const LEVELS: [(u32, u32, u32); 3] = [(1, 300, 0), (10, 720, 300), (120, 1440, 1020)];
const POINTS: usize = 2460;
/// Readings further apart than this have a gap between them.
const LONGEST: Micros = Micros::secs(3);
const SECOND: u64 = 1_000_000;
/// What is recalled of before the daemon's clock began has to have a number, so that clock is taken to have begun earlier:
/// by as long as anything is kept, so that each point stays in its slot.
const EARLIER: u32 = 2 * 86_400;
/// How long anything is kept.
pub const KEPT: Micros = Micros::secs(EARLIER as u64);
/// Waits are told apart by a quarter of what they double by: from a quarter of a millisecond, below which nothing waits,
/// to sixteen seconds.
const WAITS: usize = 65;
/// States and reasons are below this.
const VOTES: usize = 10;

/// Several rows on their way to become one.
#[derive(Clone, Debug)]
pub struct Fold {
    sums: Row,
    /// How long each is known, in microseconds.
    spans: [u32; COLUMNS.len()],
    votes: [[u32; VOTES]; 2],
    /// For how long packets waited for how long.
    waits: [u32; WAITS],
    span: u32,
}

impl Default for Fold {
    fn default() -> Self {
        Self {
            sums: Row::default(),
            spans: Default::default(),
            votes: Default::default(),
            waits: [0; WAITS],
            span: 0,
        }
    }
}

/// Where a wait is counted.
fn bucket(wait: u64) -> usize {
    let Some(octave) = (wait / 256).checked_ilog2() else { return 0 };
    let step = wait >> (octave + 6) & 3;
    (octave as usize * 4 + step as usize + 1).min(WAITS - 1)
}

/// The middle of what is counted there.
fn middle(bucket: usize) -> u64 {
    let Some(n) = bucket.checked_sub(1) else { return 0 };
    (9 + n as u64 % 4 * 2) << (n / 4 + 5)
}

impl Fold {
    /// Adds `part` of a row that is of time `left`, and takes what is counted in it off the row.
    pub fn add(&mut self, row: &mut Row, part: u32, left: u32) {
        self.span += part;
        let mut voice = part;
        let kept = self.sums.iter_mut().zip(&mut self.spans);
        for (((_, kind), value), (sum, span)) in COLUMNS.iter().zip(row).zip(kept) {
            if *value == NONE {
                continue;
            }
            match *kind {
                // Two minutes of a hundred gigabits fit.
                Kind::Mean | Kind::Quantile(_) => *sum = sum.wrapping_add(value.wrapping_mul(part.into())),
                Kind::Least if *span > 0 => *sum = (*sum).min(*value),
                Kind::Least | Kind::Most => *sum = (*sum).max(*value),
                Kind::Sum => {
                    voice = (*value * u64::from(part) / u64::from(left)) as u32;
                    *value -= u64::from(voice);
                    *sum += u64::from(voice);
                }
                Kind::Mostly(n) => {
                    let votes = self.votes.get_mut(n).and_then(|votes| votes.get_mut(*value as usize));
                    if let Some(votes) = votes {
                        *votes += voice;
                    }
                }
            }
            *span += part;
        }
    }

    /// Packets waited for so long, for `part` microseconds.
    fn wait(&mut self, wait: u64, part: u32) {
        if let Some(sum) = self.waits.get_mut(bucket(wait)).filter(|_| wait != NONE) {
            *sum += part;
        }
    }

    /// How long they waited at most in so many thousandths of the time; `None`: nobody counted.
    fn quantile(&self, thousandths: u64) -> Option<u64> {
        let all: u64 = self.waits.iter().map(|sum| u64::from(*sum)).sum();
        let mut left = (all * thousandths).div_ceil(1000);
        let is_it = |sum: &u32| {
            left = left.saturating_sub((*sum).into());
            left == 0
        };
        (all > 0).then(|| self.waits.iter().position(is_it).map_or(0, middle))
    }

    /// What they are together, and for how long; begins anew.
    pub fn take(&mut self) -> (Row, u32) {
        let mut row = self.sums;
        let most = row.get(WAIT_MAX).copied().unwrap_or(NONE);
        for (((_, kind), value), span) in COLUMNS.iter().zip(&mut row).zip(self.spans) {
            let counted = if let Kind::Quantile(of) = *kind { self.quantile(of) } else { None };
            if let Some(wait) = counted {
                *value = wait.min(most);
                continue;
            }
            match *kind {
                Kind::Mean | Kind::Quantile(_) if span > 0 => {
                    *value = (*value + u64::from(span / 2)) / u64::from(span);
                }
                Kind::Mostly(n) => {
                    let mut most = 0;
                    *value = NONE;
                    for (votes, n) in self.votes.get(n).into_iter().flatten().zip(0..) {
                        if *votes > most {
                            (most, *value) = (*votes, n);
                        }
                    }
                }
                _ if span == 0 => *value = NONE,
                _ => {}
            }
        }
        let span = self.span;
        *self = Self::default();
        (row, span)
    }
}

/// One direction.
#[derive(Clone, Debug)]
struct Track {
    points: Vec<Point>,
    folds: [Fold; LEVELS.len()],
}

impl Track {
    fn new() -> Self {
        Self { points: alloc::vec![Point::default(); POINTS], folds: Default::default() }
    }

    /// It is no longer second `from`, but second `to`.
    fn advance(&mut self, from: u32, to: u32) {
        let [seconds, longer @ ..] = &mut self.folds;
        for fold in &mut *longer {
            fold.waits.iter_mut().zip(&seconds.waits).for_each(|(sum, more)| *sum += more);
        }
        let (mut second, span) = seconds.take();
        // The least and the most sent are of whole seconds, however often it is read.
        if let Some([sent, least, most]) = second.get_mut(SENT..SENT + 3) {
            (*least, *most) = (*sent, *sent);
        }
        if span > 0 {
            for fold in longer {
                fold.add(&mut second.clone(), span, span);
            }
        }
        for (level, fold) in LEVELS.iter().zip(&mut self.folds) {
            let (each, count, _) = *level;
            let (from, to) = (from / each, to / each);
            if from == to {
                continue;
            }
            let row = if each == 1 { second } else { fold.take().0 };
            for number in from.max(to.saturating_sub(count))..to {
                if let Some(point) = self.points.get_mut(slot(level, number)) {
                    *point = Point::default();
                    if number == from {
                        point.iter_mut().zip(&row).for_each(|(cell, value)| *cell = pack(*value));
                    }
                }
            }
        }
    }
}

/// Where the point is that begins after `number` steps.
fn slot((_, count, first): &(u32, u32, u32), number: u32) -> usize {
    (first + number % count) as usize
}

/// The second a moment is in.
fn second(at: Time) -> u32 {
    (at.0 / SECOND) as u32 // of a hundred years
}

/// Both directions of a line.
#[derive(Clone, Debug)]
pub struct History {
    tracks: [Option<Track>; 2],
    /// Up to when it is told.
    at: Time,
    /// What is told next goes on from there.
    is_told: bool,
    /// Its first second.
    begun: u32,
    /// The first second of which it was told itself; what is before that was recalled.
    own: u32,
    /// How much earlier its clock began than the daemon's.
    origin: Micros,
}

impl History {
    /// Begins at `now`.
    pub fn new(now: Time) -> Self {
        let begun = second(now);
        Self { tracks: [None, None], at: now, is_told: false, begun, own: begun, origin: Micros(0) }
    }

    /// The daemon's time, as points are numbered by it.
    pub fn clock(&self, now: Time) -> Time {
        now + self.origin
    }

    /// Takes what was read at `at`: upload, download; `None`: nothing could be. The first reading tells from when on.
    pub fn add(&mut self, at: Time, rows: &mut [Option<Row>; 2]) {
        let at = self.clock(at);
        let left = at - self.at;
        if !core::mem::replace(&mut self.is_told, true) || left > LONGEST {
            return self.skip(at);
        }
        let mut left = left.0 as u32;
        for (track, row) in self.tracks.iter_mut().zip(rows.iter_mut()) {
            let Some(row) = row else { continue };
            // So late, as a direction that is never shaped needs no memory.
            track.get_or_insert_with(Track::new);
            for bytes in row.iter_mut().take(CLASS + CLASSES).skip(SENT).filter(|bytes| **bytes != NONE) {
                *bytes = bytes.wrapping_mul(8 * SECOND) / u64::from(left.max(1));
            }
        }
        while left > 0 {
            let part = left.min((SECOND - self.at.0 % SECOND) as u32);
            for (track, row) in self.tracks.iter_mut().zip(rows.iter_mut()) {
                if let (Some(Track { folds: [seconds, ..], .. }), Some(row)) = (track, row) {
                    seconds.wait(row.get(WAIT).copied().unwrap_or(NONE), part);
                    seconds.add(row, part, left);
                }
            }
            left -= part;
            self.skip(self.at + Micros(part.into()));
        }
    }

    /// Time has passed. When nobody has told anything for long, there is a gap.
    pub fn pass(&mut self, now: Time) {
        let now = self.clock(now);
        if !self.is_told || now - self.at > LONGEST {
            self.pause();
            self.skip(now);
        }
    }

    /// What is read next does not go on from what was read last.
    pub fn pause(&mut self) {
        self.is_told = false;
    }

    /// The classes are others from now on, so that what is kept of them is of none.
    pub fn forget_classes(&mut self) {
        for point in self.tracks.iter_mut().flatten().flat_map(|track| &mut track.points) {
            point.iter_mut().skip(CLASS).take(CLASSES).for_each(|cell| *cell = 0);
        }
    }

    fn skip(&mut self, at: Time) {
        let (from, to) = (second(self.at), second(at));
        if from < to {
            self.tracks.iter_mut().flatten().for_each(|track| track.advance(from, to));
        }
        self.at = self.at.max(at);
    }

    /// What the line carried at this hour on the days before, on the whole; `None`: nobody knows.
    pub fn usual(&self, way: Way) -> Option<Rate> {
        let track = self.tracks.get(way as usize)?.as_ref()?;
        let [.., level] = &LEVELS;
        let (each, count, _) = *level;
        let now = second(self.at) / each;
        let (mut sum, mut known) = (0, 0);
        // A day ago, half an hour around.
        let day = 86_400 / each;
        for number in now.checked_sub(day + 15)?..now - day + 15 {
            if now - number < count
                && let Some(rate) =
                    track.points.get(slot(level, number)).and_then(|point| cell(point, CAPACITY))
            {
                sum += rate;
                known += 1;
            }
        }
        // Of a quarter of an hour at least, for a line that hardly works is not measured.
        (known >= 8).then(|| Rate::bits(sum / known))
    }

    /// The points after number `since`, at most `limit` of them, as fine as there are of so long a time; from 0 (or what
    /// no point has yet, as it was of an earlier boot) the last `span` of them.
    pub fn page(&self, span: Micros, since: u64, limit: usize) -> Page {
        let [.., longest] = &LEVELS;
        let span = span.0.div_ceil(SECOND) as u32;
        let level = LEVELS.iter().find(|level| level.0 * level.1 >= span).unwrap_or(longest);
        let (each, count, _) = *level;
        let last = second(self.at) / each;
        let kept = last.saturating_sub(count).max(self.begun / each);
        let known = u32::try_from(since).ok().filter(|since| *since > 0 && *since <= last);
        let wanted = known.unwrap_or(last.saturating_sub(span.div_ceil(each)));
        let from = wanted.max(kept);
        let next = last.min(from.saturating_add(limit as u32));
        let lost = if known.is_some() { from - wanted } else { 0 };
        let step = Micros(u64::from(each) * SECOND);
        let (last, lost) = (last.into(), lost.into());
        let mut page = Page { step, last, next: next.into(), lost, ..Page::default() };
        page.rows.resize((next - from) as usize, Default::default());
        for (way, (track, has)) in self.tracks.iter().zip(&mut page.has).enumerate() {
            let Some(track) = track else { continue };
            *has = true;
            for (row, number) in page.rows.iter_mut().zip(from..) {
                if let (Some(to), Some(point)) = (row.get_mut(way), track.points.get(slot(level, number))) {
                    *to = *point;
                }
            }
        }
        page
    }
}

/// Takes a cell: its column, the number of its point among those that are recalled, its value.
type Put<'a> = &'a mut dyn FnMut(usize, u32, u16);

/// What goes to a file and comes back from it (`archive`).
impl History {
    /// The points of a direction at a level, the oldest first, and how many seconds ago at `now` the newest of them ended.
    pub(super) fn points(&self, now: Time, way: usize, level: usize) -> Option<(Vec<&Point>, u32)> {
        let (track, level) = (self.tracks.get(way)?.as_ref()?, LEVELS.get(level)?);
        let (each, count, _) = *level;
        let last = second(self.at) / each;
        let from = last.saturating_sub(count).max(self.begun / each);
        let points = (from..last).filter_map(|number| track.points.get(slot(level, number))).collect();
        Some((points, second(self.clock(now)).saturating_sub(last * each)))
    }

    /// Forgets what was recalled, and has room for something else.
    pub fn clear_recalled(&mut self) {
        if self.origin == Micros(0) {
            self.origin = Micros::secs(EARLIER.into());
            self.at = self.clock(self.at);
            self.own += EARLIER;
        }
        self.begun = self.own;
        let now = second(self.at);
        for track in self.tracks.iter_mut().flatten() {
            for level in &LEVELS {
                for number in (now / level.0).saturating_sub(level.1)..self.own / level.0 {
                    track
                        .points
                        .get_mut(slot(level, number))
                        .into_iter()
                        .for_each(|point| *point = Point::default());
                }
            }
        }
    }

    /// Recalls cells of points that were `count` and of which the newest ended so many seconds before `now`, as far as they
    /// are of a time that is still kept and not its own.
    pub(super) fn recall(
        &mut self,
        now: Time,
        (way, level, count, ago): (usize, usize, u32, u64),
        cells: &mut dyn FnMut(Put<'_>),
    ) {
        let (now, own) = (second(self.clock(now)), self.own);
        let (Some(track), Some(level)) = (self.tracks.get_mut(way), LEVELS.get(level)) else { return };
        let (each, kept, _) = *level;
        let Some(end) = u32::try_from(ago).ok().and_then(|ago| now.checked_sub(ago)) else { return };
        // The clock on the wall tells whole seconds: to the nearest step.
        let end = (end + each / 2) / each;
        let Some(first) = end.checked_sub(count) else { return };
        let track = track.get_or_insert_with(Track::new);
        let mut begun = self.begun;
        cells(&mut |column, n, cell| {
            let number = first.saturating_add(n);
            if number >= own / each || number + kept < now / each {
                return;
            }
            if let Some(to) =
                track.points.get_mut(slot(level, number)).and_then(|point| point.get_mut(column))
            {
                *to = cell;
                begun = begun.min(number * each);
            }
        });
        self.begun = begun;
    }
}

/// A cell of a point.
pub fn cell(point: &Point, column: usize) -> Option<u64> {
    point.get(column).and_then(|packed| unpack(*packed))
}

#[cfg(test)]
pub(super) mod tests;
