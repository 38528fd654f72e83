//! A book of bans for tests of the loop to AWS WAF, and the config of its sets.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ipnet::IpNet;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::watch;
use weir::base::units::Rate;
use weir::config::settings::{Waf, WafScope, WafStep};
use weir::sink::waf::want::Want;
use weir::sink::waf::{LiveRules, Source};

pub fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

/// A config with these sets.
pub fn waf(ipv4: &[&str], ipv6: &[&str]) -> Waf {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Waf {
        enabled: true,
        scope: WafScope::Regional,
        ipv4_sets: names(ipv4),
        ipv6_sets: names(ipv6),
        from_step: WafStep::Refuse,
        update_rate: Rate::per_second(1),
        grace: Duration::from_secs(60),
        leftovers_after: None,
        file: None,
    }
}

/// A book of bans on any clock.
pub struct Book {
    unix_ms: Box<dyn Fn() -> u64 + Send + Sync>,
    bans: Mutex<BTreeMap<IpNet, Want>>,
    /// Told when bans changed.
    pub changes: watch::Sender<()>,
}

impl Book {
    /// An empty one, on this clock.
    pub fn new(unix_ms: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self { unix_ms: Box::new(unix_ms), bans: Mutex::default(), changes: watch::Sender::new(()) }
    }

    /// What time it is.
    pub fn now(&self) -> u64 {
        (self.unix_ms)()
    }

    pub fn ban(&self, network: &str, time: Duration, harm: u64) {
        let (network, since) = (net(network), self.now());
        let until = since + time.as_millis() as u64;
        let want = Want { network, until, harm, since, operator: harm == 0, kept_back: None };
        self.bans.lock().unwrap().insert(network, want);
        self.changes.send_replace(());
    }

    pub fn lift(&self, network: &str) {
        self.bans.lock().unwrap().remove(&net(network));
        self.changes.send_replace(());
    }

    pub fn lift_one(&self) {
        self.bans.lock().unwrap().pop_first();
        self.changes.send_replace(());
    }

    pub fn clear(&self) {
        self.bans.lock().unwrap().clear();
        self.changes.send_replace(());
    }

    pub fn len(&self) -> usize {
        Source::wants(self, self.now()).len()
    }

    pub fn wants(&self, entry: &str) -> bool {
        Source::wants(self, self.now()).iter().any(|want| want.network == net(entry))
    }
}

impl Source for Book {
    fn wants(&self, unix_ms: u64) -> Vec<Want> {
        self.bans.lock().unwrap().values().filter(|want| want.until > unix_ms).cloned().collect()
    }

    fn may_cover(&self, _: &IpNet) -> bool {
        true
    }

    fn rules(&self) -> LiveRules {
        LiveRules { grace: Duration::from_secs(60), leftovers_after: None, rollup_members: 8, ipv6_prefix: 64 }
    }
}
