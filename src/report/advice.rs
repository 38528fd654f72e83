//! What to do next, with the lines to do it with.

use super::document::{Block, Span, code, number, plain};
use super::findings::Findings;

/// The share of all refusals from which on a network or a path stands out.
const STANDS_OUT: f64 = 0.2;
/// From so many refusals on there is something to advise.
const ENOUGH: u64 = 100;

/// Headed advice; each with its reason and its lines.
pub(super) fn advice(findings: &Findings<'_>) -> Vec<Block> {
    let mut blocks = vec![Block::Heading(2, "What to do next".into())];
    let parts = [networks(findings), paths(findings), limits(findings), origin(findings), log(findings)];
    let parts: Vec<Block> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        blocks.push(Block::Text(vec![plain("Nothing stands out that a change of the config would answer.")]));
    }
    blocks.extend(parts);
    blocks
}

fn networks(findings: &Findings<'_>) -> Vec<Block> {
    let all = findings.all.refused;
    // Where people come from who behave, a whole network is too much to close.
    let guilty: Vec<&str> = findings
        .log
        .networks
        .top(20, |c| c.refused)
        .into_iter()
        .filter(|(_, c)| c.refused >= ENOUGH && c.refused as f64 >= STANDS_OUT * all as f64 && c.known_refused == 0)
        .map(|(network, _)| network)
        .collect();
    if guilty.is_empty() {
        return vec![];
    }
    let list: Vec<String> = guilty.iter().map(|n| format!("\"{n}\"")).collect();
    vec![
        Block::Text(vec![plain(
            "These networks sent a fifth or more of all refused requests each, and no known client is among them. Ban them \
             for a day, or put them on the deny list for good:",
        )]),
        Block::Code(format!(
            "{}\n\n[lists]\ndeny = [{}]",
            guilty.iter().map(|n| format!("weir ban add {n} --for 24h")).collect::<Vec<_>>().join("\n"),
            list.join(", ")
        )),
    ]
}

fn paths(findings: &Findings<'_>) -> Vec<Block> {
    let worst = findings.log.paths.top(1, |c| c.refused);
    let Some((path, counts)) = worst.first().copied() else { return vec![] };
    let share = counts.refused as f64 / findings.all.refused.max(1) as f64;
    if counts.refused < ENOUGH || share < STANDS_OUT || !is_simple(path) {
        return vec![];
    }
    vec![
        Block::Text(vec![
            plain(format!("{:.0} % of all refusals were of ", share * 100.0)),
            code(path),
            plain(
                ". A limit of its own, watched at first: see what it would have refused, then set its rate and take the \
                   last line away:",
            ),
        ]),
        Block::Code(format!(
            "[[limit]]\nname = \"{}\"\nmatch = {{ path = \"{path}\" }}\nrate = \"30/m\"\nburst = 10\naction = \"observe\"",
            name_of(path)
        )),
    ]
}

/// Whether a path can stand in a config as it is.
fn is_simple(path: &str) -> bool {
    path.starts_with('/') && path.len() > 1 && path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-._".contains(&b))
}

fn name_of(path: &str) -> String {
    let name: String =
        path.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let name = name.trim_matches('-').to_owned();
    name[..name.len().min(30)].to_owned()
}

fn limits(findings: &Findings<'_>) -> Vec<Block> {
    let strict = findings.log.rules.top(3, |c| c.known_refused);
    let strict: Vec<_> =
        strict.into_iter().filter(|(_, c)| c.known_refused >= OFTEN && !c.limit_rate.is_empty()).collect();
    if strict.is_empty() {
        return vec![];
    }
    let item = |(name, c): &(&str, &super::gather::Counts)| -> Vec<Span> {
        vec![
            code(*name),
            plain(" at "),
            code(c.limit_rate.as_str()),
            plain(format!(": {} refusals of known clients, {} in all", number(c.known_refused), number(c.refused))),
        ]
    };
    let first = strict[0];
    let tried =
        format!("weir simulate --log LOG --config NEW.toml --compare OLD.toml   # [[limit]] {}", name_of(first.0));
    vec![
        Block::Text(vec![plain(
            "Limits that refused known clients. Try a higher rate on this very log before it is set:",
        )]),
        Block::List(strict.iter().map(item).collect()),
        Block::Code(tried),
    ]
}

/// Refusals of known clients from which on a limit may be too strict.
const OFTEN: u64 = 20;

fn origin(findings: &Findings<'_>) -> Vec<Block> {
    let count =
        |reason: &str| findings.log.reasons.iter().find(|(r, _)| *r == reason).map_or(0, |(_, c)| c.refused + c.failed);
    let full = count("origin-capacity") + count("origin-in-flight");
    if full < ENOUGH {
        return vec![];
    }
    vec![Block::Text(vec![
        plain(format!("{} requests were refused because the origin had no room. If it was idle then, ", number(full))),
        code("origin.capacity"),
        plain(" or "),
        code("origin.max_in_flight"),
        plain(" is too low: docs/capacity.md says how to measure it."),
    ])]
}

fn log(findings: &Findings<'_>) -> Vec<Block> {
    let mut lines = String::new();
    let sampling = &findings.log.sampling;
    if findings.log.full_seconds > 0 {
        lines += &format!("refused_rate = \"{}/s\"\n", (sampling.refused_per_second * 10.0).ceil() as u64);
    }
    if findings.leaked.lines > 0 && findings.leaked.off > 0.3 {
        let share = (sampling.forwarded * 1_000.0).clamp(1.0, 100.0);
        lines += &format!("forwarded_sample = \"{share:.0}%\"\n");
    }
    if lines.is_empty() {
        return vec![];
    }
    vec![
        Block::Text(vec![plain("For a surer report of the next incident:")]),
        Block::Code(format!("[log]\n{}", lines.trim_end())),
    ]
}
