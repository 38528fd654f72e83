//! A document as Markdown that shows what others wrote as it is, whatever they wrote.

use super::document::{Block, Span, harmless};

/// The document as text.
pub fn render(blocks: &[Block]) -> String {
    blocks.iter().map(block).collect::<Vec<_>>().join("\n")
}

fn block(block: &Block) -> String {
    match block {
        Block::Heading(level, text) => format!("{} {}\n", "#".repeat(usize::from(*level)), plain(text)),
        Block::Text(spans) => line(spans) + "\n",
        Block::List(items) => items.iter().map(|item| format!("- {}\n", line(item))).collect(),
        Block::Table(heading, rows) => {
            let names: Vec<_> = heading.iter().map(|h| h.trim_start_matches('>')).collect();
            let rules: Vec<_> = heading.iter().map(|h| if h.starts_with('>') { "---:" } else { "---" }).collect();
            let cells = |row: &Vec<Span>| row.iter().map(|s| span(s, true)).collect::<Vec<_>>().join(" | ");
            let rows: String = rows.iter().map(|row| format!("| {} |\n", cells(row))).collect();
            format!("| {} |\n| {} |\n{rows}", names.join(" | "), rules.join(" | "))
        }
        Block::Code(text) => fenced(text),
        Block::Chart(chart) => fenced(&chart.text()),
    }
}

fn fenced(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(harmless).collect();
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}\n{}\n{fence}\n", lines.join("\n"))
}

fn line(spans: &[Span]) -> String {
    spans.iter().map(|s| span(s, false)).collect()
}

fn span(span: &Span, in_table: bool) -> String {
    match span {
        Span::Plain(text) => plain(text),
        Span::Code(text) if text.is_empty() => "–".into(),
        Span::Code(text) => {
            let text = harmless(text);
            let fence = "`".repeat(longest_run(&text) + 1);
            // A table ends its cells at a bar even inside of code.
            let text = if in_table { text.replace('\\', "\\\\").replace('|', "\\|") } else { text };
            let edge = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
            format!("{fence}{edge}{text}{edge}{fence}")
        }
    }
}

/// Words with everything taken out that Markdown or HTML would read as more than words.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in harmless(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::document::{code, plain};
    use super::*;

    #[test]
    fn hostile_texts_stay_texts() {
        for (text, wanted) in [
            ("/a|b", "`/a\\|b`"),
            ("a`b", "``a`b``"),
            ("`", "`` ` ``"),
            ("x\n# y", "`x\\\\u{a}# y`"),
            ("\u{202e}x", "`\\\\u{202e}x`"),
            ("", "–"),
        ] {
            let table = render(&[Block::Table(vec!["path"], vec![vec![code(text)]])]);
            assert_eq!(table, format!("| path |\n| --- |\n| {wanted} |\n"));
        }
        let text = render(&[Block::Text(vec![plain("<script> [a](b) *c*\n\n# d")])]);
        assert_eq!(text, "&lt;script&gt; \\[a\\](b) \\*c\\*\\\\u{a}\\\\u{a}\\# d\n");
        assert_eq!(render(&[Block::Code("a```b\nc".into())]), "````\na```b\nc\n````\n");
    }
}
