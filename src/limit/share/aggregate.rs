//! The leader's part: of what all tasks were asked for, who gets which part of each limit.

use super::digest::{self, Digest, HotKey, LimitDigest, MAX_KEYS, MAX_PLACES, MILLION};
use super::{LimitDemand, LimitId, MAX_LIMITS, MAX_TASKS, TaskDemand, VERSION, both_sides};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// How much of a task's part follows what its load balancer sends it; the rest is the same for all, so that nobody can
/// starve the clients of the other tasks by flooding one.
const FOLLOWS: f64 = 0.5;

/// How quickly: of the way to go, each second.
const PACE: f64 = 0.2;

/// How much of a key's limit follows where it asks, at most; the rest waits for it at the other tasks.
const KEY_FOLLOWS: f64 = 0.95;

/// A key gets so much more than it asks for, as long as it does not ask for the whole limit.
const HEADROOM: f64 = 1.25;

/// A key that asks for so many times its limit is lent nothing.
const STRICT_FROM: f64 = 2.0;

/// All digests of a second together carry about so many keys: the more tasks, the fewer each.
const KEYS_OF_ALL: usize = 1 << 19;

impl Digest {
    /// What follows `previous`, as far as that is known, from what the live tasks said last.
    pub fn of(previous: Option<&Self>, demands: &[(String, TaskDemand)]) -> Self {
        let mut tasks: Vec<u64> = demands.iter().map(|(name, _)| digest::hashed(name)).collect();
        tasks.sort_unstable();
        tasks.dedup();
        tasks.truncate(MAX_TASKS);
        let mut groups: BTreeMap<&LimitId, Vec<(usize, &LimitDemand)>> = BTreeMap::new();
        for (name, demand) in demands {
            let Ok(place) = tasks.binary_search(&digest::hashed(name)) else { continue };
            for limit in &demand.limits {
                groups.entry(&limit.limit).or_default().push((place, limit));
            }
        }
        let limits = groups.into_iter().take(4 * MAX_LIMITS).map(|(id, mut group)| {
            group.sort_by_key(|(place, _)| *place);
            group.dedup_by_key(|(place, _)| *place);
            let weights = weights(previous, id, &group, &tasks);
            let keys = if tasks.len() > 1 { keys(id, &group, &weights) } else { vec![] };
            LimitDigest { limit: id.clone(), weights: told(&weights), keys }
        });
        let limits = limits.collect();
        let heard = demands.iter().map(|(_, d)| d.epoch).max().unwrap_or(0);
        let epoch = previous.map_or(0, |p| p.epoch).max(heard).saturating_add(1);
        Self { version: VERSION, epoch, tasks, limits }
    }
}

/// Each task's part of a limit; nothing for a task that does not have it. The parts of those that have it are as much
/// together as they are of all tasks, so that two versions of a limit never add up to more than the looser one.
fn weights(previous: Option<&Digest>, id: &LimitId, group: &[(usize, &LimitDemand)], tasks: &[u64]) -> Vec<f64> {
    /// So many requests a task are worth as much as the guess that all get the same.
    const DOUBT: f64 = 20.0;
    let (all, having) = (tasks.len() as f64, group.len() as f64);
    let total: f64 = group.iter().map(|(_, d)| f64::from(d.covered)).sum();
    let trust = FOLLOWS * total / (total + DOUBT * having);
    let before = previous.and_then(|p| p.limits.iter().find(|l| l.limit == *id).map(|l| (p, l)));
    let mut weights = vec![0.0; tasks.len()];
    for (place, demand) in group {
        let even = 1.0 / all;
        let asked = if total > 0.0 { f64::from(demand.covered) / total * having / all } else { even };
        let target = even + trust * (asked - even);
        // A tenth of difference is chance, or not worth telling.
        let target = if (target / even - 1.0).abs() < 0.1 { even } else { target };
        let old = before.and_then(|(p, l)| {
            let (place, tasks) = (p.tasks.binary_search(&tasks[*place]).ok()?, p.tasks.len());
            Some(l.weight(place, tasks) * tasks as f64 / all)
        });
        let old = old.unwrap_or(even);
        weights[*place] = old + PACE * (target - old);
    }
    let scale = having / all / weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    weights.iter_mut().for_each(|w| *w *= scale);
    let even = 1.0 / all;
    if weights.iter().all(|w| (w / even - 1.0).abs() < 0.02) {
        weights.fill(even);
    }
    weights
}

/// Weights as digests tell them: rounded down, so that they never add up to more.
fn told(weights: &[f64]) -> Vec<u32> {
    let even = weights.iter().all(|w| *w == weights[0]);
    if even { vec![] } else { weights.iter().map(|w| (w * MILLION) as u32).collect() }
}

/// The keys that need parts of their own.
fn keys(id: &LimitId, group: &[(usize, &LimitDemand)], weights: &[f64]) -> Vec<HotKey> {
    let mut asked: HashMap<u128, Vec<(usize, f64)>> = HashMap::new();
    for (place, demand) in group {
        for key in &demand.keys {
            let places = asked.entry(key.0).or_default();
            // A task that says a key twice says it once.
            if places.last().is_none_or(|(last, _)| last != place) {
                places.push((*place, f64::from(key.1) / 1e3));
            }
        }
    }
    let (rate, all) = (id.per_second(), weights.iter().sum());
    let mut found: Vec<(f64, HotKey)> = asked
        .into_iter()
        .filter_map(|(key, places)| {
            let total: f64 = places.iter().map(|(_, asked)| asked).sum();
            Some((total / rate, parts(key, places, total, id, (weights, all))?))
        })
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.key.cmp(&b.1.key)));
    let most = (KEYS_OF_ALL / weights.len()).clamp(512, MAX_KEYS);
    both_sides(found, most, |(over, _)| *over > 1.0).into_iter().map(|(_, key)| key).collect()
}

/// The parts of a key that asks for `total` a second; none where it may as well have what everybody has.
fn parts(
    key: u128,
    mut asked: Vec<(usize, f64)>,
    total: f64,
    id: &LimitId,
    (weights, all): (&[f64], f64),
) -> Option<HotKey> {
    let over = total / id.per_second();
    let strict = over > STRICT_FROM;
    // Asked for within what counts, half of it older than the half-life.
    let window = 1.5 * id.half_life().as_secs_f64();
    asked.retain(|(place, asked)| {
        let (asked, expected) = (asked * window, total * window * weights[*place] / all);
        asked > expected + 1.5 * expected.sqrt() + 1.0
    });
    if asked.is_empty() && !strict {
        return None;
    }
    asked.sort_by_key(|(place, asked)| (Reverse((asked * 1e3) as u64), *place));
    asked.truncate(MAX_PLACES);
    let follows = (HEADROOM * over).min(KEY_FOLLOWS);
    let part = |(place, asked): &(usize, f64)| follows * all * asked / total + (1.0 - follows) * weights[*place];
    let (mut given, mut theirs) = (0.0, 0.0);
    let places = asked.iter().map(|at| {
        given += part(at);
        theirs += weights[at.0];
        (at.0 as u16, (part(at) * MILLION) as u32)
    });
    let places: Vec<_> = places.collect();
    let others = if all - theirs > 1e-9 { ((all - given) / (all - theirs)).clamp(0.0, 1.0) } else { 0.0 };
    Some(HotKey { key, strict, places, others: (others * MILLION) as u32 })
}

#[cfg(test)]
mod tests;
