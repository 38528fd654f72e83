//! Which network goes into which set: pure, from what is banned and what room there is.

use super::rollup::roll_up;
use super::want::{Want, is_ipv4};
use ipnet::IpNet;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// One set, as the plan needs it.
#[derive(Clone, Debug)]
pub struct Room {
    /// Its family.
    pub ipv4: bool,
    /// How many networks of weir's choice it has room for: its capacity less what others hold there.
    pub free: usize,
}

/// What the plan goes by.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// From how many banned members on a network may stand for them, where there is no room; 0: never.
    pub rollup_members: usize,
    /// How many leading bits of an IPv6 address make one client.
    pub ipv6_prefix: u8,
    /// Whether nobody allowed, trusted or known to be good is inside.
    pub may_cover: &'a dyn Fn(&IpNet) -> bool,
    /// Where a network is already, on weir's own account.
    pub held: &'a dyn Fn(&IpNet) -> Option<usize>,
    /// Whether somebody else put exactly this network into a set.
    pub foreign: &'a dyn Fn(&IpNet) -> bool,
    /// Milliseconds since 1970.
    pub now: u64,
}

/// A network to be put into a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Which.
    pub network: IpNet,
    /// Until when: of one that stands for others, the last of theirs.
    pub until: u64,
    /// Since when: of one that stands for others, the latest of theirs.
    pub since: u64,
    /// How many requests met the ban, those of all members together.
    pub harm: u64,
    /// On an operator's word.
    pub operator: bool,
    /// For how many banned clients it stands; 1 for itself.
    pub members: usize,
}

/// Where everything goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// By set, in the order of the sets.
    pub sets: Vec<BTreeMap<IpNet, Item>>,
    /// Which set each is in.
    pub place: BTreeMap<IpNet, usize>,
    /// Those for which another stands.
    pub covered: BTreeMap<IpNet, IpNet>,
    /// Those that others hold in a set already.
    pub foreign: BTreeSet<IpNet>,
    /// Those without room.
    pub evicted: BTreeSet<IpNet>,
    /// Those that are not handed on, and why.
    pub kept_back: BTreeMap<IpNet, &'static str>,
    /// How many of the places stand for members that were rolled up.
    pub rolled_up: usize,
}

/// Gives every want its place, an evicted one none. What is in a set stays there while it can.
pub fn plan(wants: &[Want], rooms: &[Room], rules: &Rules<'_>) -> Plan {
    let mut plan = Plan { sets: vec![BTreeMap::new(); rooms.len()], ..Plan::default() };
    let mut fit = Vec::with_capacity(wants.len());
    for want in wants {
        match want.unfit() {
            Some(why) => drop(plan.kept_back.insert(want.network, why)),
            None => fit.push(Item {
                network: want.network,
                until: want.until,
                since: want.since,
                harm: want.harm,
                operator: want.operator,
                members: 1,
            }),
        }
    }
    // A network sorts before all that it covers.
    fit.sort_unstable_by_key(|item| item.network);
    for ipv4 in [true, false] {
        let items = disjoint(fit.iter().filter(|i| is_ipv4(&i.network) == ipv4), &mut plan.covered);
        let (theirs, items): (Vec<Item>, Vec<Item>) = items.into_iter().partition(|i| (rules.foreign)(&i.network));
        plan.foreign.extend(theirs.iter().map(|i| i.network));
        place(items, ipv4, rooms, rules, &mut plan);
    }
    plan
}

/// Leaves out what lies in another, which then counts for both.
fn disjoint<'a>(sorted: impl Iterator<Item = &'a Item>, covered: &mut BTreeMap<IpNet, IpNet>) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for item in sorted {
        match items.last_mut().filter(|last| last.network.contains(&item.network)) {
            Some(last) => {
                last.harm = last.harm.saturating_add(item.harm);
                last.operator |= item.operator;
                if last.network != item.network {
                    covered.insert(item.network, last.network);
                }
            }
            None => items.push(item.clone()),
        }
    }
    items
}

fn place(mut items: Vec<Item>, ipv4: bool, rooms: &[Room], rules: &Rules<'_>, plan: &mut Plan) {
    let mut free: Vec<usize> = rooms.iter().map(|room| if room.ipv4 == ipv4 { room.free } else { 0 }).collect();
    let capacity: usize = free.iter().sum();
    if capacity > 0 {
        items = roll_up(items, ipv4, capacity, rules, &mut plan.covered);
    }
    items.sort_by_cached_key(|item| rank(item, rules));
    for item in items.drain(items.len().min(capacity)..) {
        plan.evicted.insert(item.network);
    }
    plan.rolled_up += items.iter().filter(|item| item.members > 1).count();
    let mut homeless = Vec::new();
    for item in items {
        match (rules.held)(&item.network).filter(|set| free.get(*set).is_some_and(|free| *free > 0)) {
            Some(set) => settle(item, set, &mut free, plan),
            None => homeless.push(item),
        }
    }
    let mut first = 0;
    for item in homeless {
        // Not more are left than there is room.
        while first + 1 < free.len() && free[first] == 0 {
            first += 1;
        }
        settle(item, first, &mut free, plan);
    }
}

fn settle(item: Item, set: usize, free: &mut [usize], plan: &mut Plan) {
    free[set] = free[set].saturating_sub(1);
    plan.place.insert(item.network, set);
    plan.sets[set].insert(item.network, item);
}

/// Operators' first, then by harm over age; who is in already needs half of it to stay, so that equals do not take turns.
fn rank(item: &Item, rules: &Rules<'_>) -> impl Ord + use<> {
    let minutes = rules.now.saturating_sub(item.since) / 60_000;
    let weight = u128::from(item.harm.saturating_add(1)) * 1_000_000 / u128::from(minutes.saturating_add(10));
    let weight = if (rules.held)(&item.network).is_some() { weight * 2 } else { weight };
    (Reverse(item.operator), Reverse(weight), Reverse(item.since), item.network)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
