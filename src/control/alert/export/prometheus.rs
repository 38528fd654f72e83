//! The rules as Prometheus reads them: deploy/alerts.yml.

use super::{description, takes_lowest};
use crate::base::units::show_duration;
use crate::config::settings::Side;
use crate::control::alert::pick::Pick;
use crate::control::alert::rules::Rule;
use crate::control::alert::signal::Formula;
use crate::control::alert::window::{ENOUGH, WINDOW};
use std::fmt::Write;

/// A file of alerting rules.
pub fn rules(rules: &[Rule]) -> String {
    let mut text = String::from(
        "# Alerting rules of weir, over all its tasks. Made by `weir schema --alarms=prometheus` from the rules of a config;\n\
         # this file from the built-in ones. See docs/alerts.md.\ngroups:\n  - name: weir\n    rules:\n",
    );
    for rule in rules {
        let below = rule.side == Side::Below;
        let sign = if below { "<" } else { ">" };
        let mut expression = format!("{} {sign} {}", expression(&rule.signal.formula, below), rule.level.value);
        if let Some(enough) = enough(&rule.signal.formula) {
            expression += &format!(" and {enough}");
        }
        entry(&mut text, &rule.name, &expression, &show_duration(rule.hold), &rule.severity.to_string());
        annotations(&mut text, &description(rule), &rule.runbook());
    }
    entry(&mut text, "silent", "absent(weir_ready == 1)", "2m", "critical");
    annotations(&mut text, "no weir serves, or Prometheus reaches none", &silent_runbook());
    text
}

/// What to do where no weir serves.
pub fn silent_runbook() -> String {
    concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/alerts.md#silent").to_owned()
}

// Writing to a string can't fail.
fn entry(text: &mut String, name: &str, expression: &str, hold: &str, severity: &str) {
    let name = camel(name);
    let quoted = serde_json::json!(expression);
    let _ = write!(text, "      - alert: {name}\n        expr: {quoted}\n        for: {hold}\n");
    let _ = write!(text, "        labels:\n          severity: {severity}\n");
}

fn annotations(text: &mut String, summary: &str, runbook: &str) {
    let summary = serde_json::json!(summary);
    let _ = write!(text, "        annotations:\n          summary: {summary}\n          runbook_url: {runbook}\n");
}

/// `server-errors` as `WeirServerErrors`.
fn camel(name: &str) -> String {
    let word = |word: &str| {
        let mut chars = word.chars();
        chars.next().map(|c| c.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
    };
    format!("Weir{}", name.split(['-', '_', '.']).map(word).collect::<String>())
}

/// A signal's value over all tasks.
pub fn expression(formula: &Formula, below: bool) -> String {
    let worst = if takes_lowest(formula, below) { "min" } else { "max" };
    match formula {
        Formula::Share { part, whole } => format!("({}) / ({})", rates(part), rates(whole)),
        Formula::Rate(picks) => rates(picks),
        Formula::Worst(of) => {
            let one = |(pick, weight): &(Pick, f64)| match *weight {
                1.0 => pick.to_string(),
                weight => format!("{pick} * {weight}"),
            };
            format!("{worst}({})", of.iter().map(one).collect::<Vec<_>>().join(" or "))
        }
        Formula::While(by, of) => format!("{worst}({of} and on (instance, job) {by} == 1)"),
        Formula::Ratio(a, b) => format!("max({a} / {b})"),
        Formula::Zeros(pick) => format!("max(sum by (instance, job) ({pick} == bool 0))"),
        Formula::Quantile(pick, q) => {
            format!("histogram_quantile({q}, sum by (le) (rate({}[{}])))", pick.selector("_bucket"), window())
        }
    }
}

fn rates(picks: &[Pick]) -> String {
    let one = |pick: &Pick| format!("sum(rate({pick}[{}]))", window());
    picks.iter().map(one).collect::<Vec<_>>().join(" + ")
}

/// That enough was counted, where that is asked for.
fn enough(formula: &Formula) -> Option<String> {
    let counts: Vec<_> = match formula {
        Formula::Share { whole, .. } => whole.iter().map(Pick::to_string).collect(),
        Formula::Quantile(pick, _) => vec![pick.selector("_count")],
        _ => return None,
    };
    let one = |count: &String| format!("sum(increase({count}[{}]))", window());
    Some(format!("{} >= {ENOUGH}", counts.iter().map(one).collect::<Vec<_>>().join(" + ")))
}

fn window() -> String {
    show_duration(WINDOW)
}
