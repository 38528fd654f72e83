//! How the challenge meets a client: a redirect with a cookie, a page that calculates, and weir's own paths.
//!
//! The redirect goes to a path of weir's own and from there back, so that a client without cookies comes to a page that
//! says so, and never round in circles; nothing is added to the address that the origin or the person sees.

mod page;
#[cfg(test)]
mod tests;

use super::context::Context;
use super::edge::Peer;
use super::forward::fresh_id;
use super::gate::head::{Head, is};
use super::reply::{decimal, title};
use crate::base::clock::{self, Time};
use crate::client::key::ClientKey;
use crate::config::settings::Form;
use crate::flood::challenge::{Challenge, PLAIN_NAME, Proof, REDIRECT, SECURE_NAME, Token, WORK};
use crate::verdict::facts::Method;
use crate::verdict::reason::Reason;
use crate::verdict::{Facts, Fate, Policy, State, Verdict};
use bytes::{BufMut, Bytes, BytesMut};
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue};
use pingora_core::protocols::http::date::get_cached_date;
use pingora_http::{RequestHeader, ResponseHeader};
use smallvec::SmallVec;
use std::time::Duration;

/// Where weir's own paths begin.
pub(super) const OWN: &[u8] = b"/.well-known/weir/";

/// Where a redirect leads; what stands behind it is where the client wanted to go.
const CHECK: &[u8] = b"/.well-known/weir/c?";

/// Where a soft one leads, from where everybody comes back.
const SOFT: &[u8] = b"/.well-known/weir/s?";

/// The longest target that goes through a redirect: the next request's head must have room for it.
const MAX_TARGET: usize = 4096;

/// Seconds after which a client that can't answer may come again.
const RETRY: Duration = Duration::from_secs(10);

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

/// Something short, mostly on the stack.
type Text = SmallVec<[u8; 160]>;

/// What weir says to a client that is to prove itself, or does.
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    location: Option<(&'static [u8], &'a [u8])>,
    cookie: Option<Text>,
    page: Page,
}

enum Page {
    None,
    /// The browser keeps no cookies.
    Failed,
    /// A problem, and its difficulty in decimal.
    Work(Token, [u8; 2]),
}

/// Settles what `decide` left to the challenge: the verdict with its reason, and the answer where that is not an
/// ordinary refusal's.
pub(super) fn settle<'a>(
    verdict: &Verdict,
    policy: &Policy,
    state: &State,
    facts: &Facts<'_>,
    ask: impl FnOnce() -> Ask<'a>,
    now: Time,
) -> (Verdict, Option<Answer<'a>>) {
    let Some(challenge) = &policy.challenge else { return (*verdict, None) };
    let scene = || Scene { challenge, state, facts, ask: ask(), unix: unix(now) };
    match verdict.fate {
        Fate::Challenge if verdict.soft => (*verdict, Some(scene().redirect(SOFT))),
        Fate::Challenge => match scene().challenged(policy.settings.flood.challenge.form) {
            None => (Verdict { retry_after: verdict.retry_after.max(RETRY), ..*verdict }, None),
            answer => (*verdict, answer),
        },
        Fate::Own => match scene().own() {
            (reason @ (Reason::ChallengePassed | Reason::ProbeFailed), answer) => {
                (Verdict { reason, ..*verdict }, answer)
            }
            (reason, answer) => (Verdict { fate: Fate::Refuse, reason, ..*verdict }, answer),
        },
        _ => (*verdict, None),
    }
}

/// Seconds since 1970.
pub(super) fn unix(now: Time) -> u64 {
    clock::unix_nanos(now) / 1_000_000_000
}

/// One request that meets the challenge.
struct Scene<'a, 'b> {
    challenge: &'b Challenge,
    state: &'b State,
    facts: &'b Facts<'b>,
    ask: Ask<'a>,
    unix: u64,
}

