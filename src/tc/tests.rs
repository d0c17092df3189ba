// SPDX-License-Identifier: Apache-2.0
//! Netlink bytes against the real thing: what `tc` sends for the same settings, what a real kernel dumps, and that
//! nothing it or anybody else could send makes a parser panic.
//!
//! The captures are in `tests/golden/netlink`, each with its command; `tests/lab/capture-golden` makes them anew. They
//! are little-endian, so the comparisons are too; round trips and random bytes run everywhere.

extern crate std;

use super::attr::{self, Attrs};
use super::diff::{Op, Verb};
use super::dump::Builder;
use super::message::{self, Messages};
use super::u32 as cls_u32;
use super::*;
use crate::classify::Insn;
use crate::classify::u32::{self as tables, Key, Then};
use crate::config::link::Cells;
use crate::config::{AckFilter, Diffserv, Isolation};
use crate::units::{Dscp, Micros};
use std::fs;
use std::path::PathBuf;
use std::prelude::v1::*;

/// The message of a capture, or, of a dump, its datagrams.
fn golden(name: &str) -> Vec<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/netlink/{name}.hex"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let hex: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let datagrams = hex.split(|line| line.is_empty()).map(<[&str]>::concat).filter(|d| !d.is_empty());
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex");
    datagrams.map(|hex| hex.as_bytes().chunks(2).map(byte).collect()).collect()
}

fn captures() -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/netlink");
    let names = fs::read_dir(folder).expect("the captures are there").map(|entry| {
        let name = entry.expect("readable").file_name().into_string().expect("ASCII");
        name.trim_end_matches(".hex").to_owned()
    });
    names.collect()
}

fn device(name: &str) -> DeviceName {
    DeviceName::new(name).expect("a device name")
}

/// The devices of the machine the captures were made on.
fn index_of(name: &DeviceName) -> Option<u32> {
    match name.as_str() {
        "eth7" => Some(7),
        "weir-wan" => Some(8),
        "weir-x" => Some(9),
        _ => None,
    }
}

fn encoded(op: &Op) -> Vec<u8> {
    let mut out = Vec::new();
    message::encode(op, 0, 0, &index_of, &mut out).expect("the devices are known");
    out
}

fn qdisc(verb: Verb, parent: Handle, major: u16, kind: QdiscKind) -> Op {
    let qdisc = Qdisc { parent, handle: Handle::new(major, 0), stab: None, kind };
    Op::Qdisc { device: device("eth7"), verb, qdisc, options: true }
}

fn class(verb: Verb, parent: u16, minor: u16, of: impl FnOnce(&mut Class)) -> Op {
    let mut class = Class {
        parent: Handle::new(ROOT_MAJOR, parent),
        handle: Handle::new(ROOT_MAJOR, minor),
        rate: Rate::mbit(20),
        ceil: Rate::mbit(20),
        burst: Ticks::for_bytes(Rate::mbit(20), 2500),
        cburst: Ticks::for_bytes(Rate::mbit(20), 2500),
        quantum: 1514,
        prio: 0,
    };
    of(&mut class);
    Op::Class { device: device("eth7"), verb, class }
}

fn filter(verb: Verb, parent: Handle, kind: FilterKind) -> Op {
    Op::Filter {
        device: device("eth7"),
        verb,
        filter: Filter { parent, pref: PREFERENCE, protocol: 3, kind },
    }
}

const LEAF: Handle = Handle::new(ROOT_MAJOR, 0x30);
const ROOT: Handle = Handle::new(ROOT_MAJOR, 0);

fn htb() -> QdiscKind {
    QdiscKind::Htb(Htb { default: 0x30, direct_qlen: 1000 })
}

fn fq_codel() -> FqCodel {
    FqCodel {
        limit: 1001,
        flows: 1024,
        target_us: fq_codel::canonical(Micros::ms(5)),
        interval_us: fq_codel::canonical(Micros::ms(100)),
        quantum: 300,
        ecn: true,
        memory_limit: 4 << 20,
    }
}

fn cake() -> Cake {
    Cake {
        bandwidth: Rate::mbit(20),
        diffserv: Diffserv::Diffserv4,
        isolation: Isolation::DualSrchost,
        nat: true,
        ack_filter: AckFilter::Off,
        wash: false,
        split_gso: true,
        rtt_us: 100_000,
        target_us: cake::target_for(100_000),
        memory: 0,
        ingress: false,
        fwmark: 0,
        overhead: 38,
        mpu: 84,
        cells: Cells::None,
    }
}

fn program() -> Program {
    let insn = |code, jt, jf, k| Insn { code, jt, jf, k };
    let insns = vec![
        insn(40, 0, 0, 12),
        insn(21, 0, 1, 2048),
        insn(6, 0, 0, 0x57e1_0030),
        insn(6, 0, 0, 0x57e1_0010),
    ];
    Program { insns: insns.into(), default: Handle::new(ROOT_MAJOR, 0x10) }
}

/// A message taken apart: what is before the attributes, and the attributes one by one, nests opened as far as asked.
#[derive(Debug, PartialEq, Eq)]
struct Parts {
    head: Vec<u8>,
    attrs: Vec<(u16, Vec<u8>)>,
    options: Vec<(u16, Vec<u8>)>,
}

