//! Access logs are read in every format and compression, and no line breaks the reader.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use std::io::{Cursor, Write};
use std::time::Duration;
use weir::simulate::log::{Faults, Format, Line, Log, LogError, MAX_FAULTS_KEPT, MAX_LINE};

const COMBINED: &str = r#"192.0.2.7 - frank [10/Oct/2000:13:55:36 -0700] "GET /a/b?c=d HTTP/1.1" 200 2326 "http://www.example.com/" "Agent \"x\"""#;
const ALB: &str = r#"https 2018-07-02T22:22:48.364000Z app/lb/50dc6c495c0c9188 [2001:db8::1]:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 "POST https://www.example.com:443/login?x HTTP/1.1" "curl/7.46.0" ECDHE TLSv1.2 arn:x "Root=1-58337281" "www.example.com" "arn:y" 1 2018-07-02T22:22:40.250000Z "forward" "-""#;
const TSV: &str = "ip\tt\tlabel\tmethod\tpath\thas_query\tstatus\tbytes\tuser_agent\textra\n\
                   host.example\t12.5\thuman\tPOST\t/x\t1\t404\t7\t-\tz";
const JSON: &str = r#"{"time":"2018-07-02T22:22:48Z","remote_addr":"192.0.2.9","request":"HEAD /i.png HTTP/2.0","status":"304","body_bytes_sent":5,"http_user_agent":"x","label":"human"}"#;

fn read(bytes: impl Into<Vec<u8>>, format: Option<Format>) -> (Vec<Line>, Faults, Option<LogError>) {
    let mut log = Log::new(Cursor::new(bytes.into()), format).unwrap();
    let mut lines = Vec::new();
    let end = loop {
        match log.next_line() {
            Ok(Some(line)) => lines.push(line),
            Ok(None) => break None,
            Err(e) => break Some(e),
        }
    };
    (lines, log.faults().clone(), end)
}

