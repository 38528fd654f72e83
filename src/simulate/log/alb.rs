//! Access logs of an AWS Application Load Balancer.

use super::fields::{self, Fields, short};
use super::{Line, time};
use std::time::Duration;

const TYPES: [&str; 6] = ["http", "https", "h2", "grpcs", "ws", "wss"];
/// Where the fields stand, from 0.
mod at {
    pub(super) const TIME: usize = 1;
    pub(super) const CLIENT: usize = 3;
    /// Seconds that the target took, -1 where there was none.
    pub(super) const TOOK: usize = 6;
    pub(super) const STATUS: usize = 8;
    pub(super) const SENT: usize = 11;
    pub(super) const REQUEST: usize = 12;
    pub(super) const USER_AGENT: usize = 13;
    /// When the request came in (`TIME` is when the answer went out); older logs lack it.
    pub(super) const CREATED: usize = 21;
}

pub(super) fn looks_like(text: &str) -> bool {
    let mut fields = Fields(text);
    fields.next().is_some_and(|first| TYPES.contains(&first)) && fields.next().and_then(time::rfc3339).is_some()
}

pub(super) fn parse(text: &str) -> Result<Line, String> {
    let fields: Vec<&str> = Fields(text).take(at::CREATED + 1).collect();
    if fields.len() <= at::USER_AGENT {
        return Err(format!("{} fields: expected at least {}", fields.len(), at::USER_AGENT + 1));
    }
    let created = fields.get(at::CREATED).and_then(|raw| time::rfc3339(raw));
    let t = created.or_else(|| time::rfc3339(fields[at::TIME])).ok_or_else(|| {
        format!("time \"{}\": expected one like 2018-07-02T22:22:48.364000Z", short(fields[at::TIME]))
    })?;
    let address = fields[at::CLIENT];
    let (client, _port) =
        address.rsplit_once(':').ok_or_else(|| format!("client \"{}\": expected address:port", short(address)))?;
    let (method, target) = fields::request_line(fields[at::REQUEST])?;
    let (path, has_query) = fields::path(target);
    Ok(Line {
        t: fields::epoch_seconds(t)?,
        client: client.trim_start_matches('[').trim_end_matches(']').to_owned(),
        method: method.to_owned(),
        path,
        has_query,
        status: fields::number("elb_status_code", fields[at::STATUS])?,
        bytes: fields::number("sent_bytes", fields[at::SENT])?,
        user_agent: fields::text(fields[at::USER_AGENT]),
        took: fields[at::TOOK].parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        label: None,
        challenge: None,
    })
}
