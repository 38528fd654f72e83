//! What a verdict says of the client: which of them is an offence.

use super::facts::{Facts, Method};
use super::policy::{CompiledKey, Policy};
use super::reason::Reason;
use super::{Fate, State, Verdict};
use crate::ban::{Ban, Offence, Rules};
use crate::base::clock::Time;
use crate::client::key::ClientKey;

impl Reason {
    /// What a request that ended so says of its client; nothing where others had a part in it.
    pub const fn offence(self) -> Option<Offence> {
        match self {
            Self::ClientInFlight | Self::Ban => Some(Offence::Refused),
            Self::BadRequest | Self::LengthConflict | Self::MethodNotAllowed | Self::UnsupportedVersion => {
                Some(Offence::Protocol)
            }
            Self::HeaderTimeout | Self::BodyTooSlow => Some(Offence::Slow),
            _ => None,
        }
    }
}

impl Verdict {
    /// Refused or closed by a ban.
    pub fn banned(ban: &Ban, now: Time) -> Self {
        let fate = if ban.closes() { Fate::Close } else { Fate::Refuse };
        Self { fate, retry_after: ban.until.since(now), ..Self::refuse(Reason::Ban) }
    }

    /// The verdict as its client gets to know it. The connection of a trusted proxy brings other clients too, and a
    /// close would show as the service's fault: there a ban is answered.
    #[must_use]
    pub fn told_to(self, trusted_proxy: bool) -> Self {
        if trusted_proxy && self.reason == Reason::Ban { Self { fate: Fate::Refuse, ..self } } else { self }
    }

    /// What the verdict says of the client.
    pub fn offence(&self, policy: &Policy, facts: &Facts<'_>) -> Option<Offence> {
        match self.reason {
            Reason::AllowList => None,
            Reason::Ban => Some(Offence::Refused),
            _ if policy.offences.is_honeypot(facts.path) => Some(Offence::Honeypot),
            // Others fill the bucket of a network, a route or a header's value too.
            Reason::Limit if self.limit(policy).is_some_and(|l| l.key == CompiledKey::Client) => {
                Some(if is_login(policy, facts) { Offence::Login } else { Offence::Refused })
            }
            reason => reason.offence(),
        }
    }
}

/// Notes what `verdict` says of the client.
pub fn note_verdict(policy: &Policy, state: &State, facts: &Facts<'_>, verdict: &Verdict, now: Time) {
    if let Some(offence) = verdict.offence(policy, facts) {
        state.offences.note(&policy.offences, facts.client, offence, facts.path, now);
    }
}

/// Notes what the origin's answer to a request says of the client.
pub fn note_answer(policy: &Policy, state: &State, facts: &Facts<'_>, status: u16, now: Time) {
    if let Some(offence) = Rules::of_status(status, is_login(policy, facts)) {
        state.offences.note(&policy.offences, facts.client, offence, facts.path, now);
    }
}

/// Notes how a request or a connection of `client` ended, of which no more is known.
pub fn note_end(policy: &Policy, state: &State, client: ClientKey, reason: Reason, now: Time) {
    if let Some(offence) = reason.offence() {
        state.offences.note(&policy.offences, client, offence, b"", now);
    }
}

fn is_login(policy: &Policy, facts: &Facts<'_>) -> bool {
    facts.method == Method::Post && policy.offences.is_login(facts.path)
}
