//! The access log: every request as it was, nothing that is a secret, and no trouble of the log is a request's.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::origin::{Origin, respond};
use common::process::Process;
use common::{Weir, config, eventually};
use serde_json::Value;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

const LIMIT: &str = "[[limit]]\nname = \"per-client\"\nrate = \"1/m\"\nburst = 3\n";

/// That weir serves has a line as well.
const SERVING: u64 = 1;

/// A config that logs to `target` with these keys beside it.
fn logging(origin: SocketAddr, target: &str, keys: &str, more: &str) -> String {
    config(origin, more).replace("access = \"off\"\n", &format!("access = \"{target}\"\n{keys}"))
}

/// Those of requests, refused ones included.
fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let all = text.lines().map(|l| serde_json::from_str::<Value>(l).unwrap_or_else(|e| panic!("{e}: {l}")));
    all.filter(|line| line["kind"] != "state").collect()
}

/// The only line with this outcome, once it is there.
fn line(path: &Path, outcome: &str) -> Value {
    let found = || lines(path).into_iter().filter(|l| l["outcome"] == outcome).collect::<Vec<_>>();
    eventually(outcome, || !found().is_empty());
    let mut all = found();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn a_forwarded_request_is_logged_with_all_its_fields() {
    let origin = Origin::answering(|request, socket| {
        respond(socket, "201 Created", &[], request.header("x-request-id").as_bytes());
        true
    });
    let weir = Weir::start(&logging(origin.address, "log", "forwarded_sample = \"100%\"\n", ""));
    let answer = Client::connect(weir.http).ask(
        "POST /a/b?token=hidden HTTP/1.1\r\nHost: app.example\r\nUser-Agent: probe \"1\"\r\n\
         X-Forwarded-For: [2001:db8::7]:40123\r\nContent-Length: 5\r\n\r\nhello",
    );
    assert_eq!(answer.status, 201);
    let line = line(&weir.path("log"), "forwarded");
    let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
    assert_eq!((text("client"), text("peer")), ("2001:db8::7".into(), "127.0.0.1".into()));
    assert_eq!((text("kind"), line["client_port"].as_u64()), ("request".into(), Some(40_123)));
    assert_eq!(
        (text("reason"), text("protocol"), text("method")),
        ("forwarded".into(), "HTTP/1.1".into(), "POST".into())
    );
    assert_eq!(
        (text("host"), text("path"), text("user_agent")),
        ("app.example".into(), "/a/b".into(), "probe \"1\"".into())
    );
    assert_eq!((line["status"].as_u64(), line["bytes_in"].as_u64()), (Some(201), Some(5)));
    assert_eq!(line["bytes_out"], answer.body.len());
    assert_eq!(text("origin"), origin.address.to_string());
    assert_eq!(text("request_id").len(), 32);
    assert!(answer.text().replace('-', "") == text("request_id"), "{}", answer.text());
    let (whole, first) = (line["duration_ms"].as_f64().unwrap(), line["origin_ms"].as_f64().unwrap());
    assert!(0.0 < first && first <= whole, "{first} {whole}");
    let time = text("time");
    assert!(time.starts_with("20") && time.ends_with('Z') && time.len() == 24, "{time}");
    for absent in ["rule", "observed", "retry_after_s", "limit_burst"] {
        assert!(line.get(absent).is_none(), "{absent}");
    }
}

#[test]
fn refused_and_closed_requests_are_logged_with_what_decided() {
    let origin = Origin::echo();
    let closing =
        "[[limit]]\nname = \"trap\"\nrate = \"1/h\"\nburst = 1\naction = \"close\"\nmatch = { path = \"/trap\" }\n";
    let weir = Weir::start(&logging(origin.address, "log", "", &(LIMIT.to_owned() + closing)));
    let mut client = Client::connect(weir.http);
    for _ in 0..4 {
        client.ask(get("/a?q=1", "X-Forwarded-For: 192.0.2.7\r\nUser-Agent: probe\r\n"));
    }
    let refused = line(&weir.path("log"), "refused");
    assert_eq!((&refused["reason"], &refused["rule"]), (&"limit".into(), &"per-client".into()));
    assert_eq!((&refused["client"], &refused["peer"]), (&"192.0.2.7".into(), &"127.0.0.1".into()));
    assert_eq!((&refused["status"], &refused["limit_burst"]), (&429.into(), &3.into()));
    assert_eq!((&refused["method"], &refused["path"]), (&"GET".into(), &"/a".into()));
    assert_eq!((&refused["host"], &refused["user_agent"]), (&"test".into(), &"probe".into()));
    assert!((50.0..=60.0).contains(&refused["retry_after_s"].as_f64().unwrap()), "{refused}");
    for absent in ["origin", "origin_ms", "request_id"] {
        assert!(refused.get(absent).is_none(), "{absent}: {refused}");
    }
    client.ask(get("/trap", "X-Forwarded-For: 192.0.2.8\r\n"));
    client.send(get("/trap", "X-Forwarded-For: 192.0.2.8\r\n"));
    assert!(client.is_closed());
    let closed = line(&weir.path("log"), "closed");
    assert_eq!((&closed["rule"], closed.get("status")), (&"trap".into(), None));
}

#[test]
fn failed_and_gone_requests_are_logged_as_such() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let weir = Weir::start(&logging(nobody, "log", "", "retries = 0\n"));
    let answer = Client::connect(weir.http).ask(get("/a", "X-Forwarded-For: 192.0.2.7\r\n"));
    let failed = line(&weir.path("log"), "failed");
    assert_eq!((&failed["reason"], failed["status"].as_u64()), (&"origin-connect".into(), Some(answer.status.into())));
    assert_eq!((&failed["client"], &failed["origin"]), (&"192.0.2.7".into(), &nobody.to_string().into()));
    assert_eq!(failed["request_id"].as_str().unwrap().len(), 32);

    let (go, told) = std::sync::mpsc::channel::<()>();
    let told = std::sync::Mutex::new(told);
    let origin = Origin::answering(move |_, _| told.lock().unwrap().recv().is_ok());
    let weir = Weir::start(&logging(origin.address, "log", "", ""));
    let mut client = Client::connect(weir.http);
    client.send(get("/slow", "X-Forwarded-For: 192.0.2.9\r\n"));
    eventually("it is at the origin", || origin.requests() == 1);
    drop(client);
    let gone = line(&weir.path("log"), "gone");
    assert_eq!((&gone["reason"], gone.get("status")), (&"client-gone".into(), None));
    assert_eq!((&gone["client"], &gone["path"]), (&"192.0.2.9".into(), &"/slow".into()));
    drop(go);
}

