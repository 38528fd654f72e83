//! What stands before a message of syslog: RFC 5424, RFC 3164 and its kin, once or twice.
//!
//! A relay puts its own header before the gateway's. What a client can choose, such as a URL in an alert, always comes
//! after the program's name; so nothing is searched for: the header is taken off piece by piece.

use crate::base::rfc3339;

/// The most headers before one message.
const MOST: usize = 3;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A line, taken apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Who sent it first; empty where that is not said.
    pub(super) host: &'a str,
    /// The program, without folder and process number; empty where that is not said.
    pub(super) program: &'a str,
    /// When, in milliseconds since 1970, where a year is said.
    pub(super) at: Option<u64>,
    /// What is left.
    pub(super) message: &'a str,
}

/// Takes `text` apart.
pub(super) fn split(text: &str) -> Line<'_> {
    let mut line = Line { message: text.trim(), ..Line::default() };
    for _ in 0..MOST {
        let before = line.message.len();
        let message = without_priority(line.message);
        line = match message.strip_prefix("1 ").and_then(rfc5424) {
            Some(found) => found,
            None => rfc3164(Line { message, ..line }),
        };
        if line.message.len() == before {
            break;
        }
    }
    program(&mut line);
    line
}

/// Without `<158>`.
fn without_priority(text: &str) -> &str {
    let Some((number, rest)) = text.strip_prefix('<').and_then(|t| t.split_once('>')) else { return text };
    if matches!(number.len(), 1..=3) && number.bytes().all(|b| b.is_ascii_digit()) { rest } else { text }
}

/// The next word, and what follows it.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(' ').unwrap_or((text, ""))
}

/// What follows the version.
fn rfc5424(text: &str) -> Option<Line<'_>> {
    let (time, rest) = word(text);
    let (host, rest) = word(rest);
    let (app, rest) = word(rest);
    let (_process, rest) = word(rest);
    let (_message_id, rest) = word(rest);
    let told = |word: &'static str| move |said: &&str| *said != word;
    let message = without_data(rest.trim_start())?.trim_start().trim_start_matches('\u{feff}');
    Some(Line {
        host: Some(host).filter(told("-")).unwrap_or_default(),
        program: Some(app).filter(told("-")).map(plain).unwrap_or_default(),
        at: rfc3339::to_unix_ms(time),
        message,
    })
}

/// What follows the structured data; none where it has no end.
fn without_data(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix('-') {
        return Some(rest);
    }
    let mut rest = text;
    while rest.starts_with('[') {
        let (mut quoted, mut escaped) = (false, false);
        let end = rest.bytes().position(|b| {
            let ends = b == b']' && !quoted;
            match b {
                b'"' if !escaped => quoted = !quoted,
                _ => {}
            }
            escaped = b == b'\\' && !escaped;
            ends
        })?;
        rest = &rest[end + 1..];
    }
    (rest.len() < text.len()).then_some(rest)
}

