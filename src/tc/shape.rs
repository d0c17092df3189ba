// SPDX-License-Identifier: Apache-2.0
//! One direction's queues from one line rate: shares, bursts, quanta and leaves.
//!
//! Everything here follows the rate, so that a rate change moves all that depends on it. Read KERNEL notes in
//! `tc/htb` (a child within its own rate ignores its parent) before changing how shares become rates.

use super::speed::Speed;
use super::{Bfifo, Class, FqCodel, Htb, Qdisc, QdiscKind, ROOT_MAJOR, Sfq, Stab, Ticks, fq_codel};
use crate::config;
use crate::limits;
use crate::units::{Handle, Micros, Permille, Rate};
use alloc::vec::Vec;

/// The line itself: the class every other class borrows from.
pub const LINE: Handle = Handle::new(ROOT_MAJOR, 1);
/// Local traffic on a LAN device, which the line does not see.
pub const UNSHAPED: Handle = Handle::new(ROOT_MAJOR, 2);
/// The slowest class: `rate 0` is refused, and below this a burst of one packet no longer fits HTB's counter.
const SLOWEST: Rate = Rate::kbit(1);
/// The quantum of the line's class, which is never used: only leaves take turns. The kernel ignores it and the priority
/// once the class has children (htb_change_class, `if (!cl->level)`), so it must not follow anything.
const INNER_QUANTUM: u32 = 1514;
/// fq_codel's own targets, enough wherever a packet takes less than 5 ms.
const TARGET: Micros = Micros::ms(5);
const INTERVAL: Micros = Micros::ms(100);

/// Which leaf a class gets; the best the kernel has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// Fair queueing with controlled delay.
    FqCodel,
    /// Fair queueing without.
    Sfq,
    /// A fifo of 100 ms.
    Bfifo,
}

/// What one direction is shaped for.
#[derive(Clone, Copy, Debug)]
pub struct Shape<'a> {
    /// The line's rate, and the one its classes have shares of.
    pub speed: Speed,
    /// The classes sharing it.
    pub classes: &'a [config::Class],
    /// Everything else.
    pub kit: Kit,
}

/// What a direction's queues are made of, whatever its speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kit {
    /// The size table.
    pub stab: Stab,
    /// What a full packet takes on the line.
    pub packet: u32,
    /// The leaf of every class.
    pub leaf: Leaf,
    /// Mark instead of drop.
    pub ecn: bool,
    /// Whether a class for local traffic is wanted beside the line.
    pub has_unshaped: bool,
}

/// The class id of the `n`th of `classes`.
///
/// The four default names have fixed ids, others follow in the order of the file, so that adding a class or leaving
/// one out moves no other class and loses no queue.
pub fn class_handle(classes: &[config::Class], n: usize) -> Handle {
    const NAMES: [&str; 4] = ["critical", "high", "normal", "low"];
    let place = |name: &str| NAMES.iter().position(|known| *known == name);
    let slot = match classes.get(n).map(|class| place(&class.name)) {
        Some(Some(fixed)) => fixed,
        _ => NAMES.len() + classes.iter().take(n).filter(|class| place(&class.name).is_none()).count(),
    };
    Handle::new(ROOT_MAJOR, (slot as u16 + 1) * 0x10)
}

/// The place of a class by its id, from zero on; the class of ICMP is at the place of the one it is beside. `None`: it is
/// no class people name.
pub fn class_place(handle: Handle) -> Option<usize> {
    let slot = usize::from(handle.minor() / 0x10).checked_sub(1);
    slot.filter(|_| handle.major() == ROOT_MAJOR)
}

/// The place of the class that is served first; the first of them in the file's order.
pub fn first_class(classes: &[config::Class]) -> usize {
    let first = classes.iter().enumerate().min_by_key(|(_, class)| class.priority);
    first.map_or(0, |(n, _)| n)
}

/// The class of the first class's ICMP: `57e1:11` beside `57e1:10`.
///
/// A flood of pings must not ride along with voice, and classic BPF cannot police, so ICMP has a leaf with a limit. It
/// is a sibling, not a child: a child within its own rate ignores its parent anyway (htb_class_mode), and one more
/// level would cost every packet of the first class.
pub fn icmp_handle(classes: &[config::Class]) -> Handle {
    Handle(class_handle(classes, first_class(classes)).0 + 1)
}

/// The share ICMP never exceeds.
const ICMP_LIMIT: Permille = Permille::percent(5);
/// The share it always gets, if so much is left over by the guarantees.
const ICMP_GUARANTEE: Permille = Permille::percent(1);

