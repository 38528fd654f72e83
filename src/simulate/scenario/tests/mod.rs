//! Tests of what all scenarios have in common: seeds, shares, names.

mod parts;

use super::*;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

static SITE: LazyLock<Background> = LazyLock::new(|| Background::generated(1));
static BOTS: LazyLock<Attackers> = LazyLock::new(|| Attackers::generated(1));

fn scenario(name: &str, seed: u64) -> Scenario {
    build(name, seed, &SITE, &BOTS).unwrap()
}

fn text(events: &[Event]) -> String {
    let mut out = vec![];
    tsv::write(events, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn addresses(events: &[&Event]) -> HashSet<IpAddr> {
    events.iter().map(|e| e.client).collect()
}

/// What a scenario has that the quiet one of the same seed has not.
fn beyond_quiet<'a>(scenario: &'a Scenario, quiet: &Scenario) -> Vec<&'a Event> {
    let usual: HashSet<(u64, IpAddr)> = quiet.events.iter().map(|e| (e.t.to_bits(), e.client)).collect();
    scenario.events.iter().filter(|e| !usual.contains(&(e.t.to_bits(), e.client))).collect()
}

#[test]
fn a_seed_decides_every_byte() {
    let first = text(&scenario("sub-capacity", 7).events);
    assert_eq!(first, text(&scenario("sub-capacity", 7).events));
    assert_ne!(first, text(&scenario("sub-capacity", 8).events));
    // The same on every machine and for ever: figures of different days can be compared.
    assert_eq!(random::hash(first.as_bytes()), 4_468_137_644_203_208_955);
    assert_eq!(random::hash(text(SITE.history()).as_bytes()), 14_865_332_741_279_857_769);
}

#[test]
fn the_background_of_a_seed_is_the_same_in_every_scenario() {
    let (quiet, attacked) = (scenario("quiet", 3), scenario("sub-capacity", 3));
    let people: Vec<Event> = attacked.events.into_iter().filter(|e| e.kind != Kind::Attacker).collect();
    assert_eq!(text(&people), text(&quiet.events));
}

#[test]
fn events_are_sorted_whole_microseconds_of_the_window() {
    for (name, window) in [("quiet", WINDOW), ("office", WINDOW), ("match-day", 3000.0), ("day", 86_400.0)] {
        let events = scenario(name, 1).events;
        assert!(events.is_sorted_by(|a, b| a.t <= b.t), "{name}");
        assert!(events.iter().all(|e| (0.0..=window).contains(&e.t)), "{name}");
        assert!(events.iter().all(|e| ((e.t * 1e6).round() - e.t * 1e6).abs() < 1e-3), "{name}");
        assert!(events.last().unwrap().t > 0.98 * window, "{name}");
    }
    assert!(SITE.history().is_sorted_by(|a, b| a.t <= b.t));
    assert_eq!(SITE.history().last().unwrap().t, -600.0);
    assert!(SITE.history()[0].t < -19.0 * 86_400.0);
}

#[test]
fn a_generated_site_is_as_busy_and_as_known_as_a_real_one() {
    for seed in [1, 2] {
        let quiet = scenario("quiet", seed);
        let mean = quiet.events.len() as f64 / WINDOW;
        let mut seconds = HashMap::new();
        quiet.events.iter().for_each(|e| *seconds.entry(e.t as u64).or_insert(0u32) += 1);
        let peak = *seconds.values().max().unwrap();
        assert!((18.0..30.0).contains(&mean) && (50..100).contains(&peak), "{mean}/s, peak {peak}");
        let share = |kind| quiet.events.iter().filter(|e| e.kind == kind).count() as f64 / quiet.events.len() as f64;
        assert!((0.35..0.6).contains(&share(Kind::Known)), "{}", share(Kind::Known));
        assert!(!quiet.attacked);
        let seen = addresses(&SITE.history().iter().collect::<Vec<_>>());
        assert!(quiet.events.iter().all(|e| (e.kind == Kind::Known) == seen.contains(&e.client)));
    }
}

#[test]
fn attacks_have_their_rates_and_their_bots() {
    let login = scenario("login", 1);
    let attack: Vec<&Event> = login.events.iter().filter(|e| e.kind == Kind::Attacker).collect();
    assert!(attack.len().abs_diff(1500 * 72) < 1080, "{} of 108,000", attack.len());
    assert_eq!(addresses(&attack).len(), 1500);
    assert!(attack.iter().all(|e| (&*e.method, &*e.path, e.solves) == ("POST", "/login", false)));
    assert!(attack.iter().all(|e| (login.onset..login.end).contains(&e.t)));
    assert!(login.attacked && login.challenge);

    let one = scenario("one-source-50", 1);
    let attack: Vec<&Event> = one.events.iter().filter(|e| e.kind == Kind::Attacker).collect();
    assert!(attack.len().abs_diff(3000) < 180, "{} of 3,000", attack.len());
    assert_eq!(addresses(&attack).len(), 1);
    assert_eq!(one.end - one.onset, 60.0);
}

