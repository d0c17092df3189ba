// SPDX-License-Identifier: Apache-2.0
//! Local time: what the clock on the wall shows, from seconds since 1970 and a time zone such as OpenWrt's `/etc/TZ`
//! (`CET-1CEST,M3.5.0,M10.5.0/3`), and when hours of the week begin and end.
//!
//! Before editing: POSIX, "Other Environment Variables", `TZ`, and RFC 8536 3.3.1, which lets a change of the clock be
//! up to a week before or after its day.
//!
//! A day's `02:30` may come twice or not at all. It is then the first of both, and the moment the clock jumps. So hours
//! that follow each other on the wall neither overlap nor leave a gap.

use core::fmt;

const MINUTE: u64 = 60;
const HOUR: u32 = 3600;
const DAY: u64 = 86_400;
/// Minutes of a day.
pub const DAY_MINUTES: u16 = 1440;
/// The end of the year 9999: later moments are taken for this one.
const LAST: u64 = 253_402_300_799;
/// Longer is no time zone: those of the world have 40 letters at most.
const LONGEST: usize = 100;

/// 1 January 2024: a clock that shows less was not set yet, as on routers that have no battery for it.
const BELIEVED: u64 = 1_704_067_200;

/// What a clock shows, unless that cannot be.
pub fn believed(seconds: u64) -> Option<u64> {
    Some(seconds).filter(|seconds| *seconds >= BELIEVED)
}

/// The days of a week, from the first.
pub const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A time zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// Seconds that local time is ahead of UTC, without summer time.
    standard: i32,
    summer: Option<Summer>,
}

/// Summer time, or whatever the other one is: Ireland's is in winter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Summer {
    offset: i32,
    begin: Change,
    end: Change,
}

/// When the clock is changed, in the time that holds until then: a day of the year, and seconds from its midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    day: Day,
    seconds: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Day {
    /// From 1, and 29 February has no number.
    Julian(u32),
    /// From 0.
    Plain(u32),
    /// Of a month, the so manieth of this weekday (0: Sunday); the fifth is the last.
    Weekday { month: u32, week: u32, weekday: u32 },
}

impl Zone {
    /// Reads a time zone; `None`: it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest =
            Rest(text.as_bytes().get(..text.len().min(LONGEST + 1)).filter(|b| b.len() <= LONGEST)?);
        rest.name()?;
        let standard = -rest.time(24)?;
        if rest.0.is_empty() {
            return Some(Self { standard, summer: None });
        }
        rest.name()?;
        let has_offset = rest.0.first().is_some_and(|byte| *byte != b',');
        let offset = if has_offset { -rest.time(24)? } else { standard + HOUR as i32 };
        if rest.0.is_empty() {
            // Without rules those of the United States hold, as in the tz database's own code (localtime.c).
            rest = Rest(b",M3.2.0,M11.1.0");
        }
        let summer = Summer { offset, begin: rest.change()?, end: rest.change()? };
        rest.0.is_empty().then_some(Self { standard, summer: Some(summer) })
    }

    /// Seconds that local time is ahead of UTC at a moment.
    fn offset(&self, at: i64) -> i32 {
        let Some(summer) = &self.summer else { return self.standard };
        let year = year_of(day_of(at + i64::from(self.standard)).0);
        let mut last = (i64::MIN, self.standard);
        for year in year - 1..=year + 1 {
            // In the order of the year: where both are one moment, the later one counts.
            let changes =
                [(summer.begin, self.standard, summer.offset), (summer.end, summer.offset, self.standard)];
            for (change, before, after) in changes {
                let moment = change.moment(year, before);
                if moment <= at && moment >= last.0 {
                    last = (moment, after);
                }
            }
        }
        last.1
    }

    /// What the clock on the wall shows: the day since 1970, and the minute of that day.
    pub fn shows(&self, at: u64) -> (i32, u16) {
        let at = at.min(LAST) as i64;
        let (day, seconds) = day_of(at + i64::from(self.offset(at)));
        (day, (seconds / MINUTE) as u16)
    }

    /// When it first shows a minute of a day, or jumps over it.
    pub fn moment(&self, day: i32, minute: u16) -> u64 {
        let local = i64::from(day) * DAY as i64 + i64::from(minute) * MINUTE as i64;
        let other = self.summer.map_or(self.standard, |summer| summer.offset);
        let (most, least) = (self.standard.max(other), self.standard.min(other));
        let (mut early, mut late) = (local - i64::from(most), local - i64::from(least));
        if self.offset(early) == most {
            late = early;
        } else if self.offset(late) != least {
            // It jumps over it, somewhere between the two.
            while late - early > 1 {
                let middle = early + ((late - early) >> 1);
                *(if self.offset(middle) == most { &mut late } else { &mut early }) = middle;
            }
        }
        late.max(0) as u64
    }
}

