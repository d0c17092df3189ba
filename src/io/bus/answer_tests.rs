// SPDX-License-Identifier: Apache-2.0
//! That every answer fits into the half of the queue it has for certain, with as much of everything as there may be.

use super::*;
use crate::classify::tally::Tally;
use crate::config::Severity;
use crate::config::read;
use crate::daemon::{Events, Level};
use crate::limits::{ALERTS, CLASSES, EVENTS, FAULTS, NAME, RULES, SCHEDULES, WANS};
use crate::report::hits::Hits;
use crate::report::scheduled::Scheduled;
use crate::report::{ClassReport, DirectionReport, Fact, Taken};
use crate::steer::{Probed, Standing};
use crate::tc::plan::Plan;
use crate::tc::speed::Speed;
use crate::tc::stats::Counters;
use crate::ubus::{Value, in_half};
use crate::units::{DeviceName, Permille, Rate, Way};
use crate::watch::doctor::{CHECKS, Finding, Verdict};
use crate::watch::history::COLUMNS;
use crate::watch::page::Page;

/// The fields of an answer that is given while half of the queue waits; they must be all that is sent.
fn fields(write: &mut dyn FnMut(&mut dyn Scribe)) -> Vec<u8> {
    in_half(write).expect("it fits")
}

fn list<'a>(fields: &'a [u8], name: &str) -> Vec<Fields<'a>> {
    let Some(Value::Array(list)) = Fields::new(fields).get(name) else { panic!("no list {name}") };
    list.map(|field| if let Value::Table(row) = field.value { row } else { panic!("no row") }).collect()
}

fn is_cut(fields: &[u8]) -> bool {
    Fields::new(fields).flag("truncated") == Some(true)
}

/// A line about which everything is long, with so many rows of classes in each direction.
fn line(rows: usize) -> LineReport {
    let (name, device) = ("n".repeat(NAME), DeviceName::new("abcdefghijklmno"));
    let rate = Rate::bits(u64::MAX);
    let most = Counters { bytes: u64::MAX, packets: u64::MAX, ..Counters::default() };
    let row = ClassReport {
        name: name.clone(),
        rate,
        ceil: rate,
        class: most,
        leaf: most,
        shares: Some((Permille(1000), Permille(1000))),
        target: Some(Micros::MAX),
        delay: Some(Micros::MAX),
    };
    let way = |way| DirectionReport {
        device,
        rate: Some(rate),
        is_wanted: true,
        engine: Some("cake"),
        trouble: Some("t".repeat(300)),
        steering: Some(Standing {
            place: 0,
            way,
            speed: Speed::fixed(rate),
            capacity: Some(rate),
            wait: Some(Micros::MAX),
            aim: Some(Micros::MAX),
            held: Some(Micros::MAX),
            state: "waiting",
            text: "t".repeat(300),
        }),
        direct_packets: 0,
        classes: vec![row.clone(); rows],
    };
    let link = ("bridged-adsl-llc", i16::MIN, u16::MAX);
    let probing = Probed::from_text(&[u32::MAX.to_string().as_str(); 6].join(" "));
    assert!(probing.is_some());
    LineReport {
        name,
        device,
        is_up: Some(true),
        link,
        probing,
        upload: way(Way::Up),
        download: way(Way::Down),
    }
}

/// As many schedules as there can be, each with the longest text.
fn schedules() -> Vec<Scheduled> {
    let (name, class, rule) = ("n".repeat(NAME), "c".repeat(NAME), "n".repeat(40));
    let rules: String = (0..9).map(|_| format!(" list rule '{rule}'\n")).collect();
    let file: String = (0..SCHEDULES)
        .map(|n| {
            format!(
                "config schedule 's{n}'\n list days 'mon tue wed thu fri sat'\n option from '1:00'\n option wan '{name}'\n \
                 option upload '1001kbit'\n option download '1001kbit'\n option class '{class}'\n option guarantee '1.5'\n \
                 option limit '70.5'\n{rules}"
            )
        })
        .collect();
    let head = format!(
        "config wan '{name}'\nconfig class '{class}'\n option guarantee '1'\nconfig rule 'r'\n option name '{rule}'\n \
         option class 'low'\n option remote_port '7'\n"
    );
    let (config, _) = read::load(format!("{head}{file}").as_bytes()).expect("a right file");
    let at = Some(1_763_845_140);
    let zone = crate::calendar::Zone::default();
    let mut all = Scheduled::all(&config, &crate::config::schedule::states(&config, at, &zone), at, &zone);
    all.iter_mut().for_each(|one| one.name.clone_from(&name));
    assert_eq!(all.len(), SCHEDULES);
    all
}

