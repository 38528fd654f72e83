//! One set: what it held when it was read, what of that is weir's, and what an update would make of it. Pure.

use super::api::{Content, Kind};
use super::merge::{Fate, Held, Merged, Stage, Stay, fate, merge};
use super::pace::Backoff;
use super::plan::Item;
use super::record::{Key, Record};
use super::want::parsed;
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

/// For how long reads must not show what weir wrote before its record goes: reads may come late.
const ABSENT: u64 = 120_000;

/// So many tokens are remembered as over.
const TOKENS: usize = 64;

/// One set of the config, or one that only the records still know.
#[derive(Debug, Default)]
pub(super) struct Set {
    pub(super) name: String,
    pub(super) ipv4: bool,
    /// The config does not name it any more: what is weir's there goes.
    pub(super) retired: bool,
    pub(super) id: Option<String>,
    /// What it holds, with the token that proves it; none where that must be read.
    pub(super) content: Option<Content>,
    /// What is a network in it.
    pub(super) entries: HashSet<IpNet>,
    /// How many entries it had then, networks or not.
    pub(super) size: usize,
    /// When its content was last known to be so: milliseconds since 1970.
    pub(super) synced: Option<u64>,
    pub(super) records: BTreeMap<IpNet, Held>,
    pub(super) planned: BTreeMap<IpNet, Item>,
    pub(super) backoff: Backoff,
    /// What went wrong last, until something goes well.
    pub(super) trouble: Option<Kind>,
    /// What the log was told of it last, until an update goes well.
    pub(super) told: Option<Kind>,
    /// Tokens that are known to be over.
    past: VecDeque<String>,
    /// What changed in the records and is not in the store yet.
    put: BTreeSet<IpNet>,
    dropped: BTreeSet<IpNet>,
}

/// An update, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// The whole new list under the token of the old.
    pub(super) content: Content,
    /// What comes in.
    pub(super) add: Vec<IpNet>,
}

/// What a read brought to light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// What is there.
    Now,
    /// What was there: an answer from before the last update.
    Stale,
    /// A set of the other family.
    Wrong,
}

impl Set {
    /// A set of which nothing is known yet.
    pub(super) fn new(name: &str, ipv4: bool) -> Self {
        Self { name: name.to_owned(), ipv4, ..Self::default() }
    }

    /// A record from the store. Whether it was sent is not known.
    pub(super) fn load(&mut self, record: Record, now: u64) {
        let held = Held { stage: Stage::Doubt, known: false, noticed: now, absent: None, record };
        self.records.insert(held.record.network, held);
    }

    /// Takes in what the set holds.
    pub(super) fn read(&mut self, content: Content, stay: &Stay) -> Seen {
        if self.past.contains(&content.token) {
            return Seen::Stale;
        }
        if content.ipv4 != self.ipv4 {
            return Seen::Wrong;
        }
        self.entries = content.addresses.iter().filter_map(|entry| parsed(entry)).collect();
        self.size = content.addresses.len();
        self.content = Some(content);
        self.synced = Some(stay.now);
        let mut over = Vec::new();
        for (network, held) in &mut self.records {
            match (self.entries.contains(network), held.stage) {
                (true, Stage::Ahead) => over.push(*network),
                (true, _) => (held.stage, held.absent) = (Stage::There, None),
                (false, _) if held.record.leftover => over.push(*network),
                (false, _) if self.planned.contains_key(network) => held.absent = None,
                (false, _) => {
                    let since = *held.absent.get_or_insert(stay.now);
                    over.extend((stay.now.saturating_sub(since) >= ABSENT).then_some(*network));
                }
            }
        }
        self.forget(over);
        self.note_leftovers(stay);
        Seen::Now
    }

    /// Remembers when an entry was first seen that nobody's record explains, where that counts.
    fn note_leftovers(&mut self, stay: &Stay) {
        if stay.leftovers_after.is_none() {
            let none = self.records.values().filter(|held| held.record.leftover).map(|held| held.record.network);
            return self.forget(none.collect());
        }
        for network in self.entries.iter().filter(|n| !self.records.contains_key(n)).copied().collect::<Vec<_>>() {
            let record = Record { set: self.name.clone(), network, since: stay.now, until: u64::MAX, leftover: true };
            let held = Held { record, stage: Stage::There, known: false, noticed: stay.now, absent: None };
            self.records.insert(network, held);
            self.put.insert(network);
            self.dropped.remove(&network);
        }
    }

    /// Puts another plan in force, and takes back what was written down but never sent.
    pub(super) fn assign(&mut self, planned: BTreeMap<IpNet, Item>) {
        self.planned = planned;
        let unsent = |held: &&Held| held.stage == Stage::Ahead && !self.planned.contains_key(&held.record.network);
        let unsent: Vec<IpNet> = self.records.values().filter(unsent).map(|held| held.record.network).collect();
        self.forget(unsent);
        for (network, item) in &self.planned {
            if let Some(held) = self.records.get_mut(network).filter(|held| !held.record.leftover)
                && held.record.until != item.until
            {
                held.record.until = item.until;
                self.put.insert(*network);
            }
        }
    }

    /// Whether there is nothing left to do with it.
    pub(super) fn is_done(&self) -> bool {
        self.retired && self.records.is_empty()
    }

    /// Whose record it is: weir's own.
    pub(super) fn holds(&self, network: &IpNet) -> bool {
        self.records.get(network).is_some_and(|held| !held.record.leftover)
    }

    /// Whether somebody else put it there.
    pub(super) fn is_foreign(&self, network: &IpNet) -> bool {
        self.entries.contains(network) && !self.holds(network)
    }

