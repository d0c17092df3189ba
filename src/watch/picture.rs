// SPDX-License-Identifier: Apache-2.0
//! What a line did as a picture (SVG 1.1): of each direction what its classes sent, above each other, below the rate it was
//! shaped to and what the line carried; then how long packets waited. What nobody knows is a gap.
//!
//! Before changing colours: they are Okabe and Ito's, which those who see no red or green tell apart, and hold on white and
//! on black. Curves are drawn in tenths of a pixel, as integers are all there is.

use super::history::{CAPACITY, CLASS, CLASSES, RATE, Row, SENT, WAIT, WAIT_MAX};
use super::mini::NONE;
use super::page::Page;
use crate::calendar::{WEEKDAYS, Zone, date, weekday};
use crate::units::{Micros, Rate};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Display, Write};

const WIDTH: u64 = 960;
const LEFT: u64 = 84;
const PLOT: u64 = 856;
/// How high the panels are.
const RATES: u64 = 220;
const WAITS: u64 = 90;
/// Room for the heading of a direction, and between its panels and below them.
const HEADING: u64 = 34;
const BETWEEN: u64 = 18;
const BELOW: u64 = 40;
/// Points of a curve; what is more is put together.
const POINTS: usize = 428;

/// Of the first classes, and of all others.
const CLASS_COLOURS: [&str; CLASSES + 1] = ["#0072b2", "#56b4e9", "#009e73", "#f0e442", "#cc79a7"];
const REST_COLOUR: &str = "#999999";
/// Of the shaper's rate, and of what the line carries.
const RATE_COLOUR: &str = "#d55e00";
const CAPACITY_COLOUR: &str = "#e69f00";
const WAIT_COLOUR: &str = "#cc79a7";
const LONGEST_COLOUR: &str = "#56b4e9";
/// Of what has no colour of its own.
const TEXT_COLOUR: &str = "currentColor";

const STYLE: &str = "svg{color:#1b1b1b;background:#fff}text{fill:currentColor;font:12px sans-serif}\
    path{fill:none;stroke-width:16;stroke-linejoin:round}.grid{stroke:currentColor;stroke-opacity:.2}\
    .dash{stroke-dasharray:60 40}\
    @media(prefers-color-scheme:dark){svg{color:#e8e8e8;background:#161616}}";

/// Where the clock on the wall stood, in seconds since 1970, and the time zone it is shown in.
pub type Clock = (u64, Zone);

/// Draws a line, with the waits that are aimed at; without a clock that is right times are told from now on back.
///
/// # Errors
/// Those of `out`.
pub fn draw(
    page: &Page,
    aims: [Option<Micros>; 2],
    clock: Option<Clock>,
    out: &mut dyn Write,
) -> fmt::Result {
    let sketches: Vec<Sketch> = (0..2).filter_map(|way| Sketch::of(page, way)).collect();
    let legend = Legend::of(page, &sketches, aims);
    let mut top = 44 + legend.height();
    let height = sketches.iter().fold(top, |sum, sketch| sum + sketch.height());
    let name = Text(&page.wan);
    write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\">\n<title>{name}</title>\n<style>{STYLE}</style>\n"
    )?;
    let span = Micros(page.step.0 * page.rows.len() as u64);
    let end = clock.map(|(seconds, zone)| {
        let late = page.now.0.saturating_sub(page.next * page.step.0) / 1_000_000;
        (seconds.saturating_sub(late), zone)
    });
    write!(out, "<text x=\"{LEFT}\" y=\"26\" style=\"font-size:17px\">{name}: {span}")?;
    if let Some((seconds, zone)) = end {
        let (day, minute) = zone.shows(seconds);
        let (year, month, day) = date(day);
        write!(out, ", to {year}-{month:02}-{day:02} {:02}:{:02}", minute / 60, minute % 60)?;
    }
    out.write_str("</text>\n")?;
    legend.write(out)?;
    if sketches.is_empty() {
        writeln!(out, "<text x=\"{LEFT}\" y=\"{top}\">nothing was shaped</text>")?;
    }
    for sketch in &sketches {
        sketch.write(top, aims.get(sketch.way).copied().flatten(), &Axis { span, end }, out)?;
        top += sketch.height();
    }
    out.write_str("</svg>\n")
}

