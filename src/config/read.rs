//! Every key of the config: its name, kind, default and meaning, each said once, here and in the files below.

mod alert;
mod aviatrix;
mod ban;
mod challenge;
mod flood;
mod limit;
mod origin;
mod shared;
mod signals;

use super::document::Document;
use super::kind::{byte_rate, choice, duration, flag, list, size, whole};
use super::place::{file, files_by_status, list_entry, network, secret_place, socket};
use super::section::{Node, Section, Shape, When};
use super::settings::{Admin, Alerts, Client, H2, Listen, Lists, Reply, Settings, Tls};
use super::words::ADDRESS_SOURCES;
use crate::base::units::Bytes;
use std::time::Duration;
use toml::de::DeTable;

/// Reads `document`, says what is wrong with single values, and gives the defaults for those.
pub(super) fn read(document: &mut Document<'_>) -> Settings {
    let mut root = Section::root(document, false);
    let settings = config(&mut root);
    root.finish();
    settings
}

/// Every key there is.
pub(super) fn describe() -> Vec<Node> {
    let empty = DeTable::new();
    let mut document = Document::new("", &empty, "".as_ref());
    let mut root = Section::root(&mut document, true);
    config(&mut root);
    root.finish()
}

/// The table in which `key` would be known.
pub(super) fn home_of(key: &str) -> Option<String> {
    fn search(nodes: &[Node], path: &str, key: &str) -> Option<String> {
        nodes.iter().find_map(|node| match &node.shape {
            Shape::Value { .. } => (node.name == key).then(|| path.to_owned()),
            Shape::Table(nodes) | Shape::Tables(nodes, _) => {
                let dot = if path.is_empty() { "" } else { "." };
                search(nodes, &format!("{path}{dot}{}", node.name), key)
            }
        })
    }
    search(&describe(), "", key)
}

fn config(s: &mut Section<'_, '_>) -> Settings {
    let settings = Settings {
        listen: s.table("listen", "Sockets, deadlines and bounds of the client side.", listen),
        admin: s.table("admin", "Where operators are heard.", admin),
        client: s.table("client", "How the client behind a connection is known.", client),
        origin: s.table("origin", "The service behind weir.", origin::origin),
        lists: s.table("lists", "Who is always let through, and who never.", lists),
        limits: s.tables("limit", limit::MOST, "A limit; several are tried in their order.", limit::limit),
        flood: s.table("flood", "What is done against floods.", flood::flood),
        ban: s.table("ban", "Who is turned away for a time. A time-out for repeated offences, step by step.", ban::ban),
        waf: s.table("waf", "Bans handed to AWS WAF, which then refuses at the load balancer.", shared::waf),
        guardduty: s.table("guardduty", "Findings of AWS GuardDuty, from an SQS queue.", shared::guardduty),
        fleet: s.table("fleet", "What the tasks of one fleet share, through Valkey or Redis.", shared::fleet),
        reply: s.table("reply", "What a refused client gets to read, in place of the built-in texts.", reply),
        log: s.table("log", "The ingress log: requests, refusals, bans, changes of state.", signals::log),
        cloudwatch: s.table("cloudwatch", "Metrics to CloudWatch.", signals::cloudwatch),
        syslog: s.table("syslog", "Records to a syslog collector (RFC 5424).", signals::syslog),
        netflow: s.table("netflow", "Flows of requests to a NetFlow or IPFIX collector.", signals::netflow),
        aviatrix: s.table(
            "aviatrix",
            "What Aviatrix gateways report, and a SmartGroup of offenders.",
            aviatrix::aviatrix,
        ),
        alerts: s.table("alerts", "Who is told when something is wrong.", alert::alerts),
    };
    let rules = s.tables("alert", alert::MOST, "A rule of what is wrong.", alert::rule);
    let alerts = Alerts { rules, ..settings.alerts };
    Settings { alerts, ..settings }
}

fn min_send_rate(s: &mut Section<'_, '_>) -> Bytes {
    s.live(
        "min_send_rate",
        byte_rate("0B/s", "1GiB/s"),
        r#""1KiB/s""#,
        "The slowest average at which a client may take what waits for it, over send_grace; one that takes less is \
         cut. 0B/s sets no floor.",
    )
}

fn send_grace(s: &mut Section<'_, '_>) -> Duration {
    s.live(
        "send_grace",
        duration("100ms", "10m"),
        r#""30s""#,
        "How much waiting the average of min_send_rate is taken over; only time in which bytes wait for the client \
         counts. A third of it while connections or requests in flight are near their caps.",
    )
}

