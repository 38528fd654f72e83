//! How all alerts are: for `/api/status`, `weir status`, the live page and the metrics.

use super::engine::{Standing, State};
use super::message::{side, unit};
use super::rules::in_words;
use super::tell::Outbox;
use super::window::Measure;
use crate::event::news::time_of;
use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One rule as it is now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AlertStatus {
    /// Its name.
    pub name: String,
    /// How it is.
    pub state: State,
    /// Since when: RFC 3339.
    pub since: String,
    /// What is watched.
    pub signal: String,
    /// The value; null where there is none.
    pub value: Option<f64>,
    /// The level.
    pub level: f64,
    /// What both are measured in.
    pub unit: String,
    /// Which side of the level is bad.
    pub side: String,
    /// `info`, `warning` or `critical`.
    pub severity: String,
    /// Value and level, for people.
    pub text: String,
}

impl AlertStatus {
    /// Of one rule.
    pub fn new(standing: &Standing<'_>) -> Self {
        let Standing { rule, state, since, value } = standing;
        let of = rule.signal.unit;
        let (value, shown) = match value {
            Measure::Value(value) => (Some(*value), in_words(*value, of)),
            Measure::TooFew => (None, "too few requests".to_owned()),
            Measure::Missing => (None, "no figures".to_owned()),
        };
        Self {
            name: rule.name.clone(),
            state: *state,
            since: time_of(*since),
            signal: rule.signal.name.clone(),
            value,
            level: rule.level.value,
            unit: unit(of).into(),
            side: side(rule).into(),
            severity: rule.severity.to_string(),
            text: format!("{shown}, bad {} {}", side(rule), in_words(rule.level.value, of)),
        }
    }
}

/// How telling goes, by one way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldStatus {
    /// `sns` or `webhook`.
    pub to: String,
    /// Messages that were taken.
    pub told: u64,
    /// Messages given up after many tries, or refused.
    pub failed: u64,
    /// Messages that found no room.
    pub dropped: u64,
    /// Messages that wait.
    pub waiting: u64,
    /// What went wrong last, while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
}

/// What is shown of alerts.
#[derive(Default)]
pub struct Board {
    /// All rules.
    pub(super) alerts: ArcSwap<Vec<AlertStatus>>,
    /// Who is told.
    pub(super) outboxes: Vec<Arc<Outbox>>,
}

impl Board {
    /// One that shows these ways.
    pub fn new(outboxes: Vec<Arc<Outbox>>) -> Self {
        Self { alerts: ArcSwap::default(), outboxes }
    }

    /// All rules, as they were at the last look.
    pub fn alerts(&self) -> Vec<AlertStatus> {
        self.alerts.load().to_vec()
    }

    /// How telling goes.
    pub fn told(&self) -> Vec<ToldStatus> {
        self.outboxes.iter().map(|outbox| outbox.status()).collect()
    }
}

/// Something of each, for tests of whoever shows it.
#[cfg(test)]
pub(crate) fn fixture() -> (Vec<AlertStatus>, Vec<ToldStatus>) {
    let alert = AlertStatus {
        name: "attack".into(),
        state: State::Firing,
        since: "2024-02-29T12:00:00.000Z".into(),
        signal: "flood_state".into(),
        value: Some(2.0),
        level: 1.0,
        unit: "number".into(),
        side: "above".into(),
        severity: "critical".into(),
        text: "2, bad above 1".into(),
    };
    let told = ToldStatus { to: "sns".into(), told: 3, failed: 1, ..ToldStatus::default() };
    (vec![alert], vec![told])
}
