//! The status as Prometheus reads it.
//!
//! Every scrape fills a recorder of its own from the [`Status`] and renders it. So a limit or an endpoint that is
//! gone leaves no stale series behind, nothing is kept twice, and several weirs can live in one process.

pub mod names;
mod process;

use crate::control::bans::BanStatus;
use crate::control::flood::FloodStatus;
use crate::control::status::{Latency, Phase, Status};
use crate::flood::state::FloodState;
use crate::sink::fleet::{Delay, FleetStatus};
use crate::sink::waf::WafStatus;
use metrics::{Label, counter, describe_counter, describe_gauge, gauge, with_local_recorder};
use metrics_exporter_prometheus::PrometheusBuilder;
use names::{Kind, Metric};
use std::fmt::Write;

/// The text for one scrape.
pub fn render(status: &Status) -> String {
    let recorder = PrometheusBuilder::new().build_recorder();
    with_local_recorder(&recorder, || {
        describe();
        weir(status);
        traffic(status);
        origin(status);
        aws(status);
        bans(&status.bans);
        status.waf.iter().for_each(waf);
        status.fleet.iter().for_each(fleet);
        flood(&status.flood);
        process();
    });
    let mut text = recorder.handle().render();
    let Latency { counts, bounds_ms, sum_s } = &status.origin.latency;
    histogram(&mut text, &names::ORIGIN_LATENCY, counts, bounds_ms, *sum_s);
    if let Some(Delay { counts, bounds_ms, sum_ms }) = status.fleet.as_ref().map(|fleet| &fleet.delay) {
        histogram(&mut text, &names::FLEET_DELAY, counts, bounds_ms, *sum_ms as f64 / 1_000.0);
    }
    text
}

fn describe() {
    for m in names::ALL {
        match m.kind {
            Kind::Counter => describe_counter!(m.name, m.unit, m.help),
            Kind::Gauge => describe_gauge!(m.name, m.unit, m.help),
            Kind::Histogram => {}
        }
    }
}

fn weir(status: &Status) {
    set(&names::BUILD_INFO, &[&status.version], 1.0);
    set(&names::CONFIG_INFO, &[&status.config.hash], 1.0);
    set(&names::UPTIME, &[], status.uptime_s);
    set(&names::READY, &[], f64::from(u8::from(status.phase == Phase::Serving)));
    set(&names::NOTES, &[], status.notes.len() as f64);
    count(&names::RELOADS, &["accepted"], status.config.reloads);
    count(&names::RELOADS, &["refused"], status.config.reloads_failed);
    set(&names::RELOAD_OK, &[], f64::from(u8::from(status.config.refused.is_none())));
    set(&names::NEEDS_RESTART, &[], status.config.needs_restart.len() as f64);
    count(&names::EVENTS_DROPPED, &[], status.log.dropped);
    count(&names::LOG_LINES, &[], status.log.written);
    count(&names::LOG_LOST, &[], status.log.lost);
    count(&names::LOG_SUPPRESSED, &[], status.log.suppressed);
}

fn traffic(status: &Status) {
    for r in &status.requests {
        count(&names::REQUESTS, &[&r.reason, &r.class], r.count);
    }
    for limit in &status.limits {
        count(&names::LIMIT_REFUSED, &[&limit.name], limit.refused);
        count(&names::LIMIT_OBSERVED, &[&limit.name], limit.observed);
        set(&names::TABLE_BYTES, &[&limit.name], limit.table_bytes as f64);
    }
    set(&names::IN_FLIGHT, &[], status.in_flight as f64);
    set(&names::CONNECTIONS, &[], status.connections as f64);
    count(&names::CONNECTIONS_TOTAL, &[], status.connections_total);
    count(&names::BODY_BYTES, &["in"], status.bytes_in);
    count(&names::BODY_BYTES, &["out"], status.bytes_out);
}

fn origin(status: &Status) {
    for e in &status.origin.endpoints {
        let labels: [&str; 2] = [&e.address, &e.group];
        set(&names::ENDPOINT_UP, &labels, f64::from(u8::from(e.healthy && e.ejected_for.is_none())));
        set(&names::ENDPOINT_IN_FLIGHT, &labels, e.in_flight as f64);
        count(&names::ENDPOINT_REQUESTS, &labels, e.requests);
        count(&names::ENDPOINT_FAILURES, &labels, e.failures);
    }
}

fn aws(status: &Status) {
    if let Some(source) = &status.config.source {
        count(&names::CONFIG_FETCHES, &["answered"], source.fetches - source.failures.min(source.fetches));
        count(&names::CONFIG_FETCHES, &["failed"], source.failures);
        set(&names::CONFIG_AGE, &[], source.age_s);
        set(&names::CONFIG_CACHED, &[], f64::from(u8::from(source.from == "cache")));
    }
    if let Some(findings) = &status.guardduty {
        for (outcome, n) in [
            ("acted", findings.acted),
            ("passed", findings.passed),
            ("repeated", findings.repeated),
            ("spared", findings.spared),
            ("postponed", findings.postponed),
            ("poison", findings.poison),
        ] {
            count(&names::GUARDDUTY_MESSAGES, &[outcome], n);
        }
        count(&names::GUARDDUTY_FAILURES, &[], findings.failures);
        set(&names::GUARDDUTY_UP, &[], f64::from(u8::from(findings.failing.is_none())));
    }
}

