//! What the line formats share: space-separated fields, request lines, targets, numbers.

use std::borrow::Cow;

/// Fields parted by spaces: bare, `"quoted"` (a backslash keeps the quote after it) or `[bracketed]`.
pub(super) struct Fields<'a>(pub(super) &'a str);

impl<'a> Iterator for Fields<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.0.trim_start_matches(' ');
        if rest.is_empty() {
            return None;
        }
        let (field, after) = if let Some(inner) = rest.strip_prefix('"') {
            inner.split_at(closing_quote(inner))
        } else if let Some((inner, after)) = bracketed(rest) {
            (inner, after)
        } else {
            rest.split_at(rest.find(' ').unwrap_or(rest.len()))
        };
        self.0 = after.strip_prefix(['"', ']']).unwrap_or(after);
        Some(field)
    }
}

/// Where the quoted text that `inner` begins with ends; its length if it never does.
fn closing_quote(inner: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at,
            _ => {}
        }
    }
    inner.len()
}

/// The inside of `[…]`, if a space or the end follows: an IPv6 address with a port is no bracketed field.
fn bracketed(rest: &str) -> Option<(&str, &str)> {
    let inner = rest.strip_prefix('[')?;
    let (inside, after) = inner.split_at(inner.find(']')?);
    matches!(after.as_bytes().get(1), None | Some(b' ')).then_some((inside, after))
}

/// Quoted text with its escaped quotes and backslashes made plain; `-` is empty.
pub(super) fn text(raw: &str) -> String {
    match raw {
        "-" => String::new(),
        _ if raw.contains('\\') => raw.replace("\\\"", "\"").replace("\\\\", "\\"),
        _ => raw.to_owned(),
    }
}

/// A number; `-` and nothing at all are 0, as logs write an absent one.
pub(super) fn number<T: std::str::FromStr + Default>(name: &str, raw: &str) -> Result<T, String> {
    match raw {
        "" | "-" => Ok(T::default()),
        _ => raw.parse().map_err(|_| format!("{name} \"{}\": expected a number", short(raw))),
    }
}

/// 1 or 0; `-` and nothing at all say neither.
pub(super) fn yes_or_no(name: &str, raw: &str) -> Result<Option<bool>, String> {
    match raw {
        "" | "-" => Ok(None),
        "0" => Ok(Some(false)),
        "1" => Ok(Some(true)),
        _ => Err(format!("{name} \"{}\": expected 1 or 0", short(raw))),
    }
}

/// The method and the target of `GET /path HTTP/1.1`.
pub(super) fn request_line(raw: &str) -> Result<(&str, &str), String> {
    let (method, rest) = raw.split_once(' ').unwrap_or((raw, ""));
    let target = match rest.rsplit_once(' ') {
        Some((target, version)) if version.starts_with("HTTP/") => target,
        _ => rest,
    };
    if method.is_empty() || target.trim().is_empty() {
        return Err(format!("request \"{}\": expected a method and a target", short(raw)));
    }
    Ok((method, target))
}

/// A target's path, and whether a query followed it.
pub(super) fn path(target: &str) -> (String, bool) {
    let origin_form = ["http://", "https://", "ws://", "wss://"].iter().find_map(|scheme| {
        let rest = target.strip_prefix(scheme)?;
        Some(rest.find(['/', '?']).map_or("/", |at| &rest[at..]))
    });
    let target = origin_form.unwrap_or(target);
    match target.split_once('?') {
        Some(("", _)) => ("/".to_owned(), true),
        Some((path, _)) => (path.to_owned(), true),
        None => (target.to_owned(), false),
    }
}

/// `seconds` since 1970, if it can be: milliseconds are a common mistake.
pub(super) fn epoch_seconds(seconds: f64) -> Result<f64, String> {
    if seconds.is_finite() && (0.0..1e11).contains(&seconds) {
        Ok(seconds)
    } else {
        Err(format!("t {seconds}: expected seconds since 1970"))
    }
}

/// `raw` cut to what fits a message.
pub(super) fn short(raw: &str) -> Cow<'_, str> {
    match raw.char_indices().nth(60) {
        Some((at, _)) => Cow::Owned(format!("{}…", &raw[..at])),
        None => Cow::Borrowed(raw),
    }
}
