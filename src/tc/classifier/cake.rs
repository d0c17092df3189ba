// SPDX-License-Identifier: Apache-2.0
//! The filters of a CAKE direction: one program for each tin with `skbedit priority`, and one for each DSCP that is set.

use super::{Made, TooMuch, answer, filter, framing, marked, rewrite};
use crate::classify::compile::{Framing, compile};
use crate::classify::list::List;
use crate::classify::scheme::{Scheme, Verdict};
use crate::config::{self, CakeTin, Config, Diffserv};
use crate::limits;
use crate::order;
use crate::tc::{Action, Filter, ROOT_MAJOR};
use crate::units::{Dscp, Handle};
use alloc::vec::Vec;

/// "This filter, with the class it has itself", which is none.
const MATCHED: u32 = u32::MAX;
/// How far behind the first preference CAKE's filters begin that set a DSCP: two for each, behind those of the tins.
const FIRST_MARK: u16 = 16;

/// The filters of a CAKE direction with these tins.
///
/// What a filter does goes by its preference, whatever the rules are: a reload then exchanges programs that are about
/// the same packets, one by one, and what both files want of a packet holds all the while. They are told in the order
/// in which they are to be sent: the usual tin changes when those that need not be usual any more have a filter.
///
/// # Errors
/// When it would be more than the kernel or weir takes.
pub fn for_cake(scheme: &Scheme<'_>, list: &List, config: &Config, mode: Diffserv) -> Result<Made, TooMuch> {
    let root = Handle::new(ROOT_MAJOR, 0);
    let Some(rest) = tin(mode, CakeTin::BestEffort) else { return Ok(Made::default()) };
    let tin_of = |verdict: Verdict| {
        let at = scheme.classes.iter().position(|place| place.leaf == verdict.leaf);
        // The leaf of ICMP is no class of its own here.
        let class = config.classes.get(at.unwrap_or(scheme.first));
        class.and_then(|class| tin(mode, cake_tin(class))).unwrap_or(rest)
    };
    let marks = marked(list);
    let mut tins: Vec<Handle> =
        list.lines.iter().map(|line| line.verdict).chain([scheme.of_control()]).map(tin_of).collect();
    tins.push(tin_of(list.default));
    order::rising(&mut tins);
    tins.dedup();
    let usual = tin_of(list.default);
    let mut filters: Vec<Filter> = Vec::new();
    // With marks to set behind them, filters only leave a note on the packet and let the next one see it.
    let is_last_word = marks.is_empty();
    for special in tins.into_iter().rev().filter(|one| *one != usual) {
        let returns = |verdict: Verdict| if tin_of(verdict) == special { MATCHED } else { 0 };
        let program = compile(list, &framing(scheme), &returns).ok_or(TooMuch::Program)?;
        let action = Action::Priority { priority: special, is_last_word };
        filters.push(filter(root, special.minor(), program, alloc::vec![action]));
    }
    let mut points: Vec<Dscp> = marks.iter().map(|(_, mark)| *mark).collect();
    order::rising(&mut points);
    points.dedup();
    if filters.len() + 2 * points.len() >= limits::MARKS {
        return Err(TooMuch::Marks);
    }
    for point in points {
        for is_v6 in [false, true] {
            let returns = |verdict: Verdict| if verdict.mark == Some(point) { MATCHED } else { 0 };
            let framing = Framing { only: Some(is_v6), ..framing(scheme) };
            let program = compile(list, &framing, &returns).ok_or(TooMuch::Program)?;
            let step = FIRST_MARK + 2 * u16::from(point.get()) + u16::from(is_v6);
            filters.push(filter(root, step, program, rewrite(point, is_v6)));
        }
    }
    // The usual tin's note comes before all others, which overwrite it where they match.
    let action = Action::Priority { priority: usual, is_last_word: false };
    filters.push(filter(root, 0, answer(MATCHED), alloc::vec![action]));
    Ok(Made { filters, ..Made::default() })
}

/// The tin of a class.
pub fn cake_tin(class: &config::Class) -> CakeTin {
    match (class.cake_tin, class.name.as_str()) {
        (CakeTin::Auto, "critical") => CakeTin::Voice,
        (CakeTin::Auto, "high") => CakeTin::Video,
        (CakeTin::Auto, "low") => CakeTin::Bulk,
        (CakeTin::Auto, _) if class.priority == 0 && !class.is_default => CakeTin::Voice,
        (CakeTin::Auto, _) => CakeTin::BestEffort,
        (chosen, _) => chosen,
    }
}

/// The priority that chooses a tin (`cake_select_tin`: minor n is the nth of `tin_order`); `None`: there is only one.
pub fn tin(mode: Diffserv, tin: CakeTin) -> Option<Handle> {
    let minor = match (mode, tin) {
        (Diffserv::Besteffort, _) => return None,
        (Diffserv::Diffserv3 | Diffserv::Diffserv4, CakeTin::Bulk) => 1,
        (Diffserv::Diffserv3 | Diffserv::Diffserv4, CakeTin::BestEffort | CakeTin::Auto) => 2,
        (Diffserv::Diffserv3, CakeTin::Video) => 2,
        (Diffserv::Diffserv3, CakeTin::Voice) | (Diffserv::Diffserv4, CakeTin::Video) => 3,
        (Diffserv::Diffserv4, CakeTin::Voice) => 4,
        (Diffserv::Diffserv8, CakeTin::Bulk) => 2,
        (Diffserv::Diffserv8, CakeTin::BestEffort | CakeTin::Auto) => 3,
        (Diffserv::Diffserv8, CakeTin::Video) => 4,
        (Diffserv::Diffserv8, CakeTin::Voice) => 7,
        // By IP precedence, 0 to 7.
        (Diffserv::Precedence, CakeTin::Bulk | CakeTin::BestEffort | CakeTin::Auto) => 1,
        (Diffserv::Precedence, CakeTin::Video) => 5,
        (Diffserv::Precedence, CakeTin::Voice) => 6,
    };
    Some(Handle::new(ROOT_MAJOR, minor))
}
