//! What one whole decision costs: three limits, lists of 100,000 networks, many clients.
//!
//! Other clients than `hot_path` has: a million of them, and two threads. governor's keyed limiter and a DashMap of
//! GCRA are in `limit`.

mod cpu_time;

use cpu_time::{cpu_time, spent};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Barrier;
use std::time::Duration;
use weir_bench::dice::Dice;
use weir_bench::world::{World, off_lists, one};

fn decisions(c: &mut Criterion) {
    let mut group = c.benchmark_group("decide");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2)).sample_size(30);
    for (name, clients) in [("10k clients", 10_000), ("1M clients", 1_000_000)] {
        let mut world = World::new("10/s");
        for n in 0..clients {
            world.request(n, 100);
        }
        group.bench_function(name, |b| {
            b.iter_custom(|times| {
                spent(|| {
                    (0..times).for_each(|_| {
                        let n = world.any(clients);
                        black_box(world.request(n, 100_000));
                    })
                })
            });
        });
    }
    let mut world = World::new("10/s");
    let mut next = 0;
    group.bench_function("every client new", |b| {
        b.iter_custom(|times| {
            spent(|| {
                (0..times).for_each(|_| {
                    next += 1;
                    black_box(world.request(u64::wrapping_mul(next, 0x9e37_79b9), 10_000));
                })
            })
        });
    });
    let mut world = World::exhausted();
    group.bench_function("refused", |b| {
        b.iter_custom(|times| {
            spent(|| {
                (0..times).for_each(|_| {
                    let n = world.any(100);
                    black_box(world.request(n, 1_000));
                })
            })
        });
    });
    group.finish();
}

/// Two threads share one policy and state: how much of twice one thread's rate is reached.
fn threads(c: &mut Criterion) {
    let mut group = c.benchmark_group("decide, 1M clients, all threads together");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2)).sample_size(20);
    for threads in [1u64, 2] {
        let world = World::new("10/s");
        group.throughput(Throughput::Elements(threads));
        group.bench_function(format!("{threads} threads"), |b| {
            b.iter_custom(|n| parallel(&world, threads, n));
        });
    }
    group.finish();
}

fn parallel(world: &World, threads: u64, each: u64) -> Duration {
    let barrier = Barrier::new(threads as usize);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|t| {
                let barrier = &barrier;
                scope.spawn(move || {
                    let mut dice = Dice::new(t + 1);
                    barrier.wait();
                    let start = cpu_time();
                    for i in 0..each {
                        let address = IpAddr::from(Ipv4Addr::from(off_lists(dice.roll() as u32 % 1_000_000)));
                        one(&world.policy, &world.state, address, world.now + Duration::from_nanos(i * 100_000));
                    }
                    cpu_time() - start
                })
            })
            .collect();
        workers.into_iter().map(|w| w.join().expect("a worker does not panic")).max().expect("a worker")
    })
}

criterion_group!(benches, decisions, threads);
criterion_main!(benches);
