// SPDX-License-Identifier: Apache-2.0
//! A `cls_u32` classifier as the messages that make and remove it, and back. Read `cls_u32.c` before editing.
//!
//! A filter is many messages here, one for each table and node. Nothing of it can be exchanged as a whole and a table
//! that is led to cannot be removed, so a changed classifier is built beside the old one, under another preference (its
//! *slot*) and with tables of other numbers, the nodes packets come in by last. Then the old one is taken away from its
//! entrance on. Its tables are busy for as long as packets may still be in them (an RCU grace period for each level): the
//! sender tries again. All u32 filters of a qdisc share the tables' numbers, and those of equal preference are dumped
//! together wherever they are: hence a slot for each entry, of which only `diff` knows which are free.

use super::attr::{self, Attrs};
use super::diff::Verb;
use super::{Action, PREFERENCE, PREFERENCES, action};
use crate::classify::u32::{self as tables, Key, Then};
use crate::units::Handle;
use alloc::rc::Rc;
use alloc::vec::Vec;

/// The preference of the classifier at the root: the first of its slots.
pub const ROOT_PREFERENCE: u16 = PREFERENCE + 1;
/// How many slots it has: one for what is in force, one for what is to be.
const ROOT_SLOTS: u16 = 2;
/// The preference of an entry's: the first of the slots all entries share.
pub const ENTRY_PREFERENCE: u16 = ROOT_PREFERENCE + ROOT_SLOTS;

/// The first preference of the classifiers at the root or at entries, and how many slots follow from it.
pub fn slots(parent: Handle) -> (u16, u16) {
    match parent.minor() {
        0 => (ROOT_PREFERENCE, ROOT_SLOTS),
        _ => (ENTRY_PREFERENCE, PREFERENCE + PREFERENCES - ENTRY_PREFERENCE),
    }
}

const CLASSID: u16 = 1;
const HASH: u16 = 2;
const LINK: u16 = 3;
const DIVISOR: u16 = 4;
const SEL: u16 = 5;
const POLICE: u16 = 6;
const ACT: u16 = 7;
const INDEV: u16 = 8;
const MARK: u16 = 10;
/// `TC_U32_TERMINAL`, `_OFFSET`, `_EAT`.
const TERMINAL: u8 = 1;
const OFFSET: u8 = 2;
const EAT: u8 = 8;
/// From here on the kernel numbers its own tables, those of the roots.
const KERNELS: u32 = 0x800;
/// How far apart the tables of the two slots are numbered.
const SLOT: u32 = 0x400;
/// Bucket and number in a handle.
const IN_TABLE: u32 = 0xf_ffff;

/// A classifier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct U32 {
    /// Where it is.
    pub place: Place,
    /// Its tables but the root: `(number, buckets)`, by number.
    pub tables: Vec<(u32, u32)>,
    /// Its nodes, by handle; one copy for everybody who has the same.
    pub nodes: Rc<Vec<Node>>,
}

/// One entry of a bucket, as the kernel is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its handle: table, bucket and number; table 0 is the root.
    pub at: u32,
    /// What it matches and how it leads on: `struct tc_u32_sel` with its keys.
    pub selector: Vec<u8>,
    /// Where to.
    pub to: To,
    /// What is done on the way.
    pub actions: Vec<Action>,
}

/// Where a node leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// To this class.
    Class(Handle),
    /// To another table.
    Table(u32),
    /// Nowhere, or a node that is none of ours.
    Nowhere,
}

/// Where the kernel has a classifier, which is no part of what it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// How far behind the first preference.
    pub slot: u16,
    /// The number the kernel gave the root table.
    pub root: u16,
}

/// Two classifiers are equal wherever they are.
impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Place {}

/// What one message is about.
enum Piece<'a> {
    Table(u32, u32),
    Node(&'a Node),
    /// The preference itself.
    Whole,
}

impl U32 {
    /// How many messages make it, or remove it.
    pub fn pieces(&self, verb: Verb) -> usize {
        match verb {
            Verb::Delete => self.roots().len() + self.tables.len() + 1,
            Verb::Create | Verb::Replace | Verb::Change => self.tables.len() + self.nodes.len(),
        }
    }

