// SPDX-License-Identifier: Apache-2.0
//! `/etc/config/weir-export` as checked types, or everything that is wrong with it.
//!
//! Files that it names are not read here: what is a secret stays a [`Secret`] until it is sent.

use super::limits::{HEADERS, OUTLETS, QUEUE, SECRET};
use super::options::{self, EVENTS, Kind, METHODS, Row, SectionType};
use super::template::{DEFAULT, Template};
use super::web::Url;
use crate::config::Fault;
use crate::config::error::Faults;
use crate::config::options::guess;
use crate::config::uci::{self, Opt, Section};
use crate::config::value::{self, Quoted};
use crate::text::joined;
use crate::units::Micros;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::net::SocketAddr;

/// Whether https:// is ours; else it is uclient-fetch's.
pub const HAS_TLS: bool = cfg!(feature = "export-tls");

/// A token or password, or the file it is in. It is never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Secret {
    /// There is none.
    #[default]
    None,
    /// This.
    Text(String),
    /// What is in this file.
    File(String),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl Secret {
    /// Whether there is one.
    pub fn is_there(&self) -> bool {
        *self != Self::None
    }
}

/// What outlets by HTTP have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web {
    /// Its name in the status.
    pub name: String,
    /// Where it is.
    pub url: Url,
    /// The token or password.
    pub secret: Secret,
    /// How long a server may take.
    pub timeout: Micros,
    /// Bytes that may wait.
    pub queue: usize,
    /// The file of certificates to believe.
    pub ca_file: Option<String>,
}

/// One InfluxDB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Influx {
    /// Where and how.
    pub web: Web,
    /// Where numbers go.
    pub target: Target,
    /// How often something is sent.
    pub interval: Micros,
    /// The most points in one request.
    pub batch: u32,
    /// Whether large requests are packed.
    pub gzip: bool,
}

/// Where an InfluxDB puts the numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Version 2: organisation and bucket.
    Bucket(String, String),
    /// Version 1: database and user.
    Database(String, String),
}

/// One webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Where and how.
    pub web: Web,
    /// How it is called: a place in [`METHODS`].
    pub is_put: bool,
    /// What is sent; `None`: it is in a file.
    pub template: Result<Template, String>,
    /// Whether raised and cleared alerts are told.
    pub events: [bool; 2],
    /// The least grave.
    pub gravity: usize,
    /// More headers.
    pub headers: Vec<(String, Secret)>,
}

/// One MQTT server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mqtt {
    /// Its name in the status.
    pub name: String,
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User, or nothing.
    pub username: String,
    /// Password.
    pub secret: Secret,
    /// What we are called; empty: by the router's name.
    pub client: String,
    /// Where messages begin.
    pub topic: String,
    /// Whether numbers are kept there.
    pub is_retained: bool,
    /// Whether each message is acknowledged.
    pub is_sure: bool,
    /// How long a server may take.
    pub timeout: Micros,
    /// Bytes that may wait.
    pub queue: usize,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How often the daemon is asked.
    pub interval: Micros,
    /// What the router is called; empty: as its host is.
    pub router: String,
    /// Those that are switched on.
    pub influx: Vec<Influx>,
    /// Where Prometheus finds the numbers.
    pub prometheus: Option<SocketAddr>,
    /// Those that are switched on.
    pub webhooks: Vec<Webhook>,
    /// Those that are switched on.
    pub mqtt: Vec<Mqtt>,
}

impl Config {
    /// The names of what is told anything.
    pub fn outlets(&self) -> Vec<String> {
        let influx = self.influx.iter().map(|one| one.web.name.clone());
        let webhooks = self.webhooks.iter().map(|one| one.web.name.clone());
        let mqtt = self.mqtt.iter().map(|one| one.name.clone());
        influx.chain(webhooks).chain(mqtt).chain(self.prometheus.map(|_| "prometheus".into())).collect()
    }