fn parts(bytes: &[u8], fixed: usize) -> Parts {
    let all = |bytes| Attrs::new(bytes).map(|a| (a.kind, a.payload.to_vec())).collect::<Vec<_>>();
    let mut head = bytes[..16 + fixed].to_vec();
    head[..4].fill(0); // the length
    let attrs = all(&bytes[16 + fixed..]);
    let options = attrs.iter().find(|(kind, _)| *kind == 2).map_or(Vec::new(), |(_, nest)| all(nest));
    Parts { head, attrs, options }
}

const TCMSG: usize = 20;

/// What the captures about u32 made: a table and a node of it, a link to it and a node that marks.
fn hashed() -> Filter {
    let node = |table, bucket, number, off, value, then, actions| {
        let keys = vec![Key { mask: 0xffff, value, off }];
        cls_u32::node(&tables::Node { table, bucket, number, keys, then }, actions)
    };
    let mark = Action::SetDscp { dscp: Dscp::new(34).expect("below 64"), is_v6: true };
    let class = Then::Class(Handle::new(ROOT_MAJOR, 0x10));
    let kind = U32 {
        tables: vec![(1, 8)],
        nodes: vec![
            node(0, 0, 1, -4, 0x0800, Then::Table { table: 1, eat: 8, hash: (20, 7) }, vec![]),
            node(0, 0, 2, -4, 0x86dd, class, vec![mark]),
            node(1, 7, 2, 20, 0x35, class, vec![]),
        ]
        .into(),
        ..U32::default()
    };
    Filter {
        parent: Handle::new(ROOT_MAJOR, 0),
        pref: cls_u32::ROOT_PREFERENCE,
        protocol: 3,
        kind: FilterKind::U32(kind),
    }
}

#[cfg(target_endian = "little")]
mod little_endian {
    use super::*;

    #[test]
    fn these_requests_are_tcs_to_the_byte() {
        let small = FqCodel {
            target_us: fq_codel::canonical(Micros::ms(12)),
            interval_us: fq_codel::canonical(Micros::ms(120)),
            ecn: false,
            ..fq_codel()
        };
        let redirect = FilterKind::Redirect { to: device("weir-wan") };
        let cases = [
            ("htb-root", qdisc(Verb::Replace, Handle::ROOT, ROOT_MAJOR, htb())),
            ("fq_codel", qdisc(Verb::Create, LEAF, 0x57e2, QdiscKind::FqCodel(fq_codel()))),
            ("fq_codel-change", qdisc(Verb::Change, LEAF, 0x57e2, QdiscKind::FqCodel(small))),
            ("bfifo", qdisc(Verb::Replace, LEAF, 0x57e4, QdiscKind::Bfifo(Bfifo { limit: 25_000 }))),
            ("clsact", qdisc(Verb::Create, Handle::INGRESS, 0xffff, QdiscKind::Clsact)),
            ("ingress", qdisc(Verb::Create, Handle::INGRESS, 0xffff, QdiscKind::Ingress)),
            (
                "bpf",
                filter(Verb::Create, ROOT, FilterKind::Bpf(Bpf { program: program(), actions: Vec::new() })),
            ),
            ("mirred", filter(Verb::Create, Handle::INGRESS_FILTERS, redirect)),
            ("link-add-ifb", Op::AddIfb(device("weir-x"))),
            ("link-del", Op::DeleteLink(device("weir-x"))),
        ];
        for (name, op) in cases {
            assert_eq!(encoded(&op), golden(name)[0], "{name}");
        }
    }

    #[test]
    fn htb_classes_are_tcs_but_for_the_rate_tables() {
        // tc computes a table of 256 sizes for rate and ceil (CTAB 4, RTAB 3) and says how it is made (cell_log 3,
        // cell_align -1); a kernel that is told the link layer takes neither.
        let slow = |mbit, ceil, burst, cburst| {
            move |class: &mut Class| {
                (class.rate, class.ceil, class.prio) = (Rate::mbit(mbit), Rate::mbit(ceil), 1);
                class.burst = Ticks::for_bytes(class.rate, burst);
                class.cburst = Ticks::for_bytes(class.ceil, cburst);
            }
        };
        let cases = [
            ("htb-class", class(Verb::Create, 0, 1, |_| {})),
            ("htb-class-child", class(Verb::Create, 1, 0x30, slow(2, 20, 1600, 2500))),
            ("htb-class-change", class(Verb::Change, 1, 0x30, slow(1, 10, 1600, 1600))),
            (
                "htb-class-rate64",
                class(Verb::Create, 0, 2, |class| {
                    (class.rate, class.ceil) = (Rate::mbit(40_000), Rate::mbit(40_000));
                    // tc writes 5mb as 5 000 000 and rounds in its own way.
                    (class.burst, class.cburst) = (Ticks(0x3ff7), Ticks(0x3ff7));
                    class.quantum = 60_000;
                }),
            ),
        ];
        for (name, op) in cases {
            let (ours, mut theirs) = (parts(&encoded(&op), TCMSG), parts(&golden(name)[0], TCMSG));
            theirs.options.retain(|(kind, _)| ![3, 4].contains(kind));
            theirs.options.sort_by_key(|(kind, _)| *kind); // tc writes the wide rates first
            for ratespec in [0, 12] {
                let parms = &mut theirs.options[0].1;
                assert_eq!(parms[ratespec..ratespec + 8], [3, 1, 0, 0, 0xff, 0xff, 0, 0], "{name}");
                parms[ratespec..ratespec + 8].copy_from_slice(&[0, 1, 0, 0, 0, 0, 0, 0]);
            }
            assert_eq!(ours.head, theirs.head, "{name}");
            assert_eq!(ours.options, theirs.options, "{name}");
        }
    }

