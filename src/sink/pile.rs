//! What waits for one collector: bounded in bytes, with every record accounted for as sent, lost or waiting.

use crate::sink::outlet::OutletStatus;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// What one waiting record takes beside its text.
const BESIDE: usize = size_of::<Item>() + 16;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// When it happened: milliseconds since 1970.
    pub unix_ms: u64,
    /// As it is sent.
    pub text: Box<[u8]>,
}

impl Item {
    /// What it takes while it waits.
    pub const fn cost(&self) -> usize {
        self.text.len() + BESIDE
    }
}

/// The pile of one sink: the drain puts in, one task takes out.
#[derive(Debug)]
pub struct Pile {
    most: usize,
    state: Mutex<State>,
    work: Notify,
    ended: Condvar,
    stop: watch::Sender<Option<Instant>>,
    sent: AtomicU64,
    lost: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Item>,
    /// Of all that is accounted for neither as sent nor as lost: what waits, and what is being sent.
    bytes: usize,
    /// How many are being sent.
    taken: u64,
    failing: Option<(String, Instant)>,
    ended: bool,
}

impl Pile {
    /// An empty pile of at most `most` bytes.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            state: Mutex::default(),
            work: Notify::new(),
            ended: Condvar::new(),
            stop: watch::Sender::new(None),
            sent: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        }
    }

    /// Puts a record on the pile, or counts it as lost if there is no room. Waits for nothing.
    pub fn put(&self, unix_ms: u64, text: &[u8]) {
        let item = Item { unix_ms, text: text.into() };
        let mut state = self.state();
        if state.ended || state.bytes + item.cost() > self.most {
            drop(state);
            return self.lose(1);
        }
        state.bytes += item.cost();
        state.items.push_back(item);
    }

    /// Counts records as lost that were never put on it.
    pub fn lose(&self, records: u64) {
        // Relaxed: a lone counter.
        self.lost.fetch_add(records, Ordering::Relaxed);
    }

    /// Wakes the task if there is work.
    pub fn flush(&self) {
        if !self.state().items.is_empty() {
            self.work.notify_one();
        }
    }

    /// Waits until `bytes` wait, at least one record, or the end is asked for.
    pub async fn filled(&self, bytes: usize) {
        let full = || {
            let state = self.state();
            !state.items.is_empty() && state.bytes >= bytes
        };
        while !full() && self.stop.borrow().is_none() {
            tokio::select! {
                () = self.work.notified() => {}
                () = self.stopping() => {}
            }
        }
    }

    /// Waits until the end is asked for.
    pub async fn stopping(&self) {
        // The sender is ours, so that it can't be gone.
        let _ = self.stop.subscribe().wait_for(Option::is_some).await;
    }

    /// Waits until the end is overdue.
    pub async fn overdue(&self) {
        self.stopping().await;
        let deadline = self.stop.borrow().unwrap_or_else(Instant::now);
        tokio::time::sleep_until(deadline.into()).await;
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.state().items.is_empty()
    }

    /// Whether the end is asked for.
    pub fn is_stopping(&self) -> bool {
        self.stop.borrow().is_some()
    }

    /// Takes the oldest: at most so many, and so many bytes of text with `beside` for each; at least one.
    pub fn take(&self, most: usize, bytes: usize, beside: usize) -> Vec<Item> {
        let mut state = self.state();
        let (mut batch, mut room) = (Vec::new(), bytes);
        while let Some(item) = state.items.front().filter(|_| batch.len() < most) {
            let size = item.text.len() + beside;
            if size > room && !batch.is_empty() {
                break;
            }
            room = room.saturating_sub(size);
            batch.extend(state.items.pop_front());
        }
        state.taken += batch.len() as u64;
        batch
    }

    /// Puts what was taken back where it was.
    pub fn give_back(&self, items: Vec<Item>) {
        let mut state = self.state();
        state.taken -= items.len() as u64;
        items.into_iter().rev().for_each(|item| state.items.push_front(item));
    }

    /// What was taken was dealt with: all but `lost` of it was sent.
    pub fn done(&self, items: &[Item], lost: u64) {
        let mut state = self.state();
        state.taken -= items.len() as u64;
        state.bytes -= items.iter().map(Item::cost).sum::<usize>();
        drop(state);
        self.lose(lost);
        // Relaxed: a lone counter.
        self.sent.fetch_add(items.len() as u64 - lost, Ordering::Relaxed);
    }

    /// Nothing can be sent; true where this is new.
    pub fn fails(&self, why: &str) -> bool {
        let mut state = self.state();
        let since = state.failing.as_ref().map(|(_, since)| *since);
        state.failing = Some((why.to_owned(), since.unwrap_or_else(Instant::now)));
        since.is_none()
    }

    /// It can be sent; after how long, where it could not be.
    pub fn works(&self) -> Option<Duration> {
        self.state().failing.take().map(|(_, since)| since.elapsed())
    }

    /// The task ends: what is left is lost.
    pub fn end(&self) {
        let mut state = self.state();
        let left = state.items.len() as u64 + state.taken;
        *state = State { ended: true, failing: state.failing.take(), ..State::default() };
        drop(state);
        self.lose(left);
        self.ended.notify_all();
    }

    /// Asks the task to send what is left and to end; false if it did not `within` that time.
    pub fn stop(&self, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        self.stop.send_replace(Some(deadline));
        self.work.notify_one();
        // A little longer than the task has: it counts what is left.
        let patience = within + Duration::from_millis(100);
        let waited = self.ended.wait_timeout_while(self.state(), patience, |state| !state.ended);
        waited.unwrap_or_else(PoisonError::into_inner).0.ended
    }

    /// How it goes with the sink of this name that sends to `to`.
    pub fn status(&self, name: &str, to: &str) -> OutletStatus {
        let state = self.state();
        OutletStatus {
            name: name.into(),
            to: to.into(),
            // Relaxed, both: lone counters.
            sent: self.sent.load(Ordering::Relaxed),
            // Relaxed: as above.
            lost: self.lost.load(Ordering::Relaxed),
            waiting_bytes: state.bytes as u64,
            failing: state.failing.as_ref().map(|(why, _)| why.clone()),
            failing_for_s: state.failing.as_ref().map(|(_, since)| since.elapsed().as_secs_f64()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(pile: &Pile) -> (u64, u64, u64) {
        let status = pile.status("", "");
        (status.sent, status.lost, status.waiting_bytes)
    }

    #[test]
    fn every_record_is_sent_lost_or_waits() {
        let cost = 10 + BESIDE;
        let pile = Pile::new(3 * cost);
        (0..5).for_each(|n| pile.put(n, &[n as u8; 10]));
        assert_eq!(counts(&pile), (0, 2, 3 * cost as u64));
        let batch = pile.take(2, usize::MAX, 0);
        assert_eq!(batch.iter().map(|item| item.unix_ms).collect::<Vec<_>>(), [0, 1]);
        // What is being sent still takes its room.
        pile.put(9, &[9; 10]);
        pile.give_back(batch);
        let batch = pile.take(9, 25, 5);
        assert_eq!(batch.iter().map(|item| item.unix_ms).collect::<Vec<_>>(), [0]);
        pile.done(&batch, 0);
        assert_eq!(counts(&pile), (1, 3, 2 * cost as u64));
        assert_eq!(pile.take(1, 9, 9).len(), 1, "what is larger than a batch goes alone");
        pile.end();
        pile.put(10, b"late");
        assert_eq!(counts(&pile), (1, 6, 0));
        assert!(pile.stop(Duration::ZERO));
    }

    #[test]
    fn failing_is_said_once_and_lasts_until_it_works() {
        let pile = Pile::new(0);
        assert!(pile.fails("no answer") && !pile.fails("refused"));
        assert_eq!(pile.status("", "").failing.as_deref(), Some("refused"));
        assert!(pile.works().is_some() && pile.works().is_none());
        assert!(!pile.stop(Duration::ZERO), "nobody ends it");
    }
}
