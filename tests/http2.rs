//! HTTP/2 by prior knowledge: what is passed on, what is refused, and when a connection is over.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use bytes::Bytes;
use common::client::Client;
use common::h2::{self, GOAWAY, H2, RST_STREAM, get, nothing_left, request};
use common::origin::{Origin, respond};
use common::{Weir, eventually, listening, take};
use std::io::Write;
use std::time::{Duration, Instant};

const LIMIT: &str = "[[limit]]\nname = \"per-client\"\nrate = \"1/m\"\nburst = 3\n";

#[test]
fn requests_pass_both_ways_on_many_streams_of_one_connection() {
    let origin = Origin::answering(|request, socket| {
        let size: usize = request.target.rsplit('/').next().unwrap().parse().unwrap();
        let body = [request.body.as_slice(), &vec![b'x'; size]].concat();
        respond(socket, "200 OK", &[("X-Seen", &request.header("x-forwarded-for"))], &body);
        true
    });
    let weir = Weir::start(&listening(origin.address, "h2c = true", ""));
    let mut client = H2::connect(weir.http);
    let open: Vec<_> = (0..60).map(|i| client.open(get(&format!("/size/{}", i * 3000), "192.0.2.1"), true)).collect();
    for (i, (answer, _)) in open.into_iter().enumerate() {
        let answer = client.answer(answer).unwrap();
        assert_eq!((answer.status, answer.body.len()), (200, i * 3000));
        assert_eq!(answer.header("x-seen"), "192.0.2.1, 127.0.0.1");
    }
    let answer = client.ask(request("POST", "/size/0", &[]), b"a body").unwrap();
    assert_eq!(answer.text(), "a body");
    eventually("all are counted", || (origin.requests(), weir.ended("forwarded")) == (61, 61));
    drop(client);
    nothing_left(&weir);
}

#[test]
fn a_large_body_streams_through_flow_control() {
    let origin = Origin::echo();
    let weir = Weir::start(&listening(origin.address, "h2c = true", ""));
    let mut client = H2::connect(weir.http);
    let answer = client.ask(request("PUT", "/big", &[]), &vec![7; 3_000_000]).unwrap();
    assert_eq!(answer.text(), "PUT /big 3000000");
}

#[test]
fn a_refusal_ends_its_stream_and_not_the_connection() {
    let origin = Origin::echo();
    let weir = Weir::start(&listening(origin.address, "h2c = true", LIMIT));
    let mut client = H2::connect(weir.http);
    for _ in 0..3 {
        assert_eq!(client.ask(get("/a", "192.0.2.1"), b"").unwrap().status, 200);
    }
    for _ in 0..40 {
        let refused = client.ask(get("/a", "192.0.2.1"), b"").unwrap();
        assert_eq!((refused.status, refused.header("content-type")), (429, "application/problem+json"));
        assert_eq!(refused.header("ratelimit-policy"), "\"per-client\";q=3;w=180");
        assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 59);
        let problem: serde_json::Value = serde_json::from_slice(&refused.body).unwrap();
        assert_eq!((&problem["reason"], &problem["rule"]), (&"limit".into(), &"per-client".into()));
    }
    assert_eq!(client.ask(get("/b", "192.0.2.2"), b"").unwrap().text(), "GET /b 0");
    // Over HTTP/1.1 it is the same client with the same debt.
    let mut other = Client::connect(weir.http);
    assert_eq!(other.ask(common::client::get("/a", "X-Forwarded-For: 192.0.2.1\r\n")).status, 429);
    let page = client.ask(request("GET", "/a", &[("x-forwarded-for", "192.0.2.1"), ("accept", "text/html")]), b"");
    assert_eq!(page.unwrap().header("content-type"), "text/html; charset=utf-8");
    let head = client.ask(request("HEAD", "/a", &[("x-forwarded-for", "192.0.2.1")]), b"").unwrap();
    assert!(head.body.is_empty() && head.header("content-length").parse::<u64>().unwrap() > 0);
    assert_eq!((origin.requests(), weir.ended("limit")), (4, 43));
}

#[test]
fn a_refused_upload_leaves_the_connection_to_others() {
    let origin = Origin::echo();
    let weir = Weir::start(&listening(origin.address, "h2c = true", LIMIT));
    let mut client = H2::connect(weir.http);
    for _ in 0..3 {
        client.ask(get("/a", "192.0.2.1"), b"").unwrap();
    }
    // More than the connection's window, never read by anybody.
    for _ in 0..4 {
        let (answer, mut body) = client.open(request("POST", "/a", &[("x-forwarded-for", "192.0.2.1")]), false);
        let _ = body.send_data(Bytes::from(vec![0; 60_000]), false);
        assert_eq!(client.answer(answer).unwrap().status, 429);
        // The stream is dropped here, unfinished.
    }
    let answer = client.ask(request("PUT", "/b", &[("x-forwarded-for", "192.0.2.2")]), &vec![1; 200_000]).unwrap();
    assert_eq!(answer.text(), "PUT /b 200000");
}

