//! TLS as weir ends it: versions, both protocols, certificates that change, and handshakes that lead nowhere.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::h2::{self, H2, nothing_left};
use common::origin::Origin;
use common::tls::{self, Pair};
use common::{Weir, eventually, listening};
use rustls::version::{TLS12, TLS13};
use std::net::SocketAddr;

const LIMIT: &str = "[[limit]]\nname = \"per-client\"\nrate = \"1/m\"\nburst = 3\n";
const TLS: &str = "[listen.tls]\naddress = [\"HTTP\"]\ncertificate = \"tls.crt\"\nkey = \"tls.key\"\n";

fn start(origin: SocketAddr, pair: &Pair, listen: &str, more: &str) -> Weir {
    let files = [("tls.crt", pair.certificate.as_bytes()), ("tls.key", pair.key.as_bytes())];
    Weir::start_with(&listening(origin, listen, &format!("{TLS}{more}")), &files)
}

fn any(pairs: &[&Pair], protocols: &[&str]) -> rustls::ClientConfig {
    tls::client(pairs, protocols, rustls::DEFAULT_VERSIONS)
}

#[test]
fn both_versions_and_both_protocols() {
    let (origin, pair) = (Origin::echo(), tls::pair());
    let weir = start(origin.address, &pair, "", "");
    let address = weir.https.unwrap();
    for version in [&TLS12, &TLS13] {
        for (offered, chosen) in [(&["h2", "http/1.1"][..], Some("h2")), (&["http/1.1"], Some("http/1.1")), (&[], None)]
        {
            let made = tls::handshake(address, tls::client(&[&pair], offered, &[version])).unwrap();
            assert_eq!((made.version, made.protocol.as_deref()), (version.version, chosen.map(str::as_bytes)));
        }
    }
    assert!(tls::handshake(address, any(&[&pair], &["spdy/3"])).is_err(), "no protocol in common");
    assert!(tls::handshake(address, any(&[&tls::pair()], &[])).is_err(), "another's certificate");
    // Nothing of this was a request; the listener goes on.
    let mut client = Client::connect(tls::tunnel(address, any(&[&pair], &[]), b""));
    assert_eq!(client.ask(get("/", "")).text(), "GET / 0");
}

#[test]
fn http1_is_served_refused_and_pipelined_as_without_tls() {
    let (pair, protos) = (tls::pair(), std::sync::Arc::new(std::sync::Mutex::new(String::new())));
    let seen = protos.clone();
    let origin = Origin::answering(move |request, socket| {
        *seen.lock().unwrap() = request.header("x-forwarded-proto");
        common::origin::respond(socket, "200 OK", &[], format!("{} {}", request.target, request.body.len()).as_bytes());
        true
    });
    let weir = start(origin.address, &pair, "", LIMIT);
    let mut client = Client::connect(tls::tunnel(weir.https.unwrap(), any(&[&pair], &["http/1.1"]), b""));
    let from = "X-Forwarded-For: 192.0.2.1\r\n";
    let post = format!("POST /body HTTP/1.1\r\nHost: h\r\n{from}Content-Length: 100000\r\n\r\n");
    assert_eq!(client.ask([post.as_bytes(), &[7; 100_000]].concat()).text(), "/body 100000");
    assert_eq!(*protos.lock().unwrap(), "https");
    // Six in one write: two are passed on, four are refused, in their order, on the same connection.
    client.send((0..6).flat_map(|i| get(&format!("/{i}"), from)).collect::<Vec<u8>>());
    let statuses: Vec<u16> = (0..6).map(|_| client.read().status).collect();
    assert_eq!(statuses, [200, 200, 429, 429, 429, 429]);
    assert_eq!(client.ask(get("/other", "X-Forwarded-For: 192.0.2.2\r\n")).text(), "/other 0");
    let mut bad = Client::connect(tls::tunnel(weir.https.unwrap(), any(&[&pair], &["http/1.1"]), b""));
    assert_eq!(bad.ask("GET / HTTP/1.1\r\nno colon here\r\n\r\n").status, 400);
    assert!(bad.is_closed());
}

#[test]
fn http2_by_alpn_is_served_and_refused_by_stream() {
    let (origin, pair) = (Origin::echo(), tls::pair());
    let weir = start(origin.address, &pair, "", LIMIT);
    let mut client = H2::connect(tls::tunnel(weir.https.unwrap(), any(&[&pair], &["h2"]), b""));
    let statuses: Vec<u16> = (0..6).map(|_| client.ask(h2::get("/", "192.0.2.1"), b"").unwrap().status).collect();
    assert_eq!(statuses, [200, 200, 200, 429, 429, 429]);
    let answer = client.ask(h2::request("PUT", "/b", &[("x-forwarded-for", "192.0.2.2")]), &vec![1; 300_000]);
    assert_eq!(answer.unwrap().text(), "PUT /b 300000");
}

#[test]
fn a_client_that_chose_h2_and_speaks_something_else_is_closed() {
    let (origin, pair) = (Origin::echo(), tls::pair());
    let weir = start(origin.address, &pair, "header_timeout = \"1s\"", "");
    for words in ["", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\nHost: somebody-with-a-long-name\r\n\r\n"] {
        let mut client = Client::connect(tls::tunnel(weir.https.unwrap(), any(&[&pair], &["h2"]), b""));
        client.send(words);
        assert!(client.is_closed(), "{words:?}");
    }
    nothing_left(&weir);
    assert_eq!(origin.requests(), 0);
}

