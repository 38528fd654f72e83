//! Clients that dawdle: heads and bodies that come in drops, and connections that only wait.

use super::common::client::{Client, get};
use super::common::origin::{Origin, respond};
use super::common::{Weir, config, eventually};
use std::time::{Duration, Instant};

/// Every deadline is a second.
const HASTY: &str = "header_timeout = \"1s\"\nkeepalive_timeout = \"1s\"\nbody_grace = \"1s\"\n\
                     min_body_rate = \"1KiB/s\"\n[admin]";

fn hasty(origin: &Origin, more: &str) -> Weir {
    Weir::start(&config(origin.address, more).replace("[admin]", HASTY))
}

/// Sends byte by byte until the other side has closed or answered, or the bytes are used up.
fn drip(client: &mut Client, bytes: &[u8], pause: Duration) {
    use std::io::Write;
    client.socket.set_nonblocking(true).unwrap();
    for byte in bytes {
        let mut peeked = [0];
        if client.socket.write_all(&[*byte]).is_err() || client.socket.peek(&mut peeked).is_ok() {
            break;
        }
        std::thread::sleep(pause);
    }
    client.socket.set_nonblocking(false).unwrap();
}

#[test]
fn a_head_in_single_bytes_is_served_within_the_deadline() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, ""));
    let mut client = Client::connect(weir.http);
    for _ in 0..2 {
        drip(&mut client, &get("/drops", "X: y\r\n"), Duration::from_millis(1));
        assert_eq!(client.read().text(), "GET /drops 0");
    }
}

#[test]
fn a_dripping_head_ends_with_408_whatever_comes_in_between() {
    let origin = Origin::echo();
    let weir = hasty(&origin, "");
    for first in [&b""[..], b"\r\n\r\n", &get("/", "")] {
        let mut client = Client::connect(weir.http);
        client.send(first);
        if first.len() > 4 {
            assert_eq!(client.read().status, 200);
        }
        drip(&mut client, &get("/", &format!("X: {}\r\n", "y".repeat(2000))), Duration::from_millis(20));
        let answer = client.read();
        assert_eq!((answer.status, answer.header("connection")), (408, "close"));
        assert!(client.is_closed());
    }
    assert_eq!((weir.ended("header-timeout"), origin.requests()), (3, 1));
}

#[test]
fn a_connection_that_says_nothing_or_only_empty_lines_is_closed() {
    let origin = Origin::echo();
    let weir = hasty(&origin, "");
    let mut silent = Client::connect(weir.http);
    let mut empty = Client::connect(weir.http);
    let mut idle = Client::connect(weir.http);
    assert_eq!(idle.ask(get("/", "")).status, 200);
    drip(&mut empty, &b"\r\n".repeat(1000), Duration::from_millis(20));
    assert!(empty.is_closed() && silent.is_closed() && idle.is_closed());
    assert_eq!(weir.ended("header-timeout"), 0);
}

#[test]
fn keep_alive_outlives_requests_not_silence() {
    let origin = Origin::echo();
    let weir = hasty(&origin, "");
    let mut client = Client::connect(weir.http);
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(1500) {
        assert_eq!(client.ask(get("/", "")).status, 200);
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(client.is_closed());
}

#[test]
fn a_dripping_body_is_given_up() {
    let origin = Origin::echo();
    let weir = hasty(&origin, "");
    let heads = ["Content-Length: 5000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n1388\r\n"];
    for (i, framing) in heads.iter().enumerate() {
        let mut client = Client::connect(weir.http);
        client.send(format!("POST / HTTP/1.1\r\nHost: test\r\n{framing}"));
        drip(&mut client, &[b'x'; 5000], Duration::from_millis(20));
        assert_eq!(client.read().status, 408);
        assert!(client.is_closed());
        eventually("counted", || weir.ended("body-too-slow") == i as u64 + 1);
    }
    assert_eq!(origin.requests(), 0);
}

#[test]
fn a_body_that_stops_is_given_up() {
    let origin = Origin::echo();
    let weir = hasty(&origin, "");
    let mut client = Client::connect(weir.http);
    client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5000\r\n\r\nabc");
    assert_eq!(client.read().status, 408);
    assert!(client.is_closed());
    eventually("counted", || weir.ended("body-too-slow") == 1);
}

#[test]
fn a_refused_body_that_drips_does_not_hold_the_connection() {
    let origin = Origin::echo();
    let weir = hasty(&origin, "[lists]\ndeny = [\"192.0.2.66\"]\n");
    let mut client = Client::connect(weir.http);
    client.send("POST / HTTP/1.1\r\nHost: test\r\nX-Forwarded-For: 192.0.2.66\r\nContent-Length: 5000\r\n\r\n");
    assert_eq!(client.read().status, 403);
    drip(&mut client, &[b'x'; 5000], Duration::from_millis(20));
    assert!(client.is_closed());
}

#[test]
fn an_origin_slower_than_the_body_deadlines_is_waited_for() {
    let origin = Origin::answering(|request, socket| {
        std::thread::sleep(Duration::from_millis(1600));
        respond(socket, "200 OK", &[], request.target.as_bytes());
        true
    });
    let weir = hasty(&origin, "");
    let mut client = Client::connect(weir.http);
    assert_eq!(client.ask(get("/get", "")).text(), "/get");
    let post = "POST /post HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nhi";
    assert_eq!(client.ask(post).text(), "/post");
}
