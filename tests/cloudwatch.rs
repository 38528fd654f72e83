//! Metrics on their way to CloudWatch: the real binary and the real SDK against ministack, and lines of the embedded format.
#![cfg(feature = "aws")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::emulator::{Emulator, tell};
use common::origin::Origin;
use common::process::Process;
use common::{config, eventually};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Passes bytes on and keeps what was said to the server, to see how weir speaks.
struct Relay {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Relay {
    fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let relay = Self { address: listener.local_addr().unwrap(), heard: Arc::default() };
        let heard = relay.heard.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(server) else { continue };
                let (mut back, mut client_out) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut back, &mut client_out));
                let heard = heard.clone();
                std::thread::spawn(move || pass_on(client, server, &heard));
            }
        });
        relay
    }
}

fn pass_on(mut client: TcpStream, mut server: TcpStream, heard: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 16_384];
    while let Ok(n @ 1..) = client.read(&mut buffer) {
        heard.lock().unwrap().extend_from_slice(&buffer[..n]);
        if server.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
}

const DENIED: &str = "X-Forwarded-For: 198.51.100.7\r\n";

fn start(origin: &Origin, cloudwatch: SocketAddr, more: &str) -> Process {
    let keys = format!(
        "[lists]\ndeny = [\"198.51.100.0/24\"]\n\
         [cloudwatch]\nenabled = true\nservice = \"shop\"\nenvironment = \"test\"\n{more}"
    );
    Process::start_by(&config(origin.address, &keys), |command| tell(cloudwatch, command))
}

fn send(weir: &Process, forwarded: usize, refused: usize) {
    let mut client = Client::connect(weir.http);
    (0..forwarded).for_each(|_| assert_eq!(client.ask(get("/", "X-Forwarded-For: 192.0.2.1\r\n")).status, 200));
    (0..refused).for_each(|_| assert_eq!(Client::connect(weir.http).ask(get("/", DENIED)).status, 403));
}

/// Data points of a metric, over all of its dimensions and times.
fn points(cloudwatch: &Emulator, name: &str) -> Vec<Value> {
    let body = json!({
        "Namespace": "weir", "MetricName": name, "Period": 60, "StartTime": "2020-01-01T00:00:00Z",
        "EndTime": "2100-01-01T00:00:00Z", "Statistics": ["Sum", "Maximum"], "ExtendedStatistics": ["p50", "p99"]
    });
    let answer = cloudwatch.call("monitoring", "GraniteServiceVersion20100801.GetMetricStatistics", &body);
    answer["Datapoints"].as_array().unwrap().clone()
}

fn sum(cloudwatch: &Emulator, name: &str) -> f64 {
    points(cloudwatch, name).iter().map(|point| point["Sum"].as_f64().unwrap()).sum()
}

