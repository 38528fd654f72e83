//! `weir why ADDRESS`: what is known about one client.

use super::ask::Target;
use super::table::{Style, Table, harmless, number, paint, plain, span, wants_colour};
use crate::control::aviatrix::ReportView;
use crate::control::flood::StandingView;
use crate::control::status::{Owed, Why};
use crate::event::entry::Entry;
use std::io::Write;
use std::net::IpAddr;
use std::process::ExitCode;

/// Prints all that the running weir knows about a client.
pub fn why(target: &Target, address: IpAddr, json: bool) -> anyhow::Result<ExitCode> {
    let path = format!("/api/why?address={address}");
    let text = if json { target.get(&path)? + "\n" } else { show(&target.get_json(&path)?, wants_colour()) };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The answer for people.
fn show(why: &Why, colour: bool) -> String {
    let title = format!("{}, known to limits as {}", why.address, harmless(&why.client));
    let mut text = format!("{}\nnow: {}\n", paint(&title, Style::Bold, colour), harmless(&why.verdict));
    if let Some(network) = &why.allowed_by {
        text += &format!("on the allow list by {}: never limited, never denied\n", harmless(network));
    }
    if let Some(network) = &why.denied_by {
        text += &format!("on the deny list by {}\n", harmless(network));
    }
    if !why.bans.is_empty() {
        text += &format!("\n{}\n{}\n", paint("Bans", Style::Bold, colour), super::ban::table(&why.bans).render(colour));
        for ban in &why.bans {
            text += &super::ban::reach(ban);
        }
    }
    for report in &why.aviatrix {
        text += &reported(report);
    }
    if why.trusted_proxy {
        text += "a trusted proxy: what it forwards is counted for the clients that it names\n";
    }
    text += &format!("{} of its requests in flight\n", why.in_flight);
    text += &standing(&why.standing);
    text += &format!("\n{}\n{}", paint("Limits", Style::Bold, colour), owed(&why.limits).render(colour));
    let count = match why.recent.len() {
        0 => "No refusal of it among the latest that were logged".into(),
        n => format!("Its latest {n} refusals that were logged"),
    };
    text += &format!("\n{}\n", paint(&count, Style::Bold, colour));
    if !why.recent.is_empty() {
        text += &refusals(why).render(colour);
    }
    text
}

/// What a gateway reported of it, and what came of that.
fn reported(report: &ReportView) -> String {
    let ReportView { time, kind, gateway, what, outcome, why, times, joined, .. } = report;
    let because = if why.is_empty() { String::new() } else { format!(" ({})", harmless(why)) };
    let again = if *times > 1 { format!(", {times} times") } else { String::new() };
    let port = report.port.map_or(String::new(), |port| format!(", port {port}"));
    let requests = match joined.by.as_str() {
        "nothing" => "no request of that time is remembered".into(),
        by => format!(
            "{} requests of that time by its {by}, of {} connections; {} were refused",
            joined.requests, joined.connections, joined.refused
        ),
    };
    let said = format!("{kind}{port}, by {}: {}", harmless(gateway), harmless(what));
    format!("Aviatrix at {}{again}: {said}: {outcome}{because}; {requests}\n", harmless(time))
}

/// What the flood detector has to say of it.
fn standing(standing: &StandingView) -> String {
    let StandingView { rank, meaning, state, effect, owner, .. } = standing;
    let young = if standing.young { ", first seen within a day" } else { "" };
    let mut text = format!("rank {rank}: {meaning}{young}\nin the state {state}: {effect}\n");
    if standing.net16_rate > 0.0 {
        let (narrow, wide) = (standing.net24_rate, standing.net16_rate);
        text += &format!("its /24 (IPv6: /56) sends up to {narrow:.1}/s, its /16 (/48) up to {wide:.1}/s\n");
    }
    if !owner.is_empty() {
        text += &format!("its network is {}'s\n", harmless(owner));
    }
    text
}

fn owed(limits: &[Owed]) -> Table {
    let mut table = Table::new(&["limit", "rate", "covers", ">used", ">of", "now", "free again"]);
    for l in limits {
        let now = match (l.used, l.retry_after_s > 0.0, l.action.as_ref()) {
            (None, ..) => ("can't be told by an address".into(), Style::Dim),
            (_, false, _) => ("within".into(), Style::Good),
            (_, true, "observe") => ("over, observed only".into(), Style::Plain),
            (_, true, action) => (format!("over: {action} for {}", span(l.retry_after_s)), Style::Bad),
        };
        table.row([
            plain(&l.limit),
            plain(&l.rate),
            plain(&l.covers),
            plain(l.used.map_or(String::new(), |u| u.to_string())),
            number(u64::from(l.burst)),
            now,
            plain(if l.over_after_s > 0.0 { format!("in {}", span(l.over_after_s)) } else { String::new() }),
        ]);
    }
    table
}

fn refusals(why: &Why) -> Table {
    let mut table = Table::new(&["time", "outcome", "reason", "rule", "observed", "come again", "state", "request"]);
    for e in &why.recent {
        let status = if e.status == 0 { String::new() } else { format!(" {}", e.status) };
        table.row([
            plain(&e.time),
            (format!("{}{status}", e.outcome), Style::Bad),
            plain(&e.reason),
            plain(&e.rule),
            plain(observed(e)),
            plain(e.retry_after_s.map_or(String::new(), |s| format!("after {}", span(s)))),
            plain(format!("{} {}", e.state, e.rank)),
            plain(format!("{} {}{}", e.method, e.host, e.path)),
        ]);
    }
    table
}

/// What was observed against what: a limit, or what the origin can bear.
fn observed(e: &Entry<'_>) -> String {
    match (e.limit_burst, e.offered, e.capacity) {
        (Some(burst), ..) => format!("over {burst} at once, {}", e.limit_rate),
        (None, Some(offered), Some(capacity)) => format!("{offered:.0}/s offered of {capacity:.0}/s"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::testing::{TOKEN, start};
    use crate::cli::exit::Failure;
    use crate::config::settings::SecretPlace;
    use crate::control::status::Phase;

    fn target(admin: &crate::admin::Admin) -> Target {
        Target { admin: format!("http://{}/", admin.address()), token_file: None }
    }

    #[test]
    fn a_refused_client_is_explained() {
        let admin = start(None, Phase::Serving, vec![]);
        let text = show(&target(&admin).get_json("/api/why?address=192.0.2.7").unwrap(), false);
        for part in [
            "now: refused: the client is on the deny list",
            "on the deny list by 192.0.2.0/24",
            "8 failed logins beyond 3/m, the last for /login",
            "rank unknown: nothing is known of it\nin the state attack: is asked for proof at a page load",
            "its network is AS64500 Example's",
            "over: refuse for 2 s  in 20 s",
            "Its latest 1 refusals",
            "refused 429",
            "after 2 s",
            "over 10 at once",
        ] {
            assert!(text.contains(part), "{part:?} is not in:\n{text}");
        }
        assert!(!text.contains('\x1b'), "{text}");
        assert!(text.contains("\\u{1b}[31m"), "{text}");
    }

    #[test]
    fn a_token_opens_what_is_closed() {
        let admin = start(Some(TOKEN), Phase::Serving, vec![]);
        let mut target = target(&admin);
        let refused = target.get("/api/status").unwrap_err();
        assert!(refused.downcast_ref::<Failure>().is_some() && refused.to_string().contains("token"), "{refused}");
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("token");
        std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
        target.token_file = Some(SecretPlace::File(file));
        assert!(target.get("/api/status").is_ok());
    }

    #[test]
    fn nobody_there_is_said_with_the_address() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let target = Target { admin: format!("http://{free}"), token_file: None };
        assert!(target.get("/api/status").unwrap_err().to_string().contains(&free.to_string()));
        let https = Target { admin: "https://weir.example".into(), token_file: None };
        assert!(https.get("/api/status").unwrap_err().to_string().contains("--admin"));
    }
}
