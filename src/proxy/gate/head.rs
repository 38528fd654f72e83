//! Parses and checks an HTTP/1.1 request head (RFC 9112) before anybody else sees it.

use crate::event::record::Protocol;
use crate::verdict::reason::Reason;
use http::uri::{Authority, PathAndQuery};
use httparse::{Error, Header, Status};
use std::mem::MaybeUninit;

/// The most header fields that any config may allow.
pub const MAX_HEADERS: usize = 256;

/// How the request's body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// So many bytes, often none.
    Length(u64),
    /// Chunked.
    Chunked,
}

/// A whole head.
#[derive(Debug)]
pub struct Head<'b, 'h> {
    /// Bytes of the head.
    pub len: usize,
    /// Method.
    pub method: &'b str,
    /// Request target as sent.
    pub target: &'b str,
    /// HTTP/1.0 or 1.1.
    pub protocol: Protocol,
    /// Fields.
    pub headers: &'h [Header<'b>],
    /// Host, empty if absent.
    pub host: &'b [u8],
    /// Accept, empty if absent; the first.
    pub accept: &'b [u8],
    /// User-Agent, empty if absent; the last.
    pub user_agent: &'b [u8],
    /// CloudFront-Viewer-Address; the last.
    pub viewer: Option<&'b [u8]>,
    /// From the first X-Forwarded-For to the last, with what stands between them.
    pub forwarded: &'h [Header<'b>],
    /// From the first Cookie to the last, with what stands between them.
    pub cookies: &'h [Header<'b>],
    /// There is an Expect.
    pub expect: bool,
    /// How the body is framed.
    pub body: Body,
    /// Asks for a WebSocket on this connection.
    pub upgrade: bool,
    /// The client will close after this request.
    pub close: bool,
}

/// What the bytes so far amount to.
#[derive(Debug)]
pub enum Parsed<'b, 'h> {
    /// Not a whole head yet.
    Partial,
    /// A whole head.
    Whole(Head<'b, 'h>),
    /// No head that weir takes; the connection can't go on.
    Bad(Reason),
}

/// Room for the fields of one head.
pub type Fields<'b> = [MaybeUninit<Header<'b>>; MAX_HEADERS];

/// Parses the head at the start of `bytes`.
pub fn parse<'b, 'h>(bytes: &'b [u8], fields: &'h mut Fields<'b>, max_headers: usize) -> Parsed<'b, 'h> {
    let mut request = httparse::Request::new(&mut []);
    let room = max_headers.min(MAX_HEADERS);
    let len = match request.parse_with_uninit_headers(bytes, &mut fields[..room]) {
        Ok(Status::Complete(len)) => len,
        Ok(Status::Partial) => return Parsed::Partial,
        Err(Error::TooManyHeaders) => return Parsed::Bad(Reason::HeaderTooLarge),
        Err(Error::Version) if names_version(bytes) => return Parsed::Bad(Reason::UnsupportedVersion),
        Err(_) => return Parsed::Bad(Reason::BadRequest),
    };
    let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version) else {
        return Parsed::Bad(Reason::BadRequest);
    };
    let protocol = if version == 0 { Protocol::Http10 } else { Protocol::Http11 };
    let headers: &'h [Header<'b>] = request.headers;
    if !ends_lines_with_crlf(&bytes[..len], target, headers) {
        return Parsed::Bad(Reason::BadRequest);
    }
    match Known::read(headers) {
        Ok(known) => finish(len, method, target, protocol, headers, &known),
        Err(reason) => Parsed::Bad(reason),
    }
}

