//! The engine in virtual time.

use super::*;
use crate::config::settings::{Level, Severity, Side};
use crate::control::alert::signal;
use crate::sink::metrics::{Histogram, Sample, names};
use proptest::prelude::*;

const REPEAT: Duration = Duration::from_secs(3_600);

fn rule(signal: &str, level: f64, hold: u64) -> Rule {
    let signal = signal::find(signal).unwrap();
    Rule {
        name: "probe".into(),
        level: Level { value: level, unit: signal.unit },
        signal,
        side: Side::Above,
        hold: Duration::from_secs(hold),
        severity: Severity::Warning,
        builtin: false,
        required: true,
    }
}

fn bans(value: f64) -> Samples {
    Samples { values: vec![Sample { metric: &names::BANS, labels: vec![], value }], histograms: vec![] }
}

fn responses(good: u64, bad: u64) -> Samples {
    let of = |class: &str, n: u64| Sample {
        metric: &names::RESPONSES,
        labels: vec![class.into(), "origin".into()],
        value: n as f64,
    };
    Samples { values: vec![of("2xx", good), of("5xx", bad)], histograms: vec![] }
}

/// A world of one rule, a second at a time.
struct World {
    engine: Engine,
    second: u64,
    told: Vec<(u64, Kind)>,
    good: u64,
    bad: u64,
}

impl World {
    fn new(rule: Rule) -> Self {
        let engine = Engine::new(vec![rule], at(0));
        Self { engine, second: 0, told: vec![], good: 0, bad: 0 }
    }

    fn tick(&mut self, samples: &Samples) -> &mut Self {
        self.second += 1;
        let events = self.engine.tick(samples, REPEAT, at(self.second));
        self.told.extend(events.iter().map(|e| (self.second, e.kind)));
        self
    }

    fn bans(&mut self, value: f64, seconds: u64) -> &mut Self {
        (0..seconds).for_each(|_| {
            self.tick(&bans(value));
        });
        self
    }

    /// So many good and bad responses a second.
    fn traffic(&mut self, good: u64, bad: u64, seconds: u64) -> &mut Self {
        for _ in 0..seconds {
            (self.good, self.bad) = (self.good + good, self.bad + bad);
            self.tick(&responses(self.good, self.bad));
        }
        self
    }

    fn state(&self) -> State {
        self.engine.standings().next().unwrap().state
    }
}

fn at(second: u64) -> Time {
    Time::from_nanos((second + 1_000) * 1_000_000_000)
}

#[test]
fn it_fires_exactly_after_its_time_once_and_clears_once() {
    let mut world = World::new(rule("bans", 5.0, 60));
    assert_eq!(world.bans(5.0, 100).state(), State::Ok);
    assert_eq!(world.bans(6.0, 60).state(), State::Pending);
    assert_eq!(world.bans(6.0, 1).state(), State::Firing);
    assert_eq!(world.bans(6.0, 100).bans(5.0, 60).state(), State::Firing);
    assert_eq!(world.bans(5.0, 100).state(), State::Ok);
    assert_eq!(world.told, [(161, Kind::Firing), (322, Kind::Cleared)]);
}

#[test]
fn a_break_starts_the_time_again_and_none_fires_at_once() {
    let mut world = World::new(rule("bans", 5.0, 60));
    (0..50).for_each(|_| {
        world.bans(9.0, 60).bans(1.0, 1);
    });
    assert_eq!((world.state(), world.told.len()), (State::Ok, 0));
    let mut at_once = World::new(rule("bans", 5.0, 0));
    at_once.bans(6.0, 1);
    assert_eq!(at_once.told, [(1, Kind::Firing)]);
}

#[test]
fn what_lasts_is_told_again_and_missing_figures_clear_nothing() {
    let mut world = World::new(rule("bans", 5.0, 10));
    world.bans(6.0, 2 * 3_600 + 11);
    assert_eq!(world.told, [(11, Kind::Firing), (3_611, Kind::Repeated), (7_211, Kind::Repeated)]);
    world.told.clear();
    for _ in 0..4_000 {
        world.tick(&Samples::default());
    }
    assert_eq!((world.state(), world.told.len()), (State::Firing, 0));
    world.bans(1.0, 11);
    assert_eq!(world.told.iter().map(|(_, kind)| *kind).collect::<Vec<_>>(), [Kind::Cleared]);
}

