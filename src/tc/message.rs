// SPDX-License-Identifier: Apache-2.0
//! Whole netlink messages: requests from [`Op`]s, dumps and answers back into types.
//!
//! Read `linux/rtnetlink.h` and rtnetlink(7) before editing. Everything is in host order, as netlink is, except the
//! EtherType inside `tcm_info`. Reading borrows from the receive buffer.

use super::attr::{self, Attr, Attrs, field};
use super::diff::{Op, Verb};
use super::stats::{self, Counters};
use super::{
    Class, Filter, FilterKind, Foreign, GROUP, Link, PREFERENCE, PREFERENCES, Qdisc, QdiscKind, ROOT_MAJOR,
    Stab, bpf, cake, fifo, fq_codel, htb, mirred, u32 as cls_u32,
};
use crate::units::{DeviceName, Handle, Prefix};
use alloc::vec::Vec;

/// Bytes of `struct nlmsghdr`.
const HEADER: usize = 16;
/// Bytes of `struct tcmsg`.
const TCMSG: usize = 20;
/// Bytes of `struct ifinfomsg`.
const IFINFO: usize = 16;

/// `NLMSG_ERROR`: an acknowledgement when its error is zero.
pub const ERROR: u16 = 2;
/// `NLMSG_DONE`: the end of a dump.
pub const DONE: u16 = 3;
/// `RTM_NEWLINK` and its kin; delete is one more, get two more.
pub const NEW_LINK: u16 = 16;
/// `RTM_NEWADDR`.
pub const NEW_ADDRESS: u16 = 20;
/// `RTM_NEWROUTE`.
pub const NEW_ROUTE: u16 = 24;
/// `RTM_NEWSTATS`.
pub const NEW_STATS: u16 = 92;
/// `RTM_NEWQDISC`.
pub const NEW_QDISC: u16 = 36;
/// `RTM_NEWTCLASS`.
pub const NEW_CLASS: u16 = 40;
/// `RTM_NEWTFILTER`.
pub const NEW_FILTER: u16 = 44;
/// What to add to a new-message's number for the request to delete.
const DELETE: u16 = 1;
/// What to add to a new-message's number for the request to get.
const GET: u16 = 2;

const REQUEST: u16 = 0x1;
const ACK: u16 = 0x4;
/// `NLM_F_DUMP_INTR`: the dump is not of one moment.
pub const DUMP_INTERRUPTED: u16 = 0x10;
const DUMP: u16 = 0x300;
const REPLACE: u16 = 0x100;
const EXCLUSIVE: u16 = 0x200;
const CREATE: u16 = 0x400;

const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_STAB: u16 = 8;

const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_IFALIAS: u16 = 20;
const IFLA_GROUP: u16 = 27;
const IFLA_EXT_MASK: u16 = 29;
const IFLA_GSO_MAX_SEGS: u16 = 40;
const IFLA_INFO_KIND: u16 = 1;
/// `struct rtnl_link_stats64`: received packets, sent packets, received bytes, sent bytes, …
const IFLA_STATS_LINK_64: u16 = 1;
const IFLA_STATS_FILTER_LINK_64: u32 = 1 << (IFLA_STATS_LINK_64 - 1);
const IFF_UP: u32 = 1;

/// The address families.
pub const INET: u8 = 2;
/// `AF_INET6`.
pub const INET6: u8 = 10;

/// A device of which no index is known: it does not exist (yet).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownDevice(pub DeviceName);

/// How many messages it takes to ask for `op`.
pub fn pieces(op: &Op) -> usize {
    match op {
        Op::Filter { verb, filter: Filter { kind: FilterKind::U32(kind), .. }, .. } => kind.pieces(*verb),
        _ => 1,
    }
}

