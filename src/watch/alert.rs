// SPDX-License-Identifier: Apache-2.0
//! Alerts: what is wrong, by which measurement, most likely why, and what to do. One for each cause, however many levels
//! it breaks.
//!
//! A cause is only named by evidence, and the evidence is said; where there is none, the alert says so. What is looked at
//! first is what would make everything else look wrong: a processor that is full, traffic that passes by the queues.

use super::sla::{Look, Spot};
use crate::config::Config;
use crate::config::threshold::{Metric, Shown, Threshold};
use crate::control::State;
use crate::limits;
use crate::report::{about, three_digits};
use crate::units::{Micros, Permille, Rate, Time, Way};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Why a level is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The router's processor is full.
    Processor,
    /// Packets pass by the queues.
    Bypass,
    /// Nobody answers, so the line cannot be measured.
    Silence,
    /// The line carries less than it did at this hour.
    SlowLine,
    /// The rate is as low as it may be, and still more than the line carries.
    Floor,
    /// Packets wait on the line while hardly any are ours.
    Line,
    /// The class sends more than it is given.
    Itself,
    /// Another class takes most of the line.
    Other,
    /// The line is full of what belongs there.
    Full,
    /// There is no evidence.
    Unknown,
}

impl Cause {
    /// Each of them.
    pub const ALL: [Self; 10] = [
        Self::Processor,
        Self::Bypass,
        Self::Silence,
        Self::SlowLine,
        Self::Floor,
        Self::Line,
        Self::Itself,
        Self::Other,
        Self::Full,
        Self::Unknown,
    ];

    /// What programs know it by.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Processor => "processor",
            Self::Bypass => "bypass",
            Self::Silence => "silence",
            Self::SlowLine => "slow-line",
            Self::Floor => "floor",
            Self::Line => "line",
            Self::Itself => "itself",
            Self::Other => "other-class",
            Self::Full => "full",
            Self::Unknown => "unknown",
        }
    }
}

/// What is known besides what was measured of the direction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence {
    /// How much its controller sees, if it has one.
    pub state: Option<State>,
    /// What the line carried at this hour on the days before.
    pub usual: Option<Rate>,
    /// How busy the processor was lately.
    pub busy: Option<Permille>,
    /// The least it may be shaped to.
    pub floor: Option<Rate>,
    /// Bits the line's device received in the second, for what arrives.
    pub received: Option<u64>,
}

/// From here on a processor is full.
const BUSY: Permille = Permille(900);
/// From here on a direction is full, in thousandths of its rate; below, the line is hardly used.
const FULL: u64 = 850;
const HARDLY: u64 = 500;
/// What waits less than this on the line is no evidence of anything.
const WAITS: Micros = Micros::ms(5);

/// The cause, by the evidence.
pub fn cause(metric: Metric, class: Option<usize>, look: &Look, known: &Evidence) -> Cause {
    let rate = look.rate.bits_per_sec();
    let used = look.measure(Metric::Utilisation, None).unwrap_or(0);
    let sent = |n: usize| look.classes.get(n).map_or(0, |load| load.sent);
    let own = class.map_or(0, sent);
    let most = most(look).map_or(0, sent);
    let wait = look.wait.unwrap_or(Micros(0));
    let dropped = u64::from(look.all.drops) * 1500 * 8;
    let is_on_line = match metric {
        Metric::Latency => look.measure(metric, class).is_some_and(|all| wait.0 * 2 > all),
        Metric::Capacity => true,
        _ => false,
    };
    if known.busy.is_some_and(|busy| busy >= BUSY) {
        Cause::Processor
    } else if known.received.is_some_and(|received| received > (look.all.sent + dropped) * 2 + rate / 10) {
        Cause::Bypass
    } else if is_on_line && known.state == Some(State::Blind) {
        Cause::Silence
    } else if is_on_line || metric == Metric::Share {
        let is_slow =
            |usual: Rate| look.capacity.is_some_and(|now| now.bits_per_sec() * 10 < usual.bits_per_sec() * 7);
        if known.usual.is_some_and(is_slow) {
            Cause::SlowLine
        } else if is_on_line && known.floor.is_some_and(|floor| look.rate <= floor) {
            Cause::Floor
        } else if is_on_line && used < HARDLY && wait >= WAITS {
            Cause::Line
        } else if is_on_line && used < HARDLY {
            Cause::Unknown
        } else if class.is_some() && most > own {
            Cause::Other
        } else {
            Cause::Full
        }
    } else if class.is_some() && own * 2 > look.all.sent && used > 0 {
        // Who has the line already cannot be given more of it; that it has it is what a level of its load is about.
        let is_whole = used >= FULL && own * 1000 >= rate * FULL;
        if is_whole && !is_load(metric) { Cause::Full } else { Cause::Itself }
    } else if class.is_some() && most * 2 > look.all.sent && used >= FULL {
        Cause::Other
    } else if used >= FULL {
        Cause::Full
    } else {
        Cause::Unknown
    }
}

