//! A line of the ingress log as far as a report needs it. Whatever a client or a stranger wrote stays text.

use crate::simulate::log::time;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A request, a ban or a change of state.
#[derive(Debug)]
pub enum Line<'a> {
    /// A request.
    Request(Request<'a>),
    /// A ban.
    Ban(Ban),
    /// A change of state.
    State(State),
}

/// A request that was passed on, refused, or failed.
#[derive(Debug, Deserialize)]
pub struct Request<'a> {
    /// The client: an address, the first of a network, or a hash.
    #[serde(borrow)]
    pub client: Cow<'a, str>,
    /// `forwarded`, `refused`, `closed`, `failed`, `gone` or `own`.
    #[serde(borrow)]
    pub outcome: Cow<'a, str>,
    /// The reason's code.
    #[serde(borrow)]
    pub reason: Cow<'a, str>,
    /// The limit or list that decided.
    #[serde(borrow, default)]
    pub rule: Cow<'a, str>,
    /// Status sent; 0 where there was none.
    #[serde(default)]
    pub status: u16,
    /// Path without its query.
    #[serde(borrow, default)]
    pub path: Cow<'a, str>,
    /// User agent.
    #[serde(borrow, default)]
    pub user_agent: Cow<'a, str>,
    /// The flood's state.
    #[serde(borrow, default)]
    pub state: Cow<'a, str>,
    /// The client's rank.
    #[serde(borrow, default)]
    pub rank: Cow<'a, str>,
    /// From the head to the origin's first byte.
    pub origin_ms: Option<f64>,
    /// Requests offered in that second.
    pub offered: Option<f64>,
    /// What the origin can bear.
    pub capacity: Option<f64>,
    /// How often the limit that refused lets come.
    #[serde(borrow, default)]
    pub limit_rate: Cow<'a, str>,
}

impl Request<'_> {
    /// Whether weir turned it away.
    pub fn is_refused(&self) -> bool {
        matches!(self.outcome.as_ref(), "refused" | "closed")
    }

    /// Whether it is of the sampled kind.
    pub fn is_forwarded(&self) -> bool {
        self.outcome == "forwarded"
    }

    /// Whether the client had come before and behaved.
    pub fn is_known(&self) -> bool {
        matches!(self.rank.as_ref(), "credited" | "seen" | "proven")
    }
}

/// A ban began, changed or ended.
#[derive(Debug, Deserialize)]
pub struct Ban {
    /// `added`, `raised`, `lifted` or `expired`.
    pub action: String,
    /// The network, or its hash.
    pub network: String,
    /// How hard it is.
    #[serde(default)]
    pub step: String,
    /// Who wanted it.
    #[serde(default)]
    pub cause: String,
    /// The evidence.
    #[serde(default)]
    pub reason: String,
}

/// Something is otherwise than before.
#[derive(Debug, Deserialize)]
pub struct State {
    /// Whose state.
    pub of: String,
    /// Which one.
    #[serde(default)]
    pub name: String,
    /// Before.
    #[serde(default)]
    pub from: String,
    /// Now.
    #[serde(default)]
    pub to: String,
    /// Why, as a code.
    #[serde(default)]
    pub cause: String,
    /// Why, in words.
    #[serde(default)]
    pub text: String,
    /// The figures that it rests on.
    #[serde(default)]
    pub evidence: BTreeMap<String, f64>,
}

/// The time of a line, in milliseconds since 1970, and what it says.
///
/// # Errors
/// Where it is no line of the ingress log in JSON.
pub fn parse(text: &str) -> Result<(u64, Line<'_>), String> {
    // What CloudWatch Logs exports begins with a time of its own.
    let text = text.find('{').map_or(text, |at| &text[at..]);
    let no_line = |e: serde_json::Error| format!("no line of the ingress log: {e}");
    let head: Head<'_> = serde_json::from_str(text).map_err(no_line)?;
    let at = time::rfc3339(&head.time).filter(|t| (0.0..1e11).contains(t));
    let at = (at.ok_or("time: expected an RFC 3339 date")? * 1_000.0).round() as u64;
    let line = match head.kind.as_ref() {
        "ban" => Line::Ban(serde_json::from_str(text).map_err(no_line)?),
        "state" => Line::State(serde_json::from_str(text).map_err(no_line)?),
        "" | "request" | "refusal" => Line::Request(serde_json::from_str(text).map_err(no_line)?),
        _ => return Err("kind: expected request, refusal, ban or state".into()),
    };
    Ok((at, line))
}

/// What every line has.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow, default)]
    kind: Cow<'a, str>,
}

/// `text` for a report: no more than `most` characters.
pub fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_kind_are_read() {
        let (at, line) = parse(r#"{"time":"2024-02-29T12:00:00.250Z","kind":"refusal","client":"h:0123","outcome":"refused","reason":"limit","path":"/\u0000<b>","new":[1]}"#).unwrap();
        assert_eq!(at, 1_709_208_000_250);
        assert!(matches!(line, Line::Request(r) if r.is_refused() && r.path == "/\0<b>"));
        let ban = r#"2024-02-29T12:00:01Z {"time":"2024-02-29T12:00:00Z","kind":"ban","action":"added","network":"192.0.2.7/32","cause":"login"}"#;
        assert!(matches!(parse(ban).unwrap().1, Line::Ban(b) if b.network == "192.0.2.7/32"));
        let state = r#"{"time":"2024-02-29T12:00:00Z","kind":"state","of":"flood","from":"normal","to":"attack","evidence":{"offered":1e3}}"#;
        assert!(matches!(parse(state).unwrap().1, Line::State(s) if s.evidence["offered"] == 1e3));
    }

    #[test]
    fn other_lines_are_refused() {
        for text in [
            "",
            "{}",
            "}{",
            "http 2018-07-02T22:23:00.186641Z app/x 192.0.2.7:1 - 0",
            r#"{"time":"later","client":"","outcome":"","reason":""}"#,
            r#"{"time":"2024-02-29T12:00:00Z","kind":"poem"}"#,
            r#"{"time":"2024-02-29T12:00:00Z","kind":"ban","action":1}"#,
            r#"{"time":"2024-02-29T12:00:00Z","outcome":"refused"}"#,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
