// SPDX-License-Identifier: Apache-2.0
//! From dumped objects to a [`Tree`], in the canonical order, so that it compares equal to a planned one.

use super::classifier::FIRST_ENTRY;
use super::diff::is_own_filter;
use super::stats::{Counters, Tin};
use super::{Class, Device, Filter, FilterKind, Link, Origin, Qdisc, QdiscKind, ROOT_MAJOR, Tree};
use crate::order;
use crate::units::{DeviceName, Handle};
use alloc::vec::Vec;

/// Collects what a dump tells.
#[derive(Debug, Default)]
pub struct Builder {
    links: Vec<Link>,
    qdiscs: Vec<(u32, Qdisc)>,
    classes: Vec<(u32, Class)>,
    filters: Vec<(u32, Filter)>,
    /// Counters of the qdiscs and classes seen, by device index and handle.
    pub counters: Vec<(u32, Handle, Counters)>,
}

impl Builder {
    /// Begins with the links there are.
    pub fn new(links: Vec<Link>) -> Self {
        Self { links, ..Self::default() }
    }

    /// The name of the device with this index.
    pub fn name_of(&self, index: u32) -> Option<DeviceName> {
        self.links.iter().find(|link| link.index == index).map(|link| link.name)
    }

    /// Adds a qdisc. What hangs under another program's root cannot be rebuilt anyway and is left out.
    pub fn qdisc(&mut self, index: u32, qdisc: Qdisc, counters: Counters) {
        let is_kept =
            matches!(qdisc.parent, Handle::ROOT | Handle::INGRESS) || qdisc.parent.major() == ROOT_MAJOR;
        if is_kept {
            self.counters.push((index, qdisc.handle, counters));
            self.qdiscs.push((index, qdisc));
        }
    }

    /// Adds what the tins of a CAKE of ours count, the nth as if it were class n of it: so they are chosen, too.
    pub fn tins(&mut self, index: u32, cake: Handle, tins: impl Iterator<Item = Tin>) {
        if cake == Handle::new(ROOT_MAJOR, 0) {
            let handles = (1..).map(|n| Handle::new(ROOT_MAJOR, n));
            self.counters
                .extend(handles.zip(tins).map(|(handle, tin)| (index, handle, Counters::of_tin(&tin))));
        }
    }

    /// Adds a class of ours.
    pub fn class(&mut self, index: u32, class: Class, counters: Counters) {
        if class.handle.major() == ROOT_MAJOR {
            self.counters.push((index, class.handle, counters));
            self.classes.push((index, class));
        }
    }

    /// Adds a filter, or what else is said of the last one.
    pub fn filter(&mut self, index: u32, filter: Filter) {
        let is_part = |(on, last): &&mut (u32, Filter)| {
            (*on, last.parent, last.placed()) == (index, filter.parent, filter.placed())
                && matches!((&last.kind, &filter.kind), (FilterKind::U32(_), FilterKind::U32(_)))
        };
        match self.filters.last_mut().filter(is_part) {
            Some((_, Filter { kind: FilterKind::U32(known), .. })) => {
                if let FilterKind::U32(part) = filter.kind {
                    known.add(part);
                }
            }
            _ => self.filters.push((index, filter)),
        }
    }

    /// Devices whose root filters must be asked for, and whether they have classes, too: those with our HTB or CAKE.
    pub fn roots(&self) -> Vec<(u32, bool)> {
        let is_own = |q: &Qdisc| q.parent == Handle::ROOT && q.handle == Handle::new(ROOT_MAJOR, 0);
        let own = self.qdiscs.iter().filter(|(_, q)| is_own(q));
        let kinds = own.filter_map(|(index, q)| match q.kind {
            QdiscKind::Htb(_) => Some((*index, true)),
            QdiscKind::Cake(_) => Some((*index, false)),
            _ => None,
        });
        kinds.collect()
    }

    /// The classes of a device that have filters of their own: those beside the line.
    pub fn entries(&self, index: u32) -> Vec<Handle> {
        let is_entry = |class: &Class| class.parent.minor() == 0 && class.handle.minor() >= FIRST_ENTRY;
        let here = self.classes.iter().filter(|(on, class)| *on == index && is_entry(class));
        here.map(|(_, class)| class.handle).collect()
    }

    /// Devices whose hook filters must be asked for: those with an ingress or clsact qdisc.
    pub fn hooks(&self) -> Vec<u32> {
        self.qdiscs.iter().filter(|(_, q)| q.parent == Handle::INGRESS).map(|(index, _)| *index).collect()
    }

    /// The tree of every device there is, and the links.
    pub fn finish(self) -> (Vec<Link>, Tree) {
        let Self { links, mut qdiscs, mut classes, mut filters, .. } = self;
        order::by_key(&mut qdiscs, |(_, q)| {
            (q.parent != Handle::ROOT, q.parent == Handle::INGRESS, q.handle)
        });
        order::by_key(&mut classes, |(_, c)| (c.parent.minor() != 0, c.handle));
        filters.retain_mut(|(_, filter)| {
            let FilterKind::U32(kind) = &mut filter.kind else { return true };
            kind.sort();
            !(kind.tables.is_empty() && kind.nodes.is_empty())
        });
        let mut tree = Tree::default();
        for link in &links {
            let of = |index: &u32| *index == link.index;
            let origin = if link.is_ours() { Origin::Ifb { up: link.is_up } } else { Origin::System };
            let mut device = Device { origin, ..Device::system(link.name) };
            device.qdiscs.extend(qdiscs.iter().filter(|(index, _)| of(index)).map(|(_, q)| q.clone()));
            device.classes.extend(classes.iter().filter(|(index, _)| of(index)).map(|(_, c)| *c));
            device.filters.extend(filters.iter().filter(|(index, _)| of(index)).map(|(_, f)| f.clone()));
            tree.devices.push(device);
        }
        // An IFB stands before what feeds it, as in a planned tree.
        order::by_key(&mut tree.devices, |device| device.origin == Origin::System);
        (links, tree)
    }
}

impl Tree {
    /// Only what is ours: what a comparison of two moments is about when others may change their own things.
    pub fn ours(&self) -> Self {
        let mut tree = self.clone();
        for device in &mut tree.devices {
            let feeds = device
                .filters
                .iter()
                .any(|f| is_own_filter(f) && matches!(f.kind, FilterKind::Redirect { .. }));
            device.qdiscs.retain(|q| {
                q.parent.major() == ROOT_MAJOR
                    || q.handle == Handle::new(ROOT_MAJOR, 0)
                    || (feeds && q.parent == Handle::INGRESS)
            });
            device.filters.retain(is_own_filter);
        }
        tree.devices.retain(|device| device.origin != Origin::System || !device.qdiscs.is_empty());
        tree
    }
}
