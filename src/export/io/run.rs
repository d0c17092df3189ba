// SPDX-License-Identifier: Apache-2.0
//! `weir-export run`: reads the daemon, hands what it tells to the outlets, and tells of itself.

use super::bus::Bus;
use super::fetch::Fetch;
use super::files::{self, why};
use super::http::{Http, Request};
use super::log::{self, Level};
use super::outlet::{Attempt, Outlet, Pace};
use super::{mqtt, serve};
use crate::calendar::believed;
use crate::export::alerts::Standing;
use crate::export::backoff::Chance;
use crate::export::config::{Config, HAS_TLS, Influx, Mqtt, Target, Web, Webhook};
use crate::export::gather::{self, Past};
use crate::export::health::Door;
use crate::export::limits::{DOCUMENT, REQUEST, STACK};
use crate::export::metrics::{EXPORT, Row};
use crate::export::queue::Portion;
use crate::export::template::Template;
use crate::export::tree::Tree;
use crate::export::web::{Asked, base64, percent};
use crate::export::{influx, mqtt as packets, prometheus, status};
use crate::io::clock;
use crate::io::files::StateDir;
use crate::json::Json;
use crate::scribe::Scribe;
use crate::units::Micros;
use std::io::{BufRead, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::Builder;
use std::time::{Duration, SystemTime};

/// The name of what we tell of ourselves.
pub const STATUS: &str = "status";
/// When nothing more comes, so long what waits is delivered yet.
const LAST: Micros = Micros::secs(10);
/// Told of something, we ask again so soon at the earliest.
const SOONEST: Micros = Micros::secs(1);

/// What the threads know of each other.
pub struct Known {
    outlets: Vec<Arc<Outlet>>,
    /// Where Prometheus finds us.
    listen: Option<SocketAddr>,
    state: Mutex<State>,
    pen: Mutex<Pen>,
}

/// Where and how we tell of ourselves.
struct Pen {
    source: &'static str,
    /// From one reading to the next; `None`: that is not known yet.
    interval: Option<Micros>,
    /// When the last reading was told of, in seconds since 1970.
    at: u64,
    place: StateDir,
    is_written: bool,
}

#[derive(Default)]
struct State {
    rows: Vec<Row>,
    readings: u64,
    failed: u64,
    /// Why the daemon cannot be read; `None`: it can.
    trouble: Option<String>,
    door: Door,
}

impl Known {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing in here is left half done by a panic.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn pen(&self) -> std::sync::MutexGuard<'_, Pen> {
        self.pen.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Our own numbers.
    fn own(&self, state: &State) -> Vec<Row> {
        let is_up = state.trouble.is_none() && state.readings > 0;
        let mut rows = vec![
            Row::new(&EXPORT, &[])
                .with("up", Some(is_up.into()))
                .with("readings", Some(state.readings))
                .with("failed_readings", Some(state.failed)),
        ];
        rows.extend(self.outlets.iter().map(|outlet| outlet.health().row(&outlet.name)));
        rows
    }

    /// What Prometheus gets. Of a daemon that cannot be read nothing old is told.
    pub fn metrics(&self) -> String {
        let state = self.state();
        let mut rows = if state.trouble.is_none() { state.rows.clone() } else { Vec::new() };
        rows.extend(self.own(&state));
        drop(state);
        let mut out = String::new();
        prometheus::write(&rows, &mut out);
        out
    }

    /// Somebody came to our door who wanted this; `None`: nobody knows what.
    pub fn called(&self, wanted: Option<Asked>) {
        let mut state = self.state();
        let before = state.door.last;
        state.door.called(wanted, clock::wall().0);
        // Who has just set it up looks whether anybody came; later that is told with the next reading, as it is before the
        // first one.
        let is_first = before.is_none() && state.door.last.is_some() && state.readings + state.failed > 0;
        drop(state);
        if is_first {
            self.write();
        }
    }

    /// Tells of a reading.
    fn tell(&self) {
        self.pen().at = clock::wall().0;
        self.write();
    }

    /// Writes down how we do; that it cannot be is said once.
    fn write(&self) {
        let mut pen = self.pen();
        let text = self.status(pen.at, pen.source, pen.interval);
        let written = pen.place.write(STATUS, text.as_bytes());
        if let Err(error) = &written
            && pen.is_written
        {
            let path = pen.place.path(STATUS);
            log::say(
                Level::Warning,
                &format!("cannot write {}: {}; 'status' will know nothing", path.display(), why(error)),
            );
        }
        pen.is_written = written.is_ok();
    }

    /// As `weir-export status` reads it.
    fn status(&self, seconds: u64, source: &str, interval: Option<Micros>) -> String {
        let state = self.state();
        let mut text = String::new();
        let mut json = Json::new(&mut text);
        let scribe: &mut dyn Scribe = &mut json;
        scribe.table("", |out| {
            out.text("version", &env!("CARGO_PKG_VERSION"));
            out.count("pid", std::process::id().into());
            out.count("time_seconds", seconds);
            out.text("source", &source);
            out.maybe_count("interval_us", interval.map(|interval| interval.0));
            out.count("readings", state.readings);
            out.count("failed_readings", state.failed);
            out.maybe_text("trouble", state.trouble.as_ref().map(|text| text as &dyn std::fmt::Display));
            out.tables("outlets", &self.outlets, |out, outlet| {
                outlet.health().write(&outlet.name, out);
                out.text("target", &outlet.target);
            });
            match self.listen {
                Some(listen) => out.table("prometheus", |out| state.door.write(&listen, out)),
                None => out.null("prometheus"),
            }
        });
        // A String takes everything.
        let _ = json.end();
        text.push('\n');
        text
    }
}

/// Who is told of a reading, and how.
struct Exporter {
    router: String,
    known: Arc<Known>,
    influx: Vec<Arc<Outlet>>,
    webhooks: Vec<(Arc<Outlet>, Template, Webhook)>,
    mqtt: Vec<(Arc<Outlet>, Mqtt)>,
    past: Past,
    standing: Standing,
}

/// Where it is read from.
pub enum Source {
    /// The bus at the first of these.
    Bus(Vec<PathBuf>),
    /// Lines of JSON on standard input.
    Stdin,
}

/// Runs for ever, or until standard input ends.
///
/// # Errors
/// Why it cannot begin.
pub fn run(config: &Config, source: Source, state: StateDir) -> Result<(), String> {
    let router = if config.router.is_empty() { host() } else { config.router.clone() };
    let seed = std::process::id() ^ clock::now().0 as u32;
    let mut exporter = begin(config, router, state, Chance(seed))?;
    match source {
        Source::Bus(paths) => exporter.follow(Bus::new(paths), config.interval),
        Source::Stdin => exporter.read(std::io::stdin().lock()),
    }
    Ok(())
}

fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().into()).unwrap_or_default()
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), String> {
    let spawned = Builder::new().name(name.into()).stack_size(STACK).spawn(work);
    spawned.map(drop).map_err(|error| format!("cannot begin a thread: {}", why(&error)))
}

