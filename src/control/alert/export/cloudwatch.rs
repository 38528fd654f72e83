//! The rules as CloudWatch alarms: what deploy makes them from. Each names the metrics that `sink::cloudwatch` sends.

use super::{description, prometheus, takes_lowest};
use crate::config::settings::{CloudWatch, Settings, Side};
use crate::control::alert::pick::Pick;
use crate::control::alert::rules::Rule;
use crate::control::alert::signal::Formula;
use crate::control::alert::window::ENOUGH;
use crate::sink::cloudwatch::series::{self, How, Series};
use serde_json::{Value, json};

/// A period in seconds; the same as the window in which weir looks itself.
const PERIOD: u64 = 60;
/// The values of a dimension that has few.
const CLASSES: &[&str] = &["2xx", "3xx", "4xx", "5xx"];
/// The most metrics that CloudWatch takes in one alarm.
const MOST: usize = 10;

/// One metric that an alarm reads.
struct Term {
    series: &'static Series,
    dimension: Option<String>,
    statistic: String,
}

/// The list of alarms as JSON, with what has none.
pub fn alarms(rules: &[Rule], settings: &Settings) -> String {
    let CloudWatch { namespace, service, environment, .. } = &settings.cloudwatch;
    let (mut alarms, mut without) = (Vec::new(), Vec::new());
    for rule in rules {
        let below = rule.side == Side::Below;
        match queries(&rule.signal.formula, below, service, environment, namespace) {
            Some(queries) => alarms.push(alarm(rule, queries, service, environment)),
            None => without.push(rule.name.as_str()),
        }
    }
    alarms.push(silent(service, environment, namespace));
    let list = json!({"version": 1, "alarms": alarms, "not_in_cloudwatch": without});
    format!("{list:#}\n")
}

fn alarm(rule: &Rule, queries: Vec<Value>, service: &str, environment: &str) -> Value {
    let periods = rule.hold.as_secs().div_ceil(PERIOD).max(1);
    let comparison = match rule.side {
        Side::Above => "GreaterThanThreshold",
        Side::Below => "LessThanThreshold",
    };
    json!({
        "name": format!("{service}-{environment}-{}", rule.name),
        "rule": rule.name,
        "description": format!("{} {}", description(rule), rule.runbook()),
        "severity": rule.severity.to_string(),
        "period": PERIOD,
        "evaluation_periods": periods,
        "datapoints_to_alarm": periods,
        "comparison_operator": comparison,
        "threshold": rule.level.value,
        // What is not sent does not happen; that nothing at all comes is an alarm of its own.
        "treat_missing_data": "notBreaching",
        "metric_queries": queries,
    })
}

/// That nothing comes any more.
fn silent(service: &str, environment: &str, namespace: &str) -> Value {
    let series = series::find("TasksServing").expect("the table has it: a test makes this list");
    let term = Term { series, dimension: None, statistic: "Maximum".into() };
    let mut queries = vec![query("m1", &term, service, environment, namespace)];
    queries[0]["return_data"] = json!(true);
    json!({
        "name": format!("{service}-{environment}-silent"),
        "rule": "silent",
        "description": format!("no weir serves, or none tells CloudWatch {}", prometheus::silent_runbook()),
        "severity": "critical",
        "period": PERIOD,
        "evaluation_periods": 3,
        "datapoints_to_alarm": 3,
        "comparison_operator": "LessThanThreshold",
        "threshold": 1,
        "treat_missing_data": "breaching",
        "metric_queries": queries,
    })
}

/// Metrics and math of one formula, the last of which is the value; none where CloudWatch does not get them.
pub fn queries(
    formula: &Formula,
    below: bool,
    service: &str,
    environment: &str,
    namespace: &str,
) -> Option<Vec<Value>> {
    let lowest = takes_lowest(formula, below);
    let mut terms = Vec::new();
    let expression = match formula {
        Formula::Share { part, whole } => {
            let whole = sum(whole, &mut terms)?;
            let part = sum(part, &mut terms)?;
            Some(format!("IF({whole} >= {ENOUGH}, ({part}) / ({whole}), 0)"))
        }
        Formula::Rate(picks) => Some(format!("({}) / {PERIOD}", sum(picks, &mut terms)?)),
        Formula::Worst(of) => {
            terms.push(gauge(&of.first()?.0, of.len() > 1, lowest)?);
            None
        }
        Formula::While(_, of) => {
            terms.push(gauge(of, false, lowest)?);
            None
        }
        // One that is down is enough for CloudWatch: it does not see which.
        Formula::Zeros(pick) => {
            terms.push(gauge(pick, false, true)?);
            Some("IF(m1 < 1, 1, 0)".to_owned())
        }
        Formula::Quantile(pick, q) => {
            let series = series::ALL.iter().find(|s| s.of == pick.metric && s.how == How::Spread)?;
            terms.push(Term { series, dimension: None, statistic: format!("p{}", q * 100.0) });
            terms.push(Term { series, dimension: None, statistic: "SampleCount".into() });
            Some(format!("IF(m2 >= {ENOUGH}, m1, 0)"))
        }
        Formula::Ratio(..) => return None,
    };
    if terms.len() > MOST {
        return None;
    }
    let named =
        terms.iter().enumerate().map(|(n, term)| query(&format!("m{}", n + 1), term, service, environment, namespace));
    let mut queries: Vec<_> = named.collect();
    match expression {
        Some(text) => queries.push(json!({"id": "value", "expression": text, "label": "value", "return_data": true})),
        None => queries[0]["return_data"] = json!(true),
    }
    Some(queries)
}

