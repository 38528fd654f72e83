//! The limit table beside governor's keyed limiter and a DashMap of GCRA, in one run.
//!
//! `cargo bench -p weir-bench --bench limit` for criterion; `QUICK=1 cargo bench -p weir-bench --bench limit` for a table of nanoseconds, two
//! threads against one, and resident memory, in half a minute.

mod cpu_time;

use cpu_time::spent;
use criterion::{BenchmarkId, Criterion};
use governor::state::keyed::DefaultKeyedStateStore;
use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use weir_bench::base::clock::{self, Time};
use weir_bench::base::units::Rate;
use weir_bench::limit::gcra::Quota;
use weir_bench::limit::seeds::Seeds;
use weir_bench::limit::table::{Spot, Table};

/// Twice the keys: 16 MiB for a million.
const SLOTS: u32 = 2 << 20;
/// For ten million keys: 128 MiB.
const MANY_SLOTS: u32 = 16 << 20;
const MILLION: u32 = 1_000_000;

/// Something that limits by key. `now` is the clock as read once for many requests; who can't use it reads its own.
trait Limiter: Sync {
    fn take(&self, key: u32, now: Time) -> bool;
    /// Takes many, as a worker does that knows what comes next.
    fn take_all(&self, keys: &[u32], now: Time) -> u32 {
        keys.iter().map(|&key| u32::from(self.take(key, now))).sum()
    }
}

/// A rate and a burst that nobody exceeds, or that everybody does.
fn rate(refusing: bool) -> (Rate, u32) {
    let hour = Duration::from_secs(3600);
    if refusing { (Rate { count: 1, period: hour }, 1) } else { (Rate::per_second(100_000), 100_000) }
}

struct Weir {
    table: Table,
    quota: Quota,
    own_clock: bool,
}

impl Weir {
    fn new(slots: u32, refusing: bool, own_clock: bool) -> Self {
        let (rate, burst) = rate(refusing);
        let quota = Quota::new(rate, burst);
        Self { table: Table::new(slots, &quota, Seeds::random()), quota, own_clock }
    }
}

impl Limiter for Weir {
    #[inline]
    fn take(&self, key: u32, now: Time) -> bool {
        let now = if self.own_clock { clock::now() } else { now };
        self.table.take(self.table.locate(mapped(key)), &self.quota, now).admits()
    }
}

/// The key as `ClientKey` writes an IPv4 address.
fn mapped(key: u32) -> u128 {
    0xffff_0000_0000 | u128::from(key)
}

/// The table with every line asked for eight keys before it is needed.
struct Prefetched(Weir);

const AHEAD: usize = 8;

impl Limiter for Prefetched {
    fn take(&self, key: u32, now: Time) -> bool {
        self.0.take(key, now)
    }

    fn take_all(&self, keys: &[u32], now: Time) -> u32 {
        let Weir { table, quota, .. } = &self.0;
        let mut spots = [Spot::default(); AHEAD];
        let mut admitted = 0;
        for (n, key) in keys.iter().map(Some).chain([None; AHEAD]).enumerate() {
            let next = key.map(|&key| table.locate(mapped(key)));
            if let Some(spot) = next {
                table.prefetch(spot);
            }
            let due = std::mem::replace(&mut spots[n % AHEAD], next.unwrap_or_default());
            if n >= AHEAD {
                admitted += u32::from(table.take(due, quota, now).admits());
            }
        }
        admitted
    }
}

type Governor<S> =
    governor::RateLimiter<u32, dashmap::DashMap<u32, governor::state::InMemoryState, S>, governor::clock::DefaultClock>;

struct GovernorDefault(governor::DefaultKeyedRateLimiter<u32>);
struct GovernorFoldhash(Governor<foldhash::fast::RandomState>);

fn governor_quota(refusing: bool) -> governor::Quota {
    let (rate, burst) = rate(refusing);
    let burst = NonZeroU32::new(burst).expect("not zero");
    governor::Quota::with_period(rate.period / rate.count).expect("not zero").allow_burst(burst)
}

impl Limiter for GovernorDefault {
    fn take(&self, key: u32, _now: Time) -> bool {
        self.0.check_key(&key).is_ok()
    }
}

impl Limiter for GovernorFoldhash {
    fn take(&self, key: u32, _now: Time) -> bool {
        self.0.check_key(&key).is_ok()
    }
}

