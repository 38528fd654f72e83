//! Tables that a later version fills: their keys are read and checked, so that a config can be ready for it.

use crate::config::kind::{Kind, choice, flag, list};
use crate::config::place::socket;
use crate::config::section::Section;
use serde_json::json;

pub(super) fn later(s: &mut Section<'_, '_>) {
    sink(s, "waf", "Bans handed to AWS WAF. Not in this version.", |s| {
        const SCOPES: &[(&str, ())] = &[("regional", ()), ("cloudfront", ())];
        s.later("scope", choice(SCOPES), r#""regional""#, "Where the web ACL is.");
        s.later("ipv4_sets", list(name()), r#"["weir-ipv4-0"]"#, "Names of IPv4 sets that exist already.");
        s.later("ipv6_sets", list(name()), r#"["weir-ipv6-0"]"#, "Names of IPv6 sets that exist already.");
    });
    sink(s, "fleet", "Bans shared between tasks. Not in this version.", |s| {
        let doc = "The store; rediss:// for TLS.";
        s.later("url", url(&["redis", "rediss"]), r#""redis://127.0.0.1:6379""#, doc);
        s.later("name", name(), r#""production""#, "Who shares with whom.");
    });
    sink(s, "cloudwatch", "Metrics to CloudWatch. Not in this version.", |s| {
        s.later("namespace", name(), r#""weir""#, "Namespace of the metrics.");
    });
    sink(s, "syslog", "Events to a syslog collector. Not in this version.", |s| {
        s.later("address", url(&["udp", "tcp", "tls"]), r#""udp://127.0.0.1:514""#, "The collector.");
    });
    sink(s, "netflow", "Flows to a collector. Not in this version.", |s| {
        s.later("collector", socket(), r#""127.0.0.1:2055""#, "The collector.");
        s.later("version", netflow_version(), "9", "9, or 10 (IPFIX).");
    });
}

/// A table for a sink that this build does not have.
fn sink(s: &mut Section<'_, '_>, name: &'static str, doc: &'static str, keys: fn(&mut Section<'_, '_>)) {
    s.table(name, doc, |s| {
        if s.later("enabled", flag(), "false", "Whether it is used; this build cannot.") {
            let path = s.join("enabled");
            s.document().fault(&path, format!("cannot be had: this build has no {name} sink; write false"));
        }
        keys(s);
    });
}

fn name() -> Kind<String> {
    let schema = json!({"type": "string", "minLength": 1, "maxLength": 256});
    Kind::string("name", "a name", schema, |text| {
        let sound = (1..=256).contains(&text.len()) && !text.contains(char::is_control);
        if sound { Ok(text.to_owned()) } else { Err("cannot be a name; write 1 to 256 letters".to_owned()) }
    })
}

fn url(schemes: &'static [&'static str]) -> Kind<String> {
    let want = format!(
        "a URL that begins with {}",
        schemes.iter().map(|s| format!("{s}://")).collect::<Vec<_>>().join(" or ")
    );
    let message = want.clone();
    let schema = json!({"type": "string", "pattern": format!("^({})://.+", schemes.join("|"))});
    Kind::string("URL", want, schema, move |text| {
        let known = text.split_once("://").is_some_and(|(scheme, rest)| schemes.contains(&scheme) && !rest.is_empty());
        if known { Ok(text.to_owned()) } else { Err(format!("is not such a URL; write {message}")) }
    })
}

fn netflow_version() -> Kind<()> {
    Kind::scalar("9 or 10", "9 or 10", json!({"enum": [9, 10]}), |value| match value.as_integer() {
        Some(number) if matches!(number.as_str(), "9" | "10") => Ok(()),
        _ => Err("is no version that is known; write 9 or 10".to_owned()),
    })
}
