//! What happened beside requests, as the ingress log tells it: bans, and changes of state.

use crate::base::clock::{self, Time};
use crate::base::rfc3339;
use crossbeam_queue::ArrayQueue;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many wait at most.
const CAPACITY: usize = 2_048;

/// One piece of news.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// A ban began, changed or ended.
    Ban(BanNews),
    /// Something is otherwise than before.
    State(StateNews),
}

/// A ban began, changed or ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BanNews {
    /// When: RFC 3339, UTC, milliseconds.
    pub time: String,
    /// Always `ban`.
    pub kind: String,
    /// `added`, `raised`, `lifted` or `expired`.
    pub action: String,
    /// The network, as `192.0.2.7/32`.
    pub network: ipnet::IpNet,
    /// `refuse`, `close` or `ban`; empty where it ended.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub step: String,
    /// Who wanted it: the ladder's offence, `operator`, `guardduty`, `aviatrix`, `fleet` or `members`.
    pub cause: String,
    /// The evidence, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// When it ends: RFC 3339.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub until: String,
}

/// Something is otherwise than before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateNews {
    /// When: RFC 3339, UTC, milliseconds.
    pub time: String,
    /// Always `state`.
    pub kind: String,
    /// Whose state: `flood`, `config`, `alert`, `weir`, `waf`, `fleet`, `aviatrix`.
    pub of: String,
    /// Which one, where there are several: an alert's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The state before.
    pub from: String,
    /// The state now.
    pub to: String,
    /// Why, as a code.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cause: String,
    /// In words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// The figures that it rests on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub evidence: BTreeMap<String, f64>,
}

/// The time as news write it.
pub fn time_of(at: Time) -> String {
    rfc3339::from_unix_nanos(clock::unix_nanos(at))
}

impl StateNews {
    /// `of` went from one state to another.
    pub fn new(of: &str, from: &str, to: &str, at: Time) -> Self {
        Self {
            time: time_of(at),
            kind: "state".into(),
            of: of.into(),
            name: String::new(),
            from: from.into(),
            to: to.into(),
            cause: String::new(),
            text: String::new(),
            evidence: BTreeMap::new(),
        }
    }
}

/// News on their way to the sinks: bounded, drops rather than waits.
#[derive(Debug)]
pub struct NewsQueue {
    waiting: ArrayQueue<News>,
    dropped: AtomicU64,
}

impl Default for NewsQueue {
    fn default() -> Self {
        Self { waiting: ArrayQueue::new(CAPACITY), dropped: AtomicU64::new(0) }
    }
}

impl NewsQueue {
    /// Puts news in, or counts them as dropped if there is no room.
    pub fn send(&self, news: News) {
        if self.waiting.push(news).is_err() {
            // Relaxed: a lone counter.
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The oldest.
    pub fn take(&self) -> Option<News> {
        self.waiting.pop()
    }

    /// How many found no room since the start.
    pub fn dropped(&self) -> u64 {
        // Relaxed: as in `send`.
        self.dropped.load(Ordering::Relaxed)
    }
}