#[test]
fn one_that_flaps_is_told_ever_more_seldom() {
    let mut world = World::new(rule("bans", 5.0, 0));
    for _ in 0..3_600 / 40 {
        world.bans(6.0, 20).bans(1.0, 20);
    }
    assert!(world.told.len() <= 5, "{:?}", world.told);
    assert_eq!(world.bans(1.0, 3_600).state(), State::Ok);
    assert_eq!(world.told.iter().filter(|(_, k)| *k == Kind::Firing).count() * 2, world.told.len());
}

#[test]
fn missing_figures_are_told_after_a_while_where_they_must_be_there() {
    for (required, want) in [(true, vec![Kind::NoData, Kind::DataBack]), (false, vec![])] {
        let mut world = World::new(Rule { required, ..rule("bans", 5.0, 60) });
        for n in 0..400 {
            world.tick(&if n % 2 == 0 { Samples::default() } else { bans(f64::NAN) });
        }
        assert_eq!(world.state(), State::NoData);
        world.bans(1.0, 10);
        assert_eq!(world.told.iter().map(|(_, kind)| *kind).collect::<Vec<_>>(), want);
        assert!(world.told.first().is_none_or(|(second, _)| *second == 301));
    }
}

#[test]
fn shares_need_a_hundred_requests_and_forget_after_a_minute() {
    let mut world = World::new(rule("server_error_share", 0.01, 120));
    // Three requests, all of them bad, say nothing; nor does one burst.
    world.traffic(0, 0, 60).traffic(0, 1, 3).traffic(0, 0, 300);
    assert_eq!(world.told, []);
    world.traffic(100, 0, 600).traffic(0, 100, 2).traffic(100, 0, 300);
    assert_eq!((world.state(), world.told.len()), (State::Ok, 0));
    let start = world.second;
    world.traffic(98, 2, 120);
    assert_eq!(world.told.len(), 0);
    world.traffic(98, 2, 60);
    assert_eq!((world.told.len(), world.state()), (1, State::Firing));
    assert!((start + 121..start + 182).contains(&world.told[0].0), "{:?} after {start}", world.told);
    world.traffic(100, 0, 200);
    assert_eq!(world.told[1].1, Kind::Cleared);
}

#[test]
fn with_few_requests_a_share_looks_further_back_but_not_beyond_its_time() {
    // 30 a minute, a tenth bad: too few in a minute, enough in five.
    for (hold, fires) in [(300, true), (60, false)] {
        let mut world = World::new(rule("server_error_share", 0.01, hold));
        for n in 0..600 {
            world.traffic(u64::from(n % 10 != 0), u64::from(n % 10 == 0), 1).traffic(0, 0, 1);
        }
        assert_eq!(world.state() == State::Firing, fires, "{hold}");
    }
}

#[test]
fn rates_and_quantiles_are_of_the_last_minute() {
    let counter = |value: f64| Samples {
        values: vec![Sample { metric: &names::EVENTS_DROPPED, labels: vec![], value }],
        histograms: vec![],
    };
    let mut world = World::new(rule("events_dropped_rate", 0.0, 0));
    (0..100).for_each(|_| {
        world.tick(&counter(5.0));
    });
    assert_eq!(world.told, []);
    (0..100).for_each(|_| {
        world.tick(&counter(6.0));
    });
    assert_eq!(world.told, [(101, Kind::Firing), (171, Kind::Cleared)]);
    // A counter that began anew is no growth.
    (0..100).for_each(|_| {
        world.tick(&counter(1.0));
    });
    assert_eq!(world.told.len(), 2);

    let histogram = |fast: u64, slow: u64| {
        let (counts, bounds) = (vec![fast, slow, 0], vec![0.1, 1.0]);
        Samples {
            values: vec![],
            histograms: vec![Histogram { metric: &names::ORIGIN_LATENCY, counts, bounds, sum: 0.0 }],
        }
    };
    let mut world = World::new(rule("origin_latency_p95", 0.5, 0));
    for n in 0..200 {
        world.tick(&histogram(100 * n, 0));
    }
    assert_eq!(world.told, []);
    for n in 0..30 {
        world.tick(&histogram(20_000, 100 * n));
    }
    assert_eq!(world.told.len(), 1);
    let value = world.engine.standings().next().unwrap().value;
    assert!(matches!(value, Measure::Value(v) if (0.8..1.0).contains(&v)), "{value:?}");
}

