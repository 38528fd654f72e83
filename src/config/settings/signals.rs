//! What weir tells operators and collectors: `[cloudwatch]`, `[syslog]`, `[netflow]`, `[aviatrix]`, `[alerts]`, and the
//! parts of `[log]`.

use super::{Secret, SecretPlace};
use crate::base::units::{Bytes, Rate, Share};
use ipnet::IpNet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Where the access log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// Nowhere.
    Off,
    /// Standard output.
    Stdout,
    /// A file, appended to.
    File(PathBuf),
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// Where the access log goes.
    pub access: LogTarget,
    /// How a line is written.
    pub format: LogFormat,
    /// How addresses are written.
    pub addresses: Addresses,
    /// The key that hashed addresses are made with, in all sinks.
    pub address_key: Option<Secret>,
    /// From which size on a file gives way to a new one; none at 0.
    pub rotate_size: Bytes,
    /// How many old files are kept.
    pub rotate_keep: u16,
    /// The most refusals logged.
    pub refused_rate: Rate,
    /// The share of forwarded requests logged.
    pub forwarded_sample: Share,
    /// The same records in CloudWatch Logs.
    pub cloudwatch: LogCloudWatch,
}

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// The columns of an ALB's access log; only requests have lines.
    Alb,
}

/// How a sink writes clients' addresses, which are personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// As they are.
    Whole,
    /// The network only: /24 of IPv4, /48 of IPv6.
    Truncated,
    /// A keyed hash: the same address gives the same text, and nobody without the key can tell which.
    Hashed,
}

/// `[log.cloudwatch]`: records to CloudWatch Logs by PutLogEvents.
#[derive(Clone, Debug, PartialEq)]
pub struct LogCloudWatch {
    /// Whether it is used.
    pub enabled: bool,
    /// The log group, which must exist.
    pub group: String,
    /// The stream; none: one named after the task. It is made where it is missing.
    pub stream: Option<String>,
    /// How addresses are written.
    pub addresses: Addresses,
}

/// `[cloudwatch]`: metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct CloudWatch {
    /// Whether it is used.
    pub enabled: bool,
    /// Namespace of the metrics.
    pub namespace: String,
    /// By which way they go.
    pub mode: MetricsWay,
    /// Dimension `Service`.
    pub service: String,
    /// Dimension `Environment`.
    pub environment: String,
    /// How often they are sent.
    pub interval: Duration,
    /// Whether what matters in an attack is kept by the second.
    pub high_resolution: bool,
}

/// By which way metrics go to CloudWatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsWay {
    /// PutMetricData.
    Api,
    /// Embedded metric format, lines on standard output.
    Emf,
}

/// `[syslog]`: records to a collector, RFC 5424.
#[derive(Clone, Debug, PartialEq)]
pub struct Syslog {
    /// Whether it is used.
    pub enabled: bool,
    /// `udp://`, `tcp://` or `tls://` with host and port.
    pub address: String,
    /// PEM certificates that the collector's is checked against; none: those of the system.
    pub ca_file: Option<PathBuf>,
    /// Facility, 0 to 23.
    pub facility: u8,
    /// APP-NAME.
    pub app_name: String,
    /// What is sent.
    pub records: Vec<RecordKind>,
    /// How addresses are written.
    pub addresses: Addresses,
}

/// A kind of record, as sinks choose among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// A request that went to the origin.
    Request,
    /// A request that weir refused.
    Refusal,
    /// A ban that began, was lifted or changed.
    Ban,
    /// A change of state: of the flood detector, the config, an alert.
    State,
}

/// `[netflow]`: flows to a collector.
#[derive(Clone, Debug, PartialEq)]
pub struct NetFlow {
    /// Whether it is used.
    pub enabled: bool,
    /// The collector, by UDP.
    pub collector: SocketAddr,
    /// NetFlow version 9 or IPFIX (10).
    pub version: u8,
    /// Source ID, or observation domain.
    pub domain: u32,
    /// How often templates are sent again.
    pub template_interval: Duration,
    /// How addresses are written; never hashed.
    pub addresses: Addresses,
}

