//! Telling people and programs: a bounded queue a way, tries that grow apart, and counts of what became of messages.

#[cfg(feature = "aws")]
pub mod sns;
pub mod webhook;

use super::message::Message;
use super::status::ToldStatus;
use crate::control::backoff::Backoff;
use async_trait::async_trait;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// How many messages wait; the oldest goes where there are more.
const ROOM: usize = 64;
/// How often one is tried: for some eight minutes.
const TRIES: u32 = 12;
const FIRST_WAIT: Duration = Duration::from_secs(1);
const MOST_WAIT: Duration = Duration::from_secs(60);
/// For what waits when weir ends.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// In a line.
    pub why: String,
    /// Whether it may be taken another time.
    pub again: bool,
}

/// A way by which messages go.
#[async_trait]
pub trait Way: Send + Sync {
    /// Hands over one message.
    async fn tell(&self, message: &Message) -> Result<(), Refused>;
}

/// Messages on their way.
#[derive(Debug)]
pub struct Outbox {
    to: &'static str,
    queue: Mutex<VecDeque<Arc<Message>>>,
    more: Notify,
    told: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
    failing: Mutex<Option<String>>,
}

impl Outbox {
    /// An empty one; `to` is its name in the metrics.
    pub fn new(to: &'static str) -> Self {
        Self {
            to,
            queue: Mutex::default(),
            more: Notify::new(),
            told: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            failing: Mutex::default(),
        }
    }

