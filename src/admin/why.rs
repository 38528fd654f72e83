//! What is known about one client, and what would become of it now. Charges nothing.

use super::live::covers;
use crate::base::clock::Time;
use crate::base::units::{Share, show_duration};
use crate::client::key::ClientKey;
use crate::config::settings::Action;
use crate::control::bans::BanView;
use crate::control::flood::{Looks, StandingView};
use crate::control::status::{Owed, Why};
use crate::limit::gcra::Decision;
use crate::verdict::facts::Method;
use crate::verdict::policy::{CompiledKey, CompiledLimit};
use crate::verdict::{Facts, Policy, State};
use std::net::IpAddr;
use std::time::Duration;

/// How many of its refusals are shown.
const RECENT: usize = 20;

/// All that is known about the client at `address`.
pub(super) fn why(looks: &Looks<'_>, address: IpAddr, bans: Vec<BanView>) -> Why {
    let Looks { policy, state, recent, now, .. } = *looks;
    let prefix = policy.settings.client.ipv6_prefix;
    let key = ClientKey::new(address, prefix);
    let limits: Vec<Owed> = policy.limits.iter().map(|l| owed(looks, l, address, key)).collect();
    let allowed_by = policy.allow.find(address).map(|net| net.to_string());
    let denied_by = policy.deny.find(address).map(|net| net.to_string());
    Why {
        address,
        client: if key.ipv4().is_some() { key.to_string() } else { format!("{key}/{prefix}") },
        verdict: verdict(policy, state, address, &limits, (allowed_by.is_some(), denied_by.is_some()), now),
        allowed_by,
        denied_by,
        bans,
        aviatrix: Vec::new(),
        trusted_proxy: policy.trusted.contains(address),
        standing: StandingView::read(looks, key),
        in_flight: state.in_flight.of_client(key.bits()).into(),
        limits,
        recent: recent.of(RECENT, |client| ClientKey::new(client, prefix) == key),
    }
}

fn owed(looks: &Looks<'_>, limit: &CompiledLimit, address: IpAddr, key: ClientKey) -> Owed {
    let Looks { policy, state, now, .. } = *looks;
    let written = policy.settings.limits.iter().find(|l| *l.name == *limit.name);
    let mut owed = Owed {
        limit: limit.name.to_string(),
        rate: limit.quota.rate().to_string(),
        burst: limit.burst,
        covers: written.map_or(String::new(), covers),
        used: None,
        over_after_s: 0.0,
        retry_after_s: 0.0,
        action: limit.action_for(key.bits()).to_string().into(),
    };
    // Which value of the header the client sends is not known here.
    if matches!(limit.key, CompiledKey::Header(_)) {
        return owed;
    }
    // Neither method nor path is part of any key.
    let facts = Facts::new(address, key, Method::Get, b"/");
    let key = limit.key_of(&facts);
    let spot = limit.table.locate(key);
    let debt = limit.table.debt(spot, &limit.quota, now);
    owed.used = Some(debt.map_or(0, |d| d.used));
    owed.over_after_s = debt.map_or(0.0, |d| d.over_after.as_secs_f64());
    let mut decision = limit.table.peek(spot, &limit.quota, now);
    // Of a limit over the whole fleet: what this task's part of it says.
    if let Some(shared) = limit.shared.as_deref() {
        let parts = state.sharing.parts();
        if let Some((terms, _)) = parts.terms(shared, key) {
            owed.burst = terms.depth();
            owed.used = owed.used.map(|used| (f64::from(used) * parts.part(shared, key).0).ceil() as u32);
            decision = limit.table.peek_part(spot, &limit.quota, now, terms).0;
        }
    }
    if let Decision::Refuse { retry_after } = decision {
        owed.retry_after_s = retry_after.as_secs_f64();
    }
    owed
}

/// What would become of its next request, in words; the same order as `decide`.
fn verdict(
    policy: &Policy,
    state: &State,
    address: IpAddr,
    limits: &[Owed],
    (allowed, denied): (bool, bool),
    now: Time,
) -> String {
    let settings = &policy.settings;
    let key = ClientKey::new(address, settings.client.ipv6_prefix);
    let ban = state.bans.lookup(ClientKey::new(address, 128), now);
    if let Some(ban) = ban.filter(|_| !allowed) {
        let how = if ban.closes() { "closed" } else { "refused" };
        return format!("{how}: {} is banned for another {}", ban.network, rounded(ban.until.since(now).as_secs_f64()));
    }
    if !allowed && denied {
        return "refused: the client is on the deny list".into();
    }
    let over: Vec<_> = limits
        .iter()
        .filter(|l| !allowed && l.retry_after_s > 0.0 && l.action != Action::Observe.to_string())
        .collect();
    if let Some(limit) = over.iter().find(|l| l.covers == "everything") {
        return format!("refused by the limit {} for another {}", limit.limit, rounded(limit.retry_after_s));
    }
    if !allowed && state.in_flight.of_client(key.bits()) >= settings.listen.max_in_flight_per_client {
        return "refused: the client has too many requests in flight".into();
    }
    if state.in_flight.total() >= settings.origin.max_in_flight {
        return "refused: too many requests are in flight to the origin".into();
    }
    if !state.budget.peek(&policy.capacity, now, Share(0)).admits() {
        return "refused at this very moment: the origin's capacity is used up".into();
    }
    if allowed {
        return "passed on: the client is on the allow list".into();
    }
    let but = |l: &&Owed| {
        format!(" but {}: refused by the limit {} for another {}", l.covers, l.limit, rounded(l.retry_after_s))
    };
    format!("passed on{}", over.iter().map(but).collect::<Vec<_>>().join(","))
}