    #[test]
    fn a_size_table_has_tcs_form_and_a_content_of_its_own() {
        let stab = Stab { overhead: 18, mpu: 64, cells: Cells::None, mtu: 1500, header: 14 };
        let Op::Qdisc { device, verb, qdisc, options } = qdisc(Verb::Create, Handle::ROOT, ROOT_MAJOR, htb())
        else {
            unreachable!()
        };
        let op = Op::Qdisc { device, verb, qdisc: Qdisc { stab: Some(stab), ..qdisc }, options };
        let (ours, theirs) = (parts(&encoded(&op), TCMSG), parts(&golden("htb-root-stab")[0], TCMSG));
        assert_eq!((ours.head, ours.options.len()), (theirs.head, 1 + theirs.options.len()));
        let base = |attrs: &[(u16, Vec<u8>)]| {
            let stab = attrs.iter().find(|(kind, _)| *kind == 8).expect("a stab").1.clone();
            let data = Attrs::new(&stab).get(2).expect("a table").payload.len();
            (Attrs::new(&stab).get(1).expect("a base").payload.to_vec(), data)
        };
        let ((ours, data), (theirs, _)) = (base(&ours.attrs), base(&theirs.attrs));
        assert_eq!(ours.len(), theirs.len());
        assert_eq!(ours[4..16], theirs[4..16], "overhead, link layer, mpu");
        assert_eq!(data, 2 * 2 * (1500 - 52), "two bytes for each of two payloads");
    }

