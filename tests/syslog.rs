//! Syslog: a real rsyslog understands every field by UDP, TCP and TLS; and collectors that hang, are gone or break off
//! cost nothing but records, each of which is counted.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::origin::Origin;
use common::rsyslog::Rsyslog;
use common::{Weir, config, eventually, post};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;
use weir::base::clock::{self, Time};
use weir::config::load_str;
use weir::event::entry::Entry;
use weir::event::record::{Outcome, Record, Text};
use weir::event::story::Story;
use weir::sink::outlet::Outlet;
use weir::sink::syslog::{MOST, Syslog};

/// Values of structured data.
fn data(text: &str) -> BTreeMap<String, String> {
    let mut rest = text.strip_prefix("[weir@32473").unwrap();
    let mut values = BTreeMap::new();
    while let Some(value) = rest.strip_prefix(' ') {
        let (name, quoted) = value.split_once("=\"").unwrap();
        let (mut value, mut chars) = (String::new(), quoted.char_indices());
        rest = loop {
            match chars.next().unwrap() {
                (_, '\\') => value.push(chars.next().unwrap().1),
                (at, '"') => break &quoted[at + 1..],
                (_, c) => value.push(c),
            }
        };
        values.insert(name.to_owned(), value);
    }
    assert_eq!(rest, "]");
    values
}

/// Whether structured data says what the line of JSON says.
fn same(line: &Value, record: &Value) {
    assert_eq!((&record["time"], &record["id"]), (&line["time"], &line["kind"]), "{record}");
    let said = data(record["data"].as_str().unwrap());
    for (key, value) in line.as_object().unwrap() {
        let value = match value {
            _ if ["time", "kind"].contains(&key.as_str()) => continue,
            Value::String(text) => text.clone(),
            Value::Array(list) => list.iter().map(|v| v.as_str().unwrap()).collect::<Vec<_>>().join(","),
            Value::Number(number) => {
                assert_eq!(said[key].parse::<f64>().unwrap(), number.as_f64().unwrap(), "{key}");
                continue;
            }
            // `evidence` has its own form; `text` is the sentence.
            _ => continue,
        };
        if key != "text" {
            assert_eq!(said[key], value, "{key}");
        }
    }
}

#[test]
fn rsyslog_understands_every_field_by_every_way() {
    let Some(rsyslog) = Rsyslog::start() else { return };
    let origin = Origin::echo();
    for by in ["udp", "tcp", "tls"] {
        let keys = format!(
            "[[limit]]\nname = \"per-client\"\nrate = \"1/m\"\nburst = 1\n[syslog]\nenabled = true\naddress = \"{}\"\n\
             ca_file = \"ca.pem\"\nfacility = \"local3\"\napp_name = \"edge\"\n",
            rsyslog.url(by)
        );
        let text = config(origin.address, &keys).replace("access = \"off\"", "access = \"log\"");
        let weir = Weir::start_with(&text, &[("ca.pem", rsyslog.certificate().as_bytes())]);
        let mut client = Client::connect(weir.http);
        let request = get("/a", "X-Forwarded-For: 192.0.2.7\r\nUser-Agent: pröbe \"1\"] x=\"\r\n");
        assert_eq!(client.ask(&request).status, 200);
        assert_eq!(client.ask(&request).status, 429);
        let body = r#"{"address": "198.51.100.7", "for": "10m", "reason": "by hand"}"#;
        let agent = ureq::agent();
        agent.post(format!("http://{}/api/bans", weir.admin)).content_type("application/json").send(body).unwrap();
        // serving, a refusal, a ban
        eventually(by, || rsyslog.records(by).len() >= 3);
        let sinks = weir.status()["outlets"].clone();
        let sink = sinks.as_array().unwrap().iter().find(|o| o["name"] == "syslog").unwrap().clone();
        assert_eq!((sink["to"].as_str().unwrap(), &sink["lost"]), (rsyslog.url(by).as_str(), &Value::from(0)));
        assert!(sink["failing"].is_null() && sink["sent"].as_u64().unwrap() >= 3, "{sink}");
        let log = weir.path("log");
        let folder = weir.keep();
        let lines: Vec<Value> =
            std::fs::read_to_string(&log).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        // draining and stopped as well: all that waited was sent.
        eventually("the last words", || rsyslog.records(by).len() >= 5);
        let records = rsyslog.records(by);
        for record in &records {
            // local3 is 19.
            let severity = if record["id"] == "ban" { 4 } else { 5 };
            assert_eq!(record["pri"], (19 * 8 + severity).to_string(), "{record}");
            assert_eq!((&record["app"], &record["protocol"]), (&"edge".into(), &"1".into()));
            assert_eq!(record["process"], std::process::id().to_string());
            let line = lines.iter().find(|l| l["kind"] == record["id"] && l["time"] == record["time"]);
            same(line.unwrap_or_else(|| panic!("{record} is not in\n{lines:#?}")), record);
        }
        assert_eq!(records.iter().filter(|r| r["id"] == "state").count(), 3, "{records:#?}");
        drop(folder);
    }
}