fn listen(s: &mut Section<'_, '_>) -> Listen {
    Listen {
        http: s.start("http", list(socket()), r#"["0.0.0.0:8080"]"#, "Plain HTTP addresses."),
        h2c: s.start("h2c", flag(), "false", "HTTP/2 without TLS, by prior knowledge, on the plain addresses."),
        header_timeout: s.live(
            "header_timeout",
            duration("100ms", "10m"),
            r#""10s""#,
            "For the whole request head, from its first byte; ends clients that drip it.",
        ),
        keepalive_timeout: s.live(
            "keepalive_timeout",
            duration("1s", "1h"),
            r#""75s""#,
            "How long an idle connection is kept. Must outlive the load balancer's idle timeout (60s on an ALB), \
             or a request may meet a connection that is just being closed.",
        ),
        max_header_size: s.live("max_header_size", size("1KiB", "1MiB"), r#""32KiB""#, "The largest request head."),
        max_headers: s.live("max_headers", whole(1..=1000), "100", "The most header fields of a request."),
        max_body_size: s.live("max_body_size", size("0B", "1024GiB"), r#""10MiB""#, "The largest request body."),
        min_body_rate: s.live(
            "min_body_rate",
            byte_rate("0B/s", "1GiB/s"),
            r#""1KiB/s""#,
            "The slowest average a body may arrive at, once body_grace is over; 0B/s sets no floor.",
        ),
        body_grace: s.live(
            "body_grace",
            duration("100ms", "10m"),
            r#""10s""#,
            "How long a body may take before min_body_rate counts; also the longest silence inside a body \
             (over HTTP/2 that is origin.read_timeout).",
        ),
        min_send_rate: min_send_rate(s),
        send_grace: send_grace(s),
        max_connections: s.live(
            "max_connections",
            whole(1..=10_000_000),
            "20000",
            "The most connections at once, all clients together. Above 80 % of them idle ones are closed, oldest first.",
        ),
        max_connections_per_client: s.live(
            "max_connections_per_client",
            whole(1..=10_000_000),
            "256",
            "The most connections of one peer address that is not a trusted proxy.",
        ),
        max_in_flight_per_client: s.live(
            "max_in_flight_per_client",
            whole(1..=1_000_000),
            "128",
            "The most requests of one client in flight.",
        ),
        h2: s.table("h2", "Bounds of an HTTP/2 connection.", h2),
        tls: s.optional_table("tls", "TLS, where weir itself ends it. The files are read again when they change.", tls),
        workers: s.start("workers", whole(0..=1024), "0", "Worker threads; 0 stands for one a core."),
        drain_delay: s.live(
            "drain_delay",
            duration("0s", "10m"),
            r#""5s""#,
            "After SIGTERM: how long connections are still taken while /readyz says 503.",
        ),
        drain_timeout: s.live(
            "drain_timeout",
            duration("1s", "1h"),
            r#""25s""#,
            "After SIGTERM: when weir has exited at the latest. ECS kills a task after its stopTimeout, 30s by default.",
        ),
    }
}

fn h2(s: &mut Section<'_, '_>) -> H2 {
    H2 {
        max_streams: s.live("max_streams", whole(1..=10_000), "100", "The most streams open at once."),
        max_header_list: s.live(
            "max_header_list",
            size("1KiB", "1MiB"),
            r#""64KiB""#,
            "The largest decoded header list.",
        ),
        max_resets: s.live(
            "max_resets",
            whole(1..=10_000),
            "100",
            "The most streams that a client reset and weir has not yet forgotten; one more costs the connection.",
        ),
    }
}

fn tls(s: &mut Section<'_, '_>) -> Tls {
    let address = s.required("address", list(socket()), "TLS addresses; HTTP/1.1 and HTTP/2 by ALPN.", When::Start);
    let base = s.base();
    let certificate = s.required("certificate", file(base), "PEM file with the certificate chain.", When::Live);
    let key = s.required("key", file(base), "PEM file with the private key.", When::Live);
    Tls {
        address: address.unwrap_or_default(),
        certificate: certificate.unwrap_or_default(),
        key: key.unwrap_or_default(),
    }
}

fn admin(s: &mut Section<'_, '_>) -> Admin {
    let address = s.start(
        "address",
        socket(),
        r#""127.0.0.1:9901""#,
        "Where the admin server listens. Anything but loopback needs token_file.",
    );
    let doc = "The bearer token that /api and /metrics ask for: a file, or an environment variable as env:NAME.";
    let token_file = s.optional("token_file", secret_place(s.base()), doc, When::Start);
    let doc = "Which country a network is in, for the live page: a database in MaxMind's format, read at the start.";
    let country_database = s.optional("country_database", file(s.base()), doc, When::Start);
    Admin { address, token_file, country_database }
}

fn client(s: &mut Section<'_, '_>) -> Client {
    Client {
        address_from: s.live(
            "address_from",
            choice(ADDRESS_SOURCES),
            r#""x-forwarded-for""#,
            "Where the client's address is read: the connection's peer, X-Forwarded-For from the right over trusted \
             proxies, CloudFront-Viewer-Address, or the PROXY protocol header.",
        ),
        trusted_proxies: s.live(
            "trusted_proxies",
            list(network()),
            r#"["10.0.0.0/8", "127.0.0.0/8", "::1/128"]"#,
            "Whose word on the client's address is believed.",
        ),
        ipv6_prefix: s.live(
            "ipv6_prefix",
            whole(1..=128),
            "64",
            "How many leading bits of an IPv6 address make one client.",
        ),
    }
}

fn lists(s: &mut Section<'_, '_>) -> Lists {
    let base = s.base();
    Lists {
        allow: s.live("allow", list(list_entry(base)), "[]", "Never limited, never denied."),
        deny: s.live("deny", list(list_entry(base)), "[]", "Always denied, unless allowed."),
    }
}

fn reply(s: &mut Section<'_, '_>) -> Reply {
    let base = s.base();
    Reply {
        page: s.live("page", files_by_status(base), "{}", "HTML file by status, at most 64KiB."),
        problem: s.live(
            "problem",
            files_by_status(base),
            "{}",
            "File in application/problem+json by status, at most 64KiB.",
        ),
    }
}
