//! A document as blocks, so that what it says stands in one place and how it is written in two.

use super::chart::Chart;

/// A piece of a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Span {
    /// Words of weir's own.
    Plain(String),
    /// A name, a number with a unit, a text that somebody else wrote: shown as it is.
    Code(String),
}

/// A part of a document.
#[derive(Clone, Debug)]
pub enum Block {
    /// A heading: 1 is the title.
    Heading(u8, String),
    /// A paragraph.
    Text(Vec<Span>),
    /// Items, one below the other.
    List(Vec<Vec<Span>>),
    /// A table: its heading, where `>` stands before numbers, and its rows.
    Table(Vec<&'static str>, Vec<Vec<Span>>),
    /// Lines of a config or of a command.
    Code(String),
    /// Requests over time.
    Chart(Chart),
}

/// Words of weir's own.
pub fn plain(text: impl Into<String>) -> Span {
    Span::Plain(text.into())
}

/// A text of somebody else's, or a name.
pub fn code(text: impl Into<String>) -> Span {
    Span::Code(text.into())
}

/// `text` with everything written out that moves a cursor, ends a line or turns the direction of writing.
pub fn harmless(text: &str) -> String {
    let tricky = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().map(|c| if tricky(c) { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}

/// A number with its thousands apart.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of which only the first digits are sure.
pub fn about(n: f64) -> String {
    if n < 1_000.0 {
        return number(n.round() as u64);
    }
    let unit = 10f64.powf(n.log10().floor() - 2.0);
    number(((n / unit).round() * unit) as u64)
}
