//! Where there is no room for all, one network may stand for its members.

use super::plan::{Item, Rules};
use ipnet::IpNet;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Networks that may stand for members, the narrowest first.
const LENGTHS_V4: [u8; 2] = [24, 20];
const LENGTHS_V6: [u8; 2] = [56, 48];

/// Of the clients that a network has room for, so many must be banned: one of 16.
const SHARE: u128 = 16;

/// Above so many tenths of the capacity, networks that stand for members already go on doing so.
const STICKY: usize = 9;

/// Rolls up as many as it takes until `capacity` is enough, those that save most first. An operator's are left alone.
pub(super) fn roll_up(
    mut items: Vec<Item>,
    ipv4: bool,
    capacity: usize,
    rules: &Rules<'_>,
    covered: &mut BTreeMap<IpNet, IpNet>,
) -> Vec<Item> {
    if rules.rollup_members == 0 || items.len().saturating_mul(10) <= capacity.saturating_mul(STICKY) {
        return items;
    }
    for length in if ipv4 { LENGTHS_V4 } else { LENGTHS_V6 } {
        let mut excess = items.len().saturating_sub(capacity);
        let mut groups: Vec<(IpNet, Vec<Item>)> = grouped(&items, length).into_iter().collect();
        groups.retain(|(network, members)| justified(network, members, rules));
        let held = |network: &IpNet| (rules.held)(network).is_some();
        groups.sort_by_key(|(network, members)| (!held(network), Reverse(members.len()), *network));
        let mut rolled = BTreeMap::new();
        for (network, members) in groups {
            if (excess == 0 && !held(&network)) || !(rules.may_cover)(&network) {
                continue;
            }
            excess = excess.saturating_sub(members.len() - 1);
            rolled.insert(network, one_for(network, &members));
        }
        items.retain(|item| match around(item, length).filter(|network| rolled.contains_key(network)) {
            Some(network) => {
                for by in covered.values_mut().filter(|by| item.members > 1 && **by == item.network) {
                    *by = network;
                }
                covered.insert(item.network, network);
                false
            }
            None => true,
        });
        items.extend(rolled.into_values());
        items.sort_unstable_by_key(|item| item.network);
    }
    items
}

/// What could be rolled up into networks of this length, by network.
fn grouped(items: &[Item], length: u8) -> BTreeMap<IpNet, Vec<Item>> {
    let mut groups: BTreeMap<IpNet, Vec<Item>> = BTreeMap::new();
    for item in items {
        if let Some(network) = around(item, length) {
            groups.entry(network).or_default().push(item.clone());
        }
    }
    groups
}

/// The network of this length that may stand for the item.
fn around(item: &Item, length: u8) -> Option<IpNet> {
    let inside = !item.operator && item.network.prefix_len() > length;
    let network = inside.then(|| IpNet::new(item.network.addr(), length).ok()).flatten()?;
    Some(network.trunc())
}

fn justified(network: &IpNet, members: &[Item], rules: &Rules<'_>) -> bool {
    let whole = if matches!(network, IpNet::V4(_)) { 32 } else { rules.ipv6_prefix };
    let clients = 1u128 << whole.saturating_sub(network.prefix_len()).min(64);
    let banned: usize = members.iter().map(|m| m.members).sum();
    members.len() > 1 && banned >= rules.rollup_members && banned as u128 * SHARE >= clients
}

fn one_for(network: IpNet, members: &[Item]) -> Item {
    Item {
        network,
        until: members.iter().map(|m| m.until).max().unwrap_or(0),
        since: members.iter().map(|m| m.since).max().unwrap_or(0),
        harm: members.iter().fold(0, |sum, m| sum.saturating_add(m.harm)),
        operator: false,
        members: members.iter().map(|m| m.members).sum(),
    }
}