/// A GCRA cell in nanoseconds for every key, in a concurrent map.
struct Map {
    cells: dashmap::DashMap<u32, AtomicU64, foldhash::fast::RandomState>,
    interval: u64,
    full: u64,
}

impl Limiter for Map {
    fn take(&self, key: u32, now: Time) -> bool {
        let charge = |cell: &AtomicU64| {
            // Relaxed, all: a lone cell.
            cell.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |tat| {
                let new = tat.max(now.nanos()) + self.interval;
                (new - now.nanos() <= self.full).then_some(new)
            })
            .is_ok()
        };
        if let Some(cell) = self.cells.get(&key) {
            return charge(&cell);
        }
        charge(&self.cells.entry(key).or_default())
    }
}

/// Counts a second's requests of every key in a sketch, as Pingora's guide on rate limiting does.
struct PingoraLimits {
    rate: pingora_limits::rate::Rate,
    most: isize,
}

impl Limiter for PingoraLimits {
    fn take(&self, key: u32, _now: Time) -> bool {
        self.rate.observe(&key, 1) <= self.most
    }
}

const LIMITERS: [&str; 7] = [
    "weir",
    "weir, prefetched",
    "weir, clock read each time",
    "governor, default",
    "governor, foldhash",
    "dashmap of gcra",
    "pingora-limits",
];

fn limiter(name: &str, slots: u32, refusing: bool) -> Box<dyn Limiter> {
    let hasher = foldhash::fast::RandomState::default;
    match name {
        "weir" => Box::new(Weir::new(slots, refusing, false)),
        "weir, prefetched" => Box::new(Prefetched(Weir::new(slots, refusing, false))),
        "weir, clock read each time" => Box::new(Weir::new(slots, refusing, true)),
        "governor, default" => Box::new(GovernorDefault(governor::RateLimiter::new(
            governor_quota(refusing),
            DefaultKeyedStateStore::default(),
            governor::clock::DefaultClock::default(),
        ))),
        "governor, foldhash" => {
            Box::new(GovernorFoldhash(Governor::dashmap_with_hasher(governor_quota(refusing), hasher())))
        }
        "pingora-limits" => Box::new(PingoraLimits {
            rate: pingora_limits::rate::Rate::new(Duration::from_secs(1)),
            most: if refusing { 1 } else { isize::MAX },
        }),
        _ => {
            let (rate, burst) = rate(refusing);
            let interval = rate.interval_nanos() as u64;
            let cells = dashmap::DashMap::with_hasher(hasher());
            Box::new(Map { cells, interval, full: interval * u64::from(burst) })
        }
    }
}

#[derive(Clone, Copy)]
enum Load {
    Uniform(u32),
    Zipf,
    New,
    Refused,
}

const LOADS: [(&str, Load); 6] = [
    ("10k", Load::Uniform(10_000)),
    ("1M", Load::Uniform(MILLION)),
    ("10M", Load::Uniform(10 * MILLION)),
    ("zipf", Load::Zipf),
    ("all new", Load::New),
    ("refused", Load::Refused),
];

/// An endless sequence of keys.
struct Keys {
    load: Load,
    state: u64,
}

impl Keys {
    fn new(load: Load, seed: u64) -> Self {
        Self { load, state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 }
    }

    fn random(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state >> 11
    }

    fn next(&mut self) -> u32 {
        match self.load {
            Load::Uniform(keys) => (self.random() % u64::from(keys)) as u32,
            // The inverse of 1/x: a millionth as likely the millionth key as the first.
            Load::Zipf => f64::from(MILLION).powf(self.random() as f64 / (1u64 << 53) as f64) as u32,
            Load::New => {
                self.state += 1;
                self.state as u32
            }
            Load::Refused => (self.random() % 1000) as u32,
        }
    }

    fn batch(&mut self) -> Vec<u32> {
        (0..BATCH).map(|_| self.next()).collect()
    }
}

/// Requests to one reading of the clock.
const BATCH: usize = 4096;

fn filled(name: &str, load: Load) -> Box<dyn Limiter> {
    let keys = match load {
        Load::Uniform(keys) => keys,
        Load::Zipf => MILLION,
        Load::New => 0,
        Load::Refused => 1000,
    };
    let slots = if keys > MILLION { MANY_SLOTS } else { SLOTS };
    let limiter = limiter(name, slots, matches!(load, Load::Refused));
    for key in 0..keys {
        limiter.take(key, clock::now());
    }
    limiter
}

