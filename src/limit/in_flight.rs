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