#[test]
fn patient_bots_have_a_past() {
    let patient = scenario("patient-2h", 1);
    let visits: Vec<&Event> = patient.history.iter().filter(|e| e.kind == Kind::Attacker).collect();
    assert_eq!((visits.len(), addresses(&visits).len()), (6000, 2000));
    assert!(visits.iter().all(|e| (-7200.0..-4100.0).contains(&e.t)));
    assert!(patient.history.is_sorted_by(|a, b| a.t <= b.t));
    assert_eq!(patient.history.len(), SITE.history().len() + 6000);
    let attack = addresses(&patient.events.iter().filter(|e| e.kind == Kind::Attacker).collect::<Vec<_>>());
    assert_eq!(attack, addresses(&visits));
}

#[test]
fn crowds_come_as_often_as_they_say_and_from_where() {
    let quiet = scenario("quiet", 1);
    let crowd = scenario("crowd-6-far", 1);
    assert!(!crowd.attacked);
    let extra = beyond_quiet(&crowd, &quiet);
    let (usual, window) = (quiet.events.len() as f64 / WINDOW, LENGTH);
    let times = extra.len() as f64 / window / usual;
    assert!((4.3..5.7).contains(&times), "{times} times as many besides");
    let net = |e: &Event| match e.client {
        IpAddr::V4(v4) => u32::from(v4) >> 16,
        IpAddr::V6(v6) => (u128::from(v6) >> 96) as u32,
    };
    let seen: HashSet<u32> = SITE.history().iter().map(net).collect();
    let far = extra.iter().filter(|e| !seen.contains(&net(e))).count() as f64 / extra.len() as f64;
    assert!(far > 0.85, "{far} from networks never seen");
    let near = scenario("crowd-6", 1);
    let near = beyond_quiet(&near, &quiet);
    let far = near.iter().filter(|e| !seen.contains(&net(e))).count() as f64 / near.len() as f64;
    assert!(far < 0.6, "{far} from networks never seen");
}

#[test]
fn people_behind_shared_addresses_share_them() {
    let quiet = scenario("quiet", 1);
    let office = scenario("office", 1);
    assert_eq!(addresses(&beyond_quiet(&office, &quiet)).len(), 1);
    let campus = scenario("ipv6-48", 1);
    let campus = addresses(&beyond_quiet(&campus, &quiet));
    let bits = |a: &IpAddr, n: u32| match a {
        IpAddr::V6(v6) => u128::from(*v6) >> (128 - n),
        IpAddr::V4(v4) => panic!("{v4}"),
    };
    assert_eq!(campus.len(), 300);
    assert_eq!(campus.iter().map(|a| bits(a, 64)).collect::<HashSet<_>>().len(), 300);
    assert_eq!(campus.iter().map(|a| bits(a, 48)).collect::<HashSet<_>>().len(), 1);
}

#[test]
fn crawlers_stay_below_the_limit_of_one_address() {
    let quiet = scenario("quiet", 1);
    let burst = scenario("crawler-burst", 1);
    let extra = beyond_quiet(&burst, &quiet);
    let crawlers = addresses(&extra);
    assert!(extra.iter().all(|e| !e.solves && !asset(&e.path) && (ONSET..ONSET + 120.0).contains(&e.t)));
    assert!((25..=30).contains(&crawlers.len()), "{}", crawlers.len());
    assert!(extra.len() as f64 / 120.0 / 30.0 < 7.0);
}

#[test]
fn what_cannot_be_built_says_why() {
    let unknown = build("botnets", 1, &SITE, &BOTS).unwrap_err();
    assert!(unknown.starts_with("unknown scenario \"botnets\": expected one of one-source-50, "), "{unknown}");
    let few = Attackers { spread: vec![], hosting: vec![] };
    let error = build("botnet", 1, &SITE, &few).unwrap_err();
    assert_eq!(error, "scenario botnet: 0 attacking addresses: expected at least 2000");
    assert!(build("quiet", 1, &SITE, &few).is_ok());
}

#[test]
fn names_are_unique_and_in_kebab_case() {
    let all: HashSet<&str> = names().iter().map(|(name, _)| *name).collect();
    assert_eq!(all.len(), names().len());
    assert!(all.iter().all(|n| n.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')));
    assert!(names().iter().all(|(_, text)| !text.is_empty()));
}
