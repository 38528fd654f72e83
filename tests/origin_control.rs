//! Health checks and name resolution against real servers on loopback: good ones, and all kinds of bad ones.

#![allow(clippy::unwrap_used)] // A test may fail by panicking; clippy's own exemption misses helpers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use weir::base::clock;
use weir::base::units::Rate;
use weir::config::settings::{Balance, Eject, Health, Origin, OriginAddress, OriginProtocol};
use weir::control::{health, resolve};
use weir::demo;
use weir::origin::{Pool, Tried};

const MS: Duration = Duration::from_millis(1);

fn origin(addresses: Vec<OriginAddress>) -> Origin {
    Origin {
        addresses,
        fallback: vec![],
        protocol: OriginProtocol::Http1,
        balance: Balance::LeastConnections,
        capacity: Rate::per_second(500),
        max_in_flight: 512,
        connect_timeout: 1000 * MS,
        read_timeout: 1000 * MS,
        queue_timeout: Duration::ZERO,
        write_timeout: 1000 * MS,
        idle_timeout: 1000 * MS,
        retries: 1,
        resolve_interval: 20 * MS,
        health: Health {
            enabled: true,
            path: "/health?from=weir".to_owned(),
            interval: 20 * MS,
            timeout: 1000 * MS,
            healthy_after: 2,
            unhealthy_after: 2,
        },
        eject: Eject { after: 3, duration: 1000 * MS },
    }
}

fn socket(addr: SocketAddr) -> OriginAddress {
    OriginAddress::Socket(addr)
}

fn name(host: &str, port: u16) -> OriginAddress {
    OriginAddress::Name { host: host.to_owned(), port }
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut poll = tokio::time::interval(5 * MS);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        poll.tick().await;
    }
}

/// The demo service, whose own thread keeps it answering whatever a test does.
fn good() -> SocketAddr {
    demo::start(demo::Capacity::default()).unwrap().addr
}

/// A server that reads a request, answers with these bytes, and closes. Counts its connections.
async fn answering(answer: &'static [u8]) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (addr, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // SeqCst: a test's counter, no need to think.
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    (addr, count)
}

/// A server that accepts and never says a word.
async fn silent() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held: Vec<TcpStream> = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    addr
}

/// An address where nobody listens.
async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

struct Running {
    pool: Arc<Pool>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    fn health(origin: &Origin) -> Self {
        let (pool, (stop, stopped)) = (Arc::new(Pool::new(origin)), watch::channel(false));
        let task = tokio::spawn(health::run(pool.clone(), stopped));
        Self { pool, stop, task }
    }

    fn is_healthy(&self, addr: SocketAddr) -> bool {
        self.pool.snapshot(clock::now()).iter().any(|s| s.address == addr && s.healthy)
    }

    async fn stop(self) {
        self.stop.send(true).unwrap();
        tokio::time::timeout(Duration::from_secs(20), self.task).await.expect("stops when told").unwrap();
    }
}

