//! What happened beside requests, as the ingress log tells it: bans, and changes of state.

use crate::base::clock::{self, Time};
use crate::base::rfc3339;
use crossbeam_queue::ArrayQueue;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many wait at most.
const CAPACITY: usize = 2_048;

/// The longest text of news, in characters.
const MAX_TEXT: usize = 4_000;

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
    /// `refuse`, `close`, `ban 1`, `ban 2` and so on; empty where it ended.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub step: String,
    /// Who wanted it: the ladder's offence, `members`, `operator`, `guardduty`, `aviatrix`, `fleet` (another task said
    /// so), `config` (nobody there may be banned any more) or `time` (it was over).
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
    /// Whose state: `flood`, `config`, `limit`, `alert`, `weir`, `waf`, `fleet`, `aviatrix`.
    pub of: String,
    /// Which one, where there are several: a limit's or an alert's name.
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

impl BanNews {
    /// `action` on the ban of `network`, with nothing else said of it yet.
    pub fn new(action: &str, network: ipnet::IpNet, cause: &str, at: Time) -> Self {
        Self {
            time: time_of(at),
            kind: "ban".into(),
            action: action.into(),
            network,
            step: String::new(),
            cause: cause.into(),
            reason: String::new(),
            until: String::new(),
        }
    }

    /// One with something in every part.
    #[cfg(test)]
    pub(crate) fn fixture() -> Self {
        let mut news = Self::new("added", "192.0.2.7/32".parse().expect("a network"), "login", Time::default());
        (news.step, news.reason) = ("ban 1".into(), "8 failed logins beyond 3/m".into());
        news.until = "2024-02-29T12:01:00.000Z".into();
        news
    }
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

    /// Why: a code, and words, of which no more is kept than a sink can send.
    pub fn because(mut self, cause: &str, text: &str) -> Self {
        self.cause = cause.into();
        self.text = text.into();
        if let Some((at, _)) = text.char_indices().nth(MAX_TEXT) {
            self.text.truncate(at);
            self.text.push('…');
        }
        self
    }

    /// A figure that it rests on.
    pub fn with(mut self, name: &str, value: f64) -> Self {
        self.evidence.insert(name.into(), value);
        self
    }

    /// One with something in every part.
    #[cfg(test)]
    pub(crate) fn fixture() -> Self {
        let mut news = Self::new("flood", "elevated", "attack", Time::default());
        news = news.because("no-assets", "the excess fetches no \"assets\"").with("offered", 900.0);
        news.name = "edge".into();
        news
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_counted() {
        let queue = NewsQueue::default();
        for _ in 0..CAPACITY + 3 {
            queue.send(News::Ban(BanNews::fixture()));
        }
        assert_eq!(queue.dropped(), 3);
        assert_eq!(std::iter::from_fn(|| queue.take()).count(), CAPACITY);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let news = StateNews::fixture().because("faults", &"ä".repeat(10_000));
        assert_eq!(news.text.chars().count(), MAX_TEXT + 1);
    }

    #[test]
    fn every_key_is_documented_and_no_other() {
        let page = include_str!("../../docs/access-log.md");
        let ban = serde_json::to_value(BanNews::fixture()).unwrap();
        let state = serde_json::to_value(StateNews::fixture()).unwrap();
        for (title, news) in [("## Bans", ban), ("## Changes of state", state)] {
            let part = page.split(title).nth(1).expect(title).split("\n## ").next().unwrap();
            let mut documented: Vec<_> =
                part.lines().filter_map(|l| l.strip_prefix("| `")?.split('`').next()).collect();
            documented.sort_unstable();
            let keys: Vec<_> = news.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(keys, documented, "{title}");
        }
    }
}
