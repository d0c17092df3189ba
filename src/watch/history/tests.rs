// SPDX-License-Identifier: Apache-2.0
//! Histories against literal values, and a random day against sums that nobody rounded.

use super::*;

/// What is known of one direction, for the time since the reading before.
#[derive(Clone, Copy, Default)]
pub(crate) struct Reading {
    pub(crate) rate: u64,
    pub(crate) capacity: Option<u64>,
    pub(crate) sent: u64,
    pub(crate) classes: [Option<u64>; CLASSES],
    pub(crate) wait: Option<u64>,
    pub(crate) state: Option<u64>,
    /// Packets, drops, marks, changes.
    pub(crate) counts: [u64; 4],
    pub(crate) reason: Option<u64>,
}

impl Reading {
    pub(crate) fn row(self) -> Row {
        let Self { rate, sent, counts: [packets, drops, marks, changes], .. } = self;
        let [capacity, wait, state, reason] =
            [self.capacity, self.wait, self.state, self.reason].map(|known| known.unwrap_or(NONE));
        let [a, b, c, d] = self.classes.map(|known| known.unwrap_or(NONE));
        [
            rate, rate, rate, capacity, sent, sent, sent, a, b, c, d, wait, wait, NONE, NONE, state, packets,
            drops, marks, changes, reason,
        ]
    }
}

impl History {
    fn tell(&mut self, at: Time, readings: [Option<Reading>; 2]) {
        self.add(at, &mut readings.map(|reading| reading.map(Reading::row)));
    }
}

/// A reading of a line of this rate that sent so many bytes since the last one.
fn reading(rate: u64, sent: u64) -> Reading {
    Reading { rate, sent, ..Reading::default() }
}

fn seconds(n: u64) -> Time {
    Time(n * SECOND)
}

/// Of a line that is read on every second from `from` to `to`, and sends as many kilobytes as the second's number.
fn told(from: u64, to: u64) -> History {
    let mut history = History::new(seconds(from));
    for n in from..=to {
        history.tell(seconds(n), [Some(reading(8_000_000, n * 1000)), None]);
    }
    history
}

fn column(page: &Page, column: usize) -> Vec<Option<u64>> {
    (0..page.rows.len()).map(|row| page.cell(row, 0, column)).collect()
}

fn place(name: &str) -> usize {
    COLUMNS.iter().position(|column| column.0 == name).expect("a column")
}

/// The next number of a row that looks random, below a bound.
pub(crate) fn next(random: &mut u64, below: u64) -> u64 {
    *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*random >> 33) % below.max(1)
}

const MINUTES: Micros = Micros::secs(300);
const HOURS: Micros = Micros::secs(7200);
const DAYS: Micros = Micros::secs(2 * 86_400);

#[test]
fn the_table_of_columns_is_what_the_places_say() {
    assert_eq!([RATE, SENT, WAIT_MAX], ["rate_bps", "sent_bps", "wait_max_us"].map(place));
    let classes = COLUMNS.iter().enumerate().filter(|(_, column)| column.0.is_empty());
    assert_eq!(classes.map(|(n, _)| n).collect::<Vec<_>>(), (CLASS..CLASS + CLASSES).collect::<Vec<_>>());
    assert_eq!(place("reason"), place("changes") + 1, "votes are as many as the changes before them");
    let mut all = 0;
    for (_, count, first) in LEVELS {
        assert_eq!(first, all);
        all += count;
    }
    assert_eq!(all as usize, POINTS);
}

#[test]
fn a_direction_is_a_block_of_a_hundred_kilobytes_from_its_first_reading_on() {
    assert_eq!(size_of::<Point>(), 42);
    assert_eq!(Track::new().points.capacity() * size_of::<Point>(), 103_320);
    assert!(size_of::<History>() < 4096, "{}", size_of::<History>());
    let history = told(0, 5);
    assert!(history.tracks[0].is_some() && history.tracks[1].is_none());
}

