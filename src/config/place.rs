// SPDX-License-Identifier: Apache-2.0
//! Where the value of each option goes, in tables: the type of a place says which values fit into it.
//!
//! A value comes here checked against its row of [`super::options`]; that each row has a place here, and that its value
//! fits, the tests of [`super::read`] show.

use super::link::{Cells, LinkLayer};
use super::read::{Checked, SaidOfClass, SaidOfWan};
use super::read_rule::Said;
use super::service::Service;
use super::steer::Far;
use super::threshold::{self, Metric, Operator};
use super::{Globals, Isolation, schedule};
use crate::units::{Bytes, DeviceName, Dscp, Micros, Permille, Prefix, Rate, Way};
use alloc::string::String;
use alloc::vec::Vec;

/// What an option's value can be put into.
pub(super) trait Place {
    /// Takes the value, if it fits.
    fn put(&mut self, value: &mut Checked);
}

/// The options of a section, and where in `S` their values go.
type Table<S> = [(&'static str, fn(&mut S) -> &mut dyn Place)];

/// Puts the value of an option where it belongs.
pub(super) fn put<S>(table: &Table<S>, said: &mut S, name: &str, value: &mut Checked) {
    if let Some((_, place)) = table.iter().find(|(known, _)| *known == name) {
        place(said).put(value);
    }
}

pub(super) const GLOBALS: &Table<Globals> = &[
    ("enabled", |said| &mut said.enabled),
    ("services", |said| &mut said.services),
    ("levels", |said| &mut said.levels),
    ("log_level", |said| &mut said.log_level),
    ("keep_history", |said| &mut said.keep_history),
];

pub(super) const WAN: &Table<SaidOfWan> = &[
    ("enabled", |said| &mut said.wan.enabled),
    ("network", |said| &mut said.wan.network),
    ("device", |said| &mut said.wan.device),
    ("download", |said| &mut said.wan.download),
    ("upload", |said| &mut said.wan.upload),
    ("download_on", |said| &mut said.wan.download_on),
    ("lan", |said| &mut said.wan.lan),
    ("link", |said| &mut said.wan.link),
    ("overhead", |said| &mut said.overhead),
    ("mpu", |said| &mut said.mpu),
    ("cells", |said| &mut said.cells),
    ("engine", |said| &mut said.wan.engine),
    ("takeover", |said| &mut said.wan.takeover),
    ("ecn", |said| &mut said.wan.ecn),
    ("offloads", |said| &mut said.wan.offloads),
    ("trust_dscp", |said| &mut said.wan.trust_dscp),
    ("wash", |said| &mut said.wan.wash),
    ("nat", |said| &mut said.wan.nat),
    ("adapt", |said| &mut said.wan.steer.adapt),
    ("latency_target", |said| &mut said.wan.steer.target),
    ("upload_min", |said| &mut said.wan.steer.up.min),
    ("upload_max", |said| &mut said.wan.steer.up.max),
    ("download_min", |said| &mut said.wan.steer.down.min),
    ("download_max", |said| &mut said.wan.steer.down.max),
    ("reflector", |said| &mut said.wan.steer.reflectors),
    ("probe", |said| &mut said.wan.steer.probe),
    ("cake_diffserv", |said| &mut said.wan.cake.diffserv),
    ("cake_nat", |said| &mut said.wan.cake.nat),
    ("cake_isolation", |said| &mut said.wan.cake.isolation),
    ("cake_ack_filter", |said| &mut said.wan.cake.ack_filter),
    ("cake_split_gso", |said| &mut said.wan.cake.split_gso),
    ("cake_rtt", |said| &mut said.wan.cake.rtt),
    ("cake_memlimit", |said| &mut said.wan.cake.memlimit),
    ("cake_ingress", |said| &mut said.wan.cake.ingress),
    ("cake_fwmark", |said| &mut said.wan.cake.fwmark),
];

pub(super) const CLASS: &Table<SaidOfClass> = &[
    ("enabled", |said| &mut said.is_enabled),
    ("guarantee", |said| &mut said.class.guarantee),
    ("limit", |said| &mut said.class.limit),
    ("priority", |said| &mut said.class.priority),
    ("target", |said| &mut said.class.target),
    ("default", |said| &mut said.class.is_default),
    ("set_dscp_up", |said| &mut said.class.set_dscp_up),
    ("set_dscp_down", |said| &mut said.class.set_dscp_down),
    ("cake_tin", |said| &mut said.class.cake_tin),
];

pub(super) const RULE: &Table<Said> = &[
    ("enabled", |said| &mut said.is_on),
    ("name", |said| &mut said.name),
    ("class", |said| &mut said.class),
    ("direction", |said| &mut said.way),
    ("priority", |said| &mut said.priority),
    ("set_dscp", |said| &mut said.set_dscp),
    ("service", |said| &mut said.services),
    ("proto", |said| &mut said.own.protocols),
    ("remote_port", |said| &mut said.own.remote_ports),
    ("local_port", |said| &mut said.own.local_ports),
    ("remote", |said| &mut said.own.remote),
    ("local", |said| &mut said.own.local),
    ("dscp", |said| &mut said.own.dscps),
    ("length", |said| &mut said.own.length),
];

pub(super) const SCHEDULE: &Table<schedule::Said> = &[
    ("enabled", |said| &mut said.enabled),
    ("days", |said| &mut said.days),
    ("from", |said| &mut said.from),
    ("to", |said| &mut said.to),
    ("wan", |said| &mut said.wan),
    ("download", |said| &mut said.download),
    ("upload", |said| &mut said.upload),
    ("class", |said| &mut said.class),
    ("guarantee", |said| &mut said.guarantee),
    ("limit", |said| &mut said.limit),
    ("rule", |said| &mut said.rules),
];

pub(super) const THRESHOLD: &Table<threshold::Said> = &[
    ("enabled", |said| &mut said.is_enabled),
    ("wan", |said| &mut said.level.wan),
    ("direction", |said| &mut said.level.way),
    ("class", |said| &mut said.level.class),
    ("metric", |said| &mut said.metric),
    ("operator", |said| &mut said.operator),
    ("value", |said| &mut said.value),
    ("for", |said| &mut said.level.span),
    ("severity", |said| &mut said.level.gravity),
    ("action", |said| &mut said.level.deed),
    ("action_class", |said| &mut said.level.deed_class),
    ("action_share", |said| &mut said.level.share),
    ("action_rate", |said| &mut said.level.rate),
    ("action_time", |said| &mut said.level.time),
    ("penalty", |said| &mut said.level.is_growing),
];

/// Places of these types take values of this kind, as `$made` makes them.
macro_rules! takes {
    ($($kind:ident($value:ident) $type:ty = $made:expr;)+) => {
        $(impl Place for $type {
            fn put(&mut self, value: &mut Checked) {
                if let Checked::$kind($value) = value {
                    *self = $made;
                }
            }
        })+
    };
}

takes! {
    Bool(yes) bool = *yes;
    Rate(rate) Option<Rate> = Some(*rate);
    Share(share) Permille = *share;
    Share(share) Option<Permille> = Some(*share);
    Span(span) Micros = *span;
    Span(span) Option<Micros> = Some(*span);
    Integer(n) Option<i16> = i16::try_from(*n).ok();
    Integer(n) Option<u16> = u16::try_from(*n).ok();
    Integer(n) u8 = u8::try_from(*n).unwrap_or(u8::MAX);
    Mask(mask) u32 = *mask;
    Size(bytes) Option<Bytes> = Some(*bytes);
    Device(device) Option<DeviceName> = Some(*device);
    Word(word) Option<String> = Some(core::mem::take(word));
    Link(link) LinkLayer = *link;
    Protocols(protocols) Vec<u8> = core::mem::take(protocols);
    Ports(ports) Vec<(u16, u16)> = core::mem::take(ports);
    Prefixes(prefixes) Vec<Prefix> = core::mem::take(prefixes);
    Dscp(dscp) Option<Dscp> = Some(*dscp);
    Dscps(dscps) u64 = *dscps;
    Length(length) Option<(u16, u16)> = Some(*length);
    Services(services) Vec<Service> = core::mem::take(services);
    Fars(fars) Vec<Far> = core::mem::take(fars);
    Names(names) Vec<String> = core::mem::take(names);
    Choice(n) Option<Cells> = Cells::at(*n);
    Choice(n) Option<Metric> = Metric::at(*n);
    Choice(n) Option<Operator> = Operator::at(*n);
    // The first word is `auto`.
    Choice(n) Option<Isolation> = n.checked_sub(1).and_then(Isolation::at);
    Choice(n) Option<bool> = [None, Some(true), Some(false)].get(*n).copied().flatten();
    // The first word is `both`.
    Choice(n) Option<Way> = [None, Some(Way::Up), Some(Way::Down)].get(*n).copied().flatten();
    Choice(n) Option<Option<Way>> = [None, Some(Way::Up), Some(Way::Down)].get(*n).copied();
}