impl<'a> Scene<'a, '_> {
    /// A newcomer. None: it can't answer, and is refused in words.
    fn challenged(&self, form: Form) -> Option<Answer<'a>> {
        let reads = self.facts.method.reads();
        if reads && form == Form::Redirect && self.ask.target.len() <= MAX_TARGET {
            return Some(self.redirect(CHECK));
        }
        (reads && self.ask.html).then(|| {
            let problem = self.challenge.problem(self.facts.client, self.unix, fresh_id() as u32);
            let difficulty = [self.challenge.difficulty() / 10, self.challenge.difficulty() % 10].map(|d| b'0' + d);
            Answer { page: Page::Work(problem, difficulty), ..Answer::plain(429) }
        })
    }

    /// With a cookie, through one of weir's paths and back. A target that is too long goes without the detour.
    fn redirect(&self, through: &'static [u8]) -> Answer<'a> {
        let through = if self.ask.target.len() <= MAX_TARGET { through } else { b"" };
        let location = Some((through, self.ask.target));
        Answer { location, cookie: Some(self.cookie(REDIRECT)), ..Answer::plain(307) }
    }

    /// A request for weir's own paths.
    fn own(&self) -> (Reason, Option<Answer<'a>>) {
        let strength = match self.facts.proof {
            Proof::Valid { strength, .. } => strength,
            Proof::None | Proof::Forged => 0,
        };
        let query = memchr::memchr(b'?', self.ask.target).map_or(&b""[..], |at| &self.ask.target[at + 1..]);
        match (&self.facts.path[OWN.len()..], self.facts.method) {
            (b"c", method) if method.reads() => self.check(strength, query),
            (b"s", method) if method.reads() => self.soft_check(strength, query),
            (b"pow", Method::Get) if strength >= WORK => (Reason::ChallengePassed, Some(Answer::plain(204))),
            (b"pow", Method::Get) => (Reason::ChallengeFailed, None),
            (b"pow", Method::Post) if self.is_solved(query) => {
                let answer = Answer { cookie: Some(self.cookie(WORK)), ..Answer::plain(204) };
                (Reason::ChallengePassed, Some(answer))
            }
            (b"pow", Method::Post) => (Reason::ChallengeFailed, None),
            _ => (Reason::BadRequest, None),
        }
    }

    /// Back to where the client wanted to go, if it has brought the cookie.
    fn check(&self, strength: u8, target: &'a [u8]) -> (Reason, Option<Answer<'a>>) {
        if strength >= REDIRECT {
            let answer = Answer { location: Some((b"", safe(target))), ..Answer::plain(307) };
            return (Reason::ChallengePassed, Some(answer));
        }
        self.state.flood.came_without(self.facts.client);
        // With a cookie, so that loading this page again is enough once cookies are allowed.
        let page = || Answer { cookie: Some(self.cookie(REDIRECT)), page: Page::Failed, ..Answer::plain(403) };
        (Reason::ChallengeFailed, self.ask.html.then(page))
    }

    /// Back, whatever it has brought.
    fn soft_check(&self, strength: u8, target: &'a [u8]) -> (Reason, Option<Answer<'a>>) {
        let answer = Answer { location: Some((b"", safe(target))), ..Answer::plain(307) };
        if strength >= REDIRECT {
            return (Reason::ChallengePassed, Some(answer));
        }
        self.state.flood.came_without(self.facts.client);
        (Reason::ProbeFailed, Some(answer))
    }

    fn is_solved(&self, query: &[u8]) -> bool {
        let at = memchr::memchr(b'&', query).unwrap_or(query.len());
        let (problem, nonce) = (&query[..at], query.get(at + 1..).unwrap_or_default());
        self.challenge.is_solved(problem, nonce, self.facts.client, self.unix)
    }

    fn cookie(&self, strength: u8) -> Text {
        set_cookie(self.challenge, self.facts.client, strength, self.ask.secure, self.unix)
    }
}

/// The value of a Set-Cookie field.
pub(super) fn set_cookie(challenge: &Challenge, client: ClientKey, strength: u8, secure: bool, unix: u64) -> Text {
    let mut age = [0; 20];
    let token = challenge.issue(client, strength, unix, fresh_id() as u32);
    let (name, end) = if secure { (SECURE_NAME, "; Secure") } else { (PLAIN_NAME, "") };
    let mut text = Text::new();
    for piece in [name.as_bytes(), b"=", token.as_str().as_bytes(), b"; Path=/; Max-Age="] {
        text.extend_from_slice(piece);
    }
    text.extend_from_slice(decimal(challenge.lifetime().as_secs(), &mut age));
    text.extend_from_slice(b"; HttpOnly; SameSite=Lax");
    text.extend_from_slice(end.as_bytes());
    text
}

