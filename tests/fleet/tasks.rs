//! Tasks of a fleet inside this process: each with a book, tables and a place in the store of its own.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use arc_swap::ArcSwap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use weir::ban::Offence;
use weir::base::clock;
use weir::client::key::ClientKey;
use weir::config::{self, settings};
use weir::control::bans::{self, Keeper, Rounds};
use weir::control::identity::Identity;
use weir::origin::Pool;
use weir::sink::fleet::{Fleet, Loads, Parts};
use weir::verdict::policy::Networks;
use weir::verdict::{Policy, State};

/// What tasks of a test have in common unless it says otherwise.
pub const CONFIG: &str = "[origin]\naddresses = [\"192.0.2.80:80\"]\n[ban]\nrefuse = \"1h\"\nmax_per_minute = 10000\nhoneypot = [\"/trap\"]\n";

/// A task; it leaves the fleet when dropped.
pub struct Task {
    pub keeper: Arc<Keeper>,
    pub state: Arc<State>,
    pub fleet: Arc<Fleet>,
    policy: Arc<ArcSwap<Policy>>,
    stop: watch::Sender<bool>,
    running: Option<JoinHandle<()>>,
    _rounds: Rounds,
}

/// A book that has joined no fleet yet.
pub struct Alone {
    pub keeper: Arc<Keeper>,
    state: Arc<State>,
    policy: Arc<ArcSwap<Policy>>,
}

impl Alone {
    pub fn new(more: &str) -> Self {
        let settings = Arc::new(config::load_str(&format!("{CONFIG}{more}"), "test").unwrap().settings);
        let state = Arc::new(State::new());
        let policy = Policy::compile(settings.clone(), &Networks::default(), &state, clock::now());
        let policy = Arc::new(ArcSwap::from_pointee(policy));
        let pool = Arc::new(Pool::new(&settings.origin));
        let parts =
            bans::Parts { policy: policy.clone(), state: state.clone(), pool, file: None, news: Arc::default() };
        Self { keeper: Arc::new(Keeper::open(parts)), state, policy }
    }

    /// Joins the fleet at `url` as `name`.
    pub fn join(self, runtime: &Runtime, url: &str, name: &str) -> Task {
        self.join_with(runtime, url, name, Loads::default(), |_| {})
    }

    pub fn join_with(
        self,
        runtime: &Runtime,
        url: &str,
        name: &str,
        loads: Loads,
        adapt: impl FnOnce(&mut settings::Fleet),
    ) -> Task {
        let mut settings = config::load_str(CONFIG, "test").unwrap().settings.fleet;
        settings.url = url.to_owned();
        adapt(&mut settings);
        let (stop, stopped) = watch::channel(false);
        let parts = Parts {
            settings,
            identity: Identity { task: name.into(), ..Identity::default() },
            keeper: self.keeper.clone(),
            state: self.state.clone(),
            share_secret: true,
            loads,
        };
        let _inside = runtime.enter();
        let (fleet, running) = Fleet::join(parts, stopped);
        let rounds = self.keeper.start().unwrap();
        let Self { keeper, state, policy } = self;
        Task { keeper, state, fleet, policy, stop, running: Some(running), _rounds: rounds }
    }
}

impl Task {
    pub fn join(runtime: &Runtime, url: &str, name: &str) -> Self {
        Alone::new("").join(runtime, url, name)
    }

    /// An operator's ban for ten minutes.
    pub fn ban(&self, address: &str) {
        ban(&self.keeper, address);
    }

    /// A request for the trap; the keeper finds it by itself.
    pub fn trap(&self, address: &str) {
        let client = ClientKey::new(ip(address), 64);
        self.state.offences.note(&self.policy.load().offences, client, Offence::Honeypot, b"/trap", clock::now());
    }

    pub fn lift(&self, address: &str) {
        self.keeper.remove(ip(address).into(), clock::now()).unwrap();
    }

    pub fn is_banned(&self, address: &str) -> bool {
        self.state.bans.lookup(ClientKey::new(ip(address), 128), clock::now()).is_some()
    }

    pub fn is_connected(&self) -> bool {
        self.fleet.status().connected
    }

    pub fn leads(&self) -> bool {
        self.fleet.lease().is_held(clock::now())
    }

    /// Says goodbye.
    pub fn leave(mut self, runtime: &Runtime) {
        self.stop.send_replace(true);
        runtime.block_on(self.running.take().unwrap()).unwrap();
    }

    /// Is gone without a word.
    pub fn die(mut self) {
        self.running.take().unwrap().abort();
    }
}

pub fn ban(keeper: &Keeper, address: &str) {
    keeper.add(ip(address).into(), Duration::from_secs(600), "test", clock::now()).unwrap();
}

fn ip(address: &str) -> IpAddr {
    address.parse().unwrap()
}