    /// What is done, in a line: we send to all but Prometheus, which comes when it likes.
    pub fn told(&self) -> String {
        let mut told = format!("reads the daemon every {}", self.interval);
        let all = self.outlets();
        let sent = all.get(..all.len() - usize::from(self.prometheus.is_some())).unwrap_or_default();
        if !sent.is_empty() {
            told.push_str(&format!("; sends to {}", joined(sent, ", ")));
        }
        if let Some(listen) = self.prometheus {
            told.push_str(&format!("; Prometheus fetches from http://{listen}/metrics"));
        }
        told
    }
}

/// The values of one section, checked.
struct Said<'a> {
    section: &'a Section,
    values: Vec<(&'static Row, u32, Value)>,
}

enum Value {
    Number(u64),
    Text(String),
    Url(Url),
    Listen(SocketAddr),
    Headers(Vec<(String, String)>),
    Template(Template),
}

impl Said<'_> {
    fn find(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|(row, ..)| row.name == name).map(|(.., value)| value)
    }

    fn line(&self, name: &str) -> u32 {
        self.values.iter().find(|(row, ..)| row.name == name).map_or(self.section.line, |(_, line, _)| *line)
    }

    fn number(&self, name: &str, default: u64) -> u64 {
        if let Some(Value::Number(number)) = self.find(name) { *number } else { default }
    }

    fn flag(&self, name: &str, default: bool) -> bool {
        self.number(name, default.into()) != 0
    }

    fn text(&self, name: &str) -> Option<String> {
        if let Some(Value::Text(text)) = self.find(name) { Some(text.clone()) } else { None }
    }

    /// A secret, or the file it is in.
    fn secret(&self, name: &str, file: &str, faults: &mut Faults) -> Secret {
        match (self.text(name), self.text(file)) {
            (Some(_), Some(_)) => {
                faults.fault(
                    self.line(file),
                    file,
                    format!("there is option '{name}' as well; one of them, please"),
                );
                Secret::None
            }
            (Some(text), None) => Secret::Text(text),
            (None, Some(path)) => Secret::File(path),
            (None, None) => Secret::None,
        }
    }
}

/// Reads the file; beside what it says there are warnings.
///
/// # Errors
/// All that is wrong with it.
pub fn load(bytes: &[u8]) -> Result<(Config, Vec<Fault>), Vec<Fault>> {
    let mut faults = Faults::default();
    let package = match uci::parse(bytes) {
        Ok(package) => package,
        Err(error) => {
            faults.fault(error.begins, "", format!("not a UCI file: {}", error.reason));
            return Err(faults.finish());
        }
    };
    let mut config = Config {
        interval: Micros::secs(10),
        router: String::new(),
        influx: Vec::new(),
        prometheus: None,
        webhooks: Vec::new(),
        mqtt: Vec::new(),
    };
    for section in &package.sections {
        let Some(kind) = SectionType::ALL.into_iter().find(|known| known.name() == section.kind) else {
            let known = SectionType::ALL.map(SectionType::name);
            let hint = match guess(&section.kind, known.into_iter()) {
                hint if hint.is_empty() => format!("; there are {}", joined(&known, ", ")),
                hint => hint,
            };
            let text = format!("section {} is not known and ignored{hint}", Quoted(&section.kind));
            faults.warn(section.line, "", text);
            continue;
        };
        let said = Said { section, values: options(kind, section, &mut faults) };
        read(kind, &said, &mut config, &mut faults);
    }
    let is_faulty = faults.count() > 0;
    let list = faults.finish();
    if is_faulty { Err(list) } else { Ok((config, list)) }
}