fn begin(config: &Config, router: String, state: StateDir, mut chance: Chance) -> Result<Exporter, String> {
    let mut outlets = Vec::new();
    let mut add = |name: &str, target: String, queue: usize| {
        let outlet = Arc::new(Outlet::new(name, target, queue));
        outlets.push(Arc::clone(&outlet));
        outlet
    };
    let of_web = |web: &Web| (web.name.clone(), web.url.shown(), web.queue);
    let mut influx = Vec::new();
    for one in &config.influx {
        let (name, target, queue) = of_web(&one.web);
        let outlet = add(&name, target, queue);
        let pace = Pace { points: one.batch, bytes: REQUEST, interval: one.interval };
        deliver(&outlet, pace, Chance(chance.roll()), &state, &one.web, to_influx(one)?)?;
        influx.push(outlet);
    }
    let mut webhooks = Vec::new();
    for one in &config.webhooks {
        let template = match &one.template {
            Ok(template) => template.clone(),
            Err(path) => Template::parse(&files::text(path)?).map_err(|why| format!("{path}: {why}"))?,
        };
        let (name, target, queue) = of_web(&one.web);
        let outlet = add(&name, target, queue);
        let pace = Pace { points: 1, bytes: 0, interval: Micros(0) };
        deliver(&outlet, pace, Chance(chance.roll()), &state, &one.web, to_webhook(one)?)?;
        webhooks.push((outlet, template, one.clone()));
    }
    let mut mqtts = Vec::new();
    for one in &config.mqtt {
        let outlet = add(&one.name, format!("mqtt://{}:{}", one.host, one.port), one.queue);
        let password = files::secret(&one.secret)?;
        let client = if one.client.is_empty() { format!("weir-{router}") } else { one.client.clone() };
        let (shared, settings, chance) = (Arc::clone(&outlet), one.clone(), Chance(chance.roll()));
        thread(&one.name, move || mqtt::run(&shared, &settings, &client, password.as_deref(), chance))?;
        mqtts.push((outlet, one.clone()));
    }
    let pen = Pen { source: status::BUS, interval: None, at: 0, place: state, is_written: true };
    let (state, pen) = (Mutex::new(State::default()), Mutex::new(pen));
    let known = Arc::new(Known { outlets, listen: config.prometheus, state, pen });
    if let Some(listen) = config.prometheus {
        let listener = std::net::TcpListener::bind(listen)
            .map_err(|error| format!("cannot listen on {listen}: {}", why(&error)))?;
        let known = Arc::clone(&known);
        thread("prometheus", move || serve::run(&listener, &known))?;
    }
    Ok(Exporter {
        router,
        known,
        influx,
        webhooks,
        mqtt: mqtts,
        past: Past::default(),
        standing: Standing::default(),
    })
}

