//! The headers that an admitted request carries on to the origin.

use super::edge::Peer;
use crate::config::settings::AddressFrom;
use crate::flood::challenge::{mentions, without_ours};
use http::header::{CONNECTION, COOKIE, FORWARDED, HeaderName, UPGRADE};
use http::{HeaderMap, HeaderValue};
use pingora_core::Result;
use pingora_http::RequestHeader;
use smallvec::SmallVec;
use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What only a trusted proxy may say.
static CLAIMS: [HeaderName; 6] = [
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-host"),
    FORWARDED,
    HeaderName::from_static("cloudfront-viewer-address"),
];

/// Appends the peer to what trusted proxies said, and forgets what others claimed. `traceparent` (W3C Trace Context)
/// and the load balancer's own trace header pass as they are.
pub(super) fn prepare(request: &mut RequestHeader, peer: &Peer, from: AddressFrom, request_id: u128) -> Result<()> {
    let mut seen = Seen::of(&request.headers);
    if seen.upgrade {
        drop_tunnel(request);
    }
    if seen.alias {
        drop_aliases(request);
    }
    if seen.cookie {
        drop_own_cookie(request)?;
    }
    if !peer.trusted {
        for name in &CLAIMS {
            request.remove_header(name);
        }
        (seen.proto, seen.forwarded) = (false, false);
    }
    let said = match (from, peer.proxied_address()) {
        (AddressFrom::ProxyProtocol, Some(source)) => source,
        _ => peer.address,
    };
    // Names as text: Pingora would spell a `HeaderName` out on the heap.
    let chain = chain(&request.headers, said);
    request.insert_header("x-forwarded-for", &chain[..])?;
    if !seen.proto {
        request
            .insert_header("x-forwarded-proto", HeaderValue::from_static(if peer.tls { "https" } else { "http" }))?;
    }
    if seen.forwarded {
        request.append_header(FORWARDED, node(said))?;
    }
    if !(seen.id && valid_id(request.headers.get(&X_REQUEST_ID))) {
        request.insert_header("x-request-id", &hex(request_id)[..])?;
    }
    Ok(())
}

/// Which fields are there that want a second look: one pass, as every lookup by name costs as much.
#[derive(Default)]
struct Seen {
    upgrade: bool,
    alias: bool,
    cookie: bool,
    proto: bool,
    forwarded: bool,
    id: bool,
}

impl Seen {
    fn of(headers: &HeaderMap) -> Self {
        let mut seen = Self::default();
        for name in headers.keys() {
            match name.as_str() {
                "upgrade" => seen.upgrade = true,
                "cookie" => seen.cookie = true,
                "x-forwarded-proto" => seen.proto = true,
                "forwarded" => seen.forwarded = true,
                "x-request-id" => seen.id = true,
                name => seen.alias |= memchr::memchr(b'_', name.as_bytes()).is_some(),
            }
        }
        seen
    }
}

/// Any upgrade but a WebSocket would be a tunnel past the limits ("h2c" above all). The gate sees it the same way.
fn drop_tunnel(request: &mut RequestHeader) {
    let upgrade = request.headers.get(UPGRADE);
    if upgrade.is_some_and(|u| !u.as_bytes().trim_ascii().eq_ignore_ascii_case(b"websocket")) {
        request.remove_header(&UPGRADE);
        request.remove_header(&CONNECTION);
        request.remove_header("http2-settings");
    }
}

/// weir's cookie is no business of the origin's. And where a browser sends each cookie as a field of its own, as it may
/// in HTTP/2, an origin of HTTP/1.1 is to see one field (RFC 9113, 8.2.3).
fn drop_own_cookie(request: &mut RequestHeader) -> Result<()> {
    let fields = || request.headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes);
    if fields().nth(1).is_none() && !fields().any(mentions) {
        return Ok(());
    }
    let kept = without_ours(fields());
    request.remove_header("cookie");
    if kept.is_empty() { Ok(()) } else { request.insert_header("cookie", kept) }
}

/// Origins that turn fields into variables (CGI, WSGI, Rack) take `X_Forwarded_For` for `X-Forwarded-For`. Nobody
/// on the way looks at it, so what it says is the client's own word.
fn drop_aliases(request: &mut RequestHeader) {
    let is_alias = |name: &&HeaderName| {
        let hyphened = || name.as_str().replace('_', "-");
        name.as_str().contains('_') && CLAIMS.iter().any(|claim| claim.as_str() == hyphened())
    };
    let aliases: Vec<HeaderName> = request.headers.keys().filter(is_alias).cloned().collect();
    for alias in aliases {
        request.remove_header(&alias);
    }
}

