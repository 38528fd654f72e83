//! What the leader gives away.

use super::super::KeyDemand;
use super::*;
use proptest::prelude::*;

const TEN: (u32, u64) = (10, 1_000_000_000);

fn limit(name: &str, rate: (u32, u64)) -> LimitId {
    LimitId { name: name.into(), rate, burst: 100 }
}

fn task(n: usize, covered: u32, keys: Vec<KeyDemand>) -> (String, TaskDemand) {
    (format!("task-{n}"), TaskDemand::new(0, vec![LimitDemand { limit: limit("a", TEN), covered, keys }]))
}

/// The part of the task called `task-n`, for a key or for those without parts of their own.
fn part(digest: &Digest, at: usize, n: usize, key: Option<u128>) -> f64 {
    let limit = &digest.limits[at];
    let place = digest.place(&format!("task-{n}"));
    let weight = limit.weight(place.unwrap(), digest.tasks());
    let own = limit.keys.iter().find(|k| Some(k.key) == key);
    own.map_or(weight, |key| key.part(place, weight))
}

#[test]
fn parts_are_equal_where_balancing_is() {
    let even: Vec<_> = (0..8).map(|n| task(n, 1_000 + 10 * n as u32, vec![])).collect();
    let digest = Digest::of(None, &even);
    assert_eq!((digest.tasks(), digest.epoch, digest.limits[0].weights.len()), (8, 1, 0));
    assert!((0..8).all(|n| part(&digest, 0, n, None) == 0.125));
    assert_eq!(digest.place("task-9"), None);
}

#[test]
fn parts_follow_the_balancing_half_way_and_by_and_by() {
    let uneven = [task(0, 3_000, vec![]), task(1, 1_000, vec![])];
    let mut digest = Digest::of(None, &uneven);
    let first = part(&digest, 0, 0, None);
    assert!((0.52..0.53).contains(&first), "{first}: a fifth of the way from 0.5 to 0.625");
    (0..30).for_each(|_| digest = Digest::of(Some(&digest), &uneven));
    let last = (part(&digest, 0, 0, None), part(&digest, 0, 1, None));
    assert!((0.61..0.626).contains(&last.0) && last.0 + last.1 <= 1.0, "{last:?}");
    assert_eq!(digest.epoch, 31);
    // One that joins has its equal part at once.
    let joined = Digest::of(Some(&digest), &[uneven.as_slice(), &[task(2, 2_000, vec![])]].concat());
    let third = part(&joined, 0, 2, None);
    assert!((0.31..0.34).contains(&third), "{third}");
}

#[test]
fn a_key_of_one_task_has_its_limit_there() {
    let key = 7;
    let asks = |rate: u32| [task(0, 90, vec![KeyDemand(key, rate)]), task(1, 90, vec![]), task(2, 90, vec![])];
    let far_over = Digest::of(None, &asks(100_000));
    assert!(far_over.limits[0].keys[0].strict);
    assert!((0.95..0.97).contains(&part(&far_over, 0, 0, Some(key))));
    assert!((0.016..0.017).contains(&part(&far_over, 0, 1, Some(key))));
    let within = Digest::of(None, &asks(4_000));
    assert!(!within.limits[0].keys[0].strict);
    let here = part(&within, 0, 0, Some(key));
    assert!((0.6..0.7).contains(&here), "{here}: half as much again as it asks for, the rest for where it may go");
}

#[test]
fn a_spread_key_needs_no_parts_of_its_own_but_may_be_lent_nothing() {
    let all = |rate: u32| (0..8).map(|n| task(n, 90, vec![KeyDemand(7, rate)])).collect::<Vec<_>>();
    assert!(Digest::of(None, &all(1_000)).limits[0].keys.is_empty());
    let digest = Digest::of(None, &all(12_500));
    let key = &digest.limits[0].keys[0];
    assert!(key.strict && key.places.is_empty() && key.others == 1_000_000);
}

#[test]
fn two_versions_of_a_limit_share_by_how_many_have_each() {
    let of = |n: usize, rate| {
        let limit = limit("a", (rate, 1_000_000_000));
        (format!("task-{n}"), TaskDemand::new(0, vec![LimitDemand { limit, covered: 50, keys: vec![] }]))
    };
    let digest = Digest::of(None, &[of(0, 10), of(1, 10), of(2, 10), of(3, 20)]);
    assert_eq!(digest.limits.iter().map(|l| l.limit.rate.0).collect::<Vec<_>>(), [10, 20]);
    assert!((part(&digest, 0, 0, None) - 0.25).abs() < 1e-9 && (part(&digest, 1, 3, None) - 0.25).abs() < 1e-9);
}

#[test]
fn the_number_of_keys_is_bounded_and_neither_side_is_pushed_out() {
    let keys =
        |n: u32| (0..256).map(|i| KeyDemand(u128::from(n * 256 + i), if n < 30 { 50_000 } else { 9_000 })).collect();
    let tasks: Vec<_> = (0..40).map(|n| task(n as usize, 9_000, keys(n))).collect();
    let digest = Digest::of(None, &tasks);
    let strict = digest.limits[0].keys.iter().filter(|k| k.strict).count();
    assert_eq!((digest.limits[0].keys.len(), strict), (4_096, 2_048));
}

#[test]
fn a_new_leader_goes_on_counting() {
    let mut tasks = vec![task(0, 1, vec![]), task(1, 1, vec![])];
    tasks[1].1.epoch = 41;
    assert_eq!(Digest::of(None, &tasks).epoch, 42);
    tasks[1].1.epoch = u64::MAX;
    assert_eq!(Digest::of(None, &tasks).epoch, u64::MAX);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    /// Whoever asks for whatever: no limit, and no key's, is given away more than once.
    #[test]
    fn all_parts_together_are_never_more_than_the_limit(
        rounds in prop::collection::vec(
            prop::collection::vec((any::<bool>(), 0u32..10_000, prop::collection::vec((0u128..6, 0u32..200_000), 0..6)), 1..20),
            1..4,
        ),
    ) {
        let mut previous = None;
        for round in rounds {
            let lives = round.iter().enumerate().filter(|(n, (lives, ..))| *lives || *n == 0);
            let told: Vec<_> = lives
                .map(|(n, (_, covered, keys))| task(n, *covered, keys.iter().map(|k| KeyDemand(k.0, k.1)).collect()))
                .collect();
            let digest = Digest::of(previous.as_ref(), &told);
            prop_assert_eq!(Digest::decode(&digest.encode()), Ok(digest.clone()));
            for key in std::iter::once(None).chain((0..6).map(Some)) {
                let sum: f64 = (0..20)
                    .filter(|n| digest.place(&format!("task-{n}")).is_some())
                    .map(|n| part(&digest, 0, n, key))
                    .sum();
                prop_assert!((0.9..=1.000_001).contains(&sum), "{:?}: {} of {:?}", key, sum, digest);
            }
            previous = Some(digest);
        }
    }
}