/// What `status` answers of so many such lines.
fn status(lines: usize, rows: usize, alerts: usize) -> Vec<u8> {
    let notes = vec![("n".repeat(NAME), "t".repeat(400)); 40];
    let facts = vec![Fact::longest(); alerts];
    let (version, lines, schedules) = ("0.1.0", vec![line(rows); lines], schedules());
    let fault = Fault {
        severity: Severity::Fault,
        line: u32::MAX,
        option: "\u{1f600}".repeat(NAME),
        text: "\u{1f600}".repeat(500),
    };
    let taken = Some(Taken::new(false, &vec![fault; FAULTS]));
    let (uptime, path) = (Some(Micros::MAX), "p".repeat(256));
    let mut report = Snapshot { version, uptime, path, taken, lines, notes, facts, schedules };
    let is_short = report.shorten();
    fields(&mut |out| {
        if is_short {
            out.leave_out();
        }
        report.write(out);
    })
}

#[test]
fn status_fits_at_every_limit_and_says_when_it_leaves_the_classes_out() {
    // ICMP and what stays at home have rows of their own.
    let most = CLASSES + 2;
    let rows = |line: &Fields<'_>| {
        let Some(Value::Table(way)) = line.get("download") else { panic!("no direction") };
        let Some(Value::Array(rows)) = way.get("classes") else { panic!("no classes") };
        rows.count()
    };
    for (lines, each, is_there) in [
        (1, most, true),
        (2, most, true),
        (3, most, false),
        (WANS, 3, true),
        (WANS, 4, false),
        (WANS, most, false),
    ] {
        let answer = status(lines, each, 0);
        let found = list(&answer, "lines");
        assert_eq!(found.len(), lines, "every line is told");
        assert!(found.iter().all(|line| rows(line) == if is_there { each } else { 0 }), "{lines} {each}");
        assert!(is_cut(&answer) || is_there);
        assert!(!list(&answer, "notes").is_empty());
        let answer = status(lines, each, ALERTS);
        assert_eq!((list(&answer, "lines").len(), list(&answer, "alerts").len()), (lines, ALERTS));
    }
    let one = line(most);
    for answer in [fields(&mut |out| one.write(out)), fields(&mut |out| one.upload.write_classes(out))] {
        assert!(!is_cut(&answer));
    }
}

#[test]
fn rules_at_the_limits_come_in_pages_that_fit_and_together_are_the_whole() {
    let ports: String = (0..256)
        .map(|n| format!(" list remote_port '{}'\n list local_port '{}'\n", 10_001 + 9 * n, 20_001 + 9 * n))
        .collect();
    let nets = |name: &str| {
        (0..40)
            .map(|n| format!(" list {name} '2001:db8:aaaa:bbbb:cccc:dddd:eeee:{:x}/127'\n", 0x1000 + 2 * n))
            .collect::<String>()
    };
    let class = "c".repeat(NAME);
    let mut file =
        format!("config wan 'w'\n option nat '0'\nconfig class '{class}'\n option guarantee '1'\n");
    let mut own = 0;
    while own + crate::config::Rule::builtin().len() < RULES && file.len() < 240_000 {
        let body = if own < 20 {
            ports.clone() + &nets("remote") + &nets("local")
        } else {
            " list remote_port '1'\n".into()
        };
        file += &format!(
            "config rule 'r{own:0>60}'\n option class '{class}'\n option set_dscp 'EF'\n option proto 'udp'\n{body}"
        );
        own += 1;
    }
    let (config, _) = read::load(file.as_bytes()).expect("no fault");
    let (mut since, mut pages, mut seen) = (0, 0, Vec::new());
    loop {
        let page = fields(&mut |out| ruled::write(&config, 0, &Plan::default(), since, PAGE, out));
        let numbers: Vec<i64> =
            list(&page, "rules").iter().filter_map(|rule| rule.number("number")).collect();
        assert!(!numbers.is_empty() && numbers.len() <= PAGE);
        let next = Fields::new(&page).number("next").expect("a number");
        assert_eq!(numbers.last(), Some(&next));
        seen.extend(numbers);
        (since, pages) = (next as usize, pages + 1);
        if Fields::new(&page).number("total") == Some(next) {
            break;
        }
    }
    assert_eq!(seen, (1..=seen.len() as i64).collect::<Vec<_>>());
    assert!(seen.len() > 2 * own && pages > seen.len() / PAGE, "{} {own} {pages}", seen.len());
}