#[test]
fn refusals_are_logged_up_to_the_rate_and_the_rest_is_counted() {
    let origin = Origin::echo();
    let weir =
        Weir::start(&logging(origin.address, "log", "refused_rate = \"5/h\"\nforwarded_sample = \"0%\"\n", LIMIT));
    let mut client = Client::connect(weir.http);
    for _ in 0..50 {
        client.ask(get("/", "X-Forwarded-For: 192.0.2.1\r\n"));
    }
    let held_back = || weir.status()["log"]["suppressed"].as_u64().unwrap();
    let written = || weir.status()["log"]["written"].as_u64().unwrap();
    eventually("every request is logged or counted", || written() + held_back() == 50 + SERVING);
    assert_eq!((written(), lines(&weir.path("log")).len()), (2, 1));
    assert_eq!(weir.ended("limit"), 47);
}

#[test]
fn forwarded_requests_are_logged_by_a_share() {
    let origin = Origin::echo();
    let weir = Weir::start(&logging(origin.address, "log", "forwarded_sample = \"25%\"\n", ""));
    let mut client = Client::connect(weir.http);
    for _ in 0..1000 {
        client.ask(get("/", ""));
    }
    let log = || weir.status()["log"].clone();
    eventually("all are logged or counted", || {
        log()["written"].as_u64().unwrap() + log()["suppressed"].as_u64().unwrap() == 1000 + SERVING
    });
    // Far beyond what chance does: six standard deviations are 82.
    let written = lines(&weir.path("log")).len();
    assert!((150..=350).contains(&written), "{written} of 1000");
}

