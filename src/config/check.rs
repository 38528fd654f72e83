//! What single values cannot tell: keys that contradict each other, setups that would hurt.

use super::document::Document;
use super::settings::{AddressFrom, Limit, LimitKey, ListEntry, Listen, OriginAddress, Scope, Settings};
use crate::base::units::{Share, show_duration};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

/// How many headers limits may count by: each is looked up in every request.
const MAX_KEY_HEADERS: usize = 4;

/// Looks at `settings` as a whole and adds what is wrong, or worth knowing, to `document`.
pub(super) fn check(settings: &Settings, document: &mut Document<'_>) {
    listen(&settings.listen, document);
    sockets(settings, document);
    client(settings, document);
    origin(settings, document);
    limits(settings, document);
    lists(settings, document);
    flood(settings, document);
    fleet(settings, document);
    aviatrix(settings, document);
}

/// Reports of gateways are joined with the requests that have records.
fn aviatrix(settings: &Settings, document: &mut Document<'_>) {
    let sample = settings.log.forwarded_sample;
    if !settings.aviatrix.listen.is_empty() && sample < Share::ALL {
        let message =
            format!("reports are joined with {sample} of the forwarded requests only, by log.forwarded_sample");
        document.note("aviatrix.listen", message);
    }
}

/// A limit over the fleet means what it says only where there is one.
fn fleet(settings: &Settings, document: &mut Document<'_>) {
    if settings.fleet.enabled {
        return;
    }
    for (i, limit) in settings.limits.iter().enumerate().filter(|(_, limit)| limit.scope == Scope::Fleet) {
        let message = format!("{:?} counts what this task alone sees, as fleet.enabled is false", limit.name);
        document.note(&format!("limit[{i}].scope"), message);
    }
}

/// Whoever writes about floods is told what a secret of each process's own means.
fn flood(settings: &Settings, document: &mut Document<'_>) {
    let flood = &settings.flood;
    let key = "flood.challenge.secret_file";
    if flood.enabled && flood.challenge.enabled && !document.has(key) && document.has("flood") {
        let message = "is not set: cookies of the challenge are worth nothing after a restart and at other tasks; \
                       write the path of a file with at least 32 random bytes";
        document.note(key, message);
    }
}

fn listen(listen: &Listen, document: &mut Document<'_>) {
    if listen.http.is_empty() && listen.tls.is_none() {
        let message = "is empty and there is no [listen.tls]; write an address such as \"0.0.0.0:8080\"";
        document.fault_between(&["listen.http"], message);
    }
    if listen.tls.as_ref().is_some_and(|tls| tls.address.is_empty()) && document.has("listen.tls.address") {
        let message = "is empty; write an address such as \"0.0.0.0:8443\", or leave [listen.tls] out";
        document.fault_between(&["listen.tls.address"], message);
    }
    if listen.drain_delay >= listen.drain_timeout {
        out_of_order(
            ("listen.drain_delay", listen.drain_delay),
            ("listen.drain_timeout", listen.drain_timeout),
            document,
        );
    } else if listen.drain_timeout >= Duration::from_secs(30) {
        let timeout = show_duration(listen.drain_timeout);
        let message =
            format!("{timeout} is not below 30s, ECS's default stopTimeout; raise that too, or requests are cut");
        document.note("listen.drain_timeout", message);
    }
}

/// Of two durations the first must be shorter than the second; the fault is put where something is written.
fn out_of_order(short: (&str, Duration), long: (&str, Duration), document: &mut Document<'_>) {
    if document.has(short.0) {
        let message = format!("is not shorter than {} ({}); write less than that", long.0, show_duration(long.1));
        document.fault_between(&[short.0, long.0], message);
    } else {
        let message = format!("is not longer than {} ({}); write more than that", short.0, show_duration(short.1));
        document.fault_between(&[long.0, short.0], message);
    }
}

/// No two listeners may want the same port, and the origin must not be weir itself.
fn sockets(settings: &Settings, document: &mut Document<'_>) {
    let mut taken: Vec<(String, SocketAddr)> = Vec::new();
    let http = settings.listen.http.iter().enumerate().map(|(i, at)| (format!("listen.http[{i}]"), *at));
    let tls = settings.listen.tls.iter().flat_map(|tls| tls.address.iter().enumerate());
    let tls = tls.map(|(i, at)| (format!("listen.tls.address[{i}]"), *at));
    let admin = ("admin.address".to_owned(), settings.admin.address);
    for (key, at) in [admin].into_iter().chain(http).chain(tls) {
        let whole = key.split('[').next().unwrap_or(&key);
        if !document.could_read(whole) {
            continue; // what was read is the default
        }
        if let Some((other, _)) = taken.iter().find(|(_, other)| overlap(at, *other)) {
            document.fault(&key, format!("takes the port that {other} takes already; write another port"));
        } else if at.port() != 0 {
            taken.push((key, at));
        }
    }
    if !settings.admin.address.ip().is_loopback() && settings.admin.token_file.is_none() {
        let message = "can be reached from other machines and needs admin.token_file, a file with the token to ask for; \
                       or write a loopback address such as \"127.0.0.1:9901\"";
        document.fault_between(&["admin.address", "admin.token_file"], message);
    }
    for (group, addresses) in [("addresses", &settings.origin.addresses), ("fallback", &settings.origin.fallback)] {
        for (i, address) in addresses.iter().enumerate() {
            let OriginAddress::Socket(origin) = address else { continue };
            let reaches = |at: &SocketAddr| {
                at.port() == origin.port()
                    && (at.ip() == origin.ip() || (at.ip().is_unspecified() && origin.ip().is_loopback()))
            };
            if let Some((own, _)) = taken.iter().find(|(_, at)| reaches(at)) {
                let message =
                    format!("is weir itself ({own}): requests would go round and round; write the service's address");
                document.fault(&format!("origin.{group}[{i}]"), message);
            }
        }
    }
}