    #[test]
    fn every_cake_keyword_is_the_attribute_tc_sends_for_it() {
        let ours =
            parts(&encoded(&qdisc(Verb::Create, Handle::ROOT, ROOT_MAJOR, QdiscKind::Cake(cake()))), TCMSG);
        let theirs = parts(&golden("cake")[0], TCMSG);
        // Said by us alone, each at its default: memory 10, ingress 15, fwmark 18.
        let said: Vec<_> =
            ours.options.into_iter().filter(|(kind, _)| ![10, 15, 18].contains(kind)).collect();
        assert_eq!((ours.head, said), (theirs.head, theirs.options));

        type Keyword = (&'static str, fn(&mut Cake));
        let keywords: &[Keyword] = &[
            ("besteffort", |c| c.diffserv = Diffserv::Besteffort),
            ("diffserv3", |c| c.diffserv = Diffserv::Diffserv3),
            ("diffserv8", |c| c.diffserv = Diffserv::Diffserv8),
            ("precedence", |c| c.diffserv = Diffserv::Precedence),
            ("flowblind", |c| c.isolation = Isolation::Flowblind),
            ("srchost", |c| c.isolation = Isolation::Srchost),
            ("dsthost", |c| c.isolation = Isolation::Dsthost),
            ("hosts", |c| c.isolation = Isolation::Hosts),
            ("flows", |c| c.isolation = Isolation::Flows),
            ("dual_dsthost", |c| c.isolation = Isolation::DualDsthost),
            ("triple_isolate", |c| c.isolation = Isolation::TripleIsolate),
            ("nonat", |c| c.nat = false),
            ("wash", |c| c.wash = true),
            ("ack_filter", |c| c.ack_filter = AckFilter::Filter),
            ("ack_filter_aggressive", |c| c.ack_filter = AckFilter::Aggressive),
            ("no_split_gso", |c| c.split_gso = false),
            ("rtt_30ms", |c| (c.rtt_us, c.target_us) = (30_000, cake::target_for(30_000))),
            ("memlimit_4mb", |c| c.memory = 4 << 20),
            ("ingress", |c| c.ingress = true),
            ("egress", |_| {}),
            ("overhead_44_mpu_64_atm", |c| (c.overhead, c.mpu, c.cells) = (44, 64, Cells::Atm)),
            ("overhead_30_ptm", |c| (c.overhead, c.cells) = (30, Cells::Ptm)),
            ("overhead__4", |c| c.overhead = -4),
            ("fwmark_0xff", |c| c.fwmark = 0xff),
            ("bandwidth_40gbit", |c| c.bandwidth = Rate::mbit(40_000)),
            ("unlimited", |c| c.bandwidth = Rate::ZERO),
        ];
        for (keyword, set) in keywords {
            let mut wanted = cake();
            set(&mut wanted);
            let op = qdisc(Verb::Change, Handle::ROOT, ROOT_MAJOR, QdiscKind::Cake(wanted));
            let ours = parts(&encoded(&op), TCMSG);
            let theirs = parts(&golden(&format!("cake-{keyword}"))[0], TCMSG);
            assert_eq!(ours.head, theirs.head, "{keyword}");
            for attr in theirs.options {
                assert!(ours.options.contains(&attr), "{keyword}: tc sends {attr:?}, we {:?}", ours.options);
            }
        }
        // `raw` alone is never said: an overhead, zero included, is.
        let captured = captures().iter().filter(|name| name.starts_with("cake-")).count();
        assert_eq!(captured, keywords.len() + 1);
    }

    #[test]
    fn sfq_is_told_what_tc_tells_it_in_the_shorter_struct() {
        // tc sends struct tc_sfq_qopt_v1, 72 bytes with RED's settings; the kernel takes its first 20 alone.
        let op = qdisc(
            Verb::Replace,
            LEAF,
            0x57e3,
            QdiscKind::Sfq(Sfq { quantum: 1514, perturb_period: 10, limit: 127 }),
        );
        let (ours, theirs) = (parts(&encoded(&op), TCMSG), parts(&golden("sfq")[0], TCMSG));
        assert_eq!(ours.head, theirs.head);
        assert_eq!(ours.attrs[1].1[..], theirs.attrs[1].1[..20]);
        assert_eq!(theirs.attrs[1].1[20..], [0; 52]);
    }

    #[test]
    fn deletes_name_what_they_mean_more_closely_than_tc() {
        // Each has, besides tc's, the one word without which somebody else's thing could be meant.
        let redirect = FilterKind::Redirect { to: device("weir-wan") };
        let cases = [
            ("root-del", qdisc(Verb::Delete, Handle::ROOT, ROOT_MAJOR, htb()), 24, ROOT.0.to_le_bytes()),
            ("class-del", class(Verb::Delete, 0, 2, |_| {}), 28, ROOT.0.to_le_bytes()),
            ("filter-del", filter(Verb::Delete, ROOT, redirect), 32, [0, 3, 0xe1, 0x57]),
        ];
        for (name, op, offset, word) in cases {
            let mut theirs = golden(name)[0].clone();
            theirs[offset..offset + 4].copy_from_slice(&word);
            assert_eq!(encoded(&op), theirs, "{name}");
        }
    }

    #[test]
    fn a_link_is_raised_as_ip_does_it_and_named_for_people() {
        let ours = parts(&encoded(&Op::SetUp(device("weir-x"))), 16);
        let theirs = parts(&golden("link-set-up")[0], 16);
        let kinds: Vec<u16> = ours.attrs.iter().map(|(kind, _)| *kind).collect();
        assert_eq!((ours.head, kinds), (theirs.head, vec![3, 20])); // its name, an alias
        assert_eq!(theirs.attrs, []);
    }

    /// Feeds everything the captured dumps say into a tree.
    fn dumped(names: &[&str]) -> (Tree, Vec<(u32, Handle, stats::Counters)>) {
        let link = |index, name: &str| Link {
            index,
            name: device(name),
            kind: if index == 8 { "ifb".into() } else { "veth".into() },
            hardware: 1,
            is_up: true,
            mtu: 1500,
            group: if index == 8 { GROUP } else { 0 },
            master: 0,
            gso_max_segs: 65_535,
        };
        let mut builder = Builder::new(vec![link(7, "eth7"), link(8, "weir-wan")]);
        for datagram in names.iter().flat_map(|name| golden(name)) {
            let mut count = 0;
            for message in Messages::new(&datagram) {
                count += 1;
                match message.kind {
                    message::NEW_QDISC => {
                        let (index, qdisc, counters) = message::qdisc(message.payload).expect("a qdisc");
                        builder.qdisc(index, qdisc, counters);
                    }
                    message::NEW_CLASS => {
                        let (index, class, counters) = message::class(message.payload).expect("an HTB class");
                        builder.class(index, class, counters);
                    }
                    message::NEW_FILTER => {
                        if let Some((index, filter)) =
                            message::filter(message.payload, &|n| builder.name_of(n))
                        {
                            builder.filter(index, filter);
                        }
                    }
                    other => panic!("message {other}"),
                }
            }
            assert!(count > 0);
        }
        let counters = std::mem::take(&mut builder.counters);
        (builder.finish().1, counters)
    }

    #[test]
    fn a_dumped_htb_tree_is_the_one_that_was_made() {
        let (tree, counters) =
            dumped(&["dump-qdiscs", "dump-classes", "dump-filters", "dump-filters-ingress"]);
        let eth7 = tree.device(&device("eth7")).expect("dumped");
        // The stab in it is tc's, not of our making, hence none.
        let root = Qdisc { parent: Handle::ROOT, handle: ROOT, stab: None, kind: htb() };
        let leaf = Qdisc {
            parent: LEAF,
            handle: Handle::new(0x57e4, 0),
            stab: None,
            kind: QdiscKind::Bfifo(Bfifo { limit: 25_000 }),
        };
        assert_eq!(eth7.qdiscs, [root, leaf]);
        let row = |c: &Class| {
            (c.parent, c.handle.minor(), c.rate, c.ceil, c.burst.bytes(c.rate), c.quantum, c.prio)
        };
        let rows: Vec<_> = eth7.classes.iter().map(row).collect();
        let line = Handle::new(ROOT_MAJOR, 1);
        assert_eq!(
            rows,
            [
                (ROOT, 1, Rate::mbit(20), Rate::mbit(20), 2500, 1514, 0),
                (ROOT, 2, Rate::mbit(40_000), Rate::mbit(40_000), 5_240_000, 60_000, 0),
                (line, 0x30, Rate::mbit(1), Rate::mbit(10), 1600, 1514, 1),
            ]
        );
        let own = |parent, kind| Filter { parent, pref: PREFERENCE, protocol: 3, kind };
        assert_eq!(
            eth7.filters,
            [
                own(ROOT, FilterKind::Bpf(Bpf { program: program(), actions: Vec::new() })),
                own(Handle::INGRESS_FILTERS, FilterKind::Redirect { to: device("weir-wan") }),
            ]
        );
        let ifb = tree.device(&device("weir-wan")).expect("dumped");
        assert_eq!(ifb.origin, Origin::Ifb { up: true });
        assert!(ifb.qdiscs.iter().all(Qdisc::is_kernel_default));
        let of = |minor| {
            counters.iter().find(|(index, handle, _)| (*index, handle.minor()) == (7, minor)).expect("one").2
        };
        assert_eq!((of(1).bytes, of(1).packets, of(0).bytes), (88, 1, 0x6c));
    }

    /// The filters that were captured with their actions, by the name of the capture.
    fn acting() -> Vec<(&'static str, Filter)> {
        let af41 = Dscp::new(34).expect("below 64");
        let mark = |is_v6| Action::SetDscp { dscp: af41, is_v6 };
        let note = Action::Priority { priority: Handle::new(ROOT_MAJOR, 3), is_last_word: false };
        let rows = [
            ("bpf-priority", u32::MAX, vec![note]),
            ("bpf-mark-ip4", 0x57e1_0010, vec![mark(false), Action::HeaderChecksum]),
            ("bpf-mark-ip6", 0x57e1_0010, vec![mark(true)]),
        ];
        let filter = |(n, (name, k, actions)): (u16, (_, u32, _))| {
            let program = Program { insns: [Insn { code: 6, jt: 0, jf: 0, k }].into(), default: Handle(k) };
            let kind = FilterKind::Bpf(Bpf { program, actions });
            (name, Filter { parent: ROOT, pref: PREFERENCE + 1 + n, protocol: 3, kind })
        };
        (0..).zip(rows).map(filter).collect()
    }

    #[test]
    fn actions_are_what_tc_asks_for() {
        for (name, filter) in acting() {
            let op = Op::Filter { device: device("eth7"), verb: Verb::Create, filter };
            let (ours, theirs) = (parts(&encoded(&op), TCMSG), parts(&golden(name)[0], TCMSG));
            assert_eq!((&ours.head, &ours.attrs), (&theirs.head, &theirs.attrs), "{name}");
        }
    }

    #[test]
    fn dumped_actions_are_those_that_were_made() {
        let (tree, _) = dumped(&["dump-actions"]);
        let filters: Vec<Filter> = acting().into_iter().map(|(_, filter)| filter).collect();
        assert_eq!(tree.device(&device("eth7")).expect("dumped").filters, filters);
    }

    #[test]
    fn tables_and_nodes_are_what_tc_asks_for() {
        let op = Op::Filter { device: device("eth7"), verb: Verb::Create, filter: hashed() };
        let names = ["u32-table", "u32-node", "u32-link", "u32-mark"];
        assert_eq!(message::pieces(&op), names.len());
        for (piece, name) in names.into_iter().enumerate() {
            let mut ours = Vec::new();
            message::encode(&op, piece, 0, &index_of, &mut ours).expect("the device is known");
            let (mut ours, mut theirs) = (parts(&ours, TCMSG), parts(&golden(name)[0], TCMSG));
            // The order is no part of what is said.
            ours.options.sort();
            theirs.options.sort();
            assert_eq!((&ours.head, &ours.options), (&theirs.head, &theirs.options), "{name}");
        }
    }

    #[test]
    fn dumped_tables_are_those_that_were_made() {
        let (tree, _) = dumped(&["dump-u32"]);
        assert_eq!(tree.device(&device("eth7")).expect("dumped").filters, [hashed()]);
    }

    #[test]
    fn a_dumped_fq_codel_has_the_canonical_times() {
        let (tree, _) = dumped(&["dump-qdiscs"]);
        // The kernel's default on the IFB: 5 ms and 100 ms.
        let kinds: Vec<_> = tree.devices[0].qdiscs.iter().map(|q| q.kind.clone()).collect();
        let [QdiscKind::FqCodel(dumped)] = kinds[..] else { panic!("{kinds:?}") };
        let wanted = FqCodel { limit: 10_240, quantum: 1514, memory_limit: 32 << 20, ..fq_codel() };
        assert_eq!(dumped, wanted);
    }

    #[test]
    fn a_dumped_cake_is_told_apart_by_raw_and_its_tins_are_read() {
        let datagrams = golden("dump-cake");
        let messages = || datagrams.iter().flat_map(|datagram| Messages::new(datagram));
        let message = messages()
            .find(|m| message::qdisc(m.payload).is_some_and(|(_, q, _)| q.handle == ROOT))
            .expect("CAKE was dumped");
        let (index, dumped, counters) = message::qdisc(message.payload).expect("a qdisc");
        assert_eq!((index, counters.bytes, counters.packets, counters.marks), (7, 70, 1, 0));
        assert!(
            matches!(&dumped.kind, QdiscKind::Foreign(foreign) if foreign.kind == "cake"),
            "raw is not ours"
        );

        let attrs = Attrs::new(&message.payload[TCMSG..]);
        let options = attrs.get(2).expect("options").payload;
        let mut framed = Vec::new();
        Attrs::new(options).filter(|a| a.kind != 12).for_each(|a| attr::put(&mut framed, a.kind, a.payload));
        let wanted = Cake {
            bandwidth: Rate::ZERO,
            diffserv: Diffserv::Precedence,
            isolation: Isolation::TripleIsolate,
            nat: false,
            ack_filter: AckFilter::Aggressive,
            wash: true,
            split_gso: false,
            rtt_us: 30_000,
            target_us: 1500,
            memory: 4 << 20,
            fwmark: 0xff,
            overhead: 0,
            mpu: 64,
            ..cake()
        };
        assert_eq!(cake::read(Attrs::new(&framed)), Some(wanted));
        let tins: Vec<stats::Tin> = stats::tins(&attrs).collect();
        assert_eq!(tins.len(), 8);
        assert_eq!(
            (tins[0].bytes, tins[0].packets, tins[0].peak_delay_us, tins[0].average_delay_us),
            (70, 1, 254, 3)
        );
        assert_eq!(tins[1], stats::Tin::default());
    }

    #[test]
    fn every_capture_is_looked_at() {
        let text = include_str!("tests.rs");
        for name in captures() {
            let short = name.strip_prefix("cake-").unwrap_or(&name);
            assert!(
                short == "raw" || text.contains(&format!("\"{short}\"")),
                "{name} is compared with nothing"
            );
        }
    }
}

/// Random numbers that are the same every time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as u32
    }

    fn below(&mut self, end: u32) -> u32 {
        self.next() % end
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u32) as usize]
    }

    fn coin(&mut self) -> bool {
        self.next() & 1 == 0
    }

    fn rate(&mut self) -> Rate {
        // Small, large, and around where 32 bits of bytes per second end.
        let bytes = match self.below(3) {
            0 => u64::from(self.below(1 << 20)),
            1 => u64::from(u32::MAX) - 2 + u64::from(self.below(5)),
            _ => u64::from(self.next()) << self.below(8),
        };
        Rate::from_bytes_per_sec(bytes)
    }

    fn qdisc(&mut self) -> Qdisc {
        const DIFFSERV: [Diffserv; 5] = [
            Diffserv::Diffserv3,
            Diffserv::Diffserv4,
            Diffserv::Diffserv8,
            Diffserv::Besteffort,
            Diffserv::Precedence,
        ];
        const ISOLATION: [Isolation; 8] = [
            Isolation::Flowblind,
            Isolation::Srchost,
            Isolation::Dsthost,
            Isolation::Hosts,
            Isolation::Flows,
            Isolation::DualSrchost,
            Isolation::DualDsthost,
            Isolation::TripleIsolate,
        ];
        const CELLS: [Cells; 3] = [Cells::None, Cells::Atm, Cells::Ptm];
        let kind = match self.below(8) {
            0 => QdiscKind::Htb(Htb { default: self.next() as u16, direct_qlen: self.next() }),
            1 => QdiscKind::FqCodel(FqCodel {
                limit: self.next(),
                flows: self.next(),
                target_us: fq_codel::canonical(Micros(self.next().into())),
                interval_us: fq_codel::canonical(Micros(self.next().into())),
                quantum: self.next(),
                ecn: self.coin(),
                memory_limit: self.next(),
            }),
            2 => QdiscKind::Sfq(Sfq {
                quantum: self.next(),
                perturb_period: self.next() as i32,
                limit: self.next(),
            }),
            3 => QdiscKind::Bfifo(Bfifo { limit: self.next() }),
            4 => QdiscKind::Cake(Cake {
                bandwidth: self.rate(),
                diffserv: self.pick(&DIFFSERV),
                isolation: self.pick(&ISOLATION),
                nat: self.coin(),
                ack_filter: self.pick(&[AckFilter::Off, AckFilter::Filter, AckFilter::Aggressive]),
                wash: self.coin(),
                split_gso: self.coin(),
                rtt_us: self.next(),
                target_us: self.next(),
                memory: self.next(),
                ingress: self.coin(),
                fwmark: self.next(),
                overhead: self.next() as i32,
                mpu: self.next(),
                cells: self.pick(&CELLS),
            }),
            5 => QdiscKind::Clsact,
            6 => QdiscKind::Ingress,
            _ => QdiscKind::Foreign(Foreign {
                kind: "netem".into(),
                options: (0..self.below(40)).map(|_| self.next() as u8).collect(),
            }),
        };
        let stab = self.coin().then(|| Stab {
            overhead: self.below(2049) as i32 - 1024,
            mpu: self.below(100) as u16,
            cells: self.pick(&CELLS),
            mtu: 576 + self.below(8425) as u16,
            header: self.pick(&[0, 14]),
        });
        Qdisc { parent: Handle(self.next()), handle: Handle(self.next()), stab, kind }
    }

    fn class(&mut self) -> Class {
        // A parent of `root` is what the kernel calls the root qdisc; it never comes out of a plan.
        let parent = Handle(self.next() & 0x7fff_ffff);
        Class {
            parent,
            handle: Handle(self.next()),
            rate: self.rate(),
            ceil: self.rate(),
            burst: Ticks(self.next()),
            cburst: Ticks(self.next()),
            quantum: self.next(),
            prio: self.next(),
        }
    }

    fn filter(&mut self) -> Filter {
        let kind = if self.coin() {
            FilterKind::Redirect { to: device("weir-wan") }
        } else {
            let count = 1 + self.pick(&[0, 5, 300, 3999]);
            let insn = |r: &mut Self| Insn {
                code: r.next() as u16,
                jt: r.next() as u8,
                jf: r.next() as u8,
                k: r.next(),
            };
            let insns: Vec<Insn> = (0..count).map(|_| insn(self)).collect();
            let default = Handle(insns[insns.len() - 1].k);
            FilterKind::Bpf(Bpf { program: Program { insns: insns.into(), default }, actions: Vec::new() })
        };
        Filter { parent: Handle(self.next()), pref: self.next() as u16, protocol: self.next() as u16, kind }
    }
}

