// SPDX-License-Identifier: Apache-2.0
//! Latency over time as a picture (SVG), one colour for each file; the axis is logarithmic, for it spans 10 ms to seconds.

use crate::Options;
use std::fmt::Write as _;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 40.0;
const COLOURS: [&str; 4] = ["#c0392b", "#1f77b4", "#2ca02c", "#8e44ad"];

/// `flow svg`
pub fn svg(options: &Options) -> Result<(), String> {
    let out = options.word(0, "OUT")?;
    let mut lines = Vec::new();
    for word in options.rest(1) {
        let (title, path) = word.split_once('=').ok_or_else(|| format!("{word}: not TITLE=FILE"))?;
        let text = std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
        lines.push((title, read(&text)));
    }
    let picture = draw(&lines, options.text("label").unwrap_or("latency under load"));
    std::fs::write(out, picture).map_err(|e| format!("{out}: {e}"))
}

fn read(text: &str) -> Vec<(f64, f64)> {
    let pair = |line: &str| {
        let (at, delay) = line.split_once(' ')?;
        Some((at.parse::<f64>().ok()? / 1000.0, delay.parse::<f64>().ok()? / 1000.0))
    };
    text.lines().filter_map(pair).collect()
}

fn draw(lines: &[(&str, Vec<(f64, f64)>)], label: &str) -> String {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let seconds = points().map(|(at, _)| *at).fold(1.0, f64::max);
    let most = points().map(|(_, delay)| *delay).fold(100.0, f64::max);
    let (low, high) = (1.0f64, 10f64.powf(most.log10().ceil()));
    let x = |at: f64| LEFT + at / seconds * (WIDTH - LEFT - 20.0);
    let y = |ms: f64| TOP + (high / ms.max(low)).log10() / (high / low).log10() * (HEIGHT - TOP - 50.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"{LEFT}\" y=\"24\" font-size=\"16\">{label}</text>\n"
    );
    let mut tick = low;
    while tick <= high {
        let at = y(tick);
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" x2=\"{:.0}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>",
            WIDTH - 20.0
        );
        let _ = writeln!(
            out,
            "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{tick} ms</text>",
            LEFT - 6.0,
            at + 4.0
        );
        tick *= 10.0;
    }
    let step = if seconds > 60.0 { 10 } else { 5 };
    for second in (0..=seconds as u32).step_by(step) {
        let at = x(f64::from(second));
        let _ = writeln!(
            out,
            "<text x=\"{at:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{second} s</text>",
            HEIGHT - 28.0
        );
    }
    for (nth, (title, points)) in lines.iter().enumerate() {
        let colour = COLOURS[nth % COLOURS.len()];
        let path: Vec<String> =
            points.iter().map(|(at, ms)| format!("{:.1},{:.1}", x(*at), y(*ms))).collect();
        let _ = writeln!(
            out,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.3\" points=\"{}\"/>",
            path.join(" ")
        );
        let at = LEFT + 220.0 * nth as f64;
        let _ = writeln!(out, "<text x=\"{at}\" y=\"{:.0}\" fill=\"{colour}\">{title}</text>", HEIGHT - 8.0);
    }
    out.push_str("</svg>\n");
    out
}