fn bans(status: &BanStatus) {
    set(&names::BANS, &[], status.active as f64);
    set(&names::BANS_PAUSED, &[], f64::from(u8::from(status.paused || !status.enabled)));
    for added in &status.added {
        count(&names::BANS_ADDED, &[&added.kind], added.count);
    }
    count(&names::BAN_SUSPECTS_DROPPED, &[], status.suspects_dropped);
    count(&names::BAN_SUSPECTS_SPARED, &[], status.spared);
    count(&names::BAN_SUSPECTS_CAPPED, &[], status.capped);
    count(&names::BAN_SUSPECTS_GIVEN_UP, &[], status.given_up);
    count(&names::BANS_EVICTED, &[], status.evicted);
}

fn waf(status: &WafStatus) {
    set(&names::WAF_WRITER, &[], f64::from(u8::from(status.writer)));
    for of in &status.sets {
        set(&names::WAF_ENTRIES, &[&of.name, "weir"], of.ours as f64);
        set(&names::WAF_ENTRIES, &[&of.name, "others"], of.foreign as f64);
        set(&names::WAF_CAPACITY, &[&of.name], of.capacity as f64);
        of.age_s.iter().for_each(|age| set(&names::WAF_SYNC_AGE, &[&of.name], *age));
    }
    count(&names::WAF_UPDATES, &[], status.updates);
    status.failures.iter().for_each(|(kind, n)| count(&names::WAF_FAILURES, &[kind], *n));
    set(&names::WAF_PENDING, &[], status.pending as f64);
    count(&names::WAF_EVICTED, &[], status.evictions);
    count(&names::WAF_SENT, &[], status.sent.count);
    for (quantile, ms) in [("0.5", status.sent.p50_ms), ("0.95", status.sent.p95_ms), ("1", status.sent.max_ms)] {
        set(&names::WAF_DELAY, &[quantile], ms as f64 / 1_000.0);
    }
}

fn fleet(status: &FleetStatus) {
    set(&names::FLEET_CONNECTED, &[], f64::from(u8::from(status.connected)));
    set(&names::FLEET_TASKS, &[], status.tasks as f64);
    set(&names::FLEET_LEADS, &[], f64::from(u8::from(status.leads)));
    if let Some(age) = status.heard_age_s {
        set(&names::FLEET_HEARD_AGE, &[], age);
    }
    let FleetStatus { sent, heard, dropped, spared, faulty, .. } = *status;
    let news = [("sent", sent), ("heard", heard), ("dropped", dropped), ("spared", spared), ("faulty", faulty)];
    news.iter().for_each(|(outcome, number)| count(&names::FLEET_NEWS, &[outcome], *number));
    count(&names::FLEET_CLIENTS, &["out"], status.clients_sent);
    count(&names::FLEET_CLIENTS, &["in"], status.clients_heard);
}

fn flood(flood: &FloodStatus) {
    for state in FloodState::ALL {
        set(&names::FLOOD_STATE, &[state.name()], f64::from(u8::from(flood.state == state.name())));
    }
    for change in &flood.change_counts {
        count(&names::FLOOD_CHANGES, &[&change.to, &change.cause], change.count);
    }
    set(&names::FLOOD_OFFERED, &[], flood.offered);
    set(&names::FLOOD_CAPACITY, &[], flood.capacity);
    set(&names::FLOOD_USUAL, &[], flood.usual);
    set(&names::FLOOD_ADMITTED, &[], flood.admitted);
    set(&names::FLOOD_CLIENTS, &["no"], flood.unseen);
    set(&names::FLOOD_CLIENTS, &["yes"], flood.clients - flood.unseen);
    count(&names::FLOOD_MISSED, &[], flood.missed_ticks);
    set(&names::FLOOD_BYTES, &["offenders"], flood.offender_bytes as f64);
    set(&names::FLOOD_BYTES, &["rest"], (flood.bytes - flood.offender_bytes) as f64);
    for r in &flood.ranks {
        count(&names::BY_RANK, &[&r.rank, "forwarded"], r.forwarded_total);
        count(&names::BY_RANK, &[&r.rank, "refused"], r.refused_total);
        count(&names::BY_RANK, &[&r.rank, "challenged"], r.challenged_total);
    }
    for class in &flood.classes {
        count(&names::BY_CLASS, &[&class.class], class.total);
    }
    count(&names::CHALLENGES, &["solved"], flood.challenges.solved);
    count(&names::CHALLENGES, &["unsolved"], flood.challenges.unsolved);
    let history = &flood.history;
    let levels = [("client", history.clients), ("credited", history.credited), ("net24", history.net24)];
    for (level, entries) in levels.into_iter().chain([("net16", history.net16)]) {
        set(&names::HISTORY, &[level], f64::from(entries));
    }
    count(&names::HISTORY_DROPPED, &[], history.dropped);
}

