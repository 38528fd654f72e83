//! The keeper: what it refuses to ban, what it keeps across a restart, and both of its switches.

use super::*;
use crate::config;
use crate::config::settings::FindingAction;
use crate::verdict::policy::Networks;

struct Bench {
    keeper: Keeper,
    folder: Arc<tempfile::TempDir>,
    state: Arc<State>,
}

const CONFIG: &str = r#"
    [origin]
    addresses = ["192.0.2.80:80"]
    [client]
    trusted_proxies = ["10.0.0.0/8"]
    [ban]
    refuse = "1h"
    honeypot = ["/trap"]
"#;

fn policy(state: &State, more: &str) -> Policy {
    let settings = Arc::new(config::load_str(&format!("{CONFIG}{more}"), "test").unwrap().settings);
    let allow = vec!["198.51.100.0/28".parse().unwrap()];
    Policy::compile(settings, &Networks { allow, deny: vec![] }, state, clock::now())
}

impl Bench {
    fn new() -> Self {
        Self::beside(Arc::new(tempfile::tempdir().unwrap()))
    }

    /// A weir that finds the files of another.
    fn beside(folder: Arc<tempfile::TempDir>) -> Self {
        let state = Arc::new(State::new());
        let policy = Arc::new(ArcSwap::from_pointee(policy(&state, "")));
        let pool = Arc::new(Pool::new(&policy.load().settings.origin));
        let file = Some(folder.path().join("bans"));
        let keeper = Keeper::open(Parts { policy, state: state.clone(), pool, file, news: Arc::default() });
        Self { keeper, folder, state }
    }

    fn add(&self, net: &str) -> Result<BanView, String> {
        let net = net.parse().unwrap_or_else(|_| net.parse::<IpAddr>().unwrap().into());
        self.keeper.add(net, Duration::from_secs(600), "test", clock::now())
    }

    /// A request for the trap, and the keeper's next look.
    fn trap(&self, client: &str) {
        let policy = self.keeper.parts.policy.load_full();
        let client = ClientKey::new(client.parse().unwrap(), 64);
        self.state.offences.note(&policy.offences, client, Offence::Honeypot, b"/trap", clock::now());
        self.keeper.tick(clock::now());
    }

    fn is_banned(&self, address: &str) -> bool {
        self.state.bans.lookup(ClientKey::new(address.parse().unwrap(), 128), clock::now()).is_some()
    }
}

#[test]
fn what_must_not_be_banned_is_named_with_the_reason() {
    let bench = Bench::new();
    for (net, why) in [
        ("10.0.0.5", "10.0.0.5 is in client.trusted_proxies (10.0.0.0/8)"),
        ("10.0.0.0/8", "10.0.0.0/8 is in client.trusted_proxies"),
        ("192.0.2.0/24", "192.0.2.0/24 holds 192.0.2.80, which is in the origin's addresses"),
        ("127.0.0.1", "127.0.0.1 is in this machine's own networks (127.0.0.0/8)"),
        ("::1", "::/64 holds"),
        ("169.254.170.2", "this machine's own networks"),
        ("0.0.0.0/0", "too wide; the widest network of IPv4 that can be banned is a /8"),
        ("::/0", "too wide"),
        ("198.51.100.3", "198.51.100.3 is on the allow list by 198.51.100.0/28, which comes first"),
    ] {
        let said = bench.add(net).unwrap_err();
        assert!(said.starts_with("ban of ") && said.contains(" refused: ") && said.contains(why), "{net}: {said}");
    }
    assert!(bench.add("198.51.100.0/24").is_ok(), "those allowed inside stay allowed");
    let long = bench.keeper.add("192.0.2.7/32".parse().unwrap(), Duration::MAX, "", clock::now()).unwrap_err();
    assert!(long.contains("365d"), "{long}");
}