/// Appends message `piece` of the [`pieces`] that ask the kernel for `op`, to be acknowledged.
///
/// # Errors
/// [`UnknownDevice`] when `index_of` does not know the device, or the one a redirect goes to; nothing is appended.
pub fn encode(
    op: &Op,
    piece: usize,
    seq: u32,
    index_of: &dyn Fn(&DeviceName) -> Option<u32>,
    out: &mut Vec<u8>,
) -> Result<(), UnknownDevice> {
    let index = |device: &DeviceName| index_of(device).ok_or(UnknownDevice(*device));
    match op {
        Op::AddIfb(name) => {
            let start = open(out, NEW_LINK, ACK | CREATE | EXCLUSIVE, seq);
            put_ifinfo(out, 0, 0, 0);
            attr::put_u32(out, IFLA_GROUP, GROUP);
            attr::put_str(out, IFLA_IFNAME, name.as_str());
            let info = attr::open(out, IFLA_LINKINFO);
            attr::put(out, IFLA_INFO_KIND, b"ifb"); // as `ip` does, without a NUL
            attr::close(out, info);
            close(out, start);
        }
        Op::SetUp(name) => {
            let index = index_of(name).unwrap_or(0); // by name in the batch that creates it
            let start = open(out, NEW_LINK, ACK, seq);
            put_ifinfo(out, index, IFF_UP, IFF_UP);
            attr::put_str(out, IFLA_IFNAME, name.as_str());
            // For people looking at `ip link`; ignored when a device is created, hence here.
            attr::put_str(out, IFLA_IFALIAS, "made by weir: shapes what arrives");
            close(out, start);
        }
        Op::DeleteLink(name) => {
            let index = index(name)?;
            let start = open(out, NEW_LINK + DELETE, ACK, seq);
            put_ifinfo(out, index, 0, 0);
            close(out, start);
        }
        Op::Qdisc { device, verb, qdisc, options } => {
            let index = index(device)?;
            let start = open(out, number(NEW_QDISC, *verb), ACK | flags(*verb), seq);
            put_tcmsg(out, index, qdisc.handle, qdisc.parent, 0);
            put_qdisc(qdisc, *verb, *options, out);
            close(out, start);
        }
        Op::Class { device, verb, class } => {
            let index = index(device)?;
            let start = open(out, number(NEW_CLASS, *verb), ACK | flags(*verb), seq);
            put_tcmsg(out, index, class.handle, class.parent, 0);
            if *verb != Verb::Delete {
                attr::put_str(out, TCA_KIND, "htb");
                let options = attr::open(out, TCA_OPTIONS);
                htb::put_class(class, out);
                attr::close(out, options);
            }
            close(out, start);
        }
        Op::Filter { device, verb, filter } => {
            let index = index(device)?;
            let target = match (&filter.kind, verb) {
                (FilterKind::Redirect { to }, Verb::Create | Verb::Replace | Verb::Change) => {
                    target(to, index_of)?
                }
                _ => 0,
            };
            let start = open(out, number(NEW_FILTER, *verb), ACK | flags(*verb), seq);
            // A preference is deleted whole, with handle 0: older kernels cannot delete a big filter by handle.
            let is_bpf = matches!(filter.kind, FilterKind::Bpf(_)) && *verb != Verb::Delete;
            let handle = match &filter.kind {
                FilterKind::U32(kind) => kind.handle(*verb, piece),
                _ => Handle(u32::from(is_bpf)),
            };
            let info = u32::from(filter.placed()) << 16 | u32::from(filter.protocol.to_be());
            put_tcmsg(out, index, handle, filter.parent, info);
            put_filter(filter, *verb, piece, target, out);
            close(out, start);
        }
    }
    Ok(())
}

fn target(to: &DeviceName, index_of: &dyn Fn(&DeviceName) -> Option<u32>) -> Result<u32, UnknownDevice> {
    index_of(to).ok_or(UnknownDevice(*to))
}

fn number(new: u16, verb: Verb) -> u16 {
    if verb == Verb::Delete { new + DELETE } else { new }
}

fn flags(verb: Verb) -> u16 {
    match verb {
        Verb::Create => CREATE | EXCLUSIVE,
        Verb::Replace => CREATE | REPLACE,
        Verb::Change | Verb::Delete => 0,
    }
}

