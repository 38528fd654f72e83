//! Requests a minute, passed on and refused, as lines of text or as SVG.

use super::findings::Findings;
use std::fmt::Write;

/// The most bars.
const BARS: usize = 72;
const ROWS: usize = 10;
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 200.0;
const LEFT: f64 = 60.0;
const BOTTOM: f64 = 24.0;

/// One bar: requests a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bar {
    /// Passed on, scaled up.
    pub forwarded: f64,
    /// Refused, as far as logged.
    pub refused: f64,
    /// How grave the flood's state was, 0 to 3.
    pub state: u8,
}

/// All bars, and the times of the first and after the last.
#[derive(Clone, Debug)]
pub struct Chart {
    /// By time.
    pub bars: Vec<Bar>,
    /// When it begins, as text.
    pub from: String,
    /// When it ends, as text.
    pub to: String,
}

impl Chart {
    /// The chart of all of `findings`.
    pub fn new(findings: &Findings<'_>, from: String, to: String) -> Self {
        let minutes = &findings.log.minutes;
        let together = minutes.all.len().div_ceil(BARS);
        let scale = if findings.log.sampling.forwarded > 0.0 { 1.0 / findings.log.sampling.forwarded } else { 0.0 };
        let bar = |at: usize| {
            let end = (at + together).min(minutes.all.len());
            let sum = minutes.sum(at..end);
            let length = (end - at) as f64 * minutes.per_step();
            Bar {
                forwarded: sum.forwarded as f64 * scale / length,
                refused: sum.refused as f64 / length,
                state: sum.state,
            }
        };
        Self { bars: (0..minutes.all.len()).step_by(together).map(bar).collect(), from, to }
    }

    fn top(&self) -> f64 {
        1.05 * self.bars.iter().map(|b| b.forwarded + b.refused).fold(1.0, f64::max)
    }

    /// As text: `#` passed on, `x` refused, and below the state.
    pub fn text(&self) -> String {
        let top = self.top();
        let mut text = String::new();
        for row in (0..ROWS).rev() {
            let floor = (row as f64 + 0.5) * top / ROWS as f64;
            let label = if row == ROWS - 1 { format!("{top:.0}/m") } else { String::new() };
            let cell = |b: &Bar| match () {
                () if b.forwarded > floor => '#',
                () if b.forwarded + b.refused > floor => 'x',
                () => ' ',
            };
            let cells: String = self.bars.iter().map(cell).collect();
            // Writing to a string can't fail.
            let _ = writeln!(text, "{label:>10} |{}", cells.trim_end());
        }
        let states: String = self.bars.iter().map(|b| [' ', 'e', 'o', 'A'][usize::from(b.state.min(3))]).collect();
        let _ = writeln!(text, "{:>10} |{}", "0", "-".repeat(self.bars.len()));
        let _ = writeln!(text, "{:>10}  {}", "state", states.trim_end());
        let _ = writeln!(text, "{:>10}  {} to {}", "", self.from, self.to);
        text + "            # passed on (scaled up)   x refused (as logged)   e elevated, o overload, A attack\n"
    }

    /// As SVG, without a style of its own.
    pub fn svg(&self) -> String {
        let (top, width) = (self.top(), (WIDTH - LEFT) / self.bars.len().max(1) as f64);
        let room = HEIGHT - BOTTOM;
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"requests a minute, passed on and refused\">\n"
        );
        for (i, bar) in self.bars.iter().enumerate() {
            let x = LEFT + i as f64 * width;
            let (forwarded, refused) = (bar.forwarded / top * room, bar.refused / top * room);
            let class = ["", "elevated", "overload", "attack"][usize::from(bar.state.min(3))];
            let rect = |class: &str, y: f64, height: f64| {
                format!(
                    "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
                )
            };
            if !class.is_empty() {
                svg += &rect(class, 0.0, room);
            }
            svg += &rect("forwarded", room - forwarded, forwarded);
            svg += &rect("refused", room - forwarded - refused, refused);
            svg.push('\n');
        }
        let _ = write!(
            svg,
            "<line x1=\"{LEFT}\" y1=\"{room}\" x2=\"{WIDTH}\" y2=\"{room}\"/><text x=\"0\" y=\"12\">{top:.0}/min</text>\
             <text x=\"{LEFT}\" y=\"{y}\">{}</text><text x=\"{WIDTH}\" y=\"{y}\" text-anchor=\"end\">{}</text>\n</svg>",
            self.from,
            self.to,
            y = HEIGHT - 6.0
        );
        svg
    }
}
