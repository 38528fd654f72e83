//! What a running weir tells about itself: one picture for `/api/status`, `/metrics`, the live page and `weir status`.

#[cfg(test)]
mod fixture;

#[cfg(test)]
pub(crate) use fixture::fixture;

use super::alert::{AlertStatus, ToldStatus};
use super::aviatrix::{AviatrixStatus, ReportView};
use super::bans::{BanStatus, BanView};
use super::flood::{FloodStatus, StandingView};
use super::guardduty::GuardDutyStatus;
use super::identity::Identity;
use super::recent::Refused;
use super::source::SourceStatus;
use crate::event::entry::Entry;
use crate::sink::cloudwatch::CloudWatchStatus;
use crate::sink::fleet::FleetStatus;
use crate::sink::outlet::OutletStatus;
use crate::sink::smartgroup::SmartGroupStatus;
use crate::sink::waf::WafStatus;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::net::IpAddr;

/// Where a weir is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Not yet listening.
    Starting,
    /// Takes requests.
    Serving,
    /// Told to stop: takes no new connections soon, finishes what it has.
    Draining,
}

/// The whole picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The program's version.
    pub version: Cow<'static, str>,
    /// Who this weir is.
    #[serde(default)]
    pub identity: Identity,
    /// Where it is in its life.
    pub phase: Phase,
    /// When it started: RFC 3339.
    pub started: String,
    /// For how many seconds it has run.
    pub uptime_s: f64,
    /// Addresses it listens on, as `http 0.0.0.0:8080`.
    pub listen: Vec<String>,
    /// The config.
    pub config: ConfigStatus,
    /// What an operator should know, such as that all clients share one key.
    pub notes: Vec<String>,
    /// Requests by how they ended, in the order of the reason table.
    pub requests: Vec<ReasonCount>,
    /// Responses by the class of their status and by who made them.
    #[serde(default)]
    pub responses: Vec<ResponseCount>,
    /// The limits, in the order in which they are tried.
    pub limits: Vec<LimitStatus>,
    /// Memory of all limit tables.
    pub table_bytes: u64,
    /// Requests in flight.
    pub in_flight: u64,
    /// Connections open.
    pub connections: u64,
    /// Connections since the start.
    pub connections_total: u64,
    /// Request body bytes passed on.
    pub bytes_in: u64,
    /// Response body bytes passed back.
    pub bytes_out: u64,
    /// The ladder and its bans.
    pub bans: BanStatus,
    /// The queue of findings, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardduty: Option<GuardDutyStatus>,
    /// What Aviatrix gateways say, where they are heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aviatrix: Option<AviatrixStatus>,
    /// The SmartGroup of offenders, where one is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smartgroup: Option<SmartGroupStatus>,
    /// The loop to AWS WAF, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waf: Option<WafStatus>,
    /// The way to CloudWatch, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloudwatch: Option<CloudWatchStatus>,
    /// The fleet, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fleet: Option<FleetStatus>,
    /// The flood detector.
    pub flood: FloodStatus,
    /// The origin.
    pub origin: OriginStatus,
    /// The rules of alerts.
    #[serde(default)]
    pub alerts: Vec<AlertStatus>,
    /// How telling of alerts goes, by each way.
    #[serde(default)]
    pub alerts_told: Vec<ToldStatus>,
    /// What became of records of requests.
    pub log: LogStatus,
    /// Every sink of the ingress log.
    #[serde(default)]
    pub outlets: Vec<OutletStatus>,
}

/// The config in force, and how the last reload went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfigStatus {
    /// The file.
    pub path: String,
    /// A short hash of the text in force.
    pub hash: String,
    /// When it was loaded: RFC 3339.
    pub loaded: String,
    /// Reloads that changed the config or found it unchanged.
    pub reloads: u64,
    /// Reloads that were refused; the last good config stayed.
    pub reloads_failed: u64,
    /// When the last reload was refused: when, and why. Empty once one succeeds.
    pub refused: Option<Refusal>,
    /// Keys that changed but count only after a restart.
    pub needs_restart: Vec<String>,
    /// What the last reload changed.
    #[serde(default)]
    pub changes: Vec<String>,
    /// How it goes with AWS, where the config comes from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceStatus>,
}

/// A refused reload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// When: RFC 3339.
    pub at: String,
    /// Every fault.
    pub faults: Vec<FaultView>,
}

/// One fault of a config.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultView {
    /// Line, from 1; 0 where the whole file is meant.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// Key path.
    pub key: String,
    /// The whole message, as `weir check` prints it.
    pub message: String,
}

/// What a reload changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// One line a change; empty when nothing had changed.
    pub changes: Vec<String>,
}

/// How many requests ended in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonCount {
    /// The reason's code.
    pub reason: Cow<'static, str>,
    /// `forward`, `refuse`, `fault` or `gone`.
    pub class: Cow<'static, str>,
    /// The reason in words.
    pub text: Cow<'static, str>,
    /// How many, since the start.
    pub count: u64,
}

/// How many responses had a status of one class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseCount {
    /// `1xx` to `5xx`.
    pub class: Cow<'static, str>,
    /// `origin`, or `weir` where it answered itself.
    pub by: Cow<'static, str>,
    /// How many, since the start.
    pub count: u64,
}