#[test]
fn ten_seconds_become_one_point_and_two_minutes_one_of_them_exactly() {
    let history = told(0, 240);
    let page = history.page(HOURS, 0, 999);
    assert_eq!((page.step, page.last, page.next, page.lost), (Micros::secs(10), 24, 24, 0));
    // Seconds 1 to 10 sent 1 to 10 kB each, which is 8 kbit/s for each.
    assert_eq!(column(&page, SENT)[..2], [44_000, 124_000].map(|bits| unpack(pack(bits))));
    assert_eq!(column(&page, place("sent_min_bps"))[..2], [Some(8_000), Some(88_000)]);
    assert_eq!(column(&page, place("sent_max_bps"))[..2], [Some(80_000), Some(160_000)]);
    let page = history.page(DAYS, 0, 999);
    assert_eq!((page.step, page.last), (Micros::secs(120), 2));
    assert_eq!(column(&page, SENT), [484_000, 1_444_000].map(|bits| unpack(pack(bits))));
    assert_eq!(column(&page, place("sent_max_bps")), [Some(960_000), Some(1_920_000)]);
    assert_eq!(column(&page, place("rate_min_bps")), [unpack(pack(8_000_000)); 2]);
    assert_eq!(column(&page, place("capacity_bps")), [None; 2]);
}

#[test]
fn means_are_over_the_time_it_is_known_and_counts_and_reasons_are_added() {
    let mut history = History::new(Time(0));
    let mut tell = |at: u64, rate: u64, wait: Option<u64>, counts: [u64; 4], reason: u64| {
        let state = Some(reason % 4 + 1);
        let reading = Reading { wait, counts, reason: Some(reason), state, ..reading(rate, 0) };
        history.tell(Time(at), [None, Some(reading)]);
    };
    tell(0, 0, None, [0; 4], 1);
    tell(250_000, 4_000, Some(100), [9, 1, 0, 2], 5); // a quarter of a second
    tell(750_000, 1_000, Some(400), [0, 0, 3, 1], 6); // half of one
    tell(1_000_000, 2_000, None, [18, 2, 0, 2], 6);
    tell(10_000_000, 0, None, [0; 4], 1); // nobody knows
    let page = history.page(MINUTES, 0, 9);
    let cell = |name: &str| page.cell(0, 1, place(name));
    assert_eq!(cell("rate_bps"), Some(2_000));
    assert_eq!((cell("rate_min_bps"), cell("rate_max_bps")), (Some(1_000), Some(4_000)));
    assert_eq!((cell("wait_us"), cell("wait_max_us")), (Some(300), Some(400)));
    // A third of that time it was 100 us, which is no wait, and then 400, counted with what is from 384 to 448.
    assert_eq!((cell("wait_p50_us"), cell("wait_p95_us")), (Some(400), Some(400)));
    assert_eq!((cell("drops"), cell("marks"), cell("changes")), (Some(3), Some(3), Some(5)));
    assert_eq!(cell("packets"), Some(27));
    assert_eq!((cell("reason"), cell("state")), (Some(6), Some(3)));
    // Ten seconds with nine of which nothing is known are as that one.
    let page = history.page(HOURS, 0, 9);
    assert_eq!((page.cell(0, 1, RATE), page.rows.len()), (Some(2_000), 1));
}

