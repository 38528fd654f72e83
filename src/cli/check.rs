//! `weir check FILE`: all that is wrong with a config, or what it means.

use super::exit::{Code, Failure};
use super::table::{Table, number, plain};
use crate::app;
use crate::app::memory::{Memory, Row};
use crate::base::clock;
use crate::base::units::{Bytes, Share, show_duration};
use crate::config::settings::{
    Action, CloudWatch, GuardDuty, Limit, LimitKey, MetricsWay, PathPattern, Scope, Settings, SmartGroup, Waf,
};
use crate::config::{self, Loaded};
use crate::control::alert;
use crate::control::reload::Fresh;
use crate::control::source::{Options, Place, Source};
use crate::sink::cloudwatch::cost;
use crate::verdict::{Policy, State};
use std::fmt::{Display, Write as _};
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

/// Checks the config at `place`: a summary on standard output, or every fault on standard error.
pub fn check(place: Place) -> anyhow::Result<ExitCode> {
    let source = Source::new(place, Options::default()).map_err(|e| Failure::new(Code::Usage, e))?;
    let (code, out, err) = examine(&source);
    std::io::stdout().lock().write_all(out.as_bytes())?;
    std::io::stderr().lock().write_all(err.as_bytes())?;
    Ok(code.into())
}

/// The exit code, and what goes to standard output and to standard error.
pub fn examine(source: &Source) -> (Code, String, String) {
    let name = source.name();
    let Fresh { loaded: Loaded { settings, notes }, networks, .. } = match app::examine(source) {
        Ok(fresh) => fresh,
        Err(unfit) => {
            let mut err = String::new();
            for fault in &unfit.faults {
                // Writing to a string cannot fail.
                _ = writeln!(err, "{}", fault.message);
            }
            if unfit.unreadable {
                return (Code::NoInput, String::new(), err);
            }
            let (count, plural) = (unfit.faults.len(), if unfit.faults.len() == 1 { "" } else { "s" });
            _ = writeln!(err, "{name}: {count} fault{plural}");
            return (Code::Config, String::new(), err);
        }
    };
    let mut out = format!("{name} is good\n");
    let state = State::new();
    let policy = Policy::compile(Arc::new(settings), &networks, &state, clock::now());
    let settings = &policy.settings;
    summary(settings, &mut out);
    line(&mut out, "allow", format_args!("{} networks", networks.allow.len()));
    line(&mut out, "deny", format_args!("{} networks", networks.deny.len()));
    limits(&policy, &mut out);
    others(settings, &mut out);
    memory(&policy, &state, &mut out);
    cost(settings, &mut out);
    for note in notes {
        line(&mut out, "note", note);
    }
    (Code::Ok, out, String::new())
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

fn limits(policy: &Policy, out: &mut String) {
    for limit in &policy.settings.limits {
        let bytes = policy.limits.iter().find(|l| *l.name == *limit.name).map_or(0, |l| l.table.bytes() as u64);
        line(out, "limit", format_args!("{} [{}]", sentence(limit), Bytes(bytes)));
    }
}

/// Whom it tells, and whom it hears.
fn others(settings: &Settings, out: &mut String) {
    let Settings { fleet, waf, guardduty, aviatrix, .. } = settings;
    if fleet.enabled {
        line(out, "fleet", format_args!("{} at {}", fleet.name, fleet.url));
    }
    if waf.enabled {
        let sets = joined(&waf.ipv4_sets.iter().chain(&waf.ipv6_sets).collect::<Vec<_>>());
        let Waf { scope, from_step, update_rate, .. } = waf;
        line(out, "waf", format_args!("{scope}, bans from {from_step} on to {sets}; {update_rate} updates at most"));
    }
    if guardduty.enabled {
        let severity = f64::from(guardduty.min_severity) / 10.0;
        let GuardDuty { queue_url, action, .. } = guardduty;
        line(out, "findings", format_args!("from {queue_url}, severity {severity:.1} and above: {action}"));
    }
    if !aviatrix.listen.is_empty() {
        let (action, kinds) = (aviatrix.action, joined(&aviatrix.act_on));
        line(out, "gateways", format_args!("{} addresses of Aviatrix; {kinds}: {action}", aviatrix.listen.len()));
    }
    if aviatrix.smartgroup.enabled {
        let SmartGroup { name, controller, most, .. } = &aviatrix.smartgroup;
        line(out, "smartgroup", format_args!("{name} at {controller}, {most} networks at most"));
    }
    alerts(settings, out);
}

/// How many rules of alerts hold, and who is told.
fn alerts(settings: &Settings, out: &mut String) {
    // A config with a fault does not get here.
    let rules = alert::rules::rules(settings).map_or(0, |rules| rules.len());
    let config::settings::Alerts { sns_topic, webhook, .. } = &settings.alerts;
    let hook = webhook.as_ref().map(|_| "the webhook");
    let told: Vec<_> = sns_topic.as_deref().into_iter().chain(hook).collect();
    let told =
        if told.is_empty() { "told to nobody but the log".to_owned() } else { format!("told to {}", joined(&told)) };
    line(out, "alerts", format_args!("{rules} rules, {told}"));
}

/// What the config takes at most, part by part.
fn memory(policy: &Policy, state: &State, out: &mut String) {
    let memory = Memory::of(policy, state);
    let mib = |bytes: usize| format!("{:.1}", bytes as f64 / f64::from(1 << 20));
    line(
        out,
        "memory",
        format_args!(
            "at most {} MiB, {} MiB of it as soon as every table is in use:",
            mib(memory.most()),
            mib(memory.fixed())
        ),
    );
    let mut table = Table::new(&[">MiB", "of", ">count", ">bytes each"]);
    for Row { what, count, each, .. } in &memory.rows {
        table.row([plain(mib(count * each)), plain(what), number(*count as u64), number(*each as u64)]);
    }
    out.push_str(&table.render(false));
    let heads = memory.unfinished_heads;
    let key = "listen.max_header_size and listen.max_connections";
    line(out, "", format_args!("and {} MiB more while every connection holds an unfinished head: {key}", mib(heads)));
}

/// What AWS asks for metrics and logs, where they go there.
fn cost(settings: &Settings, out: &mut String) {
    let Settings { cloudwatch, log, .. } = settings;
    let cost = cost::estimate(settings);
    if cloudwatch.enabled {
        let CloudWatch { namespace, service, environment, .. } = cloudwatch;
        let way = if cloudwatch.mode == MetricsWay::Emf { "embedded in standard output" } else { "by PutMetricData" };
        let every = show_duration(cloudwatch.interval);
        line(out, "metrics", format_args!("to CloudWatch {namespace}, {service}, {environment}: {way} every {every}"));
        line(
            out,
            "cost",
            format_args!(
                "at most ${:.2} a month for {} metrics, and ${:.2} for each task: ${:.2} for 1, ${:.2} for 4",
                cost.shared,
                cost.metrics,
                cost.each_task,
                cost.of_tasks(1),
                cost.of_tasks(4)
            ),
        );
    }
    if let Some(lines) = cost.each_100_lines {
        let group = &log.cloudwatch.group;
        line(out, "cost", format_args!("${lines:.2} a month for every 100 lines a second to CloudWatch Logs {group}"));
    }
    if cloudwatch.enabled || log.cloudwatch.enabled {
        line(out, "", "list prices of us-east-1 (aws.amazon.com/cloudwatch/pricing), without the free tier");
    }
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
    let scope = if limit.scope == Scope::Fleet { " over all tasks together" } else { "" };
    format!(
        "{}: {who} may send {}{methods}{paths}{scope}, {} at once; what is over is {over}",
        limit.name, limit.rate, limit.burst
    )
}

fn joined<T: Display>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}
