//! `weir report` over a log with a flood in it that is known to the last line.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};
use weir::base::rfc3339;

/// 2024-02-29T12:00:00Z.
const START: u64 = 1_709_208_000;

fn time(second: u64) -> String {
    rfc3339::from_unix_nanos((START + second) * 1_000_000_000)
}

fn request(second: u64, client: &str, outcome: &str, reason: &str, rank: &str, more: &str) -> String {
    let (kind, status) = if outcome == "refused" { ("refusal", 429) } else { ("request", 200) };
    format!(
        "{{\"time\":\"{}\",\"kind\":\"{kind}\",\"client\":\"{client}\",\"peer\":\"10.0.0.1\",\"outcome\":\"{outcome}\",\
         \"reason\":\"{reason}\",\"status\":{status},\"protocol\":\"HTTP/1.1\",\"rank\":\"{rank}\",\"duration_ms\":1.0,\
         \"bytes_in\":0,\"bytes_out\":9{more}}}\n",
        time(second)
    )
}

/// Half an hour: good clients all the time, of which a hundredth is logged; a flood of 40 clients from minute 10 to 15.
fn incident() -> String {
    let mut log = String::new();
    for minute in 0..30 {
        let flood = (10..15).contains(&minute);
        let at = minute * 60;
        for n in 0..6 {
            let latency = if flood { 400.0 } else { 20.0 };
            let more = format!(",\"path\":\"/shop\",\"user_agent\":\"Browser\",\"origin_ms\":{latency}");
            log += &request(at + n, &format!("192.0.2.{n}"), "forwarded", "forwarded", "credited", &more);
        }
        if minute == 10 {
            let _ = writeln!(
                log,
                "{{\"time\":\"{}\",\"kind\":\"state\",\"of\":\"flood\",\"from\":\"normal\",\"to\":\"attack\",\"cause\":\"excess\",\
                 \"text\":\"more than chance explains\",\"evidence\":{{\"offered\":900.0,\"capacity\":500.0}}}}",
                time(at)
            );
        }
        if flood {
            for n in 0..200 {
                let more = ",\"path\":\"/login\",\"user_agent\":\"bot\",\"rule\":\"per-client\",\"limit_rate\":\"10/s\",\
                            \"state\":\"attack\",\"offered\":1200.0,\"capacity\":500.0";
                let client = format!("203.0.113.{}", n % 40);
                log += &request(at + n % 50, &client, "refused", "limit", "unknown", more);
            }
            for n in 0..2 {
                let client = format!("203.0.113.{n}");
                log += &request(
                    at,
                    &client,
                    "forwarded",
                    "forwarded",
                    "unknown",
                    ",\"path\":\"/login\",\"origin_ms\":400.0",
                );
            }
            log += &request(at, "192.0.2.1", "refused", "flood-newcomers", "credited", ",\"path\":\"/shop\"");
            log += &request(at, "192.0.2.2", "failed", "origin-timeout", "credited", ",\"path\":\"/shop\"");
        }
        if minute == 11 {
            let _ = writeln!(
                log,
                "{{\"time\":\"{}\",\"kind\":\"ban\",\"action\":\"added\",\"network\":\"203.0.113.0/32\",\"step\":\"ban 1\",\
                 \"cause\":\"limit\",\"reason\":\"500 refused\",\"until\":\"\"}}",
                time(at)
            );
        }
        if minute == 15 {
            let _ = writeln!(
                log,
                "{{\"time\":\"{}\",\"kind\":\"state\",\"of\":\"flood\",\"from\":\"attack\",\"to\":\"normal\",\"cause\":\"calm\"}}",
                time(at)
            );
        }
    }
    log
}

fn report(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    command.current_dir(folder).env_remove("WEIR_CONFIG").arg("report").args(words).output().unwrap()
}

const SPAN: [&str; 4] = ["--from", "2024-02-29T12:00:00Z", "--to", "2024-02-29T12:30:00Z"];

fn made(log: &[u8], words: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("access.log"), log).unwrap();
    report(folder.path(), &[&SPAN[..], &["--log", "access.log"], words].concat())
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_known_incident_is_told_exactly() {
    let text = text(&made(incident().as_bytes(), &[]));
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/report/incident.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&golden, &text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(golden).unwrap(), "UPDATE_DOCS=1 writes it anew");
    for figure in [
        "from 2024-02-29T12:10:00Z to 2024-02-29T12:15:00Z (5 min)",
        // 6 a minute of good clients and 2 of the flood's.
        "about 19,000 requests (190 lines",
        "refused 1,005",
        // Of two clients of the flood that were passed on 5 lines each, one was banned; the other had about 500 requests
        // passed on and 25 refused.
        "Of 39 clients banned or mostly refused, about 500 requests (5 lines",
        "1 client known as good had 5 requests refused, and the origin failed 5 requests",
        "weir ban add 203.0.113.0/24 --for 24h",
        "deny = [\"203.0.113.0/24\"]",
    ] {
        assert!(text.contains(figure), "{figure}:\n{text}");
    }
}

