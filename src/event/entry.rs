//! A record as people and programs read it: one form for the access log, the admin pages and the command line.

use super::address::Name;
use super::record::{Outcome, Protocol, Record};
use super::story::kind_of;
use crate::base::{clock, rfc3339};
use crate::config::settings::RecordKind;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

/// Names of limits by the index that their counters and [`Record::observed`] use.
pub type LimitNames = [Option<Arc<str>>];

/// One request. What does not apply is left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry<'a> {
    /// When it ended: RFC 3339, UTC, milliseconds.
    pub time: String,
    /// `request`, or `refusal` where weir refused it.
    #[serde(default)]
    pub kind: Cow<'a, str>,
    /// The client's address, or what a sink writes for it.
    pub client: Name,
    /// The client's port, where it is known.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub client_port: u16,
    /// The connection's peer, such as the load balancer.
    pub peer: Name,
    /// `forwarded`, `refused`, `closed`, `failed` or `gone`.
    pub outcome: Cow<'a, str>,
    /// The reason's code.
    pub reason: Cow<'a, str>,
    /// The limit or list that decided.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub rule: Cow<'a, str>,
    /// Limits that would have refused it, had they been enforced for this client.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observed: Vec<String>,
    /// Status sent; left out where there was no reply.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub status: u16,
    /// `HTTP/1.0`, `HTTP/1.1` or `HTTP/2`.
    pub protocol: Cow<'a, str>,
    /// Method.
    #[serde(default)]
    pub method: Cow<'a, str>,
    /// Host, cut at 64 bytes.
    #[serde(default)]
    pub host: Cow<'a, str>,
    /// Path without its query, cut at 160 bytes.
    #[serde(default)]
    pub path: Cow<'a, str>,
    /// User agent, cut at 120 bytes.
    #[serde(default)]
    pub user_agent: Cow<'a, str>,
    /// The id carried to the origin: 32 hex digits.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub request_id: Cow<'a, str>,
    /// The endpoint that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<SocketAddr>,
    /// From the whole request head to the end.
    pub duration_ms: f64,
    /// From the whole request head to the origin's first byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin_ms: Option<f64>,
    /// Request body bytes.
    pub bytes_in: u64,
    /// Response body bytes.
    pub bytes_out: u64,
    /// The flood's state: `normal`, `elevated`, `attack` or `overload`.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub state: Cow<'a, str>,
    /// The client's rank: `credited`, `seen`, `proven`, `net24`, `net16` or `unknown`.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub rank: Cow<'a, str>,
    /// Requests offered in that second, where the flood or the origin's capacity refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered: Option<f64>,
    /// What the origin can bear in a second, beside `offered`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<f64>,
    /// After how many seconds the client may come again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<f64>,
    /// How often the limit that refused lets come, as `10/s`.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub limit_rate: Cow<'a, str>,
    /// How many requests at once the limit that refused allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_burst: Option<u32>,
}

fn is_zero(n: &u16) -> bool {
    *n == 0
}

impl<'a> Entry<'a> {
    /// The most that an owned entry holds: all its texts are no longer than in the record, but for the time, the request
    /// id, the limit's rate and the names of outcome, protocol, state and rank.
    pub const MOST: usize = size_of::<Self>() + size_of::<Record>() + 192;

    /// What `record` says. `names` are the limits of the policy it was decided by.
    pub fn new(record: &'a Record, names: &LimitNames) -> Self {
        // More than 500,000 years do not occur.
        let ms = |d: std::time::Duration| u64::try_from(d.as_micros()).unwrap_or(u64::MAX) as f64 / 1_000.0;
        Self {
            time: rfc3339::from_unix_nanos(clock::unix_nanos(record.at)),
            kind: kind(record.outcome).into(),
            client: Name::Address(record.client),
            client_port: record.client_port,
            peer: Name::Address(record.peer),
            outcome: outcome(record.outcome).into(),
            reason: record.reason.into(),
            rule: record.rule.to_text(),
            observed: observed(record.observed, names),
            status: record.status,
            protocol: protocol(record.protocol).into(),
            method: record.method.to_text(),
            host: record.host.to_text(),
            path: record.path.to_text(),
            user_agent: record.user_agent.to_text(),
            request_id: match record.request_id {
                0 => Cow::Borrowed(""),
                id => hex(id).into(),
            },
            origin: record.origin,
            duration_ms: ms(record.duration),
            origin_ms: (!record.origin_latency.is_zero()).then(|| ms(record.origin_latency)),
            bytes_in: record.bytes_in,
            bytes_out: record.bytes_out,
            state: record.state.into(),
            rank: record.rank.into(),
            offered: record.pressure.map(|(offered, _)| f64::from(offered)),
            capacity: record.pressure.map(|(_, capacity)| f64::from(capacity)),
            limit_rate: record.limit_rate.map_or(Cow::Borrowed(""), |rate| rate.to_string().into()),
            retry_after_s: (!record.retry_after.is_zero()).then(|| ms(record.retry_after) / 1_000.0),
            limit_burst: (record.limit_burst > 0).then_some(record.limit_burst),
        }
    }

