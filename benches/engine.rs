//! A whole weir in virtual time with everything on: limits, ranks, budgets, the detector's ticks, bans, the answers on
//! their way back. What is between two requests is charged to them.

mod cpu_time;

use cpu_time::spent;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use weir_bench::dice::Dice;
use weir_bench::simulate::engine::{Engine, Request};
use weir_bench::verdict::policy::Networks;

const CONFIG: &str = "[origin]\naddresses = [\"demo\"]\ncapacity = \"300/s\"\n\
                      [[limit]]\nname = \"per-client\"\nrate = \"10/s\"\nburst = 100\n";
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0";
const PATHS: [&str; 4] = ["/", "/style.css", "/logo.png", "/articles/42"];

/// Traffic that goes on for ever: people who come again, and bots.
struct Traffic {
    engine: Engine,
    dice: Dice,
    t: f64,
    /// Requests a second of people, and of bots.
    rates: [f64; 2],
}

impl Traffic {
    fn new(rates: [f64; 2]) -> Self {
        let settings = weir_bench::config::load_str(CONFIG, "bench").expect("the config is good").settings;
        let engine = Engine::new(Arc::new(settings), &Networks::default(), 1);
        let mut traffic = Self { engine, dice: Dice::new(1), t: 1.7e9, rates: [rates[0], 0.0] };
        (0..40_000).for_each(|_| traffic.step());
        traffic.rates = rates;
        (0..40_000).for_each(|_| traffic.step());
        traffic
    }

    fn step(&mut self) {
        let all = self.rates[0] + self.rates[1];
        self.t += 1.0 / all;
        let bot = self.dice.roll() % 1_000 < (1_000.0 * self.rates[1] / all) as u64;
        let number = self.dice.wide();
        let address =
            if bot { 0x2d00_0000 + (number % 9_500) as u32 * 251 } else { 0x5000_0000 + (number % 2_000) as u32 };
        let request = Request {
            t: self.t,
            client: IpAddr::V4(Ipv4Addr::from(address)),
            method: "GET",
            path: PATHS[if bot { 0 } else { (number >> 40) as usize % PATHS.len() }],
            query: false,
            status: 200,
            user_agent: AGENT,
            solves: !bot,
        };
        black_box(self.engine.step(&request));
    }
}

fn engine(c: &mut Criterion) {
    let mut group = c.benchmark_group("engine");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2)).sample_size(30);
    group.throughput(Throughput::Elements(1));
    for (name, rates) in [("busy site", [200.0, 0.0]), ("flood", [20.0, 2_000.0]), ("large flood", [20.0, 19_000.0])] {
        let mut traffic = Traffic::new(rates);
        group.bench_function(name, |b| b.iter_custom(|times| spent(|| (0..times).for_each(|_| traffic.step()))));
    }
    group.finish();
}

criterion_group!(benches, engine);
criterion_main!(benches);
