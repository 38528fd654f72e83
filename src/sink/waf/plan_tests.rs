//! The plan: what it puts where, what stands for whom, and what never happens.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

const NOW: u64 = 10_000_000;

fn want(network: &str, harm: u64) -> Want {
    let network = network.parse().unwrap();
    Want { network, until: NOW + 60_000, harm, since: NOW - 60_000, operator: false, kept_back: None }
}

fn rooms(v4: &[usize], v6: &[usize]) -> Vec<Room> {
    let room = |ipv4| move |free: &usize| Room { ipv4, free: *free };
    v4.iter().map(room(true)).chain(v6.iter().map(room(false))).collect()
}

fn planned(wants: &[Want], rooms: &[Room], held: &HashMap<IpNet, usize>, may_cover: &dyn Fn(&IpNet) -> bool) -> Plan {
    let held = |network: &IpNet| held.get(network).copied();
    let rules = Rules { rollup_members: 8, ipv6_prefix: 64, may_cover, held: &held, foreign: &|_| false, now: NOW };
    plan(wants, rooms, &rules)
}

fn of(set: &BTreeMap<IpNet, Item>) -> Vec<String> {
    set.keys().map(ToString::to_string).collect()
}

#[test]
fn sets_are_filled_in_order_and_nothing_moves() {
    let wants = [want("192.0.2.1/32", 1), want("192.0.2.2/32", 2), want("192.0.2.3/32", 3), want("2001:db8::/64", 1)];
    let held = HashMap::from([("192.0.2.1/32".parse().unwrap(), 1)]);
    let plan = planned(&wants, &rooms(&[2, 2], &[1]), &held, &|_| true);
    let sets: Vec<_> = plan.sets.iter().map(of).collect();
    assert_eq!(sets, [vec!["192.0.2.2/32", "192.0.2.3/32"], vec!["192.0.2.1/32"], vec!["2001:db8::/64"]]);
    assert!(plan.evicted.is_empty());
}

#[test]
fn who_lies_within_another_needs_no_place_and_the_unfit_are_named() {
    let back = Want { kept_back: Some("why"), ..want("192.0.2.9/32", 1) };
    let wants = [want("192.0.2.0/24", 1), want("192.0.2.1/32", 1), want("0.0.0.0/0", 1), back];
    let plan = planned(&wants, &rooms(&[9], &[]), &HashMap::new(), &|_| true);
    assert_eq!(of(&plan.sets[0]), ["192.0.2.0/24"]);
    let net = |text: &str| text.parse::<IpNet>().unwrap();
    assert_eq!(plan.covered[&net("192.0.2.1/32")], net("192.0.2.0/24"));
    assert_eq!(plan.kept_back[&net("192.0.2.9/32")], "why");
    assert!(plan.kept_back[&net("0.0.0.0/0")].contains("too wide"));
}

#[test]
fn what_others_hold_is_left_to_them() {
    let theirs: IpNet = "192.0.2.1/32".parse().unwrap();
    let rules = Rules {
        rollup_members: 8,
        ipv6_prefix: 64,
        may_cover: &|_| true,
        held: &|_| None,
        foreign: &|network| *network == theirs,
        now: NOW,
    };
    let plan = plan(&[want("192.0.2.1/32", 1), want("192.0.2.2/32", 1)], &rooms(&[1], &[]), &rules);
    assert_eq!((of(&plan.sets[0]), plan.foreign), (vec!["192.0.2.2/32".to_owned()], BTreeSet::from([theirs])));
}

#[test]
fn without_room_the_worst_stay_and_operators_first() {
    let mut wants: Vec<Want> = (0..4).map(|n| want(&format!("192.0.2.{}/32", n * 16), n)).collect();
    wants.push(Want { operator: true, ..want("203.0.113.1/32", 0) });
    let plan = planned(&wants, &rooms(&[3], &[]), &HashMap::new(), &|_| true);
    assert_eq!(of(&plan.sets[0]), ["192.0.2.32/32", "192.0.2.48/32", "203.0.113.1/32"]);
    assert_eq!(plan.evicted.len(), 2);
    let held = HashMap::from([("192.0.2.16/32".parse().unwrap(), 0)]);
    let plan = planned(&wants, &rooms(&[3], &[]), &held, &|_| true);
    assert!(plan.place.contains_key(&"192.0.2.16/32".parse().unwrap()), "2 weighs less than twice 1 more");
}