    /// The same, holding on to nothing.
    pub fn into_owned(self) -> Entry<'static> {
        let own = |text: Cow<'a, str>| Cow::<'static, str>::Owned(text.into_owned());
        Entry {
            kind: own(self.kind),
            client_port: self.client_port,
            outcome: own(self.outcome),
            reason: own(self.reason),
            rule: own(self.rule),
            protocol: own(self.protocol),
            method: own(self.method),
            host: own(self.host),
            path: own(self.path),
            user_agent: own(self.user_agent),
            request_id: own(self.request_id),
            state: own(self.state),
            rank: own(self.rank),
            limit_rate: own(self.limit_rate),
            offered: self.offered,
            capacity: self.capacity,
            time: self.time,
            client: self.client,
            peer: self.peer,
            observed: self.observed,
            status: self.status,
            origin: self.origin,
            duration_ms: self.duration_ms,
            origin_ms: self.origin_ms,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            retry_after_s: self.retry_after_s,
            limit_burst: self.limit_burst,
        }
    }
}

/// 32 hex digits.
fn hex(id: u128) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 32];
    for (pair, byte) in text.chunks_exact_mut(2).zip(id.to_be_bytes()) {
        pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    // Hex digits: it can't fail.
    std::str::from_utf8(&text).unwrap_or_default().to_owned()
}

const fn kind(outcome: Outcome) -> &'static str {
    match kind_of(outcome) {
        RecordKind::Refusal => "refusal",
        _ => "request",
    }
}

/// The outcome in a word.
pub const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Forwarded => "forwarded",
        Outcome::Refused => "refused",
        Outcome::Closed => "closed",
        Outcome::Failed => "failed",
        Outcome::Gone => "gone",
        Outcome::Own => "own",
    }
}

const fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Http10 => "HTTP/1.0",
        Protocol::Http11 => "HTTP/1.1",
        Protocol::Http2 => "HTTP/2",
    }
}

/// The names of the ones of `mask`; a limit that is gone keeps its number.
fn observed(mask: u64, names: &LimitNames) -> Vec<String> {
    if mask == 0 {
        return Vec::new();
    }
    (0..64)
        .filter(|i| mask >> i & 1 == 1)
        .map(|i| names.get(i).and_then(Option::as_ref).map_or_else(|| format!("limit {i}"), |n| n.to_string()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Time;
    use crate::base::units::Rate;
    use crate::event::record::Text;
    use std::time::Duration;

    #[test]
    fn an_entry_reads_back_as_it_was_written() {
        let mut record = Record::blank(Time::from_nanos(86_400_000_000_000));
        record.outcome = Outcome::Refused;
        record.reason = "limit";
        record.rule = Text::new(b"login");
        record.observed = 0b101;
        record.status = 429;
        record.path = Text::new(b"/a\"b\n\x1b[31m\xff");
        record.retry_after = Duration::from_millis(1_500);
        record.request_id = 0xabc;
        let entry = Entry::new(&record, &[Some("per-client".into())]);
        let line = serde_json::to_string(&entry).unwrap();
        assert!(!line.bytes().any(|b| b < b' '), "{line}");
        assert!(line.contains(r#""path":"/a\"b\n\u001b[31m"#), "{line}");
        let back: Entry<'_> = serde_json::from_str(&line).unwrap();
        assert_eq!(back, entry.clone().into_owned());
        assert_eq!(back.observed, ["per-client", "limit 2"]);
        assert_eq!(back.retry_after_s, Some(1.5));
        assert_eq!(back.request_id.len(), 32);
    }

    #[test]
    fn what_does_not_apply_is_left_out() {
        let record = Record::blank(Time::from_nanos(0));
        let line = serde_json::to_value(Entry::new(&record, &[])).unwrap();
        for key in [
            "rule",
            "observed",
            "status",
            "origin",
            "origin_ms",
            "retry_after_s",
            "limit_burst",
            "request_id",
            "state",
            "rank",
        ] {
            assert!(line.get(key).is_none(), "{key}");
        }
    }

    #[test]
    fn every_key_is_documented_and_no_other() {
        let mut record = Record::blank(Time::from_nanos(0));
        record.rule = Text::new(b"login");
        record.client_port = 40_000;
        (record.observed, record.status, record.limit_burst, record.request_id) = (1, 429, 10, 1);
        (record.retry_after, record.origin_latency) = (Duration::from_secs(1), Duration::from_secs(1));
        record.origin = Some(([192, 0, 2, 1], 80).into());
        (record.state, record.rank, record.pressure) = ("attack", "unknown", Some((900.0, 300.0)));
        record.limit_rate = Some(Rate::per_second(10));
        let line = serde_json::to_value(Entry::new(&record, &[])).unwrap();
        let keys: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
        let page = include_str!("../../docs/access-log.md");
        let requests = page.split("\n## ").nth(1).unwrap();
        let mut documented: Vec<_> =
            requests.lines().filter_map(|l| l.strip_prefix("| `")?.split('`').next()).collect();
        documented.sort_unstable();
        assert_eq!(keys, documented);
    }
}
