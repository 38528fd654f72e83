//! Two configs side by side.

use super::text::n;
use crate::cli::table::{Style, Table, harmless, paint, plain};
use crate::simulate::summary::{ConfigView, Differences};
use std::collections::BTreeSet;

/// Both configs in columns, and what differs.
pub(super) fn render(first: &ConfigView, second: &ConfigView, differences: &Differences, colour: bool) -> String {
    let mut text = format!("\n{}\n", paint("Side by side", Style::Bold, colour));
    text += &format!("  first: {}, second: {}\n", harmless(&first.config), harmless(&second.config));
    let mut table = Table::new(&["", ">first", ">second", ">difference"]);
    let all = [figures(first), figures(second)];
    for ((name, a), (_, b)) in all[0].iter().zip(&all[1]) {
        row(&mut table, name, *a, *b);
    }
    for (reason, limit) in reasons(first, second) {
        let count = |config: &ConfigView| {
            let is_it = |r: &&crate::simulate::summary::ReasonView| (r.reason, &r.limit) == (reason, &limit);
            config.reasons.iter().find(is_it).map_or(0, |r| r.count)
        };
        let name = limit.as_ref().map_or_else(|| reason.to_owned(), |limit| format!("{reason} {limit}"));
        row(&mut table, &format!("by {name}"), count(first), count(second));
    }
    text += &table.render(colour);
    let Differences { requests, only_first_forwards, only_second_forwards, .. } = differences;
    text += &format!(
        "  {} requests end otherwise: {} are forwarded by the first only, {} by the second only\n",
        n(*requests),
        n(*only_first_forwards),
        n(*only_second_forwards)
    );
    text += &format!(
        "  {} clients are turned away by the first only, {} by the second only\n",
        n(differences.clients_only_first_refuses as u64),
        n(differences.clients_only_second_refuses as u64)
    );
    text
}

fn row(table: &mut Table, name: &str, first: u64, second: u64) {
    let sign = if second >= first { "+" } else { "-" };
    let difference = match second.abs_diff(first) {
        0 => "=".to_owned(),
        by => format!("{sign}{}", n(by)),
    };
    table.row([plain(name), plain(n(first)), plain(n(second)), plain(difference)]);
}

fn figures(config: &ConfigView) -> [(&'static str, u64); 9] {
    let states = &config.state_seconds;
    [
        ("forwarded", config.verdicts.forward),
        ("turned away", config.verdicts.turned_away()),
        ("clients turned away", config.refused_clients as u64),
        ("challenged", config.challenged),
        ("passed the challenge", config.passed),
        ("most forwarded in a second", config.peak_forwarded.count.into()),
        ("seconds elevated", states.elevated as u64),
        ("seconds of attack", states.attack as u64),
        ("seconds of overload", states.overload as u64),
    ]
}

/// Every reason of either, forwarding aside.
fn reasons(first: &ConfigView, second: &ConfigView) -> BTreeSet<(&'static str, Option<String>)> {
    let all = first.reasons.iter().chain(&second.reasons).filter(|r| r.clients.is_some());
    all.map(|r| (r.reason, r.limit.clone())).collect()
}
