//! The latest refusals, for `weir why` and the live page.

use crate::event::entry::Entry;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many refusals are kept.
pub const CAPACITY: usize = 4_096;

/// A bounded ring of refusals. The lock is the control plane's own; no request waits for it.
#[derive(Debug)]
pub struct Recent {
    ring: Mutex<VecDeque<Entry<'static>>>,
    capacity: usize,
}

/// A client with many refusals among the latest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The client.
    pub client: IpAddr,
    /// How many of the kept refusals are its.
    pub refused: u64,
}

impl Default for Recent {
    fn default() -> Self {
        Self::with_capacity(CAPACITY)
    }
}

impl Recent {
    /// Keeps the last `capacity` refusals, at least one.
    pub fn with_capacity(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self { ring: Mutex::new(VecDeque::with_capacity(capacity)), capacity }
    }

    /// The memory of a full ring.
    pub const fn memory(&self) -> usize {
        self.capacity * Entry::MOST
    }

    /// Takes in one more; the oldest goes when there are too many.
    pub fn add(&self, entry: Entry<'static>) {
        let mut ring = self.ring();
        if ring.len() == self.capacity {
            ring.pop_front();
        }
        ring.push_back(entry);
    }

    /// The latest `max` refusals of whoever `is_client` picks, newest first.
    pub fn of(&self, max: usize, is_client: impl Fn(IpAddr) -> bool) -> Vec<Entry<'static>> {
        self.ring().iter().rev().filter(|e| e.client.address().is_some_and(&is_client)).take(max).cloned().collect()
    }

    /// Every client's most frequent reason among those kept, with its limit and how often; `key` says what makes one
    /// client.
    pub fn reasons<K: Hash + Eq>(&self, key: impl Fn(IpAddr) -> K) -> HashMap<K, (String, u64)> {
        let mut counts: HashMap<K, HashMap<String, u64>> = HashMap::new();
        for (client, entry) in self.ring().iter().filter_map(|e| Some((e.client.address()?, e))) {
            let rule = if entry.rule.is_empty() { String::new() } else { format!(" {}", entry.rule) };
            *counts.entry(key(client)).or_default().entry(format!("{}{rule}", entry.reason)).or_default() += 1;
        }
        let most = |reasons: HashMap<String, u64>| {
            reasons.into_iter().max_by(|a, b| (a.1, &b.0).cmp(&(b.1, &a.0))).unwrap_or_default()
        };
        counts.into_iter().map(|(client, reasons)| (client, most(reasons))).collect()
    }

    /// The clients with the most refusals among those kept; `key` says what makes one client.
    pub fn top(&self, max: usize, key: impl Fn(IpAddr) -> IpAddr) -> Vec<Refused> {
        let mut counts: HashMap<IpAddr, u64> = HashMap::new();
        for client in self.ring().iter().filter_map(|e| e.client.address()) {
            *counts.entry(key(client)).or_default() += 1;
        }
        let mut top: Vec<_> = counts.into_iter().map(|(client, refused)| Refused { client, refused }).collect();
        top.sort_by_key(|t| (std::cmp::Reverse(t.refused), t.client));
        top.truncate(max);
        top
    }

    fn ring(&self) -> MutexGuard<'_, VecDeque<Entry<'static>>> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Time;
    use crate::event::record::Record;

    fn refusal(n: u64, client: &str) -> Entry<'static> {
        let mut record = Record::blank(Time::from_nanos(n));
        record.client = client.parse().unwrap();
        record.bytes_in = n;
        Entry::new(&record, &[]).into_owned()
    }

    #[test]
    fn the_newest_come_first_and_the_oldest_go() {
        let recent = Recent::with_capacity(3);
        for (n, client) in ["192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.3"].iter().enumerate() {
            recent.add(refusal(n as u64, client));
        }
        let seen: Vec<_> = recent.of(9, |_| true).iter().map(|e| e.bytes_in).collect();
        assert_eq!(seen, [3, 2, 1]);
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        assert_eq!(recent.of(9, |c| c == one).len(), 1);
        assert_eq!(recent.of(1, |_| true).len(), 1);
    }

    #[test]
    fn the_most_frequent_reason_is_told() {
        let recent = Recent::with_capacity(9);
        for (reason, rule) in [("limit", "login"), ("overload", ""), ("limit", "login"), ("limit", "all")] {
            let mut entry = refusal(1, "192.0.2.9");
            (entry.reason, entry.rule) = (reason.into(), rule.into());
            recent.add(entry);
        }
        let client: IpAddr = "192.0.2.9".parse().unwrap();
        assert_eq!(recent.reasons(|c| c), HashMap::from([(client, ("limit login".to_owned(), 2))]));
    }

    #[test]
    fn the_most_refused_lead() {
        let recent = Recent::with_capacity(9);
        for client in ["192.0.2.9", "192.0.2.1", "192.0.2.9", "192.0.2.2"] {
            recent.add(refusal(1, client));
        }
        let top = recent.top(2, |c| c);
        assert_eq!(top[0], Refused { client: "192.0.2.9".parse().unwrap(), refused: 2 });
        assert_eq!(top.len(), 2);
    }
}