/// A cookie beside the origin's answer, for a client that may be one of several behind its address.
pub(super) fn probe(
    request: &RequestHeader,
    response: &mut ResponseHeader,
    context: &Context,
    now: Time,
) -> pingora_core::Result<()> {
    let Some(story) = context.story.filter(|story| story.probe) else { return Ok(()) };
    let (Some(challenge), Some(peer)) = (&context.policy.challenge, &context.peer) else { return Ok(()) };
    if is_shared(&response.headers) {
        return Ok(());
    }
    let proto = request.headers.get("x-forwarded-proto").map(HeaderValue::as_bytes);
    let cookie = set_cookie(challenge, story.client, REDIRECT, is_secure(peer, proto), unix(now));
    response.append_header("set-cookie", &cookie[..])?;
    Ok(())
}

/// Whether a cache may hand the answer to others, with one client's cookie in it.
fn is_shared(headers: &HeaderMap) -> bool {
    let says = |word: &[u8]| {
        let fields = headers.get_all(CACHE_CONTROL).into_iter();
        fields
            .flat_map(|v| v.as_bytes().split(|b| *b == b','))
            .any(|part| part.trim_ascii().get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)))
    };
    let closed = says(b"private") || says(b"no-store") || says(b"no-cache");
    !closed && (says(b"public") || says(b"s-maxage") || says(b"max-age"))
}

/// A path of this site, whatever was asked for: what begins with two slashes, of either kind, names another host.
fn safe(target: &[u8]) -> &[u8] {
    match target {
        [b'/', b'/' | b'\\', ..] => b"/",
        [b'/', ..] if !target.starts_with(OWN) => target,
        _ => b"/",
    }
}

impl Answer<'_> {
    const fn plain(status: u16) -> Self {
        Self { status, location: None, cookie: None, page: Page::None }
    }

    fn body(&self) -> [&[u8]; 5] {
        match &self.page {
            Page::None => [b""; 5],
            Page::Failed => [page::FAILED.as_bytes(), b"", b"", b"", b""],
            Page::Work(problem, difficulty) => {
                let [front, middle, back] = page::WORK.each_ref().map(String::as_bytes);
                [front, problem.as_str().as_bytes(), middle, difficulty, back]
            }
        }
    }

    /// The header, name by name.
    fn fields(&self, mut put: impl FnMut(&'static str, &[&[u8]])) {
        put("Date", &[get_cached_date().as_bytes()]);
        put("Cache-Control", &[b"no-store"]);
        if let Some((front, back)) = self.location {
            put("Location", &[front, back]);
        }
        if let Some(cookie) = &self.cookie {
            put("Set-Cookie", &[cookie]);
        }
        if self.status == 429 {
            put("Retry-After", &[decimal(RETRY.as_secs(), &mut [0; 20])]);
        }
        if !matches!(self.page, Page::None) {
            put("Content-Type", &[b"text/html; charset=utf-8"]);
            put("Content-Security-Policy", &[page::CSP.as_bytes()]);
            put("Referrer-Policy", &[b"same-origin"]);
            put("X-Content-Type-Options", &[b"nosniff"]);
        }
        if self.status != 204 {
            let mut digits = [0; 20];
            let length: usize = self.body().iter().map(|piece| piece.len()).sum();
            put("Content-Length", &[decimal(length as u64, &mut digits)]);
        }
    }

    /// Appends the whole HTTP/1.1 response; to a HEAD request without its body.
    pub(super) fn write(&self, head: bool, close: bool, out: &mut BytesMut) {
        out.put_slice(b"HTTP/1.1 ");
        out.put_slice(decimal(u64::from(self.status), &mut [0; 20]));
        out.put_u8(b' ');
        out.put_slice(title(self.status).as_bytes());
        self.fields(|name, value| {
            out.put_slice(b"\r\n");
            out.put_slice(name.as_bytes());
            out.put_slice(b": ");
            value.iter().for_each(|piece| out.put_slice(piece));
        });
        out.put_slice(if close { b"\r\nConnection: close\r\n\r\n" } else { b"\r\n\r\n" });
        if !head {
            self.body().iter().for_each(|piece| out.put_slice(piece));
        }
    }

    /// The response for HTTP/2: its head, and its body.
    pub(super) fn response(&self, head: bool) -> pingora_core::Result<(ResponseHeader, Bytes)> {
        let mut response = ResponseHeader::build(self.status, Some(10))?;
        let mut outcome = Ok(());
        self.fields(|name, value| {
            if outcome.is_ok() {
                outcome = response.insert_header(name, value.concat());
            }
        });
        outcome?;
        Ok((response, if head { Bytes::new() } else { Bytes::from(self.body().concat()) }))
    }
}
