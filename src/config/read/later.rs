//! Tables that a later version fills: their keys are read and checked, so that a config can be ready for it.

use super::shared::{name, url};
use crate::config::kind::{Kind, flag};
use crate::config::place::socket;
use crate::config::section::Section;
use serde_json::json;

pub(super) fn later(s: &mut Section<'_, '_>) {
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

fn netflow_version() -> Kind<()> {
    Kind::scalar("9 or 10", "9 or 10", json!({"enum": [9, 10]}), |value| match value.as_integer() {
        Some(number) if matches!(number.as_str(), "9" | "10") => Ok(()),
        _ => Err("is no version that is known; write 9 or 10".to_owned()),
    })
}
