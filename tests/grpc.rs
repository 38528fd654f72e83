//! gRPC through weir: HTTP/2 on both sides, trailers, and streams that talk both ways.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use bytes::Bytes;
use common::client::{Client, get};
use common::h2::{H2, request};
use common::h2_origin::H2Origin;
use common::origin::Origin;
use common::tls;
use common::{Weir, eventually, listening};
use std::net::SocketAddr;

const LIMIT: &str = "[[limit]]\nname = \"per-client\"\nrate = \"1/m\"\nburst = 3\n";

fn config(origin: SocketAddr, listen: &str, more: &str) -> String {
    listening(origin, listen, more).replacen("[origin]\n", "[origin]\nprotocol = \"h2c\"\nread_timeout = \"2s\"\n", 1)
}

fn call(path: &str, client: &str) -> http::Request<()> {
    request("POST", path, &[("content-type", "application/grpc"), ("te", "trailers"), ("x-forwarded-for", client)])
}

/// Unary calls, a call that fails by trailers alone, and a conversation.
fn serves(client: &mut H2) {
    let answer = client.ask(call("/echo.Echo/Unary", "192.0.2.1"), b"\0\0\0\0\x05hello").unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"\0\0\0\0\x05hello".as_slice()));
    assert_eq!((answer.header("content-type"), answer.trailer("grpc-status")), ("application/grpc", "0"));
    assert_eq!(answer.header("x-seen"), "192.0.2.1, 127.0.0.1");
    let failed = client.ask(call("/echo.Echo/Fail", "192.0.2.1"), b"\0\0\0\0\0").unwrap();
    assert_eq!((failed.status, failed.header("grpc-status")), (200, "8"));

    let (answer, mut stream) = client.open(call("/echo.Echo/Chat", "192.0.2.1"), false);
    let trailers = client.run(async {
        let mut body = None;
        let mut answer = Some(answer);
        for i in 0..20u8 {
            stream.send_data(Bytes::from(vec![i; 10]), false).unwrap();
            if body.is_none() {
                body = Some(answer.take().unwrap().await.unwrap().into_body());
            }
            // Each message comes back before the next is sent: nothing is held back on the way.
            let back = body.as_mut().unwrap().data().await.unwrap().unwrap();
            body.as_mut().unwrap().flow_control().release_capacity(back.len()).unwrap();
            assert_eq!(back, vec![i; 10]);
        }
        stream.send_data(Bytes::new(), true).unwrap();
        let mut body = body.unwrap();
        while let Some(rest) = body.data().await {
            assert!(rest.unwrap().is_empty());
        }
        body.trailers().await.unwrap().unwrap()
    });
    assert_eq!(trailers["grpc-status"], "0");
}

#[test]
fn grpc_passes_without_tls() {
    let origin = H2Origin::echo();
    let weir = Weir::start(&config(origin.address, "h2c = true", ""));
    serves(&mut H2::connect(weir.http));
    eventually("all are counted", || (origin.requests(), weir.ended("forwarded")) == (3, 3));
}

#[test]
fn grpc_passes_over_tls() {
    let (origin, pair) = (H2Origin::echo(), tls::pair());
    let more = "[listen.tls]\naddress = [\"HTTP\"]\ncertificate = \"tls.crt\"\nkey = \"tls.key\"\n";
    let files = [("tls.crt", pair.certificate.as_bytes()), ("tls.key", pair.key.as_bytes())];
    let weir = Weir::start_with(&config(origin.address, "", more), &files);
    let trusting = tls::client(&[&pair], &["h2"], rustls::DEFAULT_VERSIONS);
    serves(&mut H2::connect(tls::tunnel(weir.https.unwrap(), trusting, b"")));
    eventually("all are counted", || weir.ended("forwarded") == 3);
}

#[test]
fn a_call_over_a_limit_is_refused_by_stream() {
    let origin = H2Origin::echo();
    let weir = Weir::start(&config(origin.address, "h2c = true", LIMIT));
    let mut client = H2::connect(weir.http);
    for _ in 0..3 {
        assert_eq!(client.ask(call("/echo.Echo/Unary", "192.0.2.1"), b"m").unwrap().trailer("grpc-status"), "0");
    }
    // gRPC clients read 429 as UNAVAILABLE, and Retry-After with it.
    let refused = client.ask(call("/echo.Echo/Unary", "192.0.2.1"), b"m").unwrap();
    assert!(refused.status == 429 && !refused.header("retry-after").is_empty());
    assert_eq!(client.ask(call("/echo.Echo/Unary", "192.0.2.2"), b"m").unwrap().status, 200);
    assert_eq!(origin.requests(), 4);
}

#[test]
fn a_slow_conversation_is_not_taken_for_a_slow_upload() {
    let origin = H2Origin::echo();
    let listen = "h2c = true\nbody_grace = \"1s\"\nmin_body_rate = \"1KiB/s\"";
    let weir = Weir::start(&config(origin.address, listen, ""));
    let mut client = H2::connect(weir.http);
    let (answer, mut stream) = client.open(call("/echo.Echo/Chat", "192.0.2.1"), false);
    client.run(async {
        stream.send_data(Bytes::from_static(b"hello"), false).unwrap();
        let mut body = answer.await.unwrap().into_body();
        let mut pace = tokio::time::interval(std::time::Duration::from_millis(250));
        let started = std::time::Instant::now();
        while started.elapsed() < std::time::Duration::from_millis(2500) {
            pace.tick().await;
            let back = body.data().await.unwrap().unwrap();
            body.flow_control().release_capacity(back.len()).unwrap();
            stream.send_data(Bytes::from_static(b"hello"), false).unwrap();
        }
    });
    assert_eq!(weir.ended("body-too-slow"), 0);
}

#[test]
fn a_call_that_is_never_answered_ends_with_504_and_one_given_up_reaches_the_origin_as_such() {
    let origin = H2Origin::echo();
    let weir = Weir::start(&config(origin.address, "h2c = true", ""));
    let mut client = H2::connect(weir.http);
    assert_eq!(client.ask(call("/echo.Echo/Stall", "192.0.2.1"), b"m").unwrap().status, 504);
    let (answer, mut stream) = client.open(call("/echo.Echo/Stall", "192.0.2.1"), true);
    eventually("the call is under way", || origin.requests() == 2);
    stream.send_reset(h2::Reason::CANCEL);
    drop(answer);
    eventually("given up", || weir.ended("client-gone") == 1);
    eventually("all are counted", || weir.ended("origin-timeout") == 1);
}

#[test]
fn an_origin_that_is_down_or_speaks_http1_is_a_bad_gateway() {
    let origin = Origin::echo();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for address in [origin.address, closed] {
        let weir = Weir::start(&config(address, "h2c = true", "[origin.eject]\nafter = 0\n"));
        let mut client = H2::connect(weir.http);
        let statuses: Vec<u16> = (0..3).map(|_| client.ask(call("/a", "192.0.2.1"), b"m").unwrap().status).collect();
        assert_eq!(statuses, [502; 3]);
    }
}

#[test]
fn an_http1_client_reaches_an_http2_origin_by_shared_connections() {
    let origin = H2Origin::echo();
    let weir = Weir::start(&config(origin.address, "", ""));
    for _ in 0..5 {
        let mut client = Client::connect(weir.http);
        assert_eq!(client.ask(get("/a", "")).status, 200);
        let post = b"POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(client.ask(post).text(), "hello");
    }
    assert_eq!(origin.requests(), 10);
    assert!(origin.connections() <= 2, "{} connections", origin.connections());
}
