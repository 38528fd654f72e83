//! What one whole decision costs: three limits, lists of 100,000 networks, many clients.
//!
//! `cargo bench --bench decide`. Beside it: governor's keyed limiter and a DashMap of GCRA in `benches/limit.rs`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ipnet::{IpNet, Ipv4Net};
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use weir::base::clock::Time;
use weir::client::key::ClientKey;
use weir::verdict::facts::Method;
use weir::verdict::policy::Networks;
use weir::verdict::{Facts, Fate, Policy, State, decide};

const CONFIG: &str = r#"
[origin]
addresses = ["127.0.0.1:9000"]
capacity = "100000/s"
max_in_flight = 100000
[[limit]]
name = "per-client"
rate = "RATE"
burst = 100
slots = 4194304
[[limit]]
name = "per-prefix"
rate = "100000/s"
burst = 1000000
key = "prefix"
slots = 4194304
[[limit]]
name = "pages"
match = { path = "/*", method = ["GET"] }
rate = "RATE"
burst = 100
slots = 4194304
"#;

struct Bench {
    policy: Policy,
    state: State,
    now: Time,
    dice: u64,
}

impl Bench {
    fn new(rate: &str) -> Self {
        let settings =
            weir::config::load_str(&CONFIG.replace("RATE", rate), "bench.toml").expect("a good config").settings;
        let state = State::new();
        let networks = Networks { allow: nets(1), deny: nets(2) };
        let now = Time::from_nanos(1 << 50);
        Self { policy: Policy::compile(Arc::new(settings), &networks, &state, now), state, now, dice: 1 }
    }

    fn random(&mut self) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.dice >> 33
    }

    /// One request of client `n`; time moves on by `step` nanoseconds.
    fn request(&mut self, n: u64, step: u64) -> Fate {
        self.now = self.now + Duration::from_nanos(step);
        // Clients have the two leading bits 01, lists have not: nobody is on one, and both are searched.
        let address = IpAddr::V4(Ipv4Addr::from(0x4000_0000 | (n as u32 & 0x3fff_ffff)));
        let facts = Facts::new(address, ClientKey::new(address, 64), Method::Get, b"/search");
        let verdict = decide(&self.policy, &self.state, &facts, self.now);
        if verdict.fate == Fate::Forward {
            self.state.in_flight.leave(facts.client.bits());
        }
        verdict.fate
    }
}

/// 100,000 networks of /20 to /28, none of them next to another.
fn nets(seed: u32) -> Vec<IpNet> {
    let net = |i: u32| {
        let spread = i.wrapping_mul(0x9e37_79b1).wrapping_add(seed << 7);
        let address = if spread & 0xc000_0000 == 0x4000_0000 { spread | 0x8000_0000 } else { spread };
        Ipv4Net::new(Ipv4Addr::from(address), 20 + (i % 9) as u8).expect("a length up to 28").trunc().into()
    };
    (0..100_000).map(net).collect()
}

fn decisions(c: &mut Criterion) {
    let mut group = c.benchmark_group("decide");
    group.throughput(Throughput::Elements(1));
    group.sample_size(30);
    for (name, clients) in [("10k clients", 10_000), ("1M clients", 1_000_000)] {
        let mut bench = Bench::new("10/s");
        for n in 0..clients {
            bench.request(n, 100);
        }
        group.bench_function(name, |b| {
            b.iter(|| {
                let n = bench.random() % clients;
                black_box(bench.request(n, 100_000))
            });
        });
    }
    let mut bench = Bench::new("10/s");
    let mut next = 0;
    group.bench_function("every client new", |b| {
        b.iter(|| {
            next += 1;
            black_box(bench.request(u64::wrapping_mul(next, 0x9e37_79b9), 10_000))
        })
    });
    let mut bench = Bench::new("1/d");
    for n in 0..100 {
        for _ in 0..101 {
            bench.request(n, 1);
        }
    }
    group.bench_function("refused", |b| {
        b.iter(|| {
            let n = bench.random() % 100;
            black_box(bench.request(n, 1_000))
        })
    });
    group.finish();
}

/// Two threads share one policy and state: how much of twice one thread's rate is reached.
fn threads(c: &mut Criterion) {
    let mut group = c.benchmark_group("decide, 1M clients, all threads together");
    for threads in [1u64, 2] {
        let bench = Arc::new(Bench::new("10/s"));
        group.throughput(Throughput::Elements(threads));
        group.bench_function(format!("{threads} threads"), |b| {
            b.iter_custom(|n| parallel(&bench, threads, n));
        });
    }
    group.finish();
}

fn parallel(bench: &Arc<Bench>, threads: u64, each: u64) -> Duration {
    let barrier = Arc::new(std::sync::Barrier::new(threads as usize + 1));
    let workers: Vec<_> = (0..threads)
        .map(|t| {
            let (bench, barrier) = (bench.clone(), barrier.clone());
            std::thread::spawn(move || {
                let mut dice = t + 1;
                barrier.wait();
                for i in 0..each {
                    dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let address = IpAddr::V4(Ipv4Addr::from(0x4000_0000 | ((dice >> 33) as u32 % 1_000_000)));
                    let facts = Facts::new(address, ClientKey::new(address, 64), Method::Get, b"/search");
                    let now = bench.now + Duration::from_nanos(i * 100_000);
                    if decide(&bench.policy, &bench.state, &facts, now).fate == Fate::Forward {
                        bench.state.in_flight.leave(facts.client.bits());
                    }
                }
            })
        })
        .collect();
    barrier.wait();
    let started = std::time::Instant::now();
    for worker in workers {
        worker.join().expect("a worker does not panic");
    }
    started.elapsed()
}

criterion_group!(benches, decisions, threads);
criterion_main!(benches);
