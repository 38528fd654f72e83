//! Heads that no server should take, and shapes that two parsers read differently.

use super::common::client::{Client, get};
use super::common::origin::Origin;
use super::common::{Weir, config, eventually};

/// Sends `bytes`: the answer must have this status, end the connection, and leave the origin alone.
#[track_caller]
fn refused(weir: &Weir, origin: &Origin, bytes: &[u8], status: u16) {
    let before = origin.requests();
    let mut client = Client::connect(weir.http);
    client.send(bytes);
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(120)]).into_owned();
    let answer = client.try_read(false).unwrap_or_else(|| panic!("no answer to {shown:?}"));
    assert_eq!(answer.status, status, "{shown:?}");
    assert_eq!(answer.header("connection"), "close", "{shown:?}");
    assert!(client.is_closed(), "{shown:?}");
    assert_eq!(origin.requests(), before, "{shown:?}");
}

/// A smuggled request would be this one.
const SECOND: &str = "GET /second HTTP/1.1\r\nHost: test\r\n\r\n";

#[test]
fn what_could_smuggle_a_request_is_refused_and_the_connection_closed() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, ""));
    for fields in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Content-Length: 4\r\nContent-Length: 4",
        "Content-Length: 4\r\nContent-Length: 0",
        "Content-Length: 4, 4",
        "Content-Length: +4",
        "Content-Length: -1",
        "Content-Length: 0x4",
        "Content-Length: 4 4",
        "Content-Length:",
        "Content-Length: 99999999999999999999999",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding: chunked;q=1",
        "Transfer-Encoding:",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding\t: chunked",
        " Transfer-Encoding: chunked",
        "X: y\r\n Transfer-Encoding: chunked",
        "X: y\r\n\tfolded",
        "X: y\rTransfer-Encoding: chunked",
        "X: y\nTransfer-Encoding: chunked",
        "X: a\0b",
        "X\0: a",
        "X",
        ": empty",
        "Host: other",
        "Content-Length : 4",
        "Content-Length\x00: 4",
    ] {
        let bytes = format!("POST / HTTP/1.1\r\nHost: test\r\n{fields}\r\n\r\n0\r\n\r\n{SECOND}");
        refused(&weir, &origin, bytes.as_bytes(), 400);
    }
    assert!(weir.ended("length-conflict") > 10 && weir.ended("bad-request") > 10);
    assert_eq!(weir.ended("forwarded"), 0);
}

#[test]
fn malformed_request_lines_are_refused() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, ""));
    let heads = [
        "GET / HTTP/1.1\r\n\r\n",
        "GET /\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: test\r\n\r\n",
        "GET /  HTTP/1.1\r\nHost: test\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: test\r\n\r\n",
        "GET / HTTP/1.1 \r\nHost: test\r\n\r\n",
        "GET\t/\tHTTP/1.1\r\nHost: test\r\n\r\n",
        "G@T / HTTP/1.1\r\nHost: test\r\n\r\n",
        " GET / HTTP/1.1\r\nHost: test\r\n\r\n",
        "GET / HTTP/1.1\nHost: test\n\n",
        "GET / HTTP/1.1\r\nHost: test\r\n\n",
        "GET / HTTP/1.1\r\nHost: test\n\r\n",
        "GET / http/1.1\r\nHost: test\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: test\r\n\r\n",
        "GET a HTTP/1.1\r\nHost: test\r\n\r\n",
        "GET /`x HTTP/1.1\r\nHost: test\r\n\r\n",
        "GET /<x> HTTP/1.1\r\nHost: test\r\n\r\n",
        "GET ftp://test/ HTTP/1.1\r\nHost: test\r\n\r\n",
        "GET http://other/ HTTP/1.1\r\nHost: test\r\n\r\n",
        "GET http://test:81/ HTTP/1.1\r\nHost: test\r\n\r\n",
        "GET http://a@test/ HTTP/1.1\r\nHost: test\r\n\r\n",
        "GET http://TEST/ HTTP/1.1\r\nHost: test\r\n\r\n",
        "GET http:///x HTTP/1.1\r\nHost: test\r\n\r\n",
        "GET http://test/ HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a@test\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: te st\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: test/x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: test:99999\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n",
        "\0\0\0\0",
        "GET /\r\n",
        "hello\r\n",
    ];
    for head in heads {
        refused(&weir, &origin, head.as_bytes(), 400);
    }
    // Each of them by weir itself, which counts what it refuses.
    assert_eq!(weir.ended("bad-request"), heads.len() as u64);
}

#[test]
fn other_versions_are_not_supported() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, ""));
    for head in [
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET / HTTP/1.2\r\nHost: test\r\n\r\n",
        "GET / HTTP/3.0\r\nHost: test\r\n\r\n",
        "GET / HTTP/0.9\r\n\r\n",
    ] {
        refused(&weir, &origin, head.as_bytes(), 505);
    }
    assert_eq!(weir.ended("unsupported-version"), 4);
}