fn put_qdisc(qdisc: &Qdisc, verb: Verb, has_options: bool, out: &mut Vec<u8>) {
    if verb == Verb::Delete {
        return;
    }
    attr::put_str(out, TCA_KIND, qdisc.kind.name());
    // The hooks have none; `tc` sends none either.
    let is_hook = matches!(qdisc.kind, QdiscKind::Clsact | QdiscKind::Ingress);
    if has_options && !is_hook {
        let options = attr::open(out, TCA_OPTIONS);
        match &qdisc.kind {
            QdiscKind::Htb(kind) => htb::put_root(kind, out),
            QdiscKind::FqCodel(kind) => fq_codel::put(kind, verb != Verb::Change, out),
            QdiscKind::Sfq(kind) => fifo::put_sfq(kind, out),
            QdiscKind::Bfifo(kind) => fifo::put_bfifo(kind, out),
            QdiscKind::Cake(kind) => cake::put(kind, out),
            QdiscKind::Clsact | QdiscKind::Ingress => {}
            QdiscKind::Foreign(kind) => out.extend_from_slice(&kind.options),
        }
        attr::close(out, options);
    }
    if let Some(stab) = &qdisc.stab {
        let table = attr::open(out, TCA_STAB);
        stab.put(out);
        attr::close(out, table);
    }
}

fn put_filter(filter: &Filter, verb: Verb, piece: usize, target: u32, out: &mut Vec<u8>) {
    if verb == Verb::Delete {
        return;
    }
    attr::put_str(out, TCA_KIND, filter.kind.name());
    let options = attr::open(out, TCA_OPTIONS);
    match &filter.kind {
        FilterKind::Redirect { .. } => mirred::put_redirect(target, out),
        FilterKind::Bpf(kind) => bpf::put(kind, out),
        FilterKind::U32(kind) => kind.put(piece, out),
        FilterKind::Foreign(kind) => out.extend_from_slice(&kind.options),
    }
    attr::close(out, options);
}

/// Appends the request that limits the packets one super-packet of the router's own may hold.
pub fn set_gso_max_segs(index: u32, segs: u32, seq: u32, out: &mut Vec<u8>) {
    let start = open(out, NEW_LINK, ACK, seq);
    put_ifinfo(out, index, 0, 0);
    attr::put_u32(out, IFLA_GSO_MAX_SEGS, segs);
    close(out, start);
}

/// Appends the request to dump all links, without their statistics.
pub fn dump_links(seq: u32, out: &mut Vec<u8>) {
    const SKIP_STATS: u32 = 1 << 3; // RTEXT_FILTER_SKIP_STATS
    let start = open(out, NEW_LINK + GET, DUMP, seq);
    put_ifinfo(out, 0, 0, 0);
    attr::put_u32(out, IFLA_EXT_MASK, SKIP_STATS);
    close(out, start);
}

/// Appends the request to dump all addresses.
pub fn dump_addresses(seq: u32, out: &mut Vec<u8>) {
    let start = open(out, NEW_ADDRESS + GET, DUMP, seq);
    out.extend_from_slice(&[0; 8]); // struct ifaddrmsg
    close(out, start);
}

/// Appends the request to dump the routes of one address family.
pub fn dump_routes(family: u8, seq: u32, out: &mut Vec<u8>) {
    let start = open(out, NEW_ROUTE + GET, DUMP, seq);
    out.extend_from_slice(&[family, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]); // struct rtmsg
    close(out, start);
}

/// Appends the request to dump the qdiscs of all devices; the kernel knows no smaller one.
pub fn dump_qdiscs(seq: u32, out: &mut Vec<u8>) {
    let start = open(out, NEW_QDISC + GET, DUMP, seq);
    put_tcmsg(out, 0, Handle::NONE, Handle::NONE, 0);
    close(out, start);
}

/// Appends the request to dump the classes of one device's qdisc `parent`. Without the parent every backlogged flow of
/// every fq_codel comes along.
pub fn dump_classes(index: u32, parent: Handle, seq: u32, out: &mut Vec<u8>) {
    let start = open(out, NEW_CLASS + GET, DUMP, seq);
    put_tcmsg(out, index, Handle::NONE, parent, 0);
    close(out, start);
}

/// Appends the request for the counters of one device.
pub fn get_stats(index: u32, seq: u32, out: &mut Vec<u8>) {
    let start = open(out, NEW_STATS + GET, ACK, seq);
    for word in [0, index, IFLA_STATS_FILTER_LINK_64] {
        out.extend_from_slice(&u32::to_ne_bytes(word));
    }
    close(out, start);
}

/// Reads the bytes and packets a device has received (`RTM_NEWSTATS`).
pub fn received(payload: &[u8]) -> Option<(u64, u64)> {
    /// Bytes of `struct if_stats_msg`.
    const HEADER: usize = 12;
    let stats = Attrs::new(payload.get(HEADER..)?).get(IFLA_STATS_LINK_64)?.payload;
    let word = |place: usize| field(stats, place * 8).map(u64::from_ne_bytes);
    Some((word(2)?, word(0)?))
}

