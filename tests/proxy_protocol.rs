//! The PROXY protocol: whose word is taken, what is demanded, and what comes of the address.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::h2::{self, H2, nothing_left};
use common::origin::{Origin, respond};
use common::{Weir, eventually, listening, tls};
use std::sync::{Arc, Mutex};

const LIMIT: &str = "[[limit]]\nname = \"per-client\"\nrate = \"1/m\"\nburst = 2\n";
const TRUSTED: &str = "[client]\naddress_from = \"proxy-protocol\"\ntrusted_proxies = [\"127.0.0.0/8\"]\n";
const UNTRUSTED: &str = "[client]\naddress_from = \"proxy-protocol\"\ntrusted_proxies = [\"192.0.2.0/24\"]\n";

/// A version 2 header with this command, family and body.
fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let signature = b"\r\n\r\n\0\r\nQUIT\n".as_slice();
    [signature, &[0x20 | command, family], &(body.len() as u16).to_be_bytes(), body].concat()
}

fn v2_from(last: u8) -> Vec<u8> {
    v2(1, 0x11, &[198, 51, 100, last, 10, 0, 0, 1, 0xdc, 4, 1, 187])
}

fn v1_from(last: u8) -> Vec<u8> {
    format!("PROXY TCP4 198.51.100.{last} 10.0.0.1 56324 443\r\n").into_bytes()
}

/// An origin that tells what X-Forwarded-For it saw.
fn origin() -> Origin {
    Origin::answering(|request, socket| {
        respond(socket, "200 OK", &[], request.header("x-forwarded-for").as_bytes());
        true
    })
}

#[test]
fn the_address_of_the_header_is_the_client() {
    let origin = origin();
    let weir = Weir::start(&listening(origin.address, "", &(TRUSTED.to_owned() + LIMIT)));
    for (last, header) in [(1, v1_from as fn(u8) -> Vec<u8>), (2, v2_from)] {
        for _ in 0..2 {
            let mut client = Client::connect(weir.http);
            let answer = client.ask([header(last), get("/", "")].concat());
            assert_eq!((answer.status, answer.text()), (200, format!("198.51.100.{last}")));
        }
        // The other version names the same client.
        for header in [v1_from(last), v2_from(last)] {
            let mut client = Client::connect(weir.http);
            assert_eq!(client.ask([header, get("/", "")].concat()).status, 429);
        }
    }
    // What a client wrote into its own request counts for nothing.
    let mut client = Client::connect(weir.http);
    let forged = get("/", "X-Forwarded-For: 203.0.113.9\r\n");
    assert_eq!(client.ask([v1_from(1), forged].concat()).status, 429);
}

#[test]
fn an_address_of_version_6_and_extensions_are_read() {
    let origin = origin();
    let weir = Weir::start(&listening(origin.address, "", TRUSTED));
    let mut six = [0; 36];
    six[..4].copy_from_slice(&[0x20, 1, 0x0d, 0xb8]);
    six[15] = 7;
    let with_extension = [&six[..], &[0xea, 0, 3, 1, 2, 3]].concat();
    for header in [b"PROXY TCP6 2001:db8::7 2001:db8::1 1 2\r\n".to_vec(), v2(1, 0x21, &with_extension)] {
        let mut client = Client::connect(weir.http);
        assert_eq!(client.ask([header, get("/", "")].concat()).text(), "2001:db8::7");
    }
}

#[test]
fn a_proxy_that_speaks_for_itself_is_its_own_client() {
    let origin = origin();
    let weir = Weir::start(&listening(origin.address, "", TRUSTED));
    let local = [b"PROXY UNKNOWN\r\n".to_vec(), b"PROXY UNKNOWN 1 2 3 4\r\n".to_vec(), v2(0, 0, &[]), v2(1, 0, &[])];
    for header in local {
        let mut client = Client::connect(weir.http);
        assert_eq!(client.ask([header, get("/", "")].concat()).text(), "127.0.0.1");
    }
}

#[test]
fn a_trusted_proxy_without_a_header_is_closed_and_counted() {
    let origin = origin();
    let weir = Weir::start(&listening(origin.address, "header_timeout = \"1s\"", TRUSTED));
    let long = vec![b'x'; 200];
    let beginnings: [&[u8]; 8] = [
        b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        b"",
        b"PROXY TCP4 198.51.100.1",
        b"PROXY TCP4 198.51.100.999 10.0.0.1 1 2\r\n",
        &[b"PROXY UNKNOWN ".as_slice(), &long].concat(),
        &v2_from(1)[..20],
        &v2(2, 0x11, &[0; 12]),
        &v2(1, 0x11, &[0; 5000]),
    ];
    for (i, beginning) in beginnings.iter().enumerate() {
        let mut client = Client::connect(weir.http);
        client.send(beginning);
        assert!(client.is_closed(), "{:?}", String::from_utf8_lossy(beginning));
        eventually("counted", || weir.ended("proxy-protocol") == i as u64 + 1);
    }
    nothing_left(&weir);
    assert_eq!(origin.requests(), 0);
}

