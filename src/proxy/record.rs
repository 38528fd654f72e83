//! Builds event records. Only for requests that the log gate lets through.

use super::context::Context;
use super::edge::Peer;
use super::forward::carried_id;
use super::gate::head::Head;
use crate::base::clock::Time;
use crate::event::record::{Outcome, Protocol, Record, Text};
use crate::verdict::reason::{Class, Reason};
use crate::verdict::{Facts, Fate, Policy, Verdict};
use http::{HeaderMap, Version, header};
use pingora_http::RequestHeader;

/// A refusal at the gate.
pub(super) fn of_refused_head(
    head: &Head<'_, '_>,
    facts: &Facts<'_>,
    verdict: &Verdict,
    policy: &Policy,
    peer: &Peer,
    now: Time,
) -> Record {
    let mut record = refused(facts, verdict, policy, peer, now);
    record.protocol = head.protocol;
    record.method = Text::new(head.method.as_bytes());
    record.host = Text::new(head.host);
    record.path = Text::new(path_only(head.target.as_bytes()));
    record.user_agent = Text::new(head.user_agent);
    record
}

/// Something that is no request.
pub(super) fn of_bad_head(reason: Reason, policy: &Policy, peer: &Peer, now: Time) -> Record {
    let _ = policy;
    Record {
        client: peer.proxied.unwrap_or(peer.address),
        peer: peer.address,
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
    policy: &Policy,
    peer: &Peer,
    now: Time,
) -> Record {
    let mut record = refused(facts, verdict, policy, peer, now);
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
        record.peer = peer.address;
    }
    if let Some(story) = context.story {
        record.client = story.address;
        record.observed = story.observed;
        record.duration = now.since(story.started);
        record.origin_latency = context.first_byte.map(|at| at.since(story.started)).unwrap_or_default();
    }
    describe(&mut record, request);
    record
}

fn refused(facts: &Facts<'_>, verdict: &Verdict, policy: &Policy, peer: &Peer, now: Time) -> Record {
    let limit = verdict.limit(policy);
    Record {
        client: facts.address,
        peer: peer.address,
        outcome: match verdict.fate {
            Fate::Close => Outcome::Closed,
            _ if verdict.reason.class() == Class::Own => Outcome::Own,
            _ => Outcome::Refused,
        },
        reason: verdict.reason.code(),
        rule: limit.map_or(Text::EMPTY, |l| Text::new(l.name.as_bytes())),
        observed: verdict.observed,
        status: if verdict.fate == Fate::Close { 0 } else { verdict.reason.status() },
        limit_burst: limit.map_or(0, |l| l.burst),
        retry_after: verdict.retry_after,
        ..Record::blank(now)
    }
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