/// The one line of a log without a fault.
fn only(text: &str) -> Line {
    let (mut lines, faults, end) = read(text, None);
    assert_eq!((lines.len(), faults.count), (1, 0), "{faults:?} {end:?}");
    lines.remove(0)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

#[test]
fn combined() {
    let line = only(COMBINED);
    assert_eq!((line.t, line.client.as_str(), line.method.as_str()), (971_211_336.0, "192.0.2.7", "GET"));
    assert_eq!((line.path.as_str(), line.has_query, line.status, line.bytes), ("/a/b", true, 200, 2326));
    assert_eq!((line.user_agent.as_str(), line.label), ("Agent \"x\"", None));
}

#[test]
fn common_without_agent_or_bytes() {
    let line = only(r#"host.example - - [01/Jan/1970:00:00:01 +0000] "GET /" 304 -"#);
    assert_eq!((line.t, line.status, line.bytes, line.user_agent.as_str()), (1.0, 304, 0, ""));
}

#[test]
fn alb_counts_from_the_request_s_arrival() {
    let line = only(ALB);
    assert_eq!((line.t, line.client.as_str(), line.method.as_str()), (1_530_570_160.25, "2001:db8::1", "POST"));
    assert_eq!((line.path.as_str(), line.has_query, line.status, line.bytes), ("/login", true, 200, 57));
    assert_eq!((line.user_agent.as_str(), line.took), ("curl/7.46.0", Some(Duration::from_millis(48))));
    assert_eq!(only(&ALB.replace("0.048", "-1")).took, None, "no target had it");
    let old: Vec<&str> = ALB.split(' ').take(16).collect();
    assert_eq!(only(&old.join(" ")).t, 1_530_570_168.364);
}

#[test]
fn tsv_by_the_names_of_its_columns() {
    let line = only(TSV);
    assert_eq!((line.t, line.client.as_str(), line.method.as_str()), (12.5, "host.example", "POST"));
    assert_eq!((line.path.as_str(), line.has_query, line.status, line.bytes), ("/x", true, 404, 7));
    assert_eq!((line.user_agent.as_str(), line.label.as_deref()), ("", Some("human")));
    let bare = only("t\tip\n1\t192.0.2.1");
    assert_eq!((bare.method.as_str(), bare.path.as_str(), bare.status, bare.label), ("GET", "/", 0, None));
}

#[test]
fn json_under_nginx_s_names() {
    let line = only(JSON);
    assert_eq!((line.t, line.client.as_str(), line.method.as_str()), (1_530_570_168.0, "192.0.2.9", "HEAD"));
    assert_eq!((line.path.as_str(), line.has_query, line.status, line.bytes), ("/i.png", false, 304, 5));
    assert_eq!((line.user_agent.as_str(), line.label.as_deref()), ("x", Some("human")));
}

#[test]
fn compressed_logs_are_known_by_their_first_bytes() {
    for text in [COMBINED, ALB, TSV, JSON] {
        let plain = only(text);
        let two_members = [gzip(text.as_bytes()), gzip(format!("\n{}", text.lines().last().unwrap()).as_bytes())];
        let (lines, faults, end) = read(two_members.concat(), None);
        assert_eq!((lines, faults.count, end.is_some()), (vec![plain.clone(); 2], 0, false));
        let (lines, faults, end) = read(zstd::encode_all(text.as_bytes(), 1).unwrap(), None);
        assert_eq!((lines, faults.count, end.is_some()), (vec![plain], 0, false));
    }
}

#[test]
fn a_truncated_archive_gives_what_it_holds_and_then_an_error() {
    let text = format!("t\tip\n{}", "1\t192.0.2.1\n".repeat(50_000));
    for mut packed in [gzip(text.as_bytes()), zstd::encode_all(text.as_bytes(), 1).unwrap()] {
        packed.truncate(packed.len() - 9);
        assert!(matches!(read(packed, None).2, Some(LogError::Io { .. })));
    }
}

#[test]
fn bad_lines_are_counted_with_their_numbers() {
    let long = format!("{COMBINED}{}", "x".repeat(MAX_LINE));
    let text = [COMBINED, "", "rubbish", &long, COMBINED, r#"a - - [x] "GET / HTTP/1.1" 200 1"#, COMBINED].join("\n");
    let (lines, faults, end) = read(text, None);
    assert!(end.is_none());
    assert_eq!((lines.len(), faults.count), (3, 3));
    assert_eq!(faults.first.iter().map(|fault| fault.line).collect::<Vec<_>>(), [3, 4, 6]);
    assert!(faults.first[1].message.contains("65536"), "{faults:?}");
    assert!(faults.first[2].message.contains("expected one like"), "{faults:?}");
}

#[test]
fn a_line_as_long_as_allowed_is_read() {
    let line = format!("{COMBINED}{}", " ".repeat(MAX_LINE - COMBINED.len()));
    assert_eq!(read(format!("{line}\n{COMBINED}"), None).0.len(), 2);
    assert_eq!(read(format!("{COMBINED}\n{line} \r\n"), None).1.count, 1);
}

#[test]
fn only_the_first_faults_are_kept() {
    let (_, faults, _) = read("x\n".repeat(1_000), Some(Format::Combined));
    assert_eq!((faults.count, faults.first.len()), (1_000, MAX_FAULTS_KEPT));
}

#[test]
fn values_out_of_range_are_faults() {
    let text = "t\tip\tstatus\nNaN\ta\t200\n-1\ta\t200\n1700000000000\ta\t200\n1\t\t200\n1\ta\t70000\n1\ta\t200";
    let (lines, faults, _) = read(text, None);
    assert_eq!((lines.len(), faults.count), (1, 5), "{faults:?}");
}

#[test]
fn an_unknown_format_says_what_was_expected() {
    let (_, _, end) = read("\nhello world\n", None);
    assert!(end.unwrap().to_string().starts_with("line 2: not a line of a combined, ALB, JSON or TSV log"));
    let (_, _, end) = read("t\tmethod\n", Some(Format::Tsv));
    assert!(end.unwrap().to_string().contains("no column \"ip\""));
    assert!("apache".parse::<Format>().unwrap_err().contains("combined, alb, json or tsv"));
}

#[test]
fn the_shared_traces_are_read_without_a_fault() {
    let traces = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/traces");
    let Ok(folders) = std::fs::read_dir(&traces) else {
        eprintln!("skipped: no {}", traces.display());
        return;
    };
    for folder in folders {
        let file = folder.unwrap().path().join("requests.tsv.zst");
        if !file.exists() {
            continue;
        }
        let mut log = Log::open(&file, None).unwrap();
        let mut count = 0;
        while log.next_line().unwrap().is_some() {
            count += 1;
        }
        assert_eq!(log.faults(), &Faults::default(), "{}", file.display());
        assert!(count > 1_000, "{}: {count} lines", file.display());
    }
}

proptest! {
    #[test]
    fn no_bytes_break_a_reader(bytes in prop::collection::vec(any::<u8>(), 0..400), pick in 0..4_usize) {
        let format = [Format::Combined, Format::Alb, Format::Json, Format::Tsv][pick];
        let _ = read(bytes, Some(format));
    }

    #[test]
    fn no_damage_to_a_good_line_breaks_a_reader(
        pick in 0..4_usize, at in any::<prop::sample::Index>(), with in "[\"\\[\\]\\\\ :/é{}\t0-9-]{0,6}", cut in 0..4_usize,
    ) {
        let text = [COMBINED, ALB, TSV, JSON][pick];
        let at = at.index(text.len());
        let damaged = format!("{}{with}{}", &text[..at], text.get(at + cut..).unwrap_or(""));
        let (lines, faults, end) = read(damaged, Some([Format::Combined, Format::Alb, Format::Tsv, Format::Json][pick]));
        // However it is understood, no input line is lost without a count.
        prop_assert!(lines.len() as u64 + faults.count > 0 || end.is_some() || pick == 2);
    }
}
