//! Limits that count over the whole fleet, in virtual time: tasks that come, go and crash, a store that is late or away.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "fleet_limits/world.rs"]
mod world;

use world::{Fleet, Route};

#[test]
fn probe() {
    for (name, tasks, limit, rate, burst, demand, route) in [
        ("rr 8 10x", 8, "rate = \"10/s\"\nburst = 100", 10.0, 100.0, 100.0, Route::RoundRobin),
        ("rr 8 10x b10", 8, "rate = \"10/s\"\nburst = 10", 10.0, 10.0, 100.0, Route::RoundRobin),
        ("rr 8 10x 100/s", 8, "rate = \"100/s\"\nburst = 200", 100.0, 200.0, 1000.0, Route::RoundRobin),
        ("random 8 10x", 8, "rate = \"10/s\"\nburst = 100", 10.0, 100.0, 100.0, Route::Random),
        ("zipf 8 10x", 8, "rate = \"10/s\"\nburst = 100", 10.0, 100.0, 100.0, Route::Zipf),
        ("sticky 8 10x", 8, "rate = \"10/s\"\nburst = 100", 10.0, 100.0, 100.0, Route::Sticky(3)),
        ("sticky 8 1x", 8, "rate = \"10/s\"\nburst = 100", 10.0, 100.0, 10.0, Route::Sticky(3)),
        ("sticky 8 .6x", 8, "rate = \"10/s\"\nburst = 100", 10.0, 100.0, 6.0, Route::Sticky(3)),
        ("random 8 .8x", 8, "rate = \"10/s\"\nburst = 100", 10.0, 100.0, 8.0, Route::Random),
        ("random 8 .8x b10", 8, "rate = \"10/s\"\nburst = 10", 10.0, 10.0, 8.0, Route::Random),
        ("zipf 8 .8x", 8, "rate = \"10/s\"\nburst = 100", 10.0, 100.0, 8.0, Route::Zipf),
        ("slow rr 8 10x", 8, "rate = \"30/m\"\nburst = 10", 0.5, 10.0, 5.0, Route::RoundRobin),
        ("slow sticky 8 10x", 8, "rate = \"30/m\"\nburst = 10", 0.5, 10.0, 5.0, Route::Sticky(2)),
        ("rr 40 10x", 40, "rate = \"10/s\"\nburst = 100", 10.0, 100.0, 100.0, Route::RoundRobin),
        ("random 40 .8x", 40, "rate = \"10/s\"\nburst = 100", 10.0, 100.0, 8.0, Route::Random),
        ("sticky 40 10x", 40, "rate = \"10/s\"\nburst = 100", 10.0, 100.0, 100.0, Route::Sticky(2)),
    ] {
        let mut fleet = Fleet::new(tasks, limit, 1);
        fleet.run(60.0, &mut |fleet| fleet.send(1, demand, route));
        let (most, least) = fleet.ten_seconds(1, 5.0);
        let status = fleet.tasks[3].state.sharing.status(&fleet.tasks[3].policy);
        println!(
            "{name:18} first s {:4} first 10 {:4} of {:4}; all 60: {:5} of {:5}; 10 s: {least}..{most} of {}; {:?}",
            fleet.count(1, 0.0, 1.0),
            fleet.count(1, 0.0, 10.0), rate * 10.0 + burst,
            fleet.count(1, 0.0, 60.0), rate * 60.0 + burst,
            rate * 10.0, status.limits
        );
    }
}
