//! AWS WAF as it can be: tokens, quota, limits and forms are held, and everything that can go wrong does, by a seed.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use weir::sink::waf::api::{ApiError, Content, Kind, SetRef, Sets};

/// Who put an entry there first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    Weir,
    Other,
}

/// What goes wrong, in calls of 1,000.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// An update loses a race against an edit that changes nothing.
    pub locked: u64,
    pub throttled: u64,
    pub stale: u64,
    /// No answer: half of the updates are applied all the same, some of them only later.
    pub lost: u64,
    /// Nothing answers.
    pub outage: bool,
}

#[derive(Default)]
struct One {
    entries: BTreeMap<String, Owner>,
    token: u64,
    /// What it was before, for stale reads.
    before: Vec<(Instant, Vec<String>, u64)>,
    /// Applied when its time comes, if the token still fits.
    late: Vec<(Instant, Vec<String>, u64)>,
}

/// What the double counted, and every breach of a rule.
#[derive(Debug, Default)]
pub struct Seen {
    pub updates: u64,
    pub taken: u64,
    pub conflicts: u64,
    pub stale: u64,
    pub lost: u64,
    pub throttled: u64,
    pub breaches: Vec<String>,
    last: Option<Instant>,
}

struct Inner {
    sets: BTreeMap<String, One>,
    capacity: usize,
    faults: Faults,
    random: u64,
    seen: Seen,
}

/// The double. Clones share it.
#[derive(Clone)]
pub struct Double(Arc<Mutex<Inner>>);

impl Inner {
    /// A number below `below`.
    fn random(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % below
    }

    fn strikes(&mut self, of_1000: u64) -> bool {
        self.random(1_000) < of_1000
    }

    /// Replaces what a set holds, at weir's word.
    fn apply(&mut self, name: &str, list: Vec<String>, token: u64) -> Result<u64, ApiError> {
        let (capacity, now) = (self.capacity, Instant::now());
        let one = self.sets.get_mut(name).ok_or_else(|| ApiError::new(Kind::Missing, "none such"))?;
        if token != one.token {
            return Err(ApiError::new(Kind::Locked, "somebody wrote"));
        }
        if list.len() > capacity {
            self.seen.breaches.push(format!("{} addresses for {name}", list.len()));
            return Err(ApiError::new(Kind::Limits, "too many"));
        }
        one.before.push((now, one.entries.keys().cloned().collect(), one.token));
        let new: BTreeSet<String> = list.into_iter().collect();
        let lost = one.entries.iter().filter(|(entry, owner)| **owner == Owner::Other && !new.contains(*entry));
        let lost: Vec<String> = lost.map(|(entry, _)| format!("lost {entry} of somebody else's in {name}")).collect();
        self.seen.breaches.extend(lost);
        let owner = |entry: &String| one.entries.get(entry).copied().unwrap_or(Owner::Weir);
        one.entries = new.iter().map(|entry| (entry.clone(), owner(entry))).collect();
        one.token += 1;
        self.seen.taken += 1;
        Ok(one.token)
    }

    /// An update that arrived.
    fn answer(&mut self, name: &str, sent: &Content) -> Result<String, ApiError> {
        let (token, faults) = (sent.token.parse().unwrap(), self.faults);
        if self.strikes(faults.locked) {
            self.sets.get_mut(name).unwrap().token += 1;
        }
        if self.strikes(faults.lost) {
            self.seen.lost += 1;
            match self.random(4) {
                0 | 1 => drop(self.apply(name, sent.addresses.clone(), token)),
                2 => {
                    let at = Instant::now() + Duration::from_secs(4);
                    self.sets.get_mut(name).unwrap().late.push((at, sent.addresses.clone(), token));
                }
                _ => {}
            }
            return Err(ApiError::new(Kind::Unreachable, "no answer"));
        }
        let applied = self.apply(name, sent.addresses.clone(), token);
        self.seen.conflicts += u64::from(applied.as_ref().is_err_and(|e| e.kind == Kind::Locked));
        applied.map(|token| token.to_string())
    }

    /// What was under way when nobody waited for it any more.
    fn catch_up(&mut self) {
        let now = Instant::now();
        for name in self.sets.keys().cloned().collect::<Vec<_>>() {
            let late = self.sets.get_mut(&name).map(|one| std::mem::take(&mut one.late)).unwrap_or_default();
            let (due, rest): (Vec<_>, Vec<_>) = late.into_iter().partition(|(at, ..)| *at <= now);
            self.sets.get_mut(&name).unwrap().late = rest;
            for (_, list, token) in due {
                // Late for a race: it is as if it had never come.
                let _ = self.apply(&name, list, token);
            }
        }
    }
}