/// What is left over of the line, but no more than ICMP needs. With nothing left it has the slowest rate and borrows.
fn icmp_guarantee(classes: &[config::Class]) -> Permille {
    Permille(Permille::ALL.0.saturating_sub(own_guarantees(classes))).min(ICMP_GUARANTEE)
}

fn own_guarantees(classes: &[config::Class]) -> u16 {
    classes.iter().map(|class| class.guarantee.0).fold(0, u16::saturating_add)
}

/// What all classes are guaranteed together.
pub fn guaranteed(classes: &[config::Class]) -> Permille {
    Permille(own_guarantees(classes).saturating_add(icmp_guarantee(classes).0)).min(Permille::ALL)
}

/// The handle of the leaf under `class`: `57e2:` under `57e1:10`, and so on.
pub fn leaf_handle(class: Handle) -> Handle {
    // The unshaped class, 57e1:2, has its leaf far behind the others.
    let slot = match class.minor() {
        _ if class == UNSHAPED => 0x20,
        minor if minor % 0x10 == 1 => 0x20 + minor / 0x10,
        minor => minor / 0x10,
    };
    Handle::new(ROOT_MAJOR + slot, 0)
}

/// The place of the class that has this leaf, as [`class_place`] counts.
pub fn leaf_place(leaf: Handle) -> Option<usize> {
    // Beside each leaf of a class there is room for one of ICMP's; what would be in front of the first is UNSHAPED's.
    let slot = leaf.major().checked_sub(ROOT_MAJOR).filter(|slot| *slot < 0x40)? % 0x20;
    usize::from(slot).checked_sub(1)
}

/// The class that takes what nothing else places.
pub fn default_class(classes: &[config::Class]) -> Handle {
    class_handle(classes, classes.iter().position(|class| class.is_default).unwrap_or(0))
}