/// A time and a host, where the message begins with a time.
fn rfc3164(line: Line<'_>) -> Line<'_> {
    let (first, rest) = word(line.message);
    let (at, rest) = match rfc3339::to_unix_ms(first) {
        Some(at) => (Some(at), rest),
        None => match after_date(line.message) {
            // There is no year in it, and nobody says of which zone it is.
            Some(rest) => (line.at, rest),
            None => return line,
        },
    };
    let (host, after) = word(rest);
    let is_host = !host.is_empty() && !host.ends_with(':') && !host.contains(['{', '=', '"', '[']);
    let (host, rest) = if is_host { (host, after) } else { (line.host, rest) };
    Line { host, program: "", at, message: rest.trim_start() }
}

/// What follows `Mar  4 22:54:38`.
fn after_date(text: &str) -> Option<&str> {
    let (month, rest) = word(text);
    let (day, rest) = word(rest);
    let (time, rest) = word(rest);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_time = time.len() >= 8 && time.split(':').count() == 3 && time.split([':', '.']).all(digits);
    (MONTHS.contains(&month) && day.len() <= 2 && digits(day) && is_time).then_some(rest)
}

/// Without folder, process number and colon.
fn plain(program: &str) -> &str {
    let name = program.trim_end_matches(':').rsplit('/').next().unwrap_or_default();
    name.split('[').next().unwrap_or_default()
}

/// Takes off the program, and what the programs of gateways write before their messages: the kernel's time, a date.
fn program(line: &mut Line<'_>) {
    let (first, rest) = word(line.message);
    let is_path = first.starts_with('/') && !first.contains(['{', '=', '"']);
    let is_tag = first.ends_with(':') && !first.contains(['{', '=', '"']);
    if (is_path || is_tag) && !first.starts_with("Aviatrix") {
        line.program = plain(first);
        line.message = rest.trim_start();
    }
    if let Some((_, rest)) = line.message.strip_prefix('[').and_then(|t| t.split_once("] ")) {
        line.message = rest.trim_start();
    }
    if let Some(at) = line.message.get(..19).and_then(rfc3339::to_unix_ms) {
        line.at = Some(at);
        line.message = line.message[19..].trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<u64> {
        rfc3339::to_unix_ms(text)
    }

    #[test]
    fn every_form_of_header_is_taken_off() {
        let day = "2026-03-04T22:54:38Z";
        for (text, host, program, when, message) in [
            (
                "<158>Mar  4 22:54:38 GW-a-192.0.2.1-sink /usr/local/bin/avx-gw-state-sync 2026/03/04 22:54:38 AviatrixX: A=1",
                "GW-a-192.0.2.1-sink",
                "avx-gw-state-sync",
                at(day),
                "AviatrixX: A=1",
            ),
            (
                "2026-03-04T22:54:38.000001+00:00 ip-10-0-0-4 kernel: [ 4976.320353] AvxRl gw1 D:IN=eth0",
                "ip-10-0-0-4",
                "kernel",
                at(day),
                "AvxRl gw1 D:IN=eth0",
            ),
            (
                "2026-03-04T15:54:38-07:00 ip-10-0-0-4 cloudxd: AviatrixY: z",
                "ip-10-0-0-4",
                "cloudxd",
                at(day),
                "AviatrixY: z",
            ),
            (
                "Mar 4 22:54:38 10.0.0.3 Mar 14 22:54:39 Controller-10.0.0.1 run.py[3085]: AviatrixCMD: x",
                "Controller-10.0.0.1",
                "run.py",
                None,
                "AviatrixCMD: x",
            ),
            ("<14>Mar 4 22:54:38 gw AviatrixX: A=1", "gw", "", None, "AviatrixX: A=1"),
            ("<174>1 2026-03-04T22:54:38Z gw suricata 4 - - {\"a\":1}", "gw", "suricata", at(day), "{\"a\":1}"),
            (
                "<174>1 2026-03-04T22:54:38Z - - - - [a@1 b=\"]\\\"\"][c d=\"e\"] \u{feff}<14>Mar  4 22:54:38 gw suricata[4]: x",
                "gw",
                "suricata",
                at(day),
                "x",
            ),
            ("suricata[25587]: Notice: y", "", "suricata", None, "Notice: y"),
            ("Mar  4 22:54:38 kernel: x", "", "kernel", None, "x"),
            ("{\"a\": 1}", "", "", None, "{\"a\": 1}"),
            ("", "", "", None, ""),
            ("<999999>x", "", "", None, "<999999>x"),
        ] {
            assert_eq!(split(text), Line { host, program, at: when, message }, "{text}");
        }
    }

    #[test]
    fn broken_headers_are_messages() {
        for text in ["<1", "<>x", "<14>1 a b c", "<14>1 - - - - - [x", "Mar 4", "Mar 4 22:54", "2026-03-04T22:54:38Z"] {
            assert!(split(text).program.is_empty(), "{text}");
        }
    }
}
