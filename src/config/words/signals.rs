//! Words of logs, metrics, collectors and alerts.

use super::word;
use crate::base::units::{Bytes, Share, show_duration};
use crate::config::settings::{
    Addresses, AviatrixAction, AviatrixReport, Level, LevelUnit, LogFormat, LogTarget, MetricsWay, RecordKind, Severity,
};
use std::fmt;
use std::time::Duration;

/// Words of `log.format`.
pub(in crate::config) const LOG_FORMATS: &[(&str, LogFormat)] = &[("json", LogFormat::Json), ("alb", LogFormat::Alb)];
/// Words of every sink's `addresses`.
pub(in crate::config) const ADDRESSES: &[(&str, Addresses)] =
    &[("whole", Addresses::Whole), ("truncated", Addresses::Truncated), ("hashed", Addresses::Hashed)];
/// Words of `cloudwatch.mode`.
pub(in crate::config) const METRICS_WAYS: &[(&str, MetricsWay)] = &[("api", MetricsWay::Api), ("emf", MetricsWay::Emf)];
/// Words of `syslog.records`.
pub(in crate::config) const RECORD_KINDS: &[(&str, RecordKind)] = &[
    ("request", RecordKind::Request),
    ("refusal", RecordKind::Refusal),
    ("ban", RecordKind::Ban),
    ("state", RecordKind::State),
];
/// Words of `syslog.facility`, as RFC 5424 numbers them.
pub(in crate::config) const FACILITIES: &[(&str, u8)] = &[
    ("user", 1),
    ("daemon", 3),
    ("auth", 4),
    ("syslog", 5),
    ("authpriv", 10),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];
/// Words of `aviatrix.action`.
pub(in crate::config) const AVIATRIX_ACTIONS: &[(&str, AviatrixAction)] =
    &[("observe", AviatrixAction::Observe), ("suspect", AviatrixAction::Suspect), ("ban", AviatrixAction::Ban)];
/// Words of `aviatrix.act_on`.
pub(in crate::config) const AVIATRIX_REPORTS: &[(&str, AviatrixReport)] = &[
    ("microseg", AviatrixReport::Microseg),
    ("rule-drop", AviatrixReport::RuleDrop),
    ("guardduty", AviatrixReport::GuardDuty),
    ("suricata", AviatrixReport::Suricata),
    ("l7", AviatrixReport::L7),
];
/// Words of `alert.severity`.
pub(in crate::config) const SEVERITIES: &[(&str, Severity)] =
    &[("info", Severity::Info), ("warning", Severity::Warning), ("critical", Severity::Critical)];

macro_rules! shown_by_word {
    ($($words:ident: $of:ty),* $(,)?) => {
        $(impl fmt::Display for $of {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(word($words, self))
            }
        })*
    };
}

shown_by_word!(
    LOG_FORMATS: LogFormat,
    ADDRESSES: Addresses,
    METRICS_WAYS: MetricsWay,
    RECORD_KINDS: RecordKind,
    AVIATRIX_ACTIONS: AviatrixAction,
    AVIATRIX_REPORTS: AviatrixReport,
    SEVERITIES: Severity,
);

impl fmt::Display for LogTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Stdout => f.write_str("stdout"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value;
        match self.unit {
            LevelUnit::Number => value.fmt(f),
            LevelUnit::Share => Share((value * 10_000.0).round() as u16).fmt(f),
            LevelUnit::Duration => f.write_str(&show_duration(Duration::from_secs_f64(value.max(0.0)))),
            LevelUnit::Bytes => Bytes(value as u64).fmt(f),
            LevelUnit::Rate => write!(f, "{value}/s"),
        }
    }
}
