//! What became of one request.

use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

/// What the proxy did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The origin answered.
    Forwarded { status: u16 },
    /// The proxy answered in the origin's place.
    Refused { status: u16, rule: String, reason: String },
    /// The connection was closed without an answer.
    Closed,
    /// No answer for another cause.
    Failed(&'static str),
    /// The line can't be sent as HTTP.
    Unsendable(&'static str),
}

/// The members of weir's problem documents that say who refused.
#[derive(Deserialize)]
struct Problem {
    reason: String,
    #[serde(default)]
    rule: Option<String>,
}

/// Whether an answer may be a refusal, so that its body is worth reading.
pub(crate) fn may_be_refusal(status: StatusCode, headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    (status.is_client_error() || status.is_server_error()) && kind.starts_with("application/problem+json")
}

/// The outcome of an answer that [`may_be_refusal`]; an answer to HEAD has no body to say more.
pub(crate) fn of_problem(status: StatusCode, headers: &HeaderMap, body: &[u8], head: bool) -> Outcome {
    let policy = || policy(headers).unwrap_or("-").to_owned();
    let status = status.as_u16();
    match serde_json::from_slice::<Problem>(body) {
        Ok(Problem { reason, rule }) => Outcome::Refused { status, rule: rule.unwrap_or_else(policy), reason },
        Err(_) if head => Outcome::Refused { status, rule: policy(), reason: format!("{status} to HEAD") },
        // A problem document of the origin's own.
        Err(_) => Outcome::Forwarded { status },
    }
}

/// The name in `RateLimit: "per-client";r=0;t=5`.
fn policy(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get("ratelimit").or_else(|| headers.get("ratelimit-policy"))?.to_str().ok()?;
    value.strip_prefix('"')?.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(kind: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert("ratelimit", HeaderValue::from_static("\"login\";r=0;t=5"));
        headers
    }

    #[test]
    fn a_refusal_names_its_rule_and_reason() {
        let refused =
            |rule: &str, reason: &str| Outcome::Refused { status: 429, rule: rule.into(), reason: reason.into() };
        let (problem, status) = (headers("application/problem+json"), StatusCode::TOO_MANY_REQUESTS);
        assert!(may_be_refusal(status, &problem));
        let of = |body: &str, head| of_problem(status, &problem, body.as_bytes(), head);
        assert_eq!(
            of(r#"{"reason":"client_limit","rule":"per-client"}"#, false),
            refused("per-client", "client_limit")
        );
        assert_eq!(of(r#"{"reason":"client_limit"}"#, false), refused("login", "client_limit"));
        assert_eq!(of("", true), refused("login", "429 to HEAD"));
        assert_eq!(of(r#"{"title":"mine"}"#, false), Outcome::Forwarded { status: 429 });
    }

    #[test]
    fn the_origin_s_own_faults_are_forwarded() {
        assert!(!may_be_refusal(StatusCode::NOT_FOUND, &headers("text/html")));
        assert!(!may_be_refusal(StatusCode::OK, &headers("application/problem+json")));
    }
}
