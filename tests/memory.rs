//! What `weir check` says that a config takes, against what the system counts of a weir that runs with it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::origin::Origin;
use common::process::Process;
use common::{config, eventually};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use weir::app::memory::{Memory, Row};
use weir::base::clock;
use weir::verdict::{Policy, State};

const MIB: usize = 1 << 20;

/// What the config at `path` is said to take.
fn said(path: &Path) -> Memory {
    let fresh = weir::app::examine(&weir::control::source::Source::File(path.to_owned())).unwrap();
    let state = State::new();
    let policy = Policy::compile(Arc::new(fresh.loaded.settings), &fresh.networks, &state, clock::now());
    Memory::of(&policy, &state)
}

fn each(memory: &Memory, what: &str) -> usize {
    memory.rows.iter().find(|row| row.what == what).unwrap_or_else(|| panic!("no row {what}: {memory:?}")).each
}

/// Resident bytes, once they no longer change.
fn settled(weir: &Process) -> usize {
    let (mut last, mut same) = (weir.resident(), 0);
    eventually("resident memory stays as it is", || {
        let now = weir.resident();
        same = if now == last { same + 1 } else { 0 };
        last = now;
        same >= 40
    });
    last as usize
}

/// `grown` is what was `said`: the allocator's and the kernel's habits aside.
fn fits(grown: usize, said: usize) {
    let mib = |bytes: usize| bytes as f64 / MIB as f64;
    assert!(grown < said * 5 / 4 + 3 * MIB, "{:.1} MiB were taken, {:.1} were said", mib(grown), mib(said));
    assert!(grown > said / 3, "only {:.1} MiB were taken, {:.1} were said", mib(grown), mib(said));
}

#[test]
fn tables_and_lists_take_what_is_said() {
    let origin = Origin::echo();
    let text = |slots: u32| {
        // The history would take whole huge pages in one of them and small ones in the other, as the kernel pleases.
        let mut text = "[flood]\nenabled = false\n[client]\naddress_from = \"x-forwarded-for\"\ntrusted_proxies = [\"127.0.0.0/8\"]\n".to_owned();
        text += "[lists]\ndeny = [\"deny.txt\"]\n";
        for n in 0..4 {
            let _ = write!(text, "[[limit]]\nname = \"l{n}\"\nrate = \"1/h\"\nburst = 1\nslots = {slots}\n");
        }
        config(origin.address, &text)
    };
    let list: String = (0..10_000u32).map(|n| format!("10.{}.{}.{}/32\n", n >> 16, n >> 8 & 255, n & 255)).collect();
    let small = Process::start_with(&text(1024), &[("deny.txt", b"10.0.0.0/8\n")], |_| {});
    let large = Process::start_with(&text(1 << 20), &[("deny.txt", list.as_bytes())], |_| {});
    for weir in [&small, &large] {
        let mut client = Client::connect(weir.http);
        // Enough to use nearly every page of a table, where pages are small.
        for n in 0..4_000u32 {
            let from = format!("X-Forwarded-For: 198.18.{}.{}\r\n", n >> 8, n & 255);
            assert_ne!(client.ask(get("/", &from)).status, 403);
        }
    }
    let [few, many] = [&small, &large].map(|weir| said(&weir.path("weir.toml")).fixed());
    fits(settled(&large) - settled(&small), many - few);
}

#[test]
fn connections_take_what_is_said() {
    let origin = Origin::echo();
    let weir = Process::start(&common::listening(origin.address, "max_connections_per_client = 10000", ""));
    let connect = |count: usize| -> Vec<Client> {
        let mut clients: Vec<Client> = (0..count).map(|_| Client::connect(weir.http)).collect();
        // One request each: then the connection is idle, not new.
        clients.iter_mut().for_each(|client| assert_eq!(client.ask(get("/", "")).status, 200));
        clients
    };
    let _warm = connect(50);
    let before = settled(&weir);
    let clients = connect(700);
    let said = said(&weir.path("weir.toml"));
    fits(settled(&weir) - before, clients.len() * each(&said, "connections of clients"));
    let before = settled(&weir);
    let head = format!("GET / HTTP/1.1\r\nHost: test\r\nX: {}", "x".repeat(20_000));
    let unfinished: Vec<Client> = (0..200)
        .map(|_| {
            let mut client = Client::connect(weir.http);
            client.send(&head);
            client
        })
        .collect();
    let one =
        said.unfinished_heads / said.rows.iter().find(|r| r.what == "connections of clients").map_or(1, |r| r.count);
    fits(settled(&weir) - before, unfinished.len() * one);
}

#[test]
fn requests_in_flight_take_what_is_said() {
    let origin = Origin::answering(|_, socket| {
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
        // Until weir takes no more, and then goes.
        while socket.write_all(&[b'x'; 65_536]).is_ok() {}
        false
    });
    let weir = Process::start(&config(origin.address, ""));
    let before = settled(&weir);
    let clients: Vec<Client> = (0..40)
        .map(|_| {
            let mut client = Client::connect(weir.http);
            client.send(get("/", ""));
            client
        })
        .collect();
    eventually("all are in flight", || origin.connections() >= clients.len() as u64);
    let said = said(&weir.path("weir.toml"));
    let rows = ["requests in flight", "connections to the origin", "connections of clients"];
    fits(settled(&weir) - before, clients.len() * rows.iter().map(|what| each(&said, what)).sum::<usize>());
}

#[test]
fn the_total_is_the_sum_of_its_rows() {
    let memory = said(Path::new("config/weir.toml"));
    let sum = |fixed: bool| memory.rows.iter().filter(|r| r.fixed || !fixed).map(Row::bytes).sum::<usize>();
    assert_eq!((memory.fixed(), memory.most()), (sum(true), sum(false)));
    assert!(memory.most() > memory.fixed() && memory.unfinished_heads > 0);
}
