//! What is sent: JSON for programs, a few lines for people.

use super::engine::{Event, Kind};
use super::evidence::Evidence;
use super::rules::{Rule, in_words};
use crate::base::clock::unix_nanos;
use crate::base::units::show_duration;
use crate::config::settings::{LevelUnit, Settings, Side};
use crate::control::identity::Identity;
use crate::event::news::{StateNews, time_of};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The longest subject that SNS takes.
const SUBJECT: usize = 100;

/// One message; docs/alerts.md lists its keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Of this form; a key may be added without another number.
    pub version: u8,
    /// Unique: who sent it, what of, and when.
    pub id: String,
    /// What is told.
    pub kind: Kind,
    /// The rule's name.
    pub alert: String,
    /// The same for all messages of one alert, from whichever task.
    pub dedup_key: String,
    /// `info`, `warning` or `critical`.
    pub severity: String,
    /// In one line, in ASCII, at most 100 characters.
    pub subject: String,
    /// In some lines.
    pub text: String,
    /// What is watched.
    pub signal: String,
    /// What that says.
    pub meaning: String,
    /// `number`, `share` (from 0 to 1), `seconds`, `bytes` or `per-second`.
    pub unit: String,
    /// The value now.
    pub value: Option<f64>,
    /// The worst value since it began.
    pub worst: Option<f64>,
    /// `above` or `below`: which side of the level is bad.
    pub side: String,
    /// The level.
    pub level: f64,
    /// For how long it must be bad, in seconds.
    pub for_s: f64,
    /// Since when it is, or was, bad: RFC 3339.
    pub since: String,
    /// When this was written: RFC 3339.
    pub at: String,
    /// From the one to the other, in seconds.
    pub lasted_s: f64,
    /// The config's `cloudwatch.service`.
    pub service: String,
    /// The config's `cloudwatch.environment`.
    pub environment: String,
    /// Who tells.
    pub weir: Identity,
    /// What goes on.
    pub evidence: Evidence,
    /// What to do.
    pub runbook: String,
}

impl Message {
    /// About `event`.
    pub fn new(event: &Event, settings: &Settings, who: &Identity, evidence: Evidence) -> Self {
        let Event { kind, rule, at, since, value, worst, .. } = event;
        let (service, environment) = (&settings.cloudwatch.service, &settings.cloudwatch.environment);
        let lasted = at.since(*since);
        let mut message = Self {
            version: 1,
            id: format!("{}/{}/{}/{}", who.task, rule.name, kind.name(), unix_nanos(*at) / 1_000_000),
            kind: *kind,
            alert: rule.name.clone(),
            dedup_key: format!("{service}/{environment}/{}", rule.name),
            severity: rule.severity.to_string(),
            subject: subject(event, environment),
            text: String::new(),
            signal: rule.signal.name.clone(),
            meaning: rule.signal.meaning.clone(),
            unit: unit(rule.signal.unit).into(),
            value: *value,
            worst: *worst,
            side: side(rule).into(),
            level: rule.level.value,
            for_s: rule.hold.as_secs_f64(),
            since: time_of(*since),
            at: time_of(*at),
            lasted_s: lasted.as_secs_f64(),
            service: service.clone(),
            environment: environment.clone(),
            weir: who.clone(),
            evidence,
            runbook: rule.runbook(),
        };
        message.text = text(event, &message);
        message
    }
}

fn subject(event: &Event, environment: &str) -> String {
    let Event { kind, rule, .. } = event;
    let word = match kind {
        Kind::Firing => rule.severity.to_string().to_uppercase(),
        Kind::Repeated => format!("STILL {}", rule.severity.to_string().to_uppercase()),
        Kind::Cleared => "OK".into(),
        Kind::NoData => "NO DATA".into(),
        Kind::DataBack => "DATA BACK".into(),
    };
    let line = format!("[weir {environment}] {word}: {}: {}", rule.name, sentence(event));
    // SNS refuses control characters and what is not ASCII.
    line.chars().map(|c| if c.is_ascii() && !c.is_ascii_control() { c } else { '?' }).take(SUBJECT).collect()
}

/// What is the matter.
fn sentence(event: &Event) -> String {
    let Event { kind, rule, at, since, value, note, .. } = event;
    let unit = rule.signal.unit;
    let signal = &rule.signal.name;
    let (level, lasted) = (in_words(rule.level.value, unit), span(at.since(*since)));
    match (kind, value) {
        (Kind::Cleared, _) if !note.is_empty() => format!("{signal}: {note}, after {lasted}"),
        (Kind::Cleared, _) => format!("{signal} is well again after {lasted}"),
        (Kind::NoData, _) => format!("{signal} has no figures for {lasted}"),
        (Kind::DataBack, _) => format!("{signal} has figures again"),
        (_, Some(value)) => format!("{signal} is {}, {} {level} for {lasted}", in_words(*value, unit), side(rule)),
        (_, None) => format!("{signal} was {} {level} for {lasted}", side(rule)),
    }
}

