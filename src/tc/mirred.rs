// SPDX-License-Identifier: Apache-2.0
//! The filter that feeds an IFB: u32 matching every packet, with the action `mirred egress redirect`.
//!
//! u32 and mirred are in every kernel that has traffic control at all; matchall is not. Read `cls_u32.c` (u32_change,
//! u32_dump) and `act_mirred.c` before editing.

use super::attr::{self, Attr, Attrs, NESTED, field};
use crate::units::Handle;
use alloc::vec::Vec;

const U32_CLASSID: u16 = 1;
const U32_LINK: u16 = 3;
const U32_SEL: u16 = 5;
const U32_POLICE: u16 = 6;
const U32_ACT: u16 = 7;
const U32_INDEV: u16 = 8;
const U32_MARK: u16 = 10;
const ACT_KIND: u16 = 1;
const ACT_OPTIONS: u16 = 2;
const MIRRED_PARMS: u16 = 2;
/// `TC_U32_TERMINAL`.
const TERMINAL: u8 = 1;
/// `TC_ACT_STOLEN`: the packet goes on elsewhere.
const STOLEN: u32 = 4;
/// `TCA_EGRESS_REDIR`.
const EGRESS_REDIRECT: u32 = 1;

/// Appends the `TCA_OPTIONS` payload of a filter that sends every packet out of device `index`.
pub fn put_redirect(index: u32, out: &mut Vec<u8>) {
    let actions = attr::open(out, U32_ACT);
    let first = attr::open(out, 1);
    attr::put_str(out, ACT_KIND, "mirred");
    let options = attr::open(out, ACT_OPTIONS | NESTED);
    // struct tc_mirred: index, capab, action, refcnt, bindcnt, eaction, ifindex
    let parms: Vec<u8> =
        [0, 0, STOLEN, 0, 0, EGRESS_REDIRECT, index].iter().flat_map(|word| word.to_ne_bytes()).collect();
    attr::put(out, MIRRED_PARMS, &parms);
    attr::close(out, options);
    attr::close(out, first);
    attr::close(out, actions);
    // struct tc_u32_sel with one key whose mask is empty: `match u32 0 0`.
    let mut selector = [0u8; 32];
    selector[0] = TERMINAL;
    selector[2] = 1;
    attr::put(out, U32_SEL, &selector);
}

/// Reads the index of the device a filter redirects every packet to; `None` for any other u32 filter.
pub fn redirect(options: Attrs<'_>) -> Option<u32> {
    let selector = options.get(U32_SEL)?.payload;
    let [flags, _, keys] = field(selector, 0)?;
    let mask: [u8; 4] = field(selector, 16)?;
    if flags & TERMINAL == 0 || keys != 1 || mask != [0; 4] || options.get(U32_CLASSID).is_some_and(is_set) {
        return None;
    }
    // Each of these leaves packets out, or does something else with them first.
    if [U32_LINK, U32_POLICE, U32_INDEV, U32_MARK].iter().any(|kind| options.get(*kind).is_some()) {
        return None;
    }
    let mut actions = options.get(U32_ACT)?.nested();
    let action = actions.next()?.nested();
    if action.get(ACT_KIND)?.text()? != "mirred" || actions.next().is_some() {
        return None;
    }
    let parms = action.get(ACT_OPTIONS)?.nested().get(MIRRED_PARMS)?.payload;
    let word = |offset| field(parms, offset).map(u32::from_ne_bytes);
    (word(20)? == EGRESS_REDIRECT && word(8)? == STOLEN).then(|| word(24))?
}

fn is_set(classid: Attr<'_>) -> bool {
    classid.u32() != Some(0)
}

/// Whether a u32 handle is a hash table's (`800:`), which a dump tells of before the filters in it.
pub fn is_hash_table(handle: Handle) -> bool {
    handle.0 & 0xfff == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_read_back_and_nothing_else_is_taken_for_one() {
        let mut out = Vec::new();
        put_redirect(7, &mut out);
        assert_eq!(redirect(Attrs::new(&out)), Some(7));
        let mut narrow = out.clone();
        let mask = narrow.len() - 16; // the key's mask
        narrow[mask] = 0xff;
        assert_eq!(redirect(Attrs::new(&narrow)), None);
        let mut marked = out.clone();
        attr::put(&mut marked, U32_MARK, &[0; 12]);
        assert_eq!(redirect(Attrs::new(&marked)), None);
        for cut in 0..out.len() {
            assert_eq!(redirect(Attrs::new(&out[..cut])), None, "{cut}");
        }
    }

    #[test]
    fn a_hash_table_is_no_filter() {
        assert!(is_hash_table(Handle(0x8000_0000)));
        assert!(!is_hash_table(Handle(0x8000_0800)));
    }
}
