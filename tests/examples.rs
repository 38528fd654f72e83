//! Each example config is served for real, its addresses replaced by free ones, and meets requests in the manner of
//! its setup.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, Response, get};
use common::h2::{self, H2};
use common::origin::{Origin, respond};
use common::{Weir, tls};

/// An origin that tells what X-Forwarded-For it saw.
fn origin() -> Origin {
    Origin::answering(|request, socket| {
        respond(socket, "200 OK", &[], request.header("x-forwarded-for").as_bytes());
        true
    })
}

/// The example, with addresses of this machine, an origin that bears a test's haste, and a quick leave.
fn example(name: &str, origin: &Origin) -> String {
    let text = std::fs::read_to_string(format!("config/examples/{name}.toml")).unwrap();
    let own = text
        .replace("0.0.0.0:8080", "HTTP")
        .replace("app.internal:9000", &origin.address.to_string())
        .replace("127.0.0.1:9000", &origin.address.to_string())
        .replace("10.0.0.0/16", "127.0.0.0/8")
        .replace("capacity = \"500/s\"", "capacity = \"50000/s\"")
        .replacen("[listen]\n", "[listen]\ndrain_delay = \"1ms\"\nworkers = 1\n", 1);
    own + "\n[admin]\naddress = \"ADMIN\"\n[log]\naccess = \"off\"\n"
}

/// Asks until refused, well past the burst; what came before, and the refusal.
fn exhaust(client: &mut Client, request: &[u8]) -> (usize, Response) {
    for served in 0..400 {
        let answer = client.ask(request);
        if answer.status != 200 {
            return (served, answer);
        }
    }
    panic!("never refused");
}

#[test]
fn alb() {
    let origin = origin();
    let weir = Weir::start(&example("alb", &origin));
    let mut client = Client::connect(weir.http);
    let spoofed = "X-Forwarded-For: 203.0.113.1, 198.51.100.7\r\n";
    assert_eq!(client.ask(get("/", spoofed)).text(), "203.0.113.1, 198.51.100.7, 127.0.0.1");
    let login =
        |from: &str| format!("POST /login HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: {from}\r\nContent-Length: 0\r\n\r\n");
    let (served, refused) = exhaust(&mut client, login("198.51.100.7").as_bytes());
    assert_eq!((served, refused.status), (5, 429));
    assert!(refused.text().contains("\"rule\":\"login\""));
    assert_eq!(client.ask(login("203.0.113.1, 198.51.100.7")).status, 429, "what stands left is the client's own word");
    assert_eq!(client.ask(login("198.51.100.8")).status, 200);
}

#[test]
fn cloudfront_alb() {
    let origin = origin();
    let weir = Weir::start(&example("cloudfront-alb", &origin));
    let mut client = Client::connect(weir.http);
    let from =
        |viewer: &str| get("/", &format!("CloudFront-Viewer-Address: {viewer}\r\nX-Forwarded-For: 192.0.2.1\r\n"));
    let (served, refused) = exhaust(&mut client, &from("198.51.100.7:4711"));
    assert!(served >= 100 && refused.status == 429);
    assert_eq!(client.ask(from("[2001:db8::1]:4711")).status, 200, "another viewer behind the same proxies");
}

#[test]
fn nlb() {
    let origin = origin();
    let weir = Weir::start(&example("nlb", &origin));
    let from = |last: u8| {
        let mut client = Client::connect(weir.http);
        client.send(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".as_slice());
        client.send([198, 51, 100, last, 10, 0, 0, 1, 0xdc, 4, 0, 80]);
        client
    };
    let mut client = from(7);
    assert_eq!(client.ask(get("/", "")).text(), "198.51.100.7");
    let (served, refused) = exhaust(&mut client, &get("/", ""));
    assert!(served >= 99 && refused.status == 429);
    assert_eq!(from(8).ask(get("/", "")).status, 200);
}

#[test]
fn direct() {
    let (origin, pair) = (origin(), tls::pair());
    let text = example("direct", &origin)
        .replace("# [listen.tls]", "[listen.tls]")
        .replace("# address =", "address =")
        .replace("# certificate =", "certificate =")
        .replace("# key =", "key =")
        .replace("0.0.0.0:8443", "HTTP")
        .replace("/etc/weir/", "");
    let files = [("tls.crt", pair.certificate.as_bytes()), ("tls.key", pair.key.as_bytes())];
    let weir = Weir::start_with(&text, &files);
    let https = weir.https.expect("the example's [listen.tls] is served");
    let trusting = |protocol| tls::client(&[&pair], &[protocol], rustls::DEFAULT_VERSIONS);
    let mut client = H2::connect(tls::tunnel(https, trusting("h2"), b""));
    let answer = client.ask(h2::get("/", "203.0.113.9"), b"").unwrap();
    assert_eq!(answer.status, 200);
    let mut other = Client::connect(tls::tunnel(https, trusting("http/1.1"), b""));
    let mut refused = false;
    for i in 0..400 {
        // However it varies its claims, it is one client, whose refusal is no reply at all.
        other.send(get("/", &format!("X-Forwarded-For: 203.0.113.{}\r\n", i % 250)));
        match other.try_read(false) {
            Some(answer) => assert_eq!(answer.status, 200),
            None => {
                refused = true;
                break;
            }
        }
    }
    assert!(refused && weir.ended("limit") == 1);
}