fn text(event: &Event, m: &Message) -> String {
    let unit = event.rule.signal.unit;
    let mut lines = vec![
        format!("{}: {}.", m.alert, sentence(event)),
        format!("{}: {}.", m.signal, m.meaning),
        format!(
            "Rule: {} {} for {}, {}. Since {}.",
            m.side,
            in_words(m.level, unit),
            span(event.rule.hold),
            m.severity,
            m.since
        ),
    ];
    if let Some(worst) = m.worst {
        lines.push(format!("Worst: {}.", in_words(worst, unit)));
    }
    lines.push(String::new());
    lines.extend(m.evidence.lines());
    lines.push(String::new());
    let cluster = m.weir.cluster.as_ref().map(|c| format!(", cluster {c}")).unwrap_or_default();
    lines.push(format!("From {} in {}, task {}{cluster}, at {}.", m.service, m.environment, m.weir.task, m.at));
    lines.push(format!("What to do: {}", m.runbook));
    lines.join("\n") + "\n"
}

/// To the second, in at most two units.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let (large, small) = match seconds {
        0..60 => (0, seconds),
        60..3_600 => (seconds / 60 * 60, seconds % 60),
        _ => (seconds / 3_600 * 3_600, seconds % 3_600 / 60 * 60),
    };
    let parts = [large, small].map(Duration::from_secs);
    match parts {
        [Duration::ZERO, small] => show_duration(small),
        [large, Duration::ZERO] => whole(large),
        [large, small] => format!("{} {}", whole(large), show_duration(small)),
    }
}

/// Minutes or hours, and no days.
fn whole(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 3_600 { format!("{}m", seconds / 60) } else { format!("{}h", seconds / 3_600) }
}

/// As a key of JSON names it.
pub fn unit(unit: LevelUnit) -> &'static str {
    match unit {
        LevelUnit::Number => "number",
        LevelUnit::Share => "share",
        LevelUnit::Duration => "seconds",
        LevelUnit::Bytes => "bytes",
        LevelUnit::Rate => "per-second",
    }
}

/// Which side is bad.
pub const fn side(rule: &Rule) -> &'static str {
    match rule.side {
        Side::Above => "above",
        Side::Below => "below",
    }
}

/// The same for the ingress log.
pub fn news(event: &Event) -> StateNews {
    let (from, to) = match event.kind {
        Kind::Firing => ("pending", "firing"),
        Kind::Repeated => ("firing", "firing"),
        Kind::Cleared => ("firing", "ok"),
        Kind::NoData => ("ok", "no-data"),
        Kind::DataBack => ("no-data", "ok"),
    };
    let mut news = StateNews::new("alert", from, to, event.at);
    news.name = event.rule.name.clone();
    news.cause = event.rule.signal.name.clone();
    news.text = sentence(event);
    let figures = [("value", event.value), ("worst", event.worst), ("level", Some(event.rule.level.value))];
    news.evidence = figures.into_iter().filter_map(|(name, v)| Some((name.to_owned(), v?))).collect();
    news
}

/// One of every kind, for tests of whoever sends them.
#[cfg(test)]
pub(crate) fn fixture(kind: Kind) -> Message {
    use crate::base::clock::Time;
    let rule = super::rules::built_in().into_iter().find(|r| r.name == "server-errors").expect("there is one");
    let (since, at) = (Time::from_nanos(86_400_000_000_000), Time::from_nanos(86_790_000_000_000));
    let event = Event { kind, rule, at, since, value: Some(0.031), worst: Some(0.25), note: "" };
    let settings = crate::config::load_str("[origin]\naddresses = [\"demo\"]\n", "x").expect("it is good").settings;
    let who = Identity { task: "158d1c80".into(), ..Identity::default() };
    Message::new(&event, &settings, &who, Evidence { state: "normal".into(), ..Evidence::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_what_since_when_and_what_to_do() {
        let m = fixture(Kind::Firing);
        assert_eq!(
            m.subject,
            "[weir production] CRITICAL: server-errors: server_error_share is 3.1 %, above 1 % for 6m 30s"
        );
        assert_eq!(
            (m.dedup_key.as_str(), m.lasted_s, m.unit.as_str()),
            ("weir/production/server-errors", 390.0, "share")
        );
        for part in
            ["Rule: above 1 % for 5m, critical.", "Worst: 25 %.", "State: normal", "docs/alerts.md#server-errors"]
        {
            assert!(m.text.contains(part), "{part:?} is not in:\n{}", m.text);
        }
        let back: Message = serde_json::from_str(&serde_json::to_string(&m).unwrap()).unwrap();
        assert_eq!(back, m);
        let cleared = fixture(Kind::Cleared);
        assert_eq!(
            cleared.subject,
            "[weir production] OK: server-errors: server_error_share is well again after 6m 30s"
        );
        assert_ne!(cleared.id, m.id);
    }

    #[test]
    fn subjects_are_what_sns_takes() {
        let rule = super::super::rules::built_in().remove(0);
        let zero = crate::base::clock::Time::default();
        let event = Event { kind: Kind::Firing, rule, at: zero, since: zero, value: Some(2.0), worst: None, note: "" };
        let line = subject(&event, &"größe\n".repeat(40));
        assert!(line.len() == SUBJECT && line.is_ascii() && !line.contains('\n'), "{line:?}");
    }

    #[test]
    fn news_carry_the_figures() {
        let rule = super::super::rules::built_in().remove(0);
        let zero = crate::base::clock::Time::default();
        let event = Event { kind: Kind::Firing, rule, at: zero, since: zero, value: Some(2.0), worst: None, note: "" };
        let news = news(&event);
        assert_eq!((news.of.as_str(), news.name.as_str(), news.to.as_str()), ("alert", "attack", "firing"));
        assert_eq!(news.evidence["value"], 2.0);
        assert!(!news.evidence.contains_key("worst"));
    }
}