fn to_influx(influx: &Influx) -> Result<Request, String> {
    let secret = files::secret(&influx.web.secret)?;
    let (path, authorization) = match &influx.target {
        Target::Bucket(org, bucket) => {
            let path = format!("/api/v2/write?org={}&bucket={}&precision=ms", percent(org), percent(bucket));
            (path, secret.map(|token| format!("Token {token}")))
        }
        Target::Database(database, user) => {
            let path = format!("/write?db={}&precision=ms", percent(database));
            let password = secret.unwrap_or_default();
            (
                path,
                (!user.is_empty())
                    .then(|| format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))),
            )
        }
    };
    let mut headers = vec![("Content-Type".into(), "text/plain; charset=utf-8".into())];
    headers.extend(authorization.map(|value| ("Authorization".into(), value)));
    Ok(request(&influx.web, influx.web.url.with(&path), headers, influx.gzip))
}

fn to_webhook(webhook: &Webhook) -> Result<Request, String> {
    let mut headers = vec![("Content-Type".to_string(), "application/json".to_string())];
    for (name, value) in &webhook.headers {
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        headers.push((name.clone(), files::secret(value)?.unwrap_or_default()));
    }
    let token = files::secret(&webhook.web.secret)?;
    headers.extend(token.map(|token| ("Authorization".into(), format!("Bearer {token}"))));
    // Few servers unpack what a webhook gets.
    Ok(Request { is_put: webhook.is_put, ..request(&webhook.web, webhook.web.url.with(""), headers, false) })
}

fn request(web: &Web, url: String, headers: Vec<(String, String)>, gzip: bool) -> Request {
    Request { url, is_put: false, headers, gzip, timeout: web.timeout, ca_file: web.ca_file.clone() }
}

/// Begins the thread that delivers to a server.
fn deliver(
    outlet: &Arc<Outlet>,
    pace: Pace,
    chance: Chance,
    state: &StateDir,
    web: &Web,
    request: Request,
) -> Result<(), String> {
    let outlet = Arc::clone(outlet);
    let name = outlet.name.clone();
    let mut send: Box<dyn FnMut(&str) -> Attempt + Send> = if web.url.is_secure && !HAS_TLS {
        let fetch = Fetch::new(request, state.path(&format!("body-{name}")));
        Box::new(move |body| fetch.send(body))
    } else {
        let http = Http::new(request)?;
        Box::new(move |body| http.send(body))
    };
    thread(&name, move || outlet.run(pace, chance, &mut *send))
}

impl Exporter {
    /// Reads the bus for ever.
    fn follow(&mut self, mut bus: Bus, interval: Micros) {
        self.known.pen().interval = Some(interval);
        loop {
            let begun = clock::now();
            match self.ask(&mut bus) {
                Ok(status) => self.take(&status),
                Err(why) => self.failed(why),
            }
            // What was missed while the processor was busy is not made up for.
            let at = (begun + interval).max(clock::now());
            bus.wait(at, begun + SOONEST);
        }
    }

    fn ask(&mut self, bus: &mut Bus) -> Result<Tree, String> {
        let mut status = bus.status()?;
        let names: Vec<String> = gather::lines(&status).map(String::from).collect();
        if status.get("truncated").count() == Some(1) {
            for name in &names {
                let line = bus.line(name)?;
                replace(&mut status, name, line);
            }
        }
        for name in names {
            while self.past.take(&bus.history(&name, self.past.since(&name))?) {}
        }
        Ok(status)
    }