#[test]
fn a_handshake_that_dawdles_or_is_none_is_closed() {
    let (origin, pair) = (Origin::echo(), tls::pair());
    let weir = start(origin.address, &pair, "header_timeout = \"1s\"", "");
    let address = weir.https.unwrap();
    let hello_begun = [0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3];
    let beginnings: [&[u8]; 5] =
        [b"", &hello_begun, &[0x16, 3, 1, 0xff, 0xff], b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", &[0xff; 4096]];
    for beginning in beginnings {
        let mut client = Client::connect(address);
        client.send(beginning);
        // An alert may come first.
        while client.exactly(1).is_some() {}
    }
    // A byte every now and then does not stretch the deadline.
    let mut drip = Client::connect(address);
    let started = std::time::Instant::now();
    let mut hello = hello_begun.iter().chain(std::iter::repeat(&0)).map(|b| vec![*b]);
    eventually("closed", || drip.flood(1, |_| hello.next().unwrap()) == 0 || weir_is_empty(&weir));
    assert!(started.elapsed().as_secs() < 8);
    nothing_left(&weir);
    assert_eq!(origin.requests(), 0);
}

fn weir_is_empty(weir: &Weir) -> bool {
    weir.ask("/api/status").1.contains("\"connections\":0,")
}

#[test]
fn a_new_certificate_is_taken_up_and_old_connections_go_on() {
    let (origin, old, new) = (Origin::echo(), tls::pair(), tls::pair());
    let weir = start(origin.address, &old, "", "");
    let address = weir.https.unwrap();
    let mut kept = Client::connect(tls::tunnel(address, any(&[&old], &["http/1.1"]), b""));
    let mut kept_h2 = H2::connect(tls::tunnel(address, any(&[&old], &["h2"]), b""));
    assert_eq!(kept.ask(get("/", "")).status, 200);
    assert_eq!(kept_h2.ask(h2::get("/", "192.0.2.1"), b"").unwrap().status, 200);
    std::fs::write(weir.path("tls.crt"), &new.certificate).unwrap();
    std::fs::write(weir.path("tls.key"), &new.key).unwrap();
    eventually("the new certificate is shown", || {
        tls::handshake(address, any(&[&old, &new], &[])).is_ok_and(|h| h.certificate == new.der)
    });
    assert_eq!(kept.ask(get("/", "")).status, 200);
    assert_eq!(kept_h2.ask(h2::get("/", "192.0.2.1"), b"").unwrap().status, 200);
}

#[test]
fn a_bad_pair_is_refused_with_a_message_and_the_old_one_stays() {
    let (origin, old, new) = (Origin::echo(), tls::pair(), tls::pair());
    let weir = start(origin.address, &old, "", "");
    let address = weir.https.unwrap();
    let write = |name: &str, content: &str| std::fs::write(weir.path(name), content).unwrap();
    let cases = [
        (
            "half a pair",
            Box::new(|| write("tls.crt", &new.certificate)) as Box<dyn Fn()>,
            "tls.key: does not belong to",
        ),
        ("garbage", Box::new(|| write("tls.crt", "no certificate")), "tls.crt: no certificate in it"),
        ("cut short", Box::new(|| write("tls.crt", &old.certificate[..200])), "tls.crt: cannot read"),
        ("no key", Box::new(|| write("tls.key", &old.certificate)), "tls.key: cannot read the private key"),
        ("no file", Box::new(|| std::fs::remove_file(weir.path("tls.key")).unwrap()), "tls.key"),
    ];
    for (what, spoil, message) in cases {
        write("tls.crt", &old.certificate);
        write("tls.key", &old.key);
        eventually("the good pair is in force", || !weir.ask("/api/status").1.contains("\"faults\""));
        spoil();
        eventually(what, || weir.ask("/api/status").1.contains(message));
        assert_eq!(tls::handshake(address, any(&[&old, &new], &[])).unwrap().certificate, old.der, "{what}");
    }
}

#[test]
fn a_symlink_that_is_swapped_is_noticed() {
    let (origin, old, new) = (Origin::echo(), tls::pair(), tls::pair());
    let folder = tempfile::tempdir().unwrap();
    for (name, pair) in [("old", &old), ("new", &new)] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name).join("tls.crt"), &pair.certificate).unwrap();
        std::fs::write(folder.path().join(name).join("tls.key"), &pair.key).unwrap();
    }
    let link = folder.path().join("live");
    std::os::unix::fs::symlink("old", &link).unwrap();
    let at = |name: &str| link.join(name).display().to_string();
    let config =
        listening(origin.address, "", TLS).replace("tls.crt", &at("tls.crt")).replace("tls.key", &at("tls.key"));
    let weir = Weir::start(&config);
    let shown = || tls::handshake(weir.https.unwrap(), any(&[&old, &new], &[])).unwrap().certificate;
    assert_eq!(shown(), old.der);
    std::os::unix::fs::symlink("new", folder.path().join("next")).unwrap();
    std::fs::rename(folder.path().join("next"), &link).unwrap();
    eventually("the new pair is shown", || shown() == new.der);
}