#[test]
fn a_header_may_come_in_pieces_but_not_for_ever() {
    let origin = origin();
    let weir = Weir::start(&listening(origin.address, "header_timeout = \"1s\"", TRUSTED));
    for header in [v1_from(1), v2_from(2)] {
        let mut client = Client::connect(weir.http);
        for byte in &header {
            client.send([*byte]);
        }
        assert_eq!(client.ask(get("/", "")).status, 200);
    }
    let mut drip = Client::connect(weir.http);
    let mut line = b"PROXY UNKNOWN ".iter().chain(std::iter::repeat(&b'x')).map(|b| vec![*b]);
    let mut pieces = 0;
    eventually("closed", || {
        // One every hundredth look: far fewer within the second than a line may have.
        pieces += 1;
        (pieces % 100 == 0 && drip.flood(1, |_| line.next().unwrap()) == 0) || weir.ended("proxy-protocol") == 1
    });
    nothing_left(&weir);
}

#[test]
fn who_is_not_trusted_needs_no_header_and_is_not_believed() {
    let origin = origin();
    let weir = Weir::start(&listening(origin.address, "", UNTRUSTED));
    let mut plain = Client::connect(weir.http);
    assert_eq!(plain.ask(get("/", "")).text(), "127.0.0.1");
    for header in [v1_from(1), v2_from(1)] {
        let mut liar = Client::connect(weir.http);
        let answer = liar.ask([header, get("/", "")].concat());
        assert!(matches!(answer.status, 400 | 505), "{}", answer.status);
        assert!(liar.is_closed());
    }
    assert_eq!((origin.requests(), weir.ended("proxy-protocol")), (1, 0));
}

#[test]
fn a_second_header_is_no_header() {
    let origin = origin();
    let weir = Weir::start(&listening(origin.address, "", TRUSTED));
    let mut client = Client::connect(weir.http);
    let answer = client.ask([v1_from(1), v1_from(2), get("/", "")].concat());
    assert!(matches!(answer.status, 400 | 505), "{}", answer.status);
    assert_eq!(origin.requests(), 0);
}

#[test]
fn it_stands_before_tls_and_before_http2() {
    let pair = tls::pair();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = seen.clone();
    let origin = Origin::answering(move |request, socket| {
        kept.lock().unwrap().push(request.header("x-forwarded-for"));
        respond(socket, "200 OK", &[], b"ok");
        true
    });
    let files = [("tls.crt", pair.certificate.as_bytes()), ("tls.key", pair.key.as_bytes())];
    let more = "[listen.tls]\naddress = [\"HTTP\"]\ncertificate = \"tls.crt\"\nkey = \"tls.key\"\n".to_owned();
    let weir = Weir::start_with(&listening(origin.address, "h2c = true", &(more + TRUSTED + LIMIT)), &files);
    let https = weir.https.unwrap();
    let trusting = |protocol| tls::client(&[&pair], &[protocol], rustls::DEFAULT_VERSIONS);
    let mut first = Client::connect(tls::tunnel(https, trusting("http/1.1"), &v2_from(1)));
    assert_eq!(first.ask(get("/", "")).status, 200);
    let mut second = H2::connect(tls::tunnel(https, trusting("h2"), &v1_from(1)));
    assert_eq!(second.ask(h2::request("GET", "/", &[]), b"").unwrap().status, 200);
    assert_eq!(second.ask(h2::request("GET", "/", &[]), b"").unwrap().status, 429, "one client, whatever it speaks");
    let mut plain = Client::connect(weir.http);
    plain.send([v2_from(2), h2::BEGIN.to_vec()].concat());
    plain.send(h2::frame(h2::HEADERS, h2::END_STREAM | h2::END_HEADERS, 1, &h2::get_block(b"/", &[])));
    assert_eq!(plain.wait_for(h2::HEADERS).stream, 1);
    assert_eq!(*seen.lock().unwrap(), ["198.51.100.1", "198.51.100.1", "198.51.100.2"]);
    // Without the header a TLS hello is no header either.
    assert!(tls::handshake(https, trusting("h2")).is_err());
    eventually("counted", || weir.ended("proxy-protocol") == 1);
}