/// Whether it is about how much is sent.
const fn is_load(metric: Metric) -> bool {
    matches!(metric, Metric::Throughput | Metric::Utilisation)
}

/// The class that sends most.
pub fn most(look: &Look) -> Option<usize> {
    let loads = look.classes.iter().enumerate().filter(|(_, load)| load.sent > 0);
    loads.max_by_key(|(_, load)| load.sent).map(|(n, _)| n)
}

/// Something that is wrong now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its number; they never come twice.
    pub id: u32,
    /// The line's name.
    pub wan: String,
    /// Its first level, and what it is about.
    pub level: Threshold,
    /// Which direction.
    pub way: Way,
    /// Why.
    pub cause: Cause,
    /// Since when.
    pub since: Time,
    /// What was measured.
    pub text: String,
    /// Why, most likely, and what to do.
    pub advice: String,
    /// The levels it broke and has not given back.
    spots: Vec<Spot>,
}

impl Alert {
    /// All of it in one line.
    pub fn sentence(&self) -> String {
        format!("{}: {}; {}", self.wan, self.text, self.advice)
    }

    /// How many levels are broken for the same reason.
    pub fn count(&self) -> usize {
        self.spots.len()
    }
}

/// All that is wrong now.
#[derive(Debug, Default)]
pub struct Alerts {
    now: Vec<Alert>,
    last: u32,
}

impl Alerts {
    /// What is wrong now, the oldest first.
    pub fn list(&self) -> &[Alert] {
        &self.now
    }

    /// A level is broken. The alert, unless there is one of the same cause already; `None` too where there are too many.
    pub fn broken(
        &mut self,
        now: Time,
        (spot, level, got): (Spot, &Threshold, u64),
        config: &Config,
        look: &Look,
        known: &Evidence,
    ) -> Option<&Alert> {
        let wan = &config.wans.get(spot.line)?.name;
        let cause = cause(level.metric, spot.class, look, known);
        let is_same = |alert: &&mut Alert| alert.wan == *wan && alert.way == spot.way && alert.cause == cause;
        if cause != Cause::Unknown
            && let Some(alert) = self.now.iter_mut().find(is_same)
        {
            alert.spots.push(spot);
            return None;
        }
        if self.now.len() >= limits::ALERTS {
            return None;
        }
        self.last += 1;
        self.now.push(Alert {
            id: self.last,
            wan: wan.clone(),
            level: level.clone(),
            way: spot.way,
            cause,
            since: now,
            text: text(spot, level, got),
            advice: advice(cause, level.metric, spot, config, look, known),
            spots: alloc::vec![spot],
        });
        self.now.last()
    }

    /// A level is kept again; the alert, if that was its last.
    pub fn kept(&mut self, spot: Spot) -> Option<Alert> {
        let at = self.now.iter().position(|alert| alert.spots.contains(&spot))?;
        let alert = self.now.get_mut(at)?;
        alert.spots.retain(|other| *other != spot);
        alert.spots.is_empty().then(|| self.now.remove(at))
    }

