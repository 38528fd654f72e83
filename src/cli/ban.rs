//! `weir ban`: who is banned, bans by hand, and the kill switch.

use super::ask::Target;
use super::table::{Style, Table, harmless, number, paint, plain, span, wants_colour};
use crate::control::bans::{BanRequest, BanStatus, BanView, BansView, FleetReach};
use clap::{Args, Subcommand};
use std::io::Write;
use std::process::ExitCode;

/// What to do about bans.
#[derive(Debug, Subcommand)]
pub enum Ban {
    /// Show who is banned, why, and until when
    List(How),
    /// Ban an address or a network
    #[command(after_help = "Example: weir ban add 203.0.113.9 --for 10m --reason \"scrapes the shop\"")]
    Add {
        /// An address, or a network such as 203.0.113.0/24
        #[arg(value_name = "ADDRESS")]
        address: String,
        /// For how long, such as 10m, 2h or 7d
        #[arg(long = "for", value_name = "DURATION", default_value = "1h")]
        duration: String,
        /// Why, for those who look at it later
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
        /// Whom to ask, and how to show the answer
        #[command(flatten)]
        how: How,
    },
    /// Lift a ban and forget the steps that led to it
    Remove {
        /// The address or the network, as weir ban list shows it
        #[arg(value_name = "ADDRESS")]
        address: String,
        /// Whom to ask, and how to show the answer
        #[command(flatten)]
        how: How,
    },
    /// Kill switch: the ladder bans nobody and its bans do not hold; bans by hand do
    Pause(How),
    /// Let the ladder go on
    Resume(How),
}

/// Whom to ask, and how to show the answer.
#[derive(Debug, Args)]
pub struct How {
    /// The running weir
    #[command(flatten)]
    target: Target,
    /// Print JSON, as /api/bans gives it
    #[arg(long)]
    json: bool,
}

