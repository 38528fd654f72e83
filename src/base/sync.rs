//! The one door to atomics for lock-free structures, so that loom can model them.
//!
//! loom runs behind `--cfg loom`; nothing that touches the network is compiled then.

#[cfg(loom)]
pub use loom::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
#[cfg(not(loom))]
pub use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
