//! Text for people: aligned columns, colours where there is a terminal, and nothing that a client sent may play
//! tricks on it.

use std::borrow::Cow;
use std::io::IsTerminal;

/// How a text is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As it is.
    Plain,
    /// A heading.
    Bold,
    /// Less important.
    Dim,
    /// All is well.
    Good,
    /// Something is not.
    Bad,
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Good => "32",
            Self::Bad => "31",
        }
    }
}

/// Whether stdout wants colours.
pub fn wants_colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// `text` in a style, if colours are wanted.
pub fn paint(text: &str, style: Style, colour: bool) -> String {
    if colour && style != Style::Plain { format!("\x1b[{}m{text}\x1b[0m", style.code()) } else { text.into() }
}

/// `text` without anything that moves a cursor or turns the writing direction: such characters are written out.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let tricky = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(tricky) {
        return text.into();
    }
    text.chars().map(|c| if tricky(c) { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}

/// Rows of cells under a heading.
#[derive(Debug)]
pub struct Table {
    heading: Vec<&'static str>,
    rows: Vec<Vec<(String, Style)>>,
}

impl Table {
    /// An empty table. A heading that begins with `>` stands over numbers, which are aligned to the right.
    pub fn new(heading: &[&'static str]) -> Self {
        Self { heading: heading.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [(String, Style); N]) {
        self.add(cells.into());
    }

    /// The same where the number of columns is known late.
    pub fn add(&mut self, cells: Vec<(String, Style)>) {
        debug_assert_eq!(cells.len(), self.heading.len());
        self.rows.push(cells.into_iter().map(|(text, style)| (harmless(&text).into_owned(), style)).collect());
    }

    /// The table as text, each line indented by two spaces.
    pub fn render(&self, colour: bool) -> String {
        let name = |h: &'static str| h.trim_start_matches('>');
        let width = |i: usize| {
            let cells = self.rows.iter().map(|r| r[i].0.chars().count());
            cells.chain([name(self.heading[i]).chars().count()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.heading.len()).map(width).collect();
        let heading: Vec<_> = self.heading.iter().map(|h| (name(h).to_owned(), Style::Dim)).collect();
        let mut text = String::new();
        for row in std::iter::once(&heading).chain(&self.rows) {
            let mut line = String::from(" ");
            for (i, (cell, style)) in row.iter().enumerate() {
                let room = " ".repeat(widths[i].saturating_sub(cell.chars().count()));
                let painted = paint(cell, *style, colour);
                let right = self.heading[i].starts_with('>');
                line += &if right { format!(" {room}{painted} ") } else { format!(" {painted}{room} ") };
            }
            text += line.trim_end();
            text.push('\n');
        }
        text
    }
}

/// A cell as it is.
pub fn plain(text: impl ToString) -> (String, Style) {
    (text.to_string(), Style::Plain)
}

/// A number with its thousands apart.
pub fn number(n: u64) -> (String, Style) {
    let digits = n.to_string();
    let first = digits.len() % 3;
    let mut text = digits[..first].to_owned();
    for group in digits.as_bytes()[first..].chunks(3) {
        if !text.is_empty() {
            text.push(',');
        }
        text.extend(group.iter().map(|b| char::from(*b)));
    }
    (text, Style::Plain)
}

/// A time span in its two largest units.
pub fn span(seconds: f64) -> String {
    if seconds < 10.0 {
        return format!("{seconds:.1} s").replace(".0 s", " s");
    }
    let s = seconds as u64;
    let parts = [(s / 86_400, "d"), (s / 3_600 % 24, "h"), (s / 60 % 60, "m"), (s % 60, "s")];
    let parts: Vec<_> = parts.iter().skip_while(|p| p.0 == 0).take(2).filter(|p| p.0 > 0).collect();
    parts.iter().map(|(n, unit)| format!("{n} {unit}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_with_and_without_colour() {
        let mut table = Table::new(&["name", ">count"]);
        table.row([plain("a"), number(1_234_567)]);
        table.row([("longer".into(), Style::Bad), number(7)]);
        assert_eq!(table.render(false), "  name        count\n  a       1,234,567\n  longer          7\n");
        assert!(table.render(true).contains("\x1b[31mlonger\x1b[0m "));
    }

    #[test]
    fn what_clients_send_stays_text() {
        assert_eq!(harmless("/ok ü"), "/ok ü");
        assert_eq!(harmless("a\x1b[2Jb\n\u{202e}c"), "a\\u{1b}[2Jb\\u{a}\\u{202e}c");
        let mut table = Table::new(&["path"]);
        table.row([plain("x\r\ny\x07")]);
        assert!(!table.render(false).trim_end().lines().nth(1).is_none_or(|l| l.contains(char::is_control)));
    }

    #[test]
    fn numbers_and_spans_read_well() {
        for (n, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(number(n).0, text);
        }
        for (s, text) in [(0.0, "0 s"), (2.5, "2.5 s"), (61.5, "1 m 1 s"), (86_400.0, "1 d"), (90_061.0, "1 d 1 h")] {
            assert_eq!(span(s), text);
        }
    }
}