/// Whether two sockets cannot both be listened on.
fn overlap(a: SocketAddr, b: SocketAddr) -> bool {
    let wildcard = a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() == b.port() && (a.ip() == b.ip() || (wildcard && a.is_ipv4() == b.is_ipv4()))
}

fn client(settings: &Settings, document: &mut Document<'_>) {
    let client = &settings.client;
    if client.address_from == AddressFrom::Peer {
        return;
    }
    if client.trusted_proxies.is_empty() {
        let message = format!(
            "is empty, but address_from = \"{}\" believes only trusted proxies; write the networks of the load \
             balancer, or address_from = \"peer\"",
            client.address_from
        );
        document.fault_between(&["client.trusted_proxies", "client.address_from"], message);
    }
    for (i, net) in client.trusted_proxies.iter().enumerate().filter(|(_, net)| net.prefix_len() == 0) {
        let message = format!("{net} believes everybody: any client can claim any address");
        document.note(&format!("client.trusted_proxies[{i}]"), message);
    }
    if settings.listen.keepalive_timeout <= Duration::from_secs(60) {
        let message = format!(
            "{} is not above 60s, an ALB's default idle timeout; requests may meet a connection that is being closed",
            show_duration(settings.listen.keepalive_timeout)
        );
        document.note("listen.keepalive_timeout", message);
    }
}

fn origin(settings: &Settings, document: &mut Document<'_>) {
    let origin = &settings.origin;
    if origin.addresses.is_empty() && document.has("origin.addresses") {
        let message = "is empty; write where the service is, such as \"10.0.1.5:8080\", or \"demo\"";
        document.fault_between(&["origin.addresses"], message);
    }
    let mut seen: BTreeMap<&OriginAddress, String> = BTreeMap::new();
    for (group, addresses) in [("addresses", &origin.addresses), ("fallback", &origin.fallback)] {
        for (i, address) in addresses.iter().enumerate() {
            let key = format!("origin.{group}[{i}]");
            match seen.get(address) {
                Some(other) => document.fault(&key, format!("is {other} too; write it once")),
                None => _ = seen.insert(address, key),
            }
        }
    }
    let health = &origin.health;
    if health.enabled && health.timeout >= health.interval {
        out_of_order(("origin.health.timeout", health.timeout), ("origin.health.interval", health.interval), document);
    }
}

fn limits(settings: &Settings, document: &mut Document<'_>) {
    if settings.limits.is_empty() && !document.has("limit") {
        document.note("limit", "there is none: only the lists and the origin budget hold anything back");
    }
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    let mut headers: BTreeSet<&str> = BTreeSet::new();
    for (i, limit) in settings.limits.iter().enumerate() {
        if let Some(first) = names.get(limit.name.as_str()).filter(|_| !limit.name.is_empty()) {
            let line = document.line(&format!("limit[{first}].name")).unwrap_or_default();
            document.fault(
                &format!("limit[{i}].name"),
                format!("is the name of limit[{first}] too (line {line}); write another"),
            );
        } else {
            names.insert(&limit.name, i);
        }
        if let LimitKey::Header(name) = &limit.key {
            headers.insert(name);
            if headers.len() > MAX_KEY_HEADERS {
                let message =
                    format!("is one header too many: limits can count by at most {MAX_KEY_HEADERS} different ones");
                document.fault(&format!("limit[{i}].key"), message);
            }
        }
        prefix(i, limit, settings.client.ipv6_prefix, document);
        if limit.enforce.0 == 0 && document.has(&format!("limit[{i}].enforce")) {
            document.note(&format!("limit[{i}].enforce"), "0% only counts, as action = \"observe\" does");
        }
    }
}

/// A network must be wider than the client, or it says nothing of its own.
fn prefix(i: usize, limit: &Limit, client: u8, document: &mut Document<'_>) {
    if let LimitKey::Prefix { ipv6, .. } = limit.key
        && ipv6 >= client
    {
        let message =
            format!("/{ipv6} is no wider than a client (client.ipv6_prefix = {client}): IPv6 is counted by client");
        document.note(&format!("limit[{i}].ipv6_prefix"), message);
    }
}

fn lists(settings: &Settings, document: &mut Document<'_>) {
    for (list, entries, effect) in [
        ("allow", &settings.lists.allow, "nobody is limited or denied"),
        ("deny", &settings.lists.deny, "everybody of that family is denied"),
    ] {
        for (i, entry) in entries.iter().enumerate() {
            let key = format!("lists.{list}[{i}]");
            match entry {
                ListEntry::Net(net) if net.prefix_len() == 0 => {
                    document.note(&key, format!("{net} is everybody: {effect}"))
                }
                ListEntry::Net(_) | ListEntry::File(_) => {}
            }
        }
    }
}
