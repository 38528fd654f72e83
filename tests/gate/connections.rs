//! Caps on connections and on requests in flight.

use super::common::client::{Client, get};
use super::common::origin::{Origin, respond};
use super::common::{Weir, config, eventually};
use std::sync::{Arc, Condvar, Mutex};

/// An origin that answers only once it is told to.
fn held() -> (Origin, Arc<(Mutex<bool>, Condvar)>) {
    let door = Arc::new((Mutex::new(false), Condvar::new()));
    let theirs = door.clone();
    let origin = Origin::answering(move |request, socket| {
        let open = theirs.1.wait_while(theirs.0.lock().unwrap(), |open| !*open).unwrap();
        drop(open);
        respond(socket, "200 OK", &[], request.target.as_bytes());
        true
    });
    (origin, door)
}

fn open(door: &(Mutex<bool>, Condvar)) {
    *door.0.lock().unwrap() = true;
    door.1.notify_all();
}

#[test]
fn connections_are_capped_in_all() {
    let origin = Origin::echo();
    let weir = Weir::start(&config(origin.address, "").replace("[admin]", "max_connections = 3\n[admin]"));
    let mut open: Vec<_> = (0..3).map(|_| Client::connect(weir.http)).collect();
    for client in &mut open {
        assert_eq!(client.ask(get("/", "")).status, 200);
    }
    assert!(Client::connect(weir.http).is_closed());
    assert_eq!(weir.ended("connection-limit"), 1);
    open.pop();
    eventually("the place is free again", || {
        let mut client = Client::connect(weir.http);
        use std::io::Write;
        client.socket.write_all(&get("/", "")).is_ok() && client.try_read(false).is_some_and(|r| r.status == 200)
    });
}

#[test]
fn connections_of_one_client_are_capped_but_not_those_of_a_trusted_proxy() {
    let origin = Origin::echo();
    let listen = "max_connections_per_client = 2\n[admin]";
    let direct = "[client]\ntrusted_proxies = [\"192.0.2.0/24\"]\n";
    let weir = Weir::start(&config(origin.address, direct).replace("[admin]", listen));
    let mut open: Vec<_> = (0..2).map(|_| Client::connect(weir.http)).collect();
    for client in &mut open {
        assert_eq!(client.ask(get("/", "")).status, 200);
    }
    assert!(Client::connect(weir.http).is_closed());
    assert_eq!(weir.ended("client-connections"), 1);

    let weir = Weir::start(&config(origin.address, "").replace("[admin]", listen));
    let mut open: Vec<_> = (0..5).map(|_| Client::connect(weir.http)).collect();
    for client in &mut open {
        assert_eq!(client.ask(get("/", "")).status, 200);
    }
}

#[test]
fn requests_in_flight_are_capped_by_client_and_in_all() {
    let (origin, door) = held();
    let text = config(origin.address, "").replace("max_in_flight = 10000", "max_in_flight = 3");
    let weir = Weir::start(&text.replace("[admin]", "max_in_flight_per_client = 2\n[admin]"));
    let from = |n: u8| get("/", &format!("X-Forwarded-For: 192.0.2.{n}\r\n"));
    let mut at_work: Vec<_> = (0..2).map(|_| Client::connect(weir.http)).collect();
    for client in &mut at_work {
        client.send(from(1));
    }
    eventually("two at the origin", || origin.requests() == 2);
    let mut other = Client::connect(weir.http);
    let own = other.ask(from(1));
    assert_eq!(own.status, 429);
    assert!(own.text().contains("client-in-flight") && !own.header("retry-after").is_empty());
    let mut third = Client::connect(weir.http);
    third.send(from(2));
    eventually("three at the origin", || origin.requests() == 3);
    let full = other.ask(from(3));
    assert_eq!(full.status, 503);
    assert!(full.text().contains("origin-in-flight") && !full.header("retry-after").is_empty());
    open(&door);
    assert!(at_work.iter_mut().chain([&mut third]).all(|c| c.read().status == 200));
    assert_eq!(other.ask(from(1)).status, 200);
    assert_eq!((weir.ended("client-in-flight"), weir.ended("origin-in-flight")), (1, 1));
}
