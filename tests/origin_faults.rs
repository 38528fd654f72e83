//! An origin that is down, slow, silent, broken or half dead: what its clients see, and how weir comes back.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::origin::{Origin, respond};
use common::{Weir, config, eventually, take};
use std::collections::HashMap;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;
use std::time::Duration;

/// An address where nobody listens.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Answers 200 to everything at `address`, once it is free.
fn rise(address: SocketAddr) {
    let listener = TcpListener::bind(address).unwrap();
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut chunk = [0; 4096];
                while std::io::Read::read(&mut socket, &mut chunk).is_ok_and(|n| n > 0) {
                    respond(&mut socket, "200 OK", &[], b"risen");
                }
            });
        }
    });
}

/// The settings of `[origin]`, with `more`.
fn origin(address: SocketAddr, more: &str) -> String {
    config(address, "").replace("capacity = \"50000/s\"", &format!("capacity = \"50000/s\"\n{more}"))
}

const EJECT: &str = "[origin.eject]\nafter = 3\nduration = \"1s\"\n";

/// Two requests on one connection to the origin: the second is met by `second`.
fn second_time(second: impl Fn(&mut std::net::TcpStream) + Send + Sync + 'static) -> Origin {
    let served: Mutex<HashMap<SocketAddr, u32>> = Mutex::default();
    Origin::answering(move |request, socket| {
        let n = {
            let mut served = served.lock().unwrap();
            let n = served.entry(socket.peer_addr().unwrap()).or_default();
            *n += 1;
            *n
        };
        if n == 2 {
            second(socket);
            return false;
        }
        respond(socket, "200 OK", &[], request.method.as_bytes());
        true
    })
}

#[test]
fn an_origin_that_is_down_is_said_so_and_found_again() {
    let address = nobody();
    let weir = Weir::start(&format!("{}{EJECT}", config(address, "")));
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let answer = Client::connect(weir.http).ask(get("/", ""));
        let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        statuses.push((answer.status, problem["reason"].as_str().unwrap().to_owned()));
    }
    let known = |s: &(u16, String)| *s == (502, "origin-connect".into()) || *s == (503, "origin-unavailable".into());
    assert!(statuses.iter().all(known), "{statuses:?}");
    eventually("all are counted", || weir.ended("origin-connect") + weir.ended("origin-unavailable") == 6);
    rise(address);
    eventually("served again", || Client::connect(weir.http).ask(get("/", "")).status == 200);
}

#[test]
fn an_origin_that_is_slow_costs_the_deadline_and_no_second_request() {
    let slow = Origin::answering(|_, _| {
        take(Duration::from_secs(60));
        false
    });
    let weir = Weir::start(&origin(slow.address, "read_timeout = \"1s\""));
    let mut client = Client::connect(weir.http);
    let answer = client.ask(get("/", ""));
    assert_eq!(answer.status, 504);
    assert!(answer.text().contains("origin-timeout"));
    eventually("counted", || weir.ended("origin-timeout") == 1);
    assert_eq!(slow.requests(), 1);
}

#[test]
fn a_kept_connection_that_the_origin_closed_costs_a_get_nothing() {
    let origin = second_time(|_| {});
    let weir = Weir::start(&config(origin.address, ""));
    let mut client = Client::connect(weir.http);
    assert_eq!(client.ask(get("/", "")).status, 200);
    let again = client.ask(get("/", ""));
    assert_eq!((again.status, again.text().as_str()), (200, "GET"));
    // The second reached the origin twice: once on the connection that was closed under it, once anew.
    assert_eq!((origin.requests(), origin.connections()), (3, 2));
}

#[test]
fn a_post_is_never_sent_twice() {
    let origin = second_time(|_| {});
    let weir = Weir::start(&config(origin.address, ""));
    let mut client = Client::connect(weir.http);
    assert_eq!(client.ask(get("/", "")).status, 200);
    let post = client.ask("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nhi");
    assert_eq!(post.status, 502);
    assert!(post.text().contains("origin-broken"));
    assert_eq!(origin.requests(), 2);
}

#[test]
fn a_fresh_connection_that_is_closed_without_an_answer_is_not_tried_again() {
    let mute = Origin::answering(|_, _| false);
    let weir = Weir::start(&config(mute.address, ""));
    assert_eq!(Client::connect(weir.http).ask(get("/", "")).status, 502);
    eventually("counted", || weir.ended("origin-broken") == 1);
    assert_eq!(mute.requests(), 1);
}

