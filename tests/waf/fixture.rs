//! What the tests of the loop share: a book, a store that may fail, and a writer that can be killed.

use crate::double::Double;
use async_trait::async_trait;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use weir::base::units::Rate;
use weir::config::settings::{Waf, WafScope, WafStep};
use weir::sink::waf::record::{Key, Memory, Record, Store, StoreError};
use weir::sink::waf::want::Want;
use weir::sink::waf::{Handle, LiveRules, Parts, Reach, Source, WafStatus, Writer};

/// The sets of the config.
pub const SETS: [&str; 3] = ["4a", "4b", "6a"];

pub fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

/// Lets virtual time pass.
pub async fn pass(seconds: u64) {
    pass_for(Duration::from_secs(seconds)).await;
}

/// The same, by any measure.
pub async fn pass_for(time: Duration) {
    let deadline = Instant::now() + time;
    tokio::time::sleep_until(deadline).await;
}

/// A book of bans on virtual time.
pub struct Book {
    begin: Instant,
    bans: Mutex<BTreeMap<IpNet, Want>>,
    changes: watch::Sender<()>,
}

impl Book {
    fn now(&self) -> u64 {
        1_700_000_000_000 + self.begin.elapsed().as_millis() as u64
    }

    pub fn ban(&self, network: &str, time: Duration, harm: u64) {
        let (network, since) = (net(network), self.now());
        let until = since + time.as_millis() as u64;
        let want = Want { network, until, harm, since, operator: harm == 0, kept_back: None };
        self.bans.lock().unwrap().insert(network, want);
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

/// Records that survive the writer, in a store that may be away.
#[derive(Clone, Default)]
pub struct Shaky {
    memory: Memory,
    away: Arc<AtomicBool>,
}

impl Shaky {
    pub fn fail(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    pub async fn len(&self) -> usize {
        self.memory.load().await.unwrap().len()
    }

    /// A disk takes its time, and it may end in the middle of that.
    async fn travel(&self) -> Result<(), StoreError> {
        pass_for(Duration::from_millis(3)).await;
        if self.away.load(Ordering::SeqCst) { Err(StoreError("away".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl Store for Shaky {
    async fn load(&self) -> Result<Vec<Record>, StoreError> {
        self.travel().await?;
        self.memory.load().await
    }

    async fn change(&self, put: &[Record], drop: &[Key]) -> Result<(), StoreError> {
        self.travel().await?;
        self.memory.change(put, drop).await
    }
}

/// A writer at the double.
pub struct Bench {
    pub double: Double,
    pub book: Arc<Book>,
    pub store: Shaky,
    pub lease: Arc<watch::Sender<bool>>,
    capacity: usize,
    running: Option<(JoinHandle<()>, Handle)>,
}

impl Bench {
    pub fn new(capacity: usize, seed: u64) -> Self {
        Self::with_double(Double::new(&SETS, capacity, seed), capacity)
    }

    pub fn with_double(double: Double, capacity: usize) -> Self {
        let book = Book { begin: Instant::now(), bans: Mutex::default(), changes: watch::Sender::new(()) };
        let lease = Arc::new(watch::Sender::new(true));
        Self { double, book: Arc::new(book), store: Shaky::default(), lease, capacity, running: None }
    }

    /// Ends the writer wherever it is, and starts another one.
    pub fn kill_and_start(&mut self) {
        if let Some((task, _)) = self.running.take() {
            task.abort();
        }
        let clock = self.book.clone();
        let parts = Parts {
            source: self.book.clone(),
            changed: self.book.changes.subscribe(),
            lease: self.lease.subscribe(),
            store: Arc::new(self.store.clone()),
            sets: Arc::new(self.double.clone()),
            unix_ms: Arc::new(move || clock.now()),
        };
        let writer = Writer::with_capacity(&config(), parts, self.capacity);
        let handle = writer.handle();
        self.running = Some((tokio::spawn(writer.run()), handle));
    }

    /// Takes the lease away for a time.
    pub fn lend_lease(&self, time: Duration) {
        let lease = self.lease.clone();
        lease.send_replace(false);
        tokio::spawn(async move {
            pass_for(time).await;
            lease.send_replace(true);
        });
    }

    pub fn status(&self) -> WafStatus {
        self.running.as_ref().unwrap().1.status()
    }

    pub fn reach(&self, network: &str) -> Reach {
        self.running.as_ref().unwrap().1.reach(&net(network))
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some((task, _)) = self.running.take() {
            task.abort();
        }
    }
}

fn config() -> Waf {
    Waf {
        enabled: true,
        scope: WafScope::Regional,
        ipv4_sets: vec!["4a".into(), "4b".into()],
        ipv6_sets: vec!["6a".into()],
        from_step: WafStep::Refuse,
        update_rate: Rate::per_second(1),
        grace: Duration::from_secs(60),
        leftovers_after: None,
        file: None,
    }
}