    /// The nodes packets come in by.
    pub fn roots(&self) -> &[Node] {
        let end = self.nodes.iter().take_while(|node| node.at >> 20 == 0).count();
        self.nodes.get(..end).unwrap_or_default()
    }

    /// What message `n` is about: each table before what leads to it, and away from the entrance on.
    fn piece(&self, verb: Verb, n: usize) -> Piece<'_> {
        let (roots, tables) = (self.roots().len(), self.tables.len());
        let table = |n: usize| self.tables.get(n).map(|(number, buckets)| Piece::Table(*number, *buckets));
        let node = |n: usize| self.nodes.get(n).map(Piece::Node);
        let piece = match verb {
            Verb::Delete if n < roots => node(roots - 1 - n),
            Verb::Delete => table(n - roots),
            Verb::Create | Verb::Replace | Verb::Change if n < tables => table(n),
            Verb::Create | Verb::Replace | Verb::Change => {
                node((n - tables + roots) % self.nodes.len().max(1))
            }
        };
        piece.unwrap_or(Piece::Whole)
    }

    /// A handle as it is in the kernel: each slot has tables of its own.
    fn placed(&self, handle: u32, root: u32) -> u32 {
        let table = match handle >> 20 {
            0 => root,
            table => (table + SLOT * u32::from(self.place.slot & 1)) % KERNELS,
        };
        table << 20 | handle & IN_TABLE
    }

    /// The handle message `n` is about.
    pub fn handle(&self, verb: Verb, n: usize) -> Handle {
        let root = if verb == Verb::Delete { u32::from(self.place.root) } else { 0 };
        Handle(match self.piece(verb, n) {
            Piece::Table(table, _) => self.placed(table << 20, root),
            Piece::Node(node) => self.placed(node.at, root),
            Piece::Whole => 0,
        })
    }

    /// Appends the `TCA_OPTIONS` payload of message `n` of those that make it.
    pub fn put(&self, n: usize, out: &mut Vec<u8>) {
        let node = match self.piece(Verb::Create, n) {
            Piece::Table(_, buckets) => return attr::put_u32(out, DIVISOR, buckets),
            Piece::Node(node) => node,
            Piece::Whole => return,
        };
        if node.at >> 20 != 0 {
            attr::put_u32(out, HASH, self.placed(node.at & !0xfff, 0));
        }
        match node.to {
            To::Class(class) => attr::put_u32(out, CLASSID, class.0),
            To::Table(table) => attr::put_u32(out, LINK, self.placed(table << 20, 0)),
            To::Nowhere => {}
        }
        attr::put(out, SEL, &node.selector);
        if !node.actions.is_empty() {
            let list = attr::open(out, ACT);
            action::put(&node.actions, out);
            attr::close(out, list);
        }
    }

    /// Adds what another message of the same dump says.
    pub fn add(&mut self, other: Self) {
        self.place.root |= other.place.root;
        self.tables.extend(other.tables);
        if let (Some(nodes), Ok(more)) = (Rc::get_mut(&mut self.nodes), Rc::try_unwrap(other.nodes)) {
            nodes.extend(more);
        }
    }

    /// Brings everything into order.
    pub fn sort(&mut self) {
        self.tables.sort_unstable();
        // Pairs of numbers are sorted elsewhere, too; sorting nodes themselves would make the program 8 KB larger.
        let mut order: Vec<(u32, u32)> = self.nodes.iter().map(|node| node.at).zip(0..).collect();
        order.sort_unstable();
        let Some(nodes) = Rc::get_mut(&mut self.nodes) else { return };
        let mut old: Vec<Option<Node>> = core::mem::take(nodes).into_iter().map(Some).collect();
        nodes.extend(order.iter().filter_map(|(_, n)| old.get_mut(*n as usize)?.take()));
    }
}