#[test]
fn members_are_rolled_up_where_they_justify_it() {
    let mut wants: Vec<Want> = (0..16).map(|n| want(&format!("192.0.2.{n}/32"), 1)).collect();
    wants.extend((0..15).map(|n| want(&format!("198.51.100.{n}/32"), 1)));
    let plan = planned(&wants, &rooms(&[20], &[]), &HashMap::new(), &|_| true);
    assert!(plan.place.contains_key(&"192.0.2.0/24".parse().unwrap()), "1 of 16 is banned");
    assert!(!plan.place.contains_key(&"198.51.100.0/24".parse().unwrap()), "fewer are");
    assert_eq!((plan.place.len(), plan.evicted.len(), plan.rolled_up), (16, 0, 1));
    let spared = planned(&wants, &rooms(&[20], &[]), &HashMap::new(), &|n| n.to_string() != "192.0.2.0/24");
    assert_eq!((spared.rolled_up, spared.evicted.len()), (0, 11));
    let enough = planned(&wants, &rooms(&[40], &[]), &HashMap::new(), &|_| true);
    assert_eq!((enough.rolled_up, enough.place.len()), (0, 31), "with room nobody answers for others");
}

#[test]
fn a_wider_network_stands_for_networks_too() {
    let wants: Vec<Want> = (0..16)
        .flat_map(|net| (0..16).map(move |n| (net, n)))
        .map(|(net, n)| want(&format!("10.0.{net}.{n}/32"), 1))
        .collect();
    let plan = planned(&wants, &rooms(&[1], &[]), &HashMap::new(), &|_| true);
    assert_eq!((of(&plan.sets[0]), plan.evicted.len()), (vec!["10.0.0.0/20".to_owned()], 0));
    let by = plan.covered[&"10.0.3.3/32".parse::<IpNet>().unwrap()];
    assert_eq!(by.to_string(), "10.0.0.0/20");
    let six: Vec<Want> = (0..32).map(|n| want(&format!("2001:db8:0:{n:x}::/64"), 1)).collect();
    let plan = planned(&six, &rooms(&[], &[1]), &HashMap::new(), &|_| true);
    assert_eq!(of(&plan.sets[0]), ["2001:db8::/56"]);
}

proptest! {
    #[test]
    fn it_never_overflows_never_covers_the_good_and_is_stable(
        hosts in proptest::collection::btree_map((0u8..6, 0u8..64), (0u64..50, any::<bool>()), 1..120),
        rooms_v4 in proptest::collection::vec(0usize..20, 1..4),
        good in 0u8..6,
    ) {
        let wants: Vec<Want> = hosts.iter().map(|((net, host), (harm, op))| {
            Want { operator: *op && harm % 9 == 0, ..want(&format!("10.0.{net}.{host}/32"), *harm) }
        }).collect();
        let rooms = rooms(&rooms_v4, &[5]);
        let allowed: IpNet = format!("10.0.{good}.200/32").parse().unwrap();
        let may_cover = |network: &IpNet| !network.contains(&allowed);
        let first = planned(&wants, &rooms, &HashMap::new(), &may_cover);
        for (set, room) in first.sets.iter().zip(&rooms) {
            prop_assert!(set.len() <= room.free);
            prop_assert!(set.keys().all(|n| is_ipv4(n) == room.ipv4 && !n.contains(&allowed)));
        }
        for want in &wants {
            let told = first.place.contains_key(&want.network) || first.evicted.contains(&want.network)
                || first.covered.get(&want.network).is_some_and(|by| by.contains(&want.network));
            prop_assert!(told, "{} got lost", want.network);
        }
        let again = planned(&wants, &rooms, &first.place.clone().into_iter().collect(), &may_cover);
        prop_assert_eq!(again.place, first.place, "the same wants move nothing");
    }
}
