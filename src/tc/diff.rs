// SPDX-License-Identifier: Apache-2.0
//! What to send so that the kernel has the wanted tree: `diff(have, want) -> Ops`.
//!
//! Only what is ours is compared and touched; the ownership rules stand in `tc`. The order of the requests keeps two
//! promises at every moment in between: the children's rates never exceed their parent's (a child within its own rate
//! ignores its parent), and no packet is turned onto queues that are not complete.
//! A roll-back is `diff(dump, before)`: the arguments turned round.

use super::{
    Class, Device, Filter, FilterKind, Origin, PREFERENCE, PREFERENCES, Qdisc, QdiscKind, ROOT_MAJOR, Tree,
    U32,
    u32::{Place, slots},
};
use crate::units::{DeviceName, Handle, Rate};
use alloc::string::String;
use alloc::vec::Vec;

/// How a request treats what is there (`NLM_F_*` of the new-message, or the delete message).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Make it; it must not exist (`CREATE | EXCL`).
    Create,
    /// Make it in place of what hangs there (`CREATE | REPLACE`).
    Replace,
    /// Alter what exists (no flags).
    Change,
    /// Remove it.
    Delete,
}

/// One request to the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Create an IFB device in our group.
    AddIfb(DeviceName),
    /// Bring a device up.
    SetUp(DeviceName),
    /// Remove a device of ours with everything on it.
    DeleteLink(DeviceName),
    /// A qdisc. With [`Verb::Change`] and `options: false` only the size table is sent: HTB's root refuses its own
    /// options on a change (sch_htb has no `.change`), while a stab alone is replaced in place.
    Qdisc {
        /// On which device.
        device: DeviceName,
        /// What to do with it.
        verb: Verb,
        /// The whole qdisc as wanted (or, to delete, as it is).
        qdisc: Qdisc,
        /// Whether `TCA_OPTIONS` is sent.
        options: bool,
    },
    /// An HTB class.
    Class {
        /// On which device.
        device: DeviceName,
        /// What to do with it.
        verb: Verb,
        /// The whole class as wanted (or, to delete, as it is).
        class: Class,
    },
    /// A filter.
    Filter {
        /// On which device.
        device: DeviceName,
        /// What to do with it.
        verb: Verb,
        /// The whole filter as wanted (or, to delete, as it is).
        filter: Filter,
    },
}

/// Requests in the order the kernel must see them. Each stage is sent whole and awaited whole, for the kernel goes on
/// after a refused message; a failed stage is followed by a roll-back, never by the next stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ops {
    /// Devices first (their index must be known before anything is put on them).
    pub links: Vec<Op>,
    /// What is new and carries no traffic yet, and changes in place.
    pub create: Vec<Op>,
    /// Filters that turn traffic onto it.
    pub turn: Vec<Op>,
    /// What is no longer wanted.
    pub delete: Vec<Op>,
}

impl Ops {
    /// Whether nothing has to be sent.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many requests there are.
    pub fn len(&self) -> usize {
        self.links.len() + self.create.len() + self.turn.len() + self.delete.len()
    }
}

/// A root qdisc of another program in the place of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The device.
    pub device: DeviceName,
    /// What is there.
    pub kind: String,
    /// Its handle.
    pub handle: Handle,
}

/// The root qdiscs of others that stand where `want` has one of ours.
pub fn conflicts(have: &Tree, want: &Tree) -> Vec<Conflict> {
    let roots = want.devices.iter().filter(|device| own_root(device).is_some());
    let theirs = roots.filter_map(|device| {
        let root = root(have.device(&device.name)?)?;
        (!is_own_root(root) && !root.is_kernel_default()).then(|| Conflict {
            device: device.name,
            kind: root.kind.name().into(),
            handle: root.handle,
        })
    });
    theirs.collect()
}

/// What turns `have` into `want`, as far as it is ours.
pub fn diff(have: &Tree, want: &Tree) -> Ops {
    compare(have, want, false)
}