/// What the kernel makes of fq_codel's times before it dumps them.
fn as_dumped(mut qdisc: Qdisc) -> Qdisc {
    if let QdiscKind::FqCodel(leaf) = &mut qdisc.kind {
        leaf.target_us = fq_codel::canonical(Micros(leaf.target_us.into()));
        leaf.interval_us = fq_codel::canonical(Micros(leaf.interval_us.into()));
    }
    qdisc
}

#[test]
fn every_object_is_read_back_as_it_was_written() {
    let mut random = Random(0x5eed_1234_5678_9abc);
    let eth7 = device("eth7");
    for round in 0..4000u32 {
        let (qdisc, class, filter) = (random.qdisc(), random.class(), random.filter());
        let ops = [
            Op::Qdisc { device: eth7, verb: Verb::Create, qdisc: qdisc.clone(), options: true },
            Op::Class { device: eth7, verb: Verb::Change, class },
            Op::Filter { device: eth7, verb: Verb::Replace, filter: filter.clone() },
        ];
        let mut batch = Vec::new();
        for (op, seq) in ops.iter().zip(round..) {
            message::encode(op, 0, seq, &index_of, &mut batch).expect("the devices are known");
        }
        let read: Vec<_> = Messages::new(&batch).collect();
        let heads: Vec<_> = read.iter().map(|m| (m.kind, m.flags, m.seq)).collect();
        let (q, c, f) = (message::NEW_QDISC, message::NEW_CLASS, message::NEW_FILTER);
        assert_eq!(heads, [(q, 0x605, round), (c, 0x5, round + 1), (f, 0x505, round + 2)]);

        let (index, back, _) = message::qdisc(read[0].payload).expect("a qdisc");
        assert_eq!((index, as_dumped(back)), (7, qdisc), "round {round}");
        let (index, back, _) = message::class(read[1].payload).expect("a class");
        assert_eq!((index, back), (7, class), "round {round}");
        // A u32 filter has no handle until the kernel gives it one, and its redirect names the device by index.
        let mut payload = read[2].payload.to_vec();
        payload[8..12].copy_from_slice(&0x8000_0800u32.to_ne_bytes());
        let name_of = |index| (index == 8).then(|| device("weir-wan"));
        assert_eq!(message::filter(&payload, &name_of), Some((7, filter)), "round {round}");
    }
}

