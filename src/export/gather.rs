// SPDX-License-Identifier: Apache-2.0
//! From the daemon's documents to rows of numbers: the status as it is, and what the history says of the time since the
//! reading before.

use super::limits::ROWS;
use super::metrics::{
    ALERTS, CLASS, DIRECTION, LINE, Measure, Row, SCHEDULE, SEVERITIES, STATE, STATES, WEIR,
};
use super::tree::Tree;
use crate::limits::WANS;
use alloc::string::String;
use alloc::vec::Vec;

/// The directions, as the documents name them.
pub const WAYS: [&str; 2] = ["upload", "download"];

/// What became of probes: by our names, and by those of the status.
const PROBING: [(&str, &str); 6] = [
    ("reflectors_answering", "answering"),
    ("reflectors_asked", "reflectors"),
    ("probes_sent", "sent"),
    ("probes_lost", "lost"),
    ("probes_late", "late"),
    ("probes_forged", "forged"),
];

/// What the seconds since the last reading said of one direction.
#[derive(Clone, Debug, Default)]
struct Lately {
    /// Sum of what was sent, and of how many seconds.
    sent: (u64, u64),
    wait_max: Option<u64>,
    /// Since we began: drops, marks, changes.
    counts: [u64; 3],
}

/// The history of one line, as far as it was heard.
#[derive(Clone, Debug, Default)]
struct Line {
    name: String,
    /// The number of the newest second that was heard; `None`: none was.
    known: Option<u64>,
    ways: [Lately; 2],
}

/// What was heard of the history.
#[derive(Clone, Debug, Default)]
pub struct Past {
    lines: Vec<Line>,
}

impl Past {
    /// After which second to ask for more of a line.
    pub fn since(&self, wan: &str) -> u64 {
        self.lines.iter().find(|line| line.name == wan).and_then(|line| line.known).unwrap_or(0)
    }

    /// Takes a page of the history of seconds; says whether there is more to ask for. What was before the first page is
    /// not ours to count.
    pub fn take(&mut self, page: &Tree) -> bool {
        let (Some(wan), Some(last)) = (page.get("wan").text(), page.get("last").count()) else {
            return false;
        };
        let at = self.lines.iter().position(|line| line.name == wan);
        if at.is_none() && self.lines.len() < WANS {
            self.lines.push(Line { name: wan.into(), ..Line::default() });
        }
        let line = match at {
            Some(at) => self.lines.get_mut(at),
            None => self.lines.last_mut().filter(|line| line.name == wan),
        };
        let Some(line) = line else { return false };
        let next = page.get("next").count().unwrap_or(last);
        match line.known {
            // A router that was started anew counts from 0 again.
            Some(known) if known <= last => {}
            _ => {
                line.known = Some(last);
                return false;
            }
        }
        let is_more = next < last && line.known < Some(next);
        line.known = Some(next);
        for (lately, way) in line.ways.iter_mut().zip(WAYS) {
            lately.take(page.get(way));
        }
        is_more
    }

    /// What is to be told of a direction; the mean and the longest begin anew behind it.
    fn tell(&mut self, wan: &str, way: usize, row: Row) -> Row {
        let line = self.lines.iter_mut().find(|line| line.name == wan && line.known.is_some());
        let Some(lately) = line.and_then(|line| line.ways.get_mut(way)) else { return row };
        let (sum, seconds) = core::mem::take(&mut lately.sent);
        let [drops, marks, changes] = lately.counts.map(Some);
        row.with("sent_bps", sum.checked_div(seconds))
            .with("wait_max_us", lately.wait_max.take())
            .with("drops", drops)
            .with("marks", marks)
            .with("changes", changes)
    }
}

