//! `weir check FILE`: all that is wrong with a config, or what it means.

use super::exit::Code;
use crate::access::list_file;
use crate::base::units::{Bytes, Share, show_duration};
use crate::config::settings::{Action, Limit, LimitKey, ListEntry, PathPattern, Settings};
use crate::config::{self, Loaded};
use std::fmt::{Display, Write as _};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// Checks the config at `path`: a summary on standard output, or every fault on standard error.
pub fn check(path: &Path) -> anyhow::Result<ExitCode> {
    let (code, out, err) = examine(path);
    std::io::stdout().lock().write_all(out.as_bytes())?;
    std::io::stderr().lock().write_all(err.as_bytes())?;
    Ok(code.into())
}

/// The exit code, and what goes to standard output and to standard error.
pub fn examine(path: &Path) -> (Code, String, String) {
    let Loaded { settings, notes } = match config::load(path) {
        Ok(loaded) => loaded,
        Err(faults) if faults.unreadable => return (Code::NoInput, String::new(), format!("{faults}\n")),
        Err(faults) => {
            let count = match faults.list.len() {
                1 => "1 fault".to_owned(),
                n => format!("{n} faults"),
            };
            return (Code::Config, String::new(), format!("{faults}\n{}: {count}\n", path.display()));
        }
    };
    let mut out = format!("{} is good\n", path.display());
    let mut err = String::new();
    summary(&settings, &mut out);
    lists(&settings, &mut out, &mut err);
    limits(&settings, &mut out);
    for note in notes {
        line(&mut out, "note", note);
    }
    if err.is_empty() { (Code::Ok, out, err) } else { (Code::Config, String::new(), err) }
}

fn line(out: &mut String, head: &str, text: impl Display) {
    // Writing to a string cannot fail.
    _ = writeln!(out, "{head:>8}  {text}");
}

fn summary(settings: &Settings, out: &mut String) {
    let listen = &settings.listen;
    let kind = if listen.h2c { "HTTP/1.1 and h2c" } else { "HTTP/1.1" };
    if !listen.http.is_empty() {
        line(out, "listen", format_args!("{} ({kind})", joined(&listen.http)));
    }
    if let Some(tls) = &listen.tls {
        let certificate = tls.certificate.display();
        line(out, "listen", format_args!("{} (TLS, certificate {certificate})", joined(&tls.address)));
    }
    line(out, "admin", settings.admin.address);
    let client = &settings.client;
    let trusted = match client.address_from {
        config::settings::AddressFrom::Peer => String::new(),
        _ => format!(", believed from {}", joined(&client.trusted_proxies)),
    };
    line(out, "client", format_args!("from {}{trusted}; IPv6 by /{}", client.address_from, client.ipv6_prefix));
    let origin = &settings.origin;
    let fallback = match origin.fallback.as_slice() {
        [] => String::new(),
        some => format!(", else {}", joined(some)),
    };
    let addresses = joined(&origin.addresses);
    let (capacity, most) = (origin.capacity, origin.max_in_flight);
    line(
        out,
        "origin",
        format_args!("{addresses}{fallback}; {capacity}, at most {most} in flight, {}", origin.balance),
    );
    let (delay, timeout) = (show_duration(listen.drain_delay), show_duration(listen.drain_timeout));
    line(out, "drain", format_args!("{delay} after SIGTERM, gone after {timeout}"));
}

/// Counts the lists, and names lines of their files that are no network.
fn lists(settings: &Settings, out: &mut String, err: &mut String) {
    for (name, entries) in [("allow", &settings.lists.allow), ("deny", &settings.lists.deny)] {
        let mut count = 0;
        for entry in entries {
            match entry {
                ListEntry::Net(_) => count += 1,
                ListEntry::File(path) => count += networks(path, err),
            }
        }
        line(out, name, format_args!("{count} networks"));
    }
}

fn networks(path: &Path, err: &mut String) -> usize {
    let shown = path.display();
    match std::fs::read(path) {
        Ok(text) => {
            let list = list_file::parse(&text);
            for fault in &list.faults {
                // Writing to a string cannot fail.
                _ = writeln!(err, "{shown}: {fault}");
            }
            list.nets.len()
        }
        Err(error) => {
            _ = writeln!(err, "{shown}: cannot be read: {error}");
            0
        }
    }
}

fn limits(settings: &Settings, out: &mut String) {
    let mut total = 0;
    for limit in &settings.limits {
        let bytes = u64::from(limit.slots) * 8;
        total += bytes;
        line(out, "limit", format_args!("{} [{}]", sentence(limit), Bytes(bytes)));
    }
    let count = settings.limits.len();
    let plural = if count == 1 { "" } else { "s" };
    line(out, "memory", format_args!("{} ({total} bytes) for the tables of {count} limit{plural}", Bytes(total)));
}

/// A limit as one would tell it.
fn sentence(limit: &Limit) -> String {
    let who = match &limit.key {
        LimitKey::Client => "each client".to_owned(),
        LimitKey::Prefix { ipv4, ipv6 } => format!("each network (IPv4 /{ipv4}, IPv6 /{ipv6})"),
        LimitKey::Header(name) => format!("each value of the header {name}"),
        LimitKey::Route => "all clients together".to_owned(),
    };
    let methods = if limit.methods.is_empty() { String::new() } else { format!(" {}", limit.methods.join(" or ")) };
    let paths = match limit.paths.as_slice() {
        [] => String::new(),
        paths => format!(" on {}", paths.iter().map(PathPattern::to_string).collect::<Vec<_>>().join(", ")),
    };
    let over = match (limit.action, limit.enforce) {
        (Action::Observe, _) => "counted and let through".to_owned(),
        (action, share) => {
            let done = if action == Action::Close { "closed without a reply" } else { "refused" };
            if share == Share::ALL {
                done.to_owned()
            } else {
                format!("{done} for {share} of clients, for others counted")
            }
        }
    };
    format!(
        "{}: {who} may send {}{methods}{paths}, {} at once; what is over is {over}",
        limit.name, limit.rate, limit.burst
    )
}

fn joined<T: Display>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}
