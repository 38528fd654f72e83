//! What a running weir tells about bans: for `/api/bans`, `weir ban`, `weir why` and the metrics.

use crate::ban::Record;
use crate::ban::file::Anchor;
use crate::base::rfc3339;
use crate::base::units::show_duration;
use crate::sink::waf;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One ban.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BanView {
    /// Who is banned: an address or a network.
    pub network: String,
    /// `refuse`, `close`, `ban 1`, `ban 2` and so on.
    pub step: String,
    /// `ladder`, `members` (a network, for what most of its clients did), `operator`, or `guardduty` or `aviatrix` (a finding).
    pub by: String,
    /// An operator's words, the offence's code, or the finding.
    pub reason: String,
    /// What was observed against which threshold, in words; empty for an operator's.
    pub evidence: String,
    /// Since when: RFC 3339.
    pub since: String,
    /// Until when: RFC 3339.
    pub until: String,
    /// For how many seconds more; 0 where it is over and only remembered.
    pub left_s: f64,
    /// How many requests met it.
    pub hits: u64,
    /// The task of the fleet that said so; none: this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// How far it has got, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<ReachView>,
}

/// How far a ban, or its end, has got beyond this weir.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReachView {
    /// In the fleet, where there is one: who has it in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fleet: Option<FleetReach>,
    /// In AWS WAF, where bans are handed to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waf: Option<waf::Reach>,
}

/// How far it has got in the fleet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetReach {
    /// Tasks that have it in force, this one included.
    pub heard: u64,
    /// Tasks in the fleet; 0 where the store cannot be reached, so that nobody knows.
    pub tasks: u64,
}

/// All bans, as far as asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BansView {
    /// How the ladder is.
    pub status: BanStatus,
    /// Those that hold, the longest first.
    pub bans: Vec<BanView>,
}

/// How the ladder is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BanStatus {
    /// What `ban.enabled` says.
    pub enabled: bool,
    /// Whether an operator paused the ladder.
    pub paused: bool,
    /// How many bans hold now.
    pub active: u64,
    /// Steps taken since the start, by offence.
    pub added: Vec<BanCount>,
    /// Suspects that found no room before they were looked at.
    pub suspects_dropped: u64,
    /// Suspects that may not be banned.
    pub spared: u64,
    /// Suspects that had to wait for `ban.max_per_minute`.
    pub capped: u64,
    /// Of those, how many waited in vain.
    pub given_up: u64,
    /// Bans that had to go because the book was full.
    pub evicted: u64,
}

/// How many steps one offence led to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BanCount {
    /// The offence's code, `members`, `operator`, `guardduty` or `aviatrix`.
    pub kind: String,
    /// How many.
    pub count: u64,
}

/// What an operator asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BanRequest {
    /// An address or a network.
    pub address: String,
    /// For how long, such as `10m`.
    #[serde(rename = "for")]
    pub duration: String,
    /// In the operator's words.
    #[serde(default)]
    pub reason: String,
}

impl BanView {
    /// `record` as people read it.
    pub fn new(record: &Record, anchor: &Anchor) -> Self {
        let time = |at| rfc3339::from_unix_nanos(anchor.unix_ms(at) * 1_000_000);
        Self {
            network: record.network.to_string(),
            step: record.step.to_string(),
            by: record.who.code().into(),
            reason: record.reason.clone(),
            evidence: evidence(record),
            since: time(record.since),
            until: time(record.until),
            left_s: record.until.since(anchor.now).as_secs_f64(),
            hits: record.hits(),
            reach: None,
            from: record.from.as_deref().map(str::to_owned),
        }
    }
}

/// What was observed, in one line: `120 refused requests beyond 60/m, the last for /x`.
pub(super) fn evidence(record: &Record) -> String {
    let Some(e) = &record.evidence else { return String::new() };
    let path = e.path.to_text();
    let last = if path.is_empty() { String::new() } else { format!(", the last for {path}") };
    format!("{} {} beyond {}{last}", e.threshold.burst, e.kind.text(), e.threshold.rate)
}

/// One line about a new ban, for the log.
pub(super) fn told(record: &Record) -> String {
    let evidence = evidence(record);
    let why = if evidence.is_empty() { &record.reason } else { &evidence };
    let millis = record.until.since(record.since).as_millis() as u64;
    let lasts = show_duration(Duration::from_secs(millis.div_ceil(1_000)));
    format!("{} for {lasts} ({}, by {}): {why}", record.network, record.step, record.who.code())
}

/// A ladder with something in every part, for tests of whoever shows it.
#[cfg(test)]
pub(crate) fn fixture() -> BanStatus {
    BanStatus {
        enabled: true,
        paused: false,
        active: 2,
        added: vec![BanCount { kind: "login".into(), count: 3 }, BanCount { kind: "operator".into(), count: 1 }],
        suspects_dropped: 4,
        spared: 5,
        capped: 6,
        given_up: 7,
        evicted: 8,
    }
}
