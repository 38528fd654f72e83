//! The limit table in virtual time: against governor, at the edges of its clock, across reloads, under a flood.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![cfg(not(loom))]

use governor::clock::FakeRelativeClock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use proptest::prelude::*;
use std::num::NonZeroU32;
use std::time::Duration;
use weir::base::clock::Time;
use weir::base::units::Rate;
use weir::limit::gcra::{Decision, Quota};
use weir::limit::seeds::Seeds;
use weir::limit::table::Table;

const START: Time = Time::from_nanos(86_400_000_000_000);
const DAY: u64 = 86_400;

fn per(count: u32, seconds: u64) -> Rate {
    Rate { count, period: Duration::from_secs(seconds) }
}

fn table(slots: u32, quota: &Quota) -> Table {
    Table::new(slots, quota, Seeds::fixed(1))
}

fn take(table: &Table, key: u128, quota: &Quota, now: Time) -> bool {
    let spot = table.locate(key);
    let (peeked, taken) = (table.peek(spot, quota, now), table.take(spot, quota, now));
    assert_eq!(peeked, taken, "one thread: peek foretells take");
    taken.admits()
}

/// How many of `count` requests at once are admitted.
fn take_many(table: &Table, key: u128, quota: &Quota, now: Time, count: u32) -> u32 {
    (0..count).map(|_| u32::from(take(table, key, quota, now))).sum()
}

/// Any rate from 1/day to 100,000/s, small and large ones alike.
fn rates() -> impl Strategy<Value = Rate> {
    (prop::sample::select(vec![1, 60, 3600, DAY]), 0.0..5.0f64)
        .prop_map(|(seconds, magnitude)| per(10f64.powf(magnitude).round() as u32, seconds))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Both count the same requests, but round time differently: governor an interval to a nanosecond, weir `now` to
    /// 1/1024 of an interval. So one may admit a request that the other admits next time; never more than one apart.
    #[test]
    fn it_admits_what_governor_admits(
        rate in rates(),
        burst in 1u32..50,
        gaps in prop::collection::vec((0u8..3, 0.0..1.0f64, 0u128..3), 1..400),
    ) {
        let quota = Quota::new(rate, burst);
        let table = table(1024, &quota);
        let clock = FakeRelativeClock::default();
        let interval = rate.interval_nanos();
        let oracle = governor::RateLimiter::<u128, DefaultKeyedStateStore<u128>, _, NoOpMiddleware<_>>::new(
            governor::Quota::with_period(Duration::from_nanos(interval as u64))
                .unwrap()
                .allow_burst(NonZeroU32::new(burst).unwrap()),
            DefaultKeyedStateStore::default(),
            clock.clone(),
        );
        let (mut now, mut ahead) = (START, [0i32; 3]);
        for (kind, share, key) in gaps {
            // None, within an interval, or a pause of several bursts.
            let gap = [0.0, share, share * 3.0 * f64::from(burst)][usize::from(kind)] * interval;
            let gap = Duration::from_nanos(gap as u64);
            now = now + gap;
            clock.advance(gap);
            let ahead = &mut ahead[key as usize];
            *ahead += i32::from(take(&table, key, &quota, now)) - i32::from(oracle.check_key(&key).is_ok());
            prop_assert!(ahead.abs() <= 1, "{ahead} ahead of governor");
        }
    }

    #[test]
    fn waiting_for_as_long_as_told_admits(rate in rates(), burst in 1u32..50, offset in 0u64..1_000_000_000_000) {
        let quota = Quota::new(rate, burst);
        let table = table(8, &quota);
        let now = START + Duration::from_nanos(offset);
        prop_assert_eq!(take_many(&table, 1, &quota, now, burst + 1), burst);
        let spot = table.locate(1);
        let Decision::Refuse { retry_after } = table.peek(spot, &quota, now) else { panic!("admitted") };
        prop_assert!(table.peek(spot, &quota, now + retry_after).admits());
        let interval = Duration::from_nanos(rate.interval_nanos() as u64);
        prop_assert!(retry_after <= interval + Duration::from_nanos(3), "{:?}", retry_after);
        prop_assert!(!table.peek(spot, &quota, now + interval * 99 / 100).admits());
    }

    /// A reload keeps how much of the burst is used, and from then on nobody gets more than the new quota.
    #[test]
    fn a_reload_keeps_the_counters(
        rate in rates(), new_rate in rates(), burst in 1u32..100, new_burst in 1u32..100, used in 0u32..100,
    ) {
        let (old, new) = (Quota::new(rate, burst), Quota::new(new_rate, new_burst));
        let mut table = table(8, &old);
        let used = take_many(&table, 1, &old, START, used);
        prop_assert_eq!(table.needs_retick(&new), rate.interval_nanos() != new_rate.interval_nanos());
        if table.needs_retick(&new) {
            table = table.retick(&new, START);
        } else {
            table.sweep(&new, START, 0..table.lines());
        }
        prop_assert!(!table.needs_retick(&new));
        prop_assert_eq!(take_many(&table, 1, &new, START, 200), new_burst.saturating_sub(used));
        let interval = Duration::from_nanos(new_rate.interval_nanos().ceil() as u64);
        prop_assert_eq!(take_many(&table, 1, &new, START + interval * 3, 200), 3.min(new_burst), "it fills again");
        prop_assert_eq!(take_many(&table, 1, &new, START + interval * 1000, 200), new_burst);
    }
}