/// `[aviatrix]`: what gateways say, and what they are told.
#[derive(Clone, Debug, PartialEq)]
pub struct Aviatrix {
    /// Where their syslog is heard: `udp://ADDRESS:PORT` and `tcp://…`; empty: nowhere.
    pub listen: Vec<(Transport, SocketAddr)>,
    /// Who may send.
    pub sources: Vec<IpNet>,
    /// What a report of a client leads to.
    pub action: AviatrixAction,
    /// How long a ban for a report lasts.
    pub duration: Duration,
    /// Which reports are acted on.
    pub act_on: Vec<AviatrixReport>,
    /// The SmartGroup of offenders.
    pub smartgroup: SmartGroup,
}

/// What carries syslog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A datagram a message.
    Udp,
    /// A stream of messages.
    Tcp,
}

/// What a report of a gateway leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AviatrixAction {
    /// It is counted and shown.
    Observe,
    /// One step up the ladder.
    Suspect,
    /// A ban of its own lifetime.
    Ban,
}

/// A kind of report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AviatrixReport {
    /// A denied flow of microsegmentation.
    Microseg,
    /// A flow that a gateway's rule dropped (`AvxRl … D:`).
    RuleDrop,
    /// A finding that the Controller acted on.
    GuardDuty,
    /// An alert of the intrusion detection (Suricata).
    Suricata,
    /// A denied request of the L7 proxy.
    L7,
}

/// `[aviatrix.smartgroup]`.
#[derive(Clone, Debug, PartialEq)]
pub struct SmartGroup {
    /// Whether it is used.
    pub enabled: bool,
    /// The Controller, `https://HOST`.
    pub controller: String,
    /// Who logs in.
    pub user: String,
    /// The password, read at each login.
    pub password_file: Option<SecretPlace>,
    /// PEM certificates that the Controller's is checked against; none: those of the system.
    pub ca_file: Option<PathBuf>,
    /// The group's name.
    pub name: String,
    /// The most networks in it.
    pub most: u16,
    /// The least time between two updates.
    pub interval: Duration,
}

/// `[alerts]` and `[[alert]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Alerts {
    /// Where alerts are posted as JSON.
    pub webhook: Option<String>,
    /// The key that posts are signed with.
    pub webhook_secret: Option<Secret>,
    /// PEM certificates that the webhook's is checked against; none: those of the system.
    pub webhook_ca_file: Option<PathBuf>,
    /// The SNS topic's ARN.
    pub sns_topic: Option<String>,
    /// How often an alert that lasts is told again.
    pub repeat_every: Duration,
    /// Whether the built-in rules hold beside those written.
    pub defaults: bool,
    /// The rules written.
    pub rules: Vec<AlertRule>,
}

/// One `[[alert]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertRule {
    /// Unique name; one of a built-in rule takes its place.
    pub name: String,
    /// What is watched: a signal, or a metric.
    pub signal: String,
    /// Which side of the level is bad.
    pub side: Side,
    /// The level.
    pub level: Level,
    /// For how long it must be bad.
    pub hold: Duration,
    /// How bad it is.
    pub severity: Severity,
    /// Whether the rule holds.
    pub enabled: bool,
}

/// Which side of a level is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// More than it.
    Above,
    /// Less than it.
    Below,
}

/// A level with its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// In the unit's base: a share from 0 to 1, seconds, bytes, a second, or a plain number.
    pub value: f64,
    /// What it is written in.
    pub unit: LevelUnit,
}

/// What a level is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LevelUnit {
    /// `2`.
    Number,
    /// `"2%"`.
    Share,
    /// `"500ms"`.
    Duration,
    /// `"64MiB"`.
    Bytes,
    /// `"100/s"`.
    Rate,
}

/// How bad an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// To be looked at today.
    Warning,
    /// To be looked at now.
    Critical,
}
