//! The report for people.

use super::{chart, compare};
use crate::base::rfc3339;
use crate::cli::table::{Style, Table, harmless, number, paint, plain, span, wants_colour};
use crate::simulate::summary::{ConfigView, PeakView, ReasonView, Summary};
use std::fmt::Write as _;

/// The most changes of state that are shown.
const MOST_CHANGES: usize = 30;

/// The whole report.
pub(super) fn render(summary: &Summary) -> String {
    let colour = wants_colour();
    let width = usize::from(console::Term::stdout().size().1);
    let mut text = String::new();
    input(summary, &mut text);
    if summary.log.requests > 0 {
        if let ([first, second, ..], Some(differences)) = (summary.configs.as_slice(), &summary.differences) {
            text += &compare::render(first, second, differences, colour);
        }
        for config in &summary.configs {
            one(config, width, colour, &mut text);
        }
    }
    head("Notes", colour, &mut text);
    for note in &summary.notes {
        line(&mut text, &format!("  - {}", harmless(note)));
    }
    text
}

/// What was read.
fn input(summary: &Summary, text: &mut String) {
    let log = &summary.log;
    let more = if log.more_clients { "more than " } else { "" };
    line(
        text,
        &format!(
            "{} requests of {more}{} clients, {} to {} ({}){}",
            n(log.requests),
            n(log.clients as u64),
            time(log.first),
            time(log.last),
            span((log.last - log.first).max(0.0)),
            match log.formats.as_slice() {
                [] => String::new(),
                formats => format!(", {}", formats.join(" and ")),
            }
        ),
    );
    if let Some(history) = &summary.history {
        line(text, &format!("{} requests before them, as history", n(history.requests - history.overlap)));
    }
    let history_faults = summary.history.as_ref().map_or(0, |h| h.faults);
    if log.faults + history_faults > 0 {
        line(text, &format!("{} lines could not be used:", n(log.faults + history_faults)));
        log.first_faults.iter().for_each(|fault| line(text, &format!("  {}", harmless(fault))));
    }
}

/// What one config did.
fn one(config: &ConfigView, width: usize, colour: bool, text: &mut String) {
    let verdicts = &config.verdicts;
    let all = verdicts.forward + verdicts.turned_away();
    text.push('\n');
    line(text, &paint(&harmless(&config.config), Style::Bold, colour));
    line(
        text,
        &format!(
            "  {} forwarded, {} turned away ({}), {} clients of them",
            n(verdicts.forward),
            n(verdicts.turned_away()),
            percent(verdicts.turned_away(), all),
            n(config.refused_clients as u64)
        ),
    );
    let (challenged, passed, bans) = (n(config.challenged), n(config.passed), n(config.bans));
    line(text, &format!("  {challenged} challenged, {passed} of them passed; {bans} bans"));
    line(
        text,
        &format!(
            "  at most {} offered and {} forwarded, of {:.0}/s",
            peak(&config.peak_offered),
            peak(&config.peak_forwarded),
            config.capacity
        ),
    );
    if config.waited > 0 {
        let longest = config.longest_wait * 1e3;
        line(text, &format!("  {} waited for their turn, {longest:.0} ms at most", n(config.waited)));
    }
    line(text, "");
    text.push_str(&chart::draw(&config.series, config.capacity, width, colour));
    head("Why", colour, text);
    text.push_str(&reasons(config, all).render(colour));
    observed(config, colour, text);
    top(config, colour, text);
    changes(config, colour, text);
}

fn reasons(config: &ConfigView, all: u64) -> Table {
    let mut table = Table::new(&["reason", "limit", ">requests", ">share", ">clients"]);
    for reason in &config.reasons {
        table.row([
            plain(reason.reason),
            plain(reason.limit.as_deref().unwrap_or("")),
            number(reason.count),
            plain(percent(reason.count, all)),
            reason.clients.map_or_else(|| plain(""), |clients| number(clients as u64)),
        ]);
    }
    table
}

fn observed(config: &ConfigView, colour: bool, text: &mut String) {
    if config.observed.is_empty() {
        return;
    }
    head("Would be over limits that only observe", colour, text);
    let mut table = Table::new(&["limit", ">requests"]);
    config.observed.iter().for_each(|o| table.row([plain(&o.limit), number(o.count)]));
    text.push_str(&table.render(colour));
}

fn top(config: &ConfigView, colour: bool, text: &mut String) {
    if config.top.is_empty() {
        return;
    }
    head("Turned away most", colour, text);
    let mut table = Table::new(&["client", ">refused", ">of", "first", "last", "why"]);
    for client in &config.top {
        table.row([
            plain(&client.client),
            number(client.refused),
            number(client.requests),
            plain(time(client.first)),
            plain(time(client.last)),
            plain(client.reasons.iter().map(why).collect::<Vec<_>>().join(", ")),
        ]);
    }
    text.push_str(&table.render(colour));
}

fn why(reason: &ReasonView) -> String {
    let limit = reason.limit.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
    format!("{}{limit} {}", reason.reason, n(reason.count))
}

fn changes(config: &ConfigView, colour: bool, text: &mut String) {
    if config.changes.is_empty() {
        return;
    }
    let states = &config.state_seconds;
    let seconds = [("elevated", states.elevated), ("attack", states.attack), ("overload", states.overload)];
    let seconds: Vec<String> =
        seconds.iter().filter(|(_, s)| *s > 0.0).map(|(name, s)| format!("{name} {}", span(*s))).collect();
    head(&format!("States: {}", seconds.join(", ")), colour, text);
    for change in config.changes.iter().take(MOST_CHANGES) {
        let grave = matches!(change.to, "attack" | "overload");
        let to = paint(change.to, if grave { Style::Bad } else { Style::Bold }, colour);
        line(text, &format!("  {}  {} → {to}: {}", time(change.at), change.from, change.text));
        line(text, &format!("    {}", paint(&change.evidence, Style::Dim, colour)));
    }
    if config.changes.len() > MOST_CHANGES {
        line(text, &format!("  and {} more: see --json", config.changes.len() - MOST_CHANGES));
    }
}

fn head(title: &str, colour: bool, text: &mut String) {
    line(text, &format!("\n{}", paint(title, Style::Bold, colour)));
}

fn line(text: &mut String, words: &str) {
    // Writing to a string can't fail.
    _ = writeln!(text, "{words}");
}

pub(super) fn n(count: u64) -> String {
    number(count).0
}

pub(super) fn peak(peak: &PeakView) -> String {
    if peak.count == 0 { "0/s".to_owned() } else { format!("{}/s ({})", n(peak.count.into()), time(peak.at)) }
}

pub(super) fn percent(part: u64, all: u64) -> String {
    format!("{:.2} %", 100.0 * part as f64 / all.max(1) as f64)
}

/// A moment, to the second unless it says more.
fn time(seconds: f64) -> String {
    let text = rfc3339::from_unix_nanos((seconds.max(0.0) * 1e9) as u64);
    text.replace(".000Z", "Z").replace('T', " ")
}
