//! Layer 2: the decision. The one place where the core's parts meet.

pub mod counters;
pub mod reason;