/// Reads what one qdisc or class has counted, whatever its settings (`RTM_NEWQDISC`, `RTM_NEWTCLASS`).
pub fn counted(payload: &[u8]) -> Option<(u32, Handle, Counters)> {
    let (index, handle, _, _) = tcmsg(payload)?;
    let attrs = Attrs::new(payload.get(TCMSG..)?);
    Some((index, handle, stats::read(attrs.get(TCA_KIND)?.text()?, &attrs)))
}

/// Appends the request to dump the filters of one device at `parent`.
pub fn dump_filters(index: u32, parent: Handle, seq: u32, out: &mut Vec<u8>) {
    let start = open(out, NEW_FILTER + GET, DUMP, seq);
    put_tcmsg(out, index, Handle::NONE, parent, 0);
    close(out, start);
}

fn open(out: &mut Vec<u8>, kind: u16, flags: u16, seq: u32) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&kind.to_ne_bytes());
    out.extend_from_slice(&(flags | REQUEST).to_ne_bytes());
    out.extend_from_slice(&seq.to_ne_bytes());
    out.extend_from_slice(&[0; 4]); // the kernel's port
    start
}

fn close(out: &mut [u8], start: usize) {
    let length = (out.len() - start) as u32;
    out.iter_mut().skip(start).zip(length.to_ne_bytes()).for_each(|(to, from)| *to = from);
}

fn put_ifinfo(out: &mut Vec<u8>, index: u32, flags: u32, change: u32) {
    out.extend_from_slice(&[0, 0, 0, 0]); // family, pad, hardware type
    for word in [index, flags, change] {
        out.extend_from_slice(&word.to_ne_bytes());
    }
}

fn put_tcmsg(out: &mut Vec<u8>, index: u32, handle: Handle, parent: Handle, info: u32) {
    out.extend_from_slice(&[0; 4]); // family, pads
    for word in [index, handle.0, parent.0, info] {
        out.extend_from_slice(&word.to_ne_bytes());
    }
}

/// One message of a receive buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// `nlmsg_type`.
    pub kind: u16,
    /// `nlmsg_flags`.
    pub flags: u16,
    /// `nlmsg_seq`.
    pub seq: u32,
    /// `nlmsg_pid`: whose request this answers or announces.
    pub port: u32,
    /// What follows the header.
    pub payload: &'a [u8],
}

/// Iterates over the messages of a receive buffer; stops at the first malformed one.
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    /// Reads the messages in `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let length = u32::from_ne_bytes(field(self.rest, 0)?) as usize;
        let message = Message {
            kind: u16::from_ne_bytes(field(self.rest, 4)?),
            flags: u16::from_ne_bytes(field(self.rest, 6)?),
            seq: u32::from_ne_bytes(field(self.rest, 8)?),
            port: u32::from_ne_bytes(field(self.rest, 12)?),
            payload: self.rest.get(HEADER..length)?,
        };
        self.rest = self.rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    }
}

/// `NLM_F_ACK_TLVS`: attributes with the kernel's own words follow.
const HAS_WORDS: u16 = 0x200;

/// The answer to a request: the error number (positive, 0: accepted) and the kernel's own words, if it had any.
pub fn answer<'a>(message: &Message<'a>) -> Option<(i32, Option<&'a str>)> {
    const CAPPED: u16 = 0x100;
    let error = i32::from_ne_bytes(field(message.payload, 0)?);
    let words = || {
        // Behind the error the request's header, and the whole request unless it was capped.
        let request = u32::from_ne_bytes(field(message.payload, 4)?) as usize;
        let skip = if message.flags & CAPPED != 0 { HEADER } else { request.checked_next_multiple_of(4)? };
        words(message, skip.checked_add(4)?)
    };
    (message.kind == ERROR).then(|| (error.wrapping_neg(), words()))
}

/// How a dump ended: the error that broke it off (positive, 0: it is complete) and the kernel's own words. `None` for a
/// message that does not end a dump.
pub fn end_of_dump<'a>(message: &Message<'a>) -> Option<(i32, Option<&'a str>)> {
    // Very old kernels end a dump without saying how it went.
    let error = field(message.payload, 0).map_or(0, i32::from_ne_bytes);
    (message.kind == DONE).then(|| (error.wrapping_neg().max(0), words(message, 4)))
}

