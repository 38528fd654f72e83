//! What CloudWatch gets: the one table that the sink, its docs, its cost and its dashboard are made from.
//!
//! A metric there costs by the month for every set of dimensions, and gauges of several tasks fall on one another. So
//! this is a choice of the table of names, each with what becomes of it when tasks add up.

use crate::sink::metrics::names::{self, Metric};
use metrics::Unit;

/// What a figure becomes, and how tasks add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// A counter's growth, second by second: `Sum` is how often it happened, over all tasks.
    Growth,
    /// A gauge that adds up over tasks, once a second: `Sum` over a period, divided by its seconds.
    Total,
    /// A gauge of which the highest counts: `Maximum`.
    Highest,
    /// A gauge of which the lowest counts: `Minimum`.
    Lowest,
    /// Which of a metric's labels is 1, by its place, from 0: `Maximum`.
    Place,
    /// A histogram's growth, each sample as its bucket's upper bound: `p50`, `p99` and the like.
    Spread,
}

impl How {
    /// The statistic to ask for.
    pub const fn statistic(self) -> &'static str {
        match self {
            Self::Growth | Self::Total => "Sum",
            Self::Highest | Self::Place => "Maximum",
            Self::Lowest => "Minimum",
            Self::Spread => "p99",
        }
    }
}

/// One metric of CloudWatch, or one for each value of a dimension.
#[derive(Debug, PartialEq)]
pub struct Series {
    /// Its name there.
    pub name: &'static str,
    /// What it is made from.
    pub of: &'static Metric,
    /// Only samples whose label has this value.
    pub only: Option<(&'static str, &'static str)>,
    /// The label that is a dimension, and the dimension's name. Never a client.
    pub by: Option<(&'static str, &'static str)>,
    /// What the figure becomes.
    pub how: How,
    /// Whether it matters within seconds: kept by the second, else by the minute.
    pub fast: bool,
}

impl Series {
    /// Its unit there.
    pub const fn unit(&self) -> &'static str {
        match self.how {
            How::Place => "None",
            _ => unit(self.of.unit),
        }
    }

    /// Whether a sample with these labels counts.
    pub(super) fn takes(&self, labels: &[String]) -> bool {
        self.only.is_none_or(|(label, value)| self.label(label, labels) == Some(value))
    }

    /// The value of its own dimension, for a sample with these labels.
    pub(super) fn dimension(&self, labels: &[String]) -> Option<String> {
        self.by.and_then(|(label, _)| self.label(label, labels)).map(str::to_owned)
    }

    fn label<'a>(&self, name: &str, labels: &'a [String]) -> Option<&'a str> {
        let at = self.of.labels.iter().position(|label| *label == name)?;
        labels.get(at).map(String::as_str)
    }
}

/// As CloudWatch writes units; what it does not know is without one.
const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "Count",
        Unit::Percent => "Percent",
        Unit::Seconds => "Seconds",
        Unit::Milliseconds => "Milliseconds",
        Unit::Microseconds => "Microseconds",
        Unit::Bytes => "Bytes",
        Unit::CountPerSecond => "Count/Second",
        _ => "None",
    }
}

const fn fast(name: &'static str, of: &'static Metric, how: How) -> Series {
    Series { name, of, only: None, by: None, how, fast: true }
}

const fn slow(name: &'static str, of: &'static Metric, how: How) -> Series {
    Series { name, of, only: None, by: None, how, fast: false }
}

impl Series {
    const fn only(self, label: &'static str, value: &'static str) -> Self {
        Self { only: Some((label, value)), ..self }
    }

    const fn by(self, label: &'static str, dimension: &'static str) -> Self {
        Self { by: Some((label, dimension)), ..self }
    }
}