fn process() {
    let seen = process::read();
    for (metric, value) in
        [(&names::MEMORY, seen.resident), (&names::OPEN_FDS, seen.open_fds), (&names::MAX_FDS, seen.max_fds)]
    {
        if let Some(value) = value {
            set(metric, &[], value as f64);
        }
    }
    if let Some(seconds) = seen.cpu_seconds {
        count(&names::CPU_SECONDS, &[], seconds);
    }
}

fn labels(metric: &Metric, values: &[&str]) -> Vec<Label> {
    debug_assert_eq!(metric.labels.len(), values.len(), "{}", metric.name);
    metric.labels.iter().zip(values).map(|(name, value)| Label::new(*name, (*value).to_owned())).collect()
}

fn count(metric: &Metric, values: &[&str], value: u64) {
    counter!(metric.name, labels(metric, values)).absolute(value);
}

fn set(metric: &Metric, values: &[&str], value: f64) {
    gauge!(metric.name, labels(metric, values)).set(value);
}

/// A histogram, written by hand: the exporter takes single samples only, and these are counts by bucket already.
fn histogram(text: &mut String, metric: &Metric, counts: &[u64], bounds_ms: &[u64], sum_s: f64) {
    let Metric { name, help, .. } = metric;
    let bounds = bounds_ms.iter().map(|ms| format!("{}", *ms as f64 / 1_000.0));
    let mut total = 0;
    // Writing to a string can't fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} histogram");
    for (count, bound) in counts.iter().zip(bounds.chain(["+Inf".to_owned()])) {
        total += count;
        let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {total}");
    }
    let _ = writeln!(text, "{name}_sum {}\n{name}_count {total}", sum_s);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::status::fixture;
    use std::collections::{BTreeMap, BTreeSet};

    /// A strict reader of the text format: families announced once, before their samples, labels well-formed.
    fn parse(text: &str) -> BTreeMap<String, f64> {
        let (mut kinds, mut helped, mut samples) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        for line in text.lines().filter(|l| !l.is_empty()) {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap();
                assert!(helped.insert(name.to_owned()) && !help.is_empty(), "{line}");
                continue;
            }
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert!(kinds.insert(name.to_owned(), kind.to_owned()).is_none(), "{line}");
                continue;
            }
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{line}");
            if let Some(labels) = series.strip_prefix(name).filter(|l| !l.is_empty()) {
                assert!(labels.starts_with('{') && labels.ends_with("\"}") && labels.contains("=\""), "{line}");
            }
            let family = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|s| name.strip_suffix(s).filter(|f| kinds.get(*f).is_some_and(|k| k == "histogram")));
            assert!(kinds.contains_key(family.unwrap_or(name)), "no TYPE before {line}");
            assert!(samples.insert(series.to_owned(), value.parse().unwrap()).is_none(), "twice: {line}");
        }
        assert_eq!(helped, kinds.keys().cloned().collect());
        samples
    }

    #[test]
    fn every_metric_of_the_table_is_rendered_and_no_other() {
        let text = render(&fixture());
        parse(&text);
        let rendered: BTreeSet<_> = text.lines().filter_map(|l| l.strip_prefix("# TYPE ")?.split(' ').next()).collect();
        assert_eq!(rendered, names::ALL.iter().map(|m| m.name).collect());
    }

    #[test]
    fn figures_come_out_as_they_went_in() {
        let mut status = fixture();
        status.limits[0].name = "a\"b\\c\nd".into();
        let samples = parse(&render(&status));
        assert_eq!(samples[r#"weir_limit_refused_total{limit="a\"b\\c\nd"}"#], 7.0);
        assert_eq!(samples[r#"weir_requests_total{reason="limit",class="refuse"}"#], 9.0);
        assert_eq!(samples["weir_config_last_reload_success"], 1.0);
        assert_eq!(samples[r#"weir_origin_endpoint_up{endpoint="192.0.2.10:80",group="primary"}"#], 1.0);
        assert_eq!(samples[r#"weir_origin_latency_seconds_bucket{le="0.01"}"#], 90.0);
        assert_eq!(samples[r#"weir_origin_latency_seconds_bucket{le="+Inf"}"#], 100.0);
        assert_eq!(samples["weir_origin_latency_seconds_count"], 100.0);
    }

    #[test]
    fn two_scrapes_do_not_add_up() {
        let (first, second) = (parse(&render(&fixture())), parse(&render(&fixture())));
        assert_eq!(first["weir_connections_total"], second["weir_connections_total"]);
    }
}
