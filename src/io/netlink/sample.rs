// SPDX-License-Identifier: Apache-2.0
//! One look at a line's counters: a class dump for each HTB direction, the line's device, all qdiscs for a CAKE.

use super::socket::Connection;
use crate::measure::counters::{Count, Queue, Sample};
use crate::steer::Tap;
use crate::tc::message::{self, NEW_CLASS, NEW_QDISC, NEW_STATS};
use crate::tc::shape::{LINE, class_place};
use crate::tc::stats::Counters;
use crate::tc::{Link, ROOT_MAJOR};
use crate::units::{DeviceName, Handle};
use std::io;

const ROOT: Handle = Handle::new(ROOT_MAJOR, 0);

/// Reads the counters `tap` names.
///
/// # Errors
/// The socket's, or the kernel's when a device or its queues are gone.
pub fn sample(connection: &mut Connection, tap: &Tap, links: &[Link]) -> io::Result<Sample> {
    let mut sample = Sample::default();
    let index_of = |name: &DeviceName| {
        let link = links.iter().find(|link| link.name == *name);
        link.map(|link| link.index).ok_or_else(|| io::Error::from_raw_os_error(libc::ENODEV))
    };
    let indexes = [tap.up, tap.down].map(|side| side.map(|side| index_of(&side.device)));
    for ((side, index), queue) in [tap.up, tap.down].iter().zip(indexes).zip(&mut sample.queues) {
        let (Some(side), Some(index)) = (side, index) else { continue };
        *queue = if side.is_cake { cake(connection, index?)? } else { htb(connection, index?)? };
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
        let place = class_place(handle).and_then(|place| queue.classes.get_mut(place));
        if let Some(bytes) = place {
            *bytes = bytes.wrapping_add(counters.bytes as u32);
        }
        add(&mut queue, &counters);
    })?;
    Ok(has_line.then_some(queue))
}

fn cake(connection: &mut Connection, index: u32) -> io::Result<Option<Queue>> {
    let mut queue = None;
    connection.dump(&message::dump_qdiscs, &mut |m| {
        let counted = message::counted(m.payload).filter(|_| m.kind == NEW_QDISC);
        if let Some((_, _, counters)) = counted.filter(|(i, handle, _)| *i == index && *handle == ROOT) {
            let sent = Count { bytes: counters.bytes, packets: counters.packets };
            let mut all = Queue { sent, ..Queue::default() };
            add(&mut all, &counters);
            queue = Some(all);
        }
    })?;
    Ok(queue)
}

fn add(queue: &mut Queue, counters: &Counters) {
    queue.backlog.bytes += u64::from(counters.backlog_bytes);
    queue.backlog.packets += u64::from(counters.backlog_packets);
    queue.drops = queue.drops.wrapping_add(counters.drops);
    queue.marks = queue.marks.wrapping_add(counters.marks);
}