#[test]
fn rates_are_exact_in_the_long_run() {
    let rates = [
        per(1, DAY),
        per(1, 3600),
        per(7, 60),
        per(10, 1),
        per(333, 1),
        per(70_000, 1),
        per(99_999, 1),
        per(100_000, 1),
    ];
    for rate in rates {
        for burst in [2, 50] {
            let quota = Quota::new(rate, burst);
            let table = table(8, &quota);
            // Four requests an interval, at odd moments, for 20,000 intervals. (A burst of 1 would lose what lies
            // between the moment it is full and the next request.)
            let step = rate.interval_nanos() / 4.07;
            let admitted: u32 = (0..81_400)
                .map(|n| u32::from(take(&table, 1, &quota, START + Duration::from_nanos((f64::from(n) * step) as u64))))
                .sum();
            let expected = burst + 20_000;
            // To one request in 20,000: twenty times better than demanded.
            assert!(admitted.abs_diff(expected) <= 1, "{rate:?}, burst {burst}: {admitted} of {expected}");
        }
    }
}

#[test]
fn who_keeps_to_the_rate_is_never_refused() {
    for rate in [per(1, DAY), per(7, 60), per(333, 1), per(70_000, 1), per(99_999, 1)] {
        let quota = Quota::new(rate, 1);
        let table = table(8, &quota);
        for n in 0..20_000u64 {
            let at = START + Duration::from_nanos((rate.period.as_nanos() as u64 * n).div_ceil(u64::from(rate.count)));
            assert!(take(&table, 1, &quota, at), "{rate:?}, request {n}");
        }
    }
}

/// Half of the range of a slot's clock at 100,000/s: 2^39 ticks of 1/1024 interval.
const HALF: Duration = Duration::from_nanos((1 << 29) * 10_000);

#[test]
fn a_pause_as_long_as_the_clocks_range_frees_nobody_early() {
    let quota = Quota::new(per(100_000, 1), 100);
    for idle in [HALF - Duration::from_secs(1), HALF, HALF + Duration::from_secs(1), HALF * 3 / 2, HALF * 2, HALF * 4] {
        for swept in [false, true] {
            let table = table(8, &quota);
            assert_eq!(take_many(&table, 1, &quota, START, 200), 100);
            let mut now = START;
            while swept && now < START + idle {
                now = now + table.sweep_period();
                table.sweep(&quota, now, 0..table.lines());
            }
            let end = (START + idle).max(now);
            let again = take_many(&table, 1, &quota, end, 200);
            // Unswept, an old debt may be read as a new one: too strict, never too kind.
            assert!(if swept { again == 100 } else { again <= 100 }, "{idle:?}, swept {swept}: {again}");
            // A sweep and a full refill later, all is well again even then.
            table.sweep(&quota, end, 0..table.lines());
            assert_eq!(take_many(&table, 1, &quota, end + Duration::from_millis(1), 200), 100);
        }
    }
}

#[test]
fn the_clock_wraps_in_the_middle_of_a_debt() {
    let quota = Quota::new(per(100_000, 1), 100);
    for intervals_before in [0u64, 1, 50, 99, 100, 101] {
        let table = table(8, &quota);
        let wrap = 2 * HALF.as_nanos() as u64;
        let start = Time::from_nanos(wrap - intervals_before * 10_000);
        let admitted: u32 =
            (0..4_000u64).map(|n| u32::from(take(&table, 1, &quota, start + Duration::from_nanos(n * 2_500)))).sum();
        assert!(admitted.abs_diff(1_100) <= 1, "{intervals_before} before: {admitted}");
    }
}