/// The kernel's own words among the attributes that begin at `offset`.
fn words<'a>(message: &Message<'a>, offset: usize) -> Option<&'a str> {
    const NLMSGERR_ATTR_MSG: u16 = 1;
    if message.flags & HAS_WORDS == 0 {
        return None;
    }
    Attrs::new(message.payload.get(offset..)?).get(NLMSGERR_ATTR_MSG)?.text()
}

/// Reads a link (`RTM_NEWLINK`).
pub fn link(payload: &[u8]) -> Option<Link> {
    let attrs = Attrs::new(payload.get(IFINFO..)?);
    let kind =
        attrs.get(IFLA_LINKINFO).and_then(|info| info.nested().get(IFLA_INFO_KIND)).and_then(|a| a.text());
    let word = |kind| attrs.get(kind).as_ref().and_then(Attr::u32).unwrap_or(0);
    Some(Link {
        index: u32::from_ne_bytes(field(payload, 4)?),
        name: DeviceName::new(attrs.get(IFLA_IFNAME)?.text()?)?,
        kind: kind.unwrap_or_default().into(),
        hardware: u16::from_ne_bytes(field(payload, 2)?),
        is_up: u32::from_ne_bytes(field(payload, 8)?) & IFF_UP != 0,
        mtu: word(IFLA_MTU),
        group: word(IFLA_GROUP),
        master: word(IFLA_MASTER),
        gso_max_segs: word(IFLA_GSO_MAX_SEGS),
    })
}

/// Reads an address (`RTM_NEWADDR`): the device's index and the prefix it is connected to.
pub fn address(payload: &[u8]) -> Option<(u32, Prefix)> {
    const IFA_ADDRESS: u16 = 1;
    let [family, len] = field(payload, 0)?;
    let index = u32::from_ne_bytes(field(payload, 4)?);
    let bytes = Attrs::new(payload.get(8..)?).get(IFA_ADDRESS)?.payload;
    let prefix = match family {
        INET => Prefix::v4(field(bytes, 0)?, len),
        INET6 => Prefix::v6(field(bytes, 0)?, len),
        _ => None,
    };
    Some((index, prefix?))
}

/// Reads a route (`RTM_NEWROUTE`): for a default route of the main table its device's index and metric.
pub fn default_route(payload: &[u8]) -> Option<(u32, u32)> {
    const MAIN_TABLE: u8 = 254;
    const UNICAST: u8 = 1;
    const RTA_OIF: u16 = 4;
    const RTA_PRIORITY: u16 = 6;
    const RTA_MULTIPATH: u16 = 9;
    let [_, len, _, _, table, _, _, kind] = field(payload, 0)?;
    if (len, table, kind) != (0, MAIN_TABLE, UNICAST) {
        return None;
    }
    let attrs = Attrs::new(payload.get(12..)?);
    let metric = attrs.get(RTA_PRIORITY).as_ref().and_then(Attr::u32).unwrap_or(0);
    let first_hop = || u32::from_ne_bytes(field(attrs.get(RTA_MULTIPATH)?.payload, 4)?).into();
    let index = attrs.get(RTA_OIF).as_ref().and_then(Attr::u32).or_else(first_hop)?;
    Some((index, metric))
}

/// Reads a qdisc (`RTM_NEWQDISC`) with its device's index and counters.
pub fn qdisc(payload: &[u8]) -> Option<(u32, Qdisc, Counters)> {
    let (index, handle, parent, _) = tcmsg(payload)?;
    let attrs = Attrs::new(payload.get(TCMSG..)?);
    let name = attrs.get(TCA_KIND)?.text()?;
    let raw = attrs.get(TCA_OPTIONS).map_or(&[][..], |options| options.payload);
    let options = Attrs::new(raw);
    let known = match name {
        "htb" => htb::root(options).map(QdiscKind::Htb),
        "fq_codel" => fq_codel::read(options).map(QdiscKind::FqCodel),
        "sfq" => fifo::sfq(raw).map(QdiscKind::Sfq),
        "bfifo" => fifo::bfifo(raw).map(QdiscKind::Bfifo),
        "cake" => cake::read(options).map(QdiscKind::Cake),
        "clsact" => Some(QdiscKind::Clsact),
        "ingress" => Some(QdiscKind::Ingress),
        _ => None,
    };
    let kind =
        known.unwrap_or_else(|| QdiscKind::Foreign(Foreign { kind: name.into(), options: raw.into() }));
    let stab = attrs.get(TCA_STAB).and_then(|table| Stab::read(table.nested()));
    Some((index, Qdisc { parent, handle, stab, kind }, stats::read(name, &attrs)))
}

