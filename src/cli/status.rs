//! `weir status`: what a running weir does.

use super::ask::Target;
use super::table::{Style, Table, harmless, number, paint, plain, span, wants_colour};
use crate::control::flood::FloodStatus;
use crate::control::identity::Identity;
use crate::control::source::SourceStatus;
use crate::control::status::{EndpointView, Phase, Status};
use crate::sink::fleet::FleetStatus;
use crate::sink::outlet::OutletStatus;
use crate::sink::waf::WafStatus;
use std::io::Write;
use std::process::ExitCode;

/// Prints the status of the running weir.
pub fn status(target: &Target, json: bool) -> anyhow::Result<ExitCode> {
    let text =
        if json { target.get("/api/status")? + "\n" } else { show(&target.get_json("/api/status")?, wants_colour()) };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The status for people.
fn show(status: &Status, colour: bool) -> String {
    let mut text = head(status, colour);
    for (title, table) in [
        ("Requests".to_owned(), requests(status)),
        ("Limits".to_owned(), limits(status)),
        (origin_title(status), endpoints(status)),
    ] {
        text += &format!("\n{}\n{}", paint(&title, Style::Bold, colour), table.render(colour));
    }
    text
}

fn head(status: &Status, colour: bool) -> String {
    let (phase, style) = match status.phase {
        Phase::Starting => ("starting", Style::Bad),
        Phase::Serving => ("serving", Style::Good),
        Phase::Draining => ("draining", Style::Bad),
    };
    let (config, log) = (&status.config, &status.log);
    let n = |n| number(n).0;
    let mut lines = vec![
        format!("weir {} is {} for {}", status.version, paint(phase, style, colour), span(status.uptime_s)),
        format!("  task         {}", task(&status.identity)),
        format!("  listens on   {}", status.listen.join(", ")),
        format!("  config       {} ({}), loaded {}", config.path, config.hash, config.loaded),
        format!("  reloads      {} accepted, {} refused", config.reloads, config.reloads_failed),
        flood(&status.flood, colour),
        format!("  now          {} in flight, {} connections", n(status.in_flight), n(status.connections)),
        format!("  bodies       {} bytes in, {} bytes out", n(status.bytes_in), n(status.bytes_out)),
        format!("  limit tables {} bytes, fixed", n(status.table_bytes)),
        format!(
            "  access log   {} lines, {} held back by rate and sample, {} lost, {} dropped",
            n(log.written),
            n(log.suppressed),
            n(log.lost),
            n(log.dropped + log.news_dropped)
        ),
    ];
    // The access log itself has its line.
    let beside = |o: &&OutletStatus| o.name != "file" || o.failing.is_some();
    lines.extend(status.outlets.iter().filter(beside).map(|o| outlet(o, colour)));
    lines.extend(config.source.iter().map(|s| source(s, colour)));
    lines.extend(status.fleet.iter().map(|f| fleet(f, colour)));
    lines.extend(status.waf.iter().map(|w| waf(w, colour)));
    lines.extend(alerts(status, colour));
    lines.extend(status.notes.iter().map(|note| paint(&format!("note: {note}"), Style::Bad, colour)));
    if let Some(refused) = &config.refused {
        let title = format!("the reload of {} was refused; the config before it stays in force:", refused.at);
        lines.push(paint(&title, Style::Bad, colour));
        lines.extend(refused.faults.iter().map(|f| format!("  {}", f.message)));
    }
    if !config.needs_restart.is_empty() {
        lines.push(format!("changed, but counts only after a restart: {}", config.needs_restart.join(", ")));
    }
    lines.join("\n") + "\n"
}

/// A sink of the ingress log.
fn outlet(outlet: &OutletStatus, colour: bool) -> String {
    let OutletStatus { name, to, sent, lost, waiting_bytes, .. } = outlet;
    let n = |n: &u64| number(*n).0;
    let mut text = format!(
        "  {name:<12} {} sent, {} lost, {} bytes wait for {}",
        n(sent),
        n(lost),
        n(waiting_bytes),
        harmless(to)
    );
    if let Some(why) = &outlet.failing {
        let line = format!("{name} has failed for {}: {why}", span(outlet.failing_for_s.unwrap_or_default()));
        text += &format!("\n{}", paint(&harmless(&line), Style::Bad, colour));
    }
    text
}

/// Who a weir is, as far as it knows.
pub(super) fn task(identity: &Identity) -> String {
    let known = [("cluster", &identity.cluster), ("family", &identity.family), ("zone", &identity.zone)];
    let known = known.iter().filter_map(|(name, value)| Some(format!(", {name} {}", value.as_ref()?)));
    identity.task.clone() + &known.collect::<String>()
}

/// How it goes with a config in AWS.
fn source(source: &SourceStatus, colour: bool) -> String {
    let version = &source.version;
    let mut text = match source.from.as_ref() {
        "aws" => format!("  from AWS     version {version}, confirmed {} ago", span(source.age_s)),
        _ => {
            let warning = format!("the last good one, kept on disk {} ago", span(source.age_s));
            format!("  from disk    version {version}, {}", paint(&warning, Style::Bad, colour))
        }
    };
    text += &format!("; asked {} times, {} in vain", number(source.fetches).0, number(source.failures).0);
    if let Some(why) = &source.failing {
        text += &format!("\n{}", paint(&format!("the config cannot be fetched from AWS: {why}"), Style::Bad, colour));
    }
    text
}

/// This weir's part of its fleet.
fn fleet(fleet: &FleetStatus, colour: bool) -> String {
    if !fleet.connected {
        let why = format!("alone for {}: {}", span(fleet.since_s), fleet.fault);
        return format!("  fleet        {}, {}", harmless(&fleet.name), paint(&why, Style::Bad, colour));
    }
    let leads = if fleet.leads { ", led by this one" } else { "" };
    let heard = fleet.heard_age_s.map_or("nothing heard yet".to_owned(), |age| format!("heard {} ago", span(age)));
    format!("  fleet        {}: {} tasks{leads}, {heard}", harmless(&fleet.name), fleet.tasks)
}

/// The loop to AWS WAF.
fn waf(waf: &WafStatus, colour: bool) -> String {
    if !waf.writer {
        return "  AWS WAF      written by another weir of the fleet".into();
    }
    let (ours, capacity) = waf.sets.iter().fold((0, 0), |(o, c), set| (o + set.ours, c + set.capacity));
    let mut text = format!(
        "  AWS WAF      {} networks in {} sets of {} in all, {} on their way; 95 of 100 taken within {} ms",
        number(ours).0,
        waf.sets.len(),
        number(capacity).0,
        number(waf.pending).0,
        number(waf.sent.p95_ms).0
    );
    for set in &waf.sets {
        if let Some(trouble) = &set.trouble {
            let line = format!("AWS WAF, set {}: {trouble}", set.name);
            text += &format!("\n{}", paint(&harmless(&line), Style::Bad, colour));
        }
    }
    text
}

/// What fires, and whether those who are to be told can be.
fn alerts(status: &Status, colour: bool) -> Vec<String> {
    use crate::control::alert::engine::State;
    let of = |state: State| status.alerts.iter().filter(move |a| a.state == state);
    let mut lines = vec![format!(
        "  alerts       {} rules, {} firing, {} pending",
        status.alerts.len(),
        of(State::Firing).count(),
        of(State::Pending).count()
    )];
    for alert in of(State::Firing) {
        let line = format!(
            "alert {} ({}) since {}: {} is {}",
            alert.name, alert.severity, alert.since, alert.signal, alert.text
        );
        lines.push(paint(&harmless(&line), Style::Bad, colour));
    }
    for told in &status.alerts_told {
        if let Some(why) = &told.failing {
            lines.push(paint(&harmless(&format!("alerts cannot be told to {}: {why}", told.to)), Style::Bad, colour));
        }
    }
    lines
}

/// How things stand, and why, in one line.
fn flood(flood: &FloodStatus, colour: bool) -> String {
    if !flood.enabled {
        return "  flood        not looked for: flood.enabled is false".into();
    }
    let style = match flood.state.as_ref() {
        "normal" => Style::Good,
        "elevated" => Style::Bold,
        _ => Style::Bad,
    };
    format!(
        "  flood        {} for {}: {}; offered {}/s of {}/s, usual {}/s",
        paint(&flood.state, style, colour),
        span(flood.lasted_s),
        flood.why,
        number(flood.offered as u64).0,
        number(flood.capacity as u64).0,
        number(flood.usual as u64).0
    )
}

fn requests(status: &Status) -> Table {
    let mut table = Table::new(&["reason", ">requests", "meaning"]);
    for r in status.requests.iter().filter(|r| r.count > 0 || r.reason == "forwarded") {
        let style = match r.class.as_ref() {
            "forward" => Style::Good,
            "refuse" | "fault" => Style::Bad,
            _ => Style::Plain,
        };
        table.row([(r.reason.to_string(), style), number(r.count), (r.text.to_string(), Style::Dim)]);
    }
    table
}

fn limits(status: &Status) -> Table {
    let mut table = Table::new(&["limit", "rate", ">burst", "by", "covers", "action", ">refused", ">observed"]);
    for l in &status.limits {
        let partly = l.enforce < 100.0 && l.action != "observe";
        let action = if partly { format!("{} {}%", l.action, l.enforce) } else { l.action.to_string() };
        table.row([
            plain(&l.name),
            plain(&l.rate),
            number(u64::from(l.burst)),
            plain(&l.key),
            plain(&l.covers),
            plain(action),
            number(l.refused),
            number(l.observed),
        ]);
    }
    table
}

fn origin_title(status: &Status) -> String {
    let origin = &status.origin;
    let within = |q| origin.latency.within_ms(q).map_or("–".into(), |ms| format!("{ms} ms"));
    format!(
        "Origin: can bear {}, {} in flight; first byte within {} for half, {} for 99 in 100",
        origin.capacity,
        origin.max_in_flight,
        within(0.5),
        within(0.99)
    )
}

fn endpoints(status: &Status) -> Table {
    let mut table = Table::new(&["endpoint", "name", "group", "state", ">in flight", ">requests", ">failed"]);
    for e in &status.origin.endpoints {
        table.row([
            plain(&e.address),
            plain(e.name.as_deref().unwrap_or("")),
            plain(&e.group),
            state(e),
            number(e.in_flight),
            number(e.requests),
            number(e.failures),
        ]);
    }
    table
}

fn state(e: &EndpointView) -> (String, Style) {
    match (e.healthy, e.ejected_for) {
        (false, _) => ("unhealthy".into(), Style::Bad),
        (true, Some(left)) => (format!("ejected, tried again in {}", span(left)), Style::Bad),
        (true, None) => ("up".into(), Style::Good),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::status::{FaultView, Refusal, fixture};

    #[test]
    fn all_parts_show() {
        let mut status = fixture();
        let faults = vec![FaultView { message: "limit[0].rate: \"10\" has no unit".into(), ..FaultView::default() }];
        status.config.refused = Some(Refusal { at: "2024-02-29T12:00:00.000Z".into(), faults });
        let text = show(&status, false);
        for part in [
            "weir 0.1.0 is serving for 1 m 1 s",
            "flood        attack for 1 m 15 s: the excess fetches no assets; offered 900/s of 300/s, usual 40/s",
            "task         158d1c80, cluster edge",
            "from disk    version 7, the last good one, kept on disk 1 h ago; asked 9 times, 2 in vain",
            "the config cannot be fetched from AWS: no answer within 10s",
            "note: all clients share one key",
            "alerts       1 rules, 1 firing, 0 pending",
            "alert attack (critical) since 2024-02-29T12:00:00.000Z: flood_state is 2, bad above 1",
            "syslog       11 sent, 12 lost, 13 bytes wait for tls://192.0.2.1:6514",
            "syslog has failed for 1 m 1 s: the collector took nothing for 30s",
            "was refused",
            "has no unit",
            "counts only after a restart: listen.http",
            "forwarded     1,000  in words",
            "login  30/m     10  client  POST /login  refuse        7         3",
            "192.0.2.10:80  app.internal:80  primary  up",
            "first byte within 10 ms for half, 100 ms for 99 in 100",
        ] {
            assert!(text.contains(part), "{part:?} is not in:\n{text}");
        }
        assert!(!text.contains('\x1b'));
        assert!(show(&status, true).contains("\x1b[32mserving"));
    }
}