fn read(kind: SectionType, said: &Said<'_>, config: &mut Config, faults: &mut Faults) {
    let room = |list: usize, faults: &mut Faults| {
        let is_room = list < OUTLETS;
        if !is_room {
            faults.fault(said.section.line, "", format!("more than {OUTLETS} sections {}", kind.name()));
        }
        is_room
    };
    match kind {
        SectionType::Globals => {
            config.interval = Micros(said.number("interval", config.interval.0));
            config.router = said.text("router").unwrap_or_default();
        }
        // A section that is switched off may be as unfinished as the one the package comes with.
        _ if !said.flag("enabled", true) => {}
        SectionType::Influx => {
            if room(config.influx.len(), faults)
                && let Some(influx) = influx(said, config, faults)
            {
                config.influx.push(influx);
            }
        }
        SectionType::Prometheus => {
            if config.prometheus.is_some() {
                return faults.fault(said.section.line, "", "there is a section prometheus already");
            }
            config.prometheus = prometheus(said, faults);
        }
        SectionType::Webhook => {
            if room(config.webhooks.len(), faults)
                && let Some(webhook) = webhook(said, config, faults)
            {
                config.webhooks.push(webhook);
            }
        }
        SectionType::Mqtt => {
            if room(config.mqtt.len(), faults)
                && let Some(mqtt) = mqtt(said, config, faults)
            {
                config.mqtt.push(mqtt);
            }
        }
    }
}

/// The checked value of each known option of a section.
fn options(kind: SectionType, section: &Section, faults: &mut Faults) -> Vec<(&'static Row, u32, Value)> {
    let mut values = Vec::new();
    for option in &section.options {
        let shown: String = option.name.chars().take(40).collect();
        if option.earlier > 0 {
            let text = format!("is set twice: this value counts, not that of line {}", option.earlier);
            faults.warn(option.line, &shown, text);
        }
        let Some(row) = options::of(kind).find(|row| row.name == option.name) else {
            let hint = guess(&option.name, options::of(kind).map(|row| row.name));
            faults.warn(
                option.line,
                &shown,
                format!("not known in section {} and ignored{hint}", kind.name()),
            );
            continue;
        };
        match value(row.kind, option) {
            // LuCI writes nothing where nothing is meant.
            Ok(Value::Text(text)) if text.is_empty() => {}
            Ok(value) => values.push((row, option.line, value)),
            Err(text) => faults.fault(option.line, row.name, text),
        }
    }
    values
}

fn value(kind: Kind, option: &Opt) -> Result<Value, String> {
    let texts: Vec<&str> = match &option.value {
        uci::Value::Text(bytes) => core::str::from_utf8(bytes).into_iter().collect(),
        uci::Value::List(entries) => {
            entries.iter().filter_map(|bytes| core::str::from_utf8(bytes).ok()).collect()
        }
    };
    if kind == Kind::Headers {
        if texts.len() > HEADERS {
            return Err(format!("more than {HEADERS} headers"));
        }
        return texts.iter().map(|text| header(text)).collect::<Result<_, _>>().map(Value::Headers);
    }
    let [text] = texts.as_slice() else { return Err("takes one value, and that as text (UTF-8)".into()) };
    Ok(match kind {
        Kind::Bool => Value::Number(value::boolean(text)?.into()),
        Kind::Span(min, max) => Value::Number(value::long_span(text, Micros(min), Micros(max))?.0),
        Kind::Integer(min, max) => Value::Number(value::integer(text, min, max)? as u64),
        Kind::Size(min, max) => Value::Number(options::size(text, min, max)?),
        Kind::Choice(words) => match words.iter().position(|word| word == text) {
            Some(at) => Value::Number(at as u64),
            None => {
                let hint = guess(text, words.iter().copied());
                return Err(format!("{} is not one of {}{hint}", Quoted(text), joined(words, ", ")));
            }
        },
        Kind::Url if text.is_empty() => Value::Text(String::new()),
        Kind::Url => Value::Url(Url::parse(text)?),
        Kind::Listen => Value::Listen(text.parse().map_err(|_| {
            format!(
                "{} is no address with a port; write for example 127.0.0.1:9477 or [::1]:9477",
                Quoted(text)
            )
        })?),
        Kind::Template if text.is_empty() => Value::Text(String::new()),
        Kind::Template => Value::Template(Template::parse(text)?),
        Kind::Text | Kind::File => {
            plain(text).ok_or(format!("{} has a character in it that cannot be meant", Quoted(text)))?
        }
        // Not shown, whatever is wrong with it.
        Kind::Secret => plain(text)
            .filter(|_| text.len() <= SECRET)
            .ok_or("is longer than any, or has a line break in it")?,
        Kind::Topic if text.chars().any(|c| matches!(c, '+' | '#' | '$') || c.is_control()) => {
            return Err(format!(
                "{} has a character in it that topics may not begin with: + # $",
                Quoted(text)
            ));
        }
        Kind::Topic => Value::Text(text.trim_matches('/').into()),
        Kind::Headers => return Err("takes a list".into()),
    })
}

