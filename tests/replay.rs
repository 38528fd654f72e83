//! A log played through a server that refuses after so many requests of a client.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "the program uses all of it")]
#[path = "../loadtest/replay/play/mod.rs"]
mod play;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::{IntoResponse, Response};
use play::plan::{self, Pace};
use play::report::Report;
use play::{Options, Target};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How many requests of a client pass.
const ALLOWED: usize = 3;

/// A request as the server saw it.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    client: String,
    method: Method,
    target: String,
    agent: Option<String>,
    length: usize,
}

type Log = Arc<Mutex<Vec<Seen>>>;

async fn answer(State(log): State<Log>, method: Method, uri: Uri, headers: HeaderMap, body: String) -> Response {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let client = text("x-forwarded-for").unwrap();
    let mut log = log.lock().unwrap();
    let before = log.iter().filter(|seen| seen.client == client).count();
    log.push(Seen { client, method, target: uri.to_string(), agent: text("user-agent"), length: body.len() });
    if before < ALLOWED {
        return "hello".into_response();
    }
    assert_eq!(text("accept").as_deref(), Some("application/json"));
    let body = r#"{"status":429,"reason":"client_limit","rule":"per-client"}"#;
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    (axum::http::StatusCode::TOO_MANY_REQUESTS, kind, body).into_response()
}

/// A server on a free port, stopped when the test ends.
struct Server {
    address: SocketAddr,
    log: Log,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let log = Log::default();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&log));
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { address, log, _runtime: runtime }
    }

    fn seen(&self) -> Vec<Seen> {
        self.log.lock().unwrap().clone()
    }
}

fn options(address: SocketAddr) -> Options {
    Options {
        target: Target::resolve(&format!("http://{address}"), None, None).unwrap(),
        plan: plan::Options { pace: Pace::Max, fold: 60.0, idle: 180.0, max_session: 300.0 },
        limit: 1_000,
        connections: 4,
        timeout: Duration::from_secs(20),
        hash_clients: false,
        progress: false,
    }
}

/// Plays `bytes` as a file.
fn replay(bytes: &[u8], options: &Options) -> anyhow::Result<Report> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(bytes)?;
    play::replay(file.path(), None, options)
}

fn tsv() -> String {
    let mut text = "t\tip\tmethod\tpath\thas_query\tuser_agent\tlabel\n".to_owned();
    for n in 0..5 {
        text += &format!("0.{n}\t192.0.2.1\tPOST\t/wp-login.php\t0\t-\tbruteforce\n");
        text += &format!("0.{n}5\t2001:db8::1\tGET\t/p{n}\t1\tagent {n}\thuman\n");
    }
    text + "0.5\tsession-x\tHEAD\t/\t0\t\tbrowser_like\n0.5\t192.0.2.1\tCONNECT\t/\t0\t\tbruteforce\nbad\tx\n"
}

#[test]
fn every_line_is_sent_as_its_client_s_own() {
    let server = Server::start();
    let report = replay(tsv().as_bytes(), &options(server.address)).unwrap();
    let mut seen = server.seen();
    assert_eq!(seen.len(), 11);
    seen.sort_by(|a, b| (&a.client, &a.target).cmp(&(&b.client, &b.target)));
    let guess = &seen[0];
    assert_eq!(
        (guess.client.as_str(), &guess.method, guess.target.as_str()),
        ("192.0.2.1", &Method::POST, "/wp-login.php")
    );
    assert_eq!((guess.agent.clone(), guess.length > 0), (None, true));
    let person = seen.iter().find(|seen| seen.target == "/p4?q").unwrap();
    assert_eq!((person.client.as_str(), person.agent.as_deref(), person.length), ("2001:db8::1", Some("agent 4"), 0));
    let named = seen.iter().find(|seen| seen.method == Method::HEAD).unwrap();
    assert!(named.client.starts_with("24") || named.client.starts_with("25"), "{named:?}");
    assert_eq!((report.input.lines, report.input.faulty_lines, report.input.clients), (12, 1, 3));
}

