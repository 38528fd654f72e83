//! The two loops against a CloudWatch that does as a test says, in virtual time.

use super::gather::Datum;
use super::*;
use crate::control::status::fixture;
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

/// What it does with the next batches; then it takes all.
#[derive(Default)]
struct Double {
    next: Mutex<VecDeque<Fate>>,
    taken: Mutex<Vec<Vec<Datum>>>,
}

#[async_trait]
impl Way for Double {
    async fn put(&self, batch: &[Datum]) -> Result<(), Failure> {
        let fate = self.next.lock().unwrap().pop_front();
        if let Some(fate) = fate {
            return Err(Failure { kind: "unreachable", fate, message: "away".into() });
        }
        self.taken.lock().unwrap().push(batch.to_vec());
        Ok(())
    }
}

impl Double {
    fn total(&self, name: &str) -> f64 {
        let taken = self.taken.lock().unwrap();
        let data = taken.iter().flatten().filter(|d| d.series.name == name);
        data.flat_map(|d| &d.values).map(|(value, count)| value * count).sum()
    }
}

fn settings() -> CloudWatch {
    CloudWatch {
        enabled: true,
        namespace: "weir".into(),
        mode: MetricsWay::Api,
        service: "shop".into(),
        environment: "test".into(),
        interval: Duration::from_secs(10),
        high_resolution: true,
    }
}

/// A sink of a weir that refuses one request more at each look.
struct Running {
    way: Arc<Double>,
    handle: Handle,
    refused: Arc<AtomicU64>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

fn start(next: impl IntoIterator<Item = Fate>) -> Running {
    let way = Arc::new(Double { next: Mutex::new(next.into_iter().collect()), ..Double::default() });
    let (mut sink, handle) = sink(&settings(), way.clone());
    let begun = tokio::time::Instant::now();
    sink.unix = Arc::new(move || 1_700_000_000 + begun.elapsed().as_secs());
    let (stop, stopped) = watch::channel(false);
    let refused = Arc::<AtomicU64>::default();
    let counter = refused.clone();
    let figures = move || {
        let mut status = fixture();
        // Relaxed: a lone counter.
        status.requests[1].count = counter.fetch_add(1, Ordering::Relaxed) + 1;
        status
    };
    let task = sink.start(Box::new(figures), stopped);
    Running { way, handle, refused, stop, task }
}

impl Running {
    async fn until(&self, what: impl Fn(&CloudWatchStatus) -> bool) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(600);
        while !what(&self.handle.status()) {
            assert!(tokio::time::Instant::now() < deadline, "{:?}", self.handle.status());
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Ends it; what was taken of refusals, and how many there were.
    async fn end(self) -> (f64, f64, CloudWatchStatus) {
        self.stop.send_replace(true);
        self.task.await.unwrap();
        // Relaxed: nobody counts any more.
        (self.way.total("Refused"), self.refused.load(Ordering::Relaxed) as f64, self.handle.status())
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_loses_nothing_and_doubles_nothing() {
    let running = start([Fate::NotTaken; 4]);
    running.until(|status| status.failures.get("unreachable") == Some(&4)).await;
    assert!(running.handle.status().failing.is_some());
    running.until(|status| status.sent > 100 && status.failing.is_none()).await;
    let (taken, refused, status) = running.end().await;
    assert_eq!(taken, refused, "the last look is sent too");
    assert_eq!((status.dropped, status.unknown, status.refused, status.waiting), (0, 0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_taken_is_counted_and_not_sent_again() {
    let running = start([Fate::Unknown, Fate::Unknown, Fate::Refused]);
    running.until(|status| status.sent > 0).await;
    let (taken, refused, status) = running.end().await;
    assert!(taken < refused);
    assert!(status.unknown > 1, "a batch, and a single datum that asked");
    assert_eq!(status.refused, 1);
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_is_away_at_the_end_ends() {
    let running = start([Fate::NotTaken; 1_000]);
    running.until(|status| !status.failures.is_empty()).await;
    let (taken, _, status) = running.end().await;
    assert_eq!((taken, status.sent), (0.0, 0));
    assert!(status.waiting > 0);
}

#[test]
fn pauses_grow_to_a_bound() {
    let longest: Vec<_> = [1, 2, 3, 10, 10_000].iter().map(|n| backoff(*n, |most| most).as_secs()).collect();
    assert_eq!(longest, [2, 4, 8, 30, 30]);
    assert!((0..100).all(|_| random(LOOK) <= LOOK));
}
