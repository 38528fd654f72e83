//! Second after second of made-up figures.

use super::super::series;
use super::*;
use crate::control::status::{ResponseCount, Status, fixture};
use crate::sink::metrics::collect;

const START: u64 = 1_700_000_040;

fn of<'a>(data: &'a [Datum], name: &str) -> Vec<&'a Datum> {
    data.iter().filter(|d| d.series.name == name).collect()
}

fn total(data: &[Datum], name: &str) -> f64 {
    of(data, name).iter().flat_map(|d| &d.values).map(|(value, count)| value * count).sum()
}

/// Looks at a status once a second, changed before each look, and gives all that comes of it.
fn watch(by_second: bool, seconds: u64, mut change: impl FnMut(u64, &mut Status)) -> Vec<Datum> {
    let (mut gather, mut data, mut status) = (Gather::new(by_second), vec![], fixture());
    for second in 0..seconds {
        change(second, &mut status);
        gather.take(&collect(&status), START + second, &mut |d| data.push(d));
    }
    gather.close(&mut |d| data.push(d));
    data
}

#[test]
fn growth_adds_up_whatever_the_resolution() {
    for by_second in [true, false] {
        let data = watch(by_second, 90, |_, status| status.requests[1].count += 5);
        assert_eq!(total(&data, "Refused"), 9.0 + 90.0 * 5.0, "what was before the first look counts too");
        assert_eq!(total(&data, "RefusedByReason"), total(&data, "Refused"));
        assert_eq!(total(&data, "Forwarded"), 1_000.0);
        let refused = of(&data, "Refused");
        let (number, seconds, last) = if by_second { (90, 1, START + 89) } else { (2, 60, START + 60) };
        assert_eq!((refused.len(), refused[0].seconds), (number, seconds));
        assert_eq!(refused.last().unwrap().at, last);
    }
}

#[test]
fn a_counter_that_began_anew_counts_from_nothing() {
    let data = watch(true, 3, |second, status| status.limits[0].refused = [100, 3, 4][second as usize]);
    assert_eq!(total(&data, "RefusedByLimit"), 104.0);
}

#[test]
fn an_endpoint_that_goes_takes_nothing_with_it() {
    let data = watch(true, 3, |second, status| {
        let mut other = status.origin.endpoints[0].clone();
        other.address = "192.0.2.11:80".into();
        match second {
            0 => status.origin.endpoints.push(other),
            _ => status.origin.endpoints.truncate(1),
        }
    });
    assert_eq!(total(&data, "OriginRequests"), 2_000.0);
}

#[test]
fn gauges_are_sampled_by_the_second() {
    let data = watch(true, 4, |second, status| {
        status.in_flight = second;
        status.flood.state = ["normal", "attack", "attack", "overload"][second as usize].into();
    });
    assert_eq!(total(&data, "InFlight"), 6.0);
    let states: Vec<_> = of(&data, "AttackState").iter().map(|d| d.values[0].0).collect();
    assert_eq!(states, [0.0, 2.0, 2.0, 3.0]);
    let [ready] = of(&data, "TasksServing")[..] else { panic!("one minute") };
    assert_eq!((ready.at, ready.seconds, ready.values.as_slice()), (START, 60, [(1.0, 4.0)].as_slice()));
}

#[test]
fn a_second_look_within_a_second_adds_what_grew_and_no_gauge() {
    let (mut gather, mut data, mut status) = (Gather::new(true), vec![], fixture());
    for _ in 0..2 {
        status.requests[1].count += 1;
        gather.take(&collect(&status), START, &mut |d| data.push(d));
    }
    gather.close(&mut |d| data.push(d));
    assert_eq!((total(&data, "Refused"), total(&data, "TasksServing")), (11.0, 1.0));
}

#[test]
fn buckets_become_values_with_counts() {
    let data = watch(true, 3, |second, status| {
        status.origin.latency.counts = [vec![90, 9, 1], vec![90, 9, 1], vec![95, 9, 2]][second as usize].clone();
    });
    let latency = of(&data, "OriginLatency");
    assert_eq!(latency.len(), 2, "a second without samples says nothing");
    assert_eq!(latency[0].values, [(0.01, 90.0), (0.1, 9.0), (0.2, 1.0)]);
    assert_eq!((latency[1].at, latency[1].values.as_slice()), (START + 2, [(0.01, 5.0), (0.2, 1.0)].as_slice()));
}

#[test]
fn every_series_has_something_to_say_of_a_full_status() {
    let data = watch(true, 1, |_, status| {
        status.limits[0].observed = 1;
        status.requests.push(status.requests[0].clone());
        status.requests[2].reason = "client-gone".into();
        status.requests[2].class = "gone".into();
        status.requests.push(status.requests[0].clone());
        status.requests[3].reason = "origin-timeout".into();
        status.requests[3].class = "fault".into();
        status.flood.challenges.solved = 1;
        status.responses.push(ResponseCount { class: "4xx".into(), by: "weir".into(), count: 9 });
    });
    for series in series::ALL {
        assert!(!of(&data, series.name).is_empty(), "{}", series.name);
    }
}

#[test]
fn what_is_no_number_is_left_out_and_values_are_bounded() {
    let data = watch(false, 60, |second, status| {
        status.flood.offered = if second == 0 { f64::NAN } else { f64::from(second as u32) };
        status.flood.usual = f64::INFINITY;
    });
    assert_eq!(of(&data, "Offered")[0].values.len(), 59);
    assert!(of(&data, "UsualRate").is_empty());
    let (mut gather, mut data) = (Gather::new(false), vec![]);
    (0..400).for_each(|n| gather.see(0, None, f64::from(n), 1.0));
    gather.close(&mut |d| data.push(d));
    assert_eq!(data.iter().map(|d| d.values.len()).collect::<Vec<_>>(), [150, 150, 100]);
}
