//! Limits that count over the whole fleet, in virtual time: tasks that come, go and crash, a store that is late or away.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "fleet_limits/world.rs"]
mod world;

use std::time::Instant;
use weir::limit::share::{Digest, KeyDemand, LimitDemand, LimitId, TaskDemand};
use world::{Dice, Fleet, Route};

/// Ten a second, a hundred at once.
const TEN: &str = "rate = \"10/s\"\nburst = 100";
const SEEDS: std::ops::Range<u64> = 1..3;

/// From the start on never much more than the limit, and nothing much less.
fn assert_held(fleet: &Fleet, client: u32, (rate, burst): (f64, f64), least: f64, what: &str) {
    let seconds = fleet.now.since(fleet.start).as_secs_f64();
    for n in 0..(seconds / 2.0) as u32 {
        let from = f64::from(n) * 2.0;
        for length in [10.0, 20.0, seconds - from] {
            let (count, limit) = (fleet.count(client, from, length), rate * length + burst);
            if from + length <= seconds && length >= 10.0 {
                assert!(count <= 1.1 * limit, "{what}: {count} in {length} s from {from} s on, {limit} allowed");
            }
        }
    }
    let (count, limit) = (fleet.count(client, 0.0, seconds), rate * seconds + burst);
    assert!(count >= least * limit, "{what}: {count} in all, {limit} allowed");
}

#[test]
fn one_client_spread_over_eight_tasks_gets_its_limit() {
    for seed in SEEDS {
        for (limit, rate, burst) in
            [(TEN, 10.0, 100.0), ("rate = \"10/s\"", 10.0, 10.0), ("rate = \"100/s\"\nburst = 50", 100.0, 50.0)]
        {
            for route in [Route::RoundRobin, Route::Random] {
                let mut fleet = Fleet::new(8, limit, seed);
                fleet.run(40.0, &mut |fleet| fleet.send(1, 10.0 * rate, route));
                assert_held(&fleet, 1, (rate, burst), 0.9, &format!("seed {seed}, {limit:?}"));
                let (most, least) = fleet.ten_seconds(1, 10.0);
                assert!(least >= 9.0 * rate && most <= 11.0 * rate, "seed {seed}, {limit:?}: {least} to {most}");
            }
        }
    }
}

#[test]
fn tasks_that_come_and_go_change_nothing() {
    for seed in SEEDS {
        let mut fleet = Fleet::new(8, TEN, seed);
        let mut even = |fleet: &mut Fleet| fleet.send(1, 100.0, Route::RoundRobin);
        fleet.run(15.0, &mut even);
        fleet.join();
        fleet.run(10.0, &mut even);
        fleet.leave(3, false);
        fleet.run(10.0, &mut even);
        fleet.join();
        fleet.join();
        fleet.run(10.0, &mut even);
        fleet.leave(1, true);
        fleet.run(10.0, &mut even);
        // The leader itself, without a word.
        fleet.leave(0, false);
        fleet.run(15.0, &mut even);
        assert_held(&fleet, 1, (10.0, 100.0), 0.9, &format!("seed {seed}"));
        let (_, least) = fleet.ten_seconds(1, 10.0);
        assert!(least >= 80.0, "seed {seed}: {least}");
    }
}

#[test]
fn a_client_of_one_task_gets_its_limit_there() {
    for seed in SEEDS {
        for tasks in [2, 8, 40] {
            let mut fleet = Fleet::new(tasks, TEN, seed);
            fleet.run(40.0, &mut |fleet| {
                fleet.send(1, 100.0, Route::Sticky(1));
                fleet.send(2, 10.0, Route::Sticky(0));
                fleet.send(3, 6.0, Route::Sticky(0));
            });
            for client in [1, 2] {
                assert_held(&fleet, client, (10.0, 100.0), 0.0, "one task");
                let (most, least) = fleet.ten_seconds(client, 8.0);
                assert!(least >= 90.0 && most <= 110.0, "seed {seed}, {tasks} tasks, {client}: {least} to {most}");
            }
            let passed = fleet.count(3, 10.0, 30.0);
            assert!(passed >= 0.99 * 180.0, "seed {seed}, {tasks} tasks: {passed} of 180, within the limit");
        }
    }
}

#[test]
fn a_client_that_moves_from_task_to_task_gains_nothing() {
    for seed in SEEDS {
        for (stays, pause) in [(1.0, 0.0), (3.0, 0.0), (5.0, 0.0), (8.0, 0.0), (2.0, 4.0)] {
            let mut fleet = Fleet::new(8, TEN, seed);
            for turn in 0..12 {
                fleet.run(stays, &mut |fleet| fleet.send(1, 300.0, Route::Sticky(turn)));
                fleet.run(pause, &mut |_| ());
            }
            assert_held(&fleet, 1, (10.0, 100.0), 0.0, &format!("seed {seed}, {stays} s a task"));
        }
    }
}

/// The parts that it left fill up again while it is at another: not at once.
#[test]
fn a_client_that_gathers_and_spreads_gains_nothing() {
    for seed in SEEDS {
        for pause in [3.0, 5.0, 7.0] {
            let mut fleet = Fleet::new(8, TEN, seed);
            for turn in 0..8 {
                fleet.run(6.0, &mut |fleet| fleet.send(1, 50.0, Route::Sticky(turn)));
                fleet.run(pause, &mut |_| ());
                fleet.run(0.5, &mut |fleet| fleet.send(1, 400.0, Route::RoundRobin));
            }
            assert_held(&fleet, 1, (10.0, 100.0), 0.0, &format!("seed {seed}, a pause of {pause} s"));
        }
    }
}

