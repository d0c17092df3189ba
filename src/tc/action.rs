// SPDX-License-Identifier: Apache-2.0
//! What a filter does to the packets it matches: `act_skbedit`, `act_pedit`, `act_csum`, as bytes and back.
//!
//! Read `tcf_action_exec` (act_api.c): an action that ends with `pipe` leads to the next one; `continue` after the last
//! one lets the next filter see the packet, too (cls_bpf_classify).

use super::attr::{self, Attr, Attrs, NESTED, field};
use crate::units::{Dscp, Handle};
use alloc::vec::Vec;

const ACT_KIND: u16 = 1;
const ACT_OPTIONS: u16 = 2;
/// The same number in all three: `TCA_SKBEDIT_PARMS`, `TCA_PEDIT_PARMS`; csum's is 1.
const SKBEDIT_PARMS: u16 = 2;
const SKBEDIT_PRIORITY: u16 = 3;
const PEDIT_PARMS_EX: u16 = 4;
const PEDIT_KEYS_EX: u16 = 5;
const PEDIT_KEY_EX: u16 = 6;
const PEDIT_KEY_EX_HEADER: u16 = 1;
const PEDIT_KEY_EX_COMMAND: u16 = 2;
const CSUM_PARMS: u16 = 1;
/// `TCA_CSUM_UPDATE_FLAG_IPV4HDR`.
const CSUM_IPV4_HEADER: u32 = 1;
/// `TCA_PEDIT_KEY_EX_HDR_TYPE_IP4`: offsets count from the network header.
const HEADER_IP4: u16 = 2;
/// `TCA_PEDIT_KEY_EX_HDR_TYPE_IP6`.
const HEADER_IP6: u16 = 3;
/// `TC_ACT_PIPE`: the next action.
const PIPE: u32 = 3;
/// `TC_ACT_UNSPEC`: the next filter.
const CONTINUE: u32 = u32::MAX;

/// One action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Notes on the packet which of CAKE's tins it goes to.
    Priority {
        /// The tin, as `57e1:1` and on.
        priority: Handle,
        /// Filters behind are not asked any more.
        is_last_word: bool,
    },
    /// Rewrites the code point; the ECN bits stay.
    SetDscp {
        /// The new one.
        dscp: Dscp,
        /// Of IPv6, else of IPv4.
        is_v6: bool,
    },
    /// Makes the IPv4 header's checksum right again.
    HeaderChecksum,
}

impl Action {
    /// The kernel's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Priority { .. } => "skbedit",
            Self::SetDscp { .. } => "pedit",
            Self::HeaderChecksum => "csum",
        }
    }
}

/// Appends the actions of a filter, in order.
pub fn put(actions: &[Action], out: &mut Vec<u8>) {
    for (n, action) in (1..).zip(actions) {
        let entry = attr::open(out, n);
        attr::put_str(out, ACT_KIND, action.name());
        let options = attr::open(out, ACT_OPTIONS | NESTED);
        match action {
            Action::Priority { priority, is_last_word } => {
                let then = if *is_last_word { PIPE } else { CONTINUE };
                attr::put(out, SKBEDIT_PARMS, &generic(then));
                attr::put_u32(out, SKBEDIT_PRIORITY, priority.0);
            }
            Action::SetDscp { dscp, is_v6 } => put_pedit(*dscp, *is_v6, out),
            Action::HeaderChecksum => {
                let mut parms = generic(PIPE);
                parms.extend(CSUM_IPV4_HEADER.to_ne_bytes());
                attr::put(out, CSUM_PARMS, &parms);
            }
        }
        attr::close(out, options);
        attr::close(out, entry);
    }
}

/// `tc_gen`: index, capab, action, refcnt, bindcnt.
fn generic(action: u32) -> Vec<u8> {
    [0, 0, action, 0, 0].iter().flat_map(|word| word.to_ne_bytes()).collect()
}

fn put_pedit(dscp: Dscp, is_v6: bool, out: &mut Vec<u8>) {
    // struct tc_pedit_sel: tc_gen, nkeys, flags; then one tc_pedit_key: mask, val, off, at, offmask, shift.
    let mut parms = generic(PIPE);
    parms.extend([1, 0, 0, 0]);
    let (kept, value) = key(dscp, is_v6);
    parms.extend(kept);
    parms.extend(value);
    parms.extend([0; 16]);
    attr::put(out, PEDIT_PARMS_EX, &parms);
    let keys = attr::open(out, PEDIT_KEYS_EX | NESTED);
    let one = attr::open(out, PEDIT_KEY_EX | NESTED);
    attr::put_u16(out, PEDIT_KEY_EX_HEADER, if is_v6 { HEADER_IP6 } else { HEADER_IP4 });
    attr::put_u16(out, PEDIT_KEY_EX_COMMAND, 0);
    attr::close(out, one);
    attr::close(out, keys);
}

