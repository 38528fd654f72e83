//! What a verdict says of the client: which of them is an offence.

use super::facts::{Facts, Method};
use super::policy::{CompiledKey, Policy};
use super::reason::Reason;
use super::{Fate, State, Verdict};
use crate::ban::{Ban, Offence, Regard, Rules};
use crate::base::clock::Time;
use crate::client::key::ClientKey;
use crate::flood::history::Standing;

impl Reason {
    /// What a request that ended so says of its client; nothing where others had a part in it.
    pub const fn offence(self) -> Option<Offence> {
        match self {
            Self::ClientInFlight | Self::Ban => Some(Offence::Refused),
            Self::BadRequest | Self::LengthConflict | Self::MethodNotAllowed | Self::UnsupportedVersion => {
                Some(Offence::Protocol)
            }
            Self::HeaderTimeout | Self::BodyTooSlow | Self::ReaderTooSlow => Some(Offence::Slow),
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

/// How well a client is known to the history.
pub fn regard(state: &State, client: ClientKey, now: Time) -> Regard {
    let history = &state.flood.history;
    match history.known(history.locate(client), now).standing {
        Standing::Credited => Regard::Good,
        Standing::Seen => Regard::Seen,
        _ => Regard::Stranger,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ban::{Book, Network, Record, Step, Who};
    use crate::config;
    use crate::verdict::decide;
    use crate::verdict::policy::Networks;
    use std::net::IpAddr;
    use std::sync::Arc;
    use std::time::Duration;

    const NOW: Time = Time::from_nanos(86_400_000_000_000);

    struct Weir {
        policy: Policy,
        state: State,
    }

    impl Weir {
        fn new() -> Self {
            let config = r#"
                [origin]
                addresses = ["127.0.0.1:9000"]
                [ban]
                honeypot = ["/trap"]
                [flood]
                enabled = false
                [[limit]]
                name = "own"
                rate = "1/h"
                burst = 2
                match = { path = ["/own", "/login"] }
                [[limit]]
                name = "shared"
                rate = "1/h"
                burst = 1
                key = "route"
                match = { path = "/shared" }
            "#;
            let state = State::new();
            let net = |s: &str| s.parse().unwrap();
            let networks = Networks { allow: vec![net("192.0.2.1/32")], deny: vec![net("192.0.2.0/30")] };
            let settings = Arc::new(config::load_str(config, "test").unwrap().settings);
            Self { policy: Policy::compile(settings, &networks, &state, NOW), state }
        }

        fn ban(&self, bans: &[(&str, Step, Who)]) {
            let mut book = Book::default();
            for (net, step, who) in bans {
                let network = Network::of_net(net.parse().unwrap());
                book.put(Record::new(network, *step, *who, NOW, NOW + Duration::from_secs(60)), NOW).unwrap();
            }
            book.publish(&self.state.bans, true, NOW);
        }

        fn ask(&self, client: &str, method: Method, path: &str) -> (Verdict, Option<Offence>) {
            let address: IpAddr = client.parse().unwrap();
            let facts = Facts::new(address, ClientKey::new(address, 64), method, path.as_bytes());
            let verdict = decide(&self.policy, &self.state, &facts, NOW);
            if verdict.fate == Fate::Forward {
                self.state.in_flight.leave(facts.client.bits());
            }
            (verdict, verdict.offence(&self.policy, &facts))
        }
    }

    #[test]
    fn a_ban_comes_after_the_allow_list_and_before_the_deny_list() {
        let weir = Weir::new();
        weir.ban(&[("192.0.2.0/31", Step::REFUSE, Who::Operator)]);
        let reason = |client: &str| weir.ask(client, Method::Get, "/").0.reason;
        assert_eq!(reason("192.0.2.1"), Reason::AllowList);
        assert_eq!(reason("192.0.2.0"), Reason::Ban);
        assert_eq!(reason("192.0.2.2"), Reason::DenyList);
        assert_eq!(weir.ask("192.0.2.0", Method::Get, "/").0.retry_after, Duration::from_secs(60));
    }

    #[test]
    fn later_steps_are_closed_but_not_on_a_proxys_connection() {
        let weir = Weir::new();
        weir.ban(&[("192.0.2.8/32", Step::CLOSE, Who::Ladder), ("192.0.2.9/32", Step(4), Who::Operator)]);
        let closed = weir.ask("192.0.2.8", Method::Get, "/").0;
        assert_eq!(
            (closed.fate, closed.told_to(false).fate, closed.told_to(true).fate),
            (Fate::Close, Fate::Close, Fate::Refuse)
        );
        assert_eq!(weir.ask("192.0.2.9", Method::Get, "/").0.fate, Fate::Refuse);
    }

    #[test]
    fn only_what_a_client_did_itself_is_an_offence() {
        let weir = Weir::new();
        let offence = |client: &str, method, path: &str| weir.ask(client, method, path).1;
        assert_eq!([(); 2].map(|()| offence("192.0.2.9", Method::Get, "/own")), [None; 2]);
        assert_eq!(offence("192.0.2.9", Method::Get, "/own"), Some(Offence::Refused));
        assert_eq!(offence("192.0.2.9", Method::Post, "/login"), Some(Offence::Login));
        assert_eq!(offence("192.0.2.9", Method::Get, "/trap"), Some(Offence::Honeypot));
        assert_eq!(offence("192.0.2.10", Method::Get, "/shared"), None);
        let (shared, told) = weir.ask("192.0.2.11", Method::Get, "/shared");
        assert_eq!((shared.reason, told), (Reason::Limit, None), "somebody else had emptied it");
        assert_eq!(offence("192.0.2.1", Method::Get, "/trap"), None, "who is on the allow list may");
        weir.ban(&[("192.0.2.9/32", Step::REFUSE, Who::Ladder)]);
        assert_eq!(offence("192.0.2.9", Method::Get, "/trap"), Some(Offence::Refused), "a page of traps is one step");
    }

    #[test]
    fn nothing_that_others_cause_is_an_offence() {
        for reason in [Reason::OriginCapacity, Reason::OriginInFlight, Reason::DenyList, Reason::ClientGone] {
            assert_eq!(reason.offence(), None, "{reason:?}");
        }
    }
}
