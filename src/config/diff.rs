//! What a reload would change.

mod flood;
mod shared;
mod signals;

use super::settings::{Ban, Limit, LimitKey, Listen, Origin, SecretPlace, Settings};
use crate::base::units::show_duration;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One value that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Key path, a limit by its name: `limit[per-client].rate`.
    pub key: String,
    /// The value so far; empty where there was none.
    pub old: String,
    /// The value from now on; empty where there is none.
    pub new: String,
    /// Whether a reload is enough; else it takes effect at the next start.
    pub live: bool,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, old, new, live } = self;
        match (old.as_str(), new.as_str()) {
            ("", new) => write!(f, "{key}: added {new}")?,
            (old, "") => write!(f, "{key}: removed (was {old})")?,
            (old, new) => write!(f, "{key}: {old} -> {new}")?,
        }
        if *live { Ok(()) } else { f.write_str(" (takes effect at the next start)") }
    }
}

/// Everything that differs between `old` and `new`, in the order of the config.
pub fn diff(old: &Settings, new: &Settings) -> Vec<Change> {
    let start_only = super::schema::start_only();
    let mut changes = Vec::new();
    let (was, is) = (values(old), values(new));
    let mut keys: Vec<&String> = is.iter().map(|(key, _)| key).collect();
    keys.extend(was.iter().map(|(key, _)| key).filter(|key| !is.iter().any(|(k, _)| k == *key)));
    for key in keys {
        let (from, to) = (find(&was, key), find(&is, key));
        if from != to {
            let live = !start_only.contains(key);
            changes.push(Change { key: key.clone(), old: from, new: to, live });
        }
    }
    changes.extend(limits(old, new, &start_only));
    changes.extend(signals::alerts(old, new));
    changes
}

/// What becomes of the limits, which are known by their names.
fn limits(old: &Settings, new: &Settings, start_only: &[String]) -> Vec<Change> {
    let mut changes = Vec::new();
    let named = |limits: &[Limit], name: &str| limits.iter().position(|limit| limit.name == name);
    let stays = |in_both: &[Limit], other: &[Limit]| -> Vec<String> {
        in_both.iter().map(|limit| limit.name.clone()).filter(|name| named(other, name).is_some()).collect()
    };
    for gone in old.limits.iter().filter(|limit| named(&new.limits, &limit.name).is_none()) {
        let key = format!("limit[{}]", gone.name);
        changes.push(Change { key, old: in_words(gone), new: String::new(), live: true });
    }
    for limit in &new.limits {
        let key = format!("limit[{}]", limit.name);
        let Some(before) = named(&old.limits, &limit.name) else {
            changes.push(Change { key, old: String::new(), new: in_words(limit), live: true });
            continue;
        };
        let (was, is) = (limit_values(&old.limits[before]), limit_values(limit));
        for ((name, from), (_, to)) in was.into_iter().zip(is).filter(|(from, to)| from != to) {
            let live = !start_only.contains(&format!("limit[].{name}"));
            changes.push(Change { key: format!("{key}.{name}"), old: from, new: to, live });
        }
    }
    let (was, is) = (stays(&old.limits, &new.limits), stays(&new.limits, &old.limits));
    if was != is {
        let key = "limit (their order)".to_owned();
        changes.push(Change { key, old: list(&was), new: list(&is), live: true });
    }
    changes
}

/// A limit in one line.
fn in_words(limit: &Limit) -> String {
    format!("{}, burst {}, by {}, {}", limit.rate, limit.burst, limit.key, limit.action)
}

fn find(values: &[(String, String)], key: &str) -> String {
    values.iter().find(|(k, _)| k == key).map_or_else(String::new, |(_, value)| value.clone())
}

/// Every key but those of limits and alerts, with its value; values that are absent are left out.
pub(super) fn values(settings: &Settings) -> Vec<(String, String)> {
    let mut out = Values { prefix: String::new(), pairs: Vec::new() };
    out.listen(&settings.listen);
    out.within("admin", |out| {
        out.put("address", settings.admin.address);
        out.put_place("token_file", settings.admin.token_file.as_ref());
        out.put_path("country_database", settings.admin.country_database.as_deref());
    });
    out.within("client", |out| {
        let client = &settings.client;
        out.put("address_from", client.address_from);
        out.put("trusted_proxies", list(&client.trusted_proxies));
        out.put("ipv6_prefix", client.ipv6_prefix);
    });
    out.origin(&settings.origin);
    out.within("lists", |out| {
        out.put("allow", list(&settings.lists.allow));
        out.put("deny", list(&settings.lists.deny));
    });
    out.flood(&settings.flood);
    out.within("ban", |out| out.ban(&settings.ban));
    out.shared(settings);
    out.within("reply", |out| {
        out.put("page", files(&settings.reply.page));
        out.put("problem", files(&settings.reply.problem));
    });
    out.signals(settings);
    out.pairs
}

struct Values {
    prefix: String,
    pairs: Vec<(String, String)>,
}

impl Values {
    fn put(&mut self, key: &str, value: impl fmt::Display) {
        self.pairs.push((format!("{}.{key}", self.prefix), value.to_string()));
    }

    fn put_path(&mut self, key: &str, path: Option<&Path>) {
        if let Some(path) = path {
            self.put(key, path.display());
        }
    }

    fn put_place(&mut self, key: &str, place: Option<&SecretPlace>) {
        if let Some(place) = place {
            self.put(key, place);
        }
    }

