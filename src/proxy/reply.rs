//! What a refused client gets: a status, when to come again, and a body it can read.
//!
//! `Retry-After` (RFC 9110, 10.2.3) is jittered, so that a crowd does not come back in the same second.
//! `RateLimit` and `RateLimit-Policy` follow draft-ietf-httpapi-ratelimit-headers, `application/problem+json` RFC 9457.

use crate::base::clock::Time;
use crate::client::key::ClientKey;
use crate::config::settings::Reply;
use crate::verdict::policy::CompiledLimit;
use crate::verdict::reason::Reason;
use crate::verdict::{Policy, Verdict};
use bytes::{BufMut, Bytes, BytesMut};
use pingora_core::protocols::http::date::get_cached_date;
use pingora_http::ResponseHeader;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

/// The largest body file.
const MAX_BODY: u64 = 64 * 1024;

/// Bodies of refusals, read once when the config is loaded.
#[derive(Debug, Default)]
pub struct Replies {
    page: BTreeMap<u16, Bytes>,
    problem: BTreeMap<u16, Bytes>,
}

impl Replies {
    /// Reads the files that the config names.
    ///
    /// # Errors
    /// A message that names the file and what is wrong with it.
    pub fn load(settings: &Reply) -> Result<Self, String> {
        Ok(Self { page: read_all(&settings.page)?, problem: read_all(&settings.problem)? })
    }
}

fn read_all(files: &BTreeMap<u16, PathBuf>) -> Result<BTreeMap<u16, Bytes>, String> {
    let read = |(status, path): (&u16, &PathBuf)| match read_body(path) {
        Ok(body) => Ok((*status, body)),
        Err(e) => Err(format!("cannot use {} as the body of {status}: {e}", path.display())),
    };
    files.iter().map(read).collect()
}

fn read_body(path: &Path) -> io::Result<Bytes> {
    let size = std::fs::metadata(path)?.len();
    if size > MAX_BODY {
        return Err(io::Error::other(format!("{size} bytes; expected at most {MAX_BODY}")));
    }
    std::fs::read(path).map(Bytes::from)
}

/// One refusal to be written.
#[derive(Clone, Copy)]
pub(super) struct Refusal<'a> {
    pub(super) reason: Reason,
    /// The limit that refused.
    pub(super) limit: Option<&'a CompiledLimit>,
    /// Seconds until the client may come again, jitter included; 0 for never mind.
    pub(super) retry_after: u64,
    /// The client takes HTML.
    pub(super) browser: bool,
    /// The connection ends with this reply.
    pub(super) close: bool,
    /// The request was HEAD.
    pub(super) head: bool,
}

impl<'a> Refusal<'a> {
    pub(super) fn of(verdict: &Verdict, policy: &'a Policy, client: ClientKey, now: Time) -> Self {
        Self {
            retry_after: jittered(verdict, client, now),
            limit: verdict.limit(policy),
            ..Self::plain(verdict.reason)
        }
    }

    /// A refusal for something wrong with the request or the connection, which then ends.
    pub(super) const fn plain(reason: Reason) -> Self {
        Self { reason, limit: None, retry_after: 0, browser: false, close: true, head: false }
    }

    /// Appends the whole HTTP/1.1 reply.
    pub(super) fn write(&self, replies: &Replies, out: &mut BytesMut) {
        let body = self.body(replies);
        let status = self.reason.status();
        out.reserve(512 + body.len());
        out.put_slice(b"HTTP/1.1 ");
        number(out, u64::from(status));
        out.put_u8(b' ');
        out.put_slice(title(status).as_bytes());
        out.put_slice(b"\r\nDate: ");
        out.put_slice(get_cached_date().as_bytes());
        out.put_slice(b"\r\nContent-Type: ");
        out.put_slice(self.content_type().as_bytes());
        out.put_slice(b"\r\nContent-Length: ");
        number(out, body.len() as u64);
        if self.retry_after > 0 {
            out.put_slice(b"\r\nRetry-After: ");
            number(out, self.retry_after);
        }
        if let Some(limit) = self.limit {
            out.put_slice(b"\r\nRateLimit-Policy: ");
            out.put_slice(limit.policy_field.as_bytes());
            out.put_slice(b"\r\nRateLimit: \"");
            out.put_slice(limit.name.as_bytes());
            out.put_slice(b"\";r=0;t=");
            number(out, self.retry_after);
        }
        out.put_slice(b"\r\nCache-Control: no-store");
        if self.reason == Reason::MethodNotAllowed {
            out.put_slice(ALLOW.as_bytes());
        }
        out.put_slice(if self.close { b"\r\nConnection: close\r\n\r\n" } else { b"\r\n\r\n" });
        if !self.head {
            out.put_slice(&body);
        }
    }

