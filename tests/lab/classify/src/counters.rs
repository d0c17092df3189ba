// SPDX-License-Identifier: Apache-2.0
//! Where packets went: the counters of the leaf classes, or of CAKE's tins, before and after one.
//!
//! HTB counts a packet in its leaf when it is queued or sent, CAKE in its tin when it is queued; both within the system
//! call that sends it, as nothing waits on a line this fast.

use std::io;
use weir::io::netlink::socket::Connection;
use weir::tc::attr::{Attrs, field};
use weir::tc::message::{self, NEW_CLASS, NEW_QDISC};
use weir::tc::{ROOT_MAJOR, stats};
use weir::units::Handle;

/// The first class that is no leaf: entries and what is below them (`classifier::FIRST_ENTRY`).
const FIRST_ENTRY: u16 = weir::tc::classifier::FIRST_ENTRY;
/// Bytes of `struct tcmsg`.
const TCMSG: usize = 20;

/// A leaf or a tin (`57e1:1` and on), with its bytes and packets.
pub type Counts = Vec<(Handle, u64, u64)>;

/// What counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Leaf classes.
    Htb,
    /// The same, where the kernel has no `cls_bpf`.
    U32,
    /// Tins.
    Cake,
}

/// Reads the counters of a device's root.
pub fn read(connection: &mut Connection, index: u32, engine: Engine) -> io::Result<Counts> {
    let mut out = Counts::new();
    match engine {
        Engine::Htb | Engine::U32 => connection.dump(
            &|seq, bytes| message::dump_classes(index, Handle::new(ROOT_MAJOR, 0), seq, bytes),
            &mut |message| {
                let Some(handle) = field(message.payload, 8).map(u32::from_ne_bytes).map(Handle) else {
                    return;
                };
                let is_leaf = handle.minor() != 1 && handle.minor() < FIRST_ENTRY;
                if message.kind == NEW_CLASS && is_leaf {
                    let counted =
                        stats::read("htb", &Attrs::new(message.payload.get(TCMSG..).unwrap_or_default()));
                    out.push((handle, counted.bytes, counted.packets));
                }
            },
        )?,
        Engine::Cake => connection.dump(&message::dump_qdiscs, &mut |message| {
            let word = |at| field(message.payload, at).map(u32::from_ne_bytes);
            if message.kind == NEW_QDISC
                && word(4) == Some(index)
                && word(8) == Some(u32::from(ROOT_MAJOR) << 16)
            {
                let tins = stats::tins(&Attrs::new(message.payload.get(TCMSG..).unwrap_or_default()));
                out.extend(
                    (1..)
                        .zip(tins)
                        .map(|(n, tin)| (Handle::new(ROOT_MAJOR, n), tin.bytes, u64::from(tin.packets))),
                );
            }
        })?,
    };
    Ok(out)
}

/// The tins of a device's CAKE.
pub fn tins(connection: &mut Connection, index: u32) -> io::Result<Vec<stats::Tin>> {
    let mut out = Vec::new();
    connection.dump(&message::dump_qdiscs, &mut |message| {
        if message.kind == NEW_QDISC && field(message.payload, 4).map(u32::from_ne_bytes) == Some(index) {
            out.extend(stats::tins(&Attrs::new(message.payload.get(TCMSG..).unwrap_or_default())));
        }
    })?;
    Ok(out)
}

/// Which counters moved, and by how many packets.
pub fn moved(before: &Counts, after: &Counts) -> Vec<(Handle, u64)> {
    let old = |handle: Handle| before.iter().find(|(known, ..)| *known == handle).copied();
    let grown = after.iter().filter_map(|(handle, bytes, packets)| {
        let (_, had_bytes, had_packets) = old(*handle).unwrap_or((*handle, 0, 0));
        (*bytes != had_bytes || *packets != had_packets).then(|| (*handle, packets.wrapping_sub(had_packets)))
    });
    grown.collect()
}
