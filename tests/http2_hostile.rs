//! HTTP/2 as an attacker speaks it: floods cost their sender the connection, and one stream is one request.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::Client;
use common::h2::{
    self, ACK, CONTINUATION, END_HEADERS, END_STREAM, GOAWAY, H2, HEADERS, PING, RST_STREAM, SETTINGS, frame, get,
    get_block, nothing_left,
};
use common::origin::{Origin, respond};
use common::{Weir, eventually, listening, take};
use std::time::Duration;

/// ENHANCE_YOUR_CALM.
const CALM: Option<u32> = Some(11);

/// No header is believed: every connection is its client's own.
const DIRECT: &str = "[client]\naddress_from = \"peer\"\ntrusted_proxies = [\"192.0.2.0/24\"]\n";

fn ask(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &get_block(b"/", &[]))
}

fn cancel(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &8u32.to_be_bytes())
}

fn slow_origin() -> Origin {
    Origin::answering(|_, socket| {
        take(Duration::from_millis(300));
        respond(socket, "200 OK", &[], b"ok");
        true
    })
}

#[test]
fn a_rapid_reset_in_one_segment_costs_the_connection() {
    let origin = Origin::echo();
    let more = DIRECT.to_owned() + "[listen.h2]\nmax_resets = 10\n";
    let weir = Weir::start(&listening(origin.address, "h2c = true", &more));
    let mut client = Client::connect_h2(weir.http);
    let burst: Vec<u8> = (0..50).flat_map(|i| [ask(1 + 2 * i), cancel(1 + 2 * i)].concat()).collect();
    client.send(burst);
    assert_eq!(client.end(), CALM);
    assert!(origin.requests() <= 20, "{} requests", origin.requests());
    nothing_left(&weir);
}

#[test]
fn a_rapid_reset_of_streams_already_taken_costs_the_connection() {
    let origin = slow_origin();
    let more = DIRECT.to_owned() + "[listen.h2]\nmax_resets = 10\n";
    let weir = Weir::start(&listening(origin.address, "h2c = true", &more));
    let mut client = Client::connect_h2(weir.http);
    let mut sent = 0;
    for i in 0..100 {
        let before = origin.requests();
        let gone = client.flood(1, |_| ask(1 + 2 * i)) == 0;
        if gone {
            break;
        }
        eventually("taken, or the end", || origin.requests() > before || weir.ended("client-gone") > 10);
        if client.flood(1, |_| cancel(1 + 2 * i)) == 0 || weir.ended("client-gone") > 10 {
            break;
        }
        eventually("given up", || weir.ended("client-gone") > i.into());
        sent = i;
    }
    assert!(sent <= 12, "{sent} resets");
    client.end();
    nothing_left(&weir);
}

#[test]
fn resets_of_one_client_behind_a_proxy_cost_the_others_nothing() {
    let origin = slow_origin();
    let weir = Weir::start(&listening(origin.address, "h2c = true", "[listen.h2]\nmax_resets = 10\n"));
    let mut client = H2::connect(weir.http);
    for i in 0..20 {
        let (answer, mut stream) = client.open(get("/", "192.0.2.1"), false);
        eventually("taken", || origin.connections() > 0 && weir.ask("/api/status").1.contains("\"in_flight\":1"));
        stream.send_reset(::h2::Reason::CANCEL);
        drop(answer);
        eventually("given up", || weir.ended("client-gone") > i);
    }
    assert_eq!(client.ask(get("/", "192.0.2.2"), b"").unwrap().status, 200);
}

#[test]
fn endless_headers_cost_the_connection() {
    let origin = Origin::echo();
    let weir = Weir::start(&listening(origin.address, "h2c = true", ""));
    let piece = h2::fields(&[(b"x-a", &[b'v'; 1000])]);
    let mut client = Client::connect_h2(weir.http);
    client.send(frame(HEADERS, END_STREAM, 1, &get_block(b"/", &[])));
    let taken = client.flood(100_000, |_| frame(CONTINUATION, 0, 1, &piece));
    assert!(taken < 20_000, "{taken} frames of 1 KB");
    // Empty ones add nothing to the list and must be counted all the same.
    let mut client = Client::connect_h2(weir.http);
    client.send(frame(HEADERS, END_STREAM, 1, &get_block(b"/", &[])));
    let taken = client.flood(2_000_000, |_| frame(CONTINUATION, 0, 1, &[]).repeat(100));
    assert!(taken < 20_000, "{taken} times 100 empty frames");
    nothing_left(&weir);
    assert_eq!(origin.requests(), 0);
}

