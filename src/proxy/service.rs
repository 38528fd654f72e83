//! weir's side of Pingora's phases: what becomes of an admitted request, and of any HTTP/2 request.

use super::context::Context;
use super::edge::Edge;
use super::gate::Gate;
use super::reply::Refusal;
use super::{challenge, forward, http2, offences, pace, record, stream};
use crate::base::clock::{self, Time};
use crate::config::settings::OriginProtocol;
use crate::origin::Pick;
use crate::verdict::reason::{Class, Reason};
use async_trait::async_trait;
use bytes::Bytes;
use pingora_core::modules::http::HttpModules;
use pingora_core::protocols::ALPN;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_core::{Error, ErrorSource, ErrorType, Result};
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::{FailToProxy, ProxyHttp, ProxyWarnLogContext, Session};
use std::cell::LazyCell;
use std::sync::Arc;
use std::time::Duration;

/// weir as Pingora knows it.
pub(super) struct Service {
    edge: Arc<Edge>,
}

impl Service {
    pub(super) fn new(edge: Arc<Edge>) -> Self {
        Self { edge }
    }

    fn reason_of(&self, error: &Error, context: &Context) -> Reason {
        if let Some(reason) = context.ended {
            return reason;
        }
        match (error.esource(), error.etype()) {
            (ErrorSource::Downstream, ErrorType::ReadTimedout) => Reason::BodyTooSlow,
            (ErrorSource::Downstream, ErrorType::WriteTimedout) => Reason::ReaderTooSlow,
            (ErrorSource::Downstream, _) if context.peer.as_ref().is_some_and(|p| p.hold.is_cut()) => {
                Reason::ReaderTooSlow
            }
            (ErrorSource::Downstream, ErrorType::InvalidHTTPHeader) => Reason::BadRequest,
            (ErrorSource::Downstream, _) => Reason::ClientGone,
            (ErrorSource::Upstream, ErrorType::ReadTimedout | ErrorType::WriteTimedout) => Reason::OriginTimeout,
            (ErrorSource::Upstream, _) => Reason::OriginBroken,
            _ => Reason::Internal,
        }
    }
}

fn tell_ejected(pick: &Pick) {
    tracing::warn!(endpoint = %pick.addr, "endpoint ejected: too many failures in a row");
}

/// The gate of an HTTP/1.1 session.
fn gate_of(session: &Session) -> Option<&Gate> {
    session.stream().and_then(|s| (**s).as_any().downcast_ref())
}

#[async_trait]
impl ProxyHttp for Service {
    // Boxed: Pingora moves it about.
    type CTX = Box<Context>;

    fn new_ctx(&self) -> Box<Context> {
        Box::new(Context::new(self.edge.policy.load_full()))
    }

    // None: compression is the origin's business, and a module costs every request.
    fn init_downstream_modules(&self, _: &mut HttpModules) {}

    async fn request_filter(&self, session: &mut Session, context: &mut Box<Context>) -> Result<bool> {
        let listen = &context.policy.settings.listen;
        session.as_mut().set_total_drain_timeout(Some(listen.body_grace));
        // A 100 (Continue) comes before the body, and is no reason to close; see `response_filter`.
        session.as_mut().set_close_on_response_before_downstream_finish(false);
        let decided = gate_of(session).map(|g| (g.peer().clone(), g.story(), g.is_read_whole()));
        // The gate sees for itself how fast its client reads.
        let paced = decided.is_some() && listen.min_send_rate.0 > 0;
        session.as_mut().set_write_timeout((!paced).then(|| pace::patience(&self.edge, &context.policy, 0)));
        // Who waits for no body needs no deadline for one.
        if !matches!(decided, Some((_, _, true))) {
            session.as_mut().set_read_timeout(Some(listen.body_grace));
        }
        let refused = match decided {
            Some((peer, story, _)) => {
                context.peer = Some(peer);
                context.story = story;
                false
            }
            None => {
                let peer = http2::peer_of(session)?;
                context.peer = Some(peer.clone());
                stream::filter(&self.edge, session, &peer, context).await?
            }
        };
        if !refused {
            context.request_id = forward::fresh_id();
            let begun = context.story.map(|s| s.started + s.delay);
            context.meter = super::body::Meter::new(begun.unwrap_or_else(clock::now));
        }
        Ok(refused)
    }

