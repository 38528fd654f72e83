//! This task's side of the limits that count over the whole fleet: what it tells, and what it hears.

use super::policy::{CompiledLimit, Policy};
use crate::base::clock::Time;
use crate::limit::gcra::{Decision, Terms};
use crate::limit::share::{Digest, Malformed, Parts, Shared, TaskDemand};
use crate::limit::table::Spot;
use arc_swap::{ArcSwap, Guard};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Parts of single keys that were told so long ago say nothing any more; parts of tasks stay.
const KEYS_HOLD: Duration = Duration::from_secs(60);

/// After so long without a digest something was away: another leader's count may begin anew, and tasks that lead wait
/// as long for all to say again what they were asked for.
const SILENCE: Duration = Duration::from_secs(3);

/// This task's side of the limits that count over the whole fleet.
pub struct Sharing {
    parts: ArcSwap<Parts>,
    /// The lock is for who hears; a request reads the parts alone.
    heard: Mutex<Option<Heard>>,
    /// Since when this task leads again after a silence.
    resumed: Mutex<Option<Time>>,
}

struct Heard {
    digest: Arc<Digest>,
    at: Time,
}

/// How the limits are shared at the moment.
#[derive(Clone, Debug, PartialEq)]
pub struct SharingStatus {
    /// How many tasks share; 1 where this one is alone.
    pub tasks: usize,
    /// The last digest.
    pub epoch: u64,
    /// When it was heard.
    pub heard: Option<Time>,
    /// This task's part of each limit of scope fleet by name, and how many keys have parts of their own.
    pub limits: Vec<(String, f64, usize)>,
}

impl Default for Sharing {
    fn default() -> Self {
        Self { parts: ArcSwap::from_pointee(Parts::even(1)), heard: Mutex::new(None), resumed: Mutex::new(None) }
    }
}

impl Sharing {
    /// What this task holds.
    #[inline]
    pub fn parts(&self) -> Guard<Arc<Parts>> {
        self.parts.load()
    }

    /// What this task was asked for since the last time. Once a second.
    pub fn demand(&self, policy: &Policy, now: Time) -> TaskDemand {
        let parts = self.parts.load();
        let tell = |shared: &Shared| shared.asked.tell(&shared.id, |key| parts.part(shared, key), parts.tasks, now);
        TaskDemand::new(parts.epoch, shared(policy).map(tell).collect())
    }

    /// What the leader makes of what the live tasks told, each by its name. What can't be read counts for a task that
    /// was asked for nothing; its fault stands beside the digest. None just after a silence, in which nobody could tell
    /// anything: who has not told again yet is not gone.
    pub fn aggregate(&self, told: &[(String, Vec<u8>)], now: Time) -> Option<(Digest, Vec<(String, Malformed)>)> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let previous = heard.as_ref().map(|h| (h.digest.clone(), h.at));
        drop(heard);
        let mut resumed = self.resumed.lock().unwrap_or_else(PoisonError::into_inner);
        if previous.as_ref().is_some_and(|(_, at)| now.since(*at) > SILENCE) {
            if now.since(*resumed.get_or_insert(now)) < SILENCE {
                return None;
            }
        } else {
            *resumed = None;
        }
        let mut faults = vec![];
        let demands = told.iter().map(|(task, bytes)| {
            let demand = TaskDemand::decode(bytes).unwrap_or_else(|fault| {
                faults.push((task.clone(), fault));
                TaskDemand::new(0, vec![])
            });
            (task.clone(), demand)
        });
        let demands: Vec<_> = demands.collect();
        Some((Digest::of(previous.map(|(digest, _)| digest).as_deref(), &demands), faults))
    }

    /// Takes this task's part, as the task called `task`, from a digest. Each key keeps what is left of its bucket.
    /// A digest that is not newer than the last is passed over.
    pub fn apply(&self, policy: &Policy, digest: Digest, task: &str, now: Time) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = heard.as_ref().is_none_or(|h| digest.epoch > h.digest.epoch || now.since(h.at) > SILENCE);
        if newer {
            let parts = self.parts.load().after(&digest, task, shared(policy), now);
            self.parts.store(Arc::new(parts));
            *heard = Some(Heard { digest: Arc::new(digest), at: now });
        }
    }

    /// No digest came. A task that has heard one keeps its parts, save those of single keys after a minute; one that
    /// never has takes an equal part of the `live` tasks that it sees beside it, or the whole where it sees none.
    pub fn silence(&self, policy: &Policy, live: usize, now: Time) {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        match heard.as_ref().map(|h| h.at) {
            None => self.parts.store(Arc::new(Parts::even(live + 1))),
            Some(at) if now.since(at) > KEYS_HOLD => {
                let parts = self.parts.load().without_keys(shared(policy));
                self.parts.store(Arc::new(parts));
            }
            Some(_) => {}
        }
    }

    /// This task shares with nobody: every limit is whole.
    pub fn alone(&self) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        *heard = None;
        self.parts.store(Arc::new(Parts::even(1)));
    }

    /// What one round of the fleet brought: a digest, or none (or an empty one). `live` is how many other tasks are seen.
    ///
    /// # Errors
    /// Where the digest can't be read; then everything stays as it is.
    pub fn hear(
        &self,
        policy: &Policy,
        digest: Option<&[u8]>,
        (live, task): (usize, &str),
        now: Time,
    ) -> Result<(), Malformed> {
        match digest.filter(|bytes| !bytes.is_empty()) {
            Some(bytes) => self.apply(policy, Digest::decode(bytes)?, task, now),
            None => self.silence(policy, live, now),
        }
        Ok(())
    }

    /// How the limits are shared at the moment.
    pub fn status(&self, policy: &Policy) -> SharingStatus {
        let parts = self.parts.load();
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = |shared: &Shared| {
            let keys = parts.limit(shared).map_or(0, |l| l.keys());
            let part = if parts.is_whole() {
                1.0
            } else {
                parts.limit(shared).map_or(1.0 / parts.tasks as f64, |l| l.share())
            };
            (shared.id.name.clone(), part, keys)
        };
        SharingStatus {
            tasks: parts.tasks,
            epoch: parts.epoch,
            heard: heard.as_ref().map(|h| h.at),
            limits: shared(policy).map(limit).collect(),
        }
    }
}

/// This task's part of a limit, for one key.
pub(super) struct Part<'a> {
    shared: &'a Shared,
    key: u128,
    pub(super) terms: Terms,
    /// The key's own part, and not what everybody has.
    own: bool,
}

impl<'a> Part<'a> {
    /// None of a limit that this task has whole.
    #[inline]
    pub(super) fn of(shared: &'a Shared, parts: &Parts, key: u128) -> Option<Self> {
        parts.terms(shared, key).map(|(terms, own)| Self { shared, key, terms, own })
    }

    /// What the part answers. Counts what it was asked for: of whom has no debt there is nothing to tell.
    #[inline]
    pub(super) fn peek(&self, spot: Spot, now: Time) -> Decision {
        let (decision, in_debt) = self.shared.table.peek_part(spot, &self.shared.quota, now, self.terms);
        self.shared.asked.covered();
        if in_debt || self.own {
            self.shared.asked.by(self.key);
        }
        decision
    }
}

/// The limits of scope fleet.
fn shared(policy: &Policy) -> impl Iterator<Item = &Shared> {
    policy.limits.iter().filter_map(|limit: &CompiledLimit| limit.shared.as_deref())
}
