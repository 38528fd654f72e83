//! The report in words: what every part of the document says.

use super::advice::advice;
use super::chart::Chart;
use super::document::{Block, Span, about, code, number, plain};
use super::findings::{Estimate, Findings, Phase};
use super::gather::Counts;
use super::tally::Tally;
use crate::base::rfc3339;

/// Rows of a table at most.
const ROWS: usize = 10;
/// Bans in the timeline at most: the first ones, as the rest is like them.
const BANS_TOLD: usize = 20;
/// Lines of the timeline at most.
const EVENTS_TOLD: usize = 200;

/// The whole document.
pub fn compose(findings: &Findings<'_>) -> Vec<Block> {
    let log = findings.log;
    let title = format!("Incident report, {} to {}", time(log.from), time(log.to));
    let mut blocks = vec![Block::Heading(1, title), Block::Text(summary(findings))];
    blocks.push(Block::Chart(Chart::new(findings, time(log.from), time(log.to))));
    blocks.extend(timeline(findings));
    blocks.extend(refused(findings));
    blocks.extend(leaked(findings));
    blocks.extend(hurt(findings));
    blocks.extend(others(findings));
    blocks.extend(advice(findings));
    blocks.extend(sureness(findings));
    blocks
}

fn summary(findings: &Findings<'_>) -> Vec<Span> {
    let log = findings.log;
    let at_least = if log.full_seconds > 0 { "at least " } else { "" };
    let when = match findings.during() {
        None => "Nothing stood out in this time".to_owned(),
        Some(p) if findings.seen_by_detector => {
            format!("weir saw a flood from {} to {} ({})", time(p.from), time(p.to), length(p.to - p.from))
        }
        Some(p) => format!(
            "The flood detector saw none; most was refused from {} to {} ({})",
            time(p.from),
            time(p.to),
            length(p.to - p.from)
        ),
    };
    let peak = log.peak.map_or(String::new(), |(offered, capacity)| {
        format!(", with up to {} requests a second against an origin that bears {}", about(offered), about(capacity))
    });
    vec![plain(format!(
        "{when}{peak}. It passed on {} and refused {at_least}{}. Of {} banned or mostly refused, {} reached the origin; \
         {} known as good had {} refused, and the origin failed {}.",
        estimate(findings.forwarded),
        number(findings.all.refused),
        many(findings.offenders.len() as u64, "client"),
        estimate(findings.leaked),
        many(findings.hurt.len() as u64, "client"),
        many(findings.hurt_lines, "request"),
        many(findings.all.failed, "request"),
    ))]
}

fn timeline(findings: &Findings<'_>) -> Vec<Block> {
    let log = findings.log;
    let mut blocks = vec![Block::Heading(2, "Timeline".into())];
    let mut events: Vec<_> = log.events.iter().collect();
    events.sort_by_key(|e| e.at);
    let (mut rows, mut bans) = (vec![], 0);
    for event in events {
        bans += usize::from(event.what == "ban");
        if (event.what != "ban" || bans <= BANS_TOLD) && rows.len() < EVENTS_TOLD {
            rows.push(vec![plain(time(event.at)), code(&event.what), code(&event.text), code(&event.why)]);
        }
    }
    let left_out = log.events.len() - rows.len() + log.events_cut as usize;
    if rows.is_empty() {
        let words = "The log tells of no change of state and no ban. weir writes such lines since it knows kind = ban and state; \
                     a sample of requests has none.";
        blocks.push(Block::Text(vec![plain(words)]));
    } else {
        blocks.push(Block::Table(vec!["when (UTC)", "what", "how", "why"], rows));
    }
    if left_out > 0 {
        blocks.push(Block::Text(vec![plain(format!(
            "{} more, most of them bans, are left out.",
            number(left_out as u64)
        ))]));
    }
    if !log.bans.is_empty() {
        let causes = log.bans.top(ROWS, |n| *n).into_iter();
        let rows = causes.map(|(cause, n)| vec![code(cause), plain(number(*n))]).collect();
        blocks.push(Block::Table(vec!["bans by cause", ">how many"], rows));
    }
    blocks
}