/// All of them.
pub const ALL: &[Series] = &[
    fast("AttackState", &names::FLOOD_STATE, How::Place),
    fast("Forwarded", &names::REQUESTS, How::Growth).only("class", "forward"),
    fast("Refused", &names::REQUESTS, How::Growth).only("class", "refuse"),
    fast("Faults", &names::REQUESTS, How::Growth).only("class", "fault"),
    fast("KnownForwarded", &names::KNOWN, How::Growth).only("outcome", "forwarded"),
    fast("KnownRefused", &names::KNOWN, How::Growth).only("outcome", "refused"),
    fast("KnownChallenged", &names::KNOWN, How::Growth).only("outcome", "challenged"),
    fast("Offered", &names::FLOOD_OFFERED, How::Total),
    fast("InFlight", &names::IN_FLIGHT, How::Total),
    fast("OriginResponses", &names::RESPONSES, How::Growth).only("by", "origin").by("class", "Class"),
    fast("WeirResponses", &names::RESPONSES, How::Growth).only("by", "weir").by("class", "Class"),
    fast("OriginRequests", &names::ENDPOINT_REQUESTS, How::Growth),
    fast("OriginErrors", &names::ENDPOINT_FAILURES, How::Growth),
    fast("OriginLatency", &names::ORIGIN_LATENCY, How::Spread),
    fast("WafDelay", &names::WAF_DELAY, How::Highest).only("quantile", "0.95"),
    slow("RefusedByReason", &names::REQUESTS, How::Growth).only("class", "refuse").by("reason", "Reason"),
    slow("RefusedByLimit", &names::LIMIT_REFUSED, How::Growth).by("limit", "Limit"),
    slow("ObservedByLimit", &names::LIMIT_OBSERVED, How::Growth).by("limit", "Limit"),
    slow("Gone", &names::REQUESTS, How::Growth).only("class", "gone"),
    slow("Challenges", &names::CHALLENGES, How::Growth).by("result", "Result"),
    slow("Connections", &names::CONNECTIONS, How::Total),
    slow("TasksServing", &names::READY, How::Total),
    slow("UsualRate", &names::FLOOD_USUAL, How::Total),
    slow("OriginCapacity", &names::FLOOD_CAPACITY, How::Highest),
    slow("AdmittedShare", &names::FLOOD_ADMITTED, How::Lowest),
    slow("OriginEndpointsUp", &names::ENDPOINT_UP, How::Lowest),
    slow("Bans", &names::BANS, How::Highest),
    slow("BansAdded", &names::BANS_ADDED, How::Growth),
    slow("WafPending", &names::WAF_PENDING, How::Highest),
    slow("WafSyncAge", &names::WAF_SYNC_AGE, How::Highest),
    slow("WafFailures", &names::WAF_FAILURES, How::Growth),
    slow("FleetConnected", &names::FLEET_CONNECTED, How::Lowest),
    slow("FleetDelay", &names::FLEET_DELAY, How::Spread),
    slow("GuardDutyUp", &names::GUARDDUTY_UP, How::Lowest),
    slow("AlertFiring", &names::ALERT_FIRING, How::Highest),
    slow("ConfigReloadsRefused", &names::RELOADS, How::Growth).only("result", "refused"),
    slow("ConfigLastReloadOk", &names::RELOAD_OK, How::Lowest),
    slow("DetectorMissedTicks", &names::FLOOD_MISSED, How::Growth),
    slow("EventsDropped", &names::EVENTS_DROPPED, How::Growth),
    slow("NewsDropped", &names::NEWS_DROPPED, How::Growth),
    slow("LogLinesLost", &names::LOG_LOST, How::Growth),
    slow("SinkRecordsLost", &names::SINK_RECORDS, How::Growth).only("outcome", "lost"),
    slow("Memory", &names::MEMORY, How::Highest),
];

/// The series of this name.
pub fn find(name: &str) -> Option<&'static Series> {
    ALL.iter().find(|series| series.name == name)
}

/// The table of docs/cloudwatch.md.
pub fn reference() -> String {
    let mut page = String::from(
        "| metric | statistic | unit | seconds | more dimensions | made from |\n|---|---|---|---|---|---|\n",
    );
    for s in ALL {
        let statistic = if s.how == How::Total { "Sum / period" } else { s.how.statistic() };
        let only = s.only.map_or(String::new(), |(label, value)| format!("{{{label}=\"{value}\"}}"));
        let by = s.by.map_or("", |(_, dimension)| dimension);
        let resolution = if s.fast { 1 } else { 60 };
        page +=
            &format!("| `{}` | {statistic} | {} | {resolution} | {by} | `{}{only}` |\n", s.name, s.unit(), s.of.name);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::metrics::names::Kind;
    use std::collections::HashSet;

    #[test]
    fn the_table_holds_together() {
        let mut seen = HashSet::new();
        for s in ALL {
            assert!(seen.insert(s.name), "{} is there twice", s.name);
            let kind = match s.how {
                How::Growth => Kind::Counter,
                How::Spread => Kind::Histogram,
                _ => Kind::Gauge,
            };
            assert_eq!(s.of.kind, kind, "{}", s.name);
            for label in s.only.iter().map(|o| o.0).chain(s.by.iter().map(|b| b.0)) {
                assert!(s.of.labels.contains(&label), "{}: {} has no label {label}", s.name, s.of.name);
            }
        }
    }
}
