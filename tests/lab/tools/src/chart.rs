// SPDX-License-Identifier: Apache-2.0
//! Numbers over numbers as a picture (SVG), both axes logarithmic; one colour for each file of `X Y` lines.

use crate::Options;
use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 50.0;
const COLOURS: [&str; 6] = ["#1f77b4", "#8e44ad", "#c0392b", "#2ca02c", "#d68910", "#555555"];

/// Points of one line.
type Points = Vec<(f64, f64)>;

/// `flow chart`
pub fn chart(options: &Options) -> Result<(), String> {
    let out = options.word(0, "OUT")?;
    let mut lines = Vec::new();
    for word in options.rest(1) {
        let (title, path) = word.split_once('=').ok_or_else(|| format!("{word}: not TITLE=FILE"))?;
        let text = std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
        lines.push((title, text.lines().filter_map(pair).collect()));
    }
    let title = |name| options.text(name).unwrap_or_default();
    let picture = draw(&lines, title("label"), title("x")).ok_or("nothing to draw")?;
    std::fs::write(out, picture).map_err(|e| format!("{out}: {e}"))
}

fn pair(line: &str) -> Option<(f64, f64)> {
    let (x, y) = line.split_once(' ')?;
    let (x, y) = (x.parse().ok()?, y.parse().ok()?);
    // Nothing else has a logarithm.
    (x > 0.0 && y > 0.0).then_some((x, y))
}

/// From the lowest to the highest number of `values`, in whole powers of ten.
fn decades(values: impl Iterator<Item = f64> + Clone) -> Option<(f64, f64)> {
    let least = values.clone().reduce(f64::min)?.log10().floor();
    let most = values.reduce(f64::max)?.log10().ceil();
    Some((least, most.max(least + 1.0)))
}

fn draw(lines: &[(&str, Points)], label: &str, x_title: &str) -> Option<String> {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let (left, right) = decades(points().map(|(x, _)| *x))?;
    let (low, high) = decades(points().map(|(_, y)| *y))?;
    let (end, floor) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    let x_at = |x: f64| LEFT + (x.log10() - left) / (right - left) * (end - LEFT);
    let y_at = |y: f64| floor - (y.log10() - low) / (high - low) * (floor - TOP);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"16\" y=\"26\" font-size=\"16\">{label}</text>\n"
    );
    for power in low as i32..=high as i32 {
        let value = 10f64.powi(power);
        let at = y_at(value);
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" x2=\"{end}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\n\
             <text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
            LEFT - 8.0,
            at + 4.0
        );
    }
    // Where something was measured.
    let mut columns: Vec<f64> = points().map(|(x, _)| *x).collect();
    columns.sort_by(f64::total_cmp);
    columns.dedup();
    for x in columns {
        let at = x_at(x);
        let _ = writeln!(
            out,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{floor}\" stroke=\"#eee\"/>\n\
             <text x=\"{at:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{x}</text>",
            floor + 18.0
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\">{x_title}</text>",
        (LEFT + end) / 2.0,
        HEIGHT - 10.0
    );
    let mut taken: Vec<f64> = Vec::new();
    for (nth, (title, points)) in lines.iter().enumerate() {
        // A line that could not be measured is left out, and the others keep their colours.
        let Some((x, y)) = points.last() else { continue };
        let colour = COLOURS[nth % COLOURS.len()];
        let path: Vec<String> =
            points.iter().map(|(x, y)| format!("{:.1},{:.1}", x_at(*x), y_at(*y))).collect();
        let _ = writeln!(
            out,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{}\"/>",
            path.join(" ")
        );
        for (x, y) in points {
            let _ = writeln!(
                out,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>",
                x_at(*x),
                y_at(*y)
            );
        }
        // Beside its end, but not on another's title.
        let mut at = y_at(*y) + 4.0;
        while taken.iter().any(|other| (other - at).abs() < 16.0) {
            at += 4.0;
        }
        taken.push(at);
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{at:.1}\" fill=\"{colour}\">{title}: {y:.0}</text>",
            x_at(*x) + 10.0
        );
    }
    out.push_str("</svg>\n");
    Some(out)
}
