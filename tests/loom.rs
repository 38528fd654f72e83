//! Lock-free code in every interleaving that loom can think of: `make loom` (see tests/loom/Cargo.toml).
#![cfg(loom)]

use loom::sync::Arc;
use loom::thread;
use weir::base::sync::{AtomicU64, Ordering};

#[test]
fn the_atomics_are_looms() {
    loom::model(|| {
        let counter = Arc::new(AtomicU64::new(0));
        let other = counter.clone();
        let thread = thread::spawn(move || other.fetch_add(1, Ordering::Relaxed));
        counter.fetch_add(1, Ordering::Relaxed);
        thread.join().unwrap();
        assert_eq!(counter.load(Ordering::Relaxed), 2);
    });
}
