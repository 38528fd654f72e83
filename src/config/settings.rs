//! A checked config as plain values: every default filled in, every unit resolved, nothing left to doubt.

mod ban;
mod challenge;
mod secret;
mod shared;
mod signals;

pub use ban::{Ban, Threshold};
pub use challenge::{Challenge, Form};
pub use secret::{Secret, SecretPlace};
pub use shared::{FindingAction, Fleet, GuardDuty, Scope, Waf, WafScope, WafStep};
pub use signals::{
    Addresses, AlertRule, Alerts, Aviatrix, AviatrixAction, AviatrixReport, CloudWatch, Level, LevelUnit, Log,
    LogCloudWatch, LogFormat, LogTarget, MetricsWay, NetFlow, RecordKind, Severity, Side, SmartGroup, Syslog,
    Transport,
};

use crate::base::units::{Bytes, Rate, Share};
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The whole config of one weir.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where and how clients are heard.
    pub listen: Listen,
    /// Where operators are heard.
    pub admin: Admin,
    /// How the client behind a connection is known.
    pub client: Client,
    /// The service behind weir.
    pub origin: Origin,
    /// Who is always let through, and who never.
    pub lists: Lists,
    /// The limits, in the order in which they are tried.
    pub limits: Vec<Limit>,
    /// What is done against floods.
    pub flood: Flood,
    /// Who is turned away for a time.
    pub ban: Ban,
    /// Bans handed to AWS WAF.
    pub waf: Waf,
    /// Findings of AWS GuardDuty.
    pub guardduty: GuardDuty,
    /// What tasks share.
    pub fleet: Fleet,
    /// What a refused client gets to read.
    pub reply: Reply,
    /// The access log.
    pub log: Log,
    /// Metrics to CloudWatch.
    pub cloudwatch: CloudWatch,
    /// Records to a syslog collector.
    pub syslog: Syslog,
    /// Flows to a collector.
    pub netflow: NetFlow,
    /// What Aviatrix gateways say, and what they are told.
    pub aviatrix: Aviatrix,
    /// When somebody is told that something is wrong.
    pub alerts: Alerts,
}

/// `[listen]`: sockets, deadlines and bounds of the client side.
#[derive(Clone, Debug, PartialEq)]
pub struct Listen {
    /// Plain HTTP addresses.
    pub http: Vec<SocketAddr>,
    /// HTTP/2 without TLS, by prior knowledge, on the plain addresses.
    pub h2c: bool,
    /// For the whole request head, from its first byte.
    pub header_timeout: Duration,
    /// How long an idle connection is kept; must outlive the load balancer's idle timeout.
    pub keepalive_timeout: Duration,
    /// The largest request head.
    pub max_header_size: Bytes,
    /// The most header fields of a request.
    pub max_headers: u16,
    /// The largest request body.
    pub max_body_size: Bytes,
    /// The slowest average a body may arrive at, in bytes a second, once `body_grace` is over.
    pub min_body_rate: Bytes,
    /// How long a body may take before `min_body_rate` counts; also the longest silence inside a body.
    pub body_grace: Duration,
    /// The slowest average at which a client may take what waits for it, in bytes a second.
    pub min_send_rate: Bytes,
    /// How much waiting that average is taken over.
    pub send_grace: Duration,
    /// The most connections at once, all clients together.
    pub max_connections: u32,
    /// The most connections of one peer address that is not a trusted proxy.
    pub max_connections_per_client: u32,
    /// The most requests of one client in flight.
    pub max_in_flight_per_client: u32,
    /// HTTP/2 bounds.
    pub h2: H2,
    /// TLS, where weir itself ends it.
    pub tls: Option<Tls>,
    /// Worker threads; 0 stands for one a core.
    pub workers: u16,
    /// After SIGTERM: how long connections are still taken while `/readyz` says 503.
    pub drain_delay: Duration,
    /// After SIGTERM: when weir has exited at the latest.
    pub drain_timeout: Duration,
}

/// `[listen.h2]`: bounds of an HTTP/2 connection.
#[derive(Clone, Debug, PartialEq)]
pub struct H2 {
    /// The most streams open at once.
    pub max_streams: u32,
    /// The largest decoded header list.
    pub max_header_list: Bytes,
    /// The most streams that a client reset and weir has not yet forgotten; one more costs the connection.
    pub max_resets: u32,
}

/// `[listen.tls]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tls {
    /// TLS addresses; HTTP/1.1 and HTTP/2 by ALPN.
    pub address: Vec<SocketAddr>,
    /// PEM file with the certificate chain.
    pub certificate: PathBuf,
    /// PEM file with the private key.
    pub key: PathBuf,
}

/// `[admin]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Admin {
    /// Where the admin server listens.
    pub address: SocketAddr,
    /// The bearer token that `/api` and `/metrics` ask for; needed off loopback.
    pub token_file: Option<SecretPlace>,
    /// Which country a network is in, for the live page: a MaxMind database.
    pub country_database: Option<PathBuf>,
}

/// `[flood]`: what is done against floods.
#[derive(Clone, Debug, PartialEq)]
pub struct Flood {
    /// Whether floods are looked for; without it the limits and the origin's budget hold.
    pub enabled: bool,
    /// Who owns which network: a MaxMind database.
    pub asn_database: Option<PathBuf>,
    /// Where the history of good clients is kept.
    pub history: History,
    /// How clients prove themselves.
    pub challenge: Challenge,
}