#[test]
fn compression_and_rotation_change_nothing() {
    let log = incident();
    let plain = text(&made(log.as_bytes(), &[]));
    let mut gz = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    gz.write_all(log.as_bytes()).unwrap();
    assert_eq!(text(&made(&gz.finish().unwrap(), &[])), plain);
    assert_eq!(text(&made(&zstd::encode_all(log.as_bytes(), 1).unwrap(), &[])), plain);
    // The log of the config, with a part that was rotated away.
    let folder = tempfile::tempdir().unwrap();
    let half = log.len() / 2 + log[log.len() / 2..].find('\n').unwrap() + 1;
    std::fs::write(folder.path().join("access.log.1"), &log[..half]).unwrap();
    std::fs::write(folder.path().join("access.log"), &log[half..]).unwrap();
    let config = "[log]\naccess = \"access.log\"\n[origin]\naddresses = [\"demo\"]\n";
    std::fs::write(folder.path().join("weir.toml"), config).unwrap();
    let found = text(&report(folder.path(), &[&SPAN[..], &["--config", "weir.toml"]].concat()));
    assert_eq!(found, plain.replace("weir's default, as no config was read", "as the config says"));
}

#[test]
fn hostile_lines_stay_text_and_are_counted() {
    let mut log = incident();
    let evil = "</code><script>alert(1)</script>`|\\u001b[31m\\u202e";
    for second in 0..2_000 {
        let more = format!(",\"path\":\"/{evil}\",\"user_agent\":\"{evil}\",\"rule\":\"{evil}\"");
        log += &request(second % 600, "not an address", "refused", evil, evil, &more);
    }
    log += "{\"time\":\"2024-02-29T12:00:00Z\",\"client\":\"192.0.2.1\",\"outcome\":\"refused\",\"reason\":\"x\",\"origin_ms\":-1e308,\"offered\":1e308,\"capacity\":-1}\n";
    log += "{\"time\":\"9999999-02-29T12:00:00Z\"}\nhalf a li\n[[[[\n";
    log += &("x".repeat(100_000) + "\n");
    let html = text(&made(log.as_bytes(), &["--format", "html"]));
    assert!(html.contains("&lt;script&gt;alert(1)") && !html.contains("<script"), "{html}");
    assert!(!html.contains(['\u{1b}', '\u{202e}']));
    assert!(html.contains("5 lines could not be read") || html.contains("4 lines could not be read"), "{html}");
    let markdown = text(&made(log.as_bytes(), &[]));
    assert!(!markdown.contains(['\u{1b}', '\u{202e}']));
    let cells = markdown.lines().filter(|l| l.contains("script"));
    assert!(cells.clone().count() > 2 && cells.clone().all(|l| l.contains("\\|") || !l.starts_with('|')), "{markdown}");
}

#[test]
fn what_is_wrong_is_said() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("access.log"), incident()).unwrap();
    std::fs::write(folder.path().join("alb.log"), "http 2018-07-02T22:23:00Z app/x 192.0.2.7:1 - 0\n").unwrap();
    std::fs::write(folder.path().join("empty.log"), "").unwrap();
    std::fs::write(folder.path().join("weir.toml"), "[origin]\naddresses = [\"demo\"]\n").unwrap();
    for (words, code, said) in [
        (
            &["--from", "2023-01-01T00:00:00Z", "--to", "2023-01-02T00:00:00Z", "--log", "access.log"][..],
            65,
            "no line of the log lies in 2023-01-01T00:00:00.000Z to 2023-01-02T00:00:00.000Z; it reaches from 2024-02-29T12:00:00.000Z to 2024-02-29T12:29:05.000Z",
        ),
        (&["--from", "-1h", "--log", "alb.log"], 65, "alb.log, line 1: no line of the ingress log"),
        (&["--from", "-1h", "--log", "empty.log"], 65, "the log is empty"),
        (&["--from", "-1h", "--log", "gone.log"], 66, "gone.log: No such file"),
        (&["--from", "-1h", "--to", "-2h", "--log", "access.log"], 64, "is not before --to"),
        (&["--from", "noon", "--log", "access.log"], 64, "expected an RFC 3339 date"),
        (&["--from", "-1h", "--config", "weir.toml"], 66, "log.access is no file"),
        (&["--from", "-1h"], 66, "config/weir.toml"),
    ] {
        let output = report(folder.path(), words);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(code) && error.contains(said), "{words:?}: {:?} {error}", output.status);
    }
}

#[test]
fn the_page_goes_to_the_file_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("access.log"), incident()).unwrap();
    let words = [&SPAN[..], &["--log", "access.log", "--out", "report.html"]].concat();
    assert_eq!(text(&report(folder.path(), &words)), "");
    let page = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("<svg") && page.ends_with("</html>\n"));
}
