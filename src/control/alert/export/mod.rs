//! The same rules for those who watch from outside: CloudWatch alarms, Prometheus alerting rules, the reference.

pub mod cloudwatch;
pub mod prometheus;

use super::rules::{Rule, in_words};
use super::signal::{Formula, table};
use crate::base::units::show_duration;
use crate::control::alert::message::{side, unit};
use std::fmt::Write;

/// The tables of docs/alerts.md: signals, and built-in rules.
pub fn reference() -> (String, String) {
    let mut signals = String::from("| signal | in | meaning | Prometheus | CloudWatch |\n|---|---|---|---|---|\n");
    for signal in table() {
        let there = if cloudwatch::queries(&signal.formula, false, "weir", "production", "weir").is_some() {
            "yes"
        } else {
            "no"
        };
        let needs = if signal.formula.needs_many() { " (of at least 100)" } else { "" };
        // Writing to a string can't fail.
        let _ = writeln!(
            signals,
            "| `{}` | {} | {}{needs} | `{}` | {there} |",
            signal.name,
            unit(signal.unit),
            signal.meaning,
            prometheus::expression(&signal.formula, false).replace('|', "\\|"),
        );
    }
    let mut rules = String::from("| rule | bad when | for | severity |\n|---|---|---|---|\n");
    for rule in super::rules::built_in() {
        let _ = writeln!(
            rules,
            "| [`{0}`](#{0}) | `{1}` {2} {3} | {4} | {5} |",
            rule.name,
            rule.signal.name,
            side(&rule),
            in_words(rule.level.value, rule.signal.unit),
            show_duration(rule.hold),
            rule.severity,
        );
    }
    (signals, rules)
}

/// What a rule is about, for people.
fn description(rule: &Rule) -> String {
    let Rule { signal, level, hold, .. } = rule;
    let lasting = if hold.is_zero() { String::new() } else { format!(" for {}", show_duration(*hold)) };
    format!("{} {} {}{lasting}: {}", signal.name, side(rule), in_words(level.value, signal.unit), signal.meaning)
}

/// Whether a formula takes the lowest of several.
const fn takes_lowest(formula: &Formula, below: bool) -> bool {
    below && matches!(formula, Formula::Worst(_) | Formula::While(..))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page with everything between the marks written anew.
    fn fresh(page: &str) -> String {
        let (signals, rules) = reference();
        let mut page = page.to_owned();
        for (name, table) in [("signals", signals), ("rules", rules)] {
            let marks = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
            let start = page.find(&marks.0).expect("the mark is there") + marks.0.len();
            let end = page.find(&marks.1).expect("the mark is there");
            page.replace_range(start..end, &table);
        }
        page
    }

    #[test]
    fn the_guide_is_fresh_and_has_a_part_for_every_rule() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/alerts.md");
        let page = std::fs::read_to_string(path).unwrap();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, fresh(&page)).unwrap();
        }
        let page = std::fs::read_to_string(path).unwrap();
        assert!(page == fresh(&page), "docs/alerts.md is stale: run UPDATE_DOCS=1 cargo test");
        for rule in super::super::rules::built_in() {
            assert!(page.contains(&format!("\n### {}\n", rule.name)), "docs/alerts.md has no part {}", rule.name);
        }
        assert!(page.contains("\n## What to do\n"));
    }

    /// What deploy uses, made from the rules of a config without any key about alerts.
    #[test]
    fn the_files_for_deploy_are_fresh() {
        let settings = crate::config::load_str("[origin]\naddresses = [\"demo\"]\n", "x").unwrap().settings;
        let rules = super::super::rules::rules(&settings).unwrap();
        for (name, text) in
            [("alarms.json", cloudwatch::alarms(&rules, &settings)), ("alerts.yml", prometheus::rules(&rules))]
        {
            let path = format!("{}/deploy/{name}", env!("CARGO_MANIFEST_DIR"));
            if std::env::var_os("UPDATE_DOCS").is_some() {
                std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy")).unwrap();
                std::fs::write(&path, &text).unwrap();
            }
            let found = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(found == text, "{path} is stale: run UPDATE_DOCS=1 cargo test");
        }
    }
}