#[test]
fn a_timeout_on_a_kept_connection_is_not_tried_again() {
    let slow = second_time(|_| take(Duration::from_secs(60)));
    let weir = Weir::start(&origin(slow.address, "read_timeout = \"1s\""));
    let mut client = Client::connect(weir.http);
    assert_eq!(client.ask(get("/", "")).status, 200);
    assert_eq!(client.ask(get("/", "")).status, 504);
    assert_eq!(slow.requests(), 2);
}

#[test]
fn broken_answers_are_502() {
    let answers: [&'static [u8]; 6] = [
        b"NONSENSE\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"HTTP/1.1 200 O",
    ];
    for answer in answers {
        let broken = Origin::answering(move |_, socket| {
            let _ = socket.write_all(answer);
            false
        });
        let weir = Weir::start(&config(broken.address, ""));
        let answer = Client::connect(weir.http).ask(get("/", ""));
        assert_eq!(answer.status, 502);
        assert!(answer.text().contains("origin-broken"), "{}", answer.text());
        eventually("counted", || weir.ended("origin-broken") == 1);
        assert_eq!(broken.requests(), 1);
    }
}

#[test]
fn an_endless_head_is_given_up() {
    let endless = Origin::answering(|_, socket| {
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n");
        let line = format!("X: {}\r\n", "y".repeat(1000));
        while socket.write_all(line.as_bytes()).is_ok() {}
        false
    });
    let weir = Weir::start(&config(endless.address, ""));
    assert_eq!(Client::connect(weir.http).ask(get("/", "")).status, 502);
    eventually("counted", || weir.ended("origin-broken") == 1);
}

#[test]
fn a_body_cut_short_is_cut_short_for_the_client_too() {
    for framing in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
        let half = Origin::answering(move |_, socket| {
            let head = format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n32\r\n{}\r\n", "x".repeat(50));
            let _ = socket.write_all(head.as_bytes());
            false
        });
        let weir = Weir::start(&config(half.address, ""));
        let mut client = Client::connect(weir.http);
        client.send(get("/", ""));
        assert!(client.try_read(false).is_none(), "{framing}: the answer looks whole");
        eventually("counted", || weir.ended("origin-broken") == 1);
    }
}

#[test]
fn one_dead_endpoint_costs_no_request_and_is_used_again_once_it_lives() {
    let (alive, dead) = (Origin::echo(), nobody());
    let both = format!("[\"{}\", \"{dead}\"]", alive.address);
    let text = config(alive.address, "").replace(&format!("[\"{}\"]", alive.address), &both);
    let weir = Weir::start(&format!("{}{EJECT}", text.replace("[origin]", "[origin]\nbalance = \"round-robin\"")));
    let mut client = Client::connect(weir.http);
    for i in 0..40 {
        let answer = match i % 2 {
            0 => client.ask(get("/", "")),
            _ => client.ask("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nhi"),
        };
        assert_eq!(answer.status, 200, "request {i}");
    }
    assert_eq!(alive.requests(), 40);
    rise(dead);
    eventually("the other is used", || client.ask(get("/", "")).text() == "risen");
}

#[test]
fn capacity_holds_for_everybody() {
    let origin = Origin::echo();
    let more = "[lists]\nallow = [\"192.0.2.99\"]\n[[limit]]\nname = \"one\"\nrate = \"1/h\"\nburst = 1\n";
    let weir = Weir::start(&config(origin.address, more).replace("50000/s", "1/m"));
    let mut client = Client::connect(weir.http);
    let mut ask = |n: u8| client.ask(get("/", &format!("X-Forwarded-For: 192.0.2.{n}\r\n")));
    assert_eq!(ask(1).status, 200);
    for _ in 0..20 {
        assert_eq!(ask(1).status, 429);
    }
    let full = ask(2);
    assert_eq!(full.status, 503);
    assert!(full.text().contains("origin-capacity") && !full.header("retry-after").is_empty());
    assert_eq!(ask(99).status, 503);
    assert_eq!((origin.requests(), weir.ended("origin-capacity")), (1, 2));
}