#[test]
fn metrics_arrive_as_aws_takes_them() {
    let Some(cloudwatch) = Emulator::ministack() else { return };
    let (origin, relay) = (Origin::echo(), Relay::to(cloudwatch.address));
    let mut weir = start(&origin, relay.address, "interval = \"1s\"\n");
    send(&weir, 20, 7);
    eventually("requests are told", || (sum(&cloudwatch, "Forwarded"), sum(&cloudwatch, "Refused")) == (20.0, 7.0));
    eventually("latencies are told", || !points(&cloudwatch, "OriginLatency").is_empty());
    let latency = points(&cloudwatch, "OriginLatency");
    let share = |name: &str| latency[0]["ExtendedStatistics"][name].as_f64().unwrap();
    assert!(share("p50") > 0.0 && share("p50") <= share("p99") && share("p99") <= 60.0, "{latency:?}");
    assert!(points(&cloudwatch, "AttackState")[0]["Maximum"] == 0.0);

    // What is left goes out at the end: the minute's figures, and what came last.
    send(&weir, 3, 2);
    weir.signal("TERM");
    assert_eq!(weir.wait(), 0);
    assert_eq!((sum(&cloudwatch, "Forwarded"), sum(&cloudwatch, "Refused")), (23.0, 9.0));
    assert_eq!(sum(&cloudwatch, "RefusedByReason"), 9.0);

    let listed = cloudwatch.call("monitoring", "GraniteServiceVersion20100801.ListMetrics", &json!({}));
    let named = |metric: &Value| -> Vec<(String, String)> {
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        metric["Dimensions"].as_array().unwrap().iter().map(|d| (text(&d["Name"]), text(&d["Value"]))).collect()
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let metrics = listed["Metrics"].as_array().unwrap();
    assert!(metrics.len() > 15);
    for metric in metrics {
        let dimensions = named(metric);
        assert!(dimensions.len() <= 3 && !format!("{dimensions:?}").contains("198.51.100"), "{metric}");
        assert!(dimensions.contains(&pair("Service", "shop")) && dimensions.contains(&pair("Environment", "test")));
    }
    let reasons: BTreeSet<_> =
        metrics.iter().filter(|m| m["MetricName"] == "RefusedByReason").flat_map(named).collect();
    assert!(reasons.contains(&pair("Reason", "deny-list")) && reasons.len() == 3, "{reasons:?}");

    let heard = String::from_utf8_lossy(&relay.heard.lock().unwrap()).to_lowercase();
    assert!(heard.contains("smithy-protocol: rpc-v2-cbor") && heard.contains("content-encoding: gzip"), "{heard:.600}");
}

#[test]
fn an_outage_loses_nothing_and_doubles_nothing() {
    let Some(cloudwatch) = Emulator::ministack() else { return };
    let origin = Origin::echo();
    let mut weir = start(&origin, cloudwatch.address, "interval = \"1s\"\n");
    send(&weir, 5, 0);
    eventually("requests are told", || sum(&cloudwatch, "Forwarded") == 5.0);
    let back = cloudwatch.kill();
    send(&weir, 11, 0);
    let figures = |name: &str| -> f64 {
        let text = weir.ask("/metrics").1;
        let lines = text.lines().filter(|line| line.starts_with(name));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    };
    eventually("it is noticed", || figures("weir_cloudwatch_failures_total") > 1.0);
    assert!(figures("weir_cloudwatch_waiting") > 0.0);
    let status: Value = serde_json::from_str(&weir.ask("/api/status").1).unwrap();
    assert!(status["cloudwatch"]["failing"].is_string() && status["cloudwatch"]["unknown"] == 0, "{status}");
    let cloudwatch = back();
    eventually("what waited is told", || sum(&cloudwatch, "Forwarded") == 11.0);
    weir.signal("TERM");
    assert_eq!(weir.wait(), 0);
    assert_eq!(sum(&cloudwatch, "Forwarded"), 11.0);
    // One for every second, none twice: a lone task never counts as two.
    assert!(points(&cloudwatch, "TasksServing").iter().all(|point| point["Sum"].as_f64().unwrap() <= 60.0));
}

#[test]
fn a_cloudwatch_that_hangs_costs_nothing_and_is_left_behind() {
    let (origin, silent) = (Origin::echo(), TcpListener::bind("127.0.0.1:0").unwrap());
    let mut weir = start(&origin, silent.local_addr().unwrap(), "interval = \"1s\"\n");
    send(&weir, 5, 5);
    let status = || serde_json::from_str::<Value>(&weir.ask("/api/status").1).unwrap()["cloudwatch"].clone();
    eventually("what got no answer is counted", || status()["unknown"].as_u64().unwrap() > 0);
    assert!(status()["failing"].is_string() && status()["failures"]["unreachable"].as_u64().unwrap() > 0);
    send(&weir, 5, 5);
    weir.signal("TERM");
    assert_eq!(weir.wait(), 0);
}

#[test]
fn lines_of_the_embedded_format_stand_beside_those_of_the_log() {
    let origin = Origin::echo();
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let log = |config: &str| config.replace("access = \"off\"", "access = \"stdout\"\nforwarded_sample = \"100%\"");
    let keys = "[cloudwatch]\nenabled = true\nmode = \"emf\"\ninterval = \"1s\"\n";
    let mut weir = Process::start_by(&log(&config(origin.address, keys)), |command| tell(nowhere, command));
    send(&weir, 9, 0);
    weir.signal("TERM");
    assert_eq!(weir.wait(), 0);
    let lines: Vec<Value> = weir.stdout().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (metrics, log): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.get("_aws").is_some());
    assert_eq!(log.iter().filter(|line| line["kind"] == "request").count(), 9);
    let values = |value: &Value| value.as_array().map_or_else(|| vec![value.clone()], Clone::clone);
    let forwarded = metrics.iter().flat_map(|line| values(&line["Forwarded"]));
    assert_eq!(forwarded.filter_map(|value| value.as_f64()).sum::<f64>(), 9.0);
    for line in metrics {
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        let members = directive["Metrics"].as_array().unwrap().iter().map(|m| text(&m["Name"]));
        let dimensions = directive["Dimensions"][0].as_array().unwrap().iter().map(text);
        assert!(members.chain(dimensions).all(|member| line.get(&member).is_some()), "{line}");
    }
}
