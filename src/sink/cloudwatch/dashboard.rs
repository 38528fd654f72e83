//! The dashboard for CloudWatch: a body with `${region}`, `${namespace}`, `${service}` and `${environment}` to be filled
//! in, as Terraform's `templatefile` does.

use super::series::{ALL, How, Series, find};
use serde_json::{Value, json};

/// Widgets, by title and the series in them.
const WIDGETS: &[(&str, &[&str])] = &[
    ("State: 0 normal, 1 elevated, 2 attack, 3 overload", &["AttackState"]),
    ("Requests a second", &["Offered", "Forwarded", "Refused", "Faults", "OriginCapacity"]),
    ("Refused by reason", &["RefusedByReason"]),
    ("Refused by limit", &["RefusedByLimit"]),
    ("Observed by limit", &["ObservedByLimit"]),
    ("In flight and connections", &["InFlight", "Connections"]),
    ("Origin: latency", &["OriginLatency"]),
    ("Origin: requests and errors a second", &["OriginRequests", "OriginErrors"]),
    ("Responses of the origin", &["OriginResponses"]),
    ("Responses of weir", &["WeirResponses"]),
    ("Tasks and endpoints", &["TasksServing", "OriginEndpointsUp", "FleetConnected"]),
    ("Bans", &["Bans", "BansAdded"]),
    ("AWS WAF: seconds", &["WafDelay", "WafSyncAge"]),
    ("AWS WAF: waiting and failed", &["WafPending", "WafFailures"]),
    ("Challenges", &["Challenges"]),
    ("Lost", &["EventsDropped", "SinkRecordsLost", "LogLinesLost", "DetectorMissedTicks"]),
];

/// deploy/dashboards/cloudwatch.json.
pub fn dashboard() -> String {
    let shown: Vec<&str> = WIDGETS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let rest = ALL.iter().filter(|series| !shown.contains(&series.name));
    let rest = rest.map(|series| (series.name, vec![series]));
    let curated = WIDGETS.iter().map(|(title, names)| (*title, names.iter().filter_map(|name| find(name)).collect()));
    let widgets = curated.chain(rest).enumerate().map(|(at, (title, series))| widget(at, title, &series));
    let body = json!({"start": "-PT3H", "periodOverride": "inherit", "widgets": widgets.collect::<Vec<_>>()});
    format!("{body:#}\n")
}

fn widget(at: usize, title: &str, series: &[&Series]) -> Value {
    let period = if series.iter().any(|s| s.fast) { 10 } else { 60 };
    let metrics: Vec<Value> = series.iter().enumerate().flat_map(|(n, s)| lines(n, s, period)).collect();
    json!({
        "type": "metric", "width": 8, "height": 6, "x": at % 3 * 8, "y": at / 3 * 6,
        "properties": {
            "title": title, "region": "${region}", "view": "timeSeries", "stacked": false, "period": period,
            "metrics": metrics, "yAxis": {"left": {"min": 0}},
        },
    })
}

fn lines(n: usize, series: &Series, period: u32) -> Vec<Value> {
    let (name, stat) = (series.name, series.how.statistic());
    let period = if series.fast { period } else { 60 };
    if let Some((_, dimension)) = series.by {
        let schema = format!("${{namespace}},Service,Environment,{dimension}");
        let wanted = format!("MetricName=\"{name}\" Service=\"${{service}}\" Environment=\"${{environment}}\"");
        let search = format!("SEARCH('{{{schema}}} {wanted}', '{stat}', {period})");
        // What a search finds is named by its own dimension.
        return vec![json!([{"expression": search, "id": format!("e{n}"), "label": ""}])];
    }
    let metric = |id: String, stat: &str, label: &str, visible: bool| {
        json!([
            "${namespace}", name, "Service", "${service}", "Environment", "${environment}",
            {"id": id, "stat": stat, "period": period, "label": label, "visible": visible}
        ])
    };
    match series.how {
        How::Spread => {
            let spread = ["p50", "p95", "p99"].iter().zip('a'..);
            spread.map(|(stat, part)| metric(format!("m{n}{part}"), stat, &format!("{name} {stat}"), true)).collect()
        }
        // By the second; what is kept by the minute and grows is shown as it is, so much a minute.
        How::Total | How::Growth if series.fast || series.how == How::Total => {
            let each = format!("m{n}/PERIOD(m{n})");
            let each = json!([{"expression": each, "id": format!("e{n}"), "label": name}]);
            vec![metric(format!("m{n}"), stat, name, false), each]
        }
        _ => vec![metric(format!("m{n}"), stat, name, true)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_is_shown_and_no_other() {
        assert!(WIDGETS.iter().flat_map(|(_, names)| *names).all(|name| find(name).is_some()));
        let body: Value = serde_json::from_str(&dashboard()).unwrap();
        let widgets = body["widgets"].as_array().unwrap();
        let lines: Vec<&Value> = widgets.iter().flat_map(|w| w["properties"]["metrics"].as_array().unwrap()).collect();
        for series in ALL {
            let sought = format!("MetricName=\"{}\"", series.name);
            let searches = |line: &Value| line[0]["expression"].as_str().is_some_and(|e| e.contains(&sought));
            assert!(lines.iter().any(|line| line[1] == series.name || searches(line)), "{}", series.name);
        }
    }
}