/// CPU time of `requests` requests, rounded up to whole batches.
fn measure(limiter: &dyn Limiter, keys: &mut Keys, requests: u64) -> Duration {
    let mut total = Duration::ZERO;
    for _ in 0..requests.div_ceil(BATCH as u64) {
        let batch = keys.batch();
        let now = clock::now();
        total += spent(|| {
            black_box(limiter.take_all(black_box(&batch), now));
        });
    }
    total
}

fn criterion_benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("limit");
    group.sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for (load_name, load) in LOADS {
        for name in LIMITERS {
            let (limiter, mut keys) = (filled(name, load), Keys::new(load, 1));
            group.bench_function(BenchmarkId::new(name, load_name), |bencher| {
                bencher.iter_custom(|iterations| {
                    let whole = iterations.div_ceil(BATCH as u64) * BATCH as u64;
                    measure(&*limiter, &mut keys, iterations).mul_f64(iterations as f64 / whole as f64)
                });
            });
        }
    }
    group.finish();
}

/// The runs in order: what else the machine does only ever adds to the first, and moves the middle either way.
fn sorted(mut run: impl FnMut() -> f64) -> [f64; 9] {
    let mut runs = std::array::from_fn(|_| run());
    runs.sort_by(f64::total_cmp);
    runs
}

fn quick() {
    memory();
    println!("CPU ns a request, least of 9, one thread; table of 16 MiB, 128 for 10M keys");
    println!("{:28}{}", "", LOADS.map(|(name, _)| format!("{name:>9}")).concat());
    let mut rows = Vec::new();
    for name in LIMITERS {
        let row = LOADS.map(|(_, load)| {
            let (limiter, mut keys) = (filled(name, load), Keys::new(load, 1));
            measure(&*limiter, &mut keys, 200_000);
            sorted(|| measure(&*limiter, &mut keys, 400_000).as_nanos() as f64 / 401_408.0)[0]
        });
        println!("{name:28}{}", row.map(|ns| format!("{ns:9.1}")).concat());
        rows.push(row);
    }
    for (name, row) in LIMITERS.iter().zip(&rows).take(3) {
        let times = std::array::from_fn::<_, 6, _>(|load| format!("{:8.1}x", rows[3][load] / row[load]));
        println!("{:28}{}", format!("{name} / governor"), times.concat());
    }
    two_threads();
}

/// How much more two threads get done than one, 1M keys, by the CPU time that each request takes.
fn two_threads() {
    println!("two threads against one, 1M keys");
    for name in LIMITERS {
        let load = Load::Uniform(MILLION);
        let limiter = filled(name, load);
        let together = |threads: u64| {
            let barrier = Barrier::new(threads as usize);
            let longest = std::thread::scope(|scope| {
                let workers: Vec<_> = (1..=threads)
                    .map(|seed| {
                        let (limiter, barrier) = (&limiter, &barrier);
                        scope.spawn(move || {
                            let mut keys = Keys::new(load, seed);
                            barrier.wait();
                            measure(&**limiter, &mut keys, 2_000_000)
                        })
                    })
                    .collect();
                workers.into_iter().map(|w| w.join().expect("no panic")).max().expect("a worker")
            });
            threads as f64 / longest.as_secs_f64()
        };
        let ratio = sorted(|| together(2) / together(1))[4];
        println!("{name:28}{ratio:8.2}x");
    }
}

fn resident_mib() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or(f64::NAN) / 256.0
}

/// Resident memory that distinct keys add; the table has room for a million in debt.
fn memory() {
    println!("MiB added after 1M, 2M, 5M, 10M distinct keys; weir with 1M slots");
    for name in ["weir", "governor, default", "dashmap of gcra", "pingora-limits"] {
        let (before, limiter) = (resident_mib(), limiter(name, MILLION, false));
        let mut key = 0;
        let added = [1, 2, 5, 10].map(|millions| {
            while key < millions * MILLION {
                limiter.take(key, clock::now());
                key += 1;
            }
            format!("{:9.1}", resident_mib() - before)
        });
        println!("{name:28}{}", added.concat());
    }
}

fn main() {
    if std::env::var_os("QUICK").is_some() {
        return quick();
    }
    let mut criterion = Criterion::default().configure_from_args();
    criterion_benches(&mut criterion);
    criterion.final_summary();
}
