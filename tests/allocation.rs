//! `decide` allocates nothing, whatever it decides.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use weir::ban::{Book, Network, Record, Step, Who};
use weir::base::clock::Time;
use weir::client::key::ClientKey;
use weir::flood::challenge::{Challenge, Proof};
use weir::verdict::facts::Method;
use weir::verdict::policy::Networks;
use weir::verdict::reason::Reason;
use weir::verdict::{Facts, Fate, Policy, State, decide};

struct Counting;

thread_local! { static COUNT: Cell<u64> = const { Cell::new(0) } }

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to the system's allocator unchanged; counting touches a thread-local without a destructor.
#[allow(unsafe_code, reason = "an allocator is unsafe to implement; this one only counts")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

const CONFIG: &str = r#"
[listen]
max_in_flight_per_client = 4
[origin]
addresses = ["127.0.0.1:9000"]
capacity = "100/s"
max_in_flight = 10
[[limit]]
name = "watched"
rate = "1/m"
burst = 1
action = "observe"
[[limit]]
name = "by-key"
rate = "1000/s"
burst = 1000
key = "header:x-api-key"
[[limit]]
name = "network"
rate = "100000/s"
burst = 100000
key = "prefix"
[[limit]]
name = "login"
match = { path = ["/login", "/admin*"], method = ["POST"] }
rate = "1/m"
burst = 2
[[limit]]
name = "worst"
match = { path = "/trap" }
rate = "1/m"
burst = 1
action = "close"
[[limit]]
name = "all-searches"
match = { path = "/search" }
rate = "10/s"
burst = 100
key = "route"
enforce = "50%"
"#;

fn facts(address: &str, method: Method, path: &'static [u8]) -> Facts<'static> {
    let address: IpAddr = address.parse().unwrap();
    let mut facts = Facts::new(address, ClientKey::new(address, 64), method, path);
    facts.header_keys[0] = Some(7);
    facts
}

/// Decides, counts allocations meanwhile, and keeps the place in flight if `stay`.
fn counted(policy: &Policy, state: &State, facts: &Facts<'_>, now: Time, stay: bool) -> (Reason, Fate, u64) {
    let before = COUNT.get();
    let verdict = decide(policy, state, facts, now);
    let allocations = COUNT.get() - before;
    if verdict.fate == Fate::Forward && !stay {
        state.in_flight.leave(facts.client.bits());
    }
    (verdict.reason, verdict.fate, allocations)
}

#[test]
fn every_verdict_is_reached_without_an_allocation() {
    let settings = weir::config::load_str(CONFIG, "test.toml").unwrap().settings;
    let state = State::new();
    let networks = Networks {
        allow: vec!["192.0.2.0/28".parse().unwrap(), "2001:db8:a::/48".parse().unwrap()],
        deny: vec!["203.0.113.0/24".parse().unwrap(), "2001:db8:d::/48".parse().unwrap()],
    };
    let mut now = Time::from_nanos(1 << 50);
    let policy = Policy::compile(Arc::new(settings), &networks, &state, now);
    let mut book = Book::default();
    for (net, step) in [("198.51.100.9/32", Step::REFUSE), ("2001:db8:b::/48", Step::CLOSE)] {
        let network = Network::of_net(net.parse().unwrap());
        book.put(Record::new(network, step, Who::Ladder, now, now + Duration::from_secs(3_600)), now).unwrap();
    }
    book.publish(&state.bans, true, now);
    // The first look of a thread at anything that is published makes the thread known, once.
    state.bans.lookup(ClientKey::new([192, 0, 2, 1].into(), 128), now);
    let mut seen = HashSet::new();
    let mut closed = false;
    let mut see = |facts: &Facts<'_>, times: u32, stay: bool, step: Duration| {
        for _ in 0..times {
            now = now + step;
            let (reason, fate, allocations) = counted(&policy, &state, facts, now, stay);
            assert_eq!(allocations, 0, "{reason:?} allocated");
            seen.insert(reason);
            closed |= fate == Fate::Close;
        }
    };
    let pause = Duration::from_millis(50);
    see(&facts("192.0.2.1", Method::Get, b"/"), 3, false, pause);
    see(&facts("203.0.113.9", Method::Get, b"/"), 3, false, pause);
    see(&facts("198.51.100.9", Method::Get, b"/"), 3, false, pause);
    see(&facts("2001:db8:b::1", Method::Get, b"/"), 3, false, pause);
    see(&facts("2001:db8:d::1", Method::Get, b"/"), 3, false, pause);
    see(&facts("198.51.100.1", Method::Post, b"/login"), 5, false, pause);
    see(&facts("198.51.100.1", Method::Get, b"/trap"), 5, false, pause);
    see(&facts("2001:db8:1::1", Method::Get, b"/search"), 50, false, pause);
    see(&facts("198.51.100.2", Method::Get, b"/"), 50, false, Duration::ZERO);
    for reason in Reason::ALL.iter().filter(|r| ![Reason::Forwarded, Reason::AllowList].contains(r)) {
        see(&Facts { fault: Some(*reason), ..facts("198.51.100.3", Method::Other, b"*") }, 1, false, pause);
    }
    see(&facts("198.51.100.4", Method::Get, b"/"), 6, true, pause);
    see(&facts("198.51.100.5", Method::Get, b"/"), 4, true, pause);
    see(&facts("198.51.100.6", Method::Get, b"/"), 4, true, pause);
    assert!(closed);
    for reason in [
        Reason::Forwarded,
        Reason::AllowList,
        Reason::Ban,
        Reason::DenyList,
        Reason::Limit,
        Reason::ClientInFlight,
        Reason::OriginCapacity,
        Reason::OriginInFlight,
        Reason::BadRequest,
    ] {
        assert!(seen.contains(&reason), "{reason:?} never happened: the test proves less than it says");
    }
}