/// All X-Forwarded-For fields as one, the peer at the end.
fn chain(headers: &HeaderMap, peer: IpAddr) -> Chain {
    let mut chain = Chain::new();
    for value in headers.get_all(&X_FORWARDED_FOR) {
        chain.extend_from_slice(value.as_bytes());
        chain.extend_from_slice(b", ");
    }
    write_address(&mut chain, peer);
    chain
}

/// An `X-Forwarded-For` that is mostly short enough for the stack.
type Chain = SmallVec<[u8; 256]>;

/// The peer is mostly a load balancer with an IPv4 address: by hand, as formatting costs ten times as much.
fn write_address(out: &mut Chain, address: IpAddr) {
    let IpAddr::V4(v4) = address else { return out.extend_from_slice(address.to_string().as_bytes()) };
    for (i, octet) in v4.octets().into_iter().enumerate() {
        if i > 0 {
            out.push(b'.');
        }
        if octet >= 100 {
            out.push(b'0' + octet / 100);
        }
        if octet >= 10 {
            out.push(b'0' + octet / 10 % 10);
        }
        out.push(b'0' + octet % 10);
    }
}

/// A `Forwarded` element (RFC 7239, 4).
fn node(peer: IpAddr) -> String {
    match peer {
        IpAddr::V4(v4) => format!("for={v4}"),
        IpAddr::V6(v6) => format!("for=\"[{v6}]\""),
    }
}

/// 32 hexadecimal digits; by hand, as this is done for every request and formatting costs four times as much.
fn hex(id: u128) -> [u8; 32] {
    std::array::from_fn(|i| b"0123456789abcdef"[(id >> (124 - 4 * i)) as usize & 15])
}

/// An id that came with the request is kept if it can do no harm in a log.
fn valid_id(id: Option<&HeaderValue>) -> bool {
    id.is_some_and(|id| (1..=128).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic))
}

/// The id that came with a request, where it is one of ours.
pub(super) fn carried_id(headers: &HeaderMap) -> Option<u128> {
    let id = headers.get(&X_REQUEST_ID)?.to_str().ok().filter(|id| id.len() == 32)?;
    u128::from_str_radix(id, 16).ok()
}