fn plain(text: &str) -> Option<Value> {
    (!text.chars().any(char::is_control)).then(|| Value::Text(text.into()))
}

/// `Name: value`. The value is often a secret, so it is not shown.
fn header(text: &str) -> Result<(String, String), String> {
    let wrong = || String::from("write a header as 'Name: value', its name of letters, digits and -");
    let (name, value) = text.split_once(':').ok_or_else(wrong)?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_value = value.len() <= SECRET && value.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    if !is_name || !is_value {
        return Err(wrong());
    }
    if ["host", "content-length", "transfer-encoding", "connection"]
        .iter()
        .any(|own| name.eq_ignore_ascii_case(own))
    {
        return Err(format!("header {name} is HTTP's own business"));
    }
    Ok((name.into(), value.trim().into()))
}

/// The name of an outlet: the section's, or its kind with a number.
fn name(said: &Said<'_>, taken: &[String]) -> String {
    let section = said.section;
    let base = if section.is_anonymous { section.kind.clone() } else { section.name.clone() };
    (1..)
        .map(|n| if n == 1 { base.clone() } else { format!("{base}{n}") })
        .find(|name| !taken.contains(name))
        .unwrap_or(base)
}

/// What outlets by HTTP have in common. `is_told`: the address, or what is sent besides, is itself a secret.
fn web(said: &Said<'_>, taken: &[String], secret: Secret, is_told: bool, faults: &mut Faults) -> Option<Web> {
    let Some(Value::Url(url)) = said.find("url") else {
        // One that was refused is there, and was told of.
        if said.section.option("url").is_none_or(|url| url.value.text() == Some("")) {
            faults.fault(
                said.section.line,
                "url",
                "is missing: without it nobody knows where to send anything",
            );
        }
        return None;
    };
    if url.is_secure && !HAS_TLS && (secret.is_there() || is_told) && !said.flag("visible_secret", false) {
        let text = "https:// goes through uclient-fetch here, which takes token, headers and path on its command line \
            alone, where every program on the router can read them for as long as a request takes; with option \
            visible_secret '1' that is taken into account";
        faults.fault(said.line("url"), "url", text);
    }
    if !url.is_secure && secret.is_there() && !is_near(&url.host) {
        let text = "goes over the network as it is: whoever is on the way can read it; use https://";
        faults.warn(
            said.line("url"),
            if said.find("password").is_some() { "password" } else { "token" },
            text,
        );
    }
    Some(Web {
        name: name(said, taken),
        url: url.clone(),
        secret,
        timeout: Micros(said.number("timeout", 10_000_000)),
        queue: said.number("queue", QUEUE as u64) as usize,
        ca_file: said.text("ca_file"),
    })
}

/// Whether a host is surely in the own house.
fn is_near(host: &str) -> bool {
    let name = host.trim_start_matches('[').split([']', ':']).next().unwrap_or_default();
    let inside =
        host.strip_prefix('[').and_then(|rest| rest.split_once(']')).map_or(name, |(inside, _)| inside);
    match inside.parse() {
        Ok(core::net::IpAddr::V4(v4)) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        Ok(core::net::IpAddr::V6(v6)) => {
            v6.is_loopback() || (v6.segments().first().copied().unwrap_or(0) & 0xfe00) == 0xfc00
        }
        Err(_) => !name.contains('.') || name.ends_with(".lan") || name.ends_with(".home.arpa"),
    }
}

