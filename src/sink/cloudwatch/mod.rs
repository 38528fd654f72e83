//! Metrics to CloudWatch: looked at once a second, sent every `cloudwatch.interval`.
//!
//! What can't be sent waits in a bounded buffer, each datum with its own time, so that an outage there leaves no gap
//! here as long as it is not longer than the buffer. Nothing that may have been taken is sent twice.

#[cfg(feature = "aws")]
pub mod api;
pub mod buffer;
pub mod cost;
pub mod dashboard;
pub mod emf;
pub mod gather;
pub mod series;
pub mod status;
pub mod way;

pub use emf::Owner;
pub use status::CloudWatchStatus;

use crate::base::clock::{self, Time};
use crate::config::settings::{CloudWatch, MetricsWay};
use crate::control::status::Status;
use crate::sink::metrics::{Samples, collect};
use buffer::Buffer;
use gather::Gather;
use ring::rand::{SecureRandom, SystemRandom};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};
use way::{Failure, Fate, Lines, Way};

/// How often figures are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Between attempts while CloudWatch is away, at first and at most; full jitter.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Where figures come from.
pub type Figures = Box<dyn Fn() -> Status + Send + Sync>;

/// A sink at work.
#[derive(Clone, Debug)]
pub struct Handle(Arc<Desk>);

impl Handle {
    /// How it goes.
    pub fn status(&self) -> CloudWatchStatus {
        let work = self.0.work();
        CloudWatchStatus {
            dropped: work.buffer.dropped(),
            waiting: work.buffer.len() as u64,
            age_s: clock::now().since(work.taken_at).as_secs_f64(),
            ..work.status.clone()
        }
    }
}

/// Whose metrics the config says these are.
pub fn owner(settings: &CloudWatch) -> Owner {
    let CloudWatch { namespace, service, environment, .. } = settings.clone();
    Owner { namespace, service, environment }
}

/// The way that the config asks for; the API's only where weir is built with it, which the config's check sees to.
pub async fn way(settings: &CloudWatch) -> Arc<dyn Way> {
    match settings.mode {
        #[cfg(feature = "aws")]
        MetricsWay::Api => Arc::new(api::Api::new(owner(settings)).await),
        _ => Arc::new(Lines(owner(settings))),
    }
}

/// A sink that has not begun, and its handle.
pub fn sink(settings: &CloudWatch, way: Arc<dyn Way>) -> (Sink, Handle) {
    let mode = if settings.mode == MetricsWay::Emf { "emf" } else { "api" };
    let desk = Arc::new(Desk(Mutex::new(Work {
        gather: Gather::new(settings.high_resolution),
        buffer: Buffer::default(),
        status: CloudWatchStatus { mode: mode.into(), ..CloudWatchStatus::default() },
        taken_at: clock::now(),
    })));
    let handle = Handle(desk.clone());
    let unix = || clock::unix_nanos(clock::now()) / 1_000_000_000;
    (Sink { desk, way, every: settings.interval, unix: Arc::new(unix) }, handle)
}

/// What the two loops share.
#[derive(Debug)]
struct Desk(Mutex<Work>);

#[derive(Debug)]
struct Work {
    gather: Gather,
    buffer: Buffer,
    status: CloudWatchStatus,
    /// When CloudWatch last took something.
    taken_at: Time,
}

impl Desk {
    fn work(&self) -> MutexGuard<'_, Work> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, samples: &Samples, unix: u64) {
        let Work { gather, buffer, .. } = &mut *self.work();
        gather.take(samples, unix, &mut |datum| buffer.push(datum));
    }

    fn close(&self) {
        let Work { gather, buffer, .. } = &mut *self.work();
        gather.close(&mut |datum| buffer.push(datum));
    }
}

/// Looks and sends.
pub struct Sink {
    desk: Arc<Desk>,
    way: Arc<dyn Way>,
    every: Duration,
    unix: Unix,
}

/// Seconds since 1970.
type Unix = Arc<dyn Fn() -> u64 + Send + Sync>;

