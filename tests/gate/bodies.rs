//! Request bodies: bounds, refusals with a body on its way, and `Expect`.

use super::common::client::{Client, get};
use super::common::origin::Origin;
use super::common::{Weir, config, eventually};

const DENY: &str = "[lists]\ndeny = [\"192.0.2.66\"]\n";
const DENIED: &str = "POST / HTTP/1.1\r\nHost: test\r\nX-Forwarded-For: 192.0.2.66\r\n";
const POST: &str = "POST / HTTP/1.1\r\nHost: test\r\n";

fn small(origin: &Origin) -> Weir {
    Weir::start(&config(origin.address, DENY).replace("[admin]", "max_body_size = \"100KiB\"\n[admin]"))
}

#[test]
fn a_body_that_says_it_is_too_large_is_refused_at_once() {
    let origin = Origin::echo();
    let weir = small(&origin);
    let mut client = Client::connect(weir.http);
    let answer = client.ask(format!("{POST}Content-Length: 102401\r\n\r\n"));
    assert_eq!((answer.status, answer.header("connection")), (413, "close"));
    assert!(client.is_closed());
    let fits = Client::connect(weir.http)
        .ask([format!("{POST}Content-Length: 102400\r\n\r\n").into_bytes(), vec![0; 102_400]].concat());
    assert_eq!(fits.text(), "POST / 102400");
    assert_eq!((weir.ended("body-too-large"), origin.requests()), (1, 1));
}

#[test]
fn a_chunked_body_is_refused_when_it_grows_too_large() {
    let origin = Origin::echo();
    let weir = small(&origin);
    let mut client = Client::connect(weir.http);
    client.send(format!("{POST}Transfer-Encoding: chunked\r\n\r\n"));
    for _ in 0..2000 {
        client.send([&b"400\r\n"[..], &[b'x'; 1024], b"\r\n"].concat());
    }
    assert_eq!(client.read().status, 413);
    assert!(client.is_closed());
    eventually("counted", || weir.ended("body-too-large") == 1);
    assert_eq!(origin.requests(), 0);
}

#[test]
fn a_chunked_body_that_breaks_is_refused() {
    let origin = Origin::echo();
    let weir = small(&origin);
    let mut at_once = Client::connect(weir.http);
    assert_eq!(at_once.ask(format!("{POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n")).status, 400);
    assert!(at_once.is_closed());
    let mut later = Client::connect(weir.http);
    later.send(format!("{POST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"));
    std::thread::sleep(std::time::Duration::from_millis(50));
    later.send("5\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(later.read().status, 400);
    assert!(later.is_closed());
    eventually("counted", || weir.ended("bad-request") == 2);
    assert_eq!(origin.requests(), 0);
}

#[test]
fn a_refused_small_body_keeps_the_connection() {
    let origin = Origin::echo();
    let weir = small(&origin);
    let mut client = Client::connect(weir.http);
    for _ in 0..3 {
        client.send(format!("{DENIED}Content-Length: 20000\r\n\r\n"));
        assert_eq!(client.read().status, 403);
        client.send([b'x'; 20_000]);
    }
    assert_eq!(client.ask(get("/after", "")).text(), "GET /after 0");
}

#[test]
fn a_refused_large_or_chunked_body_gets_its_answer_before_the_close() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, DENY));
    for framing in ["Content-Length: 4000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n3d0900\r\n"] {
        let mut client = Client::connect(weir.http);
        // Sends everything before it reads, as many clients do.
        client.send([format!("{DENIED}{framing}").as_bytes(), &vec![b'x'; 4_000_000]].concat());
        let answer = client.read();
        assert_eq!((answer.status, answer.header("connection")), (403, "close"));
        assert!(client.is_closed());
    }
}

#[test]
fn expect_continue_is_answered_by_the_origin_or_refused() {
    let origin = Origin::echo();
    let weir = small(&origin);
    let mut client = Client::connect(weir.http);
    client.send(format!("{POST}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"));
    assert_eq!(client.read().status, 100);
    client.send("hello");
    let answer = client.read();
    assert_eq!((answer.text().as_str(), answer.header("connection")), ("POST / 5", "keep-alive"));
    let refused = client.ask(format!("{DENIED}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"));
    assert_eq!((refused.status, refused.header("connection")), (403, "close"));
    assert!(client.is_closed());
}

#[test]
fn the_close_action_says_nothing() {
    let origin = Origin::echo();
    let limit = "[[limit]]\nname = \"one\"\nrate = \"1/h\"\nburst = 1\naction = \"close\"\n";
    let weir = Weir::start(&config(origin.address, &format!("{DENY}{limit}")));
    let mut client = Client::connect(weir.http);
    assert_eq!(client.ask(get("/", "")).status, 200);
    client.send(get("/", ""));
    assert!(client.is_closed());
    assert_eq!((weir.ended("limit"), origin.requests()), (1, 1));
    // What was refused before it in the same breath is answered first.
    let mut client = Client::connect(weir.http);
    let denied = get("/", "X-Forwarded-For: 192.0.2.66\r\n");
    client.send([denied, get("/", "")].concat());
    assert_eq!(client.read().status, 403);
    assert!(client.is_closed());
}

#[test]
fn an_answer_before_the_body_is_read_ends_the_connection_and_no_body_becomes_a_request() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heads = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let count = heads.clone();
    std::thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let mut chunk = [0; 65_536];
            let n = std::io::Read::read(&mut socket, &mut chunk).unwrap_or(0);
            let seen = chunk[..n].windows(9).filter(|w| w == b" HTTP/1.1").count();
            count.fetch_add(seen as u64, std::sync::atomic::Ordering::SeqCst);
            super::common::origin::respond(&mut socket, "401 Unauthorized", &[], b"who?");
            // Never reads the body, and keeps the connection.
            std::mem::forget(socket);
        }
    });
    let weir = Weir::start(&config(address, "").replace("[admin]", "body_grace = \"1s\"\n[admin]"));
    for framing in ["Content-Length: 3000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n2dc6c0\r\n"] {
        let mut client = Client::connect(weir.http);
        client.send(format!("{POST}{framing}"));
        let answer = client.read();
        assert_eq!((answer.status, answer.header("connection")), (401, "close"));
        use std::io::Write;
        let _ = client.socket.write_all(&get("/smuggled", ""));
        assert!(client.is_closed());
    }
    assert_eq!(heads.load(std::sync::atomic::Ordering::SeqCst), 2);
}
