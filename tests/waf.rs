//! The loop to AWS WAF against a double at which everything goes wrong, for 30 virtual minutes over many seeds.

#![allow(clippy::unwrap_used)] // A test may fail by panicking; clippy's own exemption misses helpers.

#[path = "waf/book.rs"]
mod book;
#[path = "waf/double.rs"]
mod double;
#[path = "waf/fixture.rs"]
mod fixture;

use book::net;
use double::{Double, Faults, Owner};
use fixture::{Bench, SETS, pass, pass_for};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;
use weir::sink::waf::Reach;

/// What others put into each set.
type Theirs = BTreeMap<&'static str, BTreeSet<String>>;

/// One virtual half hour.
struct Storm {
    bench: Bench,
    theirs: Theirs,
    random: u64,
    fresh: u64,
    /// What others hold, and weir is to ban too.
    later: Vec<(Instant, String)>,
}

impl Storm {
    fn new(seed: u64) -> Self {
        let theirs = SETS.map(|name| (name, BTreeSet::new())).into();
        Self { bench: Bench::new(40, seed), theirs, random: seed.wrapping_mul(7_919) + 1, fresh: 0, later: vec![] }
    }

    fn below(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    /// A network that was never banned, nor anything else, before.
    fn stranger(&mut self, ipv4: bool) -> String {
        self.fresh += 1;
        let n = self.fresh;
        if ipv4 { format!("10.{}.{}.{}/32", n >> 16, n >> 8 & 255, n & 255) } else { format!("2001:db8:{n:x}::/64") }
    }

    fn ban_some(&mut self) {
        let many = if self.below(20) == 0 { 30 } else { 1 + self.below(3) };
        for _ in 0..many {
            let ipv4 = self.below(3) > 0;
            let network = self.stranger(ipv4);
            let (ttl, harm) = (20 + self.below(200), self.below(1_000));
            self.bench.book.ban(&network, Duration::from_secs(ttl), harm);
        }
        let now = Instant::now();
        for (_, entry) in self.later.extract_if(.., |(at, _)| *at <= now) {
            self.bench.book.ban(&entry, Duration::from_secs(60), 5);
        }
        if self.below(5) == 0 {
            self.bench.book.lift_one();
        }
    }

    /// People and Terraform at work.
    fn edit(&mut self) {
        let name = SETS[self.below(SETS.len() as u64) as usize];
        let entry = self.stranger(name.contains('4'));
        let known = self.bench.double.entries(name);
        let ours: Vec<String> =
            known.iter().filter(|(_, owner)| **owner == Owner::Weir).map(|(e, _)| e.clone()).collect();
        let theirs = self.theirs.get_mut(name).unwrap();
        let (mut add, mut remove) = (vec![], vec![]);
        if theirs.len() < 12 {
            theirs.insert(entry.clone());
            add.push(entry.clone());
        } else {
            remove.extend(theirs.pop_first());
        }
        match self.below(4) {
            // What weir put there is taken out by hand; it comes back while it is wanted.
            0 => remove.extend(ours.into_iter().next()),
            // weir comes to want what somebody holds already.
            1 if !add.is_empty() => self.later.push((Instant::now() + Duration::from_secs(10), entry.clone())),
            _ => {}
        }
        if !self.bench.double.edit(name, &add, &remove) {
            self.theirs.get_mut(name).unwrap().remove(&entry);
        }
    }

    fn weather(&mut self) {
        let faults = match self.below(8) {
            0 | 1 => Faults::default(),
            2 => Faults { locked: 500, ..Faults::default() },
            3 => Faults { throttled: 400, ..Faults::default() },
            4 => Faults { lost: 300, ..Faults::default() },
            5 => Faults { stale: 400, locked: 200, ..Faults::default() },
            6 => Faults { locked: 150, throttled: 150, stale: 150, lost: 150, outage: false },
            _ => Faults { outage: true, ..Faults::default() },
        };
        self.bench.double.faults(faults);
        self.bench.store.fail(self.random.is_multiple_of(11));
    }

    async fn rage(&mut self) {
        let end = Instant::now() + Duration::from_secs(30 * 60);
        let mut change = Instant::now();
        while Instant::now() < end {
            if Instant::now() >= change {
                self.weather();
                change = Instant::now() + Duration::from_secs(10 + self.below(30));
            }
            self.ban_some();
            if self.below(3) == 0 {
                self.edit();
            }
            if self.below(40) == 0 {
                if self.below(4) == 0 {
                    self.bench.book.clear();
                }
                self.bench.kill_and_start();
            }
            if self.below(100) == 0 {
                let time = Duration::from_millis(self.below(5_000));
                self.bench.lend_lease(time);
            }
            let pause = Duration::from_millis(50 + self.below(2_000));
            pass_for(pause).await;
        }
        self.bench.double.faults(Faults::default());
        self.bench.store.fail(false);
    }

    /// Whether what is there is exactly what others put there, and what is banned.
    fn check(&self, seed: u64) {
        self.bench.double.seen(|seen| assert!(seen.breaches.is_empty(), "seed {seed}: {:#?}", seen.breaches));
        for (name, theirs) in &self.theirs {
            let there = self.bench.double.entries(name);
            let other: BTreeSet<String> =
                there.iter().filter(|(_, owner)| **owner == Owner::Other).map(|(entry, _)| entry.clone()).collect();
            assert_eq!(&other, theirs, "seed {seed}: what others put into {name}");
            for entry in there.iter().filter(|(_, owner)| **owner == Owner::Weir).map(|(entry, _)| entry) {
                assert!(self.bench.book.wants(entry), "seed {seed}: {entry} was left in {name}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn half_an_hour_of_everything_loses_nothing_and_leaves_nothing() {
    let (mut conflicts, mut stale, mut lost, mut throttled, mut taken) = (0, 0, 0, 0, 0);
    for seed in 0..3 {
        let mut storm = Storm::new(seed);
        storm.bench.kill_and_start();
        storm.rage().await;
        // Calm again: whatever is banned now gets there, if there is room.
        let begin = storm.bench.book.len();
        storm.bench.book.ban("203.0.113.9/32", Duration::from_secs(3_600), 9_999);
        pass(90).await;
        let reach = storm.bench.reach("203.0.113.9/32");
        assert!(matches!(reach, Reach::Accepted { .. }), "seed {seed}, beside {begin}: {reach:?}");
        storm.bench.book.clear();
        pass(300).await;
        storm.check(seed);
        assert_eq!(storm.bench.store.len().await, 0, "seed {seed}: no record is left either");
        storm.bench.double.seen(|seen| {
            conflicts += seen.conflicts;
            (stale, lost) = (stale + seen.stale, lost + seen.lost);
            (throttled, taken) = (throttled + seen.throttled, taken + seen.taken);
        });
    }
    eprintln!(
        "{taken} updates taken, {conflicts} conflicts, {stale} stale reads, {lost} answers lost, {throttled} throttled"
    );
    assert!(conflicts > 200 && stale > 100 && lost > 50 && throttled > 100 && taken > 1_000);
}

#[tokio::test(start_paused = true)]
async fn one_ban_is_there_within_a_second_and_a_thousand_in_one_update() {
    let mut bench = Bench::new(10_000, 1);
    bench.kill_and_start();
    pass(20).await;
    for n in 0..1_000 {
        bench.book.ban(&format!("10.1.{}.{}/32", n / 250, n % 250), Duration::from_secs(600), 1);
    }
    pass(2).await;
    assert_eq!(bench.double.entries("4a").len(), 1_000);
    let status = bench.status();
    assert_eq!((status.updates, status.pending, status.sent.count), (1, 0, 1_000));
    assert!(status.sent.max_ms < 1_000, "{:?}", status.sent);
    assert_eq!((status.sets[0].ours, status.sets[0].foreign), (1_000, 0));
}

#[tokio::test(start_paused = true)]
async fn a_missing_set_is_named_and_the_others_go_on() {
    let mut bench = Bench::with_double(Double::new(&["4b", "6a"], 100, 1), 100);
    bench.kill_and_start();
    bench.book.ban("192.0.2.7/32", Duration::from_secs(600), 1);
    pass(10).await;
    assert_eq!(bench.status().sets[0].trouble.as_deref(), Some("missing"));
    assert_eq!(bench.reach("192.0.2.7/32").to_string(), "in AWS WAF, set 4b");
    assert_eq!(bench.reach("192.0.2.8/32"), Reach::Unknown);
}

#[tokio::test(start_paused = true)]
async fn without_the_lease_nothing_is_sent() {
    let mut bench = Bench::new(100, 1);
    bench.lease.send_replace(false);
    bench.kill_and_start();
    bench.book.ban("192.0.2.7/32", Duration::from_secs(600), 1);
    pass(60).await;
    assert_eq!((bench.double.seen(|s| s.updates), bench.reach("192.0.2.7/32")), (0, Reach::Elsewhere));
    bench.lease.send_replace(true);
    pass(10).await;
    assert!(bench.double.entries("4a").contains_key(&net("192.0.2.7/32").to_string()));
}
