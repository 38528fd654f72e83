//! The rules in force: those built in, those written, and what is wrong with the written ones.

use super::signal::{self, Signal};
use crate::config::settings::{AlertRule, Alerts, Level, LevelUnit, Settings, Severity, Side};
use std::time::Duration;

/// One rule, its signal found.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Unique name.
    pub name: String,
    /// What is watched.
    pub signal: Signal,
    /// Which side of the level is bad.
    pub side: Side,
    /// The level.
    pub level: Level,
    /// For how long it must be bad.
    pub hold: Duration,
    /// How bad it is.
    pub severity: Severity,
    /// Whether it is one of those built in.
    pub builtin: bool,
    /// Whether its signal must be there, so that it is told where it is not.
    pub required: bool,
}

impl Rule {
    /// Whether a value is on the bad side of the level.
    pub fn is_bad(&self, value: f64) -> bool {
        match self.side {
            Side::Above => value > self.level.value,
            Side::Below => value < self.level.value,
        }
    }

    /// Whether `value` is further on the bad side than `other`.
    pub fn is_worse(&self, value: f64, other: f64) -> bool {
        match self.side {
            Side::Above => value > other,
            Side::Below => value < other,
        }
    }

    /// What to look at: the rule's own part of the guide, or the guide.
    pub fn runbook(&self) -> String {
        let guide = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/alerts.md");
        if self.builtin { format!("{guide}#{}", self.name) } else { format!("{guide}#what-to-do") }
    }
}

/// Name, signal, side, level, for how many seconds, severity.
type Line = (&'static str, &'static str, Side, f64, u64, Severity);

/// The built-in rules.
const BUILT_IN: &[Line] = &[
    ("attack", "flood_state", Side::Above, 1.0, 0, Severity::Critical),
    ("overload", "flood_state", Side::Above, 2.0, 300, Severity::Critical),
    ("known-refused", "known_refused_share", Side::Above, 0.01, 120, Severity::Critical),
    ("client-errors", "client_error_share", Side::Above, 0.02, 300, Severity::Warning),
    ("server-errors", "server_error_share", Side::Above, 0.01, 300, Severity::Critical),
    ("origin-latency", "origin_latency_p95", Side::Above, 2.0, 300, Severity::Warning),
    ("origin-down", "origin_endpoints_down", Side::Above, 0.0, 60, Severity::Warning),
    ("waf-sync", "waf_sync_age", Side::Above, 300.0, 60, Severity::Warning),
    ("fleet-lost", "fleet_connected", Side::Below, 1.0, 60, Severity::Warning),
    ("records-dropped", "events_dropped_rate", Side::Above, 0.0, 0, Severity::Warning),
    ("records-lost", "sink_lost_rate", Side::Above, 0.0, 0, Severity::Warning),
    ("reload-refused", "config_refused", Side::Above, 0.0, 0, Severity::Warning),
];

/// The built-in rules.
pub fn built_in() -> Vec<Rule> {
    let rule = |(name, signal, side, value, hold, severity): &Line| {
        let signal = signal::find(signal).expect("built-in rules name signals of the table: a test reads them all");
        Rule {
            name: (*name).to_owned(),
            side: *side,
            level: Level { value: *value, unit: signal.unit },
            signal,
            hold: Duration::from_secs(*hold),
            severity: *severity,
            builtin: true,
            required: false,
        }
    };
    BUILT_IN.iter().map(rule).collect()
}

/// The rules that hold.
///
/// # Errors
/// Every fault of those written, in words that begin with the key.
pub fn rules(settings: &Settings) -> Result<Vec<Rule>, Vec<String>> {
    let Alerts { defaults, rules: written, .. } = &settings.alerts;
    let mut faults = Vec::new();
    let mut all = built_in();
    all.retain(|rule| *defaults && !written.iter().any(|w| w.name == rule.name));
    for (at, w) in written.iter().enumerate() {
        match read(w) {
            Ok(rule) if w.enabled => all.push(rule),
            Ok(_) => {}
            Err((key, fault)) => faults.push(format!("alert[{at}].{key}: {fault}")),
        }
    }
    for rule in &mut all {
        rule.required = is_there(&rule.signal, settings);
    }
    if faults.is_empty() { Ok(all) } else { Err(faults) }
}

fn read(written: &AlertRule) -> Result<Rule, (&'static str, String)> {
    let AlertRule { name, signal, side, level, hold, severity, .. } = written;
    let signal = signal::find(signal).map_err(|fault| ("signal", format!("{signal:?} {fault}")))?;
    if level.unit != signal.unit {
        let key = match side {
            Side::Above => "above",
            Side::Below => "below",
        };
        let want = signal::example(signal.unit);
        return Err((key, format!("{} has another unit than {}; write {want}", shown(*level), signal.name)));
    }
    let builtin = BUILT_IN.iter().any(|line| line.0 == name);
    let (name, side, level, hold, severity) = (name.clone(), *side, *level, *hold, *severity);
    Ok(Rule { name, signal, side, level, hold, severity, builtin, required: false })
}

