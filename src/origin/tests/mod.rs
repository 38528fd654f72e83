//! The pool from outside, with a clock that tests move.

mod ejection;

use super::*;
use crate::base::clock::Time;
use crate::base::units::Rate;
use crate::config::settings::{Balance, Eject, Health, Origin, OriginAddress, OriginProtocol};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn addr(n: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, n as u8], 80))
}

fn sockets(numbers: impl IntoIterator<Item = usize>) -> Vec<OriginAddress> {
    numbers.into_iter().map(|n| OriginAddress::Socket(addr(n))).collect()
}

fn origin(primary: Vec<OriginAddress>, fallback: Vec<OriginAddress>) -> Origin {
    Origin {
        addresses: primary,
        fallback,
        protocol: OriginProtocol::Http1,
        balance: Balance::RoundRobin,
        capacity: Rate::per_second(500),
        max_in_flight: 512,
        connect_timeout: SECOND,
        read_timeout: SECOND,
        queue_timeout: Duration::ZERO,
        write_timeout: SECOND,
        idle_timeout: SECOND,
        retries: 1,
        resolve_interval: SECOND,
        health: Health {
            enabled: true,
            path: "/health".to_owned(),
            interval: SECOND,
            timeout: SECOND,
            healthy_after: 2,
            unhealthy_after: 3,
        },
        eject: Eject { after: 3, duration: 10 * SECOND },
    }
}

fn pool(primary: usize, fallback: usize) -> Pool {
    Pool::new(&origin(sockets(0..primary), sockets(100..100 + fallback)))
}

fn at(seconds: u64) -> Time {
    Time::from_nanos(1) + SECOND * seconds as u32
}

fn pick(pool: &Pool, now: Time) -> Option<Pick> {
    pool.pick(&Tried::default(), now)
}

fn picked(pool: &Pool, now: Time) -> SocketAddr {
    pick(pool, now).unwrap().addr
}

/// A pick of this very endpoint, by trying all others first.
fn pick_of(pool: &Pool, n: usize, now: Time) -> Pick {
    let mut tried = Tried::default();
    for target in pool.endpoints().iter().filter(|t| t.addr != addr(n)) {
        tried.add(target.addr);
    }
    pool.pick(&tried, now).unwrap()
}

/// Fails as often as takes the endpoint out, and says whether it did.
fn fail(pool: &Pool, n: usize, now: Time) -> bool {
    let results: Vec<_> = (0..3).map(|_| pick_of(pool, n, now).failed(now)).collect();
    assert!(!results[0] && !results[1], "ejected too soon");
    results[2]
}

fn down(pool: &Pool, n: usize) {
    let changes: Vec<_> = (0..3).map(|_| pool.mark_health(addr(n), false)).collect();
    assert_eq!(changes, [HealthChange::None, HealthChange::None, HealthChange::Down]);
}

fn up(pool: &Pool, n: usize) {
    let changes: Vec<_> = (0..2).map(|_| pool.mark_health(addr(n), true)).collect();
    assert_eq!(changes, [HealthChange::None, HealthChange::Up]);
}

fn status(pool: &Pool, n: usize, now: Time) -> EndpointStatus {
    pool.snapshot(now).into_iter().find(|s| s.address == addr(n)).unwrap()
}

fn shares(pool: &Pool, picks: usize, now: Time) -> BTreeMap<SocketAddr, usize> {
    let mut shares = BTreeMap::new();
    for _ in 0..picks {
        *shares.entry(picked(pool, now)).or_default() += 1;
    }
    shares
}