/// What turns `have` back into what it was a moment ago, before requests of ours half of which were refused: as
/// [`diff`], and a hook without filters that was not there before is ours, too.
pub fn undo(have: &Tree, before: &Tree) -> Ops {
    compare(have, before, true)
}

fn compare(have: &Tree, want: &Tree, is_undo: bool) -> Ops {
    let mut ops = Ops::default();
    for device in &want.devices {
        wanted_device(have.device(&device.name), device, is_undo, &mut ops);
    }
    let gone = have.devices.iter().filter(|device| want.device(&device.name).is_none());
    let (ifbs, others): (Vec<&Device>, Vec<&Device>) =
        gone.partition(|device| device.origin != Origin::System);
    for device in others {
        wanted_device(Some(device), &Device::system(device.name), is_undo, &mut ops);
    }
    // Filters that feed an IFB are deleted above, or the last packets would go nowhere.
    ops.delete.extend(ifbs.into_iter().map(|device| Op::DeleteLink(device.name)));
    ops
}

/// Whether something of ours must be built anew, with its queue, because the kernel cannot change it in place.
pub fn is_rebuild(ops: &Ops) -> bool {
    ops.create.iter().any(|op| matches!(op, Op::Qdisc { verb: Verb::Delete, .. }))
}

fn wanted_device(have: Option<&Device>, want: &Device, is_undo: bool, ops: &mut Ops) {
    if want.origin != Origin::System {
        match have.map(|device| device.origin) {
            None | Some(Origin::System) => {
                ops.links.push(Op::AddIfb(want.name));
            }
            Some(Origin::Ifb { .. }) => {}
        }
    }
    let empty = Device::system(want.name);
    let mut step = Step { device: want.name, have: have.unwrap_or(&empty), want, is_undo, ops };
    let keeps_root = step.root();
    step.classes(keeps_root);
    step.leaves(keeps_root);
    step.ingress();
    step.filters(keeps_root);
    step.leave_ingress();
    // Up when its queues are complete, or its own first packets would pass them by.
    let is_up = have.is_some_and(|device| device.origin == Origin::Ifb { up: true });
    if want.origin != Origin::System && !is_up {
        ops.create.push(Op::SetUp(want.name));
    }
}

/// One device being compared.
struct Step<'a> {
    device: DeviceName,
    have: &'a Device,
    want: &'a Device,
    is_undo: bool,
    ops: &'a mut Ops,
}

