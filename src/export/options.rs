// SPDX-License-Identifier: Apache-2.0
//! Every option of `/etc/config/weir-export`, in one table: it feeds the parser, `weir-export help config` and the
//! documentation.

use crate::config::value;
use crate::units::{Bytes, Micros};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

/// A type of section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SectionType {
    /// Settings of the whole program.
    Globals,
    /// One InfluxDB.
    Influx,
    /// The door for Prometheus.
    Prometheus,
    /// One webhook.
    Webhook,
    /// One MQTT server.
    Mqtt,
}

impl SectionType {
    /// Each, in the order they are shown.
    pub const ALL: [Self; 5] = [Self::Globals, Self::Influx, Self::Prometheus, Self::Webhook, Self::Mqtt];

    /// What stands behind `config` in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Globals => "globals",
            Self::Influx => "influx",
            Self::Prometheus => "prometheus",
            Self::Webhook => "webhook",
            Self::Mqtt => "mqtt",
        }
    }

    /// What a section of this type is for.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Globals => "settings of the whole program",
            Self::Influx => "an InfluxDB, or what understands its line protocol; several are allowed",
            Self::Prometheus => "where Prometheus, or what scrapes like it, finds the numbers",
            Self::Webhook => "whom to tell of alerts; several are allowed",
            Self::Mqtt => "an MQTT server; several are allowed",
        }
    }
}

/// What an option may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 1 or 0.
    Bool,
    /// A span of time between two others, in microseconds.
    Span(u64, u64),
    /// A whole number between two others.
    Integer(i64, i64),
    /// A number of bytes between two others.
    Size(u64, u64),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any words.
    Text,
    /// Words that are never shown.
    Secret,
    /// The name of a file.
    File,
    /// An address.
    Url,
    /// Where to listen.
    Listen,
    /// A list of headers.
    Headers,
    /// JSON with fields.
    Template,
    /// Where messages are told, without wildcards.
    Topic,
}

/// One option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The types of section it belongs to.
    pub sections: &'static [SectionType],
    /// Its name.
    pub name: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// What holds without it, for people.
    pub default: &'static str,
    /// What it does, in one sentence.
    pub help: &'static str,
}

const fn row(
    sections: &'static [SectionType],
    name: &'static str,
    kind: Kind,
    default: &'static str,
    help: &'static str,
) -> Row {
    Row { sections, name, kind, default, help }
}

use Kind::{Bool, Choice, File, Headers, Integer, Listen, Secret, Size, Span, Template, Text, Topic, Url};
use SectionType::{Globals, Influx, Mqtt, Prometheus, Webhook};

/// When a webhook is called.
pub const EVENTS: &[&str] = &["both", "raise", "clear"];
/// How a webhook is called.
pub const METHODS: &[&str] = &["POST", "PUT"];

const HOUR: u64 = 3_600_000_000;

