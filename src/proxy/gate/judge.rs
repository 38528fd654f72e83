//! One request at the gate: parse, decide, and refuse or let through.

use super::chunked::{Malformed, Scanner};
use super::head::{self, Body, Fields, Head, Parsed};
use super::{Gate, H2_PREFACE, Rest, Step};
use crate::access::path::Buffer;
use crate::base::clock::Time;
use crate::proxy::challenge::{self, Ask};
use crate::proxy::edge::{Place, Story};
use crate::proxy::facts;
use crate::proxy::offences;
use crate::proxy::record;
use crate::proxy::reply::Refusal;
use crate::proxy::reply_cache;
use crate::verdict::offence::note_verdict;
use crate::verdict::reason::Reason;
use crate::verdict::{Facts, Fate, Policy, Verdict, decide};
use bytes::BytesMut;
use std::mem::MaybeUninit;

/// The largest body of a refused request that is swallowed so that the connection can stay.
const MAX_SKIP: u64 = 64 * 1024;

impl Gate {
    /// Deals with the request at the start of `bytes`: how many bytes went, and a step unless it was refused and
    /// the connection goes on.
    pub(super) fn one(&mut self, bytes: &[u8], policy: &Policy, now: Time) -> (usize, Option<Step>) {
        let listen = &policy.settings.listen;
        if listen.h2c && !self.io.is_tls() && !self.served && could_be_h2(bytes) {
            return (0, Some(if bytes.len() >= H2_PREFACE.len() { Step::Http2 } else { Step::More }));
        }
        let limit = listen.max_header_size.0 as usize;
        let mut fields: Fields<'_> = [MaybeUninit::uninit(); head::MAX_HEADERS];
        // Nearly every head comes whole, and is then read once.
        if self.searched == 0
            && let Parsed::Whole(head) = head::parse(bytes, &mut fields, usize::from(listen.max_headers))
            && head.len <= limit
        {
            return self.whole(bytes, &head, policy, now);
        }
        let reason = match find_end(bytes, self.searched, limit) {
            End::Bare => Reason::BadRequest,
            End::Missing if bytes.len() > limit => Reason::HeaderTooLarge,
            End::Missing => match bad_start(bytes, self.searched) {
                Some(reason) => reason,
                None => return (0, Some(Step::More)),
            },
            End::Found => match head::parse(bytes, &mut fields, usize::from(listen.max_headers)) {
                Parsed::Whole(head) => return self.whole(bytes, &head, policy, now),
                Parsed::Bad(reason) => reason,
                Parsed::Partial => Reason::BadRequest,
            },
        };
        (bytes.len(), Some(self.reject(reason, policy, now)))
    }

    fn whole(&mut self, bytes: &[u8], head: &Head<'_, '_>, policy: &Policy, now: Time) -> (usize, Option<Step>) {
        let state = &self.edge.state;
        let mut buffer = Buffer::new();
        let mut facts = facts::of_head(head, &self.peer, policy, state, now, &mut buffer);
        let listen = &policy.settings.listen;
        if matches!(head.body, Body::Length(n) if n > listen.max_body_size.0) {
            facts.fault = Some(Reason::BodyTooLarge);
        }
        let here = frame(head.body, &bytes[head.len..]);
        if here.is_err() {
            facts.fault = Some(Reason::BadRequest);
        }
        let verdict = decide(policy, state, &facts, now).told_to(self.peer.trusted);
        note_verdict(policy, state, &facts, &verdict, now);
        state.counters.observed_by(verdict.observed);
        self.peer.hold.seen(facts.client);
        match (verdict.fate, here) {
            (Fate::Forward, Ok((taken, rest))) => {
                self.peer.hold.work();
                self.place = Some(Place::taken(state, facts.client));
                self.story = Some(Story {
                    started: now,
                    address: facts.address,
                    client: facts.client,
                    reason: verdict.reason,
                    state: record::state_of(state, policy),
                    rank: record::rank_of(&verdict),
                    observed: verdict.observed,
                    route: verdict.route,
                    delay: verdict.delay,
                    probe: verdict.probe,
                });
                self.rest = rest;
                let used = head.len + taken;
                (used, Some(Step::Admit(BytesMut::from(&bytes[..used]))))
            }
            _ => self.refuse(head, bytes.len(), &facts, &verdict, policy, now),
        }
    }