#[test]
fn waits_have_their_quantiles_over_all_readings_of_a_point_within_an_eighth() {
    let mut history = History::new(Time(0));
    let mut random = 7;
    let mut waits = Vec::new();
    for n in 0..=2400u64 {
        // Mostly about 5 ms, each twelfth reading about 80.
        let wait = if n % 12 == 0 { 60_000 } else { 3_000 } + next(&mut random, 4_000);
        waits.extend((n > 0).then_some(wait));
        let reading = Reading { wait: Some(wait), ..reading(1_000_000, 0) };
        history.tell(Time(n * 50_000), [Some(reading), None]);
    }
    for (span, each) in [(MINUTES, 20), (HOURS, 200), (DAYS, 2400)] {
        let page = history.page(span, 0, 999);
        let of = |name| column(&page, place(name)).last().copied().flatten().expect("known");
        let mut last = waits[waits.len() - each..].to_vec();
        last.sort_unstable();
        for (name, place) in [("wait_p50_us", each / 2 - 1), ("wait_p95_us", each * 95 / 100 - 1)] {
            let (told, exact) = (of(name), last[place]);
            assert!(told.abs_diff(exact) * 8 <= exact, "{name} of {each}: {told}, exactly {exact}");
        }
        assert!(of("wait_p95_us") <= of("wait_max_us"));
    }
    for wait in [0, 255, 256, 300, 1000, 65_535, 1_000_000, 16_000_000, u64::MAX - 1] {
        let told = middle(bucket(wait));
        assert!(
            wait < 256 && told == 0 || wait > 20_000_000 || told.abs_diff(wait) * 8 <= wait,
            "{wait}: {told}"
        );
    }
}

#[test]
fn what_was_sent_between_two_readings_is_shared_out_to_their_seconds() {
    let mut history = History::new(Time(0));
    let counted = Reading { counts: [0, 7, 0, 0], ..reading(1_000, 2_500) };
    history.tell(Time(500_000), [Some(Reading::default()), None]);
    history.tell(Time(3_000_000), [Some(counted), None]);
    let page = history.page(MINUTES, 0, 9);
    assert_eq!(column(&page, SENT), [unpack(pack(8_000)); 3]);
    assert_eq!(column(&page, place("drops")), [Some(1), Some(3), Some(3)], "all of them, once");
}

#[test]
fn what_nobody_read_is_a_gap_in_every_resolution_and_its_counters_are_not_taken_for_speed() {
    let mut history = told(0, 240);
    history.pass(seconds(600));
    let sent = |history: &History, span| column(&history.page(span, 0, 9999), SENT);
    let known: Vec<bool> = sent(&history, DAYS).iter().map(Option::is_some).collect();
    assert_eq!(known, [true, true, false, false, false]);
    for (at, bytes) in [(605, 999_999_999), (606, 1_000), (610, 999_999_999), (611, 2_000)] {
        history.tell(seconds(at), [Some(reading(8_000_000, bytes)), None]);
    }
    history.pass(seconds(613));
    assert_eq!(history.at, seconds(611), "a reading that is late is none that is missing");
    let fine = sent(&history, MINUTES);
    assert_eq!(fine.len(), 300);
    assert_eq!(fine.iter().flatten().collect::<Vec<_>>(), [&8_000, &16_000]);
    assert_eq!(sent(&history, HOURS).last(), Some(&Some(8_000)));
    // Days of nothing are as soon over as a second, and leave nothing of what was before.
    history.pass(seconds(10 * 86_400));
    for (span, points) in [(MINUTES, 300), (HOURS, 720), (DAYS, 1440)] {
        assert_eq!(sent(&history, span), alloc::vec![None; points]);
    }
}

#[test]
fn a_full_ring_forgets_its_oldest_points() {
    let history = told(1000, 2000);
    let page = history.page(MINUTES, 0, 9999);
    assert_eq!((page.last, page.next, page.rows.len()), (2000, 2000, 300));
    let wanted = (1701..=2000).map(|n| unpack(pack(n * 8000)));
    assert_eq!(column(&page, SENT), wanted.collect::<Vec<_>>());
    let page = history.page(MINUTES, 1500, 10);
    assert_eq!((page.lost, page.next, page.rows.len()), (200, 1710, 10));
    assert_eq!(history.page(HOURS, 0, 9999).rows.len(), 100, "it began at 1000");
    let page = history.page(Micros::secs(60), 0, 9999);
    assert_eq!((page.rows.len(), page.next), (60, 2000));
}

