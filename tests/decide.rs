//! What `decide` promises, in virtual time.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use weir::base::clock::Time;
use weir::client::key::ClientKey;
use weir::verdict::facts::Method;
use weir::verdict::policy::Networks;
use weir::verdict::reason::Reason;
use weir::verdict::{Facts, Fate, Policy, State, Verdict, decide};

struct World {
    state: State,
    policy: Policy,
    now: Time,
}

fn policy(config: &str, state: &State, now: Time) -> Policy {
    let whole = format!("[origin]\naddresses = [\"127.0.0.1:9000\"]\n{config}");
    let settings = weir::config::load_str(&whole, "test.toml").unwrap_or_else(|e| panic!("{e}")).settings;
    let networks = Networks {
        allow: vec!["192.0.2.0/24".parse().unwrap()],
        deny: vec!["192.0.2.9/32".parse().unwrap(), "203.0.113.0/24".parse().unwrap()],
    };
    Policy::compile(Arc::new(settings), &networks, state, now)
}

impl World {
    fn new(config: &str) -> Self {
        let (state, now) = (State::new(), Time::from_nanos(1 << 50));
        Self { policy: policy(config, &state, now), state, now }
    }

    fn reload(&mut self, config: &str) {
        self.policy = policy(config, &self.state, self.now);
    }

    fn ask(&mut self, address: &str, method: Method, path: &str) -> Verdict {
        self.ask_from(address.parse().unwrap(), method, path)
    }

    fn ask_from(&mut self, address: IpAddr, method: Method, path: &str) -> Verdict {
        let facts = Facts::new(address, ClientKey::new(address, 64), method, path.as_bytes());
        let verdict = decide(&self.policy, &self.state, &facts, self.now);
        if verdict.fate == Fate::Forward {
            self.state.in_flight.leave(facts.client.bits());
        }
        verdict
    }

    /// How many of `times` requests at once pass.
    fn passed(&mut self, address: &str, path: &str, times: u32) -> u32 {
        (0..times).filter(|_| self.ask(address, Method::Get, path).fate == Fate::Forward).count() as u32
    }
}

const LIMIT: &str = "[[limit]]\nname = \"a\"\nrate = \"1/m\"\nburst = 5\n";

#[test]
fn the_allow_list_comes_before_the_deny_list() {
    let mut world = World::new(LIMIT);
    assert_eq!(world.ask("192.0.2.9", Method::Get, "/").reason, Reason::AllowList);
    assert_eq!(world.ask("203.0.113.9", Method::Get, "/").reason, Reason::DenyList);
    assert_eq!(world.passed("192.0.2.1", "/", 20), 20);
}

#[test]
fn what_a_limit_refuses_is_charged_to_none_and_what_the_origin_refuses_to_its_client() {
    let login = "[[limit]]\nname = \"client\"\nrate = \"1/m\"\nburst = 10\n\
                 [[limit]]\nname = \"login\"\nmatch = { path = \"/login\" }\nrate = \"1/m\"\nburst = 2\n";
    let mut world = World::new(login);
    assert_eq!(world.passed("198.51.100.1", "/login", 100), 2);
    assert_eq!(world.passed("198.51.100.1", "/", 100), 8, "98 refused logins cost the client nothing");
    let narrow = "[[limit]]\nname = \"client\"\nrate = \"1/m\"\nburst = 10\n";
    let mut world = World::new(&format!("capacity = \"80/s\"\nqueue_timeout = \"0s\"\n{narrow}"));
    let passed = world.passed("198.51.100.1", "/", 100);
    assert!(passed < 10, "the origin's depth was used up first: {passed}");
    world.now = world.now + Duration::from_secs(1);
    assert_eq!(world.passed("198.51.100.1", "/", 3), 0, "it did send them");
}

#[test]
fn an_offender_does_not_use_up_its_network() {
    let both = "[[limit]]\nname = \"client\"\nrate = \"1/m\"\nburst = 5\n\
                [[limit]]\nname = \"network\"\nkey = \"prefix\"\nrate = \"1/m\"\nburst = 12\n";
    let mut world = World::new(both);
    assert_eq!(world.passed("198.51.100.1", "/", 1000), 5);
    assert_eq!(world.passed("198.51.100.2", "/", 1000), 5);
    assert_eq!(world.passed("198.51.100.3", "/", 1000), 2);
    assert_eq!(world.ask("198.51.100.4", Method::Get, "/").limit(&world.policy).unwrap().name.as_ref(), "network");
    assert_eq!(world.passed("198.51.101.1", "/", 1000), 5);
}

#[test]
fn an_observed_limit_counts_as_it_would_refuse() {
    let mut world = World::new("[[limit]]\nname = \"a\"\nrate = \"1/m\"\nburst = 5\naction = \"observe\"\n");
    let index = world.policy.limits[0].index;
    let over = (0..20).filter(|_| world.ask("198.51.100.1", Method::Get, "/").observed == 1 << index).count();
    assert_eq!(over, 15);
}

