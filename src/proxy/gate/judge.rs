//! One request at the gate: parse, decide, and refuse or let through.

use super::chunked::{self, Scanner};
use super::head::{self, Body, Fields, Head, Parsed};
use super::{Gate, H2_PREFACE, Rest, Step};
use crate::base::clock::Time;
use crate::proxy::edge::{Place, Story};
use crate::proxy::facts;
use crate::proxy::path::Buffer;
use crate::proxy::record;
use crate::proxy::reply::Refusal;
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
        if !has_end(bytes, self.searched, limit) {
            let reason = if bytes.len() > limit {
                Reason::HeaderTooLarge
            } else if !bytes[0].is_ascii_alphabetic() {
                Reason::BadRequest
            } else {
                return (0, Some(Step::More));
            };
            return (bytes.len(), Some(self.reject(reason, policy, now)));
        }
        let mut fields: Fields<'_> = [MaybeUninit::uninit(); head::MAX_HEADERS];
        match head::parse(bytes, &mut fields, usize::from(listen.max_headers)) {
            Parsed::Partial => (0, Some(Step::More)),
            Parsed::Bad(reason) => (bytes.len(), Some(self.reject(reason, policy, now))),
            Parsed::Whole(head) => self.whole(bytes, &head, policy, now),
        }
    }

    fn whole(&mut self, bytes: &[u8], head: &Head<'_, '_>, policy: &Policy, now: Time) -> (usize, Option<Step>) {
        let state = &self.edge.state;
        let mut buffer = Buffer::new();
        let mut facts = facts::of_head(head, &self.peer, policy, state, &mut buffer);
        let listen = &policy.settings.listen;
        if matches!(head.body, Body::Length(n) if n > listen.max_body_size.0) {
            facts.fault = Some(Reason::BodyTooLarge);
        }
        let verdict = decide(policy, state, &facts, now);
        state.counters.observed_by(verdict.observed);
        match verdict.fate {
            Fate::Forward => {
                self.place = Some(Place::taken(state, facts.client));
                self.story = Some(Story {
                    started: now,
                    address: facts.address,
                    reason: verdict.reason,
                    observed: verdict.observed,
                });
                self.admit(bytes, head, policy, now)
            }
            Fate::Refuse | Fate::Close => self.refuse(head, &facts, &verdict, policy, now),
        }
    }

    /// Lets exactly this request through: its head, and what of its body is here.
    fn admit(&mut self, bytes: &[u8], head: &Head<'_, '_>, policy: &Policy, now: Time) -> (usize, Option<Step>) {
        let here = &bytes[head.len..];
        let (taken, rest) = match head.body {
            _ if head.upgrade => (here.len(), Rest::Raw),
            Body::Length(length) => {
                let taken = length.min(here.len() as u64);
                (taken as usize, Rest::Length(length - taken))
            }
            Body::Chunked => {
                let mut scanner = Scanner::default();
                match scanner.advance(here) {
                    Ok(taken) => (taken, Rest::Chunked(scanner)),
                    Err(chunked::Malformed) => {
                        (self.place, self.story) = (None, None);
                        return (bytes.len(), Some(self.reject(Reason::BadRequest, policy, now)));
                    }
                }
            }
        };
        self.rest = rest;
        let used = head.len + taken;
        (used, Some(Step::Admit(BytesMut::from(&bytes[..used]))))
    }

    fn refuse(
        &mut self,
        head: &Head<'_, '_>,
        facts: &Facts<'_>,
        verdict: &Verdict,
        policy: &Policy,
        now: Time,
    ) -> (usize, Option<Step>) {
        self.served = true;
        let edge = &self.edge;
        edge.state.counters.ended(verdict.reason);
        if let Some(limit) = verdict.limit(policy) {
            edge.state.counters.refused_by(limit.index);
        }
        if edge.log_gate.refused(now) {
            edge.events.send(record::of_refused_head(head, facts, verdict, policy, &self.peer, now));
        }
        if verdict.fate == Fate::Close {
            return (head.len, Some(Step::Drop));
        }
        let skip = match head.body {
            // A client that waits for 100 (Continue) may send its body now or never: nobody can tell.
            _ if has(head, b"expect") || head.upgrade => None,
            Body::Length(n) if n <= MAX_SKIP => Some(n),
            Body::Length(_) | Body::Chunked => None,
        };
        let close = head.close || skip.is_none() || edge.is_draining();
        let refusal = Refusal {
            browser: wants_html(head),
            head: head.method == "HEAD",
            close,
            ..Refusal::of(verdict, policy, facts.client, now)
        };
        refusal.write(&edge.replies.load(), &mut self.outbox);
        if close {
            return (head.len, Some(Step::Finish));
        }
        self.skip = skip.unwrap_or(0);
        (head.len, None)
    }

    /// Answers what is no request, and ends the connection.
    fn reject(&mut self, reason: Reason, policy: &Policy, now: Time) -> Step {
        let edge = &self.edge;
        edge.state.counters.ended(reason);
        if edge.log_gate.refused(now) {
            edge.events.send(record::of_bad_head(reason, policy, &self.peer, now));
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

/// Whether a head ends somewhere in `bytes`, of which `searched` were looked at before. A head may be `limit` long.
fn has_end(bytes: &[u8], searched: usize, limit: usize) -> bool {
    let from = searched.saturating_sub(3);
    let window = &bytes[from..bytes.len().min(limit)];
    memchr::memchr_iter(b'\n', window).any(|at| matches!(&window[at + 1..], [b'\n', ..] | [b'\r', b'\n', ..]))
}

fn could_be_h2(bytes: &[u8]) -> bool {
    let n = bytes.len().min(H2_PREFACE.len());
    bytes[..n] == H2_PREFACE[..n]
}

fn has(head: &Head<'_, '_>, name: &[u8]) -> bool {
    head.headers.iter().any(|h| head::is(h.name.as_bytes(), name))
}

/// A browser asks for HTML by name.
fn wants_html(head: &Head<'_, '_>) -> bool {
    let accept = head.headers.iter().find(|h| head::is(h.name.as_bytes(), b"accept"));
    accept.is_some_and(|h| memchr::memmem::find(h.value, b"text/html").is_some())
}