impl Shape<'_> {
    /// The root, the classes and the leaves, in the order they are created.
    pub fn build(&self) -> (Vec<Qdisc>, Vec<Class>) {
        let root = Qdisc {
            parent: Handle::ROOT,
            handle: Handle::new(ROOT_MAJOR, 0),
            stab: Some(self.kit.stab),
            // For kernels without a classifier, and for the moment before it is there.
            kind: QdiscKind::Htb(Htb { default: default_class(self.classes).minor(), direct_qlen: 1000 }),
        };
        let mut qdiscs = alloc::vec![root];
        let mut classes = self.classes();
        if self.kit.has_unshaped {
            classes.push(self.unshaped());
        }
        let leaves = classes.iter().filter(|class| class.handle != LINE);
        qdiscs.extend(leaves.map(|class| Qdisc {
            parent: class.handle,
            handle: leaf_handle(class.handle),
            stab: None,
            kind: self.leaf(class),
        }));
        (qdiscs, classes)
    }

    /// The line's class and its children.
    fn classes(&self) -> Vec<Class> {
        let mut out = Vec::new();
        self.classes_into(&mut out);
        out
    }

    /// The same, at the end of `out`.
    pub fn classes_into(&self, out: &mut Vec<Class>) {
        let (line, shares) = (self.speed.line.whole_bytes(), self.speed.shares.whole_bytes());
        let mut rates = [Rate::ZERO; limits::CLASSES + 1];
        let icmp_place = self.classes.len().min(limits::CLASSES);
        for (rate, class) in rates.iter_mut().zip(self.classes) {
            *rate = shares.share(class.guarantee).whole_bytes().max(SLOWEST);
        }
        let icmp = shares.share(icmp_guarantee(self.classes)).whole_bytes().max(SLOWEST);
        if let Some(rate) = rates.get_mut(icmp_place) {
            *rate = icmp;
        }
        fit(&mut rates, line);

        out.push(self.class(Handle::new(ROOT_MAJOR, 0), LINE, line, line, INNER_QUANTUM, 0));
        for (n, (class, rate)) in self.classes.iter().zip(&rates).enumerate() {
            let ceil = shares.share(class.limit).whole_bytes().max(*rate);
            let quantum = self.quantum(class);
            let handle = class_handle(self.classes, n);
            out.push(self.class(LINE, handle, *rate, ceil, quantum, u32::from(class.priority)));
            if n == first_class(self.classes) {
                let ceil = shares.share(ICMP_LIMIT.min(class.limit)).whole_bytes().max(icmp);
                let handle = icmp_handle(self.classes);
                out.push(self.class(LINE, handle, icmp, ceil, self.kit.packet, u32::from(class.priority)));
            }
        }
    }

    /// Local traffic passes at any speed a LAN has.
    fn unshaped(&self) -> Class {
        let any = Rate::mbit(20_000);
        self.class(Handle::new(ROOT_MAJOR, 0), UNSHAPED, any, any, 60_000, 0)
    }

    fn class(
        &self,
        parent: Handle,
        handle: Handle,
        rate: Rate,
        ceil: Rate,
        quantum: u32,
        prio: u32,
    ) -> Class {
        Class { parent, handle, rate, ceil, burst: self.burst(rate), cburst: self.burst(ceil), quantum, prio }
    }

    /// One millisecond, but never less than a full packet: a larger burst is a queue in the modem, a smaller one
    /// makes HTB wait although it may send.
    fn burst(&self, rate: Rate) -> Ticks {
        Ticks::for_bytes(rate, rate.bytes_in(Micros::ms(1)).max(u64::from(self.kit.packet)))
    }

    /// What is left over goes, among classes of one priority, in proportion to the guarantees.
    fn quantum(&self, class: &config::Class) -> u32 {
        let peers = self.classes.iter().filter(|peer| peer.priority == class.priority);
        let least = peers.map(|peer| peer.guarantee.0).filter(|share| *share > 0).min().unwrap_or(1).max(1);
        // A turn of at least one packet, or HTB walks the class several times for each; at high rates a few more.
        let turn = self.speed.shares.share(Permille(least)).bytes_in(Micros::ms(1));
        let turn = turn.clamp(u64::from(self.kit.packet), u64::from(self.kit.packet) * 4);
        let quantum = turn * u64::from(class.guarantee.0.max(1)) / u64::from(least);
        quantum.clamp(u64::from(self.kit.packet), u64::from(self.kit.packet) * 200) as u32
    }

    /// The queue of one class.
    pub fn leaf(&self, class: &Class) -> QdiscKind {
        match self.kit.leaf {
            Leaf::FqCodel => QdiscKind::FqCodel(self.fq_codel(class)),
            Leaf::Sfq => {
                QdiscKind::Sfq(Sfq { quantum: self.kit.packet.max(1514), perturb_period: 10, limit: 127 })
            }
            Leaf::Bfifo => {
                let bytes = class.ceil.bytes_in(Micros::ms(100)).max(u64::from(self.kit.packet) * 4);
                QdiscKind::Bfifo(Bfifo { limit: bytes.min(4 << 20) as u32 })
            }
        }
    }

    fn fq_codel(&self, class: &Class) -> FqCodel {
        let top = if class.handle == UNSHAPED { class.ceil } else { self.speed.shares };
        // Below one packet's own time CoDel would drop from a queue that is as short as a queue can be.
        let target = top.time_for(u64::from(self.kit.packet)).max(TARGET);
        let interval = Micros(INTERVAL.0 + (target.0 - TARGET.0));
        // A small quantum lets sparse flows pass a bulk flow's packet; above 50 Mbit/s that no longer costs time.
        let quantum = if top <= Rate::mbit(50) { 300 } else { 1514 };
        let (limit, memory_limit) = room(top);
        FqCodel {
            limit,
            flows: 1024,
            target_us: fq_codel::canonical(target),
            interval_us: fq_codel::canonical(interval),
            quantum,
            ecn: self.kit.ecn,
            memory_limit,
        }
    }
}

/// Packets and bytes a leaf may hold: about 250 ms of the line, in steps, because lowering a limit drops what is
/// queued above it and a moving rate must not do that.
fn room(rate: Rate) -> (u32, u32) {
    const STEPS: [(Rate, u32, u32); 3] = [
        (Rate::mbit(10), 1024, 1 << 20),
        (Rate::mbit(100), 4096, 4 << 20),
        (Rate::mbit(1000), 10_240, 8 << 20),
    ];
    let step = STEPS.iter().find(|(top, ..)| rate <= *top);
    step.map_or((10_240, 16 << 20), |(_, packets, bytes)| (*packets, *bytes))
}

