// SPDX-License-Identifier: Apache-2.0
//! A run as a picture: what the line could carry, what the shaper let through, what arrived, and how long it waited.

use super::score::{Record, SAMPLE, Sample};
use super::sweep::Job;
use super::world::Outcome;
use crate::units::Way;
use crate::watch::picture::Text;
use core::fmt::{self, Write};

const WIDTH: f64 = 1100.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const PANEL: f64 = 200.0;
const GAP: f64 = 46.0;
/// Longer waits are cut off, or one outage would flatten all the rest.
const HIGHEST_DELAY: f64 = 500.0;

/// A curve: what it shows, its colour, and how to get its value.
type Curve = (&'static str, &'static str, fn(&Sample) -> f64);

const RATES: &[Curve] = &[
    ("capacity", "#9aa5b1", |sample| sample.capacity / 1000.0),
    ("shaper", "#d9480f", |sample| sample.rate / 1000.0),
    ("delivered", "#1864ab", |sample| sample.delivered / 1000.0),
];
const DELAYS: &[Curve] = &[("longest wait", "#862e9c", |sample| sample.delay)];

/// Draws a run.
///
/// # Errors
/// Those of `out`.
pub fn svg(out: &mut impl Write, job: &Job, outcome: &Outcome) -> fmt::Result {
    let ways = job.case.ways();
    let height = 40.0 + ways.len() as f64 * 2.0 * (PANEL + GAP);
    write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    )?;
    let title = format!("{} on {}", job.pilot.name, job.case.trace.name);
    writeln!(out, "<text x=\"{LEFT}\" y=\"20\" font-size=\"15\">{}</text>", Text(&title))?;
    let mut top = 44.0;
    for &way in ways {
        let [up, down] = &outcome.records;
        let record = match way {
            Way::Up => up,
            Way::Down => down,
        };
        let highest = record.series.iter().map(|sample| sample.capacity / 1000.0).fold(0.1, f64::max) * 1.1;
        panel(out, top, &format!("{way}, Mbit/s"), RATES, record, highest)?;
        top += PANEL + GAP;
        let highest = record.series.iter().map(|sample| sample.delay).fold(50.0, f64::max).min(HIGHEST_DELAY);
        panel(out, top, &format!("{way}, wait at the line in ms"), DELAYS, record, highest)?;
        top += PANEL + GAP;
    }
    writeln!(out, "</svg>")
}

fn panel(
    out: &mut impl Write,
    top: f64,
    title: &str,
    curves: &[Curve],
    record: &Record,
    highest: f64,
) -> fmt::Result {
    let seconds = record.series.len() as f64 * SAMPLE.as_secs();
    let x = |n: usize| LEFT + (WIDTH - LEFT - RIGHT) * n as f64 / record.series.len().max(1) as f64;
    let y = |value: f64| top + PANEL * (1.0 - (value / highest).clamp(0.0, 1.0));
    writeln!(out, "<text x=\"{LEFT}\" y=\"{}\">{}</text>", top - 6.0, Text(title))?;
    let step = tick(highest / 4.0);
    let mut value = 0.0;
    while value <= highest {
        let at = y(value);
        writeln!(
            out,
            "<path d=\"M{LEFT} {at:.1}H{:.1}\" stroke=\"#e9ecef\"/><text x=\"{:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\">{value}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 4.0
        )?;
        value += step;
    }
    let step = tick(seconds / 9.0);
    let mut second = 0.0;
    while second <= seconds {
        let at = x((second / SAMPLE.as_secs()) as usize);
        writeln!(
            out,
            "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{second} s</text>",
            top + PANEL + 16.0
        )?;
        second += step;
    }
    for (n, (name, colour, of)) in curves.iter().enumerate() {
        write!(out, "<path fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.3\" d=\"")?;
        for (at, sample) in record.series.iter().enumerate() {
            let verb = if at == 0 { 'M' } else { 'L' };
            write!(out, "{verb}{:.1} {:.1}", x(at), y(of(sample)))?;
        }
        let at = WIDTH - RIGHT - 110.0 * (curves.len() - n) as f64;
        writeln!(out, "\"/>\n<text x=\"{at}\" y=\"{}\" fill=\"{colour}\">{name}</text>", top - 6.0)?;
    }
    Ok(())
}

/// The nicest distance of marks that is not below `least`.
fn tick(least: f64) -> f64 {
    let mut unit = 0.01;
    loop {
        for factor in [1.0, 2.0, 5.0] {
            if unit * factor >= least {
                return unit * factor;
            }
        }
        unit *= 10.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::clock::Span;
    use crate::sim::roster::by_name;
    use crate::sim::scenario::Case;
    use crate::sim::trace::Trace;
    use std::sync::Arc;

    #[test]
    fn a_picture_has_a_curve_with_a_point_for_every_sample() {
        let case = Case { length: Span::secs(3), ..Case::new(Arc::new(Trace::constant("a<b", 5_000))) };
        let job = Job { case, pilot: by_name("oracle").expect("is one") };
        let mut out = String::new();
        svg(&mut out, &job, &job.run()).expect("a string takes everything");
        let curves: Vec<&str> = out.lines().filter(|line| line.contains("fill=\"none\"")).collect();
        assert_eq!(curves.len(), 4);
        let points = |curve: &str| curve.matches('L').count() + curve.matches('M').count();
        assert!(curves.iter().all(|curve| points(curve) == 30), "{out}");
        assert!(out.contains("oracle on a&lt;b") && out.ends_with("</svg>\n"));
    }

    #[test]
    fn marks_stand_at_round_numbers() {
        assert_eq!([0.3, 1.0, 12.5, 26.0, 130.0].map(tick), [0.5, 1.0, 20.0, 50.0, 200.0]);
    }
}