#[test]
fn the_worst_series_counts_and_only_the_writer_speaks_of_waf() {
    let waf = |writer: f64, ages: &[f64]| {
        let age = |(n, value): (usize, &f64)| Sample {
            metric: &names::WAF_SYNC_AGE,
            labels: vec![format!("set-{n}")],
            value: *value,
        };
        let mut values: Vec<_> = ages.iter().enumerate().map(age).collect();
        values.push(Sample { metric: &names::WAF_WRITER, labels: vec![], value: writer });
        Samples { values, histograms: vec![] }
    };
    let mut world = World::new(rule("waf_sync_age", 300.0, 0));
    world.tick(&waf(1.0, &[10.0, 200.0])).tick(&waf(0.0, &[900.0]));
    assert_eq!((world.told.len(), world.state()), (0, State::Ok));
    world.tick(&waf(1.0, &[10.0, 301.0]));
    assert_eq!(world.told.len(), 1);
}

#[test]
fn a_reload_keeps_what_stays_and_tells_what_goes() {
    let (stays, goes) = (rule("bans", 5.0, 60), Rule { name: "other".into(), ..rule("bans", 5.0, 60) });
    let mut engine = Engine::new(vec![stays.clone(), goes], at(0));
    for second in 1..=40 {
        engine.tick(&bans(9.0), REPEAT, at(second));
    }
    assert_eq!(engine.reload(vec![Rule { severity: Severity::Critical, ..stays.clone() }], at(40)), []);
    let fired: Vec<_> = (41..=61).flat_map(|second| engine.tick(&bans(9.0), REPEAT, at(second))).collect();
    assert_eq!(fired.iter().map(|e| (e.kind, e.at)).collect::<Vec<_>>(), [(Kind::Firing, at(61))]);
    let events = engine.reload(vec![Rule { side: Side::Below, ..stays }], at(70));
    assert_eq!(
        events.iter().map(|e| (e.kind, e.note)).collect::<Vec<_>>(),
        [(Kind::Cleared, "the config has no such rule any more")]
    );
    assert_eq!(engine.standings().map(|s| s.state).collect::<Vec<_>>(), [State::Ok]);
}

proptest! {
    /// Whatever the values: it never fires unless it was bad for its whole time, and firing and all-clear take turns.
    #[test]
    fn it_fires_only_after_its_time_and_tells_in_turns(
        hold in 0u64..20,
        runs in prop::collection::vec((prop::option::of(0u64..10), 1u64..30), 1..40),
    ) {
        let mut world = World::new(rule("bans", 5.0, hold));
        let mut bad_for = 0;
        for (value, seconds) in runs {
            for _ in 0..seconds {
                let before = world.told.len();
                world.tick(&value.map_or_else(Samples::default, |v| bans(v as f64)));
                bad_for = if value.is_some_and(|v| v > 5) { bad_for + 1 } else { 0 };
                for (_, kind) in &world.told[before..] {
                    match kind {
                        Kind::Firing => prop_assert!(bad_for > hold),
                        Kind::Cleared => prop_assert_eq!(bad_for, 0),
                        _ => {}
                    }
                }
            }
        }
        let turns: Vec<_> = world.told.iter().map(|t| t.1).filter(|k| matches!(k, Kind::Firing | Kind::Cleared)).collect();
        for (n, kind) in turns.iter().enumerate() {
            prop_assert_eq!(*kind, if n % 2 == 0 { Kind::Firing } else { Kind::Cleared });
        }
    }

    /// Whatever the shape of samples, it says something and goes on.
    #[test]
    fn no_figures_upset_it(
        all in prop::collection::vec((0usize..8, any::<f64>(), prop::collection::vec(any::<u32>(), 0..6)), 0..60),
    ) {
        let signals = ["bans", "server_error_share", "origin_latency_p95", "events_dropped_rate", "origin_load", "flood_state", "waf_sync_age", "config_refused"];
        let rules = signals.iter().map(|s| Rule { name: (*s).into(), ..rule(s, 0.5, 3) }).collect();
        let mut engine = Engine::new(rules, at(0));
        for (second, (which, value, counts)) in all.into_iter().enumerate() {
            let metrics = [&names::BANS, &names::RESPONSES, &names::EVENTS_DROPPED, &names::FLOOD_OFFERED, &names::FLOOD_CAPACITY, &names::FLOOD_STATE, &names::WAF_WRITER, &names::RELOAD_OK];
            let labels = vec!["5xx".to_owned(); metrics[which].labels.len()];
            let counts = counts.into_iter().map(u64::from).collect();
            let samples = Samples {
                values: vec![Sample { metric: metrics[which], labels, value }],
                histograms: vec![Histogram { metric: &names::ORIGIN_LATENCY, counts, bounds: vec![0.1, 1.0], sum: 0.0 }],
            };
            for event in engine.tick(&samples, REPEAT, at(second as u64)) {
                prop_assert!(event.value.is_none_or(f64::is_finite));
            }
        }
    }
}
