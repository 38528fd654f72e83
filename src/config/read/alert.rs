//! The keys of `[alerts]` and `[[alert]]`.

use super::shared::{built_with_aws, url};
use crate::base::units::{Bytes, Rate, Share, parse_duration};
use crate::config::kind::{Kind, choice, duration, flag};
use crate::config::place::{file, secret_file};
use crate::config::section::{Section, When, article};
use crate::config::settings::{AlertRule, Alerts, Level, LevelUnit, Side};
use crate::config::words::SEVERITIES;
use serde_json::json;
use std::time::Duration;
use toml::de::DeValue;

/// The most rules.
pub(super) const MOST: usize = 100;

pub(super) fn alerts(s: &mut Section<'_, '_>) -> Alerts {
    let base = s.base();
    let sns_topic = s.optional("sns_topic", topic(), "The SNS topic that alerts go to, by its ARN.", When::Start);
    if sns_topic.is_some() && cfg!(not(feature = "aws")) {
        built_with_aws(s);
    }
    let webhook = s.optional("webhook", url(&["https", "http"]), "Where alerts are posted as JSON.", When::Start);
    Alerts {
        webhook,
        webhook_secret: s.optional(
            "webhook_secret_file",
            secret_file(base),
            "What posts are signed with (HMAC-SHA256): a file with at least 32 random bytes.",
            When::Start,
        ),
        webhook_ca_file: s.optional(
            "webhook_ca_file",
            file(base),
            "PEM certificates that the webhook's certificate is checked against. None: those of the system.",
            When::Start,
        ),
        sns_topic,
        repeat_every: s.live(
            "repeat_every",
            duration("1m", "7d"),
            r#""4h""#,
            "How often an alert that lasts is told again.",
        ),
        defaults: s.live("defaults", flag(), "true", "Whether the built-in rules hold beside those of [[alert]]."),
        rules: Vec::new(),
    }
}

pub(super) fn rule(s: &mut Section<'_, '_>) -> AlertRule {
    let name = s.required("name", rule_name(), "Unique name; that of a built-in rule takes its place.", When::Live);
    let signal = s.required("signal", signal(), "What is watched: a signal, or a metric with its labels such as weir_requests_total{reason=\"limit\"}. A counter is watched as its rate a second.", When::Live);
    let above = s.optional(
        "above",
        level(),
        "Bad is more than this, written in the signal's unit. One of above and below must be there.",
        When::Live,
    );
    let below = s.optional("below", level(), "Bad is less than this.", When::Live);
    let both = (above.is_some(), below.is_some());
    if both == (true, true) || (both == (false, false) && !s.has("above") && !s.has("below")) {
        let path = s.join("above");
        s.document().fault(&path, "must be there, or below, and not both");
    }
    let side = if above.is_some() { Side::Above } else { Side::Below };
    AlertRule {
        name: name.unwrap_or_default(),
        signal: signal.unwrap_or_default(),
        side,
        level: above.or(below).unwrap_or(Level { value: 0.0, unit: LevelUnit::Number }),
        hold: s.live("for", duration("0s", "1d"), r#""5m""#, "For how long it must be bad, all the time."),
        severity: s.live("severity", choice(SEVERITIES), r#""warning""#, "How bad it is."),
        enabled: s.live(
            "enabled",
            flag(),
            "true",
            "Whether the rule holds; false turns a built-in rule of this name off.",
        ),
    }
}

fn rule_name() -> Kind<String> {
    const WANT: &str = "a name of 1 to 64 letters, digits, '-', '_' and '.'";
    let schema = json!({"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"});
    Kind::string("name", WANT, schema, |text| {
        let known = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        let sound = (1..=64).contains(&text.len()) && text.bytes().all(known);
        if sound { Ok(text.to_owned()) } else { Err(format!("cannot be a name; write {WANT}")) }
    })
}

/// Whether there is such a signal is known further up.
fn signal() -> Kind<String> {
    const WANT: &str = "a signal such as \"server_error_share\", or a metric such as \"weir_in_flight\"";
    let schema = json!({"type": "string", "minLength": 1, "maxLength": 256});
    Kind::string("signal or metric", WANT, schema, |text| {
        let sound = (1..=256).contains(&text.len()) && text.starts_with(|c: char| c.is_ascii_lowercase());
        if sound { Ok(text.to_owned()) } else { Err(format!("is no signal; write {WANT}")) }
    })
}

fn topic() -> Kind<String> {
    const WANT: &str = "an ARN such as \"arn:aws:sns:eu-central-1:123456789012:weir\"";
    let schema = json!({"type": "string", "pattern": "^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:.+$"});
    Kind::string("ARN of a topic", WANT, schema, |text| {
        let parts: Vec<_> = text.split(':').collect();
        match parts.as_slice() {
            ["arn", _, "sns", region, account, name]
                if !region.is_empty()
                    && account.len() == 12
                    && account.bytes().all(|b| b.is_ascii_digit())
                    && !name.is_empty() =>
            {
                Ok(text.to_owned())
            }
            _ => Err(format!("is no ARN of a topic; write {WANT}")),
        }
    })
}

fn level() -> Kind<Level> {
    const WANT: &str = "a number, or \"2%\", \"500ms\", \"64MiB\" or \"100/s\"";
    let schema = json!({"type": ["number", "string"]});
    Kind::scalar("number, share, duration, size or rate", WANT, schema, |value| {
        let number = |text: &str| {
            let value = text.parse::<f64>().ok().filter(|n| n.is_finite());
            value
                .map(|value| Level { value, unit: LevelUnit::Number })
                .ok_or_else(|| format!("is no level; write {WANT}"))
        };
        match value {
            DeValue::Integer(n) => number(n.as_str()),
            DeValue::Float(n) => number(n.as_str()),
            DeValue::String(text) => quantity(text).ok_or_else(|| format!("is no level; write {WANT}")),
            other => Err(format!("is {}; write {WANT}", article(other))),
        }
    })
}

fn quantity(text: &str) -> Option<Level> {
    let level = |value, unit| Some(Level { value, unit });
    if let Ok(Share(share)) = text.parse::<Share>() {
        return level(f64::from(share) / 10_000.0, LevelUnit::Share);
    }
    if let Ok(Rate { count, period }) = text.parse::<Rate>() {
        return level(f64::from(count) / period.as_secs_f64(), LevelUnit::Rate);
    }
    if let Ok(Bytes(bytes)) = text.parse::<Bytes>() {
        return level(bytes as f64, LevelUnit::Bytes);
    }
    parse_duration(text).ok().and_then(|time: Duration| level(time.as_secs_f64(), LevelUnit::Duration))
}
