// SPDX-License-Identifier: Apache-2.0
//! The transaction: stages sent whole and awaited whole; on any refusal everything is brought back.

use super::observe;
use super::socket::{Connection, Refused};
use crate::daemon::Failure;
use crate::io::errno;
use crate::io::files::meaning;
use crate::tc::diff::{Op, Ops, Verb, diff, undo};
use crate::tc::show;
use crate::tc::{Device, FilterKind, Link, Origin, SCRATCH_DEVICE, Tree, message};
use crate::units::DeviceName;
use std::io;
use std::time::Duration;

/// Sends `ops`; when the kernel refuses one, brings back `before` and says what was refused and why.
///
/// What is in `try_first` is built whole on a scratch device before anything else is touched.
///
/// # Errors
/// The [`Failure`], with whether everything is again as it was.
pub fn apply(connection: &mut Connection, before: &Tree, ops: &Ops, try_first: &Tree) -> Result<(), Failure> {
    for device in &try_first.devices {
        try_on_scratch(connection, device)?;
    }
    let refused = match stages(connection, ops) {
        Ok(None) => return Ok(()),
        Ok(Some((op, refused))) => failure(op, &refused),
        Err(error) => failure_of_socket(&error),
    };
    let is_restored = restore(connection, before).unwrap_or(false);
    Err(Failure { is_restored, ..refused })
}

/// Sends requests that alter what stands, one batch; gives why the first that was refused was. What was altered stays
/// altered: each is right by itself.
pub fn retune(connection: &mut Connection, ops: &[Op], links: &[Link]) -> Option<String> {
    let index_of = |name: &DeviceName| links.iter().find(|link| link.name == *name).map(|link| link.index);
    let refused = connection.batch(ops.len(), &mut |place, seq, out| {
        let Some(op) = ops.get(place) else { return Ok(()) };
        message::encode(op, 0, seq, &index_of, out).map_err(|_| io::Error::from_raw_os_error(libc::ENODEV))
    });
    match refused {
        Ok(refused) => {
            let first = refused.into_iter().next()?;
            Some(failure(ops.get(first.place)?.clone(), &first).text)
        }
        Err(error) => Some(failure_of_socket(&error).text),
    }
}

/// Sends one stage after the other until one is refused; gives the first request refused.
fn stages(connection: &mut Connection, ops: &Ops) -> io::Result<Option<(Op, Refused)>> {
    for stage in [&ops.links, &ops.create, &ops.turn, &ops.delete] {
        if stage.is_empty() {
            continue;
        }
        // Indexes are looked up for each stage: the first one makes new devices.
        let links = observe::links(connection)?;
        let refused = send(connection, stage, &links)?;
        if let Some(first) = refused.into_iter().next()
            && let Some(op) = stage.get(first.place)
        {
            return Ok(Some((op.clone(), first)));
        }
    }
    Ok(None)
}

/// How long u32's tables stay busy at most, in steps of [`A_MOMENT`]: a few RCU grace periods on a loaded router.
const MOMENTS: usize = 100;
const A_MOMENT: Duration = Duration::from_millis(10);

/// Sends `ops` and gives those that were refused, each once.
fn send(connection: &mut Connection, ops: &[Op], links: &[Link]) -> io::Result<Vec<Refused>> {
    let mut refused: Vec<Refused> = Vec::new();
    let mut first = 0;
    // What takes u32's tables away ends a batch: they may be busy yet, and the preference must outlive them.
    while let Some(rest) = ops.get(first..).filter(|rest| !rest.is_empty()) {
        let slow = rest.iter().position(takes_tables_away);
        let count = slow.map_or(rest.len(), |slow| slow + 1);
        let mut pieces: Vec<(usize, usize)> = Vec::new();
        for (place, op) in (first..).zip(rest.iter().take(count)) {
            pieces.extend((0..message::pieces(op)).map(|piece| (place, piece)));
        }
        let last = slow.and_then(|_| pieces.pop());
        for moment in 0..MOMENTS {
            let mut busy = Vec::new();
            for one in some(connection, ops, links, &pieces)? {
                let Some(at) = pieces.get(one.place) else { continue };
                let is_table = ops.get(at.0).is_some_and(takes_tables_away);
                match one.errno {
                    libc::EBUSY if is_table && moment + 1 < MOMENTS => busy.push(*at),
                    libc::ENOENT if is_table => {} // as wanted
                    _ => refused.push(Refused { place: at.0, ..one }),
                }
            }
            if busy.is_empty() {
                break;
            }
            pieces = busy;
            std::thread::sleep(A_MOMENT);
        }
        let last = last.filter(|(place, _)| refused.iter().all(|one| one.place != *place));
        for one in some(connection, ops, links, last.as_slice())? {
            if let Some((place, _)) = last.filter(|_| one.errno != libc::ENOENT) {
                refused.push(Refused { place, ..one });
            }
        }
        first += count;
    }
    refused.dedup_by_key(|one| one.place);
    Ok(refused)
}