#[tokio::test]
async fn every_kind_of_bad_origin_is_found_and_the_good_one_serves() {
    let bad = [
        nobody().await,
        silent().await,
        answering(b"").await.0,
        answering(b"\x00\xffgarbage\r\n\r\n").await.0,
        answering(b"HTTP/1.1 200 OK\r\nContent-Le").await.0,
        answering(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n").await.0,
        answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await.0,
        answering(Box::leak([b"HTTP/1.1 200 OK\r\nX: ".as_slice(), &[b'x'; 200_000]].concat().into_boxed_slice()))
            .await
            .0,
    ];
    let moved = answering(b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n").await.0;
    let endless = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nthe body never ends").await.0;
    let fine = [good(), moved, endless];
    let running = Running::health(&origin(bad.iter().chain(&fine).map(|&a| socket(a)).collect()));
    eventually("all bad ones out", || bad.iter().all(|&a| !running.is_healthy(a))).await;
    for _ in 0..20 {
        let pick = running.pool.pick(&Tried::default(), clock::now()).unwrap();
        assert!(fine.contains(&pick.addr), "{pick:?}");
    }
    assert!(fine.iter().all(|&a| running.is_healthy(a)));
    running.stop().await;
}

#[tokio::test]
async fn an_origin_that_comes_back_serves_again_and_the_fallback_rests() {
    let status = Arc::new(AtomicU16::new(500));
    let (shown, listener) = (status.clone(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let (primary, fallback) = (listener.local_addr().unwrap(), good());
    let seen = Arc::new(std::sync::Mutex::new(String::new()));
    let heard = seen.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let size = stream.read(&mut head).await.unwrap_or(0);
            *heard.lock().unwrap() = String::from_utf8_lossy(&head[..size]).into_owned();
            // SeqCst: a test's flag, no need to think.
            let answer = format!("HTTP/1.1 {} X\r\nContent-Length: 0\r\n\r\n", shown.load(Ordering::SeqCst));
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let mut settings = origin(vec![socket(primary)]);
    settings.fallback = vec![socket(fallback)];
    let running = Running::health(&settings);
    let serving = || running.pool.pick(&Tried::default(), clock::now()).unwrap().addr;
    eventually("the fallback serves", || serving() == fallback).await;
    status.store(204, Ordering::SeqCst); // SeqCst: a test's flag.
    eventually("the primary serves again", || serving() == primary).await;
    let request = seen.lock().unwrap().to_lowercase();
    assert!(request.starts_with("get /health?from=weir http/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("\r\nhost: {primary}\r\n")), "{request}");
    assert!(request.contains("\r\nuser-agent: weir-health\r\n"), "{request}");
    running.stop().await;
}

#[tokio::test]
async fn an_http2_origin_is_checked_with_http2() {
    let (demo, not_http2) = (good(), answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.0);
    let mute = silent().await;
    let mut settings = origin(vec![socket(demo), socket(not_http2), socket(mute)]);
    settings.protocol = OriginProtocol::H2c;
    let running = Running::health(&settings);
    eventually("what speaks no HTTP/2 is out", || !running.is_healthy(not_http2) && !running.is_healthy(mute)).await;
    assert!(running.is_healthy(demo));
    // Healthy because of its answer, not for want of a check.
    let mut elsewhere = settings.clone();
    elsewhere.health.path = "/nothing-here".to_owned();
    running.pool.reconfigure(&elsewhere);
    eventually("a 404 counts", || !running.is_healthy(demo)).await;
    running.stop().await;
}

#[tokio::test]
async fn checks_follow_a_reload() {
    let (addr, checks) = answering(b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n").await;
    let mut settings = origin(vec![socket(addr)]);
    settings.health.enabled = false;
    settings.health.interval = Duration::from_secs(3600);
    let running = Running::health(&settings);
    // Turned on, and much more often, while it sleeps for an hour.
    running.pool.reconfigure(&origin(vec![socket(addr)]));
    eventually("checked and out", || !running.is_healthy(addr)).await;
    assert!(checks.load(Ordering::SeqCst) >= 2); // SeqCst: a test's counter.
    running.pool.reconfigure(&settings);
    assert!(running.is_healthy(addr));
    running.stop().await;
}

#[tokio::test]
async fn a_name_is_resolved_before_serving_and_one_that_fails_is_told() {
    let settings = origin(vec![name("localhost", 9000), name("no-such-name.invalid", 80)]);
    let pool = Pool::new(&settings);
    let unresolved = resolve::resolve_once(&pool, &settings, Duration::from_secs(10)).await;
    assert_eq!(unresolved.len(), 1);
    assert_eq!((unresolved[0].host.as_str(), unresolved[0].port), ("no-such-name.invalid", 80));
    assert!(!unresolved[0].reason.is_empty());
    let endpoints = pool.endpoints();
    assert_eq!(endpoints.len(), 1, "one family of addresses: {endpoints:?}");
    assert!(endpoints[0].addr.ip().is_loopback());
    assert_eq!(endpoints[0].host.as_deref(), Some("localhost"));
}

#[tokio::test]
async fn a_name_that_no_longer_resolves_keeps_its_addresses() {
    let settings = origin(vec![name("no-such-name.invalid", 80)]);
    let pool = Arc::new(Pool::new(&settings));
    let last = SocketAddr::from(([192, 0, 2, 1], 80));
    pool.set_resolved("no-such-name.invalid", 80, &[last]);
    assert_eq!(resolve::resolve_once(&pool, &settings, Duration::from_secs(10)).await.len(), 1);
    assert_eq!(pool.endpoints()[0].addr, last);
    // No time at all is a failure as well, not a wait.
    assert_eq!(resolve::resolve_once(&pool, &settings, Duration::ZERO).await.len(), 1);
    assert_eq!(pool.endpoints()[0].addr, last);
}

#[tokio::test]
async fn names_are_resolved_again_and_again_until_stopped() {
    let mut settings = origin(vec![name("localhost", 9000)]);
    let pool = Arc::new(Pool::new(&settings));
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(resolve::run(pool.clone(), stopped));
    let is_loopback = |port| {
        let endpoints = pool.endpoints();
        endpoints.len() == 1 && endpoints[0].addr.ip().is_loopback() && endpoints[0].addr.port() == port
    };
    eventually("resolved", || is_loopback(9000)).await;
    pool.set_resolved("localhost", 9000, &[SocketAddr::from(([192, 0, 2, 1], 9000))]);
    eventually("resolved again", || is_loopback(9000)).await;
    settings.addresses = vec![name("localhost", 9001)];
    pool.reconfigure(&settings);
    eventually("the new name resolved", || is_loopback(9001)).await;
    drop(stop);
    tokio::time::timeout(Duration::from_secs(20), task).await.expect("stops with its sender").unwrap();
}
