//! Panels of what comes, what weir makes of it, and how the origin bears it.

use super::Draw::{Lines, Number, Stack};
use super::{Row, gauge, panel, quantile, rate, selector};
use crate::sink::metrics::names as n;
use std::fmt::Write as _;

fn state() -> String {
    let mut expr = String::from("max(");
    for (place, state) in crate::flood::state::FloodState::ALL.iter().enumerate() {
        let or = if place == 0 { "" } else { " or " };
        let only = format!("state=\"{}\"", state.name());
        // Writing to a string can't fail.
        _ = write!(expr, "{or}{place} * ({} == 1)", selector(&n::FLOOD_STATE, &only));
    }
    expr + ")"
}

pub(super) fn now() -> Row {
    let class = |class: &str| rate(&n::REQUESTS, &format!("class=\"{class}\""), "");
    Row {
        title: "Now",
        panels: vec![
            panel("State", "the worst state of any task", "state", Number, vec![(state(), "state")]),
            panel("Tasks serving", n::READY.help, "short", Number, vec![(gauge("sum", &n::READY, "", ""), "tasks")]),
            panel(
                "Forwarded",
                "requests a second to the origin",
                "reqps",
                Number,
                vec![(class("forward"), "forwarded")],
            ),
            panel(
                "Refused",
                "requests a second that weir refused",
                "reqps",
                Number,
                vec![(class("refuse"), "refused")],
            ),
            panel(
                "In flight",
                n::IN_FLIGHT.help,
                "short",
                Number,
                vec![(gauge("sum", &n::IN_FLIGHT, "", ""), "requests")],
            ),
            panel("Bans", n::BANS.help, "short", Number, vec![(gauge("max", &n::BANS, "", ""), "bans")]),
        ],
    }
}

pub(super) fn traffic() -> Row {
    let refused = rate(&n::REQUESTS, "class=\"refuse\"", "reason");
    let responses = |by: &str| rate(&n::RESPONSES, &format!("by=\"{by}\""), "class");
    Row {
        title: "Traffic",
        panels: vec![
            panel(
                "Requests by how they ended",
                n::REQUESTS.help,
                "reqps",
                Stack,
                vec![(rate(&n::REQUESTS, "", "class"), "{{class}}")],
            ),
            panel("Refused by reason", "why requests were refused", "reqps", Stack, vec![(refused, "{{reason}}")]),
            panel(
                "Refused by limit",
                n::LIMIT_REFUSED.help,
                "reqps",
                Lines,
                vec![(rate(&n::LIMIT_REFUSED, "", "limit"), "{{limit}}")],
            ),
            panel(
                "Observed by limit",
                n::LIMIT_OBSERVED.help,
                "reqps",
                Lines,
                vec![(rate(&n::LIMIT_OBSERVED, "", "limit"), "{{limit}}")],
            ),
            panel(
                "Responses of the origin",
                "by the class of their status",
                "reqps",
                Stack,
                vec![(responses("origin"), "{{class}}")],
            ),
            panel(
                "Responses of weir",
                "by the class of their status",
                "reqps",
                Stack,
                vec![(responses("weir"), "{{class}}")],
            ),
            panel(
                "By what they ask for",
                n::BY_CLASS.help,
                "reqps",
                Stack,
                vec![(rate(&n::BY_CLASS, "", "class"), "{{class}}")],
            ),
            panel(
                "Bodies",
                n::BODY_BYTES.help,
                "Bps",
                Lines,
                vec![(rate(&n::BODY_BYTES, "", "direction"), "{{direction}}")],
            ),
            panel(
                "Connections",
                n::CONNECTIONS.help,
                "short",
                Lines,
                vec![
                    (gauge("sum", &n::CONNECTIONS, "", ""), "open"),
                    (rate(&n::CONNECTIONS_TOTAL, "", ""), "new a second"),
                ],
            ),
        ],
    }
}

pub(super) fn flood() -> Row {
    Row {
        title: "Flood",
        panels: vec![
            panel(
                "State over time",
                "0 normal, 1 elevated, 2 attack, 3 overload; the worst of all tasks",
                "state",
                Lines,
                vec![(state(), "state")],
            ),
            panel(
                "Offered against capacity",
                "what passed the limits, what is usual, what the origin can bear",
                "reqps",
                Lines,
                vec![
                    (gauge("sum", &n::FLOOD_OFFERED, "", ""), "offered"),
                    (gauge("sum", &n::FLOOD_USUAL, "", ""), "usual"),
                    (gauge("max", &n::FLOOD_CAPACITY, "", ""), "capacity"),
                ],
            ),
            panel(
                "By rank",
                n::BY_RANK.help,
                "reqps",
                Stack,
                vec![(rate(&n::BY_RANK, "", "rank,outcome"), "{{rank}} {{outcome}}")],
            ),
            panel(
                "Clients",
                n::FLOOD_CLIENTS.help,
                "short",
                Stack,
                vec![(gauge("sum", &n::FLOOD_CLIENTS, "", "seen"), "seen before: {{seen}}")],
            ),
            panel(
                "Admitted newcomers",
                n::FLOOD_ADMITTED.help,
                "percentunit",
                Lines,
                vec![(gauge("min", &n::FLOOD_ADMITTED, "", ""), "admitted")],
            ),
            panel(
                "Challenges",
                n::CHALLENGES.help,
                "cps",
                Stack,
                vec![(rate(&n::CHALLENGES, "", "result"), "{{result}}")],
            ),
            panel(
                "Changes of state",
                n::FLOOD_CHANGES.help,
                "cps",
                Lines,
                vec![(rate(&n::FLOOD_CHANGES, "", "to,cause"), "{{to}}: {{cause}}")],
            ),
            panel(
                "Known clients",
                n::HISTORY.help,
                "short",
                Lines,
                vec![(gauge("max", &n::HISTORY, "", "level"), "{{level}}")],
            ),
        ],
    }
}

pub(super) fn origin() -> Row {
    let failed = rate(&n::ENDPOINT_FAILURES, "", "");
    let sent = rate(&n::ENDPOINT_REQUESTS, "", "");
    Row {
        title: "Origin",
        panels: vec![
            panel(
                "Latency",
                n::ORIGIN_LATENCY.help,
                "s",
                Lines,
                vec![
                    (quantile(&n::ORIGIN_LATENCY, 0.5), "p50"),
                    (quantile(&n::ORIGIN_LATENCY, 0.95), "p95"),
                    (quantile(&n::ORIGIN_LATENCY, 0.99), "p99"),
                ],
            ),
            panel(
                "Failed share",
                "of requests that were sent to the origin",
                "percentunit",
                Lines,
                vec![(format!("{failed} / ({sent} > 0)"), "failed")],
            ),
            panel(
                "Endpoints up",
                n::ENDPOINT_UP.help,
                "short",
                Lines,
                vec![(gauge("min", &n::ENDPOINT_UP, "", "endpoint,group"), "{{endpoint}} {{group}}")],
            ),
            panel(
                "In flight by endpoint",
                n::ENDPOINT_IN_FLIGHT.help,
                "short",
                Stack,
                vec![(gauge("sum", &n::ENDPOINT_IN_FLIGHT, "", "endpoint"), "{{endpoint}}")],
            ),
            panel(
                "Requests by endpoint",
                n::ENDPOINT_REQUESTS.help,
                "reqps",
                Stack,
                vec![(rate(&n::ENDPOINT_REQUESTS, "", "endpoint"), "{{endpoint}}")],
            ),
        ],
    }
}