fn refused(findings: &Findings<'_>) -> Vec<Block> {
    let log = findings.log;
    let mut blocks = vec![Block::Heading(2, "What was refused, and why".into())];
    if findings.all.refused == 0 {
        blocks.push(Block::Text(vec![plain("Nothing.")]));
        return blocks;
    }
    for (name, tally) in [("reason", &log.reasons), ("limit or list", &log.rules)] {
        blocks.extend(table(findings, name, tally, false));
    }
    let parts: [(&'static str, &Tally<Counts>); 4] =
        [("path", &log.paths), ("network", &log.networks), ("client", &log.clients), ("user agent", &log.agents)];
    for (name, tally) in parts {
        blocks.extend(table(findings, name, tally, true));
    }
    blocks
}

/// What was refused most; beside it what was passed on, where that is told apart too.
fn table(findings: &Findings<'_>, name: &'static str, tally: &Tally<Counts>, passed_on: bool) -> Option<Block> {
    let columns = if passed_on { 5 } else { 4 };
    let all = findings.all.refused.max(1) as f64;
    let row = |(name, c): (&str, &Counts)| {
        let share = format!("{:.1} %", c.refused as f64 * 100.0 / all);
        let passed = Estimate::new(c.forwarded, findings.log.sampling.forwarded).about;
        let mut row = vec![
            code(name),
            plain(number(c.refused)),
            plain(share),
            plain(number(c.known_refused)),
            plain(about(passed)),
        ];
        row.truncate(columns);
        row
    };
    let rows: Vec<_> = tally.top(ROWS, |c| c.refused).into_iter().map(row).collect();
    let mut heading = vec![name, ">refused", ">of all", ">to known clients", ">passed on, about"];
    heading.truncate(columns);
    (!rows.is_empty()).then_some(Block::Table(heading, rows))
}

fn leaked(findings: &Findings<'_>) -> Vec<Block> {
    let mut blocks = vec![Block::Heading(2, "What leaked".into())];
    let share = findings.log.sampling.forwarded;
    blocks.push(Block::Text(vec![plain(format!(
        "Requests passed on of clients that were banned in this time, or of whose requests most (and ten at least) were \
         refused: {}, of {}.",
        estimate(findings.leaked),
        many(findings.offenders.len() as u64, "client")
    ))]));
    let leaky = findings.offenders.iter().filter(|(_, c)| c.forwarded > 0).take(ROWS);
    let row = |(client, c): &(&str, &Counts)| {
        vec![code(*client), plain(about(Estimate::new(c.forwarded, share).about)), plain(number(c.refused))]
    };
    let rows: Vec<_> = leaky.map(row).collect();
    if !rows.is_empty() {
        blocks.push(Block::Table(vec!["client", ">passed on, about", ">refused"], rows));
    }
    blocks
}

fn hurt(findings: &Findings<'_>) -> Vec<Block> {
    let mut blocks = vec![Block::Heading(2, "Who was hurt".into())];
    blocks.push(Block::Text(vec![plain(format!(
        "{} with credit or seen before had {} refused or challenged.",
        many(findings.hurt.len() as u64, "client"),
        many(findings.hurt_lines, "request")
    ))]));
    let row =
        |(client, c): &(&str, &Counts)| vec![code(*client), plain(number(c.known_refused)), plain(number(c.failed))];
    let rows: Vec<_> = findings.hurt.iter().take(ROWS).map(row).collect();
    if !rows.is_empty() {
        blocks.push(Block::Table(vec!["known client", ">refused", ">failed"], rows));
    }
    let rows = findings.phases.iter().map(|phase| row_of(findings, phase)).collect();
    let heading = vec![
        "phase",
        "from (UTC)",
        ">passed on a minute",
        ">refused a minute",
        ">failed",
        ">5xx of the origin",
        ">p50",
        ">p95",
    ];
    blocks.push(Block::Table(heading, rows));
    blocks
}

fn row_of(findings: &Findings<'_>, phase: &Phase) -> Vec<Span> {
    let minutes = phase.minutes().max(1.0 / 60.0);
    let passed = Estimate::new(phase.sum.forwarded, findings.log.sampling.forwarded).about;
    let errors = match phase.sum.forwarded {
        0 => "–".to_owned(),
        lines => format!("{:.1} %", phase.sum.errors as f64 * 100.0 / lines as f64),
    };
    let latency = |share| phase.sum.latency(share).map_or("–".to_owned(), |ms| format!("{} ms", significant(ms)));
    vec![
        plain(phase.name),
        plain(time(phase.from)),
        plain(about(passed / minutes)),
        plain(about(phase.sum.refused as f64 / minutes)),
        plain(number(phase.sum.failed)),
        plain(errors),
        plain(latency(0.5)),
        plain(latency(0.95)),
    ]
}

fn others(findings: &Findings<'_>) -> Vec<Block> {
    let of = |what: &str| findings.log.events.iter().filter(|e| e.what == what).count() as u64;
    let told: Vec<_> = ["waf", "fleet", "aviatrix", "alert"].into_iter().filter(|w| of(w) > 0).collect();
    let mut blocks = vec![Block::Heading(2, "What the others did".into())];
    if told.is_empty() {
        blocks.push(Block::Text(vec![plain("The log tells nothing of AWS WAF, the fleet, Aviatrix or alerts.")]));
    } else {
        let item = |w: &&str| vec![code(*w), plain(format!(": {} changes, in the timeline above", number(of(w))))];
        blocks.push(Block::List(told.iter().map(item).collect()));
    }
    blocks
}

fn sureness(findings: &Findings<'_>) -> Vec<Block> {
    let (log, share) = (findings.log, findings.log.sampling.forwarded * 100.0);
    let source = if log.sampling.is_told { "as the config says" } else { "weir's default, as no config was read" };
    let mut items = vec![format!(
        "Requests passed on are a sample: {share} % have a line ({source}), and counts of them are scaled up by that. If the \
         share was another at that time, say so with --forwarded-sample."
    )];
    items.push(match log.full_seconds {
        0 => "No second had as many refusals as may have a line, so the refusals should all be here.".into(),
        n => format!(
            "In {} seconds there were as many lines of refusals as may be (log.refused_rate): more were refused than is said \
             here. weir_requests_total has the whole number.",
            number(n)
        ),
    });
    if let Some((first, last)) = log.log_span {
        items.push(format!(
            "{} lines of this time were read; the log reaches from {} to {}.",
            number(log.lines),
            time(first),
            time(last)
        ));
    }
    if let (n @ 1.., Some(first)) = (log.faults.0, &log.faults.1) {
        items.push(format!("{} lines could not be read; the first: {first}.", number(n)));
    }
    for (what, tally) in
        [("clients", &log.clients), ("networks", &log.networks), ("paths", &log.paths), ("user agents", &log.agents)]
    {
        if tally.cut > 0 {
            items.push(format!(
                "Of {what}, those with the fewest lines were left out to bound memory: {} with {} lines together.",
                number(tally.cut),
                number(tally.cut_weight)
            ));
        }
    }
    items.push(
        "Lines that were lost before they were written leave no trace here: see weir_events_dropped_total and \
         weir_log_lines_lost_total of that time."
            .into(),
    );
    let items = items.into_iter().map(|text| vec![plain(text)]).collect();
    vec![Block::Heading(2, "How sure this is".into()), Block::List(items)]
}

fn estimate(e: Estimate) -> String {
    match () {
        () if e.lines == 0 => "no request that has a line".into(),
        () if e.off == 0.0 => many(e.lines, "request"),
        () => {
            format!("about {} requests ({} lines, ±{:.0} %)", about(e.about), number(e.lines), (e.off * 100.0).ceil())
        }
    }
}

fn many(n: u64, what: &str) -> String {
    format!("{} {what}{}", number(n), if n == 1 { "" } else { "s" })
}

/// `2024-02-29T12:00:00Z`.
fn time(ms: u64) -> String {
    let text = rfc3339::from_unix_nanos(ms.saturating_mul(1_000_000));
    format!("{}Z", &text[..text.len().saturating_sub(5)])
}

fn length(ms: u64) -> String {
    let minutes = ms.div_ceil(60_000);
    match (minutes / 60, minutes % 60) {
        (0, m) => format!("{m} min"),
        (h, 0) => format!("{h} h"),
        (h, m) => format!("{h} h {m} min"),
    }
}

/// A latency is known to a tenth of itself.
fn significant(ms: f64) -> String {
    if ms < 10.0 {
        format!("{ms:.1}")
    } else {
        about((ms / 10f64.powf(ms.log10().floor() - 1.0)).round() * 10f64.powf(ms.log10().floor() - 1.0))
    }
}