#[test]
fn a_client_that_floods_with_settings_or_pings_and_does_not_read_is_held_off() {
    let origin = Origin::echo();
    let weir = Weir::start(&listening(origin.address, "h2c = true\nkeepalive_timeout = \"1s\"", ""));
    for bytes in [frame(SETTINGS, 0, 0, &[]).repeat(1000), frame(PING, 0, 0, &[7; 8]).repeat(1000)] {
        let mut client = Client::connect_h2(weir.http);
        client.socket.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
        // What weir owes is never more than the sockets hold: it stops reading, and then the idle connection ends.
        let taken = client.flood(100_000, |_| bytes.clone());
        assert!(taken < 10_000, "{taken} times {} bytes", bytes.len());
        drop(client);
    }
    nothing_left(&weir);
    let mut other = H2::connect(weir.http);
    assert_eq!(other.ask(get("/", "192.0.2.1"), b"").unwrap().status, 200);
}

#[test]
fn a_client_that_never_reads_its_answers_is_given_up() {
    let origin = Origin::answering(|_, socket| {
        respond(socket, "200 OK", &[], &vec![b'x'; 1 << 20]);
        true
    });
    let weir = Weir::start(&listening(origin.address, "h2c = true", ""));
    let mut client = Client::connect_h2(weir.http);
    for i in 0..20 {
        client.send(ask(1 + 2 * i));
    }
    eventually("all are under way", || origin.requests() == 20);
    drop(client);
    nothing_left(&weir);
}

/// Sends one block of fields (and a body) by hand, then an ordinary request; what the origin saw but for the last.
fn smuggle(block: &[u8], body: Option<&[u8]>) -> (u64, Vec<String>) {
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = seen.clone();
    let origin = Origin::answering(move |request, socket| {
        kept.lock().unwrap().push(format!("{} {}", request.method, request.target));
        respond(socket, "200 OK", &[], b"ok");
        true
    });
    let weir = Weir::start(&listening(origin.address, "h2c = true", ""));
    let mut client = Client::connect_h2(weir.http);
    let end = if body.is_none() { END_STREAM } else { 0 };
    client.send(frame(HEADERS, END_HEADERS | end, 1, block));
    if let Some(body) = body {
        client.flood(1, |_| frame(h2::DATA, END_STREAM, 1, body));
    }
    // What became of it: an answer, a reset, or the end of the connection.
    while let Some(f) = client.frame() {
        if matches!(f.kind, HEADERS | RST_STREAM) && f.stream == 1 || f.kind == GOAWAY {
            break;
        }
    }
    let mut after = H2::connect(weir.http);
    assert_eq!(after.ask(get("/after", "192.0.2.1"), b"").unwrap().status, 200);
    let requests = origin.requests() - 1;
    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen.last().map(String::as_str), Some("GET /after"), "{seen:?}");
    (requests, seen)
}

