//! Connections that only wait make room once there is little left.

use super::common::client::{Client, get};
use super::common::origin::Origin;
use super::common::{Weir, eventually, listening};
use std::io::{ErrorKind, Read};

const DIRECT: &str = "[client]\naddress_from = \"peer\"\ntrusted_proxies = [\"192.0.2.0/24\"]\n";

/// Whether the other side has closed by now.
fn is_closed(client: &mut Client) -> bool {
    client.socket.set_nonblocking(true).unwrap();
    let read = client.socket.read(&mut [0]);
    client.socket.set_nonblocking(false).unwrap();
    !matches!(read, Err(e) if e.kind() == ErrorKind::WouldBlock)
}

#[test]
fn idle_connections_make_room_oldest_first() {
    let origin = Origin::echo();
    let weir = Weir::start(&listening(origin.address, "max_connections = 20", DIRECT));
    let mut idle: Vec<_> = (0..20)
        .map(|_| {
            let mut client = Client::connect(weir.http);
            client.ask(get("/", ""));
            client
        })
        .collect();
    eventually("four make room", || weir.ended("connection-shed") == 4);
    eventually("the oldest are closed", || idle[..4].iter_mut().all(is_closed));
    assert!(!idle[4..].iter_mut().any(is_closed), "only as many as there is need for");
    assert_eq!(Client::connect(weir.http).ask(get("/new", "")).text(), "GET /new 0");
    assert_eq!(idle.last_mut().unwrap().ask(get("/kept", "")).text(), "GET /kept 0");
}

#[test]
fn a_full_house_of_silence_and_of_halves_takes_a_newcomer_in() {
    let origin = Origin::echo();
    let weir = Weir::start(&listening(origin.address, "max_connections = 20\nh2c = true", DIRECT));
    let mut held = Vec::new();
    for i in 0..20 {
        let mut client = Client::connect(weir.http);
        client.send(["", "GET / HTTP/1.1\r\nHo", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"][i % 3]);
        held.push(client);
    }
    eventually("room", || weir.ended("connection-shed") >= 4);
    assert_eq!(Client::connect(weir.http).ask(get("/new", "")).status, 200);
    assert!(held.iter_mut().filter_map(|c| is_closed(c).then_some(())).count() >= 4);
}

#[test]
fn connections_at_work_are_not_touched() {
    let (open, door) = std::sync::mpsc::channel::<()>();
    let door = std::sync::Mutex::new(door);
    let origin = Origin::answering(move |request, socket| {
        let _ = door.lock().unwrap().recv();
        super::common::origin::respond(socket, "200 OK", &[], request.target.as_bytes());
        true
    });
    let weir = Weir::start(&listening(origin.address, "max_connections = 10", DIRECT));
    let mut at_work: Vec<_> = (0..9).map(|_| Client::connect(weir.http)).collect();
    at_work.iter_mut().for_each(|c| c.send(get("/work", "")));
    eventually("all at work", || origin.requests() == 9);
    let mut idle = Client::connect(weir.http);
    eventually("the one that waits is shed", || is_closed(&mut idle));
    (0..9).for_each(|_| open.send(()).unwrap());
    assert!(at_work.iter_mut().all(|c| c.read().text() == "/work"));
}