/// Gives `bytes` to everything that reads from the kernel; only that nothing panics or spins matters.
fn read_everything(bytes: &[u8]) {
    let name_of = |index: u32| DeviceName::new(&format!("eth{}", index % 100));
    let read_payload = |payload: &[u8]| {
        let _ = (message::link(payload), message::qdisc(payload), message::class(payload));
        let _ =
            (message::filter(payload, &name_of), message::address(payload), message::default_route(payload));
        for name in ["htb", "fq_codel", "cake", ""] {
            let _ = stats::read(name, &Attrs::new(payload));
        }
        let attrs = Attrs::new(payload);
        let _ = (stats::codel(&attrs), stats::tins(&attrs).count(), htb::direct_packets(attrs));
        // What could be read can be written, for a roll-back does.
        if let Some((_, qdisc, _)) = message::qdisc(payload) {
            encoded(&Op::Qdisc { device: device("eth7"), verb: Verb::Create, qdisc, options: true });
        }
        let known = |_| Some(device("weir-wan"));
        if let Some((_, filter)) = message::filter(payload, &known) {
            let op = Op::Filter { device: device("eth7"), verb: Verb::Create, filter };
            for piece in 0..message::pieces(&op) {
                message::encode(&op, piece, 0, &index_of, &mut Vec::new()).expect("the devices are known");
            }
        }
    };
    read_payload(bytes);
    for message in Messages::new(bytes) {
        let _ = (message::answer(&message), message::end_of_dump(&message));
        for kind in [message::ERROR, message::DONE] {
            let message = message::Message { kind, flags: message.flags | 0x200, ..message };
            let _ = (message::answer(&message), message::end_of_dump(&message));
        }
        read_payload(message.payload);
    }
}

