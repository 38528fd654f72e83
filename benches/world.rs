//! What a decision is made in: three limits, two lists of 100,000 networks, the origin's budget.

use crate::base::clock::Time;
use crate::client::key::ClientKey;
use crate::dice::Dice;
use crate::verdict::facts::Method;
use crate::verdict::policy::Networks;
use crate::verdict::{Facts, Fate, Policy, State, decide};
use ipnet::{IpNet, Ipv4Net};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

const CONFIG: &str = r#"
[origin]
addresses = ["127.0.0.1:9000"]
capacity = "100000/s"
max_in_flight = 100000
[[limit]]
name = "per-client"
rate = "RATE"
burst = 100
slots = 4194304
[[limit]]
name = "per-prefix"
rate = "100000/s"
burst = 1000000
key = "prefix"
slots = 4194304
[[limit]]
name = "pages"
match = { path = "/*", method = ["GET"] }
rate = "RATE"
burst = 100
slots = 4194304
"#;

/// How many networks either list has.
pub const NETWORKS: u32 = 100_000;

/// A policy, its state, and the time.
pub struct World {
    pub policy: Policy,
    pub state: State,
    pub now: Time,
    dice: Dice,
}

impl World {
    /// Two of the three limits have this rate.
    ///
    /// # Panics
    /// Where the config above no longer fits what weir takes.
    pub fn new(rate: &str) -> Self {
        let settings =
            crate::config::load_str(&CONFIG.replace("RATE", rate), "bench.toml").expect("a good config").settings;
        let state = State::new();
        let networks = Networks { allow: spread(NETWORKS, 1), deny: spread(NETWORKS, 2) };
        let now = Time::from_nanos(1 << 50);
        Self { policy: Policy::compile(Arc::new(settings), &networks, &state, now), state, now, dice: Dice::new(1) }
    }

    /// A world in which the clients 0 to 99 have used up their limits.
    pub fn exhausted() -> Self {
        let mut world = Self::new("1/d");
        for n in 0..100 {
            while world.request(n, 1) == Fate::Forward {}
        }
        world
    }

    /// A client out of `clients`.
    pub fn any(&mut self, clients: u64) -> u64 {
        self.dice.roll() % clients
    }

    /// One request of client `n`, who is on neither list; time moves on by `step` nanoseconds.
    pub fn request(&mut self, n: u64, step: u64) -> Fate {
        self.request_from(Ipv4Addr::from(off_lists(n as u32)).into(), step)
    }

    /// One request from `address`, ended at once.
    pub fn request_from(&mut self, address: IpAddr, step: u64) -> Fate {
        self.now = self.now + Duration::from_nanos(step);
        one(&self.policy, &self.state, address, self.now)
    }
}

/// One request, ended at once.
pub fn one(policy: &Policy, state: &State, address: IpAddr, now: Time) -> Fate {
    let facts = Facts::new(address, ClientKey::new(address, 64), Method::Get, b"/search");
    let verdict = decide(policy, state, &facts, now);
    if verdict.fate == Fate::Forward {
        state.in_flight.leave(facts.client.bits());
    }
    verdict.fate
}

/// The address of client `n`: its two leading bits are 01, which no network of [`spread`] has.
pub const fn off_lists(n: u32) -> u32 {
    0x4000_0000 | n & 0x3fff_ffff
}

/// So many networks of /20 to /28, none of them next to another.
///
/// # Panics
/// Never: no prefix is too long.
pub fn spread(count: u32, seed: u32) -> Vec<IpNet> {
    let net = |i: u32| {
        let spread = i.wrapping_mul(0x9e37_79b1).wrapping_add(seed << 7);
        let address = if spread & 0xc000_0000 == 0x4000_0000 { spread | 0x8000_0000 } else { spread };
        Ipv4Net::new(Ipv4Addr::from(address), 20 + (i % 9) as u8).expect("a length up to 28").trunc().into()
    };
    (0..count).map(net).collect()
}
