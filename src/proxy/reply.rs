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
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The largest body file.
const MAX_BODY: u64 = 64 * 1024;

/// Bodies of refusals, read once when the config is loaded.
#[derive(Debug)]
pub struct Replies {
    /// No other in this process has it.
    id: u64,
    page: BTreeMap<u16, Bytes>,
    problem: BTreeMap<u16, Bytes>,
}

impl Default for Replies {
    fn default() -> Self {
        Self::new(BTreeMap::new(), BTreeMap::new())
    }
}

impl Replies {
    /// Reads the files that the config names.
    ///
    /// # Errors
    /// A message that names the file and what is wrong with it.
    pub fn load(settings: &Reply) -> Result<Self, String> {
        Ok(Self::new(read_all(&settings.page)?, read_all(&settings.problem)?))
    }

    fn new(page: BTreeMap<u16, Bytes>, problem: BTreeMap<u16, Bytes>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // Relaxed: hands out numbers, orders nothing.
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed), page, problem }
    }

    /// Tells these bodies from those before a reload.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// The bodies' memory.
    pub fn memory(&self) -> usize {
        self.page.values().chain(self.problem.values()).map(Bytes::len).sum()
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
        let (mut status, mut after, mut length) = ([0; 20], [0; 20], [0; 20]);
        let (status, after) =
            (decimal(u64::from(self.reason.status()), &mut status), decimal(self.retry_after, &mut after));
        let body = self.body(replies, status, after);
        let bytes: usize = body.iter().map(|piece| piece.len()).sum();
        out.reserve(512 + bytes);
        out.put_slice(b"HTTP/1.1 ");
        out.put_slice(status);
        out.put_u8(b' ');
        out.put_slice(title(self.reason.status()).as_bytes());
        out.put_slice(b"\r\nDate: ");
        out.put_slice(get_cached_date().as_bytes());
        out.put_slice(b"\r\nContent-Type: ");
        out.put_slice(self.content_type().as_bytes());
        out.put_slice(b"\r\nContent-Length: ");
        out.put_slice(decimal(bytes as u64, &mut length));
        if self.retry_after > 0 {
            out.put_slice(b"\r\nRetry-After: ");
            out.put_slice(after);
        }
        if let Some(limit) = self.limit {
            out.put_slice(b"\r\nRateLimit-Policy: ");
            out.put_slice(limit.policy_field.as_bytes());
            out.put_slice(b"\r\nRateLimit: \"");
            out.put_slice(limit.name.as_bytes());
            out.put_slice(b"\";r=0;t=");
            out.put_slice(after);
        }
        out.put_slice(b"\r\nCache-Control: no-store");
        if self.reason == Reason::MethodNotAllowed {
            out.put_slice(ALLOW.as_bytes());
        }
        out.put_slice(if self.close { b"\r\nConnection: close\r\n\r\n" } else { b"\r\n\r\n" });
        if !self.head {
            body.iter().for_each(|piece| out.put_slice(piece));
        }
    }

    /// The reply for HTTP/2: its head, and its body.
    pub(super) fn response(&self, replies: &Replies) -> pingora_core::Result<(ResponseHeader, Bytes)> {
        let (mut status, mut after) = ([0; 20], [0; 20]);
        let (status, after) =
            (decimal(u64::from(self.reason.status()), &mut status), decimal(self.retry_after, &mut after));
        let body = Bytes::from(self.body(replies, status, after).concat());
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

    /// The body in pieces: its length is known before it is written, and nothing is put on the heap.
    fn body<'b>(&'b self, replies: &'b Replies, status: &'b [u8], after: &'b [u8]) -> Pieces<'b> {
        let own = if self.browser { &replies.page } else { &replies.problem };
        match own.get(&self.reason.status()) {
            Some(own) => {
                let mut pieces: Pieces<'b> = [b""; 14];
                pieces[0] = own;
                pieces
            }
            None if self.browser => self.page(after),
            None => self.problem(status, after),
        }
    }

    fn problem<'b>(&'b self, status: &'b [u8], after: &'b [u8]) -> Pieces<'b> {
        let (title, row) = (title(self.reason.status()), self.reason.row());
        // A limit's name is letters, digits, '-', '_' and '.': nothing to escape.
        let (rule, name): (&[u8], &[u8]) = match self.limit {
            Some(limit) => (br#"","rule":""#, limit.name.as_bytes()),
            None => (b"", b""),
        };
        let (wait, after): (&[u8], &[u8]) =
            if self.retry_after > 0 { (br#"","retry_after":"#, after) } else { (b"\"", b"") };
        [
            br#"{"type":"about:blank","title":""#,
            title.as_bytes(),
            br#"","status":"#,
            status,
            br#","detail":""#,
            row.text.as_bytes(),
            br#"","reason":""#,
            row.code.as_bytes(),
            rule,
            name,
            wait,
            after,
            b"}",
            b"",
        ]
    }

    fn page<'b>(&'b self, after: &'b [u8]) -> Pieces<'b> {
        let title = title(self.reason.status()).as_bytes();
        let (advice, after, unit): (&[u8], &[u8], &[u8]) = match self.retry_after {
            0 => (b"<p>This request was not passed on.", b"", b""),
            1 => (b"<p>Please try again in a second.", b"", b""),
            _ => (b"<p>Please try again in ", after, b" seconds."),
        };
        let code = self.reason.code().as_bytes();
        [
            b"<!doctype html><html lang=en><meta charset=utf-8>",
            b"<meta name=viewport content=\"width=device-width\"><title>",
            title,
            b"</title><body style=\"font:1.1em/1.5 system-ui;max-width:34em;margin:15vh auto;padding:0 1em\"><h1>",
            title,
            b"</h1>",
            advice,
            after,
            unit,
            b"<p><small>",
            code,
            b"</small>",
            b"",
            b"",
        ]
    }
}

/// A body; pieces that it does not need are empty.
type Pieces<'a> = [&'a [u8]; 14];

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

pub(super) fn title(status: u16) -> &'static str {
    match status {
        204 => "No Content",
        307 => "Temporary Redirect",
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
pub(super) fn decimal(mut n: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    &digits[at..]
}