/// A fresh request id: as good as random, so that no two tasks give the same, and never a secret.
pub(super) fn fresh_id() -> u128 {
    thread_local! {
        static NEXT: Cell<[u64; 2]> = Cell::new([0, 1].map(|n| RandomState::new().hash_one(n)));
    }
    // SplitMix64 (Steele, Lea, Flood 2014): no two of a thread's are the same before 2^64.
    let state = NEXT.get().map(|n| n.wrapping_add(0x9e37_79b9_7f4a_7c15));
    NEXT.set(state);
    let [high, low] = state.map(|n| {
        let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u128::from(n ^ (n >> 31))
    });
    high << 64 | low
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::budget::Budget;
    use crate::proxy::crowd::Hold;
    use std::sync::atomic::AtomicBool;

    fn peer(trusted: bool) -> Peer {
        Peer {
            address: "10.0.0.9".parse().unwrap(),
            port: 40_000,
            local: None,
            proxied: None,
            trusted,
            tls: false,
            resets: Budget::new(),
            condemned: AtomicBool::new(false),
            hold: Hold::default(),
        }
    }

    fn sent(trusted: bool, headers: &[(&'static str, &str)]) -> RequestHeader {
        let mut request = RequestHeader::build("GET", b"/", None).unwrap();
        for (name, value) in headers {
            request.append_header(*name, *value).unwrap();
        }
        prepare(&mut request, &peer(trusted), AddressFrom::XForwardedFor, 7).unwrap();
        request
    }

    fn header<'a>(request: &'a RequestHeader, name: &str) -> &'a str {
        request.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    #[test]
    fn a_trusted_chain_grows_by_the_peer() {
        let request = sent(
            true,
            &[("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "198.51.100.2"), ("x-forwarded-proto", "https")],
        );
        assert_eq!(header(&request, "x-forwarded-for"), "192.0.2.1, 198.51.100.2, 10.0.0.9");
        assert_eq!(header(&request, "x-forwarded-proto"), "https");
    }

    #[test]
    fn addresses_are_written_as_ever() {
        let addresses = (0..=255u8).map(|n| IpAddr::from([n, 255 - n, n / 2, 10]));
        for address in addresses.chain(["2001:db8::7".parse().unwrap()]) {
            let mut written = Chain::new();
            write_address(&mut written, address);
            assert_eq!(written.as_slice(), address.to_string().as_bytes());
        }
    }

    #[test]
    fn an_untrusted_claim_goes_no_further() {
        let request = sent(
            false,
            &[("x-forwarded-for", "127.0.0.1"), ("forwarded", "for=127.0.0.1"), ("x-forwarded-proto", "https")],
        );
        assert_eq!(header(&request, "x-forwarded-for"), "10.0.0.9");
        assert_eq!(header(&request, "x-forwarded-proto"), "http");
        assert_eq!(header(&request, "forwarded"), "");
    }

    #[test]
    fn an_alias_of_a_forwarding_field_goes_no_further_from_anybody() {
        let aliases = [("x_forwarded_for", "127.0.0.1"), ("x-forwarded_proto", "https"), ("x_own", "kept")];
        let request = sent(true, &aliases);
        assert_eq!(header(&request, "x_forwarded_for"), "");
        assert_eq!(header(&request, "x-forwarded_proto"), "");
        assert_eq!(header(&request, "x_own"), "kept");
    }

    #[test]
    fn the_own_cookie_goes_no_further_and_the_others_do_in_one_field() {
        let cookie = |fields: &[&str]| {
            let fields: Vec<(&'static str, &str)> = fields.iter().map(|f| ("cookie", *f)).collect();
            let request = sent(true, &fields);
            assert!(request.headers.get_all("cookie").iter().count() <= 1);
            header(&request, "cookie").to_owned()
        };
        assert_eq!(cookie(&["a=1; b=2"]), "a=1; b=2");
        assert_eq!(cookie(&["a=1; __Host-weir=x; b=2"]), "a=1; b=2");
        assert_eq!(cookie(&["weir=x"]), "");
        assert_eq!(cookie(&["a=1", "weir=x", "b=2"]), "a=1; b=2");
        assert_eq!(cookie(&["a=1", "b=2"]), "a=1; b=2");
    }

    #[test]
    fn a_request_id_is_kept_or_made() {
        assert_eq!(header(&sent(true, &[("x-request-id", "abc-1")]), "x-request-id"), "abc-1");
        assert_eq!(header(&sent(true, &[("x-request-id", "")]), "x-request-id"), format!("{:032x}", 7));
        assert_eq!(header(&sent(true, &[]), "x-request-id").len(), 32);
    }

    #[test]
    fn fresh_ids_differ_in_both_halves() {
        let ids: Vec<u128> = (0..1000).map(|_| fresh_id()).collect();
        for half in [0, 64] {
            let halves: std::collections::BTreeSet<u64> = ids.iter().map(|id| (id >> half) as u64).collect();
            assert_eq!(halves.len(), ids.len());
        }
    }

    #[test]
    fn only_a_websocket_may_upgrade() {
        let kept = sent(true, &[("upgrade", "WebSocket"), ("connection", "upgrade")]);
        assert_eq!((header(&kept, "upgrade"), header(&kept, "connection")), ("WebSocket", "upgrade"));
        let tunnel = [("upgrade", "h2c"), ("connection", "upgrade, http2-settings"), ("http2-settings", "AAMAAABk")];
        let stripped = sent(true, &tunnel);
        for name in ["upgrade", "connection", "http2-settings"] {
            assert_eq!(header(&stripped, name), "", "{name}");
        }
    }

    #[test]
    fn a_forwarded_header_is_carried_on() {
        let request = sent(
            true,
            &[
                ("forwarded", "for=192.0.2.1"),
                ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ],
        );
        let all: Vec<_> = request.headers.get_all("forwarded").iter().map(|v| v.to_str().unwrap()).collect();
        assert_eq!(all, ["for=192.0.2.1", "for=10.0.0.9"]);
        assert!(header(&request, "traceparent").starts_with("00-0af7"));
    }
}
