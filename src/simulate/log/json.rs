//! One JSON object a line, under the names that weir, nginx and common log shippers give the members.

use super::fields::{self, short};
use super::{Line, time};
use serde_json::{Map, Value};

const T: &[&str] = &["t", "time", "timestamp", "@timestamp", "ts", "time_iso8601"];
const CLIENT: &[&str] = &["ip", "client", "client_ip", "remote_addr", "clientip"];
const METHOD: &[&str] = &["method", "request_method", "verb"];
const PATH: &[&str] = &["path", "uri", "request_uri", "url"];
const BYTES: &[&str] = &["bytes", "body_bytes_sent", "bytes_sent", "size"];
/// What weir calls requests.
const REQUESTS: &[&str] = &["request", "refusal"];
const USER_AGENT: &[&str] = &["user_agent", "http_user_agent", "agent"];

/// None of a line about something else than a request: weir's own logs tell of bans and changes of state too.
pub(super) fn parse(text: &str) -> Result<Option<Line>, String> {
    let object: Map<String, Value> = serde_json::from_str(text).map_err(|e| format!("no JSON object: {e}"))?;
    let string = |names: &[&str]| member(&object, names).and_then(Value::as_str);
    let Some(client) = string(CLIENT) else {
        return match string(&["kind"]) {
            Some(kind) if !REQUESTS.contains(&kind) => Ok(None),
            _ => Err(format!("no client: expected one of {}", CLIENT.join(", "))),
        };
    };
    let request = string(&["request"]).map(fields::request_line).transpose()?;
    let method = string(METHOD).or(request.map(|(method, _)| method)).unwrap_or("GET");
    let target = string(PATH).or(request.map(|(_, target)| target)).unwrap_or("/");
    let (path, query) = fields::path(target);
    let has_query = match member(&object, &["has_query"]) {
        Some(Value::Bool(yes)) => *yes,
        Some(Value::Number(n)) => n.as_u64() == Some(1),
        _ => false,
    };
    Ok(Some(Line {
        t: fields::epoch_seconds(moment(member(&object, T))?)?,
        client: client.to_owned(),
        method: method.to_owned(),
        path,
        has_query: query || has_query,
        status: number(&object, "status", &["status"])?,
        bytes: number(&object, "bytes", BYTES)?,
        user_agent: string(USER_AGENT).filter(|agent| *agent != "-").unwrap_or_default().to_owned(),
        label: string(&["label"]).map(str::to_owned),
        took: None,
        challenge: match member(&object, &["challenge"]) {
            None | Some(Value::Null) => None,
            Some(Value::Bool(passes)) => Some(*passes),
            Some(Value::String(text)) => fields::yes_or_no("challenge", text)?,
            Some(other) => fields::yes_or_no("challenge", &other.to_string())?,
        },
    }))
}

fn member<'a>(object: &'a Map<String, Value>, names: &[&str]) -> Option<&'a Value> {
    names.iter().find_map(|name| object.get(*name))
}

fn moment(value: Option<&Value>) -> Result<f64, String> {
    let found = match value {
        Some(Value::Number(n)) => n.as_f64(),
        Some(Value::String(s)) => s.parse().ok().or_else(|| time::rfc3339(s)).or_else(|| time::common(s)),
        _ => return Err(format!("no time: expected one of {}", T.join(", "))),
    };
    let shown = || value.map(Value::to_string).unwrap_or_default();
    found.ok_or_else(|| format!("time {}: expected seconds since 1970 or an RFC 3339 date", short(&shown())))
}

/// A number, or one in quotes as nginx writes it.
fn number<T: std::str::FromStr + Default>(
    object: &Map<String, Value>,
    name: &str,
    names: &[&str],
) -> Result<T, String> {
    match member(object, names) {
        None | Some(Value::Null) => Ok(T::default()),
        Some(Value::String(s)) => fields::number(name, s),
        Some(other) => fields::number(name, &other.to_string()),
    }
}