#[test]
fn a_body_too_large_is_refused_by_its_length_and_while_it_streams() {
    let origin = Origin::echo();
    let weir = Weir::start(&listening(origin.address, "h2c = true\nmax_body_size = \"64KiB\"", ""));
    let mut client = H2::connect(weir.http);
    let declared = request("PUT", "/a", &[("content-length", "70000")]);
    let (answer, _stream) = client.open(declared, false);
    assert_eq!(client.answer(answer).unwrap().status, 413);
    let (answer, mut stream) = client.open(request("PUT", "/a", &[]), false);
    for _ in 0..3 {
        let _ = stream.send_data(Bytes::from(vec![0; 30_000]), false);
    }
    assert_eq!(client.answer(answer).unwrap().status, 413);
    assert_eq!(client.ask(request("PUT", "/b", &[]), &[0; 65_536]).unwrap().text(), "PUT /b 65536");
    eventually("all are counted", || weir.ended("body-too-large") == 2);
    assert_eq!(weir.ended("origin-broken") + weir.ended("internal"), 0);
}

#[test]
fn a_body_that_stops_coming_is_given_up() {
    let origin = Origin::echo();
    let listen = "h2c = true\nbody_grace = \"1s\"\nmin_body_rate = \"1KiB/s\"";
    let config = listening(origin.address, listen, "[origin.eject]\nafter = 1\n");
    let weir = Weir::start(&config.replacen("[origin]\n", "[origin]\nread_timeout = \"1s\"\n", 1));
    let mut client = H2::connect(weir.http);
    let (answer, mut stream) = client.open(request("POST", "/slow", &[]), false);
    stream.send_data(Bytes::from_static(b"a"), false).unwrap();
    assert!(client.answer(answer).map_or(true, |a| a.status == 408));
    eventually("counted", || weir.ended("body-too-slow") == 1);
    assert_eq!(client.ask(get("/next", "192.0.2.1"), b"").unwrap().status, 200, "the origin is not to blame");
    drop((stream, client));
    nothing_left(&weir);
}

#[test]
fn a_body_that_trickles_is_given_up() {
    let origin = Origin::echo();
    let listen = "h2c = true\nbody_grace = \"1s\"\nmin_body_rate = \"1KiB/s\"";
    let weir = Weir::start(&listening(origin.address, listen, ""));
    let mut client = H2::connect(weir.http);
    let (answer, mut stream) = client.open(request("POST", "/slow", &[]), false);
    let started = Instant::now();
    eventually("given up", || {
        assert!(started.elapsed() < Duration::from_secs(8));
        stream.send_data(Bytes::from_static(b"a"), false).is_err() || weir.ended("body-too-slow") == 1
    });
    assert!(client.answer(answer).map_or(true, |a| a.status == 408));
}

#[test]
fn more_streams_than_allowed_are_refused_alone() {
    let origin = Origin::answering(|request, socket| {
        if request.target == "/wait" {
            take(Duration::from_secs(1));
        }
        respond(socket, "200 OK", &[], b"ok");
        true
    });
    let weir = Weir::start(&listening(origin.address, "h2c = true", "[listen.h2]\nmax_streams = 4\n"));
    let mut client = Client::connect_h2(weir.http);
    // By hand: a polite client waits for a place.
    for i in 0..6 {
        client.send(h2::frame(h2::HEADERS, h2::END_STREAM | h2::END_HEADERS, 1 + 2 * i, &h2::get_block(b"/wait", &[])));
    }
    let (first, second) = (client.wait_for(RST_STREAM), client.wait_for(RST_STREAM));
    assert_eq!((first.stream, second.stream), (9, 11));
    assert_eq!(first.payload, 7u32.to_be_bytes(), "REFUSED_STREAM: safe to repeat");
    let answers: Vec<u32> = (0..4).map(|_| client.wait_for(h2::HEADERS).stream).collect();
    assert!(answers.iter().all(|s| *s < 9), "{answers:?}");
    client.send(h2::frame(h2::HEADERS, h2::END_STREAM | h2::END_HEADERS, 13, &h2::get_block(b"/", &[])));
    assert_eq!(client.wait_for(h2::HEADERS).stream, 13);
}