impl Step<'_> {
    /// The root qdisc; says whether what hangs under it stays.
    fn root(&mut self) -> bool {
        match (own_root(self.have), own_root(self.want)) {
            (None, None) => false,
            (Some(have), None) => {
                self.ops.delete.push(self.qdisc(Verb::Delete, have, true));
                false
            }
            (None, Some(want)) => {
                // Replace: what hangs there is the kernel's default, or a takeover was allowed.
                self.ops.create.push(self.qdisc(Verb::Replace, want, true));
                false
            }
            (Some(have), Some(want)) => match (&have.kind, &want.kind) {
                (QdiscKind::Htb(old), QdiscKind::Htb(new)) if old == new => {
                    if have.stab != want.stab {
                        // A message without a stab would remove it and one with options is refused: only the stab.
                        self.ops.create.push(self.qdisc(Verb::Change, want, false));
                    }
                    true
                }
                (QdiscKind::Cake(old), QdiscKind::Cake(new)) => {
                    if old != new {
                        self.ops.create.push(self.qdisc(Verb::Change, want, true));
                    }
                    true
                }
                _ => {
                    self.ops.create.push(self.qdisc(Verb::Delete, have, true));
                    self.ops.create.push(self.qdisc(Verb::Create, want, true));
                    false
                }
            },
        }
    }

    /// Classes, in the order in which no moment has children above their parent: those that shrink, the ones that go
    /// (made as slow as can be), the parents, then those that are new or grow.
    fn classes(&mut self, keeps_root: bool) {
        let have: &[Class] = if keeps_root { &self.have.classes } else { &[] };
        let old =
            |class: &Class| have.iter().find(|old| old.handle == class.handle && old.parent == class.parent);
        let is_parent = |class: &Class| class.parent.minor() == 0;
        let doomed: Vec<&Class> = have
            .iter()
            .filter(|old| {
                !self.want.classes.iter().any(|new| new.handle == old.handle && new.parent == old.parent)
            })
            .collect();

        let children = || self.want.classes.iter().filter(|class| !is_parent(class));
        for class in children() {
            if old(class).is_some_and(|old| old != class && class.rate <= old.rate) {
                self.ops.create.push(self.class(Verb::Change, class));
            }
        }
        let has_successors = children().any(|class| old(class).is_none_or(|old| class.rate > old.rate));
        let parents = || self.want.classes.iter().filter(|class| is_parent(class));
        let has_less_room = parents().any(|class| old(class).is_some_and(|old| class.rate < old.rate));
        let makes_room = has_successors || has_less_room;
        for class in doomed.iter().filter(|class| makes_room && !is_parent(class)) {
            let slow = Class { rate: Rate::kbit(1), ceil: Rate::kbit(1).max(class.ceil), ..**class };
            if slow != **class {
                self.ops.create.push(self.class(Verb::Change, &slow));
            }
        }
        for class in parents() {
            match old(class) {
                None => self.ops.create.push(self.class(Verb::Create, class)),
                Some(old) if old != class => self.ops.create.push(self.class(Verb::Change, class)),
                Some(_) => {}
            }
        }
        for class in children() {
            match old(class) {
                None => self.ops.create.push(self.class(Verb::Create, class)),
                Some(old) if class.rate > old.rate => self.ops.create.push(self.class(Verb::Change, class)),
                Some(_) => {}
            }
        }
        // Children before their parent, or the kernel calls the parent busy.
        for class in doomed.iter().rev() {
            self.ops.delete.push(self.class(Verb::Delete, class));
        }
    }

    /// The qdiscs under the classes.
    fn leaves(&mut self, keeps_root: bool) {
        for leaf in self.want.qdiscs.iter().filter(|qdisc| is_leaf(qdisc)) {
            let old =
                self.have.qdiscs.iter().find(|old| keeps_root && is_leaf(old) && old.parent == leaf.parent);
            match old.map(|old| (old, in_place(old, leaf))) {
                None => self.ops.create.push(self.qdisc(Verb::Create, leaf, true)),
                Some((old, _)) if old == leaf => {}
                Some((_, true)) => self.ops.create.push(self.qdisc(Verb::Change, leaf, true)),
                Some((old, false)) => {
                    self.ops.create.push(self.qdisc(Verb::Delete, old, true));
                    self.ops.create.push(self.qdisc(Verb::Create, leaf, true));
                }
            }
        }
        // A class that goes takes its own along; one that stays may have had none, when somebody had removed it.
        let stays = |leaf: &Qdisc| self.want.classes.iter().any(|class| class.handle == leaf.parent);
        let is_wanted = |leaf: &Qdisc| self.want.qdiscs.iter().any(|new| new.parent == leaf.parent);
        for leaf in self.have.qdiscs.iter().filter(|old| keeps_root && is_leaf(old)) {
            if stays(leaf) && !is_wanted(leaf) {
                self.ops.delete.push(self.qdisc(Verb::Delete, leaf, true));
            }
        }
    }

    /// The hook for arriving packets: ours or anybody's, `ingress` or `clsact`, serves.
    fn ingress(&mut self) {
        if let (None, Some(hook)) = (hook(self.have), hook(self.want)) {
            // In one message with its filter: killed in between, weir would leave a hook that nobody owns.
            self.ops.turn.push(self.qdisc(Verb::Create, hook, true));
        }
    }

    fn filters(&mut self, keeps_root: bool) {
        // What hangs on a root that is built anew went with it.
        let lives = |filter: &&Filter| filter.parent == Handle::INGRESS_FILTERS || keeps_root;
        let have: Vec<&Filter> =
            self.have.filters.iter().filter(|f| is_own_filter(f)).filter(lives).collect();
        let is_wanted = |old: &Filter| {
            !is_u32(old) && self.want.filters.iter().any(|f| f.parent == old.parent && f.pref == old.pref)
        };
        // What leads to an entry goes before what is there: those of the root are told last, and put in front.
        // A root that is deleted takes its filters along.
        let has_root = own_root(self.want).is_some();
        let stays = |old: &&&Filter| old.parent == Handle::INGRESS_FILTERS || has_root;
        // What a u32 classifier is kept for, or has been removed for already, is settled above.
        let settled = |old: &&&Filter| {
            is_u32(old) && self.want.filters.iter().any(|new| is_u32(new) && new.parent == old.parent)
        };
        for old in have.iter().filter(|old| !is_wanted(old) && !settled(old)).filter(stays) {
            self.ops.delete.insert(0, self.filter(Verb::Delete, old));
        }
        for filter in &self.want.filters {
            if let FilterKind::U32(kind) = &filter.kind {
                self.u32(&have, filter, kind);
                continue;
            }
            match have.iter().find(|old| old.parent == filter.parent && old.pref == filter.pref) {
                None => self.ops.turn.push(self.filter(Verb::Create, filter)),
                Some(old) if *old == filter => {}
                Some(old)
                    if matches!((&old.kind, &filter.kind), (FilterKind::Bpf(_), FilterKind::Bpf(_))) =>
                {
                    // The same preference and handle: the program is exchanged between two packets.
                    self.ops.turn.push(self.filter(Verb::Replace, filter));
                }
                Some(old) => {
                    self.ops.turn.push(self.filter(Verb::Delete, old));
                    self.ops.turn.push(self.filter(Verb::Create, filter));
                }
            }
        }
    }

    /// A u32 classifier, of which there is one at each place: a changed one is built beside the old one.
    fn u32(&mut self, have: &[&Filter], filter: &Filter, kind: &U32) {
        let roots = |filter: &Filter| match &filter.kind {
            FilterKind::U32(known) => known.roots().len(),
            _ => 0,
        };
        let is_here = |old: &&Filter| is_u32(old) && old.parent == filter.parent;
        let mut olds: Vec<&Filter> = have.iter().copied().filter(is_here).collect();
        let kept = olds.iter().position(|old| *old == filter);
        // One is in force; another is half made or half removed, and cannot be entered everywhere.
        let in_force =
            kept.or_else(|| (0..olds.len()).rev().max_by_key(|n| olds.get(*n).map(|old| roots(old))));
        if let Some(in_force) = in_force.map(|n| olds.remove(n)) {
            for old in &olds {
                self.ops.turn.push(self.filter(Verb::Delete, old));
            }
            if kept.is_some() {
                return;
            }
            self.ops.delete.insert(0, self.filter(Verb::Delete, in_force));
        }
        let (_, slots) = slots(filter.parent);
        let created = self.ops.turn.iter().filter_map(|op| match op {
            Op::Filter { device, verb: Verb::Create, filter } if *device == self.device => Some(filter),
            _ => None,
        });
        let is_removed = |one: &&&Filter| olds.iter().any(|old| core::ptr::eq(*old, **one));
        let there = have.iter().filter(|one| !is_removed(one)).copied().chain(created);
        let taken: Vec<u16> = there.filter(|one| is_u32(one)).map(Filter::placed).collect();
        let slot = (0..slots).find(|slot| !taken.contains(&(filter.pref + slot))).unwrap_or(0);
        let kind = FilterKind::U32(U32 { place: Place { slot, root: 0 }, ..kind.clone() });
        self.ops.turn.push(self.filter(Verb::Create, &Filter { kind, ..filter.clone() }));
    }

    /// Removes the hook when no filter but ours was on it.
    fn leave_ingress(&mut self) {
        let (Some(hook), None) = (hook(self.have), hook(self.want)) else { return };
        let mut filters = self.have.filters.iter().filter(|f| f.parent.major() == 0xffff).peekable();
        if (filters.peek().is_some() || self.is_undo) && filters.all(is_own_filter) {
            self.ops.delete.push(self.qdisc(Verb::Delete, hook, true));
        }
    }

    fn qdisc(&self, verb: Verb, qdisc: &Qdisc, options: bool) -> Op {
        Op::Qdisc { device: self.device, verb, qdisc: qdisc.clone(), options }
    }

    fn class(&self, verb: Verb, class: &Class) -> Op {
        Op::Class { device: self.device, verb, class: *class }
    }

    fn filter(&self, verb: Verb, filter: &Filter) -> Op {
        Op::Filter { device: self.device, verb, filter: filter.clone() }
    }
}