impl Lately {
    fn take(&mut self, columns: &Tree) {
        for sent in columns.get("sent_bps").list().iter().filter_map(Tree::count) {
            self.sent.0 = self.sent.0.saturating_add(sent);
            self.sent.1 += 1;
        }
        for wait in columns.get("wait_max_us").list().iter().filter_map(Tree::count) {
            self.wait_max = self.wait_max.max(Some(wait));
        }
        for (count, name) in self.counts.iter_mut().zip(["drops", "marks", "changes"]) {
            let more = columns.get(name).list().iter().filter_map(Tree::count);
            *count = more.fold(*count, u64::saturating_add);
        }
    }
}

/// The names of the lines in a status.
pub fn lines(status: &Tree) -> impl Iterator<Item = &str> {
    status.get("lines").list().iter().filter_map(|line| line.get("name").text()).take(WANS)
}

/// The rows of a status, with what the past adds to them; [`ROWS`] at most.
pub fn rows(status: &Tree, past: &mut Past) -> Vec<Row> {
    let mut rows = Vec::new();
    let version = status.get("version").text().unwrap_or_default();
    let row = known(&WEIR, &[version], &[status]);
    rows.push(row.with("config_taken", status.get("config").get("taken").count()));
    for line in status.get("lines").list().iter().take(WANS) {
        let wan = line.get("name").text().unwrap_or_default();
        let row = Row::new(&LINE, &[wan]).with("up", Some(line.get("up").count().unwrap_or(0)));
        let probing = line.get("probing");
        rows.push(PROBING.iter().fold(row, |row, (field, key)| row.with(field, probing.get(key).count())));
        for (n, way) in WAYS.into_iter().enumerate() {
            direction(status, wan, (n, way), line.get(way), past, &mut rows);
        }
    }
    for schedule in status.get("schedules").list() {
        let name = schedule.get("name").text().unwrap_or_default();
        rows.push(Row::new(&SCHEDULE, &[name]).with("active", schedule.get("active").count()));
    }
    rows.truncate(ROWS);
    rows
}

fn direction(
    status: &Tree,
    wan: &str,
    way: (usize, &str),
    told: &Tree,
    past: &mut Past,
    rows: &mut Vec<Row>,
) {
    let (n, way) = way;
    let is_here =
        |fact: &&Tree| fact.get("wan").text() == Some(wan) && fact.get("direction").text() == Some(way);
    let steering = told.get("steering");
    let actions = status.get("actions").list().iter().filter(is_here).count() as u64;
    let row = known(&DIRECTION, &[wan, way], &[told, steering]).with("actions", Some(actions));
    let mut row = past.tell(wan, n, row);
    for (key, value) in [("state", steering.get("state")), ("engine", told.get("engine"))] {
        row.words.extend(value.text().map(|text| (key, text.into())));
    }
    rows.push(row);
    if let Some(state) = steering.get("state").text() {
        rows.extend(
            STATES.map(|one| Row::new(&STATE, &[wan, way, one]).with("state", Some(u64::from(one == state)))),
        );
    }
    for class in told.get("classes").list() {
        rows.push(known(&CLASS, &[wan, way, class.get("name").text().unwrap_or_default()], &[class]));
    }
    for severity in SEVERITIES {
        let is_it = |fact: &&Tree| is_here(fact) && fact.get("severity").text() == Some(severity);
        let count = status.get("alerts").list().iter().filter(is_it).count() as u64;
        rows.push(Row::new(&ALERTS, &[wan, way, severity]).with("active", Some(count)));
    }
}

