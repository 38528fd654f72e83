//! A run as an SVG chart: what was asked, what reached the origin, who was refused, and in which state.

use crate::simulate::score::{Score, Second, State};
use std::fmt::Write;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 52.0;
const BOTTOM: f64 = 30.0;
/// The most points of a curve.
const POINTS: usize = 600;
/// The chart's height in capacities: what is above is cut, else a flood would flatten all the rest.
const CEILING: f64 = 3.0;
/// Readable on light and dark pages.
const STYLE: &str = "text { font: 12px system-ui, sans-serif; fill: #24292f } .title { font-weight: 600; font-size: 13px }
.asked { fill: #8c96a3; fill-opacity: .35 } .people { fill: none; stroke: #57606a } .served { fill: none; stroke: #1f7a8c; stroke-width: 1.8 }
.refused { fill: none; stroke: #c93c37; stroke-width: 1.5 } .capacity { stroke: #24292f; stroke-dasharray: 5 4 } .axis { stroke: #8c96a3 }
.elevated { fill: #e3b341; fill-opacity: .25 } .overload { fill: #db6d28; fill-opacity: .28 } .attack { fill: #c93c37; fill-opacity: .16 }
@media (prefers-color-scheme: dark) { text { fill: #d8dee6 } .people { stroke: #aab4bf } .served { stroke: #4fb3c7 }
.refused { stroke: #ff7b72 } .capacity { stroke: #f0f3f6 } }";

/// The part of a run that a chart shows, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// From when.
    pub from: f64,
    /// Until when.
    pub to: f64,
}

impl Span {
    /// A quarter of the time from `onset` to `end` before it, and half of it after, but at least one and two minutes.
    pub fn around(onset: f64, end: f64, last: f64) -> Self {
        let length = end - onset;
        let to = (end + (length / 2.0).max(120.0)).min(last.max(end));
        Self { from: (onset - (length / 4.0).max(60.0)).max(0.0), to }
    }
}

/// Some seconds of a run taken together.
struct Point {
    /// Requests a second: of all, of all but attackers, those that reached the origin, those refused to people.
    asked: f64,
    people: f64,
    served: f64,
    refused: f64,
    state: State,
}

/// The scale of a chart.
struct Scale {
    count: usize,
    top: f64,
}

impl Scale {
    fn x(&self, at: usize) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * at as f64 / self.count.max(1) as f64
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value / self.top).min(1.0)
    }

    /// A curve through `values`.
    fn curve(&self, values: impl Iterator<Item = f64>) -> String {
        let mut path = String::new();
        for (at, value) in values.enumerate() {
            let letter = if at == 0 { 'M' } else { 'L' };
            // Writing to a string can't fail.
            let _ = write!(path, "{letter}{:.1} {:.1}", self.x(at), self.y(value));
        }
        path
    }
}

/// The chart of `score`, a run against an origin of `capacity`.
pub fn svg(title: &str, score: &Score, span: Span, capacity: f64) -> String {
    let points = points(&score.seconds, span);
    let most = points.iter().map(|p| p.asked.max(p.served)).fold(0.0, f64::max);
    let top = (most * 1.05).clamp(capacity * 1.2, capacity * CEILING);
    let scale = Scale { count: points.len().saturating_sub(1), top };
    let mut out = head(title, most, top);
    bands(&points, &scale, &mut out);
    let mut asked = scale.curve(points.iter().map(|p| p.asked));
    if !asked.is_empty() {
        let floor = scale.y(0.0);
        asked.push_str(&format!("L{:.1} {floor:.1}L{LEFT} {floor:.1}Z", scale.x(scale.count)));
    }
    let curves = [
        ("asked", asked),
        ("people", scale.curve(points.iter().map(|p| p.people))),
        ("served", scale.curve(points.iter().map(|p| p.served))),
        ("refused", scale.curve(points.iter().map(|p| p.refused))),
    ];
    for (class, path) in curves {
        out.push_str(&format!("<path class=\"{class}\" d=\"{path}\"/>\n"));
    }
    axes(&scale, span, capacity, &mut out);
    out.push_str("</svg>\n");
    out
}

fn head(title: &str, most: f64, top: f64) -> String {
    let cut = if most > top { format!(" (up to {most:.0}/s asked)") } else { String::new() };
    let title = escape(&format!("{title}: requests a second{cut}"));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n<text class=\"title\" x=\"8\" y=\"18\">{title}</text>\n"
    );
    let legend = ["asked", "people", "served", "refused", "elevated", "overload", "attack"];
    let meaning =
        ["asked", "of people", "reached the origin", "people refused", "state elevated", "overload", "attack"];
    let mut x = LEFT;
    for (class, text) in legend.into_iter().zip(meaning) {
        let mark = match class {
            "people" | "served" | "refused" => format!("M{x} 34h12"),
            _ => format!("M{x} 29h12v9h-12Z"),
        };
        out.push_str(&format!(
            "<path class=\"{class}\" d=\"{mark}\"/><text x=\"{}\" y=\"38\">{text}</text>\n",
            x + 16.0
        ));
        x += 26.0 + 6.3 * text.len() as f64;
    }
    out
}

/// The state behind the curves, wherever it is not normal.
fn bands(points: &[Point], scale: &Scale, out: &mut String) {
    let mut at = 0;
    for run in points.chunk_by(|a, b| a.state == b.state) {
        let class = match run[0].state {
            State::Normal => None,
            State::Elevated => Some("elevated"),
            State::Overload => Some("overload"),
            State::Attack => Some("attack"),
        };
        if let Some(class) = class {
            let (x, end) = (scale.x(at), scale.x((at + run.len()).min(scale.count)));
            let (width, height) = (end - x, HEIGHT - TOP - BOTTOM);
            out.push_str(&format!(
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{height}\"/>\n"
            ));
        }
        at += run.len();
    }
}

fn axes(scale: &Scale, span: Span, capacity: f64, out: &mut String) {
    let (floor, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    let y = scale.y(capacity);
    out.push_str(&format!("<path class=\"capacity\" d=\"M{LEFT} {y:.1}H{right}\"/>\n"));
    out.push_str(&format!("<path class=\"axis\" fill=\"none\" d=\"M{LEFT} {TOP}V{floor}H{right}\"/>\n"));
    for (value, y) in [(0.0, floor), (capacity, y)] {
        out.push_str(&format!(
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value:.0}</text>\n",
            LEFT - 6.0,
            y + 4.0
        ));
    }
    for step in 0..=4 {
        let share = f64::from(step) / 4.0;
        let x = LEFT + (right - LEFT) * share;
        let anchor = ["start", "middle", "middle", "middle", "end"][step as usize];
        let t = span.from + (span.to - span.from) * share;
        out.push_str(&format!("<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"{anchor}\">{t:.0} s</text>\n", floor + 18.0));
    }
}

/// The seconds of `span`, so many at a time that the points are not too many.
fn points(seconds: &[Second], span: Span) -> Vec<Point> {
    let to = (span.to.ceil() as usize).min(seconds.len());
    let part = seconds.get(span.from as usize..to).unwrap_or_default();
    let each = part.len().div_ceil(POINTS).max(1);
    part.chunks(each)
        .map(|some| {
            let mean = |of: fn(&Second) -> u32| some.iter().map(|s| f64::from(of(s))).sum::<f64>() / some.len() as f64;
            Point {
                asked: mean(|s| s.legitimate + s.attack),
                people: mean(|s| s.legitimate),
                served: mean(|s| s.forwarded),
                refused: mean(|s| s.refused),
                state: some.iter().map(|s| s.state).max().unwrap_or_default(),
            }
        })
        .collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