#[test]
fn the_report_counts_by_rule_and_label() {
    let server = Server::start();
    let max = options(server.address);
    let real = plan::Options { pace: Pace::Times(1.0), ..max.plan };
    let report = replay(tsv().as_bytes(), &Options { plan: real, hash_clients: true, ..max }).unwrap();
    let by_label = |label: &str| {
        let v = report.labels[label];
        (v.total, v.forwarded, v.refused, v.closed, v.failed)
    };
    assert_eq!(by_label("bruteforce"), (6, 3, 2, 0, 1));
    assert_eq!(by_label("human"), (5, 3, 2, 0, 0));
    assert_eq!(by_label("browser_like"), (1, 1, 0, 0, 0));
    assert_eq!(report.refused_by.len(), 1);
    let refusals = &report.refused_by[0];
    assert_eq!((refusals.rule.as_str(), refusals.reason.as_str(), refusals.count), ("per-client", "client_limit", 4));
    assert_eq!((report.people.total, report.people_met()), (6, Some(false)));
    assert_eq!((report.statuses[&200], report.statuses[&429], report.failures["method"]), (7, 4, 1));
    let text = report.to_string();
    assert!(text.contains("people     2 of 6 refused: 33.3333 % (target at most 0.01 %: MISSED)"), "{text}");
    assert!(!text.contains("192.0.2.1") && text.contains("client-"), "{text}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!((&json["labels"]["human"]["refused"], &json["refused_by"][0]["count"]), (&2.into(), &4.into()));
}

#[test]
fn compressed_logs_play_the_same() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(tsv().as_bytes()).unwrap();
    for packed in [gzip.finish().unwrap(), zstd::encode_all(tsv().as_bytes(), 1).unwrap()] {
        let server = Server::start();
        let report = replay(&packed, &options(server.address)).unwrap();
        assert_eq!((report.all.total, report.all.refused, server.seen().len()), (12, 4, 11));
        // Hurried people prove nothing.
        let text = report.to_string();
        assert!(text.contains("speed max: throughput only") && !text.contains("target at most"), "{text}");
    }
}

#[test]
fn folding_keeps_the_gaps_inside_a_session() {
    let server = Server::start();
    let text = "t\tip\n0\t192.0.2.1\n0.3\t192.0.2.1\n90000\t192.0.2.1\n90000.3\t192.0.2.1\n180000\t192.0.2.2\n";
    let plan = plan::Options { pace: Pace::Times(1.0), fold: 0.4, idle: 180.0, max_session: 300.0 };
    let report = replay(text.as_bytes(), &Options { plan, ..options(server.address) }).unwrap();
    assert_eq!((report.all.forwarded, report.input.sessions, report.input.moved_sessions), (5, 3, 1));
    // Two days took at least the fold and a session's length.
    assert!(report.seconds >= 0.4, "{}", report.seconds);
    let clients: HashMap<String, usize> = server.seen().into_iter().fold(HashMap::new(), |mut all, seen| {
        *all.entry(seen.client).or_default() += 1;
        all
    });
    assert_eq!((clients.len(), clients["192.0.2.1"], clients["192.0.2.2"]), (3, 2, 1));
}

#[test]
fn a_connection_closed_without_a_reply_is_counted() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let report = replay(b"t\tip\n0\t192.0.2.1\n1\t192.0.2.1\n", &options(address)).unwrap();
    assert_eq!((report.all.closed, report.all.failed, report.refused_by[0].reason.as_str()), (2, 0, "close"));
}

#[test]
fn nobody_listening_is_said_at_once() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = replay(b"t\tip\n0\t192.0.2.1\n", &options(address)).unwrap_err();
    assert!(error.to_string().contains("nothing to replay through"), "{error}");
}

#[test]
fn garbage_for_an_answer_is_a_failure_not_a_refusal() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // Read first, since a socket closed over unread bytes is reset.
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"rubbish\r\n\r\n");
        }
    });
    let report = replay(b"t\tip\n0\t192.0.2.1\n", &options(address)).unwrap();
    assert_eq!((report.all.failed, report.all.refused, report.failures["bad answer"]), (1, 0, 1));
    assert!(report.to_string().contains("1 of 1 requests failed"));
}

#[test]
fn only_loopback_unless_named() {
    let refused = |url: &str, allowed| Target::resolve(url, allowed, None).err().map(|e| e.to_string());
    assert_eq!(refused("http://127.0.0.1:8080", None), None);
    assert_eq!(refused("http://[::1]", None), None);
    assert!(refused("http://192.0.2.1:80", None).unwrap().contains("--allow-target 192.0.2.1"));
    assert!(refused("http://192.0.2.1:80", Some("192.0.2.2")).is_some());
    assert_eq!(refused("http://192.0.2.1:80", Some("192.0.2.1")), None);
    assert!(refused("https://127.0.0.1", None).unwrap().contains("expected http://"));
    assert!(refused("ftp", None).is_some());
}

#[test]
fn a_log_without_requests_is_an_error() {
    let server = Server::start();
    let error = replay(b"t\tip\nx\ty\n", &options(server.address)).unwrap_err();
    assert!(error.to_string().contains("no line of it is a request (1 faults)"), "{error}");
}
