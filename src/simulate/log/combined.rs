//! Common and combined log format: `host ident user [date] "request" status bytes "referer" "user agent"`.

use super::fields::{self, Fields, short};
use super::{Line, time};

pub(super) fn looks_like(text: &str) -> bool {
    Fields(text).nth(3).and_then(time::common).is_some()
}

pub(super) fn parse(text: &str) -> Result<Line, String> {
    let mut fields = Fields(text);
    let mut next = |name: &str| fields.next().ok_or_else(|| format!("the line ends before its {name}"));
    let client = next("host")?;
    next("ident")?;
    next("user")?;
    let date = next("date")?;
    let t = time::common(date)
        .ok_or_else(|| format!("date \"{}\": expected one like 10/Oct/2000:13:55:36 -0700", short(date)))?;
    let (method, target) = fields::request_line(next("request")?)?;
    let status = fields::number("status", next("status")?)?;
    let bytes = fields::number("bytes", next("bytes")?)?;
    let user_agent = fields.nth(1).map(fields::text).unwrap_or_default();
    let (path, has_query) = fields::path(target);
    Ok(Line {
        t: fields::epoch_seconds(t)?,
        client: client.to_owned(),
        method: method.to_owned(),
        path,
        has_query,
        status,
        bytes,
        user_agent,
        label: None,
        challenge: None,
        took: None,
    })
}