/// The table.
pub const OPTIONS: &[Row] = &[
    row(
        &[Globals],
        "interval",
        Span(1_000_000, HOUR),
        "10s",
        "How often the daemon is asked; with --stdin lines have a pace of their own.",
    ),
    row(
        &[Globals],
        "router",
        Text,
        "the host's name",
        "What this router is called: a label of InfluxDB, a field of webhooks.",
    ),
    row(&[Influx, Prometheus, Webhook, Mqtt], "enabled", Bool, "1", "Off: as if the section were not there."),
    row(
        &[Influx],
        "url",
        Url,
        "",
        "Its address, such as http://192.0.2.7:8086; with https:// see docs/export.md.",
    ),
    row(&[Influx], "org", Text, "", "InfluxDB 2: the organisation."),
    row(&[Influx], "bucket", Text, "", "InfluxDB 2: the bucket."),
    row(&[Influx], "token", Secret, "", "InfluxDB 2: the token; better in a file of its own."),
    row(&[Influx], "token_file", File, "", "The file the token is in; user weir must be able to read it."),
    row(&[Influx], "database", Text, "", "InfluxDB 1: the database, in place of org and bucket."),
    row(&[Influx], "username", Text, "", "InfluxDB 1: the user."),
    row(&[Influx], "password", Secret, "", "InfluxDB 1: the password."),
    row(&[Influx], "password_file", File, "", "InfluxDB 1: the file the password is in."),
    row(
        &[Influx],
        "interval",
        Span(1_000_000, HOUR),
        "each reading",
        "How often something is sent; readings are sent together.",
    ),
    row(&[Influx], "batch", Integer(1, 100_000), "1000", "The most points in one request."),
    row(&[Influx], "gzip", Bool, "1", "Pack requests of more than 1 KB."),
    row(&[Prometheus], "listen", Listen, "127.0.0.1:9477", "Address and port; /metrics is there."),
    row(
        &[Prometheus],
        "expose",
        Bool,
        "0",
        "The address may be one that others than this router can reach; nobody is asked for a password there.",
    ),
    row(&[Webhook], "url", Url, "", "Where alerts are sent to."),
    row(&[Webhook], "method", Choice(METHODS), "POST", "How they are sent."),
    row(
        &[Webhook],
        "template",
        Template,
        "all fields",
        "What is sent: JSON with {{fields}}; 'weir-export help template' lists them.",
    ),
    row(&[Webhook], "template_file", File, "", "The file the template is in."),
    row(
        &[Webhook],
        "on",
        Choice(EVENTS),
        "both",
        "Whether it is told when an alert comes, when it goes, or both.",
    ),
    row(
        &[Webhook],
        "severity",
        Choice(&super::metrics::SEVERITIES),
        "warning",
        "The least grave alerts that are told.",
    ),
    row(&[Webhook], "token", Secret, "", "Sent as Authorization: Bearer."),
    row(&[Webhook], "token_file", File, "", "The file the token is in."),
    row(&[Webhook], "header", Headers, "", "More headers, as 'Name: value'; they are never shown."),
    row(&[Mqtt], "host", Text, "", "The server's name or address."),
    row(&[Mqtt], "port", Integer(1, 65_535), "1883", "Its port; there is no TLS."),
    row(&[Mqtt], "username", Text, "", "The user."),
    row(&[Mqtt], "password", Secret, "", "The password; it goes over the network as it is."),
    row(&[Mqtt], "password_file", File, "", "The file the password is in."),
    row(
        &[Mqtt],
        "client_id",
        Text,
        "weir- and the router's name",
        "What we are called there; no two may be called the same.",
    ),
    row(&[Mqtt], "topic", Topic, "weir", "Where messages begin: weir/home/upload, weir/alert, weir/online."),
    row(
        &[Mqtt],
        "retain",
        Bool,
        "1",
        "The server keeps the last numbers for those who come later; alerts never.",
    ),
    row(&[Mqtt], "qos", Integer(0, 1), "0", "1: the server says that it has each message."),
    row(
        &[Influx, Webhook, Mqtt],
        "queue",
        Size(16 << 10, 16 << 20),
        "256k",
        "Memory for what waits during an outage; then the oldest is dropped.",
    ),
    row(
        &[Influx, Webhook, Mqtt],
        "timeout",
        Span(1_000_000, 60_000_000),
        "10s",
        "How long a server may take.",
    ),
    row(
        &[Influx, Webhook],
        "ca_file",
        File,
        "the system's",
        "Certificates to believe with https://, instead of the usual ones.",
    ),
    row(
        &[Influx, Webhook],
        "visible_secret",
        Bool,
        "0",
        "With https:// through uclient-fetch: others on the router may see token, password, headers and path in the list of processes.",
    ),
];

/// The options of a section.
pub fn of(section: SectionType) -> impl Iterator<Item = &'static Row> + Clone {
    OPTIONS.iter().filter(move |row| row.sections.contains(&section))
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bool => f.write_str("0, 1"),
            Span(min, max) => write!(f, "{} to {}; a number alone is seconds", Micros(*min), Micros(*max)),
            Integer(min, max) => write!(f, "{min} to {max}"),
            Size(min, max) => write!(f, "{} to {}", Bytes(*min), Bytes(*max)),
            Choice(words) => f.write_str(&crate::text::joined(words, ", ")),
            Text => f.write_str("text"),
            Secret => f.write_str("secret"),
            File => f.write_str("file"),
            Url => f.write_str("http:// or https://"),
            Listen => f.write_str("address:port"),
            Headers => f.write_str("list: Name: value"),
            Template => f.write_str("JSON"),
            Topic => f.write_str("text without + # $"),
        }
    }
}

/// `weir-export help config`: every option.
pub fn help() -> String {
    let mut out =
        String::from("Options of /etc/config/weir-export (UCI). Times: 500ms, 10s, 5m; sizes: 64k, 1mb.\n");
    for section in SectionType::ALL {
        // A String takes everything.
        let _ = writeln!(out, "\nconfig {}  ({})", section.name(), section.title());
        for row in of(section) {
            let default =
                if row.default.is_empty() { String::new() } else { format!("  (default: {})", row.default) };
            let _ = writeln!(out, "  {:<16} {}\n  {:<16}   {}{default}", row.name, row.help, "", row.kind);
        }
    }
    out
}

/// The table of the documentation.
pub fn readme() -> String {
    let mut out =
        String::from("| section | option | values | default | what it does |\n|---|---|---|---|---|\n");
    for row in OPTIONS {
        let sections: Vec<&str> = row.sections.iter().map(|section| section.name()).collect();
        let _ = writeln!(
            out,
            "| {} | `{}` | {} | {} | {} |",
            crate::text::joined(&sections, ", "),
            row.name,
            row.kind,
            row.default,
            row.help
        );
    }
    out
}

/// A size within its bounds.
pub(super) fn size(text: &str, min: u64, max: u64) -> Result<u64, String> {
    let Bytes(bytes) = value::size(text)?;
    if (min..=max).contains(&bytes) {
        Ok(bytes)
    } else {
        Err(format!("must lie between {} and {}", Bytes(min), Bytes(max)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_named_once_in_a_section_and_ends_its_help_with_a_full_stop() {
        for section in SectionType::ALL {
            for (n, row) in of(section).enumerate() {
                assert!(row.help.ends_with('.'), "{}", row.name);
                assert!(!of(section).take(n).any(|other| other.name == row.name), "{}", row.name);
            }
        }
    }
}