#[test]
fn a_share_is_the_same_clients_in_every_process_and_grows() {
    let at = |share: &str| World::new(&format!("capacity = \"100000/s\"\n{LIMIT}enforce = \"{share}\"\n"));
    let refused = |world: &mut World| -> Vec<u32> {
        let held = |n: &u32| {
            world.now = world.now + Duration::from_millis(1);
            let address = IpAddr::V4(Ipv4Addr::from(0x4000_0000 + n));
            (0..6).any(|_| world.ask_from(address, Method::Get, "/").reason == Reason::Limit)
        };
        (0..4000).filter(held).collect()
    };
    let (ten, again, half) = (refused(&mut at("10%")), refused(&mut at("10%")), refused(&mut at("50%")));
    assert_eq!(ten, again);
    assert!((300..500).contains(&ten.len()), "{}", ten.len());
    assert!((1850..2150).contains(&half.len()), "{}", half.len());
    assert!(ten.iter().all(|n| half.contains(n)), "whoever was held at 10 % is held at 50 %");
    assert_eq!(refused(&mut at("0%")), Vec::<u32>::new());
}

#[test]
fn a_reload_keeps_debts_and_counts_of_limits_that_stay() {
    let mut world = World::new(LIMIT);
    assert_eq!(world.passed("198.51.100.1", "/", 9), 5);
    world.reload(&format!("{LIMIT}[[limit]]\nname = \"b\"\nrate = \"1/s\"\nburst = 100\n"));
    assert_eq!(world.passed("198.51.100.1", "/", 9), 0);
    world.reload("[[limit]]\nname = \"a\"\nrate = \"100/s\"\nburst = 5\n");
    assert_eq!(world.passed("198.51.100.1", "/", 9), 0, "the bucket is as empty as it was");
    world.now = world.now + Duration::from_secs(1);
    assert_eq!(world.passed("198.51.100.1", "/", 9), 5, "and fills at the new rate");
}

#[test]
fn many_reloads_with_new_names_use_no_more_slots_than_limits() {
    let mut world = World::new(LIMIT);
    for n in 0..300 {
        world.reload(&format!("[[limit]]\nname = \"n{n}\"\nrate = \"1/m\"\nburst = 5\nslots = 1024\n"));
        world.now = world.now + Duration::from_secs(1);
        assert_eq!(world.policy.limits.len(), 1, "after {n} reloads");
        assert_eq!(world.passed("198.51.100.1", "/", 9), 5);
    }
}

#[test]
fn those_on_the_allow_list_come_first_while_the_whole_stays_inside_capacity() {
    let mut world = World::new("capacity = \"1000/s\"\nqueue_timeout = \"0s\"\nmax_in_flight = 1000\n");
    let (mut allowed, mut all) = (0, 0);
    for ms in 0..2000u32 {
        world.now = world.now + Duration::from_millis(1);
        for n in 0..10 {
            all += u32::from(
                world.ask_from(IpAddr::V4(Ipv4Addr::from(0x4000_0000 + ms * 10 + n)), Method::Get, "/").fate
                    == Fate::Forward,
            );
        }
        if ms % 2 == 0 {
            allowed += u32::from(world.ask("192.0.2.1", Method::Get, "/").fate == Fate::Forward);
        }
    }
    assert_eq!(allowed, 1000, "500 a second from the allow list all pass");
    assert!(all + allowed <= 2 * 1000 + 50, "{all} + {allowed} in two seconds at 1000/s");
    assert!(all + allowed >= 1950, "the rest is used: {all} + {allowed}");
}

#[test]
fn a_burst_waits_in_line_and_the_origin_gets_no_more_than_its_capacity() {
    let mut world = World::new("capacity = \"500/s\"\n");
    // A page of 140 parts asked for at once by a client that nobody knows.
    let delays: Vec<_> = (0..140).map(|_| world.ask("198.51.100.1", Method::Get, "/")).collect();
    assert!(delays.iter().all(|v| v.fate == Fate::Forward));
    let within = |ms: u64| delays.iter().filter(|v| v.delay <= Duration::from_millis(ms)).count();
    assert_eq!(within(0), 25);
    for ms in (0..=250).step_by(50) {
        assert!(within(ms) as u64 <= 25 + ms / 2 + 1, "{} within {ms} ms", within(ms));
    }
    assert!(delays.iter().all(|v| v.delay <= Duration::from_millis(300)));
    let over = (0..100).map(|_| world.ask("198.51.100.1", Method::Get, "/")).find(|v| v.fate != Fate::Forward);
    assert_eq!(over.unwrap().reason, Reason::OriginCapacity);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn nobody_gets_more_than_burst_and_rate(rate in 1u32..200, burst in 1u32..200, gaps in prop::collection::vec(0u64..50, 50..400)) {
        let mut world = World::new(&format!("capacity = \"100000/s\"\n[[limit]]\nname = \"a\"\nrate = \"{rate}/s\"\nburst = {burst}\n"));
        let start = world.now;
        let mut passed = 0u64;
        for gap in gaps {
            world.now = world.now + Duration::from_millis(gap);
            passed += u64::from(world.ask("198.51.100.7", Method::Get, "/").fate == Fate::Forward);
            let most = f64::from(burst) + world.now.since(start).as_secs_f64() * f64::from(rate) * 1.001 + 1e-6;
            prop_assert!(passed as f64 <= most, "{passed} > {most}");
        }
    }
}
