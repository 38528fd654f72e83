//! How often each key came lately, for any number of keys in fixed memory: a count-min sketch of two epochs.
//!
//! An epoch is what lies between two calls of [`rotate`](Sketch::rotate), a second by custom. Keys that share a cell
//! are counted together, so an estimate may be too high; it is never too low. A key is rated by the better of its two
//! cells: with `n` counted in an epoch, one key in sixteen at most is over by more than `4n / width`.

use crate::base::sync::{AtomicU32, AtomicUsize, Ordering};
use crate::limit::seeds::Seeds;

/// Counted up to here and no further: far enough below the top that threads which come at once can't overflow it.
const FULL: u32 = 1 << 31;
/// The most that one call adds.
const MOST: u32 = 1 << 26;
/// The current epoch, the last, and one that is being cleared to come next.
const EPOCHS: usize = 3;

/// Counters of the current epoch and the one before. Any thread may add; one rotates.
pub struct Sketch {
    epochs: [Epoch; EPOCHS],
    current: AtomicUsize,
    seeds: Seeds,
}

/// Two rows of counters.
struct Epoch([Box<[AtomicU32]>; 2]);

impl Sketch {
    /// `width` counters in each row, rounded up to a power of two; 24 bytes each in all.
    pub fn new(width: u32, seeds: Seeds) -> Self {
        let width = width.clamp(1, FULL).next_power_of_two();
        let row = || (0..width).map(|_| AtomicU32::new(0)).collect();
        let epochs = std::array::from_fn(|_| Epoch([row(), row()]));
        Self { epochs, current: AtomicUsize::new(0), seeds }
    }

    /// Counts `by` more of `key`, at most 2^26 a call and 2^31 an epoch.
    #[inline]
    pub fn add(&self, key: u128, by: u32) {
        // Acquire: pairs with the Release in `rotate`, so that what is added here is not cleared by that.
        let epoch = &self.epochs[self.current.load(Ordering::Acquire)];
        for cell in epoch.cells(self.seeds.hash(key)) {
            // Relaxed, both: counters on their own.
            if cell.load(Ordering::Relaxed) < FULL {
                cell.fetch_add(by.min(MOST), Ordering::Relaxed);
            }
        }
    }

    /// How often `key` came in an epoch: as often as in the last one, or in the current one if that is more already.
    #[inline]
    pub fn estimate(&self, key: u128) -> u32 {
        // Relaxed: an epoch late or early is as good.
        let current = self.current.load(Ordering::Relaxed);
        let hash = self.seeds.hash(key);
        let [now, last] = [current, (current + EPOCHS - 1) % EPOCHS].map(|epoch| {
            // Relaxed: counters on their own.
            let [a, b] = self.epochs[epoch].cells(hash).map(|cell| cell.load(Ordering::Relaxed));
            a.min(b)
        });
        now.max(last)
    }

    /// Ends the epoch. One thread calls this, regularly; what another adds at that moment counts for either epoch.
    pub fn rotate(&self) {
        // Relaxed: this thread alone writes it.
        let current = self.current.load(Ordering::Relaxed);
        let next = (current + 1) % EPOCHS;
        // Release: the next epoch was cleared, at the last rotation, before anybody adds to it.
        self.current.store(next, Ordering::Release);
        // Nobody adds to the one after it but who has been at it since before the last rotation.
        for cell in self.epochs[(next + 1) % EPOCHS].0.iter().flatten() {
            // Relaxed: published by the next rotation.
            cell.store(0, Ordering::Relaxed);
        }
    }

    /// The counters' memory.
    pub fn bytes(&self) -> usize {
        self.epochs.iter().flat_map(|epoch| &epoch.0).map(|row| size_of_val(&**row)).sum()
    }
}

impl Epoch {
    #[inline]
    fn cells(&self, hash: u64) -> [&AtomicU32; 2] {
        let [first, second] = &self.0;
        let mask = first.len() - 1;
        [&first[(hash >> 32) as usize & mask], &second[hash as u32 as usize & mask]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn sketch(width: u32) -> Sketch {
        Sketch::new(width, Seeds::fixed(1))
    }

    #[test]
    fn an_estimate_is_of_the_last_epoch_or_of_the_current_if_that_is_more() {
        let sketch = sketch(1024);
        sketch.add(1, 10);
        assert_eq!((sketch.estimate(1), sketch.estimate(2)), (10, 0));
        sketch.rotate();
        sketch.add(1, 4);
        assert_eq!(sketch.estimate(1), 10);
        sketch.add(1, 7);
        assert_eq!(sketch.estimate(1), 11);
        sketch.rotate();
        assert_eq!(sketch.estimate(1), 11);
        sketch.rotate();
        assert_eq!(sketch.estimate(1), 0);
        for n in 1..10 {
            sketch.add(1, n);
            assert_eq!(sketch.estimate(1), n, "an epoch comes back empty");
            sketch.rotate();
        }
    }

    #[test]
    fn counters_stop_before_they_overflow() {
        let sketch = sketch(1);
        (0..200).for_each(|_| sketch.add(1, u32::MAX));
        assert!((FULL..=FULL + MOST).contains(&sketch.estimate(1)));
    }

    #[test]
    fn memory_is_as_said() {
        assert_eq!(sketch(1 << 16).bytes(), 3 << 19);
        assert_eq!((sketch(0).bytes(), sketch(5).bytes()), (24, 8 * 24));
    }

    #[test]
    fn threads_lose_nothing() {
        let sketch = sketch(64);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..20_000u32).for_each(|n| sketch.add(u128::from(n % 4), 1)));
            }
        });
        assert!((0..4).all(|key| sketch.estimate(key) >= 20_000));
    }

    #[test]
    fn few_estimates_are_far_off_in_a_flood() {
        let sketch = sketch(1 << 14);
        let clients = 100_000u32;
        (0..clients).for_each(|n| sketch.add(u128::from(n), 1));
        let limit = 4 * clients / (1 << 14);
        let off = (0..clients).filter(|&n| sketch.estimate(u128::from(n)) > 1 + limit).count();
        assert!(off < clients as usize / 100, "{off} of {clients} are over by more than {limit}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Never too low, of either epoch; and right where nobody shares cells.
        #[test]
        fn it_never_counts_too_low(
            width in 0u32..12,
            steps in prop::collection::vec((0u128..40, 1u32..100, prop::bool::weighted(0.05)), 1..300),
        ) {
            let sketch = sketch(1 << width);
            let mut exact = [HashMap::<u128, u32>::new(), HashMap::new()];
            for (key, by, rotates) in steps {
                if rotates {
                    sketch.rotate();
                    exact = [HashMap::new(), std::mem::take(&mut exact[0])];
                }
                sketch.add(key, by);
                *exact[0].entry(key).or_default() += by;
                let total = exact.iter().map(|epoch| epoch.values().sum::<u32>()).max().unwrap();
                for key in 0..40 {
                    let wanted = exact.iter().filter_map(|epoch| epoch.get(&key)).max().copied().unwrap_or(0);
                    let found = sketch.estimate(key);
                    prop_assert!((wanted..=total).contains(&found), "{key}: {found}, exact {wanted}, in all {total}");
                }
            }
        }
    }
}