    /// Reads lines to the end, and waits a while for what is to be delivered yet.
    fn read(&mut self, mut lines: impl BufRead) {
        self.known.pen().source = status::STDIN;
        let mut line = Vec::new();
        let mut last = None;
        loop {
            line.clear();
            match lines.by_ref().take(DOCUMENT as u64).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
            let text = String::from_utf8_lossy(&line);
            if text.trim().is_empty() {
                continue;
            }
            let told = Tree::parse(text.trim());
            if let Ok(page) = &told
                && page.get("step_us").count() == Some(1_000_000)
            {
                self.past.take(page);
                continue;
            }
            // Whoever sends the lines has a pace of their own, whatever the configuration says.
            let now = clock::now();
            self.known.pen().interval = last.replace(now).map(|last| now - last);
            match told {
                // The kernel's state alone: how things stand is then nobody's to say.
                Ok(status)
                    if status.get("lines") != &Tree::Null && status.get("uptime_us") == &Tree::Null =>
                {
                    self.failed("no daemon runs".into());
                }
                Ok(status) if status.get("lines") != &Tree::Null => self.take(&status),
                Ok(_) => self.failed("a line is neither a status nor a history of seconds".into()),
                Err((at, why)) => self.failed(format!("a line is no JSON: byte {at}: {why}")),
            }
        }
        self.known.outlets.iter().for_each(|outlet| outlet.end());
        let end = clock::now() + LAST;
        while clock::now() < end && self.known.outlets.iter().any(|outlet| outlet.health().queued > 0) {
            std::thread::sleep(Duration::from_millis(20));
        }
        // Threads that have just delivered say goodbye meanwhile.
        std::thread::sleep(Duration::from_millis(50));
        self.known.tell();
    }

    fn failed(&mut self, why: String) {
        let mut state = self.known.state();
        state.failed += 1;
        let is_news = state.trouble.is_none();
        if is_news {
            log::say(Level::Warning, &format!("the daemon cannot be read: {why}; trying on"));
        }
        state.trouble = Some(why);
        drop(state);
        self.known.tell();
    }

    fn take(&mut self, status: &Tree) {
        let millis = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |span| span.as_millis() as u64);
        let rows = gather::rows(status, &mut self.past);
        // Numbers of a time nobody believes would never be found again.
        if believed(millis / 1000).is_some() && !self.influx.is_empty() {
            let mut text = String::new();
            let mut all = self.known.own(&self.known.state());
            all.extend(rows.iter().cloned());
            let count = influx::write(&all, &self.router, millis, &mut text);
            self.influx.iter().for_each(|outlet| outlet.push(Portion { count, text: text.clone() }));
        }
        let changes = self.standing.take(status, &self.router, millis / 1000);
        for (outlet, template, settings) in &self.webhooks {
            let [raise, clear] = settings.events;
            let is_wanted = |is_raised: bool| if is_raised { raise } else { clear };
            for change in changes
                .iter()
                .filter(|change| is_wanted(change.is_raised) && change.gravity >= settings.gravity)
            {
                outlet.push(Portion { count: 1, text: template.of(change) });
            }
        }
        for (outlet, settings) in &self.mqtt {
            let mut text = String::new();
            let mut count = packets::messages(&rows, &settings.topic, &mut text);
            for change in &changes {
                text.push_str(&packets::alert(change, &settings.topic));
                count += 1;
            }
            outlet.push(Portion { count, text });
        }
        let mut state = self.known.state();
        state.rows = rows;
        state.readings += 1;
        if state.trouble.take().is_some() {
            log::say(Level::Info, "the daemon can be read again");
        }
        drop(state);
        self.known.tell();
    }
}

/// Puts a line with all its classes in the place of the one that had no room for them.
fn replace(status: &mut Tree, name: &str, line: Tree) {
    let Tree::Table(fields) = status else { return };
    let Some((_, Tree::List(lines))) = fields.iter_mut().find(|(key, _)| key == "lines") else { return };
    if let Some(place) = lines.iter_mut().find(|one| one.get("name").text() == Some(name)) {
        *place = line;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_scrape_is_written_down_at_once_and_others_with_the_next_reading() {
        let place = StateDir::new(std::env::temp_dir().join(format!("weir-scrape-{}", std::process::id())));
        let pen = Pen {
            source: status::BUS,
            interval: Some(Micros::secs(10)),
            at: 0,
            place: place.clone(),
            is_written: true,
        };
        let listen = "127.0.0.1:9477".parse().ok();
        let known =
            Known { outlets: Vec::new(), listen, state: Mutex::new(State::default()), pen: Mutex::new(pen) };
        let scrapes = || {
            let told = Tree::parse(place.read(STATUS).trim()).expect("JSON");
            told.get("prometheus").get("scrapes").count()
        };
        known.state().readings = 1;
        known.tell();
        assert_eq!(scrapes(), Some(0));
        for _ in 0..2 {
            known.called(Some(Asked::Metrics(false)));
            assert_eq!(scrapes(), Some(1));
        }
        known.tell();
        assert_eq!(scrapes(), Some(2));
        let _ = std::fs::remove_dir_all(place.path("").as_path());
    }
}
