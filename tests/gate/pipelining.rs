//! Several requests in one go: order, decisions for each, and clients that do not read.

use super::common::client::{Client, get};
use super::common::origin::{Origin, respond};
use super::common::{Weir, config, eventually, take};
use std::io::{ErrorKind, Write};
use std::time::Duration;

const LIMIT: &str = "[[limit]]\nname = \"two\"\nrate = \"1/h\"\nburst = 2\n";

fn from(client: u8) -> String {
    format!("X-Forwarded-For: 192.0.2.{client}\r\n")
}

#[test]
fn admitted_and_refused_requests_are_answered_in_order() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, LIMIT));
    let mut client = Client::connect(weir.http);
    let mut all = Vec::new();
    for i in 0..12u8 {
        // Client 1 has two requests; the others come once each.
        all.extend(get(&format!("/{i}"), &from(if i % 2 == 0 { 1 } else { 100 + i })));
    }
    client.send(all);
    let answers: Vec<_> = (0..12).map(|_| client.read()).collect();
    for (i, answer) in answers.iter().enumerate() {
        if i % 2 == 1 || i < 4 {
            assert_eq!((answer.status, answer.text()), (200, format!("GET /{i} 0")));
        } else {
            assert_eq!(answer.status, 429, "request {i}");
        }
    }
    assert_eq!(origin.requests(), 8);
    eventually("all are counted", || (weir.ended("limit"), weir.ended("forwarded")) == (4, 8));
}

#[test]
fn bodies_between_pipelined_requests_are_kept_apart() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, LIMIT));
    let mut client = Client::connect(weir.http);
    let post = |path: &str, who: u8, framing: &str| {
        format!("POST {path} HTTP/1.1\r\nHost: test\r\n{}{framing}", from(who)).into_bytes()
    };
    let chunked = "Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nGET /\r\n6\r\n HTTP/\r\n0\r\nTrailer: 1\r\n\r\n";
    let sized = "Content-Length: 16\r\n\r\nGET / HTTP/1.1\r\n";
    let mut all = Vec::new();
    all.extend(post("/a", 1, chunked));
    all.extend(post("/b", 1, sized));
    // Refused: its body is swallowed, not read as a request.
    all.extend(post("/c", 1, sized));
    all.extend(post("/d", 2, chunked));
    all.extend(get("/e", &from(2)));
    client.send(all);
    let answers: Vec<_> = (0..5).map(|_| client.read()).collect();
    let seen: Vec<_> =
        answers.iter().map(|a| (a.status, if a.status == 200 { a.text() } else { String::new() })).collect();
    let ok = |text: &str| (200, text.to_owned());
    assert_eq!(seen, [ok("POST /a 11"), ok("POST /b 16"), (429, String::new()), ok("POST /d 11"), ok("GET /e 0")]);
    assert_eq!(origin.requests(), 4);
}

#[test]
fn a_request_behind_one_at_work_reaches_the_origin_only_after_its_own_decision() {
    let origin = Origin::answering(|request, socket| {
        take(Duration::from_millis(200));
        respond(socket, "200 OK", &[], request.target.as_bytes());
        true
    });
    let weir = Weir::start(&config(origin.address, LIMIT));
    let mut client = Client::connect(weir.http);
    client.send(get("/1", &from(1)));
    eventually("the origin has it", || origin.requests() == 1);
    client.send([get("/2", &from(1)), get("/3", &from(1)), get("/4", &from(1))].concat());
    let statuses: Vec<_> = (0..4).map(|_| client.read().status).collect();
    assert_eq!(statuses, [200, 200, 429, 429]);
    assert_eq!(origin.requests(), 2);
}

#[test]
fn a_refusal_does_not_wait_for_the_admitted_request_behind_it() {
    let origin = Origin::answering(|_, _| {
        take(Duration::from_secs(60));
        false
    });
    let weir = Weir::start(&config(origin.address, "[lists]\ndeny = [\"192.0.2.66\"]\n"));
    let mut client = Client::connect(weir.http);
    client.send([get("/1", &from(66)), get("/2", &from(1))].concat());
    assert_eq!(client.read().status, 403);
    eventually("the second is at the origin", || origin.requests() == 1);
}

#[test]
fn malformed_behind_good_ends_the_connection_after_the_good_is_answered() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, ""));
    let mut client = Client::connect(weir.http);
    client.send([get("/1", ""), b"GET /2 HTTP/1.1\r\nHost : x\r\n\r\n".to_vec(), get("/3", "")].concat());
    assert_eq!((client.read().status, client.read().status), (200, 400));
    assert!(client.is_closed());
    assert_eq!(origin.requests(), 1);
}

#[test]
fn a_client_that_never_reads_is_stopped_and_closed() {
    let origin = Origin::echo();
    let more = "[lists]\ndeny = [\"192.0.2.66\"]\n";
    let listen = "keepalive_timeout = \"1s\"\nheader_timeout = \"1s\"\n[admin]";
    let weir = Weir::start(&config(origin.address, more).replace("[admin]", listen));
    let mut client = Client::connect(weir.http);
    client.socket.set_write_timeout(Some(Duration::from_secs(8))).unwrap();
    let batch = get("/", &from(66)).repeat(1000);
    // Without back-pressure this would be swallowed whole: 8 GB of answers.
    let ended = (0..10_000).find_map(|_| client.socket.write_all(&batch).err());
    let kind = ended.expect("weir took everything").kind();
    assert!(matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{kind:?}");
    let refused = weir.ended("deny-list");
    assert!(refused < 200_000, "{refused} answers were made for a client that reads none");
    assert_eq!(Client::connect(weir.http).ask(get("/", "")).status, 200);
}