/// One limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimitStatus {
    /// Its name.
    pub name: String,
    /// The steady rate, as `10/s`.
    pub rate: String,
    /// How many at once.
    pub burst: u32,
    /// What it counts by, as in the config.
    pub key: String,
    /// Which requests it covers, in words.
    pub covers: String,
    /// `refuse`, `observe` or `close`.
    pub action: Cow<'static, str>,
    /// The share of clients it is enforced for, in percent.
    pub enforce: f64,
    /// What the config says of that, where an operator has set another share by hand until the next reload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configured: Option<f64>,
    /// Requests it refused.
    pub refused: u64,
    /// Requests it would have refused, had it been enforced for them.
    pub observed: u64,
    /// How many keys in debt it can tell apart.
    pub slots: u64,
    /// Its table's memory.
    pub table_bytes: u64,
}

/// The service behind weir.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OriginStatus {
    /// What it can bear, as `500/s`.
    pub capacity: String,
    /// The most requests in flight.
    pub max_in_flight: u32,
    /// Its endpoints.
    pub endpoints: Vec<EndpointView>,
    /// Times to the first byte.
    pub latency: Latency,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndpointView {
    /// Where weir connects.
    pub address: String,
    /// The configured name, where the address came from one.
    pub name: Option<String>,
    /// `primary` or `fallback`.
    pub group: Cow<'static, str>,
    /// What active checks say.
    pub healthy: bool,
    /// Seconds until an ejected endpoint is tried again; null when it is not ejected.
    pub ejected_for: Option<f64>,
    /// Requests there now.
    pub in_flight: u64,
    /// Requests sent there.
    pub requests: u64,
    /// How many of them failed.
    pub failures: u64,
}

/// Times of the origin to its first byte, since the start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Requests by bucket, not cumulative; the last has no upper bound.
    pub counts: Vec<u64>,
    /// Upper bounds of the buckets but the last.
    pub bounds_ms: Vec<u64>,
    /// The sum of all times.
    pub sum_s: f64,
}

impl Latency {
    /// An upper bound of the time within which the share `q` was answered; `None` without requests, or beyond all bounds.
    pub fn within_ms(&self, q: f64) -> Option<u64> {
        let total: u64 = self.counts.iter().sum();
        let wanted = ((total as f64 * q).ceil() as u64).max(1);
        let mut seen = 0;
        let cumulative = self.counts.iter().map(|n| {
            seen += n;
            seen
        });
        cumulative.zip(&self.bounds_ms).find(|(seen, _)| *seen >= wanted).map(|(_, bound)| *bound)
    }
}

/// What became of records of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogStatus {
    /// Lines written to the access log.
    pub written: u64,
    /// Lines that could not be written.
    pub lost: u64,
    /// Requests that got no line, by `log.refused_rate` and `log.forwarded_sample`.
    pub suppressed: u64,
    /// Records that found the queue full.
    pub dropped: u64,
    /// News (bans, changes of state) that found their queue full.
    #[serde(default)]
    pub news_dropped: u64,
}

/// The latest refusals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecentView {
    /// Newest first.
    pub refusals: Vec<Entry<'static>>,
    /// Who was refused most among those kept.
    pub top: Vec<Refused>,
}

/// All that is known about one client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Why {
    /// As asked.
    pub address: IpAddr,
    /// What limits know the client by, as `2001:db8:1:2::/64`.
    pub client: String,
    /// The network of the allow list that it is in.
    pub allowed_by: Option<String>,
    /// Bans that it is or was under, as far as they are remembered, the narrowest first.
    pub bans: Vec<BanView>,
    /// The network of the deny list that it is in.
    pub denied_by: Option<String>,
    /// Whether it is a trusted proxy, whose own address is then seldom a client's.
    pub trusted_proxy: bool,
    /// What would become of a plain request of its now, in words.
    pub verdict: String,
    /// Requests of its in flight.
    pub in_flight: u64,
    /// What Aviatrix gateways reported of it, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aviatrix: Vec<ReportView>,
    /// What the flood detector has to say of it.
    pub standing: StandingView,
    /// What it owes.
    pub limits: Vec<Owed>,
    /// Its latest refusals that were logged, newest first.
    pub recent: Vec<Entry<'static>>,
}

/// What a client owes to one limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Owed {
    /// The limit's name.
    pub limit: String,
    /// The steady rate.
    pub rate: String,
    /// How many at once.
    pub burst: u32,
    /// Which requests it covers, in words.
    pub covers: String,
    /// How much of the burst is used up; null where that can't be told by an address, as with limits by header.
    pub used: Option<u32>,
    /// Until nothing is used up any more, if nothing else comes.
    pub over_after_s: f64,
    /// After how long a request would pass; 0 if now.
    pub retry_after_s: f64,
    /// What happens to this client over the limit: `refuse`, `observe` or `close`.
    pub action: Cow<'static, str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_upper_bounds() {
        let latency = Latency { counts: vec![90, 9, 1], bounds_ms: vec![10, 100], sum_s: 1.0 };
        assert_eq!(
            (latency.within_ms(0.5), latency.within_ms(0.9), latency.within_ms(0.99)),
            (Some(10), Some(10), Some(100))
        );
        assert_eq!(latency.within_ms(1.0), None);
        assert_eq!(Latency::default().within_ms(0.5), None);
    }
}
