// SPDX-License-Identifier: Apache-2.0
//! Every sentence of the daemon's that belongs to a closed set: why a rate is what it is, what alerts advise, what is done.
//! `BLESS=1 cargo test --test told` rewrites the list, and tests/luci/told.mjs holds the web pages to it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use weir::config::Config;
use weir::config::threshold::{Deed, Metric, Threshold};
use weir::control::{Reason, State};
use weir::units::{Micros, Permille, Rate, Time, Way};
use weir::watch::alert::{Alert, Alerts, Cause, Evidence};
use weir::watch::deed::Deeds;
use weir::watch::sla::{Load, Look, Spot};

const TOLD: &str = "tests/luci/told.json";

fn list<'a>(name: &str, words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("\t\t\"{word}\"")).collect();
    format!("\t\"{name}\": [\n{}\n\t]", words.join(",\n"))
}

/// What two classes sent, in Mbit/s of 20, and how long packets wait.
fn look(sent: [u64; 2], wait: u64) -> Look {
    let mut look = Look { rate: Rate::mbit(20), is_shared: true, ..Look::default() };
    look.all =
        Load { sent: sent.iter().sum::<u64>() * 1_000_000, delay: Some(Micros::ms(80)), ..Load::default() };
    for (load, sent) in look.classes.iter_mut().zip(sent) {
        *load = Load { sent: sent * 1_000_000, delay: Some(Micros::ms(80)), ..Load::default() };
    }
    (look.wait, look.capacity) = (Some(Micros::ms(wait)), Some(Rate::mbit(12)));
    look
}

/// An alert of a level, in one direction.
fn alert(metric: Metric, way: Way, look: &Look, known: &Evidence) -> Alert {
    let config = Config::default();
    let is_whole = metric == Metric::Capacity;
    let class = config.classes.first().map(|class| class.name.clone()).filter(|_| !is_whole);
    let level = Threshold { metric, class, value: 50_000, ..Threshold::default() };
    let spot = Spot { level: 0, line: 0, way, class: Some(0).filter(|_| !is_whole) };
    let mut alerts = Alerts::default();
    alerts.broken(Time(0), (spot, &level, 80_000), &config, look, known).expect("an alert").clone()
}

/// One of each cause and way, and of the metrics that make a difference.
fn alerts() -> Vec<Alert> {
    let none = Evidence::default();
    let busy = Evidence { busy: Some(Permille(950)), ..none };
    let passes = Evidence { received: Some(19_000_000), ..none };
    let blind = Evidence { state: Some(State::Blind), ..none };
    let usual = Evidence { usual: Some(Rate::mbit(18)), ..none };
    let floor = Evidence { floor: Some(Rate::mbit(20)), ..none };
    let (calm, crowded, own) = (look([1, 2], 0), look([1, 18], 0), look([18, 1], 0));
    let (much, slow) = (look([14, 4], 0), look([1, 18], 200));
    let all = [
        (Metric::Latency, &crowded, &busy),
        (Metric::Latency, &calm, &passes),
        (Metric::Latency, &look([1, 2], 200), &blind),
        (Metric::Latency, &slow, &usual),
        (Metric::Latency, &slow, &floor),
        (Metric::Latency, &look([1, 2], 200), &none),
        (Metric::Latency, &much, &none),
        (Metric::Latency, &own, &none),
        (Metric::Throughput, &own, &none),
        (Metric::Latency, &crowded, &none),
        (Metric::Capacity, &crowded, &none),
        (Metric::Latency, &calm, &none),
    ];
    let of = |way| all.map(|(metric, look, known)| alert(metric, way, look, known));
    Way::ALL.into_iter().flat_map(of).collect()
}

/// What is said of each thing that is done.
fn deeds() -> Vec<String> {
    let config = Config::default();
    let mut said = Vec::new();
    let all = [Deed::Notify, Deed::Throttle, Deed::Protect, Deed::Cap, Deed::Block];
    assert_eq!(all.map(Deed::word), Deed::WORDS, "each of them");
    for deed in all {
        let spot = Spot { level: 0, line: 0, way: Way::Up, class: Some(0) };
        let class = config.classes.first().map(|class| class.name.clone());
        let level = Threshold {
            class,
            deed,
            share: Some(Permille(400)),
            rate: Some(Rate::mbit(3)),
            ..Threshold::default()
        };
        said.extend(Deeds::default().begin(Time(0), spot, &level, &config).map(|doing| doing.text.clone()));
    }
    said
}

#[test]
fn the_list_has_all_that_the_daemon_says() {
    let alerts = alerts();
    for cause in Cause::ALL {
        assert!(alerts.iter().any(|alert| alert.cause == cause), "no alert of {cause:?}");
    }
    let mut sentences: Vec<String> = alerts.iter().map(|alert| alert.advice.clone()).chain(deeds()).collect();
    let mut measured: Vec<String> = alerts.iter().map(|alert| alert.text.clone()).collect();
    for all in [&mut sentences, &mut measured] {
        all.sort();
        all.dedup();
    }
    let mut wanted = String::from("{\n");
    let parts = [
        list("reasons", Reason::ALL.map(Reason::text)),
        list("causes", Cause::ALL.map(Cause::word)),
        list("deeds", Deed::WORDS.iter().copied()),
        list("measured", measured.iter().map(String::as_str)),
        list("sentences", sentences.iter().map(String::as_str)),
    ];
    let _ = writeln!(wanted, "{}\n}}", parts.join(",\n"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(TOLD);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &wanted).expect("writable");
    }
    let text = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, wanted, "{TOLD}: run BLESS=1 cargo test --test told");
}
