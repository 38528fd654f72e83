//! The values of `[log]`, `[cloudwatch]`, `[syslog]`, `[netflow]`, `[aviatrix]` and `[alerts]`.

use super::{Change, Values, list};
use crate::base::units::show_duration;
use crate::config::settings::{AlertRule, Aviatrix, Secret, Settings, Side, Transport};
use crate::config::words::FACILITIES;
use ring::digest::{SHA256, digest};

impl Values {
    pub(super) fn signals(&mut self, settings: &Settings) {
        self.log(settings);
        let (cloudwatch, syslog, netflow) = (&settings.cloudwatch, &settings.syslog, &settings.netflow);
        self.within("cloudwatch", |out| {
            out.put("enabled", cloudwatch.enabled);
            out.put("namespace", &cloudwatch.namespace);
            out.put("mode", cloudwatch.mode);
            out.put("service", &cloudwatch.service);
            out.put("environment", &cloudwatch.environment);
            out.put_time("interval", cloudwatch.interval);
            out.put("high_resolution", cloudwatch.high_resolution);
        });
        self.within("syslog", |out| {
            out.put("enabled", syslog.enabled);
            out.put("address", &syslog.address);
            out.put_path("ca_file", syslog.ca_file.as_deref());
            out.put("facility", FACILITIES.iter().find(|(_, n)| *n == syslog.facility).map_or("", |(word, _)| word));
            out.put("app_name", &syslog.app_name);
            out.put("records", list(&syslog.records));
            out.put("addresses", syslog.addresses);
        });
        self.within("netflow", |out| {
            out.put("enabled", netflow.enabled);
            out.put("collector", netflow.collector);
            out.put("version", netflow.version);
            out.put("domain", netflow.domain);
            out.put_time("template_interval", netflow.template_interval);
            out.put("addresses", netflow.addresses);
        });
        self.within("aviatrix", |out| out.aviatrix(&settings.aviatrix));
        self.within("alerts", |out| {
            let alerts = &settings.alerts;
            out.put("webhook", alerts.webhook.as_deref().map(without_path).unwrap_or_default());
            out.put_place("webhook_secret_file", alerts.webhook_secret.as_ref().map(Secret::place));
            out.put_path("webhook_ca_file", alerts.webhook_ca_file.as_deref());
            out.put("sns_topic", alerts.sns_topic.as_deref().unwrap_or_default());
            out.put_time("repeat_every", alerts.repeat_every);
            out.put("defaults", alerts.defaults);
        });
    }

    fn log(&mut self, settings: &Settings) {
        let log = &settings.log;
        self.within("log", |out| {
            out.put("access", &log.access);
            out.put("format", log.format);
            out.put("addresses", log.addresses);
            out.put_place("address_key_file", log.address_key.as_ref().map(Secret::place));
            out.put("rotate_size", log.rotate_size);
            out.put("rotate_keep", log.rotate_keep);
            out.put("refused_rate", log.refused_rate);
            out.put("forwarded_sample", log.forwarded_sample);
            out.within("cloudwatch", |out| {
                out.put("enabled", log.cloudwatch.enabled);
                out.put("group", &log.cloudwatch.group);
                out.put("stream", log.cloudwatch.stream.as_deref().unwrap_or_default());
                out.put("addresses", log.cloudwatch.addresses);
            });
        });
    }

    fn aviatrix(&mut self, aviatrix: &Aviatrix) {
        let listen: Vec<_> = aviatrix.listen.iter().map(|(by, at)| format!("{}://{at}", scheme(*by))).collect();
        self.put("listen", list(&listen));
        self.put("sources", list(&aviatrix.sources));
        self.put("action", aviatrix.action);
        self.put_time("duration", aviatrix.duration);
        self.put("act_on", list(&aviatrix.act_on));
        let group = &aviatrix.smartgroup;
        self.within("smartgroup", |out| {
            out.put("enabled", group.enabled);
            out.put("controller", &group.controller);
            out.put("user", &group.user);
            out.put_place("password_file", group.password_file.as_ref());
            out.put_path("ca_file", group.ca_file.as_deref());
            out.put("name", &group.name);
            out.put("most", group.most);
            out.put_time("interval", group.interval);
        });
    }
}

/// Whom a URL reaches, and whether it is the same: its path may be as good as a password.
fn without_path(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let hash = digest(&SHA256, url.as_bytes());
    let hash: String = hash.as_ref()[..4].iter().map(|b| format!("{b:02x}")).collect();
    format!("{scheme}://{host}/… (SHA-256 {hash}…)")
}

const fn scheme(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
    }
}

/// What becomes of alerts, which are known by their names.
pub(super) fn alerts(old: &Settings, new: &Settings) -> Vec<Change> {
    let mut changes = Vec::new();
    let (was, is) = (&old.alerts.rules, &new.alerts.rules);
    let mut change = |name: &str, old: String, new: String| {
        changes.push(Change { key: format!("alert[{name}]"), old, new, live: true });
    };
    for gone in was.iter().filter(|rule| !is.iter().any(|other| other.name == rule.name)) {
        change(&gone.name, in_words(gone), String::new());
    }
    for rule in is {
        let before = was.iter().find(|other| other.name == rule.name).map(in_words).unwrap_or_default();
        if before != in_words(rule) {
            change(&rule.name, before, in_words(rule));
        }
    }
    changes
}

/// A rule in one line.
fn in_words(rule: &AlertRule) -> String {
    let AlertRule { signal, side, level, hold, severity, enabled, .. } = rule;
    let side = match side {
        Side::Above => "above",
        Side::Below => "below",
    };
    let off = if *enabled { "" } else { ", off" };
    format!("{signal} {side} {level} for {}, {severity}{off}", show_duration(*hold))
}
