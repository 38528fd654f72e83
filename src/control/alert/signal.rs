//! What can be watched: named signals, and metrics by their names. One formula each serves weir itself, Prometheus and
//! CloudWatch, so that all three mean the same.

use super::pick::Pick;
use crate::config::settings::LevelUnit;
use crate::sink::metrics::names::{self, Kind};
use metrics::Unit;

/// Something to watch.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// Its name, or the metric as it was written.
    pub name: String,
    /// What it is measured in.
    pub unit: LevelUnit,
    /// What it says.
    pub meaning: String,
    /// How it is made.
    pub formula: Formula,
}

/// How a signal is made of metrics.
#[derive(Clone, Debug, PartialEq)]
pub enum Formula {
    /// How much of what some counters count, others count too, over the window.
    Share {
        /// What is of interest.
        part: Vec<Pick>,
        /// Of what.
        whole: Vec<Pick>,
    },
    /// How fast counters grow, a second, over the window.
    Rate(Vec<Pick>),
    /// The worst of gauges, each times its weight.
    Worst(Vec<(Pick, f64)>),
    /// The worst of a gauge, by the task alone for which another gauge is 1.
    While(Pick, Pick),
    /// One gauge's share of another.
    Ratio(Pick, Pick),
    /// How many series of a gauge are 0.
    Zeros(Pick),
    /// What this share of a histogram's samples stays under, over the window.
    Quantile(Pick, f64),
}

impl Formula {
    /// Whether it compares counts at two times.
    pub const fn looks_back(&self) -> bool {
        matches!(self, Self::Share { .. } | Self::Rate(_) | Self::Quantile(..))
    }

    /// Whether it says nothing before enough was counted.
    pub const fn needs_many(&self) -> bool {
        matches!(self, Self::Share { .. } | Self::Quantile(..))
    }

    /// All series that it is made of.
    pub fn picks(&self) -> Vec<&Pick> {
        match self {
            Self::Share { part, whole } => part.iter().chain(whole).collect(),
            Self::Rate(picks) => picks.iter().collect(),
            Self::Worst(picks) => picks.iter().map(|(pick, _)| pick).collect(),
            Self::Ratio(a, b) | Self::While(a, b) => vec![a, b],
            Self::Zeros(pick) | Self::Quantile(pick, _) => vec![pick],
        }
    }
}

/// Every named signal.
pub fn table() -> Vec<Signal> {
    let mut all = responses();
    all.extend(origin());
    all.extend(defence());
    all.extend(weir());
    all
}