#[test]
fn an_address_of_ipv6_is_its_client() {
    let bench = Bench::new();
    assert_eq!(bench.add("2001:db8::7").unwrap().network, "2001:db8::/64");
    assert!(bench.is_banned("2001:db8::9"));
    let lift = |net: &str| bench.keeper.remove(net.parse::<IpAddr>().unwrap().into(), clock::now());
    assert!(lift("2001:db8::1").is_ok() && !bench.is_banned("2001:db8::9"));
    bench.add("203.0.113.0/24").unwrap();
    let said = lift("203.0.113.9").unwrap_err();
    assert_eq!(said, "203.0.113.9 is not banned by itself; it lies in 203.0.113.0/24, which is: remove that");
}

#[test]
fn offences_lead_to_bans_but_not_of_the_exempt() {
    let bench = Bench::new();
    for client in ["203.0.113.9", "198.51.100.3", "10.0.0.5", "127.0.0.1", "192.0.2.80"] {
        bench.trap(client);
    }
    let view = bench.keeper.view(10, clock::now());
    assert_eq!(view.bans.iter().map(|b| b.network.as_str()).collect::<Vec<_>>(), ["203.0.113.9"]);
    assert!(view.bans[0].evidence.contains("honeypot path") && view.bans[0].evidence.contains("/trap"));
    assert_eq!((view.status.spared, view.status.active), (4, 1));
    assert_eq!(bench.keeper.of("203.0.113.9".parse().unwrap(), clock::now()).len(), 1);
}

#[test]
fn both_switches_free_at_once_and_spare_an_operators_bans() {
    let bench = Bench::new();
    bench.trap("203.0.113.9");
    bench.add("203.0.113.10").unwrap();
    let banned = || (bench.is_banned("203.0.113.9"), bench.is_banned("203.0.113.10"));
    assert_eq!(banned(), (true, true));
    assert_eq!(bench.keeper.pause(true, clock::now()).active, 1);
    assert_eq!(banned(), (false, true));
    bench.trap("203.0.113.11");
    assert!(!bench.is_banned("203.0.113.11"));
    bench.keeper.pause(false, clock::now());
    assert_eq!(banned(), (true, true));
    assert!(!bench.is_banned("203.0.113.11"), "what happened meanwhile is forgiven");
    bench.keeper.parts.policy.store(Arc::new(policy(&bench.state, "enabled = false")));
    bench.keeper.tick(clock::now());
    assert_eq!(banned(), (false, true));
}

#[test]
fn in_an_overload_nobody_is_banned() {
    let bench = Bench::new();
    bench.state.flood.pin(Some(FloodState::Overload));
    let readings = bench.keeper.parts.policy.load().readings(&bench.state);
    for tick in 0..20 {
        bench.state.flood.tick(&readings, clock::now() + TICK * tick);
    }
    assert_eq!(bench.state.flood.view().state, FloodState::Overload);
    bench.trap("203.0.113.9");
    assert!(!bench.is_banned("203.0.113.9"));
}

#[test]
fn who_gets_on_a_list_is_free_with_the_reload() {
    let bench = Bench::new();
    bench.trap("203.0.113.9");
    bench.add("203.0.113.10").unwrap();
    let more = "[lists]\nallow = [\"203.0.113.0/24\"]";
    let settings = Arc::new(config::load_str(&format!("{CONFIG}{more}"), "test").unwrap().settings);
    let allow = vec!["203.0.113.0/24".parse().unwrap()];
    let policy = Policy::compile(settings, &Networks { allow, deny: vec![] }, &bench.state, clock::now());
    bench.keeper.parts.policy.store(Arc::new(policy));
    bench.keeper.tick(clock::now());
    assert_eq!(bench.keeper.view(9, clock::now()).bans.len(), 1, "only the operator's is kept");
}

#[test]
fn bans_and_the_switch_survive_without_a_farewell() {
    let first = Bench::new();
    first.trap("203.0.113.9");
    first.add("203.0.113.10").unwrap();
    first.keeper.pause(true, clock::now());
    let second = Bench::beside(first.folder.clone());
    assert!(second.keeper.status(clock::now()).paused);
    assert!(second.is_banned("203.0.113.10") && !second.is_banned("203.0.113.9"));
    second.keeper.pause(false, clock::now());
    assert!(second.is_banned("203.0.113.9"));
    std::fs::write(first.folder.path().join("bans"), "rubbish").unwrap();
    let third = Bench::beside(first.folder.clone());
    assert_eq!(third.keeper.view(9, clock::now()).bans.len(), 0);
    third.add("203.0.113.10").unwrap();
    assert!(Bench::beside(first.folder.clone()).is_banned("203.0.113.10"), "and it goes on");
}

