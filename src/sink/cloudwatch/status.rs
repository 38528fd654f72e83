//! How the way to CloudWatch goes.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// For `/api/status` and the metrics.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CloudWatchStatus {
    /// `api` or `emf`.
    pub mode: String,
    /// Data that were taken.
    pub sent: u64,
    /// Data that found the buffer full.
    pub dropped: u64,
    /// Data that may have been taken, and were not sent again.
    pub unknown: u64,
    /// Data that were refused for what they are.
    pub refused: u64,
    /// Data that wait.
    pub waiting: u64,
    /// Requests that failed, by why.
    pub failures: BTreeMap<String, u64>,
    /// What went wrong last, while it does.
    pub failing: Option<String>,
    /// For how long nothing was taken.
    pub age_s: f64,
}

/// Something in every part, for tests of whoever shows it.
#[cfg(test)]
pub(crate) fn fixture() -> CloudWatchStatus {
    CloudWatchStatus {
        mode: "api".into(),
        sent: 700,
        dropped: 3,
        failures: [("throttled".into(), 2)].into(),
        age_s: 4.5,
        ..CloudWatchStatus::default()
    }
}
