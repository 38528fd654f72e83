//! One client spread evenly over a fleet gets its limit: not one for each task, and not a part of it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::client::{Client, get};
use common::origin::Origin;
use common::process::Process;
use common::redis::Store;
use common::{config, eventually};
use std::time::{Duration, Instant};

/// What the limit says, a second.
const RATE: f64 = 20.0;
/// What the client sends, a second.
const SENT: f64 = 200.0;

fn weir(origin: &Origin, store: &Store) -> Process {
    let more = format!(
        "[fleet]\nenabled = true\nurl = \"{}\"\n[flood]\nenabled = false\n[ban]\nenabled = false\n\
         [[limit]]\nname = \"per-client\"\nrate = \"{RATE}/s\"\nburst = 20\nscope = \"fleet\"\n",
        store.url()
    );
    Process::start(&config(origin.address, &more))
}

fn tasks(weir: &Process) -> u64 {
    let status: serde_json::Value = serde_json::from_str(&weir.ask("/api/status").1).unwrap();
    status["fleet"]["tasks"].as_u64().unwrap()
}

/// Sends at the client's rate to each in turn; how often it was let through, of how often the limit allows.
fn share(weirs: &[Process], seconds: f64) -> f64 {
    let mut clients: Vec<Client> = weirs.iter().map(|weir| Client::connect(weir.http)).collect();
    let (start, mut passed) = (Instant::now(), 0);
    let count = (SENT * seconds) as u32;
    for n in 0..count {
        let deadline = start + Duration::from_secs_f64(f64::from(n) / SENT);
        std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
        let at = n as usize % clients.len();
        let answer = clients[at].ask(get("/", "X-Forwarded-For: 203.0.113.7\r\n"));
        assert!(matches!(answer.status, 200 | 429), "{}", answer.head);
        passed += u32::from(answer.status == 200);
    }
    f64::from(passed) / (RATE * start.elapsed().as_secs_f64())
}

#[test]
fn it_gets_its_limit_of_eight_tasks_and_of_those_that_come_and_go() {
    let Some(store) = Store::start() else { return };
    let origin = Origin::echo();
    let mut weirs: Vec<Process> = (0..8).map(|_| weir(&origin, &store)).collect();
    eventually("all know of all", || weirs.iter().all(|weir| tasks(weir) == 8));
    share(&weirs, 6.0); // the burst, and what tasks hear of demand
    let even = share(&weirs, 10.0);
    let mut gone = weirs.swap_remove(0);
    gone.signal("TERM");
    weirs.push(weir(&origin, &store));
    let moving = share(&weirs, 14.0);
    weirs.swap_remove(0).signal("KILL");
    share(&weirs, 5.0); // until its heartbeat runs out, its part is nobody's
    let after = share(&weirs, 10.0);
    assert_eq!(gone.wait(), 0);
    println!("of its limit: {even:.3}; while one leaves and one joins {moving:.3}; after one died {after:.3}");
    for share in [even, moving, after] {
        assert!((0.9..=1.1).contains(&share), "{even} {moving} {after}");
    }
}
