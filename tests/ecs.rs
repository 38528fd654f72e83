//! A task asks ECS who it is, and says it: in its log, in its status, on the command line.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::origin::Origin;
use common::process::{Process, command};
use common::{config, take};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

const TASK: &str = r#"{"Cluster": "arn:aws:ecs:eu-central-1:111122223333:cluster/edge",
    "TaskARN": "arn:aws:ecs:eu-central-1:111122223333:task/edge/158d1c8083dd49d6b527399fd6414f5c",
    "Family": "weir", "Revision": "26", "AvailabilityZone": "eu-central-1b", "Containers": []}"#;

/// Answers the first request as the ECS agent does, with `body`, after `delay`; what it was asked.
fn agent(body: &'static str, delay: Duration) -> (SocketAddr, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = vec![];
        while !asked.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            asked.push(byte[0]);
        }
        take(delay);
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        // Who does not wait for it is gone.
        let _ = stream.write_all((head + body).as_bytes());
        String::from_utf8(asked).unwrap()
    });
    (address, answer)
}

fn start(address: SocketAddr) -> Process {
    let origin = Origin::echo();
    Process::start_by(&config(origin.address, ""), |command| {
        command.env("ECS_CONTAINER_METADATA_URI_V4", format!("http://{address}/v4/abc"));
    })
}

fn identity(weir: &Process) -> Value {
    serde_json::from_str::<Value>(&weir.ask("/api/status").1).unwrap()["identity"].clone()
}

#[test]
fn a_task_says_who_it_is_everywhere() {
    let (address, asked) = agent(TASK, Duration::ZERO);
    let weir = start(address);
    assert!(asked.join().unwrap().starts_with("GET /v4/abc/task HTTP/1.1\r\n"));
    let expected = serde_json::json!({"task": "158d1c8083dd49d6b527399fd6414f5c", "cluster": "edge",
        "family": "weir:26", "zone": "eu-central-1b"});
    assert_eq!(identity(&weir), expected);
    let said = weir.stderr();
    let lines: Vec<Value> = said.lines().filter_map(|l| serde_json::from_str(l).ok()).collect();
    assert!(!lines.is_empty() && lines.iter().all(|l| l["cluster"] == "edge" && l["family"] == "weir:26"), "{said}");
    let shown = command().args(["status", "--admin", &format!("http://{}", weir.admin)]).output().unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("158d1c8083dd49d6b527399fd6414f5c, cluster edge, family weir:26"), "{shown}");
}

#[test]
fn an_agent_that_is_slow_or_talks_nonsense_stops_no_start() {
    for (body, delay) in [("<html>", Duration::ZERO), (TASK, Duration::from_secs(3))] {
        let (address, asked) = agent(body, delay);
        let weir = start(address);
        let task = identity(&weir)["task"].as_str().unwrap().to_owned();
        assert!(task.contains(&weir.pid().to_string()), "{task}");
        assert!(weir.stderr().contains("this weir goes by its host's name"), "{}", weir.stderr());
        asked.join().unwrap();
    }
}