/// httparse takes a bare LF for the end of a line, and there parsers differ.
fn ends_lines_with_crlf(head: &[u8], target: &str, headers: &[Header<'_>]) -> bool {
    let after = |part: &[u8]| part.as_ptr() as usize - head.as_ptr() as usize + part.len();
    let is_cr = |at: usize| head.get(at) == Some(&b'\r');
    let line_ends = |h: &Header<'_>| {
        let space = head[after(h.value)..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        is_cr(after(h.value) + space)
    };
    is_cr(after(target.as_bytes()) + " HTTP/1.1".len()) && is_cr(head.len() - 2) && headers.iter().all(line_ends)
}

fn finish<'b, 'h>(
    len: usize,
    method: &'b str,
    target: &'b str,
    protocol: Protocol,
    headers: &'h [Header<'b>],
    known: &Known<'b>,
) -> Parsed<'b, 'h> {
    let http10 = protocol == Protocol::Http10;
    let body = match (known.chunked, known.length) {
        (true, Some(_)) => return Parsed::Bad(Reason::LengthConflict),
        (true, None) if http10 => return Parsed::Bad(Reason::LengthConflict),
        (true, None) => Body::Chunked,
        (false, length) => Body::Length(length.unwrap_or(0)),
    };
    if known.hosts > 1 || (known.hosts == 0 && !http10) || !valid_host(known.host) {
        return Parsed::Bad(Reason::BadRequest);
    }
    let is_known = match authority(target) {
        // Two names for one host: whoever is behind may choose the other (RFC 9112, 3.2.2).
        Some(named) => Authority::try_from(named).is_ok() && (known.hosts == 0 || named == known.host),
        None => target.starts_with('/') || (target == "*" && method == "OPTIONS") || method == "CONNECT",
    };
    if !is_known || !is_sound(target) {
        return Parsed::Bad(Reason::BadRequest);
    }
    let close = known.close || http10;
    Parsed::Whole(Head {
        len,
        method,
        target,
        protocol,
        headers,
        host: known.host,
        accept: known.accept,
        user_agent: known.user_agent,
        viewer: known.viewer,
        forwarded: &headers[known.forwarded.0..known.forwarded.1],
        cookies: &headers[known.cookies.0..known.cookies.1],
        expect: known.expect,
        body,
        upgrade: known.upgrade,
        close,
    })
}

/// What the fields say that weir wants to know: found in one pass over them.
#[derive(Default)]
struct Known<'b> {
    length: Option<u64>,
    chunked: bool,
    upgrade: bool,
    close: bool,
    hosts: u32,
    host: &'b [u8],
    accept: &'b [u8],
    user_agent: &'b [u8],
    viewer: Option<&'b [u8]>,
    /// From where to where.
    forwarded: (usize, usize),
    /// The same.
    cookies: (usize, usize),
    expect: bool,
}

impl<'b> Known<'b> {
    fn read(headers: &[Header<'b>]) -> Result<Self, Reason> {
        let mut f = Self::default();
        for (at, h) in headers.iter().enumerate() {
            let name = h.name.as_bytes();
            match name.len() {
                4 if is(name, b"host") => {
                    f.hosts += 1;
                    f.host = h.value;
                }
                6 if f.accept.is_empty() && is(name, b"accept") => f.accept = h.value,
                6 if is(name, b"cookie") => f.cookies = (if f.cookies.1 == 0 { at } else { f.cookies.0 }, at + 1),
                6 => f.expect |= is(name, b"expect"),
                // Only WebSocket passes: "h2c" would open a tunnel to the origin that no limit sees.
                7 if is(name, b"upgrade") => f.upgrade |= is(h.value.trim_ascii(), b"websocket"),
                10 if is(name, b"connection") => {
                    f.close |= h.value.split(|b| *b == b',').any(|t| is(t.trim_ascii(), b"close"));
                }
                10 if is(name, b"user-agent") => f.user_agent = h.value,
                14 if is(name, b"content-length") => {
                    let length = decimal(h.value).ok_or(Reason::LengthConflict)?;
                    if f.length.is_some() {
                        return Err(Reason::LengthConflict);
                    }
                    f.length = Some(length);
                }
                15 if is(name, b"x-forwarded-for") => {
                    f.forwarded = (if f.forwarded.1 == 0 { at } else { f.forwarded.0 }, at + 1);
                }
                17 if is(name, b"transfer-encoding") => {
                    // Anything but one plain "chunked" is where parsers differ.
                    if f.chunked || !is(h.value.trim_ascii(), b"chunked") {
                        return Err(Reason::LengthConflict);
                    }
                    f.chunked = true;
                }
                25 if is(name, b"cloudfront-viewer-address") => f.viewer = Some(h.value),
                _ => {}
            }
        }
        Ok(f)
    }
}

/// Equality with a word of lower-case letters and hyphens, whatever the case. By setting one bit, which makes a hyphen
/// of CR too, that no name or value holds: a quarter of the cost of folding byte by byte.
pub fn is<const N: usize>(text: &[u8], word: &[u8; N]) -> bool {
    text.len() == N && text.iter().zip(word).fold(0, |differ, (a, b)| differ | ((a | 0x20) ^ b)) == 0
}

fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    text.iter().try_fold(0u64, |n, b| b.is_ascii_digit().then(|| n * 10 + u64::from(b - b'0')))
}