/// Whether the kernel can turn leaf `old` into `new` without losing its queue.
fn in_place(old: &Qdisc, new: &Qdisc) -> bool {
    old.handle == new.handle
        && match (&old.kind, &new.kind) {
            // Sending the number of flows is refused, even the same one.
            (QdiscKind::FqCodel(old), QdiscKind::FqCodel(new)) => old.flows == new.flows,
            (QdiscKind::Bfifo(_), QdiscKind::Bfifo(_)) | (QdiscKind::Sfq(_), QdiscKind::Sfq(_)) => true,
            _ => false,
        }
}

fn is_u32(filter: &Filter) -> bool {
    matches!(filter.kind, FilterKind::U32(_))
}

fn root(device: &Device) -> Option<&Qdisc> {
    device.qdiscs.iter().find(|qdisc| qdisc.parent == Handle::ROOT)
}

/// Our root on a device, if it has one.
pub fn own_root(device: &Device) -> Option<&Qdisc> {
    root(device).filter(|qdisc| is_own_root(qdisc))
}

fn is_own_root(qdisc: &Qdisc) -> bool {
    qdisc.handle == Handle::new(ROOT_MAJOR, 0)
}

fn is_leaf(qdisc: &Qdisc) -> bool {
    qdisc.parent.major() == ROOT_MAJOR
}

