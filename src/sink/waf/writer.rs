//! The loop: reads, merges, writes, one call at a time and none above the quota. May be ended at any await: what it had
//! written down before it sent is enough to go on from.

use super::api::{ApiError, Kind, SetRef, Sets};
use super::desk::{CAPACITY, Desk, Terms};
use super::merge::Stay;
use super::pace::{Backoff, Pace};
use super::record::{Store, StoreError};
use super::set::{Draft, Seen};
use super::status::{Reach, WafStatus};
use super::want::Want;
use crate::config::settings::Waf;
use ipnet::IpNet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// How often bans are heard although nobody said that they changed.
const LISTEN: Duration = Duration::from_secs(5);

/// Not more often than this: it means going through the whole book.
const GAP: Duration = Duration::from_millis(200);

/// For one call, in case whoever does it forgets to give up.
const CALL: Duration = Duration::from_secs(5);

/// So old, in milliseconds, may be what is known of a set when it is changed.
const FRESH: u64 = 1_000;

/// How often the store is told what did not go with an update.
const SAVE: Duration = Duration::from_secs(10);

/// What the loop knows of the rest of weir.
pub trait Source: Send + Sync {
    /// All that is banned at `unix_ms`.
    fn wants(&self, unix_ms: u64) -> Vec<Want>;
    /// Whether nobody allowed, trusted or known to be good is in `network`.
    fn may_cover(&self, network: &IpNet) -> bool;
    /// What the config in force says.
    fn rules(&self) -> LiveRules;
}

/// What of the config counts without a restart.
#[derive(Clone, Copy, Debug)]
pub struct LiveRules {
    /// `waf.grace`.
    pub grace: Duration,
    /// `waf.leftovers_after`.
    pub leftovers_after: Option<Duration>,
    /// `ban.rollup_members`.
    pub rollup_members: u32,
    /// `client.ipv6_prefix`.
    pub ipv6_prefix: u8,
}

/// What the loop works with.
pub struct Parts {
    /// What is banned, and who may not be.
    pub source: Arc<dyn Source>,
    /// Told when bans changed.
    pub changed: watch::Receiver<()>,
    /// Whether this weir is the one that writes.
    pub lease: watch::Receiver<bool>,
    /// Where records outlive the process.
    pub store: Arc<dyn Store>,
    /// AWS.
    pub sets: Arc<dyn Sets>,
    /// Milliseconds since 1970.
    pub unix_ms: Arc<dyn Fn() -> u64 + Send + Sync>,
}

