//! `[waf]`, `[guardduty]` and `[fleet]`: what weir tells others, and hears of them.

use super::SecretPlace;
use crate::base::units::Rate;
use std::path::PathBuf;
use std::time::Duration;

/// `[waf]`: bans handed to AWS WAF.
#[derive(Clone, Debug, PartialEq)]
pub struct Waf {
    /// Whether it is used.
    pub enabled: bool,
    /// Where the web ACL is.
    pub scope: WafScope,
    /// Names of the sets for IPv4, in the order in which they are filled.
    pub ipv4_sets: Vec<String>,
    /// Names of the sets for IPv6.
    pub ipv6_sets: Vec<String>,
    /// The lowest step of the ladder that is handed on; an operator's bans always are.
    pub from_step: WafStep,
    /// The most updates, all sets together: the quota of the account is 1 a second, for all its callers.
    pub update_rate: Rate,
    /// How long an address that weir put there, and that its book does not know, stays: a book may come late.
    pub grace: Duration,
    /// After how long addresses go that nobody's record explains; none: never, as they may be somebody else's.
    pub leftovers_after: Option<Duration>,
    /// Where weir keeps what it put into the sets.
    pub file: Option<PathBuf>,
}

/// Where a web ACL is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WafScope {
    /// Load balancers of one Region.
    Regional,
    /// CloudFront; its sets live in us-east-1.
    CloudFront,
}

/// A step of the ladder, as a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WafStep {
    /// Every step.
    Refuse,
    /// The second step and all bans.
    Close,
    /// Timed bans only.
    Ban,
}

/// `[guardduty]`: findings of AWS GuardDuty, from an SQS queue.
#[derive(Clone, Debug, PartialEq)]
pub struct GuardDuty {
    /// Whether it is used.
    pub enabled: bool,
    /// The queue that EventBridge writes findings to.
    pub queue_url: String,
    /// Where messages go that can't be read; none: they stay, for the queue's own redrive policy.
    pub poison_queue_url: Option<String>,
    /// Findings below this severity are passed over, in tenths: 40 is 4.0.
    pub min_severity: u16,
    /// What a finding leads to.
    pub action: FindingAction,
    /// How long the ban for a finding lasts.
    pub duration: Duration,
}

/// What a finding of GuardDuty leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingAction {
    /// A ban of its own lifetime.
    Ban,
    /// One step up the ladder.
    Suspect,
}

/// Over what a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// What this task sees.
    Task,
    /// What all tasks of the fleet see together.
    Fleet,
}

/// `[fleet]`: what tasks share through a Valkey or Redis store.
#[derive(Clone, Debug, PartialEq)]
pub struct Fleet {
    /// Whether it is used.
    pub enabled: bool,
    /// The store: `redis://` or, with TLS, `rediss://`. Without a password, which stands in its own file.
    pub url: String,
    /// Who shares with whom.
    pub name: String,
    /// The user of the store; none: its default user.
    pub user: Option<String>,
    /// The password of the store, read at each connect, so that it can be changed.
    pub password_file: Option<SecretPlace>,
    /// What the store's certificate is checked against; none: the usual public authorities.
    pub ca_file: Option<PathBuf>,
}
