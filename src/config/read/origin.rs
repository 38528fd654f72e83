//! The keys of `[origin]`.

use crate::config::kind::{Kind, choice, duration, flag, list, rate, whole};
use crate::config::place::origin_address;
use crate::config::section::{Section, When};
use crate::config::settings::{Eject, Health, Origin};
use crate::config::words::{BALANCES, PROTOCOLS};
use serde_json::json;

pub(super) fn origin(s: &mut Section<'_, '_>) -> Origin {
    let doc = "The primary group: addresses, names (resolved again and again), or \"demo\", the built-in demo service.";
    Origin {
        addresses: s.required("addresses", list(origin_address()), doc, When::Live).unwrap_or_default(),
        fallback: s.live("fallback", list(origin_address()), "[]", "Used while no primary endpoint is healthy."),
        protocol: s.live(
            "protocol",
            choice(PROTOCOLS),
            r#""http1""#,
            "What the origin speaks: HTTP/1.1, or HTTP/2 without TLS by prior knowledge (gRPC).",
        ),
        balance: s.live("balance", choice(BALANCES), r#""least-connections""#, "How an endpoint is chosen."),
        capacity: s.live(
            "capacity",
            rate(),
            r#""500/s""#,
            "What the origin can bear, all endpoints together; measure it, then write a little less.",
        ),
        max_in_flight: s.live(
            "max_in_flight",
            whole(1..=1_000_000),
            "512",
            "The most requests in flight to the origin.",
        ),
        connect_timeout: s.live(
            "connect_timeout",
            duration("10ms", "1m"),
            r#""2s""#,
            "For a connection to an endpoint.",
        ),
        read_timeout: s.live(
            "read_timeout",
            duration("10ms", "1d"),
            r#""60s""#,
            "Longest silence of the origin, before and inside a response.",
        ),
        queue_timeout: s.live(
            "queue_timeout",
            duration("0s", "10s"),
            r#""300ms""#,
            "How long a request may wait in line for capacity before it is refused; the origin never gets more than its capacity.",
        ),
        write_timeout: s.live(
            "write_timeout",
            duration("10ms", "1h"),
            r#""30s""#,
            "Longest time the origin may take no bytes of a request.",
        ),
        idle_timeout: s.live(
            "idle_timeout",
            duration("0s", "1h"),
            r#""60s""#,
            "How long an unused connection to the origin is kept; shorter than the origin's own keep-alive.",
        ),
        retries: s.live("retries", whole(0..=5), "1", "How often another endpoint is tried where that is safe."),
        resolve_interval: s.live(
            "resolve_interval",
            duration("1s", "1h"),
            r#""10s""#,
            "How often names are resolved again.",
        ),
        health: s.table("health", "Active checks of every endpoint.", health),
        eject: s.table("eject", "Endpoints taken out by failures of real requests.", eject),
    }
}

fn health(s: &mut Section<'_, '_>) -> Health {
    Health {
        enabled: s.live("enabled", flag(), "false", "Whether endpoints are checked."),
        path: s.live("path", request_path(), r#""/""#, "What is fetched; any 2xx or 3xx answer is healthy."),
        interval: s.live("interval", duration("100ms", "1h"), r#""5s""#, "Time between checks."),
        timeout: s.live("timeout", duration("10ms", "10m"), r#""2s""#, "For one check."),
        healthy_after: s.live(
            "healthy_after",
            whole(1..=100),
            "2",
            "Good checks in a row that bring an endpoint back.",
        ),
        unhealthy_after: s.live("unhealthy_after", whole(1..=100), "3", "Bad checks in a row that take it out."),
    }
}

fn eject(s: &mut Section<'_, '_>) -> Eject {
    Eject {
        after: s.live(
            "after",
            whole(0..=10_000),
            "5",
            "Failures in a row (no connection, no answer, a broken answer) that take an endpoint out; 0 turns it off.",
        ),
        duration: s.live("duration", duration("100ms", "1h"), r#""10s""#, "For how long."),
    }
}

fn request_path() -> Kind<String> {
    const WANT: &str = "a path such as \"/healthz\"";
    let schema = json!({"type": "string", "pattern": "^/[!-~]*$", "maxLength": 1024});
    Kind::string("path", WANT, schema, |text| {
        let sound = text.starts_with('/') && text.len() <= 1024 && text.bytes().all(|b| b.is_ascii_graphic());
        if sound { Ok(text.to_owned()) } else { Err(format!("is not a path; write {WANT}")) }
    })
}