#[test]
fn uneven_balancing_is_followed() {
    for seed in SEEDS {
        let mut fleet = Fleet::new(8, TEN, seed);
        // A crowd makes the balancing known; one of it asks for too much, one for three quarters of its limit.
        fleet.run(60.0, &mut |fleet| {
            (10..40).for_each(|client| fleet.send_by_chance(client, 1.0, Route::Zipf));
            fleet.send(1, 100.0, Route::Zipf);
            fleet.send_by_chance(2, 7.5, Route::Zipf);
        });
        assert_held(&fleet, 1, (10.0, 100.0), 0.85, &format!("seed {seed}"));
        let asked = fleet.asked[&2] as f64;
        let passed = fleet.count(2, 0.0, 60.0);
        assert!(passed >= 0.9 * asked, "seed {seed}: {passed} of {asked}, within the limit");
    }
}

#[test]
fn who_keeps_its_limit_is_let_be() {
    for seed in SEEDS {
        let mut fleet = Fleet::new(8, TEN, seed);
        fleet.run(60.0, &mut |fleet| fleet.send_by_chance(1, 8.0, Route::Random));
        let (asked, passed) = (fleet.asked[&1] as f64, fleet.count(1, 0.0, 60.0));
        assert!(passed >= 0.98 * asked, "seed {seed}: {passed} of {asked}");
        // Pages of sixty parts, all asked for at once.
        let mut fleet = Fleet::new(40, TEN, seed);
        let passed =
            (10..30).flat_map(|client| [client; 60]).filter(|&client| fleet.one(client, Route::Random)).count();
        assert!(passed >= 1_180, "seed {seed}: {passed} of 1,200");
    }
}

#[test]
fn a_store_that_is_away_leaves_the_parts_as_they_are() {
    for seed in SEEDS {
        let mut fleet = Fleet::new(8, TEN, seed);
        let mut both = |fleet: &mut Fleet| {
            fleet.send(1, 100.0, Route::RoundRobin);
            fleet.send(2, 100.0, Route::Sticky(2));
        };
        fleet.run(20.0, &mut both);
        fleet.store_up = false;
        fleet.run(30.0, &mut both);
        fleet.store_up = true;
        fleet.run(20.0, &mut both);
        assert_held(&fleet, 1, (10.0, 100.0), 0.9, "spread");
        assert_held(&fleet, 2, (10.0, 100.0), 0.75, "one task");
        let (most, least) = fleet.ten_seconds(2, 10.0);
        assert!(least >= 90.0 && most <= 110.0, "seed {seed}: {least} to {most}");
        // For so long that single keys mean nothing any more.
        fleet.store_up = false;
        fleet.run(65.0, &mut both);
        let moved = fleet.now.since(fleet.start).as_secs_f64();
        fleet.run(20.0, &mut |fleet| fleet.send(2, 100.0, Route::Sticky(5)));
        let passed = fleet.count(2, moved, 20.0);
        assert!((20.0..60.0).contains(&passed), "seed {seed}: {passed}: an eighth of 10/s, and of the burst");
    }
}

#[test]
fn a_task_that_never_heard_of_others_is_alone() {
    let mut fleet = Fleet::new(0, TEN, 1);
    fleet.store_up = false;
    fleet.join();
    assert_eq!((0..300).filter(|_| fleet.one(1, Route::RoundRobin)).count(), 100);
    let status = fleet.tasks[0].state.sharing.status(&fleet.tasks[0].policy);
    assert_eq!((status.tasks, status.heard, status.limits), (1, None, vec![("per-client".to_owned(), 1.0, 0)]));
    fleet.store_up = true;
    fleet.run(5.0, &mut |_| ());
    let status = fleet.tasks[0].state.sharing.status(&fleet.tasks[0].policy);
    assert_eq!((status.tasks, status.limits), (1, vec![("per-client".to_owned(), 1.0, 0)]));
    // Who comes while others are there begins with a small part.
    fleet.join();
    assert_eq!(fleet.tasks[1].state.sharing.status(&fleet.tasks[1].policy).tasks, 2);
}

/// What a fleet tells in the worst second: every task is asked for too much by as many keys as it may tell of.
#[test]
fn what_tasks_tell_is_bounded() {
    let mut dice = Dice::new(1);
    for (tasks, told, most_demand, most_digest) in
        [(8, 256, 12_000, 250_000), (40, 256, 12_000, 600_000), (1_000, 65, 3_500, 300_000)]
    {
        let mut ask = || {
            // Half of them spread over all tasks, half of them on one.
            let keys = (0..told).map(|n| {
                let spread = n % 2 == 0;
                let key = if spread { dice.below(2_000) } else { 10_000 + dice.below(1 << 20) };
                KeyDemand(0x2001_0db8 << 96 | (key as u128) << 64, 1_000 * (1 + dice.below(500) as u32))
            });
            let limit = LimitId { name: "per-client".into(), rate: (10, 1_000_000_000), burst: 100 };
            LimitDemand { limit, covered: 1_000, keys: keys.collect() }
        };
        let demands: Vec<_> = (0..tasks).map(|n| (format!("task-{n}"), TaskDemand::new(1, vec![ask()]))).collect();
        let before = Instant::now();
        let digest = Digest::of(None, &demands);
        let (took, keys) = (before.elapsed(), digest.limits[0].keys.len());
        let (demand, digest) = (demands[0].1.encode().len(), digest.encode());
        println!("{tasks} tasks: demand {demand} B, digest {} B with {keys} keys, made in {took:?}", digest.len());
        assert!(demand <= most_demand && digest.len() <= most_digest, "{tasks} tasks: {demand} B, {} B", digest.len());
        assert!(Digest::decode(&digest).is_ok());
    }
}
