//! weir as a client meets it: what is passed on, what is refused, and how it is told.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::origin::Origin;
use common::{Weir, config, eventually};

const LIMIT: &str = "[[limit]]\nname = \"per-client\"\nrate = \"1/m\"\nburst = 3\n";

fn from(address: &str) -> String {
    format!("X-Forwarded-For: {address}\r\n")
}

#[test]
fn a_client_gets_its_burst_and_no_more_and_others_are_spared() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, LIMIT));
    let mut client = Client::connect(weir.http);
    for _ in 0..3 {
        assert_eq!(client.ask(get("/a", &from("192.0.2.1"))).status, 200);
    }
    let refused = client.ask(get("/a", &from("192.0.2.1")));
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("ratelimit-policy"), "\"per-client\";q=3;w=180");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() >= 59);
    assert!(!refused.header("date").is_empty());
    let problem: serde_json::Value = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!((&problem["reason"], &problem["rule"]), (&"limit".into(), &"per-client".into()));
    assert_eq!(client.ask(get("/a", &from("192.0.2.2"))).status, 200);
    assert_eq!(origin.requests(), 4);
    eventually("all are counted", || (weir.ended("limit"), weir.ended("forwarded")) == (1, 4));
}

#[test]
fn a_browser_gets_a_page_and_a_head_request_no_body() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, LIMIT));
    let mut client = Client::connect(weir.http);
    for _ in 0..3 {
        client.ask(get("/a", &from("192.0.2.1")));
    }
    let page = client.ask(get("/a", &format!("{}Accept: text/html,*/*\r\n", from("192.0.2.1"))));
    assert_eq!((page.status, page.header("content-type")), (429, "text/html; charset=utf-8"));
    assert!(page.text().contains("try again in"));
    client.send(format!("HEAD /a HTTP/1.1\r\nHost: h\r\n{}\r\n", from("192.0.2.1")));
    let head = client.read_head_only();
    assert!(head.header("content-length").parse::<usize>().unwrap() > 0);
    assert_eq!(client.ask(get("/b", &from("192.0.2.9"))).text(), "GET /b 0");
}
