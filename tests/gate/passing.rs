//! What is admitted passes through whole, at once and unchanged.

use super::common::client::{Client, get};
use super::common::origin::{Origin, respond};
use super::common::{Weir, config, eventually};
use std::io::{Read, Write};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn weir(origin: &Origin) -> Weir {
    Weir::start(&config(origin.address, ""))
}

#[test]
fn headers_are_carried_on() {
    let origin = Origin::answering(|request, socket| {
        let all: String = request.headers.iter().map(|(n, v)| format!("{n}={v}\n")).collect();
        respond(socket, "200 OK", &[("X-Own", "a"), ("X-Own", "b"), ("Set-Cookie", "c=d")], all.as_bytes());
        true
    });
    let weir = weir(&origin);
    let mut client = Client::connect(weir.http);
    let more = "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-For: 198.51.100.1\r\ntraceparent: 00-a-b-01\r\nX-Amzn-Trace-Id: Root=1\r\n\
                Accept-Encoding: gzip\r\nConnection: X-Drop, keep-alive\r\nX-Drop: secret\r\nKeep-Alive: timeout=5\r\n\
                Upgrade: h2c\r\nHTTP2-Settings: AAAA\r\nCookie: a=b\r\n";
    let answer = client.ask(get("/?q=1", more));
    let seen = answer.text();
    let has = |line: &str| seen.lines().any(|l| l == line);
    assert!(has("host=test") && has("cookie=a=b") && has("accept-encoding=gzip"), "{seen}");
    assert!(has("x-forwarded-for=192.0.2.7, 198.51.100.1, 127.0.0.1"), "{seen}");
    assert!(has("x-forwarded-proto=http") && has("traceparent=00-a-b-01") && has("x-amzn-trace-id=Root=1"), "{seen}");
    let id = seen.lines().find_map(|l| l.strip_prefix("x-request-id=")).unwrap();
    assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()));
    for gone in ["x-drop", "keep-alive", "upgrade", "http2-settings", "connection"] {
        assert!(!seen.lines().any(|l| l.starts_with(&format!("{gone}="))), "{gone} in {seen}");
    }
    assert_eq!(answer.head.matches("\r\nX-Own: ").count(), 2, "{}", answer.head);
    assert!(client.ask(get("/", "X-Request-Id: mine\r\n")).text().contains("x-request-id=mine"));
}

#[test]
fn a_connection_option_that_names_a_forwarding_header_is_refused() {
    let origin = Origin::echo();
    let weir = weir(&origin);
    let mut client = Client::connect(weir.http);
    let answer = client.ask(get("/", "Connection: X-Forwarded-For\r\nX-Forwarded-For: 192.0.2.1\r\n"));
    assert_eq!(answer.status, 400);
    eventually("counted", || weir.ended("bad-request") == 1);
    assert_eq!(origin.requests(), 0);
}

