//! The admin server asked over real connections.

use super::testing::{Fixed, TOKEN, start};
use super::{Admin, Error, Token};
use crate::control::flood::FloodReport;
use crate::control::status::{FaultView, Phase, RecentView, Status, Why, fixture};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

struct Answer {
    status: u16,
    head: String,
    body: String,
}

/// One request as written, header fields and all.
fn ask(admin: &Admin, method: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let mut stream = TcpStream::connect(admin.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !fields.iter().any(|(name, _)| *name == "Host") {
        request += &format!("Host: {}\r\n", admin.address());
    }
    for (name, value) in fields {
        request += &format!("{name}: {value}\r\n");
    }
    stream.write_all((request + "\r\n").as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    Answer { status: head[9..12].parse().unwrap(), head: head.to_lowercase(), body: body.into() }
}

fn get(admin: &Admin, path: &str) -> Answer {
    ask(admin, "GET", path, &[])
}

#[test]
fn every_page_answers_with_its_type_and_security_headers() {
    let admin = start(None, Phase::Serving, vec![]);
    for (path, kind) in [
        ("/healthz", "text/plain"),
        ("/readyz", "text/plain"),
        ("/metrics", "text/plain; version=0.0.4"),
        ("/api/status", "application/json"),
        ("/api/flood", "application/json"),
        ("/api/recent", "application/json"),
        ("/api/why?address=192.0.2.7", "application/json"),
        ("/", "text/html"),
        ("/api/session", "application/json"),
        ("/api/timeline?from=1&to=2&step=3", "application/json"),
        ("/page/main.js", "text/javascript"),
        ("/page/page.css", "text/css"),
    ] {
        let answer = get(&admin, path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert!(answer.head.contains(&format!("content-type: {kind}")), "{path}: {}", answer.head);
        let kept = if path == "/" || path.starts_with("/page/") {
            "cache-control: no-cache"
        } else {
            "cache-control: no-store"
        };
        for field in ["content-security-policy: default-src 'none'", "nosniff", kept] {
            assert!(answer.head.contains(field), "{path}: {}", answer.head);
        }
    }
    assert_eq!(get(&admin, "/nothing").status, 404);
    assert_eq!(get(&admin, "/api/reload").status, 405);
}

#[test]
fn the_answers_read_back() {
    let admin = start(None, Phase::Serving, vec![]);
    let status: Status = serde_json::from_str(&get(&admin, "/api/status").body).unwrap();
    assert_eq!(status, fixture());
    let flood: FloodReport = serde_json::from_str(&get(&admin, "/api/flood").body).unwrap();
    assert_eq!(flood, crate::control::flood::fixture());
    let why: Why = serde_json::from_str(&get(&admin, "/api/why?address=2001:db8::7").body).unwrap();
    assert_eq!(why.address.to_string(), "2001:db8::7");
    let recent: RecentView = serde_json::from_str(&get(&admin, "/api/recent").body).unwrap();
    assert_eq!((recent.refusals.len(), recent.top.len()), (1, 1));
    assert!(get(&admin, "/metrics").body.contains("weir_requests_total{"));
    for bad in ["/api/why", "/api/why?address=", "/api/why?address=app.example", "/api/why?address=%ff"] {
        assert_eq!(get(&admin, bad).status, 400, "{bad}");
    }
}

#[test]
fn readiness_follows_the_phase_and_health_does_not() {
    let source = Arc::new(Fixed::new(Phase::Starting, vec![]));
    let admin = Admin::start(([127, 0, 0, 1], 0).into(), None, source.clone()).unwrap();
    for (phase, status, text) in
        [(Phase::Starting, 503, "not yet"), (Phase::Serving, 200, "ready"), (Phase::Draining, 503, "draining")]
    {
        *source.phase.lock().unwrap() = phase;
        let answer = get(&admin, "/readyz");
        assert!(answer.status == status && answer.body.contains(text), "{phase:?}: {}", answer.body);
        assert_eq!(get(&admin, "/healthz").status, 200);
    }
}

#[test]
fn a_token_is_asked_for_everywhere_but_at_health_and_the_empty_page() {
    let admin = start(Some(TOKEN), Phase::Serving, vec![]);
    for path in [
        "/metrics",
        "/api/status",
        "/api/live",
        "/api/timeline",
        "/api/recent",
        "/api/why?address=192.0.2.7",
        "/nothing",
        "//api/status",
    ] {
        let refused = get(&admin, path);
        assert!(refused.status == 401 && refused.head.contains("www-authenticate: bearer"), "{path}");
        for wrong in
            ["Bearer wrong", "Bearer ", "Bearer", "", "Basic 0123456789abcdef0123", "Bearer 0123456789abcdef012"]
        {
            assert_eq!(ask(&admin, "GET", path, &[("Authorization", wrong)]).status, 401, "{path} {wrong}");
        }
    }
    let right = format!("Bearer {TOKEN}");
    for host in ["weir.example", "127.0.0.1"] {
        let fields = [("Authorization", right.as_str()), ("Host", host)];
        assert_eq!(ask(&admin, "GET", "/api/status", &fields).status, 200);
    }
    assert_eq!(ask(&admin, "POST", "/api/reload", &[]).status, 401);
    assert_eq!(ask(&admin, "POST", "/api/reload", &[("Authorization", &right)]).status, 200);
    for path in ["/", "/page/main.js", "/page/page.css", "/api/session", "/healthz", "/readyz"] {
        assert_eq!(get(&admin, path).status, 200, "{path}");
    }
}

#[test]
fn without_a_token_no_other_name_is_served() {
    let admin = start(None, Phase::Serving, vec![]);
    for host in ["evil.example", "evil.example:9901", "127.0.0.1.evil.example", ""] {
        for path in ["/", "/api/status", "/metrics"] {
            assert_eq!(ask(&admin, "GET", path, &[("Host", host)]).status, 421, "{host} {path}");
        }
        // Load balancers ask by whatever name.
        assert_eq!(ask(&admin, "GET", "/readyz", &[("Host", host)]).status, 200);
    }
    assert_eq!(ask(&admin, "GET", "/api/status", &[("Host", "localhost:80")]).status, 200);
}

#[test]
fn a_page_changes_nothing_without_the_token_and_one_of_another_site_nothing_at_all() {
    let right = format!("Bearer {TOKEN}");
    for (token, own_may) in [(None, false), (Some(TOKEN), true)] {
        let admin = start(token, Phase::Serving, vec![]);
        let own = format!("http://{}", admin.address());
        let post = |fields: &[(&str, &str)]| {
            let fields = [fields, &[("Authorization", right.as_str())]].concat();
            ask(&admin, "POST", "/api/reload", &fields).status
        };
        for fields in [
            vec![("Origin", "https://evil.example")],
            vec![("Origin", "null")],
            vec![("Origin", "http://127.0.0.1:1")],
            vec![("Origin", own.as_str()), ("Sec-Fetch-Site", "cross-site")],
            vec![("Sec-Fetch-Site", "same-site")],
        ] {
            assert_eq!(post(&fields), 403, "{fields:?}");
        }
        // Commands are no browsers.
        assert_eq!(post(&[]), 200);
        let expected = if own_may { 200 } else { 403 };
        for fields in [vec![("Origin", own.as_str())], vec![("Origin", &own), ("Sec-Fetch-Site", "same-origin")]] {
            assert_eq!(post(&fields), expected, "{fields:?}");
        }
    }
}

#[test]
fn a_limit_is_enforced_for_a_share_that_makes_sense() {
    let admin = start(None, Phase::Serving, vec![]);
    let enforce = |limit: &str, body: &str| {
        let mut stream = TcpStream::connect(admin.address()).unwrap();
        let request = format!(
            "POST /api/limits/{limit}/enforce HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        (text[9..12].parse::<u16>().unwrap(), text)
    };
    let (status, text) = enforce("login", r#"{"enforce":"25.5%"}"#);
    assert!(status == 200 && text.contains(r#""enforce":25.5"#), "{text}");
    assert_eq!(enforce("nobody", r#"{"enforce":"25%"}"#).0, 404);
    for body in [r#"{"enforce":"25"}"#, r#"{"enforce":"101%"}"#, r#"{"enforce":"-1%"}"#, r#"{"enforce":1}"#, "{}", "[]"]
    {
        let (status, text) = enforce("login", body);
        assert!(status == 422, "{body}: {text}");
    }
}

#[test]
fn a_refused_reload_names_every_fault() {
    let fault = |line, message: &str| FaultView { line, message: message.into(), ..FaultView::default() };
    let admin = start(None, Phase::Serving, vec![fault(3, "first"), fault(9, "second")]);
    let answer = ask(&admin, "POST", "/api/reload", &[]);
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("first") && answer.body.contains("second"), "{}", answer.body);
}

#[test]
fn what_can_be_reached_from_outside_needs_a_token_and_a_taken_address_is_named() {
    let source = || Arc::new(Fixed::new(Phase::Serving, vec![]));
    assert!(matches!(Admin::start(([0, 0, 0, 0], 0).into(), None, source()), Err(Error::Open(_))));
    let first = start(None, Phase::Serving, vec![]);
    let second = Admin::start(first.address(), Some(Token::new(TOKEN).unwrap()), source()).unwrap_err();
    assert!(second.to_string().contains(&first.address().to_string()), "{second}");
}

#[test]
fn hostile_heads_are_bounded() {
    let admin = start(None, Phase::Serving, vec![]);
    let long = "a".repeat(40_000);
    let mut stream = TcpStream::connect(admin.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let _ = stream.write_all(format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {long}\r\n\r\n").as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(get(&admin, "/healthz").status, 200);
}
