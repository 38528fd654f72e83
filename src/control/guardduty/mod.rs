//! Findings of AWS GuardDuty: read off an SQS queue that EventBridge writes to, turned into bans or suspicion.
//!
//! `finding` reads a message, `seen` remembers which were dealt with, `queue` speaks to SQS.

pub mod finding;
#[cfg(feature = "aws")]
pub mod queue;
#[cfg(feature = "aws")]
mod seen;

use serde::{Deserialize, Serialize};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What became of messages, since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardDutyStatus {
    /// Messages taken from the queue.
    pub received: u64,
    /// Findings that led to a ban or a suspicion.
    pub acted: u64,
    /// Findings that are not about a client: outbound, not against a target, archived, not severe enough.
    pub passed: u64,
    /// Findings that were known already.
    pub repeated: u64,
    /// Addresses that may not be banned, or whose ban an operator lifted.
    pub spared: u64,
    /// Findings that stay in the queue, as `ban.max_per_minute` was reached.
    pub postponed: u64,
    /// Messages that are no findings.
    pub poison: u64,
    /// Calls of SQS that failed.
    pub failures: u64,
    /// Why the queue can't be read now.
    pub failing: Option<String>,
}

/// The same while it is counted.
#[derive(Debug, Default)]
pub struct Tally(Mutex<GuardDutyStatus>);

impl Tally {
    /// How it stands.
    pub fn status(&self) -> GuardDutyStatus {
        self.inner().clone()
    }

    #[cfg(feature = "aws")]
    fn count(&self, change: impl FnOnce(&mut GuardDutyStatus)) {
        change(&mut self.inner());
    }

    fn inner(&self) -> MutexGuard<'_, GuardDutyStatus> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