#[test]
fn a_full_disk_and_a_reader_that_is_gone_cost_lines_and_no_request() {
    let origin = Origin::echo();
    let all = "forwarded_sample = \"100%\"\n";
    let full = Weir::start(&logging(origin.address, "/dev/full", all, ""));
    let mut client = Client::connect(full.http);
    for _ in 0..100 {
        assert_eq!(client.ask(get("/", "")).status, 200);
    }
    eventually("the lost lines are counted", || full.status()["log"]["lost"] == 100 + SERVING);
    assert!(full.ask("/metrics").1.lines().any(|l| l.contains("log") && l.ends_with(" 101")));

    let (reader, writer) = std::io::pipe().unwrap();
    let mut weir = Process::start_by(&logging(origin.address, "stdout", all, ""), |c| _ = c.stdout(writer));
    drop(reader);
    let mut client = Client::connect(weir.http);
    for _ in 0..100 {
        assert_eq!(client.ask(get("/", "")).status, 200);
    }
    let lost = || serde_json::from_str::<Value>(&weir.ask("/api/status").1).unwrap()["log"]["lost"].clone();
    eventually("the lost lines are counted", || lost() == 100 + SERVING);
    assert_eq!(weir.stderr().matches("lines are being lost").count(), 1);
    weir.signal("TERM");
    assert_eq!(weir.wait(), 0);
}

#[test]
fn a_rotated_log_goes_on_in_a_new_file_and_no_line_is_lost() {
    let origin = Origin::echo();
    let weir = Weir::start(&logging(origin.address, "log", "forwarded_sample = \"100%\"\n", ""));
    let (path, old) = (weir.path("log"), weir.path("log.1"));
    let mut client = Client::connect(weir.http);
    let mut sent = 0;
    for _ in 0..3 {
        sent += 1;
        client.ask(get("/", ""));
    }
    std::fs::rename(&path, &old).unwrap();
    eventually("a line in the new file", || {
        sent += 1;
        client.ask(get("/", ""));
        !lines(&path).is_empty()
    });
    eventually("every line is in one of both", || lines(&path).len() + lines(&old).len() == sent);
}

#[test]
fn no_secret_reaches_any_log() {
    let origin = Origin::echo();
    let all = "forwarded_sample = \"100%\"\n";
    let token = "[admin]\naddress = \"ADMIN\"\ntoken_file = \"token\"\n";
    let config = logging(origin.address, "stdout", all, LIMIT).replace("[admin]\naddress = \"ADMIN\"\n", token);
    let mut weir =
        Process::start_with(&config, &[("token", b"secret-admin-token")], |c| _ = c.env("WEIR_LOG", "debug"));
    let mut client = Client::connect(weir.http);
    let hidden = "Authorization: Bearer secret-bearer\r\nCookie: session=secret-cookie\r\nX-Api-Key: secret-key\r\n\
                  Referer: https://app.example/?secret-referer\r\nX-Forwarded-For: 192.0.2.1\r\n";
    // Three are forwarded, the others refused; then what is no request at all.
    for _ in 0..5 {
        client.ask(get("/path?secret-query", hidden));
    }
    client.ask("GET /secret\u{1}-target HTTP/1.1\r\nHost: a\r\nCookie: secret-cookie\r\n\r\n");
    common::ask(weir.admin, "/api/status?secret-query");
    let log = || weir.stdout();
    eventually("the lines are written", || log().lines().count() >= 5);
    weir.signal("TERM");
    assert_eq!(weir.wait(), 0);
    for (name, text) in [("stdout", weir.stdout()), ("stderr", weir.stderr())] {
        assert!(text.contains("weir") || text.contains("192.0.2.1"), "{name}: {text}");
        let told: Vec<_> = text.lines().filter(|l| l.contains("secret")).collect();
        assert!(told.is_empty(), "{name}: {told:?}");
    }
}

#[test]
fn responses_are_counted_by_their_status_and_by_who_answered() {
    let origin = Origin::answering(|request, socket| {
        respond(socket, if request.target == "/gone" { "410 Gone" } else { "204 No Content" }, &[], b"");
        true
    });
    let weir = Weir::start(&config(origin.address, LIMIT));
    let mut client = Client::connect(weir.http);
    for path in ["/", "/gone", "/gone", "/over"] {
        client.ask(get(path, "X-Forwarded-For: 192.0.2.7\r\n"));
    }
    let counted = || -> Vec<(String, u64)> {
        let status = weir.status();
        let rows = status["responses"].as_array().unwrap().iter();
        let row = |r: &Value| {
            (format!("{} {}", r["by"].as_str().unwrap(), r["class"].as_str().unwrap()), r["count"].as_u64().unwrap())
        };
        rows.map(row).filter(|(_, count)| *count > 0).collect()
    };
    let expected = [("origin 2xx", 1), ("origin 4xx", 2), ("weir 4xx", 1)].map(|(name, n)| (name.to_owned(), n));
    eventually("all are counted", || counted() == expected);
}