#[test]
fn no_bytes_make_a_parser_panic() {
    let mut random = Random(99);
    let mut seeds: Vec<Vec<u8>> = captures().iter().flat_map(|name| golden(name)).collect();
    assert!(seeds.len() > 50);
    for _ in 0..100 {
        let (qdisc, device) = (random.qdisc(), device("eth7"));
        let made = encoded(&Op::Qdisc { device, verb: Verb::Create, qdisc, options: true });
        let mut bytes = made[..16 + TCMSG].to_vec();
        for (kind, payload) in parts(&made, TCMSG).attrs {
            // The kernel dumps a size table's base alone.
            let base = Attrs::new(&payload).get(1).map_or(0, |base| base.payload.len() + 4);
            attr::put(&mut bytes, kind, if kind == 8 { &payload[..base] } else { &payload });
        }
        let length = (bytes.len() as u32).to_ne_bytes();
        bytes[..4].copy_from_slice(&length);
        seeds.push(bytes);
    }
    let mut tables = hashed();
    for slot in 0..2 {
        if let FilterKind::U32(kind) = &mut tables.kind {
            kind.place.slot = slot;
        }
        let op = Op::Filter { device: device("eth7"), verb: Verb::Create, filter: tables.clone() };
        for piece in 0..message::pieces(&op) {
            let mut bytes = Vec::new();
            message::encode(&op, piece, 0, &index_of, &mut bytes).expect("the device is known");
            seeds.push(bytes);
        }
    }
    for seed in &seeds {
        read_everything(seed);
        for _ in 0..300 {
            // A few bytes changed, mostly to what lengths and types look like; sometimes cut off.
            let mut bytes = seed.clone();
            for _ in 0..=random.below(4) {
                let at = random.below(bytes.len() as u32) as usize;
                bytes[at] = match random.below(3) {
                    0 => random.next() as u8,
                    1 => random.below(32) as u8,
                    _ => random.pick(&[0, 1, 3, 4, 5, 0x7f, 0x80, 0xff]),
                };
            }
            if random.coin() {
                bytes.truncate(random.below(bytes.len() as u32 + 1) as usize);
            }
            read_everything(&bytes);
        }
    }
    for _ in 0..20_000 {
        let bytes: Vec<u8> = (0..random.below(80)).map(|_| random.next() as u8 >> random.below(8)).collect();
        read_everything(&bytes);
    }
}