/// One direction, as points.
struct Sketch {
    way: usize,
    /// What classes sent, each with those before it; none if nobody tells them apart.
    stacks: Vec<Vec<Option<u64>>>,
    rows: Vec<Row>,
}

impl Sketch {
    fn of(page: &Page, way: usize) -> Option<Self> {
        page.has.get(way).filter(|has| **has)?;
        let count = page.rows.len();
        let each = count.div_ceil(POINTS).max(1);
        // From the newest back, so that all but the oldest are of equal length.
        let mut ends: Vec<usize> = (0..count).map(|n| count - n).step_by(each).collect();
        ends.reverse();
        let range = |end: usize| end.saturating_sub(each)..end;
        let rows: Vec<Row> = ends.into_iter().map(|end| page.together(range(end), way)).collect();
        let mut stacks: Vec<Vec<Option<u64>>> = Vec::new();
        for class in 0..page.classes.len() {
            let below = |n: usize| stacks.last().and_then(|stack| stack.get(n)).copied().flatten();
            let of_row = |(n, row): (usize, &Row)| {
                let sent = if class < CLASSES { row.get(CLASS + class) } else { row.get(SENT) };
                let sent = sent.copied().filter(|sent| *sent != NONE)?;
                // Behind the classes that are kept the others: with those before them, all.
                let under = below(n).unwrap_or(0);
                Some(if class < CLASSES { under + sent } else { sent.max(under) })
            };
            let stack = rows.iter().enumerate().map(of_row).collect();
            stacks.push(stack);
        }
        Some(Self { way, stacks, rows })
    }

    fn column(&self, column: usize) -> Vec<Option<u64>> {
        let cell = |row: &Row| row.get(column).copied().filter(|value| *value != NONE);
        self.rows.iter().map(cell).collect()
    }

    fn knows(&self, column: usize) -> bool {
        self.column(column).iter().any(Option::is_some)
    }

    fn height(&self) -> u64 {
        HEADING + RATES + BELOW + if self.knows(WAIT) { BETWEEN + WAITS } else { 0 }
    }

    fn write(&self, top: u64, aim: Option<Micros>, axis: &Axis, out: &mut dyn Write) -> fmt::Result {
        let name = ["upload", "download"].get(self.way).copied().unwrap_or_default();
        writeln!(
            out,
            "<text x=\"{LEFT}\" y=\"{}\" style=\"font-size:14px\">{name}</text>",
            top + HEADING - 10
        )?;
        let columns = [SENT, RATE, CAPACITY].map(|column| self.column(column));
        let most =
            |columns: &[Vec<Option<u64>>]| columns.iter().flatten().flatten().max().copied().unwrap_or(0);
        let [sent, rate, capacity] = &columns;
        let panel = Panel::new(top + HEADING, RATES, most(&columns).max(1000), self.rows.len());
        panel.grid(&|value| Rate::bits(value), out)?;
        panel.begin(out)?;
        // The whole first, so that each class covers what is not its own.
        panel.area(sent, REST_COLOUR, out)?;
        for (n, stack) in self.stacks.iter().enumerate().rev() {
            panel.area(stack, CLASS_COLOURS.get(n).copied().unwrap_or(REST_COLOUR), out)?;
        }
        panel.line(capacity, CAPACITY_COLOUR, " class=\"dash\"", out)?;
        panel.line(rate, RATE_COLOUR, "", out)?;
        out.write_str("</g>\n")?;
        let mut bottom = top + HEADING + RATES;
        if self.knows(WAIT) {
            let mean = self.column(WAIT);
            // Of a time of which nobody knows the waits there is no aim either.
            let aims = mean.iter().map(|wait| wait.and(aim).map(|aim| aim.0)).collect();
            let columns = [self.column(WAIT_MAX), aims, mean];
            let panel = Panel::new(bottom + BETWEEN, WAITS, most(&columns).max(1000), self.rows.len());
            let [longest, aim, mean] = &columns;
            panel.grid(&|value| Micros(value), out)?;
            panel.begin(out)?;
            panel.line(longest, LONGEST_COLOUR, "", out)?;
            panel.line(mean, WAIT_COLOUR, "", out)?;
            panel.line(aim, TEXT_COLOUR, " class=\"dash\"", out)?;
            out.write_str("</g>\n")?;
            bottom += BETWEEN + WAITS;
        }
        axis.write(top + HEADING, bottom, out)
    }
}

