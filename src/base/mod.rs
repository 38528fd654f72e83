//! Layer 0: time, units, shards and the atomics that loom can replace. Uses nothing of weir's.

pub mod clock;
pub mod rfc3339;
pub mod shard;
pub mod sync;
pub mod units;
