//! What a running weir tells of gateways' reports: for `/api/aviatrix`, `weir why`, the status and the metrics.

use super::report::Report;
use super::seen::Joined;
use crate::base::rfc3339;
use crate::config::settings::AviatrixReport;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// All kinds of reports, in the order of their numbers.
pub(super) const KINDS: [AviatrixReport; 5] = [
    AviatrixReport::Microseg,
    AviatrixReport::RuleDrop,
    AviatrixReport::GuardDuty,
    AviatrixReport::Suricata,
    AviatrixReport::L7,
];

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is shown and nothing else: by `aviatrix.action` or `act_on`, or as it weighs too little.
    Shown,
    /// Its client is banned for it.
    Banned,
    /// Its client went one step up the ladder.
    Suspected,
    /// Its client was banned already.
    Held,
    /// The same was reported within the last minute.
    Repeated,
    /// Its client may not be banned, or an operator lifted the ban.
    Spared,
    /// It is about an address that is no client's: private, or this machine's own.
    Local,
    /// There was no room for it in this minute; the next report counts.
    Postponed,
}

impl Outcome {
    /// All of them, in the order of their numbers.
    pub(super) const ALL: [Self; 8] = [
        Self::Shown,
        Self::Banned,
        Self::Suspected,
        Self::Held,
        Self::Repeated,
        Self::Spared,
        Self::Local,
        Self::Postponed,
    ];

    /// The word for it.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Shown => "shown",
            Self::Banned => "banned",
            Self::Suspected => "suspected",
            Self::Held => "held",
            Self::Repeated => "repeated",
            Self::Spared => "spared",
            Self::Local => "local",
            Self::Postponed => "postponed",
        }
    }
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineOutcome {
    /// It is a report.
    Report,
    /// It is of a known kind and reports nobody.
    Passed,
    /// It is of no known kind.
    Unknown,
    /// It came from elsewhere than `aviatrix.sources`.
    Foreign,
    /// It is longer than is read.
    TooLong,
    /// More came than is read in a second.
    Limited,
}

impl LineOutcome {
    /// All of them, in the order of their numbers.
    pub(super) const ALL: [Self; 6] =
        [Self::Report, Self::Passed, Self::Unknown, Self::Foreign, Self::TooLong, Self::Limited];

    /// The word for it.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Passed => "passed",
            Self::Unknown => "unknown",
            Self::Foreign => "foreign",
            Self::TooLong => "too-long",
            Self::Limited => "limited",
        }
    }
}

/// How it goes with gateways.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AviatrixStatus {
    /// Where they are heard, as `udp://0.0.0.0:5140`.
    pub listen: Vec<String>,
    /// TCP connections of theirs that are open.
    pub connections: u64,
    /// Lines by what became of them: `report`, `passed`, `unknown`, `foreign`, `too-long` and `limited`.
    pub lines: BTreeMap<String, u64>,
    /// Lines that report nobody, by their kind.
    pub passed: BTreeMap<String, u64>,
    /// Lines of no known kind, by what they call themselves; those that found no room as `other`.
    pub unknown: BTreeMap<String, u64>,
    /// Reports by kind and by what became of them; those that there were.
    pub reports: Vec<ReportCount>,
    /// When the last line came from a gateway: RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<String>,
    /// Who sent last without being in `aviatrix.sources`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_foreign: Option<IpAddr>,
}

/// How many reports of a kind came to the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportCount {
    /// `microseg`, `rule-drop`, `guardduty`, `suricata` or `l7`.
    pub kind: String,
    /// `shown`, `banned`, `suspected`, `held`, `repeated`, `spared`, `local` or `postponed`.
    pub outcome: String,
    /// How many.
    pub count: u64,
}

/// The latest reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AviatrixView {
    /// How it goes; none where no gateway is heard.
    pub status: Option<AviatrixStatus>,
    /// Newest first.
    pub reports: Vec<ReportView>,
}

/// One report, with the requests it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportView {
    /// When, as the gateway says: RFC 3339.
    pub time: String,
    /// `microseg`, `rule-drop`, `guardduty`, `suricata` or `l7`.
    pub kind: String,
    /// The client.
    pub address: IpAddr,
    /// Its port, where the gateway says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// What it spoke to; port 0 where none is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<SocketAddr>,
    /// The gateway's name.
    pub gateway: String,
    /// What it did, in words.
    pub what: String,
    /// What became of it.
    pub outcome: String,
    /// Why, where it was spared.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// How often the same came within a minute of each other.
    pub times: u64,
    /// The requests it belongs to.
    pub joined: Joined,
}

impl ReportView {
    pub(super) fn new(report: &Report, outcome: Outcome, why: String, joined: Joined) -> Self {
        Self {
            time: rfc3339::from_unix_nanos(report.at.saturating_mul(1_000_000)),
            kind: report.kind.to_string(),
            address: report.address,
            port: report.port,
            to: report.to,
            gateway: report.gateway.clone(),
            what: report.what.clone(),
            outcome: outcome.code().into(),
            why,
            times: 1,
            joined,
        }
    }
}

/// Something in every part, for tests of whoever shows it.
#[cfg(test)]
pub(crate) fn fixture() -> AviatrixStatus {
    let counts = |pairs: &[(&str, u64)]| pairs.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
    AviatrixStatus {
        listen: vec!["udp://192.0.2.1:5140".into()],
        connections: 1,
        lines: counts(&[("report", 2), ("unknown", 1)]),
        passed: counts(&[("AviatrixGwNetStats", 3)]),
        unknown: counts(&[("sshd", 1)]),
        reports: vec![ReportCount { kind: "suricata".into(), outcome: "banned".into(), count: 2 }],
        heard: Some("2024-02-29T12:00:00.000Z".into()),
        last_foreign: Some(IpAddr::from([192, 0, 2, 9])),
    }
}
