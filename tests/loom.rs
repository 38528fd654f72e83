//! Every interleaving of the lock-free structures, by loom: `make loom` (how: tests/loom/Cargo.toml).
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![cfg(loom)]

#[path = "loom/flood.rs"]
mod flood;

use loom::sync::Arc;
use loom::thread;
use std::time::Duration;
use weir::base::clock::Time;
use weir::base::units::{Rate, Share};
use weir::limit::budget::Budget;
use weir::limit::gcra::Quota;
use weir::limit::in_flight::InFlight;
use weir::limit::seeds::Seeds;
use weir::limit::table::Table;

const NOW: Time = Time::from_nanos(1_000_000_000_000);

fn quota(burst: u32) -> Quota {
    Quota::new(Rate::per_second(10), burst)
}

/// One line (of two slots, under loom): every key meets every other.
fn one_line(quota: &Quota) -> Arc<Table> {
    Arc::new(Table::new(1, quota, Seeds::fixed(1)))
}

fn admitted(table: &Table, key: u128, quota: &Quota, now: Time) -> u32 {
    u32::from(table.take(table.locate(key), quota, now).admits())
}

#[test]
fn two_that_race_for_the_last_token_get_one() {
    loom::model(|| {
        let quota = quota(2);
        let table = one_line(&quota);
        assert_eq!(admitted(&table, 1, &quota, NOW), 1);
        let other = table.clone();
        let racer = thread::spawn(move || admitted(&other, 1, &quota, NOW));
        let here = admitted(&table, 1, &quota, NOW);
        assert_eq!(here + racer.join().unwrap(), 1);
    });
}

#[test]
fn a_newcomer_that_comes_twice_at_once_gets_one_slot() {
    loom::model(|| {
        let quota = quota(1);
        let table = one_line(&quota);
        let other = table.clone();
        // The clocks of two workers differ a little.
        let racer = thread::spawn(move || admitted(&other, 1, &quota, NOW + Duration::from_millis(1)));
        let here = admitted(&table, 1, &quota, NOW);
        assert_eq!(here + racer.join().unwrap(), 1);
    });
}

#[test]
fn newcomers_to_a_full_line_never_lose_an_offenders_debt() {
    loom::model(|| {
        let quota = quota(3);
        let table = one_line(&quota);
        // The offender has used all three, a neighbour one: the line is full.
        let before: u32 = (0..4).map(|_| admitted(&table, 1, &quota, NOW)).sum();
        assert_eq!((before, admitted(&table, 2, &quota, NOW)), (3, 1));
        let others = [3, 4].map(|key| {
            let table = table.clone();
            thread::spawn(move || admitted(&table, key, &quota, NOW))
        });
        let again = admitted(&table, 1, &quota, NOW);
        for newcomer in others {
            newcomer.join().unwrap();
        }
        assert_eq!(again, 0, "during the race");
        assert_eq!(admitted(&table, 1, &quota, NOW), 0, "after the race");
        // Both newcomers inherited the neighbour's debt one after the other, so his bucket is used up too.
        assert_eq!(admitted(&table, 2, &quota, NOW), 0);
    });
}

#[test]
fn a_sweep_beside_a_request_loses_neither() {
    loom::model(|| {
        let old = quota(4);
        let new = quota(2);
        let table = one_line(&old);
        let before: u32 = (0..4).map(|_| admitted(&table, 1, &old, NOW)).sum();
        assert_eq!(before, 4);
        let other = table.clone();
        let sweeper = thread::spawn(move || other.sweep(&new, NOW, 0..1).cut);
        assert_eq!(admitted(&table, 1, &new, NOW), 0);
        assert_eq!(sweeper.join().unwrap(), 1);
        assert_eq!(admitted(&table, 1, &new, NOW), 0);
        assert_eq!(admitted(&table, 1, &new, NOW + Duration::from_millis(101)), 1);
    });
}

#[test]
fn two_that_race_for_the_last_of_the_budget_get_one() {
    loom::model(|| {
        let quota = quota(1);
        let budget = Arc::new(Budget::new());
        let other = budget.clone();
        let racer = thread::spawn(move || budget_takes(&other, &quota));
        let here = budget_takes(&budget, &quota);
        assert_eq!(here + racer.join().unwrap(), 1);
    });
}

fn budget_takes(budget: &Budget, quota: &Quota) -> u32 {
    u32::from(budget.take(quota, NOW, Share(0)).admits())
}

/// Races three clients' entries against caps and returns how many were let in, with the counts for a last look.
fn race(keys: [u128; 3], total_cap: u32, client_cap: u32) -> (u32, Arc<InFlight>) {
    let counts = Arc::new(InFlight::new(1, Seeds::fixed(1)));
    let [first, rest @ ..] = keys;
    let others = rest.map(|key| {
        let counts = counts.clone();
        thread::spawn(move || u32::from(counts.try_enter(key, total_cap, client_cap).is_ok()))
    });
    let here = u32::from(counts.try_enter(first, total_cap, client_cap).is_ok());
    let inside = here + others.into_iter().map(|other| other.join().unwrap()).sum::<u32>();
    (inside, counts)
}

#[test]
fn the_total_cap_is_never_exceeded() {
    loom::model(|| {
        let (inside, counts) = race([1, 2, 3], 2, 9);
        assert!(inside <= 2);
        assert_eq!(counts.total(), inside, "who was refused left nothing behind");
    });
}

#[test]
fn a_clients_cap_is_never_exceeded() {
    // Three threads over six counters are more than loom gets through without a bound on forced switches.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let (inside, counts) = race([1, 1, 1], 9, 1);
        assert!(inside <= 1);
        assert_eq!((counts.total(), counts.of_client(1)), (inside, inside));
    });
}

#[test]
fn a_place_that_was_left_can_be_taken() {
    loom::model(|| {
        let counts = Arc::new(InFlight::new(1, Seeds::fixed(1)));
        counts.try_enter(1, 1, 1).unwrap();
        let other = counts.clone();
        let leaver = thread::spawn(move || other.leave(1));
        let entered = counts.try_enter(1, 1, 1).is_ok();
        leaver.join().unwrap();
        assert_eq!(counts.total(), u32::from(entered));
        assert!(entered || counts.try_enter(1, 1, 1).is_ok());
    });
}
