//! What waits to be sent: bounded; the oldest goes first where there is no room.

use super::gather::Datum;
use std::collections::VecDeque;

/// The most that waits: a quarter of an hour of an attack, in about 3 MiB.
pub const MOST: usize = 20_000;

/// The most in one request, by count and by size. CloudWatch takes 1,000, and 1 MB.
const BATCH: usize = 1_000;
const BATCH_BYTES: usize = 900_000;

/// What waits.
#[derive(Debug, Default)]
pub struct Buffer {
    waiting: VecDeque<Datum>,
    dropped: u64,
}

impl Buffer {
    /// One more; the oldest makes room.
    pub fn push(&mut self, datum: Datum) {
        if self.waiting.len() == MOST {
            self.waiting.pop_front();
            self.dropped += 1;
        }
        self.waiting.push_back(datum);
    }

    /// The oldest, as many as fit into one request, and no more than `most`.
    pub fn batch(&mut self, most: usize) -> Vec<Datum> {
        let mut bytes = 0;
        let fits = |datum: &&Datum| {
            bytes += size(datum);
            bytes <= BATCH_BYTES
        };
        let number = self.waiting.iter().take(most.min(BATCH)).take_while(fits).count();
        self.waiting.drain(..number).collect()
    }

    /// Gives back what could not be sent; where newer ones took the room, the oldest are gone.
    pub fn give_back(&mut self, batch: Vec<Datum>) {
        let room = MOST - self.waiting.len();
        let gone = batch.len().saturating_sub(room);
        self.dropped += gone as u64;
        for datum in batch.into_iter().skip(gone).rev() {
            self.waiting.push_front(datum);
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many found no room.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// What a datum takes in a request, at most: names and dimensions, and a value with its count.
fn size(datum: &Datum) -> usize {
    /// Keys, the metric's name, three dimensions of at most 255 bytes a name and value.
    const REST: usize = 1_000;
    REST + 18 * datum.values.len()
}

#[cfg(test)]
mod tests {
    use super::super::series;
    use super::*;

    fn datum(at: u64) -> Datum {
        let series = series::find("Refused").unwrap();
        Datum { series, dimension: None, at, seconds: 1, values: vec![(1.0, 1.0)] }
    }

    #[test]
    fn the_oldest_make_room_and_are_counted() {
        let mut buffer = Buffer::default();
        (0..MOST as u64 + 7).for_each(|at| buffer.push(datum(at)));
        assert_eq!((buffer.len(), buffer.dropped()), (MOST, 7));
        let batch = buffer.batch(usize::MAX);
        assert_eq!(batch[0].at, 7);
        assert!(batch.len() <= BATCH && batch.len() * size(&batch[0]) <= BATCH_BYTES);
    }

    #[test]
    fn what_comes_back_keeps_its_place() {
        let mut buffer = Buffer::default();
        (0..10).for_each(|at| buffer.push(datum(at)));
        let batch = buffer.batch(4);
        buffer.give_back(batch);
        let order: Vec<_> = buffer.batch(99).iter().map(|d| d.at).collect();
        assert_eq!(order, (0..10).collect::<Vec<_>>());

        (0..MOST as u64).for_each(|at| buffer.push(datum(at)));
        let batch = buffer.batch(4);
        (0..3).for_each(|_| buffer.push(datum(0)));
        buffer.give_back(batch);
        assert_eq!((buffer.len(), buffer.dropped()), (MOST, 3));
        assert_eq!(buffer.batch(1)[0].at, 3, "of the four that came back the oldest three are gone");
    }

    #[test]
    fn a_request_stays_under_its_size() {
        let mut buffer = Buffer::default();
        let values: Vec<_> = (0..150).map(|n| (f64::from(n), 1.0)).collect();
        (0..1_000).for_each(|at| buffer.push(Datum { values: values.clone(), ..datum(at) }));
        let batch = buffer.batch(usize::MAX);
        assert!(!batch.is_empty() && batch.iter().map(size).sum::<usize>() <= BATCH_BYTES);
    }
}