    async fn upstream_peer(&self, _: &mut Session, context: &mut Box<Context>) -> Result<Box<HttpPeer>> {
        let Some(pick) = self.edge.pool.pick(&context.tried, clock::now()) else {
            // After an attempt its failure is the reason, and not that there is no second endpoint.
            let reason = *context.ended.get_or_insert(Reason::OriginUnavailable);
            return Err(Error::explain(ErrorType::HTTPStatus(reason.status()), "no endpoint").into_up());
        };
        context.ended = None;
        let origin = &context.policy.settings.origin;
        let mut peer = HttpPeer::new(pick.addr, false, String::new());
        peer.options.connection_timeout = Some(origin.connect_timeout);
        peer.options.total_connection_timeout = Some(origin.connect_timeout);
        peer.options.read_timeout = Some(origin.read_timeout);
        peer.options.write_timeout = Some(origin.write_timeout);
        peer.options.idle_timeout = Some(origin.idle_timeout);
        if origin.protocol == OriginProtocol::H2c {
            peer.options.alpn = ALPN::H2;
        }
        context.origin = Some(pick.addr);
        context.attempts += 1;
        context.tried.add(pick.addr);
        context.pick = Some(pick);
        Ok(Box::new(peer))
    }

    async fn upstream_request_filter(
        &self,
        _: &mut Session,
        request: &mut RequestHeader,
        context: &mut Box<Context>,
    ) -> Result<()> {
        let Some(peer) = &context.peer else { return Ok(()) };
        forward::prepare(request, peer, context.policy.settings.client.address_from, context.request_id)
    }

    async fn request_body_filter(
        &self,
        session: &mut Session,
        body: &mut Option<Bytes>,
        _: bool,
        context: &mut Box<Context>,
    ) -> Result<()> {
        if context.upgraded || session.was_upgraded() {
            return Ok(());
        }
        let Some(piece) = body.as_ref().map(Bytes::len) else { return Ok(()) };
        match context.meter.add(piece, clock::now(), &context.policy.settings.listen) {
            Ok(()) => Ok(()),
            // The origin answers already: a conversation (as streams of gRPC are), and no upload that is held back.
            Err(Reason::BodyTooSlow) if context.first_byte.is_some() => Ok(()),
            Err(reason) => {
                context.ended = Some(reason);
                Err(Error::explain(ErrorType::HTTPStatus(reason.status()), reason.row().text).into_down())
            }
        }
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        context: &mut Box<Context>,
    ) -> Result<()> {
        if response.status.is_informational() {
            if response.status == 101 {
                context.upgraded = true;
                // Silence is the other protocol's business; the origin's `read_timeout` bounds it.
                session.as_mut().set_read_timeout(None);
                if let Some(gate) = gate_of(session) {
                    gate.open_tunnel();
                }
            }
            return Ok(());
        }
        session.as_mut().set_close_on_response_before_downstream_finish(true);
        let now = clock::now();
        if context.first_byte.is_none() {
            context.first_byte = Some(now);
            if let Some(story) = context.story {
                self.edge.state.counters.origin_latency(now.since(story.started));
            }
        }
        if self.edge.is_draining() {
            session.set_keepalive(None);
        }
        challenge::probe(session.req_header(), response, context, now)
    }

    fn response_body_filter(
        &self,
        session: &mut Session,
        body: &mut Option<Bytes>,
        _: bool,
        context: &mut Box<Context>,
    ) -> Result<Option<Duration>> {
        let piece = body.as_ref().map_or(0, Bytes::len);
        context.bytes_out += piece as u64;
        if let Some(stream) = &context.stream {
            // Pingora filters several pieces and then sends them: each gets the time of the largest.
            context.piece = context.piece.max(piece);
            let patience = pace::patience(&self.edge, &context.policy, context.piece * stream.sharers(&context.policy));
            session.as_mut().set_write_timeout(Some(patience));
        }
        Ok(None)
    }

    fn fail_to_connect(
        &self,
        _: &mut Session,
        _: &HttpPeer,
        context: &mut Box<Context>,
        mut e: Box<Error>,
    ) -> Box<Error> {
        // Nothing of the request was sent, so another endpoint may have it whatever its method.
        e.set_retry(context.attempts <= context.policy.settings.origin.retries);
        let timed_out = matches!(e.etype(), ErrorType::ConnectTimedout);
        context.ended = Some(if timed_out { Reason::OriginTimeout } else { Reason::OriginConnect });
        self.origin_failed(context);
        e
    }

    fn error_while_proxy(
        &self,
        _: &HttpPeer,
        session: &mut Session,
        mut e: Box<Error>,
        context: &mut Box<Context>,
        reused: bool,
    ) -> Box<Error> {
        let timed_out = matches!(e.etype(), ErrorType::ReadTimedout);
        if timed_out && context.first_byte.is_none() && !session.as_mut().is_body_done() {
            // The origin waited for a body that never came whole; Pingora sets no deadline for an HTTP/2 body.
            context.ended = Some(Reason::BodyTooSlow);
            e.set_retry(false);
        } else if e.esource() == &ErrorSource::Upstream {
            // A kept connection that the origin closed meanwhile is nobody's fault, and safe to replace for methods
            // that may be repeated (RFC 9110, 9.2.2), as long as nothing was answered and the body is still here.
            let silent = matches!(e.etype(), ErrorType::ReadTimedout | ErrorType::WriteTimedout);
            let stale = reused && !silent && context.first_byte.is_none();
            if stale {
                context.pick = None;
            } else {
                self.origin_failed(context);
            }
            let repeatable =
                stale && session.req_header().method.is_idempotent() && !session.as_ref().retry_buffer_truncated();
            if repeatable && context.attempts <= context.policy.settings.origin.retries {
                e.retry.decide_reuse(reused);
                if e.retry() {
                    context.tried = crate::origin::Tried::default();
                }
            } else {
                e.set_retry(false);
            }
        }
        e
    }

