//! Which shard of a sharded counter a thread uses: one each, so that counting never makes two cores share a cache line.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many shards there are; threads beyond share them.
pub const SHARDS: usize = 16;

/// This thread's shard.
#[inline]
pub fn mine() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! { static MINE: Cell<usize> = const { Cell::new(usize::MAX) } }
    let mine = MINE.get();
    if mine != usize::MAX {
        return mine;
    }
    // Relaxed: hands out numbers, orders nothing.
    let mine = NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS;
    MINE.set(mine);
    mine
}
