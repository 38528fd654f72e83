//! Every metric there is: the one table that code and docs/metrics.md are made from.

use metrics::Unit;

/// What Prometheus takes a metric for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by bucket.
    Histogram,
}

impl Kind {
    /// As written in the exposition format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric.
#[derive(Debug, PartialEq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// What it counts in.
    pub unit: Unit,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it means, on one line.
    pub help: &'static str,
}

macro_rules! metrics {
    ($($id:ident = $name:literal, $kind:ident, $unit:ident, [$($label:literal),*], $help:literal;)*) => {
        $(#[doc = $help] pub const $id: Metric = Metric {
            name: $name, kind: Kind::$kind, unit: Unit::$unit, labels: &[$($label),*], help: $help,
        };)*

        /// All of them.
        pub const ALL: &[Metric] = &[$($id),*];
    };
}

metrics! {
    BUILD_INFO = "weir_build_info", Gauge, Count, ["version"], "always 1; which version runs";
    CONFIG_INFO = "weir_config_info", Gauge, Count, ["hash"], "always 1; which config is in force";
    UPTIME = "weir_uptime_seconds", Gauge, Seconds, [], "for how long weir has run";
    READY = "weir_ready", Gauge, Count, [], "1 while weir takes requests, 0 before and while it drains";
    REQUESTS = "weir_requests_total", Counter, Count, ["reason", "class"], "requests by how they ended; class is forward, refuse, fault, gone or own";
    RESPONSES = "weir_responses_total", Counter, Count, ["class", "by"], "responses by the class of their status, 1xx to 5xx; by is origin or weir";
    LIMIT_REFUSED = "weir_limit_refused_total", Counter, Count, ["limit"], "requests that a limit refused";
    LIMIT_OBSERVED = "weir_limit_observed_total", Counter, Count, ["limit"], "requests that a limit would have refused, had it been enforced for them";
    TABLE_BYTES = "weir_table_bytes", Gauge, Bytes, ["limit"], "memory of a limit's table, fixed while its slots stay";
    IN_FLIGHT = "weir_in_flight", Gauge, Count, [], "requests in flight";
    CONNECTIONS = "weir_connections", Gauge, Count, [], "connections of clients open now";
    CONNECTIONS_TOTAL = "weir_connections_total", Counter, Count, [], "connections of clients ever taken";
    BODY_BYTES = "weir_body_bytes_total", Counter, Bytes, ["direction"], "body bytes passed on (in) and back (out)";
    FLOOD_STATE = "weir_flood_state", Gauge, Count, ["state"], "1 for the flood's state, 0 for the others";
    FLOOD_CHANGES = "weir_flood_changes_total", Counter, Count, ["to", "cause"], "changes of the flood's state, by what it came to be and why";
    FLOOD_OFFERED = "weir_flood_offered", Gauge, Count, [], "requests offered in the last second: those that passed the limits";
    FLOOD_CAPACITY = "weir_flood_capacity", Gauge, Count, [], "what the origin can bear in a second";
    FLOOD_USUAL = "weir_flood_usual", Gauge, Count, [], "requests that are usual in a second";
    FLOOD_ADMITTED = "weir_flood_admitted_ratio", Gauge, Count, [], "the share of clients not known that is admitted; below 1 in an overload";
    FLOOD_CLIENTS = "weir_flood_clients", Gauge, Count, ["seen"], "different clients within ten seconds; seen is yes or no: whether they were here before";
    FLOOD_MISSED = "weir_flood_missed_ticks_total", Counter, Count, [], "ticks of the detector that came too late and were left out";
    FLOOD_BYTES = "weir_flood_bytes", Gauge, Bytes, ["part"], "memory, fixed; part is offenders (lists, sketches, samples) or rest";
    BY_RANK = "weir_requests_by_rank_total", Counter, Count, ["rank", "outcome"], "requests that passed the limits, by their client's rank; outcome is forwarded, refused or challenged";
    KNOWN = "weir_known_requests_total", Counter, Count, ["outcome"], "requests of good clients (ranks credited and seen) that passed the limits; outcome is forwarded, refused or challenged";
    BY_CLASS = "weir_requests_by_class_total", Counter, Count, ["class"], "requests that passed the limits, by what they ask for";
    CHALLENGES = "weir_challenges_total", Counter, Count, ["result"], "clients that were asked for a cookie; result is solved or unsolved";
    HISTORY = "weir_history_entries", Gauge, Count, ["level"], "known clients and networks at the last sweep; level is client, credited, net24 or net16";
    HISTORY_DROPPED = "weir_history_dropped_total", Counter, Count, [], "newcomers that the history had no room for";
    ORIGIN_LATENCY = "weir_origin_latency_seconds", Histogram, Seconds, [], "from the whole request head to the origin's first byte";
    ENDPOINT_UP = "weir_origin_endpoint_up", Gauge, Count, ["endpoint", "group"], "1 while an endpoint of the origin is healthy and not ejected";
    ENDPOINT_IN_FLIGHT = "weir_origin_endpoint_in_flight", Gauge, Count, ["endpoint", "group"], "requests in flight to an endpoint";
    ENDPOINT_REQUESTS = "weir_origin_endpoint_requests_total", Counter, Count, ["endpoint", "group"], "requests sent to an endpoint";
    ENDPOINT_FAILURES = "weir_origin_endpoint_failures_total", Counter, Count, ["endpoint", "group"], "requests that an endpoint failed: no connection, no answer, a broken answer";
    BANS = "weir_bans", Gauge, Count, [], "bans that hold now";
    BANS_PAUSED = "weir_bans_paused", Gauge, Count, [], "1 while the ladder of bans is paused or off: none of its bans holds";
    BANS_ADDED = "weir_bans_added_total", Counter, Count, ["kind"], "steps of the ban ladder by offence, bans of networks (members), by hand (operator) and by findings (guardduty, aviatrix)";
    BAN_SUSPECTS_DROPPED = "weir_ban_suspects_dropped_total", Counter, Count, [], "suspects that found their queue full";
    BAN_SUSPECTS_SPARED = "weir_ban_suspects_spared_total", Counter, Count, [], "suspects that may not be banned: on a list, a proxy, the origin, or nobody may now";
    BAN_SUSPECTS_CAPPED = "weir_ban_suspects_capped_total", Counter, Count, [], "suspects that had to wait for ban.max_per_minute";
    BAN_SUSPECTS_GIVEN_UP = "weir_ban_suspects_given_up_total", Counter, Count, [], "suspects that waited in vain, and bans that found the book full";
    BANS_EVICTED = "weir_bans_evicted_total", Counter, Count, [], "bans that had to go because the book was full";
    WAF_WRITER = "weir_waf_writer", Gauge, Count, [], "1 while this weir is the one that writes to AWS WAF";
    WAF_ENTRIES = "weir_waf_entries", Gauge, Count, ["set", "owner"], "networks in an IP set; owner is weir or others";
    WAF_CAPACITY = "weir_waf_capacity", Gauge, Count, ["set"], "how many networks an IP set can hold";
    WAF_SYNC_AGE = "weir_waf_sync_age_seconds", Gauge, Seconds, ["set"], "for how long what an IP set holds has not been checked";
    WAF_UPDATES = "weir_waf_updates_total", Counter, Count, [], "updates that AWS took";
    WAF_FAILURES = "weir_waf_failures_total", Counter, Count, ["kind"], "calls that failed; locked is a conflict with another writer, throttled too many calls";
    WAF_PENDING = "weir_waf_pending", Gauge, Count, [], "bans that shall be in a set and are not yet";
    WAF_EVICTED = "weir_waf_evictions_total", Counter, Count, [], "bans that lost or did not find their room in the sets";
    WAF_SENT = "weir_waf_sent_total", Counter, Count, [], "networks that AWS took";
    WAF_DELAY = "weir_waf_sent_delay_seconds", Gauge, Seconds, ["quantile"], "from detected to taken by AWS, of the last 1,000; quantile is 0.5, 0.95 or 1";
    FLEET_CONNECTED = "weir_fleet_connected", Gauge, Count, [], "1 while the fleet's store answers";
    FLEET_TASKS = "weir_fleet_tasks", Gauge, Count, [], "tasks of the fleet that live, as its leader counts them";
    FLEET_LEADS = "weir_fleet_leads", Gauge, Count, [], "1 while this task leads its fleet, and so writes to AWS WAF";
    FLEET_HEARD_AGE = "weir_fleet_heard_age_seconds", Gauge, Seconds, [], "the age of the newest thing that was heard of the fleet";
    FLEET_NEWS = "weir_fleet_news_total", Counter, Count, ["outcome"], "news of bans; outcome is sent, heard, dropped (late), spared (not to be banned here) or faulty";
    FLEET_CLIENTS = "weir_fleet_clients_total", Counter, Count, ["direction"], "clients with credit told to the fleet (out) and heard of (in)";
    FLEET_DELAY = "weir_fleet_delay_seconds", Histogram, Seconds, [], "from another task's sending of news to its being in force here, by both clocks";
    EVENTS_DROPPED = "weir_events_dropped_total", Counter, Count, [], "records of requests that found the event queue full";
    LOG_LINES = "weir_log_lines_total", Counter, Count, [], "lines written to the access log";
    LOG_LOST = "weir_log_lines_lost_total", Counter, Count, [], "lines that could not be written to the access log";
    LOG_SUPPRESSED = "weir_log_suppressed_total", Counter, Count, [], "requests without a line, by log.refused_rate and log.forwarded_sample";
    NEWS_DROPPED = "weir_news_dropped_total", Counter, Count, [], "bans and changes of state that found their queue to the sinks full";
    SINK_RECORDS = "weir_sink_records_total", Counter, Count, ["sink", "outcome"], "records of a sink of the ingress log; outcome is sent or lost";
    SINK_WAITING = "weir_sink_waiting_bytes", Gauge, Bytes, ["sink"], "what waits to be sent to a sink of the ingress log";
    SINK_UP = "weir_sink_up", Gauge, Count, ["sink"], "1 while a sink of the ingress log can be written to";
    RELOADS = "weir_config_reloads_total", Counter, Count, ["result"], "reloads of the config; result is accepted or refused";
    RELOAD_OK = "weir_config_last_reload_success", Gauge, Count, [], "1 unless the last reload was refused";
    CONFIG_FETCHES = "weir_config_fetches_total", Counter, Count, ["result"], "how often AWS was asked for the config; result is answered or failed";
    CONFIG_AGE = "weir_config_age_seconds", Gauge, Seconds, [], "for how long AWS has said nothing of the config in force";
    CONFIG_CACHED = "weir_config_from_cache", Gauge, Count, [], "1 while the config in force is the last good one on disk, as AWS was away";
    GUARDDUTY_MESSAGES = "weir_guardduty_messages_total", Counter, Count, ["outcome"], "messages of GuardDuty's queue; outcome is acted, passed, repeated, spared (addresses), postponed or poison";
    GUARDDUTY_FAILURES = "weir_guardduty_failures_total", Counter, Count, [], "calls of GuardDuty's queue that failed";
    GUARDDUTY_UP = "weir_guardduty_up", Gauge, Count, [], "1 while GuardDuty's queue can be read";
    AVIATRIX_LINES = "weir_aviatrix_lines_total", Counter, Count, ["outcome"], "lines of Aviatrix gateways; outcome is report, passed (of a known kind that reports nobody), unknown, foreign (not from aviatrix.sources), too-long or limited";
    AVIATRIX_REPORTS = "weir_aviatrix_reports_total", Counter, Count, ["kind", "outcome"], "reports of Aviatrix gateways; outcome is shown, banned, suspected, held, repeated, spared, local or postponed";
    SMARTGROUP_ENTRIES = "weir_smartgroup_entries", Gauge, Count, [], "networks that weir keeps in the SmartGroup";
    SMARTGROUP_AGE = "weir_smartgroup_sync_age_seconds", Gauge, Seconds, [], "for how long what the SmartGroup holds has not been checked";
    SMARTGROUP_FAILURES = "weir_smartgroup_failures_total", Counter, Count, [], "syncs of the SmartGroup that failed";
    CLOUDWATCH_DATUMS = "weir_cloudwatch_datums_total", Counter, Count, ["outcome"], "data for CloudWatch; outcome is sent, dropped (no room while it was away), unknown (no answer came, not sent again) or refused";
    CLOUDWATCH_FAILURES = "weir_cloudwatch_failures_total", Counter, Count, ["kind"], "requests to CloudWatch that failed; kind is throttled, denied, invalid, unavailable, unreachable or output";
    CLOUDWATCH_WAITING = "weir_cloudwatch_waiting", Gauge, Count, [], "data that wait to be sent to CloudWatch";
    CLOUDWATCH_AGE = "weir_cloudwatch_age_seconds", Gauge, Seconds, [], "for how long CloudWatch has taken nothing";
    ALERT_FIRING = "weir_alert_firing", Gauge, Count, ["alert"], "1 while an alert fires on this task, else 0";
    ALERTS_TOLD = "weir_alerts_told_total", Counter, Count, ["to", "outcome"], "messages of alerts; to is sns or webhook, outcome is told, failed (given up) or dropped (no room)";
    NEEDS_RESTART = "weir_config_needs_restart", Gauge, Count, [], "how many changed keys count only after a restart";
    NOTES = "weir_notes", Gauge, Count, [], "how many notes /api/status has for the operator, such as a key that all clients share";
    MEMORY = "process_resident_memory_bytes", Gauge, Bytes, [], "resident memory";
    OPEN_FDS = "process_open_fds", Gauge, Count, [], "open file descriptors";
    MAX_FDS = "process_max_fds", Gauge, Count, [], "the most file descriptors that may be open";
    CPU_SECONDS = "process_cpu_seconds_total", Counter, Seconds, [], "processor time used, whole seconds";
}

