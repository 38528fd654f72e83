//! From a request's head to the facts that `decide` wants.

use super::challenge::{OWN, unix};
use super::edge::Peer;
use super::gate::head::{Head, is};
use crate::access::path::{self, Buffer};
use crate::base::clock::Time;
use crate::client::cloudfront;
use crate::client::forwarded;
use crate::client::key::ClientKey;
use crate::client::shared_key::Seen;
use crate::config::settings::AddressFrom;
use crate::verdict::facts::{Facts, Method};
use crate::verdict::policy::MAX_HEADER_KEYS;
use crate::verdict::reason::Reason;
use crate::verdict::{Policy, State};
use http::HeaderMap;
use pingora_http::RequestHeader;
use ring::digest::{SHA256, digest};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::OnceLock;

/// Facts of an HTTP/1.1 head.
pub(super) fn of_head<'a>(
    head: &'a Head<'_, '_>,
    peer: &Peer,
    policy: &Policy,
    state: &State,
    now: Time,
    buffer: &'a mut Buffer,
) -> Facts<'a> {
    let forwarded = head.forwarded.iter().filter(|h| is(h.name.as_bytes(), b"x-forwarded-for")).map(|h| h.value);
    let address = address_of(peer, policy, state, forwarded, head.viewer.into_iter());
    let path = path::normalise(head.target.as_bytes(), buffer);
    let client = ClientKey::new(address, policy.settings.client.ipv6_prefix);
    let mut facts = Facts::new(address, client, Method::parse(head.method.as_bytes()), path);
    for (i, name) in policy.header_keys.iter().enumerate() {
        let found = head.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name));
        facts.header_keys[i] = found.map(|h| header_key(h.value, policy.header_shared[i]));
    }
    facts.query = head.target.contains('?');
    facts.user_agent = head.user_agent;
    if let Some(challenge) = &policy.challenge {
        let carries = |name: &String| head.headers.iter().any(|h| h.name.eq_ignore_ascii_case(name));
        facts.own = path.starts_with(OWN);
        facts.declared = policy.settings.flood.challenge.exempt_headers.iter().any(carries);
        if !head.cookies.is_empty() {
            let fields = head.cookies.iter().filter(|h| is(h.name.as_bytes(), b"cookie")).map(|h| h.value);
            facts.proof = challenge.proof(fields, client, unix(now));
        }
    }
    facts.fault = method_fault(head.method.as_bytes());
    facts
}

/// Facts of an HTTP/2 request.
pub(super) fn of_stream<'a>(
    request: &'a RequestHeader,
    peer: &Peer,
    policy: &Policy,
    state: &State,
    now: Time,
    buffer: &'a mut Buffer,
) -> Facts<'a> {
    let headers: &HeaderMap = &request.headers;
    let named = |name: &'static str| headers.get_all(name).into_iter().map(|v| v.as_bytes());
    let address = address_of(peer, policy, state, named("x-forwarded-for"), named("cloudfront-viewer-address"));
    let path = path::normalise(request.raw_path(), buffer);
    let client = ClientKey::new(address, policy.settings.client.ipv6_prefix);
    let method = request.method.as_str().as_bytes();
    let mut facts = Facts::new(address, client, Method::parse(method), path);
    facts.header_keys = header_keys(headers, policy);
    facts.query = request.raw_path().contains(&b'?');
    facts.user_agent = headers.get("user-agent").map_or(b"", |v| v.as_bytes());
    if let Some(challenge) = &policy.challenge {
        facts.own = path.starts_with(OWN);
        facts.declared = policy.settings.flood.challenge.exempt_headers.iter().any(|name| headers.contains_key(name));
        facts.proof = challenge.proof(named("cookie"), client, unix(now));
    }
    facts.fault = method_fault(method).or_else(|| too_large(request, policy));
    facts
}

/// The client's address, from where the config says it stands.
fn address_of<'h>(
    peer: &Peer,
    policy: &Policy,
    state: &State,
    forwarded: impl DoubleEndedIterator<Item = &'h [u8]>,
    mut viewer: impl DoubleEndedIterator<Item = &'h [u8]>,
) -> IpAddr {
    let from = policy.settings.client.address_from;
    let mut forwarded = forwarded.peekable();
    let has_forwarded = forwarded.peek().is_some();
    let trusted = |address| policy.trusted.contains(address);
    let (found, has_source) = match from {
        AddressFrom::XForwardedFor => (forwarded::from_right(forwarded, trusted, peer.address).address, has_forwarded),
        AddressFrom::CloudFrontViewerAddress => {
            let value = viewer.next_back();
            (cloudfront::viewer_address(value, trusted, peer.address).address, value.is_some())
        }
        AddressFrom::Peer => (peer.address, true),
        AddressFrom::ProxyProtocol => (peer.proxied_address().unwrap_or(peer.address), peer.proxied.is_some()),
    };
    state
        .shared_key
        .observe(from, Seen { peer: peer.address, trusted: peer.trusted, has_source, forwarded: has_forwarded });
    found
}

fn header_keys(headers: &HeaderMap, policy: &Policy) -> [Option<u128>; MAX_HEADER_KEYS] {
    let mut keys = [None; MAX_HEADER_KEYS];
    for (i, name) in policy.header_keys.iter().enumerate() {
        keys[i] = headers.get(name.as_str()).map(|v| header_key(v.as_bytes(), policy.header_shared[i]));
    }
    keys
}

fn too_large(request: &RequestHeader, policy: &Policy) -> Option<Reason> {
    let listen = &policy.settings.listen;
    let size: usize = request.headers.iter().map(|(n, v)| n.as_str().len() + v.len() + 4).sum();
    let fits = request.headers.len() <= usize::from(listen.max_headers)
        && (size + request.raw_path().len()) as u64 <= listen.max_header_size.0;
    (!fits).then_some(Reason::HeaderTooLarge)
}

/// CONNECT would make weir a tunnel; TRACE echoes what proxies added; `post` is no method, meets no limit of POST,
/// and is POST all the same to some origins.
fn method_fault(method: &[u8]) -> Option<Reason> {
    let tunnel_or_echo = matches!(method, b"CONNECT" | b"TRACE" | b"TRACK");
    (tunnel_or_echo || method.iter().any(u8::is_ascii_lowercase)).then_some(Reason::MethodNotAllowed)
}

/// A header value as a table key; seeded, so that nobody can choose values that meet. Where all tasks must hash alike
/// there is no seed: then only a hash will do for which such values can't be found.
fn header_key(value: &[u8], shared: bool) -> u128 {
    if shared {
        let hash = digest(&SHA256, value);
        return hash.as_ref().iter().take(16).fold(0, |key, byte| key << 8 | u128::from(*byte));
    }
    static SEEDS: OnceLock<(RandomState, RandomState)> = OnceLock::new();
    let (a, b) = SEEDS.get_or_init(|| (RandomState::new(), RandomState::new()));
    u128::from(a.hash_one(value)) << 64 | u128::from(b.hash_one(value))
}