    async fn fail_to_proxy(&self, session: &mut Session, e: &Error, context: &mut Box<Context>) -> FailToProxy {
        if gate_of(session).is_some_and(Gate::is_broken) {
            context.ended = Some(Reason::BadRequest);
        }
        let reason = self.reason_of(e, context);
        context.ended = Some(reason);
        let gone = FailToProxy { error_code: 0, can_reuse_downstream: false };
        let answered = session.response_written().is_some_and(|r| !r.status.is_informational());
        if reason.class() == Class::Gone || context.refused || answered {
            return gone;
        }
        session.set_keepalive(None);
        let refusal = Refusal {
            browser: stream::wants_html(session.req_header()),
            head: session.req_header().method == http::Method::HEAD,
            ..Refusal::plain(reason)
        };
        let Ok(response) = refusal.response(&self.edge.replies.load()) else { return gone };
        let _: Result<()> = stream::send(session, response).await;
        // Not to be reused, but to be closed in such a way that the answer arrives.
        FailToProxy { error_code: reason.status(), can_reuse_downstream: true }
    }

    async fn logging(&self, session: &mut Session, e: Option<&Error>, context: &mut Box<Context>) {
        if context.refused {
            return;
        }
        let reason = match e {
            Some(e) => self.reason_of(e, context),
            None => context.ended.or(context.story.map(|s| s.reason)).unwrap_or(Reason::Forwarded),
        };
        self.finish(session, reason, context);
    }

    fn suppress_error_log(&self, _: &Session, _: &Box<Context>, _: &Error) -> bool {
        true
    }

    fn suppress_proxy_warn_log(&self, _: &Session, _: &Box<Context>, _: &Error, _: ProxyWarnLogContext) -> bool {
        true
    }
}

impl Service {
    fn origin_failed(&self, context: &mut Context) {
        if let Some(pick) = context.pick.take()
            && pick.failed(clock::now())
        {
            tell_ejected(&pick);
        }
    }

    /// Tells the flood detector how the origin did, and who is a good client.
    fn learn(&self, session: &Session, reason: Reason, context: &Context, now: &impl std::ops::Deref<Target = Time>) {
        let Some(story) = context.story.filter(|_| context.policy.settings.flood.enabled) else { return };
        let written = session.response_written().map_or(0, |r| r.status.as_u16());
        let status = if reason.class() == Class::Fault { reason.status() } else { written };
        if matches!(reason.class(), Class::Forward | Class::Fault) && status > 0 {
            let sent = story.started + story.delay;
            let took = context.first_byte.map_or_else(|| now.since(sent), |at| at.since(sent));
            self.edge.state.flood.answered(story.client, story.route, status, took, **now);
            self.edge.state.flood.offenders.answered(story.client, status, context.bytes_out, **now);
        }
    }

    /// Counts and logs a request that was admitted.
    fn finish(&self, session: &Session, reason: Reason, context: &mut Context) {
        let (edge, now) = (&self.edge, LazyCell::new(clock::now));
        if let Some(pick) = context.pick.take() {
            match reason.class() {
                Class::Forward => pick.succeeded(),
                Class::Fault if reason != Reason::Internal && pick.failed(*now) => tell_ejected(&pick),
                _ => {}
            }
        }
        self.learn(session, reason, context, &now);
        let counters = &edge.state.counters;
        counters.ended(reason);
        counters.bytes(context.meter.bytes(), context.bytes_out);
        if reason == Reason::ClientGone
            && let Some(peer) = &context.peer
            && session.is_http2()
            && http2::count_reset(peer, &context.policy)
        {
            offences::of_resets(&edge.state, context, *now);
        }
        let status = session.response_written().map_or(0, |r| r.status.as_u16());
        offences::of_ended(&edge.state, context, session.req_header(), reason, status, &now);
        if reason.class() == Class::Forward {
            counters.answered(status);
        }
        let log = match reason.class() {
            Class::Forward => edge.log_gate.forwarded(context.request_id as u64),
            _ => edge.log_gate.refused(*now),
        };
        if log {
            edge.events.send(record::of_ended(session.req_header(), context, reason, status, *now));
        }
        (context.place, context.stream) = (None, None);
    }
}