#[test]
fn an_answer_is_read_with_and_without_the_request_in_it() {
    let request = encoded(&Op::DeleteLink(device("weir-x")));
    let answer = |capped: bool, error: i32, words: &str| {
        let mut payload = error.to_ne_bytes().to_vec();
        payload.extend_from_slice(if capped { &request[..16] } else { &request });
        attr::put_str(&mut payload, 1, words);
        payload
    };
    for capped in [false, true] {
        let payload = answer(capped, -22, "Parent Qdisc doesn't exists");
        let flags = 0x200 | if capped { 0x100 } else { 0 };
        let message = message::Message { kind: message::ERROR, flags, seq: 1, port: 2, payload: &payload };
        assert_eq!(message::answer(&message), Some((22, Some("Parent Qdisc doesn't exists"))));
        assert_eq!(message::answer(&message::Message { flags: flags & 0x100, ..message }), Some((22, None)));
        assert_eq!(message::end_of_dump(&message), None);
    }
    let accepted = answer(true, 0, "");
    let message =
        message::Message { kind: message::ERROR, flags: 0x100, seq: 1, port: 2, payload: &accepted };
    assert_eq!(message::answer(&message), Some((0, None)));
}

#[test]
fn a_dump_that_broke_off_says_so() {
    let mut payload = (-90i32).to_ne_bytes().to_vec(); // EMSGSIZE
    attr::put_str(&mut payload, 1, "too big");
    let done = message::Message { kind: message::DONE, flags: 0x202, seq: 1, port: 2, payload: &payload };
    assert_eq!(message::end_of_dump(&done), Some((90, Some("too big"))));
    let whole = message::Message { flags: 2, payload: &[0; 4], ..done };
    assert_eq!(message::end_of_dump(&whole), Some((0, None)));
    assert_eq!(message::end_of_dump(&message::Message { kind: message::NEW_QDISC, ..whole }), None);
}

#[test]
fn an_unknown_device_is_named_and_nothing_is_written() {
    let mut out = vec![1, 2, 3, 4];
    let redirect = FilterKind::Redirect { to: device("weir-nowhere") };
    let op = filter(Verb::Create, Handle::INGRESS_FILTERS, redirect);
    let missing = message::UnknownDevice(device("weir-nowhere"));
    assert_eq!(message::encode(&op, 0, 1, &index_of, &mut out), Err(missing));
    assert_eq!(out, [1, 2, 3, 4]);
}
