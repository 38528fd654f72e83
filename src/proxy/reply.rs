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
use smallvec::SmallVec;
use std::collections::BTreeMap;
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
        let (mut made, mut head) = (Made::new(), Made::new());
        let body: &[u8] = match self.own_body(replies) {
            Some(own) => own,
            None => self.make_body(&mut made),
        };
        let date = get_cached_date();
        put(&mut head, &["HTTP/1.1 ", decimal(self.reason.status(), &mut digits()), " ", title(self.reason.status())]);
        put(&mut head, &["\r\nDate: ", date.to_str().unwrap_or_default()]);
        put(&mut head, &["\r\nContent-Type: ", self.content_type()]);
        put(&mut head, &["\r\nContent-Length: ", decimal(body.len() as u64, &mut digits())]);
        let after = &mut digits();
        let after = decimal(self.retry_after, after);
        if self.retry_after > 0 {
            put(&mut head, &["\r\nRetry-After: ", after]);
        }
        if let Some(limit) = self.limit {
            put(&mut head, &["\r\nRateLimit-Policy: ", &limit.policy_field]);
            put(&mut head, &["\r\nRateLimit: \"", &limit.name, "\";r=0;t=", after]);
        }
        let allow = if self.reason == Reason::MethodNotAllowed { ALLOW } else { "" };
        let close = if self.close { "\r\nConnection: close\r\n\r\n" } else { "\r\n\r\n" };
        put(&mut head, &["\r\nCache-Control: no-store", allow, close]);
        out.reserve(head.len() + body.len());
        out.put_slice(&head);
        if !self.head {
            out.put_slice(body);
        }
    }

    /// The reply for HTTP/2: its head, and its body.
    pub(super) fn response(&self, replies: &Replies) -> pingora_core::Result<(ResponseHeader, Bytes)> {
        let own = self.own_body(replies).cloned();
        let body = own.unwrap_or_else(|| Bytes::copy_from_slice(self.make_body(&mut Made::new())));
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

    fn own_body<'r>(&self, replies: &'r Replies) -> Option<&'r Bytes> {
        let own = if self.browser { &replies.page } else { &replies.problem };
        own.get(&self.reason.status())
    }

    fn make_body<'m>(&self, made: &'m mut Made) -> &'m [u8] {
        if self.browser {
            self.page(made)
        } else {
            self.problem(made)
        }
        made
    }

    fn problem(&self, out: &mut Made) {
        let (status, row) = (self.reason.status(), self.reason.row());
        let code = &mut digits();
        put(out, &[r#"{"type":"about:blank","title":""#, title(status), r#"","status":"#, decimal(status, code)]);
        put(out, &[r#","detail":""#, row.text, r#"","reason":""#, row.code, "\""]);
        if let Some(limit) = self.limit {
            // A limit's name is letters, digits, '-', '_' and '.': nothing to escape.
            put(out, &[r#","rule":""#, &limit.name, "\""]);
        }
        if self.retry_after > 0 {
            put(out, &[r#","retry_after":"#, decimal(self.retry_after, &mut digits())]);
        }
        put(out, &["}"]);
    }

    fn page(&self, out: &mut Made) {
        let title = title(self.reason.status());
        put(out, &[PAGE, title, STYLE, title, "</h1>"]);
        match self.retry_after {
            0 => put(out, &["<p>This request was not passed on."]),
            1 => put(out, &["<p>Please try again in a second."]),
            n => put(out, &["<p>Please try again in ", decimal(n, &mut digits()), " seconds."]),
        }
        put(out, &["<p><small>", self.reason.code(), "</small>"]);
    }
}

const PAGE: &str = "<!doctype html><html lang=en><meta charset=utf-8>\
    <meta name=viewport content=\"width=device-width\"><title>";
const STYLE: &str =
    "</title><body style=\"font:1.1em/1.5 system-ui;max-width:34em;margin:15vh auto;padding:0 1em\"><h1>";

/// A part of one reply: on the stack, as a refusal allocates nothing.
type Made = SmallVec<[u8; 640]>;

fn put(out: &mut Made, pieces: &[&str]) {
    for piece in pieces {
        out.extend_from_slice(piece.as_bytes());
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

/// A number in decimal, written into `digits`.
fn decimal(n: impl Into<u64>, digits: &mut [u8; 20]) -> &str {
    let mut n = n.into();
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    std::str::from_utf8(&digits[at..]).unwrap_or_default()
}

/// Room for any `u64`.
const fn digits() -> [u8; 20] {
    [0; 20]
}
