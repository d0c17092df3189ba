// SPDX-License-Identifier: Apache-2.0
//! Looking at the kernel: links, trees, routes, addresses, counters.

use super::socket::Connection;
use crate::config::network::Networks;
use crate::daemon::Observation;
use crate::limits;
use crate::order;
use crate::tc::dump::Builder;
use crate::tc::message::{
    self, INET, INET6, NEW_ADDRESS, NEW_CLASS, NEW_FILTER, NEW_LINK, NEW_QDISC, NEW_ROUTE,
};
use crate::tc::plan::World;
use crate::tc::stats::Counters;
use crate::tc::{Link, ROOT_MAJOR, Tree};
use crate::units::{DeviceName, Handle, Prefix};
use std::io;

/// `TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)`: filters on leaving packets.
const EGRESS_FILTERS: Handle = Handle::new(0xffff, 0xfff3);

/// One dump of links, trees and counters.
pub struct Seen {
    /// The devices there are.
    pub links: Vec<Link>,
    /// The traffic control on them.
    pub tree: Tree,
    /// Counters by device index and handle.
    pub counters: Vec<(u32, Handle, Counters)>,
}

impl Seen {
    /// The counters of one qdisc or class.
    pub fn counters(&self, device: &DeviceName, handle: Handle) -> Counters {
        let index = self.links.iter().find(|link| link.name == *device).map(|link| link.index);
        let is_it = |(i, h, _): &&(u32, Handle, Counters)| Some(*i) == index && *h == handle;
        self.counters.iter().find(is_it).map(|(.., counters)| *counters).unwrap_or_default()
    }
}

/// Dumps until two dumps agree; tc dumps never say when they were interrupted.
///
/// # Errors
/// The socket's or the kernel's.
pub fn tree(connection: &mut Connection) -> io::Result<Seen> {
    let mut last = dump(connection)?;
    for _ in 1..limits::DUMP_TRIES {
        let again = dump(connection)?;
        if again.tree == last.tree && again.links == last.links {
            return Ok(again);
        }
        last = again;
    }
    Ok(last)
}

/// Dumps once.
///
/// # Errors
/// The socket's or the kernel's.
pub fn dump(connection: &mut Connection) -> io::Result<Seen> {
    let mut builder = Builder::new(links(connection)?);
    connection.dump(&message::dump_qdiscs, &mut |m| {
        if let Some((index, qdisc, counters)) = message::qdisc(m.payload).filter(|_| m.kind == NEW_QDISC) {
            builder.qdisc(index, qdisc, counters);
        }
        if let Some((index, cake, tins)) = message::tins(m.payload).filter(|_| m.kind == NEW_QDISC) {
            builder.tins(index, cake, tins);
        }
    })?;
    let root = Handle::new(ROOT_MAJOR, 0);
    for (index, has_classes) in builder.roots() {
        if has_classes {
            classes(connection, &mut builder, index, root)?;
            for entry in builder.entries(index) {
                filters(connection, &mut builder, index, entry)?;
            }
        }
        filters(connection, &mut builder, index, root)?;
    }
    for index in builder.hooks() {
        filters(connection, &mut builder, index, Handle::INGRESS_FILTERS)?;
        filters(connection, &mut builder, index, EGRESS_FILTERS)?;
    }
    let counters = std::mem::take(&mut builder.counters);
    let (links, tree) = builder.finish();
    Ok(Seen { links, tree, counters })
}

fn classes(connection: &mut Connection, builder: &mut Builder, index: u32, root: Handle) -> io::Result<()> {
    gone_is_fine(connection.dump(&|seq, out| message::dump_classes(index, root, seq, out), &mut |m| {
        if let Some((index, class, counters)) = message::class(m.payload).filter(|_| m.kind == NEW_CLASS) {
            builder.class(index, class, counters);
        }
    }))
}

fn filters(connection: &mut Connection, builder: &mut Builder, index: u32, parent: Handle) -> io::Result<()> {
    let mut found = Vec::new();
    gone_is_fine(connection.dump(&|seq, out| message::dump_filters(index, parent, seq, out), &mut |m| {
        let name_of = |index| builder.name_of(index);
        if let Some((index, mut filter)) =
            message::filter(m.payload, &name_of).filter(|_| m.kind == NEW_FILTER)
        {
            // An `ingress` qdisc reports its filters' parent as ffff:, which is the same place.
            if filter.parent == Handle::new(0xffff, 0) {
                filter.parent = parent;
            }
            found.push((index, filter));
        }
    }))?;
    for (index, filter) in found {
        if filter.parent == parent {
            builder.filter(index, filter);
        }
    }
    Ok(())
}

/// A device or qdisc that went between two dumps is no error: the next dump will not show it. Neither is a filter of
/// another program that is too large to be dumped: it is not ours, and the others were told.
fn gone_is_fine(result: io::Result<bool>) -> io::Result<()> {
    match result {
        Err(error)
            if matches!(
                error.raw_os_error(),
                Some(libc::ENODEV | libc::ENOENT | libc::EINVAL | libc::EMSGSIZE)
            ) =>
        {
            Ok(())
        }
        other => other.map(|_| ()),
    }
}

/// All links.
///
/// # Errors
/// The socket's or the kernel's.
pub fn links(connection: &mut Connection) -> io::Result<Vec<Link>> {
    let mut links = Vec::new();
    connection.dump(&message::dump_links, &mut |m| {
        links.extend(message::link(m.payload).filter(|_| m.kind == NEW_LINK));
    })?;
    Ok(links)
}

/// Everything the daemon decides by. `networks` are the system's.
///
/// # Errors
/// The socket's or the kernel's.
pub fn observe(connection: &mut Connection, networks: Networks) -> io::Result<(Observation, Seen)> {
    let seen = tree(connection)?;
    let default = default_route(connection)?;
    let name_of = |index| seen.links.iter().find(|link| link.index == index).map(|link| link.name);
    let world = World {
        links: seen.links.clone(),
        default_route: default.and_then(name_of),
        networks,
        local: local(connection, default)?,
        ..World::default()
    };
    Ok((Observation { world, tree: seen.tree.clone() }, seen))
}

/// The device of the default route: IPv4 first, the smallest metric first.
fn default_route(connection: &mut Connection) -> io::Result<Option<u32>> {
    for family in [INET, INET6] {
        let mut best: Option<(u32, u32)> = None; // metric, index
        connection.dump(&|seq, out| message::dump_routes(family, seq, out), &mut |m| {
            let route = message::default_route(m.payload).filter(|_| m.kind == NEW_ROUTE);
            if let Some((index, metric)) = route
                && best.is_none_or(|(least, _)| metric < least)
            {
                best = Some((metric, index));
            }
        })?;
        if let Some((_, index)) = best {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// Connected prefixes of every device but the line's; the router's own address on the line alone.
fn local(connection: &mut Connection, default: Option<u32>) -> io::Result<Vec<Prefix>> {
    let mut local = Vec::new();
    connection.dump(&message::dump_addresses, &mut |m| {
        let Some((index, prefix)) = message::address(m.payload).filter(|_| m.kind == NEW_ADDRESS) else {
            return;
        };
        if Some(index) != default && local.len() < limits::LOCAL_PREFIXES && !local.contains(&prefix) {
            local.push(prefix);
        }
    })?;
    order::rising(&mut local);
    Ok(local)
}
