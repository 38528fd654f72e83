//! A run as a chart in the terminal: what was offered, what was forwarded, the capacity, the states.

use crate::cli::table::{Style, paint};
use crate::simulate::summary::{PointView, SeriesView};

const HEIGHT: usize = 10;
/// Room for the numbers on the left.
const LEFT: usize = 9;
/// The chart's height in capacities at most: a flood would flatten all the rest.
const CEILING: f64 = 3.0;
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A column.
struct Column {
    offered: f64,
    forwarded: f64,
    state: &'static str,
}

/// The chart, `width` characters wide. Of each column the busiest second is drawn.
pub(super) fn draw(series: &SeriesView, capacity: f64, width: usize, colour: bool) -> String {
    let room = width.saturating_sub(LEFT + 2).clamp(20, 160);
    let columns = columns(&series.points, room);
    if columns.is_empty() {
        return String::new();
    }
    let most = columns.iter().map(|c| c.offered).fold(capacity * 1.1, f64::max);
    let top = most.min(CEILING * capacity).max(1.0);
    let mut text = String::new();
    for row in (0..HEIGHT).rev() {
        text += &line(&columns, row, top, capacity, colour);
    }
    text += &format!("{:>LEFT$} {}\n", "state", states(&columns, colour));
    text += &legend(&columns, top, most, capacity, colour);
    text
}

fn line(columns: &[Column], row: usize, top: f64, capacity: f64, colour: bool) -> String {
    let step = top / HEIGHT as f64;
    let floor = row as f64 * step;
    let holds_capacity = (floor..floor + step).contains(&capacity);
    let label = match row {
        _ if holds_capacity => format!("{capacity:.0}/s"),
        _ if row == HEIGHT - 1 => format!("{top:.0}/s"),
        0 => "0".to_owned(),
        _ => String::new(),
    };
    let mut cells = String::new();
    for column in columns {
        let filled = |value: f64| ((value - floor) / step * 8.0).round().clamp(0.0, 8.0) as usize;
        let (forwarded, offered) = (filled(column.forwarded), filled(column.offered));
        cells += &match (forwarded, offered) {
            (1.., _) => paint(&EIGHTHS[forwarded].to_string(), Style::Good, colour),
            (0, 1..) if column.offered > top && row == HEIGHT - 1 => paint("▲", Style::Bad, colour),
            (0, 1..) => paint("░", Style::Bad, colour),
            (0, 0) if holds_capacity => paint("┄", Style::Dim, colour),
            (0, 0) => " ".to_owned(),
        };
    }
    format!("{label:>LEFT$} {cells}\n")
}

fn states(columns: &[Column], colour: bool) -> String {
    let mark = |column: &Column| match column.state {
        "attack" => paint("A", Style::Bad, colour),
        "overload" => paint("O", Style::Bad, colour),
        "elevated" => paint("e", Style::Bold, colour),
        _ => paint("·", Style::Dim, colour),
    };
    columns.iter().map(mark).collect()
}

fn legend(columns: &[Column], top: f64, most: f64, capacity: f64, colour: bool) -> String {
    let cut = if most > top { format!("; ▲ above {top:.0}/s") } else { String::new() };
    let kinds = ["elevated", "attack", "overload"].iter().filter(|s| columns.iter().any(|c| c.state == **s));
    let kinds: Vec<String> = kinds.map(|s| format!("{} {s}", if *s == "elevated" { "e" } else { upper(s) })).collect();
    let states = if kinds.is_empty() { String::new() } else { format!("; {}", kinds.join(", ")) };
    let text = format!("█ forwarded, ░ turned away, ┄ capacity {capacity:.0}/s{cut}{states}");
    format!("{:>LEFT$} {}\n", "", paint(&text, Style::Dim, colour))
}

fn upper(state: &str) -> &'static str {
    if state == "attack" { "A" } else { "O" }
}

/// The points taken together into at most `room` columns; few points become wide columns.
fn columns(points: &[PointView], room: usize) -> Vec<Column> {
    let each = points.len().div_ceil(room).max(1);
    let wide = (room / points.len().max(1)).clamp(1, 4);
    let column = |some: &[PointView]| Column {
        offered: f64::from(some.iter().map(|p| p.most_offered).max().unwrap_or(0)),
        forwarded: f64::from(some.iter().map(|p| p.most_forwarded).max().unwrap_or(0)),
        state: gravest(some),
    };
    points.chunks(each).flat_map(|some| (0..wide).map(move |_| column(some))).collect()
}

fn gravest(points: &[PointView]) -> &'static str {
    let is_there = |state: &&str| points.iter().any(|p| p.state == *state);
    ["attack", "overload", "elevated"].into_iter().find(|state| is_there(&state)).unwrap_or("normal")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(points: &[(u32, u32, &'static str)]) -> SeriesView {
        let point = |&(offered, forwarded, state): &(u32, u32, &'static str)| PointView {
            offered: offered.into(),
            forwarded: forwarded.into(),
            most_offered: offered,
            most_forwarded: forwarded,
            state,
        };
        SeriesView { start: 0, width: 1, points: points.iter().map(point).collect() }
    }

    #[test]
    fn what_is_forwarded_is_solid_and_what_is_turned_away_is_shaded() {
        let run: Vec<_> = (0..40).map(|n| if n < 20 { (50, 50, "normal") } else { (1000, 100, "attack") }).collect();
        let text = draw(&series(&run), 100.0, 80, false);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), HEIGHT + 2);
        assert!(lines[0].contains("300/s") && lines[0].ends_with(&"▲".repeat(20)), "{text}");
        assert!(lines[HEIGHT].ends_with(&format!("{}{}", "·".repeat(20), "A".repeat(20))), "{text}");
        assert!(lines[HEIGHT - 1].ends_with(&"█".repeat(40)), "{text}");
        assert!(text.contains("100/s") && text.contains("A attack") && !text.contains('\x1b'), "{text}");
        assert!(draw(&series(&run), 100.0, 80, true).contains("\x1b[31m"));
    }

    #[test]
    fn it_fits_the_terminal_whatever_the_run() {
        for count in [0_usize, 1, 7, 500] {
            let text = draw(&series(&vec![(5, 5, "normal"); count]), 10.0, 60, false);
            assert!(text.lines().take(HEIGHT).all(|l| l.chars().count() <= 60), "{text}");
        }
    }
}
