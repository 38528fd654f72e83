//! How the challenge meets a client: a redirect with a cookie, a page that calculates, and weir's own paths.
//!
//! The redirect goes to a path of weir's own and from there back, so that a client without cookies comes to a page that
//! says so, and never round in circles; nothing is added to the address that the origin or the person sees.

mod page;
mod tests;

use super::gate::head::{Head, is};
use super::edge::Peer;
use super::forward::fresh_id;
use super::reply::decimal;
use crate::base::clock::{self, Time};
use crate::client::key::ClientKey;
use crate::flood::challenge::{self, Challenge, PLAIN_NAME, Proof, SECURE_NAME, Token};
use crate::verdict::facts::Method;
use crate::verdict::reason::Reason;
use crate::verdict::{Facts, Fate, Verdict};
use bytes::{BufMut, Bytes, BytesMut};
use pingora_core::protocols::http::date::get_cached_date;
use pingora_http::{RequestHeader, ResponseHeader};
use smallvec::SmallVec;

/// Where weir's own paths begin.
pub(super) const OWN: &[u8] = b"/.well-known/weir/";

/// Where a redirect leads; what stands behind it is where the client wanted to go.
const CHECK: &[u8] = b"/.well-known/weir/c?";

/// The longest target that goes through a redirect: the next request's head must have room for it.
const MAX_TARGET: usize = 4096;

/// Seconds after which a client that can't answer may come again.
const RETRY: u64 = 10;

/// What the challenge needs to know of a request, of either protocol.
pub(super) struct Ask<'a> {
    /// The target in origin form.
    pub(super) target: &'a [u8],
    /// The client takes HTML.
    pub(super) html: bool,
    /// The browser's side speaks TLS.
    pub(super) secure: bool,
}

impl<'a> Ask<'a> {
    pub(super) fn of_head(head: &Head<'a, '_>, html: bool, peer: &Peer) -> Self {
        let proto = head.headers.iter().find(|h| is(h.name.as_bytes(), b"x-forwarded-proto")).map(|h| h.value);
        Self { target: origin_form(head.target.as_bytes()), html, secure: is_secure(peer, proto) }
    }

    pub(super) fn of_stream(request: &'a RequestHeader, html: bool, peer: &Peer) -> Self {
        let proto = request.headers.get("x-forwarded-proto").map(|v| v.as_bytes());
        Self { target: origin_form(request.raw_path()), html, secure: is_secure(peer, proto) }
    }
}

/// Whether the browser has TLS, be it with weir or with the load balancer.
pub(super) fn is_secure(peer: &Peer, proto: Option<&[u8]>) -> bool {
    peer.tls || (peer.trusted && proto.is_some_and(|p| p.trim_ascii().eq_ignore_ascii_case(b"https")))
}

/// Path and query of a target in origin or absolute form (RFC 9112, 3.2).
fn origin_form(target: &[u8]) -> &[u8] {
    if target.first() == Some(&b'/') {
        return target;
    }
    let authority = memchr::memmem::find(target, b"://").map_or(target.len(), |at| at + 3);
    memchr::memchr(b'/', &target[authority..]).map_or(b"/", |at| &target[authority + at..])
}