    /// Puts one in. Waits for nothing: where there is no room, the oldest is given up.
    pub fn put(&self, message: Arc<Message>) {
        let mut queue = self.queue();
        if queue.len() == ROOM {
            queue.pop_front();
            // Relaxed: a lone counter, as all of them here.
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        queue.push_back(message);
        drop(queue);
        self.more.notify_one();
    }

    /// How it goes.
    pub fn status(&self) -> ToldStatus {
        // Relaxed: for display.
        let read = |cell: &AtomicU64| cell.load(Ordering::Relaxed);
        ToldStatus {
            to: self.to.into(),
            told: read(&self.told),
            failed: read(&self.failed),
            dropped: read(&self.dropped),
            waiting: self.queue().len() as u64,
            failing: lock(&self.failing).clone(),
        }
    }

    /// Hands messages over until `stop`, and then what is left, once, within a second.
    pub async fn run(&self, way: &dyn Way, mut stop: watch::Receiver<bool>) {
        tokio::select! {
            () = self.work(way) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
        let last = async {
            while let Some(message) = self.first() {
                let outcome = way.tell(&message).await;
                self.done(&message, outcome);
            }
        };
        if tokio::time::timeout(LAST_WORDS, last).await.is_err() {
            let lost = self.queue().len();
            tracing::warn!("alerts: {lost} messages to {} were not sent before the end", self.to);
        }
    }

    async fn work(&self, way: &dyn Way) {
        loop {
            let more = self.more.notified();
            match self.first() {
                Some(message) => self.deliver(way, message).await,
                None => more.await,
            }
        }
    }

    async fn deliver(&self, way: &dyn Way, message: Arc<Message>) {
        let mut backoff = Backoff::new(FIRST_WAIT, MOST_WAIT);
        for tries_left in (0..TRIES).rev() {
            match way.tell(&message).await {
                Err(refused) if refused.again && tries_left > 0 && self.is_first(&message) => {
                    self.fails(&refused.why);
                    tokio::time::sleep(backoff.after_failure()).await;
                }
                outcome => return self.done(&message, outcome),
            }
        }
    }

    fn done(&self, message: &Arc<Message>, outcome: Result<(), Refused>) {
        if self.is_first(message) {
            self.queue().pop_front();
        }
        match outcome {
            Ok(()) => {
                // Relaxed: a lone counter.
                self.told.fetch_add(1, Ordering::Relaxed);
                if lock(&self.failing).take().is_some() {
                    tracing::info!("alerts: {} takes messages again", self.to);
                }
            }
            Err(Refused { why, .. }) => {
                // Relaxed: a lone counter.
                self.failed.fetch_add(1, Ordering::Relaxed);
                tracing::error!(alert = message.alert, "alerts: {} did not take a message: {why}", self.to);
                *lock(&self.failing) = Some(why);
            }
        }
    }

    /// Said once, until it works again.
    fn fails(&self, why: &str) {
        if lock(&self.failing).replace(why.to_owned()).is_none() {
            tracing::warn!("alerts: {} cannot be told, and is tried again: {why}", self.to);
        }
    }

    fn first(&self) -> Option<Arc<Message>> {
        self.queue().front().cloned()
    }

    /// Whether it has not been given up for newer ones.
    fn is_first(&self, message: &Arc<Message>) -> bool {
        self.queue().front().is_some_and(|first| Arc::ptr_eq(first, message))
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Arc<Message>>> {
        lock(&self.queue)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::engine::Kind;
    use super::super::message::fixture;
    use super::*;

    /// Takes what its list says, in turn; then everything.
    #[derive(Default)]
    struct Moody {
        moods: Mutex<VecDeque<Result<(), Refused>>>,
        tries: AtomicU64,
        heard: Mutex<Vec<String>>,
    }

    #[async_trait]
    impl Way for Arc<Moody> {
        async fn tell(&self, message: &Message) -> Result<(), Refused> {
            self.tries.fetch_add(1, Ordering::Relaxed); // Relaxed: a test's count.
            let mood = lock(&self.moods).pop_front().unwrap_or(Ok(()));
            mood.inspect(|()| lock(&self.heard).push(message.kind.name().to_owned()))
        }
    }

    fn refuse(again: bool) -> Result<(), Refused> {
        Err(Refused { why: "no".into(), again })
    }

    fn counts(outbox: &Outbox) -> (u64, u64, u64, u64) {
        let ToldStatus { told, failed, dropped, waiting, .. } = outbox.status();
        (told, failed, dropped, waiting)
    }

    async fn played(moods: Vec<Result<(), Refused>>, kinds: &[Kind]) -> (Arc<Outbox>, Arc<Moody>) {
        let (outbox, way) = (Arc::new(Outbox::new("test")), Arc::new(Moody::default()));
        *lock(&way.moods) = moods.into();
        kinds.iter().for_each(|kind| outbox.put(Arc::new(fixture(*kind))));
        let (stop, stopped) = watch::channel(false);
        let running = tokio::spawn({
            let (outbox, way) = (outbox.clone(), way.clone());
            async move { outbox.run(&way, stopped).await }
        });
        // Time is paused and all tries are over within the hour: nobody waits for it.
        let deadline = tokio::time::Instant::now() + Duration::from_secs(3_600);
        tokio::time::sleep_until(deadline).await;
        stop.send_replace(true);
        running.await.unwrap();
        (outbox, way)
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_is_tried_again_and_order_is_kept() {
        let moods = vec![refuse(true), refuse(true), Ok(()), refuse(true)];
        let (outbox, way) = played(moods, &[Kind::Firing, Kind::Cleared]).await;
        assert_eq!(counts(&outbox), (2, 0, 0, 0));
        assert_eq!(*lock(&way.heard), ["firing", "cleared"]);
        assert_eq!(outbox.status().failing, None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_for_good_or_too_often_is_given_up_and_counted() {
        let moods = [vec![refuse(false)], vec![refuse(true); TRIES as usize]].concat();
        let (outbox, way) = played(moods, &[Kind::Firing, Kind::Repeated]).await;
        assert_eq!(counts(&outbox), (0, 2, 0, 0));
        // Relaxed: a test's count.
        assert_eq!(way.tries.load(Ordering::Relaxed), 1 + u64::from(TRIES));
        assert_eq!(outbox.status().failing.as_deref(), Some("no"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_goes_where_there_is_no_room_and_the_rest_is_tried_at_the_end() {
        let outbox = Outbox::new("test");
        (0..ROOM + 6).for_each(|_| outbox.put(Arc::new(fixture(Kind::Firing))));
        assert_eq!(counts(&outbox), (0, 0, 6, ROOM as u64));
        let (stop, stopped) = watch::channel(true);
        outbox.run(&Arc::new(Moody::default()), stopped).await;
        assert_eq!(counts(&outbox), (ROOM as u64, 0, 6, 0));
        drop(stop);
    }
}
