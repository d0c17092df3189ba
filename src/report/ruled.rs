// SPDX-License-Identifier: Apache-2.0
//! A line's rules for programs, in the order they are looked at.

use crate::config::{Config, value};
use crate::scribe::{Scribe, Shape};
use crate::tc::classifier;
use crate::tc::plan::Plan;
use crate::units::Way;

/// The most conditions of a rule that are shown; the rest is counted.
const SHOWN: usize = 8;

/// Writes a page of the rules of the line at `place`: at most `limit`, the first `since` left out, and as many as there is
/// room for. The page after it begins behind `next`.
pub fn write(config: &Config, place: usize, plan: &Plan, since: usize, limit: usize, out: &mut dyn Scribe) {
    let Some(wan) = config.wans.get(place) else { return };
    let device = plan.lines.get(place).and_then(|line| line.device);
    let header = plan.headers.iter().find(|(name, _)| Some(*name) == device).map_or(14, |(_, bytes)| *bytes);
    out.text("wan", &wan.name);
    let (mut number, mut next, mut is_full) = (0, since, false);
    out.open("rules", Shape::Array);
    for way in Way::ALL {
        let scheme = classifier::scheme(config, wan, way, header, None, true);
        for rule in &scheme.rules {
            number += 1;
            if number <= since || number - since > limit || is_full {
                continue;
            }
            let mark = out.mark();
            out.table("", |out| {
                out.count("number", number as u64);
                out.text("direction", &way);
                out.text("rule", &rule.name);
                out.text("class", &rule.class);
                out.count("priority", rule.priority.into());
                out.count("line", rule.line.into());
                out.flag("builtin", rule.is_builtin);
                out.maybe_text(
                    "set_dscp",
                    rule.set_dscp.map(value::dscp_name).as_ref().map(|name| name as _),
                );
                out.open("matches", Shape::Array);
                rule.matches.iter().take(SHOWN).for_each(|one| out.text("", one));
                if let Some(more) = rule.matches.len().checked_sub(SHOWN).filter(|more| *more > 0) {
                    out.text("", &format_args!("and {more} more"));
                }
                out.close();
            });
            is_full = !out.keep(mark);
            next = if is_full { next } else { number };
        }
    }
    out.close();
    out.count("next", next.min(number) as u64);
    out.count("total", number as u64);
}