/// A sink that sends to `url`.
fn sink(url: &str) -> (tokio::runtime::Runtime, Syslog) {
    let text = format!("[origin]\naddresses = [\"192.0.2.1:80\"]\n[syslog]\nenabled = true\naddress = \"{url}\"\n");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let inside = runtime.enter();
    let sink = Syslog::start(&load_str(&text, "test").unwrap().settings, "task").unwrap();
    drop(inside);
    (runtime, sink)
}

/// Tells `count` refusals, numbered by their bytes; gives the most bytes that ever waited.
fn tell(sink: &Syslog, from: u64, count: u64) -> u64 {
    let mut record = Record::blank(Time::default());
    (record.outcome, record.reason, record.path) =
        (Outcome::Refused, "limit", Text::new(b"/some/longer/path/of/a/page"));
    record.at = clock::now();
    let mut most = 0;
    for n in from..from + count {
        record.bytes_in = n;
        sink.take(&Story::Request(&record, &Entry::new(&record, &[])));
        if n % 512 == 511 {
            sink.flush();
            most = most.max(sink.status().waiting_bytes);
        }
    }
    sink.flush();
    most
}

/// As many as `count` told to `url`, where nobody takes them.
fn nobody_takes(url: &str, count: u64) {
    let (_runtime, sink) = sink(url);
    let begun = resident();
    let most = tell(&sink, 0, count);
    let grown = resident().saturating_sub(begun);
    assert!(most <= MOST as u64, "{most}");
    eventually("it is seen", || sink.status().waiting_bytes > MOST as u64 / 2 || sink.status().failing.is_some());
    let ended = sink.stop(Duration::from_secs(1));
    let status = sink.status();
    assert!(ended && status.waiting_bytes == 0, "{status:?}");
    assert_eq!(status.sent + status.lost, count, "{status:?}");
    assert!(status.lost > count / 2, "{status:?}");
    eprintln!(
        "{count} records, {url}: {} sent, {} lost, at most {most} bytes waited, memory grew by {grown} bytes",
        status.sent, status.lost
    );
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

fn with_collectors_away(count: u64) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // It accepts (the system does) and never reads.
    nobody_takes(&format!("tcp://{}", listener.local_addr().unwrap()), count);
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    nobody_takes(&format!("tcp://{gone}"), count);
}

#[test]
fn a_collector_that_hangs_or_is_gone_costs_bounded_memory_and_every_loss_is_counted() {
    with_collectors_away(60_000);
}

/// For a figure: `cargo test --release --test syslog -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn a_million_records_with_the_collector_away() {
    with_collectors_away(1_000_000);
}

/// The numbers of the messages on a connection, until it ends or `most` are there.
fn numbers(connection: TcpStream, most: usize) -> Vec<u64> {
    let (mut reader, mut numbers) = (BufReader::new(connection), Vec::new());
    while numbers.len() < most {
        let mut length = Vec::new();
        if reader.read_until(b' ', &mut length).unwrap_or(0) == 0 {
            break;
        }
        let length: usize = std::str::from_utf8(&length).unwrap().trim_end().parse().unwrap();
        let mut message = vec![0; length];
        if reader.read_exact(&mut message).is_err() {
            break;
        }
        let text = String::from_utf8(message).unwrap();
        let (_, rest) = text.split_once("bytes_in=\"").unwrap_or_else(|| panic!("{text}"));
        numbers.push(rest.split_once('"').unwrap().0.parse().unwrap());
    }
    numbers
}

#[test]
fn after_a_broken_connection_it_goes_on_in_order() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let (_runtime, sink) = sink(&format!("tcp://{address}"));
    tell(&sink, 0, 3);
    assert_eq!(numbers(listener.accept().unwrap().0, 3), [0, 1, 2]);
    // The connection has ended by now, in the middle of nothing.
    eventually("all are accounted for", || sink.status().waiting_bytes == 0);
    drop(listener);
    let soon = TcpStream::connect(address);
    assert!(soon.is_err());
    // Every try comes to nothing, and nothing is lost meanwhile.
    let mut told = 3;
    eventually("it is seen", || {
        tell(&sink, told, 1);
        told += 1;
        sink.status().failing.is_some()
    });
    let listener = TcpListener::bind(address).unwrap();
    let (connection, _) = listener.accept().unwrap();
    assert!(sink.stop(Duration::from_secs(5)));
    let seen = numbers(connection, usize::MAX);
    assert!(seen.windows(2).all(|pair| pair[0] + 1 == pair[1]) && seen.last() == Some(&(told - 1)), "{seen:?}");
    assert_eq!((sink.status().sent, sink.status().lost), (told, 0));
}

#[test]
fn a_collector_that_cannot_be_used_is_a_fault_of_the_config() {
    let origin = Origin::echo();
    let text =
        config(origin.address, "[syslog]\nenabled = true\naddress = \"tls://127.0.0.1:1\"\nca_file = \"ca.pem\"\n");
    let weir = Weir::start(&config(origin.address, ""));
    std::fs::write(weir.path("ca.pem"), "no certificate").unwrap();
    weir.rewrite(&text);
    let faults = weir.reload().unwrap_err();
    assert!(faults.contains("syslog: ") && faults.contains("holds no certificate in PEM"), "{faults}");
    assert_eq!(post(weir.admin, "/api/reload").0, 422);
}
