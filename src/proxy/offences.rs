//! Tells the ban ladder who did what wrong, as far as that can be told.
//!
//! A client answers for its own requests only. Where nobody knows whose the bytes were (a head that is none, from a
//! proxy that brings many clients), nobody answers for them.

use super::context::Context;
use super::edge::Peer;
use crate::access::path::{self, Buffer};
use crate::base::clock::Time;
use crate::client::key::ClientKey;
use crate::verdict::facts::Method;
use crate::verdict::offence::{note_answer, note_end};
use crate::verdict::reason::Reason;
use crate::verdict::{Facts, Policy, State};
use pingora_http::RequestHeader;
use std::ops::Deref;

/// What came from `peer` ended before there was a request.
pub(super) fn of_peer(policy: &Policy, state: &State, peer: &Peer, reason: Reason, now: Time) {
    let address = match peer.proxied_address() {
        Some(address) => address,
        None if peer.trusted => return,
        None => peer.address,
    };
    let client = ClientKey::new(address, policy.settings.client.ipv6_prefix);
    note_end(policy, state, client, reason, now);
}

/// An admitted request ended: the origin answered it with `status`, or it broke off.
pub(super) fn of_ended(
    state: &State,
    context: &Context,
    request: &RequestHeader,
    reason: Reason,
    status: u16,
    now: &impl Deref<Target = Time>,
) {
    let Some(story) = context.story.filter(|s| s.reason != Reason::AllowList) else { return };
    if reason != Reason::Forwarded {
        if reason.offence().is_some() {
            note_end(&context.policy, state, story.client, reason, **now);
        }
        return;
    }
    if (400..500).contains(&status) {
        let mut buffer = Buffer::new();
        let path = path::normalise(request.raw_path(), &mut buffer);
        let facts = Facts::new(story.address, story.client, Method::parse(request.method.as_str().as_bytes()), path);
        note_answer(&context.policy, state, &facts, status, **now);
    }
}

/// A client reset more streams than is borne. On a trusted proxy's connection nobody knows who did.
pub(super) fn of_resets(state: &State, context: &Context, now: Time) {
    let own = context.peer.as_ref().is_some_and(|peer| !peer.trusted);
    if let Some(story) = context.story.filter(|s| own && s.reason != Reason::AllowList) {
        note_end(&context.policy, state, story.client, Reason::BadRequest, now);
    }
}