#[test]
fn who_asks_for_what_follows_gets_each_point_once_in_every_resolution() {
    let mut history = told(0, 0);
    let (mut random, mut at) = (1, Time(0));
    let mut since = [0; 3];
    let mut seen: [Vec<u64>; 3] = Default::default();
    while at < seconds(9000) {
        at = at + Micros(50_000 + next(&mut random, 1_900_000));
        history.tell(at, [Some(reading(at.0 / SECOND, 0)), None]);
        if next(&mut random, 16) > 0 {
            continue;
        }
        for ((since, seen), span) in since.iter_mut().zip(&mut seen).zip([MINUTES, HOURS, DAYS]) {
            loop {
                let page = history.page(span, *since, 7);
                assert_eq!(page.lost, 0);
                seen.extend(page.next - page.rows.len() as u64 + 1..=page.next);
                *since = page.next;
                if page.next == page.last {
                    break;
                }
            }
        }
    }
    for (seen, least) in seen.into_iter().zip([8000, 800, 70]) {
        assert_eq!(seen, (1..=seen.len() as u64).collect::<Vec<_>>());
        assert!(seen.len() > least);
    }
    let page = history.page(MINUTES, 99_999_999, 9999);
    assert_eq!((page.lost, page.rows.len()), (0, 300), "a number of an earlier boot is none");
}

#[test]
fn the_means_of_a_random_day_are_the_true_ones_but_for_the_rounding() {
    const STEP: u64 = 120 * SECOND;
    let mut random = 7;
    let mut history = History::new(Time(0));
    history.tell(Time(0), [Some(Reading::default()); 2]);
    // What was sent in each two minutes, in bits a second, for a microsecond each.
    let mut truth = alloc::vec![0u128; 721];
    let (mut now, mut all_drops) = (0, 0);
    while now < 86_400 * SECOND {
        let at = (now + 20_000 + next(&mut random, 1_200_000)).min(86_400 * SECOND);
        let (sent, drops) = (next(&mut random, 1 + (at - now) * 12), next(&mut random, 20));
        let mut from = now;
        while from < at {
            let part = (at - from).min(STEP - from % STEP);
            truth[(from / STEP) as usize] +=
                u128::from(sent * 8 * SECOND) * u128::from(part) / u128::from(at - now);
            from += part;
        }
        now = at;
        all_drops += drops;
        let told = Reading { counts: [0, drops, 0, 0], ..reading(20_000_000, sent) };
        history.tell(Time(at), [Some(told), Some(told)]);
    }
    let tracks = history.tracks.each_ref().map(|track| track.as_ref().map(|track| track.points.capacity()));
    assert_eq!(tracks, [Some(POINTS); 2], "not one byte more than at the start");
    let page = history.page(DAYS, 0, 9999);
    assert_eq!((page.last, page.rows.len()), (720, 720));
    let mut kept_drops = 0;
    for (row, truth) in truth.iter().take(720).enumerate() {
        let truth = (truth / u128::from(STEP)) as u64;
        let kept = page.cell(row, 1, SENT).expect("known");
        // 2^-12 of it for the two bytes, and a bit per second for each whole number on the way.
        assert!(kept.abs_diff(truth) <= truth / 4096 + 2, "{row}: {kept} is not {truth}");
        kept_drops += page.cell(row, 0, place("drops")).expect("known");
    }
    assert_eq!(kept_drops, all_drops, "counts below 4096 are exact, and none is lost between two points");
}

#[test]
fn other_classes_leave_nothing_of_the_ones_before() {
    let mut history = History::new(Time(0));
    for n in 0..20 {
        let classes = [Some(500), Some(300), None, None];
        history.tell(seconds(n), [Some(Reading { classes, ..reading(1_000, 1_000) }), None]);
    }
    assert_eq!(column(&history.page(MINUTES, 0, 99), CLASS + 1)[0], Some(2_400));
    history.forget_classes();
    let page = history.page(MINUTES, 0, 99);
    assert_eq!(column(&page, CLASS + 1), [None; 19]);
    assert_eq!(column(&page, SENT), [unpack(pack(8_000)); 19]);
}
