//! How it goes with the group.

use crate::base::clock::Time;
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How it goes with the group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SmartGroupStatus {
    /// Its name.
    pub name: String,
    /// The Controller.
    pub controller: String,
    /// Whether this weir keeps it: the only one, or the leader of its fleet.
    pub leads: bool,
    /// Networks in it that weir put there.
    pub entries: u64,
    /// Other expressions in it.
    pub foreign: u64,
    /// For how many seconds what it holds has not been checked; none before the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_s: Option<f64>,
    /// Updates that the Controller took.
    pub updates: u64,
    /// How often weir logged in.
    pub logins: u64,
    /// Syncs that failed.
    pub failures: u64,
    /// Whether networks of IPv6 are left out, as the Controller refused them.
    pub ipv4_only: bool,
    /// What goes wrong, while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
}

/// The same while it is counted.
#[derive(Debug, Default)]
pub struct Tally(Mutex<(SmartGroupStatus, Option<Time>)>);

impl Tally {
    /// How it stands.
    pub fn status(&self, now: Time) -> SmartGroupStatus {
        let inner = self.inner();
        SmartGroupStatus { age_s: inner.1.map(|at| now.since(at).as_secs_f64()), ..inner.0.clone() }
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut SmartGroupStatus)) {
        change(&mut self.inner().0);
    }

    /// What it holds is known, and right.
    pub(super) fn checked(&self, at: Time) {
        self.inner().1 = Some(at);
    }

    fn inner(&self) -> MutexGuard<'_, (SmartGroupStatus, Option<Time>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something in every part, for tests of whoever shows it.
#[cfg(test)]
pub(crate) fn fixture() -> SmartGroupStatus {
    SmartGroupStatus {
        name: "weir-offenders".into(),
        controller: "https://controller.example".into(),
        leads: true,
        entries: 3,
        foreign: 1,
        age_s: Some(12.5),
        updates: 4,
        logins: 1,
        failures: 2,
        ipv4_only: false,
        failing: Some("no answer within 10s".into()),
    }
}
