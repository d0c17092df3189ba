// SPDX-License-Identifier: Apache-2.0
//! One look at a line's counters: a class dump for each HTB direction, the line's device; all qdiscs for a CAKE, or the whole.

use super::socket::Connection;
use crate::limits;
use crate::measure::counters::{Count, Queue, Sample};
use crate::order;
use crate::steer::Tap;
use crate::tc::message::{self, NEW_CLASS, NEW_QDISC, NEW_STATS};
use crate::tc::shape::{LINE, class_place, leaf_handle, leaf_place};
use crate::tc::stats::Counters;
use crate::tc::{Link, ROOT_MAJOR};
use crate::units::{DeviceName, Handle};
use std::io;

const ROOT: Handle = Handle::new(ROOT_MAJOR, 0);

/// Reads the counters `tap` names; with `is_whole` those of the queues below, too; and the flows of the classes whose
/// places are set in `flows`, by direction.
///
/// # Errors
/// The socket's, or the kernel's when a device or its queues are gone.
pub fn sample(
    connection: &mut Connection,
    tap: &Tap,
    links: &[Link],
    is_whole: bool,
    flows: [u16; 2],
) -> io::Result<Sample> {
    let mut sample = Sample { is_whole, ..Sample::default() };
    let index_of = |name: &DeviceName| {
        let link = links.iter().find(|link| link.name == *name);
        link.map(|link| link.index).ok_or_else(|| io::Error::from_raw_os_error(libc::ENODEV))
    };
    let mut indexes = [0; 2];
    let mut wants_qdiscs = is_whole;
    let sides = [tap.up, tap.down].into_iter().zip(flows);
    for (((side, flows), index), queue) in sides.zip(&mut indexes).zip(&mut sample.queues) {
        let Some(side) = side else { continue };
        *index = index_of(&side.device)?;
        if side.is_cake {
            wants_qdiscs = true;
        } else {
            *queue = htb(connection, *index)?;
            if let Some(queue) = queue {
                look_closer(connection, *index, flows, queue);
            }
        }
    }
    if wants_qdiscs {
        connection.dump(&message::dump_qdiscs, &mut |m| {
            if m.kind == NEW_QDISC {
                qdisc(m.payload, &indexes, &mut sample);
            }
        })?;
    }
    let line = index_of(&tap.line)?;
    connection.dump(&|seq, out| message::get_stats(line, seq, out), &mut |m| {
        if m.kind == NEW_STATS {
            let received = message::received(m.payload);
            sample.received = received.map(|(bytes, packets)| Count { bytes, packets });
        }
    })?;
    Ok(sample)
}

/// What passed the line's class, and what waits below it.
fn htb(connection: &mut Connection, index: u32) -> io::Result<Option<Queue>> {
    let mut has_line = false;
    let mut queue = Queue { is_wire: true, ..Queue::default() };
    connection.dump(&|seq, out| message::dump_classes(index, ROOT, seq, out), &mut |m| {
        let counted = message::counted(m.payload).filter(|_| m.kind == NEW_CLASS);
        let Some((_, handle, counters)) = counted else { return };
        if handle == LINE {
            has_line = true;
            queue.sent = Count { bytes: counters.bytes, packets: counters.packets };
        }
        if let Some(slot) = class_place(handle).and_then(|place| queue.classes.get_mut(place)) {
            slot.sent = slot.sent.wrapping_add(counters.bytes as u32);
            slot.packets = slot.packets.wrapping_add(counters.packets as u32);
            slot.waiting = slot.waiting.saturating_add(counters.backlog_bytes);
        }
        waits(&mut queue, &counters);
    })?;
    Ok(has_line.then_some(queue))
}

/// How long the flows wait of the classes at these places. A leaf that has none (it is no fq_codel, or gone) tells nothing.
fn look_closer(connection: &mut Connection, index: u32, places: u16, queue: &mut Queue) {
    for (place, slot) in queue.classes.iter_mut().enumerate().filter(|(place, _)| places >> place & 1 == 1) {
        let leaf = leaf_handle(Handle::new(ROOT_MAJOR, (place as u16 + 1) * 0x10));
        let (mut delays, mut count) = ([0; limits::FLOWS], 0);
        let done = connection.dump(&|seq, out| message::dump_classes(index, leaf, seq, out), &mut |m| {
            let flow = message::flow(m.payload).filter(|_| m.kind == NEW_CLASS);
            // Those that only come and go wait for nobody; a delay of zero is none that was measured.
            let flow = flow.filter(|flow| flow.waiting > 0 && flow.last_delay_us > 0);
            if let (Some(flow), Some(delay)) = (flow, delays.get_mut(count)) {
                *delay = flow.last_delay_us;
                count += 1;
            }
        });
        if done.is_ok()
            && let Some(delays) = delays.get_mut(..count)
        {
            order::rising(delays);
            slot.delay = delays.get(count / 2).copied().unwrap_or(0);
        }
    }
}

/// A CAKE, or a leaf below a class: what is lost and marked is counted there alone.
fn qdisc(payload: &[u8], indexes: &[u32; 2], sample: &mut Sample) {
    let Some((on, handle, counters)) = message::counted(payload) else { return };
    let Some(way) = indexes.iter().position(|index| *index == on) else { return };
    let Some(queue) = sample.queues.get_mut(way) else { return };
    match (queue, leaf_place(handle)) {
        (Some(queue), Some(place)) if queue.is_wire => {
            if let Some(slot) = queue.classes.get_mut(place) {
                lose(&mut slot.drops, &mut slot.marks, &counters);
            }
            lose(&mut queue.drops, &mut queue.marks, &counters);
        }
        (queue @ None, _) if handle == ROOT => {
            let sent = Count { bytes: counters.bytes, packets: counters.packets };
            let all = queue.insert(Queue { sent, ..Queue::default() });
            waits(all, &counters);
            lose(&mut all.drops, &mut all.marks, &counters);
            let Some((.., tins)) = message::tins(payload).filter(|_| sample.is_whole) else { return };
            for (slot, tin) in all.classes.iter_mut().zip(tins) {
                let of_tin = Counters::of_tin(&tin);
                (slot.sent, slot.packets) = (of_tin.bytes as u32, of_tin.packets as u32);
                slot.waiting = of_tin.backlog_bytes;
                slot.delay = tin.average_delay_us;
                lose(&mut slot.drops, &mut slot.marks, &of_tin);
            }
        }
        _ => {}
    }
}

fn waits(queue: &mut Queue, counters: &Counters) {
    queue.backlog.bytes += u64::from(counters.backlog_bytes);
    queue.backlog.packets += u64::from(counters.backlog_packets);
}

fn lose(drops: &mut u32, marks: &mut u32, counters: &Counters) {
    *drops = drops.wrapping_add(counters.drops);
    *marks = marks.wrapping_add(counters.marks);
}