/// Does what is asked.
pub fn ban(command: Ban) -> anyhow::Result<ExitCode> {
    let text = match command {
        Ban::List(how) => {
            let text = how.target.get(LIST)?;
            how.show(text, LIST, |bans: &BansView, colour| list(bans, colour))?
        }
        Ban::Add { address, duration, reason, how } => {
            let body = serde_json::to_string(&BanRequest { address, duration, reason })?;
            let text = how.target.post(LIST, body)?;
            how.show(text, LIST, |ban: &BanView, _| {
                let (network, until) = (harmless(&ban.network), harmless(&ban.until));
                format!("banned: {network} for {}, until {until}\n{}", span(ban.left_s), reach(ban))
            })?
        }
        Ban::Remove { address, how } => {
            let path = format!("{LIST}/{}", escaped(&address));
            let text = how.target.delete(&path)?;
            how.show(text, &path, |ban: &BanView, _| {
                format!("the ban of {} is lifted\n{}", harmless(&ban.network), reach(ban))
            })?
        }
        Ban::Pause(how) => switch(&how, "pause")?,
        Ban::Resume(how) => switch(&how, "resume")?,
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

const LIST: &str = "/api/bans";

impl How {
    fn show<T: serde::de::DeserializeOwned>(
        &self,
        text: String,
        path: &str,
        show: impl FnOnce(&T, bool) -> String,
    ) -> anyhow::Result<String> {
        if self.json { Ok(text + "\n") } else { Ok(show(&self.target.read(&text, path)?, wants_colour())) }
    }
}

fn switch(how: &How, word: &str) -> anyhow::Result<String> {
    let path = format!("{LIST}/{word}");
    let text = how.target.post(&path, String::new())?;
    how.show(text, &path, |status: &BanStatus, _| format!("{}; bans that hold: {}\n", ladder(status), status.active))
}

/// How far a ban, or its end, got beyond the weir that was asked: a line each.
pub(super) fn reach(ban: &BanView) -> String {
    let Some(reach) = &ban.reach else { return String::new() };
    let fleet = reach.fleet.map(|fleet| match fleet {
        FleetReach { tasks: 0, .. } => "  fleet    not told: its store cannot be reached; it will be".to_owned(),
        FleetReach { heard, tasks } => format!("  fleet    heard by {heard} of {tasks} tasks"),
    });
    let waf = reach.waf.as_ref().map(|waf| format!("  AWS WAF  {}", harmless(&waf.to_string())));
    fleet.into_iter().chain(waf).map(|line| line + "\n").collect()
}

/// What of an argument may stand in a path as it is; the rest is escaped.
fn escaped(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'/');
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// The ladder in one line.
fn ladder(status: &BanStatus) -> &'static str {
    match (status.enabled, status.paused) {
        (_, true) => "the ladder is paused: only bans by hand hold",
        (false, _) => "the ladder is off (ban.enabled = false): only bans by hand hold",
        _ => "the ladder works",
    }
}

fn list(view: &BansView, colour: bool) -> String {
    let title = format!("{} banned", view.status.active);
    let mut text = format!("{}; {}\n", paint(&title, Style::Bold, colour), ladder(&view.status));
    if !view.bans.is_empty() {
        text += &format!("\n{}", table(&view.bans).render(colour));
    }
    let more = (view.status.active as usize).saturating_sub(view.bans.len());
    if more > 0 {
        text += &format!("  and {more} more that end sooner\n");
    }
    if view.status.capped > 0 {
        text += &format!("{} suspects had to wait for ban.max_per_minute\n", view.status.capped);
    }
    text
}

/// Bans, a line each.
pub(super) fn table(bans: &[BanView]) -> Table {
    let mut table = Table::new(&["network", "step", "by", "left", ">hits", "since", "why"]);
    for ban in bans {
        let why = if ban.evidence.is_empty() { &ban.reason } else { &ban.evidence };
        let left = if ban.left_s > 0.0 { (span(ban.left_s), Style::Bad) } else { ("over".into(), Style::Dim) };
        table.row([
            plain(&ban.network),
            plain(&ban.step),
            plain(&ban.by),
            left,
            number(ban.hits),
            plain(&ban.since),
            plain(why),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::testing::{TOKEN, start};
    use crate::control::status::Phase;

    fn how(admin: &crate::admin::Admin) -> How {
        How { target: Target { admin: format!("http://{}", admin.address()), token_file: None }, json: false }
    }

    fn add(admin: &crate::admin::Admin, address: &str) -> anyhow::Result<ExitCode> {
        let (duration, reason) = ("10m".into(), "test".into());
        ban(Ban::Add { address: address.into(), duration, reason, how: how(admin) })
    }

    #[test]
    fn bans_are_shown_with_their_evidence_and_harmlessly() {
        let admin = start(None, Phase::Serving, vec![]);
        let text = list(&how(&admin).target.get_json(LIST).unwrap(), false);
        for part in ["2 banned; the ladder works", "ban 1", "42 s", "17", "8 failed logins beyond 3/m", "and 1 more"] {
            assert!(text.contains(part), "{part:?} is not in:\n{text}");
        }
        assert!(!text.contains('\x1b'), "{text}");
    }

    #[test]
    fn a_refused_ban_says_why() {
        let admin = start(None, Phase::Serving, vec![]);
        assert!(add(&admin, "203.0.113.9").is_ok());
        let refused = add(&admin, "10.0.0.5").unwrap_err().to_string();
        assert_eq!(refused, "ban of 10.0.0.5 refused: 10.0.0.5 is in client.trusted_proxies");
    }

    #[test]
    fn a_network_is_removed_by_its_own_name() {
        let admin = start(None, Phase::Serving, vec![]);
        let remove = |address: &str| ban(Ban::Remove { address: address.into(), how: how(&admin) });
        assert!(remove("192.0.2.0/24").is_ok());
        let unknown = remove("no such?").unwrap_err().to_string();
        assert_eq!(unknown, "no such? is not banned by itself");
    }

    #[test]
    fn the_kill_switch_is_heard_and_guarded() {
        let admin = start(None, Phase::Serving, vec![]);
        assert!(switch(&how(&admin), "pause").unwrap().starts_with("the ladder is paused"));
        assert!(switch(&how(&admin), "resume").unwrap().starts_with("the ladder works"));
        let closed = start(Some(TOKEN), Phase::Serving, vec![]);
        assert!(switch(&how(&closed), "pause").unwrap_err().to_string().contains("token"));
        assert!(add(&closed, "203.0.113.9").unwrap_err().to_string().contains("token"));
    }
}
