//! Builds event records. Only for requests that the log gate lets through.

use super::context::Context;
use super::edge::Peer;
use super::forward::carried_id;
use super::gate::head::{Head, is};
use super::port;
use crate::base::clock::Time;
use crate::event::record::{Outcome, Protocol, Record, Text};
use crate::flood::rank::Rank;
use crate::verdict::reason::{Class, Reason};
use crate::verdict::{Facts, Fate, Policy, State, Verdict};
use http::{HeaderMap, Version, header};
use pingora_http::RequestHeader;
use std::net::IpAddr;

/// A refusal at the gate.
pub(super) fn of_refused_head(
    head: &Head<'_, '_>,
    facts: &Facts<'_>,
    verdict: &Verdict,
    by: (&Policy, &State),
    peer: &Peer,
    now: Time,
) -> Record {
    let mut record = refused(facts, verdict, by, peer, now);
    let forwarded = head.forwarded.iter().filter(|h| is(h.name.as_bytes(), b"x-forwarded-for")).map(|h| h.value);
    let from = by.0.settings.client.address_from;
    record.client_port = port::of_client(peer, from, facts.address, forwarded, head.viewer.into_iter());
    record.protocol = head.protocol;
    record.method = Text::new(head.method.as_bytes());
    record.host = Text::new(head.host);
    record.path = Text::new(path_only(head.target.as_bytes()));
    record.user_agent = Text::new(head.user_agent);
    record
}

/// Something that is no request.
pub(super) fn of_bad_head(reason: Reason, peer: &Peer, now: Time) -> Record {
    Record {
        client: peer.proxied_address().unwrap_or(peer.address),
        client_port: peer.proxied.map_or(peer.port, |source| source.port()),
        peer: peer.address,
        local: peer.local,
        outcome: if reason.status() == 0 { Outcome::Closed } else { Outcome::Refused },
        reason: reason.code(),
        status: reason.status(),
        ..Record::blank(now)
    }
}

/// A refused HTTP/2 request.
pub(super) fn of_refused_stream(
    request: &RequestHeader,
    facts: &Facts<'_>,
    verdict: &Verdict,
    by: (&Policy, &State),
    peer: &Peer,
    now: Time,
) -> Record {
    let mut record = refused(facts, verdict, by, peer, now);
    record.client_port = port_in(&request.headers, peer, by.0, facts.address);
    describe(&mut record, request);
    record
}

/// A request that was admitted, at its end.
pub(super) fn of_ended(request: &RequestHeader, context: &Context, reason: Reason, status: u16, now: Time) -> Record {
    let mut record = Record {
        outcome: match reason.class() {
            Class::Forward => Outcome::Forwarded,
            Class::Refuse => Outcome::Refused,
            Class::Fault => Outcome::Failed,
            Class::Gone => Outcome::Gone,
            Class::Own => Outcome::Own,
        },
        reason: reason.code(),
        status,
        bytes_in: context.meter.bytes(),
        bytes_out: context.bytes_out,
        origin: context.origin,
        request_id: carried_id(&request.headers).unwrap_or(context.request_id),
        ..Record::blank(now)
    };
    if let Some(peer) = &context.peer {
        (record.peer, record.local) = (peer.address, peer.local);
    }
    if let Some(story) = context.story {
        let port = |peer: &Peer| port_in(&request.headers, peer, &context.policy, story.address);
        record.client_port = context.peer.as_deref().map_or(0, port);
        record.client = story.address;
        record.observed = story.observed;
        (record.state, record.rank) = (story.state, story.rank);
        record.duration = now.since(story.started);
        record.origin_latency = context.first_byte.map(|at| at.since(story.started)).unwrap_or_default();
    }
    describe(&mut record, request);
    record
}

/// The flood's state, where floods are looked for.
pub(super) fn state_of(state: &State, policy: &Policy) -> &'static str {
    if policy.settings.flood.enabled { state.flood.view().state.name() } else { "" }
}

/// The client's rank, where it was asked for.
pub(super) fn rank_of(verdict: &Verdict) -> &'static str {
    verdict.rank.map_or("", Rank::name)
}

fn refused(facts: &Facts<'_>, verdict: &Verdict, (policy, state): (&Policy, &State), peer: &Peer, now: Time) -> Record {
    let limit = verdict.limit(policy);
    let pressure = || (state.flood.view().evidence.offered as f32, policy.capacity_per_second as f32);
    Record {
        client: facts.address,
        peer: peer.address,
        local: peer.local,
        outcome: match verdict.fate {
            Fate::Close => Outcome::Closed,
            _ if verdict.reason.class() == Class::Own => Outcome::Own,
            _ => Outcome::Refused,
        },
        reason: verdict.reason.code(),
        rule: limit.map_or(Text::EMPTY, |l| Text::new(l.name.as_bytes())),
        observed: verdict.observed,
        status: if verdict.fate == Fate::Close { 0 } else { verdict.reason.status() },
        state: state_of(state, policy),
        rank: rank_of(verdict),
        // Only who has passed all limits is asked for his rank.
        pressure: verdict.rank.map(|_| pressure()),
        limit_rate: limit.map(|l| l.quota.rate()),
        limit_burst: limit.map_or(0, |l| l.burst),
        retry_after: verdict.retry_after,
        ..Record::blank(now)
    }
}

fn port_in(headers: &HeaderMap, peer: &Peer, policy: &Policy, client: IpAddr) -> u16 {
    let named = |name: &'static str| headers.get_all(name).into_iter().map(|v| v.as_bytes());
    let from = policy.settings.client.address_from;
    port::of_client(peer, from, client, named("x-forwarded-for"), named("cloudfront-viewer-address"))
}

fn describe(record: &mut Record, request: &RequestHeader) {
    let headers: &HeaderMap = &request.headers;
    let text = |name| headers.get(name).map_or(&b""[..], |v: &http::HeaderValue| v.as_bytes());
    let authority = request.uri.authority().map_or(&b""[..], |a| a.as_str().as_bytes());
    record.protocol = match request.version {
        Version::HTTP_2 => Protocol::Http2,
        Version::HTTP_10 => Protocol::Http10,
        _ => Protocol::Http11,
    };
    record.method = Text::new(request.method.as_str().as_bytes());
    record.host = Text::new(if headers.contains_key(header::HOST) { text(header::HOST) } else { authority });
    record.path = Text::new(path_only(request.raw_path()));
    record.user_agent = Text::new(text(header::USER_AGENT));
}

/// Queries carry what people typed; the log has no need of it.
fn path_only(target: &[u8]) -> &[u8] {
    let end = target.iter().position(|b| *b == b'?').unwrap_or(target.len());
    &target[..end]
}