/// Reads one message of a dump: a table or a node.
pub fn read(handle: Handle, slot: u16, options: Attrs<'_>) -> U32 {
    let mut one = U32 { place: Place { slot, root: 0 }, ..U32::default() };
    let number = |handle: u32| ((handle >> 20) + KERNELS - SLOT * u32::from(slot & 1)) % KERNELS;
    let word = |kind| options.get(kind).and_then(|value| value.u32());
    let mut at = handle.0 & IN_TABLE;
    if handle.0 >> 20 >= KERNELS {
        one.place.root = (handle.0 >> 20) as u16;
    } else {
        at |= number(handle.0) << 20;
    }
    if at & IN_TABLE == 0 {
        if at != 0 {
            one.tables.push((at >> 20, word(DIVISOR).unwrap_or(0)));
        }
        return one;
    }
    let to = match (word(CLASSID), word(LINK)) {
        (Some(class), None) => To::Class(Handle(class)),
        (None, Some(table)) => To::Table(number(table)),
        (Some(_), Some(_)) | (None, None) => To::Nowhere,
    };
    let actions = options.get(ACT).map_or(Some(Vec::new()), |list| action::read(list.nested()));
    let has_others = [POLICE, INDEV, MARK].iter().any(|kind| options.get(*kind).is_some());
    let node = match (options.get(SEL), actions.filter(|_| !has_others)) {
        (Some(selector), Some(actions)) => Node { at, selector: selector.payload.into(), to, actions },
        _ => Node { at, selector: Vec::new(), to: To::Nowhere, actions: Vec::new() },
    };
    one.nodes = Rc::new(alloc::vec![node]);
    one
}

