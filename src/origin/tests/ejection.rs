//! Ejection by failures of real requests, and the way back.

use super::*;

#[test]
fn ejections_double_up_to_eight_times_and_end_with_one_trial() {
    let pool = pool(2, 0);
    assert!(fail(&pool, 0, at(0)));
    let mut now = 0;
    for seconds in [10, 20, 40, 80, 80] {
        assert_eq!(status(&pool, 0, at(now)).ejected_for, Some(seconds as f64));
        assert_eq!(shares(&pool, 5, at(now + seconds - 1)), BTreeMap::from([(addr(1), 5)]));
        now += seconds;
        let trial = pick(&pool, at(now)).unwrap();
        assert_eq!(trial.addr, addr(0));
        // One request tries it; the others wait for what becomes of that.
        assert_eq!(shares(&pool, 5, at(now)), BTreeMap::from([(addr(1), 5)]));
        assert!(trial.failed(at(now)));
    }
}

#[test]
fn a_good_trial_brings_back_and_time_forgives() {
    let pool = pool(2, 0);
    assert!(fail(&pool, 0, at(0)));
    pick(&pool, at(10)).unwrap().succeeded();
    assert_eq!(shares(&pool, 10, at(10)), BTreeMap::from([(addr(0), 5), (addr(1), 5)]));
    // Out again soon: longer.
    assert!(fail(&pool, 0, at(15)));
    assert_eq!(status(&pool, 0, at(15)).ejected_for, Some(20.0));
    pick(&pool, at(35)).unwrap().succeeded();
    // Well for as long as it was out: as at first.
    assert!(fail(&pool, 0, at(55)));
    assert_eq!(status(&pool, 0, at(55)).ejected_for, Some(10.0));
}

#[test]
fn a_trial_without_outcome_is_tried_again_later() {
    let pool = pool(2, 0);
    assert!(fail(&pool, 0, at(0)));
    let given_up = pick(&pool, at(10)).unwrap();
    assert_eq!(given_up.addr, addr(0));
    drop(given_up);
    assert_eq!(picked(&pool, at(19)), addr(1));
    assert_eq!(picked(&pool, at(20)), addr(0));
}

#[test]
fn a_late_outcome_of_an_old_trial_changes_nothing() {
    let pool = pool(2, 0);
    assert!(fail(&pool, 0, at(0)));
    let old = pick(&pool, at(10)).unwrap();
    let new = pick(&pool, at(20)).unwrap();
    assert_eq!((old.addr, new.addr), (addr(0), addr(0)));
    assert!(new.failed(at(20)));
    old.succeeded();
    assert_eq!(status(&pool, 0, at(20)).ejected_for, Some(20.0));
    assert!(!old.failed(at(21)));
    assert_eq!(status(&pool, 0, at(20)).ejected_for, Some(20.0));
}

#[test]
fn a_success_between_failures_forgets_them() {
    let pool = pool(2, 0);
    for _ in 0..5 {
        assert!(!pick_of(&pool, 0, at(0)).failed(at(0)));
        assert!(!pick_of(&pool, 0, at(0)).failed(at(0)));
        pick_of(&pool, 0, at(0)).succeeded();
    }
    assert_eq!(status(&pool, 0, at(0)).failures, 10);
}

#[test]
fn at_most_half_of_a_group_is_ejected_and_never_the_last() {
    for (endpoints, most) in [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3)] {
        let pool = pool(endpoints, 0);
        let ejected = (0..endpoints).filter(|&n| fail(&pool, n, at(0))).count();
        assert_eq!(ejected, most, "of {endpoints}");
    }
    // The last usable one, where the others are down by checks.
    let pool = pool(4, 0);
    [1, 2, 3].into_iter().for_each(|n| down(&pool, n));
    assert!(!fail(&pool, 0, at(0)));
}

#[test]
fn a_group_is_given_up_whole_for_a_usable_fallback() {
    let pool = pool(1, 1);
    assert!(fail(&pool, 0, at(0)));
    assert_eq!(picked(&pool, at(9)), addr(100));
    assert_eq!(picked(&pool, at(10)), addr(0), "the trial");
    assert_eq!(picked(&pool, at(10)), addr(100));
}

#[test]
fn a_success_despite_ejection_brings_back_and_a_failure_does_not_prolong_it() {
    let pool = pool(3, 0);
    assert!(fail(&pool, 0, at(0)));
    [1, 2].into_iter().for_each(|n| down(&pool, n));
    let despite: Vec<_> = (0..4).map(|_| pick_of(&pool, 0, at(1))).collect();
    up(&pool, 1);
    assert!(despite.iter().all(|pick| !pick.failed(at(1))));
    assert_eq!(status(&pool, 0, at(1)).ejected_for, Some(9.0));
    despite[0].succeeded();
    assert_eq!(status(&pool, 0, at(1)).ejected_for, None);
}

#[test]
fn good_checks_after_bad_ones_end_an_ejection() {
    let pool = pool(2, 0);
    assert!(fail(&pool, 0, at(0)));
    down(&pool, 0);
    assert_eq!(picked(&pool, at(30)), addr(1), "no trial of what checks say is down");
    up(&pool, 0);
    assert_eq!(status(&pool, 0, at(1)).ejected_for, None);
}

#[test]
fn a_retry_is_never_a_trial() {
    let pool = pool(3, 0);
    assert!(fail(&pool, 0, at(0)));
    let mut tried = Tried::default();
    tried.add(addr(1));
    assert_eq!(pool.pick(&tried, at(10)).unwrap().addr, addr(2));
    assert_eq!(picked(&pool, at(10)), addr(0));
}
