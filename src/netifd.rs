// SPDX-License-Identifier: Apache-2.0
//! What netifd says of the networks, on OpenWrt's bus: reading `network.interface dump`, and when to ask for it.
//!
//! `netifd_dump_status` in netifd's `ubus.c`. An interface has `l3_device` while it is up; `device` is what that stands
//! on, missing where a protocol needs none, and for an alias (`@wan`) the device it stands for at the moment, missing
//! while that is down.
//!
//! A notification (`interface.update`, `interface.down`) tells of one interface and not of others that came or went with
//! it, and one comes for each lease renewed: it is a hint to dump again and no more. DNS servers that change alone are
//! not told at all.

use crate::config::network::{Network, Networks, State};
use crate::limits;
use crate::ubus::{Fields, Value};
use crate::units::{DeviceName, Micros, Prefix, Time};
use alloc::string::String;
use core::net::IpAddr;

/// Hints come in showers (a line and its alias, an address and its routes): dump once for all of this.
const CALM: Micros = Micros::ms(100);
/// netifd has not answered: it may be busy, as at boot.
const AGAIN: Micros = Micros::secs(5);

impl Networks {
    /// Takes the answer to `network.interface dump`; says whether anything differs that matters to a line. What is no
    /// such answer changes nothing.
    pub fn take_dump(&mut self, dump: Fields<'_>) -> bool {
        let Some(Value::Array(list)) = dump.get("interface") else { return false };
        let mut networks = Self { is_live: true, ..Self::default() };
        for one in list {
            if let Value::Table(fields) = one.value
                && let Some(name) = fields.text("interface").and_then(word)
            {
                networks.add(network(name, fields));
            }
        }
        let has_changed = *self != networks;
        *self = networks;
        has_changed
    }
}

impl Networks {
    /// Adds a network by the answer to `network.interface status`, which has not its name.
    pub fn add_status(&mut self, name: &str, status: Fields<'_>) {
        self.is_live = true;
        word(name).into_iter().for_each(|name| self.add(network(name, status)));
    }
}

/// Reads how one interface stands: its row of a dump.
fn network(name: String, fields: Fields<'_>) -> Network {
    let is = |name| fields.flag(name) == Some(true);
    let device = |name| fields.text(name).and_then(DeviceName::new);
    let mut network = Network {
        name,
        proto: fields.text("proto").and_then(word).unwrap_or_default(),
        state: match (is("up"), is("pending"), is("available")) {
            (true, ..) => State::Up,
            (false, true, _) => State::Connecting,
            (false, false, false) => State::Absent,
            (false, false, true) => State::Down,
        },
        lower: device("device"),
        ..Network::default()
    };
    network.settle(device("l3_device"));
    for name in ["ipv4-address", "ipv6-address"] {
        for row in elements(fields, name) {
            let Value::Table(row) = row.value else { continue };
            let prefix = row.text("address").and_then(|text| prefix(text, row.number("mask")?));
            if network.addresses.len() < limits::NETWORK_ADDRESSES {
                network.addresses.extend(prefix);
            }
        }
    }
    for row in elements(fields, "route") {
        let Value::Table(row) = row.value else { continue };
        let [v4, v6] = &mut network.default_routes;
        let place = match row.text("target") {
            Some("0.0.0.0") => v4,
            Some("::") => v6,
            _ => continue,
        };
        if row.number("mask") == Some(0) && place.is_none() {
            let metric = row.number("metric").or_else(|| fields.number("metric")).unwrap_or(0);
            *place = Some(metric.max(0).min(u32::MAX.into()) as u32);
        }
    }
    for server in elements(fields, "dns-server") {
        if let Value::Text(text) = server.value
            && network.dns.len() < limits::NETWORK_DNS
        {
            network.dns.extend(text.parse::<IpAddr>());
        }
    }
    network
}

/// A name of netifd's, unless it is too long or nothing to show people.
fn word(text: &str) -> Option<String> {
    let is_one =
        (1..=limits::NETWORK_NAME).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    is_one.then(|| text.into())
}

fn prefix(text: &str, len: i64) -> Option<Prefix> {
    let len = u8::try_from(len).ok()?;
    match text.parse::<IpAddr>().ok()? {
        IpAddr::V4(v4) => Prefix::v4(v4.octets(), len),
        IpAddr::V6(v6) => Prefix::v6(v6.octets(), len),
    }
}

/// The elements of the array `name`.
fn elements<'a>(fields: Fields<'a>, name: &str) -> Fields<'a> {
    match fields.get(name) {
        Some(Value::Array(list)) => list,
        _ => Fields::new(&[]),
    }
}

/// When to ask for the next dump.
#[derive(Debug, Default)]
pub struct Follow {
    at: Option<Time>,
}

impl Follow {
    /// netifd told something at `now`. More hints do not put the dump off, so that a shower without end is seen, too.
    pub fn hint(&mut self, now: Time) {
        self.at.get_or_insert(now + CALM);
    }

    /// netifd did not answer a dump: it is asked again, later than at a hint.
    pub fn again(&mut self, now: Time) {
        self.at = Some(now + AGAIN);
    }

    /// When to see whether a dump [`is_due`](Self::is_due).
    pub fn deadline(&self) -> Option<Time> {
        self.at
    }

    /// Whether to ask for a dump now; once for all hints until then.
    pub fn is_due(&mut self, now: Time) -> bool {
        self.at.take_if(|at| *at <= now).is_some()
    }
}

#[cfg(test)]
pub(crate) mod tests;