#[test]
fn a_sweep_clears_only_what_has_long_been_over() {
    let quota = Quota::new(per(100_000, 1), 10);
    let table = table(800, &quota);
    for key in 0..100 {
        assert!(take(&table, key, &quota, START));
    }
    let swept = table.sweep(&quota, START, 0..table.lines());
    assert_eq!((swept.in_debt, swept.cleared, swept.cut), (100, 0, 0));
    let swept = table.sweep(&quota, START + Duration::from_secs(1), 0..table.lines());
    assert_eq!((swept.in_debt, swept.cleared), (0, 0));
    let parts = [0..30, 30..70, 70..9_999, 5_000..6_000];
    let cleared: usize = parts.map(|lines| table.sweep(&quota, START + HALF / 2, lines).cleared).into_iter().sum();
    assert_eq!(cleared, 100);
}

#[test]
fn a_table_is_swept_when_it_is_due_and_not_before() {
    let quota = Quota::new(per(100_000, 1), 10);
    let table = table(800, &quota);
    let sweep = |now| {
        table.sweep_when_due(&quota, now);
        table.sweep(&quota, now, 0..table.lines()).cleared
    };
    assert_eq!(sweep(START), 0);
    assert!(take(&table, 1, &quota, START));
    let old = START + HALF / 2;
    table.sweep_when_due(&quota, old);
    assert_eq!(sweep(old), 0, "it was swept when it was due");
    assert!(take(&table, 1, &quota, old));
    assert!(table.sweep_period() / 2 > Duration::from_secs(20 * 60), "those who call do so every 20 minutes");
}

#[test]
fn a_lowered_burst_is_an_empty_bucket_at_once() {
    let (old, new) = (Quota::new(per(10, 1), 1000), Quota::new(per(10, 1), 10));
    let table = table(8, &old);
    assert_eq!(take_many(&table, 1, &old, START, 2000), 1000);
    assert!(!take(&table, 1, &new, START), "before the sweep");
    assert_eq!(table.debt(table.locate(1), &new, START).unwrap().used, 10);
    assert_eq!(table.sweep(&new, START, 0..table.lines()).cut, 1);
    assert_eq!(take_many(&table, 1, &new, START + Duration::from_millis(500), 20), 5);
}

#[test]
fn what_a_key_owes_is_told() {
    let quota = Quota::new(per(10, 1), 20);
    let table = table(8, &quota);
    let spot = table.locate(1);
    assert_eq!(table.debt(spot, &quota, START), None);
    take_many(&table, 1, &quota, START, 5);
    let debt = table.debt(spot, &quota, START).unwrap();
    assert_eq!((debt.used, debt.over_after.as_millis()), (5, 500));
    assert_eq!(table.debt(spot, &quota, START + Duration::from_millis(250)).unwrap().used, 3);
    assert_eq!(table.debt(spot, &quota, START + Duration::from_millis(500)), None);
    assert_eq!(table.debt(table.locate(2), &quota, START), None);
}

#[test]
fn a_newcomer_to_a_full_line_inherits_the_least_debt() {
    let quota = Quota::new(per(10, 1), 10);
    let table = table(8, &quota);
    assert_eq!((table.lines(), table.slots(), table.bytes()), (1, 8, 64));
    for key in 0..8 {
        take_many(&table, key, &quota, START, 3 + key as u32);
    }
    let newcomer = |key| table.take(table.locate(key), &quota, START);
    assert_eq!(newcomer(100), Decision::Admit { remaining: 6 }, "key 0's 3 of 10, and one");
    assert_eq!(newcomer(101), Decision::Admit { remaining: 5 }, "4, of key 100 or of key 1, and one");
    // Key 0 comes back and finds no less than it left: it took 3 of its 10.
    assert!(take_many(&table, 0, &quota, START, 20) <= 7);
    // The worst offender never lost its place.
    assert_eq!(table.debt(table.locate(7), &quota, START).unwrap().used, 10);
    assert!(!take(&table, 7, &quota, START));
    // Once debts are over, newcomers start afresh.
    assert_eq!(take_many(&table, 102, &quota, START + Duration::from_secs(1), 20), 10);
}