impl Change {
    /// When it is, in seconds since 1970; `offset` is that of the time before it.
    fn moment(self, year: i32, offset: i32) -> i64 {
        i64::from(self.day.of(year)) * DAY as i64 + i64::from(self.seconds) - i64::from(offset)
    }
}

impl Day {
    /// Its number since 1970.
    fn of(self, year: i32) -> i32 {
        /// Days before each month.
        const BEFORE: [i32; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
        let first = first_of(year);
        let leap = i32::from(first_of(year + 1) - first == 366);
        match self {
            Self::Julian(n) => first + n as i32 - 1 + if n >= 60 { leap } else { 0 },
            Self::Plain(n) => first + n as i32,
            Self::Weekday { month, week, weekday } => {
                let begins = |month: u32| {
                    let before = BEFORE.get(month as usize - 1).copied().unwrap_or(0);
                    first + before + if month > 2 { leap } else { 0 }
                };
                let begin = begins(month);
                // 1970 began with a Thursday.
                let day = begin + (weekday as i32 - 4 - begin).rem_euclid(7) + 7 * (week as i32 - 1);
                if day >= begins(month + 1) { day - 7 } else { day }
            }
        }
    }
}

/// The day since 1970 that a moment is in, and the seconds since it began; what is before 1970 is taken for its begin.
fn day_of(at: i64) -> (i32, u64) {
    let at = at.max(0) as u64;
    ((at / DAY) as i32, at % DAY)
}

/// The first day of a year, from 1969 on.
fn first_of(year: i32) -> i32 {
    let last = year - 1;
    365 * (year - 1970) + last / 4 - last / 100 + last / 400 - 477
}

/// The year that a day is in.
fn year_of(day: i32) -> i32 {
    let mut year = 1970 + day / 366;
    while first_of(year + 1) <= day {
        year += 1;
    }
    year
}

/// The year, month and day of the month of a day since 1970.
pub fn date(day: i32) -> (i32, u32, i32) {
    let year = year_of(day);
    let (mut month, mut rest) = (1, day - first_of(year));
    while month < 12 && rest >= length(year, month) {
        rest -= length(year, month);
        month += 1;
    }
    (year, month, rest + 1)
}

/// The days of a month.
fn length(year: i32, month: u32) -> i32 {
    match month {
        2 => first_of(year + 1) - first_of(year) - 337,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The place of a day's name in [`WEEKDAYS`].
pub fn weekday(day: i32) -> usize {
    (day + 3).rem_euclid(7) as usize
}

/// What is left to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take(&mut self, byte: u8) -> bool {
        let rest = self.0.strip_prefix(&[byte]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// As many bytes as `is_one` says.
    fn skip(&mut self, is_one: fn(&u8) -> bool) -> usize {
        let count = self.0.iter().take_while(|byte| is_one(byte)).count();
        self.0 = self.0.get(count..).unwrap_or_default();
        count
    }

    /// `CET` or `<+0330>`.
    fn name(&mut self) -> Option<()> {
        if !self.take(b'<') {
            return (self.skip(u8::is_ascii_alphabetic) >= 3).then_some(());
        }
        let count = self.skip(|byte| byte.is_ascii_alphanumeric() || *byte == b'+' || *byte == b'-');
        (count > 0 && self.take(b'>')).then_some(())
    }

    fn number(&mut self, least: u32, most: u32) -> Option<u32> {
        let (mut number, mut is_one) = (0u32, false);
        while let [digit @ b'0'..=b'9', rest @ ..] = self.0 {
            number = number.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
            (self.0, is_one) = (rest, true);
        }
        (is_one && number >= least && number <= most).then_some(number)
    }

    /// `3`, `-3:30`, `+26:00:00`, in seconds.
    fn time(&mut self, most_hours: u32) -> Option<i32> {
        let is_minus = self.take(b'-');
        if !is_minus {
            self.take(b'+');
        }
        let mut seconds = self.number(0, most_hours)? * HOUR;
        for unit in [60, 1] {
            if self.take(b':') {
                seconds += self.number(0, 59)? * unit;
            } else {
                break;
            }
        }
        Some(if is_minus { -(seconds as i32) } else { seconds as i32 })
    }

    /// `,M3.5.0/-1`, `,J60`, `,59/25:30`.
    fn change(&mut self) -> Option<Change> {
        if !self.take(b',') {
            return None;
        }
        let day = if self.take(b'J') {
            Day::Julian(self.number(1, 365)?)
        } else if self.take(b'M') {
            let month = self.number(1, 12)?;
            let week = self.take(b'.').then(|| self.number(1, 5))??;
            Day::Weekday { month, week, weekday: self.take(b'.').then(|| self.number(0, 6))?? }
        } else {
            Day::Plain(self.number(0, 365)?)
        };
        let seconds = if self.take(b'/') { self.time(167)? } else { 2 * HOUR as i32 };
        Some(Change { day, seconds })
    }
}

/// The same hours on some days of every week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// A bit for each day they begin on, from Monday.
    pub days: u32,
    /// The minute of the day they begin in.
    pub from: u16,
    /// The minute of that day, or unless it is later than the first of the next one, that they end with.
    pub to: u16,
}

/// Every day.
pub const EVERY_DAY: u32 = 0x7f;

/// Whether hours are now, and until when that is so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// It is one of them.
    pub is_on: bool,
    /// When they end or begin next, in seconds since 1970; `None`: never.
    pub until: Option<u64>,
}

impl Hours {
    /// How they stand at a moment.
    pub fn at(&self, zone: &Zone, at: u64) -> Now {
        let is_always = self.days == EVERY_DAY && self.from == self.to;
        let mut now = Now { is_on: is_always, until: None };
        let (today, _) = zone.shows(at);
        // The day before yesterday, as a day may be repeated; and two weeks, as the clock may jump over all of them once.
        for day in today - 2..today + 16 {
            if is_always || self.days >> weekday(day) & 1 == 0 {
                continue;
            }
            let begin = zone.moment(day, self.from);
            let end = zone.moment(if self.to > self.from { day } else { day + 1 }, self.to);
            if end <= at || end <= begin {
                continue;
            }
            match now.until {
                None => now = Now { is_on: begin <= at, until: Some(if begin <= at { end } else { begin }) },
                // What follows without a gap is one.
                Some(until) if now.is_on && begin <= until => now.until = Some(end.max(until)),
                Some(_) => break,
            }
        }
        now
    }
}

/// A minute of the day, as a clock shows it.
pub struct Clock(pub u16);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

/// `every day`, `mon, tue, fri`, with the hours: `22:00 to 06:00`, `all day`.
impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        if self.days == EVERY_DAY {
            f.write_str("every day")?;
        }
        for (_, day) in
            (0..7).zip(WEEKDAYS).filter(|(n, _)| self.days != EVERY_DAY && self.days >> n & 1 == 1)
        {
            f.write_str(between)?;
            f.write_str(day)?;
            between = ", ";
        }
        match (self.from, self.to) {
            (0, 0) => f.write_str(", all day"),
            (from, to) => write!(f, ", {} to {}", Clock(from), Clock(to)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    /// Moment, offset before, offset from then on.
    type Changes = &'static [(i64, i32, i32)];

    /// The changes of 2025, 2028, 2031 and 2036 by Python 3.11's `zoneinfo`, with the tz database 2025b; the zone is the
    /// last line of its file there.
    #[rustfmt::skip]
    const ZONES: &[(&str, Changes)] = &[
        ("CET-1CEST,M3.5.0,M10.5.0/3", &[(1_743_296_400, 3600, 7200), (1_761_440_400, 7200, 3600), (1_837_645_200, 3600, 7200), (1_856_394_000, 7200, 3600), (1_932_598_800, 3600, 7200), (1_950_742_800, 7200, 3600), (2_090_451_600, 3600, 7200), (2_108_595_600, 7200, 3600)]),
        ("EST5EDT,M3.2.0,M11.1.0", &[(1_741_503_600, -18000, -14400), (1_762_063_200, -14400, -18000), (1_836_457_200, -18000, -14400), (1_857_016_800, -14400, -18000), (1_930_806_000, -18000, -14400), (1_951_365_600, -14400, -18000), (2_088_658_800, -18000, -14400), (2_109_218_400, -14400, -18000)]),
        ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", &[(1_743_865_200, 39600, 37800), (1_759_591_800, 37800, 39600), (1_838_214_000, 39600, 37800), (1_853_940_600, 37800, 39600), (1_933_167_600, 39600, 37800), (1_948_894_200, 37800, 39600), (2_091_020_400, 39600, 37800), (2_106_747_000, 37800, 39600)]),
        ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", &[(1_743_296_400, -7200, -3600), (1_761_440_400, -3600, -7200), (1_837_645_200, -7200, -3600), (1_856_394_000, -3600, -7200), (1_932_598_800, -7200, -3600), (1_950_742_800, -3600, -7200), (2_090_451_600, -7200, -3600), (2_108_595_600, -3600, -7200)]),
        ("IST-2IDT,M3.4.4/26,M10.5.0", &[(1_743_120_000, 7200, 10800), (1_761_433_200, 10800, 7200), (1_837_468_800, 7200, 10800), (1_856_386_800, 10800, 7200), (1_932_422_400, 7200, 10800), (1_950_735_600, 10800, 7200), (2_090_275_200, 7200, 10800), (2_108_588_400, 10800, 7200)]),
        ("IST-1GMT0,M10.5.0,M3.5.0/1", &[(1_743_296_400, 0, 3600), (1_761_440_400, 3600, 0), (1_837_645_200, 0, 3600), (1_856_394_000, 3600, 0), (1_932_598_800, 0, 3600), (1_950_742_800, 3600, 0), (2_090_451_600, 0, 3600), (2_108_595_600, 3600, 0)]),
        ("<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45", &[(1_743_861_600, 49500, 45900), (1_758_981_600, 45900, 49500), (1_838_210_400, 49500, 45900), (1_853_330_400, 45900, 49500), (1_933_164_000, 49500, 45900), (1_948_284_000, 45900, 49500), (2_091_016_800, 49500, 45900), (2_106_136_800, 45900, 49500)]),
        ("EET-2EEST,M4.5.5/0,M10.5.4/24", &[(1_745_532_000, 7200, 10800), (1_761_858_000, 10800, 7200), (1_840_485_600, 7200, 10800), (1_856_206_800, 10800, 7200), (1_934_834_400, 7200, 10800), (1_951_160_400, 10800, 7200), (2_092_687_200, 7200, 10800), (2_109_013_200, 10800, 7200)]),
        ("<-04>4<-03>,M9.1.6/24,M4.1.6/24", &[(1_743_908_400, -10800, -14400), (1_757_217_600, -14400, -10800), (1_838_257_200, -10800, -14400), (1_851_566_400, -14400, -10800), (1_933_210_800, -10800, -14400), (1_946_520_000, -14400, -10800), (2_091_063_600, -10800, -14400), (2_104_372_800, -14400, -10800)]),
        ("<+00>0<+02>-2,M3.5.0/1,M10.5.0/3", &[(1_743_296_400, 0, 7200), (1_761_440_400, 7200, 0), (1_837_645_200, 0, 7200), (1_856_394_000, 7200, 0), (1_932_598_800, 0, 7200), (1_950_742_800, 7200, 0), (2_090_451_600, 0, 7200), (2_108_595_600, 7200, 0)]),
        ("<+0330>-3:30", &[]),
        ("UTC0", &[]),
    ];

    /// Days of a year, which no zone of today counts: those of 2027 and 2028 by glibc 2.36 (`TZ=… date -d @…`).
    #[rustfmt::skip]
    const COUNTED: &[(&str, Changes)] = &[
        ("AAA3BBB,J60/2,J300/2", &[(1_803_877_200, -10800, -7200), (1_824_609_600, -7200, -10800), (1_835_499_600, -10800, -7200), (1_856_232_000, -7200, -10800)]),
        ("AAA3BBB,59/2,299/-25", &[(1_803_877_200, -10800, -7200), (1_824_512_400, -7200, -10800), (1_835_413_200, -10800, -7200), (1_856_048_400, -7200, -10800)]),
        ("AAA-3BBB-4:30,J365/-167,J1/167", &[(1_799_346_600, 16200, 10800), (1_829_599_200, 10800, 16200), (1_830_882_600, 16200, 10800), (1_861_221_600, 10800, 16200)]),
    ];

    fn zone(text: &str) -> Zone {
        Zone::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn clocks_change_when_the_tz_database_says_and_at_no_other_time() {
        for (text, changes) in ZONES.iter().chain(COUNTED) {
            let zone = zone(text);
            for (n, (moment, before, after)) in changes.iter().enumerate() {
                assert_eq!(
                    [zone.offset(moment - 1), zone.offset(*moment)],
                    [*before, *after],
                    "{text} {moment}"
                );
                // To the next one, where that is known.
                let next = changes.get(n + 1).map_or(moment + 10 * 86_400, |(next, ..)| *next);
                let same_year = next - moment < 300 * 86_400;
                let mut hours = (*moment..next).step_by(3600).filter(|_| same_year);
                assert!(hours.all(|at| zone.offset(at) == *after), "{text} after {moment}");
            }
        }
        assert_eq!((zone("<+0330>-3:30").offset(1 << 30), zone("UTC0").offset(1 << 30)), (12_600, 0));
    }

    #[test]
    fn summer_time_that_never_ends_does_not_end_at_new_year() {
        // RFC 8536 3.3.1's own example.
        let zone = zone("EST5EDT,0/0,J365/25");
        for at in (1_704_067_200..1_904_067_200).step_by(1799) {
            assert_eq!(zone.offset(at), -4 * 3600, "{at}");
        }
    }

    #[test]
    fn what_is_no_zone_is_none_and_nothing_makes_the_reader_panic() {
        for bad in [
            "",
            "C",
            "CET",
            "CET-",
            "CET-25",
            "<+03-3",
            "<>-3",
            "Europe/Berlin",
            ":UTC",
            "CET-1CEST,",
            "CET-1CEST,M3.5.0",
            "CET-1CEST,M13.5.0,M10.5.0",
            "CET-1CEST,M3.6.0,M10.5.0",
            "CET-1CEST,M3.5.7,M10.5.0",
            "CET-1CEST,M3.5,M10.5.0",
            "CET-1CEST,J0,J1",
            "CET-1CEST,366,1",
            "CET-1CEST,1/168,1",
            "CET-1CEST,1,1 ",
            "CET-1:60",
            "UTC0,1,2",
            "CET-1CEST,M3.5.0,M10.5.0,M1.1.1",
            "ÄÖÜ-1",
        ] {
            assert_eq!(Zone::parse(bad), None, "{bad}");
        }
        assert_eq!(Zone::parse(&format!("UTC{}", "0".repeat(100))), None);
        assert_eq!(zone("EST5EDT"), zone("EST5EDT4,M3.2.0/2,M11.1.0/2:00:00"));
        let mut random = crate::classify::random::Random::seeded(7);
        let mut good = 0;
        for n in 0..20_000 {
            let (text, _) = ZONES[n % ZONES.len()];
            let mut bytes = text.as_bytes().to_vec();
            for _ in 0..1 + random.below(3) {
                let at = random.below(bytes.len() as u64) as usize;
                bytes[at] = b"0123456789:/,.-+<>JMAB"[random.below(22) as usize];
            }
            let text = String::from_utf8(bytes).expect("ASCII");
            let Some(zone) = Zone::parse(&text) else { continue };
            good += 1;
            for at in [0, 1, 1_704_067_200, 1_750_000_000 + random.below(1 << 30), LAST, u64::MAX] {
                let (day, minute) = zone.shows(at);
                let hours = Hours { days: 1 << random.below(7), from: random.below(1440) as u16, to: minute };
                let now = hours.at(&zone, at.min(LAST));
                assert!(
                    now.until.is_some_and(|until| until > at.min(LAST)) || at > LAST - 20 * DAY,
                    "{text} {at}"
                );
                assert!(zone.moment(day, minute) <= at.min(LAST) + 2 * DAY || at < 2 * DAY, "{text} {at}");
            }
        }
        assert!(good > 2000, "{good}");
    }

    #[test]
    fn the_first_moment_of_what_the_wall_shows_is_that_of_zoneinfo() {
        let (berlin, cairo) = (zone(ZONES[0].0), zone("EET-2EEST,M4.5.5/0,M10.5.4/24"));
        let lord_howe = zone("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0");
        // Python's zoneinfo, fold 0, for moments that exist.
        for (zone, day, minute, at) in [
            (berlin, 20_177, 119, 1_743_296_340),
            (berlin, 20_177, 180, 1_743_296_400),
            (berlin, 20_387, 120, 1_761_436_800),
            (berlin, 20_387, 150, 1_761_438_600),
            (berlin, 20_387, 180, 1_761_444_000),
            (berlin, 20_388, 0, 1_761_519_600),
            (lord_howe, 20_184, 90, 1_743_863_400),
            (lord_howe, 20_184, 120, 1_743_867_000),
            (lord_howe, 20_366, 150, 1_759_591_800),
            (cairo, 20_391, 1410, 1_761_856_200),
            (cairo, 20_392, 0, 1_761_861_600),
            (cairo, 20_203, 60, 1_745_532_000),
            (zone("IST-5:30"), 20_203, 60, 1_745_523_000),
        ] {
            assert_eq!((zone.moment(day, minute), zone.shows(at)), (at, (day, minute)));
        }
        // What does not exist begins when the clock jumps.
        for minute in 120..180 {
            assert_eq!(berlin.moment(20_177, minute), 1_743_296_400);
        }
        assert_eq!(cairo.moment(20_203, 0), 1_745_532_000);
        assert_eq!(["sat", "sun"], [20_176, 20_177].map(|day| WEEKDAYS[weekday(day)]));
    }

    #[test]
    fn later_on_the_wall_is_never_earlier_and_shows_what_was_asked_for() {
        for (text, changes) in ZONES.iter().chain(COUNTED) {
            let zone = zone(text);
            for (moment, before, after) in changes.iter() {
                let (day, _) = zone.shows(*moment as u64);
                let mut last = 0;
                for local in (-1440i32..2880).step_by(5) {
                    let day = day + local.div_euclid(1440);
                    let minute = local.rem_euclid(1440) as u16;
                    let at = zone.moment(day, minute);
                    assert!(at >= last, "{text} {moment} {local}");
                    last = at;
                    let is_skipped = zone.shows(at) != (day, minute);
                    assert!(
                        !is_skipped || (at == *moment as u64 && after > before),
                        "{text} {moment} {local}"
                    );
                    assert!(
                        (after > before) || zone.shows(at - 3600 * 3) != (day, minute),
                        "the first of two"
                    );
                }
            }
        }
    }

    fn hours(days: &[&str], from: u16, to: u16) -> Hours {
        let bit = |day: &&str| 1 << WEEKDAYS.iter().position(|known| known == day).expect("a day");
        Hours { days: days.iter().map(bit).sum(), from: from * 60, to: to * 60 }
    }

    #[test]
    fn hours_over_midnight_belong_to_the_day_they_begin_on() {
        let berlin = zone(ZONES[0].0);
        let saturday = hours(&["sat"], 22, 6);
        // Saturday 22 November 2025 at 22:00, and Sunday at 6:00.
        let (begin, end) = (1_763_845_200, 1_763_874_000);
        let week = 7 * DAY;
        for (at, is_on, until) in [
            (begin - week / 2, false, begin),
            (begin - 1, false, begin),
            (begin, true, end),
            (end - 1, true, end),
            (end, false, begin + week),
        ] {
            assert_eq!(saturday.at(&berlin, at), Now { is_on, until: Some(until) }, "{at}");
        }
        assert!(!hours(&["sun"], 22, 6).at(&berlin, end - 1).is_on);
    }

    #[test]
    fn hours_grow_and_shrink_with_the_night_the_clock_is_changed_in() {
        let berlin = zone(ZONES[0].0);
        let length = |hours: Hours, at: u64| {
            let begin = hours.at(&berlin, at).until.expect("they begin");
            let now = hours.at(&berlin, begin);
            assert!(now.is_on && !hours.at(&berlin, begin - 1).is_on);
            (begin, (now.until.expect("they end") - begin) / MINUTE)
        };
        // The evenings before 30 March and before 26 October 2025.
        let (spring, autumn) = (1_743_285_600 - 7200, 1_761_422_400 - 7200);
        let night = hours(&["sat"], 22, 6);
        assert_eq!([length(night, spring).1, length(night, autumn).1], [7 * 60, 9 * 60]);
        let skipped = Hours { days: 64, from: 150, to: 240 };
        assert_eq!(length(skipped, spring), (1_743_296_400, 60), "from the moment the clock jumps");
        let inside = Hours { days: 64, from: 130, to: 150 };
        assert_eq!(length(inside, spring).0, 1_743_296_400 + 7 * DAY - 3000, "not at all that week");
        assert_eq!(length(inside, autumn), (1_761_436_800 + 600, 20), "the first of both");
        let next = Hours { days: 64, from: 150, to: 600 };
        assert_eq!(length(next, autumn).0, 1_761_436_800 + 1800, "and the next begins where it ends");
    }

    #[test]
    fn days_have_the_dates_that_date_says() {
        // date -u -d @$((86400 * DAY)) +%F
        for (day, date_of) in [
            (0, (1970, 1, 1)),
            (58, (1970, 2, 28)),
            (59, (1970, 3, 1)),
            (789, (1972, 2, 29)),
            (11_016, (2000, 2, 29)),
            (20_453, (2025, 12, 31)),
            (20_454, (2026, 1, 1)),
            (20_787, (2026, 11, 30)),
            (47_541, (2100, 3, 1)),
        ] {
            assert_eq!(date(day), date_of, "{day}");
        }
    }

    #[test]
    fn days_that_follow_each_other_are_one_and_all_of_them_never_end() {
        let berlin = zone(ZONES[0].0);
        let weekend = hours(&["sat", "sun"], 0, 0);
        let monday = 1_763_334_000;
        let Now { is_on: false, until: Some(begin) } = weekend.at(&berlin, monday) else {
            panic!("a Monday")
        };
        assert_eq!(begin, monday + 5 * DAY);
        assert_eq!(weekend.at(&berlin, begin + 7), Now { is_on: true, until: Some(monday + 7 * DAY) });
        let always = Hours { days: EVERY_DAY, from: 600, to: 600 };
        assert_eq!(always.at(&berlin, monday), Now { is_on: true, until: None });
        assert_eq!(Hours { days: 0, ..always }.at(&berlin, monday), Now::default());
    }

    #[test]
    fn at_every_moment_hours_are_on_exactly_where_a_walk_along_the_wall_says() {
        let mut random = crate::classify::random::Random::seeded(3);
        for (text, changes) in ZONES {
            let zone = zone(text);
            let around = changes.first().map_or(1_743_296_400, |(moment, ..)| *moment) as u64;
            for _ in 0..20 {
                let mut minute = || random.below(96) as u16 * 15;
                let (from, to) = (minute(), minute());
                let hours = Hours { days: random.below(128) as u32, from, to };
                let mut until = None;
                for at in (around - 4 * DAY..around + 4 * DAY).step_by(300) {
                    let now = hours.at(&zone, at);
                    assert!(now.until.is_none_or(|until| until > at));
                    // It changes when it was said to.
                    if let Some((was_on, change)) = until {
                        assert_eq!(now.is_on != was_on, change <= at, "{text} {hours} {at}");
                    }
                    until = now.until.map(|until| (now.is_on, until));
                }
            }
        }
    }

    #[test]
    fn hours_are_told_in_words() {
        let told = |hours: Hours| hours.to_string();
        assert_eq!(told(hours(&["mon", "fri"], 22, 6)), "mon, fri, 22:00 to 06:00");
        assert_eq!(told(Hours { days: EVERY_DAY, from: 5, to: 5 }), "every day, 00:05 to 00:05");
        assert_eq!(told(hours(&["sun"], 0, 0)), "sun, all day");
        assert_eq!(Vec::from(WEEKDAYS).len(), 7);
    }
}