impl Sink {
    /// Starts both loops on this runtime. The task ends after `stop`, when all that was seen is sent; whoever does not
    /// want to wait for a CloudWatch that hangs cuts it off.
    pub fn start(self, figures: Figures, stop: watch::Receiver<bool>) -> JoinHandle<()> {
        let figures = Arc::new(figures);
        let looking = tokio::spawn(look(self.desk.clone(), figures.clone(), self.unix.clone(), stop.clone()));
        tokio::spawn(async move {
            self.send(stop).await;
            looking.abort();
            look_once(&self.desk, &figures, &self.unix).await;
            self.desk.close();
            while !self.desk.work().buffer.is_empty() {
                if self.attempt().await.is_err() {
                    let left = self.desk.work().buffer.len();
                    tracing::warn!(left, "cloudwatch: the last metrics could not be sent");
                    return;
                }
            }
        })
    }

    async fn send(&self, mut stop: watch::Receiver<bool>) {
        // A fleet that is started at once shall not send at once.
        let mut pause = random(self.every);
        let mut failed = 0;
        loop {
            tokio::select! {
                () = sleep(pause) => {}
                // A sender that is gone means the same.
                _ = stop.wait_for(|stop| *stop) => return,
            }
            pause = self.every;
            while !self.desk.work().buffer.is_empty() && !*stop.borrow() {
                if self.attempt().await.is_err() {
                    failed += 1;
                    pause = backoff(failed, random);
                    break;
                }
                failed = 0;
            }
        }
    }

    /// Sends one batch, and sees to what becomes of it.
    async fn attempt(&self) -> Result<(), ()> {
        let batch = {
            let work = &mut *self.desk.work();
            // While it fails a single datum asks whether it still does: what hangs then eats no more than that.
            work.buffer.batch(if work.status.failing.is_some() { 1 } else { usize::MAX })
        };
        let outcome = self.way.put(&batch).await;
        let Work { buffer, status, taken_at, .. } = &mut *self.desk.work();
        let number = batch.len() as u64;
        let Err(Failure { kind, fate, message }) = outcome else {
            status.sent += number;
            *taken_at = clock::now();
            if status.failing.take().is_some() {
                tracing::info!(waiting = buffer.len(), "cloudwatch: metrics are taken again");
            }
            return Ok(());
        };
        *status.failures.entry(kind.to_owned()).or_default() += 1;
        match fate {
            Fate::NotTaken => buffer.give_back(batch),
            Fate::Unknown => status.unknown += number,
            Fate::Refused => status.refused += number,
        }
        if status.failing.is_none() {
            tracing::warn!("cloudwatch: metrics are not taken: {message}");
        }
        status.failing = Some(message);
        Err(())
    }
}

async fn look(desk: Arc<Desk>, figures: Arc<Figures>, unix: Unix, mut stop: watch::Receiver<bool>) {
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        look_once(&desk, &figures, &unix).await;
    }
}

async fn look_once(desk: &Arc<Desk>, figures: &Arc<Figures>, unix: &Unix) {
    let (desk, figures, unix) = (desk.clone(), figures.clone(), unix());
    let looked = tokio::task::spawn_blocking(move || desk.look(&collect(&figures()), unix));
    if let Err(e) = looked.await {
        tracing::warn!("cloudwatch: figures could not be read: {e}");
    }
}

/// A pause after so many failures: up to twice as long each time.
fn backoff(failed: u32, random: impl Fn(Duration) -> Duration) -> Duration {
    random(FIRST_PAUSE.saturating_mul(1 << failed.min(10)).min(LONGEST_PAUSE))
}

/// Something below `most`.
fn random(most: Duration) -> Duration {
    let mut bytes = [0; 4];
    // Without randomness it is the middle.
    let known = SystemRandom::new().fill(&mut bytes).map_or(1 << 31, |()| u32::from_le_bytes(bytes));
    most.mul_f64(f64::from(known) / f64::from(u32::MAX))
}

#[cfg(test)]
#[path = "sink_tests.rs"]
mod tests;