/// A node as the kernel is told of it.
pub fn node(node: &tables::Node, actions: Vec<Action>) -> Node {
    let at = u32::from(node.table) << 20 | u32::from(node.bucket) << 12 | u32::from(node.number);
    let (to, flags, eat, hash) = match node.then {
        Then::Class(class) => (To::Class(class), TERMINAL, 0, (0, 0)),
        Then::Table { table, eat, hash } => {
            (To::Table(table.into()), if eat > 0 { OFFSET | EAT } else { 0 }, eat, hash)
        }
    };
    // What is not a number in network order is one of this machine's.
    let mut selector = alloc::vec![flags, 0, node.keys.len() as u8, 0, 0, 0];
    selector.extend(eat.to_ne_bytes());
    selector.extend([0, 0]); // where the header's length is: it is not asked
    selector.extend(hash.0.to_ne_bytes());
    selector.extend(hash.1.to_be_bytes());
    for Key { mask, value, off } in &node.keys {
        selector.extend(mask.to_be_bytes());
        selector.extend(value.to_be_bytes());
        selector.extend(i32::from(*off).to_ne_bytes());
        selector.extend([0; 4]);
    }
    Node { at, selector, to, actions }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Class, Config, Engine, Wan};
    use crate::tc::attr::field;
    use crate::tc::diff::{Op, diff};
    use crate::tc::dump::Builder;
    use crate::tc::message::{self, Messages};
    use crate::tc::plan::{Lacks, World, plan};
    use crate::tc::{Device, Filter, FilterKind, Link, Tree};
    use crate::units::{DeviceName, Dscp, Rate};
    use alloc::string::String;

    /// A planned tree whose classes are given DSCPs, so that there are entries.
    fn planned() -> (Vec<Link>, Device) {
        let name = DeviceName::new("eth7").expect("valid");
        let link = Link::ethernet(7, name);
        let lacks = Lacks { bpf: true, ..Lacks::default() };
        let world = World { links: alloc::vec![link.clone()], lacks, ..World::default() };
        let mut classes = Class::defaults();
        classes[1].set_dscp_up = Dscp::new(40);
        let wan = Wan { device: Some(name), upload: Some(Rate::mbit(5)), ..Wan::new("w") };
        let config = Config { wans: alloc::vec![wan], classes, ..Config::default() };
        let plan = plan(&config, &world);
        (alloc::vec![link], plan.tree.devices[0].clone())
    }

    fn encoded(op: &Op) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in 0..message::pieces(op) {
            message::encode(op, piece, 1, &|_| Some(7), &mut out).expect("the device is known");
        }
        out
    }

    /// What a dump tells of filters that were made by these messages: root nodes have the root's number, and each
    /// preference's tables come newest first.
    fn dumped(links: Vec<Link>, creates: &[Vec<u8>]) -> Tree {
        let mut builder = Builder::new(links);
        for (messages, root) in creates.iter().zip(0x800u32..) {
            let mut all: Vec<Vec<u8>> = Messages::new(messages).map(|m| m.payload.to_vec()).collect();
            for payload in &mut all {
                let handle = u32::from_ne_bytes(field(payload, 8).expect("a header"));
                let handle = if handle >> 20 == 0 { root << 20 | handle } else { handle };
                payload[8..12].copy_from_slice(&handle.to_ne_bytes());
            }
            all.sort_by_key(|payload| {
                core::cmp::Reverse(u32::from_ne_bytes(field(payload, 8).expect("a header")) >> 20)
            });
            for payload in &all {
                let (index, filter) = message::filter(payload, &|_| None).expect("a filter");
                builder.filter(index, filter);
            }
        }
        builder.finish().1
    }

    fn op(verb: Verb, device: &Device, filter: &Filter) -> Op {
        Op::Filter { device: device.name, verb, filter: filter.clone() }
    }

    #[test]
    fn a_classifier_is_read_back_as_it_was_written_in_both_slots() {
        let (links, device) = planned();
        let tables: Vec<usize> = device.filters.iter().map(|filter| kind(filter).tables.len()).collect();
        assert!(tables.len() == 2 && tables[0] == 0 && tables[1] > 10, "{tables:?}");
        for slot in [0, 1] {
            let mut filters = device.filters.clone();
            if let FilterKind::U32(kind) = &mut filters[1].kind {
                kind.place.slot = slot;
            }
            let messages: Vec<Vec<u8>> =
                filters.iter().map(|filter| encoded(&op(Verb::Create, &device, filter))).collect();
            let tree = dumped(links.clone(), &messages);
            assert_eq!(tree.devices[0].filters, device.filters);
            let place = kind(&tree.devices[0].filters[1]).place;
            assert_eq!((place.slot, place.root), (slot, 0x801));
        }
    }

    fn kind(filter: &Filter) -> &U32 {
        match &filter.kind {
            FilterKind::U32(kind) => kind,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_node_that_somebody_changed_or_added_makes_the_classifier_another() {
        let (links, device) = planned();
        let messages: Vec<Vec<u8>> =
            device.filters.iter().map(|filter| encoded(&op(Verb::Create, &device, filter))).collect();
        let mut foreign = messages.clone();
        // One node more, at the end of the first table.
        let length = Messages::new(&messages[1]).last().expect("a node").payload.len() + 16;
        let mut extra = messages[1][messages[1].len() - length..].to_vec();
        extra[24..28].copy_from_slice(&0x0010_0fffu32.to_ne_bytes());
        foreign[1].extend(extra);
        let tree = dumped(links.clone(), &foreign);
        assert!(tree.devices[0].filters != device.filters);
        let want = Tree { devices: alloc::vec![device.clone()] };
        let have = |filters: &[Filter]| Tree {
            devices: alloc::vec![Device { filters: filters.to_vec(), ..device.clone() }],
        };
        let ops = diff(&have(&tree.devices[0].filters), &want);
        let [Op::Filter { verb: Verb::Create, filter: made, .. }] = &ops.turn[..] else { panic!("{ops:?}") };
        let [Op::Filter { verb: Verb::Delete, filter: gone, .. }] = &ops.delete[..] else {
            panic!("{ops:?}")
        };
        assert_eq!((kind(made).place.slot, kind(gone).place.slot), (1, 0));
        // As it was left, nothing is sent.
        assert!(diff(&have(&dumped(links, &messages).devices[0].filters), &want).is_empty());
    }

    #[test]
    fn what_stands_in_for_a_missing_classifier_is_planned_both_ways_and_said() {
        let name = DeviceName::new("eth7").expect("valid");
        let (links, _) = planned();
        let rates = Wan { upload: Some(Rate::mbit(5)), download: Some(Rate::mbit(20)), ..Wan::new("w") };
        let kinds = |lacks: Lacks, engine| {
            let wan = Wan { device: Some(name), engine, ..rates.clone() };
            let config = Config { wans: alloc::vec![wan], ..Config::default() };
            let plan = plan(&config, &World { links: links.clone(), lacks, ..World::default() });
            let is_at_root = |filter: &&Filter| filter.parent == Handle::new(crate::tc::ROOT_MAJOR, 0);
            let at_roots = plan.tree.devices.iter().flat_map(|device| &device.filters).filter(is_at_root);
            let kinds: Vec<&str> = at_roots
                .map(|filter| match &filter.kind {
                    FilterKind::U32(_) => "u32",
                    other => {
                        if matches!(other, FilterKind::Bpf(_)) {
                            "bpf"
                        } else {
                            "other"
                        }
                    }
                })
                .collect();
            let notes: Vec<String> = plan.notes.into_iter().map(|(_, text)| text).collect();
            (kinds.join(" "), notes.join("\n"))
        };
        let mut lacks = Lacks::default();
        assert_eq!(kinds(lacks, Engine::Htb), ("bpf bpf".into(), String::new()));
        lacks.bpf = true;
        let (filters, note) = kinds(lacks, Engine::Htb);
        assert!(
            filters == "u32 u32" && note.contains("no cls_bpf (kmod-sched-bpf): u32 classifies"),
            "{note}"
        );
        assert_eq!(note.lines().count(), 1, "{note}");
        let (filters, note) = kinds(lacks, Engine::Cake);
        assert!(filters.is_empty() && note.contains("CAKE chooses tins by trusted DSCPs alone"), "{note}");
        lacks.u32 = true;
        let (filters, note) = kinds(lacks, Engine::Htb);
        assert!(
            filters.is_empty() && note.contains("neither cls_bpf (kmod-sched-bpf) nor cls_u32"),
            "{note}"
        );
    }

    #[test]
    fn a_refusal_tells_whether_the_classifier_is_missing_or_what_rewrites() {
        const ENOENT: i32 = 2;
        let (_, device) = planned();
        let learnt = |filter: &Filter, text: &str| {
            let mut lacks = Lacks::default();
            (lacks.learn(&op(Verb::Create, &device, filter), ENOENT, text), lacks.to_text())
        };
        let [entry, root] = &device.filters[..] else { panic!("{:?}", device.filters) };
        assert_eq!(learnt(root, "TC classifier not found"), (true, "u32".into()));
        assert_eq!(learnt(entry, "TC classifier not found"), (true, "u32".into()));
        assert_eq!(learnt(entry, "Failed to load TC action module"), (true, "pedit".into()));
        assert_eq!(learnt(root, ""), (true, "u32".into()));
        assert_eq!(learnt(root, "Specified parent ID not found"), (false, String::new()));
    }

    #[test]
    fn entrances_are_made_last_and_removed_first() {
        let (_, device) = planned();
        let kind = kind(&device.filters[1]);
        let roots = kind.nodes.iter().filter(|node| node.at >> 20 == 0).count();
        let made = kind.pieces(Verb::Create);
        let is_root =
            |n: &usize| matches!(kind.piece(Verb::Create, *n), Piece::Node(node) if node.at >> 20 == 0);
        assert_eq!((0..made).filter(is_root).collect::<Vec<_>>(), (made - roots..made).collect::<Vec<_>>());
        let handles: Vec<u32> =
            (0..kind.pieces(Verb::Delete)).map(|n| kind.handle(Verb::Delete, n).0).collect();
        let (first, rest) = handles.split_at(roots);
        assert_eq!(first, (1..=roots as u32).rev().collect::<Vec<_>>());
        assert!(rest.iter().all(|handle| handle & 0xf_ffff == 0) && rest.last() == Some(&0));
    }

    #[test]
    fn a_node_that_does_more_than_ours_is_none_of_ours() {
        let node = tables::Node {
            table: 3,
            bucket: 7,
            number: 2,
            keys: alloc::vec![Key { mask: 0xffff, value: 53, off: 20 }],
            then: Then::Table { table: 9, eat: 8, hash: (20, 0xff) },
        };
        let one = super::node(&node, Vec::new());
        let made = U32 { nodes: alloc::vec![one.clone()].into(), ..U32::default() };
        let mut options = Vec::new();
        made.put(0, &mut options);
        let handle = made.handle(Verb::Create, 0);
        assert_eq!(
            (handle.0, read(handle, 0, Attrs::new(&options)).nodes),
            (0x0030_7002, alloc::vec![one.clone()].into())
        );
        for kind in [CLASSID, POLICE, INDEV, MARK] {
            let mut more = options.clone();
            attr::put_u32(&mut more, kind, 1);
            let nodes = read(handle, 0, Attrs::new(&more)).nodes;
            assert!(nodes.iter().all(|node| node.at == one.at && node.to == To::Nowhere), "{kind}");
        }
    }
}
