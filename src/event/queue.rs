//! From the request's path to the control plane: a bounded queue that drops rather than waits.

use super::record::Record;
use crossbeam_queue::ArrayQueue;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many records wait at most.
pub const CAPACITY: usize = 8_192;

/// Records on their way out. All its memory is taken at start.
#[derive(Debug)]
pub struct Queue {
    records: ArrayQueue<Record>,
    dropped: AtomicU64,
}

impl Default for Queue {
    fn default() -> Self {
        Self::new()
    }
}

impl Queue {
    /// An empty queue of [`CAPACITY`] records.
    pub fn new() -> Self {
        Self::with_capacity(CAPACITY)
    }

    /// An empty queue of at least one record.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { records: ArrayQueue::new(capacity.max(1)), dropped: AtomicU64::new(0) }
    }

    /// Puts a record in, or counts it as dropped if there is no room. Never waits, allocates or calls the system.
    pub fn send(&self, record: Record) {
        if self.records.push(record).is_err() {
            // Relaxed: a lone counter.
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Hands at most `max` records to `each`, oldest first, and says how many there were.
    pub fn drain(&self, max: usize, mut each: impl FnMut(&Record)) -> usize {
        for taken in 0..max {
            match self.records.pop() {
                Some(record) => each(&record),
                None => return taken,
            }
        }
        max
    }

    /// The memory of a full queue, which it has from the start; every place has a stamp beside its record.
    pub fn memory(&self) -> usize {
        self.records.capacity() * (size_of::<Record>() + size_of::<usize>())
    }

    /// How many records found no room since the start.
    pub fn dropped(&self) -> u64 {
        // Relaxed: as in `send`.
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Time;

    fn record(n: u64) -> Record {
        Record::blank(Time::from_nanos(n))
    }

    #[test]
    fn what_does_not_fit_is_counted_and_the_oldest_stay() {
        let queue = Queue::with_capacity(4);
        for n in 0..10 {
            queue.send(record(n));
        }
        assert_eq!(queue.dropped(), 6);
        let mut seen = Vec::new();
        assert_eq!(queue.drain(3, |r| seen.push(r.at.nanos())), 3);
        assert_eq!(queue.drain(9, |r| seen.push(r.at.nanos())), 1);
        assert_eq!(seen, [0, 1, 2, 3]);
        queue.send(record(10));
        assert_eq!((queue.dropped(), queue.drain(9, |_| ())), (6, 1));
    }

    #[test]
    fn sent_is_drained_or_dropped_under_contention() {
        let queue = Queue::with_capacity(64);
        let mut drained = 0;
        std::thread::scope(|s| {
            let senders: Vec<_> = (0..4).map(|_| s.spawn(|| (0..5_000).for_each(|n| queue.send(record(n))))).collect();
            while !senders.iter().all(std::thread::ScopedJoinHandle::is_finished) {
                drained += queue.drain(16, |_| ());
            }
        });
        drained += queue.drain(usize::MAX, |_| ());
        assert_eq!(drained as u64 + queue.dropped(), 20_000);
    }
}
