//! Who may ask: a bearer token, or, where loopback is trusted instead, no other web site by way of a browser.

use crate::config::settings::SecretPlace;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// The shortest token taken: 16 bytes, what 64 random bits are in hex.
const MIN_TOKEN: usize = 16;

/// What `Authorization: Bearer` must carry.
#[derive(Clone)]
pub struct Token(Arc<[u8]>);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// The token that stands in `place`, white space around it left out.
    pub fn read(place: &SecretPlace) -> Result<Self, String> {
        let bytes = place.read().map_err(|e| format!("admin.token_file: {place} can't be read: {e}"))?;
        Self::new(String::from_utf8_lossy(&bytes).trim()).map_err(|why| format!("admin.token_file: {place}: {why}"))
    }

    /// A token of at least 16 visible ASCII characters.
    pub fn new(token: &str) -> Result<Self, String> {
        if token.len() < MIN_TOKEN || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(format!("the token has to be at least {MIN_TOKEN} visible ASCII characters without a space"));
        }
        Ok(Self(token.as_bytes().into()))
    }

    /// The header value that carries it.
    pub fn bearer(&self) -> String {
        // Only ASCII gets in.
        format!("Bearer {}", String::from_utf8_lossy(&self.0))
    }

    /// In constant time but for the length.
    fn is(&self, offered: &[u8]) -> bool {
        self.0.ct_eq(offered).into()
    }
}

/// The rules of one admin server.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    pub(super) token: Option<Token>,
    pub(super) address: SocketAddr,
}

/// What a browser is told about every answer.
const HEADERS: [(header::HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The first layer of every request.
pub(super) async fn check(State(guard): State<Guard>, request: Request<Body>, next: Next) -> Response {
    let mut response = match guard.admits(request.method(), request.uri().path(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    for (name, value) in HEADERS {
        // The page's files hold no data, and say themselves for how long they may be kept.
        let kept = name == header::CACHE_CONTROL && response.headers().contains_key(&name);
        if !kept {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

impl Guard {
    fn admits(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<(), Refusal> {
        if matches!(path, "/healthz" | "/readyz") {
            return Ok(());
        }
        let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
        if self.token.is_none() && !self.knows(host) {
            return Err(Refusal::Host);
        }
        if !method.is_safe() && is_foreign(headers, host) {
            return Err(Refusal::Origin);
        }
        if !method.is_safe() && self.token.is_none() && is_browser(headers) {
            return Err(Refusal::ReadOnly);
        }
        // The page holds no data; it asks whether there is a token, for the token, and then fetches with it.
        let open = matches!(path, "/" | "/api/session") || path.starts_with("/page/");
        match &self.token {
            Some(token) if !open && !bearer(headers).is_some_and(|offered| token.is(offered)) => Err(Refusal::Token),
            _ => Ok(()),
        }
    }

    /// Whether `host` is this machine by a name that no other site can give it (DNS rebinding).
    fn knows(&self, host: &str) -> bool {
        let name = host.rsplit_once(':').map_or(host, |(name, port)| {
            let is_port = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
            if is_port { name } else { host }
        });
        let bare = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')).unwrap_or(name);
        match bare.parse::<IpAddr>() {
            Ok(ip) => ip.is_loopback() || ip == self.address.ip(),
            Err(_) => name.eq_ignore_ascii_case("localhost"),
        }
    }
}

/// Whether a browser sent this for a page of another site.
fn is_foreign(headers: &HeaderMap, host: &str) -> bool {
    if headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none") {
        return true;
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let own = origin.to_str().ok().and_then(|o| o.split_once("://")).map(|(_, authority)| authority);
    !own.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

/// Whether a browser sent this: where there is no token, pages only look on, even weir's own.
fn is_browser(headers: &HeaderMap) -> bool {
    headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN)
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

enum Refusal {
    Host,
    Origin,
    ReadOnly,
    Token,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Host => (
                StatusCode::MISDIRECTED_REQUEST,
                "the Host header is neither a loopback name nor the admin address; set admin.token_file to use other names\n",
            )
                .into_response(),
            Self::Origin => (StatusCode::FORBIDDEN, "this request came from a page of another site\n").into_response(),
            Self::ReadOnly => {
                (StatusCode::FORBIDDEN, "a browser may change nothing here without a token: set admin.token_file\n")
                    .into_response()
            }
            Self::Token => (
                StatusCode::UNAUTHORIZED,
                [(header::WWW_AUTHENTICATE, "Bearer realm=\"weir\"")],
                "a token is needed: Authorization: Bearer TOKEN\n",
            )
                .into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        Guard { token: None, address: "192.0.2.5:9901".parse().unwrap() }
    }

    #[test]
    fn only_names_that_no_other_site_can_take_are_known() {
        for host in ["localhost", "LocalHost:9901", "127.0.0.1:1", "127.9.9.9", "[::1]:9901", "192.0.2.5:9901"] {
            assert!(guard().knows(host), "{host}");
        }
        for host in [
            "",
            ":",
            "evil.example",
            "127.0.0.1.evil.example",
            "192.0.2.6",
            "localhost.evil.example:9901",
            "[::1",
            "a:b:c",
        ] {
            assert!(!guard().knows(host), "{host}");
        }
    }

    #[test]
    fn tokens_are_long_and_do_not_show() {
        assert!(Token::new("short").is_err());
        assert!(Token::new("sixteen letters and a space").is_err());
        let token = Token::new("0123456789abcdef").unwrap();
        assert!(token.is(b"0123456789abcdef") && !token.is(b"0123456789abcdeg") && !token.is(b""));
        assert!(!format!("{token:?}").contains("0123"));
    }
}
