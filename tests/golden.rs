// SPDX-License-Identifier: Apache-2.0
//! weir's requests against those of the real `tc` and `ip`, byte for byte.
//!
//! Where they differ on purpose it is said: no rate tables (RTAB, CTAB) and no cell numbers that only they need, and
//! sfq's shorter struct.
#![cfg(target_endian = "little")]
#![expect(clippy::indexing_slicing, reason = "a recorded request that is too short must fail loudly")]

use weir::classify::{Insn, Program};
use weir::config::link::Cells;
use weir::config::{AckFilter, Diffserv, Isolation};
use weir::tc::attr::Attrs;
use weir::tc::diff::{Op, Verb};
use weir::tc::message::encode;
use weir::tc::{
    Bfifo, Cake, Class, Filter, FilterKind, FqCodel, Htb, PREFERENCE, Qdisc, QdiscKind, Sfq, Ticks, fq_codel,
};
use weir::units::{DeviceName, Handle, Micros, Rate};

const ROOT: Handle = Handle::new(0x57e1, 0);
const LEAF: Handle = Handle::new(0x57e2, 0);

fn name(text: &str) -> DeviceName {
    DeviceName::new(text).expect("a valid name")
}

/// The request whose command begins with `command`, without sequence number and port.
fn recorded(command: &str) -> Vec<u8> {
    let text = include_str!("golden/netlink.hex");
    let start = format!("# {command}");
    let hex = text
        .lines()
        .skip_while(|line| !line.starts_with(&start))
        .nth(1)
        .unwrap_or_else(|| panic!("no '{command}'"));
    let digits: Vec<u8> = hex.bytes().map(|c| (c as char).to_digit(16).expect("hex") as u8).collect();
    blank(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

fn blank(mut message: Vec<u8>) -> Vec<u8> {
    message[8..16].fill(0);
    message
}

fn ours(op: &Op) -> Vec<u8> {
    let mut out = Vec::new();
    let index_of = |device: &DeviceName| Some(if *device == name("lo") { 1 } else { 3 });
    encode(op, 0, &index_of, &mut out).expect("all devices are known");
    blank(out)
}

fn qdisc(verb: Verb, parent: Handle, handle: Handle, kind: QdiscKind) -> Op {
    Op::Qdisc { device: name("wan0"), verb, qdisc: Qdisc { parent, handle, stab: None, kind }, options: true }
}

fn leaf(kind: QdiscKind) -> Op {
    qdisc(Verb::Create, Handle::new(0x57e1, 1), LEAF, kind)
}

fn filter(verb: Verb, parent: Handle, kind: FilterKind) -> Op {
    let filter = Filter { parent, pref: PREFERENCE, protocol: 3, kind };
    Op::Filter { device: name("wan0"), verb, filter }
}

fn program() -> Program {
    let ret = Insn { code: 6, jt: 0, jf: 0, k: 1_474_363_440 };
    Program { insns: vec![Insn { code: 40, jt: 0, jf: 0, k: 12 }, ret], default: Handle(1_474_363_440) }
}

fn class(rate: Rate, ceil: Rate, minor: u16, quantum: u32, prio: u32, bytes: u64) -> Op {
    let class = Class {
        parent: ROOT,
        handle: Handle::new(0x57e1, minor),
        rate,
        ceil,
        burst: Ticks::for_bytes(rate, bytes),
        cburst: Ticks::for_bytes(ceil, bytes),
        quantum,
        prio,
    };
    Op::Class { device: name("wan0"), verb: Verb::Create, class }
}

#[test]
fn requests_are_the_real_tools_byte_for_byte() {
    let htb = || QdiscKind::Htb(Htb { default: 0x30, direct_qlen: 1000 });
    let fq_codel = FqCodel {
        limit: 1024,
        flows: 1024,
        target_us: fq_codel::canonical(Micros::ms(5)),
        interval_us: fq_codel::canonical(Micros::ms(100)),
        quantum: 300,
        ecn: true,
        memory_limit: 1 << 20,
    };
    let cake = Cake {
        bandwidth: Rate::mbit(8),
        diffserv: Diffserv::Diffserv4,
        isolation: Isolation::DualSrchost,
        nat: true,
        ack_filter: AckFilter::Off,
        wash: false,
        split_gso: true,
        rtt_us: 100_000,
        target_us: 5_000,
        memory: 4 << 20,
        ingress: false,
        fwmark: 0xff,
        overhead: 38,
        mpu: 84,
        cells: Cells::None,
    };
    let redirect = FilterKind::Redirect { to: name("lo") };
    let cases = [
        ("ip link add weir-wan", Op::AddIfb(name("weir-wan"))),
        ("tc qdisc add dev wan0 root handle 57e1: htb", qdisc(Verb::Create, Handle::ROOT, ROOT, htb())),
        ("tc qdisc add dev wan0 parent 57e1:1 handle 57e2: fq_codel", leaf(QdiscKind::FqCodel(fq_codel))),
        (
            "tc qdisc add dev wan0 parent 57e1:1 handle 57e2: bfifo",
            leaf(QdiscKind::Bfifo(Bfifo { limit: 62_500 })),
        ),
        (
            "tc qdisc add dev wan0 clsact",
            qdisc(Verb::Create, Handle::INGRESS, Handle::new(0xffff, 0), QdiscKind::Clsact),
        ),
        ("tc filter add dev wan0 ingress", filter(Verb::Create, Handle::INGRESS_FILTERS, redirect)),
        ("tc filter add dev wan0 parent 57e1:", filter(Verb::Create, ROOT, FilterKind::Bpf(program()))),
        ("tc qdisc del dev wan0 root", qdisc(Verb::Delete, Handle::ROOT, ROOT, htb())),
    ];
    for (command, op) in cases {
        // tc asks for no acknowledgement flag beyond what we do; REQUEST and ACK are both set by both.
        assert_eq!(ours(&op), recorded(command), "{command}");
    }
}

/// The attributes below a `tcmsg`'s `TCA_OPTIONS`, sorted.
fn options(message: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let options = Attrs::new(&message[36..]).get(2).expect("TCA_OPTIONS");
    let mut all: Vec<_> = options.nested().map(|a| (a.kind, a.payload.to_vec())).collect();
    all.sort();
    all
}

#[test]
fn a_class_is_the_real_tools_without_its_rate_tables() {
    let slow = class(Rate::mbit(5), Rate::mbit(5), 1, 1538, 0, 1538);
    let fast = class(Rate::mbit(40_000), Rate::mbit(50_000), 5, 60_000, 3, 102_400);
    for (command, op) in [
        ("tc class add dev wan0 parent 57e1: classid 57e1:1", slow),
        ("tc class add dev wan0 parent 57e1: classid 57e1:5", fast),
    ] {
        let theirs = recorded(command);
        let mine = ours(&op);
        assert_eq!(mine[4..36], theirs[4..36], "{command}: header");
        let mut theirs: Vec<_> =
            options(&theirs).into_iter().filter(|(kind, _)| *kind != 3 && *kind != 4).collect();
        for (_, parms) in theirs.iter_mut().filter(|(kind, _)| *kind == 1) {
            for spec in [0, 12] {
                parms[spec] = 0; // cell_log and cell_align tell how the rate tables are made
                parms[spec + 4..spec + 6].fill(0);
            }
        }
        let mut mine = options(&mine);
        // tc makes bursts of whole microseconds, 15.6 ticks of 64 ns; weir keeps the ticks.
        for (mine, theirs) in mine.iter_mut().zip(&theirs).filter(|((kind, _), _)| *kind == 1) {
            for burst in [24, 28] {
                let ticks = |parms: &[u8]| {
                    u32::from_ne_bytes(parms[burst..burst + 4].try_into().expect("four bytes"))
                };
                assert!(ticks(&mine.1).abs_diff(ticks(&theirs.1)) <= 16, "{command}: burst");
                mine.1[burst..burst + 4].copy_from_slice(&theirs.1[burst..burst + 4]);
            }
        }
        assert_eq!(mine, theirs, "{command}");
    }
}

#[test]
fn sfq_begins_as_the_real_tools() {
    let mine = ours(&leaf(QdiscKind::Sfq(Sfq { quantum: 1538, perturb_period: 10, limit: 127 })));
    let theirs = recorded("tc qdisc add dev wan0 parent 57e1:1 handle 57e2: sfq");
    let payload = |message: &[u8]| Attrs::new(&message[36..]).get(2).expect("TCA_OPTIONS").payload.to_vec();
    assert_eq!(payload(&mine), payload(&theirs)[..20]);
}