/// What others may ask of the loop.
#[derive(Clone)]
pub struct Handle {
    desk: Arc<Mutex<Desk>>,
    unix_ms: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl Handle {
    /// How it is.
    pub fn status(&self) -> WafStatus {
        self.desk().status((self.unix_ms)())
    }

    /// How far the ban of exactly this network got.
    pub fn reach(&self, network: &IpNet) -> Reach {
        self.desk().reach(&network.trunc())
    }

    /// The names of the sets that are in use.
    pub fn sets(&self) -> Vec<String> {
        self.status().sets.into_iter().map(|set| set.name).collect()
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The loop, not yet running.
pub struct Writer {
    parts: Parts,
    handle: Handle,
    updates: Pace,
    reads: Pace,
    /// What ails the whole account.
    backoff: Backoff,
    /// Whether bans changed since they were heard last, when that was, and when the store was told.
    stale: bool,
    heard: Instant,
    saved: Instant,
}

impl Writer {
    /// A loop over the sets of the config.
    pub fn new(waf: &Waf, parts: Parts) -> Self {
        Self::with_capacity(waf, parts, CAPACITY)
    }

    /// The same with smaller sets: for tests.
    #[doc(hidden)]
    pub fn with_capacity(waf: &Waf, parts: Parts, capacity: usize) -> Self {
        let desk = Arc::new(Mutex::new(Desk::new(&waf.ipv4_sets, &waf.ipv6_sets, capacity)));
        Self {
            handle: Handle { desk, unix_ms: parts.unix_ms.clone() },
            parts,
            updates: Pace::updates(waf.update_rate),
            reads: Pace::reads(),
            backoff: Backoff::default(),
            stale: true,
            heard: Instant::now(),
            saved: Instant::now(),
        }
    }

    /// For others to ask.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Runs until the process or the lease's giver ends, and writes while the lease is held.
    pub async fn run(mut self) {
        while self.parts.lease.wait_for(|held| *held).await.is_ok() {
            self.lead().await;
            self.handle.desk().writer = false;
        }
    }

    /// Writes until the lease is gone.
    async fn lead(&mut self) {
        let mut lease = self.parts.lease.clone();
        let mut failures = Backoff::default();
        loop {
            match self.parts.store.load().await {
                Ok(records) => {
                    let mut desk = self.handle.desk();
                    desk.load(records, (self.parts.unix_ms)());
                    desk.writer = true;
                    break;
                }
                // Without its records weir could not tell its own from others'.
                Err(e) => {
                    self.handle.desk().tally.failed(Kind::Records);
                    tracing::error!("waf: the records can't be read, and nothing is written before they are: {e}");
                    failures.failed(Instant::now());
                    let until = failures.until(Instant::now()).unwrap_or_else(Instant::now);
                    tokio::select! {
                        () = sleep_until(until) => {}
                        _ = lease.wait_for(|held| !held) => return,
                    }
                }
            }
        }
        self.stale = true;
        while *self.parts.lease.borrow() {
            let next = self.step().await;
            let changed = self.parts.changed.clone();
            tokio::select! {
                () = sleep_until(next) => {}
                _ = lease.wait_for(|held| !held) => return,
                // Nothing can be done about news before an update may go out.
                () = news(changed, self.updates.next().max(self.heard + GAP)) => self.stale = true,
            }
        }
    }

    /// Does what is due, one call at most, and says when to come again.
    async fn step(&mut self) -> Instant {
        let now = Instant::now();
        self.listen(now);
        if let Some(until) = self.backoff.until(now) {
            return until.min(now + LISTEN);
        }
        if now.saturating_duration_since(self.saved) >= SAVE {
            self.saved = now;
            if let Err(e) = self.save().await {
                self.records_failed(&e);
            }
        }
        let update = self.handle.desk().to_update(now);
        let next = match update {
            Ok(at) if self.updates.next() <= now => {
                if self.is_fresh(at) {
                    return match self.updates.take() {
                        Ok(()) => self.update(at).await,
                        Err(wait) => now + wait,
                    };
                }
                return self.read_in_turn(at, now).await;
            }
            Ok(_) => self.updates.next(),
            Err(when) => when.unwrap_or(now + LISTEN),
        };
        let read = self.handle.desk().to_read(now, (self.parts.unix_ms)());
        let next = match read {
            Ok(at) => return self.read_in_turn(at, now).await.min(next),
            Err(when) => next.min(when),
        };
        let unix_ms = (self.parts.unix_ms)();
        let end = self.handle.desk().next_end().map(|end| now + Duration::from_millis(end.saturating_sub(unix_ms)));
        next.min(now + LISTEN).min(end.map_or(next, |end| end.max(now + GAP)))
    }

    /// Whether what a set holds was seen just now: what somebody put there long before an update must not be taken for
    /// a part of it, should its answer be lost.
    fn is_fresh(&self, at: usize) -> bool {
        let synced = self.handle.desk().sets[at].synced;
        synced.is_some_and(|synced| (self.parts.unix_ms)().saturating_sub(synced) < FRESH)
    }

    /// Reads one set if reads may go out, and says when to come again.
    async fn read_in_turn(&mut self, at: usize, now: Instant) -> Instant {
        if let Err(wait) = self.reads.take() {
            return now + wait;
        }
        self.read(at).await;
        Instant::now()
    }

    /// Hears what is banned, where that may have changed, and gives it its place.
    fn listen(&mut self, now: Instant) {
        let unix_ms = (self.parts.unix_ms)();
        let due = now.saturating_duration_since(self.heard) >= LISTEN;
        let over = self.handle.desk().next_end().is_some_and(|end| end <= unix_ms);
        if self.stale || due || over {
            (self.stale, self.heard) = (false, now);
            self.parts.changed.mark_unchanged();
            let wants = self.parts.source.wants(unix_ms);
            self.handle.desk().want(wants);
            self.arrange(now);
        }
    }

    fn arrange(&self, now: Instant) {
        let rules = self.parts.source.rules();
        let terms = Terms {
            stay: self.stay(),
            rollup_members: rules.rollup_members,
            ipv6_prefix: rules.ipv6_prefix,
            may_cover: &|network| self.parts.source.may_cover(network),
        };
        self.handle.desk().arrange(&terms, now);
    }

    fn stay(&self) -> Stay {
        let LiveRules { grace, leftovers_after, .. } = self.parts.source.rules();
        Stay { grace, leftovers_after, now: (self.parts.unix_ms)() }
    }

    /// Reads one set, its id first where that is not known.
    async fn read(&mut self, at: usize) {
        let (name, id) = {
            let desk = self.handle.desk();
            (desk.sets[at].name.clone(), desk.sets[at].id.clone())
        };
        let Some(id) = id else { return self.identify(at).await };
        let content = within(self.parts.sets.get(SetRef { name: &name, id: &id })).await;
        let now = Instant::now();
        match content {
            Ok(content) => {
                self.backoff.reset();
                let seen = self.handle.desk().read(at, content, &self.stay(), now);
                if seen == Seen::Wrong {
                    tracing::error!("waf: the set {name} is of the other family; name it in the other list of [waf]");
                }
            }
            Err(e) => self.failed(at, &e, "GetIPSet", now),
        }
        self.arrange(now);
    }

    /// Asks for the ids of all sets that lack one.
    async fn identify(&mut self, at: usize) {
        let names = self.handle.desk().nameless();
        let ids = within(self.parts.sets.ids(&names)).await;
        let now = Instant::now();
        match ids {
            Ok(ids) => {
                self.backoff.reset();
                self.handle.desk().identify(&ids);
                let missing: Vec<usize> = {
                    let desk = self.handle.desk();
                    (0..desk.sets.len()).filter(|at| desk.sets[*at].id.is_none()).collect()
                };
                let error =
                    ApiError::new(Kind::Missing, "there is no set of this name in this account, Region and scope");
                missing.into_iter().for_each(|at| self.failed(at, &error, "ListIPSets", now));
            }
            Err(e) => self.failed(at, &e, "ListIPSets", now),
        }
        self.arrange(now);
    }

    /// Sends one update; what comes in is safe in the store before.
    async fn update(&mut self, at: usize) -> Instant {
        let stay = self.stay();
        let (draft, name, id) = {
            let mut desk = self.handle.desk();
            let Some(draft) = desk.draft(at, &stay) else { return Instant::now() + GAP };
            (draft, desk.sets[at].name.clone(), desk.sets[at].id.clone().unwrap_or_default())
        };
        if let Err(e) = self.save().await {
            self.records_failed(&e);
            let now = Instant::now();
            self.handle.desk().failed(at, Kind::Records, now);
            self.arrange(now);
            return now;
        }
        let sent = within(self.parts.sets.update(SetRef { name: &name, id: &id }, &draft.content)).await;
        let now = Instant::now();
        match sent {
            Ok(token) => self.accepted(at, draft, token).await,
            Err(e) => {
                self.handle.desk().sets[at].refused(&draft, e.kind);
                self.failed(at, &e, "UpdateIPSet", now);
            }
        }
        self.arrange(now);
        now
    }

    async fn accepted(&mut self, at: usize, draft: Draft, token: String) {
        self.backoff.reset();
        self.handle.desk().accepted(at, draft, token, (self.parts.unix_ms)());
        if let Err(e) = self.save().await {
            self.records_failed(&e);
        }
    }

    /// Tells the store what changed. What it does not take stays to be told.
    async fn save(&self) -> Result<(), StoreError> {
        let (put, gone) = self.handle.desk().unsaved();
        if put.is_empty() && gone.is_empty() {
            return Ok(());
        }
        let saved = self.parts.store.change(&put, &gone).await;
        if saved.is_err() {
            self.handle.desk().still_unsaved(&put, &gone);
        }
        saved
    }

    fn records_failed(&self, error: &StoreError) {
        tracing::error!("waf: the records can't be written, and nothing new is sent before they are: {error}");
    }

    fn failed(&mut self, at: usize, error: &ApiError, call: &'static str, now: Instant) {
        if matches!(error.kind, Kind::Throttled | Kind::Unreachable) {
            self.backoff.failed(now);
        }
        let (news, name) = {
            let mut desk = self.handle.desk();
            (desk.failed(at, error.kind, now), desk.sets[at].name.clone())
        };
        if news && error.kind != Kind::Locked {
            let need = match error.kind {
                Kind::Denied | Kind::Missing => format!("; it needs the permission wafv2:{call}, and the set {name}"),
                _ => String::new(),
            };
            tracing::warn!("waf: {call} of the set {name} failed ({}): {}{need}", error.kind.code(), error.message);
        }
    }
}

/// The outcome of a call, which must not last for ever.
async fn within<T>(call: impl Future<Output = Result<T, ApiError>>) -> Result<T, ApiError> {
    let late = || Err(ApiError::new(Kind::Unreachable, "no answer in time"));
    tokio::time::timeout(CALL, call).await.unwrap_or_else(|_| late())
}

/// Comes when bans changed and something can be done about it.
async fn news(mut changed: watch::Receiver<()>, ready: Instant) {
    // Its sender gone, the five seconds' look is left.
    if changed.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
    sleep_until(ready).await;
}
