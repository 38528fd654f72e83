//! The loop to AWS WAF against a real moto server, through the real SDK.

#![cfg(feature = "aws")]
#![allow(clippy::unwrap_used)] // A test may fail by panicking; clippy's own exemption misses helpers.

#[path = "common/aws_waf.rs"]
mod aws_waf;
#[path = "waf/book.rs"]
mod book;
#[path = "common/emulator.rs"]
mod emulator;

use aws_waf::IpSet;
use book::{Book, waf};
use emulator::Emulator;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use weir::sink::waf::aws::AwsSets;
use weir::sink::waf::file::FileStore;
use weir::sink::waf::{Handle, Parts, Reach, Writer};

/// A writer that works for a moto server until dropped.
struct Running {
    runtime: Runtime,
    handle: Handle,
    _lease: watch::Sender<bool>,
}

fn start(book: &Arc<Book>, folder: &tempfile::TempDir) -> Running {
    let runtime = Runtime::new().unwrap();
    let (lease, held) = watch::channel(true);
    let clock = book.clone();
    let handle = runtime.block_on(async {
        let config = waf(&["weir-4"], &["weir-6"]);
        let parts = Parts {
            source: book.clone(),
            changed: book.changes.subscribe(),
            lease: held,
            store: Arc::new(FileStore::new(folder.path().join("waf"))),
            sets: Arc::new(AwsSets::new(config.scope).await),
            unix_ms: Arc::new(move || clock.now()),
        };
        let writer = Writer::new(&config, parts);
        let handle = writer.handle();
        tokio::spawn(writer.run());
        handle
    });
    let running = Running { runtime, handle, _lease: lease };
    eventually("it has read the sets", || running.handle.status().sets.iter().all(|set| set.age_s.is_some()));
    running
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn bans_come_and_go_beside_what_others_wrote() {
    let Some(moto) = Emulator::moto() else { return };
    // The SDK reads the environment, and changing one's own is unsafe: a child gets another.
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "against_moto", "--ignored", "--nocapture"]);
    moto.tell(&mut child);
    child.env("MOTO", moto.address.to_string());
    assert!(child.status().unwrap().success());
}

#[test]
#[ignore = "runs as a child of the test above, which tells it where moto is"]
fn against_moto() {
    let Ok(address) = std::env::var("MOTO") else { return };
    let moto = Emulator::at(address.parse().unwrap());
    let (four, six) = (IpSet::create(&moto, "weir-4", true), IpSet::create(&moto, "weir-6", false));
    four.add("198.51.100.1/32");
    let (book, folder) = (Arc::new(Book::new(real_ms)), tempfile::tempdir().unwrap());
    let running = start(&book, &folder);

    book.ban("192.0.2.7/32", HOUR, 1);
    book.ban("2001:db8::/64", HOUR, 1);
    eventually("both are there", || four.entries().len() == 2 && six.entries().contains("2001:db8::/64"));
    assert!(four.entries().contains("198.51.100.1/32"));
    assert_eq!(four.description(), "by Terraform");

    // Somebody else writes; what weir knows of the set is old, and it must not write that.
    four.add("198.51.100.2/32");
    book.ban("192.0.2.8/32", Duration::from_secs(4), 1);
    eventually("it is there beside the other's", || four.entries().len() == 4);
    eventually("it goes when it is over", || !four.entries().contains("192.0.2.8/32"));
    assert!(four.entries().contains("198.51.100.2/32"));

    // A writer is killed, and another begins from its file.
    drop(running);
    book.lift("192.0.2.7/32");
    let running = start(&book, &folder);
    book.ban("192.0.2.9/32", HOUR, 1);
    eventually("what is banned now", || four.entries().contains("192.0.2.9/32"));
    assert!(four.entries().contains("192.0.2.7/32"), "a book may come late");
    measure(&running, &book, &four);
}

fn real_ms() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64
}

/// From detected to accepted: one at a time, then 1,000 at once. Printed; that they arrive is asserted.
fn measure(running: &Running, book: &Book, four: &IpSet<'_>) {
    let mut times = vec![];
    for n in 0..20 {
        let network = format!("203.0.113.{n}/32");
        let begin = Instant::now();
        book.ban(&network, HOUR, 1);
        let accepted = || matches!(running.handle.reach(&network.parse().unwrap()), Reach::Accepted { .. });
        eventually("one ban", accepted);
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    let begin = Instant::now();
    for n in 0..1_000 {
        book.ban(&format!("10.2.{}.{}/32", n / 250, n % 250), HOUR, 1);
    }
    eventually("1,000 bans", || running.handle.status().pending == 0 && running.handle.status().sets[0].ours >= 1_020);
    let thousand = begin.elapsed();
    eprintln!("detected to accepted: one ban p50 {:?}, p95 {:?}; the last of 1,000 {thousand:?}", times[10], times[18]);
    eprintln!("{:?}", running.handle.status().sent);
    assert!(four.entries().len() >= 1_020);
    assert_eq!(running.handle.status().failures["invalid"], 0);
    let _ = &running.runtime;
}