impl Double {
    /// Sets of these names that take so many.
    pub fn new(names: &[&str], capacity: usize, seed: u64) -> Self {
        let sets = names.iter().map(|name| ((*name).to_owned(), One::default())).collect();
        let (faults, seen) = (Faults::default(), Seen::default());
        Self(Arc::new(Mutex::new(Inner { sets, capacity, faults, random: seed, seen })))
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// What goes wrong from now on.
    pub fn faults(&self, faults: Faults) {
        self.inner().faults = faults;
    }

    /// Somebody else's hand: adds and removes between weir's read and write. False where the set is full.
    pub fn edit(&self, name: &str, add: &[String], remove: &[String]) -> bool {
        let mut inner = self.inner();
        inner.catch_up();
        if inner.sets[name].entries.len() + add.len() > inner.capacity {
            return false;
        }
        let one = inner.sets.get_mut(name).unwrap();
        one.before.push((Instant::now(), one.entries.keys().cloned().collect(), one.token));
        for entry in remove {
            one.entries.remove(entry);
        }
        for entry in add {
            one.entries.entry(entry.clone()).or_insert(Owner::Other);
        }
        one.token += 1;
        true
    }

    /// What a set holds, and whose.
    pub fn entries(&self, name: &str) -> BTreeMap<String, Owner> {
        let mut inner = self.inner();
        inner.catch_up();
        inner.sets[name].entries.clone()
    }

    /// What was seen until now.
    pub fn seen<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.inner().seen)
    }

    /// The way there, and what strikes on it.
    async fn travel(&self) -> Result<(), ApiError> {
        let (time, outage, throttled) = {
            let mut inner = self.inner();
            inner.catch_up();
            let (of, outage) = (inner.faults.throttled, inner.faults.outage);
            (5 + inner.random(40), outage, inner.strikes(of))
        };
        let deadline = Instant::now() + Duration::from_millis(if outage { 3_000 } else { time });
        sleep_until(deadline).await;
        if outage {
            return Err(ApiError::new(Kind::Unreachable, "no answer"));
        }
        if throttled {
            self.inner().seen.throttled += 1;
            return Err(ApiError::new(Kind::Throttled, "too many"));
        }
        Ok(())
    }
}

#[async_trait]
impl Sets for Double {
    async fn ids(&self, names: &[String]) -> Result<BTreeMap<String, String>, ApiError> {
        self.travel().await?;
        let inner = self.inner();
        let known = names.iter().filter(|name| inner.sets.contains_key(*name));
        Ok(known.map(|name| (name.clone(), format!("id-{name}"))).collect())
    }

    async fn get(&self, set: SetRef<'_>) -> Result<Content, ApiError> {
        self.travel().await?;
        let mut inner = self.inner();
        let (lost, stale) = (inner.faults.lost, inner.faults.stale);
        if inner.strikes(lost) {
            return Err(ApiError::new(Kind::Unreachable, "no answer"));
        }
        let stale = inner.strikes(stale);
        let one = inner.sets.get(set.name).ok_or_else(|| ApiError::new(Kind::Missing, "none such"))?;
        let recent = one.before.last().filter(|(at, ..)| stale && at.elapsed() < Duration::from_secs(5)).cloned();
        let ipv4 = set.name.contains('4');
        let content = |addresses, token: u64| Content { addresses, token: token.to_string(), description: None, ipv4 };
        if let Some((_, addresses, token)) = recent {
            inner.seen.stale += 1;
            return Ok(content(addresses, token));
        }
        Ok(content(one.entries.keys().cloned().collect(), one.token))
    }

    async fn update(&self, set: SetRef<'_>, sent: &Content) -> Result<String, ApiError> {
        {
            let mut inner = self.inner();
            inner.seen.updates += 1;
            let now = Instant::now();
            if inner.seen.last.replace(now).is_some_and(|last| now - last < Duration::from_secs(1)) {
                inner.seen.breaches.push("two updates within a second".to_owned());
            }
            for entry in &sent.addresses {
                let net: Option<ipnet::IpNet> = entry.parse().ok();
                if net.is_none_or(|n| n.trunc() != n || n.prefix_len() == 0 || n.addr().is_ipv4() != sent.ipv4) {
                    inner.seen.breaches.push(format!("{entry} was sent"));
                }
            }
        }
        self.travel().await?;
        let answer = self.inner().answer(set.name, sent);
        // Who is killed here does not hear that it was applied.
        let deadline = Instant::now() + Duration::from_millis(20);
        sleep_until(deadline).await;
        answer
    }
}