proptest! {
    #[test]
    fn sequential_picks_are_balanced_within_one(
        unhealthy in prop::collection::vec(any::<bool>(), 1..20),
        picks in 1usize..200,
        least_connections in any::<bool>(),
    ) {
        let mut settings = origin(sockets(0..unhealthy.len()), vec![]);
        if least_connections {
            settings.balance = Balance::LeastConnections;
        }
        let pool = Pool::new(&settings);
        (0..unhealthy.len()).filter(|&n| unhealthy[n]).for_each(|n| down(&pool, n));
        let left = unhealthy.iter().filter(|&&u| !u).count();
        let shares = shares(&pool, picks, at(0));
        // All out: fails open to every one of them.
        let usable = if left == 0 { unhealthy.len() } else { left };
        prop_assert!(shares.values().all(|&n| n == picks / usable || n == picks.div_ceil(usable)), "{shares:?}");
        prop_assert_eq!(shares.len(), usable.min(picks));
        prop_assert!(left == 0 || (0..unhealthy.len()).all(|n| !unhealthy[n] || !shares.contains_key(&addr(n))));
    }

    #[test]
    fn least_connections_never_picks_a_busier_one(
        endpoints in 1usize..12,
        steps in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 1..200),
    ) {
        let mut settings = origin(sockets(0..endpoints), vec![]);
        settings.balance = Balance::LeastConnections;
        let pool = Pool::new(&settings);
        let mut held: Vec<Pick> = Vec::new();
        for (end, which) in steps {
            if end && !held.is_empty() {
                held.swap_remove(which.index(held.len()));
                continue;
            }
            let before: BTreeMap<_, _> = pool.snapshot(at(0)).iter().map(|s| (s.address, s.in_flight)).collect();
            let pick = pick(&pool, at(0)).unwrap();
            prop_assert_eq!(Some(&before[&pick.addr]), before.values().min());
            held.push(pick);
            let in_flight: u32 = pool.snapshot(at(0)).iter().map(|s| s.in_flight).sum();
            prop_assert_eq!(in_flight as usize, held.len());
        }
    }

    /// Whatever happens: an untried request always finds an endpoint, none that was tried is given, primaries come
    /// first, and nothing stays counted.
    #[test]
    fn whatever_happens_a_request_finds_an_endpoint(
        steps in prop::collection::vec((0u8..6, 0usize..4, 0u64..40), 1..150),
        fallback in 0usize..2,
    ) {
        let pool = pool(3, fallback);
        let mut now = at(0);
        let mut held = Vec::new();
        for (what, n, seconds) in steps {
            let n = if n == 3 { 100 } else { n };
            match what {
                0 => { pool.mark_health(addr(n), false); }
                1 => { pool.mark_health(addr(n), true); }
                2 => now = now + SECOND * seconds as u32,
                3 => { held.pop(); }
                _ => {
                    let before = pool.snapshot(now);
                    let first = pick(&pool, now).unwrap();
                    let usable = |s: &EndpointStatus| s.group == Group::Primary && s.healthy && s.ejected_for.is_none();
                    prop_assert!(addr(100) != first.addr || !before.iter().any(usable));
                    let mut tried = Tried::default();
                    tried.add(first.addr);
                    prop_assert!(pool.pick(&tried, now).is_none_or(|second| second.addr != first.addr));
                    if what == 4 { first.succeeded() } else { first.failed(now); }
                    held.push(first);
                }
            }
        }
        drop(held);
        prop_assert!(pool.snapshot(now).iter().all(|s| s.in_flight == 0));
    }
}

#[test]
fn least_connections_shares_ties_fairly_beside_a_busy_one() {
    let mut settings = origin(sockets(0..3), vec![]);
    settings.balance = Balance::LeastConnections;
    let pool = Pool::new(&settings);
    let _long = pick_of(&pool, 1, at(0));
    assert_eq!(shares(&pool, 100, at(0)), BTreeMap::from([(addr(0), 50), (addr(2), 50)]));
}

#[test]
fn threads_share_exactly_and_leave_nothing_behind() {
    let pool = pool(3, 0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..3000).for_each(|_| pick(&pool, at(0)).unwrap().succeeded()));
        }
    });
    for status in pool.snapshot(at(0)) {
        assert_eq!((status.requests, status.in_flight, status.failures), (4000, 0, 0));
    }
}

#[test]
fn the_fallback_serves_while_no_primary_can_and_gives_back() {
    let pool = pool(2, 1);
    down(&pool, 0);
    assert_eq!(picked(&pool, at(0)), addr(1));
    down(&pool, 1);
    assert_eq!(picked(&pool, at(0)), addr(100));
    up(&pool, 1);
    assert_eq!(shares(&pool, 10, at(0)), BTreeMap::from([(addr(1), 10)]));
    up(&pool, 0);
    assert_eq!(shares(&pool, 10, at(0)), BTreeMap::from([(addr(0), 5), (addr(1), 5)]));
}

#[test]
fn checks_count_only_in_a_row() {
    let pool = pool(2, 0);
    for good in [false, false, true, false, false, true] {
        assert_eq!(pool.mark_health(addr(0), good), HealthChange::None);
    }
    down(&pool, 0);
    for good in [true, false, true, false] {
        assert_eq!(pool.mark_health(addr(0), good), HealthChange::None);
    }
    up(&pool, 0);
    assert_eq!(pool.mark_health(addr(77), false), HealthChange::None);
}

#[test]
fn with_everything_down_primaries_serve_all_the_same() {
    let pool = pool(2, 1);
    [0, 1, 100].into_iter().for_each(|n| down(&pool, n));
    assert_eq!(shares(&pool, 10, at(0)), BTreeMap::from([(addr(0), 5), (addr(1), 5)]));
    let mut tried = Tried::default();
    for expected in [addr(0), addr(1), addr(100)] {
        let next = pool.pick(&tried, at(0)).unwrap().addr;
        assert_eq!(next, expected);
        tried.add(next);
    }
    assert!(pool.pick(&tried, at(0)).is_none());
}

#[test]
fn a_second_attempt_does_not_go_to_what_is_down() {
    let pool = pool(2, 0);
    down(&pool, 1);
    let mut tried = Tried::default();
    tried.add(picked(&pool, at(0)));
    assert!(pool.pick(&tried, at(0)).is_none());
    up(&pool, 1);
    assert_eq!(pool.pick(&tried, at(0)).unwrap().addr, addr(1));
}