fn responses() -> Vec<Signal> {
    let share = |name: &str, meaning: &str, part: &[&str], whole: &[&str]| {
        signal(name, LevelUnit::Share, meaning, Formula::Share { part: picks(part), whole: picks(whole) })
    };
    const ALL: &str = "weir_responses_total";
    const ORIGIN: &str = r#"weir_responses_total{by="origin"}"#;
    vec![
        share(
            "client_error_share",
            "4xx of all responses, those of weir's refusals too",
            &[r#"weir_responses_total{class="4xx"}"#],
            &[ALL],
        ),
        share(
            "server_error_share",
            "5xx of all responses, those of weir's refusals too",
            &[r#"weir_responses_total{class="5xx"}"#],
            &[ALL],
        ),
        share(
            "origin_client_error_share",
            "4xx of the origin's responses",
            &[r#"weir_responses_total{class="4xx",by="origin"}"#],
            &[ORIGIN],
        ),
        share(
            "origin_server_error_share",
            "5xx of the origin's responses",
            &[r#"weir_responses_total{class="5xx",by="origin"}"#],
            &[ORIGIN],
        ),
        share(
            "refused_share",
            "requests that weir refused, of all",
            &[r#"weir_requests_total{class="refuse"}"#],
            &["weir_requests_total"],
        ),
        share(
            "known_refused_share",
            "requests of good clients that were refused, of all requests of good clients: seen before, by rank",
            &[r#"weir_known_requests_total{outcome="refused"}"#],
            &["weir_known_requests_total"],
        ),
    ]
}

fn origin() -> Vec<Signal> {
    const LATENCY: &str = "weir_origin_latency_seconds";
    let quantile = |name: &str, of: &str, q: f64| {
        let meaning = format!("the origin's first byte came within this time for {of} of 100 requests");
        signal(name, LevelUnit::Duration, &meaning, Formula::Quantile(pick(LATENCY), q))
    };
    let failures = Formula::Share {
        part: picks(&["weir_origin_endpoint_failures_total"]),
        whole: picks(&["weir_origin_endpoint_requests_total"]),
    };
    vec![
        quantile("origin_latency_p50", "50", 0.5),
        quantile("origin_latency_p95", "95", 0.95),
        quantile("origin_latency_p99", "99", 0.99),
        signal(
            "origin_failure_share",
            LevelUnit::Share,
            "requests that the origin failed (no connection, no answer, a broken one), of those sent there",
            failures,
        ),
        signal(
            "origin_endpoints_down",
            LevelUnit::Number,
            "endpoints of the origin that are unhealthy or ejected",
            Formula::Zeros(pick("weir_origin_endpoint_up")),
        ),
        signal(
            "origin_load",
            LevelUnit::Share,
            "requests offered in the last second, of what the origin can bear; 100 % and more is a flood or a crowd",
            Formula::Ratio(pick("weir_flood_offered"), pick("weir_flood_capacity")),
        ),
    ]
}

fn defence() -> Vec<Signal> {
    let states = Formula::Worst(vec![
        (pick(r#"weir_flood_state{state="normal"}"#), 0.0),
        (pick(r#"weir_flood_state{state="elevated"}"#), 1.0),
        (pick(r#"weir_flood_state{state="attack"}"#), 2.0),
        (pick(r#"weir_flood_state{state="overload"}"#), 3.0),
    ]);
    let gauge =
        |name: &str, unit, meaning: &str, of: &str| signal(name, unit, meaning, Formula::Worst(vec![(pick(of), 1.0)]));
    vec![
        signal(
            "flood_state",
            LevelUnit::Number,
            "0 normal, 1 elevated, 2 attack, 3 overload (more people than the origin can bear)",
            states,
        ),
        gauge("bans", LevelUnit::Number, "bans that hold now", "weir_bans"),
        signal(
            "waf_sync_age",
            LevelUnit::Duration,
            "for how long what an IP set of AWS WAF holds has not been checked, the oldest of all sets, by the task that writes",
            Formula::While(pick("weir_waf_writer"), pick("weir_waf_sync_age_seconds")),
        ),
        signal(
            "waf_pending",
            LevelUnit::Number,
            "bans that shall be in AWS WAF and are not yet, by the task that writes",
            Formula::While(pick("weir_waf_writer"), pick("weir_waf_pending")),
        ),
        gauge(
            "fleet_connected",
            LevelUnit::Number,
            "1 while the fleet's store answers, else 0",
            "weir_fleet_connected",
        ),
        rate("history_dropped_rate", "good clients for whom the history had no room", &["weir_history_dropped_total"]),
    ]
}

fn weir() -> Vec<Signal> {
    vec![
        rate(
            "events_dropped_rate",
            "records of requests, and news, that found their queue full",
            &["weir_events_dropped_total", "weir_news_dropped_total"],
        ),
        rate("sink_lost_rate", "records that a sink of the log lost", LOST),
        signal(
            "memory",
            LevelUnit::Bytes,
            "resident memory of weir",
            Formula::Worst(vec![(pick("process_resident_memory_bytes"), 1.0)]),
        ),
        signal(
            "config_refused",
            LevelUnit::Number,
            "1 while the last reload of the config was refused and the one before it is in force, else 0",
            Formula::Zeros(pick("weir_config_last_reload_success")),
        ),
    ]
}

/// What sinks count as lost.
const LOST: &[&str] = &[r#"weir_sink_records_total{outcome="lost"}"#];

fn rate(name: &str, meaning: &str, of: &[&str]) -> Signal {
    signal(name, LevelUnit::Rate, &format!("{meaning}, a second"), Formula::Rate(picks(of)))
}

fn signal(name: &str, unit: LevelUnit, meaning: &str, formula: Formula) -> Signal {
    Signal { name: name.to_owned(), unit, meaning: meaning.to_owned(), formula }
}

fn pick(text: &str) -> Pick {
    Pick::parse(text).expect("the table names metrics that exist: a test reads it all")
}

fn picks(texts: &[&str]) -> Vec<Pick> {
    texts.iter().map(|text| pick(text)).collect()
}

/// The signal that a rule names.
///
/// # Errors
/// Where there is none, in words that follow the name.
pub fn find(text: &str) -> Result<Signal, String> {
    let all = table();
    if let Some(known) = all.iter().find(|s| s.name == text) {
        return Ok(known.clone());
    }
    let name = text.split('{').next().unwrap_or_default().trim();
    if names::find(name).is_none() {
        let known = all.iter().map(|s| s.name.as_str()).chain(names::ALL.iter().map(|m| m.name));
        let near = known.map(|k| (strsim::damerau_levenshtein(name, k), k)).min();
        let meant = near.filter(|(far, k)| *far <= k.len() / 3).map(|(_, k)| format!("; did you mean {k:?}?"));
        return Err(format!(
            "is neither a signal nor a metric{}",
            meant.unwrap_or_else(|| "; see docs/alerts.md and docs/metrics.md".into())
        ));
    }
    of_metric(text)
}

/// A metric as a signal: a counter as its rate, a gauge as it is.
fn of_metric(text: &str) -> Result<Signal, String> {
    let pick = Pick::parse(text)?;
    let metric = pick.metric;
    let (unit, formula, how) = match metric.kind {
        Kind::Histogram => {
            return Err("is a histogram; watch a signal such as \"origin_latency_p95\"".into());
        }
        Kind::Counter => (LevelUnit::Rate, Formula::Rate(vec![pick]), ", a second"),
        Kind::Gauge => (unit_of(metric.unit), Formula::Worst(vec![(pick, 1.0)]), ""),
    };
    Ok(Signal { name: text.to_owned(), unit, meaning: format!("{}{how}", metric.help), formula })
}

const fn unit_of(unit: Unit) -> LevelUnit {
    match unit {
        Unit::Seconds => LevelUnit::Duration,
        Unit::Bytes => LevelUnit::Bytes,
        _ => LevelUnit::Number,
    }
}

/// How a level in this unit is written.
pub const fn example(unit: LevelUnit) -> &'static str {
    match unit {
        LevelUnit::Number => "a plain number such as 2",
        LevelUnit::Share => "a share such as \"2%\"",
        LevelUnit::Duration => "a duration such as \"500ms\"",
        LevelUnit::Bytes => "a size such as \"64MiB\"",
        LevelUnit::Rate => "a rate such as \"100/s\"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_signal_of_the_table_is_there_once() {
        let all = table();
        let names: HashSet<_> = all.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names.len(), all.len());
        for s in &all {
            assert_eq!(find(&s.name).as_ref(), Ok(s));
            assert!(!s.meaning.contains(['|', '\n']), "{}", s.name);
            let counters = s.formula.picks().iter().all(|p| p.metric.kind != Kind::Gauge);
            assert_eq!(counters, s.formula.looks_back(), "{}", s.name);
        }
    }

    #[test]
    fn metrics_are_signals_too() {
        let limit = find(r#"weir_requests_total{reason="limit"}"#).unwrap();
        assert_eq!(limit.unit, LevelUnit::Rate);
        assert!(matches!(&limit.formula, Formula::Rate(p) if p[0].labels == [(0, "limit".to_owned())]));
        assert_eq!(find("weir_waf_sync_age_seconds").unwrap().unit, LevelUnit::Duration);
        assert_eq!(find("weir_in_flight").unwrap().unit, LevelUnit::Number);
        assert_eq!(find("process_resident_memory_bytes").unwrap().unit, LevelUnit::Bytes);
    }

    #[test]
    fn what_is_not_there_is_named_with_what_may_be_meant() {
        for (text, want) in [
            ("sever_error_share", "is neither a signal nor a metric; did you mean \"server_error_share\"?"),
            ("weir_in_fligth", "did you mean \"weir_in_flight\"?"),
            ("nonsense", "see docs/alerts.md"),
            (r#"weir_reqests_total{reason="limit"}"#, "did you mean \"weir_requests_total\"?"),
            (r#"weir_requests_total{reson="limit"}"#, "has no label \"reson\"; its labels: reason, class"),
            ("weir_origin_latency_seconds", "is a histogram; watch a signal such as \"origin_latency_p95\""),
        ] {
            let fault = find(text).unwrap_err();
            assert!(fault.contains(want), "{text}: {fault}");
        }
    }
}