/// Where curves of one kind of value are.
struct Panel {
    top: u64,
    height: u64,
    /// From one mark to the next, and the value at the top.
    step: u64,
    most: u64,
    count: usize,
}

impl Panel {
    fn new(top: u64, height: u64, most: u64, count: usize) -> Self {
        // What is highest would look cut off at the very top.
        let most = most + most / 32;
        let step = nice(most.div_ceil(height / 44));
        Self { top, height, step, most: most.div_ceil(step) * step, count }
    }

    /// Where a value is, in so many parts of a pixel.
    fn y(&self, value: u64, parts: u64) -> u64 {
        (self.top + self.height) * parts - value.min(self.most) * self.height * parts / self.most
    }

    /// Where so many halves of points end, in tenths of a pixel.
    fn x(&self, halves: usize) -> u64 {
        LEFT * 10 + PLOT * 10 * halves as u64 / (2 * self.count.max(1) as u64)
    }

    /// Marks with what they stand for.
    fn grid<T: Display>(&self, shown: &dyn Fn(u64) -> T, out: &mut dyn Write) -> fmt::Result {
        // Not by `step_by`: a step of ten gigabits is no `usize` on 32 bits.
        for value in (0..=self.most / self.step).map(|n| n * self.step) {
            let (y, right, label) = (self.y(value, 1), LEFT + PLOT, LEFT - 8);
            write!(out, "<path class=\"grid\" style=\"stroke-width:1\" d=\"M{LEFT} {y}H{right}\"/>")?;
            writeln!(out, "<text x=\"{label}\" y=\"{}\" text-anchor=\"end\">{}</text>", y + 4, shown(value))?;
        }
        Ok(())
    }

    fn begin(&self, out: &mut dyn Write) -> fmt::Result {
        out.write_str("<g transform=\"scale(.1)\">\n")
    }

    fn line(&self, values: &[Option<u64>], colour: &str, more: &str, out: &mut dyn Write) -> fmt::Result {
        if values.iter().all(Option::is_none) {
            return Ok(());
        }
        write!(out, "<path stroke=\"{colour}\"{more} d=\"")?;
        self.curve(values, false, out)?;
        out.write_str("\"/>\n")
    }

    fn area(&self, values: &[Option<u64>], colour: &str, out: &mut dyn Write) -> fmt::Result {
        if values.iter().flatten().all(|value| *value == 0) {
            return Ok(());
        }
        write!(out, "<path style=\"fill:{colour}\" d=\"")?;
        self.curve(values, true, out)?;
        out.write_str("\"/>\n")
    }

    /// Each run of what is known, from its first point's begin to its last one's end.
    fn curve(&self, values: &[Option<u64>], is_area: bool, out: &mut dyn Write) -> fmt::Result {
        let base = self.y(0, 10);
        let mut before: Option<u64> = None;
        for (n, value) in values.iter().chain([&None]).enumerate() {
            let y = value.map(|value| self.y(value, 10));
            let (left, middle) = (self.x(2 * n), self.x(2 * n + 1));
            match (before, y) {
                (None, Some(y)) if is_area => write!(out, "M{left} {base}L{left} {y} {middle} {y}")?,
                (None, Some(y)) => write!(out, "M{left} {y}L{middle} {y}")?,
                (Some(_), Some(y)) => write!(out, " {middle} {y}")?,
                (Some(last), None) if is_area => write!(out, " {left} {last} {left} {base}z")?,
                (Some(last), None) => write!(out, " {left} {last}")?,
                (None, None) => {}
            }
            before = y;
        }
        Ok(())
    }
}

/// From when to when.
struct Axis {
    span: Micros,
    /// The end, where the clock is right.
    end: Option<Clock>,
}

