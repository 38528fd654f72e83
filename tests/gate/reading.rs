//! Clients that take their answer slowly, or not at all; and those that only seem to.

use super::common::client::{Client, get};
use super::common::h2::{
    self, ACK, END_HEADERS, END_STREAM, HEADERS, RST_STREAM, SETTINGS, frame, get_block, nothing_left,
};
use super::common::origin::{Origin, respond};
use super::common::{Weir, eventually, listening, take};
use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

/// More than all buffers on the way hold.
const LARGE: usize = 24 << 20;

/// A floor so high that the test need not take long.
const FLOOR: &str = "h2c = true\nmin_send_rate = \"2MiB/s\"\nsend_grace = \"500ms\"";

fn large() -> Origin {
    Origin::answering(|request, socket| {
        let large = request.target == "/large";
        respond(socket, "200 OK", &[], &vec![b'x'; if large { LARGE } else { 2 }]);
        true
    })
}

/// Reads at most so many bytes a second; how many came before the end.
fn read_at(client: &mut Client, rate: usize) -> usize {
    let (begun, mut total, mut chunk) = (Instant::now(), 0, vec![0; 64 << 10]);
    loop {
        let due = (begun.elapsed().as_secs_f64() * rate as f64) as usize;
        if total >= due {
            take(Duration::from_millis(2));
            continue;
        }
        let most = chunk.len().min(due - total);
        match client.socket.read(&mut chunk[..most]) {
            Ok(0) => return total,
            Ok(n) => total += n,
            Err(e) if e.kind() == ErrorKind::ConnectionReset => return total,
            Err(e) => panic!("reading: {e}"),
        }
    }
}

#[test]
fn a_slow_reader_is_cut_and_one_above_the_floor_gets_all() {
    let origin = large();
    let weir = Weir::start(&listening(origin.address, FLOOR, ""));
    let mut honest = Client::connect(weir.http);
    let mut slow = Client::connect(weir.http);
    for client in [&mut honest, &mut slow] {
        client.send(get("/large", "Connection: close\r\n"));
    }
    std::thread::scope(|s| {
        let whole = s.spawn(|| read_at(&mut honest, 6 << 20));
        let cut = s.spawn(|| read_at(&mut slow, 64 << 10));
        assert!(whole.join().unwrap() > LARGE);
        assert!(cut.join().unwrap() < LARGE);
    });
    eventually("counted", || weir.ended("reader-too-slow") == 1 && weir.ended("forwarded") == 1);
    nothing_left(&weir);
}

#[test]
fn who_reads_nothing_is_cut_and_no_floor_cuts_nobody_so_soon() {
    let origin = large();
    for (floor, cut) in [(FLOOR, true), ("min_send_rate = \"0B/s\"\nsend_grace = \"100ms\"", false)] {
        let weir = Weir::start(&listening(origin.address, floor, ""));
        let mut client = Client::connect(weir.http);
        client.send(get("/large", "Connection: close\r\n"));
        if cut {
            eventually("cut", || weir.ended("reader-too-slow") == 1);
            nothing_left(&weir);
        } else {
            take(Duration::from_millis(1000));
            assert!(read_at(&mut client, usize::MAX >> 16) > LARGE);
        }
    }
}

#[test]
fn a_slow_origin_and_quiet_events_cost_nobody_the_connection() {
    let origin = Origin::answering(|request, socket| {
        if request.target == "/ws" {
            let _ = socket
                .write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
        } else {
            let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
            let _ = socket.write_all(head);
        }
        for piece in ["6\r\nfirst\n\r\n", "6\r\nother\n\r\n", "0\r\n\r\n"] {
            let _ = socket.write_all(piece.as_bytes());
            take(Duration::from_millis(1200));
        }
        false
    });
    let weir = Weir::start(&listening(origin.address, FLOOR, ""));
    std::thread::scope(|s| {
        s.spawn(|| assert_eq!(Client::connect(weir.http).ask(get("/events", "")).text(), "first\nother\n"));
        s.spawn(|| {
            let mut client = Client::connect(weir.http);
            client.send(get("/ws", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"));
            assert_eq!(client.read_head_only().status, 101);
            assert_eq!(client.exactly(22 + 5).unwrap().len(), 27);
        });
    });
    eventually("both over", || weir.ended("forwarded") == 2);
    assert_eq!(weir.ended("reader-too-slow"), 0);
}

/// A connection over HTTP/2 whose streams begin with this window.
fn with_window(weir: &Weir, window: u32) -> Client {
    let mut client = Client::connect_h2(weir.http);
    let setting = [&4u16.to_be_bytes()[..], &window.to_be_bytes()].concat();
    client.send([frame(SETTINGS, 0, 0, &setting), frame(SETTINGS, ACK, 0, &[])].concat());
    client
}

fn ask(stream: u32, path: &[u8]) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &get_block(path, &[]))
}

#[test]
fn a_stream_whose_window_stays_shut_is_reset_and_the_connection_goes_on() {
    let origin = large();
    let weir = Weir::start(&listening(origin.address, FLOOR, ""));
    let mut client = with_window(&weir, 0);
    client.send([ask(1, b"/large"), ask(3, b"/large")].concat());
    let mut reset = [client.wait_for(RST_STREAM).stream, client.wait_for(RST_STREAM).stream];
    reset.sort_unstable();
    assert_eq!(reset, [1, 3]);
    eventually("counted", || weir.ended("reader-too-slow") == 2);
    // The window opens: two bytes have room.
    client.send(frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255]));
    client.send(ask(5, b"/small"));
    assert_eq!(client.wait_for(h2::HEADERS).stream, 5);
    assert_eq!(client.wait_for(h2::DATA).payload, b"xx");
    eventually("served", || weir.ended("forwarded") == 1);
    drop(client);
    nothing_left(&weir);
}

#[test]
fn a_connection_of_open_windows_that_is_not_read_is_cut() {
    let origin = large();
    let weir = Weir::start(&listening(origin.address, FLOOR, ""));
    let mut client = with_window(&weir, i32::MAX as u32);
    const WINDOW_UPDATE: u8 = 8;
    client.send(frame(WINDOW_UPDATE, 0, 0, &(i32::MAX as u32 - 65_535).to_be_bytes()));
    client.send([ask(1, b"/large"), ask(3, b"/large")].concat());
    eventually("cut", || weir.ended("reader-too-slow") == 2);
    nothing_left(&weir);
}