/// `[flood.history]`.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The file that it is saved to and loaded from; none: it is lost at the end.
    pub file: Option<PathBuf>,
    /// How often it is saved.
    pub save_every: Duration,
}

/// Where the client's address is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressFrom {
    /// The connection's peer.
    Peer,
    /// `X-Forwarded-For`, from the right over trusted proxies.
    XForwardedFor,
    /// `CloudFront-Viewer-Address`, believed from trusted proxies.
    CloudFrontViewerAddress,
    /// The PROXY protocol header (version 1 or 2), demanded from trusted proxies.
    ProxyProtocol,
}

/// `[client]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    /// Where the client's address is read.
    pub address_from: AddressFrom,
    /// Whose word is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How many leading bits of an IPv6 address make one client.
    pub ipv6_prefix: u8,
}

/// One address of an origin, as written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OriginAddress {
    /// A fixed address.
    Socket(SocketAddr),
    /// A name, resolved again and again.
    Name {
        /// Host name.
        host: String,
        /// Port.
        port: u16,
    },
    /// The built-in demo service.
    Demo,
}

/// How an endpoint is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balance {
    /// The endpoint with the fewest requests in flight.
    LeastConnections,
    /// Each in turn.
    RoundRobin,
}

/// What the origin speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginProtocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2 without TLS, by prior knowledge (gRPC).
    H2c,
}

/// `[origin]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The primary group.
    pub addresses: Vec<OriginAddress>,
    /// Used while no primary endpoint is healthy.
    pub fallback: Vec<OriginAddress>,
    /// What the origin speaks.
    pub protocol: OriginProtocol,
    /// How an endpoint is chosen.
    pub balance: Balance,
    /// What the origin can bear.
    pub capacity: Rate,
    /// The most requests in flight to the origin.
    pub max_in_flight: u32,
    /// How long a request may wait in line for the origin's capacity.
    pub queue_timeout: Duration,
    /// For a connection to an endpoint.
    pub connect_timeout: Duration,
    /// Longest silence of the origin, before and inside a response.
    pub read_timeout: Duration,
    /// Longest time the origin may take no bytes of a request.
    pub write_timeout: Duration,
    /// How long an unused connection to the origin is kept.
    pub idle_timeout: Duration,
    /// How often another endpoint is tried where that is safe.
    pub retries: u8,
    /// How often names are resolved again.
    pub resolve_interval: Duration,
    /// Active health checks.
    pub health: Health,
    /// Passive ejection.
    pub eject: Eject,
}

/// `[origin.health]`: active checks.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// Whether endpoints are checked.
    pub enabled: bool,
    /// What is fetched; any 2xx or 3xx answer is healthy.
    pub path: String,
    /// Time between checks.
    pub interval: Duration,
    /// For one check.
    pub timeout: Duration,
    /// Good checks in a row that bring an endpoint back.
    pub healthy_after: u32,
    /// Bad checks in a row that take it out.
    pub unhealthy_after: u32,
}

/// `[origin.eject]`: failures of real requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Eject {
    /// Failures in a row (no connection, no answer, a broken answer) that take an endpoint out; 0 turns it off.
    pub after: u32,
    /// For how long.
    pub duration: Duration,
}

/// One entry of `[lists]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListEntry {
    /// A network.
    Net(IpNet),
    /// A file with one network or address a line; `#` starts a comment.
    File(PathBuf),
}

/// `[lists]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lists {
    /// Never limited, never denied.
    pub allow: Vec<ListEntry>,
    /// Always denied.
    pub deny: Vec<ListEntry>,
}

/// What a limit counts by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LimitKey {
    /// One bucket a client.
    Client,
    /// One bucket a network.
    Prefix {
        /// Leading bits of IPv4.
        ipv4: u8,
        /// Leading bits of IPv6.
        ipv6: u8,
    },
    /// One bucket a value of this request header (lower case); the client where the header is absent.
    Header(String),
    /// One bucket for all requests that match.
    Route,
}

/// What happens to a request over a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// 429.
    Refuse,
    /// Counted and let through.
    Observe,
    /// The connection is closed without a reply.
    Close,
}

/// A path pattern of a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathPattern {
    /// This path.
    Exact(String),
    /// Every path that begins so (written with a `*` at the end).
    Prefix(String),
}

impl PathPattern {
    /// Whether `path` is meant.
    pub fn covers(&self, path: &[u8]) -> bool {
        match self {
            Self::Exact(exact) => exact.as_bytes() == path,
            Self::Prefix(start) => path.starts_with(start.as_bytes()),
        }
    }
}

/// `[[limit]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// Unique name; a reload keeps the counters of a limit whose name stays.
    pub name: String,
    /// Paths it covers; empty covers all.
    pub paths: Vec<PathPattern>,
    /// Methods it covers (upper case); empty covers all.
    pub methods: Vec<String>,
    /// The steady rate.
    pub rate: Rate,
    /// How many at once after a pause.
    pub burst: u32,
    /// What it counts by.
    pub key: LimitKey,
    /// What happens over the limit.
    pub action: Action,
    /// The share of clients for whom the action is more than `observe`: the same clients each time.
    pub enforce: Share,
    /// How many keys in debt the limit can tell apart, 8 bytes each.
    pub slots: u32,
    /// Over what it counts.
    pub scope: Scope,
}

/// `[reply]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// HTML file by status.
    pub page: BTreeMap<u16, PathBuf>,
    /// `application/problem+json` file by status.
    pub problem: BTreeMap<u16, PathBuf>,
}