fn influx(said: &Said<'_>, config: &Config, faults: &mut Faults) -> Option<Influx> {
    let line = said.section.line;
    let of = |name| said.text(name);
    let target = match (of("bucket"), of("database")) {
        (Some(_), Some(_)) => {
            faults.fault(
                said.line("database"),
                "database",
                "is of InfluxDB 1, and option 'bucket' of 2; one of them, please",
            );
            return None;
        }
        (None, None) => {
            faults.fault(
                line,
                "bucket",
                "is missing: org and bucket with InfluxDB 2, database with InfluxDB 1",
            );
            return None;
        }
        (Some(bucket), None) => {
            if of("org").is_none() {
                faults.warn(line, "org", "is missing: InfluxDB 2 itself wants it");
            }
            Target::Bucket(of("org").unwrap_or_default(), bucket)
        }
        (None, Some(database)) => Target::Database(database, of("username").unwrap_or_default()),
    };
    let (secret, other) = match target {
        Target::Bucket(..) => (said.secret("token", "token_file", faults), ["password", "password_file"]),
        Target::Database(..) => (said.secret("password", "password_file", faults), ["token", "token_file"]),
    };
    for name in other.into_iter().filter(|name| said.find(name).is_some()) {
        let text = "is of no use: tokens go with 'bucket' (InfluxDB 2), passwords with 'database' (1)";
        faults.warn(said.line(name), name, text);
    }
    let web = web(said, &config.outlets(), secret, false, faults)?;
    Some(Influx {
        web,
        target,
        interval: Micros(said.number("interval", 0)),
        batch: said.number("batch", 1000) as u32,
        gzip: said.flag("gzip", true),
    })
}

fn prometheus(said: &Said<'_>, faults: &mut Faults) -> Option<SocketAddr> {
    let listen = match said.find("listen") {
        Some(Value::Listen(listen)) => *listen,
        _ => SocketAddr::from(([127, 0, 0, 1], 9477)),
    };
    if !listen.ip().is_loopback() && !said.flag("expose", false) {
        let text = format!(
            "others than this router can reach {}, and nobody is asked for a password there; with option expose '1' that is meant",
            listen.ip()
        );
        faults.fault(said.line("listen"), "listen", text);
    }
    Some(listen)
}

fn webhook(said: &Said<'_>, config: &Config, faults: &mut Faults) -> Option<Webhook> {
    let secret = said.secret("token", "token_file", faults);
    let template = match (said.find("template"), said.text("template_file")) {
        (Some(_), Some(_)) => {
            faults.fault(
                said.line("template"),
                "template",
                "there is option 'template_file' as well; one of them, please",
            );
            return None;
        }
        (Some(Value::Template(template)), None) => Ok(template.clone()),
        (_, Some(path)) => Err(path),
        _ => Ok(Template::parse(DEFAULT).ok()?),
    };
    let headers = match said.find("header") {
        Some(Value::Headers(headers)) => headers.clone(),
        _ => Vec::new(),
    };
    let is_told =
        !headers.is_empty() || matches!(said.find("url"), Some(Value::Url(url)) if !url.path.is_empty());
    let web = web(said, &config.outlets(), secret, is_told, faults)?;
    let on = said.number("on", 0) as usize;
    Some(Webhook {
        web,
        is_put: METHODS.get(said.number("method", 0) as usize) == Some(&"PUT"),
        template,
        events: ["raise", "clear"].map(|event| on == 0 || EVENTS.get(on) == Some(&event)),
        gravity: said.number("severity", 1) as usize,
        headers: headers.into_iter().map(|(name, value)| (name, Secret::Text(value))).collect(),
    })
}

