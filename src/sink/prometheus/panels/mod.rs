//! What a dashboard shows, in PromQL, from the table of names.

mod around;
mod edge;

use crate::sink::metrics::names::{self as n, Kind, Metric};

/// Every query asks for this job and these instances.
const SCOPE: &str = r#"job="$job",instance=~"$instance""#;

/// How a panel draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// One large number.
    Number,
    /// Lines over time.
    Lines,
    /// Areas on top of one another.
    Stack,
}

/// One query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// PromQL.
    pub expr: String,
    /// How its series are named.
    pub legend: String,
}

/// One panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panel {
    /// Its title.
    pub title: String,
    /// What it means.
    pub help: String,
    /// Grafana's name of the unit.
    pub unit: &'static str,
    /// How it draws.
    pub draw: Draw,
    /// What it asks.
    pub queries: Vec<Query>,
}

/// Panels under one heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The heading.
    pub title: &'static str,
    /// Its panels.
    pub panels: Vec<Panel>,
}

/// All rows; what no panel was made for has one in the last row.
pub fn rows() -> Vec<Row> {
    let mut rows = vec![
        edge::now(),
        edge::traffic(),
        edge::flood(),
        edge::origin(),
        around::bans(),
        around::fleet(),
        around::weir(),
    ];
    let shown: Vec<String> = rows.iter().flat_map(|row| &row.panels).flat_map(|p| &p.queries).map(text).collect();
    let missing = n::ALL.iter().filter(|m| !shown.iter().any(|expr| names(expr, m)));
    let panels = missing.map(plain).collect();
    rows.push(Row { title: "All else", panels });
    rows.retain(|row| !row.panels.is_empty());
    rows
}

fn text(query: &Query) -> String {
    query.expr.clone()
}

/// Whether an expression asks for a metric.
fn names(expr: &str, metric: &Metric) -> bool {
    let suffix = if metric.kind == Kind::Histogram { "_bucket" } else { "" };
    expr.contains(&format!("{}{suffix}{{", metric.name))
}

/// A metric as it comes.
fn plain(metric: &Metric) -> Panel {
    let by = metric.labels.join(",");
    let legend: Vec<_> = metric.labels.iter().map(|label| format!("{{{{{label}}}}}")).collect();
    let legend = if legend.is_empty() { "{{instance}}".to_owned() } else { legend.join(" ") };
    let (expr, unit) = match metric.kind {
        Kind::Counter => (rate(metric, "", &by), "cps"),
        Kind::Gauge if by.is_empty() => (gauge("max", metric, "", "instance"), "short"),
        Kind::Gauge => (gauge("max", metric, "", &by), "short"),
        Kind::Histogram => (quantile(metric, 0.99), "s"),
    };
    Panel {
        title: metric.name.to_owned(),
        help: metric.help.to_owned(),
        unit,
        draw: Draw::Lines,
        queries: vec![Query { expr, legend }],
    }
}

fn selector(metric: &Metric, more: &str) -> String {
    let comma = if more.is_empty() { "" } else { "," };
    format!("{}{{{SCOPE}{comma}{more}}}", metric.name)
}

fn rate(metric: &Metric, more: &str, by: &str) -> String {
    let by = if by.is_empty() { String::new() } else { format!(" by ({by})") };
    format!("sum{by} (rate({}[$__rate_interval]))", selector(metric, more))
}

fn gauge(with: &str, metric: &Metric, more: &str, by: &str) -> String {
    let by = if by.is_empty() { String::new() } else { format!(" by ({by})") };
    format!("{with}{by} ({})", selector(metric, more))
}

fn quantile(metric: &Metric, share: f64) -> String {
    format!("histogram_quantile({share}, sum by (le) (rate({}_bucket{{{SCOPE}}}[$__rate_interval])))", metric.name)
}

fn panel(title: &str, help: &str, unit: &'static str, draw: Draw, queries: Vec<(String, &str)>) -> Panel {
    let queries = queries.into_iter().map(|(expr, legend)| Query { expr, legend: legend.to_owned() }).collect();
    Panel { title: title.to_owned(), help: help.to_owned(), unit, draw, queries }
}

/// The state by its place: 0 is normal.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_shown() {
        let all: Vec<String> = rows().iter().flat_map(|row| &row.panels).flat_map(|p| &p.queries).map(text).collect();
        for metric in n::ALL {
            assert!(all.iter().any(|expr| names(expr, metric)), "{}", metric.name);
        }
    }
}