    fn put_time(&mut self, key: &str, duration: Duration) {
        self.put(key, show_duration(duration));
    }

    fn within(&mut self, table: &str, fill: impl FnOnce(&mut Self)) {
        let outer = self.prefix.clone();
        let dot = if outer.is_empty() { "" } else { "." };
        self.prefix = format!("{outer}{dot}{table}");
        fill(self);
        self.prefix = outer;
    }

    fn listen(&mut self, listen: &Listen) {
        self.within("listen", |out| {
            out.put("http", list(&listen.http));
            out.put("h2c", listen.h2c);
            out.put_time("header_timeout", listen.header_timeout);
            out.put_time("keepalive_timeout", listen.keepalive_timeout);
            out.put("max_header_size", listen.max_header_size);
            out.put("max_headers", listen.max_headers);
            out.put("max_body_size", listen.max_body_size);
            out.put("min_body_rate", format_args!("{}/s", listen.min_body_rate));
            out.put_time("body_grace", listen.body_grace);
            out.put("min_send_rate", format_args!("{}/s", listen.min_send_rate));
            out.put_time("send_grace", listen.send_grace);
            out.put("max_connections", listen.max_connections);
            out.put("max_connections_per_client", listen.max_connections_per_client);
            out.put("max_in_flight_per_client", listen.max_in_flight_per_client);
            out.within("h2", |out| {
                out.put("max_streams", listen.h2.max_streams);
                out.put("max_header_list", listen.h2.max_header_list);
                out.put("max_resets", listen.h2.max_resets);
            });
            if let Some(tls) = &listen.tls {
                out.within("tls", |out| {
                    out.put("address", list(&tls.address));
                    out.put_path("certificate", Some(&tls.certificate));
                    out.put_path("key", Some(&tls.key));
                });
            }
            out.put("workers", listen.workers);
            out.put_time("drain_delay", listen.drain_delay);
            out.put_time("drain_timeout", listen.drain_timeout);
        });
    }

    fn ban(&mut self, ban: &Ban) {
        let steps: Vec<_> = ban.ladder.iter().map(|step| show_duration(*step)).collect();
        self.put("enabled", ban.enabled);
        self.put_time("refuse", ban.refuse);
        self.put_time("close", ban.close);
        self.put("ladder", list(&steps));
        self.put_time("forget_after", ban.forget_after);
        self.put("max_per_minute", ban.max_per_minute);
        self.put("rollup_members", ban.rollup_members);
        self.put("honeypot", list(&ban.honeypot));
        self.put("login_paths", list(&ban.login_paths));
        for (name, threshold) in [
            ("refusals", ban.refusals),
            ("client_errors", ban.client_errors),
            ("protocol", ban.protocol),
            ("login", ban.login),
            ("slow", ban.slow),
        ] {
            self.put(&format!("{name}.rate"), threshold.rate);
            self.put(&format!("{name}.burst"), threshold.burst);
        }
        self.put_path("file", ban.file.as_deref());
    }

    fn origin(&mut self, origin: &Origin) {
        self.within("origin", |out| {
            out.put("addresses", list(&origin.addresses));
            out.put("fallback", list(&origin.fallback));
            out.put("protocol", origin.protocol);
            out.put("balance", origin.balance);
            out.put("capacity", origin.capacity);
            out.put("max_in_flight", origin.max_in_flight);
            out.put_time("connect_timeout", origin.connect_timeout);
            out.put_time("read_timeout", origin.read_timeout);
            out.put_time("queue_timeout", origin.queue_timeout);
            out.put_time("write_timeout", origin.write_timeout);
            out.put_time("idle_timeout", origin.idle_timeout);
            out.put("retries", origin.retries);
            out.put_time("resolve_interval", origin.resolve_interval);
            out.within("health", |out| {
                out.put("enabled", origin.health.enabled);
                out.put("path", &origin.health.path);
                out.put_time("interval", origin.health.interval);
                out.put_time("timeout", origin.health.timeout);
                out.put("healthy_after", origin.health.healthy_after);
                out.put("unhealthy_after", origin.health.unhealthy_after);
            });
            out.within("eject", |out| {
                out.put("after", origin.eject.after);
                out.put_time("duration", origin.eject.duration);
            });
        });
    }
}

/// The keys of one limit with their values.
pub(super) fn limit_values(limit: &Limit) -> Vec<(&'static str, String)> {
    let (ipv4, ipv6) = match limit.key {
        LimitKey::Prefix { ipv4, ipv6 } => (ipv4.to_string(), ipv6.to_string()),
        _ => (String::new(), String::new()),
    };
    vec![
        ("name", limit.name.clone()),
        ("match.path", list(&limit.paths)),
        ("match.method", list(&limit.methods)),
        ("rate", limit.rate.to_string()),
        ("burst", limit.burst.to_string()),
        ("key", limit.key.to_string()),
        ("ipv4_prefix", ipv4),
        ("ipv6_prefix", ipv6),
        ("scope", limit.scope.to_string()),
        ("action", limit.action.to_string()),
        ("enforce", limit.enforce.to_string()),
        ("slots", limit.slots.to_string()),
    ]
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    format!("[{}]", items.iter().map(T::to_string).collect::<Vec<_>>().join(", "))
}

fn files(files: &BTreeMap<u16, PathBuf>) -> String {
    let pairs: Vec<_> = files.iter().map(|(status, path)| format!("{status} = {}", path.display())).collect();
    format!("{{{}}}", pairs.join(", "))
}