#[test]
fn a_limit_over_the_fleet_allocates_nothing() {
    let config = format!("{CONFIG}[[limit]]\nname = \"fleet\"\nrate = \"10/s\"\nburst = 100\nscope = \"fleet\"\n");
    let settings = weir::config::load_str(&config, "test.toml").unwrap().settings;
    let (state, mut now) = (State::new(), Time::from_nanos(1 << 50));
    let policy = Policy::compile(Arc::new(settings), &Networks::default(), &state, now);
    let ask =
        |state: &State, now: Time, client: &str| counted(&policy, state, &facts(client, Method::Get, b"/"), now, false);
    // Alone, without a digest, with parts, and with a key's own part.
    for round in 0..4 {
        // The first look of a thread at anything that is published makes the thread known, once.
        ask(&state, now, "198.51.100.200");
        for _ in 0..200 {
            now = now + Duration::from_millis(5);
            let (reason, _, allocations) = ask(&state, now, "198.51.100.1");
            assert_eq!(allocations, 0, "{reason:?} allocated in round {round}");
        }
        let demand = state.sharing.demand(&policy, now);
        assert_eq!(demand.limits[0].keys.len(), usize::from(round > 0), "asks for far too much, and is known by that");
        if round == 0 {
            state.sharing.silence(&policy, 7, now);
            continue;
        }
        let told = [("me", demand), ("other", state.sharing.demand(&policy, now))];
        let told = told.map(|(name, demand)| (name.to_owned(), demand.encode()));
        let (digest, faults) = state.sharing.aggregate(&told, now).unwrap();
        assert!(faults.is_empty());
        state.sharing.apply(&policy, digest, "me", now);
        assert_eq!(state.sharing.status(&policy).limits[0].2, 1);
    }
}

#[test]
fn a_cookie_is_issued_and_checked_without_an_allocation() {
    const NOW: u64 = 1_750_000_000;
    let challenge = Challenge::new(&weir::config::load_str(CONFIG, "test.toml").unwrap().settings.flood.challenge);
    let client = ClientKey::new("198.51.100.1".parse().unwrap(), 64);
    let cookie = challenge.issue(client, 1, NOW, 7);
    let field = format!("theme=dark; __Host-weir={}; session=abc; weir=forged", cookie.as_str());
    let fields: [&[u8]; 3] = [b"a=b", field.as_bytes(), b"weir=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"];
    let before = COUNT.get();
    let proof = challenge.proof(fields.into_iter(), client, NOW);
    let stolen = challenge.proof(fields.into_iter(), ClientKey::new("198.51.100.2".parse().unwrap(), 64), NOW);
    let another = challenge.issue(client, 2, NOW, 8);
    let solved = challenge.is_solved(challenge.problem(client, NOW, 9).as_str().as_bytes(), b"12345", client, NOW);
    let allocations = COUNT.get() - before;
    assert_eq!((allocations, proof, stolen), (0, Proof::Valid { id: 7, strength: 1 }, Proof::Forged));
    assert!(another != cookie && !solved);
}