/// The header's first four bytes: which bits stay, and what is put in.
fn key(dscp: Dscp, is_v6: bool) -> ([u8; 4], [u8; 4]) {
    let n = dscp.get();
    if is_v6 {
        // Version, eight bits of traffic class (two of them ECN), the flow label.
        ([0xf0, 0x3f, 0xff, 0xff], [n >> 2, n << 6, 0, 0])
    } else {
        ([0xff, 0x03, 0xff, 0xff], [0, n << 2, 0, 0])
    }
}

/// Reads the actions of a filter; `None` if one is not exactly what weir writes.
pub fn read(actions: Attrs<'_>) -> Option<Vec<Action>> {
    let mut all = Vec::new();
    for entry in actions {
        all.push(one(entry)?);
    }
    Some(all)
}

fn one(entry: Attr<'_>) -> Option<Action> {
    let entry = entry.nested();
    let options = entry.get(ACT_OPTIONS)?.nested();
    let then = |parms: &[u8]| field(parms, 8).map(u32::from_ne_bytes);
    match entry.get(ACT_KIND)?.text()? {
        "skbedit" => {
            let then = then(options.get(SKBEDIT_PARMS)?.payload)?;
            let priority = Handle(options.get(SKBEDIT_PRIORITY)?.u32()?);
            [PIPE, CONTINUE]
                .contains(&then)
                .then_some(Action::Priority { priority, is_last_word: then == PIPE })
        }
        "pedit" => {
            let parms = options.get(PEDIT_PARMS_EX)?.payload;
            let key_ex = options.get(PEDIT_KEYS_EX)?.nested().get(PEDIT_KEY_EX)?.nested();
            let is_v6 = match key_ex.get(PEDIT_KEY_EX_HEADER)?.u16()? {
                HEADER_IP4 => false,
                HEADER_IP6 => true,
                _ => return None,
            };
            let [count] = field(parms, 20)?;
            let value: [u8; 4] = field(parms, 28)?;
            let [first, second, ..] = value;
            let dscp = Dscp::new(if is_v6 { first << 2 | second >> 6 } else { second >> 2 })?;
            let is_ours = (field(parms, 24)?, value) == key(dscp, is_v6)
                && field(parms, 32)? == [0u8; 16]
                && then(parms)? == PIPE
                && count == 1
                && key_ex.get(PEDIT_KEY_EX_COMMAND)?.u16()? == 0;
            is_ours.then_some(Action::SetDscp { dscp, is_v6 })
        }
        "csum" => {
            let parms = options.get(CSUM_PARMS)?.payload;
            let is_ours =
                then(parms)? == PIPE && field(parms, 20).map(u32::from_ne_bytes)? == CSUM_IPV4_HEADER;
            is_ours.then_some(Action::HeaderChecksum)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_read_back_as_they_were_written() {
        let mut all = Vec::new();
        for n in 0..64 {
            let dscp = Dscp::new(n).expect("below 64");
            all.extend([
                Action::SetDscp { dscp, is_v6: n % 2 == 0 },
                Action::SetDscp { dscp, is_v6: n % 2 == 1 },
            ]);
        }
        all.push(Action::HeaderChecksum);
        for is_last_word in [true, false] {
            all.push(Action::Priority { priority: Handle::new(0x57e1, 4), is_last_word });
        }
        let mut out = Vec::new();
        put(&all, &mut out);
        assert_eq!(read(Attrs::new(&out)), Some(all));
    }

    #[test]
    fn the_bits_of_congestion_are_never_touched() {
        for (is_v6, ecn) in [(false, [0, 3, 0, 0]), (true, [0, 0x30, 0, 0])] {
            for n in 0..64 {
                let (kept, value) = key(Dscp::new(n).expect("below 64"), is_v6);
                for (byte, bits) in (0..4).zip(ecn) {
                    assert_eq!((kept[byte] & bits, value[byte] & bits), (bits, 0));
                    assert_eq!(kept[byte] & value[byte], 0);
                }
            }
        }
    }
}
