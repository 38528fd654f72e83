//! The keys of `[log]`, `[cloudwatch]`, `[syslog]` and `[netflow]`.

use super::shared::{built_with_aws, name, url};
use crate::config::kind::{Kind, choice, duration, flag, list, rate, share, size, whole};
use crate::config::place::{file, log_target, secret_file, socket};
use crate::config::section::{Section, When};
use crate::config::settings::{Addresses, CloudWatch, Log, LogCloudWatch, MetricsWay, NetFlow, Syslog};
use crate::config::words::{ADDRESSES, FACILITIES, LOG_FORMATS, METRICS_WAYS, RECORD_KINDS};
use serde_json::json;

pub(super) fn log(s: &mut Section<'_, '_>) -> Log {
    let base = s.base();
    let log = Log {
        access: s.live("access", log_target(base), r#""stdout""#, "Where the access log goes; a file is appended to."),
        format: s.live("format", choice(LOG_FORMATS), r#""json""#, "How a line is written: one JSON object, or the columns of an ALB's access log, in which only requests have lines."),
        addresses: addresses(s),
        address_key: s.optional("address_key_file", secret_file(base), "What hashed addresses are made with, in all sinks: a file with at least 32 random bytes, the same for all tasks.", When::Live),
        rotate_size: s.live("rotate_size", size("0B", "1024GiB"), r#""256MiB""#, "From which size on the file gives way to a new one; 0B: never."),
        rotate_keep: s.live("rotate_keep", whole(0..=1000), "4", "How many old files are kept, as FILE.1 (the newest), FILE.2 and so on."),
        refused_rate: s.live("refused_rate", rate(), r#""100/s""#, "The most refusals logged; the rest is counted."),
        forwarded_sample: s.live("forwarded_sample", share(), r#""1%""#, "The share of forwarded requests logged."),
        cloudwatch: s.table("cloudwatch", "The same records in CloudWatch Logs, by PutLogEvents.", log_cloudwatch),
    };
    hashed_needs_a_key(s, "addresses", log.addresses, &log);
    hashed_needs_a_key(s, "cloudwatch.addresses", log.cloudwatch.addresses, &log);
    log
}

fn hashed_needs_a_key(s: &mut Section<'_, '_>, key: &str, addresses: Addresses, log: &Log) {
    if addresses == Addresses::Hashed && log.address_key.is_none() && !s.has("address_key_file") {
        let path = s.join(key);
        s.document().fault(&path, "needs log.address_key_file, a file with at least 32 random bytes");
    }
}

fn addresses(s: &mut Section<'_, '_>) -> Addresses {
    s.live("addresses", choice(ADDRESSES), r#""whole""#, "How clients' addresses are written: whole, truncated (IPv4 to /24, IPv6 to /48), or hashed with address_key_file.")
}

fn log_cloudwatch(s: &mut Section<'_, '_>) -> LogCloudWatch {
    let enabled = s.start("enabled", flag(), "false", "Whether records go to CloudWatch Logs.");
    if enabled {
        built_with_aws(s);
    }
    LogCloudWatch {
        enabled,
        group: s.start(
            "group",
            stream_name(),
            r#""/weir/access""#,
            "The log group, which must exist; its retention is set there.",
        ),
        stream: s.optional(
            "stream",
            stream_name(),
            "The log stream, made where it is missing. None: the task's name.",
            When::Start,
        ),
        addresses: addresses(s),
    }
}

/// As CloudWatch Logs takes them; a stream has no `:` and no `*`.
fn stream_name() -> Kind<String> {
    const WANT: &str = "a name of 1 to 512 letters, digits and . - _ / #";
    let schema = json!({"type": "string", "pattern": "^[A-Za-z0-9._/#-]{1,512}$"});
    Kind::string("name", WANT, schema, |text| {
        let known = |b: u8| b.is_ascii_alphanumeric() || b"._/#-".contains(&b);
        let sound = (1..=512).contains(&text.len()) && text.bytes().all(known);
        if sound { Ok(text.to_owned()) } else { Err(format!("cannot be a name; write {WANT}")) }
    })
}

pub(super) fn cloudwatch(s: &mut Section<'_, '_>) -> CloudWatch {
    let cloudwatch = CloudWatch {
        enabled: s.start("enabled", flag(), "false", "Whether metrics go to CloudWatch."),
        namespace: s.start("namespace", name(), r#""weir""#, "Namespace of the metrics."),
        mode: s.start("mode", choice(METRICS_WAYS), r#""api""#, "api: PutMetricData. emf: embedded metric format, lines on standard output that CloudWatch Logs turns into metrics."),
        service: s.start("service", name(), r#""weir""#, "Dimension Service of every metric."),
        environment: s.start("environment", name(), r#""production""#, "Dimension Environment of every metric."),
        interval: s.start("interval", duration("1s", "5m"), r#""10s""#, "How often metrics are sent; the first time after a random part of it."),
        high_resolution: s.start("high_resolution", flag(), "true", "Whether what matters in an attack is kept by the second, not by the minute."),
    };
    if cloudwatch.enabled && cloudwatch.mode == MetricsWay::Api {
        built_with_aws(s);
    }
    cloudwatch
}

pub(super) fn syslog(s: &mut Section<'_, '_>) -> Syslog {
    let base = s.base();
    Syslog {
        enabled: s.start("enabled", flag(), "false", "Whether records go to the collector."),
        address: s.start(
            "address",
            url(&["udp", "tcp", "tls"]),
            r#""udp://127.0.0.1:514""#,
            "The collector: host and port after udp://, tcp:// or tls:// (both with octet counting).",
        ),
        ca_file: s.optional(
            "ca_file",
            file(base),
            "PEM certificates that the collector's certificate is checked against. None: those of the system.",
            When::Start,
        ),
        facility: s.start("facility", choice(FACILITIES), r#""local0""#, "Facility of every message."),
        app_name: s.start("app_name", app_name(), r#""weir""#, "APP-NAME of every message."),
        records: s.start(
            "records",
            list(choice(RECORD_KINDS)),
            r#"["refusal", "ban", "state"]"#,
            "What is sent: requests that went to the origin, refusals, bans, changes of state.",
        ),
        addresses: addresses(s),
    }
}

/// RFC 5424: 1 to 48 printable ASCII characters.
fn app_name() -> Kind<String> {
    const WANT: &str = "1 to 48 printable ASCII characters without spaces";
    let schema = json!({"type": "string", "pattern": "^[!-~]{1,48}$"});
    Kind::string("name", WANT, schema, |text| {
        let sound = (1..=48).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if sound { Ok(text.to_owned()) } else { Err(format!("cannot be a name; write {WANT}")) }
    })
}

pub(super) fn netflow(s: &mut Section<'_, '_>) -> NetFlow {
    let netflow = NetFlow {
        enabled: s.start("enabled", flag(), "false", "Whether flows go to the collector."),
        collector: s.start("collector", socket(), r#""127.0.0.1:2055""#, "The collector, by UDP."),
        version: s.start("version", netflow_version(), "9", "9 (NetFlow version 9), or 10 (IPFIX)."),
        domain: s.start(
            "domain",
            whole(0..=u64::from(u32::MAX)),
            "0",
            "Source ID, or observation domain; a collector tells exporters apart by it and their address.",
        ),
        template_interval: s.start(
            "template_interval",
            duration("1s", "1h"),
            r#""1m""#,
            "How often templates are sent again: a collector that starts late can read nothing without them.",
        ),
        addresses: addresses(s),
    };
    if netflow.addresses == Addresses::Hashed {
        let path = s.join("addresses");
        s.document()
            .fault(&path, "cannot be: a flow record has room for an address only; write \"whole\" or \"truncated\"");
    }
    netflow
}

fn netflow_version() -> Kind<u8> {
    Kind::scalar("9 or 10", "9 or 10", json!({"enum": [9, 10]}), |value| {
        match value.as_integer().map(toml::de::DeInteger::as_str) {
            Some("9") => Ok(9),
            Some("10") => Ok(10),
            _ => Err("is no version that is known; write 9 or 10".to_owned()),
        }
    })
}