fn takes_tables_away(op: &Op) -> bool {
    let Op::Filter { verb: Verb::Delete, filter, .. } = op else { return false };
    matches!(filter.kind, FilterKind::U32(_))
}

/// Sends these pieces of `ops` in one batch; what is refused is told by its place among `pieces`.
fn some(
    connection: &mut Connection,
    ops: &[Op],
    links: &[Link],
    pieces: &[(usize, usize)],
) -> io::Result<Vec<Refused>> {
    let index_of = |name: &DeviceName| links.iter().find(|link| link.name == *name).map(|link| link.index);
    connection.batch(pieces.len(), &mut |place, seq, out| {
        let Some((op, piece)) = pieces.get(place).and_then(|(op, piece)| Some((ops.get(*op)?, *piece)))
        else {
            return Ok(());
        };
        message::encode(op, piece, seq, &index_of, out).map_err(|missing| {
            io::Error::new(io::ErrorKind::NotFound, format!("there is no device {}", missing.0))
        })
    })
}

/// Brings `before` back as far as the kernel lets us; says whether it is there again.
fn restore(connection: &mut Connection, before: &Tree) -> io::Result<bool> {
    let have = observe::tree(connection)?.tree;
    let ops = undo(&have, before);
    for stage in [&ops.links, &ops.create, &ops.turn, &ops.delete] {
        if !stage.is_empty() {
            let links = observe::links(connection)?;
            send(connection, stage, &links)?; // what is refused shows in the comparison
        }
    }
    let have = observe::tree(connection)?.tree;
    Ok(have.ours() == before.ours())
}

/// Builds what is wanted on `device` on a scratch IFB and removes it: a takeover must not fail half way.
fn try_on_scratch(connection: &mut Connection, device: &Device) -> Result<(), Failure> {
    let name = DeviceName::new(SCRATCH_DEVICE).expect("a valid name");
    let mut scratch = Device { name, origin: Origin::Ifb { up: true }, ..device.clone() };
    // Only the root: the hook for arriving packets is not what a takeover replaces.
    scratch.qdiscs.retain(|qdisc| qdisc.parent != crate::units::Handle::INGRESS);
    scratch.filters.retain(|filter| filter.parent != crate::units::Handle::INGRESS_FILTERS);
    let ops = diff(&Tree::default(), &Tree { devices: vec![scratch] });
    let result = stages(connection, &ops);
    let links = observe::links(connection).unwrap_or_default();
    let is_gone = send(connection, &[Op::DeleteLink(name)], &links).is_ok_and(|refused| refused.is_empty());
    let refused = match result {
        Ok(None) => return Ok(()),
        Ok(Some((op, refused))) => failure(op, &refused),
        Err(error) => failure_of_socket(&error),
    };
    let text =
        format!("the takeover of {} was tried on a scratch device first, and {}", device.name, refused.text);
    Err(Failure { text, is_restored: is_gone, ..refused })
}

fn failure(op: Op, refused: &Refused) -> Failure {
    let what = show::describe(&op);
    let words = if refused.extack.is_empty() { meaning(refused.errno) } else { refused.extack.clone() };
    Failure {
        text: format!("the kernel refused to {what}: {words} ({})", errno::name(refused.errno)),
        op: Some(Box::new(op)),
        errno: refused.errno,
        extack: refused.extack.clone(),
        is_restored: false,
    }
}

fn failure_of_socket(error: &io::Error) -> Failure {
    Failure {
        op: None,
        errno: error.raw_os_error().unwrap_or(0),
        extack: String::new(),
        text: format!("talking to the kernel failed: {error}"),
        is_restored: false,
    }
}