#[test]
fn bytes_that_http1_would_read_otherwise_never_reach_the_origin() {
    let injected = b"a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n".as_slice();
    let blocks: Vec<(&str, Vec<u8>)> = vec![
        ("CRLF in a value", get_block(b"/", &[(b"x-a", injected)])),
        ("LF in a value", get_block(b"/", &[(b"x-a", b"a\nb: c")])),
        ("NUL in a value", get_block(b"/", &[(b"x-a", b"a\0b")])),
        ("CRLF in a name", get_block(b"/", &[(b"x-a\r\nb", b"c")])),
        ("a colon in a name", get_block(b"/", &[(b"x-a: b", b"c")])),
        ("an upper-case name", get_block(b"/", &[(b"X-A", b"c")])),
        ("CRLF in the path", get_block(injected, &[])),
        ("a space in the path", get_block(b"/a HTTP/1.1\x20b", &[])),
        ("NUL in the path", get_block(b"/a\0", &[])),
        ("an empty path", get_block(b"", &[])),
        ("two paths", get_block(b"/", &[(b":path", b"/b")])),
        ("a pseudo field behind a field", get_block(b"/", &[(b"x-a", b"b"), (b":scheme", b"http")])),
        ("an unknown pseudo field", fields_with(b":other", b"x")),
        ("transfer-encoding: chunked", get_block(b"/", &[(b"transfer-encoding", b"chunked")])),
        ("connection", get_block(b"/", &[(b"connection", b"close, x-a")])),
        ("te: chunked", get_block(b"/", &[(b"te", b"chunked")])),
        ("CRLF in the method", method(b"GET / HTTP/1.1\r\nA: b\r\n\r\nGET")),
        ("a space in the method", method(b"GET /x")),
        ("CRLF in the authority", get_block_of(b"test\r\nX: y")),
        ("two host fields", get_block(b"/", &[(b"host", b"a"), (b"host", b"b")])),
        ("two lengths", get_block(b"/", &[(b"content-length", b"0"), (b"content-length", b"5")])),
        ("a length of two words", get_block(b"/", &[(b"content-length", b"0, 5")])),
        ("a signed length", get_block(b"/", &[(b"content-length", b"+5")])),
        ("a length without a body", get_block(b"/", &[(b"content-length", b"5")])),
        ("CONNECT", fields(&[(b":method", b"CONNECT"), (b":authority", b"test:80")])),
        ("TRACE", method(b"TRACE")),
    ];
    for (what, block) in blocks {
        assert_eq!(smuggle(&block, None).0, 0, "{what}");
    }
}

#[test]
fn a_body_that_is_not_as_long_as_it_says_never_becomes_a_second_request() {
    let second = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n".as_slice();
    for length in [b"0".as_slice(), b"1", b"1000"] {
        let list: &[(&[u8], &[u8])] = &[
            (b":method", b"POST"),
            (b":scheme", b"http"),
            (b":authority", b"test"),
            (b":path", b"/first"),
            (b"content-length", length),
        ];
        let (_, seen) = smuggle(&h2::fields(list), Some(second));
        assert!(!seen.iter().any(|s| s.contains("smuggled")), "{seen:?}");
    }
    // Chunks in an HTTP/2 body are just bytes.
    let list: &[(&[u8], &[u8])] =
        &[(b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"test"), (b":path", b"/first")];
    let (count, seen) = smuggle(&h2::fields(list), Some(&[b"0\r\n\r\n", second].concat()));
    assert_eq!((count, seen[0].as_str()), (1, "POST /first"));
}

fn fields(list: &[(&[u8], &[u8])]) -> Vec<u8> {
    h2::fields(list)
}

fn method(method: &[u8]) -> Vec<u8> {
    fields(&[(b":method", method), (b":scheme", b"http"), (b":authority", b"test"), (b":path", b"/")])
}

fn get_block_of(authority: &[u8]) -> Vec<u8> {
    fields(&[(b":method", b"GET"), (b":scheme", b"http"), (b":authority", authority), (b":path", b"/")])
}

fn fields_with(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut list: Vec<(&[u8], &[u8])> = vec![(name, value)];
    list.extend([(b":method".as_slice(), b"GET".as_slice()), (b":scheme", b"http"), (b":authority", b"test")]);
    list.push((b":path", b"/"));
    fields(&list)
}

#[test]
fn a_malformed_stream_costs_only_itself_until_there_are_many() {
    let origin = Origin::echo();
    let weir = Weir::start(&listening(origin.address, "h2c = true", ""));
    let mut client = Client::connect_h2(weir.http);
    client.send(frame(SETTINGS, ACK, 0, &[]));
    let bad = |stream| frame(HEADERS, END_STREAM | END_HEADERS, stream, &get_block(b"/", &[(b"connection", b"x")]));
    client.send(bad(1));
    assert_eq!(client.wait_for(RST_STREAM).stream, 1);
    client.send(ask(3));
    assert_eq!(client.wait_for(HEADERS).stream, 3);
    client.flood(20_000, |i| bad(5 + 2 * i as u32));
    client.end();
    nothing_left(&weir);
    assert_eq!(origin.requests(), 1);
}