/// Takes from the largest until the sum fits the line: the slowest rate may have lifted small shares above theirs.
fn fit(rates: &mut [Rate], line: Rate) {
    let sum = rates.iter().fold(Rate::ZERO, |sum, rate| sum.saturating_add(*rate));
    let excess = sum.saturating_sub(line);
    if let Some(largest) = rates.iter_mut().max() {
        *largest = largest.saturating_sub(excess).max(SLOWEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::link::Cells;

    fn shape(rate: Rate, classes: &[config::Class]) -> Shape<'_> {
        let stab = Stab { overhead: 24, mpu: 84, cells: Cells::None, mtu: 1500, header: 14 };
        let kit = Kit { stab, packet: 1538, leaf: Leaf::FqCodel, ecn: true, has_unshaped: false };
        Shape { speed: Speed::fixed(rate), classes, kit }
    }

    #[test]
    fn the_default_classes_share_the_line_as_documented() {
        let four = config::Class::defaults();
        let classes = shape(Rate::mbit(10), &four).classes();
        let rows: Vec<_> =
            classes.iter().map(|c| (c.handle.minor(), c.rate, c.ceil, c.prio, c.quantum)).collect();
        assert_eq!(
            rows,
            [
                (0x01, Rate::mbit(10), Rate::mbit(10), 0, 1514),
                (0x10, Rate::mbit(3), Rate::mbit(5), 0, 1538),
                (0x11, Rate::kbit(100), Rate::kbit(500), 0, 1538),
                (0x20, Rate::mbit(2), Rate::mbit(10), 1, 6152),
                (0x30, Rate::mbit(1), Rate::mbit(10), 1, 3076),
                (0x40, Rate::kbit(500), Rate::mbit(10), 1, 1538),
            ]
        );
    }

    #[test]
    fn the_childrens_rates_never_exceed_the_line_at_any_rate() {
        let mut classes = config::Class::defaults();
        for n in 0..8 {
            let mut more = classes[0].clone();
            more.name = alloc::format!("extra{n}");
            more.guarantee = Permille(if n == 0 { 350 } else { 0 });
            classes.push(more);
        }
        for kbit in (64..100_000).step_by(37).chain([1_000_000, 100_000_000]) {
            let made = shape(Rate::kbit(kbit), &classes).classes();
            let sum = made[1..].iter().fold(Rate::ZERO, |sum, c| sum.saturating_add(c.rate));
            assert!(sum <= made[0].rate, "{kbit} kbit: {sum} > {}", made[0].rate);
            assert!(
                made.iter().all(|c| c.rate.bytes_per_sec() > 0 && c.ceil >= c.rate && c.ceil <= made[0].rate)
            );
        }
    }

    #[test]
    fn a_burst_is_a_millisecond_and_never_less_than_a_packet() {
        let four = config::Class::defaults();
        let slow = shape(Rate::mbit(1), &four).classes();
        assert_eq!(slow[0].burst, Ticks::for_bytes(Rate::mbit(1), 1538));
        let fast = shape(Rate::mbit(800), &four).classes();
        assert_eq!(fast[0].burst, Ticks::for_bytes(Rate::mbit(800), 100_000));
    }

    #[test]
    fn fq_codels_target_grows_where_a_packet_takes_longer() {
        let four = config::Class::defaults();
        let leaf = |rate| match shape(rate, &four).build().0.remove(1).kind {
            QdiscKind::FqCodel(leaf) => leaf,
            other => panic!("{other:?}"),
        };
        assert_eq!(leaf(Rate::mbit(10)).target_us, fq_codel::canonical(Micros::ms(5)));
        assert_eq!(leaf(Rate::mbit(1)).target_us, fq_codel::canonical(Micros(12_304)));
        assert_eq!(leaf(Rate::mbit(1)).interval_us, fq_codel::canonical(Micros(107_304)));
        assert_eq!((leaf(Rate::mbit(50)).quantum, leaf(Rate::mbit(51)).quantum), (300, 1514));
    }

    #[test]
    fn a_changed_packet_size_leaves_the_lines_quantum_alone() {
        let four = config::Class::defaults();
        let line = |packet| {
            let shape = shape(Rate::mbit(1), &four);
            Shape { kit: Kit { packet, ..shape.kit }, ..shape }.classes()[0].quantum
        };
        assert_eq!(line(1538), line(1542));
    }

    #[test]
    fn leaving_a_class_out_moves_no_other() {
        let mut classes = config::Class::defaults();
        classes.remove(1);
        let mut gaming = classes[0].clone();
        gaming.name = "gaming".into();
        classes.push(gaming);
        let handles: Vec<_> = (0..4).map(|n| class_handle(&classes, n).minor()).collect();
        assert_eq!(handles, [0x10, 0x30, 0x40, 0x50]);
    }
}