#[test]
fn a_refused_request_writes_nothing() {
    let quota = Quota::new(per(10, 1), 3);
    let table = table(8, &quota);
    take_many(&table, 1, &quota, START, 1_000);
    assert_eq!(take_many(&table, 1, &quota, START + Duration::from_millis(300), 20), 3);
}

/// In a table of one line, whoever comes and goes, no key gets more than its limit.
#[test]
fn no_key_ever_gets_more_than_its_limit() {
    let quota = Quota::new(per(1000, 1), 20);
    let table = table(8, &quota);
    let mut got = [0u64; 12];
    let mut state = 42u64;
    for n in 0..200_000u64 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let key = (state >> 40) as usize % got.len();
        // Some keys at a third of their rate, others far above.
        if key < 4 && state >> 60 != 0 {
            continue;
        }
        let now = START + Duration::from_micros(n * 20);
        got[key] += u64::from(take(&table, key as u128, &quota, now));
        let limit = 20 + (n * 20) / 1000 + 1;
        assert!(got[key] <= limit, "key {key} got {} of {limit}", got[key]);
    }
}

struct Flood {
    offenders: u32,
    new_a_millisecond: u32,
    milliseconds: u32,
}

/// 10/s and a burst of 20 for everybody, offenders at 100/s, 1,000 good clients at 5/s, and a flood of new keys.
/// Returns what the worst offender got, what all got in share of what they may, and how many good requests were
/// refused.
fn flood(flood: &Flood) -> (u32, f64, u32) {
    let quota = Quota::new(per(10, 1), 20);
    let table = table(1 << 20, &quota);
    let bytes = table.bytes();
    let mut got = vec![0u32; flood.offenders as usize];
    let (mut refused, mut newcomer) = (0, 1u128 << 64);
    for ms in 0..flood.milliseconds {
        let now = START + Duration::from_millis(u64::from(ms));
        let admits = |key: u128| table.take(table.locate(key), &quota, now).admits();
        for offender in (0..flood.offenders).filter(|o| (o + ms) % 10 == 0) {
            got[offender as usize] += u32::from(admits(u128::from(offender)));
        }
        for good in (0..1000u32).filter(|g| (g + ms) % 200 == 0) {
            refused += u32::from(!admits(1 << 40 | u128::from(good)));
        }
        for _ in 0..flood.new_a_millisecond {
            newcomer += 1;
            admits(newcomer);
        }
    }
    assert_eq!(table.bytes(), bytes, "fixed");
    let limit = 20 + flood.milliseconds / 100;
    let share = f64::from(got.iter().sum::<u32>()) / f64::from(limit) / f64::from(flood.offenders);
    (got.into_iter().max().unwrap_or(0), share, refused)
}

#[test]
fn a_flood_of_new_keys_frees_no_offender() {
    let floods = [
        Flood { offenders: 1, new_a_millisecond: 1_000, milliseconds: 4_000 },
        Flood { offenders: 10_000, new_a_millisecond: 1_000, milliseconds: 4_000 },
        // 2^20 slots for two million keys in debt: the table overflows.
        Flood { offenders: 1_000, new_a_millisecond: 20_000, milliseconds: 400 },
    ];
    for (case, parameters) in floods.iter().enumerate() {
        let limit = 20 + parameters.milliseconds / 100;
        let (worst, share, refused) = flood(parameters);
        println!(
            "flood {case}: the worst offender got {worst} of {limit}, all {share:.5}; {refused} good ones refused"
        );
        assert!(worst <= limit, "flood {case}: {worst} of {limit}");
        assert!(refused == 0 || case == 2, "flood {case}: {refused} good requests refused");
    }
}

#[test]
fn threads_that_race_get_no_more_than_one_would() {
    const BURST: u32 = 500;
    let quota = Quota::new(per(1, DAY), BURST);
    // Eight lines for thousands of keys: every slot changes hands all the time.
    let table = table(64, &quota);
    let got: u32 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4u128)
            .map(|thread| {
                let (table, quota) = (&table, &quota);
                scope.spawn(move || {
                    let mut got = 0;
                    for n in 0..20_000u128 {
                        got += u32::from(table.take(table.locate(7), quota, START).admits());
                        table.take(table.locate(1000 + thread * 100_000 + n), quota, START);
                    }
                    got
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(got <= BURST, "{got}");
    assert!(got > 0);
}
