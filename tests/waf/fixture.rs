//! What the tests of the loop share: a book, a store that may fail, and a writer that can be killed.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::book::{Book, net, waf};
use crate::double::Double;
use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use weir::sink::waf::record::{Key, Memory, Record, Store, StoreError};
use weir::sink::waf::{Handle, Parts, Reach, WafStatus, Writer};

/// The sets of the config.
pub const SETS: [&str; 3] = ["4a", "4b", "6a"];

/// Lets virtual time pass.
pub async fn pass(seconds: u64) {
    pass_for(Duration::from_secs(seconds)).await;
}

/// The same, by any measure.
pub async fn pass_for(time: Duration) {
    let deadline = Instant::now() + time;
    tokio::time::sleep_until(deadline).await;
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
        let begin = Instant::now();
        let book = Book::new(move || 1_700_000_000_000 + begin.elapsed().as_millis() as u64);
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
        let writer = Writer::with_capacity(&waf(&["4a", "4b"], &["6a"]), parts, self.capacity);
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