#[test]
fn what_is_turned_off_no_longer_judges() {
    let pool = pool(3, 0);
    down(&pool, 0);
    assert!(fail(&pool, 1, at(0)));
    let mut settings = (*pool.settings()).clone();
    settings.health.enabled = false;
    settings.eject.after = 0;
    pool.reconfigure(&settings);
    assert!(pool.snapshot(at(0)).iter().all(|s| s.healthy && s.ejected_for.is_none()));
    assert_eq!((0..9).map(|_| pool.mark_health(addr(0), false)).max_by_key(|c| *c as u8), Some(HealthChange::None));
    assert!((0..9).all(|_| !pick_of(&pool, 0, at(0)).failed(at(0))));
}

#[test]
fn a_reload_keeps_the_state_of_what_stays() {
    let pool = pool(2, 1);
    down(&pool, 1);
    let held = pick_of(&pool, 0, at(0));
    pool.reconfigure(&origin(sockets([1, 5]), sockets([0])));
    let snapshot = pool.snapshot(at(0));
    let seen: Vec<_> = snapshot.iter().map(|s| (s.address, s.group, s.healthy, s.in_flight)).collect();
    assert_eq!(
        seen,
        [(addr(1), Group::Primary, false, 0), (addr(5), Group::Primary, true, 0), (addr(0), Group::Fallback, true, 1)]
    );
    drop(held);
    assert_eq!(status(&pool, 0, at(0)).in_flight, 0);
}

#[test]
fn names_follow_their_addresses_and_no_answer_keeps_the_last() {
    let name = OriginAddress::Name { host: "api.internal".to_owned(), port: 80 };
    let pool = Pool::new(&origin(vec![name.clone(), OriginAddress::Demo], vec![name]));
    assert_eq!(pool.names(), [("api.internal".to_owned(), 80)]);
    assert!(pick(&pool, at(0)).is_none());
    assert_eq!(pool.set_resolved("api.internal", 80, &[]), Resolved::Kept);
    assert_eq!(pool.set_resolved("api.internal", 80, &[addr(2), addr(1)]), Resolved::Changed);
    assert_eq!(pool.set_resolved("api.internal", 80, &[addr(1), addr(2), addr(1)]), Resolved::Same);
    assert_eq!(pool.set_resolved(DEMO_NAME, 0, &[addr(9)]), Resolved::Changed);
    let held = pick_of(&pool, 1, at(0));
    assert_eq!(held.host.as_deref(), Some("api.internal"));
    assert_eq!(pick_of(&pool, 9, at(0)).host, None);
    assert_eq!(pool.set_resolved("api.internal", 80, &[addr(3), addr(1)]), Resolved::Changed);
    assert_eq!(pool.set_resolved("api.internal", 80, &[]), Resolved::Kept);
    let seen: Vec<_> = pool.snapshot(at(0)).iter().map(|s| (s.address, s.group, s.in_flight)).collect();
    assert_eq!(
        seen,
        [(addr(1), Group::Primary, 1), (addr(3), Group::Primary, 0), (addr(9), Group::Primary, 0)],
        "an address counts once, where it comes first"
    );
}

#[test]
fn a_name_resolved_before_the_reload_is_there_at_once() {
    let pool = pool(1, 0);
    let many: Vec<_> = (0..400).map(|n| SocketAddr::from(([198, 51, 100, n as u8], 80 + n))).collect();
    pool.set_resolved("new.internal", 80, &many);
    assert_eq!(pool.endpoints().len(), 1);
    let name = OriginAddress::Name { host: "new.internal".to_owned(), port: 80 };
    pool.reconfigure(&origin(vec![name.clone()], vec![]));
    assert_eq!(pool.endpoints().len(), MAX_ADDRESSES);
    // And is forgotten once it is gone.
    pool.reconfigure(&origin(sockets([0]), vec![]));
    pool.reconfigure(&origin(vec![name], vec![]));
    assert_eq!(pool.endpoints(), []);
}

#[test]
fn the_snapshot_is_plain_json() {
    let pool = pool(2, 0);
    fail(&pool, 1, at(0));
    let json = serde_json::to_value(pool.snapshot(at(4))).unwrap();
    assert_eq!(
        json[1],
        serde_json::json!({
            "address": "192.0.2.1:80", "name": null, "group": "primary", "healthy": true,
            "ejected_for": 6.0, "in_flight": 0, "requests": 3, "failures": 3,
        })
    );
}

#[test]
fn tried_remembers_only_so_many() {
    let mut tried = Tried::default();
    assert!(tried.is_empty());
    (0..9).for_each(|n| tried.add(addr(n)));
    assert_eq!((0..9).filter(|&n| tried.contains(addr(n))).count(), Tried::MAX);
}