fn hook(device: &Device) -> Option<&Qdisc> {
    device.qdiscs.iter().find(|qdisc| qdisc.parent == Handle::INGRESS)
}

/// Whether a filter carries our preference where we put filters.
pub fn is_own_filter(filter: &Filter) -> bool {
    (PREFERENCE..PREFERENCE + PREFERENCES).contains(&filter.pref)
        && (filter.parent == Handle::INGRESS_FILTERS || filter.parent.major() == ROOT_MAJOR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Config, DownloadOn, Engine, Wan};
    use crate::tc::Link;
    use crate::tc::classifier::FIRST_ENTRY;
    use crate::tc::plan::{Lacks, World, plan};
    use crate::tc::u32::To;
    use crate::units::Permille;

    /// A generator for the properties below; the seed is in the message of whatever fails.
    struct Random(u64);

    impl Random {
        fn seeded(seed: u64) -> Self {
            Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        }

        fn below(&mut self, n: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % n
        }
    }

    fn name(text: &str) -> DeviceName {
        DeviceName::new(text).expect("valid")
    }

    fn world(random: &mut Random) -> World {
        let link = |index, text: &str| Link {
            index,
            name: name(text),
            kind: String::new(),
            hardware: if text == "ppp0" { 512 } else { 1 },
            is_up: true,
            mtu: 1500,
            group: 0,
            master: 0,
            gso_max_segs: 65_535,
        };
        let lacks = Lacks { fq_codel: random.below(4) == 0, bpf: random.below(4) == 0, ..Lacks::default() };
        World {
            links: alloc::vec![link(1, "eth0"), link(2, "ppp0"), link(3, "lan0")],
            lacks,
            ..World::default()
        }
    }

    fn config(random: &mut Random) -> Config {
        let mut wan = Wan::new("wan");
        wan.device = Some(name(if random.below(3) == 0 { "ppp0" } else { "eth0" }));
        let mut rate = || Some(Rate::kbit(64 + random.below(200_000) as u32));
        (wan.upload, wan.download) = (rate(), rate());
        if random.below(5) == 0 {
            wan.upload = None;
        }
        if random.below(4) == 0 {
            (wan.download_on, wan.lan) = (DownloadOn::Lan, Some(name("lan0")));
        }
        wan.engine = if random.below(4) == 0 { Engine::Cake } else { Engine::Auto };
        wan.link = config::link::PRESETS[random.below(config::link::PRESETS.len() as u64) as usize].link;
        let mut classes = config::Class::defaults();
        for class in &mut classes {
            class.guarantee = Permille(random.below(250) as u16);
        }
        for class in &mut classes {
            class.set_dscp_up = crate::units::Dscp::new(random.below(300) as u8);
        }
        if random.below(3) == 0 {
            classes.push(config::Class { name: "extra".into(), is_default: false, ..classes[1].clone() });
        }
        if random.below(3) == 0 {
            classes.remove(1);
        }
        Config { wans: alloc::vec![wan], classes, ..Config::default() }
    }

    fn random_tree(random: &mut Random) -> Tree {
        if random.below(10) == 0 {
            return Tree::default();
        }
        let world = world(random);
        plan(&config(random), &world).tree
    }

    /// What the kernel would make of one request, refusing what it would refuse. After each, the children's rates are
    /// held against their parent's.
    fn perform(tree: &mut Tree, op: &Op) -> Result<(), String> {
        let at = |tree: &mut Tree, name: &DeviceName| {
            tree.devices.iter().position(|d| d.name == *name).unwrap_or_else(|| {
                tree.devices.push(Device::system(*name));
                tree.devices.len() - 1
            })
        };
        match op {
            Op::AddIfb(name) => {
                tree.devices.push(Device { origin: Origin::Ifb { up: false }, ..Device::system(*name) });
            }
            Op::SetUp(name) => {
                let n = at(tree, name);
                tree.devices[n].origin = Origin::Ifb { up: true };
            }
            Op::DeleteLink(name) => {
                let feeds = |f: &Filter| matches!(&f.kind, FilterKind::Redirect { to } if to == name);
                if tree.devices.iter().any(|d| d.filters.iter().any(feeds)) {
                    return Err("packets are still sent there".into());
                }
                tree.devices.retain(|d| d.name != *name);
            }
            Op::Qdisc { device, verb, qdisc, options } => {
                let n = at(tree, device);
                let device = &mut tree.devices[n];
                let is_root = qdisc.parent == Handle::ROOT;
                let old = device.qdiscs.iter().position(|q| q.parent == qdisc.parent);
                let has_classes = own_root(device).is_some_and(|q| matches!(q.kind, QdiscKind::Htb(_)));
                if is_leaf(qdisc) && !has_classes {
                    return Err("the root has no classes".into());
                }
                if is_leaf(qdisc) && !device.classes.iter().any(|c| c.handle == qdisc.parent) {
                    return Err("no such class".into());
                }
                match (verb, old) {
                    (Verb::Create, Some(_)) => return Err("exists".into()),
                    (Verb::Change | Verb::Delete, None) => return Err("no such qdisc".into()),
                    (Verb::Delete, Some(old)) => {
                        device.qdiscs.remove(old);
                        if is_root {
                            device.qdiscs.retain(|q| !is_leaf(q));
                            device.classes.clear();
                            device.filters.retain(|f| f.parent == Handle::INGRESS_FILTERS);
                        } else if qdisc.parent == Handle::INGRESS {
                            device.filters.retain(|f| f.parent != Handle::INGRESS_FILTERS);
                        }
                    }
                    (Verb::Change, Some(old)) => {
                        let is_htb = matches!(qdisc.kind, QdiscKind::Htb(_));
                        if is_htb == *options {
                            return Err("HTB takes a stab alone".into());
                        }
                        if device.qdiscs[old].kind.name() != qdisc.kind.name() {
                            return Err("another kind".into());
                        }
                        device.qdiscs[old] = qdisc.clone();
                    }
                    (Verb::Create | Verb::Replace, old) => {
                        old.map(|old| device.qdiscs.remove(old));
                        let place = if is_root { 0 } else { device.qdiscs.len() };
                        device.qdiscs.insert(place, qdisc.clone());
                    }
                }
            }
            Op::Class { device, verb, class } => {
                let n = at(tree, device);
                let device = &mut tree.devices[n];
                if !own_root(device).is_some_and(|q| matches!(q.kind, QdiscKind::Htb(_))) {
                    return Err("the root has no classes".into());
                }
                let old = device.classes.iter().position(|c| c.handle == class.handle);
                match (verb, old) {
                    (Verb::Create, None) => device.classes.push(*class),
                    (Verb::Change, Some(old)) => device.classes[old] = *class,
                    (Verb::Delete, Some(old)) => {
                        device.classes.remove(old);
                        device.qdiscs.retain(|q| q.parent != class.handle);
                        if device.classes.iter().any(|c| c.parent == class.handle) {
                            return Err("class in use".into());
                        }
                    }
                    _ => return Err(alloc::format!("class {} {verb:?}", class.handle)),
                }
                for parent in &device.classes {
                    let children = device.classes.iter().filter(|c| c.parent == parent.handle);
                    let sum = children.fold(Rate::ZERO, |sum, c| sum.saturating_add(c.rate));
                    if sum > parent.rate {
                        return Err(alloc::format!(
                            "the children of {} have {sum} of {}",
                            parent.handle,
                            parent.rate
                        ));
                    }
                }
            }
            Op::Filter { device, verb, filter } => {
                let n = at(tree, device);
                let device = &mut tree.devices[n];
                let at = (filter.parent, filter.placed());
                let old = device.filters.iter().position(|f| (f.parent, f.placed()) == at);
                let is_taken = |f: &Filter| is_u32(f) && f.placed() == filter.placed();
                if is_u32(filter) && *verb == Verb::Create && device.filters.iter().any(is_taken) {
                    return Err("another place's nodes would be dumped with these".into());
                }
                match (verb, old) {
                    (Verb::Create, None) => device.filters.push(filter.clone()),
                    (Verb::Replace, Some(old)) => device.filters[old] = filter.clone(),
                    (Verb::Delete, Some(old)) => drop(device.filters.remove(old)),
                    _ => return Err(alloc::format!("filter {verb:?}")),
                }
            }
        }
        Ok(())
    }

    /// Whether packets are led to an entry that has no filters: they would take the default class.
    fn leads_nowhere(tree: &Tree) -> bool {
        let mut at_roots =
            tree.devices.iter().flat_map(|device| device.filters.iter().map(move |f| (device, f)));
        at_roots.any(|(device, filter)| {
            let FilterKind::U32(kind) = &filter.kind else { return false };
            let is_empty = |entry: Handle| {
                entry.minor() >= FIRST_ENTRY && !device.filters.iter().any(|below| below.parent == entry)
            };
            kind.nodes.iter().any(|node| matches!(node.to, To::Class(entry) if is_empty(entry)))
        })
    }

    /// A tree as a dump would order it, without devices that have nothing on them.
    fn canonical(tree: &Tree) -> Tree {
        let mut tree = tree.clone();
        for device in &mut tree.devices {
            device.qdiscs.sort_by_key(|q| (q.parent != Handle::ROOT, q.parent == Handle::INGRESS, q.handle));
            device.classes.sort_by_key(|c| (c.parent.minor() != 0, c.handle));
            // Those of the root behind those of the entries, as in a plan and a dump.
            device.filters.sort_by_key(|f| (f.parent.minor() == 0, f.parent.0, f.pref));
        }
        tree.devices.retain(|d| d.origin != Origin::System || !d.qdiscs.is_empty());
        tree.devices.sort_by_key(|d| d.name);
        tree
    }

    fn all(ops: &Ops) -> impl Iterator<Item = &Op> {
        [&ops.links, &ops.create, &ops.turn, &ops.delete].into_iter().flatten()
    }

    #[test]
    fn what_a_diff_asks_for_leads_from_any_tree_to_any_other() {
        for seed in 1..1500 {
            let mut random = Random::seeded(seed);
            let mut have = Tree::default();
            for want in [random_tree(&mut random), random_tree(&mut random), random_tree(&mut random)] {
                for op in all(&diff(&have, &want)) {
                    if let Err(text) = perform(&mut have, op) {
                        panic!("seed {seed}: {op:?}: {text}");
                    }
                    assert!(!leads_nowhere(&have), "seed {seed}: {op:?}");
                }
                assert_eq!(canonical(&have), canonical(&want), "seed {seed}");
                assert!(diff(&have, &want).is_empty(), "seed {seed}: a second look finds more");
            }
        }
    }

    /// Somebody removed a leaf here and there.
    fn damage(tree: &mut Tree, random: &mut Random) {
        for device in &mut tree.devices {
            device.qdiscs.retain(|qdisc| !is_leaf(qdisc) || random.below(4) > 0);
        }
    }

    #[test]
    fn a_refusal_at_any_request_can_be_undone() {
        for seed in 1..300 {
            let mut random = Random::seeded(seed);
            let (first, want) = (random_tree(&mut random), random_tree(&mut random));
            let mut before = Tree::default();
            all(&diff(&before, &first)).for_each(|op| perform(&mut before, op).expect("as it is asked for"));
            if seed % 3 == 0 {
                damage(&mut before, &mut random);
            }
            let ops = diff(&before, &want);
            for refused in 0..ops.len() {
                let mut have = before.clone();
                let mut done = 0;
                // The kernel goes on after a refused request, to the end of its stage.
                for stage in [&ops.links, &ops.create, &ops.turn, &ops.delete] {
                    for (n, op) in stage.iter().enumerate() {
                        if done + n != refused {
                            let _ = perform(&mut have, op);
                        }
                    }
                    done += stage.len();
                    if refused < done {
                        break;
                    }
                }
                for op in all(&undo(&have, &before)) {
                    let _ = perform(&mut have, op);
                }
                assert_eq!(canonical(&have), canonical(&before), "seed {seed}, request {refused}");
            }
        }
    }

    #[test]
    fn an_unchanged_plan_asks_for_nothing() {
        for seed in 1..300 {
            let tree = random_tree(&mut Random::seeded(seed));
            assert!(diff(&tree, &tree).is_empty(), "seed {seed}");
        }
    }

    #[test]
    fn a_rate_change_alters_classes_and_leaves_in_place() {
        let mut config = config(&mut Random(99));
        config.wans[0] = Wan { upload: Some(Rate::mbit(5)), device: Some(name("eth0")), ..Wan::new("wan") };
        let world = world(&mut Random(4));
        let before = plan(&config, &World { lacks: Lacks::default(), ..world.clone() }).tree;
        config.wans[0].upload = Some(Rate::mbit(9));
        let after = plan(&config, &World { lacks: Lacks::default(), ..world }).tree;
        let ops = diff(&before, &after);
        assert!(!ops.is_empty() && !is_rebuild(&ops));
        assert!(all(&ops).all(|op| matches!(op, Op::Class { verb: Verb::Change, .. })), "{ops:?}");
    }

    #[test]
    fn anothers_root_is_a_conflict_and_the_kernels_own_is_not() {
        let want = random_tree(&mut Random(12345));
        let device = want.devices.iter().find(|d| own_root(d).is_some()).expect("something is shaped").name;
        let foreign = |handle| Tree {
            devices: alloc::vec![Device {
                qdiscs: alloc::vec![Qdisc {
                    parent: Handle::ROOT,
                    handle,
                    stab: None,
                    kind: QdiscKind::Foreign(crate::tc::Foreign { kind: "tbf".into(), options: Vec::new() }),
                }],
                ..Device::system(device)
            }],
        };
        assert!(conflicts(&foreign(Handle::NONE), &want).is_empty());
        assert_eq!(conflicts(&foreign(Handle::new(0x8001, 0)), &want).len(), 1);
    }
}
