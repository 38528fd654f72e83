//! Flows as real collectors read them: nfcapd with nfdump, and tshark.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "netflow/nfcapd.rs"]
mod nfcapd;
#[path = "netflow/tshark.rs"]
mod tshark;

use nfcapd::Nfcapd;
use serde_json::Value;
use std::net::{SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use weir::base::units::Share;
use weir::base::{clock, rfc3339};
use weir::config::settings::{self, Addresses};
use weir::event::entry::Entry;
use weir::event::record::{Outcome, Record};
use weir::event::story::Story;
use weir::sink::netflow::NetFlow;
use weir::sink::netflow::export::Selection;
use weir::sink::outlet::Outlet;

const SOON: Duration = Duration::from_secs(20);

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Whether a program is there; under CI it must be.
fn has(program: &str, package: &str) -> bool {
    let found = Command::new(program).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(found || !ci, "{program} is missing: run  apt-get install {package}");
    if !found {
        eprintln!("skipped: there is no {program} here; install it with  apt-get install {package}");
    }
    found
}

fn exporter(collector: SocketAddr, version: u8, domain: u32, share: Share) -> NetFlow {
    let settings = settings::NetFlow {
        enabled: true,
        collector,
        version,
        domain,
        template_interval: Duration::from_secs(60),
        addresses: Addresses::Whole,
    };
    NetFlow::start(&settings, Box::new(move || Selection { forwarded: share, without: 4_711 })).unwrap()
}

fn tell(exporter: &NetFlow, record: &Record) {
    exporter.take(&Story::Request(record, &Entry::new(record, &[])));
    exporter.flush();
}

/// Of both families, admitted and refused.
fn records() -> Vec<Record> {
    let of = |n: u64, client: &str, local: &str, outcome, reason, status| Record {
        client: client.parse().unwrap(),
        client_port: 40_000 + n as u16,
        local: Some(local.parse().unwrap()),
        outcome,
        reason,
        status,
        bytes_in: 1_000 * n,
        bytes_out: 100_000 * n,
        duration: Duration::from_millis(25 * n),
        ..Record::blank(clock::now())
    };
    vec![
        of(1, "192.0.2.7", "10.0.1.2:8080", Outcome::Forwarded, "forwarded", 200),
        of(2, "192.0.2.8", "10.0.1.2:8080", Outcome::Refused, "limit", 429),
        of(3, "2001:db8::7", "[2001:db8:1::2]:8443", Outcome::Forwarded, "forwarded", 304),
        of(4, "2001:db8::8", "10.0.1.2:8080", Outcome::Closed, "client-connections", 0),
        of(5, "192.0.2.9", "10.0.1.2:8080", Outcome::Failed, "origin-timeout", 504),
    ]
}

fn milliseconds(record: &Record) -> (u64, u64) {
    let end = clock::unix_nanos(record.at);
    ((end - record.duration.as_nanos() as u64) / 1_000_000, end / 1_000_000)
}

fn number(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| panic!("no number: {value}"))
}

#[test]
fn nfdump_reads_what_was_sent() {
    if !has("nfcapd", "nfdump") {
        return;
    }
    for version in [9, 10] {
        let collector = Nfcapd::start();
        let exporter = exporter(collector.address, version, 23, Share::ALL);
        let records = records();
        for _ in 0..200 {
            records.iter().for_each(|record| exporter.take(&Story::Request(record, &Entry::new(record, &[]))));
        }
        assert!(exporter.stop(SOON));
        let status = exporter.status();
        assert_eq!((status.sent, status.lost, status.failing), (1_000, 0, None));
        let heard = collector.end();
        // Of IPFIX, nfcapd 1.7.1 does not count option records though RFC 7011 (3.1) does: every twentieth of 60 seems to
        // have a gap before it. tshark counts them.
        let failures = heard.sequence_failures;
        assert!(failures == 0 || version == 10 && failures < 10, "version {version}: {failures}");
        assert_eq!(heard.flows.len(), 1_000, "version {version}");
        for record in &records {
            let port = u64::from(record.client_port);
            let mut found = heard.flows.iter().filter(|f| number(&f["src_port"]) == port);
            let flow = found.next().unwrap();
            assert_eq!(found.count(), 199);
            let family = if record.client.is_ipv4() { 4 } else { 6 };
            assert_eq!(flow[format!("src{family}_addr")], record.client.to_string(), "{flow}");
            let local = record.local.unwrap();
            let mapped = format!("::ffff:{}", local.ip());
            let wanted = [local.ip().to_string(), mapped];
            assert!(wanted.iter().any(|w| flow[format!("dst{family}_addr")] == **w), "{flow}");
            assert_eq!(number(&flow["dst_port"]), u64::from(local.port()));
            assert_eq!(number(&flow["proto"]), 6);
            assert_eq!(number(&flow["in_bytes"]), record.bytes_in);
            assert_eq!(number(&flow["out_bytes"]), record.bytes_out);
            let (first, last) = milliseconds(record);
            let written = |ms: u64| rfc3339::from_unix_nanos(ms * 1_000_000).trim_end_matches('Z').to_owned();
            assert_eq!((&flow["first"], &flow["last"]), (&written(first).into(), &written(last).into()), "{flow}");
            let event = if matches!(record.outcome, Outcome::Refused | Outcome::Closed) { "3" } else { "1" };
            // Of IPFIX, it does not show it.
            assert!(flow["event_id"] == *event || version == 10, "{flow}");
        }
    }
}

/// Of a collector that was away, what was sent meanwhile is counted, and it understands what comes later.
#[test]
fn a_collector_that_starts_late_gets_templates() {
    if !has("nfcapd", "nfdump") {
        return;
    }
    for version in [9, 10] {
        let collector = Nfcapd::prepare();
        let exporter = exporter(collector.address, version, 23, Share::ALL);
        let record = &records()[0];
        let one = |_| {
            tell(&exporter, record);
            until("a datagram of its own", || exporter.status().waiting_bytes == 0);
        };
        (1..=3).for_each(one);
        until("three are lost", || exporter.status().lost == 3);
        let status = exporter.status();
        assert_eq!((status.sent, status.lost), (0, 3));
        assert!(status.failing.unwrap().contains("refused"));
        let collector = collector.start();
        // Templates come with every twentieth datagram.
        (4..=40).for_each(one);
        assert!(exporter.stop(SOON));
        assert_eq!((exporter.status().sent, exporter.status().lost, exporter.status().failing), (37, 3, None));
        let heard = collector.end().flows.len();
        assert!((17..37).contains(&heard), "{heard}");
    }
}

#[test]
fn tshark_reads_what_was_sent() {
    if !has("tshark", "tshark") {
        return;
    }
    for version in [9u8, 10] {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        let exporter = exporter(socket.local_addr().unwrap(), version, 23, Share(100));
        let records = records();
        for _ in 0..100 {
            records.iter().for_each(|record| exporter.take(&Story::Request(record, &Entry::new(record, &[]))));
        }
        assert!(exporter.stop(SOON));
        socket.set_nonblocking(true).unwrap();
        let mut buffer = [0; 2_000];
        let datagrams: Vec<Vec<u8>> =
            std::iter::from_fn(|| socket.recv(&mut buffer).ok().map(|len| buffer[..len].to_vec())).collect();
        tshark::check(version, &datagrams, &records);
    }
}
