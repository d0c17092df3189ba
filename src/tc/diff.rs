// SPDX-License-Identifier: Apache-2.0
//! What to send so that the kernel has the wanted tree: `diff(have, want) -> Ops`.
//!
//! Only what is ours is compared and touched; the ownership rules stand in `tc`. The order of the requests keeps two
//! promises at every moment in between: the children's rates never exceed their parent's (a child within its own rate
//! ignores its parent), and no packet is turned onto queues that are not complete.
//! A roll-back is `diff(dump, before)`: the arguments turned round.

use super::{Class, Device, Filter, FilterKind, Origin, PREFERENCE, Qdisc, QdiscKind, ROOT_MAJOR, Tree};
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
    let mut ops = Ops::default();
    for device in &want.devices {
        wanted_device(have.device(&device.name), device, &mut ops);
    }
    let gone = have.devices.iter().filter(|device| want.device(&device.name).is_none());
    let (ifbs, others): (Vec<&Device>, Vec<&Device>) =
        gone.partition(|device| device.origin != Origin::System);
    for device in others {
        wanted_device(Some(device), &Device::system(device.name), &mut ops);
    }
    // Filters that feed an IFB are deleted above, or the last packets would go nowhere.
    ops.delete.extend(ifbs.into_iter().map(|device| Op::DeleteLink(device.name)));
    ops
}

/// Whether something of ours must be built anew, with its queue, because the kernel cannot change it in place.
pub fn is_rebuild(ops: &Ops) -> bool {
    ops.create.iter().any(|op| matches!(op, Op::Qdisc { verb: Verb::Delete, .. }))
}

fn wanted_device(have: Option<&Device>, want: &Device, ops: &mut Ops) {
    if want.origin != Origin::System {
        match have.map(|device| device.origin) {
            None | Some(Origin::System) => {
                ops.links.push(Op::AddIfb(want.name));
            }
            Some(Origin::Ifb { .. }) => {}
        }
    }
    let empty = Device::system(want.name);
    let mut step = Step { device: want.name, have: have.unwrap_or(&empty), want, ops };
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
        for class in doomed.iter().filter(|class| has_successors && !is_parent(class)) {
            let slow = Class { rate: Rate::kbit(1), ceil: Rate::kbit(1).max(class.ceil), ..**class };
            if slow != **class {
                self.ops.create.push(self.class(Verb::Change, &slow));
            }
        }
        for class in self.want.classes.iter().filter(|class| is_parent(class)) {
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
        for filter in &self.want.filters {
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
        let is_wanted =
            |old: &Filter| self.want.filters.iter().any(|f| f.parent == old.parent && f.pref == old.pref);
        // A root that is deleted takes its filters along.
        let has_root = own_root(self.want).is_some();
        let stays = |old: &&&Filter| old.parent == Handle::INGRESS_FILTERS || has_root;
        for old in have.iter().filter(|old| !is_wanted(old)).filter(stays) {
            self.ops.delete.insert(0, self.filter(Verb::Delete, old));
        }
    }

    /// Removes the hook when no filter but ours was on it.
    fn leave_ingress(&mut self) {
        let (Some(hook), None) = (hook(self.have), hook(self.want)) else { return };
        let mut filters = self.have.filters.iter().filter(|f| f.parent.major() == 0xffff).peekable();
        if filters.peek().is_some() && filters.all(is_own_filter) {
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
    filter.pref == PREFERENCE
        && (filter.parent == Handle::INGRESS_FILTERS || filter.parent == Handle::new(ROOT_MAJOR, 0))
}