#[test]
fn hits_fit_and_those_of_a_usual_file_are_not_cut() {
    let class = "c".repeat(NAME);
    let file = |own: usize, width: usize| -> String {
        let head = format!("config wan 'w'\nconfig class '{class}'\n option guarantee '1'\n");
        let rule = |n| {
            format!("config rule 'r{n:0>width$}'\n option class '{class}'\n list remote_port '{}'\n", n + 1)
        };
        head + &(0..own).map(rule).collect::<String>()
    };
    for (own, width, is_all) in
        [(40, 8, true), (RULES - crate::config::Rule::builtin().len(), NAME - 1, false)]
    {
        let (config, _) = read::load(file(own, width).as_bytes()).expect("no fault");
        let wan = &config.wans[0];
        let schemes = Way::ALL.map(|way| crate::tc::classifier::scheme(&config, wan, way, 14, None, true));
        let tallies = schemes.each_ref().map(|scheme| {
            let mut tally = Tally::new(scheme.rules.len());
            tally.rules.fill(u64::MAX >> 20);
            tally.odd = 7;
            for port in 1..=99 {
                let flow = flow::parse(&format!("udp 192.0.2.1:{}", 40_000 + port)).expect("a flow");
                tally.add(scheme, &crate::classify::packet::Seen::Ip(flow.packet(scheme.way)));
            }
            tally
        });
        let ([up, down], [went, came]) = (&schemes, &tallies);
        let hits = Hits {
            wan: &wan.name,
            device: DeviceName::new("abcdefghijklmno").expect("a name"),
            span: Micros::MAX,
            left: Micros::MAX,
            passed: u64::MAX,
            is_limited: true,
            ways: [(up, went), (down, came)],
        };
        let answer = fields(&mut |out| hits.write(out));
        let rows = list(&answer, "rules").len();
        assert_eq!(list(&answer, "unknown").len(), 16);
        assert_eq!(!is_cut(&answer), is_all, "{rows}");
        let all = schemes.iter().map(|scheme| scheme.rules.len() + 2).sum::<usize>();
        assert!(if is_all { rows == all } else { rows > 150 && rows < all }, "{rows} of {all}");
    }
}

#[test]
fn events_come_in_pages_that_fit_and_together_are_all_that_are_kept() {
    let mut events = Events::default();
    (0..EVENTS).for_each(|_| events.add(Time(0), Level::Warning, &"\u{1f600}".repeat(500)));
    let (mut since, mut seen) = (0, 0);
    while since < EVENTS as u64 {
        let page = fields(&mut |out| events.write(Time(u64::MAX), since, PAGE, out));
        seen += list(&page, "events").len();
        let next = Fields::new(&page).number("next").expect("a number") as u64;
        assert!(next > since && is_cut(&page) == (next < EVENTS as u64), "{next}");
        since = next;
    }
    assert_eq!(seen, EVENTS);
}

#[test]
fn history_fits_with_the_widest_numbers() {
    let name = "n".repeat(NAME);
    let mut page = Page { wan: name.clone(), has: [true; 2], classes: vec![name; 5], ..Page::default() };
    page.rows = vec![[[u16::MAX; COLUMNS.len()]; 2]; POINTS];
    assert!(!is_cut(&fields(&mut |out| page.write(out))));
}

#[test]
fn findings_faults_and_texts_are_shortened_to_what_fits() {
    let found = |verdict| Finding { check: &CHECKS[2], verdict, evidence: "e".repeat(500), is_openwrt: true };
    let many: Vec<Finding> = (0..CHECKS.len() * WANS).map(|_| found(Verdict::Fault)).collect();
    let answer = fields(&mut |out| doctor::write(&many, out));
    assert!(is_cut(&answer) && list(&answer, "findings").len() > 30);
    let answer = fields(&mut |out| doctor::write(&many[..20], out));
    assert!(!is_cut(&answer) && list(&answer, "findings").len() == 20);

    let fault = |text: String| Fault { severity: Severity::Fault, line: 7, option: "o".repeat(40), text };
    for (len, is_long) in [(300, false), (3000, true)] {
        let read: Reading = Err(door::Refusal::Faults(vec![fault("t".repeat(len)); FAULTS]));
        let answer = fields(&mut |out| verdict(&read, out));
        assert_eq!((is_cut(&answer), list(&answer, "faults").len() < FAULTS), (is_long, is_long));
        assert_eq!(Fields::new(&answer).flag("ok"), Some(false));
    }

    let plan = "tc class add dev eth0\n".repeat(9000);
    let answer = fields(&mut |out| fitting(&plan, out));
    let text = Fields::new(&answer).text("text").expect("a text");
    assert!(is_cut(&answer) && text.len() > 30_000 && text.ends_with("eth0\n"));
    assert!(!is_cut(&fields(&mut |out| fitting("short\n", out))));
}
