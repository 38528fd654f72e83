//! How weir leaves: nothing that was accepted is lost, and it is gone in time.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::load::Load;
use common::origin::{Origin, respond};
use common::process::Process;
use common::{config, eventually};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

/// A config that drains as these durations say.
fn draining(origin: SocketAddr, delay: &str, timeout: &str, more: &str) -> String {
    config(origin, more)
        .replace("drain_delay = \"1ms\"", &format!("drain_delay = \"{delay}\""))
        .replace("drain_timeout = \"2s\"", &format!("drain_timeout = \"{timeout}\""))
}

/// An origin that answers `/slow` when told, and all else at once.
fn held() -> (Origin, mpsc::Sender<()>) {
    let (go, told) = mpsc::channel();
    let told = std::sync::Mutex::new(told);
    let origin = Origin::answering(move |request, socket| {
        if request.target == "/slow" {
            let _ = told.lock().unwrap().recv();
        }
        respond(socket, "200 OK", &[], b"done");
        true
    });
    (origin, go)
}

#[test]
fn under_load_no_request_fails_and_the_exit_is_clean() {
    let origin = Origin::echo();
    let mut weir = Process::start(&draining(origin.address, "300ms", "10s", ""));
    let load = Load::start(weir.http, 8);
    eventually("load", || load.done() > 500);
    weir.signal("TERM");
    eventually("/readyz says 503", || TcpStream::connect(weir.admin).is_ok() && weir.ask("/readyz").0 == 503);
    assert_eq!(weir.wait(), 0);
    let done = load.done();
    assert_eq!(load.ended(), Vec::<String>::new());
    assert!(origin.requests() >= done, "{} < {done}", origin.requests());
    assert!(!weir.stderr().contains("were cut"), "{}", weir.stderr());
}

#[test]
fn readyz_turns_at_once_and_connections_are_taken_until_the_delay_is_over() {
    let origin = Origin::echo();
    let mut weir = Process::start(&draining(origin.address, "1s", "5s", ""));
    assert_eq!(weir.ask("/readyz").0, 200);
    weir.signal("TERM");
    eventually("/readyz says 503", || weir.ask("/readyz").0 == 503);
    let answer = Client::connect(weir.http).ask(get("/", ""));
    assert_eq!((answer.status, answer.header("connection")), (200, "close"));
    assert_eq!(weir.ask("/healthz").0, 200);
    assert_eq!(weir.wait(), 0);
    assert!(TcpStream::connect(weir.http).is_err());
}

#[test]
fn a_request_in_flight_is_finished_and_idle_connections_do_not_hold_up_the_exit() {
    let (origin, go) = held();
    let mut weir = Process::start(&draining(origin.address, "50ms", "10s", ""));
    let mut idle = Client::connect(weir.http);
    assert_eq!(idle.ask(get("/", "")).status, 200);
    let mut slow = Client::connect(weir.http);
    slow.send(get("/slow", ""));
    eventually("it is at the origin", || origin.requests() == 2);
    weir.signal("TERM");
    // The idle connection is closed while the other goes on.
    assert!(idle.is_closed());
    go.send(()).unwrap();
    let answer = slow.read();
    assert_eq!((answer.status, answer.text().as_str(), answer.header("connection")), (200, "done", "close"));
    assert_eq!(weir.wait(), 0);
    assert!(!weir.stderr().contains("were cut"), "{}", weir.stderr());
}

#[test]
fn a_hung_request_is_cut_at_the_timeout_and_that_is_logged() {
    let (origin, _go) = held();
    let mut weir = Process::start(&draining(origin.address, "10ms", "1s", ""));
    let mut slow = Client::connect(weir.http);
    slow.send(get("/slow", ""));
    eventually("it is at the origin", || origin.requests() == 1);
    weir.signal("TERM");
    assert!(slow.is_closed());
    assert_eq!(weir.wait(), 0);
    let said = weir.stderr();
    let line = said.lines().find(|l| l.contains("connections were cut")).unwrap_or_else(|| panic!("{said}"));
    assert!(line.contains("\"cut\":1"), "{line}");
}

#[test]
fn a_second_signal_ends_at_once() {
    let (origin, _go) = held();
    let mut weir = Process::start(&draining(origin.address, "10ms", "1h", ""));
    let mut slow = Client::connect(weir.http);
    slow.send(get("/slow", ""));
    eventually("it is at the origin", || origin.requests() == 1);
    weir.signal("TERM");
    eventually("it drains", || weir.stderr().contains("draining"));
    weir.signal("INT");
    assert_eq!(weir.wait(), 1);
    assert!(weir.stderr().contains("stopped at once"));
}

#[test]
fn connections_in_the_kernels_queue_are_served_before_the_listener_closes() {
    let (origin, go) = held();
    let weir = common::Weir::start(&draining(origin.address, "1ms", "5s", ""));
    // More than the worker takes in one go; all are connected before the drain begins.
    let mut clients: Vec<_> = (0..100).map(|_| Client::connect(weir.http)).collect();
    let drained = std::thread::spawn(move || weir.drain());
    for client in &mut clients {
        client.send(get("/", ""));
    }
    for client in &mut clients {
        assert_eq!(client.read().status, 200);
    }
    drop(go);
    assert!(drained.join().unwrap());
}

#[test]
fn http2_is_told_to_go_away_and_its_streams_are_finished() {
    let (origin, go) = held();
    let h2c = draining(origin.address, "50ms", "10s", "").replace("workers = 1", "workers = 1\nh2c = true");
    let mut weir = Process::start(&h2c);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let socket = tokio::net::TcpStream::connect(weir.http).await.unwrap();
        let (mut send, connection) = h2::client::handshake(socket).await.unwrap();
        let connection = tokio::spawn(connection);
        let request = http::Request::get(format!("http://{}/slow", weir.http)).body(()).unwrap();
        let (response, _) = send.send_request(request, true).unwrap();
        // The connection's task must run meanwhile, so this can't block as `eventually` does.
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        let poll = || tokio::time::sleep(Duration::from_millis(5));
        while origin.requests() == 0 {
            assert!(tokio::time::Instant::now() < deadline, "no request at the origin");
            poll().await;
        }
        weir.signal("TERM");
        // GOAWAY makes the connection refuse new streams while the old one goes on.
        let refused = loop {
            match send.clone().ready().await {
                Err(e) => break e,
                Ok(_) => poll().await,
            }
            assert!(tokio::time::Instant::now() < deadline, "no GOAWAY");
        };
        assert_eq!(refused.reason(), Some(h2::Reason::NO_ERROR), "{refused:?}");
        go.send(()).unwrap();
        assert_eq!(response.await.unwrap().status(), 200);
        drop(send);
        connection.await.unwrap().unwrap();
    });
    assert_eq!(weir.wait(), 0);
}

#[test]
fn connections_in_steady_use_are_told_to_close_and_not_reset() {
    let origin = Origin::echo();
    for _ in 0..2 {
        // Without a delay, connections are closed while they are told nothing yet.
        let weir = common::Weir::start(&draining(origin.address, "1ms", "5s", ""));
        let load = Load::start(weir.http, 4);
        eventually("load", || load.done() > 20);
        assert!(weir.drain());
        assert_eq!(load.ended(), Vec::<String>::new());
    }
}
