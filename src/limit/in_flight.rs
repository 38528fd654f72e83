//! How many requests, or connections, are open at once: in all, and of each client.

use super::seeds::Seeds;
use crate::base::sync::{AtomicU32, Ordering};

/// Counts of what is open, in a fixed number of cells.
///
/// A client is counted in one cell of either row and has at most the lesser of the two: clients that share a cell in
/// one row hardly ever share one in the other. Where they do, both are counted too high, never too low.
pub struct InFlight {
    total: AtomicU32,
    rows: [Box<[AtomicU32]>; 2],
    seeds: Seeds,
}

/// What is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// The cap on all together.
    Total,
    /// The client's own cap.
    Client,
}

impl InFlight {
    /// `cells` counters in either row, at least one; many times the number of clients with something open.
    pub fn new(cells: u32, seeds: Seeds) -> Self {
        let row = || (0..cells.max(1)).map(|_| AtomicU32::new(0)).collect();
        Self { total: AtomicU32::new(0), rows: [row(), row()], seeds }
    }

    /// Counts one more of the client `key`, unless that is one too many. What enters must [`leave`](Self::leave).
    ///
    /// No cap is ever exceeded; when several race for the last place it may stay empty for that moment.
    #[must_use = "a place that was entered must be left"]
    pub fn try_enter(&self, key: u128, total_cap: u32, client_cap: u32) -> Result<(), Full> {
        // Relaxed: the sum alone matters, and every addition sees all before it on this cell.
        if self.total.fetch_add(1, Ordering::Relaxed) >= total_cap {
            // Relaxed: as above.
            self.total.fetch_sub(1, Ordering::Relaxed);
            return Err(Full::Total);
        }
        let [first, second] = self.cells(key);
        // Relaxed: published by the next line.
        first.fetch_add(1, Ordering::Relaxed);
        // AcqRel: of two that race, the one that comes second here sees the other's count in `first` too, so at
        // least one of them finds both cells too high.
        let in_second = second.fetch_add(1, Ordering::AcqRel) + 1;
        // Relaxed: ordered by the line above.
        if first.load(Ordering::Relaxed).min(in_second) > client_cap {
            self.leave(key);
            return Err(Full::Client);
        }
        Ok(())
    }

    /// Takes back one [`try_enter`](Self::try_enter) that succeeded.
    pub fn leave(&self, key: u128) {
        let [first, second] = self.cells(key);
        // Relaxed, all: a place that shows as taken for a moment longer makes others wait, nothing worse.
        first.fetch_sub(1, Ordering::Relaxed);
        second.fetch_sub(1, Ordering::Relaxed);
        self.total.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many are open in all.
    pub fn total(&self) -> u32 {
        // Relaxed: for display.
        self.total.load(Ordering::Relaxed)
    }

    /// How many the client `key` has open, at most.
    pub fn of_client(&self, key: u128) -> u32 {
        let [first, second] = self.cells(key);
        // Relaxed: for display.
        first.load(Ordering::Relaxed).min(second.load(Ordering::Relaxed))
    }

    /// The counters' memory.
    pub fn bytes(&self) -> usize {
        self.rows.iter().map(|row| size_of_val(&**row)).sum()
    }

    fn cells(&self, key: u128) -> [&AtomicU32; 2] {
        let hash = self.seeds.hash(key);
        let at = |row: usize, half: u64| {
            let row = &self.rows[row];
            &row[((half * row.len() as u64) >> 32) as usize]
        };
        [at(0, hash >> 32), at(1, hash & 0xffff_ffff)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn caps_hold_and_what_leaves_makes_room() {
        let open = InFlight::new(1024, Seeds::fixed(1));
        assert_eq!(open.try_enter(1, 3, 2), Ok(()));
        assert_eq!(open.try_enter(1, 3, 2), Ok(()));
        assert_eq!(open.try_enter(1, 3, 2), Err(Full::Client));
        assert_eq!(open.try_enter(2, 3, 2), Ok(()));
        assert_eq!(open.try_enter(3, 3, 2), Err(Full::Total));
        assert_eq!((open.total(), open.of_client(1), open.of_client(2), open.of_client(3)), (3, 2, 1, 0));
        open.leave(1);
        assert_eq!(open.try_enter(3, 3, 2), Ok(()));
        assert_eq!((open.total(), open.of_client(1)), (3, 1));
        assert_eq!(open.bytes(), 8192);
    }

    #[test]
    fn clients_hardly_ever_share_both_cells() {
        let open = InFlight::new(65_536, Seeds::fixed(1));
        let refused = (0..10_000).filter(|&key| open.try_enter(key, u32::MAX, 1).is_err()).count();
        assert!(refused <= 300, "{refused} of 10,000");
    }

    #[test]
    fn threads_leave_nothing_behind() {
        let open = InFlight::new(4, Seeds::fixed(1));
        std::thread::scope(|scope| {
            for thread in 0..4u128 {
                let open = &open;
                scope.spawn(move || {
                    for n in 0..20_000 {
                        if open.try_enter(thread ^ (n % 3), 3, 2).is_ok() {
                            assert!(open.total() >= 1);
                            open.leave(thread ^ (n % 3));
                        }
                    }
                });
            }
        });
        assert_eq!((open.total(), (0..8).map(|key| open.of_client(key)).sum::<u32>()), (0, 0));
    }

    proptest! {
        /// Against exact counts: never more than a cap, and what is refused is refused for a reason.
        #[test]
        fn it_never_counts_too_low(steps in prop::collection::vec((0u128..6, any::<bool>()), 1..300)) {
            let open = InFlight::new(4, Seeds::fixed(1));
            let mut exact: HashMap<u128, u32> = HashMap::new();
            for (key, enters) in steps {
                let own = exact.entry(key).or_default();
                if enters {
                    *own += u32::from(open.try_enter(key, 8, 3).is_ok());
                    prop_assert!(*own <= 3);
                } else if *own > 0 {
                    *own -= 1;
                    open.leave(key);
                }
                let total: u32 = exact.values().sum();
                prop_assert!(total <= 8 && open.total() == total);
                prop_assert!(exact.iter().all(|(&key, &own)| open.of_client(key) >= own));
            }
        }
    }
}