/// To a tenth of a second, or to whole seconds where that says enough.
fn rounded(seconds: f64) -> String {
    let tenths = (seconds * 10.0).round().max(1.0) as u64;
    match (tenths / 10, tenths % 10) {
        (s, 0) | (s @ 10.., _) => show_duration(Duration::from_secs(s)),
        (s, tenth) => format!("{s}.{tenth}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::testing::refusal;
    use crate::base::clock;
    use crate::config;
    use crate::control::recent::Recent;
    use crate::verdict::policy::Networks;
    use crate::verdict::{Fate, decide};
    use std::sync::Arc;

    const CONFIG: &str = r#"
        [origin]
        addresses = ["127.0.0.1:9000"]
        [[limit]]
        name = "per-client"
        rate = "1/s"
        burst = 5
        [[limit]]
        name = "login"
        match = { path = "/login", method = ["POST"] }
        rate = "30/m"
        burst = 2
        [[limit]]
        name = "by-key"
        key = "header:x-api-key"
        rate = "1/s"
        burst = 5
    "#;

    struct Weir {
        policy: Policy,
        state: State,
        recent: Recent,
        now: Time,
    }

    impl Weir {
        fn new() -> Self {
            let settings = Arc::new(config::load_str(CONFIG, "test").unwrap().settings);
            let state = State::new();
            let net = |s: &str| s.parse().unwrap();
            let networks = Networks {
                allow: vec![net("198.51.100.0/28")],
                deny: vec![net("198.51.100.0/24"), net("203.0.113.0/24")],
            };
            let now = clock::now();
            let policy = Policy::compile(settings, &networks, &state, now);
            Self { policy, state, recent: Recent::default(), now }
        }

        fn send(&self, client: &str, method: Method, path: &[u8]) -> Fate {
            let address: IpAddr = client.parse().unwrap();
            let key = ClientKey::new(address, self.policy.settings.client.ipv6_prefix);
            let fate = decide(&self.policy, &self.state, &Facts::new(address, key, method, path), self.now).fate;
            if fate == Fate::Forward {
                self.state.in_flight.leave(key.bits());
            }
            fate
        }

        fn why(&self, client: &str) -> Why {
            let Self { policy, state, recent, now } = self;
            let looks = Looks { policy, state, recent, asn: None, country: None, started: *now, now: *now };
            why(&looks, client.parse().unwrap(), vec![])
        }
    }

    #[test]
    fn lists_are_named_with_their_network() {
        let weir = Weir::new();
        let denied = weir.why("203.0.113.9");
        assert_eq!(denied.denied_by.as_deref(), Some("203.0.113.0/24"));
        assert!(denied.verdict.contains("deny list"), "{}", denied.verdict);
        let both = weir.why("198.51.100.3");
        assert_eq!((both.allowed_by.as_deref(), both.denied_by.is_some()), (Some("198.51.100.0/28"), true));
        assert!(both.verdict.contains("allow list"), "{}", both.verdict);
    }

    #[test]
    fn what_is_said_is_what_would_be_done() {
        let weir = Weir::new();
        let client = "192.0.2.7";
        let first = weir.why(client);
        assert_eq!(first.verdict, "passed on");
        assert_eq!((first.standing.rank.as_ref(), first.standing.state.as_ref()), ("unknown", "normal"));
        for _ in 0..2 {
            assert_eq!(weir.send(client, Method::Post, b"/login"), Fate::Forward);
        }
        assert_eq!(weir.send(client, Method::Post, b"/login"), Fate::Refuse);
        let partly = weir.why(client);
        assert_eq!(partly.verdict, "passed on but POST /login: refused by the limit login for another 2s");
        let login = partly.limits.iter().find(|l| l.limit == "login").unwrap();
        assert_eq!((login.used, login.burst, login.over_after_s.round()), (Some(2), 2, 4.0));
        while weir.send(client, Method::Get, b"/") == Fate::Forward {}
        let wholly = weir.why(client).verdict;
        assert!(wholly.starts_with("refused by the limit per-client for another 1s"), "{wholly}");
        assert_eq!(weir.why("192.0.2.8").verdict, "passed on");
        assert_eq!((rounded(0.001), rounded(2.04), rounded(90.06)), ("0.1s".into(), "2s".into(), "90s".into()));
        let by_key = &weir.why(client).limits;
        assert_eq!(by_key.iter().find(|l| l.limit == "by-key").unwrap().used, None);
    }

    #[test]
    fn an_ipv6_client_is_its_whole_prefix() {
        let weir = Weir::new();
        weir.recent.add(refusal("2001:db8::1".parse().unwrap()));
        weir.recent.add(refusal("2001:db8:0:1::1".parse().unwrap()));
        let why = weir.why("2001:db8::ffff");
        assert_eq!((why.client.as_str(), why.recent.len()), ("2001:db8::/64", 1));
    }
}