#[test]
fn a_head_past_its_bounds_is_refused() {
    let origin = Origin::echo();
    let listen = "max_header_size = \"8KiB\"\nmax_headers = 20\n[admin]";
    let weir = Weir::start(&config(origin.address, "").replace("[admin]", listen));
    let long = "a".repeat(9000);
    let many: String = (0..30).map(|i| format!("X-{i}: y\r\n")).collect();
    let wide: String = (0..15).map(|i| format!("X-{i}: {}\r\n", "y".repeat(600))).collect();
    refused(&weir, &origin, &get("/", &format!("X: {long}\r\n")), 431);
    refused(&weir, &origin, &get("/", &many), 431);
    refused(&weir, &origin, &get("/", &wide), 431);
    refused(&weir, &origin, &get(&format!("/{long}"), ""), 431);
    refused(&weir, &origin, format!("GET /{long}").as_bytes(), 431);
    refused(&weir, &origin, format!("{long}{long}").as_bytes(), 431);
    assert_eq!(weir.ended("header-too-large"), 6);
    let mut client = Client::connect(weir.http);
    assert_eq!(client.ask(get("/", &format!("X: {}\r\n", "a".repeat(7900)))).status, 200);
    let fits: String = (0..19).map(|i| format!("X-{i}: y\r\n")).collect();
    assert_eq!(client.ask(get("/", &fits)).status, 200);
}

#[test]
fn a_chunked_body_on_http_1_0_is_refused() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, ""));
    let bytes = format!("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SECOND}");
    refused(&weir, &origin, bytes.as_bytes(), 400);
}

#[test]
fn connect_and_trace_are_not_passed_on_and_the_connection_stays() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, ""));
    let mut client = Client::connect(weir.http);
    for head in ["CONNECT test:443", "TRACE /", "TRACK /", "get /", "Post /"] {
        let answer = client.ask(format!("{head} HTTP/1.1\r\nHost: test:443\r\n\r\n"));
        assert_eq!(answer.status, 405, "{head}");
        assert!(answer.header("allow").contains("GET"));
    }
    assert_eq!(client.ask(get("/", "")).status, 200);
    assert_eq!((origin.requests(), weir.ended("method-not-allowed")), (1, 5));
}

#[test]
fn http_1_0_is_served_and_closed() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, ""));
    for head in ["GET /old HTTP/1.0\r\n\r\n", "GET /old HTTP/1.0\r\nHost: test\r\n\r\n"] {
        let mut client = Client::connect(weir.http);
        let answer = client.ask(head);
        assert_eq!((answer.status, answer.text().as_str()), (200, "GET /old 0"));
        assert!(client.is_closed());
    }
}

#[test]
fn odd_but_right_heads_are_served() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, ""));
    let mut client = Client::connect(weir.http);
    for (head, body) in [
        ("\r\n\r\nGET /a HTTP/1.1\r\nHost: test\r\n\r\n", "GET /a 0"),
        ("GET /a HTTP/1.1\r\nhOsT:test\r\n\r\n", "GET /a 0"),
        ("GET /a HTTP/1.1\r\nHost:\t test \t\r\n\r\n", "GET /a 0"),
        ("GET /a HTTP/1.1\r\nHost: test\r\nX:\r\nX: \r\n\r\n", "GET /a 0"),
        ("GET /a HTTP/1.1\r\nHost: test\r\nX: caf\u{e9}\r\n\r\n", "GET /a 0"),
        ("OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n", "OPTIONS * 0"),
        ("PURGE /a HTTP/1.1\r\nHost: test\r\n\r\n", "PURGE /a 0"),
        ("POST /a HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "POST /a 2"),
        ("POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nhi", "POST /a 2"),
    ] {
        let answer = client.ask(head);
        assert_eq!((answer.status, answer.text().as_str()), (200, body), "{head:?}");
    }
    let absolute = client.ask("GET http://test/a HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(absolute.status, 200);
    eventually("all counted", || weir.ended("forwarded") == 10);
}

#[test]
fn a_limit_meets_absolute_form_too() {
    let origin = Origin::echo();
    let limit = "[[limit]]\nname = \"login\"\nmatch = { path = \"/login\" }\nrate = \"1/m\"\nburst = 1\n";
    let weir = Weir::start(&config(origin.address, limit));
    let mut client = Client::connect(weir.http);
    assert_eq!(client.ask(get("/login", "")).status, 200);
    assert_eq!(client.ask("GET http://test/login HTTP/1.1\r\nHost: test\r\n\r\n").status, 429);
}