#[test]
fn answers_without_a_body_end_where_they_should() {
    let origin = Origin::answering(|request, socket| {
        match request.target.as_str() {
            "/204" => drop(socket.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")),
            "/304" => drop(socket.write_all(b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 9\r\n\r\n")),
            "/103" => {
                drop(socket.write_all(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"));
                respond(socket, "200 OK", &[], b"after");
            }
            _ if request.method == "HEAD" => drop(socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n")),
            _ => respond(socket, "404 Not Found", &[], b""),
        }
        true
    });
    let weir = weir(&origin);
    let mut client = Client::connect(weir.http);
    assert_eq!(client.ask(get("/204", "")).status, 204);
    let not_modified = client.ask(get("/304", ""));
    assert_eq!((not_modified.status, not_modified.header("etag")), (304, "\"a\""));
    client.send("HEAD / HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(client.read_head_only().header("content-length"), "77");
    assert_eq!(client.ask(get("/404", "")).status, 404);
    let hint = client.ask(get("/103", ""));
    assert_eq!((hint.status, hint.header("link")), (103, "</a>"));
    assert_eq!(client.read().text(), "after");
    assert_eq!(origin.connections(), 1);
}

#[test]
fn a_response_streams() {
    let (step, steps) = mpsc::channel::<()>();
    let steps = Mutex::new(steps);
    let origin = Origin::answering(move |_, socket| {
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
        steps.lock().unwrap().recv().unwrap();
        let _ = socket.write_all(b"4\r\nlast\r\n0\r\n\r\n");
        true
    });
    let weir = weir(&origin);
    let mut client = Client::connect(weir.http);
    for _ in 0..2 {
        client.send(get("/", ""));
        let head = client.read_head_only();
        assert_eq!(head.header("transfer-encoding"), "chunked");
        assert_eq!(client.exactly(10).unwrap(), b"5\r\nfirst\r\n");
        // Only now does the origin send the rest.
        step.send(()).unwrap();
        assert_eq!(client.exactly(14).unwrap(), b"4\r\nlast\r\n0\r\n\r\n");
    }
}

#[test]
fn a_request_streams() {
    let (seen, heard) = mpsc::channel::<Vec<u8>>();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut all = Vec::new();
        let mut chunk = [0; 4096];
        while !all.ends_with(b"0\r\n\r\n") {
            let n = socket.read(&mut chunk).unwrap();
            all.extend_from_slice(&chunk[..n]);
            seen.send(all.clone()).unwrap();
        }
        respond(&mut socket, "200 OK", &[], b"done");
    });
    let weir = Weir::start(&config(address, ""));
    let mut client = Client::connect(weir.http);
    client.send("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
    // The first piece is at the origin while the last is not sent.
    while !heard.recv_timeout(5 * SECOND).unwrap().windows(5).any(|w| w == b"first") {}
    client.send("4\r\nlast\r\n0\r\n\r\n");
    assert_eq!(client.read().text(), "done");
}

#[test]
fn large_bodies_pass_both_ways_unchanged() {
    let origin = Origin::answering(|request, socket| {
        respond(socket, "200 OK", &[], &request.body);
        true
    });
    let weir = weir(&origin);
    let mut client = Client::connect(weir.http);
    let body: Vec<u8> = (0..3_000_000u32).flat_map(|i| [(i % 251) as u8, (i >> 8) as u8, (i >> 16) as u8]).collect();
    let head = format!("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n\r\n", body.len());
    assert!(client.ask([head.as_bytes(), &body].concat()).body == body);
    let mut chunked = b"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for piece in body.chunks(70_001) {
        chunked.extend(format!("{:x}\r\n", piece.len()).bytes());
        chunked.extend_from_slice(piece);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    assert!(client.ask(chunked).body == body);
    assert_eq!(client.ask(get("/", "")).status, 200);
}

#[test]
fn connections_to_the_origin_are_used_again() {
    let origin = Origin::echo();
    let weir = weir(&origin);
    for _ in 0..5 {
        let mut client = Client::connect(weir.http);
        for _ in 0..5 {
            assert_eq!(client.ask(get("/", "")).status, 200);
        }
    }
    assert_eq!((origin.requests(), origin.connections()), (25, 1));
}

#[test]
fn a_client_that_leaves_is_noticed_while_the_origin_works() {
    let (left, leaving) = mpsc::channel::<()>();
    let left = Mutex::new(left);
    let origin = Origin::answering(move |_, socket| {
        // Ends when weir lets go of the connection.
        let _ = socket.read(&mut [0]);
        let _ = left.lock().unwrap().send(());
        false
    });
    let weir = weir(&origin);
    let mut client = Client::connect(weir.http);
    client.send(get("/", ""));
    eventually("the origin has it", || origin.requests() == 1);
    drop(client);
    leaving.recv_timeout(5 * SECOND).unwrap();
    eventually("counted", || weir.ended("client-gone") == 1);
}

/// An origin that shakes hands for `path` /ws and echoes bytes, and answers anything else plainly.
fn websocket_origin() -> (Origin, Arc<Mutex<Vec<String>>>) {
    let upgrades: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = upgrades.clone();
    let origin = Origin::answering(move |request, socket| {
        seen.lock().unwrap().push(request.header("upgrade"));
        if request.target != "/ws" {
            respond(socket, "200 OK", &[], request.target.as_bytes());
            return true;
        }
        let _ =
            socket.write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
        let mut chunk = [0; 1024];
        while let Ok(n) = socket.read(&mut chunk) {
            if n == 0 || socket.write_all(&chunk[..n]).is_err() {
                break;
            }
        }
        false
    });
    (origin, upgrades)
}

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n";

#[test]
fn a_websocket_passes_raw_with_what_comes_right_behind_the_head() {
    let (origin, _) = websocket_origin();
    let weir = Weir::start(&config(origin.address, "").replace("[admin]", "body_grace = \"1s\"\n[admin]"));
    for early in ["early", ""] {
        let mut client = Client::connect(weir.http);
        client.send([get("/ws", UPGRADE), early.into()].concat());
        assert_eq!(client.read_head_only().status, 101);
        assert_eq!(client.exactly(early.len()).unwrap(), early.as_bytes());
        client.send("\0\x01\x02GET / HTTP/1.1\r\n\r\n");
        assert_eq!(client.exactly(21).unwrap(), b"\0\x01\x02GET / HTTP/1.1\r\n\r\n");
        // Silence longer than any body may be.
        std::thread::sleep(Duration::from_millis(1300));
        client.send("still here");
        assert_eq!(client.exactly(10).unwrap(), b"still here");
    }
    eventually("both over", || weir.ended("forwarded") == 2);
    assert_eq!(origin.requests(), 2);
}

#[test]
fn an_upgrade_that_is_not_agreed_to_opens_no_tunnel() {
    let (origin, upgrades) = websocket_origin();
    let limit = "[[limit]]\nname = \"two\"\nrate = \"1/h\"\nburst = 2\n";
    let weir = Weir::start(&config(origin.address, limit));
    let mut client = Client::connect(weir.http);
    // The second and third are requests like any other: decided, the third refused.
    client.send([get("/no", UPGRADE), get("/2", ""), get("/3", "")].concat());
    assert_eq!((client.read().text(), client.read().text()), ("/no".into(), "/2".into()));
    assert_eq!(client.read().status, 429);
    assert_eq!(*upgrades.lock().unwrap(), ["websocket", ""]);
}

#[test]
fn no_protocol_but_websocket_is_offered_to_the_origin() {
    let (origin, upgrades) = websocket_origin();
    let weir = weir(&origin);
    let mut client = Client::connect(weir.http);
    let h2c = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
    client.send([get("/a", h2c), get("/b", "Connection: Upgrade\r\nUpgrade: tcp\r\n")].concat());
    for path in ["/a", "/b"] {
        assert_eq!(client.read().text(), path);
    }
    assert_eq!(*upgrades.lock().unwrap(), ["", ""]);
}

#[test]
fn paths_arrive_as_they_were_sent() {
    let origin = Origin::echo();
    let weir = weir(&origin);
    let mut client = Client::connect(weir.http);
    for path in [
        "/",
        "//",
        "/a//b/../c/.",
        "/%zz%2F%00",
        "/?a=b&c=%20+",
        "/a|b{}^?`",
        "/a;b=c",
        "/\\x",
        "/~'()*!$,:@",
        "/caf\u{e9}",
    ] {
        let answer = client.ask(get(path, ""));
        assert_eq!((answer.status, answer.text()), (200, format!("GET {path} 0")), "{}", answer.head);
    }
    let long = format!("/{}", "a".repeat(20_000));
    assert_eq!(client.ask(get(&long, "")).text(), format!("GET {long} 0"));
}