    /// Nothing is watched any more.
    pub fn clear(&mut self) -> Vec<Alert> {
        core::mem::take(&mut self.now)
    }
}

fn text(spot: Spot, level: &Threshold, got: u64) -> String {
    let Threshold { metric, value, span, operator, .. } = level;
    let class = level.class.as_ref().map(|class| format!(" of {class}")).unwrap_or_default();
    let got = match three_digits(got) {
        // What is just above the bound is not shown as the bound.
        rounded if *metric == Metric::Latency && rounded != *value => rounded,
        _ => got,
    };
    let (got, value) = (Shown(*metric, got), Shown(*metric, *value));
    let word = operator.word();
    format!("{} {}{class} is {got}, {word} {value} for {span}", spot.way, metric.word())
}

fn advice(
    cause: Cause,
    metric: Metric,
    spot: Spot,
    config: &Config,
    look: &Look,
    known: &Evidence,
) -> String {
    let name =
        |n: Option<usize>| n.and_then(|n| config.classes.get(n)).map_or("a class", |class| &class.name);
    let load = |n: Option<usize>| n.and_then(|n| look.classes.get(n)).map_or(0, |load| load.sent);
    let rate = |bits: u64| about(Rate::bits(bits)).to_string();
    let (sent, of) = (rate(look.all.sent), about(look.rate));
    let maybe = |rate: Option<Rate>| rate.map_or_else(String::new, |rate| about(rate).to_string());
    let wait = Micros(three_digits(look.wait.map_or(0, |wait| wait.0)));
    let (way, own, most) = (spot.way, spot.class, most(look));
    match cause {
        Cause::Processor => format!(
            "the processor was {} busy: shaping is late. Shape to less, take engine 'htb', or find what else runs",
            known.busy.unwrap_or(Permille::ALL)
        ),
        Cause::Bypass => format!(
            "{} arrives and {sent} passes the queues: something forwards past them. 'weir doctor' says what",
            rate(known.received.unwrap_or(0))
        ),
        Cause::Silence => {
            "no reflector answers, so the line is judged by counters alone: see option 'reflector' and 'weir status'"
                .into()
        }
        Cause::SlowLine => format!(
            "the line carries {}, at this hour it carried {}: that is the provider's side. 'weir history --span 2d' shows it to them",
            maybe(look.capacity),
            maybe(known.usual)
        ),
        Cause::Floor => format!(
            "packets wait {wait} on the line, and the rate is at its least, {of}: lower option '{way}_min'"
        ),
        Cause::Line => format!(
            "packets wait {wait} on the line while {sent} of {of} is sent: not this router's traffic. Look at the modem's signal, at what else is on the line, or ask the provider"
        ),
        // That it sends much is what the level is about, so more room for it is no remedy.
        Cause::Itself if is_load(metric) => format!(
            "class {} sends {} of {of} itself: give it a 'limit', or look at what fills it ('weir watch-rules')",
            name(own),
            rate(load(own))
        ),
        Cause::Itself => format!(
            "class {} sends {} itself, more than it is given: raise its 'guarantee' or 'limit', or move what fills it ('weir watch-rules')",
            name(own),
            rate(load(own))
        ),
        Cause::Other => format!(
            "class {} takes {} of {of}: give it a 'limit', or a threshold with action 'throttle'",
            name(most),
            rate(load(most))
        ),
        Cause::Full => format!(
            "the {way} is full, {sent} of {of} is sent: no fault of the line. What must not wait belongs in a higher class"
        ),
        Cause::Unknown => format!("{sent} of {of} is sent, and nothing measured says why: 'weir doctor' looks further"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::sla::Load;

    fn look(sent: [u64; 2], rate: u32) -> Look {
        let mut look = Look { rate: Rate::mbit(rate), is_shared: true, ..Look::default() };
        look.all.sent = sent.iter().sum::<u64>() * 1_000_000;
        for (load, sent) in look.classes.iter_mut().zip(sent) {
            *load = Load { sent: sent * 1_000_000, delay: Some(Micros::ms(80)), ..Load::default() };
        }
        look.all.delay = Some(Micros::ms(80));
        look
    }

    #[test]
    fn causes_are_told_apart_by_evidence() {
        let none = Evidence::default();
        let of = |metric, class, look: &Look, known: &Evidence| cause(metric, class, look, known);
        let latency = |look: &Look, known: &Evidence| of(Metric::Latency, Some(0), look, known);
        assert_eq!(latency(&look([1, 18], 20), &none), Cause::Other);
        assert_eq!(latency(&look([14, 5], 20), &none), Cause::Itself);
        assert_eq!(of(Metric::Utilisation, None, &look([9, 9], 20), &none), Cause::Full);
        assert_eq!(latency(&look([1, 2], 20), &none), Cause::Unknown);
        assert_eq!(
            latency(&look([1, 18], 20), &Evidence { busy: Some(Permille(950)), ..none }),
            Cause::Processor
        );
        assert_eq!(
            latency(&look([1, 2], 20), &Evidence { received: Some(19_000_000), ..none }),
            Cause::Bypass
        );
        assert_eq!(
            latency(&look([1, 2], 20), &Evidence { received: Some(3_200_000), ..none }),
            Cause::Unknown
        );
        // It waits on the line.
        let waits =
            |sent| Look { wait: Some(Micros::ms(200)), capacity: Some(Rate::mbit(12)), ..look(sent, 20) };
        assert_eq!(latency(&waits([1, 2]), &none), Cause::Line);
        assert_eq!(latency(&waits([1, 18]), &none), Cause::Other);
        assert_eq!(latency(&waits([1, 2]), &Evidence { state: Some(State::Blind), ..none }), Cause::Silence);
        assert_eq!(
            latency(&waits([1, 18]), &Evidence { usual: Some(Rate::mbit(18)), ..none }),
            Cause::SlowLine
        );
        assert_eq!(latency(&waits([1, 18]), &Evidence { usual: Some(Rate::mbit(15)), ..none }), Cause::Other);
        // Little passes and nothing waits: that says nothing of the line.
        let calm = Look { wait: Some(Micros(0)), ..waits([1, 2]) };
        assert_eq!(of(Metric::Capacity, None, &calm, &none), Cause::Unknown);
        assert_eq!(of(Metric::Capacity, None, &waits([1, 2]), &none), Cause::Line);
        assert_eq!(latency(&waits([1, 18]), &Evidence { floor: Some(Rate::mbit(20)), ..none }), Cause::Floor);
    }

    #[test]
    fn a_class_that_has_the_whole_line_already_is_not_to_be_given_more() {
        let (config, known) = (Config::default(), Evidence::default());
        let mut look = Look { rate: Rate::mbit(2), is_shared: true, ..Look::default() };
        look.all.sent = 2_013_000;
        look.classes[2] = Load { sent: 2_013_000, delay: Some(Micros(364_761)), ..Load::default() };
        let of = |metric| cause(metric, Some(2), &look, &known);
        assert_eq!((of(Metric::Latency), of(Metric::Loss)), (Cause::Full, Cause::Full));
        assert_eq!((of(Metric::Throughput), of(Metric::Utilisation)), (Cause::Itself, Cause::Itself));
        let level = Threshold { class: Some("normal".into()), value: 200_000, ..Threshold::default() };
        let spot = Spot { level: 0, line: 0, way: Way::Up, class: Some(2) };
        let mut alerts = Alerts::default();
        let alert = alerts.broken(Time(0), (spot, &level, 364_761), &config, &look, &known).expect("one");
        assert_eq!(
            alert.sentence(),
            "wan: upload latency of normal is 365 ms, > 200 ms for 10 s; the upload is full, 2.01 Mbit/s of 2 Mbit/s is sent: no fault of the line. What must not wait belongs in a higher class"
        );
    }

    #[test]
    fn latencies_have_three_digits_unless_that_is_the_bound_itself() {
        let level = Threshold { value: 50_000, ..Threshold::default() };
        let told = |got| text(spot(0), &level, got);
        assert!(told(36_476).contains(" is 36.5 ms, > 50 ms"), "{}", told(36_476));
        assert!(told(50_004).contains(" is 50.004 ms, > 50 ms"), "{}", told(50_004));
    }

    fn spot(level: usize) -> Spot {
        Spot { level, line: 0, way: Way::Up, class: Some(0) }
    }

    #[test]
    fn what_has_one_cause_is_one_alert_and_is_over_when_all_of_it_is() {
        let config = Config::default();
        let levels = Threshold::all(&config);
        let full = look([1, 18], 20);
        let known = Evidence::default();
        let mut alerts = Alerts::default();
        let alert =
            alerts.broken(Time(0), (spot(0), &levels[0], 80_000), &config, &full, &known).expect("one");
        assert_eq!(
            alert.sentence(),
            "wan: upload latency of critical is 80 ms, > 50 ms for 10 s; class high takes 18 Mbit/s of 20 Mbit/s: give it a 'limit', or a threshold with action 'throttle'"
        );
        assert_eq!(alerts.broken(Time(0), (spot(2), &levels[2], 180_000), &config, &full, &known), None);
        assert_eq!((alerts.list().len(), alerts.list()[0].count()), (1, 2));
        assert_eq!(alerts.kept(spot(0)), None);
        assert_eq!(alerts.kept(spot(2)).map(|alert| alert.id), Some(1));
        assert_eq!(alerts.kept(spot(2)), None);
        let other = look([18, 1], 20);
        assert_eq!(
            alerts.broken(Time(0), (spot(0), &levels[0], 80_000), &config, &other, &known).map(|a| a.id),
            Some(2)
        );
    }

    #[test]
    fn alerts_are_bounded() {
        let config = Config::default();
        let levels = Threshold::all(&config);
        let (idle, known) = (look([1, 2], 20), Evidence::default());
        let mut alerts = Alerts::default();
        for n in 0..100 {
            // What has no known cause has none in common.
            alerts.broken(Time(0), (spot(n), &levels[0], 80_000), &config, &idle, &known);
        }
        assert_eq!(alerts.list().len(), limits::ALERTS);
        assert_eq!((alerts.clear().len(), alerts.list().len()), (limits::ALERTS, 0));
    }

    #[test]
    fn who_is_told_that_a_class_sends_too_much_is_not_told_to_give_it_more() {
        let (config, full) = (Config::default(), look([18, 1], 20));
        let advice = |metric| advice(Cause::Itself, metric, spot(0), &config, &full, &Evidence::default());
        assert!(advice(Metric::Throughput).contains("give it a 'limit'"), "{}", advice(Metric::Throughput));
        assert!(advice(Metric::Latency).contains("raise its 'guarantee'"));
    }

    #[test]
    fn every_cause_has_words_without_gaps() {
        let config = Config::default();
        let full = Look { capacity: Some(Rate::mbit(5)), ..look([1, 18], 20) };
        let known = Evidence { usual: Some(Rate::mbit(19)), ..Evidence::default() };
        for cause in [
            Cause::Processor,
            Cause::Bypass,
            Cause::Silence,
            Cause::SlowLine,
            Cause::Floor,
            Cause::Line,
            Cause::Itself,
            Cause::Other,
            Cause::Full,
            Cause::Unknown,
        ] {
            let text = advice(cause, Metric::Latency, spot(0), &config, &full, &known);
            assert!(!text.contains("  ") && !text.contains(" ,") && text.len() < 300, "{text}");
        }
    }
}
