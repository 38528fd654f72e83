//! HTTP/2 requests: decided, and refused, as the gate does for HTTP/1.1.

use super::challenge::{self, Ask};
use super::connection::wait_in_line;
use super::context::Context;
use super::edge::{Edge, Peer, Place, Story};
use super::reply::Refusal;
use super::{crowd, facts, http2, record};
use crate::access::path::Buffer;
use crate::base::clock;
use crate::verdict::offence::note_verdict;
use crate::verdict::reason::Reason;
use crate::verdict::{Fate, decide};
use bytes::Bytes;
use pingora_core::{Error, ErrorType, Result};
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::Session;
use std::sync::Arc;

/// Decides an HTTP/2 request. True if it was answered here.
pub(super) async fn filter(
    edge: &Edge,
    session: &mut Session,
    peer: &Arc<Peer>,
    context: &mut Context,
) -> Result<bool> {
    let (now, policy) = (clock::now(), context.policy.clone());
    let mut buffer = Buffer::new();
    let request = session.req_header();
    let mut facts = facts::of_stream(request, peer, &policy, &edge.state, now, &mut buffer);
    if declared_length(request).is_some_and(|n| n > policy.settings.listen.max_body_size.0) {
        facts.fault = Some(Reason::BodyTooLarge);
    }
    let verdict = decide(&policy, &edge.state, &facts, now).told_to(peer.trusted);
    note_verdict(&policy, &edge.state, &facts, &verdict, now);
    edge.state.counters.observed_by(verdict.observed);
    peer.hold.seen(facts.client);
    if verdict.fate == Fate::Forward {
        context.place = Some(Place::taken(&edge.state, facts.client));
        context.stream = Some(crowd::Stream::begin(peer));
        context.story = Some(Story {
            started: now,
            address: facts.address,
            client: facts.client,
            reason: verdict.reason,
            state: record::state_of(&edge.state, &policy),
            rank: record::rank_of(&verdict),
            observed: verdict.observed,
            route: verdict.route,
            delay: verdict.delay,
            probe: verdict.probe,
        });
        wait_in_line(Some(verdict.delay)).await;
        return Ok(false);
    }
    context.refused = true;
    let html = wants_html(request);
    let ask = || Ask::of_stream(request, html, peer);
    let (verdict, answer) = challenge::settle(&verdict, &policy, &edge.state, &facts, ask, now);
    edge.state.counters.ended(verdict.reason);
    if let Some(limit) = verdict.limit(&policy) {
        edge.state.counters.refused_by(limit.index);
    }
    if edge.log_gate.refused(now) {
        let mut record = record::of_refused_stream(request, &facts, &verdict, (&policy, &edge.state), peer, now);
        record.status = answer.as_ref().map_or(record.status, |a| a.status);
        edge.events.send(record);
    }
    if verdict.fate == Fate::Close {
        http2::condemn(peer);
        return Err(Error::explain(ErrorType::ConnectionClosed, "refused without a reply").into_down());
    }
    let is_head = request.method == http::Method::HEAD;
    let response = match answer {
        Some(answer) => answer.response(is_head)?,
        None => {
            let refusal = Refusal::of(&verdict, &policy, facts.client, now);
            Refusal { browser: html, head: is_head, ..refusal }.response(&edge.replies.load())?
        }
    };
    send(session, response).await?;
    Ok(true)
}

/// Sends a whole response of weir's own.
pub(super) async fn send(session: &mut Session, (head, body): (ResponseHeader, Bytes)) -> Result<()> {
    session.write_response_header(Box::new(head), body.is_empty()).await?;
    if body.is_empty() { Ok(()) } else { session.write_response_body(Some(body), true).await }
}

/// A browser asks for HTML by name.
pub(super) fn wants_html(request: &RequestHeader) -> bool {
    request.headers.get("accept").is_some_and(|a| memchr::memmem::find(a.as_bytes(), b"text/html").is_some())
}

fn declared_length(request: &RequestHeader) -> Option<u64> {
    request.headers.get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