/// Whether Pingora will take the target: it would refuse others itself, and nobody would count that.
fn is_sound(target: &str) -> bool {
    const PLAIN: Bytes = alphanumeric_and(b"/-._~%?&=+:@!$'()*,;");
    target.bytes().all(|b| PLAIN[usize::from(b)]) || PathAndQuery::try_from(target).is_ok()
}

/// Which bytes belong to a set.
type Bytes = [bool; 256];

/// The letters, the digits and some more.
const fn alphanumeric_and(more: &[u8]) -> Bytes {
    let mut set = [false; 256];
    let mut i = 0;
    while i < 256 {
        set[i] = (i as u8).is_ascii_alphanumeric();
        i += 1;
    }
    let mut i = 0;
    while i < more.len() {
        set[more[i] as usize] = true;
        i += 1;
    }
    set
}

/// The authority of a target in absolute form (RFC 9112, 3.2.2).
fn authority(target: &str) -> Option<&[u8]> {
    let target = target.as_bytes();
    let scheme = [&b"http://"[..], b"https://"]
        .into_iter()
        .find(|s| target.get(..s.len()).is_some_and(|start| start.eq_ignore_ascii_case(s)))?;
    let rest = &target[scheme.len()..];
    Some(rest.split(|b| matches!(b, b'/' | b'?' | b'#')).next().unwrap_or(rest))
}

/// Host as RFC 3986 lets an authority be, without user information.
fn valid_host(host: &[u8]) -> bool {
    const NAME: Bytes = alphanumeric_and(b"-._~%!$&'()*+,;=");
    let port = match host {
        [b'[', rest @ ..] => {
            let end = memchr::memchr(b']', rest).unwrap_or(0);
            let address = &rest[..end];
            if address.is_empty() || !address.iter().all(|b| b.is_ascii_hexdigit() || b":.".contains(b)) {
                return false;
            }
            &rest[end + 1..]
        }
        _ => &host[host.iter().position(|b| !NAME[usize::from(*b)]).unwrap_or(host.len())..],
    };
    host.len() <= 255 && (port.is_empty() || valid_port(port))
}

/// A colon and a number, or nothing.
fn valid_port(port: &[u8]) -> bool {
    let digits = port.strip_prefix(b":").unwrap_or(b"x");
    digits.is_empty() || decimal(digits).is_some_and(|n| n <= 65_535)
}

/// Whether the first line ends with an HTTP version that is not ours, but is one.
fn names_version(bytes: &[u8]) -> bool {
    let line = bytes.split(|b| *b == b'\r').next().unwrap_or(bytes);
    let mut words = line.split(|b| *b == b' ').skip(2);
    let version = words.next().and_then(|w| w.strip_prefix(b"HTTP/"));
    words.next().is_none() && matches!(version, Some([a, b'.', b]) if a.is_ascii_digit() && b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_ends_without_cr_is_bad_wherever_it_stands() {
        let lines = ["GET /a?b HTTP/1.1", "Host: a.test", "Empty:", "Blank: \t ", "Spaced: b \t", ""];
        for bare in 0..=lines.len() {
            let end = |at| if at == bare { "\n" } else { "\r\n" };
            let head: String = lines.iter().enumerate().map(|(at, line)| format!("{line}{}", end(at))).collect();
            let mut fields = [MaybeUninit::uninit(); MAX_HEADERS];
            let parsed = parse(head.as_bytes(), &mut fields, 64);
            let whole = matches!(&parsed, Parsed::Whole(h) if h.len == head.len() && h.headers.len() == 4);
            assert_eq!(whole, bare == lines.len(), "{bare}: {parsed:?}");
        }
    }

    #[test]
    fn a_word_is_itself_in_any_case() {
        for at in 0..10 {
            for byte in (0..=255u8).filter(|b| *b != b'\r') {
                let mut text = *b"User-Agent";
                text[at] = byte;
                assert_eq!(is(&text, b"user-agent"), text.eq_ignore_ascii_case(b"user-agent"), "{text:?}");
            }
        }
        assert!(!is(b"accept-", b"accept") && !is(b"", b"accept"));
    }
}
