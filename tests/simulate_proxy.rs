//! The same requests through the running proxy and through the simulator: the same verdict for every one of them.
//!
//! Nothing here hangs on time: the limits give nothing back while the test runs, and the capacity is far away.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::Client;
use common::origin::Origin;
use common::{Weir, config};
use std::fmt::Write as _;
use std::process::{Command, Stdio};

const RULES: &str = "\
[lists]
deny = [\"203.0.113.0/28\"]
allow = [\"192.0.2.77\"]
[ban]
enabled = false
[[limit]]
name = \"per-client\"
rate = \"1/h\"
burst = 20
[[limit]]
name = \"login\"
match = { path = \"/login*\", method = [\"POST\"] }
rate = \"1/h\"
burst = 3
[[limit]]
name = \"per-prefix\"
rate = \"1/h\"
burst = 150
key = \"prefix\"
[[limit]]
name = \"half\"
match = { path = \"/half\" }
rate = \"1/h\"
burst = 1
enforce = \"50%\"
";

/// A request: its client, method and path.
type Row = (String, &'static str, &'static str);

/// Requests of 130 clients, drawn by a fixed sequence.
fn rows() -> Vec<Row> {
    let mut seed = 7_u64;
    let mut dice = |sides: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % sides
    };
    let mut row = |_| {
        let host = dice(20) * dice(5) / 4;
        let client = match dice(12) {
            0..6 => format!("198.51.100.{host}"),
            6..8 => format!("203.0.113.{host}"),
            8 => "192.0.2.77".to_owned(),
            _ => format!("2001:db8:{}:{:x}::{:x}", dice(2), dice(10), dice(9)),
        };
        let (method, path) =
            [("GET", "/"), ("GET", "/a.css"), ("POST", "/login"), ("GET", "/login/help"), ("GET", "/half")]
                [dice(5) as usize];
        (client, method, path)
    };
    (0..1200).map(&mut row).collect()
}

/// What the proxy answers each of them: the code of its refusal, or that it was forwarded.
fn through_the_proxy(weir: &Weir, rows: &[Row]) -> Vec<&'static str> {
    let mut client = Client::connect(weir.http);
    let mut word = |(address, method, path): &Row| {
        let length = if *method == "POST" { "Content-Length: 0\r\n" } else { "" };
        let head = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nX-Forwarded-For: {address}\r\n{length}\r\n");
        match client.ask(head).status {
            200 => "forward",
            403 => "refuse deny-list",
            429 => "refuse limit",
            status => panic!("{status} for {method} {path} of {address}"),
        }
    };
    rows.iter().map(&mut word).collect()
}

fn through_the_simulator(weir: &Weir, rows: &[Row]) -> Vec<String> {
    let mut log = "t\tip\tmethod\tpath\tstatus\n".to_owned();
    for (n, (client, method, path)) in rows.iter().enumerate() {
        writeln!(log, "{:.3}\t{client}\t{method}\t{path}\t200", 1_700_000_000.0 + n as f64 * 0.01).unwrap();
    }
    std::fs::write(weir.path("log.tsv"), log).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    command.arg("simulate").arg("--config").arg(weir.path("weir.toml")).arg("--log").arg(weir.path("log.tsv"));
    command.arg("--verdicts").arg(weir.path("out.tsv")).stdout(Stdio::null());
    assert!(command.status().unwrap().success());
    let text = std::fs::read_to_string(weir.path("out.tsv")).unwrap();
    let word = |line: &str| {
        let columns: Vec<&str> = line.split('\t').collect();
        if columns[2] == "forward" { "forward".to_owned() } else { columns[2..4].join(" ") }
    };
    text.lines().skip(1).map(word).collect()
}

#[test]
fn the_simulator_says_of_every_request_what_the_proxy_does() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, RULES));
    let rows = rows();
    let (real, simulated) = (through_the_proxy(&weir, &rows), through_the_simulator(&weir, &rows));
    assert_eq!(real.len(), simulated.len());
    let other: Vec<_> = (0..rows.len()).filter(|n| real[*n] != simulated[*n]).collect();
    assert!(
        other.is_empty(),
        "{} differ; the first: {:?} {:?}",
        other.len(),
        other.first(),
        other.first().map(|n| (&rows[*n], real[*n], &simulated[*n]))
    );
    for word in ["forward", "refuse deny-list", "refuse limit"] {
        assert!(real.iter().filter(|w| **w == word).count() > 50, "too few of {word:?} to show anything");
    }
}