/// Reads what an fq_codel says of one of its flows (`RTM_NEWTCLASS`).
pub fn flow(payload: &[u8]) -> Option<stats::Flow> {
    let attrs = Attrs::new(payload.get(TCMSG..)?);
    (attrs.get(TCA_KIND)?.text()? == "fq_codel").then(|| stats::flow(&attrs))?
}

/// Reads the tins of a CAKE, lowest first, with its device's index and handle (`RTM_NEWQDISC`).
pub fn tins(payload: &[u8]) -> Option<(u32, Handle, impl Iterator<Item = stats::Tin> + use<'_>)> {
    let (index, handle, ..) = tcmsg(payload)?;
    let attrs = Attrs::new(payload.get(TCMSG..)?);
    (attrs.get(TCA_KIND)?.text()? == "cake").then(|| (index, handle, stats::tins(&attrs)))
}

/// Reads an HTB class (`RTM_NEWTCLASS`) with its device's index and counters.
pub fn class(payload: &[u8]) -> Option<(u32, Class, Counters)> {
    let (index, handle, parent, _) = tcmsg(payload)?;
    let attrs = Attrs::new(payload.get(TCMSG..)?);
    if attrs.get(TCA_KIND)?.text()? != "htb" {
        return None;
    }
    // The kernel calls the parent of a top class "root"; it is the root qdisc.
    let parent = if parent == Handle::ROOT { Handle::new(handle.major(), 0) } else { parent };
    let class = htb::class(parent, handle, attrs.get(TCA_OPTIONS)?.nested())?;
    Some((index, class, stats::read("htb", &attrs)))
}

/// Reads a filter (`RTM_NEWTFILTER`) with its device's index. A dump also tells of each classifier as such and of the
/// hash tables of others' u32 filters; those are `None`. Of our own it tells in many messages, each a part of the filter.
pub fn filter(payload: &[u8], name_of: &dyn Fn(u32) -> Option<DeviceName>) -> Option<(u32, Filter)> {
    let (index, handle, parent, info) = tcmsg(payload)?;
    let attrs = Attrs::new(payload.get(TCMSG..)?);
    let name = attrs.get(TCA_KIND)?.text()?;
    let raw = attrs.get(TCA_OPTIONS)?.payload;
    let (mut pref, protocol) = ((info >> 16) as u16, u16::from_be(info as u16));
    if handle == Handle::NONE {
        return None;
    }
    if name == "u32" && parent.major() == ROOT_MAJOR && pref.wrapping_sub(PREFERENCE) < PREFERENCES {
        let (first, slots) = cls_u32::slots(parent);
        let slot = pref.checked_sub(first).filter(|slot| *slot < slots).unwrap_or(0);
        pref -= slot;
        let kind = FilterKind::U32(cls_u32::read(handle, slot, Attrs::new(raw)));
        return Some((index, Filter { parent, pref, protocol, kind }));
    }
    if name == "u32" && mirred::is_hash_table(handle) {
        return None;
    }
    let known = match name {
        "u32" => mirred::redirect(Attrs::new(raw)).and_then(name_of).map(|to| FilterKind::Redirect { to }),
        "bpf" => bpf::read(Attrs::new(raw)).map(FilterKind::Bpf),
        _ => None,
    };
    let kind =
        known.unwrap_or_else(|| FilterKind::Foreign(Foreign { kind: name.into(), options: raw.into() }));
    Some((index, Filter { parent, pref, protocol, kind }))
}

fn tcmsg(payload: &[u8]) -> Option<(u32, Handle, Handle, u32)> {
    let word = |offset| field(payload, offset).map(u32::from_ne_bytes);
    Some((word(4)?, Handle(word(8)?), Handle(word(12)?), word(16)?))
}