/// What the first of these tables that has it says of each number.
fn known(measure: &'static Measure, labels: &[&str], tables: &[&Tree]) -> Row {
    measure.metrics.iter().fold(Row::new(measure, labels), |row, metric| {
        row.with(metric.field, tables.iter().find_map(|table| table.get(metric.field).count()))
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use alloc::format;

    /// A status with everything in it, names and all.
    pub(crate) fn status() -> Tree {
        let class = r#"{"name":"critical","rate_bps":6000000,"ceil_bps":10000000,"sent_bytes":18446744,"sent_packets":12,"dropped_packets":3,"marked_packets":2,"overlimits":1,"backlog_bytes":1514,"backlog_packets":1,"guarantee_permille":300,"limit_permille":null,"target_us":50000,"delay_us":1500}"#;
        let way = format!(
            r#"{{"wanted":true,"shaped":true,"reason":null,"device":"eth1","engine":"htb","rate_bps":20000000,"steering":{{"state":"loaded","text":"x","capacity_bps":21000000,"wait_us":12345,"aim_us":15000,"held_us":null}},"classes":[{class}]}}"#
        );
        let alert = r#"{"id":7,"levels":1,"since_us":61000000,"wan":"home","direction":"upload","level":"voice","class":"critical","metric":"latency","severity":"warning","cause":"full","text":"120 ms","advice":"say \"less\""}"#;
        Tree::parse(&format!(
            r#"{{"version":"0.1.0","uptime_us":5000000,"shaping":true,"config":{{"path":"/c","taken":true,"faults":[]}},"lines":[{{"name":"home","device":"eth1","up":true,"link":{{"name":"ethernet","overhead_bytes":0,"mpu_bytes":0}},"probes":"5 of 6 reflectors answer; 1203 sent, 12 lost, 1 late","probing":{{"reflectors":6,"answering":5,"sent":1203,"lost":12,"late":1,"forged":0}},"upload":{way},"download":{{"wanted":false,"shaped":false,"reason":null,"device":null,"engine":null,"rate_bps":null,"steering":null,"classes":[]}}}}],"alerts":[{alert}],"actions":[],"notes":[],"schedules":[{{"name":"night","active":false,"until":null,"next":null,"text":"t"}}]}}"#
        ))
        .expect("JSON")
    }

    /// One line with the four classes of the default in both directions, after weeks at hundreds of Mbit/s.
    pub(crate) fn busy() -> (Tree, Past) {
        let class = |name| {
            format!(
                r#"{{"name":"{name}","rate_bps":285000000,"ceil_bps":950000000,"sent_bytes":4398046511104,"sent_packets":3665038759,"dropped_packets":1234567,"marked_packets":123456,"overlimits":366503875,"backlog_bytes":151400,"backlog_packets":100,"target_us":50000,"delay_us":15000}}"#
            )
        };
        let classes = ["critical", "high", "normal", "low"].map(class).join(",");
        let way = format!(
            r#"{{"wanted":true,"shaped":true,"engine":"htb","rate_bps":950000000,"steering":{{"state":"loaded","capacity_bps":980000000,"wait_us":12345,"aim_us":15000,"held_us":null}},"classes":[{classes}]}}"#
        );
        let status = format!(
            r#"{{"version":"0.1.0","uptime_us":2592000000000,"shaping":true,"config":{{"taken":true}},"lines":[{{"name":"home","up":true,"probing":{{"reflectors":6,"answering":5,"sent":12345678,"lost":123456,"late":12345,"forged":0}},"upload":{way},"download":{way}}}],"alerts":[],"actions":[]}}"#
        );
        let page = |last| {
            let way = r#"{"sent_bps":[912345678],"wait_max_us":[123456],"drops":[1234567],"marks":[123456],"changes":[12345]}"#;
            Tree::parse(&format!(
                r#"{{"wan":"home","last":{last},"next":{last},"upload":{way},"download":{way}}}"#
            ))
            .expect("JSON")
        };
        let mut past = Past::default();
        for page in [page(1), page(2)] {
            past.take(&page);
        }
        (Tree::parse(&status).expect("JSON"), past)
    }

    fn page(last: u64, next: u64, sent: &str, drops: &str) -> Tree {
        Tree::parse(&format!(
            r#"{{"wan":"home","last":{last},"next":{next},"upload":{{"sent_bps":{sent},"wait_max_us":{sent},"drops":{drops},"marks":[],"changes":[1]}},"download":null}}"#
        ))
        .expect("JSON")
    }

    fn value(rows: &[Row], measure: &Measure, labels: &[&str], field: &str) -> Option<u64> {
        let row = rows.iter().find(|row| row.measure == measure && row.labels == labels)?;
        row.values.iter().find(|(metric, _)| metric.field == field).map(|(_, value)| *value)
    }

    #[test]
    fn every_number_of_a_status_is_in_a_row() {
        let rows = rows(&status(), &mut Past::default());
        let up = ["home", "upload"];
        for (measure, labels, field, wanted) in [
            (&WEIR, &["0.1.0"][..], "shaping", Some(1)),
            (&LINE, &["home"], "up", Some(1)),
            (&LINE, &["home"], "reflectors_answering", Some(5)),
            (&LINE, &["home"], "probes_lost", Some(12)),
            (&LINE, &["home"], "probes_forged", Some(0)),
            (&DIRECTION, &up, "rate_bps", Some(20_000_000)),
            (&DIRECTION, &up, "wait_us", Some(12_345)),
            (&DIRECTION, &up, "held_us", None),
            (&DIRECTION, &["home", "download"], "rate_bps", None),
            (&STATE, &["home", "upload", "loaded"], "state", Some(1)),
            (&STATE, &["home", "upload", "idle"], "state", Some(0)),
            (&STATE, &["home", "download", "idle"], "state", None),
            (&CLASS, &["home", "upload", "critical"], "sent_bytes", Some(18_446_744)),
            (&CLASS, &["home", "upload", "critical"], "backlog_packets", Some(1)),
            (&CLASS, &["home", "upload", "critical"], "delay_us", Some(1500)),
            (&WEIR, &["0.1.0"], "uptime_us", Some(5_000_000)),
            (&WEIR, &["0.1.0"], "config_taken", Some(1)),
            (&ALERTS, &["home", "upload", "warning"], "active", Some(1)),
            (&ALERTS, &["home", "download", "warning"], "active", Some(0)),
            (&SCHEDULE, &["night"], "active", Some(0)),
        ] {
            assert_eq!(value(&rows, measure, labels, field), wanted, "{labels:?} {field}");
        }
        let row = rows.iter().find(|row| row.measure == &DIRECTION).expect("a direction");
        assert_eq!(row.words, [("state", "loaded".into()), ("engine", "htb".into())]);
    }

    #[test]
    fn a_status_of_nothing_gives_one_row() {
        for text in ["{}", "[]", r#"{"lines":[]}"#, r#"{"lines":7,"alerts":{"a":1}}"#] {
            assert_eq!(rows(&Tree::parse(text).expect("JSON"), &mut Past::default()).len(), 1, "{text}");
        }
    }

    #[test]
    fn the_past_is_a_mean_a_longest_and_counters_and_what_was_before_us_is_not_counted() {
        let mut past = Past::default();
        assert!(!past.take(&page(100, 50, "[9,9]", "[5]")), "what was before is not asked for");
        assert_eq!(past.since("home"), 100);
        let told = |past: &mut Past, field: &str| {
            value(&rows(&status(), &mut past.clone()), &DIRECTION, &["home", "upload"], field)
        };
        assert_eq!((told(&mut past, "sent_bps"), told(&mut past, "drops")), (None, Some(0)));
        assert!(past.take(&page(104, 102, "[10,20]", "[1,null]")), "there is more");
        assert!(!past.take(&page(104, 104, "[30,null]", "[2]")));
        assert_eq!((told(&mut past, "sent_bps"), told(&mut past, "wait_max_us")), (Some(20), Some(30)));
        assert_eq!((told(&mut past, "drops"), told(&mut past, "changes")), (Some(3), Some(2)));
        rows(&status(), &mut past);
        assert_eq!((told(&mut past, "sent_bps"), told(&mut past, "drops")), (None, Some(3)));
        assert!(!past.take(&page(3, 3, "[7]", "[7]")), "the router was started anew");
        assert_eq!((past.since("home"), told(&mut past, "drops")), (3, Some(3)));
    }
}