/// Whether the parts that a signal tells of are in use.
fn is_there(signal: &Signal, settings: &Settings) -> bool {
    signal.formula.picks().iter().all(|pick| {
        let name = pick.metric.name;
        let part = |prefix: &str, used: bool| name.starts_with(prefix).then_some(used);
        let used = part("weir_waf_", settings.waf.enabled)
            .or_else(|| part("weir_fleet_", settings.fleet.enabled))
            .or_else(|| part("weir_guardduty_", settings.guardduty.enabled))
            .or_else(|| part("weir_cloudwatch_", settings.cloudwatch.enabled));
        // Where nothing else is known, series come and go with limits, endpoints and what happens.
        used.unwrap_or(pick.metric.labels.is_empty() && !name.starts_with("weir_config_"))
    })
}

/// A level as people write it.
pub fn shown(level: Level) -> String {
    if level.unit == LevelUnit::Number { format!("{}", level.value) } else { format!("\"{level}\"") }
}

/// A value in a unit, as people read it.
pub fn in_words(value: f64, unit: LevelUnit) -> String {
    match unit {
        LevelUnit::Number => trimmed(value),
        LevelUnit::Share => format!("{} %", trimmed(value * 100.0)),
        LevelUnit::Duration if value < 1.0 => format!("{} ms", trimmed(value * 1_000.0)),
        LevelUnit::Duration => format!("{} s", trimmed(value)),
        LevelUnit::Bytes => format!("{} MiB", trimmed(value / f64::from(1 << 20))),
        LevelUnit::Rate => format!("{}/s", trimmed(value)),
    }
}

/// At most two digits behind the point, and more only for what would be 0.
fn trimmed(value: f64) -> String {
    if value != 0.0 && value.abs() < 0.01 {
        return format!("{value:.1e}");
    }
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn settings(more: &str) -> Settings {
        let text = format!("[origin]\naddresses = [\"demo\"]\n{more}");
        config::load_str(&text, "weir.toml").unwrap().settings
    }

    #[test]
    fn written_rules_take_the_place_of_built_in_ones() {
        let all = rules(&settings("")).unwrap();
        assert_eq!(all, rules(&settings("[alerts]\ndefaults = true\n")).unwrap());
        assert_eq!(all.len(), BUILT_IN.len());
        let own = "[[alert]]\nname = \"attack\"\nsignal = \"flood_state\"\nabove = 0\nfor = \"1m\"\n\
                   [[alert]]\nname = \"waf-sync\"\nsignal = \"waf_sync_age\"\nabove = \"1m\"\nenabled = false\n\
                   [[alert]]\nname = \"busy\"\nsignal = \"weir_requests_total{class=\\\"refuse\\\"}\"\nabove = \"100/s\"\n";
        let mixed = rules(&settings(own)).unwrap();
        assert_eq!(mixed.len(), all.len());
        let of = |name: &str| mixed.iter().find(|r| r.name == name);
        assert_eq!((of("attack").unwrap().level.value, of("attack").unwrap().builtin), (0.0, true));
        assert!(of("waf-sync").is_none() && of("busy").unwrap().signal.unit == LevelUnit::Rate);
        let alone = rules(&settings(&format!("[alerts]\ndefaults = false\n{own}"))).unwrap();
        assert_eq!(alone.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["attack", "busy"]);
    }

    #[test]
    fn every_fault_is_told_with_its_key() {
        let own = "[[alert]]\nname = \"a\"\nsignal = \"sever_error_share\"\nabove = \"1%\"\n\
                   [[alert]]\nname = \"b\"\nsignal = \"server_error_share\"\nbelow = 2\n\
                   [[alert]]\nname = \"c\"\nsignal = \"origin_latency_p95\"\nabove = \"2%\"\nenabled = false\n";
        let faults = rules(&settings(own)).unwrap_err();
        assert_eq!(
            faults,
            [
                "alert[0].signal: \"sever_error_share\" is neither a signal nor a metric; did you mean \"server_error_share\"?",
                "alert[1].below: 2 has another unit than server_error_share; write a share such as \"2%\"",
                "alert[2].above: \"2%\" has another unit than origin_latency_p95; write a duration such as \"500ms\"",
            ]
        );
    }

    #[test]
    fn values_are_told_in_their_unit() {
        for (value, unit, text) in [
            (2.0, LevelUnit::Number, "2"),
            (0.0312, LevelUnit::Share, "3.12 %"),
            (0.25, LevelUnit::Duration, "250 ms"),
            (90.0, LevelUnit::Duration, "90 s"),
            (67_108_864.0, LevelUnit::Bytes, "64 MiB"),
            (0.001, LevelUnit::Rate, "1.0e-3/s"),
            (0.0, LevelUnit::Rate, "0/s"),
        ] {
            assert_eq!(in_words(value, unit), text);
        }
    }

    #[test]
    fn what_must_be_there_depends_on_what_is_in_use() {
        let required = |more: &str, name: &str| {
            rules(&settings(more)).unwrap().into_iter().find(|r| r.name == name).unwrap().required
        };
        assert!(!required("", "fleet-lost") && required("[fleet]\nenabled = true\n", "fleet-lost"));
        assert!(required("", "records-dropped"));
    }
}
