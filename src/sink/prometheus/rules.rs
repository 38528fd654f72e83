//! Recording rules: shares and quantiles that people ask for again and again, for alerts and for long ranges.

use crate::sink::metrics::names as n;

/// deploy/dashboards/rules.yml.
pub fn rules() -> String {
    let (requests, responses, latency) = (n::REQUESTS.name, n::RESPONSES.name, n::ORIGIN_LATENCY.name);
    let (sent, failed) = (n::ENDPOINT_REQUESTS.name, n::ENDPOINT_FAILURES.name);
    let rules = [
        ("weir:requests:rate1m", format!("sum by (job, class) (rate({requests}[1m]))")),
        (
            "weir:refused:share5m",
            format!(
                "sum by (job) (rate({requests}{{class=\"refuse\"}}[5m])) / (sum by (job) (rate({requests}[5m])) > 0)"
            ),
        ),
        (
            "weir:responses_4xx:share5m",
            format!(
                "sum by (job) (rate({responses}{{class=\"4xx\"}}[5m])) / (sum by (job) (rate({responses}[5m])) > 0)"
            ),
        ),
        (
            "weir:responses_5xx:share5m",
            format!(
                "sum by (job) (rate({responses}{{class=\"5xx\"}}[5m])) / (sum by (job) (rate({responses}[5m])) > 0)"
            ),
        ),
        (
            "weir:origin_failures:share5m",
            format!("sum by (job) (rate({failed}[5m])) / (sum by (job) (rate({sent}[5m])) > 0)"),
        ),
        (
            "weir:origin_latency_seconds:p99_5m",
            format!("histogram_quantile(0.99, sum by (job, le) (rate({latency}_bucket[5m])))"),
        ),
        ("weir:tasks:serving", format!("sum by (job) ({})", n::READY.name)),
    ];
    let mut text = String::from("groups:\n  - name: weir\n    interval: 15s\n    rules:\n");
    for (name, expr) in rules {
        text += &format!("      - record: {name}\n        expr: '{expr}'\n");
    }
    text
}
