//! A document as one HTML page without scripts, for light and dark.

use super::document::{Block, Span, harmless};

/// Nothing may be fetched, and nothing run.
const HEAD: &str = "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta name=\"color-scheme\" content=\"light dark\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<style>
:root { --ink: #1f2328; --dim: #59636e; --line: #d1d9e0; --soft: #f6f8fa; --good: #1f7a8c; --bad: #c93c37 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --dim: #9198a1; --line: #3d444d; --soft: #151b23; --good: #4fb3c7; --bad: #ff7b72 } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1, h2 { line-height: 1.2 } h2 { margin-top: 2rem; border-bottom: 1px solid var(--line) }
div.table { overflow-x: auto; margin-bottom: 1.25rem } table { border-collapse: collapse; font-size: .9em }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
.number { text-align: right } th { color: var(--dim); font-weight: 600 }
code, pre { font: .9em/1.4 ui-monospace, monospace; background: var(--soft); overflow-wrap: anywhere } pre { padding: .75rem; overflow-x: auto }
svg { width: 100%; height: auto } svg text { font: 12px system-ui, sans-serif; fill: var(--dim) } svg line { stroke: var(--line) }
.forwarded { fill: var(--good) } .refused { fill: var(--bad) } .elevated { fill: #e3b341; opacity: .2 } .overload { fill: #db6d28; opacity: .25 } .attack { fill: #c93c37; opacity: .18 }
.key { color: var(--dim); font-size: .9em }
</style>
";

/// The document as a page.
pub fn render(blocks: &[Block]) -> String {
    let title = blocks.iter().find_map(|block| match block {
        Block::Heading(1, text) => Some(escaped(text)),
        _ => None,
    });
    let body: String = blocks.iter().map(block).collect();
    format!("{HEAD}<title>{}</title>\n</head>\n<body>\n{body}</body>\n</html>\n", title.unwrap_or_default())
}

fn block(block: &Block) -> String {
    match block {
        Block::Heading(level, text) => format!("<h{level}>{}</h{level}>\n", escaped(text)),
        Block::Text(spans) => format!("<p>{}</p>\n", line(spans)),
        Block::List(items) => {
            let items: String = items.iter().map(|item| format!("<li>{}</li>\n", line(item))).collect();
            format!("<ul>\n{items}</ul>\n")
        }
        Block::Table(heading, rows) => {
            let class = |i: usize| if heading[i].starts_with('>') { " class=\"number\"" } else { "" };
            let names: String = heading
                .iter()
                .enumerate()
                .map(|(i, h)| format!("<th{}>{}</th>", class(i), escaped(h.trim_start_matches('>'))))
                .collect();
            let cells = |row: &Vec<Span>| -> String {
                row.iter().enumerate().map(|(i, s)| format!("<td{}>{}</td>", class(i), span(s))).collect()
            };
            let rows: String = rows.iter().map(|row| format!("<tr>{}</tr>\n", cells(row))).collect();
            format!("<div class=\"table\"><table>\n<tr>{names}</tr>\n{rows}</table></div>\n")
        }
        Block::Code(text) => {
            let lines: Vec<_> = text.lines().map(escaped).collect();
            format!("<pre>{}</pre>\n", lines.join("\n"))
        }
        Block::Chart(chart) => format!(
            "{}\n<p class=\"key\">Requests a minute: passed on (scaled up) below, refused (as logged) on top; behind them \
             the flood's state.</p>\n",
            chart.svg()
        ),
    }
}

fn line(spans: &[Span]) -> String {
    spans.iter().map(span).collect()
}

fn span(span: &Span) -> String {
    match span {
        Span::Plain(text) => escaped(text),
        Span::Code(text) if text.is_empty() => "–".into(),
        Span::Code(text) => format!("<code>{}</code>", escaped(text)),
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in harmless(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::document::{code, plain};
    use super::*;

    #[test]
    fn hostile_texts_stay_texts() {
        let evil = "</code><script>alert(1)</script>\"'&\u{202e}\n";
        let wanted = "&lt;/code&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;\\u{202e}\\u{a}";
        let page = render(&[
            Block::Heading(1, evil.into()),
            Block::Text(vec![plain(evil), code(evil)]),
            Block::Table(vec!["x"], vec![vec![code(evil)]]),
            Block::Code(evil.trim_end().into()),
        ]);
        assert_eq!(page.matches(wanted).count(), 5);
        assert!(!page.contains("<script"));
    }
}
