//! A status for tests of whoever shows one.

use super::*;

/// A picture with something in every part, for tests of whoever shows it.
pub(crate) fn fixture() -> Status {
    let reason = |reason: &'static str, class: &'static str, count| ReasonCount {
        reason: reason.into(),
        class: class.into(),
        text: "in words".into(),
        count,
    };
    Status {
        version: "0.1.0".into(),
        identity: Identity { task: "158d1c80".into(), cluster: Some("edge".into()), ..Identity::default() },
        phase: Phase::Serving,
        started: "2024-02-29T12:00:00.000Z".into(),
        uptime_s: 61.5,
        listen: vec!["http 127.0.0.1:8080".into()],
        config: ConfigStatus {
            path: "config/weir.toml".into(),
            hash: "1a2b3c4d".into(),
            loaded: "2024-02-29T12:00:00.000Z".into(),
            reloads: 2,
            reloads_failed: 1,
            refused: None,
            needs_restart: vec!["listen.http".into()],
            changes: vec!["limit[login].rate: 30/m -> 60/m".into()],
            source: Some(crate::control::source::fixture()),
        },
        notes: vec!["all clients share one key".into()],
        requests: vec![reason("forwarded", "forward", 1_000), reason("limit", "refuse", 9)],
        responses: vec![ResponseCount { class: "2xx".into(), by: "origin".into(), count: 990 }],
        limits: vec![limit()],
        table_bytes: 8_192,
        in_flight: 4,
        connections: 5,
        connections_total: 600,
        bytes_in: 7,
        bytes_out: 8,
        bans: crate::control::bans::fixture(),
        guardduty: Some(GuardDutyStatus { received: 9, acted: 2, poison: 1, ..GuardDutyStatus::default() }),
        aviatrix: Some(crate::control::aviatrix::fixture()),
        smartgroup: Some(crate::sink::smartgroup::fixture()),
        waf: Some(crate::sink::waf::status::fixture()),
        cloudwatch: Some(crate::sink::cloudwatch::status::fixture()),
        fleet: Some(crate::sink::fleet::fixture()),
        flood: crate::control::flood::fixture().status,
        origin: origin(),
        alerts: crate::control::alert::fixture().0,
        alerts_told: crate::control::alert::fixture().1,
        log: LogStatus { written: 10, lost: 1, suppressed: 2, dropped: 3, news_dropped: 4 },
        outlets: vec![OutletStatus {
            name: "syslog".into(),
            to: "tls://192.0.2.1:6514".into(),
            sent: 11,
            lost: 12,
            waiting_bytes: 13,
            failing: Some("the collector took nothing for 30s".into()),
            failing_for_s: Some(61.0),
        }],
    }
}

fn limit() -> LimitStatus {
    LimitStatus {
        name: "login".into(),
        rate: "30/m".into(),
        burst: 10,
        key: "client".into(),
        covers: "POST /login".into(),
        action: "refuse".into(),
        enforce: 100.0,
        configured: Some(50.0),
        refused: 7,
        observed: 3,
        slots: 1_024,
        table_bytes: 8_192,
    }
}

fn origin() -> OriginStatus {
    OriginStatus {
        capacity: "500/s".into(),
        max_in_flight: 512,
        endpoints: vec![EndpointView {
            address: "192.0.2.10:80".into(),
            name: Some("app.internal:80".into()),
            group: "primary".into(),
            healthy: true,
            ejected_for: None,
            in_flight: 3,
            requests: 1_000,
            failures: 2,
        }],
        latency: Latency { counts: vec![90, 9, 1], bounds_ms: vec![10, 100], sum_s: 1.5 },
    }
}