/// The metric of this name.
pub fn find(name: &str) -> Option<&'static Metric> {
    ALL.iter().find(|m| m.name == name)
}

/// docs/metrics.md.
pub fn reference() -> String {
    let mut page = String::from(
        "# Metrics\n\n`/metrics` on the admin address, in Prometheus' text format. This page is made from \
         `src/sink/metrics/names.rs` by a test; `UPDATE_DOCS=1 cargo test` writes it anew.\n\n\
         | metric | type | labels | meaning |\n|---|---|---|---|\n",
    );
    for m in ALL {
        let labels: Vec<_> = m.labels.iter().map(|l| format!("`{l}`")).collect();
        page += &format!("| `{}` | {} | {} | {} |\n", m.name, m.kind.name(), labels.join(", "), m.help);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_customs() {
        let names: std::collections::HashSet<_> = ALL.iter().map(|m| m.name).collect();
        assert_eq!(names.len(), ALL.len());
        for m in ALL {
            assert_eq!(m.name.ends_with("_total"), m.kind == Kind::Counter, "{}", m.name);
            assert!(!m.help.contains(['|', '\n']), "{}", m.name);
        }
    }

    #[test]
    fn the_reference_page_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, reference()).unwrap();
        }
        let page = std::fs::read_to_string(path).unwrap_or_default();
        assert!(page == reference(), "docs/metrics.md is stale: run UPDATE_DOCS=1 cargo test");
    }
}
