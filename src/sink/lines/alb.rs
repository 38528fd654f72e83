//! The columns of an Application Load Balancer's access log, in AWS's order, so that queries made for those go on
//! working. What weir does not know is `-`; sizes are those of bodies.

use super::text;
use crate::base::clock;
use crate::base::rfc3339;
use crate::event::entry::Entry;
use crate::event::record::{Outcome, Protocol, Record};
use std::fmt::Write;
use std::time::Duration;

/// Appends the line of a request to `out`, without its end.
pub fn line(record: &Record, entry: &Entry<'_>, out: &mut String) {
    let whole = record.duration.max(record.origin_latency);
    let begun = record.at - whole;
    let answered = !record.origin_latency.is_zero();
    let asked = record.origin.filter(|_| answered || record.outcome == Outcome::Failed);
    let target = asked.map_or_else(|| "-".into(), |origin| origin.to_string());
    let status = if record.status == 0 { "-".to_owned() } else { record.status.to_string() };
    let target_status = if answered && record.outcome == Outcome::Forwarded { status.as_str() } else { "-" };
    let (kind, version) = match record.protocol {
        Protocol::Http10 => ("http", "HTTP/1.0"),
        Protocol::Http11 => ("http", "HTTP/1.1"),
        Protocol::Http2 => ("h2", "HTTP/2.0"),
    };
    let action = match record.outcome {
        Outcome::Refused | Outcome::Own => "fixed-response",
        Outcome::Closed => "-",
        Outcome::Forwarded | Outcome::Failed | Outcome::Gone => "forward",
    };
    let reason = if record.outcome == Outcome::Forwarded { "-" } else { record.reason };
    let [received, sent, listed] = [record.bytes_in.to_string(), record.bytes_out.to_string(), quoted(&target)];
    let columns = [
        kind,
        &micros(record.at),
        "weir",
        &format!("{}:{}", entry.client, entry.client_port),
        &target,
        &seconds(asked.map(|_| Duration::ZERO)),
        &seconds(asked.filter(|_| answered).map(|_| record.origin_latency)),
        &seconds(asked.filter(|_| answered).map(|_| whole - record.origin_latency)),
        &status,
        target_status,
        &received,
        &sent,
        &quoted(&format!("{} {} {version}", token(&entry.method), url(record, entry))),
        &quoted(&plain(&entry.user_agent, false)),
        // ssl_cipher, ssl_protocol, target_group_arn, trace_id, domain_name, chosen_cert_arn, matched_rule_priority
        r#"- - - "-" "-" "-" -"#,
        &micros(begun),
        &quoted(action),
        // redirect_url
        r#""-""#,
        &quoted(reason),
        &listed,
        &quoted(target_status),
        // classification, classification_reason, conn_trace_id
        r#""-" "-" -"#,
    ];
    for (n, column) in columns.iter().enumerate() {
        if n > 0 {
            out.push(' ');
        }
        out.push_str(column);
    }
}

/// As an ALB writes it: `http://HOST:PORT/PATH`.
fn url(record: &Record, entry: &Entry<'_>) -> String {
    let (host, path) = (plain(&entry.host, true), plain(&entry.path, true));
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let port = record.local.map_or(80, |local| local.port());
    match host.as_str() {
        "" => format!("http://-:{port}{path}"),
        _ if has_port => format!("http://{host}{path}"),
        _ => format!("http://{host}:{port}{path}"),
    }
}

fn token(method: &str) -> String {
    if method.is_empty() { "-".into() } else { plain(method, true) }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", if text.is_empty() { "-" } else { text })
}

/// `text` with nothing in it that ends a quoted column or a line: such bytes as in a URL, `%22`. Queries find columns by
/// their quotes, and know no escapes.
fn plain(text: &str, spaces_too: bool) -> String {
    if text::is_plain(text) && text.is_ascii() && !text.contains('\x7f') && !(spaces_too && text.contains(' ')) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || matches!(c, '"' | '\\') || spaces_too && c.is_whitespace() {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                // Writing to a String can't fail.
                let _ = write!(out, "%{byte:02X}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Seconds with milliseconds; -1 where the request went to no target.
fn seconds(time: Option<Duration>) -> String {
    let Some(time) = time else { return "-1".into() };
    let mut out = Vec::with_capacity(16);
    text::thousandths(time.as_millis() as u64, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// RFC 3339 with microseconds.
fn micros(at: clock::Time) -> String {
    let nanos = clock::unix_nanos(at);
    let mut text = rfc3339::from_unix_nanos(nanos);
    text.truncate(text.len() - 1);
    text.extend([100_000, 10_000, 1_000].map(|unit| char::from(b'0' + (nanos / unit % 10) as u8)));
    text.push('Z');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::record::Text;
    use crate::simulate::log::{Format, Log};

    fn record() -> Record {
        let mut record = Record::blank(clock::now());
        record.client = "2001:db8::7".parse().unwrap();
        (record.client_port, record.status) = (40_000, 200);
        (record.method, record.host) = (Text::new(b"POST"), Text::new(b"app.example"));
        record.path = Text::new(b"/a \"b\"\\\n\xc3\xa4");
        record.user_agent = Text::new(b"Mozilla \"5\" \x1b[31m \\");
        record.origin = Some(([192, 0, 2, 9], 80).into());
        record.local = Some(([10, 0, 0, 1], 8080).into());
        (record.duration, record.origin_latency) = (Duration::from_millis(250), Duration::from_millis(200));
        (record.bytes_in, record.bytes_out) = (7, 4_321);
        record
    }

    fn written(record: &Record) -> String {
        let mut text = String::new();
        line(record, &Entry::new(record, &[]), &mut text);
        text
    }

    #[test]
    fn every_column_is_where_aws_has_it() {
        let record = record();
        let text = written(&record);
        let (at, begun) = (micros(record.at), micros(record.at - Duration::from_millis(250)));
        let expected = format!(
            "http {at} weir 2001:db8::7:40000 192.0.2.9:80 0.000 0.200 0.050 200 200 7 4321 \
             \"POST http://app.example:8080/a%20%22b%22%5C%0Aä HTTP/1.1\" \"Mozilla %225%22 %1B[31m %5C\" \
             - - - \"-\" \"-\" \"-\" - {begun} \"forward\" \"-\" \"-\" \"192.0.2.9:80\" \"200\" \"-\" \"-\" -"
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn a_refusal_reached_no_target() {
        let mut record = record();
        (record.outcome, record.reason, record.status) = (Outcome::Refused, "limit", 429);
        (record.origin, record.origin_latency) = (None, Duration::ZERO);
        let text = written(&record);
        assert!(text.contains(" - -1 -1 -1 429 - 7 4321 "), "{text}");
        assert!(text.ends_with(r#" "fixed-response" "-" "limit" "-" "-" "-" "-" -"#), "{text}");
    }

    #[test]
    fn what_is_written_is_read_back() {
        let record = record();
        let mut log = Log::new(std::io::Cursor::new(written(&record)), None).unwrap();
        let read = log.next_line().unwrap().unwrap();
        assert_eq!((log.format(), log.faults().count), (Some(Format::Alb), 0));
        assert_eq!((read.client.as_str(), read.method.as_str(), read.status), ("2001:db8::7", "POST", 200));
        assert_eq!((read.path.as_str(), read.bytes), ("/a%20%22b%22%5C%0Aä", 4_321));
        assert_eq!(read.took, Some(Duration::from_millis(200)));
        let begun = clock::unix_nanos(record.at) as f64 / 1e9 - 0.25;
        assert!((read.t - begun).abs() < 1e-5, "{} {begun}", read.t);
    }
}