    fn refuse(
        &mut self,
        head: &Head<'_, '_>,
        received: usize,
        facts: &Facts<'_>,
        verdict: &Verdict,
        policy: &Policy,
        now: Time,
    ) -> (usize, Option<Step>) {
        self.served = true;
        let (edge, html) = (&self.edge, wants_html(head));
        let (verdict, answer) =
            challenge::settle(verdict, policy, &edge.state, facts, || Ask::of_head(head, html, &self.peer), now);
        edge.state.counters.ended(verdict.reason);
        if let Some(limit) = verdict.limit(policy) {
            edge.state.counters.refused_by(limit.index);
        }
        if edge.log_gate.refused(now) {
            let mut record = record::of_refused_head(head, facts, &verdict, (policy, &edge.state), &self.peer, now);
            record.status = answer.as_ref().map_or(record.status, |a| a.status);
            edge.events.send(record);
        }
        if verdict.fate == Fate::Close {
            // Answers to requests before this one are still owed.
            return (head.len, Some(if self.outbox.is_empty() { Step::Drop } else { Step::Finish }));
        }
        let skip = match head.body {
            // A client that waits for 100 (Continue) may send its body now or never: nobody can tell.
            _ if head.expect || head.upgrade => None,
            Body::Length(n) if n <= MAX_SKIP => Some(n),
            Body::Length(_) | Body::Chunked => None,
        };
        let close = head.close || skip.is_none() || edge.is_draining();
        let is_head = head.method == "HEAD";
        match answer {
            Some(answer) => answer.write(is_head, close, &mut self.outbox),
            None => {
                let refusal =
                    Refusal { browser: html, head: is_head, close, ..Refusal::of(&verdict, policy, facts.client, now) };
                reply_cache::write(&refusal, &edge.replies.load(), now, &mut self.outbox);
            }
        }
        if close {
            // TLS ends with a message of its own.
            self.clean = head.close && skip == Some(0) && head.len == received && !self.io.is_tls();
            return (head.len, Some(Step::Finish));
        }
        self.skip = skip.unwrap_or(0);
        (head.len, None)
    }

    /// Answers what is no request, and ends the connection.
    fn reject(&mut self, reason: Reason, policy: &Policy, now: Time) -> Step {
        let edge = &self.edge;
        edge.state.counters.ended(reason);
        offences::of_peer(policy, &edge.state, &self.peer, reason, now);
        if edge.log_gate.refused(now) {
            edge.events.send(record::of_bad_head(reason, &self.peer, now));
        }
        Refusal::plain(reason).write(&edge.replies.load(), &mut self.outbox);
        Step::Finish
    }

    /// The head did not become whole in time.
    pub(super) fn refuse_head_timeout(&mut self) {
        let policy = self.edge.policy.load_full();
        let now = crate::base::clock::now();
        self.reject(Reason::HeaderTimeout, &policy, now);
    }
}

/// What of a body is among the bytes `here` behind its head, and what is still to come.
fn frame(body: Body, here: &[u8]) -> Result<(usize, Rest), Malformed> {
    match body {
        Body::Length(length) => {
            let taken = length.min(here.len() as u64);
            Ok((taken as usize, Rest::Length(length - taken)))
        }
        Body::Chunked => {
            let mut scanner = Scanner::default();
            let taken = scanner.advance(here)?;
            Ok((taken, Rest::Chunked(scanner)))
        }
    }
}

/// Whether a head ends among some bytes.
enum End {
    Found,
    Missing,
    /// A line ends without CR: there parsers differ.
    Bare,
}

/// Looks for the end of a head in `bytes`, of which `searched` were looked at before. A head may be `limit` long.
fn find_end(bytes: &[u8], searched: usize, limit: usize) -> End {
    let end = bytes.len().min(limit);
    let from = searched.min(end);
    for at in memchr::memchr_iter(b'\n', &bytes[from..end]) {
        match bytes[..from + at] {
            [.., b'\r', b'\n', b'\r'] => return End::Found,
            [.., b'\r'] => {}
            _ => return End::Bare,
        }
    }
    End::Missing
}

/// What is wrong already with a head that is not whole; looks at its first line once, when that has come.
fn bad_start(bytes: &[u8], searched: usize) -> Option<Reason> {
    if !bytes[0].is_ascii_alphabetic() {
        return Some(Reason::BadRequest);
    }
    let line = memchr::memchr(b'\n', bytes).filter(|at| *at >= searched)?;
    let mut fields: Fields<'_> = [MaybeUninit::uninit(); head::MAX_HEADERS];
    match head::parse(&bytes[..=line], &mut fields, head::MAX_HEADERS) {
        Parsed::Bad(reason) => Some(reason),
        _ => None,
    }
}

fn could_be_h2(bytes: &[u8]) -> bool {
    let n = bytes.len().min(H2_PREFACE.len());
    bytes[..n] == H2_PREFACE[..n]
}

/// A browser asks for HTML by name.
fn wants_html(head: &Head<'_, '_>) -> bool {
    !head.accept.is_empty() && memchr::memmem::find(head.accept, b"text/html").is_some()
}