#[test]
fn a_header_list_too_large_costs_its_stream() {
    let origin = Origin::echo();
    let weir = Weir::start(&listening(origin.address, "h2c = true\nmax_headers = 20", ""));
    let mut client = H2::connect(weir.http);
    let large = "v".repeat(40_000);
    let answer = client.ask(request("GET", "/", &[("x-large", &large)]), b"").unwrap();
    assert_eq!(answer.status, 431, "over max_header_size, as with HTTP/1.1");
    let many: Vec<(String, String)> = (0..30).map(|i| (format!("x-{i}"), "v".into())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(client.ask(request("GET", "/", &many), b"").unwrap().status, 431);
    let huge = "v".repeat(70_000);
    let beyond = client.ask(request("GET", "/", &[("x-large", &huge)]), b"");
    assert!(beyond.map_or(true, |a| a.status == 431));
    assert_eq!(origin.requests(), 0);
}

#[test]
fn a_preface_that_never_comes_or_stops_halfway_is_cut() {
    let origin = Origin::echo();
    let weir = Weir::start(&listening(origin.address, "h2c = true\nheader_timeout = \"1s\"", ""));
    for beginning in ["", "PRI * HT", "PRI * HTTP/2.0\r\n\r\nSM\r\n"] {
        let mut client = Client::connect(weir.http);
        client.send(beginning);
        // HTTP/1.1 may answer what was no whole preface with 408; then the end comes too.
        client.try_read(false);
        assert!(client.is_closed(), "{beginning:?}");
    }
    nothing_left(&weir);
}

#[test]
fn an_idle_connection_ends_after_keepalive_timeout() {
    let origin = Origin::echo();
    let weir = Weir::start(&listening(origin.address, "h2c = true\nkeepalive_timeout = \"1s\"", ""));
    let mut client = H2::connect(weir.http);
    assert_eq!(client.ask(get("/", "192.0.2.1"), b"").unwrap().status, 200);
    let _ = client.ended();
    // One that never asks for anything, and one that stops inside of a header block.
    let mut silent = Client::connect_h2(weir.http);
    silent.end();
    let mut halfway = Client::connect_h2(weir.http);
    halfway.send(h2::frame(h2::HEADERS, h2::END_STREAM, 1, &h2::get_block(b"/", &[])));
    halfway.end();
    nothing_left(&weir);
}

#[test]
fn close_is_not_answered() {
    let origin = Origin::echo();
    let limit = LIMIT.to_owned() + "action = \"close\"\n";
    let untrusted = "[client]\naddress_from = \"peer\"\ntrusted_proxies = [\"192.0.2.0/24\"]\n";
    let weir = Weir::start(&listening(origin.address, "h2c = true", &(limit.clone() + untrusted)));
    let mut client = H2::connect(weir.http);
    for _ in 0..3 {
        client.ask(get("/", "192.0.2.1"), b"").unwrap();
    }
    assert!(client.ask(get("/", "192.0.2.1"), b"").is_err());
    let _ = client.ended();
    nothing_left(&weir);
    assert_eq!(weir.ended("limit"), 1);
}

#[test]
fn close_costs_a_proxy_one_stream_and_not_the_connection_of_all_its_clients() {
    let origin = Origin::echo();
    let weir = Weir::start(&listening(origin.address, "h2c = true", &(LIMIT.to_owned() + "action = \"close\"\n")));
    let mut client = H2::connect(weir.http);
    for _ in 0..3 {
        client.ask(get("/", "192.0.2.1"), b"").unwrap();
    }
    assert!(client.ask(get("/", "192.0.2.1"), b"").is_err());
    assert_eq!(client.ask(get("/", "192.0.2.2"), b"").unwrap().status, 200);
}

#[test]
fn an_origin_that_fails_is_told_by_status() {
    let origin = Origin::answering(|request, socket| {
        let _ = match request.target.as_str() {
            "/close" => Ok(()),
            "/garbage" => socket.write_all(b"\x16\x03\x01 what is this\r\n\r\n"),
            "/short" => socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"),
            "/silent" => {
                take(Duration::from_secs(3));
                Ok(())
            }
            _ => socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        };
        request.target == "/"
    });
    let config = listening(origin.address, "h2c = true", "[origin.eject]\nafter = 0\n");
    let weir = Weir::start(&config.replacen("[origin]\n", "[origin]\nread_timeout = \"1s\"\n", 1));
    let mut client = H2::connect(weir.http);
    for (path, status) in [("/close", 502), ("/garbage", 502), ("/silent", 504)] {
        assert_eq!(client.ask(get(path, "192.0.2.1"), b"").unwrap().status, status, "{path}");
    }
    assert!(client.ask(get("/short", "192.0.2.1"), b"").is_err(), "half an answer must not look like a whole one");
    assert_eq!(client.ask(get("/", "192.0.2.1"), b"").unwrap().text(), "ok");
    eventually("all are counted", || (weir.ended("origin-broken"), weir.ended("origin-timeout")) == (3, 1));
}

#[test]
fn draining_finishes_streams_and_says_goodbye() {
    let origin = Origin::answering(|_, socket| {
        take(Duration::from_millis(500));
        respond(socket, "200 OK", &[], b"ok");
        true
    });
    let weir = Weir::start(&listening(origin.address, "h2c = true", ""));
    let mut client = Client::connect_h2(weir.http);
    client.send(h2::frame(h2::SETTINGS, h2::ACK, 0, &[]));
    client.send(h2::frame(h2::HEADERS, h2::END_STREAM | h2::END_HEADERS, 1, &h2::get_block(b"/", &[])));
    eventually("the request is under way", || origin.requests() == 1);
    let draining = std::thread::spawn(move || weir.drain());
    let (mut goodbye, mut answered) = (false, false);
    while let Some(frame) = client.frame() {
        goodbye |= frame.kind == GOAWAY;
        answered |= frame.kind == h2::DATA && frame.payload == b"ok";
        if frame.kind == h2::PING && frame.flags & h2::ACK == 0 {
            client.send(h2::frame(h2::PING, h2::ACK, 0, &frame.payload));
        }
    }
    assert!(goodbye && answered);
    assert!(draining.join().unwrap(), "every request was finished");
}