fn mqtt(said: &Said<'_>, config: &Config, faults: &mut Faults) -> Option<Mqtt> {
    let secret = said.secret("password", "password_file", faults);
    let Some(host) = said.text("host") else {
        faults.fault(said.section.line, "host", "is missing: without it nobody knows where to send anything");
        return None;
    };
    let username = said.text("username").unwrap_or_default();
    if username.is_empty() && secret.is_there() {
        faults.fault(
            said.line("password"),
            "password",
            "without option 'username' there is nobody it is of (MQTT 3.1.1)",
        );
    }
    if secret.is_there() && !is_near(&host) {
        faults.warn(
            said.line("host"),
            "password",
            "goes over the network as it is: whoever is on the way can read it",
        );
    }
    Some(Mqtt {
        name: name(said, &config.outlets()),
        host,
        port: said.number("port", 1883) as u16,
        username,
        secret,
        client: said.text("client_id").unwrap_or_default(),
        topic: said.text("topic").unwrap_or_else(|| "weir".to_string()),
        is_retained: said.flag("retain", true),
        is_sure: said.number("qos", 0) == 1,
        timeout: Micros(said.number("timeout", 10_000_000)),
        queue: said.number("queue", QUEUE as u64) as usize,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let list = match load(text.as_bytes()) {
            Ok((_, list)) | Err(list) => list,
        };
        list.iter().map(|fault| format!("{fault}\n")).collect()
    }

    #[test]
    fn a_file_with_everything_is_read() {
        let (config, warnings) = load(
            b"config globals\n option interval '5s'\n option router 'attic'\n\
              config influx 'db'\n option url 'http://127.0.0.1:8086/'\n option org 'o'\n option bucket 'b'\n option token 't'\n\
              config influx\n option url 'http://192.168.1.2:8086'\n option database 'd'\n option username 'u'\n option password_file '/p'\n option gzip '0'\n option batch '5'\n\
              config prometheus\n option listen '[::1]:9'\n\
              config webhook\n option url 'http://a.lan/hook'\n option on 'clear'\n option severity 'error'\n list header 'X-Key: k'\n option template '{\"t\":{{text}}}'\n\
              config mqtt\n option host 'h'\n option qos '1'\n option topic '/a/b/'\n\
              config influx 'off'\n option enabled '0'\n",
        )
        .expect("no faults");
        assert_eq!(warnings, []);
        assert_eq!(config.outlets(), ["db", "influx", "webhook", "mqtt", "prometheus"]);
        assert_eq!((config.interval, config.router.as_str()), (Micros::secs(5), "attic"));
        assert_eq!(config.influx[0].target, Target::Bucket("o".into(), "b".into()));
        assert_eq!(config.influx[1].web.secret, Secret::File("/p".into()));
        assert_eq!((config.influx[1].gzip, config.influx[1].batch), (false, 5));
        assert_eq!((config.webhooks[0].events, config.webhooks[0].gravity), ([false, true], 2));
        assert_eq!((config.mqtt[0].topic.as_str(), config.mqtt[0].is_sure), ("a/b", true));
    }

    #[test]
    fn prometheus_fetches_and_is_not_sent_to_every_10_s() {
        let of = |file: &str| load(file.as_bytes()).expect("no faults").0.told();
        let fetches = "Prometheus fetches from http://127.0.0.1:9477/metrics";
        assert_eq!(of("config prometheus\n"), format!("reads the daemon every 10 s; {fetches}"));
        let sent = "config mqtt 'm'\n option host 'h'\nconfig globals\n option interval '5s'\n";
        assert_eq!(of(sent), "reads the daemon every 5 s; sends to m");
        let both = format!("{sent}config prometheus\n");
        assert_eq!(of(&both), format!("reads the daemon every 5 s; sends to m; {fetches}"));
    }

    #[test]
    fn a_time_without_a_unit_is_seconds_and_so_the_help_says() {
        let (config, _) = load(
            b"config globals\n option interval '5'\n\
              config influx\n option url 'http://a'\n option database 'd'\n option interval '30'\n option timeout '7'\n",
        )
        .expect("no faults");
        let influx = &config.influx[0];
        assert_eq!((config.interval, influx.interval), (Micros::secs(5), Micros::secs(30)));
        assert_eq!(influx.web.timeout, Micros::secs(7));
        let help = options::help();
        assert!(help.contains("1 s to 1 h; a number alone is seconds"), "{help}");
        assert!(!help.contains("a number alone is ms"), "{help}");
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_with_line_and_option() {
        let said = told(
            "config influxx\n\
             config influx\n option ur1 'x'\n option url 'ftp://a'\n option bucket 'b'\n\
             config influx\n option url 'http://a'\n\
             config prometheus\n option listen '0.0.0.0:9477'\n\
             config webhook\n option url 'http://a/x'\n option template '{{zebra}}'\n option on 'rise'\n list header 'no'\n\
             config mqtt\n option password 'hush'\n option topic 'a/#'\n",
        );
        for line in [
            "1: warning: section 'influxx' is not known and ignored; did you mean 'influx'?",
            "3: warning: option 'ur1': not known in section influx and ignored; did you mean 'url'?",
            "4: fault: option 'url': only http and https are known; write for example http://192.0.2.7:8086 or https://example.org/path",
            "6: fault: option 'bucket': is missing: org and bucket with InfluxDB 2, database with InfluxDB 1",
            "9: fault: option 'listen': others than this router can reach 0.0.0.0, and nobody is asked for a password there; with option expose '1' that is meant",
            "13: fault: option 'on': 'rise' is not one of both, raise, clear; did you mean 'raise'?",
            "14: fault: option 'header': write a header as 'Name: value', its name of letters, digits and -",
            "15: fault: option 'host': is missing: without it nobody knows where to send anything",
        ] {
            assert!(said.lines().any(|one| one == line), "{line}\nis not in\n{said}");
        }
        assert!(said.contains("12: fault: option 'template': no field 'zebra'; there are event, "), "{said}");
    }

    #[test]
    fn a_secret_is_in_no_message_and_in_no_debug_output() {
        let text = "config influx\n option url 'http://db.example.org/SECRET1'\n option org 'o'\n option bucket 'b'\n option token 'SECRET2'\n\
                    config webhook\n option url 'http://hook.example.org/SECRET3'\n list header 'X: SECRET4'\n\
                    config mqtt\n option host 'mqtt.example.org'\n option username 'u'\n option password 'SECRET5'\n";
        let said = told(text);
        assert!(said.contains("option 'token': goes over the network as it is"), "{said}");
        assert!(!said.contains("SECRET"), "{said}");
        let (config, _) = load(text.as_bytes()).expect("no faults");
        let shown = format!("{:?}{:?}", config.influx[0].web.secret, config.webhooks[0].headers);
        assert!(!shown.contains("SECRET"), "{shown}");
        for bad in ["a\x01SECRET", &"SECRET".repeat(1000)] {
            let said = told(&format!(
                "config influx\n option url 'http://a'\n option bucket 'b'\n option token '{bad}'\n"
            ));
            assert!(said.contains("fault: option 'token'") && !said.contains("SECRET"), "{said}");
        }
        let said = told("config webhook\n option url 'http://a/'\n list header 'X SECRET'\n");
        assert!(said.contains("fault") && !said.contains("SECRET"), "{said}");
    }

    #[test]
    fn https_with_a_secret_needs_tls_of_our_own_or_a_word() {
        let text = "config webhook\n option url 'https://a.example.org/hook'\n";
        assert_eq!(load(text.as_bytes()).is_ok(), HAS_TLS);
        assert!(load(format!("{text} option visible_secret '1'\n").as_bytes()).is_ok());
        let open =
            "config influx\n option url 'https://a.example.org'\n option org 'o'\n option bucket 'b'\n";
        assert!(load(open.as_bytes()).is_ok(), "there is nothing to hide");
        assert_eq!(load(format!("{open} option token 't'\n").as_bytes()).is_ok(), HAS_TLS);
    }

    #[test]
    fn files_of_any_bytes_are_no_reason_to_panic() {
        for bytes in [
            &b"\xff"[..],
            b"config influx\n option url '\xff'\n",
            b"config mqtt\n list host 'a'\n list host 'b'\n",
            b"option a b\n",
        ] {
            assert!(load(bytes).is_err(), "{bytes:?}");
        }
    }
}