    /// The reply for HTTP/2: its head, and its body.
    pub(super) fn response(&self, replies: &Replies) -> pingora_core::Result<(ResponseHeader, Bytes)> {
        let body = self.body(replies);
        let mut head = ResponseHeader::build(self.reason.status(), Some(8))?;
        head.insert_header("date", get_cached_date())?;
        head.insert_header("content-type", self.content_type())?;
        head.insert_header("content-length", body.len())?;
        head.insert_header("cache-control", "no-store")?;
        if self.retry_after > 0 {
            head.insert_header("retry-after", self.retry_after)?;
        }
        if let Some(limit) = self.limit {
            head.insert_header("ratelimit-policy", &limit.policy_field)?;
            head.insert_header("ratelimit", format!("\"{}\";r=0;t={}", limit.name, self.retry_after))?;
        }
        Ok((head, if self.head { Bytes::new() } else { body }))
    }

    fn content_type(&self) -> &'static str {
        if self.browser { "text/html; charset=utf-8" } else { "application/problem+json" }
    }

    fn body(&self, replies: &Replies) -> Bytes {
        let status = self.reason.status();
        let own = if self.browser { &replies.page } else { &replies.problem };
        if let Some(body) = own.get(&status) {
            return body.clone();
        }
        let mut out = String::with_capacity(320);
        // Writing to a String can't fail.
        let _ = if self.browser { self.page(&mut out) } else { self.problem(&mut out) };
        Bytes::from(out)
    }

    fn problem(&self, out: &mut String) -> std::fmt::Result {
        let (status, row) = (self.reason.status(), self.reason.row());
        write!(
            out,
            r#"{{"type":"about:blank","title":"{}","status":{status},"detail":"{}","reason":"{}""#,
            title(status),
            row.text,
            row.code
        )?;
        if let Some(limit) = self.limit {
            // A limit's name is letters, digits, '-', '_' and '.': nothing to escape.
            write!(out, r#","rule":"{}""#, limit.name)?;
        }
        if self.retry_after > 0 {
            write!(out, r#","retry_after":{}"#, self.retry_after)?;
        }
        out.push('}');
        Ok(())
    }

    fn page(&self, out: &mut String) -> std::fmt::Result {
        let title = title(self.reason.status());
        write!(
            out,
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
             <title>{title}</title><body style=\"font:1.1em/1.5 system-ui;max-width:34em;margin:15vh auto;padding:0 1em\">\
             <h1>{title}</h1>"
        )?;
        match self.retry_after {
            0 => out.push_str("<p>This request was not passed on."),
            1 => out.push_str("<p>Please try again in a second."),
            n => write!(out, "<p>Please try again in {n} seconds.")?,
        }
        write!(out, "<p><small>{}</small>", self.reason.code())
    }
}

/// The methods that weir passes on, as far as they have names in RFC 9110.
const ALLOW: &str = "\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// Whole seconds, rounded up, plus up to a quarter.
fn jittered(verdict: &Verdict, client: ClientKey, now: Time) -> u64 {
    if verdict.retry_after.is_zero() {
        return 0;
    }
    let seconds = verdict.retry_after.as_secs() + u64::from(verdict.retry_after.subsec_nanos() > 0);
    let spread = (seconds / 4).max(1) + 1;
    let dice = (client.bits() as u64 ^ now.nanos()).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    seconds + dice % spread
}

fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        403 => "Forbidden",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "Refused",
    }
}

/// Appends a number in decimal.
fn number(out: &mut BytesMut, mut n: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.put_slice(&digits[at..]);
}
