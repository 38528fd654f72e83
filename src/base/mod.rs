//! Layer 0: time, units and the atomics that loom can replace. Uses nothing of weir's.

pub mod clock;
pub mod rfc3339;
pub mod sync;
pub mod units;
