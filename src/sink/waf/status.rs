//! How the loop to AWS WAF is: for the metrics, `weir status`, `weir ban` and `weir why`.

use super::api::Kind;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;

/// So many of the latest times are kept.
const SAMPLES: usize = 1_000;

/// The whole picture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WafStatus {
    /// Whether this weir is the one that writes.
    pub writer: bool,
    /// The sets, in the order of the config, IPv4 first.
    pub sets: Vec<SetStatus>,
    /// Updates that were taken.
    pub updates: u64,
    /// Updates refused because somebody else had written in between.
    pub conflicts: u64,
    /// Calls refused because there were too many.
    pub throttled: u64,
    /// Reads that showed what was there before an update.
    pub stale_reads: u64,
    /// Calls that failed, by how; conflicts and throttled calls too.
    pub failures: BTreeMap<String, u64>,
    /// Bans for which the sets have no room now.
    pub evicted: u64,
    /// Bans that lost or did not find their room, since the start.
    pub evictions: u64,
    /// Networks that stand for members now, for want of room.
    pub rolled_up: u64,
    /// Bans that shall be in a set and are not yet.
    pub pending: u64,
    /// Entries that somebody took out by hand and weir put back.
    pub put_back: u64,
    /// From detected to taken by AWS.
    pub sent: Sent,
}

/// One set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SetStatus {
    /// Its name.
    pub name: String,
    /// Entries that weir put there.
    pub ours: u64,
    /// Entries of others.
    pub foreign: u64,
    /// How many it can hold.
    pub capacity: u64,
    /// For how many seconds what it holds has not been checked; none where it never was.
    pub age_s: Option<f64>,
    /// What is wrong with it.
    pub trouble: Option<String>,
}

/// Times from the detection of an offender to the update that AWS took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    /// How many networks were sent since the start.
    pub count: u64,
    /// Of the last 1,000: half took no longer.
    pub p50_ms: u64,
    /// Of the last 1,000: 95 of 100 took no longer.
    pub p95_ms: u64,
    /// Of the last 1,000: the longest.
    pub max_ms: u64,
}

/// How far a ban got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Reach {
    /// AWS took it; it takes seconds to minutes until all of AWS heard.
    Accepted {
        /// In which set.
        set: String,
        /// Since when: milliseconds since 1970.
        since: u64,
    },
    /// It shall be in a set and is not yet.
    Pending {
        /// In which set.
        set: String,
        /// What that set waits for, if something is wrong.
        trouble: Option<String>,
    },
    /// Somebody else has put it into a set, and it is theirs.
    Foreign {
        /// In which set.
        set: String,
    },
    /// A network that holds it stands for it.
    Covered {
        /// Which.
        by: String,
        /// How far that one got.
        reach: Box<Reach>,
    },
    /// It is banned no more, and is not out of its set yet.
    Leaving {
        /// Which set.
        set: String,
    },
    /// The sets are full of worse.
    Evicted,
    /// It is not handed on.
    KeptBack {
        /// Why.
        why: String,
    },
    /// Another weir of the fleet writes, and has it on its list.
    Handed {
        /// In which set.
        set: String,
    },
    /// Another weir of the fleet writes.
    Elsewhere,
    /// It is not banned, or that was not heard yet.
    Unknown,
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { set, .. } => write!(f, "in AWS WAF, set {set}"),
            Self::Pending { set, trouble: None } => write!(f, "on its way to AWS WAF, set {set}"),
            Self::Pending { set, trouble: Some(why) } => write!(f, "waits for AWS WAF, set {set}: {why}"),
            Self::Foreign { set } => write!(f, "in AWS WAF, set {set}, put there by somebody else"),
            Self::Covered { by, reach } => write!(f, "as part of {by}: {reach}"),
            Self::Leaving { set } => write!(f, "still in AWS WAF, set {set}, until the next update"),
            Self::Evicted => f.write_str("not in AWS WAF: its sets are full of worse"),
            Self::KeptBack { why } => write!(f, "not handed to AWS WAF: {why}"),
            Self::Handed { set } => write!(f, "handed to AWS WAF, set {set}, by another weir of the fleet"),
            Self::Elsewhere => f.write_str("handed to AWS WAF by another weir of the fleet"),
            Self::Unknown => f.write_str("not in AWS WAF"),
        }
    }
}

/// Counts since the start, and the latest times.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) updates: u64,
    pub(super) stale_reads: u64,
    pub(super) evictions: u64,
    pub(super) put_back: u64,
    failures: BTreeMap<Kind, u64>,
    sent: u64,
    latest: VecDeque<u64>,
}

impl Tally {
    pub(super) fn failed(&mut self, kind: Kind) {
        *self.failures.entry(kind).or_default() += 1;
    }

    /// A network was taken so many milliseconds after its detection.
    pub(super) fn sent(&mut self, millis: u64) {
        self.sent += 1;
        if self.latest.len() == SAMPLES {
            self.latest.pop_front();
        }
        self.latest.push_back(millis);
    }

    /// Its part of the picture.
    pub(super) fn status(&self) -> WafStatus {
        let count = |kind: Kind| self.failures.get(&kind).copied().unwrap_or(0);
        let mut sorted: Vec<u64> = self.latest.iter().copied().collect();
        sorted.sort_unstable();
        let within = |share: usize| {
            let rank = (sorted.len() * share).div_ceil(100).max(1);
            sorted.get(rank - 1).copied().unwrap_or(0)
        };
        WafStatus {
            updates: self.updates,
            conflicts: count(Kind::Locked),
            throttled: count(Kind::Throttled),
            stale_reads: self.stale_reads,
            failures: Kind::ALL.map(|kind| (kind.code().to_owned(), count(kind))).into(),
            evictions: self.evictions,
            put_back: self.put_back,
            sent: Sent { count: self.sent, p50_ms: within(50), p95_ms: within(95), max_ms: within(100) },
            ..WafStatus::default()
        }
    }
}

/// One with a figure of every kind.
#[cfg(test)]
pub(crate) fn fixture() -> WafStatus {
    let set = |name: &str, trouble: Option<&str>| SetStatus {
        name: name.into(),
        ours: 12,
        foreign: 3,
        capacity: 10_000,
        age_s: Some(0.5),
        trouble: trouble.map(str::to_owned),
    };
    WafStatus {
        writer: true,
        sets: vec![set("weir-ipv4-0", None), set("weir-ipv6-0", Some("missing: no set of that name"))],
        updates: 7,
        conflicts: 2,
        failures: [("locked".to_owned(), 2)].into(),
        pending: 1,
        sent: Sent { count: 12, p50_ms: 1_060, p95_ms: 1_120, max_ms: 1_400 },
        ..WafStatus::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_times_are_told() {
        let mut tally = Tally::default();
        assert_eq!(tally.status().sent, Sent::default());
        (0..2_000).for_each(|millis| tally.sent(millis));
        let sent = tally.status().sent;
        assert_eq!((sent.count, sent.p50_ms, sent.p95_ms, sent.max_ms), (2_000, 1_499, 1_949, 1_999));
        tally.failed(Kind::Locked);
        assert_eq!((tally.status().conflicts, tally.status().failures["locked"]), (1, 1));
    }
}