/// Distances of marks of time, in seconds.
const STEPS: [u64; 17] =
    [1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

impl Axis {
    fn write(&self, top: u64, bottom: u64, out: &mut dyn Write) -> fmt::Result {
        let span = (self.span.0 / 1_000_000).max(1);
        let step = STEPS.into_iter().find(|step| span / step <= 8).unwrap_or(86_400);
        // Marks stand at round times of the day.
        let odd = self.end.map_or(0, |(end, zone)| {
            let (_, minute) = zone.shows(end);
            (u64::from(minute) * 60 + end % 60) % step
        });
        for ago in (odd..=span).step_by(step as usize) {
            let x = LEFT + PLOT - PLOT * ago / span;
            write!(out, "<path class=\"grid\" style=\"stroke-width:1\" d=\"M{x} {top}V{bottom}\"/>")?;
            write!(out, "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">", bottom + 18)?;
            match self.end {
                Some((end, zone)) => {
                    let at = end.saturating_sub(ago);
                    let (day, minute) = zone.shows(at);
                    if span > 86_400 {
                        write!(out, "{} ", WEEKDAYS.get(weekday(day)).copied().unwrap_or_default())?;
                    }
                    write!(out, "{:02}:{:02}", minute / 60, minute % 60)?;
                    if step < 60 {
                        write!(out, ":{:02}", at % 60)?;
                    }
                }
                None if ago == 0 => out.write_str("now")?,
                None => write!(out, "{} ago", Micros::secs(ago))?,
            }
            out.write_str("</text>\n")?;
        }
        Ok(())
    }
}

/// What colours and strokes mean.
struct Legend {
    /// Name, colour, whether it is an area and whether it is dashed.
    entries: Vec<(String, &'static str, bool, bool)>,
}

/// The longest name there, and how wide a letter is about.
const NAME: usize = 18;
const LETTER: u64 = 7;
const ROW: u64 = 20;

impl Legend {
    fn of(page: &Page, sketches: &[Sketch], aims: [Option<Micros>; 2]) -> Self {
        let mut entries = Vec::new();
        for (name, colour) in page.classes.iter().zip(CLASS_COLOURS) {
            entries.push((name.chars().take(NAME).collect(), colour, true, false));
        }
        // What is in none of them is what the other classes send, where there are others.
        let rest = if page.classes.is_empty() { "sent" } else { "in no class" };
        if page.classes.len() <= CLASSES {
            entries.push((rest.into(), REST_COLOUR, true, false));
        }
        entries.push(("shaped to".into(), RATE_COLOUR, false, false));
        let knows = |column| sketches.iter().any(|sketch| sketch.knows(column));
        if knows(CAPACITY) {
            entries.push(("line carries".into(), CAPACITY_COLOUR, false, true));
        }
        if knows(WAIT) {
            entries.push(("wait, mean".into(), WAIT_COLOUR, false, false));
            entries.push(("wait, longest".into(), LONGEST_COLOUR, false, false));
            if aims != [None; 2] {
                entries.push(("wait aimed at".into(), TEXT_COLOUR, false, true));
            }
        }
        Self { entries }
    }

    /// Where each entry is, from the first one on.
    fn places(&self) -> impl Iterator<Item = (u64, u64)> {
        let (mut x, mut y) = (LEFT, 0);
        self.entries.iter().map(move |(name, ..)| {
            let width = 34 + LETTER * name.chars().count() as u64;
            if x > LEFT && x + width > LEFT + PLOT {
                (x, y) = (LEFT, y + ROW);
            }
            let place = (x, y);
            x += width;
            place
        })
    }

    fn height(&self) -> u64 {
        self.places().last().map_or(0, |(_, y)| y + ROW)
    }

    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        for ((name, colour, is_area, is_dashed), (x, y)) in self.entries.iter().zip(self.places()) {
            let y = y + 48;
            if *is_area {
                write!(
                    out,
                    "<rect x=\"{x}\" y=\"{}\" width=\"14\" height=\"10\" fill=\"{colour}\"/>",
                    y - 9
                )?;
            } else {
                let dash = if *is_dashed { ";stroke-dasharray:5 3" } else { "" };
                let style = alloc::format!("stroke-width:2{dash}");
                write!(out, "<path stroke=\"{colour}\" style=\"{style}\" d=\"M{x} {}h14\"/>", y - 4)?;
            }
            writeln!(out, "<text x=\"{}\" y=\"{y}\">{}</text>", x + 19, Text(name))?;
        }
        Ok(())
    }
}

/// The roundest number that is not smaller.
fn nice(least: u64) -> u64 {
    let mut unit = 1u64;
    loop {
        for step in [1, 2, 5].map(|factor| unit.saturating_mul(factor)) {
            if step >= least {
                return step;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

/// What a text is in XML, which has no place for some characters at all.
pub struct Text<'a>(pub &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => f.write_str("?")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
