//! The ingress log in CloudWatch Logs: records arrive, in order and once; an outage is survived and counted; the last
//! ones are sent at the end.
#![cfg(feature = "aws")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::config;
use common::emulator::Emulator;
use common::origin::Origin;
use common::process::Process;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const GROUP: &str = "/weir/test";

/// Polls until `true`: after an outage weir takes its time before it tries again.
fn eventually(what: &str, mut check: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(90);
    while !check() {
        assert!(Instant::now() < deadline, "not within 90 s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn make_group(moto: &Emulator) {
    moto.call("logs", "Logs_20140328.CreateLogGroup", &json!({"logGroupName": GROUP}));
}

/// The records of the stream, with the time that each was stored under; none where there is no stream.
fn stored(moto: &Emulator) -> Vec<(u64, Value)> {
    let asked = json!({"logGroupName": GROUP, "logStreamNamePrefix": "edge"});
    let streams = moto.call("logs", "Logs_20140328.DescribeLogStreams", &asked);
    if streams["logStreams"].as_array().is_none_or(Vec::is_empty) {
        return Vec::new();
    }
    let asked = json!({"logGroupName": GROUP, "logStreamName": "edge", "startFromHead": true, "limit": 10_000});
    let answer = moto.call("logs", "Logs_20140328.GetLogEvents", &asked);
    let read = |event: &Value| {
        (event["timestamp"].as_u64().unwrap(), serde_json::from_str(event["message"].as_str().unwrap()).unwrap())
    };
    answer["events"].as_array().unwrap().iter().map(read).collect()
}

fn paths(moto: &Emulator) -> Vec<String> {
    stored(moto).iter().filter_map(|(_, record)| Some(record["path"].as_str()?.to_owned())).collect()
}

fn sink(weir: &Process) -> Value {
    let status: Value = serde_json::from_str(&weir.ask("/api/status").1).unwrap();
    let sinks = status["outlets"].as_array().unwrap();
    sinks.iter().find(|sink| sink["name"] == "cloudwatch-logs").unwrap().clone()
}

#[test]
fn records_arrive_through_an_outage_and_to_the_last() {
    let Some(moto) = Emulator::moto() else { return };
    make_group(&moto);
    let origin = Origin::echo();
    let keys = format!(
        "forwarded_sample = \"100%\"\n[log.cloudwatch]\nenabled = true\ngroup = \"{GROUP}\"\nstream = \"edge\"\n\
         addresses = \"truncated\"\n"
    );
    let text = config(origin.address, "").replace("access = \"off\"\n", &format!("access = \"off\"\n{keys}"));
    let mut weir = Process::start_by(&text, |command| moto.tell(command));
    let ask = |path: &str| {
        let request = get(path, "X-Forwarded-For: 192.0.2.77\r\n");
        assert_eq!(Client::connect(weir.http).ask(request).status, 200);
    };
    ask("/1");
    ask("/2");
    eventually("both are there", || paths(&moto).len() == 2);
    let (at, record) = stored(&moto).into_iter().find(|(_, record)| record["path"] == "/1").unwrap();
    assert_eq!((&record["kind"], &record["client"]), (&"request".into(), &"192.0.2.0".into()));
    let time = record["time"].as_str().unwrap();
    assert_eq!(at % 1_000, time[20..23].parse::<u64>().unwrap(), "{time}");
    assert_eq!(stored(&moto)[0].1["to"], "serving");

    let back = moto.kill();
    ask("/3");
    eventually("the outage is seen", || !sink(&weir)["failing"].is_null());
    ask("/4");
    assert!(sink(&weir)["waiting_bytes"].as_u64().unwrap() > 0);
    // What comes back has forgotten the stream; that there is a group is the operator's part.
    let moto = back();
    make_group(&moto);
    eventually("nothing was lost", || paths(&moto) == ["/3", "/4"]);
    eventually("it is well again", || sink(&weir)["failing"].is_null());
    assert_eq!(sink(&weir)["lost"], 0);

    ask("/5");
    weir.signal("TERM");
    assert_eq!(weir.wait(), 0);
    let records = stored(&moto);
    assert_eq!(paths(&moto), ["/3", "/4", "/5"]);
    assert_eq!(records.last().unwrap().1["to"], "stopped", "{records:?}");
    assert!(records.is_sorted_by_key(|(at, _)| *at));
}