fn charge(created_at: &str) -> Charge<'_> {
    Charge { by: Who::Finding, text: "Recon:EC2/X, severity 8.0, finding a", kind: "Recon:EC2/X", created_at }
}

const OLD: &str = "2024-02-29T12:00:00.000Z";

impl Bench {
    fn accuse(&self, address: &str, action: FindingAction, created_at: &str) -> Effect {
        let hour = Duration::from_secs(3_600);
        self.keeper.accuse(address.parse().unwrap(), action, hour, &charge(created_at), clock::now())
    }
}

#[test]
fn a_finding_bans_whom_the_ladder_could_ban_and_the_kill_switch_lifts_it() {
    let bench = Bench::new();
    let ban = |address: &str| bench.accuse(address, FindingAction::Ban, OLD);
    for address in ["10.0.0.5", "192.0.2.80", "127.0.0.1", "198.51.100.3"] {
        assert!(matches!(ban(address), Effect::Spared(_)), "{address}");
    }
    let Effect::Banned(view) = ban("2001:db8::7") else { panic!("not banned") };
    assert_eq!((view.network.as_str(), view.by.as_str(), view.step.as_str()), ("2001:db8::/64", "guardduty", "ban 1"));
    assert!(view.reason.contains("Recon:EC2/X") && view.reason.contains("finding a"));
    assert!(bench.is_banned("2001:db8::8"));
    bench.keeper.pause(true, clock::now());
    assert!(!bench.is_banned("2001:db8::8"));
    bench.keeper.pause(false, clock::now());
    // What it does meanwhile makes the ban no shorter and no step of the ladder.
    bench.trap("2001:db8::8");
    assert_eq!(bench.keeper.of("2001:db8::8".parse().unwrap(), clock::now())[0].by, "guardduty");
    bench.add("203.0.113.9").unwrap();
    assert_eq!(ban("203.0.113.9"), Effect::Held, "an operator's word stays");
    let added = bench.keeper.status(clock::now()).added;
    assert!(added.contains(&BanCount { kind: "guardduty".into(), count: 1 }), "{added:?}");
}

#[test]
fn a_lift_holds_against_what_was_found_before_also_after_a_restart() {
    for action in [FindingAction::Ban, FindingAction::Suspect] {
        let bench = Bench::new();
        bench.accuse("203.0.113.9", action, OLD);
        bench.keeper.tick(clock::now());
        assert!(bench.is_banned("203.0.113.9"));
        bench.keeper.remove("203.0.113.9/32".parse().unwrap(), clock::now()).unwrap();
        bench.keeper.tick(clock::now() + Duration::from_secs(5));
        bench.keeper.save();
        let again = Bench::beside(bench.folder.clone());
        for weir in [&bench, &again] {
            let effect = weir.accuse("203.0.113.9", action, OLD);
            assert!(matches!(&effect, Effect::Spared(why) if why.contains("lifted")), "{effect:?}");
            weir.keeper.tick(clock::now());
            assert!(!weir.is_banned("203.0.113.9"));
        }
        again.accuse("203.0.113.9", action, "2999-01-01T00:00:00.000Z");
        again.keeper.tick(clock::now());
        assert!(again.is_banned("203.0.113.9"), "a new finding counts");
    }
}

#[test]
fn findings_ban_no_more_in_a_minute_than_the_ladder_may() {
    let bench = Bench::new();
    let most = bench.keeper.parts.policy.load().settings.ban.max_per_minute;
    let effects: Vec<Effect> = (0..most + 3)
        .map(|n| bench.accuse(&format!("198.18.{}.{}", n / 250, n % 250), FindingAction::Ban, OLD))
        .collect();
    assert_eq!(effects.iter().filter(|e| **e == Effect::Later).count(), 3);
    assert!(matches!(bench.accuse("198.18.0.0", FindingAction::Ban, OLD), Effect::Banned(_) | Effect::Held));
}
