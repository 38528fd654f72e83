//! The writer's side: every ban with its evidence, and for a while those that are over, which the ladder remembers.

use super::network::Network;
use super::offence::Offence;
use super::set::{Ban, BanSet, Bans, Held, Step, Who};
use crate::base::clock::Time;
use crate::base::sync::{AtomicU64, Ordering};
use crate::config::settings::Threshold;
use crate::event::record::Text;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most records that are held.
pub const CAPACITY: usize = 100_000;

/// What a client was banned for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// What it did.
    pub kind: Offence,
    /// The threshold that it crossed.
    pub threshold: Threshold,
    /// The path that it asked for last.
    pub path: Text<64>,
    /// When.
    pub at: Time,
}

/// One ban with all that is known of it.
#[derive(Clone, Debug)]
pub struct Record {
    /// Who is banned.
    pub network: Network,
    /// Since when.
    pub since: Time,
    /// When it is over.
    pub until: Time,
    /// How far up the ladder.
    pub step: Step,
    /// On whose word.
    pub who: Who,
    /// In words: an operator's, or what the ladder says of it.
    pub reason: String,
    /// What it was banned for.
    pub evidence: Option<Evidence>,
    /// When an operator lifted a ban of it that rested on a finding: what was found before then counts no more.
    pub lifted: Option<Time>,
    /// The task of the fleet that said so; none: this one.
    pub from: Option<Arc<str>>,
    /// When it was written, in milliseconds since 1970 by the clock of who wrote it: of two, the later holds.
    pub stamp: u64,
    /// Requests that met it.
    hits: Arc<AtomicU64>,
}

impl Record {
    /// A ban from `now` on, that nobody has met yet.
    pub fn new(network: Network, step: Step, who: Who, now: Time, until: Time) -> Self {
        Self {
            network,
            since: now,
            until,
            step,
            who,
            reason: String::new(),
            evidence: None,
            lifted: None,
            from: None,
            stamp: 0,
            hits: Arc::default(),
        }
    }

    /// Whether it holds.
    pub fn is_active(&self, now: Time) -> bool {
        self.until > now
    }

    /// How many requests met it.
    pub fn hits(&self) -> u64 {
        // Relaxed: a lone counter.
        self.hits.load(Ordering::Relaxed)
    }

    /// As if so many requests had met it: for one that is read from a file, or that follows on another.
    pub fn with_hits(mut self, hits: u64) -> Self {
        self.hits = Arc::new(AtomicU64::new(hits));
        self
    }

    /// How much is lost where it is forgotten: an operator's word, then what holds, the higher and longer the more.
    fn weight(&self, now: Time) -> (bool, bool, Step, Time) {
        (self.who == Who::Operator, self.is_active(now), self.step, self.until)
    }
}

/// The book is full of bans that only an operator may lift.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the book of bans is full: {CAPACITY} are held already")]
pub struct Full;

/// All bans. One hand writes; [`Bans`] are the copies for readers.
#[derive(Debug)]
pub struct Book {
    records: BTreeMap<Network, Record>,
    capacity: usize,
    changed: bool,
    evicted: u64,
    /// What was published before: kept until the next time, so that no request drops it.
    retired: Option<Arc<BanSet>>,
}

impl Default for Book {
    fn default() -> Self {
        Self::with_capacity(CAPACITY)
    }
}

impl Book {
    /// A book for so many records.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { records: BTreeMap::new(), capacity: capacity.max(1), changed: false, evicted: 0, retired: None }
    }

    /// Writes `record`, in place of any other of the same network. In a full book the least goes.
    ///
    /// # Errors
    /// Where all that is there is an operator's.
    pub fn put(&mut self, record: Record, now: Time) -> Result<(), Full> {
        if !self.records.contains_key(&record.network) && self.records.len() >= self.capacity {
            let least = self.records.values().min_by_key(|r| r.weight(now)).filter(|r| r.who != Who::Operator);
            let least = least.ok_or(Full)?.network;
            self.records.remove(&least);
            self.evicted += 1;
        }
        self.records.insert(record.network, record);
        self.changed = true;
        Ok(())
    }

    /// Dates the record of exactly this network.
    pub fn date(&mut self, network: Network, stamp: u64) {
        if let Some(record) = self.records.get_mut(&network) {
            record.stamp = stamp;
        }
    }

    /// The record of exactly this network, past ones included.
    pub fn get(&self, network: Network) -> Option<&Record> {
        self.records.get(&network)
    }

    /// Strikes a record out.
    pub fn remove(&mut self, network: Network) -> Option<Record> {
        let gone = self.records.remove(&network)?;
        self.changed = true;
        Some(gone)
    }

    /// All records in the order of their networks, past ones included.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// The records inside `network`, itself included.
    pub fn inside(&self, network: Network) -> impl Iterator<Item = &Record> {
        // A network sorts before all that it covers.
        self.records
            .range(network..)
            .map(|(_, record)| record)
            .take_while(move |r| network.covers(Network::around(r.network.first(), u8::MAX)))
    }

    /// Keeps only what `keep` wants.
    pub fn retain(&mut self, mut keep: impl FnMut(&Record) -> bool) {
        let before = self.records.len();
        self.records.retain(|_, record| keep(record));
        self.changed |= self.records.len() != before;
    }

    /// How many hold.
    pub fn active(&self, now: Time) -> usize {
        self.records.values().filter(|r| r.is_active(now)).count()
    }

    /// How many records there are, past ones included.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many had to go because the book was full.
    pub const fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Whether anything was written since this was asked last.
    pub const fn take_changed(&mut self) -> bool {
        std::mem::replace(&mut self.changed, false)
    }

    /// Puts in force what holds; only operators' bans unless `ladder`.
    pub fn publish(&mut self, bans: &Bans, ladder: bool, now: Time) {
        let held = |r: &Record| Held {
            ban: Ban { network: r.network, step: r.step, until: r.until, who: r.who },
            hits: r.hits.clone(),
        };
        let holds = |r: &&Record| r.is_active(now) && (ladder || r.who == Who::Operator);
        let set = BanSet::new(self.records.values().filter(holds).map(held));
        self.retired = Some(bans.publish(set));
    }

    /// The most that one ban takes: its record with a short reason, its count, and both copies for readers.
    pub const MEMORY_OF_ONE: usize = size_of::<(Network, Record)>() + 64 + 16 + 2 * (size_of::<(Network, Held)>() + 8);
}

#[cfg(test)]
mod tests;