/// One metric in the words of PutMetricAlarm and of Terraform.
fn query(id: &str, term: &Term, service: &str, environment: &str, namespace: &str) -> Value {
    let mut dimensions = json!({"Service": service, "Environment": environment});
    if let (Some((_, name)), Some(value)) = (term.series.by, &term.dimension) {
        dimensions[name] = json!(value);
    }
    json!({
        "id": id,
        "metric": {
            "namespace": namespace, "metric_name": term.series.name, "dimensions": dimensions,
            "period": PERIOD, "stat": term.statistic,
        },
        "return_data": false,
    })
}

/// Counters added up, in math over the terms that it puts in.
fn sum(picks: &[Pick], terms: &mut Vec<Term>) -> Option<String> {
    let mut ids = Vec::new();
    for pick in picks {
        for (series, dimension) in counters(pick)? {
            let same = terms.iter().position(|t| t.series == series && t.dimension == dimension);
            let at = same.unwrap_or_else(|| {
                terms.push(Term { series, dimension, statistic: series.how.statistic().into() });
                terms.len() - 1
            });
            ids.push(format!("FILL(m{}, 0)", at + 1));
        }
    }
    Some(ids.join(" + "))
}

/// The series that together count what `pick` counts; those with fewer dimensions first.
fn counters(pick: &Pick) -> Option<Vec<(&'static Series, Option<String>)>> {
    let wanted: Vec<_> = pick.labels.iter().map(|(at, value)| (pick.metric.labels[*at], value.as_str())).collect();
    let value = |label: &str| wanted.iter().find(|(name, _)| *name == label).map(|(_, value)| *value);
    let fits = |s: &&Series| {
        let no_other = s.only.is_none_or(|(label, only)| value(label).is_none_or(|v| v == only));
        let knows =
            |label: &str| s.only.is_some_and(|(name, _)| name == label) || s.by.is_some_and(|(name, _)| name == label);
        s.of == pick.metric && s.how == How::Growth && no_other && wanted.iter().all(|(label, _)| knows(label))
    };
    let all: Vec<_> = series::ALL.iter().filter(fits).collect();
    let plain: Vec<_> = all.iter().filter(|s| s.by.is_none()).map(|s| (*s, None)).collect();
    if !plain.is_empty() {
        return Some(plain);
    }
    let mut found = Vec::new();
    for s in all {
        let (label, _) = s.by?;
        match (value(label), label) {
            (Some(value), _) => found.push((s, Some(value.to_owned()))),
            (None, "class") => found.extend(CLASSES.iter().map(|class| (s, Some((*class).to_owned())))),
            (None, _) => return None,
        }
    }
    (!found.is_empty()).then_some(found)
}

/// The series of a gauge; `place` where which of its series is 1 is asked for.
fn gauge(pick: &Pick, place: bool, lowest: bool) -> Option<Term> {
    let fits = |s: &&Series| match s.how {
        How::Place => place,
        How::Highest => !place && !lowest,
        How::Lowest => !place && lowest,
        How::Growth | How::Total | How::Spread => false,
    };
    let all = series::ALL.iter().filter(|s| s.of == pick.metric && s.by.is_none());
    let series = all.filter(|s| place || s.only.is_none() && pick.labels.is_empty()).find(fits)?;
    Some(Term { series, dimension: None, statistic: series.how.statistic().into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::alert::signal;

    fn made(signal: &str) -> Option<(Vec<String>, String)> {
        let signal = signal::find(signal).unwrap();
        let queries = queries(&signal.formula, false, "weir", "production", "weir")?;
        let name = |q: &Value| {
            let metric = q.get("metric")?;
            let more: String = metric["dimensions"]
                .as_object()?
                .iter()
                .filter(|(k, _)| !["Service", "Environment"].contains(&k.as_str()))
                .map(|(_, v)| format!("/{}", v.as_str().unwrap_or_default()))
                .collect();
            Some(format!("{}{more} {}", metric["metric_name"].as_str()?, metric["stat"].as_str()?))
        };
        let value = queries.iter().filter(|q| q["return_data"] == true).collect::<Vec<_>>();
        assert_eq!(value.len(), 1);
        Some((queries.iter().filter_map(name).collect(), value[0]["expression"].as_str().unwrap_or_default().into()))
    }

    #[test]
    fn signals_are_made_of_what_cloudwatch_gets() {
        let (terms, math) = made("origin_server_error_share").unwrap();
        assert_eq!(
            terms,
            [
                "OriginResponses/2xx Sum",
                "OriginResponses/3xx Sum",
                "OriginResponses/4xx Sum",
                "OriginResponses/5xx Sum"
            ]
        );
        let whole = "FILL(m1, 0) + FILL(m2, 0) + FILL(m3, 0) + FILL(m4, 0)";
        assert_eq!(math, format!("IF({whole} >= 100, (FILL(m4, 0)) / ({whole}), 0)"));
        assert_eq!(made("client_error_share").unwrap().0.len(), 8);
        assert_eq!(made("refused_share").unwrap().0, ["Forwarded Sum", "Refused Sum", "Faults Sum", "Gone Sum"]);
        assert_eq!(made("flood_state").unwrap(), (vec!["AttackState Maximum".into()], String::new()));
        assert_eq!(made("origin_latency_p95").unwrap().0, ["OriginLatency p95", "OriginLatency SampleCount"]);
        assert_eq!(made("waf_sync_age").unwrap().0, ["WafSyncAge Maximum"]);
        assert_eq!(made("config_refused").unwrap().0, ["ConfigLastReloadOk Minimum"]);
        assert_eq!(
            made(r#"weir_requests_total{reason="limit"}"#).unwrap(),
            (vec!["RefusedByReason/limit Sum".into()], "(FILL(m1, 0)) / 60".into())
        );
        assert_eq!(made("weir_history_dropped_total"), None);
        assert_eq!(made(r#"weir_waf_entries{owner="weir"}"#), None);
    }
}