    /// How many entries of the set weir has no say over now: others', and its own that its book may yet name.
    pub(super) fn taken(&self, stay: &Stay) -> usize {
        let own = |network: &IpNet| self.records.get(network).filter(|held| !held.record.leftover);
        let mine =
            |network: &&IpNet| own(network).is_some_and(|held| held.known || fate(Some(held), false, stay) == Fate::Go);
        self.size.saturating_sub(self.entries.iter().filter(mine).count())
    }

    /// How many entries are weir's.
    pub(super) fn ours(&self) -> usize {
        self.entries.iter().filter(|network| self.holds(network)).count()
    }

    /// What would change now: what comes in, and what goes out.
    pub(super) fn merged(&self, stay: &Stay, capacity: usize) -> Option<Merged> {
        let content = self.content.as_ref()?;
        let fate = |n: &IpNet| fate(self.records.get(n), self.planned.contains_key(n), stay);
        Some(merge(&content.addresses, fate, self.planned.keys(), capacity))
    }

    /// Whether anything would change: whether now, or only when there is company.
    pub(super) fn is_due(&self, stay: &Stay, capacity: usize) -> Option<bool> {
        let merged = self.merged(stay, capacity)?;
        let early = |n: &IpNet| self.records.get(n).is_some_and(|held| held.known && held.record.until > stay.now);
        let urgent = !merged.add.is_empty() || merged.gone.iter().any(early);
        (urgent || !merged.gone.is_empty()).then_some(urgent)
    }

    /// The update to send, and what comes in written down; it may be sent once that is in the store.
    pub(super) fn draft(&mut self, stay: &Stay, capacity: usize) -> Option<Draft> {
        let Merged { list, add, gone } = self.merged(stay, capacity)?;
        let content = self.content.as_ref().filter(|_| !(add.is_empty() && gone.is_empty()))?;
        let content = Content { addresses: list, ..content.clone() };
        for network in &add {
            let until = self.planned.get(network).map_or(stay.now, |item| item.until);
            let fresh = Record { set: self.name.clone(), network: *network, since: stay.now, until, leftover: false };
            // One that is written down already keeps its stage: an earlier update may yet be applied.
            let held = self.records.entry(*network).or_insert(Held {
                record: fresh.clone(),
                stage: Stage::Ahead,
                known: true,
                noticed: stay.now,
                absent: None,
            });
            held.record = fresh;
            self.put.insert(*network);
            self.dropped.remove(network);
        }
        Some(Draft { content, add })
    }

    /// The update was taken: the set holds exactly what was sent. Gives what somebody had taken out by hand.
    pub(super) fn accepted(&mut self, draft: Draft, token: String, now: u64) -> Vec<IpNet> {
        self.supersede(draft.content.token.clone());
        let mut back = Vec::new();
        for network in &draft.add {
            if let Some(held) = self.records.get_mut(network) {
                back.extend((held.stage == Stage::There).then_some(*network));
                (held.stage, held.absent) = (Stage::There, None);
            }
        }
        self.entries = draft.content.addresses.iter().filter_map(|entry| parsed(entry)).collect();
        // The token proves that nothing was there but what the list was made from.
        let gone = self.records.keys().filter(|network| !self.entries.contains(network));
        let gone: Vec<IpNet> = gone.copied().collect();
        self.forget(gone);
        self.size = draft.content.addresses.len();
        self.content = Some(Content { token, ..draft.content });
        (self.synced, self.trouble, self.told) = (Some(now), None, None);
        self.backoff.reset();
        back
    }

    /// The update was not taken, or nobody knows.
    pub(super) fn refused(&mut self, draft: &Draft, kind: Kind) {
        match kind {
            Kind::Locked => {
                self.supersede(draft.content.token.clone());
                self.content = None;
            }
            Kind::Unreachable => {
                for network in &draft.add {
                    if let Some(held) = self.records.get_mut(network).filter(|held| held.stage == Stage::Ahead) {
                        held.stage = Stage::Doubt;
                    }
                }
                self.content = None;
            }
            Kind::Missing => (self.content, self.id) = (None, None),
            _ => {}
        }
    }

    /// What is to be changed in the store.
    pub(super) fn unsaved(&mut self, put: &mut Vec<Record>, drop: &mut Vec<Key>) {
        let records = std::mem::take(&mut self.put).into_iter().filter_map(|n| self.records.get(&n));
        put.extend(records.map(|held| held.record.clone()));
        drop.extend(std::mem::take(&mut self.dropped).into_iter().map(|network| (self.name.clone(), network)));
    }

    /// The store did not take it: once more, later.
    pub(super) fn still_unsaved(&mut self, put: &[Record], drop: &[Key]) {
        self.put.extend(put.iter().filter(|r| r.set == self.name).map(|r| r.network));
        let gone = drop.iter().filter(|key| key.0 == self.name && !self.records.contains_key(&key.1));
        self.dropped.extend(gone.map(|key| key.1));
    }

    /// All its records, where the set itself is gone.
    pub(super) fn forget_all(&mut self) {
        self.forget(self.records.keys().copied().collect());
    }

    fn forget(&mut self, networks: Vec<IpNet>) {
        for network in networks {
            self.records.remove(&network);
            self.put.remove(&network);
            self.dropped.insert(network);
        }
    }

    fn supersede(&mut self, token: String) {
        if self.past.len() == TOKENS {
            self.past.pop_front();
        }
        self.past.push_back(token);
    }
}

#[cfg(test)]
#[path = "set_tests.rs"]
mod tests;
